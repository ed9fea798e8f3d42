/* Sizes, durations and numbers are read as Go's programs read them, at their bounds too, and
 * written as Go does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

static void sizes_are_read_with_their_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t    bytes;
    } rows[] = {
        {"", 0},
        {"0", 0},
        {"42", 42},
        {"42 b", 42},
        {"10 gib", UINT64_C(10) << 30},
        {"10GiB", UINT64_C(10) << 30},
        {"1k", 1000},
        {"1 KB", 1000},
        {"1ki", 1024},
        {"2m", 2000000},
        {"3MiB", 3 << 20},
        {"1g", UINT64_C(1000000000)},
        {"1tb", UINT64_C(1000000000000)},
        {"1ti", UINT64_C(1) << 40},
        {"1p", UINT64_C(1000000000000000)},
        {"1pib", UINT64_C(1) << 50},
        {"18e", UINT64_C(18000000000000000000)},
        {"15 eib", UINT64_C(15) << 60},
        {"1,024", 1024},
        {"1.5k", 1500},
        {".5 kib", 512},
        {"1. kb", 1000},
        {"1.9999", 1},
        {"0.99999999999999999999999999 eib", (UINT64_C(1) << 60) - 1},
        {"18446744073709551615", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t      bytes = 1;
        struct sl_why why = {0};

        if (sl_bytes_parse(rows[i].text, &bytes, &why) != SL_OK)
            fail_msg("%s: %s", rows[i].text, why.text);
        if (bytes != rows[i].bytes)
            fail_msg("%s: %llu", rows[i].text, (unsigned long long)bytes);
    }
}

static void bad_sizes_are_refused_with_the_words_of_the_original(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"10 gigs", "unhandled size name: gigs"},
        {"1.2.3", "unhandled size name: .3"},
        {"16 eib", "too large: 16 eib"},
        {"18446744073709551616", "too large: 18446744073709551616"},
        {"99999999999999999999999", "too large: 99999999999999999999999"},
        {"18446744073709551615.5 k", "too large: 18446744073709551615.5 k"},
        {"gib", "not a size: \"gib\""},
        {"-1", "not a size: \"-1\""},
        {".", "not a size: \".\""},
        {",", "not a size: \",\""},
        {" ", "not a size: \" \""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t      bytes = 77;
        struct sl_why why = {0};

        assert_int_equal(sl_bytes_parse(rows[i].text, &bytes, &why), SL_INVALID);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(bytes, 77);
    }
}

static void durations_are_read_as_go_reads_them(void **state)
{
    static const struct {
        const char *text;
        int64_t     nanos;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"5s", INT64_C(5000000000)},
        {"+5s", INT64_C(5000000000)},
        {"1h30m", INT64_C(5400000000000)},
        {"500ms", 500000000},
        {"1.5s", 1500000000},
        {".5s", 500000000},
        {"1.s", 1000000000},
        {"10us", 10000},
        {"10\xc2\xb5s", 10000},
        {"10\xce\xbcs", 10000},
        {"7ns", 7},
        {"1.9ns", 1},
        {"-1.5h", INT64_C(-5400000000000)},
        {"1h1h", INT64_C(7200000000000)},
        {"9223372036854775807ns", INT64_MAX},
        {"0.3333333333333333333h", INT64_C(1199999999999)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t       nanos = 1;
        struct sl_why why = {0};

        if (sl_duration_parse(rows[i].text, &nanos, &why) != SL_OK)
            fail_msg("%s: %s", rows[i].text, why.text);
        if (nanos != rows[i].nanos)
            fail_msg("%s: %lld", rows[i].text, (long long)nanos);
    }
}

static void bad_durations_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "invalid duration \"\""},
        {"-", "invalid duration \"-\""},
        {"x", "invalid duration \"x\""},
        {".s", "invalid duration \".s\""},
        {"7", "missing unit in duration \"7\""},
        {"7d", "unknown unit \"d\" in duration \"7d\""},
        {"1h 30m", "unknown unit \"h \" in duration \"1h 30m\""},
        {"1.2.3s", "missing unit in duration \"1.2.3s\""},
        {"9223372036854775808ns", "invalid duration \"9223372036854775808ns\": too long"},
        {"3000000h", "invalid duration \"3000000h\": too long"},
        {"99999999999999999999s", "invalid duration \"99999999999999999999s\": too long"},
        {"18446744073709551615ns1ns", "invalid duration \"18446744073709551615ns1ns\": too long"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t       nanos = 77;
        struct sl_why why = {0};

        assert_int_equal(sl_duration_parse(rows[i].text, &nanos, &why), SL_INVALID);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(nanos, 77);
    }
}

static void durations_are_written_as_go_writes_them(void **state)
{
    static const struct {
        int64_t     nanos;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1ns"},
        {999, "999ns"},
        {1100, "1.1\xc2\xb5s"},
        {350000, "350\xc2\xb5s"},
        {2200000, "2.2ms"},
        {500000000, "500ms"},
        {1500000000, "1.5s"},
        {60000000000, "1m0s"},
        {120000000000, "2m0s"},
        {INT64_C(245001000000), "4m5.001s"},
        {INT64_C(3600000000000), "1h0m0s"},
        {INT64_C(3600001000000), "1h0m0.001s"},
        {INT64_C(604800000000000), "168h0m0s"},
        {-1500000000, "-1.5s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    char out[SL_DURATION_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t back;

        sl_duration_format(rows[i].nanos, out);
        assert_string_equal(out, rows[i].text);
        if (rows[i].nanos == INT64_MIN)
            continue;
        assert_int_equal(sl_duration_parse(out, &back, NULL), SL_OK);
        assert_true(back == rows[i].nanos);
    }
}

static void whole_numbers_fill_64_bits_and_no_more(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "x",
                                      "0x",
                                      "--1",
                                      "+-1",
                                      "9223372036854775808",
                                      "-9223372036854775809"};
    int64_t                  out = 77;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (sl_int_parse(bad[i], &out, NULL) != SL_INVALID || out != 77)
            fail_msg("%s was accepted", bad[i]);
    }
    assert_int_equal(sl_int_parse("9223372036854775807", &out, NULL), SL_OK);
    assert_true(out == INT64_MAX);
    assert_int_equal(sl_int_parse("-9223372036854775808", &out, NULL), SL_OK);
    assert_true(out == INT64_MIN);
    assert_int_equal(sl_int_parse("0x10", &out, NULL), SL_OK);
    assert_int_equal(out, 16);
}

static void numbers_are_finite(void **state)
{
    static const char *const bad[] = {"", "inf", "nan", "-inf", "1e999", "1x", " 1", "."};
    double                   out = 77;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (sl_float_parse(bad[i], &out, NULL) != SL_INVALID)
            fail_msg("%s was accepted", bad[i]);
    }
    assert_int_equal(sl_float_parse("-1.25", &out, NULL), SL_OK);
    assert_true(out < -1.24 && out > -1.26);
}

static void booleans_are_gos_twelve_words(void **state)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    struct sl_why            why = {0};
    bool                     out;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        out = false;
        assert_int_equal(sl_bool_parse(yes[i], &out, NULL), SL_OK);
        assert_true(out);
        assert_int_equal(sl_bool_parse(no[i], &out, NULL), SL_OK);
        assert_false(out);
    }
    assert_int_equal(sl_bool_parse("yes", &out, &why), SL_INVALID);
    assert_string_equal(why.text, "not true or false: \"yes\"");
    assert_int_equal(sl_bool_parse("tRUE", &out, NULL), SL_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read_with_their_units),
        cmocka_unit_test(bad_sizes_are_refused_with_the_words_of_the_original),
        cmocka_unit_test(durations_are_read_as_go_reads_them),
        cmocka_unit_test(bad_durations_are_refused),
        cmocka_unit_test(durations_are_written_as_go_writes_them),
        cmocka_unit_test(whole_numbers_fill_64_bits_and_no_more),
        cmocka_unit_test(numbers_are_finite),
        cmocka_unit_test(booleans_are_gos_twelve_words),
    };

    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
