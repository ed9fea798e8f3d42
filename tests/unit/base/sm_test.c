/* A machine makes the moves of its table and no other, traces them, and checks its invariant after
 * each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sm.h"
#include "lib/child.h"

/*   shut <--> open
 *    |
 *   gone          */
enum door { DOOR_SHUT, DOOR_OPEN, DOOR_GONE, DOORS };

static const struct sl_sm_state door_states[DOORS] = {
    [DOOR_SHUT] = {"shut", SL_SM_BIT(DOOR_OPEN) | SL_SM_BIT(DOOR_GONE)},
    [DOOR_OPEN] = {"open", SL_SM_BIT(DOOR_SHUT)},
    [DOOR_GONE] = {"gone", 0},
};

struct room {
    struct sl_sm door;
    bool         locked;
    unsigned     checks;
};

static bool door_invariant(const void *context, unsigned from, unsigned to)
{
    struct room *room = *(struct room *const *)context;

    room->checks++;
    return from != to && !(to == DOOR_OPEN && room->locked) && room->door.state == to;
}

static const struct sl_sm_table door_table = {
    .trace = {"door", "from", "to"},
    .states = door_states,
    .state_count = DOORS,
    .invariant = door_invariant,
};

static struct room  room;
static struct room *the_room = &room;

static void enter(bool locked)
{
    room = (struct room){.locked = locked};
    sl_sm_init(&room.door, &door_table, DOOR_SHUT, &the_room);
}

static void allowed_moves_are_made_checked_and_traced(void **state)
{
    uint64_t traced = sl_trace_count();

    (void)state;
    enter(false);
    assert_string_equal(sl_sm_name(&room.door), "shut");
    sl_sm_move(&room.door, DOOR_OPEN);
    assert_string_equal(sl_sm_name(&room.door), "open");
    sl_sm_move(&room.door, DOOR_SHUT);
    sl_sm_move(&room.door, DOOR_GONE);
    assert_int_equal(room.door.state, DOOR_GONE);
    assert_int_equal(room.checks, 3);
    assert_int_equal(sl_trace_count(), traced + 3);
}

static void may_tells_what_the_table_says(void **state)
{
    (void)state;
    enter(false);
    assert_true(sl_sm_may(&room.door, DOOR_OPEN));
    assert_true(sl_sm_may(&room.door, DOOR_GONE));
    assert_false(sl_sm_may(&room.door, DOOR_SHUT));
    sl_sm_move(&room.door, DOOR_GONE);
    for (unsigned to = 0; to < DOORS; to++)
        assert_false(sl_sm_may(&room.door, to));
}

static void a_machine_without_invariant_moves_too(void **state)
{
    static const struct sl_sm_table plain = {
        .trace = {"plain", "from", "to"}, .states = door_states, .state_count = DOORS};
    struct sl_sm sm;

    (void)state;
    sl_sm_init(&sm, &plain, DOOR_OPEN, NULL);
    sl_sm_move(&sm, DOOR_SHUT);
    assert_int_equal(sm.state, DOOR_SHUT);
}

static void leave_the_end(void)
{
    enter(false);
    sl_sm_move(&room.door, DOOR_GONE);
    sl_sm_move(&room.door, DOOR_OPEN);
}

static void open_locked(void)
{
    enter(true);
    sl_sm_move(&room.door, DOOR_OPEN);
}

static void use_a_table_that_leads_outside(void)
{
    static const struct sl_sm_state states[1] = {{"only", SL_SM_BIT(1)}};
    static const struct sl_sm_table table = {
        .trace = {"bad", "from", "to"}, .states = states, .state_count = 1};
    struct sl_sm sm;

    sl_sm_init(&sm, &table, 0, NULL);
}

static void wrong_moves_and_broken_invariants_panic_by_name(void **state)
{
    (void)state;
    child_assert_panics(leave_the_end, "door: no move from gone to open");
    child_assert_panics(open_locked, "door: invariant broken by the move from shut to open");
    child_assert_panics(use_a_table_that_leads_outside, "moves >> table->state_count == 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_moves_are_made_checked_and_traced),
        cmocka_unit_test(may_tells_what_the_table_says),
        cmocka_unit_test(a_machine_without_invariant_moves_too),
        cmocka_unit_test(wrong_moves_and_broken_invariants_panic_by_name),
    };

    return cmocka_run_group_tests_name("sm", tests, NULL, NULL);
}
