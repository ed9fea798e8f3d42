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

/* A number of at most 64 bits. */
enum sl_err wire_take_varint(struct wire_cursor *c, uint64_t *out, struct sl_why *why);
/* Bytes behind their length; *out borrows from what is read. */
enum sl_err wire_take_bytes(struct wire_cursor *c, struct sl_slice *out, struct sl_why *why);
/* The key of the next field of a message of this name: its number, and how it is written. */
enum sl_err wire_take_key(struct wire_cursor *c, const char *message, uint32_t *field,
                          unsigned *wire, struct sl_why *why);
/* Step over the value of a field nobody here knows. */
enum sl_err wire_skip(struct wire_cursor *c, unsigned wire, struct sl_why *why);

#endif
