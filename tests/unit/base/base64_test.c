/* Base64 gives back the bytes of RFC 4648's own examples, and refuses what is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void the_examples_of_the_rfc_are_decoded(void **state)
{
    static const char *const examples[][2] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"+/+/", "\xfb\xff\xbf"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct sl_slice text = sl_slice_from_string(examples[i][0]);
        uint8_t         out[16];
        size_t          count = 99;

        assert_true(sl_base64_decode(text, out, &count));
        assert_true(count <= sl_base64_room(text.len));
        assert_int_equal(count, strlen(examples[i][1]));
        assert_memory_equal(out, examples[i][1], count);
    }
}

static void what_is_none_is_refused(void **state)
{
    static const char *const bad[] = {"Z", "Zg=", "Zg", "Zg==Zg==", "====", "Z===", "Zm9-", "Zm 9"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t out[16];
        size_t  count;

        if (sl_base64_decode(sl_slice_from_string(bad[i]), out, &count))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_are_decoded),
        cmocka_unit_test(what_is_none_is_refused),
    };

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
