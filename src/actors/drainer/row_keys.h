#ifndef SL_ACTORS_DRAINER_ROW_KEYS_H
#define SL_ACTORS_DRAINER_ROW_KEYS_H

/* Row keys: what makes rows of a table collide, as hashes for the causality table. Compiled once
 * for a version of a table and what the downstream has under its name; the dispatcher's.
 *
 * Keys are the unique keys of the downstream and those of the upstream. A hash is never finer than
 * the downstream's comparison: of a prefix key the prefix only; of text that a collation compares,
 * the value with ASCII letters folded and trailing blanks cut. What else such a collation takes for
 * equal is its secret: so the first value with a byte outside 0x20..0x7E widens the key, which from
 * then on has one hash for all rows. The same goes for a part that a row does not have (absent is
 * not NULL), and for keys on expressions from the start. A key that is widened loses parallelism,
 * never order. NULL collides with nothing.
 *
 * A table is keyed when the downstream has a key whose columns are all NOT NULL and in the rows:
 * such a row can be replaced and deleted by its key, again and again. Changes of other tables must
 * be applied exactly once, in order: each such table has a lane, and each lane a worker. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "binlog/change.h"
#include "binlog/sink_table.h"
#include "binlog/table.h"

struct sl_row_key;

/* Read by workers, but for the keys, which are the dispatcher's. */
struct sl_row_keys {
    struct sl_table      *table; /* owned references */
    struct sl_sink_table *sink_table;
    bool                  is_keyed;
    uint32_t              lane;           /* 0..SL_ROW_LANES - 1 */
    uint32_t              identity_count; /* of a keyed one: places in table->columns, */
    uint32_t              identity[SL_KEY_PARTS_MAX]; /* in the order of the downstream's key */
    uint64_t              seed;                       /* of the table's name */
    uint32_t              key_count;
    struct sl_row_key    *keys; /* owned */
};

/* Compile. Takes references of its own. */
struct sl_row_keys *sl_row_keys_new(const struct sl_table *table, struct sl_sink_table *sink_table);
/* Nulls the pointer; *keys may be NULL. */
void sl_row_keys_free(struct sl_row_keys **keys);

/* Widen the keys that this change is too much for. True when one was: then everything in flight
 * must be applied before any further hash is made. */
bool sl_row_keys_widen(struct sl_row_keys *keys, const struct sl_change *change);
/* The hashes of a change's keys, of both images of an update: at most 2 * SL_KEYS_MAX, into out.
 * Returns how many. No key needs to be widened for it. */
uint32_t sl_row_keys_hash(const struct sl_row_keys *keys, const struct sl_change *change,
                          uint64_t *out);

#endif
