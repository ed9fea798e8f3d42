/* The pump's series: every line of the original is there, by name, type, labels and buckets, as
 * recorded from a running one in tests/corpus/ops; and every pointer leads to its own series. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/board.h"
#include "actors/pump/metrics.h"

static struct sl_metric_registry *registry;
static struct sl_pump_metrics     metrics;
static struct sl_pump_board       board;

static int begin(void **state)
{
    (void)state;
    registry = sl_metric_registry_new();
    sl_pump_metrics_add(registry, &board, &metrics);
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

/* A whole line, value included. */
static void assert_sample(const char *text, const char *sample)
{
    char line[256];

    (void)snprintf(line, sizeof line, "\n%s\n", sample);
    assert_non_null(strstr(text, line));
}

static void every_line_of_the_original_is_there(void **state)
{
    FILE  *recorded = fopen("tests/corpus/ops/pump-GET-metrics.txt", "re");
    char  *text = written();
    char   line[512];
    size_t count = 0;

    (void)state;
    assert_non_null(recorded);
    while (fgets(line, sizeof line, recorded) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "binlog_") == NULL)
            continue;
        count++;
        if (!has_line(text, line))
            fail_msg("missing: %s", line);
    }
    assert_int_equal(count, 145); /* no line was passed over */
    assert_int_equal(fclose(recorded), 0);
    free(text);
}

/* Series that the recorded version did not have, or not yet. */
static void what_the_recording_lacks_is_there_from_the_start(void **state)
{
    static const char *const lines[] = {
        "binlog_pump_rpc_duration_seconds_count{label=\"fail\",method=\"PullBinlogs\"} 0",
        "binlog_pump_storage_done_gc_ts 0",
        "binlog_pump_storage_deleted_kv_total 0",
        "binlog_pump_storage_error_count{type=\"write_binlog\"} 0",
        "binlog_pump_storage_error_count{type=\"write_binlog_batch\"} 0",
        "binlog_pump_storage_error_count{type=\"batch_write_kv\"} 0",
        "binlog_pump_storage_error_count{type=\"read_value\"} 0",
        "binlog_pump_storage_error_count{type=\"feed_pre_write_value\"} 0",
        "binlog_pump_storage_write_binlog_duration_time_bucket{type=\"to_disk\",le=\"26.2144\"} 0",
        "binlog_pump_storage_write_binlog_duration_time_count{type=\"rotate\"} 0",
        "binlog_pump_storage_write_binlog_duration_time_count{type=\"fsync\"} 0",
        "binlog_pump_storage_slow_chaser_count{type=\"turned_on\"} 0",
        "binlog_pump_storage_slow_chaser_count{type=\"turned_off\"} 0",
        "binlog_pump_storage_slow_chaser_count{type=\"recovery\"} 0",
        "binlog_pump_storage_slow_chaser_count{type=\"catch_up\"} 0",
        "binlog_drainer_slow_chaser_catchup_time_seconds_bucket{le=\"0.001\"} 0",
        "binlog_drainer_slow_chaser_catchup_time_seconds_bucket{le=\"2097.152\"} 0",
        "sluice_pump_late_commit_total{kind=\"copy\"} 0",
        "sluice_pump_writes_refused_total{reason=\"space\"} 0",
    };
    char *text = written();

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!has_line(text, lines[i]))
            fail_msg("missing: %s", lines[i]);
    }
    assert_null(strstr(text, "purge_count"));
    free(text);
}

static void what_readers_were_not_given_is_read_from_the_board(void **state)
{
    char *text;

    (void)state;
    atomic_store(&board.pull_purged, 1);
    atomic_store(&board.pull_orphans, 2);
    atomic_store(&board.pull_late, 3);
    atomic_store(&board.pull_repeats, 4);
    text = written();
    assert_sample(text, "sluice_pump_not_sent_total{reason=\"purged\"} 1");
    assert_sample(text, "sluice_pump_not_sent_total{reason=\"orphan\"} 2");
    assert_sample(text, "sluice_pump_not_sent_total{reason=\"late\"} 3");
    assert_sample(text, "sluice_pump_not_sent_total{reason=\"repeat\"} 4");
    free(text);
}

static void a_drainers_series_comes_with_its_id(void **state)
{
    char *text;

    (void)state;
    sl_metric_add(sl_pump_metrics_purge(&metrics, "vm:8249"), 2);
    text = written();
    assert_non_null(
        strstr(text, "\nbinlog_pump_detected_drainer_binlog_purge_count{id=\"vm:8249\"} 2\n"));
    free(text);
}

/* Counters are added to and gauges set by one number each, counted up: each must show its own. */
static void each_pointer_leads_to_the_series_of_its_name(void **state)
{
    const struct {
        struct sl_metric_series *series;
        const char              *line;
    } counters[] = {
        {metrics.loss, "binlog_pump_loss_binlog_count 1"},
        {metrics.deleted_kv, "binlog_pump_storage_deleted_kv_total 2"},
        {metrics.query_tikv, "binlog_pump_storage_query_tikv_count 3"},
        {metrics.errors[SL_PUMP_ERROR_WRITE_BINLOG],
         "binlog_pump_storage_error_count{type=\"write_binlog\"} 4"},
        {metrics.errors[SL_PUMP_ERROR_WRITE_BINLOG_BATCH],
         "binlog_pump_storage_error_count{type=\"write_binlog_batch\"} 5"},
        {metrics.errors[SL_PUMP_ERROR_BATCH_WRITE_KV],
         "binlog_pump_storage_error_count{type=\"batch_write_kv\"} 6"},
        {metrics.errors[SL_PUMP_ERROR_READ_VALUE],
         "binlog_pump_storage_error_count{type=\"read_value\"} 7"},
        {metrics.errors[SL_PUMP_ERROR_FEED_PRE_WRITE_VALUE],
         "binlog_pump_storage_error_count{type=\"feed_pre_write_value\"} 8"},
        {metrics.late[SL_PUMP_LATE_COPY], "sluice_pump_late_commit_total{kind=\"copy\"} 9"},
        {metrics.late[SL_PUMP_LATE_PROTOCOL],
         "sluice_pump_late_commit_total{kind=\"protocol\"} 10"},
        {metrics.refused[SL_PUMP_REFUSED_CLUSTER],
         "sluice_pump_writes_refused_total{reason=\"cluster\"} 11"},
        {metrics.refused[SL_PUMP_REFUSED_PAYLOAD],
         "sluice_pump_writes_refused_total{reason=\"payload\"} 12"},
        {metrics.refused[SL_PUMP_REFUSED_STATE],
         "sluice_pump_writes_refused_total{reason=\"state\"} 13"},
        {metrics.refused[SL_PUMP_REFUSED_SIZE],
         "sluice_pump_writes_refused_total{reason=\"size\"} 14"},
        {metrics.refused[SL_PUMP_REFUSED_SPACE],
         "sluice_pump_writes_refused_total{reason=\"space\"} 15"},
        {metrics.refused[SL_PUMP_REFUSED_TIMESTAMP],
         "sluice_pump_writes_refused_total{reason=\"timestamp\"} 16"},
        {metrics.refused[SL_PUMP_REFUSED_UNRESOLVED],
         "sluice_pump_writes_refused_total{reason=\"unresolved\"} 17"},
        {metrics.refused[SL_PUMP_REFUSED_BUSY],
         "sluice_pump_writes_refused_total{reason=\"busy\"} 18"},
        {metrics.refused[SL_PUMP_REFUSED_STOPPING],
         "sluice_pump_writes_refused_total{reason=\"stopping\"} 19"},
        {metrics.spooled_bytes, "sluice_pump_spooled_bytes_total 20"},
    };
    const struct {
        struct sl_metric_series *series;
        const char              *line;
    } gauges[] = {
        {metrics.gc_ms, "binlog_pump_storage_gc_ts 1"},
        {metrics.done_gc_ms, "binlog_pump_storage_done_gc_ts 2"},
        {metrics.capacity_bytes, "binlog_pump_storage_storage_size_bytes{type=\"capacity\"} 3"},
        {metrics.available_bytes, "binlog_pump_storage_storage_size_bytes{type=\"available\"} 4"},
        {metrics.max_commit_ms, "binlog_pump_storage_max_commit_ts 5"},
        {metrics.watermark_lag_ms, "sluice_pump_watermark_lag_ms 6"},
        {metrics.unresolved, "sluice_pump_unresolved_prewrites 7"},
        {metrics.connections, "sluice_pump_connections 8"},
        {metrics.pullers, "sluice_pump_pullers 9"},
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
    static const char *const rpcs[] = {"WriteBinlog", "PullBinlogs"};
    static const char *const ends[] = {"succ", "fail"};
    static const char *const writes[] = {"single", "batch"};
    static const char *const parts[] = {"single", "batch", "to_disk", "rotate", "fsync"};
    char                    *text;
    char                     line[256];

    (void)state;
    for (int i = 0; i < SL_PUMP_RPCS; i++)
        for (int j = 0; j < SL_PUMP_RPC_ENDS; j++)
            sl_metric_observe(metrics.rpc_seconds[i][j], 1 + 2 * i + j);
    for (int i = 0; i < SL_PUMP_WRITES; i++)
        sl_metric_observe(metrics.write_bytes[i], 1 + i);
    for (int i = 0; i < SL_PUMP_PARTS; i++)
        sl_metric_observe(metrics.write_seconds[i], 1 + i);
    sl_metric_observe(metrics.checkpoint_seconds, 1);
    text = written();
    for (int i = 0; i < SL_PUMP_RPCS; i++) {
        for (int j = 0; j < SL_PUMP_RPC_ENDS; j++) {
            (void)snprintf(line, sizeof line,
                           "\nbinlog_pump_rpc_duration_seconds_sum{label=\"%s\",method=\"%s\"} "
                           "%d\n",
                           ends[j], rpcs[i], 1 + 2 * i + j);
            assert_non_null(strstr(text, line));
        }
    }
    for (int i = 0; i < SL_PUMP_WRITES; i++) {
        (void)snprintf(line, sizeof line,
                       "\nbinlog_pump_storage_write_binlog_size_sum{type=\"%s\"} %d\n", writes[i],
                       1 + i);
        assert_non_null(strstr(text, line));
    }
    for (int i = 0; i < SL_PUMP_PARTS; i++) {
        (void)snprintf(line, sizeof line,
                       "\nbinlog_pump_storage_write_binlog_duration_time_sum{type=\"%s\"} %d\n",
                       parts[i], 1 + i);
        assert_non_null(strstr(text, line));
    }
    assert_non_null(strstr(text, "\nsluice_pump_index_checkpoint_seconds_sum 1\n"));
    free(text);
}

#define WITH_REGISTRY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REGISTRY(every_line_of_the_original_is_there),
        WITH_REGISTRY(what_the_recording_lacks_is_there_from_the_start),
        WITH_REGISTRY(what_readers_were_not_given_is_read_from_the_board),
        WITH_REGISTRY(a_drainers_series_comes_with_its_id),
        WITH_REGISTRY(each_pointer_leads_to_the_series_of_its_name),
        WITH_REGISTRY(each_histogram_leads_to_the_series_of_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
