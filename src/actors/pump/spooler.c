/* spooler[k]: writes the large entities of one shard to files of their own, as they come.
 *
 *     session ──SPOOL, PIECE..., END──► spooler ──WRITE: a reference──► shard_writer
 *                                 └──► large/N, durable before the reference leaves
 *
 * It has a thread for itself: an entity may take the disk for seconds, and no record may wait for
 * that. It owns the folder; the shard writer, which makes the references durable, and pullers know
 * only files. An entity that fails is answered at once, and keeps its place until the session has
 * said that no more comes of it: so the pieces that are on their way are bounded by the entities.
 */

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"

struct entity {
    struct sl_pump_write   *write; /* owned; NULL: this place is free */
    struct sl_large_writer *file;  /* owned; NULL: it has failed, and its asker knows */
};

struct spooler {
    struct sl_pump       *pump;
    struct sl_pump_shard *shard;
    uint32_t              k;
    struct entity         entities[SL_SPOOLS_MAX]; /* each has a credit of SL_LINE_SPOOL */
};

static struct entity *find(struct spooler *s, uint64_t serial)
{
    for (uint32_t i = 0; i < SL_SPOOLS_MAX; i++) {
        if (s->entities[i].write != NULL && s->entities[i].write->serial == serial)
            return &s->entities[i];
    }
    SL_UNREACHABLE("a piece follows its entity");
}

/* ---- ends ---- */

static void release(struct entity *e)
{
    sl_large_abandon(&e->file);
    if (e->write != NULL)
        sl_msg_free(&e->write);
}

/* The caller hears why in the words of any write. */
static void fail(struct sl_ctx *ctx, struct spooler *s, struct entity *e, enum sl_err err,
                 struct sl_why *why)
{
    struct sl_asker        asker = sl_asker_of(&e->write->hdr);
    struct sl_pump_failed *failed;

    sl_log(SL_LOG_ERROR, "large entity cannot be written", sl_field_u64("shard", s->k),
           sl_field_i64("start_ts", e->write->start_ts), sl_field_err(err, why));
    sl_metric_add(s->pump->metrics.errors[SL_PUMP_ERROR_WRITE_BINLOG], 1);
    sl_large_abandon(&e->file);
    sl_wrap(why, err, "write to disk failed");
    failed = sl_pump_failed_new(err, why);
    sl_reply(ctx, asker, &failed);
}

/* ---- an entity ---- */

static void begin(struct sl_ctx *ctx, struct spooler *s, struct sl_pump_write *write)
{
    struct entity *e = s->entities;
    struct sl_why  why = {0};
    enum sl_err    err;

    while (e < s->entities + SL_SPOOLS_MAX && e->write != NULL)
        e++;
    SL_ASSERT(e < s->entities + SL_SPOOLS_MAX);
    e->write = write;
    if ((err = sl_large_create(s->shard->large, &e->file, &why)) != SL_OK)
        fail(ctx, s, e, err, &why);
}

static void take_piece(struct sl_ctx *ctx, struct spooler *s, struct sl_pump_piece *piece)
{
    struct sl_asker             asker = sl_asker_of(&piece->hdr);
    struct sl_pump_piece_taken *taken;
    struct entity              *e = find(s, piece->serial);
    struct sl_why               why = {0};
    enum sl_err                 err = SL_OK;

    taken = sl_msg_new(struct sl_pump_piece_taken, SL_PUMP_PIECE_TAKEN);
    taken->bytes = piece->bytes->len;
    if (e->file != NULL)
        err = sl_large_append(e->file, sl_slice_from_buf(piece->bytes), &why);
    if (err != SL_OK)
        fail(ctx, s, e, err, &why);
    sl_msg_free(&piece); /* its memory and its credit, before the session lets more come */
    sl_reply(ctx, asker, &taken);
}

static struct sl_buf *encode(const struct sl_pump_spool_end *end, const struct sl_large_ref *ref)
{
    const struct sl_large_record record = {.ref = *ref,
                                           .has_value = end->has_value,
                                           .value_at = end->value_at,
                                           .value_bytes = end->value_bytes,
                                           .rest = sl_slice_from_buf(end->rest)};
    struct sl_buf               *payload = sl_buf_new(sl_large_record_bytes(&record));

    sl_large_record_encode(&record, payload->data);
    return payload;
}

/* All has come: from here on it is a write like any other. END gives its credit back first, as does
 * DROP: that of the entity lets another one begin. */
static void finish(struct sl_ctx *ctx, struct spooler *s, struct sl_pump_spool_end *end)
{
    struct entity      *e = find(s, end->serial);
    struct sl_large_ref ref;
    struct sl_why       why = {0};
    enum sl_err         err = SL_OK;

    if (e->file != NULL && (err = sl_large_finish(&e->file, &ref, &why)) == SL_OK)
        e->write->payload = encode(end, &ref);
    e->write->began = sl_now(ctx);
    sl_msg_free(&end);
    if (err != SL_OK)
        fail(ctx, s, e, err, &why);
    if (e->write->payload != NULL)
        sl_forward(ctx, s->shard->writer_ref, SL_PUMP_WRITE, &e->write);
    else
        release(e);
}

static void drop(struct spooler *s, struct sl_pump_spool_drop *msg)
{
    struct entity *e = find(s, msg->serial);

    sl_msg_free(&msg);
    release(e);
}

/* ---- retention ---- */

static void cut(struct sl_ctx *ctx, struct spooler *s, struct sl_pump_cut_log *question)
{
    struct sl_asker asker = sl_asker_of(&question->hdr);
    struct sl_why   why = {0};
    enum sl_err     err = sl_large_remove_before(s->shard->large, question->before, &why);

    sl_msg_free(&question); /* its credit, before retention asks the next thing */
    if (err == SL_OK) {
        struct sl_msg *done = sl_msg_new(struct sl_msg, SL_PUMP_DONE);

        sl_reply_msg(ctx, asker, done, &done);
    } else {
        struct sl_pump_failed *failed = sl_pump_failed_new(err, &why);

        sl_reply(ctx, asker, &failed);
    }
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct spooler            *s = self;

    (void)ctx;
    s->pump = a->pump;
    s->k = a->shard;
    s->shard = &a->pump->shard[a->shard];
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct spooler *s = self;

    switch (msg->type) {
    case SL_PUMP_SPOOL: begin(ctx, s, (struct sl_pump_write *)(void *)sl_take(ctx)); return SL_OK;
    case SL_PUMP_PIECE:
        take_piece(ctx, s, (struct sl_pump_piece *)(void *)sl_take(ctx));
        return SL_OK;
    case SL_PUMP_SPOOL_END:
        finish(ctx, s, (struct sl_pump_spool_end *)(void *)sl_take(ctx));
        return SL_OK;
    case SL_PUMP_SPOOL_DROP:
        drop(s, (struct sl_pump_spool_drop *)(void *)sl_take(ctx));
        return SL_OK;
    case SL_PUMP_CUT_LARGE:
        cut(ctx, s, (struct sl_pump_cut_log *)(void *)sl_take(ctx));
        return SL_OK;
    default: SL_UNREACHABLE("no message of the spooler");
    }
}

/* What is left has not come whole. */
static void stop(struct sl_ctx *ctx, void *self)
{
    struct spooler *s = self;

    (void)ctx;
    for (uint32_t i = 0; i < SL_SPOOLS_MAX; i++)
        release(&s->entities[i]);
}

const struct sl_actor_class sl_pump_spooler_class = {
    .name = "spooler",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_SYNC,
    .state_bytes = sizeof(struct spooler),
    .start = start,
    .handle = handle,
    .stop = stop,
};
