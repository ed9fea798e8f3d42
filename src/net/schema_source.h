#ifndef SL_NET_SCHEMA_SOURCE_H
#define SL_NET_SCHEMA_SOURCE_H
/* interim */
#include "base/env.h"
#include "binlog/job.h"
struct sl_schema_source;
struct sl_schema_range { int64_t schema_version; sl_ts finished_ts; };
enum sl_err sl_schema_source_open(const struct sl_env *env, const char *path, struct sl_schema_source **out, struct sl_why *why);
void sl_schema_source_free(struct sl_schema_source **s);
enum sl_err sl_schema_source_job(struct sl_schema_source *s, int64_t id, struct sl_job **out, struct sl_why *why);
typedef enum sl_err (*sl_schema_take)(void *context, const struct sl_job *job, struct sl_why *why);
enum sl_err sl_schema_source_each(struct sl_schema_source *s, const struct sl_schema_range *range, sl_schema_take take, void *context, struct sl_why *why);
#endif
