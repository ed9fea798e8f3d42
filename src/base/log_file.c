/* The log's file is opened by itself, not through the environment: the crash report needs its
 * descriptor, and no decision of the program depends on it.
 *
 * The descriptor's number never changes while the file is open: a new file is put into its place by
 * dup3, so that who holds the number (the crash report) never writes to somebody else's file. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "base/log_parts.h"

enum {
    FILE_MODE = 0600,
    BACKUP_SUFFIX_BYTES = 24,  /* "-YYYY-MM-DDThh-mm-ss.mmm" */
    BACKUP_NAMES_TRIED = 1000, /* a millisecond apart */
};

/* ---- opening ---- */

static enum sl_err make_parent(const char *path, struct sl_why *why)
{
    char  parent[SL_PATH_BYTES_MAX];
    char *slash;

    (void)snprintf(parent, sizeof parent, "%s", path);
    slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return SL_OK; /* the working directory and the root are there */
    *slash = '\0';
    return sl_fs_mkdir_all(sl_env_os()->fs, parent, why);
}

static enum sl_err open_named(const char *path, int *out, struct stat *st, struct sl_why *why)
{
    enum sl_err err;
    int         fd;

    if ((err = make_parent(path, why)) != SL_OK)
        return sl_wrap(why, err, "open log file %s", path);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return sl_fail_errno(why, errno, "open log file %s", path);
    if (fstat(fd, st) != 0) {
        err = sl_fail_errno(why, errno, "stat log file %s", path);
        (void)close(fd);
        return err;
    }
    *out = fd;
    return SL_OK;
}

static void note_kind(struct log_file *file, const struct stat *st)
{
    file->regular = S_ISREG(st->st_mode);
    file->bytes = file->regular ? (uint64_t)st->st_size : 0;
}

enum sl_err log_file_open(struct log_file *file, const char *path, uint64_t rotate_bytes,
                          struct sl_why *why)
{
    struct stat st;
    enum sl_err err;
    int         fd = STDOUT_FILENO;

    SL_ASSERT(rotate_bytes > 0);
    if (strlen(path) + BACKUP_SUFFIX_BYTES >= SL_PATH_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "log file: path of %zu bytes: %.64s...", strlen(path),
                       path);
    if (path[0] != '\0' && (err = open_named(path, &fd, &st, why)) != SL_OK)
        return err;
    *file = (struct log_file){.fd = fd, .rotate_bytes = rotate_bytes};
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    if (path[0] != '\0')
        note_kind(file, &st);
    return SL_OK;
}

void log_file_close(struct log_file *file)
{
    if (file->path[0] != '\0')
        (void)close(file->fd);
    *file = (struct log_file){.fd = STDERR_FILENO};
}

enum sl_err log_file_reopen(struct log_file *file, struct sl_why *why)
{
    struct stat st;
    enum sl_err err;
    int         fd;
    int         put;

    if (file->path[0] == '\0')
        return SL_OK;
    if ((err = open_named(file->path, &fd, &st, why)) != SL_OK)
        return err;
    do {
        put = dup3(fd, file->fd, O_CLOEXEC);
    } while (put < 0 && (errno == EINTR || errno == EBUSY));
    SL_ASSERT(put == file->fd);
    (void)close(fd);
    file->torn = false;
    note_kind(file, &st);
    return SL_OK;
}

/* ---- rotation ---- */

bool log_file_is_full(const struct log_file *file, size_t count)
{
    return file->regular && file->bytes > 0 && file->bytes + count > file->rotate_bytes;
}

/* The extension begins at the last dot of the name, as in the original. */
static void name_backup(const struct log_file *file, int64_t wall, int32_t utc_offset_s,
                        char out[SL_PATH_BYTES_MAX])
{
    const char *slash = strrchr(file->path, '/');
    const char *dot = strrchr(slash != NULL ? slash : file->path, '.');
    size_t      stem = dot != NULL ? (size_t)(dot - file->path) : strlen(file->path);
    char        time[LOG_TIME_BYTES];

    log_time_format(time, "%Y-%m-%dT%H-%M-%S", wall, utc_offset_s);
    (void)snprintf(out, SL_PATH_BYTES_MAX, "%.*s-%s%s", (int)stem, file->path, time,
                   file->path + stem);
}

/* A name that nobody has: log files are never replaced. */
static enum sl_err find_backup(const struct log_file *file, int64_t wall, int32_t utc_offset_s,
                               char out[SL_PATH_BYTES_MAX], struct sl_why *why)
{
    for (unsigned i = 0; i < BACKUP_NAMES_TRIED; i++) {
        struct stat st;

        name_backup(file, wall + (int64_t)i * SL_NANOS_PER_MS, utc_offset_s, out);
        if (lstat(out, &st) != 0 && errno == ENOENT)
            return SL_OK;
    }
    return sl_fail(why, SL_EXISTS, "rotate log file %s: no free name such as %s", file->path, out);
}

enum sl_err log_file_rotate(struct log_file *file, int64_t wall, int32_t utc_offset_s,
                            struct sl_why *why)
{
    char        backup[SL_PATH_BYTES_MAX];
    enum sl_err err;

    SL_ASSERT(file->regular);
    if ((err = find_backup(file, wall, utc_offset_s, backup, why)) != SL_OK)
        goto later;
    if (rename(file->path, backup) != 0 && errno != ENOENT) { /* ENOENT: moved by somebody else */
        err = sl_fail_errno(why, errno, "rename log file %s", file->path);
        goto later;
    }
    if ((err = log_file_reopen(file, why)) != SL_OK) {
        (void)rename(backup, file->path); /* lines still go there: let it have its name */
        goto later;
    }
    return SL_OK;

later:
    file->bytes = 0;
    return err;
}

/* ---- writing ---- */

static enum sl_err write_all(struct log_file *file, const char *bytes, size_t count,
                             struct sl_why *why)
{
    const char *name = file->path[0] != '\0' ? file->path : "the log";
    size_t      done = 0;

    while (done < count) {
        ssize_t n = write(file->fd, bytes + done, count - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            file->torn = file->torn || done > 0;
            return sl_fail_errno(why, n < 0 ? errno : EIO, "write %s", name);
        }
        done += (size_t)n;
        file->bytes += (size_t)n;
    }
    return SL_OK;
}

enum sl_err log_file_write(struct log_file *file, const char *bytes, size_t count,
                           struct sl_why *why)
{
    enum sl_err err;

    if (file->torn) {
        if ((err = write_all(file, "\n", 1, why)) != SL_OK)
            return err;
        file->torn = false;
    }
    return write_all(file, bytes, count, why);
}
