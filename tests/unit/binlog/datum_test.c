/* Datums against golden bytes (codec spec 9.1-9.3), in both modes; every prefix of them is refused,
 * and so are lengths that lie. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/datum.h"
#include "lib/table.h"

static struct sl_arena arena;

static int tear_down(void **state)
{
    (void)state;
    sl_arena_done(&arena);
    return 0;
}

static struct datum take(const char *hex)
{
    struct wire_cursor c = wire_begin(table_hex(&arena, hex));
    struct datum       datum = {0};
    struct sl_why      why = {0};

    if (datum_take(&c, &datum, &why) != SL_OK)
        fail_msg("%s: %s", hex, why.text);
    assert_ptr_equal(c.at, c.end);
    return datum;
}

static void signed_integers_in_both_modes(void **state)
{
    static const struct {
        const char *key;
        const char *compact;
        int64_t     value;
    } rows[] = {
        {"038000000000000000", "0800", 0},
        {"038000000000000001", "0802", 1},
        {"037fffffffffffffff", "0801", -1},
        {"03800000000000003f", "087e", 63},
        {"038000000000000040", "088001", 64},
        {"037fffffffffffffc0", "087f", -64},
        {"037fffffffffffffbf", "088101", -65},
        {"03800000000000007f", "08fe01", 127},
        {"038000000000000080", "088002", 128},
        {"03800000000000012c", "08d804", 300},
        {"037ffffffffffffed4", "08d704", -300},
        {"03ffffffffffffffff", "08feffffffffffffffff01", INT64_MAX},
        {"030000000000000000", "08ffffffffffffffffff01", INT64_MIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct datum key = take(rows[i].key);
        struct datum compact = take(rows[i].compact);

        assert_true(key.kind == DATUM_INT && key.i == rows[i].value);
        assert_true(compact.kind == DATUM_INT && compact.i == rows[i].value);
    }
}

static void unsigned_integers_in_both_modes(void **state)
{
    static const struct {
        const char *key;
        const char *compact;
        uint64_t    value;
    } rows[] = {
        {"040000000000000000", "0900", UINT64_C(0)},
        {"040000000000000001", "0901", UINT64_C(1)},
        {"04000000000000007f", "097f", UINT64_C(127)},
        {"040000000000000080", "098001", UINT64_C(128)},
        {"04000000000000012c", "09ac02", UINT64_C(300)},
        {"040000000100000000", "098080808010", UINT64_C(4294967296)},
        {"04ffffffffffffffff", "09ffffffffffffffffff01", UINT64_C(18446744073709551615)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct datum key = take(rows[i].key);
        struct datum compact = take(rows[i].compact);

        assert_true(key.kind == DATUM_UINT && key.u == rows[i].value);
        assert_true(compact.kind == DATUM_UINT && compact.u == rows[i].value);
    }
}

static void doubles(void **state)
{
    static const struct {
        const char *hex;
        double      value;
    } rows[] = {
        {"058000000000000000", 0.0},   {"05bff0000000000000", 1.0},
        {"05400fffffffffffff", -1.0},  {"05bff8000000000000", 1.5},
        {"054007ffffffffffff", -1.5},  {"05c0091eb851eb851f", 3.14},
        {"05bffccccccccccccd", 1.8},   {"054003333333333332", -1.8},
        {"05fe37e43c8800759c", 1e300}, {"05bff19999a0000000", (double)1.1f},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct datum datum = take(rows[i].hex);

        assert_int_equal(datum.kind, DATUM_DOUBLE);
        assert_true(datum.d == rows[i].value);
    }
}

static void bytes_in_both_modes(void **state)
{
    static const struct {
        const char *compact;
        const char *groups;
        const char *text;
    } rows[] = {
        {"0200", "01 0000000000000000f7", ""},
        {"020261", "01 6100000000000000f8", "a"},
        {"0206616263", "01 6162630000000000fa", "abc"},
        {"02103132333435363738", "01 3132333435363738ff 0000000000000000f7", "12345678"},
        {"0212313233343536373839", "01 3132333435363738ff 3900000000000000f8", "123456789"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct datum compact = take(rows[i].compact);
        struct datum groups = take(rows[i].groups);
        uint8_t      plain[16];
        size_t       len = strlen(rows[i].text);

        assert_int_equal(compact.kind, DATUM_BYTES);
        assert_int_equal(compact.bytes.len, len);
        assert_memory_equal(compact.bytes.bytes, rows[i].text, len);
        assert_int_equal(groups.kind, DATUM_GROUPS);
        assert_int_equal(datum_ungroup(groups.bytes, plain), len);
        assert_memory_equal(plain, rows[i].text, len);
    }
}

static void a_length_above_63_takes_two_bytes(void **state)
{
    char         hex[256] = "028c01";
    struct datum datum;

    (void)state;
    memset(hex + 6, '6', 140);
    datum = take(hex);
    assert_int_equal(datum.bytes.len, 70);
}

static void durations_nulls_decimals_and_json(void **state)
{
    (void)state;
    assert_int_equal(take("00").kind, DATUM_NULL);
    assert_int_equal(take("07 800000003b9aca00").kind, DATUM_DURATION);
    assert_int_equal(take("07 800000003b9aca00").i, 1000000000);
    assert_int_equal(take("07 7fffdeb411f46c00").i, -INT64_C(36610000000000));
    assert_int_equal(take("0602018105").kind, DATUM_DECIMAL);
    assert_int_equal(take("0602018105").bytes.len, 4);
    assert_int_equal(take("0a0c03616263").kind, DATUM_JSON);
    assert_int_equal(take("0a0c03616263").bytes.len, 5);
    assert_int_equal(take("0a11 00ca9a3b00000000 06000000").bytes.len, 13);
    assert_int_equal(take("0a0dfc0161").bytes.len, 4);
}

/* ---- damage ---- */

static void broken_datums_are_refused(void **state)
{
    static const struct {
        const char *hex;
        const char *words;
    } rows[] = {
        {"", "insufficient bytes"},
        {"0b", "invalid encoded key flag 11"},
        {"80", "invalid encoded key flag 128"},
        {"fa", "invalid encoded key flag 250"},
        {"0205616263", "a length of -3"},
        {"0208616263", "insufficient bytes"},
        {"02feffffffffffffffff01", "insufficient bytes"},
        {"08 ffffffffffffffffff02", "larger than 64 bits"},
        {"09 8080808080808080808001", "larger than 64 bits"},
        {"01 6162630000000000f6", "invalid marker byte 246"},
        {"01 6162630000000001fa", "invalid padding byte"},
        {"01 6162636465666768ff", "insufficient bytes"},
        {"06 00 00 80", "a decimal of 0 digits"},
        {"06 52 00 80", "a decimal of 82 digits"},
        {"06 02 03 80", "a decimal of 2 digits, 3 of them"},
        {"0a", "cut short"},
        {"0a 05 0000", "invalid type 0x05"},
        {"0a 01 01000000 07000000", "cut short"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_cursor c = wire_begin(table_hex(&arena, rows[i].hex));
        struct datum       datum;
        struct sl_why      why = {0};

        assert_int_equal(datum_take(&c, &datum, &why), SL_INVALID);
        if (strstr(why.text, rows[i].words) == NULL)
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].hex, why.text, rows[i].words);
    }
}

static void no_prefix_is_a_datum(void **state)
{
    static const char *const rows[] = {
        "03 7ffffffffffffed4",
        "04 000000000000012c",
        "05 bff0000000000000",
        "07 800000003b9aca00",
        "08 ffffffffffffffffff01",
        "09 ac02",
        "01 3132333435363738ff 3900000000000000f8",
        "02 06616263",
        "06 0e04810dfb38d204d2",
        "0a 01010000001c0000001300000001000914000000610100000000000000",
        "0a 0c03616263",
        "0a 0dfc0161",
        "0a 090100000000000000",
        "0a 1100ca9a3b0000000006000000",
        "0a 0401",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_slice all = table_hex(&arena, rows[i]);

        for (size_t len = 0; len < all.len; len++) {
            uint8_t           *copy = malloc(len + (len == 0));
            struct wire_cursor c = wire_begin((struct sl_slice){copy, len});
            struct datum       datum;

            assert_non_null(copy);
            memcpy(copy, all.bytes, len);
            assert_int_equal(datum_take(&c, &datum, NULL), SL_INVALID);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_integers_in_both_modes),
        cmocka_unit_test(unsigned_integers_in_both_modes),
        cmocka_unit_test(doubles),
        cmocka_unit_test(bytes_in_both_modes),
        cmocka_unit_test(a_length_above_63_takes_two_bytes),
        cmocka_unit_test(durations_nulls_decimals_and_json),
        cmocka_unit_test(broken_datums_are_refused),
        cmocka_unit_test(no_prefix_is_a_datum),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
