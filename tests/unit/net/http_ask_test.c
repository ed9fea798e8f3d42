/* Questions over HTTP: an answer is taken as long as it says or as its connection lasts, whatever
 * its pieces; what breaks off, is no HTTP, is too long, or never comes is told apart; many are
 * asked at one time. Real sockets of this machine; the servers run on a thread. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "net/http_ask.h"
#include "net/http_post.h"

enum { SERVERS_MAX = 8, HEAD_BYTES_MAX = 4096 };

/* Takes one connection, reads a question, writes its text and closes; with no text it keeps the
 * connection until the test is over. A close before all is read would break the connection. */
struct server {
    struct sl_socket *listener;
    struct sl_socket *peer;
    char              address[SL_ADDR_BYTES_MAX];
    const char       *text;
    size_t            bytes;
    char              head[HEAD_BYTES_MAX];
    pthread_t         thread;
};

static void wait_for(struct sl_socket *socket, unsigned events)
{
    struct sl_socket_wait wait = {.socket = socket, .events = events};

    sl_net_wait(sl_env_os()->net, &wait, 1, UINT64_MAX);
}

static void write_all(struct server *s)
{
    size_t      sent = 0;
    size_t      put;
    enum sl_err err;

    while (sent < s->bytes) {
        size_t step = s->bytes - sent > 1000000 ? s->bytes - sent : (s->bytes - sent + 2) / 3;

        if ((err = sl_socket_write(s->peer, s->text + sent, step, &put, NULL)) == SL_OK)
            sent += put;
        else if (err == SL_AGAIN)
            wait_for(s->peer, SL_SOCKET_WRITABLE);
        else
            return; /* the client has gone, as it may */
    }
}

/* Is the question there, body and all? */
static bool whole(const char *question)
{
    static const char length[] = "\r\nContent-Length: ";
    const char       *field = strstr(question, length);
    const char       *end = strstr(question, "\r\n\r\n");

    return end != NULL && field != NULL &&
           strlen(end + 4) >= strtoul(field + sizeof length - 1, NULL, 10);
}

static void *serve(void *argument)
{
    struct server *s = argument;
    size_t         used = 0;
    size_t         got = 1;

    while (sl_socket_accept(s->listener, &s->peer, NULL) == SL_AGAIN)
        wait_for(s->listener, SL_SOCKET_READABLE);
    while (got > 0 && !whole(s->head)) {
        if (sl_socket_read(s->peer, s->head + used, sizeof s->head - 1 - used, &got, NULL) == SL_OK)
            used += got;
        else
            wait_for(s->peer, SL_SOCKET_READABLE);
    }
    if (s->text == NULL)
        return NULL;
    write_all(s);
    sl_socket_close(&s->peer);
    return NULL;
}

static void start(struct server *s, const char *text)
{
    *s = (struct server){.text = text, .bytes = text != NULL ? strlen(text) : 0};
    assert_int_equal(sl_net_listen(sl_env_os()->net, "127.0.0.1:0", &s->listener, NULL), SL_OK);
    sl_socket_local(s->listener, s->address);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void end(struct server *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    sl_socket_close(&s->peer);
    sl_socket_close(&s->listener);
}

/* Ask a server that answers with this text. The answer is the caller's. */
static struct sl_http_ask ask(const char *text)
{
    struct server      server;
    struct sl_http_ask one = {.method = "GET", .path = "/status"};

    start(&server, text);
    one.address = server.address;
    sl_http_ask_all(sl_env_os(), &one, 1, (sl_nanos)10 * SL_NANOS_PER_S);
    end(&server);
    assert_non_null(strstr(server.head, "GET /status HTTP/1.0\r\n"));
    assert_non_null(strstr(server.head, "\r\nContent-Length: 0\r\n"));
    return one;
}

static void assert_answer(const char *text, unsigned status, const char *body)
{
    struct sl_http_ask one = ask(text);

    assert_int_equal(one.err, SL_OK);
    assert_int_equal(one.status, status);
    assert_int_equal(one.answer->len, strlen(body));
    assert_memory_equal(one.answer->data, body, strlen(body));
    sl_buf_free(&one.answer);
}

static void assert_no_answer(const char *text, enum sl_err err)
{
    struct sl_http_ask one = ask(text);

    assert_int_equal(one.err, err);
    assert_null(one.answer);
    assert_int_equal(one.status, 0);
    assert_true(one.why.text[0] != '\0');
}

static void answers_are_taken_whole(void **state)
{
    (void)state;
    assert_answer("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello");
    assert_answer("HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello and more", 200, "hello");
    assert_answer("HTTP/1.0 503 Busy\r\nX: Content-Length: 9\r\n\r\nlasts as long as it does", 503,
                  "lasts as long as it does");
    assert_answer("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
}

static void what_is_no_whole_answer_is_told_apart(void **state)
{
    (void)state;
    assert_no_answer("HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhello", SL_RESET);
    assert_no_answer("HTTP/1.0 200 OK\r\nContent-Le", SL_INVALID);
    assert_no_answer("", SL_INVALID);
    assert_no_answer("SSH-2.0-OpenSSH\r\n\r\n", SL_INVALID);
    assert_no_answer("HTTP/1.0 OK\r\n\r\n", SL_INVALID);
    assert_no_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", SL_INVALID);
    assert_no_answer("HTTP/1.0 200 OK\r\nContent-Length: x\r\n\r\n", SL_INVALID);
    assert_no_answer("HTTP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n", SL_TOO_LARGE);
}

static void an_answer_without_end_is_given_up(void **state)
{
    static const char head[] = "HTTP/1.0 200 OK\r\n\r\n";
    size_t            bytes = 3 * (size_t)SL_HTTP_ASK_BYTES_MAX;
    char             *text = malloc(bytes);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', bytes);
    memcpy(text, head, sizeof head - 1);
    text[bytes - 1] = '\0';
    assert_no_answer(text, SL_TOO_LARGE);
    free(text);
}

static void silence_of_some_costs_the_others_nothing(void **state)
{
    struct server      servers[SERVERS_MAX];
    struct sl_http_ask asks[SERVERS_MAX + 2];

    (void)state;
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        start(&servers[i], i % 2 == 0 ? "HTTP/1.0 200 OK\r\n\r\nyes" : NULL);
        asks[i] =
            (struct sl_http_ask){.method = "GET", .address = servers[i].address, .path = "/status"};
    }
    asks[SERVERS_MAX] = (struct sl_http_ask){.method = "GET", .address = "nowhere", .path = "/"};
    asks[SERVERS_MAX + 1] =
        (struct sl_http_ask){.method = "GET", .address = "127.0.0.1:1", .path = "/"};
    sl_http_ask_all(sl_env_os(), asks, SERVERS_MAX + 2, (sl_nanos)300 * SL_NANOS_PER_MS);
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        assert_int_equal(asks[i].err, i % 2 == 0 ? SL_OK : SL_TIMEOUT);
        sl_buf_free(&asks[i].answer);
        end(&servers[i]);
    }
    assert_int_equal(asks[SERVERS_MAX].err, SL_INVALID);
    assert_int_equal(asks[SERVERS_MAX + 1].err, SL_UNAVAILABLE);
}

static void a_post_brings_its_body_and_wants_a_2xx(void **state)
{
    struct server       server;
    struct sl_why       why = {0};
    struct sl_http_post post = {.path = "/metrics/job/binlog",
                                .content_type = "text/plain",
                                .body = "up 1\n",
                                .body_bytes = 5,
                                .timeout = (sl_nanos)10 * SL_NANOS_PER_S};

    (void)state;
    start(&server, "HTTP/1.0 202 Accepted\r\n\r\n");
    post.address = server.address;
    assert_int_equal(sl_http_post(sl_env_os(), &post, &why), SL_OK);
    end(&server);
    assert_non_null(strstr(server.head, "POST /metrics/job/binlog HTTP/1.0\r\n"));
    assert_non_null(strstr(server.head, "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"));
    start(&server, "HTTP/1.0 500 Internal Server Error\r\n\r\n");
    post.address = server.address;
    assert_int_equal(sl_http_post(sl_env_os(), &post, &why), SL_INVALID);
    end(&server);
    assert_non_null(strstr(why.text, "500"));
}

static void names_are_encoded_or_do_not_fit(void **state)
{
    char out[8];

    (void)state;
    assert_false(sl_http_encode("a:1-_.~", out, sizeof out));
    assert_true(sl_http_encode("p:1", out, sizeof out));
    assert_string_equal(out, "p%3A1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_taken_whole),
        cmocka_unit_test(what_is_no_whole_answer_is_told_apart),
        cmocka_unit_test(an_answer_without_end_is_given_up),
        cmocka_unit_test(silence_of_some_costs_the_others_nothing),
        cmocka_unit_test(a_post_brings_its_body_and_wants_a_2xx),
        cmocka_unit_test(names_are_encoded_or_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
