#include "actors/pump/metrics.h"

#include <stddef.h>
#include <string.h>

#include "actors/pump/board.h"

/* ---- label values, in the order of their enums ---- */

static const char *const rpcs[SL_PUMP_RPCS + 1] = {"WriteBinlog", "PullBinlogs"};
static const char *const rpc_ends[SL_PUMP_RPC_ENDS + 1] = {"succ", "fail"};
static const char *const errors[SL_PUMP_ERRORS + 1] = {
    "write_binlog", "write_binlog_batch", "batch_write_kv", "read_value", "feed_pre_write_value"};
static const char *const writes[SL_PUMP_WRITES + 1] = {"single", "batch"};
static const char *const parts[SL_PUMP_PARTS + 1] = {"single", "batch", "to_disk", "rotate",
                                                     "fsync"};
static const char *const lates[SL_PUMP_LATES + 1] = {"copy", "protocol"};
static const char *const gaps[] = {"purged", "orphan", "late", "repeat", NULL};
static const char *const refusals[SL_PUMP_REFUSALS + 1] = {
    "cluster", "payload", "state", "size", "space", "timestamp", "unresolved", "busy", "stopping"};

/* ---- values that are computed ---- */

/* In the order of `gaps`. */
static bool read_gaps(void *context, const char *const values[SL_METRIC_LABELS_MAX], double *out)
{
    const struct sl_pump_board   *board = context;
    const _Atomic uint64_t *const counts[] = {&board->pull_purged, &board->pull_orphans,
                                              &board->pull_late, &board->pull_repeats};

    for (size_t i = 0; gaps[i] != NULL; i++) {
        if (strcmp(gaps[i], values[0]) == 0)
            *out = (double)atomic_load_explicit(counts[i], memory_order_relaxed);
    }
    return true;
}

/* ---- families: helps of the original are the original's ---- */

enum family {
    RPC_SECONDS,
    LOSS,
    PURGE,
    GC_MS,
    DONE_GC_MS,
    DELETED_KV,
    SIZE_BYTES,
    MAX_COMMIT_MS,
    QUERY_TIKV,
    ERRORS,
    WRITE_BYTES,
    WRITE_SECONDS,
    CHASER,
    CHASER_SECONDS,
    WATERMARK_LAG_MS,
    UNRESOLVED,
    LATE,
    DAMAGED_SHARDS,
    CONNECTIONS,
    PULLERS,
    GAPS,
    REFUSED,
    SPOOLED_BYTES,
    CHECKPOINT_SECONDS,
    FAMILIES,
};

static const struct sl_metric_row rows[FAMILIES] = {
    [RPC_SECONDS] = {.name = "binlog_pump_rpc_duration_seconds",
                     .kind = SL_METRIC_HISTOGRAM,
                     .unit = "seconds",
                     .help = "Bucketed histogram of processing time (s) of rpc queries.",
                     .labels = {{"label", rpc_ends}, {"method", rpcs}},
                     .buckets = {5e-05, 18}},
    [LOSS] = {.name = "binlog_pump_loss_binlog_count",
              .kind = SL_METRIC_COUNTER,
              .unit = "",
              .help = "Total loss binlog count"},
    [PURGE] = {.name = "binlog_pump_detected_drainer_binlog_purge_count",
               .kind = SL_METRIC_COUNTER,
               .unit = "",
               .help = "Times that this drainer was found not to have read what is old enough "
                       "to be removed, or soon is",
               .labels = {{"id", NULL}}},
    [GC_MS] = {.name = "binlog_pump_storage_gc_ts",
               .kind = SL_METRIC_GAUGE,
               .unit = "milliseconds",
               .help = "gc ts of storage"},
    [DONE_GC_MS] = {.name = "binlog_pump_storage_done_gc_ts",
                    .kind = SL_METRIC_GAUGE,
                    .unit = "milliseconds",
                    .help = "the metadata and vlog after this gc ts has been collected"},
    [DELETED_KV] = {.name = "binlog_pump_storage_deleted_kv_total",
                    .kind = SL_METRIC_COUNTER,
                    .unit = "",
                    .help = "deleted kv total number"},
    [SIZE_BYTES] = {.name = "binlog_pump_storage_storage_size_bytes",
                    .kind = SL_METRIC_GAUGE,
                    .unit = "bytes",
                    .help = "storage size info",
                    .labels = {{"type", SL_METRIC_VALUES("capacity", "available")}}},
    [MAX_COMMIT_MS] = {.name = "binlog_pump_storage_max_commit_ts",
                       .kind = SL_METRIC_GAUGE,
                       .unit = "milliseconds",
                       .help = "max commit ts of storage"},
    [QUERY_TIKV] = {.name = "binlog_pump_storage_query_tikv_count",
                    .kind = SL_METRIC_COUNTER,
                    .unit = "",
                    .help = "Total count that queried tikv."},
    [ERRORS] = {.name = "binlog_pump_storage_error_count",
                .kind = SL_METRIC_COUNTER,
                .unit = "",
                .help = "Total count of error in storage.",
                .labels = {{"type", errors}}},
    [WRITE_BYTES] = {.name = "binlog_pump_storage_write_binlog_size",
                     .kind = SL_METRIC_HISTOGRAM,
                     .unit = "bytes",
                     .help = "write binlog size",
                     .labels = {{"type", writes}},
                     .buckets = {16, 25}},
    [WRITE_SECONDS] = {.name = "binlog_pump_storage_write_binlog_duration_time",
                       .kind = SL_METRIC_HISTOGRAM,
                       .unit = "seconds",
                       .help = "Bucketed histogram of write time (s) of  binlog.",
                       .labels = {{"type", parts}},
                       .buckets = {5e-05, 20}},
    /* There is no slow chaser here; panels that show it stay at zero. */
    [CHASER] = {.name = "binlog_pump_storage_slow_chaser_count",
                .kind = SL_METRIC_COUNTER,
                .unit = "",
                .help = "Total count of slow chaser; always 0",
                .labels = {{"type",
                            SL_METRIC_VALUES("turned_on", "turned_off", "recovery", "catch_up")}}},
    [CHASER_SECONDS] = {.name = "binlog_drainer_slow_chaser_catchup_time_seconds",
                        .kind = SL_METRIC_HISTOGRAM,
                        .unit = "seconds",
                        .help = "Bucketed histogram of catch-up time (s) of the slow chaser; "
                                "always empty",
                        .buckets = {0.001, 22}},

    [WATERMARK_LAG_MS] = {.name = "sluice_pump_watermark_lag_ms",
                          .kind = SL_METRIC_GAUGE,
                          .unit = "milliseconds",
                          .help = "From the watermark that readers see to the newest timestamp"},
    [UNRESOLVED] = {.name = "sluice_pump_unresolved_prewrites",
                    .kind = SL_METRIC_GAUGE,
                    .unit = "",
                    .help = "Prewrites that wait for their commit or rollback"},
    [LATE] = {.name = "sluice_pump_late_commit_total",
              .kind = SL_METRIC_COUNTER,
              .unit = "",
              .help = "Commits that came at or below the watermark: a copy of a prewrite that was "
                      "settled, or against the protocol",
              .labels = {{"kind", lates}}},
    [DAMAGED_SHARDS] = {.name = "sluice_pump_damaged_shards",
                        .kind = SL_METRIC_GAUGE,
                        .unit = "",
                        .help = "Shards with a damaged segment in their log; /status names it"},
    [CONNECTIONS] = {.name = "sluice_pump_connections",
                     .kind = SL_METRIC_GAUGE,
                     .unit = "",
                     .help = "Open connections"},
    [PULLERS] = {.name = "sluice_pump_pullers",
                 .kind = SL_METRIC_GAUGE,
                 .unit = "",
                 .help = "Streams to drainers"},
    [GAPS] = {.name = "sluice_pump_not_sent_total",
              .kind = SL_METRIC_COUNTER,
              .unit = "",
              .help = "What readers were not given: streams that asked for what retention had "
                      "removed; commits without their prewrite, after their time, or twice",
              .labels = {{"reason", gaps}},
              .read = read_gaps},
    [REFUSED] = {.name = "sluice_pump_writes_refused_total",
                 .kind = SL_METRIC_COUNTER,
                 .unit = "",
                 .help = "Writes that were not accepted",
                 .labels = {{"reason", refusals}}},
    [SPOOLED_BYTES] = {.name = "sluice_pump_spooled_bytes_total",
                       .kind = SL_METRIC_COUNTER,
                       .unit = "bytes",
                       .help = "Bytes of large records that went through the spool"},
    [CHECKPOINT_SECONDS] = {.name = "sluice_pump_index_checkpoint_seconds",
                            .kind = SL_METRIC_HISTOGRAM,
                            .unit = "seconds",
                            .help = "Time that a checkpoint of the index takes",
                            .buckets = {0.001, 16}},
};

const struct sl_metric_table sl_pump_metric_table = {"Pump", rows, FAMILIES};

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

static void look_up_rpcs(struct sl_metric_registry *registry, struct sl_pump_metrics *out)
{
    for (size_t i = 0; i < SL_PUMP_RPCS; i++) {
        for (size_t j = 0; j < SL_PUMP_RPC_ENDS; j++)
            out->rpc_seconds[i][j] =
                sl_metric_series(registry, &rows[RPC_SECONDS], rpc_ends[j], rpcs[i]);
    }
}

void sl_pump_metrics_add(struct sl_metric_registry *registry, struct sl_pump_board *board,
                         struct sl_pump_metrics *out)
{
    sl_metric_registry_add(registry, &sl_pump_metric_table, board);
    *out = (struct sl_pump_metrics){
        .registry = registry,
        .loss = look_up(registry, LOSS),
        .gc_ms = look_up(registry, GC_MS),
        .done_gc_ms = look_up(registry, DONE_GC_MS),
        .deleted_kv = look_up(registry, DELETED_KV),
        .capacity_bytes = sl_metric_series(registry, &rows[SIZE_BYTES], "capacity", NULL),
        .available_bytes = sl_metric_series(registry, &rows[SIZE_BYTES], "available", NULL),
        .max_commit_ms = look_up(registry, MAX_COMMIT_MS),
        .query_tikv = look_up(registry, QUERY_TIKV),
        .watermark_lag_ms = look_up(registry, WATERMARK_LAG_MS),
        .unresolved = look_up(registry, UNRESOLVED),
        .damaged_shards = look_up(registry, DAMAGED_SHARDS),
        .connections = look_up(registry, CONNECTIONS),
        .pullers = look_up(registry, PULLERS),
        .spooled_bytes = look_up(registry, SPOOLED_BYTES),
        .checkpoint_seconds = look_up(registry, CHECKPOINT_SECONDS),
    };
    look_up_rpcs(registry, out);
    look_up_all(registry, ERRORS, out->errors);
    look_up_all(registry, WRITE_BYTES, out->write_bytes);
    look_up_all(registry, WRITE_SECONDS, out->write_seconds);
    look_up_all(registry, LATE, out->late);
    look_up_all(registry, REFUSED, out->refused);
}

struct sl_metric_series *sl_pump_metrics_purge(const struct sl_pump_metrics *metrics,
                                               const char                   *drainer_id)
{
    return sl_metric_series(metrics->registry, &rows[PURGE], drainer_id, NULL);
}
