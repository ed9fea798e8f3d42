#include "binlog/decimal.h"

#include <stdint.h>
#include <string.h>

enum { GROUP_DIGITS = 9, GROUP_BYTES = 4, HEAD_BYTES = 2 };

static const uint8_t  bytes_of[GROUP_DIGITS + 1] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
static const uint32_t power_of[GROUP_DIGITS + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

static size_t part_bytes(unsigned digits)
{
    return (size_t)digits / GROUP_DIGITS * GROUP_BYTES + bytes_of[digits % GROUP_DIGITS];
}

enum sl_err decimal_size(struct sl_slice bytes, size_t *out, struct sl_why *why)
{
    unsigned digits;
    unsigned fraction;

    if (bytes.len < HEAD_BYTES + 1)
        return sl_fail(why, SL_INVALID, "insufficient bytes to decode a decimal");
    digits = bytes.bytes[0];
    fraction = bytes.bytes[1];
    if (digits == 0 || digits > SL_DECIMAL_DIGITS_MAX || fraction > digits)
        return sl_fail(why, SL_INVALID, "a decimal of %u digits, %u of them behind the point",
                       digits, fraction);
    *out = HEAD_BYTES + part_bytes(digits - fraction) + part_bytes(fraction);
    return SL_OK;
}

/* Reads groups, writes their digits. */
struct reader {
    const uint8_t *at;
    char          *out;
    uint8_t        first_mask; /* of the first byte, then: */
    uint8_t        mask;
};

static enum sl_err take_group(struct reader *r, unsigned digits, struct sl_why *why)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes_of[digits]; i++) {
        value = value << 8 | (uint8_t)(*r->at++ ^ r->first_mask);
        r->first_mask = r->mask;
    }
    if (value >= power_of[digits])
        return sl_fail(why, SL_INVALID, "bad number: a group of %u digits holds %u", digits, value);
    for (unsigned i = digits; i-- > 0; value /= 10)
        r->out[i] = (char)('0' + value % 10);
    r->out += digits;
    return SL_OK;
}

static enum sl_err take_groups(struct reader *r, unsigned count, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (unsigned i = 0; i < count && err == SL_OK; i++)
        err = take_group(r, GROUP_DIGITS, why);
    return err;
}

/* Take the leading zeros away, but for one. */
static char *trim(char *start, char *end)
{
    char *first = start;

    while (first < end && *first == '0')
        first++;
    if (first == end) {
        *start = '0';
        return start + 1;
    }
    memmove(start, first, (size_t)(end - first));
    return start + (end - first);
}

enum sl_err decimal_text(struct sl_slice decimal, char *out, size_t *len, struct sl_why *why)
{
    unsigned      fraction = decimal.bytes[1];
    unsigned      integer = decimal.bytes[0] - fraction;
    uint8_t       mask = (decimal.bytes[HEAD_BYTES] & 0x80) != 0 ? 0 : 0xff;
    struct reader r = {decimal.bytes + HEAD_BYTES, out, (uint8_t)(mask ^ 0x80), mask};
    char         *start = out;
    enum sl_err   err;

    if (mask != 0)
        *start++ = '-';
    r.out = start;
    if ((err = take_group(&r, integer % GROUP_DIGITS, why)) != SL_OK ||
        (err = take_groups(&r, integer / GROUP_DIGITS, why)) != SL_OK)
        return err;
    r.out = trim(start, r.out);
    if (fraction > 0) {
        *r.out++ = '.';
        if ((err = take_groups(&r, fraction / GROUP_DIGITS, why)) != SL_OK ||
            (err = take_group(&r, fraction % GROUP_DIGITS, why)) != SL_OK)
            return err;
    }
    *len = (size_t)(r.out - out);
    return SL_OK;
}
