#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/change.h"
#include "binlog/zone_private.h"

static const char database[] = "/usr/share/zoneinfo";

/* As MySQL bounds the offsets of sessions. */
enum { MINUTE_S = 60, HOUR_S = 3600, WEST_MAX_S = 13 * HOUR_S, EAST_MAX_S = 14 * HOUR_S };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "+08:00", "-3:30". *fits: it is within the bounds. */
static bool read_offset(const char *name, int32_t *out, bool *fits)
{
    const char *at = name + 1;
    int32_t     hours = 0;
    int32_t     seconds;

    if ((*name != '+' && *name != '-') || !is_digit(*at))
        return false;
    hours = *at++ - '0';
    if (is_digit(*at))
        hours = hours * 10 + *at++ - '0';
    if (at[0] != ':' || !is_digit(at[1]) || !is_digit(at[2]) || at[3] != '\0')
        return false;
    seconds = hours * HOUR_S + ((at[1] - '0') * 10 + at[2] - '0') * MINUTE_S;
    *fits = at[1] < '6' && (*name == '+' ? seconds <= EAST_MAX_S : seconds < WEST_MAX_S);
    *out = *name == '+' ? seconds : -seconds;
    return true;
}

/* A name that can be a path below the database, and nowhere else. */
static bool is_path(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len >= SL_ZONE_NAME_BYTES_MAX || name[0] == '/')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if (!is_digit(c) && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
            strchr("/_+-", c) == NULL)
            return false;
    }
    return true;
}

static enum sl_err read_named(struct sl_fs *fs, const char *name, struct sl_zone *zone,
                              struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    uint8_t    *file = malloc(SL_ZONE_FILE_BYTES_MAX);
    size_t      count = 0;
    enum sl_err err;

    SL_ASSERT(file != NULL);
    if ((err = sl_path_join(path, database, name, why)) == SL_OK &&
        (err = sl_fs_read(fs, path, file, SL_ZONE_FILE_BYTES_MAX, &count, why)) == SL_OK)
        err = zone_read((struct sl_slice){file, count}, zone, why);
    free(file);
    return err;
}

enum sl_err sl_zone_open(struct sl_fs *fs, const char *name, struct sl_zone **out,
                         struct sl_why *why)
{
    struct sl_zone *zone = calloc(1, sizeof *zone);
    bool            fits = true;
    enum sl_err     err = SL_OK;

    SL_ASSERT(zone != NULL);
    if (strcasecmp(name, "SYSTEM") == 0 || strcasecmp(name, "Local") == 0)
        err = sl_fail(why, SL_INVALID, "'SYSTEM' or 'Local' time_zone is not supported");
    else if (read_offset(name, &zone->first_offset_s, &fits))
        err = fits ? SL_OK
                   : sl_fail(why, SL_INVALID, "time zone %s is not within -12:59..+14:00", name);
    else if (strcasecmp(name, "UTC") == 0)
        err = SL_OK;
    else if (is_path(name))
        err = read_named(fs, name, zone, why);
    else
        err = sl_fail(why, SL_INVALID, "\"%.*s\" is no name of a time zone", SL_ZONE_NAME_BYTES_MAX,
                      name);
    if (err != SL_OK) {
        sl_zone_free(&zone);
        return sl_wrap(why, err, "time zone \"%.*s\"", SL_ZONE_NAME_BYTES_MAX, name);
    }
    *out = zone;
    return SL_OK;
}

void sl_zone_free(struct sl_zone **zone)
{
    if (*zone == NULL)
        return;
    free((*zone)->transitions);
    free(*zone);
    *zone = NULL;
}

int32_t zone_offset_at(const struct sl_zone *zone, int64_t utc_s)
{
    uint32_t low = 0;
    uint32_t high = zone->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (zone->transitions[middle].at_s <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->has_future)
        return zone_future_offset_at(&zone->future, utc_s);
    return low == 0 ? zone->first_offset_s : zone->transitions[low - 1].offset_s;
}
