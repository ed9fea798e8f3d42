#ifndef SL_ACTORS_PUMP_SORT_CORE_H
#define SL_ACTORS_PUMP_SORT_CORE_H

/* The order of one shard, without actors and without I/O: it is told the shard's records in log
 * order, pairs commits with prewrites, and knows the watermark. Recovery and the sorter actor use
 * the same code.
 *
 *     P   becomes unresolved, with a bound: its commit ts will be above it
 *     C   meets its P: an entry, and the P is settled; without a P: an orphan, which the indexer
 *         looks at (a repeat, or a commit whose prewrite is elsewhere)
 *     R   settles its P, unless rollbacks are to be verified: then it only marks it, as TiDB sends
 *         one also when it does not know whether its commit came through (pump spec 2.7)
 *     verified R   always settles its P: this pump wrote it, after it had asked TiKV
 *     fake, mark   move the newest commit ts
 *
 *     watermark = min(newest commit ts durable in this pump, least bound of an unresolved P)
 *
 * and never falls. Why nothing at or below it can still come (P4): TiDB fetches a commit ts only
 * after its P was acknowledged, and the P is here before that; so a P that is not here yet will
 * commit above every timestamp handed out before now, and one that is here is counted by its
 * bound. */

#include <stdbool.h>
#include <stdint.h>

#include "actors/pump/messages.h"

struct sl_sorter;

/* A record as the sorter needs it. */
struct sl_sort_note {
    bool               verified; /* an outcome that this pump found out (SL_PUMP_VERIFIED) */
    int32_t            type;     /* of enum sl_record_type, or unknown: as a commit */
    sl_ts              start_ts;
    sl_ts              commit_ts;
    sl_ts              newest; /* of a prewrite: see struct sl_pump_write */
    struct sl_position position;
    sl_nanos           at; /* monotonic; 0 in recovery, as what is found there is not new */
};

/* What came, for status and metrics. */
struct sl_sort_counts {
    uint64_t prewrites;
    uint64_t commits;
    uint64_t rollbacks;
    uint64_t fakes;
    uint64_t repeats; /* prewrites that were here already, or settled lately */
    uint64_t orphans; /* commits without an unresolved prewrite */
    uint64_t marked;  /* rollbacks that are to be verified */
};

/* A sorter that goes on where the index is. Owned: sl_sorter_free. */
struct sl_sorter *sl_sorter_new(const struct sl_index_head *head);
/* Free and null the pointer. *sorter may be NULL. */
void sl_sorter_free(struct sl_sorter **sorter);

/* From now on rollbacks are to be verified. Before the first sl_sorter_take. */
void sl_sorter_verify_rollbacks(struct sl_sorter *sorter);

/* An unresolved prewrite that the index holds. What TiDB said of its rollback is forgotten: it is
 * looked for like any other. Before the first sl_sorter_take. */
void sl_sorter_restore(struct sl_sorter *sorter, const struct sl_index_unresolved *unresolved);

/* Is there room in the cut for what one more record may add? */
bool sl_sorter_has_room(const struct sl_pump_cut *cut);
/* Take the next record of the log and note in the cut (which has room) what follows from it. All
 * records between two calls of sl_sorter_close_cut go into the same cut. */
void sl_sorter_take(struct sl_sorter *sorter, const struct sl_sort_note *note,
                    struct sl_pump_cut *cut);
/* Another shard has this durable. True when the watermark has moved. */
bool sl_sorter_mark(struct sl_sorter *sorter, sl_ts newest);

/* Close the cut: set its head. The next record goes into a new cut. */
void sl_sorter_close_cut(struct sl_sorter *sorter, struct sl_pump_cut *cut);

/* Give out prewrites whose outcome is to be looked for now, at most `room`; how many. One that is
 * not rolled back is due SL_SORT_ORPHAN_MS after it came and after each time it was given out; one
 * that is, at once and then after the pauses of sl_sort_rollback_pause_ms. */
uint32_t sl_sorter_orphans(struct sl_sorter *sorter, sl_nanos now, struct sl_pump_orphan *out,
                           uint32_t room);
/* When the next one is due; UINT64_MAX: there is none. */
sl_nanos sl_sorter_next_orphan(const struct sl_sorter *sorter);

/* Milliseconds from the look-up of this number (0 is the first) of a rollback to the next one. */
uint32_t sl_sort_rollback_pause_ms(uint32_t look);

/* See above. Never falls. */
sl_ts sl_sorter_watermark(const struct sl_sorter *sorter);
/* The newest commit ts it has heard of, which the index keeps as max_commit_ts. */
sl_ts sl_sorter_newest(const struct sl_sorter *sorter);
/* Prewrites without outcome. */
uint32_t sl_sorter_unresolved(const struct sl_sorter *sorter);
/* Totals since sl_sorter_new. */
struct sl_sort_counts sl_sorter_counts(const struct sl_sorter *sorter);

#endif
