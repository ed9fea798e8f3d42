/* How far back transactions reach: the scan in pieces agrees with a look at all entries at once,
 * however they are spread over stretches of time, and goes on where it was. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "actors/pump/gc_scan.h"
#include "base/limits.h"
#include "base/prng.h"
#include "lib/env_sim.h"

enum { ENTRIES = 3 * SL_INDEX_CUT_ITEMS_MAX, MINUTES = 50 };

struct world {
    struct sl_env_sim    *sim;
    struct sl_index_db   *db;
    struct sl_index_entry entries[ENTRIES];
};

static int setup(void **state)
{
    struct world           *w = calloc(1, sizeof *w);
    struct sl_index_options options = {
        .engine = SL_INDEX_PLAIN, .dir = "/index", .shard_count = 1, .create = true};
    struct sl_why why = {0};

    w->sim = sl_env_sim_new(1);
    options.fs = sl_env_sim_env(w->sim)->fs;
    if (sl_index_open(&options, &w->db, &why) != SL_OK)
        fail_msg("%s", why.text);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    sl_index_close(&w->db);
    sl_env_sim_free(&w->sim);
    free(w);
    return 0;
}

/* Entries from..to-1: commits in rising order, a few at the same moment, some with a prewrite far
 * back in the log. */
static void make(struct world *w, struct sl_prng *prng, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        struct sl_index_entry *e = &w->entries[i];
        int64_t                ms = 1000000000 + (int64_t)i * MINUTES * 60000 / ENTRIES;

        *e = (struct sl_index_entry){.commit_ts = sl_ts_of_ms(ms) + (int64_t)sl_prng_below(prng, 2),
                                     .start_ts = i,
                                     .commit = {.offset = 1000 + 64ull * i, .bytes = 64}};
        if (sl_prng_chance(prng, 9, 10))
            e->prewrite = (struct sl_position){
                .offset = e->commit.offset - sl_prng_below(prng, e->commit.offset), .bytes = 64};
    }
}

static void apply(struct world *w, uint32_t from, uint32_t to)
{
    struct sl_index_shard *shard = sl_index_shard_of(w->db, 0);
    struct sl_why          why = {0};

    for (uint32_t i = from; i < to; i += SL_INDEX_CUT_ITEMS_MAX) {
        const struct sl_index_cut cut = {.entries = &w->entries[i],
                                         .entry_count = SL_INDEX_CUT_ITEMS_MAX,
                                         .head = {.offset = 1000 + 64ull * i}};

        if (sl_index_apply(shard, &cut, &why) != SL_OK)
            fail_msg("%s", why.text);
    }
}

static void scan_all(struct world *w, struct sl_gc_scan *scan, sl_ts until)
{
    bool          more = true;
    struct sl_why why = {0};

    while (more)
        if (sl_gc_scan_step(scan, sl_index_shard_of(w->db, 0), until, &more, &why) != SL_OK)
            fail_msg("%s", why.text);
}

/* The same, the simple way: of all entries in the stretch of ts or later. */
static uint64_t least_above(const struct world *w, uint32_t count, sl_ts ts)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < count; i++) {
        const struct sl_index_entry *e = &w->entries[i];

        if (sl_ts_physical_ms(e->commit_ts) / SL_GC_STRETCH_MS <
            sl_ts_physical_ms(ts) / SL_GC_STRETCH_MS)
            continue;
        if (e->commit.offset < least)
            least = e->commit.offset;
        if (e->prewrite.bytes > 0 && e->prewrite.offset < least)
            least = e->prewrite.offset;
    }
    return least;
}

static void compare(const struct world *w, const struct sl_gc_scan *scan, uint32_t count,
                    sl_ts from)
{
    for (uint32_t i = 0; i < count; i += 97)
        if (w->entries[i].commit_ts > from)
            assert_int_equal(sl_gc_scan_least_above(scan, w->entries[i].commit_ts),
                             least_above(w, count, w->entries[i].commit_ts));
}

static void scan_in_pieces_finds_what_a_look_at_all_finds(void **state)
{
    struct world     *w = *state;
    struct sl_gc_scan scan = {0};
    struct sl_prng    prng;
    sl_ts             middle;

    sl_prng_seed(&prng, 7);
    make(w, &prng, 0, ENTRIES);
    apply(w, 0, ENTRIES - SL_INDEX_CUT_ITEMS_MAX);
    scan_all(w, &scan, INT64_MAX - 1);
    compare(w, &scan, ENTRIES - SL_INDEX_CUT_ITEMS_MAX, 0);
    sl_gc_scan_done(&scan);

    middle = w->entries[ENTRIES - SL_INDEX_CUT_ITEMS_MAX - 1].commit_ts;
    scan_all(w, &scan, middle);
    apply(w, ENTRIES - SL_INDEX_CUT_ITEMS_MAX, ENTRIES);
    scan_all(w, &scan, w->entries[ENTRIES - 1].commit_ts + 1);
    compare(w, &scan, ENTRIES, 0);
    sl_gc_scan_forget(&scan, middle);
    compare(w, &scan, ENTRIES, middle);
    sl_gc_scan_done(&scan);
}

static void nothing_read_holds_nothing_back(void **state)
{
    struct world     *w = *state;
    struct sl_gc_scan scan = {0};

    scan_all(w, &scan, INT64_MAX - 1);
    assert_int_equal(sl_gc_scan_least_above(&scan, 0), UINT64_MAX);
    sl_gc_scan_done(&scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scan_in_pieces_finds_what_a_look_at_all_finds, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_read_holds_nothing_back, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
