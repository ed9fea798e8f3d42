#include "lib/env_sim.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/assert.h"
#include "lib/env_sim_parts.h"

/* Not zero, so that nobody takes 0 for "never" and gets away with it. */
#define START ((sl_nanos)1000 * SL_NANOS_PER_S)
/* 2024-01-01 00:00:00 UTC. */
#define EPOCH ((int64_t)1704067200 * SL_NANOS_PER_S)

/* ---- clock and random ---- */

static struct sl_env_sim *sim_of_clock(struct sl_clock *clock)
{
    return (struct sl_env_sim *)((char *)clock - offsetof(struct sl_env_sim, clock));
}

static sl_nanos now(struct sl_clock *clock)
{
    return sim_of_clock(clock)->now;
}

static int64_t wall(struct sl_clock *clock)
{
    struct sl_env_sim *sim = sim_of_clock(clock);

    return EPOCH + (int64_t)(sim->now - START) + sim->skew;
}

static void fill(struct sl_random *random, void *bytes, size_t count)
{
    struct sl_env_sim *sim =
        (struct sl_env_sim *)((char *)random - offsetof(struct sl_env_sim, random));
    uint8_t *out = bytes;

    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)sl_prng_next(&sim->bytes);
}

void sl_env_sim_advance(struct sl_env_sim *sim, sl_nanos nanos)
{
    SL_ASSERT(nanos <= INT64_MAX - sim->now);
    sim->now += nanos;
}

void sl_env_sim_set_skew(struct sl_env_sim *sim, int64_t nanos)
{
    sim->skew = nanos;
}

/* ---- threads ---- */

static enum sl_err start(struct sl_threads *threads, const char *name, sl_thread_main main,
                         void *argument, struct sl_thread **out, struct sl_why *why)
{
    (void)threads, (void)main, (void)argument, (void)out, (void)why;
    SL_PANIC("thread %s in a simulation: no seed could replay what it does", name);
}

static void join(struct sl_threads *threads, struct sl_thread **thread)
{
    (void)threads, (void)thread;
    SL_PANIC("joining a thread in a simulation, where none can have been started");
}

static void park(struct sl_threads *threads, _Atomic uint32_t *word, uint32_t expected,
                 sl_nanos timeout)
{
    (void)threads, (void)word, (void)expected, (void)timeout;
    SL_PANIC("parking in a simulation: there is no other thread to wake this one");
}

static void wake(struct sl_threads *threads, _Atomic uint32_t *word, unsigned count)
{
    (void)threads, (void)word, (void)count;
}

static unsigned cpus(struct sl_threads *threads)
{
    (void)threads;
    return 1;
}

/* ---- the object ---- */

struct sl_env_sim *sl_env_sim_new(uint64_t seed)
{
    struct sl_prng     seeds;
    struct sl_env_sim *sim = calloc(1, sizeof *sim);

    SL_ASSERT(sim != NULL);
    sim->now = START;
    sl_prng_seed(&seeds, seed);
    sl_prng_seed(&sim->bytes, sl_prng_next(&seeds));
    sl_prng_seed(&sim->disk.dice, sl_prng_next(&seeds));
    sl_prng_seed(&sim->net.dice, sl_prng_next(&seeds));
    sim->clock = (struct sl_clock){.now = now, .wall = wall};
    sim->random = (struct sl_random){.fill = fill};
    sim->threads =
        (struct sl_threads){.start = start, .join = join, .park = park, .wake = wake, .cpus = cpus};
    sim_disk_init(sim);
    sim_net_init(sim);
    sim->env = (struct sl_env){
        .clock = &sim->clock,
        .random = &sim->random,
        .fs = &sim->fs,
        .net = &sim->net_door,
        .threads = &sim->threads,
    };
    return sim;
}

void sl_env_sim_free(struct sl_env_sim **sim)
{
    SL_ASSERT(sim != NULL);
    if (*sim == NULL)
        return;
    if ((*sim)->disk.open_files > 0 || (*sim)->net.open_sockets > 0)
        SL_PANIC("left open: %u files, %u sockets", (*sim)->disk.open_files,
                 (*sim)->net.open_sockets);
    sim_disk_free(*sim);
    sim_net_free(*sim);
    free(*sim);
    *sim = NULL;
}

const struct sl_env *sl_env_sim_env(struct sl_env_sim *sim)
{
    return &sim->env;
}
