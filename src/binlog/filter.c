#include "binlog/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "binlog/pattern.h"

/* One element of a list; table NULL: one of schemas alone. */
struct rule {
    struct sl_pattern *schema;
    struct sl_pattern *table;
};

struct list {
    struct rule *rules;
    size_t       count;
};

struct sl_filter {
    struct list take; /* both do-lists; empty: everything */
    struct list skip; /* both ignore-lists */
};

/* ---- making ---- */

static enum sl_err make_pattern(const char *list, const char *element, struct sl_pattern **out,
                                struct sl_why *why)
{
    char          anchored[SL_PATTERN_BYTES_MAX + 2];
    struct sl_why inner = {0};
    enum sl_err   err;

    if (element[0] == '~') {
        err = sl_pattern_new(element + 1, SL_PATTERN_CASELESS, out, &inner);
    } else if (strlen(element) + 2 >= sizeof anchored) {
        err = sl_fail(&inner, SL_INVALID, "`%.60s...`: longer than %d bytes", element,
                      SL_PATTERN_BYTES_MAX - 2);
    } else { /* not SL_PATTERN_WHOLE: see the header */
        (void)snprintf(anchored, sizeof anchored, "^%s$", element);
        err = sl_pattern_new(anchored, SL_PATTERN_CASELESS, out, &inner);
    }
    return err == SL_OK ? SL_OK : sl_fail(why, err, "%s: %s", list, inner.text);
}

static void begin_list(struct list *list, size_t count)
{
    list->rules = calloc(count > 0 ? count : 1, sizeof *list->rules);
    SL_ASSERT(list->rules != NULL);
}

static enum sl_err add_schemas(struct list *list, const char *name, const char *const *schemas,
                               size_t count, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (size_t i = 0; err == SL_OK && i < count; i++)
        err = make_pattern(name, schemas[i], &list->rules[list->count++].schema, why);
    return err;
}

static enum sl_err add_tables(struct list *list, const char *name,
                              const struct sl_filter_table *tables, size_t count,
                              struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (size_t i = 0; err == SL_OK && i < count; i++) {
        struct rule *rule = &list->rules[list->count++];

        err = make_pattern(name, tables[i].schema, &rule->schema, why);
        if (err == SL_OK)
            err = make_pattern(name, tables[i].table, &rule->table, why);
    }
    return err;
}

enum sl_err sl_filter_new(const struct sl_filter_lists *lists, struct sl_filter **out,
                          struct sl_why *why)
{
    struct sl_filter *f = calloc(1, sizeof *f);
    enum sl_err       err;

    SL_ASSERT(f != NULL);
    begin_list(&f->take, lists->do_schema_count + lists->do_table_count);
    begin_list(&f->skip, lists->ignore_schema_count + lists->ignore_table_count);
    err = add_schemas(&f->take, "replicate-do-db", lists->do_schemas, lists->do_schema_count, why);
    if (err == SL_OK)
        err = add_tables(&f->take, "replicate-do-table", lists->do_tables, lists->do_table_count,
                         why);
    if (err == SL_OK)
        err = add_schemas(&f->skip, "ignore-schemas", lists->ignore_schemas,
                          lists->ignore_schema_count, why);
    if (err == SL_OK)
        err = add_tables(&f->skip, "ignore-table", lists->ignore_tables, lists->ignore_table_count,
                         why);
    if (err == SL_OK)
        *out = f;
    else
        sl_filter_free(&f);
    return err;
}

static void free_list(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        sl_pattern_free(&list->rules[i].schema);
        sl_pattern_free(&list->rules[i].table);
    }
    free(list->rules);
}

void sl_filter_free(struct sl_filter **filter)
{
    if (*filter == NULL)
        return;
    free_list(&(*filter)->take);
    free_list(&(*filter)->skip);
    free(*filter);
    *filter = NULL;
}

/* ---- asking ---- */

static enum sl_err matches(const struct list *list, struct sl_slice schema, struct sl_slice table,
                           bool *out, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    *out = false;
    for (size_t i = 0; err == SL_OK && !*out && i < list->count; i++) {
        err = sl_pattern_find(list->rules[i].schema, schema, out, why);
        if (err == SL_OK && *out && list->rules[i].table != NULL)
            err = sl_pattern_find(list->rules[i].table, table, out, why);
    }
    return err;
}

enum sl_err sl_filter_skips(const struct sl_filter *filter, struct sl_slice schema,
                            struct sl_slice table, bool *out, struct sl_why *why)
{
    bool        taken = true;
    bool        skipped = false;
    enum sl_err err = SL_OK;

    if (filter->take.count > 0)
        err = matches(&filter->take, schema, table, &taken, why);
    if (err == SL_OK && taken)
        err = matches(&filter->skip, schema, table, &skipped, why);
    if (err == SL_OK)
        *out = !taken || skipped;
    return err;
}
