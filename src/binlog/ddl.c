#include "binlog/ddl.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "binlog/create_table.h"
#include "binlog/ddl_case.h"
#include "binlog/ddl_clauses.h"
#include "binlog/ddl_collations.h"
#include "binlog/ddl_parts.h"
#include "binlog/schema_rename.h"
#include "binlog/sql_edit.h"
#include "binlog/sql_statement.h"
#include "binlog/table_info.h"

/* An action being made. */
struct plan {
    const struct sl_ddl_input *in;
    struct sl_ddl_action      *action;
    struct sl_ddl_object      *touched; /* the action's, to write */
    struct sl_arena           *arena;   /* of the action */
    struct sql_text            sql;     /* the one statement of the text that is the job's */
    const struct sl_table     *old;     /* the job's table as the tracker has it, or NULL */
    struct sl_slice            schema;  /* name of the job's database; empty: not known */
};

/* An action and its memory. */
struct made {
    struct sl_ddl_action action; /* first: a pointer to it is a pointer to the whole */
    struct sl_arena      arena;
};

/* ---- ends ---- */

static enum sl_err skip(struct plan *p, const char *reason)
{
    p->action->kind = SL_DDL_SKIP;
    p->action->reason = reason;
    return SL_OK;
}

static enum sl_err stop(struct plan *p, const char *reason)
{
    p->action->kind = SL_DDL_STOP;
    p->action->reason = reason;
    return SL_OK;
}

/* The statement about that TableInfo, which may be NULL, with what its text compares by. */
static struct sl_slice collated(struct plan *p, struct sl_slice text, const struct sl_json *info)
{
    const struct sl_job       *job = p->in->job;
    const struct ddl_described described = {
        info == NULL && job->has_database ? &job->database : NULL, info};
    bool is_other;

    text = ddl_collations(text, p->in->target, &described, p->arena, &is_other);
    if (is_other)
        p->action->notice = "MariaDB has not the collation that TiDB has, but its nearest";
    return text;
}

/* Execute one statement, made by us: it names everything in full. */
static enum sl_err execute(struct plan *p, struct sl_slice text, enum sl_ddl_class repeat)
{
    const struct sl_job     *job = p->in->job;
    struct sl_ddl_statement *statement = sl_arena_alloc(p->arena, sizeof *statement);

    text = collated(p, text, job->table_count == 1 ? job->tables[0].info : NULL);
    *statement = (struct sl_ddl_statement){text, p->action->object};
    p->action->statements = statement;
    p->action->statement_count = 1;
    p->action->repeat = repeat;
    return SL_OK;
}

/* Execute the text as TiDB gave it, less what the downstream must not see. */
static enum sl_err execute_text(struct plan *p, enum sl_ddl_class repeat)
{
    struct sl_slice text = ddl_own_case(&p->sql, p->in->schema, p->schema, p->arena);
    struct sql_text sql;
    bool            is_empty;

    if (sql_scan(text, p->arena, &sql, NULL) != SL_OK)
        sql = p->sql; /* cannot be: only names were replaced by quoted ones */
    text = ddl_clauses(&sql, p->in->target, ddl_has_checks(p->in->job), p->arena, &is_empty);
    if (is_empty)
        return skip(p, "nothing is left of it without the options that only TiDB has");
    p->action->use_database = p->schema;
    return execute(p, text, repeat);
}

/* ---- what is touched ---- */

/* Room for `more` objects behind those that are there. */
static void make_room(struct plan *p, size_t more)
{
    struct sl_ddl_object *all =
        sl_arena_alloc(p->arena, (p->action->touched_count + more) * sizeof *all);

    if (p->action->touched_count > 0)
        memcpy(all, p->action->touched, p->action->touched_count * sizeof *all);
    p->action->touched = p->touched = all;
}

static void touch(struct plan *p, struct sl_slice schema, struct sl_slice table)
{
    uint32_t count = p->action->touched_count;

    for (uint32_t i = 0; i < count && i < SL_DDL_DISTINCT_MAX; i++) {
        if (sl_slice_equal(p->touched[i].schema, schema) &&
            sl_slice_equal(p->touched[i].table, table))
            return;
    }
    p->touched[count] =
        (struct sl_ddl_object){ddl_keep(p->arena, schema), ddl_keep(p->arena, table)};
    p->action->touched_count++;
}

/* The job's own table, old and new, and any other that it tells of. Of an exchange, the table that
 * has partitions is the one it is judged by. */
static void note_objects(struct plan *p)
{
    const struct sl_job *job = p->in->job;
    struct sl_slice      schema = p->schema;
    struct sl_slice      table = p->old != NULL ? p->old->name : job->table_name;

    make_room(p, (size_t)job->table_count + 2);
    if (p->old != NULL)
        touch(p, p->old->schema, p->old->name);
    for (uint32_t i = 0; i < job->table_count; i++) {
        const struct sl_table *known = sl_schema_table(p->in->schema, job->tables[i].id);

        if (known != NULL && known != p->old)
            schema = known->schema;
        touch(p, schema, job->tables[i].name);
    }
    if (job->table_count == 1)
        table = job->tables[0].name;
    p->action->object =
        (struct sl_ddl_object){ddl_keep(p->arena, schema), ddl_keep(p->arena, table)};
}

/* ---- databases ---- */

static enum sl_err plan_database(struct plan *p)
{
    bool is_new = p->in->job->type == SL_JOB_CREATE_SCHEMA;

    p->action->object =
        (struct sl_ddl_object){ddl_keep(p->arena, p->schema), sl_slice_from_string("")};
    make_room(p, 1);
    touch(p, p->schema, sl_slice_from_string(""));
    p->action->is_create_database = is_new;
    if (p->in->job->type == SL_JOB_MODIFY_SCHEMA_CHARSET)
        return execute_text(p, SL_DDL_REPEATABLE);
    (void)execute_text(p, ddl_has_if(&p->sql) ? SL_DDL_REPEATABLE : SL_DDL_CHECKABLE);
    p->action->use_database = sl_slice_from_string("");
    return SL_OK;
}

/* ---- new tables ---- */

static enum sl_err create_from_info(struct plan *p, struct sl_why *why)
{
    const struct sl_job     *job = p->in->job;
    struct sl_ddl_statement *all = sl_arena_alloc(p->arena, job->table_count * sizeof *all);
    uint32_t                 count = 0;
    enum sl_err              err;

    if (p->schema.len == 0)
        return sl_fail(why, SL_INVALID, "its database is not known");
    for (uint32_t i = 0; i < job->table_count; i++) {
        struct sql_out out = {.arena = p->arena};

        if (job->tables[i].id > SL_TABLE_ID_MAX || table_info_is_temporary(job->tables[i].info) ||
            !ddl_has_columns(job->tables[i].info))
            continue;
        if ((err = create_table_write(job->tables[i].info, p->schema, &out, why)) != SL_OK)
            return err;
        all[count++] = (struct sl_ddl_statement){
            collated(p, sql_written(&out), job->tables[i].info),
            {p->action->object.schema, ddl_keep(p->arena, job->tables[i].name)}};
    }
    if (count == 0)
        return skip(p, "it makes no table that has rows in the stream");
    p->action->statements = all;
    p->action->statement_count = count;
    p->action->repeat = SL_DDL_REPEATABLE;
    return SL_OK;
}

/* CREATE TABLE d.t LIKE s: in which database the client was, and so which s it meant, is not told.
 */
static bool is_like_of_unknown(struct plan *p)
{
    struct sql_renaming like;

    return sql_create_like(&p->sql, p->arena, &like) && like.to.schema.len > 0 &&
           like.from.schema.len == 0;
}

static enum sl_err plan_create_table(struct plan *p, struct sl_why *why)
{
    const struct sl_job *job = p->in->job;

    if (job->table_count != 1)
        return sl_fail(why, SL_INVALID, "it has no TableInfo");
    if (table_info_is_temporary(job->tables[0].info))
        return skip(p, "a temporary table has no rows in the stream");
    if (is_like_of_unknown(p))
        return create_from_info(p, why);
    return execute_text(p, ddl_has_if(&p->sql) ? SL_DDL_REPEATABLE : SL_DDL_CHECKABLE);
}

static enum sl_err plan_view(struct plan *p)
{
    p->action->may_fail = true;
    p->sql.text = ddl_without_definer(&p->sql, p->arena);
    if (sql_scan(p->sql.text, p->arena, &p->sql, NULL) != SL_OK)
        return skip(p, "its text cannot be read"); /* cannot be: a part of what was read */
    return execute_text(p, SL_DDL_CHECKABLE);
}

/* ---- tables that go ---- */

static const char *drop_word(const struct plan *p)
{
    if (p->in->job->type == SL_JOB_DROP_VIEW || (p->old != NULL && p->old->is_view))
        return "DROP VIEW ";
    if (p->in->job->type == SL_JOB_DROP_SEQUENCE || (p->old != NULL && p->old->is_sequence))
        return "DROP SEQUENCE ";
    return "DROP TABLE ";
}

/* One text for several tables is one job for each: of it, only the job's own table is dropped. */
static enum sl_err plan_drop(struct plan *p, struct sl_why *why)
{
    const struct sl_job *job = p->in->job;
    struct sql_out       out = {.arena = p->arena};
    struct sl_slice      schema = p->schema;
    struct sl_slice      table = job->table_name;
    struct sql_drop      list;
    bool                 is_list = sql_drop_list(&p->sql, p->arena, &list);

    p->action->may_fail = drop_word(p)[5] != 'T';
    if (is_list && list.count == 1)
        return execute_text(p, list.if_exists ? SL_DDL_REPEATABLE : SL_DDL_CHECKABLE);
    if (p->old != NULL) {
        schema = p->old->schema;
        table = p->old->name;
    }
    if (table.len == 0 || schema.len == 0)
        return sl_fail(why, SL_INVALID, "the table of id %lld is not known, and its text drops %u",
                       (long long)job->table_id, is_list ? list.count : 0);
    sql_put(&out, drop_word(p));
    sql_put(&out, is_list && list.if_exists ? "IF EXISTS " : "");
    sql_put_table(&out, schema, table);
    return execute(p, sql_written(&out),
                   is_list && list.if_exists ? SL_DDL_REPEATABLE : SL_DDL_CHECKABLE);
}

/* ---- names ---- */

/* Tables that only change places: afterwards every name is there as before. */
static bool is_permutation(const struct schema_step *steps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool is_taken = false;

        for (uint32_t k = 0; k < count && !is_taken; k++)
            is_taken = sql_same_name(steps[i].from, steps[k].to) &&
                       sql_same_name(steps[i].from_schema, steps[k].to_schema);
        if (!is_taken)
            return false;
    }
    return true;
}

static enum sl_err plan_rename(struct plan *p, struct sl_why *why)
{
    struct schema_work        w = {p->in->schema, NULL, p->in->job, p->arena};
    struct sql_out            out = {.arena = p->arena};
    const struct schema_step *steps;
    uint32_t                  count;
    enum sl_err               err;

    if ((err = schema_rename_steps(&w, &steps, &count, why)) != SL_OK)
        return err;
    make_room(p, 2 * (size_t)count);
    for (uint32_t i = 0; i < count; i++) {
        sql_put(&out, i == 0 ? "RENAME TABLE " : ", ");
        sql_put_table(&out, steps[i].from_schema, steps[i].from);
        sql_put(&out, " TO ");
        sql_put_table(&out, steps[i].to_schema, steps[i].to);
        touch(p, steps[i].from_schema, steps[i].from);
        touch(p, steps[i].to_schema, steps[i].to);
    }
    p->action->object = (struct sl_ddl_object){ddl_keep(p->arena, steps[count - 1].to_schema),
                                               ddl_keep(p->arena, steps[count - 1].to)};
    return execute(p, sql_written(&out),
                   is_permutation(steps, count) ? SL_DDL_INVISIBLE : SL_DDL_CHECKABLE);
}

/* ---- changed tables ---- */

/* TiDB converts the columns, or had them so from the start; MySQL and MariaDB would change the
 * default for new ones only (observed 12). */
static enum sl_err plan_charset(struct plan *p, struct sl_why *why)
{
    const struct sl_job *job = p->in->job;
    struct sql_out       out = {.arena = p->arena};
    struct sl_slice      charset;
    struct sl_slice      collation;
    bool                 converts;
    enum sl_err          err;

    if (job->table_count != 1)
        return sl_fail(why, SL_INVALID, "it has no TableInfo");
    if ((err = ddl_converts(job->tables[0].info, &converts, &charset, &collation, why)) != SL_OK)
        return err;
    if (!converts || p->schema.len == 0)
        return execute_text(p, SL_DDL_REPEATABLE);
    sql_put(&out, "ALTER TABLE ");
    sql_put_table(&out, p->schema, job->tables[0].name);
    sql_put(&out, " CONVERT TO CHARACTER SET ");
    sql_put_slice(&out, charset);
    sql_put(&out, " COLLATE ");
    sql_put_slice(&out, collation);
    return execute(p, sql_written(&out), SL_DDL_REPEATABLE);
}

static enum sl_err plan_modify(struct plan *p, struct sl_why *why)
{
    bool        renames;
    enum sl_err err;

    if (p->in->job->table_count != 1)
        return sl_fail(why, SL_INVALID, "it has no TableInfo");
    if ((err = ddl_renames_column(p->old, p->in->job->tables[0].info, &renames, why)) != SL_OK)
        return err;
    return execute_text(p, renames ? SL_DDL_CHECKABLE : SL_DDL_REPEATABLE);
}

static enum sl_err plan_tidb_only(struct plan *p)
{
    if (p->in->target != SL_DDL_TIDB)
        return skip(p, "it changes what only TiDB has");
    return execute_text(p, SL_DDL_REPEATABLE);
}

static enum sl_err plan_sequence(struct plan *p, struct sl_why *why)
{
    if (p->in->target == SL_DDL_MYSQL)
        return skip(p, "MySQL has no sequences");
    if (p->in->job->type == SL_JOB_DROP_SEQUENCE)
        return plan_drop(p, why);
    p->action->may_fail = true;
    return execute_text(p, SL_DDL_CHECKABLE);
}

static enum sl_err plan_recover(struct plan *p)
{
    if (p->in->target == SL_DDL_TIDB)
        return execute_text(p, SL_DDL_CHECKABLE);
    return stop(p, "RECOVER or FLASHBACK TABLE brings back rows that no binlog has: copy the table "
                   "by hand, then ignore this commit ts");
}

/* ---- all together ---- */

static enum sl_err plan_by_type(struct plan *p, struct sl_why *why)
{
    switch (p->in->job->type) {
    case SL_JOB_CREATE_SCHEMA:
    case SL_JOB_DROP_SCHEMA:
    case SL_JOB_MODIFY_SCHEMA_CHARSET: return plan_database(p);
    case SL_JOB_CREATE_TABLE: return plan_create_table(p, why);
    case SL_JOB_CREATE_TABLES: return create_from_info(p, why);
    case SL_JOB_CREATE_VIEW: return plan_view(p);
    case SL_JOB_DROP_TABLE:
    case SL_JOB_DROP_VIEW: return plan_drop(p, why);
    case SL_JOB_CREATE_SEQUENCE:
    case SL_JOB_ALTER_SEQUENCE:
    case SL_JOB_DROP_SEQUENCE: return plan_sequence(p, why);
    case SL_JOB_RENAME_TABLE:
    case SL_JOB_RENAME_TABLES: return plan_rename(p, why);
    case SL_JOB_MODIFY_TABLE_CHARSET: return plan_charset(p, why);
    case SL_JOB_MODIFY_COLUMN: return plan_modify(p, why);
    case SL_JOB_RECOVER_TABLE: return plan_recover(p);
    case SL_JOB_EXCHANGE_PARTITION: return execute_text(p, SL_DDL_INVISIBLE);
    case SL_JOB_SHARD_ROW_ID:
    case SL_JOB_SET_TIFLASH_REPLICA:
    case SL_JOB_MODIFY_AUTO_ID_CACHE:
    case SL_JOB_REBASE_AUTO_RANDOM:
    case SL_JOB_ALTER_STATS_OPTIONS:
    case SL_JOB_ALTER_TTL:
    case SL_JOB_REMOVE_TTL: return plan_tidb_only(p);
    case SL_JOB_TRUNCATE_TABLE:
    case SL_JOB_TRUNCATE_PARTITION:
    case SL_JOB_REBASE_AUTO_ID:
    case SL_JOB_SET_DEFAULT_VALUE:
    case SL_JOB_MODIFY_TABLE_COMMENT:
    case SL_JOB_REPAIR_TABLE:
    case SL_JOB_ALTER_INDEX_VISIBILITY:
    case SL_JOB_ALTER_PARTITIONING: return execute_text(p, SL_DDL_REPEATABLE);
    default: return execute_text(p, SL_DDL_CHECKABLE);
    }
}

/* Those of which no text is looked at. */
static bool ends_early(struct plan *p)
{
    const struct sl_job *job = p->in->job;

    if (sl_ddl_is_setval(p->in->query))
        return skip(p, "the value of a sequence") == SL_OK;
    if (!sl_job_is_done(job))
        return skip(p, "the job was rolled back or cancelled") == SL_OK;
    if (p->in->schema_state == SL_SCHEMA_DELETE_ONLY)
        return skip(p, "the first half of dropping a column") == SL_OK;
    if (job->table_id > SL_TABLE_ID_MAX)
        return skip(p, "it is of TiDB's own tables") == SL_OK;
    if (job->schema_version <= 0)
        return skip(p, "the job changed nothing") == SL_OK;
    if (sl_job_is_internal(job))
        return skip(p, "it concerns TiDB alone") == SL_OK;
    if (job->type == SL_JOB_FLASHBACK_CLUSTER || job->type == SL_JOB_RECOVER_SCHEMA)
        return stop(p,
                    "FLASHBACK CLUSTER or DATABASE changes rows that no binlog has: copy them by "
                    "hand, then ignore this commit ts") == SL_OK;
    return false;
}

static enum sl_err plan(struct plan *p, struct sl_why *why)
{
    const struct sl_job      *job = p->in->job;
    const struct sl_database *database = sl_schema_database(p->in->schema, job->schema_id);
    struct sl_slice           query;
    enum sl_err               err;

    if (ends_early(p))
        return SL_OK;
    p->old = sl_schema_table(p->in->schema, job->table_id);
    p->schema = job->has_database  ? job->database.name
                : database != NULL ? database->name
                                   : job->schema_name;
    p->schema = ddl_keep(p->arena, p->schema);
    query = ddl_keep(p->arena, p->in->query);
    if ((err = ddl_statement_of(job, p->old, query, p->arena, &p->sql, why)) != SL_OK)
        return err;
    note_objects(p);
    return plan_by_type(p, why);
}

enum sl_err sl_ddl_plan(const struct sl_ddl_input *input, struct sl_ddl_action **out,
                        struct sl_why *why)
{
    struct made *made = calloc(1, sizeof *made);
    struct plan  p = {.in = input};
    enum sl_err  err;

    SL_ASSERT(made != NULL);
    sl_arena_init(&made->arena);
    p.action = &made->action;
    p.arena = &made->arena;
    if ((err = plan(&p, why)) != SL_OK) {
        struct sl_ddl_action *action = &made->action;

        sl_ddl_action_free(&action);
        return sl_wrap(why, err, "DDL job %lld (%s)", (long long)input->job->id,
                       sl_job_type_name(input->job->type));
    }
    *out = &made->action;
    return SL_OK;
}

void sl_ddl_action_free(struct sl_ddl_action **action)
{
    struct made *made = (struct made *)(void *)*action;

    *action = NULL;
    if (made == NULL)
        return;
    sl_arena_done(&made->arena);
    free(made);
}
