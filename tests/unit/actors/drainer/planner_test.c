/* The planner between doubles of merger, historian and decoder: which version of its table a row is
 * decoded with, which DDL stands where, what a transaction that is ahead of the DDL binlogs brings
 * about, what is left out, what other filters change, and what holds the stream. Each story is
 * played under many seeds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/ddl.h"
#include "binlog/filter.h"
#include "binlog/job.h"
#include "binlog/message.h"
#include "binlog/record.h"
#include "binlog/schema.h"
#include "lib/env_sim.h"
#include "lib/row_stream.h"
#include "lib/stage.h"

enum { JOBS_MAX = 8, WINDOWS_MAX = 8, ROWS_MAX = 16, VALUE_BYTES = 64, DATABASE_ID = 90 };

/* What left the planner: of all windows, in order. */
struct seen {
    enum sl_err   err;
    struct sl_why why;
    uint32_t      windows;
    sl_ts         last_ts;
    uint32_t      plans;
    int64_t       plan_table[ROWS_MAX];
    int64_t       plan_version[ROWS_MAX];
    int64_t       plan_written_as[ROWS_MAX];
    sl_ts         plan_ts[ROWS_MAX];
    uint32_t      ddls;
    int64_t       ddl_job[ROWS_MAX];
    sl_ts         ddl_before[ROWS_MAX];
    sl_ts         ddl_after[ROWS_MAX];
    bool          ddl_is_early[ROWS_MAX];
    uint32_t      ddl_at[ROWS_MAX];
};

static struct sl_drainer        drainer;
static struct sl_drainer_config config;
static struct sl_drainer_args   args;
static struct sl_env_sim       *board_sim;
static int64_t                  ignored[2];
static struct sl_filter        *filter;
static uint32_t                 ended; /* actors */
static struct seen              seen;
static struct sl_window        *feed[WINDOWS_MAX]; /* owned until it is sent */
static uint32_t                 feed_count;
static uint32_t                 fed;
static sl_ts                    fed_ts;         /* of the last window */
static char                    *jobs[JOBS_MAX]; /* owned; by schema version, from 1 */
static int64_t                  job_ids[JOBS_MAX];
static uint32_t                 job_count;
static uint32_t                 visible; /* of them, to the historian */
static uint32_t                 questions;

/* ---- what goes in ---- */

/* The next job, whose version is its place from 1; its id is that times ten. */
static void job(int type, int64_t table_id, const char *name)
{
    struct model_table t = stream_table(STREAM_HANDLE, table_id, name);
    size_t             len;
    FILE              *out = open_memstream(&jobs[job_count], &len);
    int64_t            version = job_count + 1;

    SL_ASSERT(out != NULL);
    (void)fprintf(out,
                  "{\"id\":%d,\"type\":%d,\"schema_id\":%d,\"table_id\":%d,\"state\":6,"
                  "\"schema_state\":5,\"start_ts\":1,\"query\":\"alter table test.%s comment 'x'\","
                  "\"binlog\":{\"SchemaVersion\":%d,\"DBInfo\":",
                  (int)version * 10, type, DATABASE_ID, (int)table_id, name, (int)version);
    if (type == SL_JOB_CREATE_SCHEMA) {
        (void)fprintf(out, "{\"id\":%d,\"db_name\":{\"O\":\"test\",\"L\":\"test\"},\"state\":5}",
                      DATABASE_ID);
    } else {
        (void)fputs("null,\"TableInfo\":", out);
        model_print_info(out, &t);
    }
    (void)fputs(",\"FinishedTS\":1}}", out);
    (void)fclose(out);
    job_ids[job_count++] = version * 10;
    visible = job_count;
}

static void add_txn(struct sl_window *w, const struct sl_record *record)
{
    struct sl_window_txn *txn = &w->txns[w->txn_count++];

    txn->commit_ts = record->commit_ts;
    txn->owner = sl_buf_new(sl_record_encoded_bytes(record));
    sl_record_encode(record, txn->owner->data);
    txn->bytes = sl_slice_from_buf(txn->owner);
    w->last_ts = fed_ts = record->commit_ts;
}

/* The window that is to be fed next, and one behind it. */
static struct sl_window *window(void)
{
    feed[feed_count] = sl_window_new(feed_count);
    return feed[feed_count++];
}

/* A transaction that was written with a schema version and touches a table (0: none). */
static void rows(struct sl_window *w, sl_ts ts, int64_t version, int64_t table_id)
{
    uint8_t  mutation[VALUE_BYTES];
    uint8_t  value[2 * VALUE_BYTES];
    uint8_t *end = sl_message_put_integer(value, 1, (uint64_t)version);
    uint8_t *last = sl_message_put_integer(mutation, 1, (uint64_t)table_id);

    last = sl_message_put_head(last, 2, 2); /* one inserted row, which nobody here decodes */
    *last++ = 8;
    *last++ = 2;
    last = sl_message_put_integer(last, 7, 0);
    if (table_id != 0) {
        end = sl_message_put_head(end, 2, (size_t)(last - mutation));
        memcpy(end, mutation, (size_t)(last - mutation));
        end += last - mutation;
    }
    add_txn(w, &(struct sl_record){.type = SL_RECORD_COMMIT,
                                   .start_ts = ts - 1,
                                   .commit_ts = ts,
                                   .prewrite_value = {value, (size_t)(end - value)},
                                   .has_schema_state = true});
}

static void ddl(struct sl_window *w, sl_ts ts, int64_t job_id)
{
    add_txn(w,
            &(struct sl_record){.type = SL_RECORD_COMMIT,
                                .start_ts = ts - 1,
                                .commit_ts = ts,
                                .ddl_job_id = job_id,
                                .ddl_query = sl_slice_from_string("alter table test.t comment 'x'"),
                                .ddl_schema_state = 5,
                                .has_schema_state = true});
}

/* ---- doubles ---- */

static enum sl_err feeder_start(struct sl_ctx *ctx, void *self, const void *unused)
{
    (void)unused;
    sl_timer_arm(ctx, self, SL_DRAINER_TICK, 1);
    return SL_OK;
}

static enum sl_err feeder_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_drainer_window *next;

    (void)msg;
    if (fed < feed_count) {
        next = sl_drainer_window_new(SL_DRAINER_WINDOW, &feed[fed++]);
        if (sl_send(ctx, sl_line(ctx, SL_LINE_WINDOW, 0), drainer.planner_ref, &next) != SL_OK)
            SL_UNREACHABLE("the line has room for what a test feeds");
    }
    sl_timer_arm(ctx, self, SL_DRAINER_TICK, 1);
    return SL_OK;
}

static const struct sl_actor_class feeder_class = {
    .name = "feeder",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct sl_timer),
    .timers_max = 1,
    .start = feeder_start,
    .handle = feeder_handle,
};

static struct sl_job *job_of(uint32_t place)
{
    struct sl_job *out = NULL;

    if (sl_job_parse(sl_slice_from_string(jobs[place]), &out, NULL) != SL_OK)
        SL_PANIC("no job: %s", jobs[place]);
    return out;
}

/* As historian.c: with a job id that one, behind those of lower versions. */
static enum sl_err historian_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_drainer_ask_job *q = (const struct sl_drainer_ask_job *)(const void *)msg;
    struct sl_drainer_job           *answer = sl_drainer_job_new();
    int64_t                          up_to = q->job_id == 0 ? q->up_to : q->job_id / 10;

    (void)self;
    questions++;
    for (uint32_t i = 0; i < visible; i++) {
        struct sl_job *found;

        if (i + 1 <= q->above && job_ids[i] != q->job_id)
            continue;
        if (i + 1 > up_to)
            continue;
        found = job_of(i);
        sl_drainer_job_add(answer, &found);
    }
    sl_reply(ctx, sl_asker_of(msg), &answer);
    return SL_OK;
}

static const struct sl_actor_class historian_class = {
    .name = "historian",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .handle = historian_handle,
};

static enum sl_err decoder_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_window *w = ((struct sl_drainer_window *)(void *)msg)->window;

    (void)ctx;
    (void)self;
    assert_int_equal(w->seq, seen.windows);
    seen.windows++;
    seen.last_ts = w->last_ts;
    if (w->err != SL_OK && seen.err == SL_OK) {
        seen.err = w->err;
        seen.why = w->why;
    }
    for (uint32_t i = 0; i < w->ddl_count; i++, seen.ddls++) {
        seen.ddl_job[seen.ddls] = w->ddls[i].job_id;
        seen.ddl_before[seen.ddls] = w->ddls[i].before;
        seen.ddl_after[seen.ddls] = w->ddls[i].after;
        seen.ddl_is_early[seen.ddls] = w->ddls[i].is_early;
        seen.ddl_at[seen.ddls] = seen.plans + w->ddls[i].at_plan;
    }
    for (uint32_t i = 0; i < w->plan_count; i++, seen.plans++) {
        seen.plan_table[seen.plans] = w->plans[i].table->id;
        seen.plan_version[seen.plans] = w->plans[i].table->version;
        seen.plan_ts[seen.plans] = w->txns[w->plans[i].txn].commit_ts;
        seen.plan_written_as[seen.plans] = w->plans[i].written_as->version;
    }
    return SL_OK;
}

static const struct sl_actor_class decoder_class = {
    .name = "decoder",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .handle = decoder_handle,
};

/* ---- the stage ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1}, {&feeder_class, 1},  {&sl_drainer_planner_class, 1},
    {&historian_class, 1},  {&decoder_class, 1},
};

static const struct sl_topology_line lines[SL_DRAINER_LINES] = {
    [SL_LINE_WINDOW] = {.name = "window",
                        .credits = SL_WINDOW_CREDITS,
                        .bytes = SL_WINDOW_LINE_BYTES,
                        .inputs = 1,
                        .path = {&feeder_class, &sl_drainer_planner_class}},
    [SL_LINE_DECODE] = {.name = "decode",
                        .credits = SL_WINDOW_CREDITS,
                        .bytes = SL_WINDOW_LINE_BYTES,
                        .inputs = 1,
                        .path = {&sl_drainer_planner_class, &decoder_class}},
    [SL_LINE_RELOAD] = {.name = "reload",
                        .credits = SL_DRAINER_RELOAD_CREDITS,
                        .inputs = 1,
                        .path = {&stage_root_class, &sl_drainer_planner_class}},
    [SL_LINE_JOB] = {.name = "job",
                     .credits = 1,
                     .inputs = 1,
                     .path = {&sl_drainer_planner_class, &historian_class}},
};

static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static void apply_past(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sl_job *past = job_of(i);

        assert_int_equal(sl_schema_apply(drainer.schema, past, NULL), SL_OK);
        sl_job_free(&past);
    }
}

/* Database and table 100 are there: versions 1 and 2. */
static void reset(void)
{
    const struct sl_drainer_front_options front = {.node_id = "d", .advertise = "d:1"};

    memset(&drainer, 0, sizeof drainer);
    memset(&config, 0, sizeof config);
    memset(&seen, 0, sizeof seen);
    feed_count = fed = job_count = questions = ended = 0;
    config.sync_ddl = true;
    config.ignore_commit_ts.items = ignored;
    drainer.options.config = &config;
    drainer.decoders = 1;
    drainer.ddl_target = SL_DDL_MARIADB;
    drainer.start_ts = 5;
    drainer.schema = sl_schema_new();
    sl_drainer_front_init(&drainer.front, sl_env_sim_env(board_sim), &front, 1);
    args.drainer = &drainer;
    job(SL_JOB_CREATE_SCHEMA, 0, "none");
    job(SL_JOB_CREATE_TABLE, 100, "t");
    apply_past(2);
}

static void check(void)
{
    sl_drainer_front_done(&drainer.front);
    sl_schema_free(&drainer.schema);
    sl_filter_free(&drainer.filter);
    sl_filter_free(&filter);
    for (uint32_t i = 0; i < job_count; i++)
        free(jobs[i]);
    for (; fed < feed_count; fed++)
        sl_window_free(&feed[fed]);
}

static void begin(struct sl_ctx *ctx)
{
    assert_int_equal(sl_spawn(ctx, &decoder_class, NULL, 0, &drainer.decoder_ref[0]), SL_OK);
    assert_int_equal(sl_spawn(ctx, &historian_class, NULL, 0, &drainer.historian_ref), SL_OK);
    assert_int_equal(
        sl_spawn(ctx, &sl_drainer_planner_class, &args, sizeof args, &drainer.planner_ref), SL_OK);
    assert_int_equal(sl_spawn(ctx, &feeder_class, NULL, 0, &(struct sl_ref){0}), SL_OK);
}

static bool all_planned(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.last_ts == fed_ts || seen.err != SL_OK;
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP) {
        sl_stop(ctx);
        return SL_OK;
    }
    assert_int_equal(msg->type, SL_MSG_CHILD_ENDED);
    assert_int_equal(((const struct sl_child_ended *)(const void *)msg)->err, SL_OK);
    ended++;
    return SL_OK;
}

#define PLAY(name, ...)                                                                 \
    static void name(void **state)                                                      \
    {                                                                                   \
        static const struct stage_scene scenes[] = {__VA_ARGS__};                       \
        const struct stage              stage = {STAGE(scenes), .system = system_mail}; \
                                                                                        \
        (void)state;                                                                    \
        stage_play(&stage, &topology, reset, check);                                    \
    }

/* ---- versions ---- */

static void a_table_changes(struct sl_ctx *ctx)
{
    struct sl_window *w = window();

    job(SL_JOB_ADD_COLUMN, 100, "t");
    rows(w, 10, 2, 100);
    ddl(w, 20, 30);
    rows(w, 30, 2, 100); /* began before the DDL */
    rows(window(), 40, 3, 100);
    begin(ctx);
}

static void each_row_has_its_two_versions(struct sl_ctx *ctx)
{
    static const int64_t versions[] = {2, 3, 3};
    static const int64_t written_as[] = {2, 2, 3};

    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.plans, 3);
    assert_memory_equal(seen.plan_version, versions, sizeof versions);
    assert_memory_equal(seen.plan_written_as, written_as, sizeof written_as);
    assert_int_equal(seen.ddls, 1);
    assert_int_equal(seen.ddl_job[0], 30);
    assert_int_equal(seen.ddl_before[0], 10);
    assert_int_equal(seen.ddl_after[0], 20);
    assert_int_equal(seen.ddl_at[0], 1);
    assert_false(seen.ddl_is_early[0]);
}

PLAY(rows_are_planned_with_their_versions, {.play = a_table_changes},
     {.ready = all_planned, .play = each_row_has_its_two_versions})

/* ---- early ---- */

static void rows_before_their_ddl(struct sl_ctx *ctx)
{
    struct sl_window *w = window();

    job(SL_JOB_CREATE_TABLE, 101, "u");
    rows(w, 10, 2, 100);
    rows(w, 20, 3, 101); /* the binlog of job 30 comes behind it */
    ddl(w, 30, 30);
    rows(w, 40, 3, 101);
    begin(ctx);
}

static void the_job_runs_once_and_in_front(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.plans, 3);
    assert_int_equal(seen.plan_table[1], 101);
    assert_int_equal(seen.ddls, 1);
    assert_int_equal(seen.ddl_job[0], 30);
    assert_true(seen.ddl_is_early[0]);
    assert_int_equal(seen.ddl_before[0], 10);
    assert_int_equal(seen.ddl_after[0], 10); /* the checkpoint does not move */
    assert_int_equal(seen.ddl_at[0], 1);
}

PLAY(a_transaction_ahead_of_its_ddl_brings_it_forward, {.play = rows_before_their_ddl},
     {.ready = all_planned, .play = the_job_runs_once_and_in_front})

/* The drainer died behind the early run: the job is in the schema and remembered. */
static void again_after_a_crash(struct sl_ctx *ctx)
{
    rows_before_their_ddl(ctx);
    apply_past(3);
    drainer.early[0] = 30;
    drainer.early_count = 1;
}

static void it_is_not_run_again(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.plans, 3);
    assert_int_equal(seen.ddls, 0);
    assert_int_equal(questions, 0);
}

PLAY(a_job_that_was_run_early_is_remembered_over_a_restart, {.play = again_after_a_crash},
     {.ready = all_planned, .play = it_is_not_run_again})

static void a_ddl_behind_one_that_was_not_seen(struct sl_ctx *ctx)
{
    struct sl_window *w = window();

    job(SL_JOB_CREATE_TABLE, 101, "u");
    job(SL_JOB_ADD_COLUMN, 101, "u");
    ddl(w, 20, 40); /* of version 4; version 3 comes with it */
    ddl(w, 30, 30);
    begin(ctx);
}

static void both_are_run_in_the_order_of_versions(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.ddls, 2);
    assert_int_equal(seen.ddl_job[0], 30);
    assert_true(seen.ddl_is_early[0]);
    assert_int_equal(seen.ddl_job[1], 40);
    assert_int_equal(seen.ddl_after[1], 20);
}

PLAY(lower_versions_come_with_a_job, {.play = a_ddl_behind_one_that_was_not_seen},
     {.ready = all_planned, .play = both_are_run_in_the_order_of_versions})

/* ---- unknown tables ---- */

static void rows_before_their_job(struct sl_ctx *ctx)
{
    struct sl_window *w = window();

    job(SL_JOB_CREATE_TABLE, 101, "u");
    visible = 2; /* the history does not have it yet */
    rows(w, 10, 2, 100);
    rows(w, 20, 3, 100);
    rows(w, 30, 3, 101);
    begin(ctx);
}

static bool asked_in_vain(struct sl_ctx *ctx)
{
    (void)ctx;
    return questions >= 5;
}

static void the_history_has_it(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.windows, 0);
    visible = 3;
}

static void it_goes_on(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.plans, 3);
    assert_int_equal(seen.plan_table[2], 101);
    assert_int_equal(seen.ddls, 1);
    assert_true(seen.ddl_is_early[0]);
    assert_int_equal(seen.ddl_at[0], 2);
}

PLAY(a_table_whose_job_is_not_in_the_history_yet_is_waited_for, {.play = rows_before_their_job},
     {.ready = asked_in_vain, .play = the_history_has_it},
     {.ready = all_planned, .play = it_goes_on})

static void held_with_its_table(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_NOT_FOUND);
    assert_non_null(strstr(seen.why.text, "commit ts 30: a row of table id 101"));
    assert_true(questions > SL_PLANNER_LOOKS_MAX);
}

PLAY(a_table_that_nobody_makes_holds_the_stream, {.play = rows_before_their_job},
     {.ready = all_planned, .play = held_with_its_table})

static void rows_of_a_table_of_the_past(struct sl_ctx *ctx)
{
    rows(window(), 10, 2, 77);
    begin(ctx);
}

static void held_at_once(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_NOT_FOUND);
    assert_int_equal(questions, 0); /* no later version can have made it */
}

PLAY(a_table_missing_from_the_past_holds_at_once, {.play = rows_of_a_table_of_the_past},
     {.ready = all_planned, .play = held_at_once})

/* ---- what is left out ---- */

static void some_are_ignored(struct sl_ctx *ctx)
{
    rows_before_their_ddl(ctx);
    ignored[0] = 10; /* a commit ts */
    ignored[1] = 30; /* a job, whose commit ts nobody can know when it is run early */
    config.ignore_commit_ts.count = 2;
}

static void neither_is_planned(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.ddls, 0);
    assert_int_equal(seen.plans, 2); /* the table is known all the same */
    assert_int_equal(seen.plan_table[0], 101);
}

PLAY(transactions_and_jobs_may_be_left_out, {.play = some_are_ignored},
     {.ready = all_planned, .play = neither_is_planned})

/* Of test.NAME alone. */
static struct sl_filter *filter_of(const char *name)
{
    const struct sl_filter_table only[] = {{"test", name}};
    struct sl_filter            *out = NULL;
    struct sl_why                why = {0};

    if (sl_filter_new(&(struct sl_filter_lists){.do_tables = only, .do_table_count = 1}, &out,
                      &why) != SL_OK)
        fail_msg("%s", why.text);
    return out;
}

static void a_filter_for_one_table(struct sl_ctx *ctx)
{
    rows_before_their_ddl(ctx);
    drainer.options.filter = filter = filter_of("t");
}

static void only_that_table(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.ddls, 0);
    assert_int_equal(seen.plans, 1);
    assert_int_equal(seen.plan_table[0], 100);
}

PLAY(filtered_tables_have_neither_rows_nor_ddl, {.play = a_filter_for_one_table},
     {.ready = all_planned, .play = only_that_table})

static void without_ddl(struct sl_ctx *ctx)
{
    a_table_changes(ctx);
    config.sync_ddl = false;
}

static void rows_alone(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.ddls, 0);
    assert_int_equal(seen.plans, 3);
    assert_int_equal(seen.plan_version[2], 3);
}

PLAY(without_sync_ddl_the_schema_is_followed_alone, {.play = without_ddl},
     {.ready = all_planned, .play = rows_alone})

/* ---- other filters ---- */

static void send_filter(struct sl_ctx *ctx, const char *name)
{
    struct sl_filter         *other = filter_of(name);
    struct sl_event_filter   *none = NULL;
    struct sl_drainer_filter *msg = sl_drainer_filter_new(&other, &none);

    assert_int_equal(sl_send(ctx, sl_line(ctx, SL_LINE_RELOAD, 0), drainer.planner_ref, &msg),
                     SL_OK);
}

static void rows_of_both(struct sl_window *w, sl_ts ts)
{
    rows(w, ts, 3, 100);
    rows(w, ts + 5, 3, 101);
}

static void two_tables(struct sl_ctx *ctx)
{
    struct sl_window *w = window();

    job(SL_JOB_CREATE_TABLE, 101, "u");
    ddl(w, 10, 30);
    rows_of_both(w, 20);
    rows_of_both(w, 30);
    rows_of_both(window(), 40);
    rows_of_both(window(), 50);
    begin(ctx);
}

static bool one_was_planned(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.windows > 0;
}

static void others_come(struct sl_ctx *ctx)
{
    send_filter(ctx, "t"); /* never takes effect, or for a while */
    send_filter(ctx, "u");
}

/* The last commit ts of that table that was planned; all before it were, too. */
static sl_ts end_of(int64_t table_id)
{
    sl_ts expected = table_id == 100 ? 20 : 25;
    sl_ts last = 0;

    for (uint32_t i = 0; i < seen.plans; i++) {
        if (seen.plan_table[i] != table_id)
            continue;
        last = seen.plan_ts[i];
        assert_int_equal(last, expected);
        expected += 10;
    }
    return last;
}

static void from_one_ts_on(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(end_of(101), 55);
    (void)end_of(100);
    rows_of_both(window(), 60);
}

static void they_apply(struct sl_ctx *ctx)
{
    assert_int_equal(end_of(101), 65);
    assert_true(end_of(100) <= 50);
    send_filter(ctx, "t");
    rows(window(), 70, 3, 101);
    rows(window(), 80, 3, 100);
}

static void and_others_again(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(end_of(101), 65);
    assert_int_equal(seen.plan_table[seen.plans - 1], 100);
    assert_int_equal(seen.plan_ts[seen.plans - 1], 80);
}

static bool up_to_the_last(struct sl_ctx *ctx)
{
    (void)ctx;
    return seen.last_ts == 80;
}

PLAY(other_filters_apply_above_one_commit_ts, {.play = two_tables},
     {.ready = one_was_planned, .play = others_come},
     {.ready = all_planned, .play = from_one_ts_on}, {.ready = all_planned, .play = they_apply},
     {.ready = up_to_the_last, .play = and_others_again})

static void others_come_at_its_end(struct sl_ctx *ctx)
{
    send_filter(ctx, "u");
    sl_stop_child(ctx, drainer.planner_ref);
}

static bool it_has_ended(struct sl_ctx *ctx)
{
    (void)ctx;
    return ended > 0;
}

static void another_begins(struct sl_ctx *ctx)
{
    drainer.start_ts = seen.last_ts;
    seen.windows = 0; /* it numbers its own */
    assert_int_equal(
        sl_spawn(ctx, &sl_drainer_planner_class, &args, sizeof args, &drainer.planner_ref), SL_OK);
    rows_of_both(window(), 60);
    rows_of_both(window(), 70);
}

static void they_apply_to_all(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(end_of(100), 50);
    assert_int_equal(end_of(101), 75);
}

PLAY(other_filters_outlive_a_planner, {.play = two_tables},
     {.ready = all_planned, .play = others_come_at_its_end},
     {.ready = it_has_ended, .play = another_begins},
     {.ready = all_planned, .play = they_apply_to_all})

static void a_job_is_missing(struct sl_ctx *ctx)
{
    job(SL_JOB_CREATE_TABLE, 101, "u");
    visible--;
    rows(window(), 10, 3, 101);
    begin(ctx);
}

static bool it_is_looked_for(struct sl_ctx *ctx)
{
    (void)ctx;
    return questions > 1;
}

static void only_t(struct sl_ctx *ctx)
{
    send_filter(ctx, "t");
}

static void the_job_comes(struct sl_ctx *ctx)
{
    (void)ctx;
    visible = job_count;
}

static void it_was_planned_as_it_began(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.err, SL_OK);
    assert_int_equal(seen.ddls, 1);
    assert_int_equal(seen.plans, 1);
    assert_int_equal(seen.plan_table[0], 101);
    rows(window(), 20, 3, 101);
}

static void the_next_one_is_left_out(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(seen.plans, 1);
}

PLAY(a_transaction_that_waits_ends_as_it_began, {.play = a_job_is_missing},
     {.ready = it_is_looked_for, .play = only_t}, {.play = the_job_comes},
     {.ready = all_planned, .play = it_was_planned_as_it_began},
     {.ready = all_planned, .play = the_next_one_is_left_out})

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_planned_with_their_versions),
        cmocka_unit_test(a_transaction_ahead_of_its_ddl_brings_it_forward),
        cmocka_unit_test(a_job_that_was_run_early_is_remembered_over_a_restart),
        cmocka_unit_test(lower_versions_come_with_a_job),
        cmocka_unit_test(a_table_whose_job_is_not_in_the_history_yet_is_waited_for),
        cmocka_unit_test(a_table_that_nobody_makes_holds_the_stream),
        cmocka_unit_test(a_table_missing_from_the_past_holds_at_once),
        cmocka_unit_test(transactions_and_jobs_may_be_left_out),
        cmocka_unit_test(filtered_tables_have_neither_rows_nor_ddl),
        cmocka_unit_test(other_filters_apply_above_one_commit_ts),
        cmocka_unit_test(other_filters_outlive_a_planner),
        cmocka_unit_test(a_transaction_that_waits_ends_as_it_began),
        cmocka_unit_test(without_sync_ddl_the_schema_is_followed_alone),
    };
    int failed;

    sl_log_set_level(SL_LOG_FATAL);
    board_sim = sl_env_sim_new(1);
    failed = cmocka_run_group_tests_name("planner", tests, NULL, NULL);
    sl_env_sim_free(&board_sim);
    return failed;
}
