/* registrar: owns the registry door of the pump: publishes its record, its state and heartbeats. A
 * change of state is on the notice board (which the sessions obey) before it is in the registry
 * when it takes rights away, and after it when it gives some. */

#include <string.h>

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/local.h"

struct registrar {
    struct sl_pump     *pump;
    struct sl_local    *local; /* owned */
    struct sl_registry *registry;
    struct sl_sm        state;
    sl_ts               registered_ts; /* timestamp got at registration; 0: none yet */
    sl_nanos            registered_at;
    struct sl_timer     heartbeat;
};

static enum sl_err put(struct sl_ctx *ctx, struct registrar *r, enum sl_node_state state,
                       struct sl_why *why)
{
    struct sl_node node = {.state = state};
    sl_nanos       since = sl_now(ctx) - r->registered_at;

    snprintf(node.id, sizeof node.id, "%s", r->pump->node_id);
    snprintf(node.host, sizeof node.host, "%s", r->pump->advertise);
    node.max_commit_ts = sl_pump_max_commit_ts(r->pump);
    node.update_ts = sl_node_update_ts(r->registered_ts, since);
    return sl_registry_put(r->registry, SL_NODE_PUMP, &node, why);
}

static void show(struct registrar *r, enum sl_node_state state)
{
    atomic_store_explicit(&r->pump->board.state, state, memory_order_relaxed);
}

static enum sl_err publish(struct sl_ctx *ctx, struct registrar *r, enum sl_node_state state,
                           struct sl_why *why)
{
    enum sl_err err;

    sl_sm_move(&r->state, state);
    if (state != SL_NODE_ONLINE)
        show(r, state);
    if ((err = put(ctx, r, state, why)) != SL_OK)
        return err;
    show(r, state);
    sl_log(SL_LOG_INFO, "update state success", sl_field_str("state", sl_node_state_name(state)));
    return SL_OK;
}

/* ---- birth ---- */

static enum sl_err previous_state(struct registrar *r, enum sl_node_state *out, struct sl_why *why)
{
    struct sl_node before;
    enum sl_err    err = sl_registry_get(r->registry, SL_NODE_PUMP, r->pump->node_id, &before, why);

    *out = err == SL_OK ? before.state : SL_NODE_ABSENT;
    return err == SL_NOT_FOUND ? SL_OK : err;
}

static enum sl_err begin(struct sl_ctx *ctx, struct registrar *r, struct sl_why *why)
{
    enum sl_node_state before;
    enum sl_err        err;

    if ((err = sl_tso_now(sl_local_tso(r->local), 1, &r->registered_ts, why)) != SL_OK &&
        err != SL_AGAIN)
        return sl_wrap(why, err, "fail to get tso from pd");
    r->registered_at = sl_now(ctx);
    if ((err = previous_state(r, &before, why)) != SL_OK)
        return err;
    sl_sm_init(&r->state, sl_node_state_table(SL_NODE_PUMP), before, NULL);
    if (sl_node_state_at_start(SL_NODE_PUMP, before) != SL_NODE_ONLINE &&
        (err = publish(ctx, r, SL_NODE_PAUSED, why)) != SL_OK)
        return err;
    if ((err = publish(ctx, r, SL_NODE_ONLINE, why)) != SL_OK)
        return sl_wrap(why, err, "fail to register node to etcd");
    sl_log(SL_LOG_INFO, "register success", sl_field_str("NodeID", r->pump->node_id));
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err registrar_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct registrar          *r = self;
    enum sl_err                err;

    r->pump = a->pump;
    err = sl_local_open(sl_env(ctx), sl_local_dir_of_url(a->pump->options.registry), &r->local,
                        sl_why(ctx));
    if (err != SL_OK)
        return err;
    r->registry = sl_local_registry(r->local);
    if ((err = begin(ctx, r, sl_why(ctx))) != SL_OK)
        return err;
    sl_timer_arm(ctx, &r->heartbeat, SL_PUMP_TICK, r->pump->options.heartbeat_ms);
    return SL_OK;
}

static void heartbeat(struct sl_ctx *ctx, struct registrar *r)
{
    struct sl_why why = {0};
    enum sl_err   err = put(ctx, r, (enum sl_node_state)r->state.state, &why);

    if (err != SL_OK)
        sl_log(SL_LOG_ERROR, "send heartbeat failed", sl_field_err(err, &why));
    sl_timer_arm(ctx, &r->heartbeat, SL_PUMP_TICK, r->pump->options.heartbeat_ms);
}

static void answer_publish(struct sl_ctx *ctx, struct registrar *r,
                           struct sl_pump_publish *question)
{
    struct sl_asker asker = sl_asker_of(&question->hdr);
    struct sl_why   why = {0};
    enum sl_err     err = publish(ctx, r, question->state, &why);

    if (err == SL_OK) {
        struct sl_msg *published = sl_msg_new(struct sl_msg, SL_PUMP_PUBLISHED);

        sl_reply_msg(ctx, asker, published, &published);
    } else {
        struct sl_pump_failed *failed = sl_pump_failed_new(err, &why);

        sl_reply(ctx, asker, &failed);
    }
}

static enum sl_err registrar_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct registrar *r = self;

    switch (msg->type) {
    case SL_PUMP_TICK: heartbeat(ctx, r); return SL_OK;
    case SL_PUMP_PUBLISH:
        answer_publish(ctx, r, (struct sl_pump_publish *)(void *)msg);
        return SL_OK;
    default: SL_UNREACHABLE("no message of the registrar");
    }
}

static void registrar_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    sl_local_free(&((struct registrar *)self)->local);
}

const struct sl_actor_class sl_pump_registrar_class = {
    .name = "registrar",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct registrar),
    .timers_max = 1,
    .start = registrar_start,
    .handle = registrar_handle,
    .stop = registrar_stop,
};
