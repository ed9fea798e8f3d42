/* Spooled bytes come back as they were, through a buffer like any other; their files have no names;
 * a disk that is full leaves nothing half done; a start empties the folder. On the real file system
 * and on the simulated one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "lib/env_sim.h"
#include "lib/folder.h"
#include "storage/spool.h"

enum { PIECE = 100 * 1000, PIECES = 7 };

static enum sl_err count_entry(void *context, const char *name)
{
    (void)name;
    ++*(uint32_t *)context;
    return SL_OK;
}

static uint32_t entries(struct sl_fs *fs, const char *dir)
{
    uint32_t count = 0;

    assert_int_equal(sl_fs_list(fs, dir, count_entry, &count, NULL), SL_OK);
    return count;
}

static void write_and_read(struct sl_fs *fs, const char *dir)
{
    static uint8_t        piece[PIECE];
    struct sl_spool      *spool;
    struct sl_spool_file *file;
    struct sl_spool_file *other;
    struct sl_buf        *buf;
    struct sl_buf        *slice;

    assert_int_equal(sl_spool_open(fs, dir, &spool, NULL), SL_OK);
    assert_int_equal(sl_spool_begin(spool, &file, NULL), SL_OK);
    assert_int_equal(sl_spool_begin(spool, &other, NULL), SL_OK);
    assert_int_equal(entries(fs, dir), 0);
    for (int i = 0; i < PIECES; i++) {
        memset(piece, 'a' + i, sizeof piece);
        assert_int_equal(sl_spool_append(file, (struct sl_slice){piece, sizeof piece}, NULL),
                         SL_OK);
    }
    assert_int_equal(sl_spool_finish(&file, &buf, NULL), SL_OK);
    assert_null(file);
    sl_spool_abandon(&other);
    sl_spool_close(&spool);
    assert_int_equal(buf->len, PIECE * PIECES);
    slice = sl_buf_slice(buf, PIECE * (PIECES - 1), PIECE);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < buf->len; i++)
            assert_int_equal(buf->data[i], 'a' + i / PIECE);
        sl_buf_forget(slice); /* all of it, and it is there again */
    }
    sl_buf_free(&buf);
    assert_memory_equal(slice->data, piece, PIECE);
    sl_buf_free(&slice);
    assert_int_equal(sl_buf_live_count(), 0);
}

static void what_is_written_is_read(void **state)
{
    struct sl_env_sim *sim = sl_env_sim_new(3);
    char               folder[FOLDER_PATH_BYTES];
    char               dir[SL_PATH_BYTES_MAX];

    (void)state;
    write_and_read(sl_env_sim_env(sim)->fs, "/data/spool");
    sl_env_sim_free(&sim);
    folder_make(folder);
    assert_int_equal(sl_path_join(dir, folder, "spool", NULL), SL_OK);
    write_and_read(sl_env_os()->fs, dir);
    folder_remove(folder);
}

static void what_a_dead_process_left_is_removed(void **state)
{
    struct sl_env_sim *sim = sl_env_sim_new(3);
    struct sl_fs      *fs = sl_env_sim_env(sim)->fs;
    struct sl_spool   *spool;
    struct sl_file    *file;

    (void)state;
    assert_int_equal(sl_fs_mkdir_all(fs, "/spool", NULL), SL_OK);
    assert_int_equal(sl_fs_create(fs, "/spool/17", &file, NULL), SL_OK);
    sl_file_close(&file);
    assert_int_equal(sl_spool_open(fs, "/spool", &spool, NULL), SL_OK);
    assert_int_equal(entries(fs, "/spool"), 0);
    sl_spool_close(&spool);
    sl_env_sim_free(&sim);
}

static void a_piece_that_failed_is_written_again(void **state)
{
    struct sl_env_sim    *sim = sl_env_sim_new(3);
    const struct sl_slice piece = sl_slice_from_string("0123456789");
    struct sl_spool      *spool;
    struct sl_spool_file *file;
    struct sl_buf        *buf;
    struct sl_why         why = {0};

    (void)state;
    assert_int_equal(sl_spool_open(sl_env_sim_env(sim)->fs, "/spool", &spool, NULL), SL_OK);
    assert_int_equal(sl_spool_begin(spool, &file, NULL), SL_OK);
    for (int i = 0; i < 3; i++) {
        sl_env_sim_fail_nth(sim, 1, 2, SL_NOSPACE);
        assert_int_equal(sl_spool_append(file, piece, &why), SL_NOSPACE);
        assert_int_equal(sl_spool_append(file, piece, &why), SL_NOSPACE);
        assert_int_equal(sl_spool_append(file, piece, &why), SL_OK);
    }
    sl_env_sim_fail_nth(sim, 1, 1, SL_IO);
    assert_int_equal(sl_spool_finish(&file, &buf, &why), SL_IO);
    assert_int_equal(sl_spool_finish(&file, &buf, &why), SL_OK);
    assert_true(sl_slice_equal(sl_slice_from_buf(buf),
                               sl_slice_from_string("012345678901234567890123456789")));
    sl_buf_free(&buf);
    sl_spool_close(&spool);
    sl_env_sim_free(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_a_dead_process_left_is_removed),
        cmocka_unit_test(a_piece_that_failed_is_written_again),
    };

    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
