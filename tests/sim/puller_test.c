/* The puller under the seeded scheduler, over a plain index and real logs on the simulated disk,
 * with indexers that say watermarks as sorters do and a reader that takes its time, stops and comes
 * back: every reader gets exactly the entities of the oracle (sim/pull_world.h), byte for byte, in
 * strictly ascending order, complete up to each one it gets; what is missing, the board says. */

#include "sim/pull_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "actors/pump/messages.h"
#include "actors/pump/puller.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "lib/sim.h"

enum { SEEDS = 40, STEPS_MAX = 3000000, WRITES = 600, FORTHS = 4 };

static struct {
    uint32_t shards;
    bool     stops;   /* the reader stops its puller now and then */
    bool     removes; /* retention removes under its feet */
} config;

/* Over all seeds of a test. */
static struct {
    uint32_t stops;
    uint32_t removed; /* pullers that ended because of it */
    uint32_t purged;
    uint32_t fakes;
    uint32_t orphans;
    uint32_t repeats;
    uint32_t entities; /* of the oracle */
} sum;

static uint32_t writes_left;
static sl_ts    last_ts; /* of the last write; 0: more will come */

/* ---- indexer: also writes ---- */

struct indexer {
    uint32_t        shard;
    struct sl_timer tick;
    struct sl_msg  *watches[SL_PULLERS_MAX]; /* owned */
    uint32_t        watch_count;
};

static void write_something(struct sl_prng *dice)
{
    uint32_t open = world.open_count > 0 ? (uint32_t)sl_prng_below(dice, world.open_count) : 0;
    uint64_t what = sl_prng_below(dice, 100);
    sl_ts    newest = world.newest;

    if (world.open_count == 0 || (what < 40 && world.open_count < 20)) {
        world_prewrite(sl_prng_chance(dice, 1, 20) ? 30000 : sl_prng_below(dice, 800));
        return;
    }
    if (what < 50)
        world_draw(open);
    else if (what < 54)
        world_rollback(open);
    else if (what < 58)
        world_fake();
    else if (what < 60)
        world_orphan();
    else
        world_commit(open, what < 63 ? SL_RECORD_PRE_DDL : SL_RECORD_COMMIT);
    if (what >= 98 && world.newest > newest)
        world_repeat();
}

/* The last writes: all is settled but a prewrite, and a fake waits behind it. The watermark stays
 * between them, hardly above the last commit: only time makes the puller tell it. */
static void finish(void)
{
    while (world.open_count > 0)
        world_commit(0, SL_RECORD_COMMIT);
    world_fake();
    last_ts = world.open[world_prewrite(10)].start_ts;
    world_fake();
}

/* Tell who waits for it; now and then everybody, as an indexer that has too many waiting. */
static void publish(struct sl_ctx *ctx, struct indexer *x)
{
    bool     to_all = sl_prng_chance(sl_random(ctx), 1, 100);
    sl_ts    watermark = world_publish(x->shard);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < x->watch_count; i++) {
        struct sl_msg            *watch = x->watches[i];
        struct sl_pump_watermark *told;
        struct sl_asker           asker;

        if (!to_all && ((struct sl_pump_watch *)(void *)watch)->above >= watermark) {
            x->watches[kept++] = watch;
            continue;
        }
        told = sl_msg_new(struct sl_pump_watermark, SL_PUMP_WATERMARK);
        told->watermark = watermark;
        told->log_end = sl_vlog_end(world.pump.shard[x->shard].vlog);
        asker = sl_asker_of(watch);
        sl_msg_discard(watch, &watch);
        sl_reply(ctx, asker, &told);
    }
    x->watch_count = kept;
}

static enum sl_err indexer_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct indexer *x = self;

    x->shard = *(const uint32_t *)args;
    sl_timer_arm(ctx, &x->tick, SL_PUMP_TICK, 0);
    return SL_OK;
}

static enum sl_err indexer_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct indexer *x = self;
    struct sl_prng *dice = sl_random(ctx);

    if (msg->type == SL_PUMP_WATCH) {
        SL_ASSERT(x->watch_count < SL_PULLERS_MAX);
        x->watches[x->watch_count++] = sl_take(ctx);
        if (sl_prng_chance(dice, 1, 2))
            return SL_OK;
    } else {
        for (uint64_t n = sl_prng_below(dice, 12); n > 0 && writes_left > 0; n--, writes_left--)
            write_something(dice);
        if (writes_left == 0 && last_ts == 0)
            finish();
        /* Half a second now and then: what is told meanwhile must not wait for the next write. */
        sl_timer_arm(ctx, &x->tick, SL_PUMP_TICK,
                     sl_prng_below(dice, sl_prng_chance(dice, 1, 50) ? 500 : 6));
    }
    publish(ctx, x);
    return SL_OK;
}

static void indexer_stop(struct sl_ctx *ctx, void *self)
{
    struct indexer *x = self;

    (void)ctx;
    for (uint32_t i = 0; i < x->watch_count; i++)
        sl_msg_discard(x->watches[i], &x->watches[i]);
}

static const struct sl_actor_class indexer_class = {
    .name = "indexer",
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct indexer),
    .timers_max = 1,
    .start = indexer_start,
    .handle = indexer_handle,
    .stop = indexer_stop,
};

/* ---- reader: the session, and the root ---- */

struct reader {
    struct sl_ref   puller;
    struct sl_timer tick;
    bool            is_reading; /* a puller is there */
    uint32_t        asked;      /* NEXT without answer */
    uint32_t        batches;    /* of this puller */
    sl_ts           last;
    sl_ts           gap_to; /* gc ts when this puller was started: so far it may begin later */
    uint32_t        at;     /* of the oracle: what is to come */
    uint32_t        given;  /* of the oracle */
};

static void begin_reading(struct sl_ctx *ctx, struct reader *r)
{
    struct sl_pull_args args = {.pump = &world.pump, .after = r->last, .peer = "reader"};

    if (r->last == 0 && sl_prng_chance(sl_random(ctx), 1, 2))
        args.after = -5;
    r->gap_to = atomic_load(&world.pump.board.gc_ts);
    r->batches = 0;
    r->is_reading = true;
    assert_int_equal(sl_spawn(ctx, &sl_pump_puller_class, &args, sizeof args, &r->puller), SL_OK);
}

static void ask(struct sl_ctx *ctx, struct reader *r)
{
    while (r->is_reading && r->asked < SL_PULL_AHEAD) {
        struct sl_msg *next = sl_msg_new(struct sl_msg, SL_PUMP_NEXT);

        assert_int_equal(sl_ask_msg(ctx, sl_line(ctx, SL_LINE_NEXT, 0), r->puller, 0, next, &next),
                         SL_OK);
        r->asked++;
    }
}

static enum sl_err reader_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct reader *r = self;

    (void)args;
    writes_left = WRITES;
    last_ts = 0;
    world_begin(sl_env(ctx), config.shards);
    for (uint32_t k = 0; k < config.shards; k++)
        assert_int_equal(
            sl_spawn(ctx, &indexer_class, &k, sizeof k, &world.pump.shard[k].indexer_ref), SL_OK);
    begin_reading(ctx, r);
    ask(ctx, r);
    return SL_OK;
}

/* What is next in the oracle; NULL: nothing. */
static const struct world_entry *upcoming(struct reader *r)
{
    uint32_t next;

    while (r->at < world.entry_count && world.entries[r->at].index.commit_ts <= r->last)
        r->at++;
    next = r->at; /* while commits come in between, those that nobody gets are not passed */
    while (next < world.entry_count && world.entries[next].entity == NULL)
        next++;
    return next < world.entry_count ? &world.entries[next] : NULL;
}

/* Several entries of one commit ts: any of them. */
static void assert_is_one_of(struct reader *r, sl_ts ts, const struct sl_buf *entity)
{
    for (uint32_t i = r->at; i < world.entry_count && world.entries[i].index.commit_ts <= ts; i++) {
        const struct sl_buf *wanted = world.entries[i].entity;

        if (wanted != NULL && sl_slice_equal(sl_slice_from_buf(wanted), sl_slice_from_buf(entity)))
            return;
    }
    fail_msg("entity of commit ts %lld has other bytes", (long long)ts);
}

static void check_entity(struct reader *r, const struct sl_buf *entity)
{
    const struct world_entry *wanted;
    bool                      is_fake;
    sl_ts                     ts = world_ts_of(entity, &is_fake);

    assert_true(ts > r->last);
    wanted = upcoming(r);
    while (wanted != NULL && wanted->index.commit_ts <= r->gap_to &&
           wanted->index.commit_ts < ts) { /* lost before this puller began, and it said so */
        r->last = wanted->index.commit_ts;
        sum.purged++;
        assert_true(atomic_load(&world.pump.board.pull_purged) > 0);
        wanted = upcoming(r);
    }
    assert_true(wanted == NULL || wanted->index.commit_ts >= ts); /* nothing was left out */
    if (wanted != NULL && wanted->index.commit_ts == ts) {
        assert_is_one_of(r, ts, entity);
        r->given++;
    } else {
        assert_true(is_fake);
        for (uint32_t k = 0; k < config.shards; k++)
            assert_true(world.told[k] >= ts);
        sum.fakes++;
    }
    r->last = ts;
}

static void take_batch(struct reader *r, const struct sl_pump_batch *batch)
{
    uint64_t bytes = 0;

    r->batches++;
    assert_in_range(batch->count, 1, SL_PULL_BATCH_ITEMS);
    for (uint32_t i = 0; i < batch->count; i++) {
        check_entity(r, batch->entities[i]);
        bytes += batch->entities[i]->len;
    }
    assert_true(batch->count == 1 || bytes <= SL_PULL_BATCH_BYTES);
}

/* Only of what every shard has told, and while it is known what gc ts the puller began with. */
static void remove_some(struct sl_prng *dice)
{
    sl_ts low = atomic_load(&world.pump.board.gc_ts);
    sl_ts high = INT64_MAX;

    for (uint32_t k = 0; k < config.shards; k++) {
        if (world.told[k] < high)
            high = world.told[k];
    }
    if (high > low && high != last_ts)
        world_remove((sl_ts)sl_prng_range(dice, (uint64_t)low, (uint64_t)high));
}

static enum sl_err reader_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct reader  *r = self;
    struct sl_prng *dice = sl_random(ctx);

    if (msg->type == SL_PUMP_BATCH) {
        r->asked--;
        take_batch(r, (struct sl_pump_batch *)(void *)msg);
    }
    if (last_ts != 0 && r->last >= last_ts) {
        assert_int_equal(r->last, last_ts);
        sl_stop(ctx);
        return SL_OK;
    }
    if (config.removes && r->batches > 0 && sl_prng_chance(dice, 1, 2))
        remove_some(dice);
    if (config.stops && r->is_reading && sl_prng_chance(dice, 1, 20))
        sl_stop_child(ctx, r->puller);
    if (sl_prng_chance(dice, 1, FORTHS))
        sl_timer_arm(ctx, &r->tick, SL_PUMP_TICK, sl_prng_below(dice, config.removes ? 200 : 30));
    else if (!sl_timer_armed(&r->tick))
        ask(ctx, r);
    return SL_OK;
}

static void take_end(struct reader *r, const struct sl_child_ended *ended)
{
    r->is_reading = false;
    if (ended->err == SL_OK) {
        assert_true(config.stops);
        sum.stops++;
        return;
    }
    if (ended->err != SL_NOT_FOUND || !config.removes)
        fail_msg("the puller ended: %s", ended->why.text);
    sum.removed++;
}

static enum sl_err reader_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct reader *r = self;

    if (msg->type == SL_MSG_GONE)
        r->asked--;
    else if (msg->type == SL_MSG_CHILD_ENDED)
        take_end(r, (const struct sl_child_ended *)(const void *)msg);
    if (!r->is_reading && r->asked == 0) {
        begin_reading(ctx, r);
        ask(ctx, r);
    }
    return SL_OK;
}

static void reader_stop(struct sl_ctx *ctx, void *self)
{
    struct sl_pump_board *board = &world.pump.board;
    const struct reader  *r = self;
    uint64_t              orphans = atomic_load(&board->pull_orphans);
    uint64_t              repeats = atomic_load(&board->pull_repeats);

    (void)ctx;
    sum.orphans += (uint32_t)orphans;
    sum.repeats += (uint32_t)repeats;
    sum.entities += r->given;
    assert_int_equal(atomic_load(&board->pull_late), 0);
    if (!config.stops && !config.removes) { /* else some are seen twice, or never */
        assert_int_equal(orphans + repeats, world.entry_count - 1 - r->given);
        assert_int_equal(atomic_load(&board->pull_purged), 0);
    }
    world_end();
}

static const struct sl_actor_class reader_class = {
    .name = "reader",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct reader),
    .questions_max = SL_PULL_AHEAD,
    .timers_max = 1,
    .children_max = SL_PUMP_SHARDS_MAX + 1,
    .start = reader_start,
    .handle = reader_handle,
    .system = reader_system,
    .stop = reader_stop,
};

/* ---- tests ---- */

static const struct sl_topology_actor actors[] = {
    {&reader_class, 1}, {&indexer_class, SL_PUMP_SHARDS_MAX}, {&sl_pump_puller_class, 1}};

/* Named by the pump's numbers; those of others are not used. */
#define UNUSED_LINE(text)                                                                    \
    {                                                                                        \
        .name = (text), .credits = 1, .inputs = 1, .path = { &reader_class, &indexer_class } \
    }
static const struct sl_topology_line lines[SL_LINE_TS + 1] = {
    [SL_LINE_WRITE] = UNUSED_LINE("write"),
    [SL_LINE_FAKE] = UNUSED_LINE("fake"),
    [SL_LINE_MARK] = UNUSED_LINE("mark"),
    [SL_LINE_CUT] = UNUSED_LINE("cut"),
    [SL_LINE_WATCH] = {.name = "watch",
                       .credits = 6, /* few: stopped pullers leave theirs behind */
                       .inputs = 1,
                       .path = {&sl_pump_puller_class, &indexer_class}},
    [SL_LINE_NEXT] = {.name = "next",
                      .credits = 2 * SL_PULL_AHEAD,
                      .inputs = 1,
                      .path = {&reader_class, &sl_pump_puller_class}},
    [SL_LINE_HTTP] = UNUSED_LINE("http"),
    [SL_LINE_TS] = UNUSED_LINE("ts"),
};

static const struct sl_topology topology = {.program = "puller_test",
                                            .actors = actors,
                                            .actor_count = sizeof actors / sizeof *actors,
                                            .lines = lines,
                                            .line_count = SL_LINE_TS + 1};

static void run_seeds(uint32_t shards, bool stops, bool removes)
{
    struct sim_seeds seeds = sim_seeds(SEEDS);

    config.shards = shards;
    config.stops = stops;
    config.removes = removes;
    memset(&sum, 0, sizeof sum);
    for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        struct sim_run run;

        sim_note_seed("sim/puller_test", seed);
        run = sim_run(&topology, NULL, 0, seed, STEPS_MAX);
        if (run.err != SL_OK) {
            sim_print_replay();
            fail_msg("%s: %s", sl_err_name(run.err), run.why.text);
        }
    }
    if (seeds.count < SEEDS)
        return; /* one seed need not meet everything */
    assert_true(sum.entities > 100 * seeds.count);
    assert_true(sum.fakes > 0 && sum.orphans > 0 && sum.repeats > 0);
    assert_true((sum.stops > 0) == stops);
    assert_true((sum.removed > 0) == removes && (sum.purged > 0) == removes);
}

static void a_reader_of_one_shard_gets_all_in_order(void **state)
{
    (void)state;
    run_seeds(1, false, false);
}

static void a_reader_of_four_shards_gets_all_in_order(void **state)
{
    (void)state;
    run_seeds(4, false, false);
}

static void a_reader_that_comes_back_goes_on_where_it_was(void **state)
{
    (void)state;
    run_seeds(1, true, false);
    run_seeds(4, true, false);
}

static void removal_leaves_a_gap_only_where_a_stream_begins(void **state)
{
    (void)state;
    run_seeds(1, true, true);
    run_seeds(4, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_of_one_shard_gets_all_in_order),
        cmocka_unit_test(a_reader_of_four_shards_gets_all_in_order),
        cmocka_unit_test(a_reader_that_comes_back_goes_on_where_it_was),
        cmocka_unit_test(removal_leaves_a_gap_only_where_a_stream_begins),
    };

    sl_log_set_level(SL_LOG_FATAL); /* what is skipped is logged, and counted where it matters */
    return cmocka_run_group_tests_name("puller", tests, NULL, NULL);
}
