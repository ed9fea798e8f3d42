/* The thread pool: crews of threads that run turns, event loops, and one thread for timers and the
 * watchdog.
 *
 * compute: one crew, a thread per processor. disk: one crew of a few threads. sync and peer: each
 * actor has a crew of one thread. io: each event loop is a crew of one thread, which sleeps in the
 * loop. A thread that makes colleagues' work ready during its turn does not wake anybody for the
 * last piece: it takes that itself when its turn is over. */

#include <stdlib.h>

#include "base/panic.h"
#include "runtime/machine.h"

struct pool {
    struct crew      compute;
    struct crew      disk;
    struct worker   *loops[SL_IO_LOOPS_MAX];
    uint32_t         loop_count;
    _Atomic uint32_t loop_next;
    unsigned         spins;
    struct worker   *clock;
};

/* ---- sleeping ---- */

static void rouse_thread(struct sleeper *s)
{
    struct worker *w = SL_CONTAINER_OF(s, struct worker, sleeper);

    atomic_store(&s->token, 1);
    w->rt->env->threads->wake(w->rt->env->threads, &s->token, 1);
}

static void rouse_loop(struct sleeper *s)
{
    loop_rouse(SL_CONTAINER_OF(s, struct worker, sleeper)->loop);
}

static void nap(struct worker *w)
{
    struct sl_threads *threads = w->rt->env->threads;

    for (unsigned i = 0; i < w->rt->pool->spins; i++) {
        if (ring_count(w->crew->queue) > 0)
            return;
        sync_pause();
    }
    if (!crew_lie_down(w->crew, &w->sleeper))
        return;
    while (atomic_load(&w->sleeper.token) == 0 && atomic_load(&w->rt->quit) == 0)
        threads->park(threads, &w->sleeper.token, 0, UINT64_MAX);
    crew_get_up(w->crew, &w->sleeper);
}

/* ---- serving ---- */

/* More is queued than this thread takes now, and somebody sleeps: let them share. */
static void share_queue(struct worker *w)
{
    w->owed = 0;
    if (ring_count(w->crew->queue) == 0 ||
        atomic_load_explicit(&w->crew->idle_count, memory_order_relaxed) == 0)
        return;
    if (crew_wake_one(w->crew))
        figure_add(&w->wakes, 1);
}

static void serve_slot(struct worker *w, struct slot *s)
{
    share_queue(w);
    turn_run(w, s, SL_TURN_MESSAGES_MAX);
    if (turn_end(s))
        crew_push(w->crew, s);
}

static void thread_begin(struct worker *w)
{
    worker_self = w;
    sl_panic_thread();
}

static void thread_end(void)
{
    worker_self = NULL;
    sl_panic_thread_end();
}

static void thread_serve(void *argument)
{
    struct worker *w = argument;
    struct slot   *s;

    thread_begin(w);
    while (atomic_load_explicit(&w->rt->quit, memory_order_relaxed) == 0) {
        if ((s = crew_pop(w->crew)) != NULL)
            serve_slot(w, s);
        else
            nap(w);
    }
    thread_end();
}

static void thread_loop(void *argument)
{
    struct worker *w = argument;
    struct slot   *s;

    thread_begin(w);
    while (atomic_load_explicit(&w->rt->quit, memory_order_relaxed) == 0) {
        for (unsigned turns = 0; turns < SL_IO_TURNS_MAX && (s = crew_pop(w->crew)) != NULL;
             turns++)
            serve_slot(w, s);
        if (crew_lie_down(w->crew, &w->sleeper)) {
            loop_poll(w->loop, atomic_load(&w->rt->quit) == 0);
            crew_get_up(w->crew, &w->sleeper);
        } else {
            loop_poll(w->loop, false);
        }
    }
    thread_end();
}

/* Timers and watchdog. */
static void thread_clock(void *argument)
{
    struct worker     *w = argument;
    struct sl_runtime *rt = w->rt;
    sl_nanos           look = 0;

    thread_begin(w);
    while (atomic_load(&rt->quit) == 0) {
        uint32_t seen = atomic_load(
            &rt->timers.changed); /* before the heap is read: a later change is not slept over */
        sl_nanos now = sl_env_now(rt->env);
        sl_nanos next;

        (void)timers_fire(w, now);
        if (now >= look) {
            watchdog_look(rt);
            look = now + (sl_nanos)SL_WATCHDOG_PERIOD_MS * SL_NANOS_PER_MS;
        }
        next = timers_next(&rt->timers);
        next = next < look ? next : look;
        now = sl_env_now(rt->env);
        if (next > now)
            rt->env->threads->park(rt->env->threads, &rt->timers.changed, seen, next - now);
    }
    thread_end();
}

/* ---- scheduler interface ---- */

static void pool_ready(struct worker *w, struct slot *s)
{
    crew_push(s->crew, s);
    if (w->crew == s->crew && !w->blocking) {
        w->owed++; /* this thread looks at the queue again after its turn */
        return;
    }
    if (crew_wake_one(s->crew))
        figure_add(&w->wakes, 1);
}

static enum sl_err thread_start(struct worker *w, sl_thread_main body, struct sl_why *why)
{
    struct sl_threads *threads = w->rt->env->threads;

    return threads->start(threads, w->name, body, w, &w->thread, why);
}

/* A crew of one thread for one slot, for as long as the runtime lives. */
static enum sl_err place_alone(struct sl_runtime *rt, struct slot *s, struct sl_why *why)
{
    struct crew   *crew = calloc(1, sizeof *crew);
    struct worker *w;

    SL_ASSERT(crew != NULL);
    crew_init(crew, 1);
    s->crew = crew;
    w = worker_new(rt, s->class_of->name, crew, (sl_nanos)SL_STUCK_BLOCKING_MS * SL_NANOS_PER_MS);
    w->sleeper.rouse = rouse_thread;
    return thread_start(w, thread_serve, why);
}

static enum sl_err pool_place(struct sl_runtime *rt, struct slot *s, struct sl_why *why)
{
    struct pool *p = rt->pool;

    switch (s->class_of->lane) {
    case SL_LANE_COMPUTE: s->crew = &p->compute; return SL_OK;
    case SL_LANE_DISK: s->crew = &p->disk; return SL_OK;
    case SL_LANE_SYNC:
    case SL_LANE_PEER: return place_alone(rt, s, why);
    case SL_LANE_IO:
        s->loop = p->loops[atomic_fetch_add(&p->loop_next, 1) % p->loop_count];
        s->crew = s->loop->crew;
        return SL_OK;
    case SL_LANES: break;
    }
    SL_UNREACHABLE("not a lane");
}

static void pool_timer_changed(struct sl_runtime *rt)
{
    atomic_fetch_add(&rt->timers.changed, 1);
    rt->env->threads->wake(rt->env->threads, &rt->timers.changed, 1);
}

const struct sched_ops pool_ops = {
    .ready = pool_ready,
    .place = pool_place,
    .watch = loop_watch,
    .unwatch = loop_unwatch,
    .timer_changed = pool_timer_changed,
};

/* ---- start and stop ---- */

static enum sl_err crew_threads(struct sl_runtime *rt, struct crew *crew, const char *name,
                                unsigned count, sl_nanos stuck_after, struct sl_why *why)
{
    enum sl_err err;

    for (unsigned i = 0; i < count; i++) {
        struct worker *w = worker_new(rt, name, crew, stuck_after);

        w->sleeper.rouse = rouse_thread;
        if ((err = thread_start(w, thread_serve, why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

static enum sl_err loop_threads(struct sl_runtime *rt, unsigned count, struct sl_why *why)
{
    struct pool *p = rt->pool;
    enum sl_err  err;

    for (unsigned i = 0; i < count; i++) {
        struct crew   *crew = calloc(1, sizeof *crew);
        struct worker *w;

        SL_ASSERT(crew != NULL);
        crew_init(crew, SL_SLOTS_MAX);
        w = worker_new(rt, "io", crew, (sl_nanos)SL_STUCK_COMPUTE_MS * SL_NANOS_PER_MS);
        p->loops[p->loop_count++] = w;
        w->sleeper.rouse = rouse_loop;
        if ((w->loop = loop_new(w, why)) == NULL)
            return SL_SYSTEM;
        if ((err = thread_start(w, thread_loop, why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

static bool uses_io(const struct sl_topology *topology)
{
    for (uint32_t i = 0; i < topology->actor_count; i++) {
        if (topology->actors[i].class_of->lane == SL_LANE_IO)
            return true;
    }
    return false;
}

enum sl_err pool_start(struct sl_runtime *rt, struct sl_why *why)
{
    const struct sl_runtime_options *o = &rt->options;
    unsigned                         cpus = rt->env->threads->cpus(rt->env->threads);
    unsigned                         loops = o->io_loops == 0 ? 1 : o->io_loops;
    sl_nanos     compute_stuck = (sl_nanos)SL_STUCK_COMPUTE_MS * SL_NANOS_PER_MS;
    sl_nanos     disk_stuck = (sl_nanos)SL_STUCK_BLOCKING_MS * SL_NANOS_PER_MS;
    enum sl_err  err;
    struct pool *p = calloc(1, sizeof *p);

    SL_ASSERT(p != NULL);
    SL_ASSERT(loops <= SL_IO_LOOPS_MAX);
    rt->pool = p;
    p->spins = o->never_spin || cpus == 1 ? 0 : SL_SPIN_LOOKS;
    crew_init(&p->compute, SL_SLOTS_MAX);
    crew_init(&p->disk, SL_SLOTS_MAX);
    p->clock = worker_new(rt, "clock", NULL, 0);
    if ((err = thread_start(p->clock, thread_clock, why)) != SL_OK)
        return err;
    err = crew_threads(rt, &p->compute, "compute",
                       o->compute_threads == 0 ? cpus : o->compute_threads, compute_stuck, why);
    if (err != SL_OK)
        return err;
    err = crew_threads(rt, &p->disk, "disk",
                       o->disk_threads == 0 ? SL_DISK_THREADS : o->disk_threads, disk_stuck, why);
    if (err != SL_OK || !uses_io(o->topology))
        return err;
    return loop_threads(rt, loops, why);
}

/* Stop and join every thread. */
static void threads_join(struct sl_runtime *rt)
{
    struct sl_threads *threads = rt->env->threads;
    uint32_t           count = atomic_load(&rt->worker_count);

    atomic_store(&rt->quit, 1);
    pool_timer_changed(rt);
    for (uint32_t i = 0; i < count; i++) {
        struct worker *w = rt->workers[i];

        if (w->thread == NULL)
            continue;
        if (w->sleeper.rouse != NULL)
            w->sleeper.rouse(&w->sleeper);
        threads->join(threads, &w->thread);
    }
}

/* What is still queued is dead actors' slots: their mail is freed by sl_runtime_free. */
static void crew_end(struct crew *c)
{
    while (crew_pop(c) != NULL)
        continue;
    crew_free(c);
}

void pool_stop(struct sl_runtime *rt)
{
    struct pool *p = rt->pool;
    uint32_t     count = atomic_load(&rt->slots.count);

    threads_join(rt);
    for (uint32_t i = 0; i < count; i++) {
        struct slot *s = atomic_load(&rt->slots.table[i]);

        if (s->crew == NULL || s->crew == &p->compute || s->crew == &p->disk || s->loop != NULL)
            continue;
        crew_end(s->crew);
        free(s->crew);
        s->crew = NULL;
    }
    for (uint32_t i = 0; i < p->loop_count; i++) {
        crew_end(p->loops[i]->crew);
        free(p->loops[i]->crew);
        loop_free(&p->loops[i]->loop);
    }
    crew_end(&p->compute);
    crew_end(&p->disk);
    free(p);
    rt->pool = NULL;
}
