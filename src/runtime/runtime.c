#include "runtime/runtime.h"

#include <stdlib.h>

#include "runtime/machine.h"

enum sl_err sl_runtime_new(const struct sl_runtime_options *options, struct sl_runtime **out,
                           struct sl_why *why)
{
    struct sl_runtime *rt;
    enum sl_err        err;

    if ((err = sl_topology_check(options->topology, why)) != SL_OK)
        return err;
    rt = aligned_alloc(MACHINE_CACHE_LINE, sizeof *rt);
    SL_ASSERT(rt != NULL);
    memset(rt, 0, sizeof *rt);
    rt->options = *options;
    rt->env = options->env;
    rt->sched = options->seeded ? &seeded_ops : &pool_ops;
    atomic_init(&rt->epoch, 1);
    sync_lock_init(&rt->workers_lock);
    sync_lock_init(&rt->outside_lock);
    msg_pool_init(rt);
    timers_init(&rt->timers);
    rt->outside = worker_new(rt, "outside", NULL, 0);
    if ((err = slots_init(rt, why)) != SL_OK)
        goto free_rt;
    line_groups_init(rt);
    if (options->seeded) {
        rt->seeded = seeded_new(rt, options->seed);
        atomic_store(&rt->actor_seed, options->seed);
    } else {
        uint64_t seed;

        rt->env->random->fill(rt->env->random, &seed, sizeof seed);
        atomic_store(&rt->actor_seed, seed);
    }
    rt->ticks_zero = machine_ticks(rt);
    rt->ticks_zero_at = sl_env_now(rt->env);
    *out = rt;
    return SL_OK;

free_rt:
    worker_free(&rt->outside);
    timers_free(&rt->timers);
    msg_pool_free(rt);
    free(rt);
    return err;
}

enum sl_err sl_runtime_start(struct sl_runtime *rt, const void *args, size_t args_bytes,
                             struct sl_why *why)
{
    struct worker *w;
    enum sl_err    err;

    if (rt->seeded == NULL && (err = pool_start(rt, why)) != SL_OK)
        return err;
    w = worker_borrow(rt);
    err = turn_spawn(w, NULL, rt->options.topology->actors[0].class_of, args, args_bytes, &rt->root,
                     why);
    worker_give_back(rt, w);
    return err;
}

void sl_runtime_stop(struct sl_runtime *rt)
{
    struct worker *w = worker_borrow(rt);

    turn_send_stop(w, rt->root);
    worker_give_back(rt, w);
}

enum sl_err sl_runtime_tell(struct sl_runtime *rt, unsigned line, sl_tell_make make, void *context)
{
    struct worker *w = worker_borrow(rt);
    struct sl_msg *msg = make(context);
    enum sl_err    err;

    SL_ASSERT(rt->options.topology->lines[line].path[0] == &sl_outside_class);
    err = line_enter(w, &rt->groups[line].inputs[0], msg);
    if (err == SL_OK)
        mail_push(w, rt->root, msg);
    else
        msg_discard(w, msg);
    worker_give_back(rt, w);
    return err;
}

void machine_root_ended(struct worker *w, enum sl_err err, const struct sl_why *why)
{
    struct sl_runtime *rt = w->rt;

    rt->root_err = err;
    rt->root_why = *why;
    atomic_store(&rt->ended,
                 1); /* seq_cst; partner: the loads of `ended` before root_err is read */
    if (rt->seeded == NULL)
        rt->env->threads->wake(rt->env->threads, &rt->ended, UINT32_MAX);
    if (rt->options.on_end != NULL)
        rt->options.on_end(rt->options.on_end_context);
}

enum sl_err sl_runtime_wait(struct sl_runtime *rt, struct sl_why *why)
{
    SL_ASSERT(rt->seeded == NULL);
    while (atomic_load(&rt->ended) == 0)
        rt->env->threads->park(rt->env->threads, &rt->ended, 0, UINT64_MAX);
    if (rt->root_err == SL_OK)
        return SL_OK;
    return sl_fail(why, rt->root_err, "%s", rt->root_why.text);
}

/* Free the mail that reached the dead after their last turn. Every actor has ended, nothing else
 * runs. */
static void free_late_mail(struct sl_runtime *rt, struct worker *w)
{
    uint32_t count = atomic_load(&rt->slots.count);

    for (uint32_t i = 0; i < count; i++) {
        struct slot *s = atomic_load(&rt->slots.table[i]);

        SL_ASSERT(s->phase == PHASE_DEAD || s->phase == PHASE_FREE);
        turn_mail_of_the_dead(w, s);
    }
    line_flush(w);
}

/* The conservation laws: what was made was freed, what was sent was handled or returned. */
static void assert_all_home(const struct sl_runtime *rt)
{
    struct sl_runtime_totals t = sl_runtime_totals_of(rt);

    if (t.messages_made != t.messages_freed)
        SL_PANIC("%llu messages were made and %llu freed", (unsigned long long)t.messages_made,
                 (unsigned long long)t.messages_freed);
    if (t.sent != t.handled + t.returned)
        SL_PANIC("%llu messages were sent, %llu handled and %llu returned",
                 (unsigned long long)t.sent, (unsigned long long)t.handled,
                 (unsigned long long)t.returned);
}

void sl_runtime_free(struct sl_runtime **rt_in)
{
    struct sl_runtime *rt = *rt_in;
    struct worker     *w;
    uint32_t           count;

    if (rt == NULL)
        return;
    SL_ASSERT(atomic_load(&rt->ended) != 0 || rt->root.generation == 0); /* or never started */
    if (rt->pool != NULL)
        pool_stop(rt);
    w = worker_borrow(rt);
    free_late_mail(rt, w);
    worker_give_back(rt, w);
    assert_all_home(rt);
    line_groups_free(rt);
    slots_free(rt);
    timers_free(&rt->timers);
    seeded_free(&rt->seeded);
    count = atomic_load(&rt->worker_count);
    for (uint32_t i = 0; i < count; i++)
        worker_free(&rt->workers[i]);
    msg_pool_free(rt);
    sync_lock_free(&rt->workers_lock);
    sync_lock_free(&rt->outside_lock);
    free(rt);
    *rt_in = NULL;
}

struct sl_runtime_totals sl_runtime_totals_of(const struct sl_runtime *rt)
{
    struct sl_runtime_totals t = {0};
    uint32_t                 count = atomic_load_explicit(&rt->worker_count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        const struct worker *w = rt->workers[i];

        t.messages_made += atomic_load_explicit(&w->made, memory_order_relaxed);
        t.messages_freed += atomic_load_explicit(&w->freed, memory_order_relaxed);
        t.sent += atomic_load_explicit(&w->sent, memory_order_relaxed);
        t.handled += atomic_load_explicit(&w->handled, memory_order_relaxed);
        t.returned += atomic_load_explicit(&w->returned, memory_order_relaxed);
        t.turns += atomic_load_explicit(&w->turns, memory_order_relaxed);
        t.wakes += atomic_load_explicit(&w->wakes, memory_order_relaxed);
    }
    return t;
}

void sl_runtime_visit(struct sl_runtime *rt, sl_actor_visit visit, void *context)
{
    uint32_t count = atomic_load_explicit(&rt->slots.count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        struct slot          *s = atomic_load_explicit(&rt->slots.table[i], memory_order_acquire);
        struct sl_actor_stats stats;

        if (s == NULL || !atomic_load_explicit(&s->living, memory_order_relaxed))
            continue;
        stats = (struct sl_actor_stats){
            .class_name = s->class_of->name,
            .ref = {s->index, atomic_load_explicit(&s->generation, memory_order_relaxed)},
            .messages = atomic_load_explicit(&s->messages, memory_order_relaxed),
            .turns = atomic_load_explicit(&s->turns, memory_order_relaxed),
            .busy = machine_ticks_to_nanos(
                rt, atomic_load_explicit(&s->busy_ticks, memory_order_relaxed)),
            .longest = machine_ticks_to_nanos(
                rt, atomic_load_explicit(&s->longest_ticks, memory_order_relaxed)),
            .longest_message = atomic_load_explicit(&s->longest_message, memory_order_relaxed),
            .mailbox_now = ring_count(s->mailbox),
            .mailbox_high = atomic_load_explicit(&s->mailbox_high, memory_order_relaxed),
            .mailbox_items = s->mailbox_items,
        };
        visit(context, &stats);
    }
}
