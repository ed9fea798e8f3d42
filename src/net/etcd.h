#ifndef SL_NET_ETCD_H
#define SL_NET_ETCD_H

/* A client of etcd, and of the one in every PD: keys by name and prefix, and unconditional puts.
 * Any member may be asked; what one cannot do now is asked of the next. The members' own list is
 * fetched every SL_ETCD_SYNC_S, so that the client outlives those it was told of.
 *
 * Every call blocks, at most SL_REGISTRY_WAIT_MS_MAX. One thread at a time. Errors of all calls:
 *
 *     SL_UNAVAILABLE  no member answered as it should; the reason is that of the last
 *     SL_TIMEOUT      the same, in the end for lack of time
 *     SL_NOSPACE      etcd's database is full
 *     SL_UNSUPPORTED  there is no etcd behind this address
 *     SL_INVALID      refused, or answered with nonsense */

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

struct sl_etcd;

/* A key with its value. Slices are borrowed from the listing. */
struct sl_etcd_kv {
    struct sl_slice key;
    struct sl_slice value;
    int64_t         mod_revision; /* of its last change */
};

/* Keys as they stood at one moment, sorted by key. Free with sl_etcd_list_free. */
struct sl_etcd_list {
    struct sl_etcd_kv *kvs; /* owned; NULL when count is 0 */
    size_t             count;
    void              *message; /* owned; what the slices point into */
};

/* A client of these URLs (comma separated); connects to nobody yet. env outlives it. SL_CONFIG: a
 * URL is wrong. */
enum sl_err sl_etcd_new(const struct sl_env *env, const char *urls, struct sl_etcd **out,
                        struct sl_why *why);
/* Nulls the pointer; *etcd may be NULL. */
void sl_etcd_free(struct sl_etcd **etcd);

/* The key of that name: none or one. Every put that has returned is seen. */
enum sl_err sl_etcd_get(struct sl_etcd *etcd, const char *key, struct sl_etcd_list *out,
                        struct sl_why *why);
/* All keys that begin with the prefix, which is not empty. Every put that has returned is seen. */
enum sl_err sl_etcd_list(struct sl_etcd *etcd, const char *prefix, struct sl_etcd_list *out,
                         struct sl_why *why);
/* The revision of the latest change of a key with that prefix; 0: there is none. Asked of one
 * member alone, which may be behind. */
enum sl_err sl_etcd_latest(struct sl_etcd *etcd, const char *prefix, int64_t *revision,
                           struct sl_why *why);
/* Create or replace. SL_OK: it is durable. After an error it may or may not have happened. */
enum sl_err sl_etcd_put(struct sl_etcd *etcd, const char *key, struct sl_slice value,
                        struct sl_why *why);

/* Free what a listing owns and empty it. */
void sl_etcd_list_free(struct sl_etcd_list *list);

#endif
