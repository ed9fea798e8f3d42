/* The log's file on the real disk: created with its folders, rotated under a name nobody has,
 * reopened in place, and honest about what it could not write. A limit on the size of files stands
 * for a full disk where a line must end in its middle. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log_parts.h"
#include "lib/folder.h"

#define WALL INT64_C(1556443799016000000) /* 2019-04-28 09:29:59.016 UTC */

enum { ROTATE_BYTES = 32 };

static char            folder[FOLDER_PATH_BYTES];
static struct log_file file;
static struct sl_why   why;

static int make_folder(void **state)
{
    (void)state;
    folder_make(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    log_file_close(&file);
    folder_remove(folder);
    return 0;
}

static void open_file(const char *name)
{
    char path[FOLDER_PATH_BYTES];

    folder_join(path, folder, name);
    assert_int_equal(log_file_open(&file, path, ROTATE_BYTES, &why), SL_OK);
}

static void write_text(const char *text)
{
    assert_int_equal(log_file_write(&file, text, strlen(text), &why), SL_OK);
}

static void set_size_limit(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void opening_makes_folders_and_appends(void **state)
{
    (void)state;
    open_file("a/b/x.log");
    write_text("one\n");
    log_file_close(&file);
    open_file("a/b/x.log");
    assert_int_equal(file.bytes, 4);
    write_text("two\n");
    assert_string_equal(folder_read(folder, "a/b/x.log"), "one\ntwo\n");
}

static void only_the_owner_reads_the_file(void **state)
{
    struct stat st;
    char        path[FOLDER_PATH_BYTES];

    (void)state;
    open_file("x.log");
    folder_join(path, folder, "x.log");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_cannot_be_opened_is_refused_with_its_name(void **state)
{
    char path[FOLDER_PATH_BYTES];
    char longest[SL_PATH_BYTES_MAX];

    (void)state;
    folder_join(path, folder, "plain");
    open_file("plain");
    log_file_close(&file);
    folder_join(path, folder, "plain/x.log");
    assert_int_not_equal(log_file_open(&file, path, ROTATE_BYTES, &why), SL_OK);
    assert_non_null(strstr(why.text, path));
    assert_int_not_equal(log_file_open(&file, folder, ROTATE_BYTES, &why), SL_OK);
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 24] = '\0';
    assert_int_equal(log_file_open(&file, longest, ROTATE_BYTES, &why), SL_TOO_LARGE);
}

static void rotation_names_the_old_file_by_local_time(void **state)
{
    static const struct {
        const char *name;
        const char *backup;
    } cases[] = {
        {"x.log", "x-2019-04-28T11-29-59.016.log"},
        {"x", "x-2019-04-28T11-29-59.016"},
        {"x.y.log", "x.y-2019-04-28T11-29-59.016.log"},
        {"dir.d/x", "dir.d/x-2019-04-28T11-29-59.016"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_file(cases[i].name);
        write_text("old\n");
        assert_int_equal(log_file_rotate(&file, WALL, 7200, &why), SL_OK);
        write_text("new\n");
        log_file_close(&file);
        assert_string_equal(folder_read(folder, cases[i].backup), "old\n");
        assert_string_equal(folder_read(folder, cases[i].name), "new\n");
    }
}

static void rotation_never_replaces_an_older_file(void **state)
{
    (void)state;
    open_file("x.log");
    for (const char *text = "123"; *text != '\0'; text++) {
        assert_int_equal(log_file_write(&file, text, 1, &why), SL_OK);
        assert_int_equal(log_file_rotate(&file, WALL, 0, &why), SL_OK);
    }
    assert_int_equal(folder_count(folder), 4);
    assert_string_equal(folder_read(folder, "x-2019-04-28T09-29-59.016.log"), "1");
    assert_string_equal(folder_read(folder, "x-2019-04-28T09-29-59.017.log"), "2");
    assert_string_equal(folder_read(folder, "x-2019-04-28T09-29-59.018.log"), "3");
}

static void a_file_is_full_before_a_line_makes_it_too_large(void **state)
{
    (void)state;
    open_file("x.log");
    assert_false(log_file_is_full(&file, 2 * ROTATE_BYTES)); /* empty: no use in rotating it */
    write_text("0123456789\n");
    assert_false(log_file_is_full(&file, ROTATE_BYTES - 11));
    assert_true(log_file_is_full(&file, ROTATE_BYTES - 10));
}

static void only_regular_files_are_rotated(void **state)
{
    (void)state;
    assert_int_equal(log_file_open(&file, "/dev/null", ROTATE_BYTES, &why), SL_OK);
    for (unsigned i = 0; i < ROTATE_BYTES; i++)
        write_text("line\n");
    assert_false(log_file_is_full(&file, ROTATE_BYTES));
}

static void a_failed_rotation_goes_on_in_the_old_file(void **state)
{
    char aside[FOLDER_PATH_BYTES];
    char path[FOLDER_PATH_BYTES];

    (void)state;
    open_file("d/x.log");
    write_text("01234567890123456789012345678901");
    assert_true(log_file_is_full(&file, 1));
    folder_join(path, folder, "d");
    folder_join(aside, folder, "e");
    assert_int_equal(rename(path, aside), 0);
    (void)fclose(fopen(path, "we")); /* a file where the folder was */
    assert_int_not_equal(log_file_rotate(&file, WALL, 0, &why), SL_OK);
    assert_false(log_file_is_full(&file, 1));
    write_text("more\n");
    assert_string_equal(folder_read(folder, "e/x.log"), "01234567890123456789012345678901more\n");
}

static void reopening_keeps_the_descriptor(void **state)
{
    char path[FOLDER_PATH_BYTES];
    char moved[FOLDER_PATH_BYTES];
    int  fd;

    (void)state;
    open_file("x.log");
    fd = file.fd;
    write_text("one\n");
    folder_join(path, folder, "x.log");
    folder_join(moved, folder, "x.log.1");
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(log_file_reopen(&file, &why), SL_OK);
    assert_int_equal(file.fd, fd);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(file.bytes, 0);
    write_text("two\n");
    assert_string_equal(folder_read(folder, "x.log.1"), "one\n");
    assert_string_equal(folder_read(folder, "x.log"), "two\n");
}

static void a_full_device_is_an_error_with_its_name(void **state)
{
    (void)state;
    assert_int_equal(log_file_open(&file, "/dev/full", ROTATE_BYTES, &why), SL_OK);
    assert_int_equal(log_file_write(&file, "line\n", 5, &why), SL_NOSPACE);
    assert_string_equal(why.text, "write /dev/full: No space left on device");
}

static void a_torn_line_is_ended_before_the_next(void **state)
{
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    open_file("x.log");
    write_text("one\n");
    set_size_limit(8);
    assert_int_equal(log_file_write(&file, "torn line\n", 10, &why), SL_TOO_LARGE);
    assert_int_equal(log_file_write(&file, "lost\n", 5, &why), SL_TOO_LARGE);
    set_size_limit(RLIM_INFINITY);
    write_text("two\n");
    write_text("three\n");
    assert_string_equal(folder_read(folder, "x.log"), "one\ntorn\ntwo\nthree\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(opening_makes_folders_and_appends),
        TEST(only_the_owner_reads_the_file),
        TEST(what_cannot_be_opened_is_refused_with_its_name),
        TEST(rotation_names_the_old_file_by_local_time),
        TEST(rotation_never_replaces_an_older_file),
        TEST(a_file_is_full_before_a_line_makes_it_too_large),
        TEST(only_regular_files_are_rotated),
        TEST(a_failed_rotation_goes_on_in_the_old_file),
        TEST(reopening_keeps_the_descriptor),
        TEST(a_full_device_is_an_error_with_its_name),
        TEST(a_torn_line_is_ended_before_the_next),
    };
#undef TEST

    return cmocka_run_group_tests_name("log_file", tests, NULL, NULL);
}
