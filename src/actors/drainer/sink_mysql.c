/* The MySQL sink as a whole: connections for bookkeeping, fence, checkpoint. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_mysql_private.h"
#include "actors/drainer/sink_table_load.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"

/* ---- connections ---- */

enum sl_err sink_book_failed(struct sink_mysql *s, enum sl_err err)
{
    if (s->book != NULL && sl_mysql_error(s->book)->is_lost)
        sl_mysql_close(&s->book);
    if (s->check != NULL && sl_mysql_error(s->check)->is_lost)
        sl_mysql_close(&s->check);
    return err;
}

/* Is the epoch still ours? */
static enum sl_err check_epoch(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    uint64_t      epoch;
    enum sl_err   err;

    sink_put(&sql, "SELECT epoch FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'run'",
             s->progress, s->cluster_id);
    err = sink_fetch(s->book, &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err != SL_OK)
        return err;
    epoch = cell[0] != NULL ? strtoull(cell[0], NULL, 10) : 0;
    free(cell[0]);
    if (epoch == s->epoch)
        return SL_OK;
    return sl_fail(why, SL_STOPPED,
                   "another drainer has taken over: the epoch in %s is %" PRIu64
                   ", of this run it is %" PRIu64 "; let only one run",
                   s->progress, epoch, s->epoch);
}

enum sl_err sink_book(struct sink_mysql *s, struct sl_why *why)
{
    enum sl_err err;

    if (s->book == NULL) {
        if ((err = sl_mysql_open(&s->options, &s->book, NULL, why)) != SL_OK)
            return sl_wrap(why, err, "connect to the downstream");
        if (s->epoch != 0 && (err = check_epoch(s, why)) != SL_OK)
            return sink_book_failed(s, err);
    }
    if (s->check_is_apart && s->check == NULL &&
        (err = sl_mysql_open(&s->checkpoint_options, &s->check, NULL, why)) != SL_OK)
        return sl_wrap(why, err, "connect to the server of the checkpoint");
    return SL_OK;
}

static struct sl_mysql *check_conn(struct sink_mysql *s)
{
    return s->check_is_apart ? s->check : s->book;
}

/* ---- the checkpoint ---- */

static void take_checkpoint(struct sink_mysql *s, const struct sl_json *document)
{
    const struct sl_json *ts = sl_json_member(document, "commitTS");
    const struct sl_json *version = sl_json_member(document, "schema-version");
    const struct sl_json *consistent = sl_json_member(document, "consistent");

    if (ts != NULL && sl_json_kind(ts) == SL_JSON_INT)
        s->last.commit_ts = sl_json_int(ts);
    if (version != NULL && sl_json_kind(version) == SL_JSON_INT)
        s->last.schema_version = sl_json_int(version);
    if (consistent != NULL && sl_json_kind(consistent) == SL_JSON_BOOL)
        s->last.is_consistent = sl_json_bool(consistent);
}

/* The pairs of timestamps that an earlier writer left, as they stand: readers compare clusters by
 * them. */
static void keep_ts_map(struct sink_mysql *s, const char *text)
{
    const char *at = strstr(text, "\"ts-map\":{");
    const char *end = at != NULL ? strchr(at, '}') : NULL;

    free(s->ts_map);
    s->ts_map = end != NULL ? strndup(at + 9, (size_t)(end + 1 - (at + 9))) : strdup("{}");
    SL_ASSERT(s->ts_map != NULL);
}

enum sl_err sink_mysql_load(struct sl_sink *sink, struct sl_checkpoint *out, struct sl_why *why)
{
    struct sink_mysql *s = (struct sink_mysql *)(void *)sink;
    struct sl_sql      sql = {0};
    struct sl_json    *document;
    char              *cell[1];
    enum sl_err        err;

    *out = (struct sl_checkpoint){0};
    sink_put(&sql, "SELECT checkPoint FROM %s WHERE clusterID = %" PRIu64, s->checkpoint,
             s->cluster_id);
    err = sink_fetch(check_conn(s), &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err == SL_NOT_FOUND)
        return SL_OK;
    if (err != SL_OK || cell[0] == NULL)
        return err;
    if ((err = sl_json_parse(sl_slice_from_string(cell[0]), &document, why)) != SL_OK) {
        free(cell[0]);
        return sl_wrap(why, err, "the checkpoint in %s is no JSON", s->checkpoint);
    }
    take_checkpoint(s, document);
    keep_ts_map(s, cell[0]);
    sl_json_free(&document);
    free(cell[0]);
    *out = s->last;
    return SL_OK;
}

/* Note first what will be written: a checkpoint that is neither of the two was written by somebody
 * else. */
static enum sl_err note_saved(struct sink_mysql *s, sl_ts ts, struct sl_why *why)
{
    struct sl_sql sql = {0};
    enum sl_err   err;

    sink_put(&sql,
             "UPDATE %s SET detail = '{\"saved\":[%" PRId64 ",%" PRId64
             "]}' WHERE cluster_id = %" PRIu64 " AND name = 'run' AND epoch = %" PRIu64,
             s->progress, ts, s->saved[0], s->cluster_id, s->epoch);
    err = sink_run(s->book, &sql, NULL, why);
    sl_sql_done(&sql);
    if (err == SL_OK && ts != s->saved[0]) {
        s->saved[1] = s->saved[0];
        s->saved[0] = ts;
    }
    return err;
}

enum sl_err sink_mysql_save(struct sl_sink *sink, const struct sl_checkpoint *checkpoint,
                            struct sl_why *why)
{
    struct sink_mysql *s = (struct sink_mysql *)(void *)sink;
    struct sl_sql      sql = {0};
    enum sl_err        err;

    if ((err = sink_book(s, why)) != SL_OK || (err = check_epoch(s, why)) != SL_OK ||
        (err = note_saved(s, checkpoint->commit_ts, why)) != SL_OK)
        return sink_book_failed(s, err);
    sink_put(&sql,
             "REPLACE INTO %s VALUES (%" PRIu64 ", '{\"consistent\":%s,\"commitTS\":%" PRId64
             ",\"ts-map\":%s,\"schema-version\":%" PRId64 "}')",
             s->checkpoint, s->cluster_id, checkpoint->is_consistent ? "true" : "false",
             checkpoint->commit_ts, s->ts_map, checkpoint->schema_version);
    err = sink_run(check_conn(s), &sql, NULL, why);
    sl_sql_done(&sql);
    if (err == SL_OK) {
        s->last.commit_ts = checkpoint->commit_ts;
        s->last.schema_version = checkpoint->schema_version;
        s->last.is_consistent = checkpoint->is_consistent;
    }
    return sink_book_failed(s, err);
}

/* ---- opening: tables ---- */

static enum sl_err exec(struct sl_mysql *conn, struct sl_why *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum sl_err exec(struct sl_mysql *conn, struct sl_why *why, const char *format, ...)
{
    char    text[SL_SQL_SHORT_BYTES_MAX];
    va_list args;
    int     count;

    va_start(args, format);
    count = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    SL_ASSERT(count > 0 && (size_t)count < sizeof text);
    return sl_mysql_exec(conn, text, (size_t)count, NULL, why);
}

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
    char        schema[SL_SQL_NAME_BYTES_MAX];
    enum sl_err err;

    quote(schema, s->config->checkpoint_schema, NULL);
    quote(s->checkpoint, s->config->checkpoint_schema, s->config->checkpoint_table);
    quote(s->progress, s->config->checkpoint_schema, "sluice_progress");
    if ((err = exec(check_conn(s), why, "CREATE SCHEMA IF NOT EXISTS %s", schema)) != SL_OK ||
        (err = exec(check_conn(s), why,
                    "CREATE TABLE IF NOT EXISTS %s (clusterID bigint unsigned primary key, "
                    "checkPoint MEDIUMTEXT)",
                    s->checkpoint)) != SL_OK ||
        (err = exec(s->book, why, "CREATE SCHEMA IF NOT EXISTS %s", schema)) != SL_OK)
        return err;
    return exec(
        s->book, why,
        "CREATE TABLE IF NOT EXISTS %s (cluster_id bigint unsigned NOT NULL, name "
        "varchar(64) CHARACTER SET ascii NOT NULL, epoch bigint unsigned NOT NULL, ts bigint "
        "NOT NULL DEFAULT 0, ordinal bigint unsigned NOT NULL DEFAULT 0, detail mediumtext "
        "CHARACTER SET utf8mb4, PRIMARY KEY (cluster_id, name)) ENGINE=InnoDB",
        s->progress);
}

/* ---- opening: the fence ---- */

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

    err = exec(s->book, why,
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
    return exec(s->book, why, "UPDATE %s SET epoch = %" PRIu64 " WHERE cluster_id = %" PRIu64,
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

/* Somebody else moved the checkpoint, and a lane is ahead of it: whether its rows were taken back
 * is not to be known. */
static enum sl_err check_lanes(struct sink_mysql *s, sl_ts commit_ts, struct sl_why *why)
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

static enum sl_err open_all(struct sink_mysql *s, struct sl_why *why)
{
    struct sl_checkpoint found;
    enum sl_err          err;

    if ((err = sink_book(s, why)) != SL_OK || (err = make_tables(s, why)) != SL_OK ||
        (err = take_lock(s, why)) != SL_OK || (err = raise_all(s, why)) != SL_OK)
        return err;
    memcpy(s->zone, sl_mysql_session(s->book)->zone, sizeof s->zone);
    s->kind = sl_mysql_session(s->book)->kind;
    for (uint32_t i = 0; i < SL_ROW_LANES; i++) {
        if ((err = load_lane(s, i, why)) != SL_OK)
            return err;
    }
    if ((err = load_saved(s, why)) != SL_OK || (err = load_early(s, why)) != SL_OK ||
        (err = sink_mysql_load(&s->sink, &found, why)) != SL_OK)
        return err;
    return check_lanes(s, found.commit_ts, why);
}

/* ---- the sink ---- */

static void close_sink(struct sl_sink *sink)
{
    struct sink_mysql *s = (struct sink_mysql *)(void *)sink;

    sl_mysql_close(&s->book);
    sl_mysql_close(&s->check);
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

    for (; count < sizeof own / sizeof *own; count++)
        s->variables[count] = own[count];
    for (size_t i = 0; i < c->params.count; i++) {
        const struct sl_drainer_param *param =
            &((const struct sl_drainer_param *)(const void *)c->params.items)[i];

        SL_ASSERT(count < SL_MYSQL_VARIABLES_MAX); /* the check of the configuration bounds them */
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
