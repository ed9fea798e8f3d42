#include "runtime/ring.h"

#include <ck_ring.h>
#include <sched.h>
#include <stdlib.h>

#include "base/assert.h"

#ifdef SLUICE_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#else
#define __tsan_acquire(address) ((void)(address))
#define __tsan_release(address) ((void)(address))
#endif

enum {
    CACHE_LINE_BYTES = 128,
    RING_ITEMS_MAX = 1 << 24,
    SPINS_MAX = 128, /* before a pusher that waits for another yields its processor */
};

struct ring {
    _Alignas(CACHE_LINE_BYTES) ck_ring_t ring; /* ck pads its three indexes to cache lines itself */
    uint32_t          capacity;                /* slots; one of them always stays empty */
    ck_ring_buffer_t *buffer;
};

/* The next power of two that leaves room for `items`: ck keeps one slot empty. */
static uint32_t capacity_for(uint32_t items)
{
    uint32_t capacity = 4;

    while (capacity - 1 < items)
        capacity *= 2;
    return capacity;
}

struct ring *ring_new(uint32_t items)
{
    uint32_t     capacity;
    struct ring *r;

    SL_ASSERT(items > 0 && items <= RING_ITEMS_MAX);
    capacity = capacity_for(items);
    r = aligned_alloc(CACHE_LINE_BYTES, sizeof *r);
    SL_ASSERT(r != NULL);
    r->capacity = capacity;
    r->buffer = calloc(capacity, sizeof *r->buffer);
    SL_ASSERT(r->buffer != NULL);
    ck_ring_init(&r->ring, capacity);
    return r;
}

void ring_free(struct ring **r)
{
    if (*r == NULL)
        return;
    SL_ASSERT(ring_count(*r) == 0);
    free((*r)->buffer);
    free(*r);
    *r = NULL;
}

/* Wait until the earlier pushers have finished. ck alone would spin: when one of them is preempted
 * in the middle, each later one, in its turn, burns its whole time slice, and a machine with fewer
 * processors than busy threads comes close to a standstill. */
static void await_turn(const ck_ring_t *ring, unsigned ticket)
{
    for (unsigned spins = 1; ck_pr_load_uint(&ring->p_tail) != ticket; spins++) {
        if (spins % SPINS_MAX == 0)
            (void)sched_yield();
        else
            ck_pr_stall();
    }
}

bool ring_push_mpsc(struct ring *r, void *item)
{
    unsigned ticket;
    void   **slot;

    __tsan_release(item);
    slot = ck_ring_enqueue_reserve_mpsc(&r->ring, r->buffer, &ticket);
    if (slot == NULL)
        return false;
    *slot = item;
    await_turn(&r->ring, ticket);
    ck_ring_enqueue_commit_mpsc(&r->ring, ticket);
    return true;
}

bool ring_push_mpmc(struct ring *r, void *item)
{
    unsigned ticket;
    void   **slot;

    __tsan_release(item);
    slot = ck_ring_enqueue_reserve_mpmc(&r->ring, r->buffer, &ticket);
    if (slot == NULL)
        return false;
    *slot = item;
    await_turn(&r->ring, ticket);
    ck_ring_enqueue_commit_mpmc(&r->ring, ticket);
    return true;
}

void *ring_pop_mpsc(struct ring *r)
{
    void *item;

    if (!ck_ring_dequeue_mpsc(&r->ring, r->buffer, &item))
        return NULL;
    __tsan_acquire(item);
    return item;
}

void *ring_pop_mpmc(struct ring *r)
{
    void *item;

    if (!ck_ring_dequeue_mpmc(&r->ring, r->buffer, &item))
        return NULL;
    __tsan_acquire(item);
    return item;
}

uint32_t ring_count(const struct ring *r)
{
    return ck_ring_size(&r->ring);
}
