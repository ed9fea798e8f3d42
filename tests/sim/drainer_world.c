#include "sim/drainer_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "binlog/filter.h"
#include "binlog/job.h"
#include "binlog/schema.h"
#include "lib/sim.h"

enum {
    EVENTS_MAX = 160,
    LIVES_MAX = 8,
    LIFE_STEPS_MIN = 100,
    LIFE_STEPS_MAX = 8000,
    CALM_STEPS_MAX = 400000,
    COMMITS_AT_ONCE_MAX = 6,
    SMALL_LINE_BYTES = 1 << 14,
    WORKERS_MAX = 6,
    PART_ROWS_MAX = 8,
    RELOADED_ONE_IN = 200, /* steps */
};

struct world world;

void world_break(const char *format, ...)
{
    va_list args;

    if (world.broken[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(world.broken, sizeof world.broken, format, args);
    va_end(args);
}

/* ---- time ---- */

void world_go_on(struct sl_prng *dice)
{
    if (world.now > world.script.last_ts + world.script.step)
        return;
    world.now += (sl_ts)sl_prng_below(dice, COMMITS_AT_ONCE_MAX + 1) * world.script.step / 2;
}

bool world_is_done(void)
{
    return world.now > world.script.last_ts && world.checkpoint.commit_ts >= world.script.last_ts;
}

/* The last thing it took before it left. */
static sl_ts last_before(uint32_t pump, sl_ts ts)
{
    sl_ts last = 0;

    for (uint32_t i = 0; i < world.script.event_count; i++) {
        const struct script_event *event = &world.script.events[i];

        if (event->pump == pump && event->commit_ts <= ts && event->commit_ts > last)
            last = event->commit_ts;
    }
    return last;
}

enum sl_node_state world_pump_state(uint32_t pump)
{
    const struct script_pump *p = &world.script.pumps[pump];

    if (world.now < p->joins)
        return SL_NODE_ABSENT;
    if (world.now <= p->leaves || world.now >= p->returns)
        return SL_NODE_ONLINE;
    /* It goes when all drainers have what it has. */
    return world.checkpoint.commit_ts >= last_before(pump, p->leaves) ? SL_NODE_OFFLINE
                                                                      : SL_NODE_CLOSING;
}

/* ---- a life of the drainer ---- */

static struct sl_drainer_config config = {
    .sync_ddl = true, .schema_source = (char[]){"the model"}, .pd_urls = (char[]){"the model"}};

struct past {
    struct sl_schema *schema;
    struct sl_why     why;
};

static enum sl_err take_job(void *context, struct sl_json **document)
{
    struct past   *past = context;
    struct sl_job *job;
    enum sl_err    err = sl_job_take(document, &job, &past->why);

    if (err != SL_OK)
        return err;
    err = sl_schema_apply(past->schema, job, &past->why);
    sl_job_free(&job);
    return err;
}

/* As opener.c does it. */
static void open_schema(struct sl_drainer *d)
{
    const struct sl_history_bound bound = {.version = d->start_schema_version,
                                           .finished =
                                               d->start_schema_version == 0 ? d->start_ts : 0};
    struct past                   past = {.schema = NULL};

    sl_schema_free(&d->schema);
    past.schema = d->schema = sl_schema_new();
    if ((bound.version != 0 || bound.finished != 0) &&
        sl_schema_source_each(d->schema_source, &bound, take_job, &past, &past.why) != SL_OK)
        SL_PANIC("no schema: %s", past.why.text);
}

void world_open(struct sl_drainer *d)
{
    world.counts.resumed += d->is_resumed;
    world_sink_begin();
    d->start_ts = world.checkpoint.commit_ts;
    d->start_schema_version = world.checkpoint.schema_version;
    d->start_is_consistent = world.checkpoint.is_consistent;
    d->early_count = world.checkpoint.early_count;
    memcpy(d->early, world.checkpoint.early, sizeof d->early);
    open_schema(d);
}

static void make_drainer(const struct sl_env *env)
{
    const struct sl_drainer_front_options front = {.node_id = "drainer", .advertise = "model:1"};
    struct sl_drainer                    *d = calloc(1, sizeof *d);

    SL_ASSERT(d != NULL);
    config.dispatch = !sl_prng_chance(&world.dice, 1, 5);
    d->options = (struct sl_drainer_options){.env = env, .config = &config};
    d->workers = (uint32_t)sl_prng_range(&world.dice, 1, WORKERS_MAX);
    d->decoders = (uint32_t)sl_prng_range(&world.dice, 1, 3);
    d->part_rows = (uint32_t)sl_prng_range(&world.dice, 1, PART_ROWS_MAX);
    d->sink = &world.sink;
    d->schema_source = &world.jobs;
    d->ddl_target = SL_DDL_MARIADB;
    if (sl_zone_open(env->fs, "UTC", &d->zone, NULL) != SL_OK)
        SL_UNREACHABLE("UTC is built in");
    sl_drainer_front_init(&d->front, env, &front, SL_DRAINER_SOURCES_MAX + 1);
    world.drainer = d;
}

static void close_drainer(void)
{
    struct sl_drainer *d = world.drainer;

    sl_schema_free(&d->schema);
    sl_zone_free(&d->zone);
    sl_filter_free(&d->filter);
    sl_drainer_front_done(&d->front);
    free(d);
    world.drainer = NULL;
}

static sl_nanos next_event(void *sim)
{
    return sl_env_sim_next_event(sim);
}

static void advance_to(void *sim, sl_nanos moment)
{
    sl_nanos now = sl_env_now(sl_env_sim_env(sim));

    if (moment > now)
        sl_env_sim_advance(sim, moment - now);
}

static struct sl_drainer_wiring wiring;

static struct sl_runtime *started(struct sl_env_sim *sim, uint64_t seed)
{
    const struct sl_runtime_options options = {
        .env = sl_env_sim_env(sim),
        .topology = &wiring.topology,
        .seeded = true,
        .seed = seed,
        .next_event = next_event,
        .advance_to = advance_to,
        .sim = sim,
    };
    struct sl_runtime *rt;
    struct sl_why      why;

    sl_drainer_wire(&wiring, SL_DRAINER_BUDGET_BYTES);
    if (!config.dispatch) /* many kept transactions are too large for one window */
        wiring.lines[SL_LINE_DECODE].bytes = SMALL_LINE_BYTES;
    if (sl_runtime_new(&options, &rt, &why) != SL_OK ||
        sl_runtime_start(rt, &world.drainer, sizeof world.drainer, &why) != SL_OK)
        SL_PANIC("no runtime: %s", why.text);
    return rt;
}

/* ---- reloads ---- */

/* Filters that leave nothing out. */
static struct sl_msg *make_filter(void *unused)
{
    struct sl_filter         *filter;
    struct sl_event_filter   *none = NULL;
    struct sl_drainer_filter *msg;

    (void)unused;
    if (sl_filter_new(&(struct sl_filter_lists){0}, &filter, NULL) != SL_OK)
        SL_UNREACHABLE("there is nothing to be wrong");
    msg = sl_drainer_filter_new(&filter, &none);
    return &msg->hdr;
}

static struct sl_msg *make_tune(void *drainer)
{
    const struct sl_drainer *d = drainer;
    struct sl_drainer_tune  *msg = sl_msg_new(struct sl_drainer_tune, SL_DRAINER_RETUNE);

    msg->workers = (uint32_t)sl_prng_below(&world.dice, d->workers + 1);
    msg->part_rows = (uint32_t)sl_prng_below(&world.dice, PART_ROWS_MAX + 1);
    return &msg->hdr;
}

/* As on SIGHUP, which finds it anywhere. With kept transactions there are no numbers. */
static void reload_perhaps(struct sl_runtime *rt)
{
    bool is_filter = !config.dispatch || sl_prng_chance(&world.dice, 1, 2);

    if (!sl_prng_chance(&world.dice, 1, RELOADED_ONE_IN))
        return;
    if (sl_runtime_tell(rt, SL_LINE_RELOAD, is_filter ? make_filter : make_tune, world.drainer) ==
        SL_OK)
        world.counts.reloads++;
}

/* What the drainer says of itself when it goes no further. */
static void tell_stuck(enum sl_err err, const struct sl_why *why)
{
    enum sl_drainer_part   part;
    struct sl_drainer_note note;

    if (err != SL_TIMEOUT && err != SL_GONE) {
        world_break("it ended: %s", why->text);
        return;
    }
    sl_drainer_board_worst(&world.drainer->front.board, &part, &note);
    world_break("it stands still at checkpoint %lld of %lld: %s is %s: %s",
                (long long)world.checkpoint.commit_ts, (long long)world.script.last_ts,
                sl_drainer_part_name(part), sl_drainer_health_name(note.health), note.why.text);
}

/* Run it for so many steps at most, or until it is killed or ends. */
static void live(uint64_t steps)
{
    struct sl_env_sim *sim = sl_env_sim_new(sl_prng_next(&world.dice));
    struct sl_runtime *rt;
    struct sl_why      why = {0};
    enum sl_err        err = SL_TIMEOUT;

    world.counts.lives++;
    world.is_killed = false;
    make_drainer(sl_env_sim_env(sim));
    rt = started(sim, sl_prng_next(&world.dice));
    for (uint64_t i = 0; i < steps && err == SL_TIMEOUT && !world.is_killed; i++) {
        reload_perhaps(rt);
        err = sl_runtime_run(rt, 1, &why);
        if (world.broken[0] != '\0')
            break;
    }
    world.counts.copies +=
        atomic_load_explicit(&world.drainer->front.board.copies, memory_order_relaxed);
    if (err == SL_OK)
        world.counts.orderly += !world.is_calm;
    else if (world.broken[0] == '\0' && (world.is_calm || err != SL_TIMEOUT))
        tell_stuck(err, &why);
    world.is_killed = true; /* nothing that a dying worker does counts */
    if (err == SL_TIMEOUT || err == SL_GONE)
        sl_runtime_abandon(rt);
    sl_runtime_free(&rt);
    close_drainer();
    sl_env_sim_free(&sim);
}

/* ---- a run ---- */

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    sl_prng_seed(&world.dice, seed);
    script_draw(&world.script, &(struct script_options){.seed = seed,
                                                        .events_min = 20,
                                                        .events_max = EVENTS_MAX,
                                                        .first_ts = 1000,
                                                        .step = 10});
    world.sink.ops = &world_sink_ops;
    world.jobs.ops = &world_jobs_ops;
    for (uint32_t i = 0; i < world.script.event_count; i++)
        world.counts.rows += world.script.events[i].step_count;
    for (uint32_t i = 0; i < world.script.pump_count; i++)
        world.counts.joins += world.script.pumps[i].joins > 0;
}

void world_run(uint64_t seed)
{
    uint64_t lives;

    begin(seed);
    lives = sl_prng_below(&world.dice, LIVES_MAX);
    for (uint64_t i = 0; i < lives && world.broken[0] == '\0' && !world_is_done(); i++) {
        world.wants_stop = sl_prng_chance(&world.dice, 1, 4) && world.now > 0;
        live(sl_prng_range(&world.dice, LIFE_STEPS_MIN, LIFE_STEPS_MAX));
    }
    world.is_calm = true;
    world.wants_stop = false;
    if (world.broken[0] == '\0')
        live(CALM_STEPS_MAX);
    if (world.broken[0] == '\0') {
        world_sink_check_rows("at the end");
        if (world.at != world.script.event_count)
            world_break("it ended at event %u of %u", world.at, world.script.event_count);
        world.counts.consistent += world.checkpoint.is_consistent;
    }
    script_free(&world.script);
}
