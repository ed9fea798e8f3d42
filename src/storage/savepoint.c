#include "storage/savepoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/limits.h"

/* What stands behind "<key> =" in this line; NULL: another line. The original ignores case. */
static const char *value_of(const char *line, const char *key)
{
    size_t len = strlen(key);

    line += strspn(line, " \t");
    if (strncasecmp(line, key, len) != 0)
        return NULL;
    line += len;
    line += strspn(line, " \t");
    if (*line != '=')
        return NULL;
    line++;
    return line + strspn(line, " \t");
}

static bool parse_number(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    end += strspn(end, " \t\r");
    return end != text && (*end == '\0' || *end == '#') && errno == 0 && *out >= 0;
}

static bool parse_line(const char *line, struct sl_savepoint *out, bool *has_ts)
{
    const char *value;

    if ((value = value_of(line, "commitTS")) != NULL) {
        *has_ts = true;
        return parse_number(value, &out->commit_ts);
    }
    if ((value = value_of(line, "schema-version")) != NULL)
        return parse_number(value, &out->schema_version);
    if ((value = value_of(line, "consistent")) != NULL) {
        out->is_consistent = strncmp(value, "true", 4) == 0;
        return out->is_consistent || strncmp(value, "false", 5) == 0;
    }
    return true;
}

enum sl_err sl_savepoint_read(struct sl_fs *fs, const char *dir, struct sl_savepoint *out,
                              struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    char        text[SL_SAVEPOINT_BYTES_MAX + 1];
    size_t      count;
    unsigned    number = 0;
    bool        has_ts = false;
    enum sl_err err;

    *out = (struct sl_savepoint){0};
    if ((err = sl_path_join(path, dir, "savepoint", why)) != SL_OK)
        return err;
    err = sl_fs_read(fs, path, text, SL_SAVEPOINT_BYTES_MAX, &count, why);
    if (err != SL_OK)
        return err == SL_NOT_FOUND ? SL_OK : err;
    text[count] = '\0';
    for (char *line = text, *end; line != NULL; line = end) {
        number++;
        if ((end = strchr(line, '\n')) != NULL)
            *end++ = '\0';
        if (!parse_line(line, out, &has_ts))
            return sl_fail(why, SL_INVALID,
                           "%s:%u: \"%s\" is no savepoint: expected a timestamp, a "
                           "version, or true or false",
                           path, number, line);
    }
    if (!has_ts)
        return sl_fail(why, SL_INVALID,
                       "%s: no line \"commitTS = N\" in it: write the timestamp behind which to go "
                       "on, or remove the file to begin at initial-commit-ts",
                       path);
    return SL_OK;
}

enum sl_err sl_savepoint_write(struct sl_fs *fs, const char *dir,
                               const struct sl_savepoint *savepoint, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    char        text[SL_SAVEPOINT_BYTES_MAX];
    int         count;
    enum sl_err err;

    if ((err = sl_path_join(path, dir, "savepoint", why)) != SL_OK)
        return err;
    count = snprintf(text, sizeof text,
                     "consistent = %s\ncommitTS = %" PRId64 "\nschema-version = %" PRId64 "\n",
                     savepoint->is_consistent ? "true" : "false", savepoint->commit_ts,
                     savepoint->schema_version);
    SL_ASSERT(count > 0 && (size_t)count < sizeof text);
    return sl_fs_replace(fs, path, text, (size_t)count, why);
}
