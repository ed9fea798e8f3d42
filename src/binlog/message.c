#include "binlog/message.h"

#include <string.h>

#include "base/assert.h"

enum wire_type { WIRE_NUMBER = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum {
    WIRE_BITS = 3,
    NUMBER_BYTES_MAX = 10,
    REQUEST_CLUSTER_ID = 1,
    REQUEST_PAYLOAD = 2,
    REQUEST_START_FROM = 2,
    POS_OFFSET = 2,
    RESPONSE_ENTITY = 1,
    ENTITY_PAYLOAD = 2,
};

/* ---- writing ---- */

size_t sl_message_number_bytes(uint64_t number)
{
    size_t bytes = 1;

    for (; number >= 0x80; number >>= 7)
        bytes++;
    return bytes;
}

size_t sl_message_field_bytes(size_t len)
{
    return 1 + sl_message_number_bytes(len) + len;
}

uint8_t *sl_message_put_number(uint8_t *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

uint8_t *sl_message_put_integer(uint8_t *at, unsigned field, uint64_t value)
{
    *at++ = (uint8_t)(field << WIRE_BITS | WIRE_NUMBER);
    return sl_message_put_number(at, value);
}

uint8_t *sl_message_put_head(uint8_t *at, unsigned field, size_t len)
{
    *at++ = (uint8_t)(field << WIRE_BITS | WIRE_BYTES);
    return sl_message_put_number(at, len);
}

/* A request with its head written; *payload is where so many bytes belong. */
static struct sl_buf *new_write(uint64_t cluster_id, size_t payload_bytes, uint8_t **payload)
{
    size_t         size = cluster_id != 0 ? 1 + sl_message_number_bytes(cluster_id) : 0;
    struct sl_buf *out = sl_buf_new(size + sl_message_field_bytes(payload_bytes));
    uint8_t       *at = out->data;

    if (cluster_id != 0)
        at = sl_message_put_integer(at, REQUEST_CLUSTER_ID, cluster_id);
    *payload = sl_message_put_head(at, REQUEST_PAYLOAD, payload_bytes);
    SL_ASSERT(*payload + payload_bytes == out->data + out->len);
    return out;
}

struct sl_buf *sl_message_write(uint64_t cluster_id, struct sl_slice payload)
{
    uint8_t       *at;
    struct sl_buf *out = new_write(cluster_id, payload.len, &at);

    if (payload.len > 0)
        memcpy(at, payload.bytes, payload.len);
    return out;
}

struct sl_buf *sl_message_write_record(uint64_t cluster_id, const struct sl_record *record)
{
    uint8_t       *at;
    struct sl_buf *out = new_write(cluster_id, sl_record_encoded_bytes(record), &at);

    sl_record_encode(record, at);
    return out;
}

struct sl_buf *sl_message_probe(uint64_t cluster_id)
{
    struct sl_buf *out = sl_buf_new(cluster_id != 0 ? 1 + sl_message_number_bytes(cluster_id) : 0);

    if (cluster_id != 0)
        (void)sl_message_put_integer(out->data, REQUEST_CLUSTER_ID, cluster_id);
    return out;
}

struct sl_buf *sl_message_pull(uint64_t cluster_id, sl_ts from)
{
    size_t         pos_bytes = from != 0 ? 1 + sl_message_number_bytes((uint64_t)from) : 0;
    size_t         size = cluster_id != 0 ? 1 + sl_message_number_bytes(cluster_id) : 0;
    struct sl_buf *out = sl_buf_new(size + sl_message_field_bytes(pos_bytes));
    uint8_t       *at = out->data;

    if (cluster_id != 0)
        at = sl_message_put_integer(at, REQUEST_CLUSTER_ID, cluster_id);
    at = sl_message_put_head(at, REQUEST_START_FROM, pos_bytes); /* also when it is empty */
    if (from != 0)
        at = sl_message_put_integer(at, POS_OFFSET, (uint64_t)from);
    SL_ASSERT(at == out->data + out->len);
    return out;
}

/* ---- reading ---- */

/* Take a number off the front. */
static bool take_number(struct sl_slice *bytes, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < NUMBER_BYTES_MAX && i < bytes->len; i++) {
        value |= (uint64_t)(bytes->bytes[i] & 0x7f) << (7 * i);
        if ((bytes->bytes[i] & 0x80) == 0) {
            *bytes = (struct sl_slice){bytes->bytes + i + 1, bytes->len - i - 1};
            *out = value;
            return true;
        }
    }
    return false;
}

/* Take a field off the front; *value is empty unless it holds bytes. */
static bool take_field(struct sl_slice *bytes, uint64_t *field, struct sl_slice *value)
{
    uint64_t key;
    uint64_t length = 0;
    unsigned wire;

    *value = (struct sl_slice){NULL, 0};
    if (!take_number(bytes, &key))
        return false;
    *field = key >> WIRE_BITS;
    wire = (unsigned)(key & ((1u << WIRE_BITS) - 1));
    if (wire == WIRE_NUMBER)
        return take_number(bytes, &length);
    if (wire == WIRE_BYTES && !take_number(bytes, &length))
        return false;
    if (wire != WIRE_BYTES && wire != WIRE_FIXED64 && wire != WIRE_FIXED32)
        return false;
    if (wire != WIRE_BYTES)
        length = wire == WIRE_FIXED64 ? sizeof(uint64_t) : sizeof(uint32_t);
    if (length > bytes->len)
        return false;
    if (wire == WIRE_BYTES)
        *value = (struct sl_slice){bytes->bytes, (size_t)length};
    *bytes = (struct sl_slice){bytes->bytes + length, bytes->len - (size_t)length};
    return true;
}

/* The bytes of one field, the last if it is there twice; bytes NULL: absent. */
static bool find_field(struct sl_slice bytes, uint64_t wanted, struct sl_slice *out)
{
    struct sl_slice value;
    uint64_t        field;

    *out = (struct sl_slice){NULL, 0};
    while (bytes.len > 0) {
        if (!take_field(&bytes, &field, &value))
            return false;
        if (field == wanted)
            *out = value;
    }
    return true;
}

enum sl_err sl_message_entity(struct sl_slice response, struct sl_slice *payload, struct sl_why *why)
{
    struct sl_slice entity;
    struct sl_slice found;

    if (!find_field(response, RESPONSE_ENTITY, &entity) || entity.bytes == NULL)
        return sl_fail(why, SL_INVALID, "an answer without entity");
    if (!find_field(entity, ENTITY_PAYLOAD, &found) || found.bytes == NULL)
        return sl_fail(why, SL_INVALID, "an entity without payload");
    *payload = found;
    return SL_OK;
}
