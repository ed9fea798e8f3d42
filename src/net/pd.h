#ifndef SL_NET_PD_H
#define SL_NET_PD_H

/* A client of PD: which cluster this is, which member leads, and what the leader knows: timestamps,
 * and which store of TiKV has a key. The
 * members are asked anew every SL_PD_REFRESH_S and after every failure, so the client follows
 * elections and outlives the members it was told of.
 *
 * Every call blocks; one thread at a time. */

#include <stdint.h>

#include "base/buf.h"
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

/* A replica of a region. store_id 0: nobody. */
struct sl_pd_peer {
    uint64_t id;
    uint64_t store_id;
    uint32_t role;
};

/* A range of keys and who leads it, as far as PD knows. */
struct sl_pd_region {
    uint64_t          id;
    uint64_t          conf_ver; /* these two are its epoch */
    uint64_t          version;
    struct sl_pd_peer peer;  /* the leader, or one who knows it */
    struct sl_buf    *start; /* these two are owned; encoded keys, the first in it */
    struct sl_buf    *end;   /* and the first behind it; empty: it has no end */
};

/* The region of a key, which is given in the encoding that compares as bytes (net/tikv_key.h).
 * *out is owned: sl_pd_region_done. SL_UNSUPPORTED: this cluster has no TiKV (yet).
 * SL_UNAVAILABLE, SL_TIMEOUT: nobody leads or answers, or the region is just being made: try again
 * later. SL_INVALID: as of sl_tso_now. */
enum sl_err sl_pd_region(struct sl_pd *pd, struct sl_slice key, sl_nanos timeout,
                         struct sl_pd_region *out, struct sl_why *why);
/* Free what it owns and zero it. */
void sl_pd_region_done(struct sl_pd_region *region);

/* Where a store is, into address[SL_ADDR_BYTES_MAX]. Errors as of sl_pd_region; SL_UNAVAILABLE also
 * when there is no such store. */
enum sl_err sl_pd_store(struct sl_pd *pd, uint64_t store_id, sl_nanos timeout, char *address,
                        struct sl_why *why);

#endif
