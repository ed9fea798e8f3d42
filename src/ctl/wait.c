/* binlogctl wait --caught-up: until every drainer has what was committed when the question was
 * asked. */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/cli.h"
#include "ctl/text.h"

struct wait_config {
    char   *pd_urls; /* owned */
    bool    caught_up;
    int64_t timeout;
};

static const struct sl_conf_row rows[] = {
    CTL_PD_URLS_ROW(struct wait_config),
    {.flag = "caught-up",
     SL_CONF_AT(BOOL, struct wait_config, caught_up),
     .help = "what to wait for: every drainer that is not offline has applied all that is "
             "committed now; must be given"},
    {.flag = "timeout",
     SL_CONF_AT(DURATION, struct wait_config, timeout),
     .def = "10m",
     .min = 0,
     .max = INT64_MAX,
     .help = "how long to wait"},
};

static const struct sl_conf_table table = {
    .program = "binlogctl",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct wait_config),
};

/* What a look at the drainers tells. */
struct look {
    size_t drainers; /* not offline */
    size_t behind;
};

/* Count; `out`: say who is behind, too. */
static struct look look_at(const struct sl_node_list *list, sl_ts target, FILE *out)
{
    struct look look = {0};
    char        span[CTL_TIME_BYTES];

    for (size_t i = 0; i < list->count; i++) {
        const struct sl_node *node = &list->nodes[i];

        if (node->state == SL_NODE_OFFLINE)
            continue;
        look.drainers++;
        if (node->max_commit_ts >= target)
            continue;
        look.behind++;
        if (out == NULL)
            continue;
        ctl_text_span(sl_ts_physical_ms(target) - sl_ts_physical_ms(node->max_commit_ts), span);
        fprintf(out, "%s (%s) lacks %s\n", node->id, sl_node_state_name(node->state),
                node->max_commit_ts > 0 ? span : "everything");
    }
    return look;
}

/* SL_OK: all have it. SL_TIMEOUT: not in time, and it was said who has not. SL_NOT_FOUND: there is
 * nobody to wait for. A registry that fails is asked again until the time is over. */
static enum sl_err wait_for(const struct sl_env *env, struct sl_registry *registry, sl_ts target,
                            sl_nanos end, struct sl_why *why)
{
    for (;;) {
        struct sl_node_list list;
        struct look         look = {0};
        bool                over = sl_env_now(env) >= end;
        enum sl_err         err = sl_registry_list(registry, SL_NODE_DRAINER, &list, why);

        if (err == SL_OK) {
            look = look_at(&list, target, over ? stdout : NULL);
            sl_node_list_free(&list);
            if (look.drainers == 0)
                return sl_fail(why, SL_NOT_FOUND, "no drainer is registered, or all are offline");
            if (look.behind == 0) {
                printf("caught up: %zu drainer%s to %" PRId64 "\n", look.drainers,
                       look.drainers == 1 ? "" : "s", target);
                return SL_OK;
            }
            err = SL_TIMEOUT;
        }
        if (over || (err != SL_TIMEOUT && !sl_err_is_transient(err)))
            return err;
        ctl_pause(env, end);
    }
}

static enum sl_ctl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    struct wait_config config;
    struct sl_cluster *cluster = NULL;
    struct sl_why      why = {0};
    enum sl_ctl_exit   code;
    enum sl_err        err = SL_OK;
    sl_ts              target;

    if (!ctl_read(&sl_ctl_wait, &table, argc, argv, NULL, &config, &code))
        return code;
    if (!config.caught_up)
        err = sl_fail(&why, SL_USAGE, "say what to wait for: --caught-up");
    if (err == SL_OK && (err = ctl_open(env, config.pd_urls, &cluster, &why)) == SL_OK &&
        (err = ctl_now(cluster, &target, &why)) == SL_OK)
        err = wait_for(env, sl_cluster_registry(cluster), target,
                       sl_env_now(env) + (sl_nanos)config.timeout, &why);
    if (err == SL_TIMEOUT && why.text[0] == '\0')
        code = SL_CTL_DEGRADED;
    else
        code = err == SL_OK ? SL_CTL_OK : ctl_fail(&sl_ctl_wait, err, &why);
    sl_cluster_free(&cluster);
    sl_conf_free(&table, &config);
    return code;
}

const struct sl_ctl_verb sl_ctl_wait = {
    .name = "wait",
    .summary = "wait until all drainers have caught up",
    .text = "Wait until the checkpoint of every drainer that is not offline has reached the\n"
            "timestamp that the cluster had when the question was asked. Exit codes: 0 caught up,\n"
            "10 not in time, and standard output says who is behind, 1 it could not be found out,\n"
            "2 wrong usage.",
    .run = run,
};
