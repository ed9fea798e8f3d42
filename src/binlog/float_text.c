#include "binlog/float_text.h"

#include <string.h>

static char *put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

static char *put_zeros(char *out, size_t count)
{
    memset(out, '0', count);
    return out + count;
}

static char *put_plain(char *out, const struct float_digits *d)
{
    size_t before; /* digits in front of the point */

    if (d->exponent < 0) {
        out = put_zeros(put(out, "0.", 2), (size_t)(-d->exponent - 1));
        return put(out, d->digits, d->count);
    }
    before = (size_t)d->exponent + 1;
    if (before >= d->count)
        return put_zeros(put(out, d->digits, d->count), before - d->count);
    out = put(out, d->digits, before);
    *out++ = '.';
    return put(out, d->digits + before, d->count - before);
}

static char *put_exponent(char *out, const struct float_digits *d, unsigned exponent_digits)
{
    unsigned value = (unsigned)(d->exponent < 0 ? -d->exponent : d->exponent);

    *out++ = d->digits[0];
    if (d->count > 1) {
        *out++ = '.';
        out = put(out, d->digits + 1, d->count - 1);
    }
    *out++ = 'e';
    *out++ = d->exponent < 0 ? '-' : '+';
    if (value >= 100)
        exponent_digits = 3;
    else if (value >= 10)
        exponent_digits = 2;
    for (unsigned i = exponent_digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + exponent_digits;
}

/* Plain notation for exponents of lowest..highest. */
static size_t lay_out(const struct float_digits *d, int32_t lowest, int32_t highest,
                      unsigned exponent_digits, char *out)
{
    char *at = out;

    if (d->is_negative)
        *at++ = '-';
    if (d->exponent >= lowest && d->exponent <= highest)
        at = put_plain(at, d);
    else
        at = put_exponent(at, d, exponent_digits);
    return (size_t)(at - out);
}

size_t float_text_sql(const struct float_digits *d, char *out)
{
    return lay_out(d, -4, 5, 2, out);
}

size_t float_text_json(const struct float_digits *d, char *out)
{
    return lay_out(d, -6, 20, 1, out);
}
