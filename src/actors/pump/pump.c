#include "actors/pump/pump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/common/node_identity.h"
#include "actors/pump/stores.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/units.h"
#include "binlog/record.h"
#include "net/cluster.h"
#include "net/local.h"

uint32_t sl_pump_shard_of(const struct sl_pump *pump, sl_ts start_ts)
{
    return (uint32_t)(sl_hash_u64((uint64_t)start_ts) % pump->options.shards);
}

sl_ts sl_pump_max_commit_ts(const struct sl_pump *pump)
{
    sl_ts least = INT64_MAX;

    for (uint32_t k = 0; k < pump->options.shards; k++) {
        sl_ts ts = atomic_load_explicit(&pump->board.watermark[k], memory_order_relaxed);

        least = ts < least ? ts : least;
    }
    return least;
}

/* ---- what a log record says to the sorter ---- */

enum sl_vlog_type sl_pump_vlog_type(int32_t record_type, sl_ts start_ts, sl_ts commit_ts)
{
    if (record_type == SL_RECORD_PREWRITE)
        return SL_VLOG_PREWRITE;
    if (record_type != SL_RECORD_ROLLBACK)
        return SL_VLOG_COMMIT;
    return start_ts == commit_ts ? SL_VLOG_FAKE : SL_VLOG_ROLLBACK;
}

/* ---- space and gc point ---- */

enum sl_err sl_pump_look_at_space(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    struct sl_space               space;
    enum sl_err                   err = sl_fs_space(o->env->fs, o->data_dir, &space, why);

    if (err != SL_OK)
        return err;
    atomic_store_explicit(&pump->board.space_total, space.total_bytes, memory_order_relaxed);
    atomic_store_explicit(&pump->board.space_available, space.available_bytes,
                          memory_order_relaxed);
    sl_metric_set(pump->metrics.capacity_bytes, (double)space.total_bytes);
    sl_metric_set(pump->metrics.available_bytes, (double)space.available_bytes);
    if (space.available_bytes <= o->stop_write_bytes)
        sl_log(SL_LOG_WARN,
               "no available space, you may want to free up some space or decrease "
               "`stop-write-at-available-space` configuration",
               sl_field_u64("available", space.available_bytes),
               sl_field_u64("StopWriteAtAvailableSpace", o->stop_write_bytes));
    return SL_OK;
}

static void show_gc(struct sl_pump *pump, sl_ts point)
{
    atomic_store_explicit(&pump->board.gc_ts, point, memory_order_relaxed);
    sl_metric_set(pump->metrics.gc_ms, (double)sl_ts_physical_ms(point));
}

/* data-dir/gc: the gc point as decimal text. */
static const char gc_file[] = "gc";

enum sl_err sl_pump_publish_gc(struct sl_pump *pump, sl_ts point, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    char        text[32];
    int         count = snprintf(text, sizeof text, "%" PRId64 "\n", point);
    enum sl_err err;

    if ((err = sl_path_join(path, pump->options.data_dir, gc_file, why)) != SL_OK)
        return err;
    if ((err = sl_fs_replace(pump->options.env->fs, path, text, (size_t)count, why)) != SL_OK)
        return err;
    show_gc(pump, point);
    return SL_OK;
}

static enum sl_err load_gc(struct sl_pump *pump, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    char        text[32];
    size_t      count;
    int64_t     point;
    enum sl_err err;

    if ((err = sl_path_join(path, pump->options.data_dir, gc_file, why)) != SL_OK)
        return err;
    err = sl_fs_read(pump->options.env->fs, path, text, sizeof text - 1, &count, why);
    if (err == SL_NOT_FOUND)
        return SL_OK;
    if (err != SL_OK)
        return err;
    text[count > 0 ? count - 1 : 0] = '\0';
    if (sl_int_parse(text, &point, why) != SL_OK || point < 0)
        return sl_fail(why, SL_CORRUPT,
                       "%s does not hold a timestamp: remove the file, the next gc writes it anew",
                       path);
    show_gc(pump, point);
    return SL_OK;
}

/* ---- opening ---- */

static enum sl_err settle_node_id(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options   *o = &pump->options;
    const struct sl_node_id_sources sources = {
        .configured = o->node_id, .host_name = o->host_name, .addr = o->addr};
    struct sl_why note = {0};
    enum sl_err   err;

    err = sl_node_id_settle(o->env->fs, o->data_dir, &sources, pump->node_id, &note, why);
    if (err == SL_OK && note.text[0] != '\0')
        sl_log(SL_LOG_WARN, "node id", sl_field_str("note", note.text));
    return err;
}

/* A new directory under the name of a pump that has data, which drainers may still need: to start
 * as if nothing were missing would leave a hole that nobody hears of. */
static enum sl_err refuse_lost_data(struct sl_pump *pump, struct sl_cluster *cluster,
                                    struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    struct sl_node                before;
    bool                          is_new;
    enum sl_err                   err;

    if ((err = sl_data_dir_is_new(o->env->fs, o->data_dir, &is_new, why)) != SL_OK || !is_new)
        return err;
    err = sl_registry_get(sl_cluster_registry(cluster), SL_NODE_PUMP, pump->node_id, &before, why);
    if (err != SL_OK)
        return err == SL_NOT_FOUND ? SL_OK : err;
    if (before.state == SL_NODE_OFFLINE || before.max_commit_ts == 0)
        return SL_OK;
    return sl_fail(
        why, SL_CONFIG,
        "data-dir %s is empty, but pump %s is registered as %s with binlogs up to %" PRId64
        ": give it the directory that it had; or, giving up what drainers have not read "
        "from there, run binlogctl -cmd update-pump -node-id %s -state offline first",
        o->data_dir, pump->node_id, sl_node_state_name(before.state), before.max_commit_ts,
        pump->node_id);
}

/* What the directory says of itself rules over the configuration. */
static enum sl_err settle_directory(struct sl_pump *pump, struct sl_why *why)
{
    struct sl_pump_options  *o = &pump->options;
    const struct sl_data_dir wanted = {.cluster_id = pump->cluster_id, .shards = o->shards};
    struct sl_data_dir       dir;
    enum sl_err              err;

    err = sl_data_dir_settle(o->env->fs, o->data_dir, &wanted, o->shards_asked, &dir, why);
    if (err != SL_OK)
        return err;
    if (dir.shards > SL_PUMP_SHARDS_MAX)
        return sl_fail(why, SL_UNSUPPORTED,
                       "data-dir %s has %" PRIu32 " shards, at most %d are "
                       "supported",
                       o->data_dir, dir.shards, SL_PUMP_SHARDS_MAX);
    o->shards = dir.shards;
    return SL_OK;
}

/* Who this pump is in its cluster, asked once. */
static enum sl_err meet_cluster(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    struct sl_cluster            *cluster;
    enum sl_err                   err = sl_cluster_open(o->env, o->pd_urls, &cluster, why);

    if (err == SL_NOT_FOUND) /* a local directory that is still to be made */
        return SL_UNAVAILABLE;
    if (err != SL_OK)
        return err;
    pump->cluster_id = sl_cluster_id(cluster);
    err = refuse_lost_data(pump, cluster, why);
    sl_cluster_free(&cluster);
    return err;
}

/* A cluster that cannot be reached now is waited for, PD or etcd: which starts first is nobody's
 * business. */
static enum sl_err settle_identity(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    enum sl_err                   err = settle_node_id(pump, why);

    if (err != SL_OK)
        return err;
    for (unsigned tries = 1;; tries++) {
        err = meet_cluster(pump, why);
        if (!sl_err_is_transient(err) || tries == SL_PUMP_CLUSTER_TRIES)
            break;
        sl_log(SL_LOG_WARN, "the cluster cannot be reached, trying again",
               sl_field_str("pd-urls", o->pd_urls), sl_field_err(err, why));
        sl_net_wait(o->env->net, NULL, 0,
                    sl_env_now(o->env) + (sl_nanos)SL_PUMP_CLUSTER_RETRY_MS * SL_NANOS_PER_MS);
    }
    if (err != SL_OK)
        return err;
    sl_log(SL_LOG_INFO, "get clusterID success", sl_field_u64("id", pump->cluster_id));
    return settle_directory(pump, why);
}

static enum sl_err open_all(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    enum sl_err                   err;

    if ((err = sl_data_dir_lock(o->env->fs, o->data_dir, &pump->lock, why)) != SL_OK)
        return err;
    if ((err = settle_identity(pump, why)) != SL_OK)
        return err;
    if ((err = sl_pump_look_at_space(pump, why)) != SL_OK || (err = load_gc(pump, why)) != SL_OK)
        return err;
    return sl_pump_stores_open(pump, why);
}

enum sl_err sl_pump_open(const struct sl_pump_options *options, struct sl_pump **out,
                         struct sl_why *why)
{
    struct sl_pump *pump = calloc(1, sizeof *pump);
    enum sl_err     err;

    SL_ASSERT(pump != NULL);
    SL_ASSERT(options->shards >= 1 && options->shards <= SL_PUMP_SHARDS_MAX);
    pump->options = *options;
    pump->has_tikv = sl_local_dir_of_url(options->pd_urls) == NULL;
    pump->metric_registry = sl_metric_registry_new();
    sl_metric_registry_add(pump->metric_registry, &sl_metric_process_table, NULL);
    sl_pump_metrics_add(pump->metric_registry, &pump->board, &pump->metrics);
    atomic_init(&pump->board.state, SL_NODE_ABSENT);
    if ((err = open_all(pump, why)) != SL_OK) {
        sl_pump_close(&pump);
        return err;
    }
    *out = pump;
    return SL_OK;
}

/* Where others reach the pump: what is configured, with the port that the system chose if any was
 * asked for. */
static void settle_address(struct sl_pump *pump)
{
    const char *advertise = pump->options.advertise;
    const char *port = strrchr(advertise, ':');

    sl_socket_local(pump->listener, pump->listening);
    if (port != NULL && strcmp(port, ":0") == 0)
        snprintf(pump->advertise, sizeof pump->advertise, "%.*s%s", (int)(port - advertise),
                 advertise, strrchr(pump->listening, ':'));
    else
        snprintf(pump->advertise, sizeof pump->advertise, "%s", advertise);
}

enum sl_err sl_pump_listen(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    enum sl_err                   err;

    if (o->socket != NULL &&
        (err = sl_net_listen(o->env->net, o->socket, &pump->unix_listener, why)) != SL_OK)
        return err;
    if ((err = sl_net_listen(o->env->net, o->addr, &pump->listener, why)) != SL_OK)
        return err;
    settle_address(pump);
    return SL_OK;
}

void sl_pump_close(struct sl_pump **pump)
{
    struct sl_pump *p = *pump;

    *pump = NULL;
    if (p == NULL)
        return;
    sl_socket_close(&p->listener);
    sl_socket_close(&p->unix_listener);
    sl_pump_stores_close(p);
    sl_file_close(&p->lock);
    sl_metric_registry_free(&p->metric_registry);
    free(p);
}
