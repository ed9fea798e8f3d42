#ifndef SL_BINLOG_STATEMENT_PARTS_H
#define SL_BINLOG_STATEMENT_PARTS_H

/* The inside of the statement maker: the pieces of a statement. */

#include "binlog/sink_map.h"
#include "binlog/sql_text.h"
#include "binlog/statement.h"

/* Most bytes that literals of the values can take. */
size_t statement_bytes_max(const struct sl_value *values, uint32_t count);

/* Append a value of that column as a literal. */
void statement_literal(struct sl_sql *sql, const struct sl_value *value,
                       const struct sl_column *column);

/* Append the names of the key's columns as one side of IN: `a` or (`a`,`b`). */
void statement_key_names(struct sl_sql *sql, const struct sl_sink_map *map,
                         const struct sl_sink_key *key);
/* Append the key's values of an image as a member of the other side. */
void statement_key_values(struct sl_sql *sql, const struct sl_sink_map *map,
                          const struct sl_sink_key *key, const struct sl_value *image);

/* Append the condition that finds the row of an image: by key, or with key NULL by all columns. */
void statement_where(struct sl_sql *sql, const struct sl_sink_map *map,
                     const struct sl_sink_key *key, const struct sl_value *image, bool has_utf8mb4);

#endif
