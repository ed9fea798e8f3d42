#ifndef SL_BINLOG_DATUM_H
#define SL_BINLOG_DATUM_H

/* Datums: TiDB's self-describing values, of which rows in binlogs are made (codec spec 1.1-1.6). A
 * flag byte says what follows. Rows are written in the compact ("value") mode; the comparable
 * ("key") mode is read too. Nothing is copied: bytes borrow from what is read. Private to binlog.
 * Errors are SL_INVALID, and the cursor then stands somewhere in the broken datum. */

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "binlog/wire.h"

/* The flag bytes. */
enum datum_flag {
    DATUM_FLAG_NIL = 0,
    DATUM_FLAG_GROUPS = 1, /* memcomparable bytes */
    DATUM_FLAG_BYTES = 2,
    DATUM_FLAG_INT = 3,
    DATUM_FLAG_UINT = 4,
    DATUM_FLAG_DOUBLE = 5,
    DATUM_FLAG_DECIMAL = 6,
    DATUM_FLAG_DURATION = 7,
    DATUM_FLAG_VARINT = 8,
    DATUM_FLAG_UVARINT = 9,
    DATUM_FLAG_JSON = 10,
};

/* What a datum holds. */
enum datum_kind {
    DATUM_NULL,
    DATUM_INT,
    DATUM_UINT,
    DATUM_DOUBLE,
    DATUM_BYTES,
    DATUM_GROUPS,   /* bytes: groups of eight with a marker each, see datum_ungroup */
    DATUM_DECIMAL,  /* bytes: u8 digits, u8 of them behind the point, the binary form */
    DATUM_DURATION, /* i: nanoseconds */
    DATUM_JSON,     /* bytes: u8 type, body */
};

struct datum {
    enum datum_kind kind;
    union {
        int64_t         i;
        uint64_t        u;
        double          d;
        struct sl_slice bytes;
    };
};

/* The next datum, whose length is checked; what its bytes mean is not. */
enum sl_err datum_take(struct wire_cursor *c, struct datum *out, struct sl_why *why);

/* "integer", "bytes", ...: for reasons. */
const char *datum_kind_name(enum datum_kind kind);

/* The plain bytes of groups that datum_take gave, into out, which has room for
 * groups.len / 9 * 8. Returns how many they are. */
size_t datum_ungroup(struct sl_slice groups, uint8_t *out);

/* The number whose comparable form, big endian, the eight bytes are. */
double datum_double(const uint8_t *bytes);

/* A LEB128 number of at most 64 bits, plain or zig-zag. */
enum sl_err datum_take_uvarint(struct wire_cursor *c, uint64_t *out, struct sl_why *why);
enum sl_err datum_take_varint(struct wire_cursor *c, int64_t *out, struct sl_why *why);

/* ---- numbers at any address, bounds checked by the caller ---- */

static inline uint64_t datum_unzigzag(uint64_t u)
{
    return u >> 1 ^ (0 - (u & 1));
}

#endif
