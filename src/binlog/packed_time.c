#include "binlog/packed_time.h"

#include <string.h>

enum {
    MONTHS_BASE = 13, /* so that month 0 can be told from month 12 */
    YEAR_MAX = 9999,
    DAY_S = 24 * 60 * 60,
    ERA_YEARS = 400,
    ERA_DAYS = 146097,
    EPOCH_DAYS = 719468, /* from 0000-03-01 to 1970-01-01 */
    DURATION_HOURS_MAX = 839,
    NANOS_PER_MICRO = 1000,
};

/* ---- packed ---- */

bool civil_time_is_in_range(const struct civil_time *t)
{
    return t->year <= YEAR_MAX && t->month <= 12 && t->hour < 24 && t->minute < 60 &&
           t->second < 60 && t->micro < 1000000;
}

bool packed_time_open(uint64_t packed, struct civil_time *out)
{
    uint64_t seconds = packed >> 24;
    uint64_t days = seconds >> 17;
    uint64_t months = days >> 5;

    if (months > (YEAR_MAX + 1) * MONTHS_BASE - 1)
        return false;
    *out = (struct civil_time){
        .year = (uint32_t)(months / MONTHS_BASE),
        .month = (uint32_t)(months % MONTHS_BASE),
        .day = (uint32_t)(days & 31),
        .hour = (uint32_t)(seconds >> 12 & 31),
        .minute = (uint32_t)(seconds >> 6 & 63),
        .second = (uint32_t)(seconds & 63),
        .micro = (uint32_t)(packed & 0xffffff),
    };
    return civil_time_is_in_range(out);
}

/* ---- text ---- */

static char *put_digits(char *out, uint32_t value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + digits;
}

static char *put_two(char *out, uint32_t value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return out + 2;
}

static char *put_fraction(char *out, uint32_t micro, unsigned digits)
{
    if (digits == 0)
        return out;
    *out = '.';
    for (unsigned i = digits; i < TIME_FRACTION_DIGITS_MAX; i++)
        micro /= 10;
    return put_digits(out + 1, micro, digits);
}

static char *put_date(char *out, const struct civil_time *t)
{
    out = put_two(out, t->year / 100);
    out = put_two(out, t->year % 100);
    *out++ = '-';
    out = put_two(out, t->month);
    *out++ = '-';
    return put_two(out, t->day);
}

/* ":MM:SS" */
static char *put_minutes(char *out, uint32_t minute, uint32_t second)
{
    *out++ = ':';
    out = put_two(out, minute);
    *out++ = ':';
    return put_two(out, second);
}

size_t civil_date_text(const struct civil_time *t, char *out)
{
    return (size_t)(put_date(out, t) - out);
}

size_t civil_time_text(const struct civil_time *t, unsigned fraction_digits, char *out)
{
    char *at = put_date(out, t);

    *at++ = ' ';
    at = put_minutes(put_two(at, t->hour), t->minute, t->second);
    return (size_t)(put_fraction(at, t->micro, fraction_digits) - out);
}

bool duration_text(int64_t nanos, unsigned fraction_digits, char *out, size_t *len)
{
    uint64_t micros = (nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos) / NANOS_PER_MICRO;
    uint64_t seconds = micros / 1000000;
    uint64_t hours = seconds / 3600;
    char    *at = out;

    if (hours >= DURATION_HOURS_MAX)
        return false;
    if (nanos < 0)
        *at++ = '-';
    at = put_digits(at, (uint32_t)hours, hours < 100 ? 2 : 3);
    at = put_minutes(at, (uint32_t)(seconds / 60 % 60), (uint32_t)(seconds % 60));
    at = put_fraction(at, (uint32_t)(micros % 1000000), fraction_digits);
    *len = (size_t)(at - out);
    return true;
}

/* ---- the calendar ---- */

static uint32_t days_in(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool                 leap = year % 4 == 0 && (year % 100 != 0 || year % ERA_YEARS == 0);

    return month == 2 && leap ? 29 : days[month];
}

bool civil_time_is_real(const struct civil_time *t)
{
    return t->month >= 1 && t->month <= 12 && t->day >= 1 && t->day <= days_in(t->year, t->month);
}

/* Years are counted from March, so that the leap day is their last: the days before a month are
 * then a straight line (153 days in five months). */
int64_t civil_time_seconds(const struct civil_time *t)
{
    int64_t year = (int64_t)t->year - (t->month <= 2);
    int64_t era = (year >= 0 ? year : year - (ERA_YEARS - 1)) / ERA_YEARS;
    int64_t of_era = year - era * ERA_YEARS;
    int64_t month = (t->month + 9) % 12;
    int64_t day = (153 * month + 2) / 5 + t->day - 1;
    int64_t days = era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + day - EPOCH_DAYS;

    return days * DAY_S + t->hour * 3600 + t->minute * 60 + t->second;
}

bool civil_time_from_seconds(int64_t seconds, struct civil_time *t)
{
    int64_t days = seconds / DAY_S - (seconds % DAY_S < 0);
    int64_t second = seconds - days * DAY_S;
    int64_t shifted = days + EPOCH_DAYS;
    int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t of_era = shifted - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day + 2) / 153;

    t->month = (uint32_t)(month < 10 ? month + 3 : month - 9);
    t->day = (uint32_t)(day - (153 * month + 2) / 5 + 1);
    year += era * ERA_YEARS + (t->month <= 2);
    if (year < 0 || year > YEAR_MAX)
        return false;
    t->year = (uint32_t)year;
    t->hour = (uint32_t)(second / 3600);
    t->minute = (uint32_t)(second / 60 % 60);
    t->second = (uint32_t)(second % 60);
    return true;
}

/* ---- reading ---- */

/* So many digits at *at, which moves behind them. */
static bool take_digits(const uint8_t **at, const uint8_t *end, unsigned digits, uint32_t *out)
{
    uint32_t value = 0;

    if (end - *at < (ptrdiff_t)digits)
        return false;
    for (unsigned i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (uint32_t)(**at - '0');
    }
    *out = value;
    return true;
}

static bool take_mark(const uint8_t **at, const uint8_t *end, char mark)
{
    return *at < end && *(*at)++ == (uint8_t)mark;
}

/* Nothing, or a point and digits; those beyond microseconds are cut off. */
static bool take_fraction(const uint8_t *at, const uint8_t *end, uint32_t *micro)
{
    uint32_t digit;
    uint32_t unit = 100000;

    *micro = 0;
    if (at == end)
        return true;
    if (!take_mark(&at, end, '.'))
        return false;
    for (; at < end; unit /= 10) {
        if (!take_digits(&at, end, 1, &digit))
            return false;
        *micro += digit * unit;
    }
    return true;
}

bool civil_time_parse(struct sl_slice text, struct civil_time *out)
{
    const uint8_t    *at = text.bytes;
    const uint8_t    *end = text.len > 0 ? at + text.len : at;
    struct civil_time t;

    if (!take_digits(&at, end, 4, &t.year) || !take_mark(&at, end, '-') ||
        !take_digits(&at, end, 2, &t.month) || !take_mark(&at, end, '-') ||
        !take_digits(&at, end, 2, &t.day) || !take_mark(&at, end, ' ') ||
        !take_digits(&at, end, 2, &t.hour) || !take_mark(&at, end, ':') ||
        !take_digits(&at, end, 2, &t.minute) || !take_mark(&at, end, ':') ||
        !take_digits(&at, end, 2, &t.second) || !take_fraction(at, end, &t.micro))
        return false;
    if (!civil_time_is_real(&t) || !civil_time_is_in_range(&t))
        return false;
    *out = t;
    return true;
}
