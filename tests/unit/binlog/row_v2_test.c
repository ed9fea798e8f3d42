/* Rows in format v2 against golden bytes (codec spec 9.13); every prefix and every offset that
 * leads astray is refused. */

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
    return (int)sl_zone_open(sl_env_os()->fs, "UTC", &zone, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    sl_zone_free(&zone);
    sl_arena_done(&arena);
    return 0;
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

static enum sl_err decode_bytes(const struct sl_table *table, enum sl_change_kind kind,
                                struct sl_slice row, struct sl_change *out, struct sl_why *why)
{
    return sl_row_decode(&(struct sl_row_context){.table = table, .zone = zone, .arena = &arena},
                         &(struct sl_raw_row){kind, row}, out, why);
}

static struct sl_change decode(const struct sl_table *table, const char *hex)
{
    struct sl_change change = {0};
    struct sl_why    why = {0};

    if (decode_bytes(table, SL_CHANGE_DELETE, table_hex(&arena, hex), &change, &why) != SL_OK)
        fail_msg("%s", why.text);
    return change;
}

static void two_integers(void **state)
{
    const struct sl_column columns[] = {
        table_column(1, "a", SL_TYPE_LONGLONG, SL_COLUMN_UNSIGNED),
        table_column(2, "b", SL_TYPE_LONGLONG, 0),
    };
    struct sl_table *table = table_of(columns, 2);
    struct sl_change c = decode(table, "800002000000010208000900ffffffffffffffffff");

    (void)state;
    assert_uint(&c.values[0], UINT64_MAX);
    assert_int(&c.values[1], -1);
    sl_table_free(&table);
}

static const char all_types[] = "80000b0001000103060708090c0d0e0f1021020003000b000e0010001800190021"
                                "00240041004500e803034003333333"
                                "333332616263ff7fbffccccccccccccd020000008733e69e190100810101000000"
                                "1c0000001300000003000c16000000"
                                "6b65790576616c756500ca9a3b";

static struct sl_table *all_types_table(void)
{
    static const struct sl_slice elements[2] = {{(const uint8_t *)"x", 1},
                                                {(const uint8_t *)"y", 1}};
    struct sl_column             columns[] = {
                    table_column(1, "a", SL_TYPE_LONG, 0),
                    table_column(3, "b", SL_TYPE_LONG, SL_COLUMN_UNSIGNED),
                    table_column(6, "c", SL_TYPE_DOUBLE, 0),
                    table_column(7, "d", SL_TYPE_BLOB, 0),
                    table_column(8, "e", SL_TYPE_SHORT, 0),
                    table_column(9, "f", SL_TYPE_FLOAT, 0),
                    table_column(12, "g", SL_TYPE_ENUM, 0),
                    table_column(13, "h", SL_TYPE_DATETIME, 0),
                    table_column(14, "i", SL_TYPE_NEWDECIMAL, 0),
                    table_column(15, "j", SL_TYPE_JSON, 0),
                    table_column(16, "k", SL_TYPE_DURATION, 0),
                    table_column(33, "l", SL_TYPE_LONG, 0),
                    table_column(34, "m", SL_TYPE_LONG, 0),
    };

    columns[6].elements = elements;
    columns[6].element_count = 2;
    return table_of(columns, sizeof columns / sizeof columns[0]);
}

static void all_types_in_one_row(void **state)
{
    struct sl_table *table = all_types_table();
    struct sl_change c = decode(table, all_types);

    (void)state;
    assert_int(&c.values[0], 1000);
    assert_uint(&c.values[1], 3);
    assert_true(c.values[2].kind == SL_VALUE_DOUBLE && c.values[2].d == -1.8);
    assert_text(&c.values[3], "abc");
    assert_int(&c.values[4], 32767);
    assert_true(c.values[5].kind == SL_VALUE_FLOAT && c.values[5].d == (double)1.8f);
    assert_uint(&c.values[6], 2);
    assert_text(&c.values[7], "2018-01-19 03:14:07");
    assert_text(&c.values[8], "1");
    assert_text(&c.values[9], "{\"key\": \"value\"}");
    assert_text(&c.values[10], "00:00:01");
    assert_int_equal(c.values[11].kind, SL_VALUE_NULL);
    assert_int_equal(c.values[12].kind, SL_VALUE_ABSENT);
    sl_table_free(&table);
}

static void large_ids(void **state)
{
    const struct sl_column columns[] = {
        table_column(1, "a", SL_TYPE_LONG, 0),    table_column(3, "b", SL_TYPE_LONG, 0),
        table_column(8, "c", SL_TYPE_SHORT, 0),   table_column(12, "d", SL_TYPE_LONG, 0),
        table_column(335, "e", SL_TYPE_SHORT, 0),
    };
    struct sl_table *table = table_of(columns, 5);
    struct sl_change c = decode(
        table, "8001040001000100000003000000080000000c0000004f0100000200000003000000050000000600"
               "0000e80303ff7f02");

    (void)state;
    assert_int(&c.values[0], 1000);
    assert_int(&c.values[1], 3);
    assert_int(&c.values[2], 32767);
    assert_int(&c.values[3], 2);
    assert_int_equal(c.values[4].kind, SL_VALUE_NULL);
    sl_table_free(&table);
}

static void checksums_are_not_looked_at(void **state)
{
    static const char *const rows[] = {"800202000000010202000500e80361626300aedd0f93",
                                       "800202000000010202000500e80361626302648d2139"};
    const struct sl_column   columns[] = {
          table_column(1, "a", SL_TYPE_LONG, 0),
          table_column(2, "b", SL_TYPE_VARCHAR, 0),
    };
    struct sl_table *table = table_of(columns, 2);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct sl_change c = decode(table, rows[i]);

        assert_int(&c.values[0], 1000);
        assert_text(&c.values[1], "abc");
    }
    sl_table_free(&table);
}

static struct sl_table *encoder_table(void)
{
    static const struct sl_slice elements[2] = {{(const uint8_t *)"x", 1},
                                                {(const uint8_t *)"y", 1}};
    struct sl_column             columns[] = {
                    table_column(1, "a", SL_TYPE_LONG, 0),
                    table_column(2, "b", SL_TYPE_LONG, 0),
                    table_column(3, "c", SL_TYPE_DOUBLE, 0),
                    table_column(5, "d", SL_TYPE_TIMESTAMP, 0),
                    table_column(8, "e", SL_TYPE_NEWDECIMAL, 0),
                    table_column(9, "f", SL_TYPE_ENUM, 0),
                    table_column(11, "g", SL_TYPE_LONG, 0),
                    table_column(12, "h", SL_TYPE_YEAR, 0),
                    table_column(14, "i", SL_TYPE_JSON, 0),
                    table_column(16, "j", SL_TYPE_DURATION, 0),
                    table_column(22, "k", SL_TYPE_SHORT, SL_COLUMN_UNSIGNED),
                    table_column(24, "l", SL_TYPE_BLOB, 0),
                    table_column(25, "m", SL_TYPE_STRING, 0),
                    table_column(100, "n", SL_TYPE_LONG, 0),
                    table_column(116, "o", SL_TYPE_FLOAT, 0),
                    table_column(117, "p", SL_TYPE_SET, 0),
                    table_column(118, "q", SL_TYPE_BIT, 0),
                    table_column(119, "r", SL_TYPE_VARCHAR, 0),
    };

    columns[3].decimal = 6;
    columns[5].elements = columns[15].elements = elements;
    columns[5].element_count = columns[15].element_count = 2;
    columns[16].flen = 24;
    return table_of(columns, sizeof columns / sizeof columns[0]);
}

static void the_row_of_the_encoder(void **state)
{
    struct sl_table *table = encoder_table();
    struct sl_change c = decode(
        table,
        "80000f00030001030508090c0e1016181974757677020b6401000900110016001700190036003e003f00420044"
        "00"
        "4c004d005100510001c0000000000000003f420fcbb2948a1906048b26ac02cf0701010000001c000000130000"
        "00"
        "010009140000006102000000000000000080e2c2180d0000016162636162c0180000000000000130303100");

    (void)state;
    assert_int(&c.values[0], 1);
    assert_true(c.values[2].d == 2);
    assert_text(&c.values[3], "2011-11-10 11:11:11.999999");
    assert_text(&c.values[4], "11.9900");
    assert_uint(&c.values[5], 2);
    assert_int(&c.values[7], 1999);
    assert_text(&c.values[8], "{\"a\": 2}");
    assert_text(&c.values[9], "04:00:00");
    assert_uint(&c.values[10], 1);
    assert_text(&c.values[11], "abc");
    assert_text(&c.values[12], "ab");
    assert_true(c.values[14].d == 6);
    assert_uint(&c.values[15], 1);
    assert_uint(&c.values[16], 0x313030);
    assert_text(&c.values[17], "");
    for (unsigned i = 1; i < 14; i += i == 1 ? 5 : 7)
        assert_int_equal(c.values[i].kind, SL_VALUE_NULL);
    sl_table_free(&table);
}

static void an_insert_has_its_key_in_front(void **state)
{
    const struct sl_column column = table_column(1, "a", SL_TYPE_LONG, 0);
    struct sl_table       *table = table_of(&column, 1);
    struct sl_change       c = {0};

    (void)state;
    assert_int_equal(decode_bytes(table, SL_CHANGE_INSERT,
                                  table_hex(&arena, "0802 80 00 0100 0000 01 0100 07"), &c, NULL),
                     SL_OK);
    assert_int(&c.values[0], 7);
    assert_int_equal(decode_bytes(table, SL_CHANGE_UPDATE,
                                  table_hex(&arena, "80 00 0100 0000 01 0100 07"), &c, NULL),
                     SL_INVALID);
    sl_table_free(&table);
}

static void no_prefix_is_a_row(void **state)
{
    struct sl_table *table = all_types_table();
    struct sl_slice  all = table_hex(&arena, all_types);

    (void)state;
    for (size_t len = 0; len < all.len; len++) {
        uint8_t         *copy = malloc(len + (len == 0));
        struct sl_change c;

        assert_non_null(copy);
        memcpy(copy, all.bytes, len);
        assert_int_equal(
            decode_bytes(table, SL_CHANGE_DELETE, (struct sl_slice){copy, len}, &c, NULL),
            SL_INVALID);
        free(copy);
    }
    sl_table_free(&table);
}

static void damage_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *hex;
        const char *words;
    } rows[] = {
        {"80 00 0200 0000 01 08 0200 0100 0707", "ends at 1 of 2 bytes"},
        {"80 00 0100 0000 01 0900 07", "the value of column id 1 ends at 9 of 1 bytes"},
        {"80 00 0100 0000 01 0300 070707", "column a, offset 9: an integer of 3 bytes"},
        {"80 00 0100 0000 06 0100 07", "column c, offset 9: a floating point number of 1 bytes"},
        {"80 00 0100 0000 0e 0400 0100 8100", "a decimal of 3 bytes in 4"},
        {"80 00 0200 0000 01 01 0100 0200 0707", "more often than it can be"},
        {"80 00 ffff ffff", "cut short in its list of columns"},
        {"80 01 0100 0000 01000000 01000000", "ends at 1 of 0 bytes"},
    };
    struct sl_table *table = all_types_table();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_change c;
        struct sl_why    why = {0};

        assert_int_equal(
            decode_bytes(table, SL_CHANGE_DELETE, table_hex(&arena, rows[i].hex), &c, &why),
            SL_INVALID);
        if (strstr(why.text, rows[i].words) == NULL)
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].hex, why.text, rows[i].words);
    }
    sl_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_integers),
        cmocka_unit_test(all_types_in_one_row),
        cmocka_unit_test(large_ids),
        cmocka_unit_test(checksums_are_not_looked_at),
        cmocka_unit_test(the_row_of_the_encoder),
        cmocka_unit_test(an_insert_has_its_key_in_front),
        cmocka_unit_test(no_prefix_is_a_row),
        cmocka_unit_test(damage_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
