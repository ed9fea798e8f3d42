#ifndef SL_ACTORS_PUMP_BIRTH_H
#define SL_ACTORS_PUMP_BIRTH_H

/* The birth of a pump: before it may take prewrites, every online drainer must know it, or its
 * commits could come behind what a drainer has merged already. Each is told by Notify
 * (/binlog.Cistern/Notify), which makes it read the registry, where this pump stands as `paused`.
 *
 * Who counts: every drainer that the registry has as online when the birth is looked at. Whoever
 * has answered is done. Whoever does not answer is waited for, but not when its record has not
 * been written for SL_BIRTH_DEAD_MS: it is dead, and reads the registry when it comes back. */

#include "net/registry.h"

/* One drainer that has not answered yet. */
struct sl_birth_drainer {
    char     id[SL_NODE_ID_BYTES_MAX];
    sl_ts    update_ts; /* of its record when that was last seen to change */
    sl_nanos changed;   /* when that was */
    bool     told;      /* it has answered */
};

/* All zero at first; free with sl_birth_done. */
struct sl_birth {
    struct sl_birth_drainer *drainers; /* owned */
    uint32_t                 count;
    uint32_t                 room;
};

/* Frees what it owns. */
void sl_birth_done(struct sl_birth *birth);

/* One round over the drainers of the registry: tells those that do not know yet, each for at most
 * SL_BIRTH_NOTIFY_MS. SL_OK: nobody has to be waited for any more. SL_AGAIN: call again in a
 * moment; why says who is waited for, and why. Other errors: the registry could not be read. */
enum sl_err sl_birth_round(struct sl_birth *birth, const struct sl_env *env,
                           struct sl_registry *registry, struct sl_why *why);

#endif
