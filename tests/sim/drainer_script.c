#include "sim/drainer_script.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/job.h"
#include "binlog/message.h"
#include "binlog/record.h"

enum {
    DATABASE_ID = 90,
    FIRST_ID = 100,
    ORDINAL_ROW_BITS = 40, /* as in planner.c */
    RECORD_BYTES_MAX = 1 << 14,
    MUTATION_INSERT = 0,
    MUTATION_UPDATE = 1,
    MUTATION_DELETE = 4,
    DELAY_TXNS_MAX = 4, /* between a DDL's effect and its binlog */
};

/* What the drawing knows besides the script. */
struct author {
    struct script       *script;
    struct sl_prng       dice;
    struct script_tables tables;
    sl_ts                ts;
    int64_t              next_id;
    int64_t              version;
    uint32_t             pending; /* the event of a DDL whose binlog is still to come; 0: none */
    uint32_t             pending_txns;
    uint32_t             names; /* tables made so far */
};

/* ---- effects ---- */

struct model_table *script_table(struct script_tables *tables, const char *name)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        if (strcmp(tables->tables[i].name, name) == 0)
            return &tables->tables[i];
    }
    return NULL;
}

static struct model_cell cell_after(const struct model_table *old, const struct model_row *row,
                                    const struct model_column *column)
{
    for (uint32_t i = 0; i < old->column_count; i++) {
        if (old->columns[i].id == column->id)
            return row->cells[i];
    }
    return column->is_nullable ? model_null() : model_int(MODEL_DEFAULT);
}

static void alter(struct model_table *t, const struct model_table *shape)
{
    struct model_table altered = *shape;

    for (uint32_t i = 0; i < t->row_count; i++) {
        struct model_row row = {0};

        for (uint32_t j = 0; j < shape->column_count; j++)
            row.cells[j] = cell_after(t, &t->rows[i], &shape->columns[j]);
        model_insert(&altered, &row);
    }
    *t = altered;
}

void script_apply_ddl(struct script_tables *tables, const struct script_event *event)
{
    struct model_table *t = script_table(tables, event->shape->name);

    switch (event->kind) {
    case SCRIPT_TXN: SL_UNREACHABLE("no DDL");
    case SCRIPT_DATABASE:
    case SCRIPT_SKIPPED: return;
    case SCRIPT_CREATE: tables->tables[tables->count++] = *event->shape; return;
    case SCRIPT_DROP: *t = tables->tables[--tables->count]; return;
    case SCRIPT_TRUNCATE: *t = *event->shape; return;
    case SCRIPT_ALTER: alter(t, event->shape); return;
    }
}

bool script_apply(struct script_tables *tables, const struct script_event *event)
{
    if (event->kind != SCRIPT_TXN) {
        script_apply_ddl(tables, event);
        return true;
    }
    for (uint32_t i = 0; i < event->step_count; i++) {
        const struct script_step *s = &event->steps[i];

        if (!model_apply(&tables->tables[s->table], s->step.kind, &s->step.old, &s->step.new_row))
            return false;
    }
    return true;
}

/* ---- records ---- */

static bool takes(const struct script_pump *pump, sl_ts ts)
{
    return ts > pump->joins && (ts <= pump->leaves || ts > pump->returns);
}

/* A pump that is there at this moment; the first one always is. */
static uint32_t draw_pump(struct author *a, sl_ts ts)
{
    uint32_t pump = (uint32_t)sl_prng_below(&a->dice, a->script->pump_count);

    return takes(&a->script->pumps[pump], ts) ? pump : 0;
}

static void seal(struct author *a, struct script_event *event, const struct sl_record *record)
{
    event->commit_ts = record->commit_ts;
    event->record = sl_buf_new(sl_record_encoded_bytes(record));
    sl_record_encode(record, event->record->data);
    event->pump = draw_pump(a, event->commit_ts);
    event->is_copied = event->pump != 0 && sl_prng_chance(&a->dice, 1, 8);
    a->script->last_ts = event->commit_ts;
}

static uint8_t *put_bytes(uint8_t *at, unsigned field, const uint8_t *bytes, size_t len)
{
    *at++ = (uint8_t)(field << 3 | 2);
    at = sl_message_put_number(at, len);
    memcpy(at, bytes, len);
    return at + len;
}

/* ---- transactions ---- */

static uint8_t *put_step(uint8_t *at, const struct model_table *t, const struct stream_step *step)
{
    uint8_t  row[2048];
    uint8_t *end = row;

    switch (step->kind) {
    case SL_CHANGE_INSERT:
        end = model_put_row(row, t, &step->new_row, true);
        return put_bytes(at, 2, row, (size_t)(end - row));
    case SL_CHANGE_UPDATE:
        end = model_put_row(model_put_row(row, t, &step->old, false), t, &step->new_row, false);
        return put_bytes(at, 3, row, (size_t)(end - row));
    case SL_CHANGE_DELETE:
        end = model_put_row(row, t, &step->old, false);
        return put_bytes(at, 6, row, (size_t)(end - row));
    }
    SL_UNREACHABLE("not a kind");
}

static uint64_t mutation_of(enum sl_change_kind kind)
{
    static const uint64_t types[] = {[SL_CHANGE_INSERT] = MUTATION_INSERT,
                                     [SL_CHANGE_UPDATE] = MUTATION_UPDATE,
                                     [SL_CHANGE_DELETE] = MUTATION_DELETE};

    return types[kind];
}

/* The steps from `first` on, of one table, as a TableMutation. */
static uint8_t *put_mutation(uint8_t *at, const struct model_table *t, struct script_event *event,
                             uint32_t first, uint64_t place)
{
    static uint8_t mutation[RECORD_BYTES_MAX];
    uint8_t       *end = sl_message_put_integer(mutation, 1, (uint64_t)t->id);

    for (uint32_t i = first; i < event->step_count; i++) {
        end = put_step(end, t, &event->steps[i].step);
        event->steps[i].ordinal = (place << ORDINAL_ROW_BITS) + (i - first);
    }
    for (uint32_t i = first; i < event->step_count; i++)
        end = sl_message_put_integer(end, 7, mutation_of(event->steps[i].step.kind));
    return put_bytes(at, 2, mutation, (size_t)(end - mutation));
}

/* Some statements on one table; false when the dice gave none. */
static bool draw_mutation(struct author *a, struct script_event *event, uint32_t table)
{
    uint32_t first = event->step_count;
    uint64_t statements = sl_prng_range(&a->dice, 1, 3);

    for (uint64_t i = 0; i < statements; i++) {
        struct stream_step steps[STREAM_STEPS_MAX];
        struct model_table before = a->tables.tables[table];
        uint32_t           count = stream_draw(&a->dice, &a->tables.tables[table], steps);

        if (event->step_count + count > SCRIPT_STEPS_MAX) {
            a->tables.tables[table] = before;
            break;
        }
        for (uint32_t j = 0; j < count; j++)
            event->steps[event->step_count++] =
                (struct script_step){.table = table, .step = steps[j]};
    }
    return event->step_count > first;
}

static void draw_txn(struct author *a)
{
    static uint8_t       value[2 * RECORD_BYTES_MAX];
    struct script_event *event = &a->script->events[a->script->event_count];
    uint8_t             *end = sl_message_put_integer(value, 1, (uint64_t)a->version);
    uint64_t             mutations = 0;
    uint64_t             wanted = sl_prng_range(&a->dice, 1, 3);
    struct sl_record     record = {.type = SL_RECORD_COMMIT, .has_schema_state = true};

    if (a->tables.count == 0)
        return;
    event->kind = SCRIPT_TXN;
    event->step_count = 0;
    if (event->steps == NULL)
        event->steps = calloc(SCRIPT_STEPS_MAX, sizeof *event->steps);
    SL_ASSERT(event->steps != NULL);
    for (uint64_t i = 0; i < wanted; i++) {
        uint32_t first = event->step_count;
        uint32_t table = (uint32_t)sl_prng_below(&a->dice, a->tables.count);

        if (draw_mutation(a, event, table))
            end = put_mutation(end, &a->tables.tables[table], event, first, mutations++);
    }
    if (mutations == 0)
        return;
    a->ts += a->script->step;
    record.start_ts = a->ts - a->script->step / 2;
    record.commit_ts = a->ts;
    record.prewrite_value = (struct sl_slice){value, (size_t)(end - value)};
    seal(a, event, &record);
    a->script->event_count++;
    a->pending_txns++;
}

/* ---- DDL ---- */

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text_of(const char *format, ...)
{
    char   *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        SL_PANIC("no memory");
    va_end(args);
    return text;
}

static char *create_text(const struct model_table *t)
{
    char  *text = NULL;
    size_t len;
    FILE  *out = open_memstream(&text, &len);

    SL_ASSERT(out != NULL);
    model_print_create(out, t);
    (void)fclose(out);
    return text;
}

static void write_job(struct script_event *event)
{
    size_t len;
    FILE  *out = open_memstream(&event->job, &len);

    SL_ASSERT(out != NULL);
    (void)fprintf(out,
                  "{\"id\":%" PRId64 ",\"type\":%d,\"schema_id\":%d,\"table_id\":%" PRId64
                  ",\"state\":6,\"schema_state\":5,\"start_ts\":1,\"query\":\"%s\",\"binlog\":{"
                  "\"SchemaVersion\":%" PRId64 ",\"DBInfo\":",
                  event->job_id, event->type, DATABASE_ID, event->old_table_id, event->query,
                  event->version);
    if (event->kind == SCRIPT_DATABASE)
        (void)fprintf(out,
                      "{\"id\":%d,\"db_name\":{\"O\":\"test\",\"L\":\"test\"},\"charset\":"
                      "\"utf8mb4\",\"collate\":\"utf8mb4_bin\",\"state\":5},\"TableInfo\":null",
                      DATABASE_ID);
    else {
        (void)fputs("null,\"TableInfo\":", out);
        model_print_info(out, event->shape);
    }
    (void)fprintf(out, ",\"FinishedTS\":%" PRId64 "}}", event->commit_ts - 1);
    (void)fclose(out);
}

/* The binlog of a DDL whose effect has been. */
static void commit_ddl(struct author *a, struct script_event *event)
{
    const struct sl_record record = {.type = SL_RECORD_COMMIT,
                                     .start_ts = a->ts + a->script->step / 2,
                                     .commit_ts = a->ts + a->script->step,
                                     .ddl_query = sl_slice_from_string(event->query),
                                     .ddl_job_id = event->job_id,
                                     .ddl_schema_state = 5,
                                     .has_schema_state = true};

    a->ts += a->script->step;
    seal(a, event, &record);
    write_job(event);
}

/* The binlog of a DDL that was held back. */
static void settle(struct author *a)
{
    if (a->pending != 0)
        commit_ddl(a, &a->script->events[a->pending]);
    a->pending = 0;
}

/* A DDL, whose text is taken. */
static void add_ddl(struct author *a, enum script_kind kind, int type, char *query,
                    const struct model_table *shape, int64_t old_table_id)
{
    struct script_event *event = &a->script->events[a->script->event_count];

    settle(a);
    event->kind = kind;
    event->type = type;
    event->query = query;
    event->shape = malloc(sizeof *event->shape);
    SL_ASSERT(event->shape != NULL);
    *event->shape = *shape;
    event->shape->row_count = 0;
    event->job_id = a->next_id++;
    event->version = ++a->version;
    event->old_table_id = old_table_id;
    script_apply_ddl(&a->tables, event);
    if (a->script->event_count > 0 && sl_prng_chance(&a->dice, 1, 3)) {
        a->pending = a->script->event_count;
        a->pending_txns = 0;
    } else {
        commit_ddl(a, event);
    }
    a->script->event_count++;
}

static void create_table(struct author *a)
{
    enum stream_shape  shape = (enum stream_shape)sl_prng_below(&a->dice, STREAM_SHAPES);
    char               name[MODEL_NAME_BYTES];
    struct model_table t;

    (void)snprintf(name, sizeof name, "t%" PRIu32, a->names++);
    t = stream_table(shape, a->next_id++, name);
    add_ddl(a, SCRIPT_CREATE, SL_JOB_CREATE_TABLE, create_text(&t), &t, t.id);
}

static void add_column(struct author *a, struct model_table *t)
{
    struct model_column *c = &t->columns[t->column_count++];

    *c = (struct model_column){.id = 10 + a->next_id, .is_added = true};
    c->is_nullable = sl_prng_chance(&a->dice, 1, 2);
    (void)snprintf(c->name, sizeof c->name, "n%" PRId64, a->next_id);
    add_ddl(a, SCRIPT_ALTER, SL_JOB_ADD_COLUMN,
            c->is_nullable ? text_of("alter table test.%s add column %s int", t->name, c->name)
                           : text_of("alter table test.%s add column %s int not null default %d",
                                     t->name, c->name, MODEL_DEFAULT),
            t, t->id);
}

static void alter_table(struct author *a, struct model_table t)
{
    const struct model_column *last = &t.columns[t.column_count - 1];
    char                      *query;

    if (t.column_count < MODEL_COLUMNS_MAX && sl_prng_chance(&a->dice, 1, 2)) {
        add_column(a, &t);
    } else if (last->is_added) {
        query = text_of("alter table test.%s drop column %s", t.name, last->name);
        t.column_count--;
        add_ddl(a, SCRIPT_ALTER, SL_JOB_DROP_COLUMN, query, &t, t.id);
    } else if (t.key_count > 1) {
        query = text_of("alter table test.%s drop index %s", t.name, t.keys[t.key_count - 1].name);
        t.key_count--;
        add_ddl(a, SCRIPT_ALTER, SL_JOB_DROP_INDEX, query, &t, t.id);
    }
}

static void draw_ddl(struct author *a)
{
    struct model_table shape;
    int64_t            old_id;

    if (a->tables.count < 2 ||
        (a->tables.count < SCRIPT_TABLES_MAX && sl_prng_chance(&a->dice, 1, 3))) {
        create_table(a);
        return;
    }
    shape = a->tables.tables[sl_prng_below(&a->dice, a->tables.count)];
    old_id = shape.id;
    switch (sl_prng_below(&a->dice, 6)) {
    case 0:
        add_ddl(a, SCRIPT_DROP, SL_JOB_DROP_TABLE, text_of("drop table test.%s", shape.name),
                &shape, old_id);
        return;
    case 1:
        shape.id = a->next_id++;
        add_ddl(a, SCRIPT_TRUNCATE, SL_JOB_TRUNCATE_TABLE,
                text_of("truncate table test.%s", shape.name), &shape, old_id);
        return;
    case 2:
    case 3:
        add_ddl(a, SCRIPT_SKIPPED, SL_JOB_SHARD_ROW_ID,
                text_of("alter table test.%s shard_row_id_bits = 2", shape.name), &shape, old_id);
        return;
    default: alter_table(a, shape); return;
    }
}

/* ---- all of it ---- */

static void draw_pumps(struct author *a, uint32_t events_max)
{
    struct script *s = a->script;
    sl_ts          span = (sl_ts)events_max * s->step;

    s->pump_count = (uint32_t)sl_prng_range(&a->dice, 1, SCRIPT_PUMPS_MAX);
    for (uint32_t i = 0; i < s->pump_count; i++) {
        struct script_pump *pump = &s->pumps[i];

        *pump = (struct script_pump){.leaves = INT64_MAX, .returns = INT64_MAX};
        if (i == 0 || sl_prng_chance(&a->dice, 1, 3))
            continue;
        pump->joins = s->first_ts + (sl_ts)sl_prng_below(&a->dice, (uint64_t)span / 2);
        if (sl_prng_chance(&a->dice, 1, 2))
            pump->leaves = pump->joins + (sl_ts)sl_prng_below(&a->dice, (uint64_t)span / 3);
        if (pump->leaves != INT64_MAX && sl_prng_chance(&a->dice, 1, 2))
            pump->returns = pump->leaves + (sl_ts)sl_prng_below(&a->dice, (uint64_t)span / 3);
    }
}

void script_draw(struct script *script, const struct script_options *options)
{
    static struct author a;
    uint32_t             wanted;
    struct model_table   none = {0};

    memset(script, 0, sizeof *script);
    memset(&a, 0, sizeof a);
    a.script = script;
    script->first_ts = a.ts = options->first_ts;
    script->step = options->step;
    a.next_id = FIRST_ID;
    sl_prng_seed(&a.dice, options->seed);
    draw_pumps(&a, options->events_max);
    wanted = (uint32_t)sl_prng_range(&a.dice, options->events_min, options->events_max - 1);
    add_ddl(&a, SCRIPT_DATABASE, SL_JOB_CREATE_SCHEMA, text_of("create database test"), &none, 0);
    create_table(&a);
    for (unsigned tries = 0; script->event_count < wanted && tries < 10 * SCRIPT_EVENTS_MAX;
         tries++) {
        if (a.pending != 0 && a.pending_txns >= sl_prng_range(&a.dice, 1, DELAY_TXNS_MAX))
            settle(&a);
        if (sl_prng_chance(&a.dice, 1, 9))
            draw_ddl(&a);
        else
            draw_txn(&a);
    }
    settle(&a);
}

void script_free(struct script *script)
{
    for (uint32_t i = 0; i < SCRIPT_EVENTS_MAX; i++) {
        sl_buf_free(&script->events[i].record);
        free(script->events[i].job);
        free(script->events[i].query);
        free(script->events[i].shape);
        free(script->events[i].steps);
    }
    memset(script, 0, sizeof *script);
}
