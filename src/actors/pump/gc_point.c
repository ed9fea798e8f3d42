#include "actors/pump/gc_point.h"

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
