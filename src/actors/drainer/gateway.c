/* gateway: takes connections (actors/common/gateway.h). */

#include "actors/common/gateway.h"

#include <string.h>

#include "actors/drainer/front.h"
#include "actors/drainer/session.h"
#include "base/assert.h"

struct gateway {
    struct sl_gateway        core;
    struct sl_drainer_front *front;
};

static size_t session_args(void *context, struct sl_socket *socket, unsigned door, void *args,
                           size_t room)
{
    const struct sl_drainer_session_args given = {.front = ((struct gateway *)context)->front,
                                                  .socket = socket};

    (void)door;
    SL_ASSERT(sizeof given <= room);
    memcpy(args, &given, sizeof given);
    return sizeof given;
}

static void counted(void *context, uint32_t sessions)
{
    sl_metric_set(((struct gateway *)context)->front->metrics.connections, sessions);
}

static const struct sl_gateway_rules rules = {
    .session = &sl_drainer_session_class,
    .sessions_max = SL_DRAINER_CONNECTIONS_MAX,
    .retry_msg = SL_DRAINER_ACCEPT,
    .args = session_args,
    .counted = counted,
};

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct gateway *g = self;

    g->front = ((const struct sl_drainer_front_args *)args)->front;
    sl_gateway_add(&g->core, &g->front->listener);
    return sl_gateway_begin(&g->core, ctx, &rules, g);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    (void)events;
    return sl_gateway_ready(&((struct gateway *)self)->core, ctx, io);
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    SL_ASSERT(msg->type == SL_DRAINER_ACCEPT);
    return sl_gateway_retry(&((struct gateway *)self)->core, ctx);
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    return sl_gateway_system(&((struct gateway *)self)->core, ctx, msg);
}

const struct sl_actor_class sl_drainer_gateway_class = {
    .name = "gateway",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct gateway),
    .timers_max = 1,
    .children_max = SL_DRAINER_CONNECTIONS_MAX,
    .start = start,
    .handle = handle,
    .system = system_mail,
    .ready = ready,
};
