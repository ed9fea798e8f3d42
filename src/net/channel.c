#include "net/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "net/channel_private.h"

enum { READ_BYTES = 1 << 15, READS_MAX = 16 /* of one step, so that others get their turn */ };

static const sl_nanos connect_max = SL_CHANNEL_CONNECT_S * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos ping_after = SL_CHANNEL_PING_S * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos pong_max = SL_CHANNEL_PONG_S * (sl_nanos)SL_NANOS_PER_S;

/* One connection, from the attempt to its end. */
struct connection {
    const struct sl_env *env;
    struct sl_socket    *socket;
    struct sl_grpc      *grpc;
    char                 target[SL_ADDR_BYTES_MAX];
    bool                 stands; /* connected */
    sl_nanos             begun;  /* to connect, then: connected */
    sl_nanos             heard;  /* when bytes came last; 0: never */
    sl_nanos             pinged; /* 0: no answer is owed */
};

/* A channel has up to two connections: one that takes calls, and one that the server is ending but
 * whose calls go on. */
struct sl_channel {
    const struct sl_env   *env;
    char                  *address;
    struct channel_address to;
    size_t                 message_bytes_max;
    bool                   gzip;
    struct connection     *current; /* NULL: none */
    struct connection     *leaving; /* NULL: none */
    bool                   stepping;
    bool                   closed; /* being freed */
};

/* ---- a connection ---- */

static enum sl_err connection_open(const struct sl_channel *channel, struct connection **out,
                                   struct sl_why *why)
{
    const struct sl_grpc_options options = {.authority = channel->to.authority,
                                            .gzip = channel->gzip,
                                            .message_bytes_max = channel->message_bytes_max};
    struct sl_socket            *socket;
    struct connection           *conn;

    if (sl_net_connect(channel->env->net, channel->to.target, &socket, why) != SL_OK)
        return SL_UNAVAILABLE;
    conn = calloc(1, sizeof *conn);
    SL_ASSERT(conn != NULL);
    conn->env = channel->env;
    conn->socket = socket;
    conn->begun = sl_env_now(channel->env);
    conn->grpc = sl_grpc_new(SL_H2_CLIENT, NULL, NULL, &options, conn->begun);
    memcpy(conn->target, channel->to.target, sizeof conn->target);
    *out = conn;
    return SL_OK;
}

static uint32_t open_calls(const struct connection *conn)
{
    return sl_h2_stream_count(sl_grpc_h2(conn->grpc));
}

/* SL_OK also while it is not decided yet. */
static enum sl_err finish_connecting(struct connection *conn, sl_nanos now, struct sl_why *why)
{
    enum sl_err err = sl_socket_connected(conn->socket, why);

    if (err == SL_AGAIN && now - conn->begun >= connect_max)
        return sl_fail(why, SL_UNAVAILABLE, "connect to %s: no answer within %d s", conn->target,
                       SL_CHANNEL_CONNECT_S);
    if (err != SL_OK)
        return err == SL_AGAIN ? SL_OK : SL_UNAVAILABLE;
    conn->stands = true;
    conn->begun = now;
    return SL_OK;
}

static enum sl_err take(struct connection *conn, const uint8_t *bytes, size_t count,
                        struct sl_why *why)
{
    struct sl_buf *input = sl_buf_new(count);
    enum sl_err    err;

    memcpy(input->data, bytes, count);
    err = sl_h2_receive(sl_grpc_h2(conn->grpc), input, why);
    sl_buf_free(&input);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "%s", conn->target);
}

static enum sl_err read_some(struct connection *conn, sl_nanos now, struct sl_why *why)
{
    uint8_t     bytes[READ_BYTES];
    size_t      got;
    enum sl_err err;

    for (unsigned i = 0; i < READS_MAX; i++) {
        err = sl_socket_read(conn->socket, bytes, sizeof bytes, &got, why);
        if (err != SL_OK)
            return err == SL_AGAIN ? SL_OK : err;
        if (got == 0)
            return sl_fail(why, SL_RESET, "%s has closed the connection", conn->target);
        conn->heard = now;
        conn->pinged = 0;
        if ((err = take(conn, bytes, got, why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

static enum sl_err write_some(struct connection *conn, struct sl_why *why)
{
    struct sl_h2   *h2 = sl_grpc_h2(conn->grpc);
    struct sl_slice bytes;
    size_t          put;
    enum sl_err     err;

    while (sl_h2_pending(h2, &bytes)) {
        err = sl_socket_write(conn->socket, bytes.bytes, bytes.len, &put, why);
        if (err != SL_OK)
            return err == SL_AGAIN ? SL_OK : err;
        sl_h2_sent(h2, put);
    }
    return SL_OK;
}

static sl_nanos silent_since(const struct connection *conn)
{
    return conn->heard > conn->begun ? conn->heard : conn->begun;
}

/* A peer that has vanished says nothing; so ask, but only where an answer is waited for: servers
 * take pings without calls for an attack. */
static enum sl_err check_silence(struct connection *conn, sl_nanos now, struct sl_why *why)
{
    if (open_calls(conn) == 0) {
        conn->pinged = 0;
    } else if (conn->pinged == 0 && now - silent_since(conn) >= ping_after) {
        sl_h2_ping(sl_grpc_h2(conn->grpc));
        conn->pinged = now;
    } else if (conn->pinged != 0 && now - conn->pinged >= pong_max) {
        return sl_fail(why, SL_RESET, "%s is silent: no answer to a ping within %d s", conn->target,
                       SL_CHANNEL_PONG_S);
    }
    return SL_OK;
}

/* Not SL_OK: it is to be closed. */
static enum sl_err connection_step(struct connection *conn, struct sl_why *why)
{
    sl_nanos    now = sl_env_now(conn->env);
    enum sl_err err;

    sl_grpc_tick(conn->grpc, now);
    if (!conn->stands && (err = finish_connecting(conn, now, why)) != SL_OK)
        return err;
    if (!conn->stands)
        return SL_OK;
    if ((err = read_some(conn, now, why)) != SL_OK) {
        if (err != SL_RESET)
            (void)write_some(conn, NULL); /* the peer hears what was wrong */
        return err;
    }
    if ((err = check_silence(conn, now, why)) != SL_OK || (err = write_some(conn, why)) != SL_OK)
        return err;
    if (sl_h2_is_over(sl_grpc_h2(conn->grpc)))
        return sl_fail(why, SL_RESET, "%s has ended the connection", conn->target);
    return SL_OK;
}

/* When connection_step has to come although no byte moves. */
static sl_nanos connection_due(const struct connection *conn)
{
    sl_nanos due = sl_grpc_next_due(conn->grpc);
    sl_nanos own = UINT64_MAX;

    if (!conn->stands)
        own = conn->begun + connect_max;
    else if (conn->pinged != 0)
        own = conn->pinged + pong_max;
    else if (open_calls(conn) > 0)
        own = silent_since(conn) + ping_after;
    return own < due ? own : due;
}

/* ---- the channel ---- */

enum sl_err sl_channel_new(const struct sl_env *env, const char *address, size_t message_bytes_max,
                           struct sl_channel **out, struct sl_why *why)
{
    struct sl_channel     *channel;
    struct channel_address to;
    enum sl_err            err;

    if ((err = channel_address_parse(address, &to, why)) != SL_OK)
        return err;
    channel = calloc(1, sizeof *channel);
    SL_ASSERT(channel != NULL);
    channel->env = env;
    channel->to = to;
    channel->message_bytes_max = message_bytes_max;
    channel->address = strdup(address);
    SL_ASSERT(channel->address != NULL);
    *out = channel;
    return SL_OK;
}

void sl_channel_use_gzip(struct sl_channel *channel)
{
    channel->gzip = true;
}

/* Close a connection of the channel; first it is taken off, as its handlers may ask for another. */
static void drop(struct sl_channel *channel, struct connection *conn, const char *text)
{
    if (conn == NULL)
        return;
    SL_ASSERT(conn == channel->current || conn == channel->leaving);
    if (conn == channel->current)
        channel->current = NULL;
    else
        channel->leaving = NULL;
    sl_grpc_lose(&conn->grpc, text);
    sl_socket_close(&conn->socket);
    free(conn);
}

void sl_channel_free(struct sl_channel **channel)
{
    struct sl_channel *old = *channel;

    *channel = NULL;
    if (old == NULL)
        return;
    SL_ASSERT(!old->stepping);
    old->closed = true;
    drop(old, old->current, "the channel is closed");
    drop(old, old->leaving, "the channel is closed");
    free(old->address);
    free(old);
}

const char *sl_channel_address(const struct sl_channel *channel)
{
    return channel->address;
}

const struct sl_env *channel_env(const struct sl_channel *channel)
{
    return channel->env;
}

static enum sl_err step(struct sl_channel *channel, struct connection *conn, struct sl_why *why)
{
    struct sl_why reason = {0};
    enum sl_err   err;
    bool          harmless;

    if (conn == NULL)
        return SL_OK;
    SL_ASSERT(!channel->stepping);
    channel->stepping = true;
    err = connection_step(conn, &reason);
    channel->stepping = false;
    if (err == SL_OK)
        return SL_OK;
    harmless = err == SL_RESET && open_calls(conn) == 0;
    drop(channel, conn, reason.text);
    return harmless ? SL_OK : sl_fail(why, err, "%s", reason.text);
}

enum sl_err sl_channel_step(struct sl_channel *channel, struct sl_why *why)
{
    enum sl_err err = step(channel, channel->current, why);

    (void)step(channel, channel->leaving, NULL); /* who began calls on it hears from them */
    return err;
}

/* Make room for a new connection beside one that takes no more calls. */
static enum sl_err retire(struct sl_channel *channel, struct sl_why *why)
{
    if (channel->leaving != NULL && channel->stepping)
        return sl_fail(why, SL_UNAVAILABLE, "%s ends its connections", channel->address);
    drop(channel, channel->leaving, "the server ends its connections");
    channel->leaving = channel->current;
    channel->current = NULL;
    return SL_OK;
}

enum sl_err sl_channel_grpc(struct sl_channel *channel, struct sl_grpc **out, struct sl_why *why)
{
    enum sl_err err;

    if (channel->closed)
        return sl_fail(why, SL_UNAVAILABLE, "the channel is closed");
    /* A peer may have closed it long ago: better found out before a call is lost on it. */
    if (channel->current != NULL && !channel->stepping && open_calls(channel->current) == 0)
        (void)step(channel, channel->current, NULL);
    if (channel->current != NULL && !sl_h2_takes_requests(sl_grpc_h2(channel->current->grpc)) &&
        (err = retire(channel, why)) != SL_OK)
        return err;
    if (channel->current == NULL &&
        (err = connection_open(channel, &channel->current, why)) != SL_OK)
        return err;
    *out = channel->current->grpc;
    return SL_OK;
}

void channel_doubt(struct sl_channel *channel, sl_nanos since)
{
    struct connection *conn = channel->current;

    if (conn != NULL && conn->heard <= since)
        drop(channel, conn, "the server is silent");
}

/* ---- waiting ---- */

static uint32_t add_wait(const struct connection *conn, struct sl_socket_wait *wait,
                         sl_nanos *until)
{
    unsigned events;
    sl_nanos due;

    if (conn == NULL)
        return 0;
    events = conn->stands ? SL_SOCKET_READABLE : SL_SOCKET_WRITABLE;
    if (sl_h2_wants_write(sl_grpc_h2(conn->grpc)))
        events |= SL_SOCKET_WRITABLE;
    *wait = (struct sl_socket_wait){.socket = conn->socket, .events = events};
    if ((due = connection_due(conn)) < *until)
        *until = due;
    return 1;
}

uint32_t sl_channel_waits(const struct sl_channel *channel, struct sl_socket_wait *waits,
                          sl_nanos *until)
{
    uint32_t count = add_wait(channel->current, waits, until);

    return count + add_wait(channel->leaving, waits + count, until);
}

void sl_channel_wait(struct sl_channel *const *channels, uint32_t count, sl_nanos until)
{
    struct sl_socket_wait waits[SL_NET_WAIT_MAX];
    uint32_t              used = 0;

    SL_ASSERT(count > 0 && count <= SL_NET_WAIT_MAX / SL_CHANNEL_WAITS_MAX);
    for (uint32_t i = 0; i < count; i++)
        used += sl_channel_waits(channels[i], waits + used, &until);
    if (used > 0 || until != UINT64_MAX)
        sl_net_wait(channels[0]->env->net, waits, used, until);
}
