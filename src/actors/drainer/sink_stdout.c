#include "actors/drainer/sink_stdout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "binlog/value_text.h"
#include "storage/savepoint.h"

struct sink_stdout {
    struct sl_sink       sink;
    const struct sl_env *env;
    const char          *data_dir;
};

/* ---- printing ---- */

static void put_text(FILE *out, struct sl_slice text)
{
    const struct sl_value  value = {.kind = SL_VALUE_TEXT, .text = text};
    const struct sl_column plain = {.type = SL_TYPE_VARCHAR};
    char                  *bytes = malloc(sl_value_json_bytes_max(&value));

    SL_ASSERT(bytes != NULL);
    fwrite(bytes, 1, sl_value_json(&value, &plain, bytes), out);
    free(bytes);
}

static void put_image(FILE *out, const struct sl_table *table, const struct sl_value *values)
{
    const char *separator = "{";

    for (uint32_t i = 0; i < table->column_count; i++) {
        char *bytes;

        if (values[i].kind == SL_VALUE_ABSENT)
            continue;
        fputs(separator, out);
        put_text(out, table->columns[i].name);
        fputc(':', out);
        bytes = malloc(sl_value_json_bytes_max(&values[i]));
        SL_ASSERT(bytes != NULL);
        fwrite(bytes, 1, sl_value_json(&values[i], &table->columns[i], bytes), out);
        free(bytes);
        separator = ",";
    }
    fputs(*separator == '{' ? "{}" : "}", out);
}

static void put_change(FILE *out, const struct sl_window *window,
                       const struct sl_window_change *change)
{
    static const char *const names[] = {[SL_CHANGE_INSERT] = "insert",
                                        [SL_CHANGE_UPDATE] = "update",
                                        [SL_CHANGE_DELETE] = "delete"};
    const struct sl_change  *c = &change->change;

    fprintf(out, "{\"commit_ts\":%" PRId64 ",\"type\":\"%s\",\"schema\":",
            window->txns[change->txn].commit_ts, names[c->kind]);
    put_text(out, c->table->schema);
    fputs(",\"table\":", out);
    put_text(out, c->table->name);
    fputs(",\"values\":", out);
    put_image(out, c->table, c->values);
    if (c->kind == SL_CHANGE_UPDATE) {
        fputs(",\"old\":", out);
        put_image(out, c->table, c->old);
    }
    fputs("}\n", out);
}

/* What is printed has left this process; a pipe whose reader is gone takes nothing any more. */
static enum sl_err flush(struct sl_why *why)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return SL_OK;
    if (errno == EPIPE)
        return sl_fail(why, SL_STOPPED, "standard output is closed: nobody reads the changes");
    return sl_fail_errno(why, errno, "write to standard output");
}

/* ---- the sink ---- */

static void close_sink(struct sl_sink *sink)
{
    free(sink);
}

static enum sl_err load(struct sl_sink *sink, struct sl_checkpoint *out, struct sl_why *why)
{
    const struct sink_stdout *s = (const struct sink_stdout *)(const void *)sink;
    struct sl_savepoint       found;
    enum sl_err               err = sl_savepoint_read(s->env->fs, s->data_dir, &found, why);

    *out = (struct sl_checkpoint){.commit_ts = found.commit_ts,
                                  .schema_version = found.schema_version,
                                  .is_consistent = found.is_consistent};
    return err;
}

static enum sl_err save(struct sl_sink *sink, const struct sl_checkpoint *checkpoint,
                        struct sl_why *why)
{
    const struct sink_stdout *s = (const struct sink_stdout *)(const void *)sink;
    const struct sl_savepoint savepoint = {.commit_ts = checkpoint->commit_ts,
                                           .schema_version = checkpoint->schema_version,
                                           .is_consistent = checkpoint->is_consistent};

    return sl_savepoint_write(s->env->fs, s->data_dir, &savepoint, why);
}

static enum sl_err run_ddl(struct sl_sink *sink, const struct sl_window_ddl *ddl,
                           int64_t schema_version, struct sl_why *why)
{
    const struct sl_ddl_action *action = ddl->action;
    const struct sl_checkpoint  after = {.commit_ts = ddl->after,
                                         .schema_version = ddl->schema_version};
    enum sl_err                 err;

    (void)schema_version;
    for (uint32_t i = 0; i < action->statement_count; i++) {
        printf("{\"commit_ts\":%" PRId64 ",\"type\":\"ddl\",\"schema\":", ddl->after);
        put_text(stdout, action->use_database);
        fputs(",\"query\":", stdout);
        put_text(stdout, action->statements[i].text);
        fputs("}\n", stdout);
    }
    if ((err = flush(why)) != SL_OK)
        return err;
    return save(sink, &after, why);
}

static enum sl_err worker_open(struct sl_sink *sink, uint32_t number, struct sl_sink_worker **out,
                               struct sl_why *why)
{
    struct sl_sink_worker *worker = calloc(1, sizeof *worker);

    (void)number;
    (void)why;
    SL_ASSERT(worker != NULL);
    worker->sink = sink;
    *out = worker;
    return SL_OK;
}

static void worker_close(struct sl_sink_worker *worker)
{
    free(worker);
}

static enum sl_err apply(struct sl_sink_worker *worker, struct sl_row_part *const *parts,
                         uint32_t count, struct sl_why *why)
{
    (void)worker;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < parts[i]->count; j++)
            put_change(stdout, parts[i]->window, parts[i]->changes[j]);
    }
    return flush(why);
}

static const struct sl_sink_ops ops = {
    .is_ordered = true,
    .close = close_sink,
    .load = load,
    .save = save,
    .ddl = run_ddl,
    .worker_open = worker_open,
    .worker_close = worker_close,
    .apply = apply,
};

enum sl_err sl_sink_stdout_open(const struct sl_env *env, const char *data_dir,
                                struct sl_sink **out, struct sl_why *why)
{
    struct sink_stdout *sink = calloc(1, sizeof *sink);

    (void)why;
    SL_ASSERT(sink != NULL);
    sink->sink.ops = &ops;
    sink->env = env;
    sink->data_dir = data_dir;
    *out = &sink->sink;
    return SL_OK;
}
