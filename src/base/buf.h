#ifndef SL_BASE_BUF_H
#define SL_BASE_BUF_H

/* Bytes that travel between actors without being copied: `struct sl_buf` is refcounted and
 * immutable once shared; `struct sl_slice` is a borrowed view that keeps nothing alive. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- shared ---- */

/* Who made the buffer may write its bytes until they are shared (ref, slice, or handed to another
 * actor), which a slice does for the bytes it shows; from then on nobody writes them, and any
 * thread may read, ref, slice and free it. The fields are fixed for its life. */
struct sl_buf {
    size_t   len; /* 0..SL_BUF_BYTES_MAX */
    uint8_t *data;
};

/* A buffer of `size` bytes, not initialised, with one reference, the caller's. size is at most
 * SL_BUF_BYTES_MAX: check one that comes from outside against the limit of its kind first. */
struct sl_buf *sl_buf_new(size_t size);
/* One more reference to the same buffer; each is given back by sl_buf_free. Returns buf. */
struct sl_buf *sl_buf_ref(struct sl_buf *buf);
/* Give back one reference and null the pointer; the last frees the bytes. *buf may be NULL. */
void sl_buf_free(struct sl_buf **buf);

/* What keeps bytes that a buffer did not allocate: called by whichever thread. */
struct sl_buf_keeper {
    /* The last reference is gone: free the bytes, and the keeper if it is to be. */
    void (*release)(struct sl_buf_keeper *keeper, uint8_t *data, size_t len);
    /* They need not stay in memory, but must be there when they are read again. */
    void (*forget)(struct sl_buf_keeper *keeper, uint8_t *data, size_t len);
};

/* A buffer that shows bytes which the keeper keeps, such as those of a file; len may be more than
 * SL_BUF_BYTES_MAX. One reference, the caller's. */
struct sl_buf *sl_buf_wrap(uint8_t *data, size_t len, struct sl_buf_keeper *keeper);
/* Whoever has read bytes of a buffer that may be large says that they need not stay in memory: of
 * one that has a keeper they take none until they are read again. Does nothing to others. */
void sl_buf_forget(struct sl_buf *buf);

/* A buffer of its own (one reference, the caller's) that shows len bytes of parent from offset on
 * and keeps them alive. The range lies within parent. */
struct sl_buf *sl_buf_slice(struct sl_buf *parent, size_t offset, size_t len);

/* Buffers and slices alive in this process: 0 after a clean shutdown. Any thread. */
size_t sl_buf_live_count(void);

/* ---- borrowed ---- */

/* Valid as long as what it shows. bytes may be NULL when len is 0. */
struct sl_slice {
    const uint8_t *bytes;
    size_t         len;
};

/* The bytes of buf; valid while the caller's reference is. */
struct sl_slice sl_slice_from_buf(const struct sl_buf *buf);
/* The bytes of text without its terminator. */
struct sl_slice sl_slice_from_string(const char *text);

/* Same length and bytes. Not for secrets: the time taken tells where they differ. */
bool sl_slice_equal(struct sl_slice a, struct sl_slice b);
/* Set *out to the len bytes of whole from offset on; false, and *out untouched, when they are not
 * all there. offset and len may come from outside. */
bool sl_slice_sub(struct sl_slice whole, size_t offset, size_t len, struct sl_slice *out);

#endif
