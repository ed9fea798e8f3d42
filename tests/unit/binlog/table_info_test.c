/* A TableInfo becomes a table version that outlives it, with every member that rows and keys need;
 * what is none is refused with table, column and member. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/table_info.h"

static enum sl_err read(const char *json, struct sl_table **out, struct sl_why *why)
{
    struct sl_json *info = NULL;
    enum sl_err     err;

    if (sl_json_parse_data(sl_slice_from_string(json), 1 << 20, &info, why) != SL_OK)
        fail_msg("%s", why->text);
    err = table_info_read(info, sl_slice_from_string("d"), 42, out, why);
    sl_json_free(&info);
    return err;
}

static struct sl_table *table_of(const char *json)
{
    struct sl_table *table = NULL;
    struct sl_why    why = {0};

    if (read(json, &table, &why) != SL_OK)
        fail_msg("%s", why.text);
    return table;
}

static void columns_keep_what_rows_need(void **state)
{
    struct sl_table *t = table_of(
        "{\"id\":9,\"name\":{\"O\":\"T\",\"L\":\"t\"},\"is_common_handle\":true,\"cols\":["
        "{\"id\":3,\"name\":{\"O\":\"A\"},\"type\":{\"Tp\":252,\"Flag\":1,\"Flen\":4294967295,"
        "\"Decimal\":-1,\"Charset\":\"utf8mb4\",\"Collate\":\"utf8mb4_bin\"},\"state\":5,"
        "\"origin_default\":\"x\\u0000y\"},"
        "{\"id\":1,\"name\":{\"O\":\"e\"},\"type\":{\"Tp\":247,\"Elems\":[\"p\",\"\"],"
        "\"Charset\":\"binary\"},\"state\":2,\"origin_default\":5,\"generated_expr_string\":\"`a`"
        "\","
        "\"generated_stored\":true,\"hidden\":true},"
        "{\"id\":2,\"name\":{\"O\":\"b\"},\"type\":{\"Tp\":16},\"origin_default\":\"?\","
        "\"origin_default_bit\":\"AQU=\",\"state\":7}],"
        "\"index_info\":[{\"idx_name\":{\"O\":\"PRIMARY\"},\"is_primary\":true,\"is_unique\":true,"
        "\"state\":5,\"idx_cols\":[{\"offset\":2,\"length\":-1},{\"offset\":0,\"length\":10}]}]}");

    (void)state;
    assert_string_equal(t->schema.bytes, "d");
    assert_string_equal(t->name.bytes, "T");
    assert_int_equal(t->version, 42);
    assert_true(t->is_common_handle && !t->pk_is_handle && !t->is_view && !t->is_sequence);
    assert_int_equal(t->column_count, 3);
    assert_ptr_equal(sl_table_column(t, 3), &t->columns[0]);
    assert_null(sl_table_column(t, 4));
    assert_int_equal(t->columns[0].type, SL_TYPE_BLOB);
    assert_int_equal(t->columns[0].flags, SL_COLUMN_NOT_NULL);
    assert_int_equal(t->columns[0].flen, INT32_MAX);
    assert_int_equal(t->columns[0].decimal, -1);
    assert_string_equal(t->columns[0].collation.bytes, "utf8mb4_bin");
    assert_false(t->columns[0].is_binary);
    assert_int_equal(t->columns[0].default_kind, SL_DEFAULT_TEXT);
    assert_int_equal(t->columns[0].default_value.len, 3);
    assert_memory_equal(t->columns[0].default_value.bytes, "x\0y", 4);
    assert_true(t->columns[1].is_binary && t->columns[1].is_generated && t->columns[1].is_stored);
    assert_true(t->columns[1].is_hidden && !sl_column_is_writable(&t->columns[1]));
    assert_int_equal(t->columns[1].state, SL_SCHEMA_WRITE_ONLY);
    assert_int_equal(t->columns[1].element_count, 2);
    assert_string_equal(t->columns[1].elements[0].bytes, "p");
    assert_string_equal(t->columns[1].default_value.bytes, "5");
    assert_int_equal(t->columns[2].default_kind, SL_DEFAULT_BITS);
    assert_memory_equal(t->columns[2].default_value.bytes, "\1\5", 2);
    assert_int_equal(t->columns[2].state, SL_SCHEMA_NONE);
    assert_int_equal(sl_table_primary(t)->part_count, 2);
    assert_int_equal(sl_table_primary(t)->parts[0].column, 2);
    assert_int_equal(sl_table_primary(t)->parts[1].length, 10);
    sl_table_free(&t);
}

static void defaults_of_other_kinds_are_text(void **state)
{
    static const char *const values[][2] = {{"true", "1"}, {"-1.5", "-1.5"}, {"7", "7"}};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char             json[256];
        struct sl_table *t;

        (void)snprintf(
            json, sizeof json,
            "{\"id\":1,\"name\":\"t\",\"cols\":[{\"id\":1,\"name\":\"a\",\"type\":{\"Tp\":3},"
            "\"origin_default\":%s}]}",
            values[i][0]);
        t = table_of(json);
        assert_string_equal(t->columns[0].default_value.bytes, values[i][1]);
        sl_table_free(&t);
    }
}

#define COLUMN(rest) "{\"id\":1,\"name\":\"t\",\"cols\":[{\"id\":1,\"name\":\"a\"" rest "}]}"

static void what_is_no_table_is_refused_by_name(void **state)
{
    static const char *const bad[][2] = {
        {"{\"id\":0,\"name\":\"t\"}", "TableInfo of d.t: id is 0"},
        {"{\"id\":1,\"name\":5}", "TableInfo: name is an integer"},
        {"{\"id\":1,\"name\":\"t\",\"cols\":{}}", "cols is an object, wanted an array"},
        {"{\"id\":1,\"name\":\"t\",\"cols\":[1]}", "cols holds an integer"},
        {COLUMN(""), "TableInfo of d.t: column a: type Tp is 0"},
        {COLUMN(",\"type\":{\"Tp\":256}"), "column a: type Tp is 256"},
        {COLUMN(",\"type\":{\"Tp\":3,\"Elems\":[1]}"), "column a: Elems holds an integer"},
        {COLUMN(",\"type\":{\"Tp\":3},\"origin_default\":[]"), "origin_default is an array"},
        {COLUMN(",\"type\":{\"Tp\":16},\"origin_default_bit\":\"?\""), "no base64"},
        {"{\"id\":1,\"name\":\"t\",\"cols\":[{\"id\":1,\"name\":\"a\",\"type\":{\"Tp\":3}},"
         "{\"id\":1,\"name\":\"b\",\"type\":{\"Tp\":3}}]}",
         "two columns of id 1"},
        {"{\"id\":1,\"name\":\"t\",\"index_info\":[{\"idx_name\":\"i\",\"idx_cols\":[{\"offset\":0}"
         "]}]"
         "}",
         "index i: column 0 of 0"},
        {"{\"id\":1,\"name\":\"t\",\"index_info\":[null]}", "index_info holds null"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sl_table *table = NULL;
        struct sl_why    why = {0};

        assert_int_equal(read(bad[i][0], &table, &why), SL_INVALID);
        assert_null(table);
        if (strstr(why.text, bad[i][1]) == NULL)
            fail_msg("wanted \"%s\", got: %s", bad[i][1], why.text);
    }
}

static void partitions_are_told_by_name_and_id(void **state)
{
    const struct table_partition *all;
    struct sl_arena               arena;
    struct sl_json               *info;
    uint32_t                      count;
    struct sl_why                 why = {0};

    (void)state;
    sl_arena_init(&arena);
    assert_int_equal(sl_json_parse(sl_slice_from_string(
                                       "{\"partition\":{\"definitions\":[{\"id\":5,\"name\":{\"O\":"
                                       "\"p\"}}]},\"temp_table_type\":2}"),
                                   &info, NULL),
                     SL_OK);
    assert_int_equal(table_info_partitions(info, &arena, &all, &count, &why), SL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(all[0].id, 5);
    assert_string_equal(all[0].name.bytes, "p");
    assert_true(table_info_is_temporary(info));
    sl_json_free(&info);
    assert_int_equal(
        sl_json_parse(sl_slice_from_string("{\"partition\":{\"definitions\":[1]}}"), &info, NULL),
        SL_OK);
    assert_int_equal(table_info_partitions(info, &arena, &all, &count, &why), SL_INVALID);
    assert_false(table_info_is_temporary(info));
    sl_json_free(&info);
    sl_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_keep_what_rows_need),
        cmocka_unit_test(defaults_of_other_kinds_are_text),
        cmocka_unit_test(what_is_no_table_is_refused_by_name),
        cmocka_unit_test(partitions_are_told_by_name_and_id),
    };

    return cmocka_run_group_tests_name("table_info", tests, NULL, NULL);
}
