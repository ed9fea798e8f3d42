#include "lib/host.h"

#include <string.h>

#include "base/assert.h"

enum { READ_BYTES = 1 << 15 };

enum sl_err host_open(struct host *host, const struct sl_env *env, const char *address,
                      const struct sl_grpc_events *events, void *context, struct sl_why *why)
{
    enum sl_err err;

    *host = (struct host){.env = env, .events = events, .context = context};
    if ((err = sl_net_listen(env->net, address, &host->listener, why)) == SL_OK)
        sl_socket_local(host->listener, host->address);
    return err;
}

static void drop(struct host *host, uint32_t index)
{
    struct host_connection conn = host->connections[index];

    host->connections[index] = host->connections[--host->count];
    sl_grpc_free(&conn.grpc);
    sl_socket_close(&conn.socket);
}

void host_close(struct host *host)
{
    sl_socket_close(&host->listener);
    host_drop(host);
}

void host_drop(struct host *host)
{
    while (host->count > 0)
        drop(host, host->count - 1);
}

uint32_t host_waits(const struct host *host, struct sl_socket_wait *waits, sl_nanos *until)
{
    uint32_t count = 0;

    if (host->listener != NULL)
        waits[count++] = (struct sl_socket_wait){host->listener, SL_SOCKET_READABLE, 0};
    for (uint32_t i = 0; i < host->count; i++) {
        const struct host_connection *conn = &host->connections[i];
        sl_nanos                      due = sl_grpc_next_due(conn->grpc);
        unsigned                      events = SL_SOCKET_READABLE;

        if (sl_h2_wants_write(sl_grpc_h2(conn->grpc)))
            events |= SL_SOCKET_WRITABLE;
        waits[count++] = (struct sl_socket_wait){conn->socket, events, 0};
        *until = due < *until ? due : *until;
    }
    return count;
}

static void accept_all(struct host *host)
{
    static const struct sl_grpc_options defaults = {0};
    struct sl_socket                   *socket;

    while (host->listener != NULL && sl_socket_accept(host->listener, &socket, NULL) == SL_OK) {
        SL_ASSERT(host->count < HOST_CONNECTIONS_MAX);
        host->connections[host->count++] =
            (struct host_connection){.socket = socket,
                                     .grpc = sl_grpc_new(SL_H2_SERVER, host->events, host->context,
                                                         &defaults, sl_env_now(host->env))};
    }
}

/* False: it is over. */
static bool read_all(struct host_connection *conn)
{
    uint8_t        bytes[READ_BYTES];
    size_t         got = 0;
    enum sl_err    err;
    struct sl_buf *input;

    while ((err = sl_socket_read(conn->socket, bytes, sizeof bytes, &got, NULL)) == SL_OK) {
        if (got == 0)
            return false;
        input = sl_buf_new(got);
        memcpy(input->data, bytes, got);
        err = sl_h2_receive(sl_grpc_h2(conn->grpc), input, NULL);
        sl_buf_free(&input);
        if (err != SL_OK)
            return false;
    }
    return err == SL_AGAIN;
}

static bool write_all(struct host_connection *conn)
{
    struct sl_h2   *h2 = sl_grpc_h2(conn->grpc);
    struct sl_slice bytes;
    size_t          put;
    enum sl_err     err;

    while (sl_h2_pending(h2, &bytes)) {
        if ((err = sl_socket_write(conn->socket, bytes.bytes, bytes.len, &put, NULL)) != SL_OK)
            return err == SL_AGAIN;
        sl_h2_sent(h2, put);
    }
    return !sl_h2_is_over(h2);
}

void host_step(struct host *host)
{
    sl_nanos now = sl_env_now(host->env);

    accept_all(host);
    for (uint32_t i = host->count; i-- > 0;) {
        struct host_connection *conn = &host->connections[i];
        bool                    alive;

        sl_grpc_tick(conn->grpc, now);
        alive = read_all(conn);
        if (!write_all(conn) || !alive)
            drop(host, i);
    }
}

void host_goaway(struct host *host)
{
    for (uint32_t i = 0; i < host->count; i++)
        sl_h2_goaway(sl_grpc_h2(host->connections[i].grpc));
}
