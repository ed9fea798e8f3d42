/* decoder: turns the planned rows of a window into changes (binlog/change.h). Windows go round
 * robin over the decoders, and the dispatcher puts them in order again. A row that cannot be
 * decoded makes the window one that cannot be applied; what was decoded before it is not applied
 * either. */

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "binlog/event_filter.h"
#include "runtime/actor.h"

struct decoder {
    struct sl_drainer *drainer;
};

static bool is_skipped(const struct sl_window_plan *plan, enum sl_change_kind kind)
{
    static const enum sl_event_kind events[] = {[SL_CHANGE_INSERT] = SL_EVENT_INSERT,
                                                [SL_CHANGE_UPDATE] = SL_EVENT_UPDATE,
                                                [SL_CHANGE_DELETE] = SL_EVENT_DELETE};

    return (plan->kinds_skipped & 1u << events[kind]) != 0;
}

static enum sl_err decode_plan(const struct decoder *d, struct sl_window *w,
                               const struct sl_window_plan *plan)
{
    const struct sl_row_context context = {.table = plan->table,
                                           .written_as = plan->written_as,
                                           .zone = d->drainer->zone,
                                           .arena = &w->arena,
                                           .escapes_html = plan->is_old};
    struct sl_row_walk          walk = plan->rows;
    struct sl_raw_row           row;
    enum sl_err                 err;

    sl_window_reserve(w, plan->row_count);
    for (uint64_t i = 0; i < plan->row_count; i++) {
        struct sl_window_change *out = &w->changes[w->change_count];

        if ((err = sl_row_walk_next(&walk, &row, &w->why)) != SL_OK)
            return err;
        if (is_skipped(plan, row.kind)) {
            sl_metric_add(d->drainer->front.metrics.skipped[SL_DRAINER_SKIP_EVENT], 1);
            continue;
        }
        if ((err = sl_row_decode(&context, &row, &out->change, &w->why)) != SL_OK)
            return err;
        out->txn = plan->txn;
        out->ordinal = plan->first_ordinal + i;
        out->keys = NULL;
        w->change_count++;
    }
    return SL_OK;
}

static void decode(const struct decoder *d, struct sl_window *w)
{
    uint32_t next_ddl = 0;

    for (uint32_t i = 0; i < w->plan_count && w->err == SL_OK; i++) {
        const struct sl_window_plan *plan = &w->plans[i];
        const struct sl_window_txn  *txn = &w->txns[plan->txn];

        for (; next_ddl < w->ddl_count && w->ddls[next_ddl].at_plan <= i; next_ddl++)
            w->ddls[next_ddl].at_change = w->change_count;
        w->err = decode_plan(d, w, plan);
        if (w->err != SL_OK)
            sl_wrap(&w->why, w->err, "commit ts %lld: table %s.%s", (long long)txn->commit_ts,
                    (const char *)plan->table->schema.bytes, (const char *)plan->table->name.bytes);
    }
    for (; next_ddl < w->ddl_count; next_ddl++)
        w->ddls[next_ddl].at_change = w->change_count;
}

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct decoder *)self)->drainer = ((const struct sl_drainer_args *)args)->drainer;
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct decoder     *d = self;
    struct sl_drainer_window *window;

    SL_ASSERT(msg->type == SL_DRAINER_DECODE);
    window = (struct sl_drainer_window *)(void *)sl_take(ctx);
    decode(d, window->window);
    sl_forward(ctx, atomic_load(&d->drainer->front.dispatcher_ref), SL_DRAINER_DISPATCH, &window);
    return SL_OK;
}

const struct sl_actor_class sl_drainer_decoder_class = {
    .name = "decoder",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct decoder),
    .start = start,
    .handle = handle,
};
