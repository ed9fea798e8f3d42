#ifndef SL_ACTORS_PUMP_SCRUB_H
#define SL_ACTORS_PUMP_SCRUB_H

/* Looking for damage in the logs of all shards, one after the other, in steps of
 * SL_SCRUB_STEP_BYTES. What is found is told in the log, in the counter of records that could not
 * be read, and on the board, where it stays until a pass finds that shard whole. */

#include "actors/pump/pump.h"
#include "storage/vlog_scrub.h"

/* All zero: nothing was looked at. */
struct sl_scrub {
    struct sl_vlog_scrub *log;   /* owned; of shard k; NULL: it has not begun */
    uint32_t              k;     /* the shard */
    uint64_t              first; /* segment of it in which something was found; 0: none */
};

/* Frees what it owns. */
void sl_scrub_done(struct sl_scrub *scrub);

/* The next step. True: the pass is over, and the next step begins another one. Blocks for the
 * disk. */
bool sl_scrub_step(struct sl_scrub *scrub, struct sl_pump *pump);

#endif
