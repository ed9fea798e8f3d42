/* Sockets on Linux, over TCP and over unix sockets. Waiting is done with poll on the descriptor, as
 * an event loop would; a test that hangs there has found a missing event. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env_os.h"

enum { PATIENCE_MS = 10000 };

static struct sl_net *net;
static char           folder[64];

static int make_folder(void **state)
{
    (void)state;
    net = sl_env_os()->net;
    (void)snprintf(folder, sizeof folder, "/tmp/sluice_env_net_XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when a socket file was left */
}

static void wait_for(struct sl_socket *s, short events)
{
    struct pollfd p = {.fd = sl_socket_fd(s), .events = events};

    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static struct sl_socket *listening(const char *address)
{
    struct sl_socket *s = NULL;
    struct sl_why     why = {0};

    if (sl_net_listen(net, address, &s, &why) != SL_OK)
        fail_msg("%s", why.text);
    return s;
}

struct pair {
    struct sl_socket *listener;
    struct sl_socket *near;
    struct sl_socket *far;
};

static void connect_pair(struct pair *p, const char *address)
{
    char name[SL_ADDR_BYTES_MAX];

    p->listener = listening(address);
    sl_socket_local(p->listener, name);
    assert_int_equal(sl_socket_accept(p->listener, &p->far, NULL), SL_AGAIN);
    assert_int_equal(sl_net_connect(net, name, &p->near, NULL), SL_OK);
    wait_for(p->near, POLLOUT);
    assert_int_equal(sl_socket_connected(p->near, NULL), SL_OK);
    assert_int_equal(sl_socket_connected(p->near, NULL), SL_OK);
    wait_for(p->listener, POLLIN);
    assert_int_equal(sl_socket_accept(p->listener, &p->far, NULL), SL_OK);
}

static void close_pair(struct pair *p)
{
    sl_socket_close(&p->near);
    sl_socket_close(&p->far);
    sl_socket_close(&p->listener);
}

static void assert_reads(struct sl_socket *s, const char *text)
{
    char   got[64] = {0};
    size_t count = 99;

    wait_for(s, POLLIN);
    assert_int_equal(sl_socket_read(s, got, sizeof got - 1, &count, NULL), SL_OK);
    assert_int_equal(count, strlen(text));
    assert_string_equal(got, text);
}

static void assert_writes(struct sl_socket *s, const char *text)
{
    size_t count = 0;

    assert_int_equal(sl_socket_write(s, text, strlen(text), &count, NULL), SL_OK);
    assert_int_equal(count, strlen(text));
}

/* Both ways, then one end says that it is done and still hears the answer. */
static void talk(struct pair *p)
{
    size_t count;
    char   byte;

    assert_int_equal(sl_socket_read(p->far, &byte, 1, &count, NULL), SL_AGAIN);
    assert_writes(p->near, "question");
    assert_reads(p->far, "question");
    assert_int_equal(sl_socket_shut(p->near, NULL), SL_OK);
    assert_reads(p->far, "");
    assert_writes(p->far, "answer");
    assert_reads(p->near, "answer");
}

static void tcp_carries_bytes_and_half_closes(void **state)
{
    struct pair p;
    char        near[SL_ADDR_BYTES_MAX];
    char        far[SL_ADDR_BYTES_MAX];
    int         on = 0;
    socklen_t   length = sizeof on;

    (void)state;
    connect_pair(&p, "127.0.0.1:0");
    talk(&p);
    sl_socket_local(p.near, near);
    sl_socket_peer(p.far, far);
    assert_string_equal(near, far);
    assert_int_equal(strncmp(near, "127.0.0.1:", 10), 0);
    assert_int_equal(getsockopt(sl_socket_fd(p.near), IPPROTO_TCP, TCP_NODELAY, &on, &length), 0);
    assert_true(on);
    close_pair(&p);
}

static void a_unix_socket_carries_bytes_and_its_file_goes_with_it(void **state)
{
    struct pair p;
    char        address[128];
    char        name[SL_ADDR_BYTES_MAX];
    struct stat st;

    (void)state;
    (void)snprintf(address, sizeof address, "unix:%s/s", folder);
    connect_pair(&p, address);
    talk(&p);
    sl_socket_peer(p.near, name);
    assert_string_equal(name, address);
    sl_socket_peer(p.far, name);
    assert_string_equal(name, "unix:");
    assert_int_equal(stat(address + 5, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    close_pair(&p);
    assert_int_not_equal(stat(address + 5, &st), 0);
}

static void an_address_in_use_is_named_with_a_way_out(void **state)
{
    struct sl_socket *first = listening("127.0.0.1:0");
    struct sl_socket *second = NULL;
    struct sl_why     why = {0};
    char              address[SL_ADDR_BYTES_MAX];
    char              want[SL_WHY_BYTES_MAX];

    (void)state;
    sl_socket_local(first, address);
    assert_int_equal(sl_net_listen(net, address, &second, &why), SL_IN_USE);
    (void)snprintf(want, sizeof want,
                   "listen on %s: Address already in use; stop the other process or choose another "
                   "address",
                   address);
    assert_string_equal(why.text, want);
    sl_socket_close(&first);
    second = listening(address); /* at once: SO_REUSEADDR */
    sl_socket_close(&second);
}

static void a_live_unix_socket_is_in_use_and_a_stale_one_replaced(void **state)
{
    struct sl_socket *live;
    struct sl_socket *other = NULL;
    char              address[128];
    char              hidden[128];

    (void)state;
    (void)snprintf(address, sizeof address, "unix:%s/s", folder);
    (void)snprintf(hidden, sizeof hidden, "%s/hidden", folder);
    live = listening(address);
    assert_int_equal(sl_net_listen(net, address, &other, NULL), SL_IN_USE);
    /* Closed under another name the file survives, as it does when its process is killed. */
    assert_int_equal(rename(address + 5, hidden), 0);
    sl_socket_close(&live);
    assert_int_equal(rename(hidden, address + 5), 0);
    other = listening(address);
    sl_socket_close(&other);
}

static void a_file_that_is_no_socket_is_not_replaced(void **state)
{
    struct sl_socket *s = NULL;
    struct sl_why     why = {0};
    char              address[128];
    FILE             *f;

    (void)state;
    (void)snprintf(address, sizeof address, "unix:%s/s", folder);
    f = fopen(address + 5, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(sl_net_listen(net, address, &s, &why), SL_IN_USE);
    assert_int_equal(unlink(address + 5), 0);
}

static void connecting_where_nobody_listens_is_unavailable(void **state)
{
    struct sl_socket *s = listening("127.0.0.1:0");
    struct sl_why     why = {0};
    char              address[SL_ADDR_BYTES_MAX];
    char              want[SL_WHY_BYTES_MAX];
    enum sl_err       err;

    (void)state;
    sl_socket_local(s, address);
    sl_socket_close(&s);
    (void)snprintf(want, sizeof want, "connect to %s: Connection refused", address);
    err = sl_net_connect(net, address, &s, &why);
    if (err == SL_OK) { /* Linux may know at once */
        wait_for(s, POLLOUT);
        err = sl_socket_connected(s, &why);
        assert_int_equal(sl_socket_connected(s, NULL), err); /* and does not forget */
        sl_socket_close(&s);
    }
    assert_int_equal(err, SL_UNAVAILABLE);
    assert_string_equal(why.text, want);
    (void)snprintf(address, sizeof address, "unix:%s/absent", folder);
    assert_int_equal(sl_net_connect(net, address, &s, NULL), SL_UNAVAILABLE);
}

static void what_is_no_address_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *address;
        const char *reason;
    } rows[] = {
        {"", "want host:port or unix:/path"},
        {"8250", "want host:port or unix:/path"},
        {"127.0.0.1:", "the port must be a number from 0 to 65535"},
        {"127.0.0.1:65536", "the port must be a number from 0 to 65535"},
        {"127.0.0.1:-1", "the port must be a number from 0 to 65535"},
        {"127.0.0.1:http", "the port must be a number from 0 to 65535"},
        {"::1:8250", "an IPv6 address stands in brackets, as in [::1]:8250"},
        {"unix:", "no path after unix:"},
    };
    char              address[256];
    struct sl_socket *s = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_why why = {0};
        char          want[SL_WHY_BYTES_MAX];

        assert_int_equal(sl_net_listen(net, rows[i].address, &s, &why), SL_INVALID);
        (void)snprintf(want, sizeof want, "listen on %s: %s", rows[i].address, rows[i].reason);
        assert_string_equal(why.text, want);
    }
    (void)snprintf(address, sizeof address, "unix:/%0200d", 0);
    assert_int_equal(sl_net_listen(net, address, &s, NULL), SL_INVALID);
    assert_int_equal(sl_net_connect(net, ":8250", &s, NULL), SL_INVALID);
    assert_int_equal(sl_net_connect(net, "127.0.0.1:0", &s, NULL), SL_INVALID);
    assert_int_equal(sl_net_listen(net, "192.0.2.1:0", &s, NULL), SL_INVALID);
}

static void an_empty_host_is_all_addresses_of_both_families(void **state)
{
    struct sl_socket *listener = listening(":0");
    struct sl_socket *near = NULL;
    struct sl_socket *far = NULL;
    char              name[SL_ADDR_BYTES_MAX];
    char              address[64];

    (void)state;
    sl_socket_local(listener, name);
    (void)snprintf(address, sizeof address, "127.0.0.1%.8s", strrchr(name, ':'));
    assert_int_equal(sl_net_connect(net, address, &near, NULL), SL_OK);
    wait_for(listener, POLLIN);
    assert_int_equal(sl_socket_accept(listener, &far, NULL), SL_OK);
    sl_socket_peer(far, name);
    assert_int_equal(strncmp(name, "127.0.0.1:", 10), 0); /* not ::ffff:127.0.0.1 */
    sl_socket_close(&near);
    sl_socket_close(&far);
    sl_socket_close(&listener);
}

static void ipv6_stands_in_brackets(void **state)
{
    struct pair         p;
    char                name[SL_ADDR_BYTES_MAX];
    int                 fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool absent = fd < 0 || bind(fd, (struct sockaddr *)&loopback, sizeof loopback) != 0;

    (void)state;
    if (fd >= 0)
        (void)close(fd);
    if (absent) {
        print_message("this machine has no IPv6 loopback\n");
        skip();
    }
    connect_pair(&p, "[::1]:0");
    talk(&p);
    sl_socket_peer(p.far, name);
    assert_int_equal(strncmp(name, "[::1]:", 6), 0);
    close_pair(&p);
}

/* A name needs a resolver, but "localhost" stands in /etc/hosts everywhere. */
static void a_name_means_the_same_to_both_ends(void **state)
{
    struct sl_socket *listener = listening("localhost:0");
    struct sl_socket *near = NULL;
    char              name[SL_ADDR_BYTES_MAX];
    char              address[64];

    (void)state;
    sl_socket_local(listener, name);
    (void)snprintf(address, sizeof address, "localhost%.8s", strrchr(name, ':'));
    assert_int_equal(sl_net_connect(net, address, &near, NULL), SL_OK);
    wait_for(near, POLLOUT);
    assert_int_equal(sl_socket_connected(near, NULL), SL_OK);
    sl_socket_close(&near);
    sl_socket_close(&listener);
}

static void writing_stops_when_the_peer_does_not_read(void **state)
{
    static const char block[65536];
    struct pair       p;
    enum sl_err       err = SL_OK;
    size_t            put;

    (void)state;
    connect_pair(&p, "127.0.0.1:0");
    for (int i = 0; i < 100000 && err == SL_OK; i++)
        err = sl_socket_write(p.near, block, sizeof block, &put, NULL);
    assert_int_equal(err, SL_AGAIN);
    close_pair(&p);
}

/* Closing with unread bytes makes Linux send a reset. */
static void a_reset_is_told_with_the_peer_named_and_without_a_signal(void **state)
{
    struct pair   p;
    struct sl_why why = {0};
    char          peer[SL_ADDR_BYTES_MAX];
    char          byte;
    size_t        count;

    (void)state;
    connect_pair(&p, "127.0.0.1:0");
    assert_writes(p.near, "unread");
    wait_for(p.far, POLLIN);
    sl_socket_close(&p.far);
    wait_for(p.near, POLLIN);
    assert_int_equal(sl_socket_read(p.near, &byte, 1, &count, &why), SL_RESET);
    sl_socket_peer(p.near, peer);
    assert_non_null(strstr(why.text, peer));
    assert_int_equal(sl_socket_write(p.near, "x", 1, &count, &why), SL_RESET);
    assert_int_equal(sl_socket_shut(p.near, &why), SL_RESET);
    close_pair(&p);
}

static sl_nanos now(void)
{
    return sl_env_now(sl_env_os());
}

static void waiting_ends_at_its_time_or_when_a_socket_is_ready(void **state)
{
    struct pair           p;
    struct sl_socket_wait waits[2];
    sl_nanos              until = now() + 20 * (sl_nanos)SL_NANOS_PER_MS;

    (void)state;
    connect_pair(&p, "127.0.0.1:0");
    waits[0] = (struct sl_socket_wait){p.near, SL_SOCKET_READABLE, 0};
    waits[1] = (struct sl_socket_wait){p.far, SL_SOCKET_READABLE, 0};
    while (now() < until) {
        sl_net_wait(net, waits, 2, until);
        assert_int_equal(waits[0].ready | waits[1].ready, 0);
    }
    assert_writes(p.near, "x");
    while (waits[1].ready == 0)
        sl_net_wait(net, waits, 2, UINT64_MAX);
    assert_int_equal(waits[1].ready, SL_SOCKET_READABLE);
    assert_int_equal(waits[0].ready, 0);
    waits[0].events = SL_SOCKET_READABLE | SL_SOCKET_WRITABLE;
    sl_net_wait(net, waits, 1, UINT64_MAX);
    assert_int_equal(waits[0].ready, SL_SOCKET_WRITABLE);
    sl_net_wait(net, NULL, 0, now()); /* nothing to wait for but the time */
    close_pair(&p);
}

/* Root may do everything, so it steps down for a moment. */
static bool step_down(void)
{
    return geteuid() != 0 || seteuid(65534) == 0;
}

static void step_up(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void a_low_port_is_refused_with_advice(void **state)
{
    struct sl_socket *s = NULL;
    struct sl_why     why = {0};
    enum sl_err       err;

    (void)state;
    if (!step_down()) {
        print_message("root that cannot step down may use low ports\n");
        skip();
    }
    err = sl_net_listen(net, "127.0.0.1:80", &s, &why);
    step_up();
    sl_socket_close(&s);
    if (err == SL_OK) {
        print_message("this machine gives low ports to everybody\n");
        skip();
    }
    assert_int_equal(err, SL_DENIED);
    assert_string_equal(why.text,
                        "listen on 127.0.0.1:80: Permission denied; ports below 1024 need "
                        "root or CAP_NET_BIND_SERVICE: choose a higher one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_carries_bytes_and_half_closes),
        cmocka_unit_test(a_unix_socket_carries_bytes_and_its_file_goes_with_it),
        cmocka_unit_test(an_address_in_use_is_named_with_a_way_out),
        cmocka_unit_test(a_live_unix_socket_is_in_use_and_a_stale_one_replaced),
        cmocka_unit_test(a_file_that_is_no_socket_is_not_replaced),
        cmocka_unit_test(connecting_where_nobody_listens_is_unavailable),
        cmocka_unit_test(what_is_no_address_is_refused_with_a_reason),
        cmocka_unit_test(an_empty_host_is_all_addresses_of_both_families),
        cmocka_unit_test(ipv6_stands_in_brackets),
        cmocka_unit_test(a_name_means_the_same_to_both_ends),
        cmocka_unit_test(writing_stops_when_the_peer_does_not_read),
        cmocka_unit_test(a_reset_is_told_with_the_peer_named_and_without_a_signal),
        cmocka_unit_test(waiting_ends_at_its_time_or_when_a_socket_is_ready),
        cmocka_unit_test(a_low_port_is_refused_with_advice),
    };

    return cmocka_run_group_tests_name("env_os_net", tests, make_folder, remove_folder);
}
