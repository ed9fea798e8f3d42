#ifndef SL_ACTORS_DRAINER_METRICS_H
#define SL_ACTORS_DRAINER_METRICS_H

/* What a drainer measures: the series of the original, whose names, labels and buckets dashboards
 * and alerts rely on (drainer spec 6), and our own, whose names begin with sluice_drainer_. All
 * series are there from the start, but for those of pumps, whose ids are not known before. */

#include <stdint.h>

#include "base/metric.h"
#include "base/ts.h"

/* Label values: the members index the arrays of struct sl_drainer_metrics. */
enum sl_drainer_event {
    SL_DRAINER_EVENT_INSERT,
    SL_DRAINER_EVENT_UPDATE,
    SL_DRAINER_EVENT_DELETE,
    SL_DRAINER_EVENT_DDL,
    SL_DRAINER_EVENT_SAVEPOINT, /* a checkpoint was saved */
    SL_DRAINER_EVENTS,
};
/* Errors that the original's panel shows, and our own. */
enum sl_drainer_error {
    SL_DRAINER_ERROR_UNMARSHAL_BINLOG, /* what a pump sent is no binlog */
    SL_DRAINER_ERROR_PULL,             /* a stream of a pump ended by an error */
    SL_DRAINER_ERROR_SCHEMA,           /* a row or a DDL job does not fit what is known */
    SL_DRAINER_ERROR_APPLY,            /* the downstream refused, or did not answer */
    SL_DRAINER_ERROR_CHECKPOINT,       /* a checkpoint was not saved */
    SL_DRAINER_ERROR_REGISTRY,         /* the registry or the timestamps did not answer */
    SL_DRAINER_ERRORS,
};
/* Parts of a downstream transaction that take time. */
enum sl_drainer_query {
    SL_DRAINER_QUERY_EXEC,
    SL_DRAINER_QUERY_COMMIT,
    SL_DRAINER_QUERY_MARK_TABLE, /* of loopback control: none yet */
    SL_DRAINER_QUERIES,
};
/* The queues of the original whose lengths a panel shows. */
enum sl_drainer_queue {
    SL_DRAINER_QUEUE_INPUT, /* windows between merger and downstream */
    SL_DRAINER_QUEUE_WORKER_0,
    SL_DRAINER_QUEUES = SL_DRAINER_QUEUE_WORKER_0 + 10, /* the first ten workers */
};
/* What a transaction, or a part of it, was left out for. */
enum sl_drainer_skip {
    SL_DRAINER_SKIP_TABLE,     /* the table filter */
    SL_DRAINER_SKIP_EVENT,     /* the event filter */
    SL_DRAINER_SKIP_COMMIT_TS, /* ignore-txn-commit-ts */
    SL_DRAINER_SKIP_DDL,       /* sync-ddl = false, or nothing that the downstream could do */
    SL_DRAINER_SKIPS,
};

/* The series, looked up; valid as long as the registry. Times are in seconds, sizes in bytes,
 * gauges of timestamps in physical milliseconds. */
struct sl_drainer_metrics {
    struct sl_metric_registry *registry; /* borrowed */

    /* Of the original. */
    struct sl_metric_series *ddl_jobs;
    struct sl_metric_series *errors[SL_DRAINER_ERRORS];
    struct sl_metric_series *disorder; /* transactions at or below what was emitted */
    struct sl_metric_series *events[SL_DRAINER_EVENTS];
    struct sl_metric_series *checkpoint_ms;
    struct sl_metric_series *checkpoint_delay_seconds;
    struct sl_metric_series *execute_seconds;
    struct sl_metric_series *query_seconds[SL_DRAINER_QUERIES];
    struct sl_metric_series *queue_size[SL_DRAINER_QUEUES];

    /* Our own. */
    struct sl_metric_series *lag_seconds;  /* see sl_drainer_lag */
    struct sl_metric_series *health;       /* the number of enum sl_drainer_health */
    struct sl_metric_series *held_bytes;   /* of changes in memory */
    struct sl_metric_series *budget_bytes; /* and how much they may take */
    struct sl_metric_series *pumps;        /* that the merge waits for */
    struct sl_metric_series *copies;       /* equal transactions that came twice */
    struct sl_metric_series *skipped[SL_DRAINER_SKIPS];
    struct sl_metric_series *transactions; /* applied */
    struct sl_metric_series *retries;      /* of downstream transactions */
    struct sl_metric_series *connections;
};

/* The series of one pump. */
struct sl_drainer_pump_metrics {
    struct sl_metric_series *position_ms;
    struct sl_metric_series *reach_seconds; /* from commit to here */
    struct sl_metric_series *binlog_bytes;
};

/* All families, for the manual. */
extern const struct sl_metric_table sl_drainer_metric_table;

/* Add the families to the registry, which has none of them, and look all series up. Before there
 * are other threads. */
void sl_drainer_metrics_add(struct sl_metric_registry *registry, struct sl_drainer_metrics *out);

/* Observe how long ago ts was on the cluster's clock, in seconds and not below 0. clock_ms 0: that
 * is not known, and nothing is observed. Any thread. */
void sl_drainer_metrics_since(struct sl_metric_series *series, int64_t clock_ms, sl_ts ts);

/* Those of a pump. The registry knows its id from here on, so it is not for what anybody says. Any
 * thread. */
void sl_drainer_metrics_pump(const struct sl_drainer_metrics *metrics, const char *node_id,
                             struct sl_drainer_pump_metrics *out);

#endif
