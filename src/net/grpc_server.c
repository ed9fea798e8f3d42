#include "base/assert.h"
#include "net/grpc_private.h"
#include "net/grpc_text.h"

/* The peer speaks HTTP, not gRPC. */
static void answer_http(struct sl_h2_stream *stream, const char *status)
{
    struct sl_h2_headers headers = {0};

    headers.field[SL_H2_STATUS] = sl_slice_from_string(status);
    sl_h2_respond(stream, &headers, true);
}

/* Where the method begins in "/service/method", 0 when there is none. */
static size_t method_offset(struct sl_slice path)
{
    for (size_t i = path.len; i > 1; i--) {
        if (path.bytes[i - 1] == '/')
            return i;
    }
    return 0;
}

static void ask_owner(struct sl_grpc_call *call, struct sl_slice path)
{
    size_t          method = method_offset(path);
    struct sl_slice service = {path.bytes + 1, method - 2};
    struct sl_slice name = {path.bytes + method, path.len - method};

    if (path.bytes[0] != '/' || method == 0) {
        grpc_call_fail(call, SL_GRPC_UNIMPLEMENTED, "malformed method name: \"%.*s\"",
                       grpc_shown(path), grpc_chars(path));
        return;
    }
    switch (call->events->called(call->context, call, path)) {
    case SL_GRPC_MANY_MESSAGES:
        call->many = true;
        call->told = true;
        return;
    case SL_GRPC_ONE_MESSAGE: call->told = true; return;
    case SL_GRPC_NO_SERVICE:
        grpc_call_fail(call, SL_GRPC_UNIMPLEMENTED, "unknown service %.*s", grpc_shown(service),
                       grpc_chars(service));
        return;
    case SL_GRPC_NO_METHOD:
        grpc_call_fail(call, SL_GRPC_UNIMPLEMENTED, "unknown method %.*s for service %.*s",
                       grpc_shown(name), grpc_chars(name), grpc_shown(service),
                       grpc_chars(service));
        return;
    }
    SL_UNREACHABLE("not a verdict");
}

void grpc_server_begun(void *context, struct sl_h2_stream *stream,
                       const struct sl_h2_headers *headers)
{
    struct sl_grpc      *grpc = context;
    struct sl_slice      timeout = headers->field[SL_H2_GRPC_TIMEOUT];
    sl_nanos             span = 0;
    sl_nanos             deadline;
    struct sl_grpc_call *call;

    if (!grpc_slice_is(headers->field[SL_H2_METHOD], "POST")) {
        answer_http(stream, "405");
        return;
    }
    if (!grpc_is_content(headers->field[SL_H2_CONTENT_TYPE])) {
        answer_http(stream, "415");
        return;
    }
    call = grpc_call_new(grpc, stream, grpc->events, grpc->context);
    if (!grpc_call_keep_encoding(call, headers->field[SL_H2_GRPC_ENCODING]))
        return;
    if (timeout.len > 0 && !grpc_timeout_parse(timeout, &span)) {
        grpc_call_fail(call, SL_GRPC_INTERNAL, "malformed grpc-timeout");
        return;
    }
    if (timeout.len > 0 && !__builtin_add_overflow(grpc->now, span, &deadline))
        grpc_call_set_deadline(call, deadline);
    ask_owner(call, headers->field[SL_H2_PATH]);
}

void grpc_server_ended(struct sl_grpc_call *call)
{
    if (!grpc_inbox_idle(&call->inbox))
        grpc_call_fail(call, SL_GRPC_INTERNAL, "unexpected EOF");
    else if (!call->any && !call->many)
        grpc_call_fail(call, SL_GRPC_INTERNAL, "cardinality violation: no request message");
    else if (call->events->half_closed != NULL)
        call->events->half_closed(call->context, call);
}
