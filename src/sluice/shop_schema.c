#include "sluice/shop_schema.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"

/* TiDB's numbers (codec spec 3.6). */
enum action {
    CREATE_DATABASE = 1,
    CREATE_TABLE = 3,
    ADD_COLUMN = 5,
    DROP_COLUMN = 6,
    ADD_INDEX = 7,
    DROP_INDEX = 8,
};

/* Of MySQL: types and flags of columns. */
enum { TYPE_BIGINT = 8, TYPE_VARCHAR = 15 };
enum { FLAG_NOT_NULL = 1, FLAG_PRIMARY = 2, FLAG_NO_DEFAULT = 4096 };
enum { BIGINT_LENGTH = 20, STATE_NONE = 0, STATE_PUBLIC = 5, JOB_SYNCED = 6 };

/* Job steps after which everybody sees the change: each takes a schema version. */
enum { STEPS_AT_ONCE = 1, STEPS_ONLINE = 4 };

struct job {
    enum action        action;
    int                table; /* -1: none */
    const char        *query;
    struct shop_column column; /* of ADD_COLUMN, DROP_COLUMN; of an index the name of its column */
};

static const struct job jobs[] = {
    {CREATE_DATABASE, -1, "create database shop", {0}},
    {CREATE_TABLE,
     SHOP_STOCK,
     "create table shop.stock (id bigint primary key, item varchar(32) not null, quantity bigint "
     "not null, price bigint not null)",
     {0}},
    {CREATE_TABLE,
     SHOP_ORDERS,
     "create table shop.orders (id bigint primary key, item_id bigint not null, quantity bigint "
     "not null, state varchar(16) not null)",
     {0}},
    {CREATE_TABLE,
     SHOP_PAYMENTS,
     "create table shop.payments (id bigint primary key, amount bigint not null, method "
     "varchar(16))",
     {0}},
    /* From here on round and round. */
    {ADD_COLUMN,
     SHOP_ORDERS,
     "alter table shop.orders add column note varchar(40) default 'none'",
     {.name = "note", .def = "none", .length = 40}},
    {ADD_INDEX, SHOP_ORDERS, "create index by_item on shop.orders (item_id)", {.name = "item_id"}},
    {ADD_COLUMN,
     SHOP_PAYMENTS,
     "alter table shop.payments add column fee bigint not null default 5",
     {.name = "fee", .def = "5", .not_null = true}},
    {DROP_COLUMN, SHOP_ORDERS, "alter table shop.orders drop column note", {.name = "note"}},
    {DROP_INDEX, SHOP_ORDERS, "drop index by_item on shop.orders", {.name = "item_id"}},
    {DROP_COLUMN, SHOP_PAYMENTS, "alter table shop.payments drop column fee", {.name = "fee"}},
};

enum { JOBS = sizeof jobs / sizeof *jobs, FIRST_CHANGE = 4 };

/* As CREATE TABLE makes them. */
static const struct shop_table tables[SHOP_TABLES] = {
    [SHOP_STOCK] = {.name = "stock",
                    .last_column_id = 4,
                    .columns = {{.id = 1, .name = "id", .not_null = true},
                                {.id = 2, .name = "item", .length = 32, .not_null = true},
                                {.id = 3, .name = "quantity", .not_null = true},
                                {.id = 4, .name = "price", .not_null = true}},
                    .column_count = 4},
    [SHOP_ORDERS] = {.name = "orders",
                     .last_column_id = 4,
                     .columns = {{.id = 1, .name = "id", .not_null = true},
                                 {.id = 2, .name = "item_id", .not_null = true},
                                 {.id = 3, .name = "quantity", .not_null = true},
                                 {.id = 4, .name = "state", .length = 16, .not_null = true}},
                     .column_count = 4},
    [SHOP_PAYMENTS] = {.name = "payments",
                       .last_column_id = 3,
                       .columns = {{.id = 1, .name = "id", .not_null = true},
                                   {.id = 2, .name = "amount", .not_null = true},
                                   {.id = 3, .name = "method", .length = 16}},
                       .column_count = 3},
};

struct shop_schema shop_schema_behind(const struct ddl_end *end)
{
    struct shop_schema schema = {.version = end->version, .last_id = end->id};

    memcpy(schema.tables, tables, sizeof tables);
    return schema;
}

bool shop_schema_is_making(const struct shop_schema *schema)
{
    return schema->next < FIRST_CHANGE;
}

/* ---- the job to come ---- */

int64_t shop_job_id(const struct shop_schema *schema)
{
    return schema->last_id + 1;
}

const char *shop_job_query(const struct shop_schema *schema)
{
    return jobs[schema->next].query;
}

static uint32_t column_at(const struct shop_table *t, const char *name)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (strcmp(t->columns[i].name, name) == 0)
            return i;
    }
    return t->column_count;
}

struct shop_step shop_job_step(const struct shop_schema *schema)
{
    const struct job *job = &jobs[schema->next];
    struct shop_step  step = {.table = job->table};

    if (job->action == ADD_COLUMN)
        step.does = SHOP_ADDS;
    if (job->action == DROP_COLUMN)
        step.does = SHOP_DROPS;
    if (step.does != SHOP_KEEPS)
        step.column = column_at(&schema->tables[job->table], job->column.name);
    return step;
}

static void apply(struct shop_schema *s, const struct job *job)
{
    struct shop_table *t = job->table >= 0 ? &s->tables[job->table] : NULL;
    uint32_t           at;

    switch (job->action) {
    case CREATE_DATABASE: s->database_id = ++s->last_id; return;
    case CREATE_TABLE: t->id = ++s->last_id; return;
    case ADD_COLUMN:
        SL_ASSERT(t->column_count < SHOP_COLUMNS_MAX);
        t->columns[t->column_count] = job->column;
        t->columns[t->column_count++].id = ++t->last_column_id;
        return;
    case DROP_COLUMN:
        at = column_at(t, job->column.name);
        SL_ASSERT(at < t->column_count);
        memmove(&t->columns[at], &t->columns[at + 1],
                (t->column_count - at - 1) * sizeof *t->columns);
        t->column_count--;
        return;
    case ADD_INDEX:
        t->index_column = job->column.name;
        t->last_index_id++;
        return;
    case DROP_INDEX: t->index_column = NULL; return;
    }
    SL_UNREACHABLE("not a job of the shop");
}

/* ---- its line: the shape is that of TiDB's jobs, member by member ---- */

static void put_member(struct sl_json_out *out, const char *before, int64_t value)
{
    sl_json_put(out, before);
    sl_json_put_int(out, value);
}

static void put_name(struct sl_json_out *out, const char *before, const char *name)
{
    sl_json_put(out, before);
    sl_json_put(out, "{\"O\":");
    sl_json_put_text(out, name);
    sl_json_put(out, ",\"L\":");
    sl_json_put_text(out, name);
    sl_json_put(out, "}");
}

static void put_text_or_null(struct sl_json_out *out, const char *before, const char *text)
{
    sl_json_put(out, before);
    if (text != NULL)
        sl_json_put_text(out, text);
    else
        sl_json_put(out, "null");
}

static int flags_of(const struct shop_column *c, uint32_t offset)
{
    int flags = c->not_null ? FLAG_NOT_NULL : 0;

    if (offset == 0)
        return flags | FLAG_PRIMARY;
    return c->not_null && c->def == NULL ? flags | FLAG_NO_DEFAULT : flags;
}

static void put_column(struct sl_json_out *out, const struct shop_column *c, uint32_t offset)
{
    bool is_text = c->length > 0;

    put_member(out, offset > 0 ? ",{\"id\":" : "{\"id\":", c->id);
    put_name(out, ",\"name\":", c->name);
    put_member(out, ",\"offset\":", offset);
    put_text_or_null(out, ",\"origin_default\":", c->def);
    put_text_or_null(out, ",\"default\":", c->def);
    sl_json_put(out, ",\"default_bit\":null,\"generated_expr_string\":\"\","
                     "\"generated_stored\":false,\"dependences\":null");
    put_member(out, ",\"type\":{\"Tp\":", is_text ? TYPE_VARCHAR : TYPE_BIGINT);
    put_member(out, ",\"Flag\":", flags_of(c, offset));
    put_member(out, ",\"Flen\":", is_text ? c->length : BIGINT_LENGTH);
    sl_json_put(out, ",\"Decimal\":0");
    put_text_or_null(out, ",\"Charset\":", is_text ? "utf8mb4" : "binary");
    put_text_or_null(out, ",\"Collate\":", is_text ? "utf8mb4_bin" : "binary");
    put_member(out, ",\"Elems\":null},\"state\":", STATE_PUBLIC);
    sl_json_put(out, ",\"comment\":\"\"}");
}

static void put_index(struct sl_json_out *out, const struct shop_table *t)
{
    sl_json_put(out, "],\"index_info\":");
    if (t->index_column == NULL) {
        sl_json_put(out, "null");
        return;
    }
    put_member(out, "[{\"id\":", t->last_index_id);
    put_name(out, ",\"idx_name\":", "by_item");
    put_name(out, ",\"tbl_name\":", "");
    put_name(out, ",\"idx_cols\":[{\"name\":", t->index_column);
    put_member(out, ",\"offset\":", column_at(t, t->index_column));
    put_member(
        out, ",\"length\":-1}],\"is_unique\":false,\"is_primary\":false,\"state\":", STATE_PUBLIC);
    sl_json_put(out, ",\"comment\":\"\",\"index_type\":1}]");
}

static void put_table(struct sl_json_out *out, const struct shop_table *t, sl_ts start_ts)
{
    put_member(out, "{\"id\":", t->id);
    put_name(out, ",\"name\":", t->name);
    sl_json_put(out, ",\"charset\":\"utf8mb4\",\"collate\":\"utf8mb4_bin\",\"cols\":[");
    for (uint32_t i = 0; i < t->column_count; i++)
        put_column(out, &t->columns[i], i);
    put_index(out, t);
    put_member(out, ",\"fk_info\":null,\"state\":", STATE_PUBLIC);
    put_member(out, ",\"pk_is_handle\":true,\"comment\":\"\",\"auto_inc_id\":0,\"max_col_id\":",
               t->last_column_id);
    put_member(out, ",\"max_idx_id\":", t->last_index_id);
    put_member(out, ",\"update_timestamp\":", start_ts);
    sl_json_put(out, ",\"ShardRowIDBits\":0,\"partition\":null,\"compression\":\"\","
                     "\"view\":null}");
}

static void put_database(struct sl_json_out *out, int64_t id)
{
    put_member(out, "{\"id\":", id);
    put_name(out, ",\"db_name\":", "shop");
    put_member(out,
               ",\"charset\":\"utf8mb4\",\"collate\":\"utf8mb4_bin\",\"state\":", STATE_PUBLIC);
    sl_json_put(out, "}");
}

static void put_job(struct sl_json_out *out, const struct shop_schema *s, const struct job *job,
                    int64_t id, sl_ts start_ts, sl_ts end_ts)
{
    const struct shop_table *t = job->table >= 0 ? &s->tables[job->table] : NULL;
    bool                     drops = job->action == DROP_COLUMN || job->action == DROP_INDEX;

    put_member(out, "{\"id\":", id);
    put_member(out, ",\"type\":", job->action);
    put_member(out, ",\"schema_id\":", s->database_id);
    put_member(out, ",\"table_id\":", t != NULL ? t->id : 0);
    put_member(out, ",\"state\":", JOB_SYNCED);
    put_member(out,
               ",\"err\":null,\"err_count\":0,\"row_count\":0,\"raw_args\":null,"
               "\"schema_state\":",
               drops ? STATE_NONE : STATE_PUBLIC);
    put_member(out, ",\"snapshot_ver\":0,\"start_ts\":", start_ts);
    put_text_or_null(out, ",\"dependency_id\":0,\"query\":", job->query);
    put_member(out, ",\"binlog\":{\"SchemaVersion\":", s->version);
    sl_json_put(out, ",\"DBInfo\":");
    if (t == NULL)
        put_database(out, s->database_id);
    sl_json_put(out, t == NULL ? ",\"TableInfo\":null" : "null,\"TableInfo\":");
    if (t != NULL)
        put_table(out, t, start_ts);
    put_member(out, ",\"FinishedTS\":", end_ts);
    sl_json_put(out, "},\"version\":1,\"reorg_meta\":null,\"priority\":0}\n");
}

size_t shop_job_run(struct shop_schema *schema, sl_ts start_ts, sl_ts end_ts, char *out)
{
    const struct job  *job = &jobs[schema->next];
    const int64_t      id = ++schema->last_id;
    struct sl_json_out line = {.bytes = out, .room = SHOP_LINE_BYTES_MAX};

    apply(schema, job);
    schema->version += job->action == CREATE_DATABASE || job->action == CREATE_TABLE ? STEPS_AT_ONCE
                                                                                     : STEPS_ONLINE;
    put_job(&line, schema, job, id, start_ts, end_ts);
    SL_ASSERT(!line.full);
    schema->next = schema->next + 1 < JOBS ? schema->next + 1 : FIRST_CHANGE;
    return line.used;
}
