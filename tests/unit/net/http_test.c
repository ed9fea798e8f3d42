/* Bytes in, requests and answers out: what one HTTP/1 connection does with every split of its
 * input, with what it does not speak, and at every limit. */

#include "unit/net/http_owner.h"

/* A connection that gets this input refuses it with this status line, and ends. */
static void assert_refused(const char *input, const char *status_line)
{
    struct owner *owner = new_owner(NULL);

    exchange(owner, input);
    if (strncmp(owner->written, status_line, strlen(status_line)) != 0)
        fail_msg("%s\n got %s", input, owner->written);
    assert_non_null(strstr(owner->written, CLOSE));
    assert_true(sl_http_is_over(owner->http));
    assert_true(strlen(sl_http_why_text(owner->http)) > 0);
    assert_int_equal(owner->told, 0);
    free_owner(owner);
}

/* ---- requests and answers ---- */

static void a_request_is_told_and_answered(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    exchange(owner, GET("/status?a=1%20&b#f"));
    assert_string_equal(owner->heard, "GET /status?a=1%20&b \n");
    assert_string_equal(owner->written, OK("2") "\r\nok");
    assert_false(sl_http_is_over(owner->http));
    assert_string_equal(sl_http_why_text(owner->http), "");
    free_owner(owner);
}

/* Three requests of all kinds of framing, split in two at every place, and byte by byte. */
static void requests_do_not_depend_on_how_bytes_are_split(void **state)
{
    static const char input[] = "\r\nPUT /state/n%3a1/pause HTTP/1.1\r\nhOST: h\r\n"
                                "Content-Length: 5\r\nExpect: 100-Continue \r\n\r\nhello\r\n"
                                "POST /p HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
                                "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nHost: again\r\n\r\n"
                                "GET http://h:1/abs HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nx";
    static const char heard[] = "PUT /state/n:1/pause? hello\nPOST /p? abc\nGET /abs? \n";
    static const char written[] =
        "HTTP/1.1 100 Continue\r\n\r\n" OK("2") "\r\nok" OK("2") "\r\nok" OK("2") CLOSE "\r\nok";
    size_t len = sizeof input - 1;

    (void)state;
    for (size_t at = 0; at <= len; at++) {
        struct owner   *owner = new_owner(NULL);
        struct sl_slice all = {(const uint8_t *)input, len};
        struct sl_slice piece;

        for (size_t from = 0; from < len; from += piece.len) {
            piece.len = at == len ? 1 : from == 0 && at > 0 ? at : len - from;
            assert_true(sl_slice_sub(all, from, piece.len, &piece));
            sl_http_receive(owner->http, piece);
            write_all(owner, at);
        }
        assert_string_equal(owner->heard, heard);
        assert_string_equal(owner->written, written);
        assert_true(sl_http_is_over(owner->http));
        free_owner(owner);
    }
}

static void pipelined_requests_wait_until_the_answer_is_written(void **state)
{
    struct owner   *owner = new_owner(NULL);
    struct sl_slice out;

    (void)state;
    owner->later = true;
    assert_true(sl_http_wants_input(owner->http));
    give(owner, GET("/1") GET("/2") "GET /3 HT");
    assert_int_equal(owner->told, 1);
    assert_false(sl_http_wants_input(owner->http));
    give(owner, "TP/1.1\r\n" HOST "\r\n");
    respond(owner, 200, "1");
    assert_int_equal(owner->told, 1);
    assert_true(sl_http_pending(owner->http, &out));
    write_all(owner, 1);
    assert_int_equal(owner->told, 2);
    respond(owner, 404, "2");
    write_all(owner, 0);
    assert_int_equal(owner->told, 3);
    assert_true(sl_http_wants_input(owner->http));
    respond(owner, 200, "");
    write_all(owner, 0);
    assert_string_equal(owner->heard, "GET /1? \nGET /2? \nGET /3? \n");
    assert_string_equal(owner->written,
                        OK("1") "\r\n1"
                                "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
                                "Content-Length: 1\r\n\r\n2" OK("0") "\r\n");
    free_owner(owner);
}

static void head_is_answered_without_a_body(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    exchange(owner, "HEAD / HTTP/1.1\r\n" HOST "\r\n" GET("/"));
    assert_string_equal(owner->written, OK("2") "\r\n" OK("2") "\r\nok");
    free_owner(owner);
}

static void a_response_may_have_no_type_and_no_body(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    owner->later = true;
    give(owner, GET("/"));
    sl_http_respond(owner->http, 405, NULL, NULL);
    write_all(owner, 0);
    give(owner, GET("/"));
    respond(owner, 204, "never sent");
    write_all(owner, 0);
    assert_string_equal(owner->written,
                        "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"
                        "HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\n");
    assert_false(sl_http_is_over(owner->http));
    free_owner(owner);
}

static void connections_stay_open_or_close_as_asked(void **state)
{
    static const struct {
        const char *input;
        const char *written;
        bool        over;
    } rows[] = {
        {"GET / HTTP/1.1\r\n" HOST CLOSE "\r\n", OK("2") CLOSE "\r\nok", true},
        {"GET / HTTP/1.0\r\n\r\n", OK("2") CLOSE "\r\nok", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         OK("2") "Connection: keep-alive\r\n\r\nok", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", OK("2") "\r\nok",
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct owner *owner = new_owner(NULL);

        exchange(owner, rows[i].input);
        assert_string_equal(owner->written, rows[i].written);
        assert_int_equal(sl_http_is_over(owner->http), rows[i].over);
        free_owner(owner);
    }
}

static void a_client_that_expects_it_is_told_to_go_on_before_its_body(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    exchange(owner, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_string_equal(owner->written, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(owner->told, 0);
    exchange(owner, "hi");
    assert_string_equal(owner->heard, "POST /? hi\n");
    free_owner(owner);
}

/* ---- refusals ---- */

static void garbage_is_refused(void **state)
{
    (void)state;
    assert_refused("\x16\x03\x01\x02", "HTTP/1.1 400 Bad Request\r\n");
    assert_refused("GET / HTTP/x.1\r\n" HOST "\r\n", "HTTP/1.1 400 ");
    assert_refused("GET nothing HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400 ");
    assert_refused("GET / HTTP/1.1\r\nHo st: h\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("GET / HTTP/1.1\r\n" HOST HOST "\r\n", "HTTP/1.1 400 ");
    assert_refused(GET("/%"), "HTTP/1.1 400 ");
    assert_refused(GET("/%zz"), "HTTP/1.1 400 ");
    assert_refused(GET("/a%00b"), "HTTP/1.1 400 ");
    assert_refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused("POST / HTTP/1.1\r\n" HOST
                   "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                   "HTTP/1.1 400 ");
    assert_refused("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                   "HTTP/1.1 400 ");
    assert_refused("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
                   "HTTP/1.1 400 ");
}

static void what_is_not_spoken_is_refused(void **state)
{
    (void)state;
    assert_refused("FETCH / HTTP/1.1\r\n", "HTTP/1.1 501 Not Implemented\r\n");
    assert_refused("GETS / HTTP/1.1\r\n", "HTTP/1.1 501 ");
    assert_refused("PATCH / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 501 ");
    assert_refused("CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 501 ");
    assert_refused("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
                   "HTTP/1.1 501 ");
    assert_refused("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 ");
    assert_refused("GET / HTTP/2.0\r\n" HOST "\r\n", "HTTP/1.1 505 ");
    assert_refused("GET /\r\n\r\n", "HTTP/1.1 505 ");
}

static void a_refusal_says_why_and_drops_what_follows(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    give(owner, "PATCH / HTTP/1.1\r\n" HOST "\r\n" GET("/2"));
    give(owner, GET("/3"));
    write_all(owner, 1);
    assert_string_equal(owner->written,
                        "HTTP/1.1 501 Not Implemented\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 36\r\n" CLOSE
                        "\r\n501 Not Implemented: unknown method\n");
    assert_string_equal(sl_http_why_text(owner->http), "unknown method");
    assert_int_equal(owner->told, 0);
    give(owner, GET("/4"));
    write_all(owner, 0);
    assert_int_equal(owner->told, 0);
    free_owner(owner);
}

/* ---- limits ---- */

/* The status of the first answer to this input, given whole and byte by byte. */
static unsigned status_of(const char *input)
{
    unsigned status[2] = {0};

    for (size_t way = 0; way < 2; way++) {
        struct owner *owner = new_owner(&small);

        if (way == 0)
            exchange(owner, input);
        for (const char *at = input; way == 1 && *at != '\0'; at++)
            exchange(owner, (char[]){*at, '\0'});
        assert_true(owner->written_len > 12);
        status[way] = (unsigned)strtoul(owner->written + 9, NULL, 10);
        assert_int_equal(sl_http_is_over(owner->http), status[way] != 200);
        free_owner(owner);
    }
    assert_int_equal(status[0], status[1]);
    return status[0];
}

static void a_url_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    assert_int_equal(status_of(GET("/234567?")), 200);
    assert_int_equal(status_of(GET("/234567?9")), 414);
    assert_int_equal(
        status_of("GET /34567890123456789012345678901234567890123456789012345678901234"), 414);
    assert_int_equal(status_of("GET /3456789012 HTTP/x"), 400);
}

static void a_header_may_be_as_long_as_its_limit(void **state)
{
    static const char start[] = "GET / HTTP/1.1\r\n" HOST "x: ";
    char              input[128];

    (void)state;
    for (size_t len = 62; len <= 67; len++) {
        memset(input, 'y', sizeof input);
        memcpy(input, start, sizeof start - 1);
        memcpy(input + len - 4, "\r\n\r\n", 5);
        assert_int_equal(status_of(input), len <= small.header_bytes_max ? 200 : 431);
    }
    memset(input, 'y', sizeof input);
    memcpy(input, start, sizeof start - 1);
    input[sizeof input - 1] = '\0';
    assert_int_equal(status_of(input), 431);
}

static void a_body_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    assert_int_equal(status_of("PUT / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789"),
                     200);
    assert_int_equal(status_of("PUT / HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n"), 413);
    assert_int_equal(status_of("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "9\r\n012345678\r\n1\r\n9\r\n0\r\n\r\n"),
                     200);
    assert_int_equal(status_of("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "9\r\n012345678\r\n2\r\n9a\r\n0\r\n\r\n"),
                     413);
}

static void the_framing_of_a_body_is_limited_too(void **state)
{
    char input[512] = "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1;";

    (void)state;
    memset(input + strlen(input), 'x', 300);
    assert_int_equal(status_of(input), 413);
}

static void the_default_limits_are_those_of_the_design(void **state)
{
    struct owner *owner = new_owner(NULL);
    char         *body = malloc(SL_HTTP_BODY_BYTES_MAX);

    (void)state;
    assert_non_null(body);
    memset(body, 'b', SL_HTTP_BODY_BYTES_MAX);
    give(owner, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n\r\n");
    sl_http_receive(owner->http, (struct sl_slice){(const uint8_t *)body, SL_HTTP_BODY_BYTES_MAX});
    assert_string_equal(owner->heard, "65536 bytes\n");
    write_all(owner, 0);
    exchange(owner, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n");
    assert_non_null(strstr(owner->written, "HTTP/1.1 413 "));
    assert_int_equal(sl_http_limits_default.url_bytes_max, 2048);
    assert_int_equal(sl_http_limits_default.header_bytes_max, 16384);
    free(body);
    free_owner(owner);
}

static void who_pipelines_too_much_is_closed_behind_the_answer(void **state)
{
    struct owner *owner = new_owner(NULL);
    char         *flood = calloc(1, SL_HTTP_HELD_BYTES_MAX);

    (void)state;
    assert_non_null(flood);
    owner->later = true;
    give(owner, GET("/1"));
    sl_http_receive(owner->http, (struct sl_slice){(const uint8_t *)flood, SL_HTTP_HELD_BYTES_MAX});
    assert_false(sl_http_wants_input(owner->http));
    assert_string_equal(sl_http_why_text(owner->http), "");
    give(owner, "x");
    assert_string_equal(sl_http_why_text(owner->http), "too many requests at once");
    respond(owner, 200, "ok");
    write_all(owner, 0);
    assert_string_equal(owner->written, OK("2") CLOSE "\r\nok");
    assert_true(sl_http_is_over(owner->http));
    free(flood);
    free_owner(owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_told_and_answered),
        cmocka_unit_test(requests_do_not_depend_on_how_bytes_are_split),
        cmocka_unit_test(pipelined_requests_wait_until_the_answer_is_written),
        cmocka_unit_test(head_is_answered_without_a_body),
        cmocka_unit_test(a_response_may_have_no_type_and_no_body),
        cmocka_unit_test(connections_stay_open_or_close_as_asked),
        cmocka_unit_test(a_client_that_expects_it_is_told_to_go_on_before_its_body),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(what_is_not_spoken_is_refused),
        cmocka_unit_test(a_refusal_says_why_and_drops_what_follows),
        cmocka_unit_test(a_url_may_be_as_long_as_its_limit),
        cmocka_unit_test(a_header_may_be_as_long_as_its_limit),
        cmocka_unit_test(a_body_may_be_as_long_as_its_limit),
        cmocka_unit_test(the_framing_of_a_body_is_limited_too),
        cmocka_unit_test(the_default_limits_are_those_of_the_design),
        cmocka_unit_test(who_pipelines_too_much_is_closed_behind_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
