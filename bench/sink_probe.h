#ifndef SL_BENCH_SINK_PROBE_H
#define SL_BENCH_SINK_PROBE_H

/* What a MySQL server takes when nothing but libmariadb stands before it: the ways that are known
 * to be fast, hand-tuned to one small table. And the private server that both sides of a case use,
 * which ends with its starter. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The table of all cases, and its rows: a function of their number. Keys are scattered. */
#define SINK_PROBE_TABLE \
    "CREATE TABLE bench.t (id BIGINT PRIMARY KEY, k INT, c VARCHAR(60), v VARCHAR(20))"
#define SINK_PROBE_TEXT "abcdefghijklmnopqrstuvwxyz0123456789"
enum {
    SINK_PROBE_BATCH = 500,     /* rows of a statement, and of a transaction */
    SINK_PROBE_VALUE_BYTES = 24 /* room for v, terminator included */
};
int64_t sink_probe_key(uint64_t row);
/* Put v of a row; its length. `turn` makes it another value. */
uint32_t sink_probe_value(uint64_t row, uint64_t turn, char out[SINK_PROBE_VALUE_BYTES]);

/* ---- the server ---- */

struct sink_server {
    pid_t    pid;
    int      input; /* closing it ends the server */
    uint16_t port;
};

/* Start one and wait until it serves, with an empty table. False: standard error says why. */
bool sink_server_start(struct sink_server *server);
void sink_server_stop(struct sink_server *server);
/* The process of mariadbd itself; 0: not to be found. */
pid_t sink_server_process(const struct sink_server *server);
/* Fill the empty table with rows 0..count - 1. */
bool sink_server_fill(const struct sink_server *server, uint64_t count);

/* ---- the limit ---- */

enum sink_work { SINK_INSERT, SINK_UPDATE, SINK_DELETE };
enum sink_way { SINK_PREPARED, SINK_ARRAY, SINK_TEXT };

/* Does libmariadb have this way for that work? A list of keys is text; a prepared one is not tried.
 */
bool sink_way_fits(enum sink_way way, enum sink_work work);

/* Do the work for about so many seconds, or until rows_max rows are done; rows per second. An
 * UPDATE replaces rows 0..rows_max - 1, again and again. Negative: standard error says why. */
double sink_probe_rate(const struct sink_server *server, enum sink_way way, enum sink_work work,
                       uint64_t rows_max, double seconds);

/* Transactions per second when each updates SINK_STRICT_ROWS rows of 0..rows_max - 1 by a statement
 * each, all of a transaction in one packet. Negative: standard error says why. */
enum { SINK_STRICT_ROWS = 4 };
double sink_probe_strict_rate(const struct sink_server *server, uint64_t rows_max, double seconds);

#endif
