#include "binlog/ddl_clauses.h"

#include <string.h>

#include "binlog/sql_edit.h"

/* A statement being looked through, by its tokens without comments. */
struct clauses {
    const struct sql_text *sql;
    enum sl_ddl_target     target;
    bool                   has_checks; /* the source keeps to its CHECK constraints */
    struct sl_arena       *arena;
    uint32_t              *tokens; /* those that are no comments */
    uint32_t              *depth;  /* parentheses open before each */
    uint32_t               count;
    bool                  *removed; /* by token */
    struct sql_edits       edits;
    bool                   has_ttl_enable;
    bool                   has_ttl;
    size_t                 behind_ttl; /* where the text goes on behind the TTL */
};

static const char ttl_off[] = " /*T![ttl] TTL_ENABLE = 'OFF' */";

/* ---- looking at tokens ---- */

static bool word_at(const struct clauses *c, uint32_t k, const char *word)
{
    return k < c->count && sql_is_word(c->sql, c->tokens[k], word);
}

static bool sign_at(const struct clauses *c, uint32_t k, char sign)
{
    return k < c->count && sql_is_sign(c->sql, c->tokens[k], sign);
}

static enum sql_kind kind_at(const struct clauses *c, uint32_t k)
{
    return k < c->count ? c->sql->tokens[c->tokens[k]].kind : SQL_END;
}

static void find_tokens(struct clauses *c)
{
    uint32_t depth = 0;

    c->tokens = sl_arena_alloc(c->arena, c->sql->count * sizeof *c->tokens);
    c->depth = sl_arena_alloc(c->arena, c->sql->count * sizeof *c->depth);
    c->removed = sl_arena_alloc(c->arena, c->sql->count * sizeof *c->removed);
    for (uint32_t i = 0; i < c->sql->count; i++) {
        c->removed[i] = false;
        if (c->sql->tokens[i].kind == SQL_COMMENT)
            continue;
        if (sql_is_sign(c->sql, i, ')') && depth > 0)
            depth--;
        c->tokens[c->count] = i;
        c->depth[c->count++] = depth;
        depth += sql_is_sign(c->sql, i, '(');
    }
}

/* ---- one clause ---- */

/* Behind "[=] value", from the token behind an option's name; 0: there is no value. */
static uint32_t behind_value(const struct clauses *c, uint32_t k)
{
    if (sign_at(c, k, '='))
        k++;
    return kind_at(c, k) == SQL_END || kind_at(c, k) == SQL_SIGN ? 0 : k + 1;
}

/* Is the word at k in the place of a name, not of a keyword? */
static bool is_name(const struct clauses *c, uint32_t k)
{
    static const char *const before[] = {"add",   "column", "modify", "change",     "after", "by",
                                         "index", "key",    "table",  "constraint", "drop",  "to"};

    if (k == 0 || sign_at(c, k - 1, '.') || sign_at(c, k - 1, '(') || sign_at(c, k + 1, '.'))
        return true;
    if (sign_at(c, k - 1, ',') && c->depth[k] > 0)
        return true;
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        if (word_at(c, k - 1, before[i]))
            return true;
    }
    return false;
}

/* [DEFAULT] PLACEMENT POLICY [=] name, or SET DEFAULT. */
static uint32_t behind_placement(const struct clauses *c, uint32_t k)
{
    if (word_at(c, k, "default"))
        k++;
    if (!word_at(c, k, "placement") || !word_at(c, k + 1, "policy"))
        return 0;
    return behind_value(c, k + 2 + word_at(c, k + 2, "set"));
}

/* TTL [=] column + INTERVAL count unit. */
static uint32_t behind_ttl(const struct clauses *c, uint32_t k)
{
    if (!word_at(c, k, "ttl") || c->depth[k] > 0)
        return 0;
    k += sign_at(c, k + 1, '=') ? 2 : 1;
    return sign_at(c, k + 1, '+') && word_at(c, k + 2, "interval") ? k + 5 : 0;
}

static uint32_t behind_option(const struct clauses *c, uint32_t k)
{
    static const char *const options[] = {
        "shard_row_id_bits", "pre_split_regions", "auto_id_cache",  "auto_random_base",
        "ttl_enable",        "ttl_job_interval",  "stats_buckets",  "stats_topn",
        "stats_sample_rate", "stats_col_choice",  "stats_col_list",
    };

    if (c->depth[k] > 0)
        return 0;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (word_at(c, k, options[i]))
            return behind_value(c, k + 1);
    }
    return 0;
}

/* AUTO_RANDOM [(bits [, range])] of a column. */
static uint32_t behind_auto_random(const struct clauses *c, uint32_t k)
{
    uint32_t end = k + 1;

    if (!word_at(c, k, "auto_random"))
        return 0;
    if (!sign_at(c, end, '('))
        return end;
    while (end < c->count && !sign_at(c, end, ')'))
        end++;
    return end + 1;
}

/* Behind the clause of TiDB's own that begins at k; 0: none does. */
static uint32_t behind_own(const struct clauses *c, uint32_t k)
{
    uint32_t end;

    if (k == 0)
        return 0;
    if (word_at(c, k, "clustered") || word_at(c, k, "nonclustered"))
        return sign_at(c, k - 1, ')') || (word_at(c, k - 1, "key") && !sign_at(c, k + 1, '('))
                   ? k + 1
                   : 0;
    if (is_name(c, k))
        return 0;
    if ((end = behind_ttl(c, k)) != 0 || (end = behind_option(c, k)) != 0 ||
        (end = behind_auto_random(c, k)) != 0)
        return end;
    if (word_at(c, k, "remove") && word_at(c, k + 1, "ttl"))
        return k + 2;
    return word_at(c, k, "force") && word_at(c, k + 1, "auto_increment") ? k + 1 : 0;
}

/* ---- rows that expire ---- */

static bool is_on(const struct sql_text *sql, uint32_t token)
{
    struct sl_slice text = sql_bytes(sql, token);

    return sql->tokens[token].kind == SQL_TEXT && text.len == 4 &&
           sql_same_name((struct sl_slice){text.bytes + 1, 2}, sl_slice_from_string("on"));
}

/* Turn the value of a TTL_ENABLE whose name is the token before `value`; base is where the text of
 * the tokens begins in the statement. */
static void turn_off(struct clauses *c, const struct sql_text *sql, uint32_t value, size_t base)
{
    if (sql_is_sign(sql, value, '='))
        value++;
    c->has_ttl_enable = true;
    if (value < sql->count && is_on(sql, value))
        sql_edit(&c->edits, base + sql->tokens[value].at, sql->tokens[value].len, "'OFF'");
}

static bool begins(const struct sql_text *sql, uint32_t token, const char *text)
{
    struct sl_slice bytes = sql_bytes(sql, token);
    size_t          len = strlen(text);

    return bytes.len >= len && memcmp(bytes.bytes, text, len) == 0;
}

static void look_into_ttl(struct clauses *c, uint32_t comment)
{
    static const char head[] = "/*T![ttl]";
    struct sl_slice   bytes = sql_bytes(c->sql, comment);
    struct sl_slice   text = {bytes.bytes + sizeof head - 1, bytes.len - sizeof head + 1 - 2};
    size_t            base = c->sql->tokens[comment].at + sizeof head - 1;
    struct sql_text   inner;

    if (sql_scan(text, c->arena, &inner, NULL) != SL_OK)
        return;
    for (uint32_t i = 0; i < inner.count; i++) {
        if (sql_is_word(&inner, i, "ttl_enable")) {
            turn_off(c, &inner, i + 1, base);
        } else if (sql_is_word(&inner, i, "ttl") &&
                   (i == 0 || !sql_is_word(&inner, i - 1, "remove"))) {
            c->has_ttl = true;
            c->behind_ttl = sql_end_of(c->sql, comment);
        }
    }
}

static void look_at_comment(struct clauses *c, uint32_t token)
{
    if (begins(c->sql, token, "/*T![placement]"))
        c->removed[token] = true;
    else if (begins(c->sql, token, "/*!90000") && c->target == SL_DDL_MYSQL)
        c->removed[token] = true; /* of old TiDB; MySQL 9 would execute it */
    else if (begins(c->sql, token, "/*T![ttl]"))
        look_into_ttl(c, token);
}

static void look_at_ttl(struct clauses *c, uint32_t k)
{
    uint32_t end = is_name(c, k) ? 0 : behind_ttl(c, k);

    if (end != 0 && end <= c->count) {
        c->has_ttl = true;
        c->behind_ttl = sql_end_of(c->sql, c->tokens[end - 1]);
    }
    if (word_at(c, k, "ttl_enable") && !is_name(c, k) && c->depth[k] == 0 && k + 1 < c->count)
        turn_off(c, c->sql, c->tokens[k + 1], 0);
}

/* ---- CHECK constraints ---- */

/* The bracket that closes the one at k, or the end. */
static uint32_t closing(const struct clauses *c, uint32_t k)
{
    uint32_t depth = c->depth[k];

    do {
        k++;
    } while (k < c->count && (c->depth[k] != depth || !sign_at(c, k, ')')));
    return k;
}

/* The first token of the constraint whose CHECK is at k: [ADD] [CONSTRAINT [name]] CHECK. */
static uint32_t begin_of_check(const struct clauses *c, uint32_t k)
{
    if (k > 0 && word_at(c, k - 1, "constraint"))
        k--;
    else if (k > 1 && word_at(c, k - 2, "constraint"))
        k -= 2;
    return k > 0 && word_at(c, k - 1, "add") ? k - 1 : k;
}

/* Between brackets, a member of a list goes with one of its commas. */
static void remove_check(struct clauses *c, uint32_t from, uint32_t to)
{
    bool is_first = from > 0 && sign_at(c, from - 1, '(');

    if (c->depth[from] > 0 && (sign_at(c, to, ',') || sign_at(c, to, ')'))) {
        if (from > 0 && sign_at(c, from - 1, ','))
            from--;
        else if (is_first && sign_at(c, to, ','))
            to++;
    }
    for (uint32_t k = from; k < to; k++)
        c->removed[c->tokens[k]] = true;
}

/* A source that does not keep to its constraints has rows that break them, and a downstream would
 * refuse those. MariaDB has no constraint that is not enforced, and no word for one that is. */
static uint32_t look_at_check(struct clauses *c, uint32_t k)
{
    uint32_t end, behind;
    bool     is_idle;

    if (!word_at(c, k, "check") || !sign_at(c, k + 1, '('))
        return 0;
    end = closing(c, k + 1) + 1;
    if (end > c->count)
        return 0;
    is_idle = word_at(c, end, "not") && word_at(c, end + 1, "enforced");
    behind = is_idle ? end + 2 : end + word_at(c, end, "enforced");
    if (!c->has_checks || (is_idle && c->target == SL_DDL_MARIADB)) {
        remove_check(c, begin_of_check(c, k), behind);
        return behind;
    }
    if (c->target == SL_DDL_MARIADB && behind > end)
        c->removed[c->tokens[end]] = true;
    return 0;
}

/* ---- MariaDB's own words ---- */

/* An option that TiDB reads and forgets, and that MariaDB does not know: of a table, or where a
 * column is stored. */
static uint32_t behind_unknown(const struct clauses *c, uint32_t k)
{
    if (is_name(c, k))
        return 0;
    if (word_at(c, k, "compression") || word_at(c, k, "encryption") ||
        word_at(c, k, "secondary_engine"))
        return c->depth[k] > 0 ? 0 : behind_value(c, k + 1);
    if (word_at(c, k, "column_format") &&
        (word_at(c, k + 1, "fixed") || word_at(c, k + 1, "dynamic") ||
         word_at(c, k + 1, "default")))
        return k + 2;
    if (word_at(c, k, "storage") &&
        (word_at(c, k + 1, "disk") || word_at(c, k + 1, "memory") || word_at(c, k + 1, "default")))
        return k + 2;
    return 0;
}

static bool ends_member(const struct clauses *c, uint32_t k, uint32_t depth)
{
    return c->depth[k] < depth || (c->depth[k] == depth && sign_at(c, k, ','));
}

/* A generated column whose expression follows the AS at k: it has no [NOT] NULL there. */
static void look_at_generated(struct clauses *c, uint32_t k)
{
    uint32_t depth = c->depth[k];
    uint32_t first = k;

    if (!word_at(c, k, "as") || !sign_at(c, k + 1, '(') ||
        !(word_at(c, 1, "table") || word_at(c, 2, "table")))
        return;
    while (first > 0 && !ends_member(c, first - 1, depth))
        first--;
    for (uint32_t i = first; i < c->count && !ends_member(c, i, depth); i++) {
        bool is_not = i > first && word_at(c, i - 1, "not");

        if (c->depth[i] != depth || !word_at(c, i, "null") || word_at(c, i - 1, "set"))
            continue;
        c->removed[c->tokens[i]] = true;
        if (is_not)
            c->removed[c->tokens[i - 1]] = true;
    }
}

/* Indexes are IGNORED there; an exchange always validates. */
static void translate(struct clauses *c, uint32_t k)
{
    const struct sql_token *token = &c->sql->tokens[c->tokens[k]];
    bool of_index = k > 1 && (sign_at(c, k - 1, ')') || word_at(c, k - 2, "index"));

    if (of_index && word_at(c, k, "invisible"))
        sql_edit(&c->edits, token->at, token->len, "IGNORED");
    else if (of_index && word_at(c, k, "visible"))
        sql_edit(&c->edits, token->at, token->len, "NOT IGNORED");
    else if ((word_at(c, k, "with") || word_at(c, k, "without")) && word_at(c, k + 1, "validation"))
        c->removed[c->tokens[k]] = c->removed[c->tokens[k + 1]] = true;
}

/* ---- all of them ---- */

static void remove_tokens(struct clauses *c, uint32_t from, uint32_t to)
{
    for (uint32_t k = from; k < to && k < c->count; k++)
        c->removed[c->tokens[k]] = true;
}

static void look_at_words(struct clauses *c)
{
    for (uint32_t k = 0; k < c->count; k++) {
        uint32_t end = is_name(c, k) ? 0 : behind_placement(c, k);
        uint32_t behind;

        if (end == 0 && c->target != SL_DDL_TIDB)
            end = behind_own(c, k);
        if (end == 0 && c->target == SL_DDL_MARIADB)
            end = behind_unknown(c, k);
        if (end == 0 && c->target != SL_DDL_TIDB && (behind = look_at_check(c, k)) != 0) {
            k = behind - 1;
            continue;
        }
        if (end != 0) {
            remove_tokens(c, k, end);
            k = end - 1;
            continue;
        }
        if (c->target == SL_DDL_TIDB)
            look_at_ttl(c, k);
        if (c->target == SL_DDL_MARIADB) {
            translate(c, k);
            look_at_generated(c, k);
        }
    }
}

/* The first token behind "ALTER [IGNORE] TABLE name" or "ALTER DATABASE name"; 0: another
 * statement. */
static uint32_t list_of_alter(const struct clauses *c)
{
    struct sql_cursor     at = sql_begin(c->sql, 0);
    struct sql_table_name name;

    if (!sql_take_word(&at, "alter"))
        return 0;
    (void)sql_take_word(&at, "ignore");
    if (!sql_take_word(&at, "table") && !sql_take_word(&at, "database") &&
        !sql_take_word(&at, "schema"))
        return 0;
    if (!sql_take_table(&at, c->arena, &name))
        return 0;
    while (at.at > 0 && c->sql->tokens[at.at - 1].kind == SQL_COMMENT)
        at.at--;
    return at.at;
}

/* The first token behind the columns of CREATE TABLE: there its options begin. */
static uint32_t options_of_create(const struct clauses *c)
{
    for (uint32_t k = 0; k < c->count; k++) {
        if (sign_at(c, k, ')') && c->depth[k] == 0)
            return c->tokens[k] + 1;
    }
    return 0;
}

/* Of a list of which members were taken out, the commas that nothing is left for. */
static void remove_commas(struct clauses *c, uint32_t list)
{
    uint32_t comma = UINT32_MAX; /* before the member that is looked at */
    bool     any_kept = false;   /* of the members before it */
    bool     kept = false;       /* something of the member itself */
    bool     removed = false;

    for (uint32_t k = 0; k <= c->count; k++) {
        bool end = k == c->count || (sign_at(c, k, ',') && c->depth[k] == 0);

        if (!end) {
            bool gone = c->removed[c->tokens[k]];

            if (c->tokens[k] >= list && !sign_at(c, k, ';')) {
                kept = kept || !gone;
                removed = removed || gone;
            }
            continue;
        }
        if (comma != UINT32_MAX && ((removed && !kept) || !any_kept))
            c->removed[comma] = true;
        any_kept = any_kept || kept;
        comma = k < c->count ? c->tokens[k] : UINT32_MAX;
        kept = removed = false;
    }
}

static bool says_nothing(const struct clauses *c, uint32_t list)
{
    for (uint32_t i = list; i < c->sql->count; i++) {
        bool is_comment = c->sql->tokens[i].kind == SQL_COMMENT;

        if (c->removed[i] || sql_is_sign(c->sql, i, ';'))
            continue;
        if (!is_comment)
            return false;
        if (c->target == SL_DDL_TIDB ? begins(c->sql, i, "/*T!") || begins(c->sql, i, "/*!")
                                     : begins(c->sql, i, "/*!") && !begins(c->sql, i, "/*!90000"))
            return false;
    }
    return true;
}

/* Neighbours go with what is between them. */
static void edit_removed(struct clauses *c)
{
    for (uint32_t i = 0; i < c->sql->count; i++) {
        uint32_t first = i;

        if (!c->removed[i])
            continue;
        while (i + 1 < c->sql->count && c->removed[i + 1] &&
               c->sql->tokens[i + 1].kind != SQL_COMMENT)
            i++;
        sql_edit(&c->edits, c->sql->tokens[first].at,
                 sql_end_of(c->sql, i) - c->sql->tokens[first].at, "");
    }
}

struct sl_slice ddl_clauses(const struct sql_text *sql, enum sl_ddl_target target, bool has_checks,
                            struct sl_arena *arena, bool *is_empty)
{
    struct clauses c = {.sql = sql, .target = target, .has_checks = has_checks, .arena = arena};
    uint32_t       list;

    c.edits = sql_edits_begin(arena, 2 * sql->count + 2);
    find_tokens(&c);
    for (uint32_t i = 0; i < sql->count; i++) {
        if (sql->tokens[i].kind == SQL_COMMENT)
            look_at_comment(&c, i);
    }
    look_at_words(&c);
    list = list_of_alter(&c);
    remove_commas(&c, list > 0 ? list : options_of_create(&c));
    if (c.has_ttl && !c.has_ttl_enable)
        sql_edit(&c.edits, c.behind_ttl, 0, ttl_off);
    edit_removed(&c);
    *is_empty = list > 0 && says_nothing(&c, list);
    return sql_edited(&c.edits, sql->text, arena);
}
