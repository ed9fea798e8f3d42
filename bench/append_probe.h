#ifndef SL_BENCH_APPEND_PROBE_H
#define SL_BENCH_APPEND_PROBE_H

/* Physical limits of the value log: the same bytes written and synced, or read and checksummed, by
 * nothing but system calls; and the directory and clock work that both sides of a case share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness.h"

/* A new empty directory under the current one, so that the disk under measurement is the one the
 * benchmark was started on. Keeps its path in out[64]. */
bool probe_dir_make(char *out);
/* Remove the directory and all in it. */
void probe_dir_remove(const char *dir);
/* Drop the files of the directory from the page cache, written to the disk first, and look whether
 * they have left it: the next to read them waits for the disk. False: they cannot be dropped, as on
 * a tmpfs. */
bool probe_dir_drop(const char *dir);

/* Latencies of batches, in the order in which they came. */
struct probe_times {
    double  *us;
    uint32_t count;
    uint32_t room;
};

void probe_times_add(struct probe_times *times, double us);
/* What `percent` of them do not exceed; sorts them. 0 when there are none. */
double probe_times_at(struct probe_times *times, unsigned percent);
void   probe_times_free(struct probe_times *times);

/* Bytes of the file that is written round and round, and of a segment to compare it with. */
uint64_t probe_file_bytes(const struct bench_options *options);
/* pwrite + fdatasync of `batch_bytes` at a time into a zero-filled file, round and round, each sync
 * with so much delay: the latencies, added to *times. */
bool probe_append_times(const struct bench_options *options, size_t batch_bytes, unsigned delay_us,
                        struct probe_times *times);
/* The same: value[0] = units/s at `units` per batch, value[1] = p99 latency of a batch in us. */
bool probe_append(const struct bench_options *options, size_t batch_bytes, unsigned delay_us,
                  unsigned units, struct bench_sample *out);
/* Wait for so long; not at all for 0. */
void probe_delay(unsigned delay_us);

/* What a scan reads at once, the fastest for each: from the page cache; from the disk, where the
 * kernel reads ahead between small pieces. */
enum { PROBE_CACHED_BYTES = 1 << 20, PROBE_COLD_BYTES = 1 << 17 };

/* Read `bytes` of the files of dir in pieces of `piece_bytes` and checksum them: value[0] =
 * bytes/s. */
bool probe_scan(const char *dir, uint64_t bytes, size_t piece_bytes, struct bench_sample *out);

#endif
