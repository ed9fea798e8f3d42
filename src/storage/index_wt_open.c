#include "storage/index_wt.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <wiredtiger.h>

#include "base/assert.h"

enum { META_FORMAT = UINT16_MAX, FORMAT_VERSION = 1, URI_BYTES = 64, CONFIG_BYTES = 512 };
static_assert((int)SL_INDEX_SHARDS_MAX < (int)META_FORMAT, "a row of its own");
/* Sessions that WiredTiger opens for its own threads, with room to spare. */
enum { OWN_SESSIONS = 32 };

enum sl_err wt_checkpoint(struct sl_index_db *base, struct sl_why *why)
{
    struct wt_db *db = (struct wt_db *)base;
    int           ret = db->checkpoint.session->checkpoint(db->checkpoint.session, NULL);

    return ret == 0 ? SL_OK : wt_failed(db->checkpoint.ear, ret, "write", why);
}

/* Also from the middle of a failed open. */
static void wt_free(struct wt_db *db)
{
    for (uint32_t i = 0; i < db->base.shard_count; i++) {
        struct wt_shard *s = (struct wt_shard *)db->base.shards[i];

        if (s != NULL)
            wt_session_close(&s->own);
        free(s);
    }
    wt_session_close(&db->checkpoint);
    if (db->conn != NULL)
        (void)db->conn->close(db->conn,
                              NULL); /* checkpoints what is left, or leaves the last one */
    free(db->ear);
    free(db->base.shards);
    free(db);
}

void wt_close(struct sl_index_db *base)
{
    (void)wt_checkpoint(base, NULL); /* the log callback has heard why not */
    wt_free((struct wt_db *)base);
}

static int create_tables(WT_SESSION *session, uint32_t shard_count)
{
    int  ret = session->create(session, "file:meta.wt", "key_format=I,value_format=Qqq");
    char uri[URI_BYTES];

    for (uint32_t i = 0; ret == 0 && i < shard_count; i++) {
        (void)snprintf(uri, sizeof uri, "file:entries-%" PRIu32 ".wt", i);
        ret = session->create(session, uri,
                              "key_format=qq,value_format=IQIQI,prefix_compression=true,"
                              "leaf_page_max=16KB,memory_page_max=1MB");
        if (ret != 0)
            break;
        (void)snprintf(uri, sizeof uri, "file:unresolved-%" PRIu32 ".wt", i);
        ret = session->create(session, uri,
                              "key_format=q,value_format=qQI,leaf_page_max=16KB,"
                              "memory_page_max=1MB");
    }
    return ret;
}

/* Make the tables; the format row and its checkpoint come last, so that half an index has none. */
static enum sl_err create_all(struct wt_db *db, uint32_t shard_count, struct sl_why *why)
{
    struct wt_session *own = &db->checkpoint;
    WT_CURSOR         *meta;
    int                ret;

    if ((ret = create_tables(own->session, shard_count)) != 0 ||
        (ret = wt_meta_open(own, &meta)) != 0)
        return wt_failed(own->ear, ret, "create tables", why);
    for (uint32_t i = 0; ret == 0 && i < shard_count; i++)
        ret = wt_meta_put(meta, i, 0, 0, 0);
    if (ret == 0)
        ret = wt_meta_put(meta, META_FORMAT, shard_count, FORMAT_VERSION, 0);
    (void)meta->close(meta);
    if (ret != 0)
        return wt_failed(own->ear, ret, "create tables", why);
    return wt_checkpoint(&db->base, why);
}

/* One row of meta. A missing one is damage. */
static enum sl_err get_meta(struct wt_session *own, WT_CURSOR *meta, uint32_t row, uint64_t *a,
                            int64_t *b, int64_t *c, struct sl_why *why)
{
    int ret;

    meta->set_key(meta, row);
    ret = meta->search(meta);
    if (ret == WT_NOTFOUND)
        return sl_fail(why, SL_CORRUPT, "row %" PRIu32 " of meta.wt is missing", row);
    if (ret == 0)
        ret = meta->get_value(meta, a, b, c);
    (void)meta->reset(meta);
    return ret == 0 ? SL_OK : wt_failed(own->ear, ret, "read meta.wt", why);
}

static enum sl_err check_format(struct wt_db *db, uint32_t shard_count, struct sl_why *why)
{
    struct wt_session *own = &db->checkpoint;
    WT_CURSOR         *meta;
    uint64_t           shards = 0;
    int64_t            version = 0;
    int64_t            unused;
    enum sl_err        err;
    int                ret;

    if ((ret = wt_meta_open(own, &meta)) != 0)
        return wt_failed(own->ear, ret, "open meta.wt", why);
    err = get_meta(own, meta, META_FORMAT, &shards, &version, &unused, why);
    (void)meta->close(meta);
    if (err != SL_OK)
        return err;
    if (version != FORMAT_VERSION)
        return sl_fail(why, SL_CORRUPT, "format %" PRId64 ", not %d", version, FORMAT_VERSION);
    if (shards != shard_count)
        return sl_fail(why, SL_CORRUPT, "of %" PRIu64 " shards, not %" PRIu32, shards, shard_count);
    return SL_OK;
}

static enum sl_err shard_open(struct wt_db *db, uint32_t number, struct sl_why *why)
{
    struct wt_shard      *s = calloc(1, sizeof *s);
    struct sl_index_head *head = &s->base.head;
    enum sl_err           err;
    int                   ret;

    SL_ASSERT(s != NULL);
    db->base.shards[number] = &s->base;
    s->base.db = &db->base;
    s->number = number;
    if ((err = wt_session_open(db, &s->own, why)) != SL_OK ||
        (err = wt_table_open(&s->own, "entries", number, &s->entries, why)) != SL_OK ||
        (err = wt_table_open(&s->own, "unresolved", number, &s->unresolved, why)) != SL_OK)
        return err;
    if ((ret = wt_meta_open(&s->own, &s->meta)) != 0)
        return wt_failed(s->own.ear, ret, "open meta.wt", why);
    return get_meta(&s->own, s->meta, number, &head->offset, &head->watermark, &head->max_commit_ts,
                    why);
}

static enum sl_err note_any(void *context, const char *name)
{
    (void)name;
    *(bool *)context = true;
    return SL_OK;
}

/* Is there an index? Files without WiredTiger's own first one are the rest of one. */
static enum sl_err look(const struct sl_index_options *options, bool *there, struct sl_why *why)
{
    char                path[SL_PATH_BYTES_MAX];
    struct sl_file_info info;
    bool                any = false;
    enum sl_err         err;

    if ((err = sl_path_join(path, options->dir, "WiredTiger", why)) != SL_OK)
        return err;
    err = sl_fs_info(options->fs, path, &info, why);
    *there = err == SL_OK;
    if (err != SL_NOT_FOUND)
        return err;
    err = sl_fs_list(options->fs, options->dir, note_any, &any, why);
    if (err == SL_OK && any)
        return sl_fail(why, SL_CORRUPT, "files, but none named WiredTiger");
    if (err != SL_OK && err != SL_NOT_FOUND)
        return err;
    return options->create ? SL_OK : sl_fail(why, SL_NOT_FOUND, "there is none");
}

/* The threads that WiredTiger starts inherit a mask that holds all signals: those are for the
 * program's own threads. */
static enum sl_err connect_to(struct wt_db *db, const struct sl_index_options *options, bool create,
                              struct sl_why *why)
{
    char     config[CONFIG_BYTES];
    sigset_t all;
    sigset_t before;
    int      ret;

    (void)snprintf(config, sizeof config,
                   "create=%s,config_base=false,use_environment=false,log=(enabled=false),"
                   "cache_size=%" PRIu64 ",session_max=%d,mmap=false,statistics=(none),"
                   "eviction=(threads_min=1,threads_max=1),file_manager=(close_idle_time=0)",
                   create ? "true" : "false", options->cache_bytes,
                   SL_INDEX_CURSORS_MAX + SL_INDEX_SHARDS_MAX + OWN_SESSIONS);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    ret = wiredtiger_open(options->dir, wt_ear_handler(db->ear), config, &db->conn);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ret == 0 ? SL_OK : wt_failed(db->ear, ret, "WiredTiger", why);
}

static enum sl_err open_all(struct wt_db *db, const struct sl_index_options *options, bool create,
                            struct sl_why *why)
{
    enum sl_err err;

    if ((err = connect_to(db, options, create, why)) != SL_OK ||
        (err = wt_session_open(db, &db->checkpoint, why)) != SL_OK)
        return err;
    if (create && (err = create_all(db, options->shard_count, why)) != SL_OK)
        return err;
    if ((err = check_format(db, options->shard_count, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < options->shard_count; i++) {
        if ((err = shard_open(db, i, why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

enum sl_err index_wt_open(const struct sl_index_options *options, struct sl_index_db **out,
                          struct sl_why *why)
{
    struct wt_db *db;
    bool          there = false;
    enum sl_err   err;

    if ((err = look(options, &there, why)) != SL_OK)
        return err;
    db = calloc(1, sizeof *db);
    SL_ASSERT(db != NULL);
    db->base.ops = &wt_ops;
    db->base.shard_count = options->shard_count;
    db->base.shards = calloc(options->shard_count, sizeof(struct sl_index_shard *));
    SL_ASSERT(db->base.shards != NULL);
    db->log = options->log;
    db->log_context = options->log_context;
    db->ear = wt_ear_new(db->log, db->log_context);
    if ((err = open_all(db, options, !there, why)) != SL_OK) {
        wt_free(db);
        return err;
    }
    *out = &db->base;
    return SL_OK;
}
