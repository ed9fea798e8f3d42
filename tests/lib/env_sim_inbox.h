#ifndef SL_TESTS_LIB_ENV_SIM_INBOX_H
#define SL_TESTS_LIB_ENV_SIM_INBOX_H

/* What is on the way to one end of a simulated connection or waits there to be read: chunks, each
 * with the time of its arrival. Private to env_sim*.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

struct sim_chunk;

struct sim_inbox {
    struct sim_chunk  *head; /* owned, as sent: none is read before the one in front of it */
    struct sim_chunk **tail;
    size_t             bytes; /* on the way and unread */
};

void sim_inbox_init(struct sim_inbox *inbox);
/* Throw everything away. */
void sim_inbox_clear(struct sim_inbox *inbox);
/* Copy the bytes, to arrive then, but not before what was put earlier. No bytes: the end of the
 * stream. */
void sim_inbox_put(struct sim_inbox *inbox, sl_nanos arrives, const void *bytes, size_t count);
/* Is there anything to read, be it the end? */
bool sim_inbox_has_arrived(const struct sim_inbox *inbox, sl_nanos now);
/* Read at most count bytes of what has arrived, across chunks; 0 at the end, which stays. */
size_t sim_inbox_take(struct sim_inbox *inbox, sl_nanos now, uint8_t *out, size_t count);
/* The next arrival after now; UINT64_MAX: none. */
sl_nanos sim_inbox_next(const struct sim_inbox *inbox, sl_nanos now);

#endif
