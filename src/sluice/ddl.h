#ifndef SL_SLUICE_DDL_H
#define SL_SLUICE_DDL_H

/* The two DDL jobs that make the table of generated load, and the file of DDL jobs that a drainer
 * reads in place of TiKV: one job per line, as TiDB's /ddl/history gives it, in the order of their
 * schema versions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/ts.h"

/* The jobs, in order. */
enum ddl_job { DDL_CREATE_DATABASE, DDL_CREATE_TABLE, DDL_JOBS };

/* The text of a job. Static. */
const char *ddl_query(enum ddl_job job);

/* What the jobs make. */
struct ddl_schema {
    bool    exists; /* the file has the jobs already; job ids and versions are those to come */
    int64_t database_id;
    int64_t table_id;
    int64_t job_ids[DDL_JOBS];
    int64_t versions[DDL_JOBS];
};

/* Read the file and choose ids and versions above all in it. path NULL or a file that is missing:
 * as if empty. SL_INVALID: a line is no job. Blocks. */
enum sl_err ddl_read(struct sl_fs *fs, const char *path, struct ddl_schema *out,
                     struct sl_why *why);

/* The end of a history, for jobs to come. */
struct ddl_end {
    int64_t id;           /* the greatest of any kind; at least one that leaves the low ones free */
    int64_t version;      /* of the schema; 0: no job yet */
    bool    has_database; /* a job made, or dropped, a database of the name asked for */
};

/* Read the file up to its end; path and errors as ddl_read. Blocks. */
enum sl_err ddl_read_end(struct sl_fs *fs, const char *path, const char *database,
                         struct ddl_end *out, struct sl_why *why);
/* Append a line, with its end, to the file. Blocks; does not sync. */
enum sl_err ddl_append_line(struct sl_fs *fs, const char *path, const char *line, size_t len,
                            struct sl_why *why);

/* Append the line of a job that began at start_ts and ended at end_ts. Blocks; does not sync. */
enum sl_err ddl_append(struct sl_fs *fs, const char *path, const struct ddl_schema *schema,
                       enum ddl_job job, sl_ts start_ts, sl_ts end_ts, struct sl_why *why);

#endif
