/* The planner's DDL: what a job means, and which jobs must be run in front of a transaction. */

#include "actors/drainer/planner_private.h"

#include <inttypes.h>
#include <string.h>

#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/ddl.h"
#include "binlog/job.h"
#include "runtime/actor.h"

/* ---- filters ---- */

bool planner_is_ignored(const struct planner *p, sl_ts commit_ts)
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
    return planner_is_ignored(p, ddl->job_id) ||
           (!ddl->is_early && planner_is_ignored(p, ddl->after));
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

    sl_metric_add(p->drainer->front.metrics.ddl_jobs, 1);
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
        sl_metric_add(p->drainer->front.metrics.skipped[SL_DRAINER_SKIP_DDL], 1);
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

/* ---- in front of a transaction ---- */

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
enum sl_err planner_ddl(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
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
enum sl_err planner_catch_up(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
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
