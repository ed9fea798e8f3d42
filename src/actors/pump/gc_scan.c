#include "actors/pump/gc_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

static int64_t stretch_of(sl_ts ts)
{
    return sl_ts_physical_ms(ts) / SL_GC_STRETCH_MS;
}

void sl_gc_scan_done(struct sl_gc_scan *scan)
{
    free(scan->stretches);
    *scan = (struct sl_gc_scan){0};
}

/* The stretch of an entry that was just read: the last one, or a new one behind it. */
static struct sl_gc_stretch *stretch(struct sl_gc_scan *scan, int64_t number)
{
    if (scan->count > 0 && scan->stretches[scan->count - 1].number == number)
        return &scan->stretches[scan->count - 1];
    SL_ASSERT(scan->count == 0 || scan->stretches[scan->count - 1].number < number);
    if (scan->count == scan->room) {
        scan->room = scan->room == 0 ? 64 : 2 * scan->room;
        scan->stretches = realloc(scan->stretches, scan->room * sizeof *scan->stretches);
        SL_ASSERT(scan->stretches != NULL);
    }
    scan->stretches[scan->count] = (struct sl_gc_stretch){number, UINT64_MAX};
    return &scan->stretches[scan->count++];
}

static void note(struct sl_gc_scan *scan, const struct sl_index_entry *entry)
{
    struct sl_gc_stretch *in = stretch(scan, stretch_of(entry->commit_ts));
    uint64_t              offset = entry->commit.offset;

    if (entry->prewrite.bytes > 0 && entry->prewrite.offset < offset)
        offset = entry->prewrite.offset;
    if (offset < in->least)
        in->least = offset;
}

enum sl_err sl_gc_scan_step(struct sl_gc_scan *scan, struct sl_index_shard *shard, sl_ts until,
                            bool *more, struct sl_why *why)
{
    static const uint32_t   room = 256;
    struct sl_index_entry   entries[256];
    struct sl_index_cursor *cursor;
    uint32_t                count = room;
    enum sl_err             err;

    if ((err = sl_index_cursor_open(shard, scan->through, &cursor, why)) != SL_OK)
        return err;
    for (uint32_t read = 0; count == room && read < SL_GC_SCAN_ITEMS; read += count) {
        if ((err = sl_index_cursor_next(cursor, until, entries, room, &count, why)) != SL_OK)
            break;
        for (uint32_t i = 0; i < count; i++)
            note(scan, &entries[i]);
        /* Others of the same commit ts may follow in the next block: they are read again. */
        if (count == room && entries[room - 1].commit_ts > entries[0].commit_ts)
            scan->through = entries[room - 1].commit_ts - 1;
    }
    sl_index_cursor_close(&cursor);
    *more = err == SL_OK && count == room;
    if (err == SL_OK && !*more && until > scan->through)
        scan->through = until;
    return err;
}

uint64_t sl_gc_scan_least_above(const struct sl_gc_scan *scan, sl_ts ts)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < scan->count; i++)
        if (scan->stretches[i].number >= stretch_of(ts) && scan->stretches[i].least < least)
            least = scan->stretches[i].least;
    return least;
}

void sl_gc_scan_forget(struct sl_gc_scan *scan, sl_ts ts)
{
    uint32_t gone = 0;

    while (gone < scan->count && scan->stretches[gone].number < stretch_of(ts))
        gone++;
    scan->count -= gone;
    memmove(scan->stretches, scan->stretches + gone, scan->count * sizeof *scan->stretches);
}
