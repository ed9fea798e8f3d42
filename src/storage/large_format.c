#include "storage/large_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they are in memory");

static const char magic[8] = {'S', 'L', 'L', 'A', 'R', 'G', 'E', '\n'};
static const char mark[4] = {'D', 'O', 'N', 'E'};

enum { NAME_DIGITS_MIN = 8, NAME_DIGITS_MAX = 19 };
enum { HEADER_CRC_AT = 32, OFFSET_CRC_AT = 8 };

static_assert((int)LARGE_OFFSET_AT + (int)LARGE_OFFSET_BYTES <= (int)LARGE_BLOCK_BYTES,
              "they lie in the block");

/* ---- names ---- */

enum sl_err large_path(char *out, const char *dir, uint64_t number, struct sl_why *why)
{
    char name[LARGE_NAME_BYTES];

    (void)snprintf(name, sizeof name, "%08" PRIu64, number);
    return sl_path_join(out, dir, name, why);
}

bool large_parse_name(const char *name, uint64_t *number)
{
    size_t   digits = strspn(name, "0123456789");
    uint64_t value = 0;

    if (digits < NAME_DIGITS_MIN || digits > NAME_DIGITS_MAX || name[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        value = 10 * value + (uint64_t)(name[i] - '0');
    *number = value;
    return value > 0;
}

/* ---- files ---- */

void large_header_encode(const struct sl_large_ref *ref, uint8_t out[LARGE_HEADER_BYTES])
{
    memcpy(out, magic, sizeof magic);
    sl_bytes_put_u32(out + 8, LARGE_VERSION);
    sl_bytes_put_u32(out + 12, ref->crc);
    sl_bytes_put_u64(out + 16, ref->number);
    sl_bytes_put_u64(out + 24, ref->bytes);
    sl_bytes_put_u32(out + HEADER_CRC_AT, sl_crc32c(0, out, HEADER_CRC_AT));
    memcpy(out + HEADER_CRC_AT + 4, mark, sizeof mark);
}

void large_offset_encode(uint64_t number, uint64_t offset, uint8_t out[LARGE_OFFSET_BYTES])
{
    sl_bytes_put_u64(out, offset);
    sl_bytes_put_u32(out + OFFSET_CRC_AT, large_chunk_seed(number, offset));
    memcpy(out + OFFSET_CRC_AT + 4, mark, sizeof mark);
}

/* Without any of its mark it may be torn. */
static bool is_marked(const uint8_t *crc)
{
    return sl_bytes_get_u32(crc + 4) != 0;
}

static enum sl_err decode_header(const uint8_t *bytes, const char *path, struct sl_large_ref *out,
                                 struct sl_why *why)
{
    if (!is_marked(bytes + HEADER_CRC_AT))
        return SL_AGAIN;
    if (memcmp(bytes, magic, sizeof magic) != 0 ||
        sl_bytes_get_u32(bytes + HEADER_CRC_AT) != sl_crc32c(0, bytes, HEADER_CRC_AT))
        return sl_fail(why, SL_CORRUPT, "%s: the header is damaged", path);
    if (sl_bytes_get_u32(bytes + 8) != LARGE_VERSION)
        return sl_fail(why, SL_UNSUPPORTED, "%s: format version %" PRIu32 ", this program knows %d",
                       path, sl_bytes_get_u32(bytes + 8), LARGE_VERSION);
    *out = (struct sl_large_ref){.number = sl_bytes_get_u64(bytes + 16),
                                 .bytes = sl_bytes_get_u64(bytes + 24),
                                 .crc = sl_bytes_get_u32(bytes + 12)};
    if (out->bytes == 0 || large_chunk_count(out->bytes) > SL_LARGE_CHUNKS_MAX)
        return sl_fail(why, SL_CORRUPT, "%s: an entity of %" PRIu64 " bytes", path, out->bytes);
    return SL_OK;
}

static enum sl_err decode_offset(const uint8_t *bytes, const char *path, uint64_t number,
                                 uint64_t *out, struct sl_why *why)
{
    uint64_t offset = sl_bytes_get_u64(bytes);

    *out = 0;
    if (!is_marked(bytes + OFFSET_CRC_AT))
        return SL_OK;
    if (offset == 0 || sl_bytes_get_u32(bytes + OFFSET_CRC_AT) != large_chunk_seed(number, offset))
        return sl_fail(why, SL_CORRUPT, "%s: the offset of its record is damaged", path);
    *out = offset;
    return SL_OK;
}

enum sl_err large_header_read(struct sl_file *file, const char *path, struct large_header *out,
                              struct sl_why *why)
{
    uint8_t     bytes[LARGE_OFFSET_AT + LARGE_OFFSET_BYTES] = {0};
    size_t      got;
    enum sl_err err;

    if ((err = sl_file_read_at(file, 0, bytes, sizeof bytes, &got, why)) != SL_OK ||
        (err = decode_header(bytes, path, &out->ref, why)) != SL_OK)
        return err;
    return decode_offset(bytes + LARGE_OFFSET_AT, path, out->ref.number, &out->offset, why);
}

uint32_t large_chunk_seed(uint64_t number, uint64_t index)
{
    uint8_t place[16];

    sl_bytes_put_u64(place, number);
    sl_bytes_put_u64(place + 8, index);
    return sl_crc32c(0, place, sizeof place);
}

uint32_t large_table_crc(uint64_t number, uint64_t bytes, const uint32_t *table)
{
    return sl_crc32c(large_chunk_seed(number, bytes), table,
                     large_chunk_count(bytes) * sizeof *table);
}

uint32_t large_chunk_count(uint64_t bytes)
{
    uint64_t chunks = bytes / SL_LARGE_CHUNK_BYTES + (bytes % SL_LARGE_CHUNK_BYTES > 0);

    return chunks < UINT32_MAX ? (uint32_t)chunks : UINT32_MAX;
}

/* ---- references ---- */

size_t sl_large_record_bytes(const struct sl_large_record *record)
{
    SL_ASSERT(record->rest.len <= SL_RECORD_REST_BYTES_MAX);
    return SL_LARGE_RECORD_BYTES + record->rest.len;
}

void sl_large_record_encode(const struct sl_large_record *record, uint8_t *out)
{
    SL_ASSERT(record->ref.number > 0 && record->ref.bytes > 0);
    SL_ASSERT(SL_IMPLIES(record->has_value, record->value_at <= record->ref.bytes));
    sl_bytes_put_u32(out, LARGE_VERSION);
    sl_bytes_put_u32(out + 4, record->has_value ? 1 : 0);
    sl_bytes_put_u64(out + 8, record->ref.number);
    sl_bytes_put_u64(out + 16, record->ref.bytes);
    sl_bytes_put_u64(out + 24, record->has_value ? record->value_at : 0);
    sl_bytes_put_u64(out + 32, record->has_value ? record->value_bytes : 0);
    sl_bytes_put_u32(out + 40, record->ref.crc);
    sl_bytes_put_u32(out + 44, (uint32_t)record->rest.len);
    if (record->rest.len > 0)
        memcpy(out + SL_LARGE_RECORD_BYTES, record->rest.bytes, record->rest.len);
}

enum sl_err sl_large_record_decode(struct sl_slice payload, struct sl_large_record *out,
                                   struct sl_why *why)
{
    const uint8_t         *at = payload.bytes;
    struct sl_large_record record;

    if (payload.len < SL_LARGE_RECORD_BYTES)
        return sl_fail(why, SL_CORRUPT, "a reference of %zu bytes", payload.len);
    if (sl_bytes_get_u32(at) != LARGE_VERSION)
        return sl_fail(why, SL_UNSUPPORTED, "a reference of version %" PRIu32,
                       sl_bytes_get_u32(at));
    record = (struct sl_large_record){
        .ref = {.number = sl_bytes_get_u64(at + 8),
                .bytes = sl_bytes_get_u64(at + 16),
                .crc = sl_bytes_get_u32(at + 40)},
        .has_value = sl_bytes_get_u32(at + 4) == 1,
        .value_at = sl_bytes_get_u64(at + 24),
        .value_bytes = sl_bytes_get_u64(at + 32),
        .rest = {at + SL_LARGE_RECORD_BYTES, payload.len - SL_LARGE_RECORD_BYTES}};
    if (sl_bytes_get_u32(at + 4) > 1 || sl_bytes_get_u32(at + 44) != record.rest.len ||
        record.ref.bytes == 0 || record.value_at > record.ref.bytes ||
        record.value_bytes > record.ref.bytes - record.value_at)
        return sl_fail(why, SL_CORRUPT, "a reference to file %" PRIu64 " contradicts itself",
                       record.ref.number);
    *out = record;
    return SL_OK;
}
