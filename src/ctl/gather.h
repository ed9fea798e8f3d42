#ifndef SL_CTL_GATHER_H
#define SL_CTL_GATHER_H

/* A look at the whole cluster: what the registry says, and what the nodes themselves say when they
 * are asked. */

#include "ctl/answer.h"
#include "net/cluster.h"

/* Does a pump take writes? Pumps of the original do not say. */
enum ctl_ready { CTL_READY_NOT_SAID, CTL_READY, CTL_NOT_READY };

/* One node. */
struct ctl_node {
    struct sl_node    record;
    enum sl_node_kind kind;
    /* All but those that are offline are asked. SL_OK: it answered; else why not. */
    enum sl_err   answer;
    struct sl_why silence;
    /* What it said, if it answered. */
    enum ctl_ready            ready; /* pump */
    char                      not_ready[SL_WHY_BYTES_MAX];
    struct ctl_pump_figures   figures; /* pump */
    struct ctl_drainer_status drainer;
};

/* All of them, at about one moment. */
struct ctl_view {
    uint64_t         cluster_id;
    sl_ts            now;     /* of the cluster's clock */
    int64_t          wall_ms; /* of this machine's */
    struct ctl_node *nodes;   /* owned; pumps before drainers, each by id */
    size_t           count;
};

/* Look; errors as those of the cluster's doors. Free with ctl_view_free. Blocks for the doors, and
 * up to SL_CTL_PROBE_MS for the nodes. */
enum sl_err ctl_gather(const struct sl_env *env, struct sl_cluster *cluster, struct ctl_view *out,
                       struct sl_why *why);
void        ctl_view_free(struct ctl_view *view);

/* Its state is one that only a running process has. */
bool ctl_node_claims_to_run(const struct ctl_node *node);

/* The newest checkpoint known of a drainer; 0: none. */
sl_ts ctl_node_checkpoint(const struct ctl_node *node);

/* How far a drainer is behind, or how old a pump's newest commit is, in ms; -1: not known. */
int64_t ctl_node_lag_ms(const struct ctl_view *view, const struct ctl_node *node);

/* How long ago its record was written, in ms; -1: not known. */
int64_t ctl_node_silent_ms(const struct ctl_view *view, const struct ctl_node *node);

#endif
