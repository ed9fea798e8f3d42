/* WriteBinlog of a request that is too large to be held (architecture: large entities). It comes in
 * pieces, which go to the spooler of its shard as they come:
 *
 *     sized ─► WAITS ──permit──► GRANTED ──first piece──┬─► SENDS ──last piece──► ENDED
 *                                                       └─► DRAINS
 *
 * The first piece says of which transaction it is, so the checks are made before a byte is written;
 * and again at the end, since only then all fields are known. A request whose first piece does not
 * say it is drained: at its end the decoder has the words. The write is asked for with SPOOL, and
 * answered as any other by the shard writer, when the reference to the file is durable.
 *
 * SL_LINE_SPOOL has a credit for each entity, so SL_SPOOLS_MAX are under way in the whole pump, and
 * the peers of others wait for their window. A piece gives the window back when it is in the file:
 * so a slow disk slows its sender. */

#include <stdatomic.h>
#include <stdlib.h>

#include "actors/pump/session_private.h"
#include "base/assert.h"

enum spool_state { SPOOL_WAITS, SPOOL_GRANTED, SPOOL_SENDS, SPOOL_DRAINS, SPOOL_ENDED };

struct session_spool {
    enum spool_state       state;
    uint64_t               serial; /* in SENDS and ENDED, as are the next two */
    uint32_t               shard;
    sl_ts                  start_ts;
    struct sl_write_stream stream;
};

/* ---- a permit ---- */

/* Less than what is large, so that the first piece is never the last. */
static uint32_t piece_bytes(const struct session *s)
{
    return session_large_bytes(s) > SL_SPOOL_PIECE_BYTES ? SL_SPOOL_PIECE_BYTES
                                                         : SL_SPOOL_PIECE_BYTES_MIN;
}

/* A compressed message cannot come in pieces. */
static void grant(struct session_call *c)
{
    struct session_refusal refusal;

    c->spool->state = SPOOL_GRANTED;
    if (sl_grpc_grant_pieces(c->call, piece_bytes(c->session)) == SL_OK)
        return;
    (void)session_check_too_large(c->bytes, session_large_bytes(c->session), &refusal);
    session_write_refuse(c, &refusal);
}

/* One reservation at a time, as for other messages. */
static void reserve(struct session *s)
{
    struct sl_line      *line = sl_line(s->connection.ctx, SL_LINE_SPOOL, 0);
    struct sl_list_node *node;

    while (!s->spools.awaits_permit && (node = sl_list_pop_front(&s->spools.waiting)) != NULL) {
        struct session_call *c = SL_CONTAINER_OF(node, struct session_call, node);
        uint64_t             tag = session_tag(TOPIC_SPOOL, sl_grpc_call_id(c->call));
        enum sl_err          err = sl_line_reserve(s->connection.ctx, line, 0, tag, &c->permit);

        SL_ASSERT(err == SL_OK || err == SL_FULL);
        if (err == SL_OK)
            grant(c);
        else
            s->spools.awaits_permit = true;
    }
}

void session_spool_sized(struct session_call *c, size_t bytes)
{
    struct session *s = c->session;

    atomic_fetch_add_explicit(&s->pump->board.writes, 1, memory_order_relaxed);
    c->bytes = (uint32_t)bytes; /* of a gRPC message */
    c->spool = calloc(1, sizeof *c->spool);
    SL_ASSERT(c->spool != NULL);
    sl_write_stream_begin(&c->spool->stream, bytes);
    sl_list_push_back(&s->spools.waiting, &c->node);
    reserve(s);
}

void session_spool_granted(struct session *s, struct sl_msg *granted)
{
    struct session_call *c = session_find(s, session_tag_id(granted->tag), SESSION_WRITE);
    struct sl_permit     permit = sl_permit_of(granted);

    s->spools.awaits_permit = false;
    if (c != NULL) {
        c->permit = permit;
        grant(c);
    } else {
        sl_permit_return(s->connection.ctx, &permit);
    }
    if (s->connection.grpc != NULL)
        reserve(s);
}

/* ---- to the spooler ---- */

static struct sl_ref spooler_of(const struct session_call *c)
{
    return c->session->pump->shard[c->spool->shard].spooler_ref;
}

static void begin_sending(struct session_call *c, sl_ts start_ts)
{
    struct session       *s = c->session;
    struct session_spool *spool = c->spool;
    struct sl_pump_write *write;

    spool->state = SPOOL_SENDS;
    spool->serial = 1 + atomic_fetch_add_explicit(&s->pump->board.spools, 1, memory_order_relaxed);
    spool->start_ts = start_ts;
    spool->shard = sl_pump_shard_of(s->pump, start_ts);
    write = sl_pump_spool_new(spool->serial, start_ts);
    sl_ask_permitted(s->connection.ctx, &c->permit, spooler_of(c),
                     session_tag(TOPIC_SPOOL, sl_grpc_call_id(c->call)), &write);
}

/* A piece has a credit when it may come at all: SL_SPOOL_PIECES. */
static void send_piece(struct session_call *c, struct sl_buf **bytes)
{
    struct session       *s = c->session;
    struct sl_pump_piece *piece = sl_pump_piece_new(c->spool->serial, bytes);
    uint64_t              tag = session_tag(TOPIC_PIECE, sl_grpc_call_id(c->call));

    if (sl_ask(s->connection.ctx, sl_line(s->connection.ctx, SL_LINE_PIECE, 0), spooler_of(c), tag,
               &piece) != SL_OK)
        SL_UNREACHABLE("the window lets no more come");
}

static void send_end(struct session_call *c, const struct sl_record_around *around)
{
    struct session           *s = c->session;
    struct sl_slice           rest = sl_record_stream_rest(&c->spool->stream.record);
    struct sl_pump_spool_end *end = sl_pump_spool_end_new(c->spool->serial, rest);

    end->has_value = around->has_value;
    end->value_at = around->value_at;
    end->value_bytes = around->value_bytes;
    if (sl_send(s->connection.ctx, sl_line(s->connection.ctx, SL_LINE_PIECE, 0), spooler_of(c),
                &end) != SL_OK)
        SL_UNREACHABLE("the end of an entity has a credit");
    c->spool->state = SPOOL_ENDED;
}

static void send_drop(struct session_call *c)
{
    struct session            *s = c->session;
    struct sl_pump_spool_drop *drop = sl_msg_new(struct sl_pump_spool_drop, SL_PUMP_SPOOL_DROP);

    drop->serial = c->spool->serial;
    if (sl_send(s->connection.ctx, sl_line(s->connection.ctx, SL_LINE_PIECE, 0), spooler_of(c),
                &drop) != SL_OK)
        SL_UNREACHABLE("the end of an entity has a credit");
}

/* ---- pieces ---- */

static bool is_probe(const struct sl_record *record)
{
    return record->start_ts == 0 && record->commit_ts == 0;
}

static void judge_first(struct session_call *c)
{
    struct session_refusal refusal;
    struct sl_record       record;
    uint64_t               cluster_id;

    c->spool->state = SPOOL_DRAINS;
    if (!sl_write_stream_peek(&c->spool->stream, &cluster_id, &record))
        return;
    if (!session_check_begin(c->session, cluster_id, &record, c->bytes, &refusal))
        session_write_refuse(c, &refusal);
    else if (!is_probe(&record))
        begin_sending(c, record.start_ts);
}

/* No client of ours sends such: they write the fields in the order of their numbers. */
static void refuse_order(struct session_call *c)
{
    struct session_refusal refusal = {.reason = SL_PUMP_REFUSED_PAYLOAD,
                                      .status = session_status_of(SL_UNSUPPORTED)};

    (void)sl_fail(&refusal.why, SL_UNSUPPORTED,
                  "in a record of more than %u bytes all else must stand once, before the "
                  "prewrite value",
                  session_large_bytes(c->session));
    session_write_refuse(c, &refusal);
}

static void judge_last(struct session_call *c)
{
    struct session_spool   *spool = c->spool;
    struct session_refusal  refusal;
    struct sl_record_around around;
    uint32_t                id = sl_grpc_call_id(c->call);

    if (!session_check_end(c->session, &spool->stream, c->bytes, &around, &refusal))
        session_write_refuse(c, &refusal);
    else if (is_probe(&around.record))
        session_write_answer(c->session, id, SL_OK, "");
    else if (spool->state == SPOOL_SENDS && around.record.start_ts == spool->start_ts)
        send_end(c, &around);
    else
        refuse_order(c);
}

void session_spool_piece(struct session_call *c, struct sl_buf **piece, size_t offset, size_t total)
{
    struct session_spool *spool = c->spool;
    size_t                bytes = (*piece)->len;
    bool                  last = offset + bytes == total;

    (void)sl_write_stream_feed(&spool->stream, sl_slice_from_buf(*piece)); /* told at the end */
    if (spool->state == SPOOL_GRANTED)
        judge_first(c);
    if (session_find(c->session, sl_grpc_call_id(c->call), SESSION_WRITE) != c)
        return; /* refused */
    if (spool->state == SPOOL_SENDS)
        send_piece(c, piece);
    else
        sl_grpc_consume_piece(c->call, bytes);
    if (last)
        judge_last(c);
}

void session_spool_taken(struct session *s, uint32_t id, size_t bytes)
{
    struct session_call *c = session_find(s, id, SESSION_WRITE);

    if (c != NULL)
        sl_grpc_consume_piece(c->call, bytes);
}

/* ---- ends ---- */

/* What has come whole is written, whether the client waits for it or not. */
void session_spool_over(struct session_call *c)
{
    if (c->spool == NULL)
        return;
    if (c->spool->state == SPOOL_SENDS)
        send_drop(c);
    sl_write_stream_end(&c->spool->stream);
    free(c->spool);
    c->spool = NULL;
}

void session_spool_init(struct session *s)
{
    sl_list_init(&s->spools.waiting);
}
