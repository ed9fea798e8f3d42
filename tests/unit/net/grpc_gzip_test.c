/* Compressed messages of net/grpc.h, over a wire in memory and from a client in raw frames: whoever
 * asks in gzip is answered in gzip, and no message becomes more than its limit. */

#include "net/grpc_gzip.h"

#include "unit/net/grpc_pair.h"

static struct sl_grpc_options packing(void)
{
    struct sl_grpc_options options = defaults;

    options.gzip = true;
    return options;
}

static void compressed_calls_survive_every_split(void **state)
{
    static const size_t          lens[] = {0, 1, 41, 1000, 16384, 65530, 65531, 300 * 1000};
    const struct sl_grpc_options options = packing();

    (void)state;
    for (uint64_t seed = 0; seed <= 12; seed++) {
        struct pair pair;

        begin_with(&pair, &options, seed == 0 ? 1 : seed * 700, seed);
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
            unary(&pair, lens[i]);
        /* The pattern repeats: there and back again it takes a fraction of its size. */
        assert_in_range(pair.wire.moved, 1, 500 * 1000);
        end(&pair);
    }
}

/* ---- a client in raw frames ---- */

/* WriteBinlogReq with a fake binlog (pump specification, appendix A), and what Python's gzip made
 * of it. */
static const char plain_request[] =
    "08b5c4f49281d3a8945b121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
static const char packed_request[] =
    "1f8b0800000000000203e3d87ae4cba4c6cb2ba6440b497130096cefbed033f1dbe33bac1270"
    "960583030300260633a126000000";

/* In HPACK, of the answer: :status 200, content-type application/grpc, grpc-encoding gzip. */
static const char packed_headers[] =
    "88 5f8b1d75d0620d263d4c4d6564 40 8a 9acac8b16a21e435537f 83 9bd9ab";

/* A server that was given one message, flag first, on a gzip call. */
static struct wire_script request_script(const char *encoding, struct sl_slice message)
{
    const char *const  headers[] = {":method",
                                    "POST",
                                    ":path",
                                    "/binlog.Pump/WriteBinlog",
                                    "content-type",
                                    "application/grpc",
                                    "grpc-encoding",
                                    encoding,
                                    NULL};
    const uint8_t      prefix[] = {1, (uint8_t)(message.len >> 24), (uint8_t)(message.len >> 16),
                                   (uint8_t)(message.len >> 8), (uint8_t)message.len};
    struct wire_script script = {0};

    wire_add_opening(&script);
    wire_add_headers(&script, 1, WIRE_END_HEADERS, headers);
    wire_add_frame(&script, WIRE_DATA, 0, 1, prefix, sizeof prefix);
    wire_add_frame(&script, WIRE_DATA, WIRE_END_STREAM, 1, message.bytes, message.len);
    return script;
}

static void give(struct pair *pair, struct wire_script *script, size_t split)
{
    struct sl_h2 *server = sl_grpc_h2(pair->server.grpc);

    assert_int_equal(wire_give(server, script->bytes, split, NULL), SL_OK);
    assert_int_equal(wire_give(server, script->bytes + split, script->count - split, NULL), SL_OK);
    wire_script_free(script);
}

static void whoever_asks_in_gzip_is_answered_in_gzip(void **state)
{
    struct sl_buf     *packed = bytes_of(packed_request);
    struct sl_buf     *plain = bytes_of(plain_request);
    struct pair        pair;
    struct wire_script script = request_script("gzip", sl_slice_from_buf(packed));
    struct wire_frame  frame;
    struct sl_buf     *answer;
    struct sl_buf     *headers;
    struct sl_slice    body;
    uint32_t           size;

    (void)state;
    begin(&pair);
    pair.server.echo = true;
    give(&pair, &script, script.count);
    assert_true(sl_slice_equal(sl_slice_from_buf(pair.server.last), sl_slice_from_buf(plain)));
    answer = wire_take(sl_grpc_h2(pair.server.grpc));
    assert_int_equal(wire_count_frames(sl_slice_from_buf(answer), WIRE_HEADERS, &frame), 2);
    headers = bytes_of(packed_headers);
    assert_int_equal(frame.length, headers->len);
    assert_memory_equal(frame.payload, headers->data, headers->len);
    sl_buf_free(&headers);
    assert_int_equal(wire_count_frames(sl_slice_from_buf(answer), WIRE_DATA, &frame), 1);
    assert_int_equal(frame.payload[0], 1);
    body = (struct sl_slice){frame.payload + 5, frame.length - 5};
    assert_int_equal(wire_u32(frame.payload + 1), body.len);
    assert_true(grpc_gzip_size(body, &size));
    assert_int_equal(size, plain->len);
    assert_memory_equal(body.bytes, "\x1f\x8b\x08", 3);
    sl_buf_free(&answer);
    sl_buf_free(&packed);
    sl_buf_free(&plain);
    end(&pair);
}

static void a_compressed_request_may_be_split_anywhere(void **state)
{
    size_t count = 1;

    (void)state;
    for (size_t split = 0; split <= count; split++) {
        struct pair        pair;
        struct sl_buf     *packed = bytes_of(packed_request);
        struct sl_buf     *plain = bytes_of(plain_request);
        struct wire_script script = request_script("gzip", sl_slice_from_buf(packed));

        count = script.count;
        begin(&pair);
        give(&pair, &script, split);
        assert_int_equal(pair.server.messages, 1);
        assert_true(sl_slice_equal(sl_slice_from_buf(pair.server.last), sl_slice_from_buf(plain)));
        assert_int_equal(pair.server.half_closed, 1);
        sl_grpc_cancel(pair.server.call);
        pair.server.call = NULL;
        sl_buf_free(&packed);
        sl_buf_free(&plain);
        end(&pair);
    }
}

/* The message is refused with one of these; *text is then the reason. */
static void assert_refused(struct sl_slice message, const struct sl_grpc_options *options,
                           enum sl_grpc_status status, enum sl_grpc_status other, char *text)
{
    struct wire_script script = request_script("gzip", message);
    struct pair        pair;

    begin_with(&pair, options, PIECE_LARGE, 0);
    give(&pair, &script, script.count);
    assert_int_equal(pair.server.messages, 0);
    assert_int_equal(pair.server.over, 1);
    assert_true(pair.server.status == status || pair.server.status == other);
    (void)snprintf(text, SL_WHY_BYTES_MAX, "%s", pair.server.text);
    end(&pair);
}

static void assert_broken(const uint8_t *bytes, size_t len)
{
    char text[SL_WHY_BYTES_MAX];

    /* The last bytes may now say that they become too much. */
    assert_refused((struct sl_slice){bytes, len}, &defaults, SL_GRPC_INTERNAL,
                   SL_GRPC_RESOURCE_EXHAUSTED, text);
}

static void damage_is_refused(void **state)
{
    struct sl_buf *packed = bytes_of(packed_request);
    uint8_t        bytes[64];
    const size_t   len = packed->len;

    (void)state;
    memcpy(bytes, packed->data, len);
    sl_buf_free(&packed);
    for (size_t part = 0; part < len; part++)
        assert_broken(bytes, part);
    bytes[len] = 0;
    assert_broken(bytes, len + 1);
    /* Time and system in the header may be anything, and the bits that fill deflate's last byte. */
    for (size_t bit = 8 * 10; bit < 8 * len; bit++) {
        if (bit >= 8 * (len - 9) + 5 && bit < 8 * (len - 8))
            continue;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_broken(bytes, len);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_bomb_does_not_go_off(void **state)
{
    struct grpc_gzip      *gzip = grpc_gzip_new();
    struct sl_grpc_options options = defaults;
    struct sl_buf         *plain = sl_buf_new(4 << 20);
    struct sl_buf         *packed;
    uint8_t                bytes[8192];
    char                   text[SL_WHY_BYTES_MAX];
    struct sl_slice        bomb = {bytes, 0};

    (void)state;
    memset(plain->data, 0, plain->len);
    packed = grpc_gzip_pack(gzip, sl_slice_from_buf(plain));
    bomb.len = packed->len;
    assert_in_range(bomb.len, 1, sizeof bytes);
    memcpy(bytes, packed->data, bomb.len);
    sl_buf_free(&plain);
    sl_buf_free(&packed);
    grpc_gzip_free(&gzip);

    options.message_bytes_max = sizeof bytes;
    assert_refused(bomb, &options, SL_GRPC_RESOURCE_EXHAUSTED, SL_GRPC_RESOURCE_EXHAUSTED, text);
    assert_string_equal(
        text, "grpc: received message after decompression larger than max (4194304 vs. 8192)");
    options.message_bytes_max = 0;
    options.unpacked_bytes_max = (4 << 20) - 1;
    assert_refused(bomb, &options, SL_GRPC_RESOURCE_EXHAUSTED, SL_GRPC_RESOURCE_EXHAUSTED, text);

    /* It says that it becomes less than it would, then far more than it could. */
    bytes[bomb.len - 2] = 0;
    assert_refused(bomb, &defaults, SL_GRPC_INTERNAL, SL_GRPC_INTERNAL, text);
    bytes[bomb.len - 1] = 0x3f;
    assert_refused(bomb, &defaults, SL_GRPC_INTERNAL, SL_GRPC_INTERNAL, text);
}

static void an_encoding_nobody_knows_is_refused_in_grpcs_words(void **state)
{
    struct pair        pair;
    struct wire_script script = request_script("snappy", sl_slice_from_string("x"));
    struct sl_buf     *answer;
    struct sl_buf     *request;

    (void)state;
    begin(&pair);
    give(&pair, &script, script.count);
    assert_int_equal(pair.server.called, 0);
    answer = wire_take(sl_grpc_h2(pair.server.grpc));
    /* A client reads it as the answer to its own first call. */
    call(&pair, "/binlog.Pump/WriteBinlog", SL_GRPC_NEVER);
    request = wire_take(sl_grpc_h2(pair.client.grpc));
    sl_buf_free(&request);
    assert_int_equal(sl_h2_receive(sl_grpc_h2(pair.client.grpc), answer, NULL), SL_OK);
    sl_buf_free(&answer);
    assert_int_equal(pair.client.status, SL_GRPC_UNIMPLEMENTED);
    assert_string_equal(pair.client.text,
                        "grpc: Decompressor is not installed for grpc-encoding \"snappy\"");
    end(&pair);
}

/* What a reader consumes is counted unpacked, what the window takes is packed: all the same it
 * opens again, and not before. */
static void the_window_of_compressed_messages_opens_as_they_are_consumed(void **state)
{
    enum { MESSAGES = 400, MESSAGE_BYTES = 20 * 1000 };
    const struct sl_grpc_options options = packing();
    struct pair                  pair;
    struct sl_prng               prng;
    uint32_t                     first;

    (void)state;
    sl_prng_seed(&prng, 5);
    begin_with(&pair, &options, 9000, 3);
    pair.server.hold = true;
    call(&pair, "/binlog.Pump/Stream", SL_GRPC_NEVER);
    for (uint32_t sent = 0; sent < MESSAGES; sent++) {
        struct sl_buf *message = sl_buf_new(MESSAGE_BYTES);

        for (size_t i = 0; i < message->len; i++) /* which packs to about a half */
            message->data[i] = (uint8_t)(sl_prng_below(&prng, 16) + 'a');
        if (sl_grpc_send(pair.client.call, &message) != SL_OK) {
            sl_buf_free(&message);
            break;
        }
    }
    wire_run(&pair.wire);
    first = pair.server.messages;
    assert_in_range(first, 4, 9);
    for (uint32_t consumed = 0; consumed < pair.server.messages; consumed++) {
        assert_in_range(pair.server.messages - consumed, 1, 10);
        sl_grpc_consume(pair.server.call, MESSAGE_BYTES);
        wire_run(&pair.wire);
    }
    assert_in_range(pair.server.messages, 50, MESSAGES);
    assert_int_equal(pair.client.writable, 1);
    sl_grpc_cancel(pair.client.call);
    pair.client.call = NULL;
    wire_run(&pair.wire);
    end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_calls_survive_every_split),
        cmocka_unit_test(whoever_asks_in_gzip_is_answered_in_gzip),
        cmocka_unit_test(a_compressed_request_may_be_split_anywhere),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(a_bomb_does_not_go_off),
        cmocka_unit_test(an_encoding_nobody_knows_is_refused_in_grpcs_words),
        cmocka_unit_test(the_window_of_compressed_messages_opens_as_they_are_consumed),
    };

    return cmocka_run_group_tests_name("grpc_gzip", tests, NULL, NULL);
}
