/* Workers: what a thread carries while it belongs to the runtime, and epochs over all of them. */

#include <stdlib.h>

#include "runtime/machine.h"

_Thread_local struct worker *worker_self;

struct worker *worker_new(struct sl_runtime *rt, const char *name, struct crew *crew,
                          sl_nanos stuck_after)
{
    struct worker *w = aligned_alloc(MACHINE_CACHE_LINE, sizeof *w);
    uint32_t       count;

    SL_ASSERT(w != NULL);
    memset(w, 0, sizeof *w);
    w->rt = rt;
    w->name = name;
    w->crew = crew;
    w->stuck_after = stuck_after;
    w->ctx.worker = w;
    sync_lock_take(&rt->workers_lock);
    count = atomic_load_explicit(&rt->worker_count, memory_order_relaxed);
    if (count == SL_THREADS_MAX)
        SL_PANIC("more than %u threads: raise SL_THREADS_MAX", (unsigned)SL_THREADS_MAX);
    rt->workers[count] = w;
    /* release: whoever reads the count (slot_reclaimable) sees the worker before it can open a
     * section */
    atomic_store_explicit(&rt->worker_count, count + 1, memory_order_release);
    sync_lock_give(&rt->workers_lock);
    return w;
}

void worker_free(struct worker **w)
{
    SL_ASSERT((*w)->section_depth == 0);
    SL_ASSERT((*w)->home.line == NULL);
    msg_flush(*w);
    free(*w);
    *w = NULL;
}

struct worker *worker_borrow(struct sl_runtime *rt)
{
    if (worker_self != NULL) {
        SL_ASSERT(worker_self->rt == rt);
        return worker_self;
    }
    sync_lock_take(&rt->outside_lock);
    worker_self = rt->outside;
    return worker_self;
}

void worker_give_back(struct sl_runtime *rt, struct worker *w)
{
    if (w != rt->outside)
        return;
    line_flush(w);
    worker_self = NULL;
    sync_lock_give(&rt->outside_lock);
}

uint64_t machine_ticks_slow(const struct sl_runtime *rt)
{
    return sl_env_now(rt->env);
}

sl_nanos machine_ticks_to_nanos(const struct sl_runtime *rt, uint64_t ticks)
{
    uint64_t ticks_run = machine_ticks(rt) - rt->ticks_zero;
    sl_nanos nanos_run = sl_env_now(rt->env) - rt->ticks_zero_at;

    if (ticks_run == 0 || nanos_run == 0)
        return ticks;
    return (sl_nanos)((double)ticks * ((double)nanos_run / (double)ticks_run));
}
