/* Changes as SQL: what joins one statement, how rows are found, what stays out, and the bound of a
 * statement's length. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/statement.h"

enum { COLUMNS = 6 };

#define TEXT(t) ((struct sl_slice){(const uint8_t *)(t), sizeof(t) - 1})
#define INT(n) ((struct sl_value){.kind = SL_VALUE_INT, .i = (n)})
#define UINT(n) ((struct sl_value){.kind = SL_VALUE_UINT, .u = (n)})
#define DOUBLE(n) ((struct sl_value){.kind = SL_VALUE_DOUBLE, .d = (n)})
#define STRING(t) ((struct sl_value){.kind = SL_VALUE_TEXT, .text = TEXT(t)})
#define NIL ((struct sl_value){.kind = SL_VALUE_NULL})
#define ABSENT ((struct sl_value){.kind = SL_VALUE_ABSENT})

/* id int, name varchar, data varbinary, gen int generated, at timestamp, hidden int not public */
static const struct sl_column columns[COLUMNS] = {
    {.id = 1, .name = TEXT("Id"), .type = SL_TYPE_LONG, .state = SL_SCHEMA_PUBLIC},
    {.id = 2, .name = TEXT("name"), .type = SL_TYPE_VARCHAR, .state = SL_SCHEMA_PUBLIC},
    {.id = 3,
     .name = TEXT("data"),
     .type = SL_TYPE_VARCHAR,
     .state = SL_SCHEMA_PUBLIC,
     .is_binary = true},
    {.id = 4,
     .name = TEXT("gen"),
     .type = SL_TYPE_LONG,
     .state = SL_SCHEMA_PUBLIC,
     .is_generated = true},
    {.id = 5,
     .name = TEXT("at"),
     .type = SL_TYPE_TIMESTAMP,
     .state = SL_SCHEMA_PUBLIC,
     .is_binary = true}, /* as TiDB has it */
    {.id = 6, .name = TEXT("hidden"), .type = SL_TYPE_LONG, .state = SL_SCHEMA_WRITE_ONLY},
};

static const struct sl_table table = {
    .id = 1, .schema = TEXT("d"), .name = TEXT("t"), .columns = columns, .column_count = COLUMNS};

/* The downstream's columns: those of the table, or some of them. */
static const struct sl_sink_column_row sink_rows[] = {
    {"id", "int", "NO", "", NULL},          {"name", "varchar", "YES", "", "utf8mb4_general_ci"},
    {"data", "varbinary", "YES", "", NULL}, {"gen", "int", "YES", "STORED GENERATED", NULL},
    {"at", "timestamp", "YES", "", NULL},   {"more", "int", "YES", "", NULL},
};

struct key_row {
    const char *index;
    const char *column;
};

static struct sl_sink_table *sink_of(size_t column_count, const struct key_row *keys,
                                     size_t key_count)
{
    struct sl_sink_table_builder *builder = sl_sink_table_begin(TEXT("d`1"), TEXT("t"));
    struct sl_sink_table         *sink = NULL;
    struct sl_why                 why = {0};

    for (size_t i = 0; i < column_count; i++)
        assert_int_equal(sl_sink_table_add_column(builder, &sink_rows[i], &why), SL_OK);
    for (size_t i = 0; i < key_count; i++)
        assert_int_equal(
            sl_sink_table_add_part(
                builder, &(struct sl_sink_part_row){keys[i].index, keys[i].column, NULL}, &why),
            SL_OK);
    assert_int_equal(sl_sink_table_finish(&builder, &sink, &why), SL_OK);
    return sink;
}

static struct sl_sink_table *keyed(void)
{
    return sink_of(6, &(struct key_row){"PRIMARY", "id"}, 1);
}

static const struct sl_statement_options plenty = {
    .bytes_max = 1 << 20, .rows_max = 100, .has_utf8mb4 = true};

static struct sl_statement_maker *maker_for(const struct sl_sink_table        *sink,
                                            const struct sl_statement_options *options)
{
    struct sl_statement_maker *maker = sl_statement_maker_new(options);
    struct sl_why              why = {0};

    assert_int_equal(sl_statement_use(maker, &table, sink, &why), SL_OK);
    return maker;
}

static enum sl_err add(struct sl_statement_maker *maker, enum sl_statement_op op,
                       struct sl_value *values, struct sl_value *old)
{
    struct sl_change change = {.table = &table, .values = values, .old = old};
    struct sl_why    why = {0};

    return sl_statement_add(maker, op, &change, &why);
}

static void assert_text(struct sl_statement_maker *maker, const char *wanted)
{
    struct sl_slice text = sl_statement_text(maker);

    if (!sl_slice_equal(text, sl_slice_from_string(wanted)))
        fail_msg("%.*s\n!= %s", (int)text.len, (const char *)text.bytes, wanted);
}

static void end(struct sl_statement_maker *maker, struct sl_sink_table *sink)
{
    sl_statement_maker_free(&maker);
    assert_null(maker);
    sl_sink_table_free(&sink);
}

static void rows_share_one_insert(void **state)
{
    struct sl_sink_table      *sink = keyed();
    struct sl_statement_maker *maker = maker_for(sink, &plenty);
    struct sl_value a[COLUMNS] = {INT(-5), STRING("x'y"), STRING("\xff\x00"), INT(9), NIL, INT(3)};
    struct sl_value b[COLUMNS] = {INT(INT64_MIN), NIL, NIL, ABSENT, STRING("2020-01-01"), ABSENT};

    (void)state;
    assert_int_equal(sl_statement_rows(maker), 0);
    assert_text(maker, "");
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, a, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, b, NULL), SL_OK);
    assert_int_equal(sl_statement_rows(maker), 2);
    assert_text(maker, "INSERT INTO `d``1`.`t`(`id`,`name`,`data`,`at`) VALUES "
                       "(-5,'x\\'y',_binary'\xff\\0',NULL),"
                       "(-9223372036854775808,NULL,NULL,'2020-01-01')");
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, a, NULL), SL_FULL);
    sl_statement_clear(maker);
    assert_int_equal(add(maker, SL_STATEMENT_REPLACE, b, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, b, NULL), SL_FULL);
    assert_text(maker, "REPLACE INTO `d``1`.`t`(`id`,`name`,`data`,`at`) VALUES "
                       "(-9223372036854775808,NULL,NULL,'2020-01-01')");
    end(maker, sink);
}

static void rows_with_other_columns_do_not_share(void **state)
{
    struct sl_sink_table      *sink = keyed();
    struct sl_statement_maker *maker = maker_for(sink, &plenty);
    struct sl_value            whole[COLUMNS] = {INT(1), NIL, NIL, ABSENT, NIL, ABSENT};
    struct sl_value            less[COLUMNS] = {INT(2), ABSENT, NIL, ABSENT, NIL, ABSENT};
    struct sl_value            none[COLUMNS] = {ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT};

    (void)state;
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, whole, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, less, NULL), SL_FULL);
    sl_statement_clear(maker);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, less, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, whole, NULL), SL_FULL);
    assert_text(maker, "INSERT INTO `d``1`.`t`(`id`,`data`,`at`) VALUES (2,NULL,NULL)");
    sl_statement_clear(maker);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, none, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, none, NULL), SL_OK);
    assert_text(maker, "INSERT INTO `d``1`.`t`() VALUES (),()");
    end(maker, sink);
}

static void deletes_by_one_column_are_a_list(void **state)
{
    struct sl_sink_table      *sink = keyed();
    struct sl_statement_maker *maker = maker_for(sink, &plenty);
    struct sl_value            a[COLUMNS] = {INT(1), NIL, NIL, ABSENT, NIL, ABSENT};
    struct sl_value            b[COLUMNS] = {UINT(UINT64_MAX), NIL, NIL, ABSENT, NIL, ABSENT};

    (void)state;
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, NULL), SL_OK);
    /* Of an update, the old image goes. */
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, b), SL_OK);
    assert_text(maker, "DELETE FROM `d``1`.`t` WHERE `id` IN (1,18446744073709551615)");
    assert_text(maker, "DELETE FROM `d``1`.`t` WHERE `id` IN (1,18446744073709551615)");
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, NULL), SL_FULL);
    end(maker, sink);
}

static void deletes_by_several_columns_are_a_list_of_rows(void **state)
{
    static const struct key_row keys[] = {{"u", "name"}, {"u", "id"}};
    struct sl_sink_table       *sink = sink_of(6, keys, 2);
    struct sl_statement_maker  *maker = maker_for(sink, &plenty);
    struct sl_value             a[COLUMNS] = {INT(1), STRING("x"), NIL, ABSENT, NIL, ABSENT};
    struct sl_value             null_key[COLUMNS] = {INT(2), NIL, NIL, INT(7), NIL, ABSENT};

    (void)state;
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, null_key, NULL), SL_FULL);
    assert_text(maker, "DELETE FROM `d``1`.`t` WHERE (`name`,`id`) IN (('x',1),('x',1))");
    sl_statement_clear(maker);
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, null_key, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, null_key, NULL), SL_FULL);
    assert_text(maker, "DELETE FROM `d``1`.`t` WHERE `id`=2 AND `name` IS NULL AND `data` IS NULL"
                       " AND `at` IS NULL LIMIT 1");
    end(maker, sink);
}

static void key_on_a_generated_column_finds_rows_too(void **state)
{
    struct sl_sink_table      *sink = sink_of(6, &(struct key_row){"g", "gen"}, 1);
    struct sl_statement_maker *maker = maker_for(sink, &plenty);
    struct sl_value            a[COLUMNS] = {INT(1), NIL, NIL, INT(10), NIL, ABSENT};

    (void)state;
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, NULL), SL_OK);
    assert_text(maker, "DELETE FROM `d``1`.`t` WHERE `gen` IN (10)");
    end(maker, sink);
}

static void row_without_a_key_is_found_exactly(void **state)
{
    struct sl_sink_table      *sink = sink_of(6, NULL, 0);
    struct sl_statement_maker *maker = maker_for(sink, &plenty);
    struct sl_value old[COLUMNS] = {DOUBLE(0.1), STRING("Ab"), STRING("c"), ABSENT, NIL, ABSENT};
    struct sl_value new[COLUMNS] = {DOUBLE(0.1), STRING("aB"), STRING("c"), ABSENT, NIL, ABSENT};

    (void)state;
    assert_int_equal(add(maker, SL_STATEMENT_UPDATE, new, old), SL_OK);
    assert_text(maker,
                "UPDATE `d``1`.`t` SET `name`='aB',`at`=NULL WHERE `id`=0.1 AND"
                " `name`='Ab' COLLATE utf8mb4_bin AND `data`=_binary'c' AND `at` IS NULL LIMIT 1");
    end(maker, sink);
}

static void update_sets_what_changed_and_what_sets_itself(void **state)
{
    struct sl_sink_table      *sink = keyed();
    struct sl_statement_maker *maker = maker_for(sink, &plenty);
    struct sl_value            old[COLUMNS] = {INT(1), STRING("a"), NIL, INT(1), NIL, ABSENT};
    struct sl_value new[COLUMNS] = {INT(2), STRING("a"), NIL, INT(2), NIL, ABSENT};

    (void)state;
    assert_int_equal(add(maker, SL_STATEMENT_UPDATE, new, old), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_UPDATE, new, old), SL_FULL);
    assert_text(maker, "UPDATE `d``1`.`t` SET `id`=2,`at`=NULL WHERE `id`=1 LIMIT 1");
    sl_statement_clear(maker);
    assert_int_equal(add(maker, SL_STATEMENT_UPDATE, old, old), SL_OK);
    assert_int_equal(sl_statement_rows(maker), 0);
    assert_int_equal(add(maker, SL_STATEMENT_UPDATE, new, NULL), SL_INVALID);
    end(maker, sink);
}

static void column_that_the_downstream_lacks_is_refused_or_dropped(void **state)
{
    struct sl_statement_options partial = plenty;
    struct sl_sink_table       *sink = sink_of(2, NULL, 0);
    struct sl_statement_maker  *maker = sl_statement_maker_new(&plenty);
    struct sl_why               why = {0};
    struct sl_value             a[COLUMNS] = {INT(1), STRING("x"), NIL, INT(1), NIL, ABSENT};

    (void)state;
    assert_int_equal(sl_statement_use(maker, &table, sink, &why), SL_INVALID);
    assert_non_null(strstr(why.text, "column data of table d`1.t"));
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, a, NULL), SL_INVALID);
    sl_statement_maker_free(&maker);
    partial.is_partial = true;
    maker = maker_for(sink, &partial);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, a, NULL), SL_OK);
    assert_text(maker, "INSERT INTO `d``1`.`t`(`id`,`name`) VALUES (1,'x')");
    end(maker, sink);
}

static void plain_backslashes_stay(void **state)
{
    struct sl_statement_options options = plenty;
    struct sl_sink_table       *sink = keyed();
    struct sl_statement_maker  *maker;
    struct sl_value             a[COLUMNS] = {INT(1), STRING("\\'"), NIL, ABSENT, NIL, ABSENT};

    (void)state;
    options.no_backslash_escapes = true;
    maker = maker_for(sink, &options);
    assert_int_equal(add(maker, SL_STATEMENT_INSERT, a, NULL), SL_OK);
    assert_text(maker, "INSERT INTO `d``1`.`t`(`id`,`name`,`data`,`at`) VALUES "
                       "(1,'\\''',NULL,NULL)");
    end(maker, sink);
}

static void statement_ends_at_its_bounds(void **state)
{
    enum { ROWS_MAX = 3, BYTES_MAX = 200 };
    struct sl_statement_options options = plenty;
    struct sl_sink_table       *sink = keyed();
    struct sl_statement_maker  *maker;
    char                        text[1000];
    struct sl_value             a[COLUMNS] = {INT(1), NIL, NIL, ABSENT, NIL, ABSENT};
    size_t                      longest = 0;

    (void)state;
    options.rows_max = ROWS_MAX;
    maker = maker_for(sink, &options);
    for (int i = 0; i < ROWS_MAX; i++)
        assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, NULL), SL_OK);
    assert_int_equal(add(maker, SL_STATEMENT_DELETE, a, NULL), SL_FULL);
    sl_statement_maker_free(&maker);

    memset(text, '\'', sizeof text);
    options.rows_max = SL_STATEMENT_ROWS_MAX;
    options.bytes_max = BYTES_MAX;
    maker = maker_for(sink, &options);
    for (size_t len = 0; len < sizeof text; len++) {
        enum sl_err err;

        a[1] = (struct sl_value){.kind = SL_VALUE_TEXT, .text = {(const uint8_t *)text, len}};
        err = add(maker, SL_STATEMENT_REPLACE, a, NULL);
        if (err == SL_OK) {
            assert_true(sl_statement_text(maker).len <= BYTES_MAX);
            longest = len;
        } else {
            assert_int_equal(err, SL_TOO_LARGE);
            assert_int_equal(sl_statement_rows(maker), 0);
        }
        sl_statement_clear(maker);
    }
    assert_in_range(longest, 40, 80);
    a[1] = NIL;
    while (add(maker, SL_STATEMENT_DELETE, a, NULL) == SL_OK)
        assert_true(sl_statement_rows(maker) < BYTES_MAX);
    assert_in_range(sl_statement_text(maker).len, 100, BYTES_MAX);
    end(maker, sink);
}

static void change_of_another_table_is_refused(void **state)
{
    struct sl_table            other = table;
    struct sl_sink_table      *sink = keyed();
    struct sl_statement_maker *maker = maker_for(sink, &plenty);
    struct sl_value            a[COLUMNS] = {INT(1), NIL, NIL, ABSENT, NIL, ABSENT};
    struct sl_change           change = {.table = &other, .values = a};
    struct sl_why              why = {0};

    (void)state;
    assert_int_equal(sl_statement_add(maker, SL_STATEMENT_INSERT, &change, &why), SL_INVALID);
    assert_int_equal(sl_statement_use(maker, &other, sink, &why), SL_OK);
    assert_int_equal(sl_statement_add(maker, SL_STATEMENT_INSERT, &change, &why), SL_OK);
    end(maker, sink);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_share_one_insert),
        cmocka_unit_test(rows_with_other_columns_do_not_share),
        cmocka_unit_test(deletes_by_one_column_are_a_list),
        cmocka_unit_test(deletes_by_several_columns_are_a_list_of_rows),
        cmocka_unit_test(key_on_a_generated_column_finds_rows_too),
        cmocka_unit_test(row_without_a_key_is_found_exactly),
        cmocka_unit_test(update_sets_what_changed_and_what_sets_itself),
        cmocka_unit_test(column_that_the_downstream_lacks_is_refused_or_dropped),
        cmocka_unit_test(plain_backslashes_stay),
        cmocka_unit_test(statement_ends_at_its_bounds),
        cmocka_unit_test(change_of_another_table_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
