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

/* What stands around a record. */
struct frame {
    size_t record; /* bytes of it */
    size_t meta;   /* likewise */
    size_t entity;
    sl_ts  start_ts;
    sl_ts  commit_ts;
};

static struct frame frame_of(sl_ts start_ts, sl_ts commit_ts, size_t record_bytes)
{
    size_t meta = ts_bytes(start_ts) + ts_bytes(commit_ts);

    SL_ASSERT(record_bytes > 0); /* else proto3 would leave the payload out */
    return (struct frame){.record = record_bytes,
                          .meta = meta,
                          .entity = 2 + 1 + varint_bytes(record_bytes) + record_bytes + 2 + meta,
                          .start_ts = start_ts,
                          .commit_ts = commit_ts};
}

static size_t frame_bytes(const struct frame *f)
{
    return 1 + varint_bytes(f->entity) + f->entity;
}

/* Behind the record. */
static size_t frame_tail_bytes(const struct frame *f)
{
    return 2 + f->meta;
}

static uint8_t *put_head(uint8_t *out, const struct frame *f)
{
    out = put_length(out, TAG_ENTITY, f->entity);
    out = put_length(out, TAG_POS, 0);
    return put_length(out, TAG_PAYLOAD, f->record);
}

static uint8_t *put_tail(uint8_t *out, const struct frame *f)
{
    out = put_length(out, TAG_META, f->meta);
    out = put_ts(out, TAG_START_TS, f->start_ts);
    return put_ts(out, TAG_COMMIT_TS, f->commit_ts);
}

/* The entity around a record of so many bytes, whose place is *record. */
static struct sl_buf *frame(sl_ts start_ts, sl_ts commit_ts, size_t record_bytes, uint8_t **record)
{
    const struct frame f = frame_of(start_ts, commit_ts, record_bytes);
    struct sl_buf     *buf = sl_buf_new(frame_bytes(&f));
    const uint8_t     *end;

    *record = put_head(buf->data, &f);
    end = put_tail(*record + record_bytes, &f);
    SL_ASSERT(end == buf->data + buf->len);
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

void pull_entity_around(const struct sl_record *prewrite, const struct sl_record *commit,
                        struct sl_buf **head, struct sl_buf **tail, uint64_t *total)
{
    const struct sl_record joined = sl_record_join(prewrite, commit);
    const size_t           value = joined.prewrite_value.len;
    const struct frame     f =
        frame_of(joined.start_ts, joined.commit_ts, sl_record_encoded_bytes(&joined));
    size_t         record_head = sl_record_head_bytes(&joined);
    size_t         record_tail = f.record - record_head - value;
    const uint8_t *end;

    *total = frame_bytes(&f);
    *head = sl_buf_new(*total - frame_tail_bytes(&f) - record_tail - value);
    *tail = sl_buf_new(record_tail + frame_tail_bytes(&f));
    sl_record_encode_head(&joined, put_head((*head)->data, &f));
    sl_record_encode_tail(&joined, (*tail)->data);
    end = put_tail((*tail)->data + record_tail, &f);
    SL_ASSERT(end == (*tail)->data + (*tail)->len);
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
