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
const char grpc_gzip_name[] = "gzip";

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

bool grpc_call_keep_encoding(struct sl_grpc_call *call, struct sl_slice encoding)
{
    call->gzip = grpc_slice_is(encoding, grpc_gzip_name);
    if (call->gzip || encoding.len == 0 || grpc_slice_is(encoding, "identity"))
        return true;
    grpc_call_fail(call, SL_GRPC_UNIMPLEMENTED,
                   "grpc: Decompressor is not installed for grpc-encoding \"%.*s\"",
                   grpc_shown(encoding), grpc_chars(encoding));
    return false;
}

bool grpc_call_is_settled(const struct sl_grpc_call *call)
{
    return call->gone || call->finished;
}
