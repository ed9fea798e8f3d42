#include "binlog/ddl_parts.h"

#include <string.h>

#include "binlog/ddl.h"
#include "binlog/job_json.h"
#include "binlog/sql_edit.h"
#include "binlog/table_info.h"

struct sl_slice ddl_keep(struct sl_arena *arena, struct sl_slice text)
{
    uint8_t *bytes = sl_arena_alloc(arena, text.len + 1);

    if (text.len > 0)
        memcpy(bytes, text.bytes, text.len);
    bytes[text.len] = '\0';
    return (struct sl_slice){bytes, text.len};
}

bool sl_ddl_is_setval(struct sl_slice query)
{
    static const char words[] = "select setval";
    struct sl_slice   head;

    while (query.len > 0 && query.bytes[0] <= ' ') {
        query.bytes++;
        query.len--;
    }
    return sl_slice_sub(query, 0, sizeof words - 1, &head) &&
           sql_same_name(head, sl_slice_from_string(words));
}

/* ---- one statement of several ---- */

/* The words that a statement of this job may begin with. */
static bool fits_verb(int type, const struct sql_text *sql, uint32_t first)
{
    static const struct verb {
        int         type;
        const char *word;
    } verbs[] = {
        {SL_JOB_CREATE_SCHEMA, "create"},    {SL_JOB_CREATE_TABLE, "create"},
        {SL_JOB_CREATE_VIEW, "create"},      {SL_JOB_CREATE_SEQUENCE, "create"},
        {SL_JOB_ADD_INDEX, "create"},        {SL_JOB_DROP_SCHEMA, "drop"},
        {SL_JOB_DROP_TABLE, "drop"},         {SL_JOB_DROP_VIEW, "drop"},
        {SL_JOB_DROP_SEQUENCE, "drop"},      {SL_JOB_DROP_INDEX, "drop"},
        {SL_JOB_TRUNCATE_TABLE, "truncate"}, {SL_JOB_RENAME_TABLE, "rename"},
        {SL_JOB_RENAME_TABLES, "rename"},
    };
    bool has_own = false;

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (verbs[i].type != type)
            continue;
        if (sql_is_word(sql, first, verbs[i].word))
            return true;
        has_own = true;
    }
    /* An index and a new name may come from ALTER TABLE as well. */
    return sql_is_word(sql, first, "alter") &&
           (!has_own || type == SL_JOB_ADD_INDEX || type == SL_JOB_DROP_INDEX ||
            type == SL_JOB_RENAME_TABLE);
}

static bool names(const struct sql_text *sql, uint32_t from, uint32_t to, struct sl_slice name,
                  struct sl_arena *arena)
{
    for (uint32_t i = from; i < to; i++) {
        struct sql_cursor at = {sql, i};
        struct sl_slice   word;

        if (sql_take_name(&at, arena, &word) && sql_same_name(word, name))
            return true;
    }
    return false;
}

static struct sl_slice name_of(const struct sl_job *job, const struct sl_table *old)
{
    if (job->has_database)
        return job->database.name;
    return old != NULL ? old->name : job->table_count > 0 ? job->tables[0].name : job->table_name;
}

/* Is there more behind the first semicolon? */
static bool has_several(const struct sql_text *sql)
{
    for (uint32_t i = 0; i < sql->count; i++) {
        struct sql_cursor behind = {sql, i};

        if (sql_is_sign(sql, i, ';'))
            return !sql_at_end(&behind);
    }
    return false;
}

enum sl_err ddl_statement_of(const struct sl_job *job, const struct sl_table *old,
                             struct sl_slice query, struct sl_arena *arena, struct sql_text *out,
                             struct sl_why *why)
{
    struct sql_text all;
    uint32_t        from = 0;
    enum sl_err     err;

    if ((err = sql_scan(query, arena, &all, why)) != SL_OK)
        return err;
    *out = all;
    for (uint32_t i = 0; has_several(&all) && i <= all.count; i++) {
        size_t          begin = all.tokens[from].at;
        struct sl_slice text = {query.bytes + begin, all.tokens[i].at - begin};

        if (i < all.count && !sql_is_sign(&all, i, ';'))
            continue;
        if (fits_verb(job->type, &all, sql_begin(&all, from).at) &&
            names(&all, from, i, name_of(job, old), arena))
            return sql_scan(ddl_keep(arena, text), arena, out, why);
        from = i < all.count ? i + 1 : i;
    }
    return SL_OK;
}

/* ---- texts ---- */

bool ddl_has_if(const struct sql_text *sql)
{
    for (uint32_t i = 0; i + 1 < sql->count; i++) {
        struct sql_cursor at = sql_begin(sql, i);

        if (sql_is_sign(sql, i, '('))
            return false;
        if (sql_take_words(&at, "if exists") || sql_take_words(&at, "if not exists"))
            return true;
    }
    return false;
}

/* Behind user[@host] or CURRENT_USER[()]. */
static void pass_user(struct sql_cursor *c)
{
    bool is_current = sql_take_word(c, "current_user");

    if (is_current) {
        if (sql_take_sign(c, '('))
            (void)sql_take_sign(c, ')');
        return;
    }
    (void)sql_step(c);
    if (sql_take_sign(c, '@'))
        (void)sql_step(c);
}

struct sl_slice ddl_without_definer(const struct sql_text *sql, struct sl_arena *arena)
{
    struct sql_edits edits = sql_edits_begin(arena, 1);

    for (uint32_t i = 0; i < sql->count && !sql_is_word(sql, i, "view"); i++) {
        struct sql_cursor at = sql_begin(sql, i);
        size_t            begin = sql->tokens[i].at;

        if (!sql_take_word(&at, "definer") || !sql_take_sign(&at, '='))
            continue;
        pass_user(&at);
        sql_edit(&edits, begin, sql->tokens[at.at].at - begin, "");
        break;
    }
    return sql_edited(&edits, sql->text, arena);
}

/* ---- tables ---- */

bool ddl_has_columns(const struct sl_json *info)
{
    const struct sl_json *view;
    const struct sl_json *sequence;

    return job_take_object(info, "view", &view, NULL) == SL_OK && view == NULL &&
           job_take_object(info, "sequence", &sequence, NULL) == SL_OK && sequence == NULL;
}

bool ddl_has_checks(const struct sl_job *job)
{
    const struct sl_json *checks;

    for (uint32_t i = 0; i < job->table_count; i++) {
        if (job_take_array(job->tables[i].info, "constraint_info", &checks, NULL) == SL_OK &&
            checks != NULL && sl_json_count(checks) > 0)
            return true;
    }
    return false;
}

/* Bytes and numbers have the charset "binary", whatever the table has. */
static bool has_charset(const struct sl_column *column)
{
    return column->charset.len > 0 && !column->is_binary && column->type != SL_TYPE_JSON;
}

enum sl_err ddl_converts(const struct sl_json *info, bool *converts, struct sl_slice *charset,
                         struct sl_slice *collation, struct sl_why *why)
{
    struct sl_table *table;
    enum sl_err      err;
    bool             any = false;
    bool             all = true;

    if ((err = job_take_text(info, "charset", charset, why)) != SL_OK ||
        (err = job_take_text(info, "collate", collation, why)) != SL_OK ||
        (err = table_info_read(info, sl_slice_from_string(""), 0, &table, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct sl_column *column = &table->columns[i];

        if (!has_charset(column))
            continue;
        any = true;
        all = all && sl_slice_equal(column->charset, *charset) &&
              sl_slice_equal(column->collation, *collation);
    }
    *converts = any && all && charset->len > 0 && collation->len > 0;
    sl_table_free(&table);
    return SL_OK;
}

static bool has_name(const struct sl_table *table, struct sl_slice name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (sl_slice_equal(table->columns[i].name, name))
            return true;
    }
    return false;
}

enum sl_err ddl_renames_column(const struct sl_table *old, const struct sl_json *info,
                               bool *renames, struct sl_why *why)
{
    struct sl_table *table;
    enum sl_err      err;

    if ((err = table_info_read(info, sl_slice_from_string(""), 0, &table, why)) != SL_OK)
        return err;
    *renames = old == NULL;
    for (uint32_t i = 0; old != NULL && i < table->column_count; i++) {
        const struct sl_column *column = &table->columns[i];
        const struct sl_column *was = sl_table_column(old, column->id);

        /* MODIFY with a change of type gives the column another id. */
        if (was != NULL ? !sl_slice_equal(was->name, column->name)
                        : column->state == SL_SCHEMA_PUBLIC && !has_name(old, column->name))
            *renames = true;
    }
    sl_table_free(&table);
    return SL_OK;
}
