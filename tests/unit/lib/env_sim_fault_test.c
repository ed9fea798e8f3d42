/* The simulated disk: what a failed call, a lying disk and a full one do, that a careful writer
 * survives each of them, and that the seed decides everything. Outcomes that a seed draws are
 * treated as in env_sim_fs_test.c. */

#include "unit/lib/disk.h"

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

        disk_put(&d, "/f", 'a', BIG, true);
        disk_put(&d, "/f", 'b', BIG, false);
        assert_int_equal(sl_fs_open(d.fs, "/f", SL_OPEN_WRITE, &f, NULL), SL_OK);
        sl_env_sim_fail_nth(d.sim, 1, 1, SL_IO);
        assert_int_equal(sl_file_sync(f, NULL), SL_IO);
        assert_int_equal(sl_file_sync(f, NULL), SL_OK);
        sl_file_close(&f);
        before = letter_count(got, disk_get(&d, "/f", got), 'b');
        sl_env_sim_power_cut(d.sim);
        after = letter_count(got, disk_get(&d, "/f", got), 'b');
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
        disk_put(&d, "/f", 'a', BIG, true);
        sl_env_sim_power_cut(d.sim);
        lost += disk_get(&d, "/f", got) < BIG;
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
        bytes = disk_get(&d, "/f", got);
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
    int  bytes = disk_get(d, "/cp", got);

    return bytes == BIG && letter_count(got, BIG, letter) == BIG;
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
        bytes = disk_get(&d, "/cp", got);
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

    return cmocka_run_group_tests_name("env_sim_fault", tests, NULL, NULL);
}
