/* The common pool of a join's line: only the input that holds the minimum may draw on it, in each
 * way of entering; and what comes home to it goes to whoever holds the minimum then. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "lib/stage.h"

enum { INPUTS = 3, COMMON = 2, LINE_BYTES = 10 };
enum line { LINE_JOIN };

static struct {
    uint32_t         opens;
    uint32_t         grants;
    uint64_t         tag; /* of the last one */
    struct sl_permit permit;
    struct sl_ref    keeper;
} seen;

static void reset(void)
{
    memset(&seen, 0, sizeof seen);
}

static const struct sl_topology_actor actors[] = {{&stage_root_class, 1}, {&stage_keeper_class, 1}};
static const struct sl_topology_line  lines[] = {
     [LINE_JOIN] = {.name = "join",
                    .credits = 1,
                    .bytes = LINE_BYTES,
                    .inputs = INPUTS,
                    .common_credits = COMMON,
                    .path = {&stage_root_class, &stage_keeper_class}},
};
static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static struct sl_line *input(struct sl_ctx *ctx, unsigned number)
{
    return sl_line(ctx, LINE_JOIN, number);
}

static enum sl_err send(struct sl_ctx *ctx, unsigned number, uint32_t bytes)
{
    struct sl_msg *msg = sl_msg_alloc(sizeof *msg, SL_MSG_USER, NULL);
    enum sl_err    err;

    msg->bytes = bytes;
    err = sl_send_msg(ctx, input(ctx, number), seen.keeper, msg, &msg);
    if (err != SL_OK)
        sl_msg_discard(msg, &msg);
    return err;
}

static enum sl_err hear(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    seen.tag = msg->tag;
    if (msg->type == SL_MSG_OPEN)
        seen.opens++;
    if (msg->type == SL_MSG_GRANTED) {
        seen.grants++;
        seen.permit = sl_permit_of(msg);
    }
    return SL_OK;
}

static void free_all(struct sl_ctx *ctx)
{
    (void)ctx;
    stage_free_all_kept();
}

static void play(const struct stage_scene *scenes, uint32_t count)
{
    const struct stage stage = {.scenes = scenes, .scene_count = count, .system = hear};

    stage_play(&stage, &topology, reset, NULL);
}

/* Input 0 holds the minimum and has taken its own credit and the pool's; input 1 its own. */
static void draw_all(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &stage_keeper_class, NULL, 0, &seen.keeper), SL_OK);
    assert_int_equal(send(ctx, 0, 0), SL_OK);
    assert_int_equal(send(ctx, 0, 0), SL_FULL); /* nobody holds the minimum yet */
    sl_line_set_minimum(ctx, input(ctx, 0));
    assert_int_equal(send(ctx, 1, 0), SL_OK);
    assert_int_equal(send(ctx, 1, 0), SL_FULL);
    assert_int_equal(send(ctx, 0, LINE_BYTES), SL_OK); /* counted in messages alone: */
    assert_int_equal(sl_line_bytes_free(input(ctx, 0)), LINE_BYTES);
    assert_int_equal(send(ctx, 0, LINE_BYTES), SL_OK);
    assert_int_equal(send(ctx, 0, 0), SL_FULL);
}

static void only_the_minimum_draws_on_the_pool(void **state)
{
    static const struct stage_scene scenes[] = {{.play = draw_all}, {.play = free_all, .kept = 4}};

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

static void draw_for_want_of_bytes(struct sl_ctx *ctx)
{
    struct sl_permit permit;

    assert_int_equal(sl_spawn(ctx, &stage_keeper_class, NULL, 0, &seen.keeper), SL_OK);
    sl_line_set_minimum(ctx, input(ctx, 0));
    assert_int_equal(send(ctx, 0, LINE_BYTES), SL_OK);
    assert_int_equal(sl_line_reserve(ctx, input(ctx, 0), 5, 1, &permit), SL_OK);
    assert_true(permit.common && permit.bytes == 0);
    sl_permit_return(ctx, &permit);
}

static void a_permit_of_the_pool_says_so_and_goes_back_there(void **state)
{
    static const struct stage_scene scenes[] = {{.play = draw_for_want_of_bytes},
                                                {.play = free_all, .kept = 1}};

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

/* Messages 0 (own of 0), 1 (own of 1), 2 and 3 (pool) are kept; inputs 1 and 2 wait. */
static void wait_elsewhere(struct sl_ctx *ctx)
{
    struct sl_permit permit;

    assert_int_equal(send(ctx, 2, 0), SL_OK);
    assert_int_equal(sl_line_reserve(ctx, input(ctx, 1), 3, 11, &permit), SL_FULL);
    sl_line_wait(ctx, input(ctx, 2), 0, 22);
    stage_free_kept(2); /* a credit of the pool: for the minimum, which wants none */
}

static void the_minimum_moves_to_one(struct sl_ctx *ctx)
{
    assert_int_equal(seen.grants + seen.opens, 0);
    sl_line_set_minimum(ctx, input(ctx, 1));
}

static void one_was_granted(struct sl_ctx *ctx)
{
    struct sl_msg *msg = sl_msg_alloc(sizeof *msg, SL_MSG_USER, NULL);

    assert_true(seen.grants == 1 && seen.opens == 0 && seen.tag == 11);
    assert_true(seen.permit.common);
    msg->bytes = 3;
    sl_send_permitted_msg(ctx, &seen.permit, seen.keeper, msg, &msg);
    sl_line_set_minimum(ctx, input(ctx, 2)); /* the pool is empty again */
}

static void the_pool_refills(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.opens, 0);
    stage_free_kept(3);
}

static void two_was_opened(struct sl_ctx *ctx)
{
    assert_true(seen.opens == 1 && seen.tag == 22);
    assert_int_equal(send(ctx, 1, 0), SL_FULL);
    assert_int_equal(send(ctx, 2, 0), SL_OK);
    assert_int_equal(send(ctx, 2, 0), SL_FULL);
}

static void what_comes_home_to_the_pool_serves_the_minimum(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = draw_all},
        {.play = wait_elsewhere, .kept = 4},
        {.play = the_minimum_moves_to_one, .kept = 5},
        {.play = one_was_granted},
        {.play = the_pool_refills, .kept = 6},
        {.play = two_was_opened},
        {.play = free_all, .kept = 7},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_minimum_draws_on_the_pool),
        cmocka_unit_test(a_permit_of_the_pool_says_so_and_goes_back_there),
        cmocka_unit_test(what_comes_home_to_the_pool_serves_the_minimum),
    };

    return cmocka_run_group_tests_name("common_pool", tests, NULL, NULL);
}
