#include "net/grpc.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "net/grpc_private.h"
#include "net/grpc_status.h"

/* ---- what the connection below tells ---- */

static void on_data(void *context, struct sl_h2_stream *stream, struct sl_buf *input, size_t offset,
                    size_t len)
{
    struct sl_grpc_call *call = sl_h2_stream_context(stream);

    (void)context;
    if (call != NULL)
        grpc_call_take(call, &(struct grpc_input){.buf = input, .offset = offset, .len = len});
}

static void on_ended(void *context, struct sl_h2_stream *stream)
{
    struct sl_grpc_call *call = sl_h2_stream_context(stream);

    (void)context;
    if (call == NULL || grpc_call_is_settled(call))
        return;
    if (call->grpc->role == SL_H2_SERVER)
        grpc_server_ended(call);
    else
        grpc_client_ended(call);
}

static void on_closed(void *context, struct sl_h2_stream *stream, uint32_t code)
{
    struct sl_grpc_call *call = sl_h2_stream_context(stream);
    enum sl_grpc_status  status;
    char                 text[64];

    (void)context;
    if (call == NULL)
        return;
    if (call->finished && code == SL_H2_NO_ERROR) {
        grpc_call_tell_over(call, call->status, "");
    } else {
        status = grpc_status_of_reset(code);
        if (code == SL_H2_NO_ERROR && call->grpc->role == SL_H2_SERVER)
            status = SL_GRPC_CANCELLED; /* a client that wants no answer any more */
        (void)snprintf(text, sizeof text, "the stream was reset with code %u", code);
        grpc_call_tell_over(call, status, text);
    }
    grpc_call_free(call);
}

static void on_writable(void *context, struct sl_h2_stream *stream)
{
    struct sl_grpc_call *call = sl_h2_stream_context(stream);

    (void)context;
    if (call != NULL && !grpc_call_is_settled(call) && call->events->writable != NULL)
        call->events->writable(call->context, call);
}

/* New calls are refused by sl_h2_request from now on, streams cut off are closed one by one. */
static void on_goaway(void *context, uint32_t code, struct sl_slice text)
{
    (void)context, (void)code, (void)text;
}

static const struct sl_h2_events h2_events = {
    .begun = grpc_server_begun,
    .headers = grpc_client_headers,
    .data = on_data,
    .ended = on_ended,
    .closed = on_closed,
    .writable = on_writable,
    .goaway = on_goaway,
};

/* ---- a connection ---- */

struct sl_grpc *sl_grpc_new(enum sl_h2_role role, const struct sl_grpc_events *events,
                            void *context, const struct sl_grpc_options *options, sl_nanos now)
{
    struct sl_grpc *grpc = calloc(1, sizeof *grpc);
    size_t          max = options->message_bytes_max;

    SL_ASSERT(grpc != NULL);
    SL_ASSERT((role == SL_H2_SERVER) == (events != NULL));
    SL_ASSERT(SL_IMPLIES(role == SL_H2_CLIENT, options->authority != NULL));
    grpc->role = role;
    grpc->events = events;
    grpc->context = context;
    grpc->options = *options;
    grpc->options.message_bytes_max = max > 0 && max < UINT32_MAX ? max : UINT32_MAX;
    max = options->unpacked_bytes_max > 0 ? options->unpacked_bytes_max : max;
    grpc->options.unpacked_bytes_max = max > 0 && max < SL_BUF_BYTES_MAX ? max : SL_BUF_BYTES_MAX;
    sl_list_init(&grpc->calls);
    grpc->now = now;
    grpc->next_due = UINT64_MAX;
    grpc->h2 = sl_h2_new(role, &h2_events, grpc, options->h2.streams_max > 0 ? &options->h2 : NULL);
    return grpc;
}

void sl_grpc_free(struct sl_grpc **grpc)
{
    const char *text = *grpc != NULL ? sl_h2_why_text((*grpc)->h2) : "";

    sl_grpc_lose(grpc, text[0] != '\0' ? text : "the connection is closed");
}

void sl_grpc_lose(struct sl_grpc **grpc, const char *text)
{
    struct sl_grpc      *old = *grpc;
    struct sl_list_node *node;

    *grpc = NULL;
    if (old == NULL)
        return;
    sl_h2_terminate(old->h2, SL_H2_NO_ERROR, text); /* no new calls */
    while ((node = sl_list_first(&old->calls)) != NULL) {
        struct sl_grpc_call *call = SL_CONTAINER_OF(node, struct sl_grpc_call, node);

        grpc_call_tell_over(call, SL_GRPC_UNAVAILABLE, text);
        grpc_call_free(call);
    }
    sl_h2_free(&old->h2);
    grpc_gzip_free(&old->gzip);
    free(old);
}

struct grpc_gzip *grpc_gzip_of(struct sl_grpc *grpc)
{
    if (grpc->gzip == NULL)
        grpc->gzip = grpc_gzip_new();
    return grpc->gzip;
}

struct sl_h2 *sl_grpc_h2(struct sl_grpc *grpc)
{
    return grpc->h2;
}

/* End the call if its time has come, else note when it will. */
static void check_due(struct sl_grpc_call *call)
{
    const sl_nanos  stall = SL_GRPC_STALL_S * (sl_nanos)SL_NANOS_PER_S;
    struct sl_grpc *grpc = call->grpc;

    if (grpc_call_is_settled(call))
        return;
    if (call->deadline != SL_GRPC_NEVER && grpc->now >= call->deadline) {
        grpc_call_fail(call, SL_GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
        return;
    }
    if (call->deadline != SL_GRPC_NEVER)
        grpc_note_due(grpc, call->deadline);
    /* Who holds pieces keeps the window shut: the peer may have nothing it can do. */
    if (!call->granted || call->held_pieces > 0)
        return;
    if (grpc->now - call->seen_at >= stall)
        grpc_call_fail(call, SL_GRPC_CANCELLED, "no byte of a message of %u bytes came for %d s",
                       call->inbox.size, SL_GRPC_STALL_S);
    else
        grpc_note_due(grpc, call->seen_at + stall);
}

void sl_grpc_tick(struct sl_grpc *grpc, sl_nanos now)
{
    struct sl_list_node *node;

    if (now < grpc->now)
        return;
    grpc->now = now;
    sl_h2_tick(grpc->h2, now);
    if (now < grpc->next_due)
        return;
    grpc->next_due = UINT64_MAX;
    /* Handlers may begin calls, at the back; none is freed from here. */
    for (node = sl_list_first(&grpc->calls); node != NULL; node = sl_list_next(&grpc->calls, node))
        check_due(SL_CONTAINER_OF(node, struct sl_grpc_call, node));
}

sl_nanos sl_grpc_next_due(const struct sl_grpc *grpc)
{
    return grpc->next_due;
}

/* ---- calls ---- */

void sl_grpc_half_close(struct sl_grpc_call *call)
{
    SL_ASSERT(call->grpc->role == SL_H2_CLIENT);
    SL_ASSERT(call->unsent == 0);
    sl_h2_end(call->stream, NULL);
}

void sl_grpc_finish(struct sl_grpc_call *call, enum sl_grpc_status status, const char *text)
{
    SL_ASSERT(call->grpc->role == SL_H2_SERVER);
    SL_ASSERT(call->told && !call->gone);
    SL_ASSERT(SL_IMPLIES(call->unsent > 0, status != SL_GRPC_OK));
    grpc_call_answer(call, status, text);
}

void sl_grpc_cancel(struct sl_grpc_call *call)
{
    SL_ASSERT(call->told && !call->gone);
    call->gone = true;
    sl_h2_reset(call->stream, SL_H2_CANCEL);
}

sl_nanos sl_grpc_deadline(const struct sl_grpc_call *call)
{
    return call->deadline;
}

void sl_grpc_call_set_context(struct sl_grpc_call *call, void *context)
{
    call->context = context;
}

void *sl_grpc_call_context(const struct sl_grpc_call *call)
{
    return call->context;
}

uint32_t sl_grpc_call_id(const struct sl_grpc_call *call)
{
    return sl_h2_stream_id(call->stream);
}

struct sl_grpc_call *sl_grpc_find(struct sl_grpc *grpc, uint32_t id)
{
    struct sl_h2_stream *stream = sl_h2_find(grpc->h2, id);
    struct sl_grpc_call *call = stream != NULL ? sl_h2_stream_context(stream) : NULL;

    return call != NULL && call->told && !grpc_call_is_settled(call) ? call : NULL;
}
