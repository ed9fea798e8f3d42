/* pusher: sends the metrics to a Pushgateway at intervals (drainer spec 6), the first time after
 * one interval. A gateway that fails is logged and tried again at the next. On the peer lane,
 * because the gateway may let it wait. */

#include "actors/common/push.h"
#include "actors/drainer/front.h"
#include "base/assert.h"
#include "runtime/actor.h"

struct pusher {
    struct sl_drainer_front *front;
    struct sl_push_target    target;
    struct sl_timer          timer;
};

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct pusher *p = self;
    enum sl_err    err;

    p->front = ((const struct sl_drainer_front_args *)args)->front;
    err = sl_push_target(p->front->options.push_addr, p->front->options.node_id, &p->target,
                         sl_why(ctx));
    if (err == SL_OK)
        sl_timer_arm(ctx, &p->timer, SL_DRAINER_PUSH, p->front->options.push_ms);
    return err;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct pusher *p = self;
    struct sl_buf *body;

    SL_ASSERT(msg->type == SL_DRAINER_PUSH);
    body = sl_drainer_front_metrics(p->front, sl_now(ctx));
    sl_push(sl_env(ctx), &p->target, &body);
    sl_timer_arm(ctx, &p->timer, SL_DRAINER_PUSH, p->front->options.push_ms);
    return SL_OK;
}

const struct sl_actor_class sl_drainer_pusher_class = {
    .name = "pusher",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct pusher),
    .timers_max = 1,
    .start = start,
    .handle = handle,
};
