/* A peer of gRPC may send any headers and any messages: each call is told over at most once, what
 * is delivered is within its limits, nothing aborts or leaks. The HTTP/2 around them is good, so
 * that the fuzzer spends its time here; h2_fuzz.c has the rest.
 *
 * Input: byte 0 is how the owner behaves; then commands of the peer: a byte for what and for which
 * of four streams, a byte of length, as many bytes. Build: as h2_fuzz.c. */

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "lib/wire.h"
#include "net/grpc.h"
#include "net/grpc_gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ECHO = 1,
    GRANT = 2,
    CONSUME = 4,
    CANCEL = 8,
    FINISH = 16,
    CLIENT = 32,
    PIECES = 64,
    MESSAGE_MAX = 1 << 17
};

struct owner {
    struct sl_grpc *grpc;
    unsigned        behaviour;
    unsigned        calls; /* told and not over */
};

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    struct owner *owner = context;

    (void)call;
    switch (path.bytes[path.len - 1] % 4) {
    case 0: return SL_GRPC_NO_METHOD;
    case 1: return SL_GRPC_NO_SERVICE;
    case 2: owner->calls++; return SL_GRPC_ONE_MESSAGE;
    default: owner->calls++; return SL_GRPC_MANY_MESSAGES;
    }
}

static void on_sized(void *context, struct sl_grpc_call *call, size_t bytes)
{
    struct owner *owner = context;

    SL_ASSERT(bytes > SL_GRPC_UNASKED_BYTES_MAX && bytes <= MESSAGE_MAX);
    if ((owner->behaviour & GRANT) == 0)
        return;
    if ((owner->behaviour & PIECES) == 0 ||
        sl_grpc_grant_pieces(call, SL_GRPC_PIECE_BYTES_MIN) == SL_UNSUPPORTED)
        sl_grpc_grant(call);
}

static void on_piece(void *context, struct sl_grpc_call *call, struct sl_buf **piece, size_t offset,
                     size_t total)
{
    struct owner *owner = context;

    SL_ASSERT((owner->behaviour & PIECES) != 0 && total <= MESSAGE_MAX);
    SL_ASSERT(offset % SL_GRPC_PIECE_BYTES_MIN == 0 && (*piece)->len <= total - offset);
    if ((owner->behaviour & CONSUME) != 0)
        sl_grpc_consume_piece(call, (*piece)->len);
    if ((owner->behaviour & CANCEL) != 0 && offset > 0) {
        sl_grpc_cancel(call);
        owner->calls--;
    }
}

/* In one piece, or in two if it was refused none. */
static void echo(struct owner *owner, struct sl_grpc_call *call, struct sl_buf **message)
{
    size_t         half = (*message)->len / 2;
    struct sl_buf *piece;

    if ((owner->behaviour & PIECES) == 0 || half == 0) {
        (void)sl_grpc_send(call, message);
        return;
    }
    piece = sl_buf_slice(*message, 0, half);
    sl_grpc_send_begin(call, (uint32_t)(*message)->len);
    if (sl_grpc_send_piece(call, &piece) != SL_OK) {
        sl_buf_free(&piece);
        sl_grpc_finish(call, SL_GRPC_ABORTED, "full");
        return;
    }
    piece = sl_buf_slice(*message, half, (*message)->len - half);
    if (sl_grpc_send_piece(call, &piece) != SL_OK) {
        sl_buf_free(&piece);
        sl_grpc_finish(call, SL_GRPC_ABORTED, "half");
    }
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct owner *owner = context;

    SL_ASSERT((*message)->len <= MESSAGE_MAX);
    if ((owner->behaviour & CONSUME) != 0)
        sl_grpc_consume(call, (*message)->len);
    if ((owner->behaviour & ECHO) != 0 && (owner->behaviour & CLIENT) == 0)
        echo(owner, call, message);
    if ((owner->behaviour & CANCEL) != 0) {
        sl_grpc_cancel(call);
        owner->calls--;
    } else if ((owner->behaviour & (FINISH | PIECES)) == FINISH &&
               (owner->behaviour & CLIENT) == 0) {
        sl_grpc_finish(call, SL_GRPC_OK, "fine");
    }
}

static void on_half_closed(void *context, struct sl_grpc_call *call)
{
    struct owner *owner = context;

    if ((owner->behaviour & CANCEL) == 0)
        sl_grpc_finish(call, SL_GRPC_ABORTED, "\xff%\n");
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct owner *owner = context;

    (void)call;
    SL_ASSERT(sl_grpc_status_name(status) != NULL && strlen(text) < SL_WHY_BYTES_MAX);
    SL_ASSERT(owner->calls > 0);
    owner->calls--;
}

static const struct sl_grpc_events events = {.called = on_called,
                                             .sized = on_sized,
                                             .message = on_message,
                                             .half_closed = on_half_closed,
                                             .over = on_over,
                                             .piece = on_piece};

/* What is served to the fuzzer as header fields of the peer. */
static void add_headers(struct wire_script *script, uint32_t stream, const uint8_t *bytes,
                        size_t count, bool client)
{
    static const char *const names[] = {":path",       ":status",       "content-type",
                                        "te",          "grpc-encoding", "grpc-timeout",
                                        "grpc-status", "grpc-message"};
    const char              *fields[19] = {":method", "POST"};
    char                     values[8][32] = {{0}};
    size_t                   used = client ? 0 : 2;

    for (size_t i = 0; i < 8 && count > 1; i++) {
        size_t len = bytes[0] % 31 < count - 1 ? bytes[0] % 31 : count - 1;

        for (size_t j = 0; j < len; j++)
            values[i][j] = bytes[1 + j] == 0 ? ' ' : (char)bytes[1 + j];
        fields[used++] = names[bytes[0] >> 5];
        fields[used++] = values[i];
        bytes += 1 + len;
        count -= 1 + len;
    }
    fields[used] = NULL;
    wire_add_headers(script, stream, WIRE_END_HEADERS | (count > 0 ? WIRE_END_STREAM : 0), fields);
}

/* The headers of a good call. */
static void add_call(struct wire_script *script, uint32_t stream, bool many, bool gzip, bool client)
{
    const char *const response[] = {
        ":status", "200", "content-type", "application/grpc", "grpc-encoding", "gzip", NULL};
    const char *const request[] = {":method",
                                   "POST",
                                   ":path",
                                   many ? "/s/c" : "/s/b",
                                   "content-type",
                                   "application/grpc",
                                   gzip ? "grpc-encoding" : "x",
                                   "gzip",
                                   NULL};
    const char       *plain[] = {":status", "200", "content-type", "application/grpc", NULL};

    if (client)
        wire_add_headers(script, stream, WIRE_END_HEADERS, gzip ? response : plain);
    else
        wire_add_headers(script, stream, WIRE_END_HEADERS, request);
}

/* A message that unpacks to the bytes over and over, or would if it were not cut. */
static void add_packed(struct wire_script *script, uint32_t stream, const uint8_t *bytes,
                       size_t count, unsigned repeat, bool cut)
{
    struct grpc_gzip  *gzip = grpc_gzip_new();
    struct wire_script plain = {0};
    struct wire_script framed = {0};
    struct sl_buf     *packed;

    for (unsigned i = 0; i < repeat; i++)
        wire_add_bytes(&plain, bytes, count);
    packed = grpc_gzip_pack(gzip, (struct sl_slice){plain.bytes, plain.count});
    wire_add_bytes(&framed,
                   (uint8_t[]){1, 0, (uint8_t)(packed->len >> 16), (uint8_t)(packed->len >> 8),
                               (uint8_t)packed->len},
                   SL_GRPC_PREFIX_BYTES);
    wire_add_bytes(&framed, packed->data, packed->len - (cut ? 1 : 0));
    wire_add_frame(script, WIRE_DATA, 0, stream, framed.bytes, framed.count);
    sl_buf_free(&packed);
    wire_script_free(&plain);
    wire_script_free(&framed);
    grpc_gzip_free(&gzip);
}

static void add_command(struct wire_script *script, unsigned what, const uint8_t *bytes,
                        size_t count, bool client, sl_nanos *now)
{
    static const uint8_t filler[16384];
    uint32_t             stream = 2 * (what >> 3 & 3) + 1;

    switch (what & 7) {
    case 0: add_headers(script, stream, bytes, count, client); return;
    case 1:
        if ((what & 64) != 0)
            add_packed(script, stream, bytes, count, (what & 32) != 0 ? 2000 : 1, what >= 128);
        else
            wire_add_frame(script, WIRE_DATA, 0, stream, bytes, count);
        return;
    case 2: wire_add_frame(script, WIRE_DATA, WIRE_END_STREAM, stream, bytes, count); return;
    case 3: wire_add_frame(script, WIRE_DATA, 0, stream, filler, sizeof filler - count); return;
    case 4: wire_add_frame(script, WIRE_RST_STREAM, 0, stream, "\0\0\0\x8", 4); return;
    case 5: *now += UINT64_C(1) << (count % 40); return;
    case 6: wire_add_frame(script, WIRE_WINDOW_UPDATE, 0, stream, "\0\0\x10\0", 4); return;
    default: add_call(script, stream, (what & 32) == 0, (what & 64) != 0, client); return;
    }
}

static void discard_output(struct sl_h2 *h2)
{
    struct sl_slice out;

    while (sl_h2_pending(h2, &out))
        sl_h2_sent(h2, out.len);
}

static void begin(struct owner *owner, struct wire_script *script)
{
    const struct sl_grpc_options options = {.authority = "a", .message_bytes_max = MESSAGE_MAX};
    bool                         client = (owner->behaviour & CLIENT) != 0;

    owner->grpc = sl_grpc_new(client ? SL_H2_CLIENT : SL_H2_SERVER, client ? NULL : &events,
                              client ? NULL : owner, &options, 0);
    if (!client) {
        wire_add_opening(script);
        return;
    }
    wire_add_frame(script, WIRE_SETTINGS, 0, 0, NULL, 0);
    for (int i = 0; i < 4; i++) {
        struct sl_grpc_call *call;

        SL_ASSERT(sl_grpc_call(owner->grpc, "/s/m", i % 2 == 0 ? SL_GRPC_NEVER : 1 << 20, &events,
                               owner, &call, NULL) == SL_OK);
        owner->calls++;
        if (i > 1)
            sl_grpc_half_close(call);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_script script = {0};
    struct owner       owner = {0};
    sl_nanos           now = 0;
    enum sl_err        err = SL_OK;

    if (size < 1)
        return 0;
    owner.behaviour = data[0];
    begin(&owner, &script);
    for (size_t at = 1; at + 2 <= size && err == SL_OK;) {
        size_t count = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;

        discard_output(sl_grpc_h2(owner.grpc));
        add_command(&script, data[at], data + at + 2, count, (owner.behaviour & CLIENT) != 0, &now);
        sl_grpc_tick(owner.grpc, now);
        err = wire_give(sl_grpc_h2(owner.grpc), script.bytes, script.count, NULL);
        wire_script_free(&script);
        at += 2 + count;
    }
    discard_output(sl_grpc_h2(owner.grpc));
    wire_script_free(&script);
    sl_grpc_free(&owner.grpc);
    SL_ASSERT(owner.calls == 0);
    SL_ASSERT(sl_buf_live_count() == 0);
    return 0;
}
