#ifndef SL_BINLOG_TABLE_INFO_H
#define SL_BINLOG_TABLE_INFO_H

/* TableInfo, TiDB's JSON of one version of a table (codec spec 3.2-3.5), as struct sl_table. */

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "binlog/table.h"

/* Read a TableInfo, an object, of the database `schema` as a job of schema version `version` left
 * it. SL_INVALID for what is none, and SL_TOO_LARGE: the reason names table and member. *out has
 * one reference, the caller's. */
enum sl_err table_info_read(const struct sl_json *info, struct sl_slice schema, int64_t version,
                            struct sl_table **out, struct sl_why *why);

/* A partition: rows carry the table's id, not this one, but an exchange moves ids about. */
struct table_partition {
    int64_t         id;
    struct sl_slice name;
};

/* The partitions of a TableInfo, in its order; none: *count is 0. They and their names lie in the
 * arena. */
enum sl_err table_info_partitions(const struct sl_json *info, struct sl_arena *arena,
                                  const struct table_partition **out, uint32_t *count,
                                  struct sl_why *why);

/* Is it of a temporary table, whose rows no binlog has? */
bool table_info_is_temporary(const struct sl_json *info);

#endif
