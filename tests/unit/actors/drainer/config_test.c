/* The drainer's configuration: defaults, the places values come from, a file as the original ships
 * it, the example file, help. What is refused: config_check_test.c (drainer spec 5). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/config.h"
#include "lib/env_sim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { EXAMPLE_BYTES_MAX = 16384, ARGS_MAX = 32 };

static struct sl_drainer_config config;
static struct sl_conf_report    report;
static struct sl_why            why;

/* Load and check; `text` is the file, NULL: none. The host has the address 192.0.2.2. */
static enum sl_err run_all(const char *text, const char *const *args, const char *const *env)
{
    struct sl_env_sim             *sim = sl_env_sim_new(1);
    struct sl_fs                  *fs = sl_env_sim_env(sim)->fs;
    const char                    *argv[ARGS_MAX] = {"drainer"};
    struct sl_conf_input           input = {.argc = 1, .argv = argv, .env = env, .fs = fs};
    struct sl_drainer_surroundings around = {.own_ipv4 = "192.0.2.2", .env = env};
    struct sl_file                *file;
    enum sl_err                    err;

    why.text[0] = '\0';
    if (text != NULL) {
        assert_int_equal(sl_fs_create(fs, "d.toml", &file, NULL), SL_OK);
        assert_int_equal(sl_file_write(file, text, strlen(text), NULL), SL_OK);
        sl_file_close(&file);
        argv[input.argc++] = "-config=d.toml";
    }
    while (args != NULL && *args != NULL)
        argv[input.argc++] = *args++;
    err = sl_conf_load(&sl_drainer_config_table, &input, &config, &report, &why);
    if (err == SL_OK && !report.help && !report.asked)
        err = sl_drainer_config_check(&config, &report, &around, &why);
    sl_env_sim_free(&sim);
    return err;
}

static void accept(const char *text, const char *const *args, const char *const *env)
{
    enum sl_err err = run_all(text, args, env);

    if (err != SL_OK)
        fail_msg("%s", why.text);
}

static void done(void)
{
    sl_conf_free(&sl_drainer_config_table, &config);
}

/* ---- defaults ---- */

static void check_defaults(void)
{
    assert_string_equal(config.pd_urls, "http://127.0.0.1:2379");
    assert_string_equal(config.data_dir, "data.drainer");
    assert_string_equal(config.node_id, "");
    assert_int_equal(config.detect_s, 5);
    assert_int_equal(config.initial_commit_ts, -1);
    assert_int_equal(config.synced_check_min, 5);
    assert_string_equal(config.compressor, "");
    assert_int_equal(config.level, SL_LOG_INFO);
    assert_string_equal(config.log_file, "");
    assert_string_equal(config.metrics_addr, "");
    assert_int_equal(config.metrics_interval_s, 15);
    assert_int_equal(config.destination, SL_DRAINER_MYSQL);
    assert_int_equal(config.txn_batch, 1024);
    assert_int_equal(config.worker_count, 16);
    assert_true(config.dispatch && config.detect && config.sync_ddl);
    assert_false(config.safe_mode || config.merge || config.exit_when_held);
    assert_string_equal(config.ignore_schemas, "INFORMATION_SCHEMA,PERFORMANCE_SCHEMA,mysql");
    assert_true(config.memory_budget == UINT64_C(512) << 20);
    assert_int_equal(config.schema_kind, SL_DRAINER_SCHEMA_TIKV);
    assert_string_equal(config.to.host, "localhost");
    assert_int_equal(config.to.port, 3306);
    assert_string_equal(config.to.user, "root");
    assert_string_equal(config.to.password, "");
    assert_true(config.read_timeout_nanos == INT64_C(60) * SL_NANOS_PER_S);
    assert_int_equal(config.sync_mode, 0);
    assert_int_equal(config.checkpoint_kind, SL_DRAINER_CHECKPOINT_SERVER);
    assert_string_equal(config.checkpoint_schema, "tidb_binlog");
    assert_string_equal(config.checkpoint_table, "checkpoint");
    assert_string_equal(config.checkpoint.host, "localhost");
}

static void the_defaults_are_the_originals(void **state)
{
    (void)state;
    accept(NULL, NULL, NULL);
    check_defaults();
    assert_false(config.sql_mode_set);
    assert_string_equal(config.addr, "192.0.2.2:8249");
    assert_string_equal(config.advertise_addr, "192.0.2.2:8249");
    done();
}

static void zero_and_empty_mean_the_default(void **state)
{
    (void)state;
    accept("addr = \"\"\ndata-dir = \"\"\ndetect-interval = 0\nsynced-check-time = 0\n"
           "[syncer.to]\nread-timeout = \"\"\n",
           NULL, NULL);
    assert_string_equal(config.addr, "127.0.0.1:8249");
    assert_string_equal(config.data_dir, "data.drainer");
    assert_int_equal(config.detect_s, 5);
    assert_int_equal(config.synced_check_min, 5);
    assert_true(config.read_timeout_nanos == INT64_C(60) * SL_NANOS_PER_S);
    done();
}

/* ---- where values come from ---- */

static void the_command_line_beats_the_environment_beats_the_file(void **state)
{
    const char *file = "addr = \"f:1\"\npd-urls = \"http://f:1\"\ndata-dir = \"f\"\n"
                       "[syncer]\nworker-count = 3\ntxn-batch = 4\ndb-type = \"tidb\"\n";

    (void)state;
    accept(file, WORDS("--addr", "c:1"),
           WORDS("BINLOG_SERVER_ADDR=e:1", "BINLOG_SERVER_PD_URLS=http://e:1", "BINLOG_SERVER_C=7",
                 "BINLOG_SERVER_DEST_DB_TYPE=stdout"));
    assert_string_equal(config.addr, "c:1");
    assert_string_equal(config.pd_urls, "http://e:1");
    assert_string_equal(config.data_dir, "f");
    assert_int_equal(config.workers_asked, 7);
    assert_int_equal(config.txn_batch, 4);
    assert_int_equal(config.destination, SL_DRAINER_STDOUT);
    done();
}

/* What the four places of a switch make of it: unset, true or false by flag and by file. */
static void every_combination_of_switches(void **state)
{
    static const char *const words[] = {NULL, "true", "false"};

    (void)state;
    for (unsigned i = 0; i < 3 * 3 * 3 * 3; i++) {
        const char *value[4] = {words[i % 3], words[i / 3 % 3], words[i / 9 % 3], words[i / 27]};
        const char *order[4] = {value[0], value[1], value[2], value[3]};
        char        text[256] = "[syncer]\n";
        char        flags[2][64];
        const char *args[3] = {NULL};
        unsigned    count = 0;
        bool        wanted = true;

        if (value[0] != NULL) {
            (void)snprintf(flags[count], sizeof flags[0], "-disable-dispatch=%s", value[0]);
            args[count] = flags[count];
            count++;
        }
        if (value[1] != NULL)
            (void)snprintf(text + strlen(text), 64, "disable-dispatch = %s\n", value[1]);
        if (value[2] != NULL) {
            (void)snprintf(flags[count], sizeof flags[0], "-enable-dispatch=%s", value[2]);
            args[count] = flags[count];
        }
        if (value[3] != NULL)
            (void)snprintf(text + strlen(text), 64, "enable-dispatch = %s\n", value[3]);
        for (unsigned k = 4; k-- > 0;) {
            if (order[k] != NULL)
                wanted = (strcmp(order[k], "true") == 0) == (k >= 2);
        }
        accept(text, args, NULL);
        if (config.dispatch != wanted)
            fail_msg("combination %u", i);
        assert_int_equal(config.worker_count, wanted ? 16 : 1);
        assert_true(config.detect);
        done();
    }
    accept("[syncer]\nenable-detect = true\n", WORDS("-disable-detect"), NULL);
    assert_false(config.detect);
    assert_true(config.dispatch);
    done();
}

static void note_setting(void *context, const char *setting, const char *text)
{
    char *all = context;

    assert_true(strlen(text) > 10);
    (void)snprintf(all + strlen(all), 512 - strlen(all), "%s ", setting);
}

static void what_is_not_taken_as_written_is_noted(void **state)
{
    char all[512] = "";

    (void)state;
    accept("log-rotate = \"day\"\nEtcdTimeout = 1\n[syncer]\nchannel-id = 1\nworker-count = 1000\n"
           "[syncer.relay]\nlog-dir = \"\"\nmax-file-size = 1\n",
           WORDS("-cache-binlog-count=512", "-addr=127.0.0.1:8249", "-enable-detect=false"),
           WORDS("BINLOG_SERVER_ENABLE_DISPATCH=false"));
    assert_true(config.dispatch);
    assert_int_equal(config.worker_count, SL_DRAINER_WORKERS_MAX);
    sl_config_notes(&sl_drainer_config_table, &report, note_setting, all);
    assert_string_equal(all, "log-rotate EtcdTimeout -cache-binlog-count syncer.channel-id "
                             "syncer.relay.max-file-size ");
    all[0] = '\0';
    sl_drainer_config_notes(&config, &report, note_setting, all);
    assert_string_equal(all, "advertise-addr syncer.worker-count enable-detect enable-dispatch ");
    done();
    all[0] = '\0';
    accept(NULL, NULL, NULL);
    sl_drainer_config_notes(&config, &report, note_setting, all);
    assert_string_equal(all, "");
    done();
}

/* ---- files ---- */

/* The keys and values of the file that the original ships, what it has in comments left out. */
static const char shipped[] = "addr = \"127.0.0.1:8249\"\n"
                              "advertise-addr = \"\"\n"
                              "detect-interval = 10\n"
                              "data-dir = \"data.drainer\"\n"
                              "pd-urls = \"http://127.0.0.1:2379\"\n"
                              "compressor = \"\"\n"
                              "[syncer]\n"
                              "txn-batch = 20\n"
                              "sync-ddl = true\n"
                              "loopback-control = false\n"
                              "channel-id = 1\n"
                              "worker-count = 16\n"
                              "safe-mode = false\n"
                              "db-type = \"mysql\"\n"
                              "ignore-txn-commit-ts = []\n"
                              "ignore-schemas = \"INFORMATION_SCHEMA,PERFORMANCE_SCHEMA,mysql\"\n"
                              "[syncer.relay]\n"
                              "[syncer.to]\n"
                              "host = \"127.0.0.1\"\n"
                              "user = \"root\"\n"
                              "password = \"\"\n"
                              "encrypted_password = \"\"\n"
                              "port = 3306\n"
                              "[syncer.to.checkpoint]\n";

static void the_file_that_the_original_ships_starts(void **state)
{
    (void)state;
    accept(shipped, NULL, NULL);
    assert_string_equal(config.addr, "127.0.0.1:8249");
    assert_string_equal(config.advertise_addr, "127.0.0.1:8249");
    assert_int_equal(config.detect_s, 10);
    assert_string_equal(config.to.host, "127.0.0.1");
    assert_string_equal(config.checkpoint.host, "127.0.0.1");
    assert_int_equal(config.destination, SL_DRAINER_MYSQL);
    done();
}

static void everything_of_the_syncer_can_be_set(void **state)
{
    const struct sl_drainer_table_name   *tables;
    const struct sl_drainer_param        *params;
    const struct sl_drainer_event_rule   *rules;
    const struct sl_drainer_migrate_rule *migrate;

    (void)state;
    accept("[syncer]\n"
           "sql-mode = \"strict_trans_tables,NO_ENGINE_SUBSTITUTION\"\n"
           "ignore-txn-commit-ts = [1, 470615523266134018]\n"
           "replicate-do-db = [\"~^b.*\", \"s1\"]\n"
           "[[syncer.replicate-do-table]]\ndb-name = \"test\"\ntbl-name = \"log\"\n"
           "[[syncer.replicate-do-table]]\ndb-name = \"test\"\ntbl-name = \"~^a.*\"\n"
           "[[syncer.ignore-table]]\ndb-name = \"test\"\ntbl-name = \"x\"\n"
           "[[syncer.table-migrate-rule]]\nbinlog-filter-rule = [\"r1\"]\n"
           "source = { schema = \"db*\", table = \"tbl*\" }\n"
           "target = { schema = \"x\", table = \"y\" }\n"
           "[syncer.binlog-filter-rule.r1]\nignore-event = [\"truncate table\", \"delete\"]\n"
           "ignore-sql = [\"^alter table .* add column aaa\"]\n"
           "[syncer.to]\nread-timeout = 2\nsync-mode = 2\nmerge = true\n"
           "[syncer.to.params]\ntime_zone = \"+08:00\"\nmax_execution_time = 0\n",
           NULL, NULL);
    assert_true(config.sql_mode_set);
    assert_string_equal(config.sql_mode, "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION");
    assert_int_equal(config.ignore_commit_ts.count, 2);
    assert_true(config.ignore_commit_ts.items[1] == INT64_C(470615523266134018));
    assert_int_equal(config.do_schemas.count, 2);
    tables = config.do_tables.items;
    assert_int_equal(config.do_tables.count, 2);
    assert_string_equal(tables[1].table, "~^a.*");
    assert_int_equal(config.ignore_tables.count, 1);
    migrate = config.migrate_rules.items;
    assert_int_equal(config.migrate_rules.count, 1);
    assert_string_equal(migrate->rules.items[0], "r1");
    assert_string_equal(migrate->schema, "db*");
    assert_string_equal(migrate->table, "tbl*");
    rules = config.event_rules.items;
    assert_int_equal(config.event_rules.count, 1);
    assert_string_equal(rules->name, "r1");
    assert_int_equal(rules->events.count, 2);
    assert_int_equal(rules->sqls.count, 1);
    assert_true(config.read_timeout_nanos == INT64_C(2) * 24 * 3600 * SL_NANOS_PER_S);
    assert_int_equal(config.sync_mode, 2);
    assert_true(config.merge);
    params = config.params.items;
    assert_int_equal(config.params.count, 2);
    assert_string_equal(params[0].name, "time_zone");
    assert_string_equal(params[0].value, "+08:00");
    assert_string_equal(params[1].value, "0");
    done();
}

/* ops/drainer.toml into text; `whole`: with the settings that stand in comments. */
static void read_example(char *text, bool whole)
{
    FILE *file = fopen("ops/drainer.toml", "re");
    char  line[256];

    assert_non_null(file);
    text[0] = '\0';
    while (fgets(line, sizeof line, file) != NULL) {
        bool setting = line[0] == '#' && line[1] != ' ' && line[1] != '\n';

        strncat(text, line + (whole && setting), EXAMPLE_BYTES_MAX - strlen(text) - 1);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(strlen(text) < EXAMPLE_BYTES_MAX - 1);
}

static void the_example_file_changes_nothing(void **state)
{
    char text[EXAMPLE_BYTES_MAX];
    char all[512] = "";

    (void)state;
    read_example(text, false);
    accept(text, NULL, NULL);
    check_defaults();
    assert_string_equal(config.addr, "192.0.2.2:8249");
    sl_config_notes(&sl_drainer_config_table, &report, note_setting, all);
    sl_drainer_config_notes(&config, &report, note_setting, all);
    assert_string_equal(all, "");
    done();
}

static void the_example_file_has_every_key(void **state)
{
    char text[EXAMPLE_BYTES_MAX];

    (void)state;
    read_example(text, true);
    accept(text, NULL, NULL);
    assert_string_equal(config.addr, "127.0.0.1:8249");
    for (size_t i = 0; i < sl_drainer_config_table.row_count; i++) {
        const struct sl_conf_row *row = &sl_drainer_config_table.rows[i];
        bool empty_list = row->type == SL_CONF_STRINGS || row->type == SL_CONF_INTS;

        if (row->key != NULL && !empty_list && report.origin[i].source != SL_CONF_FROM_FILE)
            fail_msg("ops/drainer.toml lacks %s", row->key);
    }
    done();
}

/* ---- help, version ---- */

static void the_version_is_asked_without_reading_a_file(void **state)
{
    (void)state;
    accept(NULL, WORDS("-config=/none", "-V"), NULL);
    assert_true(report.asked && config.version);
    done();
}

static void help_names_every_flag_of_the_original(void **state)
{
    static const char *const flags[] = {
        "L string",
        "V\t",
        "addr string",
        "advertise-addr string",
        "c int",
        "cache-binlog-count int",
        "channel-id int",
        "compressor string",
        "config string",
        "data-dir string",
        "dest-db-type string",
        "detect-interval int",
        "disable-detect",
        "disable-dispatch",
        "enable-detect",
        "enable-dispatch",
        "ignore-schemas string",
        "initial-commit-ts int",
        "load-schema-snapshot",
        "log-file string",
        "log-rotate string",
        "loopback-control",
        "metrics-addr string",
        "metrics-interval int",
        "node-id string",
        "pd-urls string",
        "relay-log-dir string",
        "relay-max-file-size int",
        "safe-mode",
        "sync-ddl",
        "synced-check-time int",
        "txn-batch int",
    };
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);

    (void)state;
    sl_conf_help(&sl_drainer_config_table, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strncmp(text, "Usage of drainer:\n", 18), 0);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        char line[64];

        (void)snprintf(line, sizeof line, "\n  -%s", flags[i]);
        if (strstr(text, line) == NULL)
            fail_msg("no flag %s in:\n%s", flags[i], text);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_originals),
        cmocka_unit_test(zero_and_empty_mean_the_default),
        cmocka_unit_test(the_command_line_beats_the_environment_beats_the_file),
        cmocka_unit_test(every_combination_of_switches),
        cmocka_unit_test(what_is_not_taken_as_written_is_noted),
        cmocka_unit_test(the_file_that_the_original_ships_starts),
        cmocka_unit_test(everything_of_the_syncer_can_be_set),
        cmocka_unit_test(the_example_file_changes_nothing),
        cmocka_unit_test(the_example_file_has_every_key),
        cmocka_unit_test(the_version_is_asked_without_reading_a_file),
        cmocka_unit_test(help_names_every_flag_of_the_original),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
