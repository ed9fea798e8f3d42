/* The walk over a TOML document gives every leaf with its path, type and place in the order of the
 * text, and refuses what is no TOML, too large or too deep with a place. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/conf_toml.h"

struct record {
    char     text[4096];
    size_t   used;
    unsigned visits;
    unsigned stop_after; /* 0: never */
};

/* "line:column path type value" and a newline. */
static enum sl_err note(void *context, const struct sl_toml_leaf *leaf, struct sl_why *why)
{
    static const char *const names[] = {"string", "integer", "float", "boolean",
                                        "time",   "array",   "table"};
    struct record           *r = context;

#define PUT(...) \
    r->used += (size_t)snprintf(r->text + r->used, sizeof r->text - r->used, __VA_ARGS__)
    PUT("%u:%u ", leaf->line, leaf->column);
    for (size_t i = 0; i < leaf->depth; i++) {
        if (leaf->path[i].name != NULL)
            PUT("%s%s", i > 0 ? "." : "", leaf->path[i].name);
        else
            PUT("[%zu]", leaf->path[i].index);
    }
    PUT(" %s", names[leaf->type]);
    if (leaf->type == SL_TOML_STRING)
        PUT(" %s", leaf->text);
    if (leaf->type == SL_TOML_INTEGER)
        PUT(" %lld", (long long)leaf->integer);
    if (leaf->type == SL_TOML_FLOAT)
        PUT(" %g", leaf->number);
    if (leaf->type == SL_TOML_BOOLEAN)
        PUT(" %d", leaf->boolean);
    PUT("\n");
#undef PUT
    if (++r->visits == r->stop_after)
        return sl_fail(why, SL_STOPPED, "enough");
    return SL_OK;
}

static enum sl_err walk(const char *text, struct record *r, struct sl_why *why)
{
    return sl_toml_walk("x.toml", text, strlen(text), note, r, why);
}

static void leaves_come_in_the_order_of_the_text(void **state)
{
    struct record r = {0};
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(walk("zeta = 1\n"
                          "alpha = \"two\"\n"
                          "list = [ 3, 4.5 ]\n"
                          "[mid.deep]\n"
                          "  on = true\n"
                          "a.b = { c = 1979-05-27 }\n"
                          "[empty]\n"
                          "[[rows]]\n"
                          "x = 1\n"
                          "[[rows]]\n"
                          "[[rows]]\n"
                          "x = []\n",
                          &r, &why),
                     SL_OK);
    assert_string_equal(r.text, "1:8 zeta integer 1\n"
                                "2:9 alpha string two\n"
                                "3:10 list[0] integer 3\n"
                                "3:13 list[1] float 4.5\n"
                                "5:8 mid.deep.on boolean 1\n"
                                "6:13 mid.deep.a.b.c time\n"
                                "7:1 empty table\n"
                                "9:5 rows[0].x integer 1\n"
                                "10:1 rows[1] table\n"
                                "12:5 rows[2].x array\n");
}

static void an_empty_document_has_no_leaves(void **state)
{
    struct record r = {0};

    (void)state;
    assert_int_equal(walk("", &r, NULL), SL_OK);
    assert_int_equal(walk("# nothing\n", &r, NULL), SL_OK);
    assert_int_equal(r.visits, 0);
}

static void an_error_of_the_visitor_ends_the_walk(void **state)
{
    struct record r = {.stop_after = 2};
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(walk("a = 1\nb = 2\nc = 3\n", &r, &why), SL_STOPPED);
    assert_string_equal(why.text, "enough");
    assert_int_equal(r.visits, 2);
}

static void syntax_errors_name_their_place(void **state)
{
    struct record r = {0};
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(walk("a = 1\nb = \nc = 2\n", &r, &why), SL_CONFIG);
    assert_string_equal(
        why.text, "x.toml:2:5: Error while parsing key-value pair: expected value, saw '\\n'");
    assert_int_equal(walk("a = 1\na = 2\n", &r, &why), SL_CONFIG);
    assert_memory_equal(why.text, "x.toml:2:", 9);
    assert_int_equal(walk("a = \"\xff\"\n", &r, &why), SL_CONFIG);
    assert_int_equal(r.visits, 0);
}

static void what_the_parser_holds_impossible_is_refused(void **state)
{
    static const char *const texts[] = {"[= \"a\"\n",     "[[=]]\n",      "\xc3\xa9 = 1\n",
                                        "a = \xd2\x8d\n", "[\xc3\xa9]\n", "a = 1 \xe2\xb1\xa0\n",
                                        "[.]\n",          "[\n]\n",       "a = [\xc3\xa9]\n"};
    struct record            r = {0};
    struct sl_why            why = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (walk(texts[i], &r, &why) != SL_CONFIG)
            fail_msg("%s was accepted", texts[i]);
        assert_memory_equal(why.text, "x.toml:1:", 9);
    }
    assert_int_equal(walk("a = \"\"\"x \\\n \xc3\xa9\"\"\" # \xc3\xa9\n", &r, &why), SL_OK);
    assert_non_null(strstr(r.text, "x \xc3\xa9"));
}

static void a_number_that_does_not_fit_is_not_quoted(void **state)
{
    struct record r = {0};
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(walk("password = 99999999999999999999\n", &r, &why), SL_CONFIG);
    assert_null(strstr(why.text, "999"));
    assert_non_null(strstr(why.text, "the value is not representable in 64 bits"));
}

static void keys_with_a_nul_are_refused(void **state)
{
    struct record r = {0};
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(walk("\"a\\u0000b\" = 1\n", &r, &why), SL_CONFIG);
    assert_non_null(strstr(why.text, "a key holds a NUL"));
}

static void documents_over_the_size_limit_are_refused(void **state)
{
    char         *text = malloc(SL_CONF_FILE_BYTES_MAX + 1);
    struct record r = {0};
    struct sl_why why = {0};

    (void)state;
    assert_non_null(text);
    memset(text, '\n', SL_CONF_FILE_BYTES_MAX + 1);
    assert_int_equal(sl_toml_walk("x.toml", text, SL_CONF_FILE_BYTES_MAX, note, &r, &why), SL_OK);
    assert_int_equal(sl_toml_walk("x.toml", text, SL_CONF_FILE_BYTES_MAX + 1, note, &r, &why),
                     SL_CONFIG);
    assert_string_equal(why.text, "x.toml:1:1: larger than 1048576 bytes");
    free(text);
}

/* `unit` as often as it fits the size limit, between `start` and `end`, behind a line. */
static enum sl_err walk_many(const char *start, const char *unit, const char *end, struct record *r,
                             struct sl_why *why)
{
    char       *text = malloc(SL_CONF_FILE_BYTES_MAX);
    size_t      used = (size_t)snprintf(text, SL_CONF_FILE_BYTES_MAX, "# first\n%s", start);
    enum sl_err err;

    assert_non_null(text);
    while (used + strlen(unit) + strlen(end) <= SL_CONF_FILE_BYTES_MAX) {
        memcpy(text + used, unit, strlen(unit));
        used += strlen(unit);
    }
    memcpy(text + used, end, strlen(end));
    used += strlen(end);
    err = sl_toml_walk("x.toml", text, used, note, r, why);
    free(text);
    return err;
}

static void endless_nesting_is_refused_and_does_not_exhaust_the_stack(void **state)
{
    struct record r = {0};
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(walk_many("", "a.", "a = 1\n", &r, &why), SL_CONFIG);
    assert_string_equal(why.text, "x.toml:2:1: nested too deep");
    assert_int_equal(walk_many("s = \"\"\"x\"\"\"\"\" # \"\n[", "a .", "a]\n", &r, &why),
                     SL_CONFIG);
    assert_string_equal(why.text, "x.toml:3:1: nested too deep");
    assert_int_equal(walk_many("", "\"a\".", "a = 1\n", &r, &why), SL_CONFIG);
    assert_string_equal(why.text, "x.toml:2:1: nested too deep");
    assert_int_equal(walk_many("a = ", "[", "", &r, &why), SL_CONFIG);
    assert_int_equal(walk_many("a = ", "{a=", "", &r, &why), SL_CONFIG);
    assert_int_equal(r.visits, 0);
}

static void dots_in_values_are_not_nesting(void **state)
{
    struct record r = {0};

    (void)state;
    assert_int_equal(
        walk(
            "a = \"1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6\\\".\"\n"
            "b = '''\n..................................\n......'''\n"
            "# ..........................................\n"
            "c = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,\n"
            "     1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, "
            "1.0]\n",
            &r, NULL),
        SL_OK);
    assert_int_equal(r.visits, 35);
}

static void the_depth_limit_counts_every_step(void **state)
{
    char          text[512] = "";
    struct record r = {0};
    struct sl_why why = {0};

    (void)state;
    for (unsigned i = 0; i < SL_CONF_DEPTH_MAX - 1; i++)
        strncat(text, "a.", sizeof text - strlen(text) - 1);
    strncat(text, "a = 1\n", sizeof text - strlen(text) - 1);
    assert_int_equal(walk(text, &r, &why), SL_OK);
    memcpy(strstr(text, "1\n"), "[1]\n", 5);
    assert_int_equal(walk(text, &r, &why), SL_CONFIG);
    assert_non_null(strstr(why.text, "x.toml:1:"));
    assert_non_null(strstr(why.text, "nested too deep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_come_in_the_order_of_the_text),
        cmocka_unit_test(an_empty_document_has_no_leaves),
        cmocka_unit_test(an_error_of_the_visitor_ends_the_walk),
        cmocka_unit_test(syntax_errors_name_their_place),
        cmocka_unit_test(what_the_parser_holds_impossible_is_refused),
        cmocka_unit_test(a_number_that_does_not_fit_is_not_quoted),
        cmocka_unit_test(keys_with_a_nul_are_refused),
        cmocka_unit_test(documents_over_the_size_limit_are_refused),
        cmocka_unit_test(endless_nesting_is_refused_and_does_not_exhaust_the_stack),
        cmocka_unit_test(dots_in_values_are_not_nesting),
        cmocka_unit_test(the_depth_limit_counts_every_step),
    };

    return cmocka_run_group_tests_name("conf_toml", tests, NULL, NULL);
}
