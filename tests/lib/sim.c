#include "lib/sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

static sl_nanos next_event(void *sim)
{
    return sl_env_sim_next_event(sim);
}

static void advance_to(void *sim, sl_nanos moment)
{
    sl_nanos now = sl_env_now(sl_env_sim_env(sim));

    if (moment > now)
        sl_env_sim_advance(sim, moment - now);
}

static struct sl_runtime *started(struct sl_env_sim *sim, const struct sl_topology *topology,
                                  const void *args, size_t args_bytes, uint64_t seed)
{
    struct sl_runtime_options options = {
        .env = sl_env_sim_env(sim),
        .topology = topology,
        .seeded = true,
        .seed = seed,
        .next_event = next_event,
        .advance_to = advance_to,
        .sim = sim,
    };
    struct sl_runtime *rt;
    struct sl_why      why;

    if (sl_runtime_new(&options, &rt, &why) != SL_OK ||
        sl_runtime_start(rt, args, args_bytes, &why) != SL_OK)
        SL_PANIC("no runtime: %s", why.text);
    return rt;
}

struct sim_run sim_run(const struct sl_topology *topology, const void *args, size_t args_bytes,
                       uint64_t seed, uint64_t steps_max)
{
    struct sl_env_sim *sim = sl_env_sim_new(seed);
    struct sl_runtime *rt = started(sim, topology, args, args_bytes, seed);
    struct sim_run     run = {0};

    run.err = sl_runtime_run(rt, steps_max, &run.why);
    run.fingerprint = sl_runtime_fingerprint(rt);
    if (run.err != SL_TIMEOUT && run.err != SL_GONE) { /* else the root still lives */
        sl_runtime_free(&rt);
        sl_env_sim_free(&sim);
    }
    return run;
}

void sim_abandon(const struct sl_topology *topology, const void *args, size_t args_bytes,
                 uint64_t seed, uint64_t steps)
{
    struct sl_env_sim *sim = sl_env_sim_new(seed);
    struct sl_runtime *rt = started(sim, topology, args, args_bytes, seed);

    (void)sl_runtime_run(rt, steps, NULL);
    sl_runtime_abandon(rt);
    sl_runtime_free(&rt);
    sl_env_sim_free(&sim);
}

static uint64_t number_in(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL || text[0] == '\0' ? fallback : strtoull(text, NULL, 10);
}

struct sim_seeds sim_seeds(uint64_t count_default)
{
    if (getenv("SLUICE_SEED") != NULL)
        return (struct sim_seeds){.first = number_in("SLUICE_SEED", 1), .count = 1};
    return (struct sim_seeds){.first = 1, .count = number_in("SLUICE_SEEDS", count_default)};
}

static char replay[160];

void sim_print_replay(void)
{
    ssize_t put = write(STDERR_FILENO, replay, strlen(replay));

    (void)put;
}

static void on_abort(int signal_number)
{
    sim_print_replay();
    (void)signal(signal_number, SIG_DFL); /* returning from here then ends the process */
}

void sim_note_seed(const char *name, uint64_t seed)
{
    snprintf(replay, sizeof replay, "replay with: ./dev test %s --seed %llu\n", name,
             (unsigned long long)seed);
    (void)signal(SIGABRT, on_abort);
}
