#include "base/assert.h"
#include "net/grpc_private.h"

enum { PLAIN = 0, COMPRESSED = 1 };

/* What is sent may be compressed, because the peer asked in gzip or because we are to ask so. */
static bool may_compress(const struct sl_grpc_call *call)
{
    return call->grpc->role == SL_H2_SERVER ? call->gzip : call->grpc->options.gzip;
}

static void respond(struct sl_grpc_call *call)
{
    struct sl_h2_headers headers = {0};

    if (call->headed || call->grpc->role == SL_H2_CLIENT)
        return;
    headers.field[SL_H2_STATUS] = sl_slice_from_string("200");
    headers.field[SL_H2_CONTENT_TYPE] = sl_slice_from_string(grpc_content_type);
    if (may_compress(call))
        headers.field[SL_H2_GRPC_ENCODING] = sl_slice_from_string(grpc_gzip_name);
    sl_h2_respond(call->stream, &headers, false);
    call->headed = true;
}

/* Bytes of a message of this size: its beginning, or all of it. */
static enum sl_err send_first(struct sl_grpc_call *call, uint8_t flag, uint32_t size,
                              struct sl_buf **bytes)
{
    const uint8_t prefix[SL_GRPC_PREFIX_BYTES] = {
        flag, (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};

    return sl_h2_send(call->stream, (struct sl_slice){prefix, sizeof prefix}, bytes);
}

enum sl_err sl_grpc_send(struct sl_grpc_call *call, struct sl_buf **message)
{
    struct sl_buf *packed = NULL;
    enum sl_err    err;

    SL_ASSERT((*message)->len <= SL_BUF_BYTES_MAX);
    SL_ASSERT(!grpc_call_is_settled(call) && call->unsent == 0);
    respond(call);
    /* Asked first, so that what is refused is not compressed in vain. */
    if (!sl_h2_has_room(call->stream))
        return SL_FULL;
    if (may_compress(call) && (*message)->len > 0)
        packed = grpc_gzip_pack(grpc_gzip_of(call->grpc), sl_slice_from_buf(*message));
    if (packed == NULL)
        return send_first(call, PLAIN, (uint32_t)(*message)->len, message);
    err = send_first(call, COMPRESSED, (uint32_t)packed->len, &packed);
    SL_ASSERT(err == SL_OK);
    sl_buf_free(message);
    return SL_OK;
}

void sl_grpc_send_begin(struct sl_grpc_call *call, uint32_t total_bytes)
{
    SL_ASSERT(total_bytes > 0);
    SL_ASSERT(!grpc_call_is_settled(call) && call->unsent == 0);
    call->unsent = total_bytes;
    call->unsent_begun = false;
}

enum sl_err sl_grpc_send_piece(struct sl_grpc_call *call, struct sl_buf **piece)
{
    uint32_t    bytes = (uint32_t)(*piece)->len;
    enum sl_err err;

    SL_ASSERT(!grpc_call_is_settled(call));
    SL_ASSERT((*piece)->len > 0 && (*piece)->len <= call->unsent);
    respond(call);
    if (call->unsent_begun)
        err = sl_h2_send(call->stream, (struct sl_slice){0}, piece);
    else
        err = send_first(call, PLAIN, call->unsent, piece);
    if (err != SL_OK)
        return err;
    call->unsent_begun = true;
    call->unsent -= bytes;
    return SL_OK;
}
