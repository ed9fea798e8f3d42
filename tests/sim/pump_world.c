#include "sim/pump_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "net/local.h"
#include "runtime/runtime.h"

enum {
    LIVES_MAX = 4,
    LIFE_STEPS_MAX = 6000,
    REST_STEPS_MAX = 400000,
    LONG_LIFE_STEPS_MAX = 40000,
    SKEW_MS_MAX = 10000,
    STOPPED_ONE_IN = 5000,
};

/* How a life of the pump ends. */
enum end {
    END_STOP,       /* in order */
    END_STOP_CRASH, /* the process, on its way to an orderly end */
    END_CRASH,      /* the process, in mid-air */
    END_POWER,      /* the machine, in mid-air */
    END_CRASH_CALL, /* the process at one of its calls to the disk */
    END_POWER_CALL, /* the machine likewise */
    ENDS
};

/* ---- small things ---- */

void world_blame(struct world *w, enum world_promise promise, const char *format, ...)
{
    va_list args;

    if (w->broken != WORLD_KEPT || (w->lies && promise != P1_ACKNOWLEDGED_IS_PULLED))
        return;
    w->broken = promise;
    va_start(args, format);
    (void)vsnprintf(w->text, sizeof w->text, format, args);
    va_end(args);
}

bool world_chance(struct world *w, uint32_t one_in)
{
    return sl_prng_chance(&w->dice, 1, one_in);
}

sl_nanos world_after_ms(struct world *w, uint64_t least, uint64_t most)
{
    return sl_env_now(w->env) +
           sl_prng_range(&w->dice, least * SL_NANOS_PER_MS, most * SL_NANOS_PER_MS);
}

bool world_draw(struct world *w, sl_ts *out)
{
    struct sl_why why;
    sl_ts         ts;

    if (sl_tso_now(sl_local_tso(w->door), 1, &ts, &why) != SL_OK)
        return false;
    if (ts <= w->drawn)
        world_blame(w, TIMESTAMPS_ASCEND, "timestamp %" PRId64 " after %" PRId64, ts, w->drawn);
    *out = w->drawn = ts;
    return true;
}

/* ---- time ---- */

/* When the network or the models want to go on. */
static sl_nanos next_event(void *context)
{
    struct world *w = context;
    sl_nanos      event = sl_env_sim_next_event(w->sim);
    sl_nanos      models = w->moved_at + 3 * (sl_nanos)SL_NANOS_PER_MS;

    return event < models ? event : models;
}

static void advance_to(void *context, sl_nanos moment)
{
    struct world *w = context;
    sl_nanos      now = sl_env_now(w->env);

    if (moment > now)
        sl_env_sim_advance(w->sim, moment - now);
}

static void on_end(void *context)
{
    ((struct world *)context)->has_ended = true;
}

/* ---- the pump comes and goes ---- */

static const struct sl_pump_options basic = {
    .data_dir = "/pump",
    .node_id = "pump",
    .host_name = "pump",
    .addr = "pump:8250",
    .advertise = "pump:8250",
    .pd_urls = "local:/cluster",
    .engine = SL_INDEX_PLAIN,
    .message_bytes_max = 1 << 20,
    .stop_write_bytes = 100 << 10,
    .heartbeat_ms = 100,
    .gc_ms = (int64_t)7 * 24 * 3600 * 1000,
};

/* A world with entities that go to files of their own. */
static bool has_large(const struct world *w)
{
    return w->seed % 3 == 1;
}

/* Small ones, so that many are filled; or such as take a record beyond the window of a stream. */
static uint64_t segment_bytes(const struct world *w)
{
    return (w->seed / 4 % 4 == 0 || has_large(w) ? 4 : 1) * (uint64_t)SL_VLOG_SEGMENT_BYTES_MIN;
}

static enum sl_err open_pump(struct world *w, struct sl_why *why)
{
    struct sl_pump_options    options = basic;
    struct sl_runtime_options machine = {.env = w->env,
                                         .topology = &sl_pump_topology,
                                         .seeded = true,
                                         .seed = sl_prng_next(&w->dice),
                                         .next_event = next_event,
                                         .advance_to = advance_to,
                                         .sim = w,
                                         .on_end = on_end,
                                         .on_end_context = w};
    enum sl_err               err;

    options.env = w->env;
    options.segment_bytes = segment_bytes(w);
    options.shards = 1 + (uint32_t)(w->seed % 4);
    options.large_bytes = has_large(w) ? SL_SPOOL_PIECE_BYTES_MIN : 0;
    options.fake_interval_ms = 20 + (uint32_t)(w->seed % 7) * 50;
    if ((err = sl_pump_open(&options, &w->pump, why)) != SL_OK)
        return err;
    if ((err = sl_pump_listen(w->pump, why)) != SL_OK) {
        sl_pump_close(&w->pump);
        return err;
    }
    w->max_commit_ts = 0;
    w->full_since = 0;
    if ((err = sl_runtime_new(&machine, &w->rt, why)) != SL_OK)
        SL_PANIC("no runtime: %s", why->text);
    w->has_ended = false;
    if ((err = sl_runtime_start(w->rt, &w->pump, sizeof w->pump, why)) != SL_OK)
        SL_PANIC("no start: %s", why->text);
    return SL_OK;
}

static void free_pump(struct world *w)
{
    sl_runtime_free(&w->rt);
    w->tally->large += atomic_load(&w->pump->board.spools);
    sl_pump_close(&w->pump);
}

/* From here on the dying process changes nothing on its disk. */
static void crash(struct world *w, bool power)
{
    if (power && w->is_unsure)
        w->published = 0;
    if (power)
        sl_env_sim_power_cut(w->sim);
    sl_env_sim_fail_nth(w->sim, 1, UINT64_MAX, SL_IO);
    if (w->rt != NULL) {
        sl_runtime_abandon(w->rt);
        free_pump(w);
    }
    sl_env_sim_fail_nth(w->sim, 0, 0, SL_OK);
    w->tally->crashes++;
}

/* ---- steps ---- */

/* What the actors may see does not fall while they live; what the registry says never does. */
static void check_max_commit_ts(struct world *w)
{
    sl_ts          now = sl_pump_max_commit_ts(w->pump);
    struct sl_node node;
    struct sl_why  why;

    if (now < w->max_commit_ts)
        world_blame(w, P5_WATERMARK_NEVER_FALLS, "max commit ts was %" PRId64 ", is %" PRId64,
                    w->max_commit_ts, now);
    w->max_commit_ts = now;
    if (!world_chance(w, 20) ||
        sl_registry_get(sl_local_registry(w->door), SL_NODE_PUMP, "pump", &node, &why) != SL_OK)
        return;
    if (node.max_commit_ts < w->published)
        world_blame(w, P5_WATERMARK_NEVER_FALLS, "published was %" PRId64 ", is %" PRId64,
                    w->published, node.max_commit_ts);
    if (node.max_commit_ts > w->published)
        w->is_unsure = sl_env_sim_disk(w->sim)->sync_fail_ppm > 0 || sl_env_sim_failed(w->sim) > 0;
    w->published = node.max_commit_ts;
}

static void look_at_space(struct world *w)
{
    bool full = atomic_load(&w->pump->board.space_available) <= basic.stop_write_bytes;

    if (!full)
        w->full_since = 0;
    else if (w->full_since == 0)
        w->full_since = sl_env_now(w->env);
    w->tally->full += full;
}

static void move_models(struct world *w)
{
    uint64_t who = sl_prng_below(&w->dice, 1 + WORLD_DRAINERS);

    if (who == WORLD_DRAINERS)
        tidb_move(w);
    else
        drainer_move(w, &w->drainers[who]);
    w->moved_at = sl_env_now(w->env);
}

static void step(struct world *w)
{
    sl_nanos due = w->moved_at + 3 * (sl_nanos)SL_NANOS_PER_MS;

    w->tally->steps++;
    if (w->rt != NULL && !w->has_ended)
        (void)sl_runtime_step(w->rt);
    else
        sl_env_sim_advance(w->sim, sl_prng_below(&w->dice, SL_NANOS_PER_MS));
    if (w->pump != NULL) {
        check_max_commit_ts(w);
        look_at_space(w);
    }
    if (!w->is_quiet && world_chance(w, STOPPED_ONE_IN)) /* the process was stopped for a while */
        sl_env_sim_advance(w->sim, sl_prng_below(&w->dice, 60 * (sl_nanos)SL_NANOS_PER_S));
    if (sl_env_now(w->env) >= due || world_chance(w, 3))
        move_models(w);
}

/* ---- faults ---- */

static void draw_faults(struct world *w)
{
    struct sl_env_sim_disk *disk = sl_env_sim_disk(w->sim);
    struct sl_env_sim_net  *net = sl_env_sim_net(w->sim);

    disk->read_fail_ppm = world_chance(w, 6) ? 1000 : 0;
    disk->write_fail_ppm = world_chance(w, 3) ? 5000 : 0;
    disk->sync_fail_ppm = world_chance(w, 3) ? 20000 : 0;
    disk->lose_syncs = w->lies;
    disk->quota_bytes = world_chance(w, 4) ? sl_prng_range(&w->dice, 200, 700) << 10 : 1 << 30;
    sl_env_sim_set_skew(w->sim,
                        (int64_t)sl_prng_below(&w->dice, 2 * SKEW_MS_MAX) * SL_NANOS_PER_MS -
                            (int64_t)SKEW_MS_MAX * SL_NANOS_PER_MS);
    net->reset_ppm = world_chance(w, 2) ? 500 : 0;
    net->delay_max = (world_chance(w, 4) ? 200 : 1) * (sl_nanos)SL_NANOS_PER_MS;
    net->buffer_bytes = world_chance(w, 4) ? 500 : 1 << 16;
}

static void end_faults(struct world *w)
{
    struct sl_env_sim_disk *disk = sl_env_sim_disk(w->sim);
    struct sl_env_sim_net  *net = sl_env_sim_net(w->sim);

    sl_env_sim_fail_nth(w->sim, 0, 0, SL_OK);
    disk->read_fail_ppm = disk->write_fail_ppm = disk->sync_fail_ppm = 0;
    disk->quota_bytes = 1 << 30;
    net->reset_ppm = 0;
    net->delay_max = SL_NANOS_PER_MS;
    net->buffer_bytes = 1 << 16;
}

/* ---- lives ---- */

/* No fault of this world damages what is durable, so a log or an index may not be found damaged. */
static bool start_pump(struct world *w)
{
    struct sl_why why = {0};
    enum sl_err   err = open_pump(w, &why);

    if (err == SL_OK)
        return true;
    w->tally->failed_opens++;
    if (err == SL_CORRUPT || err == SL_INVALID || err == SL_UNSUPPORTED || w->is_quiet)
        world_blame(w, OPENS_WHAT_IT_WROTE, "%s", why.text);
    return false;
}

static void stop_pump(struct world *w)
{
    sl_runtime_stop(w->rt);
    for (uint32_t i = 0; i < REST_STEPS_MAX && !w->has_ended && w->broken == WORLD_KEPT; i++)
        step(w);
    if (w->has_ended)
        free_pump(w);
    else
        world_blame(w, C1_COMES_TO_REST, "the pump does not stop");
}

static void live(struct world *w)
{
    enum end end = (enum end)sl_prng_below(&w->dice, ENDS);
    bool     at_call = end == END_CRASH_CALL || end == END_POWER_CALL;
    uint64_t steps =
        sl_prng_range(&w->dice, 100, world_chance(w, 8) ? LONG_LIFE_STEPS_MAX : LIFE_STEPS_MAX);
    uint64_t stops_at = UINT64_MAX;

    w->tally->lives++;
    w->has_ended = false;
    draw_faults(w);
    if (at_call)
        sl_env_sim_fail_nth(w->sim, sl_prng_range(&w->dice, 1, world_chance(w, 3) ? 60 : 1500),
                            UINT64_MAX, SL_IO);
    if (start_pump(w) && end == END_STOP_CRASH)
        stops_at = sl_prng_below(&w->dice, steps);
    for (uint64_t i = 0; i < steps && !w->has_ended && w->broken == WORLD_KEPT; i++) {
        if (i == stops_at)
            sl_runtime_stop(w->rt);
        step(w);
        if (at_call && sl_env_sim_failed(w->sim) > 0)
            break;
    }
    if (w->rt == NULL || w->broken != WORLD_KEPT || (end != END_STOP && !w->has_ended)) {
        crash(w, end == END_POWER || end == END_POWER_CALL);
    } else if (w->has_ended) {
        w->tally->failed_lives += stops_at == UINT64_MAX;
        free_pump(w);
    } else {
        stop_pump(w);
    }
    sl_env_sim_fail_nth(w->sim, 0, 0, SL_OK);
}

/* ---- rest ---- */

static bool run_until(struct world *w, bool (*reached)(const struct world *w), const char *what)
{
    for (uint32_t i = 0; i < REST_STEPS_MAX && w->broken == WORLD_KEPT; i++) {
        if (reached(w))
            return true;
        step(w);
        if (w->has_ended)
            break;
    }
    world_blame(w, C1_COMES_TO_REST, "%s did not come, the pump is at %" PRId64, what,
                sl_pump_max_commit_ts(w->pump));
    return false;
}

static sl_ts rest_at;

static bool all_have_read(const struct world *w)
{
    for (uint32_t i = 0; i < WORLD_DRAINERS; i++) {
        if (w->drainers[i].last < rest_at)
            return false;
    }
    return true;
}

/* All streams have read to the end: they must have got the same, and all that was acknowledged. */
static void compare_streams(struct world *w)
{
    const uint32_t all = (1u << WORLD_DRAINERS) - 1;

    for (uint32_t i = 0; i < w->tidb.txn_count; i++) {
        const struct txn *t = &w->tidb.txns[i];

        if (t->rolls_back || t->seen == all)
            continue;
        world_blame(w, t->seen == 0 ? P1_ACKNOWLEDGED_IS_PULLED : P4_NOTHING_COMES_LATE,
                    "start ts %" PRId64 ", commit ts %" PRId64 ": streams %#x got it", t->start_ts,
                    t->commit_ts, t->seen);
    }
}

static void rest(struct world *w)
{
    w->is_quiet = true;
    end_faults(w);
    if (!start_pump(w) || !run_until(w, tidb_is_settled, "the last outcome"))
        return;
    for (uint32_t i = 0; i < WORLD_LINKS; i++)
        link_lose(&w->tidb.links[i]); /* what was still on its way arrives now or never */
    tidb_repeat_doubtful(w);
    if (!run_until(w, tidb_is_settled, "the last repeated outcome"))
        return;
    w->drainers[WORLD_AUDITOR].is_on = true;
    if (!world_draw(w, &rest_at))
        world_blame(w, C1_COMES_TO_REST, "there are no timestamps");
    if (!run_until(w, all_have_read, "the end of the streams"))
        return;
    compare_streams(w);
    w->tally->transactions += w->drainers[WORLD_AUDITOR].transactions;
    stop_pump(w);
}

/* ---- the whole ---- */

static void begin(struct world *w)
{
    struct sl_why why;

    if (sl_local_init(w->env, "/cluster", WORLD_CLUSTER_ID, 0, &why) != SL_OK ||
        sl_fs_mkdir_all(w->env->fs, "/pump", &why) != SL_OK ||
        sl_fs_sync_dir_of(w->env->fs, "/pump", &why) != SL_OK ||
        sl_local_open(w->env, "/cluster", &w->door, &why) != SL_OK)
        SL_PANIC("no cluster: %s", why.text);
    w->tidb.txns_max = (uint32_t)sl_prng_range(&w->dice, 10, WORLD_TXNS_MAX);
    w->tidb.value_bytes_max =
        has_large(w) ? WORLD_VALUE_BYTES_MAX : (uint32_t)(segment_bytes(w) / 2);
    w->tidb.big_one_in = has_large(w) ? 4 : 20;
    w->tidb.open_max = (uint32_t)sl_prng_range(&w->dice, 1, WORLD_OPEN_MAX);
    for (uint32_t i = 0; i < WORLD_DRAINERS; i++)
        w->drainers[i] = (struct drainer){.world = w, .index = i, .is_on = i != WORLD_AUDITOR};
}

static void end(struct world *w)
{
    if (w->rt != NULL)
        crash(w, false);
    for (uint32_t i = 0; i < WORLD_LINKS; i++)
        link_lose(&w->tidb.links[i]);
    for (uint32_t i = 0; i < WORLD_DRAINERS; i++)
        link_lose(&w->drainers[i].link);
    sl_local_free(&w->door);
    sl_env_sim_free(&w->sim);
}

enum world_promise world_play(uint64_t seed, bool lies, struct world_tally *tally, char *out)
{
    struct world      *w = calloc(1, sizeof *w);
    enum world_promise broken;

    SL_ASSERT(w != NULL);
    w->seed = seed;
    w->lies = lies;
    w->tally = tally;
    sl_prng_seed(&w->dice, seed);
    w->sim = sl_env_sim_new(seed);
    w->own_env = *sl_env_sim_env(w->sim);
    w->env = &w->own_env;
    if (seed % 5 == 3) {
        layer_init(&w->layer, w->own_env.net, seed);
        w->own_env.net = &w->layer.base;
    }
    begin(w);
    for (uint64_t lives = sl_prng_range(&w->dice, 1, LIVES_MAX);
         lives > 0 && w->broken == WORLD_KEPT; lives--)
        live(w);
    if (w->broken == WORLD_KEPT)
        rest(w);
    end(w);
    tally->read_waited_for_write += w->layer.read_waited_for_write;
    tally->write_waited_for_read += w->layer.write_waited_for_read;
    broken = w->broken;
    (void)snprintf(out, sizeof w->text, "%s", w->text);
    free(w);
    return broken;
}
