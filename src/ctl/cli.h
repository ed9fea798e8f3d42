#ifndef SL_CTL_CLI_H
#define SL_CTL_CLI_H

/* What the verbs share: their command line, the cluster that --pd-urls names, waiting. */

#include "base/conf.h"
#include "ctl/ctl.h"
#include "net/cluster.h"
#include "net/registry.h"

/* Read the operand, if the verb has one, and the flags into *config, to be freed by sl_conf_free.
 * False: help was asked for, or something is wrong and was said; *code is how to exit. */
bool ctl_read(const struct sl_ctl_verb *verb, const struct sl_conf_table *table, int argc,
              const char *const *argv, const char **operand, void *config, enum sl_ctl_exit *code);

/* "binlogctl VERB: reason" on standard error; how to exit. */
enum sl_ctl_exit ctl_fail(const struct sl_ctl_verb *verb, enum sl_err err,
                          const struct sl_why *why);

/* The row of --pd-urls, for the table of a struct with this member. */
#define CTL_PD_URLS_ROW(config)                                                                 \
    {                                                                                           \
        .flag = "pd-urls", SL_CONF_AT(STRING, config, pd_urls), .def = "http://127.0.0.1:2379", \
        .help = "the cluster: a comma separated list of PD's URLs"                              \
                " (host:port will do), or local:DIR"                                            \
    }

/* Open the cluster of pd_urls; host:port without a scheme is http://host:port there. Errors: those
 * of sl_cluster_open; SL_TOO_LARGE. Blocks. */
enum sl_err ctl_open(const struct sl_env *env, const char *pd_urls, struct sl_cluster **out,
                     struct sl_why *why);

/* The pump or drainer with that id, or else at that HOST:PORT. SL_NOT_FOUND; SL_USAGE: there are
 * several, and the reason says what to do. Blocks. */
enum sl_err ctl_locate(struct sl_registry *registry, const char *name, enum sl_node_kind *kind,
                       struct sl_node *out, struct sl_why *why);

/* The present timestamp of the cluster. While a replay drives it and leaves no room for another:
 * the floor of the drive. */
enum sl_err ctl_now(struct sl_cluster *cluster, sl_ts *out, struct sl_why *why);

/* Do nothing for SL_CTL_POLL_MS, or until the moment `end` if that comes first. */
void ctl_pause(const struct sl_env *env, sl_nanos end);

#endif
