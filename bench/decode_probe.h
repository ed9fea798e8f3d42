#ifndef SL_BENCH_DECODE_PROBE_H
#define SL_BENCH_DECODE_PROBE_H

/* What the decoder is measured with and against: records of one table, a walk written by hand for
 * exactly these, and protobuf-c. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    PROBE_RECORDS = 64,
    PROBE_ROWS = 16, /* of one record: 8 inserts, 6 updates, 2 deletes */
    PROBE_COLUMNS_MAX = 100,
};

/* Joined records of transactions on one table: column 1 is an integer and the key, behind it
 * integers and strings of up to 24 bytes take turns. Ids are 1 and up. */
struct probe_input {
    uint32_t        columns;
    struct sl_slice records[PROBE_RECORDS]; /* owned */
};

/* The same bytes for the same number of columns. Owned: probe_input_free. */
struct probe_input *probe_input_new(uint32_t columns);
void                probe_input_free(struct probe_input **input);

/* Find the rows of a record, and with `rows` decode them into an array of values, every length
 * checked, by code that knows ids to be places and types to be what flags say. Returns the rows, 0:
 * damaged. */
uint32_t probe_walk(const struct probe_input *input, struct sl_slice record, bool rows);
/* Unpack a record and its prewrite value with protobuf-c, and with `rows` decode the rows as
 * probe_walk does. Returns the rows, 0: damaged. */
uint32_t probe_protobuf(const struct probe_input *input, struct sl_slice record, bool rows);

/* What the walks saw, so that no compiler takes them away. */
uint64_t probe_seen(void);

#endif
