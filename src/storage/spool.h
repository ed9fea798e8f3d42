#ifndef SL_STORAGE_SPOOL_H
#define SL_STORAGE_SPOOL_H

/* A spool: bytes that are too many to be held in memory go to a file as they come, and are then
 * read through a buffer like any other, which shows the file and takes no memory but for what is
 * being looked at (sl_buf_forget). For what can be had again: nothing is synced, and a start
 * removes what an earlier life has left.
 *
 * A file has no name from the moment it is made, so it goes with its last reader, whatever happens.
 *
 * Passive and synchronous. A spool and its files belong to one owner; the buffers to anybody. */

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

struct sl_spool;

/* Make the folder if it is not there, and empty it. fs outlives all buffers; dir is copied. Blocks.
 */
enum sl_err sl_spool_open(struct sl_fs *fs, const char *dir, struct sl_spool **out,
                          struct sl_why *why);
/* Nulls the pointer; *spool may be NULL. No file is being written; buffers may still be there. */
void sl_spool_close(struct sl_spool **spool);

struct sl_spool_file;

/* Begin a file. Ends with finish or abandon. */
enum sl_err sl_spool_begin(struct sl_spool *spool, struct sl_spool_file **out, struct sl_why *why);
/* Add bytes: all or, after an error, none: the same may be tried again. SL_NOSPACE, SL_IO. */
enum sl_err sl_spool_append(struct sl_spool_file *file, struct sl_slice bytes, struct sl_why *why);
/* What was written, at least a byte, as a buffer: one reference, the caller's. Nulls the pointer on
 * SL_OK. */
enum sl_err sl_spool_finish(struct sl_spool_file **file, struct sl_buf **out, struct sl_why *why);
/* Nulls the pointer; *file may be NULL. */
void sl_spool_abandon(struct sl_spool_file **file);

#endif
