/* The simulated disk: what a power cut leaves behind. Where the seed decides, a test runs many
 * seeds, allows only the outcomes that are promised, and wants to have seen each of them. */

#include "unit/lib/disk.h"

/* Contents durable, the name not. */
static void put_nameless(struct disk *d, const char *path, char letter, size_t bytes)
{
    struct sl_file *f = NULL;

    disk_put(d, path, letter, bytes, false);
    assert_int_equal(sl_fs_open(d->fs, path, SL_OPEN_READ, &f, NULL), SL_OK);
    assert_int_equal(sl_file_sync(f, NULL), SL_OK);
    sl_file_close(&f);
}

static void what_was_synced_survives(void **state)
{
    char got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);

        disk_put(&d, "/f", 'a', BIG, true);
        for (int cut = 0; cut < 3; cut++) {
            sl_env_sim_power_cut(d.sim);
            assert_int_equal(disk_get(&d, "/f", got), BIG);
            assert_int_equal(letter_count(got, BIG, 'a'), BIG);
        }
        sl_env_sim_free(&d.sim);
    }
}

static void unsynced_sectors_survive_one_by_one(void **state)
{
    unsigned seen[BIG / SECTOR + 1] = {0};
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);
        int         sectors = 0;

        disk_put(&d, "/f", 'a', BIG, true);
        disk_put(&d, "/f", 'b', BIG, false);
        sl_env_sim_power_cut(d.sim);
        assert_int_equal(disk_get(&d, "/f", got), BIG);
        for (int i = 0; i < BIG; i += SECTOR) {
            int n = letter_count(got + i, SECTOR, 'b');

            assert_true(n == 0 || n == SECTOR);
            sectors += n == SECTOR;
        }
        seen[sectors]++;
        sl_env_sim_free(&d.sim);
    }
    for (int i = 0; i <= BIG / SECTOR; i++)
        assert_true(seen[i] > 0);
}

static void an_unsynced_size_is_old_new_or_between(void **state)
{
    unsigned old = 0, between = 0, new = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);
        int         bytes;

        disk_put(&d, "/f", 'a', 100, true);
        disk_put(&d, "/f", 'a', BIG, false);
        sl_env_sim_power_cut(d.sim);
        bytes = disk_get(&d, "/f", got);
        assert_in_range(bytes, 100, BIG);
        assert_int_equal(letter_count(got, 100, 'a'), 100);
        assert_int_equal(letter_count(got, bytes, 'a') + letter_count(got, bytes, '\0'), bytes);
        old += bytes == 100;
        new += bytes == BIG;
        between += bytes > 100 && bytes < BIG;
        sl_env_sim_free(&d.sim);
    }
    assert_true(old > 0 && between > 0 && new > 0);
}

static void a_name_without_a_sync_of_its_directory_may_go(void **state)
{
    unsigned there = 0, gone = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);
        int         bytes;

        put_nameless(&d, "/f", 'a', 10);
        sl_env_sim_power_cut(d.sim);
        bytes = disk_get(&d, "/f", got);
        assert_true(bytes == -1 || bytes == 10);
        there += bytes == 10;
        gone += bytes == -1;
        sl_env_sim_free(&d.sim);
    }
    assert_true(there > 0 && gone > 0);
}

static void a_rename_is_kept_or_lost_as_one(void **state)
{
    unsigned kept = 0, lost = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);
        int         bytes;

        assert_int_equal(sl_fs_mkdir_all(d.fs, "/x", NULL), SL_OK);
        assert_int_equal(sl_fs_mkdir_all(d.fs, "/y", NULL), SL_OK);
        assert_int_equal(sl_fs_sync_dir(d.fs, "/", NULL), SL_OK);
        disk_put(&d, "/x/a", 'n', 10, true);
        disk_put(&d, "/y/b", 'o', 20, true);
        assert_int_equal(sl_fs_rename(d.fs, "/x/a", "/y/b", NULL), SL_OK);
        sl_env_sim_power_cut(d.sim);
        bytes = disk_get(&d, "/y/b", got);
        assert_true(bytes == 10 || bytes == 20);
        assert_int_equal(disk_get(&d, "/x/a", got), bytes == 10 ? -1 : 10);
        kept += bytes == 10;
        lost += bytes == 20;
        sl_env_sim_free(&d.sim);
    }
    assert_true(kept > 0 && lost > 0);
}

static void a_chain_of_renames_leaves_the_file_in_one_place(void **state)
{
    static const char *const names[] = {"/a", "/b", "/c"};
    unsigned                 seen[3] = {0};
    char                     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);
        unsigned    places = 0;

        disk_put(&d, "/a", 'a', 10, true);
        assert_int_equal(sl_fs_rename(d.fs, "/a", "/b", NULL), SL_OK);
        assert_int_equal(sl_fs_rename(d.fs, "/b", "/c", NULL), SL_OK);
        sl_env_sim_power_cut(d.sim);
        for (int i = 0; i < 3; i++) {
            int bytes = disk_get(&d, names[i], got);

            assert_true(bytes == -1 || bytes == 10);
            places += bytes == 10;
            seen[i] += bytes == 10;
        }
        assert_int_equal(places, 1);
        sl_env_sim_free(&d.sim);
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

/* The sync of one directory takes along what its names depend on elsewhere: else the first /x/a
 * could come back as a second name of what is /y/b now. It takes along no more than that. */
static void a_directory_sync_takes_along_what_came_before(void **state)
{
    unsigned other_lost = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);
        int         bytes;

        assert_int_equal(sl_fs_mkdir(d.fs, "/x", NULL), SL_OK);
        assert_int_equal(sl_fs_mkdir(d.fs, "/y", NULL), SL_OK);
        assert_int_equal(sl_fs_sync_dir(d.fs, "/", NULL), SL_OK);
        put_nameless(&d, "/x/other", 'o', 5);
        put_nameless(&d, "/x/a", '1', 10);
        assert_int_equal(sl_fs_rename(d.fs, "/x/a", "/y/b", NULL), SL_OK);
        put_nameless(&d, "/x/a", '2', 20);
        assert_int_equal(sl_fs_sync_dir(d.fs, "/y", NULL), SL_OK);
        sl_env_sim_power_cut(d.sim);
        assert_int_equal(disk_get(&d, "/y/b", got), 10);
        bytes = disk_get(&d, "/x/a", got);
        assert_true(bytes == -1 || bytes == 20);
        other_lost += disk_get(&d, "/x/other", got) < 0;
        assert_int_equal(sl_fs_remove(d.fs, "/y/b", NULL), SL_OK);
        assert_int_equal(sl_fs_sync_dir(d.fs, "/y", NULL), SL_OK);
        sl_env_sim_power_cut(d.sim);
        assert_int_equal(disk_get(&d, "/y/b", got), -1);
        sl_env_sim_free(&d.sim);
    }
    assert_true(other_lost > 0);
}

static void an_unsynced_removal_may_come_back(void **state)
{
    unsigned there = 0, gone = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);
        int         bytes;

        disk_put(&d, "/f", 'a', 10, true);
        assert_int_equal(sl_fs_remove(d.fs, "/f", NULL), SL_OK);
        assert_int_equal(disk_get(&d, "/f", got), -1);
        sl_env_sim_power_cut(d.sim);
        bytes = disk_get(&d, "/f", got);
        assert_true(bytes == -1 || bytes == 10);
        there += bytes == 10;
        gone += bytes == -1;
        sl_env_sim_free(&d.sim);
    }
    assert_true(there > 0 && gone > 0);
}

static void a_file_from_before_the_cut_is_dead_and_its_lock_free(void **state)
{
    struct disk     d = disk_new(1);
    struct sl_file *old = NULL;
    struct sl_file *now = NULL;
    struct sl_why   why = {0};

    (void)state;
    disk_put(&d, "/f", 'a', 1, true);
    assert_int_equal(sl_fs_open(d.fs, "/f", SL_OPEN_WRITE, &old, NULL), SL_OK);
    assert_int_equal(sl_file_lock(old, NULL), SL_OK);
    sl_env_sim_power_cut(d.sim);
    assert_int_equal(sl_file_write(old, "b", 1, &why), SL_IO);
    assert_string_equal(why.text, "write /f: the power was cut since it was opened");
    assert_int_equal(sl_fs_open(d.fs, "/f", SL_OPEN_WRITE, &now, NULL), SL_OK);
    assert_int_equal(sl_file_lock(now, NULL), SL_OK);
    sl_file_close(&old);
    assert_int_equal(sl_fs_open(d.fs, "/f", SL_OPEN_WRITE, &old, NULL), SL_OK);
    assert_int_equal(sl_file_lock(old, NULL), SL_IN_USE); /* closing the dead one freed nothing */
    sl_file_close(&old);
    sl_file_close(&now);
    sl_env_sim_free(&d.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_survives),
        cmocka_unit_test(unsynced_sectors_survive_one_by_one),
        cmocka_unit_test(an_unsynced_size_is_old_new_or_between),
        cmocka_unit_test(a_name_without_a_sync_of_its_directory_may_go),
        cmocka_unit_test(a_rename_is_kept_or_lost_as_one),
        cmocka_unit_test(a_chain_of_renames_leaves_the_file_in_one_place),
        cmocka_unit_test(a_directory_sync_takes_along_what_came_before),
        cmocka_unit_test(an_unsynced_removal_may_come_back),
        cmocka_unit_test(a_file_from_before_the_cut_is_dead_and_its_lock_free),
    };

    return cmocka_run_group_tests_name("env_sim_fs", tests, NULL, NULL);
}
