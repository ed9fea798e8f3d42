/* A drainer: pulls, checks what it gets against what the model TiDB wrote, is slow, goes away and
 * comes back with the last commit ts it has. */

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "pump.pb-c.h"
#include "sim/pump_world.h"
#include "binlog/message.h"

/* ---- checks ---- */

static void check_bytes(struct drainer *d, struct sl_buf *wanted, const struct sl_buf *got,
                        sl_ts ts)
{
    if (!sl_slice_equal(sl_slice_from_buf(wanted), sl_slice_from_buf(got)))
        world_blame(d->world, P8_WHOLE_OR_NOT_AT_ALL,
                    "entity of commit ts %" PRId64 ": %zu bytes instead of %zu, or others", ts,
                    got->len, wanted->len);
    sl_buf_free(&wanted);
}

static void check_transaction(struct drainer *d, const struct sl_buf *got, sl_ts start_ts, sl_ts ts)
{
    struct txn *t = tidb_find(d->world, start_ts);

    if (t == NULL || !t->commits || t->commit_ts != ts) {
        world_blame(d->world, P3_WHOLE_TRANSACTIONS,
                    "start ts %" PRId64 ", commit ts %" PRId64 ": nobody committed that", start_ts,
                    ts);
        return;
    }
    check_bytes(d, tidb_entity(t), got, ts);
    if ((t->seen & 1u << d->index) != 0)
        world_blame(d->world, P2_ORDER_ASCENDS, "commit ts %" PRId64 " came twice", ts);
    t->seen |= 1u << d->index;
    d->transactions++;
}

static void check_entity(struct drainer *d, const struct sl_buf *got)
{
    Sluice__PullBinlogResp *resp = sluice__pull_binlog_resp__unpack(NULL, got->len, got->data);
    sl_ts                   start_ts;
    sl_ts                   ts;

    if (resp == NULL || resp->entity == NULL || resp->entity->meta == NULL) {
        world_blame(d->world, P8_WHOLE_OR_NOT_AT_ALL, "%zu bytes are no entity", got->len);
        return;
    }
    start_ts = resp->entity->meta->start_ts;
    ts = resp->entity->meta->commit_ts;
    sluice__pull_binlog_resp__free_unpacked(resp, NULL);
    if (ts <= d->last)
        world_blame(d->world, P2_ORDER_ASCENDS, "commit ts %" PRId64 " after %" PRId64, ts,
                    d->last);
    d->last = ts;
    if (start_ts == ts)
        check_bytes(d, tidb_fake_entity(ts), got, ts);
    else
        check_transaction(d, got, start_ts, ts);
}

/* ---- the stream ---- */

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    check_entity(context, *message);
    sl_grpc_consume(call, (*message)->len);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct drainer *d = context;

    (void)call, (void)status, (void)text;
    d->call = NULL;
}

static const struct sl_grpc_events events = {.message = on_message, .over = on_over};

static void begin(struct drainer *d)
{
    struct sl_buf *request;
    struct sl_why  why;

    if (sl_grpc_call(d->link.grpc, "/binlog.Pump/PullBinlogs", SL_GRPC_NEVER, &events, d, &d->call,
                     &why) != SL_OK)
        return;
    request = sl_message_pull(WORLD_CLUSTER_ID, d->last);
    if (sl_grpc_send(d->call, &request) == SL_OK) {
        sl_grpc_half_close(d->call);
    } else {
        sl_grpc_cancel(d->call);
        d->call = NULL;
    }
    sl_buf_free(&request);
}

static void harm(struct world *w, struct drainer *d)
{
    switch (sl_prng_below(&w->dice, 4)) {
    case 0: link_lose(&d->link); return;
    case 1: sl_env_sim_reset(w->sim, layer_below(d->link.socket)); return;
    case 2:
        if (d->call != NULL)
            sl_grpc_cancel(d->call);
        d->call = NULL;
        return;
    default: d->link.due = world_after_ms(w, 1, 1000); return; /* slow */
    }
}

void drainer_move(struct world *w, struct drainer *d)
{
    if (!d->is_on)
        return;
    link_move(w, &d->link);
    if (d->link.connected && d->call == NULL)
        begin(d);
    if (!w->is_quiet && d->link.socket != NULL && world_chance(w, 200))
        harm(w, d);
}
