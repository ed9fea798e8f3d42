#include "storage/index_plain.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct plain_db {
    struct sl_index_db  base;
    struct sl_fs       *fs;
    struct plain_shard *shards[SL_INDEX_SHARDS_MAX]; /* owned; base.shards points here */
    char                dir[SL_PATH_BYTES_MAX];
};

static struct plain_shard *plain_of(struct sl_index_shard *shard)
{
    return (struct plain_shard *)shard;
}

/* ---- sorted arrays ---- */

/* At least `count` elements of this size; *slots follows. */
static void *reserve(void *array, size_t *slots, size_t count, size_t bytes)
{
    size_t want = *slots == 0 ? 64 : *slots;

    if (count <= *slots)
        return array;
    while (want < count)
        want *= 2;
    array = realloc(array, want * bytes);
    SL_ASSERT(array != NULL);
    *slots = want;
    return array;
}

void plain_reserve_entries(struct plain_shard *shard, size_t count)
{
    shard->entries = reserve(shard->entries, &shard->entry_slots, count, sizeof *shard->entries);
}

void plain_reserve_unresolved(struct plain_shard *shard, size_t count)
{
    shard->unresolved =
        reserve(shard->unresolved, &shard->unresolved_slots, count, sizeof *shard->unresolved);
}

static bool entry_before(const struct sl_index_entry *e, int64_t commit_ts, int64_t start_ts)
{
    return e->commit_ts < commit_ts || (e->commit_ts == commit_ts && e->start_ts < start_ts);
}

/* The first entry that is not before this key. */
static size_t entry_place(const struct plain_shard *s, int64_t commit_ts, int64_t start_ts)
{
    size_t low = 0;
    size_t high = s->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (entry_before(&s->entries[middle], commit_ts, start_ts))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t unresolved_place(const struct plain_shard *s, int64_t start_ts)
{
    size_t low = 0;
    size_t high = s->unresolved_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->unresolved[middle].start_ts < start_ts)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_entry(const struct plain_shard *s, size_t place, int64_t commit_ts,
                      int64_t start_ts)
{
    return place < s->entry_count && s->entries[place].commit_ts == commit_ts &&
           s->entries[place].start_ts == start_ts;
}

static bool has_unresolved(const struct plain_shard *s, size_t place, int64_t start_ts)
{
    return place < s->unresolved_count && s->unresolved[place].start_ts == start_ts;
}

static void put_entry(struct plain_shard *s, const struct sl_index_entry *entry)
{
    size_t place = entry_place(s, entry->commit_ts, entry->start_ts);

    if (!has_entry(s, place, entry->commit_ts, entry->start_ts)) {
        plain_reserve_entries(s, s->entry_count + 1);
        memmove(s->entries + place + 1, s->entries + place,
                (s->entry_count - place) * sizeof *s->entries);
        s->entry_count++;
    }
    s->entries[place] = *entry;
}

static void put_unresolved(struct plain_shard *s, const struct sl_index_unresolved *unresolved)
{
    size_t place = unresolved_place(s, unresolved->start_ts);

    if (!has_unresolved(s, place, unresolved->start_ts)) {
        plain_reserve_unresolved(s, s->unresolved_count + 1);
        memmove(s->unresolved + place + 1, s->unresolved + place,
                (s->unresolved_count - place) * sizeof *s->unresolved);
        s->unresolved_count++;
    }
    s->unresolved[place] = *unresolved;
}

static void drop_unresolved(struct plain_shard *s, int64_t start_ts)
{
    size_t place = unresolved_place(s, start_ts);

    if (!has_unresolved(s, place, start_ts))
        return;
    s->unresolved_count--;
    memmove(s->unresolved + place, s->unresolved + place + 1,
            (s->unresolved_count - place) * sizeof *s->unresolved);
}

/* ---- shards ---- */

static enum sl_err plain_apply(struct sl_index_shard *shard, const struct sl_index_cut *cut,
                               struct sl_why *why)
{
    struct plain_shard *s = plain_of(shard);

    (void)why;
    for (uint32_t i = 0; i < cut->entry_count; i++)
        put_entry(s, &cut->entries[i]);
    for (uint32_t i = 0; i < cut->opened_count; i++)
        put_unresolved(s, &cut->opened[i]);
    for (uint32_t i = 0; i < cut->settled_count; i++)
        drop_unresolved(s, cut->settled[i]);
    return SL_OK;
}

static enum sl_err plain_find(struct sl_index_shard *shard, int64_t commit_ts, int64_t start_ts,
                              struct sl_index_entry *out, struct sl_why *why)
{
    const struct plain_shard *s = plain_of(shard);
    size_t                    place = entry_place(s, commit_ts, start_ts);

    (void)why;
    if (!has_entry(s, place, commit_ts, start_ts))
        return SL_NOT_FOUND;
    *out = s->entries[place];
    return SL_OK;
}

static enum sl_err plain_find_unresolved(struct sl_index_shard *shard, int64_t start_ts,
                                         struct sl_index_unresolved *out, struct sl_why *why)
{
    const struct plain_shard *s = plain_of(shard);
    size_t                    place = unresolved_place(s, start_ts);

    (void)why;
    if (!has_unresolved(s, place, start_ts))
        return SL_NOT_FOUND;
    *out = s->unresolved[place];
    return SL_OK;
}

static enum sl_err plain_each_unresolved(struct sl_index_shard *shard, sl_index_visit visit,
                                         void *context, struct sl_why *why)
{
    const struct plain_shard *s = plain_of(shard);
    enum sl_err               err = SL_OK;

    (void)why;
    for (size_t i = 0; err == SL_OK && i < s->unresolved_count; i++)
        err = visit(context, &s->unresolved[i]);
    return err;
}

static enum sl_err plain_remove(struct sl_index_shard *shard, int64_t up_to, uint32_t *removed,
                                struct sl_why *why)
{
    struct plain_shard *s = plain_of(shard);
    size_t              count = 0;

    (void)why;
    while (count < s->entry_count && count < SL_INDEX_CUT_ITEMS_MAX &&
           s->entries[count].commit_ts <= up_to)
        count++;
    if (count > 0) {
        s->entry_count -= count;
        memmove(s->entries, s->entries + count, s->entry_count * sizeof *s->entries);
    }
    *removed = (uint32_t)count;
    return SL_OK;
}

/* ---- cursors ---- */

static enum sl_err plain_cursor_open(struct sl_index_shard *shard, struct sl_index_cursor **out,
                                     struct sl_why *why)
{
    struct sl_index_cursor *cursor = calloc(1, sizeof *cursor);

    (void)shard;
    (void)why;
    SL_ASSERT(cursor != NULL);
    *out = cursor;
    return SL_OK;
}

static enum sl_err plain_cursor_next(struct sl_index_cursor *cursor, int64_t bound,
                                     struct sl_index_entry *out, uint32_t room, uint32_t *count,
                                     struct sl_why *why)
{
    const struct plain_shard *s = plain_of(cursor->shard);
    size_t                    place = entry_place(s, cursor->commit_ts, cursor->start_ts);
    uint32_t                  got = 0;

    (void)why;
    if (has_entry(s, place, cursor->commit_ts, cursor->start_ts))
        place++;
    while (got < room && place < s->entry_count && s->entries[place].commit_ts <= bound)
        out[got++] = s->entries[place++];
    *count = got;
    return SL_OK;
}

static enum sl_err plain_cursor_unresolved(struct sl_index_cursor *cursor, int64_t start_ts,
                                           struct sl_index_unresolved *out, struct sl_why *why)
{
    return plain_find_unresolved(cursor->shard, start_ts, out, why);
}

static void plain_cursor_close(struct sl_index_cursor *cursor)
{
    free(cursor);
}

/* ---- the database ---- */

static enum sl_err plain_checkpoint(struct sl_index_db *base, struct sl_why *why)
{
    struct plain_db *db = (struct plain_db *)base;

    return plain_save(db->fs, db->dir, db->shards, base->shard_count, why);
}

static void plain_free(struct plain_db *db)
{
    for (uint32_t i = 0; i < db->base.shard_count; i++) {
        free(db->shards[i]->entries);
        free(db->shards[i]->unresolved);
        free(db->shards[i]);
    }
    free(db->base.shards);
    free(db);
}

static void plain_close(struct sl_index_db *base)
{
    (void)plain_checkpoint(base, NULL);
    plain_free((struct plain_db *)base);
}

static const struct index_ops plain_ops = {
    .checkpoint = plain_checkpoint,
    .close = plain_close,
    .apply = plain_apply,
    .find = plain_find,
    .find_unresolved = plain_find_unresolved,
    .each_unresolved = plain_each_unresolved,
    .remove = plain_remove,
    .cursor_open = plain_cursor_open,
    .cursor_next = plain_cursor_next,
    .cursor_unresolved = plain_cursor_unresolved,
    .cursor_close = plain_cursor_close,
};

static struct plain_db *plain_new(const struct sl_index_options *options)
{
    struct plain_db *db = calloc(1, sizeof *db);

    SL_ASSERT(db != NULL);
    db->base.ops = &plain_ops;
    db->base.shard_count = options->shard_count;
    db->base.shards = calloc(options->shard_count, sizeof *db->base.shards);
    SL_ASSERT(db->base.shards != NULL);
    db->fs = options->fs;
    for (uint32_t i = 0; i < options->shard_count; i++) {
        db->shards[i] = calloc(1, sizeof *db->shards[i]);
        SL_ASSERT(db->shards[i] != NULL);
        db->shards[i]->base.db = &db->base;
        db->base.shards[i] = &db->shards[i]->base;
    }
    return db;
}

enum sl_err index_plain_open(const struct sl_index_options *options, struct sl_index_db **out,
                             struct sl_why *why)
{
    struct plain_db *db = plain_new(options);
    enum sl_err      err;

    if ((err = sl_path_add(db->dir, options->dir, "", why)) != SL_OK)
        goto fail;
    err = plain_load(db->fs, db->dir, db->shards, options->shard_count, why);
    if (err == SL_NOT_FOUND && options->create)
        err = plain_checkpoint(&db->base, why);
    if (err != SL_OK)
        goto fail;
    *out = &db->base;
    return SL_OK;

fail:
    plain_free(db);
    return err;
}
