#include "base/assert.h"

#include <string.h>

#include "net/node.h"

enum {
    FROM_ONLINE =
        SL_SM_BIT(SL_NODE_ONLINE) | SL_SM_BIT(SL_NODE_PAUSING) | SL_SM_BIT(SL_NODE_CLOSING),
    FROM_PAUSING = SL_SM_BIT(SL_NODE_PAUSED) | SL_SM_BIT(SL_NODE_ONLINE),
    FROM_PAUSED = SL_SM_BIT(SL_NODE_ONLINE),
    FROM_CLOSING = SL_SM_BIT(SL_NODE_OFFLINE) | SL_SM_BIT(SL_NODE_ONLINE),
    /* A pump may be told to stop now, and not wait for the drainers. */
    PUMP_FROM_CLOSING = FROM_CLOSING | SL_SM_BIT(SL_NODE_PAUSED),
};

static const struct sl_sm_state pump_states[SL_NODE_STATES] = {
    [SL_NODE_ABSENT] = {"absent", SL_SM_BIT(SL_NODE_PAUSED)},
    [SL_NODE_ONLINE] = {"online", FROM_ONLINE},
    [SL_NODE_PAUSING] = {"pausing", FROM_PAUSING},
    [SL_NODE_PAUSED] = {"paused", FROM_PAUSED},
    [SL_NODE_CLOSING] = {"closing", PUMP_FROM_CLOSING},
    [SL_NODE_OFFLINE] = {"offline", SL_SM_BIT(SL_NODE_PAUSED)},
};

static const struct sl_sm_state drainer_states[SL_NODE_STATES] = {
    [SL_NODE_ABSENT] = {"absent", SL_SM_BIT(SL_NODE_ONLINE)},
    [SL_NODE_ONLINE] = {"online", FROM_ONLINE},
    [SL_NODE_PAUSING] = {"pausing", FROM_PAUSING},
    [SL_NODE_PAUSED] = {"paused", FROM_PAUSED},
    [SL_NODE_CLOSING] = {"closing", FROM_CLOSING},
    [SL_NODE_OFFLINE] = {"offline", SL_SM_BIT(SL_NODE_ONLINE)},
};

static const struct sl_sm_table tables[SL_NODE_KINDS] = {
    [SL_NODE_PUMP] = {.trace = {"pump state", "from", "to"},
                      .states = pump_states,
                      .state_count = SL_NODE_STATES},
    [SL_NODE_DRAINER] = {.trace = {"drainer state", "from", "to"},
                         .states = drainer_states,
                         .state_count = SL_NODE_STATES},
};

const char *sl_node_kind_name(enum sl_node_kind kind)
{
    SL_ASSERT(kind < SL_NODE_KINDS);
    return kind == SL_NODE_PUMP ? "pumps" : "drainers";
}

const char *sl_node_state_name(enum sl_node_state state)
{
    SL_ASSERT(state < SL_NODE_STATES);
    return pump_states[state].name;
}

bool sl_node_state_parse(const char *name, enum sl_node_state *out)
{
    for (unsigned state = SL_NODE_ONLINE; state < SL_NODE_STATES; state++) {
        if (strcmp(name, pump_states[state].name) != 0)
            continue;
        *out = (enum sl_node_state)state;
        return true;
    }
    return false;
}

const struct sl_sm_table *sl_node_state_table(enum sl_node_kind kind)
{
    SL_ASSERT(kind < SL_NODE_KINDS);
    return &tables[kind];
}

enum sl_node_state sl_node_state_at_start(enum sl_node_kind kind, enum sl_node_state previous)
{
    SL_ASSERT(kind < SL_NODE_KINDS && previous < SL_NODE_STATES);
    if (kind == SL_NODE_PUMP && (previous == SL_NODE_ABSENT || previous == SL_NODE_OFFLINE))
        return SL_NODE_PAUSED;
    return SL_NODE_ONLINE;
}

bool sl_node_state_may_rewrite(enum sl_node_state from, enum sl_node_state to)
{
    SL_ASSERT(from < SL_NODE_STATES && to < SL_NODE_STATES);
    return from != SL_NODE_ABSENT && to != SL_NODE_ABSENT;
}

/* A commit that reaches a pump in birth is refused too: drainers that do not know the pump yet may
 * have gone past it. */
struct sl_node_rights sl_node_rights_of(enum sl_node_state state)
{
    static const struct sl_node_rights rights[SL_NODE_STATES] = {
        [SL_NODE_ONLINE] = {true, true, true},
        [SL_NODE_PAUSING] = {false, true, true},
        [SL_NODE_PAUSED] = {false, true, true},
        [SL_NODE_CLOSING] = {false, true, true},
    };

    SL_ASSERT(state < SL_NODE_STATES);
    return rights[state];
}
