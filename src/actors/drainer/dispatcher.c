/* dispatcher: puts decoded windows in order again, hands their changes to workers, and knows what
 * is done.
 *
 *     decoder[n] ─windows─► ring by seq ─► in order: keys ─► part[worker] ─PART─► worker[m]
 *                                 │                                             applied │
 *                                 └─ a window is done when all its parts are ◄──────────┘
 *                                    done from the first on: applied_ts ─SAVE─► checkpointer
 *
 * Two changes with a key in common go to one worker (causality.h); one whose keys two workers have
 * in flight waits until one of them has them no more. A DDL waits until everything before it is
 * applied, and nothing behind it is handed out before it has taken effect. The first change of a
 * table waits for a description of what the downstream has under that name.
 *
 * A window that cannot be applied is never passed: the stream stays in front of it, and says why.
 * */

#include <inttypes.h>
#include <string.h>

#include "actors/drainer/dispatcher_private.h"
#include "actors/drainer/sink.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"

/* The next DDL is run once nothing is in flight; false, since the rest waits for it. */
static bool run_ddl(struct sl_ctx *ctx, struct dispatcher *d, const struct sl_window *w)
{
    struct sl_drainer_ddl *question;

    if (d->is_ddl_asked || d->open_count > 0 || d->done_seq != w->seq)
        return false;
    question = sl_msg_new(struct sl_drainer_ddl, SL_DRAINER_DDL);
    question->ddl = &w->ddls[w->next_ddl];
    question->schema_version = d->schema_version;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_KEEP, 0), d->drainer->checkpointer_ref, TAG_DDL,
               &question) != SL_OK)
        SL_UNREACHABLE("the line has a credit for each kind of question");
    d->is_ddl_asked = true;
    return false;
}

/* False: it must wait. */
static bool hand_out(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w)
{
    if (w->next_ddl < w->ddl_count)
        return dispatcher_hand_out_rows(ctx, d, w, w->ddls[w->next_ddl].at_change) &&
               run_ddl(ctx, d, w);
    return dispatcher_hand_out_rows(ctx, d, w, w->change_count) &&
           (w->is_open || dispatcher_end_transaction(ctx, d, w, UINT32_MAX));
}

static void hold(struct dispatcher *d, const struct sl_window *w)
{
    sl_metric_add(d->drainer->front.metrics.errors[SL_DRAINER_ERROR_SCHEMA], 1);
    sl_log(SL_LOG_ERROR, "the stream is held", sl_field_i64("applied_ts", d->applied_ts),
           sl_field_err(w->err, &w->why));
    sl_drainer_board_note(&d->drainer->front.board, SL_DRAINER_PART_STREAM, SL_DRAINER_HELD, w->err,
                          w->why.text);
}

/* ---- done ---- */

static void ask_save(struct sl_ctx *ctx, struct dispatcher *d, bool is_last)
{
    struct sl_drainer_save *question = sl_msg_new(struct sl_drainer_save, SL_DRAINER_SAVE);

    question->ts = d->asked_ts = d->applied_ts;
    question->schema_version = d->schema_version;
    question->is_last = is_last;
    d->is_save_asked = true;
    d->has_unsaved_rows = false;
    d->saved_at = sl_now(ctx);
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_KEEP, 0), d->drainer->checkpointer_ref, TAG_SAVE,
               &question) != SL_OK)
        SL_UNREACHABLE("the line has a credit for each kind of question");
}

/* When the last rows are applied, the checkpoint shall say so soon: whoever waits for the
 * downstream looks there. While nothing but time goes by, or rows keep coming, it costs more than
 * it tells. */
static uint64_t save_interval_ms(const struct dispatcher *d)
{
    bool is_idle = d->open_count == 0 && d->ring[d->next_seq % SL_WINDOW_CREDITS] == NULL;

    return is_idle && d->has_unsaved_rows ? SL_SAVE_SOON_MS : SL_SAVE_MS;
}

static void save_if_due(struct sl_ctx *ctx, struct dispatcher *d)
{
    uint64_t interval = save_interval_ms(d);
    uint64_t since = (sl_now(ctx) - d->saved_at) / SL_NANOS_PER_MS;

    if (d->is_save_asked || d->is_ddl_asked || d->applied_ts == d->asked_ts)
        return;
    if (since >= interval)
        ask_save(ctx, d, false);
    else if (!sl_timer_armed(&d->tick) || interval < SL_SAVE_MS)
        sl_timer_arm(ctx, &d->tick, SL_DRAINER_TICK, interval - since);
}

static void note_applied(struct sl_ctx *ctx, struct dispatcher *d, const struct sl_window *w)
{
    struct sl_drainer_board         *board = &d->drainer->front.board;
    const struct sl_drainer_metrics *metrics = &d->drainer->front.metrics;
    uint64_t                         rows[SL_DRAINER_ROW_KINDS] = {0};
    uint32_t                         ended = w->txn_count - (w->is_open ? 1 : 0);

    for (uint32_t i = 0; i < w->change_count; i++)
        rows[w->changes[i].change.kind]++; /* in the order of enum sl_change_kind */
    for (int i = 0; i < SL_DRAINER_ROW_KINDS; i++) {
        atomic_fetch_add_explicit(&board->rows[i], rows[i], memory_order_relaxed);
        sl_metric_add(metrics->events[i], rows[i]); /* their first ones are in this order too */
    }
    atomic_fetch_sub_explicit(&board->windows, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&board->held_bytes, w->bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&board->transactions, ended, memory_order_relaxed);
    sl_metric_add(metrics->transactions, ended);
    atomic_store_explicit(&board->applied_ts, d->applied_ts, memory_order_relaxed);
    if (w->txn_count > 0)
        atomic_store_explicit(&board->success_at, sl_now(ctx), memory_order_relaxed);
}

/* Windows that are done, from the first on, go home with their credit. */
static void retire(struct sl_ctx *ctx, struct dispatcher *d)
{
    while (d->done_seq < d->next_seq) {
        struct sl_drainer_window **place = &d->ring[d->done_seq % SL_WINDOW_CREDITS];
        const struct sl_window    *w = (*place)->window;

        if (w->parts_open > 0)
            return;
        d->applied_ts = w->last_ts;
        d->is_past = d->is_past || w->passes_past;
        if (w->schema_version > d->schema_version)
            d->schema_version = w->schema_version;
        note_applied(ctx, d, w);
        d->has_unsaved_rows = d->has_unsaved_rows || w->change_count > 0;
        sl_msg_free(place);
        d->done_seq++;
    }
}

/* True once the checkpoint may be behind the rows: it says so before the first one is applied. */
static bool is_unsealed(struct sl_ctx *ctx, struct dispatcher *d, const struct sl_window *w)
{
    if (!d->is_sealed || (w->change_count == 0 && w->ddl_count == 0))
        return true;
    if (!d->is_save_asked)
        ask_save(ctx, d, false);
    return false;
}

/* Do all that can be done now. What is done leaves first: a DDL waits for the windows before it. */
static void advance(struct sl_ctx *ctx, struct dispatcher *d)
{
    retire(ctx, d);
    while (!d->is_stopping) {
        struct sl_drainer_window *msg = d->ring[d->next_seq % SL_WINDOW_CREDITS];
        struct sl_window         *w;

        if (msg == NULL || msg->window->seq != d->next_seq)
            break;
        w = msg->window;
        if (w->err != SL_OK) {
            if (!w->is_handed_out)
                hold(d, w);
            w->is_handed_out = true;
            break;
        }
        if (!is_unsealed(ctx, d, w) || !hand_out(ctx, d, w))
            break;
        d->next_seq++;
        retire(ctx, d);
    }
}

/* ---- stopping ---- */

/* Everything that was begun is applied whole, also by a drainer that died before this one. */
static bool is_consistent(const struct dispatcher *d)
{
    return d->is_past && d->open_count == 0 && d->given_ts <= d->applied_ts;
}

/* Nothing new is handed out; what is in flight is waited for, then the checkpoint is saved once
 * more. */
static void stop_if_idle(struct sl_ctx *ctx, struct dispatcher *d)
{
    if (!d->is_stopping || d->open_count > 0 || d->is_ddl_asked || d->is_save_asked)
        return;
    if (d->is_last_saved || d->applied_ts == 0) {
        sl_stop(ctx);
        return;
    }
    d->is_last_saved = true;
    ask_save(ctx, d, is_consistent(d));
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct dispatcher *d = self;

    d->drainer = ((const struct sl_drainer_args *)args)->drainer;
    d->is_ordered = d->drainer->sink->ops->is_ordered;
    d->is_kept = !d->drainer->options.config->dispatch && !d->is_ordered;
    d->applied_ts = d->asked_ts = d->drainer->start_ts;
    d->is_past = d->is_sealed = d->drainer->start_is_consistent;
    d->schema_version = d->drainer->start_schema_version;
    d->saved_at = sl_now(ctx);
    d->workers = d->drainer->workers;
    d->part_rows = d->drainer->part_rows;
    dispatcher_show(d);
    sl_causality_init(&d->causality, d->drainer->workers);
    sl_known_tables_init(&d->tables);
    return SL_OK;
}

static void take_window(struct sl_ctx *ctx, struct dispatcher *d)
{
    struct sl_drainer_window  *msg = (struct sl_drainer_window *)(void *)sl_take(ctx);
    struct sl_drainer_window **place = &d->ring[msg->window->seq % SL_WINDOW_CREDITS];

    SL_ASSERT(*place == NULL); /* the line's credits bound how far they are apart */
    *place = msg;
}

static void ddl_done(struct dispatcher *d)
{
    struct sl_window           *w = d->ring[d->next_seq % SL_WINDOW_CREDITS]->window;
    const struct sl_window_ddl *ddl = &w->ddls[w->next_ddl];

    SL_ASSERT(d->is_ddl_asked && w->next_ddl < w->ddl_count);
    d->is_ddl_asked = false;
    w->next_ddl++;
    sl_known_tables_forget(&d->tables); /* nothing in flight uses them */
    if (ddl->schema_version > d->schema_version)
        d->schema_version = ddl->schema_version;
    d->applied_ts = d->asked_ts = ddl->after; /* it was saved with the DDL */
}

static void answer_tune(struct sl_ctx *ctx, struct sl_msg *question)
{
    struct sl_msg *tuned = sl_msg_new(struct sl_msg, SL_DRAINER_TUNED);

    sl_reply_msg(ctx, sl_asker_of(question), tuned, &tuned);
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct dispatcher *d = self;

    switch (msg->type) {
    case SL_DRAINER_DISPATCH: take_window(ctx, d); return SL_OK;
    case SL_DRAINER_DESCRIBED:
        dispatcher_take_table(d, (const struct sl_drainer_described *)(const void *)msg);
        return SL_OK;
    case SL_DRAINER_DONE:
        if (msg->tag == TAG_DDL)
            ddl_done(d);
        else if (msg->tag == TAG_SAVE)
            d->is_save_asked = d->is_sealed = false;
        else
            dispatcher_part_done(d, msg->tag);
        return SL_OK;
    case SL_DRAINER_TUNE:
    case SL_DRAINER_RETUNE:
        dispatcher_tune(d, (const struct sl_drainer_tune *)(const void *)msg);
        if (msg->type == SL_DRAINER_TUNE)
            answer_tune(ctx, msg);
        return SL_OK;
    case SL_DRAINER_TICK: return SL_OK;
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

/* Somebody who was asked is gone: only when all stop, or its error is root's already. */
static void give_up_question(struct dispatcher *d, uint64_t tag)
{
    if (tag == TAG_DDL)
        d->is_ddl_asked = false;
    else if (tag == TAG_SAVE)
        d->is_save_asked = false;
    else if (tag == TAG_DESCRIBE)
        d->is_described = false;
    else
        dispatcher_part_gone(d, tag);
    d->is_stopping = true;
}

static enum sl_err system_message(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct dispatcher *d = self;

    (void)ctx;
    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: d->is_stopping = true; return SL_OK;
    case SL_MSG_OPEN: d->is_line_full = false; return SL_OK;
    case SL_MSG_GONE: give_up_question(d, msg->tag); return SL_OK;
    case SL_MSG_CHILD_ENDED:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("not expected by a dispatcher");
}

static enum sl_err drained(struct sl_ctx *ctx, void *self)
{
    struct dispatcher *d = self;

    advance(ctx, d);
    save_if_due(ctx, d);
    stop_if_idle(ctx, d);
    return SL_OK;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct dispatcher *d = self;

    (void)ctx;
    for (uint32_t i = 0; i < SL_WINDOW_CREDITS; i++) {
        if (d->ring[i] != NULL)
            sl_msg_free(&d->ring[i]);
    }
    sl_known_tables_done(&d->tables);
    sl_causality_done(&d->causality);
}

const struct sl_actor_class sl_drainer_dispatcher_class = {
    .name = "dispatcher",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct dispatcher),
    .questions_max = SL_DRAINER_WORKERS_MAX * SL_PART_CREDITS + 3,
    .waits_max = 1,
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .system = system_message,
    .drained = drained,
    .stop = stop,
};
