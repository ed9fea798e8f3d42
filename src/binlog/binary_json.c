#include "binlog/binary_json.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "binlog/datum.h"
#include "binlog/json_text.h"
#include "binlog/packed_time.h"

enum type {
    TYPE_OBJECT = 0x01,
    TYPE_ARRAY = 0x03,
    TYPE_LITERAL = 0x04,
    TYPE_INT = 0x09,
    TYPE_UINT = 0x0a,
    TYPE_DOUBLE = 0x0b,
    TYPE_STRING = 0x0c,
    TYPE_OPAQUE = 0x0d,
    TYPE_DATE = 0x0e,
    TYPE_DATETIME = 0x0f,
    TYPE_TIMESTAMP = 0x10,
    TYPE_DURATION = 0x11,
};

enum { LITERAL_NULL, LITERAL_TRUE, LITERAL_FALSE };

enum { HEAD_BYTES = 8, KEY_ENTRY_BYTES = 6, VALUE_ENTRY_BYTES = 5, DURATION_BYTES = 12 };

static enum sl_err cut_short(struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "damaged JSON: cut short");
}

/* ---- sizes ---- */

/* Of a length in front of its bytes, from `at` on, with all that stands before. */
static enum sl_err counted_size(struct sl_slice body, size_t at, uint64_t *out, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(body);
    uint64_t           length;

    if (body.len < at)
        return cut_short(why);
    c.at += at;
    if (datum_take_uvarint(&c, &length, NULL) != SL_OK || length > UINT32_MAX)
        return cut_short(why);
    *out = (uint64_t)(c.at - body.bytes) + length;
    return SL_OK;
}

/* Of a body by its own word; it may be more than there is. */
static enum sl_err body_size(unsigned type, struct sl_slice body, uint64_t *out, struct sl_why *why)
{
    switch (type) {
    case TYPE_OBJECT:
    case TYPE_ARRAY:
        if (body.len < HEAD_BYTES)
            return cut_short(why);
        *out = sl_bytes_get_u32(body.bytes + 4);
        return *out < HEAD_BYTES ? cut_short(why) : SL_OK;
    case TYPE_LITERAL: *out = 1; return SL_OK;
    case TYPE_INT:
    case TYPE_UINT:
    case TYPE_DOUBLE:
    case TYPE_DATE:
    case TYPE_DATETIME:
    case TYPE_TIMESTAMP: *out = sizeof(uint64_t); return SL_OK;
    case TYPE_DURATION: *out = DURATION_BYTES; return SL_OK;
    case TYPE_STRING: return counted_size(body, 0, out, why);
    case TYPE_OPAQUE: return counted_size(body, 1, out, why);
    default: return sl_fail(why, SL_INVALID, "damaged JSON: invalid type 0x%02x", type);
    }
}

enum sl_err binary_json_size(struct sl_slice bytes, uint64_t *out, struct sl_why *why)
{
    enum sl_err err;

    if (bytes.len == 0)
        return cut_short(why);
    err = body_size(bytes.bytes[0], (struct sl_slice){bytes.bytes + 1, bytes.len - 1}, out, why);
    if (err == SL_OK)
        *out += 1;
    return err;
}

/* ---- scalars ---- */

/* What is behind the length that ends at the body's end. */
static struct sl_slice counted(struct sl_slice body, size_t at)
{
    while ((body.bytes[at] & 0x80) != 0)
        at++;
    return (struct sl_slice){body.bytes + at + 1, body.len - at - 1};
}

static enum sl_err put_literal(struct json_text *t, uint8_t literal, struct sl_why *why)
{
    switch (literal) {
    case LITERAL_NULL: json_text_put(t, "null", 4); return SL_OK;
    case LITERAL_TRUE: json_text_put(t, "true", 4); return SL_OK;
    case LITERAL_FALSE: json_text_put(t, "false", 5); return SL_OK;
    default: return sl_fail(why, SL_INVALID, "damaged JSON: invalid literal 0x%02x", literal);
    }
}

static enum sl_err put_double(struct json_text *t, uint64_t bits, struct sl_why *why)
{
    double d;

    memcpy(&d, &bits, sizeof d);
    if (!isfinite(d))
        return sl_fail(why, SL_INVALID, "damaged JSON: a number that is not finite");
    json_text_put_double(t, d);
    return SL_OK;
}

/* Core time, from the lowest bit on: 4 kind, 20 microseconds, 6 seconds, 6 minutes, 5 hours, 5
 * days, 4 months, 14 years. */
static enum sl_err put_core_time(struct json_text *t, unsigned type, uint64_t core,
                                 struct sl_why *why)
{
    struct civil_time time = {
        .micro = (uint32_t)(core >> 4 & 0xfffff),
        .second = (uint32_t)(core >> 24 & 63),
        .minute = (uint32_t)(core >> 30 & 63),
        .hour = (uint32_t)(core >> 36 & 31),
        .day = (uint32_t)(core >> 41 & 31),
        .month = (uint32_t)(core >> 46 & 15),
        .year = (uint32_t)(core >> 50),
    };
    char   text[PACKED_TIME_TEXT_BYTES_MAX];
    size_t len;

    if (!civil_time_is_in_range(&time))
        return sl_fail(why, SL_INVALID, "damaged JSON: a time that no clock shows");
    len = type == TYPE_DATE ? civil_date_text(&time, text)
                            : civil_time_text(&time, TIME_FRACTION_DIGITS_MAX, text);
    json_text_put(t, "\"", 1);
    json_text_put(t, text, len);
    json_text_put(t, "\"", 1);
    return SL_OK;
}

static enum sl_err put_duration(struct json_text *t, int64_t nanos, struct sl_why *why)
{
    char   text[DURATION_TEXT_BYTES_MAX];
    size_t len;

    if (!duration_text(nanos, TIME_FRACTION_DIGITS_MAX, text, &len))
        return sl_fail(why, SL_INVALID, "damaged JSON: a time of more than 838 hours");
    json_text_put(t, "\"", 1);
    json_text_put(t, text, len);
    json_text_put(t, "\"", 1);
    return SL_OK;
}

static void put_opaque(struct json_text *t, struct sl_slice body)
{
    json_text_put(t, "\"base64:type", 12);
    json_text_put_uint(t, body.bytes[0]);
    json_text_put(t, ":", 1);
    json_text_put_base64(t, counted(body, 1));
    json_text_put(t, "\"", 1);
}

/* body is as long as it says. */
static enum sl_err put_scalar(struct json_text *t, unsigned type, struct sl_slice body,
                              struct sl_why *why)
{
    switch (type) {
    case TYPE_LITERAL: return put_literal(t, body.bytes[0], why);
    case TYPE_INT: json_text_put_int(t, (int64_t)sl_bytes_get_u64(body.bytes)); return SL_OK;
    case TYPE_UINT: json_text_put_uint(t, sl_bytes_get_u64(body.bytes)); return SL_OK;
    case TYPE_DOUBLE: return put_double(t, sl_bytes_get_u64(body.bytes), why);
    case TYPE_STRING: json_text_put_string(t, counted(body, 0)); return SL_OK;
    case TYPE_OPAQUE: put_opaque(t, body); return SL_OK;
    case TYPE_DURATION: return put_duration(t, (int64_t)sl_bytes_get_u64(body.bytes), why);
    default: return put_core_time(t, type, sl_bytes_get_u64(body.bytes), why);
    }
}

/* ---- containers ---- */

/* One container, its entries being walked. */
struct container {
    struct sl_slice body;
    bool            is_object;
    uint32_t        count;
    size_t          entries; /* where those of values begin */
    uint64_t        free;    /* the first byte that no key or value has taken yet */
};

static enum sl_err put_value(struct json_text *t, unsigned type, struct sl_slice body,
                             unsigned depth, struct sl_why *why);

static enum sl_err open_container(struct sl_slice body, bool is_object, struct container *out,
                                  struct sl_why *why)
{
    uint64_t keys;

    out->body = body;
    out->is_object = is_object;
    out->count = sl_bytes_get_u32(body.bytes);
    keys = is_object ? (uint64_t)out->count * KEY_ENTRY_BYTES : 0;
    out->free = HEAD_BYTES + keys + (uint64_t)out->count * VALUE_ENTRY_BYTES;
    if (out->free > body.len)
        return sl_fail(why, SL_INVALID, "damaged JSON: %u members in %zu bytes", out->count,
                       body.len);
    out->entries = HEAD_BYTES + (size_t)keys;
    return SL_OK;
}

/* The len bytes at that offset, which lie behind all that were taken before. */
static enum sl_err take_part(struct container *c, uint64_t offset, uint64_t len,
                             struct sl_slice *out, struct sl_why *why)
{
    if (offset < c->free || offset > c->body.len || len > c->body.len - offset)
        return sl_fail(why, SL_INVALID,
                       "damaged JSON: %llu bytes at offset %llu of a container of %zu",
                       (unsigned long long)len, (unsigned long long)offset, c->body.len);
    *out = (struct sl_slice){c->body.bytes + offset, (size_t)len};
    c->free = offset + len;
    return SL_OK;
}

/* All keys stand before all values, so this walks them ahead of the text. */
static enum sl_err check_keys(struct container *c, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (uint32_t i = 0; c->is_object && i < c->count && err == SL_OK; i++) {
        const uint8_t  *entry = c->body.bytes + HEAD_BYTES + (size_t)i * KEY_ENTRY_BYTES;
        struct sl_slice key;

        err = take_part(c, sl_bytes_get_u32(entry), entry[4] | (uint64_t)entry[5] << 8, &key, why);
    }
    return err;
}

static void put_key(struct json_text *t, const struct container *c, uint32_t i)
{
    const uint8_t *entry = c->body.bytes + HEAD_BYTES + (size_t)i * KEY_ENTRY_BYTES;

    json_text_put_string(t, (struct sl_slice){c->body.bytes + sl_bytes_get_u32(entry),
                                              entry[4] | (size_t)entry[5] << 8});
    json_text_put(t, ": ", 2);
}

static enum sl_err put_member(struct json_text *t, struct container *c, uint32_t i, unsigned depth,
                              struct sl_why *why)
{
    const uint8_t  *entry = c->body.bytes + c->entries + (size_t)i * VALUE_ENTRY_BYTES;
    uint32_t        offset = sl_bytes_get_u32(entry + 1);
    struct sl_slice body;
    uint64_t        size;
    enum sl_err     err;

    if (entry[0] == TYPE_LITERAL)
        return put_literal(t, entry[1], why);
    if (offset < c->free || offset > c->body.len)
        return sl_fail(why, SL_INVALID, "damaged JSON: offset %u in a container of %zu bytes",
                       offset, c->body.len);
    body = (struct sl_slice){c->body.bytes + offset, c->body.len - offset};
    if ((err = body_size(entry[0], body, &size, why)) != SL_OK ||
        (err = take_part(c, offset, size, &body, why)) != SL_OK)
        return err;
    return put_value(t, entry[0], body, depth, why);
}

static enum sl_err put_container(struct json_text *t, bool is_object, struct sl_slice body,
                                 unsigned depth, struct sl_why *why)
{
    struct container c;
    enum sl_err      err;

    if (depth == SL_BINARY_JSON_DEPTH_MAX)
        return sl_fail(why, SL_INVALID, "JSON nested deeper than %u levels",
                       (unsigned)SL_BINARY_JSON_DEPTH_MAX);
    if ((err = open_container(body, is_object, &c, why)) != SL_OK ||
        (err = check_keys(&c, why)) != SL_OK)
        return err;
    json_text_put(t, is_object ? "{" : "[", 1);
    for (uint32_t i = 0; i < c.count; i++) {
        if (i > 0)
            json_text_put(t, ", ", 2);
        if (is_object)
            put_key(t, &c, i);
        if ((err = put_member(t, &c, i, depth + 1, why)) != SL_OK)
            return err;
    }
    json_text_put(t, is_object ? "}" : "]", 1);
    return SL_OK;
}

static enum sl_err put_value(struct json_text *t, unsigned type, struct sl_slice body,
                             unsigned depth, struct sl_why *why)
{
    if (type == TYPE_OBJECT || type == TYPE_ARRAY)
        return put_container(t, type == TYPE_OBJECT, body, depth, why);
    return put_scalar(t, type, body, why);
}

/* ---- all of it ---- */

enum sl_err binary_json_text(struct sl_slice json, struct sl_arena *arena, struct sl_slice *out,
                             struct sl_why *why)
{
    struct json_text t = {.escapes_html = true};
    struct sl_slice  body;
    uint64_t         size;
    enum sl_err      err;

    if ((err = binary_json_size(json, &size, why)) != SL_OK)
        return err;
    if (size != json.len)
        return cut_short(why);
    body = (struct sl_slice){json.bytes + 1, json.len - 1};
    if ((err = put_value(&t, json.bytes[0], body, 0, why)) != SL_OK)
        return err;
    if (t.len > SL_BUF_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "JSON whose text is %zu bytes; at most %d are possible",
                       t.len, SL_BUF_BYTES_MAX);
    t.out = sl_arena_alloc(arena, t.len);
    *out = (struct sl_slice){(const uint8_t *)t.out, t.len};
    t.len = 0;
    return put_value(&t, json.bytes[0], body, 0, why);
}
