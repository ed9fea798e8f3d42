/* Regular expressions mean what they mean to RE2 where they are used by both, and cost a bounded
 * amount, whatever an operator writes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "binlog/pattern.h"

static struct sl_why why;

static bool finds(const char *pattern, unsigned flags, const char *text)
{
    struct sl_pattern *p = NULL;
    bool               found = false;

    assert_int_equal(sl_pattern_new(pattern, flags, &p, &why), SL_OK);
    assert_int_equal(sl_pattern_find(p, sl_slice_from_string(text), &found, &why), SL_OK);
    sl_pattern_free(&p);
    assert_null(p);
    return found;
}

static void it_is_searched_for_anywhere_unless_told(void **state)
{
    (void)state;
    assert_true(finds("b+", 0, "abbc"));
    assert_false(finds("b+", SL_PATTERN_WHOLE, "abbc"));
    assert_true(finds("a|b", SL_PATTERN_WHOLE, "b"));
    assert_false(finds("a|b", SL_PATTERN_WHOLE, "bc"));
    assert_true(finds("", 0, ""));
    assert_true(finds("", 0, "x"));
}

static void case_is_folded_as_unicode_says(void **state)
{
    (void)state;
    assert_false(finds("ABC", 0, "abc"));
    assert_true(finds("ABC", SL_PATTERN_CASELESS, "abc"));
    assert_true(finds("^ÄÖ$", SL_PATTERN_CASELESS, "äö"));
    assert_true(finds("^[А-Я]+$", SL_PATTERN_CASELESS, "таблица"));
}

static void a_character_is_not_a_byte(void **state)
{
    (void)state;
    assert_true(finds("^.$", 0, "表"));
    assert_false(finds("^\\w$", 0, "é")); /* ASCII, as RE2's */
}

static void line_ends_are_as_in_go(void **state)
{
    (void)state;
    assert_false(finds("^a$", 0, "a\n")); /* Perl's would */
    assert_false(finds("a.b", 0, "a\nb"));
    assert_true(finds("a.b", SL_PATTERN_DOT_ALL, "a\nb"));
    assert_true(finds("a.b", 0, "a\rb"));
}

static void bytes_that_are_no_text_match_nothing(void **state)
{
    (void)state;
    assert_false(finds("^.$", 0, "\xff"));
    assert_true(finds("b", 0,
                      "\xff"
                      "b"));
}

static void what_is_no_pattern_is_refused_with_its_place(void **state)
{
    struct sl_pattern *p = NULL;

    (void)state;
    assert_int_equal(sl_pattern_new("a(b", 0, &p, &why), SL_INVALID);
    assert_string_equal(why.text,
                        "invalid regular expression `a(b`: missing closing parenthesis at byte 3");
    assert_int_equal(sl_pattern_new("\xff", 0, &p, &why), SL_INVALID);
    assert_int_equal(sl_pattern_new("a\\C", 0, &p, &why), SL_INVALID);
    assert_null(p);
}

static void long_patterns_are_refused(void **state)
{
    static char        text[SL_PATTERN_BYTES_MAX + 2];
    struct sl_pattern *p = NULL;

    (void)state;
    memset(text, 'a', SL_PATTERN_BYTES_MAX);
    assert_int_equal(sl_pattern_new(text, 0, &p, &why), SL_OK);
    sl_pattern_free(&p);
    text[SL_PATTERN_BYTES_MAX] = 'a';
    assert_int_equal(sl_pattern_new(text, 0, &p, &why), SL_INVALID);
    assert_non_null(strstr(why.text, "longer than 4096 bytes"));
}

static void a_search_that_explodes_is_given_up(void **state)
{
    struct sl_pattern *p = NULL;
    bool               found = true;

    (void)state;
    assert_int_equal(sl_pattern_new("^(a+)+$", 0, &p, &why), SL_OK);
    assert_int_equal(
        sl_pattern_find(p, sl_slice_from_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                        &found, &why),
        SL_TOO_LARGE);
    assert_non_null(strstr(why.text, "match limit exceeded; make it simpler"));
    assert_true(found);
    sl_pattern_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_searched_for_anywhere_unless_told),
        cmocka_unit_test(case_is_folded_as_unicode_says),
        cmocka_unit_test(a_character_is_not_a_byte),
        cmocka_unit_test(line_ends_are_as_in_go),
        cmocka_unit_test(bytes_that_are_no_text_match_nothing),
        cmocka_unit_test(what_is_no_pattern_is_refused_with_its_place),
        cmocka_unit_test(long_patterns_are_refused),
        cmocka_unit_test(a_search_that_explodes_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
