#include "net/grpc_status.h"

#include "base/assert.h"

static const char *const names[SL_GRPC_STATUSES] = {
    [SL_GRPC_OK] = "OK",
    [SL_GRPC_CANCELLED] = "CANCELLED",
    [SL_GRPC_UNKNOWN] = "UNKNOWN",
    [SL_GRPC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [SL_GRPC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [SL_GRPC_NOT_FOUND] = "NOT_FOUND",
    [SL_GRPC_ALREADY_EXISTS] = "ALREADY_EXISTS",
    [SL_GRPC_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [SL_GRPC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [SL_GRPC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [SL_GRPC_ABORTED] = "ABORTED",
    [SL_GRPC_OUT_OF_RANGE] = "OUT_OF_RANGE",
    [SL_GRPC_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [SL_GRPC_INTERNAL] = "INTERNAL",
    [SL_GRPC_UNAVAILABLE] = "UNAVAILABLE",
    [SL_GRPC_DATA_LOSS] = "DATA_LOSS",
    [SL_GRPC_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *sl_grpc_status_name(enum sl_grpc_status status)
{
    SL_ASSERT((unsigned)status < SL_GRPC_STATUSES);
    return names[status];
}

enum sl_grpc_status grpc_status_of_reset(uint32_t h2_code)
{
    switch (h2_code) {
    case SL_H2_REFUSED_STREAM: return SL_GRPC_UNAVAILABLE;
    case SL_H2_CANCEL: return SL_GRPC_CANCELLED;
    case SL_H2_ENHANCE_YOUR_CALM: return SL_GRPC_RESOURCE_EXHAUSTED;
    case SL_H2_INADEQUATE_SECURITY: return SL_GRPC_PERMISSION_DENIED;
    default: return SL_GRPC_INTERNAL; /* any number may come from a peer */
    }
}

/* A number from 0 to 999, else -1. */
static int small_number(struct sl_slice text)
{
    int value = 0;

    if (text.len == 0 || text.len > 3)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return -1;
        value = value * 10 + (text.bytes[i] - '0');
    }
    return value;
}

enum sl_grpc_status grpc_status_of_http(struct sl_slice http_status)
{
    switch (small_number(http_status)) {
    case 400: return SL_GRPC_INTERNAL;
    case 401: return SL_GRPC_UNAUTHENTICATED;
    case 403: return SL_GRPC_PERMISSION_DENIED;
    case 404: return SL_GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504: return SL_GRPC_UNAVAILABLE;
    default: return SL_GRPC_UNKNOWN;
    }
}

enum sl_grpc_status grpc_status_of_text(struct sl_slice text)
{
    int value = small_number(text);

    return value >= 0 && value < SL_GRPC_STATUSES ? (enum sl_grpc_status)value : SL_GRPC_UNKNOWN;
}
