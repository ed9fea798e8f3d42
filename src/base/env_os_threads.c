#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_os_parts.h"

/* Linux shows at most this much of a thread's name, terminator included; a longer one would be
 * refused. */
enum { SHOWN_NAME_BYTES = 16 };

struct sl_thread {
    pthread_t      id;
    sl_thread_main main;
    void          *argument;
    char           name[SHOWN_NAME_BYTES];
};

static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "the kernel looks at the bare word");

/* The thread names itself: named from outside it could be seen at work without its name. */
static void *run(void *argument)
{
    struct sl_thread *t = argument;

    (void)pthread_setname_np(pthread_self(), t->name);
    t->main(t->argument);
    return NULL;
}

static enum sl_err start(struct sl_threads *threads, const char *name, sl_thread_main main,
                         void *argument, struct sl_thread **out, struct sl_why *why)
{
    struct sl_thread *t;
    int               failed;

    (void)threads;
    SL_ASSERT(name != NULL && main != NULL && out != NULL);
    t = calloc(1, sizeof *t);
    SL_ASSERT(t != NULL);
    t->main = main;
    t->argument = argument;
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    failed = pthread_create(&t->id, NULL, run, t);
    if (failed != 0) {
        char reason[128];

        /* EAGAIN means "no room" here, which no retry in a moment cures: not SL_AGAIN. */
        free(t);
        return sl_fail(why, SL_SYSTEM, "start thread %s: %s", name,
                       strerror_r(failed, reason, sizeof reason));
    }
    *out = t;
    return SL_OK;
}

static void join(struct sl_threads *threads, struct sl_thread **thread)
{
    int failed;

    (void)threads;
    SL_ASSERT(thread != NULL && *thread != NULL);
    failed = pthread_join((*thread)->id, NULL);
    SL_ASSERT(failed == 0);
    free(*thread);
    *thread = NULL;
}

/* The kernel compares *word and falls asleep in one step, so a change followed by a wake cannot
 * slip between. Every way to return (woken, changed already, timed out, interrupted) means the same
 * to the caller: look again. */
static void park(struct sl_threads *threads, _Atomic uint32_t *word, uint32_t expected,
                 sl_nanos timeout)
{
    struct timespec limit = {
        .tv_sec = (time_t)(timeout / SL_NANOS_PER_S),
        .tv_nsec = (long)(timeout % SL_NANOS_PER_S),
    };
    long result;

    (void)threads;
    SL_ASSERT(word != NULL);
    result = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected,
                     timeout == UINT64_MAX ? NULL : &limit, NULL, 0);
    SL_ASSERT(result == 0 || errno == EAGAIN || errno == ETIMEDOUT || errno == EINTR);
}

static void wake(struct sl_threads *threads, _Atomic uint32_t *word, unsigned count)
{
    int  most = count > INT_MAX ? INT_MAX : (int)count;
    long result;

    (void)threads;
    SL_ASSERT(word != NULL);
    result = syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
    SL_ASSERT(result >= 0);
}

static unsigned cpus(struct sl_threads *threads)
{
    cpu_set_t set;
    long      online;

    (void)threads;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a cpu_set_t holds */
    return online > 0 ? (unsigned)online : 1;
}

struct sl_threads env_os_threads = {
    .start = start,
    .join = join,
    .park = park,
    .wake = wake,
    .cpus = cpus,
};
