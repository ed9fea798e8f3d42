/* The contract of the file system, asked in the same words of Linux (in a folder of its own) and of
 * the simulation: what a test proves on the second then holds on the first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/env_os.h"
#include "lib/env_sim.h"

/* A file system and an empty folder on it. */
struct world {
    struct sl_env_sim *sim; /* owned; NULL: Linux */
    struct sl_fs      *fs;
    char               root[SL_PATH_BYTES_MAX];
    char               path[4][SL_PATH_BYTES_MAX]; /* scratch of at() */
    unsigned           paths;
};

/* The path of name in the folder; good for the next three calls. */
static const char *at(struct world *w, const char *name)
{
    char *out = w->path[w->paths++ % 4];

    assert_int_equal(sl_path_join(out, w->root, name, NULL), SL_OK);
    return out;
}

static struct sl_file *opened(struct world *w, const char *name, unsigned flags)
{
    struct sl_file *f = NULL;
    struct sl_why   why = {0};

    if (sl_fs_open(w->fs, at(w, name), flags, &f, &why) != SL_OK)
        fail_msg("%s", why.text);
    return f;
}

static void put(struct world *w, const char *name, const char *text)
{
    struct sl_file *f = NULL;

    assert_int_equal(sl_fs_create(w->fs, at(w, name), &f, NULL), SL_OK);
    assert_int_equal(sl_file_write(f, text, strlen(text), NULL), SL_OK);
    sl_file_close(&f);
}

static void assert_holds(struct world *w, const char *name, const char *text)
{
    struct sl_file *f = opened(w, name, SL_OPEN_READ);
    char            got[64] = {0};
    size_t          count = 0;

    assert_int_equal(sl_file_read_at(f, 0, got, sizeof got - 1, &count, NULL), SL_OK);
    assert_int_equal(count, strlen(text));
    assert_string_equal(got, text);
    sl_file_close(&f);
}

/* ---- claims ---- */

static void what_is_written_is_read_until_the_end(struct world *w)
{
    struct sl_file *f = opened(w, "f", SL_OPEN_READ | SL_OPEN_WRITE | SL_OPEN_CREATE);
    char            got[16] = {0};
    size_t          count = 99;
    uint64_t        bytes = 99;

    assert_int_equal(sl_file_write(f, "hello ", 6, NULL), SL_OK);
    assert_int_equal(sl_file_write(f, "world", 5, NULL), SL_OK);
    assert_int_equal(f->position, 11);
    assert_int_equal(sl_file_write_at(f, 6, "W", 1, NULL), SL_OK);
    assert_int_equal(f->position, 11);
    sl_file_push(f, 0, 11); /* a hint: nothing that can be seen changes */
    assert_int_equal(sl_file_read_at(f, 0, got, sizeof got, &count, NULL), SL_OK);
    assert_int_equal(count, 11);
    assert_string_equal(got, "hello World");
    assert_int_equal(sl_file_read_at(f, 11, got, sizeof got, &count, NULL), SL_OK);
    assert_int_equal(count, 0);
    assert_int_equal(sl_file_read_at(f, 500, got, 0, &count, NULL), SL_OK);
    assert_int_equal(count, 0);
    assert_int_equal(sl_file_size(f, &bytes, NULL), SL_OK);
    assert_int_equal(bytes, 11);
    assert_int_equal(sl_file_sync(f, NULL), SL_OK);
    sl_file_close(&f);
    assert_null(f);
    sl_file_close(&f);
}

static void holes_and_extensions_read_as_zeros(struct world *w)
{
    struct sl_file *f = opened(w, "f", SL_OPEN_READ | SL_OPEN_WRITE | SL_OPEN_CREATE);
    static char     got[5000];
    size_t          count = 0;

    assert_int_equal(sl_file_write_at(f, 3000, "x", 1, NULL), SL_OK);
    assert_int_equal(sl_file_truncate(f, 4000, NULL), SL_OK);
    memset(got, 1, sizeof got);
    assert_int_equal(sl_file_read_at(f, 0, got, sizeof got, &count, NULL), SL_OK);
    assert_int_equal(count, 4000);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(got[i], i == 3000 ? 'x' : 0);
    assert_int_equal(sl_file_truncate(f, 3000, NULL), SL_OK);
    assert_int_equal(sl_file_truncate(f, 3002, NULL), SL_OK);
    assert_int_equal(sl_file_read_at(f, 3000, got, sizeof got, &count, NULL), SL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(got[0], 0); /* what was cut off does not come back */
    sl_file_close(&f);
}

static void open_flags_mean_what_they_say(struct world *w)
{
    struct sl_file *f = NULL;
    struct sl_why   why = {0};
    char            want[2 * SL_PATH_BYTES_MAX];
    char            byte;
    size_t          count;

    assert_int_equal(sl_fs_open(w->fs, at(w, "f"), SL_OPEN_READ, &f, &why), SL_NOT_FOUND);
    (void)snprintf(want, sizeof want, "open %s/f: No such file or directory", w->root);
    assert_string_equal(why.text, want);
    put(w, "f", "old");
    assert_int_equal(
        sl_fs_open(w->fs, at(w, "f"), SL_OPEN_WRITE | SL_OPEN_CREATE | SL_OPEN_EXCLUSIVE, &f, &why),
        SL_EXISTS);
    f = opened(w, "f", SL_OPEN_WRITE | SL_OPEN_CREATE);
    assert_int_equal(sl_file_read_at(f, 0, &byte, 1, &count, &why), SL_SYSTEM);
    sl_file_close(&f);
    assert_holds(w, "f", "old");
    f = opened(w, "f", SL_OPEN_READ);
    assert_int_equal(sl_file_write(f, "new", 3, &why), SL_SYSTEM);
    assert_int_equal(f->position, 0);
    sl_file_close(&f);
    f = opened(w, "f", SL_OPEN_WRITE | SL_OPEN_TRUNCATE);
    sl_file_close(&f);
    assert_holds(w, "f", "");
}

static void a_directory_is_no_file_and_a_file_no_directory(struct world *w)
{
    struct sl_file     *f = NULL;
    struct sl_file_info info;

    assert_int_equal(sl_fs_mkdir(w->fs, at(w, "d"), NULL), SL_OK);
    assert_int_equal(sl_fs_mkdir(w->fs, at(w, "d"), NULL), SL_EXISTS);
    assert_int_equal(sl_fs_mkdir(w->fs, at(w, "absent/d"), NULL), SL_NOT_FOUND);
    put(w, "f", "12345");
    assert_int_equal(sl_fs_open(w->fs, at(w, "d"), SL_OPEN_READ, &f, NULL), SL_INVALID);
    assert_int_equal(sl_fs_create(w->fs, at(w, "d"), &f, NULL), SL_INVALID);
    assert_int_equal(sl_fs_create(w->fs, at(w, "f/g"), &f, NULL), SL_INVALID);
    assert_int_equal(sl_fs_create(w->fs, at(w, "absent/g"), &f, NULL), SL_NOT_FOUND);
    assert_int_equal(sl_fs_sync_dir(w->fs, at(w, "f"), NULL), SL_INVALID);
    assert_int_equal(sl_fs_info(w->fs, at(w, "f"), &info, NULL), SL_OK);
    assert_int_equal(info.kind, SL_FILE_REGULAR);
    assert_int_equal(info.bytes, 5);
    assert_int_equal(sl_fs_info(w->fs, at(w, "d"), &info, NULL), SL_OK);
    assert_int_equal(info.kind, SL_FILE_DIRECTORY);
    assert_int_equal(sl_fs_info(w->fs, at(w, "absent"), &info, NULL), SL_NOT_FOUND);
}

static void rename_replaces(struct world *w)
{
    put(w, "a", "new");
    put(w, "b", "old");
    assert_int_equal(sl_fs_rename(w->fs, at(w, "a"), at(w, "b"), NULL), SL_OK);
    assert_holds(w, "b", "new");
    assert_int_equal(sl_fs_rename(w->fs, at(w, "a"), at(w, "b"), NULL), SL_NOT_FOUND);
    assert_int_equal(sl_fs_rename(w->fs, at(w, "b"), at(w, "b"), NULL), SL_OK);
    assert_int_equal(sl_fs_mkdir(w->fs, at(w, "d"), NULL), SL_OK);
    assert_int_equal(sl_fs_rename(w->fs, at(w, "b"), at(w, "d"), NULL), SL_INVALID);
    assert_int_equal(sl_fs_rename(w->fs, at(w, "d"), at(w, "b"), NULL), SL_INVALID);
    assert_int_equal(sl_fs_rename(w->fs, at(w, "d"), at(w, "d/e"), NULL), SL_INVALID);
    assert_int_equal(sl_fs_rename(w->fs, at(w, "b"), at(w, "d/b"), NULL), SL_OK);
    assert_int_equal(sl_fs_rename(w->fs, at(w, "d"), at(w, "e"), NULL), SL_OK);
    assert_holds(w, "e/b", "new");
    assert_int_equal(sl_fs_sync_dir_of(w->fs, at(w, "e"), NULL), SL_OK);
}

static void remove_takes_files_and_empty_directories(struct world *w)
{
    struct sl_file *f;

    put(w, "f", "text");
    assert_int_equal(sl_fs_mkdir(w->fs, at(w, "d"), NULL), SL_OK);
    put(w, "d/f", "text");
    assert_int_equal(sl_fs_remove(w->fs, at(w, "d"), NULL), SL_EXISTS);
    assert_int_equal(sl_fs_remove(w->fs, at(w, "d/f"), NULL), SL_OK);
    assert_int_equal(sl_fs_remove(w->fs, at(w, "d"), NULL), SL_OK);
    f = opened(w, "f", SL_OPEN_READ | SL_OPEN_WRITE);
    assert_int_equal(sl_fs_remove(w->fs, at(w, "f"), NULL), SL_OK);
    assert_int_equal(sl_fs_remove(w->fs, at(w, "f"), NULL), SL_NOT_FOUND);
    sl_fs_try_remove(w->fs, at(w, "f"));
    assert_int_equal(sl_file_write(f, "still open", 10, NULL), SL_OK);
    sl_file_close(&f);
}

struct seen {
    struct world *world;
    unsigned      names;
    unsigned      sum; /* of first letters: tells which without regard to order */
    bool          remove;
};

static enum sl_err see(void *context, const char *name)
{
    struct seen *seen = context;

    seen->names++;
    seen->sum += (unsigned char)name[0];
    return seen->remove ? sl_fs_remove(seen->world->fs, at(seen->world, name), NULL) : SL_OK;
}

static enum sl_err stop_at_once(void *context, const char *name)
{
    struct seen *seen = context;

    (void)name;
    seen->names++;
    return SL_STOPPED;
}

static void list_visits_each_entry_once(struct world *w)
{
    struct seen seen = {.world = w};

    assert_int_equal(sl_fs_list(w->fs, w->root, see, &seen, NULL), SL_OK);
    assert_int_equal(seen.names, 0);
    put(w, "a", "");
    put(w, "b", "");
    assert_int_equal(sl_fs_mkdir(w->fs, at(w, "c"), NULL), SL_OK);
    put(w, "c/inner", "");
    assert_int_equal(sl_fs_list(w->fs, w->root, see, &seen, NULL), SL_OK);
    assert_int_equal(seen.names, 3);
    assert_int_equal(seen.sum, 'a' + 'b' + 'c');
    assert_int_equal(sl_fs_list(w->fs, at(w, "a"), see, &seen, NULL), SL_INVALID);
    assert_int_equal(sl_fs_list(w->fs, at(w, "z"), see, &seen, NULL), SL_NOT_FOUND);
    seen.names = 0;
    assert_int_equal(sl_fs_list(w->fs, w->root, stop_at_once, &seen, NULL), SL_STOPPED);
    assert_int_equal(seen.names, 1);
    assert_int_equal(sl_fs_remove(w->fs, at(w, "c/inner"), NULL), SL_OK);
    seen = (struct seen){.world = w, .remove = true};
    assert_int_equal(sl_fs_list(w->fs, w->root, see, &seen, NULL), SL_OK);
    assert_int_equal(seen.names, 3);
}

static void a_lock_excludes_until_close(struct world *w)
{
    struct sl_file *mine;
    struct sl_file *other;
    struct sl_why   why = {0};

    put(w, "f", "");
    mine = opened(w, "f", SL_OPEN_WRITE);
    other = opened(w, "f", SL_OPEN_WRITE);
    assert_int_equal(sl_file_lock(mine, NULL), SL_OK);
    assert_int_equal(sl_file_lock(mine, NULL), SL_OK);
    assert_int_equal(sl_file_lock(other, &why), SL_IN_USE);
    assert_non_null(strstr(why.text, "another process holds it"));
    assert_int_equal(sl_file_lock_within(other, SL_NANOS_PER_MS, &why), SL_TIMEOUT);
    assert_non_null(strstr(why.text, "another process holds it"));
    sl_file_close(&mine);
    assert_int_equal(sl_file_lock(other, NULL), SL_OK);
    assert_int_equal(sl_file_lock_within(other, SL_NANOS_PER_MS, NULL), SL_OK);
    sl_file_close(&other);
}

static void the_boot_id_stays_the_same(struct world *w)
{
    struct sl_boot_id first = {{1}};
    struct sl_boot_id second = {{2}};

    assert_int_equal(sl_fs_boot_id(w->fs, &first, NULL), SL_OK);
    assert_int_equal(sl_fs_boot_id(w->fs, &second, NULL), SL_OK);
    assert_memory_equal(first.bytes, second.bytes, SL_BOOT_ID_BYTES);
}

static void space_is_known(struct world *w)
{
    struct sl_space space = {0};

    assert_int_equal(sl_fs_space(w->fs, w->root, &space, NULL), SL_OK);
    assert_true(space.total_bytes > 0);
    assert_true(space.available_bytes <= space.total_bytes);
    assert_int_equal(sl_fs_space(w->fs, at(w, "absent"), &space, NULL), SL_NOT_FOUND);
}

static void make_all_makes_missing_parents(struct world *w)
{
    struct sl_file_info info;
    struct sl_why       why = {0};

    assert_int_equal(sl_fs_mkdir_all(w->fs, at(w, "a/b//c/"), NULL), SL_OK);
    assert_int_equal(sl_fs_mkdir_all(w->fs, at(w, "a/b/c"), NULL), SL_OK);
    assert_int_equal(sl_fs_mkdir_all(w->fs, "/", NULL), SL_OK);
    assert_int_equal(sl_fs_info(w->fs, at(w, "a/b/c"), &info, NULL), SL_OK);
    assert_int_equal(info.kind, SL_FILE_DIRECTORY);
    put(w, "a/f", "");
    assert_int_equal(sl_fs_mkdir_all(w->fs, at(w, "a/f"), &why), SL_EXISTS);
    assert_non_null(strstr(why.text, "a/f: a file of that name is there"));
    assert_int_equal(sl_fs_mkdir_all(w->fs, at(w, "a/f/g"), &why), SL_EXISTS);
    assert_int_equal(sl_fs_sync_dir_of(w->fs, at(w, "a/b/"), NULL), SL_OK);
}

/* ---- the table ---- */

static void (*const claims[])(struct world *) = {
    what_is_written_is_read_until_the_end,
    holes_and_extensions_read_as_zeros,
    open_flags_mean_what_they_say,
    a_directory_is_no_file_and_a_file_no_directory,
    rename_replaces,
    remove_takes_files_and_empty_directories,
    list_visits_each_entry_once,
    a_lock_excludes_until_close,
    the_boot_id_stays_the_same,
    space_is_known,
    make_all_makes_missing_parents,
};

enum { CLAIMS = sizeof claims / sizeof claims[0] };

static void run_all(struct world *w, const char *base)
{
    for (unsigned i = 0; i < CLAIMS; i++) {
        (void)snprintf(w->root, sizeof w->root, "%s/%u", base, i);
        assert_int_equal(sl_fs_mkdir(w->fs, w->root, NULL), SL_OK);
        claims[i](w);
    }
}

static void remove_tree(struct sl_fs *fs, const char *path);

struct tree {
    struct sl_fs *fs;
    const char   *path;
};

static enum sl_err remove_entry(void *context, const char *name)
{
    const struct tree *tree = context;
    char               path[SL_PATH_BYTES_MAX];

    assert_int_equal(sl_path_join(path, tree->path, name, NULL), SL_OK);
    remove_tree(tree->fs, path);
    return SL_OK;
}

static void remove_tree(struct sl_fs *fs, const char *path)
{
    struct tree         tree = {.fs = fs, .path = path};
    struct sl_file_info info;

    assert_int_equal(sl_fs_info(fs, path, &info, NULL), SL_OK);
    if (info.kind == SL_FILE_DIRECTORY)
        assert_int_equal(sl_fs_list(fs, path, remove_entry, &tree, NULL), SL_OK);
    assert_int_equal(sl_fs_remove(fs, path, NULL), SL_OK);
}

static void linux_keeps_the_contract(void **state)
{
    struct world w = {.fs = sl_env_os()->fs};
    char         base[] = "/tmp/sluice_contract_XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(base));
    run_all(&w, base);
    remove_tree(w.fs, base);
}

static void the_simulation_keeps_the_contract(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world w = {.sim = sl_env_sim_new(seed)};

        w.fs = sl_env_sim_env(w.sim)->fs;
        assert_int_equal(sl_fs_mkdir(w.fs, "/base", NULL), SL_OK);
        run_all(&w, "/base");
        sl_env_sim_free(&w.sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_keeps_the_contract),
        cmocka_unit_test(the_simulation_keeps_the_contract),
    };

    return cmocka_run_group_tests_name("env_fs_contract", tests, NULL, NULL);
}
