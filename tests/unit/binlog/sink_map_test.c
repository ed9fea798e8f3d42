/* Columns of two tables that meet: by name, whatever the order and the case; what is written where,
 * and which key of the downstream finds a row. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/sink_map.h"

#define TEXT(t) ((struct sl_slice){(const uint8_t *)(t), sizeof(t) - 1})

enum { COLUMNS = 5 };

static const struct sl_column columns[COLUMNS] = {
    {.name = TEXT("A"), .state = SL_SCHEMA_PUBLIC},
    {.name = TEXT("b"), .state = SL_SCHEMA_PUBLIC},
    {.name = TEXT("gen"), .state = SL_SCHEMA_PUBLIC, .is_generated = true},
    {.name = TEXT("going"), .state = SL_SCHEMA_DELETE_ONLY},
    {.name = TEXT("only_here"), .state = SL_SCHEMA_PUBLIC},
};
static const struct sl_table table = {.columns = columns, .column_count = COLUMNS};

/* b, x (missing upstream), gen (generated here too), a, going; keys: x, going, (a, gen), b. */
static struct sl_sink_table *sink(void)
{
    static const struct sl_sink_column_row rows[] = {
        {"b", "int", "NO", "", NULL},
        {"x", "int", "NO", "", NULL},
        {"GEN", "int", "NO", "STORED GENERATED", NULL},
        {"a", "int", "YES", "", NULL},
        {"going", "int", "NO", "", NULL},
    };
    static const struct sl_sink_part_row parts[] = {
        {"PRIMARY", "x", NULL}, {"k1", "going", NULL}, {"k2", "a", NULL},
        {"k2", "GEN", NULL},    {"k3", "b", NULL},
    };
    struct sl_sink_table_builder *builder = sl_sink_table_begin(TEXT("d"), TEXT("t"));
    struct sl_sink_table         *made = NULL;
    struct sl_why                 why = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(sl_sink_table_add_column(builder, &rows[i], &why), SL_OK);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_int_equal(sl_sink_table_add_part(builder, &parts[i], &why), SL_OK);
    assert_int_equal(sl_sink_table_finish(&builder, &made, &why), SL_OK);
    return made;
}

static void columns_meet_by_name(void **state)
{
    static const int32_t  to_sink[COLUMNS] = {3, 0, -1, -1, -1};
    static const int32_t  from_sink[] = {1, -1, 2, 0, -1};
    struct sl_sink_table *to = sink();
    struct sl_sink_map    map = {0};
    struct sl_why         why = {0};

    (void)state;
    assert_int_equal(sl_sink_map_fill(&map, &table, to, true, &why), SL_OK);
    assert_memory_equal(map.to_sink, to_sink, sizeof to_sink);
    assert_memory_equal(map.from_sink, from_sink, sizeof from_sink);
    sl_sink_map_done(&map);
    assert_null(map.table);
    sl_sink_table_free(&to);
}

static void column_without_a_place_is_named(void **state)
{
    struct sl_sink_table *to = sink();
    struct sl_sink_map    map = {0};
    struct sl_why         why = {0};

    (void)state;
    assert_int_equal(sl_sink_map_fill(&map, &table, to, false, &why), SL_INVALID);
    assert_non_null(strstr(why.text, "column only_here of table d.t"));
    assert_null(map.table);
    sl_sink_table_free(&to);
}

static void first_key_with_all_values_finds_the_row(void **state)
{
    struct sl_sink_table *to = sink();
    struct sl_sink_map    map = {0};
    struct sl_why         why = {0};
    struct sl_value       image[COLUMNS] = {0};

    (void)state;
    assert_int_equal(sl_sink_map_fill(&map, &table, to, true, &why), SL_OK);
    assert_null(sl_sink_map_key(&map, image));
    assert_false(sl_sink_map_is_keyed(&map, image));
    image[0].kind = SL_VALUE_INT;
    image[1].kind = SL_VALUE_INT;
    image[3].kind = SL_VALUE_INT;
    assert_string_equal((const char *)sl_sink_map_key(&map, image)->name.bytes, "k3");
    assert_true(sl_sink_map_is_keyed(&map, image));
    image[2].kind = SL_VALUE_INT;
    assert_string_equal((const char *)sl_sink_map_key(&map, image)->name.bytes, "k2");
    /* That one finds the row, but a nullable column does not make a table keyed. */
    image[1].kind = SL_VALUE_NULL;
    assert_string_equal((const char *)sl_sink_map_key(&map, image)->name.bytes, "k2");
    assert_false(sl_sink_map_is_keyed(&map, image));
    image[0].kind = SL_VALUE_NULL;
    assert_null(sl_sink_map_key(&map, image));
    sl_sink_map_done(&map);
    sl_sink_table_free(&to);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_meet_by_name),
        cmocka_unit_test(column_without_a_place_is_named),
        cmocka_unit_test(first_key_with_all_values_finds_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
