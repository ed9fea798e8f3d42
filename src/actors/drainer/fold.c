#include "actors/drainer/fold.h"

#include <string.h>

#include "base/hash.h"

/* ---- rows by identity ---- */

struct identity {
    const struct sl_row_keys *keys;
    const struct sl_value    *image;
};

static bool same_value(const struct sl_value *a, const struct sl_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SL_VALUE_INT: return a->i == b->i;
    case SL_VALUE_UINT: return a->u == b->u;
    case SL_VALUE_FLOAT:
    case SL_VALUE_DOUBLE: return memcmp(&a->d, &b->d, sizeof a->d) == 0;
    case SL_VALUE_TEXT: return sl_slice_equal(a->text, b->text);
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: break;
    }
    return true;
}

static bool same_identity(const struct sl_row_keys *keys, const struct sl_value *a,
                          const struct sl_value *b)
{
    for (uint32_t i = 0; i < keys->identity_count; i++) {
        if (!same_value(&a[keys->identity[i]], &b[keys->identity[i]]))
            return false;
    }
    return true;
}

static bool is_row(const struct sl_map_node *node, const void *key)
{
    const struct sl_fold_row *row = SL_CONTAINER_OF(node, struct sl_fold_row, node);
    const struct identity    *id = key;

    return row->change->table == id->keys->table && same_identity(id->keys, row->image, id->image);
}

static uint64_t hash_of(const struct identity *id)
{
    uint64_t hash = (uint64_t)(uintptr_t)id->keys;

    for (uint32_t i = 0; i < id->keys->identity_count; i++) {
        const struct sl_value *value = &id->image[id->keys->identity[i]];
        uint64_t               one = value->kind == SL_VALUE_TEXT
                                         ? sl_hash_bytes(0, value->text.bytes, value->text.len)
                                         : value->u;

        hash = sl_hash_combine(hash, one);
    }
    return hash;
}

/* ---- tables ---- */

static struct sl_fold_table *table_of(struct sl_fold *fold, const struct sl_row_keys *keys)
{
    struct sl_fold_table *table;

    for (struct sl_list_node *n = sl_list_first(&fold->tables); n != NULL;
         n = sl_list_next(&fold->tables, n)) {
        table = SL_CONTAINER_OF(n, struct sl_fold_table, place);
        if (table->keys == keys) { /* the next one is likely of the same table */
            sl_list_remove(n);
            sl_list_push_front(&fold->tables, n);
            return table;
        }
    }
    table = sl_arena_alloc(&fold->arena, sizeof *table);
    memset(table, 0, sizeof *table);
    table->keys = keys;
    sl_list_init(&table->deletes);
    sl_list_init(&table->replacements);
    sl_list_push_front(&fold->tables, &table->place);
    return table;
}

/* The row that this image names ends so, for now. */
static void end_row(struct sl_fold *fold, const struct sl_row_keys *keys,
                    const struct sl_change *change, const struct sl_value *image, bool is_deleted)
{
    const struct identity id = {.keys = keys, .image = image};
    uint64_t              hash = hash_of(&id);
    struct sl_fold_table *table = table_of(fold, keys);
    struct sl_map_node   *node = sl_map_find(&fold->rows, hash, &id);
    struct sl_fold_row   *row;

    if (node != NULL) {
        row = SL_CONTAINER_OF(node, struct sl_fold_row, node);
        sl_list_remove(&row->place);
    } else {
        row = sl_arena_alloc(&fold->arena, sizeof *row);
        memset(row, 0, sizeof *row);
    }
    row->change = change;
    row->image = image;
    if (node == NULL)
        sl_map_add(&fold->rows, hash, &id, &row->node);
    sl_list_push_back(is_deleted ? &table->deletes : &table->replacements, &row->place);
}

void sl_fold_add(struct sl_fold *fold, const struct sl_row_keys *keys,
                 const struct sl_change *change)
{
    switch (change->kind) {
    case SL_CHANGE_INSERT: end_row(fold, keys, change, change->values, false); return;
    case SL_CHANGE_DELETE: end_row(fold, keys, change, change->values, true); return;
    case SL_CHANGE_UPDATE:
        if (!same_identity(keys, change->old, change->values))
            end_row(fold, keys, change, change->old, true);
        end_row(fold, keys, change, change->values, false);
        return;
    }
}

/* ---- life ---- */

void sl_fold_init(struct sl_fold *fold)
{
    sl_arena_init(&fold->arena);
    sl_map_init(&fold->rows, is_row);
    sl_list_init(&fold->tables);
}

void sl_fold_reset(struct sl_fold *fold)
{
    struct sl_map_iter at = {0};

    for (struct sl_map_node *n; (n = sl_map_next(&fold->rows, &at)) != NULL;)
        sl_map_remove(&fold->rows, n);
    sl_list_init(&fold->tables);
    sl_arena_reset(&fold->arena);
}

void sl_fold_done(struct sl_fold *fold)
{
    sl_fold_reset(fold);
    sl_map_done(&fold->rows);
    sl_arena_done(&fold->arena);
}
