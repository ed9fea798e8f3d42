#ifndef SL_SLUICE_CLI_H
#define SL_SLUICE_CLI_H

/* What the verbs share: reading the command line, the cluster that --pd-urls names, and stopping on
 * a signal. */

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/env.h"
#include "net/cluster.h"
#include "net/tso.h"
#include "sluice/verbs.h"
#include "sluice/writer.h"

/* ---- command line ---- */

/* Read the operand, if the verb has one, and the flags into *config, to be freed by sl_conf_free.
 * False: help was asked for, or something is wrong and was said; *code is how to exit. */
bool cli_read(const struct sl_verb *verb, const struct sl_conf_table *table, int argc,
              const char *const *argv, const char **operand, void *config, enum sl_exit *code);

/* "sluice VERB: reason" on standard error; how to exit. */
enum sl_exit cli_fail(const struct sl_verb *verb, enum sl_err err, const struct sl_why *why);

/* The flags of verbs that write to pumps. */
struct cli_target {
    struct sl_conf_strings pumps;
    char                  *pd_urls;
    int64_t                cluster_id; /* 0: not given */
    int64_t                connections;
    int64_t                write_timeout; /* nanoseconds */
    int64_t                commit_timeout;
};

/* Their rows, for a table of a struct whose member `target` they are. */
#define CLI_TARGET_ROWS(config)                                                        \
    {.flag = "pumps",                                                                  \
     SL_CONF_AT(STRINGS, config, target.pumps),                                        \
     .help = "addresses of the pumps, separated by commas: host:port or unix:/path"},  \
        {.flag = "pd-urls",                                                            \
         SL_CONF_AT(STRING, config, target.pd_urls),                                   \
         .help = "the cluster, local:DIR: its id and its timestamps"},                 \
        {.flag = "cluster-id",                                                         \
         SL_CONF_AT(INT, config, target.cluster_id),                                   \
         .min = 0,                                                                     \
         .max = INT64_MAX,                                                             \
         .help = "cluster id to write with, where pd-urls does not say it"},           \
        {.flag = "connections",                                                        \
         SL_CONF_AT(INT, config, target.connections),                                  \
         .def = "1",                                                                   \
         .min = 1,                                                                     \
         .max = SL_WRITER_CONNECTIONS_MAX,                                             \
         .help = "connections to each pump"},                                          \
        {.flag = "write-timeout",                                                      \
         SL_CONF_AT(DURATION, config, target.write_timeout),                           \
         .def = "15s",                                                                 \
         .min = 1,                                                                     \
         .max = INT64_MAX,                                                             \
         .help = "time of one attempt; a prewrite is given up after as long"},         \
    {                                                                                  \
        .flag = "commit-timeout", SL_CONF_AT(DURATION, config, target.commit_timeout), \
        .def = "10m", .min = 1, .max = INT64_MAX,                                      \
        .help = "time from its first attempt until a commit or rollback is given up"   \
    }

/* What the flags say, for writer_new; cluster id and `done` are left to the caller. SL_USAGE: no
 * pump is given, or too many. Borrows from *target. */
enum sl_err cli_writer_options(const struct cli_target *target, struct writer_options *out,
                               struct sl_why *why);

/* ---- the cluster ---- */

/* All zero is none. */
struct cli_cluster {
    struct sl_cluster *cluster; /* owned */
    uint64_t           id;      /* 0: not known */
    struct sl_tso     *tso;     /* NULL: none */
};

/* Open what pd_urls ("": nothing) names; cluster_id, unless it is 0, must be its id, and is the
 * cluster's where there is none. Closed by cli_cluster_close. SL_USAGE, or as the doors fail.
 * Blocks. */
enum sl_err cli_cluster_open(const struct sl_env *env, const char *pd_urls, int64_t cluster_id,
                             struct cli_cluster *out, struct sl_why *why);
void        cli_cluster_close(struct cli_cluster *cluster);

/* ---- signals ---- */

/* From now on SIGINT and SIGTERM are asked for with cli_is_stopped; a second one kills. */
void cli_catch_signals(void);
bool cli_is_stopped(void);

/* Sleep so long, or until a signal comes. */
void cli_pause(const struct sl_env *env, unsigned milliseconds);

#endif
