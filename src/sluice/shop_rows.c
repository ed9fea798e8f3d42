#include "sluice/shop_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/message.h"
#include "sluice/compare_lines.h"
#include "sluice/row_bytes.h"

/* Bounds of what is put together: a row image, both images of a change, all of a transaction. */
enum {
    CELL_BYTES_MAX = ROW_INT_BYTES_MAX + ROW_TEXT_HEAD_BYTES_MAX + SHOP_TEXT_BYTES_MAX,
    IMAGE_BYTES_MAX = SHOP_COLUMNS_MAX * CELL_BYTES_MAX + ROW_INT_BYTES_MAX,
    CHANGE_BYTES_MAX = 2 * IMAGE_BYTES_MAX,
    VALUE_BYTES_MAX = SHOP_CHANGES_MAX * (CHANGE_BYTES_MAX + 32) + 64,
};

/* Fields of PrewriteValue and TableMutation, and types of mutations (codec spec 2.1). */
enum {
    VALUE_SCHEMA_VERSION = 1,
    VALUE_MUTATIONS = 2,
    MUTATION_TABLE_ID = 1,
    MUTATION_INSERTED_ROWS = 2,
    MUTATION_UPDATED_ROWS = 3,
    MUTATION_DELETED_ROWS = 6,
    MUTATION_SEQUENCE = 7,
    MUTATION_INSERT = 0,
    MUTATION_UPDATE = 1,
    MUTATION_DELETE = 4,
};

/* ---- values ---- */

struct shop_value shop_int(int64_t number)
{
    return (struct shop_value){.kind = SHOP_INT, .number = number};
}

struct shop_value shop_text(const char *text)
{
    struct shop_value value = {.kind = SHOP_TEXT};

    SL_ASSERT(strlen(text) <= SHOP_TEXT_BYTES_MAX);
    memcpy(value.text, text, strlen(text) + 1);
    return value;
}

struct shop_value shop_default(const struct shop_column *column)
{
    if (column->def == NULL)
        return (struct shop_value){.kind = SHOP_NULL};
    return column->length > 0 ? shop_text(column->def) : shop_int(strtoll(column->def, NULL, 10));
}

/* ---- bytes ---- */

static uint8_t *put_cell(uint8_t *at, const struct shop_value *value)
{
    switch (value->kind) {
    case SHOP_NULL: return row_put_null(at);
    case SHOP_INT: return row_put_int(at, value->number);
    case SHOP_TEXT: return row_put_text(at, value->text, strlen(value->text));
    }
    SL_UNREACHABLE("not a kind of value");
}

/* Column ids and values; without the key, and without what is NULL by default, of an insert. */
static uint8_t *put_image(uint8_t *at, const struct shop_table *t, const struct shop_row *row,
                          bool is_insert)
{
    for (uint32_t i = is_insert ? 1 : 0; i < t->column_count; i++) {
        if (is_insert && row->cells[i].kind == SHOP_NULL && t->columns[i].def == NULL)
            continue;
        at = row_put_int(at, t->columns[i].id);
        at = put_cell(at, &row->cells[i]);
    }
    return at;
}

static unsigned type_of(const struct shop_change *c)
{
    if (!c->row->exists)
        return MUTATION_INSERT;
    return c->after.exists ? MUTATION_UPDATE : MUTATION_DELETE;
}

static uint8_t *put_change(uint8_t *at, const struct shop_table *t, const struct shop_change *c)
{
    static const unsigned fields[] = {[MUTATION_INSERT] = MUTATION_INSERTED_ROWS,
                                      [MUTATION_UPDATE] = MUTATION_UPDATED_ROWS,
                                      [MUTATION_DELETE] = MUTATION_DELETED_ROWS};
    const unsigned        type = type_of(c);
    uint8_t               row[CHANGE_BYTES_MAX];
    uint8_t              *end = row;

    if (type == MUTATION_INSERT)
        end = put_cell(end, &c->after.cells[0]);
    else
        end = put_image(end, t, c->row, false);
    if (type != MUTATION_DELETE)
        end = put_image(end, t, &c->after, type == MUTATION_INSERT);
    at = sl_message_put_head(at, fields[type], (size_t)(end - row));
    memcpy(at, row, (size_t)(end - row));
    return at + (end - row);
}

/* A TableMutation with the changes of one table; nothing when it has none. */
static uint8_t *put_mutation(uint8_t *at, const struct shop_schema *schema, int table,
                             const struct shop_change *changes, uint32_t count)
{
    const struct shop_table *t = &schema->tables[table];
    uint8_t                  bytes[VALUE_BYTES_MAX];
    uint8_t *end = sl_message_put_integer(bytes, MUTATION_TABLE_ID, (uint64_t)t->id);
    bool     any = false;

    for (uint32_t i = 0; i < count; i++) {
        if ((int)changes[i].table != table)
            continue;
        end = put_change(end, t, &changes[i]);
        any = true;
    }
    if (!any)
        return at;
    for (uint32_t i = 0; i < count; i++) {
        if ((int)changes[i].table == table)
            end = sl_message_put_integer(end, MUTATION_SEQUENCE, type_of(&changes[i]));
    }
    at = sl_message_put_head(at, VALUE_MUTATIONS, (size_t)(end - bytes));
    memcpy(at, bytes, (size_t)(end - bytes));
    return at + (end - bytes);
}

struct sl_buf *shop_prewrite_value(const struct shop_schema *schema,
                                   const struct shop_change *changes, uint32_t count)
{
    uint8_t  bytes[VALUE_BYTES_MAX];
    uint8_t *end = sl_message_put_integer(bytes, VALUE_SCHEMA_VERSION, (uint64_t)schema->version);
    struct sl_buf *out;

    SL_ASSERT(count > 0 && count <= SHOP_CHANGES_MAX);
    for (int table = 0; table < SHOP_TABLES; table++)
        end = put_mutation(end, schema, table, changes, count);
    out = sl_buf_new((size_t)(end - bytes));
    memcpy(out->data, bytes, out->len);
    return out;
}

/* ---- text ---- */

static void print_cell(FILE *out, const struct shop_value *value)
{
    char text[2 * SHOP_TEXT_BYTES_MAX + 2];

    if (value->kind == SHOP_INT) {
        fprintf(out, "%" PRId64, value->number);
        return;
    }
    fwrite(text, 1,
           (size_t)(lines_put_cell(text, value->kind == SHOP_NULL ? NULL : value->text,
                                   strlen(value->text)) -
                    text),
           out);
}

static void print_table(FILE *out, const struct shop_table *t, const struct shop_row *rows,
                        uint32_t count)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        fprintf(out, "%s%s", i > 0 ? "\t" : "", t->columns[i].name);
    fputc('\n', out);
    for (uint32_t r = 0; r < count; r++) {
        for (uint32_t i = 0; rows[r].exists && i < t->column_count; i++) {
            if (i > 0)
                fputc('\t', out);
            print_cell(out, &rows[r].cells[i]);
        }
        if (rows[r].exists)
            fputc('\n', out);
    }
}

struct sl_buf *shop_table_text(const struct shop_table *table, const struct shop_row *rows,
                               uint32_t count)
{
    char          *text = NULL;
    size_t         len = 0;
    FILE          *out = open_memstream(&text, &len);
    struct sl_buf *buf;

    SL_ASSERT(out != NULL);
    print_table(out, table, rows, count);
    (void)fclose(out);
    SL_ASSERT(text != NULL);
    buf = sl_buf_new(len);
    memcpy(buf->data, text, len);
    free(text);
    return buf;
}
