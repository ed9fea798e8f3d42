/* A session and its socket: what the first bytes of a connection lead to, HTTP/1 beside gRPC on one
 * port, silent, deaf and broken peers, connections too many, and the orderly stop. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/topology.h"
#include "binlog/record.h"
#include "unit/actors/pump/entrance.h"

static const char write_path[] = "/binlog.Pump/WriteBinlog";
static const char pull_path[] = "/binlog.Pump/PullBinlogs";

static bool closed(uint32_t i)
{
    return (clients[i].connected || clients[i].hang_up) && clients[i].socket == NULL;
}

static bool first_closed(struct sl_ctx *ctx)
{
    (void)ctx;
    return closed(0);
}

static bool all_over(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].over_count == clients[0].call_count;
}

static void open_raw(struct sl_ctx *ctx)
{
    client_open(ctx, 0, false, false);
}

/* ---- HTTP ---- */

static void ask_status(struct sl_ctx *ctx)
{
    open_raw(ctx);
    client_raw_text(0, "GET /status?x=1 HTTP/1.1\r\nHost: pump\r\n\r\n"
                       "PUT /state/pump/pause HTTP/1.1\r\nHost: pump\r\nContent-Length: 2\r\n"
                       "Connection: close\r\n\r\nhi");
}

static void check_http(void)
{
    const char *first = strstr(clients[0].raw_in, "\r\n\r\nGET /status?x=1 [] trusted 0");

    assert_memory_equal(clients[0].raw_in, "HTTP/1.1 200 OK\r\n", 17);
    assert_non_null(first);
    assert_non_null(strstr(first, "\r\n\r\nPUT /state/pump/pause? [hi] trusted 0"));
    assert_true(clients[0].ended);
    assert_int_equal(admin.asked, 2);
}

static void requests_of_http_go_to_admin_one_by_one(void **state)
{
    static const struct stage_scene scenes[] = {{.play = ask_status}, {.ready = first_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_http);
}

/* What has come is read on without a further event, wherever it waits. */
static void ask_often(struct sl_ctx *ctx)
{
    open_raw(ctx);
    for (uint32_t i = 0; i < 29; i++)
        client_raw_text(0, "GET /status HTTP/1.1\r\nHost: pump\r\n\r\n");
    client_raw_text(0, "GET /last HTTP/1.0\r\n\r\n");
}

static void check_often(void)
{
    assert_int_equal(admin.asked, 30);
    assert_memory_equal(admin.said, "GET /last", 9);
    assert_true(clients[0].ended);
}

static void requests_behind_each_other_are_all_answered(void **state)
{
    static const struct stage_scene scenes[] = {{.play = ask_often}, {.ready = first_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_often);
}

/* The line to admin has one credit here. */
static void ask_twice(struct sl_ctx *ctx)
{
    admin.hold = true;
    for (uint32_t i = 0; i < 3; i++) {
        client_open(ctx, i, false, false);
        client_raw_text(i, "GET /status HTTP/1.0\r\n\r\n");
        clients[i].shut = i == 1; /* it still gets its answer */
    }
}

static bool one_asked(struct sl_ctx *ctx)
{
    (void)ctx;
    return admin.asked == 1;
}

static void answer(struct sl_ctx *ctx)
{
    (void)ctx;
    admin.hold = false;
}

static bool three_closed(struct sl_ctx *ctx)
{
    (void)ctx;
    return closed(0) && closed(1) && closed(2);
}

static void check_three(void)
{
    for (uint32_t i = 0; i < 3; i++)
        assert_non_null(strstr(clients[i].raw_in, "GET /status? [] trusted 0"));
}

static void requests_wait_for_their_line(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = ask_twice}, {.play = answer, .ready = one_asked}, {.ready = three_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_three);
}

static void ask_in_vain(struct sl_ctx *ctx)
{
    admin.vanish = true;
    open_raw(ctx);
    client_raw_text(0, "GET /status HTTP/1.0\r\n\r\n");
}

static void check_vain(void)
{
    assert_memory_equal(clients[0].raw_in, "HTTP/1.1 503 Service Unavailable\r\n", 34);
}

static void a_request_that_admin_cannot_answer_is_unavailable(void **state)
{
    static const struct stage_scene scenes[] = {{.play = ask_in_vain}, {.ready = first_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_vain);
}

/* ---- first bytes ---- */

static void talk_rubbish(struct sl_ctx *ctx)
{
    static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

    for (uint32_t i = 0; i < 4; i++)
        client_open(ctx, i, false, i == 2);
    client_raw(0, tls, sizeof tls - 1);
    client_raw_text(1, "PRI * HTTP/2.0\r\n\r\nSX");
    client_raw_text(2, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n"); /* over the unix socket */
    clients[3].shut = true;                                        /* nothing at all */
}

static bool four_closed(struct sl_ctx *ctx)
{
    return three_closed(ctx) && closed(3);
}

static void check_rubbish(void)
{
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(clients[i].raw_in_count, 0);
    assert_int_equal(admin.asked, 0);
}

static void what_is_neither_grpc_nor_http_is_closed(void **state)
{
    static const struct stage_scene scenes[] = {{.play = talk_rubbish}, {.ready = four_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_rubbish);
}

static sl_nanos opened_at;

static void say_little(struct sl_ctx *ctx)
{
    open_raw(ctx);
    client_raw_text(0, "PRI * HTTP/2.0\r\n");
    opened_at = sl_now(ctx);
}

static void note_silence(struct sl_ctx *ctx)
{
    sl_nanos took = sl_now(ctx) - opened_at;

    assert_true(took >= (sl_nanos)SL_CONNECTION_SNIFF_S * SL_NANOS_PER_S);
    assert_true(took < (sl_nanos)(SL_CONNECTION_SNIFF_S + 1) * SL_NANOS_PER_S);
}

static void who_does_not_say_what_it_speaks_is_closed_after_ten_seconds(void **state)
{
    static const struct stage_scene scenes[] = {{.play = say_little},
                                                {.play = note_silence, .ready = first_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, NULL);
}

static void open_slowly(struct sl_ctx *ctx)
{
    open_raw(ctx);
    client_raw_text(0, "PRI * HTTP/2.0");
}

static void open_on(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(clients[0].raw_in_count, 0);
    client_raw_text(0, "\r\n\r\nSM\r\n\r\n");
}

static bool settings_came(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].raw_in_count >= 9;
}

static void break_h2(struct sl_ctx *ctx)
{
    static const uint8_t settings = 4;

    (void)ctx;
    assert_int_equal(clients[0].raw_in[3], settings);
    client_raw_text(0, "this is no frame of HTTP/2, whatever it may look like");
}

static bool connected(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].connected && clients[0].raw_out_count == 0;
}

static void settings_follow_the_preface_and_broken_frames_end_the_connection(void **state)
{
    static const struct stage_scene scenes[] = {{.play = open_slowly},
                                                {.play = open_on, .ready = connected},
                                                {.play = break_h2, .ready = settings_came},
                                                {.ready = first_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, NULL);
}

static void write_over_unix(struct sl_ctx *ctx)
{
    client_open(ctx, 0, true, true);
    (void)client_call_hex(0, write_path, entrance_write_hex);
}

static void check_unix(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
}

static void the_unix_socket_speaks_grpc(void **state)
{
    static const struct stage_scene scenes[] = {{.play = write_over_unix}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_unix);
}

/* ---- connections too many ---- */

static void connect_all(struct sl_ctx *ctx)
{
    for (uint32_t i = 0; i <= ENTRANCE_SESSIONS_MAX; i++) {
        client_open(ctx, i, false, false);
        client_raw_text(i, "GET /");
    }
}

static uint32_t ticks; /* since all were closed */

static uint32_t closed_count(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i <= ENTRANCE_SESSIONS_MAX; i++)
        count += closed(i);
    return count;
}

static bool one_closed(struct sl_ctx *ctx)
{
    (void)ctx;
    return closed_count() == 1;
}

static void free_one(struct sl_ctx *ctx)
{
    (void)ctx;
    ticks = 0;
    assert_int_equal(atomic_load(&entrance_pump.board.refused), 1);
    for (uint32_t i = 0; i <= ENTRANCE_SESSIONS_MAX; i++)
        clients[i].hang_up = true;
}

/* For a while: the sessions have seen it too. */
static bool all_closed(struct sl_ctx *ctx)
{
    (void)ctx;
    return closed_count() == ENTRANCE_SESSIONS_MAX + 1 && ++ticks > 50;
}

static void connect_again(struct sl_ctx *ctx)
{
    client_open(ctx, 7, true, false);
    (void)client_call_hex(7, write_path, entrance_write_hex);
}

static bool served(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[7].over_count == 1;
}

static void check_served(void)
{
    client_expect(7, 0, SL_GRPC_OK, "");
}

static void a_connection_too_many_is_closed_and_a_place_that_is_free_again_is_used(void **state)
{
    static const struct stage_scene scenes[] = {{.play = connect_all},
                                                {.play = free_one, .ready = one_closed},
                                                {.play = connect_again, .ready = all_closed},
                                                {.ready = served}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_served);
}

/* ---- stop ---- */

static void be_busy(struct sl_ctx *ctx)
{
    writer.hold = true;
    admin.hold = true;
    client_open(ctx, 0, true, false);
    for (int64_t i = 0; i < 2 * ENTRANCE_WRITE_CREDITS; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, 1 + i, 0, 0);
    (void)client_call_hex(0, pull_path, entrance_pull_hex);
    client_open(ctx, 1, false, false);
    client_raw_text(1, "GET /status HTTP/1.1\r\nHost: pump\r\n\r\n");
    client_open(ctx, 2, false, false);
    client_raw_text(2, "GET /"); /* begun, and never ended */
}

static bool is_busy(struct sl_ctx *ctx)
{
    (void)ctx;
    return writer.holding == ENTRANCE_WRITE_CREDITS && admin.asked == 1 &&
           clients[0].calls[2 * ENTRANCE_WRITE_CREDITS].messages == 2 && clients[2].connected &&
           clients[2].raw_out_count == 0;
}

static void stop_gateway(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, entrance_gateway);
}

static bool stream_over(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].over_count == 1 && entrance_pump.listener == NULL;
}

static void answer_all(struct sl_ctx *ctx)
{
    (void)ctx;
    client_expect(0, 2 * ENTRANCE_WRITE_CREDITS, SL_GRPC_OK, "");
    writer.hold = false;
    admin.hold = false;
    opened_at = sl_now(ctx);
}

static void note_stop(struct sl_ctx *ctx)
{
    assert_true(sl_now(ctx) - opened_at < 3 * (sl_nanos)SL_NANOS_PER_S);
}

static void check_stop(void)
{
    for (uint32_t i = 0; i < 2 * ENTRANCE_WRITE_CREDITS; i++)
        client_expect(0, i, SL_GRPC_OK, "");
    assert_non_null(strstr(clients[1].raw_in, "GET /status? [] trusted 0"));
}

static void at_a_stop_streams_end_and_what_is_under_way_is_answered(void **state)
{
    static const struct stage_scene scenes[] = {{.play = be_busy},
                                                {.play = stop_gateway, .ready = is_busy},
                                                {.play = answer_all, .ready = stream_over},
                                                {.play = note_stop, .ready = three_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_stop);
}

/* A call that was on its way when the stop began. */
static void write_late(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, entrance_gateway);
    (void)client_write(0, SL_RECORD_PREWRITE, 1000, 0, 0);
    (void)client_write(0, SL_RECORD_PREWRITE, 1001, 0, 100 << 10);
    (void)client_call_hex(0, pull_path, entrance_pull_hex);
}

static bool late_over(struct sl_ctx *ctx)
{
    const struct client_call *late = &clients[0].calls[2 * ENTRANCE_WRITE_CREDITS + 1];

    (void)ctx;
    return late[0].over && late[1].over && late[2].over;
}

static void check_late(void)
{
    uint32_t late = 2 * ENTRANCE_WRITE_CREDITS + 1;

    for (uint32_t i = late; i < late + 3; i++) {
        if (clients[0].calls[i].status == SL_GRPC_OK)
            continue; /* it came before the stop */
        client_expect(0, i, SL_GRPC_UNAVAILABLE, clients[0].calls[i].text);
    }
}

static void calls_that_come_too_late_are_unavailable(void **state)
{
    static const struct stage_scene scenes[] = {{.play = be_busy},
                                                {.play = write_late, .ready = is_busy},
                                                {.play = answer, .ready = late_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_late);
}

static void stop_hard(struct sl_ctx *ctx)
{
    stop_gateway(ctx);
    opened_at = sl_now(ctx);
}

static void note_hard(struct sl_ctx *ctx)
{
    sl_nanos took = sl_now(ctx) - opened_at;

    assert_true(took >= (sl_nanos)SL_CONNECTION_STOP_S * SL_NANOS_PER_S);
    assert_true(took < (sl_nanos)(SL_CONNECTION_STOP_S + 1) * SL_NANOS_PER_S);
    writer.hold = false;
    admin.hold = false;
}

static void after_ten_seconds_a_stop_is_hard(void **state)
{
    static const struct stage_scene scenes[] = {{.play = be_busy},
                                                {.play = stop_hard, .ready = is_busy},
                                                {.play = note_hard, .ready = first_closed}};

    (void)state;
    ENTRANCE_PLAY(scenes, NULL);
}

/* ---- deaf peers ---- */

static void write_deaf(struct sl_ctx *ctx)
{
    client_open(ctx, 0, true, false);
    clients[0].deaf = true;
    puller.limit = 1000;
    puller.entities_per_batch = 8;
    puller.entity_bytes = 50000;
    (void)client_call_hex(0, pull_path, entrance_pull_hex);
    for (int64_t i = 0; i < 90; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, 1 + i, 0, 0);
}

static bool deaf_written(struct sl_ctx *ctx)
{
    (void)ctx;
    return writer.count == 90;
}

static void talk_beside(struct sl_ctx *ctx)
{
    client_open(ctx, 7, true, false);
    (void)client_call_hex(7, write_path, entrance_write_hex);
}

static void a_peer_that_does_not_read_hinders_nobody(void **state)
{
    static const struct stage_scene scenes[] = {{.play = write_deaf},
                                                {.play = talk_beside, .ready = deaf_written},
                                                {.play = stop_hard, .ready = served},
                                                {.ready = NULL}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_served);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_http_go_to_admin_one_by_one),
        cmocka_unit_test(requests_behind_each_other_are_all_answered),
        cmocka_unit_test(requests_wait_for_their_line),
        cmocka_unit_test(a_request_that_admin_cannot_answer_is_unavailable),
        cmocka_unit_test(what_is_neither_grpc_nor_http_is_closed),
        cmocka_unit_test(who_does_not_say_what_it_speaks_is_closed_after_ten_seconds),
        cmocka_unit_test(settings_follow_the_preface_and_broken_frames_end_the_connection),
        cmocka_unit_test(the_unix_socket_speaks_grpc),
        cmocka_unit_test(a_connection_too_many_is_closed_and_a_place_that_is_free_again_is_used),
        cmocka_unit_test(at_a_stop_streams_end_and_what_is_under_way_is_answered),
        cmocka_unit_test(calls_that_come_too_late_are_unavailable),
        cmocka_unit_test(after_ten_seconds_a_stop_is_hard),
        cmocka_unit_test(a_peer_that_does_not_read_hinders_nobody),
    };

    return cmocka_run_group_tests_name("session_wire", tests, NULL, NULL);
}
