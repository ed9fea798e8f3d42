#include "net/tikv_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tikv.pb-c.h"

/* Of kvrpcpb.Op; every other one is of a transaction that committed. */
enum { OP_ROLLBACK = 3 };

static struct sl_buf *pack(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    return buf;
}

/* The cast drops const, which the generated types lack; nobody writes. */
static ProtobufCBinaryData data_of(struct sl_slice slice)
{
    return (ProtobufCBinaryData){.len = slice.len, .data = (uint8_t *)(uintptr_t)slice.bytes};
}

/* ---- requests ---- */

/* A context and what it points to. */
struct context {
    Sluice__Tikv__Context     base;
    Sluice__Tikv__RegionEpoch epoch;
    Sluice__Tikv__Peer        peer;
};

static void set_context(struct context *context, const struct sl_pd_region *region)
{
    sluice__tikv__context__init(&context->base);
    sluice__tikv__region_epoch__init(&context->epoch);
    sluice__tikv__peer__init(&context->peer);
    context->epoch.conf_ver = region->conf_ver;
    context->epoch.version = region->version;
    context->peer.id = region->peer.id;
    context->peer.store_id = region->peer.store_id;
    context->peer.role = region->peer.role;
    context->base.region_id = region->id;
    context->base.region_epoch = &context->epoch;
    context->base.peer = &context->peer;
}

struct sl_buf *tikv_pack_look(const struct sl_pd_region     *region,
                              const struct sl_tikv_question *question)
{
    Sluice__Tikv__MvccGetByKeyRequest request = SLUICE__TIKV__MVCC_GET_BY_KEY_REQUEST__INIT;
    struct context                    context;

    set_context(&context, region);
    request.context = &context.base;
    request.key = data_of(question->primary);
    return pack(&request.base);
}

struct sl_buf *tikv_pack_check(const struct sl_pd_region     *region,
                               const struct sl_tikv_question *question)
{
    Sluice__Tikv__CheckTxnStatusRequest request = SLUICE__TIKV__CHECK_TXN_STATUS_REQUEST__INIT;
    struct context                      context;

    set_context(&context, region);
    request.context = &context.base;
    request.primary_key = data_of(question->primary);
    request.lock_ts = (uint64_t)question->start_ts;
    request.caller_start_ts = (uint64_t)question->start_ts;
    request.current_ts = (uint64_t)question->current_ts;
    request.rollback_if_not_exist = true;
    request.verify_is_primary = true;
    return pack(&request.base);
}

struct sl_buf *tikv_pack_clean(const struct sl_pd_region     *region,
                               const struct sl_tikv_question *question)
{
    Sluice__Tikv__CleanupRequest request = SLUICE__TIKV__CLEANUP_REQUEST__INIT;
    struct context               context;

    set_context(&context, region);
    request.context = &context.base;
    request.key = data_of(question->primary);
    request.start_version = (uint64_t)question->start_ts;
    request.current_ts = (uint64_t)question->current_ts;
    return pack(&request.base);
}

struct sl_buf *tikv_pack_get(const struct sl_pd_region *region, struct sl_slice key, sl_ts version)
{
    Sluice__Tikv__GetRequest request = SLUICE__TIKV__GET_REQUEST__INIT;
    struct context           context;

    set_context(&context, region);
    request.context = &context.base;
    request.key = data_of(key);
    request.version = (uint64_t)version;
    return pack(&request.base);
}

struct sl_buf *tikv_pack_scan(const struct sl_pd_region *region, struct sl_slice start,
                              struct sl_slice end, sl_ts version, uint32_t limit)
{
    Sluice__Tikv__ScanRequest request = SLUICE__TIKV__SCAN_REQUEST__INIT;
    struct context            context;

    set_context(&context, region);
    request.context = &context.base;
    request.start_key = data_of(start);
    request.end_key = data_of(end);
    request.version = (uint64_t)version;
    request.limit = limit;
    return pack(&request.base);
}

/* ---- errors ---- */

static enum tikv_trouble_kind kind_of(const Sluice__Tikv__RegionError *error)
{
    if (error->not_leader != NULL && error->not_leader->leader != NULL &&
        error->not_leader->leader->store_id != 0)
        return TIKV_OTHER_LEADER;
    if (error->not_leader != NULL || error->region_not_found != NULL ||
        error->key_not_in_region != NULL || error->epoch_not_match != NULL ||
        error->store_not_match != NULL || error->is_witness != NULL ||
        error->mismatch_peer_id != NULL)
        return TIKV_OTHER_REGION;
    if (error->flashback_in_progress != NULL || error->flashback_not_prepared != NULL)
        return TIKV_CLOSED;
    return TIKV_BUSY;
}

static void take_trouble(const Sluice__Tikv__RegionError *error, struct tikv_trouble *out)
{
    *out = (struct tikv_trouble){0};
    if (error == NULL)
        return;
    out->kind = kind_of(error);
    if (out->kind == TIKV_OTHER_LEADER) {
        const Sluice__Tikv__Peer *leader = error->not_leader->leader;

        out->leader = (struct sl_pd_peer){leader->id, leader->store_id, leader->role};
    }
    if (error->server_is_busy != NULL)
        out->wait_ms = error->server_is_busy->backoff_ms;
    (void)snprintf(out->text, sizeof out->text, "region error: %s", error->message);
}

static const char *text_of(const Sluice__Tikv__KeyError *error)
{
    if (error->locked != NULL)
        return "the key is locked";
    if (error->txn_not_found != NULL)
        return "the transaction was not found";
    if (error->retryable[0] != '\0')
        return error->retryable;
    return error->abort[0] != '\0' ? error->abort : "an error that is not known";
}

/* An error about the transaction that is checked. */
static void take_check_error(const Sluice__Tikv__KeyError *error, struct tikv_checked *out)
{
    if (error == NULL)
        return;
    out->failed = true;
    out->locked = error->locked != NULL;
    (void)snprintf(out->text, sizeof out->text, "%s", text_of(error));
}

static void take_key_error(const Sluice__Tikv__KeyError *error, struct tikv_key_error *out)
{
    if (error == NULL || out->failed)
        return;
    out->failed = true;
    out->locked = error->locked != NULL;
    out->may_pass = out->locked || error->retryable[0] != '\0';
    if (out->locked)
        (void)snprintf(out->text, sizeof out->text, "the key is locked by transaction %" PRIu64,
                       error->locked->lock_version);
    else
        (void)snprintf(out->text, sizeof out->text, "%s", text_of(error));
}

/* ---- answers ---- */

/* The history of a key holds many transactions; one of them is asked about. */
static void take_info(const Sluice__Tikv__MvccInfo *info, uint64_t start_ts, struct tikv_found *out)
{
    if (info == NULL)
        return;
    for (size_t i = 0; i < info->n_writes; i++) {
        const Sluice__Tikv__MvccWrite *write = info->writes[i];

        if (write->start_ts != start_ts)
            continue;
        if (write->type == OP_ROLLBACK) {
            out->rolled_back = true;
        } else {
            out->committed = true;
            out->commit_ts = write->commit_ts;
        }
    }
    if (info->lock != NULL && info->lock->start_ts == start_ts) {
        out->locked = true;
        out->lock_ttl_ms = info->lock->ttl;
    }
}

bool tikv_unpack_found(const struct sl_buf *bytes, sl_ts start_ts, struct tikv_trouble *trouble,
                       struct tikv_found *out)
{
    Sluice__Tikv__MvccGetByKeyResponse *answer =
        sluice__tikv__mvcc_get_by_key_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    *out = (struct tikv_found){0};
    take_trouble(answer->region_error, trouble);
    (void)snprintf(out->text, sizeof out->text, "%s", answer->error);
    take_info(answer->info, (uint64_t)start_ts, out);
    sluice__tikv__mvcc_get_by_key_response__free_unpacked(answer, NULL);
    return true;
}

bool tikv_unpack_checked(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                         struct tikv_checked *out)
{
    Sluice__Tikv__CheckTxnStatusResponse *answer =
        sluice__tikv__check_txn_status_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    *out = (struct tikv_checked){.lock_ttl_ms = answer->lock_ttl,
                                 .commit_ts = answer->commit_version,
                                 .action = answer->action};
    out->async_commit = answer->lock_info != NULL && answer->lock_info->use_async_commit;
    take_trouble(answer->region_error, trouble);
    take_check_error(answer->error, out);
    sluice__tikv__check_txn_status_response__free_unpacked(answer, NULL);
    return true;
}

bool tikv_unpack_cleaned(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                         struct tikv_checked *out)
{
    Sluice__Tikv__CleanupResponse *answer =
        sluice__tikv__cleanup_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    *out = (struct tikv_checked){.commit_ts = answer->commit_version};
    take_trouble(answer->region_error, trouble);
    take_check_error(answer->error, out);
    sluice__tikv__cleanup_response__free_unpacked(answer, NULL);
    return true;
}

bool tikv_unpack_value(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                       struct tikv_value *out)
{
    Sluice__Tikv__GetResponse *answer =
        sluice__tikv__get_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    *out = (struct tikv_value){0};
    take_trouble(answer->region_error, trouble);
    take_key_error(answer->error, &out->error);
    out->found = trouble->kind == TIKV_NO_TROUBLE && !out->error.failed && !answer->not_found;
    if (out->found) {
        out->bytes = sl_buf_new(answer->value.len);
        if (answer->value.len > 0)
            memcpy(out->bytes->data, answer->value.data, answer->value.len);
    }
    sluice__tikv__get_response__free_unpacked(answer, NULL);
    return true;
}

static struct sl_slice slice_of(ProtobufCBinaryData data)
{
    return (struct sl_slice){data.data, data.len};
}

bool tikv_unpack_page(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                      struct tikv_page *out)
{
    Sluice__Tikv__ScanResponse *answer =
        sluice__tikv__scan_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    *out = (struct tikv_page){.message = answer};
    out->pairs = calloc(answer->n_pairs + 1, sizeof out->pairs[0]);
    SL_ASSERT(out->pairs != NULL);
    take_trouble(answer->region_error, trouble);
    for (size_t i = 0; i < answer->n_pairs && !out->error.failed; i++) {
        const Sluice__Tikv__KvPair *pair = answer->pairs[i];

        take_key_error(pair->error, &out->error);
        if (!out->error.failed)
            out->pairs[out->count++] =
                (struct tikv_pair){slice_of(pair->key), slice_of(pair->value)};
    }
    take_key_error(answer->error, &out->error);
    return true;
}

void tikv_page_free(struct tikv_page *page)
{
    if (page->message != NULL)
        sluice__tikv__scan_response__free_unpacked(page->message, NULL);
    free(page->pairs);
    *page = (struct tikv_page){0};
}
