/* The simulated environment apart from disk and network: clock, random, threads, and that it misses
 * nothing left open. What must panic does so in a child process. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/env_sim.h"

static void time_passes_only_when_told(void **state)
{
    struct sl_env_sim   *sim = sl_env_sim_new(1);
    const struct sl_env *env = sl_env_sim_env(sim);
    sl_nanos             start = sl_env_now(env);
    int64_t              wall = sl_env_wall(env);

    (void)state;
    assert_true(start > 0);
    assert_int_equal(sl_env_now(env), start);
    sl_env_sim_advance(sim, 5 * SL_NANOS_PER_MS);
    assert_int_equal(sl_env_now(env) - start, 5 * SL_NANOS_PER_MS);
    assert_int_equal(sl_env_wall(env) - wall, 5 * SL_NANOS_PER_MS);
    sl_env_sim_set_skew(sim, -SL_NANOS_PER_S);
    assert_int_equal(sl_env_wall(env) - wall, 5 * SL_NANOS_PER_MS - SL_NANOS_PER_S);
    assert_int_equal(sl_env_now(env) - start, 5 * SL_NANOS_PER_MS);
    sl_env_sim_free(&sim);
    assert_null(sim);
    sl_env_sim_free(&sim);
}

static void draw(uint64_t seed, uint8_t *bytes, size_t count)
{
    struct sl_env_sim *sim = sl_env_sim_new(seed);
    struct sl_random  *random = sl_env_sim_env(sim)->random;

    random->fill(random, bytes, count);
    sl_env_sim_free(&sim);
}

static void random_bytes_come_from_the_seed(void **state)
{
    uint8_t first[32];
    uint8_t again[32];
    uint8_t other[32];

    (void)state;
    draw(0, first, sizeof first);
    draw(0, again, sizeof again);
    draw(1, other, sizeof other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
}

static void there_is_one_processor_and_nobody_to_wake(void **state)
{
    struct sl_env_sim *sim = sl_env_sim_new(1);
    struct sl_threads *threads = sl_env_sim_env(sim)->threads;
    _Atomic uint32_t   word = 0;

    (void)state;
    assert_int_equal(threads->cpus(threads), 1);
    threads->wake(threads, &word, 1);
    sl_env_sim_free(&sim);
}

/* ---- panics ---- */

static void assert_panics(void (*act)(struct sl_env_sim *sim))
{
    int   status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct sl_env_sim *sim = sl_env_sim_new(1);
        int                quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

        (void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        (void)dup2(quiet, STDERR_FILENO);
        act(sim);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void nothing(void *argument)
{
    (void)argument;
}

static void start_a_thread(struct sl_env_sim *sim)
{
    struct sl_threads *threads = sl_env_sim_env(sim)->threads;
    struct sl_thread  *thread = NULL;

    (void)threads->start(threads, "t", nothing, NULL, &thread, NULL);
}

static void park(struct sl_env_sim *sim)
{
    struct sl_threads *threads = sl_env_sim_env(sim)->threads;
    _Atomic uint32_t   word = 0;

    threads->park(threads, &word, 0, UINT64_MAX);
}

static void wait_for_sockets(struct sl_env_sim *sim)
{
    sl_net_wait(sl_env_sim_env(sim)->net, NULL, 0, UINT64_MAX);
}

static void leave_a_file_open(struct sl_env_sim *sim)
{
    struct sl_file *f = NULL;

    (void)sl_fs_create(sl_env_sim_env(sim)->fs, "/f", &f, NULL);
    sl_env_sim_free(&sim);
}

static void leave_a_socket_open(struct sl_env_sim *sim)
{
    struct sl_socket *s = NULL;

    (void)sl_net_listen(sl_env_sim_env(sim)->net, "a:1", &s, NULL);
    sl_env_sim_free(&sim);
}

static void what_no_seed_could_replay_panics(void **state)
{
    (void)state;
    assert_panics(start_a_thread);
    assert_panics(park);
    assert_panics(wait_for_sockets);
}

static void what_is_left_open_panics(void **state)
{
    (void)state;
    assert_panics(leave_a_file_open);
    assert_panics(leave_a_socket_open);
}

static void each_power_cut_begins_another_boot(void **state)
{
    struct sl_env_sim *sim = sl_env_sim_new(1);
    struct sl_fs      *fs = sl_env_sim_env(sim)->fs;
    struct sl_boot_id  before;
    struct sl_boot_id  after;

    (void)state;
    assert_int_equal(sl_fs_boot_id(fs, &before, NULL), SL_OK);
    sl_env_sim_power_cut(sim);
    assert_int_equal(sl_fs_boot_id(fs, &after, NULL), SL_OK);
    assert_memory_not_equal(before.bytes, after.bytes, SL_BOOT_ID_BYTES);
    sl_env_sim_free(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_passes_only_when_told),
        cmocka_unit_test(random_bytes_come_from_the_seed),
        cmocka_unit_test(there_is_one_processor_and_nobody_to_wake),
        cmocka_unit_test(what_no_seed_could_replay_panics),
        cmocka_unit_test(what_is_left_open_panics),
        cmocka_unit_test(each_power_cut_begins_another_boot),
    };

    return cmocka_run_group_tests_name("env_sim", tests, NULL, NULL);
}
