#ifndef SL_BINLOG_CHANGE_H
#define SL_BINLOG_CHANGE_H

/* Row changes: what a mutation says, decoded by column id into values that a sink can write (codec
 * spec 2 and 4.2). A value is what the original calls the formatted argument: dates, times,
 * decimals and JSON are text by now, enums, sets and bits are numbers. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "binlog/table.h"

/* What a value holds. */
enum sl_value_kind {
    SL_VALUE_ABSENT, /* the row says nothing about the column */
    SL_VALUE_NULL,
    SL_VALUE_INT,    /* integers, YEAR */
    SL_VALUE_UINT,   /* unsigned integers, ENUM (index), SET (mask), BIT */
    SL_VALUE_FLOAT,  /* FLOAT: a float32 that was widened */
    SL_VALUE_DOUBLE, /* DOUBLE */
    SL_VALUE_TEXT,   /* everything else; strings and blobs as they stand, also binary ones */
};

/* One value; text borrows from the record or from the arena. */
struct sl_value {
    enum sl_value_kind kind;
    union {
        int64_t         i;
        uint64_t        u;
        double          d;
        struct sl_slice text;
    };
};

/* What happened to the row. */
enum sl_change_kind { SL_CHANGE_INSERT, SL_CHANGE_UPDATE, SL_CHANGE_DELETE };

/* One changed row. Both images have one value per column of `table`, in its order. */
struct sl_change {
    const struct sl_table *table; /* borrowed; as the downstream has the table at this point */
    enum sl_change_kind    kind;
    struct sl_value       *values; /* the new image; of a delete the old one */
    struct sl_value       *old;    /* of an update: the image before; else NULL */
};

/* How TIMESTAMPs become text: stored in UTC, shown in the zone of whoever reads them (codec spec
 * 4.4). */
struct sl_zone;

/* A zone by name: "+08:00" within -12:59..+14:00, "UTC", or of the tz database, which is read from
 * /usr/share/zoneinfo of fs. SL_INVALID for others, "SYSTEM" and "Local" included, SL_NOT_FOUND
 * where the database has no such zone. Owned: sl_zone_free. Blocks; the object is immutable and
 * good for all threads. */
enum sl_err sl_zone_open(struct sl_fs *fs, const char *name, struct sl_zone **out,
                         struct sl_why *why);
void        sl_zone_free(struct sl_zone **zone);

/* ---- walking a prewrite value ---- */

/* One mutated table of a transaction. */
struct sl_mutation {
    int64_t         table_id;
    struct sl_slice bytes; /* the serialized TableMutation */
};

/* Walks the mutations of a PrewriteValue; all zero before sl_prewrite_open. */
struct sl_prewrite {
    int64_t         schema_version;
    struct sl_slice rest; /* the walker's own */
};

/* Check the outer structure of a PrewriteValue, every length in it, and begin to walk. SL_INVALID
 * says what is wrong at which offset. */
enum sl_err sl_prewrite_open(struct sl_slice value, struct sl_prewrite *out, struct sl_why *why);
/* The next mutation, in order; SL_NOT_FOUND after the last. */
enum sl_err sl_prewrite_next(struct sl_prewrite *prewrite, struct sl_mutation *out,
                             struct sl_why *why);

/* One row of a mutation as it stands. */
struct sl_raw_row {
    enum sl_change_kind kind;
    struct sl_slice     bytes;
};

/* Walks the rows of a mutation in the order of its sequence (codec spec 2.2). The three lists of
 * rows are walked by cursors, so a mutation of any size needs no memory. */
struct sl_row_walk {
    struct sl_slice bytes; /* all fields are the walker's own */
    size_t   at[4]; /* where the next insert, update, delete and sequence entry is looked for */
    uint64_t packed_left;
};

/* Check the structure of a TableMutation and begin. *rows (may be NULL) is how many there will be.
 * SL_INVALID: damaged, a sequence entry without its row, or an unknown mutation type. */
enum sl_err sl_row_walk_open(struct sl_slice mutation, struct sl_row_walk *out, uint64_t *rows,
                             struct sl_why *why);

/* What sl_row_walk_open checks, step by step: for mutations too large to be looked at in one go.
 * All fields are the check's own. */
struct sl_row_check {
    struct sl_row_walk walk;
    size_t             at;        /* all before it is checked */
    uint64_t           there[3];  /* rows of each kind */
    uint64_t           wanted[3]; /* by the sequence */
    bool               seen[4];   /* the first of each list */
    bool               has_table;
};

/* Begin to check a TableMutation. */
void sl_row_check_begin(struct sl_slice mutation, struct sl_row_check *check);
/* Check about so many bytes more. SL_AGAIN: call again. SL_OK: all is well, *out and *rows (may be
 * NULL) are as of sl_row_walk_open; so are the errors. */
enum sl_err sl_row_check_step(struct sl_row_check *check, size_t bytes, struct sl_row_walk *out,
                              uint64_t *rows, struct sl_why *why);

/* The next row; SL_NOT_FOUND after the last. */
enum sl_err sl_row_walk_next(struct sl_row_walk *walk, struct sl_raw_row *out, struct sl_why *why);

/* ---- rows ---- */

/* What a row is decoded against. */
struct sl_row_context {
    /* The table as the stream has made it by now, which is what the downstream has: its columns are
     * the columns of the change. */
    const struct sl_table *table;
    /* The version that the mutation's own schema_version names; for types and original defaults of
     * columns that it has too. Often the same. */
    const struct sl_table *written_as;
    const struct sl_zone  *zone;
    struct sl_arena       *arena; /* for values and text; lives as long as the change is used */
    bool escapes_html;            /* <, > and & in JSON text are escaped, as TiDB did until 2020 */
};

/* Decode one row (v1, and in inserts and deletes v2) by column id into *out. Columns the row does
 * not have: in an insert the default rule (codec spec 2.5, observed 6: the original default) for
 * writable columns, ABSENT for others; ABSENT in updates and deletes. Values of ids that the table
 * does not have are skipped, their lengths checked. Generated columns keep what the row says.
 * SL_INVALID: the row is damaged or a value does not fit its column; the reason names table, column
 * and offset. */
enum sl_err sl_row_decode(const struct sl_row_context *context, const struct sl_raw_row *row,
                          struct sl_change *out, struct sl_why *why);

#endif
