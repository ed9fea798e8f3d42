#ifndef SL_BASE_CONF_PRIVATE_H
#define SL_BASE_CONF_PRIVATE_H

/* What the parts of conf (base/conf.h) share; included by conf*.c alone.
 *
 *     conf.c        load, free, origins: the order of things
 *     conf_table.c  the table itself: its rules, names and types in words
 *     conf_value.c  one value: from text or TOML, checked and stored
 *     conf_field.c  fields: defaults, elements of lists, freeing, printing
 *     conf_flags.c  the command line
 *     conf_file.c   reading the file
 *     conf_match.c  the row of each value in it
 *     conf_hint.c   "did you mean"
 *     conf_help.c   --help and manual */

#include "base/conf.h"
#include "base/conf_toml.h"

/* One sl_conf_load under way. */
struct conf_loader {
    const struct sl_conf_table *table;
    const struct sl_conf_input *input;
    void                       *config;
    struct sl_conf_report      *report;
};

/* ---- conf_table.c ---- */

/* Assert that the table keeps the rules that base/conf.h gives. */
void conf_table_check(const struct sl_conf_table *table);
/* "string", "int", ...: the word Go puts behind a flag; "" for a boolean. */
const char *conf_type_word(enum sl_conf_type type);
/* "a string", "an array of strings", ...: what is expected in a file. */
const char *conf_type_phrase(enum sl_conf_type type);
/* The type of a list's members; other types: themselves. */
enum sl_conf_type conf_item_type(enum sl_conf_type type);
/* Many members under one key: STRINGS, INTS, TABLES, NAMED. */
bool conf_is_list(enum sl_conf_type type);
/* "1 to 60 s", "at least 1"; "" when the row has no range. Cut at `size`. */
void conf_range_text(const struct sl_conf_row *row, char *out, size_t size);
/* The key of a row, or "-flag" where it has none. Cut at `size`. */
void conf_row_name(const struct sl_conf_row *row, char *out, size_t size);
/* The row with this flag or NULL. `bytes` of name count. */
const struct sl_conf_row *conf_row_of_flag(const struct sl_conf_table *table, const char *name,
                                           size_t bytes);
/* The row that is SL_CONF_PATH, or NULL. */
const struct sl_conf_row *conf_path_row(const struct sl_conf_table *table);
/* The row whose key is this one, in any case; or NULL. */
const struct sl_conf_row *conf_row_of_key(const struct sl_conf_table *table, const char *key);
/* Append formatted text to the string in out[size]; what does not fit is cut. */
void conf_append(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- conf_value.c: `slot` is the field of the row, NULL: only check ---- */

/* Take a value as written on a command line; a list is replaced. SL_INVALID, or SL_UNSUPPORTED for
 * a NOT_YET row. */
enum sl_err conf_set_text(const struct sl_conf_row *row, const char *text, void *slot,
                          struct sl_why *why);
/* Take a scalar, or one more member of a list of scalars. Errors as above. */
enum sl_err conf_set_leaf(const struct sl_conf_row *row, const struct sl_toml_leaf *leaf,
                          void *slot, struct sl_why *why);
/* The words of an error about a NOT_YET row. */
enum sl_err conf_not_yet(const struct sl_conf_row *row, struct sl_why *why);

/* ---- conf_field.c ---- */

/* The field of a row in its struct; NULL when config is NULL and for IGNORED rows. */
void *conf_slot(const struct sl_conf_row *row, void *config);
/* Give every field its default. The struct must be all zeros. */
void conf_set_defaults(const struct sl_conf_table *table, void *config);
/* Append an element with its defaults to a TABLES or NAMED list and return it. */
enum sl_err conf_add_element(const struct sl_conf_row *row, void *slot, void **element,
                             struct sl_why *why);
/* Put a name into the NAME field of an element. */
void conf_set_name(const struct sl_conf_table *nested, void *element, const char *name);
/* The element of a NAMED list with this name, or NULL. */
void *conf_find_element(const struct sl_conf_row *row, void *slot, const char *name);
/* Free what the field owns and zero it. */
void conf_clear(const struct sl_conf_row *row, void *slot);
/* Free a string of the row, overwritten first when it is a secret. May be NULL. */
void conf_free_string(const struct sl_conf_row *row, char *string);

/* ---- conf_flags.c ---- */

/* Read the command line into the configuration. SL_USAGE, SL_CONFIG or SL_UNSUPPORTED. */
enum sl_err conf_flags_apply(struct conf_loader *loader, struct sl_why *why);

/* ---- conf_file.c ---- */

/* Read the file at `path` into the rows that no flag set. SL_CONFIG or SL_UNSUPPORTED. Blocks. */
enum sl_err conf_file_apply(struct conf_loader *loader, const char *path, struct sl_why *why);

/* ---- conf_match.c ---- */

/* The same with the text of the file. */
enum sl_err conf_text_apply(struct conf_loader *loader, const char *path, const char *text,
                            size_t bytes, struct sl_why *why);

/* ---- conf_hint.c ---- */

/* How many letters must be put in, taken out or changed to make one word the other, case aside;
 * UINT_MAX for words longer than SL_NAME_BYTES_MAX. */
unsigned conf_distance(const char *a, const char *b);
/* The key, or flag, of the table nearest to `name`; NULL when none is near enough to be meant. */
const char *conf_nearest_key(const struct sl_conf_table *table, const char *name);
const char *conf_nearest_flag(const struct sl_conf_table *table, const char *name);

#endif
