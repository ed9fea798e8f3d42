/* root: starts the drainer's actors: first the front and the opener; when that has ended, what it
 * has opened is there, and the rest starts. A worker that cannot go on where it is has all but the
 * front ended, and the opener started again: from the checkpoint. Stops them in the order in which
 * nothing is lost and little is done twice:
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
 * The end of any other by itself is the end of the drainer, with its error. */

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/sink.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/actor.h"

enum { CHILDREN_MAX = SL_DRAINER_WORKERS_MAX + SL_DRAINER_DECODERS_MAX + 12 };

/* In the order of stopping. */
enum step {
    STEP_OPEN, /* the opener is at work, or what ran before it is ending */
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

struct child {
    struct sl_ref ref;
    enum step     stops_in;
};

struct root {
    struct sl_drainer *drainer;
    enum step          step;
    bool               leaves;                 /* for good: closing and offline, else paused */
    bool               is_publishing;          /* the registrar has been asked */
    struct child       children[CHILDREN_MAX]; /* that live */
    uint32_t           child_count;
    struct sl_ref      opener;
    /* Owned: what a reload has brought last for planner and dispatcher, until they are there; NULL:
     * nothing. */
    struct sl_msg  *filter;
    struct sl_msg  *tune;
    struct sl_timer patience; /* else: the next look at what is held, or at what is ending */
};

/* ---- starting ---- */

static enum sl_err add(struct sl_ctx *ctx, struct root *r, const struct sl_actor_class *class_of,
                       enum step stops_in, const void *args, size_t bytes, struct sl_ref *out)
{
    enum sl_err err;

    SL_ASSERT(r->child_count < CHILDREN_MAX);
    if ((err = sl_spawn(ctx, class_of, args, bytes, out)) != SL_OK)
        return sl_wrap(sl_why(ctx), err, "start %s", class_of->name);
    r->children[r->child_count++] = (struct child){.ref = *out, .stops_in = stops_in};
    return SL_OK;
}

static enum sl_err spawn(struct sl_ctx *ctx, struct root *r, const struct sl_actor_class *class_of,
                         enum step stops_in, uint32_t number, struct sl_ref *out)
{
    const struct sl_drainer_args args = {.drainer = r->drainer, .number = number};

    return add(ctx, r, class_of, stops_in, &args, sizeof args, out);
}

static enum sl_err spawn_front(struct sl_ctx *ctx, struct root *r,
                               const struct sl_actor_class *class_of, enum step stops_in,
                               struct sl_ref *out)
{
    const struct sl_drainer_front_args args = {.front = &r->drainer->front};

    return add(ctx, r, class_of, stops_in, &args, sizeof args, out);
}

/* What can be asked before anything is open; then the opener. */
static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct root             *r = self;
    struct sl_drainer_front *f;
    struct sl_ref            unused;
    enum sl_err              err;

    r->drainer = *(struct sl_drainer *const *)args;
    f = &r->drainer->front;
    f->root_ref = sl_self(ctx);
    if ((err = spawn_front(ctx, r, &sl_drainer_admin_class, STEP_FRONT, &f->admin_ref)) != SL_OK)
        return err;
    if (f->options.push_addr != NULL &&
        (err = spawn_front(ctx, r, &sl_drainer_pusher_class, STEP_FRONT, &unused)) != SL_OK)
        return err;
    err = spawn_front(ctx, r, &sl_drainer_gateway_class, STEP_GATEWAY, &unused);
    if (err != SL_OK)
        return err;
    return spawn(ctx, r, &sl_drainer_opener_class, STEP_INPUT, 0, &r->opener);
}

static void watch_held(struct sl_ctx *ctx, struct root *r)
{
    if (r->drainer->options.config->exit_when_held)
        sl_timer_arm(ctx, &r->patience, SL_DRAINER_TICK, SL_DRAINER_SAMPLE_MS);
}

static enum sl_err start_output(struct sl_ctx *ctx, struct root *r)
{
    struct sl_drainer *d = r->drainer;
    struct sl_ref      dispatcher;
    enum sl_err        err =
        spawn(ctx, r, &sl_drainer_checkpointer_class, STEP_OUTPUT, 0, &d->checkpointer_ref);

    for (uint32_t i = 0; i < d->workers && err == SL_OK; i++)
        err = spawn(ctx, r, &sl_drainer_worker_class, STEP_OUTPUT, i, &d->worker_ref[i]);
    if (err == SL_OK)
        err = spawn(ctx, r, &sl_drainer_dispatcher_class, STEP_DISPATCHER, 0, &dispatcher);
    if (err == SL_OK)
        atomic_store(&d->front.dispatcher_ref, dispatcher);
    return err;
}

static enum sl_err start_input(struct sl_ctx *ctx, struct root *r)
{
    struct sl_drainer *d = r->drainer;
    struct sl_ref      collector;
    enum sl_err        err = SL_OK;

    for (uint32_t i = 0; i < d->decoders && err == SL_OK; i++)
        err = spawn(ctx, r, &sl_drainer_decoder_class, STEP_INPUT, i, &d->decoder_ref[i]);
    if (err != SL_OK ||
        (err = spawn(ctx, r, &sl_drainer_historian_class, STEP_INPUT, 0, &d->historian_ref)) !=
            SL_OK ||
        (err = spawn(ctx, r, &sl_drainer_planner_class, STEP_INPUT, 0, &d->planner_ref)) != SL_OK ||
        (err = spawn(ctx, r, &sl_drainer_collector_class, STEP_INPUT, 0, &collector)) != SL_OK)
        return err;
    atomic_store(&d->front.collector_ref, collector);
    if ((err = spawn(ctx, r, &sl_drainer_spooler_class, STEP_INPUT, 0, &d->spooler_ref)) != SL_OK)
        return err;
    return spawn(ctx, r, &sl_drainer_merger_class, STEP_INPUT, 0, &d->merger_ref);
}

/* To whom it is for. Whoever has ended needs it no more. */
static void pass_on(struct sl_ctx *ctx, struct sl_msg **msg, struct sl_ref to)
{
    if (*msg != NULL)
        sl_forward_msg(ctx, to, (*msg)->type, *msg, msg);
}

/* From the end of the line to its entrance: whoever sends finds its receiver there. At last the
 * registry hears of it. */
static enum sl_err start_rest(struct sl_ctx *ctx, struct root *r)
{
    struct sl_drainer_front *f = &r->drainer->front;
    enum sl_err              err;

    r->step = STEP_RUN;
    watch_held(ctx, r);
    if ((err = start_output(ctx, r)) != SL_OK || (err = start_input(ctx, r)) != SL_OK)
        return err;
    pass_on(ctx, &r->filter, r->drainer->planner_ref);
    pass_on(ctx, &r->tune, atomic_load(&f->dispatcher_ref));
    if (atomic_exchange_explicit(&f->board.is_open, true, memory_order_relaxed))
        return SL_OK; /* it has been there before */
    return spawn_front(ctx, r, &sl_drainer_registrar_class, STEP_FRONT, &f->registrar_ref);
}

/* ---- stopping ---- */

/* Nothing is published of a drainer that has not been there. */
static void ask_publish(struct sl_ctx *ctx, struct root *r, enum sl_node_state state)
{
    struct sl_drainer_front   *f = &r->drainer->front;
    struct sl_drainer_publish *question;

    if (!atomic_load_explicit(&f->board.is_open, memory_order_relaxed))
        return;
    question = sl_msg_new(struct sl_drainer_publish, SL_DRAINER_PUBLISH);
    question->state = state;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_FRONT_PUBLISH, 0), f->registrar_ref, 0, &question) !=
        SL_OK)
        SL_UNREACHABLE("root asks for two states at most");
    r->is_publishing = true;
}

static void stop_children(struct sl_ctx *ctx, const struct root *r, enum step step)
{
    for (uint32_t i = 0; i < r->child_count; i++) {
        if (r->children[i].stops_in == step)
            sl_stop_child(ctx, r->children[i].ref);
    }
}

static bool is_step_over(const struct root *r)
{
    for (uint32_t i = 0; i < r->child_count; i++) {
        if (r->children[i].stops_in == r->step)
            return false;
    }
    return !r->is_publishing && r->step != STEP_END;
}

static void begin_step(struct sl_ctx *ctx, struct root *r)
{
    switch (r->step) {
    case STEP_OPEN:
    case STEP_RUN: SL_UNREACHABLE("nothing leads back");
    case STEP_GOING: ask_publish(ctx, r, r->leaves ? SL_NODE_CLOSING : SL_NODE_PAUSING); return;
    case STEP_DISPATCHER:
        sl_timer_arm(ctx, &r->patience, SL_DRAINER_TICK, SL_DRAINER_STOP_MS);
        stop_children(ctx, r, r->step);
        return;
    case STEP_GATEWAY:
    case STEP_INPUT:
    case STEP_OUTPUT:
    case STEP_FRONT: stop_children(ctx, r, r->step); return;
    case STEP_GONE: ask_publish(ctx, r, r->leaves ? SL_NODE_OFFLINE : SL_NODE_PAUSED); return;
    case STEP_END:
        sl_log(SL_LOG_INFO, "drainer is closed");
        sl_stop(ctx);
        return;
    }
}

/* On to the first step that takes time. */
static void next_step(struct sl_ctx *ctx, struct root *r)
{
    do {
        r->step++;
        begin_step(ctx, r);
    } while (is_step_over(r));
}

static void begin_stop(struct sl_ctx *ctx, struct root *r)
{
    if (r->step > STEP_RUN)
        return;
    r->step = STEP_RUN;
    next_step(ctx, r);
}

static void published(struct sl_ctx *ctx, struct root *r, const struct sl_drainer_failed *failed)
{
    if (failed != NULL && failed->err != SL_STOPPED)
        sl_log(SL_LOG_ERROR, "state cannot be published, the registry keeps the old one",
               sl_field_err(failed->err, &failed->why));
    r->is_publishing = false;
    next_step(ctx, r);
}

/* ---- beginning again ---- */

static bool is_interrupted(const struct sl_child_ended *ended)
{
    return ended->class_name == sl_drainer_worker_class.name && ended->err != SL_OK &&
           ended->err != SL_STOPPED;
}

/* All between pumps and downstream ends; what it has not applied comes again from the checkpoint.
 * Not at once, since what interrupted it may last. */
static void end_stream(struct sl_ctx *ctx, struct root *r, const struct sl_child_ended *ended)
{
    struct sl_drainer_front *f = &r->drainer->front;
    bool                     passes = sl_err_is_transient(ended->err);

    sl_metric_add(f->metrics.errors[SL_DRAINER_ERROR_APPLY], 1);
    sl_metric_add(f->metrics.retries, 1);
    sl_log(passes ? SL_LOG_WARN : SL_LOG_ERROR, "interrupted, beginning again at the checkpoint",
           sl_field_err(ended->err, &ended->why));
    sl_drainer_board_note(&f->board, SL_DRAINER_PART_APPLY,
                          passes ? SL_DRAINER_RETRYING : SL_DRAINER_HELD, ended->err,
                          ended->why.text);
    r->step = STEP_OPEN;
    for (enum step step = STEP_INPUT; step <= STEP_OUTPUT; step++)
        stop_children(ctx, r, step);
    sl_timer_arm(ctx, &r->patience, SL_DRAINER_TICK, passes ? SL_APPLY_RETRY_MS : SL_APPLY_HELD_MS);
}

static bool has_stream(const struct root *r)
{
    for (uint32_t i = 0; i < r->child_count; i++) {
        if (r->children[i].stops_in >= STEP_INPUT && r->children[i].stops_in <= STEP_OUTPUT)
            return true;
    }
    return false;
}

static enum sl_err open_again(struct sl_ctx *ctx, struct root *r)
{
    if (has_stream(r)) { /* something waits for an answer of a peer */
        sl_timer_arm(ctx, &r->patience, SL_DRAINER_TICK, SL_APPLY_RETRY_MS);
        return SL_OK;
    }
    sl_drainer_board_restart(&r->drainer->front.board);
    r->drainer->is_resumed = true;
    return spawn(ctx, r, &sl_drainer_opener_class, STEP_INPUT, 0, &r->opener);
}

/* ---- the clock ---- */

/* exit-when-held: an orderly end, as by a signal; whoever started it decides what follows. */
static bool leave_if_held(struct sl_ctx *ctx, struct root *r)
{
    struct sl_drainer *d = r->drainer;

    if (!d->options.config->exit_when_held ||
        !sl_drainer_board_was_held(&d->front.board, &d->held_why))
        return false;
    d->ended_held = true;
    begin_stop(ctx, r);
    return true;
}

static void give_up_output(struct sl_ctx *ctx, struct root *r)
{
    if (r->drainer->sink->ops->cancel != NULL)
        r->drainer->sink->ops->cancel(r->drainer->sink);
    sl_log(SL_LOG_WARN, "the downstream takes too long: what it has not confirmed is applied again "
                        "at the next start");
    stop_children(ctx, r, STEP_OUTPUT);
}

static enum sl_err look_at_clock(struct sl_ctx *ctx, struct root *r)
{
    if (r->step == STEP_DISPATCHER)
        give_up_output(ctx, r);
    if (r->step > STEP_RUN || leave_if_held(ctx, r))
        return SL_OK;
    if (r->step == STEP_OPEN)
        return open_again(ctx, r);
    watch_held(ctx, r);
    return SL_OK;
}

/* ---- hooks ---- */

/* What a reload of the configuration brings: the last one counts, and waits for its actor. */
static void reloaded(struct sl_ctx *ctx, struct root *r, struct sl_msg **place, struct sl_ref to)
{
    if (*place != NULL)
        sl_msg_discard(*place, place);
    *place = sl_take(ctx);
    if (r->step >= STEP_RUN)
        pass_on(ctx, place, to);
}

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct root *r = self;

    switch (msg->type) {
    case SL_DRAINER_TICK: return look_at_clock(ctx, r);
    case SL_DRAINER_PUBLISHED: published(ctx, r, NULL); return SL_OK;
    case SL_DRAINER_FAILED:
        published(ctx, r, (const struct sl_drainer_failed *)(const void *)msg);
        return SL_OK;
    case SL_DRAINER_FILTER: reloaded(ctx, r, &r->filter, r->drainer->planner_ref); return SL_OK;
    case SL_DRAINER_RETUNE:
        reloaded(ctx, r, &r->tune, atomic_load(&r->drainer->front.dispatcher_ref));
        return SL_OK;
    case SL_DRAINER_LEAVE:
        if (r->step <= STEP_RUN)
            r->leaves = ((const struct sl_drainer_leave *)(const void *)msg)->for_good;
        begin_stop(ctx, r);
        return SL_OK;
    }
    SL_UNREACHABLE("no message of root");
}

static void forget_child(struct root *r, struct sl_ref ref)
{
    uint32_t i = 0;

    while (i < r->child_count && !sl_ref_equal(r->children[i].ref, ref))
        i++;
    SL_ASSERT(i < r->child_count);
    r->children[i] = r->children[--r->child_count];
}

static enum sl_err child_ended(struct sl_ctx *ctx, struct root *r,
                               const struct sl_child_ended *ended)
{
    bool is_opener = sl_ref_equal(ended->child, r->opener);

    forget_child(r, ended->child);
    if (is_interrupted(ended)) {
        if (r->step == STEP_RUN)
            end_stream(ctx, r, ended);
    } else if (ended->err != SL_OK) {
        *sl_why(ctx) = ended->why;
        /* What cannot be opened says itself what it is. */
        return is_opener ? ended->err : sl_wrap(sl_why(ctx), ended->err, "%s", ended->class_name);
    }
    if (is_opener && r->step == STEP_OPEN)
        return start_rest(ctx, r);
    if (r->step > STEP_RUN && is_step_over(r))
        next_step(ctx, r);
    return SL_OK;
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct root *r = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: begin_stop(ctx, r); return SL_OK;
    case SL_MSG_CHILD_ENDED:
        return child_ended(ctx, r, (const struct sl_child_ended *)(const void *)msg);
    case SL_MSG_GONE: return SL_OK; /* the registrar has ended: its error follows */
    case SL_MSG_OPEN:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("root waits for no line");
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct root *r = self;

    (void)ctx;
    if (r->filter != NULL)
        sl_msg_discard(r->filter, &r->filter);
    if (r->tune != NULL)
        sl_msg_discard(r->tune, &r->tune);
}

const struct sl_actor_class sl_drainer_root_class = {
    .name = "root",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct root),
    .questions_max = 2,
    .timers_max = 1,
    .children_max = CHILDREN_MAX,
    .start = root_start,
    .handle = root_handle,
    .system = root_system,
    .stop = stop,
};
