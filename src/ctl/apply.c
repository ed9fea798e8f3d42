/* -cmd pause-pump, pause-drainer, offline-pump, offline-drainer. */

#include "ctl/answer.h"
#include "ctl/legacy.h"

static const struct ctl_place place_applied = {"nodes.go", 127};

enum sl_err ctl_apply(const struct ctl_command_run *run, struct sl_why *why)
{
    struct sl_node node;
    enum sl_err    err;

    if ((err = ctl_find(run, &node, why)) != SL_OK ||
        (err = ctl_order(run->env, &node, run->action, why)) != SL_OK)
        return err;
    ctl_say(place_applied, SL_LOG_INFO, "Apply action on node success",
            (const struct sl_field[]){sl_field_str("action", run->action),
                                      sl_field_str("NodeID", node.id), sl_field_end()});
    return SL_OK;
}
