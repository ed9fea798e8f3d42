#ifndef SL_TESTS_LIB_WORKLOAD_H
#define SL_TESTS_LIB_WORKLOAD_H

/* A workload for the actor machine that obeys conservation laws, run by the seeded simulation and
 * by the stress test on threads with the same handlers.
 *
 *     root ─┬─ source[n] ──work──► relay[m] ──(same message)──► sink[k]
 *           │      ▲                                              │
 *           │      └────────────── answer or GONE ────────────────┘
 *           └──wire──► source: where the relays are now
 *
 * Sources send plain messages and questions, wait or reserve when the line is full, pause on timers
 * and disarm others, and are stopped all at once and started anew. Relays hold messages, pass them
 * on, drop some, and fail; root restarts them. Sinks answer or drop. Checked: every question is
 * answered or GONE, exactly once; order per sender and receiver; no disarmed timer fires; and, by
 * sl_runtime_free, that every message, credit and place came home. */

#include <stdbool.h>
#include <stdint.h>

#include "runtime/runtime.h"

enum { WORKLOAD_SOURCES_MAX = 8, WORKLOAD_RELAYS_MAX = 3, WORKLOAD_SINKS_MAX = 2 };

/* The root's arguments. */
struct workload {
    uint32_t sources;
    uint32_t relays;
    uint32_t sinks;
    uint32_t generations; /* how often the sources are started anew */
    uint32_t messages;    /* that each source sends in one generation */
    uint32_t fail_one_in; /* relays fail after about so many messages; 0: never */
    uint32_t drop_one_in; /* relays and sinks drop one in so many; 0: none */
    /* Stop all sources at once so long after their start; 0: they end by themselves. */
    uint32_t stop_after_ms;
};

/* What happened in the process since workload_reset. */
struct workload_counts {
    uint64_t asked;
    uint64_t answered;
    uint64_t gone;
    uint64_t relayed;
    uint64_t sunk;
    uint64_t full;     /* refusals at the entrance */
    uint64_t granted;  /* reservations that waited */
    uint64_t restarts; /* of relays */
    uint64_t disorder; /* must stay 0 */
    uint64_t ghosts;   /* expiries of disarmed timers: must stay 0 */
};

extern const struct sl_topology workload_topology;

void                   workload_reset(void);
struct workload_counts workload_counts_now(void);
/* A workload drawn from a seed, small enough for thousands of runs. */
struct workload workload_from_seed(uint64_t seed);

#endif
