#ifndef SL_NET_CLUSTER_H
#define SL_NET_CLUSTER_H

/* A cluster by its pd-urls, whatever they are: "local:DIR" (net/local.h), or a comma separated list
 * of PD's URLs (net/pd.h, net/etcd.h). Everybody who wants the doors below opens one of these; who
 * owns it may block, and is one thread at a time. */

#include <stdint.h>

#include "base/env.h"
#include "net/registry.h"
#include "net/tso.h"

struct sl_cluster;

/* Open it; env outlives it. Asks PD for the cluster id: blocks up to SL_PD_OPEN_WAIT_MS for each
 * URL. Errors: those of sl_local_open or of sl_pd_open; the transient ones are worth a retry after
 * a second. */
enum sl_err sl_cluster_open(const struct sl_env *env, const char *pd_urls, struct sl_cluster **out,
                            struct sl_why *why);
/* Frees no drive that is still on; do that first. Nulls the pointer; *cluster may be NULL. */
void sl_cluster_free(struct sl_cluster **cluster);

/* PD's number for it, or that of the directory. */
uint64_t sl_cluster_id(const struct sl_cluster *cluster);

/* Its two doors; valid as long as the cluster. */
struct sl_registry *sl_cluster_registry(struct sl_cluster *cluster);
struct sl_tso      *sl_cluster_tso(struct sl_cluster *cluster);

#endif
