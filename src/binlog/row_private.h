#ifndef SL_BINLOG_ROW_PRIVATE_H
#define SL_BINLOG_ROW_PRIVATE_H

/* The parts of the row decoder: for binlog alone. */

#include <stdbool.h>
#include <stdint.h>

#include "binlog/change.h"
#include "binlog/datum.h"
#include "binlog/table_private.h"

/* What a datum says as a value of that column (codec spec 1.11, 4.2), text in memory of the
 * context's arena. SL_INVALID: it does not fit, or is damaged. */
enum sl_err row_value(const struct sl_row_context *context, const struct sl_column *column,
                      const struct datum *datum, struct sl_value *out, struct sl_why *why);

/* The value of a column that an insert leaves out (codec spec 2.5, default rule). Where the rule's
 * letter and TiDB's reading differ, TiDB is followed: TIMESTAMPs keep their fraction and are shown
 * in the context's zone, an ENUM that must not be NULL is its first element. */
void row_default(const struct sl_row_context *context, const struct sl_column *column,
                 struct sl_value *out);

/* A row being decoded: its context, with written_as set, and where its values go. */
struct row_reader {
    const struct sl_row_context *context;
    const struct sl_table       *written_as;
    struct sl_slice              bytes; /* of the row, for offsets in reasons */
    struct sl_value             *values;
    struct sl_value             *old;         /* of an update: filled first; else NULL */
    const struct table_cell     *cells;       /* of the table; NULL: written_as is another */
    uint32_t                     guess;       /* where the next column most likely stands */
    uint32_t                     typed_guess; /* the same in written_as */
};

/* Put the datum of the column with that id where it belongs; ids that the table does not have are
 * no error. `from` is where it began. */
enum sl_err row_place(struct row_reader *r, int64_t id, const struct datum *datum,
                      const uint8_t *from, struct sl_why *why);
/* Put the reason into its place in table and row; returns SL_INVALID. column may be NULL. */
enum sl_err row_refuse(const struct row_reader *r, const struct sl_column *column,
                       const uint8_t *from, struct sl_why *why);

/* Which column an id means: where it stands in the table, and what its type was when the row was
 * written. False: the table does not have it. */
bool row_find(struct row_reader *r, int64_t id, uint32_t *place, const struct sl_column **typed);

/* All columns of a row in format v2, which bytes are (codec spec 2.8). */
enum sl_err row_take_v2(struct row_reader *r, struct sl_slice bytes, struct sl_why *why);

/* The first byte of a row in format v2; no datum begins with it. */
enum { ROW_V2_MARK = 0x80 };

#endif
