/* WriteBinlog: from a message to a record on the write line, and from an answer to a status (pump
 * spec 1.4).
 *
 *     message ──checks──┬─ refused, probe ──► status
 *                       ├─ commit ts beyond what is known ──► doubtful ──clock──┐
 *                       └─► line ◄── queue (full) ◄─────────────────────────────┘
 *
 * Records that wait for room keep their order. One with a permit overtakes them: it holds bytes of
 * the line already, and they may be waiting for just these. (What is larger than any record of the
 * log takes another way: session_spool.c.) A record whose client has gone away
 * meanwhile is written all the same, as in the original; SL_PUMP_SESSION_HELD bounds them all. */

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "actors/pump/session_private.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/node.h"

/* A record that has not entered the line. */
struct waiting_write {
    struct sl_list_node   node;
    struct sl_pump_write *write;  /* owned */
    struct sl_permit      permit; /* of a large one */
    uint32_t              id;     /* of its call */
};

/* ---- answers ---- */

/* In the words of the original, for whoever looks for them. An orderly end is no failure. */
static void tell_failure(const struct session *s, enum sl_err err, const char *text)
{
    if (err == SL_STOPPED || err == SL_GONE)
        return;
    sl_log(SL_LOG_ERROR, "write binlog failed", sl_field_str("peer", s->connection.peer),
           sl_field_str("error", text));
}

/* The response is empty; its room in the send queue may have to be waited for. */
static void answer_written(struct session_call *c)
{
    struct sl_buf *response = sl_buf_ref(c->session->empty);

    c->written = sl_grpc_send(c->call, &response) != SL_OK;
    sl_buf_free(&response);
    if (!c->written)
        sl_grpc_finish(c->call, SL_GRPC_OK, NULL);
}

void session_write_writable(struct session_call *c)
{
    if (c->written)
        answer_written(c);
}

void session_write_answer(struct session *s, uint32_t id, enum sl_err err, const char *text)
{
    struct session_call *c = session_find(s, id, SESSION_WRITE);

    if (err != SL_OK) {
        sl_metric_add(s->pump->metrics.loss, 1);
        tell_failure(s, err, text);
    }
    if (c == NULL)
        return; /* the client has gone */
    if (err == SL_OK)
        answer_written(c);
    else
        sl_grpc_finish(c->call, session_status_of(err), text);
}

/* ---- onto the line ---- */

static struct sl_ref writer_of(const struct session *s, const struct sl_pump_write *write)
{
    return s->pump->shard[sl_pump_shard_of(s->pump, write->start_ts)].writer_ref;
}

static void ask_permitted(struct session *s, struct sl_pump_write **write, struct sl_permit *permit,
                          uint32_t id)
{
    sl_ask_permitted(s->connection.ctx, permit, writer_of(s, *write), session_tag(TOPIC_WRITE, id),
                     write);
    s->writes.asked++;
}

/* SL_FULL: room is waited for. */
static enum sl_err ask(struct session *s, struct sl_pump_write **write, uint32_t id)
{
    struct sl_line *line = sl_line(s->connection.ctx, SL_LINE_WRITE, 0);
    enum sl_err     err;

    if (s->writes.awaits_open)
        return SL_FULL;
    err =
        sl_ask(s->connection.ctx, line, writer_of(s, *write), session_tag(TOPIC_WRITE, id), write);
    if (err == SL_OK) {
        s->writes.asked++;
        return SL_OK;
    }
    SL_ASSERT(err == SL_FULL); /* a message is limited to less than the line has */
    s->writes.awaits_open = true;
    sl_line_wait(s->connection.ctx, line, (*write)->hdr.bytes, session_tag(TOPIC_WRITE, 0));
    return SL_FULL;
}

static void hold(struct session *s, struct sl_list *list, struct sl_pump_write **write,
                 struct sl_permit *permit, uint32_t id)
{
    struct waiting_write *waiting = calloc(1, sizeof *waiting);

    SL_ASSERT(waiting != NULL);
    *waiting = (struct waiting_write){.write = *write, .permit = *permit, .id = id};
    *write = NULL;
    *permit = (struct sl_permit){0};
    sl_list_push_back(list, &waiting->node);
    s->writes.held++;
}

static void release(struct session *s, struct waiting_write *waiting)
{
    sl_list_remove(&waiting->node);
    s->writes.held--;
    free(waiting);
}

static void return_permit(struct session *s, struct sl_permit *permit)
{
    if (permit->line != NULL)
        sl_permit_return(s->connection.ctx, permit);
}

static bool may_ask(const struct session *s)
{
    return s->writes.asked < SL_PUMP_SESSION_QUESTIONS;
}

/* Send it, or queue it. */
static void admit(struct session *s, struct sl_pump_write *write, struct sl_permit *permit,
                  uint32_t id)
{
    struct session_writes *w = &s->writes;

    if (permit->line != NULL && may_ask(s))
        ask_permitted(s, &write, permit, id);
    else if (permit->line != NULL)
        hold(s, &w->permitted, &write, permit, id);
    else if (!sl_list_empty(&w->queue) || !may_ask(s) || ask(s, &write, id) != SL_OK)
        hold(s, &w->queue, &write, permit, id);
}

static struct waiting_write *first_of(const struct sl_list *list)
{
    struct sl_list_node *node = sl_list_first(list);

    return node != NULL ? SL_CONTAINER_OF(node, struct waiting_write, node) : NULL;
}

/* Send of what is queued all that goes. */
static void go_on(struct session *s)
{
    struct session_writes *w = &s->writes;
    struct waiting_write  *waiting;

    while (may_ask(s) && (waiting = first_of(&w->permitted)) != NULL) {
        ask_permitted(s, &waiting->write, &waiting->permit, waiting->id);
        release(s, waiting);
    }
    while (may_ask(s) && (waiting = first_of(&w->queue)) != NULL) {
        if (ask(s, &waiting->write, waiting->id) != SL_OK)
            return;
        release(s, waiting);
    }
}

void session_write_answered(struct session *s, uint32_t id, enum sl_err err, const char *text)
{
    SL_ASSERT(s->writes.asked > 0);
    s->writes.asked--;
    session_write_answer(s, id, err, text);
    go_on(s);
}

void session_write_open(struct session *s)
{
    s->writes.awaits_open = false;
    go_on(s);
}

/* ---- timestamps from the future ---- */

static bool is_ahead(sl_ts commit_ts, sl_ts newest)
{
    return sl_ts_physical_ms(commit_ts) > sl_ts_physical_ms(newest) + SL_PUMP_AHEAD_MS;
}

static sl_ts newest_known(const struct session *s)
{
    return atomic_load_explicit(&s->pump->board.newest_ts, memory_order_relaxed);
}

static void ask_clock(struct session *s)
{
    struct sl_line *line = sl_line(s->connection.ctx, SL_LINE_TS, 0);
    struct sl_msg  *question;
    enum sl_err     err;

    if (s->writes.awaits_clock)
        return;
    s->writes.awaits_clock = true;
    question = sl_msg_alloc(sizeof *question, SL_PUMP_ASK_TS, NULL);
    err = sl_ask_msg(s->connection.ctx, line, s->pump->clock_ref, session_tag(TOPIC_CLOCK, 0),
                     question, &question);
    if (err == SL_OK)
        return;
    sl_msg_discard(question, &question);
    sl_line_wait(s->connection.ctx, line, 0, session_tag(TOPIC_CLOCK, 0));
}

void session_write_clock_open(struct session *s)
{
    s->writes.awaits_clock = false;
    if (!sl_list_empty(&s->writes.doubtful))
        ask_clock(s);
}

/* Into the order of the line, or back to the client. */
static void judge(struct session *s, struct waiting_write *waiting, sl_ts newest, enum sl_err err,
                  const char *text)
{
    sl_ts         commit_ts = waiting->write->commit_ts;
    struct sl_why why;

    if (err == SL_OK && !is_ahead(commit_ts, newest)) {
        admit(s, waiting->write, &waiting->permit, waiting->id);
        release(s, waiting);
        return;
    }
    if (err == SL_OK)
        (void)sl_fail(&why, SL_INVALID,
                      "commit ts %" PRId64 " is more than one minute ahead of the newest timestamp "
                      "%" PRId64,
                      commit_ts, newest);
    else
        (void)sl_fail(&why, err, "cannot tell whether commit ts %" PRId64 " is from the future: %s",
                      commit_ts, text);
    sl_metric_add(s->pump->metrics.refused[SL_PUMP_REFUSED_TIMESTAMP], 1);
    session_write_answer(s, waiting->id, err == SL_OK ? SL_INVALID : err, why.text);
    return_permit(s, &waiting->permit);
    sl_msg_free(&waiting->write);
    release(s, waiting);
}

void session_write_clock(struct session *s, sl_ts ts, enum sl_err err, const char *text)
{
    sl_ts                 newest = newest_known(s);
    struct waiting_write *waiting;

    s->writes.awaits_clock = false;
    if (ts > newest)
        newest = ts;
    while ((waiting = first_of(&s->writes.doubtful)) != NULL)
        judge(s, waiting, newest, err, text);
}

/* ---- messages ---- */

static void tell_refusal(const struct session *s, const struct session_refusal *refusal)
{
    uint32_t state = atomic_load_explicit(&s->pump->board.state, memory_order_relaxed);

    if (refusal->reason == SL_PUMP_REFUSED_STATE)
        sl_log(SL_LOG_WARN, "reject write binlog for not online state",
               sl_field_str("peer", s->connection.peer),
               sl_field_str("state", sl_node_state_name((enum sl_node_state)state)));
    else if (refusal->reason != SL_PUMP_REFUSED_STOPPING)
        tell_failure(s, SL_INVALID, refusal->why.text);
}

void session_write_refuse(struct session_call *c, const struct session_refusal *refusal)
{
    const struct sl_pump_metrics *metrics = &c->session->pump->metrics;

    tell_refusal(c->session, refusal);
    if (refusal->reason != SL_PUMP_REFUSED_SIZE) /* those are counted when they are over */
        sl_metric_add(metrics->refused[refusal->reason], 1);
    if (refusal->reason != SL_PUMP_REFUSED_CLUSTER)
        sl_metric_add(metrics->loss, 1);
    sl_grpc_finish(c->call, refusal->status, refusal->why.text);
}

/* Send the record on its way. */
static void begin_write(struct session_call *c, struct sl_buf *message, struct sl_slice payload,
                        const struct sl_record *record)
{
    struct session       *s = c->session;
    uint32_t              id = sl_grpc_call_id(c->call);
    struct sl_buf        *bytes;
    struct sl_pump_write *write;

    bytes = sl_buf_slice(message, (size_t)(payload.bytes - message->data), payload.len);
    write = sl_pump_write_new(&bytes, record->type, record->start_ts, record->commit_ts);
    write->began = sl_now(s->connection.ctx);
    if (!is_ahead(record->commit_ts, newest_known(s))) {
        admit(s, write, &c->permit, id);
        return;
    }
    hold(s, &s->writes.doubtful, &write, &c->permit, id);
    ask_clock(s);
}

static void take_message(struct session_call *c, struct sl_buf *message)
{
    struct session        *s = c->session;
    struct session_refusal refusal;
    struct sl_slice        payload;
    struct sl_record       record;

    /* Refused ones count too: somebody is at work here (pump spec 1.4). */
    atomic_fetch_add_explicit(&s->pump->board.writes, 1, memory_order_relaxed);
    if (!session_check(s, message, &payload, &record, &refusal))
        session_write_refuse(c, &refusal);
    else if (record.start_ts == 0 && record.commit_ts == 0)
        answer_written(c); /* TiDB's way to ask whether we are well */
    else
        begin_write(c, message, payload, &record);
}

void session_write_message(struct session_call *c, struct sl_buf *message)
{
    take_message(c, message);
    return_permit(c->session, &c->permit); /* of one that was refused */
}

/* ---- messages that do not come unasked ---- */

/* One reservation at a time: so many of a connection that gives up its calls cannot pile up. */
static void reserve(struct session *s)
{
    struct session_writes *w = &s->writes;
    struct sl_line        *line = sl_line(s->connection.ctx, SL_LINE_WRITE, 0);
    struct sl_list_node   *node;

    while (!w->awaits_permit && (node = sl_list_pop_front(&w->unsized)) != NULL) {
        struct session_call *c = SL_CONTAINER_OF(node, struct session_call, node);
        uint64_t             tag = session_tag(TOPIC_PERMIT, sl_grpc_call_id(c->call));
        enum sl_err err = sl_line_reserve(s->connection.ctx, line, c->bytes, tag, &c->permit);

        SL_ASSERT(err == SL_OK || err == SL_FULL); /* the line has room for every record */
        if (err == SL_OK)
            sl_grpc_grant(c->call);
        else
            w->awaits_permit = true;
    }
}

void session_write_sized(struct session_call *c, size_t bytes)
{
    struct session        *s = c->session;
    struct session_refusal refusal;

    if (!session_check_stopping(s, &refusal)) {
        session_write_refuse(c, &refusal);
        return;
    }
    if (bytes > session_large_bytes(s)) {
        session_spool_sized(c, bytes);
        return;
    }
    c->bytes = (uint32_t)bytes; /* within session_large_bytes */
    sl_list_push_back(&s->writes.unsized, &c->node);
    reserve(s);
}

void session_write_granted(struct session *s, struct sl_msg *granted)
{
    struct session_call *c = session_find(s, session_tag_id(granted->tag), SESSION_WRITE);
    struct sl_permit     permit = sl_permit_of(granted);

    s->writes.awaits_permit = false;
    if (c != NULL) {
        c->permit = permit;
        sl_grpc_grant(c->call);
    } else {
        sl_permit_return(s->connection.ctx, &permit);
    }
    reserve(s);
}

/* ---- ends ---- */

void session_write_over(struct session_call *c)
{
    if (sl_list_linked(&c->node))
        sl_list_remove(&c->node);
    session_spool_over(c);
    return_permit(c->session, &c->permit);
}

void session_write_init(struct session *s)
{
    sl_list_init(&s->writes.queue);
    sl_list_init(&s->writes.permitted);
    sl_list_init(&s->writes.doubtful);
    sl_list_init(&s->writes.unsized);
}

static void drop_all(struct session *s, struct sl_list *list)
{
    struct waiting_write *waiting;

    while ((waiting = first_of(list)) != NULL) {
        return_permit(s, &waiting->permit);
        sl_msg_free(&waiting->write);
        release(s, waiting);
    }
}

void session_write_end(struct session *s)
{
    drop_all(s, &s->writes.queue);
    drop_all(s, &s->writes.permitted);
    drop_all(s, &s->writes.doubtful);
    SL_ASSERT(s->writes.held == 0);
}
