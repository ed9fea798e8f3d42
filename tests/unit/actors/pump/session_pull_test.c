/* PullBinlogs at a session: the golden bytes of the specification's Appendix A, a puller per
 * stream, readers that are slow or go away, pullers that fail, and the bound on their number. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/actors/pump/entrance.h"

static const char pull_path[] = "/binlog.Pump/PullBinlogs";

static bool all_over(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].over_count == clients[0].call_count;
}

static void pull(struct sl_ctx *ctx)
{
    client_open(ctx, 0, true, false);
    (void)client_call_hex(0, pull_path, entrance_pull_hex);
}

/* ---- golden bytes ---- */

static bool two_entities(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].calls[0].messages == 2;
}

static void finish(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(atomic_load(&entrance_pump.board.pullers), 1);
    puller.finish = true;
}

static void check_golden(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
    assert_string_equal(clients[0].calls[0].last_hex, entrance_entity_hex);
    assert_int_equal(puller.after, ENTRANCE_COMMIT_TS);
    assert_memory_equal(puller.peer, "sim:", 4);
}

static void entities_arrive_as_the_puller_made_them_and_the_stream_ends_with_ok(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = pull}, {.play = finish, .ready = two_entities}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_golden);
}

static void pull_wrongly(struct sl_ctx *ctx)
{
    static const uint8_t too_large[SL_GRPC_UNASKED_BYTES_MAX + 1];

    client_open(ctx, 0, true, false);
    (void)client_call_hex(0, pull_path, "08051200");
    (void)client_call_hex(0, pull_path, "12ff");
    (void)client_call_bytes(0, pull_path, too_large, sizeof too_large);
}

static void check_wrong(void)
{
    client_expect(0, 0, SL_GRPC_UNKNOWN, "cluster ID are mismatch, 5 vs 6568678830546690613");
    client_expect(0, 1, SL_GRPC_INTERNAL, "grpc: error unmarshalling request: unexpected EOF");
    client_expect(0, 2, SL_GRPC_RESOURCE_EXHAUSTED,
                  "grpc: received message larger than max (65531 vs. 65530)");
    assert_int_equal(puller.begun, 0);
}

static void wrong_requests_start_no_puller(void **state)
{
    static const struct stage_scene scenes[] = {{.play = pull_wrongly}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_wrong);
}

/* ---- slow readers ---- */

enum { SLOW_BATCHES = 40, SLOW_ENTITIES = 8, SLOW_BYTES = 50000 };

static void pull_slowly(struct sl_ctx *ctx)
{
    pull(ctx);
    clients[0].calls[0].held = true; /* its window closes */
    puller.limit = SLOW_BATCHES;
    puller.entities_per_batch = SLOW_ENTITIES;
    puller.entity_bytes = SLOW_BYTES;
}

static uint32_t quiet_ticks;
static uint64_t quiet_given;

/* Nothing more is given for a while. */
static bool quiet(struct sl_ctx *ctx)
{
    (void)ctx;
    if (puller.given == 0 || puller.given != quiet_given)
        quiet_ticks = 0;
    quiet_given = puller.given;
    return quiet_ticks++ > 50;
}

static void read_on(struct sl_ctx *ctx)
{
    struct client_call *call = &clients[0].calls[0];

    (void)ctx;
    /* The send queue, one batch on its way into it, and one ahead. */
    assert_true(puller.given * SLOW_ENTITIES * SLOW_BYTES <=
                SL_H2_QUEUE_BYTES + 4 * SLOW_ENTITIES * SLOW_BYTES);
    call->held = false;
    while (call->unconsumed > 0) {
        size_t some = call->unconsumed < SLOW_BYTES ? call->unconsumed : SLOW_BYTES;

        sl_grpc_consume(call->call, some);
        call->unconsumed -= some;
    }
}

static bool all_read(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].calls[0].messages == SLOW_BATCHES * SLOW_ENTITIES;
}

static void check_slow(void)
{
    assert_int_equal(clients[0].calls[0].bytes,
                     (uint64_t)SLOW_BATCHES * SLOW_ENTITIES * SLOW_BYTES);
}

static void a_reader_that_is_slow_stops_its_puller_and_loses_nothing(void **state)
{
    static const struct stage_scene scenes[] = {{.play = pull_slowly},
                                                {.play = read_on, .ready = quiet},
                                                {.play = finish, .ready = all_read},
                                                {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_slow);
}

/* ---- ends ---- */

static void cancel(struct sl_ctx *ctx)
{
    (void)ctx;
    sl_grpc_cancel(clients[0].calls[0].call);
    clients[0].calls[0].call = NULL;
}

static bool pullers_gone(struct sl_ctx *ctx)
{
    (void)ctx;
    return puller.begun > 0 && puller.alive == 0 && atomic_load(&entrance_pump.board.pullers) == 0;
}

static void check_no_failure(void)
{
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);

    sl_metric_write(entrance_pump.metric_registry, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "rpc_duration_seconds_count{label=\"succ\","
                                 "method=\"PullBinlogs\"} 1\n"));
    assert_non_null(strstr(text, "rpc_duration_seconds_count{label=\"fail\","
                                 "method=\"PullBinlogs\"} 0\n"));
    free(text);
}

/* Which is no failure: drainers come and go. */
static void a_stream_that_is_given_up_ends_its_puller(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = pull}, {.play = cancel, .ready = two_entities}, {.ready = pullers_gone}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_no_failure);
}

static void hang_up(struct sl_ctx *ctx)
{
    (void)ctx;
    clients[0].hang_up = true;
}

static void a_connection_that_ends_ends_its_pullers(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = pull_slowly}, {.play = hang_up, .ready = quiet}, {.ready = pullers_gone}};

    (void)state;
    ENTRANCE_PLAY(scenes, NULL);
}

static void break_down(struct sl_ctx *ctx)
{
    (void)ctx;
    puller.fail = true;
}

static void check_failed(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
}

static void a_puller_that_fails_ends_its_stream_with_ok(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = pull}, {.play = break_down, .ready = two_entities}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_failed);
}

/* ---- many ---- */

static void pull_too_often(struct sl_ctx *ctx)
{
    client_open(ctx, 0, true, false);
    puller.limit = 3 * SL_PULLERS_MAX;
    for (uint32_t i = 0; i <= SL_PULLERS_MAX; i++)
        (void)client_call_hex(0, pull_path, entrance_pull_all_hex);
}

static bool one_over(struct sl_ctx *ctx)
{
    uint32_t entities = 0;

    (void)ctx;
    for (uint32_t i = 0; i <= SL_PULLERS_MAX; i++)
        entities += clients[0].calls[i].messages;
    return clients[0].over_count == 1 && puller.begun == SL_PULLERS_MAX &&
           entities == 3 * SL_PULLERS_MAX * 2;
}

static void cancel_all(struct sl_ctx *ctx)
{
    (void)ctx;
    client_expect(0, SL_PULLERS_MAX, SL_GRPC_UNKNOWN, "too many pullers");
    for (uint32_t i = 0; i < SL_PULLERS_MAX; i++)
        sl_grpc_cancel(clients[0].calls[i].call);
}

static void pull_again(struct sl_ctx *ctx)
{
    (void)ctx;
    puller.limit += 1;
    (void)client_call_hex(0, pull_path, entrance_pull_all_hex);
}

static bool served_again(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].calls[SL_PULLERS_MAX + 1].messages == 2;
}

static void one_stream_too_many_is_refused_and_others_share_a_full_line(void **state)
{
    static const struct stage_scene scenes[] = {{.play = pull_too_often},
                                                {.play = cancel_all, .ready = one_over},
                                                {.play = pull_again, .ready = pullers_gone},
                                                {.ready = served_again}};

    (void)state;
    ENTRANCE_PLAY(scenes, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_arrive_as_the_puller_made_them_and_the_stream_ends_with_ok),
        cmocka_unit_test(wrong_requests_start_no_puller),
        cmocka_unit_test(a_reader_that_is_slow_stops_its_puller_and_loses_nothing),
        cmocka_unit_test(a_stream_that_is_given_up_ends_its_puller),
        cmocka_unit_test(a_connection_that_ends_ends_its_pullers),
        cmocka_unit_test(a_puller_that_fails_ends_its_stream_with_ok),
        cmocka_unit_test(one_stream_too_many_is_refused_and_others_share_a_full_line),
    };

    return cmocka_run_group_tests_name("session_pull", tests, NULL, NULL);
}
