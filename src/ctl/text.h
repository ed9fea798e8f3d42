#ifndef SL_CTL_TEXT_H
#define SL_CTL_TEXT_H

/* Times and sizes as people and the original write them. The texts of moments follow the local time
 * zone unless they say otherwise. Not for several threads: zones are switched by the process's TZ.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/ts.h"

/* Room for any of the texts here, terminator included. */
enum { CTL_TIME_BYTES = 80 };

/* A moment as Go prints it: "2026-11-21 10:09:18 +0000 UTC". */
void ctl_text_go_time(int64_t seconds, char out[CTL_TIME_BYTES]);

/* The same in a zone of the tz database: "Asia/Shanghai"; "UTC" and "Local" are zones too.
 * SL_INVALID: there is none of that name on this machine. */
enum sl_err ctl_text_go_time_in(const struct sl_env *env, const char *zone, int64_t seconds,
                                char out[CTL_TIME_BYTES], struct sl_why *why);

/* A moment for programs: "2026-11-21T10:09:18.123Z". */
void ctl_text_rfc3339(int64_t milliseconds, char out[CTL_TIME_BYTES]);

/* A moment for people, beside a listing made at `now`: "14:03:20.611", with the date when it is of
 * another day. */
void ctl_text_moment(int64_t milliseconds, int64_t now_milliseconds, char out[CTL_TIME_BYTES]);

/* "14:03:22 +02:00". */
void ctl_text_clock(int64_t milliseconds, char out[CTL_TIME_BYTES]);

/* How long something takes or is ago, in its two largest units: "0.2 s", "48 s", "12m 05s",
 * "2h 11m", "6d 23h". Negative is 0. */
void ctl_text_span(int64_t milliseconds, char out[CTL_TIME_BYTES]);

/* "41 / 180 GiB": so much of so much, in the unit that suits the latter. */
void ctl_text_share(uint64_t part, uint64_t whole, char out[CTL_TIME_BYTES]);

/* Text from outside for a terminal: control characters, and bytes that are no UTF-8, become '?'.
 * Cut at `size`, between characters. */
void ctl_text_clean(const char *text, char *out, size_t size);

#endif
