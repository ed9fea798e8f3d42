/* DDL in the MySQL sink: once in effect, although a server neither rolls DDL back nor says
 * afterwards whether it ran. (An unnamed ADD INDEX, an EXCHANGE PARTITION or a three-way RENAME do
 * not fail when they run twice.)
 *
 *     everything before is applied; the checkpoint is saved at the ts before
 *     intent: job, session, what the objects it touches look like now     row `ddl`
 *     the statements, on a connection of their own
 *     if it was early: its job is noted                                   row `early`
 *     the checkpoint is saved at its ts
 *     the intent is cleared
 *
 * When the DDL comes by again and its intent is there, somebody was interrupted in between. First
 * the session that may still run it is ended and waited for. Then the objects are looked at again:
 * as they were, it did not run; otherwise it did. An object looks like its definition, without the
 * next auto-increment value, and its identity in InnoDB, which tells apart what has the same
 * definition. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_mysql_private.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"

/* An intent as it stands in the row: `ts` is the job's id, since early ones have no ts of their
 * own. */
struct intent {
    int64_t  job_id;  /* 0: none */
    uint64_t session; /* of the server that was started at */
    int64_t  started; /* seconds, give or take one */
    char    *looks;   /* owned */
};

/* ---- what objects look like ---- */

/* The definition without its next auto-increment value, as a hash. */
static uint64_t hash_definition(char *text)
{
    char *at = strstr(text, " AUTO_INCREMENT=");

    if (at != NULL) {
        char *end = at + strlen(" AUTO_INCREMENT=");

        end += strspn(end, "0123456789");
        memmove(at, end, strlen(end) + 1);
    }
    return sl_hash_bytes(0, text, strlen(text));
}

/* A name as InnoDB has it: letters, digits and _ as they are, others by their number. */
static void put_innodb_name(struct sl_sql *sql, struct sl_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.bytes[i];

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            c == '_' || c >= 0x80)
            sl_sql_put(sql, (const char *)&c, 1);
        else
            sink_put(sql, "@%04x", c);
    }
}

static enum sl_err put_identity(struct sink_mysql *s, const struct sl_ddl_object *object,
                                struct sl_sql *out, struct sl_why *why)
{
    struct sl_sql sql = {0};
    struct sl_sql name = {0};
    char         *cell[1];
    enum sl_err   err;

    if (sl_mysql_session(s->book)->kind == SL_MYSQL_IS_TIDB) {
        sl_sql_puts(&sql,
                    "SELECT TIDB_TABLE_ID FROM information_schema.tables WHERE table_schema = ");
        sl_sql_string(&sql, object->schema);
        sl_sql_puts(&sql, " AND table_name = ");
        sl_sql_string(&sql, object->table);
    } else {
        put_innodb_name(&name, object->schema);
        sl_sql_puts(&name, "/");
        put_innodb_name(&name, object->table);
        sink_put(&sql,
                 "SELECT GROUP_CONCAT(CONCAT(NAME, '=', TABLE_ID) ORDER BY NAME) FROM "
                 "information_schema.%s WHERE NAME = '%.*s' OR LEFT(NAME, %zu) = '%.*s#P#'",
                 sl_mysql_session(s->book)->kind == SL_MYSQL_IS_MARIADB ? "INNODB_SYS_TABLES"
                                                                        : "INNODB_TABLES",
                 (int)name.len, name.text, name.len + 3, (int)name.len, name.text);
        sl_sql_done(&name);
    }
    err = sink_fetch(s->book, &sql, cell, 1, why);
    sl_sql_done(&sql);
    if (err == SL_OK && cell[0] != NULL)
        sink_put(out, " %016" PRIx64, sl_hash_bytes(0, cell[0], strlen(cell[0])));
    if (err == SL_OK)
        free(cell[0]);
    if (err == SL_RESET || err == SL_UNAVAILABLE)
        return err;
    return SL_OK; /* where identities are not to be seen, definitions must do */
}

static enum sl_err put_object(struct sink_mysql *s, const struct sl_ddl_object *object,
                              struct sl_sql *out, struct sl_why *why)
{
    bool          is_table = object->table.len > 0;
    struct sl_sql sql = {0};
    char         *cells[2];
    enum sl_err   err;

    sl_sql_puts(&sql, is_table ? "SHOW CREATE TABLE " : "SHOW CREATE DATABASE ");
    if (is_table)
        sl_sql_table(&sql, object->schema, object->table);
    else
        sl_sql_name(&sql, object->schema);
    err = sink_fetch(s->book, &sql, cells, 2, why);
    sl_sql_done(&sql);
    if (err == SL_RESET || err == SL_UNAVAILABLE)
        return err;
    if (err != SL_OK) { /* there is none */
        sl_sql_puts(out, "none;");
        return SL_OK;
    }
    sink_put(out, "%016" PRIx64, cells[1] != NULL ? hash_definition(cells[1]) : 0);
    free(cells[0]);
    free(cells[1]);
    err = is_table ? put_identity(s, object, out, why) : SL_OK;
    sl_sql_puts(out, ";");
    return err;
}

/* What all objects look like, one word each; owned by the caller. */
static enum sl_err look(struct sink_mysql *s, const struct sl_ddl_action *action, char **out,
                        struct sl_why *why)
{
    struct sl_sql text = {0};
    enum sl_err   err = SL_OK;

    for (uint32_t i = 0; i < action->touched_count && err == SL_OK; i++)
        err = put_object(s, &action->touched[i], &text, why);
    if (err == SL_OK) {
        *out = strndup(text.text != NULL ? text.text : "", text.len);
        SL_ASSERT(*out != NULL);
    }
    sl_sql_done(&text);
    return err;
}

/* ---- the intent ---- */

static enum sl_err started_at(struct sink_mysql *s, int64_t *out, struct sl_why *why)
{
    static const char question[] = "SHOW GLOBAL STATUS LIKE 'Uptime'";
    struct sl_sql     sql = {0};
    char             *cells[2];
    char             *now[1];
    enum sl_err       err;

    sl_sql_puts(&sql, question);
    err = sink_fetch(s->book, &sql, cells, 2, why);
    if (err == SL_OK) {
        *out = -strtoll(cells[1], NULL, 10);
        free(cells[0]);
        free(cells[1]);
        sl_sql_puts(&sql, "SELECT UNIX_TIMESTAMP()");
        err = sink_fetch(s->book, &sql, now, 1, why);
    }
    sl_sql_done(&sql);
    if (err == SL_NOT_FOUND) { /* TiDB tells no uptime: its sessions have ids for good */
        *out = 0;
        return SL_OK;
    }
    if (err != SL_OK)
        return err;
    *out += strtoll(now[0], NULL, 10);
    free(now[0]);
    return SL_OK;
}

static enum sl_err read_intent(struct sink_mysql *s, struct intent *out, struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cells[2];
    int           used = 0;
    enum sl_err   err;

    *out = (struct intent){0};
    sink_put(&sql, "SELECT ts, detail FROM %s WHERE cluster_id = %" PRIu64 " AND name = 'ddl'",
             s->progress, s->cluster_id);
    err = sink_fetch(s->book, &sql, cells, 2, why);
    sl_sql_done(&sql);
    if (err != SL_OK)
        return err;
    if (cells[1] != NULL &&
        sscanf(cells[1], "%" SCNu64 " %" SCNd64 " %n", &out->session, &out->started, &used) == 2 &&
        used > 0) {
        out->job_id = strtoll(cells[0], NULL, 10);
        out->looks = strdup(cells[1] + used);
        SL_ASSERT(out->looks != NULL);
    }
    free(cells[0]);
    free(cells[1]);
    return SL_OK;
}

static enum sl_err write_intent(struct sink_mysql *s, const struct intent *intent,
                                struct sl_why *why)
{
    struct sl_sql sql = {0};
    uint64_t      affected = 0;
    enum sl_err   err;

    sink_put(&sql, "UPDATE %s SET ts = %" PRId64 ", detail = ", s->progress, intent->job_id);
    if (intent->job_id != 0)
        sink_put(&sql, "'%" PRIu64 " %" PRId64 " %s'", intent->session, intent->started,
                 intent->looks);
    else
        sl_sql_puts(&sql, "NULL");
    sink_put(&sql, " WHERE cluster_id = %" PRIu64 " AND name = 'ddl' AND epoch = %" PRIu64,
             s->cluster_id, s->epoch);
    err = sink_run(s->book, &sql, &affected, why);
    sl_sql_done(&sql);
    if (err == SL_OK && affected == 0)
        return sl_fail(why, SL_STOPPED,
                       "another drainer has taken over the row ddl of %s; let only "
                       "one run",
                       s->progress);
    return err;
}

/* The session that may still run it is no more. SL_UNAVAILABLE: not yet. */
static enum sl_err end_session(struct sink_mysql *s, const struct intent *intent,
                               struct sl_why *why)
{
    struct sl_sql sql = {0};
    char         *cell[1];
    int64_t       started;
    enum sl_err   err;

    if ((err = started_at(s, &started, why)) != SL_OK)
        return err;
    if (llabs(started - intent->started) > SL_SINK_START_SLACK_S)
        return SL_OK; /* the server was started anew since */
    sink_put(&sql, "SELECT id FROM information_schema.processlist WHERE id = %" PRIu64,
             intent->session);
    err = sink_fetch(s->book, &sql, cell, 1, why);
    if (err == SL_OK) {
        free(cell[0]);
        sink_put(&sql, "KILL %" PRIu64, intent->session);
        (void)sink_run(s->book, &sql, NULL, NULL); /* it may have ended meanwhile */
        err =
            sl_fail(why, SL_UNAVAILABLE,
                    "session %" PRIu64 " of an earlier drainer may still run the DDL; it was told "
                    "to end, and is waited for",
                    intent->session);
    } else if (err == SL_NOT_FOUND) {
        err = SL_OK;
    }
    sl_sql_done(&sql);
    return err;
}

/* ---- running ---- */

static enum sl_err use_database(struct sl_mysql *conn, struct sl_slice name, struct sl_why *why)
{
    struct sl_sql sql = {0};
    enum sl_err   err;

    if (name.len == 0)
        return SL_OK;
    sl_sql_puts(&sql, "USE ");
    sl_sql_name(&sql, name);
    err = sink_run(conn, &sql, NULL, why);
    sl_sql_done(&sql);
    return err;
}

static enum sl_err run_statement(struct sl_mysql *conn, const struct sl_ddl_action *action,
                                 struct sl_slice text, struct sl_why *why)
{
    enum sl_err err = sl_mysql_exec(conn, (const char *)text.bytes, text.len, NULL, why);
    bool        is_done;

    if (err == SL_OK || sl_mysql_error(conn)->is_lost)
        return err;
    is_done = sl_mysql_ddl_is_done(sl_mysql_error(conn)->number);
    if (!is_done && !(action->may_fail && err != SL_UNAVAILABLE))
        return sl_wrap(why, err, "%.*s", (int)(text.len < 200 ? text.len : 200),
                       (const char *)text.bytes);
    sl_log(SL_LOG_WARN,
           is_done ? "ignore ddl: its effect is there"
                   : "ignore ddl: nothing of the "
                     "stream depends on it",
           sl_field_bytes("sql", text.bytes, text.len), sl_field_err(err, why));
    return SL_OK;
}

static enum sl_err run_all(struct sl_mysql *conn, const struct sl_ddl_action *action,
                           struct sl_why *why)
{
    enum sl_err err = use_database(conn, action->use_database, why);

    for (uint32_t i = 0; i < action->statement_count && err == SL_OK; i++)
        err = run_statement(conn, action, action->statements[i].text, why);
    return err;
}

/* ---- the whole ---- */

/* Did an earlier try take effect? Fills the intent for the next one. */
static enum sl_err settle_intent(struct sink_mysql *s, const struct sl_window_ddl *ddl,
                                 struct intent *intent, bool *is_done, struct sl_why *why)
{
    char       *looks = NULL;
    bool        is_again;
    enum sl_err err;

    *is_done = false;
    if ((err = read_intent(s, intent, why)) != SL_OK)
        return err;
    is_again = intent->job_id == ddl->job_id;
    if (is_again && (err = end_session(s, intent, why)) != SL_OK)
        return err;
    if ((err = look(s, ddl->action, &looks, why)) != SL_OK)
        return err;
    if (is_again) {
        /* Of several statements only the first ones may have run; each of them may run again. */
        *is_done = ddl->action->statement_count == 1 && strcmp(looks, intent->looks) != 0;
        sl_log(SL_LOG_INFO,
               *is_done ? "the interrupted ddl has taken effect"
                        : "the interrupted ddl has not taken effect",
               sl_field_i64("job", ddl->job_id));
        /* Without identities two tables that swapped places look as before. */
        if (!*is_done && ddl->action->repeat == SL_DDL_INVISIBLE && strchr(looks, ' ') == NULL)
            err = sl_fail(why, SL_CONFIG,
                          "whether DDL job %" PRId64 " took effect before the last drainer stopped "
                          "cannot be seen: if it did, UPDATE %s SET detail = '%" PRIu64 " %" PRId64
                          " done' WHERE name = 'ddl'; if not, SET ts = 0 there",
                          ddl->job_id, s->progress, intent->session, intent->started);
    }
    free(intent->looks);
    intent->looks = looks;
    intent->job_id = ddl->job_id;
    return err;
}

static enum sl_err run_with_intent(struct sink_mysql *s, const struct sl_ddl_action *action,
                                   struct intent *intent, struct sl_why *why)
{
    struct sl_mysql_options options = s->options;
    struct sl_mysql        *conn;
    enum sl_err             err;

    options.read_timeout_ms = 0; /* it takes as long as it takes */
    if ((err = started_at(s, &intent->started, why)) != SL_OK ||
        (err = sink_connect(s, &options, &conn, why)) != SL_OK)
        return err;
    intent->session = sl_mysql_session(conn)->thread_id;
    err = write_intent(s, intent, why);
    if (err == SL_OK)
        err = run_all(conn, action, why);
    sink_disconnect(s, &conn);
    return err;
}

/* The jobs that were run early, as many as may be waiting for their binlogs; ids never return. */
static enum sl_err remember_early(struct sink_mysql *s, int64_t job_id, struct sl_why *why)
{
    struct sl_checkpoint *c = &s->last;
    struct sl_sql         sql = {0};
    enum sl_err           err;

    if (c->early_count == SL_EARLY_JOBS_MAX) {
        memmove(c->early, c->early + 1, (SL_EARLY_JOBS_MAX - 1) * sizeof *c->early);
        c->early_count--;
    }
    c->early[c->early_count++] = job_id;
    sink_put(&sql, "UPDATE %s SET detail = '", s->progress);
    for (uint32_t i = 0; i < c->early_count; i++)
        sink_put(&sql, "%" PRId64 " ", c->early[i]);
    sink_put(&sql, "' WHERE cluster_id = %" PRIu64 " AND name = 'early' AND epoch = %" PRIu64,
             s->cluster_id, s->epoch);
    err = sink_run(s->book, &sql, NULL, why);
    sl_sql_done(&sql);
    return err;
}

enum sl_err sink_mysql_ddl(struct sl_sink *sink, const struct sl_window_ddl *ddl,
                           int64_t schema_version, struct sl_why *why)
{
    struct sink_mysql         *s = (struct sink_mysql *)(void *)sink;
    const struct sl_checkpoint before = {.commit_ts = ddl->before,
                                         .schema_version = schema_version};
    const struct sl_checkpoint after = {.commit_ts = ddl->after,
                                        .schema_version = ddl->schema_version};
    struct intent              intent = {0};
    bool                       is_done;
    enum sl_err                err;

    if ((err = sink_mysql_save(sink, &before, why)) != SL_OK)
        return err;
    err = settle_intent(s, ddl, &intent, &is_done, why);
    if (err == SL_OK && !is_done)
        err = run_with_intent(s, ddl->action, &intent, why);
    free(intent.looks);
    if (err == SL_OK && ddl->is_early)
        err = remember_early(s, ddl->job_id, why);
    if (err != SL_OK)
        return sink_book_failed(s, err);
    if ((err = sink_mysql_save(sink, &after, why)) != SL_OK)
        return err;
    intent = (struct intent){0};
    return sink_book_failed(s, write_intent(s, &intent, why));
}
