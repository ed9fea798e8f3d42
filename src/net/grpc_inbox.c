#include "net/grpc_inbox.h"

#include <string.h>

#include "base/assert.h"

void grpc_inbox_init(struct grpc_inbox *inbox)
{
    *inbox = (struct grpc_inbox){0};
}

void grpc_inbox_done(struct grpc_inbox *inbox)
{
    sl_buf_free(&inbox->body);
    sl_buf_free(&inbox->stash);
}

bool grpc_inbox_idle(const struct grpc_inbox *inbox)
{
    return inbox->state == GRPC_INBOX_PREFIX && inbox->prefix_bytes == 0;
}

static void advance(struct grpc_input *input, size_t count)
{
    input->offset += count;
    input->len -= count;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* True when the prefix is whole. */
static bool take_prefix(struct grpc_inbox *inbox, struct grpc_input *input)
{
    const uint8_t *p = inbox->prefix;
    size_t         count = least(input->len, SL_GRPC_PREFIX_BYTES - (size_t)inbox->prefix_bytes);

    memcpy(inbox->prefix + inbox->prefix_bytes, input->buf->data + input->offset, count);
    inbox->prefix_bytes = (uint8_t)(inbox->prefix_bytes + count);
    advance(input, count);
    if (inbox->prefix_bytes < SL_GRPC_PREFIX_BYTES)
        return false;
    inbox->size = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    inbox->state = GRPC_INBOX_SIZED;
    return true;
}

/* The sender cannot exceed the window, but if we had reckoned wrongly, it must not overrun us. */
static void put_by(struct grpc_inbox *inbox, struct grpc_input *input)
{
    if (inbox->stash == NULL)
        inbox->stash = sl_buf_new(SL_H2_WINDOW_BYTES);
    SL_ASSERT(input->len <= SL_H2_WINDOW_BYTES - inbox->stashed);
    memcpy(inbox->stash->data + inbox->stashed, input->buf->data + input->offset, input->len);
    inbox->stashed += input->len;
    advance(input, input->len);
}

/* A slice costs no copy but keeps all of the input alive: not for a crumb of it. */
static bool worth_sharing(const struct grpc_inbox *inbox, const struct grpc_input *input,
                          size_t part_bytes)
{
    return inbox->filled == 0 && input->len >= part_bytes &&
           part_bytes >= input->buf->len / SL_GRPC_SLICE_SHARE;
}

/* The bytes of the present part when they are all there, else NULL. */
static struct sl_buf *take_bytes(struct grpc_inbox *inbox, struct grpc_input *input,
                                 size_t part_bytes)
{
    size_t         count = least(input->len, part_bytes - inbox->filled);
    struct sl_buf *body;

    if (worth_sharing(inbox, input, part_bytes)) {
        body = sl_buf_slice(input->buf, input->offset, part_bytes);
        advance(input, part_bytes);
        return body;
    }
    if (inbox->body == NULL)
        inbox->body = sl_buf_new(part_bytes);
    if (count > 0)
        memcpy(inbox->body->data + inbox->filled, input->buf->data + input->offset, count);
    advance(input, count);
    inbox->filled += (uint32_t)count;
    if (inbox->filled < part_bytes)
        return NULL;
    body = inbox->body;
    inbox->body = NULL;
    inbox->filled = 0;
    return body;
}

static void take_body(struct grpc_inbox *inbox, struct grpc_input *input, struct grpc_part *part)
{
    size_t part_bytes = least(inbox->part_max, inbox->size - inbox->start);

    part->buf = take_bytes(inbox, input, part_bytes);
    if (part->buf == NULL)
        return;
    part->offset = inbox->start;
    part->total = inbox->size;
    inbox->start += (uint32_t)part_bytes;
    if (inbox->start == inbox->size)
        grpc_inbox_init(inbox);
}

bool grpc_inbox_take(struct grpc_inbox *inbox, struct grpc_input *input, struct grpc_part *part)
{
    *part = (struct grpc_part){0};
    switch (inbox->state) {
    case GRPC_INBOX_PREFIX: return take_prefix(inbox, input);
    case GRPC_INBOX_SIZED: put_by(inbox, input); return false;
    case GRPC_INBOX_BODY: take_body(inbox, input, part); return false;
    }
    SL_UNREACHABLE("not a state of the inbox");
}

struct sl_buf *grpc_inbox_open(struct grpc_inbox *inbox, uint32_t part_max, size_t *stashed)
{
    struct sl_buf *stash = inbox->stash;

    SL_ASSERT(inbox->state == GRPC_INBOX_SIZED);
    SL_ASSERT(part_max > 0 && part_max <= SL_BUF_BYTES_MAX);
    inbox->state = GRPC_INBOX_BODY;
    inbox->part_max = part_max;
    *stashed = inbox->stashed;
    inbox->stash = NULL;
    inbox->stashed = 0;
    return stash;
}
