/* Opening a pump's stores when they do not agree: the index is derived, the log rules; but a log
 * that lacks what it promised to keep is refused, unless nothing was promised. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/pump.h"
#include "base/log.h"
#include "binlog/record.h"
#include "lib/env_sim.h"
#include "net/local.h"

enum { SEEDS = 20, FAKES = 200, CLUSTER_ID = 9 };

static struct sl_env_sim *sim;

static void begin(uint64_t seed)
{
    struct sl_why why = {0};

    sl_log_set_level(SL_LOG_FATAL);
    sim = sl_env_sim_new(seed);
    if (sl_local_init(sl_env_sim_env(sim), "/cluster", CLUSTER_ID, 0, &why) != SL_OK)
        fail_msg("%s", why.text);
}

static int setup(void **state)
{
    (void)state;
    begin(1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sl_env_sim_free(&sim);
    return 0;
}

static enum sl_err open_pump(bool no_sync, struct sl_pump **out, struct sl_why *why)
{
    const struct sl_pump_options options = {.env = sl_env_sim_env(sim),
                                            .data_dir = "/data",
                                            .node_id = "pump",
                                            .host_name = "host",
                                            .addr = "127.0.0.1:0",
                                            .advertise = "127.0.0.1:0",
                                            .pd_urls = "local:/cluster",
                                            .shards = 1,
                                            .segment_bytes = SL_VLOG_SEGMENT_BYTES_MIN,
                                            .no_sync = no_sync,
                                            .engine = SL_INDEX_PLAIN};

    return sl_pump_open(&options, out, why);
}

/* Records of the kind that needs no prewrite, into the log alone: what a crash leaves. */
static void write_fakes(struct sl_pump *pump, sl_ts first)
{
    struct sl_vlog_record record = {.type = SL_VLOG_FAKE, .flags = SL_RECORD_ROLLBACK};
    struct sl_position    position;
    struct sl_why         why = {0};
    uint8_t               bytes[64];

    for (sl_ts ts = first; ts < first + FAKES; ts++) {
        struct sl_record fake = sl_record_fake(ts);

        sl_record_encode(&fake, bytes);
        record.start_ts = record.commit_ts = (uint64_t)ts;
        record.payload = (struct sl_slice){bytes, sl_record_encoded_bytes(&fake)};
        if (sl_vlog_append(pump->shard[0].vlog, &record, 1, &position, &why) != SL_OK)
            fail_msg("%s", why.text);
    }
}

static struct sl_pump *opened(bool no_sync)
{
    struct sl_pump *pump = NULL;
    struct sl_why   why = {0};

    if (open_pump(no_sync, &pump, &why) != SL_OK)
        fail_msg("%s", why.text);
    return pump;
}

static void what_the_log_has_and_the_index_lacks_is_brought_in(void **state)
{
    struct sl_pump *pump = opened(false);

    (void)state;
    write_fakes(pump, 1000);
    sl_pump_close(&pump);
    pump = opened(false);
    assert_int_equal(sl_pump_max_commit_ts(pump), 1000 + FAKES - 1);
    sl_pump_close(&pump);
}

static void index_that_is_gone_or_damaged_is_made_anew(void **state)
{
    const struct sl_env *env = sl_env_sim_env(sim);
    struct sl_pump      *pump = opened(false);
    struct sl_why        why = {0};

    (void)state;
    write_fakes(pump, 1000);
    sl_pump_close(&pump);
    pump = opened(false); /* all in the index now */
    sl_pump_close(&pump);
    assert_int_equal(sl_index_wipe(env->fs, "/data/index", &why), SL_OK);
    pump = opened(false);
    assert_int_equal(sl_pump_max_commit_ts(pump), 1000 + FAKES - 1);
    sl_pump_close(&pump);
}

/* The index has seen records; then the power goes, and the log, which was not synced, is older. */
static enum sl_err lose_power_unsynced(bool no_sync_later, struct sl_why *why)
{
    struct sl_pump     *pump = opened(true);
    struct sl_index_cut cut = {.head = {.watermark = 1000}};
    enum sl_err         err;

    write_fakes(pump, 1000);
    cut.head.offset = sl_vlog_end(pump->shard[0].vlog);
    assert_int_equal(sl_index_apply(pump->shard[0].index, &cut, why), SL_OK);
    assert_int_equal(sl_index_checkpoint(pump->index, why), SL_OK);
    sl_env_sim_power_cut(sim);
    sl_pump_close(&pump);
    pump = NULL;
    err = open_pump(no_sync_later, &pump, why);
    sl_pump_close(&pump);
    return err;
}

/* Which sectors a power cut takes is the seed's to say. */
static void without_sync_a_log_that_is_older_than_its_index_is_taken_as_it_is(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sl_why why = {0};

        begin(seed);
        if (lose_power_unsynced(true, &why) != SL_OK)
            fail_msg("seed %d: %s", (int)seed, why.text);
        sl_env_sim_free(&sim);
    }
}

static void with_sync_it_is_refused_and_the_reason_names_it(void **state)
{
    unsigned refused = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sl_why why = {0};

        begin(seed);
        if (lose_power_unsynced(false, &why) == SL_CORRUPT) {
            refused++;
            assert_non_null(strstr(why.text, "/data/shard-0"));
        }
        sl_env_sim_free(&sim);
    }
    assert_true(refused > SEEDS / 4); /* in the others the index was lost too */
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FRESH(what_the_log_has_and_the_index_lacks_is_brought_in),
        FRESH(index_that_is_gone_or_damaged_is_made_anew),
        cmocka_unit_test(without_sync_a_log_that_is_older_than_its_index_is_taken_as_it_is),
        cmocka_unit_test(with_sync_it_is_refused_and_the_reason_names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
