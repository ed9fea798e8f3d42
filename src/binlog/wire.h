#ifndef SL_BINLOG_WIRE_H
#define SL_BINLOG_WIRE_H

/* The leaves of reading protobuf: numbers, lengths, fields to step over. Every length is checked
 * against what is there before it is used; the errors are SL_INVALID in the original's words.
 * Private to binlog. */

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* How a field's value is written; groups are not among them. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* A number takes at most ten bytes; a tag is a field's number and below it its wire type. */
enum { WIRE_VARINT_BYTES_MAX = 10, WIRE_TAG_BITS = 3 };

/* What is left to read: end is not before at. */
struct wire_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* All of a slice, whose bytes may be NULL when it is empty. */
static inline struct wire_cursor wire_cursor_of(struct sl_slice slice)
{
    return (struct wire_cursor){slice.bytes, slice.len > 0 ? slice.bytes + slice.len : slice.bytes};
}

/* The words of gogo/protobuf for bytes that end too early. */
static inline enum sl_err wire_eof(struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "unexpected EOF");
}

/* A number of at most 64 bits. */
static inline enum sl_err wire_take_varint(struct wire_cursor *c, uint64_t *out, struct sl_why *why)
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

/* A length and as many bytes, as a slice of the input. */
static inline enum sl_err wire_take_bytes(struct wire_cursor *c, struct sl_slice *out,
                                          struct sl_why *why)
{
    uint64_t    length;
    enum sl_err err;

    if ((err = wire_take_varint(c, &length, why)) != SL_OK)
        return err;
    if (length > (uint64_t)(c->end - c->at))
        return wire_eof(why);
    *out = (struct sl_slice){c->at, (size_t)length};
    c->at += length;
    return SL_OK;
}

/* Step over the value of a field nobody here knows. */
static inline enum sl_err wire_skip(struct wire_cursor *c, unsigned wire, struct sl_why *why)
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

#endif
