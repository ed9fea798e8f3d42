/* drainer_apply: small rows into a private MariaDB, over one connection, 500 to a transaction
 * (design: performance.md B12, case small). Ours is what a sink worker does with changes that are
 * decoded: the statement maker and the connection. The limit is the best of what libmariadb can do
 * when it is tuned to the table by hand: a prepared statement of many rows, an array of parameters,
 * a list of keys. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_table_load.h"
#include "binlog/statement.h"
#include "harness.h"
#include "net/mysql.h"
#include "sink_probe.h"

enum { ROWS = 300000, ROWS_QUICK = 20000, COLUMNS = 4, SERVER_MS = 60000 };

#define NAMED(text) ((struct sl_slice){(const uint8_t *)(text), sizeof(text) - 1})

static const struct sl_column columns[COLUMNS] = {
    {.name = NAMED("id"), .type = SL_TYPE_LONGLONG, .state = SL_SCHEMA_PUBLIC},
    {.name = NAMED("k"), .type = SL_TYPE_LONG, .state = SL_SCHEMA_PUBLIC},
    {.name = NAMED("c"), .type = SL_TYPE_VARCHAR, .state = SL_SCHEMA_PUBLIC},
    {.name = NAMED("v"), .type = SL_TYPE_VARCHAR, .state = SL_SCHEMA_PUBLIC},
};
static const struct sl_table table = {.columns = columns, .column_count = COLUMNS};

static bool say(const char *what, const struct sl_why *why)
{
    fprintf(stderr, "apply: %s: %s\n", what, why->text);
    return false;
}

/* ---- ours ---- */

struct worker {
    struct sl_mysql           *mysql;
    struct sl_sink_table      *sink;
    struct sl_statement_maker *maker;
    enum sl_statement_op       op;
};

static bool open_worker(struct worker *w, const struct sink_server *server, enum sink_work work)
{
    static const enum sl_statement_op ops[] = {SL_STATEMENT_INSERT, SL_STATEMENT_REPLACE,
                                               SL_STATEMENT_DELETE};
    struct sl_mysql_options           options = {.host = "127.0.0.1",
                                                 .port = server->port,
                                                 .user = "root",
                                                 .connect_timeout_ms = SERVER_MS,
                                                 .read_timeout_ms = SERVER_MS};
    struct sl_statement_options       limits = {.rows_max = SINK_PROBE_BATCH};
    struct sl_why                     why = {0};

    w->op = ops[work];
    if (sl_mysql_open(&options, &w->mysql, NULL, &why) != SL_OK ||
        sl_sink_table_load(w->mysql, NAMED("bench"), NAMED("t"), &w->sink, &why) != SL_OK)
        return say("open", &why);
    limits.bytes_max = (size_t)sl_mysql_session(w->mysql)->statement_bytes_max;
    w->maker = sl_statement_maker_new(&limits);
    return sl_statement_use(w->maker, &table, w->sink, &why) == SL_OK || say("table", &why);
}

static void close_worker(struct worker *w)
{
    sl_statement_maker_free(&w->maker);
    sl_sink_table_free(&w->sink);
    sl_mysql_close(&w->mysql);
}

static bool run_text(struct worker *w, const char *sql, size_t len)
{
    struct sl_why why = {0};

    return sl_mysql_exec(w->mysql, sql, len, NULL, &why) == SL_OK || say("statement", &why);
}

static bool add_row(struct worker *w, uint64_t row, uint64_t turn)
{
    char             v[SINK_PROBE_VALUE_BYTES];
    struct sl_value  values[COLUMNS] = {{.kind = SL_VALUE_INT, .i = sink_probe_key(row)},
                                        {.kind = SL_VALUE_INT, .i = (int64_t)row},
                                        {.kind = SL_VALUE_TEXT, .text = NAMED(SINK_PROBE_TEXT)},
                                        {.kind = SL_VALUE_TEXT}};
    struct sl_change change = {.table = &table, .values = values};
    struct sl_why    why = {0};

    values[3].text = (struct sl_slice){(const uint8_t *)v, sink_probe_value(row, turn, v)};
    return sl_statement_add(w->maker, w->op, &change, &why) == SL_OK || say("row", &why);
}

static bool write_batch(struct worker *w, uint64_t first, uint64_t turn)
{
    struct sl_slice text;
    bool            good;

    if (!run_text(w, "BEGIN", 5))
        return false;
    for (uint64_t i = first; i < first + SINK_PROBE_BATCH; i++)
        if (!add_row(w, i, turn))
            return false;
    text = sl_statement_text(w->maker);
    good = run_text(w, (const char *)text.bytes, text.len);
    sl_statement_clear(w->maker);
    return good && run_text(w, "COMMIT", 6);
}

static bool write_batches(struct worker *w, enum sink_work work, uint64_t rows_max, double seconds,
                          struct bench_sample *out)
{
    double   began = bench_now();
    double   cpu = bench_cpu_now();
    uint64_t done = 0;

    do {
        if (!write_batch(w, work == SINK_UPDATE ? done % rows_max : done, 1 + done / rows_max))
            return false;
        done += SINK_PROBE_BATCH;
    } while (bench_now() - began < seconds && (work == SINK_UPDATE || done < rows_max));
    out->value[0] = (double)done / (bench_now() - began);
    out->value[1] = (bench_cpu_now() - cpu) * 1e6 / (double)done;
    return true;
}

static uint64_t rows_of(const struct bench_options *options)
{
    return options->quick ? ROWS_QUICK : ROWS;
}

static bool ours(enum sink_work work, const struct bench_options *options, struct bench_sample *out)
{
    struct sink_server server;
    struct worker      w = {0};
    bool               good;

    if (!sink_server_start(&server))
        return false;
    good = (work == SINK_INSERT || sink_server_fill(&server, rows_of(options))) &&
           open_worker(&w, &server, work) &&
           write_batches(&w, work, rows_of(options), options->seconds, out);
    close_worker(&w);
    sink_server_stop(&server);
    return good;
}

/* ---- the limit ---- */

/* The best of the ways, each on a server of its own. The processor time that a row must cost has no
 * probe: it is a figure of the design. */
static bool limit(enum sink_work work, const struct bench_options *options,
                  struct bench_sample *out)
{
    static const enum sink_way ways[] = {SINK_PREPARED, SINK_ARRAY, SINK_TEXT};

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct sink_server server;
        double             rate = -1;

        if (!sink_way_fits(ways[i], work))
            continue;
        if (!sink_server_start(&server))
            return false;
        if (work == SINK_INSERT || sink_server_fill(&server, rows_of(options)))
            rate = sink_probe_rate(&server, ways[i], work, rows_of(options), options->seconds);
        sink_server_stop(&server);
        if (rate < 0)
            return false;
        if (rate > out->value[0])
            out->value[0] = rate;
    }
    return true;
}

/* ---- cases ---- */

#define CASE(name, work)                                                              \
    static bool ours_##name(const struct bench_options *o, struct bench_sample *out)  \
    {                                                                                 \
        return ours(work, o, out);                                                    \
    }                                                                                 \
    static bool limit_##name(const struct bench_options *o, struct bench_sample *out) \
    {                                                                                 \
        return limit(work, o, out);                                                   \
    }

CASE(insert, SINK_INSERT)
CASE(update, SINK_UPDATE)
CASE(delete, SINK_DELETE)

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "row/s"};
    static const struct bench_metric cpu = {
        .name = "client-cpu", .unit = "us/row", .smaller_is_better = true, .limit = 0.3};
    const struct bench_case cases[] = {
        {"insert", "new rows", {rate, cpu}, ours_insert, limit_insert, NULL},
        {"update", "whole rows written again", {rate, cpu}, ours_update, limit_update, NULL},
        {"delete", "rows by key", {rate, cpu}, ours_delete, limit_delete, NULL},
    };

    return bench_main("drainer_apply", cases, sizeof cases / sizeof *cases, argc, argv);
}
