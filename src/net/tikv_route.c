#include "net/tikv_route.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "net/tikv_key.h"

void tikv_routes_init(struct tikv_routes *routes, const struct sl_env *env, struct sl_pd *pd)
{
    *routes = (struct tikv_routes){.env = env, .pd = pd};
}

void tikv_routes_done(struct tikv_routes *routes)
{
    for (uint32_t i = 0; i < SL_TIKV_REGIONS_MAX; i++)
        sl_pd_region_done(&routes->regions[i]);
    for (uint32_t i = 0; i < routes->store_count; i++)
        sl_channel_free(&routes->stores[i].channel);
}

/* ---- regions ---- */

static bool holds(const struct sl_pd_region *region, struct sl_slice key)
{
    return region->id != 0 && sl_tikv_key_compare(key, sl_slice_from_buf(region->start)) >= 0 &&
           (region->end->len == 0 || sl_tikv_key_compare(key, sl_slice_from_buf(region->end)) < 0);
}

/* The index; SL_TIKV_REGIONS_MAX: none. */
static uint32_t find_region(const struct tikv_routes *routes, struct sl_slice key)
{
    uint32_t i = 0;

    while (i < SL_TIKV_REGIONS_MAX && !holds(&routes->regions[i], key))
        i++;
    return i;
}

static uint32_t find_id(const struct tikv_routes *routes, uint64_t region_id)
{
    uint32_t i = 0;

    while (i < SL_TIKV_REGIONS_MAX && routes->regions[i].id != region_id)
        i++;
    return i;
}

bool tikv_route_known(const struct tikv_routes *routes, struct sl_slice key)
{
    return find_region(routes, key) < SL_TIKV_REGIONS_MAX;
}

void tikv_route_lead(struct tikv_routes *routes, uint64_t region_id, struct sl_pd_peer leader)
{
    uint32_t i = find_id(routes, region_id);

    if (i < SL_TIKV_REGIONS_MAX)
        routes->regions[i].peer = leader;
}

void tikv_route_forget(struct tikv_routes *routes, uint64_t region_id)
{
    uint32_t i = find_id(routes, region_id);

    if (i < SL_TIKV_REGIONS_MAX)
        sl_pd_region_done(&routes->regions[i]);
}

/* An older picture of the same region must not answer for keys that it has lost. */
static uint32_t learn_region(struct tikv_routes *routes, struct sl_pd_region *region)
{
    uint32_t i;

    tikv_route_forget(routes, region->id);
    i = routes->next;
    routes->next = (i + 1) % SL_TIKV_REGIONS_MAX;
    sl_pd_region_done(&routes->regions[i]);
    routes->regions[i] = *region;
    return i;
}

/* ---- stores ---- */

static struct tikv_store *find_store(struct tikv_routes *routes, uint64_t id)
{
    for (uint32_t i = 0; i < routes->store_count; i++)
        if (routes->stores[i].id == id)
            return &routes->stores[i];
    return NULL;
}

void tikv_route_doubt(struct tikv_routes *routes, uint64_t store_id)
{
    struct tikv_store *store = find_store(routes, store_id);

    if (store != NULL)
        store->doubted = true;
}

static enum sl_err reach(struct tikv_routes *routes, uint64_t id, sl_nanos timeout,
                         struct sl_channel **out, struct sl_why *why)
{
    struct tikv_store *store = find_store(routes, id);
    struct sl_channel *channel = NULL;
    char               address[SL_ADDR_BYTES_MAX];
    enum sl_err        err;

    if (store != NULL && !store->doubted) {
        *out = store->channel;
        return SL_OK;
    }
    if (store == NULL && routes->store_count == SL_TIKV_STORES_MAX)
        return sl_fail(why, SL_FULL, "more than %d stores", SL_TIKV_STORES_MAX);
    if ((err = sl_pd_store(routes->pd, id, timeout, address, why)) != SL_OK)
        return err;
    if (store == NULL || strcmp(store->address, address) != 0) {
        err = sl_channel_new(routes->env, address, SL_DOOR_MESSAGE_BYTES_MAX, &channel, why);
        if (err != SL_OK)
            return sl_wrap(why, SL_UNAVAILABLE, "store %" PRIu64, id);
        if (store == NULL)
            store = &routes->stores[routes->store_count++];
        sl_channel_free(&store->channel);
        *store = (struct tikv_store){.id = id, .channel = channel};
        memcpy(store->address, address, sizeof address);
    }
    store->doubted = false;
    *out = store->channel;
    return SL_OK;
}

enum sl_err tikv_route(struct tikv_routes *routes, struct sl_slice key, sl_nanos timeout,
                       const struct sl_pd_region **region, struct sl_channel **channel,
                       struct sl_why *why)
{
    uint32_t            i = find_region(routes, key);
    struct sl_pd_region learnt;
    enum sl_err         err;

    if (i == SL_TIKV_REGIONS_MAX) {
        if ((err = sl_pd_region(routes->pd, key, timeout, &learnt, why)) != SL_OK)
            return err;
        i = learn_region(routes, &learnt);
    }
    *region = &routes->regions[i];
    return reach(routes, (*region)->peer.store_id, timeout, channel, why);
}
