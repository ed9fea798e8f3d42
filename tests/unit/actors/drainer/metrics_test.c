/* The drainer's series: every line of the original is there, by name, type, labels and buckets, as
 * recorded from a running one in tests/corpus/ops; and every pointer leads to its own series. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/metrics.h"

static struct sl_metric_registry *registry;
static struct sl_drainer_metrics  metrics;

static int begin(void **state)
{
    (void)state;
    registry = sl_metric_registry_new();
    sl_drainer_metrics_add(registry, &metrics);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sl_metric_registry_free(&registry);
    return 0;
}

/* All families as text, which the caller frees. It begins with a newline, so that a line can be
 * looked for with one on either side. */
static char *written(void)
{
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);

    assert_int_equal(fputc('\n', out), '\n');
    sl_metric_write(registry, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The line that holds this one's name and labels, or this comment; values differ. */
static bool has_line(const char *text, const char *line)
{
    char   wanted[512];
    size_t bytes = line[0] == '#' ? strlen(line) : (size_t)(strrchr(line, ' ') + 1 - line);

    (void)snprintf(wanted, sizeof wanted, "\n%.*s", (int)bytes, line);
    return strstr(text, wanted) != NULL;
}

static void assert_sample(const char *text, const char *sample)
{
    char line[256];

    (void)snprintf(line, sizeof line, "\n%s\n", sample);
    if (strstr(text, line) == NULL)
        fail_msg("missing: %s", sample);
}

static void every_line_of_the_original_is_there(void **state)
{
    FILE                          *recorded;
    char                          *text;
    char                           line[512];
    size_t                         count = 0;
    struct sl_drainer_pump_metrics pump;

    (void)state;
    sl_drainer_metrics_pump(&metrics, "gopump-0", &pump);
    sl_drainer_metrics_pump(&metrics, "gopump-1", &pump);
    text = written();
    recorded = fopen("tests/corpus/ops/drainer-GET-metrics.txt", "re");
    assert_non_null(recorded);
    while (fgets(line, sizeof line, recorded) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "binlog_") == NULL)
            continue;
        count++;
        if (!has_line(text, line))
            fail_msg("missing: %s", line);
    }
    assert_true(count > 150); /* no line was passed over */
    assert_int_equal(fclose(recorded), 0);
    free(text);
}

/* Series that the recorded version did not have, or not yet. */
static void what_the_recording_lacks_is_there_from_the_start(void **state)
{
    static const char *const lines[] = {
        "binlog_drainer_event{type=\"Update\"} 0",
        "binlog_drainer_error_count{type=\"unmarshal_binlog\"} 0",
        "binlog_drainer_error_count{type=\"apply\"} 0",
        "binlog_drainer_disorder_binlog_count 0",
        "binlog_drainer_query_duration_time_count{type=\"update_mark_table\"} 0",
        "binlog_drainer_execute_duration_time_bucket{le=\"104.8576\"} 0",
        "binlog_drainer_queue_size{name=\"syncer_input\"} 0",
        "binlog_drainer_queue_size{name=\"worker_0\"} 0",
        "binlog_drainer_queue_size{name=\"worker_9\"} 0",
        "binlog_binlogfile_write_binlog_size_count{label=\"local\"} 0",
        "binlog_binlogfile_write_binlog_duration_time_count{label=\"local\"} 0",
        "binlog_binlogfile_read_binlog_duration_time_count{label=\"local\"} 0",
        "sluice_drainer_skipped_total{reason=\"commit_ts\"} 0",
    };
    char *text = written();

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!has_line(text, lines[i]))
            fail_msg("missing: %s", lines[i]);
    }
    assert_null(strstr(text, "pump_position"));
    free(text);
}

static void a_pumps_series_come_with_its_id(void **state)
{
    struct sl_drainer_pump_metrics pump;
    char                          *text;

    (void)state;
    sl_drainer_metrics_pump(&metrics, "p:8250", &pump);
    sl_metric_set(pump.position_ms, 7);
    sl_metric_observe(pump.reach_seconds, 0.5);
    sl_metric_observe(pump.binlog_bytes, 100);
    text = written();
    assert_sample(text, "binlog_drainer_pump_position{nodeID=\"p:8250\"} 7");
    assert_sample(text, "binlog_drainer_binlog_reach_duration_time_sum{nodeID=\"p:8250\"} 0.5");
    assert_sample(text, "binlog_drainer_read_binlog_size_sum{nodeID=\"p:8250\"} 100");
    free(text);
}

/* Counters are added to and gauges set by one number each, counted up: each must show its own. */
static void each_pointer_leads_to_the_series_of_its_name(void **state)
{
    const struct {
        struct sl_metric_series *series;
        const char              *line;
    } counters[] = {
        {metrics.ddl_jobs, "binlog_drainer_ddl_jobs_total 1"},
        {metrics.disorder, "binlog_drainer_disorder_binlog_count 2"},
        {metrics.errors[SL_DRAINER_ERROR_UNMARSHAL_BINLOG],
         "binlog_drainer_error_count{type=\"unmarshal_binlog\"} 3"},
        {metrics.errors[SL_DRAINER_ERROR_PULL], "binlog_drainer_error_count{type=\"pull\"} 4"},
        {metrics.errors[SL_DRAINER_ERROR_SCHEMA], "binlog_drainer_error_count{type=\"schema\"} 5"},
        {metrics.errors[SL_DRAINER_ERROR_APPLY], "binlog_drainer_error_count{type=\"apply\"} 6"},
        {metrics.errors[SL_DRAINER_ERROR_CHECKPOINT],
         "binlog_drainer_error_count{type=\"checkpoint\"} 7"},
        {metrics.errors[SL_DRAINER_ERROR_REGISTRY],
         "binlog_drainer_error_count{type=\"registry\"} 8"},
        {metrics.events[SL_DRAINER_EVENT_INSERT], "binlog_drainer_event{type=\"Insert\"} 9"},
        {metrics.events[SL_DRAINER_EVENT_UPDATE], "binlog_drainer_event{type=\"Update\"} 10"},
        {metrics.events[SL_DRAINER_EVENT_DELETE], "binlog_drainer_event{type=\"Delete\"} 11"},
        {metrics.events[SL_DRAINER_EVENT_DDL], "binlog_drainer_event{type=\"DDL\"} 12"},
        {metrics.events[SL_DRAINER_EVENT_SAVEPOINT], "binlog_drainer_event{type=\"savepoint\"} 13"},
        {metrics.copies, "sluice_drainer_copies_total 14"},
        {metrics.skipped[SL_DRAINER_SKIP_TABLE],
         "sluice_drainer_skipped_total{reason=\"table\"} 15"},
        {metrics.skipped[SL_DRAINER_SKIP_EVENT],
         "sluice_drainer_skipped_total{reason=\"event\"} 16"},
        {metrics.skipped[SL_DRAINER_SKIP_COMMIT_TS],
         "sluice_drainer_skipped_total{reason=\"commit_ts\"} 17"},
        {metrics.skipped[SL_DRAINER_SKIP_DDL], "sluice_drainer_skipped_total{reason=\"ddl\"} 18"},
        {metrics.transactions, "sluice_drainer_transactions_total 19"},
        {metrics.retries, "sluice_drainer_retries_total 20"},
    };
    const struct {
        struct sl_metric_series *series;
        const char              *line;
    } gauges[] = {
        {metrics.checkpoint_ms, "binlog_drainer_checkpoint_tso 1"},
        {metrics.queue_size[SL_DRAINER_QUEUE_INPUT],
         "binlog_drainer_queue_size{name=\"syncer_input\"} 2"},
        {metrics.queue_size[SL_DRAINER_QUEUE_WORKER_0 + 9],
         "binlog_drainer_queue_size{name=\"worker_9\"} 3"},
        {metrics.lag_seconds, "sluice_drainer_lag_seconds 4"},
        {metrics.health, "sluice_drainer_state 5"},
        {metrics.held_bytes, "sluice_drainer_held_bytes 6"},
        {metrics.budget_bytes, "sluice_drainer_budget_bytes 7"},
        {metrics.pumps, "sluice_drainer_pumps 8"},
        {metrics.connections, "sluice_drainer_connections 9"},
    };
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        sl_metric_add(counters[i].series, i + 1);
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        sl_metric_set(gauges[i].series, (double)(i + 1));
    text = written();
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        assert_sample(text, counters[i].line);
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        assert_sample(text, gauges[i].line);
    free(text);
}

static void each_histogram_leads_to_the_series_of_its_name(void **state)
{
    char *text;

    (void)state;
    sl_metric_observe(metrics.checkpoint_delay_seconds, 1);
    sl_metric_observe(metrics.execute_seconds, 2);
    sl_metric_observe(metrics.query_seconds[SL_DRAINER_QUERY_EXEC], 3);
    sl_metric_observe(metrics.query_seconds[SL_DRAINER_QUERY_COMMIT], 4);
    text = written();
    assert_sample(text, "binlog_drainer_checkpoint_delay_seconds_sum 1");
    assert_sample(text, "binlog_drainer_execute_duration_time_sum 2");
    assert_sample(text, "binlog_drainer_query_duration_time_sum{type=\"exec\"} 3");
    assert_sample(text, "binlog_drainer_query_duration_time_sum{type=\"commit\"} 4");
    free(text);
}

#define WITH_REGISTRY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REGISTRY(every_line_of_the_original_is_there),
        WITH_REGISTRY(what_the_recording_lacks_is_there_from_the_start),
        WITH_REGISTRY(a_pumps_series_come_with_its_id),
        WITH_REGISTRY(each_pointer_leads_to_the_series_of_its_name),
        WITH_REGISTRY(each_histogram_leads_to_the_series_of_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
