/* A turn: one actor runs a bounded number of its messages on one thread. Both schedulers run turns;
 * they differ only in who is next.
 *
 *     NEW ──start──► LIVE ──error, sl_stop, STOP──► ENDING ──no children left, stop──► DEAD
 *                                                                                       │
 *                                                                      FREE ◄──slots.c──┘
 *
 * A DEAD slot still gets turns as long as somebody who found it alive pushes: they free its mail.
 */

#include <stdlib.h>

#include "base/hash.h"
#include "runtime/machine.h"

static const struct sl_trace_site trace_handle = {"msg.handle", "actor", "type"};
static const struct sl_trace_site trace_end = {"actor.end", "actor", "err"};

/* Pseudo types for hooks that are not messages, in fingerprints and reports. */
enum hook { HOOK_START = 6, HOOK_DRAINED, HOOK_READY, HOOK_STOP };
static_assert((int)HOOK_START > (int)SL_MSG_GRANTED && (int)HOOK_STOP < (int)SL_MSG_USER,
              "hooks have numbers of their own");

/* ---- around a hook ---- */

static uint64_t hook_enter(struct worker *w, struct slot *s, unsigned type, const char *message)
{
    uint64_t began = machine_ticks(w->rt);

    w->ctx.why.text[0] = '\0';
    sl_trace(&trace_handle, s->index, type);
    sl_panic_doing(s->class_of->name, message);
    atomic_store_explicit(&w->doing_actor, s->class_of->name, memory_order_relaxed);
    atomic_store_explicit(&w->doing_message, message, memory_order_relaxed);
    atomic_store_explicit(&w->hook_began, began, memory_order_relaxed);
    if (w->rt->seeded != NULL)
        seeded_note(w->rt, s, type);
    return began;
}

static void hook_leave(struct worker *w, struct slot *s, uint64_t began, const char *message)
{
    uint64_t took = machine_ticks(w->rt) - began;

    atomic_store_explicit(&w->hook_began, 0, memory_order_relaxed);
    figure_add(&s->busy_ticks, took);
    if (took > atomic_load_explicit(&s->longest_ticks, memory_order_relaxed)) {
        atomic_store_explicit(&s->longest_ticks, took, memory_order_relaxed);
        atomic_store_explicit(&s->longest_message, message, memory_order_relaxed);
    }
}

/* ---- ending ---- */

static void child_forget(struct slot *s, struct sl_ref child)
{
    uint32_t i = 0;

    while (i < s->child_count && !sl_ref_equal(s->children[i], child))
        i++;
    SL_ASSERT(i < s->child_count);
    s->children[i] = s->children[--s->child_count];
}

void turn_send_stop(struct worker *w, struct sl_ref to)
{
    struct slot   *s;
    struct sl_msg *stop;

    section_enter(w);
    s = slot_find(w->rt, to);
    if (s != NULL && !atomic_exchange(&s->stop_sent, true)) {
        stop = msg_alloc(w, sizeof *stop, SL_MSG_STOP, NULL);
        mail_push(w, to, stop);
    }
    section_leave(w);
}

/* The actor will not handle any more: first its children end, then itself. What it watches is let
 * go now: nobody would serve it until then, and stop closes the sockets. */
static void begin_ending(struct worker *w, struct slot *s, enum sl_err err)
{
    SL_ASSERT(s->phase == PHASE_LIVE || s->phase == PHASE_NEW);
    sl_trace(&trace_end, s->index, err);
    s->phase = PHASE_ENDING;
    s->err = err;
    s->why = w->ctx.why;
    if (err != SL_OK && s->why.text[0] == '\0')
        (void)sl_fail(&s->why, err, "%s", sl_err_text(err));
    while (s->ios != NULL)
        sl_io_unwatch(&w->ctx, s->ios);
    for (uint32_t i = 0; i < s->child_count; i++)
        turn_send_stop(w, s->children[i]);
}

void turn_abandon(struct worker *w, struct slot *s)
{
    w->ctx.slot = s;
    w->ctx.why.text[0] = '\0';
    begin_ending(w, s, SL_STOPPED);
    w->ctx.slot = NULL;
    if (word_pushed(&s->word))
        w->rt->sched->ready(w, s);
}

static void tell_parent(struct worker *w, struct slot *s, struct sl_ref self)
{
    struct sl_child_ended *ended;

    if (s->parent.generation == 0) {
        machine_root_ended(w, s->err, &s->why);
        return;
    }
    ended = msg_alloc(w, sizeof *ended, SL_MSG_CHILD_ENDED, NULL);
    ended->child = self;
    ended->class_name = s->class_of->name;
    ended->err = s->err;
    ended->why = s->why;
    mail_push(w, s->parent, &ended->hdr);
}

void turn_mail_of_the_dead(struct worker *w, struct slot *s)
{
    struct sl_msg *msg;

    while ((msg = ring_pop_mpsc(s->mailbox)) != NULL) {
        figure_add(&w->returned, 1);
        msg_discard(w, msg);
    }
}

/* The children are gone: run the last hook and leave the slot to its next life. */
static void die(struct worker *w, struct slot *s)
{
    struct sl_ref self = {.index = s->index, .generation = atomic_load(&s->generation)};

    SL_ASSERT(s->phase == PHASE_ENDING && s->child_count == 0);
    if (s->class_of->stop != NULL) {
        uint64_t began = hook_enter(w, s, HOOK_STOP, "stop");

        s->class_of->stop(&w->ctx, s->state);
        hook_leave(w, s, began, "stop");
    }
    timers_cancel_all(w->rt, s);
    free(s->state);
    s->state = NULL;
    s->phase = PHASE_DEAD;
    /* release: partner of the load in slot_find */
    atomic_store_explicit(&s->generation, self.generation == UINT32_MAX ? 1 : self.generation + 1,
                          memory_order_release);
    atomic_store_explicit(&s->living, false, memory_order_relaxed);
    turn_mail_of_the_dead(w, s);
    slot_bury(w->rt, s); /* before the parent hears: it may spawn another at once */
    tell_parent(w, s, self);
}

/* Act on what a hook returned or asked for. */
static void after_hook(struct worker *w, struct slot *s, enum sl_err err)
{
    if (err != SL_OK || s->stop_wanted)
        begin_ending(w, s, err);
}

/* ---- hooks ---- */

static enum sl_err system_default(struct worker *w, struct slot *s, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: s->stop_wanted = true; return SL_OK;
    case SL_MSG_CHILD_ENDED:
        if (ended->err == SL_OK)
            return SL_OK;
        return sl_fail(&w->ctx.why, ended->err, "%s: %s", ended->class_name, ended->why.text);
    case SL_MSG_GONE:
    case SL_MSG_OPEN:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_PANIC("%s has no system hook for %s", s->class_of->name,
             mail_type_name(s->class_of, msg->type));
}

static enum sl_err hook_message(struct worker *w, struct slot *s, struct sl_msg *msg)
{
    const struct sl_actor_class *class_of = s->class_of;

    if (msg->type >= SL_MSG_USER)
        return class_of->handle(&w->ctx, s->state, msg);
    if (class_of->system != NULL)
        return class_of->system(&w->ctx, s->state, msg);
    return system_default(w, s, msg);
}

/* Places kept for this message are free again. From here on it is like any other: its handler may
 * take it and send it on. */
static void settle_place(struct slot *s, struct sl_msg *msg)
{
    if ((msg->flags & MSG_ANSWER) != 0) {
        SL_ASSERT(s->questions > 0); /* every question is answered once */
        s->questions--;
    }
    if ((msg->flags & MSG_WAIT) != 0) {
        SL_ASSERT(s->waits > 0);
        s->waits--;
    }
    msg->flags &= (uint8_t) ~(MSG_ANSWER | MSG_WAIT);
    if (msg->type == SL_MSG_CHILD_ENDED)
        child_forget(s, ((const struct sl_child_ended *)msg)->child);
}

/* Run the hook for one message. Unless it was taken, the message is the runtime's afterwards. */
static void handle(struct worker *w, struct slot *s, struct sl_msg *msg)
{
    const char *name = mail_type_name(s->class_of, msg->type);
    uint64_t    began = hook_enter(w, s, msg->type, name);
    enum sl_err err = hook_message(w, s, msg);

    hook_leave(w, s, began, name);
    figure_add(&w->handled, 1);
    figure_add(&s->messages, 1);
    after_hook(w, s, err);
}

static void deliver_timer(struct worker *w, struct slot *s, struct sl_msg *mail)
{
    struct sl_msg expiry;

    if (timers_receive(w->rt, mail, &expiry) && s->phase == PHASE_LIVE)
        handle(w, s, &expiry); /* not for taking: ctx.msg stays NULL */
    else
        figure_add(&w->returned, 1);
}

static void deliver(struct worker *w, struct slot *s, struct sl_msg *msg)
{
    SL_ASSERT(msg->to_generation == atomic_load_explicit(&s->generation, memory_order_relaxed));
    if ((msg->flags & MSG_TIMER) != 0) {
        deliver_timer(w, s, msg);
        return;
    }
    settle_place(s, msg);
    if (s->phase != PHASE_LIVE) {
        figure_add(&w->returned, 1);
        msg_discard(w, msg);
        return;
    }
    w->ctx.msg = msg;
    handle(w, s, msg);
    if (w->ctx.msg != NULL)
        msg_discard(w, w->ctx.msg);
    w->ctx.msg = NULL;
}

static void run_start(struct worker *w, struct slot *s)
{
    enum sl_err err = SL_OK;
    uint64_t    began;

    s->state = calloc(1, s->class_of->state_bytes > 0 ? s->class_of->state_bytes : 1);
    SL_ASSERT(s->state != NULL);
    s->phase = PHASE_LIVE;
    if (s->class_of->start == NULL)
        return;
    began = hook_enter(w, s, HOOK_START, "start");
    err = s->class_of->start(&w->ctx, s->state, s->has_args ? s->args : NULL);
    hook_leave(w, s, began, "start");
    after_hook(w, s, err);
}

static void run_drained(struct worker *w, struct slot *s)
{
    enum sl_err err;
    uint64_t    began;

    if (s->phase != PHASE_LIVE || s->class_of->drained == NULL)
        return;
    began = hook_enter(w, s, HOOK_DRAINED, "drained");
    err = s->class_of->drained(&w->ctx, s->state);
    hook_leave(w, s, began, "drained");
    after_hook(w, s, err);
}

/* ---- the turn ---- */

static void turn_enter(struct worker *w, struct slot *s)
{
    uint32_t waiting = ring_count(s->mailbox);

    w->ctx.slot = s;
    w->ctx.now = sl_env_now(w->rt->env);
    sl_trace_now(w->ctx.now);
    w->blocking = s->class_of->lane != SL_LANE_COMPUTE && s->class_of->lane != SL_LANE_IO;
    if (!w->blocking)
        section_enter(w);
    if (waiting > atomic_load_explicit(&s->mailbox_high, memory_order_relaxed))
        atomic_store_explicit(&s->mailbox_high, waiting, memory_order_relaxed);
}

static void turn_leave(struct worker *w, struct slot *s)
{
    if (s->phase == PHASE_ENDING && s->child_count == 0)
        die(w, s);
    line_flush(w);
    if (!w->blocking)
        section_leave(w);
    w->ctx.slot = NULL;
    sl_panic_doing(NULL, NULL);
}

/* Wake a colleague for what this turn made ready, since this thread is not going to look at the
 * queue soon. */
static void share_work(struct worker *w)
{
    if (w->owed == 0)
        return;
    w->owed = 0;
    if (crew_wake_one(w->crew))
        figure_add(&w->wakes, 1);
}

/* Take up to SL_TURN_AHEAD messages and start fetching their memory: it was written by another
 * core. */
static unsigned take_ahead(struct slot *s, struct sl_msg **taken, unsigned most)
{
    unsigned count = 0;

    while (count < most && (taken[count] = ring_pop_mpsc(s->mailbox)) != NULL)
        __builtin_prefetch(taken[count++]);
    return count;
}

void turn_run(struct worker *w, struct slot *s, unsigned budget)
{
    struct sl_msg *taken[SL_TURN_AHEAD];
    unsigned       handled = 0;
    unsigned       count = 0;

    word_begin(&s->word);
    turn_enter(w, s);
    if (s->phase == PHASE_NEW)
        run_start(w, s);
    while (handled < budget && s->phase != PHASE_DEAD) {
        unsigned most = budget - handled < SL_TURN_AHEAD ? budget - handled : SL_TURN_AHEAD;

        count = take_ahead(s, taken, most);
        for (unsigned i = 0; i < count; i++)
            deliver(w, s, taken[i]);
        handled += count;
        if (count < most)
            break;
        share_work(w);
    }
    if (s->phase == PHASE_DEAD)
        turn_mail_of_the_dead(w, s);
    else if (ring_count(s->mailbox) == 0)
        run_drained(w, s);
    figure_add(&w->turns, 1);
    figure_add(&s->turns, 1);
    turn_leave(w, s);
    s->more = ring_count(s->mailbox) > 0;
}

bool turn_end(struct slot *s)
{
    return word_end(&s->word, s->more);
}

void turn_ready(struct worker *w, struct slot *s, struct sl_io *io, unsigned events)
{
    enum sl_err err;
    uint64_t    began;

    if (s->phase != PHASE_LIVE)
        return;
    turn_enter(w, s);
    began = hook_enter(w, s, HOOK_READY, "ready");
    err = s->class_of->ready(&w->ctx, s->state, io, events);
    hook_leave(w, s, began, "ready");
    after_hook(w, s, err);
    turn_leave(w, s);
}

/* ---- spawning ---- */

static void slot_begin_life(struct slot *s, struct sl_ref parent, uint64_t seed, const void *args,
                            size_t args_bytes)
{
    s->parent = parent;
    s->ios = NULL;
    s->child_count = 0;
    s->questions = 0;
    s->waits = 0;
    s->timer_count = 0;
    s->stop_wanted = false;
    s->err = SL_OK;
    s->why.text[0] = '\0';
    s->has_args = args != NULL;
    if (args != NULL)
        memcpy(s->args, args, args_bytes);
    sl_prng_seed(&s->prng, seed);
    atomic_store(&s->stop_sent, false);
    atomic_store(&s->messages, 0);
    atomic_store(&s->turns, 0);
    atomic_store(&s->busy_ticks, 0);
    atomic_store(&s->longest_ticks, 0);
    atomic_store(&s->longest_message, NULL);
    atomic_store(&s->mailbox_high, 0);
    atomic_store(&s->living, true);
}

enum sl_err turn_spawn(struct worker *w, struct slot *parent, const struct sl_actor_class *class_of,
                       const void *args, size_t args_bytes, struct sl_ref *out, struct sl_why *why)
{
    struct sl_runtime *rt = w->rt;
    struct sl_ref      parent_ref = {0};
    struct slot       *s;
    enum sl_err        err;

    SL_ASSERT(args_bytes <= SL_SPAWN_ARGS_BYTES_MAX);
    if ((err = slot_take(rt, class_of, &s, why)) != SL_OK)
        return err;
    if (parent != NULL)
        parent_ref = (struct sl_ref){parent->index, atomic_load(&parent->generation)};
    slot_begin_life(s, parent_ref, sl_hash_combine(atomic_fetch_add(&rt->actor_seed, 1), s->index),
                    args, args_bytes);
    *out = (struct sl_ref){s->index, atomic_load(&s->generation)};
    if (parent != NULL) {
        SL_ASSERT(parent->child_count < parent->class_of->children_max);
        parent->children[parent->child_count++] = *out;
    }
    SL_ASSERT(atomic_load(&s->word) == WORD_IDLE);
    if (word_pushed(&s->word))
        rt->sched->ready(w, s);
    return SL_OK;
}
