#ifndef SL_ACTORS_DRAINER_SOURCE_H
#define SL_ACTORS_DRAINER_SOURCE_H

/* What the merger gives a source when it starts one: a pointer to its seat, which the merger keeps
 * until the source has ended. Constant meanwhile. */

#include "actors/drainer/drainer.h"
#include "base/limits.h"
#include "base/ts.h"

/* One pump as its source knows it. */
struct sl_source_seat {
    struct sl_drainer *drainer;
    struct sl_ref      merger;
    uint32_t           input; /* its number in the merge, and its instance of SL_LINE_BLOCK */
    sl_ts              after; /* everything above is wanted */
    char               node_id[SL_NODE_ID_BYTES_MAX];
    char               host[SL_ADDR_BYTES_MAX]; /* where the pump listens */
};

#endif
