/* The merger between doubles of its sources, its collector and the planner: what the fence lets
 * through; pumps that join, leave, return and move; copies; what holds the stream. Each story is
 * played under many seeds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/messages.h"
#include "actors/drainer/source.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/record.h"
#include "lib/env_sim.h"
#include "lib/stage.h"

enum { PUMPS = 3, SAID_MAX = 32, GIVEN_MAX = 64, QUIET_TICKS = 400, COPY = 1000 };

/* What a pump says: a commit ts with its start ts, in its order; and how far it is. */
struct pump {
    enum sl_node_state state; /* in the registry */
    uint32_t           moved; /* how often its address has changed */
    sl_ts              said[SAID_MAX];
    sl_ts              start[SAID_MAX];
    uint32_t           count;
    sl_ts              watermark;
    uint32_t           sources; /* started so far */
    uint32_t           alive;
    sl_ts              after; /* of the last one */
};

static struct sl_drainer        drainer;
static struct sl_drainer_config config;
static struct sl_drainer_args   args;
static struct pump              pumps[PUMPS];
static sl_ts                    fence;
static sl_ts                    given[GIVEN_MAX];
static uint32_t                 given_count;
static sl_ts                    last; /* all up to here is given */
static uint32_t                 fences;
static uint32_t                 ticks;

/* ---- doubles ---- */

struct source {
    const struct sl_source_seat *seat;
    struct pump                 *pump;
    uint32_t                     sent;
    sl_ts                        told;
    struct sl_timer              tick;
};

static struct sl_buf *record_of(sl_ts commit_ts, sl_ts start_ts)
{
    const struct sl_record record = {
        .type = SL_RECORD_COMMIT, .commit_ts = commit_ts, .start_ts = start_ts};
    struct sl_buf *bytes = sl_buf_new(sl_record_encoded_bytes(&record));

    sl_record_encode(&record, bytes->data);
    return bytes;
}

/* All that the pump has said and this stream has not brought, in one block. */
static void bring(struct sl_ctx *ctx, struct source *s)
{
    struct sl_drainer_block *block;
    struct pump             *p = s->pump;

    if (s->sent == p->count && s->told == p->watermark)
        return;
    block = sl_drainer_block_new(s->seat->input);
    for (; s->sent < p->count; s->sent++) {
        struct sl_descriptor *item = &block->items[block->block.count];

        if (p->said[s->sent] <= s->seat->after && p->said[s->sent] > 0)
            continue;
        *item = (struct sl_descriptor){.commit_ts = llabs(p->said[s->sent]),
                                       .start_ts = p->start[s->sent]};
        item->held.owner = record_of(item->commit_ts, item->start_ts);
        item->held.bytes = sl_slice_from_buf(item->held.owner);
        block->watermark = item->commit_ts;
        block->block.count++;
    }
    s->told = p->watermark;
    if (s->told > block->watermark)
        block->watermark = s->told;
    if (sl_send(ctx, sl_line(ctx, SL_LINE_BLOCK, s->seat->input), s->seat->merger, &block) != SL_OK)
        SL_UNREACHABLE("the line has room for what a test says");
}

static enum sl_err source_start(struct sl_ctx *ctx, void *self, const void *source_args)
{
    struct source *s = self;

    s->seat = *(const struct sl_source_seat *const *)source_args;
    s->pump = &pumps[s->seat->node_id[0] - 'a'];
    s->pump->sources++;
    s->pump->alive++;
    s->pump->after = s->seat->after;
    sl_timer_arm(ctx, &s->tick, SL_DRAINER_TICK, 1);
    return SL_OK;
}

static enum sl_err source_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    (void)msg;
    bring(ctx, s);
    sl_timer_arm(ctx, &s->tick, SL_DRAINER_TICK, 1);
    return SL_OK;
}

static void source_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    ((struct source *)self)->pump->alive--;
}

const struct sl_actor_class sl_drainer_source_class = {
    .name = "source",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct source),
    .timers_max = 1,
    .start = source_start,
    .handle = source_handle,
    .stop = source_stop,
};

static enum sl_err collector_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_drainer_fenced *fenced = sl_drainer_fenced_new();

    (void)self;
    SL_ASSERT(msg->type == SL_DRAINER_FENCE);
    fenced->fence = fence;
    fenced->pumps.nodes = calloc(PUMPS, sizeof *fenced->pumps.nodes);
    SL_ASSERT(fenced->pumps.nodes != NULL);
    for (uint32_t i = 0; i < PUMPS; i++) {
        struct sl_node *node = &fenced->pumps.nodes[fenced->pumps.count];

        if (pumps[i].state == SL_NODE_ABSENT)
            continue;
        node->state = pumps[i].state;
        (void)snprintf(node->id, sizeof node->id, "%c", (char)('a' + i));
        (void)snprintf(node->host, sizeof node->host, "host:%u", pumps[i].moved);
        fenced->pumps.count++;
    }
    fences++;
    sl_reply(ctx, sl_asker_of(msg), &fenced);
    return SL_OK;
}

const struct sl_actor_class sl_drainer_collector_class = {
    .name = "collector",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .handle = collector_handle,
};

static enum sl_err planner_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_window *w = ((struct sl_drainer_window *)(void *)msg)->window;

    (void)ctx;
    (void)self;
    for (uint32_t i = 0; i < w->txn_count; i++)
        given[given_count++] = w->txns[i].commit_ts;
    assert_true(w->last_ts >= last);
    assert_true(w->last_ts <= fence);
    last = w->last_ts;
    return SL_OK;
}

static const struct sl_actor_class planner_class = {
    .name = "planner",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .handle = planner_handle,
};

/* ---- the stage ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1},
    {&sl_drainer_merger_class, 1},
    {&sl_drainer_source_class, SL_DRAINER_SOURCES_MAX},
    {&sl_drainer_collector_class, 1},
    {&planner_class, 1},
};

static const struct sl_topology_line lines[SL_DRAINER_LINES] = {
    [SL_LINE_BLOCK] = {.name = "block",
                       .credits = SL_DRAINER_BLOCK_CREDITS,
                       .bytes = SL_DRAINER_BLOCK_BYTES,
                       .inputs = SL_DRAINER_SOURCES_MAX + 1,
                       .path = {&sl_drainer_source_class, &sl_drainer_merger_class}},
    [SL_LINE_FENCE] = {.name = "fence",
                       .credits = 1,
                       .inputs = 1,
                       .path = {&sl_drainer_merger_class, &sl_drainer_collector_class}},
    [SL_LINE_WINDOW] = {.name = "window",
                        .credits = SL_WINDOW_CREDITS,
                        .bytes = SL_WINDOW_LINE_BYTES,
                        .inputs = 1,
                        .path = {&sl_drainer_merger_class, &planner_class}},
};

static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static struct sl_env_sim *board_sim; /* the board's clock, which stands still */

static void reset(void)
{
    const struct sl_drainer_front_options front = {.node_id = "d", .advertise = "d:1"};

    memset(pumps, 0, sizeof pumps);
    memset(&drainer, 0, sizeof drainer);
    drainer.options.config = &config;
    sl_drainer_front_init(&drainer.front, sl_env_sim_env(board_sim), &front,
                          SL_DRAINER_SOURCES_MAX + 1);
    args.drainer = &drainer;
    fence = 0;
    given_count = fences = ticks = 0;
    last = 0;
}

static void check(void)
{
    for (uint32_t i = 1; i < given_count; i++)
        assert_true(given[i] > given[i - 1]);
    sl_drainer_front_done(&drainer.front);
}

static void begin(struct sl_ctx *ctx)
{
    struct sl_ref collector;

    assert_int_equal(sl_spawn(ctx, &planner_class, NULL, 0, &drainer.planner_ref), SL_OK);
    assert_int_equal(sl_spawn(ctx, &sl_drainer_collector_class, NULL, 0, &collector), SL_OK);
    atomic_store(&drainer.front.collector_ref, collector);
    assert_int_equal(
        sl_spawn(ctx, &sl_drainer_merger_class, &args, sizeof args, &drainer.merger_ref), SL_OK);
}

/* The pump says this, and that it has nothing more at or below. */
static void say(uint32_t pump, sl_ts ts)
{
    struct pump *p = &pumps[pump];

    p->said[p->count] = ts;
    p->start[p->count++] = llabs(ts) - 1;
    p->watermark = llabs(ts);
}

static bool is_given(uint32_t count, sl_ts newest)
{
    return given_count == count && given[count - 1] == newest;
}

static bool is_held(void)
{
    enum sl_drainer_part   part;
    struct sl_drainer_note note;

    sl_drainer_board_worst(&drainer.front.board, &part, &note);
    return note.health == SL_DRAINER_HELD && part == SL_DRAINER_PART_MERGE;
}

/* A while goes by in which much could have happened. */
static bool a_while(struct sl_ctx *ctx)
{
    (void)ctx;
    if (++ticks < QUIET_TICKS)
        return false;
    ticks = 0;
    return true;
}

#define PLAY(name, ...)                                           \
    static void name(void **state)                                \
    {                                                             \
        static const struct stage_scene scenes[] = {__VA_ARGS__}; \
        const struct stage              stage = {STAGE(scenes)};  \
                                                                  \
        (void)state;                                              \
        stage_play(&stage, &topology, reset, check);              \
    }

/* ---- the fence, and a pump that joins ---- */

static void one_pump(struct sl_ctx *ctx)
{
    pumps[0].state = SL_NODE_ONLINE;
    say(0, 10);
    say(0, 20);
    say(0, 30);
    fence = 20;
    begin(ctx);
}

static bool up_to_the_fence(struct sl_ctx *ctx)
{
    return is_given(2, 20) && last == 20 && a_while(ctx);
}

static void another_joins(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_true(is_given(2, 20)); /* and not a step further */
    pumps[1].state = SL_NODE_PAUSED;
    say(0, 60);
    fence = 50;
}

static bool the_new_one_is_waited_for(struct sl_ctx *ctx)
{
    return pumps[1].sources == 1 && a_while(ctx);
}

static void the_new_one_says(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_true(is_given(2, 20));
    assert_int_equal(pumps[1].after, 20); /* behind what is passed */
    say(1, 25);
    say(1, 45);
}

static bool both_are_given(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_given(5, 45) || (given_count == 5 && given[2] == 25);
}

static void marks_alone(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(given[3], 30);
    pumps[1].watermark = 50;
}

static bool the_mark_is_told(struct sl_ctx *ctx)
{
    (void)ctx;
    return last == 50 && given_count == 5;
}

PLAY(nothing_passes_the_fence_or_a_pump_that_joins, {.play = one_pump},
     {.ready = up_to_the_fence, .play = another_joins},
     {.ready = the_new_one_is_waited_for, .play = the_new_one_says},
     {.ready = both_are_given, .play = marks_alone}, {.ready = the_mark_is_told})

/* ---- copies ---- */

static void two_pumps_with_a_copy(struct sl_ctx *ctx)
{
    pumps[0].state = pumps[1].state = SL_NODE_ONLINE;
    fence = COPY;
    say(0, 10);
    say(0, 20);
    say(1, 20);
    say(1, 30);
    pumps[0].watermark = pumps[1].watermark = COPY;
    begin(ctx);
}

static bool each_once(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_given(3, 30) && atomic_load(&drainer.front.board.copies) == 1;
}

PLAY(an_equal_copy_is_given_once, {.play = two_pumps_with_a_copy}, {.ready = each_once})

static void another_transaction_under_one_ts(struct sl_ctx *ctx)
{
    two_pumps_with_a_copy(ctx);
    pumps[1].start[0] = 7;
}

static bool held_at_the_second(struct sl_ctx *ctx)
{
    return is_held() && a_while(ctx) && given_count <= 2 && last < 20;
}

PLAY(another_transaction_under_a_known_ts_holds, {.play = another_transaction_under_one_ts},
     {.ready = held_at_the_second})

/* ---- late ---- */

static void a_late_one(struct sl_ctx *ctx)
{
    (void)ctx;
    say(1, -15); /* though all up to 20 is given */
}

static bool two_given(struct sl_ctx *ctx)
{
    (void)ctx;
    return given_count == 2 && last >= 20;
}

static void two_pumps(struct sl_ctx *ctx)
{
    pumps[0].state = pumps[1].state = SL_NODE_ONLINE;
    fence = COPY;
    say(0, 10);
    say(0, 20);
    pumps[1].watermark = 20;
    begin(ctx);
}

static bool held_and_tried_again(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_held() && pumps[1].sources >= 2;
}

static void it_is_mended(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(given_count, 2);
    assert_int_equal(pumps[1].after, 20);
    pumps[1].count = 0;
    say(1, 25);
    say(0, 40);
}

static bool goes_on(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_given(3, 25);
}

PLAY(a_late_record_holds_until_its_pump_is_mended, {.play = two_pumps},
     {.ready = two_given, .play = a_late_one},
     {.ready = held_and_tried_again, .play = it_is_mended}, {.ready = goes_on})

/* ---- a pump that is silent ---- */

static bool is_told(void)
{
    enum sl_drainer_part   part;
    struct sl_drainer_note note;

    sl_drainer_board_worst(&drainer.front.board, &part, &note);
    return note.health == SL_DRAINER_WAITING && part == SL_DRAINER_PART_MERGE &&
           strstr(note.why.text, "pump b, at ts 20, is connected, but has said nothing for 15 s") !=
               NULL;
}

static void two_pumps_of_which_one_is_silent(struct sl_ctx *ctx)
{
    two_pumps(ctx);
    say(0, 30);
}

static bool silent_for_long(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_told();
}

static void it_speaks(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(given_count, 2);
    pumps[1].watermark = 30;
}

static bool nothing_is_told(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_given(3, 30) && !is_told();
}

PLAY(a_pump_that_is_silent_is_told, {.play = two_pumps_of_which_one_is_silent},
     {.ready = silent_for_long, .play = it_speaks}, {.ready = nothing_is_told})

/* ---- leaving, returning, moving ---- */

static void one_with_something_beyond_the_fence(struct sl_ctx *ctx)
{
    pumps[0].state = pumps[1].state = SL_NODE_ONLINE;
    fence = 100;
    say(0, 110);
    pumps[1].watermark = 105;
    begin(ctx);
}

static bool at_the_fence(struct sl_ctx *ctx)
{
    (void)ctx;
    return last == 100 && given_count == 0;
}

static void it_goes_offline(struct sl_ctx *ctx)
{
    (void)ctx;
    pumps[0].state = SL_NODE_OFFLINE;
}

static bool its_source_ends(struct sl_ctx *ctx)
{
    (void)ctx;
    return pumps[0].alive == 0;
}

static void it_returns(struct sl_ctx *ctx)
{
    (void)ctx;
    pumps[0].state = SL_NODE_ONLINE;
    fence = 120;
    say(1, 118);
    say(1, 130);
}

static bool it_is_pulled_again(struct sl_ctx *ctx)
{
    return pumps[0].sources == 2 && pumps[0].after == 110 && a_while(ctx);
}

static void it_has_more(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_true(given_count <= 1); /* nothing above what the returned pump may still have */
    say(0, 115);
    pumps[0].watermark = 140;
}

static bool all_three(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_given(3, 118) && given[0] == 110 && given[1] == 115;
}

PLAY(a_pump_that_returns_before_it_has_left_is_waited_for,
     {.play = one_with_something_beyond_the_fence},
     {.ready = at_the_fence, .play = it_goes_offline},
     {.ready = its_source_ends, .play = it_returns},
     {.ready = it_is_pulled_again, .play = it_has_more}, {.ready = all_three})

static void it_leaves_for_good(struct sl_ctx *ctx)
{
    it_goes_offline(ctx);
    fence = 200;
    say(1, 150);
}

static bool what_it_sent_is_given(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_given(2, 150) && given[0] == 110;
}

static void it_returns_later(struct sl_ctx *ctx)
{
    (void)ctx;
    pumps[0].state = SL_NODE_ONLINE;
    pumps[0].count = 0;
    say(0, 230);
    say(1, 240);
    fence = 300;
}

static bool it_goes_on_behind_its_own(struct sl_ctx *ctx)
{
    (void)ctx;
    return pumps[0].after == 110 && is_given(3, 230);
}

PLAY(a_pump_that_is_offline_is_merged_to_its_end_and_may_return,
     {.play = one_with_something_beyond_the_fence},
     {.ready = at_the_fence, .play = it_leaves_for_good},
     {.ready = what_it_sent_is_given, .play = it_returns_later},
     {.ready = it_goes_on_behind_its_own})

static void it_moves_and_says_more(struct sl_ctx *ctx)
{
    (void)ctx;
    pumps[0].moved++;
    say(0, 30);
    say(0, 40);
    pumps[1].watermark = 40;
}

static bool nothing_is_lost(struct sl_ctx *ctx)
{
    (void)ctx;
    return pumps[0].sources == 2 && is_given(4, 40) && given[2] == 30;
}

PLAY(a_pump_that_moves_is_pulled_at_its_new_address, {.play = two_pumps},
     {.ready = two_given, .play = it_moves_and_says_more}, {.ready = nothing_is_lost})

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_passes_the_fence_or_a_pump_that_joins),
        cmocka_unit_test(an_equal_copy_is_given_once),
        cmocka_unit_test(another_transaction_under_a_known_ts_holds),
        cmocka_unit_test(a_late_record_holds_until_its_pump_is_mended),
        cmocka_unit_test(a_pump_that_is_silent_is_told),
        cmocka_unit_test(a_pump_that_returns_before_it_has_left_is_waited_for),
        cmocka_unit_test(a_pump_that_is_offline_is_merged_to_its_end_and_may_return),
        cmocka_unit_test(a_pump_that_moves_is_pulled_at_its_new_address),
    };
    int failed;

    sl_log_set_level(SL_LOG_FATAL);
    board_sim = sl_env_sim_new(1);
    failed = cmocka_run_group_tests_name("merger", tests, NULL, NULL);
    sl_env_sim_free(&board_sim);
    return failed;
}
