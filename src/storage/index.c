#include "storage/index.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "storage/index_private.h"

/* ---- life ---- */

enum sl_err sl_index_open(const struct sl_index_options *options, struct sl_index_db **out,
                          struct sl_why *why)
{
    struct sl_index_options o = *options;
    enum sl_err             err = SL_OK;

    SL_ASSERT(o.shard_count > 0);
    SL_ASSERT(o.shard_count <= SL_INDEX_SHARDS_MAX);
    if (o.cache_bytes == 0)
        o.cache_bytes = SL_INDEX_CACHE_BYTES;
    if (o.create && (err = sl_fs_mkdir_all(o.fs, o.dir, why)) != SL_OK)
        goto fail;
    switch (o.engine) {
    case SL_INDEX_WIREDTIGER: err = index_wt_open(&o, out, why); break;
    case SL_INDEX_PLAIN: err = index_plain_open(&o, out, why); break;
    }
    if (err == SL_OK)
        return SL_OK;
fail:
    return sl_wrap(why, err, "open index %s", o.dir);
}

void sl_index_close(struct sl_index_db **db)
{
    if (*db == NULL)
        return;
    SL_ASSERT(atomic_load_explicit(&(*db)->cursor_count, memory_order_relaxed) == 0);
    (*db)->ops->close(*db);
    *db = NULL;
}

/* The names of one round, since a folder must not change while it is listed. */
struct wipe_names {
    char     name[16][SL_NAME_BYTES_MAX];
    uint32_t count;
};

static enum sl_err note_name(void *context, const char *name)
{
    struct wipe_names *names = context;
    size_t             bytes = strlen(name) + 1;

    if (names->count == sizeof names->name / sizeof *names->name)
        return SL_OK;
    if (bytes > SL_NAME_BYTES_MAX)
        return SL_TOO_LARGE; /* none of ours */
    memcpy(names->name[names->count++], name, bytes);
    return SL_OK;
}

static enum sl_err wipe_files(struct sl_fs *fs, const char *dir, struct sl_why *why)
{
    char              path[SL_PATH_BYTES_MAX];
    struct wipe_names names;
    enum sl_err       err;

    do {
        names.count = 0;
        if ((err = sl_fs_list(fs, dir, note_name, &names, why)) != SL_OK)
            return err;
        for (uint32_t i = 0; i < names.count; i++) {
            if ((err = sl_path_join(path, dir, names.name[i], why)) != SL_OK ||
                (err = sl_fs_remove(fs, path, why)) != SL_OK)
                return err;
        }
    } while (names.count > 0);
    return SL_OK;
}

enum sl_err sl_index_wipe(struct sl_fs *fs, const char *dir, struct sl_why *why)
{
    struct sl_file_info info;
    enum sl_err         err;

    err = sl_fs_info(fs, dir, &info, why);
    if (err == SL_NOT_FOUND)
        return SL_OK;
    if (err != SL_OK || (err = wipe_files(fs, dir, why)) != SL_OK ||
        (err = sl_fs_remove(fs, dir, why)) != SL_OK ||
        (err = sl_fs_sync_dir_of(fs, dir, why)) != SL_OK)
        return sl_wrap(why, err, "wipe index %s", dir);
    return SL_OK;
}

enum sl_err sl_index_checkpoint(struct sl_index_db *db, struct sl_why *why)
{
    enum sl_err err = db->ops->checkpoint(db, why);

    return err == SL_OK ? SL_OK : sl_wrap(why, err, "checkpoint index");
}

/* ---- shards ---- */

struct sl_index_shard *sl_index_shard_of(struct sl_index_db *db, uint32_t shard)
{
    SL_ASSERT(shard < db->shard_count);
    return db->shards[shard];
}

struct sl_index_head sl_index_head_of(const struct sl_index_shard *shard)
{
    return shard->head;
}

static void check_cut(const struct sl_index_shard *shard, const struct sl_index_cut *cut)
{
    SL_ASSERT(cut->entry_count <= SL_INDEX_CUT_ITEMS_MAX);
    SL_ASSERT(cut->opened_count <= SL_INDEX_CUT_ITEMS_MAX);
    SL_ASSERT(cut->settled_count <= SL_INDEX_CUT_ITEMS_MAX);
    SL_ASSERT(cut->head.offset >= shard->head.offset); /* I3 */
    SL_ASSERT(cut->head.watermark >= shard->head.watermark);
    SL_ASSERT(cut->head.max_commit_ts >= shard->head.max_commit_ts);
}

enum sl_err sl_index_apply(struct sl_index_shard *shard, const struct sl_index_cut *cut,
                           struct sl_why *why)
{
    enum sl_err err;

    check_cut(shard, cut);
    if ((err = shard->db->ops->apply(shard, cut, why)) != SL_OK)
        return sl_wrap(why, err, "apply to index");
    shard->head = cut->head;
    return SL_OK;
}

enum sl_err sl_index_find(struct sl_index_shard *shard, int64_t commit_ts, int64_t start_ts,
                          struct sl_index_entry *out, struct sl_why *why)
{
    return shard->db->ops->find(shard, commit_ts, start_ts, out, why);
}

enum sl_err sl_index_find_unresolved(struct sl_index_shard *shard, int64_t start_ts,
                                     struct sl_index_unresolved *out, struct sl_why *why)
{
    return shard->db->ops->find_unresolved(shard, start_ts, out, why);
}

enum sl_err sl_index_each_unresolved(struct sl_index_shard *shard, sl_index_visit visit,
                                     void *context, struct sl_why *why)
{
    return shard->db->ops->each_unresolved(shard, visit, context, why);
}

enum sl_err sl_index_remove(struct sl_index_shard *shard, int64_t up_to, uint32_t *removed,
                            struct sl_why *why)
{
    enum sl_err err = shard->db->ops->remove(shard, up_to, removed, why);

    return err == SL_OK ? SL_OK : sl_wrap(why, err, "remove from index");
}

/* ---- cursors ---- */

enum sl_err sl_index_cursor_open(struct sl_index_shard *shard, int64_t after,
                                 struct sl_index_cursor **out, struct sl_why *why)
{
    struct sl_index_db     *db = shard->db;
    struct sl_index_cursor *cursor;
    enum sl_err             err;

    if (atomic_fetch_add_explicit(&db->cursor_count, 1, memory_order_relaxed) >=
        SL_INDEX_CURSORS_MAX) {
        err = sl_fail(why, SL_FULL, "more than %d index cursors", SL_INDEX_CURSORS_MAX);
        goto uncount;
    }
    if ((err = db->ops->cursor_open(shard, &cursor, why)) != SL_OK)
        goto uncount;
    cursor->shard = shard;
    cursor->commit_ts = after;
    cursor->start_ts = INT64_MAX;
    *out = cursor;
    return SL_OK;

uncount:
    atomic_fetch_sub_explicit(&db->cursor_count, 1, memory_order_relaxed);
    return sl_wrap(why, err, "read index");
}

enum sl_err sl_index_cursor_next(struct sl_index_cursor *cursor, int64_t bound,
                                 struct sl_index_entry *out, uint32_t room, uint32_t *count,
                                 struct sl_why *why)
{
    uint32_t    got = 0;
    enum sl_err err;

    SL_ASSERT(room > 0);
    if ((err = cursor->shard->db->ops->cursor_next(cursor, bound, out, room, &got, why)) != SL_OK)
        return sl_wrap(why, err, "read index");
    SL_ASSERT(got <= room);
    if (got > 0) {
        SL_ASSERT(out[got - 1].commit_ts <= bound);
        cursor->commit_ts = out[got - 1].commit_ts;
        cursor->start_ts = out[got - 1].start_ts;
    }
    *count = got;
    return SL_OK;
}

enum sl_err sl_index_cursor_unresolved(struct sl_index_cursor *cursor, int64_t start_ts,
                                       struct sl_index_unresolved *out, struct sl_why *why)
{
    SL_ASSERT(cursor != NULL && out != NULL);
    return cursor->shard->db->ops->cursor_unresolved(cursor, start_ts, out, why);
}

void sl_index_cursor_close(struct sl_index_cursor **cursor)
{
    struct sl_index_db *db;

    if (*cursor == NULL)
        return;
    db = (*cursor)->shard->db;
    db->ops->cursor_close(*cursor);
    atomic_fetch_sub_explicit(&db->cursor_count, 1, memory_order_relaxed);
    *cursor = NULL;
}
