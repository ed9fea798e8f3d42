/* Two connections of net/h2.h on a wire in memory: every end of a stream and of a connection is
 * heard, once, and leaves nothing behind. */

#include "unit/net/h2_pair.h"

static void a_reset_drops_the_queue_and_is_heard(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 100, 0);
    pair.server.consume = false;
    request(&pair.client);
    (void)send_pattern(&pair.client, 100 * 1000);
    wire_run(&pair.wire);
    assert_int_equal(sl_buf_live_count(), 1);
    sl_h2_reset(pair.client.stream, SL_H2_CANCEL);
    sl_h2_reset(pair.client.stream, SL_H2_INTERNAL_ERROR); /* no effect */
    assert_int_equal(sl_buf_live_count(), 0);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.closed_code, SL_H2_CANCEL);
    assert_int_equal(pair.server.closed_code, SL_H2_CANCEL);
    assert_int_equal(pair.server.closed, 1);
    assert_int_equal(pair.server.ended, 0);
    end(&pair);
}

static void a_server_may_answer_before_the_request_ends(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 4000, 0);
    pair.server.consume = false;
    request(&pair.client);
    (void)send_pattern(&pair.client, 200 * 1000);
    wire_run(&pair.wire);
    respond(&pair.server, true);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.headers, 1);
    assert_int_equal(pair.client.ended, 1);
    assert_int_equal(pair.client.closed, 1);
    assert_int_equal(pair.server.closed, 1);
    assert_int_equal(pair.client.closed_code, SL_H2_NO_ERROR);
    end(&pair);
}

static void a_late_answer_finds_no_stream(void **state)
{
    struct pair pair;
    uint32_t    id;

    (void)state;
    begin(&pair, 4000, 0);
    request(&pair.client);
    wire_run(&pair.wire);
    id = sl_h2_stream_id(pair.server.stream);
    assert_ptr_equal(sl_h2_find(pair.server.h2, id), pair.server.stream);
    sl_h2_reset(pair.client.stream, SL_H2_CANCEL);
    wire_run(&pair.wire);
    assert_null(sl_h2_find(pair.server.h2, id));
    assert_null(sl_h2_find(pair.server.h2, UINT32_MAX));
    end(&pair);
}

static void many_streams_run_beside_each_other(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 5000, 11);
    wire_run(&pair.wire); /* the client learns that more than 100 are allowed */
    for (uint32_t i = 0; i < SL_H2_STREAMS_MAX; i++) {
        request(&pair.client);
        (void)send_pattern(&pair.client, 10);
        sl_h2_end(pair.client.stream, NULL);
    }
    assert_int_equal(try_request(&pair.client), SL_FULL);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.begun, SL_H2_STREAMS_MAX);
    assert_int_equal(pair.server.bytes, 10 * SL_H2_STREAMS_MAX);
    for (uint32_t id = 1; id < 2 * SL_H2_STREAMS_MAX; id += 2) {
        pair.server.stream = sl_h2_find(pair.server.h2, id);
        respond(&pair.server, true);
    }
    wire_run(&pair.wire);
    assert_int_equal(pair.client.closed, SL_H2_STREAMS_MAX);
    request(&pair.client);
    end(&pair);
}

static void streams_beyond_what_the_server_allows_wait(void **state)
{
    struct sl_h2_limits limits = sl_h2_limits_default;
    struct pair         pair;
    uint32_t            last_id;

    (void)state;
    begin(&pair, 4000, 0);
    sl_h2_free(&pair.server.h2);
    limits.streams_max = 2;
    pair.server.h2 = sl_h2_new(SL_H2_SERVER, &events, &pair.server, &limits);
    pair.wire.server = pair.server.h2;
    wire_run(&pair.wire);
    for (int i = 0; i < 4; i++)
        request(&pair.client);
    last_id = sl_h2_stream_id(pair.client.stream);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.begun, 2);

    /* One that still waits is given up: the server never hears of it. */
    sl_h2_reset(pair.client.stream, SL_H2_CANCEL);
    respond(&pair.server, true);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.begun, 3);
    pair.server.stream = sl_h2_find(pair.server.h2, 1);
    respond(&pair.server, true);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.begun, 3);
    assert_int_equal(pair.client.closed, 3);
    assert_null(sl_h2_find(pair.server.h2, last_id));
    end(&pair);
}

static void a_graceful_end_serves_what_is_under_way(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 4000, 0);
    request(&pair.client);
    sl_h2_end(pair.client.stream, NULL);
    wire_run(&pair.wire);
    request(&pair.client); /* crosses the announcement */
    sl_h2_goaway(pair.server.h2);
    sl_h2_goaway(pair.server.h2);
    wire_run(&pair.wire);
    assert_int_equal(pair.client.goaway, 2);
    assert_int_equal(pair.server.begun, 2);
    assert_int_equal(try_request(&pair.client), SL_UNAVAILABLE);
    assert_false(sl_h2_is_over(pair.server.h2));

    for (uint32_t id = 1; id <= 3; id += 2) {
        pair.server.stream = sl_h2_find(pair.server.h2, id);
        respond(&pair.server, true);
    }
    wire_run(&pair.wire);
    assert_int_equal(pair.client.closed, 2);
    assert_int_equal(pair.client.closed_code, SL_H2_NO_ERROR);
    assert_true(sl_h2_is_over(pair.server.h2));
    assert_true(sl_h2_is_over(pair.client.h2));
    end(&pair);
}

static void a_clients_goaway_ends_the_connection_after_its_streams(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 4000, 0);
    request(&pair.client);
    wire_run(&pair.wire);
    sl_h2_goaway(pair.client.h2);
    assert_int_equal(try_request(&pair.client), SL_UNAVAILABLE);
    wire_run(&pair.wire);
    assert_int_equal(pair.server.goaway, 1);
    assert_false(sl_h2_is_over(pair.client.h2));
    respond(&pair.server, true);
    wire_run(&pair.wire);
    assert_true(sl_h2_is_over(pair.client.h2));
    assert_true(sl_h2_is_over(pair.server.h2));
    end(&pair);
}

static void terminating_tells_the_peer_and_every_later_call(void **state)
{
    struct pair   pair;
    struct sl_why why = {0};

    (void)state;
    begin(&pair, 4000, 0);
    request(&pair.client);
    wire_run(&pair.wire);
    sl_h2_terminate(pair.server.h2, SL_H2_ENHANCE_YOUR_CALM, "too many connections");
    wire_run(&pair.wire);
    assert_int_equal(pair.client.goaway, 1);
    assert_int_equal(wire_give(pair.server.h2, "", 0, &why), SL_STOPPED);
    assert_string_equal(why.text, "http/2: ended by us: too many connections");
    assert_string_equal(sl_h2_why_text(pair.server.h2), why.text);
    assert_true(sl_h2_is_over(pair.server.h2));
    end(&pair);
}

static void streams_that_were_not_finished_are_freed_with_the_connection(void **state)
{
    struct pair pair;

    (void)state;
    begin(&pair, 4000, 0);
    pair.server.consume = false;
    for (int i = 0; i < 10; i++) {
        request(&pair.client);
        (void)send_pattern(&pair.client, 100 * 1000);
    }
    wire_run(&pair.wire);
    respond(&pair.server, false);
    (void)send_pattern(&pair.server, 100 * 1000);
    finish(&pair.server);
    end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_drops_the_queue_and_is_heard),
        cmocka_unit_test(a_server_may_answer_before_the_request_ends),
        cmocka_unit_test(a_late_answer_finds_no_stream),
        cmocka_unit_test(many_streams_run_beside_each_other),
        cmocka_unit_test(streams_beyond_what_the_server_allows_wait),
        cmocka_unit_test(a_graceful_end_serves_what_is_under_way),
        cmocka_unit_test(a_clients_goaway_ends_the_connection_after_its_streams),
        cmocka_unit_test(terminating_tells_the_peer_and_every_later_call),
        cmocka_unit_test(streams_that_were_not_finished_are_freed_with_the_connection),
    };

    return cmocka_run_group_tests_name("h2_end", tests, NULL, NULL);
}
