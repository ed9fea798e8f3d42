/* The indexer with pauses: what it tells pullers is held and goes out later, or, for the canary,
 * what it brings into the index. */

#include "actors/pump/cut.h"
#include "runtime/actor.h"
#include "sim/pump_pause.h"
#include "storage/index.h"

static void        hold_answer(struct sl_ctx *ctx, struct sl_asker asker, struct sl_msg *msg,
                               void *pointer_to_null);
static enum sl_err hold_cut(struct sl_index_shard *shard, const struct sl_pump_cut *cut,
                            struct sl_cut_result *result, struct sl_why *why);
static struct sl_index_head promised_head(struct sl_index_shard *shard);

#define sl_pump_indexer_class plain_indexer_class
#define sl_reply_msg hold_answer
#define sl_cut_apply hold_cut
#define sl_index_head_of promised_head
#include "actors/pump/indexer.c"
#undef sl_pump_indexer_class
#undef sl_reply_msg
#undef sl_cut_apply
#undef sl_index_head_of

#include <stdlib.h>

enum { CUTS_MAX = 256 };

/* A watermark that was not told yet. */
struct held {
    struct sl_asker asker;
    sl_ts           watermark;
    uint64_t        log_end;
};

struct pausing {
    struct indexer      plain; /* first: the hooks of the plain one take it for their state */
    struct held         held[SL_PULLERS_MAX];
    uint32_t            held_count;
    struct sl_pump_cut *cuts[CUTS_MAX]; /* owned: promised, not in the index */
    uint32_t            cut_count;
    struct sl_timer     goes_on;
};

/* Whose hook runs: the simulation has one thread. */
static struct pausing *running;

static void arm(struct sl_ctx *ctx, struct pausing *p)
{
    if (!sl_timer_armed(&p->goes_on))
        sl_timer_arm(ctx, &p->goes_on, SL_PUMP_DUE, sl_prng_below(sl_random(ctx), PAUSE_MS_MAX));
}

static void hold_answer(struct sl_ctx *ctx, struct sl_asker asker, struct sl_msg *msg,
                        void *pointer_to_null)
{
    const struct sl_pump_watermark *told = (const struct sl_pump_watermark *)(const void *)msg;

    if (pump_pause != PAUSE_BEFORE_VISIBLE || msg->type != SL_PUMP_WATERMARK ||
        running->held_count == SL_PULLERS_MAX) {
        sl_reply_msg(ctx, asker, msg, pointer_to_null);
        return;
    }
    pump_pauses++;
    running->held[running->held_count++] =
        (struct held){.asker = asker, .watermark = told->watermark, .log_end = told->log_end};
    sl_msg_discard(msg, pointer_to_null);
    arm(ctx, running);
}

static enum sl_err bring_in(struct pausing *p, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (uint32_t i = 0; i < p->cut_count; i++) {
        struct sl_cut_result result;

        if (err == SL_OK)
            err = sl_cut_apply(p->plain.shard->index, p->cuts[i], &result, why);
        free(p->cuts[i]);
    }
    p->cut_count = 0;
    return err;
}

static enum sl_err hold_cut(struct sl_index_shard *shard, const struct sl_pump_cut *cut,
                            struct sl_cut_result *result, struct sl_why *why)
{
    struct sl_pump_cut *copy;

    if (pump_pause != PAUSE_BEFORE_INDEX)
        return sl_cut_apply(shard, cut, result, why);
    copy = malloc(sizeof *copy);
    SL_ASSERT(copy != NULL && running->cut_count < CUTS_MAX);
    *copy = *cut;
    running->cuts[running->cut_count++] = copy;
    pump_pauses++;
    *result = (struct sl_cut_result){0};
    return SL_OK;
}

static struct sl_index_head promised_head(struct sl_index_shard *shard)
{
    return running->cut_count > 0 ? running->cuts[running->cut_count - 1]->head
                                  : sl_index_head_of(shard);
}

static enum sl_err let_go(struct sl_ctx *ctx, struct pausing *p)
{
    for (uint32_t i = 0; i < p->held_count; i++) {
        struct sl_pump_watermark *told = sl_msg_new(struct sl_pump_watermark, SL_PUMP_WATERMARK);

        told->watermark = p->held[i].watermark;
        told->log_end = p->held[i].log_end;
        sl_reply(ctx, p->held[i].asker, &told);
    }
    p->held_count = 0;
    return bring_in(p, sl_why(ctx));
}

/* ---- hooks ---- */

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct pausing *p = self;
    enum sl_err     err;

    running = p;
    err = msg->type == SL_PUMP_DUE ? let_go(ctx, p) : indexer_handle(ctx, self, msg);
    if (p->cut_count > 0)
        arm(ctx, p);
    return err;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    running = self;
    indexer_stop(ctx, self);
    (void)let_go(ctx, self);
}

const struct sl_actor_class sl_pump_indexer_class = {
    .name = "indexer",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct pausing),
    .timers_max = 2,
    .start = indexer_start,
    .handle = handle,
    .stop = stop,
};
