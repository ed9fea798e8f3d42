#ifndef SL_BASE_SM_H
#define SL_BASE_SM_H

/* State machines as tables: a row per state says its name and which states may follow, and one
 * function, sl_sm_move, changes the state: it asserts that the table allows the move, traces it,
 * and then checks the machine's invariant. Draw the diagram above the table.
 *
 *     enum door { DOOR_SHUT, DOOR_OPEN, DOOR_GONE, DOORS };
 *     static const struct sl_sm_state door_states[DOORS] = {
 *         [DOOR_SHUT] = {"shut", SL_SM_BIT(DOOR_OPEN) | SL_SM_BIT(DOOR_GONE)},
 *         [DOOR_OPEN] = {"open", SL_SM_BIT(DOOR_SHUT)},
 *         [DOOR_GONE] = {"gone", 0},
 *     };
 *     static const struct sl_sm_table door_table = {
 *         .trace = {"door", "from", "to"},
 *         .states = door_states,
 *         .state_count = DOORS,
 *         .invariant = door_invariant,
 *     };
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/trace.h"

/* The set that holds one state. */
#define SL_SM_BIT(state) (UINT32_C(1) << (state))

/* One row of a machine's table, at the index that is the state's number. */
struct sl_sm_state {
    const char *name;
    uint32_t    moves; /* set of the states that may follow */
};

/* Static and constant. */
struct sl_sm_table {
    struct sl_trace_site      trace; /* named like the machine; a: state left, b: entered */
    const struct sl_sm_state *states;
    unsigned                  state_count; /* 1..SL_SM_STATES_MAX */
    /* What must hold right after each move, given the context of the machine; NULL: nothing. */
    bool (*invariant)(const void *context, unsigned from, unsigned to);
};

/* Read state freely; only sl_sm_move writes it. */
struct sl_sm {
    const struct sl_sm_table *table;
    const void               *context; /* for the invariant; borrowed for the life of the machine */
    unsigned                  state;
};

/* Set up the machine in the state `start`. Checks the table and runs no invariant. */
void sl_sm_init(struct sl_sm *sm, const struct sl_sm_table *table, unsigned start,
                const void *context);

/* True when the table allows a move from the present state to `to`. */
bool sl_sm_may(const struct sl_sm *sm, unsigned to);

/* Enter the state `to`. Panics, naming machine and states, when the table does not allow it or the
 * invariant does not hold afterwards. */
void sl_sm_move(struct sl_sm *sm, unsigned to);

/* The name of the present state. Static string. */
const char *sl_sm_name(const struct sl_sm *sm);

#endif
