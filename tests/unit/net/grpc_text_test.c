/* The values of gRPC's header fields: timeouts and messages, both ways, and what strangers send. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/grpc.h"
#include "net/grpc_status.h"
#include "net/grpc_text.h"

static void timeouts_are_read_in_every_unit(void **state)
{
    static const struct {
        const char *text;
        sl_nanos    span;
    } rows[] = {
        {"1n", 1},
        {"15000000u", UINT64_C(15) * SL_NANOS_PER_S},
        {"20m", 20 * SL_NANOS_PER_MS},
        {"0S", 0},
        {"10S", UINT64_C(10) * SL_NANOS_PER_S},
        {"2M", UINT64_C(120) * SL_NANOS_PER_S},
        {"1H", UINT64_C(3600) * SL_NANOS_PER_S},
        {"99999999H", UINT64_MAX},
    };
    static const char *const wrong[] = {"",    "u",   "1",   "123456789u", "1x",
                                        "-1u", " 1u", "1uu", "1.5S"};
    sl_nanos                 span;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(grpc_timeout_parse(sl_slice_from_string(rows[i].text), &span));
        assert_int_equal(span, rows[i].span);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(grpc_timeout_parse(sl_slice_from_string(wrong[i]), &span));
}

static void timeouts_are_written_so_that_they_are_not_shorter(void **state)
{
    static const struct {
        sl_nanos    span;
        const char *text;
    } rows[] = {
        {0, "0n"},
        {99999999, "99999999n"},
        {100000000, "100000u"},
        {UINT64_C(15) * SL_NANOS_PER_S, "15000000u"},
        {UINT64_C(100) * SL_NANOS_PER_S + 1, "100001m"},
        {UINT64_MAX, "307445735M"},
    };
    char     text[GRPC_TIMEOUT_BYTES];
    sl_nanos back;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        grpc_timeout_format(rows[i].span, text);
        if (rows[i].span != UINT64_MAX)
            assert_string_equal(text, rows[i].text);
        assert_true(grpc_timeout_parse(sl_slice_from_string(text), &back));
        assert_true(back >= rows[i].span);
    }
}

static void messages_come_back_from_percent_encoding(void **state)
{
    char encoded[GRPC_MESSAGE_BYTES];
    char text[SL_WHY_BYTES_MAX];

    (void)state;
    (void)grpc_message_encode("100% of \xc3\xa9t\xc3\xa9\n", encoded);
    assert_string_equal(encoded, "100%25 of %C3%A9t%C3%A9%0A");
    grpc_message_decode(sl_slice_from_string(encoded), text);
    assert_string_equal(text, "100% of \xc3\xa9t\xc3\xa9?");
    grpc_message_decode(sl_slice_from_string("50% %zz %4"), text);
    assert_string_equal(text, "50% %zz %4");
    grpc_message_decode((struct sl_slice){NULL, 0}, text);
    assert_string_equal(text, "");
}

static void long_messages_are_cut_not_overrun(void **state)
{
    char big[4 * SL_WHY_BYTES_MAX];
    char encoded[GRPC_MESSAGE_BYTES];
    char text[SL_WHY_BYTES_MAX];

    (void)state;
    memset(big, '%', sizeof big);
    big[sizeof big - 1] = '\0';
    assert_in_range(grpc_message_encode(big, encoded), GRPC_MESSAGE_BYTES - 6,
                    GRPC_MESSAGE_BYTES - 1);
    grpc_message_decode(sl_slice_from_string(big), text);
    assert_int_equal(strlen(text), SL_WHY_BYTES_MAX - 1);
}

static void statuses_have_names_and_strangers_have_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SL_GRPC_STATUSES; i++)
        assert_true(strlen(sl_grpc_status_name((enum sl_grpc_status)i)) >= 2);
    assert_string_equal(sl_grpc_status_name(SL_GRPC_RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED");
    assert_int_equal(SL_GRPC_UNAUTHENTICATED, 16);
    assert_int_equal(grpc_status_of_text(sl_slice_from_string("14")), SL_GRPC_UNAVAILABLE);
    assert_int_equal(grpc_status_of_text(sl_slice_from_string("17")), SL_GRPC_UNKNOWN);
    assert_int_equal(grpc_status_of_text(sl_slice_from_string("-1")), SL_GRPC_UNKNOWN);
    assert_int_equal(grpc_status_of_text(sl_slice_from_string("99999999999")), SL_GRPC_UNKNOWN);
    assert_int_equal(grpc_status_of_http(sl_slice_from_string("503")), SL_GRPC_UNAVAILABLE);
    assert_int_equal(grpc_status_of_http(sl_slice_from_string("404")), SL_GRPC_UNIMPLEMENTED);
    assert_int_equal(grpc_status_of_http(sl_slice_from_string("")), SL_GRPC_UNKNOWN);
    assert_int_equal(grpc_status_of_reset(SL_H2_REFUSED_STREAM), SL_GRPC_UNAVAILABLE);
    assert_int_equal(grpc_status_of_reset(SL_H2_CANCEL), SL_GRPC_CANCELLED);
    assert_int_equal(grpc_status_of_reset(UINT32_MAX), SL_GRPC_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts_are_read_in_every_unit),
        cmocka_unit_test(timeouts_are_written_so_that_they_are_not_shorter),
        cmocka_unit_test(messages_come_back_from_percent_encoding),
        cmocka_unit_test(long_messages_are_cut_not_overrun),
        cmocka_unit_test(statuses_have_names_and_strangers_have_one),
    };

    return cmocka_run_group_tests_name("grpc_text", tests, NULL, NULL);
}
