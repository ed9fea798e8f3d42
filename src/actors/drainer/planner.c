/* planner: knows the schema as the stream has made it by now. Gives each mutation of a window the
 * version of its table that it is decoded with, leaves out what is filtered, and makes of a DDL
 * binlog the action that it means downstream.
 *
 *     rows  two versions: the table as it is at this point of the stream, which the downstream has
 *           too, and the one that the mutation's own schema_version names (observed.md 1, 5)
 *     DDL   the historian is asked for its job; what is behind it waits
 *
 * Early jobs. TiDB lets a transaction use what a DDL made before the binlog of that DDL commits:
 * rows of a table that a TRUNCATE made are in the stream before the TRUNCATE. So when a transaction
 * names a schema version that was not seen yet, the jobs up to that version are asked for and run
 * in front of it; when their own binlogs come, they have been. Which those are is part of the
 * checkpoint.
 *
 * What it cannot understand (a row of a table that nobody made) makes a window that cannot be
 * applied; the stream stops in front of it. */

#include <inttypes.h>
#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "actors/drainer/verdict.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/ddl.h"
#include "binlog/job.h"
#include "binlog/record.h"
#include "binlog/schema.h"
#include "runtime/actor.h"

/* A row's ordinal: the place of its mutation in the record, and its place in the mutation. */
enum { ORDINAL_ROW_BITS = 40 };

struct planner {
    struct sl_drainer        *drainer;
    struct sl_schema         *schema;                   /* the drainer's */
    struct sl_drainer_window *queue[SL_WINDOW_CREDITS]; /* owned, oldest first */
    uint32_t                  queue_count;
    uint32_t                  at;     /* transaction of the oldest window that is planned next */
    sl_ts                     before; /* the commit ts before it */
    int64_t                   known;  /* all jobs up to this schema version were asked for */
    bool                      is_asked;
    struct sl_drainer_job    *answer; /* owned: of the question for this transaction; NULL: none */
    int64_t                   early[SL_EARLY_JOBS_MAX]; /* jobs whose binlogs are still to come */
    uint32_t                  early_count;
    struct sl_verdicts        verdicts;
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

/* A job may be named by its id as well: of one that is run early the commit ts is not known yet. */
static bool is_job_ignored(const struct planner *p, const struct sl_window_ddl *ddl)
{
    return is_ignored(p, ddl->job_id) || (!ddl->is_early && is_ignored(p, ddl->after));
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
                                 const struct transaction *txn, const struct sl_mutation *mutation,
                                 uint64_t place)
{
    struct sl_table       *table;
    struct sl_window_plan *plan;
    struct sl_verdict      verdict;
    enum sl_err            err;

    switch (sl_schema_fate(p->schema, mutation->table_id)) {
    case SL_TABLE_LIVE: break;
    case SL_TABLE_SYSTEM:
    case SL_TABLE_TRUNCATED: /* late: the upstream has them no more */
    case SL_TABLE_DROPPED: return SL_OK;
    case SL_TABLE_UNKNOWN: return refuse_unknown(w, mutation->table_id, &txn->prewrite);
    }
    table = sl_schema_table(p->schema, mutation->table_id);
    err = sl_verdict_of_table(&p->verdicts, table, &verdict, &w->why);
    if (err != SL_OK || verdict.is_skipped)
        return err;
    plan = sl_window_add_plan(w);
    plan->txn = txn->number;
    plan->is_old = txn->is_old;
    plan->mutation = mutation->bytes;
    plan->table = sl_table_ref(table);
    plan->written_as = sl_table_ref(
        sl_schema_table_at(p->schema, mutation->table_id, txn->prewrite.schema_version));
    plan->first_ordinal = place << ORDINAL_ROW_BITS;
    plan->kinds_skipped = verdict.kinds_skipped;
    return SL_OK;
}

/* ---- DDL ---- */

static void log_skip(const struct sl_job *job, const struct sl_window_ddl *ddl, const char *reason)
{
    sl_log(SL_LOG_INFO, "skip ddl", sl_field_i64("commit_ts", ddl->after),
           sl_field_i64("job", job->id), sl_field_bytes("query", job->query.bytes, job->query.len),
           sl_field_str("reason", reason));
}

/* Why the downstream shall not see it; NULL: it shall. */
static enum sl_err look_for_skip(const struct planner *p, const struct sl_job *job,
                                 const struct sl_window_ddl *ddl, const char **reason,
                                 struct sl_why *why)
{
    *reason = NULL;
    if (is_job_ignored(p, ddl))
        *reason = "ignore-txn-commit-ts";
    else if (ddl->action->kind == SL_DDL_SKIP)
        *reason = ddl->action->reason;
    else if (!p->drainer->options.config->sync_ddl)
        *reason = "sync-ddl is false";
    else
        return sl_verdict_of_ddl(&p->verdicts, &ddl->action->object, job->query, reason, why);
    return SL_OK;
}

/* An action that cannot be followed holds the stream, unless somebody decided to leave it out. */
static enum sl_err check_stop(const struct sl_window_ddl *ddl, struct sl_why *why)
{
    if (ddl->action->kind != SL_DDL_STOP)
        return SL_OK;
    return sl_fail(why, SL_UNSUPPORTED,
                   "DDL job %" PRId64
                   " cannot be followed: %s; do by hand what it means downstream, "
                   "then leave it out with ignore-txn-commit-ts = [%" PRId64 "]",
                   ddl->job_id, ddl->action->reason, ddl->job_id);
}

static void log_ddl(const struct sl_window_ddl *ddl)
{
    for (uint32_t i = 0; i < ddl->action->statement_count; i++)
        sl_log(SL_LOG_INFO,
               "add ddl item to syncer, you can add this commit ts to `ignore-txn-commit-ts` to "
               "skip this ddl if needed",
               sl_field_bytes("sql", ddl->action->statements[i].text.bytes,
                              ddl->action->statements[i].text.len),
               sl_field_i64("commit ts", ddl->is_early ? ddl->job_id : ddl->after));
    if (ddl->action->notice != NULL)
        sl_log(SL_LOG_WARN, "a ddl does not mean the same downstream",
               sl_field_i64("job", ddl->job_id), sl_field_str("reason", ddl->action->notice));
}

/* The job becomes part of the schema, and its action, if there is one, of the window. */
static enum sl_err plan_job(struct planner *p, struct sl_window *w, const struct sl_job *job,
                            const struct sl_ddl_input *input, struct sl_window_ddl *ddl)
{
    const char *reason;
    enum sl_err err;

    ddl->job_id = job->id;
    ddl->schema_version = job->schema_version;
    if ((err = sl_ddl_plan(input, &ddl->action, &w->why)) != SL_OK ||
        (err = look_for_skip(p, job, ddl, &reason, &w->why)) != SL_OK ||
        (reason == NULL && (err = check_stop(ddl, &w->why)) != SL_OK) ||
        (err = sl_schema_apply(p->schema, job, &w->why)) != SL_OK)
        return err;
    sl_verdicts_forget(&p->verdicts);
    if (job->schema_version > w->schema_version)
        w->schema_version = job->schema_version;
    if (reason != NULL) {
        log_skip(job, ddl, reason);
        sl_ddl_action_free(&ddl->action);
        w->ddl_count--; /* it was the last one */
    } else {
        log_ddl(ddl);
    }
    return SL_OK;
}

/* One that this window's next transaction has seen already, although its own binlog comes later. */
static enum sl_err plan_early(struct planner *p, struct sl_window *w, const struct sl_job *job)
{
    const struct sl_ddl_input input = {
        .job = job, .schema = p->schema, .query = job->query, .target = p->drainer->ddl_target};
    struct sl_window_ddl *ddl;

    if (!sl_job_is_done(job))
        return SL_OK;
    if (p->early_count == SL_EARLY_JOBS_MAX) { /* the oldest has had its binlog long since */
        p->early_count--;
        memmove(p->early, p->early + 1, p->early_count * sizeof *p->early);
    }
    ddl = sl_window_add_ddl(w);
    ddl->before = ddl->after = p->before;
    ddl->is_early = true;
    p->early[p->early_count++] = job->id;
    return plan_job(p, w, job, &input, ddl);
}

static bool take_early(struct planner *p, int64_t job_id)
{
    for (uint32_t i = 0; i < p->early_count; i++) {
        if (p->early[i] != job_id)
            continue;
        p->early_count--;
        memmove(p->early + i, p->early + i + 1, (p->early_count - i) * sizeof *p->early);
        return true;
    }
    return false;
}

/* ---- jobs ---- */

static void ask_jobs(struct sl_ctx *ctx, struct planner *p, int64_t job_id, int64_t up_to)
{
    struct sl_drainer_ask_job *question;

    if (p->is_asked)
        return;
    question = sl_msg_new(struct sl_drainer_ask_job, SL_DRAINER_ASK_JOB);
    question->job_id = job_id;
    question->above = p->known;
    question->up_to = up_to;
    if (sl_ask(ctx, sl_line(ctx, SL_LINE_JOB, 0), p->drainer->historian_ref, 0, &question) != SL_OK)
        SL_UNREACHABLE("one question at a time");
    p->is_asked = true;
}

/* ---- a transaction ---- */

/* The jobs of the answer but its last `rest` ones. */
static enum sl_err plan_early_jobs(struct planner *p, struct sl_window *w, uint32_t rest)
{
    enum sl_err err = SL_OK;

    for (uint32_t i = 0; i + rest < p->answer->count && err == SL_OK; i++)
        err = plan_early(p, w, p->answer->jobs[i]);
    return err;
}

/* Returns SL_AGAIN when its job must come first. With it come the jobs of lower versions that were
 * not seen yet: they are in front of it. */
static enum sl_err plan_ddl(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                            const struct sl_record *record)
{
    struct sl_ddl_input   input = {.schema = p->schema,
                                   .query = record->ddl_query,
                                   .schema_state = record->ddl_schema_state,
                                   .target = p->drainer->ddl_target};
    struct sl_window_ddl *ddl;
    enum sl_err           err;

    if (sl_ddl_is_setval(record->ddl_query) || take_early(p, record->ddl_job_id))
        return SL_OK;
    if (p->answer == NULL) {
        ask_jobs(ctx, p, record->ddl_job_id, 0);
        return SL_AGAIN;
    }
    if ((err = plan_early_jobs(p, w, 1)) == SL_OK) {
        input.job = p->answer->jobs[p->answer->count - 1];
        ddl = sl_window_add_ddl(w);
        ddl->before = p->before;
        ddl->after = record->commit_ts;
        err = plan_job(p, w, input.job, &input, ddl);
        if (input.job->schema_version > p->known)
            p->known = input.job->schema_version;
    }
    sl_msg_free(&p->answer);
    return err;
}

/* Every job that the transaction may have seen is in front of it: TiDB lets transactions use what a
 * DDL made before the binlog of that DDL commits. Returns SL_AGAIN when they must come first. */
static enum sl_err catch_up(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                            int64_t schema_version)
{
    enum sl_err err;

    if (schema_version <= p->known)
        return SL_OK;
    if (p->answer == NULL) {
        ask_jobs(ctx, p, 0, schema_version);
        return SL_AGAIN;
    }
    err = plan_early_jobs(p, w, 0);
    p->known = schema_version;
    sl_msg_free(&p->answer);
    return err;
}

static enum sl_err plan_rows(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                             const struct sl_record *record)
{
    struct transaction  txn = {.number = p->at, .is_old = !record->has_schema_state};
    struct sl_prewrite *prewrite = &txn.prewrite;
    struct sl_mutation  mutation;
    enum sl_err         err;

    if (record->prewrite_value.len == 0)
        return SL_OK;
    if ((err = sl_prewrite_open(record->prewrite_value, prewrite, &w->why)) != SL_OK ||
        (err = catch_up(ctx, p, w, prewrite->schema_version)) != SL_OK)
        return err;
    for (uint64_t place = 0; (err = sl_prewrite_next(prewrite, &mutation, &w->why)) == SL_OK;
         place++) {
        if ((err = plan_mutation(p, w, &txn, &mutation, place)) != SL_OK)
            return err;
    }
    return err == SL_NOT_FOUND ? SL_OK : err;
}

static enum sl_err plan_transaction(struct sl_ctx *ctx, struct planner *p, struct sl_window *w)
{
    struct sl_record record;
    sl_ts            commit_ts = w->txns[p->at].commit_ts;
    enum sl_err      err = sl_record_decode(w->txns[p->at].bytes, &record, &w->why);

    if (err != SL_OK)
        return err;
    if (record.ddl_job_id != 0)
        return plan_ddl(ctx, p, w, &record);
    if (!is_ignored(p, commit_ts))
        return plan_rows(ctx, p, w, &record);
    sl_log(SL_LOG_WARN, "skip txn", sl_field_i64("commit_ts", commit_ts));
    return SL_OK;
}

/* ---- windows ---- */

/* False: it must wait. */
static bool plan(struct sl_ctx *ctx, struct planner *p, struct sl_window *w)
{
    for (; p->at < w->txn_count; p->at++) {
        sl_ts commit_ts = w->txns[p->at].commit_ts;

        w->err = plan_transaction(ctx, p, w);
        if (w->err == SL_AGAIN) {
            w->err = SL_OK;
            return false;
        }
        if (w->err != SL_OK) {
            sl_wrap(&w->why, w->err, "commit ts %" PRId64, commit_ts);
            break;
        }
        p->before = commit_ts;
    }
    p->at = 0;
    p->before = w->last_ts;
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
    p->known = sl_schema_version(p->schema);
    p->before = p->drainer->start_ts;
    p->early_count = p->drainer->early_count;
    memcpy(p->early, p->drainer->early, sizeof p->early);
    sl_verdicts_init(&p->verdicts, p->drainer->options.filter, p->drainer->options.event_filter);
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
        p->is_asked = false;
        p->answer = (struct sl_drainer_job *)(void *)sl_take(ctx);
        return SL_OK;
    }
    SL_UNREACHABLE("not in this actor's protocol");
}

static enum sl_err system_message(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct planner *p = self;

    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_GONE: p->is_asked = false; return SL_OK; /* the historian's end is root's */
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
    if (p->answer != NULL)
        sl_msg_free(&p->answer);
    sl_verdicts_done(&p->verdicts);
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
