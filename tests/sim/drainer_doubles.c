/* Doubles of what leads a drainer outside: its opener, sources, collector, and the front. They take
 * the places of the classes in the drainer's own topology, because a program finds their names here
 * before it looks into the archive. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/messages.h"
#include "actors/drainer/source.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/json.h"
#include "runtime/actor.h"
#include "sim/drainer_world.h"

enum { TICK_MS_MAX = 6, BLOCK_ITEMS_MAX = 5, MOVE = 60, LEAVE_MS = 10, MISSING = 4 };

/* ---- opener ---- */

static enum sl_err opener_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)self;
    world_open(((const struct sl_drainer_args *)args)->drainer);
    sl_stop(ctx);
    return SL_OK;
}

static enum sl_err nothing(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

const struct sl_actor_class sl_drainer_opener_class = {
    .name = "opener",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .start = opener_start,
    .handle = nothing,
};

/* ---- source: a pump's stream ---- */

struct source {
    const struct sl_source_seat *seat;
    uint32_t                     pump;
    sl_ts                        last;
    struct sl_drainer_block     *block; /* owned: made, and not sent yet */
    bool                         is_line_full;
    struct sl_timer              tick;
};

static bool has(uint32_t pump, const struct script_event *event)
{
    return event->pump == pump || (event->is_copied && pump == 0);
}

/* The first of the pump's records above ts, if it has happened. */
static const struct script_event *next_record(uint32_t pump, sl_ts ts)
{
    const struct script_event *found = NULL;

    for (uint32_t i = 0; i < world.script.event_count; i++) {
        const struct script_event *event = &world.script.events[i];

        if (event->commit_ts > ts && event->commit_ts <= world.now && has(pump, event) &&
            (found == NULL || event->commit_ts < found->commit_ts))
            found = event;
    }
    return found;
}

static void fill(struct sl_ctx *ctx, struct source *s)
{
    uint64_t                   wanted = sl_prng_below(sl_random(ctx), BLOCK_ITEMS_MAX + 1);
    const struct script_event *event = NULL;
    struct sl_drainer_block   *block = sl_drainer_block_new(s->seat->input);

    for (uint64_t i = 0; i < wanted && (event = next_record(s->pump, s->last)) != NULL; i++) {
        struct sl_descriptor *item = &block->items[block->block.count++];

        *item = (struct sl_descriptor){.commit_ts = event->commit_ts,
                                       .tag = {(uint64_t)event->job_id, event->record->len}};
        item->held.bytes = sl_slice_from_buf(event->record);
        item->held.owner = sl_buf_ref(event->record);
        block->hdr.bytes += (uint32_t)event->record->len;
        s->last = event->commit_ts;
    }
    if (next_record(s->pump, s->last) == NULL)
        s->last = world.now; /* a mark: there is nothing more up to here */
    block->watermark = s->last;
    s->block = block;
}

static void send(struct sl_ctx *ctx, struct source *s)
{
    enum sl_err err;

    if (s->block == NULL)
        fill(ctx, s);
    err = sl_send(ctx, sl_line(ctx, SL_LINE_BLOCK, s->seat->input), s->seat->merger, &s->block);
    if (err != SL_OK) {
        SL_ASSERT(err == SL_FULL);
        s->is_line_full = true;
        sl_line_wait(ctx, sl_line(ctx, SL_LINE_BLOCK, s->seat->input), s->block->hdr.bytes, 0);
    }
    world_go_on(sl_random(ctx));
}

static void tick_later(struct sl_ctx *ctx, struct sl_timer *tick)
{
    sl_timer_arm(ctx, tick, SL_DRAINER_TICK, sl_prng_range(sl_random(ctx), 1, TICK_MS_MAX));
}

static enum sl_err source_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct source *s = self;

    s->seat = *(const struct sl_source_seat *const *)args;
    s->pump = (uint32_t)(s->seat->node_id[0] - 'a');
    s->last = s->seat->after;
    tick_later(ctx, &s->tick);
    return SL_OK;
}

static enum sl_err source_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    SL_ASSERT(msg->type == SL_DRAINER_TICK);
    if (!s->is_line_full && world_pump_state(s->pump) != SL_NODE_OFFLINE)
        send(ctx, s);
    tick_later(ctx, &s->tick);
    return SL_OK;
}

static enum sl_err source_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    else if (msg->type == SL_MSG_OPEN)
        s->is_line_full = false;
    return SL_OK;
}

static void source_stop(struct sl_ctx *ctx, void *self)
{
    struct source *s = self;

    (void)ctx;
    if (s->block != NULL)
        sl_msg_free(&s->block);
}

const struct sl_actor_class sl_drainer_source_class = {
    .name = "source",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct source),
    .waits_max = 1,
    .timers_max = 1,
    .start = source_start,
    .handle = source_handle,
    .system = source_system,
    .stop = source_stop,
};

/* ---- collector: registry and timestamps ---- */

static uint32_t addresses[SCRIPT_PUMPS_MAX]; /* of each pump, how often it has moved */

static void list(struct sl_ctx *ctx, struct sl_node_list *out)
{
    out->nodes = calloc(SCRIPT_PUMPS_MAX, sizeof *out->nodes);
    SL_ASSERT(out->nodes != NULL);
    for (uint32_t i = 0; i < world.script.pump_count; i++) {
        struct sl_node *node = &out->nodes[out->count];

        node->state = world_pump_state(i);
        if (node->state == SL_NODE_ABSENT)
            continue;
        if (!world.is_calm && sl_prng_chance(sl_random(ctx), 1, MOVE)) {
            addresses[i]++;
            world.counts.moves++;
        }
        (void)snprintf(node->id, sizeof node->id, "%c", (char)('a' + i));
        (void)snprintf(node->host, sizeof node->host, "%c:%" PRIu32, (char)('a' + i), addresses[i]);
        out->count++;
    }
}

static enum sl_err collector_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_drainer_fenced *fenced = sl_drainer_fenced_new();

    (void)self;
    SL_ASSERT(msg->type == SL_DRAINER_FENCE);
    fenced->fence = world.now;
    world_go_on(sl_random(ctx)); /* between the timestamp and the listing */
    list(ctx, &fenced->pumps);
    sl_reply(ctx, sl_asker_of(msg), &fenced);
    return SL_OK;
}

const struct sl_actor_class sl_drainer_collector_class = {
    .name = "collector",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .handle = collector_handle,
};

/* ---- the front ---- */

static enum sl_err registrar_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_msg *done = sl_msg_alloc(sizeof *done, SL_DRAINER_PUBLISHED, NULL);

    (void)self;
    SL_ASSERT(msg->type == SL_DRAINER_PUBLISH);
    sl_reply_msg(ctx, sl_asker_of(msg), done, &done);
    return SL_OK;
}

const struct sl_actor_class sl_drainer_registrar_class = {
    .name = "registrar",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .handle = registrar_handle,
};

/* Asks root to stop when it is time. */
struct admin {
    struct sl_timer due;
    bool            is_asked;
};

static enum sl_err admin_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)args;
    sl_timer_arm(ctx, &((struct admin *)self)->due, SL_DRAINER_SAMPLE, LEAVE_MS);
    return SL_OK;
}

static enum sl_err admin_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct admin            *a = self;
    struct sl_drainer_leave *leave;

    SL_ASSERT(msg->type == SL_DRAINER_SAMPLE);
    if (!a->is_asked && (world.wants_stop || world_is_done())) {
        a->is_asked = true;
        leave = sl_msg_new(struct sl_drainer_leave, SL_DRAINER_LEAVE);
        if (sl_send(ctx, sl_line(ctx, SL_LINE_FRONT_LEAVE, 0), world.drainer->front.root_ref,
                    &leave) != SL_OK)
            SL_UNREACHABLE("it is said once");
    }
    sl_timer_arm(ctx, &a->due, SL_DRAINER_SAMPLE, LEAVE_MS);
    return SL_OK;
}

const struct sl_actor_class sl_drainer_admin_class = {
    .name = "admin",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct admin),
    .timers_max = 1,
    .start = admin_start,
    .handle = admin_handle,
};

const struct sl_actor_class sl_drainer_gateway_class = {
    .name = "gateway",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .handle = nothing,
};

/* ---- the history of DDL ---- */

/* A job is there when something behind it has happened, or its binlog. */
static bool is_there(uint32_t number)
{
    for (uint32_t i = number; i < world.script.event_count; i++) {
        if (world.script.events[i].commit_ts <= world.now)
            return true;
    }
    return false;
}

static struct sl_json *document_of(const struct script_event *event)
{
    struct sl_json *out = NULL;

    if (sl_json_parse(sl_slice_from_string(event->job), &out, NULL) != SL_OK)
        SL_PANIC("no job: %s", event->job);
    return out;
}

static enum sl_err job(struct sl_schema_source *source, int64_t id, struct sl_json **out,
                       struct sl_why *why)
{
    (void)source;
    for (uint32_t i = 0; i < world.script.event_count; i++) {
        if (world.script.events[i].job_id != id || !is_there(i) ||
            (!world.is_calm && sl_prng_chance(&world.dice, 1, MISSING)))
            continue;
        *out = document_of(&world.script.events[i]);
        return SL_OK;
    }
    return sl_fail(why, SL_NOT_FOUND, "not yet");
}

/* Versions rise with the places of the events. */
static enum sl_err each(struct sl_schema_source *source, const struct sl_history_bound *bound,
                        sl_history_visit visit, void *context, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    (void)why;
    for (uint32_t i = 0; i < world.script.event_count && err == SL_OK; i++) {
        const struct script_event *event = &world.script.events[i];
        struct sl_json            *document;

        if (event->kind == SCRIPT_TXN || !is_there(i))
            continue;
        source->newest = event->version;
        if (event->version > bound->version && event->commit_ts - 1 > bound->finished)
            continue;
        document = document_of(event);
        err = visit(context, &document);
    }
    return err;
}

static void keep(struct sl_schema_source *source)
{
    (void)source;
}

const struct sl_schema_source_ops world_jobs_ops = {.job = job, .each = each, .free = keep};
