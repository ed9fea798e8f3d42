/* Other filters for a planner that runs. They take effect between two transactions, so that one
 * commit ts divides what the old ones decided from what the new ones do. A transaction that has
 * begun, even if only its DDL jobs are asked for or planned in front of it, ends as it began.
 *
 * They belong to the drainer: when the stream begins again at the checkpoint, they are in effect
 * from there on.
 *
 * A DDL that is run early is decided where it is run, not where its own binlog stands. */

#include "actors/drainer/planner_private.h"
#include "base/log.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"

void planner_filter_begin(struct planner *p)
{
    const struct sl_drainer *d = p->drainer;

    if (d->filter == NULL) {
        sl_verdicts_init(&p->verdicts, d->options.filter, d->options.event_filter);
        return;
    }
    sl_verdicts_init(&p->verdicts, d->filter, d->event_filter);
    sl_log(SL_LOG_INFO, "table filter changed", sl_field_i64("above_commit_ts", p->before));
}

void planner_filter_take(struct planner *p, struct sl_drainer_filter *msg)
{
    sl_filter_free(&p->next_filter);
    sl_event_filter_free(&p->next_event_filter);
    p->next_filter = msg->filter;
    p->next_event_filter = msg->event_filter;
    msg->filter = NULL;
    msg->event_filter = NULL;
}

/* The verdicts that stand on the old ones are gone, or go with the planner. */
static void replace(struct planner *p)
{
    struct sl_drainer *d = p->drainer;

    sl_filter_free(&d->filter);
    sl_event_filter_free(&d->event_filter);
    d->filter = p->next_filter;
    d->event_filter = p->next_event_filter;
    p->next_filter = NULL;
    p->next_event_filter = NULL;
}

void planner_filter_change(struct planner *p)
{
    if (p->next_filter == NULL || p->has_begun)
        return;
    sl_verdicts_done(&p->verdicts);
    replace(p);
    planner_filter_begin(p);
}

void planner_filter_end(struct planner *p)
{
    sl_verdicts_done(&p->verdicts);
    if (p->next_filter != NULL)
        replace(p);
}
