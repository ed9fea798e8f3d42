/* gateway: takes connections, over TCP and, when there is one, over a unix socket
 * (actors/common/gateway.h). */

#include "actors/common/gateway.h"

#include <stdatomic.h>
#include <string.h>

#include "actors/pump/gateway.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"

enum { TCP, UNIX };

struct gateway {
    struct sl_gateway core;
    struct sl_pump   *pump;
};

static size_t session_args(void *context, struct sl_socket *socket, unsigned door, void *args,
                           size_t room)
{
    struct gateway              *g = context;
    const struct sl_session_args given = {
        .pump = g->pump, .socket = socket, .is_unix = door == UNIX};

    SL_ASSERT(sizeof given <= room);
    memcpy(args, &given, sizeof given);
    return sizeof given;
}

static void counted(void *context, uint32_t sessions)
{
    sl_metric_set(((struct gateway *)context)->pump->metrics.connections, sessions);
}

static void refused(void *context)
{
    atomic_fetch_add_explicit(&((struct gateway *)context)->pump->board.refused, 1,
                              memory_order_relaxed);
}

static const struct sl_gateway_rules rules = {
    .session = &sl_pump_session_class,
    .sessions_max = SL_PUMP_CONNECTIONS_MAX,
    .retry_msg = SL_PUMP_RETRY,
    .args = session_args,
    .counted = counted,
    .refused = refused,
};

/* ---- class ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct gateway *g = self;

    g->pump = ((const struct sl_pump_args *)args)->pump;
    sl_gateway_add(&g->core, &g->pump->listener);
    sl_gateway_add(&g->core, &g->pump->unix_listener);
    return sl_gateway_begin(&g->core, ctx, &rules, g);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    (void)events;
    return sl_gateway_ready(&((struct gateway *)self)->core, ctx, io);
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    SL_ASSERT(msg->type == SL_PUMP_RETRY);
    return sl_gateway_retry(&((struct gateway *)self)->core, ctx);
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    return sl_gateway_system(&((struct gateway *)self)->core, ctx, msg);
}

const struct sl_actor_class sl_pump_gateway_class = {
    .name = "gateway",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct gateway),
    .timers_max = 1,
    .children_max = SL_PUMP_CONNECTIONS_MAX,
    .start = start,
    .handle = handle,
    .system = system_mail,
    .ready = ready,
};
