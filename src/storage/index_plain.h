#ifndef SL_STORAGE_INDEX_PLAIN_H
#define SL_STORAGE_INDEX_PLAIN_H

/* The plain index: sorted arrays in memory, and the one file that a checkpoint makes of them. */

#include <stddef.h>

#include "storage/index_private.h"

struct plain_shard {
    struct sl_index_shard       base;
    struct sl_index_entry      *entries;    /* owned; by commit ts, then start ts */
    struct sl_index_unresolved *unresolved; /* owned; by start ts */
    size_t                      entry_count;
    size_t                      entry_slots;
    size_t                      unresolved_count;
    size_t                      unresolved_slots;
};

/* Make room for `count` of each kind. */
void plain_reserve_entries(struct plain_shard *shard, size_t count);
void plain_reserve_unresolved(struct plain_shard *shard, size_t count);

/* Replace the file in dir by the shards. SL_OK: durable; else the old one holds. */
enum sl_err plain_save(struct sl_fs *fs, const char *dir, struct plain_shard *const *shards,
                       uint32_t shard_count, struct sl_why *why);
/* Fill the empty shards from the file in dir. SL_NOT_FOUND, SL_CORRUPT as sl_index_open. */
enum sl_err plain_load(struct sl_fs *fs, const char *dir, struct plain_shard *const *shards,
                       uint32_t shard_count, struct sl_why *why);

#endif
