/* sqldoor: a connection to a MySQL server (net/mysql.h) by hand, for tests: commands on standard
 * input, one answer line each.
 *
 *     open NAME=VALUE...   host port socket user password connect read write (ms), mode, lenient=1,
 *                          var:NAME=VALUE, try:NAME=VALUE (optional); no blanks in values
 *     session              "ok KIND ZONE BYTES OPTIONAL NO_BACKSLASH UTF8MB4 THREAD MODE"
 *     exec SQL             "ok AFFECTED"
 *     query SQL            "ok CELL|CELL;CELL|CELL"
 *     cancelled SQL        as exec, until another line comes in
 *     table SCHEMA NAME    "ok KEYED COLUMN/TYPE/COMPARISON/FLAGS... KEY(COLUMN:PREFIX,...)..."
 *     write OP SCHEMA NAME COLUMNS ROW...
 *                          "ok STATEMENTS ROWS"; see sqldoor_write.h
 *     error                "ok NUMBER SQLSTATE CLASS LOST"
 *     close
 *
 * What fails answers "CODE REASON". */

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_table_load.h"
#include "base/panic.h"
#include "net/mysql.h"
#include "tools/sqldoor_write.h"

enum { LINE_BYTES = 1 << 16, OUT_BYTES = 1 << 18 };

static struct sl_mysql      *mysql;
static struct sl_mysql_error open_error;
static char                  out[OUT_BYTES];
static size_t                used;

static void say(const char *text)
{
    int count = snprintf(out + used, sizeof out - used, "%s", text);

    used += (size_t)count < sizeof out - used ? (size_t)count : sizeof out - used - 1;
}

static void say_number(uint64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof text, " %" PRIu64, number);
    say(text);
}

static void add_variable(struct sl_mysql_variable *variables, size_t *count, char *name, bool may)
{
    char *value = strchr(name, '=');

    *value = '\0';
    variables[(*count)++] = (struct sl_mysql_variable){name, value + 1, may};
}

static void add_option(struct sl_mysql_options *o, struct sl_mysql_variable *variables, char *word)
{
    char       *value = strchr(word, '=') + 1;
    const char *name = word;

    if (strncmp(word, "var:", 4) == 0 || strncmp(word, "try:", 4) == 0) {
        add_variable(variables, &o->variable_count, word + 4, word[0] == 't');
        return;
    }
    value[-1] = '\0';
    if (strcmp(name, "host") == 0)
        o->host = value;
    else if (strcmp(name, "port") == 0)
        o->port = (uint16_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "socket") == 0)
        o->socket = value;
    else if (strcmp(name, "user") == 0)
        o->user = value;
    else if (strcmp(name, "password") == 0)
        o->password = value;
    else if (strcmp(name, "connect") == 0)
        o->connect_timeout_ms = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "read") == 0)
        o->read_timeout_ms = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "write") == 0)
        o->write_timeout_ms = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "mode") == 0)
        o->sql_mode = value;
    else if (strcmp(name, "lenient") == 0)
        o->without_strict = true;
}

static enum sl_err do_open(char *rest, struct sl_why *why)
{
    struct sl_mysql_variable variables[SL_MYSQL_VARIABLES_MAX + 1];
    struct sl_mysql_options  o = {.host = "127.0.0.1",
                                  .user = "root",
                                  .connect_timeout_ms = 10000,
                                  .read_timeout_ms = 10000,
                                  .write_timeout_ms = 10000,
                                  .variables = variables};
    char                    *state = NULL;

    for (char *word = strtok_r(rest, " ", &state); word != NULL; word = strtok_r(NULL, " ", &state))
        add_option(&o, variables, word);
    sl_mysql_close(&mysql);
    return sl_mysql_open(&o, &mysql, &open_error, why);
}

static enum sl_err do_session(char *rest, struct sl_why *why)
{
    static const char *const       kinds[] = {"mysql", "mariadb", "tidb"};
    const struct sl_mysql_session *s = sl_mysql_session(mysql);

    (void)rest;
    (void)why;
    say(kinds[s->kind]);
    say(" ");
    say(s->zone);
    say_number(s->statement_bytes_max);
    say_number(s->optional_set);
    say_number(s->no_backslash_escapes);
    say_number(s->has_utf8mb4);
    say_number(s->thread_id);
    say(" ");
    say(s->sql_mode);
    return SL_OK;
}

static enum sl_err do_exec(char *rest, struct sl_why *why)
{
    uint64_t    affected = 0;
    enum sl_err err = sl_mysql_exec(mysql, rest, strlen(rest), &affected, why);

    if (err == SL_OK)
        say_number(affected);
    return err;
}

static enum sl_err say_row(void *arg, const struct sl_mysql_cell *cells, size_t count,
                           struct sl_why *why)
{
    (void)arg;
    (void)why;
    if (count > 0 && cells[0].text != NULL && strcmp(cells[0].text, "stop here") == 0)
        return sl_fail(why, SL_STOPPED, "the row says so");
    if (used > 0)
        say(";");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            say("|");
        say(cells[i].text == NULL ? "\\N" : cells[i].text);
    }
    return SL_OK;
}

static enum sl_err do_query(char *rest, struct sl_why *why)
{
    return sl_mysql_query(mysql, rest, strlen(rest), say_row, NULL, why);
}

static void *cancel_on_line(void *arg)
{
    char line[LINE_BYTES];

    (void)arg;
    if (fgets(line, sizeof line, stdin) != NULL)
        sl_mysql_cancel(mysql);
    return NULL;
}

static enum sl_err do_cancelled(char *rest, struct sl_why *why)
{
    pthread_t   thread;
    enum sl_err err;

    if (pthread_create(&thread, NULL, cancel_on_line, NULL) != 0)
        return sl_fail(why, SL_SYSTEM, "no thread");
    err = do_exec(rest, why);
    (void)pthread_join(thread, NULL);
    return err;
}

static void say_column(const struct sl_sink_column *c)
{
    static const char *const comparisons[] = {"value", "bytes", "collation"};

    say(" ");
    say((const char *)c->name.bytes);
    say("/");
    say((const char *)c->type.bytes);
    say("/");
    say(comparisons[c->comparison]);
    say("/");
    say(c->pads_blanks ? "p" : "");
    say(c->is_nullable ? "n" : "");
    say(c->is_generated ? "g" : "");
}

static void say_key(const struct sl_sink_table *table, const struct sl_sink_key *key)
{
    say(" ");
    say((const char *)key->name.bytes);
    say(key->is_not_null ? "!(" : "(");
    for (uint32_t i = 0; i < key->part_count; i++) {
        int32_t column = key->parts[i].column;

        say(i > 0 ? "," : "");
        say(column < 0 ? "*" : (const char *)table->columns[column].name.bytes);
        if (key->parts[i].prefix != 0) {
            say(":");
            say_number(key->parts[i].prefix);
        }
    }
    say(")");
}

static enum sl_err do_table(char *rest, struct sl_why *why)
{
    struct sl_sink_table *table;
    char                 *name = rest + strcspn(rest, " ");
    enum sl_err           err;

    if (*name != '\0')
        *name++ = '\0';
    err = sl_sink_table_load(mysql, sl_slice_from_string(rest), sl_slice_from_string(name), &table,
                             why);
    if (err != SL_OK)
        return err;
    say(table->is_keyed ? "keyed" : "not-keyed");
    for (uint32_t i = 0; i < table->column_count; i++)
        say_column(&table->columns[i]);
    for (uint32_t i = 0; i < table->key_count; i++)
        say_key(table, &table->keys[i]);
    sl_sink_table_free(&table);
    return SL_OK;
}

static enum sl_err do_write(char *rest, struct sl_why *why)
{
    uint32_t    statements = 0;
    uint32_t    rows = 0;
    enum sl_err err = sqldoor_write(mysql, rest, &statements, &rows, why);

    if (err == SL_OK) {
        say_number(statements);
        say_number(rows);
    }
    return err;
}

static enum sl_err do_error(char *rest, struct sl_why *why)
{
    const struct sl_mysql_error *error = mysql != NULL ? sl_mysql_error(mysql) : &open_error;

    (void)rest;
    (void)why;
    say_number(error->number);
    say(" ");
    say(error->sqlstate);
    say(" ");
    say(sl_mysql_class_name(error->class));
    say_number(error->is_lost);
    return SL_OK;
}

static enum sl_err do_close(char *rest, struct sl_why *why)
{
    (void)rest;
    (void)why;
    sl_mysql_close(&mysql);
    return SL_OK;
}

static const struct {
    const char *word;
    enum sl_err (*run)(char *rest, struct sl_why *why);
    bool needs_connection;
} commands[] = {
    {"open", do_open, false},          {"session", do_session, true}, {"exec", do_exec, true},
    {"query", do_query, true},         {"error", do_error, false},    {"close", do_close, false},
    {"cancelled", do_cancelled, true}, {"table", do_table, true},     {"write", do_write, true},
};

static enum sl_err obey(char *line, struct sl_why *why)
{
    char *rest = line + strcspn(line, " ");

    if (*rest != '\0')
        *rest++ = '\0';
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].word, line) == 0) {
            if (commands[i].needs_connection && mysql == NULL)
                return sl_fail(why, SL_USAGE, "no connection is open");
            return commands[i].run(rest, why);
        }
    return sl_fail(why, SL_USAGE, "no command %s", line);
}

int main(void)
{
    char line[LINE_BYTES];

    sl_panic_install("sqldoor");
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct sl_why why = {0};
        enum sl_err   err;

        line[strcspn(line, "\n")] = '\0';
        used = 0;
        out[0] = '\0';
        err = obey(line, &why);
        if (err == SL_OK)
            printf("ok %s\n", out[0] == ' ' ? out + 1 : out);
        else
            printf("%s %s\n", sl_err_name(err), why.text);
        (void)fflush(stdout);
    }
    sl_mysql_close(&mysql);
    return 0;
}
