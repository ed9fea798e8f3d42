/* shard_writer[k]: makes the records of one shard durable, in the order in which they came.
 *
 * Natural group commit: what is in the mailbox when the last sync returns goes out as one write and
 * one sync. Then, for the whole batch, in this order: each record is forwarded to the sorter, other
 * shards are told the newest commit ts, and only then the askers hear that it is durable: a
 * prewrite is in the sorter's mailbox before its acknowledgement leaves (P4).
 *
 * A failed write or sync is final for the open log. The writer closes it and opens it again, which
 * says what of the batch is on the disk after all: that is forwarded and answered as written, the
 * rest is refused (P7, P8). While the log cannot be opened, every record is refused, and opening
 * is tried again at intervals; the batch that failed is kept, because some of it may be found when
 * the log opens: the sorter must hear of that, as the next start would.
 *
 * A large entity comes as a reference to its file, which must know for good where its record is
 * before the sorter hears of it: from then on a checkpoint of the index may pass the record, and
 * the next start would take the file for one that nobody refers to. If that cannot be written, the
 * pump ends: the next start reads the record and tries again. */

#include <inttypes.h>
#include <string.h>

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/sort_core.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/record.h"

struct writer {
    struct sl_pump       *pump;
    struct sl_pump_shard *shard;
    uint32_t              k;
    struct sl_pump_write *batch[SL_PUMP_BATCH_ITEMS]; /* owned; taken in, not durable */
    uint32_t              count;
    bool                  answered;  /* the batch failed and was refused; see reopen */
    uint64_t              bytes;     /* in the log */
    uint64_t              bytes_max; /* of a batch of more than one */
    uint64_t              end;       /* of the log: all before it was forwarded */
    sl_ts                 told;      /* newest commit ts that the other shards were told */
    struct sl_timer       idle;
    struct sl_timer       reopen;
    /* Of append, here because a thread's stack is small. */
    struct sl_vlog_record records[SL_PUMP_BATCH_ITEMS];
    struct sl_position    positions[SL_PUMP_BATCH_ITEMS];
};

/* ---- what follows from a durable record ---- */

/* Raise the pump's newest durable commit ts. A value that is too low is safe wherever it is read:
 * it makes bounds lower. */
static void raise_newest(struct sl_pump_board *board, sl_ts to)
{
    int64_t now = atomic_load_explicit(&board->newest_commit, memory_order_relaxed);

    while (now < to &&
           !atomic_compare_exchange_weak_explicit(&board->newest_commit, &now, to,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* Tell the sorters of the other shards; when the line is full, in the idle moment. */
static void tell_newest(struct sl_ctx *ctx, struct writer *w)
{
    sl_ts newest = atomic_load_explicit(&w->pump->board.newest_commit, memory_order_relaxed);

    if (newest <= w->told)
        return;
    for (uint32_t k = 0; k < w->pump->options.shards; k++) {
        struct sl_pump_mark *mark;

        if (k == w->k)
            continue;
        mark = sl_msg_new(struct sl_pump_mark, SL_PUMP_MARK);
        mark->newest = newest;
        if (sl_send(ctx, sl_line(ctx, SL_LINE_MARK, w->k), w->pump->shard[k].sorter_ref, &mark) !=
            SL_OK) {
            sl_msg_free(&mark);
            sl_timer_arm(ctx, &w->idle, SL_PUMP_TICK, SL_PUMP_WRITER_IDLE_MS);
            return;
        }
    }
    w->told = newest;
}

/* The file of a reference, which was encoded by the spooler. */
static struct sl_large_ref file_of(const struct sl_pump_write *write)
{
    struct sl_large_record record;
    enum sl_err err = sl_large_record_decode(sl_slice_from_buf(write->payload), &record, NULL);

    SL_ASSERT(write->is_large && err == SL_OK);
    return record.ref;
}

/* The first `count` of the batch are durable at their positions: their files have to know it. */
static enum sl_err mark_large(struct writer *w, uint32_t count, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (uint32_t i = 0; i < count && err == SL_OK; i++) {
        struct sl_large_ref ref;

        if (!w->batch[i]->is_large)
            continue;
        ref = file_of(w->batch[i]);
        err = sl_large_mark(w->pump->vlog_options[w->k].fs, w->pump->large_dir[w->k], &ref,
                            w->positions[i].offset, why);
    }
    return err;
}

/* The record is certainly not in the log. After SL_IO it may be found there yet: the next start
 * decides. */
static void drop_large(const struct writer *w, const struct sl_pump_write *write, enum sl_err err)
{
    struct sl_large_ref ref;

    if (!write->is_large || (err != SL_NOSPACE && err != SL_TOO_LARGE))
        return;
    ref = file_of(write);
    sl_large_unlink(w->pump->vlog_options[w->k].fs, w->pump->large_dir[w->k], &ref);
}

/* How long the first `count` of the batch took. The slowest is told of for all of them. */
static void measure(struct sl_ctx *ctx, const struct writer *w, uint32_t count)
{
    const struct sl_pump_write *slowest = NULL;
    sl_nanos                    now = sl_env_now(sl_env(ctx));

    for (uint32_t i = 0; i < count; i++) {
        const struct sl_pump_write *write = w->batch[i];

        sl_metric_observe(w->pump->metrics.write_seconds[SL_PUMP_PART_SINGLE],
                          (double)(now - write->began) / (double)SL_NANOS_PER_S);
        if (slowest == NULL || write->began < slowest->began)
            slowest = write;
    }
    if (slowest == NULL || w->pump->options.slow_write == 0 ||
        now - slowest->began <= w->pump->options.slow_write)
        return;
    sl_log(SL_LOG_WARN, "take a long time to write binlog", sl_field_u64("shard", w->k),
           sl_field_nanos("took", now - slowest->began),
           sl_field_i64("start_ts", slowest->start_ts),
           sl_field_i64("commit_ts", slowest->commit_ts), sl_field_u64("bytes", w->bytes),
           sl_field_u64("records", w->count));
}

/* The first `count` of the batch are durable at their positions. */
static void acknowledge(struct sl_ctx *ctx, struct writer *w, uint32_t count)
{
    struct sl_asker askers[SL_PUMP_BATCH_ITEMS];
    uint32_t        askers_count = w->answered ? 0 : count;
    sl_ts           newest = 0;

    measure(ctx, w, askers_count);
    for (uint32_t i = 0; i < count; i++) {
        struct sl_pump_write *write = w->batch[i];

        if (!w->answered)
            askers[i] = sl_asker_of(&write->hdr);
        sl_buf_free(&write->payload);
        write->position = w->positions[i];
        if (write->type != SL_RECORD_PREWRITE && write->commit_ts > newest)
            newest = write->commit_ts;
        w->end = w->positions[i].offset + w->positions[i].bytes;
        sl_forward(ctx, w->shard->sorter_ref, SL_PUMP_SORT, &w->batch[i]);
    }
    raise_newest(&w->pump->board, newest);
    tell_newest(ctx, w);
    for (uint32_t i = 0; i < askers_count; i++) {
        struct sl_msg *written = sl_msg_new(struct sl_msg, SL_PUMP_WRITTEN);

        sl_reply_msg(ctx, askers[i], written, &written);
    }
}

static void refuse(struct sl_ctx *ctx, struct writer *w, struct sl_pump_write *write,
                   enum sl_err err, const struct sl_why *why)
{
    struct sl_pump_failed *failed = sl_pump_failed_new(err, why);

    sl_metric_add(w->pump->metrics.errors[SL_PUMP_ERROR_WRITE_BINLOG], 1);
    sl_wrap(&failed->why, err, "write to disk failed");
    sl_reply(ctx, sl_asker_of(&write->hdr), &failed);
}

/* The batch from here on is not in the log and never will be. */
static void give_up(struct sl_ctx *ctx, struct writer *w, uint32_t from, enum sl_err err,
                    const struct sl_why *why)
{
    for (uint32_t i = from; i < w->count; i++) {
        if (!w->answered)
            refuse(ctx, w, w->batch[i], err, why);
        drop_large(w, w->batch[i], err);
        sl_msg_free(&w->batch[i]);
    }
}

static void new_batch(struct writer *w)
{
    w->count = 0;
    w->bytes = 0;
    w->answered = false;
}

/* ---- a log that failed ---- */

struct reopening {
    struct writer *writer;
    uint32_t       found; /* of the batch */
};

/* What the log holds beyond the last acknowledged record is the beginning of the failed batch: it
 * was written as one piece. */
static enum sl_err match(void *context, const struct sl_vlog_found *found)
{
    struct reopening            *r = context;
    struct writer               *w = r->writer;
    const struct sl_pump_write  *write;
    const struct sl_vlog_record *record = &found->record;

    if (found->position.offset < w->end)
        return SL_OK;
    SL_ASSERT(r->found < w->count);
    write = w->batch[r->found];
    SL_ASSERT(record->start_ts == (uint64_t)write->start_ts);
    SL_ASSERT(sl_slice_equal(record->payload, sl_slice_from_buf(write->payload)));
    w->positions[r->found++] = found->position;
    return SL_OK;
}

/* written: the present batch may be in the log, at least in part. */
static enum sl_err reopen(struct sl_ctx *ctx, struct writer *w, bool written)
{
    struct reopening r = {.writer = w};
    struct sl_why    why = {0};
    enum sl_err      err;

    sl_vlog_close(&w->shard->vlog);
    err = sl_vlog_open(&w->pump->vlog_options[w->k], w->end, match, &r, &w->shard->vlog, &why);
    atomic_store_explicit(&w->pump->board.broken[w->k], err != SL_OK, memory_order_relaxed);
    if (err != SL_OK) {
        sl_log(SL_LOG_ERROR, "value log cannot be opened again, writes are refused",
               sl_field_u64("shard", w->k), sl_field_err(err, &why));
        for (uint32_t i = 0; i < w->count && written; i++)
            refuse(ctx, w, w->batch[i], err, &why);
        w->answered = w->answered || written;
        sl_timer_arm(ctx, &w->reopen, SL_PUMP_RETRY, SL_PUMP_REOPEN_MS);
        return SL_OK;
    }
    sl_log(SL_LOG_WARN, "value log was opened again after a failure", sl_field_u64("shard", w->k),
           sl_field_u64("found", r.found));
    if (written || w->answered) {
        if ((err = mark_large(w, r.found, sl_why(ctx))) != SL_OK)
            return err;
        acknowledge(ctx, w, r.found);
        give_up(ctx, w, r.found, SL_IO, NULL);
        new_batch(w);
    }
    return SL_OK;
}

/* ---- a batch ---- */

static void describe(struct writer *w)
{
    sl_ts newest = atomic_load_explicit(&w->pump->board.newest_commit, memory_order_relaxed);

    for (uint32_t i = 0; i < w->count; i++) {
        struct sl_pump_write *write = w->batch[i];
        bool                  prewrite = write->type == SL_RECORD_PREWRITE;

        write->newest = newest;
        w->records[i] = (struct sl_vlog_record){
            .type = write->is_large
                        ? SL_VLOG_LARGE
                        : sl_pump_vlog_type(write->type, write->start_ts, write->commit_ts),
            .flags = write->verified ? SL_PUMP_VERIFIED : 0,
            .start_ts = (uint64_t)write->start_ts,
            .commit_ts = (uint64_t)(prewrite ? newest : write->commit_ts),
            .payload = sl_slice_from_buf(write->payload),
        };
    }
}

/* The next segment is made ready in step with what is written, so that no batch waits for all of
 * it. */
static void prepare(struct writer *w, uint64_t bytes)
{
    struct sl_why why = {0};
    uint64_t      left;
    enum sl_err   err = sl_vlog_prepare(w->shard->vlog, bytes, &left, &why);

    if (err != SL_OK)
        sl_log(SL_LOG_WARN, "next segment cannot be prepared", sl_field_u64("shard", w->k),
               sl_field_err(err, &why));
}

/* The append, and what is measured of it. */
static enum sl_err append(struct sl_ctx *ctx, struct writer *w, struct sl_why *why)
{
    const struct sl_pump_metrics *m = &w->pump->metrics;
    sl_nanos                      before = sl_env_now(sl_env(ctx));
    enum sl_err err = sl_vlog_append(w->shard->vlog, w->records, w->count, w->positions, why);
    double      seconds = (double)(sl_env_now(sl_env(ctx)) - before) / (double)SL_NANOS_PER_S;

    sl_metric_observe(m->write_bytes[SL_PUMP_WRITE_BATCH], (double)w->bytes);
    sl_metric_observe(m->write_seconds[SL_PUMP_PART_BATCH], seconds);
    for (uint32_t i = 0; i < w->count; i++)
        sl_metric_observe(m->write_bytes[SL_PUMP_WRITE_SINGLE], (double)w->records[i].payload.len);
    return err;
}

/* All of the batch is durable. */
static enum sl_err settle(struct sl_ctx *ctx, struct writer *w)
{
    uint64_t    bytes = w->bytes;
    enum sl_err err = mark_large(w, w->count, sl_why(ctx));

    if (err != SL_OK)
        return err;
    acknowledge(ctx, w, w->count);
    new_batch(w);
    prepare(w, 2 * bytes);
    sl_timer_arm(ctx, &w->idle, SL_PUMP_TICK, SL_PUMP_WRITER_IDLE_MS);
    return SL_OK;
}

static enum sl_err flush(struct sl_ctx *ctx, struct writer *w)
{
    struct sl_why why = {0};
    enum sl_err   err;

    if (w->count == 0 || w->answered)
        return SL_OK;
    if (w->shard->vlog == NULL) {
        sl_fail(&why, SL_IO, "the value log of shard %" PRIu32 " cannot be opened", w->k);
        give_up(ctx, w, 0, SL_IO, &why);
        new_batch(w);
        return SL_OK;
    }
    describe(w);
    err = append(ctx, w, &why);
    if (err == SL_OK)
        return settle(ctx, w);
    if (err == SL_IO) {
        sl_log(SL_LOG_ERROR, "write to disk failed", sl_field_u64("shard", w->k),
               sl_field_err(err, &why));
        sl_metric_add(w->pump->metrics.errors[SL_PUMP_ERROR_WRITE_BINLOG_BATCH], 1);
        return reopen(ctx, w, true);
    }
    give_up(ctx, w, 0, err, &why);
    new_batch(w);
    return SL_OK;
}

static enum sl_err take_in(struct sl_ctx *ctx, struct writer *w, struct sl_pump_write *write)
{
    uint64_t      bytes = sl_vlog_record_bytes(write->payload->len);
    struct sl_why why = {0};
    enum sl_err   err = SL_OK;

    if (w->count == SL_PUMP_BATCH_ITEMS || w->bytes + bytes > w->bytes_max)
        err = flush(ctx, w);
    if (err == SL_OK && w->shard->vlog == NULL) {
        sl_fail(&why, SL_IO, "the value log of shard %" PRIu32 " cannot be opened", w->k);
        refuse(ctx, w, write, SL_IO, &why);
    }
    if (err != SL_OK || w->shard->vlog == NULL) {
        sl_msg_free(&write);
        return err;
    }
    w->batch[w->count++] = write;
    w->bytes += bytes;
    return SL_OK;
}

/* Nothing came for a moment: witness what is durable, and do a piece of work ahead. */
static enum sl_err idle(struct sl_ctx *ctx, struct writer *w)
{
    struct sl_why why = {0};
    enum sl_err   err;
    uint64_t      left = 0;

    tell_newest(ctx, w);
    if (w->shard->vlog == NULL)
        return SL_OK;
    if ((err = sl_vlog_mark_idle(w->shard->vlog, &why)) != SL_OK) {
        sl_log(SL_LOG_WARN, "idle mark failed", sl_field_u64("shard", w->k),
               sl_field_err(err, &why));
        return err == SL_IO ? reopen(ctx, w, false) : SL_OK;
    }
    if (sl_vlog_prepare(w->shard->vlog, SL_PUMP_PREPARE_BYTES, &left, NULL) == SL_OK && left > 0)
        sl_timer_arm(ctx, &w->idle, SL_PUMP_TICK, SL_PUMP_WRITER_IDLE_MS);
    return SL_OK;
}

/* Remove whole segments that nobody needs. */
static void cut_log(struct sl_ctx *ctx, struct writer *w, struct sl_pump_cut_log *question)
{
    struct sl_asker asker = sl_asker_of(&question->hdr);
    struct sl_why   why = {0};
    enum sl_err     err = SL_OK;

    if (w->shard->vlog != NULL)
        err = sl_vlog_remove_before(w->shard->vlog, question->before, &why);
    sl_msg_free(&question); /* its credit, before retention asks the next thing */
    if (err == SL_OK) {
        struct sl_pump_log_cut *cut = sl_msg_new(struct sl_pump_log_cut, SL_PUMP_LOG_CUT);
        uint32_t                count;

        if (w->shard->vlog != NULL)
            cut->first = sl_vlog_segments(w->shard->vlog, &count)->first;
        sl_reply(ctx, asker, &cut);
    } else {
        struct sl_pump_failed *failed = sl_pump_failed_new(err, &why);

        sl_reply(ctx, asker, &failed);
    }
}

/* ---- hooks ---- */

static enum sl_err writer_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct writer             *w = self;

    w->pump = a->pump;
    w->k = a->shard;
    w->shard = &a->pump->shard[a->shard];
    w->end = sl_vlog_end(w->shard->vlog);
    w->bytes_max = sl_vlog_batch_bytes_max(w->shard->vlog);
    if (w->bytes_max > SL_PUMP_BATCH_BYTES)
        w->bytes_max = SL_PUMP_BATCH_BYTES;
    sl_timer_arm(ctx, &w->idle, SL_PUMP_TICK, SL_PUMP_WRITER_IDLE_MS);
    return SL_OK;
}

static enum sl_err writer_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct writer *w = self;

    switch (msg->type) {
    case SL_PUMP_WRITE: return take_in(ctx, w, (struct sl_pump_write *)(void *)sl_take(ctx));
    case SL_PUMP_TICK: return idle(ctx, w);
    case SL_PUMP_CUT_LOG:
        cut_log(ctx, w, (struct sl_pump_cut_log *)(void *)sl_take(ctx));
        return SL_OK;
    case SL_PUMP_RETRY: return w->shard->vlog == NULL ? reopen(ctx, w, false) : SL_OK;
    default: SL_UNREACHABLE("no message of the shard writer");
    }
}

static enum sl_err writer_drained(struct sl_ctx *ctx, void *self)
{
    return flush(ctx, self);
}

static enum sl_err writer_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct writer *w = self;
    struct sl_why  why = {0};
    enum sl_err    err;

    SL_ASSERT(msg->type == SL_MSG_STOP);
    if ((err = flush(ctx, w)) != SL_OK)
        return err;
    if (w->shard->vlog != NULL && sl_vlog_sync(w->shard->vlog, &why) == SL_OK &&
        sl_vlog_mark_idle(w->shard->vlog, &why) != SL_OK)
        sl_log(SL_LOG_WARN, "idle mark failed", sl_field_str("error", why.text));
    sl_stop(ctx);
    return SL_OK;
}

static void writer_stop(struct sl_ctx *ctx, void *self)
{
    struct writer *w = self;

    give_up(ctx, w, 0, SL_STOPPED, NULL);
}

const struct sl_actor_class sl_pump_shard_writer_class = {
    .name = "shard_writer",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_SYNC,
    .state_bytes = sizeof(struct writer),
    .timers_max = 2,
    .start = writer_start,
    .handle = writer_handle,
    .system = writer_system,
    .drained = writer_drained,
    .stop = writer_stop,
};
