/* B6, pull: streams of everything in one shard, against reading and checksumming the same segments
 * in order, again and again. Ours also reads the index, joins every commit with its prewrite and
 * makes the entity that a drainer is sent. Cold, as for a drainer that is far behind: log and index
 * are dropped from the page cache before each time, and rates are by the clock. Cached, as for one
 * that keeps up: all is in the page cache, and rates are by processor time, so that the programs
 * are compared and not the disk. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/pump/pull_stream.h"
#include "append_probe.h"
#include "base/env_os.h"
#include "binlog/record.h"

enum {
    BATCH = 200,               /* records of one append */
    IN_FLIGHT = 50,            /* transactions between a prewrite and its commit */
    LOG_BYTES = 1 << 27,       /* much more than the kernel reads ahead */
    LOG_BYTES_QUICK = 1 << 25, /* writing it takes longer than all the rest */
    SEGMENT_BYTES = 1 << 24,   /* a new one is filled with zeros */
};

/* One shard on the disk: log and index in folders of their own. */
struct shard {
    struct sl_pump pump;
    char           log_dir[64];
    char           index_dir[64];
    uint32_t       transactions;
};

static uint32_t transactions_of(const struct bench_options *o, size_t value_bytes)
{
    uint32_t log_bytes = o->quick ? LOG_BYTES_QUICK : LOG_BYTES;

    return log_bytes / (sl_vlog_record_bytes(value_bytes) + sl_vlog_record_bytes(64));
}

/* ---- writing ---- */

/* Records waiting to be appended together, and the entries that will point to them. */
struct writer {
    struct shard          *shard;
    struct sl_vlog_record  records[BATCH];
    uint8_t               *bytes; /* of their payloads: BATCH times `room` */
    size_t                 room;
    uint32_t               count;
    struct sl_position    *prewrites; /* by transaction, as is the next */
    struct sl_index_entry *entries;
};

static sl_ts start_ts_of(uint32_t transaction)
{
    return sl_ts_of_ms(1000) + 2 * (sl_ts)transaction;
}

static sl_ts commit_ts_of(uint32_t transaction)
{
    return start_ts_of(transaction) + 2 * IN_FLIGHT + 1;
}

static bool flush(struct writer *w)
{
    struct sl_position positions[BATCH];
    struct sl_why      why = {0};

    if (w->count == 0)
        return true;
    if (sl_vlog_append(w->shard->pump.shard[0].vlog, w->records, w->count, positions, &why) !=
        SL_OK) {
        fprintf(stderr, "pull: %s\n", why.text);
        return false;
    }
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t of = (uint32_t)((sl_ts)w->records[i].start_ts - start_ts_of(0)) / 2;

        if (w->records[i].type == SL_VLOG_PREWRITE)
            w->prewrites[of] = positions[i];
        else
            w->entries[of] = (struct sl_index_entry){.commit_ts = commit_ts_of(of),
                                                     .start_ts = start_ts_of(of),
                                                     .type = SL_RECORD_COMMIT,
                                                     .commit = positions[i],
                                                     .prewrite = w->prewrites[of]};
    }
    w->count = 0;
    return true;
}

static bool add(struct writer *w, const struct sl_record *r)
{
    uint8_t *place = w->bytes + w->count * w->room;

    sl_record_encode(r, place);
    w->records[w->count++] = (struct sl_vlog_record){
        .type = r->type == SL_RECORD_PREWRITE ? SL_VLOG_PREWRITE : SL_VLOG_COMMIT,
        .start_ts = (uint64_t)r->start_ts,
        .commit_ts = (uint64_t)r->commit_ts,
        .payload = {place, sl_record_encoded_bytes(r)}};
    return w->count < BATCH || flush(w);
}

static bool write_transactions(struct writer *w, size_t value_bytes)
{
    static const uint8_t key[] = "t\x80\0\0\0\0\0\0\x2d_r\x80\0\0\0\0\0\x12\x34";
    uint32_t             count = w->shard->transactions;
    uint8_t             *value = calloc(1, value_bytes);
    bool                 good = value != NULL;

    for (uint32_t i = 0; good && i < count + IN_FLIGHT; i++) {
        struct sl_record prewrite = {.type = SL_RECORD_PREWRITE,
                                     .start_ts = start_ts_of(i),
                                     .prewrite_key = {key, sizeof key - 1},
                                     .prewrite_value = {value, value_bytes},
                                     .has_schema_state = true};
        struct sl_record commit = {.type = SL_RECORD_COMMIT,
                                   .start_ts = start_ts_of(i - IN_FLIGHT),
                                   .commit_ts = commit_ts_of(i - IN_FLIGHT),
                                   .prewrite_key = {key, sizeof key - 1},
                                   .has_schema_state = true};

        good = (i >= count || add(w, &prewrite)) && (i < IN_FLIGHT || add(w, &commit));
    }
    free(value);
    return good && flush(w);
}

static bool write_index(struct shard *s, const struct sl_index_entry *entries)
{
    for (uint32_t i = 0; i < s->transactions; i += SL_INDEX_CUT_ITEMS_MAX) {
        uint32_t            left = s->transactions - i;
        struct sl_index_cut cut = {
            .entries = entries + i,
            .entry_count = left < SL_INDEX_CUT_ITEMS_MAX ? left : SL_INDEX_CUT_ITEMS_MAX};

        if (sl_index_apply(s->pump.shard[0].index, &cut, NULL) != SL_OK)
            return false;
    }
    return true;
}

static bool fill(struct shard *s, size_t value_bytes)
{
    struct writer w = {.shard = s, .room = value_bytes + 128};
    bool          good;

    w.bytes = malloc(BATCH * w.room);
    w.prewrites = calloc(s->transactions, sizeof *w.prewrites);
    w.entries = calloc(s->transactions, sizeof *w.entries);
    good = w.bytes != NULL && w.prewrites != NULL && w.entries != NULL &&
           write_transactions(&w, value_bytes) && write_index(s, w.entries);
    free(w.bytes);
    free(w.prewrites);
    free(w.entries);
    return good;
}

static bool open_index(struct shard *s)
{
    struct sl_index_options index = {.engine = SL_INDEX_WIREDTIGER,
                                     .fs = sl_env_os()->fs,
                                     .dir = s->index_dir,
                                     .shard_count = 1,
                                     .create = true};
    struct sl_why           why = {0};

    if (sl_index_open(&index, &s->pump.index, &why) != SL_OK) {
        fprintf(stderr, "pull: %s\n", why.text);
        return false;
    }
    s->pump.shard[0].index = sl_index_shard_of(s->pump.index, 0);
    return true;
}

static bool shard_make(struct shard *s, const struct bench_options *o, size_t value_bytes)
{
    struct sl_vlog_options *log = &s->pump.vlog_options[0];
    struct sl_why           why = {0};

    memset(s, 0, sizeof *s);
    s->transactions = transactions_of(o, value_bytes);
    if (!probe_dir_make(s->log_dir) || !probe_dir_make(s->index_dir))
        return false;
    *log = (struct sl_vlog_options){.fs = sl_env_os()->fs,
                                    .random = sl_env_os()->random,
                                    .dir = s->log_dir,
                                    .identity = {.cluster_id = 1, .shard_count = 1},
                                    .segment_bytes = SEGMENT_BYTES,
                                    .no_sync = true};
    s->pump.options.shards = 1;
    if (sl_vlog_open(log, 0, NULL, NULL, &s->pump.shard[0].vlog, &why) != SL_OK) {
        fprintf(stderr, "pull: %s\n", why.text);
        return false;
    }
    return open_index(s) && fill(s, value_bytes);
}

/* Leave nothing of it in memory: the engine of the index has a cache of its own, which ends with
 * closing. */
static bool shard_cool(struct shard *s)
{
    sl_index_close(&s->pump.index);
    return open_index(s) && probe_dir_drop(s->index_dir) && probe_dir_drop(s->log_dir);
}

static void shard_remove(struct shard *s)
{
    sl_vlog_close(&s->pump.shard[0].vlog);
    sl_index_close(&s->pump.index);
    (void)sl_index_wipe(sl_env_os()->fs, s->index_dir, NULL);
    probe_dir_remove(s->log_dir);
}

/* ---- measuring ---- */

/* Read all of the shard: how many transactions that were. 0: it failed. */
typedef uint32_t (*read_all)(struct shard *s);

static uint32_t pull_all(struct shard *s)
{
    struct pull_stream *stream = calloc(1, sizeof *stream);
    struct sl_buf      *out[SL_PULL_BATCH_ITEMS];
    struct sl_why       why = {0};
    uint32_t            total = 0;
    uint32_t            count = 0;
    uint32_t            pieces_of;
    enum sl_err         err;

    if (stream == NULL)
        return 0;
    if ((err = pull_stream_open(stream, &s->pump, 0, "bench", &why)) == SL_OK) {
        pull_shard_allow(&stream->shards[0], commit_ts_of(s->transactions),
                         sl_vlog_end(s->pump.shard[0].vlog));
        while ((err = pull_stream_next(stream, out, &count, &pieces_of, &why)) == SL_OK &&
               count > 0) {
            total += count;
            while (count > 0)
                sl_buf_free(&out[--count]);
        }
    }
    if (err != SL_OK)
        fprintf(stderr, "pull: %s\n", why.text);
    pull_stream_close(stream);
    free(stream);
    return total;
}

static uint32_t scan_all(struct shard *s, size_t piece_bytes)
{
    struct bench_sample unused;
    bool good = probe_scan(s->log_dir, sl_vlog_end(s->pump.shard[0].vlog), piece_bytes, &unused);

    return good ? s->transactions : 0;
}

static uint32_t scan_cold(struct shard *s)
{
    return scan_all(s, PROBE_COLD_BYTES);
}

static uint32_t scan_cached(struct shard *s)
{
    return scan_all(s, PROBE_CACHED_BYTES);
}

static bool measure_cold(const struct bench_options *o, struct shard *s, read_all read,
                         double *rate)
{
    double   total = 0;
    double   took = 0;
    uint32_t count;

    do {
        double began;

        if (!shard_cool(s))
            return false;
        began = bench_now();
        count = read(s);
        took += bench_now() - began;
        total += count;
    } while (count > 0 && took < o->seconds);
    *rate = total / took;
    return count > 0;
}

static bool measure_cached(const struct bench_options *o, struct shard *s, read_all read,
                           double *rate)
{
    double   total = 0;
    double   began = bench_cpu_now();
    double   until = bench_now() + o->seconds;
    uint32_t count;

    do {
        count = read(s);
        total += count;
    } while (count > 0 && bench_now() < until);
    *rate = total / (bench_cpu_now() - began);
    return count > 0;
}

static bool measure(const struct bench_options *o, size_t value_bytes, read_all cold,
                    read_all cached, struct bench_sample *out)
{
    struct shard *s = calloc(1, sizeof *s);
    bool          good = s != NULL && shard_make(s, o, value_bytes) &&
                measure_cold(o, s, cold, &out->value[0]) &&
                measure_cached(o, s, cached, &out->value[1]);

    if (s != NULL)
        shard_remove(s);
    free(s);
    return good;
}

static bool ours(const struct bench_options *o, size_t value_bytes, struct bench_sample *out)
{
    return measure(o, value_bytes, pull_all, pull_all, out);
}

static bool limit(const struct bench_options *o, size_t value_bytes, struct bench_sample *out)
{
    return measure(o, value_bytes, scan_cold, scan_cached, out);
}

static bool ours_100(const struct bench_options *o, struct bench_sample *out)
{
    return ours(o, 100, out);
}

static bool limit_100(const struct bench_options *o, struct bench_sample *out)
{
    return limit(o, 100, out);
}

static bool ours_1k(const struct bench_options *o, struct bench_sample *out)
{
    return ours(o, 1024, out);
}

static bool limit_1k(const struct bench_options *o, struct bench_sample *out)
{
    return limit(o, 1024, out);
}

static bool ours_16k(const struct bench_options *o, struct bench_sample *out)
{
    return ours(o, 16384, out);
}

static bool limit_16k(const struct bench_options *o, struct bench_sample *out)
{
    return limit(o, 16384, out);
}

int main(int argc, char **argv)
{
    static const struct bench_metric cold = {.name = "cold rate", .unit = "txn/s"};
    static const struct bench_metric cached = {.name = "cached rate", .unit = "txn/s"};
    const struct bench_case          cases[] = {
                 {"100", "transactions of 100 bytes", {cold, cached}, ours_100, limit_100, NULL},
                 {"1k", "transactions of 1 KiB", {cold, cached}, ours_1k, limit_1k, NULL},
                 {"16k", "transactions of 16 KiB", {cold, cached}, ours_16k, limit_16k, NULL},
    };

    return bench_main("pump_pull", cases, sizeof cases / sizeof *cases, argc, argv);
}
