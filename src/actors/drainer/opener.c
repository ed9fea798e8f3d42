/* opener: reaches what the drainer stands on: the cluster, the downstream with its checkpoint, the
 * history of DDL. Fills in struct sl_drainer with it, and ends; then root starts what needs it.
 *
 * Who starts first is nobody's business: what cannot be reached is asked again, for as long as the
 * opener lives, and the board says what it waits for and why. An error that time does not heal is
 * its end, and the drainer's.
 *
 * On the peer lane, because all of it may let it wait. */

#include <inttypes.h>
#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/kept_schema.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/sink.h"
#include "actors/drainer/sink_mysql.h"
#include "actors/drainer/sink_stdout.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/job.h"
#include "binlog/schema.h"
#include "net/cluster.h"
#include "net/schema_source.h"
#include "runtime/actor.h"

struct opener {
    struct sl_drainer *drainer;
    sl_ts              now;   /* see meet_cluster */
    uint32_t           stage; /* that is tried next */
    uint32_t           begun; /* stages of which the board knows */
    struct sl_timer    retry;
    sl_nanos           told_at; /* the last line about a failure; 0: none */
};

/* ---- the cluster ---- */

/* Who it is, and a timestamp that everything committed before is below; 0: not to be had, and not
 * needed. */
static enum sl_err meet_cluster(struct opener *o, struct sl_why *why)
{
    struct sl_drainer              *d = o->drainer;
    const struct sl_drainer_config *c = d->options.config;
    struct sl_cluster              *cluster;
    enum sl_err err = sl_cluster_open(d->options.env, c->pd_urls, &cluster, why);

    if (err == SL_NOT_FOUND) /* a local directory that is still to be made */
        return SL_UNAVAILABLE;
    if (err != SL_OK)
        return err;
    if (d->cluster_id == 0)
        sl_log(SL_LOG_INFO, "get clusterID success", sl_field_u64("id", sl_cluster_id(cluster)));
    d->cluster_id = sl_cluster_id(cluster);
    o->now = 0;
    err = sl_tso_now(sl_cluster_tso(cluster), 1, &o->now, why);
    sl_cluster_free(&cluster);
    if (err == SL_AGAIN && c->initial_commit_ts >= 0) /* a replay leaves no room, none is needed */
        return SL_OK;
    return err;
}

/* ---- the downstream ---- */

static enum sl_ddl_target ddl_target_of(const struct sl_sink *sink)
{
    switch (sl_sink_mysql_kind(sink)) {
    case SL_MYSQL_IS_MARIADB: return SL_DDL_MARIADB;
    case SL_MYSQL_IS_TIDB: return SL_DDL_TIDB;
    case SL_MYSQL_IS_MYSQL: return SL_DDL_MYSQL;
    }
    SL_UNREACHABLE("not a kind of server");
}

static enum sl_err open_sink(struct sl_drainer *d, struct sl_why *why)
{
    const struct sl_drainer_config *c = d->options.config;
    const char                     *zone = "UTC";
    enum sl_err                     err;

    sl_sink_free(&d->sink); /* of a try before */
    sl_zone_free(&d->zone);
    if (c->destination == SL_DRAINER_STDOUT) {
        d->ddl_target = SL_DDL_TIDB; /* statements as they are */
        err = sl_sink_stdout_open(d->options.env, c->data_dir, &d->sink, why);
    } else {
        err = sl_sink_mysql_open(c, d->cluster_id, d->workers, &d->sink, why);
        if (err == SL_OK) {
            d->ddl_target = ddl_target_of(d->sink);
            zone = sl_sink_mysql_zone(d->sink);
        }
    }
    if (err != SL_OK)
        return sl_wrap(why, err, "open the downstream");
    d->sink->metrics = &d->front.metrics;
    d->sink->env = d->options.env;
    return sl_zone_open(d->options.env->fs, zone, &d->zone, why);
}

/* ---- where the stream begins ---- */

/* Where the stream begins is settled once. "Now" is another time after a crash, and what came in
 * between must not be left out; and the next drainer learns from it whether this one applied
 * anything. */
static enum sl_err save_start(struct sl_drainer *d, struct sl_why *why)
{
    const struct sl_checkpoint first = {.commit_ts = d->start_ts, .is_consistent = true};
    enum sl_err                err = d->sink->ops->save(d->sink, &first, why);

    d->start_is_consistent = true;
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "save the first checkpoint");
}

/* The present of the cluster is behind the checkpoint: whatever wrote it was another cluster, or
 * this one was set back. To wait until time gets there would lose all until then. */
static enum sl_err check_ahead(const struct sl_drainer *d, sl_ts now, struct sl_why *why)
{
    if (now == 0 || d->start_ts <= now)
        return SL_OK;
    return sl_fail(why, SL_CONFIG,
                   "it is at %" PRId64 ", but cluster %" PRIu64 " is only at %" PRId64
                   ": it was written for another cluster, or this one was set back; check pd-urls, "
                   "or restore a full backup and set the checkpoint to its timestamp",
                   d->start_ts, d->cluster_id, now);
}

static enum sl_err settle_start(struct sl_drainer *d, sl_ts now, struct sl_why *why)
{
    const struct sl_drainer_config *c = d->options.config;
    struct sl_checkpoint            checkpoint;
    enum sl_err                     err = d->sink->ops->load(d->sink, &checkpoint, why);

    if (err != SL_OK)
        return sl_wrap(why, err, "load the checkpoint");
    d->start_ts = checkpoint.commit_ts;
    d->start_schema_version = checkpoint.schema_version;
    d->start_is_consistent = checkpoint.is_consistent;
    d->early_count = checkpoint.early_count;
    memcpy(d->early, checkpoint.early, sizeof d->early);
    if ((err = check_ahead(d, now, why)) != SL_OK)
        return sl_wrap(why, err, "the checkpoint");
    if (d->start_ts == 0) {
        d->start_ts = c->initial_commit_ts < 0    ? now
                      : c->initial_commit_ts == 0 ? SL_TS_MIN
                                                  : c->initial_commit_ts;
        if ((err = save_start(d, why)) != SL_OK)
            return err;
    }
    sl_log(SL_LOG_INFO, "begin behind", sl_field_i64("commit_ts", d->start_ts),
           sl_field_i64("schema_version", d->start_schema_version),
           sl_field_str("from", checkpoint.commit_ts != 0 ? "checkpoint" : "initial-commit-ts"));
    atomic_store_explicit(&d->front.board.saved_ts, d->start_ts, memory_order_relaxed);
    atomic_store_explicit(&d->front.board.applied_ts, d->start_ts, memory_order_relaxed);
    atomic_store_explicit(&d->front.board.schema_version, d->start_schema_version,
                          memory_order_relaxed);
    return SL_OK;
}

static enum sl_err open_downstream(struct opener *o, struct sl_why *why)
{
    enum sl_err err = open_sink(o->drainer, why);

    return err == SL_OK ? settle_start(o->drainer, o->now, why) : err;
}

/* ---- the schema ---- */

/* The jobs of the past go into the schema. */
struct past {
    struct sl_schema *schema;
    uint64_t          jobs;
    struct sl_why    *why;
};

static enum sl_err take_job(void *context, struct sl_json **document)
{
    struct past   *past = context;
    struct sl_job *job;
    enum sl_err    err = sl_job_take(document, &job, past->why);

    if (err != SL_OK)
        return err;
    past->jobs++;
    err = sl_schema_apply(past->schema, job, past->why);
    sl_job_free(&job);
    return err;
}

static enum sl_err open_source(struct sl_drainer *d, struct sl_why *why)
{
    const struct sl_drainer_config *c = d->options.config;

    if (d->schema_source != NULL)
        return SL_OK;
    if (c->schema_kind == SL_DRAINER_SCHEMA_TIKV)
        return sl_schema_source_open_tikv(d->options.env, c->pd_urls, &d->schema_source, why);
    return sl_schema_source_open(d->options.env, c->schema_source, &d->schema_source, why);
}

/* What is kept of a start before; else a schema without tables. Only a start at a schema version
 * has use for it. */
static struct sl_schema *recall(const struct sl_drainer *d, const struct sl_kept_schema *kept,
                                struct sl_why *why)
{
    struct sl_schema *schema;
    enum sl_err       err;

    if (d->start_schema_version == 0)
        return sl_schema_new();
    err = sl_kept_schema_load(kept, d->start_schema_version, &schema, why);
    if (err == SL_OK)
        return schema;
    if (err != SL_NOT_FOUND)
        sl_log(SL_LOG_WARN, "the schema that is kept cannot be read, reading the history of DDL",
               sl_field_err(err, why));
    return sl_schema_new();
}

static void keep(const struct sl_drainer *d, const struct sl_kept_schema *kept, struct sl_why *why)
{
    enum sl_err err = sl_kept_schema_save(kept, d->schema, why);

    if (err != SL_OK)
        sl_log(SL_LOG_WARN, "the schema cannot be kept, the next start reads the history again",
               sl_field_err(err, why));
}

/* As of the start: what the checkpoint's schema version has, which is exact; without one, what was
 * finished before. Of what is kept the newest are read again, as a job may come to the history
 * behind one of a later version; to apply it again does nothing. */
static enum sl_err open_schema(struct opener *o, struct sl_why *why)
{
    struct sl_drainer          *d = o->drainer;
    const struct sl_kept_schema kept = {d->options.env->fs, d->options.config->data_dir,
                                        d->cluster_id, d->options.config->schema_source};
    struct sl_history_bound     bound = {.version = d->start_schema_version};
    struct past                 past = {.why = why};
    int64_t                     known;
    enum sl_err                 err;

    if (bound.version == 0)
        bound.finished = d->start_ts;
    if ((err = open_source(d, why)) != SL_OK)
        return err;
    sl_schema_free(&d->schema);
    past.schema = d->schema = recall(d, &kept, why);
    known = sl_schema_version(d->schema);
    bound.above = known > SL_HISTORY_MARGIN ? known - SL_HISTORY_MARGIN : 0;
    if (bound.version == 0 && bound.finished == SL_TS_MIN)
        return SL_OK; /* from the beginning: there is no past */
    err = sl_schema_source_each(d->schema_source, &bound, take_job, &past, why);
    if (err != SL_OK)
        return sl_wrap(why, err, "read the history of DDL");
    sl_log(SL_LOG_INFO, "the schema is known", sl_field_i64("kept_version", known),
           sl_field_i64("version", sl_schema_version(d->schema)),
           sl_field_u64("jobs_read", past.jobs));
    if (bound.version > 0 && sl_schema_version(d->schema) > known)
        keep(d, &kept, why);
    return SL_OK;
}

/* ---- one after another ---- */

enum stage_number { STAGE_CLUSTER, STAGE_DOWNSTREAM, STAGE_SCHEMA, STAGES };

static const struct stage {
    const char          *what;
    enum sl_drainer_part part; /* of the board, whose word it is while the opener lives */
    enum sl_err (*open)(struct opener *o, struct sl_why *why);
    enum stage_number again; /* where to begin after a failure */
} stages[STAGES] = {
    [STAGE_CLUSTER] = {"the cluster", SL_DRAINER_PART_REGISTRY, meet_cluster, STAGE_CLUSTER},
    /* The checkpoint is compared with the present. */
    [STAGE_DOWNSTREAM] = {"the downstream", SL_DRAINER_PART_CHECKPOINT, open_downstream,
                          STAGE_CLUSTER},
    [STAGE_SCHEMA] = {"the history of DDL", SL_DRAINER_PART_SCHEMA, open_schema, STAGE_SCHEMA},
};

static void note(struct opener *o, const struct stage *stage, enum sl_err err, const char *reason)
{
    sl_drainer_board_note(&o->drainer->front.board, stage->part,
                          reason != NULL ? SL_DRAINER_WAITING : SL_DRAINER_RUNNING, err, reason);
}

static enum sl_err open_stage(struct opener *o, struct sl_why *why)
{
    const struct stage *stage = &stages[o->stage];
    enum sl_err         err;

    if (o->stage == o->begun) {
        o->begun++;
        note(o, stage, SL_OK, "it has not answered yet");
    }
    if ((err = stage->open(o, why)) == SL_OK)
        note(o, stage, SL_OK, NULL);
    return err;
}

static void try_later(struct sl_ctx *ctx, struct opener *o, enum sl_err err)
{
    const struct stage *stage = &stages[o->stage];
    sl_nanos            now = sl_now(ctx);

    note(o, stage, err, sl_why(ctx)->text);
    if (o->told_at == 0 || now - o->told_at >= (sl_nanos)SL_DRAINER_TELL_MS * SL_NANOS_PER_MS) {
        o->told_at = now;
        sl_log(SL_LOG_WARN, "cannot be reached, trying again", sl_field_str("what", stage->what),
               sl_field_err(err, sl_why(ctx)));
    }
    o->stage = stage->again;
    sl_timer_arm(ctx, &o->retry, SL_DRAINER_RETRY, SL_DRAINER_OPEN_RETRY_MS);
}

static enum sl_err go_on(struct sl_ctx *ctx, struct opener *o)
{
    for (; o->stage < STAGES; o->stage++) {
        enum sl_err err = open_stage(o, sl_why(ctx));

        if (err != SL_OK && !sl_err_is_transient(err))
            return err;
        if (err != SL_OK) {
            try_later(ctx, o, err);
            return SL_OK;
        }
    }
    sl_stop(ctx);
    return SL_OK;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct opener *o = self;

    o->drainer = ((const struct sl_drainer_args *)args)->drainer;
    return go_on(ctx, o);
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    SL_ASSERT(msg->type == SL_DRAINER_RETRY);
    return go_on(ctx, self);
}

const struct sl_actor_class sl_drainer_opener_class = {
    .name = "opener",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct opener),
    .timers_max = 1,
    .start = start,
    .handle = handle,
};
