/* The generators give the published numbers, bounded draws stay in range and miss no value. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/prng.h"

static void generator_gives_the_published_sequence(void **state)
{
    static const uint64_t expected[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    struct sl_prng prng = {.word = {1, 2, 3, 4}};

    (void)state;
    for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(sl_prng_next(&prng), expected[i]);
}

static void seeding_goes_through_splitmix64(void **state)
{
    static const uint64_t of_0[] = {0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0};
    static const uint64_t of_42[] = {0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1};
    struct sl_prng        prng;

    (void)state;
    sl_prng_seed(&prng, 0);
    assert_int_equal(prng.word[0], 0xe220a8397b1dcdaf);
    assert_int_equal(prng.word[1], 0x6e789e6aa1b965f4);
    assert_int_equal(prng.word[2], 0x06c45d188009454f);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sl_prng_next(&prng), of_0[i]);
    sl_prng_seed(&prng, 42);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sl_prng_next(&prng), of_42[i]);
}

static void below_is_uniform(void **state)
{
    enum { N = 7, DRAWS = 70000 };
    unsigned       seen[N] = {0};
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    for (unsigned i = 0; i < DRAWS; i++) {
        uint64_t x = sl_prng_below(&prng, N);

        assert_true(x < N);
        seen[x]++;
    }
    for (unsigned i = 0; i < N; i++)
        assert_in_range(seen[i], DRAWS / N - 500, DRAWS / N + 500);
}

/* With n = 3 * 2^62 a plain modulo would give the lower third half of the draws. */
static void below_is_unbiased_for_a_large_bound(void **state)
{
    enum { DRAWS = 30000 };
    const uint64_t third = UINT64_C(1) << 62;
    unsigned       low = 0;
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 2);
    for (unsigned i = 0; i < DRAWS; i++)
        low += sl_prng_below(&prng, 3 * third) < third;
    assert_in_range(low, DRAWS / 3 - 500, DRAWS / 3 + 500);
}

static void range_reaches_both_ends(void **state)
{
    unsigned       seen = 0;
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 3);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t x = sl_prng_range(&prng, 10, 13);

        assert_in_range(x, 10, 13);
        seen |= 1u << (x - 10);
    }
    assert_int_equal(seen, 0xf);
    assert_int_equal(sl_prng_range(&prng, 5, 5), 5);
    assert_int_not_equal(sl_prng_range(&prng, 0, UINT64_MAX), sl_prng_range(&prng, 0, UINT64_MAX));
}

static void chance_follows_its_odds(void **state)
{
    unsigned       hits = 0;
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 4);
    for (unsigned i = 0; i < 10000; i++) {
        hits += sl_prng_chance(&prng, 1, 4);
        assert_false(sl_prng_chance(&prng, 0, 4));
        assert_true(sl_prng_chance(&prng, 4, 4));
    }
    assert_in_range(hits, 2300, 2700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_gives_the_published_sequence),
        cmocka_unit_test(seeding_goes_through_splitmix64),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(below_is_unbiased_for_a_large_bound),
        cmocka_unit_test(range_reaches_both_ends),
        cmocka_unit_test(chance_follows_its_odds),
    };

    return cmocka_run_group_tests_name("prng", tests, NULL, NULL);
}
