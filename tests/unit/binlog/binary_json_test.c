/* Binary JSON against golden bytes (codec spec 9.7) and all types of section 1.9; every prefix and
 * every offset that leads astray is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "binlog/binary_json.h"
#include "lib/table.h"

static struct sl_arena arena;

static int tear_down(void **state)
{
    (void)state;
    sl_arena_done(&arena);
    return 0;
}

static bool escapes_html;

static void assert_text(struct sl_slice json, const char *text)
{
    struct sl_slice out = {0};
    struct sl_why   why = {0};

    if (binary_json_text(json, escapes_html, &arena, &out, &why) != SL_OK)
        fail_msg("%s: %s", text, why.text);
    if (out.len != strlen(text) || memcmp(out.bytes, text, out.len) != 0)
        fail_msg("%.*s is not %s", (int)out.len, (const char *)out.bytes, text);
}

struct row {
    const char *hex;
    const char *text;
};

static const struct row golden[] = {
    {"0400", "null"},
    {"0401", "true"},
    {"0402", "false"},
    {"090100000000000000", "1"},
    {"09ffffffffffffffff", "-1"},
    {"0b1f85eb51b81e0940", "3.14"},
    {"0b50efe2d6e41a4b44", "1e+21"},
    {"0c03616263", "\"abc\""},
    {"0c00", "\"\""},
    {"030000000008000000", "[]"},
    {"010000000008000000", "{}"},
    {"030400000026000000091c0000000c240000000400000000040100000001000000000000000161",
     "[1, \"a\", null, true]"},
    {"01010000001c0000001300000001000914000000610100000000000000", "{\"a\": 1}"},
    {"01010000001c0000001300000003000c160000006b65790576616c7565", "{\"key\": \"value\"}"},
    {"0102000000310000001e0000000200200000000100092100000009290000006161620100000000000000020000000"
     "0000000",
     "{\"aa\": 1, \"b\": 2}"},
    {"0102000000560000001e00000001001f0000000100012000000003340000006162010000001400000013000000010"
     "004000000006302000000220000000912000000091a00000001000000000000000200000000000000",
     "{\"a\": {\"c\": null}, \"b\": [1, 2]}"},
};

static void golden_bytes_have_their_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        struct sl_slice json = table_hex(&arena, golden[i].hex);
        uint64_t        size;

        assert_int_equal(binary_json_size(json, &size, NULL), SL_OK);
        assert_int_equal(size, json.len);
        assert_text(json, golden[i].text);
    }
}

static void types_that_sql_makes(void **state)
{
    static const struct row rows[] = {
        {"0a ffffffffffffffff", "18446744073709551615"},
        {"09 0000000000000080", "-9223372036854775808"},
        {"0d fc 03 010203", "\"base64:type252:AQID\""},
        {"0d fd 01 ff", "\"base64:type253:/w==\""},
        {"0d 0f 00", "\"base64:type15:\""},
        {"0e 0e00000000fa7d1f", "\"2015-07-29\""},
        {"0f 0000009dc4fa7d1f", "\"2015-07-29 12:18:29.000000\""},
        {"10 0100009dc4fa7d1f", "\"2015-07-29 12:18:29.000000\""},
        {"10 10e2009dc4fa7d1f", "\"2015-07-29 12:18:29.003617\""},
        {"11 00ca9a3b00000000 00000000", "\"00:00:01.000000\""},
        {"0b 0000000000000000", "0"},
        {"0b 0000000000000080", "-0"},
        {"0b 8dedb5a0f7c6b03e", "0.000001"},
        {"0b 48afbc9af2d77a3e", "1e-7"},
        {"0b 0080e03779c34143", "10000000000000000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_text(table_hex(&arena, rows[i].hex), rows[i].text);
    }
}

static void strings_are_escaped_as_tidb_does(void **state)
{
    static const struct row rows[] = {
        {"0c 05 220a0d095c", "\"\\\"\\n\\r\\t\\\\\""},
        {"0c 04 00011f7f", "\"\\u0000\\u0001\\u001f\x7f\""},
        {"0c 03 3c263e", "\"<&>\""},
        {"0c 03 ff41c3", "\"\\ufffdA\\ufffd\""},
        {"0c 09 e280a8e280a9e280aa", "\"\\u2028\\u2029\xe2\x80\xaa\""},
        {"0c 06 c3a4f09f9880", "\"\xc3\xa4\xf0\x9f\x98\x80\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_text(table_hex(&arena, rows[i].hex), rows[i].text);
}

static void old_tidb_escapes_html_too(void **state)
{
    (void)state;
    escapes_html = true;
    assert_text(table_hex(&arena, "0c 03 3c263e"), "\"\\u003c\\u0026\\u003e\"");
    escapes_html = false;
}

/* ---- nesting ---- */

/* So many arrays within each other: each of one member, which is the next; the last is empty. */
static struct sl_slice nested(unsigned levels)
{
    enum { ENTRY = 13, EMPTY = 8 };

    size_t   len = 1 + (size_t)(levels - 1) * ENTRY + EMPTY;
    uint8_t *bytes = sl_arena_alloc(&arena, len);
    uint8_t *at = bytes;

    *at++ = 0x03;
    for (unsigned i = levels; i > 0; i--) {
        uint32_t size = (i - 1) * ENTRY + EMPTY;

        memset(at, 0, EMPTY);
        at[0] = i > 1;
        at[4] = (uint8_t)size;
        at[5] = (uint8_t)(size >> 8);
        at += EMPTY;
        if (i > 1) {
            memcpy(at, (const uint8_t[]){0x03, ENTRY, 0, 0, 0}, 5);
            at += 5;
        }
    }
    return (struct sl_slice){bytes, len};
}

static void nesting_has_a_bound(void **state)
{
    char            text[2 * SL_BINARY_JSON_DEPTH_MAX + 1] = {0};
    struct sl_slice out;
    struct sl_why   why = {0};

    (void)state;
    memset(text, '[', SL_BINARY_JSON_DEPTH_MAX);
    memset(text + SL_BINARY_JSON_DEPTH_MAX, ']', SL_BINARY_JSON_DEPTH_MAX);
    assert_text(nested(SL_BINARY_JSON_DEPTH_MAX), text);
    assert_int_equal(
        binary_json_text(nested(SL_BINARY_JSON_DEPTH_MAX + 1), false, &arena, &out, &why),
        SL_INVALID);
    assert_non_null(strstr(why.text, "deeper than 100"));
}

/* ---- damage ---- */

static void no_prefix_is_a_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        struct sl_slice all = table_hex(&arena, golden[i].hex);

        for (size_t len = 0; len < all.len; len++) {
            uint8_t        *copy = malloc(len + (len == 0));
            struct sl_slice out;

            assert_non_null(copy);
            memcpy(copy, all.bytes, len);
            assert_int_equal(
                binary_json_text((struct sl_slice){copy, len}, false, &arena, &out, NULL),
                SL_INVALID);
            free(copy);
        }
    }
}

static void damage_is_refused(void **state)
{
    static const struct row rows[] = {
        {"0403", "invalid literal 0x03"},
        {"05 0000", "invalid type 0x05"},
        {"00", "invalid type 0x00"},
        {"0b 000000000000f07f", "not finite"},
        {"0b 010000000000f87f", "not finite"},
        {"0f ffffffffffffffff", "no clock shows"},
        {"11 ffffffffffffff7f 00000000", "more than 838 hours"},
        {"03 ffffffff 08000000", "4294967295 members in 8 bytes"},
        {"01 ffffffff 08000000", "4294967295 members"},
        {"03 00000000 07000000", "cut short"},
        {"03 00000000 09000000", "cut short"},
        {"09 0100000000000000 00", "cut short"}, /* a byte too many */
        /* [x]: inside the entries; outside; behind the end; a literal that is none; no such type */
        {"03 01000000 0e000000 0c 08000000 00", "offset 8"},
        {"03 01000000 0e000000 0c 0f000000 00", "offset 15"},
        {"03 01000000 0e000000 0c 0d000000 05", "6 bytes at offset 13"},
        {"03 01000000 0e000000 0c 0e000000 00", "cut short"},
        {"03 01000000 0e000000 04 03000000 00", "invalid literal"},
        {"03 01000000 0e000000 07 0d000000 00", "invalid type"},
        /* ["", ""], both the same byte */
        {"03 02000000 13000000 0c 12000000 0c 12000000 00", "offset 18"},
        /* {"a": ...}: the key within the entries, then behind the end */
        {"01 01000000 14000000 00000000 0100 04 01000000 61", "1 bytes at offset 0"},
        {"01 01000000 14000000 13000000 0200 04 01000000 61", "2 bytes at offset 19"},
        {"01 01000000 14000000 ffffffff 0100 04 01000000 61", "at offset 4294967295"},
        /* {"a": "", "a": ""} with one key for both */
        {"01 02000000 1f000000 1e000000 0100 1e000000 0100 04 01000000 04 01000000 61",
         "1 bytes at offset 30"},
        /* an array in itself */
        {"03 01000000 0d000000 03 00000000", "offset 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sl_slice out = {0};
        struct sl_why   why = {0};

        assert_int_equal(
            binary_json_text(table_hex(&arena, rows[i].hex), false, &arena, &out, &why),
            SL_INVALID);
        if (strstr(why.text, rows[i].text) == NULL)
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].hex, why.text, rows[i].text);
        assert_null(out.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes_have_their_text),
        cmocka_unit_test(types_that_sql_makes),
        cmocka_unit_test(strings_are_escaped_as_tidb_does),
        cmocka_unit_test(old_tidb_escapes_html_too),
        cmocka_unit_test(nesting_has_a_bound),
        cmocka_unit_test(no_prefix_is_a_value),
        cmocka_unit_test(damage_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
