#ifndef SL_STORAGE_INDEX_WT_H
#define SL_STORAGE_INDEX_WT_H

/* The index on WiredTiger 3.2. Three kinds of files, all without a log:
 *
 *     entries-<shard>.wt     commit ts, start ts -> type, position of C, position of P
 *     unresolved-<shard>.wt  start ts -> bound, position of P
 *     meta.wt                shard -> head offset, watermark, newest commit ts
 *                            META_FORMAT -> shard count, format version, 0; written last
 *
 * A cut is one transaction over all three, and only whole databases are checkpointed, so that a
 * checkpoint is a state between two cuts (I1). A session belongs to one shard, one cursor object
 * or the checkpoints, and is used by one thread at a time, as WiredTiger demands. */

#include <stdint.h>

#include "storage/index_private.h"

/* WiredTiger's own, which <wiredtiger.h> calls WT_CONNECTION, WT_SESSION, ... */
struct __wt_connection;
struct __wt_cursor;
struct __wt_event_handler;
struct __wt_session;

/* Hears what WiredTiger says and tells the log callback. */
struct wt_ear;

/* A session and what is said while it is used. */
struct wt_session {
    struct __wt_session *session;
    struct wt_ear       *ear; /* owned */
};

struct wt_db {
    struct sl_index_db      base;
    struct __wt_connection *conn;
    struct wt_ear          *ear; /* owned; of the connection and its own threads */
    struct wt_session       checkpoint;
    sl_index_log            log; /* or NULL */
    void                   *log_context;
};

struct wt_shard {
    struct sl_index_shard base;
    struct wt_session     own;
    uint32_t              number;
    struct __wt_cursor   *entries;
    struct __wt_cursor   *unresolved;
    struct __wt_cursor   *meta;
};

/* ---- index_wt.c: what is said, sessions, shards and cursors ---- */

/* Freed with free, when nobody can speak any more. */
struct wt_ear             *wt_ear_new(sl_index_log log, void *log_context);
struct __wt_event_handler *wt_ear_handler(struct wt_ear *ear);
/* The error for WiredTiger's return code; the reason is the first thing the ear heard. */
enum sl_err wt_failed(struct wt_ear *ear, int ret, const char *verb, struct sl_why *why);

/* After an error too, close. */
enum sl_err wt_session_open(struct wt_db *db, struct wt_session *own, struct sl_why *why);
void        wt_session_close(struct wt_session *own);

/* Put a row into meta.wt. Returns WiredTiger's code, as the next one. */
int wt_meta_put(struct __wt_cursor *meta, uint32_t row, uint64_t a, int64_t b, int64_t c);
/* A cursor on meta.wt. */
int wt_meta_open(struct wt_session *own, struct __wt_cursor **out);
/* A cursor on a shard's file of this kind. */
enum sl_err wt_table_open(struct wt_session *own, const char *kind, uint32_t shard,
                          struct __wt_cursor **out, struct sl_why *why);

extern const struct index_ops wt_ops;

/* ---- index_wt_open.c: creation, opening, checkpoints, closing ---- */

enum sl_err wt_checkpoint(struct sl_index_db *db, struct sl_why *why);
void        wt_close(struct sl_index_db *db);

#endif
