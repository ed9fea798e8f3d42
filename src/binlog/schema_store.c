#include "binlog/schema_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "binlog/schema_private.h"
#include "binlog/table_private.h"
#include "binlog/wire.h"

/* The format:
 *
 *     8 bytes "SLSCHEM1" | body | u32 little endian: CRC-32C of all before
 *
 * The body is varints, as protobuf has them, and texts: a varint of their length, and their bytes.
 *
 *     schema version, count of databases, count of table ids
 *     database: id, version, dropped; if it is not: name, charset, collation
 *     table id: id, database id, version, fate; if it is live: count of versions, these from the
 *         oldest to the newest, count of partitions, of each id and name
 *     version: schema version, flags (1 pk_is_handle, 2 is_common_handle, 4 view, 8 sequence),
 *         schema, name, count of columns, these, count of indexes, these
 *     column: id, name, type, state, flags, flen + 1, decimal + 1, bits (1 binary, 2 generated, 4
 *         stored, 8 hidden), charset, collation, count of elements, these, kind of default, default
 *     index: name, state, bits (1 unique, 2 primary), count of parts, of each column, length + 1 */

static const char magic[] = "SLSCHEM1";
enum { MAGIC_BYTES = 8, SUM_BYTES = 4, FIRST_ROOM = 1 << 16 };

/* ---- writing ---- */

struct writer {
    uint8_t *bytes; /* owned */
    size_t   used;
    size_t   room;
};

static void put_bytes(struct writer *w, const void *bytes, size_t count)
{
    if (count > w->room - w->used) {
        while (count > w->room - w->used)
            w->room = w->room == 0 ? FIRST_ROOM : 2 * w->room;
        w->bytes = realloc(w->bytes, w->room);
        SL_ASSERT(w->bytes != NULL);
    }
    if (count > 0)
        memcpy(w->bytes + w->used, bytes, count);
    w->used += count;
}

static void put(struct writer *w, uint64_t value)
{
    uint8_t bytes[10];
    size_t  count = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (uint8_t)(value | 0x80);
    bytes[count++] = (uint8_t)value;
    put_bytes(w, bytes, count);
}

static void put_text(struct writer *w, struct sl_slice text)
{
    put(w, text.len);
    put_bytes(w, text.bytes, text.len);
}

static void put_column(struct writer *w, const struct sl_column *column)
{
    put(w, (uint64_t)column->id);
    put_text(w, column->name);
    put(w, column->type);
    put(w, column->state);
    put(w, column->flags);
    put(w, (uint64_t)((int64_t)column->flen + 1));
    put(w, (uint64_t)((int64_t)column->decimal + 1));
    put(w, (unsigned)column->is_binary | (unsigned)column->is_generated << 1 |
               (unsigned)column->is_stored << 2 | (unsigned)column->is_hidden << 3);
    put_text(w, column->charset);
    put_text(w, column->collation);
    put(w, column->element_count);
    for (uint32_t i = 0; i < column->element_count; i++)
        put_text(w, column->elements[i]);
    put(w, column->default_kind);
    put_text(w, column->default_value);
}

static void put_index(struct writer *w, const struct sl_index_info *index)
{
    put_text(w, index->name);
    put(w, index->state);
    put(w, (unsigned)index->is_unique | (unsigned)index->is_primary << 1);
    put(w, index->part_count);
    for (uint32_t i = 0; i < index->part_count; i++) {
        put(w, index->parts[i].column);
        put(w, (uint64_t)((int64_t)index->parts[i].length + 1));
    }
}

static void put_version(struct writer *w, const struct sl_table *table)
{
    put(w, (uint64_t)table->version);
    put(w, (unsigned)table->pk_is_handle | (unsigned)table->is_common_handle << 1 |
               (unsigned)table->is_view << 2 | (unsigned)table->is_sequence << 3);
    put_text(w, table->schema);
    put_text(w, table->name);
    put(w, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++)
        put_column(w, &table->columns[i]);
    put(w, table->index_count);
    for (uint32_t i = 0; i < table->index_count; i++)
        put_index(w, &table->indexes[i]);
}

static void put_table(struct writer *w, const struct schema_table *t)
{
    put(w, (uint64_t)t->id);
    put(w, (uint64_t)t->database_id);
    put(w, (uint64_t)t->version);
    put(w, t->fate);
    if (t->fate != SL_TABLE_LIVE)
        return;
    put(w, t->kept_count);
    for (uint32_t i = t->kept_count; i-- > 0;)
        put_version(w, t->kept[i]);
    put(w, t->partition_count);
    for (uint32_t i = 0; i < t->partition_count; i++) {
        put(w, (uint64_t)t->partitions[i].id);
        put_text(w, t->partitions[i].name);
    }
}

static void put_database(struct writer *w, const struct schema_database *d)
{
    put(w, (uint64_t)d->is.id);
    put(w, (uint64_t)d->version);
    put(w, d->dropped);
    if (d->dropped)
        return;
    put_text(w, d->is.name);
    put_text(w, d->is.charset);
    put_text(w, d->is.collation);
}

static void put_all(struct writer *w, const struct sl_schema *schema)
{
    struct sl_map_iter  at = {0};
    struct sl_map_node *node;

    put_bytes(w, magic, MAGIC_BYTES);
    put(w, (uint64_t)schema->version);
    put(w, schema->databases.count);
    put(w, schema->tables.count);
    while ((node = sl_map_next(&schema->databases, &at)) != NULL)
        put_database(w, SL_CONTAINER_OF(node, struct schema_database, node));
    at = (struct sl_map_iter){0};
    while (w->used <= SL_SCHEMA_STORE_BYTES_MAX &&
           (node = sl_map_next(&schema->tables, &at)) != NULL)
        put_table(w, SL_CONTAINER_OF(node, struct schema_table, node));
}

enum sl_err sl_schema_write(const struct sl_schema *schema, struct sl_buf **out, struct sl_why *why)
{
    struct writer w = {0};
    uint8_t       sum[SUM_BYTES];

    put_all(&w, schema);
    sl_bytes_put_u32(sum, sl_crc32c(0, w.bytes, w.used));
    put_bytes(&w, sum, sizeof sum);
    if (w.used > SL_SCHEMA_STORE_BYTES_MAX) {
        free(w.bytes);
        return sl_fail(why, SL_TOO_LARGE, "the schema takes more than %d bytes",
                       SL_SCHEMA_STORE_BYTES_MAX);
    }
    *out = sl_buf_new(w.used);
    memcpy((*out)->data, w.bytes, w.used);
    free(w.bytes);
    return SL_OK;
}

/* ---- reading ---- */

/* Bytes whose sum is right were written by us; what is checked beyond is what would be misused. */
struct reader {
    struct wire_cursor c;
    struct sl_arena   *arena;
    struct sl_why     *why;
    enum sl_err        err; /* the first; then everything reads as zero */
};

static uint64_t take(struct reader *r)
{
    uint64_t value = 0;

    if (r->err == SL_OK)
        r->err = wire_take_varint(&r->c, &value, r->why);
    return r->err == SL_OK ? value : 0;
}

static struct sl_slice take_text(struct reader *r)
{
    struct sl_slice text = {0};

    if (r->err == SL_OK)
        r->err = wire_take_bytes(&r->c, &text, r->why);
    return r->err == SL_OK ? text : sl_slice_from_string("");
}

/* A count of things of at least one byte each. */
static uint32_t take_count(struct reader *r, uint64_t limit)
{
    uint64_t count = take(r);

    if (r->err == SL_OK && count > limit)
        r->err = sl_fail(r->why, SL_INVALID, "it counts %llu where %llu is the limit",
                         (unsigned long long)count, (unsigned long long)limit);
    return r->err == SL_OK ? (uint32_t)count : 0;
}

static void take_column(struct reader *r, struct sl_column *column)
{
    struct sl_slice *elements;
    uint64_t         bits;

    *column = (struct sl_column){.id = (int64_t)take(r)};
    column->name = take_text(r);
    column->type = (enum sl_column_type)(uint8_t)take(r);
    column->state = (enum sl_schema_state)(take(r) & 7);
    column->flags = (uint32_t)take(r);
    column->flen = (int32_t)(int64_t)(take(r) - 1);
    column->decimal = (int32_t)(int64_t)(take(r) - 1);
    bits = take(r);
    column->is_binary = bits & 1;
    column->is_generated = bits >> 1 & 1;
    column->is_stored = bits >> 2 & 1;
    column->is_hidden = bits >> 3 & 1;
    column->charset = take_text(r);
    column->collation = take_text(r);
    column->element_count = take_count(r, SL_TABLE_ELEMENTS_MAX);
    elements = sl_arena_alloc(r->arena, column->element_count * sizeof *elements);
    for (uint32_t i = 0; i < column->element_count; i++)
        elements[i] = take_text(r);
    column->elements = elements;
    column->default_kind = (enum sl_default_kind)take_count(r, SL_DEFAULT_BITS);
    column->default_value = take_text(r);
}

static void take_index(struct reader *r, uint32_t columns, struct sl_index_info *index)
{
    struct sl_index_part *parts;
    uint64_t              bits;

    *index = (struct sl_index_info){.name = take_text(r)};
    index->state = (enum sl_schema_state)(take(r) & 7);
    bits = take(r);
    index->is_unique = bits & 1;
    index->is_primary = bits >> 1 & 1;
    index->part_count = take_count(r, SL_TABLE_COLUMNS_MAX);
    parts = sl_arena_alloc(r->arena, index->part_count * sizeof *parts);
    for (uint32_t i = 0; i < index->part_count; i++) {
        parts[i].column = take_count(r, columns == 0 ? 0 : columns - 1);
        parts[i].length = (int32_t)(int64_t)(take(r) - 1);
    }
    index->parts = parts;
    if (columns == 0 && index->part_count > 0)
        r->err = sl_fail(r->why, SL_INVALID, "an index of no column");
}

static void take_version(struct reader *r, int64_t id, struct sl_table *draft)
{
    struct sl_column     *columns;
    struct sl_index_info *indexes;
    uint64_t              bits;

    *draft = (struct sl_table){.id = id, .version = (int64_t)take(r)};
    bits = take(r);
    draft->pk_is_handle = bits & 1;
    draft->is_common_handle = bits >> 1 & 1;
    draft->is_view = bits >> 2 & 1;
    draft->is_sequence = bits >> 3 & 1;
    draft->schema = take_text(r);
    draft->name = take_text(r);
    draft->column_count = take_count(r, SL_TABLE_COLUMNS_MAX);
    draft->columns = columns = sl_arena_alloc(r->arena, draft->column_count * sizeof *columns);
    for (uint32_t i = 0; i < draft->column_count; i++)
        take_column(r, &columns[i]);
    draft->index_count = take_count(r, SL_TABLE_INDEXES_MAX);
    draft->indexes = indexes = sl_arena_alloc(r->arena, draft->index_count * sizeof *indexes);
    for (uint32_t i = 0; i < draft->index_count; i++)
        take_index(r, draft->column_count, &indexes[i]);
}

/* The versions of a live table; then its partitions, which belong to the newest. */
static void take_live(struct reader *r, struct sl_schema *schema, int64_t id, int64_t database_id)
{
    uint32_t                kept = take_count(r, SL_SCHEMA_VERSIONS_KEPT);
    struct sl_table         drafts[SL_SCHEMA_VERSIONS_KEPT];
    struct table_partition *partitions;
    uint32_t                count;

    for (uint32_t i = 0; i < kept; i++)
        take_version(r, id, &drafts[i]);
    count = take_count(r, SL_TABLE_PARTITIONS_MAX);
    partitions = sl_arena_alloc(r->arena, count * sizeof *partitions);
    for (uint32_t i = 0; i < count; i++) {
        partitions[i].id = (int64_t)take(r);
        partitions[i].name = take_text(r);
    }
    if (r->err == SL_OK && kept == 0)
        r->err = sl_fail(r->why, SL_INVALID, "a table without a version");
    for (uint32_t i = 0; r->err == SL_OK && i < kept; i++)
        schema_table_push(schema, database_id, table_copy(&drafts[i]), partitions, count);
}

static void take_table(struct reader *r, struct sl_schema *schema)
{
    int64_t            id = (int64_t)take(r);
    int64_t            database_id = (int64_t)take(r);
    int64_t            version = (int64_t)take(r);
    enum sl_table_fate fate = (enum sl_table_fate)take_count(r, SL_TABLE_DROPPED);

    if (fate == SL_TABLE_LIVE)
        take_live(r, schema, id, database_id);
    if (r->err != SL_OK)
        return;
    if (fate != SL_TABLE_LIVE)
        schema_table_end(schema_table_make(schema, id), fate, version);
    schema_table_of(schema, id)->version = version;
    schema_table_of(schema, id)->database_id = database_id;
    sl_arena_reset(r->arena);
}

static void take_database(struct reader *r, struct sl_schema *schema)
{
    struct sl_database is = {.id = (int64_t)take(r)};
    int64_t            version = (int64_t)take(r);
    bool               dropped = take(r) != 0;

    is.name = is.charset = is.collation = sl_slice_from_string("");
    if (!dropped) {
        is.name = take_text(r);
        is.charset = take_text(r);
        is.collation = take_text(r);
    }
    if (r->err != SL_OK)
        return;
    schema_database_set(schema, &is, version);
    if (dropped)
        schema_database_of(schema, is.id)->dropped = true;
}

static void take_all(struct reader *r, struct sl_schema *schema, size_t bytes)
{
    uint32_t databases;
    uint32_t tables;

    schema->version = (int64_t)take(r);
    databases = take_count(r, bytes);
    tables = take_count(r, bytes);
    for (uint32_t i = 0; r->err == SL_OK && i < databases; i++)
        take_database(r, schema);
    for (uint32_t i = 0; r->err == SL_OK && i < tables; i++)
        take_table(r, schema);
    if (r->err == SL_OK && r->c.at != r->c.end)
        r->err = sl_fail(r->why, SL_INVALID, "it goes on behind its end");
}

enum sl_err sl_schema_read(struct sl_slice bytes, struct sl_schema **out, struct sl_why *why)
{
    struct sl_schema *schema;
    struct sl_arena   arena;
    struct reader     r = {.arena = &arena, .why = why};
    size_t            body = bytes.len - SUM_BYTES;

    if (bytes.len < MAGIC_BYTES + SUM_BYTES || bytes.len > SL_SCHEMA_STORE_BYTES_MAX ||
        memcmp(bytes.bytes, magic, MAGIC_BYTES) != 0)
        return sl_fail(why, SL_INVALID, "no stored schema, or of another format");
    if (sl_bytes_get_u32(bytes.bytes + body) != sl_crc32c(0, bytes.bytes, body))
        return sl_fail(why, SL_INVALID, "the stored schema is damaged: its checksum is wrong");
    sl_arena_init(&arena);
    schema = sl_schema_new();
    r.c = wire_begin((struct sl_slice){bytes.bytes + MAGIC_BYTES, body - MAGIC_BYTES});
    take_all(&r, schema, bytes.len);
    sl_arena_done(&arena);
    if (r.err != SL_OK) {
        sl_schema_free(&schema);
        return sl_wrap(why, SL_INVALID, "the stored schema");
    }
    *out = schema;
    return SL_OK;
}
