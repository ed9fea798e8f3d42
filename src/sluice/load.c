/* sluice load: generated transactions into running pumps. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "sluice/cli.h"
#include "sluice/loader.h"
#include "sluice/mix_rows.h"
#include "sluice/pair.h"
#include "sluice/shop.h"

struct load_config {
    struct cli_target target;
    int64_t           callers;
    uint64_t          size;
    int64_t           rows;
    int64_t           seconds;
    int64_t           pairs;
    int64_t           rate;
    char             *mix;
    char             *ddl_history;
    char             *acked;
};

static const struct sl_conf_row rows[] = {
    CLI_TARGET_ROWS(struct load_config),
    {.flag = "callers",
     SL_CONF_AT(INT, struct load_config, callers),
     .def = "16",
     .min = 1,
     .max = SL_LOAD_CALLERS_MAX,
     .help = "transactions at one time"},
    {.flag = "size",
     SL_CONF_AT(BYTES, struct load_config, size),
     .def = "1kib",
     .min = PAIR_SIZE_MIN,
     .max = SL_LOAD_SIZE_MAX,
     .help = "size of the payload of a prewrite"},
    {.flag = "rows",
     SL_CONF_AT(INT, struct load_config, rows),
     .def = "1",
     .min = 1,
     .max = SL_LOAD_ROWS_MAX,
     .help = "rows of a transaction, which share the size"},
    {.flag = "seconds",
     SL_CONF_AT(INT, struct load_config, seconds),
     .def = "10",
     .min = 0,
     .max = 1000000000,
     .unit = "s",
     .help = "how long transactions are begun; 0: until a signal, or --pairs"},
    {.flag = "pairs",
     SL_CONF_AT(INT, struct load_config, pairs),
     .min = 0,
     .max = INT64_MAX,
     .help = "how many transactions are begun; 0: no limit"},
    {.flag = "rate",
     SL_CONF_AT(INT, struct load_config, rate),
     .min = 0,
     .max = 1000000000,
     .help = "transactions begun per second; 0: as many as the callers can"},
    {.flag = "mix",
     SL_CONF_AT(STRING, struct load_config, mix),
     .def = "rows",
     .help = "rows: each inserts --rows rows, of --size together; shop: orders, payments and "
             "stock, with DDL in "
             "between"},
    {.flag = "ddl-history",
     SL_CONF_AT(STRING, struct load_config, ddl_history),
     .help = "file to which the DDL jobs are appended, a JSON line each; when it has them already, "
             "the table is taken to be there"},
    {.flag = "acked",
     SL_CONF_AT(STRING, struct load_config, acked),
     .help = "file for a line \"start_ts commit_ts\" per acknowledged transaction, written when "
             "the answer came"},
};

static const struct sl_conf_table table = {
    .program = "sluice load",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct load_config),
};

/* All that one run holds. */
struct load {
    const struct sl_env *env;
    struct cli_cluster   cluster;
    struct mix          *mix;
    struct loader       *loader;
};

static const char *path_or_null(const char *path)
{
    return path[0] != '\0' ? path : NULL;
}

static enum sl_err read_options(struct load *l, const struct load_config *config,
                                struct loader_options *out, struct sl_why *why)
{
    uint64_t    calls;
    enum sl_err err;

    *out = (struct loader_options){
        .callers = (uint32_t)config->callers,
        .rate = (uint64_t)config->rate,
        .pairs = (uint64_t)config->pairs,
        .acked = path_or_null(config->acked),
    };
    if ((err = cli_writer_options(&config->target, &out->writer, why)) != SL_OK)
        return err;
    calls = (uint64_t)out->writer.pump_count * out->writer.connections * out->writer.calls_max;
    if (out->callers > calls)
        return sl_fail(why, SL_USAGE,
                       "--callers %" PRIu32 ": so many connections carry %" PRIu64
                       " calls; give more --connections",
                       out->callers, calls);
    if (config->rows > 1 && config->size / (uint64_t)config->rows < PAIR_ROW_SIZE_MIN)
        return sl_fail(why, SL_USAGE, "--rows %" PRId64 ": each takes %d bytes of --size at least",
                       config->rows, PAIR_ROW_SIZE_MIN);
    if ((err = cli_cluster_open(l->env, config->target.pd_urls, config->target.cluster_id,
                                &l->cluster, why)) != SL_OK)
        return err;
    if (l->cluster.id == 0)
        return sl_fail(why, SL_USAGE, "no cluster id: give --cluster-id or --pd-urls");
    out->writer.cluster_id = l->cluster.id;
    out->tso = l->cluster.tso;
    return SL_OK;
}

static enum sl_err make_mix(struct load *l, const struct load_config *config, struct sl_why *why)
{
    const char *history = path_or_null(config->ddl_history);

    if (strcmp(config->mix, "rows") == 0)
        return mix_rows_new(l->env, l->cluster.id, (size_t)config->size, (uint32_t)config->rows,
                            history, &l->mix, why);
    if (strcmp(config->mix, "shop") == 0)
        return shop_new(l->env, l->cluster.id, (uint32_t)config->callers, history, &l->mix, why);
    return sl_fail(why, SL_USAGE, "--mix %.100s is neither rows nor shop", config->mix);
}

/* ---- telling ---- */

static double millis(const struct histogram *histogram, unsigned permille)
{
    return (double)histogram_at(histogram, permille) / (double)SL_NANOS_PER_MS;
}

static void print_latency(const char *name, const struct histogram *histogram)
{
    printf("%-9s %10" PRIu64 " acknowledged, ms: p50 %.3f, p99 %.3f, p99.9 %.3f, max %.3f\n", name,
           histogram->count, millis(histogram, 500), millis(histogram, 990), millis(histogram, 999),
           millis(histogram, 1000));
}

static void print_summary(const struct load *l, sl_nanos began)
{
    const struct loader_counts *counts = loader_counts(l->loader);
    struct writer_counts        writes = loader_writes(l->loader);
    double   seconds = (double)(sl_env_now(l->env) - began) / (double)SL_NANOS_PER_S;
    uint64_t requests = counts->prewrites.count + counts->commits.count + counts->rolled_back;

    printf("load: %" PRIu64 " requests in %.3f s, %.0f requests/s; %" PRIu64 " of %" PRIu64
           " transactions acknowledged, %.0f/s\n",
           requests, seconds, (double)requests / seconds, counts->acked, counts->begun,
           (double)counts->acked / seconds);
    print_latency("prewrites", &counts->prewrites);
    print_latency("commits", &counts->commits);
    printf("%" PRIu64 " retries, %" PRIu64 " probes, %" PRIu64 " rolled back, %" PRIu64
           " errors, %" PRIu32 " unanswered\n",
           writes.retries, writes.probes, counts->rolled_back, counts->given_up,
           loader_busy(l->loader));
}

/* ---- running ---- */

/* Step until all is over: nothing more begins at `stop_at` or on a signal, and what is under way
 * then has as long as one attempt may take. */
static enum sl_err drive(struct load *l, sl_nanos stop_at, sl_nanos grace, struct sl_why *why)
{
    sl_nanos    give_up_at = UINT64_MAX;
    enum sl_err err = SL_AGAIN;

    while (err == SL_AGAIN) {
        sl_nanos now = sl_env_now(l->env);

        if (give_up_at == UINT64_MAX && (now >= stop_at || cli_is_stopped())) {
            loader_stop(l->loader);
            give_up_at = now + grace;
        }
        if (now >= give_up_at)
            return SL_OK;
        err = loader_step(l->loader, give_up_at < stop_at ? give_up_at : stop_at, why);
    }
    return err;
}

static enum sl_err load(struct load *l, const struct load_config *config, struct sl_why *why)
{
    struct loader_options options;
    sl_nanos              began = sl_env_now(l->env);
    sl_nanos              stop_at = UINT64_MAX;
    enum sl_err           err;

    if ((err = read_options(l, config, &options, why)) != SL_OK ||
        (err = make_mix(l, config, why)) != SL_OK)
        return err;
    options.mix = l->mix;
    if ((err = loader_new(l->env, &options, &l->loader, why)) != SL_OK)
        return err;
    if (config->seconds > 0)
        stop_at = began + (sl_nanos)config->seconds * SL_NANOS_PER_S;
    err = drive(l, stop_at, options.writer.timeout, why);
    print_summary(l, began);
    if (err == SL_OK && (loader_counts(l->loader)->given_up > 0 || loader_busy(l->loader) > 0))
        err = sl_fail(why, SL_UNAVAILABLE, "not everything was acknowledged");
    loader_free(&l->loader);
    return err;
}

static enum sl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    struct load        l = {.env = env};
    struct load_config config;
    struct sl_why      why = {0};
    enum sl_exit       code;
    enum sl_err        err;

    if (!cli_read(&sl_verb_load, &table, argc, argv, NULL, &config, &code))
        return code;
    cli_catch_signals();
    err = load(&l, &config, &why);
    mix_free(&l.mix);
    cli_cluster_close(&l.cluster);
    sl_conf_free(&table, &config);
    return err == SL_OK ? SL_EXIT_OK : cli_fail(&sl_verb_load, err, &why);
}

const struct sl_verb sl_verb_load = {
    .name = "load",
    .summary = "generate transactions for running pumps and measure",
    .text = "With --mix rows each transaction inserts one row into the table sluice_load.t; with\n"
            "--mix shop a small shop works, and changes its tables: a prewrite, then a\n"
            "commit whose ts is asked for when the prewrite was acknowledged. Timestamps come\n"
            "from --pd-urls local:DIR, or else from the wall clock. Latencies count from the\n"
            "first attempt to the answer. Exits with 1 when anything was not acknowledged.",
    .run = run,
};
