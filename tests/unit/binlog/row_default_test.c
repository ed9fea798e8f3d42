/* What an insert leaves out is filled by the default rule (codec spec 2.5), from the version that
 * wrote the row where that has the column. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "binlog/change.h"
#include "lib/table.h"

static struct sl_arena arena;
static struct sl_zone *zone;

static int set_up(void **state)
{
    (void)state;
    return (int)sl_zone_open(sl_env_os()->fs, "+08:00", &zone, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    sl_zone_free(&zone);
    sl_arena_done(&arena);
    return 0;
}

/* The value of the only column, which the insert leaves out. */
static struct sl_value filled(struct sl_column column)
{
    struct sl_table *table = table_of(&column, 1);
    struct sl_change change = {0};
    struct sl_why    why = {0};
    struct sl_value  value;

    if (sl_row_decode(&(struct sl_row_context){.table = table, .zone = zone, .arena = &arena},
                      &(struct sl_raw_row){SL_CHANGE_INSERT, table_hex(&arena, "0802 00")}, &change,
                      &why) != SL_OK)
        fail_msg("%s", why.text);
    value = change.values[0];
    sl_table_free(&table);
    return value;
}

static struct sl_column with_default(enum sl_column_type type, uint32_t flags, const char *text)
{
    struct sl_column column = table_column(1, "a", type, flags);

    column.default_kind = SL_DEFAULT_TEXT;
    column.default_value = sl_slice_from_string(text);
    return column;
}

static struct sl_value filled_text(enum sl_column_type type, uint32_t flags, const char *text)
{
    return filled(with_default(type, flags, text));
}

static void assert_text(const struct sl_value *value, const char *text)
{
    assert_int_equal(value->kind, SL_VALUE_TEXT);
    if (value->text.len != strlen(text) || memcmp(value->text.bytes, text, value->text.len) != 0)
        fail_msg("%.*s is not %s", (int)value->text.len, (const char *)value->text.bytes, text);
}

static void assert_int(const struct sl_value *value, int64_t i)
{
    assert_int_equal(value->kind, SL_VALUE_INT);
    assert_int_equal(value->i, i);
}

static void assert_uint(const struct sl_value *value, uint64_t u)
{
    assert_int_equal(value->kind, SL_VALUE_UINT);
    assert_true(value->u == u);
}

static void numbers_are_read_where_they_are_numbers(void **state)
{
    struct sl_value value;

    (void)state;
    value = filled_text(SL_TYPE_LONG, 0, "5");
    assert_int(&value, 5);
    value = filled_text(SL_TYPE_LONGLONG, 0, "-9223372036854775808");
    assert_int(&value, INT64_MIN);
    value = filled_text(SL_TYPE_LONGLONG, 0, "9223372036854775808");
    assert_text(&value, "9223372036854775808");
    value = filled_text(SL_TYPE_LONGLONG, SL_COLUMN_UNSIGNED, "18446744073709551615");
    assert_uint(&value, UINT64_MAX);
    value = filled_text(SL_TYPE_LONGLONG, SL_COLUMN_UNSIGNED, "18446744073709551616");
    assert_text(&value, "18446744073709551616");
    value = filled_text(SL_TYPE_YEAR, 0, "2019");
    assert_int(&value, 2019);
    value = filled_text(SL_TYPE_TINY, 0, "true");
    assert_text(&value, "true");
    value = filled_text(SL_TYPE_TINY, 0, "-");
    assert_text(&value, "-");
    value = filled_text(SL_TYPE_DOUBLE, 0, "1.5");
    assert_true(value.kind == SL_VALUE_DOUBLE && value.d == 1.5);
    value = filled_text(SL_TYPE_FLOAT, 0, "1.1");
    assert_true(value.kind == SL_VALUE_FLOAT && value.d == (double)1.1f);
    value = filled_text(SL_TYPE_DOUBLE, 0, "x");
    assert_text(&value, "x");
    value = filled_text(SL_TYPE_NEWDECIMAL, 0, "1.50");
    assert_text(&value, "1.50");
}

static void timestamps_are_shown_in_the_zone(void **state)
{
    struct sl_column column = with_default(SL_TYPE_TIMESTAMP, 0, "2019-04-15 20:12:12.25");
    struct sl_value  value;

    (void)state;
    value = filled(column);
    assert_text(&value, "2019-04-16 04:12:12");
    column.decimal = 3;
    value = filled(column);
    assert_text(&value, "2019-04-16 04:12:12.250");
    value = filled_text(SL_TYPE_TIMESTAMP, 0, "0000-00-00 00:00:00");
    assert_text(&value, "0000-00-00 00:00:00");
    value = filled_text(SL_TYPE_DATETIME, 0, "2019-04-15 20:12:12");
    assert_text(&value, "2019-04-15 20:12:12");
}

static void elements_are_numbers(void **state)
{
    const struct sl_slice elements[] = {sl_slice_from_string("a"), sl_slice_from_string("b"),
                                        sl_slice_from_string("c")};
    struct sl_column      column = with_default(SL_TYPE_ENUM, 0, "b");
    struct sl_value       value;

    (void)state;
    column.elements = elements;
    column.element_count = 3;
    value = filled(column);
    assert_uint(&value, 2);
    column.default_value = sl_slice_from_string("d");
    value = filled(column);
    assert_text(&value, "d");
    column.type = SL_TYPE_SET;
    column.default_value = sl_slice_from_string("a,c");
    value = filled(column);
    assert_uint(&value, 5);
    column.default_value = sl_slice_from_string("");
    value = filled(column);
    assert_uint(&value, 0);
    column.default_value = sl_slice_from_string("a,d");
    value = filled(column);
    assert_text(&value, "a,d");
}

static void bits_are_a_number(void **state)
{
    struct sl_column column = table_column(1, "a", SL_TYPE_BIT, SL_COLUMN_NOT_NULL);
    struct sl_value  value;

    (void)state;
    column.default_kind = SL_DEFAULT_BITS;
    column.default_value = table_hex(&arena, "0102");
    value = filled(column);
    assert_uint(&value, 258);
    column.default_value = table_hex(&arena, "00 ffffffffffffffff");
    value = filled(column);
    assert_uint(&value, UINT64_MAX);
    column.default_value = table_hex(&arena, "01 ffffffffffffffff"); /* not even a BIT(64) */
    value = filled(column);
    assert_uint(&value, 0);
}

static void without_a_default_what_may_be_null_is(void **state)
{
    struct sl_value value = filled(table_column(1, "a", SL_TYPE_LONG, 0));

    (void)state;
    assert_int_equal(value.kind, SL_VALUE_NULL);
}

static void without_a_default_what_is_not_null_is_zero(void **state)
{
    static const struct {
        enum sl_column_type type;
        const char         *text;
    } rows[] = {
        {SL_TYPE_NEWDECIMAL, "0"},
        {SL_TYPE_DATE, "0000-00-00"},
        {SL_TYPE_DATETIME, "0000-00-00 00:00:00"},
        {SL_TYPE_TIMESTAMP, "0000-00-00 00:00:00"},
        {SL_TYPE_DURATION, "00:00:00"},
        {SL_TYPE_VARCHAR, ""},
        {SL_TYPE_BLOB, ""},
        {SL_TYPE_STRING, ""},
        {SL_TYPE_JSON, "null"},
    };
    const struct sl_slice element = sl_slice_from_string("x");
    struct sl_column      column;
    struct sl_value       value;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        value = filled(table_column(1, "a", rows[i].type, SL_COLUMN_NOT_NULL));
        assert_text(&value, rows[i].text);
    }
    value = filled(table_column(1, "a", SL_TYPE_YEAR, SL_COLUMN_NOT_NULL));
    assert_int(&value, 0);
    value = filled(table_column(1, "a", SL_TYPE_LONG, SL_COLUMN_NOT_NULL | SL_COLUMN_UNSIGNED));
    assert_uint(&value, 0);
    value = filled(table_column(1, "a", SL_TYPE_BIT, SL_COLUMN_NOT_NULL));
    assert_uint(&value, 0);
    value = filled(table_column(1, "a", SL_TYPE_SET, SL_COLUMN_NOT_NULL));
    assert_uint(&value, 0);
    value = filled(table_column(1, "a", SL_TYPE_FLOAT, SL_COLUMN_NOT_NULL));
    assert_true(value.kind == SL_VALUE_FLOAT && value.d == 0);
    value = filled(table_column(1, "a", SL_TYPE_DOUBLE, SL_COLUMN_NOT_NULL));
    assert_true(value.kind == SL_VALUE_DOUBLE && value.d == 0);
    column = table_column(1, "a", SL_TYPE_ENUM, SL_COLUMN_NOT_NULL);
    column.elements = &element;
    column.element_count = 1;
    value = filled(column);
    assert_uint(&value, 1);
    column = table_column(1, "a", SL_TYPE_STRING, SL_COLUMN_NOT_NULL);
    column.is_binary = true;
    column.flen = 3;
    value = filled(column);
    assert_int_equal(value.text.len, 3);
    assert_memory_equal(value.text.bytes, "\0\0\0", 3);
}

static void the_version_that_wrote_the_row_knows_the_default(void **state)
{
    struct sl_column now = with_default(SL_TYPE_LONG, 0, "2");
    struct sl_column then = with_default(SL_TYPE_LONG, 0, "1");
    struct sl_table *table = table_of(&now, 1);
    struct sl_table *written_as = table_of(&then, 1);
    struct sl_table *without = table_of(NULL, 0);
    struct sl_change change;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct sl_row_context context = {.table = table,
                                               .written_as = i == 0 ? written_as : without,
                                               .zone = zone,
                                               .arena = &arena};

        assert_int_equal(
            sl_row_decode(&context,
                          &(struct sl_raw_row){SL_CHANGE_INSERT, table_hex(&arena, "0802 00")},
                          &change, NULL),
            SL_OK);
        assert_int(&change.values[0], i == 0 ? 1 : 2);
    }
    sl_table_free(&table);
    sl_table_free(&written_as);
    sl_table_free(&without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_where_they_are_numbers),
        cmocka_unit_test(timestamps_are_shown_in_the_zone),
        cmocka_unit_test(elements_are_numbers),
        cmocka_unit_test(bits_are_a_number),
        cmocka_unit_test(without_a_default_what_may_be_null_is),
        cmocka_unit_test(without_a_default_what_is_not_null_is_zero),
        cmocka_unit_test(the_version_that_wrote_the_row_knows_the_default),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
