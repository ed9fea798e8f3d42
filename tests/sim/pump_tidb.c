/* The model TiDB: for each transaction P, then C or R, over any of its connections. It keeps TiDB's
 * rule (a commit ts is drawn only when P was acknowledged) and is otherwise as bad as its network:
 * it repeats, gives up, cancels, forgets an outcome for a while and says it late. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog.pb-c.h"
#include "binlog/record.h"
#include "pump.pb-c.h"
#include "sim/pump_world.h"
#include "binlog/message.h"

enum { KEY_BYTES = 12, QUERY_BYTES = 9, TRIES_MAX = 3 };

/* ---- contents: all follow from the start ts ---- */

static uint8_t key[KEY_BYTES];
static uint8_t query[QUERY_BYTES];
static uint8_t value[WORLD_VALUE_BYTES_MAX];

static bool is_ddl(const struct txn *t)
{
    return t->start_ts % 7 == 0;
}

static void fill_contents(const struct txn *t)
{
    uint64_t seed = (uint64_t)t->start_ts;

    memset(key, (int)(seed % 251), sizeof key);
    memset(query, 'a' + (int)(seed % 26), sizeof query);
    for (uint32_t i = 0; i < t->value_bytes; i++)
        value[i] = (uint8_t)(seed * 31 + i / 3);
}

static struct sl_record record_of(const struct txn *t)
{
    struct sl_record r = {.type = SL_RECORD_PREWRITE, .start_ts = t->start_ts};

    fill_contents(t);
    r.prewrite_key = (struct sl_slice){key, sizeof key};
    r.has_schema_state = true;
    if (t->step == TXN_PREWRITE) {
        r.prewrite_value = (struct sl_slice){value, t->value_bytes};
        r.ddl_job_id = is_ddl(t) ? 77 : 0;
        if (is_ddl(t))
            r.ddl_query = (struct sl_slice){query, sizeof query};
    } else {
        r.type = t->rolls_back ? SL_RECORD_ROLLBACK : SL_RECORD_COMMIT;
        r.commit_ts = t->rolls_back ? 0 : t->commit_ts;
    }
    return r;
}

/* ---- what becomes of them, written by protobuf-c ---- */

static struct sl_buf *packed(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, buf->data);
    return buf;
}

static struct sl_buf *entity_of(Sluice__Binlog *binlog, sl_ts start_ts, sl_ts commit_ts)
{
    Sluice__Pos            pos = SLUICE__POS__INIT;
    Sluice__Meta           meta = SLUICE__META__INIT;
    Sluice__Entity         entity = SLUICE__ENTITY__INIT;
    Sluice__PullBinlogResp resp = SLUICE__PULL_BINLOG_RESP__INIT;
    struct sl_buf         *payload;
    struct sl_buf         *buf;

    binlog->has_tp = binlog->has_start_ts = binlog->has_commit_ts = true;
    binlog->has_ddl_job_id = binlog->has_ddl_schema_state = true;
    binlog->start_ts = meta.start_ts = start_ts;
    binlog->commit_ts = meta.commit_ts = commit_ts;
    payload = packed(&binlog->base);
    entity.pos = &pos;
    entity.meta = &meta;
    entity.payload = (ProtobufCBinaryData){payload->len, payload->data};
    resp.entity = &entity;
    buf = packed(&resp.base);
    sl_buf_free(&payload);
    return buf;
}

struct sl_buf *tidb_entity(const struct txn *t)
{
    Sluice__Binlog binlog = SLUICE__BINLOG__INIT;

    fill_contents(t);
    binlog.tp = SLUICE__BINLOG_TYPE__COMMIT;
    binlog.has_prewrite_key = binlog.has_prewrite_value = true;
    binlog.prewrite_key = (ProtobufCBinaryData){sizeof key, key};
    binlog.prewrite_value = (ProtobufCBinaryData){t->value_bytes, value};
    if (is_ddl(t)) {
        binlog.has_ddl_query = true;
        binlog.ddl_query = (ProtobufCBinaryData){sizeof query, query};
        binlog.ddl_job_id = 77;
    }
    return entity_of(&binlog, t->start_ts, t->commit_ts);
}

struct sl_buf *tidb_fake_entity(sl_ts ts)
{
    Sluice__Binlog binlog = SLUICE__BINLOG__INIT;

    binlog.tp = SLUICE__BINLOG_TYPE__ROLLBACK;
    return entity_of(&binlog, ts, ts);
}

/* ---- answers ---- */

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    (void)context;
    sl_grpc_consume(call, (*message)->len);
}

static void settle(struct txn *t)
{
    struct world *w = t->world;

    if (t->is_doubtful && !w->is_quiet && world_chance(w, 2)) { /* say it again */
        t->due = world_after_ms(w, 0, 100);
        t->is_doubtful = t->rolls_back;
        return;
    }
    t->step = TXN_SETTLED;
}

static void succeed(struct txn *t)
{
    struct world *w = t->world;

    if (w->full_since != 0 && t->sent_at > w->full_since)
        world_blame(w, P10_FULL_DISK_TAKES_NOTHING, "start ts %lld was taken",
                    (long long)t->start_ts);
    t->tries = 0;
    t->due = world_after_ms(w, 0, 5);
    if (t->step == TXN_PREWRITE) {
        t->step = TXN_DRAW;
        t->rolls_back = world_chance(w, 12);
    } else {
        settle(t);
    }
}

/* Nobody knows whether it was written. */
static void fail(struct txn *t)
{
    struct world *w = t->world;

    w->tally->retries++;
    t->tries++;
    t->due = world_after_ms(w, 0, 40 * t->tries);
    t->is_doubtful = true;
    if (t->step == TXN_PREWRITE && t->tries > TRIES_MAX) {
        t->step = TXN_FINISH;
        t->rolls_back = true;
    }
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct txn *t = context;

    (void)call, (void)text;
    t->call = NULL;
    if (status == SL_GRPC_OK)
        succeed(t);
    else
        fail(t);
}

static const struct sl_grpc_events events = {.message = on_message, .over = on_over};

/* ---- calls ---- */

static void send(struct world *w, struct txn *t)
{
    struct link     *link = &w->tidb.links[sl_prng_below(&w->dice, WORLD_LINKS)];
    sl_nanos         deadline = world_after_ms(w, 20, 20000);
    struct sl_record record = record_of(t);
    struct sl_buf   *request;
    struct sl_why    why;

    if (!link->connected || sl_grpc_call(link->grpc, "/binlog.Pump/WriteBinlog", deadline, &events,
                                         t, &t->call, &why) != SL_OK)
        return;
    request = sl_message_write_record(WORLD_CLUSTER_ID, &record);
    if (sl_grpc_send(t->call, &request) == SL_OK) {
        t->commits = t->commits || (t->step == TXN_FINISH && !t->rolls_back);
        t->sent_at = sl_env_now(w->env);
        sl_grpc_half_close(t->call);
    } else {
        sl_grpc_cancel(t->call);
        t->call = NULL;
    }
    sl_buf_free(&request);
}

static void draw_commit_ts(struct world *w, struct txn *t)
{
    if (!t->rolls_back && !world_draw(w, &t->commit_ts))
        return; /* another time */
    t->step = TXN_FINISH;
    t->due = world_after_ms(w, 0, !w->is_quiet && world_chance(w, 15) ? 3000 : 10);
}

static void move_txn(struct world *w, struct txn *t)
{
    if (t->call != NULL) {
        if (!w->is_quiet && world_chance(w, 400)) {
            sl_grpc_cancel(t->call);
            t->call = NULL;
            fail(t);
        }
        return;
    }
    if (sl_env_now(w->env) < t->due)
        return;
    switch (t->step) {
    case TXN_DRAW: draw_commit_ts(w, t); return;
    case TXN_PREWRITE:
    case TXN_FINISH: send(w, t); return;
    case TXN_SETTLED: return;
    }
}

static void begin_txn(struct world *w)
{
    struct tidb *tidb = &w->tidb;
    struct txn  *t = &tidb->txns[tidb->txn_count];
    uint32_t     open = 0;

    for (uint32_t i = 0; i < tidb->txn_count; i++)
        open += tidb->txns[i].step != TXN_SETTLED;
    if (open >= tidb->open_max || tidb->txn_count == tidb->txns_max)
        return;
    *t = (struct txn){.world = w};
    if (!world_draw(w, &t->start_ts))
        return;
    t->value_bytes = (uint32_t)sl_prng_below(
        &w->dice, world_chance(w, tidb->big_one_in) ? tidb->value_bytes_max : 1500);
    tidb->txn_count++;
}

static void harm(struct world *w)
{
    struct link *link = &w->tidb.links[sl_prng_below(&w->dice, WORLD_LINKS)];

    if (link->socket == NULL)
        return;
    switch (sl_prng_below(&w->dice, 3)) {
    case 0: link_lose(link); return;
    case 1: sl_env_sim_reset(w->sim, layer_below(link->socket)); return;
    default: link->due = world_after_ms(w, 1, 500); return; /* slow */
    }
}

void tidb_move(struct world *w)
{
    for (uint32_t i = 0; i < WORLD_LINKS; i++)
        link_move(w, &w->tidb.links[i]);
    if (!w->is_quiet && world_chance(w, 300))
        harm(w);
    if (!w->is_quiet && world_chance(w, 4))
        begin_txn(w);
    for (uint32_t i = 0; i < w->tidb.txn_count; i++)
        move_txn(w, &w->tidb.txns[i]);
}

bool tidb_is_settled(const struct world *w)
{
    for (uint32_t i = 0; i < w->tidb.txn_count; i++) {
        if (w->tidb.txns[i].step != TXN_SETTLED)
            return false;
    }
    return true;
}

void tidb_repeat_doubtful(struct world *w)
{
    for (uint32_t i = 0; i < w->tidb.txn_count; i++) {
        struct txn *t = &w->tidb.txns[i];

        if (t->is_doubtful && t->step == TXN_SETTLED)
            t->step = TXN_FINISH;
        t->is_doubtful = false;
    }
}

struct txn *tidb_find(struct world *w, sl_ts start_ts)
{
    for (uint32_t i = 0; i < w->tidb.txn_count; i++) {
        if (w->tidb.txns[i].start_ts == start_ts)
            return &w->tidb.txns[i];
    }
    return NULL;
}
