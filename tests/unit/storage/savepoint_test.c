/* The savepoint: what is written is read again, also by the rules of the original's file; what is
 * damaged is refused with its place; a failing disk leaves the old one or the new one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"
#include "storage/savepoint.h"

static struct sl_env_sim *sim;
static struct sl_fs      *fs;
static struct sl_why      why;

static int begin(void **state)
{
    (void)state;
    sim = sl_env_sim_new(1);
    fs = sl_env_sim_env(sim)->fs;
    return (int)sl_fs_mkdir(fs, "/data", NULL);
}

static int end(void **state)
{
    (void)state;
    sl_env_sim_free(&sim);
    return 0;
}

static void put(const char *text)
{
    assert_int_equal(sl_fs_replace(fs, "/data/savepoint", text, strlen(text), NULL), SL_OK);
}

static void assert_reads(sl_ts ts, int64_t version, bool is_consistent)
{
    struct sl_savepoint out;

    assert_int_equal(sl_savepoint_read(fs, "/data", &out, &why), SL_OK);
    assert_int_equal(out.commit_ts, ts);
    assert_int_equal(out.schema_version, version);
    assert_int_equal(out.is_consistent, is_consistent);
}

static void what_is_written_is_read(void **state)
{
    const struct sl_savepoint savepoint = {435000000000000000, 123, true};

    (void)state;
    assert_reads(0, 0, false); /* there is none */
    assert_int_equal(sl_savepoint_write(fs, "/data", &savepoint, &why), SL_OK);
    assert_reads(435000000000000000, 123, true);
}

static void files_of_the_original_are_read(void **state)
{
    (void)state;
    put("commitTS = 411000000000000000\n"); /* an old one */
    assert_reads(411000000000000000, 0, false);
    put("# by hand\ncommitTS=7 # so far\r\n  schema-version\t=  9\nconsistent = true\n[other]\n");
    assert_reads(7, 9, true);
    put("committs = 8\n2026-11-21 08:49:02 +0000 UTC\n2026-11-21 16:49:02 +0800 CST");
    assert_reads(8, 0, false);
    put("commitTS = 0\n");
    assert_reads(0, 0, false);
}

/* To begin anew would lose what lies between. */
static void a_file_without_a_timestamp_is_not_taken_for_a_missing_one(void **state)
{
    static const char *const bad[] = {"", "\n", "garbage\n", "# commitTS = 5\n",
                                      "consistent = true\nschema-version = 7\n"};
    struct sl_savepoint      out;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(bad[i]);
        assert_int_equal(sl_savepoint_read(fs, "/data", &out, &why), SL_INVALID);
        assert_non_null(strstr(why.text, "/data/savepoint: no line \"commitTS = N\""));
    }
}

static void what_is_no_savepoint_is_refused_with_its_line(void **state)
{
    static const char *const bad[] = {
        "consistent = false\ncommitTS = soon\n",
        "consistent = false\ncommitTS = -5\n",
        "consistent = false\ncommitTS = 99999999999999999999\n",
        "commitTS = 5\nschema-version = 1.5\n",
        "commitTS = 5\nconsistent = maybe\n",
    };
    struct sl_savepoint out;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(bad[i]);
        assert_int_equal(sl_savepoint_read(fs, "/data", &out, &why), SL_INVALID);
        if (strstr(why.text, "/data/savepoint:2:") == NULL)
            fail_msg("\"%s\" does not name the line", why.text);
    }
}

static void a_file_that_is_too_long_is_refused(void **state)
{
    static char         text[SL_SAVEPOINT_BYTES_MAX * 4];
    struct sl_savepoint out;

    (void)state;
    memset(text, '#', sizeof text - 1);
    put(text);
    assert_true(sl_savepoint_read(fs, "/data", &out, &why) != SL_OK);
}

static void a_failing_disk_leaves_a_whole_one(void **state)
{
    uint64_t failed = 1;

    (void)state;
    for (uint64_t nth = 1; failed > 0; nth++) {
        const struct sl_savepoint before = {.commit_ts = 5, .schema_version = 1};
        const struct sl_savepoint after = {.commit_ts = 6, .schema_version = 2};
        struct sl_savepoint       out;
        enum sl_err               err;

        assert_int_equal(sl_savepoint_write(fs, "/data", &before, &why), SL_OK);
        sl_env_sim_fail_nth(sim, nth, 1, SL_IO);
        err = sl_savepoint_write(fs, "/data", &after, &why);
        failed = sl_env_sim_failed(sim);
        sl_env_sim_fail_nth(sim, 0, 0, SL_OK);
        assert_int_equal(err, failed > 0 ? SL_IO : SL_OK);
        assert_int_equal(sl_savepoint_read(fs, "/data", &out, &why), SL_OK);
        assert_true(out.commit_ts == 6 || (err != SL_OK && out.commit_ts == 5));
    }
}

int main(void)
{
#define SAVEPOINT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        SAVEPOINT_TEST(what_is_written_is_read),
        SAVEPOINT_TEST(files_of_the_original_are_read),
        SAVEPOINT_TEST(a_file_without_a_timestamp_is_not_taken_for_a_missing_one),
        SAVEPOINT_TEST(what_is_no_savepoint_is_refused_with_its_line),
        SAVEPOINT_TEST(a_file_that_is_too_long_is_refused),
        SAVEPOINT_TEST(a_failing_disk_leaves_a_whole_one),
    };

    return cmocka_run_group_tests_name("savepoint", tests, NULL, NULL);
}
