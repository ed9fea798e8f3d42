#include "actors/drainer/drainer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/common/node_identity.h"

#include "actors/drainer/sink.h"
#include "actors/drainer/sink_mysql.h"
#include "actors/drainer/sink_stdout.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/job.h"
#include "binlog/schema.h"
#include "net/cluster.h"
#include "net/schema_source.h"
#include "storage/spool.h"

/* ---- the cluster ---- */

/* A timestamp that everything committed before is below; 0: not to be had, and not needed. */
static enum sl_err meet_cluster(struct sl_drainer *d, sl_ts *now, struct sl_why *why)
{
    const struct sl_drainer_config *c = d->options.config;
    struct sl_cluster              *cluster;
    enum sl_err err = sl_cluster_open(d->options.env, c->pd_urls, &cluster, why);

    if (err == SL_NOT_FOUND) /* a local directory that is still to be made */
        return SL_UNAVAILABLE;
    if (err != SL_OK)
        return err;
    d->cluster_id = sl_cluster_id(cluster);
    *now = 0;
    err = sl_tso_now(sl_cluster_tso(cluster), 1, now, why);
    sl_cluster_free(&cluster);
    if (err == SL_AGAIN && c->initial_commit_ts >= 0) /* a replay leaves no room, none is needed */
        return SL_OK;
    return err;
}

/* ---- trying again ---- */

/* One of the things that opening stands on. */
typedef enum sl_err (*step)(struct sl_drainer *d, void *context, struct sl_why *why);

/* What cannot be reached now is waited for: who starts first is nobody's business. */
static enum sl_err insist(struct sl_drainer *d, const char *what, step open_it, void *context,
                          struct sl_why *why)
{
    const struct sl_env *env = d->options.env;
    enum sl_err          err;

    for (unsigned tries = 1;; tries++) {
        err = open_it(d, context, why);
        if (!sl_err_is_transient(err) || tries == SL_DRAINER_OPEN_TRIES)
            return err;
        sl_log(SL_LOG_WARN, "cannot be reached, trying again", sl_field_str("what", what),
               sl_field_err(err, why));
        sl_net_wait(env->net, NULL, 0,
                    sl_env_now(env) + (sl_nanos)SL_DRAINER_OPEN_RETRY_MS * SL_NANOS_PER_MS);
    }
}

static enum sl_err open_cluster(struct sl_drainer *d, void *now, struct sl_why *why)
{
    return meet_cluster(d, now, why);
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

static enum sl_err open_sink(struct sl_drainer *d, void *unused, struct sl_why *why)
{
    const struct sl_drainer_config *c = d->options.config;
    const char                     *zone = "UTC";
    enum sl_err                     err;

    (void)unused;
    if (c->destination == SL_DRAINER_STDOUT) {
        d->workers = 1;
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

/* ---- the schema ---- */

/* The jobs of the past go into the schema. */
struct past {
    struct sl_schema *schema;
    struct sl_why    *why;
};

static enum sl_err take_job(void *context, struct sl_json **document)
{
    struct past   *past = context;
    struct sl_job *job;
    enum sl_err    err = sl_job_take(document, &job, past->why);

    if (err != SL_OK)
        return err;
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

/* As of the start: what the checkpoint's schema version has, which is exact; without one, what was
 * finished before. */
static enum sl_err open_schema(struct sl_drainer *d, void *unused, struct sl_why *why)
{
    const struct sl_history_bound bound = {.version = d->start_schema_version,
                                           .finished =
                                               d->start_schema_version == 0 ? d->start_ts : 0};
    struct past                   past = {.why = why};
    enum sl_err                   err;

    (void)unused;
    sl_schema_free(&d->schema);
    past.schema = d->schema = sl_schema_new();
    if ((err = open_source(d, why)) != SL_OK)
        return err;
    if (bound.version == 0 && bound.finished == SL_TS_MIN)
        return SL_OK; /* from the beginning: there is no past */
    err = sl_schema_source_each(d->schema_source, &bound, take_job, &past, why);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "read the history of DDL");
}

/* ---- all of it ---- */

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

static enum sl_err open_all(struct sl_drainer *d, struct sl_why *why)
{
    sl_ts       now;
    enum sl_err err;

    if ((err = insist(d, "the cluster", open_cluster, &now, why)) != SL_OK)
        return err;
    sl_log(SL_LOG_INFO, "get clusterID success", sl_field_u64("id", d->cluster_id));
    if ((err = insist(d, "the downstream", open_sink, NULL, why)) != SL_OK ||
        (err = settle_start(d, now, why)) != SL_OK)
        return err;
    return insist(d, "the history of DDL", open_schema, NULL, why);
}

/* ---- who it is, and where ---- */

static enum sl_err settle_data_dir(struct sl_drainer *d, struct sl_why *why)
{
    const struct sl_drainer_config *c = d->options.config;
    struct sl_fs                   *fs = d->options.env->fs;
    const struct sl_node_id_sources sources = {
        .configured = c->node_id, .host_name = d->options.host_name, .addr = c->addr};
    char          path[SL_PATH_BYTES_MAX];
    struct sl_why note = {0};
    enum sl_err   err;

    if ((err = sl_data_dir_lock(fs, c->data_dir, &d->lock, why)) != SL_OK ||
        (err = sl_node_id_settle(fs, c->data_dir, &sources, d->node_id, &note, why)) != SL_OK)
        return err;
    if (note.text[0] != '\0')
        sl_log(SL_LOG_WARN, "node id", sl_field_str("note", note.text));
    if ((err = sl_path_join(path, c->data_dir, "spool", why)) != SL_OK)
        return err;
    return sl_spool_open(fs, path, &d->spool, why);
}

static void open_front(struct sl_drainer *d)
{
    const struct sl_drainer_config       *c = d->options.config;
    const bool                            pushes = c->metrics_addr[0] != '\0';
    const struct sl_drainer_front_options options = {
        .pd_urls = c->pd_urls,
        .node_id = d->node_id,
        .advertise = d->advertise,
        .push_addr = pushes && c->metrics_interval_s > 0 ? c->metrics_addr : NULL,
        .push_ms = (uint32_t)(c->metrics_interval_s * 1000),
        .synced_check_ms = (uint64_t)c->synced_check_min * 60 * 1000,
        .budget_bytes = c->memory_budget,
        .tells_progress = d->options.tells_progress,
    };

    snprintf(d->advertise, sizeof d->advertise, "%s", c->advertise_addr);
    sl_drainer_front_init(&d->front, d->options.env, &options, SL_DRAINER_SOURCES_MAX + 1);
}

/* The port may be the system's choice. */
enum sl_err sl_drainer_listen(struct sl_drainer *drainer, struct sl_why *why)
{
    const char *port = strrchr(drainer->advertise, ':');
    char        local[SL_ADDR_BYTES_MAX];
    enum sl_err err = sl_net_listen(drainer->options.env->net, drainer->options.config->addr,
                                    &drainer->front.listener, why);

    if (err != SL_OK || port == NULL || strcmp(port, ":0") != 0)
        return err;
    sl_socket_local(drainer->front.listener, local);
    snprintf(drainer->advertise + (port - drainer->advertise),
             sizeof drainer->advertise - (size_t)(port - drainer->advertise), "%s",
             strrchr(local, ':'));
    return SL_OK;
}

/* ---- life ---- */

static uint32_t at_most(uint64_t value, uint32_t max)
{
    return value < max ? (uint32_t)value : max;
}

enum sl_err sl_drainer_open(const struct sl_drainer_options *options, struct sl_drainer **out,
                            struct sl_why *why)
{
    const struct sl_env *env = options->env;
    struct sl_drainer   *d = calloc(1, sizeof *d);
    enum sl_err          err;

    SL_ASSERT(d != NULL);
    d->options = *options;
    d->workers = at_most((uint64_t)options->config->worker_count, SL_DRAINER_WORKERS_MAX);
    d->decoders = at_most(env->threads->cpus(env->threads), SL_DRAINER_DECODERS_MAX);
    d->part_rows = options->config->dispatch
                       ? at_most((uint64_t)options->config->txn_batch, SL_PART_ROWS_MAX)
                       : UINT32_MAX; /* a transaction is a part, whatever its size */
    open_front(d);
    if ((err = settle_data_dir(d, why)) != SL_OK || (err = open_all(d, why)) != SL_OK) {
        sl_drainer_close(&d);
        return err;
    }
    *out = d;
    return SL_OK;
}

void sl_drainer_close(struct sl_drainer **drainer)
{
    struct sl_drainer *d = *drainer;

    *drainer = NULL;
    if (d == NULL)
        return;
    sl_schema_free(&d->schema);
    sl_schema_source_free(&d->schema_source);
    sl_sink_free(&d->sink);
    sl_spool_close(&d->spool);
    sl_zone_free(&d->zone);
    sl_drainer_front_done(&d->front);
    sl_file_close(&d->lock);
    free(d);
}
