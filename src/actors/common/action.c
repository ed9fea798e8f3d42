#include "actors/common/action.h"

#include <stdio.h>
#include <string.h>

#include "actors/common/body.h"

struct sl_buf *sl_action_body(const char *invalid, const char *asked_id, const char *action,
                              const char *own_id, enum sl_node_state state, enum sl_action *out)
{
    enum { SUCCESS = 200, OTHER_ERROR = 3 }; /* of the original, not of HTTP */
    char message[SL_NODE_ID_BYTES_MAX + SL_HTTP_URL_BYTES_MAX + SL_BODY_FRAME_BYTES];

    *out = SL_ACTION_NONE;
    if (strcmp(asked_id, own_id) != 0) {
        (void)snprintf(message, sizeof message, "%s nodeID %s, this pump's nodeID is %s", invalid,
                       asked_id, own_id);
        return sl_body_reply(message, OTHER_ERROR, "null");
    }
    if (state != SL_NODE_ONLINE) {
        /* Before it is registered, which the original cannot be asked about. */
        const char *name = state == SL_NODE_ABSENT ? "starting" : sl_node_state_name(state);

        (void)snprintf(message, sizeof message, "this pump's state is %s, apply %s failed!", name,
                       action);
        return sl_body_reply(message, OTHER_ERROR, "null");
    }
    if (strcmp(action, "pause") == 0)
        *out = SL_ACTION_PAUSE;
    else if (strcmp(action, "close") == 0)
        *out = SL_ACTION_CLOSE;
    if (*out == SL_ACTION_NONE) {
        (void)snprintf(message, sizeof message, "%s action %s", invalid, action);
        return sl_body_reply(message, OTHER_ERROR, "null");
    }
    (void)snprintf(message, sizeof message, "apply action %s success!", action);
    return sl_body_reply(message, SUCCESS, "null");
}
