#include "lib/ddl_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/env_os.h"
#include "sluice/corpus.h"

enum { JOBS_MAX = 4096 };

struct stream {
    struct corpus     corpus;
    struct sl_job    *jobs[JOBS_MAX];
    size_t            count;
    struct sl_schema *schema;
};

static enum sl_err read_jobs(struct stream *s, const char *folder, struct sl_why *why)
{
    char        path[512];
    char       *line = NULL;
    size_t      room = 0;
    ssize_t     len;
    enum sl_err err = SL_OK;
    FILE       *file;

    (void)snprintf(path, sizeof path, "%s/ddl-history.jsonl", folder);
    file = fopen(path, "r");
    if (file == NULL)
        return sl_fail(why, SL_NOT_FOUND, "%s", path);
    while (err == SL_OK && s->count < JOBS_MAX && (len = getline(&line, &room, file)) > 0) {
        struct sl_slice json = {(const uint8_t *)line, (size_t)len};

        if ((err = sl_job_parse(json, &s->jobs[s->count], why)) == SL_OK)
            s->count++;
    }
    free(line);
    (void)fclose(file);
    return err;
}

static const struct sl_job *job_of(const struct stream *s, int64_t id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->jobs[i]->id == id)
            return s->jobs[i];
    }
    return NULL;
}

static int by_commit(const void *a, const void *b)
{
    const struct corpus_record *const *x = a;
    const struct corpus_record *const *y = b;

    return (*x)->commit_ts < (*y)->commit_ts ? -1 : (*x)->commit_ts > (*y)->commit_ts;
}

static enum sl_err play_record(struct stream *s, const struct corpus_record *commit,
                               enum sl_ddl_target target, ddl_stream_visit visit, void *context,
                               struct sl_why *why)
{
    struct sl_ddl_input input = {.schema = s->schema, .target = target};
    struct sl_record    record;
    enum sl_err         err;

    if ((err = sl_record_decode(s->corpus.records[commit->prewrite].payload, &record, why)) !=
            SL_OK ||
        record.ddl_job_id == 0)
        return err;
    input.job = job_of(s, record.ddl_job_id);
    if (input.job == NULL)
        return sl_fail(why, SL_NOT_FOUND, "DDL job %lld", (long long)record.ddl_job_id);
    input.query = record.ddl_query;
    input.schema_state = record.ddl_schema_state;
    if ((err = visit(context, &input)) != SL_OK)
        return err;
    return sl_schema_apply(s->schema, input.job, why);
}

static enum sl_err play(struct stream *s, enum sl_ddl_target target, ddl_stream_visit visit,
                        void *context, struct sl_why *why)
{
    const struct corpus_record **order = calloc(s->corpus.count, sizeof *order);
    uint32_t                     count = 0;
    enum sl_err                  err = order == NULL ? SL_SYSTEM : SL_OK;

    for (uint32_t i = 0; err == SL_OK && i < s->corpus.count; i++) {
        if (s->corpus.records[i].type == SL_RECORD_COMMIT)
            order[count++] = &s->corpus.records[i];
    }
    if (err == SL_OK)
        qsort(order, count, sizeof *order, by_commit);
    for (uint32_t i = 0; err == SL_OK && i < count; i++)
        err = play_record(s, order[i], target, visit, context, why);
    free(order);
    return err;
}

enum sl_err ddl_stream_play(const char *folder, enum sl_ddl_target target, ddl_stream_visit visit,
                            void *context, struct sl_why *why)
{
    struct stream *s = calloc(1, sizeof *s);
    enum sl_err    err;

    if (s == NULL)
        return sl_fail(why, SL_SYSTEM, "no memory");
    s->schema = sl_schema_new();
    if ((err = corpus_load(sl_env_os()->fs, folder, &s->corpus, why)) == SL_OK &&
        (err = read_jobs(s, folder, why)) == SL_OK)
        err = play(s, target, visit, context, why);
    corpus_free(&s->corpus);
    for (size_t i = 0; i < s->count; i++)
        sl_job_free(&s->jobs[i]);
    sl_schema_free(&s->schema);
    free(s);
    return err;
}
