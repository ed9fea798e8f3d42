/* A server of net/h2.h and a client that does what it must not, in raw frames: every abuse ends the
 * stream or the connection with a text, none costs memory without bound. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "lib/wire.h"
#include "net/h2.h"

enum { CALM = SL_H2_ENHANCE_YOUR_CALM };

/* The server and what it heard and said. */
struct victim {
    struct sl_h2        *h2;
    struct sl_h2_stream *stream;
    bool                 answer; /* each request, at its end */
    uint32_t             begun;
    uint32_t             closed;
    uint64_t             bytes;
    struct wire_script   script; /* not yet given */
    struct sl_why        why;
};

static void on_begun(void *context, struct sl_h2_stream *stream,
                     const struct sl_h2_headers *headers)
{
    struct victim *victim = context;

    (void)headers;
    victim->begun++;
    victim->stream = stream;
}

static void on_headers(void *context, struct sl_h2_stream *stream,
                       const struct sl_h2_headers *headers, bool last)
{
    (void)context, (void)stream, (void)headers, (void)last;
    fail_msg("a server hears no responses");
}

static void on_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input, size_t offset,
                    size_t len)
{
    (void)stream, (void)input, (void)offset;
    ((struct victim *)context)->bytes += len;
}

static void on_ended(void *context, struct sl_h2_stream *stream)
{
    struct victim       *victim = context;
    struct sl_h2_headers headers = {0};

    headers.field[SL_H2_STATUS] = sl_slice_from_string("200");
    if (victim->answer)
        sl_h2_respond(stream, &headers, true);
}

static void on_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    (void)stream, (void)code;
    ((struct victim *)context)->closed++;
}

static void on_writable(void *context, struct sl_h2_stream *stream)
{
    (void)context, (void)stream;
}

static void on_goaway(void *context, uint32_t code, struct sl_slice text)
{
    (void)context, (void)code, (void)text;
}

static const struct sl_h2_events events = {on_begun,  on_headers,  on_data,  on_ended,
                                           on_closed, on_writable, on_goaway};

static void begin(struct victim *victim)
{
    *victim = (struct victim){.answer = true};
    victim->h2 = sl_h2_new(SL_H2_SERVER, &events, victim, NULL);
    wire_add_opening(&victim->script);
}

static void end(struct victim *victim)
{
    wire_script_free(&victim->script);
    sl_h2_free(&victim->h2);
    assert_int_equal(sl_buf_live_count(), 0);
}

/* Give the script in one piece, and begin another. */
static enum sl_err play(struct victim *victim)
{
    enum sl_err err =
        wire_give(victim->h2, victim->script.bytes, victim->script.count, &victim->why);

    wire_script_free(&victim->script);
    return err;
}

/* What the server has said by now, of this type. */
static uint32_t said(struct victim *victim, uint8_t type, struct wire_frame *first,
                     uint8_t *payload)
{
    struct sl_buf *bytes = wire_take(victim->h2);
    uint32_t       count = wire_count_frames(sl_slice_from_buf(bytes), type, first);

    if (count > 0 && payload != NULL)
        memcpy(payload, first->payload, first->length < 64 ? first->length : 64);
    sl_buf_free(&bytes);
    return count;
}

/* The connection ended with err, this code in GOAWAY, and words of ours. */
static void assert_ended(struct victim *victim, enum sl_err err, uint32_t code, const char *words)
{
    struct wire_frame frame;
    uint8_t           payload[64];

    assert_int_equal(wire_give(victim->h2, "", 0, &victim->why), err);
    if (strstr(victim->why.text, words) == NULL)
        fail_msg("%s", victim->why.text);
    assert_true(sl_h2_is_over(victim->h2));
    assert_true(said(victim, WIRE_GOAWAY, &frame, payload) >= 1);
    assert_int_equal(wire_u32(payload + 4), code);
}

/* The stream was reset with this code, and the connection lives. */
static void assert_reset(struct victim *victim, uint32_t code)
{
    struct wire_frame frame;
    uint8_t           payload[64];

    assert_true(said(victim, WIRE_RST_STREAM, &frame, payload) >= 1);
    assert_int_equal(wire_u32(payload), code);
    assert_false(sl_h2_is_over(victim->h2));
}

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
        cmocka_unit_test(floods_of_frames_without_use_end_the_connection),
        cmocka_unit_test(unread_answers_are_bounded),
        cmocka_unit_test(rapid_reset_ends_the_connection),
        cmocka_unit_test(work_and_time_earn_what_pings_cost),
        cmocka_unit_test(a_header_that_is_too_large_ends_its_stream),
        cmocka_unit_test(a_header_in_too_many_frames_ends_the_connection),
        cmocka_unit_test(streams_beyond_the_limit_are_refused),
        cmocka_unit_test(more_than_the_window_ends_the_stream_or_connection),
        cmocka_unit_test(padding_opens_no_window_beyond_itself),
        cmocka_unit_test(broken_frames_end_the_connection_with_a_reason),
        cmocka_unit_test(a_frame_that_is_too_long_ends_the_connection),
        cmocka_unit_test(a_request_without_method_or_path_is_reset),
        cmocka_unit_test(a_second_header_that_does_not_end_resets_the_stream),
        cmocka_unit_test(what_is_not_http2_is_refused),
        cmocka_unit_test(garbage_ends_the_connection_and_nothing_else),
    };

    return cmocka_run_group_tests_name("h2_flood", tests, NULL, NULL);
}
