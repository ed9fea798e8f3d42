/* A cut and the index: what becomes of a commit that comes twice, in one cut or in two. */

#include "actors/pump/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/sort_core.h"
#include "binlog/record.h"
#include "lib/env_sim.h"

enum { START = 100, COMMIT = 110, RECORD_BYTES = 64 };

static struct sl_env_sim     *sim;
static struct sl_index_db    *db;
static struct sl_index_shard *shard;
static struct sl_sorter      *sorter;
static struct sl_pump_cut     cut;
static uint64_t               offset;

static int setup(void **state)
{
    struct sl_index_options options = {
        .engine = SL_INDEX_PLAIN, .dir = "/index", .shard_count = 1, .create = true};
    struct sl_index_head head = {0};

    (void)state;
    sim = sl_env_sim_new(1);
    options.fs = sl_env_sim_env(sim)->fs;
    assert_int_equal(sl_index_open(&options, &db, NULL), SL_OK);
    shard = sl_index_shard_of(db, 0);
    sorter = sl_sorter_new(&head);
    memset(&cut, 0, sizeof cut);
    offset = RECORD_BYTES;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sl_sorter_free(&sorter);
    sl_index_close(&db);
    sl_env_sim_free(&sim);
    return 0;
}

static void take(int32_t type, sl_ts commit_ts)
{
    struct sl_sort_note note = {.type = type,
                                .start_ts = START,
                                .commit_ts = commit_ts,
                                .position = {.offset = offset, .bytes = RECORD_BYTES}};

    sl_sorter_take(sorter, &note, &cut);
    offset += RECORD_BYTES;
}

static struct sl_cut_result apply(void)
{
    struct sl_cut_result result;

    sl_sorter_close_cut(sorter, &cut);
    assert_int_equal(sl_cut_apply(shard, &cut, &result, NULL), SL_OK);
    memset(&cut, 0, sizeof cut);
    return result;
}

static void assert_commit_has_its_prewrite(void)
{
    struct sl_index_entry found;

    assert_int_equal(sl_index_find(shard, COMMIT, START, &found, NULL), SL_OK);
    assert_int_equal(found.prewrite.bytes, RECORD_BYTES);
}

static void a_commit_repeated_in_the_same_cut_keeps_its_prewrite(void **state)
{
    (void)state;
    take(SL_RECORD_PREWRITE, 0);
    take(SL_RECORD_COMMIT, COMMIT);
    take(SL_RECORD_COMMIT, COMMIT);
    assert_int_equal(apply().repeats, 1);
    assert_commit_has_its_prewrite();
}

static void a_commit_repeated_in_a_later_cut_keeps_its_prewrite(void **state)
{
    (void)state;
    take(SL_RECORD_PREWRITE, 0);
    take(SL_RECORD_COMMIT, COMMIT);
    assert_int_equal(apply().repeats, 0);
    take(SL_RECORD_COMMIT, COMMIT);
    assert_int_equal(apply().repeats, 1);
    assert_commit_has_its_prewrite();
}

static void a_commit_without_prewrite_is_kept_as_a_copy(void **state)
{
    struct sl_index_entry found;

    (void)state;
    take(SL_RECORD_COMMIT, COMMIT);
    assert_int_equal(apply().copies, 1);
    assert_int_equal(sl_index_find(shard, COMMIT, START, &found, NULL), SL_OK);
    assert_int_equal(found.prewrite.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_repeated_in_the_same_cut_keeps_its_prewrite, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_commit_repeated_in_a_later_cut_keeps_its_prewrite, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_commit_without_prewrite_is_kept_as_a_copy, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("cut", tests, NULL, NULL);
}
