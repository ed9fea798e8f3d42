/* spooler: writes transactions that are too large for memory to files (storage/spool.h), as they
 * come, and gives each back as a buffer when it is whole.
 *
 *     source ──piece──► spooler ──spooled──► source
 *
 * Each is answered when it is in the file, the last one with the whole.
 *
 * A piece that cannot be written waits, and is tried again until it can: meanwhile its source lets
 * nothing more come of that pump, and the status says what is wrong. It has a thread for itself,
 * since a disk may take long; nothing else waits for it. */

#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "runtime/actor.h"
#include "storage/spool.h"

/* What comes of one source. */
struct intake {
    struct sl_spool_file    *file;                     /* owned; NULL: none is under way */
    struct sl_drainer_piece *pieces[SL_PIECE_CREDITS]; /* owned, oldest first */
    uint32_t                 count;
};

struct spooler {
    struct sl_drainer *drainer;
    struct intake      intakes[SL_DRAINER_SOURCES_MAX + 1];
    bool               is_failing;
    struct sl_timer    retry;
};

/* A first piece begins anew: what came before it, if anything, was given up by its source. */
static enum sl_err begin(struct spooler *s, struct intake *in, struct sl_why *why)
{
    enum sl_err err;

    sl_spool_abandon(&in->file);
    err = sl_spool_begin(s->drainer->spool, &in->file, why);
    if (err == SL_OK)
        in->pieces[0]->is_first = false;
    return err;
}

/* The oldest piece of the intake is written and answered, or nothing has happened. */
static enum sl_err take_piece(struct sl_ctx *ctx, struct spooler *s, struct intake *in,
                              struct sl_why *why)
{
    struct sl_drainer_piece   *piece = in->pieces[0];
    struct sl_drainer_spooled *answer;
    struct sl_asker            asker;
    struct sl_buf             *whole = NULL;
    enum sl_err                err = SL_OK;

    if (piece->is_first && (err = begin(s, in, why)) != SL_OK)
        return err;
    if (piece->bytes != NULL) {
        if ((err = sl_spool_append(in->file, sl_slice_from_buf(piece->bytes), why)) != SL_OK)
            return err;
        piece->written = piece->bytes->len;
        sl_buf_free(&piece->bytes); /* should the last step have to be tried again */
    }
    if (piece->is_last && (err = sl_spool_finish(&in->file, &whole, why)) != SL_OK)
        return err;
    answer = sl_drainer_spooled_new();
    answer->bytes = piece->written;
    answer->whole = whole;
    asker = sl_asker_of(&piece->hdr);
    sl_msg_free(&in->pieces[0]);
    in->count--;
    memmove(in->pieces, in->pieces + 1, in->count * sizeof(struct sl_drainer_piece *));
    sl_reply(ctx, asker, &answer);
    return SL_OK;
}

static void try_later(struct sl_ctx *ctx, struct spooler *s, enum sl_err err)
{
    sl_wrap(sl_why(ctx), err, "write a large transaction to the folder spool of data-dir");
    if (!s->is_failing)
        sl_log(SL_LOG_ERROR, "spool failed, trying again", sl_field_err(err, sl_why(ctx)));
    s->is_failing = true;
    sl_drainer_board_note(&s->drainer->front.board, SL_DRAINER_PART_SPOOL,
                          sl_err_is_transient(err) ? SL_DRAINER_RETRYING : SL_DRAINER_HELD, err,
                          sl_why(ctx)->text);
    sl_timer_arm(ctx, &s->retry, SL_DRAINER_RETRY, SL_SPOOL_RETRY_MS);
}

static enum sl_err work(struct sl_ctx *ctx, void *self)
{
    struct spooler *s = self;

    if (sl_timer_armed(&s->retry))
        return SL_OK;
    for (uint32_t i = 0; i < sizeof s->intakes / sizeof *s->intakes; i++) {
        while (s->intakes[i].count > 0) {
            enum sl_err err = take_piece(ctx, s, &s->intakes[i], sl_why(ctx));

            if (err != SL_OK) {
                try_later(ctx, s, err);
                return SL_OK;
            }
            if (s->is_failing)
                sl_drainer_board_note(&s->drainer->front.board, SL_DRAINER_PART_SPOOL,
                                      SL_DRAINER_RUNNING, SL_OK, NULL);
            s->is_failing = false;
        }
    }
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct spooler *)self)->drainer = ((const struct sl_drainer_args *)args)->drainer;
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct spooler          *s = self;
    struct sl_drainer_piece *piece;
    struct intake           *in;

    if (msg->type == SL_DRAINER_RETRY)
        return SL_OK; /* work follows */
    SL_ASSERT(msg->type == SL_DRAINER_PIECE);
    piece = (struct sl_drainer_piece *)(void *)sl_take(ctx);
    in = &s->intakes[piece->input];
    SL_ASSERT(in->count < SL_PIECE_CREDITS);
    in->pieces[in->count++] = piece;
    return SL_OK;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct spooler *s = self;

    (void)ctx;
    for (uint32_t i = 0; i < sizeof s->intakes / sizeof *s->intakes; i++) {
        for (uint32_t j = 0; j < s->intakes[i].count; j++)
            sl_msg_free(&s->intakes[i].pieces[j]);
        sl_spool_abandon(&s->intakes[i].file);
    }
}

const struct sl_actor_class sl_drainer_spooler_class = {
    .name = "spooler",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_SYNC,
    .state_bytes = sizeof(struct spooler),
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .drained = work,
    .stop = stop,
};
