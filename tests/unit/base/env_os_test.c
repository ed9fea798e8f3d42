/* The Linux side where it goes beyond the contract that it shares with the simulation
 * (env_fs_contract_test): modes, refusals of the system, processes, threads, clock. Sockets are in
 * env_os_net_test. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env_os.h"

static char folder[64];

/* The text of a small file of the system, without its last line end. */
static const char *system_text(const char *path)
{
    static char text[1 << 16];
    FILE       *file = fopen(path, "re");
    size_t      count;

    assert_non_null(file);
    count = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    text[count > 0 && text[count - 1] == '\n' ? count - 1 : count] = '\0';
    return text;
}

static const char *in_folder(const char *name)
{
    static char path[SL_PATH_BYTES_MAX];

    assert_int_equal(sl_path_join(path, folder, name, NULL), SL_OK);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/sluice_env_os_XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* ---- files ---- */

static void what_is_made_is_private(void **state)
{
    struct sl_fs   *fs = sl_env_os()->fs;
    struct sl_file *f = NULL;
    struct stat     st;

    (void)state;
    assert_int_equal(sl_fs_create(fs, in_folder("f"), &f, NULL), SL_OK);
    sl_file_close(&f);
    assert_int_equal(stat(in_folder("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(sl_fs_remove(fs, in_folder("f"), NULL), SL_OK);
    assert_int_equal(sl_fs_mkdir(fs, in_folder("d"), NULL), SL_OK);
    assert_int_equal(stat(in_folder("d"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(sl_fs_remove(fs, in_folder("d"), NULL), SL_OK);
}

/* Root may do everything, so it steps down for a moment; the folder is then closed to it. */
static bool step_down(void)
{
    return geteuid() != 0 || seteuid(65534) == 0;
}

static void step_up(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void an_unreadable_directory_is_denied(void **state)
{
    struct sl_fs   *fs = sl_env_os()->fs;
    struct sl_file *f = NULL;
    struct sl_why   why = {0};

    enum sl_err err;

    (void)state;
    assert_int_equal(mkdir(in_folder("d"), 0), 0);
    if (!step_down()) {
        print_message("root that cannot step down reads everything\n");
        assert_int_equal(rmdir(in_folder("d")), 0);
        skip();
    }
    err = sl_fs_open(fs, in_folder("d/f"), SL_OPEN_READ, &f, &why);
    step_up();
    assert_int_equal(err, SL_DENIED);
    assert_non_null(strstr(why.text, "Permission denied"));
    assert_int_equal(rmdir(in_folder("d")), 0);
}

static void a_device_is_neither_file_nor_directory(void **state)
{
    struct sl_file_info info;

    (void)state;
    assert_int_equal(sl_fs_info(sl_env_os()->fs, "/dev/null", &info, NULL), SL_OK);
    assert_int_equal(info.kind, SL_FILE_OTHER);
}

static void a_full_device_is_no_space(void **state)
{
    struct sl_file *f = NULL;
    struct sl_why   why = {0};

    (void)state;
    assert_int_equal(sl_fs_open(sl_env_os()->fs, "/dev/full", SL_OPEN_WRITE, &f, NULL), SL_OK);
    assert_int_equal(sl_file_write(f, "x", 1, &why), SL_NOSPACE);
    assert_string_equal(why.text, "write /dev/full: No space left on device");
    assert_int_equal(f->position, 0);
    sl_file_close(&f);
}

static void running_out_of_descriptors_is_an_error_not_a_crash(void **state)
{
    struct rlimit   old;
    struct rlimit   none;
    struct sl_file *f = NULL;
    struct sl_why   why = {0};
    enum sl_err     err;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    err = sl_fs_open(sl_env_os()->fs, "/dev/null", SL_OPEN_READ, &f, &why);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(err, SL_SYSTEM);
    assert_string_equal(why.text, "open /dev/null: Too many open files");
}

/* The child says over a pipe that it holds the lock and waits on another for the end. */
static void hold_lock(const char *path, int told, int release)
{
    struct sl_file *f = NULL;
    char            byte = 'y';

    if (sl_fs_open(sl_env_os()->fs, path, SL_OPEN_WRITE, &f, NULL) != SL_OK ||
        sl_file_lock(f, NULL) != SL_OK)
        byte = 'n';
    if (write(told, &byte, 1) != 1 || read(release, &byte, 1) < 0)
        _exit(1);
    _exit(0); /* without closing: the end of the process frees the lock */
}

static void a_lock_is_seen_by_another_process_and_ends_with_its_holder(void **state)
{
    struct sl_fs   *fs = sl_env_os()->fs;
    struct sl_file *f = NULL;
    int             told[2];
    int             release[2];
    char            byte = 0;
    int             status = -1;
    pid_t           child;

    (void)state;
    assert_int_equal(sl_fs_create(fs, in_folder("lock"), &f, NULL), SL_OK);
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    assert_int_equal(pipe2(release, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        hold_lock(in_folder("lock"), told[1], release[0]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(sl_file_lock(f, NULL), SL_IN_USE);
    assert_int_equal(sl_file_lock_within(f, SL_NANOS_PER_MS, NULL), SL_TIMEOUT);
    assert_int_equal(write(release[1], &byte, 1), 1);
    assert_int_equal(sl_file_lock_within(f, (sl_nanos)60 * SL_NANOS_PER_S, NULL), SL_OK);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    sl_file_close(&f);
    for (int i = 0; i < 2; i++) {
        (void)close(told[i]);
        (void)close(release[i]);
    }
    assert_int_equal(sl_fs_remove(fs, in_folder("lock"), NULL), SL_OK);
}

/* ---- clock and random ---- */

static void the_clock_does_not_go_back(void **state)
{
    sl_nanos before = sl_env_now(sl_env_os());

    (void)state;
    for (int i = 0; i < 1000; i++) {
        sl_nanos now = sl_env_now(sl_env_os());

        assert_true(now >= before);
        before = now;
    }
    assert_true(sl_env_wall(sl_env_os()) > (int64_t)1704067200 * SL_NANOS_PER_S);
}

static void random_fills_all_bytes(void **state)
{
    static uint8_t    bytes[1000]; /* more than the kernel promises to give at once */
    bool              seen[1000] = {0};
    struct sl_random *random = sl_env_os()->random;

    (void)state;
    /* A byte that stays 0 in 20 fills is left out: by chance once in 256^20 runs. */
    for (int round = 0; round < 20; round++) {
        random->fill(random, bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            seen[i] = seen[i] || bytes[i] != 0;
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_true(seen[i]);
}

/* ---- threads ---- */

struct game {
    struct sl_threads *threads;
    _Atomic uint32_t   turn; /* even: the main thread's, odd: the other's */
    char               name[32];
};

enum { ROUNDS = 2000 };

static void wait_for_turn(struct game *g, uint32_t mine)
{
    for (;;) {
        uint32_t turn = atomic_load_explicit(&g->turn, memory_order_acquire);

        if (turn == mine)
            return;
        g->threads->park(g->threads, &g->turn, turn, UINT64_MAX);
    }
}

static void pass_turn(struct game *g, uint32_t next)
{
    atomic_store_explicit(&g->turn, next, memory_order_release);
    g->threads->wake(g->threads, &g->turn, 1);
}

static void answer(void *argument)
{
    struct game *g = argument;

    (void)pthread_getname_np(pthread_self(), g->name, sizeof g->name);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        wait_for_turn(g, 2 * i + 1);
        pass_turn(g, 2 * i + 2);
    }
}

/* One wake-up lost, and the two would wait for each other for ever. */
static void threads_wake_each_other_without_losing_a_wake(void **state)
{
    struct sl_threads *threads = sl_env_os()->threads;
    struct game        game = {.threads = threads};
    struct sl_thread  *thread = NULL;

    (void)state;
    assert_int_equal(
        threads->start(threads, "a name longer than shown", answer, &game, &thread, NULL), SL_OK);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        pass_turn(&game, 2 * i + 1);
        wait_for_turn(&game, 2 * i + 2);
    }
    threads->join(threads, &thread);
    assert_null(thread);
    assert_string_equal(game.name, "a name longer t");
}

static void parking_returns_at_once_when_the_word_has_changed(void **state)
{
    struct sl_threads *threads = sl_env_os()->threads;
    _Atomic uint32_t   word = 2;

    (void)state;
    threads->park(threads, &word, 1, UINT64_MAX);
}

static void parking_ends_when_its_time_is_over(void **state)
{
    struct sl_threads *threads = sl_env_os()->threads;
    _Atomic uint32_t   word = 1;
    sl_nanos           end = sl_env_now(sl_env_os()) + 2 * SL_NANOS_PER_MS;

    (void)state;
    while (sl_env_now(sl_env_os()) < end)
        threads->park(threads, &word, 1, SL_NANOS_PER_MS);
    threads->park(threads, &word, 1, 0);
}

static void the_host_has_a_name(void **state)
{
    char name[SL_NAME_BYTES_MAX];

    (void)state;
    sl_env_os_host_name(name);
    assert_int_equal(strcmp(name, system_text("/proc/sys/kernel/hostname")), 0);
}

/* Another host has other addresses: the kernel's own table of local ones is asked. */
static void the_outward_address_is_local_and_no_loopback(void **state)
{
    char        address[SL_NAME_BYTES_MAX];
    const char *local = system_text("/proc/net/fib_trie");

    (void)state;
    if (!sl_env_os_ipv4(address))
        skip();
    assert_int_not_equal(strncmp(address, "127.", 4), 0);
    assert_non_null(strstr(local, address));
}

static void there_is_a_processor(void **state)
{
    struct sl_threads *threads = sl_env_os()->threads;
    long               configured = sysconf(_SC_NPROCESSORS_CONF);

    (void)state;
    assert_in_range(threads->cpus(threads), 1, configured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_private),
        cmocka_unit_test(an_unreadable_directory_is_denied),
        cmocka_unit_test(a_device_is_neither_file_nor_directory),
        cmocka_unit_test(a_full_device_is_no_space),
        cmocka_unit_test(running_out_of_descriptors_is_an_error_not_a_crash),
        cmocka_unit_test(a_lock_is_seen_by_another_process_and_ends_with_its_holder),
        cmocka_unit_test(the_clock_does_not_go_back),
        cmocka_unit_test(random_fills_all_bytes),
        cmocka_unit_test(threads_wake_each_other_without_losing_a_wake),
        cmocka_unit_test(parking_returns_at_once_when_the_word_has_changed),
        cmocka_unit_test(parking_ends_when_its_time_is_over),
        cmocka_unit_test(the_host_has_a_name),
        cmocka_unit_test(the_outward_address_is_local_and_no_loopback),
        cmocka_unit_test(there_is_a_processor),
    };

    return cmocka_run_group_tests_name("env_os", tests, make_folder, remove_folder);
}
