/* session: one connection. Its first bytes say what it speaks; then it moves bytes between the
 * socket and the machine of that protocol, and tells that machine the time.
 *
 *                   preface of HTTP/2
 *                 ┌──────────────────► GRPC ──over, broken──┐
 *     SNIFFING ───┤                                         ├──► LEAVING ───► OVER
 *         │       └──────────────────► HTTP ──over──────────┘                  ▲
 *         │         method of HTTP/1                                           │
 *         └───────────── anything else, 10 s, a reset, an end ─────────────────┘
 *
 * LEAVING: everything is written, our side is shut, and what the peer still sends is dropped until
 * it closes: closing with input unread would make the system throw away the last answer. From
 * every phase a broken connection leads to OVER. */

#include <stdio.h>
#include <string.h>

#include "actors/pump/gateway.h"
#include "actors/pump/session_private.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/http_route.h"

static const struct sl_sm_state phases[SESSION_PHASES] = {
    [SESSION_SNIFFING] = {"sniffing", SL_SM_BIT(SESSION_GRPC) | SL_SM_BIT(SESSION_HTTP) |
                                          SL_SM_BIT(SESSION_OVER)},
    [SESSION_GRPC] = {"grpc", SL_SM_BIT(SESSION_LEAVING) | SL_SM_BIT(SESSION_OVER)},
    [SESSION_HTTP] = {"http", SL_SM_BIT(SESSION_LEAVING) | SL_SM_BIT(SESSION_OVER)},
    [SESSION_LEAVING] = {"leaving", SL_SM_BIT(SESSION_OVER)},
    [SESSION_OVER] = {"over", 0},
};

static const struct sl_sm_table phase_table = {
    .trace = {"session.phase", "from", "to"},
    .states = phases,
    .state_count = SESSION_PHASES,
};

static enum session_phase phase(const struct session *s)
{
    return (enum session_phase)s->phase.state;
}

static sl_nanos after_ms(const struct session *s, uint64_t ms)
{
    return sl_now(s->ctx) + ms * SL_NANOS_PER_MS;
}

/* ---- ends ---- */

/* Nothing more can be done with the connection. */
static void close_now(struct session *s)
{
    if (phase(s) == SESSION_OVER)
        return;
    sl_sm_move(&s->phase, SESSION_OVER);
    sl_stop(s->ctx);
}

/* All is written: let the peer close. */
static void leave(struct session *s)
{
    struct sl_why why;

    sl_sm_move(&s->phase, SESSION_LEAVING);
    session_grpc_end(s);
    session_http_end(s);
    if (s->input_ended || sl_socket_shut(s->socket, &why) != SL_OK) {
        close_now(s);
        return;
    }
    s->limit_at = after_ms(s, SL_PUMP_LINGER_MS);
}

/* ---- output ---- */

static bool pending(struct session *s, struct sl_slice *out)
{
    if (s->grpc != NULL)
        return sl_h2_pending(sl_grpc_h2(s->grpc), out);
    return s->http != NULL && sl_http_pending(s->http, out);
}

static void sent(struct session *s, size_t count)
{
    if (s->grpc != NULL)
        sl_h2_sent(sl_grpc_h2(s->grpc), count);
    else
        sl_http_sent(s->http, count);
}

/* Write what goes. True: there is more, for later. */
static bool flush(struct session *s)
{
    size_t          budget = SL_PUMP_WRITE_BUDGET;
    struct sl_slice bytes;
    struct sl_why   why;
    enum sl_err     err;

    while (phase(s) != SESSION_OVER && pending(s, &bytes)) {
        size_t put;

        if (budget == 0)
            return true;
        err = sl_socket_write(s->socket, bytes.bytes, bytes.len, &put, &why);
        if (err == SL_AGAIN)
            return true;
        if (err != SL_OK) {
            close_now(s);
            return false;
        }
        sent(s, put);
        budget -= put < budget ? put : budget;
    }
    return false;
}

/* ---- time ---- */

static sl_nanos earlier(sl_nanos a, sl_nanos b)
{
    return a < b ? a : b;
}

static sl_nanos silence_ends(const struct session *s)
{
    uint64_t seconds = SL_PUMP_PING_S + (s->pinged ? (uint64_t)SL_PUMP_PONG_S : 0);

    return s->heard_at + seconds * SL_NANOS_PER_S;
}

static sl_nanos next_due(const struct session *s)
{
    if (s->grpc != NULL)
        return earlier(s->limit_at, earlier(sl_grpc_next_due(s->grpc), silence_ends(s)));
    if (s->http != NULL)
        return earlier(s->limit_at, sl_http_next_due(s->http));
    return s->limit_at;
}

/* A timer that comes too early is armed again when it comes: cheaper than moving it each time. */
static void arm(struct session *s)
{
    sl_nanos now = sl_now(s->ctx);
    sl_nanos due = next_due(s);
    uint64_t ms;

    if (due == UINT64_MAX || (sl_timer_armed(&s->due) && s->due_at <= due))
        return;
    ms = due > now ? (due - now + SL_NANOS_PER_MS - 1) / SL_NANOS_PER_MS : 1;
    s->due_at = due;
    sl_timer_arm(s->ctx, &s->due, SL_PUMP_DUE,
                 ms < SL_TIMER_DELAY_MS_MAX ? ms : SL_TIMER_DELAY_MS_MAX);
}

static void tick(struct session *s)
{
    sl_nanos now = sl_now(s->ctx);

    if (now >= s->limit_at) {
        close_now(s);
        return;
    }
    if (s->http != NULL)
        sl_http_tick(s->http, now);
    if (s->grpc == NULL)
        return;
    sl_grpc_tick(s->grpc, now);
    if (now < silence_ends(s))
        return;
    if (s->pinged) {
        close_now(s);
        return;
    }
    s->pinged = true;
    sl_h2_ping(sl_grpc_h2(s->grpc));
}

/* ---- after each turn ---- */

static bool is_over(const struct session *s)
{
    return s->grpc != NULL ? sl_h2_is_over(sl_grpc_h2(s->grpc))
                           : s->http != NULL && sl_http_is_over(s->http);
}

static bool wants_input(const struct session *s)
{
    return !s->input_ended && (s->http == NULL || sl_http_wants_input(s->http));
}

static enum sl_err watch(struct session *s, bool more_output)
{
    unsigned events = (wants_input(s) ? (unsigned)SL_SOCKET_READABLE : 0) |
                      (more_output ? (unsigned)SL_SOCKET_WRITABLE : 0);

    if (events == s->io.events)
        return SL_OK;
    if (events == 0) {
        sl_io_unwatch(s->ctx, &s->io);
        return SL_OK;
    }
    return sl_io_watch(s->ctx, &s->io, s->socket, events);
}

/* What was said is written, and what comes next is waited for. */
static enum sl_err settle(struct session *s)
{
    bool more = flush(s);

    if (phase(s) != SESSION_OVER && !more && is_over(s))
        leave(s);
    if (phase(s) == SESSION_OVER)
        return SL_OK;
    arm(s);
    return watch(s, more);
}

/* ---- input ---- */

static void begin(struct session *s, enum session_phase speaks)
{
    sl_sm_move(&s->phase, speaks);
    s->limit_at = UINT64_MAX;
}

/* What the first bytes say; they stay in the input until that is known. */
static void sniff(struct session *s)
{
    enum sl_h2_preface h2 = sl_h2_is_preface(s->input->data, s->filled);
    enum sl_http_start http =
        s->is_unix ? SL_HTTP_START_NO : sl_http_is_request_start(s->input->data, s->filled);

    if (h2 == SL_H2_PREFACE_YES) {
        session_grpc_begin(s);
        begin(s, SESSION_GRPC);
    } else if (http == SL_HTTP_START_YES) {
        session_http_begin(s);
        begin(s, SESSION_HTTP);
    } else if (h2 == SL_H2_PREFACE_NO && http == SL_HTTP_START_NO) {
        close_now(s);
    }
}

static void give_grpc(struct session *s, size_t from, size_t count)
{
    struct sl_buf *piece = sl_buf_slice(s->input, from, count);
    bool           goes_on = session_grpc_receive(s, piece);

    sl_buf_free(&piece);
    if (!goes_on) /* it is told why, if it reads that soon */
        s->limit_at = earlier(s->limit_at, after_ms(s, SL_PUMP_LINGER_MS));
}

/* `got` more bytes are in the input. */
static void take(struct session *s, size_t got)
{
    size_t from = s->filled;

    s->heard_at = sl_now(s->ctx);
    s->pinged = false;
    s->filled += got;
    if (phase(s) == SESSION_SNIFFING) {
        sniff(s);
        from = 0;
    }
    if (s->grpc != NULL) {
        give_grpc(s, from, s->filled - from);
    } else if (s->http != NULL) {
        sl_http_tick(s->http, sl_now(s->ctx));
        sl_http_receive(s->http, (struct sl_slice){s->input->data + from, s->filled - from});
        s->filled = 0; /* nothing of it is kept */
    } else if (phase(s) == SESSION_LEAVING) {
        s->filled = 0;
    }
}

/* Records are slices of the input, so what holds some is not written again. */
static void make_room(struct session *s)
{
    struct sl_buf *fresh;

    if (s->input != NULL && s->input->len - s->filled >= SL_PUMP_READ_ROOM)
        return;
    SL_ASSERT(phase(s) != SESSION_SNIFFING || s->input == NULL); /* decided by 24 bytes */
    fresh = sl_buf_new(SL_PUMP_READ_BYTES);
    sl_buf_free(&s->input);
    s->input = fresh;
    s->filled = 0;
}

/* The peer will send no more. A client of gRPC is gone then; one of HTTP may wait for an answer. */
static void input_ended(struct session *s)
{
    s->input_ended = true;
    if (s->http != NULL)
        sl_http_end_input(s->http);
    else
        close_now(s);
}

static void read_input(struct session *s)
{
    size_t budget = SL_PUMP_READ_BUDGET;

    while (phase(s) != SESSION_OVER && wants_input(s)) {
        struct sl_why why;
        enum sl_err   err;
        size_t        got;

        make_room(s);
        err = sl_socket_read(s->socket, s->input->data + s->filled, s->input->len - s->filled, &got,
                             &why);
        if (err == SL_AGAIN)
            return;
        if (err != SL_OK)
            close_now(s);
        else if (got == 0)
            input_ended(s);
        else
            take(s, got);
        if (err != SL_OK || got >= budget)
            return;
        budget -= got;
    }
}

/* ---- mail ---- */

static void hear_failure(struct session *s, uint64_t tag, enum sl_err err, const char *text)
{
    struct sl_buf *body = NULL;

    switch (session_tag_topic(tag)) {
    case TOPIC_WRITE: session_write_answered(s, session_tag_id(tag), err, text); return;
    case TOPIC_CLOCK: session_write_clock(s, 0, err, text); return;
    case TOPIC_NEXT: session_pull_failed(s, session_tag_id(tag), text); return;
    case TOPIC_HTTP:
        body = sl_buf_new(strlen(text));
        memcpy(body->data, text, body->len);
        session_http_respond(s, err == SL_GONE ? 503 : 500, "text/plain; charset=utf-8", &body);
        sl_buf_free(&body);
        return;
    case TOPIC_PERMIT:
    case SESSION_TOPICS: break;
    }
    SL_UNREACHABLE("not a question of ours");
}

static void hear_response(struct session *s, struct sl_pump_http_response *response)
{
    session_http_respond(s, response->status, response->content_type, &response->body);
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_pump_failed *failed = (const struct sl_pump_failed *)(const void *)msg;
    const struct sl_pump_ts     *ts = (const struct sl_pump_ts *)(const void *)msg;
    struct session              *s = self;
    uint32_t                     id = session_tag_id(msg->tag);

    s->ctx = ctx;
    switch (msg->type) {
    case SL_PUMP_WRITTEN: session_write_answered(s, id, SL_OK, ""); return SL_OK;
    case SL_PUMP_FAILED: hear_failure(s, msg->tag, failed->err, failed->why.text); return SL_OK;
    case SL_PUMP_TS: session_write_clock(s, ts->ts, SL_OK, ""); return SL_OK;
    case SL_PUMP_BATCH: session_pull_batch(s, id); return SL_OK;
    case SL_PUMP_HTTP_RESPONSE:
        hear_response(s, (struct sl_pump_http_response *)(void *)msg);
        return SL_OK;
    case SL_PUMP_DUE: tick(s); return SL_OK;
    default: SL_UNREACHABLE("not for a session");
    }
}

static void begin_stop(struct session *s)
{
    s->stopping = true;
    s->limit_at = earlier(s->limit_at, after_ms(s, SL_PUMP_STOP_S * 1000));
    if (s->grpc != NULL)
        session_grpc_stop(s);
    else if (s->http != NULL && !session_http_stop(s))
        leave(s); /* what a client may still send of a request is not waited for */
    else if (phase(s) == SESSION_SNIFFING)
        close_now(s);
}

static void hear_open(struct session *s, uint64_t tag)
{
    switch (session_tag_topic(tag)) {
    case TOPIC_WRITE: session_write_open(s); return;
    case TOPIC_CLOCK: session_write_clock_open(s); return;
    case TOPIC_NEXT: session_pull_open(s); return;
    case TOPIC_HTTP: session_http_open(s); return;
    case TOPIC_PERMIT:
    case SESSION_TOPICS: break;
    }
    SL_UNREACHABLE("no such line is waited for");
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct session *s = self;

    s->ctx = ctx;
    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: begin_stop(s); return SL_OK;
    case SL_MSG_GONE: hear_failure(s, msg->tag, SL_GONE, session_stopping_text); return SL_OK;
    case SL_MSG_OPEN: hear_open(s, msg->tag); return SL_OK;
    case SL_MSG_GRANTED: session_write_granted(s, msg); return SL_OK;
    case SL_MSG_CHILD_ENDED:
        session_pull_child_ended(s, (const struct sl_child_ended *)(const void *)msg);
        return SL_OK;
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("not a message of the runtime");
}

/* ---- class ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_session_args *given = args;
    struct session               *s = self;

    s->ctx = ctx;
    s->pump = given->pump;
    s->socket = given->socket;
    s->is_unix = given->is_unix;
    sl_sm_init(&s->phase, &phase_table, SESSION_SNIFFING, NULL);
    sl_socket_peer(s->socket, s->peer);
    session_write_init(s);
    session_pull_init(s);
    s->heard_at = sl_now(ctx);
    s->limit_at = after_ms(s, SL_PUMP_SNIFF_S * 1000);
    arm(s);
    return watch(s, false);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct session *s = self;

    (void)io;
    s->ctx = ctx;
    if ((events & SL_SOCKET_READABLE) != 0)
        read_input(s);
    return settle(s);
}

/* Several answers, one write. */
static enum sl_err drained(struct sl_ctx *ctx, void *self)
{
    struct session *s = self;

    s->ctx = ctx;
    return settle(s);
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct session *s = self;

    s->ctx = ctx;
    session_grpc_end(s);
    session_http_end(s);
    sl_buf_free(&s->empty);
    sl_buf_free(&s->input);
    sl_socket_close(&s->socket);
}

const struct sl_actor_class sl_pump_session_class = {
    .name = "session",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct session),
    .questions_max = SL_PUMP_SESSION_QUESTIONS        /* writes */
                     + SL_PULLERS_MAX * SL_PULL_AHEAD /* batches */
                     + 2,                             /* the clock; a request to the admin port */
    .waits_max = SESSION_TOPICS,                      /* one of each */
    .timers_max = 1,
    .children_max = SL_PULLERS_MAX,
    .start = start,
    .handle = handle,
    .system = system_mail,
    .drained = drained,
    .ready = ready,
    .stop = stop,
};
