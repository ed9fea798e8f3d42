/* Other filters for a planner that runs. They take effect between two transactions, so that one
 * commit ts divides what the old ones decided from what the new ones do. A transaction that has
 * begun, even if only its DDL jobs are asked for or planned in front of it, ends as it began.
 *
 * A DDL that is run early is decided where it is run, not where its own binlog stands. */

#include "actors/drainer/planner_private.h"
#include "base/log.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"

void planner_filter_take(struct planner *p, struct sl_drainer_filter *msg)
{
    sl_filter_free(&p->next_filter);
    sl_event_filter_free(&p->next_event_filter);
    p->next_filter = msg->filter;
    p->next_event_filter = msg->event_filter;
    msg->filter = NULL;
    msg->event_filter = NULL;
}

void planner_filter_change(struct planner *p)
{
    if (p->next_filter == NULL || p->has_begun)
        return;
    sl_verdicts_done(&p->verdicts);
    sl_filter_free(&p->filter);
    sl_event_filter_free(&p->event_filter);
    p->filter = p->next_filter;
    p->event_filter = p->next_event_filter;
    p->next_filter = NULL;
    p->next_event_filter = NULL;
    sl_verdicts_init(&p->verdicts, p->filter, p->event_filter);
    sl_log(SL_LOG_INFO, "table filter changed", sl_field_i64("above_commit_ts", p->before));
}

void planner_filter_done(struct planner *p)
{
    sl_filter_free(&p->filter);
    sl_event_filter_free(&p->event_filter);
    sl_filter_free(&p->next_filter);
    sl_event_filter_free(&p->next_event_filter);
}
