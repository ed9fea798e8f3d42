#ifndef SL_BINLOG_TABLE_PRIVATE_H
#define SL_BINLOG_TABLE_PRIVATE_H

/* How versions of tables are made, and how decoders find columns in them: for binlog alone. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "binlog/table.h"

/* A new version with one reference, the caller's: what draft says, whose slices and arrays all lie
 * in *memory. Takes the arena over, whose owner finds it empty; what is kept is one block of just
 * the size needed. The ids of the columns differ, and no part of an index names a column that is
 * not there. */
struct sl_table *sl_table_seal(struct sl_arena *memory, const struct sl_table *draft);

/* The same of a draft whose slices and arrays lie anywhere, for instance in another version. */
struct sl_table *table_copy(const struct sl_table *draft);

/* Kinds of columns by how most of their values are written. */
enum table_cell_kind {
    TABLE_CELL_OTHER,
    TABLE_CELL_INTEGER,
    TABLE_CELL_STRING,
};

/* What a decoder asks of every column, close together. */
struct table_cell {
    int64_t              id;
    enum table_cell_kind kind;
};

/* One for each column, in their order. */
const struct table_cell *table_cells(const struct sl_table *table);

/* Where the column with that id stands; at once where that is `guess`, which may be any number.
 * False: there is none. */
bool table_find(const struct sl_table *table, int64_t id, uint32_t guess, uint32_t *place);

#endif
