#ifndef SL_NET_HTTP_H
#define SL_NET_HTTP_H

/* HTTP/1.1 for the admin port, server side, without sockets and without a clock: one connection as
 * a machine that takes bytes and tells requests, and that yields bytes to write.
 *
 *     socket --bytes--> sl_http_receive --request--> owner
 *     socket <--bytes-- sl_http_pending <-respond--- owner
 *
 * One request at a time: it is told whole, body included, and the next one on the same connection
 * waits until its answer is written. HTTP/1.0 is spoken too; nothing is upgraded or tunnelled.
 *
 * What a peer sends ends in a request, an answer that refuses (400, 408, 413, 414, 431, 501, 505)
 * or the end of the connection. After a refusal the rest of the input is dropped. A connection
 * holds no more than its limits and one answer.
 *
 * Time is what sl_http_tick was told last: call it before the other functions whenever time may
 * have passed.
 *
 * The event comes from sl_http_receive and sl_http_sent, on the caller's thread, and nowhere else.
 * Its handler may call sl_http_respond and sl_http_finish. A connection is used by one thread at a
 * time; nothing here blocks. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/env.h"

struct sl_http;

/* The methods that are told; CONNECT and all others are answered with 501. */
enum sl_http_method {
    SL_HTTP_OPTIONS,
    SL_HTTP_GET,
    SL_HTTP_HEAD,
    SL_HTTP_POST,
    SL_HTTP_PUT,
    SL_HTTP_DELETE,
    SL_HTTP_TRACE,
    SL_HTTP_METHODS
};

/* "GET" and so on. Static strings. */
const char *sl_http_method_name(enum sl_http_method method);

/* The slices are valid until the request is answered or the connection freed. */
struct sl_http_request {
    enum sl_http_method method;
    struct sl_slice     path;  /* percent-decoded; any bytes but 0; at least one */
    struct sl_slice     query; /* what stands between '?' and '#', as it came; empty: none */
    struct sl_slice     body;
};

/* What the owner hears. */
struct sl_http_events {
    /* A request, to be answered with sl_http_respond, now or later. */
    void (*request)(void *context, struct sl_http *http, const struct sl_http_request *request);
};

/* What one connection may take, in bytes and in time. */
struct sl_http_limits {
    size_t   url_bytes_max;    /* 1..SL_HTTP_URL_BYTES_MAX */
    size_t   header_bytes_max; /* url_bytes_max..SL_HTTP_HEADER_BYTES_MAX */
    size_t   body_bytes_max;   /* 0..SL_HTTP_BODY_BYTES_MAX */
    sl_nanos idle;             /* see SL_HTTP_IDLE_S */
    sl_nanos head;             /* SL_HTTP_HEAD_S */
    sl_nanos body;             /* SL_HTTP_BODY_S */
    sl_nanos answer;           /* SL_HTTP_ANSWER_S */
};

/* The maxima of base/limits.h. */
extern const struct sl_http_limits sl_http_limits_default;

/* A connection that waits for its first request. events, and context for them, outlive it. limits
 * may be NULL for the defaults. */
struct sl_http *sl_http_new(const struct sl_http_events *events, void *context,
                            const struct sl_http_limits *limits, sl_nanos now);
/* Free it, without any event, and null the pointer. *http may be NULL. */
void sl_http_free(struct sl_http **http);

/* Take all bytes of input, split anywhere. */
void sl_http_receive(struct sl_http *http, struct sl_slice input);
/* The peer has ended its side; nothing is received any more. Requests that came whole are still
 * answered. */
void sl_http_end_input(struct sl_http *http);
/* False: better leave input in the socket, because a request is being answered and the beginning
 * of the next is held already. Whoever goes on receives at most SL_HTTP_HELD_BYTES_MAX more bytes,
 * then the connection ends behind the answer. */
bool sl_http_wants_input(const struct sl_http *http);

/* Answer the request that was told last; once for each. status: 200..599. content_type: of at most
 * SL_HTTP_CONTENT_TYPE_BYTES_MAX bytes, copied; NULL: the answer has none. Takes the reference to
 * *body and nulls the pointer; body, and *body, may be NULL. The body is not sent for HEAD, and for
 * the statuses 204 and 304. */
void sl_http_respond(struct sl_http *http, unsigned status, const char *content_type,
                     struct sl_buf **body);

/* The next bytes to write, valid until the next call of any function for this connection. False
 * when there are none now. */
bool sl_http_pending(const struct sl_http *http, struct sl_slice *out);
/* The first count bytes of what sl_http_pending gave are written. Goes on with the next request
 * when that was all of an answer. */
void sl_http_sent(struct sl_http *http, size_t count);

/* End gracefully: the request under way is still served, and no other. Again: no effect. */
void sl_http_finish(struct sl_http *http);
/* All is done: close the socket. Shut down its sending side first and read what comes for a moment:
 * input that nobody reads makes the system throw away the last answer. */
bool sl_http_is_over(const struct sl_http *http);
/* Why the connection ended, or will end behind an answer that refuses; "" before. Static string. */
const char *sl_http_why_text(const struct sl_http *http);

/* It is now (monotonic, never less than before). Ends what took too long: an idle connection and an
 * answer that is not read without a word, a request that is not sent with 408. */
void sl_http_tick(struct sl_http *http, sl_nanos now);
/* When sl_http_tick has something to do; UINT64_MAX: never, as things stand. */
sl_nanos sl_http_next_due(const struct sl_http *http);

#endif
