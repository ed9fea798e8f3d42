#ifndef SL_STORAGE_INDEX_PRIVATE_H
#define SL_STORAGE_INDEX_PRIVATE_H

/* What the engines of storage/index.h implement. The front (index.c) has checked all arguments; an
 * engine's structs begin with these. */

#include "storage/index.h"

/* One engine. */
struct index_ops {
    enum sl_err (*checkpoint)(struct sl_index_db *db, struct sl_why *why);
    void (*close)(struct sl_index_db *db);
    enum sl_err (*apply)(struct sl_index_shard *shard, const struct sl_index_cut *cut,
                         struct sl_why *why);
    enum sl_err (*find)(struct sl_index_shard *shard, int64_t commit_ts, int64_t start_ts,
                        struct sl_index_entry *out, struct sl_why *why);
    enum sl_err (*find_unresolved)(struct sl_index_shard *shard, int64_t start_ts,
                                   struct sl_index_unresolved *out, struct sl_why *why);
    enum sl_err (*each_unresolved)(struct sl_index_shard *shard, sl_index_visit visit,
                                   void *context, struct sl_why *why);
    enum sl_err (*remove)(struct sl_index_shard *shard, int64_t up_to, uint32_t *removed,
                          struct sl_why *why);
    /* Sets *out; the front sets its base and place. */
    enum sl_err (*cursor_open)(struct sl_index_shard *shard, struct sl_index_cursor **out,
                               struct sl_why *why);
    /* Entries after the cursor's place; the front moves the place. */
    enum sl_err (*cursor_next)(struct sl_index_cursor *cursor, int64_t bound,
                               struct sl_index_entry *out, uint32_t room, uint32_t *count,
                               struct sl_why *why);
    enum sl_err (*cursor_unresolved)(struct sl_index_cursor *cursor, int64_t start_ts,
                                     struct sl_index_unresolved *out, struct sl_why *why);
    void (*cursor_close)(struct sl_index_cursor *cursor);
};

/* The head of an engine's database. */
struct sl_index_db {
    const struct index_ops *ops;
    struct sl_index_shard **shards; /* owned by the engine */
    uint32_t                shard_count;
    _Atomic uint32_t        cursor_count; /* open ones; a mere count, so relaxed order suffices */
};

/* The head of an engine's shard. */
struct sl_index_shard {
    struct sl_index_db  *db;
    struct sl_index_head head; /* the engine sets it at open, the front after each cut */
};

/* The head of an engine's cursor. */
struct sl_index_cursor {
    struct sl_index_shard *shard;
    int64_t                commit_ts; /* of the last entry given; at first (after, INT64_MAX) */
    int64_t                start_ts;
};

/* The engines' sl_index_open; the folder exists, or create is false. */
enum sl_err index_wt_open(const struct sl_index_options *options, struct sl_index_db **out,
                          struct sl_why *why);
enum sl_err index_plain_open(const struct sl_index_options *options, struct sl_index_db **out,
                             struct sl_why *why);

#endif
