/* B7, commit-visible: how long after its acknowledgement a commit reaches a drainer that has read
 * everything before it. One caller and one reader, in threads of their own; the next transaction
 * begins when the last one was seen. What is seen before it is acknowledged counts as 0. The limit
 * is the goal. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "append_probe.h"
#include "base/env_os.h"
#include "running_pump.h"
#include "sluice/pair.h"
#include "sluice/puller.h"
#include "sluice/stamps.h"

static const double SEEN_S_MAX = 10;

enum { PAYLOAD_BYTES = 1024, WARM_TRANSACTIONS = 20, STEP_MS = 100, POLL_NS = 20000 };

enum { P50, P99 };

/* The reader's; what both sides touch is atomic. */
struct reader {
    const char      *host;
    _Atomic uint64_t seen_ts; /* the last commit ts that came */
    _Atomic double   seen_at; /* written before seen_ts */
    atomic_bool      stop;
    atomic_bool      failed;
};

static enum sl_err heard(void *context, const struct sl_record *record, struct sl_slice payload,
                         struct sl_why *why)
{
    struct reader *r = context;

    (void)payload;
    (void)why;
    if (sl_record_is_fake(record))
        return SL_OK;
    atomic_store(&r->seen_at, bench_now());
    atomic_store(&r->seen_ts, (uint64_t)record->commit_ts);
    return SL_OK;
}

static void *read_stream(void *context)
{
    struct reader        *r = context;
    struct puller_options options = {.pump = r->host,
                                     .cluster_id = RUNNING_PUMP_CLUSTER,
                                     .reconnect = SL_NANOS_PER_S,
                                     .heard = heard,
                                     .context = r};
    struct puller        *puller = NULL;
    struct sl_why         why = {0};
    enum sl_err           err = puller_new(sl_env_os(), &options, &puller, &why);

    while ((err == SL_OK || err == SL_AGAIN) && !atomic_load(&r->stop))
        err = puller_step(puller, (sl_nanos)STEP_MS * SL_NANOS_PER_MS, &why);
    if (err != SL_AGAIN)
        fprintf(stderr, "commit visible: %s\n", why.text);
    atomic_store(&r->failed, err != SL_AGAIN);
    puller_free(&puller);
    return NULL;
}

/* ---- the caller ---- */

struct caller {
    struct writer    *writer;
    struct pair_table table;
    struct stamps     stamps;
    double            acked_at; /* of the last record; 0: under way */
    bool              failed;
};

static void on_done(void *context, struct write *write)
{
    struct caller *c = context;

    c->acked_at = bench_now();
    c->failed = write->err != SL_OK;
    sl_buf_free(&write->request);
}

static bool send_record(struct caller *c, enum write_kind kind, struct sl_buf *request)
{
    struct write write = {.request = request, .kind = kind};

    c->acked_at = 0;
    writer_begin(c->writer, &write);
    while (c->acked_at == 0)
        writer_step(c->writer, UINT64_MAX);
    return !c->failed;
}

/* Seconds from the acknowledgement until it is seen; below 0: never. */
static double write_and_see(struct caller *c, struct reader *r)
{
    static const uint8_t filler[PAYLOAD_BYTES];
    double               wait;
    sl_ts                start_ts;
    sl_ts                commit_ts;

    if (stamps_take(&c->stamps, 1, &start_ts, NULL) != SL_OK ||
        !send_record(c, WRITE_PREWRITE,
                     pair_prewrite(&c->table, start_ts, 1, sizeof filler, filler)))
        return -1;
    if (stamps_take(&c->stamps, 1, &commit_ts, NULL) != SL_OK ||
        !send_record(c, WRITE_FINISH, pair_finish(&c->table, start_ts, commit_ts)))
        return -1;
    while (atomic_load(&r->seen_ts) != (uint64_t)commit_ts) {
        if (atomic_load(&r->failed) || bench_now() - c->acked_at > SEEN_S_MAX)
            return -1;
        (void)nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
    wait = atomic_load(&r->seen_at) - c->acked_at;
    return wait > 0 ? wait : 0;
}

static bool write_all(const struct bench_options *o, struct reader *r, struct probe_times *times)
{
    const char           *host = r->host;
    struct writer_options options = running_pump_writer(&host, 1);
    struct caller         c = {.table = {.cluster_id = RUNNING_PUMP_CLUSTER, .table_id = 1},
                               .stamps = {.env = sl_env_os()}};
    double                wait = 0;
    double                began = 0;

    options.done = on_done;
    options.context = &c;
    if (writer_new(sl_env_os(), &options, &c.writer, NULL) != SL_OK)
        return false;
    for (unsigned i = 0; wait >= 0 && (began == 0 || bench_now() - began < o->seconds); i++) {
        wait = write_and_see(&c, r);
        if (i >= WARM_TRANSACTIONS)
            probe_times_add(times, wait * 1e6);
        if (i == WARM_TRANSACTIONS)
            began = bench_now();
    }
    writer_free(&c.writer);
    return wait >= 0;
}

static bool measure(const struct bench_options *o, const struct running_pump *p,
                    struct bench_sample *out)
{
    struct reader      r = {.host = p->host};
    struct probe_times times = {0};
    pthread_t          thread;
    bool               good;

    if (pthread_create(&thread, NULL, read_stream, &r) != 0)
        return false;
    good = write_all(o, &r, &times);
    atomic_store(&r.stop, true);
    (void)pthread_join(thread, NULL);
    out->value[P50] = probe_times_at(&times, 50);
    out->value[P99] = probe_times_at(&times, 99);
    probe_times_free(&times);
    return good;
}

static bool ours(const struct bench_options *o, struct bench_sample *out)
{
    struct running_pump p;
    bool good = running_pump_make(&p, running_pump_segment(o)) && running_pump_start(&p) &&
                measure(o, &p, out);

    running_pump_remove(&p);
    return good;
}

int main(int argc, char **argv)
{
    static const struct bench_metric p50 = {
        .name = "p50", .unit = "us", .smaller_is_better = true, .limit = 1000};
    static const struct bench_metric p99 = {
        .name = "p99", .unit = "us", .smaller_is_better = true, .limit = 5000};
    const struct bench_case cases[] = {
        {"1KiB", "the tail of the log", {p50, p99}, ours, NULL, NULL},
    };

    return bench_main("pump_commit_visible", cases, sizeof cases / sizeof *cases, argc, argv);
}
