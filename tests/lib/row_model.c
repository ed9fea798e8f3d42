#include "lib/row_model.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* ---- cells ---- */

struct model_cell model_null(void)
{
    return (struct model_cell){.is_null = true};
}

struct model_cell model_int(int64_t number)
{
    return (struct model_cell){.number = number};
}

struct model_cell model_text(const char *text)
{
    struct model_cell cell = {.len = (uint8_t)strlen(text)};

    SL_ASSERT(strlen(text) < sizeof cell.text);
    memcpy(cell.text, text, cell.len);
    return cell;
}

static bool same_cell(const struct model_cell *a, const struct model_cell *b)
{
    return a->is_null == b->is_null && a->len == b->len && a->number == b->number &&
           memcmp(a->text, b->text, a->len) == 0;
}

/* ---- comparing as a server ---- */

enum { CONTINUES = 0x80, E_ACUTE_LEAD = 0xc3, E_ACUTE = 0xa9, E_ACUTE_CAPITAL = 0x89 };

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != CONTINUES;
}

/* What is compared of a text: its first characters, folded, without trailing blanks. */
static size_t compared(const struct model_cell *cell, bool is_folded, uint32_t prefix, char *out)
{
    size_t   len = 0;
    uint32_t characters = 0;

    for (size_t i = 0; i < cell->len; i++) {
        const unsigned char c = (unsigned char)cell->text[i];
        const unsigned char next = i + 1 < cell->len ? (unsigned char)cell->text[i + 1] : 0;

        if (begins_character(cell->text[i]) && prefix != 0 && characters++ == prefix)
            break;
        if (is_folded && c == E_ACUTE_LEAD && (next == E_ACUTE || next == E_ACUTE_CAPITAL)) {
            out[len++] = 'e';
            i++;
        } else {
            out[len++] = is_folded ? (char)tolower(c) : (char)c;
        }
    }
    while (len > 0 && out[len - 1] == ' ')
        len--;
    return len;
}

static bool equal_cells(const struct model_column *column, uint32_t prefix,
                        const struct model_cell *a, const struct model_cell *b)
{
    char   x[MODEL_TEXT_BYTES];
    char   y[MODEL_TEXT_BYTES];
    size_t len;

    if (a->is_null || b->is_null)
        return false;
    if (!column->is_text)
        return a->number == b->number;
    len = compared(a, column->is_folded, prefix, x);
    return len == compared(b, column->is_folded, prefix, y) && memcmp(x, y, len) == 0;
}

static bool key_meets(const struct model_table *t, const struct model_key *key, bool whole,
                      const struct model_row *a, const struct model_row *b)
{
    for (uint32_t i = 0; i < key->part_count; i++) {
        uint32_t column = key->parts[i].column;

        if (!equal_cells(&t->columns[column], whole ? 0 : key->parts[i].prefix, &a->cells[column],
                         &b->cells[column]))
            return false;
    }
    return true;
}

bool model_keys_meet(const struct model_table *t, const struct model_row *a,
                     const struct model_row *b)
{
    for (uint32_t i = 0; i < t->key_count; i++) {
        if (key_meets(t, &t->keys[i], false, a, b))
            return true;
    }
    return false;
}

bool model_same_row(const struct model_table *t, const struct model_row *a,
                    const struct model_row *b)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (!same_cell(&a->cells[i], &b->cells[i]))
            return false;
    }
    return true;
}

int32_t model_find(const struct model_table *t, const struct model_row *row)
{
    for (uint32_t i = 0; i < t->row_count; i++) {
        if (model_same_row(t, &t->rows[i], row))
            return (int32_t)i;
    }
    return MODEL_NO_ROW;
}

int32_t model_collision(const struct model_table *t, const struct model_row *row, int32_t except)
{
    for (uint32_t i = 0; i < t->row_count; i++) {
        if ((int32_t)i != except && model_keys_meet(t, &t->rows[i], row))
            return (int32_t)i;
    }
    return MODEL_NO_ROW;
}

/* ---- changing ---- */

void model_remove(struct model_table *t, uint32_t place)
{
    SL_ASSERT(place < t->row_count);
    t->rows[place] = t->rows[--t->row_count];
}

void model_insert(struct model_table *t, const struct model_row *row)
{
    SL_ASSERT(t->row_count < MODEL_ROWS_MAX);
    t->rows[t->row_count++] = *row;
}

void model_replace(struct model_table *t, const struct model_row *row)
{
    int32_t place;

    while ((place = model_collision(t, row, MODEL_NO_ROW)) != MODEL_NO_ROW)
        model_remove(t, (uint32_t)place);
    model_insert(t, row);
}

void model_delete_by_key(struct model_table *t, uint32_t key, const struct model_row *row)
{
    for (uint32_t i = t->row_count; i-- > 0;) {
        if (key_meets(t, &t->keys[key], true, &t->rows[i], row))
            model_remove(t, i);
    }
}

bool model_apply(struct model_table *t, enum sl_change_kind kind, const struct model_row *old,
                 const struct model_row *new_row)
{
    int32_t place = MODEL_NO_ROW;

    if (kind != SL_CHANGE_INSERT && (place = model_find(t, old)) == MODEL_NO_ROW)
        return false;
    if (kind != SL_CHANGE_DELETE && model_collision(t, new_row, place) != MODEL_NO_ROW)
        return false;
    switch (kind) {
    case SL_CHANGE_INSERT: model_insert(t, new_row); break;
    case SL_CHANGE_UPDATE: t->rows[place] = *new_row; break;
    case SL_CHANGE_DELETE: model_remove(t, (uint32_t)place); break;
    }
    return true;
}

bool model_same_rows(const struct model_table *a, const struct model_table *b)
{
    bool taken[MODEL_ROWS_MAX] = {false};

    if (a->row_count != b->row_count || a->column_count != b->column_count)
        return false;
    for (uint32_t i = 0; i < a->row_count; i++) {
        uint32_t j = 0;

        while (j < b->row_count && (taken[j] || !model_same_row(a, &a->rows[i], &b->rows[j])))
            j++;
        if (j == b->row_count)
            return false;
        taken[j] = true;
    }
    return true;
}

void model_print(FILE *out, const struct model_table *t)
{
    (void)fprintf(out, "%s, %u rows\n", t->name, t->row_count);
    for (uint32_t i = 0; i < t->row_count; i++) {
        for (uint32_t j = 0; j < t->column_count; j++) {
            (void)fputs(j == 0 ? "  (" : ", ", out);
            model_print_cell(out, t, j, &t->rows[i].cells[j]);
        }
        (void)fputs(")\n", out);
    }
}

int32_t model_identity(const struct model_table *t)
{
    for (int whole = 1; whole >= 0; whole--) {
        for (uint32_t i = 0; i < t->key_count; i++) {
            bool serves = true;

            for (uint32_t j = 0; j < t->keys[i].part_count; j++) {
                const struct model_part *part = &t->keys[i].parts[j];

                serves = serves && !t->columns[part->column].is_nullable &&
                         (whole == 0 || part->prefix == 0);
            }
            if (serves)
                return (int32_t)i;
        }
    }
    return -1;
}
