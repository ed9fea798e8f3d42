/* B1, merge: descriptors of 64 bytes from k sources, in random order and in bursts, against a
 * bare heap of 64-bit keys with run copy, and the reference shape of the original's merge. Each
 * runs on one thread that waits for nothing, so rates are by processor time. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "binlog/merge.h"
#include "harness.h"
#include "merge_reference.h"

enum {
    K_MAX = 50,
    ITEMS = 1 << 15, /* of one pass, all sources together: 2 MiB of descriptors */
    BLOCK = 256,     /* descriptors of one block, and of the output */
    BURST = 16,      /* mean run of one source */
};

struct shape {
    uint32_t k;
    bool     bursty;
};

/* How many items each source has, and for each item in ts order whose it is. */
struct deal {
    uint32_t owner[ITEMS];
    uint32_t count[K_MAX];
};

static struct deal *deal_new(struct shape shape)
{
    struct deal   *d = calloc(1, sizeof *d);
    struct sl_prng prng;
    uint32_t       owner = 0;

    if (d == NULL)
        abort();
    sl_prng_seed(&prng, shape.k);
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (!shape.bursty || sl_prng_chance(&prng, 1, BURST))
            owner = (uint32_t)sl_prng_below(&prng, shape.k);
        d->owner[i] = owner;
        d->count[owner]++;
    }
    return d;
}

/* ---- ours ---- */

struct ours {
    struct sl_descriptor *items[K_MAX];
    uint32_t              count[K_MAX];
    uint32_t              k;
    struct sl_merge_block blocks[ITEMS / BLOCK + K_MAX];
    struct sl_descriptor  out[BLOCK];
    sl_ts                 seen; /* so that the output is read */
};

static void *zeroed(size_t count, size_t bytes)
{
    void *p = aligned_alloc(64, (count * bytes + 63) / 64 * 64);

    if (p == NULL)
        abort();
    return memset(p, 0, count * bytes);
}

static struct ours *ours_new(struct shape shape)
{
    struct deal *d = deal_new(shape);
    struct ours *o = zeroed(1, sizeof *o);

    o->k = shape.k;
    for (uint32_t s = 0; s < shape.k; s++)
        o->items[s] = zeroed(d->count[s] + 1, sizeof *o->items[s]);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t s = d->owner[i];

        o->items[s][o->count[s]].commit_ts = (sl_ts)i + 1;
        o->items[s][o->count[s]++].start_ts = (sl_ts)i;
    }
    free(d);
    return o;
}

static void push_all(struct ours *o, struct sl_merge *m)
{
    struct sl_merge_block *block = o->blocks;
    uint32_t               source;

    for (uint32_t s = 0; s < o->k; s++) {
        if (sl_merge_add(m, 0, &source, NULL) != SL_OK)
            abort();
        sl_merge_set_watermark(m, source, ITEMS);
        for (uint32_t at = 0; at < o->count[s]; at += BLOCK, block++) {
            uint32_t left = o->count[s] - at;

            block->items = o->items[s] + at;
            block->count = left < BLOCK ? left : BLOCK;
            if (sl_merge_push(m, source, block, NULL) != SL_OK)
                abort();
        }
    }
}

static uint32_t pass_ours(struct ours *o)
{
    struct sl_merge *m = sl_merge_new(0);
    uint32_t         total = 0;
    uint32_t         got;

    push_all(o, m);
    while ((got = sl_merge_drain(m, o->out, BLOCK)) > 0) {
        total += got;
        o->seen += o->out[got - 1].commit_ts;
        while (sl_merge_spent(m) != NULL)
            continue;
    }
    sl_merge_free(&m);
    return total;
}

static bool measure_ours(struct shape shape, const struct bench_options *options,
                         struct bench_sample *out)
{
    struct ours *o = ours_new(shape);
    double       began;
    double       until;
    double       items = 0;

    (void)pass_ours(o);
    began = bench_cpu_now();
    until = bench_now() + options->seconds;
    do {
        items += pass_ours(o);
    } while (bench_now() < until);
    out->value[0] = items / (bench_cpu_now() - began);
    for (uint32_t s = 0; s < o->k; s++)
        free(o->items[s]);
    free(o);
    return true;
}

/* ---- the limit: bare keys ---- */

struct key_entry {
    uint64_t        key;
    const uint64_t *at;
    const uint64_t *end;
};

struct limit {
    uint64_t        *keys[K_MAX];
    uint32_t         count[K_MAX];
    uint32_t         k;
    struct key_entry heap[K_MAX];
    uint32_t         heap_count;
    uint64_t         out[BLOCK];
    uint64_t         seen;
};

static struct limit *limit_new(struct shape shape)
{
    struct deal  *d = deal_new(shape);
    struct limit *l = zeroed(1, sizeof *l);

    l->k = shape.k;
    for (uint32_t s = 0; s < shape.k; s++)
        l->keys[s] = zeroed(d->count[s] + 1, sizeof *l->keys[s]);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t s = d->owner[i];

        l->keys[s][l->count[s]++] = i + 1;
    }
    free(d);
    return l;
}

static void key_sink(struct limit *l, uint32_t place, struct key_entry entry)
{
    for (;;) {
        uint32_t child = 2 * place + 1;

        if (child >= l->heap_count)
            break;
        if (child + 1 < l->heap_count && l->heap[child + 1].key < l->heap[child].key)
            child++;
        if (entry.key <= l->heap[child].key)
            break;
        l->heap[place] = l->heap[child];
        place = child;
    }
    l->heap[place] = entry;
}

static uint32_t key_run(struct limit *l, uint64_t *out, uint32_t room)
{
    struct key_entry top = l->heap[0];
    uint64_t         bound = UINT64_MAX;
    uint32_t         count = 0;

    if (l->heap_count > 1)
        bound = l->heap[1].key;
    if (l->heap_count > 2 && l->heap[2].key < bound)
        bound = l->heap[2].key;
    do {
        out[count++] = *top.at++;
    } while (count < room && top.at < top.end && *top.at <= bound);
    if (top.at < top.end)
        top.key = *top.at;
    else
        top = l->heap[--l->heap_count];
    if (l->heap_count > 0)
        key_sink(l, 0, top);
    return count;
}

static uint32_t pass_limit(struct limit *l)
{
    uint32_t total = 0;

    l->heap_count = 0;
    for (uint32_t s = 0; s < l->k; s++) {
        if (l->count[s] > 0)
            l->heap[l->heap_count++] =
                (struct key_entry){l->keys[s][0], l->keys[s], l->keys[s] + l->count[s]};
    }
    for (uint32_t i = l->heap_count / 2; i-- > 0;)
        key_sink(l, i, l->heap[i]);
    while (l->heap_count > 0) {
        uint32_t got = 0;

        while (got < BLOCK && l->heap_count > 0)
            got += key_run(l, l->out + got, BLOCK - got);
        total += got;
        l->seen += l->out[got - 1];
    }
    return total;
}

static bool measure_limit(struct shape shape, const struct bench_options *options,
                          struct bench_sample *out)
{
    struct limit *l = limit_new(shape);
    double        began;
    double        until;
    double        items = 0;

    (void)pass_limit(l);
    began = bench_cpu_now();
    until = bench_now() + options->seconds;
    do {
        items += pass_limit(l);
    } while (bench_now() < until);
    out->value[0] = items / (bench_cpu_now() - began);
    for (uint32_t s = 0; s < l->k; s++)
        free(l->keys[s]);
    free(l);
    return true;
}

/* ---- the peer ---- */

static bool measure_peer(struct shape shape, const struct bench_options *options,
                         struct bench_sample *out)
{
    struct deal            *d = deal_new(shape);
    struct merge_reference *m = merge_reference_new(shape.k, d->owner, ITEMS);
    double                  began = bench_cpu_now();
    double                  until = bench_now() + options->seconds;
    double                  items = 0;

    do {
        items += merge_reference_pass(m);
    } while (bench_now() < until);
    out->value[0] = items / (bench_cpu_now() - began);
    merge_reference_free(&m);
    free(d);
    return true;
}

/* ---- cases ---- */

#define CASE(k, name, bursty)                                                               \
    static bool ours_##name##_##k(const struct bench_options *o, struct bench_sample *out)  \
    {                                                                                       \
        return measure_ours((struct shape){k, bursty}, o, out);                             \
    }                                                                                       \
    static bool limit_##name##_##k(const struct bench_options *o, struct bench_sample *out) \
    {                                                                                       \
        return measure_limit((struct shape){k, bursty}, o, out);                            \
    }                                                                                       \
    static bool peer_##name##_##k(const struct bench_options *o, struct bench_sample *out)  \
    {                                                                                       \
        return measure_peer((struct shape){k, bursty}, o, out);                             \
    }
#define ROW(k, order)                                                                     \
    {                                                                                     \
        "k=" #k "/" #order, #k " sources, " #order, {{.name = "rate", .unit = "item/s"}}, \
            ours_##order##_##k, limit_##order##_##k, peer_##order##_##k                   \
    }

CASE(2, random, false)
CASE(5, random, false)
CASE(10, random, false)
CASE(50, random, false)
CASE(2, bursty, true)
CASE(5, bursty, true)
CASE(10, bursty, true)
CASE(50, bursty, true)

int main(int argc, char **argv)
{
    static const struct bench_case cases[] = {ROW(2, random),  ROW(5, random), ROW(10, random),
                                              ROW(50, random), ROW(2, bursty), ROW(5, bursty),
                                              ROW(10, bursty), ROW(50, bursty)};

    return bench_main("merge", cases, sizeof cases / sizeof *cases, argc, argv);
}
