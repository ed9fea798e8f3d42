#include "binlog/create_table.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "binlog/job_json.h"
#include "binlog/table.h"
#include "binlog/table_info.h"

/* Column flags that only definitions need (codec spec 3.3). */
enum {
    FLAG_ZEROFILL = 64,
    FLAG_AUTO_INCREMENT = 512,
    FLAG_ON_UPDATE_NOW = 8192,
};

static bool is_time(enum sl_column_type type)
{
    return type == SL_TYPE_TIMESTAMP || type == SL_TYPE_DATETIME;
}

/* ---- types ---- */

static void put_length(struct sql_out *out, const struct sl_column *column)
{
    if (column->flen < 0)
        return;
    sql_put(out, "(");
    sql_put_int(out, column->flen);
    sql_put(out, ")");
}

static void put_precision(struct sql_out *out, const struct sl_column *column)
{
    if (column->flen < 0 || column->decimal < 0)
        return;
    sql_put(out, "(");
    sql_put_int(out, column->flen);
    sql_put(out, ",");
    sql_put_int(out, column->decimal);
    sql_put(out, ")");
}

static void put_fraction(struct sql_out *out, const struct sl_column *column)
{
    if (column->decimal <= 0)
        return;
    sql_put(out, "(");
    sql_put_int(out, column->decimal);
    sql_put(out, ")");
}

static void put_elements(struct sql_out *out, const struct sl_column *column)
{
    for (uint32_t i = 0; i < column->element_count; i++) {
        sql_put(out, i == 0 ? "(" : ",");
        sql_put_text(out, column->elements[i]);
    }
    sql_put(out, ")");
}

/* Names by type; of those with two, the one of text and the one of bytes. */
static const char *type_name(const struct sl_column *column)
{
    switch ((int)column->type) {
    case SL_TYPE_TINY: return "tinyint";
    case SL_TYPE_SHORT: return "smallint";
    case SL_TYPE_INT24: return "mediumint";
    case SL_TYPE_LONG: return "int";
    case SL_TYPE_LONGLONG: return "bigint";
    case SL_TYPE_FLOAT: return "float";
    case SL_TYPE_DOUBLE: return "double";
    case SL_TYPE_UNSPECIFIED:
    case SL_TYPE_NEWDECIMAL: return "decimal";
    case SL_TYPE_TIMESTAMP: return "timestamp";
    case SL_TYPE_DATETIME: return "datetime";
    case SL_TYPE_NEWDATE:
    case SL_TYPE_DATE: return "date";
    case SL_TYPE_DURATION: return "time";
    case SL_TYPE_YEAR: return "year";
    case SL_TYPE_BIT: return "bit";
    case SL_TYPE_JSON: return "json";
    case SL_TYPE_ENUM: return "enum";
    case SL_TYPE_SET: return "set";
    case SL_TYPE_VAR_STRING:
    case SL_TYPE_VARCHAR: return column->is_binary ? "varbinary" : "varchar";
    case SL_TYPE_STRING: return column->is_binary ? "binary" : "char";
    case SL_TYPE_TINY_BLOB: return column->is_binary ? "tinyblob" : "tinytext";
    case SL_TYPE_MEDIUM_BLOB: return column->is_binary ? "mediumblob" : "mediumtext";
    case SL_TYPE_LONG_BLOB: return column->is_binary ? "longblob" : "longtext";
    case SL_TYPE_BLOB: return column->is_binary ? "blob" : "text";
    default: return NULL;
    }
}

static void put_collation(struct sql_out *out, struct sl_slice collation)
{
    if (collation.len == 0)
        return;
    sql_put(out, " collate ");
    sql_put_slice(out, collation);
}

static enum sl_err put_type(struct sql_out *out, const struct sl_column *column, struct sl_why *why)
{
    const char *name = type_name(column);

    if (name == NULL)
        return sl_fail(why, SL_INVALID, "column %s has type %d", (const char *)column->name.bytes,
                       (int)column->type);
    sql_put(out, name);
    switch ((int)column->type) {
    case SL_TYPE_FLOAT:
    case SL_TYPE_DOUBLE:
    case SL_TYPE_UNSPECIFIED:
    case SL_TYPE_NEWDECIMAL: put_precision(out, column); break;
    case SL_TYPE_TIMESTAMP:
    case SL_TYPE_DATETIME:
    case SL_TYPE_DURATION: put_fraction(out, column); break;
    case SL_TYPE_ENUM:
    case SL_TYPE_SET: put_elements(out, column); break;
    case SL_TYPE_TINY:
    case SL_TYPE_SHORT:
    case SL_TYPE_INT24:
    case SL_TYPE_LONG:
    case SL_TYPE_LONGLONG:
    case SL_TYPE_YEAR:
    case SL_TYPE_BIT:
    case SL_TYPE_VAR_STRING:
    case SL_TYPE_VARCHAR:
    case SL_TYPE_STRING: put_length(out, column); break;
    default: break;
    }
    if ((column->flags & SL_COLUMN_UNSIGNED) != 0 && column->type != SL_TYPE_YEAR &&
        column->type != SL_TYPE_BIT)
        sql_put(out, " unsigned");
    if ((column->flags & FLAG_ZEROFILL) != 0 && column->type != SL_TYPE_YEAR)
        sql_put(out, " zerofill");
    if (sl_column_is_text(column)) {
        sql_put(out, " character set ");
        sql_put_slice(out, column->charset);
        put_collation(out, column->collation);
    }
    return SL_OK;
}

/* ---- columns ---- */

static enum sl_err put_bits(struct sql_out *out, struct sl_slice base64, struct sl_why *why)
{
    uint8_t *bytes = sl_arena_alloc(out->arena, sl_base64_room(base64.len));
    size_t   count;

    if (!sl_base64_decode(base64, bytes, &count))
        return sl_fail(why, SL_INVALID, "default_bit is no base64");
    sql_put(out, " default b'");
    for (size_t i = 0; i < 8 * count; i++)
        sql_put(out, bytes[i / 8] >> (7 - i % 8) & 1 ? "1" : "0");
    sql_put(out, "'");
    return SL_OK;
}

static void put_now(struct sql_out *out, const struct sl_column *column)
{
    sql_put(out, "current_timestamp");
    put_fraction(out, column);
}

static bool is_number(struct sl_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
    }
    return text.len > 0;
}

static enum sl_err put_default(struct sql_out *out, const struct sl_column *column,
                               const struct sl_json *info, struct sl_why *why)
{
    struct sl_slice bits;
    struct sl_slice text;
    bool            is_expression;
    enum sl_err     err;

    if ((err = job_take_text(info, "default_bit", &bits, why)) != SL_OK ||
        (err = job_take_bool(info, "default_is_expr", &is_expression, why)) != SL_OK)
        return err;
    if (bits.len > 0)
        return put_bits(out, bits, why);
    if (sl_json_field(info, "default") == NULL ||
        sl_json_kind(sl_json_field(info, "default")) == SL_JSON_NULL) {
        if (column->type == SL_TYPE_TIMESTAMP && (column->flags & SL_COLUMN_NOT_NULL) == 0)
            sql_put(out, " default null");
        return SL_OK;
    }
    if ((err = job_take_text(info, "default", &text, why)) != SL_OK)
        return err;
    sql_put(out, " default ");
    if (is_time(column->type) && sl_slice_equal(text, sl_slice_from_string("CURRENT_TIMESTAMP")))
        put_now(out, column);
    else if (is_expression || (column->type == SL_TYPE_YEAR && is_number(text)))
        sql_put_slice(out, text); /* the text '0' is another year than the number */
    else
        sql_put_text(out, text);
    return SL_OK;
}

static enum sl_err put_column(struct sql_out *out, const struct sl_column *column,
                              const struct sl_json *info, struct sl_why *why)
{
    struct sl_slice expression;
    struct sl_slice comment;
    enum sl_err     err;

    if ((err = job_take_text(info, "generated_expr_string", &expression, why)) != SL_OK ||
        (err = job_take_text(info, "comment", &comment, why)) != SL_OK)
        return err;
    sql_put_name(out, column->name);
    sql_put(out, " ");
    if ((err = put_type(out, column, why)) != SL_OK)
        return err;
    if (column->is_generated) {
        sql_put(out, " generated always as (");
        sql_put_slice(out, expression);
        sql_put(out, column->is_stored ? ") stored" : ") virtual");
    } else {
        sql_put(out, (column->flags & SL_COLUMN_NOT_NULL) != 0 ? " not null" : " null");
        if ((err = put_default(out, column, info, why)) != SL_OK)
            return err;
        if ((column->flags & FLAG_ON_UPDATE_NOW) != 0 && is_time(column->type)) {
            sql_put(out, " on update ");
            put_now(out, column);
        }
        if ((column->flags & FLAG_AUTO_INCREMENT) != 0)
            sql_put(out, " auto_increment");
    }
    if (comment.len > 0) {
        sql_put(out, " comment ");
        sql_put_text(out, comment);
    }
    return SL_OK;
}

/* ---- keys ---- */

static void put_parts(struct sql_out *out, const struct sl_table *table,
                      const struct sl_index_info *index)
{
    for (uint32_t i = 0; i < index->part_count; i++) {
        sql_put(out, i == 0 ? " (" : ",");
        sql_put_name(out, table->columns[index->parts[i].column].name);
        if (index->parts[i].length >= 0) {
            sql_put(out, "(");
            sql_put_int(out, index->parts[i].length);
            sql_put(out, ")");
        }
    }
    sql_put(out, ")");
}

/* A key on an expression has a hidden column, which cannot be written as one. */
static bool is_plain(const struct sl_table *table, const struct sl_index_info *index)
{
    for (uint32_t i = 0; i < index->part_count; i++) {
        if (table->columns[index->parts[i].column].is_hidden)
            return false;
    }
    return index->state == SL_SCHEMA_PUBLIC && index->part_count > 0;
}

static void put_keys(struct sql_out *out, const struct sl_table *table)
{
    for (uint32_t i = 0; table->pk_is_handle && i < table->column_count; i++) {
        if ((table->columns[i].flags & SL_COLUMN_PRIMARY) == 0)
            continue;
        sql_put(out, ", primary key (");
        sql_put_name(out, table->columns[i].name);
        sql_put(out, ")");
        break;
    }
    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct sl_index_info *index = &table->indexes[i];

        if (!is_plain(table, index))
            continue;
        if (index->is_primary) {
            sql_put(out, ", primary key");
        } else {
            sql_put(out, index->is_unique ? ", unique key " : ", key ");
            sql_put_name(out, index->name);
        }
        put_parts(out, table, index);
    }
}

/* ---- the statement ---- */

static enum sl_err put_columns(struct sql_out *out, const struct sl_table *table,
                               const struct sl_json *info, struct sl_why *why)
{
    const struct sl_json *list;
    bool                  first = true;
    enum sl_err           err;

    if ((err = job_take_array(info, "cols", &list, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].is_hidden || table->columns[i].state != SL_SCHEMA_PUBLIC)
            continue;
        sql_put(out, first ? "" : ", ");
        first = false;
        if ((err = put_column(out, &table->columns[i], sl_json_at(list, i), why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

static enum sl_err put_options(struct sql_out *out, const struct sl_json *info, struct sl_why *why)
{
    struct sl_slice charset;
    struct sl_slice collation;
    struct sl_slice comment;
    enum sl_err     err;

    if ((err = job_take_text(info, "charset", &charset, why)) != SL_OK ||
        (err = job_take_text(info, "collate", &collation, why)) != SL_OK ||
        (err = job_take_text(info, "comment", &comment, why)) != SL_OK)
        return err;
    if (charset.len > 0) {
        sql_put(out, " default charset ");
        sql_put_slice(out, charset);
    }
    put_collation(out, collation);
    if (comment.len > 0) {
        sql_put(out, " comment ");
        sql_put_text(out, comment);
    }
    return create_table_put_partitions(out, info, why);
}

enum sl_err create_table_write(const struct sl_json *info, struct sl_slice schema,
                               struct sql_out *out, struct sl_why *why)
{
    struct sl_table *table;
    enum sl_err      err;

    if ((err = table_info_read(info, schema, 0, &table, why)) != SL_OK)
        return err;
    sql_put(out, "create table if not exists ");
    sql_put_table(out, schema, table->name);
    sql_put(out, " (");
    if ((err = put_columns(out, table, info, why)) != SL_OK)
        goto free_table;
    put_keys(out, table);
    sql_put(out, ")");
    err = put_options(out, info, why);

free_table:
    sl_table_free(&table);
    return err;
}
