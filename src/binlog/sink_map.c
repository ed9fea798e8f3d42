#include "binlog/sink_map.h"

#include <stdlib.h>

#include "base/assert.h"

void sl_sink_map_done(struct sl_sink_map *map)
{
    free(map->to_sink);
    free(map->from_sink);
    *map = (struct sl_sink_map){0};
}

static enum sl_err map_column(struct sl_sink_map *map, uint32_t index, bool is_partial,
                              struct sl_why *why)
{
    const struct sl_column *column = &map->table->columns[index];
    int32_t                 at = -1;

    map->to_sink[index] = -1;
    if (column->state != SL_SCHEMA_PUBLIC)
        return SL_OK;
    at = sl_sink_table_find(map->sink, column->name);
    if (at >= 0)
        map->from_sink[at] = (int32_t)index;
    if (!sl_column_is_writable(column))
        return SL_OK;
    if (at < 0 && !is_partial)
        return sl_fail(why, SL_INVALID,
                       "column %s of table %s.%s does not exist downstream; add it there, or set"
                       " sync-mode = 2 to leave it out",
                       column->name.bytes, map->sink->schema.bytes, map->sink->name.bytes);
    if (at >= 0 && !map->sink->columns[at].is_generated)
        map->to_sink[index] = at;
    return SL_OK;
}

enum sl_err sl_sink_map_fill(struct sl_sink_map *map, const struct sl_table *table,
                             const struct sl_sink_table *sink, bool is_partial, struct sl_why *why)
{
    sl_sink_map_done(map);
    *map = (struct sl_sink_map){
        .table = table,
        .sink = sink,
        .to_sink = calloc(table->column_count + 1, sizeof *map->to_sink),
        .from_sink = calloc(sink->column_count + 1, sizeof *map->from_sink),
    };
    SL_ASSERT(map->to_sink != NULL && map->from_sink != NULL);
    for (uint32_t i = 0; i < sink->column_count; i++)
        map->from_sink[i] = -1;
    for (uint32_t i = 0; i < table->column_count; i++) {
        enum sl_err err = map_column(map, i, is_partial, why);

        if (err != SL_OK) {
            sl_sink_map_done(map);
            return err;
        }
    }
    return SL_OK;
}

const struct sl_value *sl_sink_map_value(const struct sl_sink_map  *map,
                                         const struct sl_sink_part *part,
                                         const struct sl_value     *image)
{
    int32_t at = part->column < 0 ? -1 : map->from_sink[part->column];

    if (at < 0 || image[at].kind == SL_VALUE_ABSENT || image[at].kind == SL_VALUE_NULL)
        return NULL;
    return &image[at];
}

static bool has_all_parts(const struct sl_sink_map *map, const struct sl_sink_key *key,
                          const struct sl_value *image)
{
    for (uint32_t i = 0; i < key->part_count; i++)
        if (sl_sink_map_value(map, &key->parts[i], image) == NULL)
            return false;
    return true;
}

const struct sl_sink_key *sl_sink_map_key(const struct sl_sink_map *map,
                                          const struct sl_value    *image)
{
    for (uint32_t i = 0; i < map->sink->key_count; i++)
        if (has_all_parts(map, &map->sink->keys[i], image))
            return &map->sink->keys[i];
    return NULL;
}

bool sl_sink_map_is_keyed(const struct sl_sink_map *map, const struct sl_value *image)
{
    for (uint32_t i = 0; i < map->sink->key_count; i++)
        if (map->sink->keys[i].is_not_null && has_all_parts(map, &map->sink->keys[i], image))
            return true;
    return false;
}
