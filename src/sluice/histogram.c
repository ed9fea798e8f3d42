#include "sluice/histogram.h"

#include "base/assert.h"

static_assert(HISTOGRAM_STEPS == 1 << HISTOGRAM_STEP_BITS, "a step is one value of these bits");

/* Values below HISTOGRAM_STEPS have a bucket each; above, a bucket is told by the highest bit and
 * the HISTOGRAM_STEP_BITS after it. */
static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return (shift + 1) * HISTOGRAM_STEPS + (unsigned)(value >> shift) - HISTOGRAM_STEPS;
}

/* The greatest value of a bucket. */
static uint64_t top_of(unsigned bucket)
{
    unsigned shift;
    uint64_t lead;

    if (bucket < HISTOGRAM_STEPS)
        return bucket;
    shift = bucket / HISTOGRAM_STEPS - 1;
    lead = bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS;
    return (lead << shift) + ((UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    unsigned bucket = bucket_of(value);

    SL_ASSERT(bucket < HISTOGRAM_BUCKETS);
    histogram->buckets[bucket]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t histogram_at(const struct histogram *histogram, unsigned permille)
{
    uint64_t wanted = (histogram->count * permille + 999) / 1000;
    uint64_t seen = 0;

    SL_ASSERT(permille <= 1000);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t top = top_of(i);

        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0)
            return top < histogram->max ? top : histogram->max;
    }
    return 0;
}
