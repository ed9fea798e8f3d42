#ifndef SL_ACTORS_PUMP_PULLER_H
#define SL_ACTORS_PUMP_PULLER_H

/* What a session gives the puller that it starts for a PullBinlogs stream (sl_pump_puller_class,
 * actors/pump/topology.h). The puller answers SL_PUMP_NEXT with batches until it is stopped, or
 * ends: without an error when it has nothing more to say, with one when it cannot read. */

#include "base/limits.h"
#include "base/ts.h"

struct sl_pump;

/* Copied by sl_spawn. */
struct sl_pull_args {
    struct sl_pump *pump;
    sl_ts           after; /* as the client sent it: the first entity is above; may be negative */
    char            peer[SL_PULL_PEER_BYTES_MAX]; /* address of the client, perhaps cut; for logs */
};
static_assert(sizeof(struct sl_pull_args) <= SL_SPAWN_ARGS_BYTES_MAX, "else sl_spawn refuses");

#endif
