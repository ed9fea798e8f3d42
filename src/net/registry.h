#ifndef SL_NET_REGISTRY_H
#define SL_NET_REGISTRY_H

/* The registry: the door behind which all nodes of a cluster publish their records (net/node.h).
 * Local implementation: a directory (net/local.h).
 *
 * The calls block (a lock, a sync; at most SL_REGISTRY_WAIT_MS_MAX plus the disk), so an actor of
 * the disk or peer lane owns the object, and the others ask that actor: each call is one question
 * with one answer, keeps nothing between calls, and may therefore as well be a message to an actor
 * that speaks to etcd.
 *
 * There is no compare and no lease: the last writer of a record wins, and a dead node's record
 * stays as it was (pump spec 4.1). Errors of class transient are worth a retry; the refused ones
 * need somebody to do something, which the reason says. */

#include <stddef.h>
#include <stdint.h>

#include "net/node.h"

struct sl_registry;

/* A complete listing, sorted by node id (bytes). Free with sl_node_list_free. */
struct sl_node_list {
    struct sl_node *nodes; /* owned; NULL when count is 0 */
    size_t          count; /* at most SL_NODES_MAX */
};

/* What an implementation brings; the functions below say what each must do. */
struct sl_registry_ops {
    enum sl_err (*put)(struct sl_registry *r, enum sl_node_kind kind, const struct sl_node *node,
                       struct sl_why *why);
    enum sl_err (*get)(struct sl_registry *r, enum sl_node_kind kind, const char *id,
                       struct sl_node *out, struct sl_why *why);
    enum sl_err (*list)(struct sl_registry *r, enum sl_node_kind kind, struct sl_node_list *out,
                        struct sl_why *why);
    enum sl_err (*version)(struct sl_registry *r, uint64_t *out, struct sl_why *why);
    enum sl_err (*cluster_id)(struct sl_registry *r, uint64_t *out, struct sl_why *why);
};

/* The door; the implementation's own state lies around it. */
struct sl_registry {
    const struct sl_registry_ops *ops;
};

/* Create or replace the record of node->id. The id has passed sl_node_id_check and the state is not
 * ABSENT. SL_OK: it is durable and every later get and list shows it. After an error it may or may
 * not be there, but whole. */
enum sl_err sl_registry_put(struct sl_registry *r, enum sl_node_kind kind,
                            const struct sl_node *node, struct sl_why *why);
/* SL_NOT_FOUND: there is none. SL_INVALID: there is one that cannot be read. */
enum sl_err sl_registry_get(struct sl_registry *r, enum sl_node_kind kind, const char *id,
                            struct sl_node *out, struct sl_why *why);
/* All records of the kind as they stood at one moment after the call began: every put that had
 * returned is in it. One record that cannot be read fails the whole listing, and is named: a reader
 * that relies on knowing everybody must not go on without it. */
enum sl_err sl_registry_list(struct sl_registry *r, enum sl_node_kind kind,
                             struct sl_node_list *out, struct sl_why *why);
/* A number that differs after each change. Cheap; poll it to be hastened. It promises nothing: a
 * change may be missed when its writer died over it, so list now and then all the same. */
enum sl_err sl_registry_version(struct sl_registry *r, uint64_t *out, struct sl_why *why);
enum sl_err sl_registry_cluster_id(struct sl_registry *r, uint64_t *out, struct sl_why *why);

/* Free what a listing owns and empty it. */
void sl_node_list_free(struct sl_node_list *list);

#endif
