#ifndef SL_RUNTIME_MACHINE_H
#define SL_RUNTIME_MACHINE_H

/* The inside of the actor machine: slots, workers, lines and the runtime that holds them. For
 * src/runtime only.
 *
 * Who may touch what is said per field group: "runner" is the thread that runs the actor's turn now
 * (one at a time, handed over by the schedule word), "owner" the worker's own thread, "any" every
 * thread, atomically. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/prng.h"
#include "base/trace.h"
#include "runtime/crew.h"
#include "runtime/ring.h"
#include "runtime/runtime.h"
#include "runtime/word.h"

enum { MACHINE_CACHE_LINE = 128 };

/* ---- messages ---- */

enum msg_flags {
    MSG_ANSWER = 1, /* uses a place its receiver kept for an answer */
    MSG_WAIT = 2,   /* uses a place its receiver kept for a line wait */
    MSG_TIMER = 4,  /* lives in a timer node, not in the pool */
    MSG_COMMON = 8, /* its credit is of the join's common pool */
};

/* Free messages of one size class, linked through their first word. */
struct magazine {
    void    *top;
    uint32_t count;
};

/* ---- timers ---- */

/* The runtime's half of a timer; type-stable, part of its actor's slot. Guarded by timers.lock, but
 * `mail` while it is in the mailbox. */
struct timer_node {
    struct sl_msg       mail; /* the expiry; first, so that it leads back here */
    struct sl_heap_node heap;
    struct sl_ref       actor;
    struct sl_timer    *timer; /* in the actor's state */
    sl_nanos            due;
    uint64_t            order;            /* arming order, to break ties the same way in each run */
    uint32_t            generation;       /* of the request in the heap */
    uint32_t            fired_generation; /* of the expiry in the mailbox */
    uint16_t            type;
    uint16_t            fired_type; /* of the expiry in the mailbox */
    bool                in_mailbox;
};

struct timers {
    struct sync_lock lock;
    struct sl_heap   heap; /* by due, then order */
    uint64_t         armed;
    sl_nanos         awaited; /* the deadline for which the timer thread was told to wake last */
    _Atomic uint32_t
        changed; /* the timer thread sleeps on it; raised when an earlier deadline comes */
};

/* ---- slots ---- */

enum slot_phase { PHASE_FREE, PHASE_NEW, PHASE_LIVE, PHASE_ENDING, PHASE_DEAD };

struct slot {
    /* any: written once when the slot is made (type-stable), or atomic */
    _Alignas(MACHINE_CACHE_LINE) _Atomic uint32_t
        generation; /* raised at death: older refs find nobody */
    word                         word;
    struct ring                 *mailbox;
    struct crew                 *crew; /* where its turns run */
    struct worker               *loop; /* io lane: the loop it is pinned to */
    uint32_t                     index;
    uint32_t                     class_index;
    const struct sl_actor_class *class_of;
    struct timer_node           *timers; /* class_of->timers_max */
    uint32_t                     mailbox_items;
    _Atomic bool                 stop_sent; /* SL_MSG_STOP uses its one place only once */

    /* runner */
    _Alignas(MACHINE_CACHE_LINE) enum slot_phase phase;
    void          *state;
    struct sl_prng prng;
    struct sl_ref  parent;
    struct sl_ref *
        children; /* child_count of class_of->children_max; removed when CHILD_ENDED is delivered */
    uint32_t      child_count;
    struct sl_io *ios;
    uint32_t      questions; /* asked, not answered */
    uint32_t      waits;
    uint32_t      timer_count;
    bool          stop_wanted;
    bool          more; /* the turn left mail in the mailbox */
    enum sl_err   err;  /* why it ends */
    struct sl_why why;
    _Alignas(max_align_t) uint8_t args[SL_SPAWN_ARGS_BYTES_MAX]; /* any struct */
    bool has_args;

    /* runner writes, any reads (relaxed: figures for people) */
    _Alignas(MACHINE_CACHE_LINE) _Atomic bool living;
    _Atomic uint64_t      messages;
    _Atomic uint64_t      turns;
    _Atomic uint64_t      busy_ticks;
    _Atomic uint64_t      longest_ticks;
    _Atomic(const char *) longest_message;
    _Atomic uint32_t      mailbox_high;

    /* guarded by slots.lock */
    struct slot *next; /* on a free or the dying list */
    uint64_t     death_epoch;
};

/* The lines that one class may use, by line id: its place on the path + 1, or 0. */
struct class_info {
    const struct sl_actor_class *class_of;
    uint32_t                     count_max;
    uint32_t                     mailbox_items;
    uint8_t                      place[SL_LINES_MAX];
    uint32_t                     made;  /* slots; guarded by slots.lock */
    uint32_t                     alive; /* guarded by slots.lock */
    struct slot                 *free;  /* guarded by slots.lock */
};

struct slots {
    struct sync_lock       lock;
    struct slot           *dying;
    struct slot          **dying_end;
    _Atomic uint32_t       count;
    _Atomic(struct slot *) table[SL_SLOTS_MAX];
};

/* ---- lines ---- */

struct line_wait {
    struct line_wait *next;
    struct sl_ref     actor;
    uint64_t          tag;
    uint32_t          bytes;
    bool              reserve; /* keep the credit for it; else just tell it */
};

/* One input of a line. */
struct sl_line {
    _Alignas(MACHINE_CACHE_LINE) _Atomic int64_t credits_free;
    _Atomic int64_t    bytes_free;
    _Atomic uint32_t   waiting;  /* waits queued; written under lock */
    _Atomic uint32_t   reserves; /* of these, reservations */
    struct line_group *group;
    uint32_t           input;
    struct sync_lock   lock;
    struct line_wait  *first; /* guarded by lock */
    struct line_wait **last;  /* guarded by lock */
};

/* A line with all its inputs. */
struct line_group {
    const struct sl_topology_line *spec;
    struct sl_runtime             *rt;
    uint32_t                       id;
    struct sl_line                *inputs;
    _Alignas(MACHINE_CACHE_LINE) _Atomic int64_t common_free;
    _Atomic uint32_t minimum; /* input that may draw on the common pool; UINT32_MAX: none yet */
};

/* Credits on their way home that a worker has not handed in yet. */
struct homecoming {
    struct sl_line *line;
    int64_t         credits;
    int64_t         bytes;
};

/* ---- workers ---- */

/* What hooks are handed. A worker has one and lends it to the actor whose turn it runs. */
struct sl_ctx {
    struct worker *worker;
    struct slot   *slot;
    struct sl_msg *msg; /* being handled; NULL when taken */
    sl_nanos       now;
    struct sl_why  why;
};

/* What one thread of the runtime carries. */
struct worker {
    /* any */
    _Alignas(MACHINE_CACHE_LINE) _Atomic uint64_t
        section; /* epoch at which its open section began; 0: none */
    struct sl_runtime *rt;
    struct crew       *crew; /* that it serves; NULL: none (timer thread, outside callers) */
    struct sleeper     sleeper;
    const char        *name;

    /* owner */
    uint32_t           section_depth;
    uint32_t           owed;     /* items pushed to its own crew with nobody woken yet */
    bool               blocking; /* its turns may block: nothing is held back until their end */
    struct homecoming  home;
    struct sl_ctx      ctx;
    struct magazine    msgs[SL_MSG_CLASSES];
    struct sl_thread  *thread;
    struct event_loop *loop;           /* io lane */
    uint64_t           stuck_reported; /* timer thread's: hook_began of the last report */
    sl_nanos           stuck_after;    /* how long one hook may run on this thread; 0: no limit */

    /* owner writes, any reads (relaxed) */
    _Alignas(MACHINE_CACHE_LINE) _Atomic uint64_t made;
    _Atomic uint64_t      freed;
    _Atomic uint64_t      sent;
    _Atomic uint64_t      handled;
    _Atomic uint64_t      returned;
    _Atomic uint64_t      turns;
    _Atomic uint64_t      wakes;
    _Atomic uint64_t      hook_began; /* ticks; 0: no hook is running */
    _Atomic(const char *) doing_actor;
    _Atomic(const char *) doing_message;
};

/* ---- the runtime ---- */

/* What differs between the thread pool and the seeded scheduler. */
struct sched_ops {
    /* The slot has just become QUEUED: see that it gets a turn. `w` is the calling thread's worker.
     */
    void (*ready)(struct worker *w, struct slot *s);
    /* A slot has been made: give it a crew (and for the lanes with a thread per actor, a thread).
     */
    enum sl_err (*place)(struct sl_runtime *rt, struct slot *s, struct sl_why *why);
    enum sl_err (*watch)(struct worker *w, struct slot *s, struct sl_io *io, unsigned events);
    void (*unwatch)(struct worker *w, struct sl_io *io);
    /* An earlier timer deadline was armed. */
    void (*timer_changed)(struct sl_runtime *rt);
};

/* One machine. What stands without a word on access is set before the threads start. */
struct sl_runtime {
    struct sl_runtime_options options;
    const struct sl_env      *env;
    const struct sched_ops   *sched;

    struct class_info classes[SL_CLASSES_MAX];
    uint32_t          class_count;
    struct line_group groups[SL_LINES_MAX];
    struct slots      slots;
    struct timers     timers;
    struct sl_ref     root;

    _Alignas(MACHINE_CACHE_LINE) _Atomic uint64_t epoch; /* raised by each death */

    /* workers: appended under workers_lock, never removed before the end */
    struct sync_lock workers_lock;
    struct worker   *workers[SL_THREADS_MAX];
    _Atomic uint32_t worker_count;

    struct worker   *outside; /* for callers that are no workers; guarded by outside_lock */
    struct sync_lock outside_lock;

    /* full and empty magazines, guarded by depot_lock */
    struct sync_lock depot_lock;
    struct magazine *depot[SL_MSG_CLASSES];
    uint32_t         depot_count[SL_MSG_CLASSES];
    uint32_t         depot_room[SL_MSG_CLASSES];

    _Atomic uint32_t ended;    /* 1: the root has ended */
    enum sl_err      root_err; /* before `ended` is set: the root's runner; after: any */
    struct sl_why    root_why;
    _Atomic uint32_t quit; /* threads: stop serving */

    struct pool     *pool;   /* thread pool's own; NULL when seeded */
    struct seeded   *seeded; /* NULL on the pool */
    uint64_t         ticks_zero;
    sl_nanos         ticks_zero_at;
    _Atomic uint64_t actor_seed;
};

/* ---- worker.c ---- */

/* The calling thread's worker, or NULL when it is none of the runtime's. */
extern _Thread_local struct worker *worker_self;

/* Make a worker and list it; from then on the watchdog looks at it. Panics beyond SL_THREADS_MAX.
 */
struct worker *worker_new(struct sl_runtime *rt, const char *name, struct crew *crew,
                          sl_nanos stuck_after);
void           worker_free(struct worker **w);
/* Become the outside worker for a moment; returns the worker to act as. A worker's own thread gets
 * itself. */
struct worker *worker_borrow(struct sl_runtime *rt);
void           worker_give_back(struct sl_runtime *rt, struct worker *w);

/* An epoch section: while it is open, no slot that was found in it is reused. Nests. Never across a
 * blocking call. */
static inline void section_enter(struct worker *w)
{
    if (w->section_depth++ > 0)
        return;
    atomic_store_explicit(&w->section, atomic_load_explicit(&w->rt->epoch, memory_order_acquire),
                          memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in slot_reclaimable */
}

static inline void section_leave(struct worker *w)
{
    if (--w->section_depth == 0)
        atomic_store_explicit(&w->section, 0, memory_order_release);
}

/* Single writer: a plain add that readers may see late. */
static inline void figure_add(_Atomic uint64_t *figure, uint64_t n)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* A cheap clock for measuring hooks; its unit is known by ticks_to_nanos. */
uint64_t machine_ticks_slow(const struct sl_runtime *rt);

static inline uint64_t machine_ticks(const struct sl_runtime *rt)
{
#if defined(__x86_64__)
    if (rt->seeded == NULL)
        return __builtin_ia32_rdtsc();
#endif
    return machine_ticks_slow(rt);
}

sl_nanos machine_ticks_to_nanos(const struct sl_runtime *rt, uint64_t ticks);

/* ---- mail.c ---- */

/* Put a message into the mailbox of `to`, or free it when nobody is there. */
void mail_push(struct worker *w, struct sl_ref to, struct sl_msg *msg);
/* Name of a message type in the protocol of a class, system mail included. */
const char *mail_type_name(const struct sl_actor_class *class_of, unsigned type);

/* ---- msg.c ---- */

void  msg_pool_init(struct sl_runtime *rt);
void  msg_pool_free(struct sl_runtime *rt);
void *msg_alloc(struct worker *w, size_t bytes, unsigned type, sl_msg_release release);
/* Free for good: release payload, credit home, unanswered question answered GONE. */
void msg_discard(struct worker *w, struct sl_msg *msg);
/* Give a worker's magazines back. */
void msg_flush(struct worker *w);

/* ---- line.c ---- */

void line_groups_init(struct sl_runtime *rt);
void line_groups_free(struct sl_runtime *rt);
/* Take a credit and msg->bytes for msg and note it there. */
enum sl_err line_enter(struct worker *w, struct sl_line *line, struct sl_msg *msg);
/* The credit of msg goes home (at the end of the turn on lanes that never block). */
void line_leave(struct worker *w, struct sl_msg *msg);
void line_flush(struct worker *w);
/* Asserts that actor class `to` comes after `from` on the line (from NULL: an outside caller). */
void line_check(const struct sl_line *line, const struct slot *from, const struct slot *to);

/* ---- slots.c ---- */

enum sl_err slots_init(struct sl_runtime *rt, struct sl_why *why);
void        slots_free(struct sl_runtime *rt);
/* The living actor that ref means, or NULL. Inside a section. */
struct slot *slot_find(struct sl_runtime *rt, struct sl_ref ref);
/* A fresh slot for that class with phase NEW, not scheduled yet. */
enum sl_err slot_take(struct sl_runtime *rt, const struct sl_actor_class *class_of,
                      struct slot **out, struct sl_why *why);
/* The slot's actor has died (its generation is raised): reuse it when no older section is open. */
void slot_bury(struct sl_runtime *rt, struct slot *s);

/* ---- turn.c ---- */

/* Send SL_MSG_STOP, once per life. */
void turn_send_stop(struct worker *w, struct sl_ref to);
/* Let a LIVE actor handle nothing more: it dies at its next turn, after its children. */
void turn_abandon(struct worker *w, struct slot *s);
/* Free what lies in the mailbox of a dead actor. */
void turn_mail_of_the_dead(struct worker *w, struct slot *s);
/* Make an actor and schedule its first turn. parent may be nobody. */
enum sl_err turn_spawn(struct worker *w, struct slot *parent, const struct sl_actor_class *class_of,
                       const void *args, size_t args_bytes, struct sl_ref *out, struct sl_why *why);
/* Run the slot's turn up to and including `drained`; at most `budget` messages. Then turn_end. */
void turn_run(struct worker *w, struct slot *s, unsigned budget);
/* End the turn: true when the slot must be queued again. Mail that came since turn_run looked last
 * is the business of the schedule word. */
bool turn_end(struct slot *s);
/* Run the `ready` hook for one watch. On the slot's loop thread, between turns. */
void turn_ready(struct worker *w, struct slot *s, struct sl_io *io, unsigned events);

/* ---- timers.c ---- */

void timers_init(struct timers *t);
void timers_free(struct timers *t);
/* The earliest deadline, UINT64_MAX when there is none. Who asks is taken to wake then: it hears of
 * earlier ones only. */
sl_nanos timers_next(struct timers *t);
/* Fire what is due at `now`. Returns how many. */
unsigned timers_fire(struct worker *w, sl_nanos now);
/* Is this expiry still wanted? Takes it out of the mailbox either way: from then on `mail` may be
 * sent again at any moment, so the handler is given *expiry. */
bool timers_receive(struct sl_runtime *rt, struct sl_msg *mail, struct sl_msg *expiry);
/* Nothing of the slot's timers will fire any more. */
void timers_cancel_all(struct sl_runtime *rt, struct slot *s);

/* ---- schedulers ---- */

extern const struct sched_ops pool_ops;
extern const struct sched_ops seeded_ops;

enum sl_err pool_start(struct sl_runtime *rt, struct sl_why *why);
void        pool_stop(struct sl_runtime *rt);
/* The root has ended: wake whoever waits for it. */
void machine_root_ended(struct worker *w, enum sl_err err, const struct sl_why *why);

struct seeded *seeded_new(struct sl_runtime *rt, uint64_t seed);
void           seeded_free(struct seeded **s);
/* A hook is about to run: fold it into the fingerprint. */
void seeded_note(struct sl_runtime *rt, const struct slot *s, unsigned type);

/* Report hooks that run too long, once each. On the timer thread. */
void watchdog_look(struct sl_runtime *rt);

/* ---- loop.c: the one door to libevent ---- */

struct event_loop *loop_new(struct worker *w, struct sl_why *why);
void               loop_free(struct event_loop **loop);
/* Run what is ready on the sockets; `wait`: sleep until something is, or the sleeper is roused. */
void        loop_poll(struct event_loop *loop, bool wait);
void        loop_rouse(struct event_loop *loop);
enum sl_err loop_watch(struct worker *w, struct slot *s, struct sl_io *io, unsigned events);
void        loop_unwatch(struct worker *w, struct sl_io *io);

#endif
