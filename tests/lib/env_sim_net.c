#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "lib/env_sim_inbox.h"
#include "lib/env_sim_parts.h"

/* A connection is two sockets that know each other, each with an inbox. Nothing happens in the
 * background: a chunk, a decision or a reset carries the time from which it counts, and every call
 * compares that with now. */

enum { BACKLOG = 128, FIRST_FREE_PORT = 40000, PORT_MAX = 65535 };

#define NEVER UINT64_MAX

enum kind { KIND_LISTENER, KIND_STREAM };

/* Lives until it and the other end are closed; a listener until it is closed. */
struct sim_socket {
    struct sl_socket   base;
    struct sl_env_sim *sim;
    struct sim_socket *next;
    enum kind          kind;
    bool               closed;     /* by its owner; kept only for the sake of the peer */
    bool               unaccepted; /* no one owns it yet; it waits in `listener` */
    bool               shut;       /* sends no more */
    bool               refused;    /* nobody listened; known from `decided` on */
    sl_nanos           decided;  /* connected or refused; of an unaccepted one: visible to accept */
    sl_nanos           broken;   /* reset from then on; NEVER */
    struct sim_socket *peer;     /* borrowed: both are freed together; NULL: refused */
    struct sim_socket *listener; /* borrowed; while unaccepted */
    size_t             buffer_bytes;
    struct sim_inbox   inbox;
    char               local[SL_ADDR_BYTES_MAX];
    char               remote[SL_ADDR_BYTES_MAX];
};

static const struct sl_socket_ops socket_ops;

static struct sl_env_sim *sim_of(struct sl_net *net)
{
    return (struct sl_env_sim *)((char *)net - offsetof(struct sl_env_sim, net_door));
}

static struct sim_socket *stream_of(struct sl_socket *base)
{
    struct sim_socket *s = (struct sim_socket *)base;

    SL_ASSERT(s->kind == KIND_STREAM && !s->closed);
    return s;
}

static sl_nanos delayed(struct sl_env_sim *sim)
{
    struct sim_net *net = &sim->net;

    return sim->now + sim_draw_between(&net->dice, net->set.delay_min, net->set.delay_max);
}

static void send_chunk(struct sim_socket *to, const void *bytes, size_t count)
{
    sim_inbox_put(&to->inbox, delayed(to->sim), bytes, count);
}

static bool has_arrived(const struct sim_socket *s)
{
    return sim_inbox_has_arrived(&s->inbox, s->sim->now);
}

/* ---- sockets ---- */

static struct sim_socket *socket_new(struct sl_env_sim *sim, enum kind kind)
{
    struct sim_socket *s = calloc(1, sizeof *s);

    SL_ASSERT(s != NULL && sim->net.set.buffer_bytes > 0);
    s->base.ops = &socket_ops;
    s->sim = sim;
    s->kind = kind;
    s->broken = NEVER;
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

static bool is_broken(const struct sim_socket *s)
{
    return s->broken <= s->sim->now;
}

static void break_at(struct sim_socket *s, sl_nanos when)
{
    if (s != NULL && when < s->broken)
        s->broken = when;
}

static void break_both(struct sim_socket *s)
{
    break_at(s, s->sim->now);
    break_at(s->peer, s->sim->now);
}

static enum sl_err lost(const struct sim_socket *s, const char *verb, struct sl_why *why)
{
    return sl_fail(why, SL_RESET, "%s %s: Connection reset by peer (simulated)", verb, s->remote);
}

/* ---- listen, connect, accept ---- */

/* NULL: not an address. */
static const char *port_of(const char *address)
{
    const char *colon = strrchr(address, ':');

    return colon != NULL && colon[1] != '\0' ? colon + 1 : NULL;
}

static bool is_unix(const char *address)
{
    return strncmp(address, "unix:", 5) == 0;
}

/* An address without a host, or with the one that means all, serves its port on every host. */
static bool serves(const struct sim_socket *s, const char *address)
{
    const char *port = port_of(s->local);

    if (s->kind != KIND_LISTENER)
        return false;
    if (strcmp(s->local, address) == 0)
        return true;
    return !is_unix(address) && (s->local[0] == ':' || strncmp(s->local, "0.0.0.0:", 8) == 0) &&
           strcmp(port, port_of(address)) == 0;
}

static struct sim_socket *find_listener(struct sl_env_sim *sim, const char *address)
{
    for (struct sim_socket *s = sim->net.sockets; s != NULL; s = s->next) {
        if (serves(s, address))
            return s;
    }
    return NULL;
}

static enum sl_err check_address(const char *address, const char *verb, struct sl_why *why)
{
    if (port_of(address) == NULL || strlen(address) >= SL_ADDR_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "%s %s: want host:port or unix:/path", verb, address);
    return SL_OK;
}

static void give_port(struct sl_env_sim *sim, char *out, size_t size, const char *host,
                      size_t host_bytes)
{
    SL_ASSERT(sim->net.last_port < PORT_MAX);
    (void)snprintf(out, size, "%.*s:%u", (int)host_bytes, host, ++sim->net.last_port);
}

static enum sl_err net_listen(struct sl_net *net, const char *address, struct sl_socket **out,
                              struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(net);
    const char        *port;
    struct sim_socket *s;
    enum sl_err        err;

    if ((err = check_address(address, "listen on", why)) != SL_OK)
        return err;
    if (find_listener(sim, address) != NULL)
        return sl_fail(why, SL_IN_USE,
                       "listen on %s: Address already in use; stop the other process or choose "
                       "another address",
                       address);
    s = socket_new(sim, KIND_LISTENER);
    port = port_of(address);
    if (!is_unix(address) && strcmp(port, "0") == 0)
        give_port(sim, s->local, sizeof s->local, address, (size_t)(port - 1 - address));
    else
        (void)snprintf(s->local, sizeof s->local, "%s", address);
    sim->net.open_sockets++;
    *out = &s->base;
    return SL_OK;
}

static unsigned waiting_at(const struct sim_socket *listener)
{
    unsigned count = 0;

    for (struct sim_socket *s = listener->sim->net.sockets; s != NULL; s = s->next)
        count += s->unaccepted && s->listener == listener ? 1 : 0;
    return count;
}

/* Whether somebody listens is looked up now; both ends learn it later, each in its time. */
static enum sl_err net_connect(struct sl_net *net, const char *address, struct sl_socket **out,
                               struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(net);
    struct sim_socket *listener;
    struct sim_socket *near;
    struct sim_socket *far;
    enum sl_err        err;

    if ((err = check_address(address, "connect to", why)) != SL_OK)
        return err;
    listener = find_listener(sim, address);
    near = socket_new(sim, KIND_STREAM);
    (void)snprintf(near->remote, sizeof near->remote, "%s", address);
    give_port(sim, near->local, sizeof near->local, "sim", 3);
    near->refused = listener == NULL || waiting_at(listener) >= BACKLOG;
    near->decided = delayed(sim);
    if (!near->refused) {
        far = socket_new(sim, KIND_STREAM);
        far->unaccepted = true;
        far->listener = listener;
        far->decided = near->decided;
        near->decided += delayed(sim) - sim->now; /* there and back */
        memcpy(far->local, near->remote, sizeof far->local);
        memcpy(far->remote, near->local, sizeof far->remote);
        far->peer = near;
        near->peer = far;
    }
    sim->net.open_sockets++;
    *out = &near->base;
    return SL_OK;
}

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
    SL_ASSERT(listener->kind == KIND_LISTENER);
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

    if (is_broken(s))
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
    if (is_broken(s) || (s->refused && s->decided <= s->sim->now))
        return lost(s, verb, why);
    return s->decided > s->sim->now ? SL_AGAIN : SL_OK;
}

/* Of what could be moved, some: all of it mostly, less by chance, 1 at least. */
static size_t moved(struct sl_env_sim *sim, size_t count)
{
    if (count < 2 || !sim_draw_chance(&sim->net.dice, sim->net.set.short_ppm))
        return count;
    return (size_t)sim_draw_between(&sim->net.dice, 1, count - 1);
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
    if (sim_draw_chance(&s->sim->net.dice, s->sim->net.set.reset_ppm)) {
        break_both(s);
        return lost(s, "write to", why);
    }
    if (room == 0)
        return SL_AGAIN;
    *put = moved(s->sim, count < room ? count : room);
    if (s->peer == NULL || s->peer->closed)
        break_at(s, delayed(s->sim)); /* the answer to bytes for nobody */
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

    if (s->kind == KIND_LISTENER)
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
        break_at(s->peer, delayed(s->sim));
    else if (!is_broken(s))
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
            break_at(s->peer, delayed(s->sim));
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
    if (s->kind == KIND_LISTENER)
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

static const struct sl_net_ops net_ops = {
    .listen = net_listen,
    .connect = net_connect,
};

/* ---- the network of the object ---- */

struct sl_env_sim_net *sl_env_sim_net(struct sl_env_sim *sim)
{
    return &sim->net.set;
}

void sl_env_sim_reset(struct sl_env_sim *sim, struct sl_socket *s)
{
    SL_ASSERT(stream_of(s)->sim == sim);
    break_both(stream_of(s));
}

/* The earlier of best and when, if when is still to come. */
static sl_nanos earlier(sl_nanos now, sl_nanos best, sl_nanos when)
{
    return when > now && when < best ? when : best;
}

sl_nanos sl_env_sim_next_event(const struct sl_env_sim *sim)
{
    sl_nanos best = NEVER;

    for (const struct sim_socket *s = sim->net.sockets; s != NULL; s = s->next) {
        if (s->closed || s->kind == KIND_LISTENER)
            continue;
        best = earlier(sim->now, best, s->decided);
        if (is_broken(s))
            continue;
        best = earlier(sim->now, best, s->broken);
        best = earlier(sim->now, best, sim_inbox_next(&s->inbox, sim->now));
    }
    return best;
}

void sim_net_init(struct sl_env_sim *sim)
{
    sim->net_door.ops = &net_ops;
    sim->net.sockets_end = &sim->net.sockets;
    sim->net.last_port = FIRST_FREE_PORT - 1;
    sim->net.set = (struct sl_env_sim_net){
        .delay_min = 50 * SL_NANOS_PER_US,
        .delay_max = SL_NANOS_PER_MS,
        .buffer_bytes = 1 << 16,
        .short_ppm = SL_ENV_SIM_ALWAYS_PPM / 10,
    };
}

/* Nothing is open, so nothing is left: the last end of a connection to close frees both. */
void sim_net_free(struct sl_env_sim *sim)
{
    SL_ASSERT(sim->net.sockets == NULL);
}
