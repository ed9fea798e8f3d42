/* A gRPC server and client of net/grpc.h on a wire in memory: calls of every shape, memory that is
 * taken only when granted, and every way in which a call can end. */

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

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
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

static void on_sized(void *context, struct sl_grpc_call *call, size_t bytes)
{
    struct side *side = context;

    side->sized = bytes;
    if (!side->ask)
        sl_grpc_grant(call);
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
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

static void on_half_closed(void *context, struct sl_grpc_call *call)
{
    (void)call;
    ((struct side *)context)->half_closed++;
}

static void on_writable(void *context, struct sl_grpc_call *call)
{
    (void)call;
    ((struct side *)context)->writable++;
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct side *side = context;

    side->over++;
    side->status = status;
    (void)snprintf(side->text, sizeof side->text, "%s", text);
    if (side->call == call)
        side->call = NULL;
}

static const struct sl_grpc_events events = {on_called,      on_sized,    on_message,
                                             on_half_closed, on_writable, on_over};

struct pair {
    struct side client;
    struct side server;
    struct wire wire;
};

static const struct sl_grpc_options defaults = {.authority = "pump:8250"};

static void begin_with(struct pair *pair, const struct sl_grpc_options *options, size_t piece_max,
                       uint64_t seed)
{
    *pair = (struct pair){0};
    pair->client.grpc = sl_grpc_new(SL_H2_CLIENT, NULL, NULL, options, START);
    pair->server.grpc = sl_grpc_new(SL_H2_SERVER, &events, &pair->server, options, START);
    pair->wire =
        wire_between(sl_grpc_h2(pair->client.grpc), sl_grpc_h2(pair->server.grpc), piece_max, seed);
}

static void begin(struct pair *pair)
{
    begin_with(pair, &defaults, PIECE_LARGE, 0);
}

static void end(struct pair *pair)
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

static void call(struct pair *pair, const char *path, sl_nanos deadline)
{
    assert_int_equal(sl_grpc_call(pair->client.grpc, path, deadline, &events, &pair->client,
                                  &pair->client.call, NULL),
                     SL_OK);
}

static struct sl_buf *pattern(size_t len, uint8_t first)
{
    struct sl_buf *buf = sl_buf_new(len);

    for (size_t i = 0; i < len; i++)
        buf->data[i] = (uint8_t)(first + i * 7 + i / 253);
    return buf;
}

static void send(struct sl_grpc_call *to, size_t len, uint8_t first)
{
    struct sl_buf *message = pattern(len, first);

    assert_int_equal(sl_grpc_send(to, &message), SL_OK);
    assert_null(message);
}

static void assert_pattern(const struct sl_buf *buf, size_t len, uint8_t first)
{
    struct sl_buf *expected = pattern(len, first);

    assert_non_null(buf);
    assert_true(sl_slice_equal(sl_slice_from_buf(buf), sl_slice_from_buf(expected)));
    sl_buf_free(&expected);
}

/* A unary call from begin to end; the server echoes. */
static void unary(struct pair *pair, size_t len)
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

static void unary_calls_survive_every_split(void **state)
{
    static const size_t lens[] = {0, 1, 41, 1000, 16384, 65530, 65531, 300 * 1000};

    (void)state;
    for (uint64_t seed = 0; seed <= 24; seed++) {
        struct pair pair;

        begin_with(&pair, &defaults, seed == 0 ? 1 : seed * 700, seed);
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
            unary(&pair, lens[i]);
        assert_int_equal(sl_h2_stream_count(sl_grpc_h2(pair.server.grpc)), 0);
        end(&pair);
    }
}

/* Hexadecimal digits, with blanks, to bytes. */
static struct sl_buf *bytes_of(const char *hex)
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

/* WriteBinlogReq with a fake binlog: pump specification, appendix A. */
static const char write_binlog_req[] =
    "08b5c4f49281d3a8945b121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";

/* All bytes of a unary call, frame by frame: length, type, flags, stream, payload. The headers, in
 * HPACK: an index into the static table, or name and value. */
static const char golden_request[] =
    "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a" /* the preface */
    "00000c 04 00 00000000 000600004000 000200000000"  /* SETTINGS: header list, no push */
    "000052 01 04 00000001"                            /* HEADERS, END_HEADERS */
    "83 86"                                            /* :method POST, :scheme http */
    "04 92 62335541e65f5db4d6c72b0c92dd35541e6f"       /* :path /binlog.Pump/WriteBinlog */
    "41 87 aeda6bb8f09b07"                             /* :authority pump:8250 */
    "5f 8b 1d75d0620d263d4c4d6564"                     /* content-type application/grpc */
    "7a 87 45169885600b87"                             /* user-agent sluice/0.1 */
    "40 02 7465 86 4d833505b11f"                       /* te trailers */
    "40 89 9acac8b24d494f6a7f 86 0b600000005b"         /* grpc-timeout 15000000u */
    "00002b 00 01 00000001 00 00000026"                /* DATA, END_STREAM: plain, 38 bytes */
    "08b5c4f49281d3a8945b121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
static const char golden_response[] =
    "00000c 04 00 00000000 000600004000 000300000400" /* SETTINGS: header list, streams */
    "000000 04 01 00000000"                           /* SETTINGS, ACK */
    "000004 08 00 00000000 3fff0001"                  /* WINDOW_UPDATE: connection to 1 GiB */
    "00000e 01 04 00000001"                           /* HEADERS, END_HEADERS */
    "88"                                              /* :status 200 */
    "5f 8b 1d75d0620d263d4c4d6564"                    /* content-type application/grpc */
    "000005 00 00 00000001 00 00000000"               /* DATA: plain, 0 bytes */
    "00000c 01 05 00000001"                           /* HEADERS, END_HEADERS, END_STREAM */
    "40 88 9acac8b21234da8f 01 30";                   /* grpc-status 0 */

/* All that one side has pending is exactly these bytes. */
static void assert_pending(struct sl_grpc *from, const char *hex)
{
    struct sl_buf *expected = bytes_of(hex);
    struct sl_buf *actual = wire_take(sl_grpc_h2(from));

    assert_int_equal(actual->len, expected->len);
    assert_memory_equal(actual->data, expected->data, expected->len);
    sl_buf_free(&expected);
    sl_buf_free(&actual);
}

static void a_unary_call_is_these_bytes(void **state)
{
    struct pair    pair;
    struct sl_buf *message = bytes_of(write_binlog_req);

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/WriteBinlog", START + UINT64_C(15) * SL_NANOS_PER_S);
    assert_int_equal(sl_grpc_send(pair.client.call, &message), SL_OK);
    sl_grpc_half_close(pair.client.call);
    assert_pending(pair.client.grpc, golden_request);
    message = bytes_of(golden_request);
    assert_int_equal(wire_give(sl_grpc_h2(pair.server.grpc), message->data, message->len, NULL),
                     SL_OK);
    sl_buf_free(&message);
    message = bytes_of(write_binlog_req);
    assert_true(sl_slice_equal(sl_slice_from_buf(pair.server.last), sl_slice_from_buf(message)));
    sl_buf_free(&message);
    assert_int_equal(sl_grpc_deadline(pair.server.call), START + UINT64_C(15) * SL_NANOS_PER_S);

    message = sl_buf_new(0);
    assert_int_equal(sl_grpc_send(pair.server.call, &message), SL_OK);
    sl_grpc_finish(pair.server.call, SL_GRPC_OK, NULL);
    assert_pending(pair.server.grpc, golden_response);
    message = bytes_of(golden_response);
    assert_int_equal(wire_give(sl_grpc_h2(pair.client.grpc), message->data, message->len, NULL),
                     SL_OK);
    sl_buf_free(&message);
    assert_int_equal(pair.client.status, SL_GRPC_OK);
    assert_int_equal(pair.client.last->len, 0);
    end(&pair);
}

static void a_message_in_one_piece_is_a_slice_of_the_input(void **state)
{
    struct pair    pair;
    struct sl_buf *input;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/Stream", SL_GRPC_NEVER);
    send(pair.client.call, 1000, 1);
    input = wire_take(sl_grpc_h2(pair.client.grpc));
    assert_int_equal(sl_h2_receive(sl_grpc_h2(pair.server.grpc), input, NULL), SL_OK);
    assert_in_range((uintptr_t)pair.server.last->data, (uintptr_t)input->data,
                    (uintptr_t)input->data + input->len);
    sl_buf_free(&input); /* the message stays */
    assert_pattern(pair.server.last, 1000, 1);
    end(&pair);
}

static void a_crumb_of_the_input_is_copied(void **state)
{
    struct pair    pair;
    struct sl_buf *input;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/Stream", SL_GRPC_NEVER);
    send(pair.client.call, 10 * 1000, 3);
    send(pair.client.call, 10, 2);
    input = wire_take(sl_grpc_h2(pair.client.grpc));
    assert_int_equal(sl_h2_receive(sl_grpc_h2(pair.server.grpc), input, NULL), SL_OK);
    assert_true(pair.server.last->data < input->data ||
                pair.server.last->data >= input->data + input->len);
    assert_pattern(pair.server.last, 10, 2);
    sl_buf_free(&input);
    end(&pair);
}

static void a_large_message_comes_only_when_granted(void **state)
{
    struct pair pair;

    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        begin_with(&pair, &defaults, 5000, seed);
        pair.server.ask = true;
        call(&pair, "/binlog.Pump/Stream", SL_GRPC_NEVER);
        send(pair.client.call, 3 << 20, 5);
        wire_run(&pair.wire);
        assert_int_equal(pair.server.sized, 3 << 20);
        assert_int_equal(pair.server.messages, 0);
        assert_in_range(pair.wire.moved, SL_H2_WINDOW_BYTES, 2 * SL_H2_WINDOW_BYTES);

        sl_grpc_grant(pair.server.call);
        wire_run(&pair.wire);
        assert_int_equal(pair.server.messages, 1);
        assert_pattern(pair.server.last, 3 << 20, 5);

        /* And once more, with messages around it; the window is as it was. */
        send(pair.client.call, 60 * 1000, 6);
        send(pair.client.call, 70 * 1000, 7);
        send(pair.client.call, 0, 8);
        send(pair.client.call, 65530, 9);
        wire_run(&pair.wire);
        assert_int_equal(pair.server.messages, 2);
        sl_grpc_grant(pair.server.call);
        wire_run(&pair.wire);
        assert_int_equal(pair.server.messages, 5);
        assert_pattern(pair.server.last, 65530, 9);
        sl_grpc_half_close(pair.client.call);
        wire_run(&pair.wire);
        assert_int_equal(pair.server.half_closed, 1);
        end(&pair);
    }
}

/* count bytes from client to server, and what that answers. */
static void move_some(struct pair *pair, size_t count)
{
    struct sl_h2  *client = sl_grpc_h2(pair->client.grpc);
    struct sl_h2  *server = sl_grpc_h2(pair->server.grpc);
    struct sl_buf *answer = wire_take(server);

    assert_int_equal(sl_h2_receive(client, answer, NULL), SL_OK);
    sl_buf_free(&answer);
    while (count > 0) {
        struct sl_slice pending;

        assert_true(sl_h2_pending(client, &pending));
        if (pending.len > count)
            pending.len = count;
        assert_int_equal(wire_give(server, pending.bytes, pending.len, NULL), SL_OK);
        sl_h2_sent(client, pending.len);
        count -= pending.len;
    }
}

static void a_granted_message_that_stalls_is_given_up(void **state)
{
    const sl_nanos stall = SL_GRPC_STALL_S * UINT64_C(1000000000);
    struct pair    pair;
    struct sl_buf *part;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    send(pair.client.call, 100 * 1000, 5);
    part = wire_take(sl_grpc_h2(pair.client.grpc)); /* one window of it */
    assert_int_equal(sl_h2_receive(sl_grpc_h2(pair.server.grpc), part, NULL), SL_OK);
    sl_buf_free(&part);
    assert_int_equal(sl_grpc_next_due(pair.server.grpc), START + stall);
    sl_grpc_tick(pair.server.grpc, START + stall - 1);
    move_some(&pair, 20 * 1000);
    sl_grpc_tick(pair.server.grpc, START + stall);
    sl_grpc_tick(pair.server.grpc, START + 2 * stall - 2);
    assert_int_equal(pair.server.over, 0);
    sl_grpc_tick(pair.server.grpc, START + 2 * stall - 1);
    assert_int_equal(pair.server.over, 1);
    assert_int_equal(pair.server.status, SL_GRPC_CANCELLED);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_CANCELLED);
    assert_string_equal(pair.client.text, "no byte of a message of 100000 bytes came for 10 s");
    end(&pair);
}

static void a_message_above_the_limit_is_refused_in_grpcs_words(void **state)
{
    struct sl_grpc_options options = defaults;
    struct pair            pair;

    (void)state;
    options.message_bytes_max = 1000;
    begin_with(&pair, &options, 50, 0);
    unary(&pair, 1000);
    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    send(pair.client.call, 1001, 0);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(pair.client.text, "grpc: received message larger than max (1001 vs. 1000)");
    assert_int_equal(pair.server.status, SL_GRPC_RESOURCE_EXHAUSTED);
    unary(&pair, 1000);
    end(&pair);
}

static void unknown_methods_are_refused_in_grpcs_words(void **state)
{
    static const struct {
        const char *path;
        const char *text;
    } rows[] = {
        {"/binlog.Pump/Nothing", "unknown method Nothing for service binlog.Pump"},
        {"/a.B/C", "unknown service a.B"},
        {"/nothing", "malformed method name: \"/nothing\""},
        {"nothing", "malformed method name: \"nothing\""},
    };
    struct pair pair;

    (void)state;
    begin(&pair);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        call(&pair, rows[i].path, SL_GRPC_NEVER);
        send(pair.client.call, 10, 0);
        wire_run(&pair.wire);
        assert_int_equal(pair.client.status, SL_GRPC_UNIMPLEMENTED);
        assert_string_equal(pair.client.text, rows[i].text);
    }
    assert_int_equal(pair.server.over, 0);
    unary(&pair, 10);
    end(&pair);
}

static void a_status_carries_its_text(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    send(pair.client.call, 10, 0);
    sl_grpc_half_close(pair.client.call);
    wire_run(&pair.wire);
    sl_grpc_finish(pair.server.call, SL_GRPC_UNKNOWN, "no online: \xc3\xbc 100%");
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_UNKNOWN);
    assert_string_equal(pair.client.text, "no online: \xc3\xbc 100%");
    assert_int_equal(pair.client.messages, 0);
    assert_int_equal(pair.server.status, SL_GRPC_UNKNOWN);
    end(&pair);
}

static void a_request_has_exactly_the_messages_it_should(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    sl_grpc_half_close(pair.client.call);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_INTERNAL);
    assert_string_equal(pair.client.text, "cardinality violation: no request message");

    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    send(pair.client.call, 1, 0);
    send(pair.client.call, 1, 0);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_INTERNAL);
    assert_string_equal(pair.client.text, "cardinality violation: more than one request message");

    call(&pair, "/binlog.Pump/Stream", SL_GRPC_NEVER);
    sl_grpc_half_close(pair.client.call);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.half_closed, 1);
    sl_grpc_finish(pair.server.call, SL_GRPC_OK, NULL);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_OK);
    end(&pair);
}

/* A puller: the server sends as the client's window allows, the client takes what it likes. */
static void a_stream_is_as_fast_as_its_reader(void **state)
{
    enum { MESSAGES = 3000, MESSAGE_BYTES = 1000 };
    struct pair pair;
    uint32_t    sent = 0;
    uint32_t    before;

    (void)state;
    begin_with(&pair, &defaults, 9000, 3);
    pair.client.hold = true;
    call(&pair, "/binlog.Pump/PullBinlogs", SL_GRPC_NEVER);
    send(pair.client.call, 10, 0);
    sl_grpc_half_close(pair.client.call);
    wire_run(&pair.wire);
    while (sent < MESSAGES) {
        struct sl_buf *message = pattern(MESSAGE_BYTES, (uint8_t)sent);

        if (sl_grpc_send(pair.server.call, &message) == SL_OK) {
            sent++;
            continue;
        }
        sl_buf_free(&message);
        assert_in_range(sl_buf_live_count(), 900, 1200); /* the queue's limit */
        before = pair.server.writable;
        wire_run(&pair.wire);
        while (pair.server.writable == before) {
            assert_in_range(pair.client.messages, 65, UINT32_MAX);
            assert_pattern(pair.client.last, MESSAGE_BYTES, (uint8_t)(pair.client.messages - 1));
            sl_grpc_consume(pair.client.call, MESSAGE_BYTES);
            wire_run(&pair.wire);
        }
    }
    sl_grpc_finish(pair.server.call, SL_GRPC_OK, NULL);
    pair.client.hold = false;
    while (pair.client.call != NULL) {
        sl_grpc_consume(pair.client.call, MESSAGE_BYTES);
        wire_run(&pair.wire);
    }
    assert_int_equal(pair.client.messages, MESSAGES);
    assert_int_equal(pair.client.status, SL_GRPC_OK);
    assert_int_equal(pair.server.status, SL_GRPC_OK);
    end(&pair);
}

static void overdue_calls_end_on_the_side_that_notices(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/WriteBinlog", START + 500);
    send(pair.client.call, 10, 0);
    sl_grpc_half_close(pair.client.call);
    wire_run(&pair.wire);
    assert_int_equal(sl_grpc_deadline(pair.server.call), START + 500);
    assert_int_equal(sl_grpc_next_due(pair.server.grpc), START + 500);
    sl_grpc_tick(pair.server.grpc, START + 499);
    assert_int_equal(pair.server.over, 0);
    sl_grpc_tick(pair.server.grpc, START + 500);
    assert_int_equal(pair.server.over, 1);
    assert_int_equal(pair.server.status, SL_GRPC_DEADLINE_EXCEEDED);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(sl_grpc_next_due(pair.server.grpc), UINT64_MAX);

    call(&pair, "/binlog.Pump/WriteBinlog", START + 2000);
    send(pair.client.call, 10, 0);
    sl_grpc_half_close(pair.client.call);
    wire_run(&pair.wire);
    sl_grpc_tick(pair.client.grpc, START + 2000);
    assert_int_equal(pair.client.over, 2);
    assert_int_equal(pair.client.status, SL_GRPC_DEADLINE_EXCEEDED);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.over, 2);
    assert_int_equal(pair.server.status, SL_GRPC_CANCELLED);

    assert_int_equal(sl_grpc_call(pair.client.grpc, "/binlog.Pump/WriteBinlog", START + 2000,
                                  &events, &pair.client, &pair.client.call, NULL),
                     SL_TIMEOUT);
    end(&pair);
}

static void a_cancelled_call_is_over_for_the_other_side(void **state)
{
    struct pair pair;
    uint32_t    id;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/PullBinlogs", SL_GRPC_NEVER);
    send(pair.client.call, 10, 0);
    wire_run(&pair.wire);
    id = sl_grpc_call_id(pair.server.call);
    assert_ptr_equal(sl_grpc_find(pair.server.grpc, id), pair.server.call);
    send(pair.server.call, 100 * 1000, 0);
    sl_grpc_cancel(pair.client.call);
    pair.client.call = NULL;
    wire_run(&pair.wire);
    assert_int_equal(pair.client.over, 0);
    assert_int_equal(pair.server.over, 1);
    assert_int_equal(pair.server.status, SL_GRPC_CANCELLED);
    assert_null(sl_grpc_find(pair.server.grpc, id));

    call(&pair, "/binlog.Pump/PullBinlogs", SL_GRPC_NEVER);
    send(pair.client.call, 10, 0);
    wire_run(&pair.wire);
    sl_grpc_cancel(pair.server.call);
    pair.server.call = NULL;
    wire_run(&pair.wire);
    assert_int_equal(pair.server.over, 1);
    assert_int_equal(pair.client.over, 1);
    assert_int_equal(pair.client.status, SL_GRPC_CANCELLED);
    assert_string_equal(pair.client.text, "the stream was reset with code 8");
    end(&pair);
}

static void a_broken_connection_ends_all_calls_as_unavailable(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair);
    for (int i = 0; i < 5; i++) {
        call(&pair, "/binlog.Pump/PullBinlogs", SL_GRPC_NEVER);
        send(pair.client.call, 10, 0);
    }
    wire_run(&pair.wire);
    send(pair.server.call, 100, 0);
    sl_grpc_free(&pair.server.grpc);
    assert_int_equal(pair.server.over, 5);
    assert_int_equal(pair.server.status, SL_GRPC_UNAVAILABLE);
    sl_grpc_free(&pair.client.grpc);
    assert_int_equal(pair.client.over, 5);
    assert_int_equal(pair.client.status, SL_GRPC_UNAVAILABLE);
    assert_string_equal(pair.client.text, "the connection is closed");
    end(&pair);
}

static void after_a_goaway_calls_under_way_end_well(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    send(pair.client.call, 10, 0);
    sl_grpc_half_close(pair.client.call);
    wire_run(&pair.wire);
    sl_h2_goaway(sl_grpc_h2(pair.server.grpc));
    wire_run(&pair.wire);
    {
        struct sl_grpc_call *refused;

        assert_int_equal(sl_grpc_call(pair.client.grpc, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER,
                                      &events, &pair.client, &refused, NULL),
                         SL_UNAVAILABLE);
    }
    sl_grpc_finish(pair.server.call, SL_GRPC_OK, NULL);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_OK);
    assert_true(sl_h2_is_over(sl_grpc_h2(pair.client.grpc)));
    end(&pair);
}

/* ---- strangers ---- */

/* One message by a client in raw frames, and the trailers-only answer in clear. */
static void assert_refused(const char *const *headers, const char *message_hex, bool ended,
                           enum sl_grpc_status status)
{
    struct pair        pair;
    struct wire_script script = {0};
    struct sl_buf     *message = bytes_of(message_hex);

    begin(&pair);
    wire_add_opening(&script);
    wire_add_headers(&script, 1, WIRE_END_HEADERS, headers);
    wire_add_frame(&script, WIRE_DATA, ended ? WIRE_END_STREAM : 0, 1, message->data, message->len);
    sl_buf_free(&message);
    assert_int_equal(wire_give(sl_grpc_h2(pair.server.grpc), script.bytes, script.count, NULL),
                     SL_OK);
    assert_int_equal(pair.server.over, 1);
    assert_int_equal(pair.server.status, status);
    assert_int_equal(pair.server.messages, 0);
    wire_script_free(&script);
    end(&pair);
}

static void what_is_no_good_message_is_refused(void **state)
{
    static const char *const plain[] = {
        ":method", "POST", ":path", "/binlog.Pump/Stream", "content-type", "application/grpc+proto",
        NULL};
    static const char *const gzip[] = {
        ":method",       "POST", ":path", "/binlog.Pump/Stream", "content-type", "application/grpc",
        "grpc-encoding", "gzip", NULL};

    (void)state;
    assert_refused(plain, "0100000001", false, SL_GRPC_INTERNAL);
    assert_refused(gzip, "0100000001", false, SL_GRPC_UNIMPLEMENTED);
    assert_refused(plain, "0200000001", false, SL_GRPC_INTERNAL);
    assert_refused(plain, "00ffffffff", false, SL_GRPC_RESOURCE_EXHAUSTED);
    assert_refused(plain, "00000000", true, SL_GRPC_INTERNAL);
    assert_refused(plain, "000000000501", true, SL_GRPC_INTERNAL);
}

/* The server answers a request with these headers by this header alone. */
static void assert_http_answer(const char *const *headers, const char *hpack)
{
    struct pair        pair;
    struct wire_script script = {0};
    struct wire_frame  frame;
    struct sl_buf     *expected = bytes_of(hpack);
    struct sl_buf     *answer;

    begin(&pair);
    wire_add_opening(&script);
    wire_add_headers(&script, 1, WIRE_END_HEADERS | WIRE_END_STREAM, headers);
    assert_int_equal(wire_give(sl_grpc_h2(pair.server.grpc), script.bytes, script.count, NULL),
                     SL_OK);
    answer = wire_take(sl_grpc_h2(pair.server.grpc));
    assert_int_equal(wire_count_frames(sl_slice_from_buf(answer), WIRE_HEADERS, &frame), 1);
    assert_true((frame.flags & WIRE_END_STREAM) != 0);
    assert_true(sl_slice_equal((struct sl_slice){frame.payload, frame.length},
                               sl_slice_from_buf(expected)));
    sl_buf_free(&expected);
    sl_buf_free(&answer);
    assert_int_equal(pair.server.called, 0);
    wire_script_free(&script);
    end(&pair);
}

static void what_is_not_grpc_is_answered_in_http(void **state)
{
    static const char *const get[] = {":method", "GET", ":path", "/status", NULL};
    static const char *const json[] = {
        ":method",           "POST", ":path", "/binlog.Pump/Stream", "content-type",
        "application/grpcx", NULL};

    (void)state;
    assert_http_answer(get, "48 03 343035");  /* :status, "405" */
    assert_http_answer(json, "48 03 343135"); /* "415" */
}

/* A server of bare HTTP/2 that answers each request at its end, in its own way. */
struct oddity {
    const char *status;
    const char *type;
    const char *grpc_status; /* NULL: none */
    bool        trailer;     /* in a header of its own, not in the first */
    uint32_t    reset;       /* instead of an answer, when not 0 */
};

static void odd_begun(void *context, struct sl_h2_stream *stream,
                      const struct sl_h2_headers *headers)
{
    (void)context, (void)stream, (void)headers;
}

static void odd_headers(void *context, struct sl_h2_stream *stream,
                        const struct sl_h2_headers *headers, bool last)
{
    (void)context, (void)stream, (void)headers, (void)last;
}

static void odd_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input,
                     size_t offset, size_t len)
{
    (void)context, (void)stream, (void)input, (void)offset, (void)len;
}

static void odd_ended(void *context, struct sl_h2_stream *stream)
{
    const struct oddity *odd = context;
    struct sl_h2_headers head = {0};
    struct sl_h2_headers trailer = {0};

    if (odd->reset != 0) {
        sl_h2_reset(stream, (enum sl_h2_code)odd->reset);
        return;
    }
    head.field[SL_H2_STATUS] = sl_slice_from_string(odd->status);
    head.field[SL_H2_CONTENT_TYPE] = sl_slice_from_string(odd->type);
    if (odd->grpc_status != NULL)
        (odd->trailer ? &trailer : &head)->field[SL_H2_GRPC_STATUS] =
            sl_slice_from_string(odd->grpc_status);
    sl_h2_respond(stream, &head, !odd->trailer);
    if (odd->trailer)
        sl_h2_end(stream, odd->grpc_status != NULL ? &trailer : NULL);
}

static void odd_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    (void)context, (void)stream, (void)code;
}

static void odd_goaway(void *context, uint32_t code, struct sl_slice text)
{
    (void)context, (void)code, (void)text;
}

static const struct sl_h2_events odd_events = {odd_begun,  odd_headers, odd_data,  odd_ended,
                                               odd_closed, odd_ended,   odd_goaway};

static void a_clients_call_ends_whatever_the_server_does(void **state)
{
    static const struct {
        struct oddity       odd;
        enum sl_grpc_status status;
    } rows[] = {
        {{"200", "application/grpc", "0", false, 0}, SL_GRPC_OK},
        {{"200", "application/grpc", "7", false, 0}, SL_GRPC_PERMISSION_DENIED},
        {{"200", "application/grpc", "9", true, 0}, SL_GRPC_FAILED_PRECONDITION},
        {{"200", "application/grpc", "x", true, 0}, SL_GRPC_UNKNOWN},
        {{"200", "application/grpc", NULL, false, 0}, SL_GRPC_UNKNOWN},
        {{"200", "application/grpc", NULL, true, 0}, SL_GRPC_INTERNAL},
        {{"200", "text/html", NULL, true, 0}, SL_GRPC_UNKNOWN},
        {{"503", "text/html", NULL, false, 0}, SL_GRPC_UNAVAILABLE},
        {{"404", "text/html", NULL, true, 0}, SL_GRPC_UNIMPLEMENTED},
        {{NULL, NULL, NULL, false, SL_H2_REFUSED_STREAM}, SL_GRPC_UNAVAILABLE},
        {{NULL, NULL, NULL, false, SL_H2_INTERNAL_ERROR}, SL_GRPC_INTERNAL},
        {{NULL, NULL, NULL, false, SL_H2_ENHANCE_YOUR_CALM}, SL_GRPC_RESOURCE_EXHAUSTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oddity odd = rows[i].odd;
        struct pair   pair;
        struct sl_h2 *server = sl_h2_new(SL_H2_SERVER, &odd_events, &odd, NULL);

        begin(&pair);
        pair.wire.server = server;
        call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
        send(pair.client.call, 10, 0);
        sl_grpc_half_close(pair.client.call);
        wire_run(&pair.wire);
        assert_int_equal(pair.client.over, 1);
        assert_int_equal(pair.client.status, rows[i].status);
        assert_int_equal(sl_h2_stream_count(sl_grpc_h2(pair.client.grpc)), 0);
        sl_h2_free(&server);
        end(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_calls_survive_every_split),
        cmocka_unit_test(a_unary_call_is_these_bytes),
        cmocka_unit_test(a_message_in_one_piece_is_a_slice_of_the_input),
        cmocka_unit_test(a_crumb_of_the_input_is_copied),
        cmocka_unit_test(a_large_message_comes_only_when_granted),
        cmocka_unit_test(a_granted_message_that_stalls_is_given_up),
        cmocka_unit_test(a_message_above_the_limit_is_refused_in_grpcs_words),
        cmocka_unit_test(unknown_methods_are_refused_in_grpcs_words),
        cmocka_unit_test(a_status_carries_its_text),
        cmocka_unit_test(a_request_has_exactly_the_messages_it_should),
        cmocka_unit_test(a_stream_is_as_fast_as_its_reader),
        cmocka_unit_test(overdue_calls_end_on_the_side_that_notices),
        cmocka_unit_test(a_cancelled_call_is_over_for_the_other_side),
        cmocka_unit_test(a_broken_connection_ends_all_calls_as_unavailable),
        cmocka_unit_test(after_a_goaway_calls_under_way_end_well),
        cmocka_unit_test(what_is_no_good_message_is_refused),
        cmocka_unit_test(what_is_not_grpc_is_answered_in_http),
        cmocka_unit_test(a_clients_call_ends_whatever_the_server_does),
    };

    return cmocka_run_group_tests_name("grpc", tests, NULL, NULL);
}
