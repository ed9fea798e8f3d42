#ifndef SL_BASE_LIST_H
#define SL_BASE_LIST_H

/* Intrusive doubly linked list. The node is a member of the caller's struct (SL_CONTAINER_OF leads
 * back); the list owns nothing. A node is in one list at a time; all zero means it is in none. Used
 * by one thread at a time.
 *
 *     for (struct sl_list_node *n = sl_list_first(&l); n != NULL; n = sl_list_next(&l, n))
 *
 * visits all from front to back; take the next one before removing the current. */

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/intrusive.h"

/* The list's own, both ways around the ring. Must not be moved while it is in a list. */
struct sl_list_node {
    struct sl_list_node *prev;
    struct sl_list_node *next;
};

/* A ring through `ends`, which is no member: ends.next is the first, ends.prev the last. Must not
 * be moved. */
struct sl_list {
    struct sl_list_node ends;
};

/* An empty list; unlike its nodes, a list of all zero is not ready for use. */
static inline void sl_list_init(struct sl_list *list)
{
    list->ends.prev = &list->ends;
    list->ends.next = &list->ends;
}

/* True when it has no members. */
static inline bool sl_list_empty(const struct sl_list *list)
{
    return list->ends.next == &list->ends;
}

/* True while the node is in a list. */
static inline bool sl_list_linked(const struct sl_list_node *node)
{
    return node->next != NULL;
}

/* Put node, which is in no list, before `place`: a member, or list->ends for the back. */
static inline void sl_list_insert_before(struct sl_list_node *place, struct sl_list_node *node)
{
    SL_ASSERT(!sl_list_linked(node));
    SL_ASSERT(sl_list_linked(place));
    node->prev = place->prev;
    node->next = place;
    place->prev->next = node;
    place->prev = node;
}

/* Put node, which is in no list, behind the last or before the first member. O(1). */
static inline void sl_list_push_back(struct sl_list *list, struct sl_list_node *node)
{
    sl_list_insert_before(&list->ends, node);
}
static inline void sl_list_push_front(struct sl_list *list, struct sl_list_node *node)
{
    sl_list_insert_before(list->ends.next, node);
}

/* Take a node, which is in a list, out of it. */
static inline void sl_list_remove(struct sl_list_node *node)
{
    SL_ASSERT(sl_list_linked(node));
    SL_ASSERT(node->prev->next == node && node->next->prev == node);
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = NULL;
    node->next = NULL;
}

/* The first node, or NULL. */
static inline struct sl_list_node *sl_list_first(const struct sl_list *list)
{
    return sl_list_empty(list) ? NULL : list->ends.next;
}

/* The node after this one, or NULL. */
static inline struct sl_list_node *sl_list_next(const struct sl_list      *list,
                                                const struct sl_list_node *node)
{
    return node->next == &list->ends ? NULL : node->next;
}

/* Remove and return the first node, or NULL. */
static inline struct sl_list_node *sl_list_pop_front(struct sl_list *list)
{
    struct sl_list_node *node = sl_list_first(list);

    if (node != NULL)
        sl_list_remove(node);
    return node;
}

#endif
