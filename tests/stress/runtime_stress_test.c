/* The workload of tests/lib/workload.h on real threads: the same handlers, the same laws, whatever
 * the machine makes of the order. Dynamic senders are opened and dropped all at once, generation
 * after generation. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "lib/workload.h"

static struct workload_counts run(const struct workload *workload, unsigned compute_threads)
{
    struct sl_runtime_options options = {
        .env = sl_env_os(), .topology = &workload_topology, .compute_threads = compute_threads};
    struct sl_runtime *rt;
    struct sl_why      why = {0};

    workload_reset();
    assert_int_equal(sl_runtime_new(&options, &rt, &why), SL_OK);
    assert_int_equal(sl_runtime_start(rt, workload, sizeof *workload, &why), SL_OK);
    if (sl_runtime_wait(rt, &why) != SL_OK)
        fail_msg("the root ended: %s", why.text);
    sl_runtime_free(&rt); /* every message, credit and place is home, or this panics */
    return workload_counts_now();
}

static void check(const struct workload_counts *c)
{
    assert_int_equal(c->asked, c->answered + c->gone);
    assert_int_equal(c->disorder, 0);
    assert_int_equal(c->ghosts, 0);
}

static void threads_keep_the_laws(void **state)
{
    const struct workload  workload = {.sources = 8,
                                       .relays = 3,
                                       .sinks = 2,
                                       .generations = 1,
                                       .messages = 20000,
                                       .drop_one_in = 10};
    struct workload_counts c = run(&workload, 2);

    (void)state;
    check(&c);
    assert_true(c.relayed == 8 * 20000);
    assert_true(c.full > 0);
}

static void failing_relays_lose_no_question(void **state)
{
    const struct workload  workload = {.sources = 8,
                                       .relays = 3,
                                       .sinks = 2,
                                       .generations = 2,
                                       .messages = 3000,
                                       .fail_one_in = 500,
                                       .drop_one_in = 10};
    struct workload_counts c = run(&workload, 3);

    (void)state;
    check(&c);
    assert_true(c.restarts > 3);
    assert_true(c.gone > 0);
}

static void senders_dropped_all_at_once_overflow_nothing(void **state)
{
    const struct workload  workload = {.sources = 8,
                                       .relays = 2,
                                       .sinks = 2,
                                       .generations = 50,
                                       .messages = 1000000,
                                       .drop_one_in = 50,
                                       .stop_after_ms = 2};
    struct workload_counts c = run(&workload, 2);

    (void)state;
    check(&c);
    assert_true(c.relayed > 0);
}

static void more_threads_than_processors_keep_the_laws(void **state)
{
    const struct workload  workload = {.sources = 8,
                                       .relays = 3,
                                       .sinks = 2,
                                       .generations = 1,
                                       .messages = 2000,
                                       .drop_one_in = 3};
    struct workload_counts c = run(&workload, 8);

    (void)state;
    check(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_keep_the_laws),
        cmocka_unit_test(failing_relays_lose_no_question),
        cmocka_unit_test(senders_dropped_all_at_once_overflow_nothing),
        cmocka_unit_test(more_threads_than_processors_keep_the_laws),
    };

    return cmocka_run_group_tests_name("runtime_stress", tests, NULL, NULL);
}
