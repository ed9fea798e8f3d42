#include <inttypes.h>

#include "base/assert.h"
#include "net/pd_private.h"
#include "net/pd_wire.h"

/* One question to the leader. Takes *request; *response is the caller's. */
static enum sl_err ask_leader(struct sl_pd *pd, const char *path, struct sl_buf **request,
                              sl_nanos timeout, struct sl_buf **response, struct sl_why *why)
{
    struct sl_channel    *channel;
    struct sl_channel_end end;
    enum sl_err           err;

    if ((err = pd_leader(pd, &channel, why)) != SL_OK) {
        sl_buf_free(request);
        return err;
    }
    err = sl_channel_unary(channel, path, request, timeout, response, &end);
    if (err == SL_OK)
        return SL_OK;
    err = pd_err_of(err, &end);
    sl_fail(why, err, "PD %s: %s: %s", pd->leader, sl_grpc_status_name(end.status), end.why.text);
    pd_forget_leader(pd);
    return err;
}

static enum sl_err check_header(struct sl_pd *pd, const struct pd_header *header,
                                struct sl_why *why)
{
    if (header->error == 0)
        return SL_OK;
    return sl_fail(why,
                   header->error == PD_ERROR_NOT_BOOTSTRAPPED ? SL_UNSUPPORTED : SL_UNAVAILABLE,
                   "PD %s: %s", pd->leader, header->text);
}

enum sl_err sl_pd_region(struct sl_pd *pd, struct sl_slice key, sl_nanos timeout,
                         struct sl_pd_region *out, struct sl_why *why)
{
    struct sl_buf      *request = pd_pack_get_region(pd->cluster_id, key);
    struct sl_buf      *response = NULL;
    struct sl_pd_region region = {0};
    struct pd_header    header;
    bool                found = false;
    bool                whole;
    enum sl_err         err;

    if ((err = ask_leader(pd, "/pdpb.PD/GetRegion", &request, timeout, &response, why)) != SL_OK)
        return err;
    whole = pd_unpack_region(response, &header, &found, &region);
    sl_buf_free(&response);
    if (!whole)
        return sl_fail(why, SL_UNAVAILABLE, "PD %s: a region is damaged", pd->leader);
    err = check_header(pd, &header, why);
    if (err == SL_OK && !found)
        err = sl_fail(why, SL_UNAVAILABLE, "PD %s knows no region of the key", pd->leader);
    if (err == SL_OK && region.peer.store_id == 0)
        err = sl_fail(why, SL_UNAVAILABLE, "PD %s knows no peer of region %" PRIu64, pd->leader,
                      region.id);
    if (err == SL_OK)
        *out = region;
    else
        sl_pd_region_done(&region);
    return err;
}

void sl_pd_region_done(struct sl_pd_region *region)
{
    sl_buf_free(&region->start);
    sl_buf_free(&region->end);
    *region = (struct sl_pd_region){0};
}

enum sl_err sl_pd_store(struct sl_pd *pd, uint64_t store_id, sl_nanos timeout, char *address,
                        struct sl_why *why)
{
    struct sl_buf   *request = pd_pack_get_store(pd->cluster_id, store_id);
    struct sl_buf   *response = NULL;
    struct pd_header header;
    bool             whole;
    enum sl_err      err;

    if ((err = ask_leader(pd, "/pdpb.PD/GetStore", &request, timeout, &response, why)) != SL_OK)
        return err;
    whole = pd_unpack_store(response, &header, address);
    sl_buf_free(&response);
    if (!whole)
        return sl_fail(why, SL_UNAVAILABLE, "PD %s: a store is damaged", pd->leader);
    err = check_header(pd, &header, why);
    if (err == SL_OK && address[0] == '\0')
        err =
            sl_fail(why, SL_UNAVAILABLE, "PD %s: store %" PRIu64 " is gone", pd->leader, store_id);
    return err;
}
