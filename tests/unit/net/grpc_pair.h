#ifndef SL_TESTS_UNIT_NET_GRPC_PAIR_H
#define SL_TESTS_UNIT_NET_GRPC_PAIR_H

/* A client and a server of net/grpc.h on a wire in memory, and what the owner of each side's last
 * call has heard. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "lib/wire.h"
#include "net/grpc.h"

enum { PIECE_LARGE = 1 << 20, START = 1000 };

/* What the owner of one side's last call heard. */
struct side {
    struct sl_grpc      *grpc;
    struct sl_grpc_call *call; /* NULL when it is over */
    bool                 echo; /* server: answer a message with itself, and OK */
    bool                 hold; /* keep messages' window */
    bool                 ask;  /* do not grant at once */
    struct sl_buf       *last; /* the last message */
    size_t               sized;
    uint32_t             called;
    uint32_t             messages;
    uint32_t             half_closed;
    uint32_t             writable;
    uint32_t             over;
    enum sl_grpc_status  status;
    char                 text[SL_WHY_BYTES_MAX];
};

static inline enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                             struct sl_slice path)
{
    struct side *side = context;

    side->called++;
    if (sl_slice_equal(path, sl_slice_from_string("/binlog.Pump/Nothing")))
        return SL_GRPC_NO_METHOD;
    if (memcmp(path.bytes, "/binlog.Pump/", 13) != 0)
        return SL_GRPC_NO_SERVICE;
    side->call = call;
    return sl_slice_equal(path, sl_slice_from_string("/binlog.Pump/Stream")) ? SL_GRPC_MANY_MESSAGES
                                                                             : SL_GRPC_ONE_MESSAGE;
}

static inline void on_sized(void *context, struct sl_grpc_call *call, size_t bytes)
{
    struct side *side = context;

    side->sized = bytes;
    if (!side->ask)
        sl_grpc_grant(call);
}

static inline void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct side *side = context;

    side->messages++;
    if (!side->hold)
        sl_grpc_consume(call, (*message)->len);
    sl_buf_free(&side->last);
    side->last = sl_buf_ref(*message);
    if (side->echo) {
        assert_int_equal(sl_grpc_send(call, message), SL_OK);
        sl_grpc_finish(call, SL_GRPC_OK, NULL);
    }
}

static inline void on_half_closed(void *context, struct sl_grpc_call *call)
{
    (void)call;
    ((struct side *)context)->half_closed++;
}

static inline void on_writable(void *context, struct sl_grpc_call *call)
{
    (void)call;
    ((struct side *)context)->writable++;
}

static inline void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                           const char *text)
{
    struct side *side = context;

    side->over++;
    side->status = status;
    (void)snprintf(side->text, sizeof side->text, "%s", text);
    if (side->call == call)
        side->call = NULL;
}

static const struct sl_grpc_events events = {.called = on_called,
                                             .sized = on_sized,
                                             .message = on_message,
                                             .half_closed = on_half_closed,
                                             .writable = on_writable,
                                             .over = on_over};

struct pair {
    struct side client;
    struct side server;
    struct wire wire;
};

static const struct sl_grpc_options defaults = {.authority = "pump:8250"};

static inline void begin_with(struct pair *pair, const struct sl_grpc_options *options,
                              size_t piece_max, uint64_t seed)
{
    *pair = (struct pair){0};
    pair->client.grpc = sl_grpc_new(SL_H2_CLIENT, NULL, NULL, options, START);
    pair->server.grpc = sl_grpc_new(SL_H2_SERVER, &events, &pair->server, options, START);
    pair->wire =
        wire_between(sl_grpc_h2(pair->client.grpc), sl_grpc_h2(pair->server.grpc), piece_max, seed);
}

static inline void begin(struct pair *pair)
{
    begin_with(pair, &defaults, PIECE_LARGE, 0);
}

static inline void end(struct pair *pair)
{
    assert_int_equal(pair->wire.client_err, SL_OK);
    assert_int_equal(pair->wire.server_err, SL_OK);
    sl_grpc_free(&pair->client.grpc);
    sl_grpc_free(&pair->server.grpc);
    sl_buf_free(&pair->client.last);
    sl_buf_free(&pair->server.last);
    assert_null(pair->client.call);
    assert_null(pair->server.call);
    assert_int_equal(sl_buf_live_count(), 0);
}

static inline void call(struct pair *pair, const char *path, sl_nanos deadline)
{
    assert_int_equal(sl_grpc_call(pair->client.grpc, path, deadline, &events, &pair->client,
                                  &pair->client.call, NULL),
                     SL_OK);
}

static inline struct sl_buf *pattern(size_t len, uint8_t first)
{
    struct sl_buf *buf = sl_buf_new(len);

    for (size_t i = 0; i < len; i++)
        buf->data[i] = (uint8_t)(first + i * 7 + i / 253);
    return buf;
}

static inline void send(struct sl_grpc_call *to, size_t len, uint8_t first)
{
    struct sl_buf *message = pattern(len, first);

    assert_int_equal(sl_grpc_send(to, &message), SL_OK);
    assert_null(message);
}

static inline void assert_pattern(const struct sl_buf *buf, size_t len, uint8_t first)
{
    struct sl_buf *expected = pattern(len, first);

    assert_non_null(buf);
    assert_true(sl_slice_equal(sl_slice_from_buf(buf), sl_slice_from_buf(expected)));
    sl_buf_free(&expected);
}

/* A unary call from begin to end; the server echoes. */
static inline void unary(struct pair *pair, size_t len)
{
    uint32_t client_over = pair->client.over;
    uint32_t server_over = pair->server.over;

    pair->server.echo = true;
    call(pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    send(pair->client.call, len, 3);
    sl_grpc_half_close(pair->client.call);
    wire_run(&pair->wire);
    assert_int_equal(pair->client.over, client_over + 1);
    assert_int_equal(pair->server.over, server_over + 1);
    assert_int_equal(pair->client.status, SL_GRPC_OK);
    assert_int_equal(pair->server.status, SL_GRPC_OK);
    assert_pattern(pair->client.last, len, 3);
}

/* Hexadecimal digits, with blanks, to bytes. */
static inline struct sl_buf *bytes_of(const char *hex)
{
    struct sl_buf *buf = sl_buf_new(strlen(hex) / 2);
    size_t         count = 0;
    unsigned       byte;

    for (; *hex != '\0'; hex += 2) {
        while (*hex == ' ')
            hex++;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        buf->data[count++] = (uint8_t)byte;
    }
    buf->len = count;
    return buf;
}

#endif
