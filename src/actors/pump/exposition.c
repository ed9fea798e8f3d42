#include "actors/pump/exposition.h"

#include "actors/common/body.h"
#include "actors/pump/pump.h"

static void look_at_board(struct sl_pump *pump)
{
    const struct sl_pump_board   *board = &pump->board;
    const struct sl_pump_metrics *m = &pump->metrics;
    sl_ts                         complete = sl_pump_max_commit_ts(pump);
    sl_ts    newest = atomic_load_explicit(&board->newest_ts, memory_order_relaxed);
    uint64_t unresolved = 0;
    uint32_t damaged = 0;

    for (uint32_t k = 0; k < pump->options.shards; k++) {
        unresolved += atomic_load_explicit(&board->unresolved[k], memory_order_relaxed);
        damaged += atomic_load_explicit(&board->damaged[k], memory_order_relaxed) != 0;
    }
    sl_metric_set(m->damaged_shards, damaged);
    sl_metric_set(m->unresolved, (double)unresolved);
    sl_metric_set(m->pullers, atomic_load_explicit(&board->pullers, memory_order_relaxed));
    sl_metric_set(m->max_commit_ms, (double)sl_ts_physical_ms(complete));
    sl_metric_set(m->watermark_lag_ms,
                  complete > 0 && newest > complete
                      ? (double)(sl_ts_physical_ms(newest) - sl_ts_physical_ms(complete))
                      : 0);
}

struct sl_buf *sl_pump_exposition(struct sl_pump *pump)
{
    look_at_board(pump);
    return sl_body_metrics(pump->metric_registry);
}
