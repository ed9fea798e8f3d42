/* The hashes give the published numbers, and the ones of an independent implementation in between.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static void u64_is_splitmix64(void **state)
{
    (void)state;
    assert_int_equal(sl_hash_u64(0), 0xe220a8397b1dcdaf);
    assert_int_equal(sl_hash_u64(1234567), UINT64_C(6457827717110365317));
    assert_int_equal(sl_hash_u64(1234567 + SL_HASH_GOLDEN), UINT64_C(3203168211198807973));
}

static uint64_t of_text(const char *text)
{
    return sl_hash_bytes(0, text, strlen(text));
}

static void bytes_is_xxh64(void **state)
{
    (void)state;
    assert_int_equal(sl_hash_bytes(0, NULL, 0), 0xef46db3751d8e999);
    assert_int_equal(of_text("a"), 0xd24ec4f1a98c6e5b);
    assert_int_equal(of_text("abc"), 0x44bc2cf5ad770999);
    assert_int_equal(of_text("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1);
}

/* Around the block sizes 4, 8 and 32, with a seed, at every alignment. */
static void bytes_agrees_at_every_block_boundary(void **state)
{
    static const struct {
        size_t   count;
        uint64_t hash;
    } rows[] = {
        {3, 0xa2168d89c582b451},  {4, 0x94506f8c7e5870a9},   {5, 0x27ce45508b78a340},
        {12, 0x797cf4fac65d4c13}, {100, 0x3d19a3a2098a7023}, {7, 0xaf4c5311c47c77b7},
        {8, 0x9d2b7c7354fe4e23},  {31, 0xf031031d65977dfc},  {32, 0xd74e6766ce9dba94},
        {33, 0xa371825f4210fe99}, {63, 0x5264ec0719e10595},  {101, 0x436499928c06f890},
    };
    uint8_t room[128];

    (void)state;
    for (unsigned shift = 0; shift < 8; shift++) {
        for (unsigned i = 0; i < 101; i++)
            room[shift + i] = (uint8_t)i;
        for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
            assert_int_equal(sl_hash_bytes(1, room + shift, rows[i].count), rows[i].hash);
    }
}

static void combine_depends_on_the_order(void **state)
{
    (void)state;
    assert_int_equal(sl_hash_combine(0, 0), 0xe220a8397b1dcdaf);
    assert_int_equal(sl_hash_combine(1, 2), 0x03efaf6ac82d6ba1);
    assert_int_equal(sl_hash_combine(2, 1), 0x485cbb361837e915);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(u64_is_splitmix64),
        cmocka_unit_test(bytes_is_xxh64),
        cmocka_unit_test(bytes_agrees_at_every_block_boundary),
        cmocka_unit_test(combine_depends_on_the_order),
    };

    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
