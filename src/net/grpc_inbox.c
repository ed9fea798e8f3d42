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

static void advance(struct grpc_piece *piece, size_t count)
{
    piece->offset += count;
    piece->len -= count;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* True when the prefix is whole. */
static bool take_prefix(struct grpc_inbox *inbox, struct grpc_piece *piece)
{
    const uint8_t *p = inbox->prefix;
    size_t         count = least(piece->len, SL_GRPC_PREFIX_BYTES - (size_t)inbox->prefix_bytes);

    memcpy(inbox->prefix + inbox->prefix_bytes, piece->buf->data + piece->offset, count);
    inbox->prefix_bytes = (uint8_t)(inbox->prefix_bytes + count);
    advance(piece, count);
    if (inbox->prefix_bytes < SL_GRPC_PREFIX_BYTES)
        return false;
    inbox->size = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    inbox->state = GRPC_INBOX_SIZED;
    return true;
}

/* The sender cannot exceed the window, but if we had reckoned wrongly, it must not overrun us. */
static void put_by(struct grpc_inbox *inbox, struct grpc_piece *piece)
{
    if (inbox->stash == NULL)
        inbox->stash = sl_buf_new(SL_H2_WINDOW_BYTES);
    SL_ASSERT(piece->len <= SL_H2_WINDOW_BYTES - inbox->stashed);
    memcpy(inbox->stash->data + inbox->stashed, piece->buf->data + piece->offset, piece->len);
    inbox->stashed += piece->len;
    advance(piece, piece->len);
}

/* A slice costs no copy but keeps all of the input alive: not for a crumb of it. */
static bool worth_sharing(const struct grpc_inbox *inbox, const struct grpc_piece *piece)
{
    return inbox->filled == 0 && piece->len >= inbox->size &&
           inbox->size >= piece->buf->len / SL_GRPC_SLICE_SHARE;
}

/* The message when it is whole, else NULL. */
static struct sl_buf *take_body(struct grpc_inbox *inbox, struct grpc_piece *piece)
{
    size_t         count = least(piece->len, inbox->size - inbox->filled);
    struct sl_buf *message;

    if (worth_sharing(inbox, piece)) {
        message = sl_buf_slice(piece->buf, piece->offset, inbox->size);
    } else {
        if (inbox->body == NULL)
            inbox->body = sl_buf_new(inbox->size);
        if (count > 0)
            memcpy(inbox->body->data + inbox->filled, piece->buf->data + piece->offset, count);
        inbox->filled += (uint32_t)count;
        if (inbox->filled < inbox->size) {
            advance(piece, count);
            return NULL;
        }
        message = inbox->body;
    }
    advance(piece, count);
    grpc_inbox_init(inbox);
    return message;
}

bool grpc_inbox_take(struct grpc_inbox *inbox, struct grpc_piece *piece, struct sl_buf **message)
{
    *message = NULL;
    switch (inbox->state) {
    case GRPC_INBOX_PREFIX: return take_prefix(inbox, piece);
    case GRPC_INBOX_SIZED: put_by(inbox, piece); return false;
    case GRPC_INBOX_BODY: *message = take_body(inbox, piece); return false;
    }
    SL_UNREACHABLE("not a state of the inbox");
}

struct sl_buf *grpc_inbox_open(struct grpc_inbox *inbox, size_t *stashed)
{
    struct sl_buf *stash = inbox->stash;

    SL_ASSERT(inbox->state == GRPC_INBOX_SIZED);
    SL_ASSERT(inbox->size <= SL_BUF_BYTES_MAX);
    inbox->state = GRPC_INBOX_BODY;
    *stashed = inbox->stashed;
    inbox->stash = NULL;
    inbox->stashed = 0;
    return stash;
}
