#ifndef SL_NET_SCHEMA_SOURCE_PARTS_H
#define SL_NET_SCHEMA_SOURCE_PARTS_H

/* What the implementations of net/schema_source.h share. Private to net. */

#include "net/schema_source.h"

/* The two kinds. */
enum sl_err schema_file_open(const struct sl_env *env, const char *path,
                             struct sl_schema_source **out, struct sl_why *why);
enum sl_err schema_http_open(const struct sl_env *env, const char *address,
                             struct sl_schema_source **out, struct sl_why *why);

/* What of a job says whether and when it is visited. */
struct schema_job_head {
    int64_t id;
    int64_t version;
    sl_ts   finished;
};

/* SL_INVALID: the value is no job. */
enum sl_err schema_job_head(const struct sl_json *job, struct schema_job_head *out,
                            struct sl_why *why);
/* The same of a job as text. Of one that stands as TiDB writes it, only the head is looked for, a
 * hundred times as fast as all of it is parsed: then something else may be wrong with it. */
enum sl_err schema_job_head_of_text(struct sl_slice job, struct schema_job_head *out,
                                    struct sl_why *why);
/* Is it within the bound? The source takes note of its version. */
bool schema_job_wanted(struct sl_schema_source *source, const struct schema_job_head *head,
                       const struct sl_history_bound *bound);
/* ---- schema_history.c: jobs that come by the order of their ids, visited by version ---- */

/* The heads of all jobs there are. All zero has none. */
struct schema_heads {
    struct schema_job_head *all; /* owned */
    size_t                  count;
    size_t                  room;
};

void schema_heads_note(struct schema_heads *heads, const struct schema_job_head *head);
/* What is known from before is kept up to an id, which is told, and the history is to be read from
 * it on; 0: nothing is kept, it is to be read as a whole. */
int64_t schema_heads_reopen(struct schema_heads *heads, const struct sl_history_bound *bound);
void    schema_heads_done(struct schema_heads *heads);

/* Some jobs with their heads. All zero has none. */
struct schema_page {
    struct schema_page_job {
        struct schema_job_head head; /* first: they are sorted by it */
        struct sl_json        *job;  /* owned */
    } * all;                         /* owned */
    size_t count;
    size_t room;
};

/* Take over *job. SL_INVALID: it is none. */
enum sl_err schema_page_add(struct schema_page *page, struct sl_json **job, struct sl_why *why);
void        schema_page_done(struct schema_page *page);

/* Read the jobs of ids lo..hi, of which there are `count`, into the page. */
typedef enum sl_err (*schema_fetch)(struct sl_schema_source *source, int64_t lo, int64_t hi,
                                    size_t count, struct schema_page *page, struct sl_why *why);

/* Visit a page that has all jobs. */
enum sl_err schema_page_visit(struct sl_schema_source *source, struct schema_page *page,
                              const struct sl_history_bound *bound, sl_history_visit visit,
                              void *context);
/* Visit what is wanted of the heads, a page of at most 2 * SL_HISTORY_PAGE jobs at a time. They are
 * by id afterwards. */
enum sl_err schema_heads_visit(struct sl_schema_source *source, struct schema_heads *heads,
                               const struct sl_history_bound *bound, schema_fetch fetch,
                               sl_history_visit visit, void *context, struct sl_why *why);

#endif
