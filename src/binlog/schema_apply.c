#include "binlog/schema.h"

#include <inttypes.h>

#include "base/assert.h"
#include "binlog/schema_private.h"
#include "binlog/schema_rename.h"
#include "binlog/table_private.h"

/* A job is first made into new versions, which may fail, and then applied, which may not. */

/* ---- making ---- */

void schema_made_free(struct schema_made *made, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sl_table_free(&made[i].table);
}

enum sl_err schema_make(const struct schema_work *w, int64_t database_id, uint32_t table,
                        struct schema_made *out, struct sl_why *why)
{
    const struct schema_database *database = schema_database_of(w->schema, database_id);
    const struct sl_json         *info = w->job->tables[table].info;
    struct sl_slice               name = w->job->schema_name;
    enum sl_err                   err;

    if (database != NULL)
        name = database->is.name;
    else if (name.len == 0)
        return sl_fail(why, SL_INVALID,
                       "its database of id %" PRId64 " was never made: are jobs missing before it?",
                       database_id);
    *out = (struct schema_made){.database_id = database_id};
    if ((err = table_info_partitions(info, w->arena, &out->partitions, &out->partition_count,
                                     why)) != SL_OK)
        return err;
    return table_info_read(info, name, w->job->schema_version, &out->table, why);
}

/* ---- applying ---- */

/* The entry of a table that this job touches later than any other so far; NULL: it is done. */
static struct schema_table *due(const struct schema_work *w, int64_t id)
{
    struct schema_table *t = schema_table_make(w->changed, id);

    return t->version < w->job->schema_version ? t : NULL;
}

/* A database that is known by the name in a job only: its own job is older than the history. */
static void ensure_database(const struct schema_work *w, int64_t id)
{
    struct sl_database is = {.id = id,
                             .name = w->job->schema_name,
                             .charset = sl_slice_from_string(""),
                             .collation = sl_slice_from_string("")};

    if (schema_database_of(w->schema, id) == NULL)
        schema_database_set(w->changed, &is, w->job->schema_version);
}

static void push(const struct schema_work *w, struct schema_made *made)
{
    if (made->table == NULL || due(w, made->table->id) == NULL)
        return;
    ensure_database(w, made->database_id);
    schema_table_push(w->changed, made->database_id, made->table, made->partitions,
                      made->partition_count);
    made->table = NULL;
}

static void end_table(const struct schema_work *w, int64_t id, enum sl_table_fate fate)
{
    struct schema_table *t = due(w, id);

    if (t != NULL)
        schema_table_end(t, fate, w->job->schema_version);
}

/* ---- databases ---- */

static enum sl_err set_database(const struct schema_work *w, struct sl_why *why)
{
    const struct sl_job          *job = w->job;
    struct sl_database            is = {job->database.id, job->database.name, job->database.charset,
                                        job->database.collation};
    const struct schema_database *old;

    if (!job->has_database || is.id <= 0 || is.name.len == 0)
        return sl_fail(why, SL_INVALID, "it has no DBInfo");
    old = schema_database_of(w->schema, is.id);
    if (old == NULL || old->version < job->schema_version)
        schema_database_set(w->changed, &is, job->schema_version);
    return SL_OK;
}

static enum sl_err drop_database(const struct schema_work *w)
{
    struct schema_database *d = schema_database_of(w->schema, w->job->schema_id);
    struct sl_map_iter      at = {0};
    struct sl_map_node     *node;

    if (d == NULL || d->version >= w->job->schema_version)
        return SL_OK;
    d->dropped = true;
    d->version = w->job->schema_version;
    while ((node = sl_map_next(&w->schema->tables, &at)) != NULL) {
        struct schema_table *t = SL_CONTAINER_OF(node, struct schema_table, node);

        if (t->database_id == d->is.id && t->fate == SL_TABLE_LIVE &&
            t->version < w->job->schema_version)
            schema_table_end(t, SL_TABLE_DROPPED, w->job->schema_version);
    }
    return SL_OK;
}

/* ---- tables ---- */

/* CREATE OR REPLACE VIEW takes the place of a view under another id. */
static void end_replaced_view(const struct schema_work *w, const struct sl_table *view)
{
    const struct sl_table *old;

    if (!view->is_view)
        return;
    old = sl_schema_find(w->schema, view->schema, view->name);
    if (old != NULL && old->is_view && old->id != view->id)
        end_table(w, old->id, SL_TABLE_DROPPED);
}

static enum sl_err put_tables(const struct schema_work *w, struct sl_why *why)
{
    const struct sl_job *job = w->job;
    struct schema_made  *made = sl_arena_alloc(w->arena, job->table_count * sizeof *made);
    uint32_t             count = 0;
    enum sl_err          err = SL_OK;

    for (uint32_t i = 0; i < job->table_count && err == SL_OK; i++) {
        if (job->tables[i].id > SL_TABLE_ID_MAX)
            continue;
        if ((err = schema_make(w, job->schema_id, i, &made[count], why)) == SL_OK)
            count++;
    }
    for (uint32_t i = 0; i < count && err == SL_OK; i++) {
        end_replaced_view(w, made[i].table);
        push(w, &made[i]);
    }
    schema_made_free(made, count);
    return err;
}

static enum sl_err create_tables(const struct schema_work *w, struct sl_why *why)
{
    if (w->job->table_count == 0)
        return sl_fail(why, SL_INVALID, "it has no TableInfo");
    return put_tables(w, why);
}

/* The new table has an id of its own; so has one whose partitioning was changed. */
static enum sl_err replace_table(const struct schema_work *w, enum sl_table_fate fate_of_old,
                                 struct sl_why *why)
{
    const struct sl_job *job = w->job;
    enum sl_err          err = put_tables(w, why);

    if (err == SL_OK && job->table_count == 1 && job->table_id > 0 &&
        job->tables[0].id != job->table_id)
        end_table(w, job->table_id, fate_of_old);
    return err;
}

/* ---- EXCHANGE PARTITION: the table and the partition swap ids ---- */

/* The id that the partition had whose place the table's id has taken; 0: not found. */
static int64_t exchanged_id(const struct schema_work *w, const struct schema_made *made,
                            const struct schema_table *old)
{
    const struct sl_json *args = w->job->raw_args;

    for (uint32_t i = 0; i < made->partition_count; i++) {
        if (made->partitions[i].id != w->job->table_id)
            continue;
        for (uint32_t k = 0; old != NULL && k < old->partition_count; k++) {
            if (sl_slice_equal(old->partitions[k].name, made->partitions[i].name))
                return old->partitions[k].id;
        }
    }
    if (args != NULL && sl_json_count(args) > 0 && sl_json_kind(sl_json_at(args, 0)) == SL_JSON_INT)
        return sl_json_int(sl_json_at(args, 0));
    return 0;
}

static void swap_ids(const struct schema_work *w, struct schema_made *partitioned, int64_t new_id)
{
    struct schema_table *single = schema_table_of(w->schema, w->job->table_id);
    struct schema_made   moved = {0};
    struct sl_table      draft;

    if (single != NULL && single->fate == SL_TABLE_LIVE && due(w, single->id) != NULL) {
        draft = *single->kept[0];
        draft.id = new_id;
        draft.version = w->job->schema_version;
        moved.table = table_copy(&draft);
        moved.database_id = single->database_id;
        schema_table_end(single, SL_TABLE_DROPPED, w->job->schema_version);
        push(w, &moved);
        sl_table_free(&moved.table);
    }
    push(w, partitioned);
}

static enum sl_err exchange_partition(const struct schema_work *w, struct sl_why *why)
{
    const struct sl_job       *job = w->job;
    struct schema_made         made = {0};
    const struct schema_table *old;
    int64_t                    new_id;
    enum sl_err                err;

    if (job->table_count != 1 || job->tables[0].id == job->table_id)
        return put_tables(w, why);
    old = schema_table_of(w->schema, job->tables[0].id);
    err = schema_make(w, old != NULL ? old->database_id : job->schema_id, 0, &made, why);
    if (err != SL_OK)
        return err;
    new_id = exchanged_id(w, &made, old);
    if (new_id > 0 && (old == NULL || old->version < job->schema_version))
        swap_ids(w, &made, new_id);
    else if (new_id == 0)
        err = sl_fail(why, SL_INVALID,
                      "no partition of table id %" PRId64 " has become table %" PRId64,
                      job->tables[0].id, job->table_id);
    schema_made_free(&made, 1);
    return err;
}

static enum sl_err rename_tables(const struct schema_work *w, struct sl_why *why)
{
    struct schema_made *made;
    uint32_t            count;
    enum sl_err         err;

    if ((err = schema_rename(w, &made, &count, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < count; i++)
        push(w, &made[i]);
    schema_made_free(made, count);
    return SL_OK;
}

/* ---- all together ---- */

static enum sl_err apply(const struct schema_work *w, struct sl_why *why)
{
    switch (w->job->type) {
    case SL_JOB_CREATE_SCHEMA:
    case SL_JOB_RECOVER_SCHEMA:
    case SL_JOB_MODIFY_SCHEMA_CHARSET: return set_database(w, why);
    case SL_JOB_DROP_SCHEMA: return drop_database(w);
    case SL_JOB_CREATE_TABLE:
    case SL_JOB_CREATE_TABLES:
    case SL_JOB_CREATE_VIEW:
    case SL_JOB_CREATE_SEQUENCE:
    case SL_JOB_RECOVER_TABLE: return create_tables(w, why);
    case SL_JOB_DROP_TABLE:
    case SL_JOB_DROP_VIEW:
    case SL_JOB_DROP_SEQUENCE: end_table(w, w->job->table_id, SL_TABLE_DROPPED); return SL_OK;
    case SL_JOB_TRUNCATE_TABLE: return replace_table(w, SL_TABLE_TRUNCATED, why);
    case SL_JOB_RENAME_TABLE: return create_tables(w, why);
    case SL_JOB_RENAME_TABLES: return rename_tables(w, why);
    case SL_JOB_EXCHANGE_PARTITION: return exchange_partition(w, why);
    default:
        if (w->job->table_count == 0 && w->job->type <= SL_JOB_REMOVE_PARTITIONING)
            return sl_fail(why, SL_INVALID, "it has no TableInfo");
        return replace_table(w, SL_TABLE_DROPPED, why);
    }
}

enum sl_err sl_schema_apply(struct sl_schema *schema, const struct sl_job *job, struct sl_why *why)
{
    struct sl_arena    arena;
    struct schema_work w = {schema, schema, job, &arena};
    enum sl_err        err;

    if (!sl_job_is_done(job) || job->schema_version <= 0 || job->table_id > SL_TABLE_ID_MAX ||
        sl_job_is_internal(job) || job->type == SL_JOB_FLASHBACK_CLUSTER)
        return SL_OK;
    sl_arena_init(&arena);
    err = apply(&w, why);
    sl_arena_done(&arena);
    if (err != SL_OK)
        return sl_wrap(why, err, "DDL job %" PRId64 " (%s, schema version %" PRId64 ")", job->id,
                       sl_job_type_name(job->type), job->schema_version);
    if (job->schema_version > schema->version)
        schema->version = job->schema_version;
    return SL_OK;
}
