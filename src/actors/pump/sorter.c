/* sorter[k]: the order of one shard (sort_core.h) as an actor. Takes records in the order in which
 * they became durable, and tells the indexer in cuts: one as soon as the mailbox has run empty, or
 * when it is full. While no cut may leave (SL_PUMP_CUT_CREDITS are with the indexer), it goes on
 * filling the present one; when that is full it holds the records, which keep their credits of the
 * write line: so the entrance feels it. A mark that comes then waits behind them: it says that all
 * up to it is here, and they are what it speaks of.
 *
 * Where there is TiKV, the resolver always has a question here: it is answered with the prewrites
 * whose outcome is to be looked for, as soon as there are some. */

#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/sort_core.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/limits.h"

enum { HELD_MAX = SL_PUMP_WRITE_CREDITS + SL_PUMP_FAKE_CREDITS + SL_PUMP_RESOLVE_CREDITS };

struct sorter {
    struct sl_pump       *pump;
    struct sl_pump_shard *shard;
    uint32_t              k;
    struct sl_pump_cut   *cut;            /* owned; being filled; NULL: nothing to tell */
    bool                  waits;          /* for the cut line to open */
    struct sl_pump_write *held[HELD_MAX]; /* owned; a ring, oldest at `first` */
    uint32_t              first;
    uint32_t              held_count;
    sl_ts                 held_mark; /* the highest that came since; 0: none */
    struct sl_msg        *question;  /* owned; the resolver's, to be answered; NULL: none */
    struct sl_timer       due;       /* for the next orphan, while there is a question */
    sl_nanos              due_at;
};

static struct sl_pump_cut *present_cut(struct sorter *s)
{
    if (s->cut == NULL)
        s->cut = sl_msg_new(struct sl_pump_cut, SL_PUMP_CUT);
    return s->cut;
}

/* True when there is no cut left to be told. */
static bool send_cut(struct sl_ctx *ctx, struct sorter *s)
{
    struct sl_line *line = sl_line(ctx, SL_LINE_CUT, s->k);

    if (s->cut == NULL)
        return true;
    if (sl_line_credits_free(line) == 0) {
        if (!s->waits)
            sl_line_wait(ctx, line, 0, 0);
        s->waits = true;
        return false;
    }
    sl_sorter_close_cut(s->shard->sorter, s->cut);
    if (sl_send(ctx, line, s->shard->indexer_ref, &s->cut) != SL_OK)
        SL_UNREACHABLE("this actor alone uses its input of the cut line");
    return true;
}

static bool take(struct sl_ctx *ctx, struct sorter *s, const struct sl_pump_write *write)
{
    const struct sl_sort_note note = {.type = write->type,
                                      .verified = write->verified,
                                      .at = sl_now(ctx),
                                      .start_ts = write->start_ts,
                                      .commit_ts = write->commit_ts,
                                      .newest = write->newest,
                                      .position = write->position};

    if (!sl_sorter_has_room(present_cut(s)) && !send_cut(ctx, s))
        return false;
    sl_sorter_take(s->shard->sorter, &note, present_cut(s));
    return true;
}

static void mark(struct sorter *s, sl_ts newest)
{
    if (s->held_count > 0)
        s->held_mark = newest > s->held_mark ? newest : s->held_mark;
    else if (sl_sorter_mark(s->shard->sorter, newest))
        present_cut(s);
}

static void take_held(struct sl_ctx *ctx, struct sorter *s)
{
    while (s->held_count > 0 && take(ctx, s, s->held[s->first])) {
        sl_msg_free(&s->held[s->first]);
        s->first = (s->first + 1) % HELD_MAX;
        s->held_count--;
    }
    if (s->held_count == 0 && s->held_mark > 0) {
        mark(s, s->held_mark);
        s->held_mark = 0;
    }
}

static void sort(struct sl_ctx *ctx, struct sorter *s, struct sl_pump_write *write)
{
    if (s->held_count == 0 && take(ctx, s, write))
        return;
    SL_ASSERT(s->held_count < HELD_MAX);
    s->held[(s->first + s->held_count++) % HELD_MAX] = (struct sl_pump_write *)(void *)sl_take(ctx);
}

/* ---- orphans ---- */

static void give_orphans(struct sl_ctx *ctx, struct sorter *s)
{
    struct sl_pump_orphans *orphans = sl_msg_new(struct sl_pump_orphans, SL_PUMP_ORPHANS);
    struct sl_asker         asker = sl_asker_of(s->question);

    orphans->count =
        sl_sorter_orphans(s->shard->sorter, sl_now(ctx), orphans->items, SL_PUMP_ORPHANS_ITEMS);
    SL_ASSERT(orphans->count > 0);
    sl_msg_discard(s->question, &s->question);
    sl_timer_disarm(ctx, &s->due);
    sl_reply(ctx, asker, &orphans);
}

/* The timer may come early, when what was due has its outcome: then it is set anew. */
static void look_for_orphans(struct sl_ctx *ctx, struct sorter *s)
{
    sl_nanos now = sl_now(ctx);
    sl_nanos due = s->question != NULL ? sl_sorter_next_orphan(s->shard->sorter) : UINT64_MAX;

    if (due == UINT64_MAX || (due >= s->due_at && due > now && sl_timer_armed(&s->due)))
        return;
    if (due <= now) {
        give_orphans(ctx, s);
        return;
    }
    s->due_at = due;
    sl_timer_arm(ctx, &s->due, SL_PUMP_DUE, (due - now) / SL_NANOS_PER_MS + 1);
}

/* ---- hooks ---- */

static enum sl_err sorter_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct sl_pump_args *a = args;
    struct sorter             *s = self;

    (void)ctx;
    s->pump = a->pump;
    s->k = a->shard;
    s->shard = &a->pump->shard[a->shard];
    return SL_OK;
}

static enum sl_err sorter_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sorter *s = self;

    switch (msg->type) {
    case SL_PUMP_SORT: sort(ctx, s, (struct sl_pump_write *)(void *)msg); return SL_OK;
    case SL_PUMP_MARK: mark(s, ((struct sl_pump_mark *)(void *)msg)->newest); return SL_OK;
    case SL_PUMP_ASK_ORPHANS:
        SL_ASSERT(s->question == NULL);
        s->question = sl_take(ctx);
        look_for_orphans(ctx, s);
        return SL_OK;
    case SL_PUMP_DUE: look_for_orphans(ctx, s); return SL_OK;
    default: SL_UNREACHABLE("no message of the sorter");
    }
}

static enum sl_err sorter_drained(struct sl_ctx *ctx, void *self)
{
    struct sorter *s = self;

    send_cut(ctx, s);
    look_for_orphans(ctx, s);
    atomic_store_explicit(&s->pump->board.unresolved[s->k], sl_sorter_unresolved(s->shard->sorter),
                          memory_order_relaxed);
    return SL_OK;
}

static enum sl_err sorter_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sorter *s = self;

    if (msg->type == SL_MSG_OPEN) {
        s->waits = false;
        take_held(ctx, s);
        return SL_OK;
    }
    SL_ASSERT(msg->type == SL_MSG_STOP);
    sl_stop(ctx);
    return SL_OK;
}

/* What was not told is in the log, from which the next start takes it. */
static void sorter_stop(struct sl_ctx *ctx, void *self)
{
    struct sorter *s = self;

    (void)ctx;
    if (s->cut != NULL)
        sl_msg_free(&s->cut);
    if (s->question != NULL)
        sl_msg_discard(s->question, &s->question);
    for (; s->held_count > 0; s->held_count--) {
        sl_msg_free(&s->held[s->first]);
        s->first = (s->first + 1) % HELD_MAX;
    }
}

const struct sl_actor_class sl_pump_sorter_class = {
    .name = "sorter",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct sorter),
    .waits_max = 1,
    .timers_max = 1,
    .start = sorter_start,
    .handle = sorter_handle,
    .system = sorter_system,
    .drained = sorter_drained,
    .stop = sorter_stop,
};
