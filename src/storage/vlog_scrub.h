#ifndef SL_STORAGE_VLOG_SCRUB_H
#define SL_STORAGE_VLOG_SCRUB_H

/* Looks through the sealed segments of a value log for damage, beside the writer and in small
 * steps: what lies on a disk may rot, and is better found while there are copies than when
 * somebody needs it. Every record is verified in full. One pass goes over the segments that are
 * sealed when it begins, oldest first; those that are removed meanwhile are passed over. The
 * segment that is being written is left to recovery. One thread. */

#include "storage/vlog.h"

struct sl_vlog_scrub;

/* A pass over the log of these options (dir and identity count; fs is borrowed). */
struct sl_vlog_scrub *sl_vlog_scrub_new(const struct sl_vlog_options *options);
/* Nulls the pointer; *scrub may be NULL. */
void sl_vlog_scrub_free(struct sl_vlog_scrub **scrub);

/* Read on for about `bytes` (at least one record). *end: the pass is over. Errors are about one
 * segment, whose rest is passed over; *segment is its number, and the next call goes on with the
 * one behind it: SL_CORRUPT (damaged: the reason names file, byte and the choices), SL_SYSTEM and
 * whatever else the file system says (it cannot be read). When the folder cannot be listed,
 * *segment is 0 and the pass is over. Blocks for the disk. */
enum sl_err sl_vlog_scrub_step(struct sl_vlog_scrub *scrub, uint64_t bytes, bool *end,
                               uint64_t *segment, struct sl_why *why);

#endif
