#include "net/schema_source.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct sl_schema_source { char path[4096]; };
enum sl_err sl_schema_source_open(const struct sl_env *env, const char *path, struct sl_schema_source **out, struct sl_why *why)
{ (void)env; (void)why; *out = calloc(1, sizeof **out); snprintf((*out)->path, 4096, "%s", path); return SL_OK; }
void sl_schema_source_free(struct sl_schema_source **s) { free(*s); *s = NULL; }
static enum sl_err scan(struct sl_schema_source *s, enum sl_err (*f)(void *, struct sl_job *, int *, struct sl_why *), void *c, struct sl_why *why)
{
    FILE *fp = fopen(s->path, "r"); char *line = NULL; size_t n = 0; ssize_t got; enum sl_err err = SL_OK; int stop = 0;
    if (!fp) return sl_fail(why, SL_NOT_FOUND, "open %s", s->path);
    while (!stop && err == SL_OK && (got = getline(&line, &n, fp)) > 0) {
        struct sl_job *job; if (line[got-1] != '\n') break;
        err = sl_job_parse((struct sl_slice){(uint8_t *)line, (size_t)got - 1}, &job, why);
        if (err == SL_OK) err = f(c, job, &stop, why);
    }
    free(line); fclose(fp); return err;
}
struct find { int64_t id; struct sl_job *job; };
static enum sl_err finder(void *c, struct sl_job *job, int *stop, struct sl_why *why)
{ struct find *f = c; (void)why; if (job->id == f->id) { f->job = job; *stop = 1; } else sl_job_free(&job); return SL_OK; }
enum sl_err sl_schema_source_job(struct sl_schema_source *s, int64_t id, struct sl_job **out, struct sl_why *why)
{ struct find f = {id, NULL}; enum sl_err err = scan(s, finder, &f, why); if (err != SL_OK) return err; if (!f.job) return sl_fail(why, SL_NOT_FOUND, "no job"); *out = f.job; return SL_OK; }
struct each { const struct sl_schema_range *r; sl_schema_take take; void *c; };
static enum sl_err eacher(void *c, struct sl_job *job, int *stop, struct sl_why *why)
{ struct each *e = c; enum sl_err err = SL_OK; (void)stop;
  if (e->r->schema_version ? job->schema_version <= e->r->schema_version : job->finished_ts <= e->r->finished_ts) err = e->take(e->c, job, why);
  sl_job_free(&job); return err; }
enum sl_err sl_schema_source_each(struct sl_schema_source *s, const struct sl_schema_range *range, sl_schema_take take, void *context, struct sl_why *why)
{ struct each e = {range, take, context}; return scan(s, eacher, &e, why); }
