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
/* Is it within the bound? */
bool schema_job_wanted(const struct schema_job_head *head, const struct sl_history_bound *bound);
/* For qsort of structs that begin with a head: by version, then id. */
int schema_job_order(const void *a, const void *b);

#endif
