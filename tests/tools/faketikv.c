#include "tools/faketikv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ts.h"
#include "sluice/corpus.h"
#include "tikv.pb-c.h"
#include "tools/fakemeta.h"

enum { OP_PUT = 0, OP_ROLLBACK = 3, EXPIRED_ROLLBACK = 1, ABSENT_ROLLBACK = 2, WORDS = 3 };

/* One transaction. */
struct txn {
    uint64_t        start_ts;
    uint64_t        commit_ts; /* 0: not committed */
    struct sl_slice key;       /* of the corpus */
    bool            rolled_back;
    bool            hidden;
    bool            locked;
    uint64_t        ttl_ms;
};

struct faketikv {
    struct corpus    corpus;
    struct fakemeta *meta;
    struct txn      *txns;
    uint32_t         count;
    bool             silent;
    bool             old;
    char             error[16]; /* kind */
    uint64_t         error_count;
    uint64_t         looks;
    uint64_t         checks;
    uint64_t         cleans;
};

static const char look_path[] = "/tikvpb.Tikv/MvccGetByKey";
static const char check_path[] = "/tikvpb.Tikv/KvCheckTxnStatus";
static const char clean_path[] = "/tikvpb.Tikv/KvCleanup";

bool faketikv_serves(struct sl_slice path)
{
    return sl_slice_equal(path, sl_slice_from_string(look_path)) ||
           sl_slice_equal(path, sl_slice_from_string(check_path)) ||
           sl_slice_equal(path, sl_slice_from_string(clean_path)) ||
           sl_slice_equal(path, sl_slice_from_string(fakemeta_get_path)) ||
           sl_slice_equal(path, sl_slice_from_string(fakemeta_scan_path));
}

/* ---- the recording ---- */

static struct txn *find(struct faketikv *tikv, uint64_t start_ts)
{
    for (uint32_t i = 0; i < tikv->count; i++)
        if (tikv->txns[i].start_ts == start_ts)
            return &tikv->txns[i];
    return NULL;
}

static void take_record(struct faketikv *tikv, const struct corpus_record *record)
{
    struct sl_record binlog;
    struct txn      *txn = find(tikv, (uint64_t)record->start_ts);

    if (record->type == SL_RECORD_PREWRITE) {
        if (sl_record_decode(record->payload, &binlog, NULL) != SL_OK)
            return; /* the corpus has checked it */
        txn = &tikv->txns[tikv->count++];
        *txn = (struct txn){.start_ts = (uint64_t)record->start_ts, .key = binlog.prewrite_key};
    } else if (record->type == SL_RECORD_COMMIT) {
        txn->commit_ts = (uint64_t)record->commit_ts;
    } else {
        txn->rolled_back = true;
    }
}

enum sl_err faketikv_open(const struct sl_env *env, const char *path, struct faketikv **out,
                          struct sl_why *why)
{
    struct faketikv *tikv = calloc(1, sizeof *tikv);
    enum sl_err      err;

    SL_ASSERT(tikv != NULL);
    if ((err = corpus_load(env->fs, path, &tikv->corpus, why)) != SL_OK ||
        (err = fakemeta_open(env, path, &tikv->corpus, &tikv->meta, why)) != SL_OK) {
        corpus_free(&tikv->corpus);
        free(tikv);
        return err;
    }
    tikv->txns = calloc(tikv->corpus.prewrites, sizeof *tikv->txns);
    SL_ASSERT(tikv->txns != NULL);
    for (uint32_t i = 0; i < tikv->corpus.count; i++)
        take_record(tikv, &tikv->corpus.records[i]);
    *out = tikv;
    return SL_OK;
}

/* ---- region errors ---- */

/* All that one error may point to. */
struct trouble {
    Sluice__Tikv__RegionError  error;
    Sluice__Tikv__NotLeader    not_leader;
    Sluice__Tikv__Peer         leader;
    Sluice__Tikv__Present      present;
    Sluice__Tikv__ServerIsBusy busy;
};

/* The error for the next answer; NULL: none. */
static Sluice__Tikv__RegionError *next_error(struct faketikv *tikv, struct trouble *t)
{
    if (tikv->error_count == 0)
        return NULL;
    tikv->error_count--;
    sluice__tikv__region_error__init(&t->error);
    sluice__tikv__not_leader__init(&t->not_leader);
    sluice__tikv__peer__init(&t->leader);
    sluice__tikv__present__init(&t->present);
    sluice__tikv__server_is_busy__init(&t->busy);
    t->leader.id = t->leader.store_id = 1;
    t->busy.backoff_ms = 1;
    t->error.message = tikv->error;
    if (strcmp(tikv->error, "not-leader") == 0) {
        t->error.not_leader = &t->not_leader;
    } else if (strcmp(tikv->error, "other-leader") == 0) {
        t->not_leader.leader = &t->leader;
        t->error.not_leader = &t->not_leader;
    } else if (strcmp(tikv->error, "epoch") == 0) {
        t->error.epoch_not_match = &t->present;
    } else if (strcmp(tikv->error, "not-found") == 0) {
        t->error.region_not_found = &t->present;
    } else {
        t->error.server_is_busy = &t->busy;
    }
    return &t->error;
}

/* ---- answers ---- */

static struct sl_buf *packed(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    return buf;
}

static bool of_key(const struct txn *txn, ProtobufCBinaryData key)
{
    return sl_slice_equal(txn->key, (struct sl_slice){key.data, key.len});
}

static void fill_info(struct faketikv *tikv, ProtobufCBinaryData key, Sluice__Tikv__MvccInfo *info,
                      Sluice__Tikv__MvccLock *lock, Sluice__Tikv__MvccWrite *writes)
{
    for (uint32_t i = 0; i < tikv->count; i++) {
        const struct txn *txn = &tikv->txns[i];

        if (!of_key(txn, key) || txn->hidden)
            continue;
        if (txn->locked) {
            lock->start_ts = txn->start_ts;
            lock->ttl = txn->ttl_ms;
            info->lock = lock;
        } else if (txn->commit_ts != 0 || txn->rolled_back) {
            Sluice__Tikv__MvccWrite *write = &writes[info->n_writes];

            sluice__tikv__mvcc_write__init(write);
            write->type = txn->commit_ts != 0 ? OP_PUT : OP_ROLLBACK;
            write->start_ts = txn->start_ts;
            write->commit_ts = txn->commit_ts != 0 ? txn->commit_ts : txn->start_ts;
            info->writes[info->n_writes++] = write;
        }
    }
}

static struct sl_buf *look(struct faketikv *tikv, const struct sl_buf *bytes)
{
    Sluice__Tikv__MvccGetByKeyRequest *request =
        sluice__tikv__mvcc_get_by_key_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Tikv__MvccGetByKeyResponse response = SLUICE__TIKV__MVCC_GET_BY_KEY_RESPONSE__INIT;
    Sluice__Tikv__MvccInfo             info = SLUICE__TIKV__MVCC_INFO__INIT;
    Sluice__Tikv__MvccLock             lock = SLUICE__TIKV__MVCC_LOCK__INIT;
    Sluice__Tikv__MvccWrite           *writes = calloc(tikv->count, sizeof *writes);
    struct trouble                     trouble;
    struct sl_buf                     *buf;

    SL_ASSERT(request != NULL && writes != NULL);
    info.writes = calloc(tikv->count, sizeof(void *));
    SL_ASSERT(info.writes != NULL);
    tikv->looks++;
    response.region_error = next_error(tikv, &trouble);
    if (response.region_error == NULL) {
        fill_info(tikv, request->key, &info, &lock, writes);
        response.info = &info;
    }
    buf = packed(&response.base);
    free(info.writes);
    free(writes);
    sluice__tikv__mvcc_get_by_key_request__free_unpacked(request, NULL);
    return buf;
}

/* What becomes of one that is checked; its action. */
static uint32_t end(struct txn *txn, uint64_t current_ts, uint64_t *ttl_ms, uint64_t *commit_ts)
{
    int64_t age_ms = sl_ts_physical_ms((sl_ts)current_ts) - sl_ts_physical_ms((sl_ts)txn->start_ts);

    *ttl_ms = *commit_ts = 0;
    if (txn->locked && age_ms < (int64_t)txn->ttl_ms) {
        *ttl_ms = txn->ttl_ms;
        return 0;
    }
    if (!txn->locked && !txn->hidden && txn->commit_ts != 0) {
        *commit_ts = txn->commit_ts;
        return 0;
    }
    uint32_t action = txn->locked ? EXPIRED_ROLLBACK : txn->rolled_back ? 0 : ABSENT_ROLLBACK;

    txn->locked = txn->hidden = false;
    txn->commit_ts = 0;
    txn->rolled_back = true;
    return action;
}

static struct sl_buf *check(struct faketikv *tikv, const struct sl_buf *bytes)
{
    Sluice__Tikv__CheckTxnStatusRequest *request =
        sluice__tikv__check_txn_status_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Tikv__CheckTxnStatusResponse response = SLUICE__TIKV__CHECK_TXN_STATUS_RESPONSE__INIT;
    struct trouble                       trouble;
    struct txn                          *txn;

    SL_ASSERT(request != NULL && request->rollback_if_not_exist);
    tikv->checks++;
    txn = find(tikv, request->lock_ts);
    response.region_error = next_error(tikv, &trouble);
    if (response.region_error == NULL && txn != NULL && of_key(txn, request->primary_key))
        response.action =
            end(txn, request->current_ts, &response.lock_ttl, &response.commit_version);
    sluice__tikv__check_txn_status_request__free_unpacked(request, NULL);
    return packed(&response.base);
}

static struct sl_buf *clean(struct faketikv *tikv, const struct sl_buf *bytes)
{
    Sluice__Tikv__CleanupRequest *request =
        sluice__tikv__cleanup_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Tikv__CleanupResponse response = SLUICE__TIKV__CLEANUP_RESPONSE__INIT;
    Sluice__Tikv__KeyError        error = SLUICE__TIKV__KEY_ERROR__INIT;
    Sluice__Tikv__LockInfo        lock = SLUICE__TIKV__LOCK_INFO__INIT;
    struct txn                   *txn;
    uint64_t                      ttl_ms = 0;

    SL_ASSERT(request != NULL);
    tikv->cleans++;
    txn = find(tikv, request->start_version);
    if (txn != NULL && of_key(txn, request->key))
        (void)end(txn, request->current_ts, &ttl_ms, &response.commit_version);
    error.locked = &lock;
    response.error = ttl_ms > 0 ? &error : NULL;
    sluice__tikv__cleanup_request__free_unpacked(request, NULL);
    return packed(&response.base);
}

enum sl_grpc_status faketikv_answer(struct faketikv *tikv, const char *path,
                                    const struct sl_buf *request, struct sl_buf **out)
{
    struct trouble trouble;

    *out = NULL;
    if (tikv->silent)
        return SL_GRPC_OK;
    if (strcmp(path, fakemeta_get_path) == 0 || strcmp(path, fakemeta_scan_path) == 0) {
        *out = fakemeta_answer(tikv->meta, path, request, next_error(tikv, &trouble));
        return SL_GRPC_OK;
    }
    if (strcmp(path, check_path) == 0 && tikv->old)
        return SL_GRPC_UNIMPLEMENTED;
    if (strcmp(path, look_path) == 0)
        *out = look(tikv, request);
    else
        *out = strcmp(path, check_path) == 0 ? check(tikv, request) : clean(tikv, request);
    return SL_GRPC_OK;
}

/* ---- commands ---- */

static bool change(struct faketikv *tikv, const char *word, uint64_t start_ts, const char *ttl)
{
    struct txn *txn = find(tikv, start_ts);

    if (txn == NULL)
        return false;
    txn->locked = strcmp(word, "lock") == 0;
    txn->ttl_ms = strtoull(ttl, NULL, 10);
    txn->hidden = strcmp(word, "hide") == 0;
    return true;
}

void faketikv_command(struct faketikv *tikv, const char *line, char *out, size_t room)
{
    char word[WORDS][24] = {"", "", ""};
    bool on;
    bool known = true;

    (void)sscanf(line, "%23s %23s %23s", word[0], word[1], word[2]);
    on = strcmp(word[1], "on") == 0;
    if (strcmp(word[0], "counts") == 0) {
        (void)snprintf(out, room, "ok %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", tikv->looks,
                       tikv->checks, tikv->cleans);
        return;
    }
    if (strcmp(word[0], "silent") == 0) {
        tikv->silent = on;
    } else if (strcmp(word[0], "old") == 0) {
        tikv->old = on;
    } else if (strcmp(word[0], "error") == 0) {
        (void)snprintf(tikv->error, sizeof tikv->error, "%.15s", word[1]);
        tikv->error_count = strtoull(word[2], NULL, 10);
    } else if (strcmp(word[0], "locked") == 0) {
        fakemeta_lock(tikv->meta, strtoull(word[1], NULL, 10));
    } else if (strcmp(word[0], "lock") == 0 || strcmp(word[0], "hide") == 0 ||
               strcmp(word[0], "show") == 0) {
        known = change(tikv, word[0], strtoull(word[1], NULL, 10), word[2]);
    } else {
        known = false;
    }
    (void)snprintf(out, room, known ? "ok\n" : "no\n");
}
