#include "binlog/job.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "binlog/job_json.h"

/* ---- names ---- */

static const char *const type_names[] = {
    [SL_JOB_CREATE_SCHEMA] = "create schema",
    [SL_JOB_DROP_SCHEMA] = "drop schema",
    [SL_JOB_CREATE_TABLE] = "create table",
    [SL_JOB_DROP_TABLE] = "drop table",
    [SL_JOB_ADD_COLUMN] = "add column",
    [SL_JOB_DROP_COLUMN] = "drop column",
    [SL_JOB_ADD_INDEX] = "add index",
    [SL_JOB_DROP_INDEX] = "drop index",
    [SL_JOB_ADD_FOREIGN_KEY] = "add foreign key",
    [SL_JOB_DROP_FOREIGN_KEY] = "drop foreign key",
    [SL_JOB_TRUNCATE_TABLE] = "truncate table",
    [SL_JOB_MODIFY_COLUMN] = "modify column",
    [SL_JOB_REBASE_AUTO_ID] = "rebase auto_increment",
    [SL_JOB_RENAME_TABLE] = "rename table",
    [SL_JOB_SET_DEFAULT_VALUE] = "set default value",
    [SL_JOB_SHARD_ROW_ID] = "shard row id",
    [SL_JOB_MODIFY_TABLE_COMMENT] = "modify table comment",
    [SL_JOB_RENAME_INDEX] = "rename index",
    [SL_JOB_ADD_PARTITION] = "add partition",
    [SL_JOB_DROP_PARTITION] = "drop partition",
    [SL_JOB_CREATE_VIEW] = "create view",
    [SL_JOB_MODIFY_TABLE_CHARSET] = "modify table charset",
    [SL_JOB_TRUNCATE_PARTITION] = "truncate partition",
    [SL_JOB_DROP_VIEW] = "drop view",
    [SL_JOB_RECOVER_TABLE] = "recover table",
    [SL_JOB_MODIFY_SCHEMA_CHARSET] = "modify schema charset",
    [SL_JOB_LOCK_TABLE] = "lock table",
    [SL_JOB_UNLOCK_TABLE] = "unlock table",
    [SL_JOB_REPAIR_TABLE] = "repair table",
    [SL_JOB_SET_TIFLASH_REPLICA] = "set tiflash replica",
    [SL_JOB_UPDATE_TIFLASH_STATUS] = "update tiflash replica status",
    [SL_JOB_ADD_PRIMARY_KEY] = "add primary key",
    [SL_JOB_DROP_PRIMARY_KEY] = "drop primary key",
    [SL_JOB_CREATE_SEQUENCE] = "create sequence",
    [SL_JOB_ALTER_SEQUENCE] = "alter sequence",
    [SL_JOB_DROP_SEQUENCE] = "drop sequence",
    [SL_JOB_ADD_COLUMNS] = "add columns",
    [SL_JOB_DROP_COLUMNS] = "drop columns",
    [SL_JOB_MODIFY_AUTO_ID_CACHE] = "modify auto_id_cache",
    [SL_JOB_REBASE_AUTO_RANDOM] = "rebase auto_random",
    [SL_JOB_ALTER_INDEX_VISIBILITY] = "alter index visibility",
    [SL_JOB_EXCHANGE_PARTITION] = "exchange partition",
    [SL_JOB_RENAME_TABLES] = "rename tables",
    [SL_JOB_ALTER_ATTRIBUTES] = "alter table attributes",
    [SL_JOB_ALTER_PARTITION_ATTRIBUTES] = "alter partition attributes",
    [SL_JOB_CREATE_PLACEMENT_POLICY] = "create placement policy",
    [SL_JOB_ALTER_PLACEMENT_POLICY] = "alter placement policy",
    [SL_JOB_DROP_PLACEMENT_POLICY] = "drop placement policy",
    [SL_JOB_ALTER_PARTITION_PLACEMENT] = "alter partition placement",
    [SL_JOB_MODIFY_SCHEMA_PLACEMENT] = "modify schema placement",
    [SL_JOB_ALTER_TABLE_PLACEMENT] = "alter table placement",
    [SL_JOB_ALTER_CACHE] = "alter table cache",
    [SL_JOB_ALTER_STATS_OPTIONS] = "alter stats options",
    [SL_JOB_ALTER_NOCACHE] = "alter table nocache",
    [SL_JOB_CREATE_TABLES] = "create tables",
    [SL_JOB_MULTI_SCHEMA_CHANGE] = "multi-schema change",
    [SL_JOB_FLASHBACK_CLUSTER] = "flashback cluster",
    [SL_JOB_RECOVER_SCHEMA] = "recover schema",
    [SL_JOB_ALTER_TTL] = "alter TTL",
    [SL_JOB_REMOVE_TTL] = "remove TTL",
    [SL_JOB_CREATE_RESOURCE_GROUP] = "create resource group",
    [SL_JOB_ALTER_RESOURCE_GROUP] = "alter resource group",
    [SL_JOB_DROP_RESOURCE_GROUP] = "drop resource group",
    [SL_JOB_ALTER_PARTITIONING] = "alter partitioning",
    [SL_JOB_REMOVE_PARTITIONING] = "remove partitioning",
};
enum { TYPE_NAMES = sizeof type_names / sizeof type_names[0] };

const char *sl_job_type_name(int type)
{
    const char *name = type > 0 && type < TYPE_NAMES ? type_names[type] : NULL;

    return name != NULL ? name : "job type of a newer TiDB";
}

bool sl_job_is_internal(const struct sl_job *job)
{
    static const uint8_t types[] = {
        SL_JOB_LOCK_TABLE,
        SL_JOB_UNLOCK_TABLE,
        SL_JOB_UPDATE_TIFLASH_STATUS,
        SL_JOB_ALTER_ATTRIBUTES,
        SL_JOB_ALTER_PARTITION_ATTRIBUTES,
        SL_JOB_CREATE_PLACEMENT_POLICY,
        SL_JOB_ALTER_PLACEMENT_POLICY,
        SL_JOB_DROP_PLACEMENT_POLICY,
        SL_JOB_ALTER_PARTITION_PLACEMENT,
        SL_JOB_MODIFY_SCHEMA_PLACEMENT,
        SL_JOB_ALTER_TABLE_PLACEMENT,
        SL_JOB_ALTER_CACHE,
        SL_JOB_ALTER_NOCACHE,
        SL_JOB_CREATE_RESOURCE_GROUP,
        SL_JOB_ALTER_RESOURCE_GROUP,
        SL_JOB_DROP_RESOURCE_GROUP,
    };

    for (size_t i = 0; i < sizeof types; i++) {
        if (job->type == types[i])
            return true;
    }
    return false;
}

/* ---- reading ---- */

static enum sl_err take_number(const struct sl_json *object, const char *name, int *out,
                               struct sl_why *why)
{
    int64_t     value;
    enum sl_err err = job_take_int(object, name, &value, why);

    *out = 0;
    if (err != SL_OK)
        return err;
    if (value < 0 || value > INT32_MAX)
        return sl_fail(why, SL_INVALID, "%s is %lld", name, (long long)value);
    *out = (int)value;
    return SL_OK;
}

static enum sl_err take_head(struct sl_job *job, struct sl_why *why)
{
    const struct sl_json *d = job->document;
    enum sl_err           err;

    if ((err = job_take_int(d, "id", &job->id, why)) != SL_OK ||
        (err = take_number(d, "type", &job->type, why)) != SL_OK ||
        (err = take_number(d, "state", &job->state, why)) != SL_OK ||
        (err = job_take_int(d, "schema_id", &job->schema_id, why)) != SL_OK ||
        (err = job_take_int(d, "table_id", &job->table_id, why)) != SL_OK ||
        (err = job_take_int(d, "start_ts", &job->start_ts, why)) != SL_OK ||
        (err = job_take_text(d, "query", &job->query, why)) != SL_OK ||
        (err = job_take_text(d, "schema_name", &job->schema_name, why)) != SL_OK ||
        (err = job_take_text(d, "table_name", &job->table_name, why)) != SL_OK)
        return err;
    if (job->id <= 0)
        return sl_fail(why, SL_INVALID, "a job's id is above 0, this is %lld", (long long)job->id);
    return SL_OK;
}

/* What the arguments of a type look like is for those who need them; they are seldom kept. */
static void take_args(struct sl_job *job)
{
    const struct sl_json *args = sl_json_field(job->document, "raw_args");

    job->raw_args = args != NULL && sl_json_kind(args) == SL_JSON_ARRAY ? args : NULL;
}

static enum sl_err take_database(struct sl_job *job, const struct sl_json *binlog,
                                 struct sl_why *why)
{
    const struct sl_json *info;
    enum sl_err           err;

    if ((err = job_take_object(binlog, "DBInfo", &info, why)) != SL_OK)
        return err;
    job->has_database = info != NULL;
    if ((err = job_take_int(info, "id", &job->database.id, why)) != SL_OK ||
        (err = job_take_name(info, "db_name", &job->database.name, why)) != SL_OK ||
        (err = job_take_text(info, "charset", &job->database.charset, why)) != SL_OK ||
        (err = job_take_text(info, "collate", &job->database.collation, why)) != SL_OK)
        return sl_wrap(why, err, "DBInfo");
    return SL_OK;
}

static enum sl_err take_table(const struct sl_json *info, struct sl_job_table *out,
                              struct sl_why *why)
{
    enum sl_err err;

    out->info = info;
    if ((err = job_take_int(info, "id", &out->id, why)) != SL_OK ||
        (err = job_take_name(info, "name", &out->name, why)) != SL_OK)
        return sl_wrap(why, err, "TableInfo");
    return SL_OK;
}

static enum sl_err take_tables(struct sl_job *job, const struct sl_json *binlog, struct sl_why *why)
{
    const struct sl_json *one;
    const struct sl_json *several;
    size_t                count;
    enum sl_err           err;

    if ((err = job_take_object(binlog, "TableInfo", &one, why)) != SL_OK ||
        (err = job_take_array(binlog, "MultipleTableInfos", &several, why)) != SL_OK)
        return err;
    count = job_count(several);
    if (count > SL_JOB_TABLES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "%zu tables, the limit is %d", count, SL_JOB_TABLES_MAX);
    job->table_count = count > 0 ? (uint32_t)count : one != NULL;
    job->tables = calloc(job->table_count + 1, sizeof *job->tables);
    SL_ASSERT(job->tables != NULL);
    if (count == 0)
        return one == NULL ? SL_OK : take_table(one, &job->tables[0], why);
    for (size_t i = 0; i < count; i++) {
        const struct sl_json *info = sl_json_at(several, i);

        if (sl_json_kind(info) != SL_JSON_OBJECT)
            return sl_fail(why, SL_INVALID, "MultipleTableInfos holds %s",
                           sl_json_kind_name(sl_json_kind(info)));
        if ((err = take_table(info, &job->tables[i], why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

static enum sl_err take_binlog(struct sl_job *job, struct sl_why *why)
{
    const struct sl_json *binlog;
    enum sl_err           err;

    if ((err = job_take_object(job->document, "binlog", &binlog, why)) != SL_OK ||
        (err = job_take_int(binlog, "SchemaVersion", &job->schema_version, why)) != SL_OK ||
        (err = job_take_int(binlog, "FinishedTS", &job->finished_ts, why)) != SL_OK ||
        (err = take_database(job, binlog, why)) != SL_OK)
        return err;
    return take_tables(job, binlog, why);
}

enum sl_err sl_job_take(struct sl_json **document, struct sl_job **out, struct sl_why *why)
{
    struct sl_job *job = calloc(1, sizeof *job);
    enum sl_err    err;

    SL_ASSERT(job != NULL);
    job->document = *document;
    *document = NULL;
    if (sl_json_kind(job->document) != SL_JSON_OBJECT) {
        err = sl_fail(why, SL_INVALID, "a job is an object, this is %s",
                      sl_json_kind_name(sl_json_kind(job->document)));
        goto free_job;
    }
    if ((err = take_head(job, why)) != SL_OK)
        goto free_job;
    take_args(job);
    if ((err = take_binlog(job, why)) != SL_OK) {
        err = sl_wrap(why, err, "DDL job %lld", (long long)job->id);
        goto free_job;
    }
    *out = job;
    return SL_OK;

free_job:
    sl_job_free(&job);
    return err;
}

enum sl_err sl_job_parse(struct sl_slice json, struct sl_job **out, struct sl_why *why)
{
    struct sl_json *document;
    enum sl_err     err = sl_json_parse_data(json, SL_JOB_BYTES_MAX, &document, why);

    return err == SL_OK ? sl_job_take(&document, out, why) : err;
}

void sl_job_free(struct sl_job **job)
{
    struct sl_job *own = *job;

    *job = NULL;
    if (own == NULL)
        return;
    free(own->tables);
    sl_json_free(&own->document);
    free(own);
}
