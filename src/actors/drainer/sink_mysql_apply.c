/* Workers of the MySQL sink: a batch of parts becomes one transaction of the downstream.
 *
 *     lock the worker's row, look at the epoch             the fence
 *     keyed tables: folded (fold.h), DELETE ... IN, then REPLACE ... VALUES
 *     other tables: each change as it is, in order, and how far its lane is
 *     COMMIT
 *
 * Small statements are sent together (run_batch); the server runs them up to the first that fails.
 *
 * With kept transactions every change goes in order through lane 0, so that a transaction that is
 * applied is never begun again.
 *
 * After an error the connection is closed. What the server may still do on it holds the lock of the
 * worker's row, so the next connection waits for its end before it reads how far the lanes are: a
 * COMMIT whose answer was lost is found out by looking, not by guessing. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/fold.h"
#include "actors/drainer/sink_mysql_private.h"
#include "base/assert.h"
#include "binlog/statement.h"

struct mysql_worker {
    struct sl_sink_worker      worker;
    struct sink_mysql         *sink;
    uint32_t                   number;
    struct sl_mysql           *conn;  /* owned */
    struct sl_statement_maker *maker; /* owned */
    struct sl_fold             fold;
    struct sl_sql              sql;
    /* Statements that are still to be sent, and of which table each is. */
    struct sl_sql             batch;
    const struct sl_row_keys *batched[SL_SINK_BATCH_STATEMENTS];
    uint32_t                  batched_count;
    struct sink_lane          lanes[SL_ROW_LANES];   /* of those of this worker: as committed */
    struct sink_lane          reached[SL_ROW_LANES]; /* and with the transaction that is open */
    bool                      has_lanes;
    uint32_t                  workers;     /* so many are in use, which says whose a lane is, */
    uint32_t                  arrangement; /* since this one of the dispatcher's */
    bool                      is_inside;   /* a transaction of several parts */
    const struct sl_row_keys *used;        /* the table of the open statement; NULL: none */
};

/* ---- opening ---- */

static enum sl_err prepare(struct mysql_worker *w, struct sl_why *why)
{
    /* Under the isolation that is the default, two workers lock the gaps between each other's rows
     * and deadlock. */
    static const char isolation[] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    static const char off[] = "SET autocommit = 0";
    const struct sl_mysql_session    *session = sl_mysql_session(w->conn);
    const struct sl_statement_options options = {
        .bytes_max = session->statement_bytes_max,
        .rows_max = SL_STATEMENT_ROWS_MAX,
        .is_partial = w->sink->config->sync_mode == 2,
        .no_backslash_escapes = session->no_backslash_escapes,
        .has_utf8mb4 = session->has_utf8mb4,
    };
    enum sl_err err;

    w->maker = sl_statement_maker_new(&options);
    if ((err = sl_mysql_exec(w->conn, isolation, sizeof isolation - 1, NULL, why)) != SL_OK)
        return err;
    return sl_mysql_exec(w->conn, off, sizeof off - 1, NULL, why);
}

enum sl_err sink_mysql_worker_open(struct sl_sink *sink, uint32_t number,
                                   struct sl_sink_worker **out, struct sl_why *why)
{
    struct mysql_worker    *w = calloc(1, sizeof *w);
    struct sl_mysql_options options;
    enum sl_err             err;

    SL_ASSERT(w != NULL);
    w->worker.sink = sink;
    w->sink = (struct sink_mysql *)(void *)sink;
    w->number = number;
    sl_fold_init(&w->fold);
    options = w->sink->options;
    options.several = true;
    err = sink_connect(w->sink, &options, &w->conn, why);
    if (err == SL_OK)
        err = prepare(w, why);
    if (err != SL_OK) {
        sink_mysql_worker_close(&w->worker);
        return sl_wrap(why, err, "connect to the downstream");
    }
    *out = &w->worker;
    return SL_OK;
}

void sink_mysql_worker_close(struct sl_sink_worker *worker)
{
    struct mysql_worker *w = (struct mysql_worker *)(void *)worker;

    sink_disconnect(w->sink, &w->conn);
    sl_statement_maker_free(&w->maker);
    sl_fold_done(&w->fold);
    sl_sql_done(&w->sql);
    sl_sql_done(&w->batch);
    free(w);
}

/* ---- the fence ---- */

static enum sl_err lock(struct mysql_worker *w, struct sl_why *why)
{
    const struct sink_mysql *s = w->sink;
    char                    *cell[1];
    uint64_t                 epoch;
    enum sl_err              err;

    sink_put(&w->sql,
             "SELECT epoch FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'worker-%" PRIu32
             "' FOR UPDATE",
             s->progress, s->cluster_id, w->number);
    if ((err = sink_fetch(w->conn, &w->sql, cell, 1, why)) != SL_OK)
        return err == SL_NOT_FOUND ? sl_fail(why, SL_STOPPED,
                                             "the rows of %s are gone: somebody "
                                             "has removed them; start the drainer again",
                                             s->progress)
                                   : err;
    epoch = strtoull(cell[0], NULL, 10);
    free(cell[0]);
    if (epoch == s->epoch)
        return SL_OK;
    return sl_fail(why, SL_STOPPED,
                   "another drainer has taken over: the epoch in %s is %" PRIu64
                   ", of this run it is %" PRIu64 "; let only one run",
                   s->progress, epoch, s->epoch);
}

static enum sl_err read_lane(struct mysql_worker *w, uint32_t lane, struct sl_why *why)
{
    const struct sink_mysql *s = w->sink;
    char                    *cells[2];
    enum sl_err              err;

    sink_put(&w->sql,
             "SELECT ts, ordinal FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'lane-%" PRIu32
             "' FOR UPDATE",
             s->progress, s->cluster_id, lane);
    if ((err = sink_fetch(w->conn, &w->sql, cells, 2, why)) != SL_OK)
        return err;
    w->lanes[lane] = (struct sink_lane){.ts = strtoll(cells[0], NULL, 10),
                                        .ordinal = strtoull(cells[1], NULL, 10)};
    free(cells[0]);
    free(cells[1]);
    return SL_OK;
}

/* Behind the lock nobody moves them but this worker, as long as the arrangement lasts. */
static enum sl_err read_lanes(struct mysql_worker *w, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (uint32_t lane = 0; lane < SL_ROW_LANES && err == SL_OK; lane++) {
        if (lane % w->workers == w->number)
            err = read_lane(w, lane, why);
    }
    w->has_lanes = err == SL_OK;
    return err;
}

/* ---- statements ---- */

/* Of which table a refused statement is. */
static enum sl_err name_table(const struct sl_row_keys *keys, enum sl_err err, struct sl_why *why)
{
    return err == SL_OK ? SL_OK
                        : sl_wrap(why, err, "table %s.%s", (const char *)keys->table->schema.bytes,
                                  (const char *)keys->table->name.bytes);
}

/* A text of `count` statements. */
static enum sl_err run(struct mysql_worker *w, struct sl_slice text,
                       const struct sl_row_keys *const *keys, uint32_t count, struct sl_why *why)
{
    enum sl_err err = sl_mysql_exec(w->conn, (const char *)text.bytes, text.len, NULL, why);
    uint32_t    failed = sl_mysql_error(w->conn)->statement;

    if (err == SL_OK)
        return SL_OK;
    SL_ASSERT(failed < count);
    if (err == SL_INVALID && sink_lacks_table(w->conn))
        err = SL_NOT_FOUND;
    return name_table(keys[failed], err, why);
}

/* Send what has gathered, and wait until it has run. */
static enum sl_err run_batch(struct mysql_worker *w, struct sl_why *why)
{
    const struct sl_slice text = {(const uint8_t *)w->batch.text, w->batch.len};
    enum sl_err           err = SL_OK;

    if (w->batched_count > 0)
        err = run(w, text, w->batched, w->batched_count, why);
    sl_sql_clear(&w->batch);
    w->batched_count = 0;
    return err;
}

/* The open statement is complete. A connection waits for the server once for many small ones. */
static enum sl_err end_statement(struct mysql_worker *w, struct sl_why *why)
{
    uint64_t        room = sl_mysql_session(w->conn)->statement_bytes_max;
    struct sl_slice text;
    enum sl_err     err = SL_OK;

    if (sl_statement_rows(w->maker) == 0)
        return SL_OK;
    text = sl_statement_text(w->maker);
    if (room > SL_SINK_BATCH_BYTES)
        room = SL_SINK_BATCH_BYTES;
    if (w->batched_count == SL_SINK_BATCH_STATEMENTS || w->batch.len + 1 + text.len > room)
        err = run_batch(w, why);
    if (err == SL_OK && text.len > room) {
        err = run(w, text, &w->used, 1, why);
    } else if (err == SL_OK) {
        if (w->batched_count > 0)
            sl_sql_puts(&w->batch, ";");
        sl_sql_put(&w->batch, (const char *)text.bytes, text.len);
        w->batched[w->batched_count++] = w->used;
    }
    sl_statement_clear(w->maker);
    return err;
}

static enum sl_err add(struct mysql_worker *w, enum sl_statement_op op,
                       const struct sl_change *change, struct sl_why *why)
{
    enum sl_err err;

    while ((err = sl_statement_add(w->maker, op, change, why)) == SL_FULL) {
        if ((err = end_statement(w, why)) != SL_OK)
            return err;
    }
    return name_table(w->used, err, why);
}

/* What follows is for that table. */
static enum sl_err use(struct mysql_worker *w, const struct sl_row_keys *keys, struct sl_why *why)
{
    enum sl_err err;

    if (keys == w->used)
        return SL_OK;
    if ((err = end_statement(w, why)) != SL_OK)
        return err;
    w->used = keys;
    return name_table(keys, sl_statement_use(w->maker, keys->table, keys->sink_table, why), why);
}

static enum sl_err run_rows(struct mysql_worker *w, const struct sl_list *rows,
                            enum sl_statement_op op, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (struct sl_list_node *n = sl_list_first(rows); n != NULL && err == SL_OK;
         n = sl_list_next(rows, n))
        err = add(w, op, SL_CONTAINER_OF(n, struct sl_fold_row, place)->change, why);
    return err == SL_OK ? end_statement(w, why) : err;
}

static enum sl_err run_fold(struct mysql_worker *w, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (struct sl_list_node *n = sl_list_first(&w->fold.tables); n != NULL && err == SL_OK;
         n = sl_list_next(&w->fold.tables, n)) {
        const struct sl_fold_table *table = SL_CONTAINER_OF(n, struct sl_fold_table, place);

        if ((err = use(w, table->keys, why)) == SL_OK &&
            (err = run_rows(w, &table->deletes, SL_STATEMENT_DELETE, why)) == SL_OK)
            err = run_rows(w, &table->replacements, SL_STATEMENT_REPLACE, why);
    }
    sl_fold_reset(&w->fold);
    return err;
}

/* ---- lanes ---- */

static enum sl_statement_op op_of(const struct sl_window_change *change)
{
    switch (change->change.kind) {
    case SL_CHANGE_INSERT:
        return change->keys->is_keyed ? SL_STATEMENT_REPLACE : SL_STATEMENT_INSERT;
    case SL_CHANGE_UPDATE: return SL_STATEMENT_UPDATE;
    case SL_CHANGE_DELETE: return SL_STATEMENT_DELETE;
    }
    SL_UNREACHABLE("not a change");
}

/* A lane has applied it in an earlier life. */
static bool is_behind(const struct sink_lane *lane, sl_ts ts, uint64_t ordinal)
{
    return ts < lane->ts || (ts == lane->ts && ordinal <= lane->ordinal);
}

static enum sl_err run_in_lane(struct mysql_worker *w, uint32_t lane,
                               const struct sl_window        *window,
                               const struct sl_window_change *change, struct sl_why *why)
{
    sl_ts       ts = window->txns[change->txn].commit_ts;
    enum sl_err err;

    if (is_behind(&w->reached[lane], ts, change->ordinal))
        return SL_OK;
    w->reached[lane] = (struct sink_lane){.ts = ts, .ordinal = change->ordinal};
    if ((err = use(w, change->keys, why)) != SL_OK)
        return err;
    return add(w, op_of(change), &change->change, why);
}

static enum sl_err save_lanes(struct mysql_worker *w, struct sl_why *why)
{
    const struct sink_mysql *s = w->sink;
    uint64_t                 affected;
    enum sl_err              err;

    for (uint32_t lane = 0; lane < SL_ROW_LANES; lane++) {
        if (w->reached[lane].ts == w->lanes[lane].ts &&
            w->reached[lane].ordinal == w->lanes[lane].ordinal)
            continue;
        sink_put(&w->sql,
                 "UPDATE %s SET ts = %" PRId64 ", ordinal = %" PRIu64 " WHERE cluster_id = %" PRIu64
                 " AND name = 'lane-%" PRIu32 "' AND ts = %" PRId64 " AND ordinal = %" PRIu64,
                 s->progress, w->reached[lane].ts, w->reached[lane].ordinal, s->cluster_id, lane,
                 w->lanes[lane].ts, w->lanes[lane].ordinal);
        if ((err = sink_run(w->conn, &w->sql, &affected, why)) != SL_OK)
            return err;
        if (affected != 1)
            return sl_fail(why, SL_STOPPED,
                           "lane %" PRIu32
                           " in %s is not where this drainer left it: somebody else "
                           "writes there; let only one run",
                           lane, s->progress);
    }
    return SL_OK;
}

/* ---- a transaction ---- */

static enum sl_err run_change(struct mysql_worker *w, const struct sl_window *window,
                              const struct sl_window_change *change, struct sl_why *why)
{
    if (!w->sink->config->dispatch)
        return run_in_lane(w, 0, window, change, why);
    if (!change->keys->is_keyed)
        return run_in_lane(w, change->keys->lane, window, change, why);
    sl_fold_add(&w->fold, change->keys, &change->change);
    return SL_OK;
}

static enum sl_err run_parts(struct mysql_worker *w, struct sl_row_part *const *parts,
                             uint32_t count, struct sl_why *why)
{
    enum sl_err err;

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < parts[i]->count; j++) {
            if ((err = run_change(w, parts[i]->window, parts[i]->changes[j], why)) != SL_OK)
                return err;
        }
    }
    if ((err = end_statement(w, why)) != SL_OK || (err = run_fold(w, why)) != SL_OK)
        return err;
    return run_batch(w, why);
}

/* With another number of workers others have moved the lanes, also when the number is an old one
 * again. */
static void arrange(struct mysql_worker *w, const struct sl_row_part *part)
{
    w->has_lanes = w->has_lanes && w->arrangement == part->arrangement;
    w->arrangement = part->arrangement;
    w->workers = part->workers;
}

static enum sl_err begin(struct mysql_worker *w, const struct sl_row_part *part, struct sl_why *why)
{
    enum sl_err err;

    arrange(w, part);
    if ((err = lock(w, why)) != SL_OK || (!w->has_lanes && (err = read_lanes(w, why)) != SL_OK))
        return err;
    memcpy(w->reached, w->lanes, sizeof w->reached);
    return SL_OK;
}

static sl_nanos now(const struct mysql_worker *w)
{
    return w->worker.sink->metrics != NULL ? sl_env_now(w->worker.sink->env) : 0;
}

/* What has taken since `begun`; *begun becomes now. */
static void measure(const struct mysql_worker *w, enum sl_drainer_query query, sl_nanos *begun)
{
    const struct sl_sink *sink = w->worker.sink;
    sl_nanos              end = now(w);

    if (sink->metrics != NULL)
        sl_metric_observe(sink->metrics->query_seconds[query], (double)(end - *begun) / 1e9);
    *begun = end;
}

enum sl_err sink_mysql_apply(struct sl_sink_worker *worker, struct sl_row_part *const *parts,
                             uint32_t count, struct sl_why *why)
{
    static const char    commit[] = "COMMIT";
    struct mysql_worker *w = (struct mysql_worker *)(void *)worker;
    sl_nanos             begun = now(w);
    enum sl_err          err;

    if (!w->is_inside && (err = begin(w, parts[0], why)) != SL_OK)
        return err;
    w->used = NULL;
    if ((err = run_parts(w, parts, count, why)) != SL_OK)
        return err;
    if ((w->is_inside = parts[count - 1]->is_open))
        return SL_OK;
    if ((err = save_lanes(w, why)) != SL_OK)
        return err;
    measure(w, SL_DRAINER_QUERY_EXEC, &begun);
    if ((err = sl_mysql_exec(w->conn, commit, sizeof commit - 1, NULL, why)) != SL_OK)
        return err;
    measure(w, SL_DRAINER_QUERY_COMMIT, &begun);
    memcpy(w->lanes, w->reached, sizeof w->lanes);
    return SL_OK;
}
