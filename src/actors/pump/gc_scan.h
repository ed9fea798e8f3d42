#ifndef SL_ACTORS_PUMP_GC_SCAN_H
#define SL_ACTORS_PUMP_GC_SCAN_H

/* How far back in a shard's log the transactions above some commit ts reach: what retention must
 * know before it removes a segment. Reads the index once, in pieces, and remembers per stretch of
 * commit ts (SL_GC_STRETCH_MS) the least log offset of any record of a transaction that committed
 * in it; later rounds read only what is new. */

#include <stdbool.h>
#include <stdint.h>

#include "base/ts.h"
#include "storage/index.h"

/* The transactions that committed in one stretch of time. */
struct sl_gc_stretch {
    int64_t  number; /* physical ms of commit ts by SL_GC_STRETCH_MS */
    uint64_t least;  /* log offset of any of their records */
};

/* All zero: nothing read. */
struct sl_gc_scan {
    struct sl_index_cursor *cursor;  /* owned; in the middle of a reading, else NULL */
    sl_ts                   through; /* everything at or below this commit ts was read */
    struct sl_gc_stretch *stretches; /* owned; ascending; those without transactions are left out */
    uint32_t              count;
    uint32_t              room;
};

/* Frees what it owns. */
void sl_gc_scan_done(struct sl_gc_scan *scan);

/* Read on, up to commit ts `until`, at most SL_GC_SCAN_ITEMS entries. *more: call again, with
 * the same `until` or a higher one. Blocks for the disk. Errors as of the index's cursors; the scan
 * begins anew then. */
enum sl_err sl_gc_scan_step(struct sl_gc_scan *scan, struct sl_index_shard *shard, sl_ts until,
                            bool *more, struct sl_why *why);

/* The least offset of a record of any transaction that was read and committed above ts, or in the
 * stretch that holds it; UINT64_MAX: there is none. */
uint64_t sl_gc_scan_least_above(const struct sl_gc_scan *scan, sl_ts ts);

/* Forget the stretches that lie wholly at or below ts. */
void sl_gc_scan_forget(struct sl_gc_scan *scan, sl_ts ts);

#endif
