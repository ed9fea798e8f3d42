#ifndef SL_TESTS_UNIT_STORAGE_VLOG_KIT_H
#define SL_TESTS_UNIT_STORAGE_VLOG_KIT_H

/* A value log on a simulated disk, and records that can be made again from their number alone, so
 * that a test need not keep what it wrote to know it when it comes back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "lib/env_sim.h"
#include "storage/vlog.h"

enum { KIT_PAYLOAD_BYTES_MAX = 9000, KIT_BATCH_MAX = 16, KIT_FOUND_MAX = 4096 };

static const char kit_dir[] = "/data/shard0";

/* ---- records by number ---- */

static inline size_t kit_payload_bytes(uint64_t id)
{
    struct sl_prng prng;

    sl_prng_seed(&prng, id);
    switch (sl_prng_below(&prng, 8)) {
    case 0: return 0;
    case 1: return KIT_PAYLOAD_BYTES_MAX;
    default: return (size_t)sl_prng_below(&prng, 1500);
    }
}

/* The record of this number; its payload is put to bytes[KIT_PAYLOAD_BYTES_MAX]. */
static inline struct sl_vlog_record kit_record(uint64_t id, uint8_t *bytes)
{
    size_t count = kit_payload_bytes(id);

    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)((id * 2654435761u + i * 40503u) >> 8);
    return (struct sl_vlog_record){
        .type = (enum sl_vlog_type)(SL_VLOG_PREWRITE + (int)(id % 5)),
        .flags = (uint8_t)(id * 7),
        .start_ts = id,
        .commit_ts = id % 2 == 0 ? 0 : 10 * id,
        .payload = {.bytes = bytes, .len = count},
    };
}

static inline bool kit_same(const struct sl_vlog_record *a, const struct sl_vlog_record *b)
{
    return a->type == b->type && a->flags == b->flags && a->start_ts == b->start_ts &&
           a->commit_ts == b->commit_ts && sl_slice_equal(a->payload, b->payload);
}

/* Is it, byte for byte, the record of the number it carries? */
static inline bool kit_is_whole(const struct sl_vlog_record *record)
{
    static uint8_t        bytes[KIT_PAYLOAD_BYTES_MAX];
    struct sl_vlog_record wanted = kit_record(record->start_ts, bytes);

    return kit_same(record, &wanted);
}

/* ---- a log ---- */

struct kit {
    struct sl_env_sim     *sim;
    const struct sl_env   *env;
    struct sl_vlog_options options;
    struct sl_vlog        *vlog;
    struct sl_why          why;
    /* What the last opening visited. */
    struct sl_position found[KIT_FOUND_MAX];
    uint64_t           found_id[KIT_FOUND_MAX];
    size_t             found_count;
};

static inline void kit_init(struct kit *k, uint64_t seed)
{
    *k = (struct kit){.sim = sl_env_sim_new(seed)};
    k->env = sl_env_sim_env(k->sim);
    k->options =
        (struct sl_vlog_options){.fs = k->env->fs,
                                 .random = k->env->random,
                                 .dir = kit_dir,
                                 .identity = {.cluster_id = 77, .shard = 1, .shard_count = 4},
                                 .segment_bytes = SL_VLOG_SEGMENT_BYTES_MIN};
    assert_int_equal(sl_fs_mkdir_all(k->env->fs, "/data", NULL), SL_OK);
    assert_int_equal(sl_fs_sync_dir(k->env->fs, "/", NULL), SL_OK);
}

static inline void kit_free(struct kit *k)
{
    sl_vlog_close(&k->vlog);
    sl_env_sim_free(&k->sim);
}

static inline enum sl_err kit_visit(void *context, const struct sl_vlog_found *found)
{
    struct kit *k = context;

    assert_true(kit_is_whole(&found->record));
    assert_true(k->found_count < KIT_FOUND_MAX);
    k->found[k->found_count] = found->position;
    k->found_id[k->found_count++] = found->record.start_ts;
    return SL_OK;
}

static inline enum sl_err kit_try_open(struct kit *k, uint64_t head)
{
    sl_vlog_close(&k->vlog);
    k->found_count = 0;
    k->why = (struct sl_why){0};
    return sl_vlog_open(&k->options, head, kit_visit, k, &k->vlog, &k->why);
}

static inline void kit_open(struct kit *k, uint64_t head)
{
    enum sl_err err = kit_try_open(k, head);

    if (err != SL_OK)
        print_error("open: %s\n", k->why.text);
    assert_int_equal(err, SL_OK);
}

/* Append records first..first + count - 1 as one batch. */
static inline enum sl_err kit_try_append(struct kit *k, uint64_t first, uint32_t count,
                                         struct sl_position *positions)
{
    static uint8_t        bytes[KIT_BATCH_MAX][KIT_PAYLOAD_BYTES_MAX];
    struct sl_vlog_record records[KIT_BATCH_MAX];

    assert_true(count <= KIT_BATCH_MAX);
    for (uint32_t i = 0; i < count; i++)
        records[i] = kit_record(first + i, bytes[i]);
    return sl_vlog_append(k->vlog, records, count, positions, &k->why);
}

static inline struct sl_position kit_append(struct kit *k, uint64_t first, uint32_t count)
{
    struct sl_position positions[KIT_BATCH_MAX];

    assert_int_equal(kit_try_append(k, first, count, positions), SL_OK);
    return positions[0];
}

/* Append records one by one from `first` on until the log has so many segments; the next number. */
static inline uint64_t kit_fill_segments(struct kit *k, uint64_t first, uint32_t segments)
{
    uint32_t count = 0;

    while (sl_vlog_segments(k->vlog, &count), count < segments)
        (void)kit_append(k, first++, 1);
    return first;
}

/* The last opening visited exactly the records first..first + count - 1, in order. */
static inline void kit_assert_found(const struct kit *k, uint64_t first, uint64_t count)
{
    assert_int_equal(k->found_count, count);
    for (size_t i = 0; i < k->found_count; i++)
        assert_int_equal(k->found_id[i], first + i);
}

static inline uint32_t kit_segment_count(const struct kit *k)
{
    uint32_t count;

    (void)sl_vlog_segments(k->vlog, &count);
    return count;
}

static inline struct sl_vlog_segment kit_segment(const struct kit *k, uint32_t i)
{
    uint32_t                      count;
    const struct sl_vlog_segment *all = sl_vlog_segments(k->vlog, &count);

    assert_true(i < count);
    return all[i];
}

/* ---- records of one size ---- */

/* So that an old one behind a cut stands just where a new one ends. 112 bytes each in the log. */
static inline struct sl_position kit_append_alike(struct kit *k, uint64_t id, uint32_t count)
{
    struct sl_vlog_record records[KIT_BATCH_MAX];
    struct sl_position    positions[KIT_BATCH_MAX];
    char                  text[64];

    memset(text, (int)('a' + id % 20), sizeof text);
    for (uint32_t i = 0; i < count; i++)
        records[i] = (struct sl_vlog_record){
            .type = SL_VLOG_PREWRITE,
            .start_ts = id + i,
            .payload = {.bytes = (const uint8_t *)text, .len = sizeof text}};
    assert_int_equal(sl_vlog_append(k->vlog, records, count, positions, &k->why), SL_OK);
    return positions[0];
}

static inline enum sl_err kit_note_id(void *context, const struct sl_vlog_found *found)
{
    struct kit *k = context;

    k->found_id[k->found_count++] = found->record.start_ts;
    return SL_OK;
}

static inline void kit_open_alike(struct kit *k)
{
    sl_vlog_close(&k->vlog);
    k->found_count = 0;
    assert_int_equal(sl_vlog_open(&k->options, 0, kit_note_id, k, &k->vlog, &k->why), SL_OK);
}

/* ---- the files behind its back ---- */

static inline struct sl_file *kit_segment_file(struct kit *k, unsigned number)
{
    struct sl_file *file;
    char            path[128];

    (void)snprintf(path, sizeof path, "%s/%08u.seg", kit_dir, number);
    assert_int_equal(sl_fs_open(k->env->fs, path, SL_OPEN_READ | SL_OPEN_WRITE, &file, NULL),
                     SL_OK);
    return file;
}

static inline void kit_read(struct kit *k, unsigned number, uint64_t at, void *bytes, size_t count)
{
    struct sl_file *file = kit_segment_file(k, number);
    size_t          got;

    assert_int_equal(sl_file_read_at(file, at, bytes, count, &got, NULL), SL_OK);
    assert_int_equal(got, count);
    sl_file_close(&file);
}

static inline void kit_write(struct kit *k, unsigned number, uint64_t at, const void *bytes,
                             size_t count)
{
    struct sl_file *file = kit_segment_file(k, number);

    assert_int_equal(sl_file_write_at(file, at, bytes, count, NULL), SL_OK);
    assert_int_equal(sl_file_sync(file, NULL), SL_OK);
    sl_file_close(&file);
}

/* Flip a bit of a segment's file. */
static inline void kit_damage(struct kit *k, unsigned number, uint64_t at)
{
    uint8_t byte;

    kit_read(k, number, at, &byte, 1);
    byte ^= 0x10;
    kit_write(k, number, at, &byte, 1);
}

#endif
