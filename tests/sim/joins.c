/* What the joins have in common: drawing a run, the root, and the books. */

#include "sim/joins.h"

#include "base/assert.h"
#include "base/hash.h"

enum { STEPS_MAX = 2000000, CLASSES_MAX = 4, LINES_MAX = 2 };

struct joins_config joins_config;
struct joins_seen   joins_seen;

static uint32_t outstanding[JOINS_INPUTS_MAX];
static uint64_t last_emitted;

/* ---- the books ---- */

struct sl_line *joins_input(struct sl_ctx *ctx, uint32_t input)
{
    return sl_line(ctx, JOINS_LINE_INPUT, joins_config.shared ? 0 : input);
}

uint32_t joins_owner(uint64_t number)
{
    return (uint32_t)(sl_hash_combine(joins_config.seed, number) % joins_config.inputs);
}

void joins_entered(uint32_t input)
{
    uint32_t beyond = 0;

    outstanding[input]++;
    if (joins_config.shared)
        return;
    joins_seen.common += outstanding[input] > joins_config.credits;
    for (uint32_t i = 0; i < joins_config.inputs; i++) {
        if (outstanding[i] > joins_config.credits)
            beyond += outstanding[i] - joins_config.credits;
    }
    SL_ASSERT(beyond <= joins_config.common); /* no input has another's credits */
}

void joins_left(uint32_t input)
{
    SL_ASSERT(outstanding[input] > 0);
    outstanding[input]--;
}

void joins_emit(uint64_t ts)
{
    joins_seen.disorder += ts <= last_emitted;
    last_emitted = ts;
    joins_seen.emitted++;
}

void joins_wait(struct sl_ctx *ctx, uint32_t input)
{
    struct sl_permit permit;

    joins_seen.full++;
    if (sl_prng_chance(sl_random(ctx), 1, 2)) {
        sl_line_wait(ctx, joins_input(ctx, input), 0, input);
        return;
    }
    if (sl_line_reserve(ctx, joins_input(ctx, input), 0, input, &permit) == SL_OK) {
        sl_permit_return(ctx, &permit); /* there is room by now: be told so */
        sl_line_wait(ctx, joins_input(ctx, input), 0, input);
    }
}

void joins_set_minimum(struct sl_ctx *ctx, uint32_t input)
{
    if (joins_config.common > 0)
        sl_line_set_minimum(ctx, joins_input(ctx, input));
}

/* ---- root: starts everything, ends when the last stage has ---- */

static const struct sl_actor_class *last_stage(void)
{
    switch (joins_config.kind) {
    case JOINS_MERGER: return &joins_merger_class;
    case JOINS_PULLER: return &joins_reader_class;
    case JOINS_GATE: return &joins_gate_class;
    }
    SL_UNREACHABLE("not a join");
}

static struct sl_ref spawn(struct sl_ctx *ctx, const struct sl_actor_class *class_of,
                           const struct joins_args *args)
{
    struct sl_ref ref;
    enum sl_err   err = sl_spawn(ctx, class_of, args, sizeof *args, &ref);

    SL_ASSERT(err == SL_OK);
    return ref;
}

static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct joins_args to = {0};

    (void)self;
    (void)args;
    to.to = spawn(ctx, last_stage(), &to);
    if (joins_config.kind == JOINS_PULLER)
        to.to = spawn(ctx, &joins_puller_class, &to);
    for (to.input = 0; to.input < joins_config.inputs; to.input++) {
        if (joins_config.kind == JOINS_GATE)
            to.decoder[to.input] = spawn(ctx, &joins_decoder_class, &to);
        else
            (void)spawn(ctx, &joins_feeder_class, &to);
    }
    if (joins_config.kind == JOINS_GATE)
        (void)spawn(ctx, &joins_planner_class, &to);
    return SL_OK;
}

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;

    (void)self;
    SL_ASSERT(msg->type == SL_MSG_CHILD_ENDED && ended->err == SL_OK);
    if (ended->class_name == last_stage()->name)
        sl_stop(ctx);
    return SL_OK;
}

static const struct sl_actor_class root_class = {
    .name = "root",
    .lane = SL_LANE_COMPUTE,
    .children_max = JOINS_INPUTS_MAX + 2,
    .start = root_start,
    .handle = root_handle,
    .system = root_system,
};

/* ---- a run ---- */

static struct joins_config draw(enum joins_kind kind, bool shared, uint64_t seed)
{
    struct sl_prng p;

    sl_prng_seed(&p, seed);
    return (struct joins_config){
        .kind = kind,
        .shared = shared,
        .inputs = (uint32_t)sl_prng_range(&p, 2, JOINS_INPUTS_MAX),
        .credits = (uint32_t)sl_prng_range(&p, 1, JOINS_CREDITS_MAX),
        .common = sl_prng_chance(&p, 1, 2) ? (uint32_t)sl_prng_range(&p, 1, JOINS_COMMON_MAX) : 0,
        .window = (uint32_t)sl_prng_range(&p, 1, 2),
        .blocks = (uint32_t)sl_prng_range(&p, 5, 30),
        .works = (uint32_t)sl_prng_range(&p, 20, 200),
        .seed = seed,
    };
}

static struct sl_topology_line input_line(void)
{
    struct sl_topology_line line = {.name = "input",
                                    .credits = joins_config.credits,
                                    .inputs = joins_config.shared ? 1 : joins_config.inputs,
                                    .common_credits = joins_config.common};

    switch (joins_config.kind) {
    case JOINS_MERGER:
        line.path[0] = &joins_feeder_class;
        line.path[1] = &joins_merger_class;
        return line;
    case JOINS_PULLER:
        line.path[0] = &joins_feeder_class;
        line.path[1] = &joins_puller_class;
        return line;
    case JOINS_GATE:
        line.path[0] = &joins_planner_class;
        line.path[1] = &joins_decoder_class;
        line.path[2] = &joins_gate_class;
        return line;
    }
    SL_UNREACHABLE("not a join");
}

/* Into arrays that outlive the run. */
static struct sl_topology topology_of(struct sl_topology_actor *actors,
                                      struct sl_topology_line  *lines)
{
    struct sl_topology t = {.program = "joins", .actors = actors, .lines = lines};

    actors[t.actor_count++] = (struct sl_topology_actor){&root_class, 1};
    lines[t.line_count++] = input_line();
    for (uint32_t i = 0; lines[0].path[i] != NULL; i++)
        actors[t.actor_count++] = (struct sl_topology_actor){lines[0].path[i], JOINS_INPUTS_MAX};
    if (joins_config.kind == JOINS_PULLER) {
        actors[t.actor_count++] = (struct sl_topology_actor){&joins_reader_class, 1};
        lines[t.line_count++] =
            (struct sl_topology_line){.name = "row",
                                      .credits = joins_config.window,
                                      .bytes = sizeof(uint64_t) * joins_config.window,
                                      .inputs = 1,
                                      .path = {&joins_puller_class, &joins_reader_class}};
    }
    SL_ASSERT(t.actor_count <= CLASSES_MAX && t.line_count <= LINES_MAX);
    return t;
}

struct sim_run joins_run(enum joins_kind kind, bool shared, uint64_t seed)
{
    static struct sl_topology_actor actors[CLASSES_MAX];
    static struct sl_topology_line  lines[LINES_MAX];
    static struct sl_topology       topology;

    joins_config = draw(kind, shared, seed);
    joins_seen = (struct joins_seen){0};
    memset(outstanding, 0, sizeof outstanding);
    last_emitted = 0;
    topology = topology_of(actors, lines);
    return sim_run(&topology, NULL, 0, seed, STEPS_MAX);
}
