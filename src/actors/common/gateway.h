#ifndef SL_ACTORS_COMMON_GATEWAY_H
#define SL_ACTORS_COMMON_GATEWAY_H

/* The part of a listening actor that takes connections, a session each.
 *
 *     doors (listening sockets) ──accept──► session (child; owns the socket)
 *
 * A connection too many is closed at once: its client goes elsewhere, or comes again. When
 * accepting fails (no descriptor left), the door is left alone for a moment: it would be ready
 * again at once.
 * At a stop the doors close first, then the sessions end what is under way.
 *
 * The actor is of the io lane, with one timer for it and sessions_max children; its hooks call the
 * functions of the same names. */

#include <stdint.h>

#include "runtime/actor.h"

/* The most doors of one gateway. */
enum { SL_GATEWAY_DOORS_MAX = 2 };

/* What is taken, and by whom. Static and constant. */
struct sl_gateway_rules {
    const struct sl_actor_class *session;
    uint32_t                     sessions_max;
    unsigned                     retry_msg; /* type of the timer's message */
    /* The arguments of a new session, which takes the socket: written to args[0..room); returns
     * their size. */
    size_t (*args)(void *context, struct sl_socket *socket, unsigned door, void *args, size_t room);
    /* So many are alive now. */
    void (*counted)(void *context, uint32_t sessions);
    /* A connection was closed at once. May be NULL. */
    void (*refused)(void *context);
};

/* All zero before sl_gateway_begin. */
struct sl_gateway {
    const struct sl_gateway_rules *rules;
    void                          *context;
    struct sl_socket             **sockets[SL_GATEWAY_DOORS_MAX]; /* borrowed, closed at a stop */
    struct sl_io                   io[SL_GATEWAY_DOORS_MAX];
    unsigned                       doors;
    struct sl_timer                retry;
    uint32_t                       sessions; /* alive */
};

/* Another door, before sl_gateway_begin. *socket may be NULL: it stays shut. */
void sl_gateway_add(struct sl_gateway *g, struct sl_socket **socket);
/* Begin to accept. SL_SYSTEM: the loop does not take a socket. */
enum sl_err sl_gateway_begin(struct sl_gateway *g, struct sl_ctx *ctx,
                             const struct sl_gateway_rules *rules, void *context);
enum sl_err sl_gateway_ready(struct sl_gateway *g, struct sl_ctx *ctx, struct sl_io *io);
/* The timer has come. */
enum sl_err sl_gateway_retry(struct sl_gateway *g, struct sl_ctx *ctx);
/* All mail of the runtime. */
enum sl_err sl_gateway_system(struct sl_gateway *g, struct sl_ctx *ctx, const struct sl_msg *msg);

#endif
