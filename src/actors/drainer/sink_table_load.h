#ifndef SL_ACTORS_DRAINER_SINK_TABLE_LOAD_H
#define SL_ACTORS_DRAINER_SINK_TABLE_LOAD_H

/* Asks a downstream what a table is like there: two questions to information_schema (codec spec
 * 5.3), with what causality needs beyond the original's: prefix lengths, collations, which columns
 * may be NULL, and keys on expressions, which the original could not read. */

#include "base/err.h"
#include "binlog/sink_table.h"
#include "net/mysql.h"

/* The table as it is now. Blocks. SL_NOT_FOUND: there is none of that name; others as
 * sl_mysql_query has them. Names are compared as the server does, which may be with regard to case.
 */
enum sl_err sl_sink_table_load(struct sl_mysql *mysql, struct sl_slice schema, struct sl_slice name,
                               struct sl_sink_table **out, struct sl_why *why);

#endif
