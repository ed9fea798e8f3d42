#include "binlog/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct merge_source {
    const struct sl_descriptor *head; /* rest of the first block; NULL when there is none */
    const struct sl_descriptor *end;
    struct sl_merge_block      *first;
    struct sl_merge_block      *last;
    sl_ts                       watermark;
    sl_ts                       pushed; /* the last commit ts pushed */
    uint64_t                    pending;
    bool                        used;
};

/* A source that has descriptors, by the commit ts of its head. */
struct merge_entry {
    sl_ts    ts;
    uint32_t source;
};

struct sl_merge {
    struct merge_source   *sources; /* owned; by number */
    struct merge_entry    *heap;    /* owned; binary, least first; as long as sources */
    uint32_t               source_slots;
    uint32_t               heap_count;
    uint32_t               used_count;
    sl_ts                  passed;
    sl_ts                  emitted; /* the last commit ts emitted */
    struct sl_merge_block *spent;
};

struct sl_merge *sl_merge_new(sl_ts after)
{
    struct sl_merge *merge = calloc(1, sizeof *merge);

    SL_ASSERT(merge != NULL);
    merge->passed = after;
    merge->emitted = INT64_MIN; /* no ts: nothing at or below `after` is a copy of it */
    return merge;
}

void sl_merge_free(struct sl_merge **merge)
{
    struct sl_merge *m = *merge;

    if (m == NULL)
        return;
    SL_ASSERT(m->spent == NULL);
    SL_ASSERT(m->heap_count == 0);
    free(m->sources);
    free(m->heap);
    free(m);
    *merge = NULL;
}

static struct merge_source *source_of(const struct sl_merge *m, uint32_t source)
{
    SL_ASSERT(source < m->source_slots);
    SL_ASSERT(m->sources[source].used);
    return &m->sources[source];
}

/* ---- the heap ---- */

/* Put an entry where the hole at `place` sinks to. */
static void sink(struct sl_merge *m, uint32_t place, struct merge_entry entry)
{
    struct merge_entry *heap = m->heap;
    uint32_t            count = m->heap_count;

    for (;;) {
        uint32_t child = 2 * place + 1;

        if (child >= count)
            break;
        if (child + 1 < count && heap[child + 1].ts < heap[child].ts)
            child++;
        if (entry.ts <= heap[child].ts)
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = entry;
}

static void enter(struct sl_merge *m, struct merge_entry entry)
{
    uint32_t place = m->heap_count++;

    SL_ASSERT(m->heap_count <= m->source_slots);
    for (; place > 0 && entry.ts < m->heap[(place - 1) / 2].ts; place = (place - 1) / 2)
        m->heap[place] = m->heap[(place - 1) / 2];
    m->heap[place] = entry;
}

static void leave(struct sl_merge *m, uint32_t source)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < m->heap_count; i++) {
        if (m->heap[i].source != source)
            m->heap[kept++] = m->heap[i];
    }
    m->heap_count = kept;
    for (uint32_t i = kept / 2; i-- > 0;)
        sink(m, i, m->heap[i]);
}

/* The least head of all sources but the first of the heap. */
static sl_ts runner_up(const struct sl_merge *m)
{
    sl_ts ts = INT64_MAX;

    if (m->heap_count > 1)
        ts = m->heap[1].ts;
    if (m->heap_count > 2 && m->heap[2].ts < ts)
        ts = m->heap[2].ts;
    return ts;
}

/* ---- sources ---- */

static void grow(struct sl_merge *m)
{
    uint32_t slots = m->source_slots == 0 ? 4 : 2 * m->source_slots;

    m->sources = realloc(m->sources, slots * sizeof *m->sources);
    m->heap = realloc(m->heap, slots * sizeof *m->heap);
    SL_ASSERT(m->sources != NULL);
    SL_ASSERT(m->heap != NULL);
    memset(m->sources + m->source_slots, 0, (slots - m->source_slots) * sizeof *m->sources);
    m->source_slots = slots;
}

enum sl_err sl_merge_add(struct sl_merge *merge, sl_ts after, uint32_t *source, struct sl_why *why)
{
    uint32_t number = 0;

    if (merge->used_count == SL_MERGE_SOURCES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "merge of more than %d sources", SL_MERGE_SOURCES_MAX);
    if (merge->used_count == merge->source_slots)
        grow(merge);
    while (merge->sources[number].used)
        number++;
    merge->sources[number] =
        (struct merge_source){.watermark = after, .pushed = INT64_MIN, .used = true};
    merge->used_count++;
    *source = number;
    return SL_OK;
}

static void spend_first(struct sl_merge *m, struct merge_source *s)
{
    struct sl_merge_block *block = s->first;

    s->first = block->next;
    if (s->first == NULL)
        s->last = NULL;
    block->next = m->spent;
    m->spent = block;
}

static void read_first(struct merge_source *s)
{
    s->head = s->first == NULL ? NULL : s->first->items;
    s->end = s->first == NULL ? NULL : s->first->items + s->first->count;
}

void sl_merge_remove(struct sl_merge *merge, uint32_t source)
{
    struct merge_source *s = source_of(merge, source);

    leave(merge, source);
    while (s->first != NULL)
        spend_first(merge, s);
    *s = (struct merge_source){0};
    merge->used_count--;
}

static enum sl_err check_order(const struct sl_merge *m, const struct merge_source *s,
                               const struct sl_merge_block *block, struct sl_why *why)
{
    sl_ts before = s->pushed;

    for (uint32_t i = 0; i < block->count; i++) {
        sl_ts ts = block->items[i].commit_ts;

        if (ts < before)
            return sl_fail(why, SL_INVALID, "commit ts %" PRId64 " comes after %" PRId64, ts,
                           before);
        if (ts <= m->passed && ts != m->emitted)
            return sl_fail(why, SL_INVALID,
                           "commit ts %" PRId64 " is late: all up to %" PRId64
                           " was merged already",
                           ts, m->passed);
        before = ts;
    }
    return SL_OK;
}

enum sl_err sl_merge_push(struct sl_merge *merge, uint32_t source, struct sl_merge_block *block,
                          struct sl_why *why)
{
    struct merge_source *s = source_of(merge, source);
    enum sl_err          err;

    SL_ASSERT(block->count > 0);
    SL_ASSERT(block->count <= SL_MERGE_BLOCK_ITEMS_MAX);
    if ((err = check_order(merge, s, block, why)) != SL_OK)
        return err;
    block->source = source;
    block->next = NULL;
    s->pending += block->count;
    s->pushed = block->items[block->count - 1].commit_ts;
    if (s->last != NULL) {
        s->last->next = block;
        s->last = block;
        return SL_OK;
    }
    s->first = block;
    s->last = block;
    read_first(s);
    enter(merge, (struct merge_entry){.ts = s->head->commit_ts, .source = source});
    return SL_OK;
}

void sl_merge_set_watermark(struct sl_merge *merge, uint32_t source, sl_ts ts)
{
    struct merge_source *s = source_of(merge, source);

    if (ts > s->watermark)
        s->watermark = ts;
}

/* ---- draining ---- */

/* The source at the top has a new head, or none. */
static void replace_top(struct sl_merge *m, const struct merge_source *s)
{
    struct merge_entry entry = m->heap[0];

    if (s->head != NULL)
        entry.ts = s->head->commit_ts;
    else
        entry = m->heap[--m->heap_count];
    if (m->heap_count > 0)
        sink(m, 0, entry);
}

/* Copy the head of the top source and what follows it in its block up to `bound`; returns how
 * many. */
static uint32_t copy_run(struct sl_merge *m, sl_ts bound, struct sl_descriptor *out, uint32_t room)
{
    uint32_t                    source = m->heap[0].source;
    struct merge_source        *s = &m->sources[source];
    const struct sl_descriptor *from = s->head;
    uint32_t                    left = (uint32_t)(s->end - from);
    uint32_t                    most = left < room ? left : room;
    uint32_t                    count = 0;

    do {
        out[count] = from[count];
        out[count].source = source;
        count++;
    } while (count < most && from[count].commit_ts <= bound);
    s->pending -= count;
    s->head += count;
    if (count == left) {
        spend_first(m, s);
        read_first(s);
    }
    replace_top(m, s);
    return count;
}

uint32_t sl_merge_drain(struct sl_merge *merge, struct sl_descriptor *out, uint32_t room)
{
    sl_ts    limit = sl_merge_watermark(merge, NULL);
    sl_ts    passed;
    uint32_t count = 0;

    while (count < room && merge->heap_count > 0 && merge->heap[0].ts <= limit) {
        sl_ts next = runner_up(merge);

        count += copy_run(merge, next < limit ? next : limit, out + count, room - count);
    }
    if (count > 0) {
        SL_ASSERT(out[0].commit_ts >= merge->emitted);
        merge->emitted = out[count - 1].commit_ts;
    }
    /* The head may equal what was emitted last, when room ran out between copies. */
    if (merge->heap_count > 0 && merge->heap[0].ts <= limit)
        passed = merge->heap[0].ts - 1;
    else
        passed = limit == INT64_MAX ? merge->emitted : limit; /* no bound is no promise */
    if (passed > merge->passed)
        merge->passed = passed;
    return count;
}

struct sl_merge_block *sl_merge_spent(struct sl_merge *merge)
{
    struct sl_merge_block *block = merge->spent;

    if (block != NULL) {
        merge->spent = block->next;
        block->next = NULL;
    }
    return block;
}

/* ---- questions ---- */

sl_ts sl_merge_passed(const struct sl_merge *merge)
{
    return merge->passed;
}

sl_ts sl_merge_watermark(const struct sl_merge *merge, uint32_t *holder)
{
    uint32_t least = UINT32_MAX;

    for (uint32_t i = 0; i < merge->source_slots; i++) {
        if (merge->sources[i].used &&
            (least == UINT32_MAX || merge->sources[i].watermark < merge->sources[least].watermark))
            least = i;
    }
    if (holder != NULL)
        *holder = least;
    return least == UINT32_MAX ? merge->passed : merge->sources[least].watermark;
}

uint64_t sl_merge_pending(const struct sl_merge *merge, uint32_t source)
{
    return source_of(merge, source)->pending;
}
