/* Any bytes as a prewrite value, as a row of any kind against a table of all column types, and as a
 * file of the tz database: nothing aborts, leaks or reads out of bounds, and what is refused has a
 * reason. Input: byte 0 says what the rest is. Build: as h2_fuzz.c. */

#include <stdlib.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "binlog/change.h"
#include "binlog/value_text.h"
#include "binlog/zone_private.h"
#include "lib/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum sl_column_type types[] = {
    SL_TYPE_LONG,       SL_TYPE_LONGLONG, SL_TYPE_FLOAT, SL_TYPE_DOUBLE,   SL_TYPE_TIMESTAMP,
    SL_TYPE_DATE,       SL_TYPE_DURATION, SL_TYPE_YEAR,  SL_TYPE_DATETIME, SL_TYPE_VARCHAR,
    SL_TYPE_BIT,        SL_TYPE_JSON,     SL_TYPE_ENUM,  SL_TYPE_SET,      SL_TYPE_BLOB,
    SL_TYPE_NEWDECIMAL, SL_TYPE_GEOMETRY,
};
enum { COLUMNS = sizeof types / sizeof types[0], CLUSTERED = 4, FILE_INPUT = 8, WHOLE = 16 };

static struct sl_zone  *zone;
static struct sl_table *tables[2]; /* the second with a clustered key */

static void make_tables(void)
{
    static const struct sl_slice elements[] = {{(const uint8_t *)"a", 1},
                                               {(const uint8_t *)"b", 1}};
    const struct sl_index_part   parts[] = {{1, -1}, {9, -1}, {14, 3}};
    const struct sl_index_info   primary = {.is_primary = true, .parts = parts, .part_count = 3};
    struct sl_column             columns[COLUMNS];
    struct sl_table              draft = {.columns = columns, .column_count = COLUMNS};

    for (unsigned i = 0; i < COLUMNS; i++) {
        columns[i] = table_column(i + 1, "c", types[i], i % 2 != 0 ? SL_COLUMN_NOT_NULL : 0);
        columns[i].elements = elements;
        columns[i].element_count = 2;
        columns[i].decimal = (int32_t)i % 7;
        columns[i].flen = types[i] == SL_TYPE_BIT ? 9 : -1;
        columns[i].is_binary = i % 3 == 0;
    }
    draft.indexes = &primary;
    draft.index_count = 1;
    tables[0] = table_new(&draft);
    draft.is_common_handle = true;
    tables[1] = table_new(&draft);
    SL_ASSERT(sl_zone_open(sl_env_os()->fs, "+05:45", &zone, NULL) == SL_OK);
}

/* Each value has its texts, of the length that was said. */
static void render(const struct sl_change *change, struct sl_arena *arena)
{
    for (uint32_t i = 0; i < change->table->column_count; i++) {
        const struct sl_column *column = &change->table->columns[i];
        const struct sl_value  *value = &change->values[i];
        size_t                  sql = sl_value_sql_bytes_max(value);
        size_t                  json = sl_value_json_bytes_max(value);

        SL_ASSERT(sl_value_json(value, column, sl_arena_alloc(arena, json)) <= json);
        if (value->kind != SL_VALUE_ABSENT)
            SL_ASSERT(sl_value_sql(value, column, sl_arena_alloc(arena, sql)) <= sql);
    }
}

static void try_row(const struct sl_table *table, struct sl_raw_row row)
{
    struct sl_arena             arena = {0};
    const struct sl_row_context context = {.table = table, .zone = zone, .arena = &arena};
    struct sl_change            change;
    struct sl_why               why = {0};
    enum sl_err                 err = sl_row_decode(&context, &row, &change, &why);

    SL_ASSERT(err == SL_OK || (err == SL_INVALID && why.text[0] != '\0'));
    if (err == SL_OK)
        render(&change, &arena);
    sl_arena_done(&arena);
}

static void try_mutation(const struct sl_table *table, struct sl_slice bytes)
{
    struct sl_row_walk walk;
    struct sl_raw_row  row;
    uint64_t           rows;
    struct sl_why      why = {0};

    if (sl_row_walk_open(bytes, &walk, &rows, &why) != SL_OK) {
        SL_ASSERT(why.text[0] != '\0');
        return;
    }
    for (; rows > 0; rows--) {
        SL_ASSERT(sl_row_walk_next(&walk, &row, NULL) == SL_OK);
        try_row(table, row);
    }
    SL_ASSERT(sl_row_walk_next(&walk, &row, NULL) == SL_NOT_FOUND);
}

static void try_prewrite(const struct sl_table *table, struct sl_slice bytes)
{
    struct sl_prewrite prewrite;
    struct sl_mutation mutation;
    struct sl_why      why = {0};

    if (sl_prewrite_open(bytes, &prewrite, &why) != SL_OK) {
        SL_ASSERT(why.text[0] != '\0');
        return;
    }
    while (sl_prewrite_next(&prewrite, &mutation, &why) == SL_OK)
        try_mutation(table, mutation.bytes);
}

static void try_file(struct sl_slice bytes)
{
    struct sl_zone *read = calloc(1, sizeof *read);

    SL_ASSERT(read != NULL);
    if (zone_read(bytes, read, NULL) == SL_OK) {
        (void)zone_offset_at(read, 0);
        (void)zone_offset_at(read, INT64_C(4102444800));
    }
    sl_zone_free(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_slice bytes = {data + 1, size - 1};

    if (size < 1)
        return 0;
    if (tables[0] == NULL)
        make_tables();
    if ((data[0] & FILE_INPUT) != 0)
        try_file(bytes);
    else if ((data[0] & WHOLE) != 0)
        try_prewrite(tables[(data[0] & CLUSTERED) != 0], bytes);
    else
        try_row(tables[(data[0] & CLUSTERED) != 0],
                (struct sl_raw_row){(enum sl_change_kind)(data[0] % 3), bytes});
    return 0;
}
