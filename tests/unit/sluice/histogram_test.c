/* What is read from a histogram is what a sorted list of the values says, at most one part in
 * HISTOGRAM_STEPS more. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "sluice/histogram.h"

enum { VALUES = 5000 };

static int compare_values(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void quantiles_are_those_of_the_sorted_values(void **state)
{
    static const unsigned   permille[] = {0, 1, 500, 990, 999, 1000};
    static struct histogram h;
    static uint64_t         values[VALUES];
    struct sl_prng          prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    for (unsigned bits = 1; bits <= 64; bits += 3) {
        memset(&h, 0, sizeof h);
        for (unsigned i = 0; i < VALUES; i++) {
            values[i] = sl_prng_next(&prng) >> (64 - bits);
            histogram_add(&h, values[i]);
        }
        qsort(values, VALUES, sizeof *values, compare_values);
        for (unsigned i = 0; i < sizeof permille / sizeof *permille; i++) {
            unsigned rank = (VALUES * permille[i] + 999) / 1000;
            uint64_t exact = values[rank > 0 ? rank - 1 : 0];
            uint64_t read = histogram_at(&h, permille[i]);

            assert_true(read >= exact);
            assert_true(read - exact <= exact / HISTOGRAM_STEPS);
        }
        assert_true(histogram_at(&h, 1000) == values[VALUES - 1]);
    }
}

static void an_empty_one_says_zero_and_the_ends_have_buckets(void **state)
{
    static struct histogram h;

    (void)state;
    assert_true(histogram_at(&h, 999) == 0);
    histogram_add(&h, UINT64_MAX);
    histogram_add(&h, 0);
    assert_true(histogram_at(&h, 0) == 0);
    assert_true(histogram_at(&h, 1000) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(an_empty_one_says_zero_and_the_ends_have_buckets),
    };

    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
