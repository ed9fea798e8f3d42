#include "base/assert.h"
#include "net/grpc_private.h"

/* Open the inbox, and take first what was put by. */
static void open_inbox(struct sl_grpc_call *call)
{
    size_t         stashed;
    struct sl_buf *stash = grpc_inbox_open(&call->inbox, &stashed);

    if (stash != NULL)
        grpc_call_take(call, &(struct grpc_piece){.buf = stash, .len = stashed});
    sl_buf_free(&stash);
}

/* The prefix of a message has come. The texts are grpc-go's: TiDB looks for words in them. */
static void check_size(struct sl_grpc_call *call)
{
    enum { PLAIN = 0, COMPRESSED = 1 };
    const struct grpc_inbox *inbox = &call->inbox;
    size_t                   max = call->grpc->options.message_bytes_max;

    sl_h2_consume(call->stream, SL_GRPC_PREFIX_BYTES);
    call->packed = inbox->prefix[0] == COMPRESSED;
    if (inbox->prefix[0] > COMPRESSED)
        grpc_call_fail(call, SL_GRPC_INTERNAL, "grpc: received unexpected payload format %u",
                       inbox->prefix[0]);
    else if (inbox->prefix[0] == COMPRESSED && !call->gzip)
        grpc_call_fail(call, SL_GRPC_INTERNAL,
                       "grpc: compressed flag set with identity or empty encoding");
    else if (call->any && !call->many)
        grpc_call_fail(call, SL_GRPC_INTERNAL,
                       "cardinality violation: more than one request message");
    else if (inbox->size > max)
        grpc_call_fail(call, SL_GRPC_RESOURCE_EXHAUSTED,
                       "grpc: received message larger than max (%u vs. %zu)", inbox->size, max);
    else if (inbox->size <= SL_GRPC_UNASKED_BYTES_MAX)
        open_inbox(call);
    else if (call->events->sized == NULL)
        sl_grpc_grant(call);
    else
        call->events->sized(call->context, call, inbox->size);
}

/* What the compressed message becomes (one reference, the caller's); NULL when that is too much or
 * nothing, and the call has failed. */
static struct sl_buf *unpack(struct sl_grpc_call *call, const struct sl_buf *packed)
{
    struct sl_slice bytes = sl_slice_from_buf(packed);
    size_t          max = call->grpc->options.unpacked_bytes_max;
    struct sl_buf  *plain = NULL;
    uint32_t        size = 0;

    if (grpc_gzip_size(bytes, &size) && size > max) {
        grpc_call_fail(call, SL_GRPC_RESOURCE_EXHAUSTED,
                       "grpc: received message after decompression larger than max (%u vs. %zu)",
                       size, max);
        return NULL;
    }
    if (grpc_gzip_size(bytes, &size))
        plain = grpc_gzip_unpack(grpc_gzip_of(call->grpc), bytes, size);
    if (plain == NULL)
        grpc_call_fail(call, SL_GRPC_INTERNAL,
                       "grpc: failed to decompress the received message: not gzip");
    return plain;
}

static void deliver(struct sl_grpc_call *call, struct sl_buf *message)
{
    size_t wire = message->len <= SL_GRPC_UNASKED_BYTES_MAX ? message->len : 0;

    call->any = true;
    call->granted = false;
    if (call->packed) {
        struct sl_buf *packed = message;

        message = unpack(call, packed);
        sl_buf_free(&packed);
        if (message == NULL)
            return;
    }
    if (call->gzip && message->len > 0) {
        call->held_wire += (uint32_t)wire;
        call->held_plain += message->len;
    } else if (call->gzip) {
        sl_h2_consume(call->stream, wire); /* nothing will be held */
    }
    call->events->message(call->context, call, &message);
    sl_buf_free(&message);
}

/* A message of no bytes is whole without any more input. */
static bool can_take(const struct sl_grpc_call *call, const struct grpc_piece *piece)
{
    const struct grpc_inbox *inbox = &call->inbox;

    return !grpc_call_is_settled(call) &&
           (piece->len > 0 || (inbox->state == GRPC_INBOX_BODY && inbox->size == 0));
}

void grpc_call_take(struct sl_grpc_call *call, struct grpc_piece *piece)
{
    call->seen_at = call->grpc->now;
    while (can_take(call, piece)) {
        struct sl_buf *message;

        if (grpc_inbox_take(&call->inbox, piece, &message))
            check_size(call);
        else if (message != NULL)
            deliver(call, message);
    }
}

void sl_grpc_grant(struct sl_grpc_call *call)
{
    if (grpc_call_is_settled(call))
        return;
    SL_ASSERT(call->inbox.state == GRPC_INBOX_SIZED);
    SL_ASSERT(call->inbox.size > SL_GRPC_UNASKED_BYTES_MAX);
    sl_h2_grow_window(call->stream, call->inbox.size);
    call->granted = true;
    call->seen_at = call->grpc->now;
    grpc_note_due(call->grpc, call->grpc->now + SL_GRPC_STALL_S * (sl_nanos)SL_NANOS_PER_S);
    open_inbox(call);
}

/* The share of the window that so many unpacked bytes have: what one message took nobody remembers,
 * but all of them together give back exactly what they took. */
static size_t share_of(struct sl_grpc_call *call, size_t plain)
{
    uint32_t wire;

    if (plain >= call->held_plain) {
        wire = call->held_wire;
        plain = call->held_plain;
    } else {
        wire = (uint32_t)((uint64_t)call->held_wire * plain / call->held_plain);
    }
    call->held_wire -= wire;
    call->held_plain -= plain;
    return wire;
}

void sl_grpc_consume(struct sl_grpc_call *call, size_t message_bytes)
{
    if (call->gzip)
        sl_h2_consume(call->stream, share_of(call, message_bytes));
    /* For a longer one the window was grown: its bytes go as they came. */
    else if (message_bytes <= SL_GRPC_UNASKED_BYTES_MAX)
        sl_h2_consume(call->stream, message_bytes);
}
