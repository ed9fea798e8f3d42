#ifndef SL_BINLOG_SCHEMA_RENAME_H
#define SL_BINLOG_SCHEMA_RENAME_H

/* RENAME TABLE of several tables: one job, whose TableInfos tell the new names but not the new
 * databases, and in old TiDB of the last table only. The statement tells the rest. */

#include "base/arena.h"
#include "binlog/schema_private.h"

/* A job being applied or looked at. */
struct schema_work {
    const struct sl_schema *schema;
    struct sl_schema       *changed; /* the same; NULL: it is only looked at */
    const struct sl_job    *job;
    struct sl_arena        *arena;
};

/* A version made of it. */
struct schema_made {
    int64_t                       database_id;
    struct sl_table              *table; /* owned */
    const struct table_partition *partitions;
    uint32_t                      partition_count;
};

/* One step of a renaming, with nothing left open. */
struct schema_step {
    struct sl_slice from_schema;
    struct sl_slice from;
    struct sl_slice to_schema;
    struct sl_slice to;
    int64_t         table_id;
    int64_t         to_database_id;
    uint32_t        info; /* of job->tables; job->table_count: the job has none of this table */
};

/* Make a version of the TableInfo at that place of the job. */
enum sl_err schema_make(const struct schema_work *w, int64_t database_id, uint32_t table,
                        struct schema_made *out, struct sl_why *why);
/* Free the tables that are still owned. */
void schema_made_free(struct schema_made *made, uint32_t count);

/* The steps of a job that renames (also of a single RENAME), in order, against the schema before
 * it; in the arena, as all they name. SL_INVALID: the statement is no RENAME, or a table or
 * database is not known. */
enum sl_err schema_rename_steps(const struct schema_work *w, const struct schema_step **out,
                                uint32_t *count, struct sl_why *why);

/* The last version of each table that the job renames. *out is in the arena; its tables are the
 * caller's. */
enum sl_err schema_rename(const struct schema_work *w, struct schema_made **out, uint32_t *count,
                          struct sl_why *why);

#endif
