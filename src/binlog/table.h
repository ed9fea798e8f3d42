#ifndef SL_BINLOG_TABLE_H
#define SL_BINLOG_TABLE_H

/* One version of a table: what TiDB's TableInfo says of it (codec spec 3.2-3.4), as far as rows and
 * keys need it. Immutable once made, and refcounted, so that decoders and sinks of any thread read
 * the version their window was planned with while the schema moves on. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Type codes of MySQL's protocol, as TableInfo and pb files have them (codec spec 3.3). */
enum sl_column_type {
    SL_TYPE_UNSPECIFIED = 0,
    SL_TYPE_TINY = 1,
    SL_TYPE_SHORT = 2,
    SL_TYPE_LONG = 3,
    SL_TYPE_FLOAT = 4,
    SL_TYPE_DOUBLE = 5,
    SL_TYPE_NULL = 6,
    SL_TYPE_TIMESTAMP = 7,
    SL_TYPE_LONGLONG = 8,
    SL_TYPE_INT24 = 9,
    SL_TYPE_DATE = 10,
    SL_TYPE_DURATION = 11,
    SL_TYPE_DATETIME = 12,
    SL_TYPE_YEAR = 13,
    SL_TYPE_NEWDATE = 14,
    SL_TYPE_VARCHAR = 15,
    SL_TYPE_BIT = 16,
    SL_TYPE_JSON = 245,
    SL_TYPE_NEWDECIMAL = 246,
    SL_TYPE_ENUM = 247,
    SL_TYPE_SET = 248,
    SL_TYPE_TINY_BLOB = 249,
    SL_TYPE_MEDIUM_BLOB = 250,
    SL_TYPE_LONG_BLOB = 251,
    SL_TYPE_BLOB = 252,
    SL_TYPE_VAR_STRING = 253,
    SL_TYPE_STRING = 254,
    SL_TYPE_GEOMETRY = 255,
};

/* Column flags we look at (codec spec 3.3). */
enum sl_column_flag {
    SL_COLUMN_NOT_NULL = 1,
    SL_COLUMN_PRIMARY = 2,
    SL_COLUMN_UNSIGNED = 32,
};

/* SchemaState of columns and indexes (codec spec 3.6). */
enum sl_schema_state {
    SL_SCHEMA_NONE = 0,
    SL_SCHEMA_DELETE_ONLY = 1,
    SL_SCHEMA_WRITE_ONLY = 2,
    SL_SCHEMA_WRITE_REORG = 3,
    SL_SCHEMA_DELETE_REORG = 4,
    SL_SCHEMA_PUBLIC = 5,
};

/* The id of TiDB's hidden row id in rows of tables without a clustered key. */
enum { SL_COLUMN_ID_ROWID = -1 };

/* What an absent value is filled with (codec spec 2.5, default rule). */
enum sl_default_kind {
    SL_DEFAULT_NONE, /* no original default */
    SL_DEFAULT_TEXT, /* JSON text, or a number or boolean as its text */
    SL_DEFAULT_BITS, /* origin_default_bit, decoded: big-endian bytes */
};

/* One column. Text is UTF-8 and NUL-terminated (len does not count the terminator) where it is a
 * slice; all memory belongs to the table. */
struct sl_column {
    int64_t                id;
    struct sl_slice        name; /* as written by the user (`O`) */
    enum sl_column_type    type;
    enum sl_schema_state   state;
    uint32_t               flags; /* enum sl_column_flag and others, as in TableInfo */
    int32_t                flen;  /* -1: unspecified */
    int32_t                decimal;
    bool                   is_binary; /* charset is "binary": bytes, not text */
    bool                   is_generated;
    bool                   is_stored; /* of a generated one */
    bool                   is_hidden;
    struct sl_slice        charset;
    struct sl_slice        collation;
    const struct sl_slice *elements; /* of ENUM and SET, in order */
    uint32_t               element_count;
    enum sl_default_kind   default_kind; /* the original default */
    struct sl_slice        default_value;
};

/* Part of an index: a column by its place in the table, or a prefix of it. */
struct sl_index_part {
    uint32_t column; /* 0..column_count - 1 */
    int32_t  length; /* -1: the whole column, else characters (bytes of binary ones) */
};

/* One index. */
struct sl_index_info {
    struct sl_slice             name;
    enum sl_schema_state        state;
    bool                        is_unique;
    bool                        is_primary;
    const struct sl_index_part *parts;
    uint32_t                    part_count;
};

/* A version of a table. */
struct sl_table {
    int64_t                     id;
    int64_t                     version; /* SchemaVersion of the job that made it */
    struct sl_slice             schema;  /* name of its database */
    struct sl_slice             name;
    const struct sl_column     *columns; /* in TableInfo order */
    uint32_t                    column_count;
    const struct sl_index_info *indexes;
    uint32_t                    index_count;
    bool                        pk_is_handle;     /* one integer column is the row's key */
    bool                        is_common_handle; /* the primary index is the row's key */
    bool                        is_view;
    bool                        is_sequence;
};

/* One more reference to the same version; each is given back by sl_table_free. Any thread. */
struct sl_table *sl_table_ref(struct sl_table *table);
/* Give back one reference and null the pointer; the last frees it. *table may be NULL. */
void sl_table_free(struct sl_table **table);

/* The column with that id, or NULL. Takes logarithmic time. */
const struct sl_column *sl_table_column(const struct sl_table *table, int64_t id);
/* The primary index of the table, or NULL. With pk_is_handle there is normally none. */
const struct sl_index_info *sl_table_primary(const struct sl_table *table);

/* Has the column text, which a collation compares, and a charset that is told? */
bool sl_column_is_text(const struct sl_column *column);

/* Is the column written by statements: public and not generated? */
static inline bool sl_column_is_writable(const struct sl_column *column)
{
    return column->state == SL_SCHEMA_PUBLIC && !column->is_generated;
}

#endif
