/* The sources of the workload: they send and ask, wait or reserve when the line is full, pause on
 * timers, and are stopped in the middle of it. */

#include "lib/workload_parts.h"

#include <string.h>

#include "base/assert.h"
#include "base/prng.h"

enum { QUESTIONS_MAX = 16 };

static const char *const source_names[] = {"WIRE", "ANSWER", "GO", "GHOST"};

static _Atomic uint64_t next_order[WORKLOAD_SOURCES_MAX];

void workload_source_reset(void)
{
    memset(next_order, 0, sizeof next_order);
}

struct source {
    uint32_t        index;
    uint32_t        sent;
    uint32_t        open; /* questions */
    bool            waiting;
    bool            stopping;
    struct wire     wire;
    struct sl_timer go;
    struct sl_timer ghost; /* always disarmed before it is due */
};

static void source_maybe_end(struct sl_ctx *ctx, struct source *s)
{
    if ((s->stopping || s->sent == workload_config.messages) && s->open == 0)
        sl_stop(ctx);
}

static struct work *work_new(struct sl_ctx *ctx, struct source *s)
{
    struct work *w = sl_msg_new(struct work, RELAY_WORK);

    w->hdr.bytes = (uint32_t)sl_prng_below(sl_random(ctx), LINE_BYTES + 1);
    w->source = s->index;
    w->order = atomic_fetch_add(&next_order[s->index], 1) + 1;
    return w;
}

static struct sl_ref some_relay(struct sl_ctx *ctx, const struct source *s)
{
    return s->wire.relay[sl_prng_below(sl_random(ctx), s->wire.relays)];
}

/* Full: have oneself told, in one of the two ways. */
static void source_wait(struct sl_ctx *ctx, struct source *s, uint32_t bytes)
{
    struct sl_line  *line = sl_line(ctx, LINE_WORK, s->index);
    struct sl_permit permit;

    atomic_fetch_add(&workload_tally.full, 1);
    if (workload_one_in(ctx, 2)) {
        if (sl_line_reserve(ctx, line, bytes, s->sent, &permit) == SL_OK) {
            sl_permit_return(ctx, &permit); /* room came meanwhile: go on by timer, not by permit */
            sl_timer_arm(ctx, &s->go, SOURCE_GO, 0);
            return;
        }
    } else {
        sl_line_wait(ctx, line, bytes, s->sent);
    }
    s->waiting = true;
}

/* Send until the line is full, the questions are used up, or a pause is drawn. */
static void source_send(struct sl_ctx *ctx, struct source *s)
{
    struct sl_line *line = sl_line(ctx, LINE_WORK, s->index);

    while (!s->waiting && !s->stopping && s->sent < workload_config.messages &&
           s->wire.relays > 0) {
        bool         ask = workload_one_in(ctx, 2) && s->open < QUESTIONS_MAX;
        struct work *w = work_new(ctx, s);
        uint32_t     bytes = w->hdr.bytes;
        enum sl_err  err;

        err = ask ? sl_ask(ctx, line, some_relay(ctx, s), w->order, &w)
                  : sl_send(ctx, line, some_relay(ctx, s), &w);
        if (err != SL_OK) {
            SL_ASSERT(err == SL_FULL);
            sl_msg_free(&w);
            source_wait(ctx, s, bytes);
            return;
        }
        s->sent++;
        if (ask) {
            s->open++;
            atomic_fetch_add(&workload_tally.asked, 1);
        }
        if (workload_one_in(ctx, 16)) {
            sl_timer_arm(ctx, &s->ghost, SOURCE_GHOST, 1);
            sl_timer_disarm(ctx, &s->ghost);
        }
        if (workload_one_in(ctx, 16)) {
            sl_timer_arm(ctx, &s->go, SOURCE_GO, sl_prng_below(sl_random(ctx), 3));
            return;
        }
    }
}

static enum sl_err source_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct source *s = self;

    (void)ctx;
    s->index = ((const struct workload_source_args *)args)->index;
    return SL_OK;
}

static enum sl_err source_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    switch ((enum source_msg)msg->type) {
    case SOURCE_WIRE: s->wire = *(struct wire *)msg; break;
    case SOURCE_ANSWER:
        s->open--;
        atomic_fetch_add(&workload_tally.answered, 1);
        break;
    case SOURCE_GO: break;
    case SOURCE_GHOST: atomic_fetch_add(&workload_tally.ghosts, 1); break;
    }
    source_send(ctx, s);
    source_maybe_end(ctx, s);
    return SL_OK;
}

/* Use the permit for a message that reserved it. */
static void source_granted(struct sl_ctx *ctx, struct source *s, struct sl_msg *msg)
{
    struct sl_permit permit = sl_permit_of(msg);

    atomic_fetch_add(&workload_tally.granted, 1);
    if (s->stopping || s->sent == workload_config.messages || workload_one_in(ctx, 8)) {
        sl_permit_return(ctx, &permit);
    } else {
        struct work *w = work_new(ctx, s);

        sl_send_permitted(ctx, &permit, some_relay(ctx, s), &w);
        s->sent++;
    }
}

static enum sl_err source_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP:
        s->stopping = true;
        if (workload_one_in(ctx, 2))
            sl_stop(ctx); /* at once, with questions open: their answers find nobody */
        break;
    case SL_MSG_GONE:
        s->open--;
        atomic_fetch_add(&workload_tally.gone, 1);
        break;
    case SL_MSG_OPEN: s->waiting = false; break;
    case SL_MSG_GRANTED:
        s->waiting = false;
        source_granted(ctx, s, msg);
        break;
    case SL_MSG_CHILD_ENDED:
    case SL_SYSTEM_MSGS: SL_UNREACHABLE("a source has no children");
    }
    source_send(ctx, s);
    source_maybe_end(ctx, s);
    return SL_OK;
}

static void source_stop(struct sl_ctx *ctx, void *self)
{
    struct source *s = self;

    (void)ctx;
    atomic_fetch_add(&workload_tally.gone, s->open); /* nobody is left to hear the answers */
}

const struct sl_actor_class workload_source_class = {
    .name = "source",
    .msg_names = source_names,
    .msg_count = sizeof source_names / sizeof *source_names,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct source),
    .questions_max = QUESTIONS_MAX,
    .waits_max = 1,
    .timers_max = 2,
    .start = source_start,
    .handle = source_handle,
    .system = source_system,
    .stop = source_stop,
};
