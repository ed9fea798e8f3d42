/* The simulated disk: what a power cut, a failed call and a full disk leave behind. Where the seed
 * decides, a test runs many seeds, allows only the outcomes that are promised, and wants to have
 * seen each of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"

enum { SEEDS = 200, SECTOR = SL_ENV_SIM_SECTOR_BYTES, BIG = 4 * SECTOR };

struct disk {
    struct sl_env_sim *sim;
    struct sl_fs      *fs;
};

static struct disk disk_new(uint64_t seed)
{
    struct disk d = {.sim = sl_env_sim_new(seed)};

    d.fs = sl_env_sim_env(d.sim)->fs;
    return d;
}

/* Write the file with `bytes` times this letter; with sync: durable, name and all. */
static void put(struct disk *d, const char *path, char letter, size_t bytes, bool sync)
{
    struct sl_file *f = NULL;
    char            text[BIG];

    assert_true(bytes <= sizeof text);
    memset(text, letter, bytes);
    assert_int_equal(
        sl_fs_open(d->fs, path, SL_OPEN_READ | SL_OPEN_WRITE | SL_OPEN_CREATE, &f, NULL), SL_OK);
    assert_int_equal(sl_file_write(f, text, bytes, NULL), SL_OK);
    if (sync) {
        assert_int_equal(sl_file_sync(f, NULL), SL_OK);
        assert_int_equal(sl_fs_sync_dir_of(d->fs, path, NULL), SL_OK);
    }
    sl_file_close(&f);
}

/* Contents durable, the name not. */
static void put_nameless(struct disk *d, const char *path, char letter, size_t bytes)
{
    struct sl_file *f = NULL;

    put(d, path, letter, bytes, false);
    assert_int_equal(sl_fs_open(d->fs, path, SL_OPEN_READ, &f, NULL), SL_OK);
    assert_int_equal(sl_file_sync(f, NULL), SL_OK);
    sl_file_close(&f);
}

/* The contents, at most BIG bytes; -1 when there is no such file. */
static int get(struct disk *d, const char *path, char *out)
{
    struct sl_file *f = NULL;
    size_t          got = 0;

    if (sl_fs_open(d->fs, path, SL_OPEN_READ, &f, NULL) == SL_NOT_FOUND)
        return -1;
    assert_non_null(f);
    assert_int_equal(sl_file_read_at(f, 0, out, BIG, &got, NULL), SL_OK);
    sl_file_close(&f);
    return (int)got;
}

/* How many of the bytes are this letter. */
static int count_of(const char *bytes, int count, char letter)
{
    int n = 0;

    for (int i = 0; i < count; i++)
        n += bytes[i] == letter;
    return n;
}

/* ---- power cuts ---- */

static void what_was_synced_survives(void **state)
{
    char got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);

        put(&d, "/f", 'a', BIG, true);
        for (int cut = 0; cut < 3; cut++) {
            sl_env_sim_power_cut(d.sim);
            assert_int_equal(get(&d, "/f", got), BIG);
            assert_int_equal(count_of(got, BIG, 'a'), BIG);
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

        put(&d, "/f", 'a', BIG, true);
        put(&d, "/f", 'b', BIG, false);
        sl_env_sim_power_cut(d.sim);
        assert_int_equal(get(&d, "/f", got), BIG);
        for (int i = 0; i < BIG; i += SECTOR) {
            int n = count_of(got + i, SECTOR, 'b');

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

        put(&d, "/f", 'a', 100, true);
        put(&d, "/f", 'a', BIG, false);
        sl_env_sim_power_cut(d.sim);
        bytes = get(&d, "/f", got);
        assert_in_range(bytes, 100, BIG);
        assert_int_equal(count_of(got, 100, 'a'), 100);
        assert_int_equal(count_of(got, bytes, 'a') + count_of(got, bytes, '\0'), bytes);
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
        bytes = get(&d, "/f", got);
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
        put(&d, "/x/a", 'n', 10, true);
        put(&d, "/y/b", 'o', 20, true);
        assert_int_equal(sl_fs_rename(d.fs, "/x/a", "/y/b", NULL), SL_OK);
        sl_env_sim_power_cut(d.sim);
        bytes = get(&d, "/y/b", got);
        assert_true(bytes == 10 || bytes == 20);
        assert_int_equal(get(&d, "/x/a", got), bytes == 10 ? -1 : 10);
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

        put(&d, "/a", 'a', 10, true);
        assert_int_equal(sl_fs_rename(d.fs, "/a", "/b", NULL), SL_OK);
        assert_int_equal(sl_fs_rename(d.fs, "/b", "/c", NULL), SL_OK);
        sl_env_sim_power_cut(d.sim);
        for (int i = 0; i < 3; i++) {
            int bytes = get(&d, names[i], got);

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
        assert_int_equal(get(&d, "/y/b", got), 10);
        bytes = get(&d, "/x/a", got);
        assert_true(bytes == -1 || bytes == 20);
        other_lost += get(&d, "/x/other", got) < 0;
        assert_int_equal(sl_fs_remove(d.fs, "/y/b", NULL), SL_OK);
        assert_int_equal(sl_fs_sync_dir(d.fs, "/y", NULL), SL_OK);
        sl_env_sim_power_cut(d.sim);
        assert_int_equal(get(&d, "/y/b", got), -1);
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

        put(&d, "/f", 'a', 10, true);
        assert_int_equal(sl_fs_remove(d.fs, "/f", NULL), SL_OK);
        assert_int_equal(get(&d, "/f", got), -1);
        sl_env_sim_power_cut(d.sim);
        bytes = get(&d, "/f", got);
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
    put(&d, "/f", 'a', 1, true);
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

/* ---- faults ---- */

/* The trap: the next sync says that all is well, and it is not. */
static void after_a_failed_sync_data_is_lost_although_the_next_one_succeeds(void **state)
{
    unsigned shown = 0, hidden = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk     d = disk_new(seed);
        struct sl_file *f = NULL;
        int             before;
        int             after;

        put(&d, "/f", 'a', BIG, true);
        put(&d, "/f", 'b', BIG, false);
        assert_int_equal(sl_fs_open(d.fs, "/f", SL_OPEN_WRITE, &f, NULL), SL_OK);
        sl_env_sim_fail_nth(d.sim, 1, 1, SL_IO);
        assert_int_equal(sl_file_sync(f, NULL), SL_IO);
        assert_int_equal(sl_file_sync(f, NULL), SL_OK);
        sl_file_close(&f);
        before = count_of(got, get(&d, "/f", got), 'b');
        sl_env_sim_power_cut(d.sim);
        after = count_of(got, get(&d, "/f", got), 'b');
        shown += before < BIG && before == after;
        hidden += before == BIG && after < BIG;
        sl_env_sim_free(&d.sim);
    }
    assert_true(shown > 0 && hidden > 0);
}

static void a_lying_disk_loses_what_it_acknowledged(void **state)
{
    unsigned lost = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk d = disk_new(seed);

        sl_env_sim_disk(d.sim)->lose_syncs = true;
        put(&d, "/f", 'a', BIG, true);
        sl_env_sim_power_cut(d.sim);
        lost += get(&d, "/f", got) < BIG;
        sl_env_sim_free(&d.sim);
    }
    assert_true(lost > 0);
}

static void the_nth_call_fails_and_the_next_ones(void **state)
{
    struct disk         d = disk_new(1);
    struct sl_file_info info;
    struct sl_why       why = {0};

    (void)state;
    sl_env_sim_fail_nth(d.sim, 3, 2, SL_NOSPACE);
    for (int call = 1; call <= 6; call++) {
        enum sl_err err = sl_fs_info(d.fs, "/", &info, &why);

        assert_int_equal(err, call == 3 || call == 4 ? SL_NOSPACE : SL_OK);
    }
    assert_string_equal(why.text, "stat /: no space left on the device (simulated)");
    assert_int_equal(sl_env_sim_failed(d.sim), 2);
    sl_env_sim_fail_nth(d.sim, 1, 1, SL_IO);
    sl_env_sim_fail_nth(d.sim, 0, 0, SL_OK);
    assert_int_equal(sl_fs_info(d.fs, "/", &info, NULL), SL_OK);
    assert_int_equal(sl_env_sim_failed(d.sim), 0);
    sl_env_sim_free(&d.sim);
}

static void a_failed_write_has_written_any_prefix(void **state)
{
    unsigned none = 0, some = 0;
    char     got[BIG];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk     d = disk_new(seed);
        struct sl_file *f = NULL;
        int             bytes;

        assert_int_equal(sl_fs_create(d.fs, "/f", &f, NULL), SL_OK);
        sl_env_sim_disk(d.sim)->write_fail_ppm = SL_ENV_SIM_ALWAYS_PPM;
        assert_int_equal(sl_file_write(f, "abc", 3, NULL), SL_IO);
        sl_file_close(&f);
        bytes = get(&d, "/f", got);
        assert_memory_equal(got, "abc", (size_t)bytes);
        none += bytes == 0;
        some += bytes > 0;
        sl_env_sim_free(&d.sim);
    }
    assert_true(none > 0 && some > 0);
}

static void chances_fail_reads_and_syncs(void **state)
{
    struct disk     d = disk_new(1);
    struct sl_file *f = NULL;
    unsigned        failed = 0;
    char            byte;
    size_t          got;

    (void)state;
    assert_int_equal(sl_fs_create(d.fs, "/f", &f, NULL), SL_OK);
    sl_env_sim_disk(d.sim)->read_fail_ppm = SL_ENV_SIM_ALWAYS_PPM / 2;
    for (int i = 0; i < 1000; i++)
        failed += sl_file_read_at(f, 0, &byte, 1, &got, NULL) == SL_IO;
    assert_in_range(failed, 400, 600);
    sl_env_sim_disk(d.sim)->sync_fail_ppm = SL_ENV_SIM_ALWAYS_PPM;
    assert_int_equal(sl_file_sync(f, NULL), SL_IO);
    assert_int_equal(sl_fs_sync_dir(d.fs, "/", NULL), SL_IO);
    sl_file_close(&f);
    sl_env_sim_free(&d.sim);
}

static void the_quota_is_kept_to_the_byte_and_given_back(void **state)
{
    struct disk     d = disk_new(1);
    struct sl_file *f = NULL;
    struct sl_space space;
    uint64_t        bytes;
    char            block[600] = {0};

    (void)state;
    sl_env_sim_disk(d.sim)->quota_bytes = 1000;
    assert_int_equal(sl_fs_create(d.fs, "/f", &f, NULL), SL_OK);
    assert_int_equal(sl_file_write(f, block, 600, NULL), SL_OK);
    assert_int_equal(sl_file_write(f, block, 600, NULL), SL_NOSPACE);
    assert_int_equal(sl_file_size(f, &bytes, NULL), SL_OK);
    assert_int_equal(bytes, 1000);
    assert_int_equal(sl_file_write_at(f, 0, block, 600, NULL), SL_OK); /* in place: no new space */
    assert_int_equal(sl_file_truncate(f, 1001, NULL), SL_NOSPACE);
    assert_int_equal(sl_file_write_at(f, 1 << 30, "x", 1, NULL), SL_NOSPACE);
    assert_int_equal(sl_fs_space(d.fs, "/", &space, NULL), SL_OK);
    assert_int_equal(space.total_bytes, 1000);
    assert_int_equal(space.available_bytes, 0);
    sl_file_close(&f);
    assert_int_equal(sl_fs_remove(d.fs, "/f", NULL), SL_OK);
    assert_int_equal(sl_fs_sync_dir(d.fs, "/", NULL), SL_OK);
    assert_int_equal(sl_fs_space(d.fs, "/", &space, NULL), SL_OK);
    assert_int_equal(space.available_bytes, 1000);
    sl_env_sim_free(&d.sim);
}

/* ---- the sweep: every call fails once ---- */

/* The pattern of every file that is replaced: write aside, sync, rename, sync the directory. */
static enum sl_err save(struct sl_fs *fs, const char *path, char letter, bool sync)
{
    struct sl_file *file = NULL;
    char            tmp[SL_PATH_BYTES_MAX];
    char            image[BIG];
    enum sl_err     err;

    memset(image, letter, sizeof image);
    if ((err = sl_path_add(tmp, path, ".tmp", NULL)) != SL_OK)
        return err;
    if ((err = sl_fs_create(fs, tmp, &file, NULL)) != SL_OK)
        return err;
    if ((err = sl_file_write(file, image, sizeof image, NULL)) != SL_OK)
        goto close_file;
    if (sync && (err = sl_file_sync(file, NULL)) != SL_OK)
        goto close_file;
    sl_file_close(&file);
    if ((err = sl_fs_rename(fs, tmp, path, NULL)) != SL_OK)
        goto remove_tmp;
    return sl_fs_sync_dir_of(fs, path, NULL);

close_file:
    sl_file_close(&file);
remove_tmp:
    sl_fs_try_remove(fs, tmp);
    return err;
}

static bool holds_whole(struct disk *d, char letter)
{
    char got[BIG];
    int  bytes = get(d, "/cp", got);

    return bytes == BIG && count_of(got, BIG, letter) == BIG;
}

/* Save over an old one while the nth call fails. After a success: the new one, after an error: the
 * old or the new one, whole; now and after a power cut. False: not so. */
static bool save_once(uint64_t seed, uint64_t nth, enum sl_err fault, bool sync, bool *through)
{
    struct disk d = disk_new(seed);
    enum sl_err err;
    bool        good = true;

    assert_int_equal(save(d.fs, "/cp", 'o', true), SL_OK);
    sl_env_sim_fail_nth(d.sim, nth, 1, fault);
    err = save(d.fs, "/cp", 'n', sync);
    *through = sl_env_sim_failed(d.sim) == 0;
    sl_env_sim_fail_nth(d.sim, 0, 0, SL_OK);
    if (*through)
        assert_int_equal(err, SL_OK);
    for (int look = 0; look < 2; look++) {
        good = good && (holds_whole(&d, 'n') || (err != SL_OK && holds_whole(&d, 'o')));
        sl_env_sim_power_cut(d.sim);
    }
    sl_env_sim_free(&d.sim);
    return good;
}

static void a_file_replaced_with_syncs_is_old_or_new_whichever_call_fails(void **state)
{
    static const enum sl_err faults[] = {SL_IO, SL_NOSPACE};

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        bool     through = false;
        uint64_t nth = 0;

        while (!through) {
            nth++;
            assert_true(save_once(seed, nth, faults[seed % 2], true, &through));
        }
        assert_int_equal(nth, 6); /* create, write, sync, rename, sync directory; then none */
    }
}

/* The canary: were the sweep blind, it would let this pass. */
static void the_sweep_finds_a_missing_sync(void **state)
{
    unsigned found = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        bool through;

        found += !save_once(seed, 100, SL_IO, false, &through);
    }
    assert_true(found > 0);
}

/* ---- determinism ---- */

static uint64_t noted(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 0x100000001b3u;
}

/* Saves amid faults and cuts; the hash of all that could be seen. */
static uint64_t transcript(uint64_t seed)
{
    struct disk d = disk_new(seed);
    uint64_t    hash = 0xcbf29ce484222325u;
    char        got[BIG];

    sl_env_sim_disk(d.sim)->write_fail_ppm = SL_ENV_SIM_ALWAYS_PPM / 5;
    sl_env_sim_disk(d.sim)->sync_fail_ppm = SL_ENV_SIM_ALWAYS_PPM / 5;
    for (char letter = 'a'; letter <= 'z'; letter++) {
        int bytes;

        hash = noted(hash, save(d.fs, "/cp", letter, letter % 2 == 0));
        if (letter % 3 == 0)
            sl_env_sim_power_cut(d.sim);
        bytes = get(&d, "/cp", got);
        hash = noted(hash, (uint64_t)(bytes + 1));
        for (int i = 0; i < bytes; i += SECTOR)
            hash = noted(hash, (unsigned char)got[i]);
    }
    sl_env_sim_free(&d.sim);
    return hash;
}

static void the_seed_decides_everything(void **state)
{
    unsigned differ = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        assert_int_equal(transcript(seed), transcript(seed));
        differ += transcript(seed) != transcript(seed + 1);
    }
    assert_int_equal(differ, 50);
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
        cmocka_unit_test(after_a_failed_sync_data_is_lost_although_the_next_one_succeeds),
        cmocka_unit_test(a_lying_disk_loses_what_it_acknowledged),
        cmocka_unit_test(the_nth_call_fails_and_the_next_ones),
        cmocka_unit_test(a_failed_write_has_written_any_prefix),
        cmocka_unit_test(chances_fail_reads_and_syncs),
        cmocka_unit_test(the_quota_is_kept_to_the_byte_and_given_back),
        cmocka_unit_test(a_file_replaced_with_syncs_is_old_or_new_whichever_call_fails),
        cmocka_unit_test(the_sweep_finds_a_missing_sync),
        cmocka_unit_test(the_seed_decides_everything),
    };

    return cmocka_run_group_tests_name("env_sim_fs", tests, NULL, NULL);
}
