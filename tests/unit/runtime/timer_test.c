/* Timers: their order, that what was taken back never shows, and when they fire. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "lib/child.h"
#include "lib/sim.h"
#include "lib/stage.h"

enum { TIMERS = 6, FIRED_MAX = 64, STEPS_MAX = 100000, LIVES = 40, THREAD_TIMERS = 5 };
enum { TIMED_FIRST = SL_MSG_USER }; /* timer i fires with TIMED_FIRST + i, or what a test says */

/* What fired, in order. */
static struct {
    unsigned type[FIRED_MAX];
    sl_nanos at[FIRED_MAX];
    uint32_t count;
    sl_nanos began;
} fired;

/* One root with some timers; a test brings the first scene, and what each expiry does. */
struct timed {
    struct sl_timer timer[TIMERS];
};

static void (*on_start)(struct sl_ctx *ctx, struct timed *t);
static void (*on_fire)(struct sl_ctx *ctx, struct timed *t, unsigned number);

static enum sl_err timed_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)args;
    fired.began = sl_now(ctx);
    on_start(ctx, self);
    return SL_OK;
}

static enum sl_err timed_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    assert_true(fired.count < FIRED_MAX);
    fired.type[fired.count] = msg->type;
    fired.at[fired.count++] = sl_now(ctx);
    on_fire(ctx, self, msg->type - (unsigned)TIMED_FIRST);
    return SL_OK;
}

static const struct sl_actor_class timed_class = {
    .name = "timed",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct timed),
    .timers_max = TIMERS,
    .start = timed_start,
    .handle = timed_handle,
};
static const struct sl_topology_actor timed_actors[] = {{&timed_class, 1}};
static const struct sl_topology       timed_topology = {
          .program = "timed", .actors = timed_actors, .actor_count = 1};

static void play(void (*start)(struct sl_ctx *, struct timed *),
                 void (*fire)(struct sl_ctx *, struct timed *, unsigned), void (*check)(void))
{
    on_start = start;
    on_fire = fire;
    for (uint64_t seed = 1; seed <= STAGE_SEEDS; seed++) {
        struct sim_run run;

        memset(&fired, 0, sizeof fired);
        run = sim_run(&timed_topology, NULL, 0, seed, STEPS_MAX);
        assert_int_equal(run.err, SL_OK);
        check();
    }
}

static void arm(struct sl_ctx *ctx, struct timed *t, unsigned number, uint64_t delay_ms)
{
    sl_timer_arm(ctx, &t->timer[number], (unsigned)TIMED_FIRST + number, delay_ms);
    assert_true(sl_timer_armed(&t->timer[number]));
}

/* Timer `number` was the nth to fire, so many milliseconds after the start or later: the scheduler
 * likes to let time pass while an expiry waits to be read. */
static void assert_fired(uint32_t nth, unsigned number, uint64_t ms)
{
    assert_true(nth < fired.count);
    assert_int_equal(fired.type[nth], (unsigned)TIMED_FIRST + number);
    assert_true(fired.at[nth] - fired.began >= ms * SL_NANOS_PER_MS);
}

static void fire_stop_at_last(struct sl_ctx *ctx, struct timed *t, unsigned number)
{
    assert_false(sl_timer_armed(&t->timer[number])); /* its message has come */
    if (number == TIMERS - 1)
        sl_stop(ctx);
}

/* ---- order and time ---- */

static void start_many(struct sl_ctx *ctx, struct timed *t)
{
    arm(ctx, t, 0, 30);
    arm(ctx, t, 1, 10);
    arm(ctx, t, 2, 20);
    arm(ctx, t, 3, 10);
    arm(ctx, t, 4, 20);
    arm(ctx, t, 5, SL_TIMER_DELAY_MS_MAX);
}

static void check_many(void)
{
    assert_int_equal(fired.count, 6);
    assert_fired(0, 1, 10);
    assert_fired(1, 3, 10);
    assert_fired(2, 2, 20);
    assert_fired(3, 4, 20);
    assert_fired(4, 0, 30);
    assert_fired(5, 5, SL_TIMER_DELAY_MS_MAX);
}

static void timers_fire_by_due_time_then_by_arming(void **state)
{
    (void)state;
    play(start_many, fire_stop_at_last, check_many);
}

/* One timer after the other: there is nothing else that time could jump to. */
enum { CHAIN = 10, LATE_NANOS_MAX = 10000 };

static uint64_t chain_ms(uint32_t nth)
{
    return UINT64_C(1) << (3 * nth);
}

static void start_chain(struct sl_ctx *ctx, struct timed *t)
{
    arm(ctx, t, 0, chain_ms(0));
}

static void fire_chain(struct sl_ctx *ctx, struct timed *t, unsigned number)
{
    if (fired.count == CHAIN)
        sl_stop(ctx);
    else
        arm(ctx, t, number, chain_ms(fired.count));
}

static void check_chain(void)
{
    sl_nanos armed = fired.began;

    assert_int_equal(fired.count, CHAIN);
    for (uint32_t i = 0; i < CHAIN; i++) {
        sl_nanos due = armed + chain_ms(i) * SL_NANOS_PER_MS;

        /* A few steps may lie between the expiry and the turn that reads it, nothing else. */
        assert_true(fired.at[i] >= due && fired.at[i] - due <= LATE_NANOS_MAX);
        armed = fired.at[i];
    }
}

static void delays_are_exact_in_virtual_time(void **state)
{
    (void)state;
    play(start_chain, fire_chain, check_chain);
}

static void start_at_once(struct sl_ctx *ctx, struct timed *t)
{
    arm(ctx, t, TIMERS - 1, 0);
}

static void check_at_once(void)
{
    assert_int_equal(fired.count, 1);
    assert_true(fired.at[0] - fired.began < SL_NANOS_PER_MS);
}

static void a_delay_of_nothing_fires_at_once(void **state)
{
    (void)state;
    play(start_at_once, fire_stop_at_last, check_at_once);
}

/* ---- arming again, disarming ---- */

static void start_rearmed(struct sl_ctx *ctx, struct timed *t)
{
    arm(ctx, t, 0, 10);
    arm(ctx, t, 0, 50); /* later */
    arm(ctx, t, 1, 60);
    arm(ctx, t, 1, 20); /* sooner */
    arm(ctx, t, 2, 5);
    sl_timer_arm(ctx, &t->timer[2], (unsigned)TIMED_FIRST + 3, 30); /* as another message */
    arm(ctx, t, 4, 40);
    sl_timer_disarm(ctx, &t->timer[4]);
    assert_false(sl_timer_armed(&t->timer[4]));
    sl_timer_disarm(ctx, &t->timer[4]); /* again: nothing */
    arm(ctx, t, 5, 100);
}

static void check_rearmed(void)
{
    assert_int_equal(fired.count, 4);
    assert_fired(0, 1, 20);
    assert_fired(1, 3, 30);
    assert_fired(2, 0, 50);
    assert_fired(3, 5, 100);
}

static void arming_again_replaces_and_disarming_takes_back(void **state)
{
    (void)state;
    play(start_rearmed, fire_stop_at_last, check_rearmed);
}

static void start_together(struct sl_ctx *ctx, struct timed *t)
{
    for (unsigned i = 0; i < 4; i++)
        arm(ctx, t, i, 10); /* all four expiries are in the mailbox when the first is read */
}

static void fire_disarms_the_others(struct sl_ctx *ctx, struct timed *t, unsigned number)
{
    if (number == 0) {
        sl_timer_disarm(ctx, &t->timer[1]);
        arm(ctx, t, 2, 5);
        sl_timer_disarm(ctx, &t->timer[3]);
        arm(ctx, t, 3, 0); /* due before the old expiry is read: one message, not two */
    }
    if (number == 2)
        arm(ctx, t, 5, 100); /* time for whatever else might show */
    fire_stop_at_last(ctx, t, number);
}

static void check_together(void)
{
    assert_int_equal(fired.count, 4);
    assert_fired(0, 0, 10);
    assert_fired(1, 3, 10);
    assert_fired(2, 2, 15);
    assert_fired(3, 5, 115);
}

static void an_expiry_in_the_mailbox_does_not_show_after_disarming(void **state)
{
    (void)state;
    play(start_together, fire_disarms_the_others, check_together);
}

static void start_one_too_many(struct sl_ctx *ctx, struct timed *t)
{
    struct sl_timer extra = {0};

    for (unsigned i = 0; i < TIMERS; i++)
        arm(ctx, t, i, 1);
    sl_timer_arm(ctx, &extra, TIMED_FIRST, 1);
}

static void body_too_many_timers(void)
{
    play(start_one_too_many, fire_stop_at_last, check_at_once);
}

static void more_timers_than_the_class_declares_panic(void **state)
{
    (void)state;
    child_assert_panics(body_too_many_timers, "timers_max");
}

/* ---- the next actor in the same slot ---- */

static struct {
    uint32_t ghosts;
    uint32_t ticks;
    uint32_t lives;
    uint32_t same_slot;
    uint32_t last_index;
} lives;

enum { MORTAL_GHOST = SL_MSG_USER, MORTAL_TICK };

struct mortal {
    struct sl_timer timer[2];
    bool            heir;
};

/* Every other life arms ghosts and dies at once or with the expiry in its mailbox; its heir arms
 * nothing of that kind and must never hear of them. */
static enum sl_err mortal_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct mortal *m = self;

    (void)args;
    m->heir = lives.lives++ % 2 == 1;
    if (m->heir) {
        lives.same_slot += sl_self(ctx).index == lives.last_index;
        sl_timer_arm(ctx, &m->timer[0], MORTAL_TICK, 3);
        return SL_OK;
    }
    lives.last_index = sl_self(ctx).index;
    sl_timer_arm(ctx, &m->timer[0], MORTAL_GHOST, sl_prng_below(sl_random(ctx), 2));
    sl_timer_arm(ctx, &m->timer[1], MORTAL_GHOST, sl_prng_below(sl_random(ctx), 4));
    if (sl_prng_chance(sl_random(ctx), 1, 2))
        sl_stop(ctx);
    return SL_OK;
}

static enum sl_err mortal_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct mortal *m = self;

    if (m->heir) {
        lives.ghosts += msg->type == MORTAL_GHOST;
        lives.ticks += msg->type == MORTAL_TICK;
    }
    sl_stop(ctx); /* the first ghost ends its owner: the second one is left behind */
    return SL_OK;
}

static const struct sl_actor_class mortal_class = {
    .name = "mortal",
    .state_bytes = sizeof(struct mortal),
    .timers_max = 2,
    .start = mortal_start,
    .handle = mortal_handle,
};
static const struct sl_topology_actor mortal_actors[] = {{&stage_root_class, 1},
                                                         {&mortal_class, 1}};
static const struct sl_topology       mortal_topology = {
          .program = "mortal", .actors = mortal_actors, .actor_count = 2};

static void spawn_mortal(struct sl_ctx *ctx)
{
    struct sl_ref ref;

    assert_int_equal(sl_spawn(ctx, &mortal_class, NULL, 0, &ref), SL_OK);
}

static enum sl_err spawn_the_next(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    assert_int_equal(msg->type, SL_MSG_CHILD_ENDED);
    if (lives.lives < LIVES)
        spawn_mortal(ctx);
    return SL_OK;
}

static bool all_lived(struct sl_ctx *ctx)
{
    (void)ctx;
    return lives.ticks == LIVES / 2;
}

static void reset_lives(void)
{
    memset(&lives, 0, sizeof lives);
}

static uint32_t same_slots;

static void check_lives(void)
{
    assert_int_equal(lives.ghosts, 0);
    same_slots += lives.same_slot;
}

static void timers_of_the_dead_do_not_reach_their_heirs(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_mortal}, {.ready = all_lived}};
    const struct stage              stage = {STAGE(scenes), .system = spawn_the_next};

    (void)state;
    stage_play(&stage, &mortal_topology, reset_lives, check_lives);
    assert_true(same_slots > STAGE_SEEDS); /* the slot was inherited often enough */
}

/* ---- on threads ---- */

static struct {
    _Atomic uint32_t fired;
    _Atomic uint32_t early;
    _Atomic uint32_t twice;
} threads;

struct clocked {
    struct sl_timer timer[THREAD_TIMERS];
    sl_nanos        due[THREAD_TIMERS];
    struct sl_timer rearmed;
    uint32_t        rearms;
};

enum { CLOCKED_FIRST = SL_MSG_USER, CLOCKED_REARMED = CLOCKED_FIRST + THREAD_TIMERS, REARMS = 200 };

/* The time of a turn is its start, the delay counts from the call: never early by the turn's time.
 */
static enum sl_err clocked_start(struct sl_ctx *ctx, void *self, const void *args)
{
    static const uint64_t delay_ms[THREAD_TIMERS] = {20, 5, 0, 1, 11};
    struct clocked       *c = self;

    (void)args;
    for (unsigned i = 0; i < THREAD_TIMERS; i++) {
        c->due[i] = sl_now(ctx) + delay_ms[i] * SL_NANOS_PER_MS;
        sl_timer_arm(ctx, &c->timer[i], CLOCKED_FIRST + i, delay_ms[i]);
    }
    sl_timer_arm(ctx, &c->rearmed, CLOCKED_REARMED, 0);
    return SL_OK;
}

/* Give the clock's thread some time to put the expiry into the mailbox, and arm again: it may then
 * fire the new request while this thread reads the old expiry. ThreadSanitizer watches. */
static void rearm_over_an_expiry(struct sl_ctx *ctx, struct clocked *c)
{
    if (c->rearms++ == REARMS)
        return;
    sl_timer_arm(ctx, &c->rearmed, CLOCKED_REARMED, 0);
    if (c->rearms % 2 == 0)
        sl_timer_arm(ctx, &c->rearmed, CLOCKED_REARMED, 0);
    for (uint32_t i = 0; i < c->rearms * 100; i++)
        atomic_load(&threads.fired); /* a little while, a different one each time */
    sl_timer_arm(ctx, &c->rearmed, CLOCKED_REARMED, 0);
}

static enum sl_err clocked_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct clocked *c = self;

    if (msg->type == CLOCKED_REARMED) {
        rearm_over_an_expiry(ctx, c);
    } else {
        unsigned i = msg->type - (unsigned)CLOCKED_FIRST;

        if (sl_now(ctx) < c->due[i])
            atomic_fetch_add(&threads.early, 1);
        if (c->due[i] == UINT64_MAX)
            atomic_fetch_add(&threads.twice, 1);
        c->due[i] = UINT64_MAX;
        atomic_fetch_add(&threads.fired, 1);
    }
    if (atomic_load(&threads.fired) == THREAD_TIMERS && c->rearms > REARMS)
        sl_stop(ctx);
    return SL_OK;
}

static const struct sl_actor_class clocked_class = {
    .name = "clocked",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct clocked),
    .timers_max = THREAD_TIMERS + 1,
    .start = clocked_start,
    .handle = clocked_handle,
};
static const struct sl_topology_actor clocked_actors[] = {{&clocked_class, 1}};
static const struct sl_topology       clocked_topology = {
          .program = "clocked", .actors = clocked_actors, .actor_count = 1};

static void on_threads_no_timer_fires_early_or_twice(void **state)
{
    struct sl_runtime_options options = {.env = sl_env_os(), .topology = &clocked_topology};
    struct sl_runtime        *rt;
    struct sl_why             why = {0};

    (void)state;
    assert_int_equal(sl_runtime_new(&options, &rt, &why), SL_OK);
    assert_int_equal(sl_runtime_start(rt, NULL, 0, &why), SL_OK);
    assert_int_equal(sl_runtime_wait(rt, &why), SL_OK);
    sl_runtime_free(&rt);
    assert_int_equal(threads.fired, THREAD_TIMERS);
    assert_int_equal(threads.early, 0);
    assert_int_equal(threads.twice, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_by_due_time_then_by_arming),
        cmocka_unit_test(delays_are_exact_in_virtual_time),
        cmocka_unit_test(a_delay_of_nothing_fires_at_once),
        cmocka_unit_test(arming_again_replaces_and_disarming_takes_back),
        cmocka_unit_test(an_expiry_in_the_mailbox_does_not_show_after_disarming),
        cmocka_unit_test(more_timers_than_the_class_declares_panic),
        cmocka_unit_test(timers_of_the_dead_do_not_reach_their_heirs),
        cmocka_unit_test(on_threads_no_timer_fires_early_or_twice),
    };

    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
