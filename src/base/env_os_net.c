#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "base/env_os_addr.h"
#include "base/env_os_parts.h"

enum {
    SOCKET_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC,
    SOCKET_FILE_MODE = 0600,
    PRIVILEGED_PORTS = 1024,
};

/* LISTENING stays; CONNECTING becomes OPEN or REFUSED; an accepted socket begins as OPEN. */
enum os_socket_state { STATE_LISTENING, STATE_CONNECTING, STATE_OPEN, STATE_REFUSED };

struct os_socket {
    struct sl_socket     base;
    int                  fd;
    enum os_socket_state state;
    int                  refusal;                 /* errno; set in REFUSED */
    char                *unlink_path;             /* owned; of a unix listener, else NULL */
    char                 name[SL_ADDR_BYTES_MAX]; /* what it listens on, else its peer */
};

static const struct sl_socket_ops socket_ops;

static struct os_socket *os_socket_of(struct sl_socket *s)
{
    struct os_socket *socket = (struct os_socket *)s;

    SL_ASSERT(socket->fd >= 0);
    return socket;
}

static struct os_socket *socket_new(int fd, enum os_socket_state state, const char *name)
{
    struct os_socket *s = calloc(1, sizeof *s);

    SL_ASSERT(s != NULL);
    s->base.ops = &socket_ops;
    s->fd = fd;
    s->state = state;
    (void)snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

static void set_option(int fd, int level, int option, int value)
{
    int result = setsockopt(fd, level, option, &value, sizeof value);

    SL_ASSERT(result == 0); /* fails only for a descriptor or an option that cannot be */
}

static bool is_ip(const struct os_addr *a)
{
    return a->at.any.sa_family != AF_UNIX;
}

/* Messages are small and waited for: never hold one back to fill a packet. */
static void send_at_once(int fd, const struct os_addr *a)
{
    if (is_ip(a))
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* ---- listen ---- */

static const char *advice(int failed, const struct os_addr *a)
{
    int port = os_addr_port(a);

    if (failed == EADDRINUSE)
        return "; stop the other process or choose another address";
    if (failed == EADDRNOTAVAIL)
        return "; no interface of this machine has this address";
    if (failed == EACCES && port > 0 && port < PRIVILEGED_PORTS)
        return "; ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher one";
    if (!is_ip(a) && (failed == ENOENT || failed == EACCES))
        return "; the directory must exist and be writable";
    return "";
}

static enum sl_err listen_failed(const char *address, const struct os_addr *a, int failed,
                                 struct sl_why *why)
{
    enum sl_err err = failed == EADDRNOTAVAIL ? SL_INVALID : sl_err_from_errno(failed);
    char        reason[128];

    return sl_fail(why, err, "listen on %s: %s%s", address,
                   strerror_r(failed, reason, sizeof reason), advice(failed, a));
}

/* Is the file in our way a socket that nobody answers on? Its age would not tell. */
static bool is_stale(const struct os_addr *a)
{
    struct stat st;
    bool        refused;
    int         fd;

    if (lstat(a->at.local.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return false;
    refused = connect(fd, &a->at.any, a->length) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

/* 0 or errno. The mode is set before bind, which makes the file with it: at no moment is it open to
 * others. */
static int bind_and_listen(int fd, const struct os_addr *a)
{
    if (is_ip(a))
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else
        (void)fchmod(fd, SOCKET_FILE_MODE);
    if (a->every && a->at.any.sa_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(fd, &a->at.any, a->length) != 0) {
        if (is_ip(a) || errno != EADDRINUSE)
            return errno;
        if (!is_stale(a))
            return EADDRINUSE;
        if (unlink(a->at.local.sun_path) != 0 || bind(fd, &a->at.any, a->length) != 0)
            return errno;
    }
    return listen(fd, SL_LISTEN_BACKLOG) == 0 ? 0 : errno;
}

/* A machine without IPv6 serves all its IPv4 addresses. */
static int open_listener(struct os_addr *a)
{
    int fd = socket(a->at.any.sa_family, SOCK_STREAM | SOCKET_FLAGS, 0);

    if (fd < 0 && errno == EAFNOSUPPORT && a->every) {
        in_port_t           port = ((struct sockaddr_in6 *)&a->at.room)->sin6_port;
        struct sockaddr_in *in = (struct sockaddr_in *)&a->at.room;

        memset(&a->at, 0, sizeof a->at);
        in->sin_family = AF_INET;
        in->sin_port = port;
        a->length = sizeof *in;
        fd = socket(AF_INET, SOCK_STREAM | SOCKET_FLAGS, 0);
    }
    return fd;
}

static enum sl_err net_listen(struct sl_net *net, const char *address, struct sl_socket **out,
                              struct sl_why *why)
{
    struct os_addr    a;
    struct os_socket *s;
    enum sl_err       err;
    int               fd;
    int               failed;

    (void)net;
    if ((err = os_addr_parse(&a, address, true, why)) != SL_OK)
        return sl_wrap(why, err, "listen on %s", address);
    fd = open_listener(&a);
    if (fd < 0)
        return listen_failed(address, &a, errno, why);
    failed = bind_and_listen(fd, &a);
    if (failed != 0) {
        (void)close(fd);
        return listen_failed(address, &a, failed, why);
    }
    s = socket_new(fd, STATE_LISTENING, address);
    if (!is_ip(&a)) {
        s->unlink_path = strdup(a.at.local.sun_path);
        SL_ASSERT(s->unlink_path != NULL);
    }
    *out = &s->base;
    return SL_OK;
}

/* Errors of connections that broke while they waited are reported here by Linux: they say nothing
 * about the next one, so the loop goes on. Each turn takes one out of the backlog, so it ends. */
static enum sl_err socket_accept(struct sl_socket *base, struct sl_socket **out, struct sl_why *why)
{
    struct os_socket *s = os_socket_of(base);
    struct os_addr    a = {0};
    char              peer[SL_ADDR_BYTES_MAX];
    int               fd;

    SL_ASSERT(s->state == STATE_LISTENING);
    do {
        a.length = sizeof a.at;
        fd = accept4(s->fd, &a.at.any, &a.length, SOCKET_FLAGS);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
    if (fd < 0 && errno == EAGAIN)
        return SL_AGAIN;
    if (fd < 0)
        return sl_fail_errno(why, errno, "accept on %s", s->name);
    os_addr_print(&a, peer);
    send_at_once(fd, &a);
    *out = &socket_new(fd, STATE_OPEN, peer)->base;
    return SL_OK;
}

/* ---- connect ---- */

/* Nobody there yet is worth a retry, whichever way the system says it. */
static enum sl_err connect_failed(const char *address, int failed, struct sl_why *why)
{
    enum sl_err err = sl_err_from_errno(failed);
    char        reason[128];

    if (failed == ENOENT || failed == EAGAIN)
        err = SL_UNAVAILABLE; /* unix sockets: no file; the listener's backlog is full */
    return sl_fail(why, err, "connect to %s: %s", address,
                   strerror_r(failed, reason, sizeof reason));
}

static enum sl_err net_connect(struct sl_net *net, const char *address, struct sl_socket **out,
                               struct sl_why *why)
{
    struct os_addr a;
    enum sl_err    err;
    int            fd;
    int            failed;

    (void)net;
    if ((err = os_addr_parse(&a, address, false, why)) != SL_OK)
        return sl_wrap(why, err, "connect to %s", address);
    fd = socket(a.at.any.sa_family, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return connect_failed(address, errno, why);
    send_at_once(fd, &a);
    failed = connect(fd, &a.at.any, a.length) == 0 ? 0 : errno;
    if (failed != 0 && failed != EINPROGRESS && failed != EINTR) { /* EINTR: it goes on by itself */
        (void)close(fd);
        return connect_failed(address, failed, why);
    }
    *out = &socket_new(fd, STATE_CONNECTING, address)->base;
    return SL_OK;
}

/* Linux tells the outcome once (SO_ERROR clears it), so it is kept. No error and no peer: not
 * decided. */
static enum sl_err socket_connected(struct sl_socket *base, struct sl_why *why)
{
    struct os_socket *s = os_socket_of(base);
    struct os_addr    a = {0};
    socklen_t         length = sizeof s->refusal;
    int               result;

    SL_ASSERT(s->state != STATE_LISTENING);
    if (s->state == STATE_CONNECTING) {
        result = getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &s->refusal, &length);
        SL_ASSERT(result == 0);
        a.length = sizeof a.at;
        if (s->refusal != 0)
            s->state = STATE_REFUSED;
        else if (getpeername(s->fd, &a.at.any, &a.length) == 0)
            s->state = STATE_OPEN;
        else
            return SL_AGAIN;
    }
    return s->state == STATE_OPEN ? SL_OK : connect_failed(s->name, s->refusal, why);
}

/* ---- bytes ---- */

/* Whatever the system calls it (timed out, unreachable, broken pipe): this connection is over. */
static enum sl_err broken(const struct os_socket *s, const char *verb, struct sl_why *why)
{
    char reason[128];
    int  failed = errno;

    SL_ASSERT(failed != EBADF && failed != ENOTSOCK && failed != EFAULT);
    return sl_fail(why, SL_RESET, "%s %s: %s", verb, s->name,
                   strerror_r(failed, reason, sizeof reason));
}

static enum sl_err socket_read(struct sl_socket *base, void *bytes, size_t count, size_t *got,
                               struct sl_why *why)
{
    struct os_socket *s = os_socket_of(base);
    ssize_t           n;

    SL_ASSERT(s->state != STATE_LISTENING);
    do {
        n = recv(s->fd, bytes, count, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? SL_AGAIN : broken(s, "read from", why);
    *got = (size_t)n;
    return SL_OK;
}

static enum sl_err socket_write(struct sl_socket *base, const void *bytes, size_t count,
                                size_t *put, struct sl_why *why)
{
    struct os_socket *s = os_socket_of(base);
    ssize_t           n;

    SL_ASSERT(s->state != STATE_LISTENING);
    do {
        n = send(s->fd, bytes, count, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? SL_AGAIN : broken(s, "write to", why);
    *put = (size_t)n;
    return SL_OK;
}

static enum sl_err socket_shut(struct sl_socket *base, struct sl_why *why)
{
    struct os_socket *s = os_socket_of(base);

    SL_ASSERT(s->state != STATE_LISTENING);
    if (shutdown(s->fd, SHUT_WR) != 0)
        return broken(s, "end writing to", why);
    return SL_OK;
}

/* ---- names and end ---- */

static void socket_local(struct sl_socket *base, char *out)
{
    struct os_addr a = {.length = sizeof a.at};
    int            result = getsockname(os_socket_of(base)->fd, &a.at.any, &a.length);

    SL_ASSERT(result == 0);
    os_addr_print(&a, out);
}

/* The name kept at the start: the system forgets the peer of a broken connection, and that is when
 * one asks. */
static void socket_peer(struct sl_socket *base, char *out)
{
    struct os_socket *s = os_socket_of(base);

    SL_ASSERT(s->state != STATE_LISTENING);
    (void)snprintf(out, SL_ADDR_BYTES_MAX, "%s", s->name);
}

static int socket_fd(struct sl_socket *base)
{
    return os_socket_of(base)->fd;
}

static unsigned socket_ready(struct sl_socket *base)
{
    (void)base;
    SL_UNREACHABLE("an event loop watches the descriptor; only a simulation is asked");
}

/* No bytes can be saved or lost by looking at close's result: what TCP has not delivered by then it
 * tells nobody. The socket file goes first, so that nobody finds a listener that has just gone
 * deaf. */
static void socket_close(struct sl_socket *base)
{
    struct os_socket *s = os_socket_of(base);

    if (s->unlink_path != NULL)
        (void)unlink(s->unlink_path);
    (void)close(s->fd);
    free(s->unlink_path);
    free(s);
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

/* ---- waiting ---- */

static short poll_events(unsigned events)
{
    return (short)((events & SL_SOCKET_READABLE ? POLLIN : 0) |
                   (events & SL_SOCKET_WRITABLE ? POLLOUT : 0));
}

static unsigned ready_events(short events)
{
    const short broken_or_ended = POLLERR | POLLHUP;

    return (events & (POLLIN | broken_or_ended) ? SL_SOCKET_READABLE : 0U) |
           (events & (POLLOUT | broken_or_ended) ? SL_SOCKET_WRITABLE : 0U);
}

/* What is left until then, as long as poll can wait. */
static struct timespec time_left(sl_nanos until)
{
    sl_nanos now = sl_env_now(sl_env_os());
    sl_nanos left = until > now ? until - now : 0;

    return (struct timespec){.tv_sec = (time_t)(left / SL_NANOS_PER_S),
                             .tv_nsec = (long)(left % SL_NANOS_PER_S)};
}

/* A poll that fails was interrupted, or the system is short of memory for a moment: in both cases
 * the caller looks again. */
static void net_wait(struct sl_net *net, struct sl_socket_wait *waits, uint32_t count,
                     sl_nanos until)
{
    struct pollfd   polls[SL_NET_WAIT_MAX];
    struct timespec left = time_left(until);
    int             result;

    (void)net;
    for (uint32_t i = 0; i < count; i++) {
        waits[i].ready = 0;
        polls[i] = (struct pollfd){.fd = os_socket_of(waits[i].socket)->fd,
                                   .events = poll_events(waits[i].events)};
    }
    result = ppoll(polls, count, until == UINT64_MAX ? NULL : &left, NULL);
    for (uint32_t i = 0; result > 0 && i < count; i++)
        waits[i].ready = ready_events(polls[i].revents);
}

static const struct sl_net_ops net_ops = {
    .listen = net_listen,
    .connect = net_connect,
    .wait = net_wait,
};

struct sl_net env_os_net = {.ops = &net_ops};
