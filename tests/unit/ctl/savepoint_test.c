/* The savepoint of generate_meta has the original's bytes, with and without a time zone, replaces
 * an older one, can be read by others and is never there in part. Times are written as Go writes
 * them, and as people read them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "ctl/savepoint.h"
#include "ctl/text.h"
#include "lib/env_sim.h"
#include "lib/folder.h"

enum { TS_OF_A_DAY_IN_1970 = 123 };

static void set_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static const char *write_one(const char *folder, sl_ts ts, const char *zone, enum sl_err *zone_err)
{
    struct sl_why why = {0};
    char          dir[FOLDER_PATH_BYTES];

    folder_join(dir, folder, "a");
    assert_int_equal(ctl_savepoint_write(sl_env_os(), dir, ts, zone, zone_err, &why, &why), SL_OK);
    return folder_read(folder, "a/savepoint");
}

static void a_savepoint_has_the_originals_bytes(void **state)
{
    char        folder[FOLDER_PATH_BYTES];
    char        path[FOLDER_PATH_BYTES];
    struct stat info;
    enum sl_err zone_err;

    (void)state;
    folder_make(folder);
    assert_string_equal(write_one(folder, 470615525704073217, "", &zone_err),
                        "commitTS = 470615525704073217\n");
    assert_int_equal(zone_err, SL_OK);
    folder_join(path, folder, "a/savepoint");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    folder_join(path, folder, "a");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_string_equal(write_one(folder, TS_OF_A_DAY_IN_1970, "UTC", &zone_err),
                        "commitTS = 123\n1970-01-01 00:00:00 +0000 UTC\n"
                        "1970-01-01 00:00:00 +0000 UTC");
    assert_int_equal(folder_count(path), 1);
    folder_remove(folder);
}

static void a_zone_adds_two_lines_and_changes_no_other_time(void **state)
{
    char        folder[FOLDER_PATH_BYTES];
    char        text[CTL_TIME_BYTES];
    enum sl_err zone_err;

    (void)state;
    if (ctl_text_go_time_in(sl_env_os(), "Asia/Shanghai", 0, text, NULL) != SL_OK)
        skip(); /* no tz database here */
    folder_make(folder);
    set_zone("XYZ-1:30");
    assert_string_equal(write_one(folder, TS_OF_A_DAY_IN_1970, "Asia/Shanghai", &zone_err),
                        "commitTS = 123\n1970-01-01 00:00:00 +0000 UTC\n"
                        "1970-01-01 08:00:00 +0800 CST");
    ctl_text_go_time(0, text);
    assert_string_equal(text, "1970-01-01 01:30:00 +0130 XYZ");
    assert_string_equal(write_one(folder, TS_OF_A_DAY_IN_1970, "Local", &zone_err),
                        "commitTS = 123\n1970-01-01 00:00:00 +0000 UTC\n"
                        "1970-01-01 01:30:00 +0130 XYZ");
    folder_remove(folder);
}

static void a_zone_that_is_none_costs_its_lines_only(void **state)
{
    static const char *const zones[] = {"Asia/Nowhere", "/etc/localtime", "../zoneinfo/Asia/Tokyo",
                                        "Asia"};
    char                     folder[FOLDER_PATH_BYTES];

    (void)state;
    folder_make(folder);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        enum sl_err zone_err;

        assert_string_equal(write_one(folder, 123, zones[i], &zone_err), "commitTS = 123\n");
        assert_int_equal(zone_err, SL_INVALID);
    }
    folder_remove(folder);
}

/* Whatever call fails, the old file is there or the new one. */
static void a_savepoint_is_never_there_in_part(void **state)
{
    bool through = false;

    (void)state;
    for (uint64_t n = 1; !through; n++) {
        struct sl_env_sim   *sim = sl_env_sim_new(n);
        const struct sl_env *env = sl_env_sim_env(sim);
        char                 text[64] = {0};
        size_t               bytes;
        enum sl_err          zone_err;
        enum sl_err          err;

        assert_int_equal(ctl_savepoint_write(env, "/d", 1, "", &zone_err, NULL, NULL), SL_OK);
        assert_int_equal(sl_fs_sync_dir(env->fs, "/", NULL), SL_OK);
        sl_env_sim_fail_nth(sim, n, 1, SL_IO);
        err = ctl_savepoint_write(env, "/d", 2, "", &zone_err, NULL, NULL);
        through = sl_env_sim_failed(sim) == 0;
        sl_env_sim_fail_nth(sim, 0, 0, SL_OK);
        sl_env_sim_power_cut(sim);
        assert_int_equal(sl_fs_read(env->fs, "/d/savepoint", text, sizeof text - 1, &bytes, NULL),
                         SL_OK);
        if (strcmp(text, "commitTS = 2\n") != 0) {
            assert_string_equal(text, "commitTS = 1\n");
            assert_int_not_equal(err, SL_OK);
        }
        sl_env_sim_free(&sim);
    }
}

static void spans_have_their_two_largest_units(void **state)
{
    static const struct {
        int64_t     ms;
        const char *text;
    } spans[] = {
        {-5, "0.0 s"},       {249, "0.2 s"},       {9999, "9.9 s"},
        {10000, "10 s"},     {59999, "59 s"},      {725000, "12m 05s"},
        {7870000, "2h 11m"}, {86400000, "1d 00h"}, {604799999, "6d 23h"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        char text[CTL_TIME_BYTES];

        ctl_text_span(spans[i].ms, text);
        assert_string_equal(text, spans[i].text);
    }
}

static void moments_follow_the_zone_and_say_the_day_when_it_is_another(void **state)
{
    char text[CTL_TIME_BYTES];

    (void)state;
    set_zone("XYZ-1:30");
    ctl_text_moment(1000, 5000, text);
    assert_string_equal(text, "01:30:01.000");
    ctl_text_moment(1234, 86400000, text);
    assert_string_equal(text, "1970-01-01 01:30:01.234");
    ctl_text_clock(5000, text);
    assert_string_equal(text, "01:30:05 +01:30");
    ctl_text_rfc3339(1234, text);
    assert_string_equal(text, "1970-01-01T00:00:01.234Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_savepoint_has_the_originals_bytes),
        cmocka_unit_test(a_zone_adds_two_lines_and_changes_no_other_time),
        cmocka_unit_test(a_zone_that_is_none_costs_its_lines_only),
        cmocka_unit_test(a_savepoint_is_never_there_in_part),
        cmocka_unit_test(spans_have_their_two_largest_units),
        cmocka_unit_test(moments_follow_the_zone_and_say_the_day_when_it_is_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
