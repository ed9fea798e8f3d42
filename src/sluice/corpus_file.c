#include <string.h>

#include <zstd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "sluice/corpus.h"

/* Of the packed file, held at one time; and of the unpacked one while it is only measured. */
enum { CHUNK_BYTES = 1 << 17 };

/* A packed file on its way through the library. */
struct unpacking {
    struct sl_file *file;
    ZSTD_DStream   *stream;
    struct sl_buf  *scratch; /* packed bytes */
    struct sl_buf  *into;
    bool            measuring; /* `into` is written over and over */
    uint64_t        read_at;
    uint64_t        total; /* unpacked bytes so far */
};

/* Unpack `packed` bytes of the scratch buffer. *expected: 0 when a frame has ended. */
static enum sl_err unpack_chunk(struct unpacking *u, size_t packed, size_t *expected,
                                struct sl_why *why)
{
    ZSTD_inBuffer in = {u->scratch->data, packed, 0};
    bool          more = true;

    while (more) {
        ZSTD_outBuffer out = {u->into->data, u->into->len, u->measuring ? 0 : u->total};
        size_t         in_before = in.pos;
        size_t         out_before = out.pos;

        *expected = ZSTD_decompressStream(u->stream, &out, &in);
        if (ZSTD_isError(*expected))
            return sl_fail(why, SL_INVALID, "unpack: %s", ZSTD_getErrorName(*expected));
        u->total += out.pos - out_before;
        if (u->total > SL_CORPUS_BYTES_MAX)
            return sl_fail(why, SL_TOO_LARGE, "it unpacks to more than %d bytes",
                           SL_CORPUS_BYTES_MAX);
        /* When the output is full the library may hold some back, but not behind a frame's end. */
        more = in.pos < in.size || (out.pos == out.size && *expected != 0);
        more = more && (in.pos > in_before || out.pos > out_before);
    }
    return SL_OK;
}

static enum sl_err unpack_all(struct unpacking *u, struct sl_why *why)
{
    size_t      expected = 1;
    size_t      got;
    enum sl_err err;

    u->read_at = 0;
    u->total = 0;
    (void)ZSTD_initDStream(u->stream);
    do {
        if ((err = sl_file_read_at(u->file, u->read_at, u->scratch->data, u->scratch->len, &got,
                                   why)) != SL_OK)
            return err;
        u->read_at += got;
        if (got > 0 && (err = unpack_chunk(u, got, &expected, why)) != SL_OK)
            return err;
    } while (got > 0);
    return expected == 0 ? SL_OK : sl_fail(why, SL_INVALID, "unpack: the file is cut short");
}

/* Twice through the file: the first time to know how large the buffer must be. */
static enum sl_err read_packed(struct sl_file *file, struct sl_buf **out, struct sl_why *why)
{
    struct unpacking u = {
        .file = file,
        .stream = ZSTD_createDStream(),
        .scratch = sl_buf_new(CHUNK_BYTES),
        .into = sl_buf_new(CHUNK_BYTES),
        .measuring = true,
    };
    enum sl_err err;

    SL_ASSERT(u.stream != NULL);
    if ((err = unpack_all(&u, why)) == SL_OK) {
        uint64_t measured = u.total;

        sl_buf_free(&u.into);
        u.into = sl_buf_new((size_t)measured);
        u.measuring = false;
        err = unpack_all(&u, why);
        if (err == SL_OK && u.total != measured)
            err = sl_fail(why, SL_INVALID, "it changed while it was read");
    }
    if (err == SL_OK) {
        *out = u.into;
        u.into = NULL;
    }
    sl_buf_free(&u.into);
    sl_buf_free(&u.scratch);
    (void)ZSTD_freeDStream(u.stream);
    return err;
}

static enum sl_err read_plain(struct sl_file *file, struct sl_buf **out, struct sl_why *why)
{
    struct sl_buf *bytes;
    uint64_t       size;
    size_t         got;
    enum sl_err    err;

    if ((err = sl_file_size(file, &size, why)) != SL_OK)
        return err;
    if (size > SL_CORPUS_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "it has more than %d bytes", SL_CORPUS_BYTES_MAX);
    bytes = sl_buf_new((size_t)size);
    err = sl_file_read_at(file, 0, bytes->data, bytes->len, &got, why);
    if (err == SL_OK && got != bytes->len)
        err = sl_fail(why, SL_INVALID, "it changed while it was read");
    if (err != SL_OK) {
        sl_buf_free(&bytes);
        return err;
    }
    *out = bytes;
    return SL_OK;
}

enum sl_err corpus_read(struct sl_fs *fs, const char *path, struct sl_buf **out, struct sl_why *why)
{
    static const char packed[] = ".zst";
    size_t            length = strlen(path);
    struct sl_file   *file;
    enum sl_err       err = sl_fs_open(fs, path, SL_OPEN_READ, &file, why);

    if (err != SL_OK)
        return err;
    if (length >= sizeof packed - 1 && strcmp(path + length - (sizeof packed - 1), packed) == 0)
        err = read_packed(file, out, why);
    else
        err = read_plain(file, out, why);
    sl_file_close(&file);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "%s", path);
}
