/* The configuration file: which row a key belongs to, lists and tables in it, and every refusal
 * with its place. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/base/conf_sample.h"

static struct sample_run run;

/* Load `text` and compare the reason of the refusal. */
static void refused(const char *text, const char *why)
{
    assert_int_equal(sample_load(&run, text, NULL, NULL), SL_CONFIG);
    assert_string_equal(run.why.text, why);
    assert_int_equal(run.fs.open_count, 0);
}

static void keys_match_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(
        sample_load(&run,
                    "ADDR = \"x\"\nLog-Level = \"warn\"\n[Storage]\nSLOW_WRITE_threshold = 2\n",
                    NULL, NULL),
        SL_OK);
    assert_string_equal(run.config.addr, "x");
    assert_string_equal(run.config.log_level, "warn");
    assert_true(run.config.slow_write_s > 1.9);
    sl_conf_free(&sample_table, &run.config);
}

static void every_type_is_read(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run,
                                 "gc = \"1h30m\"\n"
                                 "heartbeat-interval = 5\n"
                                 "security = { cert-allowed-cn = [\"a\", \"b\", \"c\"] }\n"
                                 "[storage]\n"
                                 "stop-write-at-available-space = \"1.5 kib\"\n"
                                 "slow_write_threshold = 0.25\n"
                                 "[syncer]\n"
                                 "sync-ddl = false\n"
                                 "ignore-txn-commit-ts = [9223372036854775807, -1]\n"
                                 "to.read-timeout = \"90s\"\n",
                                 NULL, NULL),
                     SL_OK);
    assert_true(run.config.gc_nanos == INT64_C(5400) * 1000000000);
    assert_int_equal(run.config.heartbeat_s, 5);
    assert_int_equal(run.config.allowed_cn.count, 3);
    assert_string_equal(run.config.allowed_cn.items[0], "a");
    assert_string_equal(run.config.allowed_cn.items[2], "c");
    assert_int_equal(run.config.available_bytes, 1536);
    assert_true(run.config.slow_write_s > 0.24 && run.config.slow_write_s < 0.26);
    assert_false(run.config.sync_ddl);
    assert_int_equal(run.config.ignore_ts.count, 2);
    assert_true(run.config.ignore_ts.items[0] == INT64_MAX);
    assert_true(run.config.ignore_ts.items[1] == -1);
    assert_true(run.config.read_timeout_nanos == INT64_C(90) * 1000000000);
    sl_conf_free(&sample_table, &run.config);
}

static void sizes_may_be_integers(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, "storage.stop-write-at-available-space = 77\n", NULL, NULL),
                     SL_OK);
    assert_int_equal(run.config.available_bytes, 77);
    sl_conf_free(&sample_table, &run.config);
}

static void an_empty_list_replaces_the_default(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, "[security]\ncert-allowed-cn = []\n", NULL, NULL), SL_OK);
    assert_int_equal(run.config.allowed_cn.count, 0);
    sl_conf_free(&sample_table, &run.config);
}

static void arrays_of_tables_fill_elements_with_defaults(void **state)
{
    const struct sample_table_name *name;

    (void)state;
    assert_int_equal(
        sample_load(&run,
                    "[[syncer.replicate-do-table]]\ndb-name = \"a\"\ntbl-name = \"t\"\n"
                    "[[syncer.replicate-do-table]]\n"
                    "[[syncer.replicate-do-table]]\nDB-name = \"c\"\n",
                    NULL, NULL),
        SL_OK);
    name = run.config.do_tables.items;
    assert_int_equal(run.config.do_tables.count, 3);
    assert_string_equal(name[0].schema, "a");
    assert_string_equal(name[0].table, "t");
    assert_string_equal(name[1].schema, "");
    assert_string_equal(name[1].table, "*");
    assert_string_equal(name[2].schema, "c");
    sl_conf_free(&sample_table, &run.config);
}

static void tables_in_tables_are_reached_by_dotted_keys(void **state)
{
    const struct sample_migrate *rule;

    (void)state;
    assert_int_equal(
        sample_load(&run,
                    "[[syncer.table-migrate-rule]]\nbinlog-filter-rule = [\"r1\", \"r2\"]\n"
                    "source = { schema = \"db*\" }\n",
                    NULL, NULL),
        SL_OK);
    rule = run.config.migrate.items;
    assert_int_equal(run.config.migrate.count, 1);
    assert_int_equal(rule->rules.count, 2);
    assert_string_equal(rule->rules.items[1], "r2");
    assert_string_equal(rule->source_schema, "db*");
    sl_conf_free(&sample_table, &run.config);
}

static void named_tables_and_maps_keep_their_names(void **state)
{
    const struct sample_rule  *rule;
    const struct sample_param *param;

    (void)state;
    assert_int_equal(sample_load(&run,
                                 "[syncer.binlog-filter-rule.Rule1]\nignore-event = [\"delete\"]\n"
                                 "[syncer.binlog-filter-rule.\"rule 2\"]\n"
                                 "[syncer.to.params]\ntime_zone = \"+00:00\"\n\"a.b\" = \"c\"\n",
                                 NULL, NULL),
                     SL_OK);
    rule = run.config.rules.items;
    param = run.config.params.items;
    assert_int_equal(run.config.rules.count, 2);
    assert_string_equal(rule[0].name, "Rule1");
    assert_string_equal(rule[0].ignore_event.items[0], "delete");
    assert_string_equal(rule[1].name, "rule 2");
    assert_int_equal(rule[1].ignore_event.count, 0);
    assert_int_equal(run.config.params.count, 2);
    assert_string_equal(param[0].name, "time_zone");
    assert_string_equal(param[0].value, "+00:00");
    assert_string_equal(param[1].name, "a.b");
    sl_conf_free(&sample_table, &run.config);
}

static void empty_sections_are_fine(void **state)
{
    (void)state;
    assert_int_equal(
        sample_load(&run,
                    "[storage.kv]\n[security]\n[syncer.to.params]\n[syncer.binlog-filter-rule]\n",
                    NULL, NULL),
        SL_OK);
    sl_conf_free(&sample_table, &run.config);
}

static void unknown_keys_are_named_with_line_and_hint(void **state)
{
    (void)state;
    refused("log-levle = \"info\"\n[security]\nzzzzzz = [1, 2]\n",
            "component pump's config file p.toml contained unknown configuration options: "
            "log-levle, security.zzzzzz"
            "; line 1: \"log-levle\", did you mean \"log-level\"?; line 3: \"security.zzzzzz\"");
    refused("cert-allowed-cn = []\n",
            "component pump's config file p.toml contained unknown configuration options: "
            "cert-allowed-cn"
            "; line 1: \"cert-allowed-cn\", did you mean \"security.cert-allowed-cn\"?");
    refused("[[syncer.replicate-do-table]]\ndb-nmae = \"x\"\n",
            "component pump's config file p.toml contained unknown configuration options: "
            "syncer.replicate-do-table.db-nmae; line 2: \"syncer.replicate-do-table.db-nmae\", did "
            "you mean "
            "\"syncer.replicate-do-table.db-name\"?");
    /* A long section leaves no room for another word. */
    refused("[syncer.to]\ndreams = 1\n",
            "component pump's config file p.toml contained unknown configuration options: "
            "syncer.to.dreams; line 2: \"syncer.to.dreams\"");
    refused("[labels]\n",
            "component pump's config file p.toml contained unknown configuration options: labels"
            "; line 1: \"labels\"");
    refused("\"log\\nlevel.x\" = 1\n", "component pump's config file p.toml contained unknown "
                                       "configuration options: \"log?level.x\"; line 1: "
                                       "\"\"log?level.x\"\"");
    refused("metrics-addr = \"\"\n[security]\nssl-ca.x = 1\n",
            "component pump's config file p.toml contained unknown configuration options: "
            "metrics-addr, "
            "security.ssl-ca.x; line 1: \"metrics-addr\"; line 3: \"security.ssl-ca.x\"");
}

static void more_unknown_keys_than_fit_are_counted(void **state)
{
    char text[1024] = "";

    (void)state;
    for (int i = 0; i < SL_CONF_UNKNOWN_MAX + 3; i++) {
        char line[32];

        (void)snprintf(line, sizeof line, "u%d = 1\n", i);
        strncat(text, line, sizeof text - strlen(text) - 1);
    }
    assert_int_equal(sample_load(&run, text, NULL, NULL), SL_CONFIG);
    assert_non_null(strstr(run.why.text, "u14, u15 and 3 more; line 1: \"u0\""));
}

static void wrong_types_name_their_place(void **state)
{
    (void)state;
    refused("\naddr = 3\n", "p.toml:2:8: addr: expected a string, found an integer");
    refused("addr = [\"x\"]\n", "p.toml:1:9: addr: expected a string, found an array");
    refused("addr = []\n", "p.toml:1:8: addr: expected a string, found an array");
    refused("[addr]\nx = 1\n", "p.toml:2:5: addr.x: expected a string, found a table");
    refused("heartbeat-interval = \"2\"\n",
            "p.toml:1:22: heartbeat-interval: expected an integer, found a string");
    refused("heartbeat-interval = 2.5\n",
            "p.toml:1:22: heartbeat-interval: expected an integer, found a number with a fraction");
    refused("heartbeat-interval = 1979-05-27\n",
            "p.toml:1:22: heartbeat-interval: expected an integer, found a date or time");
    refused("gc = true\n", "p.toml:1:6: gc: expected a duration, found a boolean");
    refused("syncer.sync-ddl = 1\n",
            "p.toml:1:19: syncer.sync-ddl: expected a boolean, found an integer");
    refused("storage.slow_write_threshold = inf\n",
            "p.toml:1:32: storage.slow_write_threshold: expected a number, found a number with a "
            "fraction");
    refused("security.cert-allowed-cn = \"x\"\n", "p.toml:1:28: security.cert-allowed-cn: expected "
                                                  "an array of strings, found a single value");
    refused("security.cert-allowed-cn = [\"a\", 2]\n",
            "p.toml:1:34: security.cert-allowed-cn: expected a string, found an integer");
    refused("security.cert-allowed-cn = [[\"a\"]]\n",
            "p.toml:1:30: security.cert-allowed-cn: expected a string, found an array");
    refused("security = 3\n", "p.toml:1:12: security: expected a table, found a single value");
    refused("[[security]]\nssl-ca = \"\"\n",
            "p.toml:2:10: security.ssl-ca: expected a table, found an array");
    refused("[syncer.replicate-do-table]\ndb-name = \"a\"\n",
            "p.toml:2:11: syncer.replicate-do-table.db-name: expected an array of tables, found a "
            "table");
    refused("syncer.replicate-do-table = [1]\n",
            "p.toml:1:30: syncer.replicate-do-table: expected a table, found a single value");
    refused("syncer.binlog-filter-rule = [1]\n",
            "p.toml:1:30: syncer.binlog-filter-rule: expected a table, found an array");
    refused("syncer.binlog-filter-rule.r = 1\n",
            "p.toml:1:31: syncer.binlog-filter-rule.r: expected a table, found a single value");
    refused("syncer.to.params.x = 1\n",
            "p.toml:1:22: syncer.to.params.x: expected a string, found an integer");
    refused("syncer.to.params = 1\n",
            "p.toml:1:20: syncer.to.params: expected a table, found a single value");
}

static void wrong_values_name_their_place(void **state)
{
    (void)state;
    refused("heartbeat-interval = 3601\n",
            "p.toml:1:22: heartbeat-interval: out of range, allowed: 0 to 3600 s");
    refused("heartbeat-interval = -1\n",
            "p.toml:1:22: heartbeat-interval: out of range, allowed: 0 to 3600 s");
    refused("gc = 0\n", "p.toml:1:6: gc: out of range, allowed: at least 1ns");
    refused("gc = 200000\n", "p.toml:1:6: gc: too large: 200000");
    refused("gc = \"7d\"\n", "p.toml:1:6: gc: unknown unit \"d\" in duration \"7d\"");
    refused("syncer.to.read-timeout = \"2h\"\n",
            "p.toml:1:26: syncer.to.read-timeout: out of range, allowed: 1ms to 1h0m0s");
    refused("syncer.to.read-timeout = 5\n",
            "p.toml:1:26: syncer.to.read-timeout: expected a duration, found an integer");
    refused("storage.stop-write-at-available-space = \"1 gigs\"\n",
            "p.toml:1:41: storage.stop-write-at-available-space: unhandled size name: gigs");
    refused("storage.stop-write-at-available-space = -1\n",
            "p.toml:1:41: storage.stop-write-at-available-space: a size is not negative");
    refused("addr = \"a\\u0000b\"\n", "p.toml:1:8: addr: holds a NUL");
    refused("addr = \"a\"\nAddr = \"b\"\n", "p.toml:2:8: Addr: set twice, first in line 1");
    refused("[syncer]\nignore-txn-commit-ts = [1]\n[Syncer]\nignore-txn-commit-ts = [2]\n",
            "p.toml:4:25: Syncer.ignore-txn-commit-ts: set twice, first in line 2");
    refused("[[syncer.replicate-do-table]]\n[[syncer.Replicate-do-table]]\n",
            "p.toml:2:1: syncer.Replicate-do-table: set twice, first in line 1");
    refused("addr = \n",
            "p.toml:1:8: Error while parsing key-value pair: expected value, saw '\\n'");
}

static void a_file_is_checked_even_where_a_flag_wins(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, "addr = 3\n", SAMPLE_WORDS("-addr=x"), NULL), SL_CONFIG);
    assert_int_equal(sample_load(&run, "syncer.ignore-txn-commit-ts = [1, 2]\n",
                                 SAMPLE_WORDS("-ignore-ts=7"), NULL),
                     SL_OK);
    assert_int_equal(run.config.ignore_ts.count, 1);
    sl_conf_free(&sample_table, &run.config);
}

static void lists_and_texts_are_bounded(void **state)
{
    size_t size = SL_CONF_VALUE_BYTES_MAX + 64;
    char  *text = malloc(size);

    (void)state;
    assert_non_null(text);
    (void)snprintf(text, size, "syncer.ignore-txn-commit-ts = [1");
    for (int i = 0; i < SL_CONF_LIST_ITEMS_MAX; i++)
        strncat(text, ",1", size - strlen(text) - 1);
    strncat(text, "]", size - strlen(text) - 1);
    assert_int_equal(sample_load(&run, text, NULL, NULL), SL_CONFIG);
    assert_non_null(strstr(run.why.text, "syncer.ignore-txn-commit-ts: more than 1024 members"));
    memset(text, 'x', size);
    memcpy(text, "addr=\"", 6);
    memcpy(text + size - 2, "\"", 2);
    assert_int_equal(sample_load(&run, text, NULL, NULL), SL_CONFIG);
    assert_string_equal(run.why.text, "p.toml:1:6: addr: longer than 65536 bytes");
    free(text);
}

static void tables_are_bounded(void **state)
{
    static const char unit[] = "[[syncer.replicate-do-table]]\n";
    char             *text = malloc((SL_CONF_LIST_ITEMS_MAX + 1) * (sizeof unit - 1) + 1);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i <= SL_CONF_LIST_ITEMS_MAX; i++)
        memcpy(text + i * (sizeof unit - 1), unit, sizeof unit);
    assert_int_equal(sample_load(&run, text, NULL, NULL), SL_CONFIG);
    assert_non_null(strstr(run.why.text, "syncer.replicate-do-table: more than 1024 tables"));
    free(text);
}

/* Load from a file system that is prepared by hand. */
static void cannot_be_had(struct sample_fs fs, const char *path, const char *why)
{
    const char          *argv[] = {"pump", "-config", path};
    struct sl_conf_input input = {.argc = 3, .argv = argv, .fs = &fs.fs};

    memset(&run, 0, sizeof run);
    assert_int_equal(sl_conf_load(&sample_table, &input, &run.config, &run.report, &run.why),
                     SL_CONFIG);
    assert_string_equal(run.why.text, why);
    assert_int_equal(fs.open_count, 0);
}

static void a_file_that_cannot_be_had_is_named_with_what_to_do(void **state)
{
    struct sample_fs fs = sample_fs_of("/p", "", 0);
    char             path[SL_PATH_BYTES_MAX + 1];

    (void)state;
    cannot_be_had(fs, "/q", "config file /q: no such file; check the path given with -config");
    fs.kind = SL_FILE_DIRECTORY;
    cannot_be_had(fs, "/p", "config file /p: is a directory; name a TOML file with -config");
    fs.kind = SL_FILE_OTHER;
    cannot_be_had(fs, "/p", "config file /p: is not a regular file; name a TOML file with -config");
    fs.kind = SL_FILE_REGULAR;
    fs.open_err = SL_DENIED;
    cannot_be_had(fs, "/p",
                  "config file /p: permission denied; let the user that runs pump read it");
    fs.open_err = SL_OK;
    fs.read_err = SL_IO;
    cannot_be_had(fs, "/p",
                  "config file /p: input/output error; check the path given with -config");
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    cannot_be_had(fs, path, "config file: a path of 4096 bytes is too long");
}

static void a_file_over_the_limit_is_refused(void **state)
{
    char            *text = malloc(SL_CONF_FILE_BYTES_MAX + 1);
    struct sample_fs fs = sample_fs_of("/p", text, SL_CONF_FILE_BYTES_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, '\n', SL_CONF_FILE_BYTES_MAX + 1);
    cannot_be_had(fs, "/p",
                  "config file /p: larger than 1048576 bytes; check the path given with -config");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_match_in_any_case),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(sizes_may_be_integers),
        cmocka_unit_test(an_empty_list_replaces_the_default),
        cmocka_unit_test(arrays_of_tables_fill_elements_with_defaults),
        cmocka_unit_test(tables_in_tables_are_reached_by_dotted_keys),
        cmocka_unit_test(named_tables_and_maps_keep_their_names),
        cmocka_unit_test(empty_sections_are_fine),
        cmocka_unit_test(unknown_keys_are_named_with_line_and_hint),
        cmocka_unit_test(more_unknown_keys_than_fit_are_counted),
        cmocka_unit_test(wrong_types_name_their_place),
        cmocka_unit_test(wrong_values_name_their_place),
        cmocka_unit_test(a_file_is_checked_even_where_a_flag_wins),
        cmocka_unit_test(lists_and_texts_are_bounded),
        cmocka_unit_test(tables_are_bounded),
        cmocka_unit_test(a_file_that_cannot_be_had_is_named_with_what_to_do),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
    };

    return cmocka_run_group_tests_name("conf_file", tests, NULL, NULL);
}
