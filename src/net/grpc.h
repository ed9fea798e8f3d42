#ifndef SL_NET_GRPC_H
#define SL_NET_GRPC_H

/* gRPC over net/h2.h: calls and messages, on one connection, as server or as client. Like
 * HTTP/2 below it, it has no socket and no clock:
 *
 *     socket <--> sl_h2 (sl_grpc_h2) <--> this module <--> owner
 *
 * The owner moves bytes with sl_h2_receive, sl_h2_pending and sl_h2_sent, tells the time with
 * sl_grpc_tick, and hears events during these calls, on its own thread. A handler may call any
 * function here but sl_grpc_free and sl_grpc_tick.
 *
 * Memory. A message of up to SL_GRPC_UNASKED_BYTES_MAX fits the stream's window and is taken as it
 * comes. For a longer one the owner is asked (`sized`), and only when it has granted the bytes does
 * the window open for them: until then its sender waits. A message leaves the window only when its
 * holder has consumed it, so a streaming sender is as fast as its reader.
 *
 * Pieces. A message too large to hold comes and goes in pieces instead: while it is received,
 * sl_grpc_grant_pieces keeps the memory for it at two pieces and one window; while it is sent,
 * SL_FULL says that the queue holds enough of it. So can messages of up to 4 GiB - 1 bytes, which
 * is what the wire format allows.
 *
 * Compression. Messages may come in gzip; `sized` and SL_GRPC_UNASKED_BYTES_MAX then count the
 * bytes on the wire, and what they become is held to unpacked_bytes_max before a byte is unpacked.
 * A server answers in gzip whoever asks in gzip, as the original does. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "net/h2.h"

/* The canonical codes, as on the wire. */
enum sl_grpc_status {
    SL_GRPC_OK = 0,
    SL_GRPC_CANCELLED = 1,
    SL_GRPC_UNKNOWN = 2,
    SL_GRPC_INVALID_ARGUMENT = 3,
    SL_GRPC_DEADLINE_EXCEEDED = 4,
    SL_GRPC_NOT_FOUND = 5,
    SL_GRPC_ALREADY_EXISTS = 6,
    SL_GRPC_PERMISSION_DENIED = 7,
    SL_GRPC_RESOURCE_EXHAUSTED = 8,
    SL_GRPC_FAILED_PRECONDITION = 9,
    SL_GRPC_ABORTED = 10,
    SL_GRPC_OUT_OF_RANGE = 11,
    SL_GRPC_UNIMPLEMENTED = 12,
    SL_GRPC_INTERNAL = 13,
    SL_GRPC_UNAVAILABLE = 14,
    SL_GRPC_DATA_LOSS = 15,
    SL_GRPC_UNAUTHENTICATED = 16,
    SL_GRPC_STATUSES
};

/* "OK", "CANCELLED", ... Static. */
const char *sl_grpc_status_name(enum sl_grpc_status status);

struct sl_grpc;

/* One call. Valid from `called` (server) or sl_grpc_call (client) until `over` returns,
 * sl_grpc_cancel, or sl_grpc_free. */
struct sl_grpc_call;

/* A server's answer to a new call. */
enum sl_grpc_verdict {
    SL_GRPC_ONE_MESSAGE,   /* accept; the request is one message: unary, server streaming */
    SL_GRPC_MANY_MESSAGES, /* accept; the request is a stream */
    SL_GRPC_NO_SERVICE,    /* refuse: UNIMPLEMENTED "unknown service ..." */
    SL_GRPC_NO_METHOD,     /* refuse: UNIMPLEMENTED "unknown method ..." */
};

/* What the owner hears. All members are set but those that say so. context is the call's. */
struct sl_grpc_events {
    /* Server: path is "/service/method". context is that of sl_grpc_new until the handler sets
     * another. Nothing but sl_grpc_call_set_context may be done with the call yet, and a refused
     * call is not heard of again. */
    enum sl_grpc_verdict (*called)(void *context, struct sl_grpc_call *call, struct sl_slice path);
    /* A message of `bytes` (more than SL_GRPC_UNASKED_BYTES_MAX) begins: sl_grpc_grant or
     * sl_grpc_grant_pieces, now or later, lets it come. May be NULL: then every message within the
     * limit is granted whole, and `piece` is NULL too. */
    void (*sized)(void *context, struct sl_grpc_call *call, size_t bytes);
    /* A whole message; the handler takes the reference (sets *message to NULL) or leaves it. It
     * shares the input's memory when it came in one piece of at least 1/SL_GRPC_SLICE_SHARE of
     * that. */
    void (*message)(void *context, struct sl_grpc_call *call, struct sl_buf **message);
    /* Server: the client will send no more. May be NULL. */
    void (*half_closed)(void *context, struct sl_grpc_call *call);
    /* After SL_FULL: there is room again. May be NULL if the owner never sends twice. */
    void (*writable)(void *context, struct sl_grpc_call *call);
    /* The end of a call. To a client: its status; text is the server's, or ours when the connection
     * broke, a limit was passed or the deadline came. To a server: the status it gave if that was
     * taken by the client, else why the call ended without: CANCELLED, DEADLINE_EXCEEDED,
     * UNAVAILABLE (the connection broke), or a refusal by this module, which has answered it. */
    void (*over)(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                 const char *text);
    /* A piece of a message that was granted in pieces: its bytes from `offset` on, of `total`; in
     * order, the last one ends at total. Taken or left as in `message`, which is not heard for it.
     * May be NULL. */
    void (*piece)(void *context, struct sl_grpc_call *call, struct sl_buf **piece, size_t offset,
                  size_t total);
};

/* All zero is a server with the defaults. */
struct sl_grpc_options {
    const char *authority; /* client: "host:port", outlives the connection */
    bool        secure;    /* client: the scheme is https */
    bool        gzip;      /* client: what is sent is compressed, and so are the answers */
    /* Of a message received. 0: 4 GiB - 1. One that can only come whole (no `piece` is heard, or it
     * is compressed) has SL_BUF_BYTES_MAX at most. */
    size_t message_bytes_max;
    /* Of a compressed one, unpacked, at most SL_BUF_BYTES_MAX. 0: as message_bytes_max. */
    size_t              unpacked_bytes_max;
    struct sl_h2_limits h2; /* all zero: the defaults */
};

/* A deadline that does not come. */
enum { SL_GRPC_NEVER = 0 };

/* ---- a connection ---- */

/* events, and context for them, serve the calls of a server; a client gives NULL and brings them
 * with each call. now: monotonic. */
struct sl_grpc *sl_grpc_new(enum sl_h2_role role, const struct sl_grpc_events *events,
                            void *context, const struct sl_grpc_options *options, sl_nanos now);
/* End all calls as UNAVAILABLE (`over` is heard), free all, null the pointer. *grpc may be NULL. */
void sl_grpc_free(struct sl_grpc **grpc);
/* The same where the owner of the socket knows why: text is what the calls hear. */
void sl_grpc_lose(struct sl_grpc **grpc, const char *text);

/* The connection below, to move its bytes. */
struct sl_h2 *sl_grpc_h2(struct sl_grpc *grpc);

/* The time is now: calls past their deadline end with DEADLINE_EXCEEDED, granted messages that saw
 * no byte for SL_GRPC_STALL_S end with CANCELLED. Cheap when nothing is due: call it before
 * receiving, since deadlines count from the last tick, and when sl_grpc_next_due comes. */
void sl_grpc_tick(struct sl_grpc *grpc, sl_nanos now);
/* When the next tick is needed at the latest; UINT64_MAX: never. */
sl_nanos sl_grpc_next_due(const struct sl_grpc *grpc);

/* ---- calls ---- */

/* Client: begin a call. path is "/service/method"; deadline is a time or SL_GRPC_NEVER. events and
 * context outlive the call.
 * Errors: SL_UNAVAILABLE (the connection ends), SL_FULL (too many calls), SL_TIMEOUT (the deadline
 * has passed). */
enum sl_err sl_grpc_call(struct sl_grpc *grpc, const char *path, sl_nanos deadline,
                         const struct sl_grpc_events *events, void *context,
                         struct sl_grpc_call **out, struct sl_why *why);

/* Send *message (at most SL_BUF_BYTES_MAX bytes), whose reference is taken on SL_OK. SL_FULL:
 * nothing is taken, `writable` will tell. Not after sl_grpc_half_close or sl_grpc_finish. */
enum sl_err sl_grpc_send(struct sl_grpc_call *call, struct sl_buf **message);

/* Begin to send a message of so many bytes (1..) in pieces, which follow. Never compressed. */
void sl_grpc_send_begin(struct sl_grpc_call *call, uint32_t total_bytes);
/* The next piece of it, 1 byte or more, as sl_grpc_send. After the last one other messages may
 * follow; before it the call can only be cancelled, or finished with another status than OK: the
 * peer has then seen a message that never became whole. */
enum sl_err sl_grpc_send_piece(struct sl_grpc_call *call, struct sl_buf **piece);

/* Client: no more messages. Once. */
void sl_grpc_half_close(struct sl_grpc_call *call);

/* Server: end the call, behind what is queued. text (for humans, any bytes, cut at
 * SL_WHY_BYTES_MAX) may be NULL. Once; `over` follows when it is out. */
void sl_grpc_finish(struct sl_grpc_call *call, enum sl_grpc_status status, const char *text);

/* End the call at once without a status. No event comes any more, `over` neither. */
void sl_grpc_cancel(struct sl_grpc_call *call);

/* Let the message come of which `sized` told: at most SL_BUF_BYTES_MAX bytes. */
void sl_grpc_grant(struct sl_grpc_call *call);
/* The same, in pieces of piece_bytes (SL_GRPC_PIECE_BYTES_MIN.._MAX), the last one the rest. The
 * peer may send two pieces and a window more than the owner has consumed.
 * SL_UNSUPPORTED: the message is compressed. Nothing is granted, but sl_grpc_grant can be. */
enum sl_err sl_grpc_grant_pieces(struct sl_grpc_call *call, uint32_t piece_bytes);

/* A received message of this size is no longer held: once for each. Not needed for the only message
 * of a call. */
void sl_grpc_consume(struct sl_grpc_call *call, size_t message_bytes);

/* So many bytes of pieces are no longer held, the last piece's included. While any are, the peer is
 * not held to SL_GRPC_STALL_S. */
void sl_grpc_consume_piece(struct sl_grpc_call *call, size_t piece_bytes);

/* When the call is to end, by the client's word or, at a client, by its owner's: a time or
 * SL_GRPC_NEVER. */
sl_nanos sl_grpc_deadline(const struct sl_grpc_call *call);

/* What the events of this call are given; the owner's, never looked at here. */
void  sl_grpc_call_set_context(struct sl_grpc_call *call, void *context);
void *sl_grpc_call_context(const struct sl_grpc_call *call);

/* Server: names a call for an answer that comes later. An id is never used twice. */
uint32_t sl_grpc_call_id(const struct sl_grpc_call *call);
/* The call, or NULL when it is over. */
struct sl_grpc_call *sl_grpc_find(struct sl_grpc *grpc, uint32_t id);

#endif
