/* Calls of net/grpc.h over a wire in memory: messages come whole however the bytes are cut, and
 * take memory only when it is granted. The bytes of a unary call are golden. */

#include "unit/net/grpc_pair.h"

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
    "00000c 04 00 00000000 000600004000 000300004000" /* SETTINGS: header list, streams */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_calls_survive_every_split),
        cmocka_unit_test(a_unary_call_is_these_bytes),
        cmocka_unit_test(a_message_in_one_piece_is_a_slice_of_the_input),
        cmocka_unit_test(a_crumb_of_the_input_is_copied),
        cmocka_unit_test(a_large_message_comes_only_when_granted),
        cmocka_unit_test(a_stream_is_as_fast_as_its_reader),
    };

    return cmocka_run_group_tests_name("grpc", tests, NULL, NULL);
}
