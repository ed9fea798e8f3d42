/* pump: takes binlogs from TiDB and serves them to drainers. Reads the configuration, opens the
 * pump (actors/pump/pump.h), runs its actors (actors/pump/topology.h). Exit codes as the original's
 * (pump spec 6.8): 0 orderly end, -V, -help; 1 configuration, log, or what the pump stands on;
 * 2 flags, or failure while serving. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actors/common/config.h"
#include "actors/pump/config.h"
#include "actors/pump/pump.h"
#include "actors/pump/reload.h"
#include "actors/pump/topology.h"
#include "base/env_os.h"
#include "base/log.h"
#include "base/panic.h"
#include "base/version.h"
#include "runtime/run.h"

enum { EXIT_START = 1, EXIT_SERVE = 2 };

static int refuse(int code, const struct sl_why *why)
{
    fprintf(stderr, "pump: %s\n", why->text);
    return code;
}

static void log_stopping(void *context, int number)
{
    (void)context;
    sl_log(SL_LOG_INFO, "got signal to exit", sl_field_str("signal", strsignal(number)));
}

static void on_hangup(void *reload, struct sl_runtime *rt)
{
    (void)rt;
    sl_pump_reload(reload);
}

static int run(struct sl_pump *pump, struct sl_pump_reload *reload)
{
    struct sl_run_options options = {
        .runtime = {.env = sl_env_os(), .topology = &sl_pump_topology},
        .args = &pump,
        .args_bytes = sizeof pump,
        .on_hangup = on_hangup,
        .on_stopping = log_stopping,
        .context = reload,
    };
    struct sl_why why = {0};
    enum sl_err   err = sl_pump_listen(pump, &why);

    if (err == SL_OK)
        err = sl_run(&options, &why);
    if (err != SL_OK) {
        sl_log(SL_LOG_ERROR, "start pump server failed", sl_field_err(err, &why));
        return refuse(EXIT_SERVE, &why);
    }
    sl_log(SL_LOG_INFO, "pump exit");
    return 0;
}

static int serve(struct sl_pump_reload *reload)
{
    const struct sl_pump_config *config = reload->config;
    struct sl_log_options        log = {.level = config->level, .path = config->log_file};
    char                         host_name[SL_NAME_BYTES_MAX];
    char                         settings[SL_LOG_LINE_BYTES_MAX / 2];
    struct sl_pump_options       options = sl_pump_options_of(config, sl_env_os(), host_name);
    struct sl_pump              *pump;
    struct sl_why                why = {0};
    int                          code;

    if (sl_log_init(sl_env_os(), &log, &why) != SL_OK) {
        sl_wrap(&why, SL_IO, "open the log");
        return refuse(EXIT_START, &why);
    }
    sl_run_hold_hangup();
    sl_log(SL_LOG_INFO, "Welcome to Pump", sl_field_str("Release Version", sl_version_release));
    sl_config_log(&sl_pump_config_table, reload->report);
    sl_env_os_host_name(host_name);
    sl_config_text(&sl_pump_config_table, config, settings, sizeof settings);
    sl_log(SL_LOG_INFO, "start pump...", sl_field_str("config", settings));
    if (sl_pump_open(&options, &pump, &why) != SL_OK) {
        sl_log(SL_LOG_FATAL, "creating pump server failed", sl_field_str("error", why.text));
        code = refuse(EXIT_START, &why);
    } else {
        code = run(pump, reload);
        sl_pump_close(&pump);
    }
    sl_log_done();
    return code;
}

static void answer(const struct sl_pump_config *config)
{
    if (config->version)
        sl_version_write(stdout);
    else
        sl_topology_print(&sl_pump_topology, SL_TOPOLOGY_TEXT, stdout);
}

int main(int argc, char **argv)
{
    static struct sl_conf_report report;
    struct sl_pump_config        config;
    struct sl_conf_input         input = {.argc = argc,
                                          .argv = (const char *const *)argv,
                                          .env = (const char *const *)environ,
                                          .fs = sl_env_os()->fs};
    struct sl_why                why = {0};
    enum sl_err                  err;
    char                         own[SL_ADDR_BYTES_MAX];
    struct sl_pump_reload        reload = {.input = &input,
                                           .own_ipv4 = sl_env_os_ipv4(own) ? own : NULL,
                                           .config = &config,
                                           .report = &report};
    int                          code = 0;

    sl_panic_install("pump 0");
    if ((err = sl_conf_load(&sl_pump_config_table, &input, &config, &report, &why)) != SL_OK)
        return refuse(sl_conf_exit_code(err), &why);
    if (report.help)
        sl_conf_help(&sl_pump_config_table, stderr);
    else if (report.asked)
        answer(&config);
    else if ((err = sl_pump_config_check(&config, &report, reload.own_ipv4, &why)) != SL_OK)
        code = refuse(sl_conf_exit_code(err), &why);
    else
        code = serve(&reload);
    sl_conf_free(&sl_pump_config_table, &config);
    return code;
}
