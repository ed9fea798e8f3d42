/* Values as SQL literals and as JSON: what must be escaped is, numbers read back, bytes that are no
 * text are marked, and no text is longer than it was said to be. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/value_text.h"
#include "lib/table.h"

static struct sl_value text_of(const char *bytes, size_t len)
{
    return (struct sl_value){.kind = SL_VALUE_TEXT, .text = {(const uint8_t *)bytes, len}};
}

static void assert_sql(struct sl_value value, struct sl_column column, const char *wanted)
{
    size_t room = sl_value_sql_bytes_max(&value);
    char  *out = malloc(room);
    size_t len;

    assert_non_null(out);
    len = sl_value_sql(&value, &column, out);
    assert_true(len <= room);
    if (len != strlen(wanted) || memcmp(out, wanted, len) != 0)
        fail_msg("%.*s is not %s", (int)len, out, wanted);
    free(out);
}

static void assert_json(struct sl_value value, struct sl_column column, const char *wanted)
{
    size_t room = sl_value_json_bytes_max(&value);
    char  *out = malloc(room);
    size_t len;

    assert_non_null(out);
    len = sl_value_json(&value, &column, out);
    assert_true(len <= room);
    if (len != strlen(wanted) || memcmp(out, wanted, len) != 0)
        fail_msg("%.*s is not %s", (int)len, out, wanted);
    free(out);
}

static struct sl_column column_of(enum sl_column_type type)
{
    return table_column(1, "a", type, 0);
}

static struct sl_column binary_of(enum sl_column_type type)
{
    struct sl_column column = column_of(type);

    column.is_binary = true;
    return column;
}

static void numbers_and_null(void **state)
{
    const struct {
        struct sl_value value;
        const char     *sql;
        const char     *json;
    } rows[] = {
        {{.kind = SL_VALUE_NULL}, "NULL", "null"},
        {{.kind = SL_VALUE_INT, .i = INT64_MIN}, "-9223372036854775808", "-9223372036854775808"},
        {{.kind = SL_VALUE_INT, .i = 0}, "0", "0"},
        {{.kind = SL_VALUE_UINT, .u = UINT64_MAX}, "18446744073709551615", "18446744073709551615"},
        {{.kind = SL_VALUE_DOUBLE, .d = 1e6}, "1e+06", "1000000"},
        {{.kind = SL_VALUE_DOUBLE, .d = -0.1}, "-0.1", "-0.1"},
        {{.kind = SL_VALUE_DOUBLE, .d = -1.2345678901234568e-300},
         "-1.2345678901234568e-300",
         "-1.2345678901234568e-300"},
        {{.kind = SL_VALUE_FLOAT, .d = (double)1.1f}, "1.100000023841858", "1.1"},
        {{.kind = SL_VALUE_FLOAT, .d = (double)16777216.0f}, "1.6777216e+07", "16777216"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_sql(rows[i].value, column_of(SL_TYPE_DOUBLE), rows[i].sql);
        assert_json(rows[i].value, column_of(SL_TYPE_DOUBLE), rows[i].json);
    }
    assert_json((struct sl_value){.kind = SL_VALUE_ABSENT}, column_of(SL_TYPE_LONG), "null");
}

static void text_is_quoted_and_escaped(void **state)
{
    static const char nasty[] = "\0\n\r\x1a'\"\\%_";

    (void)state;
    assert_sql(text_of(nasty, sizeof nasty - 1), column_of(SL_TYPE_VARCHAR),
               "'\\0\\n\\r\\Z\\'\\\"\\\\%_'");
    assert_sql(text_of("", 0), column_of(SL_TYPE_VARCHAR), "''");
    assert_sql(text_of("\xc3\xa4", 2), column_of(SL_TYPE_BLOB), "'\xc3\xa4'");
    assert_sql(text_of("2019-04-15", 10), column_of(SL_TYPE_DATE), "'2019-04-15'");
    assert_json(text_of(nasty, sizeof nasty - 1), column_of(SL_TYPE_VARCHAR),
                "\"\\u0000\\n\\r\\u001a'\\\"\\\\%_\"");
    assert_json(text_of("<&>", 3), column_of(SL_TYPE_VARCHAR), "\"<&>\"");
    /* All of it must be escaped: the longest there can be. */
    assert_sql(text_of("''''", 4), binary_of(SL_TYPE_BLOB), "_binary'\\'\\'\\'\\''");
    assert_json(text_of("\x01\x01", 2), column_of(SL_TYPE_VARCHAR), "\"\\u0001\\u0001\"");
}

static void bytes_that_are_no_text_are_marked(void **state)
{
    (void)state;
    assert_sql(text_of("\xff\0", 2), binary_of(SL_TYPE_BLOB), "_binary'\xff\\0'");
    assert_sql(text_of("a", 1), binary_of(SL_TYPE_VARCHAR), "_binary'a'");
    /* Charset "binary" says nothing of types that are no strings. */
    assert_sql(text_of("00:00:01", 8), binary_of(SL_TYPE_DURATION), "'00:00:01'");
    assert_sql(text_of("1.50", 4), binary_of(SL_TYPE_NEWDECIMAL), "'1.50'");
    assert_json(text_of("\xff\xfe\xfd", 3), column_of(SL_TYPE_VARCHAR), "\"//79\"");
    assert_json(text_of("a", 1), binary_of(SL_TYPE_BLOB), "\"YQ==\"");
    assert_json(text_of("", 0), binary_of(SL_TYPE_BLOB), "\"\"");
}

static void json_stays_json(void **state)
{
    (void)state;
    assert_json(text_of("{\"a\": [1]}", 10), binary_of(SL_TYPE_JSON), "{\"a\": [1]}");
    assert_sql(text_of("{\"a\": 1}", 8), binary_of(SL_TYPE_JSON), "'{\\\"a\\\": 1}'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_null),
        cmocka_unit_test(text_is_quoted_and_escaped),
        cmocka_unit_test(bytes_that_are_no_text_are_marked),
        cmocka_unit_test(json_stays_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
