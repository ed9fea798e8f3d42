/* Crashes of the folder of large entities at every call to the file system: a script writes, keeps,
 * syncs and removes files with its n-th call and all later ones failing, for every n; then the
 * power is cut, or only the process has ended, and a start must find what the log refers to, whole,
 * and nothing else, also when the power is cut after it. The log is a list here: a file is in it
 * once it was finished. */

#include "unit/storage/large_kit.h"

enum { FILES = 8, CALLS_MAX = 500, SEEDS = 3 };

/* Of the file of entity i, at offset 1000 * (i + 1) of the log. */
struct model {
    struct sl_large_ref refs[FILES];
    bool                logged[FILES];
    uint64_t            first; /* where the log begins */
    uint64_t            head;  /* the next start visits from here */
};

static uint64_t offset_of(uint64_t id)
{
    return 1000 * (id + 1);
}

/* Ends at the first call that fails. */
static void run(struct sl_large *large, struct model *model)
{
    for (uint64_t id = 0; id < FILES; id++) {
        uint64_t end = offset_of(id) + 1;

        if (try_write(large, id, 3000 + 700 * id, 1111, &model->refs[id]) != SL_OK)
            return;
        if (id == 3)
            continue; /* finished, and never logged */
        model->logged[id] = true;
        if (sl_large_keep(large, &model->refs[id], offset_of(id), NULL) != SL_OK)
            return;
        if (id % 2 == 1) {
            if (sl_large_sync(large, NULL) != SL_OK)
                return;
            model->head = end;
        }
        if (id == 5) {
            model->first = offset_of(2);
            if (sl_large_remove_before(large, model->first, NULL) != SL_OK)
                return;
        }
    }
}

/* What it has synced, a checkpoint of the index passes. */
static void start(struct sl_env_sim *sim, struct model *model)
{
    struct sl_fs    *fs = sl_env_sim_env(sim)->fs;
    struct sl_large *large;
    uint32_t         count = 0;

    assert_int_equal(sl_large_open(fs, large_dir, &large, NULL), SL_OK);
    for (uint64_t id = 0; id < FILES; id++) {
        if (model->logged[id] && offset_of(id) >= model->head)
            assert_int_equal(sl_large_keep(large, &model->refs[id], offset_of(id), NULL), SL_OK);
    }
    assert_int_equal(sl_large_sweep(large, model->first, model->head, NULL), SL_OK);
    for (uint64_t id = 0; id < FILES; id++) {
        if (!model->logged[id] || offset_of(id) < model->first)
            continue;
        assert_int_equal(try_read(fs, large_dir, id, &model->refs[id], 1000), SL_OK);
        count++;
    }
    assert_int_equal(sl_large_count(large), count);
    assert_int_equal(sl_large_sync(large, NULL), SL_OK);
    model->head = offset_of(FILES);
    sl_large_close(&large);
}

/* False: the script ran through without coming to the n-th call. */
static bool crash_at(uint64_t seed, uint64_t nth, bool cuts_power)
{
    struct sl_env_sim *sim = sl_env_sim_new(seed);
    struct sl_fs      *fs = sl_env_sim_env(sim)->fs;
    struct sl_large   *large;
    struct model       model = {0};
    bool               failed;

    assert_int_equal(sl_fs_mkdir_all(fs, "/data", NULL), SL_OK);
    assert_int_equal(sl_fs_sync_dir(fs, "/", NULL), SL_OK);
    sl_env_sim_fail_nth(sim, nth, UINT64_MAX, SL_IO);
    if (sl_large_open(fs, large_dir, &large, NULL) == SL_OK) {
        run(large, &model);
        sl_large_close(&large);
    }
    failed = sl_env_sim_failed(sim) > 0;
    sl_env_sim_fail_nth(sim, 0, 0, SL_OK);
    if (cuts_power)
        sl_env_sim_power_cut(sim);
    start(sim, &model);
    sl_env_sim_power_cut(sim);
    start(sim, &model); /* a start changes nothing of that */
    sl_env_sim_free(&sim);
    return failed;
}

static void what_the_log_refers_to_survives_every_crash(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t nth = 1;

        while (crash_at(seed, nth, true) && crash_at(seed, nth, false))
            nth++;
        assert_in_range(nth, 100, CALLS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_log_refers_to_survives_every_crash),
    };

    return cmocka_run_group_tests_name("large_crash", tests, NULL, NULL);
}
