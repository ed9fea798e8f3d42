#ifndef SL_TESTS_LIB_TABLE_H
#define SL_TESTS_LIB_TABLE_H

/* Tables and rows for tests of decoders: columns from a few words, versions of tables from arrays
 * of them, bytes from hexadecimal text. */

#include <stdint.h>

#include "base/arena.h"
#include "binlog/table.h"

/* A public column; flags are of sl_column_flag. Length and decimals are unspecified, and there is
 * no default. The name must live as long as the table. */
struct sl_column table_column(int64_t id, const char *name, enum sl_column_type type,
                              uint32_t flags);

/* A version as the draft says, with copies of all of it. Owned: sl_table_free. */
struct sl_table *table_new(const struct sl_table *draft);
/* The same of columns only, called test.t, with id 47. */
struct sl_table *table_of(const struct sl_column *columns, uint32_t count);

/* The bytes that text shows, spaces left out, in memory of the arena. */
struct sl_slice table_hex(struct sl_arena *arena, const char *text);

#endif
