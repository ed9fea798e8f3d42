#include "append_probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"

enum { FILE_BYTES = 1 << 28, FILE_BYTES_QUICK = 1 << 25, CHUNK_BYTES = 1 << 20, FOLDERS_OPEN = 8 };

static bool say(const char *what)
{
    perror(what);
    return false;
}

/* ---- directories ---- */

bool probe_dir_make(char *out)
{
    (void)snprintf(out, 64, "bench-data.XXXXXX");
    return mkdtemp(out) != NULL || say("mkdtemp");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void probe_dir_remove(const char *dir)
{
    (void)nftw(dir, remove_entry, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS);
}

/* ---- latencies ---- */

void probe_times_add(struct probe_times *times, double us)
{
    if (times->count == times->room) {
        times->room = times->room > 0 ? 2 * times->room : 1024;
        times->us = realloc(times->us, times->room * sizeof *times->us);
        if (times->us == NULL)
            abort();
    }
    times->us[times->count++] = us;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

double probe_times_at(struct probe_times *times, unsigned percent)
{
    if (times->count == 0)
        return 0;
    qsort(times->us, times->count, sizeof *times->us, by_value);
    return times->us[(uint64_t)times->count * percent / 100];
}

void probe_times_free(struct probe_times *times)
{
    free(times->us);
    *times = (struct probe_times){0};
}

/* ---- writing ---- */

uint64_t probe_file_bytes(const struct bench_options *options)
{
    return options->quick ? FILE_BYTES_QUICK : FILE_BYTES;
}

static bool fill(int fd, void *zeros, uint64_t bytes)
{
    memset(zeros, 0, CHUNK_BYTES);
    for (uint64_t at = 0; at < bytes; at += CHUNK_BYTES) {
        if (pwrite(fd, zeros, CHUNK_BYTES, (off_t)at) != CHUNK_BYTES)
            return say("pwrite");
    }
    return fsync(fd) == 0 || say("fsync");
}

void probe_delay(unsigned delay_us)
{
    struct timespec left = {.tv_nsec = (long)delay_us * 1000};

    if (delay_us > 0)
        (void)nanosleep(&left, NULL);
}

static bool write_batches(int fd, const uint8_t *bytes, size_t batch_bytes, unsigned delay_us,
                          const struct bench_options *options, struct probe_times *times)
{
    double began = bench_now();
    double before = began;
    off_t  at = 0;

    do {
        double now;

        if ((uint64_t)at + batch_bytes > probe_file_bytes(options))
            at = 0;
        if (pwrite(fd, bytes, batch_bytes, at) != (ssize_t)batch_bytes || fdatasync(fd) != 0)
            return say("pwrite and fdatasync");
        probe_delay(delay_us);
        at += (off_t)batch_bytes;
        now = bench_now();
        probe_times_add(times, (now - before) * 1e6);
        before = now;
    } while (before - began < options->seconds);
    return true;
}

bool probe_append_times(const struct bench_options *options, size_t batch_bytes, unsigned delay_us,
                        struct probe_times *times)
{
    size_t   room = batch_bytes > CHUNK_BYTES ? batch_bytes : CHUNK_BYTES;
    uint8_t *bytes = aligned_alloc(4096, (room + 4095) / 4096 * 4096);
    char     dir[64];
    char     path[80];
    bool     good;
    int      fd;

    if (bytes == NULL || !probe_dir_make(dir))
        return false;
    (void)snprintf(path, sizeof path, "%s/probe", dir);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    good = fd >= 0 && fill(fd, bytes, probe_file_bytes(options));
    memset(bytes, 'x', room);
    good = good && write_batches(fd, bytes, batch_bytes, delay_us, options, times);
    if (fd >= 0)
        (void)close(fd);
    probe_dir_remove(dir);
    free(bytes);
    return good;
}

bool probe_append(const struct bench_options *options, size_t batch_bytes, unsigned delay_us,
                  unsigned units, struct bench_sample *out)
{
    struct probe_times times = {0};
    bool               good = probe_append_times(options, batch_bytes, delay_us, &times);
    double             took = 0;

    for (uint32_t i = 0; i < times.count; i++)
        took += times.us[i] / 1e6;
    out->value[0] = good ? times.count * (double)units / took : 0;
    out->value[1] = probe_times_at(&times, 99);
    probe_times_free(&times);
    return good;
}

/* ---- the page cache ---- */

/* Pages of the file that are in the page cache. */
static size_t pages_cached(int fd, size_t bytes)
{
    size_t         page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t         count = (bytes + page_bytes - 1) / page_bytes;
    void          *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    unsigned char *is_cached = malloc(count);
    size_t         cached = 0;

    if (map == MAP_FAILED || is_cached == NULL || mincore(map, bytes, is_cached) != 0)
        abort();
    for (size_t i = 0; i < count; i++)
        cached += is_cached[i] & 1;
    (void)munmap(map, bytes);
    free(is_cached);
    return cached;
}

static bool drop_file(int dir, const char *name)
{
    int         fd = openat(dir, name, O_RDONLY);
    struct stat st;
    size_t      left = 0;
    bool        good;

    good = fd >= 0 && fstat(fd, &st) == 0 && fsync(fd) == 0 &&
           posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
    if (!good)
        (void)say(name);
    else if (st.st_size > 0 && (left = pages_cached(fd, (size_t)st.st_size)) > 0)
        fprintf(stderr, "%s: %zu pages stay in the page cache\n", name, left);
    if (fd >= 0)
        (void)close(fd);
    return good && left == 0;
}

bool probe_dir_drop(const char *dir)
{
    DIR           *d = opendir(dir);
    struct dirent *entry;
    bool           good = d != NULL || say(dir);

    while (good && (entry = readdir(d)) != NULL)
        good = entry->d_name[0] == '.' || drop_file(dirfd(d), entry->d_name);
    if (d != NULL)
        (void)closedir(d);
    return good;
}

/* ---- reading ---- */

/* What is read at once. */
struct piece {
    uint8_t *place;
    size_t   bytes;
};

/* Adds to *sum so that the work cannot be left out. */
static uint64_t scan_file(int dir, const char *name, uint64_t bytes, struct piece piece,
                          uint32_t *sum)
{
    int      fd = openat(dir, name, O_RDONLY);
    uint64_t done = 0;
    ssize_t  n = 1;

    while (fd >= 0 && done < bytes && n > 0) {
        size_t want = bytes - done < piece.bytes ? (size_t)(bytes - done) : piece.bytes;

        n = pread(fd, piece.place, want, (off_t)done);
        if (n > 0) {
            *sum += sl_crc32c(0, piece.place, (size_t)n);
            done += (uint64_t)n;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return done;
}

bool probe_scan(const char *dir, uint64_t bytes, size_t piece_bytes, struct bench_sample *out)
{
    DIR                     *d = opendir(dir);
    struct piece             piece = {aligned_alloc(4096, piece_bytes), piece_bytes};
    static volatile uint32_t result;
    uint32_t                 sum = 0;
    struct dirent           *entry;
    uint64_t                 done = 0;
    double                   began = bench_now();

    while (d != NULL && piece.place != NULL && done < bytes && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.')
            done += scan_file(dirfd(d), entry->d_name, bytes - done, piece, &sum);
    }
    out->value[0] = (double)done / (bench_now() - began);
    result = sum;
    (void)result;
    if (d != NULL)
        (void)closedir(d);
    free(piece.place);
    return done == bytes;
}
