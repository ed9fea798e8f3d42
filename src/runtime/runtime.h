#ifndef SL_RUNTIME_RUNTIME_H
#define SL_RUNTIME_RUNTIME_H

/* The actor machine: what a program needs to run a topology.
 *
 *     rt = sl_runtime_new(&options)      tables checked, mailboxes sized, nothing runs yet
 *     sl_runtime_start(rt, args)         threads up, the root actor starts
 *     sl_runtime_wait(rt)                until the root has ended
 *     sl_runtime_free(&rt)               threads joined; asserts that every pool is full again
 *
 * With a seed instead of threads (sl_runtime_new with `seeded`), the same handlers run on the
 * calling thread in an order that the seed decides: sl_runtime_step / sl_runtime_run. Same seed,
 * same order, same fingerprint. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/env.h"
#include "base/err.h"
#include "runtime/topology.h"

struct sl_runtime;

/* Copied by sl_runtime_new; what it points to is borrowed until sl_runtime_free. */
struct sl_runtime_options {
    const struct sl_env      *env;             /* outlives the runtime */
    const struct sl_topology *topology;        /* likewise */
    unsigned                  compute_threads; /* 0: one per processor */
    unsigned                  disk_threads;    /* 0: SL_DISK_THREADS */
    unsigned                  io_loops;        /* 0: 1 */

    bool never_spin; /* idle threads sleep at once: for measuring what a sleep costs */

    bool     seeded; /* run on the calling thread, ordered by `seed` */
    uint64_t seed;
    /* Seeded only: the next moment at which something happens outside (a simulated network),
     * UINT64_MAX: never; and move the virtual clock to a moment. `sim` is passed to both. */
    sl_nanos (*next_event)(void *sim);
    void (*advance_to)(void *sim, sl_nanos moment);
    void *sim;

    /* Called once when the root has ended, on the thread that ran it; must not block. NULL: nobody
     * is told. */
    void (*on_end)(void *context);
    void *on_end_context;

    /* Called from the watchdog's thread when one handler has been running too long, once per
     * incident; NULL: a log line. */
    void (*on_stuck)(const char *actor, const char *message, sl_nanos running);
};

/* Check the topology and build the machine. On success the caller owns *out. SL_INVALID with a
 * reason. */
enum sl_err sl_runtime_new(const struct sl_runtime_options *options, struct sl_runtime **out,
                           struct sl_why *why);

/* Start the root actor (the first of the topology) with a copy of args. SL_SYSTEM when threads are
 * not to be had. */
enum sl_err sl_runtime_start(struct sl_runtime *rt, const void *args, size_t args_bytes,
                             struct sl_why *why);

/* Ask the root to stop (SL_MSG_STOP). Any thread, any number of times, after sl_runtime_start has
 * returned; not in a signal handler. */
void sl_runtime_stop(struct sl_runtime *rt);

/* Makes a message; on the thread that tells it. */
typedef struct sl_msg *(*sl_tell_make)(void *context);

/* Give the root a message from outside, on the line with that number, whose entrance is
 * sl_outside_class. SL_FULL: those before are still under way, and this one is
 * freed. Where the root has ended it is freed too. Any thread, after sl_runtime_start has returned;
 * not in a signal handler. */
enum sl_err sl_runtime_tell(struct sl_runtime *rt, unsigned line, sl_tell_make make, void *context);

/* Thread pool: block until the root has ended. Returns its error (SL_OK: it stopped by itself or on
 * request). */
enum sl_err sl_runtime_wait(struct sl_runtime *rt, struct sl_why *why);

/* Seeded: run one step. False: nothing can happen any more (no ready actor, timer or outside
 * event), or the root has ended. A mailbox with mail and nobody to read it is a lost wake-up:
 * panic. */
bool sl_runtime_step(struct sl_runtime *rt);
/* Seeded: step until the root has ended, at most `steps_max` times. SL_OK: ended without error; its
 * error; SL_TIMEOUT: steps used up; SL_GONE: quiet for ever while the root lives. */
enum sl_err sl_runtime_run(struct sl_runtime *rt, uint64_t steps_max, struct sl_why *why);
/* Seeded: end the root and everything below it at once, as a crash would, in the middle of whatever
 * they do: no mail is handled any more, only the `stop` hooks run (and `start` where it had not run
 * yet), so that memory, files and sockets come back. What the hooks do to the outside is the
 * caller's to prevent: a simulation lets its disk fail first. sl_runtime_free comes next. */
void sl_runtime_abandon(struct sl_runtime *rt);
/* Seeded: the hash of the order of all handler calls so far. */
uint64_t sl_runtime_fingerprint(const struct sl_runtime *rt);

/* Join the threads and free everything. The root has ended. Asserts the conservation laws: every
 * message freed, every credit home, every question answered. Nulls the pointer. */
void sl_runtime_free(struct sl_runtime **rt);

/* Totals since the start; exact when nothing runs. */
struct sl_runtime_totals {
    uint64_t messages_made;
    uint64_t messages_freed;
    uint64_t sent;     /* pushed into mailboxes, timers and system mail included */
    uint64_t handled;  /* given to a hook */
    uint64_t returned; /* freed unhandled: receiver dead or timer disarmed */
    uint64_t turns;
    uint64_t wakes; /* of sleeping threads */
};
struct sl_runtime_totals sl_runtime_totals_of(const struct sl_runtime *rt);

/* One living actor as status pages see it. Strings are static. */
struct sl_actor_stats {
    const char   *class_name;
    struct sl_ref ref;
    uint64_t      messages;
    uint64_t      turns;
    sl_nanos      busy;
    sl_nanos      longest;         /* one hook call */
    const char   *longest_message; /* in that call */
    uint32_t      mailbox_now;
    uint32_t      mailbox_high;
    uint32_t      mailbox_items; /* places */
};
typedef void (*sl_actor_visit)(void *context, const struct sl_actor_stats *stats);
/* Visit the living actors. Any thread; a moment's truth while things run. */
void sl_runtime_visit(struct sl_runtime *rt, sl_actor_visit visit, void *context);

#endif
