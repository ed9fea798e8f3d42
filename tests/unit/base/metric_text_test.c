/* What /metrics and the manual say, byte by byte. Numbers are compared with what Go's strconv, and
 * with it Prometheus' Go library, prints for the same doubles. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metric_parts.h"

static void numbers_look_as_in_go(void **state)
{
    static const struct {
        double      value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {0.1, "0.1"},
        {0.30000000000000004, "0.30000000000000004"},
        {100, "100"},
        {12345.678, "12345.678"},
        {100000, "100000"},
        {123456, "123456"},
        {999999, "999999"},
        {1000000, "1e+06"},
        {1234567, "1.234567e+06"},
        {1556443799016, "1.556443799016e+12"},
        {9007199254740992, "9.007199254740992e+15"},
        {18446744073709551615.0, "1.8446744073709552e+19"},
        {1e21, "1e+21"},
        {1e23, "1e+23"},
        {0.000123, "0.000123"},
        {0.0001, "0.0001"},
        {1e-05, "1e-05"},
        {-2.5e-07, "-2.5e-07"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {NAN, "NaN"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
    };
    char text[METRIC_NUMBER_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        metric_number_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* All families of a fresh registry with this table; the caller frees it. */
static char *written(const struct sl_metric_table *table, void *context)
{
    struct sl_metric_registry *registry = sl_metric_registry_new();
    char                      *text = NULL;
    size_t                     bytes = 0;
    FILE                      *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    sl_metric_registry_add(registry, table, context);
    sl_metric_write(registry, out);
    assert_int_equal(fclose(out), 0);
    sl_metric_registry_free(&registry);
    return text;
}

/* The bounds of the one histogram in the text, separated by blanks. */
static void list_bounds(const char *text, char *out, size_t size)
{
    size_t used = 0;

    while ((text = strstr(text, "le=\"")) != NULL) {
        size_t n = strcspn(text += 4, "\"");

        assert_true(used + n + 1 < size);
        used += (size_t)snprintf(out + used, size - used, "%.*s ", (int)n, text);
    }
    out[used - 1] = '\0';
}

static void bucket_bounds_are_those_of_the_original(void **state)
{
    static const struct {
        struct sl_metric_buckets buckets;
        const char              *bounds;
    } cases[] = {
        {{0.00005, 18},
         "5e-05 0.0001 0.0002 0.0004 0.0008 0.0016 0.0032 0.0064 0.0128 0.0256 0.0512 0.1024 "
         "0.2048 "
         "0.4096 0.8192 1.6384 3.2768 6.5536 +Inf"},
        {{16, 25},
         "16 32 64 128 256 512 1024 2048 4096 8192 16384 32768 65536 131072 262144 524288 "
         "1.048576e+06 2.097152e+06 4.194304e+06 8.388608e+06 1.6777216e+07 3.3554432e+07 "
         "6.7108864e+07 1.34217728e+08 2.68435456e+08 +Inf"},
        {{0.00005, 20},
         "5e-05 0.0001 0.0002 0.0004 0.0008 0.0016 0.0032 0.0064 0.0128 0.0256 0.0512 0.1024 "
         "0.2048 "
         "0.4096 0.8192 1.6384 3.2768 6.5536 13.1072 26.2144 +Inf"},
        {{0.001, 22},
         "0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 4.096 8.192 "
         "16.384 32.768 65.536 131.072 262.144 524.288 1048.576 2097.152 +Inf"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sl_metric_row   row = {.name = "h",
                                            .kind = SL_METRIC_HISTOGRAM,
                                            .unit = "",
                                            .help = "H.",
                                            .buckets = cases[i].buckets};
        const struct sl_metric_table table = {"Test", &row, 1};
        char                        *text = written(&table, NULL);
        char                         bounds[1024];

        list_bounds(text, bounds, sizeof bounds);
        assert_string_equal(bounds, cases[i].bounds);
        free(text);
    }
}

static bool read_size(void *context, const char *const values[], double *out)
{
    const double *available = context;

    if (strcmp(values[0], "unknown") == 0)
        return false;
    *out = strcmp(values[0], "available") == 0 ? *available : 1e9;
    return true;
}

static bool read_nothing(void *context, const char *const values[], double *out)
{
    (void)context;
    (void)values;
    (void)out;
    return false;
}

enum { RPC, ERRORS, PEERS, SIZE, ABSENT, ROWS };

static const struct sl_metric_row rows[ROWS] = {
    [RPC] = {.name = "rpc_duration_seconds",
             .kind = SL_METRIC_HISTOGRAM,
             .unit = "seconds",
             .help = "From request to answer.",
             .labels = {{"method", SL_METRIC_VALUES("Write")}},
             .buckets = {0.5, 2}},
    [ERRORS] = {.name = "error_count",
                .kind = SL_METRIC_COUNTER,
                .unit = "",
                .help = "Errors: a\\b,\n\"c\" | d.",
                .labels = {{"type", SL_METRIC_VALUES("read", "write|sync")}}},
    [PEERS] = {.name = "peer_total",
               .kind = SL_METRIC_COUNTER,
               .unit = "",
               .help = "Peers.",
               .labels = {{"id", NULL}, {"type", SL_METRIC_VALUES("x")}}},
    [SIZE] = {.name = "size_bytes",
              .kind = SL_METRIC_GAUGE,
              .unit = "bytes",
              .help = "Of the disk.",
              .labels = {{"type", SL_METRIC_VALUES("capacity", "available", "unknown")}},
              .read = read_size},
    [ABSENT] = {.name = "absent",
                .kind = SL_METRIC_GAUGE,
                .unit = "",
                .help = "Nobody knows.",
                .read = read_nothing},
};
static const struct sl_metric_table table = {"Pump", rows, ROWS};

static void the_exposition_is_this_text(void **state)
{
    double                     available = 123;
    struct sl_metric_registry *registry = sl_metric_registry_new();
    char                      *text = NULL;
    size_t                     bytes = 0;
    FILE                      *out = open_memstream(&text, &bytes);

    (void)state;
    sl_metric_registry_add(registry, &table, &available);
    sl_metric_observe(sl_metric_series(registry, &rows[RPC], "Write", NULL), 0.75);
    sl_metric_observe(sl_metric_series(registry, &rows[RPC], "Write", NULL), 8);
    sl_metric_add(sl_metric_series(registry, &rows[ERRORS], "read", NULL), 1000000);
    sl_metric_add(sl_metric_series(registry, &rows[PEERS], "a\\b\"c\nd|\xc3\xbc", "x"), 1);
    sl_metric_write(registry, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(strstr(text, "# HELP rpc"),
                        "# HELP rpc_duration_seconds From request to answer.\n"
                        "# TYPE rpc_duration_seconds histogram\n"
                        "rpc_duration_seconds_bucket{method=\"Write\",le=\"0.5\"} 0\n"
                        "rpc_duration_seconds_bucket{method=\"Write\",le=\"1\"} 1\n"
                        "rpc_duration_seconds_bucket{method=\"Write\",le=\"+Inf\"} 2\n"
                        "rpc_duration_seconds_sum{method=\"Write\"} 8.75\n"
                        "rpc_duration_seconds_count{method=\"Write\"} 2\n"
                        "# HELP error_count Errors: a\\\\b,\\n\"c\" | d.\n"
                        "# TYPE error_count counter\n"
                        "error_count{type=\"read\"} 1e+06\n"
                        "error_count{type=\"write|sync\"} 0\n"
                        "# HELP peer_total Peers.\n"
                        "# TYPE peer_total counter\n"
                        "peer_total{id=\"a\\\\b\\\"c\\nd|\xc3\xbc\",type=\"x\"} 1\n"
                        "# HELP size_bytes Of the disk.\n"
                        "# TYPE size_bytes gauge\n"
                        "size_bytes{type=\"available\"} 123\n"
                        "size_bytes{type=\"capacity\"} 1e+09\n");
    free(text);
    sl_metric_registry_free(&registry);
}

static void the_manual_is_this_text(void **state)
{
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);

    (void)state;
    sl_metric_manual(&table, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "## Pump\n\n"
        "| Name | Kind | Labels | Unit | Meaning |\n"
        "|---|---|---|---|---|\n"
        "| `rpc_duration_seconds` | histogram, 2 buckets, doubling from 0.5 | `method` (Write) |"
        " seconds | From request to answer. |\n"
        "| `error_count` | counter | `type` (read, write\\|sync) |  | Errors: a\\b, \"c\" \\| d. "
        "|\n"
        "| `peer_total` | counter | `id`, `type` (x) |  | Peers. |\n"
        "| `size_bytes` | gauge | `type` (capacity, available, unknown) | bytes | Of the disk. |\n"
        "| `absent` | gauge |  |  | Nobody knows. |\n");
    free(text);
}

static double process_value(const char *name)
{
    char       *text = written(&sl_metric_process_table, NULL);
    char        line[128];
    const char *at;
    double      value;

    (void)snprintf(line, sizeof line, "\n%s ", name);
    at = strstr(text, line);
    if (at == NULL)
        fail_msg("no %s in:\n%s", name, text);
    value = strtod(at + strlen(line), NULL);
    free(text);
    return value;
}

static void the_process_is_measured(void **state)
{
    double fds = process_value("process_open_fds");
    int    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(fds >= 3);
    assert_true(process_value("process_open_fds") == fds + 1);
    assert_int_equal(close(fd), 0);
    assert_true(process_value("process_max_fds") >= fds);
    assert_true(process_value("process_resident_memory_bytes") > 1 << 16);
    assert_true(process_value("process_virtual_memory_bytes") >
                process_value("process_resident_memory_bytes"));
}

static void the_process_has_a_past(void **state)
{
    double   now = (double)time(NULL);
    double   start = process_value("process_start_time_seconds");
    double   cpu = process_value("process_cpu_seconds_total");
    clock_t  until = clock() + CLOCKS_PER_SEC / 20;
    unsigned spun = 0;

    (void)state;
    assert_true(start <= now + 2 && start > now - 3600);
    while (clock() < until)
        spun++;
    assert_true(spun > 0);
    assert_true(process_value("process_cpu_seconds_total") > cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_look_as_in_go),
        cmocka_unit_test(bucket_bounds_are_those_of_the_original),
        cmocka_unit_test(the_exposition_is_this_text),
        cmocka_unit_test(the_manual_is_this_text),
        cmocka_unit_test(the_process_is_measured),
        cmocka_unit_test(the_process_has_a_past),
    };

    return cmocka_run_group_tests_name("metric_text", tests, NULL, NULL);
}
