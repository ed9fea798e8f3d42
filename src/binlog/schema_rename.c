#include "binlog/schema_rename.h"

#include <inttypes.h>
#include <stdlib.h>

#include "binlog/sql_statement.h"
#include "binlog/table_private.h"

/* ---- what the statement leaves open ---- */

static const struct sl_database *database_named(const struct sl_schema *schema,
                                                struct sl_slice         name)
{
    struct sl_map_iter  at = {0};
    struct sl_map_node *node;

    while ((node = sl_map_next(&schema->databases, &at)) != NULL) {
        const struct schema_database *d = SL_CONTAINER_OF(node, struct schema_database, node);

        if (!d->dropped && sql_same_name(d->is.name, name))
            return &d->is;
    }
    return NULL;
}

/* The place of the TableInfo of step `at`: there is one per step, or one of the last table only. */
static uint32_t info_of(const struct sl_job *job, uint32_t at, uint32_t steps)
{
    if (job->table_count == steps)
        return at;
    return job->table_count == 1 && at + 1 == steps ? 0 : job->table_count;
}

/* The database that unqualified names meant: the client's, which no job tells. It shows where a
 * table is known by its id and was named without one; else it is taken to be the job's. */
static struct sl_slice current_database(const struct schema_work  *w,
                                        const struct sql_renaming *pairs, uint32_t count)
{
    const struct sl_database *of_job = sl_schema_database(w->schema, w->job->schema_id);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t               info = info_of(w->job, i, count);
        const struct sl_table *table;

        if (pairs[i].from.schema.len > 0 || info == w->job->table_count)
            continue;
        table = sl_schema_table(w->schema, w->job->tables[info].id);
        /* The name is looked at because an earlier step may have moved the table. */
        if (table != NULL && sql_same_name(table->name, pairs[i].from.table))
            return table->schema;
    }
    return of_job != NULL ? of_job->name : w->job->schema_name;
}

/* The table that a step moves: by its id, by an earlier step that gave it this name, or by name. */
static int64_t table_of_step(const struct schema_work *w, const struct schema_step *steps,
                             uint32_t at, uint32_t count)
{
    uint32_t               info = info_of(w->job, at, count);
    const struct sl_table *table;

    if (info < w->job->table_count)
        return w->job->tables[info].id;
    for (uint32_t i = at; i-- > 0;) {
        if (sql_same_name(steps[i].to, steps[at].from) &&
            sql_same_name(steps[i].to_schema, steps[at].from_schema))
            return steps[i].table_id;
    }
    table = sl_schema_find(w->schema, steps[at].from_schema, steps[at].from);
    return table == NULL ? 0 : table->id;
}

static enum sl_err complete(const struct schema_work *w, struct schema_step *steps, uint32_t at,
                            uint32_t count, struct sl_why *why)
{
    struct schema_step       *step = &steps[at];
    const struct sl_database *to = database_named(w->schema, step->to_schema);

    if (to == NULL)
        return sl_fail(why, SL_INVALID, "database %s is not known",
                       (const char *)step->to_schema.bytes);
    step->to_database_id = to->id;
    step->to_schema = to->name;
    step->table_id = table_of_step(w, steps, at, count);
    step->info = info_of(w->job, at, count);
    if (step->table_id == 0)
        return sl_fail(why, SL_INVALID, "table %s.%s is not known",
                       (const char *)step->from_schema.bytes, (const char *)step->from.bytes);
    return SL_OK;
}

/* A job of one table needs no statement: the tracker has the old name, the job the new one. */
static enum sl_err single_step(const struct schema_work *w, struct schema_step *out,
                               struct sl_why *why)
{
    const struct sl_job      *job = w->job;
    const struct sl_table    *old = sl_schema_table(w->schema, job->table_id);
    const struct sl_database *to = sl_schema_database(w->schema, job->schema_id);

    if (job->table_count != 1)
        return sl_fail(why, SL_INVALID, "it has no TableInfo");
    if (old == NULL || to == NULL)
        return sl_fail(why, SL_INVALID, "its %s is not known", old == NULL ? "table" : "database");
    *out = (struct schema_step){.from_schema = old->schema,
                                .from = old->name,
                                .to_schema = to->name,
                                .to = job->tables[0].name,
                                .table_id = old->id,
                                .to_database_id = to->id};
    return SL_OK;
}

enum sl_err schema_rename_steps(const struct schema_work *w, const struct schema_step **out,
                                uint32_t *count, struct sl_why *why)
{
    const struct sql_renaming *pairs;
    struct schema_step        *steps;
    struct sl_slice            current;
    struct sql_text            sql;
    enum sl_err                err;

    *count = 1;
    if (w->job->type == SL_JOB_RENAME_TABLE) {
        *out = steps = sl_arena_alloc(w->arena, sizeof *steps);
        return single_step(w, steps, why);
    }
    if ((err = sql_scan(w->job->query, w->arena, &sql, why)) != SL_OK)
        return err;
    if (!sql_renamings(&sql, w->arena, &pairs, count))
        return sl_fail(why, SL_INVALID, "its statement is no RENAME TABLE");
    steps = sl_arena_alloc(w->arena, *count * sizeof *steps);
    current = current_database(w, pairs, *count);
    for (uint32_t i = 0; i < *count; i++) {
        steps[i] = (struct schema_step){
            .from_schema = pairs[i].from.schema.len > 0 ? pairs[i].from.schema : current,
            .from = pairs[i].from.table,
            .to_schema = pairs[i].to.schema.len > 0 ? pairs[i].to.schema : current,
            .to = pairs[i].to.table};
        if ((err = complete(w, steps, i, *count, why)) != SL_OK)
            return err;
    }
    *out = steps;
    return SL_OK;
}

/* ---- versions ---- */

/* Does a later step move the same table on? */
static bool is_moved_on(const struct schema_step *steps, uint32_t at, uint32_t count)
{
    for (uint32_t i = at + 1; i < count; i++) {
        if (steps[i].table_id == steps[at].table_id)
            return true;
    }
    return false;
}

static enum sl_err make_renamed(const struct schema_work *w, const struct schema_step *step,
                                struct schema_made *out, struct sl_why *why)
{
    const struct schema_table *old = schema_table_of(w->schema, step->table_id);
    struct sl_table            draft;

    if (step->info < w->job->table_count)
        return schema_make(w, step->to_database_id, step->info, out, why);
    if (old == NULL || old->fate != SL_TABLE_LIVE)
        return sl_fail(why, SL_INVALID, "table id %" PRId64 " is not known", step->table_id);
    draft = *old->kept[0];
    draft.schema = step->to_schema;
    draft.name = step->to;
    draft.version = w->job->schema_version;
    *out = (struct schema_made){step->to_database_id, table_copy(&draft), old->partitions,
                                old->partition_count};
    return SL_OK;
}

enum sl_err schema_rename(const struct schema_work *w, struct schema_made **out, uint32_t *count,
                          struct sl_why *why)
{
    const struct schema_step *steps;
    struct schema_made       *made;
    uint32_t                  step_count;
    enum sl_err               err;

    if ((err = schema_rename_steps(w, &steps, &step_count, why)) != SL_OK)
        return err;
    made = sl_arena_alloc(w->arena, step_count * sizeof *made);
    *count = 0;
    for (uint32_t i = 0; i < step_count; i++) {
        if (is_moved_on(steps, i, step_count))
            continue;
        if ((err = make_renamed(w, &steps[i], &made[*count], why)) != SL_OK) {
            schema_made_free(made, *count);
            return err;
        }
        ++*count;
    }
    *out = made;
    return SL_OK;
}
