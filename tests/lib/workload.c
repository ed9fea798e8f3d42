/* The relays, the sinks and the root of the workload, and its topology. */

#include "lib/workload_parts.h"

#include <string.h>

#include "base/assert.h"
#include "base/prng.h"
#include "runtime/supervisor.h"

enum sink_msg { SINK_WORK = SL_MSG_USER };
enum root_msg {
    ROOT_STOP_SOURCES = SL_MSG_USER,
    ROOT_RESTART, /* the supervisor's, one per child */
    ROOT_MSGS = ROOT_RESTART + WORKLOAD_RELAYS_MAX + WORKLOAD_SINKS_MAX,
};

static const char *const relay_names[] = {"WORK"};
static const char *const sink_names[] = {"WORK"};
static const char *const root_names[] = {"STOP_SOURCES", "RESTART", "RESTART",
                                         "RESTART",      "RESTART", "RESTART"};

struct workload_tally workload_tally;
struct workload       workload_config;

bool workload_one_in(struct sl_ctx *ctx, uint32_t n)
{
    return n > 0 && sl_prng_chance(sl_random(ctx), 1, n);
}

/* ---- relay ---- */

struct relay_args {
    struct sl_ref sink[WORKLOAD_SINKS_MAX];
    uint32_t      sinks;
};

struct relay {
    struct relay_args to;
    struct work      *held[WORKLOAD_SOURCES_MAX * LINE_CREDITS];
    uint32_t          count;
    uint64_t          last[WORKLOAD_SOURCES_MAX];
};

static enum sl_err relay_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct relay *)self)->to = *(const struct relay_args *)args;
    return SL_OK;
}

static void relay_take(struct sl_ctx *ctx, struct relay *r)
{
    struct work *w = (struct work *)sl_take(ctx);

    if (w->order <= r->last[w->source]) /* R1: FIFO between one sender and one receiver */
        atomic_fetch_add(&workload_tally.disorder, 1);
    r->last[w->source] = w->order;
    atomic_fetch_add(&workload_tally.relayed, 1);
    SL_ASSERT(r->count < WORKLOAD_SOURCES_MAX * LINE_CREDITS); /* every one holds a credit */
    r->held[r->count++] = w;
}

static enum sl_err relay_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct relay *r = self;

    SL_ASSERT(msg->type == RELAY_WORK);
    relay_take(ctx, r);
    if (workload_one_in(ctx, workload_config.fail_one_in))
        return sl_fail(sl_why(ctx), SL_IO, "a planned failure");
    return SL_OK;
}

static enum sl_err relay_drained(struct sl_ctx *ctx, void *self)
{
    struct relay *r = self;

    for (uint32_t i = 0; i < r->count; i++) {
        if (workload_one_in(ctx, workload_config.drop_one_in))
            sl_msg_free(&r->held[i]);
        else
            sl_forward(ctx, r->to.sink[sl_prng_below(sl_random(ctx), r->to.sinks)], SINK_WORK,
                       &r->held[i]);
    }
    r->count = 0;
    return SL_OK;
}

static void relay_stop(struct sl_ctx *ctx, void *self)
{
    struct relay *r = self;

    (void)ctx;
    for (uint32_t i = 0; i < r->count; i++)
        sl_msg_free(&r->held[i]);
}

/* ---- sink ---- */

static enum sl_err sink_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_msg *answer;

    (void)self;
    atomic_fetch_add(&workload_tally.sunk, 1);
    if (msg->asker.generation == 0 || workload_one_in(ctx, workload_config.drop_one_in))
        return SL_OK; /* freed: an open question is answered GONE */
    answer = (struct sl_msg *)sl_msg_alloc(sizeof *answer, SOURCE_ANSWER, NULL);
    sl_reply_msg(ctx, sl_asker_of(msg), answer, &answer);
    return SL_OK;
}

/* ---- root ---- */

struct root {
    struct sl_supervisor sup;
    struct sl_supervised children[WORKLOAD_RELAYS_MAX + WORKLOAD_SINKS_MAX];
    struct sl_timer      stop_sources;
    struct sl_ref        source[WORKLOAD_SOURCES_MAX];
    uint32_t             living; /* sources */
    uint32_t             generation;
    uint32_t             sinks_started;
};

static const struct sl_actor_class relay_class = {
    .name = "relay",
    .msg_names = relay_names,
    .msg_count = sizeof relay_names / sizeof *relay_names,
    .lane = SL_LANE_DISK,
    .state_bytes = sizeof(struct relay),
    .start = relay_start,
    .handle = relay_handle,
    .drained = relay_drained,
    .stop = relay_stop,
};

static const struct sl_actor_class sink_class = {
    .name = "sink",
    .msg_names = sink_names,
    .msg_count = 1,
    .lane = SL_LANE_SYNC,
    .handle = sink_handle,
};

static const struct sl_child_spec relay_spec = {
    .class_of = &relay_class,
    .restart = SL_RESTART_ON_FAILURE,
    .backoff_min_ms = 1,
    .backoff_max_ms = 4,
    .failures_max = UINT32_MAX,
    .healthy_ms = 1000,
};

static const struct sl_child_spec sink_spec = {
    .class_of = &sink_class,
    .restart = SL_RESTART_NEVER,
    .backoff_min_ms = 1,
    .backoff_max_ms = 1,
};

static void tell_source(struct sl_ctx *ctx, struct root *r, uint32_t i)
{
    struct wire *wire = sl_msg_new(struct wire, SOURCE_WIRE);
    enum sl_err  err;

    for (uint32_t c = 0; c < r->sup.count; c++) {
        struct sl_ref ref = sl_supervisor_ref(&r->sup, c);

        if (r->children[c].spec == &relay_spec && ref.generation != 0)
            wire->relay[wire->relays++] = ref;
    }
    err = sl_send(ctx, sl_line(ctx, LINE_WIRE, i), r->source[i], &wire);
    if (err != SL_OK)
        sl_msg_free(&wire); /* it has older news to read first; the next restart brings more */
}

static void relay_started(struct sl_ctx *ctx, void *parent, uint32_t index, struct sl_ref ref)
{
    struct root *r = parent;

    (void)index;
    (void)ref;
    atomic_fetch_add(&workload_tally.restarts, 1);
    for (uint32_t i = 0; i < workload_config.sources && r->living > 0; i++)
        tell_source(ctx, r, i);
}

static enum sl_err start_sources(struct sl_ctx *ctx, struct root *r)
{
    enum sl_err err;

    r->generation++;
    for (uint32_t i = 0; i < workload_config.sources; i++) {
        struct workload_source_args args = {.index = i};

        if ((err = sl_spawn(ctx, &workload_source_class, &args, sizeof args, &r->source[i])) !=
            SL_OK)
            return err;
        r->living++;
        tell_source(ctx, r, i);
    }
    if (workload_config.stop_after_ms > 0)
        sl_timer_arm(ctx, &r->stop_sources, ROOT_STOP_SOURCES, workload_config.stop_after_ms);
    return SL_OK;
}

static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct root      *r = self;
    struct relay_args to = {0};
    uint32_t          index;
    enum sl_err       err;

    workload_config = *(const struct workload *)args;
    sl_supervisor_init(&r->sup, r->children, WORKLOAD_RELAYS_MAX + WORKLOAD_SINKS_MAX, ROOT_RESTART,
                       relay_started, r);
    for (uint32_t i = 0; i < workload_config.sinks; i++) {
        if ((err = sl_supervisor_add(ctx, &r->sup, &sink_spec, NULL, 0, &index)) != SL_OK)
            return err;
        to.sink[to.sinks++] = sl_supervisor_ref(&r->sup, index);
    }
    for (uint32_t i = 0; i < workload_config.relays; i++) {
        if ((err = sl_supervisor_add(ctx, &r->sup, &relay_spec, &to, sizeof to, &index)) != SL_OK)
            return err;
    }
    return start_sources(ctx, r);
}

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct root *r = self;

    if (msg->type >= ROOT_RESTART)
        return sl_supervisor_timer(ctx, &r->sup, msg);
    for (uint32_t i = 0; i < workload_config.sources; i++)
        sl_stop_child(ctx, r->source[i]); /* all at once */
    return SL_OK;
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;
    struct root                 *r = self;
    enum sl_err                  err;
    bool                         ours;

    if (msg->type == SL_MSG_STOP) {
        sl_stop(ctx);
        return SL_OK;
    }
    SL_ASSERT(msg->type == SL_MSG_CHILD_ENDED);
    err = sl_supervisor_ended(ctx, &r->sup, ended, &ours);
    if (err != SL_OK || ours)
        return err;
    SL_ASSERT(r->living > 0);
    if (--r->living > 0)
        return SL_OK;
    sl_timer_disarm(ctx, &r->stop_sources);
    if (r->generation < workload_config.generations)
        return start_sources(ctx, r);
    sl_stop(ctx);
    return SL_OK;
}

static const struct sl_actor_class root_class = {
    .name = "root",
    .msg_names = root_names,
    .msg_count = sizeof root_names / sizeof *root_names,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct root),
    .timers_max = 1 + WORKLOAD_RELAYS_MAX + WORKLOAD_SINKS_MAX,
    .children_max = WORKLOAD_SOURCES_MAX + WORKLOAD_RELAYS_MAX + WORKLOAD_SINKS_MAX,
    .start = root_start,
    .handle = root_handle,
    .system = root_system,
};

static const struct sl_topology_actor actors[] = {
    {&root_class, 1},
    {&workload_source_class, WORKLOAD_SOURCES_MAX},
    {&relay_class, WORKLOAD_RELAYS_MAX},
    {&sink_class, WORKLOAD_SINKS_MAX},
};

static const struct sl_topology_line lines[] = {
    [LINE_WORK] = {.name = "work",
                   .credits = LINE_CREDITS,
                   .bytes = LINE_BYTES,
                   .inputs = WORKLOAD_SOURCES_MAX,
                   .path = {&workload_source_class, &relay_class, &sink_class}},
    [LINE_WIRE] = {.name = "wire",
                   .credits = 2,
                   .inputs = WORKLOAD_SOURCES_MAX,
                   .path = {&root_class, &workload_source_class}},
};

const struct sl_topology workload_topology = {
    .program = "workload",
    .actors = actors,
    .actor_count = sizeof actors / sizeof *actors,
    .lines = lines,
    .line_count = sizeof lines / sizeof *lines,
};

/* ---- figures ---- */

void workload_reset(void)
{
    memset(&workload_tally, 0, sizeof workload_tally);
    workload_source_reset();
}

struct workload_counts workload_counts_now(void)
{
    return (struct workload_counts){
        .asked = workload_tally.asked,
        .answered = workload_tally.answered,
        .gone = workload_tally.gone,
        .relayed = workload_tally.relayed,
        .sunk = workload_tally.sunk,
        .full = workload_tally.full,
        .granted = workload_tally.granted,
        .restarts = workload_tally.restarts,
        .disorder = workload_tally.disorder,
        .ghosts = workload_tally.ghosts,
    };
}

struct workload workload_from_seed(uint64_t seed)
{
    struct sl_prng p;

    sl_prng_seed(&p, seed);
    return (struct workload){
        .sources = (uint32_t)sl_prng_range(&p, 1, WORKLOAD_SOURCES_MAX),
        .relays = (uint32_t)sl_prng_range(&p, 1, WORKLOAD_RELAYS_MAX),
        .sinks = (uint32_t)sl_prng_range(&p, 1, WORKLOAD_SINKS_MAX),
        .generations = (uint32_t)sl_prng_range(&p, 1, 3),
        .messages = (uint32_t)sl_prng_range(&p, 1, 40),
        .fail_one_in = sl_prng_chance(&p, 1, 2) ? (uint32_t)sl_prng_range(&p, 5, 60) : 0,
        .drop_one_in = sl_prng_chance(&p, 1, 2) ? (uint32_t)sl_prng_range(&p, 2, 20) : 0,
        .stop_after_ms = sl_prng_chance(&p, 1, 2) ? (uint32_t)sl_prng_range(&p, 1, 3) : 0,
    };
}
