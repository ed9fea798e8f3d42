/* Lines: what is refused at the entrance, who is served first, and that every credit comes home,
 * however its message or its waiter ends. Each test runs under many seeds; freeing the runtime
 * checks the sums. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "lib/child.h"
#include "lib/stage.h"

enum { LINE_BYTES = 100, CROWD = 40, SEEN_MAX = 8 };
enum line { LINE_TWO, LINE_SEVEN, LINE_EIGHT, LINES };

struct note {
    struct sl_msg hdr;
    uint32_t      mark;
};

/* What the root heard. */
static struct {
    unsigned      type[SEEN_MAX];
    uint64_t      tag[SEEN_MAX];
    uint32_t      count;
    uint32_t      ended;
    uint32_t      waiting; /* of the crowd */
    struct sl_ref keeper;
    struct sl_ref other; /* a child of the scene */
    struct sl_ref crowd[CROWD];
} seen;

static struct sl_permit granted[SEEN_MAX]; /* by place in `seen` */

static void reset(void)
{
    memset(&seen, 0, sizeof seen);
    memset(granted, 0, sizeof granted);
}

/* ---- other members of the lines ---- */

static enum sl_err never(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    SL_PANIC("no mail was expected, type %u came", msg->type);
}

static enum sl_err ignore(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

/* relay: passes everything on to the keeper. */
static enum sl_err relay_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct note *note = (struct note *)sl_take(ctx);

    (void)self;
    (void)msg;
    sl_forward(ctx, seen.keeper, SL_MSG_USER, &note);
    assert_null(note);
    return SL_OK;
}

/* waiter: reserves at once on the full line of its arguments, and never hears of it. */
static enum sl_err waiter_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_permit permit;

    (void)self;
    assert_int_equal(sl_line_reserve(ctx, sl_line(ctx, *(const unsigned *)args, 0), 1, 9, &permit),
                     SL_FULL);
    seen.waiting++;
    return SL_OK;
}

static enum sl_err waiter_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    assert_int_equal(msg->type, SL_MSG_STOP);
    sl_stop(ctx);
    return SL_OK;
}

static const struct sl_actor_class relay_class = {.name = "relay", .handle = relay_handle};
static const struct sl_actor_class ignorer_class = {.name = "ignorer", .handle = ignore};
static const struct sl_actor_class waiter_class = {.name = "waiter",
                                                   .waits_max = 1,
                                                   .start = waiter_start,
                                                   .handle = never,
                                                   .system = waiter_system};

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1}, {&waiter_class, CROWD},   {&relay_class, 1},
    {&ignorer_class, 1},    {&stage_keeper_class, 1},
};

#define PATH                                                                                \
    {                                                                                       \
        &stage_root_class, &waiter_class, &relay_class, &ignorer_class, &stage_keeper_class \
    }

static const struct sl_topology_line lines[LINES] = {
    [LINE_TWO] = {.name = "two", .credits = 2, .bytes = LINE_BYTES, .inputs = 1, .path = PATH},
    [LINE_SEVEN] = {.name = "seven", .credits = 7, .bytes = LINE_BYTES, .inputs = 1, .path = PATH},
    [LINE_EIGHT] = {.name = "eight", .credits = 8, .bytes = LINE_BYTES, .inputs = 1, .path = PATH},
};

static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

/* ---- what scenes are made of ---- */

static enum sl_err hear(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    if (msg->type == SL_MSG_CHILD_ENDED) {
        seen.ended++;
        return SL_OK;
    }
    assert_true(msg->type == SL_MSG_OPEN || msg->type == SL_MSG_GRANTED);
    assert_true(seen.count < SEEN_MAX);
    seen.type[seen.count] = msg->type;
    seen.tag[seen.count] = msg->tag;
    if (msg->type == SL_MSG_GRANTED)
        granted[seen.count] = sl_permit_of(msg);
    seen.count++;
    return SL_OK;
}

static struct note *note_new(uint32_t bytes, uint32_t mark)
{
    struct note *note = sl_msg_new(struct note, SL_MSG_USER);

    note->hdr.bytes = bytes;
    note->mark = mark;
    return note;
}

static enum sl_err send(struct sl_ctx *ctx, enum line line, struct sl_ref to, uint32_t bytes)
{
    struct note *note = note_new(bytes, 77);
    struct note *same = note;
    enum sl_err  err = sl_send(ctx, sl_line(ctx, line, 0), to, &note);

    if (err == SL_OK) {
        assert_null(note);
        return SL_OK;
    }
    assert_ptr_equal(note, same); /* still the sender's, and untouched */
    assert_true(note->mark == 77 && note->hdr.bytes == bytes && note->hdr.line == NULL);
    sl_msg_free(&note);
    assert_null(note);
    return err;
}

static enum sl_err reserve(struct sl_ctx *ctx, enum line line, uint32_t bytes, uint64_t tag)
{
    struct sl_permit permit = {0};
    enum sl_err      err = sl_line_reserve(ctx, sl_line(ctx, line, 0), bytes, tag, &permit);

    assert_true((err == SL_OK) == (permit.line != NULL));
    if (err == SL_OK)
        sl_permit_return(ctx, &permit);
    return err;
}

static void spawn_keeper(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &stage_keeper_class, NULL, 0, &seen.keeper), SL_OK);
}

static void fill(struct sl_ctx *ctx, enum line line, uint32_t count, uint32_t bytes_each)
{
    spawn_keeper(ctx);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(send(ctx, line, seen.keeper, bytes_each), SL_OK);
}

static void free_first(struct sl_ctx *ctx)
{
    (void)ctx;
    stage_free_kept(0);
}

static void free_second(struct sl_ctx *ctx)
{
    (void)ctx;
    stage_free_kept(1);
}

static void free_all(struct sl_ctx *ctx)
{
    (void)ctx;
    stage_free_all_kept();
}

static int64_t credits(struct sl_ctx *ctx, enum line line)
{
    return sl_line_credits_free(sl_line(ctx, line, 0));
}

static int64_t bytes(struct sl_ctx *ctx, enum line line)
{
    return sl_line_bytes_free(sl_line(ctx, line, 0));
}

/* ---- refusal at the entrance ---- */

static void use_up_credits(struct sl_ctx *ctx)
{
    fill(ctx, LINE_TWO, 2, 0);
    assert_int_equal(send(ctx, LINE_TWO, seen.keeper, 0), SL_FULL);
    assert_int_equal(credits(ctx, LINE_TWO), 0);
}

static void send_into_the_place_of_the_freed(struct sl_ctx *ctx)
{
    assert_int_equal(credits(ctx, LINE_TWO), 1);
    assert_int_equal(send(ctx, LINE_TWO, seen.keeper, 0), SL_OK);
    assert_int_equal(send(ctx, LINE_TWO, seen.keeper, 0), SL_FULL);
}

static void a_line_without_credits_is_full_and_the_message_stays_the_senders(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = use_up_credits},
        {.play = free_first, .kept = 2},
        {.play = send_into_the_place_of_the_freed},
        {.play = free_all, .kept = 3},
    };
    const struct stage stage = {STAGE(scenes)};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

static void use_up_bytes(struct sl_ctx *ctx)
{
    spawn_keeper(ctx);
    assert_int_equal(send(ctx, LINE_EIGHT, seen.keeper, 60), SL_OK);
    assert_int_equal(send(ctx, LINE_EIGHT, seen.keeper, 41), SL_FULL);
    assert_int_equal(credits(ctx, LINE_EIGHT), 7); /* the refused one kept none */
    assert_int_equal(send(ctx, LINE_EIGHT, seen.keeper, 40), SL_OK);
    assert_int_equal(bytes(ctx, LINE_EIGHT), 0);
    assert_int_equal(send(ctx, LINE_EIGHT, seen.keeper, 0), SL_OK);
    assert_int_equal(send(ctx, LINE_EIGHT, seen.keeper, 1), SL_FULL);
    assert_int_equal(send(ctx, LINE_EIGHT, seen.keeper, 0), SL_OK);
}

static void a_line_without_bytes_is_full_but_for_empty_messages(void **state)
{
    static const struct stage_scene scenes[] = {{.play = use_up_bytes},
                                                {.play = free_all, .kept = 4}};
    const struct stage              stage = {STAGE(scenes)};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

static void send_too_much(struct sl_ctx *ctx)
{
    struct note *note = note_new(LINE_BYTES + 1, 1);

    spawn_keeper(ctx);
    assert_int_equal(send(ctx, LINE_TWO, seen.keeper, LINE_BYTES + 1), SL_TOO_LARGE);
    assert_int_equal(reserve(ctx, LINE_TWO, LINE_BYTES + 1, 1), SL_TOO_LARGE);
    assert_int_equal(sl_ask(ctx, sl_line(ctx, LINE_TWO, 0), seen.keeper, 1, &note), SL_TOO_LARGE);
    assert_int_equal(note->hdr.asker.generation, 0);
    sl_msg_free(&note); /* no question: nobody hears GONE */
    assert_int_equal(send(ctx, LINE_TWO, seen.keeper, LINE_BYTES), SL_OK);
}

static void more_bytes_than_the_whole_line_are_too_large(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_too_much},
                                                {.play = free_all, .kept = 1}};
    const struct stage              stage = {STAGE(scenes)};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

/* ---- waiting for OPEN ---- */

static void fill_eight_and_wait(struct sl_ctx *ctx)
{
    fill(ctx, LINE_EIGHT, 8, 0);
    sl_line_wait(ctx, sl_line(ctx, LINE_EIGHT, 0), 0, 5);
}

static void fill_seven_and_wait(struct sl_ctx *ctx)
{
    fill(ctx, LINE_SEVEN, 7, 0);
    sl_line_wait(ctx, sl_line(ctx, LINE_SEVEN, 0), 0, 5);
}

/* What the last scene brought home was offered at the end of that turn: by now it would be here. */
static void not_open_yet_free_second(struct sl_ctx *ctx)
{
    assert_int_equal(seen.count, 0);
    free_second(ctx);
}

static void now_open(struct sl_ctx *ctx)
{
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.type[0], SL_MSG_OPEN);
    assert_int_equal(seen.tag[0], 5);
    free_all(ctx);
}

static void open_is_told_when_a_quarter_of_the_credits_is_free(void **state)
{
    static const struct stage_scene eight[] = {{.play = fill_eight_and_wait},
                                               {.play = free_first, .kept = 8},
                                               {.play = not_open_yet_free_second},
                                               {.play = now_open}};
    static const struct stage_scene seven[] = {{.play = fill_seven_and_wait},
                                               {.play = free_first, .kept = 7},
                                               {.play = not_open_yet_free_second},
                                               {.play = now_open}};
    const struct stage              stage_eight = {STAGE(eight), .system = hear};
    const struct stage stage_seven = {STAGE(seven), .system = hear}; /* one of seven is less */

    (void)state;
    stage_play(&stage_eight, &topology, reset, NULL);
    stage_play(&stage_seven, &topology, reset, NULL);
}

static void fill_bytes_and_wait(struct sl_ctx *ctx)
{
    fill(ctx, LINE_EIGHT, 2, 50);
    sl_line_wait(ctx, sl_line(ctx, LINE_EIGHT, 0), 51, 5);
}

static void open_waits_for_the_bytes_too(void **state)
{
    static const struct stage_scene scenes[] = {{.play = fill_bytes_and_wait},
                                                {.play = free_first, .kept = 2},
                                                {.play = not_open_yet_free_second},
                                                {.play = now_open}};
    const struct stage              stage = {STAGE(scenes), .system = hear};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

static void wait_for_an_open_line(struct sl_ctx *ctx)
{
    sl_line_wait(ctx, sl_line(ctx, LINE_TWO, 0), 1, 5);
}

static void open_is_told_at_once_when_there_is_room(void **state)
{
    static const struct stage_scene scenes[] = {{.play = wait_for_an_open_line},
                                                {.play = now_open}};
    const struct stage              stage = {STAGE(scenes), .system = hear};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

/* ---- reservations ---- */

static void reserve_large_then_small(struct sl_ctx *ctx)
{
    fill(ctx, LINE_EIGHT, 4, 25);
    assert_int_equal(reserve(ctx, LINE_EIGHT, 80, 1), SL_FULL);
    assert_int_equal(reserve(ctx, LINE_EIGHT, 10, 2), SL_FULL);
}

static void nobody_overtakes(struct sl_ctx *ctx)
{
    static uint32_t next;

    assert_int_equal(seen.count, 0);
    assert_int_equal(send(ctx, LINE_EIGHT, seen.keeper, 0), SL_FULL); /* though credits are free */
    for (next = 0; stage_kept[next] == NULL; next++)
        continue;
    stage_free_kept(next);
}

static void both_are_granted_in_order(struct sl_ctx *ctx)
{
    struct note *note = note_new(3, 1);

    assert_int_equal(seen.count, 2);
    assert_true(seen.type[0] == SL_MSG_GRANTED && seen.tag[0] == 1);
    assert_true(seen.type[1] == SL_MSG_GRANTED && seen.tag[1] == 2);
    assert_int_equal(bytes(ctx, LINE_EIGHT), LINE_BYTES - 80 - 10);
    sl_permit_return(ctx, &granted[1]);
    assert_null(granted[1].line);
    sl_send_permitted(ctx, &granted[0], seen.keeper, &note);
    assert_null(note);
    assert_null(granted[0].line);
}

static void the_message_has_the_bytes_of_its_permit(struct sl_ctx *ctx)
{
    assert_int_equal(stage_kept[4]->bytes, 80);
    assert_int_equal(bytes(ctx, LINE_EIGHT), LINE_BYTES - 80);
    assert_int_equal(credits(ctx, LINE_EIGHT), 7); /* the returned permit is home */
    free_all(ctx);
}

static void reservations_are_served_in_order_and_small_messages_do_not_overtake(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = reserve_large_then_small},
        {.play = nobody_overtakes, .kept = 4},
        {.play = nobody_overtakes},
        {.play = nobody_overtakes},
        {.play = nobody_overtakes},
        {.play = both_are_granted_in_order},
        {.play = the_message_has_the_bytes_of_its_permit, .kept = 5},
    };
    const struct stage stage = {STAGE(scenes), .system = hear};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

static void fill_two_and_let_a_crowd_wait(struct sl_ctx *ctx)
{
    unsigned line = LINE_TWO;

    fill(ctx, LINE_TWO, 2, 0);
    for (uint32_t i = 0; i < CROWD; i++)
        assert_int_equal(sl_spawn(ctx, &waiter_class, &line, sizeof line, &seen.crowd[i]), SL_OK);
}

static bool the_crowd_waits(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.waiting == CROWD;
}

static void stop_the_crowd(struct sl_ctx *ctx)
{
    for (uint32_t i = 0; i < CROWD; i++)
        sl_stop_child(ctx, seen.crowd[i]);
}

static bool the_crowd_has_ended(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.ended == CROWD;
}

static void wait_behind_the_dead_and_free_one(struct sl_ctx *ctx)
{
    assert_int_equal(reserve(ctx, LINE_TWO, 1, 3), SL_FULL);
    free_first(ctx);
}

static void the_living_is_granted(struct sl_ctx *ctx)
{
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.tag[0], 3);
    sl_permit_return(ctx, &granted[0]);
    free_all(ctx);
}

static void what_dead_waiters_are_granted_goes_home_at_once(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = fill_two_and_let_a_crowd_wait},
        {.play = stop_the_crowd, .ready = the_crowd_waits, .kept = 2},
        {.play = wait_behind_the_dead_and_free_one, .ready = the_crowd_has_ended},
        {.play = the_living_is_granted},
    };
    const struct stage stage = {STAGE(scenes), .system = hear};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

/* The crowd's mailboxes get STOP, then GRANTED: they end with the grant unread. */
static void stop_the_crowd_and_free_all(struct sl_ctx *ctx)
{
    stop_the_crowd(ctx);
    free_all(ctx);
}

static void the_line_is_whole_again(struct sl_ctx *ctx)
{
    assert_int_equal(credits(ctx, LINE_TWO), 2);
    assert_int_equal(bytes(ctx, LINE_TWO), LINE_BYTES);
    assert_int_equal(reserve(ctx, LINE_TWO, LINE_BYTES, 1), SL_OK);
}

static void a_grant_that_meets_an_ending_waiter_goes_home(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = fill_two_and_let_a_crowd_wait},
        {.play = stop_the_crowd_and_free_all, .ready = the_crowd_waits, .kept = 2},
        {.play = the_line_is_whole_again, .ready = the_crowd_has_ended},
    };
    const struct stage stage = {STAGE(scenes), .system = hear};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

/* ---- credits on their way ---- */

static void send_by_way_of_the_relay(struct sl_ctx *ctx)
{
    spawn_keeper(ctx);
    assert_int_equal(sl_spawn(ctx, &relay_class, NULL, 0, &seen.other), SL_OK);
    assert_int_equal(send(ctx, LINE_TWO, seen.other, 10), SL_OK);
}

static void the_credit_travels_with_the_message(struct sl_ctx *ctx)
{
    assert_int_equal(credits(ctx, LINE_TWO), 1);
    assert_int_equal(bytes(ctx, LINE_TWO), LINE_BYTES - 10);
    free_all(ctx);
}

static void a_forwarded_message_keeps_its_credit(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_by_way_of_the_relay},
        {.play = the_credit_travels_with_the_message, .kept = 1},
        {.play = the_line_is_whole_again},
    };
    const struct stage stage = {STAGE(scenes)};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

static bool an_end_was_heard(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.ended > 0;
}

static bool line_two_is_whole(struct sl_ctx *ctx)
{
    return credits(ctx, LINE_TWO) == 2;
}

/* Freed by the runtime after the handler; by the mailbox of the dead; with nobody to receive it;
 * and by forwarding to the dead. */
static void send_to_the_ignorer(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &ignorer_class, NULL, 0, &seen.other), SL_OK);
    assert_int_equal(send(ctx, LINE_TWO, seen.other, 10), SL_OK);
}

static void stop_the_ignorer_then_send(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, seen.other);
    assert_int_equal(send(ctx, LINE_TWO, seen.other, 10), SL_OK);
    assert_int_equal(send(ctx, LINE_TWO, seen.other, 10), SL_OK);
}

static void send_to_the_dead(struct sl_ctx *ctx)
{
    assert_int_equal(send(ctx, LINE_TWO, seen.other, 10), SL_OK);
    assert_int_equal(send(ctx, LINE_TWO, seen.other, 10), SL_OK);
}

static void relay_to_the_dead(struct sl_ctx *ctx)
{
    seen.keeper = seen.other;
    assert_int_equal(sl_spawn(ctx, &relay_class, NULL, 0, &seen.other), SL_OK);
    assert_int_equal(send(ctx, LINE_TWO, seen.other, 10), SL_OK);
}

static void a_message_freed_anywhere_returns_its_credit(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_to_the_ignorer},
        {.play = stop_the_ignorer_then_send, .ready = line_two_is_whole},
        {.ready = an_end_was_heard},
        {.play = send_to_the_dead, .ready = line_two_is_whole},
        {.ready = line_two_is_whole},
        {.play = relay_to_the_dead},
        {.ready = line_two_is_whole},
        {.play = the_line_is_whole_again},
    };
    const struct stage stage = {STAGE(scenes), .system = hear};

    (void)state;
    stage_play(&stage, &topology, reset, NULL);
}

/* ---- mistakes ---- */

static void play_alone(void (*play)(struct sl_ctx *ctx))
{
    const struct stage_scene scenes[] = {{.play = play}, {.play = NULL}};
    const struct stage       stage = {STAGE(scenes)};

    reset();
    (void)stage_play_seed(&stage, &topology, 1, &(struct sl_why){0});
}

static void send_to_oneself(struct sl_ctx *ctx)
{
    (void)send(ctx, LINE_TWO, sl_self(ctx), 0);
}

static void body_wrong_path(void)
{
    play_alone(send_to_oneself);
}

static void forward_what_is_on_no_line(struct sl_ctx *ctx)
{
    struct note *note = note_new(0, 0);

    spawn_keeper(ctx);
    sl_forward(ctx, seen.keeper, SL_MSG_USER, &note);
}

static void body_forward_without_line(void)
{
    play_alone(forward_what_is_on_no_line);
}

static void wait_too_often(struct sl_ctx *ctx)
{
    for (uint32_t i = 0; i <= stage_root_class.waits_max; i++)
        sl_line_wait(ctx, sl_line(ctx, LINE_TWO, 0), 0, i);
}

static void body_too_many_waits(void)
{
    play_alone(wait_too_often);
}

static void leaving_the_path_of_a_line_panics(void **state)
{
    (void)state;
    child_assert_panics(body_wrong_path, "line two does not lead from root to root");
    child_assert_panics(body_forward_without_line, "assertion failed: msg->line != NULL");
}

static void more_waits_than_the_class_declares_panic(void **state)
{
    (void)state;
    child_assert_panics(body_too_many_waits, "waits_max");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_without_credits_is_full_and_the_message_stays_the_senders),
        cmocka_unit_test(a_line_without_bytes_is_full_but_for_empty_messages),
        cmocka_unit_test(more_bytes_than_the_whole_line_are_too_large),
        cmocka_unit_test(open_is_told_when_a_quarter_of_the_credits_is_free),
        cmocka_unit_test(open_waits_for_the_bytes_too),
        cmocka_unit_test(open_is_told_at_once_when_there_is_room),
        cmocka_unit_test(reservations_are_served_in_order_and_small_messages_do_not_overtake),
        cmocka_unit_test(what_dead_waiters_are_granted_goes_home_at_once),
        cmocka_unit_test(a_grant_that_meets_an_ending_waiter_goes_home),
        cmocka_unit_test(a_forwarded_message_keeps_its_credit),
        cmocka_unit_test(a_message_freed_anywhere_returns_its_credit),
        cmocka_unit_test(leaving_the_path_of_a_line_panics),
        cmocka_unit_test(more_waits_than_the_class_declares_panic),
    };

    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
