#include "actors/pump/gc_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

enum { READ_ITEMS = 256 };

static int64_t stretch_of(sl_ts ts)
{
    return sl_ts_physical_ms(ts) / SL_GC_STRETCH_MS;
}

void sl_gc_scan_done(struct sl_gc_scan *scan)
{
    sl_index_cursor_close(&scan->cursor);
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

static enum sl_err read_on(struct sl_gc_scan *scan, sl_ts until, bool *more, struct sl_why *why)
{
    struct sl_index_entry entries[READ_ITEMS];
    uint32_t              count = READ_ITEMS;

    for (uint32_t read = 0; count == READ_ITEMS && read < SL_GC_SCAN_ITEMS; read += count) {
        enum sl_err err =
            sl_index_cursor_next(scan->cursor, until, entries, READ_ITEMS, &count, why);

        if (err != SL_OK)
            return err;
        for (uint32_t i = 0; i < count; i++)
            note(scan, &entries[i]);
    }
    *more = count == READ_ITEMS;
    return SL_OK;
}

enum sl_err sl_gc_scan_step(struct sl_gc_scan *scan, struct sl_index_shard *shard, sl_ts until,
                            bool *more, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    if (scan->cursor == NULL)
        err = sl_index_cursor_open(shard, scan->through, &scan->cursor, why);
    if (err == SL_OK)
        err = read_on(scan, until, more, why);
    if (err != SL_OK) {
        sl_gc_scan_done(scan); /* from the beginning, the next time */
        return err;
    }
    if (!*more) {
        sl_index_cursor_close(&scan->cursor);
        scan->through = until > scan->through ? until : scan->through;
    }
    return SL_OK;
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
