/* Records by their timestamp: commits by commit ts, prewrites by start ts while they wait for
 * their outcome and after their commit; what is not there, and what cannot be shown. */

#include "actors/pump/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"
#include "sim/pull_world.h"

static struct sl_env_sim *sim;
static struct sl_why      why;

static int begin(void **state)
{
    (void)state;
    sim = sl_env_sim_new(1);
    world_begin(sl_env_sim_env(sim), 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end();
    sl_env_sim_free(&sim);
    assert_int_equal(sl_buf_live_count(), 0);
    return 0;
}

static enum sl_err look(sl_ts ts, struct sl_record *out)
{
    struct sl_buf *bytes;
    enum sl_err    err;

    why.text[0] = '\0';
    if ((err = sl_pump_lookup(&world.pump, ts, &bytes, &why)) != SL_OK)
        return err;
    assert_int_equal(sl_record_decode(sl_slice_from_buf(bytes), out, NULL), SL_OK);
    out->prewrite_key = out->prewrite_value = out->ddl_query = (struct sl_slice){NULL, 0};
    sl_buf_free(&bytes);
    return SL_OK;
}

static void both_halves_of_a_transaction_are_found(void **state)
{
    struct sl_record record;
    sl_ts            start_ts[3];
    uint32_t         open;

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        open = world_prewrite(10);
        start_ts[i] = world.open[open].start_ts;
        world_commit(open, SL_RECORD_COMMIT);
    }
    world_publish(0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(look(start_ts[i], &record), SL_OK);
        assert_int_equal(record.type, SL_RECORD_PREWRITE);
        assert_int_equal(record.start_ts, start_ts[i]);
        assert_int_equal(look(world.entries[i].index.commit_ts, &record), SL_OK);
        assert_int_equal(record.type, SL_RECORD_COMMIT);
        assert_int_equal(record.commit_ts, world.entries[i].index.commit_ts);
    }
}

/* As an indexer would, when the sorter's cut says that it was opened. */
static void tell_index(uint32_t open)
{
    struct sl_index_unresolved opened = {.start_ts = world.open[open].start_ts,
                                         .bound = world.open[open].bound,
                                         .prewrite = world.open[open].prewrite};
    struct sl_index_shard     *shard = world.pump.shard[0].index;
    struct sl_index_cut        cut = {
               .opened = &opened, .opened_count = 1, .head = sl_index_head_of(shard)};

    assert_int_equal(sl_index_apply(shard, &cut, NULL), SL_OK);
}

static void a_prewrite_that_waits_is_found(void **state)
{
    struct sl_record record;
    uint32_t         open = world_prewrite(10);
    sl_ts            start_ts = world.open[open].start_ts;

    (void)state;
    assert_int_equal(look(start_ts, &record), SL_NOT_FOUND);
    tell_index(open);
    assert_int_equal(look(start_ts, &record), SL_OK);
    assert_int_equal(record.type, SL_RECORD_PREWRITE);
    assert_int_equal(record.start_ts, start_ts);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct sl_record record;

    (void)state;
    world_commit(world_prewrite(10), SL_RECORD_COMMIT);
    world_publish(0);
    assert_int_equal(look(0, &record), SL_NOT_FOUND);
    assert_int_equal(look(-1, &record), SL_NOT_FOUND);
    assert_int_equal(look(INT64_MAX, &record), SL_NOT_FOUND);
    assert_int_equal(look(world.entries[0].index.commit_ts + 1, &record), SL_NOT_FOUND);
}

static void a_large_entity_is_named(void **state)
{
    struct sl_record record;
    uint32_t         open = world_prewrite_large(3 << 20);
    sl_ts            start_ts = world.open[open].start_ts;

    (void)state;
    world_commit(open, SL_RECORD_COMMIT);
    world_publish(0);
    assert_int_equal(look(start_ts, &record), SL_TOO_LARGE);
    assert_non_null(strstr(why.text, "too large to be shown"));
    assert_int_equal(look(world.entries[0].index.commit_ts, &record), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
        WITH(both_halves_of_a_transaction_are_found),
        WITH(a_prewrite_that_waits_is_found),
        WITH(what_is_not_there_is_not_found),
        WITH(a_large_entity_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
