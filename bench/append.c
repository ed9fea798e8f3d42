/* B2, vlog-append: what a durable batch costs in the value log, against the same bytes written and
 * synced by bare system calls. A pair is a prewrite of the size named and its small commit record;
 * a batch is what group commit collects with so many pairs in flight. The log is in the steady
 * state of a pump that has run for its retention time: segments that fill up are removed and
 * recycled. The slow disks have a sync that takes longer, on both sides. */

#include <stdio.h>
#include <string.h>

#include "append_probe.h"
#include "base/env_os.h"
#include "storage/vlog.h"

enum { PAIRS_MAX = 100, PAYLOAD_BYTES_MAX = 10240, COMMIT_BYTES = 40 };

static size_t pair_bytes(size_t payload_bytes)
{
    return sl_vlog_record_bytes(payload_bytes) + sl_vlog_record_bytes(COMMIT_BYTES);
}

static bool fail(const struct sl_why *why)
{
    fprintf(stderr, "append: %s\n", why->text);
    return false;
}

/* ---- a slow disk ---- */

/* The file system of the machine, but for the sync of its files, which takes longer. */
static struct sl_fs_ops   slow_fs_ops;
static struct sl_file_ops slow_file_ops;
static struct sl_fs       slow_fs = {.ops = &slow_fs_ops};
static unsigned           slow_us;

static const struct sl_file_ops *os_file_ops;

static enum sl_err slow_sync(struct sl_file *f, struct sl_why *why)
{
    probe_delay(slow_us);
    return os_file_ops->sync(f, why);
}

static enum sl_err slow_open(struct sl_fs *fs, const char *path, unsigned flags,
                             struct sl_file **out, struct sl_why *why)
{
    enum sl_err err = sl_fs_open(sl_env_os()->fs, path, flags, out, why);

    (void)fs;
    if (err != SL_OK)
        return err;
    os_file_ops = (*out)->ops;
    slow_file_ops = *os_file_ops;
    slow_file_ops.sync = slow_sync;
    (*out)->ops = &slow_file_ops;
    return SL_OK;
}

/* What does not ask for the file system itself works for any. */
static struct sl_fs *fs_with_delay(unsigned delay_us)
{
    slow_us = delay_us;
    slow_fs_ops = *sl_env_os()->fs->ops;
    slow_fs_ops.open = slow_open;
    return delay_us > 0 ? &slow_fs : sl_env_os()->fs;
}

/* ---- the log ---- */

/* The next file is there before the clock starts, as it is in the steady state. */
static bool open_log(const struct bench_options *o, const char *dir, unsigned delay_us,
                     struct sl_vlog **vlog, struct sl_why *why)
{
    const struct sl_vlog_options options = {.fs = fs_with_delay(delay_us),
                                            .random = sl_env_os()->random,
                                            .dir = dir,
                                            .identity = {.cluster_id = 1, .shard_count = 1},
                                            .segment_bytes = probe_file_bytes(o)};
    uint64_t                     left;

    if (sl_vlog_open(&options, 0, NULL, NULL, vlog, why) != SL_OK)
        return false;
    return sl_vlog_prepare(*vlog, UINT64_MAX, &left, why) == SL_OK;
}

static void make_batch(struct sl_vlog_record *records, size_t payload_bytes, unsigned pairs)
{
    static uint8_t bytes[PAIRS_MAX][PAYLOAD_BYTES_MAX];

    memset(bytes, 'x', sizeof bytes);
    for (unsigned i = 0; i < pairs; i++) {
        records[2 * i] = (struct sl_vlog_record){
            .type = SL_VLOG_PREWRITE,
            .start_ts = i,
            .payload = {.bytes = bytes[i], .len = payload_bytes},
        };
        records[2 * i + 1] = (struct sl_vlog_record){
            .type = SL_VLOG_COMMIT,
            .start_ts = i,
            .commit_ts = i + 1,
            .payload = {.bytes = bytes[i], .len = COMMIT_BYTES},
        };
    }
}

static bool append_batches(struct sl_vlog *vlog, size_t payload_bytes, unsigned pairs,
                           double seconds, struct probe_times *times, double *took)
{
    struct sl_vlog_record records[2 * PAIRS_MAX];
    struct sl_position    positions[2 * PAIRS_MAX];
    struct sl_why         why = {0};
    double                began;
    double                before;

    make_batch(records, payload_bytes, pairs);
    began = bench_now();
    before = began;
    do {
        double now;

        if (sl_vlog_append(vlog, records, 2 * pairs, positions, &why) != SL_OK ||
            sl_vlog_remove_before(vlog, positions[0].offset, &why) != SL_OK)
            return fail(&why);
        now = bench_now();
        probe_times_add(times, (now - before) * 1e6);
        before = now;
    } while (before - began < seconds);
    *took = before - began;
    return true;
}

static bool measure(const struct bench_options *o, size_t payload_bytes, unsigned pairs,
                    unsigned delay_us, struct bench_sample *out)
{
    struct probe_times times = {0};
    struct sl_vlog    *vlog = NULL;
    struct sl_why      why = {0};
    char               dir[64];
    double             took = 1;
    bool               good;

    if (!probe_dir_make(dir))
        return false;
    good = open_log(o, dir, delay_us, &vlog, &why) || fail(&why);
    good = good && append_batches(vlog, payload_bytes, pairs, o->seconds, &times, &took);
    sl_vlog_close(&vlog);
    probe_dir_remove(dir);
    out->value[0] = times.count * (double)pairs / took;
    out->value[1] = probe_times_at(&times, 99);
    probe_times_free(&times);
    return good;
}

/* One function a case: the harness passes no argument. */
#define APPEND_CASE(name, payload_bytes, pairs, delay_us)                                \
    static bool ours_##name(const struct bench_options *o, struct bench_sample *out)     \
    {                                                                                    \
        return measure(o, payload_bytes, pairs, delay_us, out);                          \
    }                                                                                    \
    static bool limit_##name(const struct bench_options *o, struct bench_sample *out)    \
    {                                                                                    \
        return probe_append(o, (pairs)*pair_bytes(payload_bytes), delay_us, pairs, out); \
    }

APPEND_CASE(1k_100, 1024, 100, 0)
APPEND_CASE(1k_slow, 1024, 100, 1000)
APPEND_CASE(1k_slower, 1024, 100, 10000)
APPEND_CASE(1k_1, 1024, 1, 0)
APPEND_CASE(128_100, 128, 100, 0)
APPEND_CASE(10k_100, 10240, 100, 0)

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "pairs/s"};
    static const struct bench_metric p99 = {.name = "p99", .unit = "us", .smaller_is_better = true};
    const struct bench_case          cases[] = {
                 {"1KiB/100", "100 pairs a batch", {rate, p99}, ours_1k_100, limit_1k_100, NULL},
                 {"1KiB/100+1ms", "a slow disk", {rate, p99}, ours_1k_slow, limit_1k_slow, NULL},
                 {"1KiB/100+10ms", "slower", {rate, p99}, ours_1k_slower, limit_1k_slower, NULL},
                 {"1KiB/1", "one pair a batch", {rate, p99}, ours_1k_1, limit_1k_1, NULL},
                 {"128B/100", "100 pairs a batch", {rate, p99}, ours_128_100, limit_128_100, NULL},
                 {"10KiB/100", "100 pairs a batch", {rate, p99}, ours_10k_100, limit_10k_100, NULL},
    };

    return bench_main("pump_append", cases, sizeof cases / sizeof *cases, argc, argv);
}
