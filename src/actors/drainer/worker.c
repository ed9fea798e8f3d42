/* worker: one end of the downstream. Applies the parts it is given in their order, and answers each
 * when it is durable. Parts that came while it worked are applied together: so transactions grow
 * with the load, up to as many rows as a part says.
 *
 * It has no other answer than done: what fails is tried again as it is, after a pause, until it
 * succeeds or the drainer stops; status says what it waits for. That is right for whatever passes
 * by itself, and for what somebody must mend first (a missing table, a full disk), since nothing is
 * lost meanwhile and nothing is guessed.
 *
 * The exception is a kept transaction that comes in several parts: when it fails amid them, the
 * worker ends, and root begins again at the checkpoint.
 *
 * On the peer lane: a thread of its own, which waits for the downstream. */

#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/sink.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/actor.h"

struct worker {
    struct sl_drainer     *drainer;
    uint32_t               number;
    struct sl_sink_worker *end;                    /* owned; NULL: to be opened */
    struct sl_row_part    *parts[SL_PART_CREDITS]; /* owned, oldest first */
    uint32_t               part_count;
    bool                   is_inside; /* the sink has begun a transaction and not ended it */
    uint32_t               tries;     /* of the oldest part, without success */
    struct sl_timer        retry;
};

/* How many of the oldest parts make one transaction of the downstream. */
static uint32_t batch_of(const struct worker *w)
{
    uint32_t rows = w->parts[0]->count;
    uint32_t count = 1;

    if (!w->drainer->options.config->dispatch)
        return 1;
    for (; count < w->part_count; count++) {
        rows += w->parts[count]->count;
        if (rows > w->parts[0]->rows_max)
            break;
    }
    return count;
}

static void answer(struct sl_ctx *ctx, struct worker *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sl_asker asker = sl_asker_of(&w->parts[i]->hdr);
        struct sl_msg  *done = sl_msg_alloc(sizeof *done, SL_DRAINER_DONE, NULL);

        sl_msg_free(&w->parts[i]);
        sl_reply_msg(ctx, asker, done, &done);
    }
    w->part_count -= count;
    memmove(w->parts, w->parts + count, w->part_count * sizeof(struct sl_row_part *));
}

/* Once, and count of the oldest parts. */
static enum sl_err apply(struct worker *w, uint32_t count, struct sl_why *why)
{
    struct sl_sink *sink = w->drainer->sink;
    sl_nanos        begun;
    enum sl_err     err;

    if (w->end == NULL && (err = sink->ops->worker_open(sink, w->number, &w->end, why)) != SL_OK)
        return err;
    begun = sl_env_now(w->drainer->options.env);
    err = sink->ops->apply(w->end, w->parts, count, why);
    sl_metric_observe(w->drainer->front.metrics.execute_seconds,
                      (double)(sl_env_now(w->drainer->options.env) - begun) / 1e9);
    if (err != SL_OK) { /* what the other side still does for this end, the next one waits for */
        sink->ops->worker_close(w->end);
        w->end = NULL;
    }
    return err;
}

/* Of the oldest change that waits. */
static sl_ts first_ts(const struct worker *w)
{
    const struct sl_row_part *part = w->parts[0];

    return part->window->txns[part->count > 0 ? part->changes[0]->txn : 0].commit_ts;
}

/* A deadlock is over at once, a server's restart is not. */
static uint64_t pause_ms(const struct worker *w)
{
    uint64_t pause = (uint64_t)SL_APPLY_RETRY_MS_MIN << (w->tries < 10 ? w->tries : 10);

    return pause < SL_APPLY_RETRY_MS ? pause : SL_APPLY_RETRY_MS;
}

static void try_later(struct sl_ctx *ctx, struct worker *w, enum sl_err err)
{
    bool     passes = sl_err_is_transient(err);
    uint64_t pause = passes ? pause_ms(w) : SL_APPLY_HELD_MS;

    sl_metric_add(w->drainer->front.metrics.errors[SL_DRAINER_ERROR_APPLY], 1);
    sl_metric_add(w->drainer->front.metrics.retries, 1);
    if (++w->tries == SL_APPLY_TRIES_QUIET || !passes)
        sl_log(passes ? SL_LOG_WARN : SL_LOG_ERROR, "apply to the downstream failed, trying again",
               sl_field_u64("worker", w->number), sl_field_i64("commit_ts", first_ts(w)),
               sl_field_err(err, sl_why(ctx)));
    sl_drainer_board_note(&w->drainer->front.board, SL_DRAINER_PART_APPLY,
                          passes ? SL_DRAINER_RETRYING : SL_DRAINER_HELD, err, sl_why(ctx)->text);
    sl_timer_arm(ctx, &w->retry, SL_DRAINER_RETRY, pause);
}

/* What was done of a transaction in several parts is undone with its connection, and the parts are
 * gone: only a start from the checkpoint has them all again. */
static enum sl_err give_up(const struct worker *w, enum sl_err err, struct sl_why *why)
{
    return sl_wrap(
        why, err,
        "commit ts %lld goes downstream in several parts, as it is large or the first to "
        "use a new version of a table, and was interrupted; it is begun again",
        (long long)first_ts(w));
}

static void note_well(struct worker *w)
{
    if (w->tries > 0)
        sl_drainer_board_note(&w->drainer->front.board, SL_DRAINER_PART_APPLY, SL_DRAINER_RUNNING,
                              SL_OK, NULL);
    w->tries = 0;
}

static enum sl_err work(struct sl_ctx *ctx, void *self)
{
    struct worker *w = self;

    while (w->part_count > 0 && !sl_timer_armed(&w->retry)) {
        uint32_t    count = batch_of(w);
        enum sl_err err = apply(w, count, sl_why(ctx));

        if (err == SL_STOPPED) /* another drainer has taken over: this one is at its end */
            return err;
        if (err != SL_OK && w->is_inside)
            return give_up(w, err, sl_why(ctx));
        if (err != SL_OK) {
            try_later(ctx, w, err);
            return SL_OK;
        }
        w->is_inside = w->parts[count - 1]->is_open;
        if (!w->is_inside)
            note_well(w);
        answer(ctx, w, count);
    }
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_drainer_args *a = args;
    struct worker                *w = self;

    (void)ctx;
    w->drainer = a->drainer;
    w->number = a->number;
    w->tries = w->drainer->is_resumed ? 1 : 0;
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct worker *w = self;

    if (msg->type == SL_DRAINER_RETRY)
        return SL_OK; /* work follows */
    SL_ASSERT(msg->type == SL_DRAINER_PART && w->part_count < SL_PART_CREDITS);
    w->parts[w->part_count++] = (struct sl_row_part *)(void *)sl_take(ctx);
    return SL_OK;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct worker *w = self;

    (void)ctx;
    for (uint32_t i = 0; i < w->part_count; i++)
        sl_msg_free(&w->parts[i]); /* the dispatcher hears SL_MSG_GONE */
    if (w->end != NULL)
        w->drainer->sink->ops->worker_close(w->end);
}

const struct sl_actor_class sl_drainer_worker_class = {
    .name = "worker",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct worker),
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .drained = work,
    .stop = stop,
};
