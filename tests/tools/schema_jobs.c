/* Reads DDL jobs from a source and says which, for tests:
 *
 *     schema_jobs SOURCE each VERSION FINISHED    "ID VERSION" of each job in order
 *     schema_jobs SOURCE tables VERSION FINISHED  "DATABASE.TABLE" of each table they leave
 *     schema_jobs SOURCE creates VERSION FINISHED "DATABASE TAB TABLE TAB CREATE TABLE ..." of
 *                                                 each, made from its TableInfo in copy_DATABASE
 *     schema_jobs SOURCE job ID...                "ID TYPE", or the error, of each
 *     schema_jobs SOURCE follow lines             the same as `each`, and a line ".", for each line
 *                                                 "ABOVE VERSION" of standard input
 *
 * SOURCE is what [syncer] schema-source takes, or tikv:PD_URLS.
 *
 * Ends with 1 and one line on standard error when the source fails. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env_os.h"
#include "binlog/create_table.h"
#include "binlog/schema.h"
#include "net/schema_source.h"

static enum sl_err print_job(void *context, struct sl_json **document)
{
    struct sl_job *job = NULL;
    enum sl_err    err = sl_job_take(document, &job, context);

    if (err == SL_OK)
        printf("%" PRId64 " %" PRId64 "\n", job->id, job->schema_version);
    sl_job_free(&job);
    return err;
}

enum { INFOS_MAX = 4096 };

struct tables {
    struct sl_schema *schema;
    struct sl_why    *why;
    struct sl_json   *infos[INFOS_MAX]; /* owned; the newest TableInfo by table id */
};

static void keep_info(struct tables *tables, const struct sl_job *job)
{
    if (job->table_count != 1 || job->tables[0].id >= INFOS_MAX || !sl_job_is_done(job))
        return;
    sl_json_free(&tables->infos[job->tables[0].id]);
    tables->infos[job->tables[0].id] = sl_json_keep(job->tables[0].info);
}

static enum sl_err apply_job(void *context, struct sl_json **document)
{
    struct tables *tables = context;
    struct sl_job *job = NULL;
    enum sl_err    err = sl_job_take(document, &job, tables->why);

    if (err == SL_OK)
        err = sl_schema_apply(tables->schema, job, tables->why);
    if (err == SL_OK)
        keep_info(tables, job);
    sl_job_free(&job);
    return err;
}

static enum sl_err print_table(void *context, struct sl_table *table)
{
    (void)context;
    printf("%s.%s\n", (const char *)table->schema.bytes, (const char *)table->name.bytes);
    return SL_OK;
}

static enum sl_err print_create(void *context, struct sl_table *table)
{
    struct tables  *tables = context;
    struct sl_arena arena;
    struct sql_out  out = {.arena = &arena};
    char            copy[256];
    enum sl_err     err;

    if (table->id >= INFOS_MAX || table->is_view)
        return SL_OK;
    sl_arena_init(&arena);
    (void)snprintf(copy, sizeof copy, "copy_%s", (const char *)table->schema.bytes);
    err =
        create_table_write(tables->infos[table->id], sl_slice_from_string(copy), &out, tables->why);
    if (err == SL_OK)
        printf("%s\t%s\t%s\n", (const char *)table->schema.bytes, (const char *)table->name.bytes,
               (const char *)sql_written(&out).bytes);
    sl_arena_done(&arena);
    return err;
}

static enum sl_err find(struct sl_schema_source *source, int64_t id)
{
    struct sl_json *document = NULL;
    struct sl_job  *job = NULL;
    struct sl_why   why = {0};
    enum sl_err     err = sl_schema_source_job(source, id, &document, &why);

    if (err == SL_OK)
        err = sl_job_take(&document, &job, &why);
    if (err == SL_OK)
        printf("%" PRId64 " %d\n", job->id, job->type);
    else
        printf("%s %s\n", sl_err_name(err), why.text);
    sl_job_free(&job);
    return SL_OK;
}

/* The jobs above a version up to another, asked for again and again. */
static enum sl_err follow(struct sl_schema_source *source, struct sl_why *why)
{
    struct sl_history_bound bound = {0};
    enum sl_err             err = SL_OK;
    char                    line[64];

    while (err == SL_OK && fgets(line, sizeof line, stdin) != NULL) {
        char *behind;

        bound.above = strtoll(line, &behind, 10);
        bound.version = strtoll(behind, NULL, 10);
        err = sl_schema_source_each(source, &bound, print_job, why, why);
        printf(".\n");
        (void)fflush(stdout);
    }
    return err;
}

static enum sl_err run(struct sl_schema_source *source, int argc, char **argv, struct sl_why *why)
{
    struct sl_history_bound bound = {0};
    struct tables           tables = {.why = why};
    enum sl_err             err = SL_OK;

    if (strcmp(argv[2], "job") == 0) {
        for (int i = 3; i < argc; i++)
            (void)find(source, strtoll(argv[i], NULL, 10));
        return SL_OK;
    }
    if (strcmp(argv[2], "follow") == 0)
        return follow(source, why);
    bound.version = strtoll(argv[3], NULL, 10);
    bound.finished = argc > 4 ? strtoll(argv[4], NULL, 10) : 0;
    if (strcmp(argv[2], "each") == 0)
        return sl_schema_source_each(source, &bound, print_job, why, why);
    tables.schema = sl_schema_new();
    err = sl_schema_source_each(source, &bound, apply_job, &tables, why);
    if (err == SL_OK)
        err = strcmp(argv[2], "creates") == 0 ? sl_schema_each(tables.schema, print_create, &tables)
                                              : sl_schema_each(tables.schema, print_table, NULL);
    for (int i = 0; i < INFOS_MAX; i++)
        sl_json_free(&tables.infos[i]);
    sl_schema_free(&tables.schema);
    return err;
}

int main(int argc, char **argv)
{
    struct sl_schema_source *source = NULL;
    struct sl_why            why = {0};
    enum sl_err              err;

    if (argc < 4) {
        (void)fprintf(stderr,
                      "usage: schema_jobs SOURCE each|tables|creates|job|follow NUMBER...\n");
        return 2;
    }
    if (strncmp(argv[1], "tikv:", 5) == 0)
        err = sl_schema_source_open_tikv(sl_env_os(), argv[1] + 5, &source, &why);
    else
        err = sl_schema_source_open(sl_env_os(), argv[1], &source, &why);
    if (err == SL_OK)
        err = run(source, argc, argv, &why);
    sl_schema_source_free(&source);
    if (err != SL_OK)
        (void)fprintf(stderr, "%s: %s\n", sl_err_name(err), why.text);
    return err != SL_OK;
}
