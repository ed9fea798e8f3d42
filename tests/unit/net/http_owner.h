#ifndef SL_TESTS_UNIT_NET_HTTP_OWNER_H
#define SL_TESTS_UNIT_NET_HTTP_OWNER_H

/* The owner of an HTTP/1 connection under test: it writes down what it is told and answers it, at
 * once or when the test says so; its clock is a number. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "net/http.h"

/* Texts of requests and answers. */
#define HOST "Host: h\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define OK(body_len) \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " body_len "\r\n"
#define CLOSE "Connection: close\r\n"

struct owner {
    struct sl_http *http;
    bool            later; /* answer when the test says so */
    unsigned        told;
    sl_nanos        now;
    char            heard[512]; /* "GET /path?query body\n" for each request */
    char            written[2048];
    size_t          written_len;
};

static inline void add(char *to, size_t size, size_t *len, struct sl_slice bytes)
{
    assert_true(bytes.len < size - *len);
    if (bytes.len > 0)
        memcpy(to + *len, bytes.bytes, bytes.len);
    *len += bytes.len;
    to[*len] = '\0';
}

static inline void respond(struct owner *owner, unsigned status, const char *text)
{
    struct sl_buf *body = sl_buf_new(strlen(text));

    memcpy(body->data, text, body->len);
    sl_http_respond(owner->http, status, "text/plain", &body);
    assert_null(body);
}

static inline void on_request(void *context, struct sl_http *http,
                              const struct sl_http_request *request)
{
    struct owner *owner = context;
    size_t        len = strlen(owner->heard);
    char         *heard = owner->heard;
    size_t        size = sizeof owner->heard;

    assert_ptr_equal(http, owner->http);
    owner->told++;
    if (request->body.len > 100) {
        snprintf(heard + len, size - len, "%zu bytes\n", request->body.len);
    } else {
        add(heard, size, &len, sl_slice_from_string(sl_http_method_name(request->method)));
        add(heard, size, &len, sl_slice_from_string(" "));
        add(heard, size, &len, request->path);
        add(heard, size, &len, sl_slice_from_string("?"));
        add(heard, size, &len, request->query);
        add(heard, size, &len, sl_slice_from_string(" "));
        add(heard, size, &len, request->body);
        add(heard, size, &len, sl_slice_from_string("\n"));
    }
    if (!owner->later)
        respond(owner, 200, "ok");
}

static const struct sl_http_events events = {.request = on_request};

static inline struct owner *new_owner(const struct sl_http_limits *limits)
{
    struct owner *owner = calloc(1, sizeof *owner);

    assert_non_null(owner);
    owner->http = sl_http_new(&events, owner, limits, 0);
    return owner;
}

static inline void free_owner(struct owner *owner)
{
    sl_http_free(&owner->http);
    assert_null(owner->http);
    free(owner);
}

/* Write what is pending, step bytes at a time (0: as they come). */
static inline void write_all(struct owner *owner, size_t step)
{
    struct sl_slice out;

    while (sl_http_pending(owner->http, &out)) {
        if (step > 0 && out.len > step)
            out.len = step;
        add(owner->written, sizeof owner->written, &owner->written_len, out);
        sl_http_sent(owner->http, out.len);
    }
}

static inline void give(struct owner *owner, const char *text)
{
    sl_http_receive(owner->http, sl_slice_from_string(text));
}

static inline void exchange(struct owner *owner, const char *text)
{
    give(owner, text);
    write_all(owner, 0);
}

static inline void later(struct owner *owner, unsigned seconds)
{
    owner->now += (sl_nanos)seconds * SL_NANOS_PER_S;
    sl_http_tick(owner->http, owner->now);
}

/* Limits that short inputs reach. */
static const struct sl_http_limits small = {
    .url_bytes_max = 8,
    .header_bytes_max = 64,
    .body_bytes_max = 10,
    .idle = (sl_nanos)120 * SL_NANOS_PER_S,
    .head = (sl_nanos)10 * SL_NANOS_PER_S,
    .body = (sl_nanos)30 * SL_NANOS_PER_S,
    .answer = (sl_nanos)60 * SL_NANOS_PER_S,
};

#endif
