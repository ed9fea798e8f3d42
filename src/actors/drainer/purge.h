#ifndef SL_ACTORS_DRAINER_PURGE_H
#define SL_ACTORS_DRAINER_PURGE_H

/* What pumps have removed. A pump that is asked for what it has no more sends what is left, and
 * only its own log says that there is a gap (drainer spec 1.3); so before a drainer begins to pull,
 * it looks at the gauge binlog_pump_storage_gc_ts that pumps of all versions show over HTTP. The
 * collector's. */

#include <stdint.h>

#include "base/env.h"
#include "base/limits.h"
#include "net/node.h"
#include "net/registry.h"

/* What is known of one pump. */
struct sl_purge_fact {
    char    node_id[SL_NODE_ID_BYTES_MAX];
    int64_t removed_ms;
};

/* What is known of all. Zeros: nothing. */
struct sl_purge {
    struct sl_purge_fact facts[SL_DRAINER_SOURCES_MAX];
    uint32_t             count;
};

/* Ask the pumps of the list that have not answered yet, and fill removed_ms[] by the list's order:
 * what committed before that physical millisecond may be gone; 0: nothing is, or it is a pump that
 * does not tell; -1: it cannot be reached. Blocks for at most SL_PURGE_ASK_MS. */
void sl_purge_ask(const struct sl_env *env, struct sl_purge *purge,
                  const struct sl_node_list *pumps, int64_t *removed_ms);

/* The gauge in the text of /metrics; 0: it is not there. */
int64_t sl_purge_read(struct sl_slice metrics);

#endif
