#ifndef SL_NET_H2_QUEUE_H
#define SL_NET_H2_QUEUE_H

/* What waits to be sent on one stream: buffers in order, each with a few bytes in front. Copied
 * once, into the frame that carries them. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/list.h"

struct h2_queue {
    struct sl_list chunks;
    size_t         cost; /* bytes not yet taken, and SL_H2_CHUNK_COST_BYTES per buffer */
};

void h2_queue_init(struct h2_queue *queue);
/* Drop all that is queued. The queue is as new. */
void h2_queue_clear(struct h2_queue *queue);

bool h2_queue_empty(const struct h2_queue *queue);

/* Add head (copied, at most SL_H2_HEAD_BYTES_MAX bytes) and *body, whose reference is taken. */
void h2_queue_push(struct h2_queue *queue, struct sl_slice head, struct sl_buf **body);

/* Move up to `room` bytes from the front to out. Returns how many: less than room only when the
 * queue is empty then. */
size_t h2_queue_take(struct h2_queue *queue, uint8_t *out, size_t room);

#endif
