#include "base/sm.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/limits.h"

static void check_table(const struct sl_sm_table *table)
{
    SL_ASSERT(table->trace.name != NULL);
    SL_ASSERT(table->state_count > 0);
    SL_ASSERT(table->state_count <= SL_SM_STATES_MAX);
    for (unsigned i = 0; i < table->state_count; i++) {
        SL_ASSERT(table->states[i].name != NULL);
        SL_ASSERT((uint64_t)table->states[i].moves >> table->state_count == 0);
    }
}

void sl_sm_init(struct sl_sm *sm, const struct sl_sm_table *table, unsigned start,
                const void *context)
{
    check_table(table);
    SL_ASSERT(start < table->state_count);
    *sm = (struct sl_sm){.table = table, .context = context, .state = start};
}

bool sl_sm_may(const struct sl_sm *sm, unsigned to)
{
    SL_ASSERT(to < sm->table->state_count);
    return (sm->table->states[sm->state].moves & SL_SM_BIT(to)) != 0;
}

void sl_sm_move(struct sl_sm *sm, unsigned to)
{
    const struct sl_sm_table *table = sm->table;
    unsigned                  from = sm->state;

    if (!sl_sm_may(sm, to)) {
        SL_PANIC("%s: no move from %s to %s", table->trace.name, table->states[from].name,
                 table->states[to].name);
    }
    sm->state = to;
    sl_trace(&table->trace, from, to);
    if (table->invariant != NULL && !table->invariant(sm->context, from, to)) {
        SL_PANIC("%s: invariant broken by the move from %s to %s", table->trace.name,
                 table->states[from].name, table->states[to].name);
    }
}

const char *sl_sm_name(const struct sl_sm *sm)
{
    return sm->table->states[sm->state].name;
}
