/* Decimals against golden bytes (codec spec 9.4); every size is known from two bytes; groups that
 * no digits make are refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/decimal.h"
#include "lib/table.h"

static struct sl_arena arena;

static int tear_down(void **state)
{
    (void)state;
    sl_arena_done(&arena);
    return 0;
}

static void golden_bytes_have_their_text(void **state)
{
    static const struct {
        const char *hex;
        const char *text;
    } rows[] = {
        {"010080", "0"},
        {"0a028000000000", "0.00"},
        {"010081", "1"},
        {"01007e", "-1"},
        {"0a028000000100", "1.00"},
        {"0a027ffffffeff", "-1.00"},
        {"0a028000007b2d", "123.45"},
        {"0a027fffff84d2", "-123.45"},
        {"0e04810dfb38d204d2", "1234567890.1234"},
        {"0e047ef204c72dfb2d", "-1234567890.1234"},
        {"06048b26ac", "11.9900"},
        {"0302830e", "3.14"},
        {"0a088000003039", "0.00012345"},
        {"0a0285f5e0ff63", "99999999.99"},
        {"0a027a0a1f009c", "-99999999.99"},
        {"411e80bc614e35b7bf87350e34c02f075f79075bcd1500bc614e35b7bf87037a",
         "12345678901234567890123456789012345.123456789012345678901234567890"},
        {"02017ffa", "-0.5"},
        {"1e1e8000000000000000000000000001", "0.000000000000000000000000000001"},
        {"0500800064", "100"},
        {"0a008100000000", "1000000000"},
        {"0900bb9ac9ff", "999999999"},
        {"090044653600", "-999999999"},
        {"1400921aa0c6092a4ae5ff", "18446744073709551615"},
        {"02018105", "1.5"},
        {"03037ffe", "-0.001"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_slice bytes = table_hex(&arena, rows[i].hex);
        char            text[DECIMAL_TEXT_BYTES_MAX];
        size_t          size;
        size_t          len;
        struct sl_why   why = {0};

        assert_int_equal(decimal_size(bytes, &size, &why), SL_OK);
        assert_int_equal(size, bytes.len);
        if (decimal_text(bytes, text, &len, &why) != SL_OK)
            fail_msg("%s: %s", rows[i].text, why.text);
        assert_int_equal(len, strlen(rows[i].text));
        assert_memory_equal(text, rows[i].text, len);
    }
}

/* -9 in each of the most digits a decimal can have: every inverted byte is at its extreme. */
static void the_longest_text_fits(void **state)
{
    uint8_t bytes[2 + 40] = {SL_DECIMAL_DIGITS_MAX, 0};
    char    text[DECIMAL_TEXT_BYTES_MAX];
    size_t  len;

    (void)state;
    for (unsigned fraction = 0; fraction <= SL_DECIMAL_DIGITS_MAX; fraction += 9) {
        bytes[1] = (uint8_t)fraction;
        for (size_t at = 2; at < 2 + 36; at += 4)
            memcpy(bytes + at, (const uint8_t[]){0xc4, 0x65, 0x36, 0x00}, 4); /* ~999999999 */
        bytes[2] ^= 0x80;
        assert_int_equal(decimal_text((struct sl_slice){bytes, 38}, text, &len, NULL), SL_OK);
        /* Sign, digits, a point, and a zero before it when there is nothing else. */
        assert_int_equal(len, 1 + SL_DECIMAL_DIGITS_MAX + (fraction > 0) +
                                  (fraction == SL_DECIMAL_DIGITS_MAX));
        assert_int_equal(text[0], '-');
    }
}

static void sizes_follow_from_the_first_two_bytes(void **state)
{
    static const struct {
        uint8_t digits, fraction;
        size_t  size;
    } rows[] = {{1, 0, 3},    {1, 1, 3},   {9, 0, 6},    {10, 0, 7},  {14, 4, 9},
                {65, 30, 32}, {81, 0, 38}, {81, 81, 38}, {30, 30, 16}};
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint8_t bytes[] = {rows[i].digits, rows[i].fraction, 0x80};

        assert_int_equal(decimal_size((struct sl_slice){bytes, 3}, &size, NULL), SL_OK);
        assert_int_equal(size, rows[i].size);
        assert_int_equal(decimal_size((struct sl_slice){bytes, 2}, &size, NULL), SL_INVALID);
    }
}

static void impossible_digits_are_refused(void **state)
{
    static const char *const rows[] = {
        "0100 8a",       /* 10 in one digit */
        "0200 e4",       /* 100 in two */
        "0900 bb9aca00", /* 1000000000 in nine */
        "0900 44653500", /* the same, negative and more */
        "0a01 ffffffff 09", "0b02 80000001 64",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_slice bytes = table_hex(&arena, rows[i]);
        char            text[DECIMAL_TEXT_BYTES_MAX];
        size_t          size;
        size_t          len;
        struct sl_why   why = {0};

        assert_int_equal(decimal_size(bytes, &size, NULL), SL_OK);
        assert_int_equal(size, bytes.len);
        assert_int_equal(decimal_text(bytes, text, &len, &why), SL_INVALID);
        assert_non_null(strstr(why.text, "bad number"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes_have_their_text),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(sizes_follow_from_the_first_two_bytes),
        cmocka_unit_test(impossible_digits_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
