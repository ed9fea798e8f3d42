#include "lib/layer.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* A record: its kind, the length of its payload (2 bytes, high one first), the payload. */
enum kind { GREETING, DATA, QUESTION, ANSWER };

enum {
    HEAD_BYTES = 3,
    PAYLOAD_BYTES_MAX = 4000,
    RECORD_BYTES_MAX = HEAD_BYTES + PAYLOAD_BYTES_MAX,
    OUT_BYTES_MAX = RECORD_BYTES_MAX + 8 * HEAD_BYTES,
    MASK = 0x5a,
    QUESTION_ONE_IN = 10,
};

struct layer {
    struct sl_socket  base;
    struct layer_net *net;
    struct sl_socket *below; /* owned */
    bool              listens;
    bool              greeted;  /* the other end has */
    bool              asked;    /* and there is no answer yet */
    bool              owes;     /* an answer */
    bool              shut;     /* our side: no more answers */
    bool              ended;    /* the other side: none will come */
    size_t            promised; /* bytes of the owner in `out` */
    uint8_t           promise[PAYLOAD_BYTES_MAX];
    uint8_t           out[OUT_BYTES_MAX];
    size_t            out_at, out_end;
    uint8_t           in[RECORD_BYTES_MAX];
    size_t            in_end;
    uint8_t          *plain; /* owned; decoded, not read yet */
    size_t            plain_at, plain_end;
};

static const struct sl_socket_ops layer_ops;

static struct layer *layer_of(struct sl_socket *s)
{
    return (struct layer *)s;
}

static bool chance(struct layer *l, unsigned one_in)
{
    return sl_prng_chance(&l->net->dice, 1, one_in);
}

/* ---- records out ---- */

static void put_record(struct layer *l, enum kind kind, const uint8_t *bytes, size_t count)
{
    uint8_t *at;

    if (l->out_at == l->out_end)
        l->out_at = l->out_end = 0;
    SL_ASSERT(l->out_end + HEAD_BYTES + count <= OUT_BYTES_MAX);
    at = l->out + l->out_end;
    *at++ = (uint8_t)kind;
    *at++ = (uint8_t)(count >> 8);
    *at++ = (uint8_t)count;
    for (size_t i = 0; i < count; i++)
        *at++ = bytes[i] ^ MASK;
    l->out_end += HEAD_BYTES + count;
}

static enum sl_err flush(struct layer *l, struct sl_why *why)
{
    while (l->out_at < l->out_end) {
        size_t      put;
        enum sl_err err =
            sl_socket_write(l->below, l->out + l->out_at, l->out_end - l->out_at, &put, why);

        if (err != SL_OK)
            return err;
        l->out_at += put;
    }
    l->owes = false;
    return SL_OK;
}

/* ---- records in ---- */

static void take_record(struct layer *l, size_t count)
{
    switch ((enum kind)l->in[0]) {
    case GREETING: l->greeted = true; break;
    case DATA:
        l->plain = realloc(l->plain, l->plain_end + count);
        SL_ASSERT(l->plain != NULL);
        for (size_t i = 0; i < count; i++)
            l->plain[l->plain_end + i] = l->in[HEAD_BYTES + i] ^ MASK;
        l->plain_end += count;
        break;
    case QUESTION:
        if (l->shut)
            break;
        put_record(l, ANSWER, NULL, 0);
        l->owes = true;
        break;
    case ANSWER: l->asked = false; break;
    }
}

/* One record, or the end: the other end sends no more, and owes no answer. */
static enum sl_err pull(struct layer *l, struct sl_why *why)
{
    for (;;) {
        size_t      payload = l->in_end < HEAD_BYTES ? 0 : (size_t)l->in[1] << 8 | l->in[2];
        size_t      wanted = HEAD_BYTES + payload;
        size_t      got;
        enum sl_err err;

        if (l->in_end == wanted) {
            l->in_end = 0;
            take_record(l, payload);
            return SL_OK;
        }
        SL_ASSERT(payload <= PAYLOAD_BYTES_MAX);
        err = sl_socket_read(l->below, l->in + l->in_end, wanted - l->in_end, &got, why);
        if (err != SL_OK)
            return err;
        if (got == 0) {
            l->ended = true;
            l->asked = false;
            return SL_OK;
        }
        l->in_end += got;
    }
}

/* ---- reading and writing ---- */

static enum sl_err give_plain(struct layer *l, void *bytes, size_t count, size_t *got)
{
    size_t left = l->plain_end - l->plain_at;

    *got = left < count ? left : count;
    if (!chance(l, 3))
        *got = (size_t)sl_prng_range(&l->net->dice, 1, *got);
    memcpy(bytes, l->plain + l->plain_at, *got);
    l->plain_at += *got;
    if (l->plain_at == l->plain_end)
        l->plain_at = l->plain_end = 0;
    else
        l->net->held++;
    return SL_OK;
}

static enum sl_err layer_read(struct sl_socket *s, void *bytes, size_t count, size_t *got,
                              struct sl_why *why)
{
    struct layer *l = layer_of(s);
    enum sl_err   err;

    for (;;) {
        if (l->plain_end > 0)
            return give_plain(l, bytes, count, got);
        if (l->ended) {
            *got = 0;
            return SL_OK;
        }
        if (l->owes && (err = chance(l, 3) ? SL_AGAIN : flush(l, why)) != SL_OK) {
            l->net->read_waited_for_write += err == SL_AGAIN;
            return err;
        }
        if ((err = pull(l, why)) != SL_OK)
            return err;
    }
}

/* Until a write is possible again: the greeting and the answer come before. */
static enum sl_err await_other_end(struct layer *l, struct sl_why *why)
{
    while (!l->greeted || l->asked) {
        enum sl_err err = pull(l, why);

        if (err == SL_OK && l->ended && !l->greeted)
            err = sl_fail(why, SL_RESET, "the other end is gone");
        l->net->write_waited_for_read += err == SL_AGAIN;
        if (err != SL_OK)
            return err;
    }
    return SL_OK;
}

static enum sl_err layer_write(struct sl_socket *s, const void *bytes, size_t count, size_t *put,
                               struct sl_why *why)
{
    struct layer *l = layer_of(s);
    enum sl_err   err;

    if (l->promised == 0) {
        if ((err = flush(l, why)) != SL_OK || (err = await_other_end(l, why)) != SL_OK ||
            (err = flush(l, why)) != SL_OK)
            return err;
        l->promised = count < PAYLOAD_BYTES_MAX ? count : PAYLOAD_BYTES_MAX;
        if (chance(l, 3))
            l->promised = (size_t)sl_prng_range(&l->net->dice, 1, l->promised);
        memcpy(l->promise, bytes, l->promised);
        put_record(l, DATA, bytes, l->promised);
        if (!l->ended && chance(l, QUESTION_ONE_IN)) {
            put_record(l, QUESTION, NULL, 0);
            l->asked = true;
        }
    }
    SL_ASSERT(count >= l->promised && memcmp(bytes, l->promise, l->promised) == 0);
    if ((err = flush(l, why)) != SL_OK)
        return err;
    *put = l->promised;
    l->promised = 0;
    return SL_OK;
}

static unsigned layer_wants(struct sl_socket *s, unsigned events)
{
    struct layer *l = layer_of(s);
    unsigned      wants = 0;

    if (l->listens)
        return events;
    if ((events & SL_SOCKET_READABLE) != 0)
        wants |= l->owes ? SL_SOCKET_WRITABLE : SL_SOCKET_READABLE;
    if ((events & SL_SOCKET_READABLE) != 0 && (l->plain_end > 0 || l->ended))
        wants |= SL_SOCKET_HELD;
    if ((events & SL_SOCKET_WRITABLE) != 0)
        wants |= l->out_at == l->out_end && (!l->greeted || l->asked) ? SL_SOCKET_READABLE
                                                                      : SL_SOCKET_WRITABLE;
    return wants;
}

/* ---- the rest goes through ---- */

static struct sl_socket *wrap(struct layer_net *net, struct sl_socket *below, bool listens)
{
    struct layer *l = calloc(1, sizeof *l);

    SL_ASSERT(l != NULL);
    l->base.ops = &layer_ops;
    l->net = net;
    l->below = below;
    l->listens = listens;
    put_record(l, GREETING, NULL, 0);
    l->owes = true;
    return &l->base;
}

static enum sl_err layer_accept(struct sl_socket *s, struct sl_socket **out, struct sl_why *why)
{
    struct sl_socket *below;
    enum sl_err       err = sl_socket_accept(layer_of(s)->below, &below, why);

    if (err == SL_OK)
        *out = wrap(layer_of(s)->net, below, false);
    return err;
}

static enum sl_err layer_connected(struct sl_socket *s, struct sl_why *why)
{
    return sl_socket_connected(layer_of(s)->below, why);
}

static enum sl_err layer_shut(struct sl_socket *s, struct sl_why *why)
{
    struct layer *l = layer_of(s);
    enum sl_err   err = flush(l, why);

    l->shut = true;
    return err == SL_OK || err == SL_AGAIN ? sl_socket_shut(l->below, why) : err;
}

static void layer_local(struct sl_socket *s, char *out)
{
    sl_socket_local(layer_of(s)->below, out);
}

static void layer_peer(struct sl_socket *s, char *out)
{
    sl_socket_peer(layer_of(s)->below, out);
}

static int layer_fd(struct sl_socket *s)
{
    return sl_socket_fd(layer_of(s)->below);
}

static unsigned layer_ready(struct sl_socket *s)
{
    return sl_socket_ready(layer_of(s)->below);
}

static void layer_close(struct sl_socket *s)
{
    struct layer *l = layer_of(s);

    sl_socket_close(&l->below);
    free(l->plain);
    free(l);
}

static const struct sl_socket_ops layer_ops = {
    .accept = layer_accept,
    .connected = layer_connected,
    .read = layer_read,
    .write = layer_write,
    .shut = layer_shut,
    .local = layer_local,
    .peer = layer_peer,
    .fd = layer_fd,
    .ready = layer_ready,
    .wants = layer_wants,
    .close = layer_close,
};

/* ---- the network ---- */

static enum sl_err layer_listen(struct sl_net *net, const char *address, struct sl_socket **out,
                                struct sl_why *why)
{
    struct layer_net *n = (struct layer_net *)net;
    struct sl_socket *below;
    enum sl_err       err = sl_net_listen(n->below, address, &below, why);

    if (err == SL_OK)
        *out = wrap(n, below, true);
    return err;
}

static enum sl_err layer_connect(struct sl_net *net, const char *address, struct sl_socket **out,
                                 struct sl_why *why)
{
    struct layer_net *n = (struct layer_net *)net;
    struct sl_socket *below;
    enum sl_err       err = sl_net_connect(n->below, address, &below, why);

    if (err == SL_OK)
        *out = wrap(n, below, false);
    return err;
}

static void layer_wait(struct sl_net *net, struct sl_socket_wait *waits, uint32_t count,
                       sl_nanos until)
{
    struct sl_socket_wait below[SL_NET_WAIT_MAX];
    bool                  held = false;

    for (uint32_t i = 0; i < count; i++) {
        unsigned wants = layer_wants(waits[i].socket, waits[i].events);

        held = held || (wants & SL_SOCKET_HELD) != 0;
        below[i] = (struct sl_socket_wait){.socket = layer_of(waits[i].socket)->below,
                                           .events = wants & ~(unsigned)SL_SOCKET_HELD};
    }
    sl_net_wait(((struct layer_net *)net)->below, below, count, held ? 0 : until);
    for (uint32_t i = 0; i < count; i++)
        waits[i].ready = waits[i].events; /* maybe: whoever waits looks */
}

static const struct sl_net_ops net_ops = {
    .listen = layer_listen,
    .connect = layer_connect,
    .wait = layer_wait,
};

void layer_init(struct layer_net *net, struct sl_net *below, uint64_t seed)
{
    *net = (struct layer_net){.base.ops = &net_ops, .below = below};
    sl_prng_seed(&net->dice, seed);
}

struct sl_socket *layer_below(struct sl_socket *s)
{
    return s->ops == &layer_ops ? layer_of(s)->below : s;
}
