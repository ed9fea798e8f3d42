#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/conf_private.h"
#include "base/units.h"

void conf_append(char *out, size_t size, const char *format, ...)
{
    size_t  used = strnlen(out, size);
    va_list args;

    if (used >= size)
        return;
    va_start(args, format);
    (void)vsnprintf(out + used, size - used, format, args);
    va_end(args);
}

const char *conf_type_word(enum sl_conf_type type)
{
    switch (type) {
    case SL_CONF_STRING: return "string";
    case SL_CONF_BOOL: return "";
    case SL_CONF_INT: return "int";
    case SL_CONF_FLOAT: return "float";
    case SL_CONF_DURATION: return "duration";
    case SL_CONF_BYTES: return "size";
    case SL_CONF_STRINGS:
    case SL_CONF_INTS: return "list";
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: return "tables";
    }
    SL_UNREACHABLE("not a type");
}

const char *conf_type_phrase(enum sl_conf_type type)
{
    switch (type) {
    case SL_CONF_STRING: return "a string";
    case SL_CONF_BOOL: return "a boolean";
    case SL_CONF_INT: return "an integer";
    case SL_CONF_FLOAT: return "a number";
    case SL_CONF_DURATION: return "a duration";
    case SL_CONF_BYTES: return "a size";
    case SL_CONF_STRINGS: return "an array of strings";
    case SL_CONF_INTS: return "an array of integers";
    case SL_CONF_TABLES: return "an array of tables";
    case SL_CONF_NAMED: return "a table";
    }
    SL_UNREACHABLE("not a type");
}

enum sl_conf_type conf_item_type(enum sl_conf_type type)
{
    if (type == SL_CONF_STRINGS)
        return SL_CONF_STRING;
    return type == SL_CONF_INTS ? SL_CONF_INT : type;
}

bool conf_is_list(enum sl_conf_type type)
{
    return conf_item_type(type) != type || type == SL_CONF_TABLES || type == SL_CONF_NAMED;
}

/* A bound as a user would write it. */
static void bound_text(const struct sl_conf_row *row, int64_t bound, char *out)
{
    if (row->type == SL_CONF_DURATION)
        sl_duration_format(bound, out);
    else
        (void)snprintf(out, SL_DURATION_TEXT_BYTES, "%" PRId64, bound);
}

void conf_range_text(const struct sl_conf_row *row, char *out, size_t size)
{
    char least[SL_DURATION_TEXT_BYTES];
    char most[SL_DURATION_TEXT_BYTES];

    out[0] = '\0';
    if (row->min == 0 && row->max == 0)
        return;
    bound_text(row, row->min, least);
    bound_text(row, row->max, most);
    if (row->max == INT64_MAX)
        conf_append(out, size, "at least %s", least);
    else if (row->min == INT64_MIN)
        conf_append(out, size, "at most %s", most);
    else
        conf_append(out, size, "%s to %s", least, most);
    if (row->unit != NULL && row->type != SL_CONF_DURATION)
        conf_append(out, size, " %s", row->unit);
}

void conf_row_name(const struct sl_conf_row *row, char *out, size_t size)
{
    (void)snprintf(out, size, "%s%s", row->key != NULL ? "" : "-",
                   row->key != NULL ? row->key : row->flag);
}

const struct sl_conf_row *conf_row_of_flag(const struct sl_conf_table *table, const char *name,
                                           size_t bytes)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const char *flag = table->rows[i].flag;

        if (flag != NULL && strlen(flag) == bytes && memcmp(flag, name, bytes) == 0)
            return &table->rows[i];
    }
    return NULL;
}

const struct sl_conf_row *conf_row_of_key(const struct sl_conf_table *table, const char *key)
{
    for (size_t i = 0; i < table->row_count; i++) {
        if (table->rows[i].key != NULL && strcasecmp(table->rows[i].key, key) == 0)
            return &table->rows[i];
    }
    return NULL;
}

const struct sl_conf_row *conf_path_row(const struct sl_conf_table *table)
{
    for (size_t i = 0; i < table->row_count; i++) {
        if ((table->rows[i].flags & SL_CONF_PATH) != 0)
            return &table->rows[i];
    }
    return NULL;
}

size_t sl_conf_row_index(const struct sl_conf_table *table, const char *key_or_flag)
{
    const struct sl_conf_row *row = conf_row_of_key(table, key_or_flag);

    if (row == NULL)
        row = conf_row_of_flag(table, key_or_flag, strlen(key_or_flag));
    SL_ASSERT(row != NULL);
    return (size_t)(row - table->rows);
}

bool sl_conf_env_name(const struct sl_conf_table *table, const struct sl_conf_row *row, char *out)
{
    char *letter = out;

    if (row->flag == NULL || table->env_prefix == NULL ||
        (row->flags & (SL_CONF_ASK | SL_CONF_PATH)) != 0)
        return false;
    (void)snprintf(out, SL_NAME_BYTES_MAX, "%s%s", table->env_prefix, row->flag);
    for (letter = out; *letter != '\0'; letter++) {
        if (*letter == '-')
            *letter = '_';
        else if (*letter >= 'a' && *letter <= 'z')
            *letter = (char)(*letter - 'a' + 'A');
    }
    return true;
}

static size_t field_bytes(enum sl_conf_type type)
{
    switch (type) {
    case SL_CONF_STRING: return sizeof(char *);
    case SL_CONF_BOOL: return sizeof(bool);
    case SL_CONF_INT: return sizeof(int64_t);
    case SL_CONF_FLOAT: return sizeof(double);
    case SL_CONF_DURATION: return sizeof(int64_t);
    case SL_CONF_BYTES: return sizeof(uint64_t);
    case SL_CONF_STRINGS: return sizeof(struct sl_conf_strings);
    case SL_CONF_INTS: return sizeof(struct sl_conf_ints);
    case SL_CONF_TABLES:
    case SL_CONF_NAMED: return sizeof(struct sl_conf_tables);
    }
    SL_UNREACHABLE("not a type");
}

static bool has_name(const struct sl_conf_table *nested)
{
    for (size_t i = 0; i < nested->row_count; i++) {
        if ((nested->rows[i].flags & SL_CONF_NAME) != 0)
            return true;
    }
    return false;
}

static void check_row(const struct sl_conf_table *table, const struct sl_conf_row *row)
{
    bool tables = row->type == SL_CONF_TABLES || row->type == SL_CONF_NAMED;
    bool numeric = row->type == SL_CONF_INT || row->type == SL_CONF_FLOAT ||
                   row->type == SL_CONF_DURATION || row->type == SL_CONF_BYTES ||
                   row->type == SL_CONF_INTS;
    bool   ignored = (row->flags & SL_CONF_IGNORED) != 0;
    size_t top_only = SL_CONF_ASK | SL_CONF_PATH;

    SL_ASSERT(row->key != NULL || row->flag != NULL || (row->flags & SL_CONF_NAME) != 0);
    SL_ASSERT(SL_IMPLIES((row->flags & SL_CONF_SECRET) != 0,
                         conf_item_type(row->type) == SL_CONF_STRING));
    SL_ASSERT(SL_IMPLIES((row->flags & SL_CONF_OR_INT) != 0, row->type == SL_CONF_STRING));
    SL_ASSERT(SL_IMPLIES((row->flags & SL_CONF_NAME) != 0,
                         row->type == SL_CONF_STRING && row->key == NULL));
    SL_ASSERT(row->min <= row->max);
    SL_ASSERT(SL_IMPLIES(row->min != 0 || row->max != 0, numeric));
    SL_ASSERT(
        SL_IMPLIES(row->bare_nanos != 0, row->type == SL_CONF_DURATION && row->bare_nanos > 0));
    SL_ASSERT(SL_IMPLIES(tables, row->flag == NULL && row->def == NULL && row->nested != NULL));
    SL_ASSERT(SL_IMPLIES(tables, row->nested->struct_bytes > 0 && row->nested->program == NULL));
    SL_ASSERT(SL_IMPLIES(row->type == SL_CONF_NAMED, has_name(row->nested)));
    SL_ASSERT(SL_IMPLIES(conf_is_list(row->type) && (row->flags & SL_CONF_NOT_YET) != 0,
                         row->def == NULL));
    SL_ASSERT(
        SL_IMPLIES((row->flags & SL_CONF_ASK) != 0, row->type == SL_CONF_BOOL && row->def == NULL));
    SL_ASSERT(SL_IMPLIES((row->flags & SL_CONF_PATH) != 0,
                         row->type == SL_CONF_STRING && row->def == NULL));
    SL_ASSERT(SL_IMPLIES((row->flags & top_only) != 0,
                         row->key == NULL && !ignored && table->program != NULL));
    SL_ASSERT(ignored || row->offset <= table->struct_bytes);
    SL_ASSERT(ignored || field_bytes(row->type) <= table->struct_bytes - row->offset);
    SL_ASSERT(row->help != NULL || (row->flags & SL_CONF_NAME) != 0);
}

/* The name of a variable must fit the buffer that sl_conf_env_name fills. */
static void check_names(const struct sl_conf_table *table, const struct sl_conf_row *row)
{
    const char *prefix = table->env_prefix != NULL ? table->env_prefix : "";

    SL_ASSERT(row->key == NULL || strlen(row->key) < SL_CONF_KEY_BYTES_MAX);
    if (row->key != NULL)
        SL_ASSERT(conf_row_of_key(table, row->key) == row);
    if (row->flag == NULL)
        return;
    SL_ASSERT(table->program != NULL && row->flag[0] != '\0' && row->flag[0] != '-');
    SL_ASSERT(strchr(row->flag, '=') == NULL && strcmp(row->flag, "h") != 0 &&
              strcmp(row->flag, "help") != 0);
    SL_ASSERT(strlen(prefix) + strlen(row->flag) < SL_NAME_BYTES_MAX);
    SL_ASSERT(conf_row_of_flag(table, row->flag, strlen(row->flag)) == row);
}

void conf_table_check(const struct sl_conf_table *table)
{
    size_t paths = 0;
    size_t names = 0;

    SL_ASSERT(table->row_count <= SL_CONF_KEYS_MAX);
    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];

        check_row(table, row);
        check_names(table, row);
        paths += (row->flags & SL_CONF_PATH) != 0;
        names += (row->flags & SL_CONF_NAME) != 0;
        if (row->nested != NULL)
            conf_table_check(row->nested);
    }
    SL_ASSERT(paths <= 1);
    SL_ASSERT(names <= 1);
}
