#ifndef SL_BINLOG_CREATE_TABLE_H
#define SL_BINLOG_CREATE_TABLE_H

/* CREATE TABLE made from a TableInfo, for jobs without a text of their own: batches of tables (BR),
 * and CREATE TABLE LIKE whose source cannot be told. Columns, keys, partitions and options are
 * those of the TableInfo; foreign keys are left out, because rows come with their effects. */

#include "base/arena.h"
#include "base/json.h"
#include "binlog/sql_edit.h"

/* Write it, with IF NOT EXISTS. SL_INVALID: it is no TableInfo. */
enum sl_err create_table_write(const struct sl_json *info, struct sl_slice schema,
                               struct sql_out *out, struct sl_why *why);

/* ---- create_table_partitions.c, for the above ---- */

/* Its PARTITION BY, with a blank before it; nothing when it has none. */
enum sl_err create_table_put_partitions(struct sql_out *out, const struct sl_json *info,
                                        struct sl_why *why);

#endif
