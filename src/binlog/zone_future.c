#include <string.h>

#include "binlog/packed_time.h"
#include "binlog/zone_private.h"

/* What POSIX.1 says of the environment variable TZ, with the wider range of times that RFC 8536
 * allows:
 *
 *     name offset [name [offset] [,rule[/time],rule[/time]]]
 *
 * An offset is what is added to local time to get UTC, so it is positive west of Greenwich. */

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, RULE_AT_S = 2 * HOUR_S, WEEK_DAYS = 7, HOURS_MAX = 167 };

struct text {
    const char *at;
    const char *end;
};

static bool take(struct text *t, char c)
{
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

/* At least three letters, or anything in <>. */
static bool take_name(struct text *t)
{
    const char *start = t->at;

    if (take(t, '<')) {
        while (t->at < t->end && *t->at != '>')
            t->at++;
        return take(t, '>');
    }
    while (t->at < t->end && ((*t->at >= 'A' && *t->at <= 'Z') || (*t->at >= 'a' && *t->at <= 'z')))
        t->at++;
    return t->at - start >= 3;
}

static bool take_number(struct text *t, int32_t max, int32_t *out)
{
    const char *start = t->at;
    int32_t     value = 0;

    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        value = value * 10 + (*t->at - '0');
        if (value > max)
            return false;
    }
    *out = value;
    return t->at > start;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool take_time(struct text *t, int32_t *out)
{
    bool    is_negative = take(t, '-');
    int32_t hours;
    int32_t minutes = 0;
    int32_t seconds = 0;

    if (!is_negative)
        (void)take(t, '+');
    if (!take_number(t, HOURS_MAX, &hours))
        return false;
    if (take(t, ':')) {
        if (!take_number(t, 59, &minutes) || (take(t, ':') && !take_number(t, 59, &seconds)))
            return false;
    }
    *out = hours * HOUR_S + minutes * 60 + seconds;
    if (is_negative)
        *out = -*out;
    return true;
}

static bool take_day(struct text *t, struct zone_rule *out)
{
    if (take(t, 'J')) {
        out->kind = ZONE_RULE_JULIAN;
        return take_number(t, 365, &out->day) && out->day >= 1;
    }
    if (!take(t, 'M')) {
        out->kind = ZONE_RULE_DAY;
        return take_number(t, 365, &out->day);
    }
    out->kind = ZONE_RULE_WEEKDAY;
    return take_number(t, 12, &out->month) && out->month >= 1 && take(t, '.') &&
           take_number(t, 5, &out->week) && out->week >= 1 && take(t, '.') &&
           take_number(t, WEEK_DAYS - 1, &out->day);
}

static bool take_rule(struct text *t, struct zone_rule *out)
{
    out->at_s = RULE_AT_S;
    return take(t, ',') && take_day(t, out) && (!take(t, '/') || take_time(t, &out->at_s));
}

static bool take_future(struct text *t, struct zone_future *out)
{
    int32_t west;

    if (!take_name(t) || !take_time(t, &west))
        return false;
    out->offset_s = -west;
    if (t->at == t->end)
        return true;
    out->has_summer = true;
    out->summer_offset_s = out->offset_s + HOUR_S;
    if (!take_name(t))
        return false;
    if (t->at < t->end && *t->at != ',') {
        if (!take_time(t, &west))
            return false;
        out->summer_offset_s = -west;
    }
    return take_rule(t, &out->summer_begins) && take_rule(t, &out->summer_ends) && t->at == t->end;
}

enum sl_err zone_future_read(struct sl_slice text, struct zone_future *out, struct sl_why *why)
{
    const char        *start = (const char *)text.bytes;
    struct text        t = {start, start + text.len};
    struct zone_future future = {0};

    if (!take_future(&t, &future))
        return sl_fail(why, SL_INVALID, "\"%.*s\" does not say how a zone goes on", (int)text.len,
                       start);
    *out = future;
    return SL_OK;
}

/* ---- asking ---- */

static int64_t year_start(int32_t year)
{
    return civil_time_seconds(&(struct civil_time){.year = (uint32_t)year, .month = 1, .day = 1});
}

/* Midnight of the day, by a clock that shows UTC. */
static int64_t rule_day(const struct zone_rule *rule, int32_t year)
{
    struct civil_time t = {.year = (uint32_t)year, .month = (uint32_t)rule->month, .day = 1};
    int64_t           start = year_start(year);
    bool              leap = year_start(year + 1) - start == (int64_t)366 * DAY_S;
    int64_t           first;
    int64_t           day;

    if (rule->kind == ZONE_RULE_DAY)
        return start + (int64_t)rule->day * DAY_S;
    if (rule->kind == ZONE_RULE_JULIAN)
        return start + (int64_t)(rule->day - 1 + (leap && rule->day > 59)) * DAY_S;
    first = civil_time_seconds(&t);
    /* 1970-01-01 was a Thursday, which is 4. */
    day = rule->day - (first / DAY_S % WEEK_DAYS + WEEK_DAYS + 4) % WEEK_DAYS;
    day = (day + WEEK_DAYS) % WEEK_DAYS + (int64_t)(rule->week - 1) * WEEK_DAYS;
    for (t.day = (uint32_t)day + 1; !civil_time_is_real(&t); t.day -= WEEK_DAYS)
        day -= WEEK_DAYS;
    return first + day * DAY_S;
}

int32_t zone_future_offset_at(const struct zone_future *f, int64_t utc_s)
{
    struct civil_time t;
    int64_t           begins;
    int64_t           ends;
    bool              is_summer;

    if (!f->has_summer || !civil_time_from_seconds(utc_s + f->offset_s, &t))
        return f->offset_s;
    begins = rule_day(&f->summer_begins, (int32_t)t.year) + f->summer_begins.at_s - f->offset_s;
    ends = rule_day(&f->summer_ends, (int32_t)t.year) + f->summer_ends.at_s - f->summer_offset_s;
    /* South of the equator it begins late in the year and ends early in the next. */
    if (begins < ends)
        is_summer = utc_s >= begins && utc_s < ends;
    else
        is_summer = utc_s >= begins || utc_s < ends;
    return is_summer ? f->summer_offset_s : f->offset_s;
}
