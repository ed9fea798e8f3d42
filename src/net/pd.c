#include "net/pd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "net/pd_private.h"
#include "net/pd_wire.h"

static const sl_nanos refresh_every = SL_PD_REFRESH_S * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos refresh_wait = SL_PD_REFRESH_WAIT_MS * (sl_nanos)SL_NANOS_PER_MS;
static const sl_nanos open_wait = SL_PD_OPEN_WAIT_MS * (sl_nanos)SL_NANOS_PER_MS;

static const struct sl_tso_ops tso_ops = {
    .now = pd_tso_now,
    .drive = pd_drive_begin,
    .drive_info = pd_drive_info,
};

/* FAILED_PRECONDITION is what PD says to a wrong cluster id; all else may be another's view of an
 * election. */
enum sl_err pd_err_of(enum sl_err err, const struct sl_channel_end *end)
{
    if (err == SL_TIMEOUT || err == SL_UNAVAILABLE)
        return err;
    if (end->status == SL_GRPC_UNIMPLEMENTED)
        return SL_UNSUPPORTED;
    return end->status == SL_GRPC_FAILED_PRECONDITION ? SL_INVALID : SL_UNAVAILABLE;
}

/* ---- members ---- */

static enum sl_err ask_members(const struct sl_endpoint *endpoint, sl_nanos timeout,
                               struct pd_members *out, struct sl_why *why)
{
    struct sl_buf        *request = pd_pack_get_members();
    struct sl_buf        *response = NULL;
    struct sl_channel_end end;
    enum sl_err           err;
    bool                  whole;

    err = sl_channel_unary(endpoint->channel, "/pdpb.PD/GetMembers", &request, timeout, &response,
                           &end);
    if (err != SL_OK)
        return sl_fail(why, pd_err_of(err, &end), "PD %s: %s: %s", endpoint->url,
                       sl_grpc_status_name(end.status), end.why.text);
    whole = pd_unpack_members(response, out);
    sl_buf_free(&response);
    if (!whole)
        return sl_fail(why, SL_UNAVAILABLE, "PD %s: the list of members is damaged", endpoint->url);
    if (out->header.error != 0)
        return sl_fail(why, SL_UNAVAILABLE, "PD %s: %s", endpoint->url, out->header.text);
    if (out->header.cluster_id == 0)
        return sl_fail(why, SL_UNAVAILABLE, "PD %s has no cluster id yet", endpoint->url);
    return SL_OK;
}

/* Indexes of endpoints change. */
static void take_members(struct sl_pd *pd, const struct pd_members *members)
{
    sl_endpoints_update_begin(&pd->endpoints);
    for (uint32_t i = 0; i < members->count; i++)
        sl_endpoints_update_add(&pd->endpoints, members->urls[i]);
    if (members->leader[0] != '\0')
        sl_endpoints_update_add(&pd->endpoints, members->leader);
    sl_endpoints_update_end(&pd->endpoints);
    if (strcmp(pd->leader, members->leader) != 0)
        pd_forget_leader(pd);
    memcpy(pd->leader, members->leader, sizeof pd->leader);
}

static enum sl_err check_cluster(const struct sl_pd *pd, const struct sl_endpoint *endpoint,
                                 const struct pd_members *members, struct sl_why *why)
{
    if (members->header.cluster_id == pd->cluster_id)
        return SL_OK;
    return sl_fail(why, SL_INVALID,
                   "mismatch cluster id: PD %s belongs to cluster %" PRIu64
                   ", we belong to cluster %" PRIu64,
                   endpoint->url, members->header.cluster_id, pd->cluster_id);
}

/* Ask one after the other until one knows a leader. */
static enum sl_err refresh(struct sl_pd *pd, struct sl_why *why)
{
    struct pd_members members;
    enum sl_err       err;

    pd->refreshed_at = sl_env_now(pd->env);
    (void)sl_fail(why, SL_UNAVAILABLE, "PD has no leader");
    for (uint32_t i = 0; i < pd->endpoints.count; i++) {
        const struct sl_endpoint *endpoint = &pd->endpoints.at[i];

        if (ask_members(endpoint, refresh_wait, &members, why) != SL_OK)
            continue;
        if ((err = check_cluster(pd, endpoint, &members, why)) != SL_OK)
            return err;
        if (members.leader[0] == '\0') {
            (void)sl_fail(why, SL_UNAVAILABLE, "PD %s knows no leader", endpoint->url);
            continue;
        }
        take_members(pd, &members);
        return SL_OK;
    }
    return SL_UNAVAILABLE;
}

void pd_forget_leader(struct sl_pd *pd)
{
    pd->leader[0] = '\0';
    sl_channel_stream_free(&pd->stream);
}

enum sl_err pd_leader(struct sl_pd *pd, struct sl_channel **out, struct sl_why *why)
{
    bool        due = sl_env_now(pd->env) - pd->refreshed_at >= refresh_every;
    uint32_t    index;
    enum sl_err err = SL_OK;

    /* In time: who leads goes on doing so as far as we know, whatever this says. */
    if (due || pd->leader[0] == '\0')
        err = refresh(pd, why);
    if (err == SL_INVALID || (err != SL_OK && pd->leader[0] == '\0'))
        return err;
    index = sl_endpoints_find(&pd->endpoints, pd->leader);
    if (index == pd->endpoints.count) {
        err =
            sl_fail(why, SL_UNAVAILABLE, "PD's leader is at %s, which cannot be asked", pd->leader);
        pd_forget_leader(pd);
        return err;
    }
    *out = pd->endpoints.at[index].channel;
    return SL_OK;
}

/* ---- open ---- */

/* All that answer agree; the last answer that knows a leader tells of the members. */
static enum sl_err ask_all(struct sl_pd *pd, struct sl_why *why)
{
    struct pd_members answer;
    struct pd_members members = {0};
    struct sl_why     silent = {0};
    enum sl_err       result = SL_UNAVAILABLE;
    enum sl_err       err;

    for (uint32_t i = 0; i < pd->endpoints.count; i++) {
        const struct sl_endpoint *endpoint = &pd->endpoints.at[i];

        err = ask_members(endpoint, open_wait, &answer, &silent);
        if (err != SL_OK) {
            result = pd->cluster_id != 0 ? SL_OK : err;
            continue;
        }
        if (pd->cluster_id == 0)
            pd->cluster_id = answer.header.cluster_id;
        if ((err = check_cluster(pd, endpoint, &answer, why)) != SL_OK)
            return err;
        if (answer.leader[0] != '\0' || members.count == 0)
            members = answer;
        result = SL_OK;
    }
    if (result != SL_OK)
        return sl_fail(why, result, "%s", silent.text);
    take_members(pd, &members);
    pd->refreshed_at = sl_env_now(pd->env);
    return SL_OK;
}

enum sl_err sl_pd_open(const struct sl_env *env, const char *urls, struct sl_pd **out,
                       struct sl_why *why)
{
    struct sl_pd *pd = calloc(1, sizeof *pd);
    enum sl_err   err;

    SL_ASSERT(pd != NULL);
    pd->tso.ops = &tso_ops;
    pd->env = env;
    if ((err = sl_endpoints_init(&pd->endpoints, env, urls, why)) != SL_OK ||
        (err = ask_all(pd, why)) != SL_OK) {
        sl_pd_free(&pd);
        return err;
    }
    *out = pd;
    return SL_OK;
}

void sl_pd_free(struct sl_pd **pd)
{
    struct sl_pd *old = *pd;

    *pd = NULL;
    if (old == NULL)
        return;
    sl_channel_stream_free(&old->stream);
    sl_endpoints_done(&old->endpoints);
    free(old);
}

uint64_t sl_pd_cluster_id(const struct sl_pd *pd)
{
    return pd->cluster_id;
}

struct sl_tso *sl_pd_tso(struct sl_pd *pd)
{
    return &pd->tso;
}
