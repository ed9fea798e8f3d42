#include "actors/pump/pump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/pump/cut.h"
#include "actors/pump/node_identity.h"
#include "actors/pump/sort_core.h"
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

void sl_pump_note_of(const struct sl_vlog_found *found, struct sl_sort_note *out)
{
    const struct sl_vlog_record *record = &found->record;

    *out = (struct sl_sort_note){
        .start_ts = (sl_ts)record->start_ts, .position = found->position, .type = SL_RECORD_COMMIT};
    switch (record->type) {
    case SL_VLOG_PREWRITE:
    case SL_VLOG_LARGE:
        out->type = SL_RECORD_PREWRITE;
        out->newest = (sl_ts)record->commit_ts;
        return;
    case SL_VLOG_FAKE:
    case SL_VLOG_ROLLBACK: out->type = SL_RECORD_ROLLBACK; break;
    case SL_VLOG_COMMIT:
    case SL_VLOG_IDLE: break;
    }
    out->commit_ts = (sl_ts)record->commit_ts;
    out->verified = (record->flags & SL_PUMP_VERIFIED) != 0;
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

/* ---- recovery of a shard ---- */

struct recovery {
    struct sl_pump_shard *shard;
    struct sl_pump_cut   *cut;
    uint64_t              records;
    struct sl_why        *why;
};

static enum sl_err restore_one(void *context, const struct sl_index_unresolved *unresolved)
{
    sl_sorter_restore(context, unresolved);
    return SL_OK;
}

static enum sl_err apply(struct recovery *r)
{
    struct sl_cut_result result;
    enum sl_err          err;

    sl_sorter_close_cut(r->shard->sorter, r->cut);
    err = sl_cut_apply(r->shard->index, r->cut, &result, r->why);
    memset(r->cut, 0, sizeof *r->cut);
    return err;
}

/* The file of a large entity has its record. */
static enum sl_err keep_large(struct recovery *r, const struct sl_vlog_found *found)
{
    struct sl_large_record record;
    enum sl_err            err = sl_large_record_decode(found->record.payload, &record, r->why);

    if (err != SL_OK)
        return err;
    return sl_large_keep(r->shard->large, &record.ref, found->position.offset, r->why);
}

static enum sl_err replay_one(void *context, const struct sl_vlog_found *found)
{
    struct recovery    *r = context;
    struct sl_sort_note note;
    enum sl_err         err;

    if (!sl_sorter_has_room(r->cut) && (err = apply(r)) != SL_OK)
        return err;
    if (found->record.type == SL_VLOG_LARGE && (err = keep_large(r, found)) != SL_OK)
        return err;
    sl_pump_note_of(found, &note);
    sl_sorter_take(r->shard->sorter, &note, r->cut);
    r->records++;
    return SL_OK;
}

/* Files whose records were not read anew, because the index has them, stay; what a crash left
 * without a record goes. All before the next checkpoint of the index. */
static enum sl_err settle_large(struct sl_pump_shard *shard, uint64_t head, struct sl_why *why)
{
    uint32_t    count;
    uint64_t    first = sl_vlog_segments(shard->vlog, &count)->first;
    enum sl_err err = sl_large_sweep(shard->large, first, head, why);

    return err == SL_OK ? sl_large_sync(shard->large, why) : err;
}

/* The log is read from where the index ends; what is found there goes into the index. */
static enum sl_err recover_shard(struct sl_pump *pump, uint32_t k, struct sl_why *why)
{
    struct sl_pump_shard *shard = &pump->shard[k];
    struct sl_index_head  head;
    struct recovery       r = {.shard = shard, .why = why};
    enum sl_err           err;

    shard->index = sl_index_shard_of(pump->index, k);
    head = sl_index_head_of(shard->index);
    shard->sorter = sl_sorter_new(&head);
    if (pump->has_tikv)
        sl_sorter_verify_rollbacks(shard->sorter);
    if ((err = sl_index_each_unresolved(shard->index, restore_one, shard->sorter, why)) != SL_OK)
        return err;
    err = sl_large_open(pump->options.env->fs, pump->large_dir[k], &shard->large, why);
    if (err != SL_OK)
        return err;
    r.cut = calloc(1, sizeof *r.cut);
    SL_ASSERT(r.cut != NULL);
    err = sl_vlog_open(&pump->vlog_options[k], head.offset, replay_one, &r, &shard->vlog, why);
    if (err == SL_OK && r.records > 0)
        err = apply(&r);
    free(r.cut);
    if (err == SL_OK)
        err = settle_large(shard, head.offset, why);
    if (err != SL_OK)
        return sl_wrap(why, err, "shard %" PRIu32, k);
    if (r.records > 0)
        sl_log(SL_LOG_INFO, "log replayed", sl_field_u64("shard", k),
               sl_field_u64("records", r.records),
               sl_field_u64("unresolved", sl_sorter_unresolved(shard->sorter)));
    atomic_init(&pump->board.unresolved[k], sl_sorter_unresolved(shard->sorter));
    if (sl_sorter_newest(shard->sorter) > atomic_load(&pump->board.newest_commit))
        atomic_store(&pump->board.newest_commit, sl_sorter_newest(shard->sorter));
    return SL_OK;
}

/* What any shard has made durable raises the others, as marks do while actors run: the pump begins
 * with at least the watermark that it had (P5). */
static enum sl_err level_shard(struct sl_pump *pump, uint32_t k, struct sl_why *why)
{
    struct sl_pump_shard *shard = &pump->shard[k];
    struct recovery       r = {.shard = shard, .why = why};
    enum sl_err           err = SL_OK;

    if (sl_sorter_mark(shard->sorter, atomic_load(&pump->board.newest_commit))) {
        r.cut = calloc(1, sizeof *r.cut);
        SL_ASSERT(r.cut != NULL);
        err = apply(&r);
        free(r.cut);
    }
    atomic_init(&pump->board.watermark[k], sl_sorter_watermark(shard->sorter));
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "shard %" PRIu32, k);
}

/* ---- opening ---- */

static void index_says(void *context, bool is_error, const char *text)
{
    (void)context;
    sl_log(is_error ? SL_LOG_ERROR : SL_LOG_INFO, "index", sl_field_str("says", text));
}

/* All of the index can be derived: one that is damaged or gone is made anew from the logs. */
static enum sl_err open_index(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    char                          dir[SL_PATH_BYTES_MAX];
    struct sl_index_options       options = {.engine = o->engine,
                                             .fs = o->env->fs,
                                             .dir = dir,
                                             .shard_count = o->shards,
                                             .cache_bytes = o->index_cache_bytes,
                                             .log = index_says};
    enum sl_err                   err;

    if ((err = sl_path_join(dir, o->data_dir, "index", why)) != SL_OK)
        return err;
    err = sl_index_open(&options, &pump->index, why);
    if (err != SL_NOT_FOUND && err != SL_CORRUPT)
        return err;
    if (err == SL_CORRUPT)
        sl_log(SL_LOG_WARN, "index is damaged and is made anew from the log",
               sl_field_err(err, why));
    if ((err = sl_index_wipe(o->env->fs, dir, why)) != SL_OK)
        return err;
    options.create = true;
    return sl_index_open(&options, &pump->index, why);
}

static enum sl_err open_shards(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    enum sl_err                   err = SL_OK;

    for (uint32_t k = 0; k < o->shards && err == SL_OK; k++) {
        char name[SL_NAME_BYTES_MAX];

        snprintf(name, sizeof name, "shard-%" PRIu32, k);
        if ((err = sl_path_join(pump->log_dir[k], o->data_dir, name, why)) != SL_OK)
            return err;
        if ((err = sl_path_join(pump->large_dir[k], pump->log_dir[k], "large", why)) != SL_OK)
            return err;
        pump->vlog_options[k] = (struct sl_vlog_options){
            .fs = o->env->fs,
            .random = o->env->random,
            .dir = pump->log_dir[k],
            .identity = {.cluster_id = pump->cluster_id, .shard = k, .shard_count = o->shards},
            .segment_bytes = o->segment_bytes,
            .no_sync = o->no_sync,
        };
        err = recover_shard(pump, k, why);
    }
    for (uint32_t k = 0; k < o->shards && err == SL_OK; k++)
        err = level_shard(pump, k, why);
    return err;
}

static enum sl_err open_stores(struct sl_pump *pump, struct sl_why *why)
{
    enum sl_err err = open_index(pump, why);

    return err == SL_OK ? open_shards(pump, why) : err;
}

static void close_stores(struct sl_pump *pump)
{
    sl_index_close(&pump->index);
    for (uint32_t k = 0; k < pump->options.shards; k++) {
        sl_vlog_close(&pump->shard[k].vlog);
        sl_large_close(&pump->shard[k].large);
        sl_sorter_free(&pump->shard[k].sorter);
    }
}

/* With sync-log = false a loss of power may leave an index that knows more than the logs: it is
 * made anew from what they have. What is missing there was acknowledged, and is lost; that is what
 * this setting means. */
static enum sl_err open_without_index(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    char                          dir[SL_PATH_BYTES_MAX];
    enum sl_err                   err;

    sl_log(SL_LOG_WARN,
           "index and log do not agree, as after a loss of power with sync-log = false; "
           "the index is made anew from the log",
           sl_field_err(SL_CORRUPT, why));
    close_stores(pump);
    atomic_store(&pump->board.newest_commit, 0);
    if ((err = sl_path_join(dir, o->data_dir, "index", why)) != SL_OK)
        return err;
    if ((err = sl_index_wipe(o->env->fs, dir, why)) != SL_OK)
        return err;
    return open_stores(pump, why);
}

/* A cluster that cannot be reached now is waited for: which of the two starts first is nobody's
 * business. */
static enum sl_err learn_cluster_id(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    struct sl_cluster            *cluster;
    enum sl_err                   err;

    for (unsigned tries = 1;; tries++) {
        err = sl_cluster_open(o->env, o->pd_urls, &cluster, why);
        if (!sl_err_is_transient(err) || tries == SL_PUMP_CLUSTER_TRIES)
            break;
        sl_log(SL_LOG_WARN, "the cluster cannot be reached, trying again",
               sl_field_str("pd-urls", o->pd_urls), sl_field_err(err, why));
        sl_net_wait(o->env->net, NULL, 0,
                    sl_env_now(o->env) + (sl_nanos)SL_PUMP_CLUSTER_RETRY_MS * SL_NANOS_PER_MS);
    }
    if (err != SL_OK)
        return err;
    pump->cluster_id = sl_cluster_id(cluster);
    sl_cluster_free(&cluster);
    sl_log(SL_LOG_INFO, "get clusterID success", sl_field_u64("id", pump->cluster_id));
    return SL_OK;
}

/* What the directory says of itself rules over the configuration. */
static enum sl_err settle_identity(struct sl_pump *pump, struct sl_why *why)
{
    struct sl_pump_options         *o = &pump->options;
    const struct sl_data_dir        wanted = {.cluster_id = pump->cluster_id, .shards = o->shards};
    const struct sl_node_id_sources sources = {
        .configured = o->node_id, .host_name = o->host_name, .addr = o->addr};
    struct sl_data_dir dir;
    struct sl_why      note = {0};
    enum sl_err        err;

    err = sl_data_dir_settle(o->env->fs, o->data_dir, &wanted, o->shards_asked, &dir, why);
    if (err != SL_OK)
        return err;
    if (dir.shards > SL_PUMP_SHARDS_MAX)
        return sl_fail(why, SL_UNSUPPORTED,
                       "data-dir %s has %" PRIu32 " shards, at most %d are "
                       "supported",
                       o->data_dir, dir.shards, SL_PUMP_SHARDS_MAX);
    o->shards = dir.shards;
    err = sl_node_id_settle(o->env->fs, o->data_dir, &sources, pump->node_id, &note, why);
    if (err == SL_OK && note.text[0] != '\0')
        sl_log(SL_LOG_WARN, "node id", sl_field_str("note", note.text));
    return err;
}

static enum sl_err open_all(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    enum sl_err                   err;

    if ((err = sl_data_dir_lock(o->env->fs, o->data_dir, &pump->lock, why)) != SL_OK)
        return err;
    if ((err = learn_cluster_id(pump, why)) != SL_OK)
        return err;
    if ((err = settle_identity(pump, why)) != SL_OK)
        return err;
    if ((err = sl_pump_look_at_space(pump, why)) != SL_OK || (err = load_gc(pump, why)) != SL_OK)
        return err;
    err = open_stores(pump, why);
    if (err == SL_CORRUPT && o->no_sync)
        err = open_without_index(pump, why);
    return err == SL_OK ? sl_index_checkpoint(pump->index, why) : err;
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
    sl_pump_metrics_add(pump->metric_registry, &pump->metrics);
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
    char        local[SL_ADDR_BYTES_MAX];
    const char *port = strrchr(advertise, ':');

    sl_socket_local(pump->listener, local);
    if (port != NULL && strcmp(port, ":0") == 0)
        snprintf(pump->advertise, sizeof pump->advertise, "%.*s%s", (int)(port - advertise),
                 advertise, strrchr(local, ':'));
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
    close_stores(p);
    sl_file_close(&p->lock);
    sl_metric_registry_free(&p->metric_registry);
    free(p);
}
