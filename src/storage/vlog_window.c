#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "storage/vlog_private.h"

void vlog_window_init(struct vlog_window *window)
{
    *window = (struct vlog_window){.room = SL_VLOG_WINDOW_BYTES};
    window->bytes = malloc(window->room);
    SL_ASSERT(window->bytes != NULL);
}

void vlog_window_free(struct vlog_window *window)
{
    free(window->bytes);
    window->bytes = NULL;
    window->count = 0;
}

void vlog_window_forget(struct vlog_window *window)
{
    window->count = 0;
}

bool vlog_window_holds(const struct vlog_window *window, uint64_t at, size_t count)
{
    return at >= window->at && at - window->at <= window->count &&
           count <= window->count - (size_t)(at - window->at);
}

/* Grown for a large record, the window gets its usual size back with the next small one. */
static void fit_room(struct vlog_window *window, size_t count)
{
    size_t room = count > SL_VLOG_WINDOW_BYTES ? count : SL_VLOG_WINDOW_BYTES;

    SL_ASSERT(window->count < count); /* else it would hold what is asked for */
    if (room == window->room)
        return;
    window->bytes = realloc(window->bytes, room);
    SL_ASSERT(window->bytes != NULL);
    window->room = room;
}

/* Keep of the window what is wanted from `at` on. */
static void move_to(struct vlog_window *window, uint64_t at)
{
    size_t skipped;

    if (!vlog_window_holds(window, at, 0)) {
        window->count = 0;
    } else {
        skipped = (size_t)(at - window->at);
        memmove(window->bytes, window->bytes + skipped, window->count - skipped);
        window->count -= skipped;
    }
    window->at = at;
}

enum sl_err vlog_window_show(struct vlog_window *window, struct sl_file *file, uint64_t at,
                             size_t count, uint64_t ahead, const uint8_t **out, struct sl_why *why)
{
    enum sl_err err;
    size_t      want;
    size_t      got;

    if (!vlog_window_holds(window, at, count)) {
        SL_ASSERT(count <= SL_VLOG_BATCH_BYTES_MAX);
        move_to(window, at);
        fit_room(window, count);
        want = count;
        if (ahead > at + count)
            want = ahead - at < window->room ? (size_t)(ahead - at) : window->room;
        err = sl_file_read_at(file, at + window->count, window->bytes + window->count,
                              want - window->count, &got, why);
        if (err != SL_OK)
            return err;
        window->count += got;
        if (window->count < count)
            return sl_fail(why, SL_IO, "a segment ends at byte %llu of it, before its own size",
                           (unsigned long long)(at + window->count));
    }
    *out = window->bytes + (at - window->at);
    return SL_OK;
}
