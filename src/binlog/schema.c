#include "binlog/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "binlog/schema_private.h"
#include "binlog/sql_scan.h"

/* Of `mysql`, as TiDB makes it at its bootstrap. */
enum { MYSQL_ID = 1 };

/* ---- entries ---- */

static bool is_table(const struct sl_map_node *node, const void *key)
{
    return SL_CONTAINER_OF(node, struct schema_table, node)->id == *(const int64_t *)key;
}

static bool is_database(const struct sl_map_node *node, const void *key)
{
    return SL_CONTAINER_OF(node, struct schema_database, node)->is.id == *(const int64_t *)key;
}

struct schema_table *schema_table_of(const struct sl_schema *schema, int64_t id)
{
    struct sl_map_node *node = sl_map_find(&schema->tables, sl_hash_u64((uint64_t)id), &id);

    return node == NULL ? NULL : SL_CONTAINER_OF(node, struct schema_table, node);
}

struct schema_table *schema_table_make(struct sl_schema *schema, int64_t id)
{
    struct schema_table *t = schema_table_of(schema, id);

    if (t != NULL)
        return t;
    t = calloc(1, sizeof *t);
    SL_ASSERT(t != NULL);
    t->id = id;
    sl_map_add(&schema->tables, sl_hash_u64((uint64_t)id), &id, &t->node);
    return t;
}

static struct schema_database *any_database(const struct sl_schema *schema, int64_t id)
{
    struct sl_map_node *node = sl_map_find(&schema->databases, sl_hash_u64((uint64_t)id), &id);

    return node == NULL ? NULL : SL_CONTAINER_OF(node, struct schema_database, node);
}

struct schema_database *schema_database_of(const struct sl_schema *schema, int64_t id)
{
    struct schema_database *d = any_database(schema, id);

    return d == NULL || d->dropped ? NULL : d;
}

static struct sl_slice append(uint8_t **at, struct sl_slice text)
{
    struct sl_slice copy = {*at, text.len};

    if (text.len > 0)
        memcpy(*at, text.bytes, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

void schema_database_set(struct sl_schema *schema, const struct sl_database *is, int64_t version)
{
    struct schema_database *d = any_database(schema, is->id);
    uint8_t                *memory = malloc(is->name.len + is->charset.len + is->collation.len + 3);
    uint8_t                *at = memory;
    uint8_t                *old;

    SL_ASSERT(memory != NULL);
    if (d == NULL) {
        d = calloc(1, sizeof *d);
        SL_ASSERT(d != NULL);
        d->is.id = is->id;
        sl_map_add(&schema->databases, sl_hash_u64((uint64_t)is->id), &is->id, &d->node);
    }
    old = (uint8_t *)(uintptr_t)d->is.name.bytes;
    d->is.name = append(&at, is->name);
    d->is.charset = append(&at, is->charset);
    d->is.collation = append(&at, is->collation);
    d->version = version;
    d->dropped = false;
    free(old);
}

/* ---- versions ---- */

static void forget_versions(struct schema_table *t)
{
    for (uint32_t i = 0; i < t->kept_count; i++)
        sl_table_free(&t->kept[i]);
    t->kept_count = 0;
    free(t->partitions);
    t->partitions = NULL;
    t->partition_count = 0;
}

static void set_partitions(struct schema_table *t, const struct table_partition *partitions,
                           uint32_t count)
{
    size_t   bytes = count * sizeof *partitions;
    void    *old = t->partitions; /* freed last: it may be what is copied */
    uint8_t *memory;
    uint8_t *at;

    for (uint32_t i = 0; i < count; i++)
        bytes += partitions[i].name.len + 1;
    memory = count == 0 ? NULL : malloc(bytes);
    SL_ASSERT(count == 0 || memory != NULL);
    t->partitions = (struct table_partition *)(void *)memory;
    t->partition_count = count;
    at = memory == NULL ? NULL : memory + count * sizeof *partitions;
    for (uint32_t i = 0; i < count; i++)
        t->partitions[i] =
            (struct table_partition){partitions[i].id, append(&at, partitions[i].name)};
    free(old);
}

void schema_table_push(struct sl_schema *schema, int64_t database_id, struct sl_table *table,
                       const struct table_partition *partitions, uint32_t partition_count)
{
    struct schema_table *t = schema_table_make(schema, table->id);

    if (t->fate != SL_TABLE_LIVE)
        forget_versions(t);
    if (t->kept_count == SL_SCHEMA_VERSIONS_KEPT)
        sl_table_free(&t->kept[--t->kept_count]);
    memmove(t->kept + 1, t->kept, t->kept_count * sizeof t->kept[0]);
    t->kept[0] = table;
    t->kept_count++;
    t->database_id = database_id;
    t->version = table->version;
    t->fate = SL_TABLE_LIVE;
    set_partitions(t, partitions, partition_count);
}

void schema_table_end(struct schema_table *t, enum sl_table_fate fate, int64_t version)
{
    forget_versions(t);
    t->fate = fate;
    t->version = version;
}

/* ---- life ---- */

struct sl_schema *sl_schema_new(void)
{
    struct sl_schema  *schema = calloc(1, sizeof *schema);
    struct sl_database mysql = {.id = MYSQL_ID,
                                .name = sl_slice_from_string("mysql"),
                                .charset = sl_slice_from_string("utf8mb4"),
                                .collation = sl_slice_from_string("utf8mb4_bin")};

    SL_ASSERT(schema != NULL);
    sl_map_init(&schema->tables, is_table);
    sl_map_init(&schema->databases, is_database);
    schema_database_set(schema, &mysql, 0);
    return schema;
}

static void free_table(struct sl_map *map, struct sl_map_node *node)
{
    struct schema_table *t = SL_CONTAINER_OF(node, struct schema_table, node);

    sl_map_remove(map, node);
    forget_versions(t);
    free(t);
}

static void free_database(struct sl_map *map, struct sl_map_node *node)
{
    struct schema_database *d = SL_CONTAINER_OF(node, struct schema_database, node);

    sl_map_remove(map, node);
    free((void *)(uintptr_t)d->is.name.bytes);
    free(d);
}

void sl_schema_free(struct sl_schema **schema)
{
    struct sl_schema   *own = *schema;
    struct sl_map_iter  at = {0};
    struct sl_map_node *node;

    *schema = NULL;
    if (own == NULL)
        return;
    while ((node = sl_map_next(&own->tables, &at)) != NULL)
        free_table(&own->tables, node);
    at = (struct sl_map_iter){0};
    while ((node = sl_map_next(&own->databases, &at)) != NULL)
        free_database(&own->databases, node);
    sl_map_done(&own->tables);
    sl_map_done(&own->databases);
    free(own);
}

/* ---- looking ---- */

int64_t sl_schema_version(const struct sl_schema *schema)
{
    return schema->version;
}

enum sl_table_fate sl_schema_fate(const struct sl_schema *schema, int64_t table_id)
{
    const struct schema_table *t;

    if (table_id > SL_TABLE_ID_MAX)
        return SL_TABLE_SYSTEM;
    t = schema_table_of(schema, table_id);
    return t == NULL ? SL_TABLE_UNKNOWN : t->fate;
}

struct sl_table *sl_schema_table(const struct sl_schema *schema, int64_t table_id)
{
    const struct schema_table *t = schema_table_of(schema, table_id);

    return t == NULL || t->fate != SL_TABLE_LIVE ? NULL : t->kept[0];
}

struct sl_table *sl_schema_table_at(const struct sl_schema *schema, int64_t table_id,
                                    int64_t schema_version)
{
    const struct schema_table *t = schema_table_of(schema, table_id);

    if (t == NULL || t->fate != SL_TABLE_LIVE)
        return NULL;
    for (uint32_t i = 0; i < t->kept_count; i++) {
        if (t->kept[i]->version <= schema_version)
            return t->kept[i];
    }
    return t->kept[t->kept_count - 1];
}

struct wanted {
    struct sl_slice  database;
    struct sl_slice  table;
    struct sl_table *found;
};

static enum sl_err stop_at_name(void *context, struct sl_table *table)
{
    struct wanted *wanted = context;

    if (!sql_same_name(table->name, wanted->table) ||
        !sql_same_name(table->schema, wanted->database))
        return SL_OK;
    wanted->found = table;
    return SL_STOPPED;
}

struct sl_table *sl_schema_find(const struct sl_schema *schema, struct sl_slice database,
                                struct sl_slice table)
{
    struct wanted wanted = {database, table, NULL};

    (void)sl_schema_each(schema, stop_at_name, &wanted); /* stops when it has found one */
    return wanted.found;
}

const struct sl_database *sl_schema_database(const struct sl_schema *schema, int64_t id)
{
    const struct schema_database *d = schema_database_of(schema, id);

    return d == NULL ? NULL : &d->is;
}

enum sl_err sl_schema_each(const struct sl_schema *schema, sl_schema_visit visit, void *context)
{
    struct sl_map_iter  at = {0};
    struct sl_map_node *node;
    enum sl_err         err = SL_OK;

    while (err == SL_OK && (node = sl_map_next(&schema->tables, &at)) != NULL) {
        const struct schema_table *t = SL_CONTAINER_OF(node, struct schema_table, node);

        if (t->fate == SL_TABLE_LIVE)
            err = visit(context, t->kept[0]);
    }
    return err;
}
