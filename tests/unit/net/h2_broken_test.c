/* A client that breaks the protocol: a server of net/h2.h ends the stream or the connection, and
 * says why. */

#include "unit/net/h2_victim.h"

/* Frames that break the protocol, each after the opening and one open request (stream 1). */
static const struct crime {
    uint8_t     type;
    uint8_t     flags;
    uint32_t    stream;
    const char *payload;
    size_t      length;
    uint32_t    code;
} crimes[] = {
    {WIRE_DATA, 0, 0, "x", 1, SL_H2_PROTOCOL_ERROR},
    {WIRE_DATA, 0, 99, "x", 1, SL_H2_PROTOCOL_ERROR},
    {WIRE_HEADERS, WIRE_END_HEADERS, 2, "", 0, SL_H2_PROTOCOL_ERROR},
    {WIRE_HEADERS, WIRE_END_HEADERS, 3, "\xff\xff\xff\xff\xff\xff\xff", 7, 9},
    {WIRE_CONTINUATION, 0, 1, "", 0, SL_H2_PROTOCOL_ERROR},
    {WIRE_WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4, SL_H2_PROTOCOL_ERROR},
    {WIRE_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff", 4, SL_H2_FLOW_CONTROL_ERROR},
    {WIRE_SETTINGS, 0, 0, "\0\x5\0\0\0\0", 6, SL_H2_PROTOCOL_ERROR},
    {WIRE_SETTINGS, 0, 0, "\0\x4\xff\xff\xff\xff", 6, SL_H2_FLOW_CONTROL_ERROR},
    {WIRE_SETTINGS, 0, 0, "\0", 1, 6},
    {WIRE_PING, 0, 0, "short", 5, 6},
    {5, WIRE_END_HEADERS, 1, "\0\0\0\2", 4, SL_H2_PROTOCOL_ERROR},
};

static void broken_frames_end_the_connection_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crimes / sizeof crimes[0]; i++) {
        const struct crime *crime = &crimes[i];
        struct victim       victim;

        begin(&victim);
        wire_add_request(&victim.script, 1, "/s/m", 0);
        wire_add_frame(&victim.script, crime->type, crime->flags, crime->stream, crime->payload,
                       crime->length);
        (void)play(&victim);
        assert_ended(&victim, SL_INVALID, crime->code, "the peer broke the protocol: ");
        end(&victim);
    }
}

static void a_frame_that_is_too_long_ends_the_connection(void **state)
{
    struct victim victim;

    (void)state;
    begin(&victim);
    wire_add_bytes(&victim.script, "\x00\x40\x01\x00\x00\x00\x00\x00\x01", 9);
    (void)play(&victim);
    assert_ended(&victim, SL_INVALID, 6, "too large frame size");
    end(&victim);
}

static void a_request_without_method_or_path_is_reset(void **state)
{
    const char *const no_path[] = {":method", "POST", ":scheme", "http", NULL};
    const char *const no_method[] = {":path", "/s/m", NULL};
    struct victim     victim;

    (void)state;
    begin(&victim);
    wire_add_headers(&victim.script, 1, WIRE_END_HEADERS, no_path);
    assert_int_equal(play(&victim), SL_OK);
    assert_reset(&victim, SL_H2_PROTOCOL_ERROR);
    wire_add_headers(&victim.script, 3, WIRE_END_HEADERS | WIRE_END_STREAM, no_method);
    assert_int_equal(play(&victim), SL_OK);
    assert_reset(&victim, SL_H2_PROTOCOL_ERROR);
    assert_int_equal(victim.begun, 0);
    end(&victim);
}

static void a_second_header_that_does_not_end_resets_the_stream(void **state)
{
    struct victim victim;

    (void)state;
    begin(&victim);
    wire_add_request(&victim.script, 1, "/s/m", 0);
    wire_add_request(&victim.script, 1, "/s/m", 0);
    wire_add_frame(&victim.script, WIRE_DATA, WIRE_END_STREAM, 1, "x", 1);
    assert_int_equal(play(&victim), SL_OK);
    assert_reset(&victim, SL_H2_PROTOCOL_ERROR);
    assert_int_equal(victim.begun + victim.closed, 2);
    assert_int_equal(victim.bytes, 0);
    end(&victim);
}

static void what_is_not_http2_is_refused(void **state)
{
    struct victim victim;

    (void)state;
    begin(&victim);
    wire_script_free(&victim.script);
    wire_add_bytes(&victim.script, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_int_equal(play(&victim), SL_INVALID);
    assert_ended(&victim, SL_INVALID, SL_H2_PROTOCOL_ERROR, "client magic");
    end(&victim);
}

static void garbage_ends_the_connection_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct victim  victim;
        struct sl_prng prng;
        uint8_t        bytes[2000];

        sl_prng_seed(&prng, seed);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)sl_prng_below(&prng, seed % 2 == 0 ? 256 : 12);
        begin(&victim);
        wire_add_request(&victim.script, 1, "/s/m", 0);
        wire_add_bytes(&victim.script, bytes, sizeof bytes);
        for (int i = 0; i < 20 && play(&victim) == SL_OK; i++) {
            struct sl_buf *answer = wire_take(victim.h2);

            sl_buf_free(&answer);
            wire_add_bytes(&victim.script, bytes, sizeof bytes);
        }
        assert_true(strlen(victim.why.text) > 0);
        end(&victim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_frames_end_the_connection_with_a_reason),
        cmocka_unit_test(a_frame_that_is_too_long_ends_the_connection),
        cmocka_unit_test(a_request_without_method_or_path_is_reset),
        cmocka_unit_test(a_second_header_that_does_not_end_resets_the_stream),
        cmocka_unit_test(what_is_not_http2_is_refused),
        cmocka_unit_test(garbage_ends_the_connection_and_nothing_else),
    };

    return cmocka_run_group_tests_name("h2_broken", tests, NULL, NULL);
}
