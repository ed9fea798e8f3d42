#ifndef SL_BASE_METRIC_H
#define SL_BASE_METRIC_H

/* Metrics: tables of what a program measures, and their text for Prometheus (format 0.0.4).
 *
 * A row of a table is a family: name, kind, unit, help, labels. A family has one series per
 * combination of label values. Where the values are listed in the row, all series are there from
 * the start, so that an alert on change sees the first change; where they are open (the id of a
 * peer), a series is there from its first look-up on.
 *
 *     enum { PUMP_RPC_DURATION, PUMP_LOSS, PUMP_METRICS };
 *     static const struct sl_metric_row rows[PUMP_METRICS] = {
 *         [PUMP_RPC_DURATION] = {
 *             .name = "binlog_pump_rpc_duration_seconds",
 *             .kind = SL_METRIC_HISTOGRAM,
 *             .unit = "seconds",
 *             .help = "Time from request to answer.",
 *             .labels = {{"label", SL_METRIC_VALUES("succ", "fail")},
 *                        {"method", SL_METRIC_VALUES("WriteBinlog", "PullBinlogs")}},
 *             .buckets = {5e-05, 18},
 *         },
 *         ...
 *     };
 *     static const struct sl_metric_table pump_metrics = {"Pump", rows, PUMP_METRICS};
 *
 *     sl_metric_registry_add(registry, &pump_metrics, NULL);
 *     failed = sl_metric_series(registry, &rows[PUMP_RPC_DURATION], "fail", "WriteBinlog");
 *     sl_metric_observe(failed, 0.25);
 *
 * Look a series up once and keep the pointer: updates are a few atomic instructions, without locks,
 * from any thread.
 *
 * Values of open labels may come from outside. A family takes SL_METRIC_SERIES_MAX series; what is
 * beyond, and values that are too long or not UTF-8, share one series whose labels all say "other",
 * and are counted in sluice_metric_overflow_total, which every registry has. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/limits.h"

/* ---- tables ---- */

/* A counter only rises, a gauge moves both ways, a histogram counts values by size. */
enum sl_metric_kind { SL_METRIC_COUNTER, SL_METRIC_GAUGE, SL_METRIC_HISTOGRAM };

/* The values of a listed label. */
#define SL_METRIC_VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Listed labels have all their series from the start; open ones take what look-ups bring. */
struct sl_metric_label {
    const char        *name;   /* NULL: no label, and none after it */
    const char *const *values; /* SL_METRIC_VALUES; NULL: open */
};

/* Upper bounds start, 2 start, 4 start ...; +Inf follows by itself. */
struct sl_metric_buckets {
    double   start; /* above 0 */
    unsigned count; /* 1..SL_METRIC_BUCKETS_MAX */
};

/* Find the value of one series when it is asked for; values are those of its labels. False: unknown
 * now, and the series is left out. Called by sl_metric_write on its thread. */
typedef bool (*sl_metric_read)(void *context, const char *const values[SL_METRIC_LABELS_MAX],
                               double *out);

/* Static and constant. Prometheus' own libraries write labels in the order of their names. */
struct sl_metric_row {
    const char              *name; /* [a-zA-Z_:][a-zA-Z0-9_:]* */
    enum sl_metric_kind      kind;
    const char              *unit; /* for the manual: "seconds", "bytes"; "" for plain counts */
    const char              *help;
    struct sl_metric_label   labels[SL_METRIC_LABELS_MAX];
    struct sl_metric_buckets buckets; /* of a histogram */
    /* Computes the value when it is asked for: counter or gauge, all labels listed. NULL: the value
     * is what the functions below make it. */
    sl_metric_read read;
};

/* The families that one module brings, a chapter of the manual. Static and constant. */
struct sl_metric_table {
    const char                 *title; /* in the manual */
    const struct sl_metric_row *rows;
    unsigned                    row_count;
};

/* process_cpu_seconds_total, process_open_fds, process_max_fds, process_virtual_memory_bytes,
 * process_resident_memory_bytes, process_start_time_seconds, from /proc. */
extern const struct sl_metric_table sl_metric_process_table;

/* ---- registry ---- */

/* The families that one /metrics shows. */
struct sl_metric_registry;

/* An empty registry, the caller's. */
struct sl_metric_registry *sl_metric_registry_new(void);
/* Free it with all series; nulls the pointer. Nobody updates or looks up any more. */
void sl_metric_registry_free(struct sl_metric_registry **registry);

/* Add the families of a table, which outlives the registry; context is passed to its read
 * functions. A name that is there already is a bug. Before there are other threads. */
void sl_metric_registry_add(struct sl_metric_registry    *registry,
                            const struct sl_metric_table *table, void *context);

/* ---- series ---- */

struct sl_metric_series;

/* The series of this row (which belongs to an added table and has no read function) with these
 * label values, NULL where the row has no label. A listed label takes only listed values. The
 * pointer is valid as long as the registry. Any thread; takes a lock. */
struct sl_metric_series *sl_metric_series(struct sl_metric_registry  *registry,
                                          const struct sl_metric_row *row, const char *first,
                                          const char *second);

/* Counter: add. */
void sl_metric_add(struct sl_metric_series *series, uint64_t n);
/* Gauge: set, or move by a positive or negative amount. */
void sl_metric_set(struct sl_metric_series *series, double value);
void sl_metric_move(struct sl_metric_series *series, double by);
/* Histogram: count a value, which is a number. The sum is a double, to which values are added one
 * by one: while they are not negative, it is off by at most count * 2^-53 of itself. A reader may
 * see a count without its sum, for the moment between two instructions. */
void sl_metric_observe(struct sl_metric_series *series, double value);

/* ---- output ---- */

/* Write all families in the order of their tables and rows, series in the order of their label
 * values, numbers as Prometheus' Go library does (5e-05, 0.0001, 2.68435456e+08). Families without
 * a series are left out. Whether writing failed is known to `out`. Any thread. */
void sl_metric_write(struct sl_metric_registry *registry, FILE *out);

/* Write a table as a chapter of the manual, in Markdown. */
void sl_metric_manual(const struct sl_metric_table *table, FILE *out);

#endif
