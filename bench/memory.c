/* B19, memory, and starting: what a pump holds resident when idle, under load, with a reader that
 * has stopped reading, and with a prewrite whose outcome never comes; and how long it takes from
 * exec to online with much behind it, by the clock and in processor time, which company on the
 * machine does not touch. The limits are fixed: the goals. Growth is from a quarter of the work on,
 * when caches are warm and pools have their size. Large transactions are too few to fill the cache
 * of the index, which grows with them until it has its size: small ones do so before the reader
 * stops. */

#include <stdio.h>
#include <time.h>

#include "base/env_os.h"
#include "harness.h"
#include "net/channel.h"
#include "running_pump.h"
#include "binlog/message.h"
#include "sluice/pair.h"
#include "sluice/stamps.h"

enum {
    CALLERS = 100,
    PAYLOAD_BYTES = 1024,
    SETTLE_MS = 500,
    CALL_S_MAX = 10,
    /* Before the stopped reader: what fills the cache of the index, of SMALL_BYTES each. */
    WARM_PAIRS = 500000,
    WARM_PAIRS_QUICK = 1000,
    /* Behind it. */
    LARGER_BYTES = 64 << 10,
    LARGER_CALLERS = 16,
    UNREAD_PAIRS = 5 * ((1 << 30) / LARGER_BYTES),
    UNREAD_PAIRS_QUICK = (1 << 26) / LARGER_BYTES,
    /* Behind the orphan. */
    COMMITS = 1000000,
    COMMITS_QUICK = 50000,
    SMALL_BYTES = 128,
    /* Each record takes more than half of a segment. */
    SEGMENT_BYTES = 64 << 10,
    SEGMENT_PAYLOAD_BYTES = 40 << 10,
    SEGMENTS = 10000,
    SEGMENTS_QUICK = 500,
};

static const double MEMORY_GROWTH_LEAST = 0.01; /* MiB: a ratio needs something above 0 */

static struct loader_counts counts; /* of the last load */

static void settle(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = SETTLE_MS * 1000000L}, NULL);
}

static bool write_pairs(const struct running_pump *p, uint32_t callers, size_t bytes,
                        uint64_t pairs)
{
    return running_pump_load(p, callers, bytes, 0, pairs, &counts);
}

/* Write so many pairs; *grown: MiB that the pump grew by in the last three quarters. */
static bool write_and_watch(const struct running_pump *p, uint32_t callers, size_t bytes,
                            uint64_t pairs, double *grown)
{
    double before;

    if (!write_pairs(p, callers, bytes, pairs / 4))
        return false;
    before = running_rss_mib(p->pid);
    if (!write_pairs(p, callers, bytes, pairs - pairs / 4))
        return false;
    *grown = running_rss_mib(p->pid) - before;
    if (*grown < MEMORY_GROWTH_LEAST)
        *grown = MEMORY_GROWTH_LEAST;
    return true;
}

static bool start_new(struct running_pump *p, uint64_t segment_bytes)
{
    return running_pump_make(p, segment_bytes) && running_pump_start(p);
}

/* ---- idle, and under load ---- */

static bool idle(const struct bench_options *o, struct bench_sample *out)
{
    struct running_pump p;
    bool                good = start_new(&p, running_pump_segment(o));

    settle();
    out->value[0] = good ? running_rss_mib(p.pid) : 0;
    out->value[1] = p.start_ms;
    running_pump_remove(&p);
    return good;
}

static bool load(const struct bench_options *o, struct bench_sample *out)
{
    struct running_pump p;
    bool                good = start_new(&p, running_pump_segment(o)) &&
                running_pump_load(&p, CALLERS, PAYLOAD_BYTES, o->seconds, 0, &counts);

    out->value[0] = good ? running_rss_peak_mib(p.pid) : 0;
    running_pump_remove(&p);
    return good;
}

/* ---- a reader that has stopped ---- */

/* A stream of what is written after the last load, which has given its first message; nobody reads
 * its connection from then on. */
static bool begin_to_read(const struct running_pump *p, struct sl_channel **channel,
                          struct sl_channel_stream **stream)
{
    const sl_nanos        wait = (sl_nanos)CALL_S_MAX * SL_NANOS_PER_S;
    struct sl_buf        *request = sl_message_pull(RUNNING_PUMP_CLUSTER, counts.last_commit_ts);
    struct sl_buf        *message = NULL;
    struct sl_channel_end end;
    struct sl_why         why = {0};
    bool                  good;

    good = sl_channel_new(sl_env_os(), p->host, 0, channel, &why) == SL_OK &&
           sl_channel_stream_open(*channel, "/binlog.Pump/PullBinlogs", stream, &why) == SL_OK &&
           sl_channel_stream_send(*stream, &request) == SL_OK &&
           sl_channel_stream_next(*stream, wait, &message, &end) == SL_OK;
    sl_buf_free(&request);
    sl_buf_free(&message);
    if (!good)
        fprintf(stderr, "memory: no stream: %s\n", why.text);
    return good;
}

static bool stopped_reader(const struct bench_options *o, struct bench_sample *out)
{
    struct sl_channel        *channel = NULL;
    struct sl_channel_stream *stream = NULL;
    struct running_pump       p;
    bool                      good;

    good = start_new(&p, running_pump_segment(o)) &&
           write_pairs(&p, CALLERS, SMALL_BYTES, o->quick ? WARM_PAIRS_QUICK : WARM_PAIRS) &&
           begin_to_read(&p, &channel, &stream) &&
           write_and_watch(&p, LARGER_CALLERS, LARGER_BYTES,
                           o->quick ? UNREAD_PAIRS_QUICK : UNREAD_PAIRS, &out->value[0]);
    out->value[1] = good ? running_rss_peak_mib(p.pid) : 0;
    sl_channel_stream_free(&stream);
    sl_channel_free(&channel);
    running_pump_remove(&p);
    return good;
}

/* ---- an orphan ---- */

static bool write_orphan(const struct running_pump *p)
{
    static const uint8_t  filler[PAYLOAD_BYTES];
    struct pair_table     table = {.cluster_id = RUNNING_PUMP_CLUSTER, .table_id = 1};
    struct stamps         stamps = {.env = sl_env_os()};
    struct sl_channel    *channel = NULL;
    struct sl_buf        *response = NULL;
    struct sl_buf        *request;
    struct sl_channel_end end;
    sl_ts                 start_ts;
    bool                  good;

    if (sl_channel_new(sl_env_os(), p->host, 0, &channel, NULL) != SL_OK ||
        stamps_take(&stamps, 1, &start_ts, NULL) != SL_OK)
        return false;
    request = pair_prewrite(&table, start_ts, 1, sizeof filler, filler);
    good = sl_channel_unary(channel, "/binlog.Pump/WriteBinlog", &request,
                            (sl_nanos)CALL_S_MAX * SL_NANOS_PER_S, &response, &end) == SL_OK;
    if (!good)
        fprintf(stderr, "memory: orphan: %s\n", end.why.text);
    sl_buf_free(&response);
    sl_channel_free(&channel);
    return good;
}

static bool orphan(const struct bench_options *o, struct bench_sample *out)
{
    struct running_pump p;
    bool                good;

    good = start_new(&p, running_pump_segment(o)) && write_orphan(&p) &&
           write_and_watch(&p, CALLERS, SMALL_BYTES, o->quick ? COMMITS_QUICK : COMMITS,
                           &out->value[0]);
    out->value[2] = good ? running_rss_mib(p.pid) : 0;
    running_pump_kill(&p);
    good = good && running_pump_start(&p);
    out->value[1] = p.start_ms;
    out->value[3] = good ? running_rss_peak_mib(p.pid) : 0;
    out->value[4] = good ? running_cpu_s(p.pid) * 1e3 : 0;
    running_pump_remove(&p);
    return good;
}

/* ---- many segments ---- */

static bool segments(const struct bench_options *o, struct bench_sample *out)
{
    struct running_pump p;
    bool                good;

    good = start_new(&p, SEGMENT_BYTES) &&
           write_pairs(&p, LARGER_CALLERS, SEGMENT_PAYLOAD_BYTES,
                       o->quick ? SEGMENTS_QUICK : SEGMENTS) &&
           running_pump_stop(&p) && running_pump_start(&p);
    out->value[0] = p.start_ms;
    out->value[1] = good ? running_rss_peak_mib(p.pid) : 0;
    out->value[2] = good ? running_cpu_s(p.pid) * 1e3 : 0;
    running_pump_remove(&p);
    return good;
}

int main(int argc, char **argv)
{
    static const struct bench_metric idle_rss = {
        .name = "rss", .unit = "MiB", .smaller_is_better = true, .limit = 18};
    static const struct bench_metric peak = {
        .name = "peak rss", .unit = "MiB", .smaller_is_better = true, .limit = 40};
    static const struct bench_metric any_rss = {
        .name = "rss", .unit = "MiB", .smaller_is_better = true};
    static const struct bench_metric none = {
        .name = "growth", .unit = "MiB", .smaller_is_better = true, .limit = 4};
    static const struct bench_metric growth = {
        .name = "growth", .unit = "MiB", .smaller_is_better = true, .limit = 16};
    static const struct bench_metric first = {
        .name = "first start", .unit = "ms", .smaller_is_better = true};
    static const struct bench_metric start_500 = {
        .name = "start", .unit = "ms", .smaller_is_better = true, .limit = 500};
    static const struct bench_metric start_300 = {
        .name = "start", .unit = "ms", .smaller_is_better = true, .limit = 300};
    static const struct bench_metric cpu_500 = {
        .name = "start cpu", .unit = "ms", .smaller_is_better = true, .limit = 500};
    static const struct bench_metric cpu_300 = {
        .name = "start cpu", .unit = "ms", .smaller_is_better = true, .limit = 300};
    const struct bench_case cases[] = {
        {"idle", "nobody writes", {idle_rss, first}, idle, NULL, NULL},
        {"load", "100 callers", {peak}, load, NULL, NULL},
        {"stopped", "a reader stops", {none, peak}, stopped_reader, NULL, NULL},
        {"orphan", "no outcome", {growth, start_500, any_rss, peak, cpu_500}, orphan, NULL, NULL},
        {"segments", "10000 sealed ones", {start_300, peak, cpu_300}, segments, NULL, NULL},
    };

    return bench_main_once("pump_memory", cases, sizeof cases / sizeof *cases, argc, argv);
}
