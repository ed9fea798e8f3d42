/* The walks over prewrite values and mutations against golden bytes (codec spec 9.9) and against
 * protobuf-c on all recordings; sequences in both forms, in any order of fields; whatever is
 * damaged is refused when the walk is opened. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "binlog.pb-c.h"
#include "binlog/change.h"
#include "binlog/datum.h"
#include "binlog/record.h"
#include "lib/table.h"
#include "sluice/corpus.h"

static struct sl_arena arena;

static int tear_down(void **state)
{
    (void)state;
    sl_arena_done(&arena);
    return 0;
}

/* Table 47, an insert, an update and a delete. */
#define MUTATION                                                                                   \
    "082f120d080208040206426f62080609021a1d0802080208040206426f62080609020802080208040204416c0806" \
    "0901"                                                                                         \
    "320e0802080208040204416c08060901380038013804"

static void open_rows(struct sl_row_walk *walk, const char *hex, uint64_t wanted)
{
    struct sl_why why = {0};
    uint64_t      rows;

    if (sl_row_walk_open(table_hex(&arena, hex), walk, &rows, &why) != SL_OK)
        fail_msg("%s", why.text);
    assert_int_equal(rows, wanted);
}

static void assert_row(struct sl_row_walk *walk, enum sl_change_kind kind, const char *hex)
{
    struct sl_raw_row row;
    struct sl_slice   wanted = table_hex(&arena, hex);

    assert_int_equal(sl_row_walk_next(walk, &row, NULL), SL_OK);
    assert_int_equal(row.kind, kind);
    assert_true(sl_slice_equal(row.bytes, wanted));
}

static void assert_end(struct sl_row_walk *walk)
{
    struct sl_raw_row row;

    assert_int_equal(sl_row_walk_next(walk, &row, NULL), SL_NOT_FOUND);
    assert_int_equal(sl_row_walk_next(walk, &row, NULL), SL_NOT_FOUND);
}

static void golden_bytes_are_walked(void **state)
{
    struct sl_prewrite prewrite;
    struct sl_mutation mutation;
    struct sl_row_walk walk;
    uint64_t           rows;

    (void)state;
    assert_int_equal(sl_prewrite_open(table_hex(&arena, "081e1246" MUTATION), &prewrite, NULL),
                     SL_OK);
    assert_int_equal(prewrite.schema_version, 30);
    assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_OK);
    assert_int_equal(mutation.table_id, 47);
    assert_int_equal(sl_row_walk_open(mutation.bytes, &walk, &rows, NULL), SL_OK);
    assert_int_equal(rows, 3);
    assert_row(&walk, SL_CHANGE_INSERT, "080208040206426f6208060902");
    assert_row(&walk, SL_CHANGE_UPDATE,
               "0802080208040206426f62080609020802080208040204416c08060901");
    assert_row(&walk, SL_CHANGE_DELETE, "0802080208040204416c08060901");
    assert_end(&walk);
    assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_NOT_FOUND);
}

static void nothing_is_a_prewrite_value_without_mutations(void **state)
{
    struct sl_prewrite prewrite;
    struct sl_mutation mutation;
    struct sl_row_walk walk;

    (void)state;
    assert_int_equal(sl_prewrite_open((struct sl_slice){0}, &prewrite, NULL), SL_OK);
    assert_int_equal(prewrite.schema_version, 0);
    assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_NOT_FOUND);
    open_rows(&walk, "", 0);
    assert_end(&walk);
}

static void the_sequence_gives_the_order(void **state)
{
    struct sl_row_walk walk;

    (void)state;
    /* delete, insert, delete, insert; one row more of each is not in it */
    open_rows(&walk, "082f 120101 120102 120103 320104 320105 320106 3804 3800 3804 3800", 4);
    assert_row(&walk, SL_CHANGE_DELETE, "04");
    assert_row(&walk, SL_CHANGE_INSERT, "01");
    assert_row(&walk, SL_CHANGE_DELETE, "05");
    assert_row(&walk, SL_CHANGE_INSERT, "02");
    assert_end(&walk);
}

static void packed_sequences_are_read_too(void **state)
{
    struct sl_row_walk walk;

    (void)state;
    /* packed, empty, single, packed */
    open_rows(&walk, "082f 120101 120102 1a0103 320104 320105 3a020400 3a00 3801 3a020400", 5);
    assert_row(&walk, SL_CHANGE_DELETE, "04");
    assert_row(&walk, SL_CHANGE_INSERT, "01");
    assert_row(&walk, SL_CHANGE_UPDATE, "03");
    assert_row(&walk, SL_CHANGE_DELETE, "05");
    assert_row(&walk, SL_CHANGE_INSERT, "02");
    assert_end(&walk);
}

static void fields_may_stand_in_any_order(void **state)
{
    struct sl_row_walk walk;

    (void)state;
    /* with the obsolete lists, and a field of a newer protocol */
    open_rows(&walk, "3804 320104 2003 3800 2a0107 120101 7801 3804 120102 320105 3800 082f", 4);
    assert_row(&walk, SL_CHANGE_DELETE, "04");
    assert_row(&walk, SL_CHANGE_INSERT, "01");
    assert_row(&walk, SL_CHANGE_DELETE, "05");
    assert_row(&walk, SL_CHANGE_INSERT, "02");
    assert_end(&walk);
}

static void the_table_is_found_wherever_it_stands(void **state)
{
    struct sl_prewrite prewrite;
    struct sl_mutation mutation;

    (void)state;
    assert_int_equal(
        sl_prewrite_open(table_hex(&arena, "1205 120101 082f 1200 7a0199 081e"), &prewrite, NULL),
        SL_OK);
    assert_int_equal(prewrite.schema_version, 30);
    assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_OK);
    assert_int_equal(mutation.table_id, 47);
    assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_OK);
    assert_int_equal(mutation.table_id, 0);
    assert_int_equal(mutation.bytes.len, 0);
    assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_NOT_FOUND);
}

/* ---- damage ---- */

static void damaged_mutations_are_refused(void **state)
{
    static const struct {
        const char *hex;
        const char *words;
    } rows[] = {
        {"082f 120101 3800 3800", "2 inserted rows in its sequence, but 1 are there"},
        {"082f 3801", "1 updated rows in its sequence, but 0 are there"},
        {"082f 3804", "1 deleted rows in its sequence, but 0 are there"},
        {"082f 2001 3802", "unknown mutation type 2 in the sequence"},
        {"082f 120101 3803", "unknown mutation type 3"},
        {"082f 120101 3a0105", "offset 5: unknown mutation type 5"},
        {"082f 120501", "TableMutation of 5 bytes, offset 2: unexpected EOF"},
        {"082f 1001", "wrong wireType = 0 for field 2 of TableMutation"},
        {"0a00", "wrong wireType = 2 for field 1"},
        {"082f 0830", "a second table"},
        {"3d00000000", "wrong wireType = 5 for field 7"},
        {"082f 3a0180", "unexpected EOF"},
        {"082f 00", "illegal tag 0"},
        {"082f 46", "illegal wireType 6"},
        {"082f 12ffffffffffffffffff01", "unexpected EOF"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_row_walk walk = {.packed_left = 77};
        struct sl_why      why = {0};

        assert_int_equal(sl_row_walk_open(table_hex(&arena, rows[i].hex), &walk, NULL, &why),
                         SL_INVALID);
        if (strstr(why.text, rows[i].words) == NULL)
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].hex, why.text, rows[i].words);
        assert_int_equal(walk.packed_left, 77);
    }
}

static void damaged_prewrite_values_are_refused(void **state)
{
    static const char *const rows[] = {"08", "0a00", "1001", "1205082f", "081e 12", "081e 1a05"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_prewrite prewrite = {.schema_version = 77};
        struct sl_why      why = {0};

        assert_int_equal(sl_prewrite_open(table_hex(&arena, rows[i]), &prewrite, &why), SL_INVALID);
        assert_non_null(strstr(why.text, "PrewriteValue of "));
        assert_int_equal(prewrite.schema_version, 77);
    }
}

static void no_prefix_of_a_mutation_has_all_rows(void **state)
{
    struct sl_slice all = table_hex(&arena, MUTATION);

    (void)state;
    for (size_t len = 0; len < all.len; len++) {
        uint8_t           *copy = malloc(len + (len == 0));
        struct sl_row_walk walk;
        uint64_t           rows;

        assert_non_null(copy);
        memcpy(copy, all.bytes, len);
        if (sl_row_walk_open((struct sl_slice){copy, len}, &walk, &rows, NULL) == SL_OK)
            assert_true(rows < 3);
        free(copy);
    }
}

/* However it is cut into steps, a check says what a check in one go says. */
static void checks_may_be_done_in_steps(void **state)
{
    static const char *const mutations[] = {
        MUTATION, "082f 120101 120102 1a0103 320104 320105 3a020400 3a00 3801",
        "082f 120101 3a0105", "082f 3801", ""};

    (void)state;
    for (size_t i = 0; i < sizeof mutations / sizeof *mutations; i++) {
        struct sl_slice    all = table_hex(&arena, mutations[i]);
        struct sl_row_walk wanted;
        uint64_t           rows_wanted = 0;
        enum sl_err        outcome = sl_row_walk_open(all, &wanted, &rows_wanted, NULL);

        for (size_t step = 1; step < 20; step++) {
            struct sl_row_check check;
            struct sl_row_walk  walk;
            uint64_t            rows = 0;
            size_t              steps = 0;
            enum sl_err         err;

            sl_row_check_begin(all, &check);
            while ((err = sl_row_check_step(&check, step, &walk, &rows, NULL)) == SL_AGAIN)
                assert_true(++steps < 1000);
            assert_int_equal(err, outcome);
            assert_int_equal(rows, rows_wanted);
            if (err == SL_OK)
                assert_memory_equal(walk.at, wanted.at, sizeof walk.at);
        }
    }
}

/* ---- recordings ---- */

/* What row walks of a recording saw. */
struct seen {
    uint64_t rows;
    uint64_t datums;
};

static void check_datums(struct sl_raw_row row, struct seen *seen)
{
    struct wire_cursor c = wire_begin(row.bytes);
    struct datum       datum;
    struct sl_why      why = {0};
    uint64_t           count = 0;

    seen->rows++;
    if (row.bytes.len == 1 && row.bytes.bytes[0] == DATUM_FLAG_NIL)
        return;
    while (c.at < c.end) {
        if (datum_take(&c, &datum, &why) != SL_OK)
            fail_msg("%s", why.text);
        /* This TiDB has integer keys only: an insert is one datum and pairs. */
        if (count % 2 == (row.kind == SL_CHANGE_INSERT) && c.at < c.end)
            assert_int_equal(datum.kind, DATUM_INT);
        count++;
    }
    if (row.kind == SL_CHANGE_INSERT && count == 2)
        assert_int_equal(datum.kind, DATUM_NULL); /* a row without columns */
    else
        assert_int_equal(count % 2, row.kind == SL_CHANGE_INSERT);
    seen->datums += count;
}

static void assert_bytes(struct sl_slice bytes, const ProtobufCBinaryData *wanted)
{
    assert_int_equal(bytes.len, wanted->len);
    assert_memory_equal(bytes.bytes, wanted->data, wanted->len);
}

static void compare_mutation(const struct sl_mutation    *mutation,
                             const Sluice__TableMutation *wanted, struct seen *seen)
{
    size_t             at[3] = {0};
    struct sl_row_walk walk;
    struct sl_raw_row  row;
    uint64_t           rows;

    assert_int_equal(mutation->table_id, wanted->table_id);
    assert_int_equal(sl_row_walk_open(mutation->bytes, &walk, &rows, NULL), SL_OK);
    assert_int_equal(rows, wanted->n_sequence);
    for (size_t i = 0; i < wanted->n_sequence; i++) {
        assert_int_equal(sl_row_walk_next(&walk, &row, NULL), SL_OK);
        switch (wanted->sequence[i]) {
        case SLUICE__MUTATION_TYPE__INSERT:
            assert_int_equal(row.kind, SL_CHANGE_INSERT);
            assert_bytes(row.bytes, &wanted->inserted_rows[at[0]++]);
            break;
        case SLUICE__MUTATION_TYPE__UPDATE:
            assert_int_equal(row.kind, SL_CHANGE_UPDATE);
            assert_bytes(row.bytes, &wanted->updated_rows[at[1]++]);
            break;
        case SLUICE__MUTATION_TYPE__DELETE_ROW:
            assert_int_equal(row.kind, SL_CHANGE_DELETE);
            assert_bytes(row.bytes, &wanted->deleted_rows[at[2]++]);
            break;
        case SLUICE__MUTATION_TYPE__DELETE_ID:
        case SLUICE__MUTATION_TYPE__DELETE_PK:
        case _SLUICE__MUTATION_TYPE_IS_INT_SIZE: fail();
        }
        check_datums(row, seen);
    }
    assert_end(&walk);
}

static void compare_value(struct sl_slice value, struct seen *seen)
{
    Sluice__PrewriteValue *wanted = sluice__prewrite_value__unpack(NULL, value.len, value.bytes);
    struct sl_prewrite     prewrite;
    struct sl_mutation     mutation;

    assert_non_null(wanted);
    assert_int_equal(sl_prewrite_open(value, &prewrite, NULL), SL_OK);
    assert_int_equal(prewrite.schema_version, wanted->schema_version);
    for (size_t i = 0; i < wanted->n_mutations; i++) {
        assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_OK);
        compare_mutation(&mutation, wanted->mutations[i], seen);
    }
    assert_int_equal(sl_prewrite_next(&prewrite, &mutation, NULL), SL_NOT_FOUND);
    sluice__prewrite_value__free_unpacked(wanted, NULL);
}

static struct seen compare_recording(const char *path)
{
    struct corpus corpus;
    struct seen   seen = {0};
    struct sl_why why = {0};

    if (corpus_load(sl_env_os()->fs, path, &corpus, &why) != SL_OK)
        fail_msg("%s", why.text);
    for (uint32_t i = 0; i < corpus.count; i++) {
        struct sl_record record;

        assert_int_equal(sl_record_decode(corpus.records[i].payload, &record, NULL), SL_OK);
        if (record.prewrite_value.len > 0)
            compare_value(record.prewrite_value, &seen);
    }
    corpus_free(&corpus);
    return seen;
}

static void recordings_are_walked_as_protobuf_c_reads_them(void **state)
{
    struct seen bank;

    (void)state;
    assert_true(compare_recording("tests/corpus/types").rows > 1000);
    assert_true(compare_recording("tests/corpus/ddl").rows > 1000);
    assert_true(compare_recording("tests/corpus/ddl_quiet").rows > 100);
    bank = compare_recording("tests/corpus/bank");
    assert_true(bank.rows > 44000 && bank.datums > 4 * bank.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes_are_walked),
        cmocka_unit_test(nothing_is_a_prewrite_value_without_mutations),
        cmocka_unit_test(the_sequence_gives_the_order),
        cmocka_unit_test(packed_sequences_are_read_too),
        cmocka_unit_test(fields_may_stand_in_any_order),
        cmocka_unit_test(the_table_is_found_wherever_it_stands),
        cmocka_unit_test(damaged_mutations_are_refused),
        cmocka_unit_test(damaged_prewrite_values_are_refused),
        cmocka_unit_test(checks_may_be_done_in_steps),
        cmocka_unit_test(no_prefix_of_a_mutation_has_all_rows),
        cmocka_unit_test(recordings_are_walked_as_protobuf_c_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
