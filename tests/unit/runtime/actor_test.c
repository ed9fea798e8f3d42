/* The life of an actor: how it can end and who hears of it, what the hooks are promised, and what
 * remains of a dead one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "lib/stage.h"

enum { ACTORS_MAX = 3, BURST = 20, LIVES = 60 };
enum line { LINE_MAIL, LINES };

/* In which hook, and how, an actor ends. */
enum exit {
    EXIT_START_ERROR,
    EXIT_START_STOP,
    EXIT_HANDLE_ERROR,
    EXIT_HANDLE_STOP,
    EXIT_HANDLE_BOTH, /* stops and fails: the error counts */
    EXIT_DRAINED_ERROR,
    EXIT_DRAINED_STOP,
    EXIT_ON_REQUEST,
    EXITS,
};

static struct {
    uint32_t              starts;
    uint32_t              stops;
    uint32_t              handled;
    uint32_t              sent;
    uint32_t              drained;
    uint32_t              drained_early;
    uint32_t              ended;
    uint32_t              stranger; /* mail for another than the one that got it */
    uint32_t              same_slot;
    struct sl_child_ended last;
    struct sl_ref         child;
    struct sl_ref         old;
} seen;

static enum exit exit_wanted;

static void reset(void)
{
    memset(&seen, 0, sizeof seen);
}

static enum sl_err ignore(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

/* ---- mortal: ends as exit_wanted says ---- */

struct mortal {
    bool spoken_to;
};

static enum sl_err leave(struct sl_ctx *ctx, enum exit by_error, enum exit by_stop)
{
    if (exit_wanted == by_stop || exit_wanted == EXIT_HANDLE_BOTH)
        sl_stop(ctx);
    if (exit_wanted == by_error || exit_wanted == EXIT_HANDLE_BOTH)
        return sl_fail(sl_why(ctx), SL_IO, "tired of life");
    return SL_OK;
}

static enum sl_err mortal_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct mortal *m = self;

    assert_false(m->spoken_to); /* state begins zeroed */
    assert_string_equal(args, "spoon");
    assert_string_equal(sl_why(ctx)->text, "");
    seen.starts++;
    return exit_wanted == EXIT_HANDLE_BOTH ? SL_OK : leave(ctx, EXIT_START_ERROR, EXIT_START_STOP);
}

static enum sl_err mortal_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)msg;
    ((struct mortal *)self)->spoken_to = true;
    return leave(ctx, EXIT_HANDLE_ERROR, EXIT_HANDLE_STOP);
}

static enum sl_err mortal_drained(struct sl_ctx *ctx, void *self)
{
    if (!((struct mortal *)self)->spoken_to)
        return SL_OK;
    return leave(ctx, EXIT_DRAINED_ERROR, EXIT_DRAINED_STOP);
}

static void mortal_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    (void)self;
    seen.stops++;
}

static const struct sl_actor_class mortal_class = {
    .name = "mortal",
    .state_bytes = sizeof(struct mortal),
    .start = mortal_start,
    .handle = mortal_handle,
    .drained = mortal_drained,
    .stop = mortal_stop,
};

static const struct sl_topology_actor mortal_actors[] = {{&stage_root_class, 1},
                                                         {&mortal_class, ACTORS_MAX}};
static const struct sl_topology_line  mortal_lines[LINES] = {
     [LINE_MAIL] = {.name = "mail",
                    .credits = 8,
                    .inputs = 1,
                    .path = {&stage_root_class, &mortal_class}},
};
static const struct sl_topology mortal_topology = STAGE_TOPOLOGY(mortal_actors, mortal_lines);

static enum sl_err note_end(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    assert_int_equal(msg->type, SL_MSG_CHILD_ENDED);
    seen.last = *(const struct sl_child_ended *)msg;
    seen.ended++;
    return SL_OK;
}

static void mail(struct sl_ctx *ctx, struct sl_ref to)
{
    struct sl_msg *msg = sl_msg_alloc(sizeof *msg, SL_MSG_USER, NULL);

    assert_int_equal(sl_send_msg(ctx, sl_line(ctx, LINE_MAIL, 0), to, msg, &msg), SL_OK);
}

static void spawn_mortal(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &mortal_class, "spoon", 6, &seen.child), SL_OK);
    mail(ctx, seen.child);
    if (exit_wanted == EXIT_ON_REQUEST) {
        sl_stop_child(ctx, seen.child);
        sl_stop_child(ctx, seen.child);
    }
    mail(ctx, seen.child); /* whatever it does with it */
}

static bool one_ended(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.ended == 1;
}

static void check_end(void)
{
    bool error = exit_wanted == EXIT_START_ERROR || exit_wanted == EXIT_HANDLE_ERROR ||
                 exit_wanted == EXIT_HANDLE_BOTH || exit_wanted == EXIT_DRAINED_ERROR;

    assert_int_equal(seen.starts, 1);
    assert_int_equal(seen.stops, 1);
    assert_int_equal(seen.ended, 1);
    assert_true(sl_ref_equal(seen.last.child, seen.child));
    assert_string_equal(seen.last.class_name, "mortal");
    assert_int_equal(seen.last.err, error ? SL_IO : SL_OK);
    assert_string_equal(seen.last.why.text, error ? "tired of life" : "");
}

static void every_exit_runs_stop_once_and_tells_the_parent_once(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_mortal}, {.ready = one_ended}};
    const struct stage              stage = {STAGE(scenes), .system = note_end};

    (void)state;
    for (exit_wanted = 0; exit_wanted < EXITS; exit_wanted++)
        stage_play(&stage, &mortal_topology, reset, check_end);
}

/* ---- families ---- */

enum { FAMILY_LEAVES = 3 };

static bool     leaf_fails;
static bool     leaf_leaves;
static uint32_t leaf_stops;

static enum sl_err leaf_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)self;
    (void)args;
    if (leaf_leaves)
        sl_stop(ctx);
    return leaf_fails ? SL_NOSPACE : SL_OK; /* without a text of its own */
}

static void leaf_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    (void)self;
    leaf_stops++;
}

static const struct sl_actor_class leaf_class = {
    .name = "leaf", .start = leaf_start, .handle = ignore, .stop = leaf_stop};

static enum sl_err branch_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_ref leaf;

    (void)self;
    (void)args;
    for (uint32_t i = 0; i < FAMILY_LEAVES; i++)
        assert_int_equal(sl_spawn(ctx, &leaf_class, NULL, 0, &leaf), SL_OK);
    seen.starts++;
    return SL_OK;
}

static void branch_stop(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    (void)self;
    assert_int_equal(leaf_stops, FAMILY_LEAVES); /* all children have ended before */
    seen.stops++;
}

/* Without a system hook: the default behaviour. */
static const struct sl_actor_class branch_class = {.name = "branch",
                                                   .children_max = FAMILY_LEAVES,
                                                   .start = branch_start,
                                                   .handle = ignore,
                                                   .stop = branch_stop};

static const struct sl_topology_actor family_actors[] = {
    {&stage_root_class, 1}, {&branch_class, 1}, {&leaf_class, FAMILY_LEAVES}};
static const struct sl_topology family_topology = {
    .program = "family", .actors = family_actors, .actor_count = 3};

static void spawn_branch(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &branch_class, NULL, 0, &seen.child), SL_OK);
}

static void stop_branch(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, seen.child);
}

static void reset_family(void)
{
    reset();
    leaf_stops = 0;
}

static void check_orderly(void)
{
    assert_int_equal(seen.last.err, SL_OK);
    assert_int_equal(seen.stops, 1);
    assert_int_equal(leaf_stops, FAMILY_LEAVES);
}

static void check_rising(void)
{
    assert_int_equal(seen.last.err, SL_NOSPACE);
    assert_string_equal(seen.last.why.text, "leaf: no space left on the device");
    assert_int_equal(seen.stops, 1);
    assert_int_equal(leaf_stops, FAMILY_LEAVES);
}

static void by_default_stop_stops_the_children_first(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = spawn_branch}, {.play = stop_branch}, {.ready = one_ended}};
    const struct stage stage = {STAGE(scenes), .system = note_end};

    (void)state;
    stage_play(&stage, &family_topology, reset_family, check_orderly);
}

static bool branch_started(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.starts == 1 && leaf_stops == FAMILY_LEAVES;
}

static void still_there(struct sl_ctx *ctx)
{
    assert_int_equal(seen.ended, 0);
    stop_branch(ctx);
}

static void by_default_a_child_that_ends_in_order_is_no_reason_to_end(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = spawn_branch}, {.ready = branch_started}, {.play = NULL},
        {.play = still_there},  {.ready = one_ended},
    };
    const struct stage stage = {STAGE(scenes), .system = note_end};

    (void)state;
    leaf_leaves = true;
    stage_play(&stage, &family_topology, reset_family, check_orderly);
    leaf_leaves = false;
}

static void by_default_the_error_of_a_child_ends_its_parent_and_siblings(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_branch}, {.ready = one_ended}};
    const struct stage              stage = {STAGE(scenes), .system = note_end};

    (void)state;
    leaf_fails = true;
    stage_play(&stage, &family_topology, reset_family, check_rising);
    leaf_fails = false;
}

static enum sl_err end_as_the_child_did(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;

    (void)self;
    return sl_fail(sl_why(ctx), ended->err, "%s: %s", ended->class_name, ended->why.text);
}

static void the_error_of_the_root_is_the_result_of_the_run(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_branch}, {.ready = one_ended}};
    const struct stage              stage = {STAGE(scenes), .system = end_as_the_child_did};
    struct sl_why                   why = {0};

    (void)state;
    reset_family();
    leaf_fails = true;
    assert_int_equal(stage_play_seed(&stage, &family_topology, 1, &why), SL_NOSPACE);
    assert_string_equal(why.text, "branch: leaf: no space left on the device");
    leaf_fails = false;
}

/* ---- drained ---- */

static enum sl_err reader_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    seen.handled++;
    return SL_OK;
}

static enum sl_err reader_drained(struct sl_ctx *ctx, void *self)
{
    (void)ctx;
    (void)self;
    seen.drained++;
    seen.drained_early += seen.handled < seen.sent;
    return SL_OK;
}

static const struct sl_actor_class reader_class = {
    .name = "reader", .handle = reader_handle, .drained = reader_drained};
static const struct sl_topology_actor reader_actors[] = {{&stage_root_class, 1},
                                                         {&reader_class, 1}};
static const struct sl_topology_line  reader_lines[LINES] = {
     [LINE_MAIL] = {.name = "mail",
                    .credits = BURST,
                    .inputs = 1,
                    .path = {&stage_root_class, &reader_class}},
};
static const struct sl_topology reader_topology = STAGE_TOPOLOGY(reader_actors, reader_lines);

/* More than any turn of the seeded scheduler handles. */
static void send_a_burst(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &reader_class, NULL, 0, &seen.child), SL_OK);
    for (uint32_t i = 0; i < BURST; i++)
        mail(ctx, seen.child);
    seen.sent = BURST;
}

static bool burst_read(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.handled == BURST;
}

static void check_drained_once(void)
{
    assert_int_equal(seen.drained, 1);
    assert_int_equal(seen.drained_early, 0);
}

static void drained_runs_after_the_last_message_and_not_before(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_a_burst}, {.ready = burst_read}};
    const struct stage              stage = {STAGE(scenes)};

    (void)state;
    stage_play(&stage, &reader_topology, reset, check_drained_once);
}

/* ---- slots ---- */

static void spawn_all_and_one_more(struct sl_ctx *ctx)
{
    struct sl_ref extra = {0};

    for (uint32_t i = 0; i < ACTORS_MAX; i++)
        assert_int_equal(sl_spawn(ctx, &mortal_class, "spoon", 6, &seen.child), SL_OK);
    assert_int_equal(sl_spawn(ctx, &mortal_class, "spoon", 6, &extra), SL_FULL);
    assert_string_equal(sl_why(ctx)->text, "no room for another mortal: 3 may live at one time");
    assert_int_equal(extra.generation, 0);
    sl_stop_child(ctx, seen.child);
}

static void spawn_in_its_place(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &mortal_class, "spoon", 6, &seen.child), SL_OK);
}

static void more_actors_than_the_topology_allows_are_refused_until_one_ends(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_all_and_one_more},
                                                {.play = spawn_in_its_place, .ready = one_ended}};
    const struct stage              stage = {STAGE(scenes), .system = note_end};

    (void)state;
    exit_wanted = EXITS;
    seen.ended = 0;
    for (uint64_t seed = 1; seed <= STAGE_SEEDS; seed++) {
        struct sl_why why = {0};

        reset();
        assert_int_equal(stage_play_seed(&stage, &mortal_topology, seed, &why), SL_OK);
        assert_int_equal(seen.stops, ACTORS_MAX + 1);
    }
}

/* Letters say whom they are for; a new actor must not get those of the slot's last one. */
struct letter {
    struct sl_msg hdr;
    struct sl_ref meant;
};

static enum sl_err heir_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    seen.handled++;
    seen.stranger += !sl_ref_equal(((const struct letter *)msg)->meant, sl_self(ctx));
    return SL_OK;
}

static const struct sl_actor_class    heir_class = {.name = "heir", .handle = heir_handle};
static const struct sl_topology_actor heir_actors[] = {{&stage_root_class, 1}, {&heir_class, 1}};
static const struct sl_topology_line  heir_lines[LINES] = {
     [LINE_MAIL] = {.name = "mail",
                    .credits = 8,
                    .inputs = 1,
                    .path = {&stage_root_class, &heir_class}},
};
static const struct sl_topology heir_topology = STAGE_TOPOLOGY(heir_actors, heir_lines);

static void write_to(struct sl_ctx *ctx, struct sl_ref to)
{
    struct letter *letter = sl_msg_new(struct letter, SL_MSG_USER);

    letter->meant = to;
    if (sl_send(ctx, sl_line(ctx, LINE_MAIL, 0), to, &letter) != SL_OK)
        sl_msg_free(&letter);
}

/* Stop it, and write while it ends; then to it and its heir alike. */
static void begin_the_next_life(struct sl_ctx *ctx)
{
    seen.old = seen.child;
    assert_int_equal(sl_spawn(ctx, &heir_class, NULL, 0, &seen.child), SL_OK);
    seen.same_slot += seen.old.index == seen.child.index;
    assert_false(sl_ref_equal(seen.old, seen.child));
    write_to(ctx, seen.old);
    write_to(ctx, seen.child);
    sl_stop_child(ctx, seen.old); /* nobody's child any more: nothing */
    sl_stop_child(ctx, seen.child);
    write_to(ctx, seen.child);
}

static enum sl_err next_life(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    assert_int_equal(msg->type, SL_MSG_CHILD_ENDED);
    if (++seen.ended < LIVES)
        begin_the_next_life(ctx);
    return SL_OK;
}

static bool all_lives_lived(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.ended == LIVES;
}

static void check_heirs(void)
{
    assert_int_equal(seen.stranger, 0);
    assert_true(seen.handled > 0);
    assert_true(seen.same_slot > 0); /* slots were inherited */
}

static void a_slot_is_used_again_and_old_references_find_nobody(void **state)
{
    static const struct stage_scene scenes[] = {{.play = begin_the_next_life},
                                                {.ready = all_lives_lived}};
    const struct stage              stage = {STAGE(scenes), .system = next_life};

    (void)state;
    stage_play(&stage, &heir_topology, reset, check_heirs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exit_runs_stop_once_and_tells_the_parent_once),
        cmocka_unit_test(by_default_stop_stops_the_children_first),
        cmocka_unit_test(by_default_a_child_that_ends_in_order_is_no_reason_to_end),
        cmocka_unit_test(by_default_the_error_of_a_child_ends_its_parent_and_siblings),
        cmocka_unit_test(the_error_of_the_root_is_the_result_of_the_run),
        cmocka_unit_test(drained_runs_after_the_last_message_and_not_before),
        cmocka_unit_test(more_actors_than_the_topology_allows_are_refused_until_one_ends),
        cmocka_unit_test(a_slot_is_used_again_and_old_references_find_nobody),
    };

    return cmocka_run_group_tests_name("actor", tests, NULL, NULL);
}
