/* Two connections of net/h2.h on a wire in memory: what one sends the other gets, however the bytes
 * are cut; windows and queues hold back exactly what they should; every end is heard, once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "lib/wire.h"
#include "net/h2.h"

enum { PIECE_LARGE = 1 << 20, PATH_BYTES = 128 };

/* One side: its connection and what it heard. */
struct side {
    struct sl_h2        *h2;
    struct sl_h2_stream *stream; /* begun or requested last, NULL when closed */
    bool                 consume;
    char                 path[PATH_BYTES];
    char                 authority[PATH_BYTES];
    char                 grpc_status[PATH_BYTES];
    uint32_t             begun;
    uint32_t             headers;
    uint64_t             bytes;
    uint64_t             sum; /* of all bytes, each by its place */
    uint32_t             ended;
    uint32_t             closed;
    uint32_t             closed_code;
    uint32_t             writable;
    uint32_t             goaway;
};

static void keep(char *out, struct sl_slice value)
{
    size_t len = value.len < PATH_BYTES - 1 ? value.len : PATH_BYTES - 1;

    if (len > 0)
        memcpy(out, value.bytes, len);
    out[len] = '\0';
}

static void on_begun(void *context, struct sl_h2_stream *stream,
                     const struct sl_h2_headers *headers)
{
    struct side *side = context;

    side->begun++;
    side->stream = stream;
    keep(side->path, headers->field[SL_H2_PATH]);
    keep(side->authority, headers->field[SL_H2_AUTHORITY]);
}

static void on_headers(void *context, struct sl_h2_stream *stream,
                       const struct sl_h2_headers *headers, bool last)
{
    struct side *side = context;

    (void)stream, (void)last;
    side->headers++;
    if (headers->field[SL_H2_GRPC_STATUS].bytes != NULL)
        keep(side->grpc_status, headers->field[SL_H2_GRPC_STATUS]);
}

static void on_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input, size_t offset,
                    size_t len)
{
    struct side *side = context;

    for (size_t i = 0; i < len; i++)
        side->sum += (side->bytes + i + 1) * input->data[offset + i];
    side->bytes += len;
    if (side->consume)
        sl_h2_consume(stream, len);
}

static void on_ended(void *context, struct sl_h2_stream *stream)
{
    (void)stream;
    ((struct side *)context)->ended++;
}

static void on_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    struct side *side = context;

    side->closed++;
    side->closed_code = code;
    if (side->stream == stream)
        side->stream = NULL;
}

static void on_writable(void *context, struct sl_h2_stream *stream)
{
    (void)stream;
    ((struct side *)context)->writable++;
}

static void on_goaway(void *context, uint32_t code, struct sl_slice text)
{
    (void)code, (void)text;
    ((struct side *)context)->goaway++;
}

static const struct sl_h2_events events = {on_begun,  on_headers,  on_data,  on_ended,
                                           on_closed, on_writable, on_goaway};

struct pair {
    struct side client;
    struct side server;
    struct wire wire;
};

static void begin(struct pair *pair, size_t piece_max, uint64_t seed)
{
    *pair = (struct pair){.client.consume = true, .server.consume = true};
    pair->client.h2 = sl_h2_new(SL_H2_CLIENT, &events, &pair->client, NULL);
    pair->server.h2 = sl_h2_new(SL_H2_SERVER, &events, &pair->server, NULL);
    pair->wire = wire_between(pair->client.h2, pair->server.h2, piece_max, seed);
}

static void end(struct pair *pair)
{
    assert_int_equal(pair->wire.client_err, SL_OK);
    assert_int_equal(pair->wire.server_err, SL_OK);
    sl_h2_free(&pair->client.h2);
    sl_h2_free(&pair->server.h2);
    assert_int_equal(sl_buf_live_count(), 0);
}

static struct sl_slice text(const char *value)
{
    return sl_slice_from_string(value);
}

static enum sl_err try_request(struct side *client)
{
    struct sl_h2_headers headers = {0};

    headers.field[SL_H2_METHOD] = text("POST");
    headers.field[SL_H2_SCHEME] = text("http");
    headers.field[SL_H2_PATH] = text("/binlog.Pump/WriteBinlog");
    headers.field[SL_H2_AUTHORITY] = text("/tmp/pump.sock");
    headers.field[SL_H2_TE] = text("trailers");
    return sl_h2_request(client->h2, &headers, &client->stream, NULL);
}

static void request(struct side *client)
{
    assert_int_equal(try_request(client), SL_OK);
}

static void respond(struct side *server, bool last)
{
    struct sl_h2_headers headers = {0};

    headers.field[SL_H2_STATUS] = text("200");
    sl_h2_respond(server->stream, &headers, last);
}

static void finish(struct side *server)
{
    struct sl_h2_headers trailers = {0};

    trailers.field[SL_H2_GRPC_STATUS] = text("0");
    sl_h2_end(server->stream, &trailers);
}

/* count bytes of a pattern; returns what on_data sums up for them when they are the first. */
static uint64_t send_pattern(struct side *side, size_t count)
{
    struct sl_buf *body = sl_buf_new(count);
    uint64_t       sum = 0;

    for (size_t i = 0; i < count; i++) {
        body->data[i] = (uint8_t)(i * 131 + i / 251);
        sum += (i + 1) * body->data[i];
    }
    assert_int_equal(sl_h2_send(side->stream, (struct sl_slice){0}, &body), SL_OK);
    assert_null(body);
    return sum;
}

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
        cmocka_unit_test(an_exchange_survives_every_split),
        cmocka_unit_test(a_preface_is_known_by_its_first_bytes),
        cmocka_unit_test(both_sides_speak_at_once),
        cmocka_unit_test(a_client_widens_its_connection_after_the_first_response),
        cmocka_unit_test(a_sender_stalls_exactly_at_the_window),
        cmocka_unit_test(a_grown_window_is_as_before_when_its_bytes_have_come),
        cmocka_unit_test(one_stalled_stream_does_not_stop_the_others),
        cmocka_unit_test(a_full_queue_refuses_and_tells_when_there_is_room),
        cmocka_unit_test(the_queues_of_a_connection_are_bounded_together),
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

    return cmocka_run_group_tests_name("h2", tests, NULL, NULL);
}
