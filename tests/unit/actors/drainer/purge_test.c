/* What a pump says it has removed is found in its metrics, whatever else they say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/drainer/purge.h"

static int64_t read_text(const char *text)
{
    return sl_purge_read(sl_slice_from_string(text));
}

static void the_gauge_is_read_as_prometheus_writes_it(void **state)
{
    (void)state;
    assert_int_equal(read_text("# HELP x y\n# TYPE binlog_pump_storage_gc_ts gauge\n"
                               "binlog_pump_storage_gc_ts 1.796011275e+12\nother 5\n"),
                     1796011275000);
    assert_int_equal(read_text("\nbinlog_pump_storage_gc_ts 1796011275123"), 1796011275123);
}

static void what_is_no_number_of_it_is_nothing(void **state)
{
    static const char *const texts[] = {"",
                                        "binlog_pump_storage_gc_ts 5\n",
                                        "\nbinlog_pump_storage_gc_ts ",
                                        "\nbinlog_pump_storage_gc_ts 0\n",
                                        "\nbinlog_pump_storage_gc_ts NaN\n",
                                        "\nbinlog_pump_storage_gc_ts -4\n",
                                        "\nbinlog_pump_storage_gc_ts 1e300\n",
                                        "\nbinlog_pump_storage_done_gc_ts 7\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(read_text(texts[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gauge_is_read_as_prometheus_writes_it),
        cmocka_unit_test(what_is_no_number_of_it_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
