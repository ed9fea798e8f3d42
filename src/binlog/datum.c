#include "binlog/datum.h"

#include <string.h>

#include "base/assert.h"
#include "binlog/binary_json.h"
#include "binlog/decimal.h"

enum { GROUP_BYTES = 8, MARKED_BYTES = GROUP_BYTES + 1, MARKER_FULL = 0xff, FIXED_BYTES = 8 };

static const uint64_t sign_bit = UINT64_C(1) << 63;

static enum sl_err cut_short(struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "insufficient bytes to decode value");
}

static size_t left(const struct wire_cursor *c)
{
    return (size_t)(c->end - c->at);
}

static enum sl_err take_raw(struct wire_cursor *c, uint64_t count, struct sl_slice *out,
                            struct sl_why *why)
{
    if (count > left(c))
        return cut_short(why);
    *out = (struct sl_slice){c->at, (size_t)count};
    c->at += count;
    return SL_OK;
}

static uint64_t big_endian(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}

/* ---- numbers ---- */

enum sl_err datum_take_uvarint(struct wire_cursor *c, uint64_t *out, struct sl_why *why)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < WIRE_VARINT_BYTES_MAX; i++) {
        uint8_t byte;

        if (c->at == c->end)
            return cut_short(why);
        byte = *c->at++;
        if (i == WIRE_VARINT_BYTES_MAX - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return SL_OK;
        }
    }
    return sl_fail(why, SL_INVALID, "value larger than 64 bits");
}

enum sl_err datum_take_varint(struct wire_cursor *c, int64_t *out, struct sl_why *why)
{
    uint64_t    value;
    enum sl_err err;

    if ((err = datum_take_uvarint(c, &value, why)) == SL_OK)
        *out = (int64_t)datum_unzigzag(value);
    return err;
}

double datum_double(const uint8_t *bytes)
{
    uint64_t u = big_endian(bytes);
    double   d;

    u = (u & sign_bit) != 0 ? u & ~sign_bit : ~u;
    memcpy(&d, &u, sizeof d);
    return d;
}

static enum sl_err take_fixed(struct wire_cursor *c, enum datum_flag flag, struct datum *out,
                              struct sl_why *why)
{
    struct sl_slice bytes;
    enum sl_err     err;

    if ((err = take_raw(c, FIXED_BYTES, &bytes, why)) != SL_OK)
        return err;
    if (flag == DATUM_FLAG_UINT)
        *out = (struct datum){.kind = DATUM_UINT, .u = big_endian(bytes.bytes)};
    else if (flag == DATUM_FLAG_DOUBLE)
        *out = (struct datum){.kind = DATUM_DOUBLE, .d = datum_double(bytes.bytes)};
    else
        *out = (struct datum){.kind = flag == DATUM_FLAG_INT ? DATUM_INT : DATUM_DURATION,
                              .i = (int64_t)(big_endian(bytes.bytes) ^ sign_bit)};
    return SL_OK;
}

/* ---- bytes ---- */

static enum sl_err take_bytes(struct wire_cursor *c, struct datum *out, struct sl_why *why)
{
    int64_t     length;
    enum sl_err err;

    if ((err = datum_take_varint(c, &length, why)) != SL_OK)
        return err;
    if (length < 0)
        return sl_fail(why, SL_INVALID, "a length of %lld", (long long)length);
    out->kind = DATUM_BYTES;
    return take_raw(c, (uint64_t)length, &out->bytes, why);
}

static enum sl_err take_groups(struct wire_cursor *c, struct datum *out, struct sl_why *why)
{
    const uint8_t *start = c->at;
    unsigned       marker;

    do {
        if (left(c) < MARKED_BYTES)
            return cut_short(why);
        marker = c->at[GROUP_BYTES];
        if (marker < MARKER_FULL - GROUP_BYTES)
            return sl_fail(why, SL_INVALID, "invalid marker byte %u of a group of bytes", marker);
        for (unsigned i = GROUP_BYTES - (MARKER_FULL - marker); i < GROUP_BYTES; i++) {
            if (c->at[i] != 0)
                return sl_fail(why, SL_INVALID, "invalid padding byte of a group of bytes");
        }
        c->at += MARKED_BYTES;
    } while (marker == MARKER_FULL);
    *out = (struct datum){.kind = DATUM_GROUPS, .bytes = {start, (size_t)(c->at - start)}};
    return SL_OK;
}

size_t datum_ungroup(struct sl_slice groups, uint8_t *out)
{
    size_t count = 0;

    for (size_t at = 0; at < groups.len; at += MARKED_BYTES) {
        memcpy(out + count, groups.bytes + at, GROUP_BYTES);
        count += GROUP_BYTES - (MARKER_FULL - (size_t)groups.bytes[at + GROUP_BYTES]);
    }
    return count;
}

static enum sl_err take_decimal(struct wire_cursor *c, struct datum *out, struct sl_why *why)
{
    size_t      bytes;
    enum sl_err err;

    if ((err = decimal_size((struct sl_slice){c->at, left(c)}, &bytes, why)) != SL_OK)
        return err;
    out->kind = DATUM_DECIMAL;
    return take_raw(c, bytes, &out->bytes, why);
}

static enum sl_err take_json(struct wire_cursor *c, struct datum *out, struct sl_why *why)
{
    uint64_t    bytes;
    enum sl_err err;

    if ((err = binary_json_size((struct sl_slice){c->at, left(c)}, &bytes, why)) != SL_OK)
        return err;
    out->kind = DATUM_JSON;
    return take_raw(c, bytes, &out->bytes, why);
}

/* ---- any ---- */

enum sl_err datum_take(struct wire_cursor *c, struct datum *out, struct sl_why *why)
{
    unsigned flag;

    if (c->at == c->end)
        return cut_short(why);
    flag = *c->at++;
    switch (flag) {
    case DATUM_FLAG_NIL: out->kind = DATUM_NULL; return SL_OK;
    case DATUM_FLAG_VARINT: out->kind = DATUM_INT; return datum_take_varint(c, &out->i, why);
    case DATUM_FLAG_UVARINT: out->kind = DATUM_UINT; return datum_take_uvarint(c, &out->u, why);
    case DATUM_FLAG_BYTES: return take_bytes(c, out, why);
    case DATUM_FLAG_INT:
    case DATUM_FLAG_UINT:
    case DATUM_FLAG_DOUBLE:
    case DATUM_FLAG_DURATION: return take_fixed(c, (enum datum_flag)flag, out, why);
    case DATUM_FLAG_DECIMAL: return take_decimal(c, out, why);
    case DATUM_FLAG_JSON: return take_json(c, out, why);
    case DATUM_FLAG_GROUPS: return take_groups(c, out, why);
    default: return sl_fail(why, SL_INVALID, "invalid encoded key flag %u", flag);
    }
}

const char *datum_kind_name(enum datum_kind kind)
{
    switch (kind) {
    case DATUM_NULL: return "NULL";
    case DATUM_INT: return "a signed integer";
    case DATUM_UINT: return "an unsigned integer";
    case DATUM_DOUBLE: return "a floating point number";
    case DATUM_BYTES:
    case DATUM_GROUPS: return "bytes";
    case DATUM_DECIMAL: return "a decimal";
    case DATUM_DURATION: return "a duration";
    case DATUM_JSON: return "JSON";
    }
    SL_UNREACHABLE("a kind of datum");
}
