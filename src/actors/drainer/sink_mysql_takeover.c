/* How a run of the MySQL sink takes over from the one before: it keeps a living one out, raises the
 * epochs, which waits for whatever a dead one still has under way, and only then reads how far that
 * one was. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_mysql_private.h"
#include "base/log.h"

/* ---- the fence ---- */

/* A living drainer holds this lock on its bookkeeping connection; a server that has none is asked
 * in vain, and the epochs are what protects. */
static enum sl_err take_lock(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    bool          is_taken;
    enum sl_err   err;

    sink_put(&sql, "SELECT GET_LOCK('sluice-%" PRIu64 "-%.24s', %d)", s->cluster_id,
             s->config->checkpoint_schema, SL_SINK_LOCK_S);
    err = sink_fetch(s->book, &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err != SL_OK) {
        sl_log(SL_LOG_WARN, "the downstream has no GET_LOCK", sl_field_err(err, why));
        return sl_mysql_error(s->book)->is_lost ? err : SL_OK;
    }
    is_taken = cell[0] != NULL && strcmp(cell[0], "1") == 0;
    free(cell[0]);
    if (is_taken)
        return SL_OK;
    return sl_fail(why, SL_IN_USE,
                   "another drainer holds the checkpoint %s of cluster %" PRIu64
                   ": stop it, or give this one another checkpoint.schema",
                   s->checkpoint, s->cluster_id);
}

/* Waits for the transaction that a dead drainer may have open under this name. */
static enum sl_err raise_one(struct sink_mysql *s, const char *name, struct sl_why *why)
{
    enum sl_err err;

    err = sink_exec(s->book, why,
                    "INSERT INTO %s (cluster_id, name, epoch) VALUES (%" PRIu64 ", '%s', %" PRIu64
                    ") ON DUPLICATE KEY UPDATE epoch = %" PRIu64,
                    s->progress, s->cluster_id, name, s->epoch, s->epoch);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "take over %s in %s", name, s->progress);
}

static enum sl_err next_epoch(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    enum sl_err   err;

    sink_put(&sql, "SELECT COALESCE(MAX(epoch), 0) + 1 FROM %s WHERE cluster_id = %" PRIu64,
             s->progress, s->cluster_id);
    err = sink_fetch(s->book, &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err != SL_OK)
        return err;
    s->epoch = cell[0] != NULL ? strtoull(cell[0], NULL, 10) : 1;
    free(cell[0]);
    return SL_OK;
}

/* Workers of an earlier run may have been more than ours. */
static enum sl_err raise_all(struct sink_mysql *s, struct sl_why *why)
{
    char        name[SL_NAME_BYTES_MAX];
    enum sl_err err;

    if ((err = next_epoch(s, why)) != SL_OK || (err = raise_one(s, "run", why)) != SL_OK ||
        (err = raise_one(s, "ddl", why)) != SL_OK || (err = raise_one(s, "early", why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < s->workers; i++) {
        snprintf(name, sizeof name, "worker-%" PRIu32, i);
        if ((err = raise_one(s, name, why)) != SL_OK)
            return err;
    }
    for (uint32_t i = 0; i < SL_ROW_LANES; i++) {
        snprintf(name, sizeof name, "lane-%" PRIu32, i);
        if ((err = raise_one(s, name, why)) != SL_OK)
            return err;
    }
    return sink_exec(s->book, why, "UPDATE %s SET epoch = %" PRIu64 " WHERE cluster_id = %" PRIu64,
                     s->progress, s->epoch, s->cluster_id);
}

static enum sl_err load_lane(struct sink_mysql *s, uint32_t lane, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cells[2];
    enum sl_err   err;

    sink_put(&sql,
             "SELECT ts, ordinal FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'lane-%" PRIu32
             "'",
             s->progress, s->cluster_id, lane);
    err = sink_fetch(s->book, &sql, cells, 2, why);
    sl_sql_done(&sql);
    if (err != SL_OK)
        return err;
    s->lanes[lane] = (struct sink_lane){.ts = strtoll(cells[0], NULL, 10),
                                        .ordinal = strtoull(cells[1], NULL, 10)};
    free(cells[0]);
    free(cells[1]);
    return SL_OK;
}

static enum sl_err load_early(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    enum sl_err   err;

    sink_put(&sql, "SELECT detail FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'early'",
             s->progress, s->cluster_id);
    err = sink_fetch(s->book, &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err != SL_OK || cell[0] == NULL)
        return err;
    for (char *at = cell[0], *end; s->last.early_count < SL_EARLY_JOBS_MAX; at = end) {
        int64_t job_id = strtoll(at, &end, 10);

        if (end == at)
            break;
        s->last.early[s->last.early_count++] = job_id;
    }
    free(cell[0]);
    return SL_OK;
}

/* ---- who wrote the checkpoint ---- */

static enum sl_err load_saved(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    enum sl_err   err;

    sink_put(&sql, "SELECT detail FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'run'",
             s->progress, s->cluster_id);
    err = sink_fetch(s->book, &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err != SL_OK)
        return err;
    if (cell[0] != NULL &&
        sscanf(cell[0], "{\"saved\":[%" SCNd64 ",%" SCNd64 "]}", &s->saved[0], &s->saved[1]) != 2)
        err = sl_fail(why, SL_INVALID, "the row run of %s has the detail \"%s\", which is not ours",
                      s->progress, cell[0]);
    free(cell[0]);
    return err;
}

/* Somebody else moved the checkpoint, and a lane is ahead of it: whether its rows were taken back
 * is not to be known. */
enum sl_err sink_check_lanes(const struct sink_mysql *s, sl_ts commit_ts, struct sl_why *why)
{
    if (commit_ts == 0 || commit_ts == s->saved[0] || commit_ts == s->saved[1])
        return SL_OK;
    for (uint32_t i = 0; i < SL_ROW_LANES; i++) {
        if (s->lanes[i].ts > commit_ts)
            return sl_fail(why, SL_CONFIG,
                           "the checkpoint is at %" PRId64
                           ", where this drainer did not put it, and "
                           "rows of tables without a key are applied up to %" PRId64
                           ": to apply them again, DELETE FROM %s WHERE cluster_id = %" PRIu64
                           "; else set commitTS back to %" PRId64,
                           commit_ts, s->lanes[i].ts, s->progress, s->cluster_id, s->saved[0]);
    }
    return SL_OK;
}

enum sl_err sink_take_over(struct sink_mysql *s, struct sl_why *why)
{
    enum sl_err err;

    if ((err = take_lock(s, why)) != SL_OK || (err = raise_all(s, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < SL_ROW_LANES; i++) {
        if ((err = load_lane(s, i, why)) != SL_OK)
            return err;
    }
    if ((err = load_saved(s, why)) != SL_OK)
        return err;
    return load_early(s, why);
}
