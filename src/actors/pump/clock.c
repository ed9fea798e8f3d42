/* clock: owns the timestamp door of the pump. Knows the newest timestamp, answers who asks for a
 * fresh one, and keeps an idle pump's readers going: when the pump's newest commit ts has not
 * risen for one interval, it writes a fake at a fresh timestamp, as a record like any other. (The
 * original counts any call as activity, so that a pump that refuses everything makes none.)
 *
 * Fakes are rare, because they are stored. While somebody reads and nothing is committed, a fresh
 * timestamp goes to the sorters every SL_PUMP_TIDE_MS as a mark: readers then hear that all up to
 * it is complete. That is as good as a durable commit ts: every prewrite that was acknowledged
 * before the timestamp was fetched is in its sorter's mailbox before the mark, and every later one
 * commits above it. Only a fake of our own, which has its timestamp before it is written, would be
 * overtaken: there is no mark while one is on its way. */

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/record.h"
#include "net/cluster.h"

struct clock {
    struct sl_pump    *pump;
    struct sl_cluster *cluster; /* owned */
    struct sl_tso     *tso;
    struct sl_timer    fake;
    struct sl_timer    refresh;
    sl_ts              seen;  /* newest commit ts at the last look */
    uint32_t           asked; /* fakes whose answer has not come */
    struct sl_timer    tide;
    sl_ts              ebb; /* newest commit ts at the last mark */
};

static enum sl_err fresh(struct sl_ctx *ctx, struct clock *c, sl_ts *out, struct sl_why *why)
{
    enum sl_err err = sl_tso_now(c->tso, 1, out, why);

    if (err != SL_OK)
        return err;
    atomic_store_explicit(&c->pump->board.newest_at, sl_now(ctx), memory_order_relaxed);
    atomic_store_explicit(&c->pump->board.newest_ts, *out, memory_order_relaxed);
    return SL_OK;
}

/* The newest timestamp that anybody can know: a fresh one or, where the replay that drives the door
 * leaves no room, how far it has come. Nobody could ask for room: the replay may wait for us. */
static enum sl_err newest(struct sl_ctx *ctx, struct clock *c, sl_ts *out, struct sl_why *why)
{
    struct sl_tso_drive_info drive;
    enum sl_err              err = fresh(ctx, c, out, why);

    if (err != SL_AGAIN || (err = sl_tso_drive_info(c->tso, &drive, why)) != SL_OK)
        return err;
    if (!drive.running) /* any more */
        return fresh(ctx, c, out, why);
    *out = drive.floor;
    if (*out < atomic_load_explicit(&c->pump->board.newest_ts, memory_order_relaxed))
        return SL_OK;
    atomic_store_explicit(&c->pump->board.newest_at, sl_now(ctx), memory_order_relaxed);
    atomic_store_explicit(&c->pump->board.newest_ts, *out, memory_order_relaxed);
    return SL_OK;
}

static void write_fake(struct sl_ctx *ctx, struct clock *c)
{
    struct sl_record      record;
    struct sl_buf        *payload;
    struct sl_pump_write *write;
    struct sl_why         why = {0};
    sl_ts                 ts;
    uint32_t              k;
    enum sl_err           err = fresh(ctx, c, &ts, &why);

    if (err == SL_AGAIN)
        return; /* a replay leaves no room now */
    if (err != SL_OK) {
        sl_log(SL_LOG_ERROR, "write fake binlog failed", sl_field_err(err, &why));
        return;
    }
    record = sl_record_fake(ts);
    payload = sl_buf_new(sl_record_encoded_bytes(&record));
    sl_record_encode(&record, payload->data);
    write = sl_pump_write_new(&payload, record.type, ts, ts);
    write->began = sl_now(ctx);
    k = sl_pump_shard_of(c->pump, ts);
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_FAKE, 0), c->pump->shard[k].writer_ref, 0, &write) ==
        SL_OK)
        c->asked++;
    else
        sl_msg_free(&write); /* earlier ones are on their way */
}

static void look(struct sl_ctx *ctx, struct clock *c)
{
    sl_ts newest = atomic_load_explicit(&c->pump->board.newest_commit, memory_order_relaxed);

    bool closing =
        atomic_load_explicit(&c->pump->board.state, memory_order_relaxed) == SL_NODE_CLOSING;

    if ((closing || newest <= c->seen) && c->asked < SL_PUMP_FAKE_CREDITS)
        write_fake(ctx, c);
    c->seen = atomic_load_explicit(&c->pump->board.newest_commit, memory_order_relaxed);
    sl_timer_arm(ctx, &c->fake, SL_PUMP_TICK,
                 closing ? SL_PUMP_LEAVE_MS : c->pump->options.fake_interval_ms);
}

static void refresh(struct sl_ctx *ctx, struct clock *c)
{
    struct sl_why why = {0};
    sl_ts         ts;
    enum sl_err   err = newest(ctx, c, &ts, &why);

    if (err != SL_OK)
        sl_log(SL_LOG_ERROR, "fail to get tso from pd", sl_field_err(err, &why));
    sl_timer_arm(ctx, &c->refresh, SL_PUMP_DUE, SL_PUMP_CLOCK_MS);
}

static void send_mark(struct sl_ctx *ctx, struct clock *c, sl_ts ts)
{
    for (uint32_t k = 0; k < c->pump->options.shards; k++) {
        struct sl_pump_mark *mark = sl_msg_new(struct sl_pump_mark, SL_PUMP_MARK);

        mark->newest = ts;
        if (sl_send(ctx, sl_line(ctx, SL_LINE_TIDE, 0), c->pump->shard[k].sorter_ref, &mark) !=
            SL_OK)
            sl_msg_free(&mark); /* the last one is still on its way */
    }
}

/* Goes on as long as somebody reads. */
static void tide(struct sl_ctx *ctx, struct clock *c)
{
    sl_ts newest = atomic_load_explicit(&c->pump->board.newest_commit, memory_order_relaxed);
    const uint32_t asked = c->pump->options.tide_ms;
    const uint32_t tide_ms = asked != 0 ? asked : SL_PUMP_TIDE_MS;
    sl_ts          ts;

    if (atomic_load_explicit(&c->pump->board.pullers, memory_order_relaxed) == 0)
        return;
    if (newest <= c->ebb && c->asked == 0 && fresh(ctx, c, &ts, NULL) == SL_OK)
        send_mark(ctx, c, ts);
    c->ebb = newest;
    sl_timer_arm(ctx, &c->tide, SL_PUMP_RETRY, tide_ms);
}

static void answer(struct sl_ctx *ctx, struct clock *c, struct sl_msg *question)
{
    struct sl_asker asker = sl_asker_of(question);
    struct sl_why   why = {0};
    sl_ts           ts;
    enum sl_err     err = newest(ctx, c, &ts, &why);

    if (err == SL_OK) {
        struct sl_pump_ts *told = sl_msg_new(struct sl_pump_ts, SL_PUMP_TS);

        told->ts = ts;
        sl_reply(ctx, asker, &told);
    } else {
        struct sl_pump_failed *failed = sl_pump_failed_new(err, &why);

        sl_reply(ctx, asker, &failed);
    }
}

/* ---- hooks ---- */

static enum sl_err clock_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct clock              *c = self;
    enum sl_err                err;

    c->pump = a->pump;
    if ((err = sl_cluster_open(sl_env(ctx), a->pump->options.pd_urls, &c->cluster, sl_why(ctx))) !=
        SL_OK)
        return err;
    c->tso = sl_cluster_tso(c->cluster);
    refresh(ctx, c);
    sl_timer_arm(ctx, &c->fake, SL_PUMP_TICK, c->pump->options.fake_interval_ms);
    return SL_OK;
}

/* The clock looks more often while the pump leaves; it hears of that at its next refresh. */
static void hasten(struct sl_ctx *ctx, struct clock *c)
{
    if (atomic_load_explicit(&c->pump->board.state, memory_order_relaxed) == SL_NODE_CLOSING)
        look(ctx, c);
}

static enum sl_err clock_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct clock *c = self;

    switch (msg->type) {
    case SL_PUMP_TICK: look(ctx, c); return SL_OK;
    case SL_PUMP_DUE:
        refresh(ctx, c);
        hasten(ctx, c);
        if (!sl_timer_armed(&c->tide))
            tide(ctx, c);
        return SL_OK;
    case SL_PUMP_RETRY: tide(ctx, c); return SL_OK;
    case SL_PUMP_ASK_TS: answer(ctx, c, msg); return SL_OK;
    case SL_PUMP_WRITTEN: c->asked--; return SL_OK;
    case SL_PUMP_FAILED:
        c->asked--;
        sl_log(SL_LOG_ERROR, "write fake binlog failed",
               sl_field_str("error", ((struct sl_pump_failed *)(void *)msg)->why.text));
        return SL_OK;
    default: SL_UNREACHABLE("no message of the clock");
    }
}

static enum sl_err clock_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    return SL_OK; /* GONE: the pump is stopping, and the fake with it */
}

static void clock_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    sl_cluster_free(&((struct clock *)self)->cluster);
}

const struct sl_actor_class sl_pump_clock_class = {
    .name = "clock",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct clock),
    .questions_max = SL_PUMP_FAKE_CREDITS,
    .timers_max = 3,
    .start = clock_start,
    .handle = clock_handle,
    .system = clock_system,
    .stop = clock_stop,
};
