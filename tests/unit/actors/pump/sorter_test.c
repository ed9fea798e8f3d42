/* The sorter as an actor, in front of an indexer that stops and goes: whatever it has to hold, no
 * commit comes at or below a watermark that was told (P4), and everything comes once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/sort_core.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "binlog/record.h"
#include "lib/stage.h"

enum {
    TRANSACTIONS = 6000, /* enough to fill all cuts that may be on their way, and to hold more */
    OPEN_MAX = 2,        /* few: what is open holds the watermark */
    STEPS_OF_TURN = 400,
    PAUSE_MS_MAX = 100, /* of the indexer */
    WRITE_CREDITS = 3000,
    RECORD_BYTES = 64,
};

/* A transaction between its prewrite, which is acknowledged as soon as it is sent here, and its
 * commit. */
struct open_txn {
    sl_ts start_ts;
    sl_ts commit_ts; /* 0: not fetched */
};

static struct sl_pump  pump;
static struct open_txn open_txns[OPEN_MAX];
static uint32_t        open_count;
static uint32_t        begun;
static uint32_t        marks;
static sl_ts           clock_ts;
static uint64_t        log_offset;
static sl_ts           last_commit_ts;
static sl_ts           told;    /* the watermark */
static uint32_t        entries; /* that came to the indexer */

/* ---- TiDB, clock and shard writer in one ---- */

static bool send_record(struct sl_ctx *ctx, int32_t type, sl_ts start_ts, sl_ts commit_ts)
{
    struct sl_pump_write *write = sl_msg_new(struct sl_pump_write, SL_PUMP_SORT);

    write->type = type;
    write->start_ts = start_ts;
    write->commit_ts = commit_ts;
    write->position = (struct sl_position){.offset = log_offset, .bytes = RECORD_BYTES};
    if (sl_send(ctx, sl_line(ctx, SL_LINE_WRITE, 0), pump.shard[0].sorter_ref, &write) != SL_OK) {
        sl_msg_free(&write);
        return false;
    }
    log_offset += RECORD_BYTES;
    return true;
}

static void send_mark(struct sl_ctx *ctx)
{
    struct sl_pump_mark *mark = sl_msg_new(struct sl_pump_mark, SL_PUMP_MARK);

    mark->newest = ++clock_ts;
    if (sl_send(ctx, sl_line(ctx, SL_LINE_TIDE, 0), pump.shard[0].sorter_ref, &mark) == SL_OK)
        marks++;
    else
        sl_msg_free(&mark);
}

static void step(struct sl_ctx *ctx)
{
    struct sl_prng *dice = sl_random(ctx);

    if (sl_prng_chance(dice, 1, 50)) {
        send_mark(ctx);
    } else if (open_count < OPEN_MAX && begun < TRANSACTIONS && sl_prng_chance(dice, 1, 2)) {
        if (!send_record(ctx, SL_RECORD_PREWRITE, clock_ts + 1, 0))
            return;
        open_txns[open_count++] = (struct open_txn){.start_ts = ++clock_ts};
        begun++;
    } else if (open_count > 0) {
        struct open_txn *t = &open_txns[sl_prng_below(dice, open_count)];

        if (t->commit_ts == 0)
            last_commit_ts = t->commit_ts = ++clock_ts;
        else if (send_record(ctx, SL_RECORD_COMMIT, t->start_ts, t->commit_ts))
            *t = open_txns[--open_count];
    }
}

static enum sl_err feeder_start(struct sl_ctx *ctx, void *self, const void *unused)
{
    (void)unused;
    sl_timer_arm(ctx, self, SL_PUMP_TICK, 1);
    return SL_OK;
}

static enum sl_err feeder_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    uint64_t steps = sl_prng_below(sl_random(ctx), STEPS_OF_TURN);

    (void)msg;
    for (uint64_t i = 0; i < steps; i++)
        step(ctx);
    sl_timer_arm(ctx, self, SL_PUMP_TICK, 1);
    return SL_OK;
}

static const struct sl_actor_class feeder_class = {
    .name = "feeder",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct sl_timer),
    .timers_max = 1,
    .start = feeder_start,
    .handle = feeder_handle,
};

/* ---- the indexer ---- */

struct indexer_double {
    struct sl_pump_cut *held[SL_PUMP_CUT_CREDITS]; /* owned; not taken yet */
    uint32_t            count;
    struct sl_timer     goes_on;
};

static void take_cut(const struct sl_pump_cut *cut)
{
    assert_int_equal(cut->orphan_count, 0);
    for (uint32_t i = 0; i < cut->entry_count; i++)
        assert_true(cut->entries[i].commit_ts > told);
    assert_true(cut->head.watermark >= told);
    told = cut->head.watermark;
    entries += cut->entry_count;
}

static enum sl_err indexer_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct indexer_double *x = self;

    if (msg->type == SL_PUMP_CUT)
        x->held[x->count++] = (struct sl_pump_cut *)(void *)sl_take(ctx);
    if (msg->type == SL_PUMP_DUE) {
        for (uint32_t i = 0; i < x->count; i++) {
            take_cut(x->held[i]);
            sl_msg_free(&x->held[i]);
        }
        x->count = 0;
    }
    if (x->count > 0 && !sl_timer_armed(&x->goes_on))
        sl_timer_arm(ctx, &x->goes_on, SL_PUMP_DUE, sl_prng_below(sl_random(ctx), PAUSE_MS_MAX));
    return SL_OK;
}

static void indexer_stop(struct sl_ctx *ctx, void *self)
{
    struct indexer_double *x = self;

    (void)ctx;
    for (uint32_t i = 0; i < x->count; i++)
        sl_msg_free(&x->held[i]);
}

static const struct sl_actor_class indexer_class = {
    .name = "indexer",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct indexer_double),
    .timers_max = 1,
    .handle = indexer_handle,
    .stop = indexer_stop,
};

/* ---- the stage ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1}, {&feeder_class, 1}, {&sl_pump_sorter_class, 1}, {&indexer_class, 1}};

static const struct sl_topology_line lines[SL_PUMP_LINES] = {
    [SL_LINE_WRITE] = {.name = "write",
                       .credits = WRITE_CREDITS,
                       .inputs = 1,
                       .path = {&feeder_class, &sl_pump_sorter_class}},
    [SL_LINE_TIDE] = {.name = "tide",
                      .credits = 1,
                      .inputs = 1,
                      .path = {&feeder_class, &sl_pump_sorter_class}},
    [SL_LINE_CUT] = {.name = "cut",
                     .credits = SL_PUMP_CUT_CREDITS,
                     .inputs = 1,
                     .path = {&sl_pump_sorter_class, &indexer_class}},
};
static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static void reset(void)
{
    static const struct sl_index_head empty_head;

    memset(&pump, 0, sizeof pump);
    pump.shard[0].sorter = sl_sorter_new(&empty_head);
    open_count = begun = marks = entries = 0;
    clock_ts = last_commit_ts = told = 0;
    log_offset = RECORD_BYTES;
}

static void check(void)
{
    sl_sorter_free(&pump.shard[0].sorter);
}

static void begin(struct sl_ctx *ctx)
{
    const struct sl_pump_args args = {.pump = &pump};

    assert_int_equal(sl_spawn(ctx, &indexer_class, NULL, 0, &pump.shard[0].indexer_ref), SL_OK);
    assert_int_equal(
        sl_spawn(ctx, &sl_pump_sorter_class, &args, sizeof args, &pump.shard[0].sorter_ref), SL_OK);
    assert_int_equal(sl_spawn(ctx, &feeder_class, NULL, 0, &(struct sl_ref){0}), SL_OK);
}

static bool all_came(struct sl_ctx *ctx)
{
    (void)ctx;
    return entries == TRANSACTIONS &&
           told >= last_commit_ts; /* the last cut or mark has passed it */
}

static void nothing_comes_below_a_watermark_that_was_told(void **state)
{
    static const struct stage_scene scenes[] = {{.play = begin}, {.ready = all_came}};
    const struct stage              stage = {STAGE(scenes)};

    (void)state;
    stage_play(&stage, &topology, reset, check);
    assert_true(marks > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_below_a_watermark_that_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
