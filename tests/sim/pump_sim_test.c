/* A whole pump under the seeded scheduler, over a simulated machine that fails: power cuts, crashes
 * at any step and at any call to the disk, failing reads, writes and syncs, a full disk, resets and
 * a slow network, in some seeds with a layer above it like that of TLS; several lives on the same
 * disk, then rest, in which everything must come through. What must hold whatever happens:
 * sim/pump_world.h. */

#include "sim/pump_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "lib/sim.h"

#ifdef SLUICE_SANITIZED
enum { SEEDS = 50 }; /* each takes five times as long */
#else
enum { SEEDS = 150 };
#endif
enum { CANARY_SEEDS = 400 };

static void a_pump_keeps_its_promises_through_every_fault(void **state)
{
    struct sim_seeds   seeds = sim_seeds(SEEDS);
    struct world_tally tally = {0};
    char               text[512];

    (void)state;
    for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        enum world_promise broken;

        sim_note_seed("pump_sim", seed);
        broken = world_play(seed, false, &tally, text);
        if (broken != WORLD_KEPT) {
            sim_print_replay();
            fail_msg("promise %d is broken: %s", (int)broken, text);
        }
        assert_int_equal(sl_buf_live_count(), 0);
    }
    print_message("%llu steps, %u lives, %u crashes, %u failed starts, %u failed lives, "
                  "%u transactions, %u retries, %llu steps on a full disk, %llu large entities, "
                  "%llu reads waited for writes, %llu writes for reads\n",
                  (unsigned long long)tally.steps, tally.lives, tally.crashes, tally.failed_opens,
                  tally.failed_lives, tally.transactions, tally.retries,
                  (unsigned long long)tally.full, (unsigned long long)tally.large,
                  (unsigned long long)tally.read_waited_for_write,
                  (unsigned long long)tally.write_waited_for_read);
    if (seeds.count < SEEDS)
        return; /* one seed need not meet everything */
    assert_true(tally.crashes > seeds.count / 2 && tally.failed_opens > 0);
    assert_true(tally.transactions > 10 * seeds.count && tally.retries > seeds.count);
    assert_true(tally.full > 0 && tally.large > seeds.count);
    assert_true(tally.read_waited_for_write > 0 && tally.write_waited_for_read > seeds.count);
}

/* The canary: without syncs, a power cut takes acknowledged records, and that must be seen. */
static void a_disk_that_lies_about_syncs_is_found_out(void **state)
{
    struct world_tally tally = {0};
    char               text[512];

    (void)state;
    for (uint64_t seed = 1; seed <= CANARY_SEEDS; seed++) {
        if (world_play(seed, true, &tally, text) == P1_ACKNOWLEDGED_IS_PULLED)
            return;
    }
    fail_msg("%d seeds on a lying disk, and nothing acknowledged was missed", CANARY_SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pump_keeps_its_promises_through_every_fault),
        cmocka_unit_test(a_disk_that_lies_about_syncs_is_found_out),
    };

    sl_log_set_level(getenv("SLUICE_SEED") != NULL ? SL_LOG_INFO : SL_LOG_FATAL);
    return cmocka_run_group_tests_name("pump_sim", tests, NULL, NULL);
}
