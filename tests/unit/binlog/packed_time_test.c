/* Times against golden numbers (codec spec 9.5, 9.6), and the calendar against itself and the C
 * library. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/prng.h"
#include "binlog/packed_time.h"

static void assert_shows(const struct civil_time *t, const char *text)
{
    char        out[PACKED_TIME_TEXT_BYTES_MAX];
    const char *point = strchr(text, '.');
    unsigned    digits = point != NULL ? (unsigned)strlen(point + 1) : 0;
    size_t      len =
        strchr(text, ' ') != NULL ? civil_time_text(t, digits, out) : civil_date_text(t, out);

    assert_int_equal(len, strlen(text));
    assert_memory_equal(out, text, len);
}

static void golden_numbers_have_their_text(void **state)
{
    static const struct {
        uint64_t    packed;
        const char *text;
    } rows[] = {
        {UINT64_C(0x198a94b2cb0f423f), "2011-11-10 11:11:11.999999"},
        {UINT64_C(0x199ee63387000000), "2018-01-19 03:14:07"},
        {UINT64_C(0x1987140000000000), "2010-10-10"},
        {UINT64_C(0x19a2dec30c000000), "2019-04-15 12:12:12"},
        {UINT64_C(0x19a5bb7efb07a120), "2020-02-29 23:59:59.5"},
        {UINT64_C(0x0cb2420000000000), "1000-01-01 00:00:00"},
        {UINT64_C(0x7ef3ff7efb0f423f), "9999-12-31 23:59:59.999999"},
        {UINT64_C(0x1902c20001000000), "1970-01-01 00:00:01"},
        {UINT64_C(0x0000420000000000), "0000-01-01"},
        {UINT64_C(0x0000000000000000), "0000-00-00"},
        {UINT64_C(0x196d000000000000), "2002-10-00"}, /* no day */
        {UINT64_C(0x199ee63387000000), "2018-01-19 03:14:07"},
        {UINT64_C(0x0000000000000000), "0000-00-00 00:00:00.000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct civil_time t;

        assert_true(packed_time_open(rows[i].packed, &t));
        assert_shows(&t, rows[i].text);
    }
}

static void digits_that_are_not_shown_are_cut_off(void **state)
{
    struct civil_time t;

    (void)state;
    assert_true(packed_time_open(UINT64_C(0x198a94b2cb0f423f), &t));
    assert_shows(&t, "2011-11-10 11:11:11");
    assert_shows(&t, "2011-11-10 11:11:11.9");
    assert_shows(&t, "2011-11-10 11:11:11.99999");
    t.micro = 1200;
    assert_shows(&t, "2011-11-10 11:11:11.001");
    assert_shows(&t, "2011-11-10 11:11:11.0012");
}

static uint64_t packed(uint64_t year, uint64_t month, uint64_t hour, uint64_t minute,
                       uint64_t second, uint64_t micro)
{
    uint64_t days = (year * 13 + month) << 5 | 31;

    return (days << 17 | hour << 12 | minute << 6 | second) << 24 | micro;
}

static void numbers_that_are_no_time_are_refused(void **state)
{
    struct civil_time t;

    (void)state;
    assert_true(packed_time_open(packed(9999, 12, 23, 59, 59, 999999), &t));
    assert_false(packed_time_open(packed(10000, 0, 23, 59, 59, 999999), &t));
    assert_false(packed_time_open(packed(9999, 12, 24, 59, 59, 999999), &t));
    assert_false(packed_time_open(packed(9999, 12, 23, 60, 59, 999999), &t));
    assert_false(packed_time_open(packed(9999, 12, 23, 59, 60, 999999), &t));
    assert_false(packed_time_open(packed(9999, 12, 23, 59, 59, 1000000), &t));
    assert_false(packed_time_open(UINT64_MAX, &t));
}

static void durations_have_their_text(void **state)
{
    static const struct {
        int64_t     nanos;
        unsigned    digits;
        const char *text;
    } rows[] = {
        {INT64_C(1000000000), 0, "00:00:01"},
        {INT64_C(36610000000000), 0, "10:10:10"},
        {INT64_C(-36610000000000), 0, "-10:10:10"},
        {INT64_C(14400000000000), 0, "04:00:00"},
        {INT64_C(45296789000000), 3, "12:34:56.789"},
        {INT64_C(3020399000000000), 0, "838:59:59"},
        {INT64_C(-3020399000000000), 0, "-838:59:59"},
        {0, 0, "00:00:00"},
        {-1, 6, "-00:00:00.000000"},
        {-INT64_C(3020399999999000), 6, "-838:59:59.999999"},
    };
    char   out[DURATION_TEXT_BYTES_MAX];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(duration_text(rows[i].nanos, rows[i].digits, out, &len));
        assert_int_equal(len, strlen(rows[i].text));
        assert_memory_equal(out, rows[i].text, len);
    }
    assert_false(duration_text(INT64_C(3020400000000000), 0, out, &len));
    assert_false(duration_text(INT64_MIN, 0, out, &len));
    assert_false(duration_text(INT64_MAX, 0, out, &len));
}

/* ---- the calendar ---- */

static void seconds_are_those_of_the_c_library(void **state)
{
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    for (unsigned i = 0; i < 20000; i++) {
        /* From the year 0 to 9999. */
        int64_t seconds =
            (int64_t)sl_prng_below(&prng, UINT64_C(315537897599)) - INT64_C(62135596800);
        time_t            at = (time_t)seconds;
        struct civil_time t;
        struct tm         tm;

        assert_true(civil_time_from_seconds(seconds, &t));
        assert_non_null(gmtime_r(&at, &tm));
        assert_int_equal(t.year, tm.tm_year + 1900);
        assert_int_equal(t.month, tm.tm_mon + 1);
        assert_int_equal(t.day, tm.tm_mday);
        assert_int_equal(t.hour, tm.tm_hour);
        assert_int_equal(t.minute, tm.tm_min);
        assert_int_equal(t.second, tm.tm_sec);
        assert_true(civil_time_is_real(&t));
        assert_int_equal(civil_time_seconds(&t), seconds);
    }
}

static void years_end_where_four_digits_end(void **state)
{
    struct civil_time t;

    (void)state;
    assert_true(civil_time_from_seconds(-INT64_C(62167219200), &t));
    assert_true(t.year == 0 && t.month == 1 && t.day == 1);
    assert_false(civil_time_from_seconds(-INT64_C(62167219201), &t));
    assert_true(civil_time_from_seconds(INT64_C(253402300799), &t));
    assert_true(t.year == 9999 && t.month == 12 && t.day == 31 && t.second == 59);
    assert_false(civil_time_from_seconds(INT64_C(253402300800), &t));
}

static void days_that_no_calendar_has(void **state)
{
    static const struct {
        struct civil_time t;
        bool              is_real;
    } rows[] = {
        {{.year = 2020, .month = 2, .day = 29}, true},
        {{.year = 2021, .month = 2, .day = 29}, false},
        {{.year = 2000, .month = 2, .day = 29}, true},
        {{.year = 1900, .month = 2, .day = 29}, false},
        {{.year = 2020, .month = 4, .day = 31}, false},
        {{.year = 2020, .month = 0, .day = 1}, false},
        {{.year = 2020, .month = 1, .day = 0}, false},
        {{.year = 2020, .month = 12, .day = 31}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(civil_time_is_real(&rows[i].t), rows[i].is_real);
}

static void text_is_read_back(void **state)
{
    static const char *const good[] = {
        "2019-04-15 12:12:12",
        "1970-01-01 00:00:01",
        "2020-02-29 23:59:59.5",
        "2020-02-29 23:59:59.123456",
    };
    static const char *const bad[] = {
        "",
        "2019-04-15",
        "2019-04-15 12:12",
        "2019-04-15T12:12:12",
        "0000-00-00 00:00:00",
        "2019-02-29 00:00:00",
        "2019-04-15 24:00:00",
        "2019-04-15 12:12:12x",
        "2019-04-15 12:12:12.x",
        "2019-13-15 12:12:12",
        "current_timestamp",
    };
    struct civil_time t;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(civil_time_parse(sl_slice_from_string(good[i]), &t));
        assert_shows(&t, good[i]);
    }
    assert_true(civil_time_parse(sl_slice_from_string("2020-02-29 23:59:59.1234567"), &t));
    assert_int_equal(t.micro, 123456);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(civil_time_parse(sl_slice_from_string(bad[i]), &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_numbers_have_their_text),
        cmocka_unit_test(digits_that_are_not_shown_are_cut_off),
        cmocka_unit_test(numbers_that_are_no_time_are_refused),
        cmocka_unit_test(durations_have_their_text),
        cmocka_unit_test(seconds_are_those_of_the_c_library),
        cmocka_unit_test(years_end_where_four_digits_end),
        cmocka_unit_test(days_that_no_calendar_has),
        cmocka_unit_test(text_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
