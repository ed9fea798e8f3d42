/* Where metrics are pushed to, by what is configured. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/push.h"

static struct sl_push_target target;
static struct sl_why         why;

static void target_is(const char *metrics_addr, const char *node_id, const char *address,
                      const char *path)
{
    assert_int_equal(sl_push_target(metrics_addr, node_id, &target, &why), SL_OK);
    assert_string_equal(target.address, address);
    assert_string_equal(target.path, path);
}

static void an_address_may_have_a_scheme_and_a_prefix(void **state)
{
    (void)state;
    target_is("g:9091", "n", "g:9091", "/metrics/job/binlog/instance/n");
    target_is("http://g:9091", "n", "g:9091", "/metrics/job/binlog/instance/n");
    target_is("http://g:9091/", "n", "g:9091", "/metrics/job/binlog/instance/n");
    target_is("http://g:9091/push", "n", "g:9091", "/push/metrics/job/binlog/instance/n");
}

static void a_node_id_is_encoded(void **state)
{
    (void)state;
    target_is("g:9091", "host:8249", "g:9091", "/metrics/job/binlog/instance/host%3A8249");
}

static void what_is_too_long_is_refused(void **state)
{
    char text[SL_PUSH_PATH_BYTES_MAX + 16] = "g:9091/";

    (void)state;
    memset(text + 7, 'p', sizeof text - 8);
    text[sizeof text - 1] = '\0';
    assert_int_equal(sl_push_target(text, "n", &target, &why), SL_TOO_LARGE);
    memset(text, 'h', SL_ADDR_BYTES_MAX);
    text[SL_ADDR_BYTES_MAX] = '\0';
    assert_int_equal(sl_push_target(text, "n", &target, &why), SL_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_may_have_a_scheme_and_a_prefix),
        cmocka_unit_test(a_node_id_is_encoded),
        cmocka_unit_test(what_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
