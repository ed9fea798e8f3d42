/* A recording played to two pumps that refuse, delay and lose calls and break connections: all of
 * it arrives, byte for byte, and no pump ever sees what no TiDB would send. The pumps run in the
 * same thread; nothing waits but for sockets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/prng.h"
#include "lib/fake_pump.h"
#include "lib/folder.h"
#include "net/local.h"
#include "sluice/player.h"

enum { PUMPS = 2, CLUSTER_ID = 77, DAY_MS = 86400000, SECONDS_MAX = 60 };

struct world {
    const struct sl_env *env;
    struct sl_prng       prng;
    struct corpus        corpus;
    struct fake_pump    *pumps[PUMPS];
    const char          *addresses[PUMPS];
    struct player       *player;
    bool                *answered; /* of each record */
    bool                *taken;
    uint32_t             trouble; /* per cent of calls that fail */
    enum fake_answer     always;  /* FAKE_OK: as trouble says */
    uint32_t             finishes_seen;
    struct sl_tso       *tso;   /* as a pump asks it, or NULL */
    uint32_t             asked; /* with an answer */
};

/* The record of the corpus that has come. */
static uint32_t index_of(const struct world *w, int32_t type, sl_ts start_ts)
{
    for (uint32_t i = 0; i < w->corpus.count; i++) {
        if ((int32_t)w->corpus.records[i].type == type && w->corpus.records[i].start_ts == start_ts)
            return i;
    }
    fail_msg("no such record: type %d", (int)type);
    return 0;
}

/* What a TiDB cannot do: ask for a commit ts before its prewrite was answered. */
static void check_gate(const struct world *w, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (w->corpus.records[i].type == SL_RECORD_PREWRITE && !w->answered[i])
            fail_msg("record %u came before prewrite %u was answered", (unsigned)index,
                     (unsigned)i);
    }
}

/* A pump that has this timestamp takes later commits below it for late. Between most commits of the
 * recording there is room for one: asking for three must then fail, or else it passes one. */
static void check_tso(struct world *w)
{
    uint32_t    count = sl_prng_below(&w->prng, 4) == 0 ? 1 : 3;
    sl_ts       ts;
    enum sl_err err;

    if (w->tso == NULL)
        return;
    err = sl_tso_now(w->tso, count, &ts, NULL);
    if (err == SL_AGAIN)
        return;
    assert_int_equal(err, SL_OK);
    w->asked++;
    ts += count - 1;
    for (uint32_t i = 0; i < w->corpus.count; i++) {
        const struct corpus_record *record = &w->corpus.records[i];

        assert_true(record->commit_ts == 0 || record->commit_ts > ts ||
                    w->answered[record->prewrite]);
        assert_true(record->commit_ts != ts);
    }
}

static enum fake_answer hear(void *context, uint32_t pump, uint64_t cluster_id,
                             const struct sl_record *record, struct sl_slice payload,
                             unsigned *steps)
{
    struct world    *w = context;
    uint32_t         index;
    enum fake_answer answer = w->always;

    assert_int_equal(cluster_id, CLUSTER_ID);
    if (payload.bytes == NULL)
        return FAKE_OK;
    index = index_of(w, record->type, record->start_ts);
    assert_int_equal(pump, player_pump_of(record->start_ts, PUMPS));
    assert_true(sl_slice_equal(payload, w->corpus.records[index].payload));
    if (record->type != SL_RECORD_PREWRITE) {
        check_gate(w, index);
        w->finishes_seen++;
    }
    check_tso(w);
    if (answer == FAKE_OK && sl_prng_below(&w->prng, 100) < w->trouble)
        answer = sl_prng_below(&w->prng, 2) == 0
                     ? FAKE_REFUSE
                     : (sl_prng_below(&w->prng, 2) == 0 ? FAKE_DROP : FAKE_OK_THEN_DROP);
    if (answer == FAKE_OK || answer == FAKE_OK_THEN_DROP)
        w->taken[index] = true;
    *steps = (unsigned)sl_prng_below(&w->prng, 4);
    return answer;
}

static void note_answer(void *context, uint32_t pump, int32_t type, sl_ts start_ts)
{
    struct world *w = context;

    (void)pump;
    if (start_ts != 0)
        w->answered[index_of(w, type, start_ts)] = true;
}

static void world_begin(struct world *w, uint64_t seed, uint32_t trouble)
{
    struct fake_pump_events events = {.write = hear, .answered = note_answer, .context = w};
    struct sl_why           why = {0};

    *w = (struct world){.env = sl_env_os(), .trouble = trouble};
    sl_prng_seed(&w->prng, seed);
    if (corpus_load(w->env->fs, "tests/corpus/types", &w->corpus, &why) != SL_OK)
        fail_msg("%s", why.text);
    w->answered = calloc(w->corpus.count, sizeof *w->answered);
    w->taken = calloc(w->corpus.count, sizeof *w->taken);
    for (uint32_t i = 0; i < PUMPS; i++) {
        w->pumps[i] = fake_pump_new(w->env, i, &events);
        w->addresses[i] = fake_pump_address(w->pumps[i]);
    }
}

static void world_end(struct world *w)
{
    player_free(&w->player);
    for (uint32_t i = 0; i < PUMPS; i++)
        fake_pump_free(&w->pumps[i]);
    free(w->answered);
    free(w->taken);
    corpus_free(&w->corpus);
}

static struct player_options options_of(const struct world *w)
{
    struct player_options options = {.writer = writer_options_default()};

    options.writer.pumps = w->addresses;
    options.writer.pump_count = PUMPS;
    options.writer.connections = 2;
    options.writer.calls_max = 8;
    options.writer.cluster_id = CLUSTER_ID;
    options.writer.prewrite_gap = SL_NANOS_PER_MS;
    options.writer.finish_gap = SL_NANOS_PER_MS;
    return options;
}

/* Step all until the player ends; how it did. */
static enum sl_err play(struct world *w, const struct player_options *options, struct sl_why *why)
{
    sl_nanos    limit = sl_env_now(w->env) + (sl_nanos)SECONDS_MAX * SL_NANOS_PER_S;
    enum sl_err err;

    if (player_new(w->env, &w->corpus, options, &w->player, why) != SL_OK)
        fail_msg("%s", why->text);
    do {
        for (uint32_t i = 0; i < PUMPS; i++)
            fake_pump_step(w->pumps[i]);
        err = player_step(w->player, 0, why);
        if (sl_env_now(w->env) > limit)
            fail_msg("it goes on for ever");
    } while (err == SL_AGAIN);
    return err;
}

static void all_arrived(const struct world *w)
{
    struct player_counts counts = player_counts(w->player);

    for (uint32_t i = 0; i < w->corpus.count; i++)
        assert_true(w->taken[i] && w->answered[i]);
    assert_int_equal(counts.prewrites, w->corpus.prewrites);
    assert_int_equal(counts.commits, w->corpus.commits);
    assert_int_equal(counts.rollbacks, w->corpus.rollbacks);
    assert_int_equal(counts.given_up, 0);
}

static void everything_arrives_in_a_legal_order_whatever_is_lost(void **state)
{
    struct world  w;
    struct sl_why why = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct player_options options;

        world_begin(&w, seed, seed == 1 ? 0 : 10);
        options = options_of(&w);
        if (play(&w, &options, &why) != SL_OK)
            fail_msg("%s", why.text);
        all_arrived(&w);
        assert_true((player_writes(w.player).retries > 0) == (seed != 1));
        world_end(&w);
    }
}

static void driven_timestamps_never_pass_a_commit_that_is_not_prewritten(void **state)
{
    char                  folder[FOLDER_PATH_BYTES];
    char                  dir[FOLDER_PATH_BYTES];
    struct world          w;
    struct sl_local      *driver;
    struct sl_local      *pump;
    struct player_options options;
    struct sl_why         why = {0};
    sl_ts                 first;
    sl_ts                 after;

    (void)state;
    folder_make(folder);
    folder_join(dir, folder, "cluster");
    world_begin(&w, 5, 5);
    first = w.corpus.records[0].start_ts - sl_ts_of_ms(DAY_MS);
    assert_int_equal(sl_local_init(w.env, dir, CLUSTER_ID, first, &why), SL_OK);
    assert_int_equal(sl_local_open(w.env, dir, &driver, &why), SL_OK);
    assert_int_equal(sl_local_open(w.env, dir, &pump, &why), SL_OK);
    w.tso = sl_local_tso(pump);
    options = options_of(&w);
    options.tso = sl_local_tso(driver);
    if (play(&w, &options, &why) != SL_OK)
        fail_msg("%s", why.text);
    all_arrived(&w);
    assert_true(w.asked > w.corpus.count / 20);
    assert_int_equal(sl_tso_now(w.tso, 1, &after, &why), SL_OK);
    for (uint32_t i = 0; i < w.corpus.count; i++)
        assert_true(w.corpus.records[i].commit_ts < after);
    world_end(&w);
    sl_local_free(&driver);
    sl_local_free(&pump);
    folder_remove(folder);
}

static void a_prewrite_that_is_given_up_ends_the_replay(void **state)
{
    static const enum fake_answer answers[] = {FAKE_TOO_LARGE, FAKE_REFUSE, FAKE_DROP};
    struct world                  w;

    (void)state;
    for (unsigned i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct player_options options;
        struct sl_why         why = {0};

        world_begin(&w, 1, 0);
        w.always = answers[i];
        options = options_of(&w);
        options.writer.timeout = UINT64_C(50) * SL_NANOS_PER_MS;
        assert_int_equal(play(&w, &options, &why), SL_UNAVAILABLE);
        assert_non_null(strstr(why.text, "given up after"));
        assert_int_equal(w.finishes_seen, 0);
        assert_true(player_counts(w.player).given_up > 0);
        if (answers[i] == FAKE_TOO_LARGE)
            assert_int_equal(player_writes(w.player).retries, 0);
        world_end(&w);
    }
}

static void a_pump_that_fails_eleven_times_in_a_row_is_probed_later(void **state)
{
    struct world          w;
    struct player_options options;
    struct sl_why         why = {0};

    (void)state;
    world_begin(&w, 1, 0);
    w.always = FAKE_REFUSE;
    options = options_of(&w);
    options.writer.timeout = UINT64_C(50) * SL_NANOS_PER_MS;
    options.writer.probe_gap = UINT64_C(5) * SL_NANOS_PER_MS;
    assert_int_equal(play(&w, &options, &why), SL_UNAVAILABLE);
    assert_true(player_writes(w.player).probes > 0);
    world_end(&w);
}

static void records_are_not_sent_before_their_time(void **state)
{
    struct world          w;
    struct player_options options;
    struct sl_why         why = {0};
    sl_nanos              began;
    uint64_t              recorded;

    (void)state;
    world_begin(&w, 1, 0);
    options = options_of(&w);
    recorded = w.corpus.records[w.corpus.count - 1].arrival_ns;
    options.speed = (double)recorded / (double)(100 * SL_NANOS_PER_MS);
    began = sl_env_now(w.env);
    assert_int_equal(play(&w, &options, &why), SL_OK);
    assert_true(sl_env_now(w.env) - began >= UINT64_C(99) * SL_NANOS_PER_MS);
    all_arrived(&w);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_in_a_legal_order_whatever_is_lost),
        cmocka_unit_test(driven_timestamps_never_pass_a_commit_that_is_not_prewritten),
        cmocka_unit_test(a_prewrite_that_is_given_up_ends_the_replay),
        cmocka_unit_test(a_pump_that_fails_eleven_times_in_a_row_is_probed_later),
        cmocka_unit_test(records_are_not_sent_before_their_time),
    };

    return cmocka_run_group_tests_name("player", tests, NULL, NULL);
}
