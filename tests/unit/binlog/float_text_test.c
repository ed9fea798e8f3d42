/* Floating point numbers have the layout of Go at its borders, and the shortest digits: they read
 * back as the same number, and one digit fewer does not. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "binlog/float_text.h"

static void assert_both(double value, const char *sql, const char *json)
{
    char                text[FLOAT_TEXT_BYTES_MAX + 1] = {0};
    struct float_digits digits;

    float_digits_of(value, &digits);
    text[float_text_sql(&digits, text)] = '\0';
    assert_string_equal(text, sql);
    text[float_text_json(&digits, text)] = '\0';
    assert_string_equal(text, json);
}

static void layouts_are_those_of_go(void **state)
{
    (void)state;
    assert_both(0, "0", "0");
    assert_both(-0.0, "-0", "-0");
    assert_both(100000, "100000", "100000");
    assert_both(999999, "999999", "999999");
    assert_both(100000.5, "100000.5", "100000.5");
    assert_both(1e6, "1e+06", "1000000");
    assert_both(1234567.5, "1.2345675e+06", "1234567.5");
    assert_both(123456789, "1.23456789e+08", "123456789");
    assert_both(0.0001, "0.0001", "0.0001");
    assert_both(0.00001, "1e-05", "0.00001");
    assert_both(0.000001, "1e-06", "0.000001");
    assert_both(0.0000001, "1e-07", "1e-7");
    assert_both(3.14, "3.14", "3.14");
    assert_both(-1.5e-9, "-1.5e-09", "-1.5e-9");
    assert_both(123456789012345680000.0, "1.2345678901234568e+20", "123456789012345680000");
    assert_both(1e21, "1e+21", "1e+21");
    assert_both(1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308");
    assert_both(5e-324, "5e-324", "5e-324");
    assert_both((double)1.1f, "1.100000023841858", "1.100000023841858");
    assert_both(9007199254740993.0, "9.007199254740992e+15", "9007199254740992");
}

/* The digits as a text for strtod. */
static const char *plain(const struct float_digits *d, uint32_t count, char *out, size_t room)
{
    (void)snprintf(out, room, "%s%c.%.*se%d", d->is_negative ? "-" : "", d->digits[0],
                   (int)count - 1, d->digits + 1, d->exponent);
    return out;
}

static void digits_are_the_shortest(void **state)
{
    struct sl_prng prng;
    char           text[64];

    (void)state;
    sl_prng_seed(&prng, 1);
    for (unsigned i = 0; i < 50000; i++) {
        uint64_t            bits = sl_prng_next(&prng);
        struct float_digits d;
        double              value;

        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        float_digits_of(value, &d);
        assert_true(strtod(plain(&d, d.count, text, sizeof text), NULL) == value);
        if (d.count > 1)
            assert_true(strtod(plain(&d, d.count - 1, text, sizeof text), NULL) != value);
    }
}

static void digits_of_a_single_are_shorter(void **state)
{
    struct sl_prng prng;
    char           text[64];

    (void)state;
    sl_prng_seed(&prng, 2);
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t            bits = (uint32_t)sl_prng_next(&prng);
        struct float_digits d;
        float               value;

        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        float_digits_of_single(value, &d);
        assert_true(d.count <= 9);
        assert_true(strtof(plain(&d, d.count, text, sizeof text), NULL) == value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_those_of_go),
        cmocka_unit_test(digits_are_the_shortest),
        cmocka_unit_test(digits_of_a_single_are_shorter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
