/* drainer: merges all pumps into one ordered stream and applies it to a downstream. Reads the
 * configuration, makes the drainer (actors/drainer/drainer.h), runs its actors
 * (actors/drainer/topology.h). Exit codes (drainer spec 0.3, but no end by an error is 0): 0
 * orderly end, -V, -help; 1 configuration, log, or what the drainer stands on; 2 flags, or failure
 * while serving; 3 exit-when-held, and the stream must not go on. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actors/drainer/config.h"
#include "actors/drainer/drainer.h"
#include "actors/drainer/reload.h"
#include "actors/drainer/topology.h"
#include "base/env_os.h"
#include "base/log.h"
#include "base/panic.h"
#include "base/version.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "runtime/run.h"

enum { EXIT_START = 1, EXIT_SERVE = 2, EXIT_HELD = 3 };

static int refuse(int code, const struct sl_why *why)
{
    fprintf(stderr, "drainer: %s\n", why->text);
    return code;
}

static void log_note(void *context, const char *setting, const char *text)
{
    (void)context;
    sl_log(SL_LOG_WARN, "about a setting", sl_field_str("setting", setting),
           sl_field_str("note", text));
}

/* What the signals are about. */
struct serving {
    struct sl_drainer        *drainer;
    struct sl_drainer_reload *reload;
};

static bool is_open(struct sl_drainer *drainer)
{
    return atomic_load_explicit(&drainer->front.board.is_open, memory_order_relaxed);
}

/* Whoever waits for what a start stands on has begun nothing that needs an orderly end, and may sit
 * in a call to a peer that does not answer: it goes at once. */
static void log_stopping(void *context, int number)
{
    sl_log(SL_LOG_INFO, "got signal to exit", sl_field_str("signal", strsignal(number)));
    if (is_open(((struct serving *)context)->drainer))
        return;
    sl_log(SL_LOG_INFO, "drainer exit");
    sl_log_done();
    _exit(0);
}

static int fail(int code, enum sl_err err, const struct sl_why *why)
{
    if (code == EXIT_START)
        sl_log(SL_LOG_FATAL, "create drainer server failed", sl_field_err(err, why));
    else
        sl_log(SL_LOG_ERROR, "start drainer server failed", sl_field_err(err, why));
    return refuse(code, why);
}

static void on_hangup(void *context, struct sl_runtime *rt)
{
    sl_drainer_reload(((struct serving *)context)->reload, rt);
}

static int run(struct sl_drainer *drainer, struct sl_drainer_reload *reload)
{
    struct sl_drainer_wiring wiring;
    struct serving           serving = {drainer, reload};
    struct sl_run_options    options = {
           .runtime = {.env = sl_env_os(), .topology = &wiring.topology},
           .args = &drainer,
           .args_bytes = sizeof drainer,
           .on_hangup = on_hangup,
           .on_stopping = log_stopping,
           .context = &serving,
    };
    struct sl_why why = {0};
    enum sl_err   err = sl_drainer_listen(drainer, &why);

    if (err != SL_OK)
        return fail(EXIT_SERVE, err, &why);
    sl_drainer_wire(&wiring, drainer->options.config->memory_budget);
    err = sl_run(&options, &why);
    if (err != SL_OK)
        return fail(is_open(drainer) ? EXIT_SERVE : EXIT_START, err, &why);
    sl_log(SL_LOG_INFO, "drainer exit");
    return drainer->ended_held ? refuse(EXIT_HELD, &drainer->held_why) : 0;
}

/* Somebody watches the log as it is written. */
static bool is_on_terminal(const struct sl_drainer_config *config)
{
    bool to_stderr = config->destination == SL_DRAINER_STDOUT;

    return config->log_file[0] == '\0' && isatty(to_stderr ? STDERR_FILENO : STDOUT_FILENO) == 1;
}

static int open_and_run(struct sl_drainer_reload *reload)
{
    const struct sl_drainer_config *config = reload->config;
    struct sl_drainer_options options = {.env = sl_env_os(), .config = config, .asks_pumps = true};
    struct sl_filter         *filter = NULL;
    struct sl_event_filter   *event_filter = NULL;
    struct sl_drainer        *drainer;
    char                      host_name[SL_NAME_BYTES_MAX];
    struct sl_why             why = {0};
    enum sl_err               err;
    int                       code;

    sl_env_os_host_name(host_name);
    options.host_name = host_name;
    options.tells_progress = is_on_terminal(config);
    if (sl_drainer_config_filters(config, &filter, &event_filter, &why) != SL_OK)
        return refuse(EXIT_START, &why);
    options.filter = filter;
    options.event_filter = event_filter;
    if ((err = sl_drainer_open(&options, &drainer, &why)) != SL_OK) {
        code = fail(EXIT_START, err, &why);
    } else {
        code = run(drainer, reload);
        sl_drainer_close(&drainer);
    }
    sl_filter_free(&filter);
    sl_event_filter_free(&event_filter);
    return code;
}

static int serve(struct sl_drainer_reload *reload)
{
    const struct sl_drainer_config *config = reload->config;
    const struct sl_conf_report    *report = reload->report;
    struct sl_log_options           log = {.level = config->level,
                                           .path = config->log_file,
                                           .to_stderr = config->destination == SL_DRAINER_STDOUT};
    struct sl_why                   why = {0};
    int                             code;

    if (sl_log_init(sl_env_os(), &log, &why) != SL_OK) {
        sl_wrap(&why, SL_IO, "open the log");
        return refuse(EXIT_START, &why);
    }
    sl_run_hold_hangup();
    sl_log(SL_LOG_INFO, "Welcome to Drainer", sl_field_str("Release Version", sl_version_release));
    sl_config_log(&sl_drainer_config_table, report);
    sl_drainer_config_notes(config, report, log_note, NULL);
    sl_log(SL_LOG_INFO, "start drainer...");
    code = open_and_run(reload);
    sl_drainer_reload_done(reload);
    sl_log_done();
    return code;
}

static void answer(const struct sl_drainer_config *config)
{
    if (config->version)
        sl_version_write(stdout);
    else
        sl_topology_print(&sl_drainer_topology, SL_TOPOLOGY_TEXT, stdout);
}

int main(int argc, char **argv)
{
    static struct sl_conf_report   report;
    struct sl_drainer_config       config;
    struct sl_conf_input           input = {.argc = argc,
                                            .argv = (const char *const *)argv,
                                            .env = (const char *const *)environ,
                                            .fs = sl_env_os()->fs};
    char                           own[SL_ADDR_BYTES_MAX];
    struct sl_drainer_surroundings around = {.own_ipv4 = sl_env_os_ipv4(own) ? own : NULL,
                                             .env = (const char *const *)environ};
    struct sl_drainer_reload       reload = {
              .input = &input, .around = &around, .config = &config, .report = &report};
    struct sl_why why = {0};
    enum sl_err   err;
    int           code = 0;

    sl_panic_install("drainer 0");
    sl_env_os_give_memory_back();
    if ((err = sl_conf_load(&sl_drainer_config_table, &input, &config, &report, &why)) != SL_OK)
        return refuse(sl_conf_exit_code(err), &why);
    if (report.help)
        sl_conf_help(&sl_drainer_config_table, stderr);
    else if (report.asked)
        answer(&config);
    else if ((err = sl_drainer_config_check(&config, &report, &around, &why)) != SL_OK)
        code = refuse(sl_conf_exit_code(err), &why);
    else
        code = serve(&reload);
    sl_conf_free(&sl_drainer_config_table, &config);
    return code;
}
