/* Generated load as a pump hears it: the table's jobs first, a commit only after its prewrite was
 * answered and with a timestamp of after that moment, files that say what was acknowledged. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/json.h"
#include "base/prng.h"
#include "lib/fake_pump.h"
#include "lib/folder.h"
#include "net/local.h"
#include "sluice/loader.h"
#include "sluice/mix_rows.h"
#include "sluice/stamps.h"

enum { PUMPS = 2, CLUSTER_ID = 5, SEEN_MAX = 5000, SECONDS_MAX = 60, SIZE = 300 };

/* One transaction, as the pumps know it. */
struct seen {
    sl_ts    start_ts;
    sl_ts    answered_at; /* the door's time when the prewrite was answered; 0: it was not */
    sl_ts    commit_ts;
    uint32_t pump;
    bool     acked;
    bool     ddl;
};

struct world {
    const struct sl_env *env;
    char                 folder[FOLDER_PATH_BYTES];
    char                 history[FOLDER_PATH_BYTES];
    char                 acked[FOLDER_PATH_BYTES];
    struct sl_local     *local;
    struct sl_prng       prng;
    struct fake_pump    *pumps[PUMPS];
    const char          *addresses[PUMPS];
    struct mix          *mix;
    struct loader       *loader;
    struct seen          seen[SEEN_MAX];
    uint32_t             count;
    uint32_t             trouble;
    bool                 refuse_rows;
    uint32_t             rollbacks;
};

static sl_ts door_now(const struct world *w)
{
    sl_ts ts;

    assert_int_equal(sl_tso_now(sl_local_tso(w->local), 1, &ts, NULL), SL_OK);
    return ts;
}

static struct seen *find(struct world *w, sl_ts start_ts)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->seen[i].start_ts == start_ts)
            return &w->seen[i];
    }
    return NULL;
}

static void hear_prewrite(struct world *w, uint32_t pump, const struct sl_record *record,
                          size_t payload_bytes)
{
    struct seen *seen = find(w, record->start_ts);
    bool         ddl = record->ddl_job_id != 0;

    if (seen != NULL)
        return; /* once more */
    assert_true(w->count < SEEN_MAX);
    assert_int_equal(ddl, w->count < 2); /* the jobs come first and alone */
    assert_true(ddl || (payload_bytes <= SIZE && payload_bytes + 4 >= SIZE));
    for (uint32_t i = 0; i < w->count && i < 2; i++)
        assert_true(w->seen[i].acked);
    w->seen[w->count++] = (struct seen){.start_ts = record->start_ts, .pump = pump, .ddl = ddl};
}

static void hear_commit(struct world *w, uint32_t pump, const struct sl_record *record)
{
    struct seen *seen = find(w, record->start_ts);

    assert_non_null(seen);
    assert_true(seen->answered_at != 0);
    assert_true(record->commit_ts > seen->answered_at);
    assert_true(seen->commit_ts == 0 || seen->commit_ts == record->commit_ts);
    assert_int_equal(pump, seen->pump);
    seen->commit_ts = record->commit_ts;
}

static enum fake_answer hear(void *context, uint32_t pump, uint64_t cluster_id,
                             const struct sl_record *record, struct sl_slice payload,
                             unsigned *steps)
{
    struct world *w = context;

    assert_int_equal(cluster_id, CLUSTER_ID);
    *steps = (unsigned)sl_prng_below(&w->prng, 3);
    if (record->type == SL_RECORD_PREWRITE)
        hear_prewrite(w, pump, record, payload.len);
    else if (record->type == SL_RECORD_COMMIT)
        hear_commit(w, pump, record);
    else
        w->rollbacks++;
    if (w->refuse_rows && record->type == SL_RECORD_PREWRITE && record->ddl_job_id == 0)
        return FAKE_TOO_LARGE;
    if (sl_prng_below(&w->prng, 100) < w->trouble)
        return sl_prng_below(&w->prng, 2) == 0 ? FAKE_REFUSE : FAKE_OK_THEN_DROP;
    return FAKE_OK;
}

static void note_answer(void *context, uint32_t pump, int32_t type, sl_ts start_ts)
{
    struct world *w = context;
    struct seen  *seen = find(w, start_ts);

    (void)pump;
    assert_non_null(seen);
    if (type == SL_RECORD_PREWRITE && seen->answered_at == 0)
        seen->answered_at = door_now(w);
    if (type == SL_RECORD_COMMIT)
        seen->acked = true;
}

static void world_begin(struct world *w, uint64_t seed)
{
    struct fake_pump_events events = {.write = hear, .answered = note_answer, .context = w};
    char                    dir[FOLDER_PATH_BYTES];
    struct sl_why           why = {0};

    memset(w, 0, sizeof *w);
    w->env = sl_env_os();
    sl_prng_seed(&w->prng, seed);
    folder_make(w->folder);
    folder_join(dir, w->folder, "cluster");
    folder_join(w->history, w->folder, "ddl.jsonl");
    folder_join(w->acked, w->folder, "acked");
    assert_int_equal(sl_local_init(w->env, dir, CLUSTER_ID, 0, &why), SL_OK);
    assert_int_equal(sl_local_open(w->env, dir, &w->local, &why), SL_OK);
    for (uint32_t i = 0; i < PUMPS; i++) {
        w->pumps[i] = fake_pump_new(w->env, i, &events);
        w->addresses[i] = fake_pump_address(w->pumps[i]);
    }
}

static void world_end(struct world *w)
{
    loader_free(&w->loader);
    mix_free(&w->mix);
    for (uint32_t i = 0; i < PUMPS; i++)
        fake_pump_free(&w->pumps[i]);
    sl_local_free(&w->local);
    folder_remove(w->folder);
}

static struct loader_options options_of(const struct world *w)
{
    struct loader_options options = {.writer = writer_options_default(),
                                     .tso = sl_local_tso(w->local),
                                     .callers = 10,
                                     .pairs = 300,
                                     .acked = w->acked};

    options.writer.pumps = w->addresses;
    options.writer.pump_count = PUMPS;
    options.writer.connections = 2;
    options.writer.cluster_id = CLUSTER_ID;
    options.writer.prewrite_gap = SL_NANOS_PER_MS;
    options.writer.finish_gap = SL_NANOS_PER_MS;
    return options;
}

/* With the mix of rows, made anew, unless another is given. */
static void run_load(struct world *w, struct loader_options *options)
{
    sl_nanos      limit = sl_env_now(w->env) + (sl_nanos)SECONDS_MAX * SL_NANOS_PER_S;
    struct sl_why why = {0};
    enum sl_err   err;

    if (options->mix == NULL) {
        mix_free(&w->mix);
        if (mix_rows_new(w->env, CLUSTER_ID, SIZE, 1, w->history, &w->mix, &why) != SL_OK)
            fail_msg("%s", why.text);
        options->mix = w->mix;
    }
    if (loader_new(w->env, options, &w->loader, &why) != SL_OK)
        fail_msg("%s", why.text);
    do {
        for (uint32_t i = 0; i < PUMPS; i++)
            fake_pump_step(w->pumps[i]);
        err = loader_step(w->loader, 0, &why);
        if (sl_env_now(w->env) > limit)
            fail_msg("it goes on for ever");
    } while (err == SL_AGAIN);
    if (err != SL_OK)
        fail_msg("%s", why.text);
}

/* The file holds exactly the transactions that were acknowledged, the jobs left out. */
static void check_acked_file(struct world *w)
{
    const char *text = folder_read(w->folder, "acked");
    uint32_t    lines = 0;
    uint32_t    acked = 0;
    sl_ts       start_ts;
    sl_ts       commit_ts;
    int         length;

    assert_non_null(text);
    for (; sscanf(text, "%" SCNd64 " %" SCNd64 "\n%n", &start_ts, &commit_ts, &length) == 2;
         text += length) {
        const struct seen *seen = find(w, start_ts);

        assert_true(seen != NULL && seen->acked && seen->commit_ts == commit_ts);
        lines++;
    }
    assert_string_equal(text, "");
    for (uint32_t i = 0; i < w->count; i++)
        acked += w->seen[i].acked && !w->seen[i].ddl;
    assert_int_equal(lines, acked);
    assert_int_equal(loader_counts(w->loader)->acked, acked);
}

static int64_t integer(const struct sl_json *object, const char *name)
{
    const struct sl_json *member = sl_json_member(object, name);

    assert_non_null(member);
    assert_int_equal(sl_json_kind(member), SL_JSON_INT);
    return sl_json_int(member);
}

/* The two jobs, in order; returns the table id. */
static int64_t check_history(const struct world *w)
{
    const char *text = folder_read(w->folder, "ddl.jsonl");
    int64_t     versions = 0;
    int64_t     database_id = 0;
    int64_t     table_id = 0;

    assert_non_null(text);
    for (unsigned i = 0; i < 2; i++) {
        size_t                len = strcspn(text, "\n");
        struct sl_json       *job;
        const struct sl_json *binlog;
        const struct sl_json *made;

        assert_int_equal(text[len], '\n');
        assert_int_equal(sl_json_parse((struct sl_slice){(const uint8_t *)text, len}, &job, NULL),
                         SL_OK);
        binlog = sl_json_member(job, "binlog");
        assert_int_equal(integer(binlog, "SchemaVersion"), versions + 1);
        versions++;
        assert_int_equal(integer(job, "type"), i == 0 ? 1 : 3);
        assert_int_equal(integer(job, "state"), 6);
        made = sl_json_member(binlog, i == 0 ? "DBInfo" : "TableInfo");
        assert_int_equal(sl_json_kind(made), SL_JSON_OBJECT);
        if (i == 0)
            database_id = integer(made, "id");
        else
            table_id = integer(made, "id");
        assert_int_equal(integer(job, "schema_id"), database_id);
        assert_int_equal(integer(binlog, "FinishedTS"), w->seen[i].start_ts);
        sl_json_free(&job);
        text += len + 1;
    }
    assert_string_equal(text, "");
    return table_id;
}

static void commits_follow_answers_and_files_say_what_was_acknowledged(void **state)
{
    static struct world w;

    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct loader_options options;

        world_begin(&w, seed);
        w.trouble = seed == 1 ? 0 : 10;
        options = options_of(&w);
        run_load(&w, &options);
        assert_int_equal(loader_counts(w.loader)->begun, 300);
        assert_int_equal(loader_counts(w.loader)->acked, 300);
        assert_int_equal(loader_counts(w.loader)->given_up, 0);
        assert_int_equal(w.count, 302);
        assert_true(check_history(&w) > 1000);
        check_acked_file(&w);
        world_end(&w);
    }
}

static void a_second_run_finds_its_table_in_the_history(void **state)
{
    static struct world   w;
    struct loader_options options;
    struct sl_why         why = {0};

    (void)state;
    world_begin(&w, 1);
    options = options_of(&w);
    options.pairs = 5;
    run_load(&w, &options);
    loader_free(&w.loader);
    options.mix = NULL;
    run_load(&w, &options); /* hear_prewrite: no third job */
    assert_int_equal(w.count, 2 + 5 + 5);
    (void)check_history(&w);
    loader_free(&w.loader);
    mix_free(&w.mix);
    assert_int_equal(
        mix_rows_new(w.env, CLUSTER_ID, SIZE, 1, w.acked /* lines, but no jobs */, &w.mix, &why),
        SL_INVALID);
    assert_non_null(strstr(why.text, "line 1"));
    world_end(&w);
}

static void a_prewrite_that_is_given_up_is_rolled_back(void **state)
{
    static struct world   w;
    struct loader_options options;

    (void)state;
    world_begin(&w, 1);
    w.refuse_rows = true;
    options = options_of(&w);
    options.pairs = 20;
    run_load(&w, &options);
    assert_int_equal(loader_counts(w.loader)->given_up, 20);
    assert_int_equal(loader_counts(w.loader)->rolled_back, 20);
    assert_int_equal(loader_counts(w.loader)->acked, 0);
    assert_int_equal(w.rollbacks, 20);
    world_end(&w);
}

static void the_rate_is_kept(void **state)
{
    static struct world   w;
    struct loader_options options;
    sl_nanos              began;

    (void)state;
    world_begin(&w, 1);
    options = options_of(&w);
    options.pairs = 21;
    options.rate = 200; /* the 21st begins 100 ms after the first */
    began = sl_env_now(w.env);
    run_load(&w, &options);
    assert_true(sl_env_now(w.env) - began >= UINT64_C(99) * SL_NANOS_PER_MS);
    assert_int_equal(loader_counts(w.loader)->acked, 21);
    world_end(&w);
}

static void without_a_door_timestamps_follow_the_wall_clock_and_never_repeat(void **state)
{
    struct stamps stamps = {.env = sl_env_os()};
    sl_ts         last = sl_ts_of_ms(sl_env_wall(stamps.env) / SL_NANOS_PER_MS) - 1;

    (void)state;
    for (uint32_t count = 1; count < 1000; count++) {
        sl_ts first;

        assert_int_equal(stamps_take(&stamps, count, &first, NULL), SL_OK);
        assert_true(first > last);
        last = first + count - 1;
    }
    assert_true(sl_ts_physical_ms(last) <= sl_env_wall(stamps.env) / SL_NANOS_PER_MS + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_follow_answers_and_files_say_what_was_acknowledged),
        cmocka_unit_test(a_second_run_finds_its_table_in_the_history),
        cmocka_unit_test(a_prewrite_that_is_given_up_is_rolled_back),
        cmocka_unit_test(the_rate_is_kept),
        cmocka_unit_test(without_a_door_timestamps_follow_the_wall_clock_and_never_repeat),
    };

    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
