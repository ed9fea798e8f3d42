#include "binlog/statement.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/statement_parts.h"

struct sl_statement_maker {
    struct sl_statement_options options;
    struct sl_sink_map          map;
    uint8_t                    *in_use; /* owned; per column: is it in the open INSERT */
    struct sl_sql               sql;    /* the open statement, without its end */
    enum sl_statement_op        op;     /* of the open statement, as are the next two */
    const struct sl_sink_key   *key;    /* of an open DELETE by IN; else NULL */
    uint32_t                    rows;
    bool                        is_closed; /* it takes no more rows */
    bool                        is_ended;  /* its end is written */
};

struct sl_statement_maker *sl_statement_maker_new(const struct sl_statement_options *options)
{
    struct sl_statement_maker *maker = calloc(1, sizeof *maker);

    SL_ASSERT(maker != NULL);
    SL_ASSERT(options->bytes_max <= (size_t)SL_MYSQL_PACKET_BYTES_MAX);
    SL_ASSERT(options->rows_max >= 1 && options->rows_max <= SL_STATEMENT_ROWS_MAX);
    maker->options = *options;
    maker->sql.no_backslash_escapes = options->no_backslash_escapes;
    return maker;
}

void sl_statement_maker_free(struct sl_statement_maker **maker)
{
    if (*maker == NULL)
        return;
    sl_sink_map_done(&(*maker)->map);
    free((*maker)->in_use);
    sl_sql_done(&(*maker)->sql);
    free(*maker);
    *maker = NULL;
}

enum sl_err sl_statement_use(struct sl_statement_maker *maker, const struct sl_table *table,
                             const struct sl_sink_table *sink, struct sl_why *why)
{
    if (maker->map.table == table && maker->map.sink == sink)
        return SL_OK;
    SL_ASSERT(maker->rows == 0);
    free(maker->in_use);
    maker->in_use = calloc(table->column_count + 1, sizeof *maker->in_use);
    SL_ASSERT(maker->in_use != NULL);
    return sl_sink_map_fill(&maker->map, table, sink, maker->options.is_partial, why);
}

uint32_t sl_statement_rows(const struct sl_statement_maker *maker)
{
    return maker->rows;
}

void sl_statement_clear(struct sl_statement_maker *maker)
{
    sl_sql_clear(&maker->sql);
    maker->rows = 0;
    maker->key = NULL;
    maker->is_closed = false;
    maker->is_ended = false;
}

struct sl_slice sl_statement_text(struct sl_statement_maker *maker)
{
    if (maker->rows > 0 && !maker->is_ended && maker->key != NULL)
        sl_sql_put(&maker->sql, ")", 1);
    maker->is_ended = maker->rows > 0;
    maker->is_closed = maker->is_ended;
    return (struct sl_slice){(const uint8_t *)maker->sql.text, maker->sql.len};
}

/* ---- INSERT, REPLACE ---- */

static bool is_written(const struct sl_sink_map *map, const struct sl_value *image, uint32_t i)
{
    return map->to_sink[i] >= 0 && image[i].kind != SL_VALUE_ABSENT;
}

static bool has_same_columns(const struct sl_statement_maker *maker, const struct sl_value *image)
{
    for (uint32_t i = 0; i < maker->map.table->column_count; i++)
        if (is_written(&maker->map, image, i) != (maker->in_use[i] != 0))
            return false;
    return true;
}

static void begin_insert(struct sl_statement_maker *maker, const struct sl_value *image)
{
    const struct sl_sink_map *map = &maker->map;
    bool                      is_first = true;

    sl_sql_puts(&maker->sql, maker->op == SL_STATEMENT_INSERT ? "INSERT INTO " : "REPLACE INTO ");
    sl_sql_table(&maker->sql, map->sink->schema, map->sink->name);
    sl_sql_put(&maker->sql, "(", 1);
    for (uint32_t i = 0; i < map->table->column_count; i++) {
        maker->in_use[i] = is_written(map, image, i);
        if (!maker->in_use[i])
            continue;
        if (!is_first)
            sl_sql_put(&maker->sql, ",", 1);
        is_first = false;
        sl_sql_name(&maker->sql, map->sink->columns[map->to_sink[i]].name);
    }
    sl_sql_puts(&maker->sql, ") VALUES ");
}

static void put_insert(struct sl_statement_maker *maker, const struct sl_value *image)
{
    const struct sl_sink_map *map = &maker->map;
    char                      before = '(';

    if (maker->rows == 0)
        begin_insert(maker, image);
    else
        sl_sql_put(&maker->sql, ",", 1);
    for (uint32_t i = 0; i < map->table->column_count; i++) {
        if (!maker->in_use[i])
            continue;
        sl_sql_put(&maker->sql, &before, 1);
        before = ',';
        statement_literal(&maker->sql, &image[i], &map->table->columns[i]);
    }
    sl_sql_puts(&maker->sql, before == '(' ? "()" : ")");
}

/* ---- DELETE ---- */

static void put_delete(struct sl_statement_maker *maker, const struct sl_sink_key *key,
                       const struct sl_value *image)
{
    const struct sl_sink_map *map = &maker->map;

    if (maker->rows == 0) {
        sl_sql_puts(&maker->sql, "DELETE FROM ");
        sl_sql_table(&maker->sql, map->sink->schema, map->sink->name);
        sl_sql_puts(&maker->sql, " WHERE ");
        if (key == NULL) {
            statement_where(&maker->sql, map, NULL, image, maker->options.has_utf8mb4);
            sl_sql_puts(&maker->sql, " LIMIT 1");
            maker->is_closed = true;
            return;
        }
        statement_key_names(&maker->sql, map, key);
        sl_sql_puts(&maker->sql, " IN (");
        maker->key = key;
    } else {
        sl_sql_put(&maker->sql, ",", 1);
    }
    statement_key_values(&maker->sql, map, key, image);
}

/* ---- UPDATE ---- */

static bool is_same_value(const struct sl_value *a, const struct sl_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: return true;
    case SL_VALUE_INT:
    case SL_VALUE_UINT:
    case SL_VALUE_FLOAT:
    case SL_VALUE_DOUBLE: return a->u == b->u;
    case SL_VALUE_TEXT: return sl_slice_equal(a->text, b->text);
    }
    return false;
}

static bool is_changed(const struct sl_sink_map *map, const struct sl_change *change, uint32_t i)
{
    return is_written(map, change->values, i) &&
           !is_same_value(&change->values[i], &change->old[i]);
}

/* A column that sets itself to the present time does so unless it is set. */
static bool may_set_itself(const struct sl_column *column)
{
    return column->type == SL_TYPE_TIMESTAMP || column->type == SL_TYPE_DATETIME;
}

static bool has_effect(const struct sl_sink_map *map, const struct sl_change *change)
{
    for (uint32_t i = 0; i < map->table->column_count; i++)
        if (is_changed(map, change, i))
            return true;
    return false;
}

static void put_update(struct sl_statement_maker *maker, const struct sl_change *change)
{
    const struct sl_sink_map *map = &maker->map;
    const char               *before = " SET ";

    sl_sql_puts(&maker->sql, "UPDATE ");
    sl_sql_table(&maker->sql, map->sink->schema, map->sink->name);
    for (uint32_t i = 0; i < map->table->column_count; i++) {
        if (!is_changed(map, change, i) &&
            !(is_written(map, change->values, i) && may_set_itself(&map->table->columns[i])))
            continue;
        sl_sql_puts(&maker->sql, before);
        before = ",";
        sl_sql_name(&maker->sql, map->sink->columns[map->to_sink[i]].name);
        sl_sql_put(&maker->sql, "=", 1);
        statement_literal(&maker->sql, &change->values[i], &map->table->columns[i]);
    }
    sl_sql_puts(&maker->sql, " WHERE ");
    statement_where(&maker->sql, map, sl_sink_map_key(map, change->old), change->old,
                    maker->options.has_utf8mb4);
    sl_sql_puts(&maker->sql, " LIMIT 1");
    maker->is_closed = true;
}

/* ---- adding ---- */

/* The image that op is about. */
static const struct sl_value *image_of(enum sl_statement_op op, const struct sl_change *change)
{
    return op == SL_STATEMENT_DELETE && change->old != NULL ? change->old : change->values;
}

/* What the row takes as SQL: never less, at most twice as much, as if all were escaped. */
static size_t row_bytes(const struct sl_statement_maker *maker, const struct sl_change *change)
{
    uint32_t count = maker->map.table->column_count;

    return statement_bytes_max(change->values, count) +
           (change->old == NULL ? 0 : statement_bytes_max(change->old, count));
}

static enum sl_err check(const struct sl_statement_maker *maker, enum sl_statement_op op,
                         const struct sl_change *change, struct sl_why *why)
{
    size_t bytes;

    if (maker->map.table == NULL || change->table != maker->map.table)
        return sl_fail(why, SL_INVALID, "a change of another table than the one in use");
    if (op == SL_STATEMENT_UPDATE && change->old == NULL)
        return sl_fail(why, SL_INVALID, "an UPDATE of table %s.%s without its old row",
                       maker->map.sink->schema.bytes, maker->map.sink->name.bytes);
    bytes = row_bytes(maker, change);
    if (bytes / 2 > maker->options.bytes_max)
        return sl_fail(why, SL_TOO_LARGE,
                       "a row of table %s.%s takes about %zu bytes, a statement at most %zu; raise"
                       " max_allowed_packet of the downstream",
                       maker->map.sink->schema.bytes, maker->map.sink->name.bytes, bytes / 2,
                       maker->options.bytes_max);
    return SL_OK;
}

/* A longer statement is no faster, but takes memory of every worker. */
static size_t join_bytes(const struct sl_statement_maker *maker)
{
    return maker->options.bytes_max < SL_STATEMENT_JOIN_BYTES ? maker->options.bytes_max
                                                              : SL_STATEMENT_JOIN_BYTES;
}

/* Does the change go into the open statement, as far as one can tell before it is written? */
static bool joins(const struct sl_statement_maker *maker, enum sl_statement_op op,
                  const struct sl_sink_key *key, const struct sl_change *change)
{
    if (maker->rows == 0)
        return true;
    if (maker->is_closed || op != maker->op || maker->rows >= maker->options.rows_max ||
        maker->sql.len + row_bytes(maker, change) / 2 > join_bytes(maker))
        return false;
    if (op == SL_STATEMENT_DELETE)
        return key != NULL && key == maker->key;
    return has_same_columns(maker, change->values);
}

static void put(struct sl_statement_maker *maker, const struct sl_sink_key *key,
                const struct sl_change *change)
{
    switch (maker->op) {
    case SL_STATEMENT_INSERT:
    case SL_STATEMENT_REPLACE: put_insert(maker, change->values); break;
    case SL_STATEMENT_UPDATE: put_update(maker, change); break;
    case SL_STATEMENT_DELETE: put_delete(maker, key, image_of(maker->op, change)); break;
    }
}

enum sl_err sl_statement_add(struct sl_statement_maker *maker, enum sl_statement_op op,
                             const struct sl_change *change, struct sl_why *why)
{
    size_t                    before = maker->sql.len;
    const struct sl_sink_key *key = NULL;
    enum sl_err               err = check(maker, op, change, why);

    if (err != SL_OK)
        return err;
    if (op == SL_STATEMENT_UPDATE && !has_effect(&maker->map, change))
        return SL_OK;
    if (op == SL_STATEMENT_DELETE)
        key = sl_sink_map_key(&maker->map, image_of(op, change));
    if (!joins(maker, op, key, change))
        return SL_FULL;
    maker->op = op;
    put(maker, key, change);
    /* One byte is kept for the end of a DELETE. */
    if (maker->sql.len < maker->options.bytes_max) {
        maker->rows++;
        return SL_OK;
    }
    maker->sql.len = before;
    if (maker->rows > 0)
        return SL_FULL;
    sl_statement_clear(maker);
    return sl_fail(why, SL_TOO_LARGE,
                   "a row of table %s.%s is longer as SQL than the %zu bytes of a statement; raise"
                   " max_allowed_packet of the downstream",
                   maker->map.sink->schema.bytes, maker->map.sink->name.bytes,
                   maker->options.bytes_max);
}
