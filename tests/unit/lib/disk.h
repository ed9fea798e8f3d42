#ifndef SL_TESTS_UNIT_LIB_DISK_H
#define SL_TESTS_UNIT_LIB_DISK_H

/* A simulated disk with files that hold one letter many times, for the tests of env_sim's disk. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"

enum { SEEDS = 200, SECTOR = SL_ENV_SIM_SECTOR_BYTES, BIG = 4 * SECTOR };

struct disk {
    struct sl_env_sim *sim;
    struct sl_fs      *fs;
};

/* The caller frees .sim. */
static inline struct disk disk_new(uint64_t seed)
{
    struct disk d = {.sim = sl_env_sim_new(seed)};

    d.fs = sl_env_sim_env(d.sim)->fs;
    return d;
}

/* Write the file with `bytes` times this letter; with sync: durable, name and all. */
static inline void disk_put(struct disk *d, const char *path, char letter, size_t bytes, bool sync)
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

/* The contents, at most BIG bytes; -1 when there is no such file. */
static inline int disk_get(struct disk *d, const char *path, char *out)
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
static inline int letter_count(const char *bytes, int count, char letter)
{
    int n = 0;

    for (int i = 0; i < count; i++)
        n += bytes[i] == letter;
    return n;
}

#endif
