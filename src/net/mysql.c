#include "net/mysql.h"

#include <errno.h>
#include <inttypes.h>
#include <mariadb/mysql.h>
/* Needs the one before. */
#include <mariadb/ma_pvio.h>
#include <mariadb/mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/mysql_auth.h"
#include "net/mysql_private.h"

/* Methods that prove the password without showing it. Without this list a server, or whoever
 * answers in its place, could ask for the password itself. */
#define AUTH_METHODS "mysql_native_password,caching_sha2_password"

static_assert((int)SL_MYSQL_TEXT_BYTES_MAX < (int)SL_WHY_BYTES_MAX, "a reason holds a server's");

struct sl_mysql {
    MYSQL                  *handle;    /* owned; NULL before it is connected */
    int                     socket;    /* owned: the connection's, a descriptor of our own, or -1 */
    uint64_t                affected;  /* by the last statement */
    uint32_t                statement; /* of the text under way, whose answer is awaited */
    struct sl_mysql_error   error;
    struct sl_mysql_session session;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    int  failed = mysql_library_init(0, NULL, NULL);
    bool registered = failed == 0 && mysql_auth_register();

    SL_ASSERT(registered);
}

/* ---- errors ---- */

static void note_error(struct sl_mysql_error *error, MYSQL *handle)
{
    uint32_t                       number = mysql_errno(handle);
    const char                    *state = mysql_sqlstate(handle);
    const struct sl_mysql_meaning *meaning = sl_mysql_meaning(number);

    *error = (struct sl_mysql_error){.number = number};
    (void)snprintf(error->sqlstate, sizeof error->sqlstate, "%s", state);
    (void)snprintf(error->text, sizeof error->text, "%s", mysql_error(handle));
    for (char *at = error->text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    error->class = sl_mysql_class_of(number, error->sqlstate);
    error->is_lost = meaning != NULL && meaning->is_lost;
}

static enum sl_err explain(const struct sl_mysql_error *error, struct sl_why *why)
{
    const struct sl_mysql_meaning *meaning = sl_mysql_meaning(error->number);

    if (meaning == NULL)
        return sl_fail(why, sl_mysql_err(error), "error %u (%s): %s", error->number,
                       error->sqlstate, error->text);
    return sl_fail(why, sl_mysql_err(error), "error %u (%s): %s: %s", error->number,
                   error->sqlstate, error->text, meaning->text);
}

static enum sl_err fail(struct sl_mysql *mysql, struct sl_why *why)
{
    note_error(&mysql->error, mysql->handle);
    mysql->error.statement = mysql->statement;
    return explain(&mysql->error, why);
}

/* A server hangs up on a statement that is too long, which would look like a lost connection. */
static enum sl_err refuse_length(struct sl_mysql *mysql, size_t len, struct sl_why *why)
{
    mysql->error = (struct sl_mysql_error){
        .number = ER_NET_PACKET_TOO_LARGE, .sqlstate = "08S01", .class = SL_MYSQL_STOP};
    (void)snprintf(mysql->error.text, sizeof mysql->error.text,
                   "a statement of %zu bytes; the server takes at most %" PRIu64, len,
                   mysql->session.statement_bytes_max);
    return explain(&mysql->error, why);
}

/* ---- connecting ---- */

static unsigned int whole_seconds(uint32_t ms)
{
    return ms / 1000 + (ms % 1000 != 0);
}

static void set_options(MYSQL *handle, const struct sl_mysql_options *options)
{
    unsigned int connect = whole_seconds(options->connect_timeout_ms);
    /* Setting the session up is quick, so it is never waited for without end. */
    unsigned int read =
        options->read_timeout_ms != 0 ? whole_seconds(options->read_timeout_ms) : connect;
    unsigned int write =
        options->write_timeout_ms != 0 ? whole_seconds(options->write_timeout_ms) : connect;
    unsigned int off = 0;
    unsigned int protocol = options->socket != NULL ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    my_bool      no_reconnect = 0;

    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &read);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &write);
    mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &off);
    /* A new connection has no transaction open and no epoch raised: never behind our back. */
    mysql_options(handle, MYSQL_OPT_RECONNECT, &no_reconnect);
    /* Else "localhost" would mean a socket, and not the configured port. */
    mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(handle, MARIADB_OPT_RESTRICTED_AUTH, AUTH_METHODS);
}

/* A host that is gone is noticed also where no timeout runs. */
static void watch_peer(int fd)
{
    int on = 1;
    int idle = SL_MYSQL_KEEPALIVE_IDLE_S;
    int interval = SL_MYSQL_KEEPALIVE_INTERVAL_S;
    int count = SL_MYSQL_KEEPALIVE_COUNT;
    /* What was sent and is not confirmed holds keep-alive back, so it has a limit of its own. */
    unsigned int unconfirmed_ms = 1000U * (unsigned)(idle + count * interval);

    /* A Unix socket refuses these, and needs none. */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unconfirmed_ms, sizeof unconfirmed_ms);
}

static enum sl_err connect_handle(struct sl_mysql *mysql, const struct sl_mysql_options *options,
                                  struct sl_why *why)
{
    mysql->handle = mysql_init(NULL);
    if (mysql->handle == NULL)
        return sl_fail(why, SL_SYSTEM, "out of memory");
    set_options(mysql->handle, options);
    if (mysql_real_connect(mysql->handle, options->socket != NULL ? NULL : options->host,
                           options->user, options->password, NULL, options->port, options->socket,
                           CLIENT_FOUND_ROWS | (options->several ? CLIENT_MULTI_STATEMENTS : 0)) ==
        NULL)
        return fail(mysql, why);
    mysql->socket = dup((int)mysql_get_socket(mysql->handle));
    if (mysql->socket < 0)
        return sl_fail_errno(why, errno, "duplicate the descriptor of a connection");
    watch_peer(mysql->socket);
    mysql->session.thread_id = mysql_thread_id(mysql->handle);
    return SL_OK;
}

/* From now on a statement may take its time. The library has no other way to change that. */
static void lift_read_timeout(MYSQL *handle)
{
    MARIADB_PVIO *pvio = handle->net.pvio;

    (void)pvio->methods->set_timeout(pvio, PVIO_READ_TIMEOUT, 0);
}

enum sl_err sl_mysql_open(const struct sl_mysql_options *options, struct sl_mysql **out,
                          struct sl_mysql_error *error, struct sl_why *why)
{
    struct sl_mysql *mysql;
    enum sl_err      err = mysql_session_check(options, why);

    if (error != NULL)
        *error = (struct sl_mysql_error){0};
    if (err != SL_OK)
        return err;
    (void)pthread_once(&library_once, start_library);
    mysql = calloc(1, sizeof *mysql);
    SL_ASSERT(mysql != NULL);
    mysql->socket = -1;
    err = connect_handle(mysql, options, why);
    if (err == SL_OK)
        err = mysql_session_set_up(mysql, options, &mysql->session, why);
    if (error != NULL)
        *error = mysql->error;
    if (err != SL_OK) {
        sl_mysql_close(&mysql);
        if (options->socket != NULL)
            return sl_wrap(why, err, "connect to socket %s as %s", options->socket, options->user);
        return sl_wrap(why, err, "connect to %s:%u as %s", options->host, options->port,
                       options->user);
    }
    if (options->read_timeout_ms == 0)
        lift_read_timeout(mysql->handle);
    *out = mysql;
    return SL_OK;
}

void sl_mysql_close(struct sl_mysql **mysql)
{
    if (*mysql == NULL)
        return;
    if ((*mysql)->handle != NULL)
        mysql_close((*mysql)->handle);
    if ((*mysql)->socket >= 0)
        (void)close((*mysql)->socket);
    free(*mysql);
    *mysql = NULL;
}

const struct sl_mysql_session *sl_mysql_session(const struct sl_mysql *mysql)
{
    return &mysql->session;
}

const struct sl_mysql_error *sl_mysql_error(const struct sl_mysql *mysql)
{
    return &mysql->error;
}

void sl_mysql_cancel(struct sl_mysql *mysql)
{
    /* The descriptor is our own: the library may close its own at this very moment. */
    (void)shutdown(mysql->socket, SHUT_RDWR);
}

/* ---- statements ---- */

/* Read what the server sends behind the first result: those of other statements; CALL has a status
 * there. */
static enum sl_err drop_rest(struct sl_mysql *mysql, struct sl_why *why)
{
    int more;

    mysql->statement++;
    while ((more = mysql_next_result(mysql->handle)) == 0) {
        MYSQL_RES *result = mysql_use_result(mysql->handle);

        if (result != NULL)
            mysql_free_result(result);
        mysql->statement++;
    }
    return more > 0 ? fail(mysql, why) : SL_OK;
}

static enum sl_err hand_row(const MYSQL_RES *result, MYSQL_ROW row, size_t count,
                            sl_mysql_row *taker, void *arg, struct sl_why *why)
{
    struct sl_mysql_cell  cells[SL_MYSQL_CELLS_INLINE];
    struct sl_mysql_cell *all = cells;
    enum sl_err           err;

    if (count > SL_MYSQL_CELLS_INLINE) {
        all = calloc(count, sizeof *all);
        SL_ASSERT(all != NULL);
    }
    for (size_t i = 0; i < count; i++)
        all[i] = (struct sl_mysql_cell){row[i], row[i] == NULL ? 0 : result->lengths[i]};
    err = taker(arg, all, count, why);
    if (all != cells)
        free(all);
    return err;
}

static enum sl_err hand_rows(struct sl_mysql *mysql, MYSQL_RES *result, sl_mysql_row *taker,
                             void *arg, struct sl_why *why)
{
    size_t    count = mysql_num_fields(result);
    MYSQL_ROW row;

    if (count > SL_MYSQL_CELLS_MAX)
        return sl_fail(why, SL_TOO_LARGE, "a result of %zu columns; at most %d are read", count,
                       SL_MYSQL_CELLS_MAX);
    while ((row = mysql_fetch_row(result)) != NULL) {
        enum sl_err err;

        (void)mysql_fetch_lengths(result);
        if ((err = hand_row(result, row, count, taker, arg, why)) != SL_OK)
            return err;
    }
    return mysql_errno(mysql->handle) != 0 ? fail(mysql, why) : SL_OK;
}

enum sl_err sl_mysql_query(struct sl_mysql *mysql, const char *sql, size_t len, sl_mysql_row *row,
                           void *arg, struct sl_why *why)
{
    MYSQL_RES  *result;
    enum sl_err err = SL_OK;
    enum sl_err rest;

    mysql->statement = 0;
    /* Known once the session is set up. */
    if (mysql->session.statement_bytes_max != 0 && len > mysql->session.statement_bytes_max)
        return refuse_length(mysql, len, why);
    if (mysql_real_query(mysql->handle, sql, len) != 0)
        return fail(mysql, why);
    result = mysql_use_result(mysql->handle);
    if (result == NULL && mysql_errno(mysql->handle) != 0)
        return fail(mysql, why);
    mysql->affected = result == NULL ? mysql_affected_rows(mysql->handle) : 0;
    if (result != NULL) {
        err = hand_rows(mysql, result, row, arg, why);
        mysql_free_result(result);
    }
    rest = drop_rest(mysql, err == SL_OK ? why : NULL);
    return err != SL_OK ? err : rest;
}

static enum sl_err drop_row(void *arg, const struct sl_mysql_cell *cells, size_t count,
                            struct sl_why *why)
{
    (void)arg;
    (void)cells;
    (void)count;
    (void)why;
    return SL_OK;
}

enum sl_err sl_mysql_exec(struct sl_mysql *mysql, const char *sql, size_t len, uint64_t *affected,
                          struct sl_why *why)
{
    enum sl_err err = sl_mysql_query(mysql, sql, len, drop_row, NULL, why);

    if (err == SL_OK && affected != NULL)
        *affected = mysql->affected;
    return err;
}
