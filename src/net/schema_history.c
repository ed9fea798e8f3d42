#include "net/schema_source_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"

/* ---- heads ---- */

static int by_version(const void *a, const void *b)
{
    const struct schema_job_head *x = a;
    const struct schema_job_head *y = b;

    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_id(const void *a, const void *b)
{
    const struct schema_job_head *x = a;
    const struct schema_job_head *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static void sort(void *all, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count > 0)
        qsort(all, count, size, order);
}

void schema_heads_note(struct schema_heads *heads, const struct schema_job_head *head)
{
    if (heads->count == heads->room) {
        heads->room = heads->room == 0 ? SL_HISTORY_PAGE : 2 * heads->room;
        heads->all = realloc(heads->all, heads->room * sizeof heads->all[0]);
        SL_ASSERT(heads->all != NULL);
    }
    heads->all[heads->count++] = *head;
}

int64_t schema_heads_reopen(struct schema_heads *heads, const struct sl_history_bound *bound)
{
    size_t at = 0;

    sort(heads->all, heads->count, sizeof heads->all[0], by_id);
    while (at < heads->count && heads->all[at].version <= bound->above)
        at++;
    if (bound->above == 0 || at <= SL_HISTORY_MARGIN) {
        heads->count = 0;
        return 0;
    }
    heads->count = at - SL_HISTORY_MARGIN;
    return heads->all[heads->count].id;
}

void schema_heads_done(struct schema_heads *heads)
{
    free(heads->all);
    *heads = (struct schema_heads){0};
}

/* ---- pages ---- */

enum sl_err schema_page_add(struct schema_page *page, struct sl_json **job, struct sl_why *why)
{
    struct schema_job_head head;
    enum sl_err            err = schema_job_head(*job, &head, why);

    if (err != SL_OK) {
        sl_json_free(job);
        return err;
    }
    if (page->count == page->room) {
        page->room = page->room == 0 ? SL_HISTORY_PAGE : 2 * page->room;
        page->all = realloc(page->all, page->room * sizeof page->all[0]);
        SL_ASSERT(page->all != NULL);
    }
    page->all[page->count].head = head;
    page->all[page->count++].job = *job;
    *job = NULL;
    return SL_OK;
}

void schema_page_done(struct schema_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        sl_json_free(&page->all[i].job);
    free(page->all);
    *page = (struct schema_page){0};
}

enum sl_err schema_page_visit(struct sl_schema_source *source, struct schema_page *page,
                              const struct sl_history_bound *bound, sl_history_visit visit,
                              void *context)
{
    enum sl_err err = SL_OK;

    sort(page->all, page->count, sizeof page->all[0], by_version);
    for (size_t i = 0; i < page->count && err == SL_OK; i++) {
        if (schema_job_wanted(source, &page->all[i].head, bound))
            err = visit(context, &page->all[i].job);
    }
    return err;
}

/* ---- a page at a time ---- */

/* A visit under way. */
struct round {
    struct sl_schema_source   *source;
    const struct schema_heads *heads; /* by id */
    schema_fetch               fetch;
    sl_history_visit           visit;
    void                      *context;
};

/* The place of the first head whose id is at least this one. */
static size_t place_of(const struct schema_heads *heads, int64_t id)
{
    size_t low = 0;
    size_t high = heads->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (heads->all[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Visit the jobs of a page that are in the group. Both are by version. */
static enum sl_err visit_page(const struct round *r, struct schema_page *page,
                              const struct schema_job_head *group, size_t count, struct sl_why *why)
{
    size_t      at = 0;
    enum sl_err err = SL_OK;

    for (size_t i = 0; i < count && err == SL_OK; i++) {
        while (at < page->count && by_version(&page->all[at].head, &group[i]) < 0)
            at++;
        if (at == page->count || page->all[at].head.id != group[i].id)
            return sl_fail(why, SL_INVALID,
                           "DDL job %" PRId64 " was in the history and is not any more",
                           group[i].id);
        err = r->visit(r->context, &page->all[at].job);
    }
    return err;
}

/* Visit `count` jobs, which are by version, from one page; in halves when too many others lie
 * between their ids. */
static enum sl_err visit_group(const struct round *r, const struct schema_job_head *group,
                               size_t count, struct sl_why *why)
{
    struct schema_page page = {0};
    int64_t            lo = group[0].id;
    int64_t            hi = group[0].id;
    size_t             between;
    enum sl_err        err;

    for (size_t i = 1; i < count; i++) {
        lo = group[i].id < lo ? group[i].id : lo;
        hi = group[i].id > hi ? group[i].id : hi;
    }
    between = place_of(r->heads, hi + 1) - place_of(r->heads, lo);
    if (between > 2 * count && count > 1) {
        err = visit_group(r, group, count / 2, why);
        return err == SL_OK ? visit_group(r, group + count / 2, count - count / 2, why) : err;
    }
    err = r->fetch(r->source, lo, hi, between, &page, why);
    sort(page.all, page.count, sizeof page.all[0], by_version);
    if (err == SL_OK)
        err = visit_page(r, &page, group, count, why);
    schema_page_done(&page);
    return err;
}

enum sl_err schema_heads_visit(struct sl_schema_source *source, struct schema_heads *heads,
                               const struct sl_history_bound *bound, schema_fetch fetch,
                               sl_history_visit visit, void *context, struct sl_why *why)
{
    const struct round  r = {source, heads, fetch, visit, context};
    struct schema_heads wanted = {0};
    enum sl_err         err = SL_OK;

    sort(heads->all, heads->count, sizeof heads->all[0], by_id);
    for (size_t i = 0; i < heads->count; i++) {
        if (schema_job_wanted(source, &heads->all[i], bound))
            schema_heads_note(&wanted, &heads->all[i]);
    }
    sort(wanted.all, wanted.count, sizeof wanted.all[0], by_version);
    for (size_t i = 0; i < wanted.count && err == SL_OK; i += SL_HISTORY_PAGE) {
        size_t left = wanted.count - i;

        err = visit_group(&r, wanted.all + i, left < SL_HISTORY_PAGE ? left : SL_HISTORY_PAGE, why);
    }
    schema_heads_done(&wanted);
    return err;
}
