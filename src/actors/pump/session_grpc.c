/* Calls of one connection: which method they are for, and what their events lead to. An answer from
 * another actor finds its call by the id in its tag, or finds it gone. */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "actors/pump/session_private.h"
#include "base/assert.h"
#include "base/log.h"

static const char service[] = "/binlog.Pump/";

const char session_stopping_text[] = "the pump is stopping";

/* ---- events ---- */

static bool slice_is(struct sl_slice slice, const char *text)
{
    return sl_slice_equal(slice, sl_slice_from_string(text));
}

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    struct session_call   *c;
    enum session_call_kind kind;

    if (slice_is(path, "/binlog.Pump/WriteBinlog"))
        kind = SESSION_WRITE;
    else if (slice_is(path, "/binlog.Pump/PullBinlogs"))
        kind = SESSION_PULL;
    else if (path.len >= sizeof service - 1 && memcmp(path.bytes, service, sizeof service - 1) == 0)
        return SL_GRPC_NO_METHOD;
    else
        return SL_GRPC_NO_SERVICE;
    c = calloc(1, sizeof *c);
    SL_ASSERT(c != NULL);
    c->kind = kind;
    c->session = context;
    c->call = call;
    c->began = sl_now(c->session->connection.ctx);
    sl_grpc_call_set_context(call, c);
    return SL_GRPC_ONE_MESSAGE;
}

static void on_sized(void *context, struct sl_grpc_call *call, size_t bytes)
{
    struct session_call *c = context;
    struct sl_why        why;

    (void)call;
    if (c->kind == SESSION_WRITE) {
        session_write_sized(c, bytes);
        return;
    }
    (void)sl_fail(&why, SL_TOO_LARGE, "grpc: received message larger than max (%zu vs. %d)", bytes,
                  SL_GRPC_UNASKED_BYTES_MAX);
    sl_grpc_finish(c->call, SL_GRPC_RESOURCE_EXHAUSTED, why.text);
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct session_call *c = context;

    (void)call;
    if (c->kind == SESSION_WRITE)
        session_write_message(c, *message);
    else
        session_pull_message(c, *message);
}

static void on_piece(void *context, struct sl_grpc_call *call, struct sl_buf **piece, size_t offset,
                     size_t total)
{
    (void)call;
    session_spool_piece(context, piece, offset, total);
}

static void on_writable(void *context, struct sl_grpc_call *call)
{
    struct session_call *c = context;

    (void)call;
    if (c->kind == SESSION_WRITE)
        session_write_writable(c);
    else
        session_pull_writable(c);
}

/* A stream that its reader has ended has done what it was for. */
static bool is_success(const struct session_call *c, enum sl_grpc_status status)
{
    return status == SL_GRPC_OK || (c->kind == SESSION_PULL && status == SL_GRPC_CANCELLED);
}

/* A stream's time is that of its life. */
static void measure(const struct session_call *c, enum sl_grpc_status status)
{
    const struct sl_pump_metrics *metrics = &c->session->pump->metrics;
    enum sl_pump_rpc     rpc = c->kind == SESSION_WRITE ? SL_PUMP_RPC_WRITE : SL_PUMP_RPC_PULL;
    enum sl_pump_rpc_end end = is_success(c, status) ? SL_PUMP_RPC_SUCC : SL_PUMP_RPC_FAIL;
    sl_nanos             took = sl_now(c->session->connection.ctx) - c->began;

    sl_metric_observe(metrics->rpc_seconds[rpc][end], (double)took / 1e9);
    if (c->kind == SESSION_WRITE && took >= (sl_nanos)SL_PUMP_SLOW_RPC_MS * SL_NANOS_PER_MS)
        sl_log(SL_LOG_WARN, "slow write binlog RPC response",
               sl_field_str("peer", c->session->connection.peer), sl_field_nanos("took", took));
    if (c->kind == SESSION_WRITE && status == SL_GRPC_RESOURCE_EXHAUSTED)
        sl_metric_add(metrics->refused[SL_PUMP_REFUSED_SIZE], 1);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct session_call *c = context;

    (void)call, (void)text;
    measure(c, status);
    if (c->kind == SESSION_WRITE)
        session_write_over(c);
    else
        session_pull_over(c);
    free(c);
}

static const struct sl_grpc_events events = {
    .called = on_called,
    .sized = on_sized,
    .message = on_message,
    .writable = on_writable,
    .over = on_over,
    .piece = on_piece,
};

/* ---- the connection ---- */

/* The largest request. With what its commit adds it must fit a message to a drainer, whose size has
 * 32 bits on the wire. */
static size_t message_bytes_max(const struct session *s)
{
    uint64_t allowed = s->pump->options.message_bytes_max;
    uint64_t most = UINT32_MAX - 2 * (uint64_t)SL_VLOG_PAYLOAD_BYTES_MAX;

    return (size_t)(allowed > 0 && allowed < most ? allowed : most);
}

static void on_stopping(void *context)
{
    session_pull_stop(context);
}

static void on_grpc_over(void *context)
{
    session_write_end(context);
}

/* A compressed request has to be held whole: such are not taken when they are large. */
void session_grpc_init(struct session *s)
{
    struct sl_grpc_options *options = &s->grpc_options;

    *options = (struct sl_grpc_options){.message_bytes_max = message_bytes_max(s),
                                        .h2 = sl_h2_limits_default};
    options->unpacked_bytes_max = session_large_bytes(s) < options->message_bytes_max
                                      ? session_large_bytes(s)
                                      : options->message_bytes_max;
    options->h2.streams_max = SL_PUMP_STREAMS_MAX;
    s->empty = sl_buf_new(0);
    s->rules.grpc_only = s->is_unix;
    s->rules.calls = &events;
    s->rules.grpc = options;
    s->rules.stopping = on_stopping;
    s->rules.grpc_over = on_grpc_over;
}

struct session_call *session_find(struct session *s, uint32_t id, enum session_call_kind kind)
{
    struct sl_grpc_call *call =
        s->connection.grpc != NULL ? sl_grpc_find(s->connection.grpc, id) : NULL;
    struct session_call *c = call != NULL ? sl_grpc_call_context(call) : NULL;

    return c != NULL && c->kind == kind ? c : NULL;
}
