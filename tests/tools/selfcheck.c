/* selfcheck: does a program built this way run on this machine at all?
 *
 *   caller (compute) --TALK--> talker (io): connects to itself over loopback and hears an echo
 *                    <-HEARD--
 *
 * Two actors on two lanes, one line, one question, three sockets: enough to link and use every
 * library below the runtime (ck in the mailboxes, libevent in the loop). `./dev cross` runs it
 * where it was built, and tests/build looks at how it was linked. Prints one line; exit code 0 when
 * the bytes came back. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "base/panic.h"
#include "runtime/runtime.h"

enum { LINE_TALK };
static const char text[] = "selfcheck"; /* goes with its terminator */

/* ---- talker ---- */

enum talker_msg { TALKER_TALK = SL_MSG_USER, TALKER_MSGS };
enum caller_msg { CALLER_HEARD = SL_MSG_USER, CALLER_MSGS };

/* Answers TALK: the text came back. */
struct caller_heard {
    struct sl_msg hdr;
    char          text[sizeof text];
};

/* A socket and its watch; all three are the talker's. */
struct end {
    struct sl_socket *socket;
    struct sl_io      io;
};

struct talker {
    struct end     listener;
    struct end     client;   /* writes the text, awaits the echo */
    struct end     server;   /* what the listener accepted; echoes */
    struct sl_msg *question; /* owned until answered, so that a failure answers GONE */
};

static enum sl_err watch(struct sl_ctx *ctx, struct end *end, unsigned events)
{
    return sl_io_watch(ctx, &end->io, end->socket, events);
}

static enum sl_err talk(struct sl_ctx *ctx, struct talker *t)
{
    struct sl_net *net = sl_env(ctx)->net;
    char           address[SL_ADDR_BYTES_MAX];
    enum sl_err    err;

    t->question = sl_take(ctx);
    if ((err = sl_net_listen(net, "127.0.0.1:0", &t->listener.socket, sl_why(ctx))) != SL_OK)
        return err;
    sl_socket_local(t->listener.socket, address);
    if ((err = sl_net_connect(net, address, &t->client.socket, sl_why(ctx))) != SL_OK)
        return err;
    if ((err = watch(ctx, &t->listener, SL_SOCKET_READABLE)) != SL_OK)
        return err;
    return watch(ctx, &t->client, SL_SOCKET_WRITABLE);
}

/* A text this short fits a fresh socket's buffer, or the machine is not fit to run on. */
static enum sl_err write_text(struct sl_ctx *ctx, struct end *end)
{
    size_t      put;
    enum sl_err err = sl_socket_write(end->socket, text, sizeof text, &put, sl_why(ctx));

    if (err == SL_OK && put != sizeof text)
        return sl_fail(sl_why(ctx), SL_IO, "write %zu bytes to loopback: only %zu went",
                       sizeof text, put);
    return err;
}

static enum sl_err read_text(struct sl_ctx *ctx, struct end *end)
{
    char        got_text[sizeof text];
    size_t      got;
    enum sl_err err = sl_socket_read(end->socket, got_text, sizeof got_text, &got, sl_why(ctx));

    if (err == SL_OK && (got != sizeof text || memcmp(got_text, text, sizeof text) != 0))
        return sl_fail(sl_why(ctx), SL_IO, "read from loopback: other bytes than were sent");
    return err;
}

static void answer(struct sl_ctx *ctx, struct talker *t)
{
    struct caller_heard *heard = sl_msg_new(struct caller_heard, CALLER_HEARD);
    struct sl_asker      caller = sl_asker_of(t->question);

    memcpy(heard->text, text, sizeof text);
    sl_msg_discard(t->question, &t->question);
    sl_reply(ctx, caller, &heard);
}

static enum sl_err talker_ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct talker *t = self;
    enum sl_err    err;

    if (io == &t->listener.io) {
        if ((err = sl_socket_accept(t->listener.socket, &t->server.socket, sl_why(ctx))) != SL_OK)
            return err;
        sl_io_unwatch(ctx, io);
        return watch(ctx, &t->server, SL_SOCKET_READABLE);
    }
    if (io == &t->client.io && (events & SL_SOCKET_WRITABLE) != 0) {
        if ((err = sl_socket_connected(t->client.socket, sl_why(ctx))) != SL_OK)
            return err;
        if ((err = write_text(ctx, &t->client)) != SL_OK)
            return err;
        return watch(ctx, &t->client, SL_SOCKET_READABLE);
    }
    if (io == &t->client.io) {
        if ((err = read_text(ctx, &t->client)) != SL_OK)
            return err;
        sl_io_unwatch(ctx, io);
        answer(ctx, t);
        return SL_OK;
    }
    SL_ASSERT(io == &t->server.io);
    if ((err = read_text(ctx, &t->server)) != SL_OK)
        return err;
    sl_io_unwatch(ctx, io);
    return write_text(ctx, &t->server);
}

static enum sl_err talker_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    switch ((enum talker_msg)msg->type) {
    case TALKER_TALK: return talk(ctx, self);
    case TALKER_MSGS: break;
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

static void talker_stop(struct sl_ctx *ctx, void *self)
{
    struct talker *t = self;
    struct end    *ends[] = {&t->listener, &t->client, &t->server};

    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        sl_io_unwatch(ctx, &ends[i]->io);
        sl_socket_close(&ends[i]->socket);
    }
    if (t->question != NULL)
        sl_msg_discard(t->question, &t->question);
}

static const char *const           talker_names[] = {"TALK"};
static const struct sl_actor_class talker_class = {
    .name = "talker",
    .msg_names = talker_names,
    .msg_count = TALKER_MSGS - TALKER_TALK,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct talker),
    .handle = talker_handle,
    .ready = talker_ready,
    .stop = talker_stop,
};

/* ---- caller: the root ---- */

static enum sl_err caller_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_msg *question = sl_msg_alloc(sizeof *question, TALKER_TALK, NULL);
    struct sl_ref  talker;
    enum sl_err    err;

    (void)self;
    (void)args;
    if ((err = sl_spawn(ctx, &talker_class, NULL, 0, &talker)) == SL_OK)
        err = sl_ask_msg(ctx, sl_line(ctx, LINE_TALK, 0), talker, 1, question, &question);
    if (err != SL_OK)
        sl_msg_discard(question, &question);
    return err;
}

static enum sl_err caller_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    switch ((enum caller_msg)msg->type) {
    case CALLER_HEARD:
        (void)printf("%s: two actors, one line, three sockets: all well\n",
                     ((struct caller_heard *)(void *)msg)->text);
        sl_stop(ctx);
        return SL_OK;
    case CALLER_MSGS: break;
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

/* GONE needs no reaction: the talker owed the answer, and CHILD_ENDED says why it ended. */
static enum sl_err caller_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)(void *)msg;

    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    if (msg->type == SL_MSG_CHILD_ENDED && ended->err != SL_OK)
        return sl_fail(sl_why(ctx), ended->err, "%s: %s", ended->class_name, ended->why.text);
    return SL_OK;
}

static const char *const           caller_names[] = {"HEARD"};
static const struct sl_actor_class caller_class = {
    .name = "caller",
    .msg_names = caller_names,
    .msg_count = CALLER_MSGS - CALLER_HEARD,
    .lane = SL_LANE_COMPUTE,
    .questions_max = 1,
    .children_max = 1,
    .start = caller_start,
    .handle = caller_handle,
    .system = caller_system,
};

/* ---- program ---- */

static const struct sl_topology_actor actors[] = {{&caller_class, 1}, {&talker_class, 1}};
static const struct sl_topology_line  lines[] = {
     [LINE_TALK] = {.name = "talk",
                    .credits = 1,
                    .inputs = 1,
                    .path = {&caller_class, &talker_class}},
};
static const struct sl_topology topology = {"selfcheck", actors, 2, lines, 1};

int main(void)
{
    const struct sl_runtime_options options = {.env = sl_env_os(), .topology = &topology};
    struct sl_runtime              *rt = NULL;
    struct sl_why                   why = {0};
    enum sl_err                     err;

    sl_panic_install("selfcheck");
    if ((err = sl_runtime_new(&options, &rt, &why)) != SL_OK)
        goto fail;
    if ((err = sl_runtime_start(rt, NULL, 0, &why)) != SL_OK)
        goto fail;
    if ((err = sl_runtime_wait(rt, &why)) != SL_OK)
        goto fail;
    sl_runtime_free(&rt);
    return EXIT_SUCCESS;

fail:
    (void)fprintf(stderr, "selfcheck: %s (%s)\n", why.text, sl_err_name(err));
    return EXIT_FAILURE;
}
