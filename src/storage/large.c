#include "storage/large.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "storage/large_format.h"

/* A finished file. */
struct entry {
    struct large_header header;
    bool                kept;  /* by somebody, since the folder was opened */
    bool                dirty; /* its offset is not durable */
};

struct sl_large {
    struct sl_fs *fs; /* borrowed */
    char         *dir;
    uint64_t      next;    /* number */
    struct entry *entries; /* in no order */
    uint32_t      count;
    uint32_t      room;
    uint32_t      writers; /* that are not at their end */
};

/* ---- entries ---- */

static struct entry *find(struct sl_large *large, uint64_t number)
{
    for (uint32_t i = large->count; i > 0; i--) { /* mostly the newest is asked for */
        if (large->entries[i - 1].header.ref.number == number)
            return &large->entries[i - 1];
    }
    return NULL;
}

void large_add(struct sl_large *large, const struct large_header *header)
{
    if (large->count == large->room) {
        large->room = large->room > 0 ? 2 * large->room : 64;
        large->entries = realloc(large->entries, large->room * sizeof *large->entries);
        SL_ASSERT(large->entries != NULL);
    }
    large->entries[large->count++] = (struct entry){.header = *header};
}

static enum sl_err remove_entry(struct sl_large *large, uint32_t index, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    enum sl_err err = large_path(path, large->dir, large->entries[index].header.ref.number, why);

    if (err == SL_OK)
        err = sl_fs_remove(large->fs, path, why);
    if (err != SL_OK && err != SL_NOT_FOUND)
        return err;
    large->count--;
    memmove(large->entries + index, large->entries + index + 1,
            (large->count - index) * sizeof *large->entries);
    return SL_OK;
}

/* ---- opening ---- */

/* The numbers of a listing. */
struct listing {
    uint64_t *numbers;
    uint32_t  count;
    uint32_t  room;
};

static enum sl_err note_name(void *context, const char *name)
{
    struct listing *list = context;
    uint64_t        number;

    if (!large_parse_name(name, &number))
        return SL_OK;
    if (list->count == SL_LARGE_FILES_MAX)
        return SL_TOO_LARGE;
    if (list->count == list->room) {
        list->room = list->room > 0 ? 2 * list->room : 64;
        list->numbers = realloc(list->numbers, list->room * sizeof *list->numbers);
        SL_ASSERT(list->numbers != NULL);
    }
    list->numbers[list->count++] = number;
    return SL_OK;
}

/* Read its header; a file that was never finished is removed. */
static enum sl_err look_at(struct sl_large *large, uint64_t number, struct sl_why *why)
{
    struct sl_file     *file;
    struct large_header header;
    char                path[SL_PATH_BYTES_MAX];
    enum sl_err         err;

    if (number >= large->next)
        large->next = number + 1;
    if ((err = large_path(path, large->dir, number, why)) != SL_OK ||
        (err = sl_fs_open(large->fs, path, SL_OPEN_READ, &file, why)) != SL_OK)
        return err;
    err = large_header_read(file, path, &header, why);
    sl_file_close(&file);
    if (err == SL_AGAIN)
        return sl_fs_remove(large->fs, path, why);
    if (err != SL_OK)
        return err;
    if (header.ref.number != number)
        return sl_fail(why, SL_CORRUPT, "%s: says that it is file %" PRIu64, path,
                       header.ref.number);
    large_add(large, &header);
    return SL_OK;
}

static enum sl_err look_at_all(struct sl_large *large, struct sl_why *why)
{
    struct listing list = {0};
    enum sl_err    err = sl_fs_mkdir_all(large->fs, large->dir, why);

    if (err == SL_OK)
        err = sl_fs_sync_dir_of(large->fs, large->dir, why);
    if (err == SL_OK)
        err = sl_fs_list(large->fs, large->dir, note_name, &list, why);
    if (err == SL_TOO_LARGE)
        err = sl_fail(why, err, "%s holds more than %d files", large->dir, SL_LARGE_FILES_MAX);
    for (uint32_t i = 0; i < list.count && err == SL_OK; i++)
        err = look_at(large, list.numbers[i], why);
    free(list.numbers);
    return err;
}

enum sl_err sl_large_open(struct sl_fs *fs, const char *dir, struct sl_large **out,
                          struct sl_why *why)
{
    struct sl_large *large = calloc(1, sizeof *large);
    enum sl_err      err;

    SL_ASSERT(large != NULL);
    large->fs = fs;
    large->dir = strdup(dir);
    SL_ASSERT(large->dir != NULL);
    large->next = 1;
    if ((err = look_at_all(large, why)) != SL_OK) {
        sl_large_close(&large);
        return sl_wrap(why, err, "open large entities");
    }
    *out = large;
    return SL_OK;
}

void sl_large_close(struct sl_large **large)
{
    struct sl_large *old = *large;

    *large = NULL;
    if (old == NULL)
        return;
    SL_ASSERT(old->writers == 0);
    free(old->entries);
    free(old->dir);
    free(old);
}

uint32_t sl_large_count(const struct sl_large *large)
{
    return large->count;
}

/* ---- for writers ---- */

struct sl_fs *large_fs(const struct sl_large *large)
{
    return large->fs;
}

enum sl_err large_next(struct sl_large *large, uint64_t *number, char *out, struct sl_why *why)
{
    if (large->count >= SL_LARGE_FILES_MAX)
        return sl_fail(why, SL_FULL, "%s holds %d files", large->dir, SL_LARGE_FILES_MAX);
    *number = large->next++;
    return large_path(out, large->dir, *number, why);
}

void large_writer_begun(struct sl_large *large)
{
    large->writers++;
}

void large_writer_over(struct sl_large *large)
{
    SL_ASSERT(large->writers > 0);
    large->writers--;
}

/* ---- references ---- */

/* Write where the record of a file is, synced or not. */
static enum sl_err write_offset(struct sl_fs *fs, const char *dir, uint64_t number, uint64_t offset,
                                bool sync, struct sl_why *why)
{
    struct sl_file *file;
    uint8_t         bytes[LARGE_OFFSET_BYTES];
    char            path[SL_PATH_BYTES_MAX];
    enum sl_err     err = large_path(path, dir, number, why);

    if (err == SL_OK)
        err = sl_fs_open(fs, path, SL_OPEN_READ | SL_OPEN_WRITE, &file, why);
    if (err != SL_OK)
        return err;
    large_offset_encode(number, offset, bytes);
    err = sl_file_write_at(file, LARGE_OFFSET_AT, bytes, sizeof bytes, why);
    if (err == SL_OK && sync)
        err = sl_file_sync(file, why);
    sl_file_close(&file);
    return err;
}

enum sl_err sl_large_keep(struct sl_large *large, const struct sl_large_ref *ref, uint64_t offset,
                          struct sl_why *why)
{
    struct entry *entry = find(large, ref->number);
    enum sl_err   err;

    SL_ASSERT(offset > 0);
    if (entry == NULL || entry->header.ref.bytes != ref->bytes || entry->header.ref.crc != ref->crc)
        return sl_fail(why, SL_CORRUPT, "%s: file %" PRIu64 " of the record at %" PRIu64 " is %s",
                       large->dir, ref->number, offset, entry == NULL ? "missing" : "another");
    if (entry->header.offset != 0 && entry->header.offset != offset)
        return sl_fail(why, SL_CORRUPT,
                       "%s: file %" PRIu64 " has a record at %" PRIu64 " and another at %" PRIu64,
                       large->dir, ref->number, entry->header.offset, offset);
    entry->kept = true;
    /* Also when the file says so already: whoever wrote it may have ended before it was durable. */
    entry->header.offset = offset;
    entry->dirty = true;
    err = write_offset(large->fs, large->dir, ref->number, offset, false, why);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "keep file %" PRIu64, ref->number);
}

/* Written once more: a sync that failed may have lost what was written before it. */
enum sl_err sl_large_sync(struct sl_large *large, struct sl_why *why)
{
    for (uint32_t i = 0; i < large->count; i++) {
        struct entry *entry = &large->entries[i];
        enum sl_err   err;

        if (!entry->dirty)
            continue;
        err = write_offset(large->fs, large->dir, entry->header.ref.number, entry->header.offset,
                           true, why);
        if (err != SL_OK)
            return sl_wrap(why, err, "sync file %" PRIu64, entry->header.ref.number);
        entry->dirty = false;
    }
    return SL_OK;
}

enum sl_err sl_large_sweep(struct sl_large *large, uint64_t first, uint64_t head,
                           struct sl_why *why)
{
    uint32_t    i = 0;
    enum sl_err err;

    while (i < large->count) {
        struct entry *entry = &large->entries[i];
        uint64_t      offset = entry->header.offset;

        if (offset > 0 && offset >= first && offset < head)
            entry->kept = true;
        if (entry->kept)
            i++;
        else if ((err = remove_entry(large, i, why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

/* Has it been marked meanwhile? SL_NOT_FOUND: it was unlinked. */
static enum sl_err look_for_mark(struct sl_large *large, struct entry *entry, struct sl_why *why)
{
    struct sl_file     *file;
    struct large_header header;
    char                path[SL_PATH_BYTES_MAX];
    enum sl_err         err = large_path(path, large->dir, entry->header.ref.number, why);

    if (err != SL_OK || (err = sl_fs_open(large->fs, path, SL_OPEN_READ, &file, why)) != SL_OK)
        return err;
    err = large_header_read(file, path, &header, why);
    sl_file_close(&file);
    if (err != SL_OK)
        return err;
    entry->header.offset = header.offset;
    entry->kept = header.offset > 0;
    return SL_OK;
}

enum sl_err sl_large_remove_before(struct sl_large *large, uint64_t offset, struct sl_why *why)
{
    uint32_t    i = 0;
    enum sl_err err;

    while (i < large->count) {
        struct entry *entry = &large->entries[i];

        err = entry->kept ? SL_OK : look_for_mark(large, entry, why);
        if (err == SL_NOT_FOUND)
            err = remove_entry(large, i, why);
        else if (err == SL_OK && (!entry->kept || entry->header.offset >= offset))
            i++;
        else if (err == SL_OK)
            err = remove_entry(large, i, why);
        if (err != SL_OK)
            return err;
    }
    return SL_OK;
}

/* ---- beside the folder ---- */

enum sl_err sl_large_mark(struct sl_fs *fs, const char *dir, const struct sl_large_ref *ref,
                          uint64_t offset, struct sl_why *why)
{
    enum sl_err err = write_offset(fs, dir, ref->number, offset, true, why);

    SL_ASSERT(offset > 0);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "mark file %" PRIu64, ref->number);
}

void sl_large_unlink(struct sl_fs *fs, const char *dir, const struct sl_large_ref *ref)
{
    char path[SL_PATH_BYTES_MAX];

    if (large_path(path, dir, ref->number, NULL) == SL_OK)
        sl_fs_try_remove(fs, path); /* else the next start does */
}
