#include "ring_probe.h"

#include <ck_ring.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOTS = 1024, RINGS = 16, CIRCLE = 1000, CHECK_EVERY = 1024 };

struct probe {
    _Alignas(128) ck_ring_t ring[CIRCLE];
    ck_ring_buffer_t *buffer[CIRCLE];
    _Alignas(128) _Atomic bool stop;
    unsigned  rings;
    bool      spsc;
    pthread_t other;
};

static struct probe *probe_new(unsigned rings, bool spsc)
{
    struct probe *p = aligned_alloc(128, sizeof *p);

    if (p == NULL)
        abort();
    for (unsigned i = 0; i < rings; i++) {
        ck_ring_init(&p->ring[i], SLOTS);
        p->buffer[i] = calloc(SLOTS, sizeof *p->buffer[i]);
        if (p->buffer[i] == NULL)
            abort();
    }
    atomic_init(&p->stop, false);
    p->rings = rings;
    p->spsc = spsc;
    return p;
}

static void probe_free(struct probe *p)
{
    for (unsigned i = 0; i < p->rings; i++)
        free(p->buffer[i]);
    free(p);
}

static bool push(struct probe *p, unsigned ring, void *item)
{
    return p->spsc ? ck_ring_enqueue_spsc(&p->ring[ring], p->buffer[ring], item)
                   : ck_ring_enqueue_mpsc(&p->ring[ring], p->buffer[ring], item);
}

static bool pop(struct probe *p, unsigned ring, void *item)
{
    return p->spsc ? ck_ring_dequeue_spsc(&p->ring[ring], p->buffer[ring], item)
                   : ck_ring_dequeue_mpsc(&p->ring[ring], p->buffer[ring], item);
}

static void *pusher(void *argument)
{
    struct probe *p = argument;
    unsigned      ring = 0;

    while (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
        if (push(p, ring, p))
            ring = ring + 1 == p->rings ? 0 : ring + 1;
    }
    return NULL;
}

static bool measure_transfer(const struct bench_options *o, struct bench_sample *out,
                             unsigned rings, bool spsc)
{
    struct probe *p = probe_new(rings, spsc);
    double        began = bench_now();
    double        ended;
    uint64_t      count = 0;
    unsigned      ring = 0;
    void         *item;

    if (pthread_create(&p->other, NULL, pusher, p) != 0)
        return false;
    do {
        for (unsigned i = 0; i < CHECK_EVERY; i++) {
            if (pop(p, ring, &item))
                count++;
            else
                ck_pr_stall();
            ring = ring + 1 == rings ? 0 : ring + 1;
        }
        ended = bench_now();
    } while (ended - began < o->seconds);
    atomic_store(&p->stop, true);
    pthread_join(p->other, NULL);
    probe_free(p);
    out->value[0] = (double)count / (ended - began);
    return true;
}

bool probe_ring_mpsc(const struct bench_options *options, struct bench_sample *out)
{
    return measure_transfer(options, out, 1, false);
}

bool probe_ring_mpsc_16(const struct bench_options *options, struct bench_sample *out)
{
    return measure_transfer(options, out, RINGS, false);
}

bool probe_ring_spsc(const struct bench_options *options, struct bench_sample *out)
{
    return measure_transfer(options, out, 1, true);
}

bool probe_ring_circle(const struct bench_options *o, struct bench_sample *out)
{
    struct probe *p = probe_new(CIRCLE, false);
    double        began = bench_now();
    double        ended;
    uint64_t      hops = 0;
    void         *item = p;

    do {
        for (unsigned i = 0; i < CIRCLE; i++) {
            if (!push(p, i, item) || !pop(p, i, &item))
                return false;
            hops++;
        }
        ended = bench_now();
    } while (ended - began < o->seconds);
    probe_free(p);
    out->value[0] = (double)hops / (ended - began);
    return true;
}

/* ---- futex ---- */

struct ping {
    _Alignas(128) _Atomic uint32_t there;
    _Alignas(128) _Atomic uint32_t back;
    _Atomic bool stop;
};

static void wait_for(_Atomic uint32_t *word, uint32_t old)
{
    while (atomic_load(word) == old)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
}

static void raise_word(_Atomic uint32_t *word)
{
    atomic_fetch_add(word, 1);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *ponger(void *argument)
{
    struct ping *p = argument;

    for (uint32_t seen = 0;; seen++) {
        wait_for(&p->there, seen);
        if (atomic_load(&p->stop))
            return NULL;
        raise_word(&p->back);
    }
}

bool probe_futex(const struct bench_options *o, struct bench_sample *out)
{
    struct ping p = {0};
    pthread_t   other;
    double      began = bench_now();
    double      ended;
    uint32_t    trips = 0;

    if (pthread_create(&other, NULL, ponger, &p) != 0)
        return false;
    do {
        raise_word(&p.there);
        wait_for(&p.back, trips);
        trips++;
        ended = bench_now();
    } while (ended - began < o->seconds);
    atomic_store(&p.stop, true);
    raise_word(&p.there);
    pthread_join(other, NULL);
    out->value[0] = (ended - began) * 1e9 / trips;
    return true;
}
