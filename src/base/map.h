#ifndef SL_BASE_MAP_H
#define SL_BASE_MAP_H

/* Intrusive hash map. The node is a member of the caller's struct (SL_CONTAINER_OF leads back),
 * which holds the key; the caller gives the hash (base/hash.h) and the equality. The map owns only
 * its buckets: a power of two of chains, doubled when there are as many nodes as chains, never
 * shrunk. The order of iteration follows from the hashes and the calls made, so that a simulation
 * repeats it. Used by one thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/intrusive.h"

/* The map's own. Must not be moved while it is in a map. */
struct sl_map_node {
    struct sl_map_node *next; /* in the same bucket */
    uint64_t            hash;
};

/* True when the struct of this node has the key. Called only for nodes of equal hash. */
typedef bool (*sl_map_equal)(const struct sl_map_node *node, const void *key);

/* Read count freely; the rest is the map's own. */
struct sl_map {
    uint32_t             count;
    uint32_t             bucket_count; /* 0 or a power of two */
    struct sl_map_node **buckets;      /* owned */
    sl_map_equal         equal;
};

/* An empty map that owns no memory yet. */
void sl_map_init(struct sl_map *map, sl_map_equal equal);
/* Free the buckets. The map must be empty. */
void sl_map_done(struct sl_map *map);

/* The node with this key, or NULL. */
struct sl_map_node *sl_map_find(const struct sl_map *map, uint64_t hash, const void *key);
/* Add a node that is in no map, under a key that is not in this map. At most SL_MAP_NODES_MAX. */
void sl_map_add(struct sl_map *map, uint64_t hash, const void *key, struct sl_map_node *node);
/* Take a node of this map out of it. */
void sl_map_remove(struct sl_map *map, struct sl_map_node *node);

/* Visits each node once. Start with all zero. The node visited last may be removed and freed, no
 * other; adding nodes ends the right to go on.
 *
 *     struct sl_map_iter at = {0};
 *     for (struct sl_map_node *n; (n = sl_map_next(&map, &at)) != NULL;)
 */
struct sl_map_iter {
    uint32_t            bucket; /* the first one not yet entered */
    struct sl_map_node *next;   /* rest of the bucket entered last */
};

/* The next node, or NULL at the end. */
struct sl_map_node *sl_map_next(const struct sl_map *map, struct sl_map_iter *iter);

#endif
