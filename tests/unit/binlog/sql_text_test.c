/* SQL text grows, and names and strings with special bytes in them stay what they are, whatever the
 * session takes as special. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/sql_text.h"

static void assert_text(const struct sl_sql *sql, const char *wanted)
{
    assert_int_equal(sql->len, strlen(wanted));
    assert_memory_equal(sql->text, wanted, sql->len);
}

static void names_double_their_quotes(void **state)
{
    struct sl_sql sql = {0};

    (void)state;
    sl_sql_table(&sql, sl_slice_from_string("d`1"), sl_slice_from_string("q`t`"));
    sl_sql_puts(&sql, " ");
    sl_sql_name(&sql, sl_slice_from_string(""));
    assert_text(&sql, "`d``1`.`q``t``` ``");
    sl_sql_done(&sql);
}

static void strings_escape_what_the_session_takes_as_special(void **state)
{
    static const uint8_t bytes[] = {'a', 0, '\n', '\r', 0x1a, '\'', '"', '\\', 0xff, 'z'};
    struct sl_sql        sql = {0};

    (void)state;
    sl_sql_string(&sql, (struct sl_slice){bytes, sizeof bytes});
    assert_text(&sql, "'a\\0\\n\\r\\Z\\'\\\"\\\\\xffz'");
    sl_sql_done(&sql);
}

static void strings_double_quotes_where_backslashes_are_plain(void **state)
{
    struct sl_sql sql = {.no_backslash_escapes = true};

    (void)state;
    sl_sql_string(&sql, sl_slice_from_string("it's \\n \"x\""));
    assert_text(&sql, "'it''s \\n \"x\"'");
    sl_sql_done(&sql);
    assert_true(sql.no_backslash_escapes);
}

static void text_grows_and_a_cleared_buffer_keeps_its_memory(void **state)
{
    enum { BYTES = 100000 };
    struct sl_sql sql = {0};
    size_t        room;

    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        sl_sql_put(&sql, "x", 1);
    assert_int_equal(sql.len, BYTES);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(sql.text[i], 'x');
    room = sql.room;
    sl_sql_clear(&sql);
    assert_int_equal(sql.len, 0);
    sl_sql_puts(&sql, "y");
    assert_text(&sql, "y");
    assert_int_equal(sql.room, room);
    sl_sql_done(&sql);
    assert_int_equal(sql.room, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_double_their_quotes),
        cmocka_unit_test(strings_escape_what_the_session_takes_as_special),
        cmocka_unit_test(strings_double_quotes_where_backslashes_are_plain),
        cmocka_unit_test(text_grows_and_a_cleared_buffer_keeps_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
