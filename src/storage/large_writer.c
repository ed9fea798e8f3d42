#include <stdlib.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "storage/large_format.h"

struct sl_large_writer {
    struct sl_large *large; /* borrowed */
    struct sl_file  *file;  /* owned */
    uint64_t         number;
    uint64_t         bytes;  /* of the entity, so far */
    uint64_t         synced; /* of them */
    uint32_t         crc;    /* of the chunk under way */
    bool             failed; /* what is in the file is not known */
    char             path[SL_PATH_BYTES_MAX];
    uint32_t         table[SL_LARGE_CHUNKS_MAX];
};

enum sl_err sl_large_create(struct sl_large *large, struct sl_large_writer **out,
                            struct sl_why *why)
{
    struct sl_large_writer *writer = calloc(1, sizeof *writer);
    enum sl_err             err;

    SL_ASSERT(writer != NULL);
    writer->large = large;
    if ((err = large_next(large, &writer->number, writer->path, why)) == SL_OK)
        err = sl_fs_create(large_fs(large), writer->path, &writer->file, why);
    if (err != SL_OK) {
        free(writer);
        return err;
    }
    large_writer_begun(large);
    *out = writer;
    return SL_OK;
}

/* Add to the checksums what was written behind the first `bytes`. */
static void count(struct sl_large_writer *writer, struct sl_slice bytes)
{
    while (bytes.len > 0) {
        uint64_t index = writer->bytes / SL_LARGE_CHUNK_BYTES;
        size_t   room = (size_t)(SL_LARGE_CHUNK_BYTES - writer->bytes % SL_LARGE_CHUNK_BYTES);
        size_t   part = bytes.len < room ? bytes.len : room;

        if (room == SL_LARGE_CHUNK_BYTES)
            writer->crc = large_chunk_seed(writer->number, index);
        writer->crc = sl_crc32c(writer->crc, bytes.bytes, part);
        writer->table[index] = writer->crc;
        writer->bytes += part;
        bytes.bytes += part;
        bytes.len -= part;
    }
}

enum sl_err sl_large_append(struct sl_large_writer *writer, struct sl_slice bytes,
                            struct sl_why *why)
{
    const uint64_t max = (uint64_t)SL_LARGE_CHUNKS_MAX * SL_LARGE_CHUNK_BYTES;
    enum sl_err    err;

    SL_ASSERT(!writer->failed);
    writer->failed = true;
    if (bytes.len > max - writer->bytes)
        return sl_fail(why, SL_TOO_LARGE, "%s: more than %llu bytes", writer->path,
                       (unsigned long long)max);
    err = sl_file_write_at(writer->file, LARGE_BLOCK_BYTES + writer->bytes, bytes.bytes, bytes.len,
                           why);
    if (err != SL_OK)
        return err;
    count(writer, bytes);
    if (writer->bytes - writer->synced >= SL_LARGE_SYNC_BYTES) {
        if ((err = sl_file_sync(writer->file, why)) != SL_OK)
            return err;
        writer->synced = writer->bytes;
    }
    writer->failed = false;
    return SL_OK;
}

static enum sl_err write_ends(struct sl_large_writer *writer, const struct large_header *header,
                              struct sl_why *why)
{
    uint8_t     bytes[LARGE_HEADER_BYTES];
    enum sl_err err =
        sl_file_write_at(writer->file, LARGE_BLOCK_BYTES + writer->bytes, writer->table,
                         large_chunk_count(writer->bytes) * sizeof *writer->table, why);

    large_header_encode(&header->ref, bytes);
    if (err == SL_OK)
        err = sl_file_write_at(writer->file, 0, bytes, sizeof bytes, why);
    if (err == SL_OK)
        err = sl_file_sync(writer->file, why);
    if (err == SL_OK)
        err = sl_fs_sync_dir_of(large_fs(writer->large), writer->path, why);
    return err;
}

enum sl_err sl_large_finish(struct sl_large_writer **writer, struct sl_large_ref *out,
                            struct sl_why *why)
{
    struct sl_large_writer *w = *writer;
    struct large_header     header = {.ref = {.number = w->number, .bytes = w->bytes}};
    enum sl_err             err;

    SL_ASSERT(!w->failed && w->bytes > 0);
    header.ref.crc = large_table_crc(w->number, w->bytes, w->table);
    if ((err = write_ends(w, &header, why)) != SL_OK) {
        sl_large_abandon(writer);
        return err;
    }
    large_add(w->large, &header);
    *out = header.ref;
    large_writer_over(w->large);
    sl_file_close(&w->file);
    free(w);
    *writer = NULL;
    return SL_OK;
}

void sl_large_abandon(struct sl_large_writer **writer)
{
    struct sl_large_writer *old = *writer;

    *writer = NULL;
    if (old == NULL)
        return;
    sl_file_close(&old->file);
    sl_fs_try_remove(large_fs(old->large), old->path);
    large_writer_over(old->large);
    free(old);
}
