/* The table of conditions is complete, its codes and names are each other's only, and both are
 * found. */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/condition.h"

static void is_made_of_sentences(const char *text)
{
    assert_non_null(text);
    assert_true(isupper((unsigned char)text[0]));
    assert_int_equal(text[strlen(text) - 1], '.');
    assert_null(strstr(text, "  "));
}

static void every_condition_is_explained(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SL_CONDITIONS; i++) {
        const struct sl_condition_row *row = sl_condition_row((enum sl_condition)i);

        assert_int_equal(strlen(row->code), strlen("SL-0000"));
        assert_int_equal(strncmp(row->code, "SL-", 3), 0);
        assert_int_equal(row->code[3], i < SL_DRAINER_REGISTRY_AWAITED ? '1' : '2');
        assert_true(islower((unsigned char)row->name[0]));
        assert_null(strchr(row->name, ' '));
        assert_true(strlen(row->title) > 0);
        is_made_of_sentences(row->cause);
        is_made_of_sentences(row->effect);
        is_made_of_sentences(row->remedy);
    }
}

static void codes_rise_and_names_differ(void **state)
{
    (void)state;
    for (unsigned i = 1; i < SL_CONDITIONS; i++) {
        const struct sl_condition_row *row = sl_condition_row((enum sl_condition)i);

        assert_true(strcmp(sl_condition_row((enum sl_condition)(i - 1))->code, row->code) < 0);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(sl_condition_row((enum sl_condition)k)->name, row->name);
    }
}

static void both_code_and_name_find_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SL_CONDITIONS; i++) {
        const struct sl_condition_row *row = sl_condition_row((enum sl_condition)i);

        assert_int_equal(sl_condition_find(row->code), i);
        assert_int_equal(sl_condition_find(row->name), i);
    }
    assert_int_equal(sl_condition_find("sl-2201"), SL_DRAINER_PUMP_AWAITED);
    assert_int_equal(sl_condition_find("SL-2"), SL_CONDITIONS);
    assert_int_equal(sl_condition_find(""), SL_CONDITIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_condition_is_explained),
        cmocka_unit_test(codes_rise_and_names_differ),
        cmocka_unit_test(both_code_and_name_find_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
