#include "storage/index_wt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wiredtiger.h>

#include "base/assert.h"

enum { URI_BYTES = 64 };

/* Keeps the first error since the last failed(), which names the cause;
 * the rest are its consequences. */
struct wt_ear {
    WT_EVENT_HANDLER handler;
    sl_index_log     log;
    void            *log_context;
    atomic_bool heard; /* who sets it owns text; read when no one can speak any more: relaxed */
    char        text[SL_WHY_BYTES_MAX];
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

struct wt_ear *wt_ear_new(sl_index_log log, void *log_context)
{
    struct wt_ear *ear = calloc(1, sizeof *ear);

    SL_ASSERT(ear != NULL);
    ear->handler = (WT_EVENT_HANDLER){.handle_error = hear_error, .handle_message = hear_message};
    ear->log = log;
    ear->log_context = log_context;
    return ear;
}

WT_EVENT_HANDLER *wt_ear_handler(struct wt_ear *ear)
{
    return &ear->handler;
}

enum sl_err wt_failed(struct wt_ear *ear, int ret, const char *verb, struct sl_why *why)
{
    bool heard = atomic_exchange_explicit(&ear->heard, false, memory_order_relaxed);

    return sl_fail(why, err_of(ret), "%s: %s", verb, heard ? ear->text : wiredtiger_strerror(ret));
}

/* ---- sessions ---- */

enum sl_err wt_session_open(struct wt_db *db, struct wt_session *own, struct sl_why *why)
{
    int ret;

    own->ear = wt_ear_new(db->log, db->log_context);
    ret = db->conn->open_session(db->conn, &own->ear->handler, NULL, &own->session);
    return ret == 0 ? SL_OK : wt_failed(own->ear, ret, "open session", why);
}

void wt_session_close(struct wt_session *own)
{
    if (own->session != NULL)
        (void)own->session->close(own->session, NULL);
    free(own->ear);
    *own = (struct wt_session){0};
}

enum sl_err wt_table_open(struct wt_session *own, const char *kind, uint32_t shard, WT_CURSOR **out,
                          struct sl_why *why)
{
    char uri[URI_BYTES];
    int  ret;

    (void)snprintf(uri, sizeof uri, "file:%s-%" PRIu32 ".wt", kind, shard);
    ret = own->session->open_cursor(own->session, uri, NULL, NULL, out);
    return ret == 0 ? SL_OK : wt_failed(own->ear, ret, "open table", why);
}

int wt_meta_open(struct wt_session *own, WT_CURSOR **out)
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

int wt_meta_put(WT_CURSOR *meta, uint32_t row, uint64_t a, int64_t b, int64_t c)
{
    meta->set_key(meta, row);
    meta->set_value(meta, a, b, c);
    return meta->insert(meta);
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
        return wt_failed(s->own.ear, ret, "begin", why);
    if ((ret = put_entries(s->entries, cut)) == 0 &&
        (ret = put_unresolved(s->unresolved, cut)) == 0)
        ret = wt_meta_put(s->meta, s->number, cut->head.offset, cut->head.watermark,
                          cut->head.max_commit_ts);
    ret = end_transaction(session, ret);
    return ret == 0 ? SL_OK : wt_failed(s->own.ear, ret, "cut", why);
}

/* After a search or a step of a cursor of this session. SL_NOT_FOUND without a word. */
static enum sl_err found(struct wt_session *own, int ret, struct sl_why *why)
{
    if (ret == 0)
        return SL_OK;
    return ret == WT_NOTFOUND ? SL_NOT_FOUND : wt_failed(own->ear, ret, "search index", why);
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
    return found(&s->own, ret, why);
}

static enum sl_err search_unresolved(struct wt_session *own, WT_CURSOR *c, int64_t start_ts,
                                     struct sl_index_unresolved *out, struct sl_why *why)
{
    struct sl_index_unresolved unresolved;
    int                        ret;

    c->set_key(c, start_ts);
    if ((ret = c->search(c)) == 0 && (ret = get_unresolved(c, &unresolved)) == 0)
        *out = unresolved;
    (void)c->reset(c);
    return found(own, ret, why);
}

static enum sl_err wt_find_unresolved(struct sl_index_shard *shard, int64_t start_ts,
                                      struct sl_index_unresolved *out, struct sl_why *why)
{
    struct wt_shard *s = (struct wt_shard *)shard;

    return search_unresolved(&s->own, s->unresolved, start_ts, out, why);
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
    err = found(&s->own, ret, why);
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
        return wt_failed(s->own.ear, ret, "begin", why);
    ret = find_stop(s->entries, up_to, &count);
    if (ret == 0 && count > 0)
        ret = session->truncate(session, NULL, NULL, s->entries, NULL);
    ret = end_transaction(session, ret);
    if (ret != 0)
        return wt_failed(s->own.ear, ret, "remove", why);
    *removed = count;
    return SL_OK;
}

/* ---- cursors ---- */

static void wt_cursor_close(struct sl_index_cursor *cursor)
{
    struct wt_cursor *c = (struct wt_cursor *)cursor;

    wt_session_close(&c->own);
    free(c);
}

static enum sl_err wt_cursor_open(struct sl_index_shard *shard, struct sl_index_cursor **out,
                                  struct sl_why *why)
{
    struct wt_cursor *c = calloc(1, sizeof *c);
    enum sl_err       err;

    SL_ASSERT(c != NULL);
    if ((err = wt_session_open((struct wt_db *)shard->db, &c->own, why)) != SL_OK ||
        (err = wt_table_open(&c->own, "entries", ((struct wt_shard *)shard)->number, &c->entries,
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
        return wt_failed(cur->own.ear, ret, "begin", why);
    ret = seek_after(c, cursor->commit_ts, cursor->start_ts);
    while (ret == 0 && (ret = get_entry(c, &out[got])) == 0) {
        if (out[got].commit_ts > bound || ++got == room)
            break;
        ret = c->next(c);
    }
    ret = end_transaction(session, ret == WT_NOTFOUND ? 0 : ret);
    if (ret != 0)
        return wt_failed(cur->own.ear, ret, "next entries", why);
    *count = got;
    return SL_OK;
}

static enum sl_err wt_cursor_unresolved(struct sl_index_cursor *cursor, int64_t start_ts,
                                        struct sl_index_unresolved *out, struct sl_why *why)
{
    struct wt_cursor *cur = (struct wt_cursor *)cursor;
    uint32_t          number = ((struct wt_shard *)cursor->shard)->number;
    WT_CURSOR        *table;
    enum sl_err       err;

    if ((err = wt_table_open(&cur->own, "unresolved", number, &table, why)) != SL_OK)
        return err;
    err = search_unresolved(&cur->own, table, start_ts, out, why);
    (void)table->close(table);
    return err;
}

const struct index_ops wt_ops = {
    .checkpoint = wt_checkpoint,
    .close = wt_close,
    .apply = wt_apply,
    .find = wt_find,
    .find_unresolved = wt_find_unresolved,
    .each_unresolved = wt_each_unresolved,
    .remove = wt_remove,
    .cursor_open = wt_cursor_open,
    .cursor_next = wt_cursor_next,
    .cursor_unresolved = wt_cursor_unresolved,
    .cursor_close = wt_cursor_close,
};
