#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/list.h"
#include "net/channel_private.h"

static enum sl_err err_of(enum sl_grpc_status status)
{
    if (status == SL_GRPC_UNAVAILABLE)
        return SL_UNAVAILABLE;
    return status == SL_GRPC_DEADLINE_EXCEEDED ? SL_TIMEOUT : SL_INVALID;
}

static void set_end(struct sl_channel_end *end, enum sl_grpc_status status, const char *text)
{
    end->status = status;
    (void)snprintf(end->why.text, sizeof end->why.text, "%s", text);
}

/* A call cannot even begin. */
static enum sl_err not_begun(struct sl_channel_end *end, enum sl_err err)
{
    end->status = err == SL_TIMEOUT ? SL_GRPC_DEADLINE_EXCEEDED : SL_GRPC_UNAVAILABLE;
    return err_of(end->status);
}

/* Errors end calls, which hear of them. */
static void turn(struct sl_channel *channel, sl_nanos until)
{
    sl_channel_wait(&channel, 1, until);
    (void)sl_channel_step(channel, NULL);
}

static sl_nanos moment_after(sl_nanos now, sl_nanos timeout)
{
    return timeout < UINT64_MAX - now ? now + timeout : UINT64_MAX;
}

/* ---- unary ---- */

struct unary {
    struct sl_buf         *response; /* owned; NULL: none came */
    uint32_t               count;
    bool                   over;
    struct sl_channel_end *end;
};

static void unary_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct unary *unary = context;

    sl_grpc_consume(call, (*message)->len);
    if (unary->count++ > 0)
        return;
    unary->response = *message;
    *message = NULL;
}

static void unary_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                       const char *text)
{
    struct unary *unary = context;

    (void)call;
    unary->over = true;
    set_end(unary->end, status, text);
}

/* No `writable`: who was refused tries again after the next turn. */
static const struct sl_grpc_events unary_events = {
    .message = unary_message,
    .over = unary_over,
};

static enum sl_err unary_begin(struct sl_channel *channel, const char *path, sl_nanos deadline,
                               struct unary *unary, struct sl_grpc_call **out)
{
    struct sl_why  *why = &unary->end->why;
    struct sl_grpc *grpc;
    enum sl_err     err;

    if ((err = sl_channel_grpc(channel, &grpc, why)) == SL_OK)
        err = sl_grpc_call(grpc, path, deadline, &unary_events, unary, out, why);
    return err;
}

/* The connection may be full of what other calls send. */
static void unary_send(struct sl_channel *channel, struct unary *unary, struct sl_grpc_call *call,
                       struct sl_buf **request)
{
    while (!unary->over && sl_grpc_send(call, request) == SL_FULL)
        turn(channel, UINT64_MAX);
    if (!unary->over)
        sl_grpc_half_close(call);
}

enum sl_err sl_channel_unary(struct sl_channel *channel, const char *path, struct sl_buf **request,
                             sl_nanos timeout, struct sl_buf **response, struct sl_channel_end *end)
{
    sl_nanos             now = sl_env_now(channel_env(channel));
    struct unary         unary = {.end = end};
    struct sl_grpc_call *call;
    enum sl_err          err;

    *end = (struct sl_channel_end){0};
    err = unary_begin(channel, path, moment_after(now, timeout), &unary, &call);
    if (err == SL_OK)
        unary_send(channel, &unary, call, request);
    sl_buf_free(request);
    if (err != SL_OK)
        return not_begun(end, err);
    while (!unary.over)
        turn(channel, UINT64_MAX);
    if (end->status == SL_GRPC_DEADLINE_EXCEEDED)
        channel_doubt(channel, now);
    if (end->status == SL_GRPC_OK && unary.count != 1) {
        end->status = SL_GRPC_INTERNAL;
        (void)sl_fail(&end->why, SL_INVALID, "the server sent %u messages, not one", unary.count);
    }
    if (end->status == SL_GRPC_OK)
        *response = unary.response;
    else
        sl_buf_free(&unary.response);
    return end->status == SL_GRPC_OK ? SL_OK : err_of(end->status);
}

/* ---- streams ---- */

/* A message that came and was not asked for yet. */
struct item {
    struct sl_list_node node;
    struct sl_buf      *message;
};

struct sl_channel_stream {
    struct sl_channel    *channel; /* borrowed; not looked at when call is NULL */
    struct sl_grpc_call  *call;    /* NULL: over */
    struct sl_list        items;
    bool                  sized; /* a large message waits until the items are taken */
    struct sl_channel_end end;
};

static void stream_sized(void *context, struct sl_grpc_call *call, size_t bytes)
{
    struct sl_channel_stream *stream = context;

    (void)bytes;
    stream->sized = !sl_list_empty(&stream->items);
    if (!stream->sized)
        sl_grpc_grant(call);
}

static void stream_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct sl_channel_stream *stream = context;
    struct item              *item = calloc(1, sizeof *item);

    (void)call;
    SL_ASSERT(item != NULL);
    item->message = *message;
    *message = NULL;
    sl_list_push_back(&stream->items, &item->node);
}

static void stream_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                        const char *text)
{
    struct sl_channel_stream *stream = context;

    (void)call;
    stream->call = NULL;
    set_end(&stream->end, status, text);
}

static const struct sl_grpc_events stream_events = {
    .sized = stream_sized,
    .message = stream_message,
    .over = stream_over,
};

enum sl_err sl_channel_stream_open(struct sl_channel *channel, const char *path,
                                   struct sl_channel_stream **out, struct sl_why *why)
{
    struct sl_channel_stream *stream;
    struct sl_grpc           *grpc;
    enum sl_err               err;

    if ((err = sl_channel_grpc(channel, &grpc, why)) != SL_OK)
        return err;
    stream = calloc(1, sizeof *stream);
    SL_ASSERT(stream != NULL);
    stream->channel = channel;
    sl_list_init(&stream->items);
    err = sl_grpc_call(grpc, path, SL_GRPC_NEVER, &stream_events, stream, &stream->call, why);
    if (err != SL_OK) {
        free(stream);
        return err;
    }
    *out = stream;
    return SL_OK;
}

enum sl_err sl_channel_stream_send(struct sl_channel_stream *stream, struct sl_buf **message)
{
    enum sl_err err;

    if (stream->call == NULL) {
        sl_buf_free(message);
        return SL_UNAVAILABLE;
    }
    err = sl_grpc_send(stream->call, message);
    (void)sl_channel_step(stream->channel, NULL);
    return err;
}

void sl_channel_stream_half_close(struct sl_channel_stream *stream)
{
    if (stream->call == NULL)
        return;
    sl_grpc_half_close(stream->call);
    (void)sl_channel_step(stream->channel, NULL);
}

/* The oldest message, or NULL. Its place in the window is free now. */
static struct sl_buf *take_message(struct sl_channel_stream *stream)
{
    struct sl_list_node *node = sl_list_pop_front(&stream->items);
    struct item         *item;
    struct sl_buf       *message;

    if (node == NULL)
        return NULL;
    item = SL_CONTAINER_OF(node, struct item, node);
    message = item->message;
    free(item);
    if (stream->call == NULL)
        return message;
    sl_grpc_consume(stream->call, message->len);
    if (stream->sized && sl_list_empty(&stream->items)) {
        stream->sized = false;
        sl_grpc_grant(stream->call);
    }
    return message;
}

enum sl_err sl_channel_stream_next(struct sl_channel_stream *stream, sl_nanos timeout,
                                   struct sl_buf **message, struct sl_channel_end *end)
{
    const struct sl_env *env = stream->call != NULL ? channel_env(stream->channel) : NULL;
    sl_nanos             until = env != NULL ? moment_after(sl_env_now(env), timeout) : 0;
    struct sl_buf       *next;

    while ((next = take_message(stream)) == NULL && stream->call != NULL) {
        turn(stream->channel, until);
        if (stream->call != NULL && sl_list_empty(&stream->items) && sl_env_now(env) >= until)
            return SL_TIMEOUT;
    }
    if (next != NULL) {
        *message = next;
        return SL_OK;
    }
    *end = stream->end;
    return end->status == SL_GRPC_OK ? SL_STOPPED : err_of(end->status);
}

void sl_channel_stream_free(struct sl_channel_stream **stream)
{
    struct sl_channel_stream *old = *stream;
    struct sl_buf            *message;

    *stream = NULL;
    if (old == NULL)
        return;
    if (old->call != NULL) {
        sl_grpc_cancel(old->call);
        old->call = NULL;
        (void)sl_channel_step(old->channel, NULL); /* so that the server hears it soon */
    }
    while ((message = take_message(old)) != NULL)
        sl_buf_free(&message);
    free(old);
}
