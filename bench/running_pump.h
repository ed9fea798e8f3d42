#ifndef SL_BENCH_RUNNING_PUMP_H
#define SL_BENCH_RUNNING_PUMP_H

/* A real pump process under measurement, in a cluster of its own: the program bin/pump beside the
 * benchmark, built as the benchmark is, with one shard, on a data directory below the current one.
 * Its processor time and memory are read from /proc, so that a load generator in the measuring
 * process stays out of them. The process dies with its starter. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "base/ts.h"
#include "harness.h"
#include "sluice/loader.h"

enum { RUNNING_PUMP_CLUSTER = 7 };

struct running_pump {
    char     dir[64];                 /* of everything */
    char     host[SL_ADDR_BYTES_MAX]; /* where it listens */
    pid_t    pid;                     /* 0: not running */
    uint64_t segment_bytes;           /* 0: the default */
    double   start_ms;                /* of the last start: exec to online */
};

/* The segment size to measure with: the default, or smaller for a quick look, because a first start
 * fills a whole segment. */
uint64_t running_pump_segment(const struct bench_options *options);
/* Make the directory and the cluster; no pump runs yet. segment_bytes as in the configuration, 0
 * for the default. False: standard error says why, as for the others. */
bool running_pump_make(struct running_pump *p, uint64_t segment_bytes);
/* The same with timestamps from first_ts on, for recordings; 0: from the clock. */
bool running_pump_make_at(struct running_pump *p, uint64_t segment_bytes, sl_ts first_ts);
/* Start it and wait until it is online. */
bool running_pump_start(struct running_pump *p);
/* End it at once, by SIGKILL; or in an orderly way, whose code must be 0. */
void running_pump_kill(struct running_pump *p);
bool running_pump_stop(struct running_pump *p);
/* Kill it if it runs, and remove everything. */
void running_pump_remove(struct running_pump *p);

/* Of any process; 0 if it is not there. Seconds of processor time since it started; resident memory
 * in MiB, now and the most so far. */
double running_cpu_s(pid_t pid);
double running_rss_mib(pid_t pid);
double running_rss_peak_mib(pid_t pid);
/* In the child after fork: it dies when its parent does. */
void running_die_with_parent(void);

/* Writers to it over one connection with so many callers. */
struct writer_options running_pump_writer(const char *const *host, uint32_t calls_max);

/* Load on it over one connection: `callers` write transactions of a prewrite of `bytes` and its
 * commit for `seconds`, or `pairs` of them if that is not 0. The counts are the caller's. */
bool running_pump_load(const struct running_pump *p, uint32_t callers, size_t bytes, double seconds,
                       uint64_t pairs, struct loader_counts *counts);

#endif
