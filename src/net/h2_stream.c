#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "net/h2_fields.h"
#include "net/h2_private.h"

const struct sl_h2_limits sl_h2_limits_default = {
    .streams_max = SL_H2_STREAMS_MAX,
    .header_list_bytes_max = SL_H2_HEADER_LIST_BYTES_MAX,
    .queue_bytes = SL_H2_QUEUE_BYTES,
    .connection_queue_bytes = SL_H2_CONNECTION_QUEUE_BYTES,
};

struct sl_h2_stream *h2_stream_add(struct sl_h2 *h2, int32_t id)
{
    struct sl_h2_stream *stream = calloc(1, sizeof *stream);

    SL_ASSERT(stream != NULL);
    stream->h2 = h2;
    stream->id = id;
    stream->window = SL_H2_WINDOW_BYTES;
    h2_queue_init(&stream->queue);
    sl_list_push_back(&h2->streams, &stream->node);
    h2->stream_count++;
    return stream;
}

void h2_stream_drop_queue(struct sl_h2_stream *stream)
{
    SL_ASSERT(stream->h2->queue_cost >= stream->queue.cost);
    stream->h2->queue_cost -= stream->queue.cost;
    h2_queue_clear(&stream->queue);
    if (sl_list_linked(&stream->starved))
        sl_list_remove(&stream->starved);
    if (sl_list_linked(&stream->announcing))
        sl_list_remove(&stream->announcing);
}

void h2_stream_free(struct sl_h2_stream *stream)
{
    h2_stream_drop_queue(stream);
    sl_list_remove(&stream->node);
    stream->h2->stream_count--;
    free(stream->trailers);
    free(stream);
}

void h2_give_up(struct sl_h2 *h2, enum sl_err err, const char *reason, const char *detail,
                size_t detail_bytes)
{
    int shown = detail_bytes < SL_WHY_BYTES_MAX ? (int)detail_bytes : SL_WHY_BYTES_MAX;

    if (h2->failed != SL_OK)
        return;
    h2->failed = sl_fail(&h2->why, err, "http/2: %s%s%.*s", reason, shown > 0 ? ": " : "", shown,
                         detail_bytes > 0 ? detail : "");
}

static bool is_full(const struct sl_h2_stream *stream)
{
    const struct sl_h2_limits *limits = &stream->h2->limits;

    return stream->queue.cost >= limits->queue_bytes ||
           stream->h2->queue_cost >= limits->connection_queue_bytes;
}

/* Drained to the half: then is_full does not hold. */
static bool is_low(const struct sl_h2_stream *stream)
{
    const struct sl_h2_limits *limits = &stream->h2->limits;

    return stream->queue.cost <= limits->queue_bytes / 2 &&
           stream->h2->queue_cost <= limits->connection_queue_bytes / 2;
}

bool h2_relieve(struct sl_h2 *h2)
{
    struct sl_list       ready;
    struct sl_list_node *next;
    struct sl_list_node *node = sl_list_first(&h2->starved);
    bool                 any;

    sl_list_init(&ready);
    for (; node != NULL; node = next) {
        struct sl_h2_stream *stream = SL_CONTAINER_OF(node, struct sl_h2_stream, starved);

        next = sl_list_next(&h2->starved, node);
        if (!is_low(stream))
            continue;
        sl_list_remove(node);
        sl_list_push_back(&ready, node);
    }
    any = !sl_list_empty(&ready);
    while ((node = sl_list_pop_front(&ready)) != NULL)
        h2->events->writable(h2->context, SL_CONTAINER_OF(node, struct sl_h2_stream, starved));
    return any;
}

size_t h2_stream_take(struct sl_h2_stream *stream, uint8_t *out, size_t room)
{
    size_t cost = stream->queue.cost;
    size_t count = h2_queue_take(&stream->queue, out, room);

    stream->h2->queue_cost -= cost - stream->queue.cost;
    return count;
}

bool h2_charge(struct sl_h2 *h2)
{
    if (h2_budget_charge(&h2->budget))
        return true;
    h2_give_up(h2, SL_TOO_LARGE, "flooded with frames of no use", NULL, 0);
    return false;
}

/* ---- the interface ---- */

enum sl_h2_preface sl_h2_is_preface(const uint8_t *bytes, size_t count)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const size_t      len = sizeof preface - 1;
    size_t            compared = count < len ? count : len;

    if (compared > 0 && memcmp(bytes, preface, compared) != 0)
        return SL_H2_PREFACE_NO;
    return compared < len ? SL_H2_PREFACE_MORE : SL_H2_PREFACE_YES;
}

void sl_h2_sent(struct sl_h2 *h2, size_t count)
{
    h2_output_sent(&h2->output, count);
}

const char *sl_h2_why_text(const struct sl_h2 *h2)
{
    return h2->why.text;
}

void sl_h2_tick(struct sl_h2 *h2, sl_nanos now)
{
    h2_budget_tick(&h2->budget, now);
}

uint32_t sl_h2_stream_count(const struct sl_h2 *h2)
{
    return h2->stream_count;
}

bool sl_h2_has_room(struct sl_h2_stream *stream)
{
    if (stream->reset || !is_full(stream))
        return true;
    if (!sl_list_linked(&stream->starved))
        sl_list_push_back(&stream->h2->starved, &stream->starved);
    return false;
}

enum sl_err sl_h2_send(struct sl_h2_stream *stream, struct sl_slice head, struct sl_buf **body)
{
    struct sl_h2 *h2 = stream->h2;
    size_t        cost = stream->queue.cost;

    SL_ASSERT(!stream->ended);
    SL_ASSERT(SL_IMPLIES(h2->role == SL_H2_SERVER, stream->headed));
    if (stream->reset) {
        sl_buf_free(body);
        return SL_OK;
    }
    if (!sl_h2_has_room(stream))
        return SL_FULL;
    h2_queue_push(&stream->queue, head, body);
    h2->queue_cost += stream->queue.cost - cost;
    h2_resume(stream);
    return SL_OK;
}

void sl_h2_end(struct sl_h2_stream *stream, const struct sl_h2_headers *trailers)
{
    SL_ASSERT(!stream->ended);
    SL_ASSERT(SL_IMPLIES(stream->h2->role == SL_H2_SERVER, stream->headed));
    stream->ended = true;
    if (trailers != NULL)
        stream->trailers = h2_headers_copy(trailers);
    h2_resume(stream);
}

void sl_h2_reset(struct sl_h2_stream *stream, enum sl_h2_code code)
{
    if (stream->reset)
        return;
    stream->reset = true;
    h2_stream_drop_queue(stream);
    if (stream->end_sent && stream->peer_ended)
        return; /* in the last of its events: it closes by itself */
    h2_submit_reset(stream->h2, stream->id, code);
}

void sl_h2_consume(struct sl_h2_stream *stream, size_t count)
{
    if (count == 0 || stream->peer_ended || stream->reset)
        return;
    stream->consumed += count;
    stream->window += count;
    SL_ASSERT(stream->consumed <= INT32_MAX);
    if (!sl_list_linked(&stream->announcing))
        sl_list_push_back(&stream->h2->announcing, &stream->announcing);
}

uint32_t sl_h2_stream_id(const struct sl_h2_stream *stream)
{
    return (uint32_t)stream->id;
}

void sl_h2_stream_set_context(struct sl_h2_stream *stream, void *context)
{
    stream->context = context;
}

void *sl_h2_stream_context(const struct sl_h2_stream *stream)
{
    return stream->context;
}

struct sl_h2_stream *sl_h2_find(struct sl_h2 *h2, uint32_t id)
{
    SL_ASSERT(h2->role == SL_H2_SERVER);
    return id <= INT32_MAX ? h2_find(h2, (int32_t)id) : NULL;
}
