#ifndef SL_BINLOG_FILTER_H
#define SL_BINLOG_FILTER_H

/* Which tables take part: `replicate-do-db`, `replicate-do-table`, `ignore-schemas`, `ignore-table`
 * (drainer spec 3.6).
 *
 *     names ──► do-lists: both empty, or one of them matches? ──no──► skipped
 *                    │ yes
 *                    └► ignore-lists: one of them matches? ──yes──► skipped
 *                                          └─no──► taken
 *
 * An element that begins with ~ is a regular expression that is searched for anywhere in the name.
 * Any other is one too, at both ends: ^ELEMENT$, as it stands, so that `a.b` matches axb and `a|b`
 * is (^a)|(b$). Case never counts. Unlike the original, do-lists are not made small first: that
 * turned \S into \s and changed nothing else.
 *
 * A schema by itself (CREATE DATABASE) has the table name "". A renamed table is judged by its new
 * name. A filter does not change after it was made: any number of threads may use it. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct sl_filter;

/* Names of a table, or patterns for them. Borrowed. */
struct sl_filter_table {
    const char *schema;
    const char *table;
};

/* What to make a filter of. All of it is borrowed for the call; a NULL list has count 0. */
struct sl_filter_lists {
    const char *const            *do_schemas;
    size_t                        do_schema_count;
    const struct sl_filter_table *do_tables;
    size_t                        do_table_count;
    const char *const            *ignore_schemas;
    size_t                        ignore_schema_count;
    const struct sl_filter_table *ignore_tables;
    size_t                        ignore_table_count;
};

/* *out is owned: sl_filter_free. SL_INVALID: an element is no regular expression; why names its
 * list. */
enum sl_err sl_filter_new(const struct sl_filter_lists *lists, struct sl_filter **out,
                          struct sl_why *why);
/* Nulls the pointer; *filter may be NULL. */
void sl_filter_free(struct sl_filter **filter);

/* Is the table left out? Costs a search per element: remember the answer with the table.
 * SL_TOO_LARGE as sl_pattern_find. */
enum sl_err sl_filter_skips(const struct sl_filter *filter, struct sl_slice schema,
                            struct sl_slice table, bool *out, struct sl_why *why);

#endif
