/* The runtime's own simulation: the workload of tests/lib/workload.h under thousands of seeds. Each
 * seed draws the workload, the order of everything, and the failures. Then the laws are checked:
 * every question answered or GONE, order kept, no ghost of a timer, every message and credit home.
 *
 * Built with the planted lost wake-up, the same program must find it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/child.h"
#include "lib/sim.h"
#include "lib/workload.h"

enum { STEPS_MAX = 2000000, SEEDS_DEFAULT = 500, SAME_SEEDS = 20, ABANDON_SEEDS = 300 };

static struct sim_run run_seed(uint64_t seed)
{
    struct workload workload = workload_from_seed(seed);

    workload_reset();
    return sim_run(&workload_topology, &workload, sizeof workload, seed, STEPS_MAX);
}

#ifdef SLUICE_PLANT_LOST_WAKEUP

static void run_first_seeds(void)
{
    for (uint64_t seed = 1; seed <= SAME_SEEDS; seed++)
        (void)run_seed(seed);
}

static void a_seeded_run_finds_the_planted_lost_wake_up(void **state)
{
    (void)state;
    child_assert_panics(run_first_seeds, "lost wake-up");
}

#else

/* Run one seed and say how to do so again if a law is broken. */
static void check_seed(uint64_t seed)
{
    struct sim_run         run = run_seed(seed);
    struct workload_counts c = workload_counts_now();
    bool                   good =
        run.err == SL_OK && c.asked == c.answered + c.gone && c.disorder == 0 && c.ghosts == 0;

    if (!good) {
        print_error(
            "seed %llu: %s; asked %llu, answered %llu, gone %llu, disorder %llu, ghosts %llu\n",
            (unsigned long long)seed, run.err == SL_OK ? "ended" : run.why.text,
            (unsigned long long)c.asked, (unsigned long long)c.answered, (unsigned long long)c.gone,
            (unsigned long long)c.disorder, (unsigned long long)c.ghosts);
        sim_print_replay();
    }
    assert_true(good);
}

static void every_seed_keeps_the_laws(void **state)
{
    struct sim_seeds       seeds = sim_seeds(SEEDS_DEFAULT);
    struct workload_counts sum = {0};

    (void)state;
    for (uint64_t i = 0; i < seeds.count; i++) {
        struct workload_counts c;

        sim_note_seed("runtime_sim", seeds.first + i);
        check_seed(seeds.first + i);
        c = workload_counts_now();
        sum.asked += c.asked;
        sum.gone += c.gone;
        sum.full += c.full;
        sum.granted += c.granted;
        sum.restarts += c.restarts;
        sum.sunk += c.sunk;
    }
    print_message("%llu seeds: %llu sunk, %llu asked, %llu gone, %llu refused, %llu granted, %llu "
                  "relays started\n",
                  (unsigned long long)seeds.count, (unsigned long long)sum.sunk,
                  (unsigned long long)sum.asked, (unsigned long long)sum.gone,
                  (unsigned long long)sum.full, (unsigned long long)sum.granted,
                  (unsigned long long)sum.restarts);
    if (seeds.count < SEEDS_DEFAULT)
        return;
    /* The interesting things did happen. */
    assert_true(sum.gone > 0 && sum.full > 0 && sum.granted > 0);
    assert_true(sum.restarts > seeds.count);
}

static void the_same_seed_gives_the_same_fingerprint(void **state)
{
    uint64_t different = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SAME_SEEDS; seed++) {
        struct sim_run once = run_seed(seed);
        struct sim_run again = run_seed(seed);

        assert_int_equal(once.fingerprint, again.fingerprint);
        different += once.fingerprint != run_seed(seed + 1).fingerprint;
    }
    assert_int_equal(different, SAME_SEEDS);
}

/* At every step a crash may come; everything is given back all the same. */
static void a_machine_abandoned_in_mid_air_gives_everything_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ABANDON_SEEDS; seed++) {
        struct workload workload = workload_from_seed(seed);

        workload_reset();
        sim_note_seed("runtime_sim", seed);
        sim_abandon(&workload_topology, &workload, sizeof workload, seed, 3 * seed);
        assert_int_equal(workload_counts_now().disorder, 0);
    }
}

/* The number is recorded: it must not depend on build mode, sanitizer or machine. It changes with
 * the order of scheduling decisions, the workload or the generator; then record the new one. */
static void the_fingerprint_is_the_same_on_every_build(void **state)
{
    (void)state;
    assert_int_equal(run_seed(4711).fingerprint, UINT64_C(0xd52c45f5c5d23689));
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef SLUICE_PLANT_LOST_WAKEUP
        cmocka_unit_test(a_seeded_run_finds_the_planted_lost_wake_up),
#else
        cmocka_unit_test(every_seed_keeps_the_laws),
        cmocka_unit_test(the_same_seed_gives_the_same_fingerprint),
        cmocka_unit_test(a_machine_abandoned_in_mid_air_gives_everything_back),
        cmocka_unit_test(the_fingerprint_is_the_same_on_every_build),
#endif
    };

    return cmocka_run_group_tests_name("runtime_sim", tests, NULL, NULL);
}
