/* What the configurations of pump and drainer share; what each makes of it is shown by their own
 * tests (actors/pump/config_test.c, actors/drainer/config_check_test.c). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/config.h"

static struct sl_why why;

static void the_environment_is_looked_up_by_whole_names(void **state)
{
    const char *const env[] = {"MYSQL_HOSTS=x", "MYSQL_HOST=h=1", "EMPTY=", NULL};

    (void)state;
    assert_string_equal(sl_config_env(env, "MYSQL_HOST"), "h=1");
    assert_string_equal(sl_config_env(env, "EMPTY"), "");
    assert_null(sl_config_env(env, "MYSQL"));
    assert_null(sl_config_env(NULL, "MYSQL_HOST"));
}

static void white_space_goes_off_both_ends(void **state)
{
    char text[] = " \ta b\r\n ";
    char none[] = " \t";

    (void)state;
    assert_string_equal(sl_config_trimmed(text), "a b");
    assert_string_equal(sl_config_trimmed(none), "");
}

static enum sl_config_address check(const char *address, char *cut)
{
    char host[SL_ADDR_BYTES_MAX];

    (void)snprintf(cut, SL_ADDR_BYTES_MAX * 2, "%s", address);
    return sl_config_check_address(cut, host, &why);
}

static void an_address_is_checked_as_go_does(void **state)
{
    char cut[SL_ADDR_BYTES_MAX * 2];
    char many[SL_ADDR_BYTES_MAX + 1];

    (void)state;
    assert_int_equal(check("[::1]:80/x?y", cut), SL_CONFIG_ADDRESS_FINE);
    assert_string_equal(cut, "[::1]:80");
    assert_int_equal(check("h:http", cut), SL_CONFIG_ADDRESS_NO_URL);
    assert_string_equal(why.text, "parse \"http://h:http\": invalid port \":http\" after host");
    assert_int_equal(check("a b:1", cut), SL_CONFIG_ADDRESS_NO_URL);
    assert_int_equal(check("h", cut), SL_CONFIG_ADDRESS_NO_PAIR);
    assert_string_equal(why.text, "address h: missing port in address");
    assert_int_equal(check("h:65536", cut), SL_CONFIG_ADDRESS_NO_PAIR);
    assert_int_equal(check("http://h:1", cut), SL_CONFIG_ADDRESS_NO_PAIR);
    assert_string_equal(why.text, "host:port is written without a scheme");
    assert_string_equal(cut, "http://h:1");
    memset(many, 'a', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    assert_int_equal(check(many, cut), SL_CONFIG_ADDRESS_TOO_LONG);
    assert_string_equal(why.text, "longer than 279 bytes");
}

static void days_have_no_unit(void **state)
{
    int64_t nanos;

    (void)state;
    assert_int_equal(sl_config_days_or_duration("2", &nanos, &why), SL_OK);
    assert_true(nanos == INT64_C(2) * 24 * 3600 * SL_NANOS_PER_S);
    assert_int_equal(sl_config_days_or_duration("1m", &nanos, &why), SL_OK);
    assert_true(nanos == INT64_C(60) * SL_NANOS_PER_S);
    assert_int_equal(sl_config_days_or_duration("7d", &nanos, &why), SL_INVALID);
    assert_string_equal(why.text, "unsupported gc time 7d, etc: use 7 for 7 day, 7h for 7 hour: "
                                  "time: unknown unit \"d\" in duration \"7d\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_is_looked_up_by_whole_names),
        cmocka_unit_test(white_space_goes_off_both_ends),
        cmocka_unit_test(an_address_is_checked_as_go_does),
        cmocka_unit_test(days_have_no_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
