/* The thread pool: every lane has threads of its own, one may stop it from anywhere, a machine
 * without threads is refused and freed again, and what the watchdog and the status pages say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "lib/stage.h"

enum { ROUNDS = 1000, BURST = 5, STOPPERS = 4, RESPAWNS = 5000, FAMILY = 8 };
enum line { LINE_MAIL, LINES };

static struct {
    _Atomic uint32_t ran[SL_LANES];
    _Atomic uint32_t blocked;
    _Atomic uint32_t released; /* the blockers wait for 1 */
    _Atomic uint32_t passed_while_blocked;
    _Atomic uint32_t handled;
    _Atomic uint32_t ended;
    _Atomic uint32_t failures;
} seen;

static void reset(void)
{
    memset(&seen, 0, sizeof seen);
}

static struct sl_runtime_options on(const struct sl_topology *topology)
{
    return (struct sl_runtime_options){.env = sl_env_os(), .topology = topology};
}

static void play(const struct stage *stage, struct sl_runtime_options options)
{
    struct sl_why why = {0};

    if (stage_play_on_threads(stage, options, &why) != SL_OK)
        fail_msg("%s", why.text);
}

static void spawn(struct sl_ctx *ctx, const struct sl_actor_class *class_of)
{
    struct sl_ref ref;

    if (sl_spawn(ctx, class_of, NULL, 0, &ref) != SL_OK)
        atomic_fetch_add(&seen.failures, 1);
}

/* ---- lanes ---- */

static enum sl_err ignore(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

static void note_lane(enum sl_lane lane)
{
    atomic_fetch_add(&seen.ran[lane], 1);
}

#define START_ON(name, lane)                                                  \
    static enum sl_err name(struct sl_ctx *ctx, void *self, const void *args) \
    {                                                                         \
        (void)ctx;                                                            \
        (void)self;                                                           \
        (void)args;                                                           \
        note_lane(lane);                                                      \
        return SL_OK;                                                         \
    }

START_ON(start_compute, SL_LANE_COMPUTE)
START_ON(start_disk, SL_LANE_DISK)
START_ON(start_sync, SL_LANE_SYNC)
START_ON(start_peer, SL_LANE_PEER)
START_ON(start_io, SL_LANE_IO)

static const struct sl_actor_class of_lane[SL_LANES] = {
    {.name = "compute", .lane = SL_LANE_COMPUTE, .start = start_compute, .handle = ignore},
    {.name = "disk", .lane = SL_LANE_DISK, .start = start_disk, .handle = ignore},
    {.name = "sync", .lane = SL_LANE_SYNC, .start = start_sync, .handle = ignore},
    {.name = "peer", .lane = SL_LANE_PEER, .start = start_peer, .handle = ignore},
    {.name = "io", .lane = SL_LANE_IO, .start = start_io, .handle = ignore},
};

static const struct sl_topology_actor lane_actors[] = {{&stage_root_class, 1}, {&of_lane[0], 2},
                                                       {&of_lane[1], 2},       {&of_lane[2], 2},
                                                       {&of_lane[3], 2},       {&of_lane[4], 2}};
static const struct sl_topology       lane_topology = {
          .program = "lanes", .actors = lane_actors, .actor_count = STAGE_COUNT(lane_actors)};

static void spawn_two_of_each_lane(struct sl_ctx *ctx)
{
    for (unsigned lane = 0; lane < SL_LANES; lane++) {
        spawn(ctx, &of_lane[lane]);
        spawn(ctx, &of_lane[lane]);
    }
}

static bool two_of_each_lane_ran(struct sl_ctx *ctx)
{
    (void)ctx;
    for (unsigned lane = 0; lane < SL_LANES; lane++) {
        if (atomic_load(&seen.ran[lane]) < 2)
            return false;
    }
    return true;
}

static void actors_of_every_lane_run(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_two_of_each_lane},
                                                {.ready = two_of_each_lane_ran}};
    const struct stage              stage = {STAGE(scenes)};

    (void)state;
    reset();
    play(&stage, on(&lane_topology));
    assert_int_equal(seen.failures, 0);
}

/* ---- blocking ---- */

static enum sl_err block(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_threads *threads = sl_env(ctx)->threads;

    (void)self;
    (void)args;
    atomic_fetch_add(&seen.blocked, 1);
    while (atomic_load(&seen.released) == 0)
        threads->park(threads, &seen.released, 0, UINT64_MAX);
    return SL_OK;
}

static const struct sl_actor_class disk_blocker = {
    .name = "disk_blocker", .lane = SL_LANE_DISK, .start = block, .handle = ignore};
static const struct sl_actor_class sync_blocker = {
    .name = "sync_blocker", .lane = SL_LANE_SYNC, .start = block, .handle = ignore};
static const struct sl_actor_class peer_blocker = {
    .name = "peer_blocker", .lane = SL_LANE_PEER, .start = block, .handle = ignore};

/* Passes a message to itself by way of a timer, and its twin: turns of the compute lane. */
struct runner {
    struct sl_timer again;
    uint32_t        rounds;
};

static enum sl_err runner_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)args;
    sl_timer_arm(ctx, &((struct runner *)self)->again, SL_MSG_USER, 0);
    return SL_OK;
}

static enum sl_err runner_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct runner *r = self;

    (void)msg;
    if (++r->rounds < ROUNDS)
        sl_timer_arm(ctx, &r->again, SL_MSG_USER, 0);
    else
        atomic_fetch_add(&seen.passed_while_blocked, atomic_load(&seen.released) == 0);
    return SL_OK;
}

static const struct sl_actor_class runner_class = {
    .name = "runner",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct runner),
    .timers_max = 1,
    .start = runner_start,
    .handle = runner_handle,
};

static const struct sl_topology_actor blocking_actors[] = {{&stage_root_class, 1},
                                                           {&disk_blocker, SL_DISK_THREADS},
                                                           {&sync_blocker, 2},
                                                           {&peer_blocker, 2},
                                                           {&runner_class, 4}};

static const struct sl_topology blocking_topology = {
    .program = "blocking", .actors = blocking_actors, .actor_count = STAGE_COUNT(blocking_actors)};

enum { BLOCKERS = SL_DISK_THREADS + 4 };

static void spawn_blockers(struct sl_ctx *ctx)
{
    for (unsigned i = 0; i < SL_DISK_THREADS; i++)
        spawn(ctx, &disk_blocker);
    for (unsigned i = 0; i < 2; i++) {
        spawn(ctx, &sync_blocker);
        spawn(ctx, &peer_blocker);
    }
}

static bool all_blocked(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.blocked) == BLOCKERS;
}

static void spawn_runners(struct sl_ctx *ctx)
{
    for (unsigned i = 0; i < 4; i++)
        spawn(ctx, &runner_class);
}

static bool all_passed(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.passed_while_blocked) == 4;
}

static void release(struct sl_ctx *ctx)
{
    struct sl_threads *threads = sl_env(ctx)->threads;

    atomic_store(&seen.released, 1);
    threads->wake(threads, &seen.released, UINT32_MAX);
}

static void actors_that_block_do_not_hold_up_compute(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_blockers},
                                                {.play = spawn_runners, .ready = all_blocked},
                                                {.play = release, .ready = all_passed}};
    const struct stage              stage = {STAGE(scenes)};

    (void)state;
    reset();
    play(&stage, on(&blocking_topology));
    assert_int_equal(seen.failures, 0);
}

/* ---- figures ---- */

static const char *const reader_msgs[] = {"PAGE"};

static enum sl_err reader_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    atomic_fetch_add(&seen.handled, 1);
    return SL_OK;
}

static const struct sl_actor_class    reader_class = {.name = "reader",
                                                      .msg_names = reader_msgs,
                                                      .msg_count = 1,
                                                      .lane = SL_LANE_COMPUTE,
                                                      .handle = reader_handle};
static const struct sl_topology_actor reader_actors[] = {{&stage_root_class, 1},
                                                         {&reader_class, 1}};
static const struct sl_topology_line  reader_lines[LINES] = {
     [LINE_MAIL] = {.name = "mail",
                    .credits = BURST + 1,
                    .inputs = 1,
                    .path = {&stage_root_class, &reader_class}},
};
static const struct sl_topology reader_topology = STAGE_TOPOLOGY(reader_actors, reader_lines);

static struct sl_ref         reader;
static struct sl_actor_stats reader_stats;
static uint32_t              visited;

static void send_a_burst(struct sl_ctx *ctx)
{
    if (sl_spawn(ctx, &reader_class, NULL, 0, &reader) != SL_OK)
        atomic_fetch_add(&seen.failures, 1);
    for (unsigned i = 0; i < BURST; i++) {
        struct sl_msg *msg = sl_msg_alloc(sizeof *msg, SL_MSG_USER, NULL);

        if (sl_send_msg(ctx, sl_line(ctx, LINE_MAIL, 0), reader, msg, &msg) != SL_OK)
            atomic_fetch_add(&seen.failures, 1);
    }
}

static bool burst_read(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.handled) == BURST;
}

static void visit(void *context, const struct sl_actor_stats *stats)
{
    (void)context;
    visited++;
    if (strcmp(stats->class_name, "reader") == 0)
        reader_stats = *stats;
}

static void visit_all(struct sl_ctx *ctx)
{
    (void)ctx;
    sl_runtime_visit(stage_runtime(), visit, NULL);
}

static void a_visit_tells_the_figures_of_living_actors(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_a_burst}, {.ready = burst_read}, {.play = visit_all}};
    const struct stage        stage = {STAGE(scenes)};
    struct sl_runtime_options options = on(&reader_topology);

    (void)state;
    reset();
    visited = 0;
    options.compute_threads =
        1; /* so the whole burst is there when the reader's first turn begins */
    play(&stage, options);
    assert_int_equal(seen.failures, 0);
    assert_int_equal(visited, 2);
    assert_true(sl_ref_equal(reader_stats.ref, reader));
    assert_int_equal(reader_stats.messages, BURST);
    assert_int_equal(reader_stats.turns, 1);
    assert_int_equal(reader_stats.mailbox_now, 0);
    assert_int_equal(reader_stats.mailbox_high, BURST);
    assert_int_equal(reader_stats.mailbox_items, BURST + 1 + SL_SYSTEM_MAIL);
    assert_string_equal(reader_stats.longest_message, "PAGE");
    assert_true(reader_stats.longest > 0 && reader_stats.longest <= reader_stats.busy);
}

/* ---- watchdog ---- */

enum { LIMIT_S = 60 };

/* A clock that runs ahead, so that a minute of its time takes less. */
struct fast_clock {
    struct sl_clock clock; /* first: what the runtime holds */
    uint64_t        speed;
};

static sl_nanos fast_now(struct sl_clock *clock)
{
    return sl_env_now(sl_env_os()) * ((struct fast_clock *)clock)->speed;
}

static _Atomic uint32_t      stuck_reports;
static _Atomic(const char *) stuck_actor;
static _Atomic(const char *) stuck_message;
static _Atomic uint64_t      stuck_nanos;

static void on_stuck(const char *actor, const char *message, sl_nanos running)
{
    atomic_store(&stuck_actor, actor);
    atomic_store(&stuck_message, message);
    atomic_store(&stuck_nanos, running);
    atomic_fetch_add(&stuck_reports, 1);
}

/* Until the report comes, and then long enough for two further looks. */
static enum sl_err spin(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    sl_nanos limit = sl_env_now(sl_env_os()) + (sl_nanos)LIMIT_S * SL_NANOS_PER_S;
    sl_nanos until;

    (void)ctx;
    (void)self;
    (void)msg;
    while (atomic_load(&stuck_reports) == 0 && sl_env_now(sl_env_os()) < limit)
        continue;
    until = sl_env_now(sl_env_os()) + (sl_nanos)2 * SL_WATCHDOG_PERIOD_MS * SL_NANOS_PER_MS;
    while (sl_env_now(sl_env_os()) < until)
        continue;
    atomic_fetch_add(&seen.handled, 1);
    return SL_OK;
}

static const struct sl_actor_class spinner_class = {
    .name = "spinner",
    .msg_names = reader_msgs,
    .msg_count = 1,
    .lane = SL_LANE_COMPUTE,
    .handle = spin,
};
static const struct sl_topology_actor spinner_actors[] = {{&stage_root_class, 1},
                                                          {&spinner_class, 1}};
static const struct sl_topology_line  spinner_lines[LINES] = {
     [LINE_MAIL] = {.name = "mail",
                    .credits = 1,
                    .inputs = 1,
                    .path = {&stage_root_class, &spinner_class}},
};
static const struct sl_topology spinner_topology = STAGE_TOPOLOGY(spinner_actors, spinner_lines);

static void spawn_spinner(struct sl_ctx *ctx)
{
    struct sl_msg *msg = sl_msg_alloc(sizeof *msg, SL_MSG_USER, NULL);

    if (sl_spawn(ctx, &spinner_class, NULL, 0, &reader) != SL_OK ||
        sl_send_msg(ctx, sl_line(ctx, LINE_MAIL, 0), reader, msg, &msg) != SL_OK)
        atomic_fetch_add(&seen.failures, 1);
}

static bool spun(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.handled) == 1;
}

static void play_fast(const struct stage *stage, struct sl_runtime_options options, uint64_t speed)
{
    struct fast_clock fast = {.clock = *sl_env_os()->clock, .speed = speed};
    struct sl_env     env = *sl_env_os();

    reset();
    atomic_store(&stuck_reports, 0);
    fast.clock.now = fast_now;
    env.clock = &fast.clock;
    options.env = &env;
    options.on_stuck = on_stuck;
    play(stage, options);
    assert_int_equal(seen.failures, 0);
    assert_int_equal(stuck_reports, 1);
}

static void a_handler_that_runs_too_long_is_reported_once(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_spinner}, {.ready = spun}};
    const struct stage              stage = {STAGE(scenes)};
    struct sl_runtime_options       options = on(&spinner_topology);

    (void)state;
    options.compute_threads = 2;
    play_fast(&stage, options, 16);
    assert_string_equal(stuck_actor, "spinner");
    assert_string_equal(stuck_message, "PAGE");
    assert_true(stuck_nanos >= (sl_nanos)SL_STUCK_COMPUTE_MS * SL_NANOS_PER_MS);
}

static enum sl_err spin_and_stop(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)args;
    sl_stop(ctx);
    return spin(ctx, self, NULL);
}

static const struct sl_actor_class waiter_root = {
    .name = "waiter", .lane = SL_LANE_SYNC, .start = spin_and_stop, .handle = ignore};
static const struct sl_topology_actor waiter_actors[] = {{&waiter_root, 1}};
static const struct sl_topology       waiter_topology = {
          .program = "waiter", .actors = waiter_actors, .actor_count = 1};

static void lanes_that_may_wait_are_given_longer(void **state)
{
    const struct stage stage = {0};

    (void)state;
    play_fast(&stage, on(&waiter_topology), 1024);
    assert_string_equal(stuck_actor, "waiter");
    assert_string_equal(stuck_message, "start");
    assert_true(stuck_nanos >= (sl_nanos)SL_STUCK_BLOCKING_MS * SL_NANOS_PER_MS);
}

/* ---- stopping from outside ---- */

static struct sl_runtime *to_stop;

static void stop_twice(void *argument)
{
    (void)argument;
    sl_runtime_stop(to_stop);
    sl_runtime_stop(to_stop);
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP) {
        atomic_fetch_add(&seen.handled, 1);
        sl_stop(ctx);
    }
    return SL_OK;
}

static const struct sl_actor_class    waiting_root = {.name = "root",
                                                      .lane = SL_LANE_COMPUTE,
                                                      .children_max = 1,
                                                      .handle = ignore,
                                                      .system = root_system};
static const struct sl_topology_actor waiting_actors[] = {{&waiting_root, 1}};
static const struct sl_topology       waiting_topology = {
          .program = "waiting", .actors = waiting_actors, .actor_count = 1};

static void other_threads_may_stop_the_runtime_any_number_of_times(void **state)
{
    struct sl_threads        *threads = sl_env_os()->threads;
    struct sl_runtime_options options = on(&waiting_topology);
    struct sl_thread         *thread[STOPPERS];
    struct sl_why             why = {0};

    (void)state;
    reset();
    assert_int_equal(sl_runtime_new(&options, &to_stop, &why), SL_OK);
    assert_int_equal(sl_runtime_start(to_stop, NULL, 0, &why), SL_OK);
    for (unsigned i = 0; i < STOPPERS; i++)
        assert_int_equal(threads->start(threads, "stop", stop_twice, NULL, &thread[i], &why),
                         SL_OK);
    assert_int_equal(sl_runtime_wait(to_stop, &why), SL_OK);
    for (unsigned i = 0; i < STOPPERS; i++)
        threads->join(threads, &thread[i]);
    sl_runtime_stop(to_stop); /* it has ended: nothing */
    assert_int_equal(sl_runtime_wait(to_stop, &why), SL_OK);
    sl_runtime_free(&to_stop);
    assert_null(to_stop);
    assert_int_equal(seen.handled, 1); /* STOP came once */
}

/* ---- told from outside ---- */

enum { TELL = SL_MSG_USER, TELLS = 3 };

struct tell {
    struct sl_msg hdr;
    uint64_t      number;
};

/* All of them must come, in their order, before it stops; each is kept until then. */
struct hearing_root {
    struct sl_msg *heard[TELLS]; /* owned */
    uint32_t       count;
};

static enum sl_err hear(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct hearing_root *r = self;

    if (((const struct tell *)(const void *)msg)->number != r->count)
        atomic_fetch_add(&seen.failures, 1);
    r->heard[r->count++] = sl_take(ctx);
    if (r->count == TELLS)
        sl_stop(ctx);
    return SL_OK;
}

static void stop_hearing(struct sl_ctx *ctx, void *self)
{
    struct hearing_root *r = self;

    (void)ctx;
    for (uint32_t i = 0; i < r->count; i++)
        sl_msg_discard(r->heard[i], &r->heard[i]);
}

static const struct sl_actor_class hearing_class = {.name = "root",
                                                    .lane = SL_LANE_COMPUTE,
                                                    .state_bytes = sizeof(struct hearing_root),
                                                    .handle = hear,
                                                    .stop = stop_hearing};

static const struct sl_topology_actor hearing_actors[] = {{&hearing_class, 1}};

static const struct sl_topology_line hearing_lines[] = {
    {.name = "tell", .credits = TELLS, .inputs = 1, .path = {&sl_outside_class, &hearing_class}}};

static const struct sl_topology hearing_topology = {.program = "hearing",
                                                    .actors = hearing_actors,
                                                    .actor_count = 1,
                                                    .lines = hearing_lines,
                                                    .line_count = 1};

static struct sl_msg *make_tell(void *number)
{
    struct tell *tell = sl_msg_new(struct tell, TELL);

    tell->number = *(const uint64_t *)number;
    return &tell->hdr;
}

static void the_root_is_told_from_outside_within_the_credits(void **state)
{
    struct sl_runtime_options options = on(&hearing_topology);
    struct sl_runtime        *rt;
    struct sl_why             why = {0};
    enum sl_err               err;

    (void)state;
    reset();
    assert_int_equal(sl_runtime_new(&options, &rt, &why), SL_OK);
    assert_int_equal(sl_runtime_start(rt, NULL, 0, &why), SL_OK);
    for (uint64_t i = 0; i < TELLS; i++)
        assert_int_equal(sl_runtime_tell(rt, 0, make_tell, &i), SL_OK);
    err = sl_runtime_tell(rt, 0, make_tell, &(uint64_t){TELLS});
    assert_true(err == SL_FULL || err == SL_OK); /* SL_OK: it has ended, and credits are home */
    assert_int_equal(sl_runtime_wait(rt, &why), SL_OK);
    err = sl_runtime_tell(rt, 0, make_tell, &(uint64_t){TELLS}); /* to nobody */
    assert_true(err == SL_FULL || err == SL_OK);
    sl_runtime_free(&rt);
    assert_int_equal(seen.failures, 0);
}

/* ---- lives in quick succession ---- */

static enum sl_err stop_at_once(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)self;
    (void)args;
    sl_stop(ctx);
    return SL_OK;
}

static const struct sl_actor_class mayfly_class = {
    .name = "mayfly", .lane = SL_LANE_COMPUTE, .start = stop_at_once, .handle = ignore};
static const struct sl_topology_actor mayfly_actors[] = {{&stage_root_class, 1},
                                                         {&mayfly_class, FAMILY}};
static const struct sl_topology       mayfly_topology = {
          .program = "mayflies", .actors = mayfly_actors, .actor_count = 2};

static void spawn_family(struct sl_ctx *ctx)
{
    for (unsigned i = 0; i < FAMILY; i++)
        spawn(ctx, &mayfly_class);
}

static enum sl_err respawn(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    (void)msg;
    if (atomic_fetch_add(&seen.ended, 1) + FAMILY < RESPAWNS)
        spawn(ctx, &mayfly_class);
    return SL_OK;
}

static bool all_lived(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&seen.ended) + atomic_load(&seen.failures) >= RESPAWNS;
}

/* The parent's turn may go on while its children live and die on another thread, many times over.
 */
static void a_child_may_be_replaced_the_moment_its_end_is_heard(void **state)
{
    static const struct stage_scene scenes[] = {{.play = spawn_family}, {.ready = all_lived}};
    const struct stage              stage = {STAGE(scenes), .system = respawn};
    struct sl_runtime_options       options = on(&mayfly_topology);

    (void)state;
    reset();
    options.compute_threads = 4;
    play(&stage, options);
    assert_int_equal(seen.failures, 0);
}

/* ---- no threads to be had ---- */

struct refusing {
    struct sl_threads threads; /* first: what the runtime holds */
    _Atomic uint32_t  started;
    uint32_t          refused; /* this start and all after it fail */
};

static enum sl_err start_or_refuse(struct sl_threads *threads, const char *name,
                                   sl_thread_main body, void *argument, struct sl_thread **out,
                                   struct sl_why *why)
{
    struct refusing   *r = (struct refusing *)threads;
    struct sl_threads *os = sl_env_os()->threads;

    if (atomic_fetch_add(&r->started, 1) + 1 >= r->refused)
        return sl_fail(why, SL_SYSTEM, "start thread %s: refused", name);
    return os->start(os, name, body, argument, out, why);
}

static enum sl_err spawning_root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_ref ref;

    (void)self;
    (void)args;
    sl_stop(ctx);
    return sl_spawn(ctx, &of_lane[SL_LANE_PEER], NULL, 0, &ref);
}

/* The root has a thread of its own, and so has its child. */
static const struct sl_actor_class    spawning_root = {.name = "root",
                                                       .lane = SL_LANE_SYNC,
                                                       .children_max = 1,
                                                       .start = spawning_root_start,
                                                       .handle = ignore};
static const struct sl_topology_actor refused_actors[] = {
    {&spawning_root, 1}, {&of_lane[SL_LANE_PEER], 1}, {&of_lane[SL_LANE_IO], 1}};
static const struct sl_topology refused_topology = {
    .program = "refused", .actors = refused_actors, .actor_count = 3};

static enum sl_err run_refusing(uint32_t refused, struct sl_why *why)
{
    struct sl_env             env = *sl_env_os();
    struct refusing           refusing = {.threads = *env.threads, .refused = refused};
    struct sl_runtime_options options = {.env = &env,
                                         .topology = &refused_topology,
                                         .compute_threads = 2,
                                         .disk_threads = 2,
                                         .io_loops = 2};
    struct sl_runtime        *rt;
    enum sl_err               err;

    refusing.threads.start = start_or_refuse;
    env.threads = &refusing.threads;
    assert_int_equal(sl_runtime_new(&options, &rt, why), SL_OK);
    if ((err = sl_runtime_start(rt, NULL, 0, why)) == SL_OK)
        err = sl_runtime_wait(rt, why);
    sl_runtime_free(&rt);
    assert_null(rt);
    return err;
}

static void a_thread_that_cannot_be_had_is_an_error_and_everything_is_freed(void **state)
{
    static const char *const names[] = {"clock", "compute", "compute", "disk", "disk",
                                        "io",    "io",      "root",    "peer"};
    struct sl_why            why = {0};

    (void)state;
    for (uint32_t n = 0; n < STAGE_COUNT(names); n++) {
        assert_int_equal(run_refusing(n + 1, &why), SL_SYSTEM);
        assert_non_null(strstr(why.text, "start thread"));
        assert_non_null(strstr(why.text, names[n]));
        assert_non_null(strstr(why.text, "refused"));
    }
    assert_int_equal(run_refusing(STAGE_COUNT(names) + 1, &why), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actors_of_every_lane_run),
        cmocka_unit_test(actors_that_block_do_not_hold_up_compute),
        cmocka_unit_test(a_visit_tells_the_figures_of_living_actors),
        cmocka_unit_test(a_handler_that_runs_too_long_is_reported_once),
        cmocka_unit_test(lanes_that_may_wait_are_given_longer),
        cmocka_unit_test(other_threads_may_stop_the_runtime_any_number_of_times),
        cmocka_unit_test(the_root_is_told_from_outside_within_the_credits),
        cmocka_unit_test(a_child_may_be_replaced_the_moment_its_end_is_heard),
        cmocka_unit_test(a_thread_that_cannot_be_had_is_an_error_and_everything_is_freed),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
