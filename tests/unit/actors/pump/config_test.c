/* The pump's configuration: defaults, the places values come from, the checks before a start with
 * their words, and the example file (pump spec 6). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/config.h"
#include "actors/pump/config.h"
#include "lib/env_sim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { EXAMPLE_BYTES_MAX = 8192, ARGS_MAX = 32 };

static struct sl_pump_config config;
static struct sl_conf_report report;
static struct sl_why         why;

/* Load and check; `text` is the file, NULL: none. The host has the address 192.0.2.2. */
static enum sl_err run_all(const char *text, const char *const *args, const char *const *env)
{
    struct sl_env_sim   *sim = sl_env_sim_new(1);
    struct sl_fs        *fs = sl_env_sim_env(sim)->fs;
    const char          *argv[ARGS_MAX] = {"pump"};
    struct sl_conf_input input = {.argc = 1, .argv = argv, .env = env, .fs = fs};
    struct sl_file      *file;
    enum sl_err          err;

    why.text[0] = '\0';
    if (text != NULL) {
        assert_int_equal(sl_fs_create(fs, "p.toml", &file, NULL), SL_OK);
        assert_int_equal(sl_file_write(file, text, strlen(text), NULL), SL_OK);
        sl_file_close(&file);
        argv[input.argc++] = "-config=p.toml";
    }
    while (args != NULL && *args != NULL)
        argv[input.argc++] = *args++;
    err = sl_conf_load(&sl_pump_config_table, &input, &config, &report, &why);
    if (err == SL_OK && !report.help && !report.asked)
        err = sl_pump_config_check(&config, &report, "192.0.2.2", &why);
    sl_env_sim_free(&sim);
    return err;
}

static void done(void)
{
    sl_conf_free(&sl_pump_config_table, &config);
}

/* Refused with this code and exactly these words. */
static void refused_as(enum sl_err err, const char *text, const char *const *args,
                       const char *words)
{
    assert_int_equal(run_all(text, args, NULL), err);
    assert_string_equal(why.text, words);
    done();
}

static void refused(const char *flag, const char *words)
{
    refused_as(SL_CONFIG, NULL, WORDS(flag), words);
}

/* ---- defaults ---- */

static void check_defaults(void)
{
    assert_string_equal(config.socket, "");
    assert_string_equal(config.pd_urls, "http://127.0.0.1:2379");
    assert_string_equal(config.data_dir, "data.pump");
    assert_string_equal(config.node_id, "");
    assert_int_equal(config.heartbeat_s, 2);
    assert_int_equal(config.fake_interval_s, 3);
    assert_true(config.gc_nanos == INT64_C(7) * 24 * 3600 * SL_NANOS_PER_S);
    assert_int_equal(config.level, SL_LOG_INFO);
    assert_string_equal(config.log_file, "");
    assert_string_equal(config.metrics_addr, "");
    assert_int_equal(config.metrics_interval_s, 15);
    assert_true(config.message_bytes_max == INT64_C(9223372036850581503));
    assert_true(config.sync_log);
    assert_true(config.slow_write_s > 0.99 && config.slow_write_s < 1.01);
    assert_true(config.stop_write_bytes == UINT64_C(10737418240));
    assert_int_equal(config.shards, 0);
    assert_true(config.segment_bytes == SL_VLOG_SEGMENT_BYTES_DEFAULT);
}

static void the_defaults_are_the_originals(void **state)
{
    (void)state;
    assert_int_equal(run_all(NULL, NULL, NULL), SL_OK);
    check_defaults();
    assert_string_equal(config.addr, "192.0.2.2:8250");
    assert_string_equal(config.advertise_addr, "192.0.2.2:8250");
    done();
}

static void an_empty_addr_is_the_loopback(void **state)
{
    (void)state;
    assert_int_equal(run_all("addr = \"\"\n", NULL, NULL), SL_OK);
    assert_string_equal(config.addr, "127.0.0.1:8250");
    done();
    assert_int_equal(run_all(NULL, WORDS("-addr="), NULL), SL_OK);
    assert_string_equal(config.addr, "127.0.0.1:8250");
    done();
}

/* The original takes its default then. */
static void an_empty_data_dir_is_the_default(void **state)
{
    (void)state;
    assert_int_equal(run_all("data-dir = \"\"\n", NULL, NULL), SL_OK);
    assert_string_equal(config.data_dir, "data.pump");
    done();
    assert_int_equal(run_all(NULL, WORDS("-data-dir="), NULL), SL_OK);
    assert_string_equal(config.data_dir, "data.pump");
    done();
}

static void a_host_without_an_address_listens_on_the_loopback(void **state)
{
    const char          *argv[] = {"pump"};
    struct sl_conf_input input = {.argc = 1, .argv = argv};

    (void)state;
    assert_int_equal(sl_conf_load(&sl_pump_config_table, &input, &config, &report, NULL), SL_OK);
    assert_int_equal(sl_pump_config_check(&config, &report, NULL, NULL), SL_OK);
    assert_string_equal(config.addr, "127.0.0.1:8250");
    done();
}

static void zero_intervals_and_thresholds_mean_the_default(void **state)
{
    (void)state;
    assert_int_equal(
        run_all("heartbeat-interval = 0\nstorage.slow_write_threshold = -1\n", NULL, NULL), SL_OK);
    assert_int_equal(config.heartbeat_s, 2);
    assert_true(config.slow_write_s > 0.99 && config.slow_write_s < 1.01);
    done();
}

static void shards_follow_the_processors_up_to_four_unless_told(void **state)
{
    (void)state;
    assert_int_equal(run_all(NULL, NULL, NULL), SL_OK);
    assert_int_equal(sl_pump_config_shards(&config, 1), 1);
    assert_int_equal(sl_pump_config_shards(&config, 4), 4);
    assert_int_equal(sl_pump_config_shards(&config, 64), 4);
    config.shards = 7;
    assert_int_equal(sl_pump_config_shards(&config, 1), 7);
    done();
    refused_as(SL_CONFIG, "storage.shards = 17\n", NULL,
               "p.toml:1:18: storage.shards: out of range, allowed: 0 to 16");
}

/* ---- where values come from ---- */

static void the_command_line_beats_the_environment_beats_the_file(void **state)
{
    const char *file = "addr = \"f:1\"\npd-urls = \"http://f:1\"\ndata-dir = \"f\"\n";

    (void)state;
    assert_int_equal(
        run_all(file, WORDS("--addr", "c:1"), WORDS("PUMP_ADDR=e:1", "PUMP_PD_URLS=http://e:1")),
        SL_OK);
    assert_string_equal(config.addr, "c:1");
    assert_string_equal(config.pd_urls, "http://e:1");
    assert_string_equal(config.data_dir, "f");
    done();
}

static void every_flag_has_its_variable(void **state)
{
    (void)state;
    assert_int_equal(run_all(NULL, NULL,
                             WORDS("PUMP_L=warn", "PUMP_DATA_DIR=d", "PUMP_FAKE_BINLOG_INTERVAL=9",
                                   "PUMP_MAX_MESSAGE_SIZE=77", "PUMP_METRICS_ADDR=m:1",
                                   "PUMP_NODE_ID=", "PUMP_V=true", "PUMP_CONFIG=/none")),
                     SL_OK);
    assert_int_equal(config.level, SL_LOG_WARN);
    assert_string_equal(config.data_dir, "d");
    assert_int_equal(config.fake_interval_s, 9);
    assert_int_equal(config.message_bytes_max, 77);
    assert_string_equal(config.metrics_addr, "m:1");
    assert_string_equal(config.node_id, "");
    assert_false(config.version);
    done();
}

static void gc_is_days_or_a_duration_and_may_be_an_integer(void **state)
{
    const int64_t day = INT64_C(24) * 3600 * SL_NANOS_PER_S;

    (void)state;
    assert_int_equal(run_all("GC = 5\n", NULL, NULL), SL_OK);
    assert_true(config.gc_nanos == 5 * day);
    done();
    assert_int_equal(run_all("gc = 5\n", WORDS("--gc", "3"), NULL), SL_OK);
    assert_true(config.gc_nanos == 3 * day);
    done();
    assert_int_equal(run_all("gc = \"1h30m\"\n", NULL, NULL), SL_OK);
    assert_true(config.gc_nanos == INT64_C(5400) * SL_NANOS_PER_S);
    done();
}

static void what_no_file_names_is_unknown_and_what_it_names_by_accident_is_not(void **state)
{
    (void)state;
    assert_int_equal(run_all("metricsaddr = \"g:9091\"\nMETRICSINTERVAL = 3\n", NULL, NULL), SL_OK);
    assert_string_equal(config.metrics_addr, "g:9091");
    assert_int_equal(config.metrics_interval_s, 3);
    done();
    assert_int_equal(run_all("metrics-addr = \"g:9091\"\n[storage.kv]\nsize = 1\n", NULL, NULL),
                     SL_CONFIG);
    assert_non_null(strstr(why.text, "component pump's config file p.toml contained unknown "
                                     "configuration options: metrics-addr, storage.kv.size"));
}

/* ---- what is checked ---- */

static void gc_is_refused_in_the_originals_words(void **state)
{
    (void)state;
    refused("-gc=7d", "parse GC time failed, err: unsupported gc time 7d, etc: use 7 for 7 day, 7h "
                      "for 7 hour: time: unknown unit \"d\" in duration \"7d\"");
    assert_int_equal(run_all("gc = -1\n", NULL, NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "parse GC time failed, err: unsupported gc time -1, etc: "));
    done();
    assert_int_equal(run_all(NULL, WORDS("-gc=200000"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "7h for 7 hour: too large: 200000"));
    done();
    refused("-gc=0", "GC is 0, must bigger than 0");
    refused("-gc=-2h", "GC is -2h, must bigger than 0");
}

static void addr_must_be_host_and_port(void **state)
{
    (void)state;
    refused("-addr=127.0.0.1", "bad ListenAddr host format: 127.0.0.1, address 127.0.0.1: missing "
                               "port in address");
    refused("-addr=127.0.0.1:", "bad ListenAddr host format: 127.0.0.1:, address 127.0.0.1:: "
                                "missing port in address");
    refused("-addr=::1:80",
            "bad ListenAddr host format: ::1:80, address ::1:80: too many colons in address");
    refused("-addr=[::1:80",
            "bad ListenAddr host format: [::1:80, address [::1:80: missing ']' in address");
    refused("-addr=[::1]x:80",
            "bad ListenAddr host format: [::1]x:80, address [::1]x:80: missing port in address");
    refused("-addr=a]:80",
            "bad ListenAddr host format: a]:80, address a]:80: unexpected ']' in address");
    refused("-addr=h:99999", "bad ListenAddr host format: h:99999, address h:99999: invalid port");
    refused("-addr=h:000080",
            "bad ListenAddr host format: h:000080, address h:000080: invalid port");
    refused("-addr=h:http", "parse ListenAddr error: http://h:http, parse \"http://h:http\": "
                            "invalid port \":http\" after host");
    refused("-addr=a b:80", "parse ListenAddr error: http://a b:80, parse \"http://a b:80\": "
                            "invalid character in host name");
    assert_int_equal(run_all(NULL, WORDS("-addr=[::1]:80"), NULL), SL_OK);
    done();
}

static void advertise_addr_must_be_reachable(void **state)
{
    (void)state;
    refused("-advertise-addr=h", "bad AdvertiseAddr host format: h, address h: missing port in "
                                 "address");
    refused("-advertise-addr=h:p", "parse AdvertiseAddr error: http://h:p, parse \"http://h:p\": "
                                   "invalid port \":p\" after host");
    refused("-advertise-addr=:8250", "invalid advertiseAddr host: ");
    refused("-advertise-addr=0.0.0.0:8250", "invalid advertiseAddr host: 0.0.0.0");
    refused("-addr=:8250", "invalid advertiseAddr host: ");
    assert_int_equal(run_all(NULL, WORDS("-addr=:8250", "-advertise-addr=127.0.0.1:8250"), NULL),
                     SL_OK);
    assert_string_equal(config.addr, ":8250");
    assert_string_equal(config.advertise_addr, "127.0.0.1:8250");
    done();
    assert_int_equal(run_all(NULL, WORDS("-advertise-addr=pump-0.svc:8250"), NULL), SL_OK);
    done();
}

static void a_socket_is_a_url_or_a_path(void **state)
{
    static const char *const forms[] = {"-socket=unix:///tmp/p.sock", "-socket=unix:/tmp/p.sock",
                                        "-socket=/tmp/p.sock"};
    char                     flag[160] = "-socket=/";

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_int_equal(run_all(NULL, WORDS(forms[i]), NULL), SL_OK);
        assert_string_equal(config.socket, "unix:/tmp/p.sock");
        done();
    }
    refused("-socket=pump.sock", "bad Socket addr format: pump.sock");
    refused("-socket=unix:pump.sock", "bad Socket addr format: pump.sock");
    refused("-socket=unix://tmp/p.sock",
            "bad Socket addr format: unix://tmp/p.sock, a path begins with a third slash, as in "
            "unix:///tmp/pump.sock");
    refused("-socket=tcp://h/p", "parse Socket error: tcp://h/p, the scheme must be unix");
    memset(flag + 9, 'p', 106); /* with the slash as long as Linux allows */
    assert_int_equal(run_all(NULL, WORDS(flag), NULL), SL_OK);
    done();
    flag[9 + 106] = 'p';
    assert_int_equal(run_all(NULL, WORDS(flag), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, ", longer than 107 bytes"));
    done();
}

static void pd_urls_are_trimmed_and_sorted(void **state)
{
    (void)state;
    assert_int_equal(run_all(NULL, WORDS("-pd-urls= http://c:1 ,https://b:1,\thttp://a:1"), NULL),
                     SL_OK);
    assert_string_equal(config.pd_urls, "http://a:1,http://c:1,https://b:1");
    done();
    assert_int_equal(run_all(NULL, WORDS("-pd-urls=local:/var/lib/a,b"), NULL), SL_OK);
    assert_string_equal(config.pd_urls, "local:/var/lib/a,b");
    done();
}

static void pd_urls_are_refused_in_the_originals_words(void **state)
{
    (void)state;
    refused("-pd-urls=h:1", "parse EtcdURLs error: h:1, URL scheme must be http, https, unix, or "
                            "unixs: h:1");
    refused("-pd-urls=",
            "parse EtcdURLs error: , URL scheme must be http, https, unix, or unixs: ");
    refused("-pd-urls=http://a:1,ftp://b:1",
            "parse EtcdURLs error: http://a:1,ftp://b:1, URL scheme must be http, https, unix, or "
            "unixs: ftp://b:1");
    refused("-pd-urls=http://a", "parse EtcdURLs error: http://a, URL address does not have the "
                                 "form \"host:port\": http://a");
    refused("-pd-urls=http://a:1/", "parse EtcdURLs error: http://a:1/, URL must not contain a "
                                    "path: http://a:1/");
    refused("-pd-urls=local:", "parse EtcdURLs error: local:, a directory must follow");
}

static void too_many_pd_urls_are_refused(void **state)
{
    char flag[2048] = "-pd-urls=http://a:1";

    (void)state;
    for (int i = 1; i < SL_PD_URLS_MAX; i++)
        strncat(flag, ",http://a:1", sizeof flag - strlen(flag) - 1);
    assert_int_equal(run_all(NULL, WORDS(flag), NULL), SL_OK);
    done();
    strncat(flag, ",http://a:1", sizeof flag - strlen(flag) - 1);
    assert_int_equal(run_all(NULL, WORDS(flag), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "more than 64 URLs"));
    done();
}

static void checks_come_in_the_originals_order(void **state)
{
    (void)state;
    refused_as(SL_CONFIG, NULL, WORDS("-gc=0", "-addr=x", "-socket=x", "-pd-urls=x"),
               "GC is 0, must bigger than 0");
    assert_int_equal(run_all(NULL, WORDS("-addr=x", "-advertise-addr=y", "-socket=x"), NULL),
                     SL_CONFIG);
    assert_non_null(strstr(why.text, "ListenAddr"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-advertise-addr=y", "-socket=x"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "AdvertiseAddr"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-socket=x", "-pd-urls=x", "-L=loud"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "Socket"));
    done();
    assert_int_equal(run_all(NULL, WORDS("-L=loud"), NULL), SL_CONFIG);
    assert_non_null(strstr(why.text, "log-level: "));
    done();
}

static void tls_is_refused_before_anything_else(void **state)
{
    (void)state;
    refused_as(SL_UNSUPPORTED, "gc = 0\n[security]\nssl-ca = \"/ca.pem\"\n", NULL,
               "security.ssl-ca: not supported in this version");
    refused_as(SL_UNSUPPORTED, "[security]\ncert-allowed-cn = [\"tidb\"]\n", NULL,
               "security.cert-allowed-cn: not supported in this version");
    assert_int_equal(run_all("[security]\nssl-ca = \"\"\ncert-allowed-cn = []\n", NULL, NULL),
                     SL_OK);
    done();
}

static void intervals_that_would_spin_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run_all("gen-binlog-interval = 0\n", NULL, NULL), SL_CONFIG);
    assert_int_equal(run_all("heartbeat-interval = -1\n", NULL, NULL), SL_CONFIG);
    assert_int_equal(run_all(NULL, WORDS("-metrics-interval=-1"), NULL), SL_USAGE);
}

/* ---- telling ---- */

static void the_settings_are_told_as_one_line_of_json(void **state)
{
    char text[4096];
    char cut[32];

    (void)state;
    assert_int_equal(run_all("gc = 3\nnode-id = \"a\\\"b\"\n", WORDS("-log-rotate=day"),
                             WORDS("PUMP_L=warn", NULL)),
                     SL_OK);
    sl_config_text(&sl_pump_config_table, &config, text, sizeof text);
    assert_non_null(strstr(text, "{\"config\":\"p.toml\",\"addr\":\"192.0.2.2:8250\","));
    assert_non_null(strstr(text, "\"gc\":\"3\",\"log-level\":\"warn\","));
    assert_non_null(strstr(text, "\"node-id\":\"a\\\"b\""));
    assert_non_null(strstr(text, "\"storage.sync-log\":\"true\""));
    assert_null(strstr(text, "log-rotate")); /* has no value */
    assert_null(strstr(text, "storage.kv"));
    assert_null(strstr(text, "security"));
    assert_int_equal(text[strlen(text) - 1], '}');
    sl_config_text(&sl_pump_config_table, &config, cut, sizeof cut);
    assert_true(strlen(cut) < sizeof cut);
    done();
}

/* ---- what has no effect ---- */

static void note_setting(void *context, const char *setting, const char *text)
{
    char *all = context;

    assert_non_null(strstr(text, "without effect"));
    (void)snprintf(all + strlen(all), 256 - strlen(all), "%s ", setting);
}

static void what_has_no_effect_is_accepted_and_noted(void **state)
{
    char all[256] = "";

    (void)state;
    assert_int_equal(
        run_all("storage.kv.block-size = 1\n",
                WORDS("-log-rotate=day", "-binlog-file-size", "9", "-enable-binlog-slice",
                      "-binlog-slice-size=1", "-enable-debug", "-enable-tolerant"),
                NULL),
        SL_OK);
    sl_config_notes(&sl_pump_config_table, &report, note_setting, all);
    assert_string_equal(all, "-enable-debug -enable-tolerant -binlog-file-size "
                             "-enable-binlog-slice -binlog-slice-size -log-rotate "
                             "storage.kv.block-size ");
    done();
}

/* ---- help, version, example ---- */

static void the_version_is_asked_without_reading_a_file(void **state)
{
    (void)state;
    assert_int_equal(run_all(NULL, WORDS("-config=/none", "-V"), NULL), SL_OK);
    assert_true(report.asked && config.version);
    done();
}

static void help_names_every_flag_of_the_original(void **state)
{
    static const char *const flags[] = {"-L string\n",
                                        "-V\tprint",
                                        "-addr string\n",
                                        "-advertise-addr string\n",
                                        "-binlog-file-size int\n",
                                        "-binlog-slice-size int\n",
                                        "-config string\n",
                                        "-data-dir string\n",
                                        "-enable-binlog-slice\n",
                                        "-enable-debug\n",
                                        "-gc string\n",
                                        "-fake-binlog-interval int\n",
                                        "-log-rotate string\n    \tDEPRECATED\n",
                                        "-heartbeat-interval int\n",
                                        "-log-file string\n",
                                        "-max-message-size int\n",
                                        "-metrics-addr string\n",
                                        "-metrics-interval int\n",
                                        "-node-id string\n",
                                        "-pd-urls string\n",
                                        "-socket string\n",
                                        "is second (default 3)\n"};
    char                    *text = NULL;
    size_t                   bytes = 0;
    FILE                    *out = open_memstream(&text, &bytes);

    (void)state;
    sl_conf_help(&sl_pump_config_table, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strncmp(text, "Usage of pump:\n", 15), 0);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        assert_non_null(strstr(text, flags[i]));
    free(text);
}

/* ops/pump.toml into text; `whole`: with the settings that stand in comments. */
static void read_example(char *text, bool whole)
{
    FILE *file = fopen("ops/pump.toml", "re");
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
    char all[256] = "";

    (void)state;
    read_example(text, false);
    assert_int_equal(run_all(text, NULL, NULL), SL_OK);
    check_defaults();
    assert_string_equal(config.addr, "192.0.2.2:8250");
    sl_config_notes(&sl_pump_config_table, &report, note_setting, all);
    assert_string_equal(all, "");
    done();
}

static void the_example_file_has_every_key(void **state)
{
    char text[EXAMPLE_BYTES_MAX];

    (void)state;
    read_example(text, true);
    assert_int_equal(run_all(text, NULL, NULL), SL_OK);
    check_defaults();
    assert_string_equal(config.addr, "127.0.0.1:8250");
    for (size_t i = 0; i < sl_pump_config_table.row_count; i++) {
        const struct sl_conf_row *row = &sl_pump_config_table.rows[i];
        bool                      empty_list = row->type == SL_CONF_STRINGS;

        if (row->key != NULL && !empty_list && report.origin[i].source != SL_CONF_FROM_FILE)
            fail_msg("ops/pump.toml lacks %s", row->key);
    }
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_originals),
        cmocka_unit_test(an_empty_addr_is_the_loopback),
        cmocka_unit_test(an_empty_data_dir_is_the_default),
        cmocka_unit_test(a_host_without_an_address_listens_on_the_loopback),
        cmocka_unit_test(zero_intervals_and_thresholds_mean_the_default),
        cmocka_unit_test(shards_follow_the_processors_up_to_four_unless_told),
        cmocka_unit_test(the_command_line_beats_the_environment_beats_the_file),
        cmocka_unit_test(every_flag_has_its_variable),
        cmocka_unit_test(gc_is_days_or_a_duration_and_may_be_an_integer),
        cmocka_unit_test(what_no_file_names_is_unknown_and_what_it_names_by_accident_is_not),
        cmocka_unit_test(gc_is_refused_in_the_originals_words),
        cmocka_unit_test(addr_must_be_host_and_port),
        cmocka_unit_test(advertise_addr_must_be_reachable),
        cmocka_unit_test(a_socket_is_a_url_or_a_path),
        cmocka_unit_test(pd_urls_are_trimmed_and_sorted),
        cmocka_unit_test(pd_urls_are_refused_in_the_originals_words),
        cmocka_unit_test(too_many_pd_urls_are_refused),
        cmocka_unit_test(checks_come_in_the_originals_order),
        cmocka_unit_test(tls_is_refused_before_anything_else),
        cmocka_unit_test(intervals_that_would_spin_are_refused),
        cmocka_unit_test(the_settings_are_told_as_one_line_of_json),
        cmocka_unit_test(what_has_no_effect_is_accepted_and_noted),
        cmocka_unit_test(the_version_is_asked_without_reading_a_file),
        cmocka_unit_test(help_names_every_flag_of_the_original),
        cmocka_unit_test(the_example_file_changes_nothing),
        cmocka_unit_test(the_example_file_has_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
