/* The sorter's core: what each kind of record does, and the promise of the watermark (P4) under
 * random legal histories of several shards, checked against everything that is still to come. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/sort_core.h"
#include "base/prng.h"
#include "binlog/record.h"

/* ---- one sorter, told records one by one ---- */

static const struct sl_index_head empty_head;

struct told {
    struct sl_sorter  *sorter;
    struct sl_pump_cut cut;
    uint64_t           offset;
};

static struct sl_position tell(struct told *t, int32_t type, sl_ts start, sl_ts commit,
                               sl_ts newest)
{
    const struct sl_sort_note note = {.type = type,
                                      .start_ts = start,
                                      .commit_ts = commit,
                                      .newest = newest,
                                      .position = {.offset = t->offset, .bytes = 64}};

    sl_sorter_take(t->sorter, &note, &t->cut);
    t->offset += 64;
    return note.position;
}

static int setup(void **state)
{
    struct told *t = calloc(1, sizeof *t);

    t->sorter = sl_sorter_new(&empty_head);
    t->offset = 64;
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct told *t = *state;

    sl_sorter_free(&t->sorter);
    free(t);
    return 0;
}

static void commit_that_meets_its_prewrite_is_an_entry_with_both_places(void **state)
{
    struct told       *t = *state;
    struct sl_position p = tell(t, SL_RECORD_PREWRITE, 10, 0, 0);
    struct sl_position c = tell(t, SL_RECORD_COMMIT, 10, 20, 0);

    assert_int_equal(t->cut.entry_count, 1);
    assert_int_equal(t->cut.entries[0].commit_ts, 20);
    assert_int_equal(t->cut.entries[0].start_ts, 10);
    assert_int_equal(t->cut.entries[0].prewrite.offset, p.offset);
    assert_int_equal(t->cut.entries[0].commit.offset, c.offset);
    assert_int_equal(t->cut.opened_count, 0);
    assert_int_equal(t->cut.settled_count, 0);
    assert_int_equal(sl_sorter_watermark(t->sorter), 20);
    assert_int_equal(sl_sorter_unresolved(t->sorter), 0);
}

static void unresolved_prewrite_holds_the_watermark_at_its_bound(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_PREWRITE, 10, 0, 0);
    tell(t, SL_RECORD_PREWRITE, 30, 0, 0);
    tell(t, SL_RECORD_COMMIT, 30, 40, 0);
    assert_int_equal(sl_sorter_watermark(t->sorter), 10);
    tell(t, SL_RECORD_COMMIT, 10, 35, 0);
    assert_int_equal(sl_sorter_watermark(t->sorter), 40);
}

static void bound_is_the_newest_commit_at_intake_when_that_is_higher(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_PREWRITE, 10, 0, 25);
    sl_sorter_mark(t->sorter, 50);
    assert_int_equal(sl_sorter_watermark(t->sorter), 25);
}

static void prewrite_settled_in_a_later_cut_is_told_as_settled(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_PREWRITE, 10, 0, 0);
    tell(t, SL_RECORD_PREWRITE, 11, 0, 0);
    sl_sorter_close_cut(t->sorter, &t->cut);
    assert_int_equal(t->cut.opened_count, 2);
    memset(&t->cut, 0, sizeof t->cut);
    tell(t, SL_RECORD_ROLLBACK, 11, 0, 0);
    assert_int_equal(t->cut.settled_count, 1);
    assert_int_equal(t->cut.settled[0], 11);
    assert_int_equal(t->cut.entry_count, 0);
}

static void copies_of_a_prewrite_change_nothing(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_PREWRITE, 10, 0, 0);
    tell(t, SL_RECORD_PREWRITE, 10, 0, 0);
    assert_int_equal(sl_sorter_unresolved(t->sorter), 1);
    tell(t, SL_RECORD_COMMIT, 10, 20, 0);
    tell(t, SL_RECORD_PREWRITE, 10, 0, 0); /* behind its own commit */
    assert_int_equal(sl_sorter_unresolved(t->sorter), 0);
    assert_int_equal(sl_sorter_watermark(t->sorter), 20);
    assert_int_equal(sl_sorter_counts(t->sorter).repeats, 2);
}

static void commit_without_prewrite_is_an_orphan(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_COMMIT, 10, 20, 0);
    assert_int_equal(t->cut.orphan_count, 1);
    assert_int_equal(t->cut.entry_count, 0);
    assert_int_equal(t->cut.orphans[0].prewrite.bytes, 0);
}

static void fake_moves_the_watermark_and_is_an_entry(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_ROLLBACK, 77, 77, 0);
    assert_int_equal(t->cut.entry_count, 1);
    assert_int_equal(sl_sorter_watermark(t->sorter), 77);
}

static void watermark_never_falls(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_ROLLBACK, 77, 77, 0);
    tell(t, SL_RECORD_PREWRITE, 10, 0, 0); /* no legal history; must not harm */
    assert_int_equal(sl_sorter_watermark(t->sorter), 77);
    tell(t, SL_RECORD_COMMIT, 10, 20, 0);
    assert_int_equal(sl_sorter_watermark(t->sorter), 77);
}

static void restored_sorter_goes_on_where_the_index_is(void **state)
{
    struct told               *t = *state;
    const struct sl_index_head head = {.offset = 640, .watermark = 50, .max_commit_ts = 90};
    struct sl_sorter          *sorter = sl_sorter_new(&head);

    sl_sorter_restore(sorter, &(struct sl_index_unresolved){
                                  .start_ts = 40, .bound = 50, .prewrite = {640 - 64, 64}});
    assert_int_equal(sl_sorter_watermark(sorter), 50);
    sl_sorter_free(&t->sorter);
    t->sorter = sorter;
    t->offset = 640;
    tell(t, SL_RECORD_COMMIT, 40, 60, 0);
    assert_int_equal(t->cut.entry_count, 1);
    assert_int_equal(t->cut.entries[0].prewrite.offset, 640 - 64);
    assert_int_equal(sl_sorter_watermark(sorter), 90);
}

/* ---- what is looked for ---- */

static const sl_nanos ms = SL_NANOS_PER_MS;

/* The next record, with a moment and perhaps verified. */
static void tell_at(struct told *t, int32_t type, sl_ts start, sl_ts commit, sl_nanos at,
                    bool verified)
{
    const struct sl_sort_note note = {.type = type,
                                      .start_ts = start,
                                      .commit_ts = commit,
                                      .verified = verified,
                                      .at = at,
                                      .position = {.offset = t->offset, .bytes = 64}};

    sl_sorter_take(t->sorter, &note, &t->cut);
    t->offset += 64;
}

static void rollback_settles_when_none_are_verified(void **state)
{
    struct told *t = *state;

    tell(t, SL_RECORD_PREWRITE, 10, 0, 0);
    tell(t, SL_RECORD_ROLLBACK, 10, 0, 0);
    assert_int_equal(sl_sorter_unresolved(t->sorter), 0);
    assert_true(sl_sorter_next_orphan(t->sorter) == UINT64_MAX);
}

static void rollback_that_is_to_be_verified_only_marks(void **state)
{
    struct told          *t = *state;
    struct sl_pump_orphan orphan;

    sl_sorter_verify_rollbacks(t->sorter);
    tell_at(t, SL_RECORD_PREWRITE, 10, 0, 500 * ms, false);
    tell_at(t, SL_RECORD_ROLLBACK, 10, 0, 510 * ms, false);
    tell_at(t, SL_RECORD_ROLLBACK, 77, 77, 510 * ms, false); /* a fake */
    assert_int_equal(sl_sorter_unresolved(t->sorter), 1);
    assert_int_equal(sl_sorter_watermark(t->sorter), 10);
    assert_int_equal(t->cut.settled_count, 0);
    assert_int_equal(sl_sorter_counts(t->sorter).marked, 1);
    assert_int_equal(sl_sorter_orphans(t->sorter, 510 * ms, &orphan, 1), 1);
    assert_int_equal(orphan.start_ts, 10);
    assert_int_equal(orphan.position.offset, 64);
    assert_true(orphan.rolled_back);
    tell_at(t, SL_RECORD_ROLLBACK, 10, 0, 520 * ms, true);
    assert_int_equal(sl_sorter_unresolved(t->sorter), 0);
    assert_int_equal(sl_sorter_watermark(t->sorter), 77);
    assert_int_equal(sl_sorter_orphans(t->sorter, 9000 * ms, &orphan, 1), 0);
}

static void commit_settles_what_was_marked_rolled_back(void **state)
{
    struct told *t = *state;

    sl_sorter_verify_rollbacks(t->sorter);
    tell(t, SL_RECORD_PREWRITE, 10, 0, 0);
    tell(t, SL_RECORD_ROLLBACK, 10, 0, 0);
    tell_at(t, SL_RECORD_COMMIT, 10, 20, 0, true);
    assert_int_equal(t->cut.entry_count, 1);
    assert_int_equal(sl_sorter_unresolved(t->sorter), 0);
    tell(t, SL_RECORD_COMMIT, 10, 20,
         0); /* TiDB's own, late: the index knows that it is a repeat */
    assert_int_equal(t->cut.orphan_count, 1);
}

static void rollback_is_looked_at_in_growing_pauses(void **state)
{
    static const uint32_t moments_ms[] = {0, 10, 40, 160, 640, 1640, 2640};
    struct told          *t = *state;
    struct sl_pump_orphan orphan;

    sl_sorter_verify_rollbacks(t->sorter);
    tell_at(t, SL_RECORD_PREWRITE, 10, 0, 0, false);
    tell_at(t, SL_RECORD_ROLLBACK, 10, 0, 100 * ms, false);
    for (uint32_t i = 0; i < sizeof moments_ms / sizeof moments_ms[0]; i++) {
        sl_nanos due = (100 + moments_ms[i]) * ms;

        assert_true(sl_sorter_next_orphan(t->sorter) == due);
        assert_int_equal(sl_sorter_orphans(t->sorter, due - 1, &orphan, 1), 0);
        assert_int_equal(sl_sorter_orphans(t->sorter, due, &orphan, 1), 1);
        assert_int_equal(orphan.looks, i);
        tell_at(t, SL_RECORD_ROLLBACK, 10, 0, due, false); /* once more: no news */
    }
}

static void prewrite_is_looked_for_a_second_after_it_came_and_then_every_second(void **state)
{
    struct told          *t = *state;
    struct sl_pump_orphan orphans[3];

    tell_at(t, SL_RECORD_PREWRITE, 10, 0, 0, false);
    tell_at(t, SL_RECORD_PREWRITE, 11, 0, 5 * ms, false);
    tell_at(t, SL_RECORD_PREWRITE, 12, 0, 6 * ms, false);
    assert_true(sl_sorter_next_orphan(t->sorter) == 1000 * ms);
    assert_int_equal(sl_sorter_orphans(t->sorter, 1000 * ms - 1, orphans, 3), 0);
    assert_int_equal(sl_sorter_orphans(t->sorter, 1005 * ms, orphans, 3), 2);
    assert_int_equal(orphans[0].start_ts, 10);
    assert_int_equal(orphans[1].start_ts, 11);
    assert_false(orphans[1].rolled_back);
    tell_at(t, SL_RECORD_COMMIT, 10, 20, 1006 * ms, false);
    assert_int_equal(sl_sorter_orphans(t->sorter, 1006 * ms, orphans, 3), 1);
    assert_int_equal(orphans[0].start_ts, 12);
    assert_true(sl_sorter_next_orphan(t->sorter) == 2005 * ms);
    assert_int_equal(sl_sorter_orphans(t->sorter, 3000 * ms, orphans, 1), 1);
    assert_int_equal(orphans[0].start_ts, 11);
    assert_int_equal(orphans[0].looks, 1);
    assert_int_equal(sl_sorter_orphans(t->sorter, 3000 * ms, orphans, 3), 1);
    assert_int_equal(orphans[0].start_ts, 12);
}

static void restored_prewrite_is_looked_for_at_once(void **state)
{
    struct told          *t = *state;
    struct sl_pump_orphan orphan;

    sl_sorter_restore(t->sorter, &(struct sl_index_unresolved){
                                     .start_ts = 40, .bound = 50, .prewrite = {64, 64}});
    assert_int_equal(sl_sorter_orphans(t->sorter, 5000 * ms, &orphan, 1), 1);
    assert_int_equal(orphan.start_ts, 40);
}

/* ---- random legal histories ---- */

enum { SHARDS = 3, TXNS = 3000, QUEUE = 4 * TXNS + SHARDS * TXNS };

enum txn_state { PREWRITTEN, COMMITTING, SENT, ROLLED_BACK };

struct txn {
    sl_ts          start;
    sl_ts          commit; /* 0: none given yet */
    uint32_t       shard;
    enum txn_state state;
    bool           taken; /* the sorter has its outcome */
};

struct item {
    bool  is_mark;
    sl_ts mark;
    int   txn;
    int   type;
    sl_ts newest;
};

struct shard {
    struct sl_sorter  *sorter;
    struct item       *queue; /* the sorter's mailbox */
    uint32_t           head;
    uint32_t           tail;
    struct sl_pump_cut cut;
    uint64_t           offset;
    uint32_t           entries; /* in all closed cuts */
    int64_t            open;    /* opened minus settled, in all closed cuts */
};

struct world {
    struct sl_prng prng;
    struct shard   shards[SHARDS];
    struct txn     txns[TXNS];
    int            count;
    sl_ts          tso;
    sl_ts          newest; /* durable in this pump */
};

static void push(struct shard *s, struct item item)
{
    assert_true(s->tail < QUEUE);
    s->queue[s->tail++] = item;
}

static void make_prewrite(struct world *w)
{
    struct txn *t = &w->txns[w->count];

    if (w->count == TXNS)
        return;
    *t = (struct txn){.start = w->tso += 1 + (sl_ts)sl_prng_below(&w->prng, 3),
                      .shard = (uint32_t)sl_prng_below(&w->prng, SHARDS)};
    push(&w->shards[t->shard],
         (struct item){.txn = w->count++, .type = SL_RECORD_PREWRITE, .newest = w->newest});
}

/* A later step of a random transaction: get a commit ts, send the commit, or roll back. */
static void move_on(struct world *w)
{
    struct txn *t = w->count > 0 ? &w->txns[sl_prng_below(&w->prng, (uint64_t)w->count)] : NULL;
    int         index = (int)(t - w->txns);

    if (t == NULL)
        return;
    if (t->state == PREWRITTEN && sl_prng_chance(&w->prng, 1, 10)) {
        t->state = ROLLED_BACK;
        push(&w->shards[t->shard], (struct item){.txn = index, .type = SL_RECORD_ROLLBACK});
    } else if (t->state == PREWRITTEN) {
        t->state = COMMITTING;
        t->commit = w->tso += 1 + (sl_ts)sl_prng_below(&w->prng, 3);
    } else if (t->state == COMMITTING) {
        t->state = SENT;
        push(&w->shards[t->shard], (struct item){.txn = index, .type = SL_RECORD_COMMIT});
        w->newest = t->commit > w->newest ? t->commit : w->newest;
        for (uint32_t k = 0; k < SHARDS; k++)
            if (k != t->shard)
                push(&w->shards[k], (struct item){.is_mark = true, .mark = w->newest});
    }
}

static void close_cut(struct shard *s)
{
    sl_sorter_close_cut(s->sorter, &s->cut);
    assert_int_equal(s->cut.orphan_count, 0);
    assert_int_equal(s->cut.head.offset, s->offset);
    assert_int_equal(s->cut.head.watermark, sl_sorter_watermark(s->sorter));
    s->entries += s->cut.entry_count;
    s->open += (int64_t)s->cut.opened_count - s->cut.settled_count;
    assert_int_equal(s->open, sl_sorter_unresolved(s->sorter));
    memset(&s->cut, 0, sizeof s->cut);
}

static void handle(struct world *w, struct shard *s)
{
    struct item *item = &s->queue[s->head];
    struct txn  *t = &w->txns[item->txn];

    if (s->head == s->tail)
        return;
    s->head++;
    if (item->is_mark) {
        sl_sorter_mark(s->sorter, item->mark);
        return;
    }
    if (!sl_sorter_has_room(&s->cut) || sl_prng_chance(&w->prng, 1, 20))
        close_cut(s);

    const struct sl_sort_note note = {.type = item->type,
                                      .start_ts = t->start,
                                      .commit_ts = item->type == SL_RECORD_COMMIT ? t->commit : 0,
                                      .newest = item->newest,
                                      .position = {.offset = s->offset, .bytes = 64}};

    sl_sorter_take(s->sorter, &note, &s->cut);
    s->offset += 64;
    t->taken = item->type != SL_RECORD_PREWRITE;
}

/* Nothing that the sorter has not seen yet lies at or below its watermark. */
static void check(const struct world *w)
{
    for (uint32_t k = 0; k < SHARDS; k++)
        assert_true(sl_sorter_watermark(w->shards[k].sorter) <= w->tso);
    for (int i = 0; i < w->count; i++) {
        const struct txn *t = &w->txns[i];

        if (t->commit != 0 && !t->taken)
            assert_true(t->commit > sl_sorter_watermark(w->shards[t->shard].sorter));
    }
}

static void play(struct world *w, uint64_t seed)
{
    sl_prng_seed(&w->prng, seed);
    for (uint32_t i = 0; i < 12 * TXNS; i++) {
        uint64_t dice = sl_prng_below(&w->prng, 10);

        if (dice < 2)
            make_prewrite(w);
        else if (dice < 6)
            move_on(w);
        else
            handle(w, &w->shards[sl_prng_below(&w->prng, SHARDS)]);
        if (i % 16 == 0)
            check(w);
    }
    for (int i = 0; i < w->count; i++)
        while (w->txns[i].state == PREWRITTEN || w->txns[i].state == COMMITTING)
            move_on(w);
}

static void watermark_never_passes_what_is_still_to_come(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world *w = calloc(1, sizeof *w);
        uint32_t      commits = 0;
        uint32_t      entries = 0;

        for (uint32_t k = 0; k < SHARDS; k++) {
            w->shards[k].sorter = sl_sorter_new(&empty_head);
            w->shards[k].queue = calloc(QUEUE, sizeof *w->shards[k].queue);
        }
        play(w, seed);
        for (uint32_t k = 0; k < SHARDS; k++) {
            struct shard *s = &w->shards[k];

            while (s->head < s->tail)
                handle(w, s);
            close_cut(s);
            assert_int_equal(sl_sorter_unresolved(s->sorter), 0);
            assert_int_equal(sl_sorter_watermark(s->sorter), w->newest);
            entries += s->entries;
            sl_sorter_free(&s->sorter);
            free(s->queue);
        }
        for (int i = 0; i < w->count; i++)
            commits += w->txns[i].state == SENT;
        assert_true(commits > 1000);
        assert_int_equal(entries, commits);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TOLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        TOLD(commit_that_meets_its_prewrite_is_an_entry_with_both_places),
        TOLD(unresolved_prewrite_holds_the_watermark_at_its_bound),
        TOLD(bound_is_the_newest_commit_at_intake_when_that_is_higher),
        TOLD(prewrite_settled_in_a_later_cut_is_told_as_settled),
        TOLD(copies_of_a_prewrite_change_nothing),
        TOLD(commit_without_prewrite_is_an_orphan),
        TOLD(fake_moves_the_watermark_and_is_an_entry),
        TOLD(watermark_never_falls),
        TOLD(restored_sorter_goes_on_where_the_index_is),
        TOLD(rollback_settles_when_none_are_verified),
        TOLD(rollback_that_is_to_be_verified_only_marks),
        TOLD(commit_settles_what_was_marked_rolled_back),
        TOLD(rollback_is_looked_at_in_growing_pauses),
        TOLD(prewrite_is_looked_for_a_second_after_it_came_and_then_every_second),
        TOLD(restored_prewrite_is_looked_for_at_once),
        cmocka_unit_test(watermark_never_passes_what_is_still_to_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
