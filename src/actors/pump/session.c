/* session: one connection, as an actor: what its mail, its timer and its socket bring goes to the
 * files beside this one, and after each turn what was said is written (session_socket.c). */

#include <string.h>

#include "actors/pump/gateway.h"
#include "actors/pump/session_private.h"
#include "base/assert.h"

/* ---- time ---- */

static sl_nanos silence_ends(const struct session *s)
{
    uint64_t seconds = SL_PUMP_PING_S + (s->pinged ? (uint64_t)SL_PUMP_PONG_S : 0);

    return s->heard_at + seconds * SL_NANOS_PER_S;
}

static sl_nanos next_due(const struct session *s)
{
    if (s->grpc != NULL)
        return session_earlier(s->limit_at,
                               session_earlier(sl_grpc_next_due(s->grpc), silence_ends(s)));
    if (s->http != NULL)
        return session_earlier(s->limit_at, sl_http_next_due(s->http));
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
        session_close(s);
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
        session_close(s);
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

static enum sl_err watch(struct session *s, bool more_output)
{
    unsigned would = (session_wants_input(s) ? (unsigned)SL_SOCKET_READABLE : 0) |
                     (more_output ? (unsigned)SL_SOCKET_WRITABLE : 0);
    unsigned events = sl_socket_wants(s->socket, would) & ~(unsigned)SL_SOCKET_HELD;

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
    bool more = session_flush(s);

    while (session_holds_input(s)) { /* which no event will tell of */
        session_read(s);
        more = session_flush(s);
    }
    if (session_phase(s) != SESSION_OVER && !more && is_over(s))
        session_leave(s);
    if (session_phase(s) == SESSION_OVER)
        return SL_OK;
    arm(s);
    return watch(s, more);
}

/* ---- mail ---- */

static void hear_failure(struct session *s, uint64_t tag, enum sl_err err, const char *text)
{
    struct sl_buf *body = NULL;

    switch (session_tag_topic(tag)) {
    case TOPIC_WRITE: session_write_answered(s, session_tag_id(tag), err, text); return;
    case TOPIC_SPOOL: session_write_answer(s, session_tag_id(tag), err, text); return;
    case TOPIC_PIECE: return; /* the answer to its entity says why */
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

static void hear_written(struct session *s, uint64_t tag)
{
    if (session_tag_topic(tag) == TOPIC_SPOOL)
        session_write_answer(s, session_tag_id(tag), SL_OK, "");
    else
        session_write_answered(s, session_tag_id(tag), SL_OK, "");
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_pump_piece_taken *taken = (const struct sl_pump_piece_taken *)(const void *)msg;
    const struct sl_pump_failed      *failed = (const struct sl_pump_failed *)(const void *)msg;
    const struct sl_pump_ts          *ts = (const struct sl_pump_ts *)(const void *)msg;
    struct session                   *s = self;
    uint32_t                          id = session_tag_id(msg->tag);

    s->ctx = ctx;
    switch (msg->type) {
    case SL_PUMP_WRITTEN: hear_written(s, msg->tag); return SL_OK;
    case SL_PUMP_PIECE_TAKEN: session_spool_taken(s, id, taken->bytes); return SL_OK;
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

/* Has the peer only to hear that we stop? A dead one does not hold the pump up for long then. */
static bool nothing_is_under_way(const struct session *s)
{
    return s->grpc != NULL && sl_h2_stream_count(sl_grpc_h2(s->grpc)) == 0;
}

static void begin_stop(struct session *s)
{
    uint32_t ms = nothing_is_under_way(s) ? SL_PUMP_LINGER_MS : SL_PUMP_STOP_S * 1000;

    s->stopping = true;
    s->limit_at = session_earlier(s->limit_at, session_after_ms(s, ms));
    if (s->grpc != NULL)
        session_grpc_stop(s);
    else if (s->http != NULL && !session_http_stop(s))
        session_leave(s); /* what a client may still send of a request is not waited for */
    else if (session_phase(s) == SESSION_SNIFFING)
        session_close(s);
}

static void hear_open(struct session *s, uint64_t tag)
{
    switch (session_tag_topic(tag)) {
    case TOPIC_WRITE: session_write_open(s); return;
    case TOPIC_CLOCK: session_write_clock_open(s); return;
    case TOPIC_NEXT: session_pull_open(s); return;
    case TOPIC_HTTP: session_http_open(s); return;
    case TOPIC_PERMIT:
    case TOPIC_SPOOL:
    case TOPIC_PIECE:
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
    case SL_MSG_GRANTED:
        if (session_tag_topic(msg->tag) == TOPIC_SPOOL)
            session_spool_granted(s, msg);
        else
            session_write_granted(s, msg);
        return SL_OK;
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
    session_begin(s);
    sl_socket_peer(s->socket, s->peer);
    session_write_init(s);
    session_spool_init(s);
    session_pull_init(s);
    arm(s);
    return watch(s, false);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct session *s = self;

    (void)io;
    s->ctx = ctx;
    if ((events & sl_socket_wants(s->socket, SL_SOCKET_READABLE)) != 0)
        session_read(s);
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
    .questions_max = SL_PUMP_SESSION_QUESTIONS               /* writes */
                     + SL_SPOOLS_MAX                         /* large entities */
                     + SL_SPOOLS_MAX * (SL_SPOOL_PIECES + 1) /* and their pieces */
                     + SL_PULLERS_MAX * SL_PULL_AHEAD        /* batches */
                     + 2,        /* the clock; a request to the admin port */
    .waits_max = SESSION_TOPICS, /* one of each */
    .timers_max = 1,
    .children_max = SL_PULLERS_MAX,
    .start = start,
    .handle = handle,
    .system = system_mail,
    .drained = drained,
    .ready = ready,
    .stop = stop,
};
