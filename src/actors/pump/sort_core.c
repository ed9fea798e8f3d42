#include "actors/pump/sort_core.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "binlog/record.h"

/* An unresolved prewrite. */
struct waiting {
    struct sl_map_node  by_start;
    struct sl_heap_node by_bound;
    struct sl_list_node by_age; /* these two: in one of them */
    struct sl_heap_node by_due; /* rolled back, says TiDB */
    sl_nanos            due;    /* when its outcome is to be looked for */
    uint32_t            looks;  /* see struct sl_pump_orphan */
    sl_ts               start_ts;
    sl_ts               bound;
    struct sl_position  prewrite;
    uint64_t            cut;   /* serial of the cut that says it was opened */
    uint32_t            place; /* in that cut's `opened` */
    struct waiting     *next_free;
};

/* Nodes come in blocks that are kept: the number of unresolved prewrites rises and falls. */
enum { BLOCK_NODES = 512 };
struct block {
    struct block  *next;
    struct waiting nodes[BLOCK_NODES];
};

struct sl_sorter {
    struct sl_map         waiting;
    struct sl_heap        bounds;
    struct sl_list        aging;       /* by due: each waits as long as all others */
    struct sl_heap        rolled_back; /* by due */
    bool                  verifies;    /* rollbacks */
    struct block         *blocks;
    struct waiting       *free;
    uint64_t              cut;    /* serial of the cut being filled */
    uint64_t              offset; /* of the log: everything before it was taken */
    sl_ts                 newest;
    sl_ts                 watermark;
    sl_ts                *settled; /* SL_SETTLED_MAX slots by hash; 0: empty */
    struct sl_sort_counts counts;
};

/* ---- the unresolved ---- */

static bool same_start(const struct sl_map_node *node, const void *key)
{
    return SL_CONTAINER_OF(node, struct waiting, by_start)->start_ts == *(const sl_ts *)key;
}

static bool lower_bound_first(const struct sl_heap_node *a, const struct sl_heap_node *b)
{
    const struct waiting *x = SL_CONTAINER_OF(a, struct waiting, by_bound);
    const struct waiting *y = SL_CONTAINER_OF(b, struct waiting, by_bound);

    return x->bound < y->bound;
}

static bool lower_due_first(const struct sl_heap_node *a, const struct sl_heap_node *b)
{
    const struct waiting *x = SL_CONTAINER_OF(a, struct waiting, by_due);
    const struct waiting *y = SL_CONTAINER_OF(b, struct waiting, by_due);

    return x->due < y->due;
}

static struct waiting *find(const struct sl_sorter *s, sl_ts start_ts)
{
    struct sl_map_node *node = sl_map_find(&s->waiting, sl_hash_u64((uint64_t)start_ts), &start_ts);

    return node != NULL ? SL_CONTAINER_OF(node, struct waiting, by_start) : NULL;
}

static struct waiting *node_new(struct sl_sorter *s)
{
    struct waiting *w = s->free;

    if (w == NULL) {
        struct block *block = calloc(1, sizeof *block);

        SL_ASSERT(block != NULL);
        block->next = s->blocks;
        s->blocks = block;
        for (uint32_t i = 0; i < BLOCK_NODES; i++) {
            block->nodes[i].next_free = s->free;
            s->free = &block->nodes[i];
        }
        w = s->free;
    }
    s->free = w->next_free;
    *w = (struct waiting){0};
    return w;
}

static const sl_nanos orphan_pause = SL_SORT_ORPHAN_MS * (sl_nanos)SL_NANOS_PER_MS;

static struct waiting *add(struct sl_sorter *s, sl_ts start_ts, sl_ts bound,
                           struct sl_position prewrite, sl_nanos at)
{
    struct waiting *w = node_new(s);

    w->start_ts = start_ts;
    w->bound = bound;
    w->prewrite = prewrite;
    w->due = at + orphan_pause;
    sl_list_push_back(&s->aging, &w->by_age);
    sl_map_add(&s->waiting, sl_hash_u64((uint64_t)start_ts), &w->start_ts, &w->by_start);
    sl_heap_push(&s->bounds, &w->by_bound);
    return w;
}

static void drop(struct sl_sorter *s, struct waiting *w)
{
    sl_map_remove(&s->waiting, &w->by_start);
    sl_heap_remove(&s->bounds, &w->by_bound);
    if (sl_heap_linked(&w->by_due))
        sl_heap_remove(&s->rolled_back, &w->by_due);
    else
        sl_list_remove(&w->by_age);
    w->next_free = s->free;
    s->free = w;
}

/* ---- the lately settled: one slot per hash, a new one replaces the old ---- */

static sl_ts *settled_slot(const struct sl_sorter *s, sl_ts start_ts)
{
    return &s->settled[sl_hash_u64((uint64_t)start_ts) % SL_SETTLED_MAX];
}

/* ---- watermark ---- */

static void move_watermark(struct sl_sorter *s)
{
    const struct sl_heap_node *top = sl_heap_top(&s->bounds);
    sl_ts                      to = s->newest;

    if (top != NULL) {
        const struct waiting *least =
            SL_CONTAINER_OF((struct sl_heap_node *)(uintptr_t)top, struct waiting, by_bound);

        to = least->bound < to ? least->bound : to;
    }
    if (to > s->watermark)
        s->watermark = to;
}

/* ---- records ---- */

/* Take `w` out of the unresolved, and out of the cut's `opened` when that is where it was told. */
static void settle(struct sl_sorter *s, struct waiting *w, struct sl_pump_cut *cut)
{
    if (w->cut == s->cut) {
        uint32_t last = --cut->opened_count;

        if (w->place != last) {
            struct waiting *moved = find(s, cut->opened[last].start_ts);

            SL_ASSERT(moved != NULL && moved->cut == s->cut && moved->place == last);
            cut->opened[w->place] = cut->opened[last];
            moved->place = w->place;
        }
    } else {
        cut->settled[cut->settled_count++] = w->start_ts;
    }
    *settled_slot(s, w->start_ts) = w->start_ts;
    drop(s, w);
}

static void take_prewrite(struct sl_sorter *s, const struct sl_sort_note *note,
                          struct sl_pump_cut *cut)
{
    struct waiting *w;
    sl_ts           bound = note->start_ts > note->newest ? note->start_ts : note->newest;

    s->counts.prewrites++;
    if (find(s, note->start_ts) != NULL || *settled_slot(s, note->start_ts) == note->start_ts) {
        s->counts.repeats++;
        return;
    }
    w = add(s, note->start_ts, bound, note->position, note->at);
    w->cut = s->cut;
    w->place = cut->opened_count;
    cut->opened[cut->opened_count++] = (struct sl_index_unresolved){
        .start_ts = note->start_ts, .bound = bound, .prewrite = note->position};
}

static void take_commit(struct sl_sorter *s, const struct sl_sort_note *note,
                        struct sl_pump_cut *cut)
{
    struct sl_index_entry entry = {.commit_ts = note->commit_ts,
                                   .start_ts = note->start_ts,
                                   .type = (uint32_t)note->type,
                                   .commit = note->position};
    struct waiting       *w = find(s, note->start_ts);

    s->counts.commits++;
    if (w == NULL) {
        s->counts.orphans++;
        cut->orphans[cut->orphan_count++] = entry;
        return;
    }
    entry.prewrite = w->prewrite;
    cut->entries[cut->entry_count++] = entry;
    settle(s, w, cut);
}

static void take_fake(struct sl_sorter *s, const struct sl_sort_note *note, struct sl_pump_cut *cut)
{
    s->counts.fakes++;
    cut->entries[cut->entry_count++] = (struct sl_index_entry){.commit_ts = note->commit_ts,
                                                               .start_ts = note->start_ts,
                                                               .type = (uint32_t)note->type,
                                                               .commit = note->position};
}

/* Said once more, it is no news. */
static void mark_rolled_back(struct sl_sorter *s, struct waiting *w, sl_nanos at)
{
    if (sl_heap_linked(&w->by_due))
        return;
    s->counts.marked++;
    sl_list_remove(&w->by_age);
    w->due = at;
    w->looks = 0;
    sl_heap_push(&s->rolled_back, &w->by_due);
}

static void take_rollback(struct sl_sorter *s, const struct sl_sort_note *note,
                          struct sl_pump_cut *cut)
{
    struct waiting *w = find(s, note->start_ts);

    s->counts.rollbacks++;
    if (w == NULL)
        return;
    if (note->verified || !s->verifies)
        settle(s, w, cut);
    else
        mark_rolled_back(s, w, note->at);
}

void sl_sorter_take(struct sl_sorter *sorter, const struct sl_sort_note *note,
                    struct sl_pump_cut *cut)
{
    SL_ASSERT(sl_sorter_has_room(cut));
    SL_ASSERT(note->position.offset >= sorter->offset);
    if (note->type == SL_RECORD_PREWRITE)
        take_prewrite(sorter, note, cut);
    else if (note->type != SL_RECORD_ROLLBACK)
        take_commit(sorter, note, cut);
    else if (note->start_ts == note->commit_ts)
        take_fake(sorter, note, cut);
    else
        take_rollback(sorter, note, cut);
    if (note->type != SL_RECORD_PREWRITE && note->commit_ts > sorter->newest)
        sorter->newest = note->commit_ts;
    sorter->offset = note->position.offset + note->position.bytes;
    move_watermark(sorter);
}

bool sl_sorter_mark(struct sl_sorter *sorter, sl_ts newest)
{
    sl_ts before = sorter->watermark;

    if (newest > sorter->newest)
        sorter->newest = newest;
    move_watermark(sorter);
    return sorter->watermark > before;
}

/* ---- orphans ---- */

/* The pauses grow fourfold, so that a rollback that is soon known costs little time, and one that
 * is not, few look-ups (architecture, "Rollbacks"). */
uint32_t sl_sort_rollback_pause_ms(uint32_t look)
{
    static const uint32_t pauses[SL_SORT_ROLLBACK_LOOKS - 1] = {10, 30, 120, 480};

    return look < SL_SORT_ROLLBACK_LOOKS - 1 ? pauses[look] : SL_SORT_ORPHAN_MS;
}

static struct waiting *next_rolled_back(const struct sl_sorter *s)
{
    struct sl_heap_node *top = sl_heap_top(&s->rolled_back);

    return top != NULL ? SL_CONTAINER_OF(top, struct waiting, by_due) : NULL;
}

static struct waiting *next_aged(const struct sl_sorter *s)
{
    struct sl_list_node *first = sl_list_first(&s->aging);

    return first != NULL ? SL_CONTAINER_OF(first, struct waiting, by_age) : NULL;
}

static struct sl_pump_orphan give_out(struct waiting *w, bool rolled_back, sl_nanos due)
{
    w->due = due;
    return (struct sl_pump_orphan){.start_ts = w->start_ts,
                                   .position = w->prewrite,
                                   .rolled_back = rolled_back,
                                   .looks = w->looks++};
}

uint32_t sl_sorter_orphans(struct sl_sorter *sorter, sl_nanos now, struct sl_pump_orphan *out,
                           uint32_t room)
{
    struct waiting *w;
    uint32_t        count = 0;

    while (count < room && (w = next_rolled_back(sorter)) != NULL && w->due <= now) {
        uint64_t pause_ms = sl_sort_rollback_pause_ms(w->looks);

        sl_heap_remove(&sorter->rolled_back, &w->by_due);
        out[count++] = give_out(w, true, now + pause_ms * (sl_nanos)SL_NANOS_PER_MS);
        sl_heap_push(&sorter->rolled_back, &w->by_due);
    }
    while (count < room && (w = next_aged(sorter)) != NULL && w->due <= now) {
        sl_list_remove(&w->by_age);
        out[count++] = give_out(w, false, now + orphan_pause);
        sl_list_push_back(&sorter->aging, &w->by_age);
    }
    return count;
}

sl_nanos sl_sorter_next_orphan(const struct sl_sorter *sorter)
{
    const struct waiting *marked = next_rolled_back(sorter);
    const struct waiting *aged = next_aged(sorter);
    sl_nanos              due = aged != NULL ? aged->due : UINT64_MAX;

    return marked != NULL && marked->due < due ? marked->due : due;
}

/* ---- cuts ---- */

bool sl_sorter_has_room(const struct sl_pump_cut *cut)
{
    return cut->entry_count < SL_PUMP_CUT_ITEMS && cut->orphan_count < SL_PUMP_CUT_ITEMS &&
           cut->opened_count < SL_PUMP_CUT_ITEMS && cut->settled_count < SL_PUMP_CUT_ITEMS;
}

void sl_sorter_close_cut(struct sl_sorter *sorter, struct sl_pump_cut *cut)
{
    cut->head = (struct sl_index_head){
        .offset = sorter->offset, .watermark = sorter->watermark, .max_commit_ts = sorter->newest};
    sorter->cut++;
}

/* ---- the object ---- */

struct sl_sorter *sl_sorter_new(const struct sl_index_head *head)
{
    struct sl_sorter *s = calloc(1, sizeof *s);

    SL_ASSERT(s != NULL);
    s->settled = calloc(SL_SETTLED_MAX, sizeof *s->settled);
    SL_ASSERT(s->settled != NULL);
    sl_map_init(&s->waiting, same_start);
    sl_heap_init(&s->bounds, lower_bound_first);
    sl_heap_init(&s->rolled_back, lower_due_first);
    sl_list_init(&s->aging);
    s->cut = 1;
    s->offset = head->offset;
    s->newest = head->max_commit_ts;
    s->watermark = head->watermark;
    return s;
}

void sl_sorter_free(struct sl_sorter **sorter)
{
    struct sl_sorter *s = *sorter;

    *sorter = NULL;
    if (s == NULL)
        return;
    for (struct sl_heap_node *top; (top = sl_heap_top(&s->bounds)) != NULL;)
        drop(s, SL_CONTAINER_OF(top, struct waiting, by_bound));
    sl_heap_done(&s->bounds);
    sl_heap_done(&s->rolled_back);
    sl_map_done(&s->waiting);
    for (struct block *block; (block = s->blocks) != NULL;) {
        s->blocks = block->next;
        free(block);
    }
    free(s->settled);
    free(s);
}

void sl_sorter_verify_rollbacks(struct sl_sorter *sorter)
{
    sorter->verifies = true;
}

void sl_sorter_restore(struct sl_sorter *sorter, const struct sl_index_unresolved *unresolved)
{
    add(sorter, unresolved->start_ts, unresolved->bound, unresolved->prewrite, 0);
}

sl_ts sl_sorter_watermark(const struct sl_sorter *sorter)
{
    return sorter->watermark;
}

sl_ts sl_sorter_newest(const struct sl_sorter *sorter)
{
    return sorter->newest;
}

uint32_t sl_sorter_unresolved(const struct sl_sorter *sorter)
{
    return sorter->waiting.count;
}

struct sl_sort_counts sl_sorter_counts(const struct sl_sorter *sorter)
{
    return sorter->counts;
}
