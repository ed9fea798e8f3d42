/* A downstream's table, made of the rows that information_schema gives: order, keys, and what is
 * compared how; and the refusal of rows that make no sense. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/sink_table.h"

static struct sl_sink_table_builder *begin(void)
{
    return sl_sink_table_begin(sl_slice_from_string("db"), sl_slice_from_string("t"));
}

static void add(struct sl_sink_table_builder *builder, const char *name, const char *type,
                const char *nullable, const char *extra, const char *collation)
{
    struct sl_why             why = {0};
    struct sl_sink_column_row row = {name, type, nullable, extra, collation};

    assert_int_equal(sl_sink_table_add_column(builder, &row, &why), SL_OK);
}

static void add_part(struct sl_sink_table_builder *builder, const char *index, const char *column,
                     const char *prefix)
{
    struct sl_why           why = {0};
    struct sl_sink_part_row row = {index, column, prefix};

    assert_int_equal(sl_sink_table_add_part(builder, &row, &why), SL_OK);
}

static struct sl_sink_table *finish(struct sl_sink_table_builder *builder)
{
    struct sl_sink_table *table = NULL;
    struct sl_why         why = {0};

    assert_int_equal(sl_sink_table_finish(&builder, &table, &why), SL_OK);
    assert_null(builder);
    return table;
}

static void columns_say_how_they_are_compared(void **state)
{
    static const struct {
        const char             *type, *collation;
        enum sl_sink_comparison comparison;
        bool                    pads;
    } rows[] = {
        {"int", NULL, SL_SINK_BY_VALUE, false},
        {"varbinary", NULL, SL_SINK_BY_BYTES, false},
        {"BLOB", NULL, SL_SINK_BY_BYTES, false},
        {"varchar", "utf8mb4_bin", SL_SINK_BY_BYTES, true},
        {"varchar", "utf8mb4_nopad_bin", SL_SINK_BY_BYTES, false},
        {"char", "utf8mb4_general_ci", SL_SINK_BY_COLLATION, true},
        {"text", "utf8mb4_0900_ai_ci", SL_SINK_BY_COLLATION, false},
        {"enum", "utf8mb4_general_ci", SL_SINK_BY_VALUE, false},
        {"datetime", NULL, SL_SINK_BY_VALUE, false},
    };
    struct sl_sink_table_builder *builder = begin();
    struct sl_sink_table         *table;
    char                          name[16];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(name, sizeof name, "c%zu", i);
        add(builder, name, rows[i].type, "YES", "", rows[i].collation);
    }
    table = finish(builder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(table->columns[i].comparison, rows[i].comparison);
        assert_int_equal(table->columns[i].pads_blanks, rows[i].pads);
    }
    assert_false(table->is_keyed);
    sl_sink_table_free(&table);
    assert_null(table);
}

static void generated_columns_are_told_from_generated_defaults(void **state)
{
    struct sl_sink_table_builder *builder = begin();
    struct sl_sink_table         *table;

    (void)state;
    add(builder, "a", "int", "NO", "auto_increment", NULL);
    add(builder, "b", "int", "YES", "VIRTUAL GENERATED", NULL);
    add(builder, "c", "int", "YES", "STORED GENERATED", NULL);
    add(builder, "d", "timestamp", "NO", "DEFAULT_GENERATED on update CURRENT_TIMESTAMP", NULL);
    add(builder, "e", "float", "YES", NULL, NULL);
    table = finish(builder);
    assert_false(table->columns[0].is_generated);
    assert_true(table->columns[1].is_generated);
    assert_true(table->columns[2].is_generated);
    assert_false(table->columns[3].is_generated);
    assert_false(table->columns[0].is_nullable);
    assert_true(table->columns[4].is_nullable);
    sl_sink_table_free(&table);
}

static void primary_key_comes_first_and_keys_know_their_parts(void **state)
{
    struct sl_sink_table_builder *builder = begin();
    struct sl_sink_table         *table;

    (void)state;
    add(builder, "Id", "bigint", "NO", "", NULL);
    add(builder, "name", "varchar", "YES", "", "utf8mb4_general_ci");
    add(builder, "code", "varchar", "NO", "", "utf8mb4_bin");
    add_part(builder, "by_code", "code", "8");
    add_part(builder, "by_code", "id", NULL);
    add_part(builder, "by_expression", NULL, NULL);
    add_part(builder, "by_name", "name", NULL);
    add_part(builder, "PRIMARY", "Id", NULL);
    table = finish(builder);
    assert_int_equal(table->key_count, 4);
    assert_true(table->keys[0].is_primary);
    assert_true(table->keys[0].is_not_null);
    assert_int_equal(table->keys[0].part_count, 1);
    assert_string_equal((const char *)table->keys[1].name.bytes, "by_code");
    assert_int_equal(table->keys[1].part_count, 2);
    assert_int_equal(table->keys[1].parts[0].column, 2);
    assert_int_equal(table->keys[1].parts[0].prefix, 8);
    assert_int_equal(table->keys[1].parts[1].column, 0);
    assert_int_equal(table->keys[1].parts[1].prefix, 0);
    assert_true(table->keys[1].is_not_null);
    assert_true(table->keys[2].has_expression);
    assert_false(table->keys[2].is_not_null);
    assert_int_equal(table->keys[2].parts[0].column, -1);
    assert_false(table->keys[3].is_not_null);
    assert_true(table->is_keyed);
    sl_sink_table_free(&table);
}

static void nullable_and_expression_keys_do_not_make_a_keyed_table(void **state)
{
    struct sl_sink_table_builder *builder = begin();
    struct sl_sink_table         *table;

    (void)state;
    add(builder, "a", "int", "YES", "", NULL);
    add(builder, "b", "int", "NO", "", NULL);
    add_part(builder, "u1", "b", NULL);
    add_part(builder, "u1", "a", NULL);
    add_part(builder, "u2", "b", NULL);
    add_part(builder, "u2", NULL, NULL);
    table = finish(builder);
    assert_false(table->is_keyed);
    sl_sink_table_free(&table);
}

static void names_are_found_without_regard_to_case(void **state)
{
    struct sl_sink_table_builder *builder = begin();
    struct sl_sink_table         *table;
    struct sl_sink_table         *again;

    (void)state;
    add(builder, "Column_A", "int", "YES", "", NULL);
    add(builder, "b", "int", "YES", "", NULL);
    table = finish(builder);
    assert_int_equal(sl_sink_table_find(table, sl_slice_from_string("cOLUMN_a")), 0);
    assert_int_equal(sl_sink_table_find(table, sl_slice_from_string("B")), 1);
    assert_int_equal(sl_sink_table_find(table, sl_slice_from_string("bb")), -1);
    assert_int_equal(sl_sink_table_find(table, sl_slice_from_string("")), -1);
    again = sl_sink_table_ref(table);
    sl_sink_table_free(&table);
    assert_string_equal((const char *)again->columns[1].name.bytes, "b");
    sl_sink_table_free(&again);
}

static void table_without_columns_is_not_there(void **state)
{
    struct sl_sink_table_builder *builder = begin();
    struct sl_sink_table         *table = NULL;
    struct sl_why                 why = {0};

    (void)state;
    assert_int_equal(sl_sink_table_finish(&builder, &table, &why), SL_NOT_FOUND);
    assert_null(builder);
    assert_null(table);
    assert_non_null(strstr(why.text, "db.t"));
    sl_sink_table_abandon(&builder);
}

static void rows_without_sense_are_refused(void **state)
{
    struct sl_sink_table_builder *builder = begin();
    struct sl_why                 why = {0};
    struct sl_sink_column_row     no_name = {NULL, "int", "YES", "", NULL};
    struct sl_sink_column_row     no_type = {"a", NULL, "YES", "", NULL};
    struct sl_sink_part_row       no_index = {NULL, "a", NULL};
    char                          text[SL_SINK_NAME_BYTES_MAX + 1];
    struct sl_sink_column_row     long_name = {text, "int", "YES", "", NULL};

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(sl_sink_table_add_column(builder, &no_name, &why), SL_INVALID);
    assert_int_equal(sl_sink_table_add_column(builder, &no_type, &why), SL_INVALID);
    assert_int_equal(sl_sink_table_add_column(builder, &long_name, &why), SL_INVALID);
    assert_int_equal(sl_sink_table_add_part(builder, &no_index, &why), SL_INVALID);
    add(builder, "a", "int", "NO", "", NULL);
    for (size_t i = 0; i < SL_SINK_KEY_PARTS_MAX; i++)
        add_part(builder, "k", "a", NULL);
    assert_int_equal(
        sl_sink_table_add_part(builder, &(struct sl_sink_part_row){"k", "a", NULL}, &why),
        SL_TOO_LARGE);
    sl_sink_table_abandon(&builder);
    assert_null(builder);
}

static void more_columns_than_any_table_has_are_refused(void **state)
{
    struct sl_sink_table_builder *builder = begin();
    struct sl_why                 why = {0};

    (void)state;
    for (size_t i = 0; i < SL_SINK_COLUMNS_MAX; i++)
        add(builder, "c", "int", "NO", "", NULL);
    assert_int_equal(sl_sink_table_add_column(
                         builder, &(struct sl_sink_column_row){"c", "int", "NO", "", NULL}, &why),
                     SL_TOO_LARGE);
    sl_sink_table_abandon(&builder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_say_how_they_are_compared),
        cmocka_unit_test(generated_columns_are_told_from_generated_defaults),
        cmocka_unit_test(primary_key_comes_first_and_keys_know_their_parts),
        cmocka_unit_test(nullable_and_expression_keys_do_not_make_a_keyed_table),
        cmocka_unit_test(names_are_found_without_regard_to_case),
        cmocka_unit_test(table_without_columns_is_not_there),
        cmocka_unit_test(rows_without_sense_are_refused),
        cmocka_unit_test(more_columns_than_any_table_has_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
