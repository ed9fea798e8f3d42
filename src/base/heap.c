#include "base/heap.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"

enum { FIRST_CAPACITY = 16 };

static void put(struct sl_heap *heap, uint32_t index, struct sl_heap_node *node)
{
    heap->nodes[index] = node;
    node->place = index + 1;
}

/* Move the node towards the root until its parent is not after it. */
static void sift_up(struct sl_heap *heap, uint32_t index, struct sl_heap_node *node)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;

        if (!heap->before(node, heap->nodes[parent]))
            break;
        put(heap, index, heap->nodes[parent]);
        index = parent;
    }
    put(heap, index, node);
}

/* Move the node towards the leaves until neither child is before it. */
static void sift_down(struct sl_heap *heap, uint32_t index, struct sl_heap_node *node)
{
    for (;;) {
        uint32_t child = 2 * index + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->before(heap->nodes[child + 1], heap->nodes[child]))
            child++;
        if (!heap->before(heap->nodes[child], node))
            break;
        put(heap, index, heap->nodes[child]);
        index = child;
    }
    put(heap, index, node);
}

static void grow(struct sl_heap *heap)
{
    uint32_t capacity = heap->capacity == 0 ? FIRST_CAPACITY : 2 * heap->capacity;

    SL_ASSERT(capacity <= SL_HEAP_NODES_MAX);
    heap->nodes = realloc(heap->nodes, capacity * sizeof heap->nodes[0]);
    SL_ASSERT(heap->nodes != NULL);
    heap->capacity = capacity;
}

void sl_heap_init(struct sl_heap *heap, sl_heap_before before)
{
    SL_ASSERT(before != NULL);
    *heap = (struct sl_heap){.before = before};
}

void sl_heap_done(struct sl_heap *heap)
{
    SL_ASSERT(heap->count == 0);
    free(heap->nodes);
    *heap = (struct sl_heap){0};
}

void sl_heap_push(struct sl_heap *heap, struct sl_heap_node *node)
{
    SL_ASSERT(!sl_heap_linked(node));
    if (heap->count == heap->capacity)
        grow(heap);
    heap->count++;
    sift_up(heap, heap->count - 1, node);
}

void sl_heap_remove(struct sl_heap *heap, struct sl_heap_node *node)
{
    uint32_t             index = node->place - 1;
    struct sl_heap_node *last;

    SL_ASSERT(sl_heap_linked(node));
    SL_ASSERT(index < heap->count);
    SL_ASSERT(heap->nodes[index] == node);
    last = heap->nodes[--heap->count];
    node->place = 0;
    if (last == node)
        return;
    /* The last node fills the gap. It may come from another branch: it can belong above or below.
     */
    if (index > 0 && heap->before(last, heap->nodes[(index - 1) / 2]))
        sift_up(heap, index, last);
    else
        sift_down(heap, index, last);
}

struct sl_heap_node *sl_heap_top(const struct sl_heap *heap)
{
    return heap->count == 0 ? NULL : heap->nodes[0];
}

struct sl_heap_node *sl_heap_pop(struct sl_heap *heap)
{
    struct sl_heap_node *node = sl_heap_top(heap);

    if (node != NULL)
        sl_heap_remove(heap, node);
    return node;
}
