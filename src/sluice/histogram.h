#ifndef SL_SLUICE_HISTOGRAM_H
#define SL_SLUICE_HISTOGRAM_H

/* Latencies in fixed memory: log-linear buckets, so that a value read back is at most one part in
 * HISTOGRAM_STEPS above what was put in. */

#include <stdint.h>

/* Buckets within each doubling, and doublings of 64 bits. */
enum {
    HISTOGRAM_STEPS = 32, /* a power of two */
    HISTOGRAM_STEP_BITS = 5,
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS,
};

/* All zero is empty. */
struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* A value that `permille` (0..1000) thousandths of the values do not exceed: the greatest of its
 * bucket, but never more than the greatest of all. 0 when empty. */
uint64_t histogram_at(const struct histogram *histogram, unsigned permille);

#endif
