#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "storage/vlog_private.h"

/* ---- looking ---- */

uint64_t sl_vlog_end(const struct sl_vlog *vlog)
{
    return vlog_active(vlog)->end;
}

uint64_t sl_vlog_durable(const struct sl_vlog *vlog)
{
    return vlog->durable;
}

const struct sl_vlog_segment *sl_vlog_segments(const struct sl_vlog *vlog, uint32_t *count)
{
    SL_ASSERT(vlog->segment_count > 0);
    *count = vlog->segment_count;
    return vlog->segments;
}

uint64_t sl_vlog_batch_bytes_max(const struct sl_vlog *vlog)
{
    uint64_t room = vlog->options.segment_bytes - VLOG_BLOCK_BYTES;

    return room < SL_VLOG_BATCH_BYTES_MAX ? room : SL_VLOG_BATCH_BYTES_MAX;
}

/* ---- failing for good ---- */

static enum sl_err refuse_failed(const struct sl_vlog *vlog, struct sl_why *why)
{
    return sl_fail(why, SL_IO,
                   "%s: an earlier write or sync failed; the log must be opened again before it "
                   "takes more",
                   vlog->dir);
}

/* What the disk holds of the unsynced range is unknown from now on, and the page cache may show
 * other bytes than the disk has. So nothing here may build on it; opening again rewrites it. */
static enum sl_err fail_for_good(struct sl_vlog *vlog, struct sl_why *why)
{
    vlog->failed = true;
    return sl_wrap(why, SL_IO, "value log %s", vlog->dir);
}

enum sl_err sl_vlog_sync(struct sl_vlog *vlog, struct sl_why *why)
{
    if (vlog->failed)
        return refuse_failed(vlog, why);
    if (vlog->durable == vlog_active(vlog)->end)
        return SL_OK;
    if (sl_file_sync(vlog->file, why) != SL_OK)
        return fail_for_good(vlog, why);
    vlog->durable = vlog_active(vlog)->end;
    return SL_OK;
}

/* ---- measuring ---- */

static sl_nanos part_begins(const struct sl_vlog *vlog)
{
    const struct sl_vlog_watch *watch = vlog->options.watch;

    return watch != NULL ? sl_env_now(watch->env) : 0;
}

static void part_ends(const struct sl_vlog *vlog, enum sl_vlog_part part, sl_nanos began)
{
    const struct sl_vlog_watch *watch = vlog->options.watch;

    if (watch != NULL)
        watch->took(watch->context, part, sl_env_now(watch->env) - began);
}

/* ---- appending ---- */

static enum sl_err check_batch(const struct sl_vlog *vlog, const struct sl_vlog_record *records,
                               uint32_t count, uint64_t *bytes, struct sl_why *why)
{
    uint64_t max = sl_vlog_batch_bytes_max(vlog);

    *bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        SL_ASSERT(records[i].type != SL_VLOG_IDLE);
        if (records[i].payload.len > SL_VLOG_PAYLOAD_BYTES_MAX)
            return sl_fail(why, SL_TOO_LARGE, "a record of %zu bytes, the value log takes %d",
                           records[i].payload.len, SL_VLOG_PAYLOAD_BYTES_MAX);
        *bytes += sl_vlog_record_bytes(records[i].payload.len);
        if (*bytes > max)
            return sl_fail(why, SL_TOO_LARGE,
                           "a batch of more than %" PRIu64 " bytes for a value log whose segments "
                           "have %" PRIu64,
                           max, vlog->options.segment_bytes);
    }
    return SL_OK;
}

/* Let the buffer have room for `bytes`, and give one back that a rare large batch needed. */
static void reserve_batch(struct sl_vlog *vlog, size_t bytes)
{
    size_t room = SL_VLOG_BATCH_KEEP_BYTES;

    if (bytes > room)
        room = (bytes + VLOG_BLOCK_BYTES - 1) / VLOG_BLOCK_BYTES * VLOG_BLOCK_BYTES;
    if (vlog->batch_room == room)
        return;
    free(vlog->batch);
    vlog->batch = aligned_alloc(VLOG_BLOCK_BYTES, room);
    SL_ASSERT(vlog->batch != NULL);
    vlog->batch_room = room;
}

/* Go on in a new segment, so that `bytes` fit. A batch never crosses. */
static enum sl_err make_room(struct sl_vlog *vlog, uint64_t bytes, struct sl_why *why)
{
    const struct sl_vlog_segment *active = vlog_active(vlog);
    sl_nanos                      began;
    enum sl_err                   err;

    if (bytes <= vlog_capacity_end(active) - active->end)
        return SL_OK;
    began = part_begins(vlog);
    if ((err = sl_vlog_sync(vlog, why)) != SL_OK)
        return err;
    err = vlog_segment_begin(vlog, why);
    if (err == SL_OK)
        part_ends(vlog, SL_VLOG_PART_ROTATE, began);
    if (err == SL_OK || err == SL_NOSPACE)
        return err;
    return fail_for_good(vlog, why);
}

/* Write what stands in the batch buffer at the end of the log. On SL_NOSPACE what was written of it
 * is covered with zeros, so that nothing of it can follow a shorter batch that takes its place. */
static enum sl_err write_batch(struct sl_vlog *vlog, size_t bytes, struct sl_why *why)
{
    const struct sl_vlog_segment *active = vlog_active(vlog);
    uint64_t                      place = vlog_place(active, active->end);
    sl_nanos                      began = part_begins(vlog);
    enum sl_err                   err;

    err = sl_file_write_at(vlog->file, place, vlog->batch, bytes, why);
    if (err == SL_OK)
        part_ends(vlog, SL_VLOG_PART_WRITE, began);
    if (err == SL_NOSPACE && vlog_write_zeros(vlog->file, place, place + bytes, NULL) == SL_OK)
        return sl_wrap(why, SL_NOSPACE, "value log %s", vlog->dir);
    return err == SL_OK ? SL_OK : fail_for_good(vlog, why);
}

static enum sl_err sync_batch(struct sl_vlog *vlog, struct sl_why *why)
{
    sl_nanos began = part_begins(vlog);

    if (vlog->options.no_sync)
        return SL_OK;
    if (sl_file_sync(vlog->file, why) != SL_OK)
        return fail_for_good(vlog, why);
    part_ends(vlog, SL_VLOG_PART_SYNC, began);
    return SL_OK;
}

/* Take over what was written: it is part of the log now. */
static void accept_batch(struct sl_vlog *vlog, const struct sl_vlog_record *records, uint32_t count,
                         struct sl_position *positions)
{
    struct sl_vlog_segment *active = vlog_active(vlog);

    for (uint32_t i = 0; i < count; i++) {
        positions[i].offset = active->end;
        positions[i].bytes = sl_vlog_record_bytes(records[i].payload.len);
        active->end += positions[i].bytes;
        if (records[i].commit_ts > active->max_commit_ts)
            active->max_commit_ts = records[i].commit_ts;
    }
    SL_ASSERT(active->end <= vlog_capacity_end(active));
}

enum sl_err sl_vlog_append(struct sl_vlog *vlog, const struct sl_vlog_record *records,
                           uint32_t count, struct sl_position *positions, struct sl_why *why)
{
    const struct sl_vlog_segment *active;
    uint64_t                      bytes;
    uint64_t                      done = 0;
    enum sl_err                   err;

    SL_ASSERT(count > 0);
    if (vlog->failed)
        return refuse_failed(vlog, why);
    if ((err = check_batch(vlog, records, count, &bytes, why)) != SL_OK)
        return err;
    if ((err = make_room(vlog, bytes, why)) != SL_OK)
        return err;
    reserve_batch(vlog, bytes);
    active = vlog_active(vlog);
    for (uint32_t i = 0; i < count; i++)
        done += vlog_record_encode(&records[i], active->generation, active->end + done,
                                   vlog->durable, vlog->batch + done);
    SL_ASSERT(done == bytes);
    if ((err = write_batch(vlog, bytes, why)) != SL_OK || (err = sync_batch(vlog, why)) != SL_OK)
        return err;
    accept_batch(vlog, records, count, positions);
    if (!vlog->options.no_sync)
        vlog->durable = active->end;
    return SL_OK;
}

enum sl_err sl_vlog_mark_idle(struct sl_vlog *vlog, struct sl_why *why)
{
    const struct sl_vlog_record marker = {.type = SL_VLOG_IDLE};
    struct sl_position          position;
    struct sl_vlog_segment     *active = vlog_active(vlog);
    uint32_t                    bytes = sl_vlog_record_bytes(0);
    enum sl_err                 err;

    if (vlog->failed)
        return refuse_failed(vlog, why);
    if (vlog->marked == active->end || vlog->durable == active->first ||
        bytes > vlog_capacity_end(active) - active->end)
        return SL_OK;
    reserve_batch(vlog, bytes);
    (void)vlog_record_encode(&marker, active->generation, active->end, vlog->durable, vlog->batch);
    if ((err = write_batch(vlog, bytes, why)) != SL_OK)
        return err;
    accept_batch(vlog, &marker, 1, &position);
    vlog->marked = active->end;
    return SL_OK;
}

enum sl_err sl_vlog_prepare(struct sl_vlog *vlog, uint64_t bytes, uint64_t *left,
                            struct sl_why *why)
{
    return vlog_next_prepare(vlog, bytes, left, why);
}

/* ---- removing ---- */

enum sl_err sl_vlog_remove_before(struct sl_vlog *vlog, uint64_t offset, struct sl_why *why)
{
    enum sl_err err;

    while (vlog->segment_count > 1 && vlog->segments[0].end <= offset) {
        if ((err = vlog_segment_remove_oldest(vlog, why)) != SL_OK)
            return sl_wrap(why, err, "remove from value log %s", vlog->dir);
    }
    return SL_OK;
}
