#include "net/h2.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "net/h2_fields.h"
#include "net/h2_private.h"

/* Marks the PING between the announcement of a graceful end and the end. */
static const uint8_t goaway_ping[8] = {'s', 'l', 'g', 'o', 'a', 'w', 'a', 'y'};

/* nghttp2 fails where memory is short, which ends us, or where the session or stream is ending
 * anyhow: then what we wanted to send has lost its point. */
static void must(int result)
{
    SL_ASSERT(result != NGHTTP2_ERR_NOMEM);
}

/* ---- what nghttp2 tells while it reads ---- */

/* nghttp2 must not read on when this fails. */
static int result_of(bool ok)
{
    return ok ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int charge(struct sl_h2 *h2)
{
    return result_of(h2_charge(h2));
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *context)
{
    (void)session;
    switch (hd->type) {
    case NGHTTP2_DATA:
        /* Padding is treated as nothing: no peer of ours pads. */
        if ((hd->flags & NGHTTP2_FLAG_END_STREAM) != 0)
            return 0;
        return hd->length == 0 || (hd->flags & NGHTTP2_FLAG_PADDED) != 0 ? charge(context) : 0;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION: /* bounded by themselves */
    case NGHTTP2_WINDOW_UPDATE: return 0;
    default: return charge(context);
    }
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *context)
{
    (void)session, (void)frame, (void)error;
    return charge(context);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct sl_h2 *h2 = context;

    (void)session, (void)frame;
    h2_block_clear(&h2->block);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                     void *context)
{
    struct sl_h2   *h2 = context;
    struct sl_slice n = {name, name_bytes};
    struct sl_slice v = {value, value_bytes};

    (void)session, (void)flags;
    switch (h2_block_add(&h2->block, n, v)) {
    case H2_BLOCK_OK:
    case H2_BLOCK_WAS_OVER: return 0;
    case H2_BLOCK_OVER:
        return result_of(h2_refuse(h2, frame->hd.stream_id, SL_H2_ENHANCE_YOUR_CALM));
    }
    SL_UNREACHABLE("not a verdict");
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct sl_h2 *h2 = context;
    bool          last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS: return result_of(h2_headers_received(h2, frame->hd.stream_id, last));
    case NGHTTP2_DATA:
        /* Given back at once, so that nghttp2 never adds it to what the owner consumes. */
        must(nghttp2_submit_window_update(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                          (int32_t)frame->data.padlen));
        if (last && h2_find(h2, frame->hd.stream_id) != NULL)
            h2_tell_ended(h2_find(h2, frame->hd.stream_id));
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && h2->goaway_begun &&
            memcmp(frame->ping.opaque_data, goaway_ping, sizeof goaway_ping) == 0)
            must(nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                                       nghttp2_session_get_last_proc_stream_id(session),
                                       NGHTTP2_NO_ERROR, NULL, 0));
        return 0;
    case NGHTTP2_GOAWAY:
        h2->events->goaway(
            h2->context, frame->goaway.error_code,
            (struct sl_slice){frame->goaway.opaque_data, frame->goaway.opaque_data_len});
        return 0;
    default: return 0;
    }
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t count, void *context)
{
    struct sl_h2 *h2 = context;

    (void)flags;
    must(nghttp2_session_consume_connection(session, count));
    return result_of(h2_data_received(h2, id, (struct sl_slice){bytes, count}));
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    (void)session;
    h2_stream_closed(context, id, code);
    return 0;
}

/* ---- what nghttp2 tells and asks while it writes ---- */

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct sl_h2        *h2 = context;
    struct sl_h2_stream *stream;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        const char *detail = frame->goaway.opaque_data_len > 0
                                 ? (const char *)frame->goaway.opaque_data
                                 : nghttp2_http2_strerror(frame->goaway.error_code);
        size_t      bytes =
            frame->goaway.opaque_data_len > 0 ? frame->goaway.opaque_data_len : strlen(detail);

        h2_give_up(h2, SL_INVALID, "the peer broke the protocol", detail, bytes);
    }
    if (frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0)
        h2_budget_earn(&h2->budget);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 ||
        (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS))
        return 0;
    stream = h2_find(h2, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    stream->end_sent = true;
    /* The response is complete: what is left of the request is not wanted (RFC 9113, 8.1). */
    if (h2->role == SL_H2_SERVER && !stream->peer_ended)
        sl_h2_reset(stream, SL_H2_NO_ERROR);
    return 0;
}

/* The nghttp2 form of headers; out has room for SL_H2_FIELDS. The library copies the values. */
static size_t to_fields(const struct sl_h2_headers *headers, nghttp2_nv *out)
{
    size_t count = 0;

    for (unsigned i = 0; i < SL_H2_FIELDS; i++) {
        struct sl_slice name = h2_field_name((enum sl_h2_field)i);
        struct sl_slice value = headers->field[i];

        if (value.bytes == NULL)
            continue;
        /* The casts drop const, which nghttp2's type lacks; it does not write. */
        out[count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.bytes,
                                    .namelen = name.len,
                                    .value = (uint8_t *)(uintptr_t)value.bytes,
                                    .valuelen = value.len,
                                    .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME};
    }
    return count;
}

static ssize_t read_queue(nghttp2_session *session, int32_t id, uint8_t *out, size_t room,
                          uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct sl_h2_stream *stream = source->ptr;
    size_t               count = h2_stream_take(stream, out, room);

    (void)context;
    if (h2_queue_empty(&stream->queue) && stream->ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream->trailers != NULL) {
            nghttp2_nv fields[SL_H2_FIELDS];
            size_t     field_count = to_fields(stream->trailers, fields);

            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            must(nghttp2_submit_trailer(session, id, fields, field_count));
        }
        return (ssize_t)count;
    }
    return count > 0 ? (ssize_t)count : NGHTTP2_ERR_DEFERRED;
}

/* Tell the peer what the owners have consumed since the last time. Only once what was told then is
 * on its way: a slow peer hears more at once instead of more often. */
static void announce(struct sl_h2 *h2)
{
    struct sl_list_node *node;

    if (h2_output_next(&h2->output).len > 0)
        return;
    while ((node = sl_list_pop_front(&h2->announcing)) != NULL) {
        struct sl_h2_stream *stream = SL_CONTAINER_OF(node, struct sl_h2_stream, announcing);

        if (!stream->peer_ended)
            must(nghttp2_submit_window_update(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                              (int32_t)stream->consumed));
        stream->consumed = 0;
    }
}

static void fill(struct sl_h2 *h2)
{
    announce(h2);
    while (h2_output_has_room(&h2->output)) {
        const uint8_t *bytes;
        ssize_t        count = nghttp2_session_mem_send(h2->session, &bytes);

        SL_ASSERT(count >= 0); /* only memory or a callback of ours could fail */
        if (count == 0)
            break;
        h2_output_add(&h2->output, (struct sl_slice){bytes, (size_t)count});
    }
}

/* ---- a connection ---- */

static nghttp2_session_callbacks *new_callbacks(void)
{
    nghttp2_session_callbacks *c;

    must(nghttp2_session_callbacks_new(&c));
    nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_sent);
    return c;
}

static nghttp2_option *new_options(void)
{
    nghttp2_option *o;

    must(nghttp2_option_new(&o));
    nghttp2_option_set_no_auto_window_update(o, 1);
    nghttp2_option_set_no_closed_streams(o, 1);
    nghttp2_option_set_max_reserved_remote_streams(o, 0);
    nghttp2_option_set_max_outbound_ack(o, SL_H2_ACKS_MAX);
    nghttp2_option_set_max_continuations(o, SL_H2_CONTINUATIONS_MAX);
    /* Its own limit on resets reads the machine's clock; ours is the budget. */
    nghttp2_option_set_stream_reset_rate_limit(o, UINT64_MAX, 0);
    /* It would refuse the :authority of a unix socket, a path. What matters to us is checked when
     * headers are received. */
    nghttp2_option_set_no_http_messaging(o, 1);
    return o;
}

static void send_settings(struct sl_h2 *h2)
{
    const nghttp2_settings_entry of_server = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                              h2->limits.streams_max};
    const nghttp2_settings_entry of_client = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h2->limits.header_list_bytes_max},
        h2->role == SL_H2_SERVER ? of_server : of_client,
    };

    must(nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries,
                                 sizeof entries / sizeof entries[0]));
    if (h2->role == SL_H2_SERVER)
        h2_open_connection_window(h2);
}

struct sl_h2 *sl_h2_new(enum sl_h2_role role, const struct sl_h2_events *events, void *context,
                        const struct sl_h2_limits *limits)
{
    struct sl_h2              *h2 = calloc(1, sizeof *h2);
    nghttp2_session_callbacks *callbacks = new_callbacks();
    nghttp2_option            *options = new_options();

    SL_ASSERT(h2 != NULL);
    h2->role = role;
    h2->events = events;
    h2->context = context;
    h2->limits = limits != NULL ? *limits : sl_h2_limits_default;
    SL_ASSERT(h2->limits.queue_bytes > 0 && h2->limits.streams_max > 0);
    SL_ASSERT(h2->limits.connection_queue_bytes >= h2->limits.queue_bytes);
    sl_list_init(&h2->streams);
    sl_list_init(&h2->starved);
    sl_list_init(&h2->announcing);
    h2_budget_init(&h2->budget);
    h2_block_init(&h2->block, h2->limits.header_list_bytes_max);
    if (role == SL_H2_SERVER)
        must(nghttp2_session_server_new2(&h2->session, callbacks, h2, options));
    else
        must(nghttp2_session_client_new2(&h2->session, callbacks, h2, options));
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    send_settings(h2);
    return h2;
}

void sl_h2_free(struct sl_h2 **h2)
{
    struct sl_h2 *old = *h2;

    *h2 = NULL;
    if (old == NULL)
        return;
    SL_ASSERT(old->input == NULL); /* not from a handler */
    nghttp2_session_del(old->session);
    while (!sl_list_empty(&old->streams))
        h2_stream_free(SL_CONTAINER_OF(sl_list_first(&old->streams), struct sl_h2_stream, node));
    SL_ASSERT(old->queue_cost == 0 && old->stream_count == 0);
    h2_block_done(&old->block);
    free(old);
}

/* Say why we stop reading: to the owner, who may know already, and to the peer. */
static void stop_reading(struct sl_h2 *h2, bool too_much, const char *reason)
{
    h2_give_up(h2, too_much ? SL_TOO_LARGE : SL_INVALID, reason, NULL, 0);
    must(nghttp2_session_terminate_session(h2->session, too_much ? NGHTTP2_ENHANCE_YOUR_CALM
                                                                 : NGHTTP2_PROTOCOL_ERROR));
}

static void read_input(struct sl_h2 *h2, const struct sl_buf *input)
{
    ssize_t result = nghttp2_session_mem_recv(h2->session, input->data, input->len);

    if (result < 0) {
        must((int)result);
        stop_reading(h2, result != NGHTTP2_ERR_BAD_CLIENT_MAGIC, nghttp2_strerror((int)result));
    } else if (nghttp2_session_get_outbound_queue_size(h2->session) > SL_H2_OUTBOUND_FRAMES_MAX) {
        stop_reading(h2, true, "the peer does not read what it asks for");
    }
}

enum sl_err sl_h2_receive(struct sl_h2 *h2, struct sl_buf *input, struct sl_why *why)
{
    if (h2->failed == SL_OK) {
        SL_ASSERT(h2->input == NULL);
        h2->input = input;
        read_input(h2, input);
        fill(h2); /* brings to light whether nghttp2 has given up */
        h2->input = NULL;
    }
    if (h2->failed != SL_OK && why != NULL)
        *why = h2->why;
    return h2->failed;
}

bool sl_h2_pending(struct sl_h2 *h2, struct sl_slice *out)
{
    do {
        fill(h2);
        *out = h2_output_next(&h2->output);
    } while (h2_relieve(h2) && out->len == 0);
    return out->len > 0;
}

bool sl_h2_wants_write(const struct sl_h2 *h2)
{
    return h2_output_next(&h2->output).len > 0 || !sl_list_empty(&h2->announcing) ||
           nghttp2_session_want_write(h2->session) != 0;
}

bool sl_h2_is_over(const struct sl_h2 *h2)
{
    if (h2->failed != SL_OK)
        return true;
    return !nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session);
}

void sl_h2_ping(struct sl_h2 *h2)
{
    must(nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL));
}

void sl_h2_goaway(struct sl_h2 *h2)
{
    if (h2->goaway_begun)
        return;
    h2->goaway_begun = true;
    if (h2->role == SL_H2_CLIENT) {
        must(nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0));
        return;
    }
    /* What the client sends before it hears of the end arrives before its answer to the PING. */
    must(nghttp2_submit_shutdown_notice(h2->session));
    must(nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, goaway_ping));
}

void sl_h2_terminate(struct sl_h2 *h2, enum sl_h2_code code, const char *text)
{
    h2_give_up(h2, SL_STOPPED, "ended by us", text, strlen(text));
    must(nghttp2_session_terminate_session(h2->session, code));
}

/* ---- streams ---- */

bool sl_h2_takes_requests(const struct sl_h2 *h2)
{
    return h2->failed == SL_OK && !h2->goaway_begun &&
           nghttp2_session_check_request_allowed(h2->session) != 0;
}

enum sl_err sl_h2_request(struct sl_h2 *h2, const struct sl_h2_headers *headers,
                          struct sl_h2_stream **out, struct sl_why *why)
{
    struct sl_h2_stream  *stream;
    nghttp2_data_provider body = {.read_callback = read_queue};
    nghttp2_nv            fields[SL_H2_FIELDS];
    size_t                count = to_fields(headers, fields);

    SL_ASSERT(h2->role == SL_H2_CLIENT);
    if (!sl_h2_takes_requests(h2))
        return sl_fail(why, SL_UNAVAILABLE, "http/2: the connection takes no new streams");
    if (h2->stream_count >= h2->limits.streams_max)
        return sl_fail(why, SL_FULL, "http/2: %u streams are open", h2->stream_count);
    stream = h2_stream_add(h2, 0);
    body.source.ptr = stream;
    stream->id = nghttp2_submit_request(h2->session, NULL, fields, count, &body, stream);
    must(stream->id);
    if (stream->id < 0) {
        h2_stream_free(stream);
        return sl_fail(why, SL_UNAVAILABLE, "http/2: no stream id is left");
    }
    *out = stream;
    return SL_OK;
}

void sl_h2_respond(struct sl_h2_stream *stream, const struct sl_h2_headers *headers, bool last)
{
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = read_queue};
    nghttp2_nv            fields[SL_H2_FIELDS];
    size_t                count = to_fields(headers, fields);

    SL_ASSERT(stream->h2->role == SL_H2_SERVER);
    SL_ASSERT(!stream->headed && !stream->ended);
    stream->headed = true;
    stream->ended = last;
    must(nghttp2_submit_response(stream->h2->session, stream->id, fields, count,
                                 last ? NULL : &body));
}

void sl_h2_grow_window(struct sl_h2_stream *stream, size_t count)
{
    SL_ASSERT(count <= SL_BUF_BYTES_MAX);
    if (stream->peer_ended || stream->reset)
        return;
    stream->window += count;
    must(nghttp2_submit_window_update(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                      (int32_t)count));
}

/* ---- for the other parts ---- */

struct sl_h2_stream *h2_find(struct sl_h2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

void h2_adopt(struct sl_h2_stream *stream)
{
    must(nghttp2_session_set_stream_user_data(stream->h2->session, stream->id, stream));
}

void h2_submit_reset(struct sl_h2 *h2, int32_t id, enum sl_h2_code code)
{
    must(nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, code));
}

void h2_open_connection_window(struct sl_h2 *h2)
{
    must(nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                               SL_H2_CONNECTION_WINDOW_BYTES));
}

/* An error says that nghttp2 will ask by itself, or never again. */
void h2_resume(struct sl_h2_stream *stream)
{
    must(nghttp2_session_resume_data(stream->h2->session, stream->id));
}
