/* What the index promises beyond one thread and one life: after a kill at any moment its
 * contents are those after some cut at or after the last checkpoint, consistent with its head;
 * after a power cut the plain engine has its old file or its new one; a reader in another thread
 * sees whole cuts; and a million entries need no more memory than the cache and a few MiB. */

#include "unit/storage/index_model.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "lib/child.h"
#include "lib/env_sim.h"

enum { SHARDS = 2, BURST = 100 /* cuts from one checkpoint to the next, at least */ };

static char dir[SL_PATH_BYTES_MAX];

static int make_dir(void **state)
{
    char base[] = "/tmp/sluice_index_XXXXXX";

    (void)state;
    return mkdtemp(base) == NULL || sl_path_join(dir, base, "index", NULL) != SL_OK ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    if (sl_index_wipe(sl_env_os()->fs, dir, NULL) != SL_OK)
        return -1;
    *strrchr(dir, '/') = '\0';
    return rmdir(dir);
}

static struct sl_index_db *opened(enum sl_index_engine engine, uint32_t shards)
{
    const struct sl_index_options options = {
        .engine = engine, .fs = sl_env_os()->fs, .dir = dir, .shard_count = shards, .create = true};
    struct sl_index_db *db = NULL;
    struct sl_why       why = {0};

    SL_ASSERT(sl_index_open(&options, &db, &why) == SL_OK); /* also said in a child */
    return db;
}

/* ---- kill ---- */

/* Shared with the child: how far it came. Only the child writes; we read when it is dead. */
struct progress {
    _Atomic uint64_t applied[SHARDS];      /* head offset of the last cut begun */
    _Atomic uint64_t checkpointed[SHARDS]; /* head offset safe */
    _Atomic uint64_t checkpoints;          /* how many were made */
};

static struct progress     *progress;
static enum sl_index_engine victim_engine;
static uint64_t             victim_cuts; /* after how many it dies */
static struct sl_index_db  *victim;

static void note_checkpoint(void)
{
    uint64_t before[SHARDS];

    for (uint32_t i = 0; i < SHARDS; i++)
        before[i] = atomic_load(&progress->applied[i]);
    if (sl_index_checkpoint(victim, NULL) != SL_OK)
        abort();
    for (uint32_t i = 0; i < SHARDS; i++) /* the cut begun last may not have been in */
        atomic_store(&progress->checkpointed[i],
                     before[i] < MODEL_CUT_BYTES ? 0 : before[i] - MODEL_CUT_BYTES);
    atomic_fetch_add(&progress->checkpoints, 1);
}

static void *keep_checkpointing(void *argument)
{
    (void)argument;
    for (;;)
        note_checkpoint();
}

/* After a burst of cuts. WiredTiger's checkpoints run in a thread of their own, beside the cuts;
 * the plain engine is for one thread. */
static void await_checkpoint(void)
{
    uint64_t seen = atomic_load(&progress->checkpoints);

    if (victim_engine == SL_INDEX_PLAIN)
        note_checkpoint();
    while (atomic_load(&progress->checkpoints) == seen)
        (void)sched_yield();
}

/* Apply cuts to the shards in turn, and be killed. */
static void be_killed(void)
{
    struct model *models = calloc(SHARDS, sizeof *models);
    pthread_t     thread;

    if (models == NULL)
        abort();
    victim = opened(victim_engine, SHARDS);
    for (uint32_t i = 0; i < SHARDS; i++) {
        model_reset(&models[i], i);
        while (models[i].head.offset < sl_index_head_of(sl_index_shard_of(victim, i)).offset)
            (void)model_cut(&models[i]);
    }
    if (victim_engine == SL_INDEX_WIREDTIGER &&
        pthread_create(&thread, NULL, keep_checkpointing, NULL) != 0)
        abort();
    for (uint64_t n = 0; n < victim_cuts; n++) {
        const uint32_t i = (uint32_t)(n % SHARDS);

        atomic_store(&progress->applied[i], models[i].head.offset + MODEL_CUT_BYTES);
        if (sl_index_apply(sl_index_shard_of(victim, i), model_cut(&models[i]), NULL) != SL_OK)
            abort();
        if (n % BURST == BURST - 1)
            await_checkpoint();
    }
    (void)raise(SIGKILL);
}

static void assert_consistent(struct model *model)
{
    struct sl_index_db *db = opened(victim_engine, SHARDS);

    for (uint32_t i = 0; i < SHARDS; i++) {
        uint64_t offset = sl_index_head_of(sl_index_shard_of(db, i)).offset;

        assert_true(offset >= atomic_load(&progress->checkpointed[i]));
        assert_true(offset <= atomic_load(&progress->applied[i]));
        model_advance_to(model, i, offset);
        assert_shard_equals(sl_index_shard_of(db, i), model);
        atomic_store(&progress->applied[i], offset);
        atomic_store(&progress->checkpointed[i], offset); /* closing checkpoints */
    }
    sl_index_close(&db);
}

static void kill_and_look(enum sl_index_engine engine, unsigned rounds)
{
    struct model  *model = malloc(sizeof *model);
    struct sl_prng prng;

    assert_non_null(model);
    progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(progress != MAP_FAILED);
    victim_engine = engine;
    sl_prng_seed(&prng, 11);
    for (unsigned round = 0; round < rounds; round++) {
        const struct child_end *end;

        victim_cuts = sl_prng_range(&prng, 1, 600);
        end = child_run(be_killed);
        if (end->signal != SIGKILL)
            fail_msg("the child ended by signal %d: %s", end->signal, end->text);
        assert_consistent(model);
    }
    assert_true(model->head.offset > 0);
    assert_int_equal(munmap(progress, sizeof *progress), 0);
    free(model);
}

static void a_killed_wiredtiger_has_the_state_after_some_cut(void **state)
{
    (void)state;
    kill_and_look(SL_INDEX_WIREDTIGER, 16);
}

static void a_killed_plain_engine_has_the_state_of_its_last_checkpoint(void **state)
{
    (void)state;
    kill_and_look(SL_INDEX_PLAIN, 8);
}

/* ---- power cut and failing disk ---- */

/* Cuts 1..20 and a checkpoint, cuts 21..30 and a checkpoint whose nth call to the disk fails, a
 * power cut. Returns whether a call failed. */
static bool cut_power(uint64_t seed, uint64_t nth, struct model *model)
{
    struct sl_env_sim            *sim = sl_env_sim_new(seed);
    const struct sl_index_options options = {.engine = SL_INDEX_PLAIN,
                                             .fs = sl_env_sim_env(sim)->fs,
                                             .dir = "/index",
                                             .shard_count = 1,
                                             .create = true};
    struct sl_index_db           *db = NULL;
    uint64_t                      offset;
    bool                          hit;
    enum sl_err                   err;

    model_reset(model, seed);
    assert_int_equal(sl_index_open(&options, &db, NULL), SL_OK);
    assert_int_equal(sl_fs_sync_dir(options.fs, "/", NULL), SL_OK);
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(sl_index_apply(sl_index_shard_of(db, 0), model_cut(model), NULL), SL_OK);
        if (i == 19)
            assert_int_equal(sl_index_checkpoint(db, NULL), SL_OK);
    }
    sl_env_sim_fail_nth(sim, nth, 1, SL_IO);
    err = sl_index_checkpoint(db, NULL);
    hit = sl_env_sim_failed(sim) > 0;
    assert_true(hit == (err != SL_OK));
    sl_env_sim_power_cut(sim);
    sl_env_sim_fail_nth(sim, 1, UINT64_MAX, SL_IO); /* closing must not save it after all */
    sl_index_close(&db);
    sl_env_sim_fail_nth(sim, 0, 0, SL_IO);

    assert_int_equal(sl_index_open(&options, &db, NULL), SL_OK);
    offset = sl_index_head_of(sl_index_shard_of(db, 0)).offset;
    assert_true(offset == 30 * MODEL_CUT_BYTES || (hit && offset == 20 * MODEL_CUT_BYTES));
    model_advance_to(model, seed, offset);
    assert_shard_equals(sl_index_shard_of(db, 0), model);
    sl_index_close(&db);
    sl_env_sim_free(&sim);
    return hit;
}

static void a_failed_checkpoint_and_a_power_cut_leave_the_old_file_or_the_new(void **state)
{
    struct model *model = malloc(sizeof *model);

    (void)state;
    assert_non_null(model);
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t nth = 1;

        while (cut_power(seed, nth, model))
            nth++;
        assert_true(nth > 4); /* create, write, sync, rename at least */
    }
    free(model);
}

/* ---- a reader in another thread ---- */

enum { CUT_ITEMS = 4, CUTS = 4000 };

static void *read_along(void *argument)
{
    struct sl_index_cursor *cursor = argument;
    struct sl_index_entry   got[CUT_ITEMS * 64];
    int64_t                 next = 0;
    uint32_t                count;

    while (next < CUT_ITEMS * CUTS) {
        if (sl_index_cursor_next(cursor, INT64_MAX, got, CUT_ITEMS * 64, &count, NULL) != SL_OK ||
            count % CUT_ITEMS != 0)
            return "half a cut, or none at all";
        for (uint32_t i = 0; i < count; i++) {
            if (got[i].commit_ts != next || got[i].commit.offset != (uint64_t)next)
                return "an entry too many or too few";
            next++;
        }
    }
    return NULL;
}

static void apply_in_sequence(struct sl_index_shard *shard, uint32_t cuts, uint32_t items)
{
    static struct sl_index_entry entries[SL_INDEX_CUT_ITEMS_MAX];
    struct sl_index_cut          cut = {.entries = entries, .entry_count = items};

    for (uint64_t n = 0; n < cuts; n++) {
        for (uint32_t i = 0; i < items; i++) {
            uint64_t ts = n * items + i;

            entries[i] = (struct sl_index_entry){.commit_ts = (int64_t)ts,
                                                 .start_ts = (int64_t)ts - 3,
                                                 .type = 1,
                                                 .commit = {ts, 100},
                                                 .prewrite = {ts / 2, 1000}};
        }
        cut.head.offset = n + 1;
        assert_int_equal(sl_index_apply(shard, &cut, NULL), SL_OK);
    }
}

static void a_reader_in_another_thread_sees_whole_cuts(void **state)
{
    struct sl_index_db     *db = opened(SL_INDEX_WIREDTIGER, SHARDS);
    struct sl_index_cursor *cursor = NULL;
    pthread_t               reader;
    void                   *complaint = NULL;

    (void)state;
    assert_int_equal(sl_index_cursor_open(sl_index_shard_of(db, 1), -1, &cursor, NULL), SL_OK);
    assert_int_equal(pthread_create(&reader, NULL, read_along, cursor), 0);
    apply_in_sequence(sl_index_shard_of(db, 1), CUTS / 2, CUT_ITEMS);
    assert_int_equal(sl_index_checkpoint(db, NULL), SL_OK);
    for (uint64_t n = CUTS / 2; n < CUTS; n++) {
        struct sl_index_entry entries[CUT_ITEMS];
        struct sl_index_cut   cut = {.entries = entries, .entry_count = CUT_ITEMS};

        for (uint32_t i = 0; i < CUT_ITEMS; i++)
            entries[i] = (struct sl_index_entry){.commit_ts = (int64_t)(n * CUT_ITEMS + i),
                                                 .commit = {n * CUT_ITEMS + i, 1}};
        cut.head.offset = n + 1;
        assert_int_equal(sl_index_apply(sl_index_shard_of(db, 1), &cut, NULL), SL_OK);
    }
    assert_int_equal(pthread_join(reader, &complaint), 0);
    if (complaint != NULL)
        fail_msg("the reader saw %s", (const char *)complaint);
    sl_index_cursor_close(&cursor);
    sl_index_close(&db);
}

static void an_index_in_use_is_refused(void **state)
{
    struct sl_index_db     *db = opened(SL_INDEX_WIREDTIGER, SHARDS);
    struct sl_index_db     *second = NULL;
    struct sl_index_options options = {.fs = sl_env_os()->fs, .dir = dir, .shard_count = SHARDS};

    (void)state;
    assert_int_equal(sl_index_open(&options, &second, NULL), SL_IN_USE);
    assert_null(second);
    sl_index_close(&db);
}

/* ---- size ---- */

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long rss_kb(void)
{
    long  kb = -1;
    char  line[256];
    FILE *f = fopen("/proc/self/status", "r");

    while (f != NULL && kb < 0 && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    }
    if (f != NULL)
        (void)fclose(f);
    return kb;
}

#ifdef SLUICE_SANITIZED
enum { SANITIZED = 1, THOUSANDS = 50 }; /* slow, and shadow memory is not the index's */
#else
enum { SANITIZED = 0, THOUSANDS = 1000 };
#endif

static void a_million_entries_stay_within_the_cache_and_a_few_mib(void **state)
{
    const long          before = rss_kb();
    double              began = seconds();
    struct sl_index_db *db = opened(SL_INDEX_WIREDTIGER, 1);
    double              created = seconds();
    double              applied, saved;
    long                grown;

    (void)state;
    apply_in_sequence(sl_index_shard_of(db, 0), THOUSANDS, 1000);
    applied = seconds();
    assert_int_equal(sl_index_checkpoint(db, NULL), SL_OK);
    saved = seconds();
    grown = rss_kb() - before;
    print_message("created in %.3f s, %d000 entries in %.3f s, checkpoint %.3f s, RSS + %ld KiB\n",
                  created - began, THOUSANDS, applied - created, saved - applied, grown);
    began = seconds();
    sl_index_close(&db);
    created = seconds();
    db = opened(SL_INDEX_WIREDTIGER, 1);
    print_message("closed in %.3f s, opened in %.3f s\n", created - began, seconds() - created);
    assert_int_equal(sl_index_head_of(sl_index_shard_of(db, 0)).offset, THOUSANDS);
    sl_index_close(&db);
    assert_true(SANITIZED || grown * 1024 < SL_INDEX_CACHE_BYTES + (16 << 20));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(a_killed_wiredtiger_has_the_state_after_some_cut),
        IN_DIR(a_killed_plain_engine_has_the_state_of_its_last_checkpoint),
        cmocka_unit_test(a_failed_checkpoint_and_a_power_cut_leave_the_old_file_or_the_new),
        IN_DIR(a_reader_in_another_thread_sees_whole_cuts),
        IN_DIR(an_index_in_use_is_refused),
        IN_DIR(a_million_entries_stay_within_the_cache_and_a_few_mib),
    };

    return cmocka_run_group_tests_name("index_crash", tests, NULL, NULL);
}
