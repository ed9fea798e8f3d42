#ifndef SL_CTL_REPORT_H
#define SL_CTL_REPORT_H

/* A view and its verdict as text: tables for people, JSON for programs (docs/binlogctl.md says what
 * its members mean). */

#include <stdbool.h>
#include <stdio.h>

#include "ctl/judge.h"

/* What is shown. */
struct ctl_report {
    const struct ctl_view    *view;
    const struct ctl_verdict *verdict;
    const char               *pd_urls;
    enum sl_node_kind         kind;    /* its nodes alone; SL_NODE_KINDS: all */
    bool                      offline; /* those too that are offline */
};

/* For people. Times in the local time zone. */
void ctl_report_write(const struct ctl_report *report, FILE *out);
/* For programs: one object, "schema":1, on one line. Members may be added within a schema; none
 * goes or changes its meaning. */
void ctl_report_write_json(const struct ctl_report *report, FILE *out);

/* Is the node to be shown? */
bool ctl_report_shows(const struct ctl_report *report, const struct ctl_node *node);

#endif
