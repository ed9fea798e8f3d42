#include "actors/pump/exposition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/pump/pump.h"
#include "base/assert.h"

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
    char          *text = NULL;
    size_t         count = 0;
    FILE          *out = open_memstream(&text, &count);
    struct sl_buf *body;
    int            failed;

    SL_ASSERT(out != NULL);
    look_at_board(pump);
    sl_metric_write(pump->metric_registry, out);
    failed = fclose(out);
    SL_ASSERT(failed == 0);
    body = sl_buf_new(count);
    memcpy(body->data, text, count);
    free(text);
    return body;
}
