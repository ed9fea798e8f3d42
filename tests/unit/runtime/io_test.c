/* Sockets watched by actors: a listener, its sessions and their clients exchange bytes under
 * back-pressure, break connections, and end while they watch. The same actors run on an event loop
 * over real sockets, and under the seeded scheduler over the simulated network.
 *
 *     client ──bytes──► session (one per connection, a child of the server)
 *            ◄─report──
 *
 * The first byte that a client sends says what its session does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "lib/stage.h"

enum { SESSIONS_MAX = 8, BYTES_MIN = 200000, CHUNK = 7000, SEEDS = 20 };
enum { POLL = SL_MSG_USER };

/* What a connection is for. */
enum talk {
    TALK_BULK =
        'b', /* the client sends until it was refused and had its fill; the session counts */
    TALK_RESET =
        'r', /* the session greets; the client closes without reading: the session sees a reset */
    TALK_DIE = 'd',  /* the session fails while it watches; the client sees the end */
    TALK_WAIT = 'w', /* nothing: both are stopped while they watch */
};

/* What the session says about TALK_BULK. */
struct report {
    uint64_t bytes;
    uint64_t sum;
};

static struct {
    _Atomic uint32_t listening;
    _Atomic uint32_t again;   /* writes refused: back-pressure */
    _Atomic uint32_t reports; /* read by clients and found right */
    _Atomic uint32_t wrong;   /* anything that must not be */
    _Atomic uint32_t resets;  /* seen by sessions */
    _Atomic uint32_t ends;    /* of the stream, seen by clients */
    _Atomic uint32_t waiting;
    _Atomic uint32_t sessions; /* that ended */
    _Atomic uint32_t clients;  /* that ended */
} seen;

static char                  address[SL_ADDR_BYTES_MAX];
static const char           *listen_on;
static struct sl_ref         server_ref;
static _Atomic(const char *) last_error;

static void wrong(const char *what)
{
    atomic_store(&last_error, what);
    atomic_fetch_add(&seen.wrong, 1);
}

static void expect(bool holds, const char *what)
{
    if (!holds)
        wrong(what);
}

/* ---- session ---- */

struct session {
    struct sl_socket *socket; /* owned */
    struct sl_io      io;
    struct sl_timer   poll;
    enum talk         talk;
    struct report     report;
};

static enum sl_err session_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct session *s = self;

    memcpy(&s->socket, args, sizeof s->socket);
    return sl_io_watch(ctx, &s->io, s->socket, SL_SOCKET_READABLE);
}

/* The client had its end: report and end. The report fits any buffer. */
static enum sl_err session_report(struct sl_ctx *ctx, struct session *s)
{
    const char *bytes = (const char *)&s->report;
    size_t      put;
    size_t      done = 0;

    sl_io_unwatch(ctx, &s->io);
    sl_io_unwatch(ctx, &s->io); /* again: nothing */
    while (done < sizeof s->report) {
        expect(sl_socket_write(s->socket, bytes + done, sizeof s->report - done, &put, NULL) ==
                   SL_OK,
               "the report was refused");
        done += put;
    }
    sl_stop(ctx);
    return SL_OK;
}

static enum sl_err session_begin(struct sl_ctx *ctx, struct session *s)
{
    char   first;
    size_t moved;

    if (sl_socket_read(s->socket, &first, 1, &moved, NULL) != SL_OK || moved != 1)
        return SL_OK;
    s->talk = (enum talk)first;
    switch (s->talk) {
    case TALK_BULK:
        sl_io_unwatch(ctx, &s->io); /* read nothing until the client was refused */
        sl_timer_arm(ctx, &s->poll, POLL, 1);
        return SL_OK;
    case TALK_RESET:
        expect(sl_socket_write(s->socket, "hello", 5, &moved, NULL) == SL_OK, "no greeting");
        return SL_OK;
    case TALK_DIE: return sl_fail(sl_why(ctx), SL_IO, "a planned failure");
    case TALK_WAIT: atomic_fetch_add(&seen.waiting, 1); return SL_OK;
    }
    SL_UNREACHABLE("not a talk");
}

static enum sl_err session_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct session *s = self;

    (void)msg;
    if (atomic_load(&seen.again) > 0)
        return sl_io_watch(ctx, &s->io, s->socket, SL_SOCKET_READABLE);
    sl_timer_arm(ctx, &s->poll, POLL, 1);
    return SL_OK;
}

static enum sl_err session_ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct session *s = self;
    uint8_t         bytes[CHUNK];
    size_t          got = 0;
    enum sl_err     err;

    expect(io == &s->io && io->socket == s->socket, "the wrong watch");
    expect((events & SL_SOCKET_READABLE) != 0, "an event nobody asked for");
    if (s->talk == 0)
        return session_begin(ctx, s);
    err = sl_socket_read(s->socket, bytes, sizeof bytes, &got, NULL);
    if (err == SL_AGAIN)
        return SL_OK;
    if (err != SL_OK) {
        expect(err == SL_RESET && s->talk == TALK_RESET, "an error nobody planned");
        atomic_fetch_add(&seen.resets, 1);
        sl_stop(ctx);
        return SL_OK;
    }
    if (got == 0)
        return session_report(ctx, s);
    for (size_t i = 0; i < got; i++)
        s->report.sum += bytes[i] * (++s->report.bytes);
    return SL_OK;
}

static void session_stop(struct sl_ctx *ctx, void *self)
{
    struct session *s = self;

    (void)ctx;
    expect(s->io.socket == NULL, "still watched in stop, where the socket is closed");
    sl_socket_close(&s->socket);
    atomic_fetch_add(&seen.sessions, 1);
}

static const struct sl_actor_class session_class = {
    .name = "session",
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct session),
    .timers_max = 1,
    .start = session_start,
    .handle = session_handle,
    .ready = session_ready,
    .stop = session_stop,
};

/* ---- server ---- */

struct server {
    struct sl_socket *listener; /* owned */
    struct sl_io      io;
};

static enum sl_err server_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct server *s = self;
    enum sl_err    err;

    (void)args;
    if ((err = sl_net_listen(sl_env(ctx)->net, listen_on, &s->listener, sl_why(ctx))) != SL_OK)
        return err;
    sl_socket_local(s->listener, address);
    if ((err = sl_io_watch(ctx, &s->io, s->listener, SL_SOCKET_READABLE)) != SL_OK)
        return err;
    atomic_store(&seen.listening, 1);
    return SL_OK;
}

static enum sl_err server_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

static enum sl_err server_ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct server    *s = self;
    struct sl_socket *socket;
    struct sl_ref     ref;

    (void)io;
    (void)events;
    if (sl_socket_accept(s->listener, &socket, NULL) != SL_OK)
        return SL_OK;
    if (sl_spawn(ctx, &session_class, &socket, sizeof socket, &ref) != SL_OK) {
        wrong("no session");
        sl_socket_close(&socket);
    }
    return SL_OK;
}

static enum sl_err server_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;

    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    else
        expect(ended->err == SL_OK || strcmp(ended->why.text, "a planned failure") == 0,
               "a session failed");
    return SL_OK;
}

static void server_stop(struct sl_ctx *ctx, void *self)
{
    struct server *s = self;

    (void)ctx;
    expect(s->io.socket == NULL, "the listener is watched in stop");
    sl_socket_close(&s->listener);
}

static const struct sl_actor_class server_class = {
    .name = "server",
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct server),
    .children_max = SESSIONS_MAX,
    .start = server_start,
    .handle = server_handle,
    .system = server_system,
    .ready = server_ready,
    .stop = server_stop,
};

/* ---- client ---- */

struct client {
    struct sl_socket *socket; /* owned */
    struct sl_io      io;
    enum talk         talk;
    bool              begun;
    bool              refused;
    bool              shut;
    uint64_t          sent; /* without the first byte */
    uint64_t          sum;
    struct report     report;
    size_t            report_bytes;
};

static enum sl_err client_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct client *c = self;
    enum sl_err    err;

    c->talk = *(const enum talk *)args;
    if ((err = sl_net_connect(sl_env(ctx)->net, address, &c->socket, sl_why(ctx))) != SL_OK)
        return err;
    return sl_io_watch(ctx, &c->io, c->socket, SL_SOCKET_WRITABLE);
}

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

/* Write as much as goes, at least BYTES_MIN and until the first refusal. */
static enum sl_err client_write(struct sl_ctx *ctx, struct client *c)
{
    uint8_t     bytes[CHUNK];
    size_t      put;
    enum sl_err err;

    while (c->sent < BYTES_MIN || !c->refused) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = pattern(c->sent + i);
        err = sl_socket_write(c->socket, bytes, sizeof bytes, &put, sl_why(ctx));
        if (err == SL_AGAIN) {
            c->refused = true;
            atomic_fetch_add(&seen.again, 1);
            return SL_OK; /* level-triggered: ready comes again when there is room */
        }
        if (err != SL_OK)
            return err;
        for (size_t i = 0; i < put; i++)
            c->sum += bytes[i] * (++c->sent);
    }
    if ((err = sl_socket_shut(c->socket, sl_why(ctx))) != SL_OK)
        return err;
    c->shut = true;
    return sl_io_watch(ctx, &c->io, c->socket, SL_SOCKET_READABLE); /* other events, same watch */
}

static enum sl_err client_read(struct sl_ctx *ctx, struct client *c)
{
    char       *report = (char *)&c->report;
    size_t      got;
    enum sl_err err;

    err = sl_socket_read(c->socket, report + c->report_bytes, sizeof c->report - c->report_bytes,
                         &got, sl_why(ctx));
    if (err == SL_AGAIN)
        return SL_OK;
    if (err != SL_OK && c->talk != TALK_DIE) /* what we sent it may be unread: then it is a reset */
        return err;
    if (c->talk == TALK_DIE) {
        atomic_fetch_add(&seen.ends, 1);
        sl_stop(ctx);
        return SL_OK;
    }
    if (c->talk == TALK_WAIT) { /* all are being stopped, and the session was first */
        expect(got == 0, "a word nobody said");
        sl_io_unwatch(ctx, &c->io);
        return SL_OK;
    }
    expect(got > 0, "no report");
    c->report_bytes += got;
    if (c->report_bytes < sizeof c->report)
        return got > 0 ? SL_OK : SL_RESET;
    expect(c->report.bytes == c->sent && c->report.sum == c->sum, "a wrong report");
    atomic_fetch_add(&seen.reports, 1);
    sl_stop(ctx);
    return SL_OK;
}

static enum sl_err client_begin(struct sl_ctx *ctx, struct client *c)
{
    char        first = (char)c->talk;
    size_t      put;
    enum sl_err err = sl_socket_connected(c->socket, sl_why(ctx));

    if (err != SL_OK)
        return err == SL_AGAIN ? SL_OK : err;
    err = sl_socket_write(c->socket, &first, 1, &put, sl_why(ctx));
    if (err != SL_OK)
        return err == SL_AGAIN ? SL_OK : err;
    c->begun = true;
    if (c->talk == TALK_BULK)
        return SL_OK;
    return sl_io_watch(ctx, &c->io, c->socket, SL_SOCKET_READABLE);
}

static enum sl_err client_ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct client *c = self;

    (void)events;
    expect(io == &c->io && io->socket == c->socket, "the wrong watch");
    if (!c->begun)
        return client_begin(ctx, c);
    if (c->talk == TALK_BULK && !c->shut)
        return client_write(ctx, c);
    if (c->talk == TALK_RESET) {
        sl_io_unwatch(ctx, io);      /* inside its own call */
        sl_socket_close(&c->socket); /* with the greeting unread */
        sl_stop(ctx);
        return SL_OK;
    }
    return client_read(ctx, c);
}

static enum sl_err client_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

static void client_stop(struct sl_ctx *ctx, void *self)
{
    struct client *c = self;

    (void)ctx;
    expect(c->io.socket == NULL, "the client watches in stop");
    sl_socket_close(&c->socket);
    atomic_fetch_add(&seen.clients, 1);
}

static const struct sl_actor_class client_class = {
    .name = "client",
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct client),
    .start = client_start,
    .handle = client_handle,
    .ready = client_ready,
    .stop = client_stop,
};

static const struct sl_topology_actor actors[] = {{&stage_root_class, 1},
                                                  {&server_class, 1},
                                                  {&session_class, SESSIONS_MAX},
                                                  {&client_class, SESSIONS_MAX}};
static const struct sl_topology       topology = {
          .program = "io", .actors = actors, .actor_count = STAGE_COUNT(actors)};

/* ---- scenes ---- */

static void spawn_client(struct sl_ctx *ctx, enum talk talk)
{
    struct sl_ref ref;

    expect(sl_spawn(ctx, &client_class, &talk, sizeof talk, &ref) == SL_OK, "no client");
}

static void spawn_server(struct sl_ctx *ctx)
{
    expect(sl_spawn(ctx, &server_class, NULL, 0, &server_ref) == SL_OK, "no server");
}

static bool listening(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.listening) == 1;
}

static void begin_bulk(struct sl_ctx *ctx)
{
    spawn_client(ctx, TALK_BULK);
}

static bool one_gone(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.clients) == 1 && atomic_load(&seen.sessions) == 1;
}

static void begin_reset(struct sl_ctx *ctx)
{
    spawn_client(ctx, TALK_RESET);
}

static bool two_gone(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.clients) == 2 && atomic_load(&seen.sessions) == 2;
}

static void begin_dying(struct sl_ctx *ctx)
{
    spawn_client(ctx, TALK_DIE);
}

static bool three_gone(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.clients) == 3 && atomic_load(&seen.sessions) == 3;
}

static void begin_waiting(struct sl_ctx *ctx)
{
    spawn_client(ctx, TALK_WAIT);
    spawn_client(ctx, TALK_WAIT);
}

static bool both_wait(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.waiting) == 2;
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;

    (void)ctx;
    (void)self;
    if (msg->type == SL_MSG_CHILD_ENDED && ended->err != SL_OK)
        return sl_fail(sl_why(ctx), ended->err, "%s: %s", ended->class_name, ended->why.text);
    return SL_OK;
}

static const struct stage_scene scenes[] = {
    {.play = spawn_server},
    {.play = begin_bulk, .ready = listening},
    {.play = begin_reset, .ready = one_gone},
    {.play = begin_dying, .ready = two_gone},
    {.play = begin_waiting, .ready = three_gone},
    {.ready = both_wait},
};
static const struct stage stage = {STAGE(scenes), .system = root_system};

static void reset(void)
{
    memset(&seen, 0, sizeof seen);
    atomic_store(&last_error, NULL);
}

static void check(void)
{
    const char *error = atomic_load(&last_error);

    if (error != NULL)
        fail_msg("%s", error);
    assert_int_equal(seen.wrong, 0);
    assert_true(seen.again > 0);
    assert_int_equal(seen.reports, 1);
    assert_int_equal(seen.resets, 1);
    assert_int_equal(seen.ends, 1);
    assert_int_equal(seen.clients, 5);
    assert_int_equal(seen.sessions, 5); /* the last ones ended with their server, watching */
}

static void on_event_loops_actors_exchange_bytes_over_real_sockets(void **state)
{
    (void)state;
    listen_on = "127.0.0.1:0";
    for (unsigned loops = 1; loops <= 3; loops++) {
        struct sl_runtime_options options = {
            .env = sl_env_os(), .topology = &topology, .io_loops = loops};
        struct sl_why why = {0};

        reset();
        if (stage_play_on_threads(&stage, options, &why) != SL_OK)
            fail_msg("%s", why.text);
        check();
    }
}

static uint64_t play_seed(uint64_t seed)
{
    struct sl_why why = {0};

    reset();
    if (stage_play_seed(&stage, &topology, seed, &why) != SL_OK)
        fail_msg("seed %u: %s", (unsigned)seed, why.text);
    check();
    return stage_fingerprint();
}

static void the_same_actors_run_over_the_simulated_network_and_repeat_by_seed(void **state)
{
    uint64_t before = 0;

    (void)state;
    listen_on = "pump:8250";
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t fingerprint = play_seed(seed);

        assert_true(fingerprint == play_seed(seed));
        assert_true(fingerprint != before);
        before = fingerprint;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_event_loops_actors_exchange_bytes_over_real_sockets),
        cmocka_unit_test(the_same_actors_run_over_the_simulated_network_and_repeat_by_seed),
    };

    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
