#include "actors/pump/cut.h"

#include <string.h>

/* Does the cut itself bring the commit with its prewrite? Orphans are rare, so it is looked for. */
static bool has_entry(const struct sl_pump_cut *cut, const struct sl_index_entry *orphan)
{
    for (uint32_t i = 0; i < cut->entry_count; i++) {
        if (cut->entries[i].commit_ts == orphan->commit_ts &&
            cut->entries[i].start_ts == orphan->start_ts)
            return true;
    }
    return false;
}

/* Orphans that neither the cut nor the index has join the entries. One that is a repeat must not:
 * it would take the place of the commit that has its prewrite. */
static enum sl_err add_orphans(struct sl_index_shard *shard, const struct sl_pump_cut *cut,
                               struct sl_index_entry *entries, uint32_t *count,
                               struct sl_cut_result *result, struct sl_why *why)
{
    for (uint32_t i = 0; i < cut->orphan_count; i++) {
        const struct sl_index_entry *orphan = &cut->orphans[i];
        struct sl_index_entry        found;
        enum sl_err                  err = SL_OK;

        if (!has_entry(cut, orphan))
            err = sl_index_find(shard, orphan->commit_ts, orphan->start_ts, &found, why);
        if (err == SL_OK) {
            result->repeats++;
            continue;
        }
        if (err != SL_NOT_FOUND)
            return err;
        result->copies++;
        entries[(*count)++] = *orphan;
    }
    return SL_OK;
}

enum sl_err sl_cut_apply(struct sl_index_shard *shard, const struct sl_pump_cut *cut,
                         struct sl_cut_result *result, struct sl_why *why)
{
    struct sl_index_entry entries[2 * SL_PUMP_CUT_ITEMS];
    uint32_t              count = cut->entry_count;
    int64_t               public_before = sl_index_head_of(shard).watermark;
    enum sl_err           err;

    *result = (struct sl_cut_result){0};
    memcpy(entries, cut->entries, cut->entry_count * sizeof *entries);
    if ((err = add_orphans(shard, cut, entries, &count, result, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < count; i++)
        if (entries[i].commit_ts <= public_before) {
            result->late++;
            result->late_copies += entries[i].prewrite.bytes == 0;
        }

    const struct sl_index_cut index_cut = {
        .entries = entries,
        .opened = cut->opened,
        .settled = cut->settled,
        .entry_count = count,
        .opened_count = cut->opened_count,
        .settled_count = cut->settled_count,
        .head = cut->head,
    };
    return sl_index_apply(shard, &index_cut, why);
}
