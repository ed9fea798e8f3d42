/* The dispatcher between doubles of the decoders, the workers and the checkpointer. Random changes:
 * no two with a key in common are ever with two workers, each worker gets them in their order, a
 * DDL is alone, and what is saved is done, also while the number of workers and the size of parts
 * change. And by hand: a window that cannot be applied, and the stop. Each under many seeds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/sink.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/ddl.h"
#include "lib/env_sim.h"
#include "lib/row_stream.h"
#include "lib/stage.h"

enum {
    WINDOWS = 12,
    CHANGES_MAX = 400,
    WORKERS = 4,
    STEPS_OF_WINDOW = 8,
    ANSWER_MS_MAX = 4,
    SLOW_ONE_IN = 6,
    SLOW_MS = 700,     /* long enough that a checkpoint falls due */
    TUNED_ONE_IN = 2,  /* windows, when a play tunes */
    PART_ROWS_MAX = 6, /* what part-rows are drawn from */
};

/* A change as the test knows it: numbered in the order of the stream. */
struct known {
    struct model_row images[2];
    uint32_t         image_count;
    sl_ts            ts;
    bool             is_given;
    bool             is_done;
    uint32_t         worker;
};

static struct sl_drainer        drainer;
static struct sl_drainer_config config;
static struct sl_drainer_args   args;
static struct sl_sink           sink;
static struct sl_env_sim       *board_sim;
static struct model_table       model;
static struct sl_table         *table;
static struct known             changes[CHANGES_MAX];
static uint32_t                 change_count;
static struct sl_window        *feed[WINDOWS]; /* owned until it is sent */
static sl_ts                    last_ts[WINDOWS];
static uint32_t                 first_of[WINDOWS]; /* change */
static uint32_t                 feed_count;
static uint32_t                 fed;
static uint32_t                 ddl_before[WINDOWS]; /* changes in front of each DDL */
static uint32_t                 ddl_count;
static uint32_t                 ddls_run;
static sl_ts                    saved;
static bool                     is_last_saved;
static bool                     answers;     /* workers do */
static bool                     is_tuned;    /* the feeder sends other numbers now and then */
static uint32_t                 arrangement; /* the newest that a worker has heard of, */
static uint32_t                 arranged;    /* and so many workers in it */
static uint64_t                 script_seed;

/* ---- doubles ---- */

static enum sl_err feeder_start(struct sl_ctx *ctx, void *self, const void *unused)
{
    (void)unused;
    sl_timer_arm(ctx, self, SL_DRAINER_TICK, 1);
    return SL_OK;
}

static void tune(struct sl_ctx *ctx)
{
    struct sl_prng         *dice = sl_random(ctx);
    struct sl_drainer_tune *msg = sl_msg_new(struct sl_drainer_tune, SL_DRAINER_RETUNE);

    msg->workers = (uint32_t)sl_prng_below(dice, WORKERS + 1);
    msg->part_rows = (uint32_t)sl_prng_below(dice, PART_ROWS_MAX + 1);
    if (sl_send(ctx, sl_line(ctx, SL_LINE_RELOAD, 0), atomic_load(&drainer.front.dispatcher_ref),
                &msg) != SL_OK)
        sl_msg_free(&msg);
}

/* Two neighbours in the wrong order now and then, as decoders finish. */
static enum sl_err feeder_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_drainer_window *next;
    uint32_t                  at = fed;

    (void)msg;
    if (is_tuned && sl_prng_chance(sl_random(ctx), 1, TUNED_ONE_IN))
        tune(ctx);
    if (fed < feed_count) {
        if (fed + 1 < feed_count && feed[fed + 1] != NULL && sl_prng_chance(sl_random(ctx), 1, 3))
            at = fed + 1;
        next = sl_drainer_window_new(SL_DRAINER_DISPATCH, &feed[at]);
        if (sl_send(ctx, sl_line(ctx, SL_LINE_DECODE, 0),
                    atomic_load(&drainer.front.dispatcher_ref), &next) != SL_OK)
            SL_UNREACHABLE("the line has room for what a test feeds");
        while (fed < feed_count && feed[fed] == NULL)
            fed++;
    }
    sl_timer_arm(ctx, self, SL_DRAINER_TICK, sl_prng_range(sl_random(ctx), 1, 3));
    return SL_OK;
}

static const struct sl_actor_class feeder_class = {
    .name = "feeder",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct sl_timer),
    .timers_max = 1,
    .start = feeder_start,
    .handle = feeder_handle,
};

static bool depend(const struct known *a, const struct known *b)
{
    for (uint32_t i = 0; i < a->image_count; i++) {
        for (uint32_t j = 0; j < b->image_count; j++) {
            if (model_keys_meet(&model, &a->images[i], &b->images[j]))
                return true;
        }
    }
    return model_identity(&model) < 0;
}

/* What a worker is given: nothing before it that it depends on is with another one, or to come. */
static void given(uint32_t number, uint32_t worker)
{
    struct known *c = &changes[number];

    assert_false(c->is_given);
    c->is_given = true;
    c->worker = worker;
    for (uint32_t i = 0; i < change_count; i++) {
        if (i < number && !changes[i].is_done && depend(c, &changes[i]))
            assert_true(changes[i].is_given && changes[i].worker == worker);
        if (i > number && changes[i].is_given)
            assert_false(depend(c, &changes[i]));
    }
    for (uint32_t i = 0; i < ddl_count; i++)
        assert_true(i < ddls_run ? number >= ddl_before[i] : number < ddl_before[i]);
}

/* Another number of workers: all that was given before is done, and who gets this one is among
 * them. */
static void check_arrangement(const struct sl_row_part *part, uint32_t worker)
{
    assert_true(worker < part->workers);
    assert_true(part->arrangement >= arrangement);
    if (part->arrangement == arrangement) {
        assert_int_equal(part->workers, arranged);
        return;
    }
    arrangement = part->arrangement;
    arranged = part->workers;
    for (uint32_t i = 0; i < change_count; i++)
        assert_true(!changes[i].is_given || changes[i].is_done);
}

struct worker {
    uint32_t            number;
    struct sl_row_part *parts[SL_PART_CREDITS]; /* owned, oldest first */
    uint32_t            count;
    struct sl_timer     due;
};

static enum sl_err worker_start(struct sl_ctx *ctx, void *self, const void *number)
{
    (void)ctx;
    ((struct worker *)self)->number = *(const uint32_t *)number;
    return SL_OK;
}

static void answer_oldest(struct sl_ctx *ctx, struct worker *w)
{
    struct sl_row_part *part = w->parts[0];
    struct sl_asker     asker = sl_asker_of(&part->hdr);
    struct sl_msg      *done = sl_msg_alloc(sizeof *done, SL_DRAINER_DONE, NULL);

    for (uint32_t i = 0; i < part->count; i++)
        changes[part->changes[i]->ordinal].is_done = true;
    memmove(w->parts, w->parts + 1, --w->count * sizeof(struct sl_row_part *));
    sl_msg_free(&part);
    sl_reply_msg(ctx, asker, done, &done);
}

static enum sl_err worker_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct worker            *w = self;
    const struct sl_row_part *part = (const struct sl_row_part *)(const void *)msg;

    if (msg->type == SL_DRAINER_PART) {
        check_arrangement(part, w->number);
        assert_true(part->count <= PART_ROWS_MAX || !config.dispatch);
        for (uint32_t i = 0; i < part->count; i++)
            given((uint32_t)part->changes[i]->ordinal, w->number);
        w->parts[w->count++] = (struct sl_row_part *)(void *)sl_take(ctx);
    } else if (w->count > 0 && answers) {
        answer_oldest(ctx, w);
    }
    if (w->count > 0 && !sl_timer_armed(&w->due))
        sl_timer_arm(ctx, &w->due, SL_DRAINER_TICK,
                     sl_prng_chance(sl_random(ctx), 1, SLOW_ONE_IN)
                         ? SLOW_MS
                         : sl_prng_range(sl_random(ctx), 1, ANSWER_MS_MAX));
    return SL_OK;
}

static void worker_stop(struct sl_ctx *ctx, void *self)
{
    struct worker *w = self;

    (void)ctx;
    for (uint32_t i = 0; i < w->count; i++)
        sl_msg_free(&w->parts[i]);
}

static const struct sl_actor_class worker_class = {
    .name = "worker",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct worker),
    .timers_max = 1,
    .start = worker_start,
    .handle = worker_handle,
    .stop = worker_stop,
};

static void check_save(const struct sl_drainer_save *save)
{
    assert_true(save->ts >= saved);
    saved = save->ts;
    is_last_saved = save->is_last;
    for (uint32_t i = 0; i < change_count; i++) {
        if (changes[i].ts <= save->ts)
            assert_true(changes[i].is_done);
        if (save->is_last && changes[i].ts > save->ts)
            assert_false(changes[i].is_given);
    }
}

static void check_ddl(void)
{
    for (uint32_t i = 0; i < change_count; i++)
        assert_true(i < ddl_before[ddls_run] ? changes[i].is_done : !changes[i].is_given);
    ddls_run++;
}

static enum sl_err keeper_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_drainer_described *described;
    struct sl_asker              asker = sl_asker_of(msg);
    struct sl_msg               *done;

    (void)self;
    if (msg->type == SL_DRAINER_DESCRIBE) {
        described = sl_drainer_described_new();
        described->table =
            sl_table_ref(((const struct sl_drainer_describe *)(const void *)msg)->table);
        described->described = model_sink_table(&model, "test");
        sl_reply(ctx, asker, &described);
        return SL_OK;
    }
    if (msg->type == SL_DRAINER_SAVE)
        check_save((const struct sl_drainer_save *)(const void *)msg);
    else
        check_ddl();
    done = sl_msg_alloc(sizeof *done, SL_DRAINER_DONE, NULL);
    sl_reply_msg(ctx, asker, done, &done);
    return SL_OK;
}

static const struct sl_actor_class keeper_class = {
    .name = "checkpointer",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .handle = keeper_handle,
};

/* ---- the stage ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1},   {&feeder_class, 1}, {&sl_drainer_dispatcher_class, 1},
    {&worker_class, WORKERS}, {&keeper_class, 1},
};

static const struct sl_topology_line lines[SL_DRAINER_LINES] = {
    [SL_LINE_DECODE] = {.name = "decode",
                        .credits = SL_WINDOW_CREDITS,
                        .bytes = SL_WINDOW_LINE_BYTES,
                        .inputs = 1,
                        .path = {&feeder_class, &sl_drainer_dispatcher_class}},
    [SL_LINE_PART] = {.name = "part",
                      .credits = SL_PART_CREDITS,
                      .inputs = WORKERS,
                      .path = {&sl_drainer_dispatcher_class, &worker_class}},
    [SL_LINE_RELOAD] = {.name = "reload",
                        .credits = SL_DRAINER_RELOAD_CREDITS,
                        .inputs = 1,
                        .path = {&feeder_class, &sl_drainer_dispatcher_class}},
    [SL_LINE_KEEP] = {.name = "keep",
                      .credits = SL_KEEP_CREDITS,
                      .inputs = 1,
                      .path = {&sl_drainer_dispatcher_class, &keeper_class}},
};

static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static const struct sl_sink_ops unordered = {.is_ordered = false};

/* ---- windows ---- */

static void add_change(struct sl_window *w, const struct stream_step *step)
{
    struct known            *k = &changes[change_count];
    struct sl_window_change *c = &w->changes[w->change_count++];

    *k = (struct known){.ts = w->txns[w->txn_count - 1].commit_ts};
    k->images[k->image_count++] = step->kind == SL_CHANGE_DELETE ? step->old : step->new_row;
    if (step->kind == SL_CHANGE_UPDATE)
        k->images[k->image_count++] = step->old;
    *c = (struct sl_window_change){.change = stream_change(&w->arena, &model, table, step),
                                   .txn = w->txn_count - 1,
                                   .ordinal = change_count++};
}

static void draw_window(struct sl_prng *dice)
{
    struct sl_window *w = feed[feed_count] = sl_window_new(feed_count);

    first_of[feed_count] = change_count;
    sl_window_reserve(w, (uint64_t)STEPS_OF_WINDOW * STREAM_STEPS_MAX);
    for (unsigned i = 0; i < STEPS_OF_WINDOW; i++) {
        struct stream_step steps[STREAM_STEPS_MAX];
        uint32_t           count = stream_draw(dice, &model, steps);

        if (change_count + count > CHANGES_MAX)
            break;
        w->txns[w->txn_count++] = (struct sl_window_txn){
            .owner = sl_buf_new(1), .commit_ts = 100 * (sl_ts)feed_count + 3 + 2 * (sl_ts)i};
        for (uint32_t j = 0; j < count; j++)
            add_change(w, &steps[j]);
        if (ddl_count < WINDOWS && sl_prng_chance(dice, 1, 30)) {
            struct sl_window_ddl *ddl = sl_window_add_ddl(w);

            ddl->before = w->txns[w->txn_count - 1].commit_ts;
            ddl->after = ddl->before + 1;
            ddl->at_change = w->change_count;
            ddl_before[ddl_count++] = change_count;
        }
    }
    w->last_ts = last_ts[feed_count] = 100 * ((sl_ts)feed_count + 1);
    w->passes_past = true;
    feed_count++;
}

static void reset(void)
{
    const struct sl_drainer_front_options front = {.node_id = "d", .advertise = "d:1"};
    struct sl_prng                        dice;

    sl_prng_seed(&dice, ++script_seed);
    memset(&drainer, 0, sizeof drainer);
    memset(changes, 0, sizeof changes);
    change_count = feed_count = fed = ddl_count = ddls_run = 0;
    saved = 0;
    is_last_saved = false;
    answers = true;
    is_tuned = false;
    arrangement = 0;
    arranged = WORKERS;
    config.dispatch = !sl_prng_chance(&dice, 1, 4);
    sink.ops = &unordered;
    drainer.options.config = &config;
    drainer.sink = &sink;
    drainer.workers = WORKERS;
    drainer.part_rows = (uint32_t)sl_prng_range(&dice, 1, PART_ROWS_MAX);
    drainer.start_ts = 1;
    sl_drainer_front_init(&drainer.front, sl_env_sim_env(board_sim), &front, 1);
    args.drainer = &drainer;
    model = stream_table((enum stream_shape)sl_prng_below(&dice, STREAM_SHAPES), 100, "t");
    table = stream_sl_table(&model);
    for (uint32_t i = 0; i < WINDOWS; i++)
        draw_window(&dice);
}

static void check(void)
{
    sl_drainer_front_done(&drainer.front);
    for (uint32_t i = 0; i < feed_count; i++)
        sl_window_free(&feed[i]);
    sl_table_free(&table);
}

static void begin(struct sl_ctx *ctx)
{
    struct sl_ref dispatcher;

    assert_int_equal(sl_spawn(ctx, &keeper_class, NULL, 0, &drainer.checkpointer_ref), SL_OK);
    for (uint32_t i = 0; i < WORKERS; i++)
        assert_int_equal(sl_spawn(ctx, &worker_class, &i, sizeof i, &drainer.worker_ref[i]), SL_OK);
    assert_int_equal(sl_spawn(ctx, &sl_drainer_dispatcher_class, &args, sizeof args, &dispatcher),
                     SL_OK);
    atomic_store(&drainer.front.dispatcher_ref, dispatcher);
    assert_int_equal(sl_spawn(ctx, &feeder_class, NULL, 0, &(struct sl_ref){0}), SL_OK);
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

/* ---- all of it ---- */

static bool all_saved(struct sl_ctx *ctx)
{
    (void)ctx;
    return saved == last_ts[WINDOWS - 1];
}

static void all_were_done(struct sl_ctx *ctx)
{
    (void)ctx;
    for (uint32_t i = 0; i < change_count; i++)
        assert_true(changes[i].is_done);
    assert_int_equal(ddls_run, ddl_count);
}

PLAY(changes_keep_the_order_of_their_keys_and_ddl_is_alone, {.play = begin},
     {.ready = all_saved, .play = all_were_done})

/* ---- other numbers ---- */

static void begin_tuned(struct sl_ctx *ctx)
{
    is_tuned = true;
    begin(ctx);
}

static uint32_t rearranged; /* plays in which the number of workers has changed */

static void all_were_done_by_the_workers_in_use(struct sl_ctx *ctx)
{
    all_were_done(ctx);
    rearranged += arrangement > 0;
}

PLAY(other_workers_come_when_all_is_applied, {.play = begin_tuned},
     {.ready = all_saved, .play = all_were_done_by_the_workers_in_use})

static void plays_were_tuned(void **state)
{
    (void)state;
    assert_true(rearranged > STAGE_SEEDS / 4);
}

/* ---- held ---- */

static void with_a_broken_window(struct sl_ctx *ctx)
{
    feed[5]->err = sl_fail(&feed[5]->why, SL_NOT_FOUND, "no such table");
    begin(ctx);
}

static bool is_held(struct sl_ctx *ctx)
{
    enum sl_drainer_part   part;
    struct sl_drainer_note note;

    (void)ctx;
    sl_drainer_board_worst(&drainer.front.board, &part, &note);
    return saved == last_ts[4] && note.health == SL_DRAINER_HELD && fed == feed_count &&
           strstr(note.why.text, "no such table") != NULL;
}

static void nothing_passes_it(struct sl_ctx *ctx)
{
    for (uint32_t i = 0; i < change_count; i++)
        assert_int_equal(changes[i].is_given, i < first_of[5]);
    sl_stop_child(ctx, atomic_load(&drainer.front.dispatcher_ref));
}

static bool last_is_saved(struct sl_ctx *ctx)
{
    (void)ctx;
    return is_last_saved;
}

PLAY(a_window_that_cannot_be_applied_is_never_passed, {.play = with_a_broken_window},
     {.ready = is_held, .play = nothing_passes_it}, {.ready = last_is_saved})

/* ---- stopping ---- */

static bool some_are_done(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&drainer.front.board.applied_ts) >= last_ts[3];
}

static void stop_with_some_in_flight(struct sl_ctx *ctx)
{
    answers = false;
    sl_stop_child(ctx, atomic_load(&drainer.front.dispatcher_ref));
}

static void let_them_answer(struct sl_ctx *ctx)
{
    (void)ctx;
    answers = true;
}

static bool nothing_is_open(struct sl_ctx *ctx)
{
    (void)ctx;
    for (uint32_t i = 0; i < change_count; i++) {
        if (changes[i].is_given && !changes[i].is_done)
            return false;
    }
    return true;
}

static bool is_above_saved(void)
{
    for (uint32_t i = 0; i < change_count; i++) {
        if (changes[i].is_given && changes[i].ts > saved)
            return true;
    }
    return false;
}

static bool stopped_in_order(struct sl_ctx *ctx)
{
    /* check_save has seen that the last one says no more than is true; nor does it say less */
    return nothing_is_open(ctx) && saved >= last_ts[3] && (is_last_saved || is_above_saved());
}

PLAY(a_stop_waits_for_what_is_in_flight_and_saves_once_more, {.play = begin},
     {.ready = some_are_done, .play = stop_with_some_in_flight}, {.play = let_them_answer},
     {.ready = stopped_in_order})

static void begin_behind_an_orderly_end(struct sl_ctx *ctx)
{
    drainer.start_is_consistent = true;
    begin(ctx);
}

static bool ddl_was_asked(struct sl_ctx *ctx)
{
    (void)ctx;
    return ddls_run > 0 || ddl_count == 0;
}

static void stop_at_once(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, atomic_load(&drainer.front.dispatcher_ref));
}

static bool stopped_behind_ddl(struct sl_ctx *ctx)
{
    return nothing_is_open(ctx) && (is_last_saved || is_above_saved());
}

PLAY(a_stop_right_behind_a_ddl_is_consistent, {.play = begin_behind_an_orderly_end},
     {.ready = ddl_was_asked, .play = stop_at_once}, {.ready = stopped_behind_ddl})

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_keep_the_order_of_their_keys_and_ddl_is_alone),
        cmocka_unit_test(other_workers_come_when_all_is_applied),
        cmocka_unit_test(plays_were_tuned),
        cmocka_unit_test(a_window_that_cannot_be_applied_is_never_passed),
        cmocka_unit_test(a_stop_waits_for_what_is_in_flight_and_saves_once_more),
        cmocka_unit_test(a_stop_right_behind_a_ddl_is_consistent),
    };
    int failed;

    sl_log_set_level(SL_LOG_FATAL);
    board_sim = sl_env_sim_new(1);
    failed = cmocka_run_group_tests_name("dispatcher", tests, NULL, NULL);
    sl_env_sim_free(&board_sim);
    return failed;
}
