#ifndef SL_NET_PD_H
#define SL_NET_PD_H

/* A client of PD: which cluster this is, which member leads, and timestamps from the leader. The
 * members are asked anew every SL_PD_REFRESH_S and after every failure, so the client follows
 * elections and outlives the members it was told of.
 *
 * Every call blocks; one thread at a time. */

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "net/tso.h"

struct sl_pd;

/* A client of the PD at these URLs (comma separated). Each is asked once, for at most
 * SL_PD_OPEN_WAIT_MS; at least one must answer, and all that do must agree on the cluster. env
 * outlives it. SL_CONFIG: a URL is wrong. SL_UNAVAILABLE: nobody answers: try again, as the
 * original does for 100 s. SL_INVALID: they belong to two clusters. SL_UNSUPPORTED: no PD. */
enum sl_err sl_pd_open(const struct sl_env *env, const char *urls, struct sl_pd **out,
                       struct sl_why *why);
/* Frees no drive that is still on; do that first. Nulls the pointer; *pd may be NULL. */
void sl_pd_free(struct sl_pd **pd);

/* Of all its members; not 0. */
uint64_t sl_pd_cluster_id(const struct sl_pd *pd);

/* The leader's timestamps; valid as long as pd. sl_tso_now takes at most SL_PD_TSO_WAIT_MS, through
 * changes of the leader. SL_UNAVAILABLE, SL_TIMEOUT: nobody leads, or answers. SL_INVALID: the PD
 * there is another cluster's now, or answers with nonsense: asking again does not help. A drive is
 * SL_UNSUPPORTED but by the stand-in for PD that tests and replays use. */
struct sl_tso *sl_pd_tso(struct sl_pd *pd);

#endif
