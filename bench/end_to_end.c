/* B18, end-to-end: a recording that lies in a pump, from the start of the drainer's process to a
 * checkpoint past its last commit, into an empty private MariaDB. The limit is the server's own:
 * as many rows of one small table, 500 to a transaction, by the best of the hand-tuned ways,
 * counted as transactions of as many rows as the recording's have; it starts no process, runs no
 * DDL and reads nothing. */

#include <stdio.h>

#include "harness.h"
#include "running_drainer.h"

/* The recording `bank`, by its meta.json. */
static const double TXNS = 22009;
static const double ROWS = 28756 + 63287 + 4046;

static bool ours(const struct bench_options *o, struct bench_sample *out)
{
    struct running_drainer d;
    double                 seconds = -1;

    if (running_drainer_make(&d, o, "bank") && running_drainer_start(&d))
        seconds = running_drainer_await(&d);
    out->value[0] = TXNS / seconds;
    out->value[1] = running_cpu_s(d.pid) * 1e6 / ROWS;
    out->value[2] = d.peak_mib;
    running_drainer_remove(&d);
    return seconds > 0;
}

static bool limit(const struct bench_options *o, struct bench_sample *out)
{
    static const enum sink_way ways[] = {SINK_PREPARED, SINK_ARRAY};
    const uint64_t             rows = (uint64_t)ROWS / SINK_PROBE_BATCH * SINK_PROBE_BATCH;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct sink_server server;
        double             rate = -1;

        if (!sink_server_start(&server))
            return false;
        if (sink_server_fill(&server, rows))
            rate = sink_probe_rate(&server, ways[i], SINK_UPDATE, rows, o->seconds);
        sink_server_stop(&server);
        if (rate < 0)
            return false;
        if (rate * TXNS / ROWS > out->value[0])
            out->value[0] = rate * TXNS / ROWS;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "txn/s"};
    static const struct bench_metric cpu = {
        .name = "drainer-cpu", .unit = "us/row", .smaller_is_better = true, .limit = 8};
    static const struct bench_metric rss = {
        .name = "rss-peak", .unit = "MiB", .smaller_is_better = true, .limit = 128};
    const struct bench_case cases[] = {
        {"bank", "22009 transactions", {rate, cpu, rss}, ours, limit, NULL},
    };

    return bench_main("end-to-end", cases, sizeof cases / sizeof *cases, argc, argv);
}
