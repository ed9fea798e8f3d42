/* source: one pump as the drainer sees it. Reads its stream (pump spec 1.5) from a position on, as
 * fast as the merger takes what it sends, and begins again behind what it has when the stream ends.
 *
 *     pump ══messages══► filled blocks ──BLOCK──► merger
 *                           │ line full: the pump's window stays closed
 *
 * What was received is consumed towards the pump only when its block has left: so a slow merger is
 * felt by the pump, and this actor holds a window at most.
 *
 * Large messages. What is longer than a whole block may be is not held: it comes in pieces, which
 * the spooler writes to a file, and takes its place in a block when it is whole. What comes behind
 * it waits until then. */

#include "actors/drainer/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/message.h"
#include "binlog/record.h"
#include "net/channel.h"
#include "runtime/actor.h"

/* Of the lines that are waited for. */
enum { TAG_BLOCK, TAG_PIECE };

static const char method[] = "/binlog.Pump/PullBinlogs";

struct source {
    const struct sl_source_seat   *seat;
    struct sl_channel             *channel;
    struct sl_grpc_call           *call;                     /* NULL: no stream */
    sl_ts                          last;                     /* received */
    struct sl_drainer_block       *filled[SL_SOURCE_BLOCKS]; /* owned, oldest first */
    uint32_t                       filled_count;
    bool                           is_line_full; /* SL_MSG_OPEN will come */
    size_t                         sized; /* a long message of so many bytes waits to be granted */
    bool                           is_spooling; /* one is coming in pieces, or is being written */
    struct sl_drainer_piece       *pieces[SL_PIECE_CREDITS]; /* owned: of it, not sent yet */
    uint32_t                       piece_count;
    uint32_t                       pieces_out;         /* sent, not answered */
    bool                           is_piece_line_full; /* an earlier source's are still there */
    struct sl_buf                **behind; /* owned, each of them too: messages behind it */
    uint32_t                       behind_count;
    uint32_t                       behind_room;
    struct sl_io                   io[SL_CHANNEL_WAITS_MAX];
    struct sl_timer                due;       /* the channel's next deadline, or the next stream */
    sl_nanos                       stream_at; /* not before; while there is no stream */
    int64_t                        clock_ms;  /* the cluster's, in this turn; 0: unknown */
    struct sl_drainer_pump_metrics metrics;
    bool                           is_over; /* the stream has ended: status and text say how */
    enum sl_grpc_status            status;
    enum sl_err                    err; /* what came is no stream of a pump */
    struct sl_why                  why;
};

/* ---- what comes ---- */

static struct sl_drainer_block *block_to_fill(struct source *s)
{
    struct sl_drainer_block *block = s->filled_count > 0 ? s->filled[s->filled_count - 1] : NULL;

    if (block != NULL && block->block.count < SL_DRAINER_BLOCK_ITEMS)
        return block;
    SL_ASSERT(s->filled_count < SL_SOURCE_BLOCKS); /* the window bounds what comes */
    block = sl_drainer_block_new(s->seat->input);
    s->filled[s->filled_count++] = block;
    return block;
}

static const struct sl_drainer_metrics *metrics_of(const struct source *s)
{
    return &s->seat->drainer->front.metrics;
}

/* What the pump says is a binlog, behind the one before. */
static enum sl_err check_record(struct source *s, const struct sl_buf *message,
                                struct sl_slice *payload, struct sl_record *record,
                                struct sl_why *why)
{
    enum sl_err err;

    if ((err = sl_message_entity(sl_slice_from_buf(message), payload, why)) != SL_OK ||
        (err = sl_record_decode(*payload, record, why)) != SL_OK) {
        sl_metric_add(metrics_of(s)->errors[SL_DRAINER_ERROR_UNMARSHAL_BINLOG], 1);
        return sl_wrap(why, SL_INVALID, "not a binlog");
    }
    if (record->commit_ts > s->last)
        return SL_OK;
    sl_metric_add(metrics_of(s)->disorder, 1);
    return sl_fail(why, SL_INVALID, "commit ts %" PRId64 " comes after %" PRId64, record->commit_ts,
                   s->last);
}

/* The message is taken. One that was spooled takes no memory, and is consumed. */
static enum sl_err take_record(struct source *s, struct sl_buf **message, bool is_spooled,
                               struct sl_why *why)
{
    struct sl_drainer_block *block;
    struct sl_descriptor    *item;
    struct sl_slice          payload;
    struct sl_record         record;
    enum sl_err              err = check_record(s, *message, &payload, &record, why);

    if (err != SL_OK)
        return err;
    block = block_to_fill(s);
    block->watermark = s->last = record.commit_ts;
    item = &block->items[block->block.count];
    *item = (struct sl_descriptor){.commit_ts = record.commit_ts,
                                   .start_ts = record.start_ts,
                                   .type = (uint32_t)record.type,
                                   .tag = {(uint64_t)record.ddl_job_id, 0}};
    if (sl_record_is_fake(&record)) {
        if (s->call != NULL)
            sl_grpc_consume(s->call, (*message)->len);
        return SL_OK;
    }
    sl_drainer_metrics_since(s->metrics.reach_seconds, s->clock_ms, record.commit_ts);
    sl_metric_observe(s->metrics.binlog_bytes, (double)payload.len);
    item->held.bytes = payload;
    item->held.owner = *message;
    item->tag[1] = is_spooled ? 0 : (*message)->len;
    *message = NULL;
    block->block.count++;
    block->hdr.bytes += (uint32_t)item->tag[1];
    if (is_spooled) /* one at a time */
        block->hdr.bytes = SL_SPOOL_BYTES;
    return SL_OK;
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct source *s = context;

    (void)call;
    if (s->err != SL_OK)
        return;
    if (!s->is_spooling) {
        s->err = take_record(s, message, false, &s->why);
        return;
    }
    if (s->behind_count == s->behind_room) { /* the window bounds how many there are */
        s->behind_room = s->behind_room == 0 ? 16 : 2 * s->behind_room;
        s->behind = realloc(s->behind, s->behind_room * sizeof(struct sl_buf *));
        SL_ASSERT(s->behind != NULL);
    }
    s->behind[s->behind_count++] = *message;
    *message = NULL;
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct source *s = context;

    (void)call;
    s->call = NULL;
    s->is_over = true;
    s->status = status;
    if (s->err == SL_OK)
        (void)sl_fail(&s->why, SL_UNAVAILABLE, "%s", text);
}

/* A long message is let come when all before it has left: there is one of them at a time. */
static void on_sized(void *context, struct sl_grpc_call *call, size_t bytes)
{
    (void)call;
    ((struct source *)context)->sized = bytes;
}

/* ---- large messages ---- */

static void on_piece(void *context, struct sl_grpc_call *call, struct sl_buf **piece, size_t offset,
                     size_t total)
{
    struct source           *s = context;
    size_t                   bytes = (*piece)->len;
    struct sl_drainer_piece *msg = sl_drainer_piece_new(s->seat->input, piece);

    (void)call;
    SL_ASSERT(s->piece_count < SL_PIECE_CREDITS); /* what is granted bounds what comes */
    msg->is_first = offset == 0;
    msg->is_last = offset + bytes == total;
    s->pieces[s->piece_count++] = msg;
}

static void send_pieces(struct sl_ctx *ctx, struct source *s)
{
    struct sl_line *line = sl_line(ctx, SL_LINE_SPOOL_PIECE, s->seat->input);
    uint32_t        sent = 0;

    for (; sent < s->piece_count && !s->is_piece_line_full; sent++) {
        if (sl_ask(ctx, line, s->seat->drainer->spooler_ref, 0, &s->pieces[sent]) != SL_OK) {
            s->is_piece_line_full = true;
            sl_line_wait(ctx, line, 0, TAG_PIECE);
            break;
        }
        s->pieces_out++;
    }
    s->piece_count -= sent;
    memmove(s->pieces, s->pieces + sent, s->piece_count * sizeof(struct sl_drainer_piece *));
}

static void drop_behind(struct source *s)
{
    for (uint32_t i = 0; i < s->behind_count; i++)
        sl_buf_free(&s->behind[i]);
    s->behind_count = 0;
}

/* It is whole: it, and what came behind it, go the way of all others. */
static void take_spooled(struct source *s, struct sl_buf **whole)
{
    s->is_spooling = false;
    if (s->err == SL_OK)
        s->err = take_record(s, whole, true, &s->why);
    for (uint32_t i = 0; i < s->behind_count && s->err == SL_OK; i++)
        s->err = take_record(s, &s->behind[i], false, &s->why);
    drop_behind(s);
}

static void on_spooled(struct source *s, struct sl_drainer_spooled *answer)
{
    SL_ASSERT(s->pieces_out > 0);
    s->pieces_out--;
    if (s->call != NULL) /* of the same stream: another one is not begun before */
        sl_grpc_consume_piece(s->call, answer->bytes);
    if (answer->whole != NULL)
        take_spooled(s, &answer->whole);
}

static const struct sl_grpc_events events = {
    .sized = on_sized, .message = on_message, .over = on_over, .piece = on_piece};

/* ---- the stream ---- */

static enum sl_err open_stream(struct source *s, struct sl_why *why)
{
    struct sl_buf  *request;
    struct sl_grpc *grpc;
    enum sl_err     err;

    if ((err = sl_channel_grpc(s->channel, &grpc, why)) != SL_OK ||
        (err = sl_grpc_call(grpc, method, SL_GRPC_NEVER, &events, s, &s->call, why)) != SL_OK)
        return err;
    request = sl_message_pull(s->seat->drainer->cluster_id, s->last);
    err = sl_grpc_send(s->call, &request);
    sl_buf_free(&request);
    SL_ASSERT(err == SL_OK); /* the first message of a call fits its queue */
    sl_grpc_half_close(s->call);
    return SL_OK;
}

static void retry_later(struct sl_ctx *ctx, struct source *s, const char *reason)
{
    s->stream_at = sl_now(ctx) + SL_SOURCE_RETRY_MS * (sl_nanos)SL_NANOS_PER_MS;
    sl_metric_add(metrics_of(s)->errors[SL_DRAINER_ERROR_PULL], 1);
    sl_drainer_board_received(&s->seat->drainer->front.board, s->seat->input, s->last, reason);
    sl_log(SL_LOG_WARN, "pull binlogs from pump failed, trying again",
           sl_field_str("pump", s->seat->node_id), sl_field_str("host", s->seat->host),
           sl_field_i64("last_ts", s->last), sl_field_str("error", reason));
}

/* Let the pump send as much again as has left. */
static void consume(struct source *s, const struct sl_drainer_block *block)
{
    if (s->call == NULL)
        return;
    for (uint32_t i = 0; i < block->block.count; i++)
        sl_grpc_consume(s->call, block->items[i].tag[1]);
}

/* True when anything has left. */
static bool send_blocks(struct sl_ctx *ctx, struct source *s)
{
    struct sl_line *line = sl_line(ctx, SL_LINE_BLOCK, s->seat->input);
    uint32_t        sent = 0;

    for (; sent < s->filled_count && !s->is_line_full; sent++) {
        struct sl_drainer_block *block = s->filled[sent];
        enum sl_err              err;

        if (block->hdr.bytes > sl_line_bytes(line)) /* it has all the line */
            block->hdr.bytes = (uint32_t)sl_line_bytes(line);
        if (sl_line_credits_free(line) == 0 || sl_line_bytes_free(line) < block->hdr.bytes) {
            s->is_line_full = true;
            sl_line_wait(ctx, line, block->hdr.bytes, TAG_BLOCK);
            break;
        }
        consume(s, block);
        err = sl_send(ctx, line, s->seat->merger, &block);
        SL_ASSERT(err == SL_OK); /* nobody else sends on this input */
    }
    s->filled_count -= sent;
    memmove(s->filled, s->filled + sent, s->filled_count * sizeof *s->filled);
    return sent > 0;
}

/* Compressed ones cannot come in pieces. */
static void grant(struct sl_ctx *ctx, struct source *s)
{
    uint64_t block = sl_line_bytes(sl_line(ctx, SL_LINE_BLOCK, s->seat->input));
    uint32_t piece = block < SL_PIECE_BYTES ? (uint32_t)block : SL_PIECE_BYTES;

    s->is_spooling = s->sized > block && sl_grpc_grant_pieces(s->call, piece) == SL_OK;
    if (!s->is_spooling)
        sl_grpc_grant(s->call);
    s->sized = 0;
}

/* True when the channel has something new to do. */
static bool make_room(struct sl_ctx *ctx, struct source *s)
{
    bool moved = send_blocks(ctx, s);

    send_pieces(ctx, s);
    if (s->sized > 0 && s->call != NULL && s->filled_count == 0 && !s->is_spooling) {
        grant(ctx, s);
        moved = true;
    }
    return moved && s->call != NULL;
}

/* There is no stream, and nothing is left of the last one: another one may begin. */
static bool is_empty(const struct source *s)
{
    return s->call == NULL && s->filled_count == 0 && s->piece_count == 0 && s->pieces_out == 0;
}

static enum sl_err watch(struct sl_ctx *ctx, struct source *s)
{
    struct sl_socket_wait waits[SL_CHANNEL_WAITS_MAX];
    sl_nanos              until = is_empty(s) ? s->stream_at : UINT64_MAX;
    uint32_t              count = sl_channel_waits(s->channel, waits, &until);
    sl_nanos              now = sl_now(ctx);
    enum sl_err           err = SL_OK;

    for (uint32_t i = 0; i < count && err == SL_OK; i++)
        err = sl_io_watch(ctx, &s->io[i], waits[i].socket, waits[i].events);
    if (until == UINT64_MAX)
        sl_timer_disarm(ctx, &s->due);
    else
        sl_timer_arm(ctx, &s->due, SL_DRAINER_TICK,
                     until <= now ? 0 : (until - now) / SL_NANOS_PER_MS + 1);
    return err;
}

static void unwatch(struct sl_ctx *ctx, struct source *s)
{
    for (uint32_t i = 0; i < SL_CHANNEL_WAITS_MAX; i++)
        sl_io_unwatch(ctx, &s->io[i]);
}

/* Do all that can be done now. */
static enum sl_err go_on(struct sl_ctx *ctx, struct source *s)
{
    struct sl_why why = {0};

    s->clock_ms = sl_drainer_board_clock_ms(&s->seat->drainer->front.board, sl_now(ctx));
    unwatch(ctx, s); /* a step may close the socket */
    if (is_empty(s) && sl_now(ctx) >= s->stream_at) {
        s->is_over = s->is_spooling = false;
        s->sized = 0;
        drop_behind(s);
        s->why = (struct sl_why){0};
        if (open_stream(s, &why) != SL_OK)
            retry_later(ctx, s, why.text);
    }
    do {
        (void)sl_channel_step(s->channel, NULL); /* the call hears what went wrong */
    } while (make_room(ctx, s));
    if (s->err != SL_OK) { /* nothing of this pump can be trusted: the merger decides */
        *sl_why(ctx) = s->why;
        return sl_wrap(sl_why(ctx), s->err, "pump %s at %s", s->seat->node_id, s->seat->host);
    }
    if (s->is_over) {
        s->is_over = false;
        retry_later(ctx, s,
                    s->status == SL_GRPC_OK ? "the pump has ended the stream" : s->why.text);
    }
    return watch(ctx, s);
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct source *s = self;
    enum sl_err    err;

    s->seat = *(const struct sl_source_seat *const *)args;
    s->last = s->seat->after;
    sl_drainer_metrics_pump(metrics_of(s), s->seat->node_id, &s->metrics);
    if ((err = sl_channel_new(sl_env(ctx), s->seat->host, 0, &s->channel, sl_why(ctx))) != SL_OK)
        return err;
    if (s->seat->drainer->options.config->compressor[0] != '\0')
        sl_channel_use_gzip(s->channel); /* the only one that passes the checks */
    sl_log(SL_LOG_INFO, "begin to pull from pump", sl_field_str("pump", s->seat->node_id),
           sl_field_str("host", s->seat->host), sl_field_i64("last_ts", s->last));
    return go_on(ctx, s);
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    if (msg->type == SL_DRAINER_SPOOLED)
        on_spooled(self, (struct sl_drainer_spooled *)(void *)msg);
    else
        SL_ASSERT(msg->type == SL_DRAINER_TICK);
    return go_on(ctx, self);
}

static enum sl_err ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned ready_events)
{
    (void)io;
    (void)ready_events;
    return go_on(ctx, self);
}

static enum sl_err system_message(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct source *s = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_OPEN:
        if (msg->tag == TAG_BLOCK)
            s->is_line_full = false;
        else
            s->is_piece_line_full = false;
        return go_on(ctx, s);
    case SL_MSG_GONE: s->pieces_out--; return SL_OK; /* the spooler's end is root's */
    case SL_MSG_CHILD_ENDED:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("not expected by a source");
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct source *s = self;

    (void)ctx;
    sl_channel_free(&s->channel);
    for (uint32_t i = 0; i < s->filled_count; i++)
        sl_msg_free(&s->filled[i]);
    for (uint32_t i = 0; i < s->piece_count; i++)
        sl_msg_free(&s->pieces[i]);
    drop_behind(s);
    free(s->behind);
}

const struct sl_actor_class sl_drainer_source_class = {
    .name = "source",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct source),
    .questions_max = SL_PIECE_CREDITS,
    .waits_max = 2,
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .system = system_message,
    .ready = ready,
    .stop = stop,
};
