/* The error table is complete, and reasons are set, wrapped and cut as base/err.h promises. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void every_code_has_a_name_a_text_and_a_class(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SL_ERR_COUNT; i++) {
        enum sl_err err = (enum sl_err)i;

        assert_int_equal(strncmp(sl_err_name(err), "SL_", 3), 0);
        assert_true(strlen(sl_err_text(err)) > 0);
        assert_true((sl_err_class_of(err) == SL_CLASS_NONE) == (err == SL_OK));
        assert_true(strlen(sl_err_class_name(sl_err_class_of(err))) > 0);
    }
    assert_true(sl_err_is_transient(SL_NOSPACE));
    assert_false(sl_err_is_transient(SL_IO));
}

static void wrapping_puts_the_context_in_front(void **state)
{
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(sl_fail(&why, SL_NOT_FOUND, "open %s: no such file", "/x"), SL_NOT_FOUND);
    assert_int_equal(sl_wrap(&why, SL_NOT_FOUND, "load checkpoint"), SL_NOT_FOUND);
    assert_string_equal(why.text, "load checkpoint: open /x: no such file");
}

static void wrapping_nothing_uses_the_text_of_the_code(void **state)
{
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(sl_wrap(&why, SL_TIMEOUT, "ask PD"), SL_TIMEOUT);
    assert_string_equal(why.text, "ask PD: timed out");
}

static void long_reasons_are_cut_not_overrun(void **state)
{
    struct sl_why why = {0};
    char          big[2 * SL_WHY_BYTES_MAX];

    (void)state;
    memset(big, 'a', sizeof big);
    big[sizeof big - 1] = '\0';
    (void)sl_fail(&why, SL_INVALID, "%s", big);
    assert_int_equal(strlen(why.text), SL_WHY_BYTES_MAX - 1);
    (void)sl_wrap(&why, SL_INVALID, "%s", big);
    assert_int_equal(strlen(why.text), SL_WHY_BYTES_MAX - 1);
}

static void a_missing_reason_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(sl_fail(NULL, SL_IO, "x"), SL_IO);
    assert_int_equal(sl_wrap(NULL, SL_IO, "x"), SL_IO);
    assert_int_equal(sl_fail_errno(NULL, ENOSPC, "x"), SL_NOSPACE);
}

static void errno_values_map_to_codes_and_keep_their_text(void **state)
{
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(sl_fail_errno(&why, ENOSPC, "write /d/f"), SL_NOSPACE);
    assert_string_equal(why.text, "write /d/f: No space left on device");
    assert_int_equal(sl_err_from_errno(EADDRINUSE), SL_IN_USE);
    assert_int_equal(sl_err_from_errno(ENOENT), SL_NOT_FOUND);
    assert_int_equal(sl_err_from_errno(EACCES), SL_DENIED);
    assert_int_equal(sl_err_from_errno(ECONNREFUSED), SL_UNAVAILABLE);
    assert_int_equal(sl_err_from_errno(ENOTTY), SL_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_a_text_and_a_class),
        cmocka_unit_test(wrapping_puts_the_context_in_front),
        cmocka_unit_test(wrapping_nothing_uses_the_text_of_the_code),
        cmocka_unit_test(long_reasons_are_cut_not_overrun),
        cmocka_unit_test(a_missing_reason_is_allowed),
        cmocka_unit_test(errno_values_map_to_codes_and_keep_their_text),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
