/* sluice init local:DIR: a cluster on one machine, for pumps and drainers to come. */

#include <inttypes.h>
#include <stdio.h>

#include "net/local.h"
#include "sluice/cli.h"

struct init_config {
    int64_t cluster_id;
    int64_t tso;
}; /* owns nothing */

static const struct sl_conf_row rows[] = {
    {.flag = "cluster-id",
     SL_CONF_AT(INT, struct init_config, cluster_id),
     .min = 0,
     .max = INT64_MAX,
     .help = "id of the cluster, at least 1; must be given"},
    {.flag = "tso",
     SL_CONF_AT(INT, struct init_config, tso),
     .min = 0,
     .max = INT64_MAX,
     .help = "first timestamp, from which time runs on; 0: they follow the wall clock. For a "
             "replay take one a day before its first commit ts"},
};

static const struct sl_conf_table table = {
    .program = "sluice init",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct init_config),
};

static enum sl_err init(const struct sl_env *env, const char *url, const struct init_config *config,
                        struct sl_why *why)
{
    const char *dir = sl_local_dir_of_url(url);

    if (dir == NULL)
        return sl_fail(why, SL_USAGE, "%.200s is not local:DIR; see 'sluice init --help'", url);
    if (config->cluster_id == 0)
        return sl_fail(why, SL_USAGE, "no cluster id given: --cluster-id N");
    return sl_local_init(env, dir, (uint64_t)config->cluster_id, config->tso, why);
}

static enum sl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    struct init_config config;
    struct sl_why      why = {0};
    const char        *url;
    enum sl_exit       code;
    enum sl_err        err;

    if (!cli_read(&sl_verb_init, &table, argc, argv, &url, &config, &code))
        return code;
    if ((err = init(env, url, &config, &why)) != SL_OK)
        return cli_fail(&sl_verb_init, err, &why);
    printf("%s is cluster %" PRId64 "\n", url, config.cluster_id);
    return SL_EXIT_OK;
}

const struct sl_verb sl_verb_init = {
    .name = "init",
    .operand = "local:DIR",
    .summary = "make a directory that is a cluster's registry and clock, without PD",
    .text = "Make the directory, or see to it that it is there: done again with the same cluster\n"
            "id, it leaves all as it is. Pumps and drainers take it as pd-urls = \"local:DIR\".",
    .run = run,
};
