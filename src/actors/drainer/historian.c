/* historian: owns the door to TiDB's DDL jobs (net/schema_source.h). The planner asks for the job
 * of a DDL binlog; TiDB may write the binlog a moment before the job is to be seen in its history,
 * so a job that is not there yet is asked for again until it is.
 *
 * On the peer lane, because the source may let it wait. */

#include <inttypes.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/job.h"
#include "net/schema_source.h"
#include "runtime/actor.h"

struct historian {
    struct sl_drainer *drainer;
    struct sl_msg     *waiting; /* owned: the planner's question; NULL: none */
    uint32_t           tries;
    struct sl_timer    retry;
};

/* Collects the jobs above a version, but for one. */
struct range {
    int64_t                above;
    int64_t                without; /* a job's id; 0: all */
    struct sl_drainer_job *answer;
    struct sl_why         *why;
};

static enum sl_err take(void *context, struct sl_json **document)
{
    struct range  *r = context;
    struct sl_job *job;
    enum sl_err    err = sl_job_take(document, &job, r->why);

    if (err != SL_OK)
        return err;
    if (job->schema_version > r->above && job->id != r->without &&
        r->answer->count < SL_JOBS_ASKED_MAX)
        sl_drainer_job_add(r->answer, &job);
    sl_job_free(&job);
    return SL_OK;
}

static enum sl_err find(struct historian *h, const struct sl_drainer_ask_job *question,
                        struct sl_drainer_job *answer, struct sl_why *why)
{
    struct sl_schema_source *source = h->drainer->schema_source;
    struct sl_history_bound  bound = {.above = question->above, .version = question->up_to};
    struct range             range = {question->above, question->job_id, answer, why};
    struct sl_json          *document;
    struct sl_job           *job;
    enum sl_err              err;

    if (h->tries >= SL_HISTORIAN_GRACE)
        bound.above = 0; /* the end of the history has not what is asked for: look everywhere */
    if (question->job_id == 0)
        return sl_schema_source_each(source, &bound, take, &range, why);
    if ((err = sl_schema_source_job(source, question->job_id, &document, why)) != SL_OK ||
        (err = sl_job_take(&document, &job, why)) != SL_OK)
        return err;
    bound.version = job->schema_version - 1;
    if (bound.version > question->above)
        err = sl_schema_source_each(source, &bound, take, &range, why);
    if (err == SL_OK)
        sl_drainer_job_add(answer, &job);
    sl_job_free(&job);
    return err;
}

static void say_waiting(struct historian *h, const struct sl_drainer_ask_job *question,
                        enum sl_err err, struct sl_why *why)
{
    if (err == SL_NOT_FOUND && question->job_id != 0)
        sl_fail(why, err, "DDL job %" PRId64 " is not in the history of schema-source %s yet",
                question->job_id, h->drainer->options.config->schema_source);
    sl_metric_add(h->drainer->front.metrics.errors[SL_DRAINER_ERROR_SCHEMA], 1);
    sl_log(SL_LOG_WARN, "a DDL job cannot be read, trying again", sl_field_err(err, why));
    sl_drainer_board_note(&h->drainer->front.board, SL_DRAINER_PART_SCHEMA, SL_DRAINER_WAITING, err,
                          why->text);
}

/* A transaction may use what a DDL made a moment before the job is in the history of a living TiDB.
 * What is between two steps of one DDL has no job; that is known once a later one is there, as
 * versions are given out in the order in which their jobs come. A file is complete. */
static bool may_come(const struct historian *h, const struct sl_drainer_ask_job *question)
{
    return h->drainer->options.config->schema_kind != SL_DRAINER_SCHEMA_FILE &&
           question->job_id == 0 && h->drainer->schema_source->newest < question->up_to &&
           h->tries < SL_HISTORIAN_GRACE;
}

static void look(struct sl_ctx *ctx, struct historian *h)
{
    const struct sl_drainer_ask_job *question =
        (const struct sl_drainer_ask_job *)(const void *)h->waiting;
    struct sl_drainer_job *answer = sl_drainer_job_new();
    struct sl_asker        asker;
    enum sl_err            err = find(h, question, answer, sl_why(ctx));

    if (err == SL_OK && may_come(h, question))
        err = SL_AGAIN;
    if (err != SL_OK) {
        sl_msg_free(&answer);
        if (++h->tries == SL_HISTORIAN_PATIENCE)
            say_waiting(h, question, err, sl_why(ctx));
        sl_timer_arm(ctx, &h->retry, SL_DRAINER_RETRY, SL_HISTORIAN_RETRY_MS);
        return;
    }
    if (h->tries >= SL_HISTORIAN_PATIENCE)
        sl_drainer_board_note(&h->drainer->front.board, SL_DRAINER_PART_SCHEMA, SL_DRAINER_RUNNING,
                              SL_OK, NULL);
    asker = sl_asker_of(h->waiting);
    sl_msg_discard(h->waiting, &h->waiting);
    sl_reply(ctx, asker, &answer);
}

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct historian *)self)->drainer = ((const struct sl_drainer_args *)args)->drainer;
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct historian *h = self;

    if (msg->type == SL_DRAINER_ASK_JOB) {
        SL_ASSERT(h->waiting == NULL);
        h->waiting = sl_take(ctx);
        h->tries = 0;
    } else {
        SL_ASSERT(msg->type == SL_DRAINER_RETRY);
    }
    if (h->waiting != NULL)
        look(ctx, h);
    return SL_OK;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct historian *h = self;

    (void)ctx;
    if (h->waiting != NULL)
        sl_msg_discard(h->waiting, &h->waiting);
}

const struct sl_actor_class sl_drainer_historian_class = {
    .name = "historian",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct historian),
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .stop = stop,
};
