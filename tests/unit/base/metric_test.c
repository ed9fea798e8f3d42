/* Series come into being as the table says, updates of many threads add up, and values from outside
 * cannot make a family grow without bound. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/metric.h"
#include "lib/child.h"

enum { PLAIN, LISTED, OPEN, MIXED, GAUGE, TIMES, ROWS };

static const struct sl_metric_row rows[ROWS] = {
    [PLAIN] = {.name = "plain_total", .kind = SL_METRIC_COUNTER, .unit = "", .help = "Plain."},
    [LISTED] = {.name = "listed_total",
                .kind = SL_METRIC_COUNTER,
                .unit = "",
                .help = "Listed.",
                .labels = {{"label", SL_METRIC_VALUES("succ", "fail")},
                           {"method", SL_METRIC_VALUES("Write", "Pull")}}},
    [OPEN] = {.name = "open_total",
              .kind = SL_METRIC_COUNTER,
              .unit = "",
              .help = "Open.",
              .labels = {{"id", NULL}}},
    [MIXED] = {.name = "mixed_total",
               .kind = SL_METRIC_COUNTER,
               .unit = "",
               .help = "Mixed.",
               .labels = {{"id", NULL}, {"type", SL_METRIC_VALUES("a", "b")}}},
    [GAUGE] = {.name = "gauge", .kind = SL_METRIC_GAUGE, .unit = "", .help = "Gauge."},
    [TIMES] = {.name = "seconds",
               .kind = SL_METRIC_HISTOGRAM,
               .unit = "seconds",
               .help = "Times.",
               .buckets = {0.25, 3}},
};
static const struct sl_metric_table table = {"Test", rows, ROWS};

static struct sl_metric_registry *registry;

static int make_registry(void **state)
{
    (void)state;
    registry = sl_metric_registry_new();
    sl_metric_registry_add(registry, &table, NULL);
    return 0;
}

static int free_registry(void **state)
{
    (void)state;
    sl_metric_registry_free(&registry);
    return registry == NULL ? 0 : -1;
}

static struct sl_metric_series *series(unsigned row, const char *first, const char *second)
{
    return sl_metric_series(registry, &rows[row], first, second);
}

/* All families as text; the caller frees it. */
static char *written(void)
{
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    sl_metric_write(registry, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_written(const char *line)
{
    char *text = written();

    if (strstr(text, line) == NULL)
        fail_msg("wanted \"%s\" in:\n%s", line, text);
    free(text);
}

static unsigned times_written(const char *words)
{
    char    *text = written();
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    free(text);
    return count;
}

static void listed_series_are_there_from_the_start(void **state)
{
    (void)state;
    assert_written("\nplain_total 0\n");
    assert_written("\nlisted_total{label=\"fail\",method=\"Pull\"} 0\n"
                   "listed_total{label=\"fail\",method=\"Write\"} 0\n"
                   "listed_total{label=\"succ\",method=\"Pull\"} 0\n"
                   "listed_total{label=\"succ\",method=\"Write\"} 0\n");
    assert_written("\nseconds_count 0\n");
    assert_int_equal(times_written("open_total"), 0);
    assert_int_equal(times_written("mixed_total"), 0);
}

static void open_series_are_there_from_their_first_look_up(void **state)
{
    (void)state;
    assert_ptr_equal(series(OPEN, "p2", NULL), series(OPEN, "p2", NULL));
    sl_metric_add(series(OPEN, "p1", NULL), 3);
    sl_metric_add(series(MIXED, "p1", "b"), 4);
    assert_written("\nopen_total{id=\"p1\"} 3\nopen_total{id=\"p2\"} 0\n");
    assert_int_equal(times_written("mixed_total{"), 1);
}

static void each_combination_is_a_series_of_its_own(void **state)
{
    (void)state;
    sl_metric_add(series(LISTED, "succ", "Pull"), 1);
    sl_metric_add(series(LISTED, "fail", "Write"), 2);
    sl_metric_add(series(LISTED, "succ", "Pull"), 4);
    assert_written("listed_total{label=\"fail\",method=\"Write\"} 2\n"
                   "listed_total{label=\"succ\",method=\"Pull\"} 5\n");
}

static void gauges_are_set_and_moved(void **state)
{
    (void)state;
    sl_metric_set(series(GAUGE, NULL, NULL), 10);
    sl_metric_move(series(GAUGE, NULL, NULL), -12.5);
    assert_written("\ngauge -2.5\n");
}

static void a_value_falls_into_the_first_bucket_not_below_it(void **state)
{
    struct sl_metric_series *s = series(TIMES, NULL, NULL);
    const double             values[] = {0, 0.25, 0.250001, 0.5, 1, 1.5, 100};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sl_metric_observe(s, values[i]);
    assert_written("seconds_bucket{le=\"0.25\"} 2\n"
                   "seconds_bucket{le=\"0.5\"} 4\n"
                   "seconds_bucket{le=\"1\"} 5\n"
                   "seconds_bucket{le=\"+Inf\"} 7\n"
                   "seconds_sum 103.500001\n"
                   "seconds_count 7\n");
}

static void a_family_is_bounded_and_the_rest_is_other(void **state)
{
    struct sl_metric_series *other;
    char                     id[32];

    (void)state;
    for (unsigned i = 0; i < SL_METRIC_SERIES_MAX - 1; i++) {
        (void)snprintf(id, sizeof id, "id%u", i);
        sl_metric_add(series(OPEN, id, NULL), 1);
    }
    assert_int_equal(times_written("open_total{"), SL_METRIC_SERIES_MAX - 1);
    assert_written("sluice_metric_overflow_total 0\n");
    other = series(OPEN, "one more", NULL);
    sl_metric_add(other, 5);
    assert_ptr_equal(series(OPEN, "yet another", NULL), other);
    assert_ptr_not_equal(series(OPEN, "id7", NULL), other); /* those who are in stay in */
    assert_int_equal(times_written("open_total{"), SL_METRIC_SERIES_MAX);
    assert_written("open_total{id=\"other\"} 5\n");
    assert_written("sluice_metric_overflow_total 2\n");
}

static void unusable_values_are_other(void **state)
{
    char longest[SL_METRIC_LABEL_BYTES_MAX + 1];
    char line[SL_METRIC_LABEL_BYTES_MAX + 64];

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[SL_METRIC_LABEL_BYTES_MAX] = '\0';
    sl_metric_add(series(OPEN, longest, NULL), 1);
    sl_metric_add(series(OPEN, "\xff", NULL), 2);
    sl_metric_add(series(MIXED, "\xc3", "b"), 4);
    assert_written("open_total{id=\"other\"} 3\n");
    assert_written("mixed_total{id=\"other\",type=\"other\"} 4\n");
    assert_written("sluice_metric_overflow_total 3\n");
    longest[SL_METRIC_LABEL_BYTES_MAX - 1] = '\0';
    sl_metric_add(series(OPEN, longest, NULL), 8);
    (void)snprintf(line, sizeof line, "open_total{id=\"%s\"} 8\n", longest);
    assert_written(line);
}

static void ask_for_an_unlisted_value(void)
{
    struct sl_metric_registry *r = sl_metric_registry_new();

    sl_metric_registry_add(r, &table, NULL);
    (void)sl_metric_series(r, &rows[LISTED], "succ", "Nothing");
}

static void ask_for_a_foreign_row(void)
{
    (void)sl_metric_series(sl_metric_registry_new(), &rows[PLAIN], NULL, NULL);
}

static void add_a_table_twice(void)
{
    struct sl_metric_registry *r = sl_metric_registry_new();

    sl_metric_registry_add(r, &table, NULL);
    sl_metric_registry_add(r, &table, NULL);
}

static void set_a_counter(void)
{
    struct sl_metric_registry *r = sl_metric_registry_new();

    sl_metric_registry_add(r, &table, NULL);
    sl_metric_set(sl_metric_series(r, &rows[PLAIN], NULL, NULL), 1);
}

static void mistakes_of_ours_are_caught(void **state)
{
    (void)state;
    child_assert_panics(ask_for_an_unlisted_value, "is_listed");
    child_assert_panics(ask_for_a_foreign_row, "no table in this registry");
    child_assert_panics(add_a_table_twice, "name");
    child_assert_panics(set_a_counter, "SL_METRIC_GAUGE");
}

enum { THREADS = 4, ROUNDS = 2000 };

/* Halves and quarters add up exactly in any order. */
static void *update_many(void *argument)
{
    char id[16];

    for (unsigned i = 0; i < ROUNDS; i++) {
        (void)snprintf(id, sizeof id, "id%u", i % 8);
        sl_metric_add(series(OPEN, id, NULL), 1);
        sl_metric_add(series(PLAIN, NULL, NULL), 2);
        sl_metric_observe(series(TIMES, NULL, NULL), i % 2 == 0 ? 0.25 : 0.5);
        sl_metric_move(series(GAUGE, NULL, NULL), 1);
        if (i % 200 == 0)
            free(written());
    }
    return argument;
}

static void updates_of_many_threads_add_up(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, update_many, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_written("\nplain_total 16000\n");
    assert_written("\ngauge 8000\n");
    assert_written("\nopen_total{id=\"id0\"} 1000\n");
    assert_int_equal(times_written("open_total{"), 8);
    assert_written("seconds_bucket{le=\"0.25\"} 4000\nseconds_bucket{le=\"0.5\"} 8000\n");
    assert_written("\nseconds_sum 3000\nseconds_count 8000\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_registry, free_registry)
    const struct CMUnitTest tests[] = {
        TEST(listed_series_are_there_from_the_start),
        TEST(open_series_are_there_from_their_first_look_up),
        TEST(each_combination_is_a_series_of_its_own),
        TEST(gauges_are_set_and_moved),
        TEST(a_value_falls_into_the_first_bucket_not_below_it),
        TEST(a_family_is_bounded_and_the_rest_is_other),
        TEST(unusable_values_are_other),
        TEST(mistakes_of_ours_are_caught),
        TEST(updates_of_many_threads_add_up),
    };
#undef TEST

    return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
