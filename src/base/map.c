#include "base/map.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"

enum { FIRST_BUCKETS = 16 };

static struct sl_map_node **bucket_of(const struct sl_map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

static void link_node(struct sl_map *map, struct sl_map_node *node)
{
    struct sl_map_node **bucket = bucket_of(map, node->hash);

    node->next = *bucket;
    *bucket = node;
}

static void grow(struct sl_map *map)
{
    struct sl_map_node **old = map->buckets;
    uint32_t             old_count = map->bucket_count;

    SL_ASSERT(old_count < SL_MAP_NODES_MAX);
    map->bucket_count = old_count == 0 ? FIRST_BUCKETS : 2 * old_count;
    map->buckets = calloc(map->bucket_count, sizeof map->buckets[0]);
    SL_ASSERT(map->buckets != NULL);
    for (uint32_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct sl_map_node *node = old[i];

            old[i] = node->next;
            link_node(map, node);
        }
    }
    free(old);
}

void sl_map_init(struct sl_map *map, sl_map_equal equal)
{
    SL_ASSERT(equal != NULL);
    *map = (struct sl_map){.equal = equal};
}

void sl_map_done(struct sl_map *map)
{
    SL_ASSERT(map->count == 0);
    free(map->buckets);
    *map = (struct sl_map){0};
}

struct sl_map_node *sl_map_find(const struct sl_map *map, uint64_t hash, const void *key)
{
    if (map->count == 0)
        return NULL;
    for (struct sl_map_node *node = *bucket_of(map, hash); node != NULL; node = node->next) {
        if (node->hash == hash && map->equal(node, key))
            return node;
    }
    return NULL;
}

void sl_map_add(struct sl_map *map, uint64_t hash, const void *key, struct sl_map_node *node)
{
    SL_ASSERT(sl_map_find(map, hash, key) == NULL);
    if (map->count == map->bucket_count)
        grow(map);
    node->hash = hash;
    link_node(map, node);
    map->count++;
}

void sl_map_remove(struct sl_map *map, struct sl_map_node *node)
{
    struct sl_map_node **link;

    SL_ASSERT(map->count > 0);
    link = bucket_of(map, node->hash);
    while (*link != node) {
        SL_ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    map->count--;
}

struct sl_map_node *sl_map_next(const struct sl_map *map, struct sl_map_iter *iter)
{
    struct sl_map_node *node;

    while (iter->next == NULL && iter->bucket < map->bucket_count)
        iter->next = map->buckets[iter->bucket++];
    node = iter->next;
    if (node != NULL)
        iter->next = node->next;
    return node;
}
