/* Defaults, precedence and origins: flag over environment over file over default; what is not built
 * or ignored. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/base/conf_sample.h"

static struct sample_run run;

static enum sl_conf_source source_of(const char *name)
{
    return run.report.origin[sl_conf_row_index(&sample_table, name)].source;
}

static void every_field_has_its_default(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, NULL, NULL, NULL), SL_OK);
    assert_string_equal(run.config.addr, "127.0.0.1:8250");
    assert_string_equal(run.config.password, "");
    assert_int_equal(run.config.heartbeat_s, 2);
    assert_true(run.config.gc_nanos == INT64_C(7) * 86400 * 1000000000);
    assert_true(run.config.available_bytes == UINT64_C(10) << 30);
    assert_true(run.config.slow_write_s > 0.99 && run.config.slow_write_s < 1.01);
    assert_true(run.config.sync_ddl);
    assert_false(run.config.version);
    assert_int_equal(run.config.allowed_cn.count, 2);
    assert_string_equal(run.config.allowed_cn.items[1], "tidb");
    assert_int_equal(run.config.do_tables.count, 0);
    for (size_t i = 0; i < sample_table.row_count; i++)
        assert_int_equal(run.report.origin[i].source, SL_CONF_FROM_DEFAULT);
    assert_string_equal(run.report.path, "");
    sl_conf_free(&sample_table, &run.config);
}

static void a_flag_wins_over_the_environment_and_that_over_the_file(void **state)
{
    static const char file[] = "gc = 1\nlog-level = \"warn\"\naddr = \"file:1\"\n";

    (void)state;
    assert_int_equal(sample_load(&run, file, SAMPLE_WORDS("-addr", "flag:1"),
                                 SAMPLE_WORDS("PUMP_ADDR=env:1", "PUMP_L=error")),
                     SL_OK);
    assert_string_equal(run.config.addr, "flag:1");
    assert_string_equal(run.config.log_level, "error");
    assert_true(run.config.gc_nanos == INT64_C(86400) * 1000000000);
    assert_int_equal(run.config.heartbeat_s, 2);
    assert_int_equal(source_of("addr"), SL_CONF_FROM_FLAG);
    assert_int_equal(source_of("log-level"), SL_CONF_FROM_ENV);
    assert_int_equal(source_of("gc"), SL_CONF_FROM_FILE);
    assert_int_equal(source_of("heartbeat-interval"), SL_CONF_FROM_DEFAULT);
    sl_conf_free(&sample_table, &run.config);
}

static void origins_are_told_as_text(void **state)
{
    char out[SL_NAME_BYTES_MAX];

    (void)state;
    assert_int_equal(
        sample_load(&run, "\ngc = 1\n", SAMPLE_WORDS("-addr=x"), SAMPLE_WORDS("PUMP_L=error")),
        SL_OK);
    sl_conf_origin_text(&sample_table, &run.report, sl_conf_row_index(&sample_table, "addr"), out,
                        sizeof out);
    assert_string_equal(out, "-addr");
    sl_conf_origin_text(&sample_table, &run.report, sl_conf_row_index(&sample_table, "L"), out,
                        sizeof out);
    assert_string_equal(out, "PUMP_L");
    sl_conf_origin_text(&sample_table, &run.report, sl_conf_row_index(&sample_table, "gc"), out,
                        sizeof out);
    assert_string_equal(out, "p.toml:2");
    sl_conf_origin_text(&sample_table, &run.report, 4, out, sizeof out);
    assert_string_equal(out, "default");
    assert_int_equal(run.report.origin[sl_conf_row_index(&sample_table, "gc")].column, 6);
    assert_string_equal(run.report.path, "p.toml");
    sl_conf_free(&sample_table, &run.config);
}

static void empty_environment_values_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(
        sample_load(&run, NULL, NULL, SAMPLE_WORDS("PUMP_ADDR=", "PUMP_GC", "PUMP_ADDRX=y")),
        SL_OK);
    assert_string_equal(run.config.addr, "127.0.0.1:8250");
    sl_conf_free(&sample_table, &run.config);
}

static void config_and_questions_are_not_read_from_the_environment(void **state)
{
    (void)state;
    assert_int_equal(
        sample_load(&run, NULL, NULL, SAMPLE_WORDS("PUMP_CONFIG=/none", "PUMP_V=true")), SL_OK);
    assert_false(run.config.version);
    assert_string_equal(run.report.path, "");
    sl_conf_free(&sample_table, &run.config);
}

static void a_bad_environment_value_is_fatal_unless_a_flag_replaces_it(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, NULL, NULL, SAMPLE_WORDS("PUMP_HEARTBEAT_INTERVAL=soon")),
                     SL_CONFIG);
    assert_string_equal(run.why.text,
                        "environment variable PUMP_HEARTBEAT_INTERVAL: invalid value \"soon\": "
                        "not a whole number: \"soon\"");
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-heartbeat-interval=3"),
                                 SAMPLE_WORDS("PUMP_HEARTBEAT_INTERVAL=soon")),
                     SL_OK);
    assert_int_equal(run.config.heartbeat_s, 3);
    sl_conf_free(&sample_table, &run.config);
}

static void after_an_error_nothing_is_owned(void **state)
{
    static const struct sample nothing;

    (void)state;
    assert_int_equal(sample_load(&run,
                                 "addr = \"x\"\nsecurity.cert-allowed-cn = [\"a\"]\ngc = true\n",
                                 NULL, NULL),
                     SL_CONFIG);
    assert_memory_equal(&run.config, &nothing, sizeof nothing);
    sl_conf_free(&sample_table, &run.config);
}

static void what_is_not_built_stops_the_start_with_its_name(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, "compressor = \"gzip\"\n", NULL, NULL), SL_UNSUPPORTED);
    assert_string_equal(run.why.text, "compressor: not supported in this version");
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-compressor", "gzip"), NULL),
                     SL_UNSUPPORTED);
    assert_string_equal(run.why.text, "compressor: not supported in this version");
    assert_int_equal(sample_load(&run, NULL, NULL, SAMPLE_WORDS("PUMP_COMPRESSOR=gzip")),
                     SL_UNSUPPORTED);
    assert_string_equal(run.why.text, "compressor: not supported in this version");
    assert_int_equal(sample_load(&run, "[[syncer.routes]]\ndb-name = \"a\"\n", NULL, NULL),
                     SL_UNSUPPORTED);
    assert_string_equal(run.why.text, "syncer.routes: not supported in this version");
    assert_int_equal(sample_load(&run, "[[syncer.table-migrate-rule]]\nlater = 1\n", NULL, NULL),
                     SL_UNSUPPORTED);
    assert_string_equal(run.why.text,
                        "syncer.table-migrate-rule.later: not supported in this version");
}

static void what_is_not_built_may_be_set_to_its_default(void **state)
{
    (void)state;
    assert_int_equal(
        sample_load(&run,
                    "compressor = \"\"\n[syncer]\nroutes = []\n[[syncer.table-migrate-rule]]\n"
                    "later = 0\n",
                    SAMPLE_WORDS("-compressor="), NULL),
        SL_OK);
    sl_conf_free(&sample_table, &run.config);
}

static void ignored_rows_are_accepted_and_checked(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run,
                                 "metricsinterval = 5\n[storage.kv]\ncompaction-l0-trigger = 9\n",
                                 SAMPLE_WORDS("-log-rotate", "day"), NULL),
                     SL_OK);
    assert_int_equal(source_of("log-rotate"), SL_CONF_FROM_FLAG);
    assert_int_equal(source_of("MetricsInterval"), SL_CONF_FROM_FILE);
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, "MetricsInterval = \"5\"\n", NULL, NULL), SL_CONFIG);
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-metrics-interval", "1001"), NULL),
                     SL_USAGE);
}

static void values_are_told_and_secrets_are_not(void **state)
{
    char out[SL_NAME_BYTES_MAX];

    (void)state;
    assert_int_equal(
        sample_load(&run, "[syncer]\nignore-txn-commit-ts = [1, 2]\nto.password = \"hunter2\"\n",
                    NULL, NULL),
        SL_OK);
#define SHOWN(name)                                                                             \
    (sl_conf_value_text(&sample_rows[sl_conf_row_index(&sample_table, name)], &run.config, out, \
                        sizeof out),                                                            \
     out)
    assert_string_equal(SHOWN("syncer.to.password"), "***");
    assert_string_equal(SHOWN("addr"), "127.0.0.1:8250");
    assert_string_equal(SHOWN("gc"), "168h0m0s");
    assert_string_equal(SHOWN("heartbeat-interval"), "2");
    assert_string_equal(SHOWN("syncer.sync-ddl"), "true");
    assert_string_equal(SHOWN("storage.slow_write_threshold"), "1");
    assert_string_equal(SHOWN("storage.stop-write-at-available-space"), "10737418240");
    assert_string_equal(SHOWN("security.cert-allowed-cn"), "root,tidb");
    assert_string_equal(SHOWN("syncer.ignore-txn-commit-ts"), "1,2");
    assert_string_equal(SHOWN("syncer.to.params"), "0 tables");
    assert_string_equal(SHOWN("log-rotate"), "");
    assert_string_equal(run.config.password, "hunter2");
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, NULL, NULL, NULL), SL_OK);
    assert_string_equal(SHOWN("syncer.to.password"), "");
#undef SHOWN
    sl_conf_free(&sample_table, &run.config);
}

static void bad_secrets_are_not_quoted(void **state)
{
    char *word = malloc(SL_CONF_VALUE_BYTES_MAX + 64);

    (void)state;
    assert_non_null(word);
    memset(word, 'x', SL_CONF_VALUE_BYTES_MAX + 63);
    word[SL_CONF_VALUE_BYTES_MAX + 63] = '\0';
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-password", word), NULL), SL_USAGE);
    assert_string_equal(run.why.text,
                        "invalid value for flag -password: not a string; see 'pump --help'");
    memcpy(word, "PUMP_PASSWORD=", 14);
    assert_int_equal(sample_load(&run, NULL, NULL, SAMPLE_WORDS(word)), SL_CONFIG);
    assert_string_equal(run.why.text, "environment variable PUMP_PASSWORD: not a string");
    assert_int_equal(sample_load(&run, "[syncer.to]\npassword = 12345\n", NULL, NULL), SL_CONFIG);
    assert_string_equal(run.why.text,
                        "p.toml:2:12: syncer.to.password: expected a string, found an integer");
    free(word);
}

/* Of the row with this key, read from two files. */
static bool is_same(const char *key, const char *text, const char *other)
{
    const struct sl_conf_row *row = &sample_rows[sl_conf_row_index(&sample_table, key)];
    struct sample_run         second;
    bool                      same;

    assert_int_equal(sample_load(&run, text, NULL, NULL), SL_OK);
    assert_int_equal(sample_load(&second, other, NULL, NULL), SL_OK);
    same = sl_conf_is_same(row, &run.config, &second.config);
    sl_conf_free(&sample_table, &run.config);
    sl_conf_free(&sample_table, &second.config);
    return same;
}

static void two_configurations_are_compared_row_by_row(void **state)
{
    static const struct {
        const char *key;
        const char *texts[2];
    } rows[] = {
        {"addr", {"addr = \"a:1\"\n", "addr = \"a:2\"\n"}},
        {"gc", {"gc = 1\n", "gc = \"25h\"\n"}},
        {"storage.slow_write_threshold",
         {"[storage]\nslow_write_threshold = 1.5\n", "[storage]\nslow_write_threshold = 2\n"}},
        {"security.cert-allowed-cn",
         {"[security]\ncert-allowed-cn = [\"a\", \"b\"]\n",
          "[security]\ncert-allowed-cn = [\"a\", \"c\"]\n"}},
        {"syncer.ignore-txn-commit-ts",
         {"[syncer]\nignore-txn-commit-ts = [1, 2]\n", "[syncer]\nignore-txn-commit-ts = [1]\n"}},
        {"syncer.replicate-do-table",
         {"[[syncer.replicate-do-table]]\ndb-name = \"d\"\n",
          "[[syncer.replicate-do-table]]\ndb-name = \"e\"\n"}},
        {"syncer.binlog-filter-rule",
         {"[syncer.binlog-filter-rule.a]\nignore-event = [\"x\"]\n",
          "[syncer.binlog-filter-rule.b]\nignore-event = [\"x\"]\n"}},
        {"syncer.to.password",
         {"[syncer.to]\npassword = \"a\"\n", "[syncer.to]\npassword = \"b\"\n"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned j = 0; j < 2; j++) {
            assert_true(is_same(rows[i].key, rows[i].texts[j], rows[i].texts[j]));
            assert_false(is_same(rows[i].key, rows[i].texts[j], "[syncer]\nsync-ddl = false\n"));
        }
        assert_false(is_same(rows[i].key, rows[i].texts[0], rows[i].texts[1]));
    }
    assert_false(is_same("syncer.sync-ddl", "", "[syncer]\nsync-ddl = false\n"));
    assert_true(is_same("MetricsInterval", "MetricsInterval = 1\n", "")); /* it has no field */
}

static void environment_names_are_derived_from_flags(void **state)
{
    char out[SL_NAME_BYTES_MAX];

    (void)state;
    assert_true(sl_conf_env_name(
        &sample_table, &sample_rows[sl_conf_row_index(&sample_table, "heartbeat-interval")], out));
    assert_string_equal(out, "PUMP_HEARTBEAT_INTERVAL");
    assert_false(sl_conf_env_name(&sample_table,
                                  &sample_rows[sl_conf_row_index(&sample_table, "config")], out));
    assert_false(sl_conf_env_name(
        &sample_table, &sample_rows[sl_conf_row_index(&sample_table, "syncer.to.params")], out));
}

static void reasons_are_one_line(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("two\nlines\x1b[0m"), NULL), SL_CONFIG);
    assert_string_equal(run.why.text, "'two?lines?[0m' is not a valid flag");
}

static void wrong_usage_exits_with_2_all_else_with_1(void **state)
{
    (void)state;
    assert_int_equal(sl_conf_exit_code(SL_USAGE), 2);
    assert_int_equal(sl_conf_exit_code(SL_CONFIG), 1);
    assert_int_equal(sl_conf_exit_code(SL_UNSUPPORTED), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_its_default),
        cmocka_unit_test(a_flag_wins_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(origins_are_told_as_text),
        cmocka_unit_test(empty_environment_values_are_ignored),
        cmocka_unit_test(config_and_questions_are_not_read_from_the_environment),
        cmocka_unit_test(a_bad_environment_value_is_fatal_unless_a_flag_replaces_it),
        cmocka_unit_test(after_an_error_nothing_is_owned),
        cmocka_unit_test(what_is_not_built_stops_the_start_with_its_name),
        cmocka_unit_test(what_is_not_built_may_be_set_to_its_default),
        cmocka_unit_test(ignored_rows_are_accepted_and_checked),
        cmocka_unit_test(values_are_told_and_secrets_are_not),
        cmocka_unit_test(bad_secrets_are_not_quoted),
        cmocka_unit_test(two_configurations_are_compared_row_by_row),
        cmocka_unit_test(environment_names_are_derived_from_flags),
        cmocka_unit_test(reasons_are_one_line),
        cmocka_unit_test(wrong_usage_exits_with_2_all_else_with_1),
    };

    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
