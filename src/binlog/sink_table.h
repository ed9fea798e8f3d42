#ifndef SL_BINLOG_SINK_TABLE_H
#define SL_BINLOG_SINK_TABLE_H

/* A table as the downstream has it: which columns can be written, and which keys make two rows the
 * same row there (codec spec 5.3). Immutable once made, and refcounted, so that statements and the
 * causality of several threads use the same one. Made by a builder from what information_schema
 * says. / */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* How values of a column are compared downstream, as far as we know it. */
enum sl_sink_comparison {
    SL_SINK_BY_VALUE,     /* numbers, dates: equal text of the same column is equal value */
    SL_SINK_BY_BYTES,     /* binary strings, and collations that compare code points */
    SL_SINK_BY_COLLATION, /* text that may be equal though its bytes differ */
};

/* One column. Text is NUL-terminated (len does not count that); all memory belongs to the table. */
struct sl_sink_column {
    struct sl_slice         name;
    struct sl_slice         type;      /* DATA_TYPE, in small letters: "varchar" */
    struct sl_slice         collation; /* empty: none */
    enum sl_sink_comparison comparison;
    bool                    pads_blanks; /* trailing blanks do not count when it is compared */
    bool                    is_nullable;
    bool                    is_generated; /* not written by statements */
};

/* Part of a key. */
struct sl_sink_part {
    int32_t  column; /* 0..column_count - 1; -1: an expression, or a column that is not listed */
    uint32_t prefix; /* characters (bytes of binary columns) that are compared; 0: all */
};

/* One unique key. */
struct sl_sink_key {
    struct sl_slice            name;
    bool                       is_primary;
    bool                       has_expression; /* what it compares is not in a row image */
    bool                       is_not_null;    /* all parts are columns that are never NULL */
    const struct sl_sink_part *parts;
    uint32_t                   part_count;
};

/* The table. */
struct sl_sink_table {
    struct sl_slice              schema;
    struct sl_slice              name;
    const struct sl_sink_column *columns; /* in the downstream's order */
    uint32_t                     column_count;
    const struct sl_sink_key    *keys; /* unique ones, the primary key first */
    uint32_t                     key_count;
    bool                         is_keyed; /* a key is_not_null: replacing a row is idempotent */
};

/* One more reference to the same table; each is given back by sl_sink_table_free. Any thread. */
struct sl_sink_table *sl_sink_table_ref(struct sl_sink_table *table);
/* Give back one reference and null the pointer; the last frees it. *table may be NULL. */
void sl_sink_table_free(struct sl_sink_table **table);

/* The place of the column of that name, without regard to case (as servers do it: ASCII letters,
 * and other characters as they stand); -1: there is none. */
int32_t sl_sink_table_find(const struct sl_sink_table *table, struct sl_slice name);

/* ---- making one ---- */

/* What information_schema.columns says of a column, NUL-terminated; NULL where it says NULL. */
struct sl_sink_column_row {
    const char *name;
    const char *type;      /* DATA_TYPE */
    const char *nullable;  /* IS_NULLABLE: YES or NO */
    const char *extra;     /* EXTRA */
    const char *collation; /* COLLATION_NAME */
};

/* What information_schema.statistics says of one part of a unique index. */
struct sl_sink_part_row {
    const char *index;  /* INDEX_NAME */
    const char *column; /* COLUMN_NAME; NULL for an expression */
    const char *prefix; /* SUB_PART; NULL for all */
};

struct sl_sink_table_builder;

/* A builder of schema.name; ended by sl_sink_table_finish or sl_sink_table_abandon. */
struct sl_sink_table_builder *sl_sink_table_begin(struct sl_slice schema, struct sl_slice name);
/* All columns, in their order, then all parts of unique indexes, those of one index together and in
 * their order. SL_TOO_LARGE: over a limit; SL_INVALID: a row makes no sense. */
enum sl_err sl_sink_table_add_column(struct sl_sink_table_builder    *builder,
                                     const struct sl_sink_column_row *row, struct sl_why *why);
enum sl_err sl_sink_table_add_part(struct sl_sink_table_builder  *builder,
                                   const struct sl_sink_part_row *row, struct sl_why *why);
/* The table, and the builder is gone. SL_NOT_FOUND: it has no column, so the downstream has no such
 * table. */
enum sl_err sl_sink_table_finish(struct sl_sink_table_builder **builder, struct sl_sink_table **out,
                                 struct sl_why *why);
/* Free and null; *builder may be NULL. */
void sl_sink_table_abandon(struct sl_sink_table_builder **builder);

#endif
