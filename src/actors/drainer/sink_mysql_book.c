/* What the MySQL sink keeps of itself at the downstream: its connections for that, and the
 * checkpoint. All but the cancel is the checkpointer's. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_mysql_private.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"

/* ---- connections ---- */

static void lock(struct sink_mysql *s)
{
    int failed = pthread_mutex_lock(&s->lock);

    SL_ASSERT(failed == 0);
}

static void unlock(struct sink_mysql *s)
{
    int failed = pthread_mutex_unlock(&s->lock);

    SL_ASSERT(failed == 0);
}

/* The place of that connection; of NULL: a free one. */
static struct sl_mysql **find_place(struct sink_mysql *s, const struct sl_mysql *conn)
{
    for (size_t i = 0; i < SL_SINK_CONNECTIONS_MAX; i++) {
        if (s->open[i] == conn)
            return &s->open[i];
    }
    SL_UNREACHABLE("workers and checkpointer have no more connections than places");
}

enum sl_err sink_connect(struct sink_mysql *s, const struct sl_mysql_options *options,
                         struct sl_mysql **out, struct sl_why *why)
{
    enum sl_err err = sl_mysql_open(options, out, NULL, why);

    if (err != SL_OK)
        return err;
    lock(s);
    *find_place(s, NULL) = *out;
    if (s->is_cancelled)
        sl_mysql_cancel(*out);
    unlock(s);
    return SL_OK;
}

void sink_disconnect(struct sink_mysql *s, struct sl_mysql **conn)
{
    if (*conn == NULL)
        return;
    lock(s);
    *find_place(s, *conn) = NULL;
    unlock(s);
    sl_mysql_close(conn);
}

void sink_mysql_cancel(struct sl_sink *sink)
{
    struct sink_mysql *s = (struct sink_mysql *)(void *)sink;

    lock(s);
    s->is_cancelled = true;
    for (size_t i = 0; i < SL_SINK_CONNECTIONS_MAX; i++) {
        if (s->open[i] != NULL)
            sl_mysql_cancel(s->open[i]);
    }
    unlock(s);
}

enum sl_err sink_book_failed(struct sink_mysql *s, enum sl_err err)
{
    if (s->book != NULL && sl_mysql_error(s->book)->is_lost)
        sink_disconnect(s, &s->book);
    if (s->check != NULL && sl_mysql_error(s->check)->is_lost)
        sink_disconnect(s, &s->check);
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
    if (err == SL_NOT_FOUND)
        return sl_fail(why, SL_STOPPED,
                       "the rows of %s are gone: somebody has removed them; start the drainer "
                       "again",
                       s->progress);
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

/* Without waiting: the server may not have noticed yet that the old connection is lost. Then the
 * epochs alone protect, until the next connection. */
static void take_lock_again(struct sink_mysql *s)
{
    struct sl_sql sql = {0};
    char         *cell[1];

    sink_put_lock(s, &sql, 0);
    if (sink_fetch(s->book, &sql, cell, 1, NULL) == SL_OK)
        free(cell[0]);
    sl_sql_done(&sql);
}

enum sl_err sink_book(struct sink_mysql *s, struct sl_why *why)
{
    enum sl_err err;

    if (s->book == NULL) {
        if ((err = sink_connect(s, &s->options, &s->book, why)) != SL_OK)
            return sl_wrap(why, err, "connect to the downstream");
        if (s->epoch != 0 && (err = check_epoch(s, why)) != SL_OK)
            return sink_book_failed(s, err);
        if (s->epoch != 0) /* the lock went with the connection */
            take_lock_again(s);
    }
    if (s->check_is_apart && s->check == NULL &&
        (err = sink_connect(s, &s->checkpoint_options, &s->check, why)) != SL_OK)
        return sl_wrap(why, err, "connect to the server of the checkpoint");
    return SL_OK;
}

static struct sl_mysql *check_conn(struct sink_mysql *s)
{
    return s->check_is_apart ? s->check : s->book;
}

/* ---- the checkpoint ---- */

/* A member of a checkpoint that is a number which cannot be negative; absent: *out stays. One of
 * another kind is no "not there": who begins anew for it loses what lies between. */
static enum sl_err take_number(const struct sl_json *document, const char *name, int64_t *out,
                               struct sl_why *why)
{
    const struct sl_json *value = sl_json_member(document, name);

    if (value == NULL || sl_json_kind(value) == SL_JSON_NULL)
        return SL_OK;
    if (sl_json_kind(value) != SL_JSON_INT)
        return sl_fail(why, SL_INVALID, "%s is %s, must be an integer", name,
                       sl_json_kind_name(sl_json_kind(value)));
    if (sl_json_int(value) < 0)
        return sl_fail(why, SL_INVALID, "%s is %" PRId64 ", must not be negative", name,
                       sl_json_int(value));
    *out = sl_json_int(value);
    return SL_OK;
}

/* One pair of the map. Only what can stand in a statement and be read by others is kept. */
static enum sl_err put_pair(void *context, const char *name, const struct sl_json *value)
{
    struct sl_sql *map = context;

    if (sl_json_kind(value) == SL_JSON_INT && name[strspn(name, SINK_WORD_LETTERS)] == '\0')
        sink_put(map, "%s\"%s\":%" PRId64, map->len > 1 ? "," : "", name, sl_json_int(value));
    return SL_OK;
}

/* The pairs of timestamps that an earlier writer left: readers compare clusters by them. */
static void keep_ts_map(struct sink_mysql *s, const struct sl_json *document)
{
    const struct sl_json *found = sl_json_member(document, "ts-map");
    struct sl_sql         map = {0};

    sink_put(&map, "{");
    if (found != NULL && sl_json_kind(found) == SL_JSON_OBJECT)
        (void)sl_json_each(found, put_pair, &map);
    sink_put(&map, "}");
    free(s->ts_map);
    s->ts_map = strndup(map.text, map.len);
    SL_ASSERT(s->ts_map != NULL);
    sl_sql_done(&map);
}

static enum sl_err take_checkpoint(struct sink_mysql *s, const struct sl_json *document,
                                   struct sl_why *why)
{
    const struct sl_json *consistent;
    enum sl_err           err;

    if (sl_json_kind(document) != SL_JSON_OBJECT)
        return sl_fail(why, SL_INVALID, "it is %s, must be an object",
                       sl_json_kind_name(sl_json_kind(document)));
    if ((err = take_number(document, "commitTS", &s->last.commit_ts, why)) != SL_OK ||
        (err = take_number(document, "schema-version", &s->last.schema_version, why)) != SL_OK)
        return err;
    consistent = sl_json_member(document, "consistent");
    if (consistent != NULL && sl_json_kind(consistent) == SL_JSON_BOOL)
        s->last.is_consistent = sl_json_bool(consistent);
    keep_ts_map(s, document);
    return SL_OK;
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
    err = sl_json_parse(sl_slice_from_string(cell[0]), &document, why);
    free(cell[0]);
    if (err != SL_OK)
        return sl_wrap(why, err, "the checkpoint in %s is no JSON", s->checkpoint);
    err = take_checkpoint(s, document, why);
    sl_json_free(&document);
    if (err != SL_OK)
        return sl_wrap(why, err, "the checkpoint in %s is none", s->checkpoint);
    *out = s->last;
    return SL_OK;
}

enum sl_err sink_exec(struct sl_mysql *conn, struct sl_why *why, const char *format, ...)
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

enum sl_err sink_make_checkpoint_table(struct sink_mysql *s, struct sl_why *why)
{
    enum sl_err err;

    if ((err = sink_exec(check_conn(s), why, "CREATE SCHEMA IF NOT EXISTS %s", s->schema)) != SL_OK)
        return err;
    return sink_exec(
        check_conn(s), why,
        "CREATE TABLE IF NOT EXISTS %s (clusterID bigint unsigned primary key, checkPoint "
        "MEDIUMTEXT)",
        s->checkpoint);
}

/* Note first what will be written, beside what is there: a checkpoint that is neither of the two
 * was written by somebody else. */
static enum sl_err note_saved(struct sink_mysql *s, sl_ts ts, struct sl_why *why)
{
    struct sl_sql sql = {0};
    enum sl_err   err;

    sink_put(&sql,
             "UPDATE %s SET detail = '{\"saved\":[%" PRId64 ",%" PRId64
             "]}' WHERE cluster_id = %" PRIu64 " AND name = 'run' AND epoch = %" PRIu64,
             s->progress, ts, s->last.commit_ts, s->cluster_id, s->epoch);
    err = sink_run(s->book, &sql, NULL, why);
    sl_sql_done(&sql);
    return err;
}

static enum sl_err replace_checkpoint(struct sink_mysql *s, const struct sl_checkpoint *checkpoint,
                                      struct sl_why *why)
{
    struct sl_sql sql = {0};
    enum sl_err   err;

    sink_put(&sql,
             "REPLACE INTO %s VALUES (%" PRIu64 ", '{\"consistent\":%s,\"commitTS\":%" PRId64
             ",\"ts-map\":%s,\"schema-version\":%" PRId64 "}')",
             s->checkpoint, s->cluster_id, checkpoint->is_consistent ? "true" : "false",
             checkpoint->commit_ts, s->ts_map, checkpoint->schema_version);
    err = sink_run(check_conn(s), &sql, NULL, why);
    sl_sql_done(&sql);
    return err;
}

bool sink_lacks_table(const struct sl_mysql *conn)
{
    enum { NO_DATABASE = 1049, NO_TABLE = 1146 };
    uint32_t number = sl_mysql_error(conn)->number;

    return number == NO_DATABASE || number == NO_TABLE;
}

enum sl_err sink_mysql_save(struct sl_sink *sink, const struct sl_checkpoint *checkpoint,
                            struct sl_why *why)
{
    struct sink_mysql *s = (struct sink_mysql *)(void *)sink;
    enum sl_err        err;

    if ((err = sink_book(s, why)) != SL_OK || (err = check_epoch(s, why)) != SL_OK ||
        (err = note_saved(s, checkpoint->commit_ts, why)) != SL_OK)
        return sink_book_failed(s, err);
    err = replace_checkpoint(s, checkpoint, why);
    /* Somebody dropped it. What it said is known here, so nothing is lost when it is made again. */
    if (err != SL_OK && sink_lacks_table(check_conn(s))) {
        sl_log(SL_LOG_WARN, "the table of the checkpoint is gone, making it again",
               sl_field_str("table", s->checkpoint), sl_field_err(err, why));
        if ((err = sink_make_checkpoint_table(s, why)) == SL_OK)
            err = replace_checkpoint(s, checkpoint, why);
    }
    if (err == SL_OK) {
        s->last.commit_ts = checkpoint->commit_ts;
        s->last.schema_version = checkpoint->schema_version;
        s->last.is_consistent = checkpoint->is_consistent;
    }
    return sink_book_failed(s, err);
}
