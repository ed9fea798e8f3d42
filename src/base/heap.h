#ifndef SL_BASE_HEAP_H
#define SL_BASE_HEAP_H

/* Intrusive binary min-heap. The node is a member of the caller's struct (SL_CONTAINER_OF leads
 * back) and knows its place, so that any member can be removed in O(log n). The heap owns only its
 * array of pointers. While a node is in the heap its key must not change. Equal keys come out in an
 * order that depends on nothing but the calls made: give the key a tie-breaker where the order
 * matters. Used by one thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/intrusive.h"

/* All zero means: in no heap. */
struct sl_heap_node {
    uint32_t place; /* index in the array, plus one */
};

/* True when a must come out before b. A strict weak order. */
typedef bool (*sl_heap_before)(const struct sl_heap_node *a, const struct sl_heap_node *b);

/* Read count freely; the rest is the heap's own. */
struct sl_heap {
    uint32_t              count;
    uint32_t              capacity;
    struct sl_heap_node **nodes; /* owned; nodes[i] is not after nodes[2i + 1] and nodes[2i + 2] */
    sl_heap_before        before;
};

/* An empty heap that owns no memory yet. */
void sl_heap_init(struct sl_heap *heap, sl_heap_before before);
/* Free the array. The heap must be empty. */
void sl_heap_done(struct sl_heap *heap);

/* Add a node that is in no heap. O(log n); grows by doubling, at most SL_HEAP_NODES_MAX. */
void sl_heap_push(struct sl_heap *heap, struct sl_heap_node *node);
/* Take a node of this heap out of it. O(log n). */
void sl_heap_remove(struct sl_heap *heap, struct sl_heap_node *node);

/* The least node, or NULL. */
struct sl_heap_node *sl_heap_top(const struct sl_heap *heap);
/* Remove and return the least node, or NULL. O(log n). */
struct sl_heap_node *sl_heap_pop(struct sl_heap *heap);

/* True while the node is in a heap. */
static inline bool sl_heap_linked(const struct sl_heap_node *node)
{
    return node->place != 0;
}

#endif
