#ifndef SL_STORAGE_VLOG_PRIVATE_H
#define SL_STORAGE_VLOG_PRIVATE_H

/* What the files of the value log share: the object, its directory and a window onto a file.
 *
 *   vlog.c         append, idle marker, removal: the object in use
 *   vlog_open.c    recovery
 *   vlog_dir.c     names, headers, birth and removal of segment files
 *   vlog_reader.c  reading beside the writer
 *   vlog_scrub.c   looking for damage beside the writer
 *   vlog_window.c  reading in order from one file
 *   vlog_format.c  bytes */

#include "storage/vlog.h"
#include "storage/vlog_format.h"

/* ---- the object ---- */

/* The file that becomes the next segment. */
struct vlog_next {
    struct sl_file *file;   /* owned; NULL: none yet */
    uint64_t        filled; /* bytes written (a recycled one: all); = segment_bytes: synced too */
    char            name[32];
};

/* The log. Its files are the truth; this is what is known of them. */
struct sl_vlog {
    struct sl_vlog_options options; /* .dir is the copy below */
    char                   dir[SL_PATH_BYTES_MAX];

    struct sl_vlog_segment *segments; /* owned; oldest first, the last is active */
    uint32_t                segment_count;
    uint32_t                segment_room;

    struct sl_file  *file; /* owned; the active segment */
    struct vlog_next next;
    uint64_t         spares[SL_VLOG_SPARES_MAX]; /* numbers in the names of recycled files */
    uint32_t         spare_count;

    uint64_t durable; /* offset; <= end of the active segment */
    uint64_t marked;  /* end of the log right after the last idle marker */
    bool     failed;  /* a write or sync failed: this object appends nothing more */

    uint8_t *batch; /* owned; aligned to a block */
    size_t   batch_room;
};

/* The segment being written. */
static inline struct sl_vlog_segment *vlog_active(const struct sl_vlog *vlog)
{
    return &vlog->segments[vlog->segment_count - 1];
}

/* Where the byte at `offset` stands in the file of segment s. */
static inline uint64_t vlog_place(const struct sl_vlog_segment *s, uint64_t offset)
{
    return VLOG_BLOCK_BYTES + (offset - s->first);
}

/* The offset at which the file of segment s is full. */
static inline uint64_t vlog_capacity_end(const struct sl_vlog_segment *s)
{
    return s->first + (s->bytes - VLOG_BLOCK_BYTES);
}

/* SL_CORRUPT, and what there is to be done: the record at `offset` is bad, and all of the log
 * before `durable` was acknowledged. Nothing is changed: what is still there may be all there
 * is. */
enum sl_err vlog_damaged(const char *dir, const struct sl_vlog_segment *s, uint64_t offset,
                         uint64_t durable, struct sl_why *why);

/* Overwrite bytes [from, to) of the file with zeros. */
enum sl_err vlog_write_zeros(struct sl_file *file, uint64_t from, uint64_t to, struct sl_why *why);

/* ---- vlog_dir.c ---- */

/* Path of segment `number` into out[SL_PATH_BYTES_MAX]. */
enum sl_err vlog_segment_path(char *out, const char *dir, uint64_t number, struct sl_why *why);

/* Numbers of the segments in a directory, ascending. `numbers` is the caller's: free. */
struct vlog_listing {
    uint64_t *numbers;
    uint32_t  count;
    uint32_t  room;
    uint64_t  spares[SL_VLOG_SPARES_MAX]; /* those beyond are not listed */
    uint32_t  spare_count;
};
enum sl_err vlog_list(struct sl_fs *fs, const char *dir, struct vlog_listing *out,
                      struct sl_why *why);

/* Open a segment and read its header; *file is the caller's. SL_NOT_FOUND: no such segment. Checks
 * format, number, size and identity. */
enum sl_err vlog_segment_open(struct sl_fs *fs, const char *dir, uint64_t number,
                              const struct sl_vlog_identity *identity, unsigned flags,
                              struct sl_file **file, struct vlog_header *header,
                              struct sl_why *why);

/* Bring the next file closer to being a segment by `bytes` of work; *left: what remains. */
enum sl_err vlog_next_prepare(struct sl_vlog *vlog, uint64_t bytes, uint64_t *left,
                              struct sl_why *why);
/* Give up what was prepared. */
void vlog_next_drop(struct sl_vlog *vlog);
/* Make the next file the active segment; all before it is durable (invariant 2). SL_NOSPACE: the
 * log is as before. Any other error: the directory may or may not have it. */
enum sl_err vlog_segment_begin(struct sl_vlog *vlog, struct sl_why *why);
/* Put a segment at the end of the table. */
void vlog_table_add(struct sl_vlog *vlog, const struct vlog_header *header);
/* Remove or recycle the oldest segment, which is not the active one. */
enum sl_err vlog_segment_remove_oldest(struct sl_vlog *vlog, struct sl_why *why);

/* ---- vlog_window.c ---- */

/* Bytes of one file, read ahead. */
struct vlog_window {
    uint8_t *bytes; /* owned */
    size_t   room;
    uint64_t at; /* place in the file of bytes[0] */
    size_t   count;
};

void vlog_window_init(struct vlog_window *window);
void vlog_window_free(struct vlog_window *window);
/* Forget what was read: another file, or the file changed. */
void vlog_window_forget(struct vlog_window *window);
/* Are these bytes in the window? */
bool vlog_window_holds(const struct vlog_window *window, uint64_t at, size_t count);
/* Let *out point to `count` bytes of the file from `at` on, until the next call. When they must be
 * read, bytes behind them are too, up to the end of the window, but none from `ahead` on. SL_IO
 * when the file ends before at + count. */
enum sl_err vlog_window_show(struct vlog_window *window, struct sl_file *file, uint64_t at,
                             size_t count, uint64_t ahead, const uint8_t **out, struct sl_why *why);

#endif
