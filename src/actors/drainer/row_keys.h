#ifndef SL_ACTORS_DRAINER_ROW_KEYS_H
#define SL_ACTORS_DRAINER_ROW_KEYS_H

/* Row keys: what makes rows of a table collide, as hashes for the causality table. Compiled once for
 * a version of a table and what the downstream has under its name.
 *
 * Keys are the unique keys of the downstream and those of the upstream. The hash is never finer than
 * the downstream's comparison: of a prefix index the prefix only; of text in a collation that is not
 * binary the value with ASCII letters folded and trailing blanks cut, and one constant for values
 * with any other byte outside 0x20..0x7E, since what those equal is the collation's secret. (So all
 * of those collide: they are applied in order, and none is lost.) A part that the row does not have,
 * or that is an expression, makes the key one constant too: absent is not NULL. NULL never collides.
 *
 * A table is keyed when the downstream has a key whose columns are all NOT NULL and in the rows: such
 * a row can be replaced and deleted by its key, again and again. Changes of other tables must be
 * applied exactly once, in order: each such table has a lane, and each lane a worker. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "binlog/change.h"
#include "binlog/table.h"

struct sl_sink_table;

/* Immutable, but for who frees it. */
struct sl_row_keys {
    struct sl_table      *table; /* owned references */
    struct sl_sink_table *sink_table;
    bool                  is_keyed;
    uint32_t              lane; /* 0..SL_LANES - 1, of a table that is not keyed */
    uint32_t              identity_count; /* of a keyed one: places in table->columns, */
    uint32_t              identity[SL_KEY_PARTS_MAX]; /* in the order of the downstream's key */
    uint64_t              seed; /* of the table's name */
    uint32_t              key_count;
    struct sl_row_key    *keys; /* owned */
};

/* Compile. Takes references of its own. */
struct sl_row_keys *sl_row_keys_new(const struct sl_table *table, struct sl_sink_table *sink_table);
/* Nulls the pointer; *keys may be NULL. */
void sl_row_keys_free(struct sl_row_keys **keys);

/* The hashes of a change's keys, of both images of an update: at most 2 * SL_KEYS_MAX, into out.
 * Returns how many. */
uint32_t sl_row_keys_hash(const struct sl_row_keys *keys, const struct sl_change *change,
                          uint64_t *out);

#endif
