/* The knobs of a drainer: its admin between a root that asks as sessions do, and a double of the
 * dispatcher. What is told, what reaches the dispatcher, and what is refused. Each story is played
 * under many seeds. (The other routes: front_test.c.) */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/http_mail.h"
#include "actors/drainer/front.h"
#include "base/log.h"
#include "lib/env_sim.h"
#include "lib/stage.h"

enum { ANSWERS_MAX = 8, TEXT_BYTES = 1024 };

static struct sl_drainer_front front;
static struct sl_env_sim      *board_sim;
static bool                    is_kept;

static struct {
    unsigned status;
    char     body[TEXT_BYTES];
} answers[ANSWERS_MAX];
static uint32_t asked;
static uint32_t answered;

/* ---- dispatcher ---- */

static struct {
    uint32_t       workers; /* of the last TUNE */
    uint32_t       part_rows;
    uint32_t       asked;
    bool           hold; /* answers nothing until it is told to, */
    struct sl_msg *held; /* owned: and has this; or NULL */
} dispatcher;

static void answer_tune(struct sl_ctx *ctx)
{
    struct sl_msg *tuned = sl_msg_new(struct sl_msg, SL_DRAINER_TUNED);

    sl_reply_msg(ctx, sl_asker_of(dispatcher.held), tuned, &tuned);
    sl_msg_discard(dispatcher.held, &dispatcher.held);
}

static enum sl_err dispatcher_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_drainer_tune *tune = (const struct sl_drainer_tune *)(const void *)msg;

    (void)self;
    dispatcher.asked++;
    dispatcher.workers = tune->workers;
    dispatcher.part_rows = tune->part_rows;
    dispatcher.held = sl_take(ctx);
    if (!dispatcher.hold)
        answer_tune(ctx);
    return SL_OK;
}

static void dispatcher_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx, (void)self;
    if (dispatcher.held != NULL)
        sl_msg_discard(dispatcher.held, &dispatcher.held);
}

static const struct sl_actor_class dispatcher_class = {
    .name = "dispatcher",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .handle = dispatcher_handle,
    .stop = dispatcher_stop,
};

/* ---- root asks, as a session does ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1}, {&sl_drainer_admin_class, 1}, {&dispatcher_class, 1}};

static const struct sl_topology_line lines[SL_DRAINER_FRONT_LINES] = {
    [SL_LINE_FRONT_HTTP] = {.name = "http",
                            .credits = ANSWERS_MAX,
                            .bytes = SL_HTTP_BODY_BYTES_MAX,
                            .inputs = 1,
                            .path = {&stage_root_class, &sl_drainer_admin_class}},
    [SL_LINE_FRONT_TUNE] = {.name = "tune",
                            .credits = 1,
                            .inputs = 1,
                            .path = {&sl_drainer_admin_class, &dispatcher_class}},
};

static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_http_answer *answer = (const struct sl_http_answer *)(void *)msg;

    (void)ctx, (void)self;
    assert_int_equal(msg->type, SL_DRAINER_HTTP_RESPONSE);
    answers[msg->tag].status = answer->status;
    (void)snprintf(answers[msg->tag].body, TEXT_BYTES, "%.*s", (int)answer->body->len,
                   (const char *)answer->body->data);
    answered++;
    return SL_OK;
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    return SL_OK;
}

static void ask(struct sl_ctx *ctx, enum sl_http_method method, const char *body, bool is_trusted)
{
    const struct sl_http_request request = {.method = method,
                                            .path = sl_slice_from_string("/knobs"),
                                            .body = sl_slice_from_string(body)};
    struct sl_http_question     *question =
        sl_http_question_new(SL_DRAINER_HTTP_REQUEST, &request, is_trusted);

    assert_int_equal(
        sl_ask(ctx, sl_line(ctx, SL_LINE_FRONT_HTTP, 0), front.admin_ref, asked++, &question),
        SL_OK);
}

static void put(struct sl_ctx *ctx, const char *body)
{
    ask(ctx, SL_HTTP_PUT, body, true);
}

static bool all_answered(struct sl_ctx *ctx)
{
    (void)ctx;
    return answered == asked;
}

static void expect(uint32_t i, unsigned status, const char *text)
{
    assert_int_equal(answers[i].status, status);
    if (strstr(answers[i].body, text) == NULL)
        fail_msg("answer %u is %s", (unsigned)i, answers[i].body);
}

/* ---- the stage ---- */

static void begin(struct sl_ctx *ctx)
{
    const struct sl_drainer_front_args args = {.front = &front};
    struct sl_ref                      ref;

    atomic_store(&front.board.workers, 4);
    atomic_store(&front.board.part_rows, 1024);
    assert_int_equal(sl_spawn(ctx, &dispatcher_class, NULL, 0, &ref), SL_OK);
    atomic_store(&front.dispatcher_ref, ref);
    assert_int_equal(sl_spawn(ctx, &sl_drainer_admin_class, &args, sizeof args, &front.admin_ref),
                     SL_OK);
}

static void reset(void)
{
    const struct sl_drainer_front_options options = {
        .node_id = "d", .advertise = "d:1", .workers_max = 16, .part_rows = 77, .is_kept = is_kept};

    memset(&dispatcher, 0, sizeof dispatcher);
    memset(answers, 0, sizeof answers);
    asked = answered = 0;
    sl_drainer_front_init(&front, sl_env_sim_env(board_sim), &options, 1);
}

static void check(void)
{
    sl_drainer_front_done(&front);
}

#define PLAY(name, ...)                                                                           \
    static void name(void **state)                                                                \
    {                                                                                             \
        static const struct stage_scene scenes[] = {{.play = begin}, __VA_ARGS__};                \
        const struct stage stage = {STAGE(scenes), .handle = root_handle, .system = root_system}; \
                                                                                                  \
        (void)state;                                                                              \
        stage_play(&stage, &topology, reset, check);                                              \
    }

/* ---- what is right ---- */

static void get_and_set(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_GET, "", false);
    put(ctx, "{\"workers\":7,\"batch\":99}");
}

static void one_reached_the_dispatcher(struct sl_ctx *ctx)
{
    expect(0, 200,
           "{\"workers\":{\"value\":4,\"min\":1,\"max\":16},"
           "\"batch\":{\"value\":1024,\"min\":1,\"max\":16384},"
           "\"log-level\":{\"value\":\"fatal\",");
    expect(1, 200, "\"message\": \"knobs are set\",\n  \"code\": 200");
    assert_int_equal(dispatcher.workers, 7);
    assert_int_equal(dispatcher.part_rows, 99);
    put(ctx, "{\"batch\":5}");
}

static void the_other_one_is_left(struct sl_ctx *ctx)
{
    assert_int_equal(dispatcher.workers, 0);
    assert_int_equal(dispatcher.part_rows, 5);
    put(ctx, "{\"log-level\":\"panic\"}");
}

static void the_level_is_set_here(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(sl_log_level(), SL_LOG_PANIC);
    sl_log_set_level(SL_LOG_FATAL);
    assert_int_equal(dispatcher.asked, 2);
    expect(3, 200, "knobs are set");
}

PLAY(knobs_are_told_and_turned, {.play = get_and_set},
     {.ready = all_answered, .play = one_reached_the_dispatcher},
     {.ready = all_answered, .play = the_other_one_is_left},
     {.ready = all_answered, .play = the_level_is_set_here})

/* ---- what is not ---- */

static void set_wrongly(struct sl_ctx *ctx)
{
    put(ctx, "{\"batch\":5,\"workers\":17}");
    put(ctx, "{\"log-level\":\"panic\",\"wrkers\":1}");
    ask(ctx, SL_HTTP_PUT, "{\"workers\":7}", false);
}

static void nothing_was_changed(struct sl_ctx *ctx)
{
    (void)ctx;
    expect(0, 400, "workers: 17 is out of range; allowed is 1 to 16\",\n  \"code\": 1");
    expect(1, 400, "did you mean workers?");
    expect(2, 403, "from the machine of the node only");
    assert_int_equal(dispatcher.asked, 0);
    assert_int_equal(sl_log_level(), SL_LOG_FATAL);
}

PLAY(what_is_wrong_or_comes_from_afar_changes_nothing, {.play = set_wrongly},
     {.ready = all_answered, .play = nothing_was_changed})

static void set_kept(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_GET, "", false);
    put(ctx, "{\"workers\":1}");
}

static void it_is_said_why_not(struct sl_ctx *ctx)
{
    (void)ctx;
    expect(0, 200, "\"fixed\":\"enable-dispatch is false");
    expect(1, 400, "workers: it cannot be changed: enable-dispatch is false");
}

PLAY(play_kept, {.play = set_kept}, {.ready = all_answered, .play = it_is_said_why_not})

static void whole_transactions_have_one_worker(void **state)
{
    is_kept = true;
    play_kept(state);
    is_kept = false;
}

static void set_early(struct sl_ctx *ctx)
{
    atomic_store(&front.dispatcher_ref, (struct sl_ref){0});
    atomic_store(&front.board.workers, 0);
    atomic_store(&front.board.part_rows, 0);
    set_kept(ctx);
}

static void it_is_too_early(struct sl_ctx *ctx)
{
    (void)ctx;
    expect(0, 200, "{\"workers\":{\"value\":16,\"min\":1,\"max\":16,\"fixed\":\"the drainer still");
    expect(0, 200, "\"batch\":{\"value\":77,");
    expect(1, 400, "workers: it cannot be changed: the drainer still waits");
}

PLAY(before_there_is_a_dispatcher_nothing_is_turned, {.play = set_early},
     {.ready = all_answered, .play = it_is_too_early})

/* ---- one at a time ---- */

static void set_slowly(struct sl_ctx *ctx)
{
    dispatcher.hold = true;
    put(ctx, "{\"workers\":2}");
}

static bool is_held(struct sl_ctx *ctx)
{
    (void)ctx;
    return dispatcher.held != NULL;
}

static void set_another(struct sl_ctx *ctx)
{
    put(ctx, "{\"batch\":3,\"log-level\":\"panic\"}");
}

static bool one_answered(struct sl_ctx *ctx)
{
    (void)ctx;
    return answered == 1;
}

static void the_other_is_refused(struct sl_ctx *ctx)
{
    expect(1, 409, "another change is under way");
    assert_int_equal(sl_log_level(), SL_LOG_FATAL);
    answer_tune(ctx);
}

static void the_first_is_done(struct sl_ctx *ctx)
{
    expect(0, 200, "knobs are set");
    put(ctx, "{\"workers\":3}");
}

static void end_dispatcher(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, atomic_load(&front.dispatcher_ref));
}

static void the_last_is_not(struct sl_ctx *ctx)
{
    (void)ctx;
    expect(2, 503, "the drainer is stopping");
}

PLAY(one_change_is_under_way_at_a_time, {.play = set_slowly},
     {.ready = is_held, .play = set_another}, {.ready = one_answered, .play = the_other_is_refused},
     {.ready = all_answered, .play = the_first_is_done}, {.ready = is_held, .play = end_dispatcher},
     {.ready = all_answered, .play = the_last_is_not})

static void end_admin(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, front.admin_ref);
}

static void it_is_told_too(struct sl_ctx *ctx)
{
    (void)ctx;
    expect(0, 503, "the drainer is stopping");
}

PLAY(who_waits_hears_of_the_end, {.play = set_slowly}, {.ready = is_held, .play = end_admin},
     {.ready = all_answered, .play = it_is_told_too})

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knobs_are_told_and_turned),
        cmocka_unit_test(what_is_wrong_or_comes_from_afar_changes_nothing),
        cmocka_unit_test(whole_transactions_have_one_worker),
        cmocka_unit_test(before_there_is_a_dispatcher_nothing_is_turned),
        cmocka_unit_test(one_change_is_under_way_at_a_time),
        cmocka_unit_test(who_waits_hears_of_the_end),
    };
    int failed;

    sl_log_set_level(SL_LOG_FATAL);
    board_sim = sl_env_sim_new(1);
    failed = cmocka_run_group_tests_name("admin", tests, NULL, NULL);
    sl_env_sim_free(&board_sim);
    return failed;
}
