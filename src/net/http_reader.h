#ifndef SL_NET_HTTP_READER_H
#define SL_NET_HTTP_READER_H

/* Reads one request of an HTTP/1 connection (net/http.h), piece by piece, within its limits: bytes
 * in, a request or a refusal out. The one place that knows the parser's library. Private to net. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"

struct http_reader;

/* Why a request is answered with an error instead of being told. */
struct http_refusal {
    unsigned    status;
    const char *why;
};

/* What is known of the request so far. */
struct http_finding {
    bool                       header_whole; /* the fields below are set, but for the body */
    bool                       whole;        /* all of it is there; nothing more is taken */
    const struct http_refusal *refusal;      /* NULL: none; else nothing more is taken. Static */
    bool                       expects_continue;
    bool                       keep_alive;
    bool                       is_head; /* known, as the next, as soon as the method is */
    bool                       is_old;  /* HTTP/1.0 */
    struct sl_http_request     told;    /* shows what the reader owns */
};

/* limits are borrowed for the life of the reader. */
struct http_reader *http_reader_new(const struct sl_http_limits *limits);
/* Null the pointer. *reader may be NULL. */
void http_reader_free(struct http_reader **reader);

/* Forget the last request and begin with the next. */
void http_reader_start(struct http_reader *reader);
/* Take bytes of the request, count > 0 of them at most, and return how many were taken. */
size_t http_reader_feed(struct http_reader *reader, const uint8_t *bytes, size_t count);
/* Valid for the life of the reader; its contents until the next feed, start or drop. */
const struct http_finding *http_reader_found(const struct http_reader *reader);
/* The body is no longer needed: give its memory back. */
void http_reader_drop_body(struct http_reader *reader);

#endif
