#ifndef SL_ACTORS_PUMP_PULL_STREAM_H
#define SL_ACTORS_PUMP_PULL_STREAM_H

/* What a puller does, without actors: all shards of a pump as one stream of entities.
 *
 *     index k ─blocks─► merge ─descriptors─► plan ─positions in file order─► log k ─► entities
 *
 * Promises
 *   S1  The commit ts of what is given out rises strictly.
 *   S2  Nothing above the watermark of any shard is given out, and nothing at or below the last one
 *       given out is missing, but what is logged and counted on the board: commits without
 *       prewrite, further entries of the same commit ts, late ones. After an error this stream
 *       gives nothing more.
 *
 * An entity that is too large to be held is given out in pieces, call by call.
 *
 * Used by one thread at a time. Private to the puller and its tests. */

#include "actors/pump/pull_large.h"
#include "actors/pump/pull_shard.h"
#include "base/arena.h"

/* A transaction of the batch being made, and its records, in the stream's scratch memory. */
struct pull_item {
    struct sl_descriptor descriptor;
    struct sl_slice      commit;
    struct sl_slice      prewrite; /* but of a fake one, which has none */
    bool                 is_large; /* prewrite is a reference to a file */
};

/* A record to be read. */
struct pull_read {
    uint32_t           shard;
    struct sl_position position;
    struct sl_slice   *payload; /* of an item */
    bool              *is_large;
};

/* All zero: closed. */
struct pull_stream {
    struct sl_pump_board *board; /* borrowed */
    const char           *peer;  /* borrowed; who reads, for the log */
    struct sl_pump       *pump;  /* borrowed; for where the files are */
    struct sl_merge      *merge; /* owned */
    uint32_t              shard_count;
    struct pull_shard     shards[SL_PUMP_SHARDS_MAX];
    sl_ts                 sent; /* newest commit ts given out; at first: where the stream began */

    /* Merged and not yet looked at: [ready_at, ready_count). */
    struct sl_descriptor ready[SL_PULL_BATCH_ITEMS];
    uint32_t             ready_at;
    uint32_t             ready_count;

    /* The batch being made; between two calls it is empty, but for what waits behind a large
     * entity: [item_at, item_count). */
    struct pull_item  items[SL_PULL_BATCH_ITEMS];
    uint32_t          item_at;
    uint32_t          item_count;
    uint64_t          item_bytes; /* of their records in the log */
    struct sl_arena   scratch;    /* owned; holds the records until their entities are made */
    struct pull_large large;      /* under way; all zero: none */
};

/* A stream of all above `after` (at least 0). `peer` is borrowed for its life. What was opened
 * before an error is closed by pull_stream_close. Blocks for the disk. Errors: SL_FULL (too many
 * cursors) and others of sl_index_cursor_open. */
enum sl_err pull_stream_open(struct pull_stream *stream, struct sl_pump *pump, sl_ts after,
                             const char *peer, struct sl_why *why);
void        pull_stream_close(struct pull_stream *stream);

/* The next entities, at most SL_PULL_BATCH_ITEMS and, unless one alone is larger,
 * SL_PULL_BATCH_BYTES: the caller's. *count 0: nothing for now. *pieces_of: 0, or what is given out
 * are the next pieces of one entity of so many bytes. Blocks for the disk. Errors, with
 * no entity: SL_AGAIN (try again later); SL_NOT_FOUND (removed by retention meanwhile); SL_CORRUPT
 * (the reason names file and byte); those of reading. */
enum sl_err pull_stream_next(struct pull_stream *stream, struct sl_buf *out[SL_PULL_BATCH_ITEMS],
                             uint32_t *count, uint32_t *pieces_of, struct sl_why *why);

/* After *count was 0: there is nothing to give out at or below this. */
sl_ts pull_stream_watermark(const struct pull_stream *stream);
/* After *count was 0: a mark that says so, the caller's. The watermark is above `sent`. */
struct sl_buf *pull_stream_fake(struct pull_stream *stream);

#endif
