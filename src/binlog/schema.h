#ifndef SL_BINLOG_SCHEMA_H
#define SL_BINLOG_SCHEMA_H

/* The schema tracker: which tables there are, as the stream of DDL jobs has made them so far. Owned
 * by one actor; no input or output. Drainer spec 3.3-3.5, with the better behaviour it asks for.
 *
 * Per table the newest SL_SCHEMA_VERSIONS_KEPT versions are kept: a row is written as the version
 * that its transaction names, which is the newest here or one beside it (online DDL lets neighbours
 * only be in use). Ids that are gone are remembered for good, so that late rows are told from
 * unknown ones.
 *
 * Applying is idempotent by object: a job whose schema version is not above the last one that
 * touched its table or database does nothing to it. So a stream may be read again from any point,
 * and jobs of different tables may come in any order. */

#include <stdint.h>

#include "base/err.h"
#include "binlog/job.h"
#include "binlog/table.h"

struct sl_schema;

/* Nothing but the database `mysql` of id 1, for which newer TiDB has no job. */
struct sl_schema *sl_schema_new(void);
/* Free and null the pointer. *schema may be NULL. Tables that others hold references to live on. */
void sl_schema_free(struct sl_schema **schema);

/* Apply one job. One that was cancelled or rolled back, is internal to TiDB, or is of a system
 * table does nothing. A type that nobody knows replaces the table it brings. The tables of a
 * database that FLASHBACK DATABASE brings back stay dropped, because its job does not tell them.
 * SL_INVALID: the job lacks what it must have, or names a database that was never made; then the
 * schema is as before. */
enum sl_err sl_schema_apply(struct sl_schema *schema, const struct sl_job *job, struct sl_why *why);

/* The greatest schema version applied so far; 0: none. */
int64_t sl_schema_version(const struct sl_schema *schema);

/* What is known of a table id. */
enum sl_table_fate {
    SL_TABLE_UNKNOWN, /* never heard of: rows of it are an error */
    SL_TABLE_LIVE,
    SL_TABLE_TRUNCATED, /* replaced by TRUNCATE: rows of it are late and go nowhere */
    SL_TABLE_DROPPED,   /* rows of it are an error */
    SL_TABLE_SYSTEM,    /* of TiDB's own DDL tables: rows go nowhere */
};
enum sl_table_fate sl_schema_fate(const struct sl_schema *schema, int64_t table_id);

/* The newest version of a live table, or NULL. Borrowed until the next apply; sl_table_ref to keep
 * it. */
struct sl_table *sl_schema_table(const struct sl_schema *schema, int64_t table_id);
/* The newest kept version that is not newer than that schema version, else the oldest kept; NULL
 * when the table is not live. */
struct sl_table *sl_schema_table_at(const struct sl_schema *schema, int64_t table_id,
                                    int64_t schema_version);
/* The live table of that name (any case), or NULL. Looks at all tables. */
struct sl_table *sl_schema_find(const struct sl_schema *schema, struct sl_slice database,
                                struct sl_slice table);

/* A database that is there. Slices have a terminator and live until the next apply. */
struct sl_database {
    int64_t         id;
    struct sl_slice name;
    struct sl_slice charset;
    struct sl_slice collation;
};
/* NULL: there is none of that id. Borrowed until the next apply. */
const struct sl_database *sl_schema_database(const struct sl_schema *schema, int64_t id);

/* Called once per live table, in no particular order. Anything but SL_OK ends the round with that
 * error. */
typedef enum sl_err (*sl_schema_visit)(void *context, struct sl_table *table);
enum sl_err sl_schema_each(const struct sl_schema *schema, sl_schema_visit visit, void *context);

#endif
