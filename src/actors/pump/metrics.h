#ifndef SL_ACTORS_PUMP_METRICS_H
#define SL_ACTORS_PUMP_METRICS_H

/* What a pump measures: the series of the original, whose names, labels and buckets dashboards and
 * alerts rely on (pump spec 7), and our own, whose names begin with sluice_pump_. All series are
 * there from the start, but for those of drainers, whose ids are not known before. */

#include "base/metric.h"

struct sl_pump_board;

/* Label values: the members index the arrays of struct sl_pump_metrics. */
enum sl_pump_rpc { SL_PUMP_RPC_WRITE, SL_PUMP_RPC_PULL, SL_PUMP_RPCS };
/* How a call ended. */
enum sl_pump_rpc_end { SL_PUMP_RPC_SUCC, SL_PUMP_RPC_FAIL, SL_PUMP_RPC_ENDS };
/* Errors that the original's alert watches. */
enum sl_pump_error {
    SL_PUMP_ERROR_WRITE_BINLOG,         /* one record was not stored */
    SL_PUMP_ERROR_WRITE_BINLOG_BATCH,   /* a write or a sync of the log failed */
    SL_PUMP_ERROR_BATCH_WRITE_KV,       /* a cut did not enter the index */
    SL_PUMP_ERROR_READ_VALUE,           /* a record could not be read back */
    SL_PUMP_ERROR_FEED_PRE_WRITE_VALUE, /* a commit without its prewrite was met when pulling */
    SL_PUMP_ERRORS,
};
/* What the size of a write is of. */
enum sl_pump_write_size { SL_PUMP_WRITE_SINGLE, SL_PUMP_WRITE_BATCH, SL_PUMP_WRITES };
/* Parts of a write that take time. */
enum sl_pump_write_part {
    SL_PUMP_PART_SINGLE,  /* from a request's arrival to its record being durable */
    SL_PUMP_PART_BATCH,   /* the same of all that is written at once */
    SL_PUMP_PART_TO_DISK, /* the write alone */
    SL_PUMP_PART_ROTATE,  /* beginning a new file */
    SL_PUMP_PART_FSYNC,
    SL_PUMP_PARTS,
};
/* Two kinds of commits at or below the watermark (architecture, "sorter"). */
enum sl_pump_late { SL_PUMP_LATE_COPY, SL_PUMP_LATE_PROTOCOL, SL_PUMP_LATES };
/* Why a write was not accepted. */
enum sl_pump_refusal {
    SL_PUMP_REFUSED_CLUSTER,    /* another cluster's */
    SL_PUMP_REFUSED_PAYLOAD,    /* no record */
    SL_PUMP_REFUSED_STATE,      /* the pump's state does not allow it */
    SL_PUMP_REFUSED_SIZE,       /* too large */
    SL_PUMP_REFUSED_SPACE,      /* too little free space */
    SL_PUMP_REFUSED_TIMESTAMP,  /* a commit ts from the future */
    SL_PUMP_REFUSED_UNRESOLVED, /* too many prewrites wait for their outcome */
    SL_PUMP_REFUSED_BUSY,       /* too many writes of its connection wait */
    SL_PUMP_REFUSED_STOPPING,   /* the pump stops */
    SL_PUMP_REFUSALS,
};

/* The series, looked up; valid as long as the registry. Times are in seconds, sizes in bytes,
 * gauges of timestamps in physical milliseconds. */
struct sl_pump_metrics {
    struct sl_metric_registry *registry; /* borrowed */

    /* Of the original. */
    struct sl_metric_series *rpc_seconds[SL_PUMP_RPCS][SL_PUMP_RPC_ENDS];
    struct sl_metric_series *loss; /* failed writes after the check of the cluster id */
    struct sl_metric_series *gc_ms;
    struct sl_metric_series *done_gc_ms;
    struct sl_metric_series *deleted_kv;
    struct sl_metric_series *capacity_bytes;
    struct sl_metric_series *available_bytes;
    struct sl_metric_series *max_commit_ms;
    struct sl_metric_series *query_tikv;
    struct sl_metric_series *errors[SL_PUMP_ERRORS];
    struct sl_metric_series *write_bytes[SL_PUMP_WRITES];
    struct sl_metric_series *write_seconds[SL_PUMP_PARTS];

    /* Our own. */
    struct sl_metric_series *watermark_lag_ms;
    struct sl_metric_series *unresolved;
    struct sl_metric_series *late[SL_PUMP_LATES];
    struct sl_metric_series *damaged_shards;
    struct sl_metric_series *connections;
    struct sl_metric_series *pullers;
    struct sl_metric_series *refused[SL_PUMP_REFUSALS];
    struct sl_metric_series *spooled_bytes;
    struct sl_metric_series *checkpoint_seconds;
};

/* All families, for the manual. */
extern const struct sl_metric_table sl_pump_metric_table;

/* Add the families to the registry, which has none of them, and look all series up. The board
 * outlives the registry: some values are read from it when they are asked for. Before there are
 * other threads. */
void sl_pump_metrics_add(struct sl_metric_registry *registry, struct sl_pump_board *board,
                         struct sl_pump_metrics *out);

/* The counter of one drainer's warnings: it has not read what is old enough to be removed, or soon
 * is. The registry names the drainer, so do not keep many. Any thread. */
struct sl_metric_series *sl_pump_metrics_purge(const struct sl_pump_metrics *metrics,
                                               const char                   *drainer_id);

#endif
