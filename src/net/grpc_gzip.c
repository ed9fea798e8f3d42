#include "net/grpc_gzip.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/assert.h"
#include "base/limits.h"

enum {
    WINDOW_BITS = 15,
    GZIP_FORMAT = 16, /* added to the window bits: gzip, not zlib */
    MEMORY_LEVEL = 8, /* zlib's default */
    MEMBER_BYTES_MIN = 18,
    EXPANSION_MAX = 1032, /* deflate: 258 bytes from 2 bits */
};

/* zlib counts in uInt. */
static_assert(SL_BUF_BYTES_MAX <= UINT32_MAX && sizeof(uInt) >= sizeof(uint32_t), "sizes fit");

struct grpc_gzip {
    z_stream in;
    z_stream out;
};

/* zlib fails where memory is short; nothing else is left to chance here. */
static void must(int result)
{
    SL_ASSERT(result == Z_OK);
}

struct grpc_gzip *grpc_gzip_new(void)
{
    struct grpc_gzip *gzip = calloc(1, sizeof *gzip);

    SL_ASSERT(gzip != NULL);
    must(inflateInit2(&gzip->in, WINDOW_BITS + GZIP_FORMAT));
    must(deflateInit2(&gzip->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS + GZIP_FORMAT,
                      MEMORY_LEVEL, Z_DEFAULT_STRATEGY));
    return gzip;
}

void grpc_gzip_free(struct grpc_gzip **gzip)
{
    struct grpc_gzip *old = *gzip;

    *gzip = NULL;
    if (old == NULL)
        return;
    (void)inflateEnd(&old->in);
    (void)deflateEnd(&old->out);
    free(old);
}

bool grpc_gzip_size(struct sl_slice packed, uint32_t *out)
{
    const uint8_t *last;

    if (packed.len < MEMBER_BYTES_MIN)
        return false;
    last = packed.bytes + packed.len - sizeof *out;
    *out = (uint32_t)last[0] | (uint32_t)last[1] << 8 | (uint32_t)last[2] << 16 |
           (uint32_t)last[3] << 24;
    return true;
}

struct sl_buf *grpc_gzip_unpack(struct grpc_gzip *gzip, struct sl_slice packed, uint32_t size)
{
    z_stream      *in = &gzip->in;
    struct sl_buf *plain;

    SL_ASSERT(packed.len <= SL_BUF_BYTES_MAX && size <= SL_BUF_BYTES_MAX);
    if (size > (uint64_t)packed.len * EXPANSION_MAX)
        return NULL;
    plain = sl_buf_new(size);
    must(inflateReset(in));
    in->next_in = packed.bytes;
    in->avail_in = (uInt)packed.len;
    in->next_out = plain->data;
    in->avail_out = size;
    /* zlib has compared length and CRC when it sees the end; nothing may follow it. */
    if (inflate(in, Z_FINISH) != Z_STREAM_END || in->avail_in > 0 || in->avail_out > 0)
        sl_buf_free(&plain);
    return plain;
}

struct sl_buf *grpc_gzip_pack(struct grpc_gzip *gzip, struct sl_slice plain)
{
    z_stream      *out = &gzip->out;
    uLong          bound;
    uint8_t       *room;
    struct sl_buf *packed;
    int            result;

    SL_ASSERT(plain.len <= SL_BUF_BYTES_MAX);
    must(deflateReset(out));
    bound = deflateBound(out, (uLong)plain.len);
    if (bound > SL_BUF_BYTES_MAX)
        return NULL;
    room = malloc(bound);
    SL_ASSERT(room != NULL);
    out->next_in = plain.bytes;
    out->avail_in = (uInt)plain.len;
    out->next_out = room;
    out->avail_out = (uInt)bound;
    result = deflate(out, Z_FINISH);
    SL_ASSERT(result == Z_STREAM_END);
    packed = sl_buf_new(bound - out->avail_out);
    memcpy(packed->data, room, packed->len);
    free(room);
    return packed;
}
