#ifndef SL_BENCH_RING_PROBE_H
#define SL_BENCH_RING_PROBE_H

/* Physical limits of a hop: bare ck_ring and bare futex, two threads, nothing else. */

#include <stdbool.h>

#include "harness.h"

/* One thread pushes pointers into one mpsc ring, the other pops them: items/s. */
bool probe_ring_mpsc(const struct bench_options *options, struct bench_sample *out);
/* One thread pushes into 16 mpsc rings in turn, the other empties them in turn: items/s. */
bool probe_ring_mpsc_16(const struct bench_options *options, struct bench_sample *out);
/* One thread pushes into one spsc ring, the other pops: items/s. */
bool probe_ring_spsc(const struct bench_options *options, struct bench_sample *out);
/* One thread pushes to and pops from 1000 mpsc rings around a circle: hops/s. */
bool probe_ring_circle(const struct bench_options *options, struct bench_sample *out);
/* Two threads wake each other through two futex words: nanoseconds for there and back. */
bool probe_futex(const struct bench_options *options, struct bench_sample *out);

#endif
