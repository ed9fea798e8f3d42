/* puller and reader: the merge under the window of a reader that takes its time. */

#include "base/assert.h"
#include "sim/joins.h"

/* ---- puller: a row leaves only with a permit of the reader's line ---- */

struct puller {
    struct joins_merge merge;
    struct sl_ref      reader;
    struct sl_permit   permit; /* for the next row; returned in stop */
    bool               waiting;
};

/* Emit as long as there is a row and a permit. While there is none, blocks stay here with their
 * credits, and the inputs back up. */
static void pull(struct sl_ctx *ctx, struct puller *p)
{
    uint32_t minimum;

    while (minimum = joins_merge_minimum(&p->merge), p->merge.count[minimum] > 0) {
        struct joins_row *row;

        if (p->waiting)
            return;
        if (p->permit.line == NULL && sl_line_reserve(ctx, sl_line(ctx, JOINS_LINE_ROW, 0),
                                                      sizeof row->ts, 0, &p->permit) != SL_OK) {
            p->waiting = true;
            joins_seen.window_full++;
            return;
        }
        row = sl_msg_new(struct joins_row, JOINS_ROW);
        row->ts = joins_merge_take(&p->merge, minimum);
        sl_send_permitted(ctx, &p->permit, p->reader, &row);
    }
    joins_set_minimum(ctx, minimum);
}

static enum sl_err puller_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct puller *)self)->reader = ((const struct joins_args *)args)->to;
    return SL_OK;
}

static enum sl_err puller_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct puller *p = self;

    SL_ASSERT(msg->type == JOINS_BLOCK);
    joins_merge_put(&p->merge, (struct joins_block *)sl_take(ctx));
    pull(ctx, p);
    return SL_OK;
}

static enum sl_err puller_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct puller *p = self;

    if (msg->type == SL_MSG_STOP) {
        sl_stop(ctx);
        return SL_OK;
    }
    SL_ASSERT(msg->type == SL_MSG_GRANTED && p->waiting);
    p->waiting = false;
    p->permit = sl_permit_of(msg);
    pull(ctx, p);
    return SL_OK;
}

static void puller_stop(struct sl_ctx *ctx, void *self)
{
    struct puller *p = self;

    if (p->permit.line != NULL)
        sl_permit_return(ctx, &p->permit);
    joins_merge_free(&p->merge);
}

const struct sl_actor_class joins_puller_class = {
    .name = "puller",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct puller),
    .waits_max = 1,
    .start = puller_start,
    .handle = puller_handle,
    .system = puller_system,
    .stop = puller_stop,
};

/* ---- reader: looks at each row for a while ---- */

enum { READER_DONE = JOINS_ROW + 1, LOOK_MS_MAX = 2 };

struct reader {
    struct sl_timer   done;
    struct joins_row *row[JOINS_CREDITS_MAX]; /* owned, in the order of arrival */
    uint32_t          count;
};

static void look(struct sl_ctx *ctx, struct reader *r)
{
    if (r->count > 0 && !sl_timer_armed(&r->done))
        sl_timer_arm(ctx, &r->done, READER_DONE, sl_prng_below(sl_random(ctx), LOOK_MS_MAX + 1));
}

static enum sl_err reader_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct reader *r = self;

    if (msg->type == JOINS_ROW) {
        SL_ASSERT(r->count < joins_config.window); /* no more than it gave credits for */
        r->row[r->count++] = (struct joins_row *)sl_take(ctx);
    } else {
        joins_emit(r->row[0]->ts);
        sl_msg_free(&r->row[0]);
        r->count--;
        memmove(&r->row[0], &r->row[1], r->count * sizeof(void *));
    }
    look(ctx, r);
    return SL_OK;
}

/* The last row is known by nobody but the books: feeders say how many they made. */
static enum sl_err reader_drained(struct sl_ctx *ctx, void *self)
{
    (void)self;
    if (joins_seen.feeders_done == joins_config.inputs && joins_seen.emitted == joins_seen.made)
        sl_stop(ctx);
    return SL_OK;
}

static void reader_stop(struct sl_ctx *ctx, void *self)
{
    struct reader *r = self;

    (void)ctx;
    for (uint32_t i = 0; i < r->count; i++)
        sl_msg_free(&r->row[i]);
}

const struct sl_actor_class joins_reader_class = {
    .name = "reader",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct reader),
    .timers_max = 1,
    .handle = reader_handle,
    .drained = reader_drained,
    .stop = reader_stop,
};
