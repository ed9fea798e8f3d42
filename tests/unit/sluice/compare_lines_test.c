/* Rows as lines: cells are escaped as the recordings have them, sets of lines are compared with
 * regard to how often a line comes, and cells that may differ do not count. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sluice/compare_lines.h"

static struct lines lines_of(const char *text)
{
    struct lines    lines = {0};
    struct sl_slice rest = sl_slice_from_string(text);
    struct sl_slice line;

    while (lines_next(&rest, &line))
        lines_add(&lines, line);
    lines_sort(&lines);
    return lines;
}

static void expect(const char *want_text, const char *have_text, uint64_t missing, uint64_t surplus)
{
    struct lines            want = lines_of(want_text);
    struct lines            have = lines_of(have_text);
    struct lines_difference d;

    lines_compare(&want, &have, &d);
    assert_int_equal(d.missing, missing);
    assert_int_equal(d.surplus, surplus);
    assert_true((missing > 0) == (d.first_missing.bytes != NULL));
    assert_true((surplus > 0) == (d.first_surplus.bytes != NULL));
    lines_done(&want);
    lines_done(&have);
}

static void cells_are_escaped_and_null_is_told_from_text(void **state)
{
    char out[32];

    (void)state;
    *lines_put_cell(out, "a\tb\nc\\d\0e", 9) = '\0';
    assert_string_equal(out, "a\\tb\\nc\\\\d\\0e");
    *lines_put_cell(out, NULL, 0) = '\0';
    assert_string_equal(out, "\\N");
    *lines_put_cell(out, "", 0) = '\0';
    assert_string_equal(out, "");
}

static void order_does_not_count_but_number_does(void **state)
{
    (void)state;
    expect("", "", 0, 0);
    expect("b\na\n", "a\nb\n", 0, 0);
    expect("a\na\nb\n", "a\nb\n", 1, 0);
    expect("a\n", "a\na\na\n", 0, 2);
    expect("a\nc\n", "a\nb\n", 1, 1);
    expect("ab\n", "a\n", 1, 1); /* a beginning is another line */
    expect("\n", "", 1, 0);      /* a row of one empty cell */
    expect("a", "a\n", 0, 0);    /* a last line without its end */
}

static void cells_that_may_differ_are_left_out(void **state)
{
    static char             column[] = "v";
    static char             key[] = "2";
    struct mask             mask = {.column = column, .key = key};
    struct masking          masking = masking_of(&mask, 1, sl_slice_from_string("id\tv\tw"));
    struct lines            want = lines_of("1\ta\tx\n2\tb\tx\n");
    struct lines            have = lines_of("1\ta\tx\n2\tc\tx\n");
    struct lines            other = lines_of("1\tb\tx\n2\tb\ty\n");
    struct lines_difference d;

    (void)state;
    masking_apply(&masking, &want);
    masking_apply(&masking, &have);
    masking_apply(&masking, &other);
    lines_compare(&want, &have, &d);
    assert_int_equal(d.missing + d.surplus, 0);
    lines_compare(&want, &other, &d);
    assert_int_equal(d.missing, 2); /* other key, other column */
    lines_done(&want);
    lines_done(&have);
    lines_done(&other);
}

static void the_first_cells_of_a_line_are_found(void **state)
{
    struct sl_slice cells[3];

    (void)state;
    assert_true(lines_cells(sl_slice_from_string("t\tc\t*\treason"), cells, 3));
    assert_true(lines_equal_text(cells[0], "t") && lines_equal_text(cells[2], "*"));
    assert_false(lines_cells(sl_slice_from_string("t\tc"), cells, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_escaped_and_null_is_told_from_text),
        cmocka_unit_test(order_does_not_count_but_number_does),
        cmocka_unit_test(cells_that_may_differ_are_left_out),
        cmocka_unit_test(the_first_cells_of_a_line_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
