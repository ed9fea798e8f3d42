/* The shard writer with pauses: what it sends is held, in its order, and goes out later. */

#include "runtime/actor.h"
#include "sim/pump_pause.h"

static void hold_answer(struct sl_ctx *ctx, struct sl_asker asker, struct sl_msg *msg,
                        void *pointer_to_null);
static void hold_record(struct sl_ctx *ctx, struct sl_ref to, unsigned type, struct sl_msg *msg,
                        void *pointer_to_null);

#define sl_pump_shard_writer_class plain_writer_class
#define sl_reply_msg hold_answer
#define sl_forward_msg hold_record
#include "actors/pump/shard_writer.c"
#undef sl_pump_shard_writer_class
#undef sl_reply_msg
#undef sl_forward_msg

enum { HELD_MAX = 4096 };

enum pump_pause pump_pause;
unsigned        pump_pauses;

/* An answer or a record that has not gone out. */
struct held {
    struct sl_asker asker;
    struct sl_ref   to;
    unsigned        type;
    struct sl_msg  *record; /* owned; NULL: an answer that says WRITTEN */
};

struct pausing {
    struct writer   plain; /* first: the hooks of the plain one take it for their state */
    struct held     held[HELD_MAX];
    uint32_t        held_count;
    struct sl_timer goes_on;
};

/* Whose hook runs: the simulation has one thread. */
static struct pausing *running;

static struct held *hold(struct sl_ctx *ctx)
{
    SL_ASSERT(running != NULL && running->held_count < HELD_MAX);
    pump_pauses++;
    if (!sl_timer_armed(&running->goes_on))
        sl_timer_arm(ctx, &running->goes_on, SL_PUMP_DUE,
                     sl_prng_below(sl_random(ctx), PAUSE_MS_MAX));
    return &running->held[running->held_count++];
}

static void hold_answer(struct sl_ctx *ctx, struct sl_asker asker, struct sl_msg *msg,
                        void *pointer_to_null)
{
    if (pump_pause != PAUSE_BEFORE_ACK || msg->type != SL_PUMP_WRITTEN) {
        sl_reply_msg(ctx, asker, msg, pointer_to_null);
        return;
    }
    sl_msg_discard(msg, pointer_to_null);
    *hold(ctx) = (struct held){.asker = asker};
}

static void hold_record(struct sl_ctx *ctx, struct sl_ref to, unsigned type, struct sl_msg *msg,
                        void *pointer_to_null)
{
    if (pump_pause != PAUSE_BEFORE_SORT) {
        sl_forward_msg(ctx, to, type, msg, pointer_to_null);
        return;
    }
    *hold(ctx) = (struct held){.to = to, .type = type, .record = msg};
    memset(pointer_to_null, 0, sizeof(void *));
}

static void let_go(struct sl_ctx *ctx, struct pausing *p)
{
    for (uint32_t i = 0; i < p->held_count; i++) {
        struct held *h = &p->held[i];

        if (h->record != NULL) {
            sl_forward_msg(ctx, h->to, h->type, h->record, &h->record);
        } else {
            struct sl_msg *written = sl_msg_new(struct sl_msg, SL_PUMP_WRITTEN);

            sl_reply_msg(ctx, h->asker, written, &written);
        }
    }
    p->held_count = 0;
}

/* ---- hooks ---- */

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    running = self;
    if (msg->type != SL_PUMP_DUE)
        return writer_handle(ctx, self, msg);
    let_go(ctx, self);
    return SL_OK;
}

static enum sl_err drained(struct sl_ctx *ctx, void *self)
{
    running = self;
    return writer_drained(ctx, self);
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    enum sl_err err;

    running = self;
    err = writer_system(ctx, self, msg);
    let_go(ctx, self);
    return err;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    running = self;
    writer_stop(ctx, self);
    let_go(ctx, self);
}

const struct sl_actor_class sl_pump_shard_writer_class = {
    .name = "shard_writer",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_SYNC,
    .state_bytes = sizeof(struct pausing),
    .timers_max = 3,
    .start = writer_start,
    .handle = handle,
    .system = system_mail,
    .drained = drained,
    .stop = stop,
};
