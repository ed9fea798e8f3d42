/* The bytes of the value log, against bytes made by another implementation from the description in
 * vlog_format.h; and what is not good is not believed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "storage/vlog_format.h"

static const struct vlog_header golden_header = {
    .identity = {.cluster_id = 0x0102030405060708, .shard = 2, .shard_count = 4},
    .number = 0x31,
    .generation = 0xa1a2a3a4a5a6a7a8,
    .segment_bytes = 1 << 28,
    .first = 0x123456789a8,
    .previous_max_commit_ts = 0xc0ffee,
};
static const uint8_t golden_header_bytes[72] = {
    0x53, 0x4c, 0x56, 0x4c, 0x4f, 0x47, 0x0d, 0x0a, 0x01, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00,
    0x00, 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, 0x02, 0x00, 0x00, 0x00, 0x04, 0x00,
    0x00, 0x00, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa8, 0xa7, 0xa6, 0xa5, 0xa4,
    0xa3, 0xa2, 0xa1, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0xa8, 0x89, 0x67, 0x45,
    0x23, 0x01, 0x00, 0x00, 0xee, 0xff, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00};
static const uint8_t golden_header_crc[4] = {0xcc, 0xad, 0xa2, 0x05};

static const uint64_t golden_offset = 0x123456789b0;
static const uint8_t  golden_record_bytes[56] = {
     0x1e, 0xbd, 0xc0, 0x5e, 0x05, 0x00, 0x00, 0x00, 0x11, 0x11, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x22, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x67, 0x45, 0x23, 0x01,
     0x00, 0x00, 0x00, 0x00, 0x02, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4c, 0xbb,
     0x71, 0x9a, 0x92, 0xca, 0x78, 0xb9, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x00, 0x00, 0x00};

static void header_has_the_golden_bytes(void **state)
{
    static const uint8_t zeros[VLOG_BLOCK_BYTES];
    uint8_t              block[VLOG_BLOCK_BYTES];
    struct vlog_header   back;

    (void)state;
    memset(block, 0xee, sizeof block);
    vlog_header_encode(&golden_header, block);
    assert_memory_equal(block, golden_header_bytes, 72);
    assert_memory_equal(block + 72, zeros, 4092 - 72);
    assert_memory_equal(block + 4092, golden_header_crc, 4);
    assert_int_equal(vlog_header_decode(block, "x", &back, NULL), SL_OK);
    assert_memory_equal(&back, &golden_header, sizeof back);
}

static void record_has_the_golden_bytes(void **state)
{
    struct sl_vlog_record     record = {.type = SL_VLOG_COMMIT,
                                        .flags = 9,
                                        .start_ts = 0x1111,
                                        .commit_ts = 0x2222,
                                        .payload = sl_slice_from_string("hello")};
    struct vlog_record_header back;
    uint8_t                   bytes[64];

    (void)state;
    memset(bytes, 0xee, sizeof bytes);
    assert_int_equal(
        vlog_record_encode(&record, golden_header.generation, golden_offset, 0x1234567, bytes), 56);
    assert_memory_equal(bytes, golden_record_bytes, 56);
    assert_int_equal(bytes[56], 0xee);
    assert_true(vlog_record_decode(bytes, golden_header.generation, golden_offset, &back));
    assert_int_equal(back.payload_bytes, 5);
    assert_int_equal(back.type, SL_VLOG_COMMIT);
    assert_int_equal(back.flags, 9);
    assert_int_equal(back.start_ts, 0x1111);
    assert_int_equal(back.commit_ts, 0x2222);
    assert_int_equal(back.durable, 0x1234567);
    assert_true(vlog_payload_is_good(&back, bytes + VLOG_RECORD_HEADER_BYTES));
}

static void every_flipped_bit_of_a_header_block_is_noticed(void **state)
{
    uint8_t            block[VLOG_BLOCK_BYTES];
    struct vlog_header back;

    (void)state;
    vlog_header_encode(&golden_header, block);
    for (unsigned bit = 0; bit < 8 * VLOG_BLOCK_BYTES; bit += bit < 800 ? 1 : 97) {
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(vlog_header_decode(block, "x", &back, NULL), SL_CORRUPT);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void every_flipped_bit_of_a_record_is_noticed(void **state)
{
    struct vlog_record_header back;
    uint8_t                   bytes[56];

    (void)state;
    memcpy(bytes, golden_record_bytes, sizeof bytes);
    for (unsigned bit = 0; bit < 8 * 53; bit++) { /* all but the padding */
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(vlog_record_decode(bytes, golden_header.generation, golden_offset, &back) &&
                     vlog_payload_is_good(&back, bytes + VLOG_RECORD_HEADER_BYTES));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void a_record_is_good_only_in_its_place_and_generation(void **state)
{
    struct vlog_record_header back;

    (void)state;
    assert_false(vlog_record_decode(golden_record_bytes, golden_header.generation + 1,
                                    golden_offset, &back));
    assert_false(vlog_record_decode(golden_record_bytes, golden_header.generation,
                                    golden_offset + 8, &back));
}

static void a_header_of_another_version_is_told_from_damage(void **state)
{
    uint8_t            block[VLOG_BLOCK_BYTES];
    struct vlog_header back;
    struct sl_why      why = {0};
    uint32_t           crc;

    (void)state;
    vlog_header_encode(&golden_header, block);
    block[8] = 2;
    crc = sl_crc32c_portable(0, block, 4092);
    memcpy(block + 4092, &crc, sizeof crc);
    assert_int_equal(vlog_header_decode(block, "/d/1.seg", &back, &why), SL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "/d/1.seg has format version 2"));
}

static void records_are_padded_to_multiples_of_eight(void **state)
{
    (void)state;
    assert_int_equal(sl_vlog_record_bytes(0), 48);
    assert_int_equal(sl_vlog_record_bytes(1), 56);
    assert_int_equal(sl_vlog_record_bytes(8), 56);
    assert_int_equal(sl_vlog_record_bytes(9), 64);
}

static void magic_is_found_where_a_record_may_begin(void **state)
{
    uint8_t bytes[600];

    (void)state;
    for (size_t at = 0; at < sizeof bytes; at += 4) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes + at, golden_record_bytes, 4);
        assert_int_equal(vlog_find_magic(bytes, sizeof bytes), at % 8 == 0 ? at : sizeof bytes);
        assert_int_equal(vlog_find_magic(bytes, at / 8 * 8), at / 8 * 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_has_the_golden_bytes),
        cmocka_unit_test(record_has_the_golden_bytes),
        cmocka_unit_test(every_flipped_bit_of_a_header_block_is_noticed),
        cmocka_unit_test(every_flipped_bit_of_a_record_is_noticed),
        cmocka_unit_test(a_record_is_good_only_in_its_place_and_generation),
        cmocka_unit_test(a_header_of_another_version_is_told_from_damage),
        cmocka_unit_test(records_are_padded_to_multiples_of_eight),
        cmocka_unit_test(magic_is_found_where_a_record_may_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
