#include "sluice/stamps.h"

enum sl_err stamps_take(struct stamps *stamps, uint32_t count, sl_ts *first, struct sl_why *why)
{
    sl_ts wall;

    if (stamps->tso != NULL)
        return sl_tso_now(stamps->tso, count, first, why);
    wall = sl_ts_of_ms(sl_env_wall(stamps->env) / SL_NANOS_PER_MS);
    *first = wall > stamps->last ? wall : stamps->last + 1;
    stamps->last = *first + (sl_ts)count - 1;
    return SL_OK;
}
