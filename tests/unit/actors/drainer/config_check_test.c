/* What a drainer refuses to start with, in the words of drainer spec 5 where the original has some:
 * each check once, with its text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/config.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "lib/env_sim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { ARGS_MAX = 32 };

static struct sl_drainer_config config;
static struct sl_conf_report    report;
static struct sl_why            why;

static void write_file(struct sl_fs *fs, const char *path, const char *text)
{
    struct sl_file *file;

    assert_int_equal(sl_fs_create(fs, path, &file, NULL), SL_OK);
    assert_int_equal(sl_file_write(file, text, strlen(text), NULL), SL_OK);
    sl_file_close(&file);
}

static enum sl_err run_all(const char *text, const char *const *args, const char *const *env)
{
    struct sl_env_sim             *sim = sl_env_sim_new(1);
    struct sl_fs                  *fs = sl_env_sim_env(sim)->fs;
    const char                    *argv[ARGS_MAX] = {"drainer"};
    struct sl_conf_input           input = {.argc = 1, .argv = argv, .env = env, .fs = fs};
    struct sl_drainer_surroundings around = {.own_ipv4 = "192.0.2.2", .env = env};
    enum sl_err                    err;

    why.text[0] = '\0';
    if (text != NULL) {
        write_file(fs, "d.toml", text);
        argv[input.argc++] = "-config=d.toml";
    }
    while (args != NULL && *args != NULL)
        argv[input.argc++] = *args++;
    err = sl_conf_load(&sl_drainer_config_table, &input, &config, &report, &why);
    if (err == SL_OK)
        err = sl_drainer_config_check(&config, &report, &around, &why);
    sl_env_sim_free(&sim);
    return err;
}

static void done(void)
{
    sl_conf_free(&sl_drainer_config_table, &config);
}

static void accept(const char *text, const char *const *args, const char *const *env)
{
    if (run_all(text, args, env) != SL_OK)
        fail_msg("%s", why.text);
}

/* Refused with this code and exactly these words. */
static void refused_as(enum sl_err err, const char *text, const char *const *args,
                       const char *words)
{
    assert_int_equal(run_all(text, args, NULL), err);
    assert_string_equal(why.text, words);
    done();
}

static void refused_flag(const char *flag, const char *words)
{
    refused_as(SL_CONFIG, NULL, WORDS(flag), words);
}

static void refused_file(const char *text, const char *words)
{
    refused_as(SL_CONFIG, text, NULL, words);
}

/* ---- what is not built ---- */

static void what_is_not_built_is_refused_by_name(void **state)
{
    static const char *const keys[] = {
        "[security]\nssl-ca = \"/ca\"\n",
        "[security]\nssl-cert = \"/c\"\n",
        "[security]\nssl-key = \"/k\"\n",
        "[security]\ncert-allowed-cn = [\"x\"]\n",
        "[syncer]\nloopback-control = true\n",
        "[syncer]\nload-schema-snapshot = true\n",
        "[syncer]\nload-table-infos = true\n",
        "[syncer.relay]\nlog-dir = \"/r\"\n",
        "[syncer.to]\nencrypted_password = \"x\"\n",
        "[syncer.to]\ndir = \"/d\"\n",
        "[syncer.to]\nretention-time = 7\n",
        "[syncer.to]\nzookeeper-addrs = \"z:1\"\n",
        "[syncer.to]\nkafka-addrs = \"k:1\"\n",
        "[syncer.to]\nkafka-version = \"2.0.0\"\n",
        "[syncer.to]\nkafka-max-messages = 1\n",
        "[syncer.to]\nkafka-max-message-size = 1\n",
        "[syncer.to]\nkafka-client-id = \"x\"\n",
        "[syncer.to]\ntopic-name = \"t\"\n",
        "[syncer.to]\noracle-service-name = \"o\"\n",
        "[syncer.to]\noracle-connect-string = \"o\"\n",
        "[syncer.to]\ntime-limit = \"30s\"\n",
        "[syncer.to]\nsize-limit = \"100000\"\n",
        "[syncer.to.security]\nssl-ca = \"/ca\"\n",
        "[syncer.to.checkpoint]\nencrypted_password = \"x\"\n",
        "[syncer.to.checkpoint.security]\nssl-key = \"/k\"\n",
        "[syncer.to.checkpoint]\noracle-service-name = \"o\"\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char words[128];

        /* "[a.b]\nkey = ..." is refused as "a.b.key: not supported in this version". */
        (void)snprintf(words, sizeof words, "%.*s.%.*s: not supported in this version",
                       (int)strcspn(keys[i] + 1, "]"), keys[i] + 1,
                       (int)strcspn(strchr(keys[i], '\n') + 1, " "), strchr(keys[i], '\n') + 1);
        refused_as(SL_UNSUPPORTED, keys[i], NULL, words);
    }
    refused_as(SL_UNSUPPORTED, NULL, WORDS("-relay-log-dir=/r"),
               "syncer.relay.log-dir: not supported in this version");
}

static void a_destination_is_refused_in_plain_words(void **state)
{
    static const char *const later[] = {"kafka", "file", "pb", "oracle"};

    (void)state;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        char flag[64];
        char words[128];

        (void)snprintf(flag, sizeof flag, "-dest-db-type=%s", later[i]);
        (void)snprintf(words, sizeof words,
                       "db-type \"%s\": not supported in this version; it writes to mysql, tidb or "
                       "stdout",
                       later[i]);
        refused_as(SL_UNSUPPORTED, NULL, WORDS(flag), words);
    }
    refused_as(SL_UNSUPPORTED, NULL, WORDS("-dest-db-type=flash"),
               "the flash DestDBType is no longer supported");
    refused_flag("-dest-db-type=mongodb",
                 "unknown DestDBType: mongodb; db-type is mysql, tidb or stdout");
    refused_flag("-dest-db-type=mysqll", "unknown DestDBType: mysqll; db-type is mysql, tidb or "
                                         "stdout; did you mean \"mysql\"?");
    refused_flag("-dest-db-type=", "unknown DestDBType: ; db-type is mysql, tidb or stdout");
}

/* ---- the original's words ---- */

static void addresses_are_refused_in_the_originals_words(void **state)
{
    (void)state;
    refused_flag("-addr=h", "invalid addr: invalid host h: address h: missing port in address");
    refused_flag("-addr=h:p", "invalid addr: failed to parse addr http://h:p: parse "
                              "\"http://h:p\": invalid port \":p\" after host");
    refused_flag("-advertise-addr=::1:80", "invalid advertise-addr: invalid host ::1:80: address "
                                           "::1:80: too many colons in address");
    accept(NULL, WORDS("-addr=:8249"), NULL);
    done();
    refused_flag("-pd-urls=h:1", "parse EtcdURLs error: h:1, URL scheme must be http, https, unix, "
                                 "or unixs: h:1");
}

static void values_are_refused_in_the_originals_words(void **state)
{
    (void)state;
    refused_flag("-compressor=zip", "Invalid compressor: zip, must be one of these: [gzip]");
    accept(NULL, WORDS("-compressor=gzip"), NULL);
    done();
    refused_file(
        "[syncer]\nsql-mode = \"ANSI,FAST\"\n",
        "invalid config: `sql-mode` must be a valid SQL_MODE: ERROR 1231 (42000): Variable "
        "sql_mode can't be set to the value of 'FAST'");
    accept("[syncer]\nsql-mode = \"\"\n", NULL, NULL);
    assert_true(config.sql_mode_set);
    done();
    refused_file("[syncer.to]\nread-timeout = \"soon\"\n",
                 "syncer.to.read-timeout: unsupported gc time soon, etc: use 7 for 7 day, 7h for 7 "
                 "hour: time: invalid duration \"soon\"");
    refused_file("[syncer.to]\nread-timeout = \"0s\"\n",
                 "syncer.to.read-timeout: 0s, must be above 0");
    refused_flag("-L=loud",
                 "log-level: not a log level: \"loud\" (debug, info, warn, error, fatal)");
}

static void empty_names_are_refused_in_the_originals_words(void **state)
{
    (void)state;
    refused_file("[syncer]\nreplicate-do-db = [\"a\", \"\"]\n",
                 "empty schema name in `replicate-do-db` config");
    refused_flag("-ignore-schemas=", "empty schema name in `ignore-schemas` config");
    refused_flag("-ignore-schemas=a,", "empty schema name in `ignore-schemas` config");
    refused_flag("-ignore-schemas=,a", "empty schema name in `ignore-schemas` config");
    refused_flag("-ignore-schemas=a,,b", "empty schema name in `ignore-schemas` config");
    refused_file("[[syncer.replicate-do-table]]\ntbl-name = \"t\"\n",
                 "empty schema name in `replicate-do-table` config");
    refused_file("[[syncer.replicate-do-table]]\ndb-name = \"d\"\n",
                 "empty table name in `replicate-do-table` config");
    refused_file("[[syncer.ignore-table]]\ntbl-name = \"t\"\n",
                 "empty schema name in `ignore-table` config");
    refused_file("[[syncer.ignore-table]]\ndb-name = \"d\"\n",
                 "empty table name in `ignore-table` config");
}

static void filters_are_tried_before_a_start(void **state)
{
    const char *rule = "[[syncer.table-migrate-rule]]\nbinlog-filter-rule = [\"r\"]\n"
                       "source = { schema = \"s\", table = \"t\" }\n";
    char        text[512];

    (void)state;
    refused_file("[syncer]\nreplicate-do-db = [\"~a(\"]\n",
                 "replicate-do-db: invalid regular expression `a(`: missing closing parenthesis at "
                 "byte 2");
    refused_file(rule, "event filter rule name r not found");
    (void)snprintf(text, sizeof text,
                   "%s[syncer.binlog-filter-rule.r]\nignore-event = [\"drop\"]\n", rule);
    refused_file(text, "generate binlog event filter error: event type drop not valid");
}

static void the_filters_are_those_of_the_file(void **state)
{
    struct sl_filter       *filter;
    struct sl_event_filter *events;
    bool                    skips;
    uint32_t                kinds;

    (void)state;
    accept("[syncer]\nignore-schemas = \"x,~^y\"\n"
           "[[syncer.ignore-table]]\ndb-name = \"s\"\ntbl-name = \"log\"\n"
           "[[syncer.table-migrate-rule]]\nbinlog-filter-rule = [\"r\"]\n"
           "source = { schema = \"s\", table = \"t\" }\n"
           "[syncer.binlog-filter-rule.r]\nignore-event = [\"delete\"]\n",
           NULL, NULL);
    assert_int_equal(sl_drainer_config_filters(&config, &filter, &events, &why), SL_OK);
    done(); /* they borrow nothing of it */
    assert_int_equal(sl_filter_skips(filter, sl_slice_from_string("YY"), sl_slice_from_string("t"),
                                     &skips, &why),
                     SL_OK);
    assert_true(skips);
    assert_int_equal(sl_filter_skips(filter, sl_slice_from_string("s"), sl_slice_from_string("log"),
                                     &skips, &why),
                     SL_OK);
    assert_true(skips);
    assert_int_equal(
        sl_filter_skips(filter, sl_slice_from_string("s"), sl_slice_from_string("t"), &skips, &why),
        SL_OK);
    assert_false(skips);
    assert_int_equal(sl_event_filter_kinds(events, sl_slice_from_string("s"),
                                           sl_slice_from_string("t"), &kinds, &why),
                     SL_OK);
    assert_int_equal(kinds, 1 << SL_EVENT_DELETE);
    sl_filter_free(&filter);
    sl_event_filter_free(&events);
}

/* ---- the downstream server and the checkpoint ---- */

static void the_environment_names_the_server_when_nothing_else_does(void **state)
{
    const char *const *env =
        WORDS("MYSQL_HOST=h", "MYSQL_PORT=13306", "MYSQL_USER=u", "MYSQL_PSWD=secret");

    (void)state;
    accept(NULL, NULL, env);
    assert_string_equal(config.to.host, "h");
    assert_int_equal(config.to.port, 13306);
    assert_string_equal(config.to.user, "u");
    assert_string_equal(config.to.password, "secret");
    assert_string_equal(config.checkpoint.host, "h");
    assert_int_equal(config.checkpoint.port, 13306);
    assert_string_equal(config.checkpoint.password, "secret");
    done();
    accept("[syncer.to]\nhost = \"f\"\nport = 1\nuser = \"g\"\npassword = \"p\"\n", NULL, env);
    assert_string_equal(config.to.host, "f");
    assert_int_equal(config.to.port, 1);
    assert_string_equal(config.to.user, "g");
    assert_string_equal(config.to.password, "p");
    done();
    assert_int_equal(run_all(NULL, NULL, WORDS("MYSQL_PORT=many")), SL_CONFIG);
    assert_string_equal(why.text,
                        "MYSQL_PORT in the environment: no port: many; set syncer.to.port "
                        "or unset it");
    done();
    assert_int_equal(run_all(NULL, NULL, WORDS("MYSQL_PORT=65536")), SL_CONFIG);
    done();
}

static void a_checkpoint_is_where_its_type_says(void **state)
{
    const char *elsewhere = "[syncer.to]\nhost = \"d\"\n[syncer.to.checkpoint]\ntype = \"tidb\"\n"
                            "table = \"ck\"\nschema = \"sch\"\npassword = \"p\"\n";
    const char *same = "[syncer.to]\nhost = \"d\"\npassword = \"q\"\n"
                       "[syncer.to.checkpoint]\nhost = \"other\"\nschema = \"sch\"\n"
                       "table = \"ck\"\n";

    (void)state;
    accept(elsewhere, NULL, NULL);
    assert_string_equal(config.checkpoint.host, "127.0.0.1");
    assert_int_equal(config.checkpoint.port, 3306);
    assert_string_equal(config.checkpoint.user, "root");
    assert_string_equal(config.checkpoint.password, "p");
    assert_string_equal(config.checkpoint_schema, "sch");
    assert_string_equal(config.checkpoint_table, "ck");
    done();
    accept(same, NULL, NULL);
    assert_string_equal(config.checkpoint.host, "d");
    assert_string_equal(config.checkpoint.password, "q");
    assert_string_equal(config.checkpoint_schema, "sch");
    assert_string_equal(config.checkpoint_table, "checkpoint"); /* as the original */
    done();
    accept(NULL, WORDS("-dest-db-type=stdout"), NULL);
    assert_int_equal(config.checkpoint_kind, SL_DRAINER_CHECKPOINT_FILE);
    assert_int_equal(config.worker_count, 1);
    done();
    accept(elsewhere, WORDS("-dest-db-type=stdout"), NULL);
    assert_int_equal(config.checkpoint_kind, SL_DRAINER_CHECKPOINT_SERVER);
    done();
    refused_file("[syncer.to.checkpoint]\ntype = \"file\"\n",
                 "unknown checkpoint type: file; it is mysql, tidb or empty");
    refused_as(SL_UNSUPPORTED, "[syncer.to.checkpoint]\ntype = \"oracle\"\n", NULL,
               "syncer.to.checkpoint.type \"oracle\": not supported in this version; use mysql or "
               "tidb");
}

/* Names go into statements of bounded size. */
static void a_name_that_no_server_has_is_refused(void **state)
{
    char text[400];

    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *key = i == 0 ? "schema" : "table";
        char        words[100];

        (void)snprintf(text, sizeof text, "[syncer.to.checkpoint]\n%s = \"%0256d\"\n", key, 0);
        accept(text, NULL, NULL);
        done();
        (void)snprintf(text, sizeof text, "[syncer.to.checkpoint]\n%s = \"%0257d\"\n", key, 0);
        (void)snprintf(words, sizeof words,
                       "syncer.to.checkpoint.%s: a name of 257 bytes, at most 256", key);
        refused_file(text, words);
    }
}

static void a_time_zone_must_have_a_name(void **state)
{
    (void)state;
    refused_file("[syncer.to.params]\nTime_Zone = \"system\"\n",
                 "syncer.to.params.time_zone: \"system\" names no zone; write one as \"+08:00\" or "
                 "\"Asia/Shanghai\"");
    accept("[syncer.to.params]\ntime_zone = \"Europe/Berlin\"\n", NULL, NULL);
    done();
}

static void variables_of_sessions_are_bounded(void **state)
{
    char   text[2048] = "[syncer.to.params]\n";
    size_t used = strlen(text);

    (void)state;
    for (int i = 0; i < SL_DRAINER_PARAMS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "v%d = 1\n", i);
    accept(text, NULL, NULL);
    done();
    (void)snprintf(text + used, sizeof text - used, "one_more = 1\n");
    refused_file(text, "syncer.to.params: 49 variables, at most 48");
}

/* ---- schema-source ---- */

static void source_is(const char *source, enum sl_drainer_schema_kind kind, const char *place)
{
    char flag[128];

    (void)snprintf(flag, sizeof flag, "-schema-source=%s", source);
    accept(NULL, WORDS(flag), NULL);
    assert_int_equal(config.schema_kind, kind);
    assert_string_equal(config.schema_place, place);
    if (kind == SL_DRAINER_SCHEMA_TIKV)
        assert_string_equal(config.schema_source, "tikv");
    done();
}

static void table_definitions_come_from_where_it_is_said(void **state)
{
    (void)state;
    source_is("tikv", SL_DRAINER_SCHEMA_TIKV, "");
    source_is("", SL_DRAINER_SCHEMA_TIKV, "");
    source_is("file:/a/b.jsonl", SL_DRAINER_SCHEMA_FILE, "/a/b.jsonl");
    source_is("http://h:10080", SL_DRAINER_SCHEMA_HTTP, "http://h:10080");
    source_is("http://h:10080/", SL_DRAINER_SCHEMA_HTTP, "http://h:10080");
    refused_flag("-schema-source=file:", "syncer.schema-source: file: needs a path of at most 4095 "
                                         "bytes behind it");
    refused_flag("-schema-source=http://h:1/x", "syncer.schema-source: http://h:1/x: only "
                                                "http://HOST:PORT, without a path");
    refused_flag("-schema-source=http://h",
                 "syncer.schema-source: http://h: address h: missing port in address");
    refused_flag("-schema-source=http://:1",
                 "syncer.schema-source: http://:1: missing host in address");
    refused_flag("-schema-source=kv",
                 "syncer.schema-source: kv: it is tikv, http://HOST:PORT or file:PATH");
}

static void a_local_cluster_has_its_history_beside_it(void **state)
{
    const char *const *local = WORDS("-pd-urls=local:cluster");

    (void)state;
    accept(NULL, local, NULL);
    assert_int_equal(config.schema_kind, SL_DRAINER_SCHEMA_FILE);
    assert_string_equal(config.schema_place, "cluster/ddl-history.jsonl");
    assert_string_equal(config.schema_source, "file:cluster/ddl-history.jsonl");
    done();
    refused_as(SL_CONFIG, NULL, WORDS("-pd-urls=local:cluster", "-schema-source=tikv"),
               "syncer.schema-source: tikv is found through PD, and pd-urls is local:cluster");
}

/* ---- shape ---- */

static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_all("[syncer]\nworker-cout = 1\n", NULL, NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "component drainer's config file d.toml contained unknown "
                                     "configuration options: syncer.worker-cout"));
    assert_non_null(strstr(why.text, "worker-count"));
    done();
    assert_int_equal(run_all(NULL, WORDS("extra"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "'extra' is not a valid flag"));
    done();
    assert_int_equal(run_all("[syncer]\nworker-count = 0\n", NULL, NULL), SL_CONFIG);
    done();
    assert_int_equal(run_all("[syncer]\ntxn-batch = 0\n", NULL, NULL), SL_CONFIG);
    done();
    assert_int_equal(run_all("[syncer]\nmemory-budget = \"1 mib\"\n", NULL, NULL), SL_CONFIG);
    done();
    assert_int_equal(run_all("initial-commit-ts = -2\n", NULL, NULL), SL_CONFIG);
    done();
    assert_int_equal(run_all("[syncer.to]\nport = 65536\n", NULL, NULL), SL_CONFIG);
    done();
}

static void checks_come_in_the_originals_order(void **state)
{
    const char *text = "addr = \"a\"\nadvertise-addr = \"b\"\npd-urls = \"x\"\n"
                       "compressor = \"z\"\n[syncer]\nsql-mode = \"no\"\nignore-schemas = \"\"\n"
                       "[syncer.to]\nread-timeout = \"no\"\n";

    (void)state;
    assert_int_equal(run_all(text, NULL, NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "sql-mode"));
    done();
    assert_int_equal(run_all(strstr(text, "[syncer.to]"), WORDS("-addr=a"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "read-timeout"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-addr=a", "-advertise-addr=b", "-pd-urls=x"), NULL),
                     SL_CONFIG);
    assert_non_null(strstr(why.text, "invalid addr"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-advertise-addr=b", "-pd-urls=x"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "invalid advertise-addr"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-pd-urls=x", "-compressor=z"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "EtcdURLs"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-compressor=z", "-ignore-schemas="), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "compressor"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-ignore-schemas=", "-dest-db-type=x"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "ignore-schemas"));
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_built_is_refused_by_name),
        cmocka_unit_test(a_destination_is_refused_in_plain_words),
        cmocka_unit_test(addresses_are_refused_in_the_originals_words),
        cmocka_unit_test(values_are_refused_in_the_originals_words),
        cmocka_unit_test(empty_names_are_refused_in_the_originals_words),
        cmocka_unit_test(filters_are_tried_before_a_start),
        cmocka_unit_test(the_filters_are_those_of_the_file),
        cmocka_unit_test(the_environment_names_the_server_when_nothing_else_does),
        cmocka_unit_test(a_checkpoint_is_where_its_type_says),
        cmocka_unit_test(a_name_that_no_server_has_is_refused),
        cmocka_unit_test(a_time_zone_must_have_a_name),
        cmocka_unit_test(variables_of_sessions_are_bounded),
        cmocka_unit_test(table_definitions_come_from_where_it_is_said),
        cmocka_unit_test(a_local_cluster_has_its_history_beside_it),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(checks_come_in_the_originals_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
