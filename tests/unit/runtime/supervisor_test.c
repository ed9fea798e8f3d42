/* Supervision, in virtual time: how long a failed child waits, what is forgotten, and when its
 * parent gives up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "lib/sim.h"
#include "lib/stage.h"
#include "runtime/supervisor.h"

enum { STARTS_MAX = 32, STEPS_MAX = 100000, SLACK_NANOS = 100 * SL_NANOS_PER_US };
enum { CHILD_DIE = SL_MSG_USER };
enum { BOSS_RESTART = SL_MSG_USER, BOSS_QUIT = BOSS_RESTART + 2 };

/* How long the nth life lasts (0: its start fails), and the error at its end. */
struct life {
    uint64_t    ms;
    enum sl_err err;
};

static const struct life          *lives;
static const struct sl_child_spec *spec;

static struct {
    sl_nanos      started[STARTS_MAX];
    sl_nanos      ended[STARTS_MAX];
    uint32_t      starts;
    uint32_t      told; /* on_start */
    bool          quit;
    struct sl_ref last;
} seen;

/* ---- child: lives as the table says ---- */

struct child {
    struct sl_timer timer;
    struct life     life;
};

static enum sl_err die(struct sl_ctx *ctx, struct child *c)
{
    seen.ended[seen.starts - 1] = sl_now(ctx);
    if (c->life.err == SL_OK)
        sl_stop(ctx);
    return c->life.err == SL_OK ? SL_OK : sl_fail(sl_why(ctx), c->life.err, "out of luck");
}

static enum sl_err child_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct child *c = self;

    assert_int_equal(*(const int *)args, 7); /* the same arguments each time */
    assert_true(seen.starts < STARTS_MAX);
    c->life = lives[seen.starts];
    seen.started[seen.starts++] = sl_now(ctx);
    if (c->life.ms == 0)
        return die(ctx, c);
    sl_timer_arm(ctx, &c->timer, CHILD_DIE, c->life.ms);
    return SL_OK;
}

static enum sl_err child_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)msg;
    return die(ctx, self);
}

static const struct sl_actor_class child_class = {
    .name = "child",
    .state_bytes = sizeof(struct child),
    .timers_max = 1,
    .start = child_start,
    .handle = child_handle,
};

/* ---- boss: one child under supervision, and one that is not ---- */

struct boss {
    struct sl_supervisor sup;
    struct sl_supervised children[2];
    struct sl_timer      quit;
};

static void note_start(struct sl_ctx *ctx, void *parent, uint32_t index, struct sl_ref ref)
{
    const struct boss *b = parent;

    (void)ctx;
    assert_int_equal(index, 0);
    assert_false(sl_ref_equal(ref, seen.last)); /* a new actor each time */
    assert_true(sl_ref_equal(sl_supervisor_ref(&b->sup, 0), ref));
    assert_int_equal(b->children[0].state, SL_CHILD_RUNNING);
    seen.last = ref;
    seen.told++;
}

static enum sl_err boss_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct boss *b = self;
    int          seven = 7;
    uint32_t     index;

    (void)args;
    sl_supervisor_init(&b->sup, b->children, 2, BOSS_RESTART, note_start, b);
    assert_int_equal(sl_supervisor_add(ctx, &b->sup, spec, &seven, sizeof seven, &index), SL_OK);
    assert_int_equal(index, 0);
    return SL_OK;
}

static enum sl_err boss_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct boss *b = self;

    if (msg->type == BOSS_QUIT) {
        seen.quit = true;
        sl_stop(ctx);
        return SL_OK;
    }
    return sl_supervisor_timer(ctx, &b->sup, msg);
}

static enum sl_err boss_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;
    struct boss                 *b = self;
    struct sl_child_ended        stranger = {.child = {.index = 0, .generation = 77}};
    enum sl_err                  err;
    bool                         ours = true;

    assert_int_equal(msg->type, SL_MSG_CHILD_ENDED);
    assert_int_equal(sl_supervisor_ended(ctx, &b->sup, &stranger, &ours), SL_OK);
    assert_false(ours);
    err = sl_supervisor_ended(ctx, &b->sup, ended, &ours);
    assert_true(ours);
    assert_int_equal(sl_supervisor_ref(&b->sup, 0).generation, 0); /* nobody while it waits */
    if (err != SL_OK)
        return err;
    if (ended->err == SL_OK) {
        assert_int_equal(b->children[0].state, SL_CHILD_ENDED);
        sl_timer_arm(ctx, &b->quit, BOSS_QUIT, 100000); /* time for a restart that must not be */
        return SL_OK;
    }
    assert_int_equal(b->children[0].state, SL_CHILD_WAITING);
    assert_int_equal(b->children[0].err, ended->err);
    assert_string_equal(b->children[0].why.text, "out of luck");
    return SL_OK;
}

static const struct sl_actor_class boss_class = {
    .name = "boss",
    .state_bytes = sizeof(struct boss),
    .timers_max = 3,
    .children_max = 2,
    .start = boss_start,
    .handle = boss_handle,
    .system = boss_system,
};
static const struct sl_topology_actor actors[] = {{&boss_class, 1}, {&child_class, 1}};
static const struct sl_topology       topology = {
          .program = "supervision", .actors = actors, .actor_count = 2};

/* Run under many seeds; the boss must end so each time, after so many starts. */
static void play(const struct sl_child_spec *with, const struct life *table, enum sl_err err,
                 const char *text, uint32_t starts, void (*check)(void))
{
    spec = with;
    lives = table;
    for (uint64_t seed = 1; seed <= STAGE_SEEDS; seed++) {
        struct sim_run run;

        memset(&seen, 0, sizeof seen);
        run = sim_run(&topology, NULL, 0, seed, STEPS_MAX);
        assert_int_equal(run.err, err);
        assert_string_equal(run.why.text, text);
        assert_int_equal(seen.starts, starts);
        assert_int_equal(seen.told, starts);
        if (check != NULL)
            check();
    }
}

/* Start number n (from 1) came so long after the end before it. */
static void assert_waited(uint32_t n, uint64_t ms)
{
    sl_nanos waited = seen.started[n] - seen.ended[n - 1];

    assert_true(waited >= ms * SL_NANOS_PER_MS);
    assert_true(waited < ms * SL_NANOS_PER_MS + SLACK_NANOS);
}

static const struct sl_child_spec patient = {
    .class_of = &child_class,
    .restart = SL_RESTART_ON_FAILURE,
    .backoff_min_ms = 10,
    .backoff_max_ms = 70,
    .failures_max = 6,
    .healthy_ms = 1000,
};

static void check_doubling(void)
{
    static const uint64_t wanted_ms[] = {10, 20, 40, 70, 70, 70};

    for (uint32_t i = 0; i < 6; i++)
        assert_waited(i + 1, wanted_ms[i]);
}

static void the_wait_doubles_up_to_its_maximum_then_the_parent_gives_up(void **state)
{
    static const struct life always[STARTS_MAX] = {
        {0, SL_IO}, {0, SL_IO}, {5, SL_IO}, {0, SL_IO}, {999, SL_IO}, {0, SL_IO}, {0, SL_RESET}};

    (void)state;
    play(&patient, always, SL_RESET, "child failed 7 times in a row: out of luck", 7,
         check_doubling);
}

static void check_forgotten(void)
{
    static const uint64_t wanted_ms[] = {10, 20, 40, 10, 20, 10, 10};

    for (uint32_t i = 0; i < 7; i++)
        assert_waited(i + 1, wanted_ms[i]);
    assert_true(seen.quit);
}

static void failures_are_forgotten_after_a_healthy_life(void **state)
{
    static const struct life table[STARTS_MAX] = {{0, SL_IO},    {0, SL_IO}, {0, SL_IO},
                                                  {1001, SL_IO}, {0, SL_IO}, {5000, SL_IO},
                                                  {1001, SL_IO}, {1, SL_OK}};

    (void)state;
    play(&patient, table, SL_OK, "", 8, check_forgotten);
}

static void check_quit(void)
{
    assert_true(seen.quit);
}

static void an_orderly_end_is_final(void **state)
{
    static const struct sl_child_spec never = {.class_of = &child_class,
                                               .restart = SL_RESTART_NEVER,
                                               .backoff_min_ms = 1,
                                               .backoff_max_ms = 1};
    static const struct life          table[STARTS_MAX] = {{3, SL_OK}};

    (void)state;
    play(&patient, table, SL_OK, "", 1, check_quit);
    play(&never, table, SL_OK, "", 1, check_quit);
}

static void a_child_that_is_never_restarted_escalates_its_first_error(void **state)
{
    static const struct sl_child_spec never = {.class_of = &child_class,
                                               .restart = SL_RESTART_NEVER,
                                               .backoff_min_ms = 1,
                                               .backoff_max_ms = 1,
                                               .failures_max = 10};
    static const struct life          table[STARTS_MAX] = {{3, SL_IO}};

    (void)state;
    play(&never, table, SL_IO, "child: out of luck", 1, NULL);
}

static void damaged_data_escalates_at_once(void **state)
{
    static const struct life table[STARTS_MAX] = {{0, SL_IO}, {3, SL_CORRUPT}};

    (void)state;
    play(&patient, table, SL_CORRUPT, "child: out of luck", 2, NULL);
}

static void no_failures_allowed_means_none(void **state)
{
    static const struct sl_child_spec strict = {.class_of = &child_class,
                                                .restart = SL_RESTART_ON_FAILURE,
                                                .backoff_min_ms = 1,
                                                .backoff_max_ms = 1,
                                                .failures_max = 0,
                                                .healthy_ms = 1000};
    static const struct life          table[STARTS_MAX] = {{0, SL_IO}};

    (void)state;
    play(&strict, table, SL_IO, "child failed 1 times in a row: out of luck", 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_doubles_up_to_its_maximum_then_the_parent_gives_up),
        cmocka_unit_test(failures_are_forgotten_after_a_healthy_life),
        cmocka_unit_test(an_orderly_end_is_final),
        cmocka_unit_test(a_child_that_is_never_restarted_escalates_its_first_error),
        cmocka_unit_test(damaged_data_escalates_at_once),
        cmocka_unit_test(no_failures_allowed_means_none),
    };

    return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}
