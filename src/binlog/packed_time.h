#ifndef SL_BINLOG_PACKED_TIME_H
#define SL_BINLOG_PACKED_TIME_H

/* Points and spans of time as rows hold them, and their text (codec spec 1.7, 1.8). Private to
 * binlog.
 *
 *     packed: (year * 13 + month) << 46 | day << 41 | hour << 36 | minute << 30 | second << 24 | us
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Digits behind a second that a text may have. */
enum { TIME_FRACTION_DIGITS_MAX = 6 };

/* "9999-12-31 23:59:59.999999" and "-838:59:59.999999"; no terminator. */
enum { PACKED_TIME_TEXT_BYTES_MAX = 26, DURATION_TEXT_BYTES_MAX = 17 };

/* A calendar time without a zone. Months and days may be 0, and a day may be more than its month
 * has: MySQL knows such dates. */
struct civil_time {
    uint32_t year; /* 0..9999 */
    uint32_t month;
    uint32_t day;
    uint32_t hour;
    uint32_t minute;
    uint32_t second;
    uint32_t micro;
};

/* False: a part is out of the range above. */
bool civil_time_is_in_range(const struct civil_time *t);
bool packed_time_open(uint64_t packed, struct civil_time *out);

/* "YYYY-MM-DD" into out[PACKED_TIME_TEXT_BYTES_MAX]; the same with " HH:MM:SS" and so many digits
 * behind a point. What the digits do not show is cut off. Return the length. */
size_t civil_date_text(const struct civil_time *t, char *out);
size_t civil_time_text(const struct civil_time *t, unsigned fraction_digits, char *out);

/* Read "YYYY-MM-DD HH:MM:SS" with or without a fraction. False: it is not that, or no such day is
 * in the calendar. */
bool civil_time_parse(struct sl_slice text, struct civil_time *out);

/* True when the calendar has that day; false for zero dates and for February 30. */
bool civil_time_is_real(const struct civil_time *t);
/* Seconds since 1970-01-01 00:00:00 of a real time, both of the same zone; and back. */
int64_t civil_time_seconds(const struct civil_time *t);
/* All but the microseconds. False: the year is none of 0..9999. */
bool civil_time_from_seconds(int64_t seconds, struct civil_time *t);

/* "HH:MM:SS" of a span, with a sign when negative, three digits of hours where needed, and so many
 * digits behind a point, into out[DURATION_TEXT_BYTES_MAX]. Sets *len. False: 839 hours or more. */
bool duration_text(int64_t nanos, unsigned fraction_digits, char *out, size_t *len);

#endif
