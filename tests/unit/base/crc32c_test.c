/* Both implementations give the published checksums, and agree with each other on random bytes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/prng.h"

static void assert_crc(const void *bytes, size_t count, uint32_t expected)
{
    assert_int_equal(sl_crc32c(0, bytes, count), expected);
    assert_int_equal(sl_crc32c_portable(0, bytes, count), expected);
}

static void the_check_value_is_right(void **state)
{
    (void)state;
    assert_crc("123456789", 9, 0xe3069283);
    assert_crc(NULL, 0, 0);
}

/* RFC 3720, appendix B.4. */
static void the_vectors_of_rfc_3720_are_right(void **state)
{
    static const uint8_t read_pdu[48] = {
        0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
        0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };
    uint8_t bytes[32];

    (void)state;
    memset(bytes, 0, sizeof bytes);
    assert_crc(bytes, sizeof bytes, 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_crc(bytes, sizeof bytes, 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_crc(bytes, sizeof bytes, 0x46dd794e);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_crc(bytes, sizeof bytes, 0x113fdb5c);
    assert_crc(read_pdu, sizeof read_pdu, 0xd9963a56);
}

/* The payload of an entity in a binlog file that the original wrote. */
static void the_original_wrote_the_same_checksum(void **state)
{
    static const uint8_t payload[] = {0x08, 0x02, 0x10, 0xb7, 0x8b, 0xd0, 0x8c, 0x91, 0xf6,
                                      0xe3, 0xdc, 0x05, 0x18, 0xb7, 0x8b, 0xd0, 0x8c, 0x91,
                                      0xf6, 0xe3, 0xdc, 0x05, 0x38, 0x00, 0x40, 0x00};

    (void)state;
    assert_crc(payload, sizeof payload, 0xe2317b27);
}

/* A byte at a time, one bit at a time: shares no code with either. */
static uint32_t crc_by_bits(const uint8_t *bytes, size_t count)
{
    uint32_t rest = UINT32_MAX;

    for (size_t i = 0; i < count; i++) {
        rest ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0x82f63b78 : 0);
    }
    return ~rest;
}

static uint8_t *random_bytes(struct sl_prng *prng, size_t count)
{
    uint8_t *bytes = malloc(count);

    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)sl_prng_next(prng);
    return bytes;
}

static void all_short_lengths_agree_at_all_alignments(void **state)
{
    enum { LENGTH_MAX = 300 };
    struct sl_prng prng;
    uint8_t       *bytes;

    (void)state;
    sl_prng_seed(&prng, 1);
    bytes = random_bytes(&prng, LENGTH_MAX + 8);
    for (unsigned shift = 0; shift < 8; shift++) {
        for (unsigned length = 0; length <= LENGTH_MAX; length++)
            assert_crc(bytes + shift, length, crc_by_bits(bytes + shift, length));
    }
    free(bytes);
}

static void long_inputs_agree(void **state)
{
    enum { BYTES = 1 << 16 };
    struct sl_prng prng;
    uint8_t       *bytes;

    (void)state;
    sl_prng_seed(&prng, 2);
    bytes = random_bytes(&prng, BYTES);
    for (unsigned i = 0; i < 300; i++) {
        size_t   start = sl_prng_below(&prng, BYTES);
        size_t   count = sl_prng_range(&prng, 0, BYTES - start);
        uint32_t crc = (uint32_t)sl_prng_next(&prng);

        assert_int_equal(sl_crc32c(crc, bytes + start, count),
                         sl_crc32c_portable(crc, bytes + start, count));
    }
    assert_crc(bytes, BYTES, crc_by_bits(bytes, BYTES));
    free(bytes);
}

static void parts_chain_to_the_whole(void **state)
{
    enum { BYTES = 5000 };
    struct sl_prng prng;
    uint8_t       *bytes;
    uint32_t       whole;

    (void)state;
    sl_prng_seed(&prng, 3);
    bytes = random_bytes(&prng, BYTES);
    whole = sl_crc32c(0, bytes, BYTES);
    for (unsigned i = 0; i < 300; i++) {
        size_t   cut = sl_prng_range(&prng, 0, BYTES);
        uint32_t first = sl_crc32c(0, bytes, cut);

        assert_int_equal(sl_crc32c(first, bytes + cut, BYTES - cut), whole);
        assert_int_equal(sl_crc32c_portable(first, bytes + cut, BYTES - cut), whole);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_value_is_right),
        cmocka_unit_test(the_vectors_of_rfc_3720_are_right),
        cmocka_unit_test(the_original_wrote_the_same_checksum),
        cmocka_unit_test(all_short_lengths_agree_at_all_alignments),
        cmocka_unit_test(long_inputs_agree),
        cmocka_unit_test(parts_chain_to_the_whole),
    };

    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
