/* feeder and merger: blocks of ascending rows from k inputs, emitted in global order. */

#include "base/assert.h"
#include "sim/joins.h"

/* ---- feeder: sends its blocks as fast as its input takes them, with pauses of its own ---- */

enum { FEEDER_GO = SL_MSG_USER, PAUSE_ONE_IN = 4, PAUSE_MS_MAX = 5 };

struct feeder {
    struct joins_args   args;
    struct sl_timer     go;
    struct joins_block *pending; /* owned: made, and not sent yet */
    uint32_t            blocks;  /* sent */
    uint64_t            step;    /* of its rows: some feeders are far behind others in time */
    uint64_t            ts;
    bool                waiting;
};

static struct joins_block *block_new(struct sl_ctx *ctx, struct feeder *f)
{
    struct joins_block *b = sl_msg_new(struct joins_block, JOINS_BLOCK);

    b->input = f->args.input;
    b->last = f->blocks + 1 == joins_config.blocks;
    b->count = (uint32_t)sl_prng_range(sl_random(ctx), 1, JOINS_BLOCK_ROWS);
    for (uint32_t i = 0; i < b->count; i++) {
        f->ts += sl_prng_range(sl_random(ctx), 1, f->step);
        b->ts[i] = f->ts * JOINS_INPUTS_MAX + f->args.input + 1; /* unlike any other feeder's */
    }
    joins_seen.made += b->count;
    return b;
}

static void note_sent(struct sl_ctx *ctx, struct feeder *f)
{
    joins_entered(f->args.input);
    if (++f->blocks < joins_config.blocks)
        return;
    joins_seen.feeders_done++;
    sl_stop(ctx);
}

static void feed(struct sl_ctx *ctx, struct feeder *f)
{
    while (!f->waiting && !sl_timer_armed(&f->go) && f->blocks < joins_config.blocks) {
        enum sl_err err;

        if (f->pending == NULL)
            f->pending = block_new(ctx, f);
        err = sl_send(ctx, joins_input(ctx, f->args.input), f->args.to, &f->pending);
        if (err != SL_OK) {
            SL_ASSERT(err == SL_FULL);
            f->waiting = true;
            joins_wait(ctx, f->args.input);
            return;
        }
        note_sent(ctx, f);
        if (sl_prng_chance(sl_random(ctx), 1, PAUSE_ONE_IN))
            sl_timer_arm(ctx, &f->go, FEEDER_GO, sl_prng_below(sl_random(ctx), PAUSE_MS_MAX + 1));
    }
}

static enum sl_err feeder_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct feeder *f = self;

    f->args = *(const struct joins_args *)args;
    f->step = UINT64_C(1) << (2 * sl_prng_below(sl_random(ctx), 5));
    feed(ctx, f);
    return SL_OK;
}

static enum sl_err feeder_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    SL_ASSERT(msg->type == FEEDER_GO);
    feed(ctx, self);
    return SL_OK;
}

static enum sl_err feeder_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct feeder   *f = self;
    struct sl_permit permit;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_OPEN: f->waiting = false; break;
    case SL_MSG_GRANTED:
        f->waiting = false;
        permit = sl_permit_of(msg);
        sl_send_permitted(ctx, &permit, f->args.to, &f->pending);
        note_sent(ctx, f);
        break;
    case SL_MSG_GONE:
    case SL_MSG_CHILD_ENDED:
    case SL_SYSTEM_MSGS: SL_UNREACHABLE("a feeder asks nobody and has no children");
    }
    feed(ctx, f);
    return SL_OK;
}

static void feeder_stop(struct sl_ctx *ctx, void *self)
{
    struct feeder *f = self;

    (void)ctx;
    if (f->pending != NULL)
        sl_msg_free(&f->pending);
}

const struct sl_actor_class joins_feeder_class = {
    .name = "feeder",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct feeder),
    .waits_max = 1,
    .timers_max = 1,
    .start = feeder_start,
    .handle = feeder_handle,
    .system = feeder_system,
    .stop = feeder_stop,
};

/* ---- the merge ---- */

void joins_merge_put(struct joins_merge *m, struct joins_block *block)
{
    uint32_t input = block->input;

    SL_ASSERT(m->count[input] < JOINS_QUEUE_MAX);
    SL_ASSERT(block->ts[0] > m->reached[input]);
    m->queue[input][m->count[input]++] = block;
    m->reached[input] = block->last ? UINT64_MAX : block->ts[block->count - 1];
}

uint32_t joins_merge_minimum(const struct joins_merge *m)
{
    uint32_t minimum = 0;
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < joins_config.inputs; i++) {
        const struct joins_block *first = m->queue[i][0];
        uint64_t                  key = m->count[i] > 0 ? first->ts[first->used] : m->reached[i];

        if (key < least) {
            least = key;
            minimum = i;
        }
    }
    return minimum;
}

uint64_t joins_merge_take(struct joins_merge *m, uint32_t input)
{
    struct joins_block *first = m->queue[input][0];
    uint64_t            ts = first->ts[first->used++];

    SL_ASSERT(m->count[input] > 0);
    if (first->used < first->count)
        return ts;
    m->count[input]--;
    memmove(&m->queue[input][0], &m->queue[input][1], m->count[input] * sizeof(void *));
    joins_left(input);
    sl_msg_free(&first);
    return ts;
}

void joins_merge_free(struct joins_merge *m)
{
    for (uint32_t i = 0; i < JOINS_INPUTS_MAX; i++) {
        for (uint32_t q = 0; q < m->count[i]; q++)
            sl_msg_free(&m->queue[i][q]);
    }
}

/* ---- merger ---- */

static bool all_came(const struct joins_merge *m)
{
    for (uint32_t i = 0; i < joins_config.inputs; i++) {
        if (m->reached[i] != UINT64_MAX || m->count[i] > 0)
            return false;
    }
    return true;
}

static enum sl_err merger_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)args;
    joins_set_minimum(ctx, joins_merge_minimum(self));
    return SL_OK;
}

static enum sl_err merger_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct joins_merge *m = self;
    uint32_t            minimum;

    SL_ASSERT(msg->type == JOINS_BLOCK);
    joins_merge_put(m, (struct joins_block *)sl_take(ctx));
    while (minimum = joins_merge_minimum(m), m->count[minimum] > 0)
        joins_emit(joins_merge_take(m, minimum));
    joins_set_minimum(ctx, minimum);
    if (all_came(m))
        sl_stop(ctx);
    return SL_OK;
}

static void merger_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    joins_merge_free(self);
}

const struct sl_actor_class joins_merger_class = {
    .name = "merger",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct joins_merge),
    .start = merger_start,
    .handle = merger_handle,
    .stop = merger_stop,
};
