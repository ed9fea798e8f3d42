/* resolver: finds out what became of prewrites whose outcome does not come, and whether rollbacks
 * are true, by asking TiKV (net/tikv.h). Lives only where there is TiKV.
 *
 *     sorter[k] ──orphans──► resolver ──► TiKV
 *        ▲                      │
 *        └── shard_writer[k] ◄──┘  a commit or rollback, marked SL_PUMP_VERIFIED
 *
 * What TiKV says becomes a record like any other: durable, then paired by the sorter, then indexed.
 * So recovery knows it too, and the prewrite counts as resolved no earlier than a reader can see
 * its commit. The sorter decides what is asked about and how often; the resolver has at most one
 * question at each sorter, and asks the next one when all that came of the last is durable.
 *
 * TiKV is only looked at, but for a transaction that is older than SL_RESOLVE_YOUNG_S by the
 * timestamp door, or that TiDB rolled back and of which SL_SORT_ROLLBACK_LOOKS look-ups found
 * neither lock nor record. Without an answer everything waits: nothing is guessed. */

#include <string.h>

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/ts.h"
#include "binlog/record.h"
#include "net/tikv.h"
#include "storage/large.h"
#include "storage/vlog_reader.h"

/* A prewrite that is being asked about. */
struct doubt {
    uint32_t              shard;
    struct sl_pump_orphan orphan;
    struct sl_buf        *key; /* owned; its primary key */
};

struct resolver {
    struct sl_pump        *pump;
    struct sl_tikv        *tikv;                        /* owned; NULL: not reached yet */
    uint64_t               checked;                     /* of its counts, told so far */
    struct sl_vlog_reader *readers[SL_PUMP_SHARDS_MAX]; /* owned */
    bool                   asks[SL_PUMP_SHARDS_MAX];    /* a question is with the sorter */
    uint32_t               writes[SL_PUMP_SHARDS_MAX];  /* not durable yet */
    uint32_t               count;
    struct doubt           doubts[SL_TIKV_QUESTIONS_MAX];
    /* Of one batch; here because a thread's stack is small. */
    struct sl_tikv_question questions[SL_TIKV_QUESTIONS_MAX];
    struct sl_tikv_verdict  verdicts[SL_TIKV_QUESTIONS_MAX];
};

/* ---- the sorters ---- */

static void ask_sorter(struct sl_ctx *ctx, struct resolver *r, uint32_t k)
{
    struct sl_msg *question;

    if (r->asks[k] || r->writes[k] > 0)
        return;
    question = sl_msg_alloc(sizeof *question, SL_PUMP_ASK_ORPHANS, NULL);
    if (sl_ask_msg(ctx, sl_line(ctx, SL_LINE_ORPHANS, 0), r->pump->shard[k].sorter_ref, k, question,
                   &question) != SL_OK)
        SL_UNREACHABLE("one question for each shard has its credit");
    r->asks[k] = true;
}

static void collect(struct resolver *r, const struct sl_pump_orphans *orphans)
{
    uint32_t k = (uint32_t)orphans->hdr.tag;

    r->asks[k] = false;
    for (uint32_t i = 0; i < orphans->count; i++) {
        SL_ASSERT(r->count < SL_TIKV_QUESTIONS_MAX);
        r->doubts[r->count++] = (struct doubt){.shard = k, .orphan = orphans->items[i]};
    }
}

/* ---- what is asked ---- */

/* The primary key, without the rest of the record, which may be large. */
/* The fields of a prewrite as the log has it: whole, or a reference to a file that holds its value,
 * with all the rest. */
static enum sl_err decode_prewrite(const struct sl_vlog_record *found, struct sl_record *out,
                                   struct sl_why *why)
{
    struct sl_large_record large;
    enum sl_err            err;

    if (found->type == SL_VLOG_PREWRITE)
        return sl_record_decode(found->payload, out, why);
    if (found->type != SL_VLOG_LARGE)
        return sl_fail(why, SL_INVALID, "it is no prewrite");
    err = sl_large_record_decode(found->payload, &large, why);
    return err == SL_OK ? sl_record_decode(large.rest, out, why) : err;
}

static enum sl_err read_key(struct resolver *r, struct doubt *d, struct sl_why *why)
{
    struct sl_vlog_record found;
    struct sl_record      record;
    struct sl_buf        *payload = NULL;
    enum sl_err           err;

    err = sl_vlog_reader_read(r->readers[d->shard], d->orphan.position, &found, &payload, why);
    if (err == SL_OK)
        err = decode_prewrite(&found, &record, why);
    if (err == SL_OK && record.prewrite_key.len == 0)
        err = sl_fail(why, SL_INVALID, "it has no primary key");
    if (err == SL_OK) {
        d->key = sl_buf_new(record.prewrite_key.len);
        memcpy(d->key->data, record.prewrite_key.bytes, record.prewrite_key.len);
    }
    sl_buf_free(&payload);
    return err;
}

static enum sl_tikv_permission permission(const struct sl_pump_orphan *orphan, sl_ts now)
{
    int64_t age_s = (sl_ts_physical_ms(now) - sl_ts_physical_ms(orphan->start_ts)) / 1000;

    if (age_s > SL_RESOLVE_YOUNG_S)
        return SL_TIKV_ROLL_BACK;
    return orphan->rolled_back && orphan->looks >= SL_SORT_ROLLBACK_LOOKS - 1
               ? SL_TIKV_ROLL_BACK_ABSENT
               : SL_TIKV_LOOK;
}

/* One line in so many look-ups. The first ones at a rollback are in vain as a rule. */
static bool is_told(const struct sl_pump_orphan *orphan)
{
    uint32_t first = orphan->rolled_back ? SL_SORT_ROLLBACK_LOOKS : 0;

    return orphan->looks % SL_RESOLVE_TELL == first;
}

static void tell_waiting(const struct doubt *d, const char *why)
{
    if (is_told(&d->orphan))
        sl_log(SL_LOG_WARN, "a transaction without outcome is waited for",
               sl_field_u64("shard", d->shard), sl_field_i64("start ts", d->orphan.start_ts),
               sl_field_bool("rolled back by TiDB", d->orphan.rolled_back),
               sl_field_str("reason", why));
}

/* The questions, as many as there are doubts left: one that cannot even be asked waits. */
static void prepare(struct resolver *r, sl_ts now)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < r->count; i++) {
        struct doubt  d = r->doubts[i];
        struct sl_why why = {0};

        if (read_key(r, &d, &why) != SL_OK) {
            tell_waiting(&d, why.text);
            continue;
        }
        r->questions[kept] = (struct sl_tikv_question){
            .primary = sl_slice_from_buf(d.key),
            .start_ts = d.orphan.start_ts,
            .current_ts = now,
            .may = permission(&d.orphan, now),
        };
        r->doubts[kept++] = d;
    }
    r->count = kept;
}

/* ---- what is answered ---- */

/* Without a credit now, the prewrite comes again. */
static void write_outcome(struct sl_ctx *ctx, struct resolver *r, const struct doubt *d,
                          int32_t type, sl_ts commit_ts)
{
    const struct sl_record record = {
        .type = type, .start_ts = d->orphan.start_ts, .commit_ts = commit_ts};
    struct sl_buf        *payload = sl_buf_new(sl_record_encoded_bytes(&record));
    struct sl_pump_write *write;

    SL_ASSERT(payload->len <= SL_PUMP_OUTCOME_BYTES_MAX);
    sl_record_encode(&record, payload->data);
    write = sl_pump_write_new(&payload, type, record.start_ts, commit_ts);
    write->verified = true;
    write->began = sl_now(ctx);
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_RESOLVE, 0), r->pump->shard[d->shard].writer_ref, d->shard,
               &write) == SL_OK)
        r->writes[d->shard]++;
    else
        sl_msg_free(&write);
}

/* In the words of the original, which are two: of one that could only be looked at, and of one that
 * had been without outcome for so long that TiKV had to decide. Rolled back: commit_ts is 0. What
 * TiDB has told otherwise is worth a warning. */
static void tell_settled(enum sl_log_level level, const struct doubt *d,
                         const struct sl_tikv_question *question, sl_ts commit_ts)
{
    sl_log(level,
           question->may == SL_TIKV_LOOK ? "known txn is committed or rollback from tikv"
                                         : "got commit status for unknown txn",
           sl_field_i64("start ts", d->orphan.start_ts), sl_field_i64("commit ts", commit_ts),
           sl_field_bool("rolled back by TiDB", d->orphan.rolled_back));
}

static void settle(struct sl_ctx *ctx, struct resolver *r, const struct doubt *d,
                   const struct sl_tikv_question *question, const struct sl_tikv_verdict *verdict)
{
    sl_ts start_ts = d->orphan.start_ts;

    switch (verdict->fate) {
    case SL_TIKV_COMMITTED:
        tell_settled(d->orphan.rolled_back ? SL_LOG_WARN : SL_LOG_INFO, d, question,
                     verdict->commit_ts);
        write_outcome(ctx, r, d, SL_RECORD_COMMIT, verdict->commit_ts);
        return;
    case SL_TIKV_ROLLED_BACK:
        tell_settled(d->orphan.rolled_back ? SL_LOG_DEBUG : SL_LOG_WARN, d, question, 0);
        write_outcome(ctx, r, d, SL_RECORD_ROLLBACK, 0);
        return;
    case SL_TIKV_LOCKED:
    case SL_TIKV_UNKNOWN:
        if (question->may == SL_TIKV_LOOK && is_told(&d->orphan))
            sl_log(SL_LOG_INFO, "Find no MVCC record for a young txn",
                   sl_field_i64("start ts", start_ts), sl_field_str("reason", verdict->why.text));
        else
            tell_waiting(d, verdict->why.text);
        return;
    }
}

static void count_checks(struct resolver *r)
{
    uint64_t checks = sl_tikv_counts(r->tikv).checks;

    sl_metric_add(r->pump->metrics.query_tikv, checks - r->checked);
    r->checked = checks;
}

/* Opened when there is something to ask: the pump starts without it. */
static enum sl_err reach_tikv(struct sl_ctx *ctx, struct resolver *r, struct sl_why *why)
{
    if (r->tikv != NULL)
        return SL_OK;
    return sl_tikv_open(sl_env(ctx), r->pump->options.pd_urls, &r->tikv, why);
}

static void ask_tikv(struct sl_ctx *ctx, struct resolver *r)
{
    sl_ts         now = atomic_load_explicit(&r->pump->board.newest_ts, memory_order_relaxed);
    struct sl_why why = {0};

    if (now == 0)
        return; /* how old they are cannot be said yet */
    if (reach_tikv(ctx, r, &why) != SL_OK) {
        for (uint32_t i = 0; i < r->count; i++)
            tell_waiting(&r->doubts[i], why.text);
        return;
    }
    prepare(r, now);
    if (r->count == 0)
        return;
    sl_tikv_status_ask(r->tikv, r->questions, r->count, SL_RESOLVE_MS * (sl_nanos)SL_NANOS_PER_MS,
                       r->verdicts);
    for (uint32_t i = 0; i < r->count; i++)
        settle(ctx, r, &r->doubts[i], &r->questions[i], &r->verdicts[i]);
    count_checks(r);
}

/* ---- hooks ---- */

static enum sl_err resolver_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct resolver           *r = self;

    r->pump = a->pump;
    for (uint32_t k = 0; k < r->pump->options.shards; k++) {
        r->readers[k] = sl_vlog_reader_new(&r->pump->vlog_options[k]);
        ask_sorter(ctx, r, k);
    }
    return SL_OK;
}

/* A record that was refused: its prewrite comes again. */
static void write_done(struct sl_ctx *ctx, struct resolver *r, uint32_t k)
{
    SL_ASSERT(r->writes[k] > 0);
    r->writes[k]--;
    ask_sorter(ctx, r, k);
}

static enum sl_err resolver_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct resolver *r = self;

    switch (msg->type) {
    case SL_PUMP_ORPHANS:
        collect(r, (const struct sl_pump_orphans *)(const void *)msg);
        return SL_OK;
    case SL_PUMP_FAILED:
        sl_log(SL_LOG_ERROR, "an outcome cannot be written",
               sl_field_str("error", ((struct sl_pump_failed *)(void *)msg)->why.text));
        write_done(ctx, r, (uint32_t)msg->tag);
        return SL_OK;
    case SL_PUMP_WRITTEN: write_done(ctx, r, (uint32_t)msg->tag); return SL_OK;
    default: SL_UNREACHABLE("no message of the resolver");
    }
}

/* All that has come goes into one batch. */
static enum sl_err resolver_drained(struct sl_ctx *ctx, void *self)
{
    struct resolver *r = self;

    if (r->count == 0)
        return SL_OK;
    ask_tikv(ctx, r);
    while (r->count > 0)
        sl_buf_free(&r->doubts[--r->count].key);
    for (uint32_t k = 0; k < r->pump->options.shards; k++)
        ask_sorter(ctx, r, k);
    return SL_OK;
}

static enum sl_err resolver_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    return SL_OK; /* GONE: the pump is stopping */
}

static void resolver_stop(struct sl_ctx *ctx, void *self)
{
    struct resolver *r = self;

    (void)ctx;
    while (r->count > 0)
        sl_buf_free(&r->doubts[--r->count].key);
    for (uint32_t k = 0; k < SL_PUMP_SHARDS_MAX; k++)
        sl_vlog_reader_free(&r->readers[k]);
    sl_tikv_free(&r->tikv);
}

const struct sl_actor_class sl_pump_resolver_class = {
    .name = "resolver",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct resolver),
    .questions_max = SL_PUMP_SHARDS_MAX + SL_PUMP_RESOLVE_CREDITS,
    .start = resolver_start,
    .handle = resolver_handle,
    .system = resolver_system,
    .drained = resolver_drained,
    .stop = resolver_stop,
};
