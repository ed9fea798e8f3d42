/* Peers that do not speak gRPC as they should: a server refuses them in gRPC or HTTP, a client's
 * call ends with a status. */

#include "unit/net/grpc_pair.h"

/* One message by a client in raw frames, and the trailers-only answer in clear. */
static void assert_refused(const char *const *headers, const char *message_hex, bool ended,
                           enum sl_grpc_status status)
{
    struct pair        pair;
    struct wire_script script = {0};
    struct sl_buf     *message = bytes_of(message_hex);

    begin(&pair);
    wire_add_opening(&script);
    wire_add_headers(&script, 1, WIRE_END_HEADERS, headers);
    wire_add_frame(&script, WIRE_DATA, ended ? WIRE_END_STREAM : 0, 1, message->data, message->len);
    sl_buf_free(&message);
    assert_int_equal(wire_give(sl_grpc_h2(pair.server.grpc), script.bytes, script.count, NULL),
                     SL_OK);
    assert_int_equal(pair.server.over, 1);
    assert_int_equal(pair.server.status, status);
    assert_int_equal(pair.server.messages, 0);
    wire_script_free(&script);
    end(&pair);
}

static void what_is_no_good_message_is_refused(void **state)
{
    static const char *const plain[] = {
        ":method", "POST", ":path", "/binlog.Pump/Stream", "content-type", "application/grpc+proto",
        NULL};
    static const char *const gzip[] = {
        ":method",       "POST", ":path", "/binlog.Pump/Stream", "content-type", "application/grpc",
        "grpc-encoding", "gzip", NULL};

    (void)state;
    assert_refused(plain, "0100000001", false, SL_GRPC_INTERNAL);
    assert_refused(gzip, "010000000100", false, SL_GRPC_INTERNAL);
    assert_refused(plain, "0200000001", false, SL_GRPC_INTERNAL);
    assert_refused(plain, "00ffffffff", false, SL_GRPC_RESOURCE_EXHAUSTED);
    assert_refused(plain, "00000000", true, SL_GRPC_INTERNAL);
    assert_refused(plain, "000000000501", true, SL_GRPC_INTERNAL);
}

/* The server answers a request with these headers by this header alone. */
static void assert_http_answer(const char *const *headers, const char *hpack)
{
    struct pair        pair;
    struct wire_script script = {0};
    struct wire_frame  frame;
    struct sl_buf     *expected = bytes_of(hpack);
    struct sl_buf     *answer;

    begin(&pair);
    wire_add_opening(&script);
    wire_add_headers(&script, 1, WIRE_END_HEADERS | WIRE_END_STREAM, headers);
    assert_int_equal(wire_give(sl_grpc_h2(pair.server.grpc), script.bytes, script.count, NULL),
                     SL_OK);
    answer = wire_take(sl_grpc_h2(pair.server.grpc));
    assert_int_equal(wire_count_frames(sl_slice_from_buf(answer), WIRE_HEADERS, &frame), 1);
    assert_true((frame.flags & WIRE_END_STREAM) != 0);
    assert_true(sl_slice_equal((struct sl_slice){frame.payload, frame.length},
                               sl_slice_from_buf(expected)));
    sl_buf_free(&expected);
    sl_buf_free(&answer);
    assert_int_equal(pair.server.called, 0);
    wire_script_free(&script);
    end(&pair);
}

static void what_is_not_grpc_is_answered_in_http(void **state)
{
    static const char *const get[] = {":method", "GET", ":path", "/status", NULL};
    static const char *const json[] = {
        ":method",           "POST", ":path", "/binlog.Pump/Stream", "content-type",
        "application/grpcx", NULL};

    (void)state;
    assert_http_answer(get, "48 03 343035");  /* :status, "405" */
    assert_http_answer(json, "48 03 343135"); /* "415" */
}

/* A server of bare HTTP/2 that answers each request at its end, in its own way. */
struct oddity {
    const char *status;
    const char *type;
    const char *grpc_status; /* NULL: none */
    bool        trailer;     /* in a header of its own, not in the first */
    uint32_t    reset;       /* instead of an answer, when not 0 */
};

static void odd_begun(void *context, struct sl_h2_stream *stream,
                      const struct sl_h2_headers *headers)
{
    (void)context, (void)stream, (void)headers;
}

static void odd_headers(void *context, struct sl_h2_stream *stream,
                        const struct sl_h2_headers *headers, bool last)
{
    (void)context, (void)stream, (void)headers, (void)last;
}

static void odd_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input,
                     size_t offset, size_t len)
{
    (void)context, (void)stream, (void)input, (void)offset, (void)len;
}

static void odd_ended(void *context, struct sl_h2_stream *stream)
{
    const struct oddity *odd = context;
    struct sl_h2_headers head = {0};
    struct sl_h2_headers trailer = {0};

    if (odd->reset != 0) {
        sl_h2_reset(stream, (enum sl_h2_code)odd->reset);
        return;
    }
    head.field[SL_H2_STATUS] = sl_slice_from_string(odd->status);
    head.field[SL_H2_CONTENT_TYPE] = sl_slice_from_string(odd->type);
    if (odd->grpc_status != NULL)
        (odd->trailer ? &trailer : &head)->field[SL_H2_GRPC_STATUS] =
            sl_slice_from_string(odd->grpc_status);
    sl_h2_respond(stream, &head, !odd->trailer);
    if (odd->trailer)
        sl_h2_end(stream, odd->grpc_status != NULL ? &trailer : NULL);
}

static void odd_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    (void)context, (void)stream, (void)code;
}

static void odd_goaway(void *context, uint32_t code, struct sl_slice text)
{
    (void)context, (void)code, (void)text;
}

static const struct sl_h2_events odd_events = {odd_begun,  odd_headers, odd_data,  odd_ended,
                                               odd_closed, odd_ended,   odd_goaway};

static void a_clients_call_ends_whatever_the_server_does(void **state)
{
    static const struct {
        struct oddity       odd;
        enum sl_grpc_status status;
    } rows[] = {
        {{"200", "application/grpc", "0", false, 0}, SL_GRPC_OK},
        {{"200", "application/grpc", "7", false, 0}, SL_GRPC_PERMISSION_DENIED},
        {{"200", "application/grpc", "9", true, 0}, SL_GRPC_FAILED_PRECONDITION},
        {{"200", "application/grpc", "x", true, 0}, SL_GRPC_UNKNOWN},
        {{"200", "application/grpc", NULL, false, 0}, SL_GRPC_UNKNOWN},
        {{"200", "application/grpc", NULL, true, 0}, SL_GRPC_INTERNAL},
        {{"200", "text/html", NULL, true, 0}, SL_GRPC_UNKNOWN},
        {{"503", "text/html", NULL, false, 0}, SL_GRPC_UNAVAILABLE},
        {{"404", "text/html", NULL, true, 0}, SL_GRPC_UNIMPLEMENTED},
        {{NULL, NULL, NULL, false, SL_H2_REFUSED_STREAM}, SL_GRPC_UNAVAILABLE},
        {{NULL, NULL, NULL, false, SL_H2_INTERNAL_ERROR}, SL_GRPC_INTERNAL},
        {{NULL, NULL, NULL, false, SL_H2_ENHANCE_YOUR_CALM}, SL_GRPC_RESOURCE_EXHAUSTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oddity odd = rows[i].odd;
        struct pair   pair;
        struct sl_h2 *server = sl_h2_new(SL_H2_SERVER, &odd_events, &odd, NULL);

        begin(&pair);
        pair.wire.server = server;
        call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
        send(pair.client.call, 10, 0);
        sl_grpc_half_close(pair.client.call);
        wire_run(&pair.wire);
        assert_int_equal(pair.client.over, 1);
        assert_int_equal(pair.client.status, rows[i].status);
        assert_int_equal(sl_h2_stream_count(sl_grpc_h2(pair.client.grpc)), 0);
        sl_h2_free(&server);
        end(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_good_message_is_refused),
        cmocka_unit_test(what_is_not_grpc_is_answered_in_http),
        cmocka_unit_test(a_clients_call_ends_whatever_the_server_does),
    };

    return cmocka_run_group_tests_name("grpc_stranger", tests, NULL, NULL);
}
