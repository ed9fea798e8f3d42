#include "actors/common/gateway.h"

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"

static void refuse(struct sl_gateway *g, struct sl_socket **socket, const char *why)
{
    if (g->rules->refused != NULL)
        g->rules->refused(g->context);
    sl_log(SL_LOG_WARN, "connection refused", sl_field_str("reason", why),
           sl_field_u64("connections", g->sessions));
    sl_socket_close(socket);
}

static void count(struct sl_gateway *g, uint32_t sessions)
{
    g->sessions = sessions;
    g->rules->counted(g->context, sessions);
}

static void begin_session(struct sl_gateway *g, struct sl_ctx *ctx, unsigned door,
                          struct sl_socket *socket)
{
    max_align_t   args[SL_SPAWN_ARGS_BYTES_MAX / sizeof(max_align_t)];
    struct sl_ref ref;
    size_t        bytes;

    if (g->sessions == g->rules->sessions_max) {
        refuse(g, &socket, "too many connections");
        return;
    }
    bytes = g->rules->args(g->context, socket, door, args, sizeof args);
    if (sl_spawn(ctx, g->rules->session, args, bytes, &ref) != SL_OK)
        refuse(g, &socket, sl_why(ctx)->text);
    else
        count(g, g->sessions + 1);
}

static enum sl_err watch(struct sl_gateway *g, struct sl_ctx *ctx)
{
    enum sl_err err = SL_OK;

    for (unsigned i = 0; err == SL_OK && i < g->doors; i++) {
        if (*g->sockets[i] != NULL && g->io[i].socket == NULL)
            err = sl_io_watch(ctx, &g->io[i], *g->sockets[i], SL_SOCKET_READABLE);
    }
    return err;
}

void sl_gateway_add(struct sl_gateway *g, struct sl_socket **socket)
{
    SL_ASSERT(g->doors < SL_GATEWAY_DOORS_MAX);
    g->sockets[g->doors++] = socket;
}

enum sl_err sl_gateway_begin(struct sl_gateway *g, struct sl_ctx *ctx,
                             const struct sl_gateway_rules *rules, void *context)
{
    g->rules = rules;
    g->context = context;
    return watch(g, ctx);
}

enum sl_err sl_gateway_ready(struct sl_gateway *g, struct sl_ctx *ctx, struct sl_io *io)
{
    unsigned    door = (unsigned)(io - g->io);
    enum sl_err err = SL_OK;

    SL_ASSERT(door < g->doors);
    for (uint32_t i = 0; i < SL_GATEWAY_ACCEPTS && err == SL_OK; i++) {
        struct sl_socket *socket;

        if ((err = sl_socket_accept(*g->sockets[door], &socket, sl_why(ctx))) == SL_OK)
            begin_session(g, ctx, door, socket);
    }
    if (err != SL_OK && err != SL_AGAIN) {
        sl_log(SL_LOG_WARN, "accept failed", sl_field_err(err, sl_why(ctx)));
        sl_io_unwatch(ctx, io);
        sl_timer_arm(ctx, &g->retry, g->rules->retry_msg, SL_GATEWAY_RETRY_MS);
    }
    return SL_OK;
}

enum sl_err sl_gateway_retry(struct sl_gateway *g, struct sl_ctx *ctx)
{
    return watch(g, ctx);
}

static void stop_listening(struct sl_gateway *g, struct sl_ctx *ctx)
{
    sl_timer_disarm(ctx, &g->retry);
    for (unsigned i = 0; i < g->doors; i++) {
        sl_io_unwatch(ctx, &g->io[i]);
        sl_socket_close(g->sockets[i]);
    }
}

enum sl_err sl_gateway_system(struct sl_gateway *g, struct sl_ctx *ctx, const struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)(const void *)msg;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP:
        stop_listening(g, ctx);
        sl_stop(ctx); /* the runtime asks the sessions to stop, and waits for them */
        return SL_OK;
    case SL_MSG_CHILD_ENDED:
        SL_ASSERT(g->sessions > 0);
        count(g, g->sessions - 1);
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
