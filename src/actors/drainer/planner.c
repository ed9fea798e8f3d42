/* planner: knows the schema as the stream has made it by now. Gives each mutation of a window the
 * version of its table that it is decoded with, leaves out what is filtered, and makes of a DDL
 * binlog the action that it means downstream.
 *
 *     rows  two versions: the table as it is at this point of the stream, which the downstream has
 *           too, and the one that the mutation's own schema_version names (observed.md 1, 5)
 *     DDL   the historian is asked for its job; what is behind it waits
 *
 * Early jobs. TiDB lets a transaction use what a DDL made before the binlog of that DDL commits:
 * rows of a table that a TRUNCATE made are in the stream before the TRUNCATE. So when a transaction
 * names a schema version that was not seen yet, the jobs up to that version are asked for and run
 * in front of it; when their own binlogs come, they have been. Which those are is part of the
 * checkpoint.
 *
 * The windows that it sends are its own (window.h): as large as their rows will be when they are
 * decoded, within what its line holds. So the line bounds the memory of all behind it, and a
 * transaction of any size passes through in as many windows as it takes (planner_rows.c). One that
 * fits is never parted.
 *
 * What it cannot understand (a row of a table that nobody made) makes a window that cannot be
 * applied; the stream stops in front of it. */

#include "actors/drainer/planner_private.h"

#include <inttypes.h>
#include <string.h>

#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/record.h"
#include "runtime/actor.h"

/* ---- tables that nobody made yet ---- */

static bool names_unknown_table(const struct planner *p, struct sl_prewrite prewrite)
{
    struct sl_mutation mutation;

    while (sl_prewrite_next(&prewrite, &mutation, NULL) == SL_OK) {
        if (sl_schema_fate(p->schema, mutation.table_id) == SL_TABLE_UNKNOWN)
            return true;
    }
    return false;
}

/* A job comes into the history when its binlog commits, and other servers of TiDB may write rows of
 * its table a moment before. So a table that nobody made yet is looked for again for a while, when
 * the transaction names a version above all that were seen: SL_AGAIN. */
static enum sl_err look_again(struct sl_ctx *ctx, struct planner *p, sl_ts commit_ts,
                              const struct sl_prewrite *prewrite)
{
    struct sl_why why;

    if (sl_schema_version(p->schema) >= prewrite->schema_version ||
        p->looks == SL_PLANNER_LOOKS_MAX)
        return SL_OK; /* it will be refused */
    if (++p->looks == SL_HISTORIAN_PATIENCE) {
        sl_fail(&why, SL_NOT_FOUND,
                "commit ts %" PRId64 " has rows of a table that no DDL job up to schema version "
                "%" PRId64 " made; its job is looked for",
                commit_ts, prewrite->schema_version);
        sl_drainer_board_note(&p->drainer->front.board, SL_DRAINER_PART_SCHEMA, SL_DRAINER_WAITING,
                              SL_NOT_FOUND, why.text);
    }
    p->known = sl_schema_version(p->schema);
    sl_timer_arm(ctx, &p->retry, SL_DRAINER_RETRY, SL_HISTORIAN_RETRY_MS);
    return SL_AGAIN;
}

static void looked(struct planner *p)
{
    if (p->looks >= SL_HISTORIAN_PATIENCE)
        sl_drainer_board_note(&p->drainer->front.board, SL_DRAINER_PART_SCHEMA, SL_DRAINER_RUNNING,
                              SL_OK, NULL);
    p->looks = 0;
}

/* ---- a transaction ---- */

/* Its rows are under way, if it has any; SL_AGAIN as above. */
static enum sl_err begin_rows(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                              const struct sl_record *record)
{
    struct sl_prewrite prewrite = {0};
    enum sl_err        err;

    if (record->prewrite_value.len == 0)
        return SL_OK;
    if ((err = sl_prewrite_open(record->prewrite_value, &prewrite, &w->why)) != SL_OK ||
        (err = planner_catch_up(ctx, p, w, prewrite.schema_version)) != SL_OK)
        return err;
    if (names_unknown_table(p, prewrite) &&
        (err = look_again(ctx, p, record->commit_ts, &prewrite)) != SL_OK)
        return err;
    looked(p);
    p->first_plan = w->plan_count;
    p->first_bytes = w->bytes;
    planner_rows_begin(&p->rows, &prewrite, !record->has_schema_state);
    return SL_OK;
}

static enum sl_err begin_transaction(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                                     const struct sl_window_txn *txn)
{
    struct sl_record record;
    enum sl_err      err = sl_record_decode(txn->bytes, &record, &w->why);

    if (err != SL_OK)
        return err;
    if (record.ddl_job_id != 0)
        return planner_ddl(ctx, p, w, &record);
    if (!planner_is_ignored(p, txn->commit_ts))
        return begin_rows(ctx, p, w, &record);
    sl_metric_add(p->drainer->front.metrics.skipped[SL_DRAINER_SKIP_COMMIT_TS], 1);
    sl_log(SL_LOG_WARN, "skip txn", sl_field_i64("commit_ts", txn->commit_ts));
    return SL_OK;
}

/* Until it must wait: SL_AGAIN for jobs or the next turn, SL_FULL for a window that has room. */
static enum sl_err plan_transaction(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                                    const struct sl_window_txn *txn)
{
    const struct planner_tools tools = {
        .schema = p->schema,
        .verdicts = &p->verdicts,
        .skipped = p->drainer->front.metrics.skipped[SL_DRAINER_SKIP_TABLE],
        .bytes_max = p->bytes_max};
    enum sl_err err = SL_OK;

    if (!p->rows.is_open)
        err = begin_transaction(ctx, p, w, txn);
    if (err != SL_OK || !p->rows.is_open)
        return err;
    err = planner_rows_plan(&p->rows, &tools, w);
    if (err == SL_AGAIN)
        p->must_go_on = true;
    return err;
}

/* ---- windows ---- */

/* The window being made, which has the transaction as its last one; NULL: none. */
static struct sl_window *window_for(struct planner *p, const struct sl_window_txn *txn)
{
    struct sl_window *w;

    if (p->out == NULL)
        p->out = sl_window_new(p->out_seq);
    w = p->out;
    if (txn == NULL || (w->txn_count > 0 && w->txns[w->txn_count - 1].commit_ts == txn->commit_ts))
        return w;
    w->txns[w->txn_count] = *txn;
    (void)sl_buf_ref(txn->owner);
    w->txn_count++;
    return w;
}

/* It leaves, if the line has room; it says that all up to `last` is in it or before it. */
static bool send_window(struct sl_ctx *ctx, struct planner *p, sl_ts last)
{
    struct sl_line           *line = sl_line(ctx, SL_LINE_DECODE, 0);
    struct sl_window         *w = window_for(p, NULL);
    struct sl_drainer_window *msg;
    enum sl_err               err;

    if (p->is_line_full)
        return false;
    if (w->bytes > sl_line_bytes(line)) /* one row may be: it has all the line */
        w->bytes = sl_line_bytes(line);
    if (sl_line_credits_free(line) == 0 || sl_line_bytes_free(line) < (int64_t)w->bytes) {
        p->is_line_full = true;
        sl_line_wait(ctx, line, (uint32_t)w->bytes, 0);
        return false;
    }
    w->last_ts = last;
    w->is_open = p->rows.is_open;
    atomic_fetch_add_explicit(&p->drainer->front.board.windows, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->drainer->front.board.held_bytes, w->bytes, memory_order_relaxed);
    for (uint32_t i = 0; w->is_open && i < w->txn_count; i++)
        sl_buf_forget(w->txns[i].owner);
    msg = sl_drainer_window_new(SL_DRAINER_DECODE, &p->out);
    err = sl_send(ctx, line, p->drainer->decoder_ref[p->out_seq++ % p->drainer->decoders], &msg);
    SL_ASSERT(err == SL_OK); /* nobody else sends on this line */
    return true;
}

/* The present transaction did not fit behind those before it in the window, but it may into one of
 * its own. True: it begins again there. */
static bool take_back(struct planner *p, struct sl_window *w, const struct sl_window_txn *txn)
{
    if (p->first_plan == 0 || txn->bytes.len > p->bytes_max)
        return false;
    planner_rows_end(&p->rows);
    sl_window_drop_plans(w, p->first_plan);
    w->bytes = p->first_bytes;
    sl_buf_free(&w->txns[--w->txn_count].owner);
    p->first_plan = 0;
    return true;
}

/* ---- the merger's windows ---- */

/* All of the oldest one but its end; false: it must wait. */
static bool plan_transactions(struct sl_ctx *ctx, struct planner *p, const struct sl_window *merged)
{
    if (sl_timer_armed(&p->retry))
        return false;
    while (p->at < merged->txn_count) {
        const struct sl_window_txn *txn = &merged->txns[p->at];
        struct sl_window           *w = window_for(p, txn);
        enum sl_err                 err;

        planner_filter_change(p);
        p->has_begun = true;
        err = plan_transaction(ctx, p, w, txn);
        if (err == SL_AGAIN)
            return false;
        if (err == SL_FULL) {
            (void)take_back(p, w, txn);
            if (!send_window(ctx, p, p->before))
                return false;
            continue;
        }
        w->err = err;
        if (err != SL_OK) {
            sl_wrap(&w->why, err, "commit ts %" PRId64, txn->commit_ts);
            p->at = merged->txn_count;
            p->has_begun = false;
            return true;
        }
        p->before = txn->commit_ts;
        p->has_begun = false;
        p->at++;
    }
    return true;
}

static bool plan(struct sl_ctx *ctx, struct planner *p, const struct sl_window *merged)
{
    if (!plan_transactions(ctx, p, merged))
        return false;
    window_for(p, NULL)->passes_past = merged->passes_past;
    if (!send_window(ctx, p, merged->last_ts))
        return false;
    p->at = 0;
    p->before = merged->last_ts;
    return true;
}

static enum sl_err plan_all(struct sl_ctx *ctx, void *self)
{
    struct planner *p = self;
    uint32_t        done = 0;

    p->must_go_on = false;
    planner_filter_change(p);
    while (done < p->queue_count && !p->is_line_full && plan(ctx, p, p->queue[done]->window)) {
        sl_msg_free(&p->queue[done]);
        done++;
    }
    p->queue_count -= done;
    memmove(p->queue, p->queue + done, p->queue_count * sizeof *p->queue);
    if (p->must_go_on)
        sl_timer_arm(ctx, &p->tick, SL_DRAINER_TICK, 0);
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct planner *p = self;
    uint64_t        share = sl_line_bytes(sl_line(ctx, SL_LINE_DECODE, 0)) / SL_WINDOW_SHARE;

    p->bytes_max = share < SL_WINDOW_PLAN_BYTES ? share : SL_WINDOW_PLAN_BYTES;
    p->drainer = ((const struct sl_drainer_args *)args)->drainer;
    p->schema = p->drainer->schema;
    p->known = sl_schema_version(p->schema);
    p->before = p->drainer->start_ts;
    p->early_count = p->drainer->early_count;
    memcpy(p->early, p->drainer->early, sizeof p->early);
    planner_filter_begin(p);
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct planner *p = self;

    switch (msg->type) {
    case SL_DRAINER_WINDOW:
        SL_ASSERT(p->queue_count < SL_WINDOW_CREDITS);
        p->queue[p->queue_count++] = (struct sl_drainer_window *)(void *)sl_take(ctx);
        return SL_OK;
    case SL_DRAINER_JOB:
        p->is_asked = false;
        p->answer = (struct sl_drainer_job *)(void *)sl_take(ctx);
        return SL_OK;
    case SL_DRAINER_FILTER:
        planner_filter_take(p, (struct sl_drainer_filter *)(void *)msg);
        return SL_OK;
    case SL_DRAINER_TICK:
    case SL_DRAINER_RETRY: return SL_OK; /* plan_all follows */
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

static enum sl_err system_message(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct planner *p = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_GONE: p->is_asked = false; return SL_OK; /* the historian's end is root's */
    case SL_MSG_OPEN: p->is_line_full = false; return SL_OK;
    case SL_MSG_CHILD_ENDED:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("not expected by a planner");
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct planner *p = self;

    (void)ctx;
    for (uint32_t i = 0; i < p->queue_count; i++)
        sl_msg_free(&p->queue[i]);
    if (p->answer != NULL)
        sl_msg_free(&p->answer);
    planner_rows_end(&p->rows);
    sl_window_free(&p->out);
    planner_filter_end(p);
}

const struct sl_actor_class sl_drainer_planner_class = {
    .name = "planner",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct planner),
    .questions_max = 1,
    .waits_max = 1,
    .timers_max = 2,
    .start = start,
    .handle = handle,
    .system = system_message,
    .drained = plan_all,
    .stop = stop,
};
