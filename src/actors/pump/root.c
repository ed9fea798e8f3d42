/* root: starts the pump's actors, and stops them in the order in which nothing is lost:
 *
 *     publish pausing, paused         TiDB goes elsewhere; streams go on; or, to leave for good,
 *             closing, offline        the latter when every drainer has everything
 *     gateway (and its sessions)      streams end with OK, writes under way get their answers
 *     clock, resolver, retention
 *     spoolers                        what has not come whole is dropped
 *     shard_writers                   what is queued becomes durable
 *     sorters, indexers               what is durable is indexed
 *     registrar
 *
 * The end of any of them by itself is the end of the pump, with its error. */

#include <stdatomic.h>

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"

/* In the order of stopping. */
enum step {
    STEP_RUN,
    STEP_GOING, /* pausing or closing is being published */
    STEP_GONE,  /* paused or offline */
    STEP_GATEWAY,
    STEP_CLOCK,
    STEP_SPOOLERS,
    STEP_WRITERS,
    STEP_SORTERS,
    STEP_INDEXERS,
    STEP_REGISTRAR,
    STEP_END,
};

struct root {
    struct sl_pump *pump;
    enum step       step;
    bool            leaves;  /* for good: closing and offline, else pausing and paused */
    uint32_t        awaited; /* in this step: answers of the registrar, or ends of children */
    struct sl_ref   gateway;
    struct sl_ref   pusher;
    struct sl_timer info;
};

/* ---- starting ---- */

static enum sl_err spawn(struct sl_ctx *ctx, struct root *r, const struct sl_actor_class *class_of,
                         uint32_t shard, struct sl_ref *out)
{
    const struct sl_pump_args args = {.pump = r->pump, .shard = shard};
    enum sl_err               err = sl_spawn(ctx, class_of, &args, sizeof args, out);

    return err == SL_OK ? SL_OK : sl_wrap(sl_why(ctx), err, "start %s", class_of->name);
}

/* Operators look for this line: it shows that the pump lives and goes on. */
static void tell_info(struct sl_ctx *ctx, struct root *r)
{
    const struct sl_pump_board *board = &r->pump->board;

    sl_log(SL_LOG_INFO, "server info tick",
           sl_field_u64("writeBinlogCount",
                        atomic_load_explicit(&board->writes, memory_order_relaxed)),
           sl_field_u64("alivePullerCount",
                        atomic_load_explicit(&board->pullers, memory_order_relaxed)),
           sl_field_i64("MaxCommitTS", sl_pump_max_commit_ts(r->pump)));
    sl_timer_arm(ctx, &r->info, SL_PUMP_TICK, SL_PUMP_INFO_MS);
}

/* From the end of the line to its entrance: whoever sends finds its receiver there. */
static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct root    *r = self;
    struct sl_pump *p;
    enum sl_err     err = SL_OK;

    r->pump = p = *(struct sl_pump *const *)args;
    p->root_ref = sl_self(ctx);
    sl_timer_arm(ctx, &r->info, SL_PUMP_TICK, SL_PUMP_INFO_MS);
    for (uint32_t k = 0; k < p->options.shards && err == SL_OK; k++)
        err = spawn(ctx, r, &sl_pump_indexer_class, k, &p->shard[k].indexer_ref);
    for (uint32_t k = 0; k < p->options.shards && err == SL_OK; k++)
        err = spawn(ctx, r, &sl_pump_sorter_class, k, &p->shard[k].sorter_ref);
    for (uint32_t k = 0; k < p->options.shards && err == SL_OK; k++)
        err = spawn(ctx, r, &sl_pump_shard_writer_class, k, &p->shard[k].writer_ref);
    for (uint32_t k = 0; k < p->options.shards && err == SL_OK; k++)
        err = spawn(ctx, r, &sl_pump_spooler_class, k, &p->shard[k].spooler_ref);
    if (err != SL_OK || (err = spawn(ctx, r, &sl_pump_clock_class, 0, &p->clock_ref)) != SL_OK)
        return err;
    if (p->has_tikv && (err = spawn(ctx, r, &sl_pump_resolver_class, 0, &p->resolver_ref)) != SL_OK)
        return err;
    if ((err = spawn(ctx, r, &sl_pump_retention_class, 0, &p->retention_ref)) != SL_OK ||
        (err = spawn(ctx, r, &sl_pump_registrar_class, 0, &p->registrar_ref)) != SL_OK)
        return err;
    if ((err = spawn(ctx, r, &sl_pump_admin_class, 0, &p->admin_ref)) != SL_OK)
        return err;
    if (p->options.push_addr != NULL &&
        (err = spawn(ctx, r, &sl_pump_pusher_class, 0, &r->pusher)) != SL_OK)
        return err;
    return spawn(ctx, r, &sl_pump_gateway_class, 0, &r->gateway);
}

/* ---- stopping ---- */

static void ask_publish(struct sl_ctx *ctx, struct root *r, enum sl_node_state state)
{
    struct sl_pump_publish *question = sl_msg_new(struct sl_pump_publish, SL_PUMP_PUBLISH);

    question->state = state;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_PUBLISH, 0), r->pump->registrar_ref, 0, &question) !=
        SL_OK)
        SL_UNREACHABLE("root asks for two states at most");
    r->awaited++;
}

static void stop_child(struct sl_ctx *ctx, struct root *r, struct sl_ref child)
{
    sl_stop_child(ctx, child);
    r->awaited++;
}

static void next_step(struct sl_ctx *ctx, struct root *r)
{
    struct sl_pump *p = r->pump;

    SL_ASSERT(r->awaited == 0);
    switch (++r->step) {
    case STEP_RUN: SL_UNREACHABLE("nothing leads back");
    case STEP_GOING: ask_publish(ctx, r, r->leaves ? SL_NODE_CLOSING : SL_NODE_PAUSING); return;
    case STEP_GONE: ask_publish(ctx, r, r->leaves ? SL_NODE_OFFLINE : SL_NODE_PAUSED); return;
    case STEP_GATEWAY: stop_child(ctx, r, r->gateway); return;
    case STEP_CLOCK:
        stop_child(ctx, r, p->clock_ref);
        if (p->has_tikv)
            stop_child(ctx, r, p->resolver_ref);
        stop_child(ctx, r, p->retention_ref);
        stop_child(ctx, r, p->admin_ref);
        if (p->options.push_addr != NULL)
            stop_child(ctx, r, r->pusher);
        return;
    case STEP_SPOOLERS:
        for (uint32_t k = 0; k < p->options.shards; k++)
            stop_child(ctx, r, p->shard[k].spooler_ref);
        return;
    case STEP_WRITERS:
        for (uint32_t k = 0; k < p->options.shards; k++)
            stop_child(ctx, r, p->shard[k].writer_ref);
        return;
    case STEP_SORTERS:
        for (uint32_t k = 0; k < p->options.shards; k++)
            stop_child(ctx, r, p->shard[k].sorter_ref);
        return;
    case STEP_INDEXERS:
        for (uint32_t k = 0; k < p->options.shards; k++)
            stop_child(ctx, r, p->shard[k].indexer_ref);
        return;
    case STEP_REGISTRAR: stop_child(ctx, r, p->registrar_ref); return;
    case STEP_END:
        sl_log(SL_LOG_INFO, "pump is closed");
        sl_stop(ctx);
        return;
    }
}

static void step_done(struct sl_ctx *ctx, struct root *r)
{
    SL_ASSERT(r->awaited > 0);
    if (--r->awaited == 0)
        next_step(ctx, r);
}

static void published(struct sl_ctx *ctx, struct root *r, const struct sl_pump_failed *failed)
{
    if (failed != NULL && failed->err != SL_STOPPED)
        sl_log(SL_LOG_ERROR, "state cannot be published, the registry keeps the old one",
               sl_field_err(failed->err, &failed->why));
    step_done(ctx, r);
}

/* Pause or close, on request of the admin. */
static void leave(struct sl_ctx *ctx, struct root *r, const struct sl_pump_leave *request)
{
    if (r->step != STEP_RUN)
        return;
    r->leaves = request->for_good;
    next_step(ctx, r);
}

/* A signal: stop now. Whoever waits for drainers gives that up and stays known as paused. */
static void stop_now(struct sl_ctx *ctx, struct root *r)
{
    if (r->step == STEP_RUN) {
        next_step(ctx, r);
    } else if (r->leaves) {
        r->leaves = false;
        if (r->step == STEP_GONE)
            ask_publish(ctx, r, SL_NODE_PAUSED);
    }
}

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    switch (msg->type) {
    case SL_PUMP_FAILED:
        published(ctx, self, (const struct sl_pump_failed *)(const void *)msg);
        return SL_OK;
    case SL_PUMP_PUBLISHED: published(ctx, self, NULL); return SL_OK;
    case SL_PUMP_TICK: tell_info(ctx, self); return SL_OK;
    case SL_PUMP_LEAVE:
        leave(ctx, self, (const struct sl_pump_leave *)(const void *)msg);
        return SL_OK;
    default: SL_UNREACHABLE("no message of root");
    }
}

static enum sl_err child_ended(struct sl_ctx *ctx, struct root *r,
                               const struct sl_child_ended *ended)
{
    if (ended->err != SL_OK) {
        *sl_why(ctx) = ended->why;
        return sl_wrap(sl_why(ctx), ended->err, "%s", ended->class_name);
    }
    step_done(ctx, r);
    return SL_OK;
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct root *r = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: stop_now(ctx, r); return SL_OK;
    case SL_MSG_GONE: return SL_OK; /* the registrar has ended: its error follows */
    case SL_MSG_CHILD_ENDED: return child_ended(ctx, r, (const struct sl_child_ended *)(void *)msg);
    case SL_MSG_OPEN:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("root waits for no line");
}

const struct sl_actor_class sl_pump_root_class = {
    .name = "root",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct root),
    .questions_max = 2,
    .timers_max = 1,
    .children_max = 4 * SL_PUMP_SHARDS_MAX + 9,
    .start = root_start,
    .handle = root_handle,
    .system = root_system,
};
