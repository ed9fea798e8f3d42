/* binlogctl pause, offline, resume: tell a node, and see what becomes of it. */

#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/cli.h"
#include "ctl/text.h"

struct steer_config {
    char   *pd_urls; /* owned */
    int64_t timeout;
    bool    force;
};

/* A node being told. */
struct steering {
    const struct sl_ctl_verb  *verb;
    const struct steer_config *config;
    const struct sl_env       *env;
    struct sl_cluster         *cluster;
    struct sl_registry        *registry;
    enum sl_node_kind          kind;
    struct sl_node             node;
};

enum { ROWS_OF_PAUSE = 2, ROWS_OF_RESUME = 1 };

static const struct sl_conf_row rows[] = {
    CTL_PD_URLS_ROW(struct steer_config),
    {.flag = "timeout",
     SL_CONF_AT(DURATION, struct steer_config, timeout),
     .def = "10s",
     .min = 0,
     .max = INT64_MAX,
     .help = "how long to wait for its end; it goes on ending afterwards"},
    {.flag = "force",
     SL_CONF_AT(BOOL, struct steer_config, force),
     .help = "where no process answers, call it offline in the registry: what no drainer has read "
             "of a pump is lost then"},
};

static const struct sl_conf_table pause_table = {.program = "binlogctl",
                                                 .rows = rows,
                                                 .row_count = ROWS_OF_PAUSE,
                                                 .struct_bytes = sizeof(struct steer_config)};
static const struct sl_conf_table offline_table = {.program = "binlogctl",
                                                   .rows = rows,
                                                   .row_count = sizeof rows / sizeof *rows,
                                                   .struct_bytes = sizeof(struct steer_config)};
static const struct sl_conf_table resume_table = {.program = "binlogctl",
                                                  .rows = rows,
                                                  .row_count = ROWS_OF_RESUME,
                                                  .struct_bytes = sizeof(struct steer_config)};

/* ---- the node ---- */

/* Until its record has the state or the time is over: SL_TIMEOUT. The registry may fail meanwhile.
 */
static enum sl_err await(struct steering *s, enum sl_node_state state)
{
    sl_nanos    end = sl_env_now(s->env) + (sl_nanos)s->config->timeout;
    const char *id = s->node.id;
    char        asked[SL_NODE_ID_BYTES_MAX];

    (void)snprintf(asked, sizeof asked, "%s", id);
    for (;;) {
        if (sl_registry_get(s->registry, s->kind, asked, &s->node, NULL) == SL_OK &&
            s->node.state == state)
            return SL_OK;
        if (sl_env_now(s->env) >= end)
            return SL_TIMEOUT;
        ctl_pause(s->env, end);
    }
}

/* ---- pause, offline ---- */

static enum sl_ctl_exit told(struct steering *s, enum sl_node_state goal)
{
    char span[CTL_TIME_BYTES];
    bool closing = goal == SL_NODE_OFFLINE && s->kind == SL_NODE_PUMP;

    if (await(s, goal) == SL_OK) {
        printf("%s is %s\n", s->node.id, sl_node_state_name(goal));
        return SL_CTL_OK;
    }
    ctl_text_span(s->config->timeout / SL_NANOS_PER_MS, span);
    printf("%s was told, and is %s after %s%s\n", s->node.id, sl_node_state_name(s->node.state),
           span, closing ? ": it waits until every drainer has what it holds" : "");
    return SL_CTL_DEGRADED;
}

/* A process that still writes its record runs, though it does not answer, and would undo it. */
static enum sl_err check_dead(const struct steering *s, struct sl_why *why)
{
    bool        paused = s->node.state == SL_NODE_PAUSED; /* its last word */
    char        span[CTL_TIME_BYTES];
    int64_t     age_ms;
    sl_ts       now;
    enum sl_err err;

    if (paused)
        return SL_OK;
    if ((err = ctl_now(s->cluster, &now, why)) != SL_OK)
        return err;
    age_ms = sl_ts_physical_ms(now) - sl_ts_physical_ms(s->node.update_ts);
    if (age_ms >= SL_CTL_ALIVE_MS)
        return SL_OK;
    ctl_text_span(age_ms, span);
    return sl_fail(why, SL_IN_USE,
                   "%s does not answer, but wrote to the registry %s ago: its process may run, and "
                   "would undo this; try again in %d s",
                   s->node.id, span, SL_CTL_ALIVE_MS / 1000);
}

static enum sl_ctl_exit give_up(struct steering *s)
{
    struct sl_why why = {0};
    enum sl_err   err = check_dead(s, &why);

    if (err != SL_OK)
        return ctl_fail(s->verb, err, &why);
    s->node.state = SL_NODE_OFFLINE;
    if ((err = sl_registry_put(s->registry, s->kind, &s->node, &why)) != SL_OK)
        return ctl_fail(s->verb, err, &why);
    printf("%s is offline: no process answered, and the registry was told so\n", s->node.id);
    return SL_CTL_OK;
}

static enum sl_ctl_exit stop(struct steering *s, const char *action, enum sl_node_state goal)
{
    bool          for_good = goal == SL_NODE_OFFLINE;
    struct sl_why why = {0};
    struct sl_why told_why = {0};
    enum sl_err   err;

    if (s->node.state == goal) {
        printf("%s is %s already\n", s->node.id, sl_node_state_name(goal));
        return SL_CTL_OK;
    }
    if ((err = ctl_order(s->env, &s->node, action, &why)) == SL_OK)
        return told(s, goal);
    if (err == SL_DENIED)
        (void)sl_fail(&told_why, err, "%s refuses: %.400s", s->node.id, why.text);
    else if (err == SL_INVALID)
        (void)sl_fail(&told_why, err, "not %s is at %s: %.300s", s->node.id, s->node.host,
                      why.text);
    else if (for_good && s->config->force)
        return give_up(s);
    else
        (void)sl_fail(&told_why, err, "%s does not answer: %.300s. %s%s%s", s->node.id, why.text,
                      for_good ? "If its process will not come back: binlogctl offline " : "",
                      for_good ? s->node.id : "A process that is gone cannot be told",
                      for_good ? " --force" : "");
    return ctl_fail(s->verb, err, &told_why);
}

/* ---- resume ---- */

static enum sl_ctl_exit resume(struct steering *s)
{
    struct sl_why why = {0};
    struct sl_why told_why = {0};
    enum sl_err   err = ctl_order(s->env, &s->node, "resume", &why);

    if (err == SL_OK) {
        printf("%s goes on\n", s->node.id);
        return SL_CTL_OK;
    }
    if (err == SL_DENIED && s->node.state == SL_NODE_ONLINE) {
        printf("%s is online already\n", s->node.id);
        return SL_CTL_OK;
    }
    if (err == SL_DENIED || err == SL_INVALID)
        (void)sl_fail(&told_why, err, "%s: %.400s", s->node.id, why.text);
    else
        (void)sl_fail(
            &told_why, err,
            "%s is %s and does not answer: %.300s. A pause ends the process: start the %s "
            "again at its place, and it goes online by itself",
            s->node.id, sl_node_state_name(s->node.state), why.text,
            s->kind == SL_NODE_PUMP ? "pump" : "drainer");
    return ctl_fail(s->verb, err, &told_why);
}

/* ---- verbs ---- */

static enum sl_ctl_exit steer(struct steering *s)
{
    if (s->verb == &sl_ctl_pause)
        return stop(s, "pause", SL_NODE_PAUSED);
    if (s->verb == &sl_ctl_offline)
        return stop(s, "close", SL_NODE_OFFLINE);
    return resume(s);
}

static enum sl_ctl_exit run(const struct sl_ctl_verb *verb, const struct sl_conf_table *table,
                            const struct sl_env *env, int argc, const char *const *argv)
{
    struct steer_config config;
    struct steering     s = {.verb = verb, .config = &config, .env = env};
    struct sl_why       why = {0};
    const char         *id;
    enum sl_ctl_exit    code;
    enum sl_err         err;

    if (!ctl_read(verb, table, argc, argv, &id, &config, &code))
        return code;
    if ((err = ctl_open(env, config.pd_urls, &s.cluster, &why)) == SL_OK) {
        s.registry = sl_cluster_registry(s.cluster);
        err = ctl_locate(s.registry, id, &s.kind, &s.node, &why);
    }
    code = err == SL_OK ? steer(&s) : ctl_fail(verb, err, &why);
    sl_cluster_free(&s.cluster);
    sl_conf_free(table, &config);
    return code;
}

static enum sl_ctl_exit run_pause(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_pause, &pause_table, env, argc, argv);
}

static enum sl_ctl_exit run_offline(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_offline, &offline_table, env, argc, argv);
}

static enum sl_ctl_exit run_resume(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_resume, &resume_table, env, argc, argv);
}

const struct sl_ctl_verb sl_ctl_pause = {
    .name = "pause",
    .operand = "NODE",
    .summary = "end a pump or drainer that will be started again",
    .text =
        "Tell the pump or drainer with this id to end, for a while: while a pump is paused, all\n"
        "drainers wait for it. Exit codes: 0 it is paused, 10 it is still ending, 1 it was not\n"
        "told, 2 wrong usage.",
    .run = run_pause,
};

const struct sl_ctl_verb sl_ctl_offline = {
    .name = "offline",
    .operand = "NODE",
    .summary = "end a pump or drainer for good",
    .text = "Tell the pump or drainer with this id to leave the cluster. A pump goes when every\n"
            "drainer has what it holds. Exit codes: 0 it is offline, 10 it is still closing, 1 it\n"
            "was not told, 2 wrong usage.",
    .run = run_offline,
};

const struct sl_ctl_verb sl_ctl_resume = {
    .name = "resume",
    .operand = "NODE",
    .summary = "let a node go on, or say that its process must be started",
    .text = "A paused pump or drainer has ended, and goes online when it is started again, which\n"
            "this cannot do from afar. Exit codes: 0 it is online, 1 it is not, 2 wrong usage.",
    .run = run_resume,
};
