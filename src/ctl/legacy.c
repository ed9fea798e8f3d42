#include "ctl/legacy.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/version.h"
#include "ctl/cli.h"
#include "ctl/ctl.h"

static const struct ctl_place place_main = {"main.go", 65};

/* ---- flags ---- */

static const struct sl_conf_row rows[] = {
    {.flag = "V",
     SL_CONF_AT(BOOL, struct ctl_legacy, version),
     .flags = SL_CONF_ASK,
     .help = "prints version and exit"},
    {.flag = "cmd",
     SL_CONF_AT(STRING, struct ctl_legacy, command),
     .def = "pumps",
     .help = "operator: \"generate_meta\", \"pumps\", \"drainers\", \"update-pump\", "
             "\"update-drainer\", \"pause-pump\", \"pause-drainer\", \"offline-pump\", "
             "\"offline-drainer\", \"encrypt\""},
    {.flag = "data-dir",
     SL_CONF_AT(STRING, struct ctl_legacy, data_dir),
     .def = CTL_META_DIR,
     .help = "meta directory path"},
    {.flag = "node-id",
     SL_CONF_AT(STRING, struct ctl_legacy, node_id),
     .help = "id of node, use to update some node with operation update-pump, update-drainer, "
             "pause-pump, pause-drainer, offline-pump and offline-drainer"},
    CTL_PD_URLS_ROW(struct ctl_legacy),
    {.flag = "show-offline-nodes",
     SL_CONF_AT(BOOL, struct ctl_legacy, show_offline),
     .help = "include offline nodes when querying pumps/drainers"},
    {.flag = "ssl-ca",
     SL_CONF_AT(STRING, struct ctl_legacy, ssl_ca),
     .flags = SL_CONF_NOT_YET,
     .help = "path of file that contains list of trusted SSL CAs for connection with cluster "
             "components"},
    {.flag = "ssl-cert",
     SL_CONF_AT(STRING, struct ctl_legacy, ssl_cert),
     .flags = SL_CONF_NOT_YET,
     .help = "path of file that contains X509 certificate in PEM format for connection with "
             "cluster components"},
    {.flag = "ssl-key",
     SL_CONF_AT(STRING, struct ctl_legacy, ssl_key),
     .flags = SL_CONF_NOT_YET,
     .help = "path of file that contains X509 key in PEM format for connection with cluster "
             "components"},
    {.flag = "state",
     SL_CONF_AT(STRING, struct ctl_legacy, state),
     .help = "set node's state, can set to online, pausing, paused, closing or offline"},
    {.flag = "text",
     SL_CONF_AT(STRING, struct ctl_legacy, text),
     .flags = SL_CONF_SECRET,
     .help = "text to be encrypted when using the encrypt command"},
    {.flag = "time-zone",
     SL_CONF_AT(STRING, struct ctl_legacy, time_zone),
     .help = "set time zone if you want save time info in savepoint file, for example "
             "`Asia/Shanghai` for CST time, `Local` for local time; drainers of the original do "
             "not read such a file"},
};

static const struct sl_conf_table table = {
    .program = "binlogctl",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct ctl_legacy),
};

/* ---- commands ---- */

struct command {
    const char *name;
    enum sl_err (*run)(const struct ctl_command_run *run, struct sl_why *why);
    enum sl_node_kind kind;
    const char       *action;
    bool              alone; /* no cluster is needed */
};

static const struct command commands[] = {
    {"generate_meta", ctl_generate_meta, SL_NODE_DRAINER, NULL, false},
    {"pumps", ctl_list, SL_NODE_PUMP, NULL, false},
    {"drainers", ctl_list, SL_NODE_DRAINER, NULL, false},
    {"update-pump", ctl_update, SL_NODE_PUMP, NULL, false},
    {"update-drainer", ctl_update, SL_NODE_DRAINER, NULL, false},
    {"pause-pump", ctl_apply, SL_NODE_PUMP, "pause", false},
    {"pause-drainer", ctl_apply, SL_NODE_DRAINER, "pause", false},
    {"offline-pump", ctl_apply, SL_NODE_PUMP, "close", false},
    {"offline-drainer", ctl_apply, SL_NODE_DRAINER, "close", false},
    {"encrypt", ctl_encrypt, SL_NODE_DRAINER, NULL, true},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find_command(const char *name, struct sl_why *why)
{
    const char *names[COMMANDS];
    const char *near;

    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        names[i] = commands[i].name;
    }
    near = sl_conf_nearest(name, names, COMMANDS);
    (void)sl_fail(why, SL_UNSUPPORTED, "cmd %.100s not supported%s%s%s", name,
                  near != NULL ? ", did you mean " : "", near != NULL ? near : "",
                  near != NULL ? "?" : "");
    return NULL;
}

static enum sl_err run_command(const struct sl_env *env, const struct ctl_legacy *flags,
                               struct sl_why *why)
{
    const struct command  *command = find_command(flags->command, why);
    struct ctl_command_run run = {.env = env, .flags = flags};
    enum sl_err            err;

    if (command == NULL)
        return SL_UNSUPPORTED;
    run.kind = command->kind;
    run.action = command->action;
    if (!command->alone && (err = ctl_open(env, flags->pd_urls, &run.cluster, why)) != SL_OK)
        return err == SL_CONFIG ? sl_wrap(why, err, "parse EtcdURLs error: %.200s", flags->pd_urls)
                                : err;
    err = command->run(&run, why);
    sl_cluster_free(&run.cluster);
    return err;
}

enum sl_err ctl_find(const struct ctl_command_run *run, struct sl_node *out, struct sl_why *why)
{
    enum sl_err err = sl_registry_get(sl_cluster_registry(run->cluster), run->kind,
                                      run->flags->node_id, out, why);

    if (err == SL_NOT_FOUND)
        return sl_fail(why, err, "nodeID %s not found", run->flags->node_id);
    return err;
}

void ctl_say(struct ctl_place place, enum sl_log_level level, const char *message,
             const struct sl_field *fields)
{
    struct sl_log_site site = {.file = place.file, .line = place.line};

    sl_log_write(&site, level, message, fields);
}

/* ---- the program ---- */

static enum sl_ctl_exit refuse(const struct sl_why *why, enum sl_ctl_exit code)
{
    fprintf(stderr, "binlogctl: %s\n", why->text);
    return code;
}

/* The original's exit codes: what is wrong with the URLs is a usage error there too. */
static enum sl_ctl_exit run(const struct sl_env *env, const struct ctl_legacy *flags)
{
    const struct sl_log_options log = {.level = SL_LOG_INFO};
    struct sl_why               why = {0};
    enum sl_err                 err = sl_log_init(env, &log, &why);
    bool                        lost;

    if (err != SL_OK)
        return refuse(&why, SL_CTL_FAILED);
    if ((err = run_command(env, flags, &why)) != SL_OK && err != SL_CONFIG)
        ctl_say(place_main, SL_LOG_FATAL, "fail to execute command",
                (const struct sl_field[]){sl_field_str("command", flags->command),
                                          sl_field_err(err, &why), sl_field_end()});
    lost = sl_log_lost_count() > 0;
    sl_log_done();
    if (err == SL_CONFIG)
        return refuse(&why, SL_CTL_USAGE);
    if (lost) {
        (void)sl_fail(&why, SL_IO, "standard output did not take everything");
        return refuse(&why, SL_CTL_FAILED);
    }
    return err == SL_OK ? SL_CTL_OK : SL_CTL_FAILED;
}

enum sl_ctl_exit sl_ctl_legacy(const struct sl_env *env, int argc, const char *const *argv,
                               bool *help)
{
    struct sl_conf_report report;
    struct sl_conf_input  input = {.argc = argc, .argv = argv};
    struct ctl_legacy     flags;
    struct sl_why         why = {0};
    enum sl_ctl_exit      code = SL_CTL_OK;

    *help = false;
    if (sl_conf_load(&table, &input, &flags, &report, &why) != SL_OK)
        return refuse(&why, SL_CTL_USAGE); /* there is nothing but the command line */
    *help = report.help;
    if (report.help)
        sl_conf_help(&table, stderr);
    else if (report.asked)
        sl_version_write(stdout);
    else
        code = run(env, &flags);
    sl_conf_free(&table, &flags);
    return code;
}
