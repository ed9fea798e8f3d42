#ifndef SL_RUNTIME_SUPERVISOR_H
#define SL_RUNTIME_SUPERVISOR_H

/* Supervision: which children an actor keeps alive, how patiently, and when it gives up.
 *
 * A struct sl_supervisor lives in the parent's state. The parent hands it the SL_MSG_CHILD_ENDED
 * messages and the messages of its restart timers; it restarts a failed child after a back-off that
 * doubles from min to max, and forgets the failures once a child has lived for `healthy_ms`. More
 * than `failures_max` failures in a row escalate: the child's error is returned, for the parent to
 * return in turn, so that its own supervisor hears it.
 *
 * A restarted child is a new actor with a new reference: whoever holds the old one hears
 * SL_MSG_GONE. The parent wires the new one in `on_start`. */

#include <stdbool.h>
#include <stdint.h>

#include "runtime/actor.h"

/* What a child's end means. An error of SL_CLASS_CORRUPT always escalates. */
enum sl_restart {
    SL_RESTART_NEVER,      /* any end is final; an error escalates */
    SL_RESTART_ON_FAILURE, /* an error restarts, an orderly end is final */
};

/* Static and constant. */
struct sl_child_spec {
    const struct sl_actor_class *class_of;
    enum sl_restart              restart;
    uint32_t                     backoff_min_ms; /* SL_BACKOFF_MS_MIN..SL_BACKOFF_MS_MAX */
    uint32_t                     backoff_max_ms;
    uint32_t                     failures_max; /* in a row; one more escalates */
    uint32_t                     healthy_ms;   /* alive for so long: failures forgotten */
};

/* IDLE: never started; WAITING: for the end of its back-off; ENDED: for good. */
enum sl_child_state { SL_CHILD_IDLE, SL_CHILD_RUNNING, SL_CHILD_WAITING, SL_CHILD_ENDED };

/* One supervised child; read it freely for status pages. */
struct sl_supervised {
    const struct sl_child_spec *spec;
    struct sl_ref               ref;
    enum sl_child_state         state;
    uint32_t                    failures; /* in a row */
    sl_nanos                    since;    /* of the state */
    enum sl_err                 err;      /* of the last failure */
    struct sl_why               why;
    struct sl_timer             timer;
    uint8_t                     args[SL_SPAWN_ARGS_BYTES_MAX];
    size_t                      args_bytes;
};

/* Called when child `index` has been started (again) as `ref`. */
typedef void (*sl_child_started)(struct sl_ctx *ctx, void *parent, uint32_t index,
                                 struct sl_ref ref);

/* In the parent's state; sl_supervisor_init fills it in. All is the supervisor's own. */
struct sl_supervisor {
    struct sl_supervised *children; /* the parent's array, zeroed */
    uint32_t              room;
    uint32_t              count;
    unsigned timer_type; /* first of `room` message types in the parent's protocol, one per child */
    sl_child_started on_start; /* or NULL */
    void            *parent;
};

/* Set up over the parent's array of `room` children (<= SL_SUPERVISED_MAX). Restart timers use the
 * message types timer_type .. timer_type + room - 1 of the parent's protocol, and `room` of its
 * timers_max. */
void sl_supervisor_init(struct sl_supervisor *sup, struct sl_supervised *children, uint32_t room,
                        unsigned timer_type, sl_child_started on_start, void *parent);

/* Add a child and start it; `args` is kept for restarts. Errors as sl_spawn. */
enum sl_err sl_supervisor_add(struct sl_ctx *ctx, struct sl_supervisor *sup,
                              const struct sl_child_spec *spec, const void *args, size_t args_bytes,
                              uint32_t *index);

/* A child has ended. SL_OK: dealt with. Else: give up, return this error. *ours says whether the
 * child was known. */
enum sl_err sl_supervisor_ended(struct sl_ctx *ctx, struct sl_supervisor *sup,
                                const struct sl_child_ended *ended, bool *ours);

/* A message of one of the restart timers: start the child again. */
enum sl_err sl_supervisor_timer(struct sl_ctx *ctx, struct sl_supervisor *sup,
                                const struct sl_msg *msg);

/* Where child `index` is now; nobody while it waits for its restart. */
struct sl_ref sl_supervisor_ref(const struct sl_supervisor *sup, uint32_t index);

#endif
