/* Methods at the start of a connection, percent-encodings and routes, with what is nearly right
 * beside what is right. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_route.h"

static struct sl_slice slice(const char *text)
{
    return sl_slice_from_string(text);
}

static enum sl_http_start start(const char *text)
{
    return sl_http_is_request_start((const uint8_t *)text, strlen(text));
}

static void eight_methods_begin_a_request_and_their_prefixes_may(void **state)
{
    static const char *const methods[] = {"OPTIONS", "GET",    "HEAD",  "POST",
                                          "PUT",     "DELETE", "TRACE", "CONNECT"};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        const uint8_t *bytes = (const uint8_t *)methods[i];

        for (size_t n = 0; n < strlen(methods[i]); n++)
            assert_int_equal(sl_http_is_request_start(bytes, n), SL_HTTP_START_MORE);
        assert_int_equal(start(methods[i]), SL_HTTP_START_YES);
    }
    assert_int_equal(start("GET / HTTP/1.1\r\n"), SL_HTTP_START_YES);
}

static void anything_else_begins_none(void **state)
{
    (void)state;
    assert_int_equal(start("PRI * HTTP/2.0\r\n"), SL_HTTP_START_NO);
    assert_int_equal(start("PR"), SL_HTTP_START_NO);
    assert_int_equal(start("get / HTTP/1.1"), SL_HTTP_START_NO);
    assert_int_equal(start("PATCH"), SL_HTTP_START_NO);
    assert_int_equal(start(" GET"), SL_HTTP_START_NO);
    assert_int_equal(start("\x16\x03\x01"), SL_HTTP_START_NO);
}

static void assert_decodes(const char *text, const char *wanted)
{
    uint8_t out[64];
    size_t  len = 99;

    assert_true(sl_http_decode(slice(text), out, &len));
    assert_int_equal(len, strlen(wanted));
    assert_memory_equal(out, wanted, len);
}

static void percent_encodings_are_decoded(void **state)
{
    (void)state;
    assert_decodes("", "");
    assert_decodes("/plain", "/plain");
    assert_decodes("/a%20b%2Fc%2fd", "/a b/c/d");
    assert_decodes("%41%7a", "Az");
    assert_decodes("%2541", "%41");
    assert_decodes("%C3%bc+", "\xc3\xbc+");
}

static void broken_percent_encodings_and_zero_bytes_are_refused(void **state)
{
    static const char *const bad[] = {"%",    "%4",  "a%",    "a%4", "%g1", "%1g",
                                      "%%41", "%00", "a%00b", "% 1", "%-1", "%+1"};
    uint8_t                  out[64];
    size_t                   len = 99;
    struct sl_slice          zero = {(const uint8_t *)"a\0b", 3};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(sl_http_decode(slice(bad[i]), out, &len));
    assert_false(sl_http_decode(zero, out, &len));
    assert_int_equal(len, 99);
}

static void a_route_yields_its_parameters(void **state)
{
    struct sl_http_params params = {0};

    (void)state;
    assert_true(
        sl_http_route_match("/state/{nodeID}/{action}", slice("/state/pump:8250/pause"), &params));
    assert_int_equal(params.count, 2);
    assert_true(sl_slice_equal(params.value[0], slice("pump:8250")));
    assert_true(sl_slice_equal(params.value[1], slice("pause")));
    assert_true(sl_http_route_match("/status", slice("/status"), &params));
    assert_int_equal(params.count, 0);
    assert_true(sl_http_route_match("/{a}/{b}/{c}/{d}", slice("/1/2/3/4"), &params));
    assert_int_equal(params.count, 4);
}

static void paths_that_differ_do_not_match(void **state)
{
    static const char *const other[] = {"",           "/",          "/state",      "/state/a",
                                        "/state/a/",  "/state//b",  "/state/a/b/", "/state/a/b/c",
                                        "/stat/a/b",  "/State/a/b", "//state/a/b", "state/a/b",
                                        "/state/a b", "/statea/b"};
    struct sl_http_params    params = {.count = 77};

    (void)state;
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_false(sl_http_route_match("/state/{nodeID}/{action}", slice(other[i]), &params));
    assert_false(sl_http_route_match("/status", slice("/statu"), &params));
    assert_false(sl_http_route_match("/status", slice("/status/"), &params));
    assert_int_equal(params.count, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_methods_begin_a_request_and_their_prefixes_may),
        cmocka_unit_test(anything_else_begins_none),
        cmocka_unit_test(percent_encodings_are_decoded),
        cmocka_unit_test(broken_percent_encodings_and_zero_bytes_are_refused),
        cmocka_unit_test(a_route_yields_its_parameters),
        cmocka_unit_test(paths_that_differ_do_not_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
