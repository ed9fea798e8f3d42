#include "base/assert.h"
#include "net/h2_private.h"

bool h2_refuse(struct sl_h2 *h2, int32_t id, enum sl_h2_code code)
{
    struct sl_h2_stream *stream = h2_find(h2, id);

    if (stream != NULL)
        sl_h2_reset(stream, code);
    else
        h2_submit_reset(h2, id, code);
    return h2_charge(h2);
}

void h2_tell_ended(struct sl_h2_stream *stream)
{
    stream->peer_ended = true;
    if (!stream->reset)
        stream->h2->events->ended(stream->h2->context, stream);
}

/* A request's header begins a stream; its trailer, of which we keep nothing, ends one. */
static bool request_received(struct sl_h2 *h2, int32_t id, bool last)
{
    const struct sl_h2_headers *headers = &h2->block.headers;
    struct sl_h2_stream        *stream = h2_find(h2, id);

    if (stream != NULL && !last)
        return h2_refuse(h2, id, SL_H2_PROTOCOL_ERROR);
    if (stream == NULL) {
        if (headers->field[SL_H2_METHOD].len == 0 || headers->field[SL_H2_PATH].len == 0)
            return h2_refuse(h2, id, SL_H2_PROTOCOL_ERROR);
        stream = h2_stream_add(h2, id);
        stream->peer_ended = last;
        h2_adopt(stream);
        h2->events->begun(h2->context, stream, headers);
    }
    if (last)
        h2_tell_ended(stream);
    return true;
}

static bool response_received(struct sl_h2 *h2, int32_t id, bool last)
{
    const struct sl_h2_headers *headers = &h2->block.headers;
    struct sl_h2_stream        *stream = h2_find(h2, id);
    struct sl_slice             status = headers->field[SL_H2_STATUS];

    if (stream == NULL)
        return h2_charge(h2);
    if (!stream->headed && status.len > 0 && status.bytes[0] == '1' && !last)
        return h2_charge(h2); /* "wait": the true one follows */
    if (stream->headed ? !last : status.len == 0)
        return h2_refuse(h2, id, SL_H2_PROTOCOL_ERROR);
    if (!stream->headed)
        h2_open_connection_window(h2);
    stream->headed = true;
    stream->peer_ended = last;
    h2->events->headers(h2->context, stream, headers, last);
    if (last)
        h2_tell_ended(stream);
    return true;
}

bool h2_headers_received(struct sl_h2 *h2, int32_t id, bool last)
{
    return h2->role == SL_H2_SERVER ? request_received(h2, id, last)
                                    : response_received(h2, id, last);
}

bool h2_data_received(struct sl_h2 *h2, int32_t id, struct sl_slice bytes)
{
    struct sl_h2_stream *stream = h2_find(h2, id);
    size_t               offset;

    if (stream == NULL || stream->reset)
        return true;
    if (h2->role == SL_H2_CLIENT && !stream->headed)
        return h2_refuse(h2, id, SL_H2_PROTOCOL_ERROR);
    /* nghttp2 sees it too, and hands out the bytes nevertheless. */
    if (bytes.len > stream->window)
        return h2_refuse(h2, id, SL_H2_FLOW_CONTROL_ERROR);
    stream->window -= bytes.len;
    SL_ASSERT(bytes.bytes >= h2->input->data);
    offset = (size_t)(bytes.bytes - h2->input->data);
    SL_ASSERT(offset + bytes.len <= h2->input->len);
    h2->events->data(h2->context, stream, h2->input, offset, bytes.len);
    return true;
}

void h2_stream_closed(struct sl_h2 *h2, int32_t id, uint32_t code)
{
    struct sl_h2_stream *stream = h2_find(h2, id);

    if (stream == NULL)
        return; /* refused before its owner heard of it */
    if (code == SL_H2_NO_ERROR)
        h2_budget_earn(&h2->budget);
    h2_stream_drop_queue(stream);
    h2->events->closed(h2->context, stream, code);
    h2_stream_free(stream);
}
