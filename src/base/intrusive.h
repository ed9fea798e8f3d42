#ifndef SL_BASE_INTRUSIVE_H
#define SL_BASE_INTRUSIVE_H

/* What intrusive containers (base/list.h, base/heap.h, base/map.h) share: their nodes are members
 * of the caller's structs, so that joining a container never allocates, and this leads from a node
 * back to its struct. */

#include <stddef.h>

/* The `type` whose `member` is at `node`. node is not NULL. */
#define SL_CONTAINER_OF(node, type, member) \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

#endif
