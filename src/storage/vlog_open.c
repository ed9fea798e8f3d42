/* Opening a value log: read the headers, read the records, decide what a crash left, mend it.
 *
 *   newest segment      good records ......... B  bad bytes  good  bad ...          capacity
 *                       |----- visited ------|    |--- searched for good headers ---|
 *                            W: witness
 *
 * B is where the first bad bytes stand. W is the highest offset that somebody says was durable: a
 * record (`durable`), before or behind B, an idle marker, or the caller's head. B < W: what was
 * acknowledged is damaged, refuse. Else what is behind B was never acknowledged: cut there.
 *
 * Then, before the first append
 *   - the records from W to B are written again. After a failed sync the page cache may show what
 *     the disk does not have, and calls it clean: reading proves nothing, only a new write and a
 *     good sync do.
 *   - good headers behind B are covered with zeros (invariant 5), or a later record that ends just
 *     before one would bring it to life.
 *   - one sync of the file, and one of the directory: names may be unsynced for the same reason. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "storage/vlog_private.h"

struct recovery {
    struct sl_vlog    *vlog;
    uint64_t           head;
    sl_vlog_visit      visit; /* or NULL */
    void              *context;
    struct vlog_window window;
    uint64_t           witness;
    uint64_t           remains_end; /* behind the last good header found beyond the end; 0: none */
};

/* ---- the headers ---- */

/* May segment `next` follow `last`? */
static enum sl_err check_chain(const struct sl_vlog *vlog, const struct sl_vlog_segment *last,
                               const struct vlog_header *next, struct sl_why *why)
{
    if (next->number != last->number + 1)
        return sl_fail(why, SL_CORRUPT,
                       "%s: segment %08" PRIu64 ".seg is missing, %08" PRIu64 ".seg is there: "
                       "restore the missing file",
                       vlog->dir, last->number + 1, next->number);
    if (next->first < last->first || next->first > vlog_capacity_end(last))
        return sl_fail(why, SL_CORRUPT,
                       "%s: segment %08" PRIu64 ".seg begins at log offset %" PRIu64
                       " and cannot follow its predecessor, which begins at %" PRIu64
                       ": restore both files as they were together",
                       vlog->dir, next->number, next->first, last->first);
    return SL_OK;
}

static enum sl_err load_segment(struct sl_vlog *vlog, uint64_t number, struct sl_why *why)
{
    struct sl_vlog_segment *last;
    struct vlog_header      header;
    struct sl_file         *file;
    enum sl_err             err;

    err = vlog_segment_open(vlog->options.fs, vlog->dir, number, &vlog->options.identity,
                            SL_OPEN_READ, &file, &header, why);
    if (err != SL_OK)
        return err;
    sl_file_close(&file);
    if (vlog->segment_count > 0) {
        last = vlog_active(vlog);
        if ((err = check_chain(vlog, last, &header, why)) != SL_OK)
            return err;
        last->end = header.first;
        last->max_commit_ts = header.previous_max_commit_ts;
    }
    vlog_table_add(vlog, &header);
    return SL_OK;
}

static enum sl_err load_headers(struct sl_vlog *vlog, struct sl_why *why)
{
    struct vlog_listing list;
    char                path[SL_PATH_BYTES_MAX];
    enum sl_err         err;

    if ((err = vlog_list(vlog->options.fs, vlog->dir, &list, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < list.count && err == SL_OK; i++)
        err = load_segment(vlog, list.numbers[i], why);
    vlog->spare_count = list.spare_count;
    memcpy(vlog->spares, list.spares, sizeof vlog->spares);
    free(list.numbers);
    if (err != SL_OK || vlog->segment_count == 0)
        return err;
    if ((err = vlog_segment_path(path, vlog->dir, vlog_active(vlog)->number, why)) != SL_OK)
        return err;
    return sl_fs_open(vlog->options.fs, path, SL_OPEN_READ | SL_OPEN_WRITE, &vlog->file, why);
}

/* ---- the records ---- */

/* Read the header at `offset`; *good: it is one and the record ends by `limit`. */
static enum sl_err look_at_header(struct recovery *r, struct sl_file *file,
                                  const struct sl_vlog_segment *s, uint64_t offset, uint64_t limit,
                                  struct vlog_record_header *header, bool *good, struct sl_why *why)
{
    const uint8_t *bytes;
    enum sl_err    err;

    *good = false;
    if (limit - offset < VLOG_RECORD_HEADER_BYTES)
        return SL_OK;
    err = vlog_window_show(&r->window, file, vlog_place(s, offset), VLOG_RECORD_HEADER_BYTES,
                           vlog_place(s, limit), &bytes, why);
    if (err != SL_OK)
        return err;
    if (!vlog_record_decode(bytes, s->generation, offset, header) ||
        sl_vlog_record_bytes(header->payload_bytes) > limit - offset)
        return SL_OK;
    if (header->durable > r->witness)
        r->witness = header->durable;
    *good = true;
    return SL_OK;
}

static enum sl_err look_at_record(struct recovery *r, struct sl_file *file,
                                  const struct sl_vlog_segment *s, uint64_t offset, uint64_t limit,
                                  struct sl_vlog_found *found, bool *good, struct sl_why *why)
{
    struct vlog_record_header h;
    const uint8_t            *bytes;
    enum sl_err               err;

    err = look_at_header(r, file, s, offset, limit, &h, good, why);
    if (err != SL_OK || !*good)
        return err;
    err =
        vlog_window_show(&r->window, file, vlog_place(s, offset),
                         sl_vlog_record_bytes(h.payload_bytes), vlog_place(s, limit), &bytes, why);
    if (err != SL_OK)
        return err;
    *good = vlog_payload_is_good(&h, bytes + VLOG_RECORD_HEADER_BYTES);
    if (*good && (h.type < SL_VLOG_PREWRITE || h.type > SL_VLOG_IDLE))
        return sl_fail(why, SL_UNSUPPORTED,
                       "%s: the record at log offset %" PRIu64 " is of type %u, which this program "
                       "does not know: use the program version that wrote it",
                       r->vlog->dir, offset, h.type);
    *found = (struct sl_vlog_found){
        .position = {.offset = offset, .bytes = sl_vlog_record_bytes(h.payload_bytes)},
        .record = {.type = (enum sl_vlog_type)h.type,
                   .flags = h.flags,
                   .start_ts = h.start_ts,
                   .commit_ts = h.commit_ts,
                   .payload = {.bytes = bytes + VLOG_RECORD_HEADER_BYTES, .len = h.payload_bytes}},
        .durable = h.durable,
    };
    return SL_OK;
}

static enum sl_err take_record(struct recovery *r, struct sl_vlog_segment *s,
                               const struct sl_vlog_found *found)
{
    bool is_marker = found->record.type == SL_VLOG_IDLE;

    if (found->record.commit_ts > s->max_commit_ts)
        s->max_commit_ts = found->record.commit_ts;
    r->vlog->marked = is_marker ? found->position.offset + found->position.bytes : 0;
    if (is_marker || r->visit == NULL || found->position.offset < r->head)
        return SL_OK;
    return r->visit(r->context, found);
}

/* Visit the good records of the segment from its beginning; *stop: the end of the last, at most
 * `limit`. */
static enum sl_err scan(struct recovery *r, struct sl_file *file, struct sl_vlog_segment *s,
                        uint64_t limit, uint64_t *stop, struct sl_why *why)
{
    struct sl_vlog_found found;
    uint64_t             offset = s->first;
    bool                 good = true;
    enum sl_err          err;

    vlog_window_forget(&r->window);
    while (good && offset < limit) {
        if ((err = look_at_record(r, file, s, offset, limit, &found, &good, why)) != SL_OK)
            return err;
        if (!good)
            break;
        if ((err = take_record(r, s, &found)) != SL_OK)
            return err;
        offset += found.position.bytes;
    }
    *stop = offset;
    return SL_OK;
}

static enum sl_err scan_sealed(struct recovery *r, struct sl_vlog_segment *s, struct sl_why *why)
{
    struct vlog_header header;
    struct sl_file    *file;
    uint64_t           stop;
    enum sl_err        err;

    err = vlog_segment_open(r->vlog->options.fs, r->vlog->dir, s->number,
                            &r->vlog->options.identity, SL_OPEN_READ, &file, &header, why);
    if (err != SL_OK)
        return err;
    err = scan(r, file, s, s->end, &stop, why);
    sl_file_close(&file);
    if (err == SL_OK && stop < s->end)
        return vlog_damaged(r->vlog->dir, s, stop, s->end, why);
    return err;
}

/* Move *offset to the next magic in the newest segment, or to `limit`. */
static enum sl_err skip_to_magic(struct recovery *r, const struct sl_vlog_segment *s,
                                 uint64_t limit, uint64_t *offset, struct sl_why *why)
{
    enum { STEP = 1 << 16 };
    const uint8_t *bytes;
    enum sl_err    err;

    while (*offset < limit) {
        size_t count = limit - *offset < STEP ? (size_t)(limit - *offset) : STEP;
        size_t found;

        err = vlog_window_show(&r->window, r->vlog->file, vlog_place(s, *offset), count,
                               vlog_place(s, limit), &bytes, why);
        if (err != SL_OK)
            return err;
        found = vlog_find_magic(bytes, count);
        *offset += found;
        if (found < count)
            return SL_OK;
    }
    return SL_OK;
}

/* Behind the end: witnesses of durability, and what must be covered with zeros. */
static enum sl_err search_remains(struct recovery *r, const struct sl_vlog_segment *s,
                                  struct sl_why *why)
{
    struct vlog_record_header header;
    uint64_t                  limit = vlog_capacity_end(s);
    uint64_t                  offset = s->end;
    bool                      good;
    enum sl_err               err;

    for (;;) {
        if ((err = skip_to_magic(r, s, limit, &offset, why)) != SL_OK)
            return err;
        if (offset == limit)
            return SL_OK;
        err = look_at_header(r, r->vlog->file, s, offset, limit, &header, &good, why);
        if (err != SL_OK)
            return err;
        offset += good ? sl_vlog_record_bytes(header.payload_bytes) : VLOG_ALIGN;
        if (good)
            r->remains_end = offset;
    }
}

static enum sl_err scan_all(struct recovery *r, struct sl_why *why)
{
    struct sl_vlog         *vlog = r->vlog;
    struct sl_vlog_segment *active = vlog_active(vlog);
    enum sl_err             err = SL_OK;

    for (uint32_t i = 0; i + 1 < vlog->segment_count && err == SL_OK; i++) {
        if (r->visit != NULL && vlog->segments[i].end > r->head)
            err = scan_sealed(r, &vlog->segments[i], why);
    }
    if (err != SL_OK)
        return err;
    if ((err = scan(r, vlog->file, active, vlog_capacity_end(active), &active->end, why)) != SL_OK)
        return err;
    if ((err = search_remains(r, active, why)) != SL_OK)
        return err;
    if (active->end < r->witness)
        return vlog_damaged(vlog->dir, active, active->end, r->witness, why);
    return SL_OK;
}

/* ---- mending ---- */

/* Write the bytes of [from, to) again as they are. */
static enum sl_err rewrite(struct recovery *r, const struct sl_vlog_segment *s, uint64_t from,
                           uint64_t to, struct sl_why *why)
{
    const uint8_t *bytes;
    size_t         count;
    enum sl_err    err = SL_OK;

    for (; from < to && err == SL_OK; from += count) {
        count = to - from < SL_VLOG_WINDOW_BYTES ? (size_t)(to - from) : SL_VLOG_WINDOW_BYTES;
        err =
            vlog_window_show(&r->window, r->vlog->file, vlog_place(s, from), count, 0, &bytes, why);
        if (err == SL_OK)
            err = sl_file_write_at(r->vlog->file, vlog_place(s, from), bytes, count, why);
    }
    return err;
}

static enum sl_err mend(struct recovery *r, struct sl_why *why)
{
    struct sl_vlog               *vlog = r->vlog;
    const struct sl_vlog_segment *s = vlog_active(vlog);
    uint64_t                      proven = r->witness > s->first ? r->witness : s->first;
    enum sl_err                   err;

    if ((err = rewrite(r, s, proven, s->end, why)) != SL_OK)
        return err;
    if (r->remains_end > 0) {
        err =
            vlog_write_zeros(vlog->file, vlog_place(s, s->end), vlog_place(s, r->remains_end), why);
        if (err != SL_OK)
            return err;
    }
    if ((proven < s->end || r->remains_end > 0) && (err = sl_file_sync(vlog->file, why)) != SL_OK)
        return err;
    vlog->durable = s->end;
    return sl_fs_sync_dir(vlog->options.fs, vlog->dir, why);
}

static enum sl_err recover(struct recovery *r, struct sl_why *why)
{
    enum sl_err err;

    vlog_window_init(&r->window);
    if ((err = scan_all(r, why)) == SL_OK)
        err = mend(r, why);
    vlog_window_free(&r->window);
    return err;
}

/* ---- a new one ---- */

static enum sl_err create(struct sl_vlog *vlog, uint64_t head, struct sl_why *why)
{
    enum sl_err err;

    if (head > 0)
        return sl_fail(why, SL_CORRUPT,
                       "%s holds no segment, but the index has seen it up to log offset %" PRIu64
                       ": restore the directory, or move the whole data directory away and start "
                       "with an empty one",
                       vlog->dir, head);
    if ((err = sl_fs_sync_dir_of(vlog->options.fs, vlog->dir, why)) != SL_OK)
        return err;
    return vlog_segment_begin(vlog, why);
}

/* ---- the object ---- */

static enum sl_err vlog_new(const struct sl_vlog_options *options, struct sl_vlog **out,
                            struct sl_why *why)
{
    struct sl_vlog *vlog;

    SL_ASSERT(options->fs != NULL && options->random != NULL);
    SL_ASSERT(options->identity.shard < options->identity.shard_count);
    SL_ASSERT(options->identity.shard_count <= SL_VLOG_SHARDS_MAX);
    if (options->segment_bytes < SL_VLOG_SEGMENT_BYTES_MIN ||
        options->segment_bytes > SL_VLOG_SEGMENT_BYTES_MAX ||
        options->segment_bytes % VLOG_BLOCK_BYTES != 0)
        return sl_fail(why, SL_CONFIG,
                       "a segment size of %" PRIu64 " bytes; it must be a multiple of %d from %d "
                       "to %d",
                       options->segment_bytes, VLOG_BLOCK_BYTES, SL_VLOG_SEGMENT_BYTES_MIN,
                       SL_VLOG_SEGMENT_BYTES_MAX);
    if (strlen(options->dir) >= sizeof vlog->dir)
        return sl_fail(why, SL_TOO_LARGE, "the path of the value log is too long");
    vlog = calloc(1, sizeof *vlog);
    SL_ASSERT(vlog != NULL);
    memcpy(vlog->dir, options->dir, strlen(options->dir) + 1);
    vlog->options = *options;
    vlog->options.dir = vlog->dir;
    *out = vlog;
    return SL_OK;
}

enum sl_err sl_vlog_open(const struct sl_vlog_options *options, uint64_t head, sl_vlog_visit visit,
                         void *context, struct sl_vlog **out, struct sl_why *why)
{
    struct recovery r = {.head = head, .visit = visit, .context = context, .witness = head};
    enum sl_err     err;

    if ((err = vlog_new(options, &r.vlog, why)) != SL_OK)
        return err;
    if ((err = sl_fs_mkdir_all(options->fs, options->dir, why)) != SL_OK)
        goto close_vlog;
    if ((err = load_headers(r.vlog, why)) != SL_OK)
        goto close_vlog;
    err = r.vlog->segment_count == 0 ? create(r.vlog, head, why) : recover(&r, why);
    if (err != SL_OK)
        goto close_vlog;
    *out = r.vlog;
    return SL_OK;

close_vlog:
    sl_vlog_close(&r.vlog);
    return sl_wrap(why, err, "open value log");
}

void sl_vlog_close(struct sl_vlog **vlog)
{
    struct sl_vlog *v = *vlog;

    *vlog = NULL;
    if (v == NULL)
        return;
    sl_file_close(&v->file);
    sl_file_close(&v->next.file);
    free(v->segments);
    free(v->batch);
    free(v);
}
