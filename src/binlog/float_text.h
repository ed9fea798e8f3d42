#ifndef SL_BINLOG_FLOAT_TEXT_H
#define SL_BINLOG_FLOAT_TEXT_H

/* Floating point numbers as the shortest text that reads back as the same number, laid out as Go
 * does. Private to binlog. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Digits that tell any double from its neighbours; and the longest text: as many behind a sign,
 * "0." and five zeros, or 21 digits in front of a point; no terminator. */
enum { FLOAT_DIGITS_MAX = 17, FLOAT_TEXT_BYTES_MAX = 32 };

/* A number taken apart: d.ddd * 10^exponent. */
struct float_digits {
    char     digits[FLOAT_DIGITS_MAX];
    uint32_t count; /* 1..FLOAT_DIGITS_MAX; no zeros at the end but for 0 itself */
    int32_t  exponent;
    bool     is_negative;
};

/* The shortest digits of a finite number: as a double, or among float32 numbers, of which it is
 * one. */
void float_digits_of(double value, struct float_digits *out);
void float_digits_of_single(float value, struct float_digits *out);

/* For SQL: plain notation for exponents of -4..5, else "1.5e+06", two digits of exponent at least.
 * For JSON: plain for -6..20, else "1e-7", "1e+21". Into out[FLOAT_TEXT_BYTES_MAX]; return the
 * length. */
size_t float_text_sql(const struct float_digits *d, char *out);
size_t float_text_json(const struct float_digits *d, char *out);

#ifdef __cplusplus
}
#endif

#endif
