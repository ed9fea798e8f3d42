#ifndef SL_SLUICE_PAIR_H
#define SL_SLUICE_PAIR_H

/* The bytes of generated transactions: each inserts one row into the table sluice_load.t (id bigint
 * primary key, payload longblob), with its start ts as id, so that no two ever collide. Rows are in
 * TiDB's row format v1 (codec spec 2.3). All buffers are WriteBinlogReqs, the caller's. Pure. */

#include <stdint.h>

#include "base/buf.h"
#include "base/ts.h"

/* The least size of a prewrite's payload. */
enum { PAIR_SIZE_MIN = 128 };

/* The schema's ids. */
struct pair_table {
    uint64_t cluster_id;
    int64_t  schema_version;
    int64_t  table_id;
};

/* A prewrite whose payload (the Binlog) has `size` bytes (PAIR_SIZE_MIN..SL_LOAD_SIZE_MAX), or the
 * few less that lengths leave no other choice. The blob begins with start_ts in 8 bytes, little
 * endian; the rest is `filler`, of at least `size` bytes. */
struct sl_buf *pair_prewrite(const struct pair_table *table, sl_ts start_ts, size_t size,
                             const uint8_t *filler);

/* Its commit; commit_ts 0: its rollback. */
struct sl_buf *pair_finish(const struct pair_table *table, sl_ts start_ts, sl_ts commit_ts);

/* The same of a transaction whose first row has another id. */
struct sl_buf *pair_finish_row(const struct pair_table *table, int64_t row_id, sl_ts start_ts,
                               sl_ts commit_ts);

/* A DDL job's prewrite (commit_ts 0) or commit. */
struct sl_buf *pair_ddl(uint64_t cluster_id, sl_ts start_ts, sl_ts commit_ts, int64_t job_id,
                        const char *query);

#endif
