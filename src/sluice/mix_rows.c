#include "sluice/mix_rows.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/prng.h"
#include "sluice/ddl.h"
#include "sluice/pair.h"

struct mix_rows {
    struct mix           mix;
    const struct sl_env *env;
    const char          *ddl_history; /* borrowed; or NULL */
    size_t               size;
    uint32_t             rows;
    struct pair_table    table;
    struct ddl_schema    schema;
    enum ddl_job         next_job; /* DDL_JOBS: the table is there */
    uint8_t             *filler;   /* owned; size random bytes */
};

static struct mix_rows *rows_of(struct mix *mix)
{
    return (struct mix_rows *)(void *)mix;
}

static void free_rows(struct mix *mix)
{
    free(rows_of(mix)->filler);
    free(mix);
}

/* ---- the table's jobs ---- */

static bool has_job(struct mix *mix)
{
    return rows_of(mix)->next_job != DDL_JOBS;
}

static struct sl_buf *job_record(const struct mix_rows *m, sl_ts start_ts, sl_ts commit_ts)
{
    return pair_ddl(m->table.cluster_id, start_ts, commit_ts, m->schema.job_ids[m->next_job],
                    ddl_query(m->next_job));
}

static struct sl_buf *job_prewrite(struct mix *mix, sl_ts start_ts)
{
    return job_record(rows_of(mix), start_ts, 0);
}

static enum sl_err job_finish(struct mix *mix, sl_ts start_ts, sl_ts commit_ts, struct sl_buf **out,
                              struct sl_why *why)
{
    struct mix_rows *m = rows_of(mix);
    enum sl_err      err = SL_OK;

    if (m->ddl_history != NULL)
        err = ddl_append(m->env->fs, m->ddl_history, &m->schema, m->next_job, start_ts, start_ts,
                         why);
    if (err == SL_OK)
        *out = job_record(m, start_ts, commit_ts);
    return err;
}

static void job_over(struct mix *mix)
{
    struct mix_rows *m = rows_of(mix);

    m->next_job = (enum ddl_job)(m->next_job + 1);
}

/* ---- rows ---- */

static struct sl_buf *begin(struct mix *mix, uint32_t caller, sl_ts start_ts)
{
    const struct mix_rows *m = rows_of(mix);

    (void)caller;
    return pair_prewrite(&m->table, start_ts, m->rows, m->size, m->filler);
}

static struct sl_buf *finish(struct mix *mix, uint32_t caller, sl_ts start_ts, sl_ts commit_ts)
{
    (void)caller;
    return pair_finish(&rows_of(mix)->table, start_ts, commit_ts);
}

static const struct mix_ops ops = {
    .free = free_rows,
    .has_job = has_job,
    .job_prewrite = job_prewrite,
    .job_finish = job_finish,
    .job_over = job_over,
    .begin = begin,
    .finish = finish,
};

static void make_filler(struct mix_rows *m)
{
    struct sl_prng prng;

    sl_prng_seed(&prng, 1);
    m->filler = malloc(m->size);
    SL_ASSERT(m->filler != NULL);
    for (size_t i = 0; i < m->size; i++)
        m->filler[i] = (uint8_t)sl_prng_next(&prng);
}

enum sl_err mix_rows_new(const struct sl_env *env, uint64_t cluster_id, size_t size, uint32_t rows,
                         const char *ddl_history, struct mix **out, struct sl_why *why)
{
    struct mix_rows *m = calloc(1, sizeof *m);
    enum sl_err      err;

    SL_ASSERT(m != NULL);
    *m = (struct mix_rows){
        .mix.ops = &ops, .env = env, .ddl_history = ddl_history, .size = size, .rows = rows};
    if ((err = ddl_read(env->fs, ddl_history, &m->schema, why)) != SL_OK) {
        free(m);
        return err;
    }
    make_filler(m);
    m->next_job = m->schema.exists ? DDL_JOBS : DDL_CREATE_DATABASE;
    m->table = (struct pair_table){.cluster_id = cluster_id,
                                   .schema_version = m->schema.versions[DDL_CREATE_TABLE],
                                   .table_id = m->schema.table_id};
    *out = &m->mix;
    return SL_OK;
}
