/* The file of the plain index, dir/plain, replaced as a whole at each checkpoint. Little-endian:
 *
 *     magic 4, version 4, shard count 4
 *     per shard:  head: offset 8, watermark 8, newest commit ts 8;
 *                 entry count 8, unresolved count 8;
 *                 entries:    commit ts 8, start ts 8, type 4, C: offset 8, bytes 4, P: the same
 *                 unresolved: start ts 8, bound 8, P: offset 8, bytes 4
 *     CRC32C 4 of all before it */

#include "storage/index_plain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/crc32c.h"

enum {
    MAGIC = 0x58494c53, /* "SLIX" */
    VERSION = 1,
    HEADER_BYTES = 12,
    SHARD_BYTES = 40,
    ENTRY_BYTES = 44,
    UNRESOLVED_BYTES = 28,
    CRC_BYTES = 4,
};

/* ---- writing ---- */

static uint8_t *put(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *to++ = (uint8_t)(value >> (8 * i));
    return to;
}

static uint8_t *put_position(uint8_t *to, struct sl_position position)
{
    to = put(to, position.offset, 8);
    return put(to, position.bytes, 4);
}

static uint8_t *put_shard(uint8_t *to, const struct plain_shard *s)
{
    to = put(to, s->base.head.offset, 8);
    to = put(to, (uint64_t)s->base.head.watermark, 8);
    to = put(to, (uint64_t)s->base.head.max_commit_ts, 8);
    to = put(to, s->entry_count, 8);
    to = put(to, s->unresolved_count, 8);
    for (size_t i = 0; i < s->entry_count; i++) {
        to = put(to, (uint64_t)s->entries[i].commit_ts, 8);
        to = put(to, (uint64_t)s->entries[i].start_ts, 8);
        to = put(to, s->entries[i].type, 4);
        to = put_position(to, s->entries[i].commit);
        to = put_position(to, s->entries[i].prewrite);
    }
    for (size_t i = 0; i < s->unresolved_count; i++) {
        to = put(to, (uint64_t)s->unresolved[i].start_ts, 8);
        to = put(to, (uint64_t)s->unresolved[i].bound, 8);
        to = put_position(to, s->unresolved[i].prewrite);
    }
    return to;
}

/* The whole file in memory; the caller frees it. */
static uint8_t *image_of(struct plain_shard *const *shards, uint32_t shard_count, size_t *bytes)
{
    size_t   total = HEADER_BYTES + CRC_BYTES;
    uint8_t *image;
    uint8_t *to;

    for (uint32_t i = 0; i < shard_count; i++)
        total += SHARD_BYTES + shards[i]->entry_count * ENTRY_BYTES +
                 shards[i]->unresolved_count * UNRESOLVED_BYTES;
    image = malloc(total);
    SL_ASSERT(image != NULL);
    to = put(image, MAGIC, 4);
    to = put(to, VERSION, 4);
    to = put(to, shard_count, 4);
    for (uint32_t i = 0; i < shard_count; i++)
        to = put_shard(to, shards[i]);
    to = put(to, sl_crc32c(0, image, total - CRC_BYTES), CRC_BYTES);
    SL_ASSERT((size_t)(to - image) == total);
    *bytes = total;
    return image;
}

static enum sl_err write_file(struct sl_fs *fs, const char *path, const uint8_t *image,
                              size_t bytes, struct sl_why *why)
{
    struct sl_file *file;
    enum sl_err     err;

    if ((err = sl_fs_create(fs, path, &file, why)) != SL_OK)
        return err;
    if ((err = sl_file_write(file, image, bytes, why)) == SL_OK)
        err = sl_file_sync(file, why);
    sl_file_close(&file);
    if (err != SL_OK)
        sl_fs_try_remove(fs, path);
    return err;
}

enum sl_err plain_save(struct sl_fs *fs, const char *dir, struct plain_shard *const *shards,
                       uint32_t shard_count, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    char        fresh[SL_PATH_BYTES_MAX];
    size_t      bytes = 0;
    uint8_t    *image = image_of(shards, shard_count, &bytes);
    enum sl_err err;

    if (bytes > SL_INDEX_PLAIN_BYTES_MAX) {
        err = sl_fail(why, SL_TOO_LARGE, "plain index of %zu bytes", bytes);
        goto free_image;
    }
    if ((err = sl_path_join(path, dir, "plain", why)) != SL_OK ||
        (err = sl_path_join(fresh, dir, "plain.new", why)) != SL_OK ||
        (err = write_file(fs, fresh, image, bytes, why)) != SL_OK ||
        (err = sl_fs_rename(fs, fresh, path, why)) != SL_OK)
        goto free_image;
    err = sl_fs_sync_dir_of(fs, path, why);
free_image:
    free(image);
    return err;
}

/* ---- reading ---- */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

/* The caller has seen that so many bytes are left. */
static uint64_t get(struct reader *r, unsigned bytes)
{
    uint64_t value = 0;

    SL_ASSERT((size_t)(r->end - r->at) >= bytes);
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)*r->at++ << (8 * i);
    return value;
}

static struct sl_position get_position(struct reader *r)
{
    struct sl_position position;

    position.offset = get(r, 8);
    position.bytes = (uint32_t)get(r, 4);
    return position;
}

/* Take `count` items of a size off what is left, if that much is left. */
static bool fits(uint64_t *left, uint64_t count, uint64_t bytes)
{
    if (count > *left / bytes)
        return false;
    *left -= count * bytes;
    return true;
}

static bool get_shard(struct reader *r, struct plain_shard *s)
{
    uint64_t left = (uint64_t)(r->end - r->at);
    uint64_t entries, unresolved;

    if (!fits(&left, 1, SHARD_BYTES))
        return false;
    s->base.head.offset = get(r, 8);
    s->base.head.watermark = (int64_t)get(r, 8);
    s->base.head.max_commit_ts = (int64_t)get(r, 8);
    entries = get(r, 8);
    unresolved = get(r, 8);
    if (!fits(&left, entries, ENTRY_BYTES) || !fits(&left, unresolved, UNRESOLVED_BYTES))
        return false;
    plain_reserve_entries(s, entries);
    plain_reserve_unresolved(s, unresolved);
    for (; s->entry_count < entries; s->entry_count++) {
        struct sl_index_entry *e = &s->entries[s->entry_count];

        e->commit_ts = (int64_t)get(r, 8);
        e->start_ts = (int64_t)get(r, 8);
        e->type = (uint32_t)get(r, 4);
        e->commit = get_position(r);
        e->prewrite = get_position(r);
    }
    for (; s->unresolved_count < unresolved; s->unresolved_count++) {
        struct sl_index_unresolved *u = &s->unresolved[s->unresolved_count];

        u->start_ts = (int64_t)get(r, 8);
        u->bound = (int64_t)get(r, 8);
        u->prewrite = get_position(r);
    }
    return true;
}

static enum sl_err parse(const uint8_t *image, size_t bytes, struct plain_shard *const *shards,
                         uint32_t shard_count, struct sl_why *why)
{
    struct reader r = {.at = image, .end = image + bytes - CRC_BYTES};
    struct reader crc = {.at = r.end, .end = image + bytes};
    uint64_t      version, there;

    if (get(&crc, CRC_BYTES) != sl_crc32c(0, image, bytes - CRC_BYTES))
        return sl_fail(why, SL_CORRUPT, "checksum of the plain index does not match");
    if (get(&r, 4) != MAGIC)
        return sl_fail(why, SL_CORRUPT, "not a plain index");
    if ((version = get(&r, 4)) != VERSION)
        return sl_fail(why, SL_CORRUPT, "format %" PRIu64 ", not %d", version, VERSION);
    if ((there = get(&r, 4)) != shard_count)
        return sl_fail(why, SL_CORRUPT, "of %" PRIu64 " shards, not %" PRIu32, there, shard_count);
    for (uint32_t i = 0; i < shard_count; i++) {
        if (!get_shard(&r, shards[i]))
            return sl_fail(why, SL_CORRUPT, "shard %" PRIu32 " of the plain index is cut off", i);
    }
    return SL_OK;
}

static enum sl_err read_and_parse(struct sl_file *file, struct plain_shard *const *shards,
                                  uint32_t shard_count, struct sl_why *why)
{
    uint64_t    bytes = 0;
    size_t      got = 0;
    uint8_t    *image;
    enum sl_err err;

    if ((err = sl_file_size(file, &bytes, why)) != SL_OK)
        return err;
    if (bytes < HEADER_BYTES + CRC_BYTES || bytes > SL_INDEX_PLAIN_BYTES_MAX)
        return sl_fail(why, SL_CORRUPT, "plain index of %" PRIu64 " bytes", bytes);
    image = malloc(bytes);
    SL_ASSERT(image != NULL);
    err = sl_file_read_at(file, 0, image, bytes, &got, why);
    if (err == SL_OK)
        err = got == bytes ? parse(image, bytes, shards, shard_count, why)
                           : sl_fail(why, SL_CORRUPT, "plain index shrank while it was read");
    free(image);
    return err;
}

enum sl_err plain_load(struct sl_fs *fs, const char *dir, struct plain_shard *const *shards,
                       uint32_t shard_count, struct sl_why *why)
{
    char            path[SL_PATH_BYTES_MAX];
    struct sl_file *file;
    enum sl_err     err;

    if ((err = sl_path_join(path, dir, "plain", why)) != SL_OK ||
        (err = sl_fs_open(fs, path, SL_OPEN_READ, &file, why)) != SL_OK)
        return err;
    err = read_and_parse(file, shards, shard_count, why);
    sl_file_close(&file);
    return err;
}
