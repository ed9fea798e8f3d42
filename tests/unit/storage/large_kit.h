#ifndef SL_TESTS_UNIT_STORAGE_LARGE_KIT_H
#define SL_TESTS_UNIT_STORAGE_LARGE_KIT_H

/* Entities that can be made again from a number and a size, and their files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/prng.h"
#include "lib/env_sim.h"
#include "storage/large.h"

static const char large_dir[] = "/data/large";

/* Bytes at..at + count - 1 of entity `id`. */
static inline void entity_bytes(uint64_t id, uint64_t at, uint8_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)((id * 31 + (at + i) * 2654435761u) >> 9);
}

static inline enum sl_err try_append(struct sl_large_writer *writer, uint64_t id, uint64_t size,
                                     size_t piece)
{
    static uint8_t bytes[1 << 20];
    enum sl_err    err = SL_OK;

    assert_true(piece <= sizeof bytes);
    for (uint64_t at = 0; at < size && err == SL_OK; at += piece) {
        size_t count = size - at < piece ? (size_t)(size - at) : piece;

        entity_bytes(id, at, bytes, count);
        err = sl_large_append(writer, (struct sl_slice){bytes, count}, NULL);
    }
    return err;
}

/* The file of entity `id`. */
static inline enum sl_err try_write(struct sl_large *large, uint64_t id, uint64_t size,
                                    size_t piece, struct sl_large_ref *ref)
{
    struct sl_large_writer *writer;
    enum sl_err             err = sl_large_create(large, &writer, NULL);

    if (err != SL_OK)
        return err;
    if ((err = try_append(writer, id, size, piece)) != SL_OK) {
        sl_large_abandon(&writer);
        return err;
    }
    return sl_large_finish(&writer, ref, NULL);
}

/* SL_OK: all of it is there, and is entity `id`. */
static inline enum sl_err try_read(struct sl_fs *fs, const char *dir, uint64_t id,
                                   const struct sl_large_ref *ref, size_t piece)
{
    static uint8_t          expected[SL_LARGE_CHUNK_BYTES];
    struct sl_large_reader *reader;
    enum sl_err             err = sl_large_reader_open(fs, dir, ref, &reader, NULL);

    if (err != SL_OK)
        return err;
    for (uint64_t at = 0; at < ref->bytes && err == SL_OK;) {
        struct sl_buf *bytes;

        if ((err = sl_large_reader_read(reader, at, piece, &bytes, NULL)) != SL_OK)
            break;
        assert_in_range(bytes->len, 1, piece);
        entity_bytes(id, at, expected, bytes->len);
        assert_memory_equal(bytes->data, expected, bytes->len);
        at += bytes->len;
        sl_buf_free(&bytes);
    }
    sl_large_reader_close(&reader);
    return err;
}

#endif
