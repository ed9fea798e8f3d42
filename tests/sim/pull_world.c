#include "sim/pull_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog.pb-c.h"
#include "pump.pb-c.h"

enum { KEY_BYTES = 12, QUERY_BYTES = 9, TS_STEP_MS_MAX = 3 };

struct world world;

/* ---- entities, as protobuf-c writes them ---- */

static struct sl_buf *packed(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, buf->data);
    return buf;
}

static Sluice__Binlog binlog_of(int32_t type, sl_ts start_ts, sl_ts commit_ts)
{
    Sluice__Binlog binlog = SLUICE__BINLOG__INIT;

    binlog.has_tp = true;
    binlog.tp = (Sluice__BinlogType)type;
    binlog.has_start_ts = true;
    binlog.start_ts = start_ts;
    binlog.has_commit_ts = true;
    binlog.commit_ts = commit_ts;
    binlog.has_ddl_job_id = true;
    binlog.has_ddl_schema_state = true;
    return binlog;
}

static struct sl_buf *entity_of(const Sluice__Binlog *binlog)
{
    struct sl_buf         *payload = packed(&binlog->base);
    Sluice__Pos            pos = SLUICE__POS__INIT;
    Sluice__Meta           meta = SLUICE__META__INIT;
    Sluice__Entity         entity = SLUICE__ENTITY__INIT;
    Sluice__PullBinlogResp resp = SLUICE__PULL_BINLOG_RESP__INIT;
    struct sl_buf         *buf;

    meta.start_ts = binlog->start_ts;
    meta.commit_ts = binlog->commit_ts;
    entity.pos = &pos;
    entity.meta = &meta;
    entity.payload = (ProtobufCBinaryData){payload->len, payload->data};
    resp.entity = &entity;
    buf = packed(&resp.base);
    sl_buf_free(&payload);
    return buf;
}

/* The bytes of one transaction: all follow from its start ts. */
struct content {
    uint8_t  key[KEY_BYTES];
    uint8_t  query[QUERY_BYTES];
    uint8_t *value;
};

static struct content content_of(sl_ts start_ts, size_t value_bytes)
{
    struct content c = {.value = malloc(value_bytes + 1)};

    assert_non_null(c.value);
    memset(c.key, (int)(start_ts % 251), sizeof c.key);
    memset(c.query, (int)(start_ts % 241), sizeof c.query);
    memset(c.value, (int)(start_ts % 239), value_bytes);
    return c;
}

static bool is_ddl(sl_ts start_ts)
{
    return start_ts % 7 == 0;
}

static struct sl_buf *joined(const struct world_open *o, int32_t type)
{
    struct content c = content_of(o->start_ts, o->value_bytes);
    Sluice__Binlog binlog = binlog_of(type, o->start_ts, o->commit_ts);
    struct sl_buf *entity;

    binlog.has_prewrite_key = true;
    binlog.prewrite_key = (ProtobufCBinaryData){sizeof c.key, c.key};
    binlog.has_prewrite_value = true;
    binlog.prewrite_value = (ProtobufCBinaryData){o->value_bytes, c.value};
    if (is_ddl(o->start_ts)) {
        binlog.has_ddl_query = true;
        binlog.ddl_query = (ProtobufCBinaryData){sizeof c.query, c.query};
        binlog.ddl_job_id = 77;
    }
    entity = entity_of(&binlog);
    free(c.value);
    return entity;
}

sl_ts world_ts_of(const struct sl_buf *entity, bool *is_fake)
{
    Sluice__PullBinlogResp *resp =
        sluice__pull_binlog_resp__unpack(NULL, entity->len, entity->data);
    Sluice__Binlog fake;
    struct sl_buf *bytes;
    sl_ts          ts;

    assert_true(resp != NULL && resp->entity != NULL && resp->entity->meta != NULL);
    ts = resp->entity->meta->commit_ts;
    sluice__pull_binlog_resp__free_unpacked(resp, NULL);
    fake = binlog_of(SLUICE__BINLOG_TYPE__ROLLBACK, ts, ts);
    bytes = entity_of(&fake);
    *is_fake = sl_slice_equal(sl_slice_from_buf(bytes), sl_slice_from_buf(entity));
    sl_buf_free(&bytes);
    return ts;
}

/* ---- life ---- */

void world_begin(const struct sl_env *env, uint32_t shards)
{
    struct sl_index_options index = {.engine = SL_INDEX_PLAIN,
                                     .fs = env->fs,
                                     .dir = "/index",
                                     .shard_count = shards,
                                     .create = true};

    memset(&world, 0, sizeof world);
    world.clock = sl_ts_of_ms(1000);
    world.pump.options.shards = shards;
    world.pump.metric_registry = sl_metric_registry_new();
    sl_pump_metrics_add(world.pump.metric_registry, &world.pump.board, &world.pump.metrics);
    assert_int_equal(sl_index_open(&index, &world.pump.index, NULL), SL_OK);
    for (uint32_t k = 0; k < shards; k++) {
        struct sl_vlog_options *log = &world.pump.vlog_options[k];

        snprintf(world.dirs[k], sizeof world.dirs[k], "/log-%u", k);
        *log = (struct sl_vlog_options){
            .fs = env->fs,
            .random = env->random,
            .dir = world.dirs[k],
            .identity = {.cluster_id = 1, .shard = k, .shard_count = shards},
            .segment_bytes = WORLD_SEGMENT_BYTES};
        assert_int_equal(sl_vlog_open(log, 0, NULL, NULL, &world.pump.shard[k].vlog, NULL), SL_OK);
        (void)snprintf(world.pump.large_dir[k], sizeof world.pump.large_dir[k], "/large-%u", k);
        assert_int_equal(
            sl_large_open(env->fs, world.pump.large_dir[k], &world.pump.shard[k].large, NULL),
            SL_OK);
        world.pump.shard[k].index = sl_index_shard_of(world.pump.index, k);
    }
}

void world_end(void)
{
    for (uint32_t k = 0; k < world.pump.options.shards; k++) {
        sl_vlog_close(&world.pump.shard[k].vlog);
        sl_large_close(&world.pump.shard[k].large);
    }
    sl_index_close(&world.pump.index);
    sl_metric_registry_free(&world.pump.metric_registry);
    for (uint32_t i = 0; i < world.entry_count; i++)
        sl_buf_free(&world.entries[i].entity);
    world.entry_count = 0;
}

/* ---- writing ---- */

/* Several in a millisecond, then some milliseconds later. */
static sl_ts draw(void)
{
    world.clock += world.clock % 5 == 0 ? sl_ts_of_ms(world.clock % TS_STEP_MS_MAX + 1) + 1 : 1;
    return world.clock;
}

static uint32_t shard_of(sl_ts start_ts)
{
    return (uint32_t)(start_ts % world.pump.options.shards);
}

static struct sl_position append_bytes(uint32_t shard, enum sl_vlog_type type,
                                       const struct sl_record *r, struct sl_slice payload)
{
    struct sl_vlog_record record = {.type = type,
                                    .start_ts = (uint64_t)r->start_ts,
                                    .commit_ts = (uint64_t)r->commit_ts,
                                    .payload = payload};
    struct sl_position    position;

    assert_int_equal(sl_vlog_append(world.pump.shard[shard].vlog, &record, 1, &position, NULL),
                     SL_OK);
    return position;
}

static struct sl_position append(uint32_t shard, enum sl_vlog_type type, const struct sl_record *r)
{
    struct sl_buf     *payload = sl_buf_new(sl_record_encoded_bytes(r));
    struct sl_position position;

    sl_record_encode(r, payload->data);
    position = append_bytes(shard, type, r, sl_slice_from_buf(payload));
    sl_buf_free(&payload);
    return position;
}

/* The record in a file, and a reference to it in the log. */
static struct sl_position append_large(uint32_t shard, struct sl_record *r)
{
    struct sl_pump_shard  *s = &world.pump.shard[shard];
    size_t                 head = sl_record_head_bytes(r);
    struct sl_large_record reference = {
        .has_value = true, .value_at = head, .value_bytes = r->prewrite_value.len};
    struct sl_buf          *bytes = sl_buf_new(sl_record_encoded_bytes(r));
    struct sl_large_writer *writer;
    struct sl_position      position;
    uint8_t                 rest[256];
    uint8_t                 payload[512];

    sl_record_encode(r, bytes->data);
    assert_int_equal(sl_large_create(s->large, &writer, NULL), SL_OK);
    assert_int_equal(sl_large_append(writer, sl_slice_from_buf(bytes), NULL), SL_OK);
    assert_int_equal(sl_large_finish(&writer, &reference.ref, NULL), SL_OK);
    sl_buf_free(&bytes);
    r->prewrite_value = (struct sl_slice){0};
    assert_true(sl_record_encoded_bytes(r) <= sizeof rest);
    sl_record_encode(r, rest);
    reference.rest = (struct sl_slice){rest, sl_record_encoded_bytes(r)};
    sl_large_record_encode(&reference, payload);
    position = append_bytes(shard, SL_VLOG_LARGE, r,
                            (struct sl_slice){payload, sl_large_record_bytes(&reference)});
    assert_int_equal(sl_large_keep(s->large, &reference.ref, position.offset, NULL), SL_OK);
    return position;
}

static struct world_entry *add_entry(uint32_t shard, struct sl_index_entry entry)
{
    struct world_entry *e = &world.entries[world.entry_count];

    assert_true(world.entry_count < WORLD_ENTRIES_MAX);
    world.is_published[world.entry_count++] = false;
    *e = (struct world_entry){.index = entry, .shard = shard};
    if (entry.commit_ts > world.newest)
        world.newest = entry.commit_ts;
    return e;
}

/* So that the list of entries is by commit ts. */
static void sort_in(void)
{
    for (uint32_t i = world.entry_count - 1; i > 0; i--) {
        struct world_entry last = world.entries[i];
        bool               published = world.is_published[i];

        if (world.entries[i - 1].index.commit_ts <= last.index.commit_ts)
            return;
        world.entries[i] = world.entries[i - 1];
        world.is_published[i] = world.is_published[i - 1];
        world.entries[i - 1] = last;
        world.is_published[i - 1] = published;
    }
}

static uint32_t prewrite(size_t value_bytes, bool is_large)
{
    struct world_open *o = &world.open[world.open_count];
    struct content     c;
    struct sl_record   r;

    assert_true(world.open_count < WORLD_OPEN_MAX);
    *o = (struct world_open){.start_ts = draw(), .value_bytes = value_bytes};
    o->shard = shard_of(o->start_ts);
    o->bound = o->start_ts > world.newest ? o->start_ts : world.newest;
    c = content_of(o->start_ts, value_bytes);
    r = (struct sl_record){.type = SL_RECORD_PREWRITE,
                           .start_ts = o->start_ts,
                           .prewrite_key = {c.key, sizeof c.key},
                           .prewrite_value = {c.value, value_bytes},
                           .has_schema_state = true};
    if (is_ddl(o->start_ts)) {
        r.ddl_query = (struct sl_slice){c.query, sizeof c.query};
        r.ddl_job_id = 77;
    }
    o->prewrite = is_large ? append_large(o->shard, &r) : append(o->shard, SL_VLOG_PREWRITE, &r);
    free(c.value);
    return world.open_count++;
}

uint32_t world_prewrite(size_t value_bytes)
{
    return prewrite(value_bytes, false);
}

uint32_t world_prewrite_large(size_t value_bytes)
{
    return prewrite(value_bytes, true);
}

void world_draw(uint32_t open)
{
    if (world.open[open].commit_ts == 0)
        world.open[open].commit_ts = draw();
}

void world_commit(uint32_t open, int32_t type)
{
    struct world_open  o;
    struct content     c;
    struct sl_record   r;
    struct sl_position commit;

    world_draw(open);
    o = world.open[open];
    c = content_of(o.start_ts, 0);
    r = (struct sl_record){.type = type,
                           .start_ts = o.start_ts,
                           .commit_ts = o.commit_ts,
                           .prewrite_key = {c.key, sizeof c.key},
                           .has_schema_state = true};
    commit = append(o.shard, SL_VLOG_COMMIT, &r);
    add_entry(o.shard, (struct sl_index_entry){.commit_ts = o.commit_ts,
                                               .start_ts = o.start_ts,
                                               .type = (uint32_t)type,
                                               .commit = commit,
                                               .prewrite = o.prewrite})
        ->entity = joined(&o, type);
    sort_in();
    free(c.value);
    world_rollback(open);
}

void world_rollback(uint32_t open)
{
    world.open[open] = world.open[--world.open_count];
}

void world_fake(void)
{
    struct sl_record   r = sl_record_fake(draw());
    Sluice__Binlog     binlog = binlog_of(SLUICE__BINLOG_TYPE__ROLLBACK, r.start_ts, r.commit_ts);
    uint32_t           shard = shard_of(r.start_ts);
    struct sl_position place = append(shard, SL_VLOG_FAKE, &r);

    add_entry(shard, (struct sl_index_entry){.commit_ts = r.commit_ts,
                                             .start_ts = r.start_ts,
                                             .type = SL_RECORD_ROLLBACK,
                                             .commit = place})
        ->entity = entity_of(&binlog);
}

void world_orphan(void)
{
    sl_ts            start_ts = draw();
    struct sl_record r = {
        .type = SL_RECORD_COMMIT, .start_ts = start_ts, .commit_ts = draw(), .ddl_job_id = 1};
    uint32_t           shard = shard_of(start_ts);
    struct sl_position place = append(shard, SL_VLOG_COMMIT, &r);

    add_entry(shard, (struct sl_index_entry){.commit_ts = r.commit_ts,
                                             .start_ts = start_ts,
                                             .type = SL_RECORD_COMMIT,
                                             .commit = place});
}

void world_repeat(void)
{
    sl_ts    newest = world.newest;
    uint32_t open = world_prewrite(10);

    world.open[open].commit_ts = newest;
    world_commit(open, SL_RECORD_COMMIT);
}

void world_late(sl_ts commit_ts)
{
    uint32_t            open = world_prewrite(10);
    struct world_entry *e;

    world.open[open].commit_ts = commit_ts;
    world_commit(open, SL_RECORD_COMMIT);
    e = &world.entries[world.entry_count - 1];
    while (e->index.commit_ts != commit_ts)
        e--;
    sl_buf_free(&e->entity);
}

/* ---- the index ---- */

sl_ts world_publish(uint32_t shard)
{
    static struct sl_index_entry entries[WORLD_ENTRIES_MAX];
    struct sl_index_cut          cut = {.entries = entries};
    sl_ts                        watermark = world.newest;

    for (uint32_t i = 0; i < world.entry_count; i++) {
        if (world.is_published[i] || world.entries[i].shard != shard)
            continue;
        world.is_published[i] = true;
        entries[cut.entry_count++] = world.entries[i].index;
    }
    for (uint32_t i = 0; i < world.open_count; i++) {
        if (world.open[i].shard == shard && world.open[i].bound < watermark)
            watermark = world.open[i].bound;
    }
    assert_true(watermark >= world.told[shard]); /* or the world is wrong */
    world.told[shard] = watermark;
    cut.head = (struct sl_index_head){.offset = sl_vlog_end(world.pump.shard[shard].vlog),
                                      .watermark = watermark,
                                      .max_commit_ts = watermark};
    assert_int_equal(sl_index_apply(world.pump.shard[shard].index, &cut, NULL), SL_OK);
    return watermark;
}

static uint64_t least_offset_needed(uint32_t shard, sl_ts gc_ts)
{
    uint64_t least = sl_vlog_end(world.pump.shard[shard].vlog);

    for (uint32_t i = 0; i < world.entry_count; i++) {
        const struct sl_index_entry *e = &world.entries[i].index;

        if (world.entries[i].shard != shard || e->commit_ts <= gc_ts)
            continue;
        if (e->commit.offset < least)
            least = e->commit.offset;
        if (e->prewrite.bytes > 0 && e->prewrite.offset < least)
            least = e->prewrite.offset;
    }
    for (uint32_t i = 0; i < world.open_count; i++) {
        if (world.open[i].shard == shard && world.open[i].prewrite.offset < least)
            least = world.open[i].prewrite.offset;
    }
    return least;
}

void world_remove(sl_ts gc_ts)
{
    atomic_store_explicit(&world.pump.board.gc_ts, gc_ts, memory_order_relaxed);
    for (uint32_t k = 0; k < world.pump.options.shards; k++) {
        struct sl_pump_shard *shard = &world.pump.shard[k];
        uint32_t              removed;

        do {
            assert_int_equal(sl_index_remove(shard->index, gc_ts, &removed, NULL), SL_OK);
        } while (removed == SL_INDEX_CUT_ITEMS_MAX);
        assert_int_equal(sl_vlog_remove_before(shard->vlog, least_offset_needed(k, gc_ts), NULL),
                         SL_OK);
    }
}
