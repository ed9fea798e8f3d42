/* A sealed version of a table takes the memory it was made of, finds columns by id wherever they
 * stand, and lives until its last reference is given back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/table_private.h"
#include "lib/table.h"

static void columns_are_found_by_id_with_any_guess(void **state)
{
    const struct sl_column columns[] = {
        table_column(7, "a", SL_TYPE_LONG, 0),
        table_column(2, "b", SL_TYPE_LONG, 0),
        table_column(-1, "c", SL_TYPE_LONG, 0),
        table_column(INT64_MAX, "d", SL_TYPE_LONG, 0),
    };
    struct sl_table *table = table_of(columns, 4);
    uint32_t         place;

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        assert_ptr_equal(sl_table_column(table, columns[i].id), &table->columns[i]);
        for (uint32_t guess = 0; guess < 6; guess++) {
            place = 99;
            assert_true(table_find(table, columns[i].id, guess, &place));
            assert_int_equal(place, i);
        }
    }
    for (int64_t id = 3; id < 7; id++)
        assert_null(sl_table_column(table, id));
    assert_null(sl_table_column(table, INT64_MIN));
    place = 99;
    assert_false(table_find(table, 1, UINT32_MAX, &place));
    assert_int_equal(place, 99);
    sl_table_free(&table);
}

static void a_table_without_columns_has_none(void **state)
{
    struct sl_table *table = table_of(NULL, 0);

    (void)state;
    assert_null(sl_table_column(table, 1));
    assert_null(sl_table_primary(table));
    sl_table_free(&table);
}

static void the_primary_index_is_found(void **state)
{
    const struct sl_column     column = table_column(1, "a", SL_TYPE_LONG, 0);
    const struct sl_index_part part = {0, -1};
    const struct sl_index_info indexes[] = {
        {.is_unique = true, .parts = &part, .part_count = 1},
        {.is_unique = true, .is_primary = true, .parts = &part, .part_count = 1},
    };
    struct sl_table *table = table_new(&(struct sl_table){
        .columns = &column, .column_count = 1, .indexes = indexes, .index_count = 2});

    (void)state;
    assert_ptr_equal(sl_table_primary(table), &table->indexes[1]);
    sl_table_free(&table);
}

static void the_last_reference_frees(void **state)
{
    const struct sl_column column = table_column(1, "a", SL_TYPE_LONG, 0);
    struct sl_table       *table = table_of(&column, 1);
    struct sl_table       *other = sl_table_ref(table);

    (void)state;
    assert_ptr_equal(other, table);
    sl_table_free(&table);
    assert_null(table);
    assert_non_null(sl_table_column(other, 1));
    sl_table_free(&other);
    sl_table_free(&other); /* nothing */
}

static void the_arena_of_the_draft_is_taken_over(void **state)
{
    struct sl_arena   memory = {0};
    struct sl_column *column = sl_arena_alloc(&memory, sizeof *column);
    struct sl_table  *table;

    (void)state;
    *column = table_column(1, "a", SL_TYPE_LONG, 0);
    table = sl_table_seal(&memory, &(struct sl_table){.columns = column, .column_count = 1});
    assert_null(memory.blocks);
    assert_int_equal(table->columns[0].id, 1);
    assert_memory_equal(table->columns[0].name.bytes, "a", 2);
    sl_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_id_with_any_guess),
        cmocka_unit_test(a_table_without_columns_has_none),
        cmocka_unit_test(the_primary_index_is_found),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(the_arena_of_the_draft_is_taken_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
