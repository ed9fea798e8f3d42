#include "runtime/crew.h"

#include <stddef.h>

void crew_init(struct crew *c, uint32_t items)
{
    c->queue = ring_new(items);
    sync_lock_init(&c->lock);
    c->idle = NULL;
    atomic_init(&c->idle_count, 0);
}

void crew_free(struct crew *c)
{
    SL_ASSERT(c->idle == NULL);
    ring_free(&c->queue);
    sync_lock_free(&c->lock);
}

void crew_push(struct crew *c, void *item)
{
    bool pushed;

    SYNC_POINT();
    pushed = ring_push_mpmc(c->queue, item);
    SL_ASSERT(pushed); /* each item is queued at most once, and there is room for all */
}

void *crew_pop(struct crew *c)
{
    SYNC_POINT();
    return ring_pop_mpmc(c->queue);
}

/* Take `s` off the stack if it is there. Lock held. */
static bool unlist(struct crew *c, struct sleeper *s)
{
    struct sleeper **at = &c->idle;

    if (!s->listed)
        return false;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->listed = false;
    atomic_store_explicit(&c->idle_count,
                          atomic_load_explicit(&c->idle_count, memory_order_relaxed) - 1,
                          memory_order_relaxed);
    return true;
}

bool crew_wake_one(struct crew *c)
{
    struct sleeper *s;

    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in crew_lie_down */
    SYNC_POINT();
    if (atomic_load_explicit(&c->idle_count, memory_order_relaxed) == 0)
        return false;
    sync_lock_take(&c->lock);
    s = c->idle;
    if (s != NULL)
        (void)unlist(c, s);
    sync_lock_give(&c->lock);
    if (s == NULL)
        return false;
    s->rouse(s);
    return true;
}

void crew_wake_all(struct crew *c)
{
    while (crew_wake_one(c))
        continue;
}

bool crew_lie_down(struct crew *c, struct sleeper *s)
{
    bool roused;

    atomic_store_explicit(&s->token, 0,
                          memory_order_relaxed); /* not listed: nobody else touches it */
    sync_lock_take(&c->lock);
    SL_ASSERT(!s->listed);
    s->listed = true;
    s->next = c->idle;
    c->idle = s;
    atomic_store_explicit(&c->idle_count,
                          atomic_load_explicit(&c->idle_count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    sync_lock_give(&c->lock);
    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in crew_wake_one */
    SYNC_POINT();
    if (ring_count(c->queue) == 0)
        return true;
    sync_lock_take(&c->lock);
    roused = !unlist(c, s);
    sync_lock_give(&c->lock);
    /* Roused meanwhile: the wake-up was meant for an item that this thread is about to look for
     * anyway. */
    (void)roused;
    return false;
}

void crew_get_up(struct crew *c, struct sleeper *s)
{
    sync_lock_take(&c->lock);
    (void)unlist(c, s);
    sync_lock_give(&c->lock);
}
