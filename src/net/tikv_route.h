#ifndef SL_NET_TIKV_ROUTE_H
#define SL_NET_TIKV_ROUTE_H

/* Where a key is asked for: which region it is in, and which store leads that, as PD told and TiKV
 * corrected. Private to the files tikv*.c. */

#include "base/limits.h"
#include "net/channel.h"
#include "net/pd.h"

/* One store. Its channel stays for the life of the routes, unless its address changes. */
struct tikv_store {
    uint64_t           id;
    char               address[SL_ADDR_BYTES_MAX];
    struct sl_channel *channel; /* owned */
    bool               doubted; /* ask PD for its address before the next use */
};

struct tikv_routes {
    const struct sl_env *env;
    struct sl_pd        *pd;                           /* borrowed */
    struct sl_pd_region  regions[SL_TIKV_REGIONS_MAX]; /* id 0: free */
    uint32_t             next;                         /* to be replaced */
    struct tikv_store    stores[SL_TIKV_STORES_MAX];
    uint32_t             store_count;
};

void tikv_routes_init(struct tikv_routes *routes, const struct sl_env *env, struct sl_pd *pd);
void tikv_routes_done(struct tikv_routes *routes);

/* The region of an encoded key and the channel to the store that leads it; both borrowed until the
 * next call of a function here, which may end calls on other channels. Asks PD for what is not
 * known, for at most `timeout`. Errors as of sl_pd_region; SL_FULL: too many stores. */
enum sl_err tikv_route(struct tikv_routes *routes, struct sl_slice key, sl_nanos timeout,
                       const struct sl_pd_region **region, struct sl_channel **channel,
                       struct sl_why *why);

/* Is there a region for the key, so that PD need not be asked for it? */
bool tikv_route_known(const struct tikv_routes *routes, struct sl_slice key);

/* TiKV says: another peer leads the region. */
void tikv_route_lead(struct tikv_routes *routes, uint64_t region_id, struct sl_pd_peer leader);
/* The region is not what was known; its store did not answer. */
void tikv_route_forget(struct tikv_routes *routes, uint64_t region_id);
void tikv_route_doubt(struct tikv_routes *routes, uint64_t store_id);

#endif
