#ifndef SL_RUNTIME_WORD_H
#define SL_RUNTIME_WORD_H

/* The schedule word of an actor: who has to put it on a run queue, and that only one thread runs
 * it.
 *
 *                 push                   begin                    end, mailbox empty
 *        IDLE ───────────► QUEUED ───────────────► RUNNING ───────────────────────► IDLE
 *                            ▲                        │ push
 *                            │  end                   ▼
 *                            └─────────────────── RUNNING_DIRTY
 *
 * The push that moves the word to QUEUED schedules the actor; all others only push. Whoever took it
 * from the run queue, and only they, call begin and end. The claim (R3): when the word is IDLE, the
 * mailbox is empty or a pusher is between its push and word_pushed, and will schedule.
 * tests/explore walks every interleaving of it.
 *
 * The word and the mailbox are two places, so each side writes one and then reads the other, with a
 * full fence in between: the pusher pushes, fences, reads the word; the runner writes the word
 * (begin), fences, reads the mailbox. At least one of them sees the other. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/sync.h"

enum word_state { WORD_IDLE, WORD_QUEUED, WORD_RUNNING, WORD_RUNNING_DIRTY };

typedef _Atomic uint32_t word;

/* To be called after each push. True: the caller must put the actor on its run queue. */
static inline bool word_pushed(word *w)
{
    uint32_t seen;

    SYNC_POINT();
    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in word_begin */
    seen = atomic_load_explicit(w, memory_order_relaxed);
    for (;;) {
        SYNC_POINT();
        switch ((enum word_state)seen) {
        case WORD_IDLE:
            /* acquire: what the last turn wrote (partner: release in word_end) is ours to hand to
             * the next runner */
            if (atomic_compare_exchange_weak_explicit(w, &seen, WORD_QUEUED, memory_order_acq_rel,
                                                      memory_order_relaxed))
                return true;
            break;
        case WORD_RUNNING:
#ifdef SLUICE_PLANT_LOST_WAKEUP
            return false; /* the bug that exploration and seeded runs must find */
#endif
            /* release: the runner's failing exchange in word_end acquires, and so sees our push */
            if (atomic_compare_exchange_weak_explicit(w, &seen, WORD_RUNNING_DIRTY,
                                                      memory_order_acq_rel, memory_order_relaxed))
                return false;
            break;
        case WORD_QUEUED:
        case WORD_RUNNING_DIRTY:
            return false; /* begin or end is still to come, and reads the mailbox after it */
        }
    }
}

/* The actor was taken from the run queue: from here to word_end it is the caller's. */
static inline void word_begin(word *w)
{
    uint32_t before = atomic_exchange_explicit(w, WORD_RUNNING, memory_order_acq_rel);

    SL_ASSERT(before == WORD_QUEUED);          /* R2: nobody else runs it */
    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in word_pushed */
    SYNC_POINT();
}

/* The turn is over. `more`: the mailbox is known to hold mail. True: put the actor on its run queue
 * again. False: it is idle, and may already be running elsewhere when this returns. */
static inline bool word_end(word *w, bool more)
{
    uint32_t expected = WORD_RUNNING;

    SYNC_POINT();
    if (!more && atomic_compare_exchange_strong_explicit(
                     w, &expected, WORD_IDLE, memory_order_acq_rel, memory_order_acquire))
        return false;
    SYNC_POINT();
    expected = atomic_exchange_explicit(w, WORD_QUEUED, memory_order_acq_rel);
    SL_ASSERT(expected == WORD_RUNNING || expected == WORD_RUNNING_DIRTY);
    return true;
}

#endif
