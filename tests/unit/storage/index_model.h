#ifndef SL_TESTS_UNIT_STORAGE_INDEX_MODEL_H
#define SL_TESTS_UNIT_STORAGE_INDEX_MODEL_H

/* A naive model of one shard of the index, and the cuts to feed both: the n-th cut follows from the
 * seed and what came before, so that the contents after n cuts can be told from n alone, which the
 * head's offset carries. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "storage/index.h"

enum {
    MODEL_ENTRIES_MAX = 1 << 16,
    MODEL_UNRESOLVED_MAX = 256,
    MODEL_CUT_ITEMS = 16,
    MODEL_CUT_BYTES = 1000, /* what a cut adds to the head's offset */
};

struct model {
    struct sl_prng             prng;
    int64_t                    clock;
    struct sl_index_head       head;
    uint32_t                   entry_count;
    uint32_t                   unresolved_count;
    struct sl_index_entry      entries[MODEL_ENTRIES_MAX]; /* sorted */
    struct sl_index_unresolved unresolved[MODEL_UNRESOLVED_MAX];
    /* the cut last made */
    struct sl_index_entry      cut_entries[MODEL_CUT_ITEMS];
    struct sl_index_unresolved cut_opened[MODEL_CUT_ITEMS];
    int64_t                    cut_settled[MODEL_CUT_ITEMS];
    struct sl_index_cut        cut;
};

static inline void model_reset(struct model *m, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    sl_prng_seed(&m->prng, seed);
    m->clock = INT64_C(400000000000000000);
}

static inline struct sl_position model_position(struct model *m)
{
    return (struct sl_position){.offset = sl_prng_next(&m->prng),
                                .bytes = (uint32_t)sl_prng_range(&m->prng, 1, UINT32_MAX)};
}

static inline void model_put(struct model *m, struct sl_index_entry entry)
{
    uint32_t place = m->entry_count;

    assert_true(m->entry_count < MODEL_ENTRIES_MAX);
    assert_true(m->cut.entry_count < MODEL_CUT_ITEMS);
    while (place > 0 && (m->entries[place - 1].commit_ts > entry.commit_ts ||
                         (m->entries[place - 1].commit_ts == entry.commit_ts &&
                          m->entries[place - 1].start_ts > entry.start_ts)))
        place--;
    memmove(m->entries + place + 1, m->entries + place,
            (m->entry_count - place) * sizeof *m->entries);
    m->entries[place] = entry;
    m->entry_count++;
    m->cut_entries[m->cut.entry_count++] = entry;
}

static inline void model_open(struct model *m)
{
    struct sl_index_unresolved *u = &m->unresolved[m->unresolved_count];

    if (m->unresolved_count == MODEL_UNRESOLVED_MAX)
        return;
    u->start_ts = ++m->clock;
    u->bound = m->head.max_commit_ts;
    u->prewrite = model_position(m);
    m->cut_opened[m->cut.opened_count++] = *u;
    m->unresolved_count++;
}

/* Now and then with a commit ts of long ago, or with that of another transaction. */
static inline void model_settle(struct model *m)
{
    uint32_t                   i = (uint32_t)sl_prng_below(&m->prng, m->unresolved_count);
    struct sl_index_unresolved u = m->unresolved[i];
    struct sl_index_entry      e = {.commit_ts = ++m->clock, .start_ts = u.start_ts, .type = 1};

    m->unresolved_count--;
    memmove(m->unresolved + i, m->unresolved + i + 1,
            (m->unresolved_count - i) * sizeof *m->unresolved);
    m->cut_settled[m->cut.settled_count++] = u.start_ts;
    if (sl_prng_chance(&m->prng, 1, 5))
        return; /* rolled back */
    if (sl_prng_chance(&m->prng, 1, 10))
        e.commit_ts -= (int64_t)sl_prng_below(&m->prng, 300);
    e.commit = model_position(m);
    e.prewrite = u.prewrite;
    model_put(m, e);
}

/* The next cut: m->cut, already in the model. Borrowed until the next call. */
static inline const struct sl_index_cut *model_cut(struct model *m)
{
    m->cut = (struct sl_index_cut){
        .entries = m->cut_entries, .opened = m->cut_opened, .settled = m->cut_settled};
    for (uint64_t n = sl_prng_below(&m->prng, 8); n > 0; n--)
        model_open(m);
    for (uint64_t n = sl_prng_below(&m->prng, 8); n > 0 && m->unresolved_count > 0; n--)
        model_settle(m);
    if (sl_prng_chance(&m->prng, 1, 4)) { /* a commit without prewrite */
        struct sl_index_entry mark = {.commit_ts = ++m->clock, .start_ts = m->clock, .type = 2};

        mark.commit = model_position(m);
        model_put(m, mark);
    }
    if (m->entry_count > 0 && sl_prng_chance(&m->prng, 1, 4)) /* as replay does: again */
        m->cut_entries[m->cut.entry_count++] = m->entries[sl_prng_below(&m->prng, m->entry_count)];
    if (sl_prng_chance(&m->prng, 1, 4))
        m->cut_settled[m->cut.settled_count++] = ++m->clock; /* never there */
    m->head.offset += MODEL_CUT_BYTES;
    m->head.watermark = m->clock - 500;
    m->head.max_commit_ts = m->clock;
    m->cut.head = m->head;
    return &m->cut;
}

/* The model after so many cuts from this seed. */
static inline void model_advance_to(struct model *m, uint64_t seed, uint64_t offset)
{
    model_reset(m, seed);
    while (m->head.offset < offset)
        (void)model_cut(m);
    assert_int_equal(m->head.offset, offset);
}

static inline uint32_t model_remove(struct model *m, int64_t up_to)
{
    uint32_t count = 0;

    while (count < m->entry_count && m->entries[count].commit_ts <= up_to)
        count++;
    m->entry_count -= count;
    memmove(m->entries, m->entries + count, m->entry_count * sizeof *m->entries);
    return count;
}

static inline void assert_same_position(struct sl_position a, struct sl_position b)
{
    assert_int_equal(a.offset, b.offset);
    assert_int_equal(a.bytes, b.bytes);
}

static inline void assert_same_entry(const struct sl_index_entry *a, const struct sl_index_entry *b)
{
    assert_int_equal(a->commit_ts, b->commit_ts);
    assert_int_equal(a->start_ts, b->start_ts);
    assert_int_equal(a->type, b->type);
    assert_same_position(a->commit, b->commit);
    assert_same_position(a->prewrite, b->prewrite);
}

static inline int by_start_ts(const void *a, const void *b)
{
    const struct sl_index_unresolved *x = a;
    const struct sl_index_unresolved *y = b;

    return (x->start_ts > y->start_ts) - (x->start_ts < y->start_ts);
}

struct model_walk {
    const struct sl_index_unresolved *next;
    uint32_t                          left;
};

static inline enum sl_err model_walk_one(void *context, const struct sl_index_unresolved *u)
{
    struct model_walk *walk = context;

    assert_true(walk->left > 0);
    assert_int_equal(u->start_ts, walk->next->start_ts);
    assert_int_equal(u->bound, walk->next->bound);
    assert_same_position(u->prewrite, walk->next->prewrite);
    walk->next++;
    walk->left--;
    return SL_OK;
}

static inline void assert_unresolved_equal(struct sl_index_shard *shard, struct model *m)
{
    struct model_walk          walk = {.next = m->unresolved, .left = m->unresolved_count};
    struct sl_index_unresolved one;
    struct sl_index_cursor    *cursor = NULL;

    assert_int_equal(sl_index_cursor_open(shard, -1, &cursor, NULL), SL_OK);
    qsort(m->unresolved, m->unresolved_count, sizeof *m->unresolved, by_start_ts);
    assert_int_equal(sl_index_each_unresolved(shard, model_walk_one, &walk, NULL), SL_OK);
    assert_int_equal(walk.left, 0);
    if (m->unresolved_count > 0) {
        assert_int_equal(sl_index_find_unresolved(shard, m->unresolved[0].start_ts, &one, NULL),
                         SL_OK);
        assert_same_position(one.prewrite, m->unresolved[0].prewrite);
        assert_int_equal(sl_index_cursor_unresolved(cursor, m->unresolved[0].start_ts, &one, NULL),
                         SL_OK);
        assert_same_position(one.prewrite, m->unresolved[0].prewrite);
    }
    assert_int_equal(sl_index_find_unresolved(shard, 7, &one, NULL), SL_NOT_FOUND);
    assert_int_equal(sl_index_cursor_unresolved(cursor, 7, &one, NULL), SL_NOT_FOUND);
    sl_index_cursor_close(&cursor);
}

static inline void assert_entries_equal(struct sl_index_shard *shard, const struct model *m)
{
    struct sl_index_cursor *cursor = NULL;
    struct sl_index_entry   got[37];
    uint32_t                seen = 0;
    uint32_t                count;

    assert_int_equal(sl_index_cursor_open(shard, -1, &cursor, NULL), SL_OK);
    do {
        assert_int_equal(sl_index_cursor_next(cursor, INT64_MAX, got, 37, &count, NULL), SL_OK);
        for (uint32_t i = 0; i < count; i++, seen++) {
            assert_true(seen < m->entry_count);
            assert_same_entry(&got[i], &m->entries[seen]);
        }
    } while (count == 37);
    assert_int_equal(seen, m->entry_count);
    sl_index_cursor_close(&cursor);
    if (seen > 0) {
        const struct sl_index_entry *e = &m->entries[seen / 2];

        assert_int_equal(sl_index_find(shard, e->commit_ts, e->start_ts, got, NULL), SL_OK);
        assert_same_entry(got, e);
        assert_int_equal(sl_index_find(shard, e->commit_ts, e->start_ts + 1000000, got, NULL),
                         SL_NOT_FOUND);
    }
}

/* The shard holds what the model holds, seen through every way to look. */
static inline void assert_shard_equals(struct sl_index_shard *shard, const struct model *model)
{
    struct model        *copy = malloc(sizeof *copy);
    struct sl_index_head head = sl_index_head_of(shard);

    assert_non_null(copy);
    *copy = *model;
    assert_int_equal(head.offset, model->head.offset);
    assert_int_equal(head.watermark, model->head.watermark);
    assert_int_equal(head.max_commit_ts, model->head.max_commit_ts);
    assert_unresolved_equal(shard, copy);
    assert_entries_equal(shard, copy);
    free(copy);
}

#endif
