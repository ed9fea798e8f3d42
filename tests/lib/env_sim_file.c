#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "lib/env_sim_disk.h"

struct sim_file {
    struct sl_file     base;
    struct sl_env_sim *sim;
    struct sim_node   *node; /* reference */
    unsigned           flags;
    uint64_t           cuts; /* of the disk when it was opened */
    char               path[];
};

/* ---- planned faults and chances ---- */

void sl_env_sim_fail_nth(struct sl_env_sim *sim, uint64_t nth, uint64_t times, enum sl_err err)
{
    SL_ASSERT(err != SL_OK || nth == 0);
    sim->disk.fail_in = nth;
    sim->disk.fail_left = nth == 0 ? 0 : times;
    sim->disk.failed = 0;
    sim->disk.fail_err = err;
}

uint64_t sl_env_sim_failed(const struct sl_env_sim *sim)
{
    return sim->disk.failed;
}

static bool planned_failure(struct sim_disk *disk)
{
    if (disk->fail_left == 0)
        return false;
    if (disk->fail_in > 1) {
        disk->fail_in--;
        return false;
    }
    disk->fail_left--;
    disk->failed++;
    return true;
}

enum sl_err sim_disk_pass(struct sl_env_sim *sim, uint32_t fail_ppm, const char *verb,
                          const char *path, struct sl_why *why)
{
    enum sl_err err = SL_IO;

    if (planned_failure(&sim->disk))
        err = sim->disk.fail_err;
    else if (!sl_prng_chance(&sim->disk.dice, fail_ppm, SL_ENV_SIM_ALWAYS_PPM))
        return SL_OK;
    return sl_fail(why, err, "%s %s: %s (simulated)", verb, path, sl_err_text(err));
}

/* ---- files ---- */

/* A file from before a power cut is of no use, but every call still counts. */
static enum sl_err pass_file(struct sim_file *file, uint32_t fail_ppm, unsigned need,
                             const char *verb, struct sl_why *why)
{
    enum sl_err err = sim_disk_pass(file->sim, fail_ppm, verb, file->path, why);

    if (err != SL_OK)
        return err;
    if (file->cuts != file->sim->disk.cuts)
        return sl_fail(why, SL_IO, "%s %s: the power was cut since it was opened", verb,
                       file->path);
    if ((file->flags & need) != need)
        return sl_fail_errno(why, EBADF, "%s %s", verb, file->path);
    return SL_OK;
}

static bool is_alive(const struct sim_file *file)
{
    return file->cuts == file->sim->disk.cuts;
}

static enum sl_err file_read_at(struct sl_file *f, uint64_t at, void *bytes, size_t count,
                                size_t *got, struct sl_why *why)
{
    struct sim_file *file = (struct sim_file *)f;
    struct sim_node *node = file->node;
    uint32_t         ppm = file->sim->disk.set.read_fail_ppm;
    enum sl_err      err;
    uint64_t         there;

    if ((err = pass_file(file, ppm, SL_OPEN_READ, "read", why)) != SL_OK)
        return err;
    there = at < node->size ? node->size - at : 0;
    *got = count < there ? count : (size_t)there;
    if (*got > 0)
        memcpy(bytes, node->written + at, *got);
    return SL_OK;
}

static enum sl_err file_write_at(struct sl_file *f, uint64_t at, const void *bytes, size_t count,
                                 struct sl_why *why)
{
    struct sim_file *file = (struct sim_file *)f;
    struct sim_disk *disk = &file->sim->disk;
    enum sl_err      err;

    err = pass_file(file, disk->set.write_fail_ppm, SL_OPEN_WRITE, "write", why);
    if (err != SL_OK) {
        if (is_alive(file) && (file->flags & SL_OPEN_WRITE) != 0) {
            count = (size_t)sl_prng_range(&disk->dice, 0, count);
            (void)sim_node_write(disk, file->node, at, bytes, count);
        }
        return err;
    }
    if (sim_node_write(disk, file->node, at, bytes, count) < count)
        return sl_fail_errno(why, ENOSPC, "write %s", file->path);
    return SL_OK;
}

static enum sl_err file_sync(struct sl_file *f, struct sl_why *why)
{
    struct sim_file *file = (struct sim_file *)f;
    struct sim_disk *disk = &file->sim->disk;
    enum sl_err      err;

    if ((err = pass_file(file, disk->set.sync_fail_ppm, 0, "sync", why)) != SL_OK) {
        if (is_alive(file))
            sim_node_fail_sync(disk, file->node);
        return err;
    }
    if (!disk->set.lose_syncs)
        sim_node_sync(file->node);
    return SL_OK;
}

static enum sl_err file_size(struct sl_file *f, uint64_t *bytes, struct sl_why *why)
{
    struct sim_file *file = (struct sim_file *)f;
    enum sl_err      err;

    if ((err = pass_file(file, 0, 0, "stat", why)) != SL_OK)
        return err;
    *bytes = file->node->size;
    return SL_OK;
}

static enum sl_err file_truncate(struct sl_file *f, uint64_t bytes, struct sl_why *why)
{
    struct sim_file *file = (struct sim_file *)f;
    enum sl_err      err;

    if ((err = pass_file(file, 0, SL_OPEN_WRITE, "truncate", why)) != SL_OK)
        return err;
    if (!sim_node_resize(&file->sim->disk, file->node, bytes))
        return sl_fail_errno(why, ENOSPC, "truncate %s", file->path);
    return SL_OK;
}

static enum sl_err file_lock(struct sl_file *f, sl_nanos wait, struct sl_why *why)
{
    struct sim_file *file = (struct sim_file *)f;
    enum sl_err      err;

    if ((err = pass_file(file, 0, 0, "lock", why)) != SL_OK)
        return err;
    if (file->node->locked_by != NULL && file->node->locked_by != f)
        return sl_fail(why, wait == 0 ? SL_IN_USE : SL_TIMEOUT, "lock %s: another process holds it",
                       file->path);
    file->node->locked_by = f;
    return SL_OK;
}

/* A copy: what is mapped does not change. */
static enum sl_err file_map(struct sl_file *f, size_t count, uint8_t **out, struct sl_why *why)
{
    struct sim_file *file = (struct sim_file *)f;
    enum sl_err      err;

    if ((err = pass_file(file, 0, SL_OPEN_READ, "map", why)) != SL_OK)
        return err;
    SL_ASSERT(count <= file->node->size);
    *out = malloc(count);
    SL_ASSERT(*out != NULL);
    memcpy(*out, file->node->written, count);
    return SL_OK;
}

static void file_close(struct sl_file *f)
{
    struct sim_file *file = (struct sim_file *)f;
    struct sim_disk *disk = &file->sim->disk;

    if (file->node->locked_by == f)
        file->node->locked_by = NULL;
    sim_node_put(disk, &file->node);
    SL_ASSERT(disk->open_files > 0);
    disk->open_files--;
    free(file);
}

static const struct sl_file_ops file_ops = {
    .read_at = file_read_at,
    .write_at = file_write_at,
    .sync = file_sync,
    .size = file_size,
    .truncate = file_truncate,
    .lock = file_lock,
    .map = file_map,
    .close = file_close,
};

struct sl_file *sim_file_new(struct sl_env_sim *sim, struct sim_node *node, unsigned flags,
                             const char *path)
{
    size_t           path_bytes = strlen(path) + 1;
    struct sim_file *file = calloc(1, sizeof *file + path_bytes);

    SL_ASSERT(file != NULL);
    file->base.ops = &file_ops;
    file->sim = sim;
    file->node = sim_node_get(node);
    file->flags = flags;
    file->cuts = sim->disk.cuts;
    memcpy(file->path, path, path_bytes);
    sim->disk.open_files++;
    return &file->base;
}
