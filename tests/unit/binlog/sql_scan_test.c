/* Statements fall into tokens that cover all of them but blanks, and what they say of tables is
 * found through comments, quotes and any case. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/prng.h"
#include "binlog/sql_edit.h"
#include "binlog/sql_scan.h"
#include "binlog/sql_statement.h"

static struct sl_arena arena;

static int empty_arena(void **state)
{
    (void)state;
    sl_arena_done(&arena);
    return 0;
}

static struct sql_text scanned(const char *text)
{
    struct sql_text sql;
    struct sl_why   why = {0};

    if (sql_scan(sl_slice_from_string(text), &arena, &sql, &why) != SL_OK)
        fail_msg("%s", why.text);
    return sql;
}

/* Kinds as letters: w word, n name, t text, d number, c comment, signs as they are. */
static void assert_kinds(const char *text, const char *kinds)
{
    static const char letters[] = {[SQL_WORD] = 'w',
                                   [SQL_NAME] = 'n',
                                   [SQL_TEXT] = 't',
                                   [SQL_NUMBER] = 'd',
                                   [SQL_COMMENT] = 'c'};
    struct sql_text   sql = scanned(text);
    char              seen[64] = "";

    for (uint32_t i = 0; i < sql.count; i++)
        seen[i] =
            sql.tokens[i].kind == SQL_SIGN ? text[sql.tokens[i].at] : letters[sql.tokens[i].kind];
    assert_string_equal(seen, kinds);
}

static void statements_fall_into_tokens(void **state)
{
    (void)state;
    assert_kinds("", "");
    assert_kinds("select 1, 1.5,1e9 , a.b;", "wd,d,d,w.w;");
    assert_kinds("`a``b`.`c d` 'x''y\\'z' \"q\"\"\"", "n.ntt");
    assert_kinds("a /* b */ c -- d\n e # f", "wcwcwc");
    assert_kinds("a--1", "w--d");
    assert_kinds("--", "c");
    assert_kinds("/*!40101 x */ /*T![ttl] y */ b'101' 2a \xc3\xa9 $x", "ccwtwww");
    assert_kinds("`a\\`='\\\\'", "n=t");
}

static void what_does_not_end_is_refused(void **state)
{
    static const char *const bad[] = {"'a", "\"a\\\"", "`a", "x /* y", "/*/", "'a\\"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sql_text sql;

        assert_int_equal(sql_scan(sl_slice_from_string(bad[i]), &arena, &sql, NULL), SL_INVALID);
    }
    assert_int_equal(sql_scan((struct sl_slice){(const uint8_t *)"", SL_DDL_BYTES_MAX + 1}, &arena,
                              &(struct sql_text){0}, NULL),
                     SL_TOO_LARGE);
}

static void any_bytes_are_covered_or_refused(void **state)
{
    static const char pieces[] = "a1.`'\"\\/*-# \n(,;=@!T";
    struct sl_prng    prng;

    (void)state;
    sl_prng_seed(&prng, 7);
    for (int round = 0; round < 20000; round++) {
        uint8_t         bytes[24];
        struct sql_text sql;
        size_t          at = 0;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)pieces[sl_prng_below(&prng, sizeof pieces)];
        if (sql_scan((struct sl_slice){bytes, sizeof bytes}, &arena, &sql, NULL) == SL_OK) {
            for (uint32_t i = 0; i < sql.count; i++) {
                for (; at < sql.tokens[i].at; at++)
                    assert_true(bytes[at] == ' ' || bytes[at] == '\n');
                at += sql.tokens[i].len;
            }
            assert_true(at <= sizeof bytes);
        }
        sl_arena_reset(&arena);
    }
}

/* ---- statements ---- */

static void assert_table(const struct sql_table_name *name, const char *schema, const char *table)
{
    assert_string_equal(name->schema.bytes, schema);
    assert_string_equal(name->table.bytes, table);
}

static void renamings_are_found(void **state)
{
    const struct sql_renaming *all;
    struct sql_text            sql = scanned("RENAME /* x */ TABLE a TO `d 2`.b, d.`c``d` to e;");
    uint32_t                   count;

    (void)state;
    assert_true(sql_renamings(&sql, &arena, &all, &count));
    assert_int_equal(count, 2);
    assert_table(&all[0].from, "", "a");
    assert_table(&all[0].to, "d 2", "b");
    assert_table(&all[1].from, "d", "c`d");
    sql = scanned("alter table d.a rename as b");
    assert_true(sql_renamings(&sql, &arena, &all, &count));
    assert_int_equal(count, 1);
    assert_table(&all[0].to, "", "b");
    sql = scanned("alter table a rename index i to j");
    assert_false(sql_renamings(&sql, &arena, &all, &count));
    sql = scanned("rename table a to b, c");
    assert_false(sql_renamings(&sql, &arena, &all, &count));
}

static void dropped_and_copied_tables_are_found(void **state)
{
    struct sql_drop     drop;
    struct sql_renaming like;
    struct sql_text     sql = scanned("drop table if exists a, `b,c`, d.e restrict -- f, g");

    (void)state;
    assert_true(sql_drop_list(&sql, &arena, &drop));
    assert_true(drop.if_exists);
    assert_int_equal(drop.count, 3);
    assert_table(&drop.tables[1], "", "b,c");
    assert_table(&drop.tables[2], "d", "e");
    sql = scanned("drop index i on t");
    assert_false(sql_drop_list(&sql, &arena, &drop));
    sql = scanned("create table if not exists a.b (like c)");
    assert_true(sql_create_like(&sql, &arena, &like));
    assert_table(&like.to, "a", "b");
    assert_table(&like.from, "", "c");
    sql = scanned("create table a (b int)");
    assert_false(sql_create_like(&sql, &arena, &like));
}

/* ---- texts ---- */

static void texts_are_quoted_and_edited(void **state)
{
    struct sql_out   out = {.arena = &arena};
    struct sql_edits edits = sql_edits_begin(&arena, 3);

    (void)state;
    sql_put_table(&out, sl_slice_from_string("a`b"), sl_slice_from_string("c"));
    sql_put_text(&out, (struct sl_slice){(const uint8_t *)"d'\\\0e", 5});
    sql_put_int(&out, -5);
    assert_string_equal(sql_written(&out).bytes, "`a``b`.`c`'d''\\\\\\0e'-5");
    sql_edit(&edits, 4, 3, "X");
    sql_edit(&edits, 4, 0, "<");
    sql_edit(&edits, 0, 1, "");
    assert_string_equal(sql_edited(&edits, sl_slice_from_string("one two"), &arena).bytes, "ne <X");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(statements_fall_into_tokens, empty_arena),
        cmocka_unit_test_teardown(what_does_not_end_is_refused, empty_arena),
        cmocka_unit_test_teardown(any_bytes_are_covered_or_refused, empty_arena),
        cmocka_unit_test_teardown(renamings_are_found, empty_arena),
        cmocka_unit_test_teardown(dropped_and_copied_tables_are_found, empty_arena),
        cmocka_unit_test_teardown(texts_are_quoted_and_edited, empty_arena),
    };

    return cmocka_run_group_tests_name("sql_scan", tests, NULL, NULL);
}
