#include "ctl/savepoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/text.h"

enum { TEXT_BYTES = 64 + 2 * CTL_TIME_BYTES };

/* As sl_fs_replace, but for others to read. */
static enum sl_err write_shared(struct sl_fs *fs, const char *path, const char *text,
                                struct sl_why *why)
{
    const unsigned  flags = SL_OPEN_WRITE | SL_OPEN_CREATE | SL_OPEN_EXCLUSIVE | SL_OPEN_SHARED;
    struct sl_file *file;
    enum sl_err     err = sl_fs_open(fs, path, flags, &file, why);

    if (err != SL_OK)
        return err;
    if ((err = sl_file_write(file, text, strlen(text), why)) == SL_OK)
        err = sl_file_sync(file, why);
    sl_file_close(&file);
    return err;
}

static enum sl_err replace_shared(struct sl_fs *fs, const char *path, const char *text,
                                  struct sl_why *why)
{
    char        part[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if ((err = sl_path_add(part, path, ".new", why)) != SL_OK)
        return err;
    sl_fs_try_remove(fs, part); /* of one that was killed, perhaps with another mode */
    if ((err = write_shared(fs, part, text, why)) != SL_OK ||
        (err = sl_fs_rename(fs, part, path, why)) != SL_OK) {
        sl_fs_try_remove(fs, part);
        return err;
    }
    return sl_fs_sync_dir_of(fs, path, why);
}

enum sl_err ctl_savepoint_write(const struct sl_env *env, const char *dir, sl_ts commit_ts,
                                const char *zone, enum sl_err *zone_err, struct sl_why *zone_why,
                                struct sl_why *why)
{
    int64_t     seconds = sl_ts_physical_ms(commit_ts) / 1000;
    char        path[SL_PATH_BYTES_MAX];
    char        text[TEXT_BYTES];
    char        utc[CTL_TIME_BYTES];
    char        local[CTL_TIME_BYTES];
    int         used = snprintf(text, sizeof text, "commitTS = %" PRId64 "\n", commit_ts);
    enum sl_err err;

    *zone_err = SL_OK;
    if (zone[0] != '\0')
        *zone_err = ctl_text_go_time_in(env, zone, seconds, local, zone_why);
    if (zone[0] != '\0' && *zone_err == SL_OK &&
        ctl_text_go_time_in(env, "UTC", seconds, utc, NULL) == SL_OK)
        (void)snprintf(text + used, sizeof text - (size_t)used, "%s\n%s", utc, local);
    if ((err = sl_fs_mkdir_all(env->fs, dir, why)) != SL_OK ||
        (err = sl_path_join(path, dir, "savepoint", why)) != SL_OK)
        return err;
    return replace_shared(env->fs, path, text, why);
}
