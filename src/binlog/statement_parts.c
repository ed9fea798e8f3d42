#include "binlog/statement_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 32 };

/* ---- literals ---- */

size_t statement_bytes_max(const struct sl_value *values, uint32_t count)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += values[i].kind == SL_VALUE_TEXT ? 2 * values[i].text.len + NUMBER_BYTES_MAX
                                                 : (size_t)NUMBER_BYTES_MAX;
    return bytes;
}

static void put_uint(struct sl_sql *sql, uint64_t value)
{
    char  digits[NUMBER_BYTES_MAX];
    char *at = digits + sizeof digits;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    sl_sql_put(sql, at, (size_t)(digits + sizeof digits - at));
}

static void put_int(struct sl_sql *sql, int64_t value)
{
    if (value < 0)
        sl_sql_put(sql, "-", 1);
    put_uint(sql, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* The fewest digits that are read back as the same number. */
static void put_double(struct sl_sql *sql, double value)
{
    char text[NUMBER_BYTES_MAX];
    int  count = 0;

    for (int digits = 15; digits <= 17; digits++) {
        count = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    sl_sql_put(sql, text, (size_t)count);
}

/* Numbers and times have the charset "binary" too, and are text all the same. */
static bool holds_bytes(const struct sl_column *column)
{
    switch ((unsigned)column->type) {
    case SL_TYPE_VARCHAR:
    case SL_TYPE_VAR_STRING:
    case SL_TYPE_STRING:
    case SL_TYPE_TINY_BLOB:
    case SL_TYPE_MEDIUM_BLOB:
    case SL_TYPE_LONG_BLOB:
    case SL_TYPE_BLOB:
    case SL_TYPE_GEOMETRY: return column->is_binary;
    default: return false;
    }
}

static void put_text(struct sl_sql *sql, struct sl_slice text, const struct sl_column *column)
{
    /* No server then looks whether the bytes are characters. */
    if (holds_bytes(column))
        sl_sql_puts(sql, "_binary");
    sl_sql_string(sql, text);
}

void statement_literal(struct sl_sql *sql, const struct sl_value *value,
                       const struct sl_column *column)
{
    switch (value->kind) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: sl_sql_put(sql, "NULL", 4); break;
    case SL_VALUE_INT: put_int(sql, value->i); break;
    case SL_VALUE_UINT: put_uint(sql, value->u); break;
    case SL_VALUE_FLOAT:
    case SL_VALUE_DOUBLE: put_double(sql, value->d); break;
    case SL_VALUE_TEXT: put_text(sql, value->text, column); break;
    }
}

/* ---- keys and conditions ---- */

void statement_key_names(struct sl_sql *sql, const struct sl_sink_map *map,
                         const struct sl_sink_key *key)
{
    if (key->part_count > 1)
        sl_sql_put(sql, "(", 1);
    for (uint32_t i = 0; i < key->part_count; i++) {
        if (i > 0)
            sl_sql_put(sql, ",", 1);
        sl_sql_name(sql, map->sink->columns[key->parts[i].column].name);
    }
    if (key->part_count > 1)
        sl_sql_put(sql, ")", 1);
}

void statement_key_values(struct sl_sql *sql, const struct sl_sink_map *map,
                          const struct sl_sink_key *key, const struct sl_value *image)
{
    if (key->part_count > 1)
        sl_sql_put(sql, "(", 1);
    for (uint32_t i = 0; i < key->part_count; i++) {
        int32_t at = map->from_sink[key->parts[i].column];

        if (i > 0)
            sl_sql_put(sql, ",", 1);
        statement_literal(sql, &image[at], &map->table->columns[at]);
    }
    if (key->part_count > 1)
        sl_sql_put(sql, ")", 1);
}

/* Append "name=literal", or "name IS NULL". `exactly`: the comparison of the column is not enough,
 * because no key says that only one row can be equal by it. */
static void put_condition(struct sl_sql *sql, const struct sl_sink_column *to,
                          const struct sl_value *value, const struct sl_column *column,
                          bool exactly, bool has_utf8mb4)
{
    bool is_json = strcmp((const char *)to->type.bytes, "json") == 0;

    sl_sql_name(sql, to->name);
    if (value->kind == SL_VALUE_NULL) {
        sl_sql_puts(sql, " IS NULL");
        return;
    }
    sl_sql_put(sql, "=", 1);
    /* A string never equals a JSON object. MariaDB's JSON is text, and says so. */
    if (is_json)
        sl_sql_puts(sql, "CAST(");
    statement_literal(sql, value, column);
    if (is_json)
        sl_sql_puts(sql, " AS JSON)");
    else if (exactly && to->comparison == SL_SINK_BY_COLLATION && has_utf8mb4 &&
             value->kind == SL_VALUE_TEXT && !holds_bytes(column))
        sl_sql_puts(sql, " COLLATE utf8mb4_bin");
}

static void put_key_condition(struct sl_sql *sql, const struct sl_sink_map *map,
                              const struct sl_sink_key *key, const struct sl_value *image)
{
    for (uint32_t i = 0; i < key->part_count; i++) {
        int32_t at = map->from_sink[key->parts[i].column];

        if (i > 0)
            sl_sql_puts(sql, " AND ");
        put_condition(sql, &map->sink->columns[key->parts[i].column], &image[at],
                      &map->table->columns[at], false, false);
    }
}

void statement_where(struct sl_sql *sql, const struct sl_sink_map *map,
                     const struct sl_sink_key *key, const struct sl_value *image, bool has_utf8mb4)
{
    bool is_first = true;

    if (key != NULL) {
        put_key_condition(sql, map, key, image);
        return;
    }
    for (uint32_t i = 0; i < map->table->column_count; i++) {
        if (map->to_sink[i] < 0 || image[i].kind == SL_VALUE_ABSENT)
            continue;
        if (!is_first)
            sl_sql_puts(sql, " AND ");
        is_first = false;
        put_condition(sql, &map->sink->columns[map->to_sink[i]], &image[i], &map->table->columns[i],
                      true, has_utf8mb4);
    }
    if (is_first)
        sl_sql_puts(sql, "TRUE"); /* no column in common: any row is as good */
}
