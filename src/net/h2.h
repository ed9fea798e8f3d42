#ifndef SL_NET_H2_H
#define SL_NET_H2_H

/* HTTP/2 without sockets and without a clock: one connection, server or client side, as a machine
 * that takes bytes and tells events, and that yields bytes to write.
 *
 *     socket --bytes--> sl_h2_receive --events--> owner
 *     socket <--bytes-- sl_h2_pending <--sends--- owner
 *
 * Windows. A stream's window (SL_H2_WINDOW_BYTES) opens again only as the owner consumes what it
 * was given: that is the back-pressure. The connection's window is wide and is refilled on receipt.
 * A client widens it only when the first response has come, because some servers lose what is sent
 * to the connection before they saw a request (observed.md 16).
 *
 * A peer can end its stream or its connection, never the process, and it cannot make this module
 * hold more than its limits: what is too much is refused, and frames without use are counted
 * against a budget (h2_budget.h).
 *
 * Events come from sl_h2_receive and sl_h2_pending, on the caller's thread, and nowhere else. A
 * handler may call every function here but sl_h2_free, sl_h2_receive and sl_h2_pending. A
 * connection is used by one thread at a time; nothing here blocks. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"

struct sl_h2;

/* One exchange. Valid from `begun` (server) or sl_h2_request (client) until `closed` returns, or
 * until sl_h2_free, which tells nothing. */
struct sl_h2_stream;

/* Which end of the connection this is. */
enum sl_h2_role { SL_H2_SERVER, SL_H2_CLIENT };

/* Error codes of RFC 9113 section 7. A peer may send others. */
enum sl_h2_code {
    SL_H2_NO_ERROR = 0,
    SL_H2_PROTOCOL_ERROR = 1,
    SL_H2_INTERNAL_ERROR = 2,
    SL_H2_FLOW_CONTROL_ERROR = 3,
    SL_H2_REFUSED_STREAM = 7,
    SL_H2_CANCEL = 8,
    SL_H2_ENHANCE_YOUR_CALM = 11,
    SL_H2_INADEQUATE_SECURITY = 12,
};

/* The header fields that are looked at; all others are dropped on receipt. In the order in which
 * they are sent. */
enum sl_h2_field {
    SL_H2_METHOD,
    SL_H2_SCHEME,
    SL_H2_PATH,
    SL_H2_AUTHORITY,
    SL_H2_STATUS,
    SL_H2_CONTENT_TYPE,
    SL_H2_USER_AGENT,
    SL_H2_TE,
    SL_H2_GRPC_ENCODING,
    SL_H2_GRPC_TIMEOUT,
    SL_H2_GRPC_STATUS,
    SL_H2_GRPC_MESSAGE,
    SL_H2_FIELDS
};

/* bytes is NULL where a field is absent. Values from a peer are any bytes. */
struct sl_h2_headers {
    struct sl_slice field[SL_H2_FIELDS];
};

/* What the owner hears. All members are set. Slices are valid during the call. */
struct sl_h2_events {
    /* Server: a request with a method and a path. Its body, if any, comes as `data`. */
    void (*begun)(void *context, struct sl_h2_stream *stream, const struct sl_h2_headers *headers);
    /* Client: the response's header (with a status that is not 1xx), later its trailer. last: the
     * server ends the stream with it; `ended` follows. */
    void (*headers)(void *context, struct sl_h2_stream *stream, const struct sl_h2_headers *headers,
                    bool last);
    /* len > 0 bytes of the body: input from offset on. They may be kept with sl_buf_slice. Count
     * against the stream's window until consumed. */
    void (*data)(void *context, struct sl_h2_stream *stream, struct sl_buf *input, size_t offset,
                 size_t len);
    /* The peer has sent all it wanted to. */
    void (*ended)(void *context, struct sl_h2_stream *stream);
    /* The stream is over: code is SL_H2_NO_ERROR when both sides ended it, else why it was reset,
     * by us or by the peer. The last event of a stream. */
    void (*closed)(void *context, struct sl_h2_stream *stream, uint32_t code);
    /* After a send that was refused with SL_FULL: there is room again. */
    void (*writable)(void *context, struct sl_h2_stream *stream);
    /* The peer takes no new streams; streams that it never saw are closed with
     * SL_H2_REFUSED_STREAM. text is for humans. May come more than once. */
    void (*goaway)(void *context, uint32_t code, struct sl_slice text);
};

/* What a connection may hold. See base/limits.h for the defaults. */
struct sl_h2_limits {
    uint32_t streams_max;            /* 1.. */
    uint32_t header_list_bytes_max;  /* 1.. */
    size_t   queue_bytes;            /* of one stream, to be sent; 1.. */
    size_t   connection_queue_bytes; /* of all streams; at least queue_bytes */
};

/* The SL_H2_* of limits.h. */
extern const struct sl_h2_limits sl_h2_limits_default;

/* ---- a connection ---- */

/* A connection whose SETTINGS (after a client's preface) are pending at once. events, and context
 * for them, outlive it. limits may be NULL for the defaults. */
struct sl_h2 *sl_h2_new(enum sl_h2_role role, const struct sl_h2_events *events, void *context,
                        const struct sl_h2_limits *limits);
/* Free it with its streams, without any event, and null the pointer. *h2 may be NULL. */
void sl_h2_free(struct sl_h2 **h2);

/* What the first bytes of a connection are. */
enum sl_h2_preface { SL_H2_PREFACE_NO, SL_H2_PREFACE_MORE, SL_H2_PREFACE_YES };

/* Do these first bytes of a connection begin an HTTP/2 client's preface (24 bytes)? MORE: so far
 * yes, count is less than 24. */
enum sl_h2_preface sl_h2_is_preface(const uint8_t *bytes, size_t count);

/* Take all bytes of input, split anywhere. A reference to input is needed only during the call;
 * `data` handlers may take slices, which keep the whole of it alive.
 * Errors end the connection, and every later call returns the same: SL_INVALID (the peer broke the
 * protocol), SL_TOO_LARGE (it went over a limit), SL_STOPPED (sl_h2_terminate). A GOAWAY is pending
 * then: write what is pending, close, free. When much is pending, an error may be told only by a
 * later call. */
enum sl_err sl_h2_receive(struct sl_h2 *h2, struct sl_buf *input, struct sl_why *why);

/* The next bytes to write, valid until the next call of any function for this connection but
 * sl_h2_sent. False when there are none now. */
bool sl_h2_pending(struct sl_h2 *h2, struct sl_slice *out);
/* The first count bytes of what sl_h2_pending gave are written. */
void sl_h2_sent(struct sl_h2 *h2, size_t count);

/* Would sl_h2_pending have bytes? Tells no events. */
bool sl_h2_wants_write(const struct sl_h2 *h2);

/* Nothing more will be received that matters, nor written once nothing is pending: close the
 * socket. After an error, and after a GOAWAY when the last stream has ended. */
bool sl_h2_is_over(const struct sl_h2 *h2);

/* Why the connection ended, "" while it has not. Valid until sl_h2_free. */
const char *sl_h2_why_text(const struct sl_h2 *h2);

/* Monotonic now: refills the budget for frames without use. Call it about every second; only
 * differences matter. */
void sl_h2_tick(struct sl_h2 *h2, sl_nanos now);

/* Streams open. */
uint32_t sl_h2_stream_count(const struct sl_h2 *h2);

/* Ask the peer for a sign of life. */
void sl_h2_ping(struct sl_h2 *h2);

/* End gracefully: no new streams, those that are open go on. A server first announces it, so that
 * requests under way are still served. Again: no effect. */
void sl_h2_goaway(struct sl_h2 *h2);
/* End now: nothing more is received, and streams get nothing more. code tells the peer why, text
 * (copied) whoever asks why the connection ended. */
void sl_h2_terminate(struct sl_h2 *h2, enum sl_h2_code code, const char *text);

/* ---- streams ---- */

/* Client: does the connection take requests still? Not once either side has begun to end it. */
bool sl_h2_takes_requests(const struct sl_h2 *h2);
/* Client: a request without end; its body follows with sl_h2_send and sl_h2_end. headers has at
 * least method, scheme, path and authority, and is copied. The server's SETTINGS are not waited
 * for.
 * Errors: SL_UNAVAILABLE (the connection ends), SL_FULL (streams_max are open). */
enum sl_err sl_h2_request(struct sl_h2 *h2, const struct sl_h2_headers *headers,
                          struct sl_h2_stream **out, struct sl_why *why);

/* Server: the response's header, once per stream. headers has a status and is copied. last: it is
 * the whole response. */
void sl_h2_respond(struct sl_h2_stream *stream, const struct sl_h2_headers *headers, bool last);

/* Would a send be taken now? False: as if it had been refused with SL_FULL. */
bool sl_h2_has_room(struct sl_h2_stream *stream);

/* Queue head (0..SL_H2_HEAD_BYTES_MAX bytes, copied) and *body to be sent; takes the reference to
 * body and nulls the pointer on SL_OK. A server has responded before.
 * SL_FULL: the queue of this stream or connection has reached its limit: nothing is taken, and
 * `writable` will tell. A body is taken whole, so a queue exceeds its limit by one body at most. */
enum sl_err sl_h2_send(struct sl_h2_stream *stream, struct sl_slice head, struct sl_buf **body);

/* Nothing more will be sent; once per stream, behind all that is queued. trailers (server only,
 * copied) may be NULL. A server's stream is then over: what the client still sends is dropped. */
void sl_h2_end(struct sl_h2_stream *stream, const struct sl_h2_headers *trailers);

/* End the stream at once; what is queued is dropped. No event but `closed`, with this code, comes
 * any more. Again: no effect. */
void sl_h2_reset(struct sl_h2_stream *stream, enum sl_h2_code code);

/* count bytes of the stream's data are no longer held: the peer may send as many more. */
void sl_h2_consume(struct sl_h2_stream *stream, size_t count);

/* Let the peer send count bytes (at most SL_BUF_BYTES_MAX) beyond the window. As many of the bytes
 * received are never consumed: so the window is as before when they have come. */
void sl_h2_grow_window(struct sl_h2_stream *stream, size_t count);

/* The stream with this id, or NULL when it is closed. Server only: ids are never used twice, so an
 * answer that comes late finds its stream or none. */
struct sl_h2_stream *sl_h2_find(struct sl_h2 *h2, uint32_t id);
uint32_t             sl_h2_stream_id(const struct sl_h2_stream *stream);

/* The owner's pointer, NULL at first. */
void  sl_h2_stream_set_context(struct sl_h2_stream *stream, void *context);
void *sl_h2_stream_context(const struct sl_h2_stream *stream);

#endif
