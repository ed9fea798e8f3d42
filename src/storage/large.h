#ifndef SL_STORAGE_LARGE_H
#define SL_STORAGE_LARGE_H

/* Large entities: messages too large for a record of the value log have a file of their own in the
 * folder `large` of their shard, and the log has a small record that refers to it.
 *
 *     create, append piece by piece, finish ──> reference ──> value log ──> keep
 *                                                                (what is acknowledged)
 *
 * Life of a file. It is written, finished (durable from here on), referred to by a record of the
 * log, and goes with the segment that holds this record: first the segment, then the file, so that
 * no reference is ever without its file. What a crash leaves without a reference goes at the start.
 * A start reads the log only from the index's head on; so a file itself notes the offset of its
 * record, and the caller makes that durable before the head passes the record.
 *
 *     start:       sl_large_open; sl_large_keep for each reference that opening the log visits;
 *                  sl_large_sweep
 *     checkpoint:  sl_large_sync, then the index's
 *     retention:   sl_vlog_remove_before, then sl_large_remove_before
 *
 * Passive and synchronous: the folder and its writers belong to one owner, one call at a time;
 * readers, and who appends the references, share only the files with it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

/* Names a finished file and what must be in it. */
struct sl_large_ref {
    uint64_t number;
    uint64_t bytes; /* of the entity */
    uint32_t crc;   /* over the checksums of its chunks */
};

/* ---- the folder ---- */

struct sl_large;

/* Open the folder, or make it. Files that were never finished are removed. fs is borrowed, dir
 * copied. Errors: SL_CORRUPT (a file's header is damaged), SL_UNSUPPORTED (of a later version),
 * SL_TOO_LARGE (SL_LARGE_FILES_MAX), those of the file system. Blocks. */
enum sl_err sl_large_open(struct sl_fs *fs, const char *dir, struct sl_large **out,
                          struct sl_why *why);
/* Free the object; no writer is left. Nulls the pointer; *large may be NULL. */
void sl_large_close(struct sl_large **large);

/* Finished files. */
uint32_t sl_large_count(const struct sl_large *large);

/* The record at this offset of the log, durable, refers to the file: after its append, and for each
 * that is visited at the start. Not durable until sl_large_sync.
 * Errors: SL_CORRUPT (no such file, or another: acknowledged data is lost), SL_IO, SL_NOSPACE. */
enum sl_err sl_large_keep(struct sl_large *large, const struct sl_large_ref *ref, uint64_t offset,
                          struct sl_why *why);
/* Make what was kept durable. Blocks for a sync per file kept since the last one. After SL_IO no
 * later head may pass these records: call again. */
enum sl_err sl_large_sync(struct sl_large *large, struct sl_why *why);

/* Once, at the start, when the log was visited from `head` on: remove each file that nobody kept,
 * unless its record is at or behind `first` (where the log begins) and before head. */
enum sl_err sl_large_sweep(struct sl_large *large, uint64_t first, uint64_t head,
                           struct sl_why *why);
/* Remove the files whose records were before this offset. After an error some may be left: call
 * again. */
enum sl_err sl_large_remove_before(struct sl_large *large, uint64_t offset, struct sl_why *why);

/* ---- beside the folder: for who appends the references, on a thread of its own ---- */

/* As sl_large_keep, at once durable, and the folder finds it out when it needs to: for whoever
 * cannot tell when the head passes a record. Blocks for a sync. After an error the head must not
 * pass it. */
enum sl_err sl_large_mark(struct sl_fs *fs, const char *dir, const struct sl_large_ref *ref,
                          uint64_t offset, struct sl_why *why);
/* The file was finished, but its record is certainly not in the log (SL_NOSPACE, SL_TOO_LARGE, or
 * it was never appended): remove it. After SL_IO the record may yet be found by the next start: let
 * that decide. */
void sl_large_unlink(struct sl_fs *fs, const char *dir, const struct sl_large_ref *ref);

/* ---- writing ---- */

struct sl_large_writer;

/* Begin a file. SL_FULL: SL_LARGE_FILES_MAX. Each writer ends with finish or abandon. */
enum sl_err sl_large_create(struct sl_large *large, struct sl_large_writer **out,
                            struct sl_why *why);
/* Add bytes. Blocks for a sync now and then, so that the last one is short. After an error only
 * abandon may follow. SL_TOO_LARGE: SL_LARGE_CHUNKS_MAX. */
enum sl_err sl_large_append(struct sl_large_writer *writer, struct sl_slice bytes,
                            struct sl_why *why);
/* Make the file and its name durable. Nulls the pointer; after an error the file is gone. Not for
 * an empty one. Blocks for two syncs. */
enum sl_err sl_large_finish(struct sl_large_writer **writer, struct sl_large_ref *out,
                            struct sl_why *why);
/* Close and remove it. Nulls the pointer; *writer may be NULL. */
void sl_large_abandon(struct sl_large_writer **writer);

/* ---- reading ---- */

struct sl_large_reader;

/* Open the file of this reference in the folder `dir`. SL_NOT_FOUND (gone with its segment),
 * SL_CORRUPT (not the file of this reference), those of reading. */
enum sl_err sl_large_reader_open(struct sl_fs *fs, const char *dir, const struct sl_large_ref *ref,
                                 struct sl_large_reader **out, struct sl_why *why);
/* Verified bytes from `at` (below ref.bytes) on, 1..count, fewer at the end of a chunk: *out is the
 * caller's and may keep a chunk alive. In order, each chunk is read once. SL_CORRUPT: damaged. */
enum sl_err sl_large_reader_read(struct sl_large_reader *reader, uint64_t at, size_t count,
                                 struct sl_buf **out, struct sl_why *why);
/* Nulls the pointer; *reader may be NULL. */
void sl_large_reader_close(struct sl_large_reader **reader);

/* ---- the reference in the log ---- */

/* The payload of a record of type SL_VLOG_LARGE. `rest` is the entity's record without its prewrite
 * value (binlog/record_stream.h): all that readers of the log want to know of it. */
struct sl_large_record {
    struct sl_large_ref ref;
    bool                has_value;
    uint64_t            value_at; /* of the prewrite value in the entity */
    uint64_t            value_bytes;
    struct sl_slice     rest; /* borrowed */
};

/* Bytes of the payload; encode fills so many. */
size_t sl_large_record_bytes(const struct sl_large_record *record);
void   sl_large_record_encode(const struct sl_large_record *record, uint8_t *out);
/* SL_CORRUPT (the log has verified it, so it is our mistake or another's file), SL_UNSUPPORTED (a
 * later version). out->rest borrows from payload. */
enum sl_err sl_large_record_decode(struct sl_slice payload, struct sl_large_record *out,
                                   struct sl_why *why);

#endif
