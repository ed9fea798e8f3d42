#include "base/trace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/rawline.h"

/* Words are relaxed: one thread writes them, and whoever dumps may read them torn. Only `site` is
 * followed as a pointer, and a single word is never torn. */
struct entry {
    _Atomic(const struct sl_trace_site *) site;
    atomic_uint_fast64_t                  nanos;
    atomic_uint_fast64_t                  a;
    atomic_uint_fast64_t                  b;
};
static_assert(sizeof(struct entry) == 32, "limits.h says so");

struct ring {
    /* Partner: claim() in another thread. Release by the thread that ends, acquire by the next
     * owner, which then writes where the last one wrote. */
    atomic_bool owned;
    /* Of the owner; relaxed, for the report only. */
    _Atomic pid_t thread;
    /* Entries the owner has noted. Partner: dump_ring() in any thread. Release after the words,
     * acquire before them: an entry below count has its site. */
    atomic_uint_fast64_t count;
    struct entry         entries[SL_TRACE_ENTRIES];
};

/* Filled from the front, never emptied. Partners: claim() and sl_trace_dump() in other threads.
 * Compare-exchange with release publishes a ring, acquire sees it whole. */
static _Atomic(struct ring *) rings[SL_TRACE_THREADS_MAX];

/* Where threads write that found no ring free; never dumped. Shared, so its count may miss some. */
static struct ring nowhere;

static _Thread_local struct ring *mine;
static _Thread_local uint64_t     now;

static pthread_once_t end_once = PTHREAD_ONCE_INIT;
static pthread_key_t  end_key;

/* Runs in a thread that ends. A destructor of another library that traces later claims anew. */
static void release_ring(void *value)
{
    struct ring *ring = value;

    mine = NULL;
    atomic_store_explicit(&ring->owned, false, memory_order_release);
}

static void create_end_key(void)
{
    int err = pthread_key_create(&end_key, release_ring);

    SL_ASSERT(err == 0);
}

/* The ring of this place, made if there is none yet. */
static struct ring *ring_at(unsigned place)
{
    struct ring *ring = atomic_load_explicit(&rings[place], memory_order_acquire);
    struct ring *fresh;

    if (ring != NULL)
        return ring;
    fresh = calloc(1, sizeof *fresh);
    SL_ASSERT(fresh != NULL);
    if (atomic_compare_exchange_strong_explicit(&rings[place], &ring, fresh, memory_order_acq_rel,
                                                memory_order_acquire))
        return fresh;
    free(fresh); /* another thread was faster, and `ring` is now what it put there */
    return ring;
}

/* Give the calling thread the first ring that nobody owns. */
static struct ring *claim(void)
{
    int err = pthread_once(&end_once, create_end_key);

    SL_ASSERT(err == 0);
    for (unsigned i = 0; i < SL_TRACE_THREADS_MAX; i++) {
        struct ring *ring = ring_at(i);
        bool         owned = false;

        if (!atomic_compare_exchange_strong_explicit(&ring->owned, &owned, true,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        atomic_store_explicit(&ring->thread, (pid_t)syscall(SYS_gettid), memory_order_relaxed);
        atomic_store_explicit(&ring->count, 0, memory_order_release);
        err = pthread_setspecific(end_key, ring);
        SL_ASSERT(err == 0);
        return ring;
    }
    return &nowhere;
}

void sl_trace_now(uint64_t nanos)
{
    now = nanos;
}

void sl_trace(const struct sl_trace_site *site, uint64_t a, uint64_t b)
{
    struct entry *entry;
    uint64_t      count;

    if (mine == NULL)
        mine = claim();
    count = atomic_load_explicit(&mine->count, memory_order_relaxed);
    entry = &mine->entries[count & (SL_TRACE_ENTRIES - 1)];
    atomic_store_explicit(&entry->site, site, memory_order_relaxed);
    atomic_store_explicit(&entry->nanos, now, memory_order_relaxed);
    atomic_store_explicit(&entry->a, a, memory_order_relaxed);
    atomic_store_explicit(&entry->b, b, memory_order_relaxed);
    atomic_store_explicit(&mine->count, count + 1, memory_order_release);
}

uint64_t sl_trace_count(void)
{
    return mine == NULL ? 0 : atomic_load_explicit(&mine->count, memory_order_relaxed);
}

static void dump_number(struct rawline *line, const char *label, uint64_t number)
{
    if (label == NULL)
        return;
    rawline_text(line, " ");
    rawline_text(line, label);
    rawline_text(line, "=");
    rawline_decimal(line, number, 1);
}

static void dump_entry(struct rawline *line, struct entry *entry)
{
    const uint64_t              nanos_per_s = 1000 * 1000 * 1000;
    const struct sl_trace_site *site = atomic_load_explicit(&entry->site, memory_order_relaxed);
    uint64_t                    nanos = atomic_load_explicit(&entry->nanos, memory_order_relaxed);

    rawline_text(line, "  ");
    rawline_decimal(line, nanos / nanos_per_s, 1);
    rawline_text(line, ".");
    rawline_decimal(line, nanos % nanos_per_s, 9);
    rawline_text(line, " ");
    rawline_text(line, site->name);
    dump_number(line, site->a, atomic_load_explicit(&entry->a, memory_order_relaxed));
    dump_number(line, site->b, atomic_load_explicit(&entry->b, memory_order_relaxed));
    rawline_end(line);
}

static void dump_ring(struct rawline *line, struct ring *ring, unsigned wanted)
{
    uint64_t count = atomic_load_explicit(&ring->count, memory_order_acquire);
    uint64_t kept = count < SL_TRACE_ENTRIES ? count : SL_TRACE_ENTRIES;
    uint64_t shown = wanted < kept ? wanted : kept;

    rawline_text(line, "trace of thread ");
    rawline_decimal(line, (uint64_t)atomic_load_explicit(&ring->thread, memory_order_relaxed), 1);
    if (!atomic_load_explicit(&ring->owned, memory_order_relaxed))
        rawline_text(line, " (ended)");
    rawline_text(line, ": the last ");
    rawline_decimal(line, shown, 1);
    rawline_text(line, " of ");
    rawline_decimal(line, count, 1);
    rawline_end(line);
    for (uint64_t i = count - shown; i < count; i++)
        dump_entry(line, &ring->entries[i & (SL_TRACE_ENTRIES - 1)]);
}

void sl_trace_dump(int fd, unsigned count)
{
    struct rawline line;

    rawline_start(&line, fd);
    for (unsigned i = 0; i < SL_TRACE_THREADS_MAX; i++) {
        struct ring *ring = atomic_load_explicit(&rings[i], memory_order_acquire);

        if (ring == NULL)
            break;
        dump_ring(&line, ring, count);
    }
}
