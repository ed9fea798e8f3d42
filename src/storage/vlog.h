#ifndef SL_STORAGE_VLOG_H
#define SL_STORAGE_VLOG_H

/* The value log: where a pump shard makes its records durable, in the order in which they came.
 *
 * A log is a directory of segment files (format: vlog_format.h). A record is found by its position:
 * an offset that counts on across segments, and a size. The log is passive and synchronous; one
 * owner (the shard writer) calls it, one call at a time. Others read through handles of their own
 * (vlog_reader.h), at the same time and without locks: what was acknowledged never changes.
 *
 *     append: records -> one buffer -> one write -> one sync -> positions
 *                                            |
 *              segment full: sync it, take the next file (prepared, recycled or filled with zeros
 *              now), write and sync its header, name it, sync the directory: then the first byte
 *
 * Promises
 *   - A record whose append returned SL_OK is found, byte for byte, by every later open and read
 *     until it is removed (with `sync`: also after a power cut).
 *   - A record whose append failed is found whole or not at all.
 *   - After a failed write or sync no append succeeds any more; closing and opening recovers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "storage/position.h"

struct sl_vlog;

/* What kind of record; the log itself looks only at SL_VLOG_IDLE, which it alone writes. */
enum sl_vlog_type {
    SL_VLOG_PREWRITE = 1,
    SL_VLOG_COMMIT = 2,
    SL_VLOG_ROLLBACK = 3,
    SL_VLOG_FAKE = 4,
    SL_VLOG_LARGE = 5, /* the payload refers to a file of its own */
    SL_VLOG_IDLE = 6,  /* witness of durability, never visited */
};

/* Whose log it is; every segment says so and a log of another is refused. */
struct sl_vlog_identity {
    uint64_t cluster_id;
    uint32_t shard; /* 0..shard_count - 1 */
    uint32_t shard_count;
};

/* Parts of an append that take time. */
enum sl_vlog_part {
    SL_VLOG_PART_WRITE,
    SL_VLOG_PART_SYNC,
    SL_VLOG_PART_ROTATE, /* beginning the next segment */
};

/* Who measures appends. Told of each part that went well, on the owner's thread. */
struct sl_vlog_watch {
    const struct sl_env *env; /* whose clock */
    void (*took)(void *context, enum sl_vlog_part part, sl_nanos took);
    void *context;
};

/* What to open and how. */
struct sl_vlog_options {
    struct sl_fs           *fs;     /* borrowed for the life of the log, as is random */
    struct sl_random       *random; /* tells generations apart; must not be guessed by clients */
    const char             *dir;    /* copied; made when missing */
    struct sl_vlog_identity identity;
    uint64_t segment_bytes; /* of new segments; a multiple of 4096 within SL_VLOG_SEGMENT_BYTES_* */
    bool     no_sync;       /* appends do not wait for the disk (`sync-log = false`) */
    const struct sl_vlog_watch *watch; /* NULL: nobody; borrowed for the life of the log */
};

/* A record as it is given to append and read back. */
struct sl_vlog_record {
    enum sl_vlog_type type;
    uint8_t           flags; /* the caller's; stored as given */
    uint64_t          start_ts;
    uint64_t          commit_ts; /* in a prewrite: the newest durable commit ts at that moment */
    struct sl_slice   payload;   /* 0..SL_VLOG_PAYLOAD_BYTES_MAX bytes, borrowed */
};

/* A record that recovery came across. */
struct sl_vlog_found {
    struct sl_position    position;
    struct sl_vlog_record record;  /* the payload is valid during the visit */
    uint64_t              durable; /* everything before it was durable when this was written */
};

/* Called once per record, in order. Anything but SL_OK ends the opening with that error. */
typedef enum sl_err (*sl_vlog_visit)(void *context, const struct sl_vlog_found *found);

/* One file of the log. */
struct sl_vlog_segment {
    uint64_t number;
    uint64_t generation;    /* tells its bytes from those the file held before */
    uint64_t first;         /* offset of its first record */
    uint64_t end;           /* behind its last record; the next segment's first */
    uint64_t bytes;         /* of the file */
    uint64_t max_commit_ts; /* highest commit_ts of its records, markers excluded; 0: none */
};

/* Open the log, or create it in an empty directory, and repair what a crash left: the last segment
 * is read from its beginning, a torn tail is cut (overwritten with zeros), and what no witness
 * proves to be on the disk is written again, before the first append.
 *
 * `head`: everything before this offset was durable, says the caller (the index checkpoint); 0 says
 * nothing. With `visit`, every record from head on (0: from the first segment) is visited; segments
 * that end at or before head are trusted and only their headers read. Without it that holds for all
 * but the last segment. When opening fails, forget what was visited.
 *
 * Blocks for as long as reading takes. Errors: SL_CORRUPT (acknowledged bytes are damaged or
 * missing: the reason names the file and what to do), SL_INVALID (another cluster's or shard's),
 * SL_UNSUPPORTED (a format version or record type of another program version), SL_NOSPACE, SL_IO
 * and whatever else the file system says (nothing was lost; opening again makes sense), the
 * visitor's. */
enum sl_err sl_vlog_open(const struct sl_vlog_options *options, uint64_t head, sl_vlog_visit visit,
                         void *context, struct sl_vlog **out, struct sl_why *why);
/* Free the object; writes nothing. Nulls the pointer; *vlog may be NULL. */
void sl_vlog_close(struct sl_vlog **vlog);

/* Bytes that a record with such a payload takes in the log. */
uint32_t sl_vlog_record_bytes(size_t payload_bytes);
/* What fits into one append: the sum of sl_vlog_record_bytes over the batch is at most this. */
uint64_t sl_vlog_batch_bytes_max(const struct sl_vlog *vlog);

/* Write the records, 1..n of them, as one piece, sync (unless no_sync), and set positions[i] for
 * each. Blocks for a write and a sync; at the end of a segment for a second sync, and for filling
 * the next file unless sl_vlog_prepare has done it. Errors, each without a record acknowledged:
 *   SL_NOSPACE   transient; the log is as before, append again later
 *   SL_TOO_LARGE over sl_vlog_batch_bytes_max; the log is as before
 *   SL_IO        a write or sync failed, now or earlier: this object appends nothing more. Close
 *                and open to go on. */
enum sl_err sl_vlog_append(struct sl_vlog *vlog, const struct sl_vlog_record *records,
                           uint32_t count, struct sl_position *positions, struct sl_why *why);

/* Tell recovery that all up to here is durable, by a record that is written but not synced. For the
 * moment when the writer goes idle: without it, damage to the last batch could not be told from a
 * torn one. Does nothing when it has nothing to say or the segment is full. Errors as of append;
 * one write. */
enum sl_err sl_vlog_mark_idle(struct sl_vlog *vlog, struct sl_why *why);

/* Make durable what is not: for no_sync, before an index checkpoint names an offset as head, and at
 * a clean stop. SL_IO as of append. */
enum sl_err sl_vlog_sync(struct sl_vlog *vlog, struct sl_why *why);

/* Do up to `bytes` of the work that the next change of segments needs, so that it need not stall an
 * append: for moments when nobody waits. *left is what remains; 0: the next file is ready, calling
 * again costs nothing. Errors: SL_NOSPACE and others; none harms the log. */
enum sl_err sl_vlog_prepare(struct sl_vlog *vlog, uint64_t bytes, uint64_t *left,
                            struct sl_why *why);

/* Behind the last record; behind the last that is known to be durable. */
uint64_t sl_vlog_end(const struct sl_vlog *vlog);
uint64_t sl_vlog_durable(const struct sl_vlog *vlog);

/* All segments, oldest first, the last one being written; at least one. Borrowed until the next
 * call that changes the log. Which transactions of a segment are unresolved, or have their commit
 * in a later one, the caller knows. */
const struct sl_vlog_segment *sl_vlog_segments(const struct sl_vlog *vlog, uint32_t *count);

/* Remove the segments that end at or before `offset`, oldest first, never the last one. Positions
 * in them become SL_NOT_FOUND for readers. Blocks for a directory sync per segment, so that a crash
 * leaves no gap. After an error some may be gone; call again. */
enum sl_err sl_vlog_remove_before(struct sl_vlog *vlog, uint64_t offset, struct sl_why *why);

#endif
