#include "base/assert.h"
#include "net/grpc_private.h"
#include "net/grpc_status.h"
#include "net/grpc_text.h"

static const char user_agent[] = "sluice/0.1";

/* The server's word on the call. What we had still to send is not wanted. */
static void conclude(struct sl_grpc_call *call, enum sl_grpc_status status, const char *text)
{
    sl_h2_reset(call->stream, SL_H2_NO_ERROR);
    grpc_call_tell_over(call, status, text);
}

static void trailer_received(struct sl_grpc_call *call, const struct sl_h2_headers *headers)
{
    enum sl_grpc_status status = grpc_status_of_text(headers->field[SL_H2_GRPC_STATUS]);
    char                text[SL_WHY_BYTES_MAX];

    grpc_message_decode(headers->field[SL_H2_GRPC_MESSAGE], text);
    if (headers->field[SL_H2_GRPC_STATUS].bytes == NULL)
        conclude(call, SL_GRPC_UNKNOWN, "the server ended the call without a status");
    else if (status == SL_GRPC_OK && !grpc_inbox_idle(&call->inbox))
        conclude(call, SL_GRPC_INTERNAL, "unexpected EOF");
    else
        conclude(call, status, text);
}

void grpc_client_headers(void *context, struct sl_h2_stream *stream,
                         const struct sl_h2_headers *headers, bool last)
{
    struct sl_grpc_call *call = sl_h2_stream_context(stream);
    struct sl_slice      status = headers->field[SL_H2_STATUS];
    struct sl_slice      type = headers->field[SL_H2_CONTENT_TYPE];
    bool                 first = !call->headed;

    (void)context;
    call->headed = true;
    if (call->gone)
        return;
    if (first && !grpc_slice_is(status, "200"))
        grpc_call_fail(call, grpc_status_of_http(status), "unexpected HTTP status %.*s",
                       grpc_shown(status), grpc_chars(status));
    else if (first && !grpc_is_content(type))
        grpc_call_fail(call, SL_GRPC_UNKNOWN, "unexpected content-type \"%.*s\"", grpc_shown(type),
                       grpc_chars(type));
    else if (last)
        trailer_received(call, headers);
    else
        (void)grpc_call_keep_encoding(call, headers->field[SL_H2_GRPC_ENCODING]);
}

void grpc_client_ended(struct sl_grpc_call *call)
{
    conclude(call, SL_GRPC_INTERNAL, "server closed the stream without sending trailers");
}

enum sl_err sl_grpc_call(struct sl_grpc *grpc, const char *path, sl_nanos deadline,
                         const struct sl_grpc_events *events, void *context,
                         struct sl_grpc_call **out, struct sl_why *why)
{
    struct sl_h2_headers headers = {0};
    struct sl_h2_stream *stream;
    char                 timeout[GRPC_TIMEOUT_BYTES];
    enum sl_err          err;

    SL_ASSERT(grpc->role == SL_H2_CLIENT);
    if (deadline != SL_GRPC_NEVER && deadline <= grpc->now)
        return sl_fail(why, SL_TIMEOUT, "call %s: the deadline has passed", path);
    headers.field[SL_H2_METHOD] = sl_slice_from_string("POST");
    headers.field[SL_H2_SCHEME] = sl_slice_from_string(grpc->options.secure ? "https" : "http");
    headers.field[SL_H2_PATH] = sl_slice_from_string(path);
    headers.field[SL_H2_AUTHORITY] = sl_slice_from_string(grpc->options.authority);
    headers.field[SL_H2_CONTENT_TYPE] = sl_slice_from_string(grpc_content_type);
    headers.field[SL_H2_USER_AGENT] = sl_slice_from_string(user_agent);
    headers.field[SL_H2_TE] = sl_slice_from_string("trailers");
    if (grpc->options.gzip)
        headers.field[SL_H2_GRPC_ENCODING] = sl_slice_from_string(grpc_gzip_name);
    if (deadline != SL_GRPC_NEVER) {
        grpc_timeout_format(deadline - grpc->now, timeout);
        headers.field[SL_H2_GRPC_TIMEOUT] = sl_slice_from_string(timeout);
    }
    if ((err = sl_h2_request(grpc->h2, &headers, &stream, why)) != SL_OK)
        return sl_wrap(why, err, "call %s", path);
    *out = grpc_call_new(grpc, stream, events, context);
    (*out)->told = true;
    (*out)->many = true;
    grpc_call_set_deadline(*out, deadline);
    return SL_OK;
}
