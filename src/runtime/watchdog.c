/* The watchdog: names the actor and the message that run too long. */

#include "base/log.h"
#include "runtime/machine.h"

static void report(struct sl_runtime *rt, const char *actor, const char *message, sl_nanos running)
{
    if (rt->options.on_stuck != NULL) {
        rt->options.on_stuck(actor, message, running);
        return;
    }
    sl_log(SL_LOG_WARN, "handler runs too long", sl_field_str("actor", actor),
           sl_field_str("message", message), sl_field_nanos("running", running));
}

void watchdog_look(struct sl_runtime *rt)
{
    uint32_t count = atomic_load_explicit(&rt->worker_count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        struct worker *w = rt->workers[i];
        uint64_t       began = atomic_load_explicit(&w->hook_began, memory_order_relaxed);
        uint64_t       now = machine_ticks(rt);
        sl_nanos       running;

        if (began == 0 || began == w->stuck_reported || w->stuck_after == 0 || now <= began)
            continue;
        running = machine_ticks_to_nanos(rt, now - began);
        if (running < w->stuck_after)
            continue;
        w->stuck_reported = began;
        report(rt, atomic_load_explicit(&w->doing_actor, memory_order_relaxed),
               atomic_load_explicit(&w->doing_message, memory_order_relaxed), running);
    }
}
