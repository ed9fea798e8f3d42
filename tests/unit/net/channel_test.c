/* Channels against a real server: calls of all kinds come through, and whatever goes wrong at the
 * other end is an end of the call within its time, after which the channel works again. The server
 * is a thread; what it shall do is said by the method that is called. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "lib/host.h"
#include "net/channel.h"

enum {
    LARGE = 300 * 1000, /* more than a window */
    CALLS = 200,        /* at one time, on each channel */
    CHANNELS = 3,
};

static const sl_nanos patience = 20 * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos moment = 50 * (sl_nanos)SL_NANOS_PER_MS;

/* ---- the server ---- */

static const char *const methods[] = {"Echo", "Fail", "Silent", "None",   "Two",
                                      "Many", "Bidi", "Vanish", "Goaway", "Stop"};
enum method { ECHO, FAIL, SILENT, NONE, TWO, MANY, BIDI, VANISH, GOAWAY, STOP, METHODS };

struct server {
    struct host       host;
    struct sl_thread *thread;
    bool              vanish;
    bool              goaway;
    bool              stop;
};

static struct server server;

static enum method method_of(const struct sl_grpc_call *call)
{
    return (enum method)(uintptr_t)sl_grpc_call_context(call);
}

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    char expected[32];

    (void)context;
    for (uintptr_t i = 0; i < METHODS; i++) {
        (void)snprintf(expected, sizeof expected, "/test.Test/%s", methods[i]);
        if (!sl_slice_equal(path, sl_slice_from_string(expected)))
            continue;
        sl_grpc_call_set_context(call, (void *)i);
        return i == BIDI ? SL_GRPC_MANY_MESSAGES : SL_GRPC_ONE_MESSAGE;
    }
    return SL_GRPC_NO_METHOD;
}

static void send_bytes(struct sl_grpc_call *call, size_t count)
{
    struct sl_buf *message = sl_buf_new(count);

    memset(message->data, (int)(count % 251), count);
    assert_int_equal(sl_grpc_send(call, &message), SL_OK);
}

/* The first byte says how many, the length how large. */
static void send_many(struct sl_grpc_call *call, const struct sl_buf *message)
{
    for (unsigned i = 0; i < message->data[0]; i++)
        send_bytes(call, message->len);
    sl_grpc_finish(call, SL_GRPC_OK, NULL);
}

static void echo(struct sl_grpc_call *call, struct sl_buf **message)
{
    assert_int_equal(sl_grpc_send(call, message), SL_OK);
    sl_grpc_finish(call, SL_GRPC_OK, NULL);
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    enum method method = method_of(call);

    (void)context;
    sl_grpc_consume(call, (*message)->len);
    server.vanish = server.vanish || method == VANISH;
    server.goaway = server.goaway || method == GOAWAY;
    server.stop = server.stop || method == STOP;
    switch (method) {
    case ECHO:
    case GOAWAY:
    case STOP: echo(call, message); return;
    case FAIL: sl_grpc_finish(call, SL_GRPC_FAILED_PRECONDITION, "not as you like it"); return;
    case NONE: sl_grpc_finish(call, SL_GRPC_OK, NULL); return;
    case TWO:
        send_bytes(call, 1);
        echo(call, message);
        return;
    case MANY: send_many(call, *message); return;
    case BIDI: assert_int_equal(sl_grpc_send(call, message), SL_OK); return;
    case SILENT:
    case VANISH:
    case METHODS: return;
    }
}

static void on_half_closed(void *context, struct sl_grpc_call *call)
{
    (void)context;
    if (method_of(call) == BIDI)
        sl_grpc_finish(call, SL_GRPC_OK, NULL);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    (void)context, (void)call, (void)status, (void)text;
}

static const struct sl_grpc_events server_events = {
    .called = on_called, .message = on_message, .half_closed = on_half_closed, .over = on_over};

static void serve(void *argument)
{
    struct sl_socket_wait waits[HOST_WAITS_MAX];

    (void)argument;
    while (!server.stop || server.host.count > 0) {
        sl_nanos until = UINT64_MAX;
        uint32_t count = host_waits(&server.host, waits, &until);

        sl_net_wait(sl_env_os()->net, waits, count, until);
        host_step(&server.host);
        if (server.goaway)
            host_goaway(&server.host);
        server.goaway = false;
        if (server.vanish)
            host_drop(&server.host);
        server.vanish = false;
    }
}

static int start_server(void **state)
{
    struct sl_why why = {0};

    (void)state;
    server = (struct server){0};
    if (host_open(&server.host, sl_env_os(), "127.0.0.1:0", &server_events, NULL, &why) != SL_OK)
        fail_msg("%s", why.text);
    return sl_env_os()->threads->start(sl_env_os()->threads, "server", serve, NULL, &server.thread,
                                       NULL) == SL_OK
               ? 0
               : -1;
}

/* ---- the client ---- */

static struct sl_channel *channel_to(const char *address)
{
    struct sl_channel *channel = NULL;
    struct sl_why      why = {0};

    if (sl_channel_new(sl_env_os(), address, 0, &channel, &why) != SL_OK)
        fail_msg("%s", why.text);
    return channel;
}

static struct sl_channel *channel_to_server(void)
{
    return channel_to(server.host.address);
}

static struct sl_buf *bytes_of(size_t count, uint8_t value)
{
    struct sl_buf *buf = sl_buf_new(count);

    memset(buf->data, value, count);
    return buf;
}

static const char *path_of(enum method method)
{
    static char path[32];

    (void)snprintf(path, sizeof path, "/test.Test/%s", methods[method]);
    return path;
}

static enum sl_err unary_of(struct sl_channel *channel, enum method method, size_t count,
                            sl_nanos timeout, struct sl_channel_end *end)
{
    struct sl_buf *request = bytes_of(count, 7);
    struct sl_buf *response = NULL;
    enum sl_err err = sl_channel_unary(channel, path_of(method), &request, timeout, &response, end);

    assert_null(request);
    assert_int_equal(err == SL_OK, response != NULL);
    if (err == SL_OK) {
        assert_int_equal(end->status, SL_GRPC_OK);
        assert_int_equal(response->len, count);
        assert_true(count == 0 || response->data[count - 1] == 7);
    }
    sl_buf_free(&response);
    return err;
}

static enum sl_err unary(struct sl_channel *channel, enum method method, size_t count)
{
    struct sl_channel_end end;

    return unary_of(channel, method, count, patience, &end);
}

static int stop_server(void **state)
{
    struct sl_channel *channel = channel_to_server();

    (void)state;
    assert_int_equal(unary(channel, STOP, 1), SL_OK);
    sl_channel_free(&channel);
    sl_env_os()->threads->join(sl_env_os()->threads, &server.thread);
    host_close(&server.host);
    return sl_buf_live_count() == 0 ? 0 : -1;
}

static void assert_said(const struct sl_channel_end *end, const char *words)
{
    if (strstr(end->why.text, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, end->why.text);
}

/* ---- addresses ---- */

static void addresses_and_urls_are_understood_or_refused(void **state)
{
    static const struct {
        const char *address;
        enum sl_err err;
    } cases[] = {
        {"127.0.0.1:2379", SL_OK},
        {"pd:2379", SL_OK},
        {"[::1]:2379", SL_OK},
        {"http://pd-0.pd.svc:2379", SL_OK},
        {"unix:/run/pd.sock", SL_OK},
        {"unix:///run/pd.sock", SL_OK},
        {"https://pd:2379", SL_UNSUPPORTED},
        {"unixs:///run/pd.sock", SL_UNSUPPORTED},
        {"", SL_INVALID},
        {"pd", SL_INVALID},
        {":2379", SL_INVALID},
        {"pd:", SL_INVALID},
        {"pd:0", SL_INVALID},
        {"pd:65536", SL_INVALID},
        {"pd:2379x", SL_INVALID},
        {"::1:2379", SL_INVALID},
        {"http://pd:2379/", SL_INVALID},
        {"ftp://pd:2379", SL_INVALID},
        {"unix:", SL_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_channel *channel = NULL;
        struct sl_why      why = {0};
        enum sl_err        err = sl_channel_new(sl_env_os(), cases[i].address, 0, &channel, &why);

        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].address, sl_err_name(err));
        if (err == SL_OK)
            assert_string_equal(sl_channel_address(channel), cases[i].address);
        else
            assert_non_null(strstr(why.text, cases[i].address));
        sl_channel_free(&channel);
    }
}

static void a_url_leads_to_the_server(void **state)
{
    char               url[SL_ADDR_BYTES_MAX + 8];
    struct sl_channel *channel;

    (void)state;
    (void)snprintf(url, sizeof url, "http://%s", server.host.address);
    channel = channel_to(url);
    assert_int_equal(unary(channel, ECHO, 5), SL_OK);
    sl_channel_free(&channel);
}

/* ---- unary ---- */

static void unary_calls_of_every_size_are_answered(void **state)
{
    struct sl_channel *channel = channel_to_server();

    (void)state;
    assert_int_equal(unary(channel, ECHO, 0), SL_OK);
    assert_int_equal(unary(channel, ECHO, 1), SL_OK);
    assert_int_equal(unary(channel, ECHO, LARGE), SL_OK);
    assert_int_equal(unary(channel, ECHO, 10 * LARGE), SL_OK);
    sl_channel_free(&channel);
}

static void an_error_status_comes_with_the_words_of_the_server(void **state)
{
    struct sl_channel    *channel = channel_to_server();
    struct sl_channel_end end;
    struct sl_buf        *request = bytes_of(1, 1);
    struct sl_buf        *response;

    (void)state;
    assert_int_equal(unary_of(channel, FAIL, 1, patience, &end), SL_INVALID);
    assert_int_equal(end.status, SL_GRPC_FAILED_PRECONDITION);
    assert_string_equal(end.why.text, "not as you like it");
    assert_int_equal(
        sl_channel_unary(channel, "/test.Test/Unknown", &request, patience, &response, &end),
        SL_INVALID);
    assert_int_equal(end.status, SL_GRPC_UNIMPLEMENTED);
    assert_int_equal(unary(channel, ECHO, 1), SL_OK);
    sl_channel_free(&channel);
}

static void no_answer_and_two_are_errors(void **state)
{
    struct sl_channel    *channel = channel_to_server();
    struct sl_channel_end end;

    (void)state;
    assert_int_equal(unary_of(channel, NONE, 1, patience, &end), SL_INVALID);
    assert_said(&end, "the server sent 0 messages, not one");
    assert_int_equal(unary_of(channel, TWO, 1, patience, &end), SL_INVALID);
    assert_said(&end, "the server sent 2 messages, not one");
    assert_int_equal(end.status, SL_GRPC_INTERNAL);
    sl_channel_free(&channel);
}

static void a_call_ends_at_its_time_and_the_next_goes_on(void **state)
{
    struct sl_channel    *channel = channel_to_server();
    struct sl_channel_end end;

    (void)state;
    assert_int_equal(unary_of(channel, SILENT, 1, moment, &end), SL_TIMEOUT);
    assert_int_equal(end.status, SL_GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(unary_of(channel, SILENT, 1, 0, &end), SL_TIMEOUT);
    assert_int_equal(unary(channel, ECHO, 1), SL_OK);
    sl_channel_free(&channel);
}

/* ---- a server that is gone, or is none ---- */

static void a_server_that_goes_ends_the_call_and_is_found_when_it_is_back(void **state)
{
    struct sl_channel    *channel = channel_to_server();
    struct sl_channel_end end;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(unary(channel, ECHO, 1), SL_OK);
        assert_int_equal(unary_of(channel, VANISH, 1, patience, &end), SL_UNAVAILABLE);
        assert_int_equal(end.status, SL_GRPC_UNAVAILABLE);
        assert_said(&end, server.host.address);
    }
    assert_int_equal(unary(channel, ECHO, 1), SL_OK);
    sl_channel_free(&channel);
}

static void an_idle_connection_that_was_closed_costs_no_call(void **state)
{
    struct sl_channel *idle = channel_to_server();
    struct sl_channel *other = channel_to_server();

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(unary(idle, ECHO, 1), SL_OK);
        assert_int_equal(unary(other, VANISH, 1), SL_UNAVAILABLE);
        assert_int_equal(unary(other, ECHO, 1), SL_OK); /* so all are closed by now */
    }
    assert_int_equal(unary(idle, ECHO, 1), SL_OK);
    sl_channel_free(&idle);
    sl_channel_free(&other);
}

static void nobody_there_is_unavailable_at_once(void **state)
{
    struct host           nobody;
    struct sl_channel    *channel;
    struct sl_channel_end end;

    (void)state;
    assert_int_equal(host_open(&nobody, sl_env_os(), "127.0.0.1:0", &server_events, NULL, NULL),
                     SL_OK);
    host_close(&nobody);
    channel = channel_to(nobody.address);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(unary_of(channel, ECHO, 1, patience, &end), SL_UNAVAILABLE);
        assert_said(&end, "Connection refused");
    }
    sl_channel_free(&channel);
    channel = channel_to("unix:/nowhere/at/all");
    assert_int_equal(unary_of(channel, ECHO, 1, patience, &end), SL_UNAVAILABLE);
    sl_channel_free(&channel);
}

static struct sl_socket *accept_one(struct sl_socket *listener)
{
    struct sl_socket_wait wait = {listener, SL_SOCKET_READABLE, 0};
    struct sl_socket     *peer = NULL;

    sl_net_wait(sl_env_os()->net, &wait, 1, sl_env_now(sl_env_os()) + patience);
    assert_int_equal(wait.ready, SL_SOCKET_READABLE);
    assert_int_equal(sl_socket_accept(listener, &peer, NULL), SL_OK);
    return peer;
}

/* The kernel connects, but nobody hears: the second call comes on a connection of its own. */
static void a_deaf_server_is_a_timeout_each_time(void **state)
{
    struct sl_socket     *listener = NULL;
    struct sl_socket     *peers[2];
    struct sl_channel    *channel;
    struct sl_channel_end end;
    char                  address[SL_ADDR_BYTES_MAX];

    (void)state;
    assert_int_equal(sl_net_listen(sl_env_os()->net, "127.0.0.1:0", &listener, NULL), SL_OK);
    sl_socket_local(listener, address);
    channel = channel_to(address);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(unary_of(channel, ECHO, 1, moment, &end), SL_TIMEOUT);
        peers[i] = accept_one(listener);
    }
    sl_channel_free(&channel);
    sl_socket_close(&peers[0]);
    sl_socket_close(&peers[1]);
    sl_socket_close(&listener);
}

static enum sl_err step_to_end(struct sl_channel *channel, struct sl_why *why)
{
    sl_nanos    until = sl_env_now(sl_env_os()) + patience;
    enum sl_err err;

    while ((err = sl_channel_step(channel, why)) == SL_OK && sl_env_now(sl_env_os()) < until)
        sl_channel_wait(&channel, 1, until);
    return err;
}

static void a_peer_that_speaks_garbage_is_refused(void **state)
{
    static const char         garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    struct sl_socket         *listener = NULL;
    struct sl_socket         *peer;
    struct sl_channel        *channel;
    struct sl_channel_stream *stream = NULL;
    struct sl_channel_end     end;
    struct sl_buf            *message;
    char                      address[SL_ADDR_BYTES_MAX];
    struct sl_why             why = {0};
    size_t                    put;

    (void)state;
    assert_int_equal(sl_net_listen(sl_env_os()->net, "127.0.0.1:0", &listener, NULL), SL_OK);
    sl_socket_local(listener, address);
    channel = channel_to(address);
    assert_int_equal(sl_channel_stream_open(channel, path_of(BIDI), &stream, NULL), SL_OK);
    peer = accept_one(listener);
    assert_int_equal(sl_socket_write(peer, garbage, sizeof garbage - 1, &put, NULL), SL_OK);
    assert_int_equal(step_to_end(channel, &why), SL_INVALID);
    assert_non_null(strstr(why.text, address));
    assert_int_equal(sl_channel_stream_next(stream, 0, &message, &end), SL_UNAVAILABLE);
    message = bytes_of(1, 1);
    assert_int_equal(sl_channel_stream_send(stream, &message), SL_UNAVAILABLE);
    assert_null(message);
    sl_channel_stream_free(&stream);
    sl_channel_free(&channel);
    sl_socket_close(&peer);
    sl_socket_close(&listener);
}

/* A clock that the test puts forward. */
static sl_nanos ahead;

static sl_nanos shifted_now(struct sl_clock *clock)
{
    (void)clock;
    return sl_env_now(sl_env_os()) + ahead;
}

static void a_peer_that_falls_silent_is_asked_and_then_given_up(void **state)
{
    struct sl_clock           clock = {.now = shifted_now, .wall = sl_env_os()->clock->wall};
    struct sl_env             env = *sl_env_os();
    struct sl_socket         *listener = NULL;
    struct sl_socket         *peer;
    struct sl_channel        *channel = NULL;
    struct sl_channel_stream *stream = NULL;
    char                      address[SL_ADDR_BYTES_MAX];
    struct sl_why             why = {0};

    (void)state;
    env.clock = &clock;
    ahead = 0;
    assert_int_equal(sl_net_listen(env.net, "127.0.0.1:0", &listener, NULL), SL_OK);
    sl_socket_local(listener, address);
    assert_int_equal(sl_channel_new(&env, address, 0, &channel, NULL), SL_OK);
    assert_int_equal(sl_channel_stream_open(channel, path_of(BIDI), &stream, NULL), SL_OK);
    peer = accept_one(listener);
    assert_int_equal(sl_channel_step(channel, NULL), SL_OK);
    ahead += SL_CHANNEL_PING_S * (sl_nanos)SL_NANOS_PER_S;
    assert_int_equal(sl_channel_step(channel, NULL), SL_OK);
    ahead += SL_CHANNEL_PONG_S * (sl_nanos)SL_NANOS_PER_S;
    assert_int_equal(sl_channel_step(channel, &why), SL_RESET);
    assert_non_null(strstr(why.text, "silent: no answer to a ping within 10 s"));
    sl_channel_stream_free(&stream);
    sl_channel_free(&channel);
    sl_socket_close(&peer);
    sl_socket_close(&listener);
}

/* ---- streams ---- */

static struct sl_channel_stream *open_stream(struct sl_channel *channel, enum method method)
{
    struct sl_channel_stream *stream = NULL;
    struct sl_why             why = {0};

    if (sl_channel_stream_open(channel, path_of(method), &stream, &why) != SL_OK)
        fail_msg("%s", why.text);
    return stream;
}

static void send_one(struct sl_channel_stream *stream, size_t count, uint8_t value)
{
    struct sl_buf *message = bytes_of(count, value);

    assert_int_equal(sl_channel_stream_send(stream, &message), SL_OK);
    assert_null(message);
}

static void hear_one(struct sl_channel_stream *stream, size_t count, uint8_t value)
{
    struct sl_channel_end end;
    struct sl_buf        *message = NULL;

    assert_int_equal(sl_channel_stream_next(stream, patience, &message, &end), SL_OK);
    assert_int_equal(message->len, count);
    assert_int_equal(message->data[0], value);
    sl_buf_free(&message);
}

static void hear_end(struct sl_channel_stream *stream, enum sl_err err, enum sl_grpc_status status)
{
    struct sl_channel_end end;
    struct sl_buf        *message = NULL;

    assert_int_equal(sl_channel_stream_next(stream, patience, &message, &end), err);
    assert_null(message);
    assert_int_equal(end.status, status);
}

static void a_server_streams_small_and_large_messages_in_order(void **state)
{
    static const size_t sizes[] = {10, 60 * 1000, LARGE};
    struct sl_channel  *channel = channel_to_server();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct sl_channel_stream *stream = open_stream(channel, MANY);

        send_one(stream, sizes[i], 3);
        sl_channel_stream_half_close(stream);
        for (int k = 0; k < 3; k++)
            hear_one(stream, sizes[i], (uint8_t)(sizes[i] % 251));
        hear_end(stream, SL_STOPPED, SL_GRPC_OK);
        hear_end(stream, SL_STOPPED, SL_GRPC_OK);
        sl_channel_stream_free(&stream);
    }
    sl_channel_free(&channel);
}

static void both_sides_talk_on_streams_side_by_side(void **state)
{
    struct sl_channel        *channel = channel_to_server();
    struct sl_channel_stream *a = open_stream(channel, BIDI);
    struct sl_channel_stream *b = open_stream(channel, BIDI);
    struct sl_channel_end     end;
    struct sl_buf            *message;

    (void)state;
    for (uint8_t i = 0; i < 50; i++) {
        send_one(a, 100, i);
        send_one(b, LARGE, (uint8_t)(i + 100));
        hear_one(b, LARGE, (uint8_t)(i + 100));
        hear_one(a, 100, i);
    }
    assert_int_equal(sl_channel_stream_next(a, moment, &message, &end), SL_TIMEOUT);
    send_one(a, 1, 9); /* it goes on */
    hear_one(a, 1, 9);
    sl_channel_stream_half_close(a);
    hear_end(a, SL_STOPPED, SL_GRPC_OK);
    sl_channel_stream_free(&b); /* cancels */
    assert_int_equal(unary(channel, ECHO, 1), SL_OK);
    sl_channel_stream_free(&a);
    sl_channel_free(&channel);
}

static void a_stream_hears_when_its_server_or_channel_goes(void **state)
{
    struct sl_channel        *channel = channel_to_server();
    struct sl_channel_stream *a = open_stream(channel, BIDI);
    struct sl_channel_stream *b;

    (void)state;
    send_one(a, 1, 1);
    hear_one(a, 1, 1);
    assert_int_equal(unary(channel, VANISH, 1), SL_UNAVAILABLE);
    hear_end(a, SL_UNAVAILABLE, SL_GRPC_UNAVAILABLE);
    sl_channel_stream_free(&a);
    b = open_stream(channel, BIDI);
    sl_channel_free(&channel);
    hear_end(b, SL_UNAVAILABLE, SL_GRPC_UNAVAILABLE);
    sl_channel_stream_free(&b);
}

static void after_goaway_open_calls_go_on_and_new_ones_come_through(void **state)
{
    struct sl_channel        *channel = channel_to_server();
    struct sl_channel_stream *old = open_stream(channel, BIDI);
    struct sl_channel_stream *new;

    (void)state;
    send_one(old, 1, 1);
    hear_one(old, 1, 1);
    assert_int_equal(unary(channel, GOAWAY, 1), SL_OK);
    for (uint8_t i = 0; i < 10; i++) {
        assert_int_equal(unary(channel, ECHO, 1), SL_OK);
        send_one(old, 1, i);
        hear_one(old, 1, i);
    }
    new = open_stream(channel, BIDI);
    sl_channel_stream_half_close(old);
    hear_end(old, SL_STOPPED, SL_GRPC_OK);
    send_one(new, 1, 5);
    hear_one(new, 1, 5);
    sl_channel_stream_free(&old);
    sl_channel_stream_free(&new);
    sl_channel_free(&channel);
}

/* ---- event by event ---- */

struct tally {
    unsigned ok;
    unsigned over;
    unsigned messages;
};

static void count_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    (void)call;
    ((struct tally *)context)->messages += (*message)->len == 10 ? 1 : 0;
}

static void count_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                       const char *text)
{
    struct tally *tally = context;

    (void)call, (void)text;
    tally->over++;
    tally->ok += status == SL_GRPC_OK ? 1 : 0;
}

static const struct sl_grpc_events counting = {.message = count_message, .over = count_over};

static void begin_calls(struct sl_channel *channel, unsigned count, struct tally *tally)
{
    for (unsigned i = 0; i < count; i++) {
        struct sl_buf       *message = bytes_of(10, 1);
        struct sl_grpc      *grpc;
        struct sl_grpc_call *call;

        assert_int_equal(sl_channel_grpc(channel, &grpc, NULL), SL_OK);
        assert_int_equal(sl_grpc_call(grpc, path_of(ECHO), sl_env_now(sl_env_os()) + patience,
                                      &counting, tally, &call, NULL),
                         SL_OK);
        assert_int_equal(sl_grpc_send(call, &message), SL_OK);
        sl_grpc_half_close(call);
    }
}

static void many_calls_fly_on_many_channels(void **state)
{
    struct sl_channel *channels[CHANNELS];
    struct tally       tally = {0};

    (void)state;
    for (unsigned i = 0; i < CHANNELS; i++)
        channels[i] = channel_to_server();
    for (unsigned i = 0; i < CHANNELS; i++)
        begin_calls(channels[i], CALLS, &tally);
    while (tally.over < CHANNELS * CALLS) {
        sl_channel_wait(channels, CHANNELS, UINT64_MAX);
        for (unsigned i = 0; i < CHANNELS; i++)
            assert_int_equal(sl_channel_step(channels[i], NULL), SL_OK);
    }
    assert_int_equal(tally.ok, CHANNELS * CALLS);
    assert_int_equal(tally.messages, CHANNELS * CALLS);
    for (unsigned i = 0; i < CHANNELS; i++)
        sl_channel_free(&channels[i]);
}

/* A handler that hears of an end begins the call again, on the connection that comes next. */
struct persistent {
    struct sl_channel *channel;
    unsigned           ends;
};

static void again(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                  const char *text)
{
    struct persistent           *self = context;
    struct sl_grpc              *grpc;
    struct sl_grpc_call         *next;
    static struct sl_grpc_events events;

    (void)call, (void)text;
    assert_int_equal(status, SL_GRPC_UNAVAILABLE);
    self->ends++;
    events = (struct sl_grpc_events){.message = count_message, .over = again};
    if (sl_channel_grpc(self->channel, &grpc, NULL) == SL_OK)
        assert_int_equal(
            sl_grpc_call(grpc, path_of(SILENT), SL_GRPC_NEVER, &events, self, &next, NULL), SL_OK);
}

static void a_handler_may_begin_the_next_call(void **state)
{
    struct sl_channel *channel = channel_to_server();
    struct persistent  self = {.channel = channel};

    (void)state;
    again(&self, NULL, SL_GRPC_UNAVAILABLE, "");
    assert_int_equal(unary(channel, ECHO, 1), SL_OK);
    assert_int_equal(unary(channel, VANISH, 1), SL_UNAVAILABLE);
    assert_int_equal(self.ends, 2);
    assert_int_equal(unary(channel, ECHO, 1), SL_OK);
    sl_channel_free(&channel);
    assert_int_equal(self.ends, 3);
}

static void waiting_for_nothing_returns(void **state)
{
    struct sl_channel *channel = channel_to_server();
    sl_nanos           until = sl_env_now(sl_env_os()) + moment;

    (void)state;
    sl_channel_wait(&channel, 1, UINT64_MAX);
    while (sl_env_now(sl_env_os()) < until)
        sl_channel_wait(&channel, 1, until);
    assert_int_equal(sl_channel_step(channel, NULL), SL_OK);
    sl_channel_free(&channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_urls_are_understood_or_refused),
        cmocka_unit_test(a_url_leads_to_the_server),
        cmocka_unit_test(unary_calls_of_every_size_are_answered),
        cmocka_unit_test(an_error_status_comes_with_the_words_of_the_server),
        cmocka_unit_test(no_answer_and_two_are_errors),
        cmocka_unit_test(a_call_ends_at_its_time_and_the_next_goes_on),
        cmocka_unit_test(a_server_that_goes_ends_the_call_and_is_found_when_it_is_back),
        cmocka_unit_test(an_idle_connection_that_was_closed_costs_no_call),
        cmocka_unit_test(nobody_there_is_unavailable_at_once),
        cmocka_unit_test(a_deaf_server_is_a_timeout_each_time),
        cmocka_unit_test(a_peer_that_speaks_garbage_is_refused),
        cmocka_unit_test(a_peer_that_falls_silent_is_asked_and_then_given_up),
        cmocka_unit_test(a_server_streams_small_and_large_messages_in_order),
        cmocka_unit_test(both_sides_talk_on_streams_side_by_side),
        cmocka_unit_test(a_stream_hears_when_its_server_or_channel_goes),
        cmocka_unit_test(after_goaway_open_calls_go_on_and_new_ones_come_through),
        cmocka_unit_test(many_calls_fly_on_many_channels),
        cmocka_unit_test(a_handler_may_begin_the_next_call),
        cmocka_unit_test(waiting_for_nothing_returns),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
