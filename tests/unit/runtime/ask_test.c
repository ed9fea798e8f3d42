/* Questions: each is answered exactly once, by an answer or by GONE, whoever dies first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "lib/child.h"
#include "lib/stage.h"

enum { HEARD_MAX = 16 };
enum line { LINE_ASK, LINE_CHILD, LINES };
enum { ORACLE_ASK = SL_MSG_USER, ROOT_ANSWER = STAGE_USER };

/* What the oracle shall do with a question. */
enum fate {
    FATE_ANSWER,
    FATE_DROP,
    FATE_KEEP,
    FATE_PASS_ON,
    FATE_STOP,
    FATE_FAIL,
    FATE_HOLD_AND_FAIL
};

struct question {
    struct sl_msg hdr;
    enum fate     fate;
};

struct answer {
    struct sl_msg hdr;
    uint32_t      worth;
};

/* What the root heard, by tag. */
static struct {
    uint32_t      answers[HEARD_MAX];
    uint32_t      gones[HEARD_MAX];
    uint32_t      heard; /* both together */
    uint32_t      ended;
    enum sl_err   ended_err;
    struct sl_ref oracle;
    struct sl_ref keeper;
    struct sl_ref asker;
    bool          pass_the_answer_on;
} seen;

static void reset(void)
{
    memset(&seen, 0, sizeof seen);
}

/* ---- oracle ---- */

struct oracle {
    struct question *held;
};

static enum sl_err oracle_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)self;
    return args == NULL ? SL_OK : sl_fail(sl_why(ctx), SL_IO, "no oracle today");
}

static void answer(struct sl_ctx *ctx, struct sl_msg *question)
{
    struct answer *a = sl_msg_new(struct answer, ROOT_ANSWER);

    a->worth = 42;
    sl_reply(ctx, sl_asker_of(question), &a);
    assert_null(a);
}

static enum sl_err oracle_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct oracle   *o = self;
    struct question *q = (struct question *)msg;

    switch (q->fate) {
    case FATE_ANSWER: answer(ctx, msg); return SL_OK;
    case FATE_DROP: return SL_OK;
    case FATE_KEEP: stage_kept[stage_kept_count++] = sl_take(ctx); return SL_OK;
    case FATE_PASS_ON:
        q = (struct question *)sl_take(ctx);
        sl_forward(ctx, seen.keeper, SL_MSG_USER, &q);
        return SL_OK;
    case FATE_STOP: sl_stop(ctx); return SL_OK;
    case FATE_FAIL: return SL_IO;
    case FATE_HOLD_AND_FAIL: o->held = (struct question *)sl_take(ctx); return SL_IO;
    }
    SL_UNREACHABLE("not a fate");
}

static void oracle_stop(struct sl_ctx *ctx, void *self)
{
    struct oracle *o = self;

    (void)ctx;
    if (o->held != NULL)
        sl_msg_free(&o->held);
}

static const struct sl_actor_class oracle_class = {
    .name = "oracle",
    .state_bytes = sizeof(struct oracle),
    .start = oracle_start,
    .handle = oracle_handle,
    .stop = oracle_stop,
};

/* ---- asker: asks what its arguments say at its start, and dies of the first answer or sooner ----
 */

static enum sl_err asker_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct question *q = sl_msg_new(struct question, ORACLE_ASK);

    (void)self;
    q->fate = *(const enum fate *)args;
    assert_int_equal(sl_ask(ctx, sl_line(ctx, LINE_CHILD, 0), seen.oracle, 1, &q), SL_OK);
    return SL_OK;
}

static enum sl_err asker_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    return SL_OK;
}

static const struct sl_actor_class asker_class = {
    .name = "asker",
    .questions_max = 1,
    .start = asker_start,
    .handle = asker_system,
    .system = asker_system,
};

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1}, {&asker_class, 2}, {&oracle_class, 2}, {&stage_keeper_class, 1}};
static const struct sl_topology_line lines[LINES] = {
    [LINE_ASK] = {.name = "ask",
                  .credits = 16,
                  .inputs = 1,
                  .path = {&stage_root_class, &oracle_class, &stage_keeper_class}},
    [LINE_CHILD] = {.name = "child",
                    .credits = 4,
                    .inputs = 1,
                    .path = {&asker_class, &oracle_class}},
};
static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

/* ---- root ---- */

static enum sl_err hear_answer(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct answer *a = (struct answer *)msg;

    (void)self;
    assert_int_equal(msg->type, ROOT_ANSWER);
    assert_int_equal(a->worth, 42);
    assert_true(msg->tag < HEARD_MAX);
    seen.answers[msg->tag]++;
    seen.heard++;
    if (seen.pass_the_answer_on) {
        a = (struct answer *)sl_take(ctx);
        a->hdr.type = SL_MSG_USER;
        assert_int_equal(sl_send(ctx, sl_line(ctx, LINE_ASK, 0), seen.keeper, &a), SL_OK);
    }
    return SL_OK;
}

static enum sl_err hear_gone(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    if (msg->type == SL_MSG_CHILD_ENDED) {
        seen.ended++;
        seen.ended_err = ((const struct sl_child_ended *)msg)->err;
        return SL_OK;
    }
    assert_int_equal(msg->type, SL_MSG_GONE);
    assert_true(msg->tag < HEARD_MAX);
    seen.gones[msg->tag]++;
    seen.heard++;
    return SL_OK;
}

static enum sl_err ask(struct sl_ctx *ctx, enum fate fate, uint64_t tag)
{
    struct question *q = sl_msg_new(struct question, ORACLE_ASK);
    enum sl_err      err;

    q->fate = fate;
    err = sl_ask(ctx, sl_line(ctx, LINE_ASK, 0), seen.oracle, tag, &q);
    if (err != SL_OK)
        sl_msg_free(&q);
    return err;
}

static void spawn_oracle(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &oracle_class, NULL, 0, &seen.oracle), SL_OK);
    assert_int_equal(sl_spawn(ctx, &stage_keeper_class, NULL, 0, &seen.keeper), SL_OK);
}

static void ask_one(struct sl_ctx *ctx, enum fate fate)
{
    spawn_oracle(ctx);
    assert_int_equal(ask(ctx, fate, 1), SL_OK);
}

static bool one_heard(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.heard == 1;
}

static bool two_heard(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.heard == 2;
}

static bool one_ended(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.ended == 1;
}

static void free_all(struct sl_ctx *ctx)
{
    (void)ctx;
    stage_free_all_kept();
}

static void play(const struct stage_scene *scenes, uint32_t count, void (*check)(void))
{
    const struct stage stage = {
        .scenes = scenes, .scene_count = count, .handle = hear_answer, .system = hear_gone};

    stage_play(&stage, &topology, reset, check);
}

static void check_one_gone(void)
{
    assert_int_equal(seen.heard, 1);
    assert_int_equal(seen.gones[1], 1);
}

static void check_two_gones(void)
{
    assert_int_equal(seen.heard, 2);
    assert_true(seen.gones[1] == 1 && seen.gones[2] == 1);
}

/* ---- answers ---- */

static void ask_two_and_keep_them(struct sl_ctx *ctx)
{
    ask_one(ctx, FATE_KEEP);
    assert_int_equal(ask(ctx, FATE_KEEP, 2), SL_OK);
    assert_int_equal(ask(ctx, FATE_ANSWER, 3), SL_OK);
}

static void answer_the_second(struct sl_ctx *ctx)
{
    answer(ctx, stage_kept[1]);
    stage_free_kept(1);
}

static void answer_the_first(struct sl_ctx *ctx)
{
    assert_true(seen.answers[3] == 1 && seen.answers[2] == 1 && seen.answers[1] == 0);
    answer(ctx, stage_kept[0]);
    stage_free_kept(0);
}

static bool three_heard(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.heard == 3;
}

static void check_three_answers(void)
{
    assert_int_equal(seen.heard, 3);
    assert_true(seen.answers[1] == 1 && seen.answers[2] == 1 && seen.answers[3] == 1);
}

static void an_answer_carries_the_tag_of_its_question_in_any_order(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = ask_two_and_keep_them},
        {.play = answer_the_second, .kept = 2},
        {.play = answer_the_first, .ready = two_heard},
        {.ready = three_heard},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes), check_three_answers);
}

static void ask_and_pass_the_answer_on(struct sl_ctx *ctx)
{
    ask_one(ctx, FATE_ANSWER);
    seen.pass_the_answer_on = true;
}

/* What arrived as an answer is an ordinary message afterwards. */
static void an_answer_can_be_sent_on_as_a_message(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = ask_and_pass_the_answer_on},
        {.play = free_all, .ready = one_heard, .kept = 1},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes), NULL);
}

/* ---- with a permit ---- */

static void ask_permitted(struct sl_ctx *ctx, enum fate fate, uint64_t tag)
{
    struct sl_line  *line = sl_line(ctx, LINE_ASK, 0);
    struct question *q = sl_msg_new(struct question, ORACLE_ASK);
    struct sl_permit permit;

    q->fate = fate;
    assert_int_equal(sl_line_reserve(ctx, line, 0, tag, &permit), SL_OK);
    sl_ask_permitted(ctx, &permit, seen.oracle, tag, &q);
    assert_null(q);
    assert_null(permit.line);
}

static void ask_two_permitted(struct sl_ctx *ctx)
{
    spawn_oracle(ctx);
    ask_permitted(ctx, FATE_ANSWER, 1);
    ask_permitted(ctx, FATE_DROP, 2);
}

static void check_two_permitted(void)
{
    assert_int_equal(seen.heard, 2);
    assert_true(seen.answers[1] == 1 && seen.gones[2] == 1);
}

static void a_question_may_enter_with_a_permit(void **state)
{
    static const struct stage_scene scenes[] = {{.play = ask_two_permitted}, {.ready = two_heard}};

    (void)state;
    play(scenes, STAGE_COUNT(scenes), check_two_permitted);
}

/* ---- GONE ---- */

static void ask_to_drop(struct sl_ctx *ctx)
{
    ask_one(ctx, FATE_DROP);
}

static void an_unanswered_question_that_is_freed_is_gone_once(void **state)
{
    static const struct stage_scene scenes[] = {{.play = ask_to_drop}, {.ready = one_heard}};

    (void)state;
    play(scenes, STAGE_COUNT(scenes), check_one_gone);
}

static void ask_to_pass_on(struct sl_ctx *ctx)
{
    ask_one(ctx, FATE_PASS_ON);
}

static void a_question_passed_on_and_freed_there_is_gone_once(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = ask_to_pass_on}, {.play = free_all, .kept = 1}, {.ready = one_heard}};

    (void)state;
    play(scenes, STAGE_COUNT(scenes), check_one_gone);
}

static void ask_to_fail(struct sl_ctx *ctx)
{
    ask_one(ctx, FATE_HOLD_AND_FAIL);
    assert_int_equal(ask(ctx, FATE_ANSWER, 2), SL_OK); /* finds the dead */
}

static void ask_to_stop(struct sl_ctx *ctx)
{
    ask_one(ctx, FATE_STOP);
    assert_int_equal(ask(ctx, FATE_ANSWER, 2), SL_OK);
}

static void ask_one_that_will_not_start(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &oracle_class, "x", 1, &seen.oracle), SL_OK);
    assert_int_equal(ask(ctx, FATE_ANSWER, 1), SL_OK);
    assert_int_equal(ask(ctx, FATE_ANSWER, 2), SL_OK);
}

static void what_was_asked_of_one_that_dies_is_gone(void **state)
{
    static const struct stage_scene fails[] = {
        {.play = ask_to_fail}, {.ready = two_heard}, {.ready = one_ended}};
    static const struct stage_scene stops[] = {
        {.play = ask_to_stop}, {.ready = two_heard}, {.ready = one_ended}};
    static const struct stage_scene starts[] = {
        {.play = ask_one_that_will_not_start}, {.ready = two_heard}, {.ready = one_ended}};

    (void)state;
    play(fails, STAGE_COUNT(fails), check_two_gones);
    play(stops, STAGE_COUNT(stops), check_two_gones);
    play(starts, STAGE_COUNT(starts), check_two_gones);
}

static void ask_the_dead(struct sl_ctx *ctx)
{
    assert_int_equal(ask(ctx, FATE_ANSWER, 1), SL_OK);
}

static void spawn_to_fail(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &oracle_class, "x", 1, &seen.oracle), SL_OK);
}

static void asking_the_dead_or_nobody_is_gone(void **state)
{
    static const struct stage_scene dead[] = {
        {.play = spawn_to_fail}, {.play = ask_the_dead, .ready = one_ended}, {.ready = one_heard}};
    static const struct stage_scene nobody[] = {{.play = ask_the_dead}, {.ready = one_heard}};

    (void)state;
    play(dead, STAGE_COUNT(dead), check_one_gone);
    play(nobody, STAGE_COUNT(nobody), check_one_gone);
}

/* ---- the asker dies first ---- */

static void spawn_asker(struct sl_ctx *ctx)
{
    enum fate keep = FATE_KEEP;

    spawn_oracle(ctx);
    assert_int_equal(sl_spawn(ctx, &asker_class, &keep, sizeof keep, &seen.asker), SL_OK);
}

static void stop_the_asker(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, seen.asker);
}

static void answer_the_dead_and_go_on(struct sl_ctx *ctx)
{
    answer(ctx, stage_kept[0]);
    stage_free_kept(0);
}

/* An answer for the dead is freed; and so is the GONE of a question nobody answers. */
static void answers_to_a_dead_asker_are_freed(void **state)
{
    static const struct stage_scene answered[] = {
        {.play = spawn_asker},
        {.play = stop_the_asker, .kept = 1},
        {.play = answer_the_dead_and_go_on, .ready = one_ended},
        {.play = NULL},
    };
    static const struct stage_scene dropped[] = {
        {.play = spawn_asker},
        {.play = stop_the_asker, .kept = 1},
        {.play = free_all, .ready = one_ended},
        {.play = NULL},
    };
    static const struct stage_scene ending[] = {
        {.play = spawn_asker},
        {.play = stop_the_asker, .kept = 1},
        {.play = answer_the_dead_and_go_on}, /* it may not have read STOP yet */
        {.ready = one_ended},
    };

    (void)state;
    play(answered, STAGE_COUNT(answered), NULL);
    play(dropped, STAGE_COUNT(dropped), NULL);
    play(ending, STAGE_COUNT(ending), NULL);
}

/* ---- bounds ---- */

static void ask_all_one_may(struct sl_ctx *ctx)
{
    spawn_oracle(ctx);
    for (uint32_t i = 0; i < stage_root_class.questions_max; i++)
        assert_int_equal(ask(ctx, FATE_DROP, i), SL_OK);
}

static bool eight_heard(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.heard == 8;
}

static bool sixteen_heard(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.heard == 16;
}

static void ask_all_again(struct sl_ctx *ctx)
{
    for (uint32_t i = 0; i < stage_root_class.questions_max; i++)
        assert_int_equal(ask(ctx, FATE_ANSWER, i), SL_OK);
}

static void an_answered_question_makes_room_for_another(void **state)
{
    static const struct stage_scene scenes[] = {{.play = ask_all_one_may},
                                                {.play = ask_all_again, .ready = eight_heard},
                                                {.ready = sixteen_heard}};

    (void)state;
    play(scenes, STAGE_COUNT(scenes), NULL);
}

static void ask_one_too_many(struct sl_ctx *ctx)
{
    ask_all_one_may(ctx);
    (void)ask(ctx, FATE_DROP, 9);
}

static void body_too_many_questions(void)
{
    static const struct stage_scene scenes[] = {{.play = ask_one_too_many}};
    const struct stage stage = {STAGE(scenes), .handle = hear_answer, .system = hear_gone};

    reset();
    (void)stage_play_seed(&stage, &topology, 1, &(struct sl_why){0});
}

static void answer_twice(struct sl_ctx *ctx)
{
    answer(ctx, stage_kept[0]);
    answer(ctx, stage_kept[0]);
}

static void ask_to_keep(struct sl_ctx *ctx)
{
    ask_one(ctx, FATE_KEEP);
}

static void body_two_answers(void)
{
    static const struct stage_scene scenes[] = {{.play = ask_to_keep},
                                                {.play = answer_twice, .kept = 1}};
    const struct stage stage = {STAGE(scenes), .handle = hear_answer, .system = hear_gone};

    reset();
    (void)stage_play_seed(&stage, &topology, 1, &(struct sl_why){0});
}

static void more_questions_than_declared_and_second_answers_panic(void **state)
{
    (void)state;
    child_assert_panics(body_too_many_questions, "questions_max");
    child_assert_panics(body_two_answers, "asker.ref.generation != 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_carries_the_tag_of_its_question_in_any_order),
        cmocka_unit_test(an_answer_can_be_sent_on_as_a_message),
        cmocka_unit_test(a_question_may_enter_with_a_permit),
        cmocka_unit_test(an_unanswered_question_that_is_freed_is_gone_once),
        cmocka_unit_test(a_question_passed_on_and_freed_there_is_gone_once),
        cmocka_unit_test(what_was_asked_of_one_that_dies_is_gone),
        cmocka_unit_test(asking_the_dead_or_nobody_is_gone),
        cmocka_unit_test(answers_to_a_dead_asker_are_freed),
        cmocka_unit_test(an_answered_question_makes_room_for_another),
        cmocka_unit_test(more_questions_than_declared_and_second_answers_panic),
    };

    return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
