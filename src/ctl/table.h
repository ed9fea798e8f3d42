#ifndef SL_CTL_TABLE_H
#define SL_CTL_TABLE_H

/* A table for people: columns as wide as their longest cell, two spaces between them. */

#include <stddef.h>
#include <stdio.h>

enum { CTL_COLUMNS_MAX = 8 };

struct ctl_table;

/* A table with these titles, at most CTL_COLUMNS_MAX. They are borrowed. */
struct ctl_table *ctl_table_new(const char *const *titles, size_t columns);
/* The next cell of the row that is begun, or the first of the next row. The text is copied; "" is
 * shown as "-". UTF-8 without control characters. */
void ctl_table_add(struct ctl_table *table, const char *text);
/* Write it, whole rows only. */
void ctl_table_write(const struct ctl_table *table, FILE *out);
/* Free and null the pointer. */
void ctl_table_free(struct ctl_table **table);

#endif
