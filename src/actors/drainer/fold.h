#ifndef SL_ACTORS_DRAINER_FOLD_H
#define SL_ACTORS_DRAINER_FOLD_H

/* Folding: what is left of many changes of keyed tables when only the end of each row counts. A row
 * that was touched ends as replaced by its last image, or as deleted; never as nothing, so that
 * doing it again is harmless.
 *
 *     insert, update   replace with the new image
 *     update of the key    delete the old one too
 *     delete           delete
 *
 * The result is to be done table by table, deletes first, then replacements in the order of their
 * last change. That is right also where rows swap values of other unique keys: a replacement can
 * only remove a row that had the value before, and that row's own end is among what is done with it
 * or after it. Memory is kept from round to round. Used by one thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "actors/drainer/row_keys.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "binlog/change.h"

/* The end of one row. */
struct sl_fold_row {
    struct sl_map_node      node;  /* by identity */
    struct sl_list_node     place; /* among the deletes or the replacements of its table */
    const struct sl_change *change;
    const struct sl_value  *image; /* that names it: of change */
};

/* What is left of one table. */
struct sl_fold_table {
    struct sl_list_node       place;
    const struct sl_row_keys *keys;
    struct sl_list            deletes;      /* struct sl_fold_row: the old image of its change */
    struct sl_list            replacements; /* struct sl_fold_row: the new one */
};

/* All zero but for what sl_fold_init makes ready. */
struct sl_fold {
    struct sl_arena arena;
    struct sl_map   rows;
    struct sl_list  tables; /* struct sl_fold_table */
};

/* An empty one; it owns memory from the first change on. */
void sl_fold_init(struct sl_fold *fold);
/* Free its memory. */
void sl_fold_done(struct sl_fold *fold);
/* Forget all. */
void sl_fold_reset(struct sl_fold *fold);

/* One more change, of a keyed table; borrowed until the reset. */
void sl_fold_add(struct sl_fold *fold, const struct sl_row_keys *keys,
                 const struct sl_change *change);

#endif
