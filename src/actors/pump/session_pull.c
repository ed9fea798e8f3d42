/* PullBinlogs: a puller per stream, and its batches into the stream as the client reads (pump spec
 * 1.5).
 *
 *     message ──► puller (child) ──batch──► entities, one by one ──SL_FULL──┐
 *                    ▲                         ▲                            │
 *                    └── next ── queued whole ─┘◄───────── writable ────────┘
 *
 * SL_PULL_AHEAD batches at most are asked for or held, so a client that does not read costs no
 * more, and stops its puller. However a stream ends for us, its status is OK: the client comes
 * again with the last commit ts it saw. But in the midst of an entity that goes in pieces: there is
 * no such end, and the client is told UNAVAILABLE. */

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "actors/pump/puller.h"
#include "actors/pump/session_private.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/request.h"

/* ---- batches ---- */

static void ask_next(struct session_call *c)
{
    struct session *s = c->session;
    struct sl_line *line = sl_line(s->connection.ctx, SL_LINE_NEXT, 0);
    uint64_t        tag = session_tag(TOPIC_NEXT, sl_grpc_call_id(c->call));

    while (c->puller.generation != 0 && c->asked + c->batch_count < SL_PULL_AHEAD) {
        struct sl_msg *next;

        if (s->pulls.awaits_open)
            return;
        next = sl_msg_alloc(sizeof *next, SL_PUMP_NEXT, NULL);
        if (sl_ask_msg(s->connection.ctx, line, c->puller, tag, next, &next) == SL_OK) {
            c->asked++;
            continue;
        }
        sl_msg_discard(next, &next);
        s->pulls.awaits_open = true;
        sl_line_wait(s->connection.ctx, line, 0, session_tag(TOPIC_NEXT, 0));
    }
}

static enum sl_err send_piece(struct session_call *c, uint32_t total, struct sl_buf **piece)
{
    uint32_t    bytes = (uint32_t)(*piece)->len;
    enum sl_err err;

    if (c->unsent == 0) {
        sl_grpc_send_begin(c->call, total);
        c->unsent = total;
    }
    err = sl_grpc_send_piece(c->call, piece);
    if (err == SL_OK)
        c->unsent -= bytes;
    return err;
}

/* Queue what goes of a batch. SL_FULL: `writable` will come. */
static enum sl_err send_batch(struct session_call *c, struct sl_pump_batch *batch)
{
    enum sl_err err = SL_OK;

    while (c->batch_sent < batch->count && err == SL_OK) {
        struct sl_buf **next = &batch->entities[c->batch_sent];

        err = batch->pieces_of > 0 ? send_piece(c, batch->pieces_of, next)
                                   : sl_grpc_send(c->call, next);
        if (err == SL_OK)
            c->batch_sent++;
    }
    return err;
}

static void drop_first(struct session_call *c)
{
    sl_msg_free(&c->batches[0]);
    c->batch_count--;
    for (uint32_t i = 0; i < c->batch_count; i++)
        c->batches[i] = c->batches[i + 1];
    c->batches[c->batch_count] = NULL;
    c->batch_sent = 0;
}

static void end_stream(struct session_call *c)
{
    if (c->unsent == 0)
        sl_grpc_finish(c->call, SL_GRPC_OK, NULL);
    else
        sl_grpc_finish(c->call, SL_GRPC_UNAVAILABLE, "the stream ended within an entity");
}

/* Send what goes, ask for more, and end the stream when there is no more. */
static void go_on(struct session_call *c)
{
    while (c->batch_count > 0 && send_batch(c, c->batches[0]) == SL_OK)
        drop_first(c);
    if (c->puller.generation != 0)
        ask_next(c);
    else if (c->batch_count == 0)
        end_stream(c);
}

void session_pull_batch(struct session *s, uint32_t id)
{
    struct session_call *c = session_find(s, id, SESSION_PULL);

    if (c == NULL)
        return;
    SL_ASSERT(c->asked > 0 && c->batch_count < SL_PULL_AHEAD);
    c->asked--;
    c->batches[c->batch_count++] = (struct sl_pump_batch *)(void *)sl_take(s->connection.ctx);
    go_on(c);
}

void session_pull_writable(struct session_call *c)
{
    if (c->begun)
        go_on(c);
}

void session_pull_open(struct session *s)
{
    struct sl_list_node *node;

    s->pulls.awaits_open = false;
    for (node = sl_list_first(&s->pulls.calls); node != NULL;
         node = sl_list_next(&s->pulls.calls, node)) {
        struct session_call *c = SL_CONTAINER_OF(node, struct session_call, node);

        if (session_find(s, sl_grpc_call_id(c->call), SESSION_PULL) == c)
            ask_next(c);
    }
}

/* ---- begin ---- */

static void count_stream(struct sl_pump *pump, int by)
{
    atomic_fetch_add_explicit(&pump->board.pullers, (uint32_t)by, memory_order_relaxed);
    sl_metric_move(pump->metrics.pullers, by);
}

static void begin(struct session_call *c, sl_ts after)
{
    struct session     *s = c->session;
    struct sl_pull_args args = {.pump = s->pump, .after = after};

    (void)snprintf(args.peer, sizeof args.peer, "%.*s", SL_PULL_PEER_BYTES_MAX - 1,
                   s->connection.peer);
    if (s->pulls.pullers == SL_PULLERS_MAX || sl_spawn(s->connection.ctx, &sl_pump_puller_class,
                                                       &args, sizeof args, &c->puller) != SL_OK) {
        sl_grpc_finish(c->call, SL_GRPC_UNKNOWN, "too many pullers");
        return;
    }
    c->begun = true;
    s->pulls.pullers++;
    sl_list_push_back(&s->pulls.calls, &c->node);
    count_stream(s->pump, 1);
    sl_log(SL_LOG_INFO, "pull begins", sl_field_str("peer", s->connection.peer),
           sl_field_i64("after", after));
    go_on(c);
}

void session_pull_message(struct session_call *c, struct sl_buf *message)
{
    struct session        *s = c->session;
    struct sl_pull_request request;
    struct sl_why          why = {0};

    if (s->connection.stopping) {
        sl_grpc_finish(c->call, SL_GRPC_UNAVAILABLE, session_stopping_text);
        return;
    }
    if (sl_pull_request_decode(sl_slice_from_buf(message), &request, &why) != SL_OK) {
        (void)sl_wrap(&why, SL_INVALID, "grpc: error unmarshalling request");
        sl_grpc_finish(c->call, SL_GRPC_INTERNAL, why.text);
        return;
    }
    if (request.cluster_id == s->pump->cluster_id) {
        begin(c, request.after);
        return;
    }
    (void)sl_fail(&why, SL_INVALID, "cluster ID are mismatch, %" PRIu64 " vs %" PRIu64,
                  request.cluster_id, s->pump->cluster_id);
    sl_grpc_finish(c->call, SL_GRPC_UNKNOWN, why.text);
}

/* ---- ends ---- */

/* The puller cannot go on; that it ends is told apart. */
void session_pull_failed(struct session *s, uint32_t id, const char *text)
{
    struct session_call *c = session_find(s, id, SESSION_PULL);

    if (c == NULL)
        return;
    SL_ASSERT(c->asked > 0);
    c->asked--;
    sl_log(SL_LOG_DEBUG, "puller gives no batch", sl_field_str("peer", s->connection.peer),
           sl_field_str("reason", text));
    sl_stop_child(s->connection.ctx, c->puller);
}

static struct session_call *call_of(struct session *s, struct sl_ref puller)
{
    struct sl_list_node *node;

    for (node = sl_list_first(&s->pulls.calls); node != NULL;
         node = sl_list_next(&s->pulls.calls, node)) {
        struct session_call *c = SL_CONTAINER_OF(node, struct session_call, node);

        if (sl_ref_equal(c->puller, puller))
            return c;
    }
    return NULL;
}

void session_pull_child_ended(struct session *s, const struct sl_child_ended *ended)
{
    struct session_call *c = call_of(s, ended->child);

    SL_ASSERT(s->pulls.pullers > 0);
    s->pulls.pullers--;
    if (ended->err != SL_OK)
        sl_log(SL_LOG_ERROR, "puller failed", sl_field_str("peer", s->connection.peer),
               sl_field_err(ended->err, &ended->why));
    if (c == NULL)
        return;
    c->puller = (struct sl_ref){0};
    if (session_find(s, sl_grpc_call_id(c->call), SESSION_PULL) == c)
        go_on(c);
}

void session_pull_over(struct session_call *c)
{
    struct session *s = c->session;

    if (!c->begun)
        return;
    sl_list_remove(&c->node);
    if (c->puller.generation != 0)
        sl_stop_child(s->connection.ctx, c->puller);
    while (c->batch_count > 0)
        drop_first(c);
    count_stream(s->pump, -1);
}

/* What is not queued yet is not sent: the client asks another time for what it has not seen. */
void session_pull_stop(struct session *s)
{
    struct sl_list_node *node;

    for (node = sl_list_first(&s->pulls.calls); node != NULL;
         node = sl_list_next(&s->pulls.calls, node)) {
        struct session_call *c = SL_CONTAINER_OF(node, struct session_call, node);

        if (session_find(s, sl_grpc_call_id(c->call), SESSION_PULL) == c)
            end_stream(c);
        sl_stop_child(s->connection.ctx, c->puller);
    }
}

void session_pull_init(struct session *s)
{
    sl_list_init(&s->pulls.calls);
}
