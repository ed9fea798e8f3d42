/* historian: owns the door to TiDB's DDL jobs (net/schema_source.h). The planner asks for the job of
 * a DDL binlog; TiDB may write the binlog a moment before the job is to be seen in its history, so a
 * job that is not there yet is asked for again until it is.
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

/* All jobs with a version in the range that was asked for. */
static enum sl_err take(void *context, const struct sl_job *job, struct sl_why *why)
{
    (void)context;
    (void)job;
    (void)why;
    return SL_OK;
}

static enum sl_err find(struct historian *h, const struct sl_drainer_ask_job *question,
                        struct sl_drainer_job *answer, struct sl_why *why)
{
    struct sl_job *job;
    enum sl_err    err;

    if (question->job_id == 0)
        return sl_schema_source_versions(h->drainer->schema_source, question->above,
                                         question->up_to, take, answer, why);
    err = sl_schema_source_job(h->drainer->schema_source, question->job_id, &job, why);
    if (err == SL_OK)
        sl_drainer_job_add(answer, &job);
    return err;
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
