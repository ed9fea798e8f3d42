#include "binlog/ddl_collations.h"

#include <string.h>

#include "binlog/job_json.h"
#include "binlog/sql_edit.h"
#include "binlog/sql_scan.h"
#include "binlog/sql_statement.h"
#include "binlog/table_info.h"

/* A statement being looked through; its executed comments are opened. */
struct work {
    const struct sql_text *sql;
    enum sl_ddl_target     target;
    struct sl_arena       *arena;
    struct sl_slice        charset;   /* of the database, or what the table has for new columns */
    struct sl_slice        collation; /* empty: not told */
    const struct sl_table *table;     /* NULL: not told */
    struct sql_edits       edits;
    bool                   is_other;
};

/* ---- names ---- */

/* What the target has of a collation. */
static struct sl_slice here(struct work *w, struct sl_slice collation)
{
    static const char head[] = "utf8mb4_0900_";
    struct sl_slice   begin;

    if (w->target != SL_DDL_MARIADB || !sl_slice_sub(collation, 0, sizeof head - 1, &begin) ||
        !sql_same_name(begin, sl_slice_from_string(head)))
        return collation;
    w->is_other = true;
    return sl_slice_from_string(sql_same_name(collation, sl_slice_from_string("utf8mb4_0900_ai_ci"))
                                    ? "utf8mb4_unicode_520_nopad_ci"
                                    : "utf8mb4_nopad_bin");
}

/* TiDB's collation of a charset when none is told. */
static struct sl_slice binary_of(struct work *w, struct sl_slice charset)
{
    struct sql_out out = {.arena = w->arena};

    sql_put_slice(&out, charset);
    if (!sql_same_name(charset, sl_slice_from_string("binary")))
        sql_put(&out, "_bin");
    return sql_written(&out);
}

static struct sl_slice unquoted(struct sl_slice value)
{
    bool is_quoted = value.len >= 2 &&
                     (value.bytes[0] == '\'' || value.bytes[0] == '"' || value.bytes[0] == '`');

    return is_quoted ? (struct sl_slice){value.bytes + 1, value.len - 2} : value;
}

static bool is_same_charset(struct sl_slice a, struct sl_slice b)
{
    const struct sl_slice utf8 = sl_slice_from_string("utf8");
    const struct sl_slice utf8mb3 = sl_slice_from_string("utf8mb3");

    if (sql_same_name(a, utf8mb3))
        a = utf8;
    if (sql_same_name(b, utf8mb3))
        b = utf8;
    return sql_same_name(a, b);
}

/* ---- writing ---- */

/* Both, with a blank before them. */
static const char *collate_text(struct work *w, struct sl_slice charset, struct sl_slice collation)
{
    struct sql_out out = {.arena = w->arena};

    sql_put(&out, " CHARACTER SET ");
    sql_put_slice(&out, charset);
    sql_put(&out, " COLLATE ");
    sql_put_slice(&out, here(w, collation));
    return (const char *)sql_written(&out).bytes;
}

static const char *text_of(struct work *w, struct sl_slice slice)
{
    struct sql_out out = {.arena = w->arena};

    sql_put_slice(&out, slice);
    return (const char *)sql_written(&out).bytes;
}

static void replace(struct work *w, uint32_t token, const char *by)
{
    sql_edit(&w->edits, w->sql->tokens[token].at, w->sql->tokens[token].len, by);
}

/* A charset is written at that token, without a collation. */
static void mend_charset(struct work *w, uint32_t value, struct sl_slice charset,
                         struct sl_slice collation)
{
    struct sql_out out = {.arena = w->arena};

    if (!is_same_charset(unquoted(sql_bytes(w->sql, value)), charset))
        replace(w, value, text_of(w, charset)); /* TiDB made another one of it */
    sql_put(&out, " COLLATE ");
    sql_put_slice(&out, here(w, collation));
    sql_edit(&w->edits, sql_end_of(w->sql, value), 0, (const char *)sql_written(&out).bytes);
}

/* ---- reading ---- */

/* CHARACTER SET [=] value. */
static bool take_charset(struct sql_cursor *c, uint32_t *value)
{
    struct sql_cursor ahead = *c;
    enum sql_kind     kind;

    if (!sql_take_word(&ahead, "charset") && !sql_take_words(&ahead, "character set") &&
        !sql_take_words(&ahead, "char set"))
        return false;
    (void)sql_take_sign(&ahead, '=');
    kind = c->sql->tokens[ahead.at].kind;
    if (kind != SQL_WORD && kind != SQL_NAME && kind != SQL_TEXT)
        return false;
    *value = ahead.at;
    *c = ahead;
    return sql_step(c);
}

/* Step behind the parentheses that open at the cursor. */
static void pass_parentheses(struct sql_cursor *c)
{
    uint32_t depth = 0;

    do {
        if (sql_is_sign(c->sql, c->at, '('))
            depth++;
        else if (sql_is_sign(c->sql, c->at, ')'))
            depth--;
    } while (sql_step(c) && depth > 0);
}

/* Step to the comma or parenthesis that ends a definition. Does it say COLLATE? */
static bool pass_definition(struct sql_cursor *c)
{
    bool collates = false;

    while (!sql_at_end(c) && !sql_is_sign(c->sql, c->at, ',') && !sql_is_sign(c->sql, c->at, ')')) {
        if (sql_is_sign(c->sql, c->at, '(')) {
            pass_parentheses(c);
            continue;
        }
        collates = collates || sql_is_word(c->sql, c->at, "collate");
        (void)sql_step(c);
    }
    return collates;
}

static bool takes_any(struct sql_cursor *c, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sql_take_word(c, words[i]))
            return true;
    }
    return false;
}

#define TAKES_ANY(c, words) takes_any(c, words, sizeof(words) / sizeof(words)[0])

/* ---- columns ---- */

static const struct sl_column *find_text(const struct work *w, struct sl_slice name)
{
    for (uint32_t i = 0; i < w->table->column_count; i++) {
        const struct sl_column *column = &w->table->columns[i];

        if (column->state == SL_SCHEMA_PUBLIC && sql_same_name(column->name, name))
            return sl_column_is_text(column) ? column : NULL;
    }
    return NULL;
}

/* NATIONAL means a charset of its own downstream, and none to TiDB. */
static void take_type(struct work *w, struct sql_cursor *c)
{
    static const char *const more[] = {"varying", "varchar", "varcharacter"};

    if (sql_is_word(w->sql, c->at, "national")) {
        replace(w, c->at, "");
        (void)sql_step(c);
    } else if (sql_is_word(w->sql, c->at, "nchar")) {
        replace(w, c->at, "char");
    } else if (sql_is_word(w->sql, c->at, "nvarchar")) {
        replace(w, c->at, "varchar");
    }
    (void)sql_step(c);
    (void)TAKES_ANY(c, more);
    if (sql_is_sign(w->sql, c->at, '('))
        pass_parentheses(c);
}

/* The type of a column, and what may follow it, stand at the cursor. */
static void mend_type(struct work *w, struct sql_cursor *c, const struct sl_column *column,
                      bool has_default)
{
    static const char *const short_charsets[] = {"ascii", "unicode"};
    struct sl_slice          collation =
        column->collation.len > 0 ? column->collation : binary_of(w, column->charset);
    bool     is_binary = false; /* BINARY: the _bin of its charset */
    uint32_t value = UINT32_MAX;
    uint32_t word = UINT32_MAX;
    size_t   behind;

    take_type(w, c);
    behind = sql_behind(c);
    for (;;) {
        uint32_t at = c->at;

        if (sql_take_word(c, "binary"))
            is_binary = true;
        else if (TAKES_ANY(c, short_charsets))
            word = at;
        else if (!take_charset(c, &value))
            break;
    }
    if (pass_definition(c) || is_binary)
        return;
    if (value != UINT32_MAX)
        mend_charset(w, value, column->charset, collation);
    else if (word != UINT32_MAX)
        replace(w, word, collate_text(w, column->charset, collation) + 1);
    else if (!has_default || !sl_slice_equal(column->charset, w->charset) ||
             !sl_slice_equal(collation, w->collation))
        sql_edit(&w->edits, behind, 0, collate_text(w, column->charset, collation));
}

/* A column's name and definition stand at the cursor, which ends behind them. has_default: the
 * table has TiDB's charset and collation for a column that names none. */
static void mend_column(struct work *w, struct sql_cursor *c, bool has_default)
{
    const struct sl_column *column = NULL;
    struct sl_slice         name;
    bool                    is_named;

    do {
        is_named = sql_take_name(c, w->arena, &name);
    } while (is_named && sql_take_sign(c, '.'));
    if (is_named)
        column = find_text(w, name);
    if (column != NULL && w->sql->tokens[c->at].kind == SQL_WORD)
        mend_type(w, c, column, has_default);
    else
        (void)pass_definition(c);
}

/* The list of what a table has; the cursor is at its parenthesis, and ends behind it. */
static void mend_columns(struct work *w, struct sql_cursor *c, bool has_default)
{
    static const char *const others[] = {"constraint", "primary",  "unique",  "index", "key",
                                         "foreign",    "fulltext", "spatial", "check"};

    do {
        (void)sql_step(c);
        if (TAKES_ANY(c, others))
            (void)pass_definition(c);
        else
            mend_column(w, c, has_default);
    } while (sql_is_sign(w->sql, c->at, ','));
    (void)sql_take_sign(c, ')');
}

/* ---- options of tables and databases ---- */

/* Options stand at the cursor; of ALTER TABLE they end at a comma. behind: where to say it when
 * they name neither charset nor collation; 0: nowhere. */
static void mend_options(struct work *w, struct sql_cursor *c, bool ends_at_comma, size_t behind)
{
    uint32_t value = UINT32_MAX;
    bool     collates = false;

    while (!sql_at_end(c) && !sql_is_word(w->sql, c->at, "partition") &&
           !(ends_at_comma && sql_is_sign(w->sql, c->at, ','))) {
        if (sql_is_sign(w->sql, c->at, '('))
            pass_parentheses(c);
        else if (sql_take_word(c, "collate"))
            collates = true;
        else if (!take_charset(c, &value))
            (void)sql_step(c);
    }
    if (collates || w->collation.len == 0)
        return;
    if (value != UINT32_MAX)
        mend_charset(w, value, w->charset, w->collation);
    else if (behind > 0)
        sql_edit(&w->edits, behind, 0, collate_text(w, w->charset, w->collation));
}

/* ---- statements ---- */

static void mend_create_table(struct work *w, struct sql_cursor *c)
{
    struct sql_renaming   like;
    struct sql_table_name name;

    (void)sql_take_words(c, "if not exists");
    if (w->table == NULL || sql_create_like(w->sql, w->arena, &like) ||
        !sql_take_table(c, w->arena, &name) || !sql_is_sign(w->sql, c->at, '('))
        return;
    mend_columns(w, c, w->collation.len > 0);
    mend_options(w, c, false, sql_behind(c));
}

/* One member of the list of ALTER TABLE. */
static void mend_change(struct work *w, struct sql_cursor *c)
{
    static const char *const others[] = {
        "add",        "drop",     "rename",   "alter",   "order",    "partition", "truncate",
        "reorganize", "exchange", "coalesce", "analyze", "check",    "optimize",  "rebuild",
        "repair",     "discard",  "import",   "remove",  "validate", "set",
    };
    static const char *const of_table[] = {"constraint", "primary",  "unique",   "index",
                                           "key",        "foreign",  "fulltext", "spatial",
                                           "check",      "partition"};
    struct sl_slice          old;
    bool                     changes = sql_is_word(w->sql, c->at, "change");

    if (changes || sql_is_word(w->sql, c->at, "modify")) {
        (void)sql_step(c);
        (void)sql_take_word(c, "column");
        (void)sql_take_words(c, "if exists");
        for (bool more = changes; more && sql_take_name(c, w->arena, &old);)
            more = sql_take_sign(c, '.');
        mend_column(w, c, false);
    } else if (sql_take_word(c, "add")) {
        (void)sql_take_word(c, "column");
        (void)sql_take_words(c, "if not exists");
        if (sql_is_sign(w->sql, c->at, '('))
            mend_columns(w, c, false);
        else if (!TAKES_ANY(c, of_table))
            mend_column(w, c, false);
        (void)pass_definition(c);
    } else if (TAKES_ANY(c, others)) {
        (void)pass_definition(c);
    } else {
        mend_options(w, c, true, 0);
    }
}

static void mend_alter_table(struct work *w, struct sql_cursor *c)
{
    struct sql_table_name name;

    (void)sql_take_words(c, "if exists");
    if (w->table == NULL || !sql_take_table(c, w->arena, &name))
        return;
    do {
        mend_change(w, c);
        (void)pass_definition(c);
    } while (sql_take_sign(c, ','));
}

static void mend_database(struct work *w, struct sql_cursor *c, bool is_new,
                          const struct sl_job_database *database)
{
    struct sl_slice   name;
    struct sql_cursor ahead;

    (void)sql_take_words(c, "if not exists");
    ahead = *c; /* ALTER DATABASE may leave it out */
    if (sql_take_name(&ahead, w->arena, &name) && (is_new || sql_same_name(name, database->name)))
        *c = ahead;
    mend_options(w, c, false, is_new ? sql_behind(c) : 0);
}

static void mend_statement(struct work *w, const struct sl_job_database *database)
{
    struct sql_cursor c = sql_begin(w->sql, 0);
    bool              is_new = sql_take_word(&c, "create");

    if (!is_new && !sql_take_word(&c, "alter"))
        return;
    (void)sql_take_word(&c, "ignore");
    if (sql_take_word(&c, "table")) {
        if (is_new)
            mend_create_table(w, &c);
        else
            mend_alter_table(w, &c);
    } else if (database != NULL && (sql_take_word(&c, "database") || sql_take_word(&c, "schema"))) {
        mend_database(w, &c, is_new, database);
    }
}

/* Those that are written: names of which the target has none. */
static void mend_names(struct work *w)
{
    for (uint32_t i = 0; i < w->sql->count; i++) {
        struct sql_cursor c = sql_begin(w->sql, i);
        struct sl_slice   name;
        struct sl_slice   other;

        if (c.at != i || !sql_take_word(&c, "collate"))
            continue;
        (void)sql_take_sign(&c, '=');
        name = unquoted(sql_bytes(w->sql, c.at));
        other = here(w, name);
        if (!sl_slice_equal(name, other))
            replace(w, c.at, text_of(w, other));
    }
}

/* ---- what TiDB says ---- */

static enum sl_err read_described(struct work *w, const struct ddl_described *described,
                                  struct sl_table **table)
{
    enum sl_err err;

    *table = NULL;
    if (described->database != NULL) {
        w->charset = described->database->charset;
        w->collation = described->database->collation;
    } else if (described->info != NULL) {
        if ((err = job_take_text(described->info, "charset", &w->charset, NULL)) != SL_OK ||
            (err = job_take_text(described->info, "collate", &w->collation, NULL)) != SL_OK ||
            (err = table_info_read(described->info, sl_slice_from_string(""), 0, table, NULL)) !=
                SL_OK)
            return err;
        w->table = *table;
    }
    if (w->charset.len == 0)
        w->collation = w->charset;
    else if (w->collation.len == 0)
        w->collation = binary_of(w, w->charset);
    return SL_OK;
}

struct sl_slice ddl_collations(struct sl_slice text, enum sl_ddl_target target,
                               const struct ddl_described *described, struct sl_arena *arena,
                               bool *is_other)
{
    struct work      w = {.target = target, .arena = arena};
    struct sql_text  closed;
    struct sql_text  sql;
    struct sl_table *table;

    *is_other = false;
    if (target == SL_DDL_TIDB || sql_scan(text, arena, &closed, NULL) != SL_OK ||
        sql_open_comments(&closed, arena, &sql) != SL_OK ||
        read_described(&w, described, &table) != SL_OK)
        return text;
    w.sql = &sql;
    w.edits = sql_edits_begin(arena, 2 * sql.count + 2);
    mend_statement(&w, described->database);
    mend_names(&w);
    *is_other = w.is_other;
    if (w.edits.count > 0)
        text = sql_edited(&w.edits, text, arena);
    sl_table_free(&table);
    return text;
}
