#ifndef SL_STORAGE_VLOG_READER_H
#define SL_STORAGE_VLOG_READER_H

/* Reads records of a value log by position, beside the writer and without sharing memory with it:
 * the files are all they have in common. One thread uses one reader (a puller, an indexer). Every
 * record is verified in full. Reading in the order of positions is cheap: up to
 * SL_VLOG_WINDOW_BYTES come with one call to the system. */

#include "storage/vlog.h"

struct sl_vlog_reader;

/* A reader of the log of these options (dir and identity count; fs is borrowed). Touches no file
 * yet. */
struct sl_vlog_reader *sl_vlog_reader_new(const struct sl_vlog_options *options);
/* Nulls the pointer; *reader may be NULL. */
void sl_vlog_reader_free(struct sl_vlog_reader **reader);

/* Everything before `end` was acknowledged, so that it never changes and may be read ahead. Without
 * it every read goes to the system by itself. Never goes back. */
void sl_vlog_reader_allow(struct sl_vlog_reader *reader, uint64_t end);

/* Show the record at a position that append or a visit gave and that was acknowledged; out->payload
 * is valid until the next call with this reader. Blocks for the disk when the page cache does not
 * have it. Errors: SL_NOT_FOUND (removed meanwhile), SL_CORRUPT (damaged: the reason names file,
 * byte and the choices), SL_UNSUPPORTED (record type of a later version), SL_INVALID (no position),
 * those of reading files. */
enum sl_err sl_vlog_reader_show(struct sl_vlog_reader *reader, struct sl_position position,
                                struct sl_vlog_record *out, struct sl_why *why);
/* The same with a copy: *payload is the caller's (sl_buf_free), and out->payload shows it. */
enum sl_err sl_vlog_reader_read(struct sl_vlog_reader *reader, struct sl_position position,
                                struct sl_vlog_record *out, struct sl_buf **payload,
                                struct sl_why *why);

#endif
