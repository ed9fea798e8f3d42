/* Which node is meant: by its id, else by its address. */

#include <string.h>

#include "ctl/cli.h"

/* What was found so far. */
struct search {
    const char        *name;
    uint32_t           count;
    enum sl_node_kind *kind;
    struct sl_node    *node;
};

static void found(struct search *s, enum sl_node_kind kind, const struct sl_node *node)
{
    s->count++;
    *s->kind = kind;
    *s->node = *node;
}

static enum sl_err look_by_id(struct search *s, struct sl_registry *registry,
                              enum sl_node_kind kind, struct sl_why *why)
{
    struct sl_node node;
    enum sl_err    err;

    if (sl_node_id_check(s->name, NULL) != SL_OK) /* then nobody has it */
        return SL_OK;
    err = sl_registry_get(registry, kind, s->name, &node, why);
    if (err == SL_OK)
        found(s, kind, &node);
    return err == SL_NOT_FOUND ? SL_OK : err;
}

/* Nodes that are offline have left their address. */
static enum sl_err look_by_address(struct search *s, struct sl_registry *registry,
                                   enum sl_node_kind kind, struct sl_why *why)
{
    struct sl_node_list list;
    enum sl_err         err = sl_registry_list(registry, kind, &list, why);

    if (err != SL_OK)
        return err;
    for (size_t i = 0; i < list.count; i++) {
        if (list.nodes[i].state != SL_NODE_OFFLINE && strcmp(list.nodes[i].host, s->name) == 0)
            found(s, kind, &list.nodes[i]);
    }
    sl_node_list_free(&list);
    return SL_OK;
}

enum sl_err ctl_locate(struct sl_registry *registry, const char *name, enum sl_node_kind *kind,
                       struct sl_node *out, struct sl_why *why)
{
    struct search s = {.name = name, .kind = kind, .node = out};
    enum sl_err   err;

    if ((err = look_by_id(&s, registry, SL_NODE_PUMP, why)) != SL_OK ||
        (err = look_by_id(&s, registry, SL_NODE_DRAINER, why)) != SL_OK)
        return err;
    if (s.count > 1)
        return sl_fail(
            why, SL_USAGE,
            "a pump and a drainer are called %.200s: say which, by its address, or as in "
            "'binlogctl -cmd pause-pump -node-id %.200s'",
            name, name);
    if (s.count == 1)
        return SL_OK;
    if ((err = look_by_address(&s, registry, SL_NODE_PUMP, why)) != SL_OK ||
        (err = look_by_address(&s, registry, SL_NODE_DRAINER, why)) != SL_OK)
        return err;
    if (s.count > 1)
        return sl_fail(why, SL_USAGE, "several nodes are at %.200s: name one by its id", name);
    if (s.count == 1)
        return SL_OK;
    return sl_fail(why, SL_NOT_FOUND,
                   "no pump or drainer is called %.200s, or is there; 'binlogctl status "
                   "--show-offline-nodes' lists them",
                   name);
}
