#ifndef SL_BINLOG_WIRE_H
#define SL_BINLOG_WIRE_H

/* Reading protobuf: the four kinds of values of which all our messages are made, from bytes that
 * may come from anywhere. Private to binlog. Errors are SL_INVALID with the words of the original's
 * decoder, which end up in front of people ("unexpected EOF", ...). */

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* As in the low bits of a key. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum { WIRE_KEY_BITS = 3, WIRE_VARINT_BYTES_MAX = 10 };

/* What is still to be read. */
struct wire_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* All of bytes. */
struct wire_cursor wire_begin(struct sl_slice bytes);

/* A number of at most 64 bits, however long. */
enum sl_err wire_take_long_varint(struct wire_cursor *c, uint64_t *out, struct sl_why *why);
/* The same, at once where it is one byte, as most are. */
static inline enum sl_err wire_take_varint(struct wire_cursor *c, uint64_t *out, struct sl_why *why)
{
    if (c->at == c->end || *c->at >= 0x80)
        return wire_take_long_varint(c, out, why);
    *out = *c->at++;
    return SL_OK;
}

/* SL_INVALID, with the words for what ends too early, and for a known field written as it never
 * is. */
enum sl_err wire_eof(struct sl_why *why);
enum sl_err wire_wrong(const char *message, uint32_t field, unsigned wire, struct sl_why *why);
/* Put the message's name and the place of `at` in it before the reason; SL_INVALID. */
enum sl_err wire_refuse(const char *message, struct sl_slice whole, const uint8_t *at,
                        struct sl_why *why);

/* Bytes behind their length; *out borrows from what is read. */
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

/* The key of the next field of a message of this name, however long: its number, and how it is
 * written. */
enum sl_err wire_take_long_key(struct wire_cursor *c, const char *message, uint32_t *field,
                               unsigned *wire, struct sl_why *why);
/* The same, at once for the fields 1 to 15. */
static inline enum sl_err wire_take_key(struct wire_cursor *c, const char *message, uint32_t *field,
                                        unsigned *wire, struct sl_why *why)
{
    if (c->at == c->end || *c->at >= 0x80 || *c->at < 1 << WIRE_KEY_BITS)
        return wire_take_long_key(c, message, field, wire, why);
    *field = *c->at >> WIRE_KEY_BITS;
    *wire = *c->at++ & ((1u << WIRE_KEY_BITS) - 1);
    return SL_OK;
}

/* Step over the value of a field nobody here knows. */
enum sl_err wire_skip(struct wire_cursor *c, unsigned wire, struct sl_why *why);

#endif
