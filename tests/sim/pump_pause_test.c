/* The two places of a pump whose order its promises hang on, held open in the whole simulated pump
 * of pump_sim_test.c: between "forwarded to the sorter" and "acknowledged", and between "in the
 * index" and "the watermark is told". Nothing comes late, and a puller sees only what is indexed.
 * The canaries turn the order of each round, and that must be found. */

#include "sim/pump_pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "lib/sim.h"
#include "sim/pump_world.h"

#ifdef SLUICE_SANITIZED
enum { SEEDS = 15 }; /* each takes five times as long */
#else
enum { SEEDS = 50 };
#endif
enum { CANARY_SEEDS = 400 };

static void promises_are_kept(enum pump_pause pause)
{
    struct sim_seeds   seeds = sim_seeds(SEEDS);
    struct world_tally tally = {0};
    char               text[512];

    pump_pause = pause;
    pump_pauses = 0;
    for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        enum world_promise broken;

        sim_note_seed("pump_pause", seed);
        broken = world_play(seed, false, &tally, text);
        if (broken != WORLD_KEPT) {
            sim_print_replay();
            fail_msg("promise %d is broken: %s", (int)broken, text);
        }
        assert_int_equal(sl_buf_live_count(), 0);
    }
    print_message("%u pauses, %u lives, %u transactions\n", pump_pauses, tally.lives,
                  tally.transactions);
    if (seeds.count < SEEDS)
        return; /* one seed need not meet everything */
    assert_true(pump_pauses > 20 * SEEDS && tally.transactions > 10 * SEEDS);
}

static void records_that_the_sorter_has_may_be_acknowledged_late(void **state)
{
    (void)state;
    promises_are_kept(PAUSE_BEFORE_ACK);
}

static void commits_that_the_index_has_may_become_visible_late(void **state)
{
    (void)state;
    promises_are_kept(PAUSE_BEFORE_VISIBLE);
}

/* A promise that the wrong order breaks, in one of the seeds. */
static void is_found(enum pump_pause pause)
{
    struct world_tally tally = {0};
    char               text[512];

    pump_pause = pause;
    for (uint64_t seed = 1; seed <= CANARY_SEEDS; seed++) {
        switch (world_play(seed, false, &tally, text)) {
        case WORLD_KEPT:
        case C1_COMES_TO_REST: continue;
        case P1_ACKNOWLEDGED_IS_PULLED:
        case P2_ORDER_ASCENDS:
        case P4_NOTHING_COMES_LATE: return;
        case P3_WHOLE_TRANSACTIONS:
        case P5_WATERMARK_NEVER_FALLS:
        case P8_WHOLE_OR_NOT_AT_ALL:
        case P10_FULL_DISK_TAKES_NOTHING:
        case TIMESTAMPS_ASCEND:
        case OPENS_WHAT_IT_WROTE: fail_msg("seed %u: %s", (unsigned)seed, text);
        }
    }
    fail_msg("%d seeds in the wrong order, and nothing was missed", CANARY_SEEDS);
}

static void acknowledging_before_the_sorter_has_it_is_found_out(void **state)
{
    (void)state;
    is_found(PAUSE_BEFORE_SORT);
}

static void telling_a_watermark_before_its_commits_are_indexed_is_found_out(void **state)
{
    (void)state;
    is_found(PAUSE_BEFORE_INDEX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_the_sorter_has_may_be_acknowledged_late),
        cmocka_unit_test(commits_that_the_index_has_may_become_visible_late),
        cmocka_unit_test(acknowledging_before_the_sorter_has_it_is_found_out),
        cmocka_unit_test(telling_a_watermark_before_its_commits_are_indexed_is_found_out),
    };

    sl_log_set_level(getenv("SLUICE_SEED") != NULL ? SL_LOG_INFO : SL_LOG_FATAL);
    return cmocka_run_group_tests_name("pump_pause", tests, NULL, NULL);
}
