#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/conf_private.h"
#include "base/units.h"

void *conf_slot(const struct sl_conf_row *row, void *config)
{
    return config == NULL || (row->flags & SL_CONF_IGNORED) != 0 ? NULL
                                                                 : (char *)config + row->offset;
}

void conf_set_defaults(const struct sl_conf_table *table, void *config)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];
        void                     *slot = conf_slot(row, config);
        enum sl_err               err = SL_OK;

        if (slot == NULL)
            continue;
        if (row->def != NULL || row->type == SL_CONF_STRING)
            err = conf_set_text(row, row->def != NULL ? row->def : "", slot, NULL);
        SL_ASSERT(err == SL_OK);
    }
}

/* ---- elements of TABLES and NAMED ---- */

static void *element_at(const struct sl_conf_row *row, const struct sl_conf_tables *list,
                        size_t index)
{
    SL_ASSERT(index < list->count);
    return (char *)list->items + index * row->nested->struct_bytes;
}

enum sl_err conf_add_element(const struct sl_conf_row *row, void *slot, void **element,
                             struct sl_why *why)
{
    struct sl_conf_tables *list = slot;
    void                  *larger;

    SL_ASSERT(row->nested != NULL);
    if (list->count >= SL_CONF_LIST_ITEMS_MAX)
        return sl_fail(why, SL_INVALID, "more than %d tables", SL_CONF_LIST_ITEMS_MAX);
    larger = realloc(list->items, (list->count + 1) * row->nested->struct_bytes);
    SL_ASSERT(larger != NULL);
    list->items = larger;
    list->count++;
    *element = element_at(row, list, list->count - 1);
    memset(*element, 0, row->nested->struct_bytes);
    conf_set_defaults(row->nested, *element);
    return SL_OK;
}

/* The NAME field of an element. */
static char **name_of(const struct sl_conf_table *nested, void *element)
{
    for (size_t i = 0; i < nested->row_count; i++) {
        if ((nested->rows[i].flags & SL_CONF_NAME) != 0)
            return (char **)conf_slot(&nested->rows[i], element);
    }
    SL_UNREACHABLE("conf_table_check saw a NAME row");
}

void conf_set_name(const struct sl_conf_table *nested, void *element, const char *name)
{
    char **field = name_of(nested, element);

    free(*field);
    *field = strdup(name);
    SL_ASSERT(*field != NULL);
}

void *conf_find_element(const struct sl_conf_row *row, void *slot, const char *name)
{
    struct sl_conf_tables *list = slot;

    for (size_t i = 0; i < list->count; i++) {
        void *element = element_at(row, list, i);

        if (strcmp(*name_of(row->nested, element), name) == 0)
            return element;
    }
    return NULL;
}

/* ---- freeing ---- */

void conf_free_string(const struct sl_conf_row *row, char *string)
{
    if (string != NULL && (row->flags & SL_CONF_SECRET) != 0)
        explicit_bzero(string, strlen(string));
    free(string);
}

static void clear_strings(const struct sl_conf_row *row, struct sl_conf_strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        conf_free_string(row, list->items[i]);
    free(list->items);
    *list = (struct sl_conf_strings){0};
}

static void clear_tables(const struct sl_conf_row *row, struct sl_conf_tables *list)
{
    for (size_t i = 0; i < list->count; i++)
        sl_conf_free(row->nested, element_at(row, list, i));
    free(list->items);
    *list = (struct sl_conf_tables){0};
}

void conf_clear(const struct sl_conf_row *row, void *slot)
{
    switch (row->type) {
    case SL_CONF_STRING:
        conf_free_string(row, *(char **)slot);
        *(char **)slot = NULL;
        break;
    case SL_CONF_INTS:
        free(((struct sl_conf_ints *)slot)->items);
        *(struct sl_conf_ints *)slot = (struct sl_conf_ints){0};
        break;
    case SL_CONF_STRINGS: clear_strings(row, slot); break;
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: clear_tables(row, slot); break;
    case SL_CONF_BOOL:
    case SL_CONF_INT:
    case SL_CONF_FLOAT:
    case SL_CONF_DURATION:
    case SL_CONF_BYTES: break;
    }
}

void sl_conf_free(const struct sl_conf_table *table, void *config)
{
    for (size_t i = 0; i < table->row_count; i++) {
        void *slot = conf_slot(&table->rows[i], config);

        if (slot != NULL)
            conf_clear(&table->rows[i], slot);
    }
    memset(config, 0, table->struct_bytes);
}

/* ---- comparing ---- */

static bool are_same_strings(const struct sl_conf_strings *a, const struct sl_conf_strings *b)
{
    bool are = a->count == b->count;

    for (size_t i = 0; are && i < a->count; i++)
        are = strcmp(a->items[i], b->items[i]) == 0;
    return are;
}

static bool are_same_ints(const struct sl_conf_ints *a, const struct sl_conf_ints *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof *a->items) == 0);
}

static bool are_same_tables(const struct sl_conf_row *row, const struct sl_conf_tables *a,
                            const struct sl_conf_tables *b)
{
    const struct sl_conf_table *nested = row->nested;

    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < nested->row_count; j++) {
            if (!sl_conf_is_same(&nested->rows[j], element_at(row, a, i), element_at(row, b, i)))
                return false;
        }
    }
    return true;
}

bool sl_conf_is_same(const struct sl_conf_row *row, const void *a, const void *b)
{
    const void *left = (const char *)a + row->offset;
    const void *right = (const char *)b + row->offset;

    if ((row->flags & SL_CONF_IGNORED) != 0)
        return true;
    switch (row->type) {
    case SL_CONF_STRING: return strcmp(*(char *const *)left, *(char *const *)right) == 0;
    case SL_CONF_BOOL: return *(const bool *)left == *(const bool *)right;
    case SL_CONF_FLOAT:
        return !(*(const double *)left < *(const double *)right) &&
               !(*(const double *)left > *(const double *)right);
    case SL_CONF_INT:
    case SL_CONF_DURATION:
    case SL_CONF_BYTES: return memcmp(left, right, sizeof(int64_t)) == 0;
    case SL_CONF_STRINGS: return are_same_strings(left, right);
    case SL_CONF_INTS: return are_same_ints(left, right);
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: return are_same_tables(row, left, right);
    }
    SL_UNREACHABLE("not a type");
}

/* ---- printing ---- */

static void put_strings(const struct sl_conf_strings *list, char *out, size_t size)
{
    for (size_t i = 0; i < list->count; i++)
        conf_append(out, size, "%s%s", i > 0 ? "," : "", list->items[i]);
}

static void put_ints(const struct sl_conf_ints *list, char *out, size_t size)
{
    for (size_t i = 0; i < list->count; i++)
        conf_append(out, size, "%s%" PRId64, i > 0 ? "," : "", list->items[i]);
}

static void put_value(const struct sl_conf_row *row, const void *slot, char *out, size_t size)
{
    char duration[SL_DURATION_TEXT_BYTES];

    switch (row->type) {
    case SL_CONF_STRING: conf_append(out, size, "%s", *(char *const *)slot); break;
    case SL_CONF_BOOL: conf_append(out, size, "%s", *(const bool *)slot ? "true" : "false"); break;
    case SL_CONF_INT: conf_append(out, size, "%" PRId64, *(const int64_t *)slot); break;
    case SL_CONF_FLOAT: conf_append(out, size, "%.15g", *(const double *)slot); break;
    case SL_CONF_BYTES: conf_append(out, size, "%" PRIu64, *(const uint64_t *)slot); break;
    case SL_CONF_STRINGS: put_strings(slot, out, size); break;
    case SL_CONF_INTS: put_ints(slot, out, size); break;
    case SL_CONF_DURATION:
        sl_duration_format(*(const int64_t *)slot, duration);
        conf_append(out, size, "%s", duration);
        break;
    case SL_CONF_TABLES:
    case SL_CONF_NAMED:
        conf_append(out, size, "%zu tables", ((const struct sl_conf_tables *)slot)->count);
        break;
    }
}

void sl_conf_value_text(const struct sl_conf_row *row, const void *config, char *out, size_t size)
{
    SL_ASSERT(size > 0);
    out[0] = '\0';
    if ((row->flags & SL_CONF_IGNORED) != 0)
        return;
    put_value(row, (const char *)config + row->offset, out, size);
    if ((row->flags & SL_CONF_SECRET) != 0 && out[0] != '\0') {
        explicit_bzero(out, size);
        conf_append(out, size, "***");
    }
}
