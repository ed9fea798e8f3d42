#ifndef SL_BINLOG_ZONE_PRIVATE_H
#define SL_BINLOG_ZONE_PRIVATE_H

/* What a zone is inside, for those who make one and those who ask it: for binlog alone. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* When a rule changes the clock each year (POSIX.1, environment variable TZ). */
enum zone_rule_kind {
    ZONE_RULE_JULIAN,  /* day 1..365, February 29 is never counted */
    ZONE_RULE_DAY,     /* day 0..365 */
    ZONE_RULE_WEEKDAY, /* the week-th such day of that month; 5: the last */
};

struct zone_rule {
    enum zone_rule_kind kind;
    int32_t             day; /* of ZONE_RULE_WEEKDAY: 0..6, Sunday is 0 */
    int32_t             week;
    int32_t             month;
    int32_t             at_s; /* of that day by the clock before, may be negative */
};

/* How a zone goes on behind its last transition. */
struct zone_future {
    int32_t          offset_s; /* of standard time, east of UTC */
    int32_t          summer_offset_s;
    bool             has_summer;
    struct zone_rule summer_begins;
    struct zone_rule summer_ends;
};

/* From this moment on the clock is so far ahead of UTC. */
struct zone_transition {
    int64_t at_s; /* since the Unix epoch */
    int32_t offset_s;
};

/* Immutable once it was opened. */
struct sl_zone {
    int32_t                 first_offset_s; /* before the first transition */
    uint32_t                count;
    struct zone_transition *transitions; /* owned; by time */
    bool                    has_future;  /* else the last offset stays */
    struct zone_future      future;
};

/* How many seconds the clock is ahead of UTC at that moment. */
int32_t zone_offset_at(const struct sl_zone *zone, int64_t utc_s);

/* Read the contents of a file of the tz database (TZif, RFC 8536) into *out, all zero before, whose
 * transitions are then the caller's to free, also after an error. */
enum sl_err zone_read(struct sl_slice file, struct sl_zone *out, struct sl_why *why);

/* Read the text in the foot of such a file: "CET-1CEST,M3.5.0,M10.5.0/3". SL_INVALID: it is not
 * one. */
enum sl_err zone_future_read(struct sl_slice text, struct zone_future *out, struct sl_why *why);
/* The offset by these rules. */
int32_t zone_future_offset_at(const struct zone_future *future, int64_t utc_s);

#endif
