/* JSON is read within bounds and with a place for every refusal, and written byte for byte as Go's
 * encoder does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"

static enum sl_err parse(const char *text, struct sl_json **out, struct sl_why *why)
{
    return sl_json_parse(sl_slice_from_string(text), out, why);
}

static void assert_refused(const char *text, enum sl_err err, const char *words)
{
    struct sl_json *document = NULL;
    struct sl_why   why = {0};

    assert_int_equal(parse(text, &document, &why), err);
    assert_null(document);
    if (strstr(why.text, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, why.text);
}

/* ---- reading ---- */

static void values_keep_their_kind_and_all_bits(void **state)
{
    struct sl_json *d;

    (void)state;
    assert_int_equal(parse("{\"i\":9223372036854775807,\"n\":-9223372036854775808,\"t\":\"x\","
                           "\"b\":true,\"z\":null,\"r\":1.5,\"a\":[],\"o\":{}}",
                           &d, NULL),
                     SL_OK);
    assert_int_equal(sl_json_int(sl_json_member(d, "i")), INT64_MAX);
    assert_int_equal(sl_json_int(sl_json_member(d, "n")), INT64_MIN);
    assert_string_equal(sl_json_text(sl_json_member(d, "t")), "x");
    assert_true(sl_json_bool(sl_json_member(d, "b")));
    assert_int_equal(sl_json_kind(sl_json_member(d, "z")), SL_JSON_NULL);
    assert_int_equal(sl_json_kind(sl_json_member(d, "r")), SL_JSON_REAL);
    assert_int_equal(sl_json_kind(sl_json_member(d, "a")), SL_JSON_ARRAY);
    assert_int_equal(sl_json_kind(sl_json_member(d, "o")), SL_JSON_OBJECT);
    assert_null(sl_json_member(d, "absent"));
    sl_json_free(&d);
    assert_null(d);
}

static void names_match_in_any_case_and_the_last_wins(void **state)
{
    struct sl_json *d;

    (void)state;
    assert_int_equal(parse("{\"nodeId\":1,\"NODEID\":2,\"other\":4,\"nodeid\":3}", &d, NULL),
                     SL_OK);
    assert_int_equal(sl_json_int(sl_json_member(d, "nodeId")), 3);
    sl_json_free(&d);
}

static enum sl_err stop_at_second(void *context, const char *name, const struct sl_json *value)
{
    char *seen = context;

    (void)value;
    strncat(seen, name, 1);
    return strlen(seen) == 2 ? SL_STOPPED : SL_OK;
}

static void a_round_follows_the_document_until_an_error(void **state)
{
    struct sl_json *d;
    char            seen[8] = "";

    (void)state;
    assert_int_equal(parse("{\"c\":1,\"a\":2,\"b\":3}", &d, NULL), SL_OK);
    assert_int_equal(sl_json_each(d, stop_at_second, seen), SL_STOPPED);
    assert_string_equal(seen, "ca");
    sl_json_free(&d);
}

static void refusals_say_where(void **state)
{
    (void)state;
    assert_refused("", SL_INVALID, "no document");
    assert_refused("{\"a\":\n  nope}", SL_INVALID, "line 2 column 6");
    assert_refused("{\"a\":1} x", SL_INVALID, "end of file expected");
    assert_refused("{\"a\":9223372036854775808}", SL_INVALID, "too big integer");
    assert_refused("{\"a\":\"\xff\"}", SL_INVALID, "unable to decode byte 0xff");
    assert_refused("{\"a\":\"\\u0000\"}", SL_INVALID, "\\u0000 is not allowed");
    assert_refused("\"alone\"", SL_INVALID, "'[' or '{' expected");
    assert_refused("{\"a\":\"b\nc\"}", SL_INVALID, "line 1");
}

static void depth_and_size_are_bounded(void **state)
{
    static uint8_t  big[SL_JSON_BYTES_MAX + 1];
    struct sl_json *d = NULL;
    char            nested[2 * SL_JSON_DEPTH_MAX + 3] = "";

    (void)state;
    memset(nested, '[', SL_JSON_DEPTH_MAX);
    memset(nested + SL_JSON_DEPTH_MAX, ']', SL_JSON_DEPTH_MAX);
    assert_int_equal(parse(nested, &d, NULL), SL_OK);
    sl_json_free(&d);
    memset(nested, '[', SL_JSON_DEPTH_MAX + 1);
    memset(nested + SL_JSON_DEPTH_MAX + 1, ']', SL_JSON_DEPTH_MAX + 1);
    assert_refused(nested, SL_TOO_LARGE, "byte 32: more than 32");
    assert_int_equal(parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"]", &d, NULL), SL_OK);
    sl_json_free(&d);
    memset(big, ' ', sizeof big);
    memcpy(big, "[]", 2);
    assert_int_equal(sl_json_parse((struct sl_slice){big, sizeof big - 1}, &d, NULL), SL_OK);
    sl_json_free(&d);
    assert_int_equal(sl_json_parse((struct sl_slice){big, sizeof big}, &d, NULL), SL_TOO_LARGE);
}

static void arrays_and_fields_are_reached_by_place_and_exact_name(void **state)
{
    struct sl_json       *d;
    const struct sl_json *list;

    (void)state;
    assert_int_equal(parse("{\"a\":[1,\"x\",1.5],\"A\":2}", &d, NULL), SL_OK);
    list = sl_json_field(d, "a");
    assert_int_equal(sl_json_count(list), 3);
    assert_int_equal(sl_json_int(sl_json_at(list, 0)), 1);
    assert_string_equal(sl_json_text(sl_json_at(list, 1)), "x");
    assert_true(sl_json_real(sl_json_at(list, 2)) == 1.5);
    assert_int_equal(sl_json_int(sl_json_field(d, "A")), 2);
    assert_null(sl_json_field(d, "b"));
    sl_json_free(&d);
}

static void data_has_a_bound_of_its_own_and_may_hold_nul(void **state)
{
    static const char text[] = "{\"a\":\"x\\u0000y\"}";
    struct sl_json   *d = NULL;
    struct sl_slice   slice;

    (void)state;
    assert_int_equal(sl_json_parse_data(sl_slice_from_string(text), sizeof text - 2, &d, NULL),
                     SL_TOO_LARGE);
    assert_int_equal(sl_json_parse_data(sl_slice_from_string(text), sizeof text - 1, &d, NULL),
                     SL_OK);
    slice = sl_json_slice(sl_json_field(d, "a"));
    assert_int_equal(slice.len, 3);
    assert_memory_equal(slice.bytes, "x\0y", 3);
    sl_json_free(&d);
}

/* ---- writing ---- */

static void assert_written(const char *text, const char *json)
{
    char               bytes[256];
    struct sl_json_out out = {.bytes = bytes, .room = sizeof bytes};

    sl_json_put_text(&out, text);
    assert_false(out.full);
    assert_int_equal(out.used, strlen(json));
    assert_memory_equal(bytes, json, out.used);
}

static void texts_are_escaped_as_go_does(void **state)
{
    (void)state;
    assert_written("", "\"\"");
    assert_written("plain /:~\x7f", "\"plain /:~\x7f\"");
    assert_written("\"\\\n\r\t\b\f\x01", "\"\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u0001\"");
    assert_written("<a>&", "\"\\u003ca\\u003e\\u0026\"");
    assert_written("\u00e4\u4e16\U0001f600", "\"\u00e4\u4e16\U0001f600\"");
    assert_written("\u2028\u2029\u202a", "\"\\u2028\\u2029\u202a\"");
}

static void what_is_no_utf8_is_replaced_byte_by_byte(void **state)
{
    static const char *const bad[] = {
        "\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8", "\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(sl_json_is_utf8(bad[i]));
    assert_true(sl_json_is_utf8("a\u00e4\u4e16\U0001f600\U0010ffff"));
    assert_written("a\xc3", "\"a\\ufffd\"");
    assert_written("\xed\xa0\x80z", "\"\\ufffd\\ufffd\\ufffdz\"");
}

static void what_does_not_fit_is_remembered(void **state)
{
    char               bytes[4];
    struct sl_json_out out = {.bytes = bytes, .room = sizeof bytes};

    (void)state;
    sl_json_put_int(&out, -12);
    assert_int_equal(out.used, 3);
    sl_json_put_int(&out, 34);
    assert_true(out.full);
    sl_json_put(&out, "5");
    assert_int_equal(out.used, 3);
    assert_memory_equal(bytes, "-12", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_kind_and_all_bits),
        cmocka_unit_test(names_match_in_any_case_and_the_last_wins),
        cmocka_unit_test(a_round_follows_the_document_until_an_error),
        cmocka_unit_test(refusals_say_where),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(arrays_and_fields_are_reached_by_place_and_exact_name),
        cmocka_unit_test(data_has_a_bound_of_its_own_and_may_hold_nul),
        cmocka_unit_test(texts_are_escaped_as_go_does),
        cmocka_unit_test(what_is_no_utf8_is_replaced_byte_by_byte),
        cmocka_unit_test(what_does_not_fit_is_remembered),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
