/* -cmd update-pump, -cmd update-drainer: for nodes whose process is gone. A living one puts its own
 * state back with its next heartbeat. */

#include "ctl/legacy.h"

enum sl_err ctl_update(const struct ctl_command_run *run, struct sl_why *why)
{
    struct sl_node     node;
    enum sl_node_state state;
    enum sl_err        err;

    if (!sl_node_state_parse(run->flags->state, &state))
        return sl_fail(why, SL_INVALID, "state %.64s is illegal", run->flags->state);
    if ((err = ctl_find(run, &node, why)) != SL_OK)
        return err;
    node.state = state;
    return sl_registry_put(sl_cluster_registry(run->cluster), run->kind, &node, why);
}
