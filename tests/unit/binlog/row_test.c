/* Rows against golden bytes (codec spec 9.8) and against every claim of change.h: decoded by column
 * id, with the types of the version they were written with; what is cut off, doubled or of the
 * wrong kind is refused with its place. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/prng.h"
#include "binlog/change.h"
#include "lib/table.h"

static struct sl_arena  arena;
static struct sl_zone  *utc;
static struct sl_slice  elements[2];
static struct sl_column account_columns[3];

static int set_up(void **state)
{
    (void)state;
    elements[0] = sl_slice_from_string("male");
    elements[1] = sl_slice_from_string("female");
    account_columns[0] =
        table_column(1, "ID", SL_TYPE_LONG, SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL);
    account_columns[1] = table_column(2, "NAME", SL_TYPE_VARCHAR, 0);
    account_columns[2] = table_column(3, "SEX", SL_TYPE_ENUM, 0);
    account_columns[2].elements = elements;
    account_columns[2].element_count = 2;
    return (int)sl_zone_open(sl_env_os()->fs, "UTC", &utc, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    sl_zone_free(&utc);
    sl_arena_done(&arena);
    return 0;
}

/* create table account (ID int primary key, NAME varchar(45), SEX enum('male','female')) */
static struct sl_table *account(void)
{
    return table_new(&(struct sl_table){
        .id = 47,
        .schema = sl_slice_from_string("test"),
        .name = sl_slice_from_string("account"),
        .columns = account_columns,
        .column_count = 3,
        .pk_is_handle = true,
    });
}

static enum sl_err decode_bytes(const struct sl_table *table, const struct sl_table *written_as,
                                enum sl_change_kind kind, struct sl_slice bytes,
                                struct sl_change *out, struct sl_why *why)
{
    const struct sl_row_context context = {
        .table = table, .written_as = written_as, .zone = utc, .arena = &arena};

    return sl_row_decode(&context, &(struct sl_raw_row){kind, bytes}, out, why);
}

static struct sl_change decode(const struct sl_table *table, enum sl_change_kind kind,
                               const char *hex)
{
    struct sl_change change = {0};
    struct sl_why    why = {0};

    if (decode_bytes(table, table, kind, table_hex(&arena, hex), &change, &why) != SL_OK)
        fail_msg("%s", why.text);
    assert_ptr_equal(change.table, table);
    assert_int_equal(change.kind, kind);
    return change;
}

static void assert_refused(const struct sl_table *table, enum sl_change_kind kind, const char *hex,
                           const char *words)
{
    struct sl_change change = {0};
    struct sl_why    why = {0};

    assert_int_equal(decode_bytes(table, NULL, kind, table_hex(&arena, hex), &change, &why),
                     SL_INVALID);
    if (strstr(why.text, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", why.text, words);
    assert_null(change.table);
}

static void assert_int(const struct sl_value *value, int64_t i)
{
    assert_int_equal(value->kind, SL_VALUE_INT);
    assert_int_equal(value->i, i);
}

static void assert_uint(const struct sl_value *value, uint64_t u)
{
    assert_int_equal(value->kind, SL_VALUE_UINT);
    assert_int_equal(value->u, u);
}

static void assert_text(const struct sl_value *value, const char *text)
{
    assert_int_equal(value->kind, SL_VALUE_TEXT);
    assert_int_equal(value->text.len, strlen(text));
    if (value->text.len > 0)
        assert_memory_equal(value->text.bytes, text, value->text.len);
}

/* ---- golden rows ---- */

static const char golden_insert[] = "0802 0804 0206426f62 0806 0902";
static const char golden_update[] = "0802 0802 0804 0206426f62 0806 0902"
                                    "0802 0802 0804 0204416c 0806 0901";
static const char golden_delete[] = "0802 0802 0804 0204416c 0806 0901";

static void an_insert_has_its_key_in_front(void **state)
{
    struct sl_table *table = account();
    struct sl_change c = decode(table, SL_CHANGE_INSERT, golden_insert);

    (void)state;
    assert_int(&c.values[0], 1);
    assert_text(&c.values[1], "Bob");
    assert_uint(&c.values[2], 2);
    assert_null(c.old);
    sl_table_free(&table);
}

static void an_update_has_two_images(void **state)
{
    struct sl_table *table = account();
    struct sl_change c = decode(table, SL_CHANGE_UPDATE, golden_update);

    (void)state;
    assert_int(&c.old[0], 1);
    assert_text(&c.old[1], "Bob");
    assert_uint(&c.old[2], 2);
    assert_int(&c.values[0], 1);
    assert_text(&c.values[1], "Al");
    assert_uint(&c.values[2], 1);
    sl_table_free(&table);
}

static void a_delete_has_the_old_image(void **state)
{
    struct sl_table *table = account();
    struct sl_change c = decode(table, SL_CHANGE_DELETE, golden_delete);

    (void)state;
    assert_int(&c.values[0], 1);
    assert_text(&c.values[1], "Al");
    assert_uint(&c.values[2], 1);
    assert_null(c.old);
    sl_table_free(&table);
}

static void the_hidden_row_id_is_no_column(void **state)
{
    const struct sl_column column = table_column(1, "a", SL_TYPE_LONG, 0);
    struct sl_table       *table = table_of(&column, 1);
    struct sl_change       c = decode(table, SL_CHANGE_DELETE, "0802 080e 0801 0806");

    (void)state;
    assert_int(&c.values[0], 7);
    c = decode(table, SL_CHANGE_UPDATE, "0802 080e 0801 0806 0802 0810 0801 0806");
    assert_int(&c.old[0], 7);
    assert_int(&c.values[0], 8);
    c = decode(table, SL_CHANGE_INSERT, "0806 0802 080e");
    assert_int(&c.values[0], 7);
    sl_table_free(&table);
}

static void a_null_is_told_from_what_is_left_out(void **state)
{
    struct sl_table *table = account();
    struct sl_change c = decode(table, SL_CHANGE_DELETE, "0802 080e 0804 00");

    (void)state;
    assert_int(&c.values[0], 7);
    assert_int_equal(c.values[1].kind, SL_VALUE_NULL);
    assert_int_equal(c.values[2].kind, SL_VALUE_ABSENT);
    c = decode(table, SL_CHANGE_DELETE, "00");
    assert_int_equal(c.values[0].kind, SL_VALUE_ABSENT);
    c = decode(table, SL_CHANGE_UPDATE, "0000");
    assert_int_equal(c.old[2].kind, SL_VALUE_ABSENT);
    c = decode(table, SL_CHANGE_UPDATE, "00");
    assert_int_equal(c.values[2].kind, SL_VALUE_ABSENT);
    c = decode(table, SL_CHANGE_INSERT, "0802 00");
    assert_int(&c.values[0], 1);
    assert_int_equal(c.values[1].kind, SL_VALUE_NULL); /* by the default rule */
    sl_table_free(&table);
}

/* ---- keys ---- */

static void an_unsigned_key_travels_signed(void **state)
{
    const struct sl_column columns[] = {
        table_column(1, "v", SL_TYPE_LONG, 0),
        table_column(2, "id", SL_TYPE_LONGLONG,
                     SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL | SL_COLUMN_UNSIGNED),
    };
    struct sl_table *table =
        table_new(&(struct sl_table){.columns = columns, .column_count = 2, .pk_is_handle = true});
    struct sl_change c = decode(table, SL_CHANGE_INSERT, "0801 0802 080e");

    (void)state;
    assert_int(&c.values[0], 7);
    assert_uint(&c.values[1], UINT64_MAX);
    sl_table_free(&table);
}

/* primary key (s, n, p(3)) clustered */
static struct sl_table *clustered(void)
{
    const struct sl_column columns[] = {
        table_column(1, "n", SL_TYPE_LONG, SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL),
        table_column(2, "s", SL_TYPE_VARCHAR, SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL),
        table_column(3, "p", SL_TYPE_VARCHAR, SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL),
        table_column(4, "v", SL_TYPE_LONG, 0),
    };
    const struct sl_index_part parts[] = {{1, -1}, {0, -1}, {2, 3}};
    const struct sl_index_info primary = {
        .is_primary = true, .is_unique = true, .parts = parts, .part_count = 3};

    return table_new(&(struct sl_table){.columns = columns,
                                        .column_count = 4,
                                        .indexes = &primary,
                                        .index_count = 1,
                                        .is_common_handle = true});
}

static void a_clustered_key_fills_what_the_row_leaves_out(void **state)
{
    struct sl_table *table = clustered();
    struct sl_change c = decode(table, SL_CHANGE_INSERT,
                                "0206426f62 080e 0206616263" /* 'Bob', 7, 'abc' */
                                "0806 020861626364 0808 0812" /* p 'abcd', v 9 */);

    (void)state;
    assert_int(&c.values[0], 7);
    assert_text(&c.values[1], "Bob");
    assert_text(&c.values[2], "abcd");
    assert_int(&c.values[3], 9);
    sl_table_free(&table);
}

static void the_row_wins_over_a_sort_key(void **state)
{
    struct sl_table *table = clustered();
    struct sl_change c = decode(table, SL_CHANGE_INSERT,
                                "0206424f42 080e 0206616263"
                                "0804 0206426f62 0806 020861626364");

    (void)state;
    assert_text(&c.values[1], "Bob");
    assert_int(&c.values[0], 7);
    sl_table_free(&table);
}

static void a_key_is_read_in_comparable_form_too(void **state)
{
    struct sl_table *table = clustered();
    struct sl_change c = decode(table, SL_CHANGE_INSERT,
                                "01 6162630000000000fa 03 7ffffffffffffed4 0206616263"
                                "0806 020861626364");

    (void)state;
    assert_int(&c.values[0], -300);
    assert_text(&c.values[1], "abc");
    sl_table_free(&table);
}

static void a_clustered_table_needs_its_primary_index(void **state)
{
    const struct sl_column column = table_column(1, "a", SL_TYPE_LONG, 0);
    struct sl_table       *table = table_new(
              &(struct sl_table){.columns = &column, .column_count = 1, .is_common_handle = true});

    (void)state;
    assert_refused(table, SL_CHANGE_INSERT, "0802 0802 0802", "no primary index");
    sl_table_free(&table);
}

/* ---- versions ---- */

static void types_are_those_of_the_version_that_wrote(void **state)
{
    /* The column became a TIME(6) since; written, it was an integer. */
    struct sl_column now = table_column(1, "a", SL_TYPE_DURATION, 0);
    struct sl_column then = table_column(1, "a", SL_TYPE_LONGLONG, 0);
    struct sl_table *table = table_of(&now, 1);
    struct sl_table *written_as = table_of(&then, 1);
    struct sl_change c;
    struct sl_slice  row = table_hex(&arena, "0802 0880a8d6b907");

    (void)state;
    assert_int_equal(decode_bytes(table, written_as, SL_CHANGE_DELETE, row, &c, NULL), SL_OK);
    assert_int(&c.values[0], 1000000000);
    assert_ptr_equal(c.table, table);
    assert_int_equal(decode_bytes(table, NULL, SL_CHANGE_DELETE, row, &c, NULL), SL_OK);
    assert_text(&c.values[0], "00:00:01");
    sl_table_free(&table);
    sl_table_free(&written_as);
}

static void columns_are_told_by_id_in_any_order(void **state)
{
    /* While a column (id 1) is dropped it moves to the end, and then is gone (observed 1). */
    const struct sl_column then[] = {
        table_column(2, "b", SL_TYPE_LONG, 0),
        table_column(3, "c", SL_TYPE_LONG, 0),
        table_column(1, "a", SL_TYPE_LONG, 0),
    };
    const struct sl_column now[] = {
        table_column(1, "a", SL_TYPE_LONG, 0),
        table_column(2, "b", SL_TYPE_LONG, 0),
        table_column(3, "c", SL_TYPE_LONG, 0),
    };
    struct sl_table *table = table_of(now, 3);
    struct sl_table *written_as = table_of(then, 3);
    struct sl_change c;

    (void)state;
    assert_int_equal(decode_bytes(table, written_as, SL_CHANGE_UPDATE,
                                  table_hex(&arena, "0804 0804 0806 0806 0802 0802"
                                                    "0804 080c 0806 080e 0802 080a"),
                                  &c, NULL),
                     SL_OK);
    for (int i = 0; i < 3; i++) {
        assert_int(&c.old[i], i + 1);
        assert_int(&c.values[i], i + 5);
    }
    assert_int_equal(decode_bytes(table, written_as, SL_CHANGE_UPDATE,
                                  table_hex(&arena, "0804 0804 0806 0806 0804 080c 0806 080e"), &c,
                                  NULL),
                     SL_OK);
    assert_int_equal(c.old[0].kind, SL_VALUE_ABSENT);
    assert_int_equal(c.values[0].kind, SL_VALUE_ABSENT);
    assert_int(&c.values[2], 7);
    sl_table_free(&table);
    sl_table_free(&written_as);
}

static void unknown_ids_are_skipped_but_checked(void **state)
{
    struct sl_table *table = account();
    struct sl_change c = decode(table, SL_CHANGE_DELETE, "08c801 0206426f62 0802 0802");

    (void)state;
    assert_int(&c.values[0], 1);
    assert_refused(table, SL_CHANGE_DELETE, "0802 0802 08c801 0206426f", "insufficient bytes");
    sl_table_free(&table);
}

static void generated_columns_keep_what_the_row_says(void **state)
{
    struct sl_column columns[] = {
        table_column(1, "a", SL_TYPE_LONG, SL_COLUMN_NOT_NULL),
        table_column(2, "g", SL_TYPE_LONG, SL_COLUMN_NOT_NULL),
        table_column(3, "w", SL_TYPE_LONG, SL_COLUMN_NOT_NULL),
    };
    struct sl_table *table;
    struct sl_change c;

    (void)state;
    columns[1].is_generated = true;
    columns[2].state = SL_SCHEMA_WRITE_ONLY;
    table = table_of(columns, 3);
    c = decode(table, SL_CHANGE_DELETE, "0802 0802 0804 0804");
    assert_int(&c.values[1], 2);
    /* Left out by an insert, neither has a default: statements do not write them. */
    c = decode(table, SL_CHANGE_INSERT, "0802 00");
    assert_int(&c.values[0], 0);
    assert_int_equal(c.values[1].kind, SL_VALUE_ABSENT);
    assert_int_equal(c.values[2].kind, SL_VALUE_ABSENT);
    sl_table_free(&table);
}

static void strings_and_numbers_are_not_copied(void **state)
{
    struct sl_table *table = account();
    struct sl_slice  row = table_hex(&arena, golden_insert);
    struct sl_change c;

    (void)state;
    assert_int_equal(decode_bytes(table, table, SL_CHANGE_INSERT, row, &c, NULL), SL_OK);
    assert_ptr_equal(c.values[1].text.bytes, row.bytes + 6);
    sl_table_free(&table);
}

/* ---- damage ---- */

/* A prefix that ends between two pairs is a row with fewer columns, where the kind allows that. */
static void no_prefix_of_a_row_passes_for_it(void **state)
{
    static const struct {
        enum sl_change_kind kind;
        const char         *hex;
        size_t              whole[3]; /* lengths at which a shorter row ends */
    } rows[] = {
        {SL_CHANGE_INSERT, golden_insert, {9}},
        {SL_CHANGE_UPDATE, golden_update, {0}},
        {SL_CHANGE_DELETE, golden_delete, {4, 10}},
    };
    struct sl_table *table = account();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_slice all = table_hex(&arena, rows[i].hex);

        for (size_t len = 0; len < all.len; len++) {
            uint8_t         *copy = malloc(len + (len == 0));
            struct sl_change c;
            struct sl_why    why = {0};
            enum sl_err      err;

            assert_non_null(copy);
            memcpy(copy, all.bytes, len);
            err = decode_bytes(table, table, rows[i].kind, (struct sl_slice){copy, len}, &c, &why);
            if (len > 0 && (len == rows[i].whole[0] || len == rows[i].whole[1])) {
                assert_int_equal(err, SL_OK);
            } else {
                assert_int_equal(err, SL_INVALID);
                assert_non_null(strstr(why.text, "test.account (id 47)"));
                assert_non_null(strstr(why.text, "offset"));
            }
            free(copy);
        }
    }
    sl_table_free(&table);
}

static void damage_is_refused_with_its_place(void **state)
{
    struct sl_table *table = account();

    (void)state;
    assert_refused(table, SL_CHANGE_DELETE, "0804 020e426f62", "column NAME, offset 2: insuff");
    assert_refused(table, SL_CHANGE_DELETE, "0804 0205426f62", "a length of -3");
    assert_refused(table, SL_CHANGE_DELETE, "0804 ff", "invalid encoded key flag 255");
    assert_refused(table, SL_CHANGE_DELETE, "0802 0206426f62", "bytes where an integer belongs");
    assert_refused(table, SL_CHANGE_DELETE, "0902 0802", "where the id of a column belongs");
    assert_refused(table, SL_CHANGE_DELETE, "00 0802", "NULL where the id of a column belongs");
    assert_refused(table, SL_CHANGE_DELETE, "0802 0802 0802 0804", "column ID, offset 6");
    assert_refused(table, SL_CHANGE_UPDATE, "0802 0802 0802 0804 0802 0806", "more often");
    assert_refused(table, SL_CHANGE_UPDATE, "0802 0802 0804 00 0802 0802",
                   "column NAME, offset 11: the image after the update lacks the column");
    assert_refused(table, SL_CHANGE_INSERT, "0802", "offset 2: the row is missing");
    assert_refused(table, SL_CHANGE_INSERT, "0206426f62 00", "bytes where the key of the row");
    assert_refused(table, SL_CHANGE_INSERT, "08ffffffffffffffffff7f 00", "larger than 64 bits");
    sl_table_free(&table);
}

static bool same_value(const struct sl_value *a, const struct sl_value *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == SL_VALUE_TEXT)
        return sl_slice_equal(a->text, b->text);
    return a->kind == SL_VALUE_ABSENT || a->kind == SL_VALUE_NULL || a->u == b->u;
}

/* Rows whose columns come as they mostly do are decoded in one piece; with a version of its own
 * that wrote them, step by step. */
static void both_ways_of_decoding_agree(void **state)
{
    static const char *const rows[] = {golden_insert, golden_update, golden_delete,
                                       "0802 0804 00 0806 0902",
                                       "0802 0802 0804 028c0161 0806 0902"};
    struct sl_table         *table = account();
    struct sl_table         *same = account();
    struct sl_prng           prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    for (unsigned i = 0; i < 60000; i++) {
        struct sl_slice     all = table_hex(&arena, rows[i % 5]);
        enum sl_change_kind kind = i % 5 < 3 ? (enum sl_change_kind)(i % 5) : SL_CHANGE_INSERT;
        uint8_t            *bytes = (uint8_t *)(uintptr_t)all.bytes;
        struct sl_change    a = {0};
        struct sl_change    b = {0};
        struct sl_why       why[2] = {0};
        enum sl_err         err;

        for (uint64_t n = sl_prng_below(&prng, 4); n > 0; n--)
            bytes[sl_prng_below(&prng, all.len)] = (uint8_t)sl_prng_below(&prng, 12);
        err = decode_bytes(table, table, kind, all, &a, &why[0]);
        assert_int_equal(decode_bytes(table, same, kind, all, &b, &why[1]), err);
        assert_string_equal(why[0].text, why[1].text);
        for (uint32_t c = 0; err == SL_OK && c < 3; c++) {
            assert_true(same_value(&a.values[c], &b.values[c]));
            if (kind == SL_CHANGE_UPDATE)
                assert_true(same_value(&a.old[c], &b.old[c]));
        }
        sl_arena_reset(&arena);
    }
    sl_table_free(&table);
    sl_table_free(&same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_insert_has_its_key_in_front),
        cmocka_unit_test(an_update_has_two_images),
        cmocka_unit_test(a_delete_has_the_old_image),
        cmocka_unit_test(the_hidden_row_id_is_no_column),
        cmocka_unit_test(a_null_is_told_from_what_is_left_out),
        cmocka_unit_test(an_unsigned_key_travels_signed),
        cmocka_unit_test(a_clustered_key_fills_what_the_row_leaves_out),
        cmocka_unit_test(the_row_wins_over_a_sort_key),
        cmocka_unit_test(a_key_is_read_in_comparable_form_too),
        cmocka_unit_test(a_clustered_table_needs_its_primary_index),
        cmocka_unit_test(types_are_those_of_the_version_that_wrote),
        cmocka_unit_test(columns_are_told_by_id_in_any_order),
        cmocka_unit_test(unknown_ids_are_skipped_but_checked),
        cmocka_unit_test(generated_columns_keep_what_the_row_says),
        cmocka_unit_test(strings_and_numbers_are_not_copied),
        cmocka_unit_test(no_prefix_of_a_row_passes_for_it),
        cmocka_unit_test(damage_is_refused_with_its_place),
        cmocka_unit_test(both_ways_of_decoding_agree),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
