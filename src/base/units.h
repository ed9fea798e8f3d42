#ifndef SL_BASE_UNITS_H
#define SL_BASE_UNITS_H

/* Units: how people write sizes, times and numbers in files and on command lines, with the grammars
 * of the Go programs that Sluice replaces, so that every value that was accepted there is accepted
 * here.
 *
 * The parsers read the whole text or refuse it with SL_INVALID and a reason that quotes it; *out is
 * set only on success. All functions are pure and may be called from any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

/* "10 gib", "1,024", "1.5k": a number, perhaps a space, a unit in any case. b; k kb m mb g gb t tb
 * p pb e eb count by 1000; ki kib ... ei eib by 1024; none: bytes. "" is 0. Fractions of a byte are
 * cut off. Exact up to UINT64_MAX. */
enum sl_err sl_bytes_parse(const char *text, uint64_t *bytes, struct sl_why *why);

/* Go's durations: "1h30m", "-1.5s", "500ms", "10us", "0". Units h m s ms us µs ns. Fractions of a
 * nanosecond are cut off. The unit is required ("7" is refused). */
enum sl_err sl_duration_parse(const char *text, int64_t *nanos, struct sl_why *why);

/* Write a duration as Go does: "0s", "1.5s", "2m0s", "1h0m0.001s", "350µs". out has
 * SL_DURATION_TEXT_BYTES. */
void sl_duration_format(int64_t nanos, char *out);

/* A whole number with an optional sign: decimal, 0x hexadecimal or 0 octal. */
enum sl_err sl_int_parse(const char *text, int64_t *out, struct sl_why *why);

/* A finite decimal number. */
enum sl_err sl_float_parse(const char *text, double *out, struct sl_why *why);

/* Go's words: 1 t T TRUE true True, 0 f F FALSE false False. */
enum sl_err sl_bool_parse(const char *text, bool *out, struct sl_why *why);

#endif
