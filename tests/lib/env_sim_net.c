#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "lib/env_sim_socket.h"

enum { BACKLOG = 128, FIRST_FREE_PORT = 40000, PORT_MAX = 65535 };

static struct sl_env_sim *sim_of(struct sl_net *net)
{
    return (struct sl_env_sim *)((char *)net - offsetof(struct sl_env_sim, net_door));
}

/* ---- addresses ---- */

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

    if (s->kind != SIM_SOCKET_LISTENER)
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

/* The address without its port, and a free port instead, into out[SL_ADDR_BYTES_MAX]. */
static void give_port(struct sl_env_sim *sim, char *out, const char *address)
{
    int host_bytes = (int)(port_of(address) - 1 - address);

    SL_ASSERT(sim->net.last_port < PORT_MAX);
    sim->net.last_port++;
    (void)snprintf(out, SL_ADDR_BYTES_MAX, "%.*s:%u", host_bytes, address, sim->net.last_port);
}

/* ---- listen, connect ---- */

static enum sl_err net_listen(struct sl_net *net, const char *address, struct sl_socket **out,
                              struct sl_why *why)
{
    struct sl_env_sim *sim = sim_of(net);
    struct sim_socket *s;
    enum sl_err        err;

    if ((err = check_address(address, "listen on", why)) != SL_OK)
        return err;
    if (find_listener(sim, address) != NULL)
        return sl_fail(why, SL_IN_USE,
                       "listen on %s: Address already in use; stop the other process or choose "
                       "another address",
                       address);
    s = sim_socket_new(sim, SIM_SOCKET_LISTENER);
    if (!is_unix(address) && strcmp(port_of(address), "0") == 0)
        give_port(sim, s->local, address);
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
    near = sim_socket_new(sim, SIM_SOCKET_STREAM);
    (void)snprintf(near->remote, sizeof near->remote, "%s", address);
    (void)snprintf(near->local, sizeof near->local, "sim:%llu",
                   (unsigned long long)++sim->net.connects);
    near->refused = listener == NULL || waiting_at(listener) >= BACKLOG;
    near->decided = sim_socket_delayed(sim);
    if (!near->refused) {
        far = sim_socket_new(sim, SIM_SOCKET_STREAM);
        far->unaccepted = true;
        far->listener = listener;
        far->decided = near->decided;
        near->decided += sim_socket_delayed(sim) - sim->now; /* there and back */
        memcpy(far->local, near->remote, sizeof far->local);
        memcpy(far->remote, near->local, sizeof far->remote);
        far->peer = near;
        near->peer = far;
    }
    sim->net.open_sockets++;
    *out = &near->base;
    return SL_OK;
}

static void net_wait(struct sl_net *net, struct sl_socket_wait *waits, uint32_t count,
                     sl_nanos until)
{
    (void)net, (void)waits, (void)count, (void)until;
    SL_UNREACHABLE("a simulated network cannot be waited for: its time passes when it is stepped");
}

static const struct sl_net_ops net_ops = {
    .listen = net_listen,
    .connect = net_connect,
    .wait = net_wait,
};

/* ---- the network of the object ---- */

struct sl_env_sim_net *sl_env_sim_net(struct sl_env_sim *sim)
{
    return &sim->net.set;
}

void sl_env_sim_reset(struct sl_env_sim *sim, struct sl_socket *s)
{
    struct sim_socket *stream = (struct sim_socket *)s;

    SL_ASSERT(stream->sim == sim && stream->kind == SIM_SOCKET_STREAM && !stream->closed);
    sim_socket_break(stream);
}

/* The earlier of best and when, if when is still to come. */
static sl_nanos earlier(sl_nanos now, sl_nanos best, sl_nanos when)
{
    return when > now && when < best ? when : best;
}

sl_nanos sl_env_sim_next_event(const struct sl_env_sim *sim)
{
    sl_nanos best = UINT64_MAX;

    for (const struct sim_socket *s = sim->net.sockets; s != NULL; s = s->next) {
        if (s->closed || s->kind == SIM_SOCKET_LISTENER)
            continue;
        best = earlier(sim->now, best, s->decided);
        if (sim_socket_is_broken(s))
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
