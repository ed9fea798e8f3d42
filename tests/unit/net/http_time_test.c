/* How an HTTP/1 connection ends: at every deadline, when its owner wants no more requests, and when
 * the peer sends no more. */

#include "unit/net/http_owner.h"

/* ---- times ---- */

static void an_idle_connection_ends_silently(void **state)
{
    struct owner   *owner = new_owner(&small);
    struct sl_slice out;

    (void)state;
    later(owner, 119);
    give(owner, "\r\n\r\n");
    assert_int_equal(sl_http_next_due(owner->http), small.idle);
    later(owner, 1);
    assert_true(sl_http_is_over(owner->http));
    assert_false(sl_http_pending(owner->http, &out));
    assert_string_equal(sl_http_why_text(owner->http), "idle for too long");
    assert_true(sl_http_next_due(owner->http) == UINT64_MAX);
    free_owner(owner);
}

static void a_slow_header_is_answered_with_408_however_it_drips(void **state)
{
    struct owner *owner = new_owner(&small);

    (void)state;
    exchange(owner, GET("/"));
    owner->written_len = 0;
    later(owner, 100);
    for (unsigned i = 0; i < 10; i++) {
        exchange(owner, (char[]){"GET /?abcd"[i], '\0'});
        later(owner, i < 9);
    }
    assert_int_equal(owner->written_len, 0);
    later(owner, 1);
    write_all(owner, 0);
    assert_non_null(strstr(owner->written, "HTTP/1.1 408 Request Timeout\r\n"));
    assert_true(sl_http_is_over(owner->http));
    free_owner(owner);
}

static void a_slow_body_is_answered_with_408(void **state)
{
    struct owner *owner = new_owner(&small);

    (void)state;
    give(owner, "PUT / HTTP/1.1\r\n" HOST);
    later(owner, 9);
    give(owner, "Content-Length: 3\r\n\r\n");
    later(owner, 29);
    give(owner, "12");
    later(owner, 1);
    write_all(owner, 0);
    assert_non_null(strstr(owner->written, "HTTP/1.1 408 "));
    assert_int_equal(owner->told, 0);
    free_owner(owner);
}

static void the_owner_may_take_its_time_and_the_reader_may_not(void **state)
{
    struct owner *owner = new_owner(&small);

    (void)state;
    owner->later = true;
    give(owner, GET("/"));
    assert_true(sl_http_next_due(owner->http) == UINT64_MAX);
    later(owner, 10000);
    respond(owner, 200, "late");
    assert_true(sl_http_next_due(owner->http) == owner->now + small.answer);
    later(owner, 59);
    sl_http_sent(owner->http, 1);
    assert_false(sl_http_is_over(owner->http));
    later(owner, 1);
    assert_true(sl_http_is_over(owner->http));
    free_owner(owner);
}

static void a_refusal_that_is_not_read_ends_too(void **state)
{
    struct owner *owner = new_owner(&small);

    (void)state;
    give(owner, "?");
    later(owner, 59);
    assert_false(sl_http_is_over(owner->http));
    later(owner, 1);
    assert_true(sl_http_is_over(owner->http));
    assert_string_equal(sl_http_why_text(owner->http), "malformed request");
    free_owner(owner);
}

/* ---- ends ---- */

static void finishing_serves_the_request_under_way_and_no_other(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    owner->later = true;
    give(owner, "GET /1 HT");
    sl_http_finish(owner->http);
    assert_false(sl_http_is_over(owner->http));
    give(owner, "TP/1.1\r\n" HOST "\r\n" GET("/2"));
    respond(owner, 200, "ok");
    sl_http_finish(owner->http);
    write_all(owner, 0);
    assert_string_equal(owner->heard, "GET /1? \n");
    assert_string_equal(owner->written, OK("2") CLOSE "\r\nok");
    assert_true(sl_http_is_over(owner->http));
    free_owner(owner);
}

static void finishing_while_an_answer_is_written_ends_behind_it(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    give(owner, GET("/1") GET("/2"));
    sl_http_finish(owner->http);
    write_all(owner, 0);
    assert_string_equal(owner->heard, "GET /1? \n");
    assert_true(sl_http_is_over(owner->http));
    free_owner(owner);
}

static void finishing_an_idle_connection_ends_it(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    sl_http_finish(owner->http);
    assert_true(sl_http_is_over(owner->http));
    sl_http_finish(owner->http);
    give(owner, GET("/"));
    assert_int_equal(owner->told, 0);
    free_owner(owner);
}

static void requests_before_the_end_of_input_are_still_answered(void **state)
{
    struct owner *owner = new_owner(NULL);

    (void)state;
    owner->later = true;
    give(owner, GET("/1") GET("/2") "GET /3");
    sl_http_end_input(owner->http);
    respond(owner, 200, "ok");
    write_all(owner, 0);
    assert_false(sl_http_is_over(owner->http));
    respond(owner, 200, "ok");
    write_all(owner, 0);
    assert_string_equal(owner->heard, "GET /1? \nGET /2? \n");
    assert_string_equal(owner->written, OK("2") "\r\nok" OK("2") "\r\nok");
    assert_true(sl_http_is_over(owner->http));
    free_owner(owner);
}

static void the_end_of_input_within_a_request_ends_the_connection(void **state)
{
    struct owner   *owner = new_owner(NULL);
    struct sl_slice out;

    (void)state;
    give(owner, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n12");
    sl_http_end_input(owner->http);
    assert_true(sl_http_is_over(owner->http));
    assert_false(sl_http_pending(owner->http, &out));
    free_owner(owner);
}

static void freeing_in_any_state_leaks_nothing(void **state)
{
    static const char *const inputs[] = {"", "GET",
                                         "PUT / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n123",
                                         GET("/") GET("/"), "?"};

    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct owner *owner = new_owner(NULL);

        give(owner, inputs[i]);
        free_owner(owner);
    }
    assert_int_equal(sl_buf_live_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_ends_silently),
        cmocka_unit_test(a_slow_header_is_answered_with_408_however_it_drips),
        cmocka_unit_test(a_slow_body_is_answered_with_408),
        cmocka_unit_test(the_owner_may_take_its_time_and_the_reader_may_not),
        cmocka_unit_test(a_refusal_that_is_not_read_ends_too),
        cmocka_unit_test(finishing_serves_the_request_under_way_and_no_other),
        cmocka_unit_test(finishing_while_an_answer_is_written_ends_behind_it),
        cmocka_unit_test(finishing_an_idle_connection_ends_it),
        cmocka_unit_test(requests_before_the_end_of_input_are_still_answered),
        cmocka_unit_test(the_end_of_input_within_a_request_ends_the_connection),
        cmocka_unit_test(freeing_in_any_state_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
