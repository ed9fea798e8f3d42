/* binlogctl status, pumps, drainers: is it fine? */

#include <stdio.h>

#include "ctl/cli.h"
#include "ctl/report.h"

struct status_config {
    char   *pd_urls; /* owned */
    bool    json;
    bool    offline;
    int64_t max_lag;
    int64_t retention;
};

static const struct sl_conf_row rows[] = {
    CTL_PD_URLS_ROW(struct status_config),
    {.flag = "json",
     SL_CONF_AT(BOOL, struct status_config, json),
     .help = "print one JSON object, as docs/binlogctl.md says, instead of tables"},
    {.flag = "max-lag",
     SL_CONF_AT(DURATION, struct status_config, max_lag),
     .def = "5m",
     .min = 1,
     .max = INT64_MAX,
     .help = "a drainer further behind than this is degraded"},
    {.flag = "retention",
     SL_CONF_AT(DURATION, struct status_config, retention),
     .def = "168h",
     .min = 1,
     .max = INT64_MAX,
     .help = "how long pumps keep what is not read (their gc); a drainer that has less than a "
             "quarter of it left is at risk"},
    {.flag = "show-offline-nodes",
     SL_CONF_AT(BOOL, struct status_config, offline),
     .help = "show nodes that are offline, too"},
};

static const struct sl_conf_table table = {
    .program = "binlogctl",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct status_config),
};

static enum sl_ctl_exit tell(const struct ctl_view *view, const struct status_config *config,
                             enum sl_node_kind kind)
{
    struct ctl_limits  limits = {.max_lag_ms = config->max_lag / SL_NANOS_PER_MS,
                                 .retention_ms = config->retention / SL_NANOS_PER_MS};
    struct ctl_verdict verdict;
    struct ctl_report  report = {.view = view,
                                 .verdict = &verdict,
                                 .pd_urls = config->pd_urls,
                                 .kind = kind,
                                 .offline = config->offline};
    enum sl_ctl_exit   code;

    ctl_judge(view, &limits, kind, &verdict);
    code = ctl_verdict_exit(&verdict);
    if (config->json)
        ctl_report_write_json(&report, stdout);
    else
        ctl_report_write(&report, stdout);
    ctl_verdict_free(&verdict);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fprintf(stderr, "binlogctl: standard output did not take everything\n");
        return SL_CTL_FAILED;
    }
    return code;
}

static enum sl_ctl_exit run(const struct sl_ctl_verb *verb, enum sl_node_kind kind,
                            const struct sl_env *env, int argc, const char *const *argv)
{
    struct status_config config;
    struct sl_cluster   *cluster = NULL;
    struct ctl_view      view = {0};
    struct sl_why        why = {0};
    enum sl_ctl_exit     code;
    enum sl_err          err;

    if (!ctl_read(verb, &table, argc, argv, NULL, &config, &code))
        return code;
    if ((err = ctl_open(env, config.pd_urls, &cluster, &why)) == SL_OK)
        err = ctl_gather(env, cluster, &view, &why);
    code = err == SL_OK ? tell(&view, &config, kind) : ctl_fail(verb, err, &why);
    ctl_view_free(&view);
    sl_cluster_free(&cluster);
    sl_conf_free(&table, &config);
    return code;
}

static enum sl_ctl_exit run_status(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_status, SL_NODE_KINDS, env, argc, argv);
}

static enum sl_ctl_exit run_pumps(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_pumps, SL_NODE_PUMP, env, argc, argv);
}

static enum sl_ctl_exit run_drainers(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_drainers, SL_NODE_DRAINER, env, argc, argv);
}

#define EXIT_TEXT                                                                        \
    "Exit codes: 0 fine, 10 degraded, 20 data at risk; 1 it could not be found out, 2\n" \
    "wrong usage."

const struct sl_ctl_verb sl_ctl_status = {
    .name = "status",
    .summary = "is the cluster fine, and what is to be done if not",
    .text = "Look at the registry, ask every pump and drainer how it is, and say what is wrong\n"
            "and what mends it. " EXIT_TEXT,
    .run = run_status,
};

const struct sl_ctl_verb sl_ctl_pumps = {
    .name = "pumps",
    .summary = "the same of the pumps alone",
    .text = "List the pumps, and what is wrong with them. " EXIT_TEXT,
    .run = run_pumps,
};

const struct sl_ctl_verb sl_ctl_drainers = {
    .name = "drainers",
    .summary = "the same of the drainers alone",
    .text = "List the drainers, and what is wrong with them. " EXIT_TEXT,
    .run = run_drainers,
};
