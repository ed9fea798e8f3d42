/* checkpointer: does what must not interleave with rows: saves how far all is applied, runs DDL,
 * and says what the downstream's tables look like. One thing at a time, in the order asked. As the
 * workers, it tries until it can; the dispatcher does not go on before.
 *
 * On the peer lane: a thread of its own, which waits for the downstream. */

#include <inttypes.h>
#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/sink.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/actor.h"

struct checkpointer {
    struct sl_drainer *drainer;
    struct sl_msg     *waiting[SL_KEEP_CREDITS]; /* owned: questions, oldest first */
    uint32_t           waiting_count;
    uint32_t           tries;
    struct sl_timer    retry;
};

/* ---- the three questions ---- */

static void note_saved(struct checkpointer *c, sl_ts ts, int64_t schema_version)
{
    const struct sl_drainer_metrics *metrics = &c->drainer->front.metrics;
    int64_t                          clock_ms =
        sl_drainer_board_clock_ms(&c->drainer->front.board, sl_env_now(c->drainer->options.env));

    sl_metric_add(metrics->events[SL_DRAINER_EVENT_SAVEPOINT], 1);
    sl_drainer_metrics_since(metrics->checkpoint_delay_seconds, clock_ms, ts);
    atomic_store_explicit(&c->drainer->front.board.schema_version, schema_version,
                          memory_order_relaxed);
    atomic_store_explicit(&c->drainer->front.board.saved_ts, ts, memory_order_relaxed);
}

static enum sl_err save(struct checkpointer *c, const struct sl_drainer_save *question,
                        struct sl_why *why)
{
    const struct sl_checkpoint checkpoint = {.commit_ts = question->ts,
                                             .schema_version = question->schema_version,
                                             .is_consistent = question->is_last};
    struct sl_sink            *sink = c->drainer->sink;
    enum sl_err                err = sink->ops->save(sink, &checkpoint, why);

    if (err != SL_OK)
        return sl_wrap(why, err, "save the checkpoint");
    note_saved(c, question->ts, question->schema_version);
    return SL_OK;
}

/* Where in the stream, and what can be done about one that will not pass by itself. */
static enum sl_err refused(const struct sl_window_ddl *ddl, enum sl_err err, struct sl_why *why)
{
    struct sl_why inner = *why;

    if (sl_err_is_transient(err) || err == SL_STOPPED)
        return sl_wrap(why, err, "behind commit ts %" PRId64 ": run DDL job %" PRId64, ddl->before,
                       ddl->job_id);
    return sl_fail(why, err,
                   "behind commit ts %" PRId64 ": run DDL job %" PRId64
                   ": %.220s; it is tried again until it can be done; or do by hand what it means, "
                   "and start with ignore-txn-commit-ts = [%" PRId64 "]",
                   ddl->before, ddl->job_id, inner.text, ddl->is_early ? ddl->job_id : ddl->after);
}

static enum sl_err run_ddl(struct checkpointer *c, const struct sl_drainer_ddl *question,
                           struct sl_why *why)
{
    const struct sl_window_ddl *ddl = question->ddl;
    struct sl_sink             *sink = c->drainer->sink;
    enum sl_err                 err = sink->ops->ddl(sink, ddl, question->schema_version, why);

    if (err != SL_OK)
        return refused(ddl, err, why);
    atomic_fetch_add_explicit(&c->drainer->front.board.ddls, 1, memory_order_relaxed);
    sl_metric_add(c->drainer->front.metrics.events[SL_DRAINER_EVENT_DDL], 1);
    note_saved(c, ddl->after, ddl->schema_version);
    return SL_OK;
}

static enum sl_err describe(struct checkpointer *c, const struct sl_drainer_describe *question,
                            struct sl_drainer_described *answer, struct sl_why *why)
{
    struct sl_sink *sink = c->drainer->sink;
    enum sl_err     err = sink->ops->describe(sink, question->table, &answer->described, why);

    if (err == SL_NOT_FOUND)
        sl_fail(why, err,
                "the downstream has no table %s.%s, which has rows to be applied: create it "
                "there, or filter it",
                (const char *)question->table->schema.bytes,
                (const char *)question->table->name.bytes);
    answer->table = sl_table_ref(question->table);
    return err;
}

/* ---- working ---- */

/* Once; *answer is the message that answers. */
static enum sl_err serve(struct checkpointer *c, struct sl_msg *question, struct sl_msg **answer,
                         struct sl_why *why)
{
    struct sl_drainer_described *described;
    enum sl_err                  err;

    if (question->type == SL_DRAINER_DESCRIBE) {
        described = sl_drainer_described_new();
        err =
            describe(c, (const struct sl_drainer_describe *)(const void *)question, described, why);
        if (err == SL_OK)
            *answer = &described->hdr;
        else
            sl_msg_free(&described);
        return err;
    }
    err = question->type == SL_DRAINER_SAVE
              ? save(c, (const struct sl_drainer_save *)(const void *)question, why)
              : run_ddl(c, (const struct sl_drainer_ddl *)(const void *)question, why);
    if (err == SL_OK)
        *answer = sl_msg_alloc(sizeof **answer, SL_DRAINER_DONE, NULL);
    return err;
}

static void try_later(struct sl_ctx *ctx, struct checkpointer *c, enum sl_err err)
{
    bool passes = sl_err_is_transient(err);

    sl_metric_add(c->drainer->front.metrics.errors[SL_DRAINER_ERROR_CHECKPOINT], 1);
    if (c->tries++ == 0 || !passes)
        sl_log(passes ? SL_LOG_WARN : SL_LOG_ERROR, "the downstream refuses, trying again",
               sl_field_err(err, sl_why(ctx)));
    sl_drainer_board_note(&c->drainer->front.board, SL_DRAINER_PART_CHECKPOINT,
                          passes ? SL_DRAINER_RETRYING : SL_DRAINER_HELD, err, sl_why(ctx)->text);
    sl_timer_arm(ctx, &c->retry, SL_DRAINER_RETRY, passes ? SL_APPLY_RETRY_MS : SL_APPLY_HELD_MS);
}

static enum sl_err work(struct sl_ctx *ctx, void *self)
{
    struct checkpointer *c = self;

    while (c->waiting_count > 0 && !sl_timer_armed(&c->retry)) {
        struct sl_msg  *answer = NULL;
        struct sl_asker asker;
        enum sl_err     err = serve(c, c->waiting[0], &answer, sl_why(ctx));

        if (err == SL_STOPPED) /* another drainer has taken over: this one is at its end */
            return err;
        if (err != SL_OK) {
            try_later(ctx, c, err);
            return SL_OK;
        }
        if (c->tries > 0)
            sl_drainer_board_note(&c->drainer->front.board, SL_DRAINER_PART_CHECKPOINT,
                                  SL_DRAINER_RUNNING, SL_OK, NULL);
        c->tries = 0;
        asker = sl_asker_of(c->waiting[0]);
        sl_msg_discard(c->waiting[0], &c->waiting[0]);
        c->waiting_count--;
        memmove(c->waiting, c->waiting + 1, c->waiting_count * sizeof(struct sl_msg *));
        sl_reply_msg(ctx, asker, answer, &answer);
    }
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct checkpointer *)self)->drainer = ((const struct sl_drainer_args *)args)->drainer;
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct checkpointer *c = self;

    if (msg->type == SL_DRAINER_RETRY)
        return SL_OK; /* work follows */
    SL_ASSERT(c->waiting_count < SL_KEEP_CREDITS);
    c->waiting[c->waiting_count++] = sl_take(ctx);
    return SL_OK;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct checkpointer *c = self;

    (void)ctx;
    for (uint32_t i = 0; i < c->waiting_count; i++)
        sl_msg_discard(c->waiting[i], &c->waiting[i]); /* the dispatcher hears SL_MSG_GONE */
}

const struct sl_actor_class sl_drainer_checkpointer_class = {
    .name = "checkpointer",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct checkpointer),
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .drained = work,
    .stop = stop,
};
