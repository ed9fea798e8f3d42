/* The sums behind the mailboxes hold at their limit: whatever a crowd of dynamic senders owns comes
 * back to it at once, all of them are stopped in the same turn, and every place of the mailbox is
 * used, but no more. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/stage.h"

/* A ring has one place less than a power of two. The crowd's mailboxes are sized to just that, so
 * that one message more would overflow: 3 answers, 1 wait, 2 timers, STOP. The hub's: 15 * 4
 * credits, 2 timers, STOP. */
enum { CROWD = 15, CREDITS = 4, QUESTIONS = 3, CROWD_PLACES = 7, HUB_PLACES = 63, SEEDS = 200 };
enum line { LINE_CROWD };
enum { CROWD_TICK = SL_MSG_USER };

static struct {
    uint32_t      ended;
    struct sl_ref hub;
    struct sl_ref crowd[CROWD];
} seen;

static uint32_t crowd_high; /* over all seeds */
static uint32_t hub_high;

struct member {
    struct sl_timer timer[2];
};

static enum sl_err member_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct member   *m = self;
    struct sl_line  *line = sl_line(ctx, LINE_CROWD, *(const uint32_t *)args);
    struct sl_permit permit;

    for (uint32_t i = 0; i < CREDITS; i++) {
        struct sl_msg *msg = sl_msg_alloc(sizeof *msg, SL_MSG_USER, NULL);
        enum sl_err    err = i < QUESTIONS ? sl_ask_msg(ctx, line, seen.hub, i, msg, &msg)
                                           : sl_send_msg(ctx, line, seen.hub, msg, &msg);

        assert_int_equal(err, SL_OK);
    }
    assert_int_equal(sl_line_reserve(ctx, line, 0, 0, &permit), SL_FULL);
    for (uint32_t i = 0; i < 2; i++)
        sl_timer_arm(ctx, &m->timer[i], CROWD_TICK, 1);
    return SL_OK;
}

static enum sl_err member_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct member *m = self;

    (void)msg;
    for (uint32_t i = 0; i < 2; i++) {
        if (!sl_timer_armed(&m->timer[i]))
            sl_timer_arm(ctx, &m->timer[i], CROWD_TICK, 1);
    }
    return SL_OK;
}

static enum sl_err stop_on_stop(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    return SL_OK; /* a permit that is not taken out of its message goes home with it */
}

static void note_high(void *context, const struct sl_actor_stats *stats)
{
    uint32_t *high = strcmp(stats->class_name, "member") == 0 ? &crowd_high : &hub_high;

    (void)context;
    if (strcmp(stats->class_name, "root") != 0 && stats->mailbox_high > *high)
        *high = stats->mailbox_high;
}

static void look(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    (void)self;
    sl_runtime_visit(stage_runtime(), note_high, NULL);
}

static enum sl_err hub_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    (void)msg;
    stage_kept[stage_kept_count++] = sl_take(ctx);
    return SL_OK;
}

static const struct sl_actor_class member_class = {
    .name = "member",
    .state_bytes = sizeof(struct member),
    .questions_max = QUESTIONS,
    .waits_max = 1,
    .timers_max = 2,
    .start = member_start,
    .handle = member_handle,
    .system = stop_on_stop,
    .stop = look,
};
static const struct sl_actor_class hub_class = {
    .name = "hub",
    .timers_max = 2,
    .handle = hub_handle,
    .stop = look,
};

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1}, {&member_class, CROWD}, {&hub_class, 1}};
static const struct sl_topology_line lines[] = {
    [LINE_CROWD] = {.name = "crowd",
                    .credits = CREDITS,
                    .inputs = CROWD,
                    .path = {&member_class, &hub_class}},
};
static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static void open_all(struct sl_ctx *ctx)
{
    assert_int_equal(sl_topology_mailbox_items(&topology, &member_class), CROWD_PLACES);
    assert_int_equal(sl_topology_mailbox_items(&topology, &hub_class), HUB_PLACES);
    assert_int_equal(sl_spawn(ctx, &hub_class, NULL, 0, &seen.hub), SL_OK);
    for (uint32_t i = 0; i < CROWD; i++)
        assert_int_equal(sl_spawn(ctx, &member_class, &i, sizeof i, &seen.crowd[i]), SL_OK);
}

static void drop_all(struct sl_ctx *ctx)
{
    for (uint32_t i = 0; i < CROWD; i++)
        sl_stop_child(ctx, seen.crowd[i]);
    for (uint32_t i = 0; i < CROWD; i++)
        sl_stop_child(ctx, seen.crowd[i]); /* asking twice takes no second place */
    stage_free_all_kept();                 /* GONE for each question, GRANTED at the turn's end */
}

/* The same while the hub's mailbox is still full. */
static void open_and_drop_all(struct sl_ctx *ctx)
{
    open_all(ctx);
    for (uint32_t i = 0; i < CROWD; i++)
        sl_stop_child(ctx, seen.crowd[i]);
}

static bool all_ended(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.ended == CROWD;
}

static void free_all(struct sl_ctx *ctx)
{
    (void)ctx;
    stage_free_all_kept();
}

static enum sl_err count_ends(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    seen.ended += msg->type == SL_MSG_CHILD_ENDED;
    return SL_OK;
}

static void play(const struct stage *stage)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sl_why why = {0};

        memset(&seen, 0, sizeof seen);
        if (stage_play_seed(stage, &topology, seed, &why) != SL_OK)
            fail_msg("seed %u: %s", (unsigned)seed, why.text);
    }
}

static void senders_opened_and_dropped_at_once_fill_mailboxes_and_overflow_none(void **state)
{
    static const struct stage_scene slowly[] = {
        {.play = open_all}, {.play = drop_all, .kept = CROWD * CREDITS}, {.ready = all_ended}};
    static const struct stage_scene at_once[] = {
        {.play = open_and_drop_all},
        {.ready = all_ended, .play = free_all, .kept = CROWD * CREDITS}};
    const struct stage stage_slowly = {STAGE(slowly), .system = count_ends};
    const struct stage stage_at_once = {STAGE(at_once), .system = count_ends};

    (void)state;
    crowd_high = 0;
    play(&stage_slowly);
    assert_int_equal(crowd_high, CROWD_PLACES); /* the limit was reached */
    hub_high = 0;
    play(&stage_at_once);
    assert_true(hub_high >= CROWD * CREDITS);
    assert_true(hub_high <= HUB_PLACES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_opened_and_dropped_at_once_fill_mailboxes_and_overflow_none),
    };

    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
