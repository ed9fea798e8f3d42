#include "sluice/private_mariadb.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/env_os_process.h"
#include "net/mysql.h"
#include "sluice/cli.h"

enum {
    ARGUMENTS_MAX = 40,
    ARGUMENT_BYTES_MAX = SL_PATH_BYTES_MAX + 64,
    SECRET_BYTES = 16, /* of randomness in a password */
    LOG_TAIL_BYTES = 300,
};

struct private_mariadb {
    const struct sl_env *env;
    char                 dir[SL_PATH_BYTES_MAX];
    char                 data[SL_PATH_BYTES_MAX];
    char                 log[SL_PATH_BYTES_MAX];
    char                 socket[SL_PATH_BYTES_MAX];
    char                 password[2 * SECRET_BYTES + 1];
    uint16_t             port;
    bool                 durable;
    struct sl_process   *process; /* owned; NULL: none runs */
};

static const char user_name[] = "sluice";

/* ---- arguments ---- */

/* A command line that grows. */
struct command {
    char       *words[ARGUMENTS_MAX]; /* owned; ends with NULL */
    const char *argv[ARGUMENTS_MAX];
    uint32_t    count;
};

static void add(struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct command *c, const char *format, ...)
{
    va_list arguments;
    int     len;

    SL_ASSERT(c->count + 1 < ARGUMENTS_MAX);
    va_start(arguments, format);
    len = vasprintf(&c->words[c->count], format, arguments);
    va_end(arguments);
    SL_ASSERT(len >= 0);
    c->argv[c->count] = c->words[c->count];
    c->count++;
}

static void command_free(struct command *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free(c->words[i]);
}

/* What the maker of the data and the server must agree on: InnoDB makes its files by it. Small, as
 * the whole of it fits a demonstration. */
static void add_shape(struct command *c)
{
    add(c, "--innodb-data-file-path=ibdata1:4M:autoextend");
    add(c, "--innodb-temp-data-file-path=ibtmp1:4M:autoextend");
    add(c, "--innodb-undo-tablespaces=0");
    add(c, "--innodb-log-file-size=32M");
    add(c, "--innodb-log-buffer-size=4M");
    add(c, "--aria-log-file-size=8M");
    if (sl_process_is_root())
        add(c, "--user=root"); /* it refuses to run as root unless told to */
}

/* ---- reasons ---- */

/* The end of what it has printed, on one line. */
static void read_tail(const struct private_mariadb *s, char *out)
{
    struct sl_file *file;
    uint64_t        size;
    size_t          got = 0;

    if (sl_fs_open(s->env->fs, s->log, SL_OPEN_READ, &file, NULL) == SL_OK) {
        if (sl_file_size(file, &size, NULL) == SL_OK &&
            sl_file_read_at(file, size > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : 0, out,
                            LOG_TAIL_BYTES, &got, NULL) != SL_OK)
            got = 0;
        sl_file_close(&file);
    }
    out[got] = '\0';
    for (size_t i = 0; i < got; i++) {
        if ((unsigned char)out[i] < ' ')
            out[i] = ' ';
    }
}

static enum sl_err fail_ended(const struct private_mariadb *s, const char *what, int code,
                              struct sl_why *why)
{
    char tail[LOG_TAIL_BYTES + 1];

    read_tail(s, tail);
    return sl_fail(why, SL_UNAVAILABLE, "%s ended with %d; the end of its log: %s", what, code,
                   tail);
}

static enum sl_err find_program(const char *name, char *out, struct sl_why *why)
{
    enum sl_err err = sl_program_find(name, out, why);

    if (err == SL_OK)
        return SL_OK;
    return sl_fail(why, err,
                   "%s is not installed: apt-get install mariadb-server, or use another "
                   "downstream; see --help",
                   name);
}

/* ---- the data ---- */

static enum sl_err run(struct private_mariadb *s, struct command *c, const char *what,
                       struct sl_why *why)
{
    enum { LOOK_MS = 20 };
    const struct sl_process_options options = {.argv = c->argv, .log = s->log};
    struct sl_process              *process;
    int                             code;
    enum sl_err                     err = sl_process_start(&options, &process, why);

    if (err != SL_OK)
        return err;
    while (!sl_process_has_ended(process, &code) && !cli_is_stopped())
        cli_pause(s->env, LOOK_MS);
    if (cli_is_stopped())
        err = sl_fail(why, SL_STOPPED, "stopped by a signal");
    else if (code != 0)
        err = fail_ended(s, what, code, why);
    sl_process_end(&process, 0);
    return err;
}

/* Without syncs, which take seconds: what is not finished is made anew. The folder gets its name
 * when it is whole. */
static enum sl_err make_data(struct private_mariadb *s, struct sl_why *why)
{
    struct command c = {0};
    char           program[SL_PATH_BYTES_MAX];
    char           new_data[SL_PATH_BYTES_MAX];
    enum sl_err    err;

    if ((err = find_program("mariadb-install-db", program, why)) != SL_OK ||
        (err = sl_path_add(new_data, s->data, ".new", why)) != SL_OK ||
        (err = sl_folder_remove(new_data, NULL)) == SL_DENIED)
        return err;
    add(&c, "%s", program);
    add(&c, "--no-defaults");
    add(&c, "--datadir=%s", new_data);
    add(&c, "--auth-root-authentication-method=normal");
    add(&c, "--skip-test-db");
    add(&c, "--debug-no-sync");
    add(&c, "--innodb-flush-method=nosync");
    add_shape(&c);
    err = run(s, &c, "mariadb-install-db", why);
    command_free(&c);
    return err == SL_OK ? sl_fs_rename(s->env->fs, new_data, s->data, why) : err;
}

static enum sl_err see_to_data(struct private_mariadb *s, struct sl_why *why)
{
    struct sl_file_info info;
    enum sl_err         err;

    if ((err = sl_fs_mkdir_all(s->env->fs, s->dir, why)) != SL_OK)
        return err;
    err = sl_fs_info(s->env->fs, s->data, &info, why);
    return err == SL_NOT_FOUND ? make_data(s, why) : err;
}

/* ---- accounts ---- */

static void make_password(struct private_mariadb *s)
{
    uint8_t bytes[SECRET_BYTES];

    s->env->random->fill(s->env->random, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(s->password + 2 * i, 3, "%02x", bytes[i]);
}

/* The server runs this before it takes connections: nobody but root at the socket, and we. */
static enum sl_err write_accounts(const struct private_mariadb *s, char *path, struct sl_why *why)
{
    char        text[1024];
    int         len;
    enum sl_err err = sl_path_join(path, s->dir, "accounts.sql", why);

    if (err != SL_OK)
        return err;
    len = snprintf(text, sizeof text,
                   "DELETE FROM mysql.global_priv WHERE User IN ('', 'root') AND Host <> "
                   "'localhost';\n"
                   "FLUSH PRIVILEGES;\n"
                   "CREATE OR REPLACE USER %s@'127.0.0.1' IDENTIFIED BY '%s';\n"
                   "GRANT ALL ON *.* TO %s@'127.0.0.1' WITH GRANT OPTION;\n",
                   user_name, s->password, user_name);
    SL_ASSERT(len > 0 && (size_t)len < sizeof text);
    return sl_fs_replace(s->env->fs, path, text, (size_t)len, why);
}

/* ---- the server ---- */

/* One that nobody has now; should another take it before the server does, the server ends and says
 * so. */
static enum sl_err choose_port(struct private_mariadb *s, struct sl_why *why)
{
    struct sl_socket *socket;
    char              address[SL_ADDR_BYTES_MAX];
    enum sl_err       err = sl_net_listen(s->env->net, "127.0.0.1:0", &socket, why);

    if (err != SL_OK)
        return err;
    sl_socket_local(socket, address);
    sl_socket_close(&socket);
    s->port = (uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10);
    return SL_OK;
}

static void add_server(struct command *c, const struct private_mariadb *s, const char *accounts)
{
    add(c, "--no-defaults");
    add(c, "--datadir=%s", s->data);
    add(c, "--tmpdir=%s", s->dir);
    add(c, "--socket=%s", s->socket);
    add(c, "--port=%u", s->port);
    add(c, "--bind-address=127.0.0.1");
    add(c, "--pid-file=%s/pid", s->dir);
    add(c, "--init-file=%s", accounts);
    /* What TiDB's statements are to mean. */
    add(c, "--sql-mode=");
    add(c, "--innodb-strict-mode=0");
    add(c, "--character-set-server=utf8mb4");
    add(c, "--collation-server=utf8mb4_bin");
    add(c, "--max-allowed-packet=256M");
    /* Small and quick. */
    add(c, "--innodb-flush-log-at-trx-commit=%d", s->durable ? 1 : 2);
    add(c, "--innodb-buffer-pool-size=64M");
    add(c, "--innodb-buffer-pool-dump-at-shutdown=OFF");
    add(c, "--innodb-buffer-pool-load-at-startup=OFF");
    add(c, "--skip-log-bin");
    add(c, "--skip-name-resolve");
    add(c, "--performance-schema=OFF");
    add_shape(c);
}

static enum sl_err start_server(struct private_mariadb *s, struct sl_why *why)
{
    struct command            c = {0};
    struct sl_process_options options = {.argv = c.argv, .log = s->log};
    char                      program[SL_PATH_BYTES_MAX];
    char                      accounts[SL_PATH_BYTES_MAX];
    enum sl_err               err;

    if ((err = find_program("mariadbd", program, why)) != SL_OK ||
        (err = write_accounts(s, accounts, why)) != SL_OK)
        return err;
    add(&c, "%s", program);
    add_server(&c, s, accounts);
    err = sl_process_start(&options, &s->process, why);
    command_free(&c);
    return err;
}

enum sl_err private_mariadb_revive(struct private_mariadb *server, struct sl_why *why)
{
    sl_process_end(&server->process, 0);
    return start_server(server, why);
}

static enum sl_err try_connection(const struct private_mariadb *s, struct sl_why *why)
{
    const struct sl_mysql_options options = {.socket = s->socket,
                                             .user = "root",
                                             .connect_timeout_ms = 1000,
                                             .read_timeout_ms = 1000,
                                             .write_timeout_ms = 1000};
    struct sl_mysql              *connection;
    enum sl_err                   err = sl_mysql_open(&options, &connection, NULL, why);

    if (err == SL_OK)
        sl_mysql_close(&connection);
    return err;
}

static enum sl_err wait_until_serving(struct private_mariadb *s, struct sl_why *why)
{
    enum { LOOK_MS = 20, PATIENCE_S = 60 };
    sl_nanos    give_up_at = sl_env_now(s->env) + PATIENCE_S * (sl_nanos)SL_NANOS_PER_S;
    enum sl_err err;

    while ((err = try_connection(s, why)) != SL_OK) {
        if ((err = private_mariadb_check(s, why)) != SL_OK)
            return err;
        if (cli_is_stopped())
            return sl_fail(why, SL_STOPPED, "stopped by a signal");
        if (sl_env_now(s->env) > give_up_at)
            return sl_wrap(why, SL_UNAVAILABLE, "MariaDB does not serve after %d s", PATIENCE_S);
        cli_pause(s->env, LOOK_MS);
    }
    return SL_OK;
}

/* ---- all of it ---- */

/* A path to a socket has at most 107 bytes on Linux. */
enum { SOCKET_PATH_BYTES_MAX = 107 };

static enum sl_err make_paths(struct private_mariadb *s, const char *dir, struct sl_why *why)
{
    enum sl_err err;

    if ((err = sl_path_add(s->dir, dir, "", why)) != SL_OK ||
        (err = sl_path_join(s->data, dir, "data", why)) != SL_OK ||
        (err = sl_path_join(s->log, dir, "mariadb.log", why)) != SL_OK ||
        (err = sl_path_join(s->socket, dir, "sock", why)) != SL_OK)
        return err;
    if (strlen(s->socket) > SOCKET_PATH_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "%.200s is longer than a socket's path may be (%d bytes)",
                       s->socket, SOCKET_PATH_BYTES_MAX);
    return SL_OK;
}

enum sl_err private_mariadb_start(const struct sl_env *env, const char *dir, bool durable,
                                  struct private_mariadb **out, struct sl_why *why)
{
    struct private_mariadb *s = calloc(1, sizeof *s);
    enum sl_err             err;

    SL_ASSERT(s != NULL);
    s->env = env;
    s->durable = durable;
    make_password(s);
    if ((err = make_paths(s, dir, why)) != SL_OK || (err = see_to_data(s, why)) != SL_OK ||
        (err = choose_port(s, why)) != SL_OK || (err = start_server(s, why)) != SL_OK ||
        (err = wait_until_serving(s, why)) != SL_OK) {
        private_mariadb_stop(&s);
        return err;
    }
    *out = s;
    return SL_OK;
}

void private_mariadb_stop(struct private_mariadb **server)
{
    enum { PATIENCE_S = 20 };
    struct private_mariadb *old = *server;

    *server = NULL;
    if (old == NULL)
        return;
    sl_process_end(&old->process, PATIENCE_S * (sl_nanos)SL_NANOS_PER_S);
    free(old);
}

struct private_mariadb_place private_mariadb_place(const struct private_mariadb *server)
{
    return (struct private_mariadb_place){.socket = server->socket,
                                          .user = user_name,
                                          .password = server->password,
                                          .port = server->port,
                                          .pid = sl_process_id(server->process)};
}

enum sl_err private_mariadb_check(struct private_mariadb *server, struct sl_why *why)
{
    int code;

    if (server->process == NULL)
        return sl_fail(why, SL_UNAVAILABLE, "MariaDB does not run");
    if (!sl_process_has_ended(server->process, &code))
        return SL_OK;
    return fail_ended(server, "MariaDB", code, why);
}
