#include "binlog/table.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/table_private.h"

/* An id, and where its column stands. */
struct entry {
    int64_t  id;
    uint32_t place;
};

/* A version is one block of memory: a cluster may have a hundred thousand tables, each with two. */
struct sealed {
    struct sl_table table; /* first: a pointer to it is a pointer to the whole */
    /* Taken relaxed, because who takes one has one already; given back with release, and the last
     * acquires, so that all readers are done before the block is freed. */
    _Atomic uint32_t   references;
    struct table_cell *cells;   /* in the order of the columns */
    struct entry      *entries; /* by id */
};

static struct sealed *whole_of(const struct sl_table *table)
{
    return (struct sealed *)(void *)(uintptr_t)table;
}

static int by_id(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* ---- packing ---- */

/* Where the next piece goes. Without memory it only counts, so that the same code finds the size.
 */
struct packer {
    uint8_t *memory;
    size_t   used;
};

static void *place(struct packer *p, size_t size, size_t align)
{
    size_t at = (p->used + align - 1) & ~(align - 1);

    p->used = at + size;
    return p->memory == NULL ? NULL : p->memory + at;
}

static struct sl_slice pack_text(struct packer *p, struct sl_slice text)
{
    uint8_t *bytes = place(p, text.len + 1, 1);

    if (bytes == NULL)
        return text;
    if (text.len > 0)
        memcpy(bytes, text.bytes, text.len);
    bytes[text.len] = '\0';
    return (struct sl_slice){bytes, text.len};
}

static const struct sl_slice *pack_elements(struct packer *p, const struct sl_column *from)
{
    struct sl_slice *to = place(p, from->element_count * sizeof *to, alignof(struct sl_slice));

    for (uint32_t i = 0; i < from->element_count; i++) {
        struct sl_slice text = pack_text(p, from->elements[i]);

        if (to != NULL)
            to[i] = text;
    }
    return to;
}

static const struct sl_column *pack_columns(struct packer *p, const struct sl_table *draft)
{
    struct sl_column *to = place(p, draft->column_count * sizeof *to, alignof(struct sl_column));

    for (uint32_t i = 0; i < draft->column_count; i++) {
        struct sl_column column = draft->columns[i];

        column.name = pack_text(p, column.name);
        column.charset = pack_text(p, column.charset);
        column.collation = pack_text(p, column.collation);
        column.default_value = pack_text(p, column.default_value);
        column.elements = pack_elements(p, &draft->columns[i]);
        if (to != NULL)
            to[i] = column;
    }
    return to;
}

static const struct sl_index_info *pack_indexes(struct packer *p, const struct sl_table *draft)
{
    struct sl_index_info *to =
        place(p, draft->index_count * sizeof *to, alignof(struct sl_index_info));

    for (uint32_t i = 0; i < draft->index_count; i++) {
        struct sl_index_info index = draft->indexes[i];
        size_t               size = index.part_count * sizeof *index.parts;
        void                *parts = place(p, size, alignof(struct sl_index_part));

        index.name = pack_text(p, index.name);
        if (to == NULL)
            continue;
        if (size > 0)
            memcpy(parts, index.parts, size);
        index.parts = parts;
        to[i] = index;
    }
    return to;
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

static struct sealed *pack(struct packer *p, const struct sl_table *draft)
{
    uint32_t        count = draft->column_count;
    struct sealed  *whole = place(p, sizeof *whole, alignof(struct sealed));
    struct sl_table table = *draft;
    struct entry   *entries = place(p, count * sizeof *entries, alignof(struct entry));

    struct table_cell *cells = place(p, count * sizeof *cells, alignof(struct table_cell));

    table.schema = pack_text(p, draft->schema);
    table.name = pack_text(p, draft->name);
    table.columns = pack_columns(p, draft);
    table.indexes = pack_indexes(p, draft);
    if (whole == NULL)
        return NULL;
    *whole = (struct sealed){.table = table, .cells = cells, .entries = entries};
    atomic_init(&whole->references, 1);
    for (uint32_t i = 0; i < count; i++) {
        cells[i] = (struct table_cell){draft->columns[i].id, cell_kind(&draft->columns[i])};
        entries[i] = (struct entry){draft->columns[i].id, i};
    }
    qsort(entries, count, sizeof *entries, by_id);
    return whole;
}

/* ---- life ---- */

struct sl_table *table_copy(const struct sl_table *draft)
{
    struct packer  p = {0};
    struct sealed *whole;

    (void)pack(&p, draft);
    p = (struct packer){.memory = malloc(p.used)};
    SL_ASSERT(p.memory != NULL);
    whole = pack(&p, draft);
    return &whole->table;
}

struct sl_table *sl_table_seal(struct sl_arena *memory, const struct sl_table *draft)
{
    struct sl_table *table = table_copy(draft);

    sl_arena_done(memory);
    return table;
}

struct sl_table *sl_table_ref(struct sl_table *table)
{
    (void)atomic_fetch_add_explicit(&whole_of(table)->references, 1, memory_order_relaxed);
    return table;
}

void sl_table_free(struct sl_table **table)
{
    struct sl_table *own = *table;

    *table = NULL;
    if (own == NULL)
        return;
    if (atomic_fetch_sub_explicit(&whole_of(own)->references, 1, memory_order_acq_rel) == 1)
        free(whole_of(own));
}

/* ---- looking ---- */

const struct table_cell *table_cells(const struct sl_table *table)
{
    return whole_of(table)->cells;
}

bool table_find(const struct sl_table *table, int64_t id, uint32_t guess, uint32_t *place)
{
    const struct sealed *s = whole_of(table);
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
    uint32_t at;

    return table_find(table, id, 0, &at) ? &table->columns[at] : NULL;
}

const struct sl_index_info *sl_table_primary(const struct sl_table *table)
{
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].is_primary)
            return &table->indexes[i];
    }
    return NULL;
}

bool sl_column_is_text(const struct sl_column *column)
{
    switch ((int)column->type) {
    case SL_TYPE_VARCHAR:
    case SL_TYPE_VAR_STRING:
    case SL_TYPE_STRING:
    case SL_TYPE_ENUM:
    case SL_TYPE_SET:
    case SL_TYPE_TINY_BLOB:
    case SL_TYPE_MEDIUM_BLOB:
    case SL_TYPE_LONG_BLOB:
    case SL_TYPE_BLOB: return !column->is_binary && column->charset.len > 0;
    default: return false;
    }
}
