/* A client that asks too much of a server of net/h2.h: every excess ends the stream or the
 * connection with a text, none costs memory without bound. */

#include "unit/net/h2_victim.h"

/* Play one frame over and over, reading what comes back, until the server has enough of it. Returns
 * how many it bore. */
static uint32_t flood(struct victim *victim, uint8_t type, uint8_t flags, uint32_t stream,
                      size_t length)
{
    static const uint8_t zeros[64];
    uint32_t             count = 0;

    for (; count < 3 * SL_H2_FLOOD_BURST; count++) {
        struct sl_buf *answer;

        wire_add_frame(&victim->script, type, flags, stream, zeros, length);
        if (play(victim) != SL_OK)
            break;
        answer = wire_take(victim->h2);
        sl_buf_free(&answer);
    }
    return count;
}

static void assert_flood_ends(uint8_t type, uint8_t flags, uint32_t stream, size_t length)
{
    struct victim victim;
    uint32_t      borne;

    begin(&victim);
    wire_add_request(&victim.script, 1, "/s/m", 0);
    assert_int_equal(play(&victim), SL_OK);
    borne = flood(&victim, type, flags, stream, length);
    assert_in_range(borne, SL_H2_FLOOD_BURST / 2, SL_H2_FLOOD_BURST);
    assert_ended(&victim, SL_TOO_LARGE, CALM, "flooded");
    end(&victim);
}

static void floods_of_frames_without_use_end_the_connection(void **state)
{
    (void)state;
    assert_flood_ends(WIRE_PING, 0, 0, 8);
    assert_flood_ends(WIRE_PING, WIRE_ACK, 0, 8);
    assert_flood_ends(WIRE_SETTINGS, 0, 0, 0);
    assert_flood_ends(WIRE_PRIORITY, 0, 7, 5);
    assert_flood_ends(WIRE_DATA, 0, 1, 0);
    assert_flood_ends(WIRE_DATA, WIRE_PADDED, 1, 1);
}

static void unread_answers_are_bounded(void **state)
{
    struct victim victim;
    const uint8_t ping[8] = {0};

    (void)state;
    begin(&victim);
    for (uint32_t i = 0; i < SL_H2_ACKS_MAX + 2000; i++)
        wire_add_frame(&victim.script, WIRE_PING, 0, 0, ping, sizeof ping);
    assert_int_equal(play(&victim), SL_TOO_LARGE);
    assert_ended(&victim, SL_TOO_LARGE, CALM, "Flooding");
    end(&victim);
}

static void rapid_reset_ends_the_connection(void **state)
{
    struct victim victim;
    uint32_t      id = 1;

    (void)state;
    begin(&victim);
    for (;; id += 2) {
        struct sl_buf *answer;

        assert_true(id < 4 * SL_H2_FLOOD_BURST);
        wire_add_request(&victim.script, id, "/s/m", 0);
        wire_add_frame(&victim.script, WIRE_RST_STREAM, 0, id, "\0\0\0\x8", 4);
        if (play(&victim) != SL_OK)
            break;
        answer = wire_take(victim.h2);
        sl_buf_free(&answer);
    }
    assert_int_equal(victim.begun, victim.closed + 1);
    assert_ended(&victim, SL_TOO_LARGE, CALM, "flooded");
    end(&victim);
}

static void work_and_time_earn_what_pings_cost(void **state)
{
    struct victim victim;
    const uint8_t ping[8] = {0};
    uint32_t      borne;

    (void)state;
    begin(&victim);
    for (uint32_t i = 0; i < 3 * SL_H2_FLOOD_BURST; i++) {
        struct sl_buf *answer;

        wire_add_request(&victim.script, 2 * i + 1, "/s/m", WIRE_END_STREAM);
        wire_add_frame(&victim.script, WIRE_PING, 0, 0, ping, sizeof ping);
        assert_int_equal(play(&victim), SL_OK);
        answer = wire_take(victim.h2);
        sl_buf_free(&answer);
    }
    assert_int_equal(victim.closed, 3 * SL_H2_FLOOD_BURST);

    sl_h2_tick(victim.h2, 0);
    for (uint32_t i = 0; i < SL_H2_FLOOD_BURST - 100; i++)
        wire_add_frame(&victim.script, WIRE_PING, WIRE_ACK, 0, ping, sizeof ping);
    assert_int_equal(play(&victim), SL_OK);
    sl_h2_tick(victim.h2, SL_NANOS_PER_S / 2);
    sl_h2_tick(victim.h2, SL_NANOS_PER_S);
    borne = flood(&victim, WIRE_PING, 0, 0, 8);
    assert_in_range(borne, SL_H2_FLOOD_PER_S + 50, SL_H2_FLOOD_PER_S + 100);
    end(&victim);
}

static void a_header_that_is_too_large_ends_its_stream(void **state)
{
    struct victim      victim;
    struct wire_script block = {0};
    char               value[120];
    const char *const  small[] = {"x", "y", NULL};
    const char *const  field[] = {"x-filler", value, NULL};

    (void)state;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    begin(&victim);
    wire_add_headers(&block, 0, 0, field);
    wire_add_headers(&victim.script, 1, 0, small);
    for (size_t i = 0; i < 8; i++) {
        struct wire_script part = {0};

        for (int j = 0; j < 30; j++)
            wire_add_bytes(&part, block.bytes + 9, block.count - 9);
        wire_add_frame(&victim.script, WIRE_CONTINUATION, i == 7 ? WIRE_END_HEADERS : 0, 1,
                       part.bytes, part.count);
        wire_script_free(&part);
    }
    wire_script_free(&block);
    assert_int_equal(play(&victim), SL_OK);
    assert_int_equal(victim.begun, 0);
    assert_reset(&victim, CALM);

    /* The connection goes on. */
    wire_add_request(&victim.script, 3, "/s/m", WIRE_END_STREAM);
    assert_int_equal(play(&victim), SL_OK);
    assert_int_equal(victim.begun, 1);
    end(&victim);
}

static void a_header_in_too_many_frames_ends_the_connection(void **state)
{
    struct victim     victim;
    const char *const small[] = {"x", "y", NULL};

    (void)state;
    begin(&victim);
    wire_add_headers(&victim.script, 1, 0, small);
    for (int i = 0; i <= SL_H2_CONTINUATIONS_MAX; i++)
        wire_add_frame(&victim.script, WIRE_CONTINUATION, 0, 1, NULL, 0);
    assert_int_equal(play(&victim), SL_TOO_LARGE);
    assert_ended(&victim, SL_TOO_LARGE, CALM, "CONTINUATION");
    end(&victim);
}

static void streams_beyond_the_limit_are_refused(void **state)
{
    struct victim     victim;
    struct wire_frame frame;
    uint8_t           payload[64];

    (void)state;
    begin(&victim);
    victim.answer = false;
    for (uint32_t i = 0; i <= SL_H2_STREAMS_MAX; i++)
        wire_add_request(&victim.script, 2 * i + 1, "/s/m", WIRE_END_STREAM);
    assert_int_equal(play(&victim), SL_OK);
    assert_int_equal(victim.begun, SL_H2_STREAMS_MAX);
    assert_int_equal(said(&victim, WIRE_RST_STREAM, &frame, payload), 1);
    assert_int_equal(wire_u32(payload), SL_H2_REFUSED_STREAM);

    /* Who has acknowledged the limit has no excuse. */
    wire_add_frame(&victim.script, WIRE_SETTINGS, WIRE_ACK, 0, NULL, 0);
    wire_add_request(&victim.script, 2 * SL_H2_STREAMS_MAX + 3, "/s/m", WIRE_END_STREAM);
    (void)play(&victim);
    assert_ended(&victim, SL_INVALID, SL_H2_PROTOCOL_ERROR, "max concurrent streams");
    end(&victim);
}

static void more_than_the_window_ends_the_stream_or_connection(void **state)
{
    static const uint8_t body[16000];
    struct victim        victim;

    (void)state;
    begin(&victim);
    wire_add_request(&victim.script, 1, "/s/m", 0);
    for (int i = 0; i < 5; i++)
        wire_add_frame(&victim.script, WIRE_DATA, 0, 1, body, sizeof body);
    assert_int_equal(play(&victim), SL_OK);
    assert_in_range(victim.bytes, 4 * sizeof body, SL_H2_WINDOW_BYTES);
    assert_reset(&victim, SL_H2_FLOW_CONTROL_ERROR);
    end(&victim);
}

static void padding_opens_no_window_beyond_itself(void **state)
{
    static const uint8_t body[256] = {255};
    struct victim        victim;
    struct wire_frame    frame;
    uint64_t             announced = 0;
    uint32_t             sent = 0;

    (void)state;
    begin(&victim);
    wire_add_request(&victim.script, 1, "/s/m", 0);
    for (; sent < 2000; sent++)
        wire_add_frame(&victim.script, WIRE_DATA, WIRE_PADDED, 1, body, sizeof body);
    assert_int_equal(play(&victim), SL_OK);
    {
        struct sl_buf *bytes = wire_take(victim.h2);

        for (size_t at = 0; wire_next_frame(sl_slice_from_buf(bytes), &at, &frame);) {
            if (frame.type == WIRE_WINDOW_UPDATE && frame.stream == 1)
                announced += wire_u32(frame.payload);
        }
        sl_buf_free(&bytes);
    }
    assert_int_equal(announced, (uint64_t)sent * sizeof body);
    end(&victim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floods_of_frames_without_use_end_the_connection),
        cmocka_unit_test(unread_answers_are_bounded),
        cmocka_unit_test(rapid_reset_ends_the_connection),
        cmocka_unit_test(work_and_time_earn_what_pings_cost),
        cmocka_unit_test(a_header_that_is_too_large_ends_its_stream),
        cmocka_unit_test(a_header_in_too_many_frames_ends_the_connection),
        cmocka_unit_test(streams_beyond_the_limit_are_refused),
        cmocka_unit_test(more_than_the_window_ends_the_stream_or_connection),
        cmocka_unit_test(padding_opens_no_window_beyond_itself),
    };

    return cmocka_run_group_tests_name("h2_flood", tests, NULL, NULL);
}
