#ifndef SL_ACTORS_COMMON_CONNECTION_H
#define SL_ACTORS_COMMON_CONNECTION_H

/* One connection of a listener, inside the actor that serves it: the socket, what the connection
 * speaks, and its time. The first bytes say what that is; then bytes move between the socket and
 * the machine of that protocol, whose events go to the actor.
 *
 *                   preface of HTTP/2
 *                 ┌──────────────────► GRPC ──over, broken──┐
 *     SNIFFING ───┤                                         ├──► LEAVING ───► OVER
 *         │       └──────────────────► HTTP ──over──────────┘                  ▲
 *         │         method of HTTP/1                                           │
 *         └───────────── anything else, 10 s, a reset, an end ─────────────────┘
 *
 * LEAVING: everything is written, our side is shut, and what the peer still sends is dropped until
 * it closes: closing with input unread would make the system throw away the last answer. From every
 * phase a broken connection leads to OVER, and the actor ends.
 *
 * The actor is of the io lane, with one timer for it, and calls:
 *
 *     start     sl_connection_begin, then sl_connection_settle
 *     ready     sl_connection_ready      which settles
 *     drained   sl_connection_settle     several answers, one write
 *     its timer sl_connection_due
 *     STOP      sl_connection_stop
 *     stop      sl_connection_end
 *
 * Events have no context of an actor, so `ctx` of the hook that runs is kept: each of these calls
 * sets it, and a hook that makes none of them sets it itself. */

#include <stdbool.h>
#include <stdint.h>

#include "base/sm.h"
#include "net/grpc.h"
#include "net/http.h"
#include "runtime/actor.h"

/* See above. */
enum sl_connection_phase {
    SL_CONNECTION_SNIFFING,
    SL_CONNECTION_GRPC,
    SL_CONNECTION_HTTP,
    SL_CONNECTION_LEAVING,
    SL_CONNECTION_OVER,
    SL_CONNECTION_PHASES
};

/* What an actor serves, and how. Outlives the connection; but for `grpc`, which is copied. */
struct sl_connection_rules {
    unsigned                      due_msg; /* type of the timer's message */
    bool                          grpc_only;
    const struct sl_grpc_events  *calls; /* context: that of sl_connection_begin */
    const struct sl_grpc_options *grpc;
    /* A request over HTTP, to be answered with sl_connection_respond, once. */
    void (*request)(void *context, const struct sl_http_request *request);
    /* A stop begins on a connection that speaks gRPC: end what does not end by itself. May be NULL.
     */
    void (*stopping)(void *context);
    /* It speaks gRPC no more, and all calls have heard their end. May be NULL. */
    void (*grpc_over)(void *context);
};

/* All zero before sl_connection_begin. */
struct sl_connection {
    struct sl_ctx                    *ctx; /* of the hook that runs */
    const struct sl_connection_rules *rules;
    void                             *context;
    struct sl_socket                 *socket; /* owned */
    struct sl_io                      io;
    struct sl_sm                      phase;
    char                              peer[SL_ADDR_BYTES_MAX];
    bool                              stopping;
    bool                              input_ended;
    struct sl_buf                    *input;    /* owned; what is read goes behind `filled` */
    size_t                            filled;   /* bytes of it that hold something */
    sl_nanos                          heard_at; /* something was read last */
    bool                              pinged;   /* since then */
    sl_nanos                          limit_at; /* of this phase, or of a stop; UINT64_MAX: none */
    struct sl_timer                   due;
    sl_nanos                          due_at;    /* what `due` is armed for */
    struct sl_grpc                   *grpc;      /* owned; in GRPC */
    struct sl_http                   *http;      /* owned; in HTTP */
    bool                              answering; /* a request has come and its answer has not */
};

/* Where it is now. */
static inline enum sl_connection_phase sl_connection_phase(const struct sl_connection *c)
{
    return (enum sl_connection_phase)c->phase.state;
}

/* Is the peer on this machine? Only such may change things by doors that the original has not. */
bool sl_connection_is_local(const struct sl_connection *c);

/* Take the socket and begin to sniff. */
void sl_connection_begin(struct sl_connection *c, struct sl_ctx *ctx, struct sl_socket *socket,
                         const struct sl_connection_rules *rules, void *context);
/* Read what is there, within the budget of a turn, and give it to whom it is for; then settle. */
enum sl_err sl_connection_ready(struct sl_connection *c, struct sl_ctx *ctx, unsigned events);
/* Write what was said, and wait for what comes next. SL_SYSTEM: the loop takes the socket no more.
 */
enum sl_err sl_connection_settle(struct sl_connection *c, struct sl_ctx *ctx);
/* The timer has come. The actor settles when its mailbox has run empty. */
void sl_connection_due(struct sl_connection *c, struct sl_ctx *ctx);
/* End in an orderly way: what is under way is served, for SL_CONNECTION_STOP_S at most. */
void sl_connection_stop(struct sl_connection *c, struct sl_ctx *ctx);
/* Answer the request. Takes *body, which may be NULL. content_type may be NULL. Nothing happens if
 * the connection is over. */
void sl_connection_respond(struct sl_connection *c, unsigned status, const char *content_type,
                           struct sl_buf **body);
/* Free all. */
void sl_connection_end(struct sl_connection *c, struct sl_ctx *ctx);

#endif
