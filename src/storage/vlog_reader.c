#include "storage/vlog_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "storage/vlog_private.h"

/* An open segment. Where it ends only its successor's header says: segment.end is that offset, or
 * NOT_KNOWN, or NEWEST when there was no successor the last time somebody looked. */
struct opened {
    struct sl_file        *file; /* owned; NULL: free place */
    struct sl_vlog_segment segment;
    uint64_t               used; /* reader->clock at its last use */
};

static const uint64_t NOT_KNOWN = 0;
static const uint64_t NEWEST = UINT64_MAX;

struct sl_vlog_reader {
    struct sl_fs           *fs;
    char                    dir[SL_PATH_BYTES_MAX];
    struct sl_vlog_identity identity;
    uint64_t                allowed; /* offset */
    uint64_t           expected; /* behind the last record read: here a reader in order goes on */
    uint64_t           clock;
    struct opened      files[SL_VLOG_READER_FILES_MAX];
    struct opened     *shown; /* the segment whose bytes are in the window; NULL: none */
    struct vlog_window window;
};

struct sl_vlog_reader *sl_vlog_reader_new(const struct sl_vlog_options *options)
{
    struct sl_vlog_reader *reader = calloc(1, sizeof *reader);

    SL_ASSERT(reader != NULL);
    SL_ASSERT(strlen(options->dir) < sizeof reader->dir);
    memcpy(reader->dir, options->dir, strlen(options->dir) + 1);
    reader->fs = options->fs;
    reader->identity = options->identity;
    vlog_window_init(&reader->window);
    return reader;
}

void sl_vlog_reader_allow(struct sl_vlog_reader *reader, uint64_t end)
{
    if (end > reader->allowed)
        reader->allowed = end;
}

/* ---- open segments ---- */

static void show_nothing(struct sl_vlog_reader *reader)
{
    vlog_window_forget(&reader->window);
    reader->shown = NULL;
}

static void drop(struct sl_vlog_reader *reader, struct opened *o)
{
    if (reader->shown == o)
        show_nothing(reader);
    sl_file_close(&o->file);
}

void sl_vlog_reader_free(struct sl_vlog_reader **reader)
{
    struct sl_vlog_reader *r = *reader;

    *reader = NULL;
    if (r == NULL)
        return;
    for (unsigned i = 0; i < SL_VLOG_READER_FILES_MAX; i++)
        drop(r, &r->files[i]);
    vlog_window_free(&r->window);
    free(r);
}

/* A free place, or that of the segment not used for the longest time. */
static struct opened *place_for_one(struct sl_vlog_reader *reader)
{
    struct opened *oldest = &reader->files[0];

    for (unsigned i = 0; i < SL_VLOG_READER_FILES_MAX; i++) {
        if (reader->files[i].file == NULL)
            return &reader->files[i];
        if (reader->files[i].used < oldest->used)
            oldest = &reader->files[i];
    }
    drop(reader, oldest);
    return oldest;
}

static struct opened *find_numbered(struct sl_vlog_reader *reader, uint64_t number)
{
    for (unsigned i = 0; i < SL_VLOG_READER_FILES_MAX; i++) {
        struct opened *o = &reader->files[i];

        if (o->file != NULL && o->segment.number == number) {
            o->used = ++reader->clock;
            return o;
        }
    }
    return NULL;
}

/* The open segment of this number; opened when it is not. SL_NOT_FOUND: there is none. */
static enum sl_err open_numbered(struct sl_vlog_reader *reader, uint64_t number,
                                 struct opened **out, struct sl_why *why)
{
    struct vlog_header header;
    struct sl_file    *file;
    enum sl_err        err;

    *out = find_numbered(reader, number);
    if (*out != NULL)
        return SL_OK;
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        err = vlog_segment_open(reader->fs, reader->dir, number, &reader->identity, SL_OPEN_READ,
                                &file, &header, why);
        if (err != SL_CORRUPT)
            break; /* else it may have been recycled between opening and reading: ask for the name
                      again */
    }
    if (err != SL_OK)
        return err;
    *out = place_for_one(reader);
    **out = (struct opened){.file = file,
                            .used = ++reader->clock,
                            .segment = {.number = number,
                                        .generation = header.generation,
                                        .first = header.first,
                                        .end = NOT_KNOWN,
                                        .bytes = header.segment_bytes}};
    return SL_OK;
}

static enum sl_err is_removed(const struct sl_vlog_reader *reader, uint64_t offset,
                              struct sl_why *why)
{
    return sl_fail(why, SL_NOT_FOUND, "log offset %" PRIu64 " of %s was removed", offset,
                   reader->dir);
}

/* The last segment of the list that begins at or before the offset. Halves the list until one is
 * left: few headers are read, no matter how many segments there are. *found: its place in the list;
 * list->count: none. */
static enum sl_err bisect(struct sl_vlog_reader *reader, const struct vlog_listing *list,
                          uint64_t offset, uint32_t *found, struct sl_why *why)
{
    struct opened *o;
    uint32_t       low = 0;
    uint32_t       high = list->count;
    enum sl_err    err;

    *found = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        err = open_numbered(reader, list->numbers[middle], &o, why);
        if (err != SL_OK && err != SL_NOT_FOUND)
            return err;
        if (err == SL_OK && o->segment.first > offset) {
            high = middle;
            continue;
        }
        if (err == SL_OK)
            *found = middle;
        low = middle + 1; /* one that is not found was removed since, and so were those before it */
    }
    return SL_OK;
}

static enum sl_err search_list(struct sl_vlog_reader *reader, const struct vlog_listing *list,
                               uint64_t offset, struct opened **out, struct sl_why *why)
{
    struct opened *successor;
    uint64_t       end = NEWEST;
    uint32_t       at;
    enum sl_err    err;

    if ((err = bisect(reader, list, offset, &at, why)) != SL_OK)
        return err;
    if (at == list->count)
        return is_removed(reader, offset, why);
    if (at + 1 < list->count) {
        if ((err = open_numbered(reader, list->numbers[at + 1], &successor, why)) != SL_OK)
            return err;
        end = successor->segment.first;
    }
    if ((err = open_numbered(reader, list->numbers[at], out, why)) != SL_OK)
        return err;
    (*out)->segment.end = end;
    return SL_OK;
}

static enum sl_err search_directory(struct sl_vlog_reader *reader, uint64_t offset,
                                    struct opened **out, struct sl_why *why)
{
    struct vlog_listing list;
    enum sl_err         err;

    if ((err = vlog_list(reader->fs, reader->dir, &list, why)) != SL_OK)
        return err;
    err = search_list(reader, &list, offset, out, why);
    free(list.numbers);
    return err;
}

static struct opened *find_open(struct sl_vlog_reader *reader, uint64_t offset)
{
    for (unsigned i = 0; i < SL_VLOG_READER_FILES_MAX; i++) {
        struct opened *o = &reader->files[i];

        if (o->file != NULL && o->segment.first <= offset && offset < o->segment.end) {
            o->used = ++reader->clock;
            return o;
        }
    }
    return NULL;
}

/* The segment that has the offset. */
static enum sl_err locate(struct sl_vlog_reader *reader, uint64_t offset, struct opened **out,
                          struct sl_why *why)
{
    struct opened *o = find_open(reader, offset);
    struct opened *successor;
    enum sl_err    err;

    if (o == NULL)
        return search_directory(reader, offset, out, why);
    *out = o;
    if (o->segment.end != NEWEST)
        return SL_OK;
    err = open_numbered(reader, o->segment.number + 1, &successor, why);
    if (err == SL_NOT_FOUND)
        return SL_OK;
    if (err != SL_OK)
        return err;
    o->segment.end = successor->segment.first;
    return offset < o->segment.end ? SL_OK : search_directory(reader, offset, out, why);
}

/* ---- records ---- */

/* Where to stop reading ahead: what is not acknowledged may still change. Elsewhere than where the
 * last record ended, nothing is read ahead. */
static uint64_t ahead_of(const struct sl_vlog_reader *reader, const struct sl_vlog_segment *s,
                         struct sl_position position)
{
    uint64_t until = reader->allowed < s->end ? reader->allowed : s->end;
    bool     in_order = position.offset >= reader->expected &&
                    position.offset - reader->expected < SL_VLOG_WINDOW_BYTES;

    if (until > vlog_capacity_end(s))
        until = vlog_capacity_end(s);
    return in_order && until > position.offset ? vlog_place(s, until) : 0;
}

/* Let *bytes show the whole record. SL_CORRUPT, without a reason, when it is not a good one. */
static enum sl_err show_record(struct sl_vlog_reader *reader, struct opened *o,
                               struct sl_position position, struct vlog_record_header *header,
                               const uint8_t **bytes, struct sl_why *why)
{
    const struct sl_vlog_segment *s = &o->segment;
    enum sl_err                   err;

    if (position.offset > vlog_capacity_end(s) ||
        position.bytes > vlog_capacity_end(s) - position.offset)
        return SL_CORRUPT;
    if (reader->shown != o)
        show_nothing(reader);
    err = vlog_window_show(&reader->window, o->file, vlog_place(s, position.offset), position.bytes,
                           ahead_of(reader, s, position), bytes, why);
    if (err != SL_OK)
        return err;
    reader->shown = o;
    if (!vlog_record_decode(*bytes, s->generation, position.offset, header) ||
        sl_vlog_record_bytes(header->payload_bytes) != position.bytes ||
        !vlog_payload_is_good(header, *bytes + VLOG_RECORD_HEADER_BYTES))
        return SL_CORRUPT;
    return SL_OK;
}

/* The segment whose window has the whole record, or NULL. All in a window was acknowledged when it
 * was read, so that it is this segment's for good. */
static struct opened *find_shown(struct sl_vlog_reader *reader, struct sl_position position)
{
    struct opened *o = reader->shown;

    if (o == NULL || position.offset < o->segment.first ||
        !vlog_window_holds(&reader->window, vlog_place(&o->segment, position.offset),
                           position.bytes))
        return NULL;
    return o;
}

/* The record is bad. If its file has been removed, and perhaps recycled, under this reader, that is
 * no damage. */
static enum sl_err explain_bad(struct sl_vlog_reader *reader, struct opened *o,
                               struct sl_position position, struct sl_why *why)
{
    struct sl_vlog_segment s = o->segment;
    struct opened         *again;
    enum sl_err            err;

    drop(reader, o);
    err = open_numbered(reader, s.number, &again, why);
    if (err == SL_NOT_FOUND)
        return is_removed(reader, position.offset, why);
    if (err != SL_OK)
        return err;
    return vlog_damaged(reader->dir, &s, position.offset, position.offset + position.bytes, why);
}

static enum sl_err find_record(struct sl_vlog_reader *reader, struct sl_position position,
                               struct vlog_record_header *header, const uint8_t **bytes,
                               struct sl_why *why)
{
    struct opened *o = find_shown(reader, position);
    enum sl_err    err;

    if (o == NULL && (err = locate(reader, position.offset, &o, why)) != SL_OK)
        return err;
    err = show_record(reader, o, position, header, bytes, why);
    return err == SL_CORRUPT ? explain_bad(reader, o, position, why) : err;
}

enum sl_err sl_vlog_reader_show(struct sl_vlog_reader *reader, struct sl_position position,
                                struct sl_vlog_record *out, struct sl_why *why)
{
    struct vlog_record_header h;
    const uint8_t            *bytes;
    enum sl_err               err;

    if (position.offset < VLOG_FIRST_OFFSET || position.offset % VLOG_ALIGN != 0 ||
        position.bytes < VLOG_RECORD_HEADER_BYTES || position.bytes % VLOG_ALIGN != 0 ||
        position.bytes > sl_vlog_record_bytes(SL_VLOG_PAYLOAD_BYTES_MAX))
        return sl_fail(why, SL_INVALID, "log offset %" PRIu64 " and %u bytes are no position",
                       position.offset, position.bytes);
    if ((err = find_record(reader, position, &h, &bytes, why)) != SL_OK)
        return err;
    if (h.type < SL_VLOG_PREWRITE || h.type > SL_VLOG_IDLE)
        return sl_fail(why, SL_UNSUPPORTED,
                       "%s: the record at log offset %" PRIu64 " is of unknown type %u",
                       reader->dir, position.offset, h.type);
    reader->expected = position.offset + position.bytes;
    *out = (struct sl_vlog_record){
        .type = (enum sl_vlog_type)h.type,
        .flags = h.flags,
        .start_ts = h.start_ts,
        .commit_ts = h.commit_ts,
        .payload = {.bytes = bytes + VLOG_RECORD_HEADER_BYTES, .len = h.payload_bytes}};
    return SL_OK;
}

enum sl_err sl_vlog_reader_read(struct sl_vlog_reader *reader, struct sl_position position,
                                struct sl_vlog_record *out, struct sl_buf **payload,
                                struct sl_why *why)
{
    enum sl_err err = sl_vlog_reader_show(reader, position, out, why);

    if (err != SL_OK)
        return err;
    *payload = sl_buf_new(out->payload.len);
    memcpy((*payload)->data, out->payload.bytes, out->payload.len);
    out->payload = sl_slice_from_buf(*payload);
    return SL_OK;
}
