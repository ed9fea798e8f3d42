/* The sink of the simulated drainer: tables in memory, and the checks of what is done to them. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/fold.h"
#include "base/assert.h"
#include "sim/drainer_world.h"

/* One call in so many. */
enum { FAIL_BEFORE = 12, FAIL_AFTER = 12, KILL = 60 };

/* ---- what goes wrong ---- */

static bool dice_say(uint64_t one_in)
{
    return !world.is_calm && sl_prng_chance(&world.dice, 1, one_in);
}

static enum sl_err fail(struct sl_why *why)
{
    world.counts.failures++;
    return sl_fail(why, SL_UNAVAILABLE, "the model lost its connection");
}

static void kill_perhaps(void)
{
    if (dice_say(KILL))
        world.is_killed = true;
}

/* ---- the upstream, followed ---- */

static bool follow(void)
{
    const struct script_event *event = &world.script.events[world.at++];

    if (script_apply(&world.upstream, event))
        return true;
    world_break("the script contradicts itself at event %" PRIu32, world.at - 1);
    return false;
}

static void compare(const char *when)
{
    for (uint32_t i = 0; i < world.upstream.count; i++) {
        const struct model_table *wanted = &world.upstream.tables[i];
        const struct model_table *got = script_table(&world.downstream, wanted->name);

        if (got != NULL && model_same_rows(got, wanted))
            continue;
        if (world.broken[0] == '\0' && !world_is_planted) {
            model_print(stderr, wanted);
            if (got != NULL)
                model_print(stderr, got);
        }
        world_break("D2: table %s differs %s (ts of the checkpoint %" PRId64 ")", wanted->name,
                    when, world.checkpoint.commit_ts);
    }
}

/* Follow as far as the checkpoint says all is applied. */
void world_sink_check_rows(const char *when)
{
    while (world.at < world.script.event_count) {
        const struct script_event *event = &world.script.events[world.at];

        if (event->kind == SCRIPT_TXN ? event->commit_ts > world.checkpoint.commit_ts
                                      : !world.ddl_done[world.at] && event->kind != SCRIPT_SKIPPED)
            break;
        if (!follow())
            return;
    }
    compare(when);
}

/* ---- checkpoint ---- */

static bool is_applied(uint32_t number)
{
    const struct script_event *event = &world.script.events[number];

    if (event->kind == SCRIPT_SKIPPED)
        return true;
    if (event->kind != SCRIPT_TXN)
        return world.ddl_done[number];
    for (uint32_t i = 0; i < event->step_count; i++) {
        if (world.applied[number][i] == 0)
            return false;
    }
    return true;
}

static void keep_checkpoint(sl_ts ts, int64_t schema_version, bool is_consistent)
{
    struct sl_checkpoint *c = &world.checkpoint;

    if (ts < c->commit_ts || schema_version < c->schema_version)
        world_break("D3: the checkpoint goes back from %" PRId64 " (version %" PRId64
                    ") to %" PRId64 " (%" PRId64 ")",
                    c->commit_ts, c->schema_version, ts, schema_version);
    if (ts > world.now)
        world_break("D3: the checkpoint %" PRId64 " is ahead of the pumps at %" PRId64, ts,
                    world.now);
    for (uint32_t i = 0; i < world.script.event_count; i++) {
        const struct script_event *event = &world.script.events[i];

        if (event->commit_ts <= ts && !is_applied(i))
            world_break("D3: the checkpoint is at %" PRId64 ", and event %" PRIu32 " (ts %" PRId64
                        ") is not applied",
                        ts, i, event->commit_ts);
    }
    c->commit_ts = ts;
    c->schema_version = schema_version;
    c->is_consistent = is_consistent;
}

static enum sl_err load(struct sl_sink *sink, struct sl_checkpoint *out, struct sl_why *why)
{
    (void)sink;
    (void)why;
    *out = world.checkpoint;
    return SL_OK;
}

static enum sl_err save(struct sl_sink *sink, const struct sl_checkpoint *checkpoint,
                        struct sl_why *why)
{
    (void)sink;
    kill_perhaps();
    if (world.is_killed || dice_say(FAIL_BEFORE))
        return fail(why);
    keep_checkpoint(checkpoint->commit_ts, checkpoint->schema_version, checkpoint->is_consistent);
    if (checkpoint->is_consistent)
        world_sink_check_rows("at an orderly stop");
    kill_perhaps();
    return world.is_killed || dice_say(FAIL_AFTER) ? fail(why) : SL_OK;
}

/* ---- DDL ---- */

static uint32_t event_of_job(int64_t job_id)
{
    for (uint32_t i = 0; i < world.script.event_count; i++) {
        if (world.script.events[i].job_id == job_id)
            return i;
    }
    return UINT32_MAX;
}

static void remember_early(int64_t job_id)
{
    struct sl_checkpoint *c = &world.checkpoint;

    for (uint32_t i = 0; i < c->early_count; i++) {
        if (c->early[i] == job_id)
            return;
    }
    if (c->early_count == SL_EARLY_JOBS_MAX) {
        memmove(c->early, c->early + 1, (SL_EARLY_JOBS_MAX - 1) * sizeof c->early[0]);
        c->early_count--;
    }
    c->early[c->early_count++] = job_id;
}

/* Everything before it is applied, nothing behind it is. */
static void check_place(uint32_t number, const struct sl_window_ddl *ddl)
{
    while (world.at < number) {
        const struct script_event *event = &world.script.events[world.at];

        if (event->kind == SCRIPT_TXN && event->commit_ts > ddl->before)
            world_break("D4: job %" PRId64 " runs behind ts %" PRId64
                        ", and a transaction in front of it has ts %" PRId64,
                        ddl->job_id, ddl->before, event->commit_ts);
        if (event->kind != SCRIPT_TXN && event->kind != SCRIPT_SKIPPED && !world.ddl_done[world.at])
            world_break("D4: job %" PRId64 " runs before job %" PRId64, ddl->job_id, event->job_id);
        if (!follow())
            return;
    }
    compare("at a DDL");
}

static void take_effect(uint32_t number, const struct sl_window_ddl *ddl)
{
    if (world.ddl_done[number])
        return; /* the intent says so: an earlier try did it */
    check_place(number, ddl);
    if (world.broken[0] != '\0')
        return;
    script_apply_ddl(&world.downstream, &world.script.events[number]);
    world.ddl_done[number] = true;
    world.counts.ddls++;
    world.counts.early += ddl->is_early;
    (void)follow();
}

static enum sl_err run_ddl(struct sl_sink *sink, const struct sl_window_ddl *ddl,
                           int64_t schema_version, struct sl_why *why)
{
    uint32_t number = event_of_job(ddl->job_id);

    (void)sink;
    kill_perhaps();
    if (world.is_killed || dice_say(FAIL_BEFORE))
        return fail(why);
    if (number == UINT32_MAX || world.script.events[number].kind == SCRIPT_SKIPPED) {
        world_break("D4: job %" PRId64 " has nothing to do here", ddl->job_id);
        return SL_OK;
    }
    if (!world.ddl_done[number])
        keep_checkpoint(ddl->before, schema_version, false);
    kill_perhaps();
    if (world.is_killed || dice_say(FAIL_AFTER))
        return fail(why);
    take_effect(number, ddl);
    kill_perhaps();
    if (world.is_killed || dice_say(FAIL_AFTER))
        return fail(why);
    if (ddl->is_early)
        remember_early(ddl->job_id);
    keep_checkpoint(ddl->after, ddl->schema_version, false);
    kill_perhaps();
    return world.is_killed || dice_say(FAIL_AFTER) ? fail(why) : SL_OK;
}

static enum sl_err describe(struct sl_sink *sink, const struct sl_table *table,
                            struct sl_sink_table **out, struct sl_why *why)
{
    const struct model_table *t = script_table(&world.downstream, (const char *)table->name.bytes);

    (void)sink;
    if (dice_say(FAIL_BEFORE))
        return fail(why);
    if (t == NULL) {
        world_break("D4: rows of %s come before the table", (const char *)table->name.bytes);
        return sl_fail(why, SL_NOT_FOUND, "no such table");
    }
    *out = model_sink_table(t, "test");
    return SL_OK;
}

/* ---- rows ---- */

struct place {
    uint32_t event;
    uint32_t step;
};

static bool find_place(const struct sl_row_part *part, const struct sl_window_change *change,
                       struct place *out)
{
    sl_ts ts = part->window->txns[change->txn].commit_ts;

    for (uint32_t i = 0; i < world.script.event_count; i++) {
        const struct script_event *event = &world.script.events[i];

        if (event->kind != SCRIPT_TXN || event->commit_ts != ts)
            continue;
        for (uint32_t j = 0; j < event->step_count; j++) {
            *out = (struct place){i, j};
            if (event->steps[j].ordinal == change->ordinal)
                return true;
        }
    }
    return false;
}

/* Rows of two changes meet in a key, or their table has none to tell them by. */
static bool depend(const struct model_table *t, const struct stream_step *a,
                   const struct stream_step *b)
{
    const struct model_row *x[2] = {a->kind == SL_CHANGE_DELETE ? &a->old : &a->new_row, &a->old};
    const struct model_row *y[2] = {b->kind == SL_CHANGE_DELETE ? &b->old : &b->new_row, &b->old};
    uint32_t                x_count = a->kind == SL_CHANGE_UPDATE ? 2 : 1;
    uint32_t                y_count = b->kind == SL_CHANGE_UPDATE ? 2 : 1;

    if (model_identity(t) < 0)
        return true;
    for (uint32_t i = 0; i < x_count; i++) {
        for (uint32_t j = 0; j < y_count; j++) {
            if (model_keys_meet(t, x[i], y[j]))
                return true;
        }
    }
    return false;
}

/* Nothing that depends on it and comes behind it was applied in this life. */
static void check_order(const struct model_table *t, struct place place)
{
    const struct script_step *step = &world.script.events[place.event].steps[place.step];

    for (uint32_t i = place.event; i <= world.newest; i++) {
        const struct script_event *event = &world.script.events[i];

        for (uint32_t j = i == place.event ? place.step + 1 : 0; j < event->step_count; j++) {
            if (world.in_life[i][j] == 0 || event->steps[j].table != step->table)
                continue;
            if (depend(t, &step->step, &event->steps[j].step))
                world_break("D7: event %" PRIu32 " row %" PRIu32 " of %s is applied behind event "
                            "%" PRIu32 " row %" PRIu32,
                            place.event, place.step, t->name, i, j);
        }
    }
}

static void note_applied(struct place place)
{
    world.applied[place.event][place.step] = 1;
    world.in_life[place.event][place.step] = 1;
    world.counts.changes++;
    if (place.event > world.newest)
        world.newest = place.event;
}

/* Once, by the progress of its lane, which is part of the same transaction. */
static void apply_unkeyed(struct model_table *t, const struct sl_window_change *change, sl_ts ts,
                          struct place place)
{
    const struct stream_step *step = &world.script.events[place.event].steps[place.step].step;
    uint32_t                  lane = change->keys->lane;

    if (ts < world.lanes[lane].ts ||
        (ts == world.lanes[lane].ts && change->ordinal <= world.lanes[lane].ordinal))
        return;
    if (!model_apply(t, step->kind, &step->old, &step->new_row))
        world_break("D1: event %" PRIu32 " does not fit table %s, which has no key", place.event,
                    t->name);
    world.lanes[lane].ts = ts;
    world.lanes[lane].ordinal = change->ordinal;
}

static void apply_change(const struct sl_row_part *part, const struct sl_window_change *change,
                         struct sl_fold *fold)
{
    struct model_table *t =
        script_table(&world.downstream, (const char *)change->change.table->name.bytes);
    struct place place;

    if (t == NULL || !find_place(part, change, &place)) {
        world_break("D1: a row of %s comes out of nowhere",
                    (const char *)change->change.table->name.bytes);
        return;
    }
    check_order(t, place);
    note_applied(place);
    if (change->keys->is_keyed)
        sl_fold_add(fold, change->keys, &change->change);
    else
        apply_unkeyed(t, change, part->window->txns[change->txn].commit_ts, place);
}

static void do_list(struct sl_list *list, const struct sl_fold_table *left, bool is_delete)
{
    struct model_table *t =
        script_table(&world.downstream, (const char *)left->keys->table->name.bytes);

    for (struct sl_list_node *n = sl_list_first(list); n != NULL; n = sl_list_next(list, n)) {
        const struct sl_fold_row *row = SL_CONTAINER_OF(n, struct sl_fold_row, place);
        const struct model_row    image = model_row_of(t, left->keys->table, row->image);

        if (is_delete)
            model_delete_by_key(t, (uint32_t)model_identity(t), &image);
        else
            model_replace(t, &image);
    }
}

static void do_fold(struct sl_fold *fold)
{
    for (struct sl_list_node *n = sl_list_first(&fold->tables); n != NULL;
         n = sl_list_next(&fold->tables, n)) {
        struct sl_fold_table *left = SL_CONTAINER_OF(n, struct sl_fold_table, place);

        do_list(&left->deletes, left, true);
        do_list(&left->replacements, left, false);
    }
}

/* The worker does not know that they took effect: it will do them again, in their order. */
static void forget_order(struct sl_row_part *const *parts, uint32_t count)
{
    struct place place;

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < parts[i]->count; j++) {
            if (find_place(parts[i], parts[i]->changes[j], &place))
                world.in_life[place.event][place.step] = 0;
        }
    }
}

static enum sl_err apply(struct sl_sink_worker *worker, struct sl_row_part *const *parts,
                         uint32_t count, struct sl_why *why)
{
    struct sl_fold fold;

    (void)worker;
    kill_perhaps();
    if (world.is_killed || dice_say(FAIL_BEFORE))
        return fail(why);
    sl_fold_init(&fold);
    for (uint32_t i = 0; i < count && world.broken[0] == '\0'; i++) {
        for (uint32_t j = 0; j < parts[i]->count; j++)
            apply_change(parts[i], parts[i]->changes[j], &fold);
    }
    if (world.broken[0] == '\0')
        do_fold(&fold);
    sl_fold_done(&fold);
    kill_perhaps();
    if (!world.is_killed && !dice_say(FAIL_AFTER))
        return SL_OK;
    forget_order(parts, count);
    return fail(why);
}

/* ---- life ---- */

static enum sl_err worker_open(struct sl_sink *sink, uint32_t number, struct sl_sink_worker **out,
                               struct sl_why *why)
{
    (void)number;
    if (dice_say(FAIL_BEFORE))
        return fail(why);
    *out = calloc(1, sizeof **out);
    SL_ASSERT(*out != NULL);
    (*out)->sink = sink;
    return SL_OK;
}

static void worker_close(struct sl_sink_worker *worker)
{
    free(worker);
}

static void close_sink(struct sl_sink *sink)
{
    (void)sink;
}

const struct sl_sink_ops world_sink_ops = {
    .close = close_sink,
    .load = load,
    .save = save,
    .describe = describe,
    .ddl = run_ddl,
    .worker_open = worker_open,
    .worker_close = worker_close,
    .apply = apply,
};

void world_sink_begin(void)
{
    memset(world.in_life, 0, sizeof world.in_life);
    world.newest = 0;
}
