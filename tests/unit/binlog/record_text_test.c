/* Records as text: the form of gogo/protobuf's CompactTextString, on golden bytes and on what is
 * hostile. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "binlog/record_text.h"

static char           bytes[4096];
static struct sl_text text;

static void begin(size_t room)
{
    memset(bytes, '#', sizeof bytes);
    text = (struct sl_text){.bytes = bytes, .room = room};
}

#define SLICE(...) \
    ((struct sl_slice){(const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__}})

static void assert_text(const char *expected)
{
    assert_int_equal(text.used, strlen(expected));
    assert_memory_equal(bytes, expected, text.used);
    assert_int_equal(bytes[text.used], '#');
    assert_false(text.full);
}

static void assert_record(struct sl_slice binlog, const char *expected)
{
    begin(sizeof bytes - 1);
    assert_int_equal(sl_record_text_put(&text, binlog, NULL), SL_OK);
    assert_text(expected);
}

static void assert_value(struct sl_slice value, const char *expected)
{
    begin(sizeof bytes - 1);
    assert_int_equal(sl_prewrite_value_text_put(&text, value, NULL), SL_OK);
    assert_text(expected);
}

/* The fake and the prewrite of pump spec, appendix A. */
static void golden_records_are_written_in_one_line(void **state)
{
    (void)state;
    assert_record(SLICE(0x08, 0x02, 0x10, 0xb7, 0x8b, 0xd0, 0x8c, 0x91, 0xf6, 0xe3, 0xdc, 0x05,
                        0x18, 0xb7, 0x8b, 0xd0, 0x8c, 0x91, 0xf6, 0xe3, 0xdc, 0x05, 0x38, 0x00,
                        0x40, 0x00),
                  "tp:Rollback start_ts:412518831548007863 commit_ts:412518831548007863 ");
    assert_record(SLICE(0x08, 0x00, 0x10, 0xea, 0x8a, 0xd0, 0x8c, 0x91, 0xf6, 0xe3, 0xdc, 0x05,
                        0x18, 0x00, 0x22, 0x01, 0x6b, 0x2a, 0x01, 0x76, 0x38, 0x00, 0x40, 0x00),
                  "start_ts:412518831548007786 prewrite_key:\"k\" prewrite_value:\"v\" ");
}

static void fields_come_by_number_and_the_last_of_one_wins(void **state)
{
    (void)state;
    assert_record(SLICE(0x40, 0x05, 0x38, 0x07, 0x32, 0x01, 'q', 0x18, 0x02, 0x10, 0x01, 0x10, 0x03,
                        0x08, 0x01),
                  "tp:Commit start_ts:3 commit_ts:2 ddl_query:\"q\" ddl_job_id:7 "
                  "ddl_schema_state:5 ");
    assert_record(SLICE(0x10, 0x03, 0x10, 0x00), "");
    assert_record((struct sl_slice){NULL, 0}, "");
}

static void unknown_numbers_and_fields_do_no_harm(void **state)
{
    (void)state;
    assert_record(SLICE(0x08, 0x09, 0x7a, 0x01, 0xff), "tp:9 ");
    assert_record(SLICE(0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
                  "start_ts:-1 ");
    assert_record(SLICE(0x22, 0x00), "prewrite_key:\"\" "); /* there, but empty */
}

static void bytes_are_quoted_with_octal_escapes(void **state)
{
    (void)state;
    assert_record(SLICE(0x22, 0x0b, 0x00, 'a', '\n', '\r', '\t', '"', '\\', 0x7f, 0xff, ' ', '~'),
                  "prewrite_key:\"\\000a\\n\\r\\t\\\"\\\\\\177\\377 ~\" ");
}

static void mutations_stand_in_angle_brackets(void **state)
{
    (void)state;
    assert_value(SLICE(0x08, 0x18, 0x12, 0x0d, 0x08, 0x2d, 0x12, 0x01, 0x01, 0x12, 0x02, 0x02, 'b',
                       0x38, 0x00, 0x38, 0x04, 0x12, 0x00),
                 "schema_version:24 mutations:<table_id:45 inserted_rows:\"\\001\" "
                 "inserted_rows:\"\\002b\" sequence:Insert sequence:DeleteRow > mutations:<> ");
    assert_value(SLICE(0x12, 0x0d, 0x1a, 0x01, 'u', 0x20, 0x00, 0x2a, 0x01, 'p', 0x32, 0x01, 'd',
                       0x38, 0x01),
                 "mutations:<updated_rows:\"u\" deleted_ids:0 deleted_pks:\"p\" "
                 "deleted_rows:\"d\" sequence:Update > ");
    assert_value(SLICE(0x12, 0x08, 0x3a, 0x03, 0x02, 0x03, 0x07, 0x22, 0x01, 0x05),
                 "mutations:<deleted_ids:5 sequence:DeleteID sequence:DeletePK sequence:7 > ");
}

static void what_is_damaged_is_refused_and_leaves_no_text(void **state)
{
    const struct {
        struct sl_slice slice;
        const char     *words;
    } cases[] = {
        {{(const uint8_t[]){0x10}, 1}, "unexpected EOF"},
        {{(const uint8_t[]){0x22, 0x05, 'k'}, 3}, "unexpected EOF"},
        {{(const uint8_t[]){0x08, 0x01, 0x12, 0x01, 'x'}, 5},
         "proto: wrong wireType = 2 for field start_ts"},
        {{(const uint8_t[]){0x20, 0x01}, 2}, "proto: wrong wireType = 0 for field prewrite_key"},
        {{(const uint8_t[]){0x15, 0, 0, 0, 0}, 5}, "proto: wrong wireType = 5 for field start_ts"},
        {{(const uint8_t[]){0x00}, 1}, "proto: Binlog: illegal tag 0 (wire type 0)"},
    };
    struct sl_why why = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(sizeof bytes);
        assert_int_equal(sl_record_text_put(&text, cases[i].slice, &why), SL_INVALID);
        assert_string_equal(why.text, cases[i].words);
        assert_int_equal(text.used, 0);
    }
    begin(sizeof bytes);
    assert_int_equal(
        sl_prewrite_value_text_put(&text, SLICE(0x08, 0x01, 0x12, 0x02, 0x3a, 0x05), &why),
        SL_INVALID);
    assert_int_equal(text.used, 0);
}

static void text_is_cut_where_the_room_ends(void **state)
{
    const struct sl_slice record = SLICE(0x10, 0x07, 0x22, 0x02, 0xff, 0xff);
    const char           *whole = "start_ts:7 prewrite_key:\"\\377\\377\" ";

    (void)state;
    for (size_t room = 0; room <= strlen(whole); room++) {
        begin(room);
        assert_int_equal(sl_record_text_put(&text, record, NULL), SL_OK);
        assert_true(text.used <= room);
        assert_memory_equal(bytes, whole, text.used < 29 ? text.used : 29);
        assert_int_equal(bytes[room], '#');
        assert_int_equal(text.full, room < strlen(whole));
    }
}

/* Any bytes at all: the sanitizers and the bound of the text are the judges. */
static void noise_is_refused_or_written(void **state)
{
    struct sl_prng prng;
    uint8_t        noise[48];

    (void)state;
    sl_prng_seed(&prng, 11);
    for (int round = 0; round < 20000; round++) {
        size_t count = sl_prng_below(&prng, sizeof noise);

        for (size_t i = 0; i < count; i++)
            noise[i] = (uint8_t)(sl_prng_below(&prng, 3) > 0 ? sl_prng_below(&prng, 0x40)
                                                             : sl_prng_below(&prng, 0x100));
        begin(sizeof bytes - 1);
        (void)sl_record_text_put(&text, (struct sl_slice){noise, count}, NULL);
        assert_false(text.full);
        begin(sizeof bytes - 1);
        (void)sl_prewrite_value_text_put(&text, (struct sl_slice){noise, count}, NULL);
        assert_false(text.full);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_records_are_written_in_one_line),
        cmocka_unit_test(fields_come_by_number_and_the_last_of_one_wins),
        cmocka_unit_test(unknown_numbers_and_fields_do_no_harm),
        cmocka_unit_test(bytes_are_quoted_with_octal_escapes),
        cmocka_unit_test(mutations_stand_in_angle_brackets),
        cmocka_unit_test(what_is_damaged_is_refused_and_leaves_no_text),
        cmocka_unit_test(text_is_cut_where_the_room_ends),
        cmocka_unit_test(noise_is_refused_or_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
