#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "net/grpc_private.h"
#include "net/grpc_text.h"

/* ---- values ---- */

enum { SHOWN_BYTES_MAX = 200 };

const char grpc_content_type[] = "application/grpc";

bool grpc_slice_is(struct sl_slice value, const char *text)
{
    return sl_slice_equal(value, sl_slice_from_string(text));
}

int grpc_shown(struct sl_slice value)
{
    return value.len < SHOWN_BYTES_MAX ? (int)value.len : SHOWN_BYTES_MAX;
}

const char *grpc_chars(struct sl_slice value)
{
    return value.len > 0 ? (const char *)value.bytes : "";
}

bool grpc_is_content(struct sl_slice type)
{
    const size_t len = sizeof grpc_content_type - 1;

    if (type.len < len || memcmp(type.bytes, grpc_content_type, len) != 0)
        return false;
    return type.len == len || type.bytes[len] == '+' || type.bytes[len] == ';';
}

/* ---- life ---- */

void grpc_note_due(struct sl_grpc *grpc, sl_nanos due)
{
    if (due < grpc->next_due)
        grpc->next_due = due;
}

struct sl_grpc_call *grpc_call_new(struct sl_grpc *grpc, struct sl_h2_stream *stream,
                                   const struct sl_grpc_events *events, void *context)
{
    struct sl_grpc_call *call = calloc(1, sizeof *call);

    SL_ASSERT(call != NULL);
    call->grpc = grpc;
    call->stream = stream;
    call->events = events;
    call->context = context;
    grpc_inbox_init(&call->inbox);
    sl_list_push_back(&grpc->calls, &call->node);
    sl_h2_stream_set_context(stream, call);
    return call;
}

void grpc_call_free(struct sl_grpc_call *call)
{
    sl_list_remove(&call->node);
    sl_h2_stream_set_context(call->stream, NULL);
    grpc_inbox_done(&call->inbox);
    free(call);
}

void grpc_call_keep_encoding(struct sl_grpc_call *call, struct sl_slice encoding)
{
    if (encoding.len > 0 && !grpc_slice_is(encoding, "identity"))
        (void)snprintf(call->encoding, sizeof call->encoding, "%.*s", grpc_shown(encoding),
                       grpc_chars(encoding));
}

/* ---- ends ---- */

void grpc_call_set_deadline(struct sl_grpc_call *call, sl_nanos deadline)
{
    call->deadline = deadline;
    if (deadline != SL_GRPC_NEVER)
        grpc_note_due(call->grpc, deadline);
}

void grpc_call_tell_over(struct sl_grpc_call *call, enum sl_grpc_status status, const char *text)
{
    if (!call->told || call->gone)
        return;
    call->gone = true;
    call->events->over(call->context, call, status, text);
}

void grpc_call_answer(struct sl_grpc_call *call, enum sl_grpc_status status, const char *text)
{
    char                 number[4];
    char                 message[GRPC_MESSAGE_BYTES];
    struct sl_h2_headers trailer = {0};

    SL_ASSERT(!call->finished);
    call->finished = true;
    call->status = status;
    (void)snprintf(number, sizeof number, "%u", (unsigned)status);
    trailer.field[SL_H2_GRPC_STATUS] = sl_slice_from_string(number);
    if (text != NULL && text[0] != '\0') {
        (void)grpc_message_encode(text, message);
        trailer.field[SL_H2_GRPC_MESSAGE] = sl_slice_from_string(message);
    }
    if (call->headed) {
        sl_h2_end(call->stream, &trailer);
        return;
    }
    call->headed = true;
    trailer.field[SL_H2_STATUS] = sl_slice_from_string("200");
    trailer.field[SL_H2_CONTENT_TYPE] = sl_slice_from_string(grpc_content_type);
    sl_h2_respond(call->stream, &trailer, true);
}

void grpc_call_fail(struct sl_grpc_call *call, enum sl_grpc_status status, const char *format, ...)
{
    char    text[SL_WHY_BYTES_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (call->grpc->role == SL_H2_SERVER)
        grpc_call_answer(call, status, text);
    else
        sl_h2_reset(call->stream, SL_H2_CANCEL);
    grpc_call_tell_over(call, status, text);
}

bool grpc_call_is_settled(const struct sl_grpc_call *call)
{
    return call->gone || call->finished;
}

/* ---- messages received ---- */

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
    if (inbox->prefix[0] > COMPRESSED)
        grpc_call_fail(call, SL_GRPC_INTERNAL, "grpc: received unexpected payload format %u",
                       inbox->prefix[0]);
    else if (inbox->prefix[0] == COMPRESSED && call->encoding[0] == '\0')
        grpc_call_fail(call, SL_GRPC_INTERNAL,
                       "grpc: compressed flag set with identity or empty encoding");
    else if (inbox->prefix[0] == COMPRESSED)
        grpc_call_fail(call, SL_GRPC_UNIMPLEMENTED,
                       "grpc: Decompressor is not installed for grpc-encoding \"%s\"",
                       call->encoding);
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

static void deliver(struct sl_grpc_call *call, struct sl_buf *message)
{
    call->any = true;
    call->granted = false;
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
