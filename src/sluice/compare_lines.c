#include "sluice/compare_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* ---- lines ---- */

void lines_add(struct lines *lines, struct sl_slice line)
{
    enum { ROOM_MIN = 64 };

    if (lines->count == lines->room) {
        lines->room = lines->room == 0 ? ROOM_MIN : 2 * lines->room;
        lines->items = realloc(lines->items, lines->room * sizeof *lines->items);
        SL_ASSERT(lines->items != NULL);
    }
    lines->items[lines->count++] = line;
}

void lines_done(struct lines *lines)
{
    sl_arena_done(&lines->arena);
    free(lines->items);
    *lines = (struct lines){0};
}

static int order(const struct sl_slice *a, const struct sl_slice *b)
{
    size_t least = a->len < b->len ? a->len : b->len;
    int    by_bytes = least > 0 ? memcmp(a->bytes, b->bytes, least) : 0;

    return by_bytes != 0 ? by_bytes : (a->len > b->len) - (a->len < b->len);
}

static int order_items(const void *a, const void *b)
{
    return order(a, b);
}

void lines_sort(struct lines *lines)
{
    if (lines->count > 1)
        qsort(lines->items, lines->count, sizeof *lines->items, order_items);
}

bool lines_next(struct sl_slice *text, struct sl_slice *line)
{
    const uint8_t *end;

    if (text->len == 0)
        return false;
    end = memchr(text->bytes, '\n', text->len);
    line->bytes = text->bytes;
    line->len = end != NULL ? (size_t)(end - text->bytes) : text->len;
    text->bytes += line->len + (end != NULL);
    text->len -= line->len + (end != NULL);
    return true;
}

/* The next cell, of a line that has one more. */
static struct sl_slice next_cell(struct sl_slice *line)
{
    const uint8_t  *tab = line->len > 0 ? memchr(line->bytes, '\t', line->len) : NULL;
    struct sl_slice cell = {line->bytes, tab != NULL ? (size_t)(tab - line->bytes) : line->len};

    line->bytes += cell.len + (tab != NULL);
    line->len -= cell.len + (tab != NULL);
    return cell;
}

bool lines_cells(struct sl_slice line, struct sl_slice *cells, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && line.len == 0)
            return false;
        cells[i] = next_cell(&line);
    }
    return true;
}

bool lines_equal_text(struct sl_slice line, const char *text)
{
    return line.len == strlen(text) && memcmp(line.bytes, text, line.len) == 0;
}

char *lines_put_cell(char *at, const char *text, size_t len)
{
    static const char special[] = "\\\t\n";
    static const char shown[] = "\\tn";

    if (text == NULL) {
        *at++ = '\\';
        *at++ = 'N';
        return at;
    }
    for (size_t i = 0; i < len; i++) {
        const char *found = text[i] != '\0' ? strchr(special, text[i]) : NULL;

        if (found != NULL || text[i] == '\0') {
            *at++ = '\\';
            *at++ = found != NULL ? shown[found - special] : '0';
        } else {
            *at++ = text[i];
        }
    }
    return at;
}

/* ---- comparing ---- */

static void note(uint64_t *count, struct sl_slice *first, struct sl_slice line)
{
    if ((*count)++ == 0)
        *first = line;
}

void lines_compare(const struct lines *want, const struct lines *have, struct lines_difference *out)
{
    size_t w = 0;
    size_t h = 0;

    *out = (struct lines_difference){0};
    while (w < want->count || h < have->count) {
        int which = w == want->count   ? 1
                    : h == have->count ? -1
                                       : order(&want->items[w], &have->items[h]);

        if (which < 0)
            note(&out->missing, &out->first_missing, want->items[w]);
        if (which > 0)
            note(&out->surplus, &out->first_surplus, have->items[h]);
        w += which <= 0;
        h += which >= 0;
    }
}

/* ---- masks ---- */

struct masking masking_of(const struct mask *masks, uint32_t count, struct sl_slice head)
{
    return (struct masking){.masks = masks, .count = count, .head = head};
}

static bool is_masked(const struct masking *m, struct sl_slice column, struct sl_slice key)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (lines_equal_text(column, m->masks[i].column) &&
            (strcmp(m->masks[i].key, "*") == 0 || lines_equal_text(key, m->masks[i].key)))
            return true;
    }
    return false;
}

static struct sl_slice masked(const struct masking *m, struct sl_arena *arena, struct sl_slice line)
{
    static const char instead[] = "(may differ)";
    struct sl_slice   names = m->head;
    struct sl_slice   rest = line;
    struct sl_slice   key = {0};
    size_t            cells = 1;
    uint8_t          *out;
    uint8_t          *at;

    for (size_t i = 0; i < line.len; i++)
        cells += line.bytes[i] == '\t';
    out = at = sl_arena_alloc(arena, line.len + cells * sizeof instead);
    for (size_t i = 0; i < cells; i++) {
        struct sl_slice cell = next_cell(&rest);
        struct sl_slice name = next_cell(&names);

        if (i == 0)
            key = cell;
        else
            *at++ = '\t';
        if (is_masked(m, name, key))
            cell = sl_slice_from_string(instead);
        memcpy(at, cell.bytes, cell.len);
        at += cell.len;
    }
    return (struct sl_slice){out, (size_t)(at - out)};
}

void masking_apply(const struct masking *masking, struct lines *lines)
{
    for (size_t i = 0; masking->count > 0 && i < lines->count; i++)
        lines->items[i] = masked(masking, &lines->arena, lines->items[i]);
}
