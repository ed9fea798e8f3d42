#include "lib/workload.h"

#include <stdatomic.h>

#include "base/assert.h"
#include "base/prng.h"
#include "runtime/supervisor.h"

enum {
    LINE_BYTES = 1000,
    LINE_CREDITS = 3,
    QUESTIONS_MAX = 16,
};

enum line { LINE_WORK, LINE_WIRE };

enum source_msg { SOURCE_WIRE = SL_MSG_USER, SOURCE_ANSWER, SOURCE_GO, SOURCE_GHOST };
enum relay_msg { RELAY_WORK = SL_MSG_USER };
enum sink_msg { SINK_WORK = SL_MSG_USER };
enum root_msg {
    ROOT_STOP_SOURCES = SL_MSG_USER,
    ROOT_RESTART, /* the supervisor's, one per child */
    ROOT_MSGS = ROOT_RESTART + WORKLOAD_RELAYS_MAX + WORKLOAD_SINKS_MAX,
};

static const char *const source_names[] = {"WIRE", "ANSWER", "GO", "GHOST"};
static const char *const relay_names[] = {"WORK"};
static const char *const sink_names[] = {"WORK"};
static const char *const root_names[] = {"STOP_SOURCES", "RESTART", "RESTART",
                                         "RESTART",      "RESTART", "RESTART"};

static struct {
    _Atomic uint64_t asked, answered, gone, relayed, sunk, full, granted, restarts, disorder,
        ghosts;
} counts;

/* Travels source -> relay -> sink. */
struct work {
    struct sl_msg hdr;
    uint32_t      source;
    uint64_t      order; /* per source, rising for ever */
    uint8_t       padding[40];
};

/* root -> source: where the relays are. */
struct wire {
    struct sl_msg hdr;
    uint32_t      relays;
    struct sl_ref relay[WORKLOAD_RELAYS_MAX];
};

static struct workload  config; /* set by root's start, read by all afterwards */
static _Atomic uint64_t next_order[WORKLOAD_SOURCES_MAX];

static bool one_in(struct sl_ctx *ctx, uint32_t n)
{
    return n > 0 && sl_prng_chance(sl_random(ctx), 1, n);
}

/* ---- source ---- */

struct source_args {
    uint32_t index;
};

struct source {
    uint32_t        index;
    uint32_t        sent;
    uint32_t        open; /* questions */
    bool            waiting;
    bool            stopping;
    struct wire     wire;
    struct sl_timer go;
    struct sl_timer ghost; /* always disarmed before it is due */
};

static void source_maybe_end(struct sl_ctx *ctx, struct source *s)
{
    if ((s->stopping || s->sent == config.messages) && s->open == 0)
        sl_stop(ctx);
}

static struct work *work_new(struct sl_ctx *ctx, struct source *s)
{
    struct work *w = sl_msg_new(struct work, RELAY_WORK);

    w->hdr.bytes = (uint32_t)sl_prng_below(sl_random(ctx), LINE_BYTES + 1);
    w->source = s->index;
    w->order = atomic_fetch_add(&next_order[s->index], 1) + 1;
    return w;
}

static struct sl_ref some_relay(struct sl_ctx *ctx, const struct source *s)
{
    return s->wire.relay[sl_prng_below(sl_random(ctx), s->wire.relays)];
}

/* Full: have oneself told, in one of the two ways. */
static void source_wait(struct sl_ctx *ctx, struct source *s, uint32_t bytes)
{
    struct sl_line  *line = sl_line(ctx, LINE_WORK, s->index);
    struct sl_permit permit;

    atomic_fetch_add(&counts.full, 1);
    if (one_in(ctx, 2)) {
        if (sl_line_reserve(ctx, line, bytes, s->sent, &permit) == SL_OK) {
            sl_permit_return(ctx, &permit); /* room came meanwhile: go on by timer, not by permit */
            sl_timer_arm(ctx, &s->go, SOURCE_GO, 0);
            return;
        }
    } else {
        sl_line_wait(ctx, line, bytes, s->sent);
    }
    s->waiting = true;
}

/* Send until the line is full, the questions are used up, or a pause is drawn. */
static void source_send(struct sl_ctx *ctx, struct source *s)
{
    struct sl_line *line = sl_line(ctx, LINE_WORK, s->index);

    while (!s->waiting && !s->stopping && s->sent < config.messages && s->wire.relays > 0) {
        bool         ask = one_in(ctx, 2) && s->open < QUESTIONS_MAX;
        struct work *w = work_new(ctx, s);
        uint32_t     bytes = w->hdr.bytes;
        enum sl_err  err;

        err = ask ? sl_ask(ctx, line, some_relay(ctx, s), w->order, &w)
                  : sl_send(ctx, line, some_relay(ctx, s), &w);
        if (err != SL_OK) {
            SL_ASSERT(err == SL_FULL);
            sl_msg_free(&w);
            source_wait(ctx, s, bytes);
            return;
        }
        s->sent++;
        if (ask) {
            s->open++;
            atomic_fetch_add(&counts.asked, 1);
        }
        if (one_in(ctx, 16)) {
            sl_timer_arm(ctx, &s->ghost, SOURCE_GHOST, 1);
            sl_timer_disarm(ctx, &s->ghost);
        }
        if (one_in(ctx, 16)) {
            sl_timer_arm(ctx, &s->go, SOURCE_GO, sl_prng_below(sl_random(ctx), 3));
            return;
        }
    }
}

static enum sl_err source_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct source *s = self;

    (void)ctx;
    s->index = ((const struct source_args *)args)->index;
    return SL_OK;
}

static enum sl_err source_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    switch ((enum source_msg)msg->type) {
    case SOURCE_WIRE: s->wire = *(struct wire *)msg; break;
    case SOURCE_ANSWER:
        s->open--;
        atomic_fetch_add(&counts.answered, 1);
        break;
    case SOURCE_GO: break;
    case SOURCE_GHOST: atomic_fetch_add(&counts.ghosts, 1); break;
    }
    source_send(ctx, s);
    source_maybe_end(ctx, s);
    return SL_OK;
}

/* Use the permit for a message that reserved it. */
static void source_granted(struct sl_ctx *ctx, struct source *s, struct sl_msg *msg)
{
    struct sl_permit permit = sl_permit_of(msg);

    atomic_fetch_add(&counts.granted, 1);
    if (s->stopping || s->sent == config.messages || one_in(ctx, 8)) {
        sl_permit_return(ctx, &permit);
    } else {
        struct work *w = work_new(ctx, s);

        sl_send_permitted(ctx, &permit, some_relay(ctx, s), &w);
        s->sent++;
    }
}

static enum sl_err source_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP:
        s->stopping = true;
        if (one_in(ctx, 2))
            sl_stop(ctx); /* at once, with questions open: their answers find nobody */
        break;
    case SL_MSG_GONE:
        s->open--;
        atomic_fetch_add(&counts.gone, 1);
        break;
    case SL_MSG_OPEN: s->waiting = false; break;
    case SL_MSG_GRANTED:
        s->waiting = false;
        source_granted(ctx, s, msg);
        break;
    case SL_MSG_CHILD_ENDED:
    case SL_SYSTEM_MSGS: SL_UNREACHABLE("a source has no children");
    }
    source_send(ctx, s);
    source_maybe_end(ctx, s);
    return SL_OK;
}

static void source_stop(struct sl_ctx *ctx, void *self)
{
    struct source *s = self;

    (void)ctx;
    atomic_fetch_add(&counts.gone, s->open); /* nobody is left to hear the answers */
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

    if (w->order <= r->last[w->source])
        atomic_fetch_add(&counts.disorder, 1); /* R1: FIFO between one sender and one receiver */
    r->last[w->source] = w->order;
    atomic_fetch_add(&counts.relayed, 1);
    SL_ASSERT(r->count < WORKLOAD_SOURCES_MAX * LINE_CREDITS); /* every one holds a credit */
    r->held[r->count++] = w;
}

static enum sl_err relay_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct relay *r = self;

    SL_ASSERT(msg->type == RELAY_WORK);
    relay_take(ctx, r);
    if (one_in(ctx, config.fail_one_in))
        return sl_fail(sl_why(ctx), SL_IO, "a planned failure");
    return SL_OK;
}

static enum sl_err relay_drained(struct sl_ctx *ctx, void *self)
{
    struct relay *r = self;

    for (uint32_t i = 0; i < r->count; i++) {
        if (one_in(ctx, config.drop_one_in))
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
    atomic_fetch_add(&counts.sunk, 1);
    if (msg->asker.generation == 0 || one_in(ctx, config.drop_one_in))
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

static const struct sl_actor_class source_class = {
    .name = "source",
    .msg_names = source_names,
    .msg_count = sizeof source_names / sizeof *source_names,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct source),
    .questions_max = QUESTIONS_MAX,
    .waits_max = 1,
    .timers_max = 2,
    .start = source_start,
    .handle = source_handle,
    .system = source_system,
    .stop = source_stop,
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
    atomic_fetch_add(&counts.restarts, 1);
    for (uint32_t i = 0; i < config.sources && r->living > 0; i++)
        tell_source(ctx, r, i);
}

static enum sl_err start_sources(struct sl_ctx *ctx, struct root *r)
{
    enum sl_err err;

    r->generation++;
    for (uint32_t i = 0; i < config.sources; i++) {
        struct source_args args = {.index = i};

        if ((err = sl_spawn(ctx, &source_class, &args, sizeof args, &r->source[i])) != SL_OK)
            return err;
        r->living++;
        tell_source(ctx, r, i);
    }
    if (config.stop_after_ms > 0)
        sl_timer_arm(ctx, &r->stop_sources, ROOT_STOP_SOURCES, config.stop_after_ms);
    return SL_OK;
}

static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct root      *r = self;
    struct relay_args to = {0};
    uint32_t          index;
    enum sl_err       err;

    config = *(const struct workload *)args;
    sl_supervisor_init(&r->sup, r->children, WORKLOAD_RELAYS_MAX + WORKLOAD_SINKS_MAX, ROOT_RESTART,
                       relay_started, r);
    for (uint32_t i = 0; i < config.sinks; i++) {
        if ((err = sl_supervisor_add(ctx, &r->sup, &sink_spec, NULL, 0, &index)) != SL_OK)
            return err;
        to.sink[to.sinks++] = sl_supervisor_ref(&r->sup, index);
    }
    for (uint32_t i = 0; i < config.relays; i++) {
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
    for (uint32_t i = 0; i < config.sources; i++)
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
    if (r->generation < config.generations)
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
    {&source_class, WORKLOAD_SOURCES_MAX},
    {&relay_class, WORKLOAD_RELAYS_MAX},
    {&sink_class, WORKLOAD_SINKS_MAX},
};

static const struct sl_topology_line lines[] = {
    [LINE_WORK] = {.name = "work",
                   .credits = LINE_CREDITS,
                   .bytes = LINE_BYTES,
                   .inputs = WORKLOAD_SOURCES_MAX,
                   .path = {&source_class, &relay_class, &sink_class}},
    [LINE_WIRE] = {.name = "wire",
                   .credits = 2,
                   .inputs = WORKLOAD_SOURCES_MAX,
                   .path = {&root_class, &source_class}},
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
    memset(&counts, 0, sizeof counts);
    memset(next_order, 0, sizeof next_order);
}

struct workload_counts workload_counts_now(void)
{
    return (struct workload_counts){
        .asked = counts.asked,
        .answered = counts.answered,
        .gone = counts.gone,
        .relayed = counts.relayed,
        .sunk = counts.sunk,
        .full = counts.full,
        .granted = counts.granted,
        .restarts = counts.restarts,
        .disorder = counts.disorder,
        .ghosts = counts.ghosts,
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
