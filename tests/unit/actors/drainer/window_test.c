/* Windows and the messages of the drainer own what they say they own: everything is given back, in
 * whatever state they end. (Leaks are the sanitizer's to find; references are counted here.) */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "actors/drainer/window.h"
#include "lib/row_stream.h"
#include "lib/stage.h"

enum { PLANS = 3 * SL_WINDOW_TXNS, DDLS = 5 };

static void a_window_gives_back_all_that_it_holds(void **state)
{
    struct model_table model = stream_table(STREAM_HANDLE, 1, "t");
    struct sl_table   *table = stream_sl_table(&model);
    struct sl_window  *w = sl_window_new(7);

    (void)state;
    assert_int_equal(w->seq, 7);
    w->txns[w->txn_count++].owner = sl_buf_new(100);
    for (uint32_t i = 0; i < PLANS; i++) {
        struct sl_window_plan *plan = sl_window_add_plan(w);

        assert_null(plan->table); /* zeroed, also where it was used before */
        plan->table = sl_table_ref(table);
        plan->written_as = sl_table_ref(table);
        if (i == PLANS / 2)
            sl_window_drop_plans(w, 10);
    }
    sl_window_reserve(w, 1000);
    assert_true(w->change_room >= 1000);
    assert_int_equal(sl_buf_live_count(), 1);
    sl_window_free(&w);
    assert_null(w);
    assert_int_equal(sl_buf_live_count(), 0);
    sl_window_free(&w); /* nothing */
    sl_table_free(&table);
}

static void a_ddl_knows_its_place_between_the_plans(void **state)
{
    struct sl_window *w = sl_window_new(0);

    (void)state;
    for (uint32_t i = 0; i < DDLS; i++) {
        struct sl_window_ddl *ddl = sl_window_add_ddl(w);

        assert_int_equal(ddl->at_plan, i);
        assert_null(ddl->action);
        (void)sl_window_add_plan(w);
    }
    assert_int_equal(w->ddl_count, DDLS);
    sl_window_free(&w);
}

static void room_for_changes_is_kept_when_it_is_enough(void **state)
{
    struct sl_window        *w = sl_window_new(0);
    struct sl_window_change *before;

    (void)state;
    sl_window_reserve(w, 10);
    before = w->changes;
    w->change_count = 4;
    sl_window_reserve(w, 6);
    assert_ptr_equal(w->changes, before);
    w->changes[3].ordinal = 77;
    sl_window_reserve(w, 7);
    assert_int_equal(w->changes[3].ordinal, 77);
    assert_true(w->change_room >= 11);
    sl_window_free(&w);
}

static void carry_and_drop(struct sl_ctx *ctx)
{
    struct model_table           model = stream_table(STREAM_HANDLE, 1, "t");
    struct sl_table             *table = stream_sl_table(&model);
    struct sl_window            *window = sl_window_new(3);
    struct sl_drainer_window    *travels = sl_drainer_window_new(SL_DRAINER_WINDOW, &window);
    struct sl_drainer_describe  *question = sl_drainer_describe_new(table);
    struct sl_drainer_described *answer = sl_drainer_described_new();
    struct sl_drainer_fenced    *fenced = sl_drainer_fenced_new();
    struct sl_drainer_block     *block = sl_drainer_block_new(5);

    (void)ctx;
    assert_null(window); /* it was taken */
    assert_int_equal(travels->window->seq, 3);
    assert_ptr_equal(question->table, table);
    answer->table = sl_table_ref(table);
    answer->described = model_sink_table(&model, "test");
    fenced->pumps.nodes = calloc(2, sizeof *fenced->pumps.nodes);
    fenced->pumps.count = 2;
    assert_int_equal(block->input, 5);
    block->items[block->block.count++].held.owner = sl_buf_new(8);
    assert_int_equal(sl_buf_live_count(), 1);
    sl_msg_free(&travels);
    sl_msg_free(&question);
    sl_msg_free(&answer);
    sl_msg_free(&fenced);
    sl_msg_free(&block);
    assert_int_equal(sl_buf_live_count(), 0);
    sl_table_free(&table);
}

static void messages_give_back_what_they_carry(void **state)
{
    static const struct sl_topology_actor actors[] = {{&stage_root_class, 1}};
    static const struct sl_topology_line  lines[SL_DRAINER_LINES]; /* none */
    static const struct sl_topology       topology = STAGE_TOPOLOGY(actors, lines);
    static const struct stage_scene       scenes[] = {{.play = carry_and_drop}};
    const struct stage                    stage = {STAGE(scenes)};
    struct sl_why                         why = {0};

    (void)state;
    assert_int_equal(stage_play_seed(&stage, &topology, 1, &why), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_gives_back_all_that_it_holds),
        cmocka_unit_test(a_ddl_knows_its_place_between_the_plans),
        cmocka_unit_test(room_for_changes_is_kept_when_it_is_enough),
        cmocka_unit_test(messages_give_back_what_they_carry),
    };

    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
