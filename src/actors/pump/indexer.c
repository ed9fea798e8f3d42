/* indexer[k]: brings the cuts of one shard into the index, each as one transaction, and then lets
 * readers see the new watermark: never before. A cut that cannot be applied now (no space) waits,
 * and the later ones behind it. */

#include <string.h>

#include "actors/pump/cut.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"

struct watcher {
    struct sl_asker asker;
    sl_ts           above;
};

struct indexer {
    struct sl_pump       *pump;
    struct sl_pump_shard *shard;
    uint32_t              k;
    struct sl_pump_cut   *held[SL_PUMP_CUT_CREDITS]; /* owned; in order; the first one failed */
    uint32_t              held_count;
    struct sl_timer       retry;
    struct watcher        watchers[SL_PULLERS_MAX]; /* questions to be answered */
    uint32_t              watcher_count;
};

/* ---- watching ---- */

static void answer(struct sl_ctx *ctx, struct indexer *x, struct sl_asker asker)
{
    struct sl_index_head      head = sl_index_head_of(x->shard->index);
    struct sl_pump_watermark *told = sl_msg_new(struct sl_pump_watermark, SL_PUMP_WATERMARK);

    told->watermark = head.watermark;
    told->log_end = head.offset;
    sl_reply(ctx, asker, &told);
}

static void answer_watchers(struct sl_ctx *ctx, struct indexer *x, bool all)
{
    sl_ts watermark = sl_index_head_of(x->shard->index).watermark;

    for (uint32_t i = 0; i < x->watcher_count;) {
        struct watcher w = x->watchers[i];

        if (!all && w.above >= watermark) {
            i++;
            continue;
        }
        x->watchers[i] = x->watchers[--x->watcher_count];
        answer(ctx, x, w.asker);
    }
}

static void watch(struct sl_ctx *ctx, struct indexer *x, struct sl_pump_watch *question)
{
    struct sl_asker asker = sl_asker_of(&question->hdr);

    if (sl_index_head_of(x->shard->index).watermark > question->above) {
        answer(ctx, x, asker);
        return;
    }
    if (x->watcher_count == SL_PULLERS_MAX)
        answer_watchers(ctx, x, true); /* some have ended: those that live ask again */
    x->watchers[x->watcher_count++] = (struct watcher){asker, question->above};
}

/* ---- applying ---- */

static enum sl_err apply(struct sl_ctx *ctx, struct indexer *x, const struct sl_pump_cut *cut)
{
    struct sl_cut_result result;
    struct sl_why       *why = sl_why(ctx);
    enum sl_err          err = sl_cut_apply(x->shard->index, cut, &result, why);

    if (err != SL_OK) {
        sl_metric_add(x->pump->metrics.errors[SL_PUMP_ERROR_BATCH_WRITE_KV], 1);
        return err;
    }
    if (result.late > 0)
        sl_log(SL_LOG_ERROR, "commits came below the watermark", sl_field_u64("shard", x->k),
               sl_field_u64("late", result.late), sl_field_u64("copies", result.copies));
    sl_metric_add(x->pump->metrics.late[SL_PUMP_LATE_COPY], result.late_copies);
    sl_metric_add(x->pump->metrics.late[SL_PUMP_LATE_PROTOCOL], result.late - result.late_copies);
    atomic_fetch_add_explicit(&x->pump->board.late_commits, result.late - result.late_copies,
                              memory_order_relaxed);
    atomic_store_explicit(&x->pump->board.watermark[x->k], cut->head.watermark,
                          memory_order_relaxed);
    answer_watchers(ctx, x, false);
    return SL_OK;
}

static bool may_try_again(enum sl_err err)
{
    return sl_err_is_transient(err);
}

/* Apply what waits, in order. An error that time does not heal ends the pump: the index can be made
 * anew from the log. */
static enum sl_err apply_held(struct sl_ctx *ctx, struct indexer *x)
{
    while (x->held_count > 0) {
        enum sl_err err = apply(ctx, x, x->held[0]);

        if (err != SL_OK && !may_try_again(err))
            return err;
        if (err != SL_OK) {
            sl_log(SL_LOG_ERROR, "index cannot be written", sl_field_u64("shard", x->k),
                   sl_field_err(err, sl_why(ctx)));
            sl_timer_arm(ctx, &x->retry, SL_PUMP_RETRY, SL_PUMP_INDEX_RETRY_MS);
            return SL_OK;
        }
        sl_msg_free(&x->held[0]);
        x->held_count--;
        memmove(&x->held[0], &x->held[1], x->held_count * sizeof *x->held);
    }
    return SL_OK;
}

/* ---- trimming ---- */

static enum sl_err find_oldest(void *context, const struct sl_index_unresolved *unresolved)
{
    uint64_t *oldest = context;

    if (unresolved->prewrite.offset < *oldest)
        *oldest = unresolved->prewrite.offset;
    return SL_OK;
}

static void trim(struct sl_ctx *ctx, struct indexer *x, struct sl_pump_trim *question)
{
    struct sl_asker         asker = sl_asker_of(&question->hdr);
    struct sl_pump_trimmed *trimmed = sl_msg_new(struct sl_pump_trimmed, SL_PUMP_TRIMMED);
    struct sl_why           why = {0};
    enum sl_err             err;

    err = sl_index_remove(x->shard->index, question->up_to, &trimmed->removed, &why);
    trimmed->oldest = sl_index_head_of(x->shard->index).offset;
    if (err == SL_OK && trimmed->removed < SL_INDEX_CUT_ITEMS_MAX)
        err = sl_index_each_unresolved(x->shard->index, find_oldest, &trimmed->oldest, &why);
    sl_msg_free(&question); /* its credit, before retention asks the next thing */
    if (err == SL_OK) {
        sl_reply(ctx, asker, &trimmed);
    } else {
        struct sl_pump_failed *failed = sl_pump_failed_new(err, &why);

        sl_msg_free(&trimmed);
        sl_reply(ctx, asker, &failed);
    }
}

/* ---- hooks ---- */

static enum sl_err indexer_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct indexer            *x = self;

    (void)ctx;
    x->pump = a->pump;
    x->k = a->shard;
    x->shard = &a->pump->shard[a->shard];
    return SL_OK;
}

static enum sl_err indexer_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct indexer *x = self;

    switch (msg->type) {
    case SL_PUMP_CUT:
        SL_ASSERT(x->held_count < SL_PUMP_CUT_CREDITS);
        x->held[x->held_count++] = (struct sl_pump_cut *)(void *)sl_take(ctx);
        return sl_timer_armed(&x->retry) ? SL_OK : apply_held(ctx, x);
    case SL_PUMP_RETRY: return apply_held(ctx, x);
    case SL_PUMP_TRIM: trim(ctx, x, (struct sl_pump_trim *)(void *)sl_take(ctx)); return SL_OK;
    case SL_PUMP_WATCH: watch(ctx, x, (struct sl_pump_watch *)(void *)msg); return SL_OK;
    default: SL_UNREACHABLE("no message of the indexer");
    }
}

static void indexer_stop(struct sl_ctx *ctx, void *self)
{
    struct indexer *x = self;

    for (uint32_t i = 0; i < x->held_count; i++)
        sl_msg_free(&x->held[i]);
    x->held_count = 0;
    answer_watchers(ctx, x, true); /* of pullers that have ended */
}

const struct sl_actor_class sl_pump_indexer_class = {
    .name = "indexer",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct indexer),
    .timers_max = 1,
    .start = indexer_start,
    .handle = indexer_handle,
    .stop = indexer_stop,
};
