#include "net/etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "etcd.pb-c.h"
#include "net/endpoints.h"

static const sl_nanos wait_max = SL_REGISTRY_WAIT_MS_MAX * (sl_nanos)SL_NANOS_PER_MS;
static const sl_nanos sync_every = SL_ETCD_SYNC_S * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos sync_max = SL_ETCD_SYNC_WAIT_MS * (sl_nanos)SL_NANOS_PER_MS;

struct sl_etcd {
    const struct sl_env *env;
    struct sl_endpoints  endpoints;
    uint32_t             current;   /* index of the one that answered last */
    sl_nanos             synced_at; /* when the members were asked for last */
};

/* ---- calls ---- */

/* What the end of a call at one member means. */
static enum sl_err err_of(enum sl_err err, const struct sl_channel_end *end)
{
    if (err != SL_INVALID)
        return err;
    switch (end->status) {
    case SL_GRPC_RESOURCE_EXHAUSTED: return SL_NOSPACE;
    case SL_GRPC_UNIMPLEMENTED: return SL_UNSUPPORTED;
    case SL_GRPC_CANCELLED:
    case SL_GRPC_UNKNOWN:
    case SL_GRPC_ABORTED:
    case SL_GRPC_INTERNAL:
    case SL_GRPC_UNAVAILABLE:
    case SL_GRPC_DEADLINE_EXCEEDED: return SL_UNAVAILABLE;
    case SL_GRPC_OK:
    case SL_GRPC_INVALID_ARGUMENT:
    case SL_GRPC_NOT_FOUND:
    case SL_GRPC_ALREADY_EXISTS:
    case SL_GRPC_PERMISSION_DENIED:
    case SL_GRPC_FAILED_PRECONDITION:
    case SL_GRPC_OUT_OF_RANGE:
    case SL_GRPC_DATA_LOSS:
    case SL_GRPC_UNAUTHENTICATED:
    case SL_GRPC_STATUSES: return SL_INVALID;
    }
    return SL_INVALID;
}

static struct sl_buf *pack(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    return buf;
}

static struct sl_endpoint *current(struct sl_etcd *etcd)
{
    if (etcd->current >= etcd->endpoints.count)
        etcd->current = 0;
    return &etcd->endpoints.at[etcd->current];
}

/* Ask the current member. *answer is a message of the type, the caller's. */
static enum sl_err ask_one(struct sl_etcd *etcd, const char *path, const ProtobufCMessage *request,
                           sl_nanos timeout, const ProtobufCMessageDescriptor *type,
                           ProtobufCMessage **answer, struct sl_why *why)
{
    struct sl_endpoint   *endpoint = current(etcd);
    struct sl_buf        *message = pack(request);
    struct sl_buf        *response;
    struct sl_channel_end end;
    enum sl_err           err;

    err = sl_channel_unary(endpoint->channel, path, &message, timeout, &response, &end);
    if (err != SL_OK)
        return sl_fail(why, err_of(err, &end), "etcd %s: %s: %s", endpoint->url,
                       sl_grpc_status_name(end.status), end.why.text);
    *answer = protobuf_c_message_unpack(type, NULL, response->len, response->data);
    sl_buf_free(&response);
    if (*answer == NULL)
        return sl_fail(why, SL_INVALID, "etcd %s: the answer to %s is damaged", endpoint->url,
                       path);
    return SL_OK;
}

/* Members that were not asked yet share the time that is left, so that a dead one leaves some. */
static enum sl_err ask(struct sl_etcd *etcd, const char *path, const ProtobufCMessage *request,
                       const ProtobufCMessageDescriptor *type, ProtobufCMessage **answer,
                       struct sl_why *why)
{
    sl_nanos    until = sl_env_now(etcd->env) + wait_max;
    enum sl_err err = SL_TIMEOUT;

    for (uint32_t left = etcd->endpoints.count; left > 0; left--) {
        sl_nanos now = sl_env_now(etcd->env);

        if (now >= until)
            break;
        err = ask_one(etcd, path, request, (until - now) / left, type, answer, why);
        if (err != SL_UNAVAILABLE && err != SL_TIMEOUT)
            return err;
        etcd->current++;
    }
    return err;
}

/* ---- members ---- */

static void take_members(struct sl_etcd *etcd, const Sluice__Etcd__MemberListResponse *list)
{
    char url[SL_ADDR_BYTES_MAX];

    (void)snprintf(url, sizeof url, "%s", current(etcd)->url);
    sl_endpoints_update_begin(&etcd->endpoints);
    for (size_t i = 0; i < list->n_members; i++) {
        const Sluice__Etcd__Member *member = list->members[i];

        if (!member->is_learner && member->n_client_urls > 0)
            sl_endpoints_update_add(&etcd->endpoints, member->client_urls[0]);
    }
    sl_endpoints_update_end(&etcd->endpoints);
    etcd->current = sl_endpoints_find(&etcd->endpoints, url);
}

/* Failing is no failure of the call at hand: who was told of before may still answer that. */
static void sync_members(struct sl_etcd *etcd)
{
    Sluice__Etcd__MemberListRequest request = SLUICE__ETCD__MEMBER_LIST_REQUEST__INIT;
    ProtobufCMessage               *answer;
    sl_nanos                        now = sl_env_now(etcd->env);

    if (etcd->synced_at != 0 && now - etcd->synced_at < sync_every)
        return;
    etcd->synced_at = now;
    if (ask_one(etcd, "/etcdserverpb.Cluster/MemberList", &request.base, sync_max,
                &sluice__etcd__member_list_response__descriptor, &answer, NULL) != SL_OK)
        return;
    take_members(etcd, (const Sluice__Etcd__MemberListResponse *)answer);
    protobuf_c_message_free_unpacked(answer, NULL);
}

enum sl_err sl_etcd_new(const struct sl_env *env, const char *urls, struct sl_etcd **out,
                        struct sl_why *why)
{
    struct sl_etcd *etcd = calloc(1, sizeof *etcd);
    enum sl_err     err;

    SL_ASSERT(etcd != NULL);
    etcd->env = env;
    if ((err = sl_endpoints_init(&etcd->endpoints, env, urls, why)) != SL_OK) {
        free(etcd);
        return err;
    }
    *out = etcd;
    return SL_OK;
}

void sl_etcd_free(struct sl_etcd **etcd)
{
    if (*etcd != NULL)
        sl_endpoints_done(&(*etcd)->endpoints);
    free(*etcd);
    *etcd = NULL;
}

/* ---- keys ---- */

static ProtobufCBinaryData data_of(const void *bytes, size_t count)
{
    return (ProtobufCBinaryData){.len = count, .data = (uint8_t *)(uintptr_t)bytes};
}

static struct sl_slice slice_of(ProtobufCBinaryData data)
{
    return (struct sl_slice){data.data, data.len};
}

/* The key behind all that begin with the prefix, into out; its length. The prefix is text of ours,
 * so its last byte can be counted up. */
static size_t end_of_prefix(const char *prefix, char *out)
{
    size_t length = strlen(prefix);

    SL_ASSERT(length > 0 && length < SL_ETCD_KEY_BYTES_MAX);
    SL_ASSERT((unsigned char)prefix[length - 1] < UINT8_MAX);
    memcpy(out, prefix, length);
    out[length - 1]++;
    return length;
}

static enum sl_err range(struct sl_etcd *etcd, const Sluice__Etcd__RangeRequest *request,
                         Sluice__Etcd__RangeResponse **out, struct sl_why *why)
{
    ProtobufCMessage *answer;
    enum sl_err       err;

    sync_members(etcd);
    err = ask(etcd, "/etcdserverpb.KV/Range", &request->base,
              &sluice__etcd__range_response__descriptor, &answer, why);
    if (err == SL_OK)
        *out = (Sluice__Etcd__RangeResponse *)answer;
    return err;
}

static enum sl_err fetch(struct sl_etcd *etcd, const Sluice__Etcd__RangeRequest *request,
                         struct sl_etcd_list *out, struct sl_why *why)
{
    Sluice__Etcd__RangeResponse *answer;
    enum sl_err                  err;

    if ((err = range(etcd, request, &answer, why)) != SL_OK)
        return err;
    *out = (struct sl_etcd_list){.count = answer->n_kvs, .message = answer};
    if (answer->n_kvs == 0)
        return SL_OK;
    out->kvs = calloc(answer->n_kvs, sizeof out->kvs[0]);
    SL_ASSERT(out->kvs != NULL);
    for (size_t i = 0; i < answer->n_kvs; i++)
        out->kvs[i] = (struct sl_etcd_kv){.key = slice_of(answer->kvs[i]->key),
                                          .value = slice_of(answer->kvs[i]->value),
                                          .mod_revision = answer->kvs[i]->mod_revision};
    return SL_OK;
}

enum sl_err sl_etcd_get(struct sl_etcd *etcd, const char *key, struct sl_etcd_list *out,
                        struct sl_why *why)
{
    Sluice__Etcd__RangeRequest request = SLUICE__ETCD__RANGE_REQUEST__INIT;

    request.key = data_of(key, strlen(key));
    return fetch(etcd, &request, out, why);
}

enum sl_err sl_etcd_list(struct sl_etcd *etcd, const char *prefix, struct sl_etcd_list *out,
                         struct sl_why *why)
{
    Sluice__Etcd__RangeRequest request = SLUICE__ETCD__RANGE_REQUEST__INIT;
    char                       end[SL_ETCD_KEY_BYTES_MAX];

    request.key = data_of(prefix, strlen(prefix));
    request.range_end = data_of(end, end_of_prefix(prefix, end));
    return fetch(etcd, &request, out, why);
}

enum sl_err sl_etcd_latest(struct sl_etcd *etcd, const char *prefix, int64_t *revision,
                           struct sl_why *why)
{
    Sluice__Etcd__RangeRequest   request = SLUICE__ETCD__RANGE_REQUEST__INIT;
    Sluice__Etcd__RangeResponse *answer;
    char                         end[SL_ETCD_KEY_BYTES_MAX];
    enum sl_err                  err;

    request.key = data_of(prefix, strlen(prefix));
    request.range_end = data_of(end, end_of_prefix(prefix, end));
    request.limit = 1;
    request.sort_order = SLUICE__ETCD__RANGE_REQUEST__SORT_ORDER__DESCEND;
    request.sort_target = SLUICE__ETCD__RANGE_REQUEST__SORT_TARGET__MOD;
    request.serializable = true;
    request.keys_only = true;
    if ((err = range(etcd, &request, &answer, why)) != SL_OK)
        return err;
    *revision = answer->n_kvs > 0 ? answer->kvs[0]->mod_revision : 0;
    protobuf_c_message_free_unpacked(&answer->base, NULL);
    return SL_OK;
}

/* One transaction for both cases of the original: the key is there (it has a revision), or not. */
enum sl_err sl_etcd_put(struct sl_etcd *etcd, const char *key, struct sl_slice value,
                        struct sl_why *why)
{
    Sluice__Etcd__TxnRequest txn = SLUICE__ETCD__TXN_REQUEST__INIT;
    Sluice__Etcd__Compare    compare = SLUICE__ETCD__COMPARE__INIT;
    Sluice__Etcd__PutRequest put = SLUICE__ETCD__PUT_REQUEST__INIT;
    Sluice__Etcd__RequestOp  op = SLUICE__ETCD__REQUEST_OP__INIT;
    Sluice__Etcd__Compare   *compares[] = {&compare};
    Sluice__Etcd__RequestOp *ops[] = {&op};
    ProtobufCMessage        *answer;
    enum sl_err              err;

    compare.result = SLUICE__ETCD__COMPARE__COMPARE_RESULT__GREATER;
    compare.target = SLUICE__ETCD__COMPARE__COMPARE_TARGET__MOD;
    compare.key = put.key = data_of(key, strlen(key));
    compare.target_union_case = SLUICE__ETCD__COMPARE__TARGET_UNION_MOD_REVISION;
    compare.mod_revision = 0;
    put.value = data_of(value.bytes, value.len);
    op.request_case = SLUICE__ETCD__REQUEST_OP__REQUEST_REQUEST_PUT;
    op.request_put = &put;
    txn.n_compare = txn.n_success = txn.n_failure = 1;
    txn.compare = compares;
    txn.success = txn.failure = ops;
    sync_members(etcd);
    err = ask(etcd, "/etcdserverpb.KV/Txn", &txn.base, &sluice__etcd__txn_response__descriptor,
              &answer, why);
    if (err == SL_OK)
        protobuf_c_message_free_unpacked(answer, NULL);
    return err;
}

void sl_etcd_list_free(struct sl_etcd_list *list)
{
    free(list->kvs);
    if (list->message != NULL)
        protobuf_c_message_free_unpacked(list->message, NULL);
    *list = (struct sl_etcd_list){0};
}
