/* root: starts the drainer's actors, and stops them in the order in which nothing is lost and
 * little is done twice:
 *
 *     publish pausing (closing, to leave for good)
 *     gateway (and its sessions)
 *     merger (and its sources), spooler, collector, planner, historian, decoders
 *                     nothing new comes
 *     dispatcher      what is in flight is applied, the checkpoint saved; for SL_DRAINER_STOP_MS at
 *                     most, then it is given up, and applied again at the next start
 *     workers, checkpointer
 *     publish paused (offline), with that checkpoint
 *     admin, pusher, registrar
 *
 * The end of any of them by itself is the end of the drainer, with its error. */

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/sink.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/actor.h"

/* In the order of stopping. */
enum step {
    STEP_RUN,
    STEP_GOING, /* pausing or closing is being published */
    STEP_GATEWAY,
    STEP_INPUT,
    STEP_DISPATCHER,
    STEP_OUTPUT,
    STEP_GONE, /* paused or offline is being published */
    STEP_FRONT,
    STEP_END,
};

struct root {
    struct sl_drainer *drainer;
    enum step          step;
    bool               leaves;  /* for good: closing and offline, else pausing and paused */
    uint32_t           awaited; /* ends of children, or an answer of the registrar, in this step */
    bool               is_output_stopped;
    struct sl_ref      gateway;
    struct sl_ref      pusher;
    struct sl_timer    patience; /* while it runs: the next look at what is held */
};

/* ---- starting ---- */

static enum sl_err spawn(struct sl_ctx *ctx, struct root *r, const struct sl_actor_class *class_of,
                         uint32_t number, struct sl_ref *out)
{
    const struct sl_drainer_args args = {.drainer = r->drainer, .number = number};
    enum sl_err                  err = sl_spawn(ctx, class_of, &args, sizeof args, out);

    return err == SL_OK ? SL_OK : sl_wrap(sl_why(ctx), err, "start %s", class_of->name);
}

static enum sl_err spawn_front(struct sl_ctx *ctx, struct root *r,
                               const struct sl_actor_class *class_of, struct sl_ref *out)
{
    const struct sl_drainer_front_args args = {.front = &r->drainer->front};
    enum sl_err                        err = sl_spawn(ctx, class_of, &args, sizeof args, out);

    return err == SL_OK ? SL_OK : sl_wrap(sl_why(ctx), err, "start %s", class_of->name);
}

static enum sl_err start_front(struct sl_ctx *ctx, struct root *r)
{
    struct sl_drainer_front *f = &r->drainer->front;
    enum sl_err              err;

    if ((err = spawn_front(ctx, r, &sl_drainer_registrar_class, &f->registrar_ref)) != SL_OK ||
        (err = spawn_front(ctx, r, &sl_drainer_admin_class, &f->admin_ref)) != SL_OK)
        return err;
    if (f->options.push_addr != NULL &&
        (err = spawn_front(ctx, r, &sl_drainer_pusher_class, &r->pusher)) != SL_OK)
        return err;
    return spawn_front(ctx, r, &sl_drainer_gateway_class, &r->gateway);
}

static void watch_held(struct sl_ctx *ctx, struct root *r)
{
    if (r->drainer->options.config->exit_when_held)
        sl_timer_arm(ctx, &r->patience, SL_DRAINER_TICK, SL_DRAINER_SAMPLE_MS);
}

/* From the end of the line to its entrance: whoever sends finds its receiver there. */
static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct root       *r = self;
    struct sl_drainer *d = r->drainer = *(struct sl_drainer *const *)args;
    enum sl_err        err;

    d->front.root_ref = sl_self(ctx);
    err = spawn(ctx, r, &sl_drainer_checkpointer_class, 0, &d->checkpointer_ref);
    for (uint32_t i = 0; i < d->workers && err == SL_OK; i++)
        err = spawn(ctx, r, &sl_drainer_worker_class, i, &d->worker_ref[i]);
    if (err == SL_OK)
        err = spawn(ctx, r, &sl_drainer_dispatcher_class, 0, &d->dispatcher_ref);
    for (uint32_t i = 0; i < d->decoders && err == SL_OK; i++)
        err = spawn(ctx, r, &sl_drainer_decoder_class, i, &d->decoder_ref[i]);
    if (err == SL_OK)
        err = spawn(ctx, r, &sl_drainer_historian_class, 0, &d->historian_ref);
    if (err == SL_OK)
        err = spawn(ctx, r, &sl_drainer_planner_class, 0, &d->planner_ref);
    if (err == SL_OK)
        err = spawn(ctx, r, &sl_drainer_collector_class, 0, &d->front.collector_ref);
    if (err == SL_OK)
        err = spawn(ctx, r, &sl_drainer_spooler_class, 0, &d->spooler_ref);
    if (err == SL_OK)
        err = spawn(ctx, r, &sl_drainer_merger_class, 0, &d->merger_ref);
    if (err == SL_OK)
        err = start_front(ctx, r);
    if (err == SL_OK)
        watch_held(ctx, r);
    return err;
}

/* ---- stopping ---- */

static void stop_child(struct sl_ctx *ctx, struct root *r, struct sl_ref child)
{
    sl_stop_child(ctx, child);
    r->awaited++;
}

static void ask_publish(struct sl_ctx *ctx, struct root *r, enum sl_node_state state)
{
    struct sl_drainer_publish *question = sl_msg_new(struct sl_drainer_publish, SL_DRAINER_PUBLISH);

    question->state = state;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_FRONT_PUBLISH, 0), r->drainer->front.registrar_ref, 0,
               &question) != SL_OK)
        SL_UNREACHABLE("root asks for two states at most");
    r->awaited++;
}

static void stop_front(struct sl_ctx *ctx, struct root *r)
{
    const struct sl_drainer_front *f = &r->drainer->front;

    stop_child(ctx, r, f->admin_ref);
    if (f->options.push_addr != NULL)
        stop_child(ctx, r, r->pusher);
    stop_child(ctx, r, f->registrar_ref);
}

static void stop_output(struct sl_ctx *ctx, struct root *r)
{
    if (r->is_output_stopped)
        return;
    r->is_output_stopped = true;
    for (uint32_t i = 0; i < r->drainer->workers; i++)
        stop_child(ctx, r, r->drainer->worker_ref[i]);
    stop_child(ctx, r, r->drainer->checkpointer_ref);
}

static void next_step(struct sl_ctx *ctx, struct root *r)
{
    struct sl_drainer *d = r->drainer;

    SL_ASSERT(r->awaited == 0);
    switch (++r->step) {
    case STEP_RUN: SL_UNREACHABLE("nothing leads back");
    case STEP_GOING: ask_publish(ctx, r, r->leaves ? SL_NODE_CLOSING : SL_NODE_PAUSING); return;
    case STEP_GATEWAY: stop_child(ctx, r, r->gateway); return;
    case STEP_INPUT:
        stop_child(ctx, r, d->merger_ref);
        stop_child(ctx, r, d->spooler_ref);
        stop_child(ctx, r, d->front.collector_ref);
        stop_child(ctx, r, d->planner_ref);
        stop_child(ctx, r, d->historian_ref);
        for (uint32_t i = 0; i < d->decoders; i++)
            stop_child(ctx, r, d->decoder_ref[i]);
        return;
    case STEP_DISPATCHER:
        stop_child(ctx, r, d->dispatcher_ref);
        sl_timer_arm(ctx, &r->patience, SL_DRAINER_TICK, SL_DRAINER_STOP_MS);
        return;
    case STEP_OUTPUT:
        stop_output(ctx, r);
        if (r->awaited == 0) /* they were stopped before, and have ended */
            next_step(ctx, r);
        return;
    case STEP_GONE: ask_publish(ctx, r, r->leaves ? SL_NODE_OFFLINE : SL_NODE_PAUSED); return;
    case STEP_FRONT: stop_front(ctx, r); return;
    case STEP_END:
        sl_log(SL_LOG_INFO, "drainer is closed");
        sl_stop(ctx);
        return;
    }
}

/* ---- hooks ---- */

static void step_done(struct sl_ctx *ctx, struct root *r)
{
    SL_ASSERT(r->awaited > 0);
    if (--r->awaited == 0)
        next_step(ctx, r);
}

static void published(struct sl_ctx *ctx, struct root *r, const struct sl_drainer_failed *failed)
{
    if (failed != NULL && failed->err != SL_STOPPED)
        sl_log(SL_LOG_ERROR, "state cannot be published, the registry keeps the old one",
               sl_field_err(failed->err, &failed->why));
    step_done(ctx, r);
}

/* exit-when-held: an orderly end, as by a signal; whoever started it decides what follows. */
static void leave_if_held(struct sl_ctx *ctx, struct root *r)
{
    struct sl_drainer *d = r->drainer;

    if (!sl_drainer_board_was_held(&d->front.board, &d->held_why)) {
        watch_held(ctx, r);
        return;
    }
    d->ended_held = true;
    next_step(ctx, r);
}

static void give_up_output(struct sl_ctx *ctx, struct root *r)
{
    if (r->drainer->sink->ops->cancel != NULL)
        r->drainer->sink->ops->cancel(r->drainer->sink);
    sl_log(SL_LOG_WARN, "the downstream takes too long: what it has not confirmed is applied again "
                        "at the next start");
    stop_output(ctx, r);
}

static void look_at_clock(struct sl_ctx *ctx, struct root *r)
{
    if (r->step == STEP_RUN)
        leave_if_held(ctx, r);
    else if (r->step == STEP_DISPATCHER)
        give_up_output(ctx, r);
}

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct root *r = self;

    switch (msg->type) {
    case SL_DRAINER_TICK: look_at_clock(ctx, r); return SL_OK;
    case SL_DRAINER_PUBLISHED: published(ctx, r, NULL); return SL_OK;
    case SL_DRAINER_FAILED:
        published(ctx, r, (const struct sl_drainer_failed *)(const void *)msg);
        return SL_OK;
    case SL_DRAINER_LEAVE:
        if (r->step == STEP_RUN) {
            r->leaves = ((const struct sl_drainer_leave *)(const void *)msg)->for_good;
            next_step(ctx, r);
        }
        return SL_OK;
    }
    SL_UNREACHABLE("no message of root");
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
    case SL_MSG_STOP:
        if (r->step == STEP_RUN)
            next_step(ctx, r);
        return SL_OK;
    case SL_MSG_CHILD_ENDED:
        return child_ended(ctx, r, (const struct sl_child_ended *)(const void *)msg);
    case SL_MSG_GONE: return SL_OK; /* the registrar has ended: its error follows */
    case SL_MSG_OPEN:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("root waits for no line");
}

const struct sl_actor_class sl_drainer_root_class = {
    .name = "root",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct root),
    .questions_max = 2,
    .timers_max = 1,
    .children_max = SL_DRAINER_WORKERS_MAX + SL_DRAINER_DECODERS_MAX + 11,
    .start = root_start,
    .handle = root_handle,
    .system = root_system,
};
