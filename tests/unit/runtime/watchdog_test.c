/* The watchdog looks at workers made by hand, with a clock that stands where the test puts it: it
 * reports a handler once, when it runs longer than its thread allows. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "lib/folder.h"
#include "runtime/machine.h"

#define WALL INT64_C(1556443799016000000)

enum { ALLOWED_MS = 1000 };

static sl_nanos now;

static sl_nanos clock_now(struct sl_clock *clock)
{
    (void)clock;
    return now;
}

static int64_t clock_wall(struct sl_clock *clock)
{
    (void)clock;
    return WALL;
}

static struct sl_clock     fixed_clock = {.now = clock_now, .wall = clock_wall};
static const struct sl_env env = {.clock = &fixed_clock};

static struct sl_runtime rt;
static struct worker     worker;
static char              folder[FOLDER_PATH_BYTES];

static unsigned    reports;
static const char *reported_message;

static void on_stuck(const char *actor, const char *message, sl_nanos running)
{
    assert_string_equal(actor, "sorter");
    assert_int_equal(running, 1500 * SL_NANOS_PER_MS);
    reported_message = message;
    reports++;
}

/* Seeded, as then the clock is the environment's; of the seeded scheduler nothing is used. */
static int make_machine(void **state)
{
    struct sl_log_options options = {.level = SL_LOG_INFO};
    char                  path[FOLDER_PATH_BYTES];

    (void)state;
    memset(&rt, 0, sizeof rt);
    memset(&worker, 0, sizeof worker);
    rt.env = &env;
    rt.seeded = (struct seeded *)&worker;
    rt.workers[0] = &worker;
    rt.worker_count = 1;
    worker.stuck_after = (sl_nanos)ALLOWED_MS * SL_NANOS_PER_MS;
    worker.hook_began = 1;
    worker.doing_actor = "sorter";
    worker.doing_message = "SORTER_NOTE";
    reports = 0;
    folder_make(folder);
    folder_join(path, folder, "x.log");
    options.path = path;
    return sl_log_init(&env, &options, NULL) == SL_OK ? 0 : -1;
}

static int end_machine(void **state)
{
    (void)state;
    sl_log_done();
    folder_remove(folder);
    return 0;
}

static void look_after(sl_nanos running_ms)
{
    now = 1 + running_ms * SL_NANOS_PER_MS;
    watchdog_look(&rt);
}

static void a_long_handler_is_logged_by_default(void **state)
{
    (void)state;
    look_after(1500);
    assert_non_null(strstr(folder_read(folder, "x.log"), " [WARN] [watchdog.c:"));
    assert_non_null(strstr(folder_read(folder, "x.log"),
                           " [\"handler runs too long\"] [actor=sorter] [message=SORTER_NOTE]"
                           " [running=1.5s]\n"));
}

static void who_wants_the_reports_gets_them_instead(void **state)
{
    (void)state;
    rt.options.on_stuck = on_stuck;
    look_after(1500);
    assert_int_equal(reports, 1);
    assert_string_equal(reported_message, "SORTER_NOTE");
    assert_string_equal(folder_read(folder, "x.log"), "");
}

static void a_handler_is_reported_once(void **state)
{
    (void)state;
    rt.options.on_stuck = on_stuck;
    look_after(1500);
    look_after(1600);
    assert_int_equal(reports, 1);
    worker.hook_began = 1 + 200 * (uint64_t)SL_NANOS_PER_MS;
    look_after(1700);
    assert_int_equal(reports, 2);
}

static void what_runs_as_long_as_it_may_is_not_reported(void **state)
{
    (void)state;
    rt.options.on_stuck = on_stuck;
    look_after(ALLOWED_MS - 1);
    worker.hook_began = 0; /* idle */
    look_after(1500);
    assert_int_equal(reports, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_machine, end_machine)
    const struct CMUnitTest tests[] = {
        TEST(a_long_handler_is_logged_by_default),
        TEST(who_wants_the_reports_gets_them_instead),
        TEST(a_handler_is_reported_once),
        TEST(what_runs_as_long_as_it_may_is_not_reported),
    };
#undef TEST

    return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
