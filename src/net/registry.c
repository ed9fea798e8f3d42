#include "net/registry.h"

#include <stdlib.h>

#include "base/assert.h"

enum sl_err sl_registry_put(struct sl_registry *r, enum sl_node_kind kind,
                            const struct sl_node *node, struct sl_why *why)
{
    SL_ASSERT(r != NULL && node != NULL);
    SL_ASSERT(kind < SL_NODE_KINDS);
    SL_ASSERT(node->state != SL_NODE_ABSENT);
    return r->ops->put(r, kind, node, why);
}

enum sl_err sl_registry_get(struct sl_registry *r, enum sl_node_kind kind, const char *id,
                            struct sl_node *out, struct sl_why *why)
{
    SL_ASSERT(r != NULL && id != NULL && out != NULL);
    SL_ASSERT(kind < SL_NODE_KINDS);
    return r->ops->get(r, kind, id, out, why);
}

enum sl_err sl_registry_list(struct sl_registry *r, enum sl_node_kind kind,
                             struct sl_node_list *out, struct sl_why *why)
{
    SL_ASSERT(r != NULL && out != NULL);
    SL_ASSERT(kind < SL_NODE_KINDS);
    return r->ops->list(r, kind, out, why);
}

enum sl_err sl_registry_version(struct sl_registry *r, uint64_t *out, struct sl_why *why)
{
    SL_ASSERT(r != NULL && out != NULL);
    return r->ops->version(r, out, why);
}

enum sl_err sl_registry_cluster_id(struct sl_registry *r, uint64_t *out, struct sl_why *why)
{
    SL_ASSERT(r != NULL && out != NULL);
    return r->ops->cluster_id(r, out, why);
}

void sl_node_list_free(struct sl_node_list *list)
{
    SL_ASSERT(list != NULL);
    free(list->nodes);
    *list = (struct sl_node_list){0};
}
