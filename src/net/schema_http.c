#include "net/schema_source_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/intrusive.h"
#include "net/http_ask.h"

/* TiDB's status port: GET /ddl/history?start_job_id=ID&limit=N answers an array of at most N jobs
 * of ids up to ID, the greatest first; without the id, the last N. Older TiDB knows only the limit,
 * the oldest neither: it answers with all. So a history is read twice, by pages: once for what its
 * jobs are, and once in order. Only one page is in memory, unless the TiDB is old. What jobs are is
 * kept, so that later only the end is read. */

enum { PATH_BYTES = 128, STATUS_PORT = 10080 };

struct http_source {
    struct sl_schema_source source;
    const struct sl_env    *env;
    char                    address[SL_ADDR_BYTES_MAX];
    struct schema_heads     heads; /* owned: of the last round; none of a TiDB that does not page */
};

/* ---- asking ---- */

static enum sl_err ask(struct http_source *h, const char *path, struct sl_buf **body,
                       struct sl_why *why)
{
    struct sl_http_ask question = {.method = "GET",
                                   .address = h->address,
                                   .path = path,
                                   .answer_bytes_max = SL_HISTORY_BYTES_MAX};

    sl_http_ask_all(h->env, &question, 1, (sl_nanos)SL_HISTORY_ASK_S * SL_NANOS_PER_S);
    *body = question.answer;
    if (question.err != SL_OK)
        return sl_fail(why, question.err, "%s", question.why.text);
    if (question.status / 100 != 2)
        return sl_fail(why, SL_INVALID, "it answers with status %u", question.status);
    return SL_OK;
}

static enum sl_err get(struct http_source *h, const char *path, struct sl_json **out,
                       struct sl_why *why)
{
    struct sl_buf *body = NULL;
    enum sl_err    err = ask(h, path, &body, why);

    if (err == SL_OK)
        err = sl_json_parse_data(sl_slice_from_buf(body), SL_HISTORY_BYTES_MAX, out, why);
    sl_buf_free(&body);
    if (err == SL_OK && sl_json_kind(*out) != SL_JSON_ARRAY) {
        sl_json_free(out);
        err = sl_fail(why, SL_INVALID, "no list of jobs");
    }
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "http://%s%s", h->address, path);
}

/* The jobs of ids up to `from` (0: the last ones), at most `count`, if the TiDB understands that.
 */
static enum sl_err get_page(struct http_source *h, int64_t from, size_t count, struct sl_json **out,
                            struct sl_why *why)
{
    char path[PATH_BYTES];

    if (from == 0)
        (void)snprintf(path, sizeof path, "/ddl/history?limit=%zu", count);
    else
        (void)snprintf(path, sizeof path, "/ddl/history?start_job_id=%" PRId64 "&limit=%zu", from,
                       count);
    return get(h, path, out, why);
}

/* The job of that id in a page, or NULL. *greatest is the greatest id there. */
static enum sl_err find_in(const struct sl_json *page, int64_t id, const struct sl_json **job,
                           int64_t *greatest, struct sl_why *why)
{
    *job = NULL;
    *greatest = 0;
    for (size_t i = 0; i < sl_json_count(page); i++) {
        struct schema_job_head head;
        enum sl_err            err = schema_job_head(sl_json_at(page, i), &head, why);

        if (err != SL_OK)
            return err;
        if (head.id == id)
            *job = sl_json_at(page, i);
        if (head.id > *greatest)
            *greatest = head.id;
    }
    return SL_OK;
}

static enum sl_err find_job(struct sl_schema_source *source, int64_t id, struct sl_json **out,
                            struct sl_why *why)
{
    struct http_source   *h = SL_CONTAINER_OF(source, struct http_source, source);
    struct sl_json       *page = NULL;
    const struct sl_json *job;
    int64_t               greatest;
    enum sl_err           err;

    if ((err = get_page(h, id, 1, &page, why)) != SL_OK ||
        (err = find_in(page, id, &job, &greatest, why)) != SL_OK)
        goto free_page;
    if (job == NULL && greatest > id) { /* the TiDB is old and has told of its last job */
        sl_json_free(&page);
        if ((err = get(h, "/ddl/history", &page, why)) != SL_OK ||
            (err = find_in(page, id, &job, &greatest, why)) != SL_OK)
            goto free_page;
    }
    if (job == NULL)
        err = sl_fail(why, SL_NOT_FOUND, "http://%s does not know DDL job %" PRId64 " yet",
                      h->address, id);
    else
        *out = sl_json_keep(job);

free_page:
    sl_json_free(&page);
    return err;
}

/* ---- the history ---- */

/* Take in what is not known of a page: ids from `start` on. Those from `below` on (0: none) are not
 * looked at; *least is the least of the others, 0 when there were none. */
static enum sl_err note_page(struct schema_heads *heads, const struct sl_json *page, int64_t start,
                             int64_t below, int64_t *least, struct sl_why *why)
{
    *least = 0;
    for (size_t i = 0; i < sl_json_count(page); i++) {
        struct schema_job_head head;
        enum sl_err            err = schema_job_head(sl_json_at(page, i), &head, why);

        if (err != SL_OK)
            return err;
        if (below != 0 && head.id >= below)
            continue;
        if (head.id >= start)
            schema_heads_note(heads, &head);
        if (*least == 0 || head.id < *least)
            *least = head.id;
    }
    return SL_OK;
}

/* Read all heads of ids from `start` on. When the TiDB does not page, or all is one page, *whole is
 * all its jobs, and there are no heads of use. */
static enum sl_err read_heads(struct http_source *h, int64_t start, struct sl_json **whole,
                              struct sl_why *why)
{
    int64_t from = 0;
    int64_t below = 0;

    for (;;) {
        struct sl_json *page = NULL;
        int64_t         least;
        size_t          count;
        enum sl_err     err;

        if ((err = get_page(h, from, SL_HISTORY_PAGE, &page, why)) != SL_OK)
            return err;
        count = sl_json_count(page);
        /* The first page is all there is; or the TiDB knows no limit. */
        if ((from == 0 && count < SL_HISTORY_PAGE) || count > SL_HISTORY_PAGE) {
            *whole = page;
            return SL_OK;
        }
        err = note_page(&h->heads, page, start, below, &least, why);
        sl_json_free(&page);
        if (err != SL_OK)
            return err;
        if (least == 0 && count == SL_HISTORY_PAGE) /* the same again: it knows no start */
            return get(h, "/ddl/history", whole, why);
        if (count < SL_HISTORY_PAGE || least <= 1 || least <= start)
            return SL_OK;
        below = least;
        from = least - 1;
    }
}

static enum sl_err take_page(const struct sl_json *list, int64_t lo, int64_t hi,
                             struct schema_page *page, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (size_t i = 0; i < sl_json_count(list) && err == SL_OK; i++) {
        struct schema_job_head head;
        struct sl_json        *job;

        if ((err = schema_job_head(sl_json_at(list, i), &head, why)) != SL_OK || head.id < lo ||
            head.id > hi)
            continue;
        job = sl_json_keep(sl_json_at(list, i));
        err = schema_page_add(page, &job, why);
    }
    return err;
}

static enum sl_err fetch(struct sl_schema_source *source, int64_t lo, int64_t hi, size_t count,
                         struct schema_page *page, struct sl_why *why)
{
    struct http_source *h = SL_CONTAINER_OF(source, struct http_source, source);
    struct sl_json     *list = NULL;
    enum sl_err         err = get_page(h, hi, count, &list, why);

    if (err == SL_OK)
        err = take_page(list, lo, hi, page, why);
    sl_json_free(&list);
    return err;
}

static enum sl_err visit_whole(struct sl_schema_source *source, const struct sl_json *whole,
                               const struct sl_history_bound *bound, sl_history_visit visit,
                               void *context, struct sl_why *why)
{
    struct schema_page page = {0};
    enum sl_err        err = take_page(whole, 0, INT64_MAX, &page, why);

    if (err == SL_OK)
        err = schema_page_visit(source, &page, bound, visit, context);
    schema_page_done(&page);
    return err;
}

static enum sl_err visit_all(struct sl_schema_source *source, const struct sl_history_bound *bound,
                             sl_history_visit visit, void *context, struct sl_why *why)
{
    struct http_source *h = SL_CONTAINER_OF(source, struct http_source, source);
    int64_t             start = schema_heads_reopen(&h->heads, bound);
    struct sl_json     *whole = NULL;
    enum sl_err         err = read_heads(h, start, &whole, why);

    if (err == SL_OK)
        err = whole != NULL
                  ? visit_whole(source, whole, bound, visit, context, why)
                  : schema_heads_visit(source, &h->heads, bound, fetch, visit, context, why);
    if (err != SL_OK || whole != NULL) /* they are not all there, or not as they were */
        schema_heads_done(&h->heads);
    sl_json_free(&whole);
    return err;
}

static void free_source(struct sl_schema_source *source)
{
    struct http_source *h = SL_CONTAINER_OF(source, struct http_source, source);

    schema_heads_done(&h->heads);
    free(h);
}

static const struct sl_schema_source_ops ops = {find_job, visit_all, free_source};

enum sl_err schema_http_open(const struct sl_env *env, const char *address,
                             struct sl_schema_source **out, struct sl_why *why)
{
    struct http_source *h = calloc(1, sizeof *h);
    size_t              len = strlen(address);
    bool                has_port;
    int                 count;

    SL_ASSERT(h != NULL);
    h->source.ops = &ops;
    h->env = env;
    len -= len > 0 && address[len - 1] == '/';
    has_port = memchr(address, ':', len) != NULL;
    count = has_port ? snprintf(h->address, sizeof h->address, "%.*s", (int)len, address)
                     : snprintf(h->address, sizeof h->address, "%.*s:%d", (int)len, address,
                                STATUS_PORT);
    if (len == 0 || count < 0 || (size_t)count >= sizeof h->address ||
        strpbrk(h->address, "/?# ") != NULL) {
        free(h);
        return sl_fail(why, SL_CONFIG, "http://%s is no address of a TiDB: write http://HOST:PORT",
                       address);
    }
    *out = &h->source;
    return SL_OK;
}
