/* Messages of net/grpc.h in pieces: one of any size goes from a file to a file through two pieces
 * of memory, whatever is around it in the stream, and however it ends. */

#include "base/crc32c.h"
#include "unit/net/grpc_pair.h"

enum { PIECE = 1 << 18, MIB = 1 << 20, FRAMING = 1 << 16 };

/* A sender that makes its message up as it goes, and the receiver that checks it. */
struct flow {
    struct pair pair; /* of which the server's side is not used */
    uint32_t    total;
    uint32_t    piece_bytes;
    bool        hold; /* do not consume what comes */
    /* The sender. */
    uint32_t sent;
    uint32_t sent_crc;
    uint32_t live_max; /* buffers, most seen */
    /* The receiver. */
    struct sl_grpc_call *call;
    size_t               sized;
    size_t               got;
    size_t               consumed;
    uint32_t             got_crc;
    uint32_t             pieces;
    uint32_t             messages;
    uint32_t             over;
    enum sl_grpc_status  status;
};

/* Send until the queue is full or the message is out. */
static void feed(struct flow *flow, struct sl_grpc_call *call)
{
    while (flow->sent < flow->total) {
        uint32_t       left = flow->total - flow->sent;
        struct sl_buf *piece = sl_buf_new(left < PIECE ? left : PIECE);
        uint32_t       crc;

        for (size_t i = 0; i < piece->len; i += 64)
            memset(piece->data + i, (int)((flow->sent + i) * 2654435761u >> 24),
                   piece->len - i < 64 ? piece->len - i : 64);
        left = (uint32_t)piece->len;
        crc = sl_crc32c(flow->sent_crc, piece->data, piece->len);
        if (sl_grpc_send_piece(call, &piece) != SL_OK) {
            sl_buf_free(&piece);
            break;
        }
        flow->sent += left;
        flow->sent_crc = crc;
    }
    if (sl_buf_live_count() > flow->live_max)
        flow->live_max = (uint32_t)sl_buf_live_count();
}

static void on_room(void *context, struct sl_grpc_call *call)
{
    feed(context, call);
}

static void on_answer(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                      const char *text)
{
    struct flow *flow = context;

    on_over(&flow->pair.client, call, status, text);
}

static const struct sl_grpc_events sending = {
    .message = on_message, .writable = on_room, .over = on_answer};

static enum sl_grpc_verdict flow_called(void *context, struct sl_grpc_call *call,
                                        struct sl_slice path)
{
    struct flow *flow = context;

    (void)path;
    flow->call = call;
    return SL_GRPC_MANY_MESSAGES;
}

static void flow_sized(void *context, struct sl_grpc_call *call, size_t bytes)
{
    struct flow *flow = context;

    flow->sized = bytes;
    if (flow->piece_bytes == 0)
        sl_grpc_grant(call);
    else
        assert_int_equal(sl_grpc_grant_pieces(call, flow->piece_bytes), SL_OK);
}

static void flow_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct flow *flow = context;

    flow->messages++;
    sl_grpc_consume(call, (*message)->len);
}

static void flow_piece(void *context, struct sl_grpc_call *call, struct sl_buf **piece,
                       size_t offset, size_t total)
{
    struct flow *flow = context;
    size_t       left = total - offset;

    assert_int_equal(offset, flow->got);
    assert_int_equal(total, flow->sized);
    assert_int_equal((*piece)->len, left < flow->piece_bytes ? left : flow->piece_bytes);
    flow->pieces++;
    flow->got += (*piece)->len;
    flow->got_crc = sl_crc32c(flow->got_crc, (*piece)->data, (*piece)->len);
    if (flow->hold)
        return;
    flow->consumed += (*piece)->len;
    sl_grpc_consume_piece(call, (*piece)->len);
}

static void flow_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                      const char *text)
{
    struct flow *flow = context;

    (void)call, (void)text;
    flow->over++;
    flow->status = status;
    flow->call = NULL;
}

static const struct sl_grpc_events receiving = {.called = flow_called,
                                                .sized = flow_sized,
                                                .message = flow_message,
                                                .over = flow_over,
                                                .piece = flow_piece};

static void flow_begin(struct flow *flow, uint32_t piece_bytes, size_t wire_max, uint64_t seed)
{
    struct pair *pair = &flow->pair;

    *flow = (struct flow){.piece_bytes = piece_bytes};
    pair->client.grpc = sl_grpc_new(SL_H2_CLIENT, NULL, NULL, &defaults, START);
    pair->server.grpc = sl_grpc_new(SL_H2_SERVER, &receiving, flow, &defaults, START);
    pair->wire =
        wire_between(sl_grpc_h2(pair->client.grpc), sl_grpc_h2(pair->server.grpc), wire_max, seed);
    assert_int_equal(sl_grpc_call(pair->client.grpc, "/binlog.Pump/Stream", SL_GRPC_NEVER, &sending,
                                  flow, &pair->client.call, NULL),
                     SL_OK);
}

/* Another message of so many bytes. */
static void flow_start(struct flow *flow, uint32_t total)
{
    flow->total = total;
    flow->sent = flow->sent_crc = flow->got_crc = flow->pieces = 0;
    flow->got = flow->consumed = 0;
    sl_grpc_send_begin(flow->pair.client.call, total);
    feed(flow, flow->pair.client.call);
    wire_run(&flow->pair.wire);
}

static void flow_consume(struct flow *flow, size_t count)
{
    flow->consumed += count;
    sl_grpc_consume_piece(flow->call, count);
    wire_run(&flow->pair.wire);
}

static void assert_whole(const struct flow *flow)
{
    assert_int_equal(flow->sent, flow->total);
    assert_int_equal(flow->got, flow->total);
    assert_int_equal(flow->got_crc, flow->sent_crc);
}

static void flow_end(struct flow *flow)
{
    if (flow->pair.client.call != NULL)
        sl_grpc_cancel(flow->pair.client.call);
    flow->pair.client.call = NULL;
    wire_run(&flow->pair.wire);
    assert_int_equal(flow->over, 1);
    end(&flow->pair);
}

static void a_message_of_64_mib_needs_two_pieces_of_memory(void **state)
{
    struct flow flow;

    (void)state;
    flow_begin(&flow, PIECE, 1 << 16, 0);
    flow.hold = true;
    flow_start(&flow, 64 * MIB);
    assert_int_equal(flow.sized, 64 * MIB);
    while (flow.consumed < flow.total) {
        /* All that the other side may have of it: what is held, and what is on its way. */
        uint64_t beyond = flow.pair.wire.moved - flow.consumed;

        assert_in_range(beyond, 0, 2 * PIECE + SL_H2_WINDOW_BYTES + FRAMING);
        assert_in_range(flow.got - flow.consumed, 1, 2 * PIECE);
        flow_consume(&flow,
                     flow.total - flow.consumed < PIECE ? flow.total - flow.consumed : PIECE);
    }
    assert_whole(&flow);
    assert_int_equal(flow.pieces, 64 * MIB / PIECE);
    assert_int_equal(flow.messages, 0);
    /* The queue of the sender, and what the wire and the receiver have in hand. */
    assert_in_range(flow.live_max, 1, SL_H2_QUEUE_BYTES / PIECE + 8);
    flow_end(&flow);
}

static void pieces_survive_every_split_between_other_messages(void **state)
{
    static const uint32_t totals[] = {65531, 65536, 100 * 1000, 3 * SL_GRPC_PIECE_BYTES_MIN * 11,
                                      1000 * 1000};

    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct flow flow;
        uint32_t    messages = 0;

        flow_begin(&flow, SL_GRPC_PIECE_BYTES_MIN, seed == 0 ? 1 : seed * 3000, seed);
        for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
            flow.piece_bytes = SL_GRPC_PIECE_BYTES_MIN + 1000 * (uint32_t)i;
            send(flow.pair.client.call, 65530, 1); /* fills the window */
            flow_start(&flow, totals[i]);
            assert_whole(&flow);
            flow.piece_bytes = 0;
            send(flow.pair.client.call, 70 * 1000, 2);
            send(flow.pair.client.call, 0, 3);
            wire_run(&flow.pair.wire);
            messages += 3;
            assert_int_equal(flow.messages, messages);
        }
        flow_end(&flow);
    }
}

static void pieces_consumed_late_open_the_window_all_the_same(void **state)
{
    struct flow flow;

    (void)state;
    flow_begin(&flow, PIECE, 1 << 16, 0);
    flow.hold = true;
    for (int i = 0; i < 20; i++) { /* each leaves the window as it was, or the last would starve */
        flow_start(&flow, 2 * PIECE + SL_H2_WINDOW_BYTES - 5);
        assert_whole(&flow);
        flow_consume(&flow, flow.total);
    }
    flow_end(&flow);
}

static void the_longest_message_that_the_wire_knows_can_come(void **state)
{
    struct flow flow;

    (void)state;
    flow_begin(&flow, PIECE, 1 << 16, 0);
    flow.hold = true;
    flow_start(&flow, UINT32_MAX);
    assert_true(flow.sized == UINT32_MAX);
    for (int i = 0; i < 8; i++)
        flow_consume(&flow, PIECE);
    assert_in_range(flow.got, 10 * PIECE, 11 * PIECE);
    flow_end(&flow);
    assert_int_equal(flow.status, SL_GRPC_CANCELLED);
}

static void what_can_only_come_whole_must_fit_a_buffer(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    sl_grpc_send_begin(pair.client.call, UINT32_MAX);
    {
        struct sl_buf *piece = pattern(1000, 0);

        assert_int_equal(sl_grpc_send_piece(pair.client.call, &piece), SL_OK);
    }
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(pair.client.text,
                        "grpc: received message larger than max (4294967295 vs. 1073741824)");
    end(&pair);
}

static void a_receiver_may_give_up_in_the_middle(void **state)
{
    struct flow flow;

    (void)state;
    flow_begin(&flow, PIECE, 1 << 16, 0);
    flow.hold = true;
    flow_start(&flow, 8 * MIB);
    flow_consume(&flow, PIECE);
    sl_grpc_finish(flow.call, SL_GRPC_UNAVAILABLE, "no available space");
    wire_run(&flow.pair.wire);
    assert_int_equal(flow.pair.client.status, SL_GRPC_UNAVAILABLE);
    assert_string_equal(flow.pair.client.text, "no available space");
    assert_true(flow.sent < flow.total);
    flow_end(&flow);
}

static void a_server_may_give_up_while_it_sends(void **state)
{
    struct pair    pair;
    struct sl_buf *piece = pattern(PIECE, 0);

    (void)state;
    begin(&pair);
    call(&pair, "/binlog.Pump/PullBinlogs", SL_GRPC_NEVER);
    send(pair.client.call, 10, 0);
    wire_run(&pair.wire);
    sl_grpc_send_begin(pair.server.call, 2 * PIECE);
    assert_int_equal(sl_grpc_send_piece(pair.server.call, &piece), SL_OK);
    sl_grpc_finish(pair.server.call, SL_GRPC_DATA_LOSS, "large/7: data is damaged");
    wire_run(&pair.wire);
    assert_int_equal(pair.client.status, SL_GRPC_DATA_LOSS);
    assert_int_equal(pair.client.messages, 0);
    end(&pair);
}

static void a_deadline_ends_a_message_in_the_middle(void **state)
{
    struct flow flow;

    (void)state;
    flow_begin(&flow, PIECE, 1 << 16, 0);
    sl_grpc_cancel(flow.pair.client.call);
    assert_int_equal(sl_grpc_call(flow.pair.client.grpc, "/binlog.Pump/Stream", START + 1000,
                                  &sending, &flow, &flow.pair.client.call, NULL),
                     SL_OK);
    flow.hold = true;
    flow_start(&flow, 8 * MIB);
    flow.over = 0;
    sl_grpc_tick(flow.pair.server.grpc, START + 1000);
    assert_int_equal(flow.over, 1);
    assert_int_equal(flow.status, SL_GRPC_DEADLINE_EXCEEDED);
    flow_end(&flow);
}

static void only_a_sender_who_could_send_is_given_up(void **state)
{
    const sl_nanos stall = SL_GRPC_STALL_S * UINT64_C(1000000000);
    struct flow    flow;

    (void)state;
    flow_begin(&flow, PIECE, 1 << 16, 0);
    flow.hold = true;
    flow_start(&flow, 8 * MIB);
    assert_int_equal(flow.got, 2 * PIECE);
    /* It waits for us, for as long as we like. */
    sl_grpc_tick(flow.pair.server.grpc, START + 5 * stall);
    assert_int_equal(flow.over, 0);
    sl_grpc_consume_piece(flow.call, 2 * PIECE); /* and nobody carries the window to it */
    assert_int_equal(sl_grpc_next_due(flow.pair.server.grpc), START + 6 * stall);
    sl_grpc_tick(flow.pair.server.grpc, START + 6 * stall - 1);
    assert_int_equal(flow.over, 0);
    sl_grpc_tick(flow.pair.server.grpc, START + 6 * stall);
    assert_int_equal(flow.status, SL_GRPC_CANCELLED);
    flow_end(&flow);
}

/* ---- compressed ---- */

static void sized_packed(void *context, struct sl_grpc_call *call, size_t bytes)
{
    ((struct side *)context)->sized = bytes;
    assert_int_equal(sl_grpc_grant_pieces(call, PIECE), SL_UNSUPPORTED);
    sl_grpc_grant(call);
}

static void no_piece(void *context, struct sl_grpc_call *call, struct sl_buf **piece, size_t offset,
                     size_t total)
{
    (void)context, (void)call, (void)piece, (void)offset, (void)total;
    fail_msg("a compressed message comes whole");
}

static void a_compressed_message_comes_whole(void **state)
{
    struct sl_grpc_options options = defaults;
    struct sl_grpc_events  whole = events;
    struct pair            pair;

    (void)state;
    options.gzip = true;
    whole.sized = sized_packed;
    whole.piece = no_piece;
    begin_with(&pair, &options, PIECE_LARGE, 0);
    sl_grpc_free(&pair.server.grpc);
    pair.server.grpc = sl_grpc_new(SL_H2_SERVER, &whole, &pair.server, &options, START);
    pair.wire.server = sl_grpc_h2(pair.server.grpc);
    unary(&pair, 40 * MIB); /* which packs to more than a window */
    assert_in_range(pair.server.sized, SL_H2_WINDOW_BYTES, MIB);
    end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_of_64_mib_needs_two_pieces_of_memory),
        cmocka_unit_test(pieces_survive_every_split_between_other_messages),
        cmocka_unit_test(pieces_consumed_late_open_the_window_all_the_same),
        cmocka_unit_test(the_longest_message_that_the_wire_knows_can_come),
        cmocka_unit_test(what_can_only_come_whole_must_fit_a_buffer),
        cmocka_unit_test(a_receiver_may_give_up_in_the_middle),
        cmocka_unit_test(a_server_may_give_up_while_it_sends),
        cmocka_unit_test(a_deadline_ends_a_message_in_the_middle),
        cmocka_unit_test(only_a_sender_who_could_send_is_given_up),
        cmocka_unit_test(a_compressed_message_comes_whole),
    };

    return cmocka_run_group_tests_name("grpc_pieces", tests, NULL, NULL);
}
