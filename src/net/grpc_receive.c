#include "base/assert.h"
#include "net/grpc_private.h"

/* Open the inbox, and take first what was put by. */
static void open_inbox(struct sl_grpc_call *call, uint32_t part_max)
{
    size_t         stashed;
    struct sl_buf *stash = grpc_inbox_open(&call->inbox, part_max, &stashed);

    if (stash != NULL)
        grpc_call_take(call, &(struct grpc_input){.buf = stash, .len = stashed});
    sl_buf_free(&stash);
}

/* What only comes whole must fit a buffer. */
static size_t limit_of(const struct sl_grpc_call *call)
{
    size_t max = call->grpc->options.message_bytes_max;
    bool   whole = call->packed || call->events->piece == NULL || call->events->sized == NULL;

    return whole && max > SL_BUF_BYTES_MAX ? SL_BUF_BYTES_MAX : max;
}

/* The prefix of a message has come. The texts are grpc-go's: TiDB looks for words in them. */
static void check_size(struct sl_grpc_call *call)
{
    enum { PLAIN = 0, COMPRESSED = 1 };
    const struct grpc_inbox *inbox = &call->inbox;
    size_t                   max;

    sl_h2_consume(call->stream, SL_GRPC_PREFIX_BYTES);
    call->packed = inbox->prefix[0] == COMPRESSED;
    max = limit_of(call);
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
        open_inbox(call, SL_GRPC_UNASKED_BYTES_MAX);
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

static void deliver_piece(struct sl_grpc_call *call, struct grpc_part *part)
{
    if (part->offset + part->buf->len == part->total) {
        call->any = true;
        call->granted = false;
        call->piece_bytes = 0;
    }
    call->held_pieces += part->buf->len;
    call->events->piece(call->context, call, &part->buf, part->offset, part->total);
    sl_buf_free(&part->buf);
}

/* A message of no bytes is whole without any more input. */
static bool can_take(const struct sl_grpc_call *call, const struct grpc_input *input)
{
    const struct grpc_inbox *inbox = &call->inbox;

    return !grpc_call_is_settled(call) &&
           (input->len > 0 || (inbox->state == GRPC_INBOX_BODY && inbox->size == 0));
}

void grpc_call_take(struct sl_grpc_call *call, struct grpc_input *input)
{
    call->seen_at = call->grpc->now;
    while (can_take(call, input)) {
        struct grpc_part part;

        if (grpc_inbox_take(&call->inbox, input, &part))
            check_size(call);
        else if (part.buf != NULL && call->piece_bytes > 0)
            deliver_piece(call, &part);
        else if (part.buf != NULL)
            deliver(call, part.buf);
    }
}

/* ---- what the owner grants and gives back ---- */

/* The peer is to send now; how long it may keep silent counts from here. */
static void await(struct sl_grpc_call *call)
{
    call->seen_at = call->grpc->now;
    grpc_note_due(call->grpc, call->grpc->now + SL_GRPC_STALL_S * (sl_nanos)SL_NANOS_PER_S);
}

void sl_grpc_grant(struct sl_grpc_call *call)
{
    if (grpc_call_is_settled(call))
        return;
    SL_ASSERT(call->inbox.state == GRPC_INBOX_SIZED);
    SL_ASSERT(call->inbox.size > SL_GRPC_UNASKED_BYTES_MAX);
    SL_ASSERT(call->inbox.size <= SL_BUF_BYTES_MAX);
    sl_h2_grow_window(call->stream, call->inbox.size);
    call->granted = true;
    await(call);
    open_inbox(call, call->inbox.size);
}

enum sl_err sl_grpc_grant_pieces(struct sl_grpc_call *call, uint32_t piece_bytes)
{
    uint32_t first = 2 * piece_bytes;

    SL_ASSERT(piece_bytes >= SL_GRPC_PIECE_BYTES_MIN && piece_bytes <= SL_GRPC_PIECE_BYTES_MAX);
    SL_ASSERT(call->events->piece != NULL);
    if (grpc_call_is_settled(call))
        return SL_OK;
    SL_ASSERT(call->inbox.state == GRPC_INBOX_SIZED);
    if (call->packed)
        return SL_UNSUPPORTED;
    if (first > call->inbox.size)
        first = call->inbox.size;
    sl_h2_grow_window(call->stream, first);
    call->ungrown += call->inbox.size - first;
    call->piece_bytes = piece_bytes;
    call->granted = true;
    await(call);
    open_inbox(call, piece_bytes);
    return SL_OK;
}

void sl_grpc_consume_piece(struct sl_grpc_call *call, size_t piece_bytes)
{
    uint64_t grow = piece_bytes < call->ungrown ? piece_bytes : call->ungrown;

    SL_ASSERT(piece_bytes <= call->held_pieces);
    call->held_pieces -= piece_bytes;
    call->ungrown -= grow;
    if (grow > 0)
        sl_h2_grow_window(call->stream, grow);
    if (call->granted)
        await(call);
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
