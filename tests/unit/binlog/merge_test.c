/* The merge emits what was pushed, all of it, once and in order, as soon as every watermark allows
 * and not before: by examples, and against a naive sort under random pushes, watermarks, drains,
 * sources that come and sources that go. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/intrusive.h"
#include "base/prng.h"
#include "binlog/merge.h"

enum { ITEMS_MAX = 16, OUT_MAX = 64 };

/* A block with its items, freed when the merge gives it back. */
struct chunk {
    struct sl_merge_block block;
    struct sl_descriptor  items[ITEMS_MAX];
};

static struct chunk *chunk_of(const sl_ts *ts, uint32_t count)
{
    struct chunk *c = calloc(1, sizeof *c);

    assert_non_null(c);
    for (uint32_t i = 0; i < count; i++) {
        c->items[i].commit_ts = ts[i];
        c->items[i].start_ts = ts[i] - 1;
    }
    c->block.items = c->items;
    c->block.count = count;
    return c;
}

static uint32_t free_spent(struct sl_merge *m)
{
    struct sl_merge_block *block;
    uint32_t               count = 0;

    for (; (block = sl_merge_spent(m)) != NULL; count++)
        free(SL_CONTAINER_OF(block, struct chunk, block));
    return count;
}

static uint32_t added(struct sl_merge *m, sl_ts after)
{
    uint32_t source = UINT32_MAX;

    assert_int_equal(sl_merge_add(m, after, &source, NULL), SL_OK);
    return source;
}

static void push(struct sl_merge *m, uint32_t source, const sl_ts *ts, uint32_t count)
{
    assert_int_equal(sl_merge_push(m, source, &chunk_of(ts, count)->block, NULL), SL_OK);
}

#define PUSH(m, source, ...)                          \
    push((m), (source), (const sl_ts[]){__VA_ARGS__}, \
         sizeof((const sl_ts[]){__VA_ARGS__}) / sizeof(sl_ts))

static void assert_refused(struct sl_merge *m, uint32_t source, sl_ts ts, const char *words)
{
    struct chunk *c = chunk_of(&ts, 1);
    struct sl_why why = {0};

    assert_int_equal(sl_merge_push(m, source, &c->block, &why), SL_INVALID);
    assert_string_equal(why.text, words);
    free(c);
}

/* Drain with this room and compare commit ts and sources. */
static void assert_drains(struct sl_merge *m, uint32_t room, const sl_ts *ts,
                          const uint32_t *sources, uint32_t count)
{
    struct sl_descriptor out[OUT_MAX];

    assert_int_equal(sl_merge_drain(m, out, room), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(out[i].commit_ts, ts[i]);
        assert_int_equal(out[i].source, sources[i]);
        assert_int_equal(out[i].start_ts, ts[i] - 1);
    }
}

static void finish(struct sl_merge *m, uint32_t sources)
{
    for (uint32_t i = 0; i < sources; i++)
        sl_merge_remove(m, i);
    (void)free_spent(m);
    sl_merge_free(&m);
    assert_null(m);
}

static void nothing_passes_the_least_watermark(void **state)
{
    struct sl_merge *m = sl_merge_new(0);
    uint32_t         a = added(m, 0);
    uint32_t         b = added(m, 0);
    uint32_t         holder = UINT32_MAX;

    (void)state;
    PUSH(m, a, 3, 7, 9);
    PUSH(m, b, 4, 5);
    assert_drains(m, OUT_MAX, NULL, NULL, 0);
    sl_merge_set_watermark(m, a, 9);
    sl_merge_set_watermark(m, b, 7);
    assert_int_equal(sl_merge_watermark(m, &holder), 7);
    assert_int_equal(holder, b);
    assert_drains(m, OUT_MAX, (sl_ts[]){3, 4, 5, 7}, (uint32_t[]){a, b, b, a}, 4);
    assert_int_equal(sl_merge_passed(m), 7);
    assert_int_equal(sl_merge_pending(m, a), 1);
    assert_int_equal(sl_merge_pending(m, b), 0);
    sl_merge_set_watermark(m, b, 6); /* lower: changes nothing */
    sl_merge_set_watermark(m, b, 9);
    assert_drains(m, OUT_MAX, (sl_ts[]){9}, (uint32_t[]){a}, 1);
    assert_int_equal(free_spent(m), 2);
    finish(m, 2);
}

static void equal_ts_come_out_side_by_side_even_with_little_room(void **state)
{
    struct sl_merge *m = sl_merge_new(0);
    const sl_ts      want[] = {1, 5, 5, 5, 8};

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        (void)added(m, 0);
        sl_merge_set_watermark(m, i, 10);
    }
    PUSH(m, 0, 1, 5);
    PUSH(m, 1, 5, 8);
    PUSH(m, 2, 5);
    for (unsigned i = 0; i < 5; i++) {
        struct sl_descriptor out[1];

        assert_int_equal(sl_merge_drain(m, out, 1), 1);
        assert_int_equal(out[0].commit_ts, want[i]);
        assert_true(sl_merge_passed(m) >= want[i] - 1);
    }
    assert_int_equal(sl_merge_passed(m), 10);
    finish(m, 3);
}

static void late_descriptors_are_refused_except_copies_of_the_last(void **state)
{
    struct sl_merge *m = sl_merge_new(2);
    uint32_t         a = added(m, 2);
    uint32_t         b = added(m, 2);

    (void)state;
    assert_refused(m, a, 2, "commit ts 2 is late: all up to 2 was merged already");
    PUSH(m, a, 5);
    sl_merge_set_watermark(m, a, 8);
    sl_merge_set_watermark(m, b, 8);
    assert_drains(m, OUT_MAX, (sl_ts[]){5}, (uint32_t[]){a}, 1);
    assert_refused(m, b, 4, "commit ts 4 is late: all up to 8 was merged already");
    assert_refused(m, b, 8, "commit ts 8 is late: all up to 8 was merged already");
    PUSH(m, b, 5);
    assert_drains(m, OUT_MAX, (sl_ts[]){5}, (uint32_t[]){b}, 1);
    assert_int_equal(sl_merge_passed(m), 8);
    finish(m, 2);
}

static void a_source_out_of_its_own_order_is_refused(void **state)
{
    struct sl_merge *m = sl_merge_new(0);
    uint32_t         a = added(m, 0);
    struct chunk    *c = chunk_of((const sl_ts[]){9, 12, 11}, 3);

    (void)state;
    assert_int_equal(sl_merge_push(m, a, &c->block, NULL), SL_INVALID);
    free(c);
    PUSH(m, a, 9, 12);
    assert_refused(m, a, 11, "commit ts 11 comes after 12");
    finish(m, 1);
}

static void a_removed_source_holds_nothing_back_and_its_number_is_reused(void **state)
{
    struct sl_merge *m = sl_merge_new(0);
    uint32_t         a = added(m, 0);
    uint32_t         b = added(m, 0);

    (void)state;
    PUSH(m, a, 3);
    PUSH(m, b, 2, 4);
    PUSH(m, b, 6);
    sl_merge_set_watermark(m, a, 5);
    assert_drains(m, OUT_MAX, NULL, NULL, 0);
    sl_merge_remove(m, b);
    assert_int_equal(free_spent(m), 2);
    assert_drains(m, OUT_MAX, (sl_ts[]){3}, (uint32_t[]){a}, 1);
    assert_int_equal(sl_merge_passed(m), 5);
    assert_int_equal(added(m, 5), b);
    finish(m, 2);
}

static void a_source_that_ends_gives_all_it_has_and_does_not_shut_the_door(void **state)
{
    struct sl_merge *m = sl_merge_new(0);
    uint32_t         a = added(m, 0);

    (void)state;
    PUSH(m, a, 3, 9);
    sl_merge_set_watermark(m, a, INT64_MAX);
    assert_drains(m, OUT_MAX, (sl_ts[]){3, 9}, (uint32_t[]){a, a}, 2);
    assert_int_equal(sl_merge_passed(m), 9);
    sl_merge_remove(m, a);
    assert_int_equal(sl_merge_watermark(m, NULL), 9);
    assert_int_equal(added(m, 9), a);
    PUSH(m, a, 10);
    sl_merge_set_watermark(m, a, 10);
    assert_drains(m, OUT_MAX, (sl_ts[]){10}, (uint32_t[]){a}, 1);
    finish(m, 1);
}

static void sources_are_bounded(void **state)
{
    struct sl_merge *m = sl_merge_new(0);
    uint32_t         source = UINT32_MAX;

    (void)state;
    for (uint32_t i = 0; i < SL_MERGE_SOURCES_MAX; i++)
        assert_int_equal(added(m, 0), i);
    assert_int_equal(sl_merge_add(m, 0, &source, NULL), SL_TOO_LARGE);
    assert_int_equal(source, UINT32_MAX);
    finish(m, SL_MERGE_SOURCES_MAX);
}

/* ---- against a naive sort ---- */

enum { SOURCES_MAX = 9, STEPS = 3000, MODEL_MAX = STEPS * ITEMS_MAX };

struct model {
    sl_ts    waiting[MODEL_MAX]; /* pushed and not emitted; in no order */
    uint32_t count;
    sl_ts    next[SOURCES_MAX]; /* the source's next ts is at least this */
    sl_ts    watermark[SOURCES_MAX];
    bool     here[SOURCES_MAX];
};

static int by_ts(const void *a, const void *b)
{
    const sl_ts *x = a;
    const sl_ts *y = b;

    return (*x > *y) - (*x < *y);
}

static void push_some(struct sl_merge *m, struct model *model, uint32_t source,
                      struct sl_prng *prng)
{
    uint32_t count = (uint32_t)sl_prng_range(prng, 1, ITEMS_MAX);
    uint64_t stride = sl_prng_chance(prng, 1, 2) ? 2 : 20;
    sl_ts    ts[ITEMS_MAX];

    for (uint32_t i = 0; i < count; i++) {
        ts[i] = model->next[source];
        model->next[source] += (sl_ts)sl_prng_below(prng, stride);
        model->waiting[model->count++] = ts[i];
    }
    push(m, source, ts, count);
}

static void raise_watermark(struct sl_merge *m, struct model *model, uint32_t source,
                            struct sl_prng *prng)
{
    sl_ts ts = model->next[source] - 1 + (sl_ts)sl_prng_below(prng, 30);

    if (ts > model->watermark[source])
        model->watermark[source] = ts;
    if (model->next[source] <= ts)
        model->next[source] = ts + 1;
    sl_merge_set_watermark(m, source, ts);
}

static sl_ts least_watermark(const struct model *model)
{
    sl_ts least = INT64_MAX;

    for (uint32_t i = 0; i < SOURCES_MAX; i++) {
        if (model->here[i] && model->watermark[i] < least)
            least = model->watermark[i];
    }
    return least;
}

/* All that the least watermark covers comes, sorted, in portions of any size. */
static void drain_all(struct sl_merge *m, struct model *model, struct sl_prng *prng)
{
    struct sl_descriptor out[OUT_MAX];
    sl_ts                limit = least_watermark(model);
    uint32_t             taken = 0;
    uint32_t             room;
    uint32_t             got;

    qsort(model->waiting, model->count, sizeof *model->waiting, by_ts);
    do {
        room = (uint32_t)sl_prng_range(prng, 1, OUT_MAX);
        got = sl_merge_drain(m, out, room);
        for (uint32_t i = 0; i < got; i++) {
            assert_true(taken < model->count);
            assert_int_equal(out[i].commit_ts, model->waiting[taken]);
            taken++;
        }
    } while (got == room);
    assert_true(taken == model->count || limit == INT64_MAX || model->waiting[taken] > limit);
    if (taken > 0)
        assert_true(model->waiting[taken - 1] <= limit);
    model->count -= taken;
    memmove(model->waiting, model->waiting + taken, model->count * sizeof *model->waiting);
    (void)free_spent(m);
}

static void come(struct sl_merge *m, struct model *model)
{
    uint32_t source = added(m, sl_merge_passed(m));

    assert_true(source < SOURCES_MAX);
    assert_false(model->here[source]);
    model->here[source] = true;
    model->watermark[source] = sl_merge_passed(m);
    model->next[source] = sl_merge_passed(m) + 1;
}

/* Leave as a pump does that goes offline: with nothing left behind. */
static void go(struct sl_merge *m, struct model *model, uint32_t source)
{
    if (sl_merge_pending(m, source) > 0)
        return;
    sl_merge_remove(m, source);
    model->here[source] = false;
}

static void step(struct sl_merge *m, struct model *model, struct sl_prng *prng)
{
    uint32_t source = (uint32_t)sl_prng_below(prng, SOURCES_MAX);
    uint64_t dice = sl_prng_below(prng, 100);

    if (!model->here[source]) {
        if (dice < 30)
            come(m, model);
    } else if (dice < 45) {
        push_some(m, model, source, prng);
    } else if (dice < 85) {
        raise_watermark(m, model, source, prng);
    } else if (dice < 98) {
        drain_all(m, model, prng);
    } else {
        go(m, model, source);
    }
}

static void random_merges_equal_a_naive_sort(void **state)
{
    struct model *model = malloc(sizeof *model);

    (void)state;
    assert_non_null(model);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct sl_merge *m = sl_merge_new(0);
        struct sl_prng   prng;

        memset(model, 0, sizeof *model);
        sl_prng_seed(&prng, seed);
        come(m, model);
        for (unsigned i = 0; i < STEPS; i++)
            step(m, model, &prng);
        for (uint32_t i = 0; i < SOURCES_MAX; i++) {
            if (model->here[i]) {
                model->watermark[i] = INT64_MAX;
                sl_merge_set_watermark(m, i, INT64_MAX);
            }
        }
        drain_all(m, model, &prng);
        for (uint32_t i = 0; i < SOURCES_MAX; i++) {
            if (model->here[i])
                go(m, model, i);
        }
        if (least_watermark(model) == INT64_MAX && model->count > 0)
            fail_msg("seed %u: %u descriptors lost", (unsigned)seed, model->count);
        (void)free_spent(m);
        sl_merge_free(&m);
    }
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_passes_the_least_watermark),
        cmocka_unit_test(equal_ts_come_out_side_by_side_even_with_little_room),
        cmocka_unit_test(late_descriptors_are_refused_except_copies_of_the_last),
        cmocka_unit_test(a_source_out_of_its_own_order_is_refused),
        cmocka_unit_test(a_removed_source_holds_nothing_back_and_its_number_is_reused),
        cmocka_unit_test(a_source_that_ends_gives_all_it_has_and_does_not_shut_the_door),
        cmocka_unit_test(sources_are_bounded),
        cmocka_unit_test(random_merges_equal_a_naive_sort),
    };

    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
