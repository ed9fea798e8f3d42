/* The index on WiredTiger 3.2. Three kinds of files, all without a log:
 *
 *     entries-<shard>.wt     commit ts, start ts -> type, position of C, position of P
 *     unresolved-<shard>.wt  start ts -> bound, position of P
 *     meta.wt                shard -> head offset, watermark, newest commit ts
 *                            META_FORMAT -> shard count, format version, 0; written last at creation
 *
 * A cut is one transaction over all three, and only whole databases are checkpointed, so that a
 * checkpoint is a state between two cuts (I1). A session belongs to one shard, one cursor object or
 * the checkpoints, and is used by one thread at a time, as WiredTiger demands. */

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wiredtiger.h>

#include "base/assert.h"
#include "storage/index_private.h"

enum { META_FORMAT = UINT16_MAX, FORMAT_VERSION = 1, URI_BYTES = 64, CONFIG_BYTES = 512 };
static_assert((int)SL_INDEX_SHARDS_MAX < (int)META_FORMAT, "a row of its own");
/* Sessions that WiredTiger opens for its own threads, with room to spare. */
enum { OWN_SESSIONS = 32 };

/* Hears what WiredTiger says. Keeps the first error since the last failed(), which names the cause;
 * the rest are its consequences. */
struct wt_ear {
    WT_EVENT_HANDLER handler;
    sl_index_log     log;
    void            *log_context;
    atomic_bool heard; /* who sets it owns text; read when no one can speak any more: relaxed */
    char        text[SL_WHY_BYTES_MAX];
};

struct wt_session {
    WT_SESSION   *session;
    struct wt_ear ear; /* the session points here: must not be moved */
};

struct wt_db {
    struct sl_index_db base;
    WT_CONNECTION     *conn;
    struct wt_ear      ear; /* of the connection and its own threads */
    struct wt_session  checkpoint;
};

struct wt_shard {
    struct sl_index_shard base;
    struct wt_session     own;
    uint32_t              number;
    WT_CURSOR            *entries;
    WT_CURSOR            *unresolved;
    WT_CURSOR            *meta;
};

struct wt_cursor {
    struct sl_index_cursor base;
    struct wt_session      own;
    WT_CURSOR             *entries;
};

/* ---- errors and messages ---- */

/* Damage, and everything that says so in other words, is SL_CORRUPT: the index is rebuilt. */
static enum sl_err err_of(int ret)
{
    switch (ret) {
    case WT_NOTFOUND: return SL_NOT_FOUND;
    case WT_DUPLICATE_KEY: return SL_EXISTS;
    case WT_ROLLBACK:
    case WT_RESTART:
    case WT_PREPARE_CONFLICT: return SL_AGAIN;
    case WT_CACHE_FULL: return SL_FULL;
    case WT_ERROR:
    case WT_PANIC:
    case WT_RUN_RECOVERY:
    case WT_TRY_SALVAGE:
    case ENOENT:
    case EINVAL: return SL_CORRUPT;
    default: return sl_err_from_errno(ret);
    }
}

/* What follows "[time][process:thread], ". */
static const char *without_prefix(const char *message)
{
    const char *end = message[0] == '[' ? strstr(message, "], ") : NULL;

    return end == NULL ? message : end + strlen("], ");
}

static int hear_error(WT_EVENT_HANDLER *handler, WT_SESSION *session, int error,
                      const char *message)
{
    struct wt_ear *ear = (struct wt_ear *)handler;
    const char    *text = without_prefix(message);

    (void)session;
    (void)error;
    if (!atomic_exchange_explicit(&ear->heard, true, memory_order_relaxed))
        (void)snprintf(ear->text, sizeof ear->text, "%s", text);
    if (ear->log != NULL)
        ear->log(ear->log_context, true, text);
    return 0;
}

static int hear_message(WT_EVENT_HANDLER *handler, WT_SESSION *session, const char *message)
{
    struct wt_ear *ear = (struct wt_ear *)handler;

    (void)session;
    if (ear->log != NULL)
        ear->log(ear->log_context, false, without_prefix(message));
    return 0;
}

static void ear_init(struct wt_ear *ear, sl_index_log log, void *log_context)
{
    *ear = (struct wt_ear){.handler = {.handle_error = hear_error, .handle_message = hear_message},
                           .log = log,
                           .log_context = log_context};
}

static enum sl_err failed(struct wt_ear *ear, int ret, const char *verb, struct sl_why *why)
{
    bool heard = atomic_exchange_explicit(&ear->heard, false, memory_order_relaxed);

    return sl_fail(why, err_of(ret), "%s: %s", verb, heard ? ear->text : wiredtiger_strerror(ret));
}

/* ---- sessions ---- */

static enum sl_err session_open(struct wt_db *db, struct wt_session *own, struct sl_why *why)
{
    int ret;

    ear_init(&own->ear, db->ear.log, db->ear.log_context);
    ret = db->conn->open_session(db->conn, &own->ear.handler, NULL, &own->session);
    return ret == 0 ? SL_OK : failed(&own->ear, ret, "open session", why);
}

static void session_close(struct wt_session *own)
{
    if (own->session != NULL)
        (void)own->session->close(own->session, NULL);
    own->session = NULL;
}

static enum sl_err table_open(struct wt_session *own, const char *kind, uint32_t shard,
                              WT_CURSOR **out, struct sl_why *why)
{
    char uri[URI_BYTES];
    int  ret;

    (void)snprintf(uri, sizeof uri, "file:%s-%" PRIu32 ".wt", kind, shard);
    ret = own->session->open_cursor(own->session, uri, NULL, NULL, out);
    return ret == 0 ? SL_OK : failed(&own->ear, ret, "open table", why);
}

static int meta_cursor(struct wt_session *own, WT_CURSOR **out)
{
    return own->session->open_cursor(own->session, "file:meta.wt", NULL, NULL, out);
}

/* ---- shards ---- */

static int get_entry(WT_CURSOR *c, struct sl_index_entry *out)
{
    struct sl_position *commit = &out->commit;
    struct sl_position *prewrite = &out->prewrite;
    int                 ret = c->get_key(c, &out->commit_ts, &out->start_ts);

    if (ret != 0)
        return ret;
    return c->get_value(c, &out->type, &commit->offset, &commit->bytes, &prewrite->offset,
                        &prewrite->bytes);
}

static int get_unresolved(WT_CURSOR *c, struct sl_index_unresolved *out)
{
    int ret = c->get_key(c, &out->start_ts);

    if (ret != 0)
        return ret;
    return c->get_value(c, &out->bound, &out->prewrite.offset, &out->prewrite.bytes);
}

static int put_entries(WT_CURSOR *c, const struct sl_index_cut *cut)
{
    int ret = 0;

    for (uint32_t i = 0; ret == 0 && i < cut->entry_count; i++) {
        const struct sl_index_entry *e = &cut->entries[i];

        c->set_key(c, e->commit_ts, e->start_ts);
        c->set_value(c, e->type, e->commit.offset, e->commit.bytes, e->prewrite.offset,
                     e->prewrite.bytes);
        ret = c->insert(c);
    }
    return ret;
}

static int put_unresolved(WT_CURSOR *c, const struct sl_index_cut *cut)
{
    int ret = 0;

    for (uint32_t i = 0; ret == 0 && i < cut->opened_count; i++) {
        const struct sl_index_unresolved *u = &cut->opened[i];

        c->set_key(c, u->start_ts);
        c->set_value(c, u->bound, u->prewrite.offset, u->prewrite.bytes);
        ret = c->insert(c);
    }
    for (uint32_t i = 0; ret == 0 && i < cut->settled_count; i++) {
        c->set_key(c, cut->settled[i]);
        ret = c->remove(c);
        if (ret == WT_NOTFOUND)
            ret = 0;
    }
    return ret;
}

static int put_meta(WT_CURSOR *c, uint32_t row, uint64_t a, int64_t b, int64_t d)
{
    c->set_key(c, row);
    c->set_value(c, a, b, d);
    return c->insert(c);
}

/* End the transaction, whose cursors it resets; an error before or in the commit undoes it. */
static int end_transaction(WT_SESSION *session, int ret)
{
    if (ret == 0)
        return session->commit_transaction(session, NULL);
    (void)session->rollback_transaction(session, NULL);
    return ret;
}

static enum sl_err wt_apply(struct sl_index_shard *shard, const struct sl_index_cut *cut,
                            struct sl_why *why)
{
    struct wt_shard *s = (struct wt_shard *)shard;
    WT_SESSION      *session = s->own.session;
    int              ret;

    if ((ret = session->begin_transaction(session, "isolation=snapshot")) != 0)
        return failed(&s->own.ear, ret, "begin", why);
    if ((ret = put_entries(s->entries, cut)) == 0 &&
        (ret = put_unresolved(s->unresolved, cut)) == 0)
        ret = put_meta(s->meta, s->number, cut->head.offset, cut->head.watermark,
                       cut->head.max_commit_ts);
    ret = end_transaction(session, ret);
    return ret == 0 ? SL_OK : failed(&s->own.ear, ret, "cut", why);
}

/* After a search or a step of this cursor. SL_NOT_FOUND without a word. */
static enum sl_err found(struct wt_shard *s, int ret, struct sl_why *why)
{
    if (ret == 0)
        return SL_OK;
    return ret == WT_NOTFOUND ? SL_NOT_FOUND : failed(&s->own.ear, ret, "search index", why);
}

static enum sl_err wt_find(struct sl_index_shard *shard, int64_t commit_ts, int64_t start_ts,
                           struct sl_index_entry *out, struct sl_why *why)
{
    struct wt_shard      *s = (struct wt_shard *)shard;
    WT_CURSOR            *c = s->entries;
    struct sl_index_entry entry;
    int                   ret;

    c->set_key(c, commit_ts, start_ts);
    if ((ret = c->search(c)) == 0 && (ret = get_entry(c, &entry)) == 0)
        *out = entry;
    (void)c->reset(c);
    return found(s, ret, why);
}

static enum sl_err wt_find_unresolved(struct sl_index_shard *shard, int64_t start_ts,
                                      struct sl_index_unresolved *out, struct sl_why *why)
{
    struct wt_shard           *s = (struct wt_shard *)shard;
    WT_CURSOR                 *c = s->unresolved;
    struct sl_index_unresolved unresolved;
    int                        ret;

    c->set_key(c, start_ts);
    if ((ret = c->search(c)) == 0 && (ret = get_unresolved(c, &unresolved)) == 0)
        *out = unresolved;
    (void)c->reset(c);
    return found(s, ret, why);
}

static enum sl_err wt_each_unresolved(struct sl_index_shard *shard, sl_index_visit visit,
                                      void *context, struct sl_why *why)
{
    struct wt_shard           *s = (struct wt_shard *)shard;
    WT_CURSOR                 *c = s->unresolved;
    struct sl_index_unresolved unresolved;
    enum sl_err                err = SL_OK;
    int                        ret;

    while (err == SL_OK && (ret = c->next(c)) == 0 && (ret = get_unresolved(c, &unresolved)) == 0)
        err = visit(context, &unresolved);
    (void)c->reset(c);
    if (err != SL_OK)
        return err;
    err = found(s, ret, why);
    return err == SL_NOT_FOUND ? SL_OK : err; /* the end */
}

/* Leave the cursor at the last entry to remove; *count 0: there is none. */
static int find_stop(WT_CURSOR *c, int64_t up_to, uint32_t *count)
{
    int64_t commit_ts, start_ts;
    int     ret = 0;

    *count = 0;
    while (*count < SL_INDEX_CUT_ITEMS_MAX) {
        if ((ret = c->next(c)) != 0)
            break;
        if ((ret = c->get_key(c, &commit_ts, &start_ts)) != 0)
            return ret;
        if (commit_ts > up_to)
            break;
        ++*count;
    }
    if (ret != 0 && ret != WT_NOTFOUND)
        return ret;
    if (*count > 0 && *count < SL_INDEX_CUT_ITEMS_MAX)
        return c->prev(c); /* from the first one to stay, or from the end */
    return 0;
}

static enum sl_err wt_remove(struct sl_index_shard *shard, int64_t up_to, uint32_t *removed,
                             struct sl_why *why)
{
    struct wt_shard *s = (struct wt_shard *)shard;
    WT_SESSION      *session = s->own.session;
    uint32_t         count = 0;
    int              ret;

    if ((ret = session->begin_transaction(session, "isolation=snapshot")) != 0)
        return failed(&s->own.ear, ret, "begin", why);
    ret = find_stop(s->entries, up_to, &count);
    if (ret == 0 && count > 0)
        ret = session->truncate(session, NULL, NULL, s->entries, NULL);
    ret = end_transaction(session, ret);
    if (ret != 0)
        return failed(&s->own.ear, ret, "remove", why);
    *removed = count;
    return SL_OK;
}

/* ---- cursors ---- */

static void wt_cursor_close(struct sl_index_cursor *cursor)
{
    struct wt_cursor *c = (struct wt_cursor *)cursor;

    session_close(&c->own);
    free(c);
}

static enum sl_err wt_cursor_open(struct sl_index_shard *shard, struct sl_index_cursor **out,
                                  struct sl_why *why)
{
    struct wt_cursor *c = calloc(1, sizeof *c);
    enum sl_err       err;

    SL_ASSERT(c != NULL);
    if ((err = session_open((struct wt_db *)shard->db, &c->own, why)) != SL_OK ||
        (err = table_open(&c->own, "entries", ((struct wt_shard *)shard)->number, &c->entries,
                          why)) != SL_OK) {
        wt_cursor_close(&c->base);
        return err;
    }
    *out = &c->base;
    return SL_OK;
}

/* Go to the first entry after (commit_ts, start_ts). */
static int seek_after(WT_CURSOR *c, int64_t commit_ts, int64_t start_ts)
{
    int exact;
    int ret;

    c->set_key(c, commit_ts, start_ts);
    if ((ret = c->search_near(c, &exact)) != 0 || exact > 0)
        return ret;
    return c->next(c);
}

static enum sl_err wt_cursor_next(struct sl_index_cursor *cursor, int64_t bound,
                                  struct sl_index_entry *out, uint32_t room, uint32_t *count,
                                  struct sl_why *why)
{
    struct wt_cursor *cur = (struct wt_cursor *)cursor;
    WT_SESSION       *session = cur->own.session;
    WT_CURSOR        *c = cur->entries;
    uint32_t          got = 0;
    int               ret;

    if ((ret = session->begin_transaction(session, "isolation=snapshot")) != 0)
        return failed(&cur->own.ear, ret, "begin", why);
    ret = seek_after(c, cursor->commit_ts, cursor->start_ts);
    while (ret == 0 && (ret = get_entry(c, &out[got])) == 0) {
        if (out[got].commit_ts > bound || ++got == room)
            break;
        ret = c->next(c);
    }
    ret = end_transaction(session, ret == WT_NOTFOUND ? 0 : ret);
    if (ret != 0)
        return failed(&cur->own.ear, ret, "next entries", why);
    *count = got;
    return SL_OK;
}

/* ---- the database ---- */

static enum sl_err wt_checkpoint(struct sl_index_db *base, struct sl_why *why)
{
    struct wt_db *db = (struct wt_db *)base;
    int           ret = db->checkpoint.session->checkpoint(db->checkpoint.session, NULL);

    return ret == 0 ? SL_OK : failed(&db->checkpoint.ear, ret, "write", why);
}

/* Also from the middle of a failed open. */
static void wt_free(struct wt_db *db)
{
    for (uint32_t i = 0; i < db->base.shard_count; i++) {
        struct wt_shard *s = (struct wt_shard *)db->base.shards[i];

        if (s != NULL)
            session_close(&s->own);
        free(s);
    }
    session_close(&db->checkpoint);
    if (db->conn != NULL)
        (void)db->conn->close(db->conn,
                              NULL); /* checkpoints what is left, or leaves the last one */
    free(db->base.shards);
    free(db);
}

static void wt_close(struct sl_index_db *base)
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
        (ret = meta_cursor(own, &meta)) != 0)
        return failed(&own->ear, ret, "create tables", why);
    for (uint32_t i = 0; ret == 0 && i < shard_count; i++)
        ret = put_meta(meta, i, 0, 0, 0);
    if (ret == 0)
        ret = put_meta(meta, META_FORMAT, shard_count, FORMAT_VERSION, 0);
    (void)meta->close(meta);
    if (ret != 0)
        return failed(&own->ear, ret, "create tables", why);
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
    return ret == 0 ? SL_OK : failed(&own->ear, ret, "read meta.wt", why);
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

    if ((ret = meta_cursor(own, &meta)) != 0)
        return failed(&own->ear, ret, "open meta.wt", why);
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
    if ((err = session_open(db, &s->own, why)) != SL_OK ||
        (err = table_open(&s->own, "entries", number, &s->entries, why)) != SL_OK ||
        (err = table_open(&s->own, "unresolved", number, &s->unresolved, why)) != SL_OK)
        return err;
    if ((ret = meta_cursor(&s->own, &s->meta)) != 0)
        return failed(&s->own.ear, ret, "open meta.wt", why);
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

static enum sl_err connect_to(struct wt_db *db, const struct sl_index_options *options, bool create,
                              struct sl_why *why)
{
    char config[CONFIG_BYTES];
    int  ret;

    (void)snprintf(config, sizeof config,
                   "create=%s,config_base=false,use_environment=false,log=(enabled=false),"
                   "cache_size=%" PRIu64 ",session_max=%d,mmap=false,statistics=(none),"
                   "eviction=(threads_min=1,threads_max=1),file_manager=(close_idle_time=0)",
                   create ? "true" : "false", options->cache_bytes,
                   SL_INDEX_CURSORS_MAX + SL_INDEX_SHARDS_MAX + OWN_SESSIONS);
    ret = wiredtiger_open(options->dir, &db->ear.handler, config, &db->conn);
    return ret == 0 ? SL_OK : failed(&db->ear, ret, "WiredTiger", why);
}

static enum sl_err open_all(struct wt_db *db, const struct sl_index_options *options, bool create,
                            struct sl_why *why)
{
    enum sl_err err;

    if ((err = connect_to(db, options, create, why)) != SL_OK ||
        (err = session_open(db, &db->checkpoint, why)) != SL_OK)
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

static const struct index_ops wt_ops = {
    .checkpoint = wt_checkpoint,
    .close = wt_close,
    .apply = wt_apply,
    .find = wt_find,
    .find_unresolved = wt_find_unresolved,
    .each_unresolved = wt_each_unresolved,
    .remove = wt_remove,
    .cursor_open = wt_cursor_open,
    .cursor_next = wt_cursor_next,
    .cursor_close = wt_cursor_close,
};

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
    ear_init(&db->ear, options->log, options->log_context);
    if ((err = open_all(db, options, !there, why)) != SL_OK) {
        wt_free(db);
        return err;
    }
    *out = &db->base;
    return SL_OK;
}
