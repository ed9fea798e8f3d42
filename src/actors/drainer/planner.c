/* planner: knows the schema as the stream has made it by now. Gives each mutation of a window the
 * version of its table that it is decoded with, leaves out what is filtered, and makes of a DDL
 * binlog the action that it means downstream.
 *
 *     rows  two versions: the table as it is at this point of the stream, which the downstream has
 *           too, and the one that the mutation's own schema_version names (observed.md 1, 5)
 *     DDL   the historian is asked for its job; windows behind it wait, in their order
 *
 * What it cannot understand (a row of a table that nobody made) makes a window that cannot be
 * applied; the stream stops in front of it. */

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/ddl.h"
#include "binlog/filter.h"
#include "binlog/job.h"
#include "binlog/record.h"
#include "binlog/schema.h"
#include "runtime/actor.h"

/* A row's ordinal: the place of its mutation in the record, and its place in the mutation. */
enum { ORDINAL_ROW_BITS = 40 };

struct planner {
    struct sl_drainer        *drainer;
    struct sl_schema         *schema; /* the drainer's */
    struct sl_drainer_window *queue[SL_WINDOW_CREDITS]; /* owned, oldest first */
    uint32_t                  queue_count;
    bool                      is_job_asked;
    struct sl_job            *job; /* owned: of the oldest window; NULL: not asked, or not come */
};

/* ---- filters ---- */

static bool is_ignored(const struct planner *p, sl_ts commit_ts)
{
    const struct sl_drainer_options *o = &p->drainer->options;

    for (uint32_t i = 0; i < o->ignored_count; i++) {
        if (o->ignored[i] == commit_ts)
            return true;
    }
    return false;
}

static bool passes(const struct planner *p, struct sl_slice schema, struct sl_slice table)
{
    const struct sl_filter *filter = p->drainer->options.filter;

    return filter == NULL || sl_filter_passes(filter, schema, table);
}

/* ---- rows ---- */

static enum sl_err refuse_unknown(struct sl_window *w, int64_t table_id,
                                  const struct sl_prewrite *prewrite)
{
    return sl_fail(&w->why, SL_NOT_FOUND,
                   "a row of table id %" PRId64 " (schema version %" PRId64
                   "), which no DDL job made: start the drainer with the complete DDL history as "
                   "schema-source, or leave the transaction out with ignore-txn-commit-ts",
                   table_id, prewrite->schema_version);
}

static enum sl_err plan_mutation(struct planner *p, struct sl_window *w, uint32_t txn,
                                 const struct sl_prewrite *prewrite,
                                 const struct sl_mutation *mutation, uint64_t place)
{
    struct sl_table       *table;
    struct sl_window_plan *plan;

    if (mutation->table_id > SL_TABLE_ID_MAX)
        return SL_OK; /* of TiDB's own DDL tables */
    table = sl_schema_table(p->schema, mutation->table_id);
    if (table == NULL)
        return sl_schema_is_gone(p->schema, mutation->table_id)
                   ? SL_OK
                   : refuse_unknown(w, mutation->table_id, prewrite);
    if (!passes(p, table->schema, table->name))
        return SL_OK;
    plan = sl_window_add_plan(w);
    plan->txn = txn;
    plan->mutation = mutation->bytes;
    plan->table = sl_table_ref(table);
    plan->written_as = sl_table_ref(
        sl_schema_table_at(p->schema, mutation->table_id, prewrite->schema_version));
    plan->first_ordinal = place << ORDINAL_ROW_BITS;
    return SL_OK;
}

static enum sl_err plan_rows(struct planner *p, struct sl_window *w, uint32_t txn,
                             const struct sl_record *record)
{
    struct sl_prewrite prewrite = {0};
    struct sl_mutation mutation;
    enum sl_err        err;

    if (record->prewrite_value.len == 0)
        return SL_OK;
    if ((err = sl_prewrite_open(record->prewrite_value, &prewrite, &w->why)) != SL_OK)
        return err;
    if (prewrite.schema_version > w->schema_version)
        w->schema_version = prewrite.schema_version;
    for (uint64_t place = 0;
         (err = sl_prewrite_next(&prewrite, &mutation, &w->why)) == SL_OK; place++) {
        if ((err = plan_mutation(p, w, txn, &prewrite, &mutation, place)) != SL_OK)
            return err;
    }
    return err == SL_NOT_FOUND ? SL_OK : err;
}

/* ---- DDL ---- */

static void log_skip(const struct sl_window *w, const struct sl_record *record, const char *reason)
{
    sl_log(SL_LOG_INFO, "skip ddl", sl_field_i64("commit_ts", w->txns[0].commit_ts),
           sl_field_i64("job", record->ddl_job_id),
           sl_field_bytes("query", record->ddl_query.bytes, record->ddl_query.len),
           sl_field_str("reason", reason));
}

/* Why the downstream shall not see it; NULL: it shall. */
static const char *reason_to_skip(const struct planner *p, const struct sl_window *w,
                                  const struct sl_ddl_action *action)
{
    if (action->kind == SL_DDL_SKIP)
        return action->reason;
    if (is_ignored(p, w->txns[0].commit_ts))
        return "its commit ts is in ignore-txn-commit-ts";
    if (p->drainer->options.skips_ddl)
        return "sync-ddl is false";
    if (!passes(p, action->schema, action->table))
        return "the table filter";
    return NULL;
}

static enum sl_err plan_ddl(struct planner *p, struct sl_window *w, const struct sl_record *record)
{
    struct sl_ddl_action *action;
    const char           *reason;
    enum sl_err           err;

    if ((err = sl_ddl_action_new(p->job, record->ddl_query, record->ddl_schema_state, p->schema,
                                 &action, &w->why)) != SL_OK)
        return err;
    if ((err = sl_schema_apply(p->schema, p->job, &w->why)) != SL_OK) {
        sl_ddl_action_free(&action);
        return err;
    }
    w->schema_version = sl_schema_version(p->schema);
    w->ddl_ts = w->txns[0].commit_ts;
    w->ddl_job_id = record->ddl_job_id;
    if ((reason = reason_to_skip(p, w, action)) != NULL) {
        log_skip(w, record, reason);
        sl_ddl_action_free(&action);
        return SL_OK;
    }
    sl_log(SL_LOG_INFO,
           "add ddl item to syncer, you can add this commit ts to `ignore-txn-commit-ts` to skip "
           "this ddl if needed",
           sl_field_bytes("sql", action->text.bytes, action->text.len),
           sl_field_i64("commit ts", w->ddl_ts));
    w->ddl = action;
    return SL_OK;
}

/* TiDB tells the value of a sequence in the form of a DDL that no job stands behind. */
static bool is_setval(struct sl_slice query)
{
    static const char words[] = "select setval";

    return query.len >= sizeof words - 1 &&
           strncasecmp((const char *)query.bytes, words, sizeof words - 1) == 0;
}

/* ---- a window ---- */

/* False: its job must come first. */
static bool has_job(struct sl_ctx *ctx, struct planner *p, const struct sl_record *record)
{
    struct sl_drainer_ask_job *question;

    if (p->job != NULL)
        return true;
    if (p->is_job_asked)
        return false;
    question = sl_msg_new(struct sl_drainer_ask_job, SL_DRAINER_ASK_JOB);
    question->job_id = record->ddl_job_id;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_JOB, 0), p->drainer->historian_ref, 0, &question) != SL_OK)
        SL_UNREACHABLE("one question at a time");
    p->is_job_asked = true;
    return false;
}

/* False: it must wait. */
static bool plan(struct sl_ctx *ctx, struct planner *p, struct sl_window *w)
{
    for (uint32_t i = 0; i < w->txn_count && w->err == SL_OK; i++) {
        struct sl_record record;

        w->err = sl_record_decode(w->txns[i].bytes, &record, &w->why);
        if (w->err != SL_OK)
            break;
        if (record.ddl_job_id == 0) {
            if (!is_ignored(p, w->txns[i].commit_ts))
                w->err = plan_rows(p, w, i, &record);
            else
                sl_log(SL_LOG_WARN, "skip txn", sl_field_i64("commit_ts", w->txns[i].commit_ts));
        } else if (!is_setval(record.ddl_query)) {
            SL_ASSERT(w->txn_count == 1); /* the merger gives each its own window */
            if (!has_job(ctx, p, &record))
                return false;
            w->err = plan_ddl(p, w, &record);
            sl_job_free(&p->job);
        }
        if (w->err != SL_OK)
            sl_wrap(&w->why, w->err, "commit ts %" PRId64, w->txns[i].commit_ts);
    }
    return true;
}

static enum sl_err plan_all(struct sl_ctx *ctx, void *self)
{
    struct planner *p = self;
    uint32_t        done = 0;

    for (; done < p->queue_count && plan(ctx, p, p->queue[done]->window); done++) {
        uint32_t k = (uint32_t)(p->queue[done]->window->seq % p->drainer->decoders);

        sl_forward(ctx, p->drainer->decoder_ref[k], SL_DRAINER_DECODE, &p->queue[done]);
    }
    p->queue_count -= done;
    memmove(p->queue, p->queue + done, p->queue_count * sizeof *p->queue);
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct planner *p = self;

    (void)ctx;
    p->drainer = ((const struct sl_drainer_args *)args)->drainer;
    p->schema = p->drainer->schema;
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct planner *p = self;

    switch (msg->type) {
    case SL_DRAINER_WINDOW:
        SL_ASSERT(p->queue_count < SL_WINDOW_CREDITS);
        p->queue[p->queue_count++] = (struct sl_drainer_window *)(void *)sl_take(ctx);
        return SL_OK;
    case SL_DRAINER_JOB:
        p->is_job_asked = false;
        p->job = ((struct sl_drainer_job *)(void *)msg)->job;
        ((struct sl_drainer_job *)(void *)msg)->job = NULL;
        return SL_OK;
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

static enum sl_err system_message(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct planner *p = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_GONE: p->is_job_asked = false; return SL_OK; /* the historian's end is root's */
    case SL_MSG_OPEN:
    case SL_MSG_CHILD_ENDED:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("not expected by a planner");
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct planner *p = self;

    (void)ctx;
    for (uint32_t i = 0; i < p->queue_count; i++)
        sl_msg_free(&p->queue[i]);
    sl_job_free(&p->job);
}

const struct sl_actor_class sl_drainer_planner_class = {
    .name = "planner",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct planner),
    .questions_max = 1,
    .start = start,
    .handle = handle,
    .system = system_message,
    .drained = plan_all,
    .stop = stop,
};
