#include "storage/vlog_format.h"

#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they are in memory");
static_assert(VLOG_RECORD_HEADER_BYTES % VLOG_ALIGN == 0, "a record without payload is aligned");

static const char header_magic[8] = {'S', 'L', 'V', 'L', 'O', 'G', '\r', '\n'};

enum { BLOCK_CRC_AT = VLOG_BLOCK_BYTES - 4, RECORD_CRC_AT = 44 };

static void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static void put_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* ---- segment header ---- */

void vlog_header_encode(const struct vlog_header *header, uint8_t *block)
{
    memset(block, 0, VLOG_BLOCK_BYTES);
    memcpy(block, header_magic, sizeof header_magic);
    put_u32(block + 8, VLOG_VERSION);
    put_u32(block + 12, VLOG_BLOCK_BYTES);
    put_u64(block + 16, header->identity.cluster_id);
    put_u32(block + 24, header->identity.shard);
    put_u32(block + 28, header->identity.shard_count);
    put_u64(block + 32, header->number);
    put_u64(block + 40, header->generation);
    put_u64(block + 48, header->segment_bytes);
    put_u64(block + 56, header->first);
    put_u64(block + 64, header->previous_max_commit_ts);
    put_u32(block + BLOCK_CRC_AT, sl_crc32c(0, block, BLOCK_CRC_AT));
}

enum sl_err vlog_header_decode(const uint8_t *block, const char *path, struct vlog_header *out,
                               struct sl_why *why)
{
    uint32_t version = get_u32(block + 8);

    if (memcmp(block, header_magic, sizeof header_magic) != 0 ||
        get_u32(block + BLOCK_CRC_AT) != sl_crc32c(0, block, BLOCK_CRC_AT))
        return sl_fail(why, SL_CORRUPT,
                       "the first %d bytes of %s, its header, are damaged: restore the file",
                       VLOG_BLOCK_BYTES, path);
    if (version != VLOG_VERSION)
        return sl_fail(why, SL_UNSUPPORTED,
                       "%s has format version %u and this program reads version %d: use the "
                       "program version that wrote it",
                       path, version, VLOG_VERSION);
    *out = (struct vlog_header){
        .identity = {.cluster_id = get_u64(block + 16),
                     .shard = get_u32(block + 24),
                     .shard_count = get_u32(block + 28)},
        .number = get_u64(block + 32),
        .generation = get_u64(block + 40),
        .segment_bytes = get_u64(block + 48),
        .first = get_u64(block + 56),
        .previous_max_commit_ts = get_u64(block + 64),
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

    put_u64(seed, generation);
    put_u64(seed + 8, offset);
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
    put_u32(out, VLOG_RECORD_MAGIC);
    put_u32(out + 4, (uint32_t)payload_bytes);
    put_u64(out + 8, record->start_ts);
    put_u64(out + 16, record->commit_ts);
    put_u64(out + 24, durable);
    put_u64(out + 32, 0);
    out[32] = (uint8_t)record->type;
    out[33] = record->flags;
    put_u64(out + bytes - VLOG_ALIGN, 0); /* the padding; what else it hits is written below */
    if (payload_bytes > 0)
        memcpy(out + VLOG_RECORD_HEADER_BYTES, record->payload.bytes, payload_bytes);
    put_u32(out + 40, sl_crc32c(0, record->payload.bytes, payload_bytes));
    put_u32(out + RECORD_CRC_AT, header_crc(out, generation, offset));
    return bytes;
}

bool vlog_record_decode(const uint8_t *bytes, uint64_t generation, uint64_t offset,
                        struct vlog_record_header *out)
{
    if (get_u32(bytes) != VLOG_RECORD_MAGIC ||
        get_u32(bytes + RECORD_CRC_AT) != header_crc(bytes, generation, offset))
        return false;
    *out = (struct vlog_record_header){
        .payload_bytes = get_u32(bytes + 4),
        .payload_crc = get_u32(bytes + 40),
        .start_ts = get_u64(bytes + 8),
        .commit_ts = get_u64(bytes + 16),
        .durable = get_u64(bytes + 24),
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
            hits |= (uint32_t)get_u64(bytes + at + i) == VLOG_RECORD_MAGIC;
        if (hits != 0)
            break;
    }
    while (at < count && get_u32(bytes + at) != VLOG_RECORD_MAGIC)
        at += VLOG_ALIGN;
    return at;
}
