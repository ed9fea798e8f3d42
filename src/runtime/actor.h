#ifndef SL_RUNTIME_ACTOR_H
#define SL_RUNTIME_ACTOR_H

/* Actors: what a class is made of, and what its handlers may do.
 *
 * An actor is a class plus private state plus a mailbox. Its handlers run one message to
 * completion, on one thread at a time, and touch nothing but their own state, their message and
 * what `ctx` offers. The same handlers run on the thread pool and under the seeded scheduler.
 *
 *      spawn        message / timer / answer           error, sl_stop, parent's end
 *     ──────► start ──► handle / system ──► drained ──► (children end) ──► stop ──►
 *                         ▲                    │            CHILD_ENDED to the parent
 *                         └─────── turn ───────┘
 *
 * On the io lane `ready` runs between turns, when a watched socket is. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/prng.h"
#include "runtime/line.h"
#include "runtime/msg.h"

struct sl_ctx;
struct sl_io;

/* Where an actor's turns run. */
enum sl_lane {
    SL_LANE_COMPUTE, /* a worker per core; handlers never block */
    SL_LANE_DISK,    /* a few threads that may wait for a disk */
    SL_LANE_SYNC,    /* one thread per actor, which may wait for a sync */
    SL_LANE_PEER,    /* one thread per actor, which may wait for a peer */
    SL_LANE_IO,      /* pinned to one event loop; never blocks; may watch sockets */
    SL_LANES,
};

/* What an actor is. Static and constant. All hooks but `handle` may be NULL. A hook that returns an
 * error ends the actor: its supervisor hears the error and the text left in sl_why(ctx). */
struct sl_actor_class {
    const char        *name;
    const char *const *msg_names; /* of the protocol, from SL_MSG_USER on */
    uint32_t           msg_count;
    enum sl_lane       lane;
    size_t             state_bytes; /* zeroed before start */

    /* Bounds that size its mailbox, beyond the credits of the lines through it. */
    uint32_t questions_max; /* asked by it and not answered yet */
    uint32_t waits_max;     /* line waits and reservations at one time */
    uint32_t timers_max;    /* struct sl_timer objects it arms */
    uint32_t children_max;

    /* First hook. `args` is the copy of what the spawner gave, valid during the call. */
    enum sl_err (*start)(struct sl_ctx *ctx, void *self, const void *args);
    /* One message of its protocol. The runtime frees it afterwards unless it was taken. */
    enum sl_err (*handle)(struct sl_ctx *ctx, void *self, struct sl_msg *msg);
    /* One message of the runtime (enum sl_system_msg). Without this hook: STOP stops, a child that
     * ended by an error ends its parent with the same error, and the others must not happen. */
    enum sl_err (*system)(struct sl_ctx *ctx, void *self, struct sl_msg *msg);
    /* The mailbox has just run empty: act on what was collected. */
    enum sl_err (*drained)(struct sl_ctx *ctx, void *self);
    /* io lane: a watched socket is ready; `events` are of enum sl_socket_events. */
    enum sl_err (*ready)(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events);
    /* Last hook, on every exit after a start, when all children have ended: free what the state
     * owns. */
    void (*stop)(struct sl_ctx *ctx, void *self);
};

/* ---- in any hook ---- */

/* Who is running. */
struct sl_ref sl_self(const struct sl_ctx *ctx);
/* Monotonic time at the start of this turn; the virtual clock in a simulation. */
sl_nanos sl_now(const struct sl_ctx *ctx);
/* This actor's own generator; in a simulation it follows from the seed. */
struct sl_prng *sl_random(struct sl_ctx *ctx);
/* Where to leave the reason of an error that the hook returns. Empty at the start of each hook. */
struct sl_why *sl_why(struct sl_ctx *ctx);
/* The environment, for files and sockets. */
const struct sl_env *sl_env(const struct sl_ctx *ctx);

/* Take the message being handled: it is yours to keep, send, forward, reply with or free. */
struct sl_msg *sl_take(struct sl_ctx *ctx);

/* ---- sending: `mp` is the address of a pointer to a message struct; NULL afterwards where the
 * message went ---- */

/* Enter a line towards `to`, which is a later member of it. SL_OK: sent (or freed, if `to` is
 * dead). SL_FULL: the line has no credit; SL_TOO_LARGE: hdr.bytes is more than the whole line has.
 * After an error the message is still yours. */
#define sl_send(ctx, line, to, mp) sl_send_msg((ctx), (line), (to), &(*(mp))->hdr, (mp))

/* The same as a question: `to` answers it once, and the answer (or SL_MSG_GONE) carries `tag`.
 * Holds one of questions_max until then. */
#define sl_ask(ctx, line, to, tag_value, mp) \
    sl_ask_msg((ctx), (line), (to), (tag_value), &(*(mp))->hdr, (mp))

/* Enter with a permit, which it uses up; cannot fail. The message is charged the permit's bytes. */
#define sl_send_permitted(ctx, permit, to, mp) \
    sl_send_permitted_msg((ctx), (permit), (to), &(*(mp))->hdr, (mp))

/* The same as a question: sl_ask that cannot fail. */
#define sl_ask_permitted(ctx, permit, to, tag_value, mp) \
    sl_ask_permitted_msg((ctx), (permit), (to), (tag_value), &(*(mp))->hdr, (mp))

/* Pass a message that is on a line on to a later member of it, as `type_number` of that one's
 * protocol. Its credit and its open question stay with it. Cannot fail. */
#define sl_forward(ctx, to, type_number, mp) \
    sl_forward_msg((ctx), (to), (type_number), &(*(mp))->hdr, (mp))

/* Answer a question, with any message that is on no line. Cannot fail: the asker kept a place. */
#define sl_reply(ctx, asker, mp) sl_reply_msg((ctx), (asker), &(*(mp))->hdr, (mp))

/* Behind the macros: msg is the message, pointer_to_null the address of the caller's pointer to it,
 * which is set to NULL when the message went. sl_send_msg and sl_ask_msg return SL_OK, SL_FULL or
 * SL_TOO_LARGE, as above; after these two the message and the pointer are as before. The others
 * cannot fail. None blocks. */
enum sl_err sl_send_msg(struct sl_ctx *ctx, struct sl_line *line, struct sl_ref to,
                        struct sl_msg *msg, void *pointer_to_null)
    __attribute__((warn_unused_result));
enum sl_err sl_ask_msg(struct sl_ctx *ctx, struct sl_line *line, struct sl_ref to, uint64_t tag,
                       struct sl_msg *msg, void *pointer_to_null)
    __attribute__((warn_unused_result));
void sl_send_permitted_msg(struct sl_ctx *ctx, struct sl_permit *permit, struct sl_ref to,
                           struct sl_msg *msg, void *pointer_to_null);
void sl_ask_permitted_msg(struct sl_ctx *ctx, struct sl_permit *permit, struct sl_ref to,
                          uint64_t tag, struct sl_msg *msg, void *pointer_to_null);
void sl_forward_msg(struct sl_ctx *ctx, struct sl_ref to, unsigned type, struct sl_msg *msg,
                    void *pointer_to_null);
void sl_reply_msg(struct sl_ctx *ctx, struct sl_asker asker, struct sl_msg *msg,
                  void *pointer_to_null);

/* ---- children ---- */

/* Start a child of the running actor: its `start` runs as the first turn of its own lane, so a
 * failing start is heard as SL_MSG_CHILD_ENDED. `args` (args_bytes <= SL_SPAWN_ARGS_BYTES_MAX) is
 * copied. SL_FULL: no slot is free (the topology's count for that class is used up); SL_SYSTEM: no
 * thread could be had. */
enum sl_err sl_spawn(struct sl_ctx *ctx, const struct sl_actor_class *class_of, const void *args,
                     size_t args_bytes, struct sl_ref *out);
/* Ask a child to end; SL_MSG_CHILD_ENDED follows. Further calls for the same child do nothing. */
void sl_stop_child(struct sl_ctx *ctx, struct sl_ref child);
/* End the running actor without error, when this hook has returned. */
void sl_stop(struct sl_ctx *ctx);

/* ---- timers ---- */

/* A request for a message later; lives in the actor's state, zeroed before use. */
struct sl_timer {
    uint32_t node;       /* 1 + index of the runtime's half, 0: never armed */
    uint32_t generation; /* raised by every arm and disarm: a late expiry is dropped unseen */
    bool     armed;
};

/* Deliver a message of `type` (a plain struct sl_msg) after `delay_ms`. Arming again replaces the
 * earlier request. */
void sl_timer_arm(struct sl_ctx *ctx, struct sl_timer *timer, unsigned type, uint64_t delay_ms);
/* Take the request back; nothing of it will be seen any more. */
void sl_timer_disarm(struct sl_ctx *ctx, struct sl_timer *timer);
/* Is a message of it still to come? */
bool sl_timer_armed(const struct sl_timer *timer);

/* ---- sockets: io lane only ---- */

/* A watch on one socket; lives in the actor's state, zeroed before use. */
struct sl_io {
    struct sl_socket *socket; /* borrowed while watched */
    unsigned          events; /* wanted, of enum sl_socket_events */
    void             *loop_event;
    uint32_t          owner; /* slot index */
    struct sl_io     *next;
};

/* Call `ready` whenever one of `events` holds (level-triggered), until unwatched. Watching again
 * changes the events. The socket outlives the watch. SL_SYSTEM when the loop cannot take it. */
enum sl_err sl_io_watch(struct sl_ctx *ctx, struct sl_io *io, struct sl_socket *socket,
                        unsigned events);
/* Stop watching; does nothing when not watched. Done by the runtime for what is left when the actor
 * begins to end, before `stop`. */
void sl_io_unwatch(struct sl_ctx *ctx, struct sl_io *io);

#endif
