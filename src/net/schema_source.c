#include "net/schema_source.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "net/schema_source_parts.h"

enum sl_err sl_schema_source_open(const struct sl_env *env, const char *text,
                                  struct sl_schema_source **out, struct sl_why *why)
{
    static const char file[] = "file:";
    static const char http[] = "http://";

    if (strncmp(text, file, sizeof file - 1) == 0)
        return schema_file_open(env, text + sizeof file - 1, out, why);
    if (strncmp(text, http, sizeof http - 1) == 0)
        return schema_http_open(env, text + sizeof http - 1, out, why);
    return sl_fail(why, SL_CONFIG,
                   "\"%s\" is no source of DDL jobs: write file:PATH or http://HOST:PORT", text);
}

void sl_schema_source_free(struct sl_schema_source **source)
{
    struct sl_schema_source *own = *source;

    *source = NULL;
    if (own != NULL)
        own->ops->free(own);
}

enum sl_err sl_schema_source_job(struct sl_schema_source *source, int64_t id, struct sl_json **out,
                                 struct sl_why *why)
{
    return source->ops->job(source, id, out, why);
}

enum sl_err sl_schema_source_each(struct sl_schema_source       *source,
                                  const struct sl_history_bound *bound, sl_history_visit visit,
                                  void *context, struct sl_why *why)
{
    source->newest = 0;
    return source->ops->each(source, bound, visit, context, why);
}

/* ---- heads ---- */

static enum sl_err take(const struct sl_json *object, const char *name, int64_t *out,
                        struct sl_why *why)
{
    const struct sl_json *value = sl_json_field(object, name);

    *out = 0;
    if (value == NULL || sl_json_kind(value) == SL_JSON_NULL)
        return SL_OK;
    if (sl_json_kind(value) != SL_JSON_INT)
        return sl_fail(why, SL_INVALID, "%s is %s", name, sl_json_kind_name(sl_json_kind(value)));
    *out = sl_json_int(value);
    return SL_OK;
}

enum sl_err schema_job_head(const struct sl_json *job, struct schema_job_head *out,
                            struct sl_why *why)
{
    const struct sl_json *binlog;
    enum sl_err           err;

    *out = (struct schema_job_head){0};
    if (sl_json_kind(job) != SL_JSON_OBJECT)
        return sl_fail(why, SL_INVALID, "a job is an object, this is %s",
                       sl_json_kind_name(sl_json_kind(job)));
    if ((err = take(job, "id", &out->id, why)) != SL_OK)
        return err;
    if (out->id <= 0)
        return sl_fail(why, SL_INVALID, "a job without an id");
    binlog = sl_json_field(job, "binlog");
    if (binlog == NULL || sl_json_kind(binlog) != SL_JSON_OBJECT)
        return SL_OK;
    if ((err = take(binlog, "SchemaVersion", &out->version, why)) == SL_OK)
        err = take(binlog, "FinishedTS", &out->finished, why);
    return err;
}

/* The number that stands there, above 0, as the value of a key; 0: none does. */
static int64_t number_at(const uint8_t *at, const uint8_t *end)
{
    int64_t value = 0;

    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        if (value > (INT64_MAX - 9) / 10)
            return 0;
        value = 10 * value + (*at - '0');
    }
    return at < end && (*at == ',' || *at == '}') ? value : 0;
}

/* The number behind the only place where the key stands; 0: it is not so. A key cannot stand inside
 * a string, where its quotes would be escaped. */
static int64_t number_behind(struct sl_slice job, const char *key)
{
    size_t         bytes = strlen(key);
    const uint8_t *end = job.bytes + job.len;
    const uint8_t *at = memmem(job.bytes, job.len, key, bytes);

    if (at == NULL || memmem(at + 1, (size_t)(end - at - 1), key, bytes) != NULL)
        return 0;
    return number_at(at + bytes, end);
}

/* As TiDB writes a job: its id first, the version first of what is for the binlog. */
static bool peek(struct sl_slice job, struct schema_job_head *out)
{
    static const char first[] = "{\"id\":";

    if (job.len < sizeof first || memcmp(job.bytes, first, sizeof first - 1) != 0 ||
        job.bytes[job.len - 1] != '}')
        return false;
    out->id = number_at(job.bytes + sizeof first - 1, job.bytes + job.len);
    out->version = number_behind(job, "\"binlog\":{\"SchemaVersion\":");
    out->finished = number_behind(job, "\"FinishedTS\":");
    return out->id > 0 && out->version > 0 && out->finished > 0;
}

enum sl_err schema_job_head_of_text(struct sl_slice job, struct schema_job_head *out,
                                    struct sl_why *why)
{
    struct sl_json *document = NULL;
    enum sl_err     err;

    if (peek(job, out))
        return SL_OK;
    err = sl_json_parse_data(job, SL_JOB_BYTES_MAX, &document, why);
    if (err == SL_OK)
        err = schema_job_head(document, out, why);
    sl_json_free(&document);
    return err;
}

bool schema_job_wanted(struct sl_schema_source *source, const struct schema_job_head *head,
                       const struct sl_history_bound *bound)
{
    if (head->version > source->newest)
        source->newest = head->version;
    return head->version > 0 && head->version > bound->above &&
           (head->version <= bound->version ||
            (head->finished > 0 && head->finished <= bound->finished));
}
