/* Generated transactions as protobuf-c reads them, a library that had no part in writing them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog.pb-c.h"
#include "pump.pb-c.h"
#include "binlog/message.h"
#include "sluice/pair.h"

enum { CLUSTER_ID = 9, TABLE_ID = 1003, VERSION = 300, SIZE_MAX_TRIED = 70000 };

static const struct pair_table table = {
    .cluster_id = CLUSTER_ID, .schema_version = VERSION, .table_id = TABLE_ID};

/* The binlog in a request, to be freed by the caller; its size in *bytes. Frees the request. */
static Sluice__Binlog *unpack(struct sl_buf *request, size_t *bytes)
{
    Sluice__WriteBinlogReq *outer =
        sluice__write_binlog_req__unpack(NULL, request->len, request->data);
    Sluice__Binlog *binlog;

    assert_non_null(outer);
    assert_int_equal(outer->cluster_id, CLUSTER_ID);
    binlog = sluice__binlog__unpack(NULL, outer->payload.len, outer->payload.data);
    assert_non_null(binlog);
    *bytes = outer->payload.len;
    sluice__write_binlog_req__free_unpacked(outer, NULL);
    sl_buf_free(&request);
    return binlog;
}

/* A number in a row: the flag of a varint, then zigzag. */
static int64_t take_integer(const uint8_t **at, uint8_t flag)
{
    uint64_t value = 0;
    unsigned shift = 0;

    assert_int_equal(*(*at)++, flag);
    for (; (**at & 0x80) != 0; shift += 7)
        value |= (uint64_t)(*(*at)++ & 0x7f) << shift;
    value |= (uint64_t) * (*at)++ << shift;
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* One inserted row: its id, column 2 = a blob that begins with the start ts. Its length. */
static size_t check_row(const ProtobufCBinaryData *row, int64_t id, sl_ts start_ts)
{
    const uint8_t *at = row->data;
    size_t         length;
    uint64_t       head = 0;

    assert_int_equal(take_integer(&at, 8), id);
    assert_int_equal(take_integer(&at, 8), 2);
    length = (size_t)take_integer(&at, 2);
    assert_int_equal(row->data + row->len - at, length);
    for (unsigned i = 8; length >= 8 && i-- > 0;)
        head = head << 8 | at[i];
    assert_true(length < 8 || head == (uint64_t)start_ts);
    return length;
}

static void check_prewrite(sl_ts start_ts, uint32_t rows, size_t size, const uint8_t *filler)
{
    size_t          bytes;
    Sluice__Binlog *binlog = unpack(pair_prewrite(&table, start_ts, rows, size, filler), &bytes);
    Sluice__PrewriteValue *value;

    assert_true(bytes <= size && bytes + 4 * rows >= size);
    assert_int_equal(binlog->tp, SLUICE__BINLOG_TYPE__PREWRITE);
    assert_int_equal(binlog->start_ts, start_ts);
    assert_true(binlog->has_commit_ts && binlog->commit_ts == 0);
    assert_int_equal(binlog->prewrite_key.len, 19);
    assert_true(binlog->has_ddl_schema_state && !binlog->has_ddl_query);
    value = sluice__prewrite_value__unpack(NULL, binlog->prewrite_value.len,
                                           binlog->prewrite_value.data);
    assert_non_null(value);
    assert_int_equal(value->schema_version, VERSION);
    assert_int_equal(value->n_mutations, 1);
    assert_int_equal(value->mutations[0]->table_id, TABLE_ID);
    assert_int_equal(value->mutations[0]->n_inserted_rows, rows);
    assert_int_equal(value->mutations[0]->n_sequence, rows);
    for (uint32_t i = 0; i < rows; i++) {
        assert_int_equal(value->mutations[0]->sequence[i], SLUICE__MUTATION_TYPE__INSERT);
        (void)check_row(&value->mutations[0]->inserted_rows[i], pair_row_id(start_ts, i), start_ts);
    }
    sluice__prewrite_value__free_unpacked(value, NULL);
    sluice__binlog__free_unpacked(binlog, NULL);
}

static void prewrites_have_the_size_and_the_rows_asked_for(void **state)
{
    static const sl_ts  starts[] = {1, 470614061355368450, INT64_MAX};
    static const size_t sizes[] = {1024, 16383, 16384, 16385, 16500, SIZE_MAX_TRIED};
    uint8_t            *filler = calloc(1, SIZE_MAX_TRIED);

    (void)state;
    for (unsigned i = 0; i < sizeof starts / sizeof *starts; i++) {
        for (size_t size = PAIR_SIZE_MIN; size < 400; size++)
            check_prewrite(starts[i], 1, size, filler);
        for (unsigned j = 0; j < sizeof sizes / sizeof *sizes; j++)
            check_prewrite(starts[i], 1, sizes[j], filler);
        check_prewrite(starts[i], 100, SIZE_MAX_TRIED, filler);
        check_prewrite(starts[i], 1000, 1000 * PAIR_ROW_SIZE_MIN, filler);
    }
    free(filler);
}

/* Record key of table 104, row 1: codec spec 1.10. */
static void the_key_is_that_of_the_row(void **state)
{
    static const uint8_t key[] = {0x74, 0x80, 0, 0, 0, 0, 0, 0, 0x68, 0x5f,
                                  0x72, 0x80, 0, 0, 0, 0, 0, 0, 0x01};
    struct pair_table    other = table;
    Sluice__Binlog      *binlog;
    size_t               bytes;

    (void)state;
    other.table_id = 104;
    binlog = unpack(pair_finish(&other, 1, 5), &bytes);
    assert_int_equal(binlog->prewrite_key.len, sizeof key);
    assert_memory_equal(binlog->prewrite_key.data, key, sizeof key);
    assert_int_equal(binlog->tp, SLUICE__BINLOG_TYPE__COMMIT);
    assert_int_equal(binlog->commit_ts, 5);
    assert_false(binlog->has_prewrite_value);
    sluice__binlog__free_unpacked(binlog, NULL);
    binlog = unpack(pair_finish(&other, 1, 0), &bytes);
    assert_int_equal(binlog->tp, SLUICE__BINLOG_TYPE__ROLLBACK);
    sluice__binlog__free_unpacked(binlog, NULL);
}

static void ddl_records_carry_job_and_query(void **state)
{
    size_t          bytes;
    Sluice__Binlog *prewrite = unpack(pair_ddl(CLUSTER_ID, 7, 0, 44, "create x"), &bytes);
    Sluice__Binlog *commit = unpack(pair_ddl(CLUSTER_ID, 7, 8, 44, "create x"), &bytes);

    (void)state;
    assert_int_equal(prewrite->tp, SLUICE__BINLOG_TYPE__PREWRITE);
    assert_int_equal(commit->tp, SLUICE__BINLOG_TYPE__COMMIT);
    assert_int_equal(commit->commit_ts, 8);
    assert_int_equal(commit->ddl_job_id, 44);
    assert_int_equal(commit->ddl_schema_state, 5);
    assert_int_equal(commit->ddl_query.len, 8);
    assert_memory_equal(prewrite->ddl_query.data, "create x", 8);
    assert_false(prewrite->has_prewrite_value);
    sluice__binlog__free_unpacked(prewrite, NULL);
    sluice__binlog__free_unpacked(commit, NULL);
}

/* Pump specification, appendix A. */
static void requests_are_the_bytes_of_the_original(void **state)
{
    static const uint8_t from_ts[] = {0x08, 0xb5, 0xc4, 0xf4, 0x92, 0x81, 0xd3, 0xa8,
                                      0x94, 0x5b, 0x12, 0x0a, 0x10, 0xb7, 0x8b, 0xd0,
                                      0x8c, 0x91, 0xf6, 0xe3, 0xdc, 0x05};
    static const uint8_t from_0[] = {0x08, 0xb5, 0xc4, 0xf4, 0x92, 0x81,
                                     0xd3, 0xa8, 0x94, 0x5b, 0x12, 0x00};
    struct sl_buf *request = sl_message_pull(UINT64_C(6568678830546690613), 412518831548007863);

    (void)state;
    assert_int_equal(request->len, sizeof from_ts);
    assert_memory_equal(request->data, from_ts, sizeof from_ts);
    sl_buf_free(&request);
    request = sl_message_pull(UINT64_C(6568678830546690613), 0);
    assert_int_equal(request->len, sizeof from_0);
    assert_memory_equal(request->data, from_0, sizeof from_0);
    sl_buf_free(&request);
    request = sl_message_probe(UINT64_C(6568678830546690613));
    assert_int_equal(request->len, 10);
    assert_memory_equal(request->data, from_0, 10);
    sl_buf_free(&request);
}

/* The response for a fake binlog, same place. */
static void entities_are_found_and_every_cut_is_refused_or_harmless(void **state)
{
    static const uint8_t response[] = {
        0x0a, 0x34, 0x0a, 0x00, 0x12, 0x1a, 0x08, 0x02, 0x10, 0xb7, 0x8b, 0xd0, 0x8c, 0x91,
        0xf6, 0xe3, 0xdc, 0x05, 0x18, 0xb7, 0x8b, 0xd0, 0x8c, 0x91, 0xf6, 0xe3, 0xdc, 0x05,
        0x38, 0x00, 0x40, 0x00, 0x22, 0x14, 0x08, 0xb7, 0x8b, 0xd0, 0x8c, 0x91, 0xf6, 0xe3,
        0xdc, 0x05, 0x10, 0xb7, 0x8b, 0xd0, 0x8c, 0x91, 0xf6, 0xe3, 0xdc, 0x05};
    struct sl_slice payload;

    (void)state;
    assert_int_equal(
        sl_message_entity((struct sl_slice){response, sizeof response}, &payload, NULL), SL_OK);
    assert_int_equal(payload.len, 0x1a);
    assert_ptr_equal(payload.bytes, response + 6);
    for (size_t keep = 0; keep < sizeof response; keep++) {
        uint8_t *cut = malloc(keep + 1);

        memcpy(cut, response, keep);
        assert_int_equal(sl_message_entity((struct sl_slice){cut, keep}, &payload, NULL),
                         SL_INVALID);
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prewrites_have_the_size_and_the_rows_asked_for),
        cmocka_unit_test(the_key_is_that_of_the_row),
        cmocka_unit_test(ddl_records_carry_job_and_query),
        cmocka_unit_test(requests_are_the_bytes_of_the_original),
        cmocka_unit_test(entities_are_found_and_every_cut_is_refused_or_harmless),
    };

    return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
