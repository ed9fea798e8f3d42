/* Folding against applying row by row: random streams of inserts, updates, deletes, key changes,
 * REPLACE chains and swaps of unique values, on tables whose keys are compared in every way. What
 * is left after folding, done with REPLACE and DELETE, gives the same rows, also when it is done
 * again, and when all before it is done again first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/fold.h"
#include "lib/row_stream.h"

enum { SEEDS = 150, CHANGES_MAX = 60, BATCHES = 6 };

static struct sl_arena arena;

/* Do what is left, as a sink does: deletes first. */
static void do_fold(struct model_table *t, const struct sl_fold *fold)
{
    int32_t identity = model_identity(t);

    for (struct sl_list_node *n = sl_list_first(&fold->tables); n != NULL;
         n = sl_list_next(&fold->tables, n)) {
        const struct sl_fold_table *left = SL_CONTAINER_OF(n, struct sl_fold_table, place);

        for (struct sl_list_node *r = sl_list_first(&left->deletes); r != NULL;
             r = sl_list_next(&left->deletes, r)) {
            const struct sl_fold_row *row = SL_CONTAINER_OF(r, struct sl_fold_row, place);
            struct model_row          image = model_row_of(t, left->keys->table, row->image);

            model_delete_by_key(t, (uint32_t)identity, &image);
        }
        for (struct sl_list_node *r = sl_list_first(&left->replacements); r != NULL;
             r = sl_list_next(&left->replacements, r)) {
            const struct sl_fold_row *row = SL_CONTAINER_OF(r, struct sl_fold_row, place);
            struct model_row          image = model_row_of(t, left->keys->table, row->image);

            model_replace(t, &image);
        }
    }
}

/* A batch of changes as the decoder gives them. */
struct batch {
    struct sl_change changes[CHANGES_MAX * STREAM_STEPS_MAX];
    uint32_t         count;
};

static void draw_batch(struct sl_prng *dice, struct model_table *serial,
                       const struct sl_table *table, struct batch *batch)
{
    uint32_t wanted = (uint32_t)sl_prng_range(dice, 1, CHANGES_MAX);

    batch->count = 0;
    for (uint32_t i = 0; i < wanted; i++) {
        struct stream_step steps[STREAM_STEPS_MAX];
        uint32_t           count = stream_draw(dice, serial, steps);

        for (uint32_t j = 0; j < count; j++)
            batch->changes[batch->count++] = stream_change(&arena, serial, table, &steps[j]);
    }
}

static void fold_batch(struct sl_fold *fold, const struct sl_row_keys *keys,
                       const struct batch *batch)
{
    sl_fold_reset(fold);
    for (uint32_t i = 0; i < batch->count; i++)
        sl_fold_add(fold, keys, &batch->changes[i]);
}

static void assert_same(const struct model_table *got, const struct model_table *wanted,
                        uint64_t seed, const char *when)
{
    if (model_same_rows(got, wanted))
        return;
    model_print(stderr, got);
    model_print(stderr, wanted);
    fail_msg("seed %llu: %s", (unsigned long long)seed, when);
}

static void play(uint64_t seed, enum stream_shape shape)
{
    static struct batch   batches[BATCHES];
    struct sl_fold        fold;
    struct sl_prng        dice;
    struct model_table    serial = stream_table(shape, 100, "t");
    struct model_table    folded = serial;
    struct sl_table      *table = stream_sl_table(&serial);
    struct sl_sink_table *sink = model_sink_table(&serial, "test");
    struct sl_row_keys   *keys = sl_row_keys_new(table, sink);

    assert_true(keys->is_keyed);
    sl_prng_seed(&dice, seed);
    sl_fold_init(&fold);
    for (uint32_t i = 0; i < BATCHES; i++) {
        draw_batch(&dice, &serial, table, &batches[i]);
        fold_batch(&fold, keys, &batches[i]);
        do_fold(&folded, &fold);
        assert_same(&folded, &serial, seed, "a batch");
        do_fold(&folded, &fold);
        assert_same(&folded, &serial, seed, "a batch, done again");
        for (uint32_t j = 0; j <= i; j++) { /* as after a crash, from an old checkpoint on */
            fold_batch(&fold, keys, &batches[j]);
            do_fold(&folded, &fold);
        }
        assert_same(&folded, &serial, seed, "all batches, done again");
    }
    sl_fold_done(&fold);
    sl_row_keys_free(&keys);
    sl_sink_table_free(&sink);
    sl_table_free(&table);
    sl_arena_reset(&arena);
}

static void what_is_left_does_what_all_changes_do(void **state)
{
    (void)state;
    sl_arena_init(&arena);
    for (int shape = 0; shape < STREAM_KEYED_SHAPES; shape++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            play(seed, (enum stream_shape)shape);
    }
    sl_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_does_what_all_changes_do),
    };

    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
