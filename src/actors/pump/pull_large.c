#include "actors/pump/pull_large.h"

#include <inttypes.h>

#include "actors/pump/pull_entity.h"
#include "base/assert.h"

enum sl_err pull_large_open(struct pull_large *large, struct sl_fs *fs, const char *dir,
                            const struct sl_large_record *reference,
                            const struct sl_record *prewrite, const struct sl_record *commit,
                            struct sl_why *why)
{
    static const uint8_t elsewhere;
    struct sl_record     whole = *prewrite;
    uint64_t             total;
    enum sl_err          err;

    SL_ASSERT(!pull_large_is_open(large));
    err = sl_large_reader_open(fs, dir, &reference->ref, &large->reader, why);
    if (err != SL_OK)
        return err;
    if (reference->has_value)
        whole.prewrite_value = (struct sl_slice){&elsewhere, (size_t)reference->value_bytes};
    pull_entity_around(&whole, commit, &large->head, &large->tail, &total);
    if (total > UINT32_MAX) { /* as the length of a message has 32 bits */
        pull_large_close(large);
        return sl_fail(why, SL_TOO_LARGE,
                       "the transaction with commit ts %" PRId64 " takes %" PRIu64
                       " bytes: no message can be so large",
                       commit->commit_ts, total);
    }
    large->total = (uint32_t)total;
    large->at = reference->value_at;
    large->left = reference->value_bytes;
    return SL_OK;
}

void pull_large_close(struct pull_large *large)
{
    sl_large_reader_close(&large->reader);
    sl_buf_free(&large->head);
    sl_buf_free(&large->tail);
    *large = (struct pull_large){0};
}

bool pull_large_is_open(const struct pull_large *large)
{
    return large->reader != NULL;
}

static void put(struct sl_buf **piece, struct sl_buf **out, uint32_t *count)
{
    SL_ASSERT(*count < SL_PULL_BATCH_ITEMS);
    out[(*count)++] = *piece;
    *piece = NULL;
}

enum sl_err pull_large_next(struct pull_large *large, struct sl_buf *out[SL_PULL_BATCH_ITEMS],
                            uint32_t *count, struct sl_why *why)
{
    if (large->head != NULL)
        put(&large->head, out, count);
    if (large->left > 0) {
        size_t want =
            large->left < SL_LARGE_CHUNK_BYTES ? (size_t)large->left : SL_LARGE_CHUNK_BYTES;
        enum sl_err err = sl_large_reader_read(large->reader, large->at, want, &out[*count], why);

        if (err != SL_OK)
            return err;
        large->at += out[*count]->len;
        large->left -= out[*count]->len;
        (*count)++;
    }
    if (large->left > 0)
        return SL_OK;
    put(&large->tail, out, count);
    pull_large_close(large);
    return SL_OK;
}
