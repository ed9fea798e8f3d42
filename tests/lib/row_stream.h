#ifndef SL_TESTS_LIB_ROW_STREAM_H
#define SL_TESTS_LIB_ROW_STREAM_H

/* Random row changes on the tables of the model (row_model.h), as an upstream makes them: what is
 * changed is there, and no unique key is broken between two of them. Few values, so that rows meet
 * again and again. */

#include <stdint.h>

#include "base/arena.h"
#include "base/prng.h"
#include "lib/row_model.h"

/* Tables with every kind of key. The first ones have a key that identifies rows. */
enum stream_shape {
    STREAM_HANDLE,      /* integer primary key; nullable unique text and number */
    STREAM_TEXT_PK,     /* folded text as primary key; a unique number */
    STREAM_PREFIX_PK,   /* two characters of a text; the first one of another, folded */
    STREAM_COMPOSITE,   /* number and text; folded text and number */
    STREAM_UNIQUE_ONLY, /* no primary key: a unique number that is never NULL */
    STREAM_NO_KEY,
    STREAM_NULLABLE_UNIQUE,
    STREAM_NULLABLE_PREFIX,
    STREAM_SHAPES,
    STREAM_KEYED_SHAPES = STREAM_NO_KEY,
};

/* An empty table. */
struct model_table stream_table(enum stream_shape shape, int64_t id, const char *name);

/* One row that changes. */
struct stream_step {
    enum sl_change_kind kind;
    struct model_row    old;     /* of updates and deletes */
    struct model_row    new_row; /* of inserts and updates */
};

enum { STREAM_STEPS_MAX = 12 };

/* Draw what one statement does to the table, and do it. Returns how many rows it changed: 0 when
 * the dice asked for something impossible. */
uint32_t stream_draw(struct sl_prng *dice, struct model_table *t,
                     struct stream_step steps[STREAM_STEPS_MAX]);

/* The table as a version that a decoder knows, of database test. Owned: sl_table_free. */
struct sl_table *stream_sl_table(const struct model_table *t);
/* The step as a decoder gives it; in memory of the arena. */
struct sl_change stream_change(struct sl_arena *arena, const struct model_table *t,
                               const struct sl_table *table, const struct stream_step *step);

#endif
