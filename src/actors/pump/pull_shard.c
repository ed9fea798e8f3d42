#include "actors/pump/pull_shard.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/log.h"

enum sl_err pull_shard_open(struct pull_shard *shard, struct sl_pump *pump, uint32_t number,
                            sl_ts after, struct sl_merge *merge, struct sl_why *why)
{
    uint32_t    source;
    enum sl_err err;

    *shard = (struct pull_shard){
        .board = &pump->board, .number = number, .watermark = -1, .read_to = after};
    err = sl_index_cursor_open(pump->shard[number].index, after, &shard->cursor, why);
    if (err != SL_OK)
        return err;
    if ((err = sl_merge_add(merge, after, &source, why)) != SL_OK)
        return err;
    SL_ASSERT(source == number); /* so that a descriptor's source is its shard */
    shard->reader = sl_vlog_reader_new(&pump->vlog_options[number]);
    shard->blocks = calloc(SL_PULL_BLOCKS, sizeof *shard->blocks);
    SL_ASSERT(shard->blocks != NULL);
    return SL_OK;
}

void pull_shard_close(struct pull_shard *shard)
{
    sl_index_cursor_close(&shard->cursor);
    sl_vlog_reader_free(&shard->reader);
    free(shard->blocks);
    shard->blocks = NULL;
}

void pull_shard_allow(struct pull_shard *shard, sl_ts watermark, uint64_t log_end)
{
    SL_ASSERT(watermark >= shard->watermark); /* I3 of the index */
    shard->watermark = watermark;
    sl_vlog_reader_allow(shard->reader, log_end);
}

bool pull_shard_is_dry(const struct pull_shard *shard)
{
    return shard->read_to >= shard->watermark;
}

/* ---- reading the index ---- */

static struct pull_block *free_block(struct pull_shard *shard)
{
    for (uint32_t i = 0; i < SL_PULL_BLOCKS; i++) {
        if (!shard->blocks[i].is_pushed)
            return &shard->blocks[i];
    }
    return NULL;
}

static struct sl_descriptor descriptor_of(const struct sl_index_entry *e)
{
    return (struct sl_descriptor){.commit_ts = e->commit_ts,
                                  .start_ts = e->start_ts,
                                  .stored = {.commit_offset = e->commit.offset,
                                             .prewrite_offset = e->prewrite.offset,
                                             .commit_bytes = e->commit.bytes,
                                             .prewrite_bytes = e->prewrite.bytes},
                                  .type = e->type};
}

/* The entries into the block, but those that came into the index late: after a watermark at or
 * above them had been told. What is above them may have been sent already. */
static void fill_block(struct pull_shard *shard, struct pull_block *block,
                       const struct sl_index_entry *entries, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (entries[i].commit_ts > shard->read_to) {
            block->items[kept++] = descriptor_of(&entries[i]);
            continue;
        }
        atomic_fetch_add_explicit(&shard->board->pull_late, 1, memory_order_relaxed);
        sl_log(SL_LOG_ERROR, "commit came after its time, not sent",
               sl_field_u64("shard", shard->number), sl_field_i64("start_ts", entries[i].start_ts),
               sl_field_i64("commit_ts", entries[i].commit_ts),
               sl_field_i64("passed", shard->read_to));
    }
    block->base = (struct sl_merge_block){.items = block->items, .count = kept};
}

/* Retention tells its gc ts before it removes, and the index orders the two for whoever reads it
 * (I2). So what was just read is complete if the gc ts is still behind where reading began. */
static enum sl_err check_retention(const struct pull_shard *shard, struct sl_why *why)
{
    sl_ts gc_ts = atomic_load_explicit(&shard->board->gc_ts, memory_order_relaxed);

    if (gc_ts <= shard->read_to)
        return SL_OK;
    return sl_fail(why, SL_NOT_FOUND,
                   "the reader is at commit ts %" PRId64 " and binlogs up to %" PRId64
                   " may have been removed",
                   shard->read_to, gc_ts);
}

static enum sl_err read_block(struct pull_shard *shard, struct pull_block *block,
                              struct sl_merge *merge, struct sl_why *why)
{
    struct sl_index_entry entries[SL_PULL_BLOCK_ITEMS];
    uint32_t              count;
    sl_ts                 last;
    enum sl_err           err;

    err = sl_index_cursor_next(shard->cursor, shard->watermark, entries, SL_PULL_BLOCK_ITEMS,
                               &count, why);
    if (err != SL_OK || (err = check_retention(shard, why)) != SL_OK)
        return err;
    fill_block(shard, block, entries, count);
    if (block->base.count > 0) {
        if ((err = sl_merge_push(merge, shard->number, &block->base, why)) != SL_OK)
            return err;
        block->is_pushed = true;
    }
    last = count < SL_PULL_BLOCK_ITEMS ? shard->watermark : entries[count - 1].commit_ts;
    sl_merge_set_watermark(merge, shard->number, last);
    if (count == SL_PULL_BLOCK_ITEMS)
        last--; /* the next entry may have the same commit ts */
    if (last > shard->read_to)
        shard->read_to = last;
    return SL_OK;
}

enum sl_err pull_shard_fill(struct pull_shard *shard, struct sl_merge *merge, struct sl_why *why)
{
    struct pull_block *block;
    enum sl_err        err;

    while (!pull_shard_is_dry(shard) && (block = free_block(shard)) != NULL) {
        if ((err = read_block(shard, block, merge, why)) != SL_OK)
            return sl_wrap(why, err, "index of shard %" PRIu32, shard->number);
    }
    return SL_OK;
}

/* ---- reading the log ---- */

enum sl_err pull_shard_show(struct pull_shard *shard, struct sl_position position,
                            struct sl_slice *payload, bool *is_large, struct sl_why *why)
{
    struct sl_vlog_record record;
    enum sl_err           err;

    if ((err = sl_vlog_reader_show(shard->reader, position, &record, why)) != SL_OK)
        return err;
    *payload = record.payload;
    *is_large = record.type == SL_VLOG_LARGE;
    return SL_OK;
}
