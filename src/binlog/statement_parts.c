#include "binlog/statement_parts.h"

#include <string.h>

#include "binlog/value_text.h"

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

void statement_literal(struct sl_sql *sql, const struct sl_value *value,
                       const struct sl_column *column)
{
    static const struct sl_value null = {.kind = SL_VALUE_NULL};

    if (value->kind == SL_VALUE_ABSENT)
        value = &null;
    if (value->kind == SL_VALUE_TEXT && sql->no_backslash_escapes) {
        /* No server then looks whether the bytes are characters. */
        if (holds_bytes(column))
            sl_sql_puts(sql, "_binary");
        sl_sql_string(sql, value->text);
        return;
    }
    sl_sql_reserve(sql, sl_value_sql_bytes_max(value));
    sql->len += sl_value_sql(value, column, sql->text + sql->len);
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
