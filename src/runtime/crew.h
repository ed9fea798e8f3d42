#ifndef SL_RUNTIME_CREW_H
#define SL_RUNTIME_CREW_H

/* A crew: a run queue and the threads that serve it, and how the idle ones sleep.
 *
 * An item is on the queue at most once (the schedule word sees to that), so the queue cannot
 * overflow. A thread that finds the queue empty lists itself as idle, looks once more, and only
 * then sleeps; a push is followed by a look at the list. Each side writes before it looks, with a
 * full fence in between, so an item is never left to sleepers. The list is a stack: the thread that
 * slept last, whose caches are warm, wakes first. */

#include <stdbool.h>
#include <stdint.h>

#include "runtime/ring.h"
#include "runtime/sync.h"

struct sleeper;

/* Makes a sleeper come back: called without locks, at most once per sleep. */
typedef void (*sleeper_rouse)(struct sleeper *sleeper);

/* One thread's way to sleep; in the thread's own memory. */
struct sleeper {
    sleeper_rouse    rouse;
    struct sleeper  *next;   /* on the idle stack; guarded by the crew's lock */
    bool             listed; /* guarded by the crew's lock */
    _Atomic uint32_t token;  /* 1: roused; free for use by `rouse` */
};

struct crew {
    struct ring     *queue;
    struct sync_lock lock;
    struct sleeper  *idle; /* guarded by lock */
    /* Length of the idle stack. Written under the lock; read without it after a fence (partner:
     * crew_lie_down). */
    _Atomic uint32_t idle_count;
};

/* Ready for up to `items` queued items. */
void crew_init(struct crew *c, uint32_t items);
/* No thread serves it any more and nothing is queued. */
void crew_free(struct crew *c);

/* Queue an item. It will be run, but nobody is woken for it: crew_wake_one. */
void crew_push(struct crew *c, void *item);

/* Wake one sleeper if there is one and work may be waiting. True when one was woken. Call after
 * crew_push, unless the caller is of this crew and will look at the queue itself. */
bool crew_wake_one(struct crew *c);

/* Wake every sleeper (for shutdown). */
void crew_wake_all(struct crew *c);

/* The next item, or NULL. */
void *crew_pop(struct crew *c);

/* Prepare to sleep: true when the caller is listed as idle and nothing was queued; it must then
 * sleep until roused (or any other reason) and call crew_get_up. False: there is work, do not
 * sleep. */
bool crew_lie_down(struct crew *c, struct sleeper *s);

/* Awake again, for whatever reason. */
void crew_get_up(struct crew *c, struct sleeper *s);

#endif
