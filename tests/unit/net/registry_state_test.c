/* The states of a node are those of pump spec 4.3, cell by cell: what each allows, which moves a
 * node makes, where a start leads, and what a rewrite from outside may do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/node.h"

enum {
    ABSENT = SL_NODE_ABSENT,
    ONLINE = SL_NODE_ONLINE,
    PAUSING = SL_NODE_PAUSING,
    PAUSED = SL_NODE_PAUSED,
    CLOSING = SL_NODE_CLOSING,
    OFFLINE = SL_NODE_OFFLINE,
    STATES = SL_NODE_STATES,
};

/* The table of the spec; `paused` serves pull and takes outcomes while a pump is being born (4.5,
 * [BETTER]; 1.4). */
static void each_state_allows_what_the_spec_says(void **state)
{
    static const struct {
        bool prewrites, outcomes, pull;
    } spec[STATES] = {
        [ABSENT] = {false, false, false}, [ONLINE] = {true, true, true},
        [PAUSING] = {false, true, true},  [PAUSED] = {false, true, true},
        [CLOSING] = {false, true, true},  [OFFLINE] = {false, false, false},
    };

    (void)state;
    for (unsigned i = 0; i < STATES; i++) {
        struct sl_node_rights rights = sl_node_rights_of((enum sl_node_state)i);

        assert_int_equal(rights.takes_prewrites, spec[i].prewrites);
        assert_int_equal(rights.takes_outcomes, spec[i].outcomes);
        assert_int_equal(rights.serves_pull, spec[i].pull);
    }
}

/* Row: from. Column: to, in the order absent online pausing paused closing offline. */
static const char *const pump_moves[STATES] = {
    [ABSENT] = "...x..", [ONLINE] = ".xx.x.",  [PAUSING] = ".x.x..",
    [PAUSED] = ".x....", [CLOSING] = ".x.x.x", [OFFLINE] = "...x..",
};
static const char *const drainer_moves[STATES] = {
    [ABSENT] = ".x....", [ONLINE] = ".xx.x.",  [PAUSING] = ".x.x..",
    [PAUSED] = ".x....", [CLOSING] = ".x...x", [OFFLINE] = ".x....",
};

static void assert_moves(enum sl_node_kind kind, const char *const *moves)
{
    for (unsigned from = 0; from < STATES; from++) {
        struct sl_sm machine;

        sl_sm_init(&machine, sl_node_state_table(kind), from, NULL);
        for (unsigned to = 0; to < STATES; to++) {
            if (sl_sm_may(&machine, to) != (moves[from][to] == 'x'))
                fail_msg("%s: from %s to %s", sl_node_kind_name(kind),
                         sl_node_state_name((enum sl_node_state)from),
                         sl_node_state_name((enum sl_node_state)to));
        }
    }
}

static void nodes_make_the_moves_of_the_table_and_no_other(void **state)
{
    (void)state;
    assert_moves(SL_NODE_PUMP, pump_moves);
    assert_moves(SL_NODE_DRAINER, drainer_moves);
}

static void a_start_leads_online_but_for_a_birth(void **state)
{
    (void)state;
    for (unsigned from = 0; from < STATES; from++) {
        bool         born = from == ABSENT || from == OFFLINE;
        unsigned     pump = sl_node_state_at_start(SL_NODE_PUMP, (enum sl_node_state)from);
        unsigned     drainer = sl_node_state_at_start(SL_NODE_DRAINER, (enum sl_node_state)from);
        struct sl_sm machine;

        assert_int_equal(pump, born ? PAUSED : ONLINE);
        assert_int_equal(drainer, ONLINE);
        sl_sm_init(&machine, sl_node_state_table(SL_NODE_PUMP), from, NULL);
        sl_sm_move(&machine, pump);
        if (born)
            sl_sm_move(&machine, ONLINE);
        sl_sm_init(&machine, sl_node_state_table(SL_NODE_DRAINER), from, NULL);
        sl_sm_move(&machine, drainer);
    }
}

static void the_two_ways_out_pass_through_what_is_published(void **state)
{
    struct sl_sm machine;

    (void)state;
    for (unsigned kind = 0; kind < SL_NODE_KINDS; kind++) {
        sl_sm_init(&machine, sl_node_state_table((enum sl_node_kind)kind), ONLINE, NULL);
        assert_false(sl_sm_may(&machine, PAUSED));
        assert_false(sl_sm_may(&machine, OFFLINE));
        sl_sm_move(&machine, PAUSING);
        sl_sm_move(&machine, PAUSED);
        sl_sm_move(&machine, ONLINE);
        sl_sm_move(&machine, CLOSING);
        sl_sm_move(&machine, OFFLINE);
        assert_string_equal(sl_sm_name(&machine), "offline");
    }
}

static void a_rewrite_takes_any_record_anywhere_and_neither_makes_nor_removes_one(void **state)
{
    (void)state;
    for (unsigned from = 0; from < STATES; from++) {
        for (unsigned to = 0; to < STATES; to++) {
            bool may = sl_node_state_may_rewrite((enum sl_node_state)from, (enum sl_node_state)to);

            assert_int_equal(may, from != ABSENT && to != ABSENT);
        }
    }
}

static void names_are_read_back(void **state)
{
    enum sl_node_state got = SL_NODE_ABSENT;

    (void)state;
    for (unsigned i = ONLINE; i < STATES; i++) {
        assert_true(sl_node_state_parse(sl_node_state_name((enum sl_node_state)i), &got));
        assert_int_equal(got, i);
    }
    assert_false(sl_node_state_parse("absent", &got));
    assert_false(sl_node_state_parse("", &got));
    assert_string_equal(sl_node_kind_name(SL_NODE_PUMP), "pumps");
    assert_string_equal(sl_node_kind_name(SL_NODE_DRAINER), "drainers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_allows_what_the_spec_says),
        cmocka_unit_test(nodes_make_the_moves_of_the_table_and_no_other),
        cmocka_unit_test(a_start_leads_online_but_for_a_birth),
        cmocka_unit_test(the_two_ways_out_pass_through_what_is_published),
        cmocka_unit_test(a_rewrite_takes_any_record_anywhere_and_neither_makes_nor_removes_one),
        cmocka_unit_test(names_are_read_back),
    };

    return cmocka_run_group_tests_name("registry_state", tests, NULL, NULL);
}
