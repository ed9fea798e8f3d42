#ifndef SL_ACTORS_PUMP_BOARD_H
#define SL_ACTORS_PUMP_BOARD_H

/* The notice board: facts that one actor of a pump knows and many look at, each a single atomic
 * with one named writer. Relaxed everywhere: no order between two facts, or between a fact and a
 * message, may be relied on. What must be in order (records, watermarks) travels in messages. */

#include <stdatomic.h>
#include <stdint.h>

#include "base/limits.h"

/* One per pump, in struct sl_pump. */
struct sl_pump_board {
    _Atomic uint32_t state;           /* enum sl_node_state; registrar */
    _Atomic uint64_t space_total;     /* bytes of the file system of data-dir; retention */
    _Atomic uint64_t space_available; /* likewise */
    _Atomic int64_t  newest_ts;       /* newest timestamp seen from the door; clock. 0: none yet */
    _Atomic uint64_t newest_at;       /* monotonic ns when it was got; clock */
    _Atomic int64_t  newest_commit;   /* durable in this pump; raised by shard_writers */
    _Atomic uint64_t
        late_commits;      /* with a prewrite, at or below the watermark: never legal; indexers */
    _Atomic int64_t gc_ts; /* at or below it things may be removed; retention */
    /* What readers did not get; pullers add. */
    _Atomic uint64_t pull_purged;  /* streams that began below gc_ts, with a gap */
    _Atomic uint64_t pull_orphans; /* commits skipped: their prewrite is not here */
    _Atomic uint64_t pull_repeats; /* entries skipped: their commit ts had been sent */
    _Atomic uint64_t pull_late;    /* commits skipped: indexed after their time */
    /* Of each shard. */
    _Atomic int64_t  watermark[SL_PUMP_SHARDS_MAX];  /* what pullers may see; indexer */
    _Atomic uint32_t unresolved[SL_PUMP_SHARDS_MAX]; /* prewrites without outcome; sorter */
    _Atomic uint32_t broken[SL_PUMP_SHARDS_MAX];     /* 1: its log takes nothing; shard_writer */
    _Atomic uint64_t damaged[SL_PUMP_SHARDS_MAX];    /* the first segment that is; 0: none is known;
                                                        retention */
    /* Activity, for the clock's fakes and for status. */
    _Atomic uint64_t writes;  /* WriteBinlog calls answered; sessions */
    _Atomic uint64_t spools;  /* large entities begun: their serial numbers; sessions */
    _Atomic uint32_t pullers; /* streams open; sessions */
    _Atomic uint32_t refused; /* connections beyond SL_PUMP_CONNECTIONS_MAX; gateway */
};

#endif
