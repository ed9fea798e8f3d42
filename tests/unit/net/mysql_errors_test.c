/* The meanings of a server's errors: every row of the table is found, and what the table does not
 * know is judged by its SQLSTATE. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/mysql_errors.h"

static void errors_that_may_pass_are_retried(void **state)
{
    static const uint32_t numbers[] = {1213, 1205, 2006, 2013, 1040, 1290, 1792, 1053, 1317, 9007};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_int_equal(sl_mysql_class_of(numbers[i], "HY000"), SL_MYSQL_RETRY);
}

static void errors_that_come_again_stop(void **state)
{
    static const uint32_t numbers[] = {1062, 1054, 1146, 1064, 1366, 1406, 1153, 1901, 1911, 8004};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_int_equal(sl_mysql_class_of(numbers[i], "HY000"), SL_MYSQL_STOP);
}

static void errors_of_the_account_are_refusals(void **state)
{
    static const uint32_t numbers[] = {1044, 1045, 1142, 1227, 2059};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_int_equal(sl_mysql_class_of(numbers[i], "HY000"), SL_MYSQL_REFUSED);
}

static void ddl_that_was_done_before_is_known(void **state)
{
    static const uint32_t done[] = {1007, 1049, 1008, 1050, 1146, 1051,
                                    1060, 1054, 1831, 1061, 1176, 1091};
    size_t                found = 0;

    (void)state;
    for (uint32_t number = 0; number < 10000; number++)
        found += sl_mysql_ddl_is_done(number);
    assert_int_equal(found, sizeof done / sizeof done[0]);
    for (size_t i = 0; i < sizeof done / sizeof done[0]; i++)
        assert_true(sl_mysql_ddl_is_done(done[i]));
}

/* The look-up halves the table, so a row out of its place would never be found. */
static void first_and_last_and_every_row_between_is_found(void **state)
{
    size_t count = 0;

    (void)state;
    for (uint32_t number = 0; number < 10000; number++) {
        const struct sl_mysql_meaning *meaning = sl_mysql_meaning(number);

        if (meaning == NULL)
            continue;
        assert_int_equal(meaning->number, number);
        assert_true(strlen(meaning->text) > 0);
        count++;
    }
    assert_int_equal(count, sl_mysql_meaning_count());
}

static void unknown_numbers_are_judged_by_their_state(void **state)
{
    (void)state;
    assert_null(sl_mysql_meaning(3999));
    assert_int_equal(sl_mysql_class_of(3999, "22001"), SL_MYSQL_STOP);
    assert_int_equal(sl_mysql_class_of(3999, "42000"), SL_MYSQL_STOP);
    assert_int_equal(sl_mysql_class_of(3999, "40001"), SL_MYSQL_RETRY);
    assert_int_equal(sl_mysql_class_of(3999, "28000"), SL_MYSQL_REFUSED);
    assert_int_equal(sl_mysql_class_of(3999, "HY000"), SL_MYSQL_RETRY);
    assert_int_equal(sl_mysql_class_of(3999, ""), SL_MYSQL_RETRY);
}

static void class_gives_the_code(void **state)
{
    struct sl_mysql_error error = {0};

    (void)state;
    assert_int_equal(sl_mysql_err(&error), SL_OK);
    error = (struct sl_mysql_error){.number = 1, .class = SL_MYSQL_RETRY};
    assert_int_equal(sl_mysql_err(&error), SL_UNAVAILABLE);
    error.is_lost = true;
    assert_int_equal(sl_mysql_err(&error), SL_RESET);
    error.class = SL_MYSQL_STOP;
    assert_int_equal(sl_mysql_err(&error), SL_INVALID);
    error.class = SL_MYSQL_REFUSED;
    assert_int_equal(sl_mysql_err(&error), SL_DENIED);
    assert_string_equal(sl_mysql_class_name(error.class), "refused");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_that_may_pass_are_retried),
        cmocka_unit_test(errors_that_come_again_stop),
        cmocka_unit_test(errors_of_the_account_are_refusals),
        cmocka_unit_test(ddl_that_was_done_before_is_known),
        cmocka_unit_test(first_and_last_and_every_row_between_is_found),
        cmocka_unit_test(unknown_numbers_are_judged_by_their_state),
        cmocka_unit_test(class_gives_the_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
