/* planner, decoders and gate: numbered work, finished out of order, put into order again. */

#include "base/assert.h"
#include "sim/joins.h"

/* ---- planner: each number has its decoder; it deals ahead where there is room ---- */

struct planner {
    struct joins_args  args;
    struct joins_work *pending[JOINS_INPUTS_MAX]; /* owned: the next one of each decoder */
    uint64_t           next[JOINS_INPUTS_MAX];    /* number from which to look for the one after */
    bool               waiting[JOINS_INPUTS_MAX];
};

/* The next work of this decoder, or NULL. */
static struct joins_work *plan(struct planner *p, uint32_t d)
{
    while (p->next[d] < joins_config.works && joins_owner(p->next[d]) != d)
        p->next[d]++;
    if (p->next[d] == joins_config.works)
        return NULL;
    p->pending[d] = sl_msg_new(struct joins_work, JOINS_WORK);
    p->pending[d]->number = p->next[d]++;
    joins_seen.made++;
    return p->pending[d];
}

static void deal_to(struct sl_ctx *ctx, struct planner *p, uint32_t d)
{
    while (!p->waiting[d] && (p->pending[d] != NULL || plan(p, d) != NULL)) {
        enum sl_err err = sl_send(ctx, joins_input(ctx, d), p->args.decoder[d], &p->pending[d]);

        if (err != SL_OK) {
            SL_ASSERT(err == SL_FULL);
            p->waiting[d] = true;
            joins_wait(ctx, d);
            return;
        }
        joins_entered(d);
    }
}

static void deal(struct sl_ctx *ctx, struct planner *p)
{
    uint32_t first = (uint32_t)sl_prng_below(sl_random(ctx), joins_config.inputs);

    for (uint32_t i = 0; i < joins_config.inputs; i++)
        deal_to(ctx, p, (first + i) % joins_config.inputs);
}

static enum sl_err planner_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct planner *p = self;

    p->args = *(const struct joins_args *)args;
    deal(ctx, p);
    return SL_OK;
}

static enum sl_err planner_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    SL_PANIC("nobody writes to the planner, type %u came", msg->type);
}

static enum sl_err planner_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct planner  *p = self;
    uint32_t         d = (uint32_t)msg->tag;
    struct sl_permit permit;

    if (msg->type == SL_MSG_STOP) {
        sl_stop(ctx);
        return SL_OK;
    }
    SL_ASSERT(p->waiting[d]);
    p->waiting[d] = false;
    if (msg->type == SL_MSG_GRANTED) {
        permit = sl_permit_of(msg);
        sl_send_permitted(ctx, &permit, p->args.decoder[d], &p->pending[d]);
        joins_entered(d);
    }
    deal(ctx, p);
    return SL_OK;
}

static void planner_stop(struct sl_ctx *ctx, void *self)
{
    struct planner *p = self;

    (void)ctx;
    for (uint32_t d = 0; d < JOINS_INPUTS_MAX; d++) {
        if (p->pending[d] != NULL)
            sl_msg_free(&p->pending[d]);
    }
}

const struct sl_actor_class joins_planner_class = {
    .name = "planner",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct planner),
    .waits_max = JOINS_INPUTS_MAX,
    .start = planner_start,
    .handle = planner_handle,
    .system = planner_system,
    .stop = planner_stop,
};

/* ---- decoder: finishes what it has in any order, after any time ---- */

enum { DECODER_DONE = JOINS_WORK + 1, DECODE_MS_MAX = 3 };

struct decoder {
    struct joins_args  args;
    struct sl_timer    done;
    struct joins_work *work[JOINS_QUEUE_MAX]; /* owned */
    uint32_t           count;
};

static enum sl_err decoder_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct decoder *)self)->args = *(const struct joins_args *)args;
    return SL_OK;
}

static void decode(struct sl_ctx *ctx, struct decoder *d)
{
    if (d->count > 0 && !sl_timer_armed(&d->done))
        sl_timer_arm(ctx, &d->done, DECODER_DONE, sl_prng_below(sl_random(ctx), DECODE_MS_MAX + 1));
}

static enum sl_err decoder_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct decoder *d = self;

    if (msg->type == JOINS_WORK) {
        SL_ASSERT(d->count < JOINS_QUEUE_MAX);
        d->work[d->count++] = (struct joins_work *)sl_take(ctx);
    } else {
        uint64_t any = sl_prng_below(sl_random(ctx), d->count);

        sl_forward(ctx, d->args.to, JOINS_WORK, &d->work[any]);
        d->work[any] = d->work[--d->count];
    }
    decode(ctx, d);
    return SL_OK;
}

static void decoder_stop(struct sl_ctx *ctx, void *self)
{
    struct decoder *d = self;

    (void)ctx;
    for (uint32_t i = 0; i < d->count; i++)
        sl_msg_free(&d->work[i]);
}

const struct sl_actor_class joins_decoder_class = {
    .name = "decoder",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct decoder),
    .timers_max = 1,
    .start = decoder_start,
    .handle = decoder_handle,
    .stop = decoder_stop,
};

/* ---- gate ---- */

struct gate {
    struct joins_work *held[JOINS_QUEUE_MAX]; /* owned; numbers above next, each with a credit */
    uint32_t           count;
    uint64_t           next;
};

/* The held work of this number leaves the gate, or NULL. */
static struct joins_work *held_take(struct gate *g, uint64_t number)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->held[i]->number == number) {
            struct joins_work *work = g->held[i];

            g->held[i] = g->held[--g->count];
            return work;
        }
    }
    return NULL;
}

static enum sl_err gate_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)self;
    (void)args;
    joins_set_minimum(ctx, joins_owner(0));
    return SL_OK;
}

static enum sl_err gate_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct gate       *g = self;
    struct joins_work *work;

    SL_ASSERT(msg->type == JOINS_WORK);
    SL_ASSERT(g->count < JOINS_QUEUE_MAX);
    g->held[g->count++] = (struct joins_work *)sl_take(ctx);
    while ((work = held_take(g, g->next)) != NULL) {
        joins_emit(g->next + 1);
        joins_left(joins_owner(g->next));
        g->next++;
        sl_msg_free(&work);
    }
    joins_set_minimum(ctx, joins_owner(g->next)); /* everybody waits for this one */
    if (g->next == joins_config.works)
        sl_stop(ctx);
    return SL_OK;
}

static void gate_stop(struct sl_ctx *ctx, void *self)
{
    struct gate *g = self;

    (void)ctx;
    for (uint32_t i = 0; i < g->count; i++)
        sl_msg_free(&g->held[i]);
}

const struct sl_actor_class joins_gate_class = {
    .name = "gate",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct gate),
    .start = gate_start,
    .handle = gate_handle,
    .stop = gate_stop,
};
