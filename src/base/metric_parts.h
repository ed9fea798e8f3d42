#ifndef SL_BASE_METRIC_PARTS_H
#define SL_BASE_METRIC_PARTS_H

/* The inside of a metric registry, private to metric*.c and their tests. */

#include <pthread.h>
#include <stdatomic.h>

#include "base/metric.h"

/* One series. The partner of each atomic is itself, in any thread; relaxed, since it is a figure of
 * its own and hands nothing over. */
struct sl_metric_series {
    const struct metric_family *family;
    char            *values[SL_METRIC_LABELS_MAX]; /* owned; NULL where there is no label */
    _Atomic uint64_t count;                        /* counter */
    _Atomic double   value;                        /* gauge; histogram: sum */
    _Atomic uint64_t buckets[];                    /* histogram: not cumulative, +Inf last */
};

struct metric_family {
    const struct sl_metric_row *row;
    void                       *context;
    double                      bounds[SL_METRIC_BUCKETS_MAX];
    unsigned                    series_count;                 /* guarded by the registry's lock */
    struct sl_metric_series    *series[SL_METRIC_SERIES_MAX]; /* owned; likewise */
};

/* Families are added before there are other threads; afterwards that array is only read. */
struct sl_metric_registry {
    pthread_mutex_t          lock;
    struct sl_metric_series *overflow;
    unsigned                 family_count;
    struct metric_family    *families[SL_METRIC_FAMILIES_MAX]; /* owned */
};

enum { METRIC_NUMBER_BYTES = 32 };

/* The shortest decimal that reads back as value, laid out as Go's strconv does with 'g' and -1,
 * into out[METRIC_NUMBER_BYTES]; "NaN", "+Inf", "-Inf". */
void metric_number_format(double value, char *out);

#endif
