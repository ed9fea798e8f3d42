#ifndef SL_ACTORS_PUMP_PULL_LARGE_H
#define SL_ACTORS_PUMP_PULL_LARGE_H

/* An entity whose prewrite value lies in a file: the same bytes as any (pull_entity.h), given out
 * piece by piece.
 *
 *     head ─► the value, chunk by chunk, each verified ─► tail
 *
 * Private to the puller and its tests. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/limits.h"
#include "binlog/record.h"
#include "storage/large.h"

/* All zero: none is open. */
struct pull_large {
    uint32_t                total;  /* bytes of the entity */
    struct sl_large_reader *reader; /* owned */
    struct sl_buf          *head;   /* owned; NULL: given out */
    struct sl_buf          *tail;   /* likewise; its end is the entity's */
    uint64_t                at;     /* of the value's next byte in the file */
    uint64_t                left;   /* of the value */
};

/* Begin with what a reference refers to; prewrite is its record, of which the value is looked for
 * in the file of the folder `dir`. Blocks for the disk. Errors: those of sl_large_reader_open;
 * SL_TOO_LARGE: no message can take it. */
enum sl_err pull_large_open(struct pull_large *large, struct sl_fs *fs, const char *dir,
                            const struct sl_large_record *reference,
                            const struct sl_record *prewrite, const struct sl_record *commit,
                            struct sl_why *why);
/* One that is not open may be closed too. */
void pull_large_close(struct pull_large *large);
bool pull_large_is_open(const struct pull_large *large);

/* The next pieces, 1 or more, behind the *count that out has; none is empty, and they are little
 * more than SL_LARGE_CHUNK_BYTES in sum. Closes it behind the last one. Blocks for the disk.
 * Errors: those of sl_large_reader_read. */
enum sl_err pull_large_next(struct pull_large *large, struct sl_buf *out[SL_PULL_BATCH_ITEMS],
                            uint32_t *count, struct sl_why *why);

#endif
