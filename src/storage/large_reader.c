#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "storage/large_format.h"

struct sl_large_reader {
    struct sl_file     *file; /* owned */
    struct sl_large_ref ref;
    uint64_t            index; /* of chunk */
    struct sl_buf      *chunk; /* owned, verified; NULL: none was read */
    char                path[SL_PATH_BYTES_MAX];
    uint32_t            table[SL_LARGE_CHUNKS_MAX];
};

static enum sl_err damaged(const struct sl_large_reader *r, const char *what, struct sl_why *why)
{
    return sl_fail(why, SL_CORRUPT, "%s: %s", r->path, what);
}

/* Read count bytes that must be there. */
static enum sl_err read_all(struct sl_large_reader *r, uint64_t at, void *out, size_t count,
                            struct sl_why *why)
{
    size_t      got;
    enum sl_err err = sl_file_read_at(r->file, at, out, count, &got, why);

    if (err == SL_OK && got < count)
        return damaged(r, "the file is cut off", why);
    return err;
}

static enum sl_err check(struct sl_large_reader *r, struct sl_why *why)
{
    struct large_header header;
    const size_t        bytes = large_chunk_count(r->ref.bytes) * sizeof *r->table;
    enum sl_err         err = large_header_read(r->file, r->path, &header, why);

    if (err == SL_AGAIN)
        return damaged(r, "never finished", why);
    if (err != SL_OK)
        return err;
    if (header.ref.number != r->ref.number || header.ref.bytes != r->ref.bytes ||
        header.ref.crc != r->ref.crc || bytes > sizeof r->table)
        return damaged(r, "not the file of this reference", why);
    if ((err = read_all(r, LARGE_BLOCK_BYTES + r->ref.bytes, r->table, bytes, why)) != SL_OK)
        return err;
    if (large_table_crc(r->ref.number, r->ref.bytes, r->table) != r->ref.crc)
        return damaged(r, "the checksums are damaged", why);
    return SL_OK;
}

enum sl_err sl_large_reader_open(struct sl_fs *fs, const char *dir, const struct sl_large_ref *ref,
                                 struct sl_large_reader **out, struct sl_why *why)
{
    struct sl_large_reader *reader = calloc(1, sizeof *reader);
    enum sl_err             err;

    SL_ASSERT(reader != NULL);
    reader->ref = *ref;
    if ((err = large_path(reader->path, dir, ref->number, why)) == SL_OK &&
        (err = sl_fs_open(fs, reader->path, SL_OPEN_READ, &reader->file, why)) == SL_OK)
        err = check(reader, why);
    if (err != SL_OK) {
        sl_large_reader_close(&reader);
        return err;
    }
    *out = reader;
    return SL_OK;
}

void sl_large_reader_close(struct sl_large_reader **reader)
{
    struct sl_large_reader *old = *reader;

    *reader = NULL;
    if (old == NULL)
        return;
    sl_file_close(&old->file);
    sl_buf_free(&old->chunk);
    free(old);
}

static enum sl_err load(struct sl_large_reader *r, uint64_t index, struct sl_why *why)
{
    uint64_t       at = index * SL_LARGE_CHUNK_BYTES;
    uint64_t       left = r->ref.bytes - at;
    struct sl_buf *chunk =
        sl_buf_new(left < SL_LARGE_CHUNK_BYTES ? (size_t)left : SL_LARGE_CHUNK_BYTES);
    enum sl_err err = read_all(r, LARGE_BLOCK_BYTES + at, chunk->data, chunk->len, why);

    if (err == SL_OK && sl_crc32c(large_chunk_seed(r->ref.number, index), chunk->data,
                                  chunk->len) != r->table[index])
        err = sl_fail(why, SL_CORRUPT, "%s: the chunk at %" PRIu64 " is damaged", r->path,
                      LARGE_BLOCK_BYTES + at);
    if (err != SL_OK) {
        sl_buf_free(&chunk);
        return err;
    }
    sl_buf_free(&r->chunk);
    r->chunk = chunk;
    r->index = index;
    return SL_OK;
}

enum sl_err sl_large_reader_read(struct sl_large_reader *reader, uint64_t at, size_t count,
                                 struct sl_buf **out, struct sl_why *why)
{
    uint64_t    index = at / SL_LARGE_CHUNK_BYTES;
    size_t      within = (size_t)(at % SL_LARGE_CHUNK_BYTES);
    enum sl_err err;

    SL_ASSERT(at < reader->ref.bytes && count > 0);
    if ((reader->chunk == NULL || reader->index != index) &&
        (err = load(reader, index, why)) != SL_OK)
        return err;
    if (count > reader->chunk->len - within)
        count = reader->chunk->len - within;
    *out = sl_buf_slice(reader->chunk, within, count);
    return SL_OK;
}
