/* UTF-8 is recognised exactly as RFC 3629 allows it: a table of byte strings and what they are. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void whole_characters_have_their_length(void **state)
{
    static const struct {
        const char *bytes;
        size_t      length;
    } cases[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xc2\x80", 2},         /* U+0080, the first of two bytes */
        {"\xdf\xbf", 2},         /* U+07FF, the last */
        {"\xe0\xa0\x80", 3},     /* U+0800 */
        {"\xed\x9f\xbf", 3},     /* U+D7FF, before the surrogates */
        {"\xee\x80\x80", 3},     /* U+E000, after them */
        {"\xef\xbf\xbd", 3},     /* U+FFFD itself */
        {"\xf0\x90\x80\x80", 4}, /* U+10000 */
        {"\xf4\x8f\xbf\xbf", 4}, /* U+10FFFF */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].bytes);

        assert_int_equal(len, cases[i].length);
        assert_int_equal(sl_utf8_length(cases[i].bytes, len), cases[i].length);
        assert_true(sl_utf8_valid(cases[i].bytes, len));
        for (size_t cut = 1; cut < len; cut++)
            assert_int_equal(sl_utf8_length(cases[i].bytes, cut), 0);
    }
}

static void what_is_no_character_has_none(void **state)
{
    static const char *const cases[] = {
        "\x80",             /* a continuation alone */
        "\xc0\x80",         /* overlong NUL */
        "\xc1\xbf",         /* overlong, two bytes */
        "\xe0\x9f\xbf",     /* overlong, three bytes */
        "\xf0\x8f\xbf\xbf", /* overlong, four bytes */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc2"
        "a",
        "\xe1\x80"
        "a",
        "\xf1\x80\x80"
        "a",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sl_utf8_length(cases[i], strlen(cases[i])), 0);
        assert_false(sl_utf8_valid(cases[i], strlen(cases[i])));
    }
}

static void nothing_is_valid_and_begins_no_character(void **state)
{
    (void)state;
    assert_true(sl_utf8_valid("", 0));
    assert_int_equal(sl_utf8_length("", 0), 0);
}

static void one_bad_byte_spoils_the_string(void **state)
{
    (void)state;
    assert_true(sl_utf8_valid("gr\xc3\xbc\xc3\x9f", 6));
    assert_false(sl_utf8_valid("gr\xc3\xbc\xc3", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_characters_have_their_length),
        cmocka_unit_test(what_is_no_character_has_none),
        cmocka_unit_test(nothing_is_valid_and_begins_no_character),
        cmocka_unit_test(one_bad_byte_spoils_the_string),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
