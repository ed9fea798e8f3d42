/* gateway: takes connections, a session each.
 *
 *     listeners ──accept──► session (child; owns the socket)
 *
 * A connection too many is closed at once: its client goes to another pump, or comes again. When
 * accepting fails (no descriptor left), the listener is left alone for a moment: it would be ready
 * again at once. At a stop the listeners close first, then the sessions end what is under way. */

#include "actors/pump/gateway.h"

#include <stdatomic.h>

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"

enum { TCP, UNIX, DOORS };

struct door {
    struct sl_socket **socket; /* in struct sl_pump; *socket is NULL: there is none */
    struct sl_io       io;
};

struct gateway {
    struct sl_pump *pump;
    struct door     doors[DOORS];
    struct sl_timer retry;
    uint32_t        sessions; /* alive */
};

/* ---- accepting ---- */

static void refuse(struct gateway *g, struct sl_socket **socket, const char *why)
{
    atomic_fetch_add_explicit(&g->pump->board.refused, 1, memory_order_relaxed);
    sl_log(SL_LOG_WARN, "connection refused", sl_field_str("reason", why),
           sl_field_u64("connections", g->sessions));
    sl_socket_close(socket);
}

static void count_sessions(struct gateway *g, uint32_t count)
{
    g->sessions = count;
    sl_metric_set(g->pump->metrics.connections, count);
}

static void begin_session(struct sl_ctx *ctx, struct gateway *g, const struct door *door,
                          struct sl_socket *socket)
{
    struct sl_session_args args = {
        .pump = g->pump, .socket = socket, .is_unix = door == &g->doors[UNIX]};
    struct sl_ref ref;

    if (g->sessions == SL_PUMP_CONNECTIONS_MAX)
        refuse(g, &socket, "too many connections");
    else if (sl_spawn(ctx, &sl_pump_session_class, &args, sizeof args, &ref) != SL_OK)
        refuse(g, &socket, sl_why(ctx)->text);
    else
        count_sessions(g, g->sessions + 1);
}

static enum sl_err watch(struct sl_ctx *ctx, struct door *door)
{
    if (*door->socket == NULL || door->io.socket != NULL)
        return SL_OK;
    return sl_io_watch(ctx, &door->io, *door->socket, SL_SOCKET_READABLE);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct gateway *g = self;
    struct door    *door = io == &g->doors[UNIX].io ? &g->doors[UNIX] : &g->doors[TCP];
    enum sl_err     err = SL_OK;

    (void)events;
    for (uint32_t i = 0; i < SL_PUMP_ACCEPTS && err == SL_OK; i++) {
        struct sl_socket *socket;

        if ((err = sl_socket_accept(*door->socket, &socket, sl_why(ctx))) == SL_OK)
            begin_session(ctx, g, door, socket);
    }
    if (err != SL_OK && err != SL_AGAIN) {
        sl_log(SL_LOG_WARN, "accept failed", sl_field_err(err, sl_why(ctx)));
        sl_io_unwatch(ctx, io);
        sl_timer_arm(ctx, &g->retry, SL_PUMP_RETRY, SL_PUMP_ACCEPT_RETRY_MS);
    }
    return SL_OK;
}

/* ---- class ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct gateway *g = self;
    enum sl_err     err;

    g->pump = ((const struct sl_pump_args *)args)->pump;
    g->doors[TCP].socket = &g->pump->listener;
    g->doors[UNIX].socket = &g->pump->unix_listener;
    if ((err = watch(ctx, &g->doors[TCP])) != SL_OK)
        return err;
    return watch(ctx, &g->doors[UNIX]);
}

static void stop_listening(struct sl_ctx *ctx, struct gateway *g)
{
    sl_timer_disarm(ctx, &g->retry);
    for (unsigned i = 0; i < DOORS; i++) {
        sl_io_unwatch(ctx, &g->doors[i].io);
        sl_socket_close(g->doors[i].socket);
    }
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct gateway *g = self;
    enum sl_err     err;

    SL_ASSERT(msg->type == SL_PUMP_RETRY);
    if ((err = watch(ctx, &g->doors[TCP])) != SL_OK)
        return err;
    return watch(ctx, &g->doors[UNIX]);
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)(const void *)msg;
    struct gateway              *g = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP:
        stop_listening(ctx, g);
        sl_stop(ctx); /* the runtime asks the sessions to stop, and waits for them */
        return SL_OK;
    case SL_MSG_CHILD_ENDED:
        SL_ASSERT(g->sessions > 0);
        count_sessions(g, g->sessions - 1);
        if (ended->err != SL_OK) /* the system's doing: a peer cannot make a session fail */
            sl_log(SL_LOG_WARN, "session failed", sl_field_err(ended->err, &ended->why));
        return SL_OK;
    case SL_MSG_GONE:
    case SL_MSG_OPEN:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("a gateway asks nobody and waits for no line");
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
