#include "ctl/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { CELLS_MIN = 64, GAP = 2 };

struct ctl_table {
    const char *const *titles; /* borrowed */
    size_t             columns;
    char             **cells; /* owned, and each of them */
    size_t             count;
    size_t             room;
};

struct ctl_table *ctl_table_new(const char *const *titles, size_t columns)
{
    struct ctl_table *table = calloc(1, sizeof *table);

    SL_ASSERT(table != NULL && columns > 0 && columns <= CTL_COLUMNS_MAX);
    table->titles = titles;
    table->columns = columns;
    return table;
}

void ctl_table_add(struct ctl_table *table, const char *text)
{
    if (table->count == table->room) {
        table->room = table->room == 0 ? CELLS_MIN : 2 * table->room;
        table->cells = realloc(table->cells, table->room * sizeof *table->cells);
        SL_ASSERT(table->cells != NULL);
    }
    table->cells[table->count] = strdup(text[0] != '\0' ? text : "-");
    SL_ASSERT(table->cells[table->count] != NULL);
    table->count++;
}

/* Characters, which are what begins in UTF-8 with anything but 10xxxxxx. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void write_row(const struct ctl_table *table, const char *const *cells, const size_t *widths,
                      FILE *out)
{
    for (size_t i = 0; i < table->columns; i++) {
        bool   last = i + 1 == table->columns;
        size_t fill = last ? 0 : widths[i] - width_of(cells[i]) + GAP;

        fprintf(out, "%s%*s", cells[i], (int)fill, "");
    }
    fputc('\n', out);
}

void ctl_table_write(const struct ctl_table *table, FILE *out)
{
    size_t widths[CTL_COLUMNS_MAX];
    size_t rows = table->count / table->columns;

    for (size_t i = 0; i < table->columns; i++) {
        widths[i] = width_of(table->titles[i]);
        for (size_t r = 0; r < rows; r++) {
            size_t width = width_of(table->cells[r * table->columns + i]);

            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    write_row(table, table->titles, widths, out);
    for (size_t r = 0; r < rows; r++)
        write_row(table, (const char *const *)table->cells + r * table->columns, widths, out);
}

void ctl_table_free(struct ctl_table **table)
{
    struct ctl_table *old = *table;

    *table = NULL;
    for (size_t i = 0; i < old->count; i++)
        free(old->cells[i]);
    free(old->cells);
    free(old);
}
