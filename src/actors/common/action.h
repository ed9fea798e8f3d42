#ifndef SL_ACTORS_COMMON_ACTION_H
#define SL_ACTORS_COMMON_ACTION_H

/* PUT /state/{nodeID}/{action}: what is asked for, and the answer in the words of the original,
 * which scripts read. Pure. */

#include "base/buf.h"
#include "net/node.h"

/* What is to be done. */
enum sl_action {
    SL_ACTION_NONE,  /* the body says why */
    SL_ACTION_PAUSE, /* stop, and be paused */
    SL_ACTION_CLOSE, /* stop, and be offline */
};

/* The answer (HTTP 200 in any case) to a node with this id and state. `invalid` is how its program
 * spells that word. The body is a new buffer, the caller's. */
struct sl_buf *sl_action_body(const char *invalid, const char *asked_id, const char *action,
                              const char *own_id, enum sl_node_state state, enum sl_action *out);

#endif
