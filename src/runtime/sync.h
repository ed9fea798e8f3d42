#ifndef SL_RUNTIME_SYNC_H
#define SL_RUNTIME_SYNC_H

/* What the schedule word and the crew are built on, so that they can be explored.
 *
 * In the product: nothing, a pthread mutex, and the environment's park and wake. In a program
 * compiled with SLUICE_EXPLORE the three functions below are the explorer's (tests/explore):
 * SYNC_POINT marks each place where another thread may come in between, and waiting is a state that
 * the explorer sees. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/assert.h"

#ifdef SLUICE_EXPLORE

/* Let the explorer choose who runs next. */
void explore_point(void);
/* Not runnable while *word == value. */
void explore_await_change(_Atomic uint32_t *word, uint32_t value);

#define SYNC_POINT() explore_point()

struct sync_lock {
    _Atomic uint32_t held;
};

static inline void sync_lock_init(struct sync_lock *lock)
{
    atomic_init(&lock->held, 0);
}

static inline void sync_lock_free(struct sync_lock *lock)
{
    (void)lock;
}

static inline void sync_lock_take(struct sync_lock *lock)
{
    SYNC_POINT();
    while (atomic_load(&lock->held) != 0)
        explore_await_change(&lock->held, 1);
    atomic_store(&lock->held, 1);
}

static inline void sync_lock_give(struct sync_lock *lock)
{
    atomic_store(&lock->held, 0);
    SYNC_POINT();
}

#else

#define SYNC_POINT() ((void)0)

struct sync_lock {
    pthread_mutex_t mutex;
};

static inline void sync_lock_init(struct sync_lock *lock)
{
    int failed = pthread_mutex_init(&lock->mutex, NULL);

    SL_ASSERT(failed == 0);
}

static inline void sync_lock_free(struct sync_lock *lock)
{
    int failed = pthread_mutex_destroy(&lock->mutex);

    SL_ASSERT(failed == 0);
}

static inline void sync_lock_take(struct sync_lock *lock)
{
    int failed = pthread_mutex_lock(&lock->mutex);

    SL_ASSERT(failed == 0);
}

static inline void sync_lock_give(struct sync_lock *lock)
{
    int failed = pthread_mutex_unlock(&lock->mutex);

    SL_ASSERT(failed == 0);
}

#endif

/* Tell the processor that this is a loop that waits. */
static inline void sync_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
