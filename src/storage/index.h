#ifndef SL_STORAGE_INDEX_H
#define SL_STORAGE_INDEX_H

/* The index of a pump: for each shard, which transactions its value log holds, by commit ts, and
 * which prewrites still wait for their commit. All of it can be derived from the log, so it has
 * no log of its own: what was applied since the last checkpoint is lost in a crash, and the
 * caller replays its value log from the head that the index then has.
 *
 *     sorter --cut--> sl_index_apply      one cut, one transaction: all of it or nothing
 *                     sl_index_checkpoint  all shards at once, one consistent state of each
 *     puller <------- sl_index_cursor      batches by commit ts, from any thread
 *
 * Promises, numbered for assertions and tests:
 *   I1  After any crash the contents of a shard are those after one of its cuts, at or after the
 *       last checkpoint that returned SL_OK; head, entries and unresolved prewrites agree.
 *   I2  One call of a reader sees all of a cut or nothing of it, and every cut applied before it.
 *   I3  Head, watermark and newest commit ts of a shard never fall.
 *
 * Two engines behind one interface: WiredTiger, and a plain one for simulation, which keeps all
 * in memory and writes one file at each checkpoint.
 *
 * Threads. A shard (apply, find, remove, ...) is used by one thread at a time, a cursor too;
 * shards, cursors and checkpoint may run at the same time in different threads. The plain engine
 * is for one thread. Every call may block for the disk. */

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "storage/position.h"

/* A transaction, or a mark without a prewrite. Timestamps are TSO. */
struct sl_index_entry {
    int64_t            commit_ts; /* at least 0; with start_ts, the key */
    int64_t            start_ts;
    uint32_t           type;     /* of the record at `commit`; not looked at here */
    struct sl_position commit;   /* bytes > 0 */
    struct sl_position prewrite; /* bytes 0: it has none */
};

/* A prewrite whose outcome is not known yet. */
struct sl_index_unresolved {
    int64_t            start_ts; /* the key */
    int64_t            bound;    /* its commit ts will be above this */
    struct sl_position prewrite; /* bytes > 0 */
};

/* How far a shard is. All zero in a new index. */
struct sl_index_head {
    uint64_t offset;        /* of the value log: everything before it is in the index */
    int64_t  watermark;     /* no transaction at or below it is still to come */
    int64_t  max_commit_ts; /* newest one published */
};

/* What is applied at once. Borrowed arrays, in any order. An entry or prewrite that is there
 * already is replaced; one that is to be settled and is not there is no error: replay repeats
 * cuts. First `opened`, then `settled`: a prewrite in both is gone. */
struct sl_index_cut {
    const struct sl_index_entry      *entries;
    const struct sl_index_unresolved *opened;
    const int64_t                    *settled;     /* start_ts of prewrites no longer unresolved */
    uint32_t                          entry_count; /* each at most SL_INDEX_CUT_ITEMS_MAX */
    uint32_t                          opened_count;
    uint32_t                          settled_count;
    struct sl_index_head              head; /* after this cut; nothing in it lower than before */
};

/* Which engine keeps it: WiredTiger on a real disk, the plain one in simulation. */
enum sl_index_engine { SL_INDEX_WIREDTIGER, SL_INDEX_PLAIN };

/* A line from the engine, as it says it; called from any thread, the engine's own included. */
typedef void (*sl_index_log)(void *context, bool is_error, const char *text);

/* How to open an index. Borrowed for the call; `fs` and `log_context` for as long as it is open. */
struct sl_index_options {
    enum sl_index_engine engine;
    struct sl_fs *fs;  /* WiredTiger reads and writes by itself; its folder must be on Linux */
    const char   *dir; /* data-dir/index: nobody else's files are in it */
    uint32_t      shard_count; /* 1..SL_INDEX_SHARDS_MAX; the same at each open */
    uint64_t      cache_bytes; /* WiredTiger's; 0: SL_INDEX_CACHE_BYTES */
    bool          create;      /* make a new one where there is none */
    sl_index_log  log;         /* or NULL */
    void         *log_context;
};

struct sl_index_db;
struct sl_index_shard;
struct sl_index_cursor;

/* Open the index as the last checkpoint left it. Owned: sl_index_close. Errors:
 *   SL_NOT_FOUND  there is none, and create is false
 *   SL_CORRUPT    files are missing or damaged, creation was interrupted, or the shard count is
 *                 another one: close nothing, sl_index_wipe, open with create, replay the whole log
 *   SL_IN_USE     another process has it open
 * and what the disk says (SL_NOSPACE, SL_DENIED, SL_IO, ...). */
enum sl_err sl_index_open(const struct sl_index_options *options, struct sl_index_db **out,
                          struct sl_why *why);
/* Checkpoint if that is still possible, close, and null the pointer. Cursors must be closed before.
 * *db may be NULL. */
void sl_index_close(struct sl_index_db **db);
/* Remove the files of a closed index and its folder. SL_OK when there is nothing. */
enum sl_err sl_index_wipe(struct sl_fs *fs, const char *dir, struct sl_why *why);

/* Make all that was applied so far survive a crash. Applying goes on meanwhile: later cuts may
 * be in or not. One thread at a time. After SL_CORRUPT the index is beyond use: close, wipe,
 * rebuild; after another error it goes on, and the checkpoint before holds. */
enum sl_err sl_index_checkpoint(struct sl_index_db *db, struct sl_why *why);

/* Shard 0..shard_count-1; borrowed, valid until the index is closed. */
struct sl_index_shard *sl_index_shard_of(struct sl_index_db *db, uint32_t shard);

/* Where the shard is: after open what the checkpoint has, then what was applied last. Does not
 * block. */
struct sl_index_head sl_index_head_of(const struct sl_index_shard *shard);

/* Apply a cut. SL_OK: readers see it now. Any error: nothing of it was applied; SL_AGAIN and
 * SL_NOSPACE may be tried again, after SL_CORRUPT see sl_index_checkpoint. */
enum sl_err sl_index_apply(struct sl_index_shard *shard, const struct sl_index_cut *cut,
                           struct sl_why *why);

/* The transaction with this commit ts and this start ts: there already, a commit is a repeat.
 * SL_NOT_FOUND sets no reason. */
enum sl_err sl_index_find(struct sl_index_shard *shard, int64_t commit_ts, int64_t start_ts,
                          struct sl_index_entry *out, struct sl_why *why);
/* The unresolved prewrite of this start ts. SL_NOT_FOUND sets no reason. */
enum sl_err sl_index_find_unresolved(struct sl_index_shard *shard, int64_t start_ts,
                                     struct sl_index_unresolved *out, struct sl_why *why);

/* Anything but SL_OK ends the visit with that error. */
typedef enum sl_err (*sl_index_visit)(void *context, const struct sl_index_unresolved *unresolved);
/* Visit the unresolved prewrites by start ts. The visitor must not use the shard. */
enum sl_err sl_index_each_unresolved(struct sl_index_shard *shard, sl_index_visit visit,
                                     void *context, struct sl_why *why);

/* Remove the oldest entries with commit ts at or below `up_to`, at most SL_INDEX_CUT_ITEMS_MAX
 * of them, as one transaction; *removed is how many. Call again while that is
 * SL_INDEX_CUT_ITEMS_MAX. */
enum sl_err sl_index_remove(struct sl_index_shard *shard, int64_t up_to, uint32_t *removed,
                            struct sl_why *why);

/* A reader of the entries with commit ts above `after`, in order of commit ts, then start ts.
 * Owned: sl_index_cursor_close. Between two calls it holds nothing of the engine's cache.
 * SL_FULL beyond SL_INDEX_CURSORS_MAX. Any thread. */
enum sl_err sl_index_cursor_open(struct sl_index_shard *shard, int64_t after,
                                 struct sl_index_cursor **out, struct sl_why *why);
/* The next entries with commit ts at or below `bound`, at most `room`, into out; *count of them.
 * Fewer than room: there are no more for now. What is inserted later behind the place reached is
 * not seen. After SL_AGAIN the same call may be tried again. */
enum sl_err sl_index_cursor_next(struct sl_index_cursor *cursor, int64_t bound,
                                 struct sl_index_entry *out, uint32_t room, uint32_t *count,
                                 struct sl_why *why);
/* sl_index_find_unresolved for the thread of a cursor, which keeps its place. */
enum sl_err sl_index_cursor_unresolved(struct sl_index_cursor *cursor, int64_t start_ts,
                                       struct sl_index_unresolved *out, struct sl_why *why);
/* Close and null the pointer. *cursor may be NULL. */
void sl_index_cursor_close(struct sl_index_cursor **cursor);

#endif
