/* The gc point: retention by the door's time, held back by what is incomplete and by drainers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/pump/gc_point.h"

enum { HOUR_MS = 3600 * 1000 };

static sl_ts at_hour(int64_t hour)
{
    return sl_ts_of_ms(hour * HOUR_MS);
}

static struct sl_gc_facts facts(void)
{
    return (struct sl_gc_facts){.now = at_hour(100),
                                .keep_ms = 10 * HOUR_MS,
                                .complete = at_hour(99),
                                .drainers = INT64_MAX,
                                .present = at_hour(50)};
}

static void what_is_older_than_the_retention_may_go(void **state)
{
    struct sl_gc_facts f = facts();

    (void)state;
    assert_int_equal(sl_gc_point(&f), at_hour(90));
}

static void what_is_not_complete_stays(void **state)
{
    struct sl_gc_facts f = facts();

    (void)state;
    f.complete = at_hour(60);
    assert_int_equal(sl_gc_point(&f), at_hour(60));
}

static void what_a_drainer_has_not_read_stays(void **state)
{
    struct sl_gc_facts f = facts();

    (void)state;
    f.drainers = at_hour(70);
    assert_int_equal(sl_gc_point(&f), at_hour(70));
    f.drainers = 0;
    assert_int_equal(sl_gc_point(&f), at_hour(50));
}

static void a_drainer_is_told_of_before_and_when_its_binlogs_are_old(void **state)
{
    struct sl_gc_facts f = facts();

    (void)state;
    assert_int_equal(sl_gc_lag_of(&f, at_hour(90) - 1), SL_GC_LAG_KEPT);
    assert_int_equal(sl_gc_lag_of(&f, 0), SL_GC_LAG_KEPT);
    assert_int_equal(sl_gc_lag_of(&f, at_hour(90)), SL_GC_LAG_SOON);
    assert_int_equal(sl_gc_lag_of(&f, at_hour(95) - 1), SL_GC_LAG_SOON); /* half of 10 hours */
    assert_int_equal(sl_gc_lag_of(&f, at_hour(95)), SL_GC_LAG_NONE);
    f.now = at_hour(1000);
    f.keep_ms = INT64_C(168) * HOUR_MS;
    assert_int_equal(sl_gc_lag_of(&f, at_hour(832 + 20) - 1), SL_GC_LAG_SOON);
    assert_int_equal(sl_gc_lag_of(&f, at_hour(832 + 20)), SL_GC_LAG_NONE);
    f.now = 0; /* nothing is known */
    assert_int_equal(sl_gc_lag_of(&f, 0), SL_GC_LAG_NONE);
}

static void the_point_never_falls(void **state)
{
    struct sl_gc_facts f = facts();

    (void)state;
    f.present = at_hour(95);
    assert_int_equal(sl_gc_point(&f), at_hour(95));
    f.now = 0; /* the door was not asked yet */
    assert_int_equal(sl_gc_point(&f), at_hour(95));
}

static void before_the_beginning_of_time_there_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(sl_gc_below(at_hour(1), HOUR_MS), 0);
    assert_int_equal(sl_gc_below(at_hour(1), 2 * HOUR_MS), 0);
    assert_int_equal(sl_gc_below(at_hour(3), HOUR_MS), at_hour(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_older_than_the_retention_may_go),
        cmocka_unit_test(what_is_not_complete_stays),
        cmocka_unit_test(what_a_drainer_has_not_read_stays),
        cmocka_unit_test(a_drainer_is_told_of_before_and_when_its_binlogs_are_old),
        cmocka_unit_test(the_point_never_falls),
        cmocka_unit_test(before_the_beginning_of_time_there_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
