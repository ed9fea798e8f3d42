#ifndef SL_NET_NODE_H
#define SL_NET_NODE_H

/* Nodes: what a pump or a drainer publishes about itself in the registry (pump spec 4.2, 4.3): the
 * record, its JSON, and its states.
 *
 * A pump's states. A start is a new process with the same node id; it may follow any state, because
 * a process may have died in any.
 *
 *     (absent), offline ──start──► paused ──born──► online ──┬──pause──► pausing ──► paused
 *                                                            └──close──► closing ──► offline
 *                                                                           └─stop──► paused
 *
 *     paused, online, pausing, closing ──start──► online
 *
 * Birth: a pump without a record, or that was offline, first publishes `paused`, and `online` when
 * every online drainer knows it. (The original publishes online first, which leaves a window in
 * which its commits can come too late.) A drainer has no birth: (absent) and offline lead to
 * online.
 *
 * From outside (binlogctl update-*, SQL) a record that exists may be rewritten to any state, so
 * whoever reads the registry must take any sequence. A node that lives does not follow: its next
 * heartbeat puts its own state back. Records are never deleted. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/sm.h"
#include "base/ts.h"

/* The two kinds of nodes; each has its own part of the registry. */
enum sl_node_kind { SL_NODE_PUMP, SL_NODE_DRAINER, SL_NODE_KINDS };

/* "pumps" or "drainers": the part of the registry that holds the kind. Static string. */
const char *sl_node_kind_name(enum sl_node_kind kind);

/* ---- states ---- */

/* See the diagram above. */
enum sl_node_state {
    SL_NODE_ABSENT, /* no record; is never written */
    SL_NODE_ONLINE,
    SL_NODE_PAUSING, /* a stop was asked for that ends in paused */
    SL_NODE_PAUSED,
    SL_NODE_CLOSING, /* a stop was asked for that ends in offline, when all is consumed */
    SL_NODE_OFFLINE,
    SL_NODE_STATES,
};

/* As in a record ("online"); "absent" for no record. Static string. */
const char *sl_node_state_name(enum sl_node_state state);
/* The state of that name, exactly as written; false when a record cannot have it. */
bool sl_node_state_parse(const char *name, enum sl_node_state *out);

/* The moves that a node itself makes. Static. */
const struct sl_sm_table *sl_node_state_table(enum sl_node_kind kind);

/* The state that a starting process publishes first. It is a birth when that is not online. */
enum sl_node_state sl_node_state_at_start(enum sl_node_kind kind, enum sl_node_state previous);

/* May a record in state `from` be rewritten to `to` by somebody else than its node? */
bool sl_node_state_may_rewrite(enum sl_node_state from, enum sl_node_state to);

/* What a living pump does in a state. In `paused` it is being born, or about to exit. */
struct sl_node_rights {
    bool takes_prewrites;
    bool takes_outcomes; /* commits and rollbacks, of prewrites it took before */
    bool serves_pull;
};

/* The rights of a state. */
struct sl_node_rights sl_node_rights_of(enum sl_node_state state);

/* ---- the record ---- */

/* A plain value, copied freely. */
struct sl_node {
    char               id[SL_NODE_ID_BYTES_MAX]; /* see sl_node_id_check */
    char               host[SL_ADDR_BYTES_MAX];  /* host:port under which others reach it */
    enum sl_node_state state;
    bool               is_alive; /* historic: false */
    int64_t            score;    /* historic: 0 */
    /* The label as JSON, {"labels":{...}} with sorted names; empty: null, as always in practice. */
    char  label[SL_NODE_LABEL_BYTES_MAX];
    sl_ts max_commit_ts; /* pump: all up to it is complete; drainer: all up to it is consumed */
    sl_ts update_ts;     /* when it was written last; 0: never with a timestamp */
};

/* A node id is 1..SL_NODE_ID_BYTES_MAX - 1 bytes of UTF-8 without control characters and '/', and
 * without white space at either end. Otherwise SL_INVALID. */
enum sl_err sl_node_id_check(const char *id, struct sl_why *why);

/* Write the record as the original does, all eight fields in its order, into
 * out[SL_NODE_JSON_BYTES_MAX]; no terminator. The state is not ABSENT. Returns the bytes used. */
size_t sl_node_encode(const struct sl_node *node, char *out);

/* Read a record as the original does: names in any case, unknown ones ignored, missing ones and
 * null are zero; but id and state must be there and valid. SL_INVALID and SL_TOO_LARGE name the
 * field, or line and column. */
enum sl_err sl_node_decode(struct sl_slice json, struct sl_node *out, struct sl_why *why);

/* The update_ts of a heartbeat: the timestamp got at registration plus the whole seconds that have
 * passed since (pump spec 4.2); 0 stays 0. */
sl_ts sl_node_update_ts(sl_ts registered, sl_nanos since);

#endif
