/* Zones: offsets and names are taken or refused as MySQL does; files of the tz database show what
 * the C library shows, before, between and behind their transitions; damaged files are refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/prng.h"
#include "binlog/change.h"
#include "binlog/zone_private.h"
#include "lib/table.h"

static struct sl_arena arena;

static int tear_down(void **state)
{
    (void)state;
    sl_arena_done(&arena);
    return 0;
}

static struct sl_zone *open_zone(const char *name)
{
    struct sl_zone *zone = NULL;
    struct sl_why   why = {0};

    if (sl_zone_open(sl_env_os()->fs, name, &zone, &why) != SL_OK)
        fail_msg("%s", why.text);
    return zone;
}

static void offsets_are_taken_within_their_bounds(void **state)
{
    static const struct {
        const char *name;
        int32_t     offset_s;
    } rows[] = {
        {"+08:00", 28800}, {"-03:30", -12600}, {"+8:00", 28800}, {"+00:00", 0}, {"-00:00", 0},
        {"+14:00", 50400}, {"-12:59", -46740}, {"UTC", 0},       {"utc", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_zone *zone = open_zone(rows[i].name);

        assert_int_equal(zone_offset_at(zone, 0), rows[i].offset_s);
        assert_int_equal(zone_offset_at(zone, INT64_MAX), rows[i].offset_s);
        sl_zone_free(&zone);
        assert_null(zone);
    }
    sl_zone_free(&(struct sl_zone *){NULL});
}

static void other_names_are_refused(void **state)
{
    static const struct {
        const char *name;
        enum sl_err err;
        const char *words;
    } rows[] = {
        {"SYSTEM", SL_INVALID, "'SYSTEM' or 'Local' time_zone is not supported"},
        {"Local", SL_INVALID, "'SYSTEM' or 'Local'"},
        {"local", SL_INVALID, "'SYSTEM' or 'Local'"},
        {"+14:01", SL_INVALID, "not within -12:59..+14:00"},
        {"-13:00", SL_INVALID, "not within -12:59..+14:00"},
        {"+08:60", SL_INVALID, "not within"},
        {"", SL_INVALID, "no name of a time zone"},
        {"+0800", SL_NOT_FOUND, "+0800"},
        {"../../etc/passwd", SL_INVALID, "no name of a time zone"},
        {"/etc/localtime", SL_INVALID, "no name of a time zone"},
        {"Asia/Nowhere", SL_NOT_FOUND, "Asia/Nowhere"},
        {"Asia", SL_INVALID, "Asia"},
        {"zone.tab", SL_INVALID, "no name of a time zone"},
        {"leapseconds", SL_INVALID, "no head of a tz database file"},
        {"a123456789b123456789c123456789d123456789e123456789f123456789g1234", SL_INVALID,
         "no name"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_zone *zone = NULL;
        struct sl_why   why = {0};
        enum sl_err     err = sl_zone_open(sl_env_os()->fs, rows[i].name, &zone, &why);

        if (err != rows[i].err || strstr(why.text, rows[i].words) == NULL)
            fail_msg("\"%s\": %s: \"%s\" lacks \"%s\"", rows[i].name, sl_err_name(err), why.text,
                     rows[i].words);
        assert_null(zone);
    }
}

/* From 1850 to 2200: also what the file leaves to the rule in its foot. */
static void named_zones_are_those_of_the_c_library(void **state)
{
    static const char *const names[] = {
        "Asia/Shanghai",    "America/New_York",  "Europe/London",  "Australia/Lord_Howe",
        "America/Santiago", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Chatham",
        "Europe/Dublin",    "America/Godthab",   "Etc/GMT+5",      "Asia/Tehran",
    };
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sl_zone *zone = open_zone(names[i]);

        assert_int_equal(setenv("TZ", names[i], 1), 0);
        tzset();
        for (unsigned n = 0; n < 5000; n++) {
            time_t at =
                (time_t)sl_prng_below(&prng, UINT64_C(11045203200)) - (time_t)INT64_C(3786912000);
            struct tm tm;

            assert_non_null(localtime_r(&at, &tm));
            if (zone_offset_at(zone, at) != (int32_t)tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", names[i], (long long)at,
                         zone_offset_at(zone, at), tm.tm_gmtoff);
        }
        sl_zone_free(&zone);
    }
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void a_timestamp_is_shown_in_the_zone(void **state)
{
    struct sl_column columns[2];
    struct sl_table *table;
    struct sl_zone  *zone = open_zone("America/New_York");
    struct sl_change change;
    struct sl_why    why = {0};
    /* 2019-04-15 04:12:12 and 2019-01-15 04:12:12, both UTC */
    static const struct {
        const char *hex;
        const char *text;
    } rows[] = {
        {"0802 09808080e0b0c8b7d119 0804 09808080e0b0d8b7d119", "2019-04-15 00:12:12"},
        {"0802 0900 0804 09808080e0b0d8b7d119", "0000-00-00 00:00:00"},
    };

    (void)state;
    columns[0] = table_column(1, "t", SL_TYPE_TIMESTAMP, 0);
    columns[1] = table_column(2, "d", SL_TYPE_DATETIME, 0);
    table = table_of(columns, 2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sl_row_context context = {
            .table = table, .written_as = table, .zone = zone, .arena = &arena};

        if (sl_row_decode(&context,
                          &(struct sl_raw_row){SL_CHANGE_DELETE, table_hex(&arena, rows[i].hex)},
                          &change, &why) != SL_OK)
            fail_msg("%s", why.text);
        assert_int_equal(change.values[0].text.len, 19);
        assert_memory_equal(change.values[0].text.bytes, rows[i].text, 19);
        assert_memory_equal(change.values[1].text.bytes, "2019-04-15 12:12:12", 19);
    }
    sl_table_free(&table);
    sl_zone_free(&zone);
}

/* ---- rules ---- */

static struct zone_future future_of(const char *text)
{
    struct zone_future future;
    struct sl_why      why = {0};

    if (zone_future_read(sl_slice_from_string(text), &future, &why) != SL_OK)
        fail_msg("%s", why.text);
    return future;
}

static void rules_are_read(void **state)
{
    struct zone_future f = future_of("<+0330>-3:30<+0430>,J79/24,J263/24");

    (void)state;
    assert_int_equal(f.offset_s, 12600);
    assert_int_equal(f.summer_offset_s, 16200);
    assert_int_equal(f.summer_begins.kind, ZONE_RULE_JULIAN);
    assert_int_equal(f.summer_begins.at_s, 86400);
    /* 2024-03-20 24:00 local: a leap year does not move day J79. */
    assert_int_equal(zone_future_offset_at(&f, INT64_C(1710966599)), 12600);
    assert_int_equal(zone_future_offset_at(&f, INT64_C(1710966600)), 16200);
    f = future_of("XXX3EDT4,0/0,J365/23");
    assert_int_equal(f.summer_begins.kind, ZONE_RULE_DAY);
    assert_int_equal(zone_future_offset_at(&f, INT64_C(1710966600)), -14400);
    f = future_of("IST-1GMT0,M10.5.0,M3.5.0/1");
    assert_int_equal(zone_future_offset_at(&f, INT64_C(1720000000)), 3600);
    assert_int_equal(zone_future_offset_at(&f, INT64_C(1704067200)), 0);
    f = future_of("UTC0");
    assert_false(f.has_summer);
    assert_int_equal(zone_future_offset_at(&f, 0), 0);
}

static void rules_that_are_none_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "XX1",
        "UTC",
        "UTC0X",
        "UTC0XXX",
        "<UTC0",
        "UTC168",
        "UTC0:60",
        "A1B0CET,M3.5.0",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J1",
        "CET-1CEST,J366,J1",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone_future future;
        struct sl_why      why = {0};

        if (zone_future_read(sl_slice_from_string(rows[i]), &future, &why) != SL_INVALID)
            fail_msg("%s was taken", rows[i]);
        assert_non_null(strstr(why.text, "does not say how a zone goes on"));
    }
}

/* ---- files ---- */

static enum sl_err read_bytes(const uint8_t *bytes, size_t len)
{
    uint8_t       *copy = malloc(len + (len == 0));
    struct sl_zone zone = {0};
    enum sl_err    err;

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    err = zone_read((struct sl_slice){copy, len}, &zone, NULL);
    free(zone.transitions);
    free(copy);
    return err;
}

static void damaged_files_are_refused(void **state)
{
    uint8_t        file[1 << 14];
    size_t         count;
    struct sl_prng prng;

    (void)state;
    assert_int_equal(sl_fs_read(sl_env_os()->fs, "/usr/share/zoneinfo/Europe/London", file,
                                sizeof file, &count, NULL),
                     SL_OK);
    assert_int_equal(read_bytes(file, count), SL_OK);
    for (size_t len = 0; len < count; len++)
        assert_int_equal(read_bytes(file, len), SL_INVALID);
    sl_prng_seed(&prng, 1);
    for (unsigned i = 0; i < 20000; i++) {
        size_t  at = sl_prng_below(&prng, count);
        uint8_t byte = file[at];

        file[at] = (uint8_t)sl_prng_next(&prng);
        (void)read_bytes(file, count); /* refused or not, but with nothing read out of bounds */
        file[at] = byte;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_taken_within_their_bounds),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(named_zones_are_those_of_the_c_library),
        cmocka_unit_test(a_timestamp_is_shown_in_the_zone),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(rules_that_are_none_are_refused),
        cmocka_unit_test(damaged_files_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
