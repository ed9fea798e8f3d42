#include "sluice/row_bytes.h"

#include <string.h>

#include "binlog/message.h"

/* Flags of values. */
enum { FLAG_NULL = 0, FLAG_COMPACT_BYTES = 2, FLAG_VARINT = 8 };

uint64_t row_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

/* Ordered as bytes like the number: big endian, sign turned. */
static uint8_t *put_ordered(uint8_t *at, int64_t value)
{
    uint64_t bits = (uint64_t)value ^ UINT64_C(1) << 63;

    for (unsigned shift = 64; shift > 0; shift -= 8)
        *at++ = (uint8_t)(bits >> (shift - 8));
    return at;
}

uint8_t *row_put_key(uint8_t *at, int64_t table_id, int64_t row_id)
{
    *at++ = 't';
    at = put_ordered(at, table_id);
    *at++ = '_';
    *at++ = 'r';
    return put_ordered(at, row_id);
}

uint8_t *row_put_null(uint8_t *at)
{
    *at++ = FLAG_NULL;
    return at;
}

uint8_t *row_put_int(uint8_t *at, int64_t value)
{
    *at++ = FLAG_VARINT;
    return sl_message_put_number(at, row_zigzag(value));
}

uint8_t *row_put_text(uint8_t *at, const char *text, size_t len)
{
    *at++ = FLAG_COMPACT_BYTES;
    at = sl_message_put_number(at, row_zigzag((int64_t)len));
    memcpy(at, text, len);
    return at + len;
}
