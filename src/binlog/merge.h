#ifndef SL_BINLOG_MERGE_H
#define SL_BINLOG_MERGE_H

/* The k-way merge of both programs: a pump's puller merges its shards, a drainer its pumps. Sources
 * give blocks of descriptors in commit ts order and a watermark each; the merge gives one sequence
 * in commit ts order, and holds a descriptor back until every source's watermark has reached it.
 *
 *     source 0:  [3 7 9] [12 ...   watermark 14 ┐
 *     source 1:  [4 5]             watermark 10 ├─► 3 4 5 7 8 9      least watermark: 10
 *     source 2:  [8 11]            watermark 13 ┘
 *
 * It copies runs: from the source with the least head up to the least head of all others, so that
 * bursts cost a copy and not a comparison tree. No I/O, no threads; memory is allocated when a
 * source is added, at no other time. Used by one thread at a time.
 *
 * A bound from elsewhere (a drainer's registry fence) is a source that has a watermark and never
 * pushes. */

#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ts.h"

/* A committed transaction on its way through a merge: one cache line. Which of the two places holds
 * is agreed between who fills it and who reads it; the merge looks at commit_ts alone and sets
 * source. */
struct sl_descriptor {
    sl_ts commit_ts;
    sl_ts start_ts;
    union {
        struct {
            struct sl_slice bytes; /* the record, in memory of the block's owner */
            struct sl_buf  *owner; /* what keeps it alive, or NULL; the merge takes no reference */
        } held;
        struct {
            uint64_t commit_offset;   /* of the records in a value log */
            uint64_t prewrite_offset; /* when prewrite_bytes > 0 */
            uint32_t commit_bytes;
            uint32_t prewrite_bytes; /* 0: no prewrite */
        } stored;
    };
    uint32_t source; /* set on the way out */
    uint32_t type;   /* of enum sl_record_type */
    uint64_t tag[2]; /* for who filled it */
};
static_assert(sizeof(struct sl_descriptor) == 64, "one cache line");

/* Descriptors of one source; the merge borrows the block and its items from push until it gives the
 * block back as spent. Meant to be a member of a message. */
struct sl_merge_block {
    const struct sl_descriptor *items;  /* by commit_ts, equal ones allowed */
    uint32_t                    count;  /* 1..SL_MERGE_BLOCK_ITEMS_MAX */
    uint32_t                    source; /* set by push */
    struct sl_merge_block      *next;   /* the merge's */
};

struct sl_merge;

/* A merge without sources, which emits nothing at or below `after`. Owned: sl_merge_free. */
struct sl_merge *sl_merge_new(sl_ts after);
/* Free and null the pointer. All blocks must have been taken back: remove the sources, then take
 * what is spent. *merge may be NULL. */
void sl_merge_free(struct sl_merge **merge);

/* Add a source with watermark `after`: it has nothing at or below that. *source is its number, the
 * lowest that is free. From now on the merge waits for it. SL_TOO_LARGE beyond
 * SL_MERGE_SOURCES_MAX. */
enum sl_err sl_merge_add(struct sl_merge *merge, sl_ts after, uint32_t *source, struct sl_why *why);
/* Remove a source; its unmerged blocks become spent. To lose nothing, set its watermark to
 * INT64_MAX and drain until sl_merge_pending says 0 first. */
void sl_merge_remove(struct sl_merge *merge, uint32_t source);

/* Give a block to the merge, behind those the source gave before. SL_INVALID, the block not taken,
 * when it is not in order, begins below the source's last one, or is *late*: holds a commit ts at
 * or below sl_merge_passed other than the one emitted last (a copy of that may still come). The
 * reason names ts and bound; the caller knows whose source it is. */
enum sl_err sl_merge_push(struct sl_merge *merge, uint32_t source, struct sl_merge_block *block,
                          struct sl_why *why);
/* The source has nothing more at or below ts, beyond what it pushed. A lower one than before
 * changes nothing. */
void sl_merge_set_watermark(struct sl_merge *merge, uint32_t source, sl_ts ts);

/* Copy what can be emitted to out[0..room-1], in commit ts order across calls too, and return how
 * many; fewer than room: all there is for now. Equal commit ts of several sources come out side by
 * side: which are copies is the caller's to judge. */
uint32_t sl_merge_drain(struct sl_merge *merge, struct sl_descriptor *out, uint32_t room);

/* A block that is no longer needed, in no particular order among sources, or NULL. Take them after
 * every drain and remove. */
struct sl_merge_block *sl_merge_spent(struct sl_merge *merge);

/* Everything at or below this has been emitted, and nothing there will be accepted any more. Never
 * falls. Follows sl_merge_watermark; while that is INT64_MAX, the commit ts emitted last. */
sl_ts sl_merge_passed(const struct sl_merge *merge);
/* The least watermark of all sources; *holder (may be NULL) is a source that has it. Falls when a
 * source is added below it. Without sources: sl_merge_passed, and *holder is UINT32_MAX. */
sl_ts sl_merge_watermark(const struct sl_merge *merge, uint32_t *holder);
/* Descriptors that the source pushed and that were not emitted yet. */
uint64_t sl_merge_pending(const struct sl_merge *merge, uint32_t source);

#endif
