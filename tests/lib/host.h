#ifndef SL_TESTS_LIB_HOST_H
#define SL_TESTS_LIB_HOST_H

/* A gRPC server with sockets, on one thread, for tests and their tools: a listener and its
 * connections. The owner waits (host_waits with sl_net_wait) and steps; calls are heard and
 * answered through net/grpc.h. */

#include "base/env.h"
#include "net/grpc.h"

enum { HOST_CONNECTIONS_MAX = 64, HOST_WAITS_MAX = HOST_CONNECTIONS_MAX + 1 };

struct host_connection {
    struct sl_socket *socket;
    struct sl_grpc   *grpc;
};

struct host {
    const struct sl_env         *env;
    const struct sl_grpc_events *events; /* of all calls; context is that of all at first */
    void                        *context;
    struct sl_socket            *listener; /* NULL: closed */
    struct host_connection       connections[HOST_CONNECTIONS_MAX];
    uint32_t                     count;
    char                         address[SL_ADDR_BYTES_MAX]; /* it listens on */
};

/* Listen. events and context outlive the host. */
enum sl_err host_open(struct host *host, const struct sl_env *env, const char *address,
                      const struct sl_grpc_events *events, void *context, struct sl_why *why);
/* End all calls (`over` is heard) and close all. Not from a handler. */
void host_close(struct host *host);
/* The same for the connections alone: it goes on listening. */
void host_drop(struct host *host);

/* What to wait for, into waits[HOST_WAITS_MAX]; lowers *until. Returns how many. */
uint32_t host_waits(const struct host *host, struct sl_socket_wait *waits, sl_nanos *until);
/* Accept, read, answer, write: all that can be done without waiting. */
void host_step(struct host *host);
/* All connections say GOAWAY; they go when their calls are over. */
void host_goaway(struct host *host);

#endif
