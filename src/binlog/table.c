#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/intrusive.h"
#include "binlog/table_private.h"

/* An id, and where its column stands. */
struct entry {
    int64_t  id;
    uint32_t place;
};

struct sealed {
    struct sl_table table;
    /* Partner: itself. The last to take one away frees, so it must see all that others did with the
     * table before they took theirs: release, then acquire. */
    _Atomic uint32_t   references;
    struct sl_arena    memory; /* owned; of all that table, cells and entries point to */
    struct table_cell *cells;
    struct entry      *entries; /* by id */
};

static struct sealed *sealed_of(const struct sl_table *table)
{
    return SL_CONTAINER_OF((void *)(uintptr_t)table, struct sealed, table);
}

static int by_id(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static enum table_cell_kind cell_kind(const struct sl_column *column)
{
    switch ((unsigned)column->type) {
    case SL_TYPE_TINY:
    case SL_TYPE_SHORT:
    case SL_TYPE_LONG:
    case SL_TYPE_LONGLONG:
    case SL_TYPE_INT24:
    case SL_TYPE_YEAR: return TABLE_CELL_INTEGER;
    case SL_TYPE_VARCHAR:
    case SL_TYPE_VAR_STRING:
    case SL_TYPE_STRING:
    case SL_TYPE_TINY_BLOB:
    case SL_TYPE_MEDIUM_BLOB:
    case SL_TYPE_LONG_BLOB:
    case SL_TYPE_BLOB: return TABLE_CELL_STRING;
    default: return TABLE_CELL_OTHER;
    }
}

struct sl_table *sl_table_seal(struct sl_arena *memory, const struct sl_table *draft)
{
    struct sealed *s = calloc(1, sizeof *s);
    uint32_t       count = draft->column_count;

    SL_ASSERT(s != NULL);
    s->table = *draft;
    s->memory = *memory;
    sl_arena_init(memory);
    atomic_init(&s->references, 1);
    s->cells = sl_arena_alloc(&s->memory, count * sizeof *s->cells);
    s->entries = sl_arena_alloc(&s->memory, count * sizeof *s->entries);
    for (uint32_t i = 0; i < count; i++) {
        s->cells[i] = (struct table_cell){draft->columns[i].id, cell_kind(&draft->columns[i])};
        s->entries[i] = (struct entry){draft->columns[i].id, i};
    }
    qsort(s->entries, count, sizeof *s->entries, by_id);
    return &s->table;
}

struct sl_table *sl_table_ref(struct sl_table *table)
{
    (void)atomic_fetch_add_explicit(&sealed_of(table)->references, 1, memory_order_relaxed);
    return table;
}

void sl_table_free(struct sl_table **table)
{
    struct sealed *s;

    if (*table == NULL)
        return;
    s = sealed_of(*table);
    *table = NULL;
    if (atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) == 1) {
        sl_arena_done(&s->memory);
        free(s);
    }
}

const struct table_cell *table_cells(const struct sl_table *table)
{
    return sealed_of(table)->cells;
}

bool table_find(const struct sl_table *table, int64_t id, uint32_t guess, uint32_t *place)
{
    const struct sealed *s = sealed_of(table);
    uint32_t             low = 0;
    uint32_t             high = table->column_count;

    if (guess < high && s->cells[guess].id == id) {
        *place = guess;
        return true;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (s->entries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == table->column_count || s->entries[low].id != id)
        return false;
    *place = s->entries[low].place;
    return true;
}

const struct sl_column *sl_table_column(const struct sl_table *table, int64_t id)
{
    uint32_t place;

    return table_find(table, id, 0, &place) ? &table->columns[place] : NULL;
}

const struct sl_index_info *sl_table_primary(const struct sl_table *table)
{
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].is_primary)
            return &table->indexes[i];
    }
    return NULL;
}
