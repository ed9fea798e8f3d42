/* -cmd pumps, -cmd drainers. */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/legacy.h"
#include "ctl/text.h"

static const struct ctl_place place_query = {"nodes.go", 49};

/* What stands around the parts of a node takes less. */
enum { FRAME_BYTES = 256 };

static void say_node(enum sl_node_kind kind, const struct sl_node *node)
{
    char text[SL_NODE_ID_BYTES_MAX + SL_ADDR_BYTES_MAX + CTL_TIME_BYTES + FRAME_BYTES];
    char time[CTL_TIME_BYTES];

    ctl_text_go_time(sl_ts_physical_ms(node->update_ts) / 1000, time);
    (void)snprintf(text, sizeof text,
                   "{NodeID: %s, Addr: %s, State: %s, MaxCommitTS: %" PRId64 ", UpdateTime: %s}",
                   node->id, node->host, sl_node_state_name(node->state), node->max_commit_ts,
                   time);
    ctl_say(
        place_query, SL_LOG_INFO, "query node",
        (const struct sl_field[]){sl_field_str("type", kind == SL_NODE_PUMP ? "pump" : "drainer"),
                                  sl_field_str("node", text), sl_field_end()});
}

enum sl_err ctl_list(const struct ctl_command_run *run, struct sl_why *why)
{
    struct sl_node_list list;
    enum sl_err         err;

    err = sl_registry_list(sl_cluster_registry(run->cluster), run->kind, &list, why);
    if (err != SL_OK)
        return err;
    for (size_t i = 0; i < list.count; i++)
        if (list.nodes[i].state != SL_NODE_OFFLINE || run->flags->show_offline)
            say_node(run->kind, &list.nodes[i]);
    sl_node_list_free(&list);
    return SL_OK;
}
