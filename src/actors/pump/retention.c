/* retention: makes the index survive (checkpoints), watches the free space, looks for damage in the
 * logs (scrub.h), tells of drainers that lag, and removes what is old and needed by nobody.
 *
 * What may go. The gc point is the present (of the timestamp door, never the wall clock) less the
 * retention time, and never above what is complete here, nor above what any drainer that is not
 * offline has yet to read. It is made durable and public first. Then, with a margin of
 * SL_GC_MARGIN_MS below it, shard after shard:
 *
 *     scan         how far back in the log do the transactions reach that must stay?
 *     trim         the indexer removes what is older, and names the oldest offset it still needs
 *     checkpoint   so that no crash brings back what points into removed segments
 *     cut the log  the shard writer removes the segments before the least of these offsets
 *     cut large    the spooler removes the large entities whose records went with them
 *
 * A segment thus stays while it holds a record of a transaction above the margin, or of an
 * unresolved one. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/pump/gc_point.h"
#include "actors/pump/gc_scan.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/scrub.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/cluster.h"

enum phase { PHASE_IDLE, PHASE_SCAN, PHASE_TRIM, PHASE_CUT, PHASE_LARGE };

struct retention {
    struct sl_pump     *pump;
    struct sl_cluster  *cluster; /* owned */
    struct sl_registry *registry;
    struct sl_timer     checkpoint;
    struct sl_timer     space;
    struct sl_timer     round;
    struct sl_timer     look;
    struct sl_timer     go_on;
    struct sl_timer     scrub_due;
    struct sl_scrub     scrub;
    sl_ts               checkpointed; /* newest commit ts at the last checkpoint */
    enum phase          phase;
    uint32_t            k;      /* the shard of this phase */
    sl_ts               remove; /* commit ts at or below this go in this round */
    uint64_t            oldest; /* log offset that must stay */
    struct sl_gc_scan   scans[SL_PUMP_SHARDS_MAX];
};

/* ---- checkpoints and space ---- */

static enum sl_err checkpoint(struct retention *r, struct sl_why *why)
{
    sl_ts       newest = atomic_load_explicit(&r->pump->board.newest_commit, memory_order_relaxed);
    sl_nanos    before = sl_env_now(r->pump->options.env);
    enum sl_err err = sl_index_checkpoint(r->pump->index, why);

    sl_metric_observe(r->pump->metrics.checkpoint_seconds,
                      (double)(sl_env_now(r->pump->options.env) - before) / (double)SL_NANOS_PER_S);
    if (err == SL_OK)
        r->checkpointed = newest;
    else
        sl_log(SL_LOG_ERROR, "index checkpoint failed", sl_field_err(err, why));
    return err;
}

static enum sl_err checkpoint_due(struct sl_ctx *ctx, struct retention *r)
{
    sl_ts       newest = atomic_load_explicit(&r->pump->board.newest_commit, memory_order_relaxed);
    enum sl_err err = SL_OK;

    if (newest != r->checkpointed)
        err = checkpoint(r, sl_why(ctx));
    sl_timer_arm(ctx, &r->checkpoint, SL_PUMP_CHECKPOINT_DUE, SL_CHECKPOINT_MS);
    return err == SL_CORRUPT ? err : SL_OK;
}

static void look_at_space(struct sl_ctx *ctx, struct retention *r)
{
    struct sl_why why = {0};
    enum sl_err   err = sl_pump_look_at_space(r->pump, &why);

    if (err != SL_OK)
        sl_log(SL_LOG_ERROR, "free space is not known", sl_field_err(err, &why));
    sl_timer_arm(ctx, &r->space, SL_PUMP_SPACE_DUE, SL_SPACE_MS);
}

static void scrub(struct sl_ctx *ctx, struct retention *r)
{
    bool is_over = sl_scrub_step(&r->scrub, r->pump);

    sl_timer_arm(ctx, &r->scrub_due, SL_PUMP_SCRUB_DUE,
                 is_over ? SL_SCRUB_PASS_MS : SL_SCRUB_STEP_MS);
}

/* ---- the point ---- */

/* Everything at or below it is consumed by every drainer that is not offline; INT64_MAX: there are
 * none. */
static enum sl_err drainers_need(struct retention *r, sl_ts *out, struct sl_why *why)
{
    struct sl_node_list list;
    enum sl_err         err = sl_registry_list(r->registry, SL_NODE_DRAINER, &list, why);

    *out = INT64_MAX;
    if (err != SL_OK)
        return err;
    for (size_t i = 0; i < list.count; i++)
        if (list.nodes[i].state != SL_NODE_OFFLINE && list.nodes[i].max_commit_ts < *out)
            *out = list.nodes[i].max_commit_ts;
    sl_node_list_free(&list);
    return SL_OK;
}

/* All but what drainers need. */
static struct sl_gc_facts facts_of(const struct retention *r)
{
    const struct sl_pump_board *board = &r->pump->board;

    return (struct sl_gc_facts){
        .now = atomic_load_explicit(&board->newest_ts, memory_order_relaxed),
        .keep_ms = r->pump->options.gc_ms,
        .complete = sl_pump_max_commit_ts(r->pump),
        .drainers = INT64_MAX,
        .present = atomic_load_explicit(&board->gc_ts, memory_order_relaxed)};
}

/* The new gc point, or no change. */
static enum sl_err choose_point(struct retention *r, sl_ts *point, struct sl_why *why)
{
    struct sl_gc_facts facts = facts_of(r);
    enum sl_err        err = drainers_need(r, &facts.drainers, why);

    if (err != SL_OK)
        return err;
    *point = sl_gc_point(&facts);
    return SL_OK;
}

/* ---- drainers that lag ---- */

/* Nothing is removed that a drainer has yet to read, so one that lags fills the disk: somebody
 * should look at it (pump spec 3.9). */
static void tell_lag(const struct sl_gc_facts *facts, const struct sl_node *drainer,
                     enum sl_gc_lag lag)
{
    sl_ts old = sl_gc_below(facts->now, facts->keep_ms);

    sl_log(lag == SL_GC_LAG_KEPT ? SL_LOG_ERROR : SL_LOG_WARN,
           lag == SL_GC_LAG_KEPT
               ? "drainer's checkpoint is older than pump gc ts, binlogs are kept for it"
               : "drainer's checkpoint will soon be older than pump gc ts",
           sl_field_str("drainer", drainer->id),
           sl_field_str("state", sl_node_state_name(drainer->state)),
           sl_field_i64("checkpoint", drainer->max_commit_ts), sl_field_i64("gc_ts", old));
}

static void look_at_drainers(struct sl_ctx *ctx, struct retention *r)
{
    const struct sl_gc_facts facts = facts_of(r);
    struct sl_node_list      list;
    struct sl_why            why = {0};
    enum sl_err              err = sl_registry_list(r->registry, SL_NODE_DRAINER, &list, &why);

    sl_timer_arm(ctx, &r->look, SL_PUMP_RETRY, SL_GC_LOOK_MS);
    if (err != SL_OK) {
        sl_log(SL_LOG_WARN, "list drainers failed", sl_field_err(err, &why));
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct sl_node *drainer = &list.nodes[i];
        enum sl_gc_lag        lag = sl_gc_lag_of(&facts, drainer->max_commit_ts);

        if (drainer->state == SL_NODE_OFFLINE || lag == SL_GC_LAG_NONE)
            continue;
        sl_metric_add(sl_pump_metrics_purge(&r->pump->metrics, drainer->id), 1);
        tell_lag(&facts, drainer, lag);
    }
    sl_node_list_free(&list);
}

/* ---- a round ---- */

static void end_round(struct sl_ctx *ctx, struct retention *r)
{
    r->phase = PHASE_IDLE;
    sl_timer_arm(ctx, &r->round, SL_PUMP_TICK, SL_GC_PERIOD_MS);
}

static void give_up_round(struct sl_ctx *ctx, struct retention *r, enum sl_err err,
                          const struct sl_why *why)
{
    sl_log(SL_LOG_ERROR, "gc round failed, the next one goes on", sl_field_err(err, why));
    end_round(ctx, r);
}

static void begin_round(struct sl_ctx *ctx, struct retention *r)
{
    struct sl_why why = {0};
    sl_ts         point;
    enum sl_err   err = choose_point(r, &point, &why);

    if (err == SL_OK && point > atomic_load_explicit(&r->pump->board.gc_ts, memory_order_relaxed))
        err = sl_pump_publish_gc(r->pump, point, &why);
    if (err != SL_OK) {
        give_up_round(ctx, r, err, &why);
        return;
    }
    r->remove = sl_gc_below(point, SL_GC_MARGIN_MS);
    if (r->remove <= 0) {
        end_round(ctx, r);
        return;
    }
    sl_log(SL_LOG_INFO, "send gc request to storage", sl_field_i64("gcTS", point));
    r->k = 0;
    r->phase = PHASE_SCAN;
    sl_timer_arm(ctx, &r->go_on, SL_PUMP_DUE, 0);
}

static void ask_trim(struct sl_ctx *ctx, struct retention *r)
{
    struct sl_pump_trim *trim = sl_msg_new(struct sl_pump_trim, SL_PUMP_TRIM);

    r->phase = PHASE_TRIM;
    trim->up_to = r->remove;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_TRIM, 0), r->pump->shard[r->k].indexer_ref, 0, &trim) !=
        SL_OK)
        SL_UNREACHABLE("retention asks one thing at a time");
}

/* The next piece of the scan of shard k; behind the last one, the indexer is asked. */
static void scan(struct sl_ctx *ctx, struct retention *r)
{
    struct sl_gc_scan *s = &r->scans[r->k];
    struct sl_why      why = {0};
    bool               more;
    sl_ts       until = atomic_load_explicit(&r->pump->board.watermark[r->k], memory_order_relaxed);
    enum sl_err err = sl_gc_scan_step(s, r->pump->shard[r->k].index, until, &more, &why);

    if (err != SL_OK) {
        give_up_round(ctx, r, err, &why);
        return;
    }
    if (more) {
        sl_timer_arm(ctx, &r->go_on, SL_PUMP_DUE, 0);
        return;
    }
    r->oldest = sl_gc_scan_least_above(s, r->remove);
    sl_gc_scan_forget(s, r->remove);
    ask_trim(ctx, r);
}

static void cut_log(struct sl_ctx *ctx, struct retention *r)
{
    struct sl_pump_cut_log *cut;
    struct sl_why           why = {0};
    enum sl_err             err = checkpoint(r, &why);

    if (err != SL_OK) {
        give_up_round(ctx, r, err, &why);
        return;
    }
    r->phase = PHASE_CUT;
    cut = sl_msg_new(struct sl_pump_cut_log, SL_PUMP_CUT_LOG);
    cut->before = r->oldest;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_TRIM, 0), r->pump->shard[r->k].writer_ref, 0, &cut) !=
        SL_OK)
        SL_UNREACHABLE("retention asks one thing at a time");
}

static void cut_large(struct sl_ctx *ctx, struct retention *r, uint64_t first)
{
    struct sl_pump_cut_log *cut = sl_msg_new(struct sl_pump_cut_log, SL_PUMP_CUT_LARGE);

    r->phase = PHASE_LARGE;
    cut->before = first;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_TRIM, 0), r->pump->shard[r->k].spooler_ref, 0, &cut) !=
        SL_OK)
        SL_UNREACHABLE("retention asks one thing at a time");
}

static void trimmed(struct sl_ctx *ctx, struct retention *r, const struct sl_pump_trimmed *t)
{
    sl_metric_add(r->pump->metrics.deleted_kv, t->removed);
    if (t->removed == SL_INDEX_CUT_ITEMS_MAX) {
        ask_trim(ctx, r);
        return;
    }
    if (t->oldest < r->oldest)
        r->oldest = t->oldest;
    cut_log(ctx, r);
}

static void shard_done(struct sl_ctx *ctx, struct retention *r)
{
    if (++r->k < r->pump->options.shards) {
        r->phase = PHASE_SCAN;
        sl_timer_arm(ctx, &r->go_on, SL_PUMP_DUE, 0);
        return;
    }
    sl_metric_set(r->pump->metrics.done_gc_ms, (double)sl_ts_physical_ms(r->remove));
    end_round(ctx, r);
}

/* ---- hooks ---- */

static enum sl_err retention_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct retention          *r = self;
    enum sl_err                err;

    r->pump = a->pump;
    err = sl_cluster_open(sl_env(ctx), a->pump->options.pd_urls, &r->cluster, sl_why(ctx));
    if (err != SL_OK)
        return err;
    r->registry = sl_cluster_registry(r->cluster);
    sl_timer_arm(ctx, &r->checkpoint, SL_PUMP_CHECKPOINT_DUE, SL_CHECKPOINT_MS);
    sl_timer_arm(ctx, &r->space, SL_PUMP_SPACE_DUE, SL_SPACE_MS);
    sl_timer_arm(ctx, &r->round, SL_PUMP_TICK, SL_GC_PERIOD_MS);
    sl_timer_arm(ctx, &r->scrub_due, SL_PUMP_SCRUB_DUE, SL_SCRUB_STEP_MS);
    sl_timer_arm(ctx, &r->look, SL_PUMP_RETRY, SL_GC_LOOK_MS);
    return SL_OK;
}

/* POST /debug/gc/trigger */
static void trigger(struct sl_ctx *ctx, struct retention *r, struct sl_msg *question)
{
    struct sl_asker asker = sl_asker_of(question);

    if (r->phase == PHASE_IDLE) {
        struct sl_msg *done = sl_msg_new(struct sl_msg, SL_PUMP_DONE);

        sl_log(SL_LOG_INFO, "trigger gc now");
        sl_reply_msg(ctx, asker, done, &done); /* the registry may let us wait */
        sl_timer_disarm(ctx, &r->round);
        look_at_drainers(ctx, r);
        begin_round(ctx, r);
    } else {
        struct sl_pump_failed *failed = sl_pump_failed_new(SL_IN_USE, NULL);

        sl_reply(ctx, asker, &failed);
    }
}

static enum sl_err retention_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct retention *r = self;

    switch (msg->type) {
    case SL_PUMP_CHECKPOINT_DUE: return checkpoint_due(ctx, r);
    case SL_PUMP_SPACE_DUE: look_at_space(ctx, r); return SL_OK;
    case SL_PUMP_SCRUB_DUE: scrub(ctx, r); return SL_OK;
    case SL_PUMP_TICK: begin_round(ctx, r); return SL_OK;
    case SL_PUMP_RETRY: look_at_drainers(ctx, r); return SL_OK;
    case SL_PUMP_DUE: scan(ctx, r); return SL_OK;
    case SL_PUMP_GC: trigger(ctx, r, msg); return SL_OK;
    case SL_PUMP_TRIMMED:
        trimmed(ctx, r, (const struct sl_pump_trimmed *)(void *)msg);
        return SL_OK;
    case SL_PUMP_LOG_CUT:
        cut_large(ctx, r, ((const struct sl_pump_log_cut *)(void *)msg)->first);
        return SL_OK;
    case SL_PUMP_DONE: shard_done(ctx, r); return SL_OK;
    case SL_PUMP_FAILED: {
        const struct sl_pump_failed *failed = (const struct sl_pump_failed *)(void *)msg;

        give_up_round(ctx, r, failed->err, &failed->why);
        return SL_OK;
    }
    default: SL_UNREACHABLE("no message of retention");
    }
}

static void retention_stop(struct sl_ctx *ctx, void *self)
{
    struct retention *r = self;

    (void)ctx;
    for (uint32_t k = 0; k < SL_PUMP_SHARDS_MAX; k++)
        sl_gc_scan_done(&r->scans[k]);
    sl_scrub_done(&r->scrub);
    sl_cluster_free(&r->cluster);
}

static enum sl_err retention_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    return SL_OK; /* GONE: whoever was asked has ended, and the pump is ending */
}

const struct sl_actor_class sl_pump_retention_class = {
    .name = "retention",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct retention),
    .questions_max = 1,
    .timers_max = 6,
    .start = retention_start,
    .handle = retention_handle,
    .system = retention_system,
    .stop = retention_stop,
};
