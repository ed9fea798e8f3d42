/* Every way in which a call of net/grpc.h can end, as its owner hears it on either side. */

#include "unit/net/grpc_pair.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_granted_message_that_stalls_is_given_up),
        cmocka_unit_test(a_message_above_the_limit_is_refused_in_grpcs_words),
        cmocka_unit_test(unknown_methods_are_refused_in_grpcs_words),
        cmocka_unit_test(a_status_carries_its_text),
        cmocka_unit_test(a_request_has_exactly_the_messages_it_should),
        cmocka_unit_test(overdue_calls_end_on_the_side_that_notices),
        cmocka_unit_test(a_cancelled_call_is_over_for_the_other_side),
        cmocka_unit_test(a_broken_connection_ends_all_calls_as_unavailable),
        cmocka_unit_test(after_a_goaway_calls_under_way_end_well),
    };

    return cmocka_run_group_tests_name("grpc_end", tests, NULL, NULL);
}
