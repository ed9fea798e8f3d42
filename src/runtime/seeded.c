/* The seeded scheduler: all actors on one thread, in an order that a seed decides.
 *
 * Each step picks one of: a ready actor (run its turn with a random budget), a turn that has run
 * but not ended (so that pushes meet an actor in the state RUNNING, as they do on the pool), a
 * ready socket, or the next timer. Nothing else decides, so the same seed gives the same order; its
 * hash is the run's fingerprint. Time is virtual: it moves a little with each step, and jumps to
 * the next timer or outside event when nothing is ready, and now and then before. */

#include <stdlib.h>

#include "base/hash.h"
#include "runtime/machine.h"

enum {
    SEEDED_BUDGET_MAX = 8,        /* messages in one turn: small, so that orders vary */
    SEEDED_STEP_NANOS_MAX = 2000, /* how far one step may move the clock */
    SEEDED_JUMP_ONE_IN = 32,      /* how often time jumps although something is ready */
};

/* A set of pointers that can be drawn from at random. */
struct draw {
    void   **items;
    uint32_t count;
    uint32_t room;
};

struct seeded {
    struct sl_runtime *rt;
    struct worker     *worker;
    struct sl_prng     prng;
    struct draw        ready;   /* struct slot: QUEUED */
    struct draw        running; /* struct slot: turn run, not ended */
    struct draw        watches; /* struct sl_io */
    uint64_t           fingerprint;
};

static void draw_add(struct draw *d, void *item)
{
    if (d->count == d->room) {
        d->room = d->room == 0 ? 16 : 2 * d->room;
        d->items = realloc(d->items, d->room * sizeof *d->items);
        SL_ASSERT(d->items != NULL);
    }
    d->items[d->count++] = item;
}

static void *draw_take(struct draw *d, uint64_t index)
{
    void *item = d->items[index];

    SL_ASSERT(index < d->count);
    d->items[index] = d->items[--d->count];
    return item;
}

struct seeded *seeded_new(struct sl_runtime *rt, uint64_t seed)
{
    struct seeded *s = calloc(1, sizeof *s);

    SL_ASSERT(s != NULL);
    SL_ASSERT(rt->options.advance_to != NULL && rt->options.next_event != NULL);
    s->rt = rt;
    s->worker = rt->outside;
    sl_prng_seed(&s->prng, seed);
    return s;
}

void seeded_free(struct seeded **s)
{
    if (*s == NULL)
        return;
    free((*s)->ready.items);
    free((*s)->running.items);
    free((*s)->watches.items);
    free(*s);
    *s = NULL;
}

void seeded_note(struct sl_runtime *rt, const struct slot *s, unsigned type)
{
    uint64_t call = ((uint64_t)s->class_index << 48) | ((uint64_t)s->index << 16) | type;

    rt->seeded->fingerprint = sl_hash_combine(rt->seeded->fingerprint, call);
}

uint64_t sl_runtime_fingerprint(const struct sl_runtime *rt)
{
    return rt->seeded->fingerprint;
}

/* ---- scheduler interface ---- */

static void seeded_ready(struct worker *w, struct slot *s)
{
    draw_add(&w->rt->seeded->ready, s);
}

static enum sl_err seeded_place(struct sl_runtime *rt, struct slot *s, struct sl_why *why)
{
    (void)rt;
    (void)s;
    (void)why;
    return SL_OK;
}

static enum sl_err seeded_watch(struct worker *w, struct slot *s, struct sl_io *io, unsigned events)
{
    struct draw *watches = &w->rt->seeded->watches;

    (void)s;
    (void)events;
    for (uint32_t i = 0; i < watches->count; i++) {
        if (watches->items[i] == io)
            return SL_OK;
    }
    draw_add(watches, io);
    return SL_OK;
}

static void seeded_unwatch(struct worker *w, struct sl_io *io)
{
    struct draw *watches = &w->rt->seeded->watches;

    for (uint32_t i = 0; i < watches->count; i++) {
        if (watches->items[i] == io) {
            (void)draw_take(watches, i);
            return;
        }
    }
}

static void seeded_timer_changed(struct sl_runtime *rt)
{
    (void)rt;
}

const struct sched_ops seeded_ops = {
    .ready = seeded_ready,
    .place = seeded_place,
    .watch = seeded_watch,
    .unwatch = seeded_unwatch,
    .timer_changed = seeded_timer_changed,
};

/* ---- steps ---- */

static unsigned events_now(const struct sl_io *io)
{
    return sl_socket_ready(io->socket) & io->events;
}

/* The index-th watch that is ready, counting in list order; or, with UINT64_MAX, how many are. */
static uint64_t ready_watches(const struct seeded *s, uint64_t index, struct sl_io **out)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < s->watches.count; i++) {
        struct sl_io *io = s->watches.items[i];

        if (events_now(io) != 0 && count++ == index)
            *out = io;
    }
    return count;
}

/* Move the clock to the next thing that time brings. False: nothing ever will. */
static bool jump(struct seeded *s)
{
    struct sl_runtime *rt = s->rt;
    sl_nanos           timer = timers_next(&rt->timers);
    sl_nanos           event = rt->options.next_event(rt->options.sim);
    sl_nanos           next = timer < event ? timer : event;
    sl_nanos           now = sl_env_now(rt->env);

    if (next == UINT64_MAX)
        return false;
    if (next > now)
        rt->options.advance_to(rt->options.sim, next);
    (void)timers_fire(s->worker, sl_env_now(rt->env));
    return true;
}

/* R3: when nothing is ready, no mailbox holds mail. */
static void assert_no_lost_wakeup(struct sl_runtime *rt)
{
    uint32_t count = atomic_load(&rt->slots.count);

    for (uint32_t i = 0; i < count; i++) {
        const struct slot *slot = atomic_load(&rt->slots.table[i]);

        if (ring_count(slot->mailbox) > 0)
            SL_PANIC("lost wake-up: %s %u holds %u messages and nobody is to run it",
                     slot->class_of->name, slot->index, ring_count(slot->mailbox));
    }
}

static void run_one(struct seeded *s, uint64_t choice)
{
    struct slot  *slot;
    struct sl_io *io = NULL;

    if (choice < s->ready.count) {
        slot = draw_take(&s->ready, choice);
        turn_run(s->worker, slot, 1 + (unsigned)sl_prng_below(&s->prng, SEEDED_BUDGET_MAX));
        draw_add(&s->running, slot);
        return;
    }
    choice -= s->ready.count;
    if (choice < s->running.count) {
        slot = draw_take(&s->running, choice);
        if (turn_end(slot))
            draw_add(&s->ready, slot);
        return;
    }
    choice -= s->running.count;
    (void)ready_watches(s, choice, &io);
    slot = atomic_load(&s->rt->slots.table[io->owner]);
    turn_ready(s->worker, slot, io, events_now(io));
}

static bool step(struct seeded *s)
{
    struct sl_runtime *rt = s->rt;
    struct sl_io      *none = NULL;
    uint64_t choices = s->ready.count + s->running.count + ready_watches(s, UINT64_MAX, &none);

    if (choices == 0) {
        if (jump(s))
            return true;
        assert_no_lost_wakeup(rt);
        return false;
    }
    if (sl_prng_chance(&s->prng, 1, SEEDED_JUMP_ONE_IN) && jump(s))
        return true;
    run_one(s, sl_prng_below(&s->prng, choices));
    rt->options.advance_to(rt->options.sim,
                           sl_env_now(rt->env) + sl_prng_below(&s->prng, SEEDED_STEP_NANOS_MAX));
    (void)timers_fire(s->worker, sl_env_now(rt->env));
    return true;
}

bool sl_runtime_step(struct sl_runtime *rt)
{
    struct worker *w;
    bool           more;

    SL_ASSERT(rt->seeded != NULL);
    if (atomic_load(&rt->ended) != 0)
        return false;
    w = worker_borrow(rt);
    more = step(rt->seeded);
    worker_give_back(rt, w);
    return more && atomic_load(&rt->ended) == 0;
}

enum sl_err sl_runtime_run(struct sl_runtime *rt, uint64_t steps_max, struct sl_why *why)
{
    uint64_t steps = 0;

    while (steps < steps_max && sl_runtime_step(rt))
        steps++;
    if (atomic_load(&rt->ended) != 0)
        return rt->root_err == SL_OK ? SL_OK : sl_fail(why, rt->root_err, "%s", rt->root_why.text);
    if (steps == steps_max)
        return sl_fail(why, SL_TIMEOUT, "the root had not ended after %llu steps",
                       (unsigned long long)steps);
    return sl_fail(why, SL_GONE, "nothing can happen any more, and the root has not ended");
}

/* ---- a crash ---- */

static void abandon_living(struct seeded *s)
{
    uint32_t count = atomic_load(&s->rt->slots.count);

    for (uint32_t i = 0; i < count; i++) {
        struct slot *slot = atomic_load(&s->rt->slots.table[i]);

        if (slot->phase == PHASE_LIVE)
            turn_abandon(s->worker, slot);
    }
}

/* In each round those that have started meanwhile join the others. */
void sl_runtime_abandon(struct sl_runtime *rt)
{
    struct seeded *s = rt->seeded;
    struct worker *w;

    SL_ASSERT(s != NULL);
    w = worker_borrow(rt);
    while (atomic_load(&rt->ended) == 0) {
        abandon_living(s);
        SL_ASSERT(s->ready.count + s->running.count > 0);
        run_one(s, sl_prng_below(&s->prng, s->ready.count + s->running.count));
    }
    worker_give_back(rt, w);
}
