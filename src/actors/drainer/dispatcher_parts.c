/* The dispatcher's changes on their way to workers: which worker gets one, and when those of a
 * window leave as parts. */

#include <string.h>

#include "actors/drainer/dispatcher_private.h"
#include "actors/drainer/row_keys.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"

/* ---- tables ---- */

static void ask_table(struct sl_ctx *ctx, struct dispatcher *d, const struct sl_table *table)
{
    struct sl_drainer_describe *question;

    if (d->is_described)
        return;
    question = sl_drainer_describe_new(table);
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_KEEP, 0), d->drainer->checkpointer_ref, TAG_DESCRIBE,
               &question) != SL_OK)
        SL_UNREACHABLE("the line has a credit for each kind of question");
    d->is_described = true;
}

void dispatcher_take_table(struct dispatcher *d, const struct sl_drainer_described *answer)
{
    SL_ASSERT(d->is_described);
    d->is_described = false;
    sl_known_tables_add(&d->tables, answer->table, answer->described);
}

/* ---- parts ---- */

static uint32_t part_rows(const struct dispatcher *d)
{
    return d->is_ordered || d->is_kept ? UINT32_MAX : d->part_rows;
}

static void grow(struct builder *b, struct sl_window *w)
{
    uint32_t                        room = b->room == 0 ? 16 : 2 * b->room;
    const struct sl_window_change **more = sl_arena_alloc(&w->arena, room * sizeof *more);

    if (b->count > 0)
        memcpy(more, b->changes, b->count * sizeof *more);
    b->changes = more;
    b->room = room;
}

static uint32_t free_place(const struct dispatcher *d)
{
    for (uint32_t i = 0; i < sizeof d->open / sizeof *d->open; i++) {
        if (d->open[i].window == NULL)
            return i;
    }
    SL_UNREACHABLE("the lines' credits are as many as the places");
}

/* The panel knows the first workers only. */
static void move_queue(const struct dispatcher *d, uint32_t worker, int by)
{
    if (SL_DRAINER_QUEUE_WORKER_0 + worker < SL_DRAINER_QUEUES)
        sl_metric_move(d->drainer->front.metrics.queue_size[SL_DRAINER_QUEUE_WORKER_0 + worker],
                       by);
}

/* Does the transaction of the last change that was collected go on behind it? */
static bool goes_on(const struct dispatcher *d, const struct builder *b, const struct sl_window *w)
{
    uint32_t txn = b->count > 0 ? b->changes[b->count - 1]->txn : 0;

    if (!d->is_kept || b->count == 0)
        return false;
    if (w->next_change < w->change_count)
        return w->changes[w->next_change].txn == txn;
    return w->is_open && txn == w->txn_count - 1;
}

/* The changes collected for a worker leave, also when there are none; false when its line is full.
 */
static bool send_any(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w, uint32_t worker)
{
    struct builder     *b = &d->builders[worker];
    struct sl_line     *line = sl_line(ctx, SL_LINE_PART, worker);
    struct sl_row_part *part;
    uint32_t            place;

    if (d->is_line_full)
        return false;
    part = sl_msg_new(struct sl_row_part, SL_DRAINER_PART);
    part->window = w;
    part->count = b->count;
    part->changes = b->changes;
    part->is_open = goes_on(d, b, w);
    part->rows_max = d->part_rows;
    part->workers = d->workers;
    part->arrangement = d->arrangement;
    place = free_place(d);
    if (sl_ask(ctx, line, d->drainer->worker_ref[worker], place, &part) != SL_OK) {
        sl_msg_free(&part);
        d->is_line_full = true;
        sl_line_wait(ctx, line, 0, 0);
        return false;
    }
    d->open[place] = (struct open_part){.window = w, .worker = worker, .count = b->count};
    d->is_part_open = goes_on(d, b, w);
    if (b->count > 0 && w->txns[b->changes[b->count - 1]->txn].commit_ts > d->given_ts)
        d->given_ts = w->txns[b->changes[b->count - 1]->txn].commit_ts;
    d->open_count++;
    w->parts_open++;
    sl_causality_given(&d->causality, worker);
    move_queue(d, worker, 1);
    *b = (struct builder){0};
    return true;
}

static bool send_part(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                      uint32_t worker)
{
    return d->builders[worker].count == 0 || send_any(ctx, d, w, worker);
}

static bool send_parts(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w)
{
    for (uint32_t i = 0; i < d->workers; i++) {
        if (!send_part(ctx, d, w, i))
            return false;
    }
    return true;
}

/* ---- choosing a worker ---- */

static uint32_t least_busy(const struct dispatcher *d)
{
    uint32_t workers = d->workers;
    uint32_t best = d->cursor;

    for (uint32_t i = 1; i <= workers; i++) {
        uint32_t worker = (d->cursor + i) % workers;

        if (d->builders[worker].count == 0 &&
            sl_causality_open(&d->causality, worker) < sl_causality_open(&d->causality, best))
            best = worker;
    }
    return best;
}

/* Who gets a change; SL_CAUSALITY_SEVERAL: nobody yet. */
static int64_t choose(struct dispatcher *d, const struct sl_window_change *change,
                      uint64_t hashes[2 * SL_KEYS_MAX], uint32_t *hash_count)
{
    int64_t owner;

    *hash_count = 0;
    if (d->is_ordered || d->is_kept) /* one worker has all, in order */
        return 0;
    if (!change->keys->is_keyed)
        return change->keys->lane % d->workers;
    *hash_count = sl_row_keys_hash(change->keys, &change->change, hashes);
    owner = sl_causality_owner(&d->causality, hashes, *hash_count);
    return owner == SL_CAUSALITY_NOBODY ? d->cursor : owner;
}

/* ---- other numbers ---- */

void dispatcher_show(const struct dispatcher *d)
{
    struct sl_drainer_board *board = &d->drainer->front.board;

    atomic_store_explicit(&board->workers, d->next_workers != 0 ? d->next_workers : d->workers,
                          memory_order_relaxed);
    atomic_store_explicit(&board->part_rows, d->part_rows, memory_order_relaxed);
}

/* Nothing is in flight: from here on changes go to as many workers as were asked for last. */
static void rearrange(struct dispatcher *d)
{
    if (d->next_workers == 0)
        return;
    sl_log(SL_LOG_INFO, "workers changed", sl_field_u64("from", d->workers),
           sl_field_u64("to", d->next_workers));
    d->workers = d->next_workers;
    d->next_workers = 0;
    d->arrangement++;
    d->cursor = 0;
}

void dispatcher_tune(struct dispatcher *d, const struct sl_drainer_tune *tune)
{
    if (tune->part_rows != 0)
        d->part_rows = tune->part_rows;
    if (tune->workers != 0) {
        SL_ASSERT(tune->workers <= d->drainer->workers); /* whoever asks has been told how many */
        d->next_workers = tune->workers == d->workers ? 0 : tune->workers;
        d->must_settle = d->must_settle || d->next_workers != 0;
    }
    dispatcher_show(d);
}

/* ---- handing out ---- */

/* Changes that nobody has keys of go to one worker until it has enough for a statement, then to the
 * one that has least to do. */
static void move_cursor(struct dispatcher *d)
{
    if (d->builders[d->cursor].count >= part_rows(d) ||
        (d->builders[d->cursor].count == 0 &&
         sl_causality_open(&d->causality, d->cursor) >= SL_PART_CREDITS / 4))
        d->cursor = least_busy(d);
}

/* All that was handed out is applied. False: it must wait. */
static bool is_settled(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w)
{
    (void)send_parts(ctx, d, w);
    return d->open_count == 0 && !d->is_line_full;
}

/* A version of a table is met for the first time. A DDL that the downstream does not see makes one
 * too: then the rows of the version before are applied first, since neither hashes nor folding know
 * a row of one version from one of another. */
static void meet_table(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                       const struct sl_table *table)
{
    if (sl_known_tables_has_other(&d->tables, table)) {
        if (!is_settled(ctx, d, w))
            return;
        sl_known_tables_forget_other(&d->tables, table);
    }
    ask_table(ctx, d, table);
}

/* The change knows its table's keys, and their hashes may be compared with those in flight. */
static bool has_keys(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                     struct sl_window_change *change)
{
    struct sl_row_keys *keys;

    if (d->is_ordered)
        return true;
    if ((keys = sl_known_tables_find(&d->tables, change->change.table)) == NULL) {
        meet_table(ctx, d, w, change->change.table);
        return false;
    }
    change->keys = keys;
    if (d->is_kept)
        return true;
    if (keys->is_keyed && sl_row_keys_widen(keys, &change->change))
        d->must_settle = true;
    if (d->must_settle) {
        if (!is_settled(ctx, d, w))
            return false;
        d->must_settle = false;
        rearrange(d);
    }
    return true;
}

/* False: it must wait. */
static bool hand_out_change(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                            struct sl_window_change *change)
{
    uint64_t        hashes[2 * SL_KEYS_MAX];
    uint32_t        hash_count;
    int64_t         owner;
    struct builder *b;

    if (!has_keys(ctx, d, w, change))
        return false;
    move_cursor(d);
    owner = choose(d, change, hashes, &hash_count);
    if (owner == SL_CAUSALITY_SEVERAL) {
        (void)send_parts(ctx, d, w); /* what is waited for must be on its way */
        return false;
    }
    b = &d->builders[owner];
    if (b->count >= part_rows(d) && !send_part(ctx, d, w, (uint32_t)owner))
        return false;
    if (b->count == b->room)
        grow(b, w);
    b->changes[b->count++] = change;
    sl_causality_add(&d->causality, (uint32_t)owner, hashes, hash_count);
    if (b->count >=
        part_rows(d)) /* its worker can begin; if it must wait, the next one waits too */
        (void)send_part(ctx, d, w, (uint32_t)owner);
    return true;
}

/* With kept transactions each is a part of its own, or several when it is in several windows: then
 * the last one ends it, with rows or without. What is collected is of another transaction than
 * number `txn`, which comes next. */
bool dispatcher_end_transaction(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                                uint32_t txn)
{
    const struct builder *b = &d->builders[0];

    if (!d->is_kept)
        return true;
    if (b->count > 0)
        return b->changes[b->count - 1]->txn == txn || send_part(ctx, d, w, 0);
    return !d->is_part_open || txn == 0 || send_any(ctx, d, w, 0);
}

/* The changes in front of number `end`. */
bool dispatcher_hand_out_rows(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                              uint32_t end)
{
    for (; w->next_change < end; w->next_change++) {
        if (!dispatcher_end_transaction(ctx, d, w, w->changes[w->next_change].txn))
            return false;
        if (!hand_out_change(ctx, d, w, &w->changes[w->next_change]))
            return false;
    }
    return send_parts(ctx, d, w);
}

void dispatcher_part_done(struct dispatcher *d, uint64_t place)
{
    struct open_part *part = &d->open[place];

    SL_ASSERT(place < sizeof d->open / sizeof *d->open && part->window != NULL);
    part->window->parts_open--;
    sl_causality_applied(&d->causality, part->worker);
    move_queue(d, part->worker, -1);
    d->open_count--;
    *part = (struct open_part){0};
}

void dispatcher_part_gone(struct dispatcher *d, uint64_t place)
{
    move_queue(d, d->open[place].worker, -1);
    d->open_count--;
}
