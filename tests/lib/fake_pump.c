#include "lib/fake_pump.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "net/grpc.h"
#include "pump.pb-c.h"

enum { CONNECTIONS_MAX = 64, READ_BYTES = 1 << 16 };

struct connection {
    struct fake_pump *pump;
    struct sl_socket *socket; /* NULL: none */
    struct sl_grpc   *grpc;
    bool              dropped;
};

struct fake_pump {
    const struct sl_env    *env;
    uint32_t                number;
    struct fake_pump_events events;
    struct sl_socket       *listener;
    char                    address[SL_ADDR_BYTES_MAX];
    struct connection       connections[CONNECTIONS_MAX];
    struct sl_list          calls; /* that are still to be answered */
    uint64_t                step;
};

struct call {
    struct connection   *connection;
    struct sl_grpc_call *grpc;
    struct sl_list_node  place; /* in fake_pump.calls */
    bool                 pull;
    bool                 full; /* until the stream is writable */
    enum fake_answer     answer;
    uint64_t             due; /* step */
    int32_t              type;
    sl_ts                start_ts; /* of a pull: from */
    uint64_t             cluster_id;
    unsigned             sent;
};

/* ---- calls ---- */

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *grpc,
                                      struct sl_slice path)
{
    struct call *call;
    bool         pull = sl_slice_equal(path, sl_slice_from_string("/binlog.Pump/PullBinlogs"));

    if (!pull && !sl_slice_equal(path, sl_slice_from_string("/binlog.Pump/WriteBinlog")))
        return SL_GRPC_NO_METHOD;
    call = calloc(1, sizeof *call);
    SL_ASSERT(call != NULL);
    call->connection = context;
    call->grpc = grpc;
    call->pull = pull;
    sl_grpc_call_set_context(grpc, call);
    return SL_GRPC_ONE_MESSAGE;
}

static void take_write(struct call *call, const struct sl_buf *message)
{
    struct fake_pump       *pump = call->connection->pump;
    struct sl_record        record = {0};
    struct sl_slice         payload = {NULL, 0};
    unsigned                steps = 0;
    Sluice__WriteBinlogReq *request =
        sluice__write_binlog_req__unpack(NULL, message->len, message->data);

    SL_ASSERT(request != NULL);
    if (request->payload.len > 0) {
        payload = (struct sl_slice){request->payload.data, request->payload.len};
        SL_ASSERT(sl_record_decode(payload, &record, NULL) == SL_OK);
    }
    call->answer = pump->events.write(pump->events.context, pump->number, request->cluster_id,
                                      &record, payload, &steps);
    call->type = record.type;
    call->start_ts = record.start_ts;
    call->due = pump->step + steps;
    sluice__write_binlog_req__free_unpacked(request, NULL);
}

static void take_pull(struct call *call, const struct sl_buf *message)
{
    Sluice__PullBinlogReq *request =
        sluice__pull_binlog_req__unpack(NULL, message->len, message->data);

    SL_ASSERT(request != NULL && request->start_from != NULL);
    call->cluster_id = request->cluster_id;
    call->start_ts = request->start_from->offset;
    sluice__pull_binlog_req__free_unpacked(request, NULL);
}

static void on_message(void *context, struct sl_grpc_call *grpc, struct sl_buf **message)
{
    struct call *call = context;

    (void)grpc;
    if (call->pull)
        take_pull(call, *message);
    else
        take_write(call, *message);
    sl_list_push_back(&call->connection->pump->calls, &call->place);
}

static void on_writable(void *context, struct sl_grpc_call *grpc)
{
    struct call *call = context;

    (void)grpc;
    call->full = false;
}

static void on_over(void *context, struct sl_grpc_call *grpc, enum sl_grpc_status status,
                    const char *text)
{
    struct call *call = context;

    (void)grpc;
    (void)status;
    (void)text;
    if (sl_list_linked(&call->place))
        sl_list_remove(&call->place);
    free(call);
}

static const struct sl_grpc_events grpc_events = {
    .called = on_called,
    .message = on_message,
    .writable = on_writable,
    .over = on_over,
};

/* ---- answers ---- */

static void answer_ok(struct fake_pump *pump, struct call *call)
{
    struct sl_buf *empty = sl_buf_new(0);

    if (pump->events.answered != NULL)
        pump->events.answered(pump->events.context, pump->number, call->type, call->start_ts);
    SL_ASSERT(sl_grpc_send(call->grpc, &empty) == SL_OK);
    sl_grpc_finish(call->grpc, SL_GRPC_OK, NULL);
}

/* The call is off the list. */
static void answer_write(struct fake_pump *pump, struct call *call)
{
    switch (call->answer) {
    case FAKE_OK: answer_ok(pump, call); return;
    case FAKE_REFUSE: sl_grpc_finish(call->grpc, SL_GRPC_UNKNOWN, "not now"); return;
    case FAKE_TOO_LARGE:
        sl_grpc_finish(call->grpc, SL_GRPC_RESOURCE_EXHAUSTED, "message larger than max");
        return;
    case FAKE_DROP:
    case FAKE_OK_THEN_DROP: call->connection->dropped = true; return;
    }
    SL_UNREACHABLE("not an answer");
}

static struct sl_buf *response_of(const struct sl_buf *payload)
{
    Sluice__PullBinlogResp response = SLUICE__PULL_BINLOG_RESP__INIT;
    Sluice__Entity         entity = SLUICE__ENTITY__INIT;
    Sluice__Pos            pos = SLUICE__POS__INIT;
    Sluice__Meta           meta = SLUICE__META__INIT;
    struct sl_buf         *out;

    entity.pos = &pos;
    entity.meta = &meta;
    entity.payload.data = payload->data;
    entity.payload.len = payload->len;
    response.entity = &entity;
    out = sl_buf_new(sluice__pull_binlog_resp__get_packed_size(&response));
    (void)sluice__pull_binlog_resp__pack(&response, out->data);
    return out;
}

/* Send what can be sent; with the last one the call is off the list. */
static void answer_pull(struct fake_pump *pump, struct call *call)
{
    while (!call->full) {
        struct sl_buf *payload =
            pump->events.pull(pump->events.context, call->cluster_id, call->start_ts, call->sent);
        struct sl_buf *response;

        if (payload == NULL && pump->events.streams_stay)
            return;
        if (payload == NULL) {
            sl_list_remove(&call->place);
            sl_grpc_finish(call->grpc, SL_GRPC_OK, NULL);
            return;
        }
        response = response_of(payload);
        call->full = sl_grpc_send(call->grpc, &response) != SL_OK;
        call->sent += !call->full;
        sl_buf_free(&response);
        sl_buf_free(&payload);
    }
}

static void answer_due(struct fake_pump *pump)
{
    struct sl_list_node *next;

    for (struct sl_list_node *n = sl_list_first(&pump->calls); n != NULL; n = next) {
        struct call *call = SL_CONTAINER_OF(n, struct call, place);

        next = sl_list_next(&pump->calls, n);
        if (call->pull) {
            answer_pull(pump, call);
        } else if (pump->step >= call->due) {
            sl_list_remove(n);
            answer_write(pump, call);
        }
    }
}

/* ---- connections ---- */

static void accept_all(struct fake_pump *pump)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *conn = &pump->connections[i];

        if (conn->socket != NULL)
            continue;
        if (sl_socket_accept(pump->listener, &conn->socket, NULL) != SL_OK)
            return;
        conn->pump = pump;
        conn->dropped = false;
        conn->grpc = sl_grpc_new(SL_H2_SERVER, &grpc_events, conn, &(struct sl_grpc_options){0},
                                 sl_env_now(pump->env));
    }
}

static void drop(struct connection *conn)
{
    sl_grpc_free(&conn->grpc);
    sl_socket_close(&conn->socket);
}

static void read_some(struct connection *conn)
{
    uint8_t        bytes[READ_BYTES];
    struct sl_buf *input;
    size_t         got;
    enum sl_err    err = SL_AGAIN;

    sl_grpc_tick(conn->grpc, sl_env_now(conn->pump->env));
    while (!conn->dropped &&
           (err = sl_socket_read(conn->socket, bytes, sizeof bytes, &got, NULL)) == SL_OK) {
        if (got == 0)
            break;
        input = sl_buf_new(got);
        memcpy(input->data, bytes, got);
        conn->dropped =
            conn->dropped || sl_h2_receive(sl_grpc_h2(conn->grpc), input, NULL) != SL_OK;
        sl_buf_free(&input);
    }
    conn->dropped = conn->dropped || err != SL_AGAIN;
}

static void write_some(struct connection *conn)
{
    struct sl_h2   *h2 = sl_grpc_h2(conn->grpc);
    struct sl_slice bytes;
    size_t          put;

    while (sl_h2_pending(h2, &bytes) &&
           sl_socket_write(conn->socket, bytes.bytes, bytes.len, &put, NULL) == SL_OK)
        sl_h2_sent(h2, put);
}

/* ---- the pump ---- */

struct fake_pump *fake_pump_new(const struct sl_env *env, uint32_t number,
                                const struct fake_pump_events *events)
{
    struct fake_pump *pump = calloc(1, sizeof *pump);

    SL_ASSERT(pump != NULL);
    pump->env = env;
    pump->number = number;
    pump->events = *events;
    sl_list_init(&pump->calls);
    SL_ASSERT(sl_net_listen(env->net, "127.0.0.1:0", &pump->listener, NULL) == SL_OK);
    sl_socket_local(pump->listener, pump->address);
    return pump;
}

void fake_pump_free(struct fake_pump **pump)
{
    struct fake_pump *old = *pump;

    *pump = NULL;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (old->connections[i].socket != NULL)
            drop(&old->connections[i]);
    }
    sl_socket_close(&old->listener);
    free(old);
}

const char *fake_pump_address(const struct fake_pump *pump)
{
    return pump->address;
}

void fake_pump_step(struct fake_pump *pump)
{
    pump->step++;
    accept_all(pump);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (pump->connections[i].socket != NULL)
            read_some(&pump->connections[i]);
    }
    answer_due(pump);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *conn = &pump->connections[i];

        if (conn->socket == NULL)
            continue;
        write_some(conn);
        if (conn->dropped)
            drop(conn);
    }
}
