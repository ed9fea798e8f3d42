/* registrar: writes the drainer's record in the registry: its states, and a heartbeat with the
 * checkpoint every second. Pumps keep what is above that, and ask an online drainer to take note of
 * them before they take binlogs.
 *
 *     start     online at once, whatever it was before (one that was offline is told of)
 *     pausing, closing
 *               when a stop begins; heartbeats go on
 *     paused, offline
 *               when all that can be applied is, with the checkpoint of that moment
 *
 * A registry that does not answer is no reason to end: the board says so, and the next heartbeat
 * tries again. On the peer lane, because the registry may let it wait. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/drainer/front.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/cluster.h"
#include "runtime/actor.h"

struct registrar {
    struct sl_drainer_front *front;
    struct sl_cluster       *cluster; /* owned; NULL: to be opened */
    bool                     registered;
    struct sl_sm             state;         /* once registered */
    sl_ts                    registered_ts; /* timestamp got at registration; 0: none */
    sl_nanos                 registered_at;
    struct sl_timer          heartbeat;
    sl_nanos told_at; /* the last line about a failure; 0: none since all was well */
};

/* ---- publishing ---- */

static enum sl_err put(struct sl_ctx *ctx, struct registrar *r, enum sl_node_state state,
                       struct sl_why *why)
{
    const struct sl_drainer_front_options *options = &r->front->options;
    struct sl_node                         node = {.state = state};

    (void)snprintf(node.id, sizeof node.id, "%s", options->node_id);
    (void)snprintf(node.host, sizeof node.host, "%s", options->advertise);
    node.max_commit_ts = atomic_load_explicit(&r->front->board.saved_ts, memory_order_relaxed);
    node.update_ts = sl_node_update_ts(r->registered_ts, sl_now(ctx) - r->registered_at);
    return sl_registry_put(sl_cluster_registry(r->cluster), SL_NODE_DRAINER, &node, why);
}

static void show(struct registrar *r, enum sl_node_state state)
{
    atomic_store_explicit(&r->front->board.state, state, memory_order_relaxed);
}

static enum sl_err publish(struct sl_ctx *ctx, struct registrar *r, enum sl_node_state state,
                           struct sl_why *why)
{
    enum sl_err err = put(ctx, r, state, why);

    if (err != SL_OK)
        return err;
    sl_sm_move(&r->state, state);
    show(r, state);
    sl_log(SL_LOG_INFO, "update state success", sl_field_str("NodeID", r->front->options.node_id),
           sl_field_str("state", sl_node_state_name(state)));
    return SL_OK;
}

/* What the record said when this process began. */
static enum sl_err look_back(struct registrar *r, enum sl_node_state *out, struct sl_why *why)
{
    const char    *id = r->front->options.node_id;
    struct sl_node before;
    enum sl_err    err =
        sl_registry_get(sl_cluster_registry(r->cluster), SL_NODE_DRAINER, id, &before, why);

    *out = err == SL_OK ? before.state : SL_NODE_ABSENT;
    if (err == SL_OK && before.state == SL_NODE_OFFLINE)
        sl_log(SL_LOG_WARN,
               "this drainer was offline for good: pumps may have removed what it has not read",
               sl_field_str("NodeID", id), sl_field_i64("MaxCommitTS", before.max_commit_ts));
    return err == SL_NOT_FOUND ? SL_OK : err;
}

/* Make the first record of this life. */
static enum sl_err begin(struct sl_ctx *ctx, struct registrar *r, struct sl_why *why)
{
    enum sl_node_state before;
    enum sl_err        err;

    if (r->cluster == NULL &&
        (err = sl_cluster_open(sl_env(ctx), r->front->options.pd_urls, &r->cluster, why)) != SL_OK)
        return sl_wrap(why, err, "open the cluster");
    err = sl_tso_now(sl_cluster_tso(r->cluster), 1, &r->registered_ts, why);
    if (err != SL_OK && err != SL_AGAIN) /* a replay may leave no room now */
        return sl_wrap(why, err, "fail to get tso from pd");
    r->registered_at = sl_now(ctx);
    if ((err = look_back(r, &before, why)) != SL_OK)
        return sl_wrap(why, err, "read the record of this drainer");
    sl_sm_init(&r->state, sl_node_state_table(SL_NODE_DRAINER), before, NULL);
    err = publish(ctx, r, sl_node_state_at_start(SL_NODE_DRAINER, before), why);
    if (err != SL_OK)
        return sl_wrap(why, err, "fail to register node to etcd");
    r->registered = true;
    sl_log(SL_LOG_INFO, "register success",
           sl_field_str("drainer node id", r->front->options.node_id));
    return SL_OK;
}

/* ---- heartbeats ---- */

static void tell(struct sl_ctx *ctx, struct registrar *r, enum sl_err err, const struct sl_why *why)
{
    sl_nanos now = sl_now(ctx);

    sl_drainer_board_note(&r->front->board, SL_DRAINER_PART_HEARTBEAT, SL_DRAINER_WAITING, err,
                          why->text);
    sl_metric_add(r->front->metrics.errors[SL_DRAINER_ERROR_REGISTRY], 1);
    if (r->told_at != 0 && now - r->told_at < (sl_nanos)SL_DRAINER_TELL_MS * SL_NANOS_PER_MS)
        return;
    r->told_at = now;
    sl_log(SL_LOG_ERROR, r->registered ? "send heartbeat failed" : "register failed",
           sl_field_str("pd-urls", r->front->options.pd_urls), sl_field_err(err, why));
}

static void beat(struct sl_ctx *ctx, struct registrar *r)
{
    struct sl_why why = {0};
    enum sl_err   err =
        r->registered ? put(ctx, r, (enum sl_node_state)r->state.state, &why) : begin(ctx, r, &why);

    if (err != SL_OK) {
        tell(ctx, r, err, &why);
    } else {
        sl_drainer_board_note(&r->front->board, SL_DRAINER_PART_HEARTBEAT, SL_DRAINER_RUNNING,
                              SL_OK, NULL);
        r->told_at = 0;
    }
    sl_timer_arm(ctx, &r->heartbeat, SL_DRAINER_HEARTBEAT, SL_DRAINER_HEARTBEAT_MS);
}

/* ---- orders ---- */

static enum sl_err obey(struct sl_ctx *ctx, struct registrar *r, enum sl_node_state state,
                        struct sl_why *why)
{
    enum sl_err err;

    if (!r->registered && (err = begin(ctx, r, why)) != SL_OK)
        return err;
    if (!sl_sm_may(&r->state, state))
        return sl_fail(why, SL_INVALID, "a drainer that is %s does not become %s",
                       sl_node_state_name((enum sl_node_state)r->state.state),
                       sl_node_state_name(state));
    return publish(ctx, r, state, why);
}

static void answer(struct sl_ctx *ctx, struct registrar *r, struct sl_drainer_publish *question)
{
    struct sl_asker asker = sl_asker_of(&question->hdr);
    struct sl_why   why = {0};
    enum sl_err     err = obey(ctx, r, question->state, &why);

    if (err == SL_OK) {
        struct sl_msg *published = sl_msg_new(struct sl_msg, SL_DRAINER_PUBLISHED);

        sl_reply_msg(ctx, asker, published, &published);
    } else {
        struct sl_drainer_failed *failed = sl_drainer_failed_new(err, &why);

        sl_reply(ctx, asker, &failed);
    }
}

/* ---- class ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct registrar *r = self;

    r->front = ((const struct sl_drainer_front_args *)args)->front;
    beat(ctx, r);
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    switch (msg->type) {
    case SL_DRAINER_HEARTBEAT: beat(ctx, self); return SL_OK;
    case SL_DRAINER_PUBLISH:
        answer(ctx, self, (struct sl_drainer_publish *)(void *)msg);
        return SL_OK;
    default: SL_UNREACHABLE("no message of the registrar");
    }
}

static void stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    sl_cluster_free(&((struct registrar *)self)->cluster);
}

const struct sl_actor_class sl_drainer_registrar_class = {
    .name = "registrar",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct registrar),
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .stop = stop,
};
