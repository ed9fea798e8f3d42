#ifndef SL_BINLOG_PATTERN_H
#define SL_BINLOG_PATTERN_H

/* Regular expressions of an operator's filters, by PCRE2 within bounds. The original's are RE2's;
 * what they have in common means the same here: `$` is the very end, `.` is any character but a
 * line feed, case is folded as Unicode says, classes as \w are ASCII. Beyond that, this one knows
 * look-around and back references, whose cost is what the bounds are for.
 *
 * A pattern does not change after it was made: any number of threads may use it at one time. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct sl_pattern;

/* How a pattern is meant. */
enum sl_pattern_flags {
    SL_PATTERN_CASELESS = 1,
    SL_PATTERN_WHOLE = 2,   /* it must match all of the text: ^(?:PATTERN)$ */
    SL_PATTERN_DOT_ALL = 4, /* `.` is a line feed too */
};

/* *out is owned: sl_pattern_free. SL_INVALID: it is not a pattern, or longer than
 * SL_PATTERN_BYTES_MAX; why says what is wrong and where. */
enum sl_err sl_pattern_new(const char *text, unsigned flags, struct sl_pattern **out,
                           struct sl_why *why);
/* Nulls the pointer; *pattern may be NULL. */
void sl_pattern_free(struct sl_pattern **pattern);

/* Does it match somewhere in the text? Bytes that are no UTF-8 match nothing. SL_TOO_LARGE: to say
 * so would cost more than SL_PATTERN_STEPS_MAX or SL_PATTERN_HEAP_KIB; *found is not set. */
enum sl_err sl_pattern_find(const struct sl_pattern *pattern, struct sl_slice text, bool *found,
                            struct sl_why *why);

#endif
