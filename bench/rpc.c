/* B4, pump-rpc: WriteBinlog over one connection to a pump that syncs, against HTTP/2 alone: posts
 * of as many bytes over as many streams to nghttpd, which keeps nothing. Callers write transactions
 * of a prewrite and a small commit record; a post of the limit has the mean size of the two. Ours
 * and the limit each share the machine with their client. */

#include "h2_probe.h"
#include "harness.h"
#include "running_pump.h"

enum { PAYLOAD_BYTES = 1024, COMMIT_BYTES = 64, WARM_PAIRS = 1000 };

enum { RATE, P50, P99, CPU, RSS };

/* Both kinds of records. */
static double latency_us(const struct loader_counts *counts, unsigned permille)
{
    uint64_t prewrite = histogram_at(&counts->prewrites, permille);
    uint64_t commit = histogram_at(&counts->commits, permille);

    return (double)(prewrite + commit) / 2 / 1e3;
}

static bool measure(const struct bench_options *o, uint32_t callers, struct running_pump *p,
                    struct bench_sample *out)
{
    static struct loader_counts counts;
    double                      calls;
    double                      began;
    double                      cpu;

    if (!running_pump_make(p, running_pump_segment(o)) || !running_pump_start(p) ||
        !running_pump_load(p, callers, PAYLOAD_BYTES, 0, WARM_PAIRS, &counts))
        return false;
    cpu = running_cpu_s(p->pid);
    began = bench_now();
    if (!running_pump_load(p, callers, PAYLOAD_BYTES, o->seconds, 0, &counts))
        return false;
    calls = (double)(counts.prewrites.count + counts.commits.count);
    out->value[RATE] = calls / (bench_now() - began);
    out->value[P50] = latency_us(&counts, 500);
    out->value[P99] = latency_us(&counts, 990);
    out->value[CPU] = (running_cpu_s(p->pid) - cpu) * 1e6 / calls;
    out->value[RSS] = running_rss_peak_mib(p->pid);
    return true;
}

static bool ours(const struct bench_options *o, uint32_t callers, struct bench_sample *out)
{
    struct running_pump p;
    bool                good = measure(o, callers, &p, out);

    running_pump_remove(&p);
    return good;
}

static bool limit(const struct bench_options *o, uint32_t callers, struct bench_sample *out)
{
    struct h2_probe probe;

    if (!h2_probe(callers, (PAYLOAD_BYTES + COMMIT_BYTES) / 2, o->seconds, &probe))
        return false;
    out->value[RATE] = probe.calls_s;
    out->value[P50] = probe.p50_us;
    out->value[P99] = probe.p99_us;
    out->value[CPU] = probe.server_cpu_us;
    out->value[RSS] = probe.server_rss_mib;
    return true;
}

static bool ours_1(const struct bench_options *o, struct bench_sample *out)
{
    return ours(o, 1, out);
}

static bool limit_1(const struct bench_options *o, struct bench_sample *out)
{
    return limit(o, 1, out);
}

static bool ours_100(const struct bench_options *o, struct bench_sample *out)
{
    return ours(o, 100, out);
}

static bool limit_100(const struct bench_options *o, struct bench_sample *out)
{
    return limit(o, 100, out);
}

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "rpc/s"};
    static const struct bench_metric p50 = {.name = "p50", .unit = "us", .smaller_is_better = true};
    static const struct bench_metric p99 = {.name = "p99", .unit = "us", .smaller_is_better = true};
    static const struct bench_metric cpu = {
        .name = "server cpu", .unit = "us/rpc", .smaller_is_better = true};
    static const struct bench_metric rss = {
        .name = "server rss", .unit = "MiB", .smaller_is_better = true, .limit = 40};
    const struct bench_case cases[] = {
        {"1KiB/1", "one caller", {rate, p50, p99, cpu, rss}, ours_1, limit_1, NULL},
        {"1KiB/100", "100 callers", {rate, p50, p99, cpu, rss}, ours_100, limit_100, NULL},
    };

    return bench_main("pump_rpc", cases, sizeof cases / sizeof *cases, argc, argv);
}
