#include "actors/pump/pull_entity.h"

#include <string.h>

#include "base/assert.h"

/* Tags: field number << 3 | wire type. */
enum {
    TAG_ENTITY = 0x0a,
    TAG_POS = 0x0a,
    TAG_PAYLOAD = 0x12,
    TAG_META = 0x22,
    TAG_START_TS = 0x08,
    TAG_COMMIT_TS = 0x10,
};

static size_t varint_bytes(uint64_t value)
{
    size_t count = 1;

    while (value >= 0x80) {
        value >>= 7;
        count++;
    }
    return count;
}

static uint8_t *put_length(uint8_t *out, unsigned tag, uint64_t length)
{
    *out++ = (uint8_t)tag;
    while (length >= 0x80) {
        *out++ = (uint8_t)(length | 0x80);
        length >>= 7;
    }
    *out++ = (uint8_t)length;
    return out;
}

/* proto3 leaves out a zero. */
static size_t ts_bytes(sl_ts ts)
{
    return ts == 0 ? 0 : 1 + varint_bytes((uint64_t)ts);
}

static uint8_t *put_ts(uint8_t *out, unsigned tag, sl_ts ts)
{
    return ts == 0 ? out : put_length(out, tag, (uint64_t)ts);
}

/* The entity around a record of so many bytes, whose place is *record. */
static struct sl_buf *frame(sl_ts start_ts, sl_ts commit_ts, size_t record_bytes, uint8_t **record)
{
    size_t         meta = ts_bytes(start_ts) + ts_bytes(commit_ts);
    size_t         entity = 2 + 1 + varint_bytes(record_bytes) + record_bytes + 2 + meta;
    struct sl_buf *buf = sl_buf_new(1 + varint_bytes(entity) + entity);
    uint8_t       *out = put_length(buf->data, TAG_ENTITY, entity);

    SL_ASSERT(record_bytes > 0); /* else proto3 would leave the payload out */
    out = put_length(out, TAG_POS, 0);
    out = put_length(out, TAG_PAYLOAD, record_bytes);
    *record = out;
    out = put_length(out + record_bytes, TAG_META, meta);
    out = put_ts(out, TAG_START_TS, start_ts);
    out = put_ts(out, TAG_COMMIT_TS, commit_ts);
    SL_ASSERT(out == buf->data + buf->len);
    return buf;
}

static struct sl_buf *encoded(const struct sl_record *r)
{
    uint8_t       *place;
    struct sl_buf *buf = frame(r->start_ts, r->commit_ts, sl_record_encoded_bytes(r), &place);

    sl_record_encode(r, place);
    return buf;
}

struct sl_buf *pull_entity_joined(const struct sl_record *prewrite, const struct sl_record *commit)
{
    struct sl_record joined = sl_record_join(prewrite, commit);

    return encoded(&joined);
}

struct sl_buf *pull_entity_stored(sl_ts start_ts, sl_ts commit_ts, struct sl_slice record)
{
    uint8_t       *place;
    struct sl_buf *buf = frame(start_ts, commit_ts, record.len, &place);

    memcpy(place, record.bytes, record.len);
    return buf;
}

struct sl_buf *pull_entity_fake(sl_ts ts)
{
    struct sl_record fake = sl_record_fake(ts);

    return encoded(&fake);
}
