#ifndef SL_SLUICE_PAIR_H
#define SL_SLUICE_PAIR_H

/* The bytes of generated transactions: each inserts rows into the table sluice_load.t (id bigint
 * primary key, payload longblob), the first with its start ts as id, the others with negative ids
 * made of it, so that no two ever collide within an hour. Rows are in TiDB's row format v1 (codec
 * spec 2.3). All buffers are WriteBinlogReqs, the caller's. Pure. */

#include <stdint.h>

#include "base/buf.h"
#include "base/ts.h"

/* The least size of a prewrite's payload, with one row and for each more. */
enum { PAIR_SIZE_MIN = 128, PAIR_ROW_SIZE_MIN = 64 };

/* The schema's ids. */
struct pair_table {
    uint64_t cluster_id;
    int64_t  schema_version;
    int64_t  table_id;
};

/* The id of a row of a transaction. */
int64_t pair_row_id(sl_ts start_ts, uint32_t row);

/* A prewrite of so many rows (1..SL_LOAD_ROWS_MAX) whose payload (the Binlog) has `size` bytes
 * (PAIR_SIZE_MIN..SL_LOAD_SIZE_MAX, and PAIR_ROW_SIZE_MIN for each row), or the few less for each
 * row that lengths leave no other choice. A blob begins with start_ts in 8 bytes, little endian;
 * the rest is `filler`, of at least `size` bytes. */
struct sl_buf *pair_prewrite(const struct pair_table *table, sl_ts start_ts, uint32_t rows,
                             size_t size, const uint8_t *filler);

/* Its commit; commit_ts 0: its rollback. */
struct sl_buf *pair_finish(const struct pair_table *table, sl_ts start_ts, sl_ts commit_ts);

/* The same of a transaction whose first row has another id. */
struct sl_buf *pair_finish_row(const struct pair_table *table, int64_t row_id, sl_ts start_ts,
                               sl_ts commit_ts);

/* A DDL job's prewrite (commit_ts 0) or commit. */
struct sl_buf *pair_ddl(uint64_t cluster_id, sl_ts start_ts, sl_ts commit_ts, int64_t job_id,
                        const char *query);

#endif
