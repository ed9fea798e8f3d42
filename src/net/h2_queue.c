#include "net/h2_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

struct chunk {
    struct sl_list_node node;
    struct sl_buf      *body;  /* owned */
    size_t              taken; /* of head and body together */
    uint8_t             head[SL_H2_HEAD_BYTES_MAX];
    size_t              head_bytes;
};

static struct chunk *chunk_of(struct sl_list_node *node)
{
    return SL_CONTAINER_OF(node, struct chunk, node);
}

/* What is next in the chunk: the rest of the head, then the rest of the body. */
static struct sl_slice rest_of(const struct chunk *chunk)
{
    size_t body_taken;

    if (chunk->taken < chunk->head_bytes)
        return (struct sl_slice){chunk->head + chunk->taken, chunk->head_bytes - chunk->taken};
    body_taken = chunk->taken - chunk->head_bytes;
    return (struct sl_slice){chunk->body->data + body_taken, chunk->body->len - body_taken};
}

static void drop_first(struct h2_queue *queue)
{
    struct chunk *chunk = chunk_of(sl_list_pop_front(&queue->chunks));
    size_t        left = chunk->head_bytes + chunk->body->len - chunk->taken;

    SL_ASSERT(queue->cost >= left + SL_H2_CHUNK_COST_BYTES);
    queue->cost -= left + SL_H2_CHUNK_COST_BYTES;
    sl_buf_free(&chunk->body);
    free(chunk);
}

void h2_queue_init(struct h2_queue *queue)
{
    sl_list_init(&queue->chunks);
    queue->cost = 0;
}

void h2_queue_clear(struct h2_queue *queue)
{
    while (!sl_list_empty(&queue->chunks))
        drop_first(queue);
    SL_ASSERT(queue->cost == 0);
}

bool h2_queue_empty(const struct h2_queue *queue)
{
    return sl_list_empty(&queue->chunks);
}

void h2_queue_push(struct h2_queue *queue, struct sl_slice head, struct sl_buf **body)
{
    struct chunk *chunk = calloc(1, sizeof *chunk);

    SL_ASSERT(chunk != NULL);
    SL_ASSERT(head.len <= sizeof chunk->head);
    if (head.len > 0)
        memcpy(chunk->head, head.bytes, head.len);
    chunk->head_bytes = head.len;
    chunk->body = *body;
    *body = NULL;
    queue->cost += head.len + chunk->body->len + SL_H2_CHUNK_COST_BYTES;
    sl_list_push_back(&queue->chunks, &chunk->node);
}

size_t h2_queue_take(struct h2_queue *queue, uint8_t *out, size_t room)
{
    size_t done = 0;

    while (!sl_list_empty(&queue->chunks)) {
        struct chunk   *chunk = chunk_of(sl_list_first(&queue->chunks));
        struct sl_slice rest = rest_of(chunk);
        size_t          count = rest.len < room - done ? rest.len : room - done;

        memcpy(out + done, rest.bytes, count);
        done += count;
        chunk->taken += count;
        queue->cost -= count;
        if (chunk->taken == chunk->head_bytes + chunk->body->len)
            drop_first(queue);
        else if (done == room)
            break;
    }
    return done;
}
