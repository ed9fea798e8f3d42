/* A local directory shared by several real processes: no listing is torn or goes back, no timestamp
 * is given twice, and who is killed in the middle of a call stands in nobody's way. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "lib/folder.h"
#include "net/local.h"

/* ---- the registry ---- */

enum { WRITERS = 3, PUTS = 60 };

static enum sl_err put(struct sl_local *local, const char *id, sl_ts ts)
{
    struct sl_node node = {.state = SL_NODE_ONLINE, .max_commit_ts = ts};

    (void)snprintf(node.id, sizeof node.id, "%s", id);
    return sl_registry_put(sl_local_registry(local), SL_NODE_DRAINER, &node, NULL);
}

/* Record number 0, 1, 2 ... of this writer's node; exits with 0 if each was taken. */
static _Noreturn void be_writer(const char *folder, int writer)
{
    struct sl_local *local = NULL;
    char             id[16];

    (void)snprintf(id, sizeof id, "w%d", writer);
    if (sl_local_open(sl_env_os(), folder, &local, NULL) != SL_OK)
        _exit(2);
    for (int i = 1; i <= PUTS; i++) {
        if (put(local, id, i) != SL_OK)
            _exit(1);
    }
    _exit(0);
}

/* Every listing parses, and nothing in it is older than in the one before. */
static void watch(struct sl_registry *r)
{
    sl_ts    seen[WRITERS] = {0};
    unsigned done = 0;

    while (done < WRITERS) {
        struct sl_node_list list;
        struct sl_why       why = {0};

        done = 0;
        if (sl_registry_list(r, SL_NODE_DRAINER, &list, &why) != SL_OK)
            fail_msg("%s", why.text);
        for (size_t i = 0; i < list.count; i++) {
            int writer = list.nodes[i].id[1] - '0';

            assert_true(list.nodes[i].max_commit_ts >= seen[writer]);
            seen[writer] = list.nodes[i].max_commit_ts;
            done += seen[writer] == PUTS;
        }
        sl_node_list_free(&list);
    }
}

static void processes_share_it(void **state)
{
    char             folder[FOLDER_PATH_BYTES];
    struct sl_local *local;
    pid_t            writers[WRITERS];
    int              status;

    (void)state;
    folder_make(folder);
    assert_int_equal(sl_local_init(sl_env_os(), folder, 1, 0, NULL), SL_OK);
    assert_int_equal(sl_local_open(sl_env_os(), folder, &local, NULL), SL_OK);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_true(writers[i] >= 0);
        if (writers[i] == 0)
            be_writer(folder, i);
    }
    watch(sl_local_registry(local));
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
        assert_int_equal(status, 0);
    }
    sl_local_free(&local);
    folder_remove(folder);
}

/* ---- timestamps ---- */

enum { PROCESSES = 4, ASKS = 3000 };

static const size_t given_bytes = sizeof(sl_ts) * PROCESSES * ASKS;

/* Shared with the children: ASKS of each, one after another. */
static sl_ts *share(void)
{
    void *given =
        mmap(NULL, given_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(given != MAP_FAILED);
    return given;
}

/* Notes the first ASKS, and ends there or, as one that is to be killed, never. */
static _Noreturn void be_asker(const char *folder, sl_ts *out, bool for_ever)
{
    struct sl_local *local = NULL;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody else ends it */
    if (sl_local_open(sl_env_os(), folder, &local, NULL) != SL_OK)
        _exit(2);
    for (int i = 0; i < ASKS || for_ever; i++) {
        sl_ts ts;

        if (sl_tso_now(sl_local_tso(local), 1, &ts, NULL) != SL_OK)
            _exit(1);
        if (i < ASKS)
            out[i] = ts;
    }
    _exit(0);
}

static pid_t start_asker(const char *folder, sl_ts *out, bool for_ever)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        be_asker(folder, out, for_ever);
    return child;
}

static int compare_ts(const void *a, const void *b)
{
    sl_ts x = *(const sl_ts *)a;
    sl_ts y = *(const sl_ts *)b;

    return x < y ? -1 : x > y;
}

static void assert_rising(const sl_ts *ts, int count)
{
    for (int i = 1; i < count; i++)
        assert_true(ts[i] > ts[i - 1]);
}

static void processes_never_get_the_same(void **state)
{
    sl_ts *given = share();
    char   folder[FOLDER_PATH_BYTES];
    pid_t  children[PROCESSES];
    int    status;

    (void)state;
    folder_make(folder);
    assert_int_equal(sl_local_init(sl_env_os(), folder, 1, 0, NULL), SL_OK);
    for (int i = 0; i < PROCESSES; i++)
        children[i] = start_asker(folder, given + i * ASKS, false);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
        assert_rising(given + i * ASKS, ASKS);
    }
    qsort(given, (size_t)PROCESSES * ASKS, sizeof given[0], compare_ts);
    assert_rising(given, PROCESSES * ASKS);
    folder_remove(folder);
    assert_int_equal(munmap(given, given_bytes), 0);
}

/* Kill an asker at whatever it does after some asks; the greatest timestamp it noted. */
static sl_ts kill_an_asker(const char *folder, sl_ts *given, int asks, sl_ts last)
{
    volatile sl_ts *mark = &given[asks];
    pid_t           child;

    memset(given, 0, given_bytes);
    child = start_asker(folder, given, true);
    while (*mark == 0)
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (int i = 0; i < ASKS && given[i] != 0; i++) {
        assert_true(given[i] > last);
        last = given[i];
    }
    return last;
}

static void killed_askers_leave_no_lock_and_no_doubt(void **state)
{
    sl_ts           *given = share();
    char             folder[FOLDER_PATH_BYTES];
    struct sl_local *local;
    sl_ts            last = 0;

    (void)state;
    folder_make(folder);
    assert_int_equal(sl_local_init(sl_env_os(), folder, 1, 0, NULL), SL_OK);
    assert_int_equal(sl_local_open(sl_env_os(), folder, &local, NULL), SL_OK);
    for (int round = 0; round < 30; round++) {
        sl_ts ts;

        last = kill_an_asker(folder, given, round * 5, last);
        assert_int_equal(sl_tso_now(sl_local_tso(local), 1, &ts, NULL), SL_OK);
        assert_true(ts > last);
        last = ts;
    }
    sl_local_free(&local);
    folder_remove(folder);
    assert_int_equal(munmap(given, given_bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_share_it),
        cmocka_unit_test(processes_never_get_the_same),
        cmocka_unit_test(killed_askers_leave_no_lock_and_no_doubt),
    };

    return cmocka_run_group_tests_name("local_processes", tests, NULL, NULL);
}
