#include "storage/vlog_scrub.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "storage/vlog_private.h"

struct sl_vlog_scrub {
    struct sl_fs           *fs;
    char                    dir[SL_PATH_BYTES_MAX];
    struct sl_vlog_identity identity;
    struct vlog_listing     list; /* owned numbers; NULL: not listed yet */
    uint32_t                at;   /* of the list: the segment that is being read */
    struct sl_file         *file; /* owned; NULL: not opened yet */
    struct sl_vlog_segment  segment;
    uint64_t                offset; /* all before it is good */
    struct vlog_window      window;
};

struct sl_vlog_scrub *sl_vlog_scrub_new(const struct sl_vlog_options *options)
{
    struct sl_vlog_scrub *scrub = calloc(1, sizeof *scrub);

    SL_ASSERT(scrub != NULL);
    SL_ASSERT(strlen(options->dir) < sizeof scrub->dir);
    memcpy(scrub->dir, options->dir, strlen(options->dir) + 1);
    scrub->fs = options->fs;
    scrub->identity = options->identity;
    vlog_window_init(&scrub->window);
    return scrub;
}

void sl_vlog_scrub_free(struct sl_vlog_scrub **scrub)
{
    struct sl_vlog_scrub *old = *scrub;

    *scrub = NULL;
    if (old == NULL)
        return;
    sl_file_close(&old->file);
    free(old->list.numbers);
    vlog_window_free(&old->window);
    free(old);
}

/* ---- segments ---- */

static enum sl_err open_header(struct sl_vlog_scrub *s, uint64_t number, struct sl_file **file,
                               struct vlog_header *header, struct sl_why *why)
{
    enum sl_err err =
        vlog_segment_open(s->fs, s->dir, number, &s->identity, SL_OPEN_READ, file, header, why);

    if (err == SL_CORRUPT) /* it may have been recycled between opening and reading: once more */
        err =
            vlog_segment_open(s->fs, s->dir, number, &s->identity, SL_OPEN_READ, file, header, why);
    return err;
}

/* Where it ends its successor says. *number: the one that an error is about. */
static enum sl_err open_segment(struct sl_vlog_scrub *s, uint64_t *number, struct sl_why *why)
{
    struct vlog_header own;
    struct vlog_header next;
    struct sl_file    *file;
    enum sl_err        err;

    *number = s->list.numbers[s->at + 1];
    if ((err = open_header(s, *number, &file, &next, why)) != SL_OK)
        return err;
    sl_file_close(&file);
    *number = s->list.numbers[s->at];
    if ((err = open_header(s, *number, &s->file, &own, why)) != SL_OK)
        return err;
    s->segment = (struct sl_vlog_segment){.number = own.number,
                                          .generation = own.generation,
                                          .first = own.first,
                                          .end = next.first,
                                          .bytes = own.segment_bytes};
    s->offset = own.first;
    vlog_window_forget(&s->window);
    return SL_OK;
}

static void leave_segment(struct sl_vlog_scrub *s)
{
    sl_file_close(&s->file);
    s->at++;
}

/* Does the directory still have the segment that was opened? While it does, nobody has written
 * over it. */
static bool is_still_there(struct sl_vlog_scrub *s)
{
    struct vlog_header header;
    struct sl_file    *file;

    if (open_header(s, s->segment.number, &file, &header, NULL) != SL_OK)
        return false;
    sl_file_close(&file);
    return header.generation == s->segment.generation;
}

/* ---- records ---- */

/* *bytes: of the record at the offset; 0: it is bad. */
static enum sl_err check_record(struct sl_vlog_scrub *s, uint32_t *bytes, struct sl_why *why)
{
    const struct sl_vlog_segment *segment = &s->segment;
    uint64_t                      place = vlog_place(segment, s->offset);
    uint64_t                      ahead = vlog_place(segment, segment->end);
    struct vlog_record_header     header;
    const uint8_t                *shown;
    enum sl_err                   err;

    *bytes = 0;
    if (segment->end > vlog_capacity_end(segment) ||
        segment->end - s->offset < VLOG_RECORD_HEADER_BYTES)
        return SL_OK;
    err =
        vlog_window_show(&s->window, s->file, place, VLOG_RECORD_HEADER_BYTES, ahead, &shown, why);
    if (err != SL_OK || !vlog_record_decode(shown, segment->generation, s->offset, &header) ||
        sl_vlog_record_bytes(header.payload_bytes) > segment->end - s->offset)
        return err;
    err = vlog_window_show(&s->window, s->file, place, sl_vlog_record_bytes(header.payload_bytes),
                           ahead, &shown, why);
    if (err == SL_OK && vlog_payload_is_good(&header, shown + VLOG_RECORD_HEADER_BYTES))
        *bytes = sl_vlog_record_bytes(header.payload_bytes);
    return err;
}

/* Records of the open segment. */
static enum sl_err check_records(struct sl_vlog_scrub *s, uint64_t *budget, struct sl_why *why)
{
    while (*budget > 0 && s->offset < s->segment.end) {
        uint32_t    bytes;
        enum sl_err err = check_record(s, &bytes, why);

        if (err != SL_OK)
            return err;
        if (bytes == 0)
            return vlog_damaged(s->dir, &s->segment, s->offset, s->segment.end, why);
        s->offset += bytes;
        *budget -= bytes < *budget ? bytes : *budget;
    }
    return SL_OK;
}

/* ---- a pass ---- */

/* On in the segment at hand. Whatever is wrong with one that has gone is no matter. */
static enum sl_err go_on(struct sl_vlog_scrub *s, uint64_t *budget, uint64_t *segment,
                         struct sl_why *why)
{
    enum sl_err err = SL_OK;

    if (s->file == NULL && (err = open_segment(s, segment, why)) != SL_OK) {
        leave_segment(s);
        return err == SL_NOT_FOUND ? SL_OK : err;
    }
    *segment = s->segment.number;
    err = check_records(s, budget, why);
    if (err != SL_OK && !is_still_there(s))
        err = SL_OK;
    else if (err == SL_OK && s->offset < s->segment.end)
        return SL_OK; /* the budget is used up */
    leave_segment(s);
    return err;
}

enum sl_err sl_vlog_scrub_step(struct sl_vlog_scrub *scrub, uint64_t bytes, bool *end,
                               uint64_t *segment, struct sl_why *why)
{
    uint64_t    budget = bytes;
    enum sl_err err = SL_OK;

    *segment = 0;
    *end = true;
    if (scrub->list.numbers == NULL &&
        (err = vlog_list(scrub->fs, scrub->dir, &scrub->list, why)) != SL_OK)
        return err;
    while (err == SL_OK && budget > 0 && scrub->at + 1 < scrub->list.count)
        err = go_on(scrub, &budget, segment, why);
    *end = scrub->at + 1 >= scrub->list.count;
    return err;
}
