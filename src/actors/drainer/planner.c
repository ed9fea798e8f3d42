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
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "binlog/ddl.h"
#include "binlog/event_filter.h"
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
    struct sl_map             verdicts; /* of filters, by table version */
};

/* ---- filters ---- */

static bool is_ignored(const struct planner *p, sl_ts commit_ts)
{
    const struct sl_conf_ints *ignored = &p->drainer->options.config->ignore_commit_ts;

    for (size_t i = 0; i < ignored->count; i++) {
        if (ignored->items[i] == commit_ts)
            return true;
    }
    return false;
}

/* What the filters say of a version of a table, asked once. */
struct verdict {
    struct sl_map_node node; /* by the version's address */
    struct sl_table   *table; /* owned reference */
    bool               is_skipped;
    uint32_t           kinds_skipped; /* bit 1 << enum sl_event_kind: of its rows */
};

static bool is_verdict_of(const struct sl_map_node *node, const void *key)
{
    return SL_CONTAINER_OF(node, struct verdict, node)->table == key;
}

static void forget_verdicts(struct planner *p)
{
    struct sl_map_iter at = {0};

    for (struct sl_map_node *n; (n = sl_map_next(&p->verdicts, &at)) != NULL;) {
        struct verdict *verdict = SL_CONTAINER_OF(n, struct verdict, node);

        sl_map_remove(&p->verdicts, n);
        sl_table_free(&verdict->table);
        free(verdict);
    }
}

static enum sl_err skips(const struct planner *p, struct sl_slice schema, struct sl_slice table,
                         bool *out, struct sl_why *why)
{
    const struct sl_filter *filter = p->drainer->options.filter;

    *out = false;
    return filter == NULL ? SL_OK : sl_filter_skips(filter, schema, table, out, why);
}

static enum sl_err judge(struct planner *p, struct sl_table *table, const struct verdict **out,
                         struct sl_why *why)
{
    const struct sl_event_filter *events = p->drainer->options.event_filter;
    uint64_t                      hash = sl_hash_u64((uint64_t)(uintptr_t)table);
    struct sl_map_node           *node = sl_map_find(&p->verdicts, hash, table);
    struct verdict               *verdict;
    enum sl_err                   err;

    if (node != NULL) {
        *out = SL_CONTAINER_OF(node, struct verdict, node);
        return SL_OK;
    }
    verdict = calloc(1, sizeof *verdict);
    SL_ASSERT(verdict != NULL);
    err = skips(p, table->schema, table->name, &verdict->is_skipped, why);
    if (err == SL_OK && events != NULL)
        err = sl_event_filter_kinds(events, table->schema, table->name, &verdict->kinds_skipped,
                                    why);
    if (err != SL_OK) {
        free(verdict);
        return err;
    }
    verdict->table = sl_table_ref(table);
    sl_map_add(&p->verdicts, hash, table, &verdict->node);
    *out = verdict;
    return SL_OK;
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

/* What the mutations of a record share. */
struct transaction {
    uint32_t           number; /* in its window */
    bool               is_old; /* its TiDB writes no ddl_schema_state yet */
    struct sl_prewrite prewrite;
};

static enum sl_err plan_mutation(struct planner *p, struct sl_window *w,
                                 const struct transaction *txn,
                                 const struct sl_mutation *mutation, uint64_t place)
{
    struct sl_table       *table;
    struct sl_window_plan *plan;
    const struct verdict  *verdict;
    enum sl_err            err;

    switch (sl_schema_fate(p->schema, mutation->table_id)) {
    case SL_TABLE_LIVE: break;
    case SL_TABLE_SYSTEM:
    case SL_TABLE_TRUNCATED: return SL_OK;
    case SL_TABLE_UNKNOWN:
    case SL_TABLE_DROPPED: return refuse_unknown(w, mutation->table_id, &txn->prewrite);
    }
    table = sl_schema_table(p->schema, mutation->table_id);
    if ((err = judge(p, table, &verdict, &w->why)) != SL_OK || verdict->is_skipped)
        return err;
    plan = sl_window_add_plan(w);
    plan->txn = txn->number;
    plan->is_old = txn->is_old;
    plan->mutation = mutation->bytes;
    plan->table = sl_table_ref(table);
    plan->written_as = sl_table_ref(
        sl_schema_table_at(p->schema, mutation->table_id, txn->prewrite.schema_version));
    plan->first_ordinal = place << ORDINAL_ROW_BITS;
    plan->kinds_skipped = verdict->kinds_skipped;
    return SL_OK;
}

static enum sl_err plan_rows(struct planner *p, struct sl_window *w, uint32_t number,
                             const struct sl_record *record)
{
    struct transaction  txn = {.number = number, .is_old = !record->has_schema_state};
    struct sl_prewrite *prewrite = &txn.prewrite;
    struct sl_mutation  mutation;
    enum sl_err         err;

    if (record->prewrite_value.len == 0)
        return SL_OK;
    if ((err = sl_prewrite_open(record->prewrite_value, prewrite, &w->why)) != SL_OK)
        return err;
    if (prewrite->schema_version > w->schema_version)
        w->schema_version = prewrite->schema_version;
    for (uint64_t place = 0;
         (err = sl_prewrite_next(prewrite, &mutation, &w->why)) == SL_OK; place++) {
        if ((err = plan_mutation(p, w, &txn, &mutation, place)) != SL_OK)
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
static enum sl_err look_for_skip(const struct planner *p, const struct sl_window *w,
                                 const struct sl_ddl_action *action, const char **reason,
                                 struct sl_why *why)
{
    const struct sl_drainer_options *o = &p->drainer->options;
    bool                             is_out = false;
    enum sl_err                      err = SL_OK;

    *reason = NULL;
    if (is_ignored(p, w->txns[0].commit_ts))
        *reason = "its commit ts is in ignore-txn-commit-ts";
    else if (action->kind == SL_DDL_SKIP)
        *reason = action->reason;
    else if (!o->config->sync_ddl)
        *reason = "sync-ddl is false";
    if (*reason != NULL)
        return SL_OK;
    err = skips(p, action->object.schema, action->object.table, &is_out, why);
    if (err == SL_OK && is_out)
        *reason = "the table filter";
    if (err == SL_OK && !is_out && o->event_filter != NULL) {
        err = sl_event_filter_skips_ddl(o->event_filter, action->object.schema,
                                        action->object.table, p->job->query, &is_out, why);
        if (err == SL_OK && is_out)
            *reason = "an event filter";
    }
    return err;
}

/* An action that cannot be followed holds the stream, unless somebody decided to leave it out. */
static enum sl_err check_stop(const struct sl_window *w, const struct sl_ddl_action *action,
                              struct sl_why *why)
{
    if (action->kind != SL_DDL_STOP)
        return SL_OK;
    return sl_fail(why, SL_UNSUPPORTED,
                   "DDL cannot be followed: %s; do by hand what it means downstream, then leave it "
                   "out with ignore-txn-commit-ts = [%" PRId64 "]",
                   action->reason, w->txns[0].commit_ts);
}

static void log_ddl(const struct sl_window *w)
{
    for (uint32_t i = 0; i < w->ddl->statement_count; i++)
        sl_log(SL_LOG_INFO,
               "add ddl item to syncer, you can add this commit ts to `ignore-txn-commit-ts` to "
               "skip this ddl if needed",
               sl_field_bytes("sql", w->ddl->statements[i].text.bytes,
                              w->ddl->statements[i].text.len),
               sl_field_i64("commit ts", w->ddl_ts));
}

static enum sl_err plan_ddl(struct planner *p, struct sl_window *w, const struct sl_record *record)
{
    const struct sl_ddl_input input = {.job = p->job,
                                       .schema = p->schema,
                                       .query = record->ddl_query,
                                       .schema_state = record->ddl_schema_state,
                                       .target = p->drainer->ddl_target};
    struct sl_ddl_action     *action;
    const char               *reason;
    enum sl_err               err;

    if ((err = sl_ddl_plan(&input, &action, &w->why)) != SL_OK)
        return err;
    err = look_for_skip(p, w, action, &reason, &w->why);
    if (err == SL_OK && reason == NULL)
        err = check_stop(w, action, &w->why);
    if (err == SL_OK)
        err = sl_schema_apply(p->schema, p->job, &w->why);
    if (err != SL_OK) {
        sl_ddl_action_free(&action);
        return err;
    }
    forget_verdicts(p);
    w->schema_version = sl_schema_version(p->schema);
    if (reason != NULL) {
        log_skip(w, record, reason);
        sl_ddl_action_free(&action);
        return SL_OK;
    }
    w->ddl_ts = w->txns[0].commit_ts;
    w->ddl_job_id = record->ddl_job_id;
    w->ddl = action;
    log_ddl(w);
    return SL_OK;
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
        } else if (!sl_ddl_is_setval(record.ddl_query)) {
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
    sl_map_init(&p->verdicts, is_verdict_of);
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
    forget_verdicts(p);
    sl_map_done(&p->verdicts);
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
