#ifndef SL_NET_H2_BUDGET_H
#define SL_NET_H2_BUDGET_H

/* How many frames without use a peer may still send: RST_STREAM, PING, SETTINGS, PRIORITY, unknown
 * types, DATA without data, and whatever we must refuse. Each costs one. Streams that end in good
 * order and DATA that we could send earn one each, since a busy gRPC peer pings and cancels in
 * proportion to its work; time earns SL_H2_FLOOD_PER_S. Never more than SL_H2_FLOOD_BURST. */

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

struct h2_budget {
    uint32_t left;
    bool     ticked; /* `at` is set */
    sl_nanos at;     /* up to when time was paid out */
};

void h2_budget_init(struct h2_budget *budget);
/* One frame without use. False when the budget is used up. */
bool h2_budget_charge(struct h2_budget *budget);
/* One piece of useful work. */
void h2_budget_earn(struct h2_budget *budget);
/* Pay out the time since the last tick. */
void h2_budget_tick(struct h2_budget *budget, sl_nanos now);

#endif
