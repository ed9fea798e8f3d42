#ifndef SL_ACTORS_COMMON_PUSH_H
#define SL_ACTORS_COMMON_PUSH_H

/* Sending metrics to a Pushgateway, as pump and drainer do: job "binlog", instance the node id,
 * POST (pump spec 7, drainer spec 6). Used by one thread; blocks. */

#include "base/buf.h"
#include "base/env.h"
#include "base/limits.h"

/* Where to. A plain value. */
struct sl_push_target {
    char address[SL_ADDR_BYTES_MAX];
    char path[SL_PUSH_PATH_BYTES_MAX];
};

/* metrics_addr is "http://host:port/prefix" or "host:port/prefix", of which the prefix may be
 * absent. SL_TOO_LARGE. */
enum sl_err sl_push_target(const char *metrics_addr, const char *node_id,
                           struct sl_push_target *out, struct sl_why *why);

/* Send a body, which is taken. A gateway that fails is logged. Blocks for SL_PUSH_MS at most. */
void sl_push(const struct sl_env *env, const struct sl_push_target *target, struct sl_buf **body);

#endif
