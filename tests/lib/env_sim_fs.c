#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "lib/env_sim_disk.h"

/* Reasons read as those of env_os, so that a test may look for the same words. */

/* Where a path leads. */
struct place {
    struct sim_node *dir;                          /* borrowed; NULL for the root */
    char             leaf[SIM_NAME_BYTES_MAX + 1]; /* name in dir */
    struct sim_node *node;                         /* borrowed; NULL: nothing there */
};

/* ---- paths ---- */

static struct sl_env_sim *sim_of(struct sl_fs *fs)
{
    return (struct sl_env_sim *)((char *)fs - offsetof(struct sl_env_sim, fs));
}

/* Walk the path: 0 or errno. A missing last name is no error here. Relative paths start at the
 * root. */
static int find(struct sl_env_sim *sim, const char *path, struct place *out)
{
    struct sim_name *name;
    size_t           length;

    *out = (struct place){.node = sim->disk.root};
    if (path[0] == '\0')
        return ENOENT;
    for (;; path += length) {
        path += strspn(path, "/");
        length = strcspn(path, "/");
        if (length == 0)
            return 0;
        if (length == 1 && path[0] == '.')
            continue;
        if (out->node == NULL)
            return ENOENT;
        if (out->node->kind != SL_FILE_DIRECTORY)
            return ENOTDIR;
        if (length > SIM_NAME_BYTES_MAX)
            return ENAMETOOLONG;
        if (length == 2 && path[0] == '.' && path[1] == '.')
            SL_PANIC("%s: the simulated disk does not go up", path);
        out->dir = out->node;
        memcpy(out->leaf, path, length);
        out->leaf[length] = '\0';
        name = sim_name_find(out->dir, out->leaf);
        out->node = name != NULL ? name->written : NULL;
    }
}

static int find_existing(struct sl_env_sim *sim, const char *path, struct place *out)
{
    int failed = find(sim, path, out);

    return failed == 0 && out->node == NULL ? ENOENT : failed;
}

static int find_directory(struct sl_env_sim *sim, const char *path, struct place *out)
{
    int failed = find_existing(sim, path, out);

    return failed == 0 && out->node->kind != SL_FILE_DIRECTORY ? ENOTDIR : failed;
}

static void make(struct sl_env_sim *sim, struct place *at, enum sl_file_kind kind)
{
    struct sim_node *node = sim_node_new(kind);

    at->node = node;
    sim_name_set(&sim->disk, at->dir, at->leaf, node);
    sim_node_put(&sim->disk, &node); /* the name keeps it */
}

/* ---- the file system ---- */

static enum sl_err fs_open(struct sl_fs *fs, const char *path, unsigned flags, struct sl_file **out,
                           struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct place       at;
    enum sl_err        err;
    int                failed;

    if ((err = sim_disk_pass(sim, 0, "open", path, why)) != SL_OK)
        return err;
    failed = find(sim, path, &at);
    if (failed == 0 && at.node == NULL && (flags & SL_OPEN_CREATE) == 0)
        failed = ENOENT;
    if (failed == 0 && at.node != NULL && (flags & SL_OPEN_EXCLUSIVE) != 0)
        failed = EEXIST;
    if (failed == 0 && at.node != NULL && at.node->kind == SL_FILE_DIRECTORY)
        failed = EISDIR;
    if (failed != 0)
        return sl_fail_errno(why, failed, "open %s", path);
    if (at.node == NULL)
        make(sim, &at, SL_FILE_REGULAR);
    if ((flags & SL_OPEN_TRUNCATE) != 0)
        (void)sim_node_resize(&sim->disk, at.node, 0); /* shrinking needs no space */
    *out = sim_file_new(sim, at.node, flags, path);
    return SL_OK;
}

static enum sl_err fs_info(struct sl_fs *fs, const char *path, struct sl_file_info *out,
                           struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct place       at;
    enum sl_err        err;
    int                failed;

    if ((err = sim_disk_pass(sim, 0, "stat", path, why)) != SL_OK)
        return err;
    failed = find_existing(sim, path, &at);
    if (failed != 0)
        return sl_fail_errno(why, failed, "stat %s", path);
    out->kind = at.node->kind;
    out->bytes = at.node->size;
    return SL_OK;
}

/* Is `node` below `top`, or top itself? As deep as the directories are nested. */
static bool is_within(const struct sim_node *node, const struct sim_node *top)
{
    if (node == top)
        return true;
    for (const struct sim_name *name = top->names; name != NULL; name = name->next) {
        if (name->written != NULL && is_within(node, name->written))
            return true;
    }
    return false;
}

/* 0 or errno: may `from` take the place of `to`? */
static int check_rename(const struct place *from, const struct place *to)
{
    if (from->dir == NULL || to->dir == NULL)
        return EBUSY; /* the root stays */
    if (from->node->kind == SL_FILE_DIRECTORY && is_within(to->dir, from->node))
        return EINVAL;
    if (to->node == NULL)
        return 0;
    if (from->node->kind != SL_FILE_DIRECTORY)
        return to->node->kind == SL_FILE_DIRECTORY ? EISDIR : 0;
    if (to->node->kind != SL_FILE_DIRECTORY)
        return ENOTDIR;
    return sim_dir_is_empty(to->node) ? 0 : ENOTEMPTY;
}

static enum sl_err fs_rename(struct sl_fs *fs, const char *from, const char *to, struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct place       old;
    struct place new;
    enum sl_err err;
    int         failed;

    if ((err = sim_disk_pass(sim, 0, "rename", from, why)) != SL_OK)
        return err;
    failed = find_existing(sim, from, &old);
    if (failed == 0)
        failed = find(sim, to, &new);
    if (failed == 0 && old.node == new.node)
        return SL_OK;
    if (failed == 0)
        failed = check_rename(&old, &new);
    if (failed != 0)
        return sl_fail_errno(why, failed, "rename %s to %s", from, to);
    sim_name_move(&sim->disk, old.dir, old.leaf, new.dir, new.leaf);
    return SL_OK;
}

static enum sl_err fs_remove(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct place       at;
    enum sl_err        err;
    int                failed;

    if ((err = sim_disk_pass(sim, 0, "remove", path, why)) != SL_OK)
        return err;
    failed = find_existing(sim, path, &at);
    if (failed == 0 && at.dir == NULL)
        failed = EBUSY;
    if (failed == 0 && at.node->kind == SL_FILE_DIRECTORY && !sim_dir_is_empty(at.node))
        failed = ENOTEMPTY;
    if (failed != 0)
        return sl_fail_errno(why, failed, "remove %s", path);
    sim_name_set(&sim->disk, at.dir, at.leaf, NULL);
    return SL_OK;
}

static enum sl_err fs_mkdir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct place       at;
    enum sl_err        err;
    int                failed;

    if ((err = sim_disk_pass(sim, 0, "make directory", path, why)) != SL_OK)
        return err;
    failed = find(sim, path, &at);
    if (failed == 0 && at.node != NULL)
        failed = EEXIST;
    if (failed != 0)
        return sl_fail_errno(why, failed, "make directory %s", path);
    make(sim, &at, SL_FILE_DIRECTORY);
    return SL_OK;
}

struct name_copy {
    char text[SIM_NAME_BYTES_MAX + 1];
};

/* Copies, so that the visitor may create and remove. Owned by the caller: free. */
static struct name_copy *names_of(const struct sim_node *dir, size_t *count)
{
    struct name_copy *names;
    size_t            n = 0;

    for (const struct sim_name *name = dir->names; name != NULL; name = name->next)
        n++;
    names = calloc(n + 1, sizeof *names);
    SL_ASSERT(names != NULL);
    *count = 0;
    for (const struct sim_name *name = dir->names; name != NULL; name = name->next) {
        if (name->written != NULL)
            memcpy(names[(*count)++].text, name->text, sizeof name->text);
    }
    return names;
}

/* The order is promised to be none: begin anywhere. */
static enum sl_err fs_list(struct sl_fs *fs, const char *path, sl_fs_visit visit, void *context,
                           struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct place       at;
    struct name_copy  *names;
    enum sl_err        err;
    size_t             count;
    size_t             first;
    int                failed;

    if ((err = sim_disk_pass(sim, 0, "list", path, why)) != SL_OK)
        return err;
    failed = find_directory(sim, path, &at);
    if (failed != 0)
        return sl_fail_errno(why, failed, "list %s", path);
    names = names_of(at.node, &count);
    first = (size_t)sl_prng_range(&sim->disk.dice, 0, count);
    for (size_t i = 0; i < count && err == SL_OK; i++)
        err = visit(context, names[(first + i) % count].text);
    free(names);
    return err;
}

static enum sl_err fs_sync_dir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct place       at;
    enum sl_err        err;
    int                failed;

    err = sim_disk_pass(sim, sim->disk.set.sync_fail_ppm, "sync directory", path, why);
    if (err != SL_OK)
        return err;
    failed = find_directory(sim, path, &at);
    if (failed != 0)
        return sl_fail_errno(why, failed, "sync directory %s", path);
    if (!sim->disk.set.lose_syncs)
        sim_names_sync(&sim->disk, at.node);
    return SL_OK;
}

static enum sl_err fs_space(struct sl_fs *fs, const char *path, struct sl_space *out,
                            struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    struct sim_disk   *disk = &sim->disk;
    struct place       at;
    enum sl_err        err;
    int                failed;

    if ((err = sim_disk_pass(sim, 0, "space of", path, why)) != SL_OK)
        return err;
    failed = find_existing(sim, path, &at);
    if (failed != 0)
        return sl_fail_errno(why, failed, "space of %s", path);
    out->total_bytes = disk->set.quota_bytes;
    out->available_bytes =
        disk->set.quota_bytes > disk->used_bytes ? disk->set.quota_bytes - disk->used_bytes : 0;
    return SL_OK;
}

/* Each power cut begins another boot. */
static enum sl_err fs_boot_id(struct sl_fs *fs, struct sl_boot_id *out, struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(fs);
    enum sl_err        err;

    if ((err = sim_disk_pass(sim, 0, "boot id of", "the disk", why)) != SL_OK)
        return err;
    *out = (struct sl_boot_id){0};
    for (unsigned i = 0; i < sizeof sim->disk.cuts; i++)
        out->bytes[i] = (uint8_t)(sim->disk.cuts >> (8 * i));
    return SL_OK;
}

static void fs_unmap(struct sl_fs *fs, uint8_t *bytes, size_t count)
{
    (void)fs;
    (void)count;
    free(bytes);
}

static void fs_forget(struct sl_fs *fs, uint8_t *bytes, size_t count)
{
    (void)fs;
    (void)bytes;
    (void)count;
}

static const struct sl_fs_ops fs_ops = {
    .open = fs_open,
    .info = fs_info,
    .rename = fs_rename,
    .remove = fs_remove,
    .mkdir = fs_mkdir,
    .list = fs_list,
    .sync_dir = fs_sync_dir,
    .space = fs_space,
    .boot_id = fs_boot_id,
    .unmap = fs_unmap,
    .forget = fs_forget,
};

/* ---- the disk of the object ---- */

struct sl_env_sim_disk *sl_env_sim_disk(struct sl_env_sim *sim)
{
    return &sim->disk.set;
}

void sl_env_sim_power_cut(struct sl_env_sim *sim)
{
    sim_disk_cut(&sim->disk);
}

void sim_disk_init(struct sl_env_sim *sim)
{
    sim->fs.ops = &fs_ops;
    sim->disk.set.quota_bytes = (uint64_t)1 << 30;
    sim->disk.root = sim_node_new(SL_FILE_DIRECTORY);
}

void sim_disk_free(struct sl_env_sim *sim)
{
    sim_disk_clear(&sim->disk);
}
