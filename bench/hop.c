/* B17, actor-hop: what one message between actors costs, against a bare ring and a bare futex. */

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/env_os.h"
#include "harness.h"
#include "ring_probe.h"
#include "runtime/runtime.h"

enum {
    FAN = 16,
    CIRCLE_HALF = 500, /* of each class: 1000 actors in all */
    CIRCLE_TOKENS = 64,
    FAN_CREDITS = 4096,
    SENT_AT_ONCE = 1024, /* then the sender's next turn */
};

enum { LINE_WORK, LINE_BACK };
enum hop_msg { HOP_WORK = SL_MSG_USER, HOP_WIRE };

static const char *const hop_names[] = {"WORK", "WIRE"};

struct hop_work {
    struct sl_msg hdr;
};

/* Where a node's successor is. */
struct hop_wire {
    struct sl_msg hdr;
    struct sl_ref to[FAN];
    uint32_t      count;
};

/* Counted by each receiver on a cache line of its own. */
static struct {
    _Alignas(128) _Atomic uint64_t count;
} received[2 * CIRCLE_HALF];

static void count_one(uint32_t index)
{
    _Atomic uint64_t *count = &received[index].count; /* one writer: no atomic add needed */
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* ---- sender: sends to its receivers in turn while the line has credits ---- */

struct sender {
    struct hop_wire wire;
    uint32_t        next;
};

static enum sl_err send_all(struct sl_ctx *ctx, struct sender *s)
{
    struct sl_line *line = sl_line(ctx, LINE_WORK, 0);

    for (unsigned sent = 0; sent < SENT_AT_ONCE; sent++) {
        struct hop_work *m = sl_msg_new(struct hop_work, HOP_WORK);

        if (sl_send(ctx, line, s->wire.to[s->next], &m) != SL_OK) {
            sl_msg_free(&m);
            break;
        }
        s->next = s->next + 1 == s->wire.count ? 0 : s->next + 1;
    }
    sl_line_wait(ctx, line, 0, 0);
    return SL_OK;
}

static enum sl_err sender_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sender *s = self;

    s->wire = *(const struct hop_wire *)args;
    return send_all(ctx, s);
}

static enum sl_err sender_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    if (msg->type == SL_MSG_OPEN)
        return send_all(ctx, self);
    sl_stop(ctx);
    return SL_OK;
}

static enum sl_err no_messages(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_INVALID;
}

static enum sl_err receiver_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    *(uint32_t *)self = *(const uint32_t *)args;
    return SL_OK;
}

static enum sl_err receiver_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)msg;
    count_one(*(uint32_t *)self);
    return SL_OK;
}

static const struct sl_actor_class sender_class = {
    .name = "sender",
    .msg_names = hop_names,
    .msg_count = 2,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct sender),
    .waits_max = 1,
    .start = sender_start,
    .handle = no_messages,
    .system = sender_system,
};

static const struct sl_actor_class receiver_class = {
    .name = "receiver",
    .msg_names = hop_names,
    .msg_count = 2,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(uint32_t),
    .start = receiver_start,
    .handle = receiver_handle,
};

/* ---- root of both fans ---- */

struct fan {
    uint32_t senders;
    uint32_t receivers;
};

static enum sl_err fan_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct fan *fan = args;
    struct hop_wire   wire = {.count = fan->receivers};
    struct sl_ref     ref;
    enum sl_err       err = SL_OK;

    (void)self;
    for (uint32_t i = 0; i < fan->receivers && err == SL_OK; i++)
        err = sl_spawn(ctx, &receiver_class, &i, sizeof i, &wire.to[i]);
    for (uint32_t i = 0; i < fan->senders && err == SL_OK; i++)
        err = sl_spawn(ctx, &sender_class, &wire, sizeof wire, &ref);
    return err;
}

static const struct sl_actor_class fan_class = {
    .name = "fan",
    .lane = SL_LANE_COMPUTE,
    .children_max = 2 * FAN,
    .start = fan_start,
    .handle = no_messages,
};

static const struct sl_topology_actor fan_actors[] = {
    {&fan_class, 1}, {&sender_class, FAN}, {&receiver_class, FAN}};
static const struct sl_topology_line fan_lines[] = {{.name = "work",
                                                     .credits = FAN_CREDITS,
                                                     .inputs = 1,
                                                     .path = {&sender_class, &receiver_class}}};
static const struct sl_topology      fan_topology = {.program = "hop fan",
                                                     .actors = fan_actors,
                                                     .actor_count = 3,
                                                     .lines = fan_lines,
                                                     .line_count = 1};

/* ---- circle: tokens travel round 1000 actors of two classes in turn ---- */

struct node {
    struct sl_ref next;
    uint32_t      index;
    unsigned      line;
};

static enum sl_err node_pass(struct sl_ctx *ctx, struct node *n)
{
    struct hop_work *token = sl_msg_new(struct hop_work, HOP_WORK);
    enum sl_err      err = sl_send(ctx, sl_line(ctx, n->line, 0), n->next, &token);

    if (err != SL_OK)
        sl_msg_free(&token);
    return err;
}

static enum sl_err node_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    *(struct node *)self = *(const struct node *)args;
    return SL_OK;
}

static enum sl_err node_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct node *n = self;

    if (msg->type == HOP_WIRE) {
        n->next = ((struct hop_wire *)msg)->to[0];
        return n->index < CIRCLE_TOKENS ? node_pass(ctx, n) : SL_OK;
    }
    count_one(n->index);
    return node_pass(ctx, n);
}

static const struct sl_actor_class even_class = {.name = "even",
                                                 .msg_names = hop_names,
                                                 .msg_count = 2,
                                                 .lane = SL_LANE_COMPUTE,
                                                 .state_bytes = sizeof(struct node),
                                                 .start = node_start,
                                                 .handle = node_handle};
static const struct sl_actor_class odd_class = {.name = "odd",
                                                .msg_names = hop_names,
                                                .msg_count = 2,
                                                .lane = SL_LANE_COMPUTE,
                                                .state_bytes = sizeof(struct node),
                                                .start = node_start,
                                                .handle = node_handle};

static enum sl_err circle_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_ref refs[2 * CIRCLE_HALF];
    enum sl_err   err = SL_OK;

    (void)self;
    (void)args;
    for (uint32_t i = 0; i < 2 * CIRCLE_HALF && err == SL_OK; i++) {
        struct node node = {.index = i, .line = i % 2 == 0 ? LINE_WORK : LINE_BACK};

        err = sl_spawn(ctx, i % 2 == 0 ? &even_class : &odd_class, &node, sizeof node, &refs[i]);
    }
    for (uint32_t i = 0; i < 2 * CIRCLE_HALF && err == SL_OK; i++) {
        struct hop_wire *wire = sl_msg_new(struct hop_wire, HOP_WIRE);

        wire->to[0] = refs[(i + 1) % (2 * CIRCLE_HALF)];
        err = sl_send(ctx, sl_line(ctx, 2 + i % 2, 0), refs[i], &wire);
    }
    return err;
}

static const struct sl_actor_class    circle_class = {.name = "circle",
                                                      .lane = SL_LANE_COMPUTE,
                                                      .children_max = 2 * CIRCLE_HALF,
                                                      .start = circle_start,
                                                      .handle = no_messages};
static const struct sl_topology_actor circle_actors[] = {
    {&circle_class, 1}, {&even_class, CIRCLE_HALF}, {&odd_class, CIRCLE_HALF}};
static const struct sl_topology_line circle_lines[] = {
    {.name = "even-odd",
     .credits = 2 * CIRCLE_TOKENS,
     .inputs = 1,
     .path = {&even_class, &odd_class}},
    {.name = "odd-even",
     .credits = 2 * CIRCLE_TOKENS,
     .inputs = 1,
     .path = {&odd_class, &even_class}},
    {.name = "wire-even",
     .credits = CIRCLE_HALF,
     .inputs = 1,
     .path = {&circle_class, &even_class}},
    {.name = "wire-odd", .credits = CIRCLE_HALF, .inputs = 1, .path = {&circle_class, &odd_class}},
};
static const struct sl_topology circle_topology = {.program = "hop circle",
                                                   .actors = circle_actors,
                                                   .actor_count = 3,
                                                   .lines = circle_lines,
                                                   .line_count = 4};

/* ---- ping-pong: two actors that each have a thread and sleep between messages ---- */

struct pinger {
    struct sl_ref ponger;
};

static enum sl_err ping(struct sl_ctx *ctx, struct pinger *p)
{
    struct hop_work *question = sl_msg_new(struct hop_work, HOP_WORK);
    enum sl_err      err = sl_ask(ctx, sl_line(ctx, LINE_WORK, 0), p->ponger, 1, &question);

    if (err != SL_OK)
        sl_msg_free(&question);
    return err;
}

static enum sl_err pinger_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct pinger *p = self;

    p->ponger = *(const struct sl_ref *)args;
    return ping(ctx, p);
}

static enum sl_err pinger_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)msg;
    count_one(0);
    return ping(ctx, self);
}

static enum sl_err stop_on_anything(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    (void)msg;
    sl_stop(ctx);
    return SL_OK;
}

static enum sl_err ponger_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct hop_work *answer = sl_msg_new(struct hop_work, HOP_WORK);

    (void)self;
    sl_reply(ctx, sl_asker_of(msg), &answer);
    return SL_OK;
}

static const struct sl_actor_class pinger_class = {.name = "pinger",
                                                   .msg_names = hop_names,
                                                   .msg_count = 2,
                                                   .lane = SL_LANE_SYNC,
                                                   .state_bytes = sizeof(struct pinger),
                                                   .questions_max = 1,
                                                   .start = pinger_start,
                                                   .handle = pinger_handle,
                                                   .system = stop_on_anything};
static const struct sl_actor_class ponger_class = {.name = "ponger",
                                                   .msg_names = hop_names,
                                                   .msg_count = 2,
                                                   .lane = SL_LANE_SYNC,
                                                   .handle = ponger_handle};

static enum sl_err table_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_ref ponger;
    struct sl_ref pinger;
    enum sl_err   err = sl_spawn(ctx, &ponger_class, NULL, 0, &ponger);

    (void)self;
    (void)args;
    return err != SL_OK ? err : sl_spawn(ctx, &pinger_class, &ponger, sizeof ponger, &pinger);
}

static const struct sl_actor_class    table_class = {.name = "table",
                                                     .lane = SL_LANE_COMPUTE,
                                                     .children_max = 2,
                                                     .start = table_start,
                                                     .handle = no_messages};
static const struct sl_topology_actor ping_actors[] = {
    {&table_class, 1}, {&pinger_class, 1}, {&ponger_class, 1}};
static const struct sl_topology_line ping_lines[] = {
    {.name = "ping", .credits = 2, .inputs = 1, .path = {&pinger_class, &ponger_class}}};
static const struct sl_topology ping_topology = {.program = "hop ping-pong",
                                                 .actors = ping_actors,
                                                 .actor_count = 3,
                                                 .lines = ping_lines,
                                                 .line_count = 1};

/* ---- measuring ---- */

static uint64_t received_all(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < 2 * CIRCLE_HALF; i++)
        sum += atomic_load_explicit(&received[i].count, memory_order_relaxed);
    return sum;
}

static void pass_time(double seconds)
{
    struct timespec span = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&span, NULL);
}

struct run {
    double messages;
    double seconds;
    double wakes;
};

static bool run_topology(const struct sl_topology *topology, const void *args, size_t args_bytes,
                         bool never_spin, double seconds, struct run *out)
{
    struct sl_runtime_options options = {
        .env = sl_env_os(), .topology = topology, .never_spin = never_spin};
    struct sl_runtime_totals before, after;
    struct sl_runtime       *rt;
    struct sl_why            why = {0};
    uint64_t                 count;
    double                   began;

    if (sl_runtime_new(&options, &rt, &why) != SL_OK ||
        sl_runtime_start(rt, args, args_bytes, &why) != SL_OK) {
        fprintf(stderr, "hop: %s\n", why.text);
        return false;
    }
    pass_time(seconds / 10); /* warm up */
    before = sl_runtime_totals_of(rt);
    count = received_all();
    began = bench_now();
    pass_time(seconds);
    out->messages = (double)(received_all() - count);
    out->seconds = bench_now() - began;
    after = sl_runtime_totals_of(rt);
    out->wakes = (double)(after.wakes - before.wakes);
    sl_runtime_stop(rt);
    if (sl_runtime_wait(rt, &why) != SL_OK) {
        fprintf(stderr, "hop: %s\n", why.text);
        return false;
    }
    sl_runtime_free(&rt);
    return true;
}

static bool measure_rate(const struct sl_topology *topology, const void *args, size_t args_bytes,
                         const struct bench_options *o, struct bench_sample *out)
{
    struct run run;

    if (!run_topology(topology, args, args_bytes, false, o->seconds, &run))
        return false;
    out->value[0] = run.messages / run.seconds;
    out->value[1] = run.messages / (run.wakes > 0 ? run.wakes : 1);
    return true;
}

static bool ours_fan_in(const struct bench_options *o, struct bench_sample *out)
{
    const struct fan fan = {.senders = FAN, .receivers = 1};

    return measure_rate(&fan_topology, &fan, sizeof fan, o, out);
}

static bool ours_fan_out(const struct bench_options *o, struct bench_sample *out)
{
    const struct fan fan = {.senders = 1, .receivers = FAN};

    return measure_rate(&fan_topology, &fan, sizeof fan, o, out);
}

static bool ours_circle(const struct bench_options *o, struct bench_sample *out)
{
    return measure_rate(&circle_topology, NULL, 0, o, out);
}

static bool measure_trip(const struct bench_options *o, bool never_spin, struct bench_sample *out)
{
    struct run run;
    if (!run_topology(&ping_topology, NULL, 0, never_spin, o->seconds, &run))
        return false;
    out->value[0] = run.seconds * 1e9 / (run.messages > 0 ? run.messages : 1);
    return true;
}

static bool ours_ping_pong(const struct bench_options *o, struct bench_sample *out)
{
    return measure_trip(o, true, out);
}

static bool ours_ping_pong_awake(const struct bench_options *o, struct bench_sample *out)
{
    return measure_trip(o, false, out);
}

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "msg/s"};
    static const struct bench_metric wakes = {.name = "per-wake", .unit = "msg", .limit = 64};
    static const struct bench_metric trip = {
        .name = "round-trip", .unit = "ns", .smaller_is_better = true};
    const struct bench_case cases[] = {
        {"ping-pong", "two actors that sleep", {trip}, ours_ping_pong, probe_futex, NULL},
        {"ping-pong-spin",
         "as shipped: a look before sleep",
         {trip},
         ours_ping_pong_awake,
         probe_futex,
         NULL},
        {"fan-in", "16 actors to one", {rate, wakes}, ours_fan_in, probe_ring_mpsc, NULL},
        {"fan-out", "one actor to 16", {rate, wakes}, ours_fan_out, probe_ring_mpsc_16, NULL},
        {"ring",
         "64 tokens round 1000 actors",
         {rate, wakes},
         ours_circle,
         probe_ring_circle,
         NULL},
    };

    return bench_main("hop", cases, sizeof cases / sizeof *cases, argc, argv);
}
