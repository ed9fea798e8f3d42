#ifndef SL_ACTORS_PUMP_GC_POINT_H
#define SL_ACTORS_PUMP_GC_POINT_H

/* Up to where a pump may forget: arithmetic without state. */

#include <stdint.h>

#include "base/ts.h"

/* What the gc point follows from. */
struct sl_gc_facts {
    sl_ts   now;      /* newest timestamp of the door; 0: not known */
    int64_t keep_ms;  /* retention; above 0 */
    sl_ts   complete; /* the pump's watermark: nothing above it is forgotten */
    sl_ts   drainers; /* every drainer that is not offline has all up to this */
    sl_ts   present;  /* gc point; 0: none yet */
};

/* The gc point that the facts allow; never below the present one. */
sl_ts sl_gc_point(const struct sl_gc_facts *facts);

/* How a drainer that has all up to a timestamp stands towards what retention removes. */
enum sl_gc_lag {
    SL_GC_LAG_NONE,
    SL_GC_LAG_SOON, /* in SL_GC_WARN_MS, or in half the retention time, it would be as follows */
    SL_GC_LAG_KEPT, /* what it has not read is older than the retention time, and kept for it */
};

/* Of the facts, now and keep_ms count. */
enum sl_gc_lag sl_gc_lag_of(const struct sl_gc_facts *facts, sl_ts drainer);

/* A timestamp `ms` before ts; 0 when that is before time began. */
sl_ts sl_gc_below(sl_ts ts, int64_t ms);

#endif
