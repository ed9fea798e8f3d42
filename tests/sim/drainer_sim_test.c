/* A drainer, all its actors behind the front real, against pumps, DDL history and a downstream in
 * memory, some hundred seeds: drainer_world.h says what goes wrong and what is checked. Built with
 * a causality that does not look at old images, the same program must find it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "lib/sim.h"
#include "sim/drainer_world.h"

enum { SEEDS_DEFAULT = 300, SEEDS_PLANTED = 300 };

static void add(struct world_counts *sum)
{
    sum->lives += world.counts.lives;
    sum->resumed += world.counts.resumed;
    sum->changes += world.counts.changes;
    sum->rows += world.counts.rows;
    sum->failures += world.counts.failures;
    sum->ddls += world.counts.ddls;
    sum->early += world.counts.early;
    sum->copies += world.counts.copies;
    sum->joins += world.counts.joins;
    sum->moves += world.counts.moves;
    sum->orderly += world.counts.orderly;
    sum->consistent += world.counts.consistent;
    sum->reloads += world.counts.reloads;
}

static void all_invariants_hold_whatever_goes_wrong(void **state)
{
    struct sim_seeds    seeds = sim_seeds(SEEDS_DEFAULT);
    struct world_counts sum = {0};

    (void)state;
    for (uint64_t i = 0; i < seeds.count; i++) {
        sim_note_seed("drainer_sim", seeds.first + i);
        world_run(seeds.first + i);
        if (world.broken[0] != '\0') {
            print_error("seed %llu: %s\n", (unsigned long long)(seeds.first + i), world.broken);
            sim_print_replay();
            fail();
        }
        add(&sum);
    }
    print_message("%llu seeds, %llu lives (%llu ended in order, %llu resumed): %llu rows applied "
                  "for %llu, %llu "
                  "calls failed, %llu DDL (%llu early), %llu copies, %llu pumps joined, %llu "
                  "moved\n",
                  (unsigned long long)seeds.count, (unsigned long long)sum.lives,
                  (unsigned long long)sum.orderly, (unsigned long long)sum.resumed,
                  (unsigned long long)sum.changes, (unsigned long long)sum.rows,
                  (unsigned long long)sum.failures, (unsigned long long)sum.ddls,
                  (unsigned long long)sum.early, (unsigned long long)sum.copies,
                  (unsigned long long)sum.joins, (unsigned long long)sum.moves);
    if (seeds.count < SEEDS_DEFAULT)
        return;
    /* It was as rough as it was meant to be. */
    assert_true(sum.lives > 2 * seeds.count);
    assert_true(sum.resumed > seeds.count / 20);
    assert_true(sum.changes > sum.rows * 11 / 10);
    assert_true(sum.failures > 8 * seeds.count);
    assert_true(sum.early > seeds.count / 2);
    assert_true(sum.copies > seeds.count);
    assert_true(sum.orderly > seeds.count / 20);
    assert_true(sum.consistent > seeds.count * 9 / 10);
    assert_true(sum.moves > seeds.count / 10);
    assert_true(sum.reloads > 10 * seeds.count);
}

static void a_seed_gives_the_same_run(void **state)
{
    struct world_counts first;

    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        world_run(seed);
        first = world.counts;
        world_run(seed);
        assert_memory_equal(&first, &world.counts, sizeof first);
    }
}

static void a_causality_that_ignores_old_images_is_found(void **state)
{
    uint64_t seed = 1;

    (void)state;
    do {
        world_run(seed);
    } while (world.broken[0] == '\0' && seed++ < SEEDS_PLANTED);
    print_message("seed %llu: %s\n", (unsigned long long)seed, world.broken);
    assert_true(world.broken[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest honest[] = {
        cmocka_unit_test(all_invariants_hold_whatever_goes_wrong),
        cmocka_unit_test(a_seed_gives_the_same_run),
    };
    const struct CMUnitTest planted[] = {
        cmocka_unit_test(a_causality_that_ignores_old_images_is_found),
    };

    sl_log_set_level(SL_LOG_FATAL);
    return world_is_planted ? cmocka_run_group_tests_name("drainer_sim", planted, NULL, NULL)
                            : cmocka_run_group_tests_name("drainer_sim", honest, NULL, NULL);
}
