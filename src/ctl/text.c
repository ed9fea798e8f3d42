#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/utf8.h"

enum { S = 1000, MINUTE = 60 * S, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const char zone_folder[] = "/usr/share/zoneinfo";

/* ---- moments ---- */

static struct tm local_parts(int64_t seconds)
{
    static const time_t epoch = 0;
    time_t              at = (time_t)seconds;
    struct tm           parts;
    const struct tm    *done = localtime_r(&at, &parts);

    if (done == NULL) /* a year beyond an int */
        done = localtime_r(&epoch, &parts);
    SL_ASSERT(done != NULL);
    return parts;
}

void ctl_text_go_time(int64_t seconds, char out[CTL_TIME_BYTES])
{
    struct tm parts = local_parts(seconds);

    if (strftime(out, CTL_TIME_BYTES, "%Y-%m-%d %H:%M:%S %z %Z", &parts) == 0)
        (void)snprintf(out, CTL_TIME_BYTES, "%" PRId64, seconds);
}

/* Go takes names below the folder only. */
static bool is_zone(const struct sl_env *env, const char *zone, char *path)
{
    struct sl_file_info info;

    return zone[0] != '/' && zone[0] != '\\' && strstr(zone, "..") == NULL &&
           sl_path_join(path, zone_folder, zone, NULL) == SL_OK &&
           sl_fs_info(env->fs, path, &info, NULL) == SL_OK && info.kind == SL_FILE_REGULAR;
}

enum sl_err ctl_text_go_time_in(const struct sl_env *env, const char *zone, int64_t seconds,
                                char out[CTL_TIME_BYTES], struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    const char *variable = getenv("TZ");
    char       *before = NULL;
    int         failed;

    if (strcmp(zone, "Local") == 0) {
        ctl_text_go_time(seconds, out);
        return SL_OK;
    }
    if (strcmp(zone, "UTC") == 0)
        (void)snprintf(path, sizeof path, "UTC0");
    else if (!is_zone(env, zone, path))
        return sl_fail(why, SL_INVALID, "unknown time zone %.64s", zone);
    if (variable != NULL) {
        before = strdup(variable);
        SL_ASSERT(before != NULL);
    }
    failed = setenv("TZ", path, 1);
    SL_ASSERT(failed == 0);
    tzset();
    ctl_text_go_time(seconds, out);
    failed = before != NULL ? setenv("TZ", before, 1) : unsetenv("TZ");
    SL_ASSERT(failed == 0);
    tzset();
    free(before);
    return SL_OK;
}

void ctl_text_rfc3339(int64_t milliseconds, char out[CTL_TIME_BYTES])
{
    time_t    seconds = (time_t)(milliseconds / S);
    struct tm parts;
    size_t    used = 0;

    if (gmtime_r(&seconds, &parts) != NULL)
        used = strftime(out, CTL_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out + used, CTL_TIME_BYTES - used, ".%03dZ", (int)(milliseconds % S));
}

void ctl_text_moment(int64_t milliseconds, int64_t now_milliseconds, char out[CTL_TIME_BYTES])
{
    struct tm parts = local_parts(milliseconds / S);
    struct tm now = local_parts(now_milliseconds / S);
    bool      today = parts.tm_year == now.tm_year && parts.tm_yday == now.tm_yday;
    size_t used = strftime(out, CTL_TIME_BYTES, today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);

    (void)snprintf(out + used, CTL_TIME_BYTES - used, ".%03d", (int)(milliseconds % S));
}

void ctl_text_clock(int64_t milliseconds, char out[CTL_TIME_BYTES])
{
    struct tm parts = local_parts(milliseconds / S);
    long      minutes = labs(parts.tm_gmtoff) / 60;
    size_t    used = strftime(out, CTL_TIME_BYTES, "%H:%M:%S", &parts);

    (void)snprintf(out + used, CTL_TIME_BYTES - used, " %c%02ld:%02ld",
                   parts.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* ---- spans ---- */

void ctl_text_span(int64_t milliseconds, char out[CTL_TIME_BYTES])
{
    int64_t ms = milliseconds < 0 ? 0 : milliseconds;

    if (ms < 10 * S)
        (void)snprintf(out, CTL_TIME_BYTES, "%" PRId64 ".%" PRId64 " s", ms / S, ms % S / 100);
    else if (ms < MINUTE)
        (void)snprintf(out, CTL_TIME_BYTES, "%" PRId64 " s", ms / S);
    else if (ms < HOUR)
        (void)snprintf(out, CTL_TIME_BYTES, "%" PRId64 "m %02" PRId64 "s", ms / MINUTE,
                       ms % MINUTE / S);
    else if (ms < DAY)
        (void)snprintf(out, CTL_TIME_BYTES, "%" PRId64 "h %02" PRId64 "m", ms / HOUR,
                       ms % HOUR / MINUTE);
    else
        (void)snprintf(out, CTL_TIME_BYTES, "%" PRId64 "d %02" PRId64 "h", ms / DAY,
                       ms % DAY / HOUR);
}

/* ---- sizes ---- */

void ctl_text_share(uint64_t part, uint64_t whole, char out[CTL_TIME_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t                   unit = 0;

    while (whole >> (10 * unit) >= 10240 && unit + 1 < sizeof units / sizeof *units)
        unit++;
    (void)snprintf(out, CTL_TIME_BYTES, "%" PRIu64 " / %" PRIu64 " %s", part >> (10 * unit),
                   whole >> (10 * unit), units[unit]);
}

/* ---- from outside ---- */

void ctl_text_clean(const char *text, char *out, size_t size)
{
    size_t length = strlen(text);
    size_t used = 0;

    for (size_t at = 0; at < length;) {
        size_t bytes = sl_utf8_length(text + at, length - at);
        bool   bad = bytes == 0 ||
                   (bytes == 1 && ((unsigned char)text[at] < 0x20 || text[at] == 0x7f)) ||
                   (bytes == 2 && (unsigned char)text[at] == 0xc2 &&
                    (unsigned char)text[at + 1] < 0xa0); /* C1: terminals obey them too */
        size_t room = bad ? 1 : bytes;

        if (used + room >= size)
            break;
        if (bad)
            out[used] = '?';
        else
            memcpy(out + used, text + at, bytes);
        used += room;
        at += bytes == 0 ? 1 : bytes;
    }
    out[used] = '\0';
}
