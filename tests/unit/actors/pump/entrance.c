#include "unit/actors/pump/entrance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/http_mail.h"
#include "actors/pump/messages.h"
#include "actors/pump/puller.h"
#include "actors/pump/topology.h"
#include "binlog/record.h"
#include "net/http.h"
#include "net/node.h"

enum { POLL_MS = 1, PORT_BYTES = 64, SEEDS = 10, DOUBLE_HELD_MAX = 128, POLL = SL_PUMP_TICK };

const char entrance_fake_hex[] = "080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
const char entrance_prewrite_hex[] = "080010ea8ad08c91f6e3dc05180022016b2a017638004000";
const char entrance_write_hex[] =
    "08b5c4f49281d3a8945b121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
const char entrance_probe_hex[] = "08b5c4f49281d3a8945b";
const char entrance_pull_hex[] = "08b5c4f49281d3a8945b120a10b78bd08c91f6e3dc05";
const char entrance_pull_all_hex[] = "08b5c4f49281d3a8945b1200";
const char entrance_entity_hex[] =
    "0a340a00121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000"
    "221408b78bd08c91f6e3dc0510b78bd08c91f6e3dc05";

struct sl_pump       entrance_pump;
struct sl_ref        entrance_gateway;
struct client        clients[CLIENTS_MAX];
struct writer_double writer;
struct puller_double puller;
struct clock_double  clock_door;
struct admin_double  admin;

uint32_t sl_pump_shard_of(const struct sl_pump *pump, sl_ts start_ts)
{
    return (uint32_t)((uint64_t)start_ts % pump->options.shards);
}

/* ---- hex ---- */

static struct sl_buf *from_hex(const char *hex)
{
    struct sl_buf *buf = sl_buf_new(strlen(hex) / 2);
    unsigned       byte;

    for (size_t i = 0; i < buf->len; i++) {
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        buf->data[i] = (uint8_t)byte;
    }
    return buf;
}

static void to_hex(const struct sl_buf *buf, char out[256])
{
    out[0] = '\0';
    if (buf->len > 127)
        return;
    for (size_t i = 0; i < buf->len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", buf->data[i]);
}

/* ---- client: calls ---- */

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct client_call *c = context;

    c->messages++;
    c->bytes += (*message)->len;
    to_hex(*message, c->last_hex);
    if (c->held)
        c->unconsumed += (*message)->len;
    else
        sl_grpc_consume(call, (*message)->len);
}

static void on_writable(void *context, struct sl_grpc_call *call)
{
    struct client_call *c = context;

    if (c->more != NULL && sl_grpc_send(call, &c->more) == SL_OK)
        sl_grpc_half_close(call);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct client_call *c = context;

    (void)call;
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        if (c >= clients[i].calls && c < clients[i].calls + CLIENT_CALLS_MAX)
            clients[i].over_count++;
    }
    c->over = true;
    c->call = NULL;
    c->status = status;
    (void)snprintf(c->text, sizeof c->text, "%s", text);
    sl_buf_free(&c->more);
}

static const struct sl_grpc_events client_events = {
    .message = on_message, .writable = on_writable, .over = on_over};

static uint32_t begin_call(uint32_t i, const char *path, struct sl_buf *request)
{
    struct client      *c = &clients[i];
    struct client_call *call = &c->calls[c->call_count];
    struct sl_why       why;

    assert_true(c->call_count < CLIENT_CALLS_MAX);
    assert_int_equal(
        sl_grpc_call(c->grpc, path, SL_GRPC_NEVER, &client_events, call, &call->call, &why), SL_OK);
    call->more = request;
    on_writable(call, call->call);
    return c->call_count++;
}

uint32_t client_call_hex(uint32_t i, const char *path, const char *hex)
{
    return begin_call(i, path, from_hex(hex));
}

uint32_t client_call_bytes(uint32_t i, const char *path, const void *bytes, size_t count)
{
    struct sl_buf *request = sl_buf_new(count);

    if (count > 0)
        memcpy(request->data, bytes, count);
    return begin_call(i, path, request);
}

static uint8_t *put_varint(uint8_t *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

uint32_t client_write(uint32_t i, int32_t type, sl_ts start_ts, sl_ts commit_ts, size_t filler)
{
    uint8_t         *value = calloc(1, filler + 1);
    struct sl_record record = {.type = type,
                               .start_ts = start_ts,
                               .commit_ts = commit_ts,
                               .prewrite_value = {filler > 0 ? value : NULL, filler}};
    size_t           bytes = sl_record_encoded_bytes(&record);
    struct sl_buf   *request = sl_buf_new(bytes + 32);
    struct sl_buf   *exact;
    uint8_t         *at = request->data;

    *at++ = 1 << 3;
    at = put_varint(at, ENTRANCE_CLUSTER_ID);
    *at++ = 2 << 3 | 2;
    at = put_varint(at, bytes);
    sl_record_encode(&record, at);
    free(value);
    exact = sl_buf_slice(request, 0, (size_t)(at - request->data) + bytes);
    sl_buf_free(&request);
    return begin_call(i, "/binlog.Pump/WriteBinlog", exact);
}

void client_raw(uint32_t i, const void *bytes, size_t count)
{
    struct client *c = &clients[i];

    assert_true(count <= sizeof c->raw_out - c->raw_out_count);
    memcpy(c->raw_out + c->raw_out_count, bytes, count);
    c->raw_out_count += count;
}

void client_raw_text(uint32_t i, const char *text)
{
    client_raw(i, text, strlen(text));
}

void client_expect(uint32_t i, uint32_t call, enum sl_grpc_status status, const char *text)
{
    const struct client_call *c = &clients[i].calls[call];

    assert_true(c->over);
    assert_string_equal(c->text, text);
    assert_int_equal(c->status, status);
}

/* ---- client: the actor ---- */

struct client_args {
    uint32_t index;
    bool     grpc;
    bool     over_unix;
};

struct client_state {
    struct client *c;
};

static void client_close(struct sl_ctx *ctx, struct client *c)
{
    sl_io_unwatch(ctx, &c->io);
    sl_socket_close(&c->socket);
    sl_grpc_free(&c->grpc);
}

static void client_read(struct client *c)
{
    static uint8_t bytes[PORT_BYTES << 10];
    struct sl_why  why;
    size_t         got;
    enum sl_err    err = SL_OK;

    while (!c->deaf && !c->ended && !c->reset &&
           (err = sl_socket_read(c->socket, bytes, sizeof bytes, &got, &why)) == SL_OK) {
        if (got == 0) {
            c->ended = true;
        } else if (c->grpc != NULL) {
            struct sl_buf *input = sl_buf_new(got);

            memcpy(input->data, bytes, got);
            (void)sl_h2_receive(sl_grpc_h2(c->grpc), input, &why);
            sl_buf_free(&input);
        } else if (got <= sizeof c->raw_in - c->raw_in_count - 1) {
            memcpy(c->raw_in + c->raw_in_count, bytes, got);
            c->raw_in_count += got;
        }
    }
    if (err != SL_OK && err != SL_AGAIN)
        c->reset = true;
}

static void client_write_out(struct client *c)
{
    struct sl_slice out;
    struct sl_why   why;
    size_t          put;

    if (c->grpc != NULL) {
        while (sl_h2_pending(sl_grpc_h2(c->grpc), &out) &&
               sl_socket_write(c->socket, out.bytes, out.len, &put, &why) == SL_OK)
            sl_h2_sent(sl_grpc_h2(c->grpc), put);
        return;
    }
    if (c->raw_out_count > 0 &&
        sl_socket_write(c->socket, c->raw_out, c->raw_out_count, &put, &why) == SL_OK) {
        c->raw_out_count -= put;
        memmove(c->raw_out, c->raw_out + put, c->raw_out_count);
    }
    if (c->raw_out_count == 0 && c->shut) {
        c->shut = false;
        assert_int_equal(sl_socket_shut(c->socket, &why), SL_OK);
    }
}

static void client_move(struct sl_ctx *ctx, struct client *c)
{
    struct sl_why why;

    if (c->socket == NULL)
        return;
    if (c->hang_up) {
        client_close(ctx, c);
        return;
    }
    if (!c->connected && sl_socket_connected(c->socket, &why) != SL_OK)
        return;
    c->connected = true;
    if (c->grpc != NULL)
        sl_grpc_tick(c->grpc, sl_now(ctx));
    client_read(c);
    client_write_out(c);
    if (c->ended || c->reset)
        client_close(ctx, c);
}

static enum sl_err client_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct client_args *given = args;
    struct client_state      *state = self;
    struct client            *c = &clients[given->index];
    struct sl_grpc_options    options = {.authority = "pump:8250"};
    enum sl_err               err;

    state->c = c;
    c->ended = false;
    err = sl_net_connect(sl_env(ctx)->net, given->over_unix ? "unix:/pump.sock" : "pump:8250",
                         &c->socket, sl_why(ctx));
    assert_int_equal(err, SL_OK);
    (void)options;
    sl_timer_arm(ctx, &c->poll, POLL, POLL_MS);
    return sl_io_watch(ctx, &c->io, c->socket, SL_SOCKET_READABLE);
}

static enum sl_err client_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct client_state *state = self;

    (void)msg;
    client_move(ctx, state->c);
    sl_timer_arm(ctx, &state->c->poll, POLL, POLL_MS);
    return SL_OK;
}

static enum sl_err client_ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct client_state *state = self;

    (void)io, (void)events;
    client_move(ctx, state->c);
    if (state->c->deaf)
        sl_io_unwatch(ctx, &state->c->io); /* else it would be ready for ever */
    return SL_OK;
}

static void client_stop(struct sl_ctx *ctx, void *self)
{
    client_close(ctx, ((struct client_state *)self)->c);
}

static const struct sl_actor_class client_class = {
    .name = "client",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct client_state),
    .timers_max = 1,
    .start = client_start,
    .handle = client_handle,
    .ready = client_ready,
    .stop = client_stop,
};

void client_open(struct sl_ctx *ctx, uint32_t i, bool grpc, bool over_unix)
{
    struct client_args     args = {i, grpc, over_unix};
    struct sl_grpc_options options = {
        .authority = "pump:8250",
        .h2 = {.streams_max = CLIENT_CALLS_MAX,
               .header_list_bytes_max = SL_H2_HEADER_LIST_BYTES_MAX,
               .queue_bytes = SL_H2_QUEUE_BYTES,
               .connection_queue_bytes = SL_H2_CONNECTION_QUEUE_BYTES}};
    struct sl_ref ref;

    if (grpc)
        clients[i].grpc = sl_grpc_new(SL_H2_CLIENT, NULL, NULL, &options, sl_now(ctx));
    assert_int_equal(sl_spawn(ctx, &client_class, &args, sizeof args, &ref), SL_OK);
}

/* ---- writer ---- */

struct writer_state {
    struct sl_timer poll;
    struct sl_msg  *held[DOUBLE_HELD_MAX];
    uint32_t        count;
    uint32_t        shard;
};

static void writer_answer(struct sl_ctx *ctx, struct sl_msg *msg)
{
    struct sl_asker asker;

    if (writer.vanish) {
        sl_msg_discard(msg, &msg);
        return;
    }
    asker = sl_asker_of(msg);
    if (writer.err != SL_OK) {
        struct sl_why          why = {0};
        struct sl_pump_failed *failed;

        (void)sl_fail(&why, writer.err, "%s", writer.text);
        failed = sl_pump_failed_new(writer.err, &why);
        sl_reply(ctx, asker, &failed);
    } else {
        struct sl_msg *done = sl_msg_alloc(sizeof *done, SL_PUMP_WRITTEN, NULL);

        sl_reply_msg(ctx, asker, done, &done);
    }
    sl_msg_discard(msg, &msg);
}

static enum sl_err writer_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct writer_state *w = self;

    w->shard = *(const uint32_t *)args;
    sl_timer_arm(ctx, &w->poll, POLL, POLL_MS);
    return SL_OK;
}

static enum sl_err writer_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct writer_state  *w = self;
    struct sl_pump_write *write = (struct sl_pump_write *)(void *)msg;

    if (msg->type == POLL) {
        sl_timer_arm(ctx, &w->poll, POLL, POLL_MS);
        for (uint32_t i = 0; i < w->count && !writer.hold; i++)
            writer_answer(ctx, w->held[i]);
        if (!writer.hold) {
            writer.holding -= w->count;
            w->count = 0;
        }
        return SL_OK;
    }
    assert_int_equal(msg->type, SL_PUMP_WRITE);
    assert_true(writer.count < WRITES_MAX && w->count < DOUBLE_HELD_MAX);
    assert_true(write->is_large || msg->bytes >= write->payload->len);
    writer.start_ts[writer.count] = write->start_ts;
    writer.commit_ts[writer.count] = write->commit_ts;
    writer.shard_of[writer.count] = w->shard;
    writer.bytes[writer.count++] = write->payload->len;
    to_hex(write->payload, writer.last_hex);
    if (writer.hold) {
        w->held[w->count++] = sl_take(ctx);
        writer.holding++;
    } else {
        writer_answer(ctx, sl_take(ctx));
    }
    return SL_OK;
}

static void writer_stop(struct sl_ctx *ctx, void *self)
{
    struct writer_state *w = self;

    (void)ctx;
    for (uint32_t i = 0; i < w->count; i++)
        sl_msg_discard(w->held[i], &w->held[i]);
}

static const struct sl_actor_class writer_class = {
    .name = "writer",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct writer_state),
    .timers_max = 1,
    .start = writer_start,
    .handle = writer_handle,
    .stop = writer_stop,
};

/* ---- puller: the name that the session knows ---- */

struct puller_state {
    struct sl_timer poll;
    struct sl_msg  *asked[SL_PULL_AHEAD];
    uint32_t        count;
};

static enum sl_err puller_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pull_args *given = args;
    struct puller_state       *p = self;

    puller.alive++;
    puller.begun++;
    puller.after = given->after;
    (void)snprintf(puller.peer, sizeof puller.peer, "%s", given->peer);
    assert_ptr_equal(given->pump, &entrance_pump);
    sl_timer_arm(ctx, &p->poll, POLL, POLL_MS);
    return SL_OK;
}

static void puller_give(struct sl_ctx *ctx, struct sl_msg *question)
{
    struct sl_asker       asker = sl_asker_of(question);
    struct sl_pump_batch *batch = sl_pump_batch_new();

    for (uint32_t i = 0; i < puller.entities_per_batch; i++)
        batch->entities[batch->count++] = puller.entity_bytes == 0
                                              ? from_hex(entrance_entity_hex)
                                              : sl_buf_new(puller.entity_bytes);
    if (puller.entity_bytes > 0) {
        for (uint32_t i = 0; i < batch->count; i++)
            memset(batch->entities[i]->data, (int)i, puller.entity_bytes);
    }
    sl_reply(ctx, asker, &batch);
    sl_msg_discard(question, &question);
    puller.given++;
}

static enum sl_err puller_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct puller_state *p = self;

    if (msg->type == POLL) {
        sl_timer_arm(ctx, &p->poll, POLL, POLL_MS);
    } else {
        assert_int_equal(msg->type, SL_PUMP_NEXT);
        assert_true(p->count < SL_PULL_AHEAD);
        p->asked[p->count++] = sl_take(ctx);
        puller.asked++;
    }
    if (puller.fail)
        return sl_fail(sl_why(ctx), SL_IO, "read of a segment failed");
    if (puller.finish)
        sl_stop(ctx);
    while (p->count > 0 && puller.given < puller.limit)
        puller_give(ctx, p->asked[--p->count]);
    return SL_OK;
}

static void puller_stop(struct sl_ctx *ctx, void *self)
{
    struct puller_state *p = self;

    (void)ctx;
    for (uint32_t i = 0; i < p->count; i++)
        sl_msg_discard(p->asked[i], &p->asked[i]);
    puller.alive--;
}

const struct sl_actor_class sl_pump_puller_class = {
    .name = "puller",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct puller_state),
    .timers_max = 1,
    .start = puller_start,
    .handle = puller_handle,
    .stop = puller_stop,
};

/* ---- clock ---- */

static enum sl_err clock_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_asker asker = sl_asker_of(msg);

    (void)self;
    clock_door.asked++;
    if (clock_door.fail) {
        struct sl_why          why = {"timestamp door: no answer"};
        struct sl_pump_failed *failed = sl_pump_failed_new(SL_TIMEOUT, &why);

        sl_reply(ctx, asker, &failed);
    } else {
        struct sl_pump_ts *ts = sl_msg_new(struct sl_pump_ts, SL_PUMP_TS);

        ts->ts = clock_door.ts;
        sl_reply(ctx, asker, &ts);
    }
    return SL_OK;
}

static const struct sl_actor_class clock_class = {
    .name = "clock",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .handle = clock_handle,
};

/* ---- admin ---- */

struct admin_state {
    struct sl_timer poll;
    struct sl_msg  *held;
};

static void admin_answer(struct sl_ctx *ctx, struct sl_msg *msg)
{
    struct sl_asker        asker;
    struct sl_buf         *body = sl_buf_new(strlen(admin.said));
    struct sl_http_answer *response;

    memcpy(body->data, admin.said, body->len);
    if (!admin.vanish) {
        asker = sl_asker_of(msg);
        response =
            sl_http_answer_new(SL_PUMP_HTTP_RESPONSE, 200, "text/plain; charset=utf-8", &body);
        sl_reply(ctx, asker, &response);
    }
    sl_buf_free(&body);
    sl_msg_discard(msg, &msg);
}

static int chars(const struct sl_buf *buf)
{
    return buf != NULL ? (int)buf->len : 0;
}

static const char *text(const struct sl_buf *buf)
{
    return buf != NULL ? (const char *)buf->data : "";
}

static enum sl_err admin_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)args;
    sl_timer_arm(ctx, &((struct admin_state *)self)->poll, POLL, POLL_MS);
    return SL_OK;
}

static enum sl_err admin_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_http_question *r = (struct sl_http_question *)(void *)msg;
    struct admin_state      *a = self;

    if (msg->type == POLL) {
        sl_timer_arm(ctx, &a->poll, POLL, POLL_MS);
        if (a->held != NULL && !admin.hold) {
            admin_answer(ctx, a->held);
            a->held = NULL;
        }
        return SL_OK;
    }
    assert_int_equal(msg->type, SL_PUMP_HTTP_REQUEST);
    admin.asked++;
    (void)snprintf(admin.said, sizeof admin.said, "%s %.*s?%.*s [%.*s] trusted %d",
                   sl_http_method_name(r->method), chars(r->path), text(r->path), chars(r->query),
                   text(r->query), chars(r->body), text(r->body), r->trusted);
    if (admin.hold && a->held == NULL)
        a->held = sl_take(ctx);
    else
        admin_answer(ctx, sl_take(ctx));
    return SL_OK;
}

static void admin_stop(struct sl_ctx *ctx, void *self)
{
    struct admin_state *a = self;

    (void)ctx;
    if (a->held != NULL)
        sl_msg_discard(a->held, &a->held);
}

static const struct sl_actor_class admin_class = {
    .name = "admin",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct admin_state),
    .timers_max = 1,
    .start = admin_start,
    .handle = admin_handle,
    .stop = admin_stop,
};

/* ---- topology ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1},
    {&sl_pump_gateway_class, 1},
    {&sl_pump_session_class, ENTRANCE_SESSIONS_MAX},
    {&sl_pump_puller_class, SL_PULLERS_MAX},
    {&sl_pump_spooler_class, ENTRANCE_SHARDS},
    {&writer_class, ENTRANCE_SHARDS},
    {&clock_class, 1},
    {&admin_class, 1},
    {&client_class, CLIENTS_MAX},
};

static const struct sl_topology_line lines[SL_LINE_PIECE + 1] = {
    [SL_LINE_WRITE] = {.name = "write",
                       .credits = ENTRANCE_WRITE_CREDITS,
                       .bytes = ENTRANCE_WRITE_BYTES,
                       .inputs = 1,
                       .path = {&sl_pump_session_class, &writer_class}},
    [SL_LINE_FAKE] = {.name = "fake",
                      .credits = 1,
                      .inputs = 1,
                      .path = {&clock_class, &writer_class}},
    [SL_LINE_MARK] = {.name = "mark",
                      .credits = 1,
                      .inputs = 1,
                      .path = {&clock_class, &writer_class}},
    [SL_LINE_CUT] = {.name = "cut",
                     .credits = 1,
                     .inputs = 1,
                     .path = {&clock_class, &writer_class}},
    [SL_LINE_WATCH] = {.name = "watch",
                       .credits = 1,
                       .inputs = 1,
                       .path = {&clock_class, &writer_class}},
    [SL_LINE_NEXT] = {.name = "next",
                      .credits = 4, /* few: two streams fill it */
                      .inputs = 1,
                      .path = {&sl_pump_session_class, &sl_pump_puller_class}},
    [SL_LINE_HTTP] = {.name = "http",
                      .credits = 1,
                      .bytes = SL_HTTP_BODY_BYTES_MAX,
                      .inputs = 1,
                      .path = {&sl_pump_session_class, &admin_class}},
    [SL_LINE_SPOOL] = {.name = "spool",
                       .credits = SL_SPOOLS_MAX,
                       .inputs = 1,
                       .path = {&sl_pump_session_class, &sl_pump_spooler_class, &writer_class}},
    [SL_LINE_PIECE] = {.name = "piece",
                       .credits = SL_SPOOLS_MAX * (SL_SPOOL_PIECES + 1),
                       .inputs = 1,
                       .path = {&sl_pump_session_class, &sl_pump_spooler_class}},
    [SL_LINE_TS] = {.name = "ts",
                    .credits = 1,
                    .inputs = 1,
                    .path = {&sl_pump_session_class, &clock_class}},
};

const struct sl_topology entrance_topology = STAGE_TOPOLOGY(actors, lines);

/* ---- playing ---- */

static void spawn(struct sl_ctx *ctx, const struct sl_actor_class *class_of, const void *args,
                  size_t bytes, struct sl_ref *out)
{
    assert_int_equal(sl_spawn(ctx, class_of, args, bytes, out), SL_OK);
}

static void begin(struct sl_ctx *ctx)
{
    struct sl_pump     *pump = &entrance_pump;
    struct sl_pump_args args = {.pump = pump};
    struct sl_net      *net = sl_env(ctx)->net;

    for (uint32_t k = 0; k < ENTRANCE_SHARDS; k++) {
        args.shard = k;
        (void)snprintf(pump->large_dir[k], sizeof pump->large_dir[k], "/large-%u", k);
        assert_int_equal(
            sl_large_open(sl_env(ctx)->fs, pump->large_dir[k], &pump->shard[k].large, NULL), SL_OK);
        spawn(ctx, &writer_class, &k, sizeof k, &pump->shard[k].writer_ref);
        spawn(ctx, &sl_pump_spooler_class, &args, sizeof args, &pump->shard[k].spooler_ref);
    }
    spawn(ctx, &clock_class, NULL, 0, &pump->clock_ref);
    spawn(ctx, &admin_class, NULL, 0, &pump->admin_ref);
    assert_int_equal(sl_net_listen(net, "pump:8250", &pump->listener, sl_why(ctx)), SL_OK);
    assert_int_equal(sl_net_listen(net, "unix:/pump.sock", &pump->unix_listener, sl_why(ctx)),
                     SL_OK);
    spawn(ctx, &sl_pump_gateway_class, &args, sizeof args, &entrance_gateway);
}

static void reset(void)
{
    memset(&entrance_pump, 0, sizeof entrance_pump);
    memset(clients, 0, sizeof clients);
    writer = (struct writer_double){0};
    puller = (struct puller_double){.entities_per_batch = 2, .limit = 1};
    clock_door = (struct clock_double){.ts = ENTRANCE_COMMIT_TS};
    admin = (struct admin_double){0};
    entrance_pump.metric_registry = sl_metric_registry_new();
    sl_pump_metrics_add(entrance_pump.metric_registry, &entrance_pump.board,
                        &entrance_pump.metrics);
    entrance_pump.cluster_id = ENTRANCE_CLUSTER_ID;
    entrance_pump.options.shards = ENTRANCE_SHARDS;
    entrance_pump.options.message_bytes_max = ENTRANCE_MESSAGE_BYTES_MAX;
    entrance_pump.options.stop_write_bytes = ENTRANCE_STOP_WRITE_BYTES;
    atomic_store(&entrance_pump.board.state, SL_NODE_ONLINE);
    atomic_store(&entrance_pump.board.space_available, ENTRANCE_STOP_WRITE_BYTES + 1);
    atomic_store(&entrance_pump.board.newest_ts, ENTRANCE_COMMIT_TS);
}

void entrance_play(const struct stage_scene *scenes, uint32_t count, void (*check)(void))
{
    struct stage_scene *all = calloc(count + 1, sizeof *all);
    struct stage        stage = {.scenes = all, .scene_count = count + 1};

    assert_non_null(all);
    all[0] = (struct stage_scene){.play = begin};
    memcpy(all + 1, scenes, count * sizeof *all);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sl_why why = {0};

        reset();
        stage.layered = seed % 3 == 0;
        if (stage_play_seed(&stage, &entrance_topology, seed, &why) != SL_OK)
            fail_msg("seed %u: %s", (unsigned)seed, why.text);
        for (uint32_t k = 0; k < ENTRANCE_SHARDS; k++)
            sl_large_close(&entrance_pump.shard[k].large);
        assert_int_equal(sl_buf_live_count(), 0);
        assert_int_equal(puller.alive, 0);
        assert_int_equal(atomic_load(&entrance_pump.board.pullers), 0);
        assert_null(entrance_pump.listener);
        assert_null(entrance_pump.unix_listener);
        if (check != NULL)
            check();
        sl_metric_registry_free(&entrance_pump.metric_registry);
    }
    free(all);
}
