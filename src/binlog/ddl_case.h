#ifndef SL_BINLOG_DDL_CASE_H
#define SL_BINLOG_DDL_CASE_H

/* TiDB finds a table by its name in any case, a MySQL server on Linux only as it was made. So names
 * in statements are given the case that the tracker knows. */

#include "binlog/schema.h"
#include "binlog/sql_scan.h"

/* The statement with the names of its tables and databases in their own case, in the arena; itself
 * when they are so already. Unqualified tables are those of `database`. A view's
 * query is not looked at. */
struct sl_slice ddl_own_case(const struct sql_text *sql, const struct sl_schema *schema,
                             struct sl_slice database, struct sl_arena *arena);

#endif
