#ifndef SL_TESTS_LIB_WORKLOAD_PARTS_H
#define SL_TESTS_LIB_WORKLOAD_PARTS_H

/* What the files workload*.c share: lines, protocols, and the figures of the run. Private to
 * them. */

#include <stdatomic.h>
#include <stdbool.h>

#include "lib/workload.h"
#include "runtime/actor.h"

enum {
    LINE_BYTES = 1000,
    LINE_CREDITS = 3,
};

enum line { LINE_WORK, LINE_WIRE };

enum source_msg { SOURCE_WIRE = SL_MSG_USER, SOURCE_ANSWER, SOURCE_GO, SOURCE_GHOST };
enum relay_msg { RELAY_WORK = SL_MSG_USER };

/* Travels source -> relay -> sink. */
struct work {
    struct sl_msg hdr;
    uint32_t      source;
    uint64_t      order; /* per source, rising for ever */
    uint8_t       padding[40];
};

/* root -> source: where the relays are. */
struct wire {
    struct sl_msg hdr;
    uint32_t      relays;
    struct sl_ref relay[WORKLOAD_RELAYS_MAX];
};

/* struct workload_counts while it is being counted, by all threads. */
struct workload_tally {
    _Atomic uint64_t asked, answered, gone, relayed, sunk, full, granted, restarts, disorder,
        ghosts;
};
extern struct workload_tally workload_tally;

/* Set by root's start, read by all afterwards. */
extern struct workload workload_config;

/* A draw from the running actor's generator; never true when n is 0. */
bool workload_one_in(struct sl_ctx *ctx, uint32_t n);

/* The source: its class, its arguments, and what makes its orders begin anew. */
extern const struct sl_actor_class workload_source_class;
struct workload_source_args {
    uint32_t index;
};
void workload_source_reset(void);

#endif
