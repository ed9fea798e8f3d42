#include "actors/drainer/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/ddl.h"

struct sl_window *sl_window_new(uint64_t seq)
{
    struct sl_window *window = calloc(1, sizeof *window);

    SL_ASSERT(window != NULL);
    window->seq = seq;
    sl_arena_init(&window->arena);
    return window;
}

void sl_window_free(struct sl_window **window)
{
    struct sl_window *w = *window;

    *window = NULL;
    if (w == NULL)
        return;
    sl_window_drop_plans(w, 0);
    for (uint32_t i = 0; i < w->txn_count; i++) {
        sl_buf_forget(w->txns[i].owner); /* what others still need is read again */
        sl_buf_free(&w->txns[i].owner);
    }
    for (uint32_t i = 0; i < w->ddl_count; i++)
        sl_ddl_action_free(&w->ddls[i].action);
    free(w->ddls);
    sl_arena_done(&w->arena);
    free(w->plans);
    free(w->changes);
    free(w);
}

struct sl_window_plan *sl_window_add_plan(struct sl_window *window)
{
    if (window->plan_count == window->plan_room) {
        window->plan_room = window->plan_room == 0 ? SL_WINDOW_TXNS : 2 * window->plan_room;
        window->plans = realloc(window->plans, window->plan_room * sizeof *window->plans);
        SL_ASSERT(window->plans != NULL);
    }
    memset(&window->plans[window->plan_count], 0, sizeof *window->plans);
    return &window->plans[window->plan_count++];
}

void sl_window_drop_plans(struct sl_window *window, uint32_t count)
{
    while (window->plan_count > count) {
        struct sl_window_plan *plan = &window->plans[--window->plan_count];

        sl_table_free(&plan->table);
        sl_table_free(&plan->written_as);
    }
}

struct sl_window_ddl *sl_window_add_ddl(struct sl_window *window)
{
    struct sl_window_ddl *ddl;

    window->ddls = realloc(window->ddls, (window->ddl_count + 1) * sizeof *window->ddls);
    SL_ASSERT(window->ddls != NULL);
    ddl = &window->ddls[window->ddl_count++];
    memset(ddl, 0, sizeof *ddl);
    ddl->at_plan = window->plan_count;
    return ddl;
}

void sl_window_reserve(struct sl_window *window, uint64_t count)
{
    uint64_t wanted = window->change_count + count;

    SL_ASSERT(wanted <= UINT32_MAX); /* a row has a byte at least, a window SL_BUF_BYTES_MAX */
    if (wanted <= window->change_room)
        return;
    window->change_room = (uint32_t)wanted;
    window->changes = realloc(window->changes, wanted * sizeof *window->changes);
    SL_ASSERT(window->changes != NULL);
}
