#include "storage/vlog_format.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they are in memory");
static_assert(VLOG_RECORD_HEADER_BYTES % VLOG_ALIGN == 0, "a record without payload is aligned");

static const char header_magic[8] = {'S', 'L', 'V', 'L', 'O', 'G', '\r', '\n'};

enum { BLOCK_CRC_AT = VLOG_BLOCK_BYTES - 4, RECORD_CRC_AT = 44 };

/* ---- segment header ---- */

void vlog_header_encode(const struct vlog_header *header, uint8_t *block)
{
    memset(block, 0, VLOG_BLOCK_BYTES);
    memcpy(block, header_magic, sizeof header_magic);
    sl_bytes_put_u32(block + 8, VLOG_VERSION);
    sl_bytes_put_u32(block + 12, VLOG_BLOCK_BYTES);
    sl_bytes_put_u64(block + 16, header->identity.cluster_id);
    sl_bytes_put_u32(block + 24, header->identity.shard);
    sl_bytes_put_u32(block + 28, header->identity.shard_count);
    sl_bytes_put_u64(block + 32, header->number);
    sl_bytes_put_u64(block + 40, header->generation);
    sl_bytes_put_u64(block + 48, header->segment_bytes);
    sl_bytes_put_u64(block + 56, header->first);
    sl_bytes_put_u64(block + 64, header->previous_max_commit_ts);
    sl_bytes_put_u32(block + BLOCK_CRC_AT, sl_crc32c(0, block, BLOCK_CRC_AT));
}

enum sl_err vlog_header_decode(const uint8_t *block, const char *path, struct vlog_header *out,
                               struct sl_why *why)
{
    uint32_t version = sl_bytes_get_u32(block + 8);

    if (memcmp(block, header_magic, sizeof header_magic) != 0 ||
        sl_bytes_get_u32(block + BLOCK_CRC_AT) != sl_crc32c(0, block, BLOCK_CRC_AT))
        return sl_fail(why, SL_CORRUPT,
                       "the first %d bytes of %s, its header, are damaged: restore the file",
                       VLOG_BLOCK_BYTES, path);
    if (version != VLOG_VERSION)
        return sl_fail(why, SL_UNSUPPORTED,
                       "%s has format version %u and this program reads version %d: use the "
                       "program version that wrote it",
                       path, version, VLOG_VERSION);
    *out = (struct vlog_header){
        .identity = {.cluster_id = sl_bytes_get_u64(block + 16),
                     .shard = sl_bytes_get_u32(block + 24),
                     .shard_count = sl_bytes_get_u32(block + 28)},
        .number = sl_bytes_get_u64(block + 32),
        .generation = sl_bytes_get_u64(block + 40),
        .segment_bytes = sl_bytes_get_u64(block + 48),
        .first = sl_bytes_get_u64(block + 56),
        .previous_max_commit_ts = sl_bytes_get_u64(block + 64),
    };
    return SL_OK;
}

/* ---- records ---- */

uint32_t sl_vlog_record_bytes(size_t payload_bytes)
{
    SL_ASSERT(payload_bytes <= SL_VLOG_PAYLOAD_BYTES_MAX);
    return (uint32_t)((VLOG_RECORD_HEADER_BYTES + payload_bytes + VLOG_ALIGN - 1) &
                      ~(size_t)(VLOG_ALIGN - 1));
}

/* Invariant 3. */
static uint32_t header_crc(const uint8_t *header, uint64_t generation, uint64_t offset)
{
    uint8_t seed[16];

    sl_bytes_put_u64(seed, generation);
    sl_bytes_put_u64(seed + 8, offset);
    return sl_crc32c(sl_crc32c(0, seed, sizeof seed), header, RECORD_CRC_AT);
}

uint32_t vlog_record_encode(const struct sl_vlog_record *record, uint64_t generation,
                            uint64_t offset, uint64_t durable, uint8_t *out)
{
    size_t   payload_bytes = record->payload.len;
    uint32_t bytes = sl_vlog_record_bytes(payload_bytes);

    SL_ASSERT(offset % VLOG_ALIGN == 0);
    SL_ASSERT(durable <= offset); /* invariant 4 */
    SL_ASSERT(record->type >= SL_VLOG_PREWRITE && record->type <= SL_VLOG_IDLE);
    sl_bytes_put_u32(out, VLOG_RECORD_MAGIC);
    sl_bytes_put_u32(out + 4, (uint32_t)payload_bytes);
    sl_bytes_put_u64(out + 8, record->start_ts);
    sl_bytes_put_u64(out + 16, record->commit_ts);
    sl_bytes_put_u64(out + 24, durable);
    sl_bytes_put_u64(out + 32, 0);
    out[32] = (uint8_t)record->type;
    out[33] = record->flags;
    sl_bytes_put_u64(out + bytes - VLOG_ALIGN,
                     0); /* the padding; what else it hits is written below */
    if (payload_bytes > 0)
        memcpy(out + VLOG_RECORD_HEADER_BYTES, record->payload.bytes, payload_bytes);
    sl_bytes_put_u32(out + 40, sl_crc32c(0, record->payload.bytes, payload_bytes));
    sl_bytes_put_u32(out + RECORD_CRC_AT, header_crc(out, generation, offset));
    return bytes;
}

bool vlog_record_decode(const uint8_t *bytes, uint64_t generation, uint64_t offset,
                        struct vlog_record_header *out)
{
    if (sl_bytes_get_u32(bytes) != VLOG_RECORD_MAGIC ||
        sl_bytes_get_u32(bytes + RECORD_CRC_AT) != header_crc(bytes, generation, offset))
        return false;
    *out = (struct vlog_record_header){
        .payload_bytes = sl_bytes_get_u32(bytes + 4),
        .payload_crc = sl_bytes_get_u32(bytes + 40),
        .start_ts = sl_bytes_get_u64(bytes + 8),
        .commit_ts = sl_bytes_get_u64(bytes + 16),
        .durable = sl_bytes_get_u64(bytes + 24),
        .type = bytes[32],
        .flags = bytes[33],
    };
    return out->payload_bytes <= SL_VLOG_PAYLOAD_BYTES_MAX && out->durable <= offset;
}

bool vlog_payload_is_good(const struct vlog_record_header *header, const uint8_t *payload)
{
    return sl_crc32c(0, payload, header->payload_bytes) == header->payload_crc;
}

size_t vlog_find_magic(const uint8_t *bytes, size_t count)
{
    enum { STRIDE = 16 * VLOG_ALIGN };
    size_t at = 0;

    SL_ASSERT(count % VLOG_ALIGN == 0);
    for (; count - at >= STRIDE; at += STRIDE) { /* without branches inside: most of it is zeros */
        uint32_t hits = 0;

        for (size_t i = 0; i < STRIDE; i += VLOG_ALIGN)
            hits |= (uint32_t)sl_bytes_get_u64(bytes + at + i) == VLOG_RECORD_MAGIC;
        if (hits != 0)
            break;
    }
    while (at < count && sl_bytes_get_u32(bytes + at) != VLOG_RECORD_MAGIC)
        at += VLOG_ALIGN;
    return at;
}
