#ifndef SL_BINLOG_DDL_CLAUSES_H
#define SL_BINLOG_DDL_CLAUSES_H

/* Clauses that a downstream must not see, taken out of a statement that stays as it is otherwise
 * (codec spec 4.7): placement for everyone, and rows must not expire downstream by themselves; of
 * MySQL and MariaDB also what only TiDB knows, where it does not stand in a comment, and CHECK
 * constraints that TiDB has read and does not keep to. */

#include <stdbool.h>

#include "base/arena.h"
#include "binlog/ddl.h"
#include "binlog/sql_scan.h"

/* The statement for that target, in the arena. has_checks: TiDB keeps to the table's CHECK
 * constraints. *is_empty: it says nothing any more. */
struct sl_slice ddl_clauses(const struct sql_text *sql, enum sl_ddl_target target, bool has_checks,
                            struct sl_arena *arena, bool *is_empty);

#endif
