#include "binlog/wire.h"

struct wire_cursor wire_begin(struct sl_slice bytes)
{
    return (struct wire_cursor){bytes.bytes, bytes.len > 0 ? bytes.bytes + bytes.len : bytes.bytes};
}

enum sl_err wire_eof(struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "unexpected EOF");
}

enum sl_err wire_wrong(const char *message, uint32_t field, unsigned wire, struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "proto: wrong wireType = %u for field %u of %s", wire, field,
                   message);
}

enum sl_err wire_refuse(const char *message, struct sl_slice whole, const uint8_t *at,
                        struct sl_why *why)
{
    return sl_wrap(why, SL_INVALID, "%s of %zu bytes, offset %zu", message, whole.len,
                   (size_t)(at - whole.bytes));
}

enum sl_err wire_take_long_varint(struct wire_cursor *c, uint64_t *out, struct sl_why *why)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < WIRE_VARINT_BYTES_MAX; i++) {
        if (c->at == c->end)
            return wire_eof(why);
        value |= (uint64_t)(*c->at & 0x7f) << (7 * i);
        if ((*c->at++ & 0x80) == 0) {
            *out = value;
            return SL_OK;
        }
    }
    return sl_fail(why, SL_INVALID, "proto: integer overflow");
}

enum sl_err wire_take_long_key(struct wire_cursor *c, const char *message, uint32_t *field,
                               unsigned *wire, struct sl_why *why)
{
    uint64_t    key;
    enum sl_err err;

    if ((err = wire_take_varint(c, &key, why)) != SL_OK)
        return err;
    *wire = (unsigned)(key & ((1u << WIRE_KEY_BITS) - 1));
    key >>= WIRE_KEY_BITS;
    if (key == 0 || key > INT32_MAX)
        return sl_fail(why, SL_INVALID, "proto: %s: illegal tag %lld (wire type %u)", message,
                       (long long)key, *wire);
    *field = (uint32_t)key;
    return SL_OK;
}

enum sl_err wire_skip(struct wire_cursor *c, unsigned wire, struct sl_why *why)
{
    struct sl_slice bytes;
    uint64_t        number;
    size_t          fixed;

    switch (wire) {
    case WIRE_VARINT: return wire_take_varint(c, &number, why);
    case WIRE_BYTES: return wire_take_bytes(c, &bytes, why);
    case WIRE_FIXED64:
    case WIRE_FIXED32:
        fixed = wire == WIRE_FIXED64 ? sizeof(uint64_t) : sizeof(uint32_t);
        if ((size_t)(c->end - c->at) < fixed)
            return wire_eof(why);
        c->at += fixed;
        return SL_OK;
    default: return sl_fail(why, SL_INVALID, "proto: illegal wireType %u", wire);
    }
}
