/* B5, pump-rpc-latency: one caller on an idle machine, from the request to its acknowledgement,
 * against the least that it can take: a sync of the same bytes by bare system calls, and a round
 * trip of HTTP/2. */

#include "append_probe.h"
#include "h2_probe.h"
#include "running_pump.h"
#include "storage/vlog.h"

enum { PAYLOAD_BYTES = 1024, WARM_PAIRS = 200 };

enum { P50, P99 };

/* Prewrites, whose bytes are those of the limit. */
static bool ours(const struct bench_options *o, struct bench_sample *out)
{
    static struct loader_counts counts;
    struct running_pump         p;
    bool                        good;

    good = running_pump_make(&p, running_pump_segment(o)) && running_pump_start(&p) &&
           running_pump_load(&p, 1, PAYLOAD_BYTES, 0, WARM_PAIRS, &counts) &&
           running_pump_load(&p, 1, PAYLOAD_BYTES, o->seconds, 0, &counts);
    out->value[P50] = (double)histogram_at(&counts.prewrites, 500) / 1e3;
    out->value[P99] = (double)histogram_at(&counts.prewrites, 990) / 1e3;
    running_pump_remove(&p);
    return good;
}

static bool limit(const struct bench_options *o, struct bench_sample *out)
{
    struct h2_probe    round_trip;
    struct probe_times syncs = {0};
    bool               good = h2_probe(1, PAYLOAD_BYTES, o->seconds, &round_trip) &&
                probe_append_times(o, sl_vlog_record_bytes(PAYLOAD_BYTES), 0, &syncs);

    if (good) {
        out->value[P50] = round_trip.p50_us + probe_times_at(&syncs, 50);
        out->value[P99] = round_trip.p99_us + probe_times_at(&syncs, 99);
    }
    probe_times_free(&syncs);
    return good;
}

int main(int argc, char **argv)
{
    static const struct bench_metric p50 = {.name = "p50", .unit = "us", .smaller_is_better = true};
    static const struct bench_metric p99 = {.name = "p99", .unit = "us", .smaller_is_better = true};
    const struct bench_case          cases[] = {
                 {"1KiB/1", "one caller", {p50, p99}, ours, limit, NULL},
    };

    return bench_main("pump_rpc_latency", cases, sizeof cases / sizeof *cases, argc, argv);
}
