#ifndef SL_SLUICE_SHOP_ROWS_H
#define SL_SLUICE_SHOP_ROWS_H

/* The rows of the shop: values, changes to them, a transaction's changes as TiDB writes them into a
 * binlog (codec spec 2), and a table as text for a comparison. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sluice/shop_schema.h"

enum { SHOP_TEXT_BYTES_MAX = 40, SHOP_CHANGES_MAX = 8 };

enum shop_value_kind { SHOP_NULL, SHOP_INT, SHOP_TEXT };

/* One cell. */
struct shop_value {
    enum shop_value_kind kind;
    int64_t              number;
    char                 text[SHOP_TEXT_BYTES_MAX + 1];
};

/* One row, its cells in the order of the table's columns; the first is the key. */
struct shop_row {
    bool              exists;
    bool              is_busy; /* a transaction that is under way touches it */
    struct shop_value cells[SHOP_COLUMNS_MAX];
};

struct shop_value shop_int(int64_t number);
struct shop_value shop_text(const char *text);
/* The default of a column. */
struct shop_value shop_default(const struct shop_column *column);

/* One change of a transaction. Which sort it is, the two rows say: one that does not exist before
 * is inserted, one that does not exist after is deleted. */
struct shop_change {
    enum shop_table_number table;
    struct shop_row       *row; /* as it is before; the model's */
    struct shop_row        after;
};

/* A PrewriteValue, as a buffer of the caller. Changes of a table stand together, in their order. */
struct sl_buf *shop_prewrite_value(const struct shop_schema *schema,
                                   const struct shop_change *changes, uint32_t count);

/* A table as text, in the form of compare.h; the caller's. */
struct sl_buf *shop_table_text(const struct shop_table *table, const struct shop_row *rows,
                               uint32_t count);

#endif
