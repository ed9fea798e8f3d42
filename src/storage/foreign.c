#include "storage/foreign.h"

#include <string.h>

static enum sl_err refuse(const char *dir, const char *what, struct sl_why *why)
{
    return sl_fail(why, SL_UNSUPPORTED,
                   "%s holds the %s of a pump of the original TiDB Binlog, which this program does "
                   "not read: start the original pump on it again, let the drainers catch up, take "
                   "it offline with binlogctl, and give this pump an empty data directory",
                   dir, what);
}

static enum sl_err stop_at_log(void *context, const char *name)
{
    size_t length = strlen(name);

    (void)context;
    return length > 5 && strcmp(name + length - 5, ".vlog") == 0 ? SL_EXISTS : SL_OK;
}

enum sl_err sl_storage_refuse_foreign(struct sl_fs *fs, const char *dir, struct sl_why *why)
{
    struct sl_file_info info;
    char                path[SL_PATH_BYTES_MAX];
    enum sl_err         err;

    if ((err = sl_path_join(path, dir, "value", why)) != SL_OK)
        return err;
    if ((err = sl_fs_list(fs, path, stop_at_log, NULL, why)) == SL_EXISTS)
        return refuse(dir, "value log", why);
    if (err != SL_OK && err != SL_NOT_FOUND)
        return err;
    if ((err = sl_path_join(path, dir, "kv/CURRENT", why)) != SL_OK)
        return err;
    if ((err = sl_fs_info(fs, path, &info, why)) == SL_OK)
        return refuse(dir, "index", why);
    return err == SL_NOT_FOUND ? SL_OK : err;
}
