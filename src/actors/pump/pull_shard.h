#ifndef SL_ACTORS_PUMP_PULL_SHARD_H
#define SL_ACTORS_PUMP_PULL_SHARD_H

/* One shard of a stream: reads the shard's index in blocks, up to the watermark it was told, into
 * the stream's merge, and records out of the shard's log. Private to the puller.
 *
 *     after ──► read_to ───────────► watermark
 *         read       not read yet             nobody may look there
 */

#include "actors/pump/pump.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ts.h"
#include "binlog/merge.h"
#include "storage/vlog_reader.h"

/* What was read of the index and not emitted yet. */
struct pull_block {
    struct sl_merge_block base; /* first: what the merge gives back is this block */
    bool                  is_pushed;
    struct sl_descriptor  items[SL_PULL_BLOCK_ITEMS]; /* `stored`; type as in the index */
};

struct pull_shard {
    struct sl_index_cursor *cursor;    /* owned */
    struct sl_vlog_reader  *reader;    /* owned */
    struct sl_pump_board   *board;     /* borrowed */
    uint32_t                number;    /* of the shard, and of the merge's source */
    sl_ts                   watermark; /* as told; -1: not yet */
    sl_ts                   read_to;   /* all at or below it has been read */
    struct pull_block      *blocks;    /* owned: SL_PULL_BLOCKS */
};

/* Open shard `number` of the pump for what is above `after`, as the next source of the merge. What
 * was opened before an error is closed by pull_shard_close. Errors: of sl_index_cursor_open. */
enum sl_err pull_shard_open(struct pull_shard *shard, struct sl_pump *pump, uint32_t number,
                            sl_ts after, struct sl_merge *merge, struct sl_why *why);
/* Close what is open; the merge has given all blocks back. A zeroed shard is closed. */
void pull_shard_close(struct pull_shard *shard);

/* Up to this watermark the index may be read, and before log_end the log. */
void pull_shard_allow(struct pull_shard *shard, sl_ts watermark, uint64_t log_end);
/* Everything that may be read has been read? */
bool pull_shard_is_dry(const struct pull_shard *shard);

/* Read the index and push what is there, until the shard is dry or no block is free. Blocks for the
 * disk. Errors: SL_AGAIN (try again later), SL_NOT_FOUND (retention has passed this reader), those
 * of sl_index_cursor_next. */
enum sl_err pull_shard_fill(struct pull_shard *shard, struct sl_merge *merge, struct sl_why *why);

/* Show the payload of the record at a position, valid until the next call for the shard. *is_large:
 * it is a reference, the record has a file of its own. Blocks for the disk. Errors: as of
 * sl_vlog_reader_show. */
enum sl_err pull_shard_show(struct pull_shard *shard, struct sl_position position,
                            struct sl_slice *payload, bool *is_large, struct sl_why *why);

#endif
