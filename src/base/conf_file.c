#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/conf_private.h"

/* The longest useful sentence about a file that cannot be had: what it is, and what to do. */
static enum sl_err refuse(const struct conf_loader *loader, const char *path, enum sl_err err,
                          struct sl_why *why)
{
    const char *flag = conf_path_row(loader->table)->flag;

    if (err == SL_NOT_FOUND)
        return sl_fail(why, SL_CONFIG,
                       "config file %s: no such file; check the path given with -%s", path, flag);
    if (err == SL_DENIED)
        return sl_fail(why, SL_CONFIG,
                       "config file %s: permission denied; let the user that runs %s read it", path,
                       loader->table->program);
    if (err == SL_TOO_LARGE)
        return sl_fail(why, SL_CONFIG,
                       "config file %s: larger than %d bytes; check the path given with -%s", path,
                       SL_CONF_FILE_BYTES_MAX, flag);
    return sl_fail(why, SL_CONFIG, "config file %s: %s; check the path given with -%s", path,
                   sl_err_text(err), flag);
}

static enum sl_err check_kind(const struct conf_loader *loader, const char *path,
                              struct sl_why *why)
{
    struct sl_fs       *fs = loader->input->fs;
    const char         *flag = conf_path_row(loader->table)->flag;
    struct sl_file_info info;
    enum sl_err         err = sl_fs_info(fs, path, &info, NULL);

    if (err != SL_OK)
        return refuse(loader, path, err, why);
    switch (info.kind) {
    case SL_FILE_REGULAR: return SL_OK;
    case SL_FILE_DIRECTORY:
        return sl_fail(why, SL_CONFIG, "config file %s: is a directory; name a TOML file with -%s",
                       path, flag);
    case SL_FILE_OTHER:
        return sl_fail(why, SL_CONFIG,
                       "config file %s: is not a regular file; name a TOML file with -%s", path,
                       flag);
    }
    SL_UNREACHABLE("not a kind of file");
}

/* Read the whole file into buffer[SL_CONF_FILE_BYTES_MAX + 1]. */
static enum sl_err read_all(const struct conf_loader *loader, const char *path, char *buffer,
                            size_t *bytes, struct sl_why *why)
{
    struct sl_fs   *fs = loader->input->fs;
    struct sl_file *file;
    enum sl_err     err = sl_fs_open(fs, path, SL_OPEN_READ, &file, NULL);

    if (err != SL_OK)
        return refuse(loader, path, err, why);
    err = sl_file_read_at(file, 0, buffer, SL_CONF_FILE_BYTES_MAX + 1, bytes, NULL);
    sl_file_close(&file);
    if (err == SL_OK && *bytes > SL_CONF_FILE_BYTES_MAX)
        err = SL_TOO_LARGE;
    return err == SL_OK ? SL_OK : refuse(loader, path, err, why);
}

enum sl_err conf_file_apply(struct conf_loader *loader, const char *path, struct sl_why *why)
{
    char       *buffer;
    size_t      bytes = 0;
    enum sl_err err = check_kind(loader, path, why);

    if (err != SL_OK)
        return err;
    buffer = malloc(SL_CONF_FILE_BYTES_MAX + 1);
    SL_ASSERT(buffer != NULL);
    if ((err = read_all(loader, path, buffer, &bytes, why)) == SL_OK)
        err = conf_text_apply(loader, path, buffer, bytes, why);
    explicit_bzero(buffer, bytes); /* it may hold passwords */
    free(buffer);
    return err;
}
