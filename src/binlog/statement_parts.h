#ifndef SL_BINLOG_STATEMENT_PARTS_H
#define SL_BINLOG_STATEMENT_PARTS_H

/* The inside of the statement maker: which columns meet, and the pieces of a statement. */

#include "binlog/sql_text.h"
#include "binlog/statement.h"

/* Which columns of a version meet which of the downstream. */
struct statement_map {
    const struct sl_table      *table; /* borrowed; NULL: none in use */
    const struct sl_sink_table *sink;  /* borrowed */
    int32_t *to_sink; /* per column of table: where it is written; -1: nowhere. Owned */
    int32_t
        *from_sink;  /* per column of sink: where its value stands, generated ones too; -1. Owned */
    uint8_t *in_use; /* per column of table: is it in the open INSERT. Owned */
};

/* Fill the map for these two. SL_INVALID as sl_statement_use has it; the map is then empty. */
enum sl_err statement_map_fill(struct statement_map *map, const struct sl_table *table,
                               const struct sl_sink_table *sink, bool is_partial,
                               struct sl_why *why);
/* Free and empty. */
void statement_map_done(struct statement_map *map);

/* The first key of the downstream that finds the row of this image, or NULL. */
const struct sl_sink_key *statement_key(const struct statement_map *map,
                                        const struct sl_value      *image);

/* Most bytes that literals of the values can take. */
size_t statement_bytes_max(const struct sl_value *values, uint32_t count);

/* Append a value of that column as a literal. */
void statement_literal(struct sl_sql *sql, const struct sl_value *value,
                       const struct sl_column *column);

/* Append the names of the key's columns as one side of IN: `a` or (`a`,`b`). */
void statement_key_names(struct sl_sql *sql, const struct statement_map *map,
                         const struct sl_sink_key *key);
/* Append the key's values of an image as a member of the other side. */
void statement_key_values(struct sl_sql *sql, const struct statement_map *map,
                          const struct sl_sink_key *key, const struct sl_value *image);

/* Append the condition that finds the row of an image: by key, or with key NULL by all columns. */
void statement_where(struct sl_sql *sql, const struct statement_map *map,
                     const struct sl_sink_key *key, const struct sl_value *image, bool has_utf8mb4);

#endif
