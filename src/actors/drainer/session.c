/* session: one connection (actors/common/connection.h). Over gRPC it speaks the service
 * binlog.Cistern (drainer spec 1.5):
 *
 *     Notify       becomes a question to the collector, which answers when it has listed the pumps
 *                  and each of them has its seat in the merge; then the pump gets an empty message
 *     DumpBinlog, DumpDDLJobs
 *                  do nothing in the original; here they are unknown methods
 *
 * Over HTTP each request goes to the admin as a message, one at a time. */

#include "actors/drainer/session.h"

#include <stdlib.h>
#include <string.h>

#include "actors/common/body.h"
#include "actors/common/connection.h"
#include "actors/common/http_mail.h"
#include "actors/drainer/front.h"
#include "base/assert.h"

static const char service[] = "/binlog.Cistern/";
static const char stopping_text[] = "the drainer is stopping";
static const char absent_text[] = "the drainer is starting or stopping, try again";

struct session {
    struct sl_connection     connection;
    struct sl_drainer_front *front;
    struct sl_http_question *request; /* owned; waits for room on the line; or NULL */
};

/* In the upper half of a tag; the id of the call is the lower. */
enum topic { TOPIC_NOTIFY, TOPIC_HTTP };

static uint64_t tag_of(enum topic topic, uint32_t id)
{
    return (uint64_t)topic << 32 | id;
}

static enum topic topic_of(uint64_t tag)
{
    return (enum topic)(tag >> 32);
}

/* ---- calls ---- */

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    (void)context, (void)call; /* the session stays the context of the call */
    if (sl_slice_equal(path, sl_slice_from_string("/binlog.Cistern/Notify")))
        return SL_GRPC_ONE_MESSAGE;
    return path.len >= sizeof service - 1 && memcmp(path.bytes, service, sizeof service - 1) == 0
               ? SL_GRPC_NO_METHOD
               : SL_GRPC_NO_SERVICE;
}

/* A NotifyReq has no fields, so what came is not looked at. */
static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct session *s = context;
    struct sl_ctx  *ctx = s->connection.ctx;
    struct sl_line *line = sl_line(ctx, SL_LINE_FRONT_NOTIFY, 0);
    struct sl_msg  *question;

    (void)message;
    if (s->connection.stopping) {
        sl_grpc_finish(call, SL_GRPC_UNAVAILABLE, stopping_text);
        return;
    }
    question = sl_msg_new(struct sl_msg, SL_DRAINER_NOTIFY);
    if (sl_ask_msg(ctx, line, atomic_load(&s->front->collector_ref),
                   tag_of(TOPIC_NOTIFY, sl_grpc_call_id(call)), question, &question) == SL_OK)
        return;
    sl_msg_discard(question, &question);
    sl_grpc_finish(call, SL_GRPC_UNAVAILABLE, "too many pumps wait for the drainer, try again");
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    (void)context, (void)call, (void)status, (void)text; /* an answer finds the call gone */
}

static const struct sl_grpc_events calls = {
    .called = on_called, .message = on_message, .over = on_over};

static void answer_notify(struct session *s, uint64_t tag, enum sl_err err, const char *text)
{
    struct sl_grpc      *grpc = s->connection.grpc;
    struct sl_grpc_call *call = grpc != NULL ? sl_grpc_find(grpc, (uint32_t)tag) : NULL;
    struct sl_buf       *empty;

    if (call == NULL)
        return;
    if (err != SL_OK) {
        sl_grpc_finish(call,
                       sl_err_is_transient(err) || err == SL_GONE ? SL_GRPC_UNAVAILABLE
                                                                  : SL_GRPC_UNKNOWN,
                       text);
        return;
    }
    empty = sl_buf_new(0);
    if (sl_grpc_send(call, &empty) != SL_OK) {
        sl_buf_free(&empty);
        sl_grpc_finish(call, SL_GRPC_UNAVAILABLE, "answers are not read");
        return;
    }
    sl_grpc_finish(call, SL_GRPC_OK, NULL);
}

/* ---- requests ---- */

/* Ask, or wait until that can be done. */
static void ask_admin(struct session *s)
{
    struct sl_ctx  *ctx = s->connection.ctx;
    struct sl_line *line = sl_line(ctx, SL_LINE_FRONT_HTTP, 0);
    uint64_t        tag = tag_of(TOPIC_HTTP, 0);

    if (sl_ask(ctx, line, s->front->admin_ref, tag, &s->request) != SL_OK)
        sl_line_wait(ctx, line, s->request->hdr.bytes, tag);
}

static void on_request(void *context, const struct sl_http_request *request)
{
    struct session *s = context;

    SL_ASSERT(s->request == NULL);
    s->request = sl_http_question_new(SL_DRAINER_HTTP_REQUEST, request,
                                      sl_connection_is_local(&s->connection));
    ask_admin(s);
}

static void respond_failure(struct session *s, enum sl_err err, const char *text)
{
    struct sl_buf *body = sl_body_line(text);

    sl_connection_respond(&s->connection, err == SL_GONE ? 503 : 500, sl_body_text, &body);
    sl_buf_free(&body);
}

/* ---- mail ---- */

static void hear_failure(struct session *s, uint64_t tag, enum sl_err err, const char *text)
{
    switch (topic_of(tag)) {
    case TOPIC_NOTIFY: answer_notify(s, tag, err, text); return;
    case TOPIC_HTTP: respond_failure(s, err, text); return;
    }
    SL_UNREACHABLE("not a question of ours");
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_drainer_failed *failed = (const struct sl_drainer_failed *)(const void *)msg;
    struct sl_http_answer          *answer = (struct sl_http_answer *)(void *)msg;
    struct session                 *s = self;

    s->connection.ctx = ctx;
    switch (msg->type) {
    case SL_DRAINER_NOTIFIED: answer_notify(s, msg->tag, SL_OK, ""); return SL_OK;
    case SL_DRAINER_FAILED: hear_failure(s, msg->tag, failed->err, failed->why.text); return SL_OK;
    case SL_DRAINER_HTTP_RESPONSE:
        sl_connection_respond(&s->connection, answer->status, answer->content_type, &answer->body);
        return SL_OK;
    case SL_DRAINER_DUE: sl_connection_due(&s->connection, ctx); return SL_OK;
    default: SL_UNREACHABLE("not for a session");
    }
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct session *s = self;

    s->connection.ctx = ctx;
    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_connection_stop(&s->connection, ctx); return SL_OK;
    case SL_MSG_GONE: hear_failure(s, msg->tag, SL_GONE, absent_text); return SL_OK;
    case SL_MSG_OPEN:
        if (s->request != NULL)
            ask_admin(s);
        return SL_OK;
    case SL_MSG_CHILD_ENDED:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("a session has no children and reserves nothing");
}

/* ---- class ---- */

static const struct sl_grpc_options grpc_options = {
    .message_bytes_max = SL_GRPC_UNASKED_BYTES_MAX,
    .h2 = {.streams_max = SL_DRAINER_STREAMS_MAX,
           .header_list_bytes_max = SL_H2_HEADER_LIST_BYTES_MAX,
           .queue_bytes = SL_H2_QUEUE_BYTES,
           .connection_queue_bytes = SL_H2_CONNECTION_QUEUE_BYTES},
};

static const struct sl_connection_rules rules = {
    .due_msg = SL_DRAINER_DUE,
    .calls = &calls,
    .grpc = &grpc_options,
    .request = on_request,
};

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_drainer_session_args *given = args;
    struct session                       *s = self;

    s->front = given->front;
    sl_connection_begin(&s->connection, ctx, given->socket, &rules, s);
    return sl_connection_settle(&s->connection, ctx);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    (void)io;
    return sl_connection_ready(&((struct session *)self)->connection, ctx, events);
}

static enum sl_err drained(struct sl_ctx *ctx, void *self)
{
    return sl_connection_settle(&((struct session *)self)->connection, ctx);
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct session *s = self;

    sl_connection_end(&s->connection, ctx);
    if (s->request != NULL)
        sl_msg_free(&s->request);
}

const struct sl_actor_class sl_drainer_session_class = {
    .name = "session",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct session),
    .questions_max = SL_DRAINER_STREAMS_MAX + 1, /* Notify; a request to the admin port */
    .waits_max = 1,
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .system = system_mail,
    .drained = drained,
    .ready = ready,
    .stop = stop,
};
