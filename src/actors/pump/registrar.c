/* registrar: owns the registry door of the pump. Publishes its record, its states and heartbeats.
 *
 *     start     absent, offline: publishes paused, waits until every drainer knows it (birth.h),
 *               then online; online, which a crash leaves: paused first, so that TiDB sees it come;
 *               every other state before: online at once
 *     online    a heartbeat at each interval
 *     pausing, closing
 *               on the notice board first, so that prewrites are refused from here on; heartbeats
 *               go on
 *     offline   only when all there is here is complete and every drainer has it (pump spec 4.6)
 *
 * On the peer lane, because a drainer or the registry may let it wait. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/pump/birth.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/cluster.h"

struct registrar {
    struct sl_pump     *pump;
    struct sl_cluster  *cluster; /* owned */
    struct sl_registry *registry;
    struct sl_sm        state;
    sl_ts               max_commit_ts; /* as published last, by the process before too */
    sl_ts               registered_ts; /* timestamp got at registration; 0: none */
    sl_nanos            registered_at;
    struct sl_timer     heartbeat;
    struct sl_timer     step; /* of birth, or of the wait for the drainers */
    struct sl_birth     birth;
    sl_nanos            told_at;  /* the last line about waiting */
    struct sl_asker     leaving;  /* who awaits `offline`; nobody: ref.generation 0 */
    sl_ts               last;     /* while leaving: a timestamp that must be complete; 0: none */
    sl_ts               complete; /* while leaving: what the drainers must have; 0: not known */
};

/* ---- publishing ---- */

static enum sl_node_state state_of(const struct registrar *r)
{
    return (enum sl_node_state)r->state.state;
}

/* What was complete stays so, although a pump may begin below it: a prewrite that a crash left in
 * the log without an answer holds its watermark, but cannot commit at or below what was public. */
static enum sl_err put(struct sl_ctx *ctx, struct registrar *r, struct sl_why *why)
{
    struct sl_node node = {.state = state_of(r)};
    sl_nanos       since = sl_now(ctx) - r->registered_at;
    sl_ts          complete = sl_pump_max_commit_ts(r->pump);

    if (complete > r->max_commit_ts)
        r->max_commit_ts = complete;

    snprintf(node.id, sizeof node.id, "%s", r->pump->node_id);
    snprintf(node.host, sizeof node.host, "%s", r->pump->advertise);
    node.max_commit_ts = r->max_commit_ts;
    node.update_ts = sl_node_update_ts(r->registered_ts, since);
    return sl_registry_put(r->registry, SL_NODE_PUMP, &node, why);
}

static void show(struct registrar *r)
{
    atomic_store_explicit(&r->pump->board.state, state_of(r), memory_order_relaxed);
}

/* Rights that a state takes away end before the registry says so, those that it gives begin
 * after. */
static enum sl_err publish(struct sl_ctx *ctx, struct registrar *r, enum sl_node_state state,
                           struct sl_why *why)
{
    enum sl_err err;

    sl_sm_move(&r->state, state);
    if (state != SL_NODE_ONLINE)
        show(r);
    if ((err = put(ctx, r, why)) != SL_OK)
        return err;
    show(r);
    sl_log(SL_LOG_INFO, "update state success", sl_field_str("NodeID", r->pump->node_id),
           sl_field_str("state", sl_node_state_name(state)));
    return SL_OK;
}

static void heartbeat(struct sl_ctx *ctx, struct registrar *r)
{
    struct sl_why why = {0};
    enum sl_err   err = put(ctx, r, &why);

    if (err != SL_OK)
        sl_log(SL_LOG_ERROR, "send heartbeat failed", sl_field_err(err, &why));
    else
        show(r); /* an earlier put may have failed */
    sl_timer_arm(ctx, &r->heartbeat, SL_PUMP_TICK, r->pump->options.heartbeat_ms);
}

/* True once a while: for lines about what is waited for. */
static bool time_to_tell(struct sl_ctx *ctx, struct registrar *r)
{
    sl_nanos now = sl_now(ctx);

    if (r->told_at != 0 && now - r->told_at < (sl_nanos)SL_PUMP_TELL_MS * SL_NANOS_PER_MS)
        return false;
    r->told_at = now;
    return true;
}

/* The addresses were taken before the first actor ran. */
static void tell_online(const struct registrar *r)
{
    char url[SL_ADDR_BYTES_MAX + 8];

    (void)snprintf(url, sizeof url, "http://%s", r->pump->listening);
    sl_log(SL_LOG_INFO, "register success", sl_field_str("NodeID", r->pump->node_id));
    sl_log(SL_LOG_INFO, "start to server request", sl_field_str("addr", url));
}

/* ---- birth ---- */

static void birth(struct sl_ctx *ctx, struct registrar *r)
{
    struct sl_why why = {0};
    enum sl_err   err = sl_birth_round(&r->birth, sl_env(ctx), r->registry, &why);

    if (err == SL_OK)
        err = publish(ctx, r, SL_NODE_ONLINE, &why);
    if (err == SL_OK) {
        tell_online(r);
        return;
    }
    if (time_to_tell(ctx, r))
        sl_log(SL_LOG_WARN, "fail to notify all living drainer", sl_field_err(err, &why));
    if (state_of(r) != SL_NODE_ONLINE)
        sl_timer_arm(ctx, &r->step, SL_PUMP_RETRY, SL_BIRTH_RETRY_MS);
}

static enum sl_err previous_state(struct registrar *r, enum sl_node_state *out, struct sl_why *why)
{
    struct sl_node before;
    enum sl_err    err = sl_registry_get(r->registry, SL_NODE_PUMP, r->pump->node_id, &before, why);

    *out = err == SL_OK ? before.state : SL_NODE_ABSENT;
    if (err == SL_OK)
        r->max_commit_ts = before.max_commit_ts;
    return err == SL_NOT_FOUND ? SL_OK : err;
}

/* A TiDB that could not reach a pump asks it again after up to 30 s, unless it sees it become
 * online; when another pump fails meanwhile, TiDB has none left and ends. */
static enum sl_err come_back(struct sl_ctx *ctx, struct registrar *r, struct sl_why *why)
{
    sl_sm_init(&r->state, sl_node_state_table(SL_NODE_PUMP), SL_NODE_PAUSED, NULL);
    return put(ctx, r, why);
}

static enum sl_err begin(struct sl_ctx *ctx, struct registrar *r, struct sl_why *why)
{
    enum sl_node_state before;
    enum sl_err        err = sl_tso_now(sl_cluster_tso(r->cluster), 1, &r->registered_ts, why);

    if (err != SL_OK && err != SL_AGAIN) /* a replay may leave no room now */
        return sl_wrap(why, err, "fail to get tso from pd");
    r->registered_at = sl_now(ctx);
    if ((err = previous_state(r, &before, why)) != SL_OK)
        return err;
    sl_sm_init(&r->state, sl_node_state_table(SL_NODE_PUMP), before, NULL);
    if (before == SL_NODE_ONLINE)
        err = come_back(ctx, r, why);
    if (err == SL_OK)
        err = publish(ctx, r, sl_node_state_at_start(SL_NODE_PUMP, before), why);
    if (err != SL_OK)
        return sl_wrap(why, err, "fail to register node to etcd");
    if (state_of(r) == SL_NODE_ONLINE)
        tell_online(r);
    else
        birth(ctx, r);
    return SL_OK;
}

/* ---- leaving for good ---- */

static void answer(struct sl_ctx *ctx, struct sl_asker asker, enum sl_err err,
                   const struct sl_why *why)
{
    if (err == SL_OK) {
        struct sl_msg *published = sl_msg_new(struct sl_msg, SL_PUMP_PUBLISHED);

        sl_reply_msg(ctx, asker, published, &published);
    } else {
        struct sl_pump_failed *failed = sl_pump_failed_new(err, why);

        sl_reply(ctx, asker, &failed);
    }
}

/* Complete here: everything up to a timestamp that is later than all prewrites that were taken. */
static enum sl_err wait_for_complete(struct registrar *r, struct sl_why *why)
{
    enum sl_err err;

    if (r->last == 0 && (err = sl_tso_now(sl_cluster_tso(r->cluster), 1, &r->last, why)) != SL_OK)
        return err;
    for (uint32_t k = 0; k < r->pump->options.shards; k++) {
        uint32_t unresolved =
            atomic_load_explicit(&r->pump->board.unresolved[k], memory_order_relaxed);

        if (unresolved > 0)
            return sl_fail(why, SL_AGAIN,
                           "%" PRIu32 " transactions of shard %" PRIu32 " have no outcome yet",
                           unresolved, k);
    }
    if (sl_pump_max_commit_ts(r->pump) < r->last)
        return sl_fail(why, SL_AGAIN, "the last records are not in the index yet");
    r->complete = sl_pump_max_commit_ts(r->pump);
    r->told_at = 0; /* what is waited for next is told at once */
    return SL_OK;
}

static enum sl_err wait_for_drainers(struct registrar *r, struct sl_why *why)
{
    struct sl_node_list list;
    enum sl_err         err = sl_registry_list(r->registry, SL_NODE_DRAINER, &list, why);

    if (err != SL_OK)
        return err;
    for (size_t i = 0; i < list.count && err == SL_OK; i++) {
        const struct sl_node *d = &list.nodes[i];

        if (d->state != SL_NODE_OFFLINE && d->max_commit_ts < r->complete)
            err = sl_fail(why, SL_AGAIN,
                          "drainer %s (%s) has consumed up to %" PRId64
                          ", this pump has up to %" PRId64,
                          d->id, sl_node_state_name(d->state), d->max_commit_ts, r->complete);
    }
    sl_node_list_free(&list);
    return err;
}

static void leave(struct sl_ctx *ctx, struct registrar *r)
{
    struct sl_why why = {0};
    enum sl_err   err = r->complete == 0 ? wait_for_complete(r, &why) : SL_OK;

    if (err == SL_OK)
        err = wait_for_drainers(r, &why);
    if (err == SL_OK) {
        struct sl_asker asker = r->leaving;

        sl_log(SL_LOG_INFO, "safe to offline now");
        r->leaving = (struct sl_asker){0};
        answer(ctx, asker, publish(ctx, r, SL_NODE_OFFLINE, &why), &why);
        return;
    }
    if (time_to_tell(ctx, r))
        sl_log(SL_LOG_WARN, "Waiting for drainer to consume binlog", sl_field_err(err, &why));
    sl_timer_arm(ctx, &r->step, SL_PUMP_RETRY, SL_PUMP_LEAVE_MS);
}

static void stop_leaving(struct sl_ctx *ctx, struct registrar *r)
{
    struct sl_asker asker = r->leaving;

    if (asker.ref.generation == 0)
        return;
    r->leaving = (struct sl_asker){0};
    sl_timer_disarm(ctx, &r->step);
    answer(ctx, asker, SL_STOPPED, NULL);
}

static void obey(struct sl_ctx *ctx, struct registrar *r, struct sl_pump_publish *question)
{
    struct sl_asker    asker = sl_asker_of(&question->hdr);
    enum sl_node_state state = question->state;
    struct sl_why      why = {0};

    stop_leaving(ctx, r);
    sl_timer_disarm(ctx, &r->step);
    if (state == SL_NODE_OFFLINE) {
        r->leaving = asker;
        r->told_at = 0;
        leave(ctx, r);
    } else if (sl_sm_may(&r->state, state)) {
        answer(ctx, asker, publish(ctx, r, state, &why), &why);
    } else {
        answer(ctx, asker, SL_OK, NULL); /* stopped before it was born: it is paused already */
    }
}

/* ---- hooks ---- */

static enum sl_err registrar_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct registrar          *r = self;
    enum sl_err                err;

    r->pump = a->pump;
    err = sl_cluster_open(sl_env(ctx), a->pump->options.pd_urls, &r->cluster, sl_why(ctx));
    if (err != SL_OK)
        return err;
    r->registry = sl_cluster_registry(r->cluster);
    if ((err = begin(ctx, r, sl_why(ctx))) != SL_OK)
        return err;
    sl_timer_arm(ctx, &r->heartbeat, SL_PUMP_TICK, r->pump->options.heartbeat_ms);
    return SL_OK;
}

static enum sl_err registrar_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct registrar *r = self;

    switch (msg->type) {
    case SL_PUMP_TICK: heartbeat(ctx, r); return SL_OK;
    case SL_PUMP_RETRY:
        if (r->leaving.ref.generation != 0)
            leave(ctx, r);
        else
            birth(ctx, r);
        return SL_OK;
    case SL_PUMP_PUBLISH: obey(ctx, r, (struct sl_pump_publish *)(void *)msg); return SL_OK;
    default: SL_UNREACHABLE("no message of the registrar");
    }
}

static void registrar_stop(struct sl_ctx *ctx, void *self)
{
    struct registrar *r = self;

    stop_leaving(ctx, r);
    sl_birth_done(&r->birth);
    sl_cluster_free(&r->cluster);
}

const struct sl_actor_class sl_pump_registrar_class = {
    .name = "registrar",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct registrar),
    .timers_max = 2,
    .start = registrar_start,
    .handle = registrar_handle,
    .stop = registrar_stop,
};
