#ifndef SL_TESTS_UNIT_NET_H2_PAIR_H
#define SL_TESTS_UNIT_NET_H2_PAIR_H

/* A client and a server of net/h2.h on a wire in memory, and what each has heard. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "lib/wire.h"
#include "net/h2.h"

enum { PIECE_LARGE = 1 << 20, PATH_BYTES = 128 };

/* One side: its connection and what it heard. */
struct side {
    struct sl_h2        *h2;
    struct sl_h2_stream *stream; /* begun or requested last, NULL when closed */
    bool                 consume;
    char                 path[PATH_BYTES];
    char                 authority[PATH_BYTES];
    char                 grpc_status[PATH_BYTES];
    uint32_t             begun;
    uint32_t             headers;
    uint64_t             bytes;
    uint64_t             sum; /* of all bytes, each by its place */
    uint32_t             ended;
    uint32_t             closed;
    uint32_t             closed_code;
    uint32_t             writable;
    uint32_t             goaway;
};

static inline void keep(char *out, struct sl_slice value)
{
    size_t len = value.len < PATH_BYTES - 1 ? value.len : PATH_BYTES - 1;

    if (len > 0)
        memcpy(out, value.bytes, len);
    out[len] = '\0';
}

static inline void on_begun(void *context, struct sl_h2_stream *stream,
                            const struct sl_h2_headers *headers)
{
    struct side *side = context;

    side->begun++;
    side->stream = stream;
    keep(side->path, headers->field[SL_H2_PATH]);
    keep(side->authority, headers->field[SL_H2_AUTHORITY]);
}

static inline void on_headers(void *context, struct sl_h2_stream *stream,
                              const struct sl_h2_headers *headers, bool last)
{
    struct side *side = context;

    (void)stream, (void)last;
    side->headers++;
    if (headers->field[SL_H2_GRPC_STATUS].bytes != NULL)
        keep(side->grpc_status, headers->field[SL_H2_GRPC_STATUS]);
}

static inline void on_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input,
                           size_t offset, size_t len)
{
    struct side *side = context;

    for (size_t i = 0; i < len; i++)
        side->sum += (side->bytes + i + 1) * input->data[offset + i];
    side->bytes += len;
    if (side->consume)
        sl_h2_consume(stream, len);
}

static inline void on_ended(void *context, struct sl_h2_stream *stream)
{
    (void)stream;
    ((struct side *)context)->ended++;
}

static inline void on_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    struct side *side = context;

    side->closed++;
    side->closed_code = code;
    if (side->stream == stream)
        side->stream = NULL;
}

static inline void on_writable(void *context, struct sl_h2_stream *stream)
{
    (void)stream;
    ((struct side *)context)->writable++;
}

static inline void on_goaway(void *context, uint32_t code, struct sl_slice text)
{
    (void)code, (void)text;
    ((struct side *)context)->goaway++;
}

static const struct sl_h2_events events = {on_begun,  on_headers,  on_data,  on_ended,
                                           on_closed, on_writable, on_goaway};

struct pair {
    struct side client;
    struct side server;
    struct wire wire;
};

static inline void begin(struct pair *pair, size_t piece_max, uint64_t seed)
{
    *pair = (struct pair){.client.consume = true, .server.consume = true};
    pair->client.h2 = sl_h2_new(SL_H2_CLIENT, &events, &pair->client, NULL);
    pair->server.h2 = sl_h2_new(SL_H2_SERVER, &events, &pair->server, NULL);
    pair->wire = wire_between(pair->client.h2, pair->server.h2, piece_max, seed);
}

static inline void end(struct pair *pair)
{
    assert_int_equal(pair->wire.client_err, SL_OK);
    assert_int_equal(pair->wire.server_err, SL_OK);
    sl_h2_free(&pair->client.h2);
    sl_h2_free(&pair->server.h2);
    assert_int_equal(sl_buf_live_count(), 0);
}

static inline struct sl_slice text(const char *value)
{
    return sl_slice_from_string(value);
}

static inline enum sl_err try_request(struct side *client)
{
    struct sl_h2_headers headers = {0};

    headers.field[SL_H2_METHOD] = text("POST");
    headers.field[SL_H2_SCHEME] = text("http");
    headers.field[SL_H2_PATH] = text("/binlog.Pump/WriteBinlog");
    headers.field[SL_H2_AUTHORITY] = text("/tmp/pump.sock");
    headers.field[SL_H2_TE] = text("trailers");
    return sl_h2_request(client->h2, &headers, &client->stream, NULL);
}

static inline void request(struct side *client)
{
    assert_int_equal(try_request(client), SL_OK);
}

static inline void respond(struct side *server, bool last)
{
    struct sl_h2_headers headers = {0};

    headers.field[SL_H2_STATUS] = text("200");
    sl_h2_respond(server->stream, &headers, last);
}

static inline void finish(struct side *server)
{
    struct sl_h2_headers trailers = {0};

    trailers.field[SL_H2_GRPC_STATUS] = text("0");
    sl_h2_end(server->stream, &trailers);
}

/* count bytes of a pattern; returns what on_data sums up for them when they are the first. */
static inline uint64_t send_pattern(struct side *side, size_t count)
{
    struct sl_buf *body = sl_buf_new(count);
    uint64_t       sum = 0;

    for (size_t i = 0; i < count; i++) {
        body->data[i] = (uint8_t)(i * 131 + i / 251);
        sum += (i + 1) * body->data[i];
    }
    assert_int_equal(sl_h2_send(side->stream, (struct sl_slice){0}, &body), SL_OK);
    assert_null(body);
    return sum;
}

#endif
