/* pusher: sends the metrics to a Pushgateway at intervals (pump spec 7), the first time after one
 * interval. A gateway that fails is logged and tried again at the next. On the peer lane, because
 * the gateway may let it wait. */

#include "actors/common/push.h"
#include "actors/pump/exposition.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"

struct pusher {
    struct sl_pump       *pump;
    struct sl_push_target target;
    struct sl_timer       timer;
};

static void push(struct sl_ctx *ctx, struct pusher *p)
{
    struct sl_buf *body = sl_pump_exposition(p->pump);

    sl_push(sl_env(ctx), &p->target, &body);
    sl_timer_arm(ctx, &p->timer, SL_PUMP_TICK, p->pump->options.push_ms);
}

static enum sl_err pusher_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct pusher *p = self;
    enum sl_err    err;

    p->pump = ((const struct sl_pump_args *)args)->pump;
    err = sl_push_target(p->pump->options.push_addr, p->pump->node_id, &p->target, sl_why(ctx));
    if (err != SL_OK)
        return err;
    sl_timer_arm(ctx, &p->timer, SL_PUMP_TICK, p->pump->options.push_ms);
    return SL_OK;
}

static enum sl_err pusher_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    SL_ASSERT(msg->type == SL_PUMP_TICK);
    push(ctx, self);
    return SL_OK;
}

const struct sl_actor_class sl_pump_pusher_class = {
    .name = "pusher",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct pusher),
    .timers_max = 1,
    .start = pusher_start,
    .handle = pusher_handle,
};
