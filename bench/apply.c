/* B12, apply-insert, -update, -delete: small rows into a private MariaDB over one connection, 500
 * to a transaction; B13, apply-strict: upstream transactions of four updates, each kept. Ours is
 * what a worker actor does with parts that were handed out: the sink's own worker, with fence,
 * folding and checks. The limit is the best of what libmariadb can do when it is tuned to the table
 * by hand: a prepared statement of many rows, an array of parameters, a list of keys; a packet of
 * several statements. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/config.h"
#include "actors/drainer/row_keys.h"
#include "actors/drainer/sink_mysql.h"
#include "actors/drainer/window.h"
#include "binlog/table_private.h"
#include "harness.h"
#include "sink_probe.h"

enum {
    ROWS = 300000,
    ROWS_QUICK = 20000,
    COLUMNS = 4,
    CLUSTER = 7,
    SERVER_S = 60,
    FIRST_TS = 1000, /* of the stream; it rises with every transaction */
};

#define NAMED(text) ((struct sl_slice){(const uint8_t *)(text), sizeof(text) - 1})

static struct sl_table *table_new(void)
{
    static const struct sl_column columns[COLUMNS] = {
        {.id = 1,
         .name = NAMED("id"),
         .type = SL_TYPE_LONGLONG,
         .state = SL_SCHEMA_PUBLIC,
         .flags = SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL},
        {.id = 2, .name = NAMED("k"), .type = SL_TYPE_LONG, .state = SL_SCHEMA_PUBLIC},
        {.id = 3, .name = NAMED("c"), .type = SL_TYPE_VARCHAR, .state = SL_SCHEMA_PUBLIC},
        {.id = 4, .name = NAMED("v"), .type = SL_TYPE_VARCHAR, .state = SL_SCHEMA_PUBLIC},
    };

    return table_copy(&(struct sl_table){.id = 1,
                                         .schema = NAMED("bench"),
                                         .name = NAMED("t"),
                                         .columns = columns,
                                         .column_count = COLUMNS,
                                         .pk_is_handle = true});
}

static bool say(const char *what, const struct sl_why *why)
{
    fprintf(stderr, "apply: %s: %s\n", what, why->text);
    return false;
}

/* ---- a sink and one worker of it ---- */

/* The rows of one part: their values lie here. */
struct rows {
    struct sl_value values[SINK_PROBE_BATCH][COLUMNS];
    struct sl_value old[SINK_PROBE_BATCH][COLUMNS];
    char            v[SINK_PROBE_BATCH][SINK_PROBE_VALUE_BYTES];
    char            v_old[SINK_PROBE_BATCH][SINK_PROBE_VALUE_BYTES];
};

struct worker {
    struct sl_drainer_config        config;
    struct sl_sink                 *sink; /* owned, as are the others */
    struct sl_sink_worker          *end;
    struct sl_table                *table;
    struct sl_row_keys             *keys;
    struct sl_window               *window; /* of one transaction */
    struct sl_row_part              part;
    struct rows                    *rows;
    const struct sl_window_change **changes;
    enum sl_change_kind             kind;
    sl_ts                           ts;
};

static void configure(struct sl_drainer_config *c, const struct sink_server *server, bool dispatch)
{
    *c = (struct sl_drainer_config){.dispatch = dispatch,
                                    .read_timeout_nanos = (int64_t)SERVER_S * SL_NANOS_PER_S,
                                    .checkpoint_schema = (char *)"bench_checkpoint",
                                    .checkpoint_table = (char *)"checkpoint"};
    c->to = (struct sl_drainer_server){.host = (char *)"127.0.0.1",
                                       .port = server->port,
                                       .user = (char *)"root",
                                       .password = (char *)""};
    c->checkpoint = c->to;
}

static void make_window(struct worker *w)
{
    w->window = sl_window_new(0);
    w->window->txn_count = 1;
    w->window->txns[0].owner = sl_buf_new(1); /* a transaction has a record, if only to be freed */
    sl_window_reserve(w->window, SINK_PROBE_BATCH);
    w->window->change_count = SINK_PROBE_BATCH;
    w->rows = calloc(1, sizeof *w->rows);
    w->changes = calloc(SINK_PROBE_BATCH, sizeof(struct sl_window_change *));
    if (w->rows == NULL || w->changes == NULL)
        abort();
    for (uint32_t i = 0; i < SINK_PROBE_BATCH; i++)
        w->changes[i] = &w->window->changes[i];
    w->part = (struct sl_row_part){.window = w->window, .changes = w->changes, .workers = 1};
}

static bool open_worker(struct worker *w, const struct sink_server *server,
                        enum sl_change_kind kind, bool dispatch)
{
    struct sl_sink_table *described = NULL;
    struct sl_why         why = {0};

    w->kind = kind;
    w->ts = FIRST_TS;
    w->table = table_new();
    configure(&w->config, server, dispatch);
    make_window(w);
    if (sl_sink_mysql_open(&w->config, CLUSTER, 1, &w->sink, &why) != SL_OK ||
        w->sink->ops->describe(w->sink, w->table, &described, &why) != SL_OK ||
        w->sink->ops->worker_open(w->sink, 0, &w->end, &why) != SL_OK) {
        sl_sink_table_free(&described);
        return say("open", &why);
    }
    w->keys = sl_row_keys_new(w->table, described);
    sl_sink_table_free(&described);
    return true;
}

static void close_worker(struct worker *w)
{
    if (w->end != NULL)
        w->sink->ops->worker_close(w->end);
    sl_row_keys_free(&w->keys);
    sl_sink_free(&w->sink);
    sl_window_free(&w->window);
    sl_table_free(&w->table);
    free(w->rows);
    free((void *)w->changes);
}

static void put_image(struct sl_value image[COLUMNS], uint64_t row, uint64_t turn,
                      char v[SINK_PROBE_VALUE_BYTES])
{
    image[0] = (struct sl_value){.kind = SL_VALUE_INT, .i = sink_probe_key(row)};
    image[1] = (struct sl_value){.kind = SL_VALUE_INT, .i = (int64_t)row};
    image[2] = (struct sl_value){.kind = SL_VALUE_TEXT, .text = NAMED(SINK_PROBE_TEXT)};
    image[3] = (struct sl_value){
        .kind = SL_VALUE_TEXT,
        .text = (struct sl_slice){(const uint8_t *)v, sink_probe_value(row, turn, v)}};
}

/* `count` rows from `first` on, as one upstream transaction. */
static bool apply(struct worker *w, uint64_t first, uint32_t count, uint64_t turn)
{
    struct sl_row_part *part = &w->part;
    struct sl_why       why = {0};

    w->window->txns[0].commit_ts = w->ts++;
    for (uint32_t i = 0; i < count; i++) {
        struct sl_window_change *change = &w->window->changes[i];

        put_image(w->rows->values[i], first + i, turn, w->rows->v[i]);
        *change = (struct sl_window_change){
            .change = {.kind = w->kind, .table = w->table, .values = w->rows->values[i]},
            .ordinal = i,
            .keys = w->keys};
        if (w->kind == SL_CHANGE_UPDATE) {
            put_image(w->rows->old[i], first + i, turn - 1, w->rows->v_old[i]);
            change->change.old = w->rows->old[i];
        }
    }
    part->count = count;
    return w->sink->ops->apply(w->end, &part, 1, &why) == SL_OK || say("apply", &why);
}

/* ---- measuring ---- */

struct job {
    enum sink_work work;
    uint32_t       batch; /* rows of a transaction */
    bool           dispatch;
};

static bool write_all(struct worker *w, const struct job *job, uint64_t rows_max, double seconds,
                      struct bench_sample *out)
{
    double   began = bench_now();
    double   cpu = bench_cpu_now();
    uint64_t done = 0;

    do {
        uint64_t first = job->work == SINK_UPDATE ? done % rows_max : done;

        if (!apply(w, first, job->batch, 1 + done / rows_max))
            return false;
        done += job->batch;
    } while (bench_now() - began < seconds && (job->work == SINK_UPDATE || done < rows_max));
    out->value[0] = (double)done / (bench_now() - began) / (job->dispatch ? 1 : job->batch);
    out->value[1] = (bench_cpu_now() - cpu) * 1e6 / (double)done;
    return true;
}

static uint64_t rows_of(const struct bench_options *options)
{
    return options->quick ? ROWS_QUICK : ROWS;
}

static bool ours(const struct job *job, const struct bench_options *options,
                 struct bench_sample *out)
{
    static const enum sl_change_kind kinds[] = {SL_CHANGE_INSERT, SL_CHANGE_UPDATE,
                                                SL_CHANGE_DELETE};
    struct sink_server               server;
    struct worker                    w = {0};
    bool                             good;

    if (!sink_server_start(&server))
        return false;
    good = (job->work == SINK_INSERT || sink_server_fill(&server, rows_of(options))) &&
           open_worker(&w, &server, kinds[job->work], job->dispatch) &&
           write_all(&w, job, rows_of(options), options->seconds, out);
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

static bool limit_strict(const struct bench_options *options, struct bench_sample *out)
{
    struct sink_server server;

    if (!sink_server_start(&server))
        return false;
    out->value[0] = sink_server_fill(&server, rows_of(options))
                        ? sink_probe_strict_rate(&server, rows_of(options), options->seconds)
                        : -1;
    sink_server_stop(&server);
    return out->value[0] > 0;
}

/* ---- cases ---- */

#define CASE(name, work)                                                              \
    static bool ours_##name(const struct bench_options *o, struct bench_sample *out)  \
    {                                                                                 \
        return ours(&(struct job){work, SINK_PROBE_BATCH, true}, o, out);             \
    }                                                                                 \
    static bool limit_##name(const struct bench_options *o, struct bench_sample *out) \
    {                                                                                 \
        return limit(work, o, out);                                                   \
    }

CASE(insert, SINK_INSERT)
CASE(update, SINK_UPDATE)
CASE(delete, SINK_DELETE)

static bool ours_strict(const struct bench_options *o, struct bench_sample *out)
{
    return ours(&(struct job){SINK_UPDATE, SINK_STRICT_ROWS, false}, o, out);
}

int main(int argc, char **argv)
{
    static const struct bench_metric rows = {.name = "rate", .unit = "row/s"};
    static const struct bench_metric cpu = {
        .name = "client-cpu", .unit = "us/row", .smaller_is_better = true, .limit = 0.3};
    static const struct bench_metric txns = {.name = "rate", .unit = "txn/s"};
    const struct bench_case          cases[] = {
                 {"apply-insert/small", "new rows", {rows, cpu}, ours_insert, limit_insert, NULL},
                 {"apply-update/small", "whole rows", {rows, cpu}, ours_update, limit_update, NULL},
                 {"apply-delete/small", "by key", {rows, cpu}, ours_delete, limit_delete, NULL},
                 {"apply-strict/small", "4 updates", {txns}, ours_strict, limit_strict, NULL},
    };

    return bench_main(NULL, cases, sizeof cases / sizeof *cases, argc, argv);
}
