#include "storage/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/intrusive.h"
#include "base/limits.h"

struct sl_spool {
    struct sl_fs *fs;
    uint64_t      next; /* the name of the next file */
    char          dir[SL_PATH_BYTES_MAX];
};

struct sl_spool_file {
    struct sl_fs   *fs;
    struct sl_file *file;
    uint64_t        bytes;
};

/* Keeps the bytes of one finished file. */
struct mapped {
    struct sl_buf_keeper keeper;
    struct sl_fs        *fs;
};

/* ---- the folder ---- */

static enum sl_err remove_entry(void *context, const char *name)
{
    const struct sl_spool *spool = context;
    char                   path[SL_PATH_BYTES_MAX];

    if (sl_path_join(path, spool->dir, name, NULL) == SL_OK)
        sl_fs_try_remove(spool->fs, path);
    return SL_OK;
}

enum sl_err sl_spool_open(struct sl_fs *fs, const char *dir, struct sl_spool **out,
                          struct sl_why *why)
{
    struct sl_spool *spool = calloc(1, sizeof *spool);
    enum sl_err      err;

    SL_ASSERT(spool != NULL);
    spool->fs = fs;
    if ((err = sl_path_add(spool->dir, dir, "", why)) != SL_OK ||
        (err = sl_fs_mkdir_all(fs, dir, why)) != SL_OK ||
        (err = sl_fs_list(fs, dir, remove_entry, spool, why)) != SL_OK) {
        sl_spool_close(&spool);
        return err;
    }
    *out = spool;
    return SL_OK;
}

void sl_spool_close(struct sl_spool **spool)
{
    free(*spool);
    *spool = NULL;
}

/* ---- a file ---- */

enum sl_err sl_spool_begin(struct sl_spool *spool, struct sl_spool_file **out, struct sl_why *why)
{
    struct sl_file *file;
    char            name[24];
    char            path[SL_PATH_BYTES_MAX];
    enum sl_err     err;

    snprintf(name, sizeof name, "%" PRIu64, spool->next++);
    if ((err = sl_path_join(path, spool->dir, name, why)) != SL_OK ||
        (err = sl_fs_create(spool->fs, path, &file, why)) != SL_OK)
        return err;
    if ((err = sl_fs_remove(spool->fs, path, why)) != SL_OK) {
        sl_file_close(&file);
        return err;
    }
    *out = calloc(1, sizeof **out);
    SL_ASSERT(*out != NULL);
    **out = (struct sl_spool_file){.fs = spool->fs, .file = file};
    return SL_OK;
}

enum sl_err sl_spool_append(struct sl_spool_file *file, struct sl_slice bytes, struct sl_why *why)
{
    enum sl_err err = sl_file_write_at(file->file, file->bytes, bytes.bytes, bytes.len, why);

    if (err == SL_OK)
        file->bytes += bytes.len;
    return err;
}

void sl_spool_abandon(struct sl_spool_file **file)
{
    struct sl_spool_file *f = *file;

    *file = NULL;
    if (f == NULL)
        return;
    sl_file_close(&f->file);
    free(f);
}

/* ---- reading ---- */

static void release(struct sl_buf_keeper *keeper, uint8_t *data, size_t len)
{
    struct mapped *mapped = SL_CONTAINER_OF(keeper, struct mapped, keeper);

    sl_fs_unmap(mapped->fs, data, len);
    free(mapped);
}

static void forget(struct sl_buf_keeper *keeper, uint8_t *data, size_t len)
{
    sl_fs_forget(SL_CONTAINER_OF(keeper, struct mapped, keeper)->fs, data, len);
}

enum sl_err sl_spool_finish(struct sl_spool_file **file, struct sl_buf **out, struct sl_why *why)
{
    struct sl_spool_file *f = *file;
    struct mapped        *mapped;
    uint8_t              *data;
    enum sl_err           err = sl_file_map(f->file, f->bytes, &data, why);

    if (err != SL_OK)
        return err;
    mapped = calloc(1, sizeof *mapped);
    SL_ASSERT(mapped != NULL);
    *mapped = (struct mapped){.keeper = {.release = release, .forget = forget}, .fs = f->fs};
    *out = sl_buf_wrap(data, f->bytes, &mapped->keeper);
    sl_spool_abandon(file);
    return SL_OK;
}
