/* session: one connection, as an actor: what its mail brings goes to the files beside this one, its
 * timer and its socket are the connection's (actors/common/connection.h). */

#include "actors/common/body.h"
#include "actors/pump/gateway.h"
#include "actors/pump/session_private.h"
#include "base/assert.h"

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
        body = sl_body_line(text);
        sl_connection_respond(&s->connection, err == SL_GONE ? 503 : 500, sl_body_text, &body);
        sl_buf_free(&body);
        return;
    case TOPIC_PERMIT:
    case SESSION_TOPICS: break;
    }
    SL_UNREACHABLE("not a question of ours");
}

static void hear_response(struct session *s, struct sl_http_answer *response)
{
    sl_connection_respond(&s->connection, response->status, response->content_type,
                          &response->body);
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

    s->connection.ctx = ctx;
    switch (msg->type) {
    case SL_PUMP_WRITTEN: hear_written(s, msg->tag); return SL_OK;
    case SL_PUMP_PIECE_TAKEN: session_spool_taken(s, id, taken->bytes); return SL_OK;
    case SL_PUMP_FAILED: hear_failure(s, msg->tag, failed->err, failed->why.text); return SL_OK;
    case SL_PUMP_TS: session_write_clock(s, ts->ts, SL_OK, ""); return SL_OK;
    case SL_PUMP_BATCH: session_pull_batch(s, id); return SL_OK;
    case SL_PUMP_HTTP_RESPONSE:
        hear_response(s, (struct sl_http_answer *)(void *)msg);
        return SL_OK;
    case SL_PUMP_DUE: sl_connection_due(&s->connection, ctx); return SL_OK;
    default: SL_UNREACHABLE("not for a session");
    }
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

    s->connection.ctx = ctx;
    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_connection_stop(&s->connection, ctx); return SL_OK;
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

    s->pump = given->pump;
    s->is_unix = given->is_unix;
    s->rules.due_msg = SL_PUMP_DUE;
    s->rules.request = session_http_request;
    session_grpc_init(s);
    session_write_init(s);
    session_spool_init(s);
    session_pull_init(s);
    sl_connection_begin(&s->connection, ctx, given->socket, &s->rules, s);
    return sl_connection_settle(&s->connection, ctx);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    (void)io;
    return sl_connection_ready(&((struct session *)self)->connection, ctx, events);
}

/* Several answers, one write. */
static enum sl_err drained(struct sl_ctx *ctx, void *self)
{
    return sl_connection_settle(&((struct session *)self)->connection, ctx);
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct session *s = self;

    sl_connection_end(&s->connection, ctx);
    sl_buf_free(&s->empty);
    if (s->request != NULL)
        sl_msg_free(&s->request);
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
