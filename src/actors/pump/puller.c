/* puller: one stream of PullBinlogs (pump spec 1.5).
 *
 *   session ─NEXT─► puller ─WATCH─► indexer[k]
 *           ◄BATCH─   │    ◄WATERMARK─
 *                     └─ reads index and log of all shards (pull_stream.h)
 *
 * It works only when it is asked, as far as the watermarks it was told; what nobody has asked for
 * waits on the disk. A shard that has been read up to its watermark is watched for a higher one.
 *
 * When there is nothing to send and the watermark is ahead of what was sent, its reader, which
 * merges pumps, would hold all of them up: it gets an unstored fake at the watermark. At once when
 * it is SL_PULL_FAKE_MS behind by the timestamps, else when that time has passed: so there are few
 * of them, and the last word always reaches the reader.
 *
 * Ends by an error when a record cannot be read; the session then ends the stream with status OK,
 * and the reader comes back with the last commit ts it has. */

#include "actors/pump/puller.h"

#include "actors/pump/messages.h"
#include "actors/pump/pull_stream.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/actor.h"

struct puller {
    struct sl_pump    *pump;
    char               peer[SL_PULL_PEER_BYTES_MAX];
    struct pull_stream stream;
    sl_ts              after;                     /* where it began */
    struct sl_msg     *waiting[SL_PULL_AHEAD];    /* owned: NEXT, oldest first */
    uint32_t           waiting_count;             /* of them */
    bool               asked[SL_PUMP_SHARDS_MAX]; /* WATCH is out */
    bool               is_line_full;              /* SL_MSG_OPEN will come */
    struct sl_timer    due;       /* armed while the reader is behind the watermark and waits */
    bool               is_due;    /* it has been behind for long enough */
    struct sl_timer    retry;     /* armed after SL_AGAIN */
    sl_nanos           warned_at; /* 0: never: that the reader is ahead of the pump */
};

/* ---- watching ---- */

static void watch(struct sl_ctx *ctx, struct puller *p, uint32_t k)
{
    struct sl_line       *line = sl_line(ctx, SL_LINE_WATCH, 0);
    struct sl_pump_watch *question;
    enum sl_err           err;

    if (p->asked[k] || p->is_line_full || !pull_shard_is_dry(&p->stream.shards[k]))
        return;
    question = sl_msg_new(struct sl_pump_watch, SL_PUMP_WATCH);
    question->above = p->stream.shards[k].watermark;
    err = sl_ask(ctx, line, p->pump->shard[k].indexer_ref, k, &question);
    p->asked[k] = err == SL_OK;
    if (err == SL_OK)
        return;
    /* Questions of pullers that are no more keep their credits until they are answered. */
    sl_msg_free(&question);
    p->is_line_full = true;
    sl_line_wait(ctx, line, 0, 0);
}

/* The reader knows more than this pump has: it waits, and somebody should know. */
static void warn_if_ahead(struct sl_ctx *ctx, struct puller *p)
{
    sl_ts    least = INT64_MAX;
    sl_nanos now = sl_now(ctx);

    for (uint32_t k = 0; k < p->stream.shard_count; k++) {
        if (p->stream.shards[k].watermark < least)
            least = p->stream.shards[k].watermark;
    }
    if (least < 0 || least >= p->after) /* not all told yet; or all is well */
        return;
    if (p->warned_at != 0 && now - p->warned_at < SL_PULL_WARN_MS * (sl_nanos)SL_NANOS_PER_MS)
        return;
    p->warned_at = now;
    sl_log(SL_LOG_WARN, "last ts is greater than pump's max commit ts",
           sl_field_i64("last_ts", p->after), sl_field_i64("max_commit_ts", least),
           sl_field_str("peer", p->peer));
}

static void take_watermark(struct sl_ctx *ctx, struct puller *p,
                           const struct sl_pump_watermark *told)
{
    uint32_t k = (uint32_t)told->hdr.tag;

    SL_ASSERT(k < p->stream.shard_count && p->asked[k]);
    p->asked[k] = false;
    pull_shard_allow(&p->stream.shards[k], told->watermark, told->log_end);
    warn_if_ahead(ctx, p);
}

/* ---- sending ---- */

static void answer(struct sl_ctx *ctx, struct puller *p, struct sl_pump_batch **batch)
{
    struct sl_msg  *question = p->waiting[0];
    struct sl_asker asker = sl_asker_of(question);

    p->waiting_count--;
    for (uint32_t i = 0; i < p->waiting_count; i++)
        p->waiting[i] = p->waiting[i + 1];
    sl_msg_discard(question, &question);
    sl_reply(ctx, asker, batch);
    sl_timer_disarm(ctx, &p->due);
    p->is_due = false;
}

/* There is nothing to send: a fake, if it is time for one. */
static void add_fake(struct sl_ctx *ctx, struct puller *p, struct sl_pump_batch *batch)
{
    sl_ts   watermark = pull_stream_watermark(&p->stream);
    int64_t behind_ms = sl_ts_physical_ms(watermark) - sl_ts_physical_ms(p->stream.sent);

    if (watermark <= p->stream.sent)
        return;
    if (p->is_due || behind_ms > SL_PULL_FAKE_MS)
        batch->entities[batch->count++] = pull_stream_fake(&p->stream);
    else if (!sl_timer_armed(&p->due))
        sl_timer_arm(ctx, &p->due, SL_PUMP_DUE, SL_PULL_FAKE_MS);
}

/* Answer the oldest question; *sent: it was answered. */
static enum sl_err send_batch(struct sl_ctx *ctx, struct puller *p, bool *sent)
{
    struct sl_pump_batch *batch = sl_pump_batch_new();
    enum sl_err           err = pull_stream_next(&p->stream, batch->entities, &batch->count,
                                                 &batch->pieces_of, sl_why(ctx));

    if (err == SL_OK && batch->count == 0)
        add_fake(ctx, p, batch);
    *sent = batch->count > 0;
    if (*sent)
        answer(ctx, p, &batch);
    else
        sl_msg_free(&batch);
    return err;
}

/* The log says it here, since nobody else will: the reader hears of the end alone. */
static enum sl_err give_up(struct puller *p, enum sl_err err, const struct sl_why *why)
{
    if (err == SL_CORRUPT || err == SL_IO)
        sl_metric_add(p->pump->metrics.errors[SL_PUMP_ERROR_READ_VALUE], 1);
    sl_log(SL_LOG_ERROR, "pull binlogs ended", sl_field_str("peer", p->peer),
           sl_field_i64("last_ts", p->stream.sent), sl_field_err(err, why));
    return err;
}

/* All mail has been read: send as much as was asked for, then watch what has run dry. */
static enum sl_err serve(struct sl_ctx *ctx, void *self)
{
    struct puller *p = self;
    enum sl_err    err = SL_OK;
    bool           sent = true;

    while (err == SL_OK && sent && p->waiting_count > 0)
        err = send_batch(ctx, p, &sent);
    if (err == SL_AGAIN)
        sl_timer_arm(ctx, &p->retry, SL_PUMP_RETRY, SL_PULL_FAKE_MS);
    else if (err != SL_OK)
        return give_up(p, err, sl_why(ctx));
    for (uint32_t k = 0; k < p->stream.shard_count; k++)
        watch(ctx, p, k);
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pull_args *a = args;
    struct puller             *p = self;
    sl_ts                      gc_ts;
    enum sl_err                err;

    p->pump = a->pump;
    memcpy(p->peer, a->peer, sizeof p->peer);
    p->peer[sizeof p->peer - 1] = '\0';
    p->after = a->after > 0 ? a->after : 0;
    gc_ts = atomic_load_explicit(&p->pump->board.gc_ts, memory_order_relaxed);
    if (p->after < gc_ts) {
        atomic_fetch_add_explicit(&p->pump->board.pull_purged, 1, memory_order_relaxed);
        sl_log(SL_LOG_ERROR, "drainer request a purged binlog TS, some binlog events may be loss",
               sl_field_str("peer", p->peer), sl_field_i64("last_ts", a->after),
               sl_field_i64("gc_ts", gc_ts));
        p->after = gc_ts;
    }
    err = pull_stream_open(&p->stream, p->pump, p->after, p->peer, sl_why(ctx));
    return err == SL_OK ? serve(ctx, p) : give_up(p, err, sl_why(ctx));
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct puller               *p = self;
    const struct sl_pump_failed *failed;

    switch (msg->type) {
    case SL_PUMP_NEXT:
        SL_ASSERT(p->waiting_count < SL_PULL_AHEAD);
        p->waiting[p->waiting_count++] = sl_take(ctx);
        return SL_OK;
    case SL_PUMP_WATERMARK:
        take_watermark(ctx, p, (const struct sl_pump_watermark *)(const void *)msg);
        return SL_OK;
    case SL_PUMP_FAILED:
        failed = (const struct sl_pump_failed *)(const void *)msg;
        *sl_why(ctx) = failed->why;
        return give_up(p, failed->err, &failed->why);
    case SL_PUMP_DUE: p->is_due = true; return SL_OK;
    case SL_PUMP_RETRY: return SL_OK; /* serve follows */
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

static enum sl_err system_message(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct puller *p = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_OPEN: p->is_line_full = false; return SL_OK;
    case SL_MSG_GONE:
        return give_up(
            p, SL_GONE,
            (sl_fail(sl_why(ctx), SL_GONE, "the indexer of shard %u has ended", (unsigned)msg->tag),
             sl_why(ctx)));
    case SL_MSG_CHILD_ENDED:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("not expected by a puller");
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct puller *p = self;

    (void)ctx;
    for (uint32_t i = 0; i < p->waiting_count; i++)
        sl_msg_discard(p->waiting[i], &p->waiting[i]); /* the session hears SL_MSG_GONE */
    pull_stream_close(&p->stream);
}

const struct sl_actor_class sl_pump_puller_class = {
    .name = "puller",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct puller),
    .questions_max = SL_PUMP_SHARDS_MAX,
    .waits_max = 1,
    .timers_max = 2,
    .start = start,
    .handle = handle,
    .system = system_message,
    .drained = serve,
    .stop = stop,
};
