/* sluice pull PUMP: what a pump would give to a drainer, line by line. */

#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "sluice/cli.h"
#include "sluice/puller.h"

struct pull_config {
    char   *pd_urls;
    int64_t cluster_id;
    int64_t from;
    int64_t until;
    int64_t count;
    int64_t idle_exit; /* nanoseconds */
    char   *out;
    bool    fakes;
    bool    once;
    bool    quiet;
};

static const struct sl_conf_row rows[] = {
    {.flag = "pd-urls",
     SL_CONF_AT(STRING, struct pull_config, pd_urls),
     .help = "the cluster, local:DIR: its id"},
    {.flag = "cluster-id",
     SL_CONF_AT(INT, struct pull_config, cluster_id),
     .min = 0,
     .max = INT64_MAX,
     .help = "cluster id to ask with, where pd-urls does not say it"},
    {.flag = "from",
     SL_CONF_AT(INT, struct pull_config, from),
     .min = 0,
     .max = INT64_MAX,
     .help = "commit ts after which to begin; 0: with all there is"},
    {.flag = "until",
     SL_CONF_AT(INT, struct pull_config, until),
     .min = 0,
     .max = INT64_MAX,
     .help = "last commit ts wanted, which a fake binlog may pass too; 0: no end"},
    {.flag = "count",
     SL_CONF_AT(INT, struct pull_config, count),
     .min = 0,
     .max = INT64_MAX,
     .help = "transactions wanted; 0: no end"},
    {.flag = "idle-exit",
     SL_CONF_AT(DURATION, struct pull_config, idle_exit),
     .min = 0,
     .max = INT64_MAX,
     .unit = "ms",
     .bare_nanos = SL_NANOS_PER_MS,
     .help = "end when no transaction came for so long, in ms without a unit; 0: never"},
    {.flag = "out",
     SL_CONF_AT(STRING, struct pull_config, out),
     .help = "file for the payloads: length in 4 bytes, little endian, then the payload"},
    {.flag = "fakes",
     SL_CONF_AT(BOOL, struct pull_config, fakes),
     .help = "write fake binlogs to --out too"},
    {.flag = "once",
     SL_CONF_AT(BOOL, struct pull_config, once),
     .help = "end with the stream, instead of asking again from the last commit ts"},
    {.flag = "quiet",
     SL_CONF_AT(BOOL, struct pull_config, quiet),
     .help = "no line per transaction"},
};

static const struct sl_conf_table table = {
    .program = "sluice pull",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct pull_config),
};

/* All that one run holds. */
struct pull {
    const struct sl_env      *env;
    const struct pull_config *config;
    struct cli_cluster        cluster;
    struct sl_file           *out; /* owned; NULL: none */
    struct puller            *puller;
};

/* ---- what is heard ---- */

static const char *kind_of(const struct sl_record *record)
{
    if (sl_record_is_fake(record))
        return "fake";
    return record->ddl_job_id != 0 ? "ddl" : "dml";
}

/* On one line, whatever the client wrote. */
static void print_query(struct sl_slice query)
{
    if (query.len > 0)
        putchar(' ');
    for (size_t i = 0; i < query.len; i++)
        putchar(query.bytes[i] < 0x20 || query.bytes[i] == 0x7f ? ' ' : query.bytes[i]);
}

static void print_record(const struct sl_record *record, size_t payload_bytes)
{
    printf("%" PRId64 " %" PRId64 " %s %zu", record->commit_ts, record->start_ts, kind_of(record),
           payload_bytes);
    print_query(record->ddl_query);
    putchar('\n');
}

static enum sl_err heard(void *context, const struct sl_record *record, struct sl_slice payload,
                         struct sl_why *why)
{
    struct pull *p = context;
    uint8_t      head[4];
    enum sl_err  err;

    if (!p->config->quiet)
        print_record(record, payload.len);
    if (p->out == NULL || (sl_record_is_fake(record) && !p->config->fakes))
        return SL_OK;
    for (unsigned i = 0; i < sizeof head; i++)
        head[i] = (uint8_t)(payload.len >> (8 * i));
    if ((err = sl_file_write(p->out, head, sizeof head, why)) != SL_OK)
        return err;
    return sl_file_write(p->out, payload.bytes, payload.len, why);
}

/* ---- running ---- */

static enum sl_err begin(struct pull *p, const char *pump, struct sl_why *why)
{
    struct puller_options options = {
        .pump = pump,
        .from = p->config->from,
        .until = p->config->until,
        .count = (uint64_t)p->config->count,
        .idle_exit = (sl_nanos)p->config->idle_exit,
        .once = p->config->once,
        .reconnect = SL_NANOS_PER_S,
        .heard = heard,
        .context = p,
    };
    enum sl_err err =
        cli_cluster_open(p->env, p->config->pd_urls, p->config->cluster_id, &p->cluster, why);

    if (err != SL_OK)
        return err;
    if (p->cluster.id == 0)
        return sl_fail(why, SL_USAGE, "no cluster id: give --cluster-id or --pd-urls");
    options.cluster_id = p->cluster.id;
    if (p->config->out[0] != '\0' &&
        (err = sl_fs_create(p->env->fs, p->config->out, &p->out, why)) != SL_OK)
        return err;
    return puller_new(p->env, &options, &p->puller, why);
}

static enum sl_err pull(struct pull *p, const char *pump, struct sl_why *why)
{
    enum sl_err err = begin(p, pump, why);

    if (err != SL_OK)
        return err;
    do {
        err = puller_step(p->puller, (sl_nanos)SL_WRITER_WAIT_MS * SL_NANOS_PER_MS, why);
    } while (err == SL_AGAIN && !cli_is_stopped());
    fprintf(stderr, "pull: %" PRIu64 " transactions from %" PRIu32 " streams\n",
            puller_transactions(p->puller), puller_streams(p->puller));
    return err == SL_AGAIN ? SL_OK : err;
}

static enum sl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    struct pull_config config;
    struct pull        p = {.env = env, .config = &config};
    struct sl_why      why = {0};
    const char        *pump;
    enum sl_exit       code;
    enum sl_err        err;

    if (!cli_read(&sl_verb_pull, &table, argc, argv, &pump, &config, &code))
        return code;
    cli_catch_signals();
    err = pull(&p, pump, &why);
    puller_free(&p.puller);
    sl_file_close(&p.out);
    cli_cluster_close(&p.cluster);
    sl_conf_free(&table, &config);
    if (fflush(stdout) != 0 && err == SL_OK)
        err = sl_fail(&why, SL_IO, "standard output cannot be written");
    return err == SL_OK ? SL_EXIT_OK : cli_fail(&sl_verb_pull, err, &why);
}

const struct sl_verb sl_verb_pull = {
    .name = "pull",
    .operand = "PUMP",
    .summary = "read a pump's stream as a drainer does",
    .text = "PUMP is host:port or unix:/path. One line per transaction: commit ts, start ts, kind\n"
            "(dml, ddl, fake), payload bytes, the query of a DDL. A signal ends it.",
    .run = run,
};
