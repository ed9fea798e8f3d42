#ifndef SL_NET_ENDPOINTS_H
#define SL_NET_ENDPOINTS_H

/* The places where one service can be asked: the URLs that were configured, and those that the
 * service's members have told of since. Each has a channel of its own, which stays open. Private to
 * the doors of net/ (etcd, PD). */

#include "base/limits.h"
#include "net/channel.h"

/* One place. */
struct sl_endpoint {
    char              *url;        /* owned; as it was given */
    struct sl_channel *channel;    /* owned */
    bool               configured; /* stays, whatever the members tell */
    bool               told;       /* during an update */
};

/* A set without doubles, in order of arrival. */
struct sl_endpoints {
    const struct sl_env *env;
    struct sl_endpoint   at[SL_ENDPOINTS_MAX];
    uint32_t             count;
};

/* Take a comma separated list of at least one URL. SL_CONFIG: one is wrong (named), or there are
 * none or too many; nothing is to be freed then. env outlives the set. */
enum sl_err sl_endpoints_init(struct sl_endpoints *set, const struct sl_env *env, const char *urls,
                              struct sl_why *why);
void        sl_endpoints_done(struct sl_endpoints *set);

/* The members tell anew where they are: begin, then each URL, then end, which removes what was told
 * of earlier and is no more. A URL that cannot be used, or has no place, is passed over. Indexes
 * change. */
void sl_endpoints_update_begin(struct sl_endpoints *set);
void sl_endpoints_update_add(struct sl_endpoints *set, const char *url);
void sl_endpoints_update_end(struct sl_endpoints *set);

/* The index of a URL; set->count when it is none of them. */
uint32_t sl_endpoints_find(const struct sl_endpoints *set, const char *url);

#endif
