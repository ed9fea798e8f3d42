/* merger: one order out of all pumps (binlog/merge.h), cut into windows for the planner.
 *
 *     source[i] ─BLOCK─► merge ─► window being filled ─WINDOW─► planner
 *     collector ─fence─►   └─ the fence is an input of the merge that has a watermark only
 *
 * The registry fence is what makes it safe that pumps come and go: transactions are given out up to
 * a timestamp F only, which was fetched before a complete listing of the pumps. A pump that is not
 * in that list can only get transactions above F, and one that is has a source here first. (Notify
 * is answered, but nothing depends on it.)
 *
 * Nothing is dropped that is not an equal copy: a pump that sends what is late, out of order, or
 * another transaction under a known commit ts, holds the merge. Its source is started again behind
 * what was taken of it, so that a pump that was mended is enough to go on.
 *
 * A pump that is offline has nothing more: its source ends, and what it sent before is merged. */

#include <inttypes.h>
#include <string.h>

#include "actors/drainer/merger_private.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/record.h"

/* ---- windows ---- */

static void drop_owner(struct sl_descriptor *item)
{
    sl_buf_free(&item->held.owner);
}

/* The window being filled leaves, if the line has room; it says that all up to `last` is in it. */
static bool send_window(struct sl_ctx *ctx, struct merger *m, sl_ts last)
{
    struct sl_line           *line = sl_line(ctx, SL_LINE_WINDOW, 0);
    struct sl_drainer_window *msg;
    enum sl_err               err;

    if (m->is_line_full)
        return false;
    if (m->filling == NULL)
        m->filling = sl_window_new(m->seq);
    if (m->filling->bytes > sl_line_bytes(line)) /* it has all the line */
        m->filling->bytes = sl_line_bytes(line);
    if (sl_line_credits_free(line) == 0 || sl_line_bytes_free(line) < (int64_t)m->filling->bytes) {
        m->is_line_full = true;
        sl_line_wait(ctx, line, (uint32_t)m->filling->bytes, 0);
        return false;
    }
    m->filling->last_ts = m->sent_ts = last;
    m->filling->passes_past = m->has_fence && last >= m->past;
    m->sent_at = sl_now(ctx);
    m->seq++;
    msg = sl_drainer_window_new(SL_DRAINER_WINDOW, &m->filling);
    err = sl_send(ctx, line, m->drainer->planner_ref, &msg);
    SL_ASSERT(err == SL_OK); /* nobody else sends on this line */
    return true;
}

static void fill(struct merger *m, struct sl_descriptor *item)
{
    struct sl_window     *w;
    struct sl_window_txn *txn;

    if (m->filling == NULL)
        m->filling = sl_window_new(m->seq);
    w = m->filling;
    txn = &w->txns[w->txn_count++];
    *txn = (struct sl_window_txn){.commit_ts = item->commit_ts,
                                  .start_ts = item->start_ts,
                                  .bytes = item->held.bytes,
                                  .owner = sl_buf_ref(item->held.owner)};
    /* One that is spooled takes its place on the disk: as if it were the smallest of its kind. */
    w->bytes += item->tag[1] > 0 ? item->tag[1] : m->block_bytes;
    drop_owner(&m->emitted);
    m->emitted = *item;
}

static bool is_full(const struct sl_window *w)
{
    return w != NULL && (w->txn_count == SL_WINDOW_TXNS || w->bytes >= SL_WINDOW_BYTES);
}

/* ---- copies ---- */

/* Step by step, since they may be spooled. */
static bool same_value(const struct sl_descriptor *a, struct sl_slice x,
                       const struct sl_descriptor *b, struct sl_slice y)
{
    struct sl_slice p;
    struct sl_slice q;

    if (x.len != y.len)
        return false;
    for (size_t at = 0; at < x.len; at += p.len) {
        size_t step = x.len - at < SL_ROW_CHECK_BYTES ? x.len - at : SL_ROW_CHECK_BYTES;

        if (!sl_slice_sub(x, at, step, &p) || !sl_slice_sub(y, at, step, &q) ||
            !sl_slice_equal(p, q))
            return false;
        sl_buf_forget(a->held.owner);
        sl_buf_forget(b->held.owner);
    }
    return true;
}

/* A client that got no answer sends its transaction to another pump too; both have it then. The
 * synthetic commit of a pump lacks the key, so that is not compared. */
static bool is_copy(const struct sl_descriptor *a, const struct sl_descriptor *b)
{
    struct sl_record x;
    struct sl_record y;

    if (a->commit_ts != b->commit_ts || a->start_ts != b->start_ts || a->tag[0] != b->tag[0])
        return false;
    if (sl_record_decode(a->held.bytes, &x, NULL) != SL_OK ||
        sl_record_decode(b->held.bytes, &y, NULL) != SL_OK)
        return false;
    return same_value(a, x.prewrite_value, b, y.prewrite_value) &&
           sl_slice_equal(x.ddl_query, y.ddl_query);
}

static const char *name_of(struct merger *m, uint32_t input)
{
    const struct seat *seat = merger_seat_of(m, input);

    return seat != NULL ? seat->shared->node_id : "a pump that has left";
}

/* ---- draining ---- */

/* Take from the merge what it can give, if all before has gone. False: nothing. */
static bool refill(struct merger *m)
{
    if (m->ready_at < m->ready_count)
        return true;
    m->ready_at = 0;
    m->ready_count = sl_merge_drain(m->merge, m->ready, SL_DRAINER_BLOCK_ITEMS);
    for (uint32_t i = 0; i < m->ready_count; i++)
        (void)sl_buf_ref(m->ready[i].held.owner);
    merger_free_spent(m);
    return m->ready_count > 0;
}

/* One more transaction; false when it must wait. */
static bool give(struct sl_ctx *ctx, struct merger *m, struct sl_descriptor *item)
{
    struct sl_why why;

    if (item->commit_ts == m->emitted.commit_ts) {
        if (is_copy(item, &m->emitted)) {
            atomic_fetch_add_explicit(&m->drainer->front.board.copies, 1, memory_order_relaxed);
            sl_metric_add(m->drainer->front.metrics.copies, 1);
            drop_owner(item);
            return true;
        }
        sl_fail(&why, SL_INVALID,
                "commit ts %" PRId64 " was given out already, and pump %s has another transaction "
                "under it: start ts %" PRId64 " and %" PRId64,
                item->commit_ts, name_of(m, item->source), m->emitted.start_ts, item->start_ts);
        merger_hold(m, why.text);
        return false;
    }
    if (is_full(m->filling) && !send_window(ctx, m, m->emitted.commit_ts))
        return false;
    fill(m, item);
    return true;
}

static void drain(struct sl_ctx *ctx, struct merger *m)
{
    sl_ts passed;

    while (!m->is_held && refill(m)) {
        if (!give(ctx, m, &m->ready[m->ready_at]))
            return;
        m->ready_at++;
    }
    if (m->is_held)
        return;
    passed = sl_merge_passed(m->merge);
    if (m->filling != NULL && m->filling->txn_count > 0)
        (void)send_window(ctx, m, passed);
    else if (passed > m->sent_ts &&
             sl_now(ctx) - m->sent_at >= SL_DRAINER_MARK_MS * (sl_nanos)SL_NANOS_PER_MS)
        (void)send_window(ctx, m, passed);
}

/* ---- the fence ---- */

static void ask_fence(struct sl_ctx *ctx, struct merger *m)
{
    struct sl_drainer_fence *question;
    sl_nanos                 since = sl_now(ctx) - m->fenced_at;
    uint32_t                 holder;
    sl_nanos                 pause;

    if (m->is_fence_asked)
        return;
    (void)sl_merge_watermark(m->merge, &holder);
    if (!m->has_fence)
        pause = 0;
    else if (holder != FENCE)
        pause = SL_FENCE_SLOW_MS;
    else
        pause = merger_pending(m) > 0 ? SL_FENCE_MS : SL_FENCE_IDLE_MS;
    if (m->has_fence && since < pause * SL_NANOS_PER_MS)
        return;
    question = sl_msg_new(struct sl_drainer_fence, SL_DRAINER_FENCE);
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_FENCE, 0), atomic_load(&m->drainer->front.collector_ref),
               0, &question) != SL_OK)
        SL_UNREACHABLE("one question at a time");
    m->is_fence_asked = true;
}

/* Why a pump keeps everybody waiting and what to do, as a clause with the pump as its subject;
 * false: it does not, it only has nothing yet. */
static bool find_trouble(struct sl_ctx *ctx, struct merger *m, const struct seat *seat,
                         struct sl_why *out)
{
    static const char remedy[] = "start it again, or, giving up what it still has, set it offline";
    sl_nanos          silent = sl_now(ctx) - seat->heard_at;
    struct sl_why     cause = {0};

    if (seat->node_state == SL_NODE_PAUSED) {
        sl_fail(out, SL_UNAVAILABLE, "is paused: %s", remedy);
        return true;
    }
    sl_drainer_board_trouble(&m->drainer->front.board, seat->shared->input, &cause);
    if (cause.text[0] != '\0' || seat->state != SEAT_PULLING) {
        sl_wrap(&cause, SL_UNAVAILABLE, "is not reachable");
        sl_fail(out, SL_UNAVAILABLE, "%.200s: %s", cause.text, remedy);
        return true;
    }
    if (silent < SL_SOURCE_SILENT_MS * (sl_nanos)SL_NANOS_PER_MS)
        return false;
    sl_fail(out, SL_UNAVAILABLE,
            "is connected, but has said nothing for %" PRIu64 " s: a transaction whose outcome it "
            "does not know may hold it up (its metric sluice_pump_unresolved_prewrites is above 0 "
            "then), or it hangs: see its log",
            (uint64_t)(silent / SL_NANOS_PER_S));
    return true;
}

/* Whom does everybody wait for? */
static void tell_wait(struct sl_ctx *ctx, struct merger *m)
{
    uint32_t           holder;
    sl_ts              watermark = sl_merge_watermark(m->merge, &holder);
    const struct seat *seat;
    struct sl_why      trouble = {0};
    struct sl_why      why;

    if (m->is_held)
        return;
    seat = holder == FENCE ? NULL : merger_seat_of(m, holder);
    if (seat != NULL && seat->state == SEAT_PURGED) {
        merger_tell_gap(m, seat);
        return;
    }
    if (seat == NULL || !find_trouble(ctx, m, seat, &trouble)) {
        sl_drainer_board_note(&m->drainer->front.board, SL_DRAINER_PART_MERGE, SL_DRAINER_RUNNING,
                              SL_OK, NULL);
        return;
    }
    sl_fail(&why, SL_UNAVAILABLE, "pump %s, at ts %" PRId64 ", %.300s", seat->shared->node_id,
            watermark, trouble.text);
    sl_drainer_board_note(&m->drainer->front.board, SL_DRAINER_PART_MERGE, SL_DRAINER_WAITING,
                          SL_UNAVAILABLE, why.text);
}

/* ---- messages ---- */

static enum sl_err take_fence(struct sl_ctx *ctx, struct merger *m,
                              const struct sl_drainer_fenced *answer)
{
    enum sl_err err = SL_OK;

    m->is_fence_asked = false;
    if (!m->has_fence)
        m->past = answer->fence;
    m->has_fence = true;
    m->fenced_at = sl_now(ctx);
    for (size_t i = 0; i < answer->pumps.count && err == SL_OK; i++)
        err = merger_look_at_pump(ctx, m, &answer->pumps.nodes[i],
                                  answer->removed_ms != NULL ? answer->removed_ms[i] : 0);
    /* Only behind the listing: every pump in it is an input now. */
    if (err == SL_OK) {
        sl_merge_set_watermark(m->merge, FENCE, answer->fence);
        sl_drainer_board_looked(&m->drainer->front.board);
    }
    return err;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct merger *m = self;
    uint32_t       fence;
    enum sl_err    err;

    m->drainer = ((const struct sl_drainer_args *)args)->drainer;
    m->block_bytes = sl_line_bytes(sl_line(ctx, SL_LINE_BLOCK, 0));
    m->merge = sl_merge_new(m->drainer->start_ts);
    m->sent_ts = m->drainer->start_ts;
    m->emitted.commit_ts = m->drainer->start_ts;
    if ((err = sl_merge_add(m->merge, m->drainer->start_ts, &fence, sl_why(ctx))) != SL_OK)
        return err;
    SL_ASSERT(fence == FENCE);
    sl_timer_arm(ctx, &m->tick, SL_DRAINER_TICK, SL_FENCE_MS);
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct merger *m = self;

    switch (msg->type) {
    case SL_DRAINER_BLOCK: merger_take_block(ctx, m); return SL_OK;
    case SL_DRAINER_FENCED:
        return take_fence(ctx, m, (const struct sl_drainer_fenced *)(const void *)msg);
    case SL_DRAINER_TICK:
        merger_restart_sources(ctx, m);
        tell_wait(ctx, m);
        return SL_OK;
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

static enum sl_err system_message(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct merger *m = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_OPEN: m->is_line_full = false; return SL_OK;
    case SL_MSG_GONE: m->is_fence_asked = false; return SL_OK; /* the collector's end is root's */
    case SL_MSG_CHILD_ENDED:
        return merger_source_ended(ctx, m, (const struct sl_child_ended *)(const void *)msg);
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("not expected by a merger");
}

/* All mail has been read: give out what can be, and see to the next. */
static enum sl_err drained(struct sl_ctx *ctx, void *self)
{
    struct merger *m = self;
    uint32_t       pause;

    drain(ctx, m);
    merger_let_leave(m);
    ask_fence(ctx, m);
    pause = m->ready_at < m->ready_count || merger_pending(m) > 0 ? SL_FENCE_MS : SL_FENCE_IDLE_MS;
    if (!sl_timer_armed(&m->tick))
        sl_timer_arm(ctx, &m->tick, SL_DRAINER_TICK, pause);
    return SL_OK;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct merger *m = self;

    (void)ctx;
    for (uint32_t i = m->ready_at; i < m->ready_count; i++)
        drop_owner(&m->ready[i]);
    drop_owner(&m->emitted);
    sl_window_free(&m->filling);
    merger_close_pumps(m);
    sl_merge_remove(m->merge, FENCE);
    sl_merge_free(&m->merge);
}

const struct sl_actor_class sl_drainer_merger_class = {
    .name = "merger",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct merger),
    .questions_max = 1,
    .waits_max = 1,
    .timers_max = 1,
    .children_max = SL_DRAINER_SOURCES_MAX,
    .start = start,
    .handle = handle,
    .system = system_message,
    .drained = drained,
    .stop = stop,
};
