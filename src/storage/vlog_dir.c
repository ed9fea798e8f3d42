#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "storage/vlog_private.h"

/* Zeros are written in pieces of this size. */
enum { ZERO_BYTES = 1 << 18 };

static const char next_name[] = "next.new";

/* ---- names ---- */

static enum sl_err join_numbered(char *out, const char *dir, uint64_t number, const char *suffix,
                                 struct sl_why *why)
{
    char name[32];

    SL_ASSERT(number <= SL_VLOG_NUMBER_MAX);
    (void)snprintf(name, sizeof name, "%08" PRIu64 "%s", number, suffix);
    return sl_path_join(out, dir, name, why);
}

enum sl_err vlog_segment_path(char *out, const char *dir, uint64_t number, struct sl_why *why)
{
    return join_numbered(out, dir, number, ".seg", why);
}

/* Is the name eight digits and the suffix? */
static bool parse_numbered(const char *name, const char *suffix, uint64_t *number)
{
    uint64_t value = 0;

    if (strspn(name, "0123456789") != 8 || strcmp(name + 8, suffix) != 0)
        return false;
    for (unsigned i = 0; i < 8; i++)
        value = 10 * value + (uint64_t)(name[i] - '0');
    *number = value;
    return true;
}

static enum sl_err note_name(void *context, const char *name)
{
    struct vlog_listing *list = context;
    uint64_t             number;

    if (parse_numbered(name, ".spare", &number) && list->spare_count < SL_VLOG_SPARES_MAX)
        list->spares[list->spare_count++] = number;
    if (!parse_numbered(name, ".seg", &number))
        return SL_OK;
    if (list->count == SL_VLOG_SEGMENTS_MAX)
        return SL_TOO_LARGE;
    if (list->count == list->room) {
        list->room = list->room > 0 ? 2 * list->room : 64;
        list->numbers = realloc(list->numbers, list->room * sizeof *list->numbers);
        SL_ASSERT(list->numbers != NULL);
    }
    list->numbers[list->count++] = number;
    return SL_OK;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

enum sl_err vlog_list(struct sl_fs *fs, const char *dir, struct vlog_listing *out,
                      struct sl_why *why)
{
    enum sl_err err;

    *out = (struct vlog_listing){0};
    err = sl_fs_list(fs, dir, note_name, out, why);
    if (err == SL_TOO_LARGE)
        err = sl_fail(why, err, "%s holds more than %d segments", dir, SL_VLOG_SEGMENTS_MAX);
    if (err != SL_OK) {
        free(out->numbers);
        return err;
    }
    if (out->count > 0)
        qsort(out->numbers, out->count, sizeof *out->numbers, by_number);
    return SL_OK;
}

/* ---- headers ---- */

/* The reason names both sides, so that a person sees which of the two is in the wrong place. */
static enum sl_err check_identity(const struct sl_vlog_identity *found,
                                  const struct sl_vlog_identity *own, const char *path,
                                  struct sl_why *why)
{
    if (found->cluster_id != own->cluster_id)
        return sl_fail(why, SL_INVALID,
                       "%s belongs to cluster %" PRIu64 " and this pump to cluster %" PRIu64
                       ": give the pump the data directory of its own cluster, or an empty one",
                       path, found->cluster_id, own->cluster_id);
    if (found->shard != own->shard || found->shard_count != own->shard_count)
        return sl_fail(why, SL_INVALID,
                       "%s is of shard %u of %u and was opened as shard %u of %u: the number of "
                       "shards of a data directory never changes, and none may be moved",
                       path, found->shard, found->shard_count, own->shard, own->shard_count);
    return SL_OK;
}

static enum sl_err check_header(const struct vlog_header *header, uint64_t number,
                                uint64_t file_bytes, const char *path, struct sl_why *why)
{
    if (header->number != number)
        return sl_fail(why, SL_CORRUPT, "%s is segment %" PRIu64 " by its header: name it so", path,
                       header->number);
    if (header->segment_bytes < SL_VLOG_SEGMENT_BYTES_MIN ||
        header->segment_bytes > SL_VLOG_SEGMENT_BYTES_MAX || header->first < VLOG_FIRST_OFFSET ||
        header->first % VLOG_ALIGN != 0)
        return sl_fail(why, SL_CORRUPT, "the header of %s makes no sense: restore the file", path);
    if (file_bytes < header->segment_bytes)
        return sl_fail(why, SL_CORRUPT,
                       "%s has %" PRIu64 " bytes and had %" PRIu64 ": restore the file", path,
                       file_bytes, header->segment_bytes);
    return SL_OK;
}

static enum sl_err read_header(struct sl_file *file, const char *path, struct vlog_header *header,
                               uint64_t *file_bytes, struct sl_why *why)
{
    uint8_t     block[VLOG_BLOCK_BYTES];
    enum sl_err err;
    size_t      got;

    if ((err = sl_file_size(file, file_bytes, why)) != SL_OK)
        return err;
    if ((err = sl_file_read_at(file, 0, block, sizeof block, &got, why)) != SL_OK)
        return err;
    memset(block + got, 0, sizeof block - got);
    return vlog_header_decode(block, path, header, why);
}

enum sl_err vlog_segment_open(struct sl_fs *fs, const char *dir, uint64_t number,
                              const struct sl_vlog_identity *identity, unsigned flags,
                              struct sl_file **file, struct vlog_header *header, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    uint64_t    file_bytes;
    enum sl_err err;

    if ((err = vlog_segment_path(path, dir, number, why)) != SL_OK)
        return err;
    if ((err = sl_fs_open(fs, path, flags, file, why)) != SL_OK)
        return err;
    if ((err = read_header(*file, path, header, &file_bytes, why)) == SL_OK &&
        (err = check_identity(&header->identity, identity, path, why)) == SL_OK)
        err = check_header(header, number, file_bytes, path, why);
    if (err != SL_OK)
        sl_file_close(file);
    return err;
}

void vlog_table_add(struct sl_vlog *vlog, const struct vlog_header *header)
{
    SL_ASSERT(vlog->segment_count < SL_VLOG_SEGMENTS_MAX);
    if (vlog->segment_count == vlog->segment_room) {
        vlog->segment_room = vlog->segment_room > 0 ? 2 * vlog->segment_room : 64;
        vlog->segments = realloc(vlog->segments, vlog->segment_room * sizeof *vlog->segments);
        SL_ASSERT(vlog->segments != NULL);
    }
    vlog->segments[vlog->segment_count++] = (struct sl_vlog_segment){
        .number = header->number,
        .generation = header->generation,
        .first = header->first,
        .end = header->first,
        .bytes = header->segment_bytes,
    };
}

enum sl_err vlog_damaged(const char *dir, const struct sl_vlog_segment *s, uint64_t offset,
                         uint64_t durable, struct sl_why *why)
{
    return sl_fail(why, SL_CORRUPT,
                   "%s/%08" PRIu64 ".seg is damaged at byte %" PRIu64 " (log offset %" PRIu64
                   "), and all below log offset %" PRIu64
                   " was acknowledged: restore the file from a copy; or, giving up what this pump "
                   "has not delivered, take it offline, move its data directory away and start it "
                   "with an empty one",
                   dir, s->number, vlog_place(s, offset), offset, durable);
}

/* ---- the next segment ---- */

enum sl_err vlog_write_zeros(struct sl_file *file, uint64_t from, uint64_t to, struct sl_why *why)
{
    static uint8_t zeros[ZERO_BYTES]; /* never written: any thread may read it */
    enum sl_err    err = SL_OK;
    uint64_t       count;

    for (; err == SL_OK && from < to; from += count) {
        count = to - from < ZERO_BYTES ? to - from : ZERO_BYTES;
        err = sl_file_write_at(file, from, zeros, (size_t)count, why);
    }
    return err;
}

void vlog_next_drop(struct sl_vlog *vlog)
{
    struct vlog_next *next = &vlog->next;
    char              path[SL_PATH_BYTES_MAX];

    if (next->file == NULL)
        return;
    sl_file_close(&next->file);
    if (sl_path_join(path, vlog->dir, next->name, NULL) == SL_OK)
        sl_fs_try_remove(vlog->options.fs, path);
    next->filled = 0;
}

/* Take a recycled file. Its name stays until its new header is durable (invariant 1). False: there
 * is none of the right size. */
static bool take_spare(struct sl_vlog *vlog)
{
    struct vlog_next *next = &vlog->next;
    char              path[SL_PATH_BYTES_MAX];
    uint64_t          bytes;

    while (vlog->spare_count > 0) {
        (void)snprintf(next->name, sizeof next->name, "%08" PRIu64 ".spare",
                       vlog->spares[--vlog->spare_count]);
        if (sl_path_join(path, vlog->dir, next->name, NULL) != SL_OK ||
            sl_fs_open(vlog->options.fs, path, SL_OPEN_READ | SL_OPEN_WRITE, &next->file, NULL) !=
                SL_OK)
            continue;
        if (sl_file_size(next->file, &bytes, NULL) == SL_OK &&
            bytes == vlog->options.segment_bytes) {
            next->filled = bytes;
            return true;
        }
        vlog_next_drop(vlog);
    }
    return false;
}

static enum sl_err create_next(struct sl_vlog *vlog, struct sl_why *why)
{
    struct vlog_next *next = &vlog->next;
    char              path[SL_PATH_BYTES_MAX];
    enum sl_err       err;

    if (take_spare(vlog))
        return SL_OK;
    (void)snprintf(next->name, sizeof next->name, "%s", next_name);
    if ((err = sl_path_join(path, vlog->dir, next->name, why)) != SL_OK)
        return err;
    next->filled = 0;
    return sl_fs_create(vlog->options.fs, path, &next->file, why);
}

enum sl_err vlog_next_prepare(struct sl_vlog *vlog, uint64_t bytes, uint64_t *left,
                              struct sl_why *why)
{
    struct vlog_next *next = &vlog->next;
    uint64_t          whole = vlog->options.segment_bytes;
    uint64_t          to;
    enum sl_err       err;

    if (next->file == NULL && (err = create_next(vlog, why)) != SL_OK)
        return err;
    if (next->filled < whole) {
        to = whole - next->filled > bytes ? next->filled + bytes : whole;
        err = vlog_write_zeros(next->file, next->filled, to, why);
        /* Without the push, the sync at the end would stall the writer for all of the file. */
        sl_file_push(next->file, next->filled, to - next->filled);
        if (err == SL_OK && to == whole)
            err = sl_file_sync(next->file, why);
        if (err != SL_OK) {
            vlog_next_drop(vlog); /* never synced again: a new one takes its place */
            return sl_wrap(why, err, "prepare a segment of %" PRIu64 " bytes", whole);
        }
        next->filled = to;
    }
    *left = whole - next->filled;
    return SL_OK;
}

static struct vlog_header header_after(const struct sl_vlog *vlog)
{
    struct sl_random  *random = vlog->options.random;
    struct vlog_header header = {.identity = vlog->options.identity,
                                 .number = 1,
                                 .segment_bytes = vlog->options.segment_bytes,
                                 .first = VLOG_FIRST_OFFSET};

    if (vlog->segment_count > 0) {
        header.number = vlog_active(vlog)->number + 1;
        header.first = vlog_active(vlog)->end;
        header.previous_max_commit_ts = vlog_active(vlog)->max_commit_ts;
    }
    random->fill(random, &header.generation, sizeof header.generation);
    return header;
}

/* Write the header, then give the file its name: invariant 1. */
static enum sl_err name_next(struct sl_vlog *vlog, const struct vlog_header *header,
                             struct sl_why *why)
{
    struct vlog_next *next = &vlog->next;
    uint8_t           block[VLOG_BLOCK_BYTES];
    char              from[SL_PATH_BYTES_MAX];
    char              to[SL_PATH_BYTES_MAX];
    enum sl_err       err;

    vlog_header_encode(header, block);
    if ((err = sl_path_join(from, vlog->dir, next->name, why)) != SL_OK)
        return err;
    if ((err = vlog_segment_path(to, vlog->dir, header->number, why)) != SL_OK)
        return err;
    if ((err = sl_file_write_at(next->file, 0, block, sizeof block, why)) != SL_OK)
        return err;
    if ((err = sl_file_sync(next->file, why)) != SL_OK)
        return err;
    return sl_fs_rename(vlog->options.fs, from, to, why);
}

enum sl_err vlog_segment_begin(struct sl_vlog *vlog, struct sl_why *why)
{
    struct vlog_header header = header_after(vlog);
    uint64_t           left;
    enum sl_err        err;

    SL_ASSERT(vlog->segment_count == 0 || vlog->durable == vlog_active(vlog)->end);
    if (vlog->segment_count == SL_VLOG_SEGMENTS_MAX || header.number > SL_VLOG_NUMBER_MAX)
        return sl_fail(why, SL_TOO_LARGE, "%s has no number left for a segment", vlog->dir);
    if ((err = vlog_next_prepare(vlog, UINT64_MAX, &left, why)) != SL_OK)
        return err;
    if ((err = name_next(vlog, &header, why)) != SL_OK) {
        vlog_next_drop(vlog);
        return err;
    }
    vlog_table_add(vlog, &header);
    sl_file_close(&vlog->file);
    vlog->file = vlog->next.file;
    vlog->next = (struct vlog_next){0};
    vlog->durable = header.first;
    err = sl_fs_sync_dir(vlog->options.fs, vlog->dir, why);
    return err == SL_NOSPACE ? SL_IO : err; /* the name is there, perhaps not for long */
}

/* ---- removal ---- */

/* A file of the usual size is worth keeping: writing zeros again would cost as much as its records
 * did. Others, and those that are too many, go; the one prepared may be a spare by name and counts.
 */
static enum sl_err remove_or_recycle(struct sl_vlog *vlog, const struct sl_vlog_segment *s,
                                     struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    char        spare[SL_PATH_BYTES_MAX];
    uint32_t    kept = vlog->spare_count + (vlog->next.file != NULL ? 1 : 0);
    enum sl_err err;

    if ((err = vlog_segment_path(path, vlog->dir, s->number, why)) != SL_OK)
        return err;
    if (kept >= SL_VLOG_SPARES_MAX || s->bytes != vlog->options.segment_bytes)
        return sl_fs_remove(vlog->options.fs, path, why);
    if ((err = join_numbered(spare, vlog->dir, s->number, ".spare", why)) != SL_OK)
        return err;
    if ((err = sl_fs_rename(vlog->options.fs, path, spare, why)) != SL_OK)
        return err;
    vlog->spares[vlog->spare_count++] = s->number;
    return SL_OK;
}

enum sl_err vlog_segment_remove_oldest(struct sl_vlog *vlog, struct sl_why *why)
{
    enum sl_err err;

    SL_ASSERT(vlog->segment_count > 1);
    if ((err = remove_or_recycle(vlog, &vlog->segments[0], why)) != SL_OK)
        return err;
    vlog->segment_count--;
    memmove(&vlog->segments[0], &vlog->segments[1], vlog->segment_count * sizeof *vlog->segments);
    if ((err = sl_fs_sync_dir(vlog->options.fs, vlog->dir, why)) != SL_OK)
        vlog->spare_count = 0; /* its old name may come back: it must not get other contents */
    return err;
}
