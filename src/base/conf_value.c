#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/conf_private.h"
#include "base/units.h"

/* A value between parsing and storing. `type` is never a list. */
struct scalar {
    enum sl_conf_type type;
    union {
        char    *string; /* owned */
        bool     boolean;
        int64_t  integer; /* INT, DURATION */
        double   number;
        uint64_t bytes;
    } as;
};

static char *copy(const char *text, size_t bytes)
{
    char *out = malloc(bytes + 1);

    SL_ASSERT(out != NULL);
    memcpy(out, text, bytes);
    out[bytes] = '\0';
    return out;
}

/* ---- text to scalar ---- */

static enum sl_err duration_of_number(const struct sl_conf_row *row, int64_t number,
                                      struct scalar *out, struct sl_why *why)
{
    if (__builtin_mul_overflow(number, row->bare_nanos, &out->as.integer))
        return sl_fail(why, SL_INVALID, "too large: %" PRId64, number);
    return SL_OK;
}

static enum sl_err duration_of_text(const struct sl_conf_row *row, const char *text,
                                    struct scalar *out, struct sl_why *why)
{
    int64_t number;

    if (row->bare_nanos != 0 && sl_int_parse(text, &number, NULL) == SL_OK)
        return duration_of_number(row, number, out, why);
    return sl_duration_parse(text, &out->as.integer, why);
}

static enum sl_err scalar_of_text(const struct sl_conf_row *row, const char *text, size_t bytes,
                                  struct scalar *out, struct sl_why *why)
{
    if (bytes > SL_CONF_VALUE_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "longer than %d bytes", SL_CONF_VALUE_BYTES_MAX);
    if (strlen(text) != bytes)
        return sl_fail(why, SL_INVALID, "holds a NUL");
    out->type = conf_item_type(row->type);
    switch (out->type) {
    case SL_CONF_STRING: out->as.string = copy(text, bytes); return SL_OK;
    case SL_CONF_BOOL: return sl_bool_parse(text, &out->as.boolean, why);
    case SL_CONF_INT: return sl_int_parse(text, &out->as.integer, why);
    case SL_CONF_FLOAT: return sl_float_parse(text, &out->as.number, why);
    case SL_CONF_DURATION: return duration_of_text(row, text, out, why);
    case SL_CONF_BYTES: return sl_bytes_parse(text, &out->as.bytes, why);
    case SL_CONF_STRINGS:
    case SL_CONF_INTS:
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: break;
    }
    SL_UNREACHABLE("a list is not a scalar");
}

/* What a field holds when the table gives no default. */
static enum sl_err scalar_of_default(const struct sl_conf_row *row, struct scalar *out,
                                     struct sl_why *why)
{
    if (row->def != NULL)
        return scalar_of_text(row, row->def, strlen(row->def), out, why);
    *out = (struct scalar){.type = row->type};
    if (row->type == SL_CONF_STRING)
        out->as.string = copy("", 0);
    return SL_OK;
}

/* ---- TOML to scalar ---- */

static const char *found_phrase(enum sl_toml_type type)
{
    switch (type) {
    case SL_TOML_STRING: return "a string";
    case SL_TOML_INTEGER: return "an integer";
    case SL_TOML_FLOAT: return "a number with a fraction";
    case SL_TOML_BOOLEAN: return "a boolean";
    case SL_TOML_TIME: return "a date or time";
    case SL_TOML_ARRAY: return "an array";
    case SL_TOML_TABLE: return "a table";
    }
    SL_UNREACHABLE("not a TOML type");
}

/* A type that a file writes without quotes. False: the leaf is not of that kind. */
static bool take_plain(const struct sl_conf_row *row, const struct sl_toml_leaf *leaf,
                       struct scalar *out)
{
    bool whole = leaf->type == SL_TOML_INTEGER;

    out->type = conf_item_type(row->type);
    switch (out->type) {
    case SL_CONF_BOOL: out->as.boolean = leaf->boolean; return leaf->type == SL_TOML_BOOLEAN;
    case SL_CONF_INT: out->as.integer = leaf->integer; return whole;
    case SL_CONF_FLOAT:
        out->as.number = whole ? (double)leaf->integer : leaf->number;
        return whole || (leaf->type == SL_TOML_FLOAT && isfinite(leaf->number));
    case SL_CONF_BYTES: out->as.bytes = (uint64_t)leaf->integer; return whole && leaf->integer >= 0;
    case SL_CONF_STRING:
    case SL_CONF_DURATION:
    case SL_CONF_STRINGS:
    case SL_CONF_INTS:
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: break;
    }
    return false;
}

static enum sl_err scalar_of_leaf(const struct sl_conf_row *row, const struct sl_toml_leaf *leaf,
                                  struct scalar *out, struct sl_why *why)
{
    enum sl_conf_type type = conf_item_type(row->type);
    bool quoted = type == SL_CONF_STRING || type == SL_CONF_DURATION || type == SL_CONF_BYTES;
    char digits[24];

    if (leaf->type == SL_TOML_STRING && quoted)
        return scalar_of_text(row, leaf->text, leaf->text_bytes, out, why);
    if (leaf->type == SL_TOML_INTEGER && type == SL_CONF_DURATION && row->bare_nanos != 0) {
        out->type = type;
        return duration_of_number(row, leaf->integer, out, why);
    }
    if (leaf->type == SL_TOML_INTEGER && (row->flags & SL_CONF_OR_INT) != 0) {
        (void)snprintf(digits, sizeof digits, "%" PRId64, leaf->integer);
        return scalar_of_text(row, digits, strlen(digits), out, why);
    }
    if (take_plain(row, leaf, out))
        return SL_OK;
    if (leaf->type == SL_TOML_INTEGER && type == SL_CONF_BYTES)
        return sl_fail(why, SL_INVALID, "a size is not negative");
    return sl_fail(why, SL_INVALID, "expected %s, found %s", conf_type_phrase(type),
                   found_phrase(leaf->type));
}

/* ---- scalar to field ---- */

static bool in_range(const struct sl_conf_row *row, const struct scalar *value)
{
    switch (value->type) {
    case SL_CONF_INT:
    case SL_CONF_DURATION: return value->as.integer >= row->min && value->as.integer <= row->max;
    case SL_CONF_FLOAT:
        return value->as.number >= (double)row->min && value->as.number <= (double)row->max;
    case SL_CONF_BYTES:
        return (row->min <= 0 || value->as.bytes >= (uint64_t)row->min) &&
               (row->max == INT64_MAX || (row->max >= 0 && value->as.bytes <= (uint64_t)row->max));
    case SL_CONF_STRING:
    case SL_CONF_BOOL:
    case SL_CONF_STRINGS:
    case SL_CONF_INTS:
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: break;
    }
    return true;
}

static bool equal(const struct scalar *a, const struct scalar *b)
{
    SL_ASSERT(a->type == b->type);
    switch (a->type) {
    case SL_CONF_STRING: return strcmp(a->as.string, b->as.string) == 0;
    case SL_CONF_BOOL: return a->as.boolean == b->as.boolean;
    case SL_CONF_INT:
    case SL_CONF_DURATION: return a->as.integer == b->as.integer;
    case SL_CONF_FLOAT: return !(a->as.number < b->as.number) && !(a->as.number > b->as.number);
    case SL_CONF_BYTES: return a->as.bytes == b->as.bytes;
    case SL_CONF_STRINGS:
    case SL_CONF_INTS:
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: break;
    }
    SL_UNREACHABLE("a list is not a scalar");
}

enum sl_err conf_not_yet(const struct sl_conf_row *row, struct sl_why *why)
{
    char name[SL_CONF_KEY_BYTES_MAX];

    conf_row_name(row, name, sizeof name);
    return sl_fail(why, SL_UNSUPPORTED, "%s: %s", name, sl_err_text(SL_UNSUPPORTED));
}

/* Range and NOT_YET. The value may be an item of a list, which has no default. */
static enum sl_err check(const struct sl_conf_row *row, const struct scalar *value,
                         struct sl_why *why)
{
    char          range[SL_CONF_KEY_BYTES_MAX];
    struct scalar usual = {.type = value->type};
    enum sl_err   err;
    bool          same;

    if ((row->min != 0 || row->max != 0) && !in_range(row, value)) {
        conf_range_text(row, range, sizeof range);
        return sl_fail(why, SL_INVALID, "out of range, allowed: %s", range);
    }
    if ((row->flags & SL_CONF_NOT_YET) == 0)
        return SL_OK;
    if (conf_is_list(row->type))
        return conf_not_yet(row, why);
    err = scalar_of_default(row, &usual, NULL);
    SL_ASSERT(err == SL_OK);
    same = equal(value, &usual);
    if (usual.type == SL_CONF_STRING)
        conf_free_string(row, usual.as.string);
    return same ? SL_OK : conf_not_yet(row, why);
}

static void drop(const struct sl_conf_row *row, struct scalar *value)
{
    if (value->type == SL_CONF_STRING)
        conf_free_string(row, value->as.string);
}

/* Make room for one more item and return its place. */
static enum sl_err grow(void **items, size_t *count, size_t item_bytes, void **item,
                        struct sl_why *why)
{
    void *larger;

    if (*count >= SL_CONF_LIST_ITEMS_MAX)
        return sl_fail(why, SL_INVALID, "more than %d members", SL_CONF_LIST_ITEMS_MAX);
    larger = realloc(*items, (*count + 1) * item_bytes);
    SL_ASSERT(larger != NULL);
    *items = larger;
    *item = (char *)larger + *count * item_bytes;
    memset(*item, 0, item_bytes);
    (*count)++;
    return SL_OK;
}

static enum sl_err append_string(struct sl_conf_strings *list, char *string, struct sl_why *why)
{
    void       *items = list->items;
    void       *item;
    enum sl_err err = grow(&items, &list->count, sizeof(char *), &item, why);

    list->items = items;
    if (err == SL_OK)
        *(char **)item = string;
    return err;
}

static enum sl_err append_int(struct sl_conf_ints *list, int64_t number, struct sl_why *why)
{
    void       *items = list->items;
    void       *item;
    enum sl_err err = grow(&items, &list->count, sizeof(int64_t), &item, why);

    list->items = items;
    if (err == SL_OK)
        *(int64_t *)item = number;
    return err;
}

/* Check the value and move it into the field; freed on failure. */
static enum sl_err store(const struct sl_conf_row *row, struct scalar *value, void *slot,
                         struct sl_why *why)
{
    enum sl_err err = check(row, value, why);

    if (err != SL_OK || slot == NULL) {
        drop(row, value);
        return err;
    }
    switch (row->type) {
    case SL_CONF_STRING:
        conf_free_string(row, *(char **)slot);
        *(char **)slot = value->as.string;
        return SL_OK;
    case SL_CONF_BOOL: *(bool *)slot = value->as.boolean; return SL_OK;
    case SL_CONF_INT:
    case SL_CONF_DURATION: *(int64_t *)slot = value->as.integer; return SL_OK;
    case SL_CONF_FLOAT: *(double *)slot = value->as.number; return SL_OK;
    case SL_CONF_BYTES: *(uint64_t *)slot = value->as.bytes; return SL_OK;
    case SL_CONF_STRINGS:
        if ((err = append_string(slot, value->as.string, why)) != SL_OK)
            drop(row, value);
        return err;
    case SL_CONF_INTS: return append_int(slot, value->as.integer, why);
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: break;
    }
    SL_UNREACHABLE("tables are not stored as scalars");
}

enum sl_err conf_set_leaf(const struct sl_conf_row *row, const struct sl_toml_leaf *leaf,
                          void *slot, struct sl_why *why)
{
    struct scalar value;
    enum sl_err   err = scalar_of_leaf(row, leaf, &value, why);

    return err != SL_OK ? err : store(row, &value, slot, why);
}

static enum sl_err set_scalar_text(const struct sl_conf_row *row, const char *text, void *slot,
                                   struct sl_why *why)
{
    struct scalar value;
    enum sl_err   err = scalar_of_text(row, text, strlen(text), &value, why);

    return err != SL_OK ? err : store(row, &value, slot, why);
}

enum sl_err conf_set_text(const struct sl_conf_row *row, const char *text, void *slot,
                          struct sl_why *why)
{
    enum sl_err err = SL_OK;

    SL_ASSERT(row->nested == NULL);
    if (!conf_is_list(row->type))
        return set_scalar_text(row, text, slot, why);
    if (slot != NULL)
        conf_clear(row, slot);
    while (err == SL_OK && *text != '\0') {
        size_t bytes = strcspn(text, ",");
        char  *item = copy(text, bytes);

        err = set_scalar_text(row, item, slot, why);
        conf_free_string(row, item);
        text += bytes + (text[bytes] == ',');
    }
    return err;
}
