#include "binlog/sink_table.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/intrusive.h"

/* A table with what owns it. */
struct owned_table {
    struct sl_sink_table table;
    /* Partner of each decrement is the last one: acquire-release, so that who frees sees all uses.
     */
    atomic_uint     refs;
    struct sl_arena arena; /* holds all text and lists */
};

struct sl_sink_table_builder {
    struct owned_table    *owned;
    struct sl_sink_column *columns; /* in the arena, room for SL_SINK_COLUMNS_MAX */
    struct sl_sink_key    *keys;    /* likewise, SL_SINK_KEYS_MAX */
    struct sl_sink_part   *parts;   /* of the last key; likewise, SL_SINK_KEY_PARTS_MAX */
};

static struct owned_table *owner_of(struct sl_sink_table *table)
{
    return SL_CONTAINER_OF(table, struct owned_table, table);
}

struct sl_sink_table *sl_sink_table_ref(struct sl_sink_table *table)
{
    (void)atomic_fetch_add_explicit(&owner_of(table)->refs, 1, memory_order_relaxed);
    return table;
}

static void free_owned(struct owned_table *owned)
{
    sl_arena_done(&owned->arena);
    free(owned);
}

void sl_sink_table_free(struct sl_sink_table **table)
{
    if (*table != NULL &&
        atomic_fetch_sub_explicit(&owner_of(*table)->refs, 1, memory_order_acq_rel) == 1)
        free_owned(owner_of(*table));
    *table = NULL;
}

int32_t sl_sink_table_find(const struct sl_sink_table *table, struct sl_slice name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct sl_slice *have = &table->columns[i].name;

        if (have->len == name.len &&
            (name.len == 0 ||
             strncasecmp((const char *)have->bytes, (const char *)name.bytes, name.len) == 0))
            return (int32_t)i;
    }
    return -1;
}

/* ---- making one ---- */

static struct sl_slice copy_text(struct sl_arena *arena, struct sl_slice text)
{
    uint8_t *bytes = sl_arena_alloc(arena, text.len + 1);

    if (text.len > 0)
        memcpy(bytes, text.bytes, text.len);
    bytes[text.len] = '\0';
    return (struct sl_slice){bytes, text.len};
}

static struct sl_slice copy_string(struct sl_arena *arena, const char *text)
{
    return copy_text(arena, sl_slice_from_string(text == NULL ? "" : text));
}

struct sl_sink_table_builder *sl_sink_table_begin(struct sl_slice schema, struct sl_slice name)
{
    struct sl_sink_table_builder *builder = calloc(1, sizeof *builder);
    struct owned_table           *owned = calloc(1, sizeof *owned);

    SL_ASSERT(builder != NULL && owned != NULL);
    sl_arena_init(&owned->arena);
    atomic_init(&owned->refs, 1);
    owned->table.schema = copy_text(&owned->arena, schema);
    owned->table.name = copy_text(&owned->arena, name);
    builder->owned = owned;
    return builder;
}

void sl_sink_table_abandon(struct sl_sink_table_builder **builder)
{
    if (*builder == NULL)
        return;
    if ((*builder)->owned != NULL)
        free_owned((*builder)->owned);
    free((*builder)->columns);
    free((*builder)->keys);
    free((*builder)->parts);
    free(*builder);
    *builder = NULL;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Text compares as its collation says, which we know of few. */
static void set_comparison(struct sl_sink_column *column)
{
    static const char *const bytes[] = {"binary",     "varbinary", "blob", "tinyblob",
                                        "mediumblob", "longblob",  NULL};
    static const char *const numbered[] = {"enum", "set", NULL}; /* written by number */
    const char              *type = (const char *)column->type.bytes;
    const char              *collation = (const char *)column->collation.bytes;

    column->comparison = SL_SINK_BY_VALUE;
    if (is_one_of(type, bytes)) {
        column->comparison = SL_SINK_BY_BYTES;
        return;
    }
    if (column->collation.len == 0 || is_one_of(type, numbered))
        return;
    column->comparison = ends_with(collation, "_bin") || strcmp(collation, "binary") == 0
                             ? SL_SINK_BY_BYTES
                             : SL_SINK_BY_COLLATION;
    column->pads_blanks = strstr(collation, "_nopad_") == NULL &&
                          strstr(collation, "_0900_") == NULL && strcmp(collation, "binary") != 0;
}

static void lower(struct sl_slice text)
{
    char *at = (char *)text.bytes; /* our own copy */

    for (size_t i = 0; i < text.len; i++)
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] - 'A' + 'a');
}

static enum sl_err check_name(const struct sl_sink_table *table, const char *what, const char *name,
                              struct sl_why *why)
{
    if (name != NULL && *name != '\0' && strlen(name) < SL_SINK_NAME_BYTES_MAX)
        return SL_OK;
    return sl_fail(why, SL_INVALID, "table %s.%s: a %s has no usable name", table->schema.bytes,
                   table->name.bytes, what);
}

enum sl_err sl_sink_table_add_column(struct sl_sink_table_builder    *builder,
                                     const struct sl_sink_column_row *row, struct sl_why *why)
{
    struct sl_sink_table  *table = &builder->owned->table;
    struct sl_arena       *arena = &builder->owned->arena;
    struct sl_sink_column *column;
    enum sl_err            err = check_name(table, "column", row->name, why);

    if (err != SL_OK)
        return err;
    if (row->type == NULL || row->nullable == NULL)
        return sl_fail(why, SL_INVALID, "table %s.%s: column %s has no type", table->schema.bytes,
                       table->name.bytes, row->name);
    if (table->column_count == SL_SINK_COLUMNS_MAX)
        return sl_fail(why, SL_TOO_LARGE, "table %s.%s: more than %d columns", table->schema.bytes,
                       table->name.bytes, SL_SINK_COLUMNS_MAX);
    if (builder->columns == NULL)
        builder->columns = calloc(SL_SINK_COLUMNS_MAX, sizeof *builder->columns);
    SL_ASSERT(builder->columns != NULL);
    column = &builder->columns[table->column_count++];
    column->name = copy_string(arena, row->name);
    column->type = copy_string(arena, row->type);
    lower(column->type);
    column->collation = copy_string(arena, row->collation);
    lower(column->collation);
    column->is_nullable = strcasecmp(row->nullable, "YES") == 0;
    column->is_generated = row->extra != NULL && (strstr(row->extra, "VIRTUAL GENERATED") != NULL ||
                                                  strstr(row->extra, "STORED GENERATED") != NULL);
    set_comparison(column);
    return SL_OK;
}

/* The parts of the last key are complete: give them their place. */
static void close_key(struct sl_sink_table_builder *builder)
{
    struct sl_sink_table *table = &builder->owned->table;
    struct sl_sink_key   *key;
    struct sl_sink_part  *parts;

    if (table->key_count == 0)
        return;
    key = &builder->keys[table->key_count - 1];
    parts = sl_arena_alloc(&builder->owned->arena, key->part_count * sizeof *parts);
    memcpy(parts, builder->parts, key->part_count * sizeof *parts);
    key->parts = parts;
    key->is_not_null = !key->has_expression;
    for (uint32_t i = 0; i < key->part_count; i++)
        if (parts[i].column >= 0 && builder->columns[parts[i].column].is_nullable)
            key->is_not_null = false;
    table->is_keyed = table->is_keyed || key->is_not_null;
}

static enum sl_err open_key(struct sl_sink_table_builder *builder, const char *name,
                            struct sl_why *why)
{
    struct sl_sink_table *table = &builder->owned->table;
    struct sl_sink_key   *key;
    enum sl_err           err = check_name(table, "key", name, why);

    if (err != SL_OK)
        return err;
    close_key(builder);
    if (table->key_count == SL_SINK_KEYS_MAX)
        return sl_fail(why, SL_TOO_LARGE, "table %s.%s: more than %d unique keys",
                       table->schema.bytes, table->name.bytes, SL_SINK_KEYS_MAX);
    if (builder->keys == NULL) {
        builder->keys = calloc(SL_SINK_KEYS_MAX, sizeof *builder->keys);
        builder->parts = calloc(SL_SINK_KEY_PARTS_MAX, sizeof *builder->parts);
    }
    SL_ASSERT(builder->keys != NULL && builder->parts != NULL);
    key = &builder->keys[table->key_count++];
    key->name = copy_string(&builder->owned->arena, name);
    key->is_primary = strcasecmp(name, "PRIMARY") == 0;
    return SL_OK;
}

static bool is_same_key(const struct sl_sink_table_builder *builder, const char *name)
{
    uint32_t count = builder->owned->table.key_count;

    return count > 0 && name != NULL &&
           strcmp((const char *)builder->keys[count - 1].name.bytes, name) == 0;
}

/* The place of a column before the table has its list. */
static int32_t find_column(const struct sl_sink_table_builder *builder, const char *name)
{
    struct sl_sink_table view = {.columns = builder->columns,
                                 .column_count = builder->owned->table.column_count};

    return name == NULL ? -1 : sl_sink_table_find(&view, sl_slice_from_string(name));
}

enum sl_err sl_sink_table_add_part(struct sl_sink_table_builder  *builder,
                                   const struct sl_sink_part_row *row, struct sl_why *why)
{
    struct sl_sink_table *table = &builder->owned->table;
    struct sl_sink_key   *key;
    struct sl_sink_part  *part;
    enum sl_err           err = SL_OK;

    if (!is_same_key(builder, row->index) && (err = open_key(builder, row->index, why)) != SL_OK)
        return err;
    key = &builder->keys[table->key_count - 1];
    if (key->part_count == SL_SINK_KEY_PARTS_MAX)
        return sl_fail(why, SL_TOO_LARGE, "table %s.%s: key %s has more than %d parts",
                       table->schema.bytes, table->name.bytes, row->index, SL_SINK_KEY_PARTS_MAX);
    part = &builder->parts[key->part_count++];
    part->column = find_column(builder, row->column);
    part->prefix = row->prefix == NULL ? 0 : (uint32_t)strtoul(row->prefix, NULL, 10);
    key->has_expression = key->has_expression || part->column < 0;
    return SL_OK;
}

static void put_primary_first(struct sl_sink_key *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (keys[i].is_primary) {
            struct sl_sink_key primary = keys[i];

            memmove(keys + 1, keys, i * sizeof *keys);
            keys[0] = primary;
        }
}

static void *keep(struct sl_arena *arena, const void *list, size_t bytes)
{
    void *kept;

    if (bytes == 0)
        return NULL;
    kept = sl_arena_alloc(arena, bytes);
    memcpy(kept, list, bytes);
    return kept;
}

enum sl_err sl_sink_table_finish(struct sl_sink_table_builder **builder, struct sl_sink_table **out,
                                 struct sl_why *why)
{
    struct sl_sink_table_builder *b = *builder;
    struct owned_table           *owned = b->owned;
    struct sl_sink_table         *table = &owned->table;
    enum sl_err                   err = SL_OK;

    if (table->column_count == 0) {
        err = sl_fail(why, SL_NOT_FOUND, "table %s.%s does not exist downstream",
                      table->schema.bytes, table->name.bytes);
    } else {
        close_key(b);
        put_primary_first(b->keys, table->key_count);
        table->columns = keep(&owned->arena, b->columns, table->column_count * sizeof *b->columns);
        table->keys = keep(&owned->arena, b->keys, table->key_count * sizeof *b->keys);
        b->owned = NULL;
        *out = table;
    }
    sl_sink_table_abandon(builder);
    return err;
}
