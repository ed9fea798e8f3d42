/* B8, recovery: opening a log after its process was killed, against reading and checksumming the
 * same bytes. Everything is in the page cache, so that the programs are compared and not the disk.
 * `replay` visits every record; `start` trusts the sealed segments, as a start with a fresh index
 * checkpoint does, and its limit is fixed: the goal of 100 ms for any size. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "append_probe.h"
#include "base/env_os.h"
#include "storage/vlog.h"

enum {
    PAYLOAD_BYTES = 1024,
    BATCH = 200,
    LOG_BYTES = 1 << 29, /* two segments; writing it takes longer than all the rest */
    LOG_BYTES_QUICK = 1 << 27,
};

static uint64_t log_bytes(const struct bench_options *o)
{
    return o->quick ? LOG_BYTES_QUICK : LOG_BYTES;
}

static struct sl_vlog_options options_of(const char *dir)
{
    return (struct sl_vlog_options){.fs = sl_env_os()->fs,
                                    .random = sl_env_os()->random,
                                    .dir = dir,
                                    .identity = {.cluster_id = 1, .shard_count = 1},
                                    .segment_bytes = SL_VLOG_SEGMENT_BYTES_DEFAULT};
}

/* Write so many bytes of records, then die without a word. */
static void write_and_die(const char *dir, uint64_t bytes)
{
    struct sl_vlog_options options = options_of(dir);
    struct sl_position     positions[BATCH];
    struct sl_vlog_record  records[BATCH];
    struct sl_vlog        *vlog;
    static uint8_t         payload[PAYLOAD_BYTES];

    memset(payload, 'x', sizeof payload);
    for (unsigned i = 0; i < BATCH; i++)
        records[i] = (struct sl_vlog_record){.type = SL_VLOG_PREWRITE,
                                             .start_ts = i,
                                             .payload = {.bytes = payload, .len = sizeof payload}};
    if (sl_vlog_open(&options, 0, NULL, NULL, &vlog, NULL) != SL_OK)
        _exit(1);
    while (sl_vlog_end(vlog) < bytes) {
        if (sl_vlog_append(vlog, records, BATCH, positions, NULL) != SL_OK)
            _exit(1);
    }
    (void)raise(SIGKILL);
}

static bool make_log(char *dir, uint64_t bytes)
{
    int   status = 0;
    pid_t child;

    if (!probe_dir_make(dir))
        return false;
    child = fork();
    if (child == 0)
        write_and_die(dir, bytes);
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

static enum sl_err count_record(void *context, const struct sl_vlog_found *found)
{
    *(uint64_t *)context += found->position.bytes;
    return SL_OK;
}

/* Seconds to open; *seen: bytes of the records visited. */
static bool open_it(const char *dir, bool visit, double *took, uint64_t *seen)
{
    struct sl_vlog_options options = options_of(dir);
    struct sl_vlog        *vlog;
    struct sl_why          why = {0};
    double                 began = bench_now();
    enum sl_err            err;

    *seen = 0;
    err = sl_vlog_open(&options, 0, visit ? count_record : NULL, seen, &vlog, &why);
    *took = bench_now() - began;
    if (err != SL_OK) {
        fprintf(stderr, "recover: %s\n", why.text);
        return false;
    }
    sl_vlog_close(&vlog);
    return true;
}

static bool ours_replay(const struct bench_options *o, struct bench_sample *out)
{
    uint64_t bytes = log_bytes(o);
    uint64_t seen = 0;
    char     dir[64];
    double   took = 1;
    bool     good = make_log(dir, bytes) && open_it(dir, true, &took, &seen);

    probe_dir_remove(dir);
    out->value[0] = (double)seen / took;
    return good && seen + SL_VLOG_BATCH_BYTES_MAX > bytes;
}

static bool limit_replay(const struct bench_options *o, struct bench_sample *out)
{
    char dir[64];
    bool good =
        make_log(dir, log_bytes(o)) && probe_scan(dir, log_bytes(o), PROBE_CACHED_BYTES, out);

    probe_dir_remove(dir);
    return good;
}

static bool ours_start(const struct bench_options *o, struct bench_sample *out)
{
    uint64_t seen;
    char     dir[64];
    double   took = 0;
    bool     good = make_log(dir, log_bytes(o)) && open_it(dir, false, &took, &seen);

    probe_dir_remove(dir);
    out->value[0] = took * 1e3;
    return good;
}

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "B/s"};
    static const struct bench_metric start = {
        .name = "start", .unit = "ms", .smaller_is_better = true, .limit = 100};
    const struct bench_case cases[] = {
        {"replay", "every record of a killed log", {rate}, ours_replay, limit_replay, NULL},
        {"start", "only the newest segment of it", {start}, ours_start, NULL, NULL},
    };

    return bench_main("pump_recover", cases, sizeof cases / sizeof *cases, argc, argv);
}
