#ifndef SL_TESTS_UNIT_NET_H2_VICTIM_H
#define SL_TESTS_UNIT_NET_H2_VICTIM_H

/* A server of net/h2.h whose client speaks in raw frames. */

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

static inline void on_begun(void *context, struct sl_h2_stream *stream,
                            const struct sl_h2_headers *headers)
{
    struct victim *victim = context;

    (void)headers;
    victim->begun++;
    victim->stream = stream;
}

static inline void on_headers(void *context, struct sl_h2_stream *stream,
                              const struct sl_h2_headers *headers, bool last)
{
    (void)context, (void)stream, (void)headers, (void)last;
    fail_msg("a server hears no responses");
}

static inline void on_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input,
                           size_t offset, size_t len)
{
    (void)stream, (void)input, (void)offset;
    ((struct victim *)context)->bytes += len;
}

static inline void on_ended(void *context, struct sl_h2_stream *stream)
{
    struct victim       *victim = context;
    struct sl_h2_headers headers = {0};

    headers.field[SL_H2_STATUS] = sl_slice_from_string("200");
    if (victim->answer)
        sl_h2_respond(stream, &headers, true);
}

static inline void on_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    (void)stream, (void)code;
    ((struct victim *)context)->closed++;
}

static inline void on_writable(void *context, struct sl_h2_stream *stream)
{
    (void)context, (void)stream;
}

static inline void on_goaway(void *context, uint32_t code, struct sl_slice text)
{
    (void)context, (void)code, (void)text;
}

static const struct sl_h2_events events = {on_begun,  on_headers,  on_data,  on_ended,
                                           on_closed, on_writable, on_goaway};

static inline void begin(struct victim *victim)
{
    *victim = (struct victim){.answer = true};
    victim->h2 = sl_h2_new(SL_H2_SERVER, &events, victim, NULL);
    wire_add_opening(&victim->script);
}

static inline void end(struct victim *victim)
{
    wire_script_free(&victim->script);
    sl_h2_free(&victim->h2);
    assert_int_equal(sl_buf_live_count(), 0);
}

/* Give the script in one piece, and begin another. */
static inline enum sl_err play(struct victim *victim)
{
    enum sl_err err =
        wire_give(victim->h2, victim->script.bytes, victim->script.count, &victim->why);

    wire_script_free(&victim->script);
    return err;
}

/* What the server has said by now, of this type. */
static inline uint32_t said(struct victim *victim, uint8_t type, struct wire_frame *first,
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
static inline void assert_ended(struct victim *victim, enum sl_err err, uint32_t code,
                                const char *words)
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
static inline void assert_reset(struct victim *victim, uint32_t code)
{
    struct wire_frame frame;
    uint8_t           payload[64];

    assert_true(said(victim, WIRE_RST_STREAM, &frame, payload) >= 1);
    assert_int_equal(wire_u32(payload), code);
    assert_false(sl_h2_is_over(victim->h2));
}

#endif
