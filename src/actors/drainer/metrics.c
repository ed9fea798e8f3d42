#include "actors/drainer/metrics.h"

#include <stddef.h>

/* ---- label values, in the order of their enums ---- */

static const char *const events[SL_DRAINER_EVENTS + 1] = {"Insert", "Update", "Delete", "DDL",
                                                          "savepoint"};
static const char *const errors[SL_DRAINER_ERRORS + 1] = {
    "unmarshal_binlog", "pull", "schema", "apply", "checkpoint", "registry"};
static const char *const queries[SL_DRAINER_QUERIES + 1] = {"exec", "commit", "update_mark_table"};
static const char *const queues[SL_DRAINER_QUEUES + 1] = {
    "syncer_input", "worker_0", "worker_1", "worker_2", "worker_3", "worker_4",
    "worker_5",     "worker_6", "worker_7", "worker_8", "worker_9"};
static const char *const skips[SL_DRAINER_SKIPS + 1] = {"table", "event", "commit_ts", "ddl"};

/* ---- families: helps of the original are the original's ---- */

enum family {
    PUMP_POSITION,
    DDL_JOBS,
    ERRORS,
    DISORDER,
    EVENTS,
    CHECKPOINT_MS,
    CHECKPOINT_DELAY,
    EXECUTE_SECONDS,
    QUERY_SECONDS,
    REACH_SECONDS,
    BINLOG_BYTES,
    QUEUE_SIZE,
    FILE_WRITE_BYTES,
    FILE_WRITE_SECONDS,
    FILE_READ_SECONDS,
    FILE_CORRUPTION,
    LAG_SECONDS,
    HEALTH,
    HELD_BYTES,
    BUDGET_BYTES,
    PUMPS,
    COPIES,
    SKIPPED,
    TRANSACTIONS,
    RETRIES,
    CONNECTIONS,
    FAMILIES,
};

/* Of files that this version does not write; panels that show them stay at zero. */
#define FILE_LABEL                             \
    {                                          \
        {                                      \
            "label", SL_METRIC_VALUES("local") \
        }                                      \
    }

static const struct sl_metric_row rows[FAMILIES] = {
    [PUMP_POSITION] = {.name = "binlog_drainer_pump_position",
                       .kind = SL_METRIC_GAUGE,
                       .unit = "milliseconds",
                       .help = "position for each pump.",
                       .labels = {{"nodeID", NULL}}},
    [DDL_JOBS] = {.name = "binlog_drainer_ddl_jobs_total",
                  .kind = SL_METRIC_COUNTER,
                  .unit = "",
                  .help = "Total ddl jobs count been stored."},
    [ERRORS] = {.name = "binlog_drainer_error_count",
                .kind = SL_METRIC_COUNTER,
                .unit = "",
                .help = "Total count of error.",
                .labels = {{"type", errors}}},
    [DISORDER] = {.name = "binlog_drainer_disorder_binlog_count",
                  .kind = SL_METRIC_COUNTER,
                  .unit = "",
                  .help = "Total count of binlog which is disorder."},
    [EVENTS] = {.name = "binlog_drainer_event",
                .kind = SL_METRIC_COUNTER,
                .unit = "",
                .help = "the count of sql event(dml, ddl).",
                .labels = {{"type", events}}},
    [CHECKPOINT_MS] = {.name = "binlog_drainer_checkpoint_tso",
                       .kind = SL_METRIC_GAUGE,
                       .unit = "milliseconds",
                       .help = "save checkpoint tso of drainer."},
    [CHECKPOINT_DELAY] = {.name = "binlog_drainer_checkpoint_delay_seconds",
                          .kind = SL_METRIC_HISTOGRAM,
                          .unit = "seconds",
                          .help = "How much the downstream checkpoint lag behind",
                          .buckets = {0.001, 22}},
    /* The original's buckets end at 6.6 s, so that its alert above 10 s never fires. */
    [EXECUTE_SECONDS] = {.name = "binlog_drainer_execute_duration_time",
                         .kind = SL_METRIC_HISTOGRAM,
                         .unit = "seconds",
                         .help = "Bucketed histogram of processing time (s) of a execute to sync "
                                 "data to downstream.",
                         .buckets = {5e-05, 22}},
    [QUERY_SECONDS] = {.name = "binlog_drainer_query_duration_time",
                       .kind = SL_METRIC_HISTOGRAM,
                       .unit = "seconds",
                       .help = "Bucketed histogram of processing time (s) of a query to sync data "
                               "to downstream.",
                       .labels = {{"type", queries}},
                       .buckets = {5e-05, 18}},
    [REACH_SECONDS] = {.name = "binlog_drainer_binlog_reach_duration_time",
                       .kind = SL_METRIC_HISTOGRAM,
                       .unit = "seconds",
                       .help = "Bucketed histogram of how long the binlog take to reach drainer "
                               "since it's committed",
                       .labels = {{"nodeID", NULL}},
                       .buckets = {5e-05, 18}},
    [BINLOG_BYTES] = {.name = "binlog_drainer_read_binlog_size",
                      .kind = SL_METRIC_HISTOGRAM,
                      .unit = "bytes",
                      .help = "Bucketed histogram of size of a binlog.",
                      .labels = {{"nodeID", NULL}},
                      .buckets = {16, 25}},
    [QUEUE_SIZE] = {.name = "binlog_drainer_queue_size",
                    .kind = SL_METRIC_GAUGE,
                    .unit = "",
                    .help = "the size of queue",
                    .labels = {{"name", queues}}},
    [FILE_WRITE_BYTES] = {.name = "binlog_binlogfile_write_binlog_size",
                          .kind = SL_METRIC_HISTOGRAM,
                          .unit = "bytes",
                          .help = "write binlog size; always empty",
                          .labels = FILE_LABEL,
                          .buckets = {16, 20}},
    [FILE_WRITE_SECONDS] = {.name = "binlog_binlogfile_write_binlog_duration_time",
                            .kind = SL_METRIC_HISTOGRAM,
                            .unit = "seconds",
                            .help = "Bucketed histogram of write time (s) of  binlog.; always "
                                    "empty",
                            .labels = FILE_LABEL,
                            .buckets = {5e-05, 18}},
    [FILE_READ_SECONDS] = {.name = "binlog_binlogfile_read_binlog_duration_time",
                           .kind = SL_METRIC_HISTOGRAM,
                           .unit = "seconds",
                           .help = "Bucketed histogram of read time (s) of binlog.; always empty",
                           .labels = FILE_LABEL,
                           .buckets = {5e-05, 18}},
    [FILE_CORRUPTION] = {.name = "binlog_binlogfile_corruption_binlog_count",
                         .kind = SL_METRIC_COUNTER,
                         .unit = "",
                         .help = "corruption binlog count"},

    [LAG_SECONDS] = {.name = "sluice_drainer_lag_seconds",
                     .kind = SL_METRIC_GAUGE,
                     .unit = "seconds",
                     .help = "From what is applied and saved to the cluster's clock; -1: not known "
                             "yet"},
    [HEALTH] = {.name = "sluice_drainer_state",
                .kind = SL_METRIC_GAUGE,
                .unit = "",
                .help = "0 running, 1 waiting for another program, 2 retrying, 3 held: somebody "
                        "must look, 4 stopped"},
    [HELD_BYTES] = {.name = "sluice_drainer_held_bytes",
                    .kind = SL_METRIC_GAUGE,
                    .unit = "bytes",
                    .help = "Changes in memory that are not applied"},
    [BUDGET_BYTES] = {.name = "sluice_drainer_budget_bytes",
                      .kind = SL_METRIC_GAUGE,
                      .unit = "bytes",
                      .help = "What they may take"},
    [PUMPS] = {.name = "sluice_drainer_pumps",
               .kind = SL_METRIC_GAUGE,
               .unit = "",
               .help = "Pumps that the order waits for"},
    [COPIES] = {.name = "sluice_drainer_copies_total",
                .kind = SL_METRIC_COUNTER,
                .unit = "",
                .help = "Equal transactions that came from more than one pump"},
    [SKIPPED] = {.name = "sluice_drainer_skipped_total",
                 .kind = SL_METRIC_COUNTER,
                 .unit = "",
                 .help = "Row changes, DDL and (commit_ts) transactions that were left out as "
                         "configured",
                 .labels = {{"reason", skips}}},
    [TRANSACTIONS] = {.name = "sluice_drainer_transactions_total",
                      .kind = SL_METRIC_COUNTER,
                      .unit = "",
                      .help = "Upstream transactions that are applied"},
    [RETRIES] = {.name = "sluice_drainer_retries_total",
                 .kind = SL_METRIC_COUNTER,
                 .unit = "",
                 .help = "Downstream transactions that were tried again"},
    [CONNECTIONS] = {.name = "sluice_drainer_connections",
                     .kind = SL_METRIC_GAUGE,
                     .unit = "",
                     .help = "Open connections to this drainer"},
};

const struct sl_metric_table sl_drainer_metric_table = {"Drainer", rows, FAMILIES};

/* ---- look-ups ---- */

/* The series of a family with one listed label, in the order of its values. */
static void look_up_all(struct sl_metric_registry *registry, enum family family,
                        struct sl_metric_series **out)
{
    const char *const *values = rows[family].labels[0].values;

    for (size_t i = 0; values[i] != NULL; i++)
        out[i] = sl_metric_series(registry, &rows[family], values[i], NULL);
}

static struct sl_metric_series *look_up(struct sl_metric_registry *registry, enum family family)
{
    return sl_metric_series(registry, &rows[family], NULL, NULL);
}

void sl_drainer_metrics_add(struct sl_metric_registry *registry, struct sl_drainer_metrics *out)
{
    sl_metric_registry_add(registry, &sl_drainer_metric_table, NULL);
    *out = (struct sl_drainer_metrics){
        .registry = registry,
        .ddl_jobs = look_up(registry, DDL_JOBS),
        .disorder = look_up(registry, DISORDER),
        .checkpoint_ms = look_up(registry, CHECKPOINT_MS),
        .checkpoint_delay_seconds = look_up(registry, CHECKPOINT_DELAY),
        .execute_seconds = look_up(registry, EXECUTE_SECONDS),
        .lag_seconds = look_up(registry, LAG_SECONDS),
        .health = look_up(registry, HEALTH),
        .held_bytes = look_up(registry, HELD_BYTES),
        .budget_bytes = look_up(registry, BUDGET_BYTES),
        .pumps = look_up(registry, PUMPS),
        .copies = look_up(registry, COPIES),
        .transactions = look_up(registry, TRANSACTIONS),
        .retries = look_up(registry, RETRIES),
        .connections = look_up(registry, CONNECTIONS),
    };
    look_up_all(registry, ERRORS, out->errors);
    look_up_all(registry, EVENTS, out->events);
    look_up_all(registry, QUERY_SECONDS, out->query_seconds);
    look_up_all(registry, QUEUE_SIZE, out->queue_size);
    look_up_all(registry, SKIPPED, out->skipped);
}

void sl_drainer_metrics_since(struct sl_metric_series *series, int64_t clock_ms, sl_ts ts)
{
    int64_t ms = clock_ms - sl_ts_physical_ms(ts);

    if (clock_ms != 0)
        sl_metric_observe(series, ms > 0 ? (double)ms / 1e3 : 0);
}

void sl_drainer_metrics_pump(const struct sl_drainer_metrics *metrics, const char *node_id,
                             struct sl_drainer_pump_metrics *out)
{
    *out = (struct sl_drainer_pump_metrics){
        .position_ms = sl_metric_series(metrics->registry, &rows[PUMP_POSITION], node_id, NULL),
        .reach_seconds = sl_metric_series(metrics->registry, &rows[REACH_SECONDS], node_id, NULL),
        .binlog_bytes = sl_metric_series(metrics->registry, &rows[BINLOG_BYTES], node_id, NULL),
    };
}
