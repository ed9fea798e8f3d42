/* Two connections of net/h2.h on a wire in memory: what one sends the other gets, however the bytes
 * are cut; windows and queues hold back exactly what they should. */

#include "unit/net/h2_pair.h"

static void exchange(size_t piece_max, uint64_t seed)
{
    struct pair pair;
    uint64_t    up;
    uint64_t    down;

    begin(&pair, piece_max, seed);
    request(&pair.client);
    up = send_pattern(&pair.client, 3000);
    sl_h2_end(pair.client.stream, NULL);
    wire_run(&pair.wire);
    assert_string_equal(pair.server.path, "/binlog.Pump/WriteBinlog");
    assert_string_equal(pair.server.authority, "/tmp/pump.sock");
    assert_int_equal(pair.server.bytes, 3000);
    assert_int_equal(pair.server.sum, up);
    assert_int_equal(pair.server.ended, 1);

    respond(&pair.server, false);
    down = send_pattern(&pair.server, 100 * 1000);
    finish(&pair.server);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.headers, 2);
    assert_string_equal(pair.client.grpc_status, "0");
    assert_int_equal(pair.client.bytes, 100 * 1000);
    assert_int_equal(pair.client.sum, down);
    assert_int_equal(pair.client.ended, 1);
    assert_int_equal(pair.client.closed + pair.server.closed, 2);
    assert_int_equal(pair.client.closed_code + pair.server.closed_code, SL_H2_NO_ERROR);
    assert_int_equal(sl_h2_stream_count(pair.client.h2) + sl_h2_stream_count(pair.server.h2), 0);
    end(&pair);
}

static void an_exchange_survives_every_split(void **state)
{
    (void)state;
    exchange(PIECE_LARGE, 0);
    exchange(1, 0);
    for (uint64_t seed = 1; seed <= 50; seed++)
        exchange(seed % 2 == 0 ? 17 : 5000, seed);
}

static void a_preface_is_known_by_its_first_bytes(void **state)
{
    const uint8_t *preface = (const uint8_t *)"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    (void)state;
    for (size_t i = 0; i < 24; i++) {
        uint8_t wrong[24];

        assert_int_equal(sl_h2_is_preface(preface, i), SL_H2_PREFACE_MORE);
        memcpy(wrong, preface, 24);
        wrong[i] ^= 1;
        assert_int_equal(sl_h2_is_preface(wrong, i + 1), SL_H2_PREFACE_NO);
    }
    assert_int_equal(sl_h2_is_preface(preface, 24), SL_H2_PREFACE_YES);
    assert_int_equal(sl_h2_is_preface((const uint8_t *)"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore", 28),
                     SL_H2_PREFACE_YES);
    assert_int_equal(sl_h2_is_preface((const uint8_t *)"POST /", 6), SL_H2_PREFACE_NO);
}

static void both_sides_speak_at_once(void **state)
{
    struct pair       pair;
    struct sl_buf    *first;
    struct wire_frame frame;

    (void)state;
    begin(&pair, PIECE_LARGE, 0);
    first = wire_take(pair.server.h2);
    assert_int_equal(wire_count_frames(sl_slice_from_buf(first), WIRE_SETTINGS, &frame), 1);
    assert_int_equal(wire_count_frames(sl_slice_from_buf(first), WIRE_WINDOW_UPDATE, &frame), 1);
    assert_int_equal(frame.stream, 0);
    assert_int_equal(wire_u32(frame.payload), SL_H2_CONNECTION_WINDOW_BYTES - 65535);
    sl_buf_free(&first);

    /* The client's request does not wait for the server's SETTINGS. */
    request(&pair.client);
    first = wire_take(pair.client.h2);
    assert_true(first->len > 24);
    {
        struct sl_slice frames = {first->data + 24, first->len - 24};

        assert_int_equal(wire_count_frames(frames, WIRE_SETTINGS, NULL), 1);
        assert_int_equal(wire_count_frames(frames, WIRE_HEADERS, NULL), 1);
        assert_int_equal(wire_count_frames(frames, WIRE_WINDOW_UPDATE, NULL), 0);
    }
    sl_buf_free(&first);
    end(&pair);
}

static void a_client_widens_its_connection_after_the_first_response(void **state)
{
    struct pair       pair;
    struct sl_buf    *bytes;
    struct wire_frame frame;

    (void)state;
    begin(&pair, PIECE_LARGE, 0);
    request(&pair.client);
    wire_run(&pair.wire);
    respond(&pair.server, false);
    bytes = wire_take(pair.server.h2);
    assert_int_equal(wire_give(pair.client.h2, bytes->data, bytes->len, NULL), SL_OK);
    sl_buf_free(&bytes);
    bytes = wire_take(pair.client.h2);
    assert_int_equal(wire_count_frames(sl_slice_from_buf(bytes), WIRE_WINDOW_UPDATE, &frame), 1);
    assert_int_equal(frame.stream, 0);
    sl_buf_free(&bytes);
    end(&pair);
}

static void a_sender_stalls_exactly_at_the_window(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 4000, 0);
    pair.server.consume = false;
    request(&pair.client);
    (void)send_pattern(&pair.client, 200 * 1000);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.bytes, SL_H2_WINDOW_BYTES);

    sl_h2_consume(pair.server.stream, 1);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.bytes, SL_H2_WINDOW_BYTES + 1);
    sl_h2_consume(pair.server.stream, 1000);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.bytes, SL_H2_WINDOW_BYTES + 1001);

    /* A window grown by what is left needs no consuming. */
    sl_h2_grow_window(pair.server.stream, 200 * 1000 - SL_H2_WINDOW_BYTES - 1001);
    sl_h2_end(pair.client.stream, NULL);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.bytes, 200 * 1000);
    assert_int_equal(pair.server.ended, 1);
    end(&pair);
}

static void a_grown_window_is_as_before_when_its_bytes_have_come(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 4000, 0);
    pair.server.consume = false;
    request(&pair.client);
    (void)send_pattern(&pair.client, 900 * 1000);
    wire_run(&pair.wire);
    for (uint64_t round = 1; round <= 3; round++) {
        sl_h2_grow_window(pair.server.stream, 100 * 1000);
        wire_run(&pair.wire);
        assert_int_equal(pair.server.bytes, SL_H2_WINDOW_BYTES + round * 100 * 1000);
    }
    sl_h2_consume(pair.server.stream, SL_H2_WINDOW_BYTES);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.bytes, 2 * SL_H2_WINDOW_BYTES + 300 * 1000);
    end(&pair);
}

static void one_stalled_stream_does_not_stop_the_others(void **state)
{
    struct pair          pair;
    struct sl_h2_stream *stalled;

    (void)state;
    begin(&pair, 4000, 0);
    pair.server.consume = false;
    request(&pair.client);
    stalled = pair.client.stream;
    (void)send_pattern(&pair.client, 200 * 1000);
    wire_run(&pair.wire);
    for (uint32_t i = 0; i < 20; i++) {
        request(&pair.client);
        (void)send_pattern(&pair.client, 60 * 1000);
        sl_h2_end(pair.client.stream, NULL);
        wire_run(&pair.wire);
        assert_int_equal(pair.server.ended, i + 1);
    }
    sl_h2_reset(stalled, SL_H2_CANCEL);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.closed_code, SL_H2_CANCEL);
    end(&pair);
}

static void a_full_queue_refuses_and_tells_when_there_is_room(void **state)
{
    struct pair    pair;
    struct sl_buf *more;
    enum sl_err    err;
    uint32_t       taken = 0;

    (void)state;
    begin(&pair, 4000, 0);
    pair.server.consume = false;
    request(&pair.client);
    do {
        more = sl_buf_new(1000);
        memset(more->data, 7, more->len);
        err = sl_h2_send(pair.client.stream, text("head"), &more);
        taken += err == SL_OK;
    } while (err == SL_OK);
    assert_int_equal(err, SL_FULL);
    assert_int_equal(more->len, 1000); /* still ours */
    sl_buf_free(&more);
    assert_in_range((uint64_t)taken * (1004 + SL_H2_CHUNK_COST_BYTES), SL_H2_QUEUE_BYTES,
                    SL_H2_QUEUE_BYTES + 2000);

    /* The peer takes one window: too little to be told. */
    wire_run(&pair.wire);
    assert_int_equal(pair.client.writable, 0);
    pair.server.consume = true;
    sl_h2_consume(pair.server.stream, pair.server.bytes);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.writable, 1);
    assert_int_equal(pair.server.bytes, (uint64_t)taken * 1004);
    end(&pair);
}

static void the_queues_of_a_connection_are_bounded_together(void **state)
{
    struct sl_h2_limits limits = sl_h2_limits_default;
    struct pair         pair;
    struct sl_buf      *more = sl_buf_new(10);

    (void)state;
    begin(&pair, 4000, 0);
    sl_h2_free(&pair.client.h2);
    limits.queue_bytes = 1000;
    limits.connection_queue_bytes = 2000;
    pair.client.h2 = sl_h2_new(SL_H2_CLIENT, &events, &pair.client, &limits);
    pair.wire.client = pair.client.h2;
    for (int i = 0; i < 2; i++) {
        request(&pair.client);
        (void)send_pattern(&pair.client, 1000);
    }
    request(&pair.client);
    memset(more->data, 0, more->len);
    assert_int_equal(sl_h2_send(pair.client.stream, (struct sl_slice){0}, &more), SL_FULL);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.writable, 1);
    assert_int_equal(sl_h2_send(pair.client.stream, (struct sl_slice){0}, &more), SL_OK);
    end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_survives_every_split),
        cmocka_unit_test(a_preface_is_known_by_its_first_bytes),
        cmocka_unit_test(both_sides_speak_at_once),
        cmocka_unit_test(a_client_widens_its_connection_after_the_first_response),
        cmocka_unit_test(a_sender_stalls_exactly_at_the_window),
        cmocka_unit_test(a_grown_window_is_as_before_when_its_bytes_have_come),
        cmocka_unit_test(one_stalled_stream_does_not_stop_the_others),
        cmocka_unit_test(a_full_queue_refuses_and_tells_when_there_is_room),
        cmocka_unit_test(the_queues_of_a_connection_are_bounded_together),
    };

    return cmocka_run_group_tests_name("h2", tests, NULL, NULL);
}
