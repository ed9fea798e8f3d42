/* die_at: a library that a test loads into a program (LD_PRELOAD) to end it, as a power switch
 * would, in its n-th call that changes a file: SLUICE_TEST_DIE_AT=n. A write gets half of its bytes
 * down first, everything else does not happen. Standard output and error are not counted. */

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long left; /* calls until the last one; at first 0: for ever */

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("SLUICE_TEST_DIE_AT");

    atomic_init(&left, text != NULL ? strtol(text, NULL, 10) : 0);
}

/* Is this call the last one? */
static bool is_last(void)
{
    return atomic_fetch_sub(&left, 1) == 1;
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

/* The function of this name that the program would have called. */
static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

/* The C standard knows no way from an object's address to a function's; POSIX has this one. */
#define NEXT(type, name) type next_##name = (type)(uintptr_t)next(#name)

typedef ssize_t write_fn(int, const void *, size_t);
typedef ssize_t pwrite_fn(int, const void *, size_t, off_t);
typedef int     fd_fn(int);
typedef int     path_fn(const char *);
typedef int     paths_fn(const char *, const char *);
typedef int     truncate_fn(int, off_t);
typedef int     mkdir_fn(const char *, mode_t);
typedef int     open_fn(const char *, int, ...);

#pragma GCC visibility push(default) /* they replace those of libc */

ssize_t write(int fd, const void *bytes, size_t count)
{
    NEXT(write_fn *, write);

    if (fd > STDERR_FILENO && is_last()) {
        (void)next_write(fd, bytes, count / 2);
        die();
    }
    return next_write(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    NEXT(pwrite_fn *, pwrite);

    if (is_last()) {
        (void)next_pwrite(fd, bytes, count / 2, at);
        die();
    }
    return next_pwrite(fd, bytes, count, at);
}

int fsync(int fd)
{
    NEXT(fd_fn *, fsync);

    if (is_last())
        die();
    return next_fsync(fd);
}

int fdatasync(int fd)
{
    NEXT(fd_fn *, fdatasync);

    if (is_last())
        die();
    return next_fdatasync(fd);
}

int ftruncate(int fd, off_t size)
{
    NEXT(truncate_fn *, ftruncate);

    if (is_last())
        die();
    return next_ftruncate(fd, size);
}

int rename(const char *from, const char *to)
{
    NEXT(paths_fn *, rename);

    if (is_last())
        die();
    return next_rename(from, to);
}

int unlink(const char *path)
{
    NEXT(path_fn *, unlink);

    if (is_last())
        die();
    return next_unlink(path);
}

int remove(const char *path)
{
    NEXT(path_fn *, remove);

    if (is_last())
        die();
    return next_remove(path);
}

int mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir_fn *, mkdir);

    if (is_last())
        die();
    return next_mkdir(path, mode);
}

int open(const char *path, int flags, ...)
{
    NEXT(open_fn *, open);
    mode_t  mode = 0;
    va_list rest;

    if ((flags & O_CREAT) != 0) {
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
        if (is_last())
            die();
    }
    return next_open(path, flags, mode);
}

#pragma GCC visibility pop
