#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/env_os_parts.h"

/* Only the owner of the process reads what it stores. */
enum { FILE_MODE = 0600, SHARED_FILE_MODE = 0644, DIRECTORY_MODE = 0700 };

enum { LOCK_PAUSE_NANOS_MIN = 50 * 1000, LOCK_PAUSE_NANOS_MAX = 2 * 1000 * 1000 };

struct os_file {
    struct sl_file base;
    int            fd;
    bool           unsynced; /* written or truncated since the last good sync */
    char           path[];   /* as opened; for reasons */
};

static struct os_file *os_file_of(struct sl_file *f)
{
    struct os_file *file = (struct os_file *)f;

    SL_ASSERT(file->fd >= 0);
    return file;
}

/* ---- files ---- */

static enum sl_err file_failed(const struct os_file *file, const char *verb, struct sl_why *why)
{
    return sl_fail_errno(why, errno, "%s %s", verb, file->path);
}

static enum sl_err file_read_at(struct sl_file *f, uint64_t at, void *bytes, size_t count,
                                size_t *got, struct sl_why *why)
{
    struct os_file *file = os_file_of(f);
    uint8_t        *to = bytes;
    size_t          done = 0;

    while (done < count) {
        ssize_t n = pread(file->fd, to + done, count - done, (off_t)(at + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_failed(file, "read", why);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return SL_OK;
}

static enum sl_err file_write_at(struct sl_file *f, uint64_t at, const void *bytes, size_t count,
                                 struct sl_why *why)
{
    struct os_file *file = os_file_of(f);
    const uint8_t  *from = bytes;
    size_t          done = 0;

    while (done < count) {
        ssize_t n = pwrite(file->fd, from + done, count - done, (off_t)(at + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_failed(file, "write", why);
        if (n == 0)
            return sl_fail(why, SL_IO, "write %s: the system takes no bytes", file->path);
        file->unsynced = true;
        done += (size_t)n;
    }
    return SL_OK;
}

/* Not retried on EINTR: the kernel reports an error of the write-back once, and an interrupted call
 * may have consumed it; the next one would then say that all is well. */
static enum sl_err file_sync(struct sl_file *f, struct sl_why *why)
{
    struct os_file *file = os_file_of(f);

    if (fdatasync(file->fd) != 0)
        return file_failed(file, "sync", why);
    file->unsynced = false;
    return SL_OK;
}

static void file_push(struct sl_file *f, uint64_t at, uint64_t count)
{
    (void)sync_file_range(os_file_of(f)->fd, (off_t)at, (off_t)count, SYNC_FILE_RANGE_WRITE);
}

static enum sl_err file_size(struct sl_file *f, uint64_t *bytes, struct sl_why *why)
{
    struct os_file *file = os_file_of(f);
    struct stat     st;

    if (fstat(file->fd, &st) != 0)
        return file_failed(file, "stat", why);
    *bytes = (uint64_t)st.st_size;
    return SL_OK;
}

static enum sl_err file_truncate(struct sl_file *f, uint64_t bytes, struct sl_why *why)
{
    struct os_file *file = os_file_of(f);
    int             result;

    do {
        result = ftruncate(file->fd, (off_t)bytes);
    } while (result != 0 && errno == EINTR);
    if (result != 0)
        return file_failed(file, "truncate", why);
    file->unsynced = true;
    return SL_OK;
}

static enum sl_err file_map(struct sl_file *f, size_t count, uint8_t **out, struct sl_why *why)
{
    struct os_file *file = os_file_of(f);
    void           *bytes = mmap(NULL, count, PROT_READ, MAP_SHARED, file->fd, 0);

    if (bytes == MAP_FAILED)
        return file_failed(file, "map", why);
    *out = bytes;
    return SL_OK;
}

static int try_lock(int fd)
{
    int result;

    do {
        result = flock(fd, LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    return result;
}

/* Linux waits for a lock without a limit or not at all, so this asks again and again. Waits of a
 * sync's length are met by short pauses, longer ones cost little. */
static enum sl_err file_lock(struct sl_file *f, sl_nanos wait, struct sl_why *why)
{
    struct os_file  *file = os_file_of(f);
    sl_nanos         pause = LOCK_PAUSE_NANOS_MIN;
    sl_nanos         waited = 0;
    _Atomic uint32_t never = 0;

    for (;;) {
        if (try_lock(file->fd) == 0)
            return SL_OK;
        if (errno != EWOULDBLOCK)
            return file_failed(file, "lock", why);
        if (waited >= wait)
            break;
        env_os_threads.park(&env_os_threads, &never, 0, pause);
        waited += pause;
        pause = pause * 2 < LOCK_PAUSE_NANOS_MAX ? pause * 2 : LOCK_PAUSE_NANOS_MAX;
    }
    return sl_fail(why, wait == 0 ? SL_IN_USE : SL_TIMEOUT, "lock %s: another process holds it",
                   file->path);
}

/* Whoever needs the bytes has synced them, so a failure here costs only what nobody relied on; it
 * is said all the same, because it tells of a sick disk. Never retried: Linux has freed the
 * descriptor in any case. */
static void file_close(struct sl_file *f)
{
    struct os_file *file = os_file_of(f);
    struct sl_why   why = {0};
    int             failed = close(file->fd) == 0 ? 0 : errno;

    SL_ASSERT(failed != EBADF);
    if (failed != 0 && failed != EINTR) {
        enum sl_err err = sl_fail_errno(&why, failed, "close %s", file->path);

        sl_log(SL_LOG_ERROR, "close failed", sl_field_err(err, &why),
               sl_field_bool("unsynced", file->unsynced));
    }
    free(file);
}

static const struct sl_file_ops file_ops = {
    .read_at = file_read_at,
    .write_at = file_write_at,
    .sync = file_sync,
    .push = file_push,
    .size = file_size,
    .truncate = file_truncate,
    .lock = file_lock,
    .map = file_map,
    .close = file_close,
};

static struct sl_file *file_new(int fd, const char *path)
{
    size_t          path_bytes = strlen(path) + 1;
    struct os_file *file = calloc(1, sizeof *file + path_bytes);

    SL_ASSERT(file != NULL);
    file->base.ops = &file_ops;
    file->fd = fd;
    memcpy(file->path, path, path_bytes);
    return &file->base;
}

/* ---- names ---- */

static int system_flags(unsigned flags)
{
    bool both = (flags & SL_OPEN_READ) != 0 && (flags & SL_OPEN_WRITE) != 0;
    int  result = O_CLOEXEC;

    result |= both ? O_RDWR : (flags & SL_OPEN_WRITE) != 0 ? O_WRONLY : O_RDONLY;
    result |= (flags & SL_OPEN_CREATE) != 0 ? O_CREAT : 0;
    result |= (flags & SL_OPEN_EXCLUSIVE) != 0 ? O_EXCL : 0;
    result |= (flags & SL_OPEN_TRUNCATE) != 0 ? O_TRUNC : 0;
    return result;
}

static int open_retried(const char *path, int flags, mode_t mode)
{
    int fd;

    do {
        fd = open(path, flags, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static enum sl_err fs_open(struct sl_fs *fs, const char *path, unsigned flags, struct sl_file **out,
                           struct sl_why *why)
{
    struct stat st;
    int         fd;

    (void)fs;
    fd = open_retried(path, system_flags(flags),
                      (flags & SL_OPEN_SHARED) != 0 ? SHARED_FILE_MODE : FILE_MODE);
    if (fd < 0)
        return sl_fail_errno(why, errno, "open %s", path);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) { /* Linux opens directories for reading */
        (void)close(fd);
        return sl_fail_errno(why, EISDIR, "open %s", path);
    }
    *out = file_new(fd, path);
    return SL_OK;
}

static enum sl_err fs_info(struct sl_fs *fs, const char *path, struct sl_file_info *out,
                           struct sl_why *why)
{
    struct stat st;

    (void)fs;
    if (stat(path, &st) != 0)
        return sl_fail_errno(why, errno, "stat %s", path);
    out->kind = S_ISREG(st.st_mode)   ? SL_FILE_REGULAR
                : S_ISDIR(st.st_mode) ? SL_FILE_DIRECTORY
                                      : SL_FILE_OTHER;
    out->bytes = out->kind == SL_FILE_REGULAR ? (uint64_t)st.st_size : 0;
    return SL_OK;
}

static enum sl_err fs_rename(struct sl_fs *fs, const char *from, const char *to, struct sl_why *why)
{
    (void)fs;
    if (rename(from, to) != 0)
        return sl_fail_errno(why, errno, "rename %s to %s", from, to);
    return SL_OK;
}

static enum sl_err fs_remove(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    (void)fs;
    if (remove(path) != 0)
        return sl_fail_errno(why, errno, "remove %s", path);
    return SL_OK;
}

static enum sl_err fs_mkdir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    (void)fs;
    if (mkdir(path, DIRECTORY_MODE) != 0)
        return sl_fail_errno(why, errno, "make directory %s", path);
    return SL_OK;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static enum sl_err fs_list(struct sl_fs *fs, const char *path, sl_fs_visit visit, void *context,
                           struct sl_why *why)
{
    struct dirent *entry;
    enum sl_err    err = SL_OK;
    DIR           *dir;

    (void)fs;
    dir = opendir(path);
    if (dir == NULL)
        return sl_fail_errno(why, errno, "list %s", path);
    while (err == SL_OK) {
        errno = 0; /* readdir says "end" and "error" in the same way */
        entry = readdir(dir);
        if (entry == NULL && errno != 0)
            err = sl_fail_errno(why, errno, "list %s", path);
        if (entry == NULL)
            break;
        if (!is_dots(entry->d_name))
            err = visit(context, entry->d_name);
    }
    (void)closedir(dir);
    return err;
}

static enum sl_err fs_sync_dir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    enum sl_err err = SL_OK;
    int         fd;

    (void)fs;
    fd = open_retried(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return sl_fail_errno(why, errno, "sync directory %s", path);
    if (fsync(fd) != 0)
        err = sl_fail_errno(why, errno, "sync directory %s", path);
    (void)close(fd);
    return err;
}

static enum sl_err fs_space(struct sl_fs *fs, const char *path, struct sl_space *out,
                            struct sl_why *why)
{
    struct statvfs st;
    int            result;

    (void)fs;
    do {
        result = statvfs(path, &st);
    } while (result != 0 && errno == EINTR);
    if (result != 0)
        return sl_fail_errno(why, errno, "space of %s", path);
    out->total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
    out->available_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return SL_OK;
}

/* The value of a hexadecimal digit; -1: none. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* 32 hexadecimal digits with dashes anywhere between them. */
static bool parse_boot_id(const char *text, size_t count, struct sl_boot_id *out)
{
    unsigned digits = 0;

    *out = (struct sl_boot_id){0};
    for (size_t i = 0; i < count; i++) {
        int value = hex_value(text[i]);

        if (value < 0)
            continue;
        if (digits == 2 * SL_BOOT_ID_BYTES)
            return false;
        out->bytes[digits / 2] = (uint8_t)(out->bytes[digits / 2] << 4 | value);
        digits++;
    }
    return digits == 2 * SL_BOOT_ID_BYTES;
}

static enum sl_err fs_boot_id(struct sl_fs *fs, struct sl_boot_id *out, struct sl_why *why)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    struct sl_boot_id id;
    struct sl_file   *f;
    char              text[64];
    size_t            count;
    enum sl_err       err;

    if ((err = fs_open(fs, path, SL_OPEN_READ, &f, why)) != SL_OK)
        return err;
    err = file_read_at(f, 0, text, sizeof text, &count, why);
    file_close(f);
    if (err != SL_OK)
        return err;
    if (!parse_boot_id(text, count, &id))
        return sl_fail(why, SL_SYSTEM, "%s holds no id of 32 digits", path);
    *out = id;
    return SL_OK;
}

static void fs_unmap(struct sl_fs *fs, uint8_t *bytes, size_t count)
{
    (void)fs;
    SL_ASSERT(munmap(bytes, count) == 0); /* it was mapped */
}

/* Of a shared mapping of a file only the pages in our memory go. */
static void fs_forget(struct sl_fs *fs, uint8_t *bytes, size_t count)
{
    (void)fs;
    (void)madvise(bytes, count, MADV_DONTNEED);
}

static const struct sl_fs_ops fs_ops = {
    .open = fs_open,
    .info = fs_info,
    .rename = fs_rename,
    .remove = fs_remove,
    .mkdir = fs_mkdir,
    .list = fs_list,
    .sync_dir = fs_sync_dir,
    .space = fs_space,
    .boot_id = fs_boot_id,
    .unmap = fs_unmap,
    .forget = fs_forget,
};

struct sl_fs env_os_fs = {.ops = &fs_ops};
