#ifndef SL_TESTS_SIM_PULL_WORLD_H
#define SL_TESTS_SIM_PULL_WORLD_H

/* What a puller reads, and what it must make of it: the logs and the index of a small pump, filled
 * with transactions by the caller's choice, and beside them the list of entities that a reader is
 * to get, made by protobuf-c.
 *
 * Commit ts are drawn from one counter. A transaction has its commit ts only after its prewrite is
 * in the log, and a shard's watermark is what a sorter would say. One world at a time; asserts with
 * cmocka. */

#include "actors/pump/pump.h"
#include "base/buf.h"
#include "base/ts.h"
#include "binlog/record.h"

enum {
    WORLD_ENTRIES_MAX = 4096,
    WORLD_OPEN_MAX = 64,
    WORLD_SEGMENT_BYTES = SL_VLOG_SEGMENT_BYTES_MIN,
};

/* An entry of the index. */
struct world_entry {
    struct sl_index_entry index;
    uint32_t              shard;
    struct sl_buf        *entity; /* owned; NULL: a reader does not get it */
};

/* A prewrite without commit. */
struct world_open {
    sl_ts              start_ts;
    sl_ts              commit_ts; /* 0: not drawn */
    sl_ts              bound;
    uint32_t           shard;
    struct sl_position prewrite;
    size_t             value_bytes;
};

struct world {
    struct sl_pump pump; /* options.shards, index, vlog_options, shard[].vlog and .index, board */
    char           dirs[SL_PUMP_SHARDS_MAX][SL_NAME_BYTES_MAX];
    sl_ts          clock;                    /* the newest timestamp drawn */
    sl_ts          newest;                   /* commit ts in a log */
    sl_ts          told[SL_PUMP_SHARDS_MAX]; /* watermarks */
    struct world_open  open[WORLD_OPEN_MAX];
    uint32_t           open_count;
    struct world_entry entries[WORLD_ENTRIES_MAX]; /* by commit ts */
    uint32_t           entry_count;
    bool               is_published[WORLD_ENTRIES_MAX];
};

extern struct world world;

/* Make an empty pump of so many shards in this environment. */
void world_begin(const struct sl_env *env, uint32_t shards);
void world_end(void);

/* A prewrite with so many bytes of value; its place in world.open. */
uint32_t world_prewrite(size_t value_bytes);
/* The same in a file of its own, of the folder "/large-SHARD". */
uint32_t world_prewrite_large(size_t value_bytes);
/* Draw the commit ts of an open transaction. */
void world_draw(uint32_t open);
/* Its commit, or a record of a type nobody knows; draws when nobody has. */
void world_commit(uint32_t open, int32_t type);
/* Nothing more is heard of it. */
void world_rollback(uint32_t open);
void world_fake(void);
/* A commit whose prewrite is not here. */
void world_orphan(void);
/* Another transaction with the newest commit ts; before any shard has published that. */
void world_repeat(void);
/* A whole transaction with a commit ts below what was told; no reader need get it. */
void world_late(sl_ts commit_ts);

/* Put what is new into the shard's index; the watermark a puller may be told. */
sl_ts world_publish(uint32_t shard);
/* Raise gc_ts and remove what it allows. */
void world_remove(sl_ts gc_ts);

/* The commit ts of an entity; asserts that it is one, and *is_fake: an unstored fake's bytes. */
sl_ts world_ts_of(const struct sl_buf *entity, bool *is_fake);

#endif
