#ifndef SL_CTL_JUDGE_H
#define SL_CTL_JUDGE_H

/* Is it fine? What follows from a look at the cluster: remarks, each with what to do, and how bad
 * the worst is. Pure. */

#include "ctl/ctl.h"
#include "ctl/gather.h"

/* How bad. */
enum ctl_severity {
    CTL_FINE,
    CTL_NOTE,     /* as somebody wanted it; worth knowing */
    CTL_DEGRADED, /* something does not work; nothing is lost */
    CTL_AT_RISK,  /* data is lost, or will be if nothing is done */
};

enum { CTL_REMEDIES = 2, CTL_REMARK_BYTES = 2 * SL_WHY_BYTES_MAX };

/* One remark. */
struct ctl_note {
    enum ctl_severity      severity;
    const struct ctl_node *node; /* of the view; NULL: on the cluster */
    char                   text[CTL_REMARK_BYTES];
    char                   remedy[CTL_REMEDIES][SL_WHY_BYTES_MAX]; /* "": none */
};

/* What is taken for fine. */
struct ctl_limits {
    int64_t max_lag_ms;   /* a drainer may be behind */
    int64_t retention_ms; /* pumps keep what is not read */
};

/* All of it. */
struct ctl_verdict {
    enum ctl_severity worst;
    struct ctl_note  *notes; /* owned; worst first */
    size_t            count;
};

/* Judge the nodes of a kind, or of all kinds (SL_NODE_KINDS) and the cluster as a whole. The
 * verdict is freed by ctl_verdict_free and lives no longer than the view. */
void ctl_judge(const struct ctl_view *view, const struct ctl_limits *limits, enum sl_node_kind kind,
               struct ctl_verdict *out);
void ctl_verdict_free(struct ctl_verdict *verdict);

/* The exit code that says it. */
enum sl_ctl_exit ctl_verdict_exit(const struct ctl_verdict *verdict);

#endif
