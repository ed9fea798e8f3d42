/* Records come out as the unified log format and as JSON, byte by byte: tables of values and what
 * becomes of them. The text cases are what the original's encoder writes for the same input. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log_parts.h"

#define WALL INT64_C(1556443799016999999) /* 2019-04-28 09:29:59.016999999 UTC */

static char out[SL_LOG_LINE_BYTES_MAX + 1];

static struct log_record record_of(const char *message, const struct sl_field *fields)
{
    return (struct log_record){
        .wall = WALL,
        .level = SL_LOG_INFO,
        .file = "src/pump/server.c",
        .line = 561,
        .message = message,
        .fields = fields,
    };
}

static const char *text_of(const struct log_record *record, size_t size)
{
    size_t count = log_text_encode(record, out, size);

    assert_true(count <= size);
    out[count] = '\0';
    return out;
}

static const char *json_of(const struct log_record *record, size_t size)
{
    size_t count = log_json_encode(record, out, size);

    assert_true(count <= size);
    out[count] = '\0';
    return out;
}

#define TEXT_HEAD "[2019/04/28 09:29:59.016 +00:00] [INFO] [server.c:561]"
#define JSON_HEAD \
    "{\"time\":\"2019-04-28T09:29:59.016+00:00\",\"level\":\"INFO\",\"source\":\"server.c:561\","

static const struct sl_field no_fields[] = {{.kind = SL_FIELD_END}};

static void a_line_of_the_original_comes_out_the_same(void **state)
{
    const struct sl_field fields[] = {
        sl_field_i64("writeBinlogCount", 0),
        sl_field_u64("alivePullerCount", 0),
        sl_field_u64("MaxCommitTS", UINT64_C(415351100729458689)),
        sl_field_end(),
    };
    struct log_record record = record_of("server info tick", fields);

    (void)state;
    assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX),
                        TEXT_HEAD " [\"server info tick\"] [writeBinlogCount=0]"
                                  " [alivePullerCount=0] [MaxCommitTS=415351100729458689]\n");
    assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX),
                        JSON_HEAD "\"message\":\"server info tick\",\"writeBinlogCount\":0,"
                                  "\"alivePullerCount\":0,\"MaxCommitTS\":415351100729458689}\n");
}

static const struct string_case {
    const char *value;
    size_t      len;
    const char *text;
    const char *json;
} string_cases[] = {
#define CASE(value, text, json)              \
    {                                        \
        value, sizeof(value) - 1, text, json \
    }
    CASE("", "", "\"\""),
    CASE("plain", "plain", "\"plain\""),
    CASE("/a.b-c_d:1,{}'<>&!~", "/a.b-c_d:1,{}'<>&!~", "\"/a.b-c_d:1,{}'<>&!~\""),
    CASE("a b", "\"a b\"", "\"a b\""),
    CASE("a=b", "\"a=b\"", "\"a=b\""),
    CASE("[", "\"[\"", "\"[\""),
    CASE("]", "\"]\"", "\"]\""),
    CASE("\"", "\"\\\"\"", "\"\\\"\""),
    CASE("\\", "\"\\\\\"", "\"\\\\\""),
    CASE("a\nb\rc\td", "\"a\\nb\\rc\\td\"", "\"a\\nb\\rc\\td\""),
    CASE("\0", "\"\\u0000\"", "\"\\u0000\""),
    CASE("\x01\x1f", "\"\\u0001\\u001f\"", "\"\\u0001\\u001f\""),
    CASE("\x7f", "\x7f", "\"\x7f\""),
    CASE("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""),
    CASE("\xef\xbf\xbd", "\xef\xbf\xbd", "\"\xef\xbf\xbd\""),
    CASE("\xff", "\\ufffd", "\"\\ufffd\""), /* no quotes in text: the original's rule */
    CASE("a \xc3", "\"a \\ufffd\"", "\"a \\ufffd\""),
    CASE("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd", "\"\\ufffd\\ufffd\\ufffd\""),
    CASE("\xf0\x9f\x8c\x8a", "\xf0\x9f\x8c\x8a", "\"\xf0\x9f\x8c\x8a\""),
#undef CASE
};
enum { STRING_CASES = sizeof string_cases / sizeof string_cases[0] };

static void strings_are_quoted_and_escaped_by_the_rule(void **state)
{
    char wanted[512];

    (void)state;
    for (size_t i = 0; i < STRING_CASES; i++) {
        const struct string_case *c = &string_cases[i];
        const struct sl_field fields[] = {sl_field_bytes("k", c->value, c->len), sl_field_end()};
        struct log_record     record = record_of("m", fields);

        (void)snprintf(wanted, sizeof wanted, TEXT_HEAD " [m] [k=%s]\n", c->text);
        assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX), wanted);
        (void)snprintf(wanted, sizeof wanted, JSON_HEAD "\"message\":\"m\",\"k\":%s}\n", c->json);
        assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX), wanted);
    }
}

/* The cases without a NUL, as message and as key. */
static void messages_and_keys_follow_the_same_rule(void **state)
{
    char wanted[512];

    (void)state;
    for (size_t i = 1; i < STRING_CASES; i++) {
        const struct string_case *c = &string_cases[i];
        const struct sl_field     fields[] = {sl_field_i64(c->value, 1), sl_field_end()};
        struct log_record         record = record_of(c->value, fields);

        if (strlen(c->value) != c->len)
            continue;
        (void)snprintf(wanted, sizeof wanted, TEXT_HEAD " [%s] [%s=1]\n", c->text, c->text);
        assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX), wanted);
        (void)snprintf(wanted, sizeof wanted, JSON_HEAD "\"message\":%s,%s:1}\n", c->json, c->json);
        assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX), wanted);
    }
}

static void an_empty_message_leaves_out_its_brackets_in_text(void **state)
{
    struct log_record record = record_of("", no_fields);

    (void)state;
    assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX), TEXT_HEAD "\n");
    assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX), JSON_HEAD "\"message\":\"\"}\n");
}

static void scalars_are_bare(void **state)
{
    const struct sl_field fields[] = {
        sl_field_i64("least", INT64_MIN),
        sl_field_u64("most", UINT64_MAX),
        sl_field_bool("yes", true),
        sl_field_bool("no", false),
        sl_field_end(),
    };
    struct log_record record = record_of("m", fields);

    (void)state;
    assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX),
                        TEXT_HEAD " [m] [least=-9223372036854775808] [most=18446744073709551615]"
                                  " [yes=true] [no=false]\n");
    assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX),
                        JSON_HEAD "\"message\":\"m\",\"least\":-9223372036854775808,"
                                  "\"most\":18446744073709551615,\"yes\":true,\"no\":false}\n");
}

static void spans_of_time_look_as_in_go(void **state)
{
    static const struct {
        sl_nanos    nanos;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {999, "999ns"},
        {1000, "1\xc2\xb5s"},
        {1500, "1.5\xc2\xb5s"},
        {1000000, "1ms"},
        {1234567, "1.234567ms"},
        {999999999, "999.999999ms"},
        {1000000000, "1s"},
        {1500000000, "1.5s"},
        {1000000001, "1.000000001s"},
        {60000000000, "1m0s"},
        {61500000000, "1m1.5s"},
        {3600000000000, "1h0m0s"},
        {3661001000000, "1h1m1.001s"},
        {90061000000000, "25h1m1s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
    };
    char wanted[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sl_field fields[] = {sl_field_nanos("t", cases[i].nanos), sl_field_end()};
        struct log_record     record = record_of("m", fields);

        (void)snprintf(wanted, sizeof wanted, TEXT_HEAD " [m] [t=%s]\n", cases[i].text);
        assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX), wanted);
        (void)snprintf(wanted, sizeof wanted, JSON_HEAD "\"message\":\"m\",\"t\":\"%s\"}\n",
                       cases[i].text);
        assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX), wanted);
    }
}

static void errors_show_their_reason_and_secrets_nothing(void **state)
{
    const struct sl_why   why = {"open /x: no such file"};
    const struct sl_why   empty = {0};
    const struct sl_field fields[] = {
        sl_field_err(SL_NOT_FOUND, &why), sl_field_err(SL_TIMEOUT, NULL),
        sl_field_err(SL_IO, &empty),      sl_field_secret("password"),
        sl_field_str("none", NULL),       sl_field_end(),
    };
    struct log_record record = record_of("m", fields);

    (void)state;
    assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX),
                        TEXT_HEAD " [m] [error=\"open /x: no such file\"] [error=\"timed out\"]"
                                  " [error=\"input/output error\"] [password=***] [none=]\n");
}

static void time_is_local_with_its_zone(void **state)
{
    static const struct {
        int32_t     offset;
        const char *text;
    } cases[] = {
        {8 * 3600, "[2019/04/28 17:29:59.016 +08:00]"},
        {5 * 3600 + 1800, "[2019/04/28 14:59:59.016 +05:30]"},
        {-3 * 3600 - 1800, "[2019/04/28 05:59:59.016 -03:30]"},
        {-10 * 3600, "[2019/04/27 23:29:59.016 -10:00]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_record record = record_of("m", no_fields);

        record.utc_offset_s = cases[i].offset;
        assert_memory_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX), cases[i].text,
                            strlen(cases[i].text));
    }
}

static void the_source_keeps_only_plain_characters(void **state)
{
    struct log_record record = record_of("", no_fields);

    (void)state;
    record.file = "/a b/we[ird] na\"me-1_2.c";
    record.level = SL_LOG_FATAL;
    assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX),
                        "[2019/04/28 09:29:59.016 +00:00] [FATAL] [weirdname-1_2.c:561]\n");
}

static void suppressed_lines_are_told_before_the_fields(void **state)
{
    const struct sl_field fields[] = {sl_field_i64("a", 1), sl_field_end()};
    struct log_record     record = record_of("m", fields);

    (void)state;
    record.suppressed = 7;
    assert_string_equal(text_of(&record, SL_LOG_LINE_BYTES_MAX),
                        TEXT_HEAD " [m] [suppressed=7] [a=1]\n");
    assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX),
                        JSON_HEAD "\"message\":\"m\",\"suppressed\":7,\"a\":1}\n");
}

static void json_moves_fields_with_taken_names(void **state)
{
    const struct sl_field fields[] = {sl_field_str("message", "APPEND"), sl_field_i64("level", 1),
                                      sl_field_end()};
    struct log_record     record = record_of("m", fields);

    (void)state;
    assert_string_equal(json_of(&record, SL_LOG_LINE_BYTES_MAX),
                        JSON_HEAD "\"message\":\"m\",\"message_\":\"APPEND\",\"level_\":1}\n");
}

/* A long value is cut between two characters, and the line is closed as if it ended there. */
static void long_lines_are_cut_marked_and_well_formed(void **state)
{
    char value[400];
    char wanted[600];

    (void)state;
    for (size_t i = 0; i + 2 < sizeof value; i += 2)
        memcpy(value + i, "\xc3\xbc", 2);
    value[sizeof value - 2] = '\0';
    for (size_t size = LOG_LINE_BYTES_MIN; size < LOG_LINE_BYTES_MIN + 4; size++) {
        const struct sl_field fields[] = {sl_field_str("k", value), sl_field_i64("n", 1),
                                          sl_field_end()};
        struct log_record     record = record_of("m", fields);
        int                   room = (int)(size - LINE_RESERVE - strlen(TEXT_HEAD " [m] [k="));

        (void)snprintf(wanted, sizeof wanted, TEXT_HEAD " [m] [k=%.*s] [cut=true]\n", room / 2 * 2,
                       value);
        assert_string_equal(text_of(&record, size), wanted);
        room = (int)(size - LINE_RESERVE - strlen(JSON_HEAD "\"message\":\"m\",\"k\":\""));
        (void)snprintf(wanted, sizeof wanted,
                       JSON_HEAD "\"message\":\"m\",\"k\":\"%.*s\",\"cut\":true}\n", room / 2 * 2,
                       value);
        assert_string_equal(json_of(&record, size), wanted);
    }
}

/* Whatever the line is filled with, a number is there whole or not at all, and the end fits. */
static void every_way_to_run_full_ends_well(void **state)
{
    char filler[LOG_LINE_BYTES_MIN];

    (void)state;
    memset(filler, ' ', sizeof filler);
    for (size_t used = 0; used < sizeof filler; used++) {
        const struct sl_field fields[] = {sl_field_bytes("k", filler, used),
                                          sl_field_u64("", UINT64_MAX), sl_field_str("e e", ""),
                                          sl_field_end()};
        struct log_record     record = record_of(filler + used, fields);
        const char           *line;
        const char           *number;

        filler[sizeof filler - 1] = '\0';
        line = text_of(&record, LOG_LINE_BYTES_MIN);
        number = strstr(line, " [=");
        assert_true(number == NULL || strncmp(number, " [=18446744073709551615]", 24) == 0);
        assert_string_equal(line + strlen(line) - 2, "]\n");
        line = json_of(&record, LOG_LINE_BYTES_MIN);
        number = strstr(line, ",\"\":");
        assert_true(number == NULL || strncmp(number, ",\"\":18446744073709551615", 24) == 0);
        assert_string_equal(line + strlen(line) - 2, "}\n");
        filler[sizeof filler - 1] = ' ';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_the_original_comes_out_the_same),
        cmocka_unit_test(strings_are_quoted_and_escaped_by_the_rule),
        cmocka_unit_test(messages_and_keys_follow_the_same_rule),
        cmocka_unit_test(an_empty_message_leaves_out_its_brackets_in_text),
        cmocka_unit_test(scalars_are_bare),
        cmocka_unit_test(spans_of_time_look_as_in_go),
        cmocka_unit_test(errors_show_their_reason_and_secrets_nothing),
        cmocka_unit_test(time_is_local_with_its_zone),
        cmocka_unit_test(the_source_keeps_only_plain_characters),
        cmocka_unit_test(suppressed_lines_are_told_before_the_fields),
        cmocka_unit_test(json_moves_fields_with_taken_names),
        cmocka_unit_test(long_lines_are_cut_marked_and_well_formed),
        cmocka_unit_test(every_way_to_run_full_ends_well),
    };

    return cmocka_run_group_tests_name("log_encode", tests, NULL, NULL);
}
