/* B11, coalesce: inserts, updates and deletes of skewed keys, a thousand to a batch, folded to the
 * end of each row. The limit is a bare table of integers that finds or adds the key of each change
 * and keeps its number. `left` is rows that remain of a hundred changes: it belongs to the
 * workload, not to the code. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/fold.h"
#include "base/hash.h"
#include "base/prng.h"
#include "binlog/table_private.h"
#include "harness.h"

enum { BATCH = 1024, BATCHES = 64, KEYS = 100000, COLUMNS = 2, SLOTS = 4 * BATCH };

/* ---- the workload ---- */

struct workload {
    struct sl_table   *table; /* owned */
    struct sl_row_keys keys;
    struct sl_change   changes[BATCHES][BATCH];
    struct sl_value    values[BATCHES][BATCH][COLUMNS];
};

/* About as in a Zipf distribution of exponent 1: a key's chance falls with its rank. */
static int64_t draw_key(struct sl_prng *dice)
{
    double u = (double)sl_prng_below(dice, 1U << 30) / (double)(1U << 30);

    return (int64_t)pow(KEYS, u);
}

static struct workload *workload_new(void)
{
    static const struct sl_column columns[COLUMNS] = {
        {.id = 1, .type = SL_TYPE_LONGLONG, .flags = SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL},
        {.id = 2, .type = SL_TYPE_LONGLONG},
    };
    struct workload *w = calloc(1, sizeof *w);
    struct sl_prng   dice;

    if (w == NULL)
        abort();
    sl_prng_seed(&dice, 1);
    w->table = table_copy(&(struct sl_table){
        .id = 1, .columns = columns, .column_count = COLUMNS, .pk_is_handle = true});
    w->keys = (struct sl_row_keys){.table = w->table, .is_keyed = true, .identity_count = 1};
    for (uint32_t b = 0; b < BATCHES; b++) {
        for (uint32_t i = 0; i < BATCH; i++) {
            struct sl_value *values = w->values[b][i];

            values[0] = (struct sl_value){.kind = SL_VALUE_INT, .i = draw_key(&dice)};
            values[1] = (struct sl_value){.kind = SL_VALUE_INT, .i = i};
            w->changes[b][i] =
                (struct sl_change){.kind = (enum sl_change_kind)sl_prng_below(&dice, 3),
                                   .table = w->table,
                                   .values = values,
                                   .old = values};
        }
    }
    return w;
}

static void workload_free(struct workload *w)
{
    sl_table_free(&w->table);
    free(w);
}

/* ---- ours ---- */

static bool ours(const struct bench_options *o, struct bench_sample *out)
{
    struct workload *w = workload_new();
    struct sl_fold   fold;
    double           began = bench_cpu_now();
    double           until = bench_now() + o->seconds;
    double           changes = 0;
    double           left = 0;

    sl_fold_init(&fold);
    do {
        for (uint32_t b = 0; b < BATCHES; b++) {
            for (uint32_t i = 0; i < BATCH; i++)
                sl_fold_add(&fold, &w->keys, &w->changes[b][i]);
            left += (double)fold.rows.count;
            changes += (double)BATCH;
            sl_fold_reset(&fold);
        }
    } while (bench_now() < until);
    out->value[0] = changes / (bench_cpu_now() - began);
    out->value[1] = 100 * left / changes;
    sl_fold_done(&fold);
    workload_free(w);
    return true;
}

/* ---- the limit ---- */

struct slot {
    int64_t  key; /* 0: free */
    uint32_t last;
};

static uint32_t fold_bare(struct slot slots[SLOTS], const struct sl_change *changes)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < BATCH; i++) {
        int64_t  key = changes[i].values[0].i;
        uint64_t at = sl_hash_u64((uint64_t)key);

        while (slots[at % SLOTS].key != 0 && slots[at % SLOTS].key != key)
            at++;
        count += slots[at % SLOTS].key == 0;
        slots[at % SLOTS] = (struct slot){key, i};
    }
    return count;
}

static bool limit(const struct bench_options *o, struct bench_sample *out)
{
    struct workload *w = workload_new();
    struct slot     *slots = calloc(SLOTS, sizeof *slots);
    double           began = bench_cpu_now();
    double           until = bench_now() + o->seconds;
    double           changes = 0;
    double           left = 0;

    if (slots == NULL)
        abort();
    do {
        for (uint32_t b = 0; b < BATCHES; b++) {
            left += fold_bare(slots, w->changes[b]);
            changes += (double)BATCH;
            memset(slots, 0, SLOTS * sizeof *slots);
        }
    } while (bench_now() < until);
    out->value[0] = changes / (bench_cpu_now() - began);
    out->value[1] = 100 * left / changes;
    free(slots);
    workload_free(w);
    return true;
}

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "change/s"};
    static const struct bench_metric left = {
        .name = "left", .unit = "row/100", .smaller_is_better = true};
    const struct bench_case cases[] = {{"zipf", "skewed keys", {rate, left}, ours, limit, NULL}};

    return bench_main("coalesce", cases, sizeof cases / sizeof *cases, argc, argv);
}
