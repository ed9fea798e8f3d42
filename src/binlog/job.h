#ifndef SL_BINLOG_JOB_H
#define SL_BINLOG_JOB_H

/* DDL jobs: the JSON that TiDB keeps of each, in TiKV and at /ddl/history alike (codec spec 3.6).
 * A job is read as a whole and not changed afterwards; its text and tables borrow from it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/ts.h"

/* What a job does (ActionType). Others exist, and more will: `type` of a job may be any number. */
enum sl_job_type {
    SL_JOB_CREATE_SCHEMA = 1,
    SL_JOB_DROP_SCHEMA = 2,
    SL_JOB_CREATE_TABLE = 3,
    SL_JOB_DROP_TABLE = 4,
    SL_JOB_ADD_COLUMN = 5,
    SL_JOB_DROP_COLUMN = 6,
    SL_JOB_ADD_INDEX = 7,
    SL_JOB_DROP_INDEX = 8,
    SL_JOB_ADD_FOREIGN_KEY = 9,
    SL_JOB_DROP_FOREIGN_KEY = 10,
    SL_JOB_TRUNCATE_TABLE = 11,
    SL_JOB_MODIFY_COLUMN = 12,
    SL_JOB_REBASE_AUTO_ID = 13,
    SL_JOB_RENAME_TABLE = 14,
    SL_JOB_SET_DEFAULT_VALUE = 15,
    SL_JOB_SHARD_ROW_ID = 16,
    SL_JOB_MODIFY_TABLE_COMMENT = 17,
    SL_JOB_RENAME_INDEX = 18,
    SL_JOB_ADD_PARTITION = 19,
    SL_JOB_DROP_PARTITION = 20,
    SL_JOB_CREATE_VIEW = 21,
    SL_JOB_MODIFY_TABLE_CHARSET = 22,
    SL_JOB_TRUNCATE_PARTITION = 23,
    SL_JOB_DROP_VIEW = 24,
    SL_JOB_RECOVER_TABLE = 25,
    SL_JOB_MODIFY_SCHEMA_CHARSET = 26,
    SL_JOB_LOCK_TABLE = 27,
    SL_JOB_UNLOCK_TABLE = 28,
    SL_JOB_REPAIR_TABLE = 29,
    SL_JOB_SET_TIFLASH_REPLICA = 30,
    SL_JOB_UPDATE_TIFLASH_STATUS = 31,
    SL_JOB_ADD_PRIMARY_KEY = 32,
    SL_JOB_DROP_PRIMARY_KEY = 33,
    SL_JOB_CREATE_SEQUENCE = 34,
    SL_JOB_ALTER_SEQUENCE = 35,
    SL_JOB_DROP_SEQUENCE = 36,
    SL_JOB_ADD_COLUMNS = 37,
    SL_JOB_DROP_COLUMNS = 38,
    SL_JOB_MODIFY_AUTO_ID_CACHE = 39,
    SL_JOB_REBASE_AUTO_RANDOM = 40,
    SL_JOB_ALTER_INDEX_VISIBILITY = 41,
    SL_JOB_EXCHANGE_PARTITION = 42,
    SL_JOB_RENAME_TABLES = 47,
    SL_JOB_ALTER_ATTRIBUTES = 49,
    SL_JOB_ALTER_PARTITION_ATTRIBUTES = 50,
    SL_JOB_CREATE_PLACEMENT_POLICY = 51,
    SL_JOB_ALTER_PLACEMENT_POLICY = 52,
    SL_JOB_DROP_PLACEMENT_POLICY = 53,
    SL_JOB_ALTER_PARTITION_PLACEMENT = 54,
    SL_JOB_MODIFY_SCHEMA_PLACEMENT = 55,
    SL_JOB_ALTER_TABLE_PLACEMENT = 56,
    SL_JOB_ALTER_CACHE = 57,
    SL_JOB_ALTER_STATS_OPTIONS = 58,
    SL_JOB_ALTER_NOCACHE = 59,
    SL_JOB_CREATE_TABLES = 60,
    SL_JOB_MULTI_SCHEMA_CHANGE = 61,
    SL_JOB_FLASHBACK_CLUSTER = 62,
    SL_JOB_RECOVER_SCHEMA = 63,
    SL_JOB_ALTER_TTL = 65,
    SL_JOB_REMOVE_TTL = 67,
    SL_JOB_CREATE_RESOURCE_GROUP = 68,
    SL_JOB_ALTER_RESOURCE_GROUP = 69,
    SL_JOB_DROP_RESOURCE_GROUP = 70,
    SL_JOB_ALTER_PARTITIONING = 71,
    SL_JOB_REMOVE_PARTITIONING = 72,
};

/* How far a job has come (JobState). Only those named here matter. */
enum sl_job_state {
    SL_JOB_ROLLED_BACK = 3,
    SL_JOB_DONE = 4,
    SL_JOB_CANCELLED = 5,
    SL_JOB_SYNCED = 6,
};

/* Table ids above belong to TiDB's own DDL tables. */
#define SL_TABLE_ID_MAX INT64_C(281474976709655)

/* What a job says of a database. */
struct sl_job_database {
    int64_t         id;
    struct sl_slice name; /* as written by the user */
    struct sl_slice charset;
    struct sl_slice collation;
};

/* What a job says of a table: its TableInfo. */
struct sl_job_table {
    int64_t               id;
    struct sl_slice       name;
    const struct sl_json *info;
};

/* A job. Slices are empty when absent, and have a terminator behind them. */
struct sl_job {
    struct sl_json        *document; /* owned; of all below */
    int64_t                id;
    int                    type;  /* of enum sl_job_type, or a number nobody knows yet */
    int                    state; /* likewise of enum sl_job_state */
    int64_t                schema_id;
    int64_t                table_id;
    int64_t                schema_version; /* 0: it changed nothing */
    sl_ts                  start_ts;
    sl_ts                  finished_ts; /* 0 in jobs of old TiDB that failed */
    struct sl_slice        query;
    struct sl_slice        schema_name; /* absent in old TiDB, as are table names */
    struct sl_slice        table_name;
    const struct sl_json  *raw_args;     /* an array, or NULL */
    bool                   has_database; /* `database` counts */
    struct sl_job_database database;
    struct sl_job_table   *tables; /* owned; TableInfo, or the several of MultipleTableInfos */
    uint32_t               table_count;
};

/* Read one job, which is owned by the caller. SL_TOO_LARGE above SL_JOB_BYTES_MAX; SL_INVALID for
 * what is no job: the reason names the member. TableInfos are looked at only as far as id and name
 * (table_info.h reads the rest). */
enum sl_err sl_job_parse(struct sl_slice json, struct sl_job **out, struct sl_why *why);
/* The same of a document that is read already. Takes *document in any case. */
enum sl_err sl_job_take(struct sl_json **document, struct sl_job **out, struct sl_why *why);
/* Free and null the pointer. *job may be NULL. */
void sl_job_free(struct sl_job **job);

/* "create table", ...: for people. Static; "job type of a newer TiDB" for what has no name here. */
const char *sl_job_type_name(int type);

/* Did it take effect: done or synced? Others were rolled back or cancelled. */
static inline bool sl_job_is_done(const struct sl_job *job)
{
    return job->state == SL_JOB_DONE || job->state == SL_JOB_SYNCED;
}

/* One that concerns nobody but TiDB, and has no effect on tables or statements: locks, placement,
 * attributes, caches, resource groups, the progress of TiFlash. */
bool sl_job_is_internal(const struct sl_job *job);

#endif
