#include "sluice/player.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/limits.h"
#include "sluice/gate.h"
#include "binlog/message.h"

/* One record under way. */
struct send {
    struct write write;
    uint32_t     index; /* in the corpus */
};

struct player {
    const struct sl_env  *env;
    const struct corpus  *corpus;
    struct player_options options;
    struct gate           gate;
    struct writer        *writer;
    struct sl_tso_drive  *drive; /* NULL: nothing is driven */
    struct gate_drive     moved; /* where the drive stands */
    struct send          *sends; /* owned; one per call that may be open */
    struct send         **idle;  /* owned; those not under way */
    uint32_t              idle_count;
    uint32_t              next_prewrite; /* records to look at; the two skip each other's */
    uint32_t              next_finish;
    sl_nanos              began;
    struct player_counts  counts;
    enum sl_err           failed; /* SL_OK: not yet */
    struct sl_why         why;
};

uint32_t player_pump_of(sl_ts start_ts, uint32_t count)
{
    return (uint32_t)(sl_hash_u64((uint64_t)start_ts) % count);
}

/* ---- answers ---- */

static void count_answer(struct player *p, const struct send *send)
{
    switch (p->corpus->records[send->index].type) {
    case SL_RECORD_PREWRITE:
        p->counts.prewrites++;
        gate_answer(&p->gate, send->index);
        return;
    case SL_RECORD_COMMIT: p->counts.commits++; return;
    case SL_RECORD_ROLLBACK: p->counts.rollbacks++; return;
    case SL_RECORD_PRE_DDL:
    case SL_RECORD_POST_DDL:
    case SL_RECORD_TYPES: break;
    }
    SL_UNREACHABLE("the corpus has none");
}

static void done(void *context, struct write *write)
{
    struct player *p = context;
    struct send   *send = SL_CONTAINER_OF(write, struct send, write);

    sl_buf_free(&write->request);
    p->idle[p->idle_count++] = send;
    if (write->err == SL_OK) {
        count_answer(p, send);
        return;
    }
    p->counts.given_up++;
    if (write->kind == WRITE_PREWRITE && p->failed == SL_OK)
        p->failed = sl_fail(&p->why, write->err,
                            "record %" PRIu32 ": prewrite %" PRId64 " given up after %" PRIu32
                            " attempts: %s",
                            send->index, p->corpus->records[send->index].start_ts, write->attempts,
                            write->why.text);
}

/* ---- sending ---- */

/* When the record may be sent by the recorded pace. */
static sl_nanos due_at(const struct player *p, uint32_t index)
{
    if (p->options.speed <= 0)
        return 0;
    return p->began + (sl_nanos)((double)p->corpus->records[index].arrival_ns / p->options.speed);
}

static uint32_t pump_of(const struct player *p, uint32_t index)
{
    return player_pump_of(p->corpus->records[index].start_ts, p->options.writer.pump_count);
}

static void begin(struct player *p, uint32_t index)
{
    const struct corpus_record *record = &p->corpus->records[index];
    struct send                *send = p->idle[--p->idle_count];
    bool                        prewrite = record->type == SL_RECORD_PREWRITE;

    SL_ASSERT(gate_may_send(&p->gate, index));
    send->index = index;
    send->write = (struct write){
        .request = sl_message_write(p->options.writer.cluster_id, record->payload),
        .pump = pump_of(p, index),
        .kind = prewrite ? WRITE_PREWRITE : WRITE_FINISH,
    };
    writer_begin(p->writer, &send->write);
}

/* The next record of one sort, from `index` on; the count at the end. */
static uint32_t skip(const struct player *p, uint32_t index, bool prewrite)
{
    while (index < p->corpus->count &&
           (p->corpus->records[index].type == SL_RECORD_PREWRITE) != prewrite)
        index++;
    return index;
}

/* Send what may be sent from one of the two cursors; *until falls to the moment when more may. */
static void send_from(struct player *p, uint32_t *next, bool prewrite, sl_nanos now,
                      sl_nanos *until)
{
    for (*next = skip(p, *next, prewrite); *next < p->corpus->count;
         *next = skip(p, *next + 1, prewrite)) {
        sl_nanos due = due_at(p, *next);

        if (due > now) {
            *until = due < *until ? due : *until;
            return;
        }
        if (prewrite && *next > p->next_finish + SL_REPLAY_AHEAD_MAX)
            return;
        if (!gate_may_send(&p->gate, *next) || !writer_has_room(p->writer, pump_of(p, *next)))
            return;
        begin(p, *next);
    }
}

/* ---- timestamps ---- */

static enum sl_err begin_drive(struct player *p, struct sl_why *why)
{
    if (p->options.tso == NULL || p->corpus->commits == 0)
        return SL_OK;
    p->moved = gate_drive(&p->gate);
    return sl_tso_drive_begin(p->options.tso, gate_first_commit(&p->gate),
                              gate_last_commit(&p->gate), &p->drive, why);
}

static enum sl_err move_drive(struct player *p, struct sl_why *why)
{
    struct gate_drive to;
    enum sl_err       err;

    if (p->drive == NULL)
        return SL_OK;
    to = gate_drive(&p->gate);
    if (to.ceiling == p->moved.ceiling)
        return SL_OK; /* then the floor is the same too */
    if ((err = sl_tso_drive_move(p->drive, to.floor, to.ceiling, why)) == SL_OK)
        p->moved = to;
    return err;
}

/* ---- the player ---- */

enum sl_err player_new(const struct sl_env *env, const struct corpus *corpus,
                       const struct player_options *options, struct player **out,
                       struct sl_why *why)
{
    struct player *p = calloc(1, sizeof *p);
    uint32_t       calls =
        options->writer.pump_count * options->writer.connections * options->writer.calls_max;
    enum sl_err err;

    SL_ASSERT(p != NULL);
    p->env = env;
    p->corpus = corpus;
    p->options = *options;
    p->options.writer.done = done;
    p->options.writer.context = p;
    p->gate = gate_new(corpus);
    p->sends = calloc(calls, sizeof *p->sends);
    p->idle = calloc(calls, sizeof(struct send *));
    SL_ASSERT(p->sends != NULL && p->idle != NULL);
    for (uint32_t i = 0; i < calls; i++)
        p->idle[p->idle_count++] = &p->sends[i];
    p->began = sl_env_now(env);
    if ((err = writer_new(env, &p->options.writer, &p->writer, why)) != SL_OK ||
        (err = begin_drive(p, why)) != SL_OK) {
        player_free(&p);
        return err;
    }
    *out = p;
    return SL_OK;
}

void player_free(struct player **player)
{
    struct player *old = *player;
    uint32_t       calls;

    *player = NULL;
    if (old == NULL)
        return;
    writer_free(&old->writer);
    sl_tso_drive_free(&old->drive);
    calls = old->options.writer.pump_count * old->options.writer.connections *
            old->options.writer.calls_max;
    for (uint32_t i = 0; i < calls; i++)
        sl_buf_free(&old->sends[i].write.request); /* of those still under way */
    gate_free(&old->gate);
    free(old->sends);
    free(old->idle);
    free(old);
}

static bool all_sent(const struct player *p)
{
    return p->next_prewrite == p->corpus->count && p->next_finish == p->corpus->count;
}

enum sl_err player_step(struct player *player, sl_nanos until, struct sl_why *why)
{
    sl_nanos    now = sl_env_now(player->env);
    enum sl_err err;

    /* Commits first: for them the pumps hold back all that is younger. */
    send_from(player, &player->next_finish, false, now, &until);
    send_from(player, &player->next_prewrite, true, now, &until);
    if (!all_sent(player) || writer_busy(player->writer) > 0)
        writer_step(player->writer, until);
    if (player->failed != SL_OK)
        return sl_fail(why, player->failed, "%s", player->why.text);
    if ((err = move_drive(player, why)) != SL_OK)
        return err;
    if (!all_sent(player) || writer_busy(player->writer) > 0)
        return SL_AGAIN;
    return player->drive != NULL ? sl_tso_drive_end(&player->drive, why) : SL_OK;
}

struct player_counts player_counts(const struct player *player)
{
    return player->counts;
}

struct writer_counts player_writes(const struct player *player)
{
    return writer_counts(player->writer);
}
