#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/conf_private.h"

/* The key of the file that meant a row first: its last name, the same pointer in all its leaves. */
struct first {
    const char *name; /* NULL: none yet */
    unsigned    line;
};

/* One file being taken over. Unknown keys do not end the walk: all of them are named in one
 * refusal. */
struct walk {
    struct conf_loader        *loader;
    const char                *path;                    /* of the file */
    const struct sl_toml_leaf *leaf;                    /* being looked at */
    struct first               first[SL_CONF_KEYS_MAX]; /* per row of the top table */
    size_t                     unknown_count;
    char                       last[SL_CONF_KEY_BYTES_MAX]; /* the newest unknown key */
    char                       names[SL_WHY_BYTES_MAX];     /* "a, b.c" */
    char                       hints[SL_WHY_BYTES_MAX]; /* "; line 12: "a", did you mean "b"?..." */
};

/* ---- keys ---- */

static bool is_bare(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return false;
    }
    return name[0] != '\0';
}

/* The path from step `from` to before step `to` as a dotted key: without indexes, names that need
 * it in quotes. */
static void put_key(const struct sl_toml_leaf *leaf, size_t from, size_t to, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = from; i < to; i++) {
        const char *name = leaf->path[i].name;
        const char *quote;

        if (name == NULL)
            continue;
        quote = is_bare(name) ? "" : "\"";
        conf_append(out, size, "%s%s%s%s", out[0] != '\0' ? "." : "", quote, name, quote);
    }
}

/* How many steps from `at` spell the start of `key`, up to its end or the end of the leaf's names;
 * *rest: what is left of the key. False: they differ. */
static bool spell(const struct sl_toml_leaf *leaf, size_t at, const char *key, size_t *steps,
                  const char **rest)
{
    *steps = 0;
    *rest = key;
    while (**rest != '\0' && at + *steps < leaf->depth) {
        const char *name = leaf->path[at + *steps].name;
        size_t      bytes = strcspn(*rest, ".");

        if (name == NULL)
            return true;
        if (strlen(name) != bytes || strncasecmp(name, *rest, bytes) != 0)
            return false;
        *rest += bytes + ((*rest)[bytes] == '.');
        (*steps)++;
    }
    return true;
}

/* The row that the leaf at step `at` belongs to, and how many steps its key takes. */
static const struct sl_conf_row *find_row(const struct sl_conf_table *table,
                                          const struct sl_toml_leaf *leaf, size_t at, size_t *steps)
{
    const char *rest;

    for (size_t i = 0; i < table->row_count; i++) {
        const char *key = table->rows[i].key;

        if (key == NULL || (key[0] == '\0' && at != leaf->depth))
            continue;
        if (spell(leaf, at, key, steps, &rest) && *rest == '\0')
            return &table->rows[i];
    }
    return NULL;
}

/* True when the names at step `at` are a section, that is the beginning of keys; *steps: how many
 * names. */
static bool is_section(const struct sl_conf_table *table, const struct sl_toml_leaf *leaf,
                       size_t at, size_t *steps)
{
    const char *rest;

    for (size_t i = 0; i < table->row_count; i++) {
        const char *key = table->rows[i].key;

        if (key != NULL && spell(leaf, at, key, steps, &rest) && *steps > 0 && *rest != '\0')
            return true;
    }
    return false;
}

/* ---- refusals ---- */

static enum sl_err expected(const struct walk *w, const char *phrase, size_t at, struct sl_why *why)
{
    const char *found = "a table";

    if (at < w->leaf->depth)
        found = w->leaf->path[at].name == NULL ? "an array" : found;
    else if (w->leaf->type == SL_TOML_ARRAY)
        found = "an array";
    else if (w->leaf->type != SL_TOML_TABLE)
        found = "a single value";
    return sl_fail(why, SL_INVALID, "expected %s, found %s", phrase, found);
}

/* `at`: the step where the innermost table begins. */
static void note_unknown(struct walk *w, const struct sl_conf_table *table, size_t at)
{
    char        key[SL_CONF_KEY_BYTES_MAX];
    char        inner[SL_CONF_KEY_BYTES_MAX];
    const char *near;

    put_key(w->leaf, 0, w->leaf->depth, key, sizeof key);
    if (strcmp(key, w->last) == 0)
        return; /* the next member of the same array */
    memcpy(w->last, key, sizeof key);
    if (++w->unknown_count > SL_CONF_UNKNOWN_MAX)
        return;
    put_key(w->leaf, at, w->leaf->depth, inner, sizeof inner);
    near = conf_nearest_key(table, inner);
    conf_append(w->names, sizeof w->names, "%s%s", w->unknown_count > 1 ? ", " : "", key);
    conf_append(w->hints, sizeof w->hints, "; line %u: \"%s\"", w->leaf->line, key);
    if (near == NULL)
        return;
    put_key(w->leaf, 0, at, inner, sizeof inner);
    conf_append(w->hints, sizeof w->hints, ", did you mean \"%s%s%s\"?", inner,
                inner[0] != '\0' ? "." : "", near);
}

static enum sl_err refuse_unknown(const struct walk *w, struct sl_why *why)
{
    char more[SL_NAME_BYTES_MAX] = "";

    if (w->unknown_count > SL_CONF_UNKNOWN_MAX)
        (void)snprintf(more, sizeof more, " and %zu more", w->unknown_count - SL_CONF_UNKNOWN_MAX);
    return sl_fail(why, SL_CONFIG,
                   "component %s's config file %s contained unknown configuration options: %s%s%s",
                   w->loader->table->program, w->path, w->names, more, w->hints);
}

/* ---- taking over ---- */

static enum sl_err take(struct walk *w, const struct sl_conf_table *table, void *config, size_t at,
                        struct sl_why *why);

/* A member of a list of scalars, or an empty array. `slot` may be NULL. */
static enum sl_err take_member(struct walk *w, const struct sl_conf_row *row, void *slot, size_t at,
                               struct sl_why *why)
{
    const struct sl_toml_leaf *leaf = w->leaf;
    bool                       empty = at == leaf->depth && leaf->type == SL_TOML_ARRAY;

    if (!empty && (at == leaf->depth || leaf->path[at].name != NULL))
        return expected(w, conf_type_phrase(row->type), at, why);
    if (slot != NULL && (empty || leaf->path[at].index == 0))
        conf_clear(row, slot); /* the default */
    if (empty)
        return SL_OK;
    if (at + 1 < leaf->depth)
        return expected(w, conf_type_phrase(conf_item_type(row->type)), at + 1, why);
    return conf_set_leaf(row, leaf, slot, why);
}

static enum sl_err take_element(struct walk *w, const struct sl_conf_row *row, void *slot,
                                size_t at, struct sl_why *why)
{
    const struct sl_toml_leaf *leaf = w->leaf;
    struct sl_conf_tables     *list = slot;
    void                      *element = NULL;
    enum sl_err                err;

    if (at == leaf->depth && leaf->type == SL_TOML_ARRAY)
        return SL_OK;
    if (at == leaf->depth || leaf->path[at].name != NULL)
        return expected(w, conf_type_phrase(row->type), at, why);
    if ((row->flags & SL_CONF_NOT_YET) != 0)
        return conf_not_yet(row, why);
    while (list != NULL && list->count <= leaf->path[at].index) {
        if ((err = conf_add_element(row, list, &element, why)) != SL_OK)
            return err;
    }
    if (list != NULL)
        element = (char *)list->items + leaf->path[at].index * row->nested->struct_bytes;
    return take(w, row->nested, element, at + 1, why);
}

static enum sl_err take_named(struct walk *w, const struct sl_conf_row *row, void *slot, size_t at,
                              struct sl_why *why)
{
    const struct sl_toml_leaf *leaf = w->leaf;
    void                      *element = NULL;
    enum sl_err                err;

    if (at == leaf->depth && leaf->type == SL_TOML_TABLE)
        return SL_OK;
    if (at == leaf->depth || leaf->path[at].name == NULL)
        return expected(w, conf_type_phrase(row->type), at, why);
    if ((row->flags & SL_CONF_NOT_YET) != 0)
        return conf_not_yet(row, why);
    if (slot != NULL)
        element = conf_find_element(row, slot, leaf->path[at].name);
    if (slot != NULL && element == NULL) {
        if ((err = conf_add_element(row, slot, &element, why)) != SL_OK)
            return err;
        conf_set_name(row->nested, element, leaf->path[at].name);
    }
    return take(w, row->nested, element, at + 1, why);
}

static enum sl_err take_row(struct walk *w, const struct sl_conf_row *row, void *slot, size_t at,
                            struct sl_why *why)
{
    if (row->type == SL_CONF_TABLES)
        return take_element(w, row, slot, at, why);
    if (row->type == SL_CONF_NAMED)
        return take_named(w, row, slot, at, why);
    if (conf_is_list(row->type))
        return take_member(w, row, slot, at, why);
    if (at != w->leaf->depth)
        return expected(w, conf_type_phrase(row->type), at, why);
    return conf_set_leaf(row, w->leaf, slot, why);
}

/* Give the leaf to the row of `table` that its path names from step `at` on. `config` may be NULL:
 * only check. */
static enum sl_err take(struct walk *w, const struct sl_conf_table *table, void *config, size_t at,
                        struct sl_why *why)
{
    size_t                    steps;
    const struct sl_conf_row *row = find_row(table, w->leaf, at, &steps);

    if (row != NULL)
        return take_row(w, row, conf_slot(row, config), at + steps, why);
    if (at == w->leaf->depth) /* instead of a table, or one with nothing in it */
        return w->leaf->type == SL_TOML_TABLE ? SL_OK : expected(w, "a table", at, why);
    if (is_section(table, w->leaf, at, &steps)) {
        if (at + steps == w->leaf->depth && w->leaf->type == SL_TOML_TABLE)
            return SL_OK; /* a section with nothing in it */
        if (at + steps == w->leaf->depth || w->leaf->path[at + steps].name == NULL)
            return expected(w, "a table", at + steps, why);
    }
    note_unknown(w, table, at);
    return SL_OK;
}

/* SL_INVALID when two keys of the file, spelled in different cases, mean this row: Go would take
 * either. `at` is the step behind the row's key. */
static enum sl_err refuse_twice(struct walk *w, const struct sl_conf_row *row, size_t at,
                                struct sl_why *why)
{
    struct first *first = &w->first[row - w->loader->table->rows];
    const char   *name = w->leaf->path[at - 1].name;

    if (first->name == NULL)
        *first = (struct first){name, w->leaf->line};
    if (first->name == name)
        return SL_OK;
    return sl_fail(why, SL_INVALID, "set twice, first in line %u", first->line);
}

/* A leaf of a row that exists; `at` is the step behind the row's key. */
static enum sl_err take_known(struct walk *w, const struct sl_conf_row *row, size_t at,
                              struct sl_why *why)
{
    struct sl_conf_origin *origin = &w->loader->report->origin[row - w->loader->table->rows];
    bool                   overridden = origin->source == SL_CONF_FROM_FLAG;
    enum sl_err            err = refuse_twice(w, row, at, why);

    if (err == SL_OK)
        err = take_row(w, row, overridden ? NULL : conf_slot(row, w->loader->config), at, why);
    if (err == SL_OK && origin->source == SL_CONF_FROM_DEFAULT)
        *origin = (struct sl_conf_origin){SL_CONF_FROM_FILE, w->leaf->line, w->leaf->column};
    return err;
}

static enum sl_err visit(void *context, const struct sl_toml_leaf *leaf, struct sl_why *why)
{
    struct walk              *w = context;
    char                      key[SL_CONF_KEY_BYTES_MAX];
    struct sl_why             inner = {0};
    const struct sl_conf_row *row;
    enum sl_err               err;
    size_t                    steps;

    w->leaf = leaf;
    row = find_row(w->loader->table, leaf, 0, &steps);
    if (row != NULL)
        err = take_known(w, row, steps, &inner);
    else
        err = take(w, w->loader->table, w->loader->config, 0, &inner);
    if (err == SL_OK)
        return SL_OK;
    put_key(leaf, 0, leaf->depth, key, sizeof key);
    if (err == SL_UNSUPPORTED && row->nested != NULL && (row->flags & SL_CONF_NOT_YET) == 0)
        return sl_fail(why, err, "%s: %s", key, sl_err_text(err));
    if (err == SL_UNSUPPORTED)
        return sl_fail(why, err, "%s", inner.text);
    return sl_fail(why, SL_CONFIG, "%s:%u:%u: %s: %s", w->path, leaf->line, leaf->column, key,
                   inner.text);
}

enum sl_err conf_text_apply(struct conf_loader *loader, const char *path, const char *text,
                            size_t bytes, struct sl_why *why)
{
    struct walk w = {.loader = loader, .path = path};
    enum sl_err err = sl_toml_walk(path, text, bytes, visit, &w, why);

    if (err == SL_OK && w.unknown_count > 0)
        return refuse_unknown(&w, why);
    return err;
}
