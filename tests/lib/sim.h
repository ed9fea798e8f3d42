#ifndef SL_TESTS_LIB_SIM_H
#define SL_TESTS_LIB_SIM_H

/* Running a topology under the seeded scheduler over the simulated environment, once per seed.
 *
 * How many seeds, and which: SLUICE_SEEDS and SLUICE_SEED in the environment, as `--seeds N` and
 * `--seed S` of `./dev test NAME` set them. A failing seed is printed with the command that replays
 * it. */

#include <stdint.h>

#include "lib/env_sim.h"
#include "runtime/runtime.h"

struct sim_run {
    enum sl_err   err;
    uint64_t      fingerprint;
    struct sl_why why;
};

/* Run to the end of the root, at most steps_max steps; free everything, which checks the laws. */
struct sim_run sim_run(const struct sl_topology *topology, const void *args, size_t args_bytes,
                       uint64_t seed, uint64_t steps_max);

/* Run `steps` steps, abandon the runtime in the middle of what it does (sl_runtime_abandon), and
 * free everything, which checks the laws. */
void sim_abandon(const struct sl_topology *topology, const void *args, size_t args_bytes,
                 uint64_t seed, uint64_t steps);

/* The seeds to run: first .. first + count - 1. */
struct sim_seeds {
    uint64_t first;
    uint64_t count;
};
struct sim_seeds sim_seeds(uint64_t count_default);

/* Say which seed of the program `name` runs now: if the process aborts, the command that replays it
 * is printed. */
void sim_note_seed(const char *name, uint64_t seed);

/* Print that command now. */
void sim_print_replay(void);

#endif
