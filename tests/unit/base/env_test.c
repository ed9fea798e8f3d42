/* The path helpers and the seam: what the wrappers add to the functions behind them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"

static void joining_and_adding_make_paths(void **state)
{
    char path[SL_PATH_BYTES_MAX];

    (void)state;
    assert_int_equal(sl_path_join(path, "/data", "savepoint", NULL), SL_OK);
    assert_string_equal(path, "/data/savepoint");
    assert_int_equal(sl_path_add(path, "/data/savepoint", ".tmp", NULL), SL_OK);
    assert_string_equal(path, "/data/savepoint.tmp");
}

static void the_longest_path_fits_and_one_more_does_not(void **state)
{
    char          dir[SL_PATH_BYTES_MAX];
    char          path[SL_PATH_BYTES_MAX];
    struct sl_why why = {0};

    (void)state;
    memset(dir, 'd', sizeof dir);
    dir[SL_PATH_BYTES_MAX - 3] = '\0'; /* with "/" and one letter exactly full */
    assert_int_equal(sl_path_join(path, dir, "f", &why), SL_OK);
    assert_int_equal(strlen(path), SL_PATH_BYTES_MAX - 1);
    assert_int_equal(sl_path_join(path, dir, "ff", &why), SL_TOO_LARGE);
    assert_int_equal(strncmp(why.text, "path of 4096 bytes, the limit is 4095: ddd", 42), 0);
    assert_int_equal(sl_path_add(path, dir, "ff", NULL), SL_OK);
    assert_int_equal(sl_path_add(path, dir, "fff", NULL), SL_TOO_LARGE);
}

static void an_empty_path_is_an_error(void **state)
{
    char          path[SL_PATH_BYTES_MAX];
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(sl_path_join(path, "", "f", &why), SL_INVALID);
    assert_string_equal(why.text, "the path is empty");
    assert_int_equal(sl_path_add(path, "", ".tmp", NULL), SL_INVALID);
}

/* A file system that only notes what it is asked. */
struct notes {
    struct sl_fs fs;
    char         synced[SL_PATH_BYTES_MAX];
    char         made[256]; /* each path and a blank */
};

static enum sl_err note_sync_dir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    (void)why;
    strncpy(((struct notes *)fs)->synced, path, SL_PATH_BYTES_MAX - 1);
    return SL_OK;
}

static enum sl_err note_mkdir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    struct notes *notes = (struct notes *)fs;

    (void)why;
    strncat(notes->made, path, sizeof notes->made - strlen(notes->made) - 1);
    strncat(notes->made, " ", sizeof notes->made - strlen(notes->made) - 1);
    return strcmp(path, "/full") == 0 ? SL_NOSPACE : SL_OK;
}

static const struct sl_fs_ops note_ops = {.sync_dir = note_sync_dir, .mkdir = note_mkdir};

static void syncing_the_directory_of_an_entry_finds_its_parent(void **state)
{
    static const struct {
        const char *entry;
        const char *dir;
    } rows[] = {
        {"/a/b", "/a"}, {"/a", "/"},  {"a", "."},   {"a/b", "a"},       {"/a/b/", "/a"},
        {"a//b", "a"},  {"//a", "/"}, {"./a", "."}, {"/a/b/c", "/a/b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct notes notes = {.fs.ops = &note_ops};

        assert_int_equal(sl_fs_sync_dir_of(&notes.fs, rows[i].entry, NULL), SL_OK);
        assert_string_equal(notes.synced, rows[i].dir);
    }
}

static void making_a_directory_begins_at_the_top_and_stops_at_the_first_error(void **state)
{
    struct notes notes = {.fs.ops = &note_ops};
    struct notes full = {.fs.ops = &note_ops};

    (void)state;
    assert_int_equal(sl_fs_mkdir_all(&notes.fs, "/a//b/c/", NULL), SL_OK);
    assert_string_equal(notes.made, "/a /a//b /a//b/c ");
    assert_int_equal(sl_fs_mkdir_all(&full.fs, "/full/b", NULL), SL_NOSPACE);
    assert_string_equal(full.made, "/full ");
}

/* A file that takes the first write and no other. */
struct once {
    struct sl_file file;
    unsigned       writes;
};

static enum sl_err write_once(struct sl_file *f, uint64_t at, const void *bytes, size_t count,
                              struct sl_why *why)
{
    struct once *once = (struct once *)f;

    (void)at, (void)bytes, (void)count, (void)why;
    return once->writes++ == 0 ? SL_OK : SL_NOSPACE;
}

static const struct sl_file_ops once_ops = {.write_at = write_once};

static void the_position_moves_only_when_all_was_written(void **state)
{
    struct once once = {.file.ops = &once_ops};

    (void)state;
    assert_int_equal(sl_file_write(&once.file, "12345", 5, NULL), SL_OK);
    assert_int_equal(once.file.position, 5);
    assert_int_equal(sl_file_write(&once.file, "12345", 5, NULL), SL_NOSPACE);
    assert_int_equal(once.file.position, 5);
}

static void closing_nothing_is_allowed(void **state)
{
    struct sl_file   *file = NULL;
    struct sl_socket *socket = NULL;

    (void)state;
    sl_file_close(&file);
    sl_socket_close(&socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_and_adding_make_paths),
        cmocka_unit_test(the_longest_path_fits_and_one_more_does_not),
        cmocka_unit_test(an_empty_path_is_an_error),
        cmocka_unit_test(syncing_the_directory_of_an_entry_finds_its_parent),
        cmocka_unit_test(making_a_directory_begins_at_the_top_and_stops_at_the_first_error),
        cmocka_unit_test(the_position_moves_only_when_all_was_written),
        cmocka_unit_test(closing_nothing_is_allowed),
    };

    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
