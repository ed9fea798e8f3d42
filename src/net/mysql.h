#ifndef SL_NET_MYSQL_H
#define SL_NET_MYSQL_H

/* One connection to a MySQL, MariaDB or TiDB server, through libmariadb: text statements and their
 * answers. Every call blocks, so its owner runs on a peer lane; one thread at a time, except
 * sl_mysql_cancel. No call waits for ever: a server that is silent for longer than the timeouts,
 * and a host that is gone, lose the connection. LOCAL INFILE is off, so are several statements in
 * one text where they are not asked for, and only password methods that do not show the password to
 * the server are answered.
 *
 * A connection that is open has a session that is set up (drainer spec 5.6, codec spec 4.5):
 * utf8mb4, the configured variables, a time zone that does not move, autocommit. What the session
 * is like stands in struct sl_mysql_session.
 *
 * Errors of all calls that reach the server, with number and text of the server in sl_mysql_error:
 *
 *     SL_UNAVAILABLE  of class RETRY: roll back and try again later
 *     SL_RESET        the same, and the connection is lost: whether a COMMIT that was under way
 *                     happened is not known
 *     SL_INVALID      of class STOP: the same statement will fail again
 *     SL_DENIED       of class REFUSED: the account may not */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "net/mysql_errors.h"

struct sl_mysql;

/* A session variable. The name is letters, digits and _; the value is free of quotes, backslashes
 * and control characters. A value that is a decimal number is sent as one, everything else in
 * quotes. / */
struct sl_mysql_variable {
    const char *name;
    const char *value;
    bool        is_optional; /* a server that does not know it goes without */
};

/* Whom to ask, and how. All is borrowed during sl_mysql_open only. */
struct sl_mysql_options {
    const char *host; /* name or address; not used with a socket */
    uint16_t    port;
    const char *socket;   /* path of a Unix socket, or NULL */
    const char *user;     /* not NULL */
    const char *password; /* NULL: none */
    /* In ms, each rounded up to whole seconds; connect is 1 or more. 0 for read: a statement may
     * take as long as it takes while its host is alive (DDL). */
    uint32_t connect_timeout_ms;
    uint32_t read_timeout_ms;
    uint32_t write_timeout_ms;

    const struct sl_mysql_variable *variables; /* set in this order */
    size_t                          variable_count;
    const char                     *sql_mode; /* in place of the server's, or NULL */
    bool without_strict; /* take the strict modes out: rows may lack columns (sync-mode 2) */
    bool several;        /* a text may have several statements, between semicolons */
};

/* Which server answers. */
enum sl_mysql_kind { SL_MYSQL_IS_MYSQL, SL_MYSQL_IS_MARIADB, SL_MYSQL_IS_TIDB };

/* What a session is like once it is set up. */
struct sl_mysql_session {
    enum sl_mysql_kind kind;
    char               version[SL_MYSQL_VERSION_BYTES_MAX];
    /* In which the session reads and shows TIMESTAMP: the variable time_zone as configured, else
     * the server's distance from UTC when the connection was made, "+08:00", to which the session
     * was then fixed: no change to summer time moves it. */
    char     zone[SL_MYSQL_ZONE_BYTES_MAX];
    char     sql_mode[SL_MYSQL_MODE_BYTES_MAX];
    bool     no_backslash_escapes; /* in quotes, only ' is special */
    bool     has_utf8mb4;          /* else utf8, of three bytes at most */
    uint64_t statement_bytes_max;  /* what max_allowed_packet leaves for a statement */
    uint64_t optional_set;         /* bit i: variables[i] is optional, and the server took it */
    uint64_t thread_id;            /* for KILL and the process list */
};

/* Connect and set the session up. Beyond the errors above: SL_CONFIG for options that cannot be
 * sent, a time zone "SYSTEM" or "Local", which say nothing to us, or a variable that the server
 * does not take. *error (may be NULL) is the server's, number 0 when it said nothing. */
enum sl_err sl_mysql_open(const struct sl_mysql_options *options, struct sl_mysql **out,
                          struct sl_mysql_error *error, struct sl_why *why);
/* Close, and null the pointer; *mysql may be NULL. The server rolls back what is open, but maybe
 * only after this returned. */
void sl_mysql_close(struct sl_mysql **mysql);

/* The session as it was set up; valid until the connection is closed. */
const struct sl_mysql_session *sl_mysql_session(const struct sl_mysql *mysql);

/* Run one statement, or several where the options allow that: up to the first that fails, which
 * sl_mysql_error numbers. *affected (may be NULL): rows that it, or the first, inserted, deleted,
 * or found to update, whether or not that changed them; a REPLACE counts the old row too. 0 for a
 * statement with a result, which is dropped. */
enum sl_err sl_mysql_exec(struct sl_mysql *mysql, const char *sql, size_t len, uint64_t *affected,
                          struct sl_why *why);

/* One value of a result: NUL-terminated text, or NULL. */
struct sl_mysql_cell {
    const char *text;
    size_t      len;
};

/* Takes one row, which is valid during the call. An error ends the query with that error. */
typedef enum sl_err sl_mysql_row(void *arg, const struct sl_mysql_cell *cells, size_t count,
                                 struct sl_why *why);

/* Run one statement and hand its rows to `row` one by one; no result is no row. `row` must not use
 * the connection. */
enum sl_err sl_mysql_query(struct sl_mysql *mysql, const char *sql, size_t len, sl_mysql_row *row,
                           void *arg, struct sl_why *why);

/* The error of the last call that failed. */
const struct sl_mysql_error *sl_mysql_error(const struct sl_mysql *mysql);

/* From any thread: what the owner's thread waits for, and all that follows, fails as lost. */
void sl_mysql_cancel(struct sl_mysql *mysql);

#endif
