/* The contract of the index, asked in the same words of WiredTiger, of the plain engine on
 * Linux, and of the plain engine on the simulated disk: contents equal a naive model under
 * random cuts, removals and reopens; batches, bounds and counts are as promised; what is missing
 * or damaged is told from what is there, without a word on standard error. */

#include "unit/storage/index_model.h"

#include <stdio.h>
#include <unistd.h>

#include "base/env_os.h"
#include "lib/child.h"
#include "lib/env_sim.h"

enum { SHARDS = 3 };

struct world {
    enum sl_index_engine engine;
    struct sl_env_sim   *sim; /* owned; NULL: Linux */
    struct sl_fs        *fs;
    char                 dir[SL_PATH_BYTES_MAX];
    unsigned             lines; /* from the engine */
    struct sl_index_db  *db;    /* owned */
    struct model        *models;
};

static void count_line(void *context, bool is_error, const char *text)
{
    (void)is_error;
    assert_true(text[0] != '\0');
    ++*(unsigned *)context;
}

static enum sl_err try_open(struct world *w, bool create, uint32_t shards, struct sl_why *why)
{
    const struct sl_index_options options = {.engine = w->engine,
                                             .fs = w->fs,
                                             .dir = w->dir,
                                             .shard_count = shards,
                                             .create = create,
                                             .log = count_line,
                                             .log_context = &w->lines};

    return sl_index_open(&options, &w->db, why);
}

static void open_index(struct world *w, bool create)
{
    struct sl_why why = {0};

    if (try_open(w, create, SHARDS, &why) != SL_OK)
        fail_msg("%s", why.text);
}

static struct sl_index_shard *shard(struct world *w, uint32_t number)
{
    return sl_index_shard_of(w->db, number);
}

static void apply(struct sl_index_shard *to, const struct sl_index_cut *cut)
{
    struct sl_why why = {0};

    if (sl_index_apply(to, cut, &why) != SL_OK)
        fail_msg("%s", why.text);
}

/* Entries first..last with these commit ts and no prewrites. */
static void apply_range(struct sl_index_shard *to, int64_t first, int64_t last)
{
    static struct sl_index_entry entries[SL_INDEX_CUT_ITEMS_MAX];
    struct sl_index_cut          cut = {.entries = entries, .head = sl_index_head_of(to)};

    for (; first <= last; first++) {
        entries[cut.entry_count++] = (struct sl_index_entry){
            .commit_ts = first, .start_ts = first - 1, .commit = {(uint64_t)first * 8, 8}};
    }
    apply(to, &cut);
}

/* ---- the contract ---- */

static void a_missing_index_is_not_found_and_a_new_one_is_empty(struct world *w)
{
    struct sl_why why = {0};
    uint32_t      removed = 9;

    assert_int_equal(try_open(w, false, SHARDS, &why), SL_NOT_FOUND);
    assert_true(strlen(why.text) > 0);
    open_index(w, true);
    model_reset(w->models, 1);
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_shard_equals(shard(w, i), w->models);
        assert_int_equal(sl_index_remove(shard(w, i), INT64_MAX, &removed, NULL), SL_OK);
        assert_int_equal(removed, 0);
    }
    sl_index_close(&w->db);
    assert_null(w->db);
    open_index(w, false);
    sl_index_close(&w->db);
}

static void remove_some(struct world *w, uint32_t number)
{
    struct model *m = &w->models[number];
    uint32_t      removed = UINT32_MAX;
    int64_t       up_to;

    if (m->entry_count == 0)
        return;
    up_to = m->entries[sl_prng_below(&m->prng, m->entry_count)].commit_ts;
    assert_int_equal(sl_index_remove(shard(w, number), up_to, &removed, NULL), SL_OK);
    assert_int_equal(removed, model_remove(m, up_to));
}

static void random_operations_equal_the_model(struct world *w)
{
    struct sl_prng prng;

    sl_prng_seed(&prng, 7);
    open_index(w, true);
    for (uint32_t i = 0; i < SHARDS; i++)
        model_reset(&w->models[i], i);
    for (unsigned step = 0; step < 1500; step++) {
        uint32_t number = (uint32_t)sl_prng_below(&prng, SHARDS);
        uint64_t dice = sl_prng_below(&prng, 1000);

        if (dice < 950) {
            apply(shard(w, number), model_cut(&w->models[number]));
        } else if (dice < 970) {
            remove_some(w, number);
        } else if (dice < 980) {
            assert_int_equal(sl_index_checkpoint(w->db, NULL), SL_OK);
        } else if (dice < 985) {
            sl_index_close(&w->db);
            open_index(w, false);
        } else {
            assert_shard_equals(shard(w, number), &w->models[number]);
        }
    }
    sl_index_close(&w->db);
    open_index(w, false);
    for (uint32_t i = 0; i < SHARDS; i++)
        assert_shard_equals(shard(w, i), &w->models[i]);
    sl_index_close(&w->db);
}

static void assert_reads(struct sl_index_cursor *cursor, int64_t bound, uint32_t room,
                         int64_t first, uint32_t want)
{
    struct sl_index_entry got[64];
    uint32_t              count = UINT32_MAX;

    assert_int_equal(sl_index_cursor_next(cursor, bound, got, room, &count, NULL), SL_OK);
    assert_int_equal(count, want);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(got[i].commit_ts, first + i);
}

static void cursors_give_batches_up_to_the_bound_and_what_comes_later(struct world *w)
{
    struct sl_index_cursor *cursor = NULL;

    open_index(w, true);
    assert_int_equal(sl_index_cursor_open(shard(w, 1), 10, &cursor, NULL), SL_OK);
    assert_reads(cursor, INT64_MAX, 4, 0, 0); /* nothing there yet */
    apply_range(shard(w, 1), 5, 30);
    assert_reads(cursor, 20, 4, 11, 4);
    assert_reads(cursor, 20, 64, 15, 6);
    assert_reads(cursor, 20, 64, 0, 0);
    assert_reads(cursor, 19, 64, 0, 0); /* a bound behind the place reached */
    apply_range(shard(w, 1), 15, 18);   /* again, behind it: not seen */
    apply_range(shard(w, 1), 31, 33);
    assert_reads(cursor, INT64_MAX, 64, 21, 13);
    sl_index_cursor_close(&cursor);
    assert_null(cursor);
    sl_index_close(&w->db);
}

static void equal_commit_ts_of_two_transactions_are_both_kept(struct world *w)
{
    const struct sl_index_entry two[] = {{.commit_ts = 9, .start_ts = 4, .commit = {1, 1}},
                                         {.commit_ts = 9, .start_ts = 2, .commit = {2, 1}}};
    struct sl_index_cut         cut = {.entries = two, .entry_count = 2};
    struct sl_index_cursor     *cursor = NULL;
    struct sl_index_entry       got[1];
    uint32_t                    count;

    open_index(w, true);
    apply(shard(w, 0), &cut);
    assert_int_equal(sl_index_cursor_open(shard(w, 0), 8, &cursor, NULL), SL_OK);
    assert_int_equal(sl_index_cursor_next(cursor, 9, got, 1, &count, NULL), SL_OK);
    assert_same_entry(got, &two[1]);
    assert_int_equal(sl_index_cursor_next(cursor, 9, got, 1, &count, NULL), SL_OK);
    assert_same_entry(got, &two[0]);
    assert_int_equal(sl_index_cursor_next(cursor, 9, got, 1, &count, NULL), SL_OK);
    assert_int_equal(count, 0);
    sl_index_cursor_close(&cursor);
    sl_index_close(&w->db);
}

static void removal_is_counted_and_goes_by_portions(struct world *w)
{
    struct sl_index_cursor *cursor = NULL;
    uint32_t                removed = 0;

    open_index(w, true);
    for (int64_t at = 1; at < 3 * SL_INDEX_CUT_ITEMS_MAX; at += SL_INDEX_CUT_ITEMS_MAX)
        apply_range(shard(w, 2), at, at + SL_INDEX_CUT_ITEMS_MAX - 1);
    assert_int_equal(sl_index_remove(shard(w, 2), 5000, &removed, NULL), SL_OK);
    assert_int_equal(removed, SL_INDEX_CUT_ITEMS_MAX);
    assert_int_equal(sl_index_remove(shard(w, 2), 5000, &removed, NULL), SL_OK);
    assert_int_equal(removed, 5000 - SL_INDEX_CUT_ITEMS_MAX);
    assert_int_equal(sl_index_remove(shard(w, 2), 5000, &removed, NULL), SL_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(sl_index_cursor_open(shard(w, 2), 0, &cursor, NULL), SL_OK);
    assert_reads(cursor, INT64_MAX, 5, 5001, 5);
    sl_index_cursor_close(&cursor);
    sl_index_close(&w->db);
}

static void cursors_are_bounded(struct world *w)
{
    struct sl_index_cursor *cursors[SL_INDEX_CURSORS_MAX + 1] = {NULL};
    struct sl_why           why = {0};

    open_index(w, true);
    for (uint32_t i = 0; i < SL_INDEX_CURSORS_MAX; i++)
        assert_int_equal(sl_index_cursor_open(shard(w, 0), 0, &cursors[i], NULL), SL_OK);
    assert_int_equal(sl_index_cursor_open(shard(w, 0), 0, &cursors[SL_INDEX_CURSORS_MAX], &why),
                     SL_FULL);
    assert_null(cursors[SL_INDEX_CURSORS_MAX]);
    for (uint32_t i = 0; i < SL_INDEX_CURSORS_MAX; i++)
        sl_index_cursor_close(&cursors[i]);
    sl_index_close(&w->db);
}

/* ---- damage ---- */

static void overwrite(struct world *w, const char *name, uint64_t bytes_left, bool scribble)
{
    char            path[SL_PATH_BYTES_MAX];
    struct sl_file *file = NULL;
    uint64_t        bytes = 0;

    assert_int_equal(sl_path_join(path, w->dir, name, NULL), SL_OK);
    assert_int_equal(sl_fs_open(w->fs, path, SL_OPEN_READ | SL_OPEN_WRITE, &file, NULL), SL_OK);
    assert_int_equal(sl_file_size(file, &bytes, NULL), SL_OK);
    if (scribble) {
        for (uint64_t at = 0; at < bytes; at += 64)
            assert_int_equal(sl_file_write_at(file, at, "damaged!", 8, NULL), SL_OK);
    } else {
        assert_int_equal(sl_file_truncate(file, bytes_left, NULL), SL_OK);
    }
    sl_file_close(&file);
}

static void remove_file(struct world *w, const char *name)
{
    char path[SL_PATH_BYTES_MAX];

    assert_int_equal(sl_path_join(path, w->dir, name, NULL), SL_OK);
    assert_int_equal(sl_fs_remove(w->fs, path, NULL), SL_OK);
}

static struct world *damaged;

static void open_damaged(void)
{
    struct sl_why why = {0};
    enum sl_err   err = try_open(damaged, false, SHARDS, &why);

    if (err == SL_OK)
        sl_index_close(&damaged->db);
    _exit(err == SL_CORRUPT && strlen(why.text) > 0 ? 0 : 1 + (int)err);
}

/* In a child, so that what is said on standard error is seen. */
static void assert_corrupt(struct world *w, const char *what)
{
    const struct child_end *end;

    damaged = w;
    end = child_run(open_damaged);
    if (end->signal != 0 || end->exit_code != 0)
        fail_msg("%s: signal %d, exit code %d", what, end->signal, end->exit_code);
    if (end->text[0] != '\0')
        fail_msg("%s: said %s", what, end->text);
}

static void rebuild(struct world *w)
{
    assert_int_equal(sl_index_wipe(w->fs, w->dir, NULL), SL_OK);
    open_index(w, true);
    apply_range(shard(w, 0), 1, 3000);
    sl_index_close(&w->db);
}

static void damage_is_corrupt_and_wiping_cures_it(struct world *w)
{
    static const char *const wt_files[] = {"WiredTiger.turtle", "WiredTiger.wt", "entries-0.wt",
                                           "entries-2.wt",      "meta.wt",       "unresolved-1.wt"};
    static const char *const plain_files[] = {"plain"};
    const bool               wt = w->engine == SL_INDEX_WIREDTIGER;
    const char *const       *files = wt ? wt_files : plain_files;
    const size_t             count = wt ? sizeof wt_files / sizeof *wt_files : 1;
    struct sl_why            why = {0};

    rebuild(w);
    assert_int_equal(try_open(w, true, SHARDS + 1, &why), SL_CORRUPT);
    assert_non_null(strstr(why.text, "shards"));
    for (size_t i = 0; i < count; i++) {
        rebuild(w);
        overwrite(w, files[i], 0, true);
        assert_corrupt(w, files[i]);
        rebuild(w);
        overwrite(w, files[i], 5, false);
        assert_corrupt(w, files[i]);
        rebuild(w);
        remove_file(w, files[i]);
        if (wt)
            assert_corrupt(w, files[i]);
        else
            assert_int_equal(try_open(w, false, SHARDS, NULL), SL_NOT_FOUND);
    }
    if (wt) {
        rebuild(w);
        remove_file(w, "WiredTiger");
        assert_corrupt(w, "WiredTiger");
    }
    rebuild(w);
    open_index(w, false);
    assert_int_equal(sl_index_find(shard(w, 0), 7, 6, &(struct sl_index_entry){0}, NULL), SL_OK);
    sl_index_close(&w->db);
    assert_int_equal(sl_index_wipe(w->fs, w->dir, NULL), SL_OK);
    assert_int_equal(sl_index_wipe(w->fs, w->dir, NULL), SL_OK); /* nothing there */
}

/* ---- who asks it of whom ---- */

static void ask(struct world *w, void (*of)(struct world *))
{
    assert_int_equal(sl_index_wipe(w->fs, w->dir, NULL), SL_OK);
    of(w);
    assert_null(w->db);
}

static void ask_all(struct world *w)
{
    w->models = calloc(SHARDS, sizeof *w->models);
    assert_non_null(w->models);
    ask(w, a_missing_index_is_not_found_and_a_new_one_is_empty);
    ask(w, random_operations_equal_the_model);
    ask(w, cursors_give_batches_up_to_the_bound_and_what_comes_later);
    ask(w, equal_commit_ts_of_two_transactions_are_both_kept);
    ask(w, removal_is_counted_and_goes_by_portions);
    ask(w, cursors_are_bounded);
    ask(w, damage_is_corrupt_and_wiping_cures_it);
    free(w->models);
}

static void ask_on_linux(enum sl_index_engine engine)
{
    struct world w = {.engine = engine, .fs = sl_env_os()->fs};
    char         base[] = "/tmp/sluice_index_XXXXXX";

    assert_non_null(mkdtemp(base));
    assert_int_equal(sl_path_join(w.dir, base, "index", NULL), SL_OK);
    ask_all(&w);
    assert_int_equal(rmdir(base), 0);
}

static void wiredtiger_keeps_the_contract(void **state)
{
    (void)state;
    ask_on_linux(SL_INDEX_WIREDTIGER);
}

static void the_plain_engine_keeps_the_contract(void **state)
{
    (void)state;
    ask_on_linux(SL_INDEX_PLAIN);
}

static void the_plain_engine_keeps_the_contract_in_simulation(void **state)
{
    struct world w = {.engine = SL_INDEX_PLAIN, .sim = sl_env_sim_new(3), .dir = "/data/index"};

    (void)state;
    w.fs = sl_env_sim_env(w.sim)->fs;
    assert_int_equal(sl_fs_mkdir(w.fs, "/data", NULL), SL_OK);
    ask_all(&w);
    sl_env_sim_free(&w.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wiredtiger_keeps_the_contract),
        cmocka_unit_test(the_plain_engine_keeps_the_contract),
        cmocka_unit_test(the_plain_engine_keeps_the_contract_in_simulation),
    };

    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
