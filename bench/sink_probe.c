#include "sink_probe.h"

#include <inttypes.h>
#include <mariadb/mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

enum { PARAMETERS = 4, TEXT_BYTES = 1 << 17, FILL_BATCH = 1000, MULTIPLIER = 7919, TURNS = 1000 };

/* A prime above all row numbers, so that keys are scattered and do not repeat. */
static const uint64_t MODULUS = 1000000007;

int64_t sink_probe_key(uint64_t row)
{
    return (int64_t)(row * MULTIPLIER % MODULUS);
}

static char *put_number(char *at, uint64_t number)
{
    char     digits[SINK_PROBE_VALUE_BYTES];
    uint32_t count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* Not by snprintf: that takes a fifth of what a row may cost its sender in all, for each value. */
uint32_t sink_probe_value(uint64_t row, uint64_t turn, char out[SINK_PROBE_VALUE_BYTES])
{
    char *at = put_number(out, row);

    *at++ = '.';
    at = put_number(at, turn % TURNS);
    *at = '\0';
    return (uint32_t)(at - out);
}

/* ---- a connection ---- */

static bool say(const char *what, const char *text)
{
    fprintf(stderr, "sink probe: %s: %s\n", what, text);
    return false;
}

static bool run(MYSQL *mysql, const char *sql, size_t len)
{
    return mysql_real_query(mysql, sql, len) == 0 || say("statement", mysql_error(mysql));
}

static bool run_text(MYSQL *mysql, const char *sql)
{
    return run(mysql, sql, strlen(sql));
}

static MYSQL *connect_to(const struct sink_server *server)
{
    MYSQL       *mysql = mysql_init(NULL);
    unsigned int protocol = MYSQL_PROTOCOL_TCP;

    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    if (mysql_real_connect(mysql, "127.0.0.1", "root", "", NULL, server->port, NULL,
                           CLIENT_MULTI_STATEMENTS) != NULL)
        return mysql;
    (void)say("connect", mysql_error(mysql));
    mysql_close(mysql);
    return NULL;
}

/* ---- the server ---- */

/* tests/integration/mariadb.py of the tree that this program was built in: zig-out/bench is two
 * folders below its root. */
static bool script_path(char *out, size_t room)
{
    ssize_t length = readlink("/proc/self/exe", out, room - 1);

    if (length <= 0)
        return false;
    out[length] = '\0';
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(out, '/');

        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    length = (ssize_t)strlen(out);
    return snprintf(out + length, room - (size_t)length, "/tests/integration/mariadb.py") <
           (int)(room - (size_t)length);
}

static void become_server(int input, int output)
{
    char path[4096];

    (void)dup2(input, 0);
    (void)dup2(output, 1);
    if (script_path(path, sizeof path))
        execlp("python3", "python3", path, "--innodb-buffer-pool-size=512M",
               "--innodb-log-file-size=512M", (char *)NULL);
    _exit(127);
}

static bool read_port(int output, uint16_t *port)
{
    char    text[16] = "";
    ssize_t got = read(output, text, sizeof text - 1);

    *port = got > 0 ? (uint16_t)strtoul(text, NULL, 10) : 0;
    return *port != 0 || say("server", "MariaDB did not start");
}

static bool make_table(const struct sink_server *server)
{
    MYSQL *mysql = connect_to(server);
    bool   done = mysql != NULL && run_text(mysql, "CREATE DATABASE bench") &&
                run_text(mysql, SINK_PROBE_TABLE);

    if (mysql != NULL)
        mysql_close(mysql);
    return done;
}

bool sink_server_start(struct sink_server *server)
{
    int input[2];
    int output[2];

    if (pipe(input) != 0 || pipe(output) != 0)
        return say("server", "no pipe");
    fflush(NULL);
    server->pid = fork();
    if (server->pid == 0) {
        (void)close(input[1]);
        (void)close(output[0]);
        become_server(input[0], output[1]);
    }
    (void)close(input[0]);
    (void)close(output[1]);
    server->input = input[1];
    if (server->pid > 0 && read_port(output[0], &server->port) && make_table(server)) {
        (void)close(output[0]);
        return true;
    }
    (void)close(output[0]);
    sink_server_stop(server);
    return false;
}

void sink_server_stop(struct sink_server *server)
{
    /* Its end of input: the script then ends the server and removes its folder. */
    (void)close(server->input);
    if (server->pid > 0)
        (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

/* The script's only child. */
pid_t sink_server_process(const struct sink_server *server)
{
    char  path[64];
    FILE *f;
    int   pid = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)server->pid,
                   (int)server->pid);
    if ((f = fopen(path, "r")) == NULL)
        return 0;
    if (fscanf(f, "%d", &pid) != 1)
        pid = 0;
    (void)fclose(f);
    return pid;
}

/* ---- text ---- */

static size_t put_rows(char *out, uint64_t first, uint64_t count)
{
    char *at = out;

    at += snprintf(at, TEXT_BYTES, "INSERT INTO bench.t(id,k,c,v) VALUES ");
    for (uint64_t i = first; i < first + count; i++) {
        char v[SINK_PROBE_VALUE_BYTES];

        (void)sink_probe_value(i, 0, v);
        at += snprintf(at, (size_t)(out + TEXT_BYTES - at), "%s(%" PRId64 ",%u,'%s','%s')",
                       i == first ? "" : ",", sink_probe_key(i), (unsigned)i, SINK_PROBE_TEXT, v);
    }
    return (size_t)(at - out);
}

static size_t put_keys(char *out, uint64_t first, uint64_t count)
{
    char *at = out;

    at += snprintf(at, TEXT_BYTES, "DELETE FROM bench.t WHERE id IN (");
    for (uint64_t i = first; i < first + count; i++)
        at += snprintf(at, (size_t)(out + TEXT_BYTES - at), "%s%" PRId64, i == first ? "" : ",",
                       sink_probe_key(i));
    *at++ = ')';
    return (size_t)(at - out);
}

bool sink_server_fill(const struct sink_server *server, uint64_t count)
{
    MYSQL *mysql = connect_to(server);
    char  *text = malloc(TEXT_BYTES);
    bool   good = mysql != NULL && text != NULL;

    for (uint64_t i = 0; good && i < count; i += FILL_BATCH)
        good = run(mysql, text, put_rows(text, i, count - i < FILL_BATCH ? count - i : FILL_BATCH));
    free(text);
    if (mysql != NULL)
        mysql_close(mysql);
    return good;
}

/* ---- the ways ---- */

/* One batch of rows in libmariadb's terms, by columns, and a statement that takes it. */
struct batch {
    MYSQL         *mysql;
    MYSQL_STMT    *statement; /* NULL: text */
    enum sink_way  way;
    enum sink_work work;
    MYSQL_BIND    *binds;
    long long      id[SINK_PROBE_BATCH];
    int            k[SINK_PROBE_BATCH];
    char          *c[SINK_PROBE_BATCH];
    unsigned long  c_len[SINK_PROBE_BATCH];
    char           v[SINK_PROBE_BATCH][SINK_PROBE_VALUE_BYTES];
    char          *v_at[SINK_PROBE_BATCH];
    unsigned long  v_len[SINK_PROBE_BATCH];
    char           text[TEXT_BYTES];
};

bool sink_way_fits(enum sink_way way, enum sink_work work)
{
    return work == SINK_DELETE ? way != SINK_PREPARED : way != SINK_TEXT;
}

static void bind_array(struct batch *b)
{
    MYSQL_BIND *at = b->binds;

    at[0] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = b->id};
    at[1] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONG, .buffer = b->k};
    at[2] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING, .buffer = b->c, .length = b->c_len};
    at[3] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING, .buffer = b->v_at, .length = b->v_len};
}

static void bind_rows(struct batch *b)
{
    for (unsigned i = 0; i < SINK_PROBE_BATCH; i++) {
        MYSQL_BIND *at = &b->binds[i * PARAMETERS];

        at[0] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &b->id[i]};
        at[1] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONG, .buffer = &b->k[i]};
        at[2] = (MYSQL_BIND){
            .buffer_type = MYSQL_TYPE_STRING, .buffer = b->c[i], .length = &b->c_len[i]};
        at[3] = (MYSQL_BIND){
            .buffer_type = MYSQL_TYPE_STRING, .buffer = b->v[i], .length = &b->v_len[i]};
    }
}

static size_t put_statement(struct batch *b)
{
    size_t len;

    if (b->work == SINK_DELETE)
        return (size_t)snprintf(b->text, TEXT_BYTES, "DELETE FROM bench.t WHERE id=?");
    len = (size_t)snprintf(b->text, TEXT_BYTES, "%s INTO bench.t(id,k,c,v) VALUES (?,?,?,?)",
                           b->work == SINK_INSERT ? "INSERT" : "REPLACE");
    for (unsigned i = 1; b->way == SINK_PREPARED && i < SINK_PROBE_BATCH; i++)
        len += (size_t)snprintf(b->text + len, TEXT_BYTES - len, ",(?,?,?,?)");
    return len;
}

static bool prepare(struct batch *b)
{
    unsigned int rows = SINK_PROBE_BATCH;

    for (unsigned i = 0; i < SINK_PROBE_BATCH; i++) {
        b->c[i] = (char *)SINK_PROBE_TEXT;
        b->c_len[i] = sizeof SINK_PROBE_TEXT - 1;
        b->v_at[i] = b->v[i];
    }
    if (b->way == SINK_TEXT)
        return true;
    b->binds = calloc((size_t)SINK_PROBE_BATCH * PARAMETERS, sizeof *b->binds);
    b->statement = mysql_stmt_init(b->mysql);
    if (b->binds == NULL || b->statement == NULL)
        return say("statement", "out of memory");
    if (mysql_stmt_prepare(b->statement, b->text, put_statement(b)) != 0)
        return say("prepare", mysql_stmt_error(b->statement));
    if (b->way == SINK_ARRAY)
        bind_array(b);
    else
        bind_rows(b);
    return b->way == SINK_PREPARED ||
           mysql_stmt_attr_set(b->statement, STMT_ATTR_ARRAY_SIZE, &rows) == 0;
}

static bool write_batch(struct batch *b, uint64_t first, uint64_t turn)
{
    bool good;

    if (!run_text(b->mysql, "BEGIN"))
        return false;
    if (b->way == SINK_TEXT) {
        good = run(b->mysql, b->text, put_keys(b->text, first, SINK_PROBE_BATCH));
    } else {
        for (unsigned i = 0; i < SINK_PROBE_BATCH; i++) {
            b->id[i] = sink_probe_key(first + i);
            b->k[i] = (int)(first + i);
            b->v_len[i] = sink_probe_value(first + i, turn, b->v[i]);
        }
        good = (mysql_stmt_bind_param(b->statement, b->binds) == 0 &&
                mysql_stmt_execute(b->statement) == 0) ||
               say("execute", mysql_stmt_error(b->statement));
    }
    return good && run_text(b->mysql, "COMMIT");
}

static double write_batches(struct batch *b, uint64_t rows_max, double seconds)
{
    double   began = bench_now();
    uint64_t done = 0;

    do {
        uint64_t first = b->work == SINK_UPDATE ? done % rows_max : done;

        if (!write_batch(b, first, 1 + done / rows_max))
            return -1;
        done += SINK_PROBE_BATCH;
    } while (bench_now() - began < seconds && (b->work == SINK_UPDATE || done < rows_max));
    return (double)done / (bench_now() - began);
}

double sink_probe_rate(const struct sink_server *server, enum sink_way way, enum sink_work work,
                       uint64_t rows_max, double seconds)
{
    struct batch *b = calloc(1, sizeof *b);
    double        rate = -1;

    if (b == NULL)
        return -1;
    b->mysql = connect_to(server);
    b->way = way;
    b->work = work;
    if (b->mysql != NULL && prepare(b))
        rate = write_batches(b, rows_max, seconds);
    if (b->statement != NULL)
        (void)mysql_stmt_close(b->statement);
    if (b->mysql != NULL)
        mysql_close(b->mysql);
    free(b->binds);
    free(b);
    return rate;
}

/* ---- kept transactions ---- */

static bool write_packet(MYSQL *mysql, char *text, uint64_t first, uint64_t turn)
{
    size_t len = (size_t)snprintf(text, TEXT_BYTES, "BEGIN");
    char   v[SINK_PROBE_VALUE_BYTES];

    for (uint64_t i = first; i < first + SINK_STRICT_ROWS; i++) {
        (void)sink_probe_value(i, turn, v);
        len +=
            (size_t)snprintf(text + len, TEXT_BYTES - len,
                             ";UPDATE bench.t SET v='%s' WHERE id=%" PRId64, v, sink_probe_key(i));
    }
    len += (size_t)snprintf(text + len, TEXT_BYTES - len, ";COMMIT");
    if (!run(mysql, text, len))
        return false;
    while (mysql_next_result(mysql) == 0)
        continue;
    return mysql_errno(mysql) == 0 || say("packet", mysql_error(mysql));
}

double sink_probe_strict_rate(const struct sink_server *server, uint64_t rows_max, double seconds)
{
    MYSQL   *mysql = connect_to(server);
    char    *text = malloc(TEXT_BYTES);
    bool     good = mysql != NULL && text != NULL;
    double   began = bench_now();
    uint64_t done = 0;

    do {
        uint64_t row = done * SINK_STRICT_ROWS;

        good = good && write_packet(mysql, text, row % rows_max, 1 + row / rows_max);
        done++;
    } while (good && bench_now() - began < seconds);
    free(text);
    if (mysql != NULL)
        mysql_close(mysql);
    return good ? (double)done / (bench_now() - began) : -1;
}
