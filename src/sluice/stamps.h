#ifndef SL_SLUICE_STAMPS_H
#define SL_SLUICE_STAMPS_H

/* Timestamps for generated transactions: from the cluster's door, or made from the wall clock where
 * there is none. */

#include <stdint.h>

#include "base/env.h"
#include "base/ts.h"
#include "net/tso.h"

/* All zero but env and tso at first. */
struct stamps {
    const struct sl_env *env;
    struct sl_tso       *tso; /* NULL: the wall clock */
    sl_ts                last;
};

/* *first and the count - 1 (1..SL_TSO_COUNT_MAX) after it, greater than all before. Fails as
 * sl_tso_now does. Blocks. */
enum sl_err stamps_take(struct stamps *stamps, uint32_t count, sl_ts *first, struct sl_why *why);

#endif
