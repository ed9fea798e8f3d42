#include "base/buf.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/intrusive.h"
#include "base/limits.h"

/* What `struct sl_buf` is part of. The bytes of a root follow it in the same allocation. */
struct shared {
    struct sl_buf buf;
    /* Partner: itself, in the threads that hold references. Taking one is relaxed, since the taker
     * holds one already and got it through something ordered. Giving one back is acquire-release:
     * all that a holder did with the bytes happens before the last one frees them. */
    atomic_uint           refs;
    struct shared        *root; /* of a slice: the owner of the bytes, referenced once; else NULL */
    struct sl_buf_keeper *keeper; /* of the bytes, when they do not follow; else NULL */
    uint8_t               bytes[];
};

/* Only ever summed up, and it orders nothing: relaxed. Exact when no other thread makes or frees
 * buffers. */
static atomic_size_t live_count;

static struct shared *shared_of(struct sl_buf *buf)
{
    return SL_CONTAINER_OF(buf, struct shared, buf);
}

static struct shared *new_shared(size_t extra_bytes)
{
    struct shared *shared = malloc(sizeof *shared + extra_bytes);

    SL_ASSERT(shared != NULL);
    atomic_init(&shared->refs, 1);
    shared->root = NULL;
    shared->keeper = NULL;
    atomic_fetch_add_explicit(&live_count, 1, memory_order_relaxed);
    return shared;
}

static void take_reference(struct shared *shared)
{
    unsigned before = atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);

    SL_ASSERT(before > 0);
    SL_ASSERT(before < UINT32_MAX / 2);
}

/* True when it was the last. */
static bool give_reference(struct shared *shared)
{
    unsigned before = atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel);

    SL_ASSERT(before > 0);
    return before == 1;
}

struct sl_buf *sl_buf_new(size_t size)
{
    struct shared *shared;

    SL_ASSERT(size <= SL_BUF_BYTES_MAX);
    shared = new_shared(size);
    shared->buf = (struct sl_buf){.len = size, .data = shared->bytes};
    return &shared->buf;
}

struct sl_buf *sl_buf_wrap(uint8_t *data, size_t len, struct sl_buf_keeper *keeper)
{
    struct shared *shared = new_shared(0);

    shared->buf = (struct sl_buf){.len = len, .data = data};
    shared->keeper = keeper;
    return &shared->buf;
}

void sl_buf_forget(struct sl_buf *buf)
{
    struct shared *shared = shared_of(buf);

    if (shared->root != NULL)
        shared = shared->root;
    if (shared->keeper != NULL)
        shared->keeper->forget(shared->keeper, shared->buf.data, shared->buf.len);
}

struct sl_buf *sl_buf_ref(struct sl_buf *buf)
{
    take_reference(shared_of(buf));
    return buf;
}

void sl_buf_free(struct sl_buf **buf)
{
    struct shared *shared = *buf != NULL ? shared_of(*buf) : NULL;

    *buf = NULL;
    /* From a slice to its root at most: two turns. */
    while (shared != NULL && give_reference(shared)) {
        struct shared *root = shared->root;

        if (shared->keeper != NULL)
            shared->keeper->release(shared->keeper, shared->buf.data, shared->buf.len);
        free(shared);
        atomic_fetch_sub_explicit(&live_count, 1, memory_order_relaxed);
        shared = root;
    }
}

struct sl_buf *sl_buf_slice(struct sl_buf *parent, size_t offset, size_t len)
{
    struct shared *of = shared_of(parent);
    struct shared *root = of->root != NULL ? of->root : of;
    struct shared *shared;

    SL_ASSERT(offset <= parent->len);
    SL_ASSERT(len <= parent->len - offset);
    take_reference(root);
    shared = new_shared(0);
    shared->root = root;
    shared->buf = (struct sl_buf){.len = len, .data = parent->data + offset};
    return &shared->buf;
}

size_t sl_buf_live_count(void)
{
    return atomic_load_explicit(&live_count, memory_order_relaxed);
}

struct sl_slice sl_slice_from_buf(const struct sl_buf *buf)
{
    return (struct sl_slice){.bytes = buf->data, .len = buf->len};
}

struct sl_slice sl_slice_from_string(const char *text)
{
    return (struct sl_slice){.bytes = (const uint8_t *)text, .len = strlen(text)};
}

bool sl_slice_equal(struct sl_slice a, struct sl_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

bool sl_slice_sub(struct sl_slice whole, size_t offset, size_t len, struct sl_slice *out)
{
    if (offset > whole.len || len > whole.len - offset)
        return false;
    /* With an empty whole, bytes may be NULL, to which not even 0 may be added. */
    *out = (struct sl_slice){.bytes = offset == 0 ? whole.bytes : whole.bytes + offset, .len = len};
    return true;
}
