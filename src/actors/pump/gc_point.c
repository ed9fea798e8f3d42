#include "actors/pump/gc_point.h"

#include "base/limits.h"

static sl_ts least(sl_ts a, sl_ts b)
{
    return a < b ? a : b;
}

sl_ts sl_gc_below(sl_ts ts, int64_t ms)
{
    int64_t physical = sl_ts_physical_ms(ts);

    return physical > ms ? sl_ts_of_ms(physical - ms) : 0;
}

sl_ts sl_gc_point(const struct sl_gc_facts *facts)
{
    sl_ts point = sl_gc_below(facts->now, facts->keep_ms);

    point = least(point, least(facts->complete, facts->drainers));
    return point > facts->present ? point : facts->present;
}

enum sl_gc_lag sl_gc_lag_of(const struct sl_gc_facts *facts, sl_ts drainer)
{
    int64_t half_ms = facts->keep_ms / 2;
    int64_t warn_ms = half_ms < SL_GC_WARN_MS ? half_ms : SL_GC_WARN_MS;

    if (drainer < sl_gc_below(facts->now, facts->keep_ms))
        return SL_GC_LAG_KEPT;
    return drainer < sl_gc_below(facts->now, facts->keep_ms - warn_ms) ? SL_GC_LAG_SOON
                                                                       : SL_GC_LAG_NONE;
}
