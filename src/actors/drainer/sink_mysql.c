/* The MySQL sink as a whole: its tables, the fence, what an earlier run left. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_mysql_private.h"
#include "actors/drainer/sink_table_load.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"

enum { LOCK_SCHEMA_BYTES_MAX = 24 };

/* ---- opening: tables ---- */

static void quote(char out[SL_SQL_NAME_BYTES_MAX], const char *schema, const char *table)
{
    struct sl_sql sql = {0};

    sl_sql_name(&sql, sl_slice_from_string(schema));
    if (table != NULL) {
        sl_sql_puts(&sql, ".");
        sl_sql_name(&sql, sl_slice_from_string(table));
    }
    SL_ASSERT(sql.len < SL_SQL_NAME_BYTES_MAX); /* the configuration bounds names */
    memcpy(out, sql.text, sql.len);
    out[sql.len] = '\0';
    sl_sql_done(&sql);
}

static enum sl_err make_tables(struct sink_mysql *s, struct sl_why *why)
{
    enum sl_err err;

    quote(s->schema, s->config->checkpoint_schema, NULL);
    quote(s->checkpoint, s->config->checkpoint_schema, s->config->checkpoint_table);
    quote(s->progress, s->config->checkpoint_schema, "sluice_progress");
    if ((err = sink_make_checkpoint_table(s, why)) != SL_OK ||
        (err = sink_exec(s->book, why, "CREATE SCHEMA IF NOT EXISTS %s", s->schema)) != SL_OK)
        return err;
    return sink_exec(
        s->book, why,
        "CREATE TABLE IF NOT EXISTS %s (cluster_id bigint unsigned NOT NULL, name "
        "varchar(64) CHARACTER SET ascii NOT NULL, epoch bigint unsigned NOT NULL, ts bigint "
        "NOT NULL DEFAULT 0, ordinal bigint unsigned NOT NULL DEFAULT 0, detail mediumtext "
        "CHARACTER SET utf8mb4, PRIMARY KEY (cluster_id, name)) ENGINE=InnoDB",
        s->progress);
}

/* ---- opening: the fence ---- */

/* The lock's name in quotes. A name that is not plain, or longer than what servers leave room for
 * (64 characters in all), goes in as its hash: what is cut could be the part that differs. */
static void put_lock_name(const struct sink_mysql *s, struct sl_sql *sql)
{
    const char *schema = s->config->checkpoint_schema;
    size_t      bytes = strlen(schema);

    sink_put(sql, "'sluice-%" PRIu64 "-", s->cluster_id);
    if (bytes <= LOCK_SCHEMA_BYTES_MAX && schema[strspn(schema, SINK_WORD_LETTERS)] == '\0')
        sink_put(sql, "%s'", schema);
    else
        sink_put(sql, "%016" PRIx64 "'", sl_hash_bytes(0, schema, bytes));
}

void sink_put_lock(const struct sink_mysql *s, struct sl_sql *sql, int seconds)
{
    sink_put(sql, "SELECT GET_LOCK(");
    put_lock_name(s, sql);
    sink_put(sql, ", %d)", seconds);
}

/* Who holds the lock, for people; 0: not to be seen. */
static uint64_t lock_holder(struct sink_mysql *s)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    uint64_t      session = 0;

    sink_put(&sql, "SELECT IS_USED_LOCK(");
    put_lock_name(s, &sql);
    sink_put(&sql, ")");
    if (sink_fetch(s->book, &sql, cell, 1, NULL) == SL_OK) {
        session = cell[0] != NULL ? strtoull(cell[0], NULL, 10) : 0;
        free(cell[0]);
    }
    sl_sql_done(&sql);
    return session;
}

/* A living drainer holds this lock on its bookkeeping connection; a server that has none is asked
 * in vain, and the epochs are what protects. */
static enum sl_err take_lock(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    bool          is_taken;
    enum sl_err   err;

    sink_put_lock(s, &sql, SL_SINK_LOCK_S);
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
                   ": stop it, or give this one another checkpoint.schema; if its host is no more, "
                   "KILL %" PRIu64 " on the downstream ends its session",
                   s->checkpoint, s->cluster_id, lock_holder(s));
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

/* ---- opening: who wrote the checkpoint ---- */

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

/* A checkpoint that we wrote is there no more: to begin anew would lose or repeat what lies
 * between. */
static enum sl_err check_there(const struct sink_mysql *s, sl_ts commit_ts, struct sl_why *why)
{
    if (commit_ts != 0 || s->saved[1] == 0) /* 0: the first one may not have been written yet */
        return SL_OK;
    return sl_fail(why, SL_CONFIG,
                   "the checkpoint of cluster %" PRIu64
                   " is gone from %s, where this drainer saved "
                   "%" PRId64 ": to go on from there, INSERT INTO %s VALUES (%" PRIu64
                   ", '{\"commitTS\":%" PRId64
                   "}'); to begin anew at initial-commit-ts, DELETE FROM %s WHERE cluster_id = "
                   "%" PRIu64,
                   s->cluster_id, s->checkpoint, s->saved[0], s->checkpoint, s->cluster_id,
                   s->saved[0], s->progress, s->cluster_id);
}

/* Somebody else moved the checkpoint, and a lane is ahead of it: whether its rows were taken back
 * is not to be known. */
static enum sl_err check_lanes(struct sink_mysql *s, sl_ts commit_ts, struct sl_why *why)
{
    if (commit_ts == s->saved[0] || commit_ts == s->saved[1])
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

/* With kept transactions all changes take lane 0, else each table without a key takes its own. So
 * what is above the checkpoint can only be passed over in the way in which it was applied. */
static enum sl_err check_kept(struct sink_mysql *s, sl_ts commit_ts, struct sl_why *why)
{
    bool          is_kept = !s->config->dispatch;
    struct sl_sql sql = {0};
    char         *cell[1];
    bool          was_kept;
    enum sl_err   err;

    sink_put(&sql, "SELECT ts FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'run'", s->progress,
             s->cluster_id);
    err = sink_fetch(s->book, &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err != SL_OK)
        return err;
    was_kept = cell[0] != NULL && strcmp(cell[0], "1") == 0;
    free(cell[0]);
    if (was_kept == is_kept)
        return SL_OK;
    for (uint32_t i = 0; i < SL_ROW_LANES; i++) {
        if (s->lanes[i].ts > commit_ts)
            return sl_fail(why, SL_CONFIG,
                           "a drainer with enable-dispatch = %s has applied rows up to %" PRId64
                           " and died before its checkpoint said more than %" PRId64
                           ": start it once more with that setting and stop it in order, then "
                           "change it",
                           was_kept ? "false" : "true", s->lanes[i].ts, commit_ts);
    }
    return sink_exec(s->book, why,
                     "UPDATE %s SET ts = %d WHERE cluster_id = %" PRIu64 " AND name = 'run'",
                     s->progress, is_kept, s->cluster_id);
}

/* Values are written as the first session reads them. So later ones have its zone, also when the
 * server's clock has another offset by then. */
static void keep_zone(struct sink_mysql *s)
{
    memcpy(s->zone, sl_mysql_session(s->book)->zone, sizeof s->zone);
    s->variables[s->options.variable_count++] =
        (struct sl_mysql_variable){"time_zone", s->zone, false};
}

static enum sl_err open_all(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_checkpoint found;
    enum sl_err          err;

    if ((err = sink_book(s, why)) != SL_OK || (err = make_tables(s, why)) != SL_OK ||
        (err = take_lock(s, why)) != SL_OK || (err = raise_all(s, why)) != SL_OK)
        return err;
    keep_zone(s);
    s->kind = sl_mysql_session(s->book)->kind;
    for (uint32_t i = 0; i < SL_ROW_LANES; i++) {
        if ((err = load_lane(s, i, why)) != SL_OK)
            return err;
    }
    if ((err = load_saved(s, why)) != SL_OK || (err = load_early(s, why)) != SL_OK ||
        (err = sink_mysql_load(&s->sink, &found, why)) != SL_OK ||
        (err = check_there(s, found.commit_ts, why)) != SL_OK ||
        (err = check_lanes(s, found.commit_ts, why)) != SL_OK)
        return err;
    return check_kept(s, found.commit_ts, why);
}

/* ---- the sink ---- */

static void close_sink(struct sl_sink *sink)
{
    struct sink_mysql *s = (struct sink_mysql *)(void *)sink;

    sink_disconnect(s, &s->book);
    sink_disconnect(s, &s->check);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->ts_map);
    free(s);
}

static enum sl_err describe(struct sl_sink *sink, const struct sl_table *table,
                            struct sl_sink_table **out, struct sl_why *why)
{
    struct sink_mysql *s = (struct sink_mysql *)(void *)sink;
    enum sl_err        err;

    if ((err = sink_book(s, why)) != SL_OK)
        return err;
    err = sl_sink_table_load(s->book, table->schema, table->name, out, why);
    return sink_book_failed(s, err);
}

static const struct sl_sink_ops ops = {
    .close = close_sink,
    .load = sink_mysql_load,
    .save = sink_mysql_save,
    .describe = describe,
    .ddl = sink_mysql_ddl,
    .worker_open = sink_mysql_worker_open,
    .worker_close = sink_mysql_worker_close,
    .apply = sink_mysql_apply,
    .cancel = sink_mysql_cancel,
};

static struct sl_mysql_options server_options(const struct sl_drainer_server *server)
{
    return (struct sl_mysql_options){
        .host = server->host,
        .port = (uint16_t)server->port,
        .user = server->user,
        .password = server->password,
        .connect_timeout_ms = SL_SINK_CONNECT_S * 1000,
        .read_timeout_ms = SL_SINK_READ_S * 1000,
        .write_timeout_ms = SL_SINK_READ_S * 1000,
    };
}

/* What sessions that apply rows are like; drainer spec 5.6 names the optional ones. Cascades and
 * checks of foreign keys were the upstream's: its rows hold what came of them. */
static void settle_options(struct sink_mysql *s)
{
    static const struct sl_mysql_variable own[] = {
        {"foreign_key_checks", "0", false},
        {"allow_auto_random_explicit_insert", "1", true},
        {"tidb_txn_mode", "optimistic", true},
        {"tidb_placement_mode", "ignore", true},
    };
    const struct sl_drainer_config *c = s->config;
    size_t                          count = 0;

    static_assert(sizeof own / sizeof *own + SL_DRAINER_PARAMS_MAX + 1 <= SL_MYSQL_VARIABLES_MAX,
                  "these, those of the configuration and the zone");
    for (; count < sizeof own / sizeof *own; count++)
        s->variables[count] = own[count];
    for (size_t i = 0; i < c->params.count; i++) {
        const struct sl_drainer_param *param =
            &((const struct sl_drainer_param *)(const void *)c->params.items)[i];

        s->variables[count++] = (struct sl_mysql_variable){param->name, param->value, false};
    }
    s->options = server_options(&c->to);
    s->options.read_timeout_ms = (uint32_t)(c->read_timeout_nanos / SL_NANOS_PER_MS);
    s->options.variables = s->variables;
    s->options.variable_count = count;
    s->options.sql_mode = c->sql_mode_set ? c->sql_mode : NULL;
    s->options.without_strict = c->sync_mode == 2;
    s->checkpoint_options = server_options(&c->checkpoint);
    s->check_is_apart =
        strcmp(c->checkpoint.host, c->to.host) != 0 || c->checkpoint.port != c->to.port;
}

enum sl_err sl_sink_mysql_open(const struct sl_drainer_config *config, uint64_t cluster_id,
                               uint32_t workers, struct sl_sink **out, struct sl_why *why)
{
    struct sink_mysql *s = calloc(1, sizeof *s);
    enum sl_err        err;

    SL_ASSERT(s != NULL);
    SL_ASSERT(pthread_mutex_init(&s->lock, NULL) == 0);
    s->sink.ops = &ops;
    s->config = config;
    s->cluster_id = cluster_id;
    s->workers = workers;
    s->ts_map = strdup("{}");
    SL_ASSERT(s->ts_map != NULL);
    settle_options(s);
    if ((err = open_all(s, why)) != SL_OK) {
        close_sink(&s->sink);
        return sl_wrap(why, err, "%s:%" PRId64, config->to.host, config->to.port);
    }
    *out = &s->sink;
    return SL_OK;
}

const char *sl_sink_mysql_zone(const struct sl_sink *sink)
{
    return ((const struct sink_mysql *)(const void *)sink)->zone;
}

enum sl_mysql_kind sl_sink_mysql_kind(const struct sl_sink *sink)
{
    return ((const struct sink_mysql *)(const void *)sink)->kind;
}
