#include "net/pd_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const char root[] = "/tidb-binlog/v1/";

enum { KEY_BYTES_MAX = sizeof root + sizeof "drainers/" + SL_NODE_ID_BYTES_MAX };
static_assert(KEY_BYTES_MAX <= (int)SL_ETCD_KEY_BYTES_MAX, "every key can be asked for");

struct pd_registry {
    struct sl_registry base;
    struct sl_etcd    *etcd; /* borrowed */
    uint64_t           cluster_id;
};

static struct pd_registry *registry_of(struct sl_registry *r)
{
    return (struct pd_registry *)r;
}

/* ---- one record ---- */

/* The key into out[KEY_BYTES_MAX]; with id "" the prefix of all. */
static void make_key(enum sl_node_kind kind, const char *id, char *out)
{
    int length = snprintf(out, KEY_BYTES_MAX, "%s%s/%s", root, sl_node_kind_name(kind), id);

    SL_ASSERT(length > 0 && length < KEY_BYTES_MAX);
}

/* Records are replaced as a whole, so somebody has edited this one. */
static enum sl_err read_record(const struct sl_etcd_kv *kv, struct sl_slice id, struct sl_node *out,
                               struct sl_why *why)
{
    if (sl_node_decode(kv->value, out, why) != SL_OK)
        return sl_wrap(why, SL_INVALID,
                       "etcd key %.*s is no record of a node; correct it, or delete it if the node "
                       "is gone",
                       (int)kv->key.len, (const char *)kv->key.bytes);
    if (!sl_slice_equal(id, sl_slice_from_string(out->id)))
        return sl_fail(why, SL_INVALID,
                       "etcd key %.*s is the record of '%s'; correct its nodeId, or delete it",
                       (int)kv->key.len, (const char *)kv->key.bytes, out->id);
    return SL_OK;
}

static enum sl_err registry_put(struct sl_registry *r, enum sl_node_kind kind,
                                const struct sl_node *node, struct sl_why *why)
{
    char        key[KEY_BYTES_MAX];
    char        json[SL_NODE_JSON_BYTES_MAX];
    size_t      count;
    enum sl_err err;

    if ((err = sl_node_id_check(node->id, why)) != SL_OK)
        return err;
    make_key(kind, node->id, key);
    count = sl_node_encode(node, json);
    return sl_etcd_put(registry_of(r)->etcd, key, (struct sl_slice){(const uint8_t *)json, count},
                       why);
}

static enum sl_err registry_get(struct sl_registry *r, enum sl_node_kind kind, const char *id,
                                struct sl_node *out, struct sl_why *why)
{
    char                key[KEY_BYTES_MAX];
    struct sl_etcd_list list;
    struct sl_node      node;
    enum sl_err         err;

    if ((err = sl_node_id_check(id, why)) != SL_OK)
        return err;
    make_key(kind, id, key);
    if ((err = sl_etcd_get(registry_of(r)->etcd, key, &list, why)) != SL_OK)
        return err;
    if (list.count == 0)
        err = sl_fail(why, SL_NOT_FOUND, "etcd has no key %s", key);
    else if ((err = read_record(&list.kvs[0], sl_slice_from_string(id), &node, why)) == SL_OK)
        *out = node;
    sl_etcd_list_free(&list);
    return err;
}

/* ---- listings ---- */

/* The keys come sorted, so the records do. */
static enum sl_err read_all(const struct sl_etcd_list *list, size_t prefix_bytes,
                            struct sl_node_list *out, struct sl_why *why)
{
    enum sl_err err;

    for (size_t i = 0; i < list->count; i++) {
        const struct sl_etcd_kv *kv = &list->kvs[i];
        struct sl_slice          id;

        if (!sl_slice_sub(kv->key, prefix_bytes, kv->key.len - prefix_bytes, &id))
            return sl_fail(why, SL_INVALID, "etcd listed a key that was not asked for");
        if (id.len == 0 || memchr(id.bytes, '/', id.len) != NULL)
            continue;
        if (out->count == SL_NODES_MAX)
            return sl_fail(why, SL_TOO_LARGE, "etcd has more than %d records in %s", SL_NODES_MAX,
                           root);
        if ((err = read_record(kv, id, &out->nodes[out->count], why)) != SL_OK)
            return err;
        out->count++;
    }
    return SL_OK;
}

static enum sl_err registry_list(struct sl_registry *r, enum sl_node_kind kind,
                                 struct sl_node_list *out, struct sl_why *why)
{
    char                prefix[KEY_BYTES_MAX];
    struct sl_etcd_list list;
    struct sl_node_list nodes = {0};
    enum sl_err         err;

    make_key(kind, "", prefix);
    if ((err = sl_etcd_list(registry_of(r)->etcd, prefix, &list, why)) != SL_OK)
        return err;
    if (list.count > 0) {
        size_t room = list.count < SL_NODES_MAX ? list.count : SL_NODES_MAX;

        nodes.nodes = calloc(room, sizeof nodes.nodes[0]);
        SL_ASSERT(nodes.nodes != NULL);
    }
    err = read_all(&list, strlen(prefix), &nodes, why);
    sl_etcd_list_free(&list);
    if (err != SL_OK || nodes.count == 0)
        sl_node_list_free(&nodes);
    if (err == SL_OK)
        *out = nodes;
    return err;
}

static enum sl_err registry_version(struct sl_registry *r, uint64_t *out, struct sl_why *why)
{
    int64_t     revision;
    enum sl_err err = sl_etcd_latest(registry_of(r)->etcd, root, &revision, why);

    if (err == SL_OK)
        *out = (uint64_t)revision;
    return err;
}

static enum sl_err registry_cluster_id(struct sl_registry *r, uint64_t *out, struct sl_why *why)
{
    (void)why;
    *out = registry_of(r)->cluster_id;
    return SL_OK;
}

static const struct sl_registry_ops registry_ops = {
    .put = registry_put,
    .get = registry_get,
    .list = registry_list,
    .version = registry_version,
    .cluster_id = registry_cluster_id,
};

struct sl_registry *sl_pd_registry_new(struct sl_etcd *etcd, uint64_t cluster_id)
{
    struct pd_registry *registry = calloc(1, sizeof *registry);

    SL_ASSERT(registry != NULL);
    *registry =
        (struct pd_registry){.base.ops = &registry_ops, .etcd = etcd, .cluster_id = cluster_id};
    return &registry->base;
}

void sl_pd_registry_free(struct sl_registry **r)
{
    free(*r);
    *r = NULL;
}
