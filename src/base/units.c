#include "base/units.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

/* A unit of a grammar and what it counts. */
struct unit {
    const char *name;
    uint64_t    counts;
};

/* A decimal number as written: digits before and after the point, not yet multiplied. */
struct decimal {
    const char *whole;
    size_t      whole_count;
    const char *fraction;
    size_t      fraction_count;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Split "12.5rest" and return where the rest starts. `extra` is a character that may stand among
 * the whole digits and means nothing (thousands commas); 0: none. */
static const char *read_decimal(const char *text, char extra, struct decimal *out)
{
    const char *p = text;

    *out = (struct decimal){.whole = p};
    while (is_digit(*p) || (extra != '\0' && *p == extra))
        p++;
    out->whole_count = (size_t)(p - out->whole);
    if (*p != '.')
        return p;
    out->fraction = ++p;
    while (is_digit(*p) || (extra != '\0' && *p == extra))
        p++;
    out->fraction_count = (size_t)(p - out->fraction);
    return p;
}

static bool has_digits(const struct decimal *d)
{
    for (size_t i = 0; i < d->whole_count; i++) {
        if (is_digit(d->whole[i]))
            return true;
    }
    for (size_t i = 0; i < d->fraction_count; i++) {
        if (is_digit(d->fraction[i]))
            return true;
    }
    return false;
}

/* The number times `counts`, rounded down. False: does not fit. */
static bool scale(const struct decimal *d, uint64_t counts, uint64_t *out)
{
    uint64_t whole = 0;
    uint64_t part = 0;

    SL_ASSERT(counts <= UINT64_MAX / 10);
    for (size_t i = 0; i < d->whole_count; i++) {
        if (!is_digit(d->whole[i]))
            continue;
        if (__builtin_mul_overflow(whole, 10U, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(d->whole[i] - '0'), &whole))
            return false;
    }
    /* From the last digit to the first: part < counts holds throughout, and cutting at each step
     * gives the same result as cutting once at the end. */
    for (size_t i = d->fraction_count; i > 0; i--) {
        if (is_digit(d->fraction[i - 1]))
            part = ((uint64_t)(d->fraction[i - 1] - '0') * counts + part) / 10;
    }
    return !__builtin_mul_overflow(whole, counts, &whole) &&
           !__builtin_add_overflow(whole, part, out);
}

static const struct unit size_units[] = {
    {"", 1},
    {"b", 1},
    {"k", UINT64_C(1000)},
    {"kb", UINT64_C(1000)},
    {"m", UINT64_C(1000000)},
    {"mb", UINT64_C(1000000)},
    {"g", UINT64_C(1000000000)},
    {"gb", UINT64_C(1000000000)},
    {"t", UINT64_C(1000000000000)},
    {"tb", UINT64_C(1000000000000)},
    {"p", UINT64_C(1000000000000000)},
    {"pb", UINT64_C(1000000000000000)},
    {"e", UINT64_C(1000000000000000000)},
    {"eb", UINT64_C(1000000000000000000)},
    {"ki", UINT64_C(1) << 10},
    {"kib", UINT64_C(1) << 10},
    {"mi", UINT64_C(1) << 20},
    {"mib", UINT64_C(1) << 20},
    {"gi", UINT64_C(1) << 30},
    {"gib", UINT64_C(1) << 30},
    {"ti", UINT64_C(1) << 40},
    {"tib", UINT64_C(1) << 40},
    {"pi", UINT64_C(1) << 50},
    {"pib", UINT64_C(1) << 50},
    {"ei", UINT64_C(1) << 60},
    {"eib", UINT64_C(1) << 60},
};

enum sl_err sl_bytes_parse(const char *text, uint64_t *bytes, struct sl_why *why)
{
    struct decimal number;
    const char    *unit = read_decimal(text, ',', &number);
    size_t         length;

    if (text[0] == '\0') {
        *bytes = 0;
        return SL_OK;
    }
    while (is_space(*unit))
        unit++;
    length = strlen(unit);
    while (length > 0 && is_space(unit[length - 1]))
        length--;
    if (!has_digits(&number))
        return sl_fail(why, SL_INVALID, "not a size: \"%s\"", text);
    for (size_t i = 0; i < sizeof size_units / sizeof size_units[0]; i++) {
        if (strlen(size_units[i].name) != length ||
            strncasecmp(size_units[i].name, unit, length) != 0)
            continue;
        if (!scale(&number, size_units[i].counts, bytes))
            return sl_fail(why, SL_INVALID, "too large: %s", text);
        return SL_OK;
    }
    if (length > SL_NAME_BYTES_MAX)
        length = SL_NAME_BYTES_MAX;
    return sl_fail(why, SL_INVALID, "unhandled size name: %.*s", (int)length, unit);
}

/* What the duration unit at `text` counts in nanoseconds, and its length in bytes; 0: no such unit.
 */
static uint64_t duration_unit(const char *text, size_t length)
{
    static const struct unit units[] = {
        {"ns", 1},
        {"us", UINT64_C(1000)},
        {"\xc2\xb5s", UINT64_C(1000)}, /* micro sign */
        {"\xce\xbcs", UINT64_C(1000)}, /* Greek mu */
        {"ms", UINT64_C(1000000)},
        {"s", UINT64_C(1000000000)},
        {"m", UINT64_C(60000000000)},
        {"h", UINT64_C(3600000000000)},
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, text, length) == 0)
            return units[i].counts;
    }
    return 0;
}

/* One "1.5h" of a duration: adds it to *sum and moves *at behind it. */
static enum sl_err take_duration_part(const char *text, const char **at, uint64_t *sum,
                                      struct sl_why *why)
{
    struct decimal number;
    const char    *unit = read_decimal(*at, '\0', &number);
    size_t         length = 0;
    uint64_t       counts;
    uint64_t       part;

    if (!has_digits(&number))
        return sl_fail(why, SL_INVALID, "invalid duration \"%s\"", text);
    while (unit[length] != '\0' && unit[length] != '.' && !is_digit(unit[length]))
        length++;
    if (length == 0)
        return sl_fail(why, SL_INVALID, "missing unit in duration \"%s\"", text);
    counts = duration_unit(unit, length);
    if (counts == 0)
        return sl_fail(why, SL_INVALID, "unknown unit \"%.*s\" in duration \"%s\"",
                       (int)(length < SL_NAME_BYTES_MAX ? length : SL_NAME_BYTES_MAX), unit, text);
    if (!scale(&number, counts, &part) || __builtin_add_overflow(*sum, part, sum))
        return sl_fail(why, SL_INVALID, "invalid duration \"%s\": too long", text);
    *at = unit + length;
    return SL_OK;
}

enum sl_err sl_duration_parse(const char *text, int64_t *nanos, struct sl_why *why)
{
    const char *p = text;
    bool        negative = *p == '-';
    uint64_t    sum = 0;
    enum sl_err err;

    if (*p == '-' || *p == '+')
        p++;
    if (strcmp(p, "0") == 0) {
        *nanos = 0;
        return SL_OK;
    }
    do {
        if ((err = take_duration_part(text, &p, &sum, why)) != SL_OK)
            return err;
    } while (*p != '\0');
    if (sum > (uint64_t)INT64_MAX)
        return sl_fail(why, SL_INVALID, "invalid duration \"%s\": too long", text);
    *nanos = negative ? -(int64_t)sum : (int64_t)sum;
    return SL_OK;
}

/* Append value / 10^digits without trailing zeros; returns the new end. */
static size_t put_fraction(char *out, size_t at, uint64_t value, int digits)
{
    uint64_t power = 1;
    uint64_t rest;

    for (int i = 0; i < digits; i++)
        power *= 10;
    rest = value % power;
    at += (size_t)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, "%llu",
                           (unsigned long long)(value / power));
    if (rest == 0)
        return at;
    at += (size_t)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, ".%0*llu", digits,
                           (unsigned long long)rest);
    while (out[at - 1] == '0')
        at--;
    out[at] = '\0';
    return at;
}

void sl_duration_format(int64_t nanos, char *out)
{
    uint64_t left = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    uint64_t minutes = left / UINT64_C(60000000000);
    size_t   at = 0;

    if (nanos < 0)
        out[at++] = '-';
    if (left == 0 || left >= UINT64_C(1000000000)) {
        if (minutes >= 60)
            at += (size_t)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, "%lluh",
                                   (unsigned long long)(minutes / 60));
        if (minutes > 0)
            at += (size_t)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, "%llum",
                                   (unsigned long long)(minutes % 60));
        at = put_fraction(out, at, left % UINT64_C(60000000000), 9);
        (void)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, "s");
    } else if (left >= UINT64_C(1000000)) {
        at = put_fraction(out, at, left, 6);
        (void)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, "ms");
    } else if (left >= UINT64_C(1000)) {
        at = put_fraction(out, at, left, 3);
        (void)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, "\xc2\xb5s");
    } else {
        at = put_fraction(out, at, left, 0);
        (void)snprintf(out + at, SL_DURATION_TEXT_BYTES - at, "ns");
    }
}

enum sl_err sl_int_parse(const char *text, int64_t *out, struct sl_why *why)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    char       *end;
    long long   value;

    errno = 0;
    value = strtoll(text, &end, 0);
    if (!is_digit(*digits) || *end != '\0')
        return sl_fail(why, SL_INVALID, "not a whole number: \"%s\"", text);
    if (errno == ERANGE)
        return sl_fail(why, SL_INVALID, "does not fit 64 bits: %s", text);
    *out = value;
    return SL_OK;
}

enum sl_err sl_float_parse(const char *text, double *out, struct sl_why *why)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    char       *end;
    double      value = strtod(text, &end);

    if ((!is_digit(*digits) && *digits != '.') || end == text || *end != '\0' || !isfinite(value))
        return sl_fail(why, SL_INVALID, "not a number: \"%s\"", text);
    *out = value;
    return SL_OK;
}

enum sl_err sl_bool_parse(const char *text, bool *out, struct sl_why *why)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *out = strcmp(text, yes[i]) == 0;
            return SL_OK;
        }
    }
    return sl_fail(why, SL_INVALID, "not true or false: \"%s\"", text);
}
