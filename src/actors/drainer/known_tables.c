#include "actors/drainer/known_tables.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/hash.h"

struct known {
    struct sl_map_node  node;
    struct sl_row_keys *keys; /* owned */
};

static bool is_known(const struct sl_map_node *node, const void *key)
{
    return SL_CONTAINER_OF(node, struct known, node)->keys->table == key;
}

static uint64_t hash_of(const struct sl_table *table)
{
    return sl_hash_u64((uint64_t)(uintptr_t)table);
}

void sl_known_tables_init(struct sl_known_tables *known)
{
    sl_map_init(&known->map, is_known);
}

static void forget(struct sl_known_tables *known, struct sl_map_node *node)
{
    struct known *one = SL_CONTAINER_OF(node, struct known, node);

    sl_map_remove(&known->map, node);
    sl_row_keys_free(&one->keys);
    free(one);
}

void sl_known_tables_forget(struct sl_known_tables *known)
{
    struct sl_map_iter at = {0};

    for (struct sl_map_node *n; (n = sl_map_next(&known->map, &at)) != NULL;)
        forget(known, n);
}

void sl_known_tables_done(struct sl_known_tables *known)
{
    sl_known_tables_forget(known);
    sl_map_done(&known->map);
}

struct sl_row_keys *sl_known_tables_find(const struct sl_known_tables *known,
                                         const struct sl_table        *table)
{
    struct sl_map_node *node = sl_map_find(&known->map, hash_of(table), table);

    return node != NULL ? SL_CONTAINER_OF(node, struct known, node)->keys : NULL;
}

static struct sl_map_node *find_other(const struct sl_known_tables *known,
                                      const struct sl_table        *table)
{
    struct sl_map_iter at = {0};

    for (struct sl_map_node *n; (n = sl_map_next(&known->map, &at)) != NULL;) {
        const struct sl_table *other = SL_CONTAINER_OF(n, struct known, node)->keys->table;

        if (other != table && sl_slice_equal(other->name, table->name) &&
            sl_slice_equal(other->schema, table->schema))
            return n;
    }
    return NULL;
}

bool sl_known_tables_has_other(const struct sl_known_tables *known, const struct sl_table *table)
{
    return find_other(known, table) != NULL;
}

void sl_known_tables_forget_other(struct sl_known_tables *known, const struct sl_table *table)
{
    for (struct sl_map_node *n; (n = find_other(known, table)) != NULL;)
        forget(known, n);
}

void sl_known_tables_add(struct sl_known_tables *known, const struct sl_table *table,
                         struct sl_sink_table *described)
{
    struct known *one = calloc(1, sizeof *one);

    SL_ASSERT(one != NULL);
    one->keys = sl_row_keys_new(table, described);
    sl_map_add(&known->map, hash_of(table), table, &one->node);
}
