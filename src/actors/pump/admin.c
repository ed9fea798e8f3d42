/* admin: answers HTTP. */

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"

struct admin {
    struct sl_pump *pump;
};

static enum sl_err admin_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct admin *)self)->pump = ((const struct sl_pump_args *)args)->pump;
    return SL_OK;
}

static enum sl_err admin_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_asker               asker = sl_asker_of(msg);
    struct sl_buf                *body = NULL;
    struct sl_pump_http_response *response = sl_pump_http_response_new(404, NULL, &body);

    (void)self;
    sl_reply(ctx, asker, &response);
    return SL_OK;
}

const struct sl_actor_class sl_pump_admin_class = {
    .name = "admin",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct admin),
    .start = admin_start,
    .handle = admin_handle,
};
