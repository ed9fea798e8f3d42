#ifndef SL_SLUICE_MIX_H
#define SL_SLUICE_MIX_H

/* What generated transactions are made of. The loader (loader.h) knows when: callers, timestamps,
 * retries, how fast. A mix knows what: the DDL jobs, the rows, and the bytes of both.
 *
 *     has_job ─► job_prewrite ─► job_finish ─► job_over     one at a time, with nothing beside it
 *     begin ─► (aborts) ─► finish ─► over                   for each caller
 *
 * Buffers are WriteBinlogReqs, the loader's. Used by one thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ts.h"

struct mix;

/* What a mix implements. */
struct mix_ops {
    void (*free)(struct mix *mix);

    /* Must a DDL job be run before anything else begins? */
    bool (*has_job)(struct mix *mix);
    struct sl_buf *(*job_prewrite)(struct mix *mix, sl_ts start_ts);
    /* Its commit. It stands in the history of jobs when this returns, before anybody can see the
     * commit. Blocks for a file. */
    enum sl_err (*job_finish)(struct mix *mix, sl_ts start_ts, sl_ts commit_ts, struct sl_buf **out,
                              struct sl_why *why);
    void (*job_over)(struct mix *mix); /* it was acknowledged */

    /* The prewrite of the caller's next transaction. NULL: none can begin before another is over,
     * which must be under way. */
    struct sl_buf *(*begin)(struct mix *mix, uint32_t caller, sl_ts start_ts);
    /* Is it to be rolled back, although its prewrite was taken? NULL: never. */
    bool (*aborts)(struct mix *mix, uint32_t caller);
    /* Its commit; commit_ts 0: its rollback. */
    struct sl_buf *(*finish)(struct mix *mix, uint32_t caller, sl_ts start_ts, sl_ts commit_ts);
    /* It is over; what has become of a commit that was given up is not known. NULL: who cares. */
    void (*over)(struct mix *mix, uint32_t caller, bool committed);
};

/* The mix; the implementation's own state lies around it. */
struct mix {
    const struct mix_ops *ops;
};

/* Nulls the pointer; *mix may be NULL. */
void mix_free(struct mix **mix);

#endif
