#ifndef SL_BINLOG_SINK_MAP_H
#define SL_BINLOG_SINK_MAP_H

/* Which columns of a version of a table meet which of the table downstream: by name, without regard
 * to case. Statements are written by it, and the keys of the downstream are found in row images. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "binlog/change.h"
#include "binlog/sink_table.h"

/* All zero is an empty one. */
struct sl_sink_map {
    const struct sl_table      *table; /* borrowed; NULL: empty */
    const struct sl_sink_table *sink;  /* borrowed */
    int32_t *to_sink;   /* owned; per column of table: where it is written, or -1: nowhere */
    int32_t *from_sink; /* owned; per column of sink: where its value stands in an image, generated
                           ones too, or -1: in none */
};

/* Fill the map for these two, which outlive its use. SL_INVALID: a column that changes have is not
 * in the downstream, and is_partial (sync-mode 2) is off; the map is then empty. */
enum sl_err sl_sink_map_fill(struct sl_sink_map *map, const struct sl_table *table,
                             const struct sl_sink_table *sink, bool is_partial, struct sl_why *why);
/* Free and empty. */
void sl_sink_map_done(struct sl_sink_map *map);

/* The value that an image has for a part of a key; NULL when it has none (an expression, a column
 * that the upstream lacks, ABSENT), and for a NULL. */
const struct sl_value *sl_sink_map_value(const struct sl_sink_map  *map,
                                         const struct sl_sink_part *part,
                                         const struct sl_value     *image);

/* The first key of the downstream, the primary one first, whose parts all have values in the image:
 * at most one row there has them. NULL: no key does. */
const struct sl_sink_key *sl_sink_map_key(const struct sl_sink_map *map,
                                          const struct sl_value    *image);

/* Has the downstream a key of columns that are never NULL, all with a value in this image? Writing
 * the row with REPLACE is then the same when done again. */
bool sl_sink_map_is_keyed(const struct sl_sink_map *map, const struct sl_value *image);

#endif
