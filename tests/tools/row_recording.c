/* Writes a recording of random row changes and DDL (tests/sim/drainer_script.h), of the form that
 * sluice replay plays, and beside it what doing all of it one by one is in SQL:
 *
 *     row_recording SEED TRANSACTIONS DIR
 *
 *     DIR/writes.bin, meta.json, ddl-history.jsonl    the recording
 *     DIR/serial.sql                                  the same, row by row, in their order */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/record.h"
#include "sim/drainer_script.h"

enum { MS_BITS = 18, STEP_MS = 2, PATH_BYTES = 512, CLUSTER = 7001 };

/* Some day in 2025; recordings are of the past. */
#define FIRST_TS INT64_C(456000000000000000)

static struct script script;

static FILE *create(const char *dir, const char *name)
{
    char  path[PATH_BYTES];
    FILE *out;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        exit(1);
    }
    return out;
}

static void finish(FILE *out)
{
    if (fclose(out) != 0) {
        perror("close");
        exit(1);
    }
}

/* ---- the recording ---- */

static void put_little(FILE *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        (void)fputc((int)(value >> 8 * i & 0xff), out);
}

static void write_record(FILE *out, const struct script_event *event,
                         const struct sl_record *record, sl_ts ts)
{
    size_t   len = sl_record_encoded_bytes(record);
    uint8_t *bytes = malloc(len);

    SL_ASSERT(bytes != NULL);
    sl_record_encode(record, bytes);
    put_little(out, len, 4);
    put_little(out, event->pump, 4);
    put_little(out, (uint64_t)((ts - FIRST_TS) >> MS_BITS) * 1000000, 8);
    (void)fwrite(bytes, 1, len, out);
    free(bytes);
}

/* As a TiDB sends it: the prewrite with all, the commit without the rows. */
static void write_event(FILE *out, const struct script_event *event)
{
    struct sl_record whole;
    struct sl_record prewrite;
    struct sl_record commit;

    if (sl_record_decode(sl_slice_from_buf(event->record), &whole, NULL) != SL_OK)
        SL_UNREACHABLE("the script's own record");
    prewrite = commit = whole;
    prewrite.type = SL_RECORD_PREWRITE;
    prewrite.commit_ts = 0;
    prewrite.prewrite_key = commit.prewrite_key = sl_slice_from_string("key");
    commit.prewrite_value = (struct sl_slice){0};
    write_record(out, event, &prewrite, whole.start_ts);
    write_record(out, event, &commit, whole.commit_ts);
}

static int by_commit_ts(const void *a, const void *b)
{
    sl_ts x = (*(const struct script_event *const *)a)->commit_ts;
    sl_ts y = (*(const struct script_event *const *)b)->commit_ts;

    return (x > y) - (x < y);
}

static void write_writes(const char *dir)
{
    static const struct script_event *sorted[SCRIPT_EVENTS_MAX];
    FILE                             *out = create(dir, "writes.bin");

    for (uint32_t i = 0; i < script.event_count; i++)
        sorted[i] = &script.events[i];
    qsort(sorted, script.event_count, sizeof(const struct script_event *), by_commit_ts);
    for (uint32_t i = 0; i < script.event_count; i++)
        write_event(out, sorted[i]);
    finish(out);
}

static void write_history(const char *dir)
{
    FILE *out = create(dir, "ddl-history.jsonl");

    for (uint32_t i = 0; i < script.event_count; i++) {
        if (script.events[i].kind != SCRIPT_TXN)
            (void)fprintf(out, "%s\n", script.events[i].job);
    }
    finish(out);
}

static void write_meta(const char *dir)
{
    FILE *out = create(dir, "meta.json");

    (void)fprintf(out,
                  "{\"cluster_id\": \"%d\", \"pumps\": %" PRIu32 ", \"first_start_ts\": \"%" PRId64
                  "\", \"last_commit_ts\": \"%" PRId64 "\"}\n",
                  CLUSTER, script.pump_count, FIRST_TS, script.last_ts);
    finish(out);
}

/* ---- one by one ---- */

static void write_where(FILE *out, const struct model_table *t, const struct model_row *row)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct model_column *c = &t->columns[i];

        (void)fprintf(out, "%s%s%s <=> ", i == 0 ? " where " : " and ", c->is_text ? "binary " : "",
                      c->name);
        model_print_cell(out, t, i, &row->cells[i]);
    }
    (void)fputs(" limit 1", out); /* of two that are the same, either */
}

static void write_step(FILE *out, const struct model_table *t, const struct stream_step *step)
{
    if (step->kind == SL_CHANGE_DELETE) {
        (void)fprintf(out, "delete from test.%s", t->name);
        write_where(out, t, &step->old);
    } else {
        (void)fprintf(out,
                      step->kind == SL_CHANGE_INSERT ? "insert into test.%s" : "update test.%s",
                      t->name);
        for (uint32_t i = 0; i < t->column_count; i++) {
            (void)fprintf(out, "%s%s = ", i == 0 ? " set " : ", ", t->columns[i].name);
            model_print_cell(out, t, i, &step->new_row.cells[i]);
        }
        if (step->kind == SL_CHANGE_UPDATE)
            write_where(out, t, &step->old);
    }
    (void)fputs(";\n", out);
}

static void write_serial(const char *dir)
{
    static struct script_tables tables;
    FILE                       *out = create(dir, "serial.sql");

    (void)fputs("set names utf8mb4;\n", out);
    for (uint32_t i = 0; i < script.event_count; i++) {
        const struct script_event *event = &script.events[i];

        if (event->kind != SCRIPT_TXN && event->kind != SCRIPT_SKIPPED)
            (void)fprintf(out, "%s;\n", event->query);
        for (uint32_t j = 0; event->kind == SCRIPT_TXN && j < event->step_count; j++)
            write_step(out, &tables.tables[event->steps[j].table], &event->steps[j].step);
        if (event->kind != SCRIPT_TXN)
            script_apply_ddl(&tables, event);
    }
    finish(out);
}

int main(int argc, char **argv)
{
    struct script_options options = {.first_ts = FIRST_TS, .step = (sl_ts)STEP_MS << MS_BITS};

    if (argc != 4 || (options.events_max = (uint32_t)strtoul(argv[2], NULL, 10)) < 10 ||
        options.events_max > SCRIPT_EVENTS_MAX) {
        (void)fprintf(stderr, "usage: row_recording SEED TRANSACTIONS DIR; 10..%d transactions\n",
                      SCRIPT_EVENTS_MAX);
        return 2;
    }
    options.seed = strtoull(argv[1], NULL, 10);
    options.events_min = options.events_max / 2;
    script_draw(&script, &options);
    write_writes(argv[3]);
    write_history(argv[3]);
    write_meta(argv[3]);
    write_serial(argv[3]);
    script_free(&script);
    return 0;
}
