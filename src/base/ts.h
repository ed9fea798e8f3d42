#ifndef SL_BASE_TS_H
#define SL_BASE_TS_H

/* Timestamps of TiDB's oracle: physical milliseconds since the Unix epoch in the upper bits, a
 * logical counter in the lower SL_TS_LOGICAL_BITS (pump spec, "Vocabulary"). */

#include <stdint.h>

/* A timestamp as on the wire: signed, 0 is "none", never negative in what we make. */
typedef int64_t sl_ts;

/* TiDB's number, which every timestamp on disk and wire depends on. */
enum { SL_TS_LOGICAL_BITS = 18 };

/* The least that is one: nothing is before it. */
enum { SL_TS_MIN = 1 };

/* Milliseconds since the Unix epoch. */
static inline int64_t sl_ts_physical_ms(sl_ts ts)
{
    return ts >> SL_TS_LOGICAL_BITS;
}

/* The counter within its millisecond. */
static inline int64_t sl_ts_logical(sl_ts ts)
{
    return ts & ((INT64_C(1) << SL_TS_LOGICAL_BITS) - 1);
}

/* The first timestamp of a millisecond (0 or later). */
static inline sl_ts sl_ts_of_ms(int64_t physical_ms)
{
    return (sl_ts)((uint64_t)physical_ms << SL_TS_LOGICAL_BITS);
}

#endif
