#include "lib/env_sim_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const struct sl_socket_ops socket_ops;

static struct sim_socket *stream_of(struct sl_socket *base)
{
    struct sim_socket *s = (struct sim_socket *)base;

    SL_ASSERT(s->kind == SIM_SOCKET_STREAM && !s->closed);
    return s;
}

sl_nanos sim_socket_delayed(struct sl_env_sim *sim)
{
    struct sim_net *net = &sim->net;

    return sim->now + sl_prng_range(&net->dice, net->set.delay_min, net->set.delay_max);
}

static void send_chunk(struct sim_socket *to, const void *bytes, size_t count)
{
    sim_inbox_put(&to->inbox, sim_socket_delayed(to->sim), bytes, count);
}

static bool has_arrived(const struct sim_socket *s)
{
    return sim_inbox_has_arrived(&s->inbox, s->sim->now);
}

/* ---- sockets ---- */

struct sim_socket *sim_socket_new(struct sl_env_sim *sim, enum sim_socket_kind kind)
{
    struct sim_socket *s = calloc(1, sizeof *s);

    SL_ASSERT(s != NULL && sim->net.set.buffer_bytes > 0);
    s->base.ops = &socket_ops;
    s->sim = sim;
    s->kind = kind;
    s->broken = UINT64_MAX;
    s->buffer_bytes = sim->net.set.buffer_bytes;
    sim_inbox_init(&s->inbox);
    *sim->net.sockets_end = s;
    sim->net.sockets_end = &s->next;
    return s;
}

static void socket_free(struct sim_socket *s)
{
    struct sim_net     *net = &s->sim->net;
    struct sim_socket **place = &net->sockets;

    while (*place != s)
        place = &(*place)->next;
    *place = s->next;
    if (net->sockets_end == &s->next)
        net->sockets_end = place;
    if (s->peer != NULL)
        s->peer->peer = NULL;
    sim_inbox_clear(&s->inbox);
    free(s);
}

bool sim_socket_is_broken(const struct sim_socket *s)
{
    return s->broken <= s->sim->now;
}

static void break_at(struct sim_socket *s, sl_nanos when)
{
    if (s != NULL && when < s->broken)
        s->broken = when;
}

void sim_socket_break(struct sim_socket *s)
{
    break_at(s, s->sim->now);
    break_at(s->peer, s->sim->now);
}

static enum sl_err lost(const struct sim_socket *s, const char *verb, struct sl_why *why)
{
    return sl_fail(why, SL_RESET, "%s %s: Connection reset by peer (simulated)", verb, s->remote);
}

/* ---- accept, connected ---- */

static struct sim_socket *first_visible(const struct sim_socket *listener)
{
    struct sim_socket *best = NULL;

    for (struct sim_socket *s = listener->sim->net.sockets; s != NULL; s = s->next) {
        if (s->unaccepted && s->listener == listener && s->decided <= s->sim->now &&
            (best == NULL || s->decided < best->decided))
            best = s;
    }
    return best;
}

static enum sl_err socket_accept(struct sl_socket *base, struct sl_socket **out, struct sl_why *why)
{
    struct sim_socket *listener = (struct sim_socket *)base;
    struct sim_socket *s;

    (void)why;
    SL_ASSERT(listener->kind == SIM_SOCKET_LISTENER);
    s = first_visible(listener);
    if (s == NULL)
        return SL_AGAIN;
    s->unaccepted = false;
    s->listener = NULL;
    s->sim->net.open_sockets++;
    *out = &s->base;
    return SL_OK;
}

static enum sl_err socket_connected(struct sl_socket *base, struct sl_why *why)
{
    struct sim_socket *s = stream_of(base);

    if (sim_socket_is_broken(s))
        return lost(s, "connect to", why);
    if (s->decided > s->sim->now)
        return SL_AGAIN;
    if (s->refused)
        return sl_fail(why, SL_UNAVAILABLE, "connect to %s: Connection refused", s->remote);
    return SL_OK;
}

/* ---- bytes ---- */

/* SL_OK: it is connected and whole. */
static enum sl_err check_open(struct sim_socket *s, const char *verb, struct sl_why *why)
{
    if (sim_socket_is_broken(s) || (s->refused && s->decided <= s->sim->now))
        return lost(s, verb, why);
    return s->decided > s->sim->now ? SL_AGAIN : SL_OK;
}

/* Of what could be moved, some: all of it mostly, less by chance, 1 at least. */
static size_t moved(struct sl_env_sim *sim, size_t count)
{
    if (count < 2 || !sl_prng_chance(&sim->net.dice, sim->net.set.short_ppm, SL_ENV_SIM_ALWAYS_PPM))
        return count;
    return (size_t)sl_prng_range(&sim->net.dice, 1, count - 1);
}

static enum sl_err socket_read(struct sl_socket *base, void *bytes, size_t count, size_t *got,
                               struct sl_why *why)
{
    struct sim_socket *s = stream_of(base);
    enum sl_err        err;

    if ((err = check_open(s, "read from", why)) != SL_OK)
        return err;
    if (!has_arrived(s))
        return SL_AGAIN;
    *got = sim_inbox_take(&s->inbox, s->sim->now, bytes, moved(s->sim, count));
    return SL_OK;
}

static size_t room_of(const struct sim_socket *s)
{
    if (s->peer == NULL || s->peer->closed)
        return s->buffer_bytes; /* it goes nowhere, but that is not known here yet */
    return s->buffer_bytes - s->peer->inbox.bytes;
}

static enum sl_err socket_write(struct sl_socket *base, const void *bytes, size_t count,
                                size_t *put, struct sl_why *why)
{
    struct sim_socket *s = stream_of(base);
    size_t             room = room_of(s);
    enum sl_err        err;

    if ((err = check_open(s, "write to", why)) != SL_OK)
        return err;
    if (s->shut)
        return sl_fail(why, SL_RESET, "write to %s: Broken pipe", s->remote);
    if (sl_prng_chance(&s->sim->net.dice, s->sim->net.set.reset_ppm, SL_ENV_SIM_ALWAYS_PPM)) {
        sim_socket_break(s);
        return lost(s, "write to", why);
    }
    if (room == 0)
        return SL_AGAIN;
    *put = moved(s->sim, count < room ? count : room);
    if (s->peer == NULL || s->peer->closed)
        break_at(s, sim_socket_delayed(s->sim)); /* the answer to bytes for nobody */
    else
        send_chunk(s->peer, bytes, *put);
    return SL_OK;
}

static void send_end(struct sim_socket *s)
{
    if (s->peer != NULL && !s->peer->closed && !s->shut)
        send_chunk(s->peer, NULL, 0);
    s->shut = true;
}

static enum sl_err socket_shut(struct sl_socket *base, struct sl_why *why)
{
    struct sim_socket *s = stream_of(base);
    enum sl_err        err;

    if ((err = check_open(s, "end writing to", why)) != SL_OK)
        return err == SL_AGAIN ? lost(s, "end writing to", why) : err;
    send_end(s);
    return SL_OK;
}

/* ---- names, readiness, end ---- */

static void socket_local(struct sl_socket *base, char *out)
{
    (void)snprintf(out, SL_ADDR_BYTES_MAX, "%s", ((struct sim_socket *)base)->local);
}

static void socket_peer(struct sl_socket *base, char *out)
{
    (void)snprintf(out, SL_ADDR_BYTES_MAX, "%s", stream_of(base)->remote);
}

static int socket_fd(struct sl_socket *base)
{
    (void)base;
    return -1;
}

static unsigned socket_ready(struct sl_socket *base)
{
    struct sim_socket *s = (struct sim_socket *)base;
    enum sl_err        err;
    unsigned           events = 0;

    if (s->kind == SIM_SOCKET_LISTENER)
        return first_visible(s) != NULL ? SL_SOCKET_READABLE : 0;
    err = check_open(s, "ask", NULL);
    if (err != SL_OK)
        return err == SL_AGAIN ? 0 : SL_SOCKET_READABLE | SL_SOCKET_WRITABLE;
    events |= has_arrived(s) ? SL_SOCKET_READABLE : 0;
    events |= s->shut || room_of(s) > 0 ? SL_SOCKET_WRITABLE : 0;
    return events;
}

/* Tell the peer: an orderly end, or a reset when bytes are thrown away unread. */
static void leave(struct sim_socket *s)
{
    if (s->inbox.bytes > 0)
        break_at(s->peer, sim_socket_delayed(s->sim));
    else if (!sim_socket_is_broken(s))
        send_end(s);
    s->closed = true;
    sim_inbox_clear(&s->inbox);
    if (s->peer == NULL || s->peer->closed) {
        if (s->peer != NULL)
            socket_free(s->peer);
        socket_free(s);
    }
}

/* Connections that nobody has accepted end with their listener; their other ends hear a reset. */
static void close_listener(struct sim_socket *listener)
{
    struct sim_socket *s = listener->sim->net.sockets;

    while (s != NULL) {
        if (s->unaccepted && s->listener == listener) {
            break_at(s->peer, sim_socket_delayed(s->sim));
            s->unaccepted = false;
            leave(s);
            s = listener->sim->net.sockets; /* leaving may have freed any of them */
        } else {
            s = s->next;
        }
    }
    socket_free(listener);
}

static void socket_close(struct sl_socket *base)
{
    struct sim_socket *s = (struct sim_socket *)base;

    SL_ASSERT(!s->closed && s->sim->net.open_sockets > 0);
    s->sim->net.open_sockets--;
    if (s->kind == SIM_SOCKET_LISTENER)
        close_listener(s);
    else
        leave(s);
}

static const struct sl_socket_ops socket_ops = {
    .accept = socket_accept,
    .connected = socket_connected,
    .read = socket_read,
    .write = socket_write,
    .shut = socket_shut,
    .local = socket_local,
    .peer = socket_peer,
    .fd = socket_fd,
    .ready = socket_ready,
    .close = socket_close,
};
