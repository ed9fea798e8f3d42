#include "lib/env_sim_inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Without bytes: the end of the stream. */
struct sim_chunk {
    struct sim_chunk *next;
    sl_nanos          arrives;
    size_t            bytes;
    size_t            taken; /* read so far; less than bytes */
    uint8_t           data[];
};

void sim_inbox_init(struct sim_inbox *inbox)
{
    *inbox = (struct sim_inbox){.tail = &inbox->head};
}

static void drop_head(struct sim_inbox *inbox)
{
    struct sim_chunk *c = inbox->head;

    inbox->head = c->next;
    if (inbox->head == NULL)
        inbox->tail = &inbox->head;
    free(c);
}

void sim_inbox_clear(struct sim_inbox *inbox)
{
    while (inbox->head != NULL)
        drop_head(inbox);
    inbox->bytes = 0;
}

void sim_inbox_put(struct sim_inbox *inbox, sl_nanos arrives, const void *bytes, size_t count)
{
    struct sim_chunk *c = calloc(1, sizeof *c + count);

    SL_ASSERT(c != NULL);
    c->arrives = arrives;
    c->bytes = count;
    if (count > 0)
        memcpy(c->data, bytes, count);
    inbox->bytes += count;
    *inbox->tail = c;
    inbox->tail = &c->next;
}

bool sim_inbox_has_arrived(const struct sim_inbox *inbox, sl_nanos now)
{
    return inbox->head != NULL && inbox->head->arrives <= now;
}

size_t sim_inbox_take(struct sim_inbox *inbox, sl_nanos now, uint8_t *out, size_t count)
{
    size_t done = 0;

    while (done < count && sim_inbox_has_arrived(inbox, now) && inbox->head->bytes > 0) {
        struct sim_chunk *c = inbox->head;
        size_t            n = c->bytes - c->taken;

        n = n < count - done ? n : count - done;
        memcpy(out + done, c->data + c->taken, n);
        c->taken += n;
        done += n;
        if (c->taken == c->bytes)
            drop_head(inbox);
    }
    SL_ASSERT(inbox->bytes >= done);
    inbox->bytes -= done;
    return done;
}

sl_nanos sim_inbox_next(const struct sim_inbox *inbox, sl_nanos now)
{
    const struct sim_chunk *c = inbox->head;

    while (c != NULL && c->arrives <= now)
        c = c->next;
    return c != NULL ? c->arrives : UINT64_MAX;
}
