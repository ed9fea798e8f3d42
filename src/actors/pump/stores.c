#include "actors/pump/stores.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/pump/cut.h"
#include "actors/pump/pump.h"
#include "actors/pump/sort_core.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/record.h"

/* ---- recovery of a shard ---- */

/* What a record of the log says to the sorter. */
static void note_of(const struct sl_vlog_found *found, struct sl_sort_note *out)
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
    note_of(found, &note);
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

static void measure(void *context, enum sl_vlog_part part, sl_nanos took)
{
    static const enum sl_pump_write_part parts[] = {
        [SL_VLOG_PART_WRITE] = SL_PUMP_PART_TO_DISK,
        [SL_VLOG_PART_SYNC] = SL_PUMP_PART_FSYNC,
        [SL_VLOG_PART_ROTATE] = SL_PUMP_PART_ROTATE,
    };
    const struct sl_pump_metrics *metrics = context;

    sl_metric_observe(metrics->write_seconds[parts[part]], (double)took / (double)SL_NANOS_PER_S);
}

static enum sl_err open_shards(struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_options *o = &pump->options;
    enum sl_err                   err = SL_OK;

    pump->vlog_watch = (struct sl_vlog_watch){o->env, measure, &pump->metrics};
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
            .watch = &pump->vlog_watch,
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

void sl_pump_stores_close(struct sl_pump *pump)
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
    sl_pump_stores_close(pump);
    atomic_store(&pump->board.newest_commit, 0);
    if ((err = sl_path_join(dir, o->data_dir, "index", why)) != SL_OK)
        return err;
    if ((err = sl_index_wipe(o->env->fs, dir, why)) != SL_OK)
        return err;
    return open_stores(pump, why);
}

enum sl_err sl_pump_stores_open(struct sl_pump *pump, struct sl_why *why)
{
    enum sl_err err = open_stores(pump, why);

    if (err == SL_CORRUPT && pump->options.no_sync)
        err = open_without_index(pump, why);
    return err == SL_OK ? sl_index_checkpoint(pump->index, why) : err;
}
