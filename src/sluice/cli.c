#include "sluice/cli.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* ---- command line ---- */

enum sl_exit cli_fail(const struct sl_verb *verb, enum sl_err err, const struct sl_why *why)
{
    fprintf(stderr, "sluice %s: %s\n", verb->name,
            why->text[0] != '\0' ? why->text : sl_err_text(err));
    return err == SL_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
}

static void help(const struct sl_verb *verb, const struct sl_conf_table *table)
{
    printf("sluice %s%s%s [flags]\n\n%s\n\n", verb->name, verb->operand != NULL ? " " : "",
           verb->operand != NULL ? verb->operand : "", verb->text);
    sl_conf_help(table, stdout);
}

bool cli_read(const struct sl_verb *verb, const struct sl_conf_table *table, int argc,
              const char *const *argv, const char **operand, void *config, enum sl_exit *code)
{
    struct sl_conf_report report;
    struct sl_conf_input  input = {.argc = argc, .argv = argv};
    struct sl_why         why = {0};
    enum sl_err           err;
    bool                  has_operand = argc > 1 && argv[1][0] != '-' && verb->operand != NULL;

    if (has_operand) { /* its place is where sl_conf_load expects a program's name */
        *operand = argv[1];
        input.argc--;
        input.argv++;
    }
    err = sl_conf_load(table, &input, config, &report, &why);
    if (err != SL_OK) {
        (void)cli_fail(verb, err, &why);
        *code = SL_EXIT_USAGE; /* there is nothing but the command line */
        return false;
    }
    if (!report.help && (has_operand || verb->operand == NULL))
        return true;
    *code = SL_EXIT_OK;
    if (report.help) {
        help(verb, table);
    } else {
        (void)sl_fail(&why, SL_USAGE, "%s must come first; see 'sluice %s --help'", verb->operand,
                      verb->name);
        *code = cli_fail(verb, SL_USAGE, &why);
    }
    sl_conf_free(table, config);
    return false;
}

enum sl_err cli_writer_options(const struct cli_target *target, struct writer_options *out,
                               struct sl_why *why)
{
    if (target->pumps.count == 0)
        return sl_fail(why, SL_USAGE, "no pump given: --pumps host:port,...");
    if (target->pumps.count > SL_WRITER_PUMPS_MAX)
        return sl_fail(why, SL_USAGE, "more than %d pumps", SL_WRITER_PUMPS_MAX);
    if ((int64_t)target->pumps.count * target->connections > SL_WRITER_CHANNELS_MAX)
        return sl_fail(why, SL_USAGE, "more than %d connections", SL_WRITER_CHANNELS_MAX);
    *out = writer_options_default();
    out->pumps = (const char *const *)target->pumps.items;
    out->pump_count = (uint32_t)target->pumps.count;
    out->connections = (uint32_t)target->connections;
    out->timeout = (sl_nanos)target->write_timeout;
    out->finish_limit = (sl_nanos)target->commit_timeout;
    return SL_OK;
}

/* ---- the cluster ---- */

enum sl_err cli_cluster_open(const struct sl_env *env, const char *pd_urls, int64_t cluster_id,
                             struct cli_cluster *out, struct sl_why *why)
{
    struct cli_cluster cluster = {.id = (uint64_t)cluster_id};
    uint64_t           id;
    enum sl_err        err;

    *out = cluster;
    if (pd_urls[0] == '\0')
        return SL_OK;
    if ((err = sl_cluster_open(env, pd_urls, &cluster.cluster, why)) != SL_OK)
        return err;
    cluster.tso = sl_cluster_tso(cluster.cluster);
    id = sl_cluster_id(cluster.cluster);
    if (cluster.id != 0 && cluster.id != id)
        err = sl_fail(why, SL_USAGE, "%s is cluster %" PRIu64 ", not %" PRIu64, pd_urls, id,
                      cluster.id);
    if (err != SL_OK) {
        cli_cluster_close(&cluster);
        return err;
    }
    cluster.id = id;
    *out = cluster;
    return SL_OK;
}

void cli_cluster_close(struct cli_cluster *cluster)
{
    sl_cluster_free(&cluster->cluster);
    *cluster = (struct cli_cluster){0};
}

/* ---- signals ---- */

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

void cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
    int              failed = sigaction(SIGINT, &action, NULL) | sigaction(SIGTERM, &action, NULL);

    SL_ASSERT(failed == 0);
}

bool cli_is_stopped(void)
{
    return stopped != 0;
}

void cli_pause(const struct sl_env *env, unsigned milliseconds)
{
    sl_net_wait(env->net, NULL, 0,
                sl_env_now(env) + (sl_nanos)milliseconds * (sl_nanos)SL_NANOS_PER_MS);
}
