/* A peer of HTTP/2 may send any bytes, to a server and to a client: they are taken or end the
 * connection with a text; nothing aborts, leaks, or holds more than its limits.
 *
 * Input: byte 0 chooses the side (bit 0), whether a proper opening comes first (bit 1), and how the
 * owner behaves (bits 2 to 5); byte 1 the size of the pieces; then what the peer sends. Build:
 * clang-14 -fsanitize=fuzzer,address,undefined, with src/net, src/base and tests/lib/wire.c. */

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "lib/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER = 4, CONSUME = 8, RESET = 16, GOAWAY = 32 };

struct owner {
    struct sl_h2 *h2;
    unsigned      behaviour;
    uint32_t      open;
    size_t        kept; /* bytes neither consumed nor closed */
};

static void answer(struct sl_h2_stream *stream)
{
    struct sl_h2_headers headers = {0};
    struct sl_buf       *body = sl_buf_new(3000);

    memset(body->data, 'b', body->len);
    headers.field[SL_H2_STATUS] = sl_slice_from_string("200");
    sl_h2_respond(stream, &headers, false);
    SL_ASSERT(sl_h2_send(stream, sl_slice_from_string("head"), &body) == SL_OK);
    headers.field[SL_H2_STATUS] = (struct sl_slice){0};
    headers.field[SL_H2_GRPC_STATUS] = sl_slice_from_string("0");
    sl_h2_end(stream, &headers);
}

static void on_begun(void *context, struct sl_h2_stream *stream,
                     const struct sl_h2_headers *headers)
{
    struct owner *owner = context;

    SL_ASSERT(headers->field[SL_H2_PATH].len > 0);
    SL_ASSERT(headers->field[SL_H2_PATH].len <= SL_H2_HEADER_LIST_BYTES_MAX);
    owner->open++;
    SL_ASSERT(owner->open <= SL_H2_STREAMS_MAX);
    if ((owner->behaviour & ANSWER) != 0)
        answer(stream);
    if ((owner->behaviour & GOAWAY) != 0)
        sl_h2_goaway(owner->h2);
}

static void on_headers(void *context, struct sl_h2_stream *stream,
                       const struct sl_h2_headers *headers, bool last)
{
    (void)context, (void)stream, (void)headers, (void)last;
}

static void on_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input, size_t offset,
                    size_t len)
{
    struct owner *owner = context;
    size_t        kept = (size_t)(uintptr_t)sl_h2_stream_context(stream) + len;

    SL_ASSERT(len > 0 && offset + len <= input->len);
    SL_ASSERT(kept <= SL_H2_WINDOW_BYTES);
    if ((owner->behaviour & CONSUME) != 0) {
        sl_h2_consume(stream, kept);
        kept = 0;
    }
    sl_h2_stream_set_context(stream, (void *)(uintptr_t)kept);
    if ((owner->behaviour & RESET) != 0 && input->data[offset] % 4 == 0)
        sl_h2_reset(stream, SL_H2_CANCEL);
}

static void on_ended(void *context, struct sl_h2_stream *stream)
{
    (void)context, (void)stream;
}

static void on_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    (void)stream, (void)code;
    ((struct owner *)context)->open--;
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

static void open_requests(struct owner *owner)
{
    for (int i = 0; i < 3; i++) {
        struct sl_h2_headers headers = {0};
        struct sl_h2_stream *stream;

        headers.field[SL_H2_METHOD] = sl_slice_from_string("POST");
        headers.field[SL_H2_PATH] = sl_slice_from_string("/s/m");
        SL_ASSERT(sl_h2_request(owner->h2, &headers, &stream, NULL) == SL_OK);
        owner->open++;
        if (i > 0)
            sl_h2_end(stream, NULL);
    }
}

static void discard_output(struct sl_h2 *h2)
{
    struct sl_slice out;

    while (sl_h2_pending(h2, &out))
        sl_h2_sent(h2, out.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_script script = {0};
    struct sl_why      why = {0};
    struct owner       owner = {0};
    enum sl_h2_role    role;
    size_t             piece;
    enum sl_err        err = SL_OK;

    if (size < 2)
        return 0;
    role = (data[0] & 1) != 0 ? SL_H2_CLIENT : SL_H2_SERVER;
    piece = data[1] == 0 ? size : data[1];
    owner.behaviour = data[0];
    owner.h2 = sl_h2_new(role, &events, &owner, NULL);
    if (role == SL_H2_CLIENT)
        open_requests(&owner);
    if ((data[0] & 2) != 0 && role == SL_H2_SERVER)
        wire_add_opening(&script);
    if ((data[0] & 2) != 0 && role == SL_H2_CLIENT)
        wire_add_frame(&script, WIRE_SETTINGS, 0, 0, NULL, 0);
    wire_add_bytes(&script, data + 2, size - 2);
    for (size_t at = 0; at < script.count && err == SL_OK; at += piece) {
        size_t count = script.count - at < piece ? script.count - at : piece;

        discard_output(owner.h2);
        err = wire_give(owner.h2, script.bytes + at, count, &why);
    }
    SL_ASSERT((err == SL_OK) == (why.text[0] == '\0'));
    discard_output(owner.h2);
    wire_script_free(&script);
    sl_h2_free(&owner.h2);
    SL_ASSERT(sl_buf_live_count() == 0);
    return 0;
}
