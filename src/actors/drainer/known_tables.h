#ifndef SL_ACTORS_DRAINER_KNOWN_TABLES_H
#define SL_ACTORS_DRAINER_KNOWN_TABLES_H

/* The row keys of the table versions that the downstream was asked about (row_keys.h). Forgotten as
 * a whole when a DDL has run, since it may have changed any of them. The dispatcher's. */

#include "actors/drainer/row_keys.h"
#include "base/map.h"

/* By the versions' addresses. */
struct sl_known_tables {
    struct sl_map map;
};

/* None is known. */
void sl_known_tables_init(struct sl_known_tables *known);
/* Forget all, which nobody uses any more; free all. */
void sl_known_tables_forget(struct sl_known_tables *known);
void sl_known_tables_done(struct sl_known_tables *known);

/* The keys of this version, or NULL. */
struct sl_row_keys *sl_known_tables_find(const struct sl_known_tables *known,
                                         const struct sl_table        *table);
/* Another version of the table of that name is known: forget it, when nobody uses it any more. Its
 * rows must not meet those of this one in one part: only within a version are they told apart by
 * their keys. */
bool sl_known_tables_has_other(const struct sl_known_tables *known, const struct sl_table *table);
void sl_known_tables_forget_other(struct sl_known_tables *known, const struct sl_table *table);
/* This version, which is not known, is described so. Takes references of its own. */
void sl_known_tables_add(struct sl_known_tables *known, const struct sl_table *table,
                         struct sl_sink_table *described);

#endif
