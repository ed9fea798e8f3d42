#include "actors/pump/lookup.h"

#include <inttypes.h>

#include "storage/large.h"
#include "storage/vlog_reader.h"

enum { BATCH = 256 };

/* Where the record lies. */
struct place {
    uint32_t           shard;
    struct sl_position position;
};

/* ---- in the index ---- */

static enum sl_err find_commit(struct sl_index_cursor *cursor, sl_ts ts, struct sl_position *out,
                               struct sl_why *why)
{
    struct sl_index_entry entry;
    uint32_t              count = 0;
    enum sl_err           err = sl_index_cursor_next(cursor, ts, &entry, 1, &count, why);

    if (err != SL_OK || count == 0)
        return err == SL_OK ? SL_NOT_FOUND : err;
    *out = entry.commit;
    return SL_OK;
}

/* The commit of this prewrite, among those behind the cursor. */
static enum sl_err find_prewrite(struct sl_index_cursor *cursor, sl_ts start_ts,
                                 struct sl_position *out, struct sl_why *why)
{
    for (uint32_t looked = 0; looked < SL_PUMP_LOOKUP_ENTRIES; looked += BATCH) {
        struct sl_index_entry entries[BATCH];
        uint32_t              count = 0;
        enum sl_err err = sl_index_cursor_next(cursor, INT64_MAX, entries, BATCH, &count, why);

        if (err != SL_OK)
            return err;
        for (uint32_t i = 0; i < count; i++) {
            if (entries[i].start_ts != start_ts || entries[i].prewrite.bytes == 0)
                continue;
            *out = entries[i].prewrite;
            return SL_OK;
        }
        if (count < BATCH)
            return SL_NOT_FOUND;
    }
    return sl_fail(why, SL_TOO_LARGE, "it is no commit, and none of the %d that follow is its own",
                   SL_PUMP_LOOKUP_ENTRIES);
}

static enum sl_err find_in_shard(struct sl_pump *pump, sl_ts ts, struct place *out,
                                 struct sl_why *why)
{
    struct sl_index_cursor    *cursor;
    struct sl_index_unresolved unresolved;
    enum sl_err                err;

    err = sl_index_cursor_open(pump->shard[out->shard].index, ts - 1, &cursor, why);
    if (err != SL_OK)
        return err;
    err = find_commit(cursor, ts, &out->position, why);
    if (err == SL_NOT_FOUND && out->shard == sl_pump_shard_of(pump, ts)) {
        err = sl_index_cursor_unresolved(cursor, ts, &unresolved, why);
        if (err == SL_OK)
            out->position = unresolved.prewrite;
        else if (err == SL_NOT_FOUND)
            err = find_prewrite(cursor, ts, &out->position, why);
    }
    sl_index_cursor_close(&cursor);
    return err;
}

/* ---- in the log ---- */

static enum sl_err read_record(struct sl_pump *pump, const struct place *place, struct sl_buf **out,
                               struct sl_why *why)
{
    struct sl_vlog_reader *reader = sl_vlog_reader_new(&pump->vlog_options[place->shard]);
    struct sl_vlog_record  record;
    struct sl_large_record large;
    struct sl_buf         *payload = NULL;
    enum sl_err err = sl_vlog_reader_read(reader, place->position, &record, &payload, why);

    if (err == SL_OK && record.type == SL_VLOG_LARGE) {
        err = sl_large_record_decode(record.payload, &large, why);
        if (err == SL_OK)
            err = sl_fail(why, SL_TOO_LARGE, "it is too large to be shown: %" PRIu64 " bytes",
                          large.ref.bytes);
    }
    sl_vlog_reader_free(&reader);
    if (err == SL_OK)
        *out = payload;
    else
        sl_buf_free(&payload);
    return err;
}

enum sl_err sl_pump_lookup(struct sl_pump *pump, sl_ts ts, struct sl_buf **out, struct sl_why *why)
{
    struct place place = {.shard = 0};
    enum sl_err  err = SL_NOT_FOUND;

    for (; ts > 0 && place.shard < pump->options.shards; place.shard++) {
        err = find_in_shard(pump, ts, &place, why);
        if (err == SL_OK)
            return read_record(pump, &place, out, why);
        if (err != SL_NOT_FOUND)
            return err;
    }
    return SL_NOT_FOUND;
}
