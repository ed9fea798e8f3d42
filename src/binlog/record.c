#include "binlog/record.h"

#include <string.h>

#include "base/assert.h"
#include "binlog/wire.h"

enum field {
    FIELD_TYPE = 1,
    FIELD_START_TS,
    FIELD_COMMIT_TS,
    FIELD_PREWRITE_KEY,
    FIELD_PREWRITE_VALUE,
    FIELD_DDL_QUERY,
    FIELD_DDL_JOB_ID,
    FIELD_DDL_SCHEMA_STATE,
};

/* ---- decoding ---- */

static enum sl_err take_unknown(struct wire_cursor *c, const uint8_t *tag, unsigned wire,
                                struct sl_record *r, struct sl_why *why)
{
    enum sl_err err;

    if (r->unknown_count == SL_RECORD_UNKNOWN_MAX)
        return sl_fail(why, SL_TOO_LARGE, "more than %u unknown fields",
                       (unsigned)SL_RECORD_UNKNOWN_MAX);
    if ((err = wire_skip(c, wire, why)) != SL_OK)
        return err;
    r->unknown[r->unknown_count++] = (struct sl_slice){tag, (size_t)(c->at - tag)};
    return SL_OK;
}

static void set_integer(struct sl_record *r, enum field field, uint64_t value)
{
    switch (field) {
    case FIELD_TYPE: r->type = (int32_t)value; break;
    case FIELD_START_TS: r->start_ts = (sl_ts)value; break;
    case FIELD_COMMIT_TS: r->commit_ts = (sl_ts)value; break;
    case FIELD_DDL_JOB_ID: r->ddl_job_id = (int64_t)value; break;
    case FIELD_DDL_SCHEMA_STATE:
        r->ddl_schema_state = (int32_t)value;
        r->has_schema_state = true;
        break;
    case FIELD_PREWRITE_KEY:
    case FIELD_PREWRITE_VALUE:
    case FIELD_DDL_QUERY: SL_UNREACHABLE("a field of bytes");
    }
}

static struct sl_slice *bytes_of(struct sl_record *r, uint64_t field)
{
    switch (field) {
    case FIELD_PREWRITE_KEY: return &r->prewrite_key;
    case FIELD_PREWRITE_VALUE: return &r->prewrite_value;
    case FIELD_DDL_QUERY: return &r->ddl_query;
    default: return NULL;
    }
}

static enum sl_err take_field(struct wire_cursor *c, struct sl_record *r, struct sl_why *why)
{
    static const char *const names[] = {"",         "Tp",          "StartTs",
                                        "CommitTs", "PrewriteKey", "PrewriteValue",
                                        "DdlQuery", "DdlJobId",    "DdlSchemaState"};
    const uint8_t           *tag = c->at;
    uint32_t                 key;
    uint64_t                 number;
    struct sl_slice         *bytes;
    enum sl_err              err;
    unsigned                 wire;

    if ((err = wire_take_key(c, "Binlog", &key, &wire, why)) != SL_OK)
        return err;
    if (key > FIELD_DDL_SCHEMA_STATE)
        return take_unknown(c, tag, wire, r, why);
    bytes = bytes_of(r, key);
    if (wire != (bytes != NULL ? WIRE_BYTES : WIRE_VARINT))
        return sl_fail(why, SL_INVALID, "proto: wrong wireType = %u for field %s", wire,
                       names[key]);
    if (bytes != NULL)
        return wire_take_bytes(c, bytes, why);
    if ((err = wire_take_varint(c, &number, why)) == SL_OK)
        set_integer(r, (enum field)key, number);
    return err;
}

enum sl_err sl_record_decode(struct sl_slice bytes, struct sl_record *out, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(bytes);
    struct sl_record   r = {0};
    enum sl_err        err;

    while (c.at < c.end) {
        if ((err = take_field(&c, &r, why)) != SL_OK)
            return err;
    }
    *out = r;
    return SL_OK;
}

/* ---- encoding ---- */

static size_t varint_bytes(uint64_t value)
{
    size_t count = 1;

    while (value >= 0x80) {
        value >>= 7;
        count++;
    }
    return count;
}

static uint8_t *put_varint(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *put_integer(uint8_t *out, enum field field, int64_t value)
{
    *out++ = (uint8_t)((unsigned)field << WIRE_KEY_BITS | WIRE_VARINT);
    return put_varint(out, (uint64_t)value);
}

/* Tag and length. */
static uint8_t *put_bytes_head(uint8_t *out, enum field field, struct sl_slice bytes)
{
    if (bytes.bytes == NULL)
        return out;
    *out++ = (uint8_t)((unsigned)field << WIRE_KEY_BITS | WIRE_BYTES);
    return put_varint(out, bytes.len);
}

static uint8_t *put_bytes(uint8_t *out, enum field field, struct sl_slice bytes)
{
    out = put_bytes_head(out, field, bytes);
    if (bytes.len > 0)
        memcpy(out, bytes.bytes, bytes.len);
    return out + bytes.len;
}

static size_t bytes_bytes(struct sl_slice bytes)
{
    return bytes.bytes == NULL ? 0 : 1 + varint_bytes(bytes.len) + bytes.len;
}

size_t sl_record_encoded_bytes(const struct sl_record *r)
{
    size_t total = 4 + varint_bytes((uint64_t)(int64_t)r->type) +
                   varint_bytes((uint64_t)r->start_ts) + varint_bytes((uint64_t)r->commit_ts) +
                   varint_bytes((uint64_t)r->ddl_job_id);

    total +=
        bytes_bytes(r->prewrite_key) + bytes_bytes(r->prewrite_value) + bytes_bytes(r->ddl_query);
    if (r->has_schema_state)
        total += 1 + varint_bytes((uint64_t)(int64_t)r->ddl_schema_state);
    for (uint32_t i = 0; i < r->unknown_count; i++)
        total += r->unknown[i].len;
    return total;
}

/* All before the bytes of the prewrite value. */
static uint8_t *put_head(uint8_t *out, const struct sl_record *r)
{
    out = put_integer(out, FIELD_TYPE, r->type);
    out = put_integer(out, FIELD_START_TS, r->start_ts);
    out = put_integer(out, FIELD_COMMIT_TS, r->commit_ts);
    out = put_bytes(out, FIELD_PREWRITE_KEY, r->prewrite_key);
    return put_bytes_head(out, FIELD_PREWRITE_VALUE, r->prewrite_value);
}

/* All behind them. */
static uint8_t *put_tail(uint8_t *out, const struct sl_record *r)
{
    out = put_bytes(out, FIELD_DDL_QUERY, r->ddl_query);
    out = put_integer(out, FIELD_DDL_JOB_ID, r->ddl_job_id);
    if (r->has_schema_state)
        out = put_integer(out, FIELD_DDL_SCHEMA_STATE, r->ddl_schema_state);
    for (uint32_t i = 0; i < r->unknown_count; i++) {
        memcpy(out, r->unknown[i].bytes, r->unknown[i].len);
        out += r->unknown[i].len;
    }
    return out;
}

void sl_record_encode(const struct sl_record *r, uint8_t *out)
{
    const uint8_t *start = out;

    out = put_head(out, r);
    if (r->prewrite_value.len > 0)
        memcpy(out, r->prewrite_value.bytes, r->prewrite_value.len);
    out = put_tail(out + r->prewrite_value.len, r);
    SL_ASSERT((size_t)(out - start) == sl_record_encoded_bytes(r));
}

size_t sl_record_head_bytes(const struct sl_record *r)
{
    return 3 + varint_bytes((uint64_t)(int64_t)r->type) + varint_bytes((uint64_t)r->start_ts) +
           varint_bytes((uint64_t)r->commit_ts) + bytes_bytes(r->prewrite_key) +
           bytes_bytes(r->prewrite_value) - r->prewrite_value.len;
}

void sl_record_encode_head(const struct sl_record *r, uint8_t *out)
{
    const uint8_t *end = put_head(out, r);

    SL_ASSERT((size_t)(end - out) == sl_record_head_bytes(r));
}

void sl_record_encode_tail(const struct sl_record *r, uint8_t *out)
{
    const uint8_t *end = put_tail(out, r);

    SL_ASSERT(sl_record_head_bytes(r) + r->prewrite_value.len + (size_t)(end - out) ==
              sl_record_encoded_bytes(r));
}

struct sl_record sl_record_join(const struct sl_record *prewrite, const struct sl_record *commit)
{
    struct sl_record joined = *commit;

    SL_ASSERT(prewrite->type == SL_RECORD_PREWRITE && commit->type != SL_RECORD_PREWRITE);
    SL_ASSERT(prewrite->start_ts == commit->start_ts);
    joined.prewrite_value = prewrite->prewrite_value;
    joined.ddl_query = prewrite->ddl_query;
    joined.ddl_job_id = prewrite->ddl_job_id;
    joined.ddl_schema_state = prewrite->ddl_schema_state;
    joined.has_schema_state = prewrite->has_schema_state || commit->has_schema_state;
    return joined;
}

struct sl_record sl_record_fake(sl_ts ts)
{
    SL_ASSERT(ts > 0);
    return (struct sl_record){
        .type = SL_RECORD_ROLLBACK, .start_ts = ts, .commit_ts = ts, .has_schema_state = true};
}

bool sl_record_is_fake(const struct sl_record *record)
{
    return record->start_ts > 0 && record->start_ts == record->commit_ts;
}
