#include "actors/pump/pull_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actors/pump/pull_entity.h"
#include "base/assert.h"
#include "base/log.h"

/* An entity that is held is never larger than what its records take in the log, so that the sizes
 * in the index bound a batch before anything is read: a record header of 48 bytes is more than
 * frame, meta and the zeros that the encoder adds. */

enum sl_err pull_stream_open(struct pull_stream *stream, struct sl_pump *pump, sl_ts after,
                             const char *peer, struct sl_why *why)
{
    enum sl_err err;

    SL_ASSERT(after >= 0);
    *stream = (struct pull_stream){.board = &pump->board,
                                   .pump = pump,
                                   .peer = peer,
                                   .merge = sl_merge_new(after),
                                   .sent = after};
    for (uint32_t k = 0; k < pump->options.shards; k++) {
        stream->shard_count++; /* also when opening fails half-way: it is closed then */
        err = pull_shard_open(&stream->shards[k], pump, k, after, stream->merge, why);
        if (err != SL_OK)
            return sl_wrap(why, err, "open shard %" PRIu32, k);
    }
    return SL_OK;
}

static void drop_items(struct pull_stream *stream)
{
    pull_large_close(&stream->large);
    if (stream->item_bytes <= SL_PULL_BATCH_BYTES)
        sl_arena_reset(&stream->scratch);
    else
        sl_arena_done(&stream->scratch); /* not to keep the room of one large record */
    stream->item_at = 0;
    stream->item_count = 0;
    stream->item_bytes = 0;
}

static void take_spent(struct pull_stream *stream)
{
    struct sl_merge_block *spent;

    while ((spent = sl_merge_spent(stream->merge)) != NULL)
        ((struct pull_block *)(void *)spent)->is_pushed = false;
}

void pull_stream_close(struct pull_stream *stream)
{
    if (stream->merge == NULL)
        return;
    drop_items(stream);
    for (uint32_t k = 0; k < stream->shard_count; k++) {
        if (stream->shards[k].blocks != NULL)
            sl_merge_remove(stream->merge, k);
    }
    take_spent(stream);
    sl_merge_free(&stream->merge);
    sl_arena_done(&stream->scratch);
    for (uint32_t k = 0; k < stream->shard_count; k++)
        pull_shard_close(&stream->shards[k]);
    stream->shard_count = 0;
}

/* ---- planning a batch ---- */

/* Let `ready` hold what comes next. It stays empty only when the merge has run dry: a shard with
 * more to read that is the slowest has no block left, or else would have been read further. */
static enum sl_err refill(struct pull_stream *stream, struct sl_why *why)
{
    enum sl_err err;

    for (uint32_t k = 0; k < stream->shard_count; k++) {
        if ((err = pull_shard_fill(&stream->shards[k], stream->merge, why)) != SL_OK)
            return err;
    }
    stream->ready_at = 0;
    stream->ready_count = sl_merge_drain(stream->merge, stream->ready, SL_PULL_BATCH_ITEMS);
    take_spent(stream);
    return SL_OK;
}

static bool is_fake(const struct sl_descriptor *d)
{
    return d->start_ts == d->commit_ts;
}

/* Is it to be given out? If not, the log says why. */
static bool judge(struct pull_stream *stream, const struct sl_descriptor *d)
{
    if (d->commit_ts <= stream->sent) {
        atomic_fetch_add_explicit(&stream->board->pull_repeats, 1, memory_order_relaxed);
        sl_log(SL_LOG_ERROR, "commit ts was sent already, second entry skipped",
               sl_field_i64("commit_ts", d->commit_ts), sl_field_i64("start_ts", d->start_ts),
               sl_field_str("peer", stream->peer));
        return false;
    }
    if (d->stored.prewrite_bytes == 0 && !is_fake(d)) {
        atomic_fetch_add_explicit(&stream->board->pull_orphans, 1, memory_order_relaxed);
        sl_metric_add(stream->pump->metrics.errors[SL_PUMP_ERROR_FEED_PRE_WRITE_VALUE], 1);
        sl_log(SL_LOG_ERROR, "Matching P-binlog not found", sl_field_i64("commit_ts", d->commit_ts),
               sl_field_i64("start_ts", d->start_ts), sl_field_str("peer", stream->peer));
        return false;
    }
    return true;
}

/* The next transactions, until the batch is full or the merge runs dry. */
static enum sl_err plan(struct pull_stream *stream, struct sl_why *why)
{
    enum sl_err err;

    while (stream->item_count < SL_PULL_BATCH_ITEMS) {
        const struct sl_descriptor *d = &stream->ready[stream->ready_at];
        uint64_t                    bytes;

        if (stream->ready_at == stream->ready_count) {
            if ((err = refill(stream, why)) != SL_OK)
                return err;
            if (stream->ready_count == 0)
                break;
            continue;
        }
        bytes = (uint64_t)d->stored.commit_bytes + d->stored.prewrite_bytes;
        if (stream->item_count > 0 && stream->item_bytes + bytes > SL_PULL_BATCH_BYTES)
            break;
        stream->ready_at++;
        if (!judge(stream, d))
            continue;
        stream->sent = d->commit_ts;
        stream->item_bytes += bytes;
        stream->items[stream->item_count++] = (struct pull_item){.descriptor = *d};
    }
    return SL_OK;
}

/* ---- reading it ---- */

static int by_place(const void *a, const void *b)
{
    const struct pull_read *x = a;
    const struct pull_read *y = b;

    if (x->shard != y->shard)
        return x->shard < y->shard ? -1 : 1;
    return x->position.offset < y->position.offset ? -1 : x->position.offset > y->position.offset;
}

/* A copy that lasts until the batch is made. */
static struct sl_slice keep(struct pull_stream *stream, struct sl_slice shown)
{
    uint8_t *bytes = sl_arena_alloc(&stream->scratch, shown.len);

    memcpy(bytes, shown.bytes, shown.len);
    return (struct sl_slice){.bytes = bytes, .len = shown.len};
}

/* All records of the batch, each log from front to back: records that belong together by commit ts
 * lie near each other, and what lies near comes with one call to the system. */
static enum sl_err read_all(struct pull_stream *stream, struct sl_why *why)
{
    struct pull_read reads[2 * SL_PULL_BATCH_ITEMS];
    uint32_t         count = 0;
    bool             is_large; /* a commit is not: what else is there shows when it is decoded */
    enum sl_err      err;

    for (uint32_t i = 0; i < stream->item_count; i++) {
        struct pull_item           *item = &stream->items[i];
        const struct sl_descriptor *d = &item->descriptor;

        reads[count++] = (struct pull_read){
            d->source, {d->stored.commit_offset, d->stored.commit_bytes}, &item->commit, &is_large};
        if (!is_fake(d))
            reads[count++] =
                (struct pull_read){d->source,
                                   {d->stored.prewrite_offset, d->stored.prewrite_bytes},
                                   &item->prewrite,
                                   &item->is_large};
    }
    qsort(reads, count, sizeof *reads, by_place);
    for (uint32_t i = 0; i < count; i++) {
        struct pull_shard *shard = &stream->shards[reads[i].shard];
        struct sl_slice    shown;

        if ((err = pull_shard_show(shard, reads[i].position, &shown, reads[i].is_large, why)) !=
            SL_OK)
            return err;
        *reads[i].payload = keep(stream, shown);
    }
    return SL_OK;
}

/* ---- making entities ---- */

/* The log is good and the index points to something else. */
static enum sl_err mismatch(const struct sl_descriptor *d, const char *what, struct sl_why *why)
{
    return sl_fail(why, SL_CORRUPT,
                   "the index of shard %" PRIu32 " says that the %s of start ts %" PRId64
                   " and commit ts %" PRId64 " is at log offset %" PRIu64
                   ", and another record is there: remove the index, it is rebuilt from the log",
                   d->source, what, d->start_ts, d->commit_ts,
                   what[0] == 'c' ? d->stored.commit_offset : d->stored.prewrite_offset);
}

static enum sl_err decode_commit(const struct pull_item *item, struct sl_record *out,
                                 struct sl_why *why)
{
    const struct sl_descriptor *d = &item->descriptor;

    if (sl_record_decode(item->commit, out, NULL) != SL_OK || out->type == SL_RECORD_PREWRITE ||
        out->start_ts != d->start_ts || out->commit_ts != d->commit_ts)
        return mismatch(d, "commit", why);
    return SL_OK;
}

static enum sl_err decode_prewrite(const struct pull_item *item, struct sl_slice bytes,
                                   struct sl_record *out, struct sl_why *why)
{
    if (sl_record_decode(bytes, out, NULL) != SL_OK || out->type != SL_RECORD_PREWRITE ||
        out->start_ts != item->descriptor.start_ts)
        return mismatch(&item->descriptor, "prewrite", why);
    return SL_OK;
}

static enum sl_err make(const struct pull_item *item, struct sl_buf **out, struct sl_why *why)
{
    const struct sl_descriptor *d = &item->descriptor;
    struct sl_record            commit;
    struct sl_record            prewrite;
    enum sl_err                 err;

    if ((err = decode_commit(item, &commit, why)) != SL_OK)
        return err;
    if (is_fake(d)) {
        *out = pull_entity_stored(d->start_ts, d->commit_ts, item->commit);
        return SL_OK;
    }
    err = decode_prewrite(item, item->prewrite, &prewrite, why);
    if (err == SL_OK)
        *out = pull_entity_joined(&prewrite, &commit);
    return err;
}

static enum sl_err begin_large(struct pull_stream *stream, const struct pull_item *item,
                               struct sl_why *why)
{
    const struct sl_pump  *pump = stream->pump;
    uint32_t               k = item->descriptor.source;
    struct sl_large_record reference;
    struct sl_record       commit;
    struct sl_record       prewrite;
    enum sl_err            err;

    if ((err = decode_commit(item, &commit, why)) != SL_OK ||
        (err = sl_large_record_decode(item->prewrite, &reference, why)) != SL_OK ||
        (err = decode_prewrite(item, reference.rest, &prewrite, why)) != SL_OK)
        return err;
    return pull_large_open(&stream->large, pump->vlog_options[k].fs, pump->large_dir[k], &reference,
                           &prewrite, &commit, why);
}

/* Whole entities, up to a large one; or that, when it is the next. */
static enum sl_err make_some(struct pull_stream *stream, struct sl_buf **out, uint32_t *count,
                             struct sl_why *why)
{
    enum sl_err err = SL_OK;

    while (stream->item_at < stream->item_count && err == SL_OK) {
        const struct pull_item *item = &stream->items[stream->item_at];

        if (item->is_large && *count > 0)
            break;
        err = item->is_large ? begin_large(stream, item, why) : make(item, &out[*count], why);
        if (err != SL_OK)
            break;
        stream->item_at++;
        if (pull_large_is_open(&stream->large))
            break;
        (*count)++;
    }
    return err;
}

static enum sl_err give(struct pull_stream *stream, struct sl_buf **out, uint32_t *count,
                        uint32_t *pieces_of, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    if (!pull_large_is_open(&stream->large))
        err = make_some(stream, out, count, why);
    if (err != SL_OK || !pull_large_is_open(&stream->large))
        return err;
    *pieces_of = stream->large.total;
    return pull_large_next(&stream->large, out, count, why);
}

enum sl_err pull_stream_next(struct pull_stream *stream, struct sl_buf *out[SL_PULL_BATCH_ITEMS],
                             uint32_t *count, uint32_t *pieces_of, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    *count = 0;
    *pieces_of = 0;
    if (!pull_large_is_open(&stream->large) && stream->item_at == stream->item_count) {
        drop_items(stream);
        err = plan(stream, why);
        /* What was planned before the index was busy goes out, or it would be lost. */
        if (err == SL_OK || (err == SL_AGAIN && stream->item_count > 0))
            err = read_all(stream, why);
    }
    if (err == SL_OK)
        err = give(stream, out, count, pieces_of, why);
    if (err == SL_OK)
        return SL_OK;
    drop_items(stream);
    while (*count > 0)
        sl_buf_free(&out[--*count]);
    return err;
}

/* ---- when there is nothing ---- */

sl_ts pull_stream_watermark(const struct pull_stream *stream)
{
    return sl_merge_watermark(stream->merge, NULL);
}

struct sl_buf *pull_stream_fake(struct pull_stream *stream)
{
    SL_ASSERT(stream->ready_at == stream->ready_count);
    SL_ASSERT(pull_stream_watermark(stream) > stream->sent);
    stream->sent = pull_stream_watermark(stream);
    return pull_entity_fake(stream->sent);
}
